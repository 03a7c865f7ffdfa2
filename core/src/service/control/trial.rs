//! What operators see of trials: what was found, what a machine lacks, what it waits for, and how its last system ended.

use crate::cluster::last_end::LastEnd;
use crate::cluster::node::{Node, Trouble};
use crate::cluster::stage::Stage;
use crate::cluster::trial::{self, CheckReport, Trial};
use crate::hall::Turn;
use crate::service::view::{CheckView, LastEndView, TrialView};
use crate::time::{Time, Wall};
use heorot_names::NodeSet;

/// The last trials of a machine, the latest first.
pub(super) fn trials(node: &Node) -> Vec<TrialView> {
    let check = |check: &CheckReport| {
        let CheckReport { name, passed, detail } = check.clone();
        CheckView { name, passed, detail }
    };
    let view = |trial: &Trial| TrialView {
        at: trial.at_seconds.map(stamp),
        outcome: trial.outcome,
        why: Some(trial.why.clone()).filter(|why| !why.is_empty()),
        passed: trial.passed as u64,
        checks: trial.checks.iter().map(check).collect(),
    };
    node.trials.iter().rev().map(view).collect()
}

/// How its last system ended.
pub(super) fn last_end(node: &Node) -> Option<LastEndView> {
    let LastEnd { at_seconds, reason, last_words } = node.last_end.as_deref().cloned()?;
    let last_words = Some(last_words).filter(|words| !words.is_empty());
    Some(LastEndView { at: at_seconds.map(stamp), reason, last_words })
}

/// What is in its way, or what it lacks, if its reason does not say that; and before that, who was refused its secrets.
pub(super) fn troubles(node: &Node) -> Vec<String> {
    let said = |trouble: &Trouble| trouble.what.clone();
    // The trouble itself is forgotten by a restart.
    let held = node.trials.last().filter(|_| node.waits_by_trial()).map(|trial| trial.why.clone());
    let in_its_way = node.trouble.as_ref().map(said).or(held);
    let lacks = node.lacks().map(|lacks| format!("degraded: {lacks}"));
    let refused = node.boot.refused_secrets.as_deref().map(said);
    let others = in_its_way.into_iter().chain(lacks).filter(|trouble| *trouble != node.reason);
    refused.into_iter().chain(others).collect()
}

/// What the operator can do for a node that lacks something, and does not stand still; or for one that waits for him.
pub(super) fn to_do(node: &Node, otherwise: Option<String>) -> Option<String> {
    if node.waits_by_trial() && node.orders.standing.is_none() {
        return Some(trial::to_do_when_held(node.mac));
    }
    let lacks =
        || node.lacks().map(|_| "mend what it lacks and boot it again: it is then tried again".into());
    otherwise.or_else(lacks)
}

/// What a machine on trial waits for, if that depends on its tries.
pub(super) fn waiting_for(turn: &Turn<'_>, node: &Node) -> Option<String> {
    // An operator's word goes before.
    if node.orders.standing.is_some() {
        return None;
    }
    if node.waits_by_trial() {
        return Some("an operator to accept it, or another boot".into());
    }
    if node.stage != Stage::Failed || node.boot.tries == 0 {
        return None;
    }
    let all = turn.config.trial.retry.retries + 1;
    Some(match node.boot.tries {
        tries if tries >= all => format!("another boot: it was tried {}", times(tries)),
        tries => format!("its next try, which is number {} of {all}, or another boot", tries + 1),
    })
}

/// The nodes that lack something, as a line of the status.
pub(super) fn degraded(turn: &Turn<'_>) -> Option<String> {
    let lacking = turn.hall.nodes.iter().filter(|node| node.lacks().is_some());
    let set: NodeSet = lacking.filter_map(|node| node.number).collect();
    let folded = turn.hall.directory.fold(&set);
    (!folded.is_empty()).then(|| format!("degraded: {folded} (heorot explain NODE says what each lacks)"))
}

fn times(count: u32) -> String {
    if count == 1 { "once".into() } else { format!("{count} times") }
}

fn stamp(seconds: u64) -> String {
    let then = Time::from_nanoseconds(0);
    Wall(seconds.saturating_mul(1_000_000_000)).stamp(then, then)
}
