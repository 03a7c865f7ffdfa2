//! How long heorot takes to start with many nodes, how much memory it takes, and how often it wakes when nothing happens.
//!
//! Twice: with all nodes in its configuration, and with none there but all in its records, after each of them has booted; and in between when all have booted so often that each
//! has as long a history as is kept.

use crate::dhcp::{self, servers::heorot_configuration};
use crate::files::Files;
use crate::link::Link;
use crate::servers::{Running, heorot, shown, write};
use crate::{process, say};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

const USAGE: &str = "usage: heorot-bench start [nodes=10000] [runs=5] [seconds=10]";
/// A start takes far less.
const PATIENCE: Duration = Duration::from_secs(30);
/// What a start leaves to be done is done by then, and what was sent last is forgotten.
const SETTLES_WITHIN: Duration = Duration::from_secs(2);
/// What it is to keep to, with ten thousand nodes.
const START_MILLISECONDS_MAX: f64 = 300.0;
const MEMORY_OCTETS_MAX: u64 = 64_000_000;
const WAKES_A_SECOND_MAX: f64 = 1.0;
/// By so many boots a server's memory of them is full.
const BOOTS: u32 = 20;
/// heorot keeps no more nodes.
const NODES_MAX: u32 = 16_000;

/// Measures, and prints a table.
///
/// # Errors
/// In words: what was asked for is not understood, or root's rights are missing.
pub(crate) fn measure(words: &[String]) -> Result<(), String> {
    let [nodes, runs, seconds] = parse(words)?;
    let (files, cable) = (Files::new(1_000_000)?, Link::unshaped()?);
    say(&format!(
        "{nodes} nodes, {runs} starts each; idle for {seconds} s\n{:<34}{:>11}{:>9}{:>9}{:>12}\n",
        "NODES KNOWN BY", "START ms", "RSS MB", "PEAK MB", "WAKES/S"
    ));
    let listed = heorot_configuration(&files, &(0..nodes));
    let unlisted = heorot_configuration(&files, &(0..0));
    let idle = Duration::from_secs(seconds.into());

    let mut broken = Vec::new();
    let mut show =
        |known_by: &str, starts: &[Started], rest: Rest| broken.extend(show(known_by, starts, &rest));
    forget(&files);
    let starts: Vec<Started> = start_often(&cable, &files, &listed, runs)?;
    let server = Server::start(&cable, &files, &listed)?;
    show("configuration", &starts, server.rest(idle)?);
    dhcp::boot_all(&cable, nodes, 0)?;
    show("configuration, after all booted", &[], server.rest(idle)?);
    (1..BOOTS).try_for_each(|boot| dhcp::boot_all(&cable, nodes, boot))?;
    show(&format!("the same, {BOOTS} times"), &[], server.rest(idle)?);
    drop(server);

    let starts: Vec<Started> = start_often(&cable, &files, &unlisted, runs)?;
    let server = Server::start(&cable, &files, &unlisted)?;
    let known = server.nodes()?.len();
    if known != nodes as usize {
        return Err(format!(
            "after the restart it knows {known} nodes of {nodes}: {}",
            server.running.tail()
        ));
    }
    show("records", &starts, server.rest(idle)?);
    dhcp::boot_all(&cable, nodes, 0)?;
    show("records, after all booted", &[], server.rest(idle)?);
    if broken.is_empty() { Ok(()) } else { Err(format!("too much:\n  {}", broken.join("\n  "))) }
}

/// heorot, and how long it took to answer.
pub(crate) struct Server<'a> {
    pub(crate) running: Running<'a>,
    control: PathBuf,
    took: Duration,
}

/// One start: how long it took.
type Started = Duration;

/// What it takes up when nothing happens.
struct Rest {
    memory_octets: u64,
    peak_octets: u64,
    wakes_a_second: f64,
}

impl<'a> Server<'a> {
    pub(crate) fn start(cable: &'a Link, files: &Files, configuration: &str) -> Result<Self, String> {
        let control = files.room("heorot.sock");
        let path = write(files, "heorot.toml", configuration)?;
        let mut running = Running::none(&cable.server);
        let start = Instant::now();
        let command = cable.server.command(heorot()?);
        running.spawn(command, files, "heorot.log", &["serve", "--config", &shown(&path)])?;
        while ask(&control, "/v1/status").is_none() {
            if let Some(ended) = running.ended() {
                return Err(format!("{ended}: {}", running.tail()));
            }
            if start.elapsed() > PATIENCE {
                return Err(format!("it does not answer: {}", running.tail()));
            }
            thread::sleep(Duration::from_millis(1));
        }
        Ok(Self { running, control, took: start.elapsed() })
    }

    /// Leaves it alone for a while.
    fn rest(&self, idle: Duration) -> Result<Rest, String> {
        let process = self.running.process_ids().next().ok_or("nothing runs")?;
        thread::sleep(SETTLES_WITHIN);
        let sleeps = || process::sleeps(process).ok_or("the server is gone");
        let before = sleeps()?;
        thread::sleep(idle);
        let woken = sleeps()?.saturating_sub(before);
        let (memory_octets, peak_octets) = process::memory_octets(process).ok_or("the server is gone")?;
        Ok(Rest { memory_octets, peak_octets, wakes_a_second: woken as f64 / idle.as_secs_f64() })
    }

    /// The nodes that it knows.
    pub(crate) fn nodes(&self) -> Result<Vec<serde_json::Value>, String> {
        let text = ask(&self.control, "/v1/nodes").ok_or("it does not answer")?;
        serde_json::from_str(&text).map_err(|error| format!("{error}: {text}"))
    }
}

fn start_often(cable: &Link, files: &Files, configuration: &str, runs: u32) -> Result<Vec<Started>, String> {
    let one = |_| Server::start(cable, files, configuration).map(|server| server.took);
    (0..runs).map(one).collect()
}

pub(crate) fn forget(files: &Files) {
    let _ = std::fs::remove_dir_all(files.room("state"));
}

/// Prints a line of the table. What of it is more than it is to be.
fn show(known_by: &str, starts: &[Started], rest: &Rest) -> Vec<String> {
    let mut starts: Vec<f64> = starts.iter().map(|took| took.as_secs_f64() * 1000.0).collect();
    starts.sort_by(f64::total_cmp);
    let milliseconds = starts.get(starts.len().saturating_sub(1) / 2).copied();
    let median = milliseconds.map_or_else(|| "-".into(), |median| format!("{median:.0}"));
    let megabytes = |octets: u64| octets as f64 / 1e6;
    say(&format!(
        "{known_by:<34}{median:>11}{:>9.1}{:>9.1}{:>12.2}\n",
        megabytes(rest.memory_octets),
        megabytes(rest.peak_octets),
        rest.wakes_a_second
    ));
    let is_over = [
        ("its start", milliseconds.is_some_and(|took| took > START_MILLISECONDS_MAX)),
        ("its memory", rest.memory_octets > MEMORY_OCTETS_MAX),
        ("its wake-ups", rest.wakes_a_second > WAKES_A_SECOND_MAX),
    ];
    is_over
        .iter()
        .filter(|(_, over)| *over)
        .map(|(what, _)| format!("{what}, nodes known by {known_by}"))
        .collect()
}

/// What it answers on its control socket; none if it does not yet.
fn ask(control: &Path, path: &str) -> Option<String> {
    let mut stream = UnixStream::connect(control).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: heorot\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    head.starts_with("HTTP/1.1 200 ").then(|| body.to_owned())
}

fn parse(words: &[String]) -> Result<[u32; 3], String> {
    let mut numbers = [10_000, 5, 10];
    for word in words {
        let wrong = || format!("{word:?} is not understood\n{USAGE}");
        let (key, value) = word.split_once('=').ok_or_else(wrong)?;
        let place = ["nodes", "runs", "seconds"].iter().position(|known| *known == key).ok_or_else(wrong)?;
        // What a Makefile leaves empty was not asked for.
        if !value.is_empty() {
            numbers[place] = value.parse().ok().filter(|number| *number > 0).ok_or_else(wrong)?;
        }
    }
    if numbers[0] > NODES_MAX {
        return Err(format!("heorot keeps {NODES_MAX} nodes\n{USAGE}"));
    }
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_is_told() {
        let rest = |memory_octets, wakes_a_second| Rest { memory_octets, peak_octets: 0, wakes_a_second };
        let slow = Duration::from_millis(301);
        assert_eq!(show("x", &[Duration::from_millis(300)], &rest(64_000_000, 1.0)), Vec::<String>::new());
        assert_eq!(show("x", &[slow], &rest(64_000_001, 1.1)).len(), 3);
        assert_eq!(show("x", &[], &rest(0, 2.0)), ["its wake-ups, nodes known by x"]);
    }

    #[test]
    fn words_are_read_or_told() {
        let parse = |text: &str| parse(&text.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(parse("nodes=50 runs= seconds=2").unwrap(), [50, 5, 2]);
        for text in ["nodes", "nodes=0", "nodes=20000", "x=1"] {
            assert!(parse(text).unwrap_err().contains("usage"), "{text}");
        }
    }
}
