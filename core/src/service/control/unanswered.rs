//! What operators see of hosts that are no nodes and have no address.

use crate::cluster::lease::{PoolId, PoolKind};
use crate::cluster::node::Trouble;
use crate::cluster::unanswered::Host;
use crate::config::{Mode, Network};
use crate::hall::Turn;
use crate::limit::STRANGE_RELAYS_SHOWN_MAX;
use crate::mac::Mac;
use crate::service::view::{ExplainView, NodeView, UnansweredView};
use crate::time::{Wall, span};

/// How many there are, and who asked last.
pub(super) fn status(turn: &Turn<'_>, wall: Wall) -> Option<UnansweredView> {
    let (mac, host) = turn.hall.unanswered.last()?;
    Some(UnansweredView {
        hosts: turn.hall.unanswered.count() as u64,
        last: mac.to_string(),
        last_asked: wall.stamp(turn.now, host.last),
        why: turn.no_address(host.place, host.why).what,
    })
}

/// Ranges of which no address is left for whoever asks next. What is merely offered gives way, and one that has room serves all of its link.
pub(super) fn full_ranges(turn: &Turn<'_>) -> Vec<String> {
    let full = |id: &PoolId| {
        let held = turn.hall.leases.held(*id);
        held.is_some_and(|held| {
            held.size > 0 && held.lent + held.quarantined + held.probed + held.kept >= held.size
        })
    };
    let told = |id: PoolId| {
        let Trouble { what, to_do } = turn.none_left(id);
        to_do.map_or_else(|| what.clone(), |to_do| format!("{what}; {to_do}"))
    };
    let served = turn.config.networks.iter().enumerate().filter(|(_, network)| network.mode == Mode::Serve);
    let ranges = served
        .flat_map(|(network, _)| [PoolKind::Temporary, PoolKind::Guest].map(|kind| PoolId { network, kind }));
    let networks = &turn.config.networks;
    let has_room = |id: &PoolId| turn.hall.leases.held(*id).is_some_and(|held| held.size > 0) && !full(id);
    let is_one_link = |one: &Network, other: &Network| {
        one.on_link && other.on_link && one.interface == other.interface && other.mode == Mode::Serve
    };
    let is_helped = |id: &PoolId| {
        let beside = (0..networks.len()).filter(|p| is_one_link(&networks[id.network], &networks[*p]));
        beside.map(|network| PoolId { network, ..*id }).any(|id| has_room(&id))
    };
    ranges.filter(full).filter(|id| !is_helped(id)).map(told).collect()
}

/// Relays that are in no network: a line each for those that ask most, and one for all others.
pub(super) fn strange_relays(turn: &Turn<'_>) -> Vec<String> {
    let recent = turn.hall.strange_relays.recent(turn.now);
    let shown = recent.iter().take(STRANGE_RELAYS_SHOWN_MAX).map(|(selected, relay)| relay.told(*selected));
    let more = recent.len().saturating_sub(STRANGE_RELAYS_SHOWN_MAX);
    let rest = (more > 0).then(|| format!("{more} more relays ask for hosts and are in no [[network]]"));
    shown.chain(rest).collect()
}

/// One of them, by its hardware address.
pub(super) fn explain(turn: &Turn<'_>, wall: Wall, mac: Mac) -> Option<ExplainView> {
    let host = turn.hall.unanswered.get(mac)?;
    let Trouble { what, to_do } = turn.no_address(host.place, host.why);
    let asked = asked(turn, host);
    let view = NodeView {
        network: network(turn, host.place),
        since: wall.stamp(turn.now, host.first),
        reason: what.clone(),
        ..nobody(mac.to_string(), "unanswered")
    };
    let summary = format!("{mac} is no node and has no address: {asked}; {what}");
    Some(ExplainView { to_do, ..explained(view, summary) })
}

/// How often a host asked, and when.
pub(super) fn asked(turn: &Turn<'_>, host: &Host) -> String {
    let [within, ago] = [host.first, host.last].map(|then| span(turn.now.since(then)));
    let times = if host.count == 1 { "once".into() } else { format!("{} times in {within}", host.count) };
    format!("it asked {times}, last {ago} ago")
}

/// The interface of a network.
pub(super) fn network(turn: &Turn<'_>, place: usize) -> String {
    turn.config.networks.get(place).map(|network| network.interface.clone()).unwrap_or_default()
}

/// The row of a host of which nothing else is known.
pub(super) fn nobody(mac: String, state: &str) -> NodeView {
    NodeView {
        number: None,
        name: None,
        mac,
        address: None,
        temporary_address: None,
        network: String::new(),
        state: state.into(),
        phase: None,
        since: String::new(),
        since_unknown: false,
        reason: String::new(),
        waiting_for: None,
        profile: String::new(),
    }
}

/// What is said of who has no history.
pub(super) fn explained(node: NodeView, summary: String) -> ExplainView {
    ExplainView {
        node,
        summary,
        last_asked: None,
        last_asked_at: None,
        last_told: None,
        last_told_at: None,
        to_do: None,
        history: Vec::new(),
        trials: Vec::new(),
        last_end: None,
    }
}
