//! One machine's boot as a table: what the server recorded beside what the machine's console said.

use crate::machine::Machine;
use crate::server::Server;
use crate::tree;
use jiff::Timestamp;
use serde_json::Value;
use std::fmt;
use std::time::{Duration, SystemTime};

/// A machine's boot since it was last switched on.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    /// Since the machine was switched on.
    at: Duration,
    /// Who says so.
    source: &'static str,
    text: String,
}

/// What the kernel's first line begins with, behind its time.
const KERNEL: &str = "Linux version";
/// What the loader says first.
const LOADERS: [&str; 3] = ["PXELINUX", "iPXE initialising devices", "iPXE 1"];
const AGENT: &str = "heorot-agent: ";

impl Timeline {
    /// Lays both side by side, in order of time.
    ///
    /// # Errors
    /// In words, if the server does not tell the machine's history.
    pub fn of(machine: &Machine, server: &Server) -> Result<Self, String> {
        let explained = server.ask(&["explain", &machine.mac.to_string()])?;
        let mut entries = Self::history(&explained, machine.powered_at_wall)?;
        for line in machine.lines() {
            let at = machine.elapsed(line.at);
            if let Some((_, text)) = line.text.split_once(AGENT) {
                // The time in brackets is since the kernel's start; here it is since the power came.
                let text = text.split_once("] ").map_or(text, |(_, text)| text);
                entries.push(Entry { at, source: "agent", text: text.to_owned() });
            } else if let Some((_, text)) = line.text.split_once(tree::SAYS) {
                entries.push(Entry { at, source: "root", text: text.to_owned() });
            } else if let Some(start) = line.text.find(KERNEL) {
                let text = line.text[start..].split(" (").next().unwrap_or_default();
                entries.push(Entry { at, source: "kernel", text: text.to_owned() });
            } else if LOADERS.iter().any(|loader| line.text.contains(loader)) {
                entries.push(Entry {
                    at,
                    source: "loader",
                    text: line.text.trim().chars().take(80).collect(),
                });
            }
        }
        entries.sort_by_key(|entry| entry.at);
        Ok(Self { entries })
    }

    /// The server's entries: `history` is a list of `{time, event, detail}`.
    fn history(explained: &Value, powered_at: SystemTime) -> Result<Vec<Entry>, String> {
        let history = explained["history"].as_array().ok_or_else(|| format!("no history in {explained}"))?;
        let mut entries = Vec::new();
        for event in history {
            let time = event["time"].as_str().and_then(|time| time.parse::<Timestamp>().ok());
            let time = time.ok_or_else(|| format!("no time in {event}"))?;
            // What happened before this boot is left out; the server's times are in whole milliseconds.
            let margin = Duration::from_millis(1);
            let Ok(at) = (SystemTime::from(time) + margin).duration_since(powered_at) else { continue };
            let word = event["event"].as_str().unwrap_or_default();
            let detail = event["detail"].as_str().unwrap_or_default();
            entries.push(Entry {
                at: at.saturating_sub(margin),
                source: "server",
                text: format!("{word:<9} {detail}"),
            });
        }
        Ok(entries)
    }
}

impl fmt::Display for Timeline {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Entry { at, source, text } in &self.entries {
            writeln!(formatter, "  {:7.3} s  {source:<6}  {text}", at.as_secs_f64())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn history_counts_from_the_power_switch() {
        let powered_at = SystemTime::from("2026-11-22T10:00:00Z".parse::<Timestamp>().expect("a time"));
        let explained = json!({ "history": [
            { "time": "2026-11-22T09:59:59.000Z", "event": "offer", "detail": "of the boot before" },
            { "time": "2026-11-22T10:00:02.500Z", "event": "discover", "detail": "from firmware" },
        ]});
        let entries = Timeline::history(&explained, powered_at).expect("a history");
        assert_eq!(Timeline { entries }.to_string(), "    2.500 s  server  discover  from firmware\n");
        for wrong in [json!({}), json!({"history": [{}]}), json!({"history": [{"time": "noon"}]})] {
            assert!(Timeline::history(&wrong, powered_at).is_err(), "{wrong}");
        }
    }
}
