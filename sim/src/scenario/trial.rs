//! What a machine's agent says of its trial, and what operators see of it.

use heorot_core::mac::Mac;
use heorot_core::service::view::{NodeDetailView, TrialView};
use serde_json::{Value, json};

/// A trial's report: each word is a check that passed, or `name=what-was-found`, which did not, or with a plus a card of the machine, or `serial:what-it-is`, another fact.
pub(super) fn report(words: &[&str], mac: impl FnMut(&str) -> Option<Mac>) -> String {
    let cards = words.iter().filter_map(|word| word.strip_prefix('+'));
    let interfaces: Vec<Value> = cards.filter_map(mac).map(|mac| json!({ "mac": mac.to_string() })).collect();
    let check = |word: &&str| match word.split_once('=') {
        None => json!({ "name": word, "passed": true, "detail": "as wanted" }),
        Some((name, found)) => json!({ "name": name, "passed": false, "detail": found.replace('-', " ") }),
    };
    let is_check = |word: &&&str| !word.starts_with('+') && !word.contains(':');
    let checks: Vec<Value> = words.iter().filter(is_check).map(check).collect();
    let passed = checks.iter().all(|check| check["passed"] == true);
    let mut facts = if interfaces.is_empty() { json!({}) } else { json!({ "interfaces": interfaces }) };
    for (name, fact) in words.iter().filter_map(|word| word.split_once(':')) {
        facts[name] = json!(fact);
    }
    json!({ "passed": passed, "checks": checks, "facts": facts }).to_string()
}

/// What `heorot node show` has beside the row: the trials, and how the last system ended.
pub(super) fn lines(body: &str) -> Option<Vec<String>> {
    let view: NodeDetailView = serde_json::from_str(body).ok()?;
    let trial = |trial: &TrialView| {
        let at = trial.at.as_deref().unwrap_or("-");
        let outcome = serde_json::to_value(trial.outcome).unwrap_or_default();
        let why = trial.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        let checks = trial.checks.iter().map(|check| check.name.as_str()).collect::<Vec<_>>().join(" ");
        format!("{at} {}{why}, {} passed, kept: {checks}", outcome.as_str().unwrap_or_default(), trial.passed)
    };
    let mut lines: Vec<_> = view.trials.iter().map(trial).collect();
    lines.extend(view.lacks.map(|lacks| format!("lacks: {lacks}")));
    lines.extend(view.last_end.map(|end| {
        let words = end.last_words.unwrap_or_default().replace('\n', " / ");
        format!("its last system ended: {} {words}", end.reason)
    }));
    Some(lines)
}
