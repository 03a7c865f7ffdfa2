//! What follows from a trial's report: a number, another try, an operator's word. And who is to be tried.

use super::printable;
use crate::cluster::heard::Said;
use crate::cluster::node::{Boot, Node, Trouble};
use crate::cluster::orders::Exclusion;
use crate::cluster::plan::Plan;
use crate::cluster::stage::{Phase, Stage, Step};
use crate::cluster::trial::{self, Outcome, Report, Verdict};
use crate::config::{Check, CheckKind, Policy};
use crate::event::Kind;
use crate::hall::Turn;
use crate::limit::MACS_PER_NODE_MAX;
use crate::mac::Mac;
use crate::promise::Promise;
use crate::wire::dhcp::relay;
use serde_json::{Value, json};
use std::time::Duration;

/// Judges the report of a machine without a number: why it gets one, if it does. What was reported is kept.
///
/// The agent is told when to try again. A failure that is reported before then is one whose answer was lost, and counts once.
pub(super) fn judge(turn: &mut Turn<'_>, mac: Mac, report: &Report) -> Option<String> {
    let verdict = report.verdict(&turn.config.trial.checks);
    let node = turn.hall.nodes.get(mac)?;
    let may_go_on = matches!(verdict.outcome, Outcome::Passed | Outcome::Degraded);
    let is_its_turn = match may_go_on {
        true => !is_told_again(turn, node, verdict.outcome),
        false => is_to_be_tried(turn, node),
    };
    if is_its_turn {
        keep(turn, mac, report, &verdict);
    }
    let earned = earned(verdict.outcome, &verdict.why);
    match verdict.outcome {
        Outcome::Passed | Outcome::Degraded => {}
        Outcome::Failed => failed(turn, mac, verdict.why),
        Outcome::Held => held(turn, mac, &verdict.why),
    }
    earned
}

/// The report of a node that has its number and was degraded: it may lack less by now, or more.
pub(super) fn judge_again(turn: &mut Turn<'_>, mac: Mac, report: &Report) {
    let Some(node) = turn.hall.nodes.get(mac).filter(|node| is_to_try_again(node)) else { return };
    let before = node.lacks().map(str::to_owned);
    let mut verdict = report.verdict(&turn.config.trial.checks);
    // It has its number: what it lacks is told, and nothing else follows.
    verdict.outcome = verdict.outcome.min(Outcome::Degraded);
    keep(turn, mac, report, &verdict);
    let lacks = turn.hall.nodes.get(mac).and_then(Node::lacks).map(str::to_owned);
    match (lacks, before) {
        (None, _) => turn.event(Some(mac), Kind::Check, "it lacks nothing any more"),
        (Some(lacks), Some(before)) if lacks == before => {}
        (Some(lacks), _) => turn.event(Some(mac), Kind::Trouble, format!("degraded: {lacks}")),
    }
}

/// Takes in cards of a machine that were met before its trial saw them in it: each was taken for a machine of its own, which got no number. One whose agent runs is another machine.
pub(super) fn take_in(turn: &mut Turn<'_>, mac: Mac, cards: &[Mac]) {
    for card in cards.iter().filter(|card| **card != mac) {
        let is_idle = |node: &Node| {
            let was_met = matches!(node.stage, Stage::Seen | Stage::Temporary);
            node.mac == *card && was_met && node.phase != Some(Phase::Agent) && node.promised().is_none()
        };
        let has_room = |node: &Node| node.further_macs.len() < MACS_PER_NODE_MAX;
        if turn.hall.nodes.get(*card).is_some_and(is_idle) && turn.hall.nodes.get(mac).is_some_and(has_room) {
            turn.absorb(mac, *card, "as its trial has seen");
        }
    }
}

/// Gives a machine that passed its number, if there is one for it; else it says why not.
pub(super) fn give_number(turn: &mut Turn<'_>, mac: Mac, reason: String) {
    if waits_for_operator(turn, mac) {
        return;
    }
    // Whoever had the number that the configuration gives it may have left it meanwhile.
    turn.place_listed(mac);
    if turn.hall.nodes.get(mac).is_some_and(|node| node.number.is_some()) {
        return;
    }
    let listed = turn.hall.listed.get(turn.config, mac).is_some();
    let doubt =
        turn.hall.nodes.get(mac).and_then(|node| node.boot.doubt.as_deref().cloned()).filter(|_| !listed);
    if let Some(Trouble { what, to_do }) = doubt {
        turn.step(mac, Step::Unplaced, "it passed, and is not believed at which place it is");
        return turn.trouble_once(mac, format!("it passed the trial: {what}"), to_do);
    }
    let place = turn.hall.nodes.get(mac).and_then(|node| node.network);
    let may_have_one = turn.config.trial.order.numbers_strangers() || listed;
    let number = place.filter(|_| may_have_one).and_then(|place| turn.number_for(mac, place));
    match number {
        Some(number) if turn.hall.nodes.claim(mac, number) => {
            turn.keep_node(mac);
            turn.promise(Promise::Number { mac, reason, in_mid_boot: false });
        }
        _ if !may_have_one => {
            turn.step(mac, Step::Unplaced, "it passed, and is not listed");
            let Trouble { what, to_do } = not_listed(turn, mac);
            turn.trouble_once(mac, format!("it passed the trial and gets no number: {what}"), to_do);
        }
        _ => {
            turn.step(mac, Step::Unplaced, "it passed, and no number is free for it");
            let Trouble { what, to_do } = turn.no_number(mac, place);
            turn.trouble_once(mac, format!("it passed the trial and gets no number: {what}"), to_do);
        }
    }
}

/// A machine that passed and got no number asks what has become of it: what was in the way may be gone. Whether it gets one now.
pub(super) fn give_number_late(turn: &mut Turn<'_>, mac: Mac) -> bool {
    let Some(node) = turn.hall.nodes.get(mac) else { return false };
    let waits = node.stage == Stage::Temporary && node.boot.tries > 0 && node.promised().is_none();
    let Some(last) = node.trials.last().filter(|_| waits && node.orders.exclusion().is_none()) else {
        return false;
    };
    let Some(reason) = earned(last.outcome, &last.why) else { return false };
    give_number(turn, mac, reason);
    turn.hall.nodes.get(mac).is_some_and(|node| node.promised().is_some())
}

/// Why a machine with this outcome gets a number, if it does.
fn earned(outcome: Outcome, why: &str) -> Option<String> {
    match outcome {
        Outcome::Passed => Some("all checks passed".into()),
        Outcome::Degraded => Some(format!("degraded: {why}")),
        Outcome::Failed | Outcome::Held => None,
    }
}

/// Whether a machine that passed gets its number by an operator's word alone, and has not got it.
fn waits_for_operator(turn: &mut Turn<'_>, mac: Mac) -> bool {
    let Some(node) = turn.hall.nodes.get(mac) else { return false };
    let is_its_own = node.orders.accepted || turn.config.trial.policy != Policy::Accept;
    let (what, why) = match node.orders.exclusion() {
        Some(Exclusion::Held) => ("it passed, and is held", "an operator holds it"),
        Some(Exclusion::Denied | Exclusion::Retired) | None if is_its_own => return false,
        Some(Exclusion::Denied | Exclusion::Retired) | None => (
            "it passed, and waits for an operator",
            "trial.policy is \"accept\", and no operator has accepted it",
        ),
    };
    turn.step(mac, Step::Unplaced, what);
    let to_do = format!("heorot node accept {mac}");
    turn.trouble_once(mac, format!("it passed the trial and gets no number: {why}"), Some(to_do));
    true
}

/// Why a machine that nobody lists has no number, and what the operator can do.
fn not_listed(turn: &Turn<'_>, mac: Mac) -> Trouble {
    let said = turn.hall.heard.get(mac).and_then(Said::relay_of_node);
    turn.unlisted(mac, relay::place(said).0)
}

/// What an agent is told about trials beside the checks: nothing, if all is as ever.
pub(super) fn told(turn: &Turn<'_>, node: &Node) -> Vec<(&'static str, Value)> {
    if node.number.or(node.claim).is_some() {
        return if is_to_try_again(node) { vec![("try", json!(true))] } else { Vec::new() };
    }
    // One that waits for an operator, and one that passed and waits for a number.
    if node.stage == Stage::Temporary && node.boot.tries > 0 {
        return vec![("try", json!(false))];
    }
    if node.stage != Stage::Failed {
        return Vec::new();
    }
    if node.boot.tries > turn.config.trial.retry.retries {
        return vec![("try", json!(false))];
    }
    match until_next_try(turn, node) {
        Duration::ZERO => Vec::new(),
        wait => vec![("try", json!(false)), ("again_seconds", json!(wait.as_secs().max(1)))],
    }
}

/// The checks as the agent is told them: what it fetches has a name.
pub(super) fn checks(turn: &Turn<'_>, plan: Option<&Plan>) -> Value {
    let file = plan.map(|plan| plan.initrd.first().unwrap_or(&plan.kernel).clone());
    let told = |check: &Check| {
        let mut check = check.clone();
        if check.kind == CheckKind::Bandwidth && check.file.is_none() {
            check.file = file.clone();
        }
        json!(check)
    };
    turn.config.trial.checks.iter().map(told).collect()
}

/// The checks are others: who failed before is tried again.
pub(crate) fn try_anew(turn: &mut Turn<'_>) {
    let failed: Vec<_> = turn.hall.nodes.iter().filter(|node| node.stage == Stage::Failed).collect();
    let failed: Vec<_> = failed.into_iter().map(|node| node.mac).collect();
    for mac in failed {
        if let Some(node) = turn.hall.nodes.get_mut(mac) {
            (node.boot.tries, node.boot.tried) = (0, None);
        }
    }
}

/// Whether it is this machine's turn: it was not tried in this boot, or may be tried again now.
fn is_to_be_tried(turn: &Turn<'_>, node: &Node) -> bool {
    let Boot { tries, .. } = node.boot;
    let may_be_again =
        tries <= turn.config.trial.retry.retries && until_next_try(turn, node) == Duration::ZERO;
    tries == 0 || (may_be_again && !node.waits_by_trial())
}

/// Whether a good report only repeats the last one.
fn is_told_again(turn: &Turn<'_>, node: &Node, outcome: Outcome) -> bool {
    let is_same = node.trials.last().is_some_and(|last| last.outcome == outcome);
    is_same && node.boot.tries > 0 && until_next_try(turn, node) > Duration::ZERO
}

/// How long a machine that failed has to wait; nothing, if it was tried before a restart.
fn until_next_try(turn: &Turn<'_>, node: &Node) -> Duration {
    let waited = node.boot.tried.map(|tried| turn.now.since(tried));
    waited.map_or(Duration::ZERO, |waited| turn.config.trial.retry.after.saturating_sub(waited))
}

/// A node that lacks something is tried once in each boot.
fn is_to_try_again(node: &Node) -> bool {
    node.number.is_some() && node.lacks().is_some() && node.boot.tries == 0
}

/// Takes a trial into the machine's history, and tells the journal what each check found.
fn keep(turn: &mut Turn<'_>, mac: Mac, report: &Report, verdict: &Verdict) {
    let is_first = turn.hall.nodes.get(mac).is_some_and(|node| node.boot.tries == 0);
    for check in report.checks.iter().filter(|check| is_first || !check.passed) {
        let outcome = if check.passed { "passed" } else { "FAILED" };
        let told = format!("{} {outcome}: {}", printable(&check.name), printable(&check.detail));
        turn.event(Some(mac), Kind::Check, told);
    }
    let kept = report.kept(turn.calendar_seconds(), verdict, &turn.config.trial.checks);
    let now = turn.now;
    let Some(node) = turn.hall.nodes.get_mut(mac) else { return };
    trial::remember(&mut node.trials, kept);
    node.boot.tries += 1;
    node.boot.tried = Some(now);
    turn.keep_trials(mac);
}

fn failed(turn: &mut Turn<'_>, mac: Mac, why: String) {
    turn.step(mac, Step::Failed, &why);
    // It had failed before, perhaps of something else.
    if let Some(node) = turn.hall.nodes.get_mut(mac).filter(|node| node.stage == Stage::Failed) {
        node.reason = why;
    }
}

fn held(turn: &mut Turn<'_>, mac: Mac, why: &str) {
    turn.step(mac, Step::Unplaced, "its trial has it wait for an operator");
    let to_do = trial::to_do_when_held(mac);
    turn.trouble_once(mac, format!("it waits for an operator: {why}"), Some(to_do));
}
