//! `[trial]`, `[[trial.check]]` and `[agent]`: what a new machine has to show, what follows if it does not, and how one that runs says so.

use super::entry::{Entry, Placed};
use super::mistake::{Findings, quoted};
use super::read::{CheckDraft, Tables};
use super::value::{self, Wrong};
use serde::{Deserialize, Serialize, Serializer};
use std::time::Duration;

/// One check of the trial. The agent gets it as JSON with the same words as in the configuration; thresholds are the operator's texts,
/// which have been checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Check {
    /// What is checked.
    pub kind: CheckKind,
    /// How it is called in reports: its kind, unless the operator named it.
    pub name: String,
    /// `1GiB` of memory, `4` of what is counted, a link or a way of `1Gbit`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_least: Option<String>,
    /// A clock is wrong by `5s`, a link has `0` errors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_most: Option<String>,
    /// Of each disk at least, of what is fetched or filled at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<String>,
    /// A PCI device, as `10de:20b5` or `10de:*`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// What is fetched, relative to the boot directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// How long a stress lasts.
    #[serde(rename = "duration", serialize_with = "as_seconds", skip_serializing_if = "Option::is_none")]
    pub duration_seconds: Option<u64>,
    /// What to run: passed if it exits with 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// How long the check may take.
    #[serde(rename = "timeout", serialize_with = "as_seconds", skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u64>,
    /// What follows if it does not pass. The server decides that, and the agent need not know.
    #[serde(skip)]
    pub on_failure: OnFailure,
}

/// What follows if a check does not pass. Of several, the gravest counts, which is the last of these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnFailure {
    /// The machine gets its number, and the operator is told what it lacks.
    Degraded,
    /// It has failed, and is tried again.
    #[default]
    Fail,
    /// It waits for its operator's word.
    Hold,
}

/// What a check looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckKind {
    /// Octets of memory.
    Memory,
    /// Number of processors.
    Processors,
    /// Number of disks, and the size of each.
    Disks,
    /// Speed of the interface, and its errors.
    Link,
    /// How far the clock is from the server's.
    Clock,
    /// Whether a PCI device is there.
    Pci,
    /// Number of graphics processors.
    Gpu,
    /// How fast a file comes from the server.
    Bandwidth,
    /// Whether processors and memory reckon right while they have much to do.
    Stress,
    /// What the site's Node Health Check says.
    Nhc,
    /// Anything.
    Command,
}

/// How often a machine that failed is tried again, and after how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// After the first try.
    pub retries: u32,
    /// Between two tries.
    pub after: Duration,
}

/// How the agent of a node that is up says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckIn {
    /// How often.
    pub interval: Duration,
    /// After how long a silence its node is down.
    pub down_after: Duration,
}

/// What a kind of check needs, and what it takes beside name, on-failure and, but for a stress, timeout.
struct Row {
    kind: CheckKind,
    word: &'static str,
    needs: &'static str,
    takes: &'static [&'static str],
}

const ROWS: [Row; 11] = [
    Row { kind: CheckKind::Memory, word: "memory", needs: "at-least", takes: &[] },
    Row { kind: CheckKind::Processors, word: "processors", needs: "at-least", takes: &[] },
    Row { kind: CheckKind::Disks, word: "disks", needs: "at-least", takes: &["size"] },
    Row { kind: CheckKind::Link, word: "link", needs: "at-least", takes: &["at-most"] },
    Row { kind: CheckKind::Clock, word: "clock", needs: "at-most", takes: &[] },
    Row { kind: CheckKind::Pci, word: "pci", needs: "device", takes: &["at-least"] },
    Row { kind: CheckKind::Gpu, word: "gpu", needs: "at-least", takes: &[] },
    Row { kind: CheckKind::Bandwidth, word: "bandwidth", needs: "at-least", takes: &["size", "file"] },
    Row { kind: CheckKind::Stress, word: "stress", needs: "duration", takes: &["size"] },
    Row { kind: CheckKind::Nhc, word: "nhc", needs: "", takes: &["command"] },
    Row { kind: CheckKind::Command, word: "command", needs: "command", takes: &[] },
];

/// What not every kind takes.
const PARTICULAR: [&str; 7] = ["at-least", "at-most", "size", "device", "file", "duration", "command"];

/// Reads a `[[trial.check]]`.
pub(super) fn read_check(findings: &mut Findings<'_>, entry: &Entry<'_>) -> Option<CheckDraft> {
    let kind = entry.word(findings, "kind", &ROWS.map(|row| (row.word, row.kind)));
    let actions = [("fail", OnFailure::Fail), ("degraded", OnFailure::Degraded), ("hold", OnFailure::Hold)];
    let on_failure = entry.word(findings, "on-failure", &actions);
    let amounts = ["at-least", "at-most", "size"].map(|key| (key, entry.threshold(findings, key)));
    let name = entry.text(findings, "name", value::word);
    let device = entry.text(findings, "device", pci_device);
    let file = entry.file(findings, "file");
    let duration = entry.duration(findings, "duration");
    let command = entry.text(findings, "command", value::any);
    let timeout = entry.duration(findings, "timeout");
    let kind = kind?;
    let row = ROWS.iter().find(|row| row.kind == kind.value)?;
    let name_span = name.as_ref().map_or_else(|| kind.span.clone(), |name| name.span.clone());
    check_keys(findings, entry, row);
    for (key, amount) in &amounts {
        if let Some(amount) = amount
            && row.takes(key)
            && let Err(example) = value::check_threshold(row.kind, key, &amount.value)
        {
            let message = format!("{key}: {} is no threshold of {:?}", quoted(&amount.value), row.word);
            findings.error(&amount.span, message, Some(example.into()));
        }
    }
    if let Some(command) = &command
        && (command.value.trim().is_empty() || command.value.contains('\0'))
    {
        findings.error(&command.span, "command: nothing that can be run", None);
    }
    let [at_least, at_most, size] = amounts.map(|(_, amount)| amount.map(|text| text.value));
    let seconds = |placed: Option<Placed<Duration>>| placed.map(|duration| duration.value.as_secs());
    // Who has no use for it is not told the usual one.
    let is_told = entry.has("timeout") || kind.value == CheckKind::Command;
    let check = Check {
        kind: kind.value,
        name: name.map_or_else(|| row.word.to_owned(), |name| name.value),
        at_least,
        at_most,
        size,
        device: device.map(|device| device.value),
        file: file.map(|file| file.value),
        duration_seconds: seconds(duration),
        command: command.map(|text| text.value),
        timeout_seconds: seconds(timeout.filter(|_| is_told)),
        on_failure: on_failure?.value,
    };
    Some(CheckDraft { check, name_span })
}

/// Each kind has keys of its own.
fn check_keys(findings: &mut Findings<'_>, entry: &Entry<'_>, row: &Row) {
    let word = row.word;
    let needs_no_timeout = ["timeout"].into_iter().filter(|_| row.kind == CheckKind::Stress);
    for key in PARTICULAR.into_iter().filter(|key| !row.takes(key)).chain(needs_no_timeout) {
        if entry.has(key) {
            let message = format!("a check of {word:?} takes no {key:?}");
            findings.error(&entry.key_span(key), message, Some("leave it out".into()));
        }
    }
    if !row.needs.is_empty() && !entry.has(row.needs) && !entry.misspelt(row.needs) {
        let message = format!("a check of {word:?} needs {:?}", row.needs);
        let remedy = format!("write {} = {}", row.needs, example(row.kind));
        findings.error(&entry.span, message, Some(remedy));
    }
}

/// What a kind needs, as it may be written.
fn example(kind: CheckKind) -> &'static str {
    match kind {
        CheckKind::Memory => "\"1GiB\"",
        CheckKind::Processors => "4",
        CheckKind::Disks | CheckKind::Gpu => "1",
        CheckKind::Link | CheckKind::Bandwidth => "\"1Gbit\"",
        CheckKind::Clock => "\"5s\"",
        CheckKind::Pci => "\"10de:20b5\"",
        CheckKind::Stress => "\"60s\"",
        CheckKind::Nhc | CheckKind::Command => "\"/usr/bin/true\"",
    }
}

impl Row {
    fn takes(&self, key: &str) -> bool {
        self.needs == key || self.takes.contains(&key)
    }
}

/// Vendor and device, as lspci -nn shows them; any device of a vendor by a star.
fn pci_device(text: &str) -> Result<String, Wrong> {
    let is_id = |part: &str| part.len() == 4 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    match text.split_once(':') {
        Some((vendor, device)) if is_id(vendor) && (is_id(device) || device == "*") => {
            Ok(text.to_ascii_lowercase())
        }
        Some(_) | None => {
            let remedy = "vendor and device in four hexadecimal digits each, as \"10de:20b5\" (lspci -nn shows them), or \"10de:*\"";
            Err(Wrong::with(format!("{} is no PCI device", quoted(text)), remedy))
        }
    }
}

/// Reads the retry rule of `[trial]`.
pub(super) fn read_retry(findings: &mut Findings<'_>, trial: &Entry<'_>) -> Option<Retry> {
    let retries = trial.integer(findings, "retries");
    let after = trial.duration(findings, "retry-after");
    Some(Retry { retries: retries?.value, after: after?.value })
}

/// Reads `[agent]`.
pub(super) fn read_agent(findings: &mut Findings<'_>, tables: &Tables<'_>) -> Option<CheckIn> {
    let agent = tables.one(findings, "agent");
    let interval = agent.duration(findings, "check-in");
    let down_after = agent.duration(findings, "down-after");
    let (interval, down_after) = (interval?, down_after?);
    // One that was lost on the way is no silence.
    if down_after.value < 2 * interval.value {
        let span = if agent.has("down-after") { &down_after.span } else { &interval.span };
        let message = "down-after: a single check-in that is lost would be a node that is down";
        findings.error(span, message, Some("let it be at least twice check-in".into()));
    }
    Some(CheckIn { interval: interval.value, down_after: down_after.value })
}

/// Writes a duration as the configuration has it: "60s".
fn as_seconds<S: Serializer>(seconds: &Option<u64>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{}s", seconds.unwrap_or_default()))
}
