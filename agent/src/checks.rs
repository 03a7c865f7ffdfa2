//! What a machine has to show before it is numbered: one file a kind of check.
//!
//! None can hold up the agent: each runs on a thread of its own and is left behind after its timeout. What it reads of the kernel lies
//! below a directory that tests can give.

mod amount;
mod bandwidth;
mod clock;
mod command;
mod disks;
mod link;
mod pci;
mod stress;

use crate::frame::Mac;
use crate::http::Url;
use crate::quantity;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

#[cfg(test)]
mod tests;

pub(crate) use command::run as run_command;

/// One check, as the server sends it.
///
/// The kind is a plain word and amounts are any values, so that a check that this agent does not know fails by name instead of making the
/// whole list unreadable.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Check {
    /// `memory`, `processors`, `disks`, `link`, `clock`, `pci`, `gpu`, `bandwidth`, `stress`, `nhc` or `command`.
    pub kind: String,
    /// What it is called in reports; the kind if absent.
    #[serde(default)]
    pub name: Option<String>,
    /// How much there has to be: `"1GiB"`, `2`, `"1Gbit"`.
    #[serde(default)]
    pub at_least: Value,
    /// How much there may be: `0` errors, a clock that is wrong by `"5s"`.
    #[serde(default)]
    pub at_most: Value,
    /// Of each disk at least, of what is fetched or filled at most: `"64MiB"`.
    #[serde(default)]
    pub size: Value,
    /// A PCI device: `"10de:20b5"`, `"10de:*"`.
    #[serde(default)]
    pub device: Option<String>,
    /// What is fetched from the server.
    #[serde(default)]
    pub file: Option<String>,
    /// How long a stress lasts, such as `"60s"`.
    #[serde(default)]
    pub duration: Option<String>,
    /// What `/bin/sh -c` runs.
    #[serde(default)]
    pub command: Option<String>,
    /// How long the check may take, such as `"60s"`.
    #[serde(default)]
    pub timeout: Option<String>,
}

/// How a check came out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// Which it was.
    pub name: String,
    /// Whether the machine has what was asked.
    pub passed: bool,
    /// What was found, for people.
    pub detail: String,
}

/// What is checked.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Where /proc and /sys are.
    pub root: PathBuf,
    /// The interface whose link counts.
    pub boot_interface: Mac,
    /// Where the server is talked with about this machine.
    pub url: Url,
    /// How long disks may take until they are there.
    pub disks_appear: Duration,
}

impl Subject {
    /// This machine.
    #[must_use]
    pub fn here(boot_interface: Mac, url: Url) -> Self {
        Self { root: PathBuf::from("/"), boot_interface, url, disks_appear: DISKS_APPEAR }
    }

    fn sys(&self, path: &str) -> PathBuf {
        self.root.join("sys").join(path)
    }
}

/// Makes all checks; each outcome is told as soon as it is there. Those of a link that count its errors come last, but stand where they were asked for:
/// the trial itself is what may cause them.
pub fn run_all(checks: &[Check], subject: &Subject, mut told: impl FnMut(&Outcome)) -> Vec<Outcome> {
    let before = link::Counters::read(subject);
    let counts_errors = |check: &Check| check.kind == "link" && !check.at_most.is_null();
    let mut outcomes: Vec<Option<Outcome>> = vec![None; checks.len()];
    for is_last in [false, true] {
        for (check, outcome) in checks.iter().zip(&mut outcomes) {
            if counts_errors(check) == is_last {
                let found = check.run(subject, before);
                told(&found);
                *outcome = Some(found);
            }
        }
    }
    outcomes.into_iter().flatten().collect()
}

impl Check {
    /// Makes one check, in the time that it has.
    fn run(&self, subject: &Subject, before: Option<link::Counters>) -> Outcome {
        let outcome = self.timeout().and_then(|timeout| {
            // A command is ended with all its children before it is left behind.
            let patience = if self.runs_command() { timeout + COMMAND_GRACE } else { timeout };
            let (check, subject) = (self.clone(), subject.clone());
            within(patience, move || check.look(&subject, before, timeout))
        });
        let passed = outcome.is_ok();
        let (Ok(detail) | Err(detail)) = outcome;
        Outcome { name: self.name.clone().unwrap_or_else(|| self.kind.clone()), passed, detail }
    }

    fn look(
        &self,
        subject: &Subject,
        before: Option<link::Counters>,
        timeout: Duration,
    ) -> Result<String, String> {
        match self.kind.as_str() {
            "memory" => amount::memory(self, &subject.root),
            "processors" => amount::processors(self),
            "disks" => disks::wait(self, subject, timeout),
            "link" => link::look(self, subject, before),
            "clock" => clock::look(self, &subject.url),
            "pci" => pci::devices(self, &subject.sys("bus/pci/devices")),
            "gpu" => pci::graphics(self, &subject.sys("bus/pci/devices")),
            "bandwidth" => bandwidth::look(self, &subject.url),
            "stress" => stress::look(self, &subject.root),
            "nhc" => command::node_health_check(self, timeout),
            "command" => command::look(self, timeout),
            kind => Err(format!("this agent knows no check of the kind \"{kind}\"")),
        }
    }

    fn runs_command(&self) -> bool {
        matches!(self.kind.as_str(), "command" | "nhc")
    }

    /// How long it may take.
    fn timeout(&self) -> Result<Duration, String> {
        if self.kind == "stress" {
            return Ok(stress::duration(self)? + STRESS_GRACE);
        }
        self.timeout.as_deref().map_or(Ok(DEFAULT_TIMEOUT), time)
    }

    fn at_least(&self, parse: impl Fn(&str) -> Option<u64>) -> Result<u64, String> {
        amount::wanted("at-least", &self.at_least, parse)?
            .ok_or_else(|| "the check does not say at-least how much".to_owned())
    }

    fn at_most(&self, parse: impl Fn(&str) -> Option<u64>) -> Result<Option<u64>, String> {
        amount::wanted("at-most", &self.at_most, parse)
    }

    fn size(&self) -> Result<Option<u64>, String> {
        amount::wanted("size", &self.size, quantity::bytes)
    }
}

/// A time such as `60s`.
fn time(text: &str) -> Result<Duration, String> {
    quantity::duration(text).ok_or_else(|| format!("\"{text}\" is no time such as 60s"))
}

/// What comes of it within so long. A thread that hangs, as one does that reads from a disk that does not answer, is left behind.
fn within(
    timeout: Duration,
    look: impl FnOnce() -> Result<String, String> + Send + 'static,
) -> Result<String, String> {
    let (found, finding) = mpsc::channel();
    thread::Builder::new()
        .name("check".to_owned())
        .spawn(move || found.send(look()))
        .map_err(|error| format!("a thread for it: {error}"))?;
    match finding.recv_timeout(timeout) {
        Ok(outcome) => outcome,
        Err(mpsc::RecvTimeoutError::Timeout) => Err(format!("not done after {} s", timeout.as_secs_f64())),
        Err(mpsc::RecvTimeoutError::Disconnected) => Err("the agent made a mistake in it".to_owned()),
    }
}

/// A file's one line, if it has anything to say.
fn line(path: &Path) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The entries of a directory of /sys, in order; none, if there is no such directory.
fn entries(directory: &Path) -> Vec<PathBuf> {
    let found = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let mut found: Vec<_> = found.map(|entry| entry.path()).collect();
    found.sort();
    found
}

/// A controller may ask its disks one after the other whether they turn.
const DISKS_APPEAR: Duration = Duration::from_secs(30);
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);
/// What a command is given to end after it was told to.
const COMMAND_GRACE: Duration = Duration::from_secs(5);
/// Beside its duration: threads that are slow to begin, and to end.
const STRESS_GRACE: Duration = Duration::from_secs(60);
