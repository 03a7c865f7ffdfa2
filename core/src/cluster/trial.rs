//! What an agent reports of its machine's trial, what follows from it, and what is kept of it.

use crate::config::{Check, OnFailure};
use crate::event;
use crate::limit::{CHECK_LETTERS_MAX, TRIALS_PER_NODE_MAX};
use crate::mac::Mac;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use siphasher::sip::SipHasher24;
use std::hash::Hasher;

/// Tells checks from others that a trial consists of.
pub(crate) fn digest(checks: &[Check]) -> String {
    let mut hasher = SipHasher24::new();
    hasher.write(serde_json::json!(checks).to_string().as_bytes());
    format!("{:016x}", hasher.finish())
}

/// The body of `POST {heorot}/trial`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Report {
    /// The agent's verdict.
    pub passed: bool,
    /// One for each check it was given.
    pub checks: Vec<CheckReport>,
    /// What it found out about the machine.
    #[serde(default)]
    pub facts: Map<String, Value>,
}

/// What one check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckReport {
    /// The name of the check.
    pub name: String,
    /// Whether it passed.
    pub passed: bool,
    /// What was found, in words.
    #[serde(default)]
    pub detail: String,
}

/// What follows from a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What becomes of the machine.
    pub outcome: Outcome,
    /// What it lacks, in a few words; empty if nothing.
    pub why: String,
}

/// What becomes of a machine by its trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It gets its number.
    Passed,
    /// It gets its number, and lacks something.
    Degraded,
    /// It is tried again.
    Failed,
    /// It waits for its operator.
    Held,
}

/// One trial, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trial {
    /// When, in seconds since 1970, if the calendar was known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_seconds: Option<u64>,
    /// What became of the machine.
    pub outcome: Outcome,
    /// What it lacked.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// How many checks passed.
    pub passed: usize,
    /// Of the latest all, of earlier ones those that did not pass.
    pub checks: Vec<CheckReport>,
}

impl Report {
    /// Reads a report.
    ///
    /// # Errors
    /// What is wrong with it, in words for the agent's author.
    pub fn parse(body: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(body).map_err(|e| format!("not a trial's report: {e}"))
    }

    /// What becomes of the machine: the gravest of what follows from the checks that did not pass. A check that was wanted and not made has
    /// failed, and so has whatever an agent does not give a reason for.
    pub fn verdict(&self, wanted: &[Check]) -> Verdict {
        let follows = |check: &CheckReport| {
            wanted.iter().find(|wanted| wanted.name == check.name).map(|wanted| wanted.on_failure)
        };
        let failed = self.checks.iter().filter(|check| !check.passed);
        let failed = failed.map(|check| (follows(check).unwrap_or_default(), check.why()));
        let is_missing = |wanted: &&Check| !self.checks.iter().any(|check| check.name == wanted.name);
        let missing = wanted.iter().filter(is_missing);
        let missing = missing.map(|check| (OnFailure::Fail, format!("{} was not reported", check.name)));
        let all: Vec<_> = failed.chain(missing).collect();
        // Of equals the first.
        let gravest = all.iter().rev().max_by_key(|(follows, _)| *follows);
        let Some((follows, why)) = gravest else {
            return match self.passed {
                true => Verdict { outcome: Outcome::Passed, why: String::new() },
                false => {
                    Verdict { outcome: Outcome::Failed, why: "its agent says so without a reason".into() }
                }
            };
        };
        let outcome = match follows {
            OnFailure::Degraded => Outcome::Degraded,
            OnFailure::Fail => Outcome::Failed,
            OnFailure::Hold => Outcome::Held,
        };
        let why = match all.len() - 1 {
            0 => why.clone(),
            more => format!("{why} (and {more} more)"),
        };
        Verdict { outcome, why: printable(&why) }
    }

    /// The hardware addresses of all its interfaces.
    pub fn macs(&self) -> Vec<Mac> {
        macs(&self.facts)
    }

    /// What is kept of it.
    pub fn kept(&self, at_seconds: Option<u64>, verdict: &Verdict, wanted: &[Check]) -> Trial {
        let known = |check: &&CheckReport| wanted.iter().any(|wanted| wanted.name == check.name);
        let check = |check: &CheckReport| CheckReport {
            name: printable(&check.name),
            passed: check.passed,
            detail: printable(&check.detail),
        };
        Trial {
            at_seconds,
            outcome: verdict.outcome,
            why: verdict.why.clone(),
            passed: self.checks.iter().filter(known).filter(|check| check.passed).count(),
            // As many as were asked for: an agent may say what it likes.
            checks: self.checks.iter().filter(known).take(wanted.len()).map(check).collect(),
        }
    }
}

impl CheckReport {
    fn why(&self) -> String {
        match self.detail.as_str() {
            "" => format!("{} failed", self.name),
            detail => format!("{} failed: {detail}", self.name),
        }
    }
}

/// Keeps one more trial; the oldest gives way, and of those before, what passed is forgotten.
pub fn remember(trials: &mut Vec<Trial>, trial: Trial) {
    if trials.len() == TRIALS_PER_NODE_MAX {
        trials.remove(0);
    }
    if let Some(last) = trials.last_mut() {
        last.checks.retain(|check| !check.passed);
    }
    trials.push(trial);
}

/// What the operator can do for a machine that waits for him.
pub fn to_do_when_held(mac: Mac) -> String {
    format!("mend it and boot it again, or take it as it is: heorot node accept {mac}")
}

/// A machine's text as it may be kept.
fn printable(text: &str) -> String {
    event::printable(text, CHECK_LETTERS_MAX)
}

/// The hardware addresses that a trial found in its machine.
pub fn macs(facts: &Map<String, Value>) -> Vec<Mac> {
    let interfaces = facts.get("interfaces").and_then(Value::as_array);
    let macs = interfaces.into_iter().flatten().filter_map(|interface| interface.get("mac")?.as_str());
    macs.filter_map(|text| text.parse().ok()).filter(|mac: &Mac| mac.is_one_machine()).collect()
}

#[cfg(test)]
mod tests;
