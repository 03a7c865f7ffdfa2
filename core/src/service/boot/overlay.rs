//! The small files of a node: who may have which, and secrets but once a boot.
//!
//! A token stands on the kernel's command line, which every user of a node can read. Until its system starts there are no users, and nobody but its agent who could
//! ask: so secrets are given once in a boot, and not to a node that is up. That they were given is durable before they go. Until then nobody has them: a disk may take longer than an agent
//! waits for an answer, and its next request takes the place of the one that it has given up.

use super::{answer, error};
use crate::cluster::node::{Node, Trouble};
use crate::cluster::plan::Plan;
use crate::cluster::secrets::Given;
use crate::cluster::stage::Stage;
use crate::config::Overlays;
use crate::event::{self, Kind};
use crate::hall::Turn;
use crate::mac::Mac;
use crate::message::{Answer, NodeFiles, Output, Request};
use crate::promise::Promise;
use crate::time::{Time, Wall};
use serde_json::{Value, json};

/// What the agent is told beside who it is: whether there is something to fetch.
pub(super) fn told(plan: Option<&Plan>) -> Vec<(&'static str, Value)> {
    let Some(overlays) = plan.map(|plan| &plan.overlays) else { return Vec::new() };
    let has = [("overlay", !overlays.open.is_empty()), ("secrets", overlays.have_secrets())];
    has.into_iter().filter(|(_, has)| *has).map(|(key, _)| (key, json!(true))).collect()
}

/// The agent fetches what its users may read too.
pub(super) fn open(turn: &mut Turn<'_>, request: &Request, mac: Mac) {
    let Some(plan) = turn.plan(mac).filter(|plan| !plan.overlays.open.is_empty()) else {
        return answer(turn, request, error(404, "this node has no overlays"));
    };
    let overlays = Overlays { open: plan.overlays.open.clone(), ..Overlays::default() };
    turn.refresh_host_keys();
    let said = match turn.node_files(mac, (request.from, request.local), &plan, overlays) {
        Some(files) => Answer::Files(Box::new(files)),
        None => error(409, NO_NUMBER),
    };
    answer(turn, request, said);
}

/// The agent fetches what nobody else may have.
pub(super) fn secrets(turn: &mut Turn<'_>, request: &Request, mac: Mac) {
    let Some(plan) = turn.plan(mac).filter(|plan| plan.overlays.have_secrets()) else {
        return answer(turn, request, error(404, "this node has no secrets"));
    };
    let given = turn.hall.nodes.get(mac).and_then(|node| node.boot.secrets.clone());
    let waits = given.filter(|given| turn.hall.promises.waiting_secrets(mac, given.at).is_some());
    if let Some(why) = turn.hall.nodes.get(mac).filter(|_| waits.is_none()).and_then(refusal) {
        refuse(turn, request, mac, &why);
        return answer(turn, request, error(403, &why));
    }
    let overlays = Overlays { open: Vec::new(), ..plan.overlays.clone() };
    turn.refresh_host_keys();
    let Some(mut files) = turn.node_files(mac, (request.from, request.local), &plan, overlays) else {
        return answer(turn, request, error(409, NO_NUMBER));
    };
    if let Some(given) = waits {
        files.given = Some(given.at);
        return ask_again(turn, request, mac, (given, files));
    }
    let given = Given { to: request.from, at: turn.now, at_seconds: turn.calendar_seconds() };
    files.given = Some(turn.now);
    if let Some(node) = turn.hall.nodes.get_mut(mac) {
        node.boot.secrets = Some(given);
    }
    turn.keep_secrets(mac);
    turn.promise(Promise::Secrets { mac, id: request.id, given: turn.now, files: Box::new(files) });
}

/// It is not durable yet that they are given. They are for who asked first, by the last of his requests.
fn ask_again(turn: &mut Turn<'_>, request: &Request, mac: Mac, (given, files): (Given, NodeFiles)) {
    let waiting = turn.hall.promises.waiting_secrets(mac, given.at);
    let mut in_vain = request.id;
    if let Some((id, wanted)) = waiting.filter(|_| given.to == request.from) {
        in_vain = std::mem::replace(id, request.id);
        **wanted = files;
    }
    turn.out.push(Output::Reply(in_vain, error(503, GIVEN_JUST_NOW)));
}

/// Nobody has them, as they could not be made, or as whoever asked had gone: the agent may ask again.
pub(crate) fn not_made(turn: &mut Turn<'_>, mac: Mac, given: Option<Time>, why: Option<&str>) {
    if let Some(given) = given {
        turn.take_back_secrets(mac, given);
        turn.keep_secrets(mac);
    }
    let Some(why) = why else {
        let what = "nobody waited for its files any more when they were to be sent: its agent may ask again";
        return turn.event(Some(mac), Kind::Agent, what);
    };
    let why = event::printable(why, NOT_MADE_LETTERS_MAX);
    let who = turn.hall.nodes.get(mac).and_then(|node| node.number).map(|number| turn.name(number));
    let to_do = format!("mend it, and see: heorot overlay show {}", who.unwrap_or_else(|| mac.to_string()));
    turn.trouble(mac, format!("its files cannot be made: {why}"), Some(to_do));
}

/// Why a node does not get its secrets now.
fn refusal(node: &Node) -> Option<String> {
    if let Some(Given { to, at_seconds, .. }) = &node.boot.secrets {
        let when = at_seconds.map(|seconds| format!(", at {}", written(seconds))).unwrap_or_default();
        return Some(format!("the secrets of this boot were fetched already, by {to}{when}"));
    }
    if let Some(standing) = &node.orders.standing {
        return Some(format!("it has no secrets now: {standing}"));
    }
    match node.stage {
        Stage::Up | Stage::Down => {
            Some("its system runs, or ran: secrets are given before that starts".into())
        }
        Stage::Seen | Stage::Temporary | Stage::Testing | Stage::Failed | Stage::Ready | Stage::Booting => {
            None
        }
    }
}

/// It stands in `explain`, and is told once a boot: nobody shall be able to fill that.
fn refuse(turn: &mut Turn<'_>, request: &Request, mac: Mac, why: &str) {
    let Some(node) = turn.hall.nodes.get_mut(mac) else { return };
    if node.boot.refused_secrets.is_some() {
        return;
    }
    let what = format!("{} asked for its secrets, and was refused: {why}", request.from);
    node.boot.refused_secrets =
        Some(Box::new(Trouble { what: what.clone(), to_do: Some(TO_DO_WHEN_REFUSED.into()) }));
    turn.event_told_seldom(mac, Kind::Trouble, what);
}

/// A moment as people read it.
fn written(seconds: u64) -> String {
    let now = Time::from_nanoseconds(0);
    Wall(seconds.saturating_mul(1_000_000_000)).stamp(now, now)
}

const TO_DO_WHEN_REFUSED: &str = "if its agent has them, a user of the node asked; else somebody was before it: switch the node off and on, and replace what was secret";

const GIVEN_JUST_NOW: &str = "the secrets of this boot are just being given: ask again";

const NO_NUMBER: &str = "this machine has no number yet";

/// Letters of what is wrong with a template: its path, line and reason.
const NOT_MADE_LETTERS_MAX: usize = 400;
