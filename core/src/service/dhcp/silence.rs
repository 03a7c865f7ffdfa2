//! A client gets no answer, and somebody is to know why.

use super::choice::is_numbered_at_request;
use super::client::Client;
use super::who;
use crate::cluster::lease::{PoolId, PoolKind};
use crate::cluster::node::Trouble;
use crate::cluster::trouble::Beside;
use crate::cluster::unanswered::Why;
use crate::event::Kind;
use crate::hall::Turn;
use crate::limit::QUARANTINE;

/// No address is left for it, or there are none for hosts that are no nodes.
pub(super) fn silence(turn: &mut Turn<'_>, client: &Client, is_node: bool) {
    if is_node {
        let kind = match is_numbered_at_request(turn, client) {
            true => PoolKind::Number,
            false => PoolKind::Temporary,
        };
        let Trouble { what, to_do } = turn.none_left(PoolId { network: client.place, kind });
        return turn.trouble_beside(client.mac, Beside::NoAddress, format!("no answer: {what}"), to_do);
    }
    // It has nothing to go on with, and says that it has no address: whoever is to have the one that it had as a host, before the configuration was another, need not wait for it.
    if client.is_of_the_system {
        turn.leave_former(client.mac, client.place, false);
    }
    let has_range = turn.config.networks[client.place].guests.is_some();
    let why = match who::waits_for(turn, client) {
        Some((address, _)) => Why::Former(address),
        None if has_range => Why::NoneLeft,
        None => Why::NoRange,
    };
    note(turn, client, why);
}

/// Keeps that a host that is no node has no address, and tells the journal of it now and then.
pub(super) fn note(turn: &mut Turn<'_>, client: &Client, why: Why) {
    if !turn.hall.unanswered.note(turn.now, client.mac, client.place, why) {
        return;
    }
    let Trouble { what, to_do } = turn.no_address(client.place, why);
    let to_do = to_do.map(|to_do| format!("; {to_do}")).unwrap_or_default();
    let mac = client.mac;
    turn.event(None, Kind::Trouble, format!("{mac} has no address{}: {what}{to_do}", client.describe()));
}

/// Lets a client have no answer where the operator wants it so, by a `[[host]]` or a `[[class]]`: it is kept that it asked, and the journal hears of it now and then. False: it is to have one.
pub(super) fn ignore(turn: &mut Turn<'_>, client: &Client) -> bool {
    let mac = client.mac;
    let Some(why) = client.meant.ignored_by(turn) else {
        turn.hall.ignored.forget(mac);
        return false;
    };
    if turn.hall.ignored.note(turn.now, mac, client.place, why) {
        let Trouble { what, .. } = turn.no_address(client.place, why);
        turn.event(
            Some(mac),
            Kind::Operator,
            format!("it asks{}, and gets no answer: {what}", client.describe()),
        );
    }
    true
}

/// Lets a node have no answer that an operator has denied: that it asked is told once, as long as it asks for the same. False: it is to have one.
pub(super) fn turn_away(turn: &mut Turn<'_>, client: &Client) -> bool {
    // It asks as nodes do, and is one when it is accepted.
    let is_node = client.firmware.is_some() && client.meant.host(turn).is_none();
    let Some(node) = turn.hall.nodes.get_mut(client.mac).filter(|node| node.orders.are_to_ignore()) else {
        return false;
    };
    node.is_named &= !is_node;
    let standing = node.orders.standing.as_ref().map(ToString::to_string).unwrap_or_default();
    let asked = format!("an address{}, and got no answer: {standing}", client.describe());
    node.asked_at = Some(turn.now);
    if node.asked.as_deref() != Some(&asked) {
        node.asks(turn.now, asked.as_str());
        turn.event(Some(client.mac), Kind::Operator, format!("it asks for {asked}"));
    }
    true
}

/// It has got one, or will get one.
pub(super) fn ends(turn: &mut Turn<'_>, client: &Client) {
    let Some(host) = turn.hall.unanswered.get(client.mac) else { return };
    let is_over = match host.why {
        Why::NoRange
        | Why::NoBootp
        | Why::NoneLeft
        | Why::Former(_)
        | Why::IgnoredClass(_)
        | Why::IgnoredHost(_)
        | Why::NoNetwork
        | Why::StrangeRelay(_) => true,
        // It is offered something all the same: what it does with that, the next minutes tell.
        Why::Declines => turn.now.since(host.last) >= QUARANTINE,
    };
    if is_over {
        turn.hall.unanswered.forget(client.mac);
    }
}
