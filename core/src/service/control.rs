//! What operators ask. Every answer is JSON, in the form of [`view`](super::view), but for what other tools read.

mod change;
mod export;
mod long;
mod others;
mod overlay;
mod place;
mod set;
mod trial;
mod unanswered;

use crate::cluster::answers_all;
use crate::cluster::lease::PoolKind;
use crate::cluster::node::{Node, Trouble};
use crate::cluster::other_server::OtherServer;
use crate::cluster::since::Since;
use crate::cluster::stage::{Phase, Stage};
use crate::config::{Choice, Mode, Policy, TRIAL_PROFILE};
use crate::hall::Turn;
use crate::mac::Mac;
use crate::message::{Answer, Measured, MeasuredHttp, Output, Query, RequestId};
use crate::service::view::{
    ErrorView, EventView, ExplainView, HttpView, LoadView, NfsView, NodeDetailView, NodeView, PoolView,
    RogueServerView, StatusView, TransfersView,
};
use crate::time::Wall;
use heorot_names::NodeSet;
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

/// Takes an operator's question.
pub(crate) fn handle(turn: &mut Turn<'_>, id: RequestId, wall: Wall, query: &Query) {
    let answer = match query {
        Query::Status(measured) => ok(&status(turn, wall, measured)),
        Query::Nodes { set: None, without: None } => {
            long::list(turn, wall, turn.hall.nodes.iter().map(|node| node.mac).collect())
        }
        Query::Nodes { set, without } => {
            set::list(turn, wall, set.as_deref().unwrap_or("@*"), without.as_deref())
        }
        Query::NodeSet { set, without } => set::folded(turn, set, without.as_deref()),
        Query::Groups => set::groups(turn),
        Query::Export(export) => {
            turn.publish_hardware_addresses();
            export::begin(turn, *export)
        }
        Query::Node(name) => match (find(turn, name), others::show(turn, wall, name)) {
            (Some(node), _) => ok(&detail(turn, wall, node)),
            (None, Some(view)) => ok(&view),
            (None, None) => no_such_node(name),
        },
        Query::Explain(name) => match (find(turn, name), others::explain(turn, wall, name)) {
            (Some(node), _) => ok(&explain(turn, wall, node)),
            (None, Some(view)) => ok(&view),
            (None, None) => no_such_node(name),
        },
        Query::Files(name) => {
            turn.reckon_host_keys();
            overlay::answer(turn, name)
        }
        Query::HostKeys => {
            turn.reckon_host_keys();
            overlay::host_keys(turn)
        }
        Query::Dump => long::dump(turn, wall),
        Query::More(rest) => long::more(turn, wall, rest),
        Query::Change(verb, request) => match change::handle(turn, id, *verb, request) {
            Some(answer) => answer,
            None => return,
        },
    };
    turn.out.push(Output::Reply(id, answer));
}

/// All that is known of a node.
fn whole(turn: &Turn<'_>, wall: Wall, node: &Node) -> serde_json::Value {
    let mut whole = json!(detail(turn, wall, node));
    whole["last_asked"] = json!(node.asked.as_deref());
    whole["last_told"] = json!(node.told.as_deref());
    whole["trouble"] = json!(node.trouble.as_ref().map(|trouble| &trouble.what));
    whole["history"] = json!(history(turn, wall, node));
    whole
}

fn http_view(measured: &MeasuredHttp) -> HttpView {
    let MeasuredHttp { connections, sending, displaced, silent, refused } = *measured;
    HttpView { connections, sending, displaced, silent, refused }
}

fn status(turn: &Turn<'_>, wall: Wall, measured: &Measured) -> StatusView {
    let mut nodes = BTreeMap::new();
    for node in turn.hall.nodes.iter() {
        *nodes.entry(node.state()).or_insert(0) += 1;
    }
    let (used, size) = turn.hall.leases.used(PoolKind::Temporary);
    let here = turn.hall.malformed.iter().map(|(word, count)| ((*word).to_owned(), *count));
    StatusView {
        version: env!("CARGO_PKG_VERSION").into(),
        uptime_seconds: turn.now.since(turn.hall.started).as_secs(),
        nodes,
        transfers: TransfersView {
            active: measured.transfers_active,
            waiting: measured.transfers_waiting,
            sent_by_senders: measured.sent_by_senders,
        },
        http: http_view(&measured.http),
        load: LoadView {
            regime: measured.regime.to_string(),
            link_bits_per_second: measured.link_bits_per_second,
            sent_bits_per_second: measured.sent_bits_per_second,
            retries_per_second: measured.retries_per_second,
            resent_per_second: measured.resent_per_second,
        },
        temporary: PoolView { used, size },
        kernel_drops: measured.kernel_drops,
        malformed: here
            .chain(measured.malformed.iter().map(|(word, count)| ((*word).to_owned(), *count)))
            .collect(),
        rogue_servers: rogue_servers(turn, wall),
        unanswered: unanswered::status(turn, wall),
        dns: *measured.dns,
        nfs: measured.nfs.as_deref().map(|nfs| NfsView {
            connections: nfs.connections,
            calls: nfs.calls,
            bytes: nfs.octets,
            refused: nfs.refused,
            displaced: nfs.displaced,
        }),
        troubles: turn
            .hall
            .store_trouble
            .iter()
            .map(|why| format!("nothing new can be promised: {why}"))
            .chain(turn.is_full())
            .chain(turn.hall.gone.iter().map(|interface| gone(interface)))
            .chain(turn.hall.missing.iter().map(ToString::to_string))
            .chain(turn.hall.answers_all.iter(turn.now).map(answers_all::told))
            .chain(trial::degraded(turn))
            .chain(all_misplaced(turn))
            .collect(),
    }
}

/// What is not as the configuration says of a machine, and what the operator can do.
fn misplaced(turn: &Turn<'_>, node: &Node) -> Option<Trouble> {
    turn.misplaced(node).or_else(|| place::trouble(turn, node))
}

/// The machines that are not as the configuration says, as a line of the status.
fn all_misplaced(turn: &Turn<'_>) -> Option<String> {
    let nodes = turn.hall.nodes.iter().filter(|node| misplaced(turn, node).is_some());
    let (numbered, others): (Vec<_>, Vec<_>) = nodes.partition(|node| node.number.is_some());
    let set: NodeSet = numbered.iter().filter_map(|node| node.number).collect();
    let folded = Some(turn.hall.directory.fold(&set)).filter(|folded| !folded.is_empty());
    let first = others.first().map(|node| match others.len() {
        1 => node.mac.to_string(),
        count => format!("{} and {} more without a number", node.mac, count - 1),
    });
    let who: Vec<_> = folded.into_iter().chain(first).collect();
    (!who.is_empty()).then(|| {
        format!("not where the configuration has them: {} (heorot explain NODE says why)", who.join(", "))
    })
}

/// What is told of an interface that is gone.
pub(crate) fn gone(interface: &str) -> String {
    format!("{interface} is gone: nobody there is answered until it is back")
}

fn rogue_servers(turn: &Turn<'_>, wall: Wall) -> Vec<RogueServerView> {
    let view = |(address, other): (Ipv4Addr, &OtherServer)| RogueServerView {
        address,
        mac: other.mac.map(|mac| mac.to_string()),
        network: other.interface.clone(),
        first_heard: wall.stamp(turn.now, other.first),
        last_heard: wall.stamp(turn.now, other.last),
        count: other.count,
        last: other.did.clone(),
        last_client: other.client.map(|client| client.to_string()),
    };
    turn.hall.other_servers.iter().map(view).collect()
}

/// A node by number, name (also with the zone), hardware address or address.
fn find<'a>(turn: &'a Turn<'_>, name: &str) -> Option<&'a Node> {
    if let Ok(mac) = name.parse::<Mac>() {
        return turn.hall.nodes.get(mac);
    }
    if let Ok(address) = name.parse::<Ipv4Addr>() {
        return turn.hall.nodes.get(turn.machine_at(address)?);
    }
    let directory = &turn.hall.directory;
    let host = name.strip_suffix('.').unwrap_or(name);
    let host =
        host.strip_suffix(directory.zone.as_str()).and_then(|host| host.strip_suffix('.')).unwrap_or(host);
    let number = name.parse().ok().or_else(|| directory.number(host))?;
    turn.hall.nodes.get(turn.hall.nodes.holder(number)?)
}

fn row(turn: &Turn<'_>, wall: Wall, node: &Node) -> NodeView {
    let of_number =
        |number| turn.config.networks.iter().find_map(|network| network.numbering.address(number));
    let network = node.network.and_then(|place| turn.config.networks.get(place));
    let here = node.number.and_then(|number| network?.numbering.address(number));
    // Where it is, it cannot have the address of its number, and elsewhere it is not.
    let is_elsewhere = node.granted_until.is_none() && turn.elsewhere(node).is_some();
    let of_number = node.number.filter(|_| !is_elsewhere).and_then(of_number);
    let standing = node.orders.standing.as_ref();
    NodeView {
        number: node.number,
        name: node.number.map(|number| turn.name(number)),
        mac: node.mac.to_string(),
        address: here.or(of_number),
        temporary_address: turn
            .hall
            .leases
            .of(node.mac)
            .find(|(_, lease)| lease.recorded)
            .map(|(address, _)| address),
        network: network.map(|network| network.interface.clone()).unwrap_or_default(),
        state: node.state(),
        phase: node.phase.filter(|_| standing.is_none()).map(|phase| phase.to_string()),
        since: wall.stamp(turn.now, since(node).at()),
        since_unknown: !since(node).is_known(),
        reason: standing.map_or_else(|| node.reason.clone(), ToString::to_string),
        waiting_for: trial::waiting_for(turn, node)
            .or_else(|| lacking(node))
            .or_else(|| waiting_for(turn, node).map(str::to_owned)),
        profile: turn.profile_name(node).to_owned(),
    }
}

fn detail(turn: &Turn<'_>, wall: Wall, node: &Node) -> NodeDetailView {
    NodeDetailView {
        node: row(turn, wall, node),
        further_macs: node.further_macs.iter().map(ToString::to_string).collect(),
        facts: node.facts.clone(),
        boot_profile: node.boot.plan.as_ref().map(|plan| plan.profile.clone()),
        attributes: turn.attributes_by(node, &node.orders),
        lacks: node.lacks().map(str::to_owned),
        trials: trial::trials(node),
        last_end: trial::last_end(node),
    }
}

/// Since when it is as it is said to be.
fn since(node: &Node) -> Since {
    if node.orders.standing.is_some() { node.kept_since } else { node.since }
}

fn explain(turn: &Turn<'_>, wall: Wall, node: &Node) -> ExplainView {
    let view = row(turn, wall, node);
    let who = view.name.clone().unwrap_or_else(|| view.mac.clone());
    let phase = view.phase.as_ref().map(|phase| format!(" ({phase})")).unwrap_or_default();
    let how_long = match since(node).is_known() {
        true => format!("for {} s", turn.now.since(since(node).at()).as_secs()),
        false => "since before this server started".into(),
    };
    let mut summary = format!("{who} is {}{phase} {how_long}: {}", view.state, view.reason);
    if node.orders.standing.is_some() {
        summary += &format!("; it was {}", node.stage);
    }
    // That a machine's trial is another profile's than its next boot goes without saying.
    let of_trial = |name: &str| {
        let is_its = |choice: &&Choice| choice.profile == name;
        name == TRIAL_PROFILE
            || turn.config.choices.iter().find(is_its).is_some_and(|choice| !choice.numbered)
    };
    let is_another = |profile: &str| profile != view.profile && !of_trial(profile);
    if let Some(plan) = node.boot.plan.as_ref().filter(|plan| is_another(&plan.profile)) {
        summary += &format!(
            "; its boot began with the profile {}, and the next one is to have {}",
            plan.profile, view.profile
        );
    }
    let trouble = trial::trouble(node);
    let says = |what: &String| trouble.as_ref().is_some_and(|trouble| trouble.contains(what.as_str()));
    let misplaced = misplaced(turn, node).map(|trouble| trouble.what).filter(|what| !says(what));
    for trouble in misplaced.iter().chain(&trouble) {
        summary += &format!("; {trouble}");
    }
    if let Some(Trouble { what, .. }) = turn.misaddressed(node) {
        summary += &format!("; {what}");
    }
    if let Some(Trouble { what, .. }) = others::ignored(turn, node) {
        summary += &format!("; {what}");
    }
    if let Some(waiting_for) = &view.waiting_for {
        summary += &format!("; it waits for {waiting_for}");
    }
    ExplainView {
        node: view,
        summary,
        last_asked: node.asked.as_deref().map(String::from),
        last_told: node.told.as_deref().map(String::from),
        to_do: trial::to_do(node, to_do(turn, node)),
        history: history(turn, wall, node),
        trials: trial::trials(node),
        last_end: trial::last_end(node),
    }
}

fn history(turn: &Turn<'_>, wall: Wall, node: &Node) -> Vec<EventView> {
    let event = |(time, kind, detail): &(_, _, Arc<str>)| EventView {
        time: wall.stamp(turn.now, *time),
        event: *kind,
        detail: detail.to_string(),
    };
    node.history.iter().map(event).collect()
}

/// The file that it asked for in vain, without which it does not go on.
fn lacking(node: &Node) -> Option<String> {
    let is_going_on = node.stage.is_booting() && node.orders.standing.is_none();
    let path = node.boot.lacks.as_ref().filter(|_| is_going_on)?;
    let path: String = path.chars().filter(|c| !c.is_control()).take(120).collect();
    Some(format!("{path}, which it asked for and was not given"))
}

/// What has to happen for a node to go on.
fn waiting_for(turn: &Turn<'_>, node: &Node) -> Option<&'static str> {
    if node.orders.standing.is_some() {
        return Some("an operator to accept it");
    }
    let by_operator = turn.config.trial.policy == Policy::Accept && !node.orders.accepted;
    match (node.stage, node.phase) {
        (Stage::Temporary, Some(Phase::Agent)) if by_operator => Some("an operator to accept it"),
        // Nothing that it does has it go on here.
        (Stage::Seen, _) if is_looked_on(turn, node) => None,
        (Stage::Seen, _) => Some("its REQUEST for an address"),
        (Stage::Temporary | Stage::Booting, None | Some(Phase::Dhcp)) => {
            Some("its firmware to ask for the boot file")
        }
        (Stage::Temporary | Stage::Booting, Some(Phase::Loader)) => Some("its loader to ask for the kernel"),
        (Stage::Temporary | Stage::Booting, Some(Phase::Kernel)) => {
            Some("its loader to ask for the initial RAM disk")
        }
        (Stage::Temporary | Stage::Booting, Some(Phase::Initrd)) => Some("its kernel to start the agent"),
        (Stage::Temporary, Some(Phase::Agent)) => Some("a number"),
        (Stage::Booting, Some(Phase::Agent)) => Some("its agent to say that the system runs"),
        (Stage::Testing, _) => Some("its agent to report the trial"),
        (Stage::Failed, _) => Some("its agent to report that the trial passes, or another boot"),
        (Stage::Ready, _) => Some("its agent to say that the system runs, or another boot"),
        (Stage::Down, _) => Some("its next boot"),
        (Stage::Up, _) => None,
    }
}

/// Whether another server serves it, and we look on.
fn is_looked_on(turn: &Turn<'_>, node: &Node) -> bool {
    let network = node.network.and_then(|place| turn.config.networks.get(place));
    network.is_some_and(|network| network.mode == Mode::Shadow)
}

/// What the operator can do for a node that does not get on.
fn to_do(turn: &Turn<'_>, node: &Node) -> Option<String> {
    if node.orders.standing.is_some() {
        let who = node.number.map_or_else(|| node.mac.to_string(), |number| turn.name(number));
        return Some(format!("heorot node accept {who}, if it is to serve again"));
    }
    if let Some(to_do) = misplaced(turn, node).and_then(|trouble| trouble.to_do) {
        return Some(to_do);
    }
    if let Some(to_do) = node.trouble.as_ref().and_then(|trouble| trouble.to_do.clone()) {
        return Some(to_do);
    }
    if let Some(to_do) = others::ignored(turn, node).or_else(|| turn.misaddressed(node)).and_then(|t| t.to_do)
    {
        return Some(to_do);
    }
    /// A boot that takes this long between two phases is stuck: a kernel and its RAM disk of 200 MB on a full link are there before.
    const STUCK_SECONDS: u64 = 300;
    let is_stuck = turn.now.since(node.since.at()).as_secs() >= STUCK_SECONDS;
    match (node.stage, node.phase) {
        (Stage::Failed, _) => {
            Some("mend what the check found, or change the check in the configuration".into())
        }
        (Stage::Temporary | Stage::Booting, Some(Phase::Initrd)) if is_stuck => {
            Some("look at its console: the kernel or the agent in the initial RAM disk does not start".into())
        }
        (Stage::Temporary | Stage::Booting | Stage::Testing, _) if is_stuck => {
            Some("look at its console, and switch it off and on".into())
        }
        (Stage::Down, _) => Some("switch it on".into()),
        (
            Stage::Seen | Stage::Temporary | Stage::Testing | Stage::Ready | Stage::Booting | Stage::Up,
            None | Some(Phase::Dhcp | Phase::Loader | Phase::Kernel | Phase::Initrd | Phase::Agent),
        ) => None,
    }
}

fn no_such_node(name: &str) -> Answer {
    fail(
        404,
        format!(
            "no such node: {name} (a number, a name, a hardware address or an address; `heorot node list` shows all)"
        ),
    )
}

fn fail(status: u16, error: String) -> Answer {
    let body = serde_json::to_string(&ErrorView { error });
    Answer::Json(status, body.expect("a text can be written as JSON"))
}

fn ok(view: &impl Serialize) -> Answer {
    Answer::Json(200, serde_json::to_string(view).expect("no view has keys that are not strings"))
}
