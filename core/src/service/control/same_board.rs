//! A machine whose network card was exchanged is somebody new by its hardware address, and gets a number of its own. Which node it was is seen by what else is known of both: what their trials found, and the port of
//! the relay by which they ask.

use crate::cluster::node::{Node, Trouble};
use crate::cluster::stage::Stage;
use crate::event::Kind;
use crate::hall::Turn;
use crate::limit::HOLD_AFTER_LIFE;
use crate::time::Time;
use crate::wire::dhcp::relay;
use serde_json::Value;

/// That a machine may be a node that is not heard any more, and how it becomes that.
pub(super) fn trouble(turn: &Turn<'_>, node: &Node) -> Option<Trouble> {
    let (other, by) = by_board(turn, node).or_else(|| by_port(turn, node))?;
    let number = other.number?;
    let (name, mac) = (turn.name(number), node.mac);
    let gone = match other.stage {
        Stage::Down => "which is down",
        Stage::Seen
        | Stage::Temporary
        | Stage::Testing
        | Stage::Failed
        | Stage::Ready
        | Stage::Booting
        | Stage::Up => "of which nothing was heard since",
    };
    let exchange = if turn.hall.listed.has_number(number) {
        format!("put {mac} into its [[node]], and reload")
    } else if other.stage == Stage::Down {
        format!("heorot node number {mac} {number}")
    } else {
        format!("heorot node retire {name}, and then heorot node number {mac} {number}")
    };
    Some(Trouble {
        what: format!("{by} of {name} ({}), {gone}", other.mac),
        to_do: Some(format!("if it is {name} with another network card: {exchange}")),
    })
}

/// The node of which the same was found, and of no third one: makers who leave all boards alike say nothing by it.
fn by_board<'t>(turn: &'t Turn<'_>, node: &Node) -> Option<(&'t Node, String)> {
    let find = |fact: &str, what: &str| {
        let own = telling(node, fact)?;
        let is_same = |other: &&Node| telling(other, fact).is_some_and(|said| said.eq_ignore_ascii_case(own));
        let other = the_only(turn.hall.nodes.iter().filter(|other| other.mac != node.mac).filter(is_same))?;
        let by = format!("it has {what} {}, as its trial found, which is that", own.escape_default());
        is_gone(turn, other, node).then_some((other, by))
    };
    find("serial", "the serial number").or_else(|| find("uuid", "the UUID"))
}

/// The node that is down and was at the same port of a switch, and no third machine was: a relay may say of all the same.
fn by_port<'t>(turn: &'t Turn<'_>, node: &Node) -> Option<(&'t Node, String)> {
    let own = place(turn, node)?;
    let is_there = |other: &&Node| place(turn, other).is_some_and(|place| place == own);
    let other = the_only(turn.hall.nodes.iter().filter(|other| other.mac != node.mac).filter(is_there))?;
    // Where a relay says the same of all of them, a node that is not new is beside it.
    let last = last_word(turn, other);
    let is_number_new =
        || node.history.iter().any(|(at, kind, _)| kind == Kind::Number && last.is_none_or(|last| at > last));
    let is_new = node.number.is_none() || is_number_new();
    (other.stage == Stage::Down && is_new)
        .then_some((other, "it asks by a port of its relay that was that".into()))
}

/// Where it asked last: the circuit, and what else its relay says.
fn place<'t>(turn: &'t Turn<'_>, node: &Node) -> Option<(&'t [u8], Option<&'t [u8]>)> {
    let latest = node.cards().filter_map(|card| turn.hall.heard.get(card)).max_by_key(|said| said.at)?;
    let (circuit, remote) = relay::place(latest.relay_of_node());
    Some((circuit?, remote))
}

fn the_only<'t>(mut nodes: impl Iterator<Item = &'t Node>) -> Option<&'t Node> {
    nodes.next().filter(|_| nodes.next().is_none())
}

/// Whether nothing was heard of a node since another machine is as it is.
fn is_gone(turn: &Turn<'_>, node: &Node, since: &Node) -> bool {
    let last = last_word(turn, node);
    let is_silent =
        last.is_none_or(|at| at < since.since.by_clock() && turn.now.since(at) >= HOLD_AFTER_LIFE);
    node.stage == Stage::Down || is_silent
}

/// When a node was heard last, as far as is known.
fn last_word(turn: &Turn<'_>, node: &Node) -> Option<Time> {
    turn.heard_last(node).into_iter().chain(node.asked_at).chain(node.checked_in).max()
}

/// What a trial found, if it tells one board from others.
fn telling<'n>(node: &'n Node, fact: &str) -> Option<&'n str> {
    let said = node.facts.get(fact).and_then(Value::as_str)?.trim();
    tells(said).then_some(said)
}

/// Whether a text is none of those that makers write who write nothing.
fn tells(text: &str) -> bool {
    const NOTHING: [&str; 8] =
        ["o.e.m", "default", "specified", "none", "unknown", "not available", "serial", "invalid"];
    /// Of all boards whose maker took the sample for it.
    const OF_SAMPLE: &str = "03000200-0400-0500-0006-000700080009";
    let small = text.to_ascii_lowercase();
    let letters = || small.bytes().filter(u8::is_ascii_alphanumeric);
    let Some(first) = letters().next() else { return false };
    let is_one_letter = letters().all(|letter| letter == first);
    let is_counted = ["0123456789abcdef", "1234567890"].iter().any(|counted| counted.contains(&small));
    !is_one_letter && !is_counted && small != OF_SAMPLE && !NOTHING.iter().any(|word| small.contains(word))
}

#[cfg(test)]
mod tests;
