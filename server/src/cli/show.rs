//! Answers as people read them: plain columns, no borders, `-` for what is not.

use heorot_core::limit::OTHER_SERVERS_SHOWN_MAX;
use heorot_core::service::view::{
    DnsCounts, ExplainView, LastEndView, NfsView, NodeDetailView, NodeFileView, NodeView, RogueServerView,
    StatusView, TransfersView, TrialView, UnansweredView,
};
use heorot_core::time::span;
use std::fmt::Display;
use std::time::Duration;

/// `heorot status`.
pub(super) fn status(status: &StatusView) -> String {
    let nodes: Vec<String> = status.nodes.iter().map(|(state, count)| format!("{count} {state}")).collect();
    let malformed: Vec<String> =
        status.malformed.iter().map(|(what, count)| format!("{count} {what}")).collect();
    let (load, http) = (&status.load, &status.http);
    let link = load.link_bits_per_second.map_or(String::new(), |rate| format!(" of {}", bits(rate)));
    let mut rows = vec![
        ("version", status.version.clone()),
        ("up", span(Duration::from_secs(status.uptime_seconds))),
        ("nodes", or_dash(&nodes.join(", "))),
        ("transfers", transfers(&status.transfers)),
        (
            "http",
            format!(
                "{} connections, {} files on their way; {} gave way to others, {} were silent, {} requests not understood",
                http.connections, http.sending, http.displaced, http.silent, http.refused
            ),
        ),
        (
            "load",
            format!(
                "{}{link} sent, {}; each second {} clients repeat themselves, and {} packets are sent again",
                bits(load.sent_bits_per_second),
                load.regime,
                load.retries_per_second,
                load.resent_per_second
            ),
        ),
        ("temporary", format!("{} of {} addresses used", status.temporary.used, status.temporary.size)),
        ("dropped", format!("{} datagrams by the kernel", status.kernel_drops)),
        ("malformed", or_dash(&malformed.join(", "))),
    ];
    rows.push(("dns", dns(&status.dns)));
    rows.extend(status.nfs.as_ref().map(|nfs| ("nfs", self::nfs(nfs))));
    rows.extend(status.unanswered.as_ref().map(|hosts| ("no address", unanswered(hosts))));
    // Those that were heard themselves first: of the others there are as many as a client cares to name.
    let mut rogues: Vec<_> = status.rogue_servers.iter().collect();
    rogues.sort_by_key(|rogue| rogue.mac.is_none());
    let shown = rogues.iter().take(OTHER_SERVERS_SHOWN_MAX);
    rows.extend(shown.map(|rogue| ("rogue server", rogue_server(rogue))));
    let further = rogues.len().saturating_sub(OTHER_SERVERS_SHOWN_MAX);
    rows.extend(
        (further > 0).then(|| ("rogue server", format!("and {further} more (heorot status -o json)"))),
    );
    rows.extend(status.troubles.iter().map(|trouble| ("trouble", trouble.clone())));
    pairs(&rows)
}

fn transfers(transfers: &TransfersView) -> String {
    let by_senders = match transfers.sent_by_senders {
        0 => String::new(),
        datagrams => format!("; {datagrams} datagrams sent by threads of their own"),
    };
    format!("{} active, {} of them waiting for a file{by_senders}", transfers.active, transfers.waiting)
}

fn dns(dns: &DnsCounts) -> String {
    let stale = if dns.stale > 0 { format!(" ({} past their time)", dns.stale) } else { String::new() };
    let checked = if dns.secure + dns.bogus > 0 {
        format!("; {} answers secure, {} not believed", dns.secure, dns.bogus)
    } else {
        String::new()
    };
    format!(
        "{} questions; of names of others {} answered from the cache{stale}, {} asked upstream, {} failed, {} refused{checked}; {} updates, {} copies of zones; {} replies not sent",
        dns.questions,
        dns.cached,
        dns.upstream,
        dns.failed,
        dns.refused,
        dns.updates,
        dns.transfers,
        dns.unsent
    )
}

fn nfs(nfs: &NfsView) -> String {
    format!(
        "{} connections, {} calls answered with {} MB; {} connections refused, {} gave way to others",
        nfs.connections,
        nfs.calls,
        nfs.bytes / 1_000_000,
        nfs.refused,
        nfs.displaced
    )
}

fn unanswered(hosts: &UnansweredView) -> String {
    format!(
        "{} hosts asked for one and got none; last {} at {}: {} (heorot explain {} says what to do)",
        hosts.hosts, hosts.last, hosts.last_asked, hosts.why, hosts.last
    )
}

fn rogue_server(rogue: &RogueServerView) -> String {
    format!(
        "{} ({}) on {}: heard {} times from {} to {}; last it {} {}",
        rogue.address,
        rogue.mac.as_deref().unwrap_or("hardware address unknown"),
        rogue.network,
        rogue.count,
        rogue.first_heard,
        rogue.last_heard,
        rogue.last,
        rogue.last_client.as_deref().unwrap_or("-")
    )
}

/// `heorot node list`.
pub(super) fn nodes(nodes: &[NodeView]) -> String {
    let head = ["NUMBER", "NAME", "STATE", "PHASE", "ADDRESS", "TEMPORARY", "MAC", "NETWORK", "WAITING FOR"];
    let rows = nodes.iter().map(|node| {
        [
            optional(node.number.as_ref()),
            optional(node.name.as_ref()),
            node.state.clone(),
            optional(node.phase.as_ref()),
            optional(node.address.as_ref()),
            optional(node.temporary_address.as_ref()),
            node.mac.clone(),
            node.network.clone(),
            optional(node.waiting_for.as_ref()),
        ]
    });
    table(&[vec![head.map(String::from)], rows.collect()].concat())
}

/// `heorot node show`.
pub(super) fn node(detail: &NodeDetailView) -> String {
    let mut rows = node_rows(&detail.node);
    let boot = detail.boot_profile.as_ref().filter(|profile| **profile != detail.node.profile);
    rows.extend(boot.map(|profile| ("boot's profile", profile.clone())));
    let attributes: Vec<_> =
        detail.attributes.iter().map(|(name, value)| format!("{name}={value}")).collect();
    rows.extend(Some(attributes.join(" ")).filter(|all| !all.is_empty()).map(|all| ("attributes", all)));
    rows.extend(detail.further_macs.iter().map(|mac| ("further mac", mac.clone())));
    rows.extend(detail.facts.iter().map(|(name, value)| (name.as_str(), value.to_string())));
    rows.extend(detail.lacks.iter().map(|lacks| ("lacks", lacks.clone())));
    rows.extend(last_end(detail.last_end.as_ref()));
    pairs(&rows) + &trials(&detail.trials)
}

/// `heorot overlay show`.
pub(super) fn files(files: &[NodeFileView]) -> String {
    let head = ["MODE", "OWNER", "SIZE", "OVERLAY", "FILE"].map(String::from);
    let rows = files.iter().map(|file| {
        let kind = match file.kind.as_str() {
            "directory" => "d",
            "link" => "l",
            _ => "-",
        };
        let overlay = if file.secret { format!("{} (secret)", file.overlay) } else { file.overlay.clone() };
        let leads = file.target.as_ref().map(|target| format!(" -> {target}")).unwrap_or_default();
        [
            format!("{kind}{}", file.mode),
            format!("{}:{}", file.user, file.group),
            file.size.to_string(),
            overlay,
            format!("{}{leads}", file.path),
        ]
    });
    table(&[vec![head], rows.collect()].concat())
}

/// How the last system ended: a row for each line.
fn last_end(end: Option<&LastEndView>) -> Vec<(&'static str, String)> {
    let Some(LastEndView { at, reason, last_words }) = end else { return Vec::new() };
    let lines = last_words.iter().flat_map(|words| words.lines()).map(|line| ("", line.to_owned()));
    let first = ("last end", format!("{reason} ({})", optional(at.as_ref())));
    std::iter::once(first).chain(lines).collect()
}

/// The last trials, the latest first, each with what its checks found.
fn trials(trials: &[TrialView]) -> String {
    let mut rows: Vec<[String; 4]> = Vec::new();
    for TrialView { at, outcome, why, passed, checks } in trials {
        let outcome = serde_json::to_string(outcome).unwrap_or_default().replace('"', "");
        let what = why.clone().unwrap_or_else(|| format!("{passed} checks passed"));
        rows.push([optional(at.as_ref()), outcome, what, String::new()]);
        for check in checks {
            let word = if check.passed { "passed" } else { "FAILED" };
            rows.push([String::new(), String::new(), format!("{} {word}", check.name), check.detail.clone()]);
        }
    }
    let Some(head) = (!rows.is_empty()).then(|| ["TRIAL", "OUTCOME", "WHAT", "FOUND"].map(String::from))
    else {
        return String::new();
    };
    rows.insert(0, head);
    format!("\n{}", table(&rows))
}

/// `heorot explain`.
pub(super) fn explanation(view: &ExplainView) -> String {
    let mut rows = node_rows(&view.node);
    rows.push(("last asked", dated(view.last_asked.as_ref(), view.last_asked_at.as_ref())));
    rows.push(("last told", dated(view.last_told.as_ref(), view.last_told_at.as_ref())));
    rows.push(("to do", optional(view.to_do.as_ref())));
    rows.extend(last_end(view.last_end.as_ref()));
    let history: Vec<[String; 3]> = view
        .history
        .iter()
        .map(|event| {
            [
                event.time.clone(),
                serde_json::to_string(&event.event).unwrap_or_default().replace('"', ""),
                event.detail.clone(),
            ]
        })
        .collect();
    format!("{}\n\n{}\n{}{}", view.summary, pairs(&rows), table(&history), trials(&view.trials))
}

fn node_rows(node: &NodeView) -> Vec<(&'static str, String)> {
    let phase = node.phase.as_ref().map_or(String::new(), |phase| format!(" ({phase})"));
    vec![
        ("number", optional(node.number.as_ref())),
        ("name", optional(node.name.as_ref())),
        ("mac", node.mac.clone()),
        ("address", optional(node.address.as_ref())),
        ("temporary", optional(node.temporary_address.as_ref())),
        ("network", node.network.clone()),
        ("state", format!("{}{phase}", node.state)),
        ("since", if node.since_unknown { format!("before {}", node.since) } else { node.since.clone() }),
        ("reason", node.reason.clone()),
        ("waiting for", optional(node.waiting_for.as_ref())),
        ("profile", or_dash(&node.profile)),
    ]
}

fn optional(value: Option<&impl Display>) -> String {
    value.map_or_else(|| "-".into(), ToString::to_string)
}

/// What was said, and when, as far as that is known.
fn dated(what: Option<&String>, at: Option<&String>) -> String {
    let at = what.and(at).map_or_else(String::new, |at| format!(" ({at})"));
    optional(what) + &at
}

fn or_dash(text: &str) -> String {
    if text.is_empty() { "-".into() } else { text.into() }
}

/// Names and values, the values under each other.
fn pairs(rows: &[(&str, String)]) -> String {
    table(&rows.iter().map(|(name, value)| [(*name).to_owned(), value.clone()]).collect::<Vec<_>>())
}

/// Columns as wide as their widest cell, two blanks apart, nothing after the last.
fn table<const COLUMNS: usize>(rows: &[[String; COLUMNS]]) -> String {
    let mut widths = [0; COLUMNS];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for row in rows {
        let line: String = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}  ")).collect();
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn bits(per_second: u64) -> String {
    match per_second {
        0..1_000_000 => format!("{} kbit/s", per_second / 1000),
        1_000_000..10_000_000_000 => format!("{} Mbit/s", per_second / 1_000_000),
        _ => format!("{} Gbit/s", per_second / 1_000_000_000),
    }
}

#[cfg(test)]
mod tests;
