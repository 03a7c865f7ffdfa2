//! Whether a system runs: its agent says so now and then, and says why it ends. A node whose agent said that it will, and falls silent, is down.
//!
//! A thousand check-ins write nothing: they only move the moment at which a silence is one.

use super::{error, identity};
use crate::cluster::last_end::LastEnd;
use crate::cluster::node::Node;
use crate::cluster::stage::{Stage, Step};
use crate::config::Mode;
use crate::event::Kind;
use crate::hall::{Due, Turn};
use crate::mac::Mac;
use crate::message::Answer;
use serde::Deserialize;
use serde_json::{Value, json};
use std::net::Ipv4Addr;

/// The body of `POST {heorot}/up`; an old agent's is empty.
#[derive(Default, Deserialize)]
struct Said {
    /// Whether it will say so again, as often as it is told.
    #[serde(default)]
    checks_in: bool,
}

/// The agent says that the system runs: what it is told beside who it is.
pub(super) fn heard(turn: &mut Turn<'_>, mac: Mac, body: &[u8]) -> Vec<(&'static str, Value)> {
    let Said { checks_in } = serde_json::from_slice(body).unwrap_or_default();
    let now = turn.now;
    let Some(node) = turn.hall.nodes.get_mut(mac) else { return Vec::new() };
    node.checked_in = Some(now);
    let is_news = std::mem::replace(&mut node.boot.checks_in, checks_in) != checks_in;
    // Otherwise that is recorded with the stage.
    if is_news && node.stage == Stage::Up {
        turn.keep_boot(mac);
    }
    if !checks_in {
        return Vec::new();
    }
    watch(turn, mac);
    vec![("check_in_seconds", json!(turn.config.check_in.interval.as_secs()))]
}

/// A system runs at its permanent address. If nothing is known of the lease by which it has that, whatever another of its cards has, it was granted before a restart, for a time that the configuration may have made shorter since, and has not run out later than this: if its agent does not check in,
/// it tells when the node is down.
pub(super) fn has_lease(turn: &mut Turn<'_>, mac: Mac, from: Ipv4Addr) {
    let has_term = |node: &Node| node.grants.at(turn.now, from).is_some() || node.boot.is_bootp;
    if turn.hall.nodes.get(mac).is_none_or(has_term) {
        return;
    }
    let mut serving =
        (0..turn.config.networks.len()).filter(|place| turn.config.networks[*place].mode == Mode::Serve);
    let Some(place) = serving.find(|place| turn.permanent_address(mac, *place) == Some(from)) else { return };
    let until = turn.now + turn.longest_lease(place);
    if let Some(node) = turn.hall.nodes.get_mut(mac) {
        let card = node.present();
        node.grants.grant(turn.now, from, card, Some(until));
        turn.hall.timers.arm(until, Due::Grant(node.mac));
    }
}

/// The agent says that its system ends, or how the one before did.
pub(super) fn ended(turn: &mut Turn<'_>, mac: Mac, body: &[u8]) -> Answer {
    let Some(end) = LastEnd::parse(body, turn.calendar_seconds()) else {
        return error(400, "not {\"reason\": \"…\", \"last_words\": \"…\"}");
    };
    let reason = end.reason.clone();
    let Some(node) = turn.hall.nodes.get_mut(mac) else { return error(404, "no such node") };
    let stage = node.stage;
    node.last_end = Some(Box::new(end));
    node.asks(turn.now, "to be known as down, by its agent");
    if stage == Stage::Up {
        turn.step(mac, Step::Left, &format!("its agent says: {reason}"));
    } else {
        turn.event(Some(mac), Kind::Agent, format!("its agent says how its last system ended: {reason}"));
        turn.keep_boot(mac);
    }
    Answer::Json(200, identity(turn, mac, &[]))
}

/// The moment has come at which a silence would be one.
pub(crate) fn silence_due(turn: &mut Turn<'_>, mac: Mac) {
    let Some(node) = turn.hall.nodes.get(mac) else { return };
    let Some(last) = node.checked_in.filter(|_| node.stage == Stage::Up && node.boot.checks_in) else {
        return;
    };
    let down_after = turn.config.check_in.down_after;
    if turn.now.since(last) < down_after {
        turn.hall.timers.arm(last + down_after, Due::Silence(mac));
        return;
    }
    let reason = format!("it fell silent: its agent said nothing for {} s", down_after.as_secs());
    turn.falls_silent(mac, &reason);
}

/// After a restart: who was up and checked in has as long again.
pub(crate) fn watch_again(turn: &mut Turn<'_>, mac: Mac) {
    let now = turn.now;
    let Some(node) = turn.hall.nodes.get_mut(mac).filter(|node| node.boot.checks_in) else { return };
    node.checked_in = Some(now);
    watch(turn, mac);
}

fn watch(turn: &mut Turn<'_>, mac: Mac) {
    turn.hall.timers.arm(turn.now + turn.config.check_in.down_after, Due::Silence(mac));
}
