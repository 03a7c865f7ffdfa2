//! What follows from a trial's report: a number, another try, an operator's word. And who is to be tried.

use super::printable;
use crate::cluster::node::{Boot, Node};
use crate::cluster::plan::Plan;
use crate::cluster::stage::{Stage, Step};
use crate::cluster::trial::{self, Outcome, Report, Verdict};
use crate::config::{Check, CheckKind};
use crate::event::Kind;
use crate::hall::Turn;
use crate::mac::Mac;
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
    match verdict.outcome {
        Outcome::Passed => Some("all checks passed".into()),
        Outcome::Degraded => Some(format!("degraded: {}", verdict.why)),
        Outcome::Failed => {
            failed(turn, mac, verdict.why);
            None
        }
        Outcome::Held => {
            held(turn, mac, &verdict.why);
            None
        }
    }
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
    let what = format!("it waits for an operator: {why}");
    let is_told = turn.hall.nodes.get(mac).and_then(|node| node.trouble.as_ref());
    if is_told.is_none_or(|told| told.what != what) {
        turn.trouble(mac, what, Some(to_do));
    }
}
