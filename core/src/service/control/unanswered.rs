//! What operators see of hosts that are no nodes and have no address.

use super::find;
use crate::cluster::node::Trouble;
use crate::hall::Turn;
use crate::mac::Mac;
use crate::service::view::{ExplainView, NodeView, UnansweredView};
use crate::time::Wall;

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

/// One of them, by its hardware address. None: it is a node, or it was not heard.
pub(super) fn explain(turn: &Turn<'_>, wall: Wall, name: &str) -> Option<ExplainView> {
    let mac: Mac = name.parse().ok()?;
    let host = turn.hall.unanswered.get(mac).filter(|_| find(turn, name).is_none())?;
    let Trouble { what, to_do } = turn.no_address(host.place, host.why);
    let network = turn.config.networks.get(host.place);
    let [seconds, ago] = [host.first, host.last].map(|then| turn.now.since(then).as_secs());
    let times = if host.count == 1 { "once".into() } else { format!("{} times in {seconds} s", host.count) };
    let node = NodeView {
        number: None,
        name: None,
        mac: mac.to_string(),
        address: None,
        temporary_address: None,
        network: network.map(|network| network.interface.clone()).unwrap_or_default(),
        state: "unanswered".into(),
        phase: None,
        since: wall.stamp(turn.now, host.first),
        reason: what.clone(),
        waiting_for: None,
        profile: String::new(),
    };
    Some(ExplainView {
        node,
        summary: format!("{mac} is no node and has no address: it asked {times}, last {ago} s ago; {what}"),
        last_asked: None,
        last_told: None,
        to_do,
        history: Vec::new(),
        trials: Vec::new(),
        last_end: None,
    })
}
