//! What operators ask. Every answer is JSON, in the form of [`view`](super::view), but for what other tools read.

mod change;
mod export;
mod long;
mod others;
mod overlay;
mod place;
mod set;
pub(crate) mod silent_firmware;
pub(crate) mod silent_loader;
mod trial;
mod typed;
mod unanswered;
mod unheard;
mod unnumbered;
mod waiting;

use crate::cluster::answers_all;
use crate::cluster::lease::PoolKind;
use crate::cluster::node::{Node, Trouble};
use crate::cluster::other_server::OtherServer;
use crate::cluster::since::Since;
use crate::cluster::stage::Stage;
use crate::cluster::trouble::Beside;
use crate::config::{Choice, TRIAL_PROFILE};
use crate::hall::Turn;
use crate::message::{Answer, Measured, MeasuredHttp, Output, Query, RequestId};
use crate::service::view::{
    ErrorView, EventView, ExplainView, HttpView, LoadView, NfsView, NodeDetailView, NodeView, PoolView,
    RogueServerView, StatusView, TransfersView,
};
use crate::time::{Wall, span};
use heorot_names::NodeSet;
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

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
            (None, None) => unheard::no_such_node(turn, wall, name),
        },
        Query::Explain(name) => match (find(turn, name), others::explain(turn, wall, name)) {
            (Some(node), _) => ok(&explain(turn, wall, node)),
            (None, Some(view)) => ok(&view),
            (None, None) => unheard::no_such_node(turn, wall, name),
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
    let troubles: Vec<_> = node.troubles().map(|trouble| trouble.what.as_str()).collect();
    whole["trouble"] = json!(Some(troubles.join("; ")).filter(|troubles| !troubles.is_empty()));
    whole["history"] = json!(history(turn, wall, node));
    whole
}

fn http_view(measured: &MeasuredHttp) -> HttpView {
    let MeasuredHttp { connections, sending, displaced, silent, refused } = *measured;
    HttpView { connections, sending, displaced, silent, refused }
}

fn status(turn: &Turn<'_>, wall: Wall, measured: &Measured) -> StatusView {
    // Of ten thousand nodes: so nothing is made for each.
    let mut nodes: BTreeMap<&str, u64> = BTreeMap::new();
    for node in turn.hall.nodes.iter() {
        *nodes.entry(node.state()).or_insert(0) += 1;
    }
    let (used, size) = turn.hall.leases.used(PoolKind::Temporary);
    let here = turn.hall.malformed.iter().map(|(word, count)| ((*word).to_owned(), *count));
    StatusView {
        version: env!("CARGO_PKG_VERSION").into(),
        uptime_seconds: turn.now.since(turn.hall.started).as_secs(),
        nodes: nodes.into_iter().map(|(state, count)| (state.to_owned(), count)).collect(),
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
            .chain(turn.hall.gone.iter().map(|(interface, why)| gone(interface, why.as_deref())))
            .chain(turn.all_deaf(wall))
            .chain(one_segment(turn))
            .chain(turn.hall.missing.iter().map(ToString::to_string))
            .chain(measured.troubles.iter().map(|trouble| {
                format!("{} since {}: {}", trouble.what, wall.stamp(turn.now, trouble.since), trouble.why)
            }))
            .chain(unanswered::full_ranges(turn))
            .chain(unanswered::strange_relays(turn))
            .chain(turn.hall.answers_all.iter(turn.now).map(answers_all::told))
            .chain(trial::degraded(turn))
            .chain(all_misplaced(turn))
            .chain(unnumbered::all(turn))
            .chain(all_in_a_circle(turn))
            .chain(all_with_files_of_others(turn))
            .collect(),
    }
}

/// Interfaces that are one segment and are to be two.
fn one_segment(turn: &Turn<'_>) -> Vec<String> {
    let networks = &turn.config.networks;
    let is_served = |name: &str| networks.iter().any(|network| network.on_link && network.interface == name);
    turn.hall.segments.recent(turn.now, is_served)
}

/// What is not as the configuration says of a machine, and what the operator can do.
fn misplaced(turn: &Turn<'_>, node: &Node) -> Option<Trouble> {
    turn.misplaced(node).or_else(|| place::trouble(turn, node))
}

/// The machines that are not as the configuration says, as a line of the status.
fn all_misplaced(turn: &Turn<'_>) -> Option<String> {
    let who = together(turn, turn.hall.nodes.iter().filter(|node| misplaced(turn, node).is_some()))?;
    Some(format!("not where the configuration has them: {who} (heorot explain NODE says why)"))
}

/// The machines that start anew again and again, as a line of the status.
fn all_in_a_circle(turn: &Turn<'_>) -> Option<String> {
    let is_in = |node: &&Node| node.circle(turn.now).is_some();
    let who = together(turn, turn.hall.nodes.iter().filter(is_in))?;
    Some(format!(
        "started anew and not heard to come up: {who} (heorot explain NODE says how often, and why)"
    ))
}

/// The machines that load what another server names, as a line of the status. What is no boot any more has that behind it, or its address was taken back.
fn all_with_files_of_others(turn: &Turn<'_>) -> Option<String> {
    let is_of = |node: &&Node| node.stage.is_booting() && node.beside.contains_key(&Beside::FileOfAnother);
    let who = together(turn, turn.hall.nodes.iter().filter(is_of))?;
    Some(format!(
        "booting by what another DHCP server names, and not by what is named here: {who} (heorot explain NODE says which)"
    ))
}

/// Some machines in few words.
fn together<'a>(turn: &Turn<'_>, nodes: impl Iterator<Item = &'a Node>) -> Option<String> {
    let (numbered, others): (Vec<_>, Vec<_>) = nodes.partition(|node| node.number.is_some());
    let set: NodeSet = numbered.iter().filter_map(|node| node.number).collect();
    let folded = Some(turn.hall.directory.fold(&set)).filter(|folded| !folded.is_empty());
    let first = others.first().map(|node| match others.len() {
        1 => node.mac.to_string(),
        count => format!("{} and {} more without a number", node.mac, count - 1),
    });
    let who: Vec<_> = folded.into_iter().chain(first).collect();
    (!who.is_empty()).then(|| who.join(", "))
}

/// What is told of an interface that is gone, or cannot be served for this reason.
pub(crate) fn gone(interface: &str, why: Option<&str>) -> String {
    match why {
        None => format!("{interface} is gone: nobody there is answered until it is back"),
        Some(why) => {
            format!(
                "{interface} cannot be served, and is tried again every second: nobody there is answered: {why}"
            )
        }
    }
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
    if let Some(mac) = typed::mac(turn, name) {
        return turn.hall.nodes.get(mac);
    }
    if let Ok(address) = name.parse::<Ipv4Addr>() {
        return turn.hall.nodes.get(turn.machine_at(address)?);
    }
    let number = name.parse().ok().or_else(|| turn.hall.directory.number(&typed::label(turn, name)))?;
    turn.hall.nodes.get(turn.hall.nodes.holder(number)?)
}

fn row(turn: &Turn<'_>, wall: Wall, node: &Node) -> NodeView {
    let here = node.network.and_then(|place| turn.config.networks.get(place));
    // Where it is, it cannot have the address of its number, and elsewhere it is not.
    let is_elsewhere = node.grants.until().is_none() && turn.elsewhere(node).is_some();
    let number = node.number.filter(|_| !is_elsewhere);
    // Whichever of its cards asked last: its address is the one that its name has.
    let own = number.and_then(|number| Some(&turn.config.networks[turn.own_network(node, number)?]));
    let network = here.map(|here| own.unwrap_or(here));
    let standing = node.orders.standing.as_ref();
    NodeView {
        number: node.number,
        name: node.number.map(|number| turn.name(number)),
        mac: node.mac.to_string(),
        address: own.zip(number).and_then(|(own, number)| own.numbering.address(number)),
        temporary_address: node
            .cards()
            .flat_map(|card| turn.hall.leases.of(card))
            .find(|(_, lease)| lease.recorded)
            .map(|(address, _)| address),
        network: network.map(|network| network.interface.clone()).unwrap_or_default(),
        state: node.state().into(),
        phase: node.phase.filter(|_| standing.is_none()).map(|phase| phase.to_string()),
        since: wall.stamp(turn.now, since(node).at()),
        since_unknown: !since(node).is_known(),
        reason: standing.map_or_else(|| node.reason.clone(), ToString::to_string),
        waiting_for: trial::waiting_for(turn, node).or_else(|| waiting::waiting_for(turn, node)),
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
        true => format!("for {}", span(turn.now.since(since(node).at()))),
        false => "since before this server started".into(),
    };
    let mut summary = format!("{who} is {}{phase} {how_long}: {}", view.state, view.reason);
    if node.orders.standing.is_some() {
        summary += &format!("; it was {}", node.stage);
    }
    if node.is_only_named() {
        summary += match node.boot.is_resumed {
            true => {
                "; it is no node as far as is known: it was not heard to ask to boot from the network since this server started"
            }
            false => "; it is no node yet: it has not asked to boot from the network",
        };
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
    let troubles = trial::troubles(node);
    let says = |what: &String| troubles.iter().any(|trouble| trouble.contains(what.as_str()));
    let misplaced = misplaced(turn, node).map(|trouble| trouble.what).filter(|what| !says(what));
    let beside = node.beside.values().map(|trouble| &trouble.what).filter(|what| !says(what));
    for trouble in misplaced.iter().chain(&troubles).chain(beside) {
        summary += &format!("; {trouble}");
    }
    if let Some(vain) = node.boots_in_vain(turn.now) {
        let is_told = |what: &str| summary.contains(what);
        let is_booting = node.stage.is_booting() || node.stage == Stage::Testing;
        let told = vain.told(turn.now, is_booting, is_told);
        summary += &told.map(|told| format!("; {told}")).unwrap_or_default();
    }
    if let Some(deaf) = unheard::deaf(turn, wall, node) {
        summary += &format!("; {deaf}");
    }
    if let Some(Trouble { what, .. }) = turn.misaddressed(node) {
        summary += &format!("; {what}");
    }
    if let Some(Trouble { what, .. }) = turn.without_its_profile(node) {
        summary += &format!("; {what}");
    }
    let unnumbered = unnumbered::trouble(turn, node).map(|trouble| trouble.what);
    if let Some(what) = unnumbered.filter(|what| !summary.contains(what.as_str())) {
        summary += &format!("; it gets no number: {what}");
    }
    // Whoever has a number is called by that.
    let lent =
        node.cards().flat_map(|card| turn.hall.leases.of(card).map(move |(address, _)| (card, address)));
    let mut in_vain = lent.filter_map(|(card, address)| turn.called_in_vain(card, address));
    if let Some(said) = in_vain.next().filter(|_| node.number.is_none()) {
        summary += &format!("; {said}");
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
        last_asked_at: node.asked_at.map(|at| wall.stamp(turn.now, at)),
        last_told: node.told.as_deref().map(String::from),
        last_told_at: node.told_at.map(|at| wall.stamp(turn.now, at)),
        to_do: trial::to_do(node, waiting::to_do(turn, wall, node)),
        history: history(turn, wall, node),
        trials: trial::trials(node),
        last_end: trial::last_end(node),
    }
}

fn history(turn: &Turn<'_>, wall: Wall, node: &Node) -> Vec<EventView> {
    let event = |(time, event, detail): (_, _, &str)| EventView {
        time: wall.stamp(turn.now, time),
        event,
        detail: detail.to_owned(),
    };
    node.history.iter().map(event).collect()
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
