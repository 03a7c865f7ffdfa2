//! What an agent reports of its machine's trial.

use crate::config::Check;
use crate::mac::Mac;
use serde::Deserialize;
use serde_json::{Map, Value};

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
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct CheckReport {
    /// The name of the check.
    pub name: String,
    /// Whether it passed.
    pub passed: bool,
    /// What was found, in words.
    #[serde(default)]
    pub detail: String,
}

impl Report {
    /// Reads a report.
    ///
    /// # Errors
    /// What is wrong with it, in words for the agent's author.
    pub fn parse(body: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(body).map_err(|e| format!("not a trial's report: {e}"))
    }

    /// Whether the machine has passed: the agent says so, every check that was wanted was made, and none failed.
    ///
    /// # Errors
    /// Why not, in a few words.
    pub fn verdict(&self, wanted: &[Check]) -> Result<(), String> {
        if let Some(failed) = self.checks.iter().find(|check| !check.passed) {
            return Err(match failed.detail.as_str() {
                "" => format!("{} failed", failed.name),
                detail => format!("{} failed: {detail}", failed.name),
            });
        }
        if let Some(missing) = wanted.iter().find(|w| !self.checks.iter().any(|check| check.name == w.name)) {
            return Err(format!("{} was not reported", missing.name));
        }
        if self.passed { Ok(()) } else { Err("its agent says so without a reason".into()) }
    }

    /// The hardware addresses of all its interfaces.
    pub fn macs(&self) -> Vec<Mac> {
        let interfaces = self.facts.get("interfaces").and_then(Value::as_array);
        let macs = interfaces.into_iter().flatten().filter_map(|interface| interface.get("mac")?.as_str());
        macs.filter_map(|text| text.parse().ok()).filter(|mac: &Mac| mac.is_one_machine()).collect()
    }
}

#[cfg(test)]
mod tests;
