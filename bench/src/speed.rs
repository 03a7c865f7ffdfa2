//! What a megabyte costs: TFTP from each server over a link that is no limit, beside a bare loop that answers from memory.
//!
//! ```text
//!   namespace "server", first processor        namespace "clients", second processor
//!   a server, 10.77.0.1 on eth1 ───────veth─────── eth1: lock-step or windows, as fast as they are answered
//! ```
//!
//! `heorot-unpinned` and `heorot-senders` may use both processors, which they share with the clients: the second has a thread that sends beside its loop. The one is what the other is
//! compared with: whoever may use two processors is faster than whoever is bound to one, with senders or without. And where the clients are the limit, as they are on two
//! processors, the loop keeps up and no sender sends anything: `heorot status` says so.
//!
//! Each server has a link and clients of its own, and they are measured in turn, half a second each: what else a machine does changes within seconds, and all are to see the same of it.
//!
//! Octets per second of processor are told beside octets per second, because clients and server share the machine: what a server needs is its own, how fast both together are is not.
//!
//! - [`bare`]: the loop; [`clients`]: who asks; [`processor`]: what the server used.

pub(crate) mod bare;
mod clients;
pub(crate) mod processor;

use crate::files::{Files, WHOLE};
use crate::link::{CLIENTS, INTERFACE, Link, SERVER};
use crate::servers::{Kind, Running};
use crate::wanted::Wanted;
use std::net::Ipv4Addr;
use std::time::Duration;

/// How long transfers run before they are measured: a server that measures its link has found it by then.
const WARM_UP: Duration = Duration::from_secs(2);
/// How long they are measured at a stretch, and how often in a run. All servers have theirs in turn: what else the machine does changes within seconds.
const SLICE: Duration = Duration::from_millis(500);
const SLICES: usize = 8;
/// The addresses of clients: all of them the other end's.
const FIRST_CLIENT: Ipv4Addr = Ipv4Addr::new(10, 77, 16, 0);
const CLIENTS_PREFIX: u8 = 20;

/// One run of one server.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Speed {
    octets_per_second: f64,
    octets_per_processor_second: f64,
    retries: u64,
    refused: u64,
}

/// All servers, for each number of clients and each window.
pub(crate) fn beside_others(wanted: &Wanted) -> Result<(), String> {
    let files = Files::new(wanted.image_octets)?;
    for (clients, window) in &wanted.windows {
        crate::say(&format!(
            "\n{clients} TFTP clients, windows of {window}, blocks of {} octets, median of {} run(s)\n{:<18}{:>9}{:>14}{:>9}{:>9}{:>8}{:>8}\n",
            clients::BLOCK_OCTETS,
            wanted.runs,
            "SERVER",
            "MB/S",
            "MB/CPU-S",
            "OF BARE",
            "SPEED",
            "RETRIES",
            "REFUSED"
        ));
        let mut runs = vec![Vec::new(); wanted.servers.len()];
        let mut failed = vec![None; wanted.servers.len()];
        for _ in 0..wanted.runs {
            for (place, speed) in run(&wanted.servers, &files, *clients, *window)?.into_iter().enumerate() {
                match speed {
                    Ok(speed) => runs[place].push(speed),
                    Err(why) => failed[place] = Some(why),
                }
            }
        }
        let bare =
            wanted.servers.iter().position(|kind| *kind == Kind::Bare).and_then(|place| median(&runs[place]));
        for ((kind, runs), failed) in wanted.servers.iter().zip(&runs).zip(failed) {
            crate::say(&line(kind.name(), median(runs), bare, failed));
        }
    }
    Ok(())
}

/// All servers side by side, each with a link and clients of its own. One of them is asked at a time.
fn run(
    kinds: &[Kind],
    files: &Files,
    clients: u32,
    window: u16,
) -> Result<Vec<Result<Speed, String>>, String> {
    let links: Vec<Link> = kinds.iter().map(|_| link()).collect::<Result<_, _>>()?;
    let mut stations: Vec<Result<Station<'_>, String>> = kinds
        .iter()
        .zip(&links)
        .map(|(kind, link)| Station::open(*kind, link, files, (clients, window)))
        .collect();
    for _ in 0..SLICES {
        for station in &mut stations {
            if let Ok(open) = station
                && let Err(why) = open.slice()
            {
                *station = Err(why);
            }
        }
    }
    Ok(stations.into_iter().map(|station| station?.speed()).collect())
}

/// A link whose clients have addresses of their own.
fn link() -> Result<Link, String> {
    let link = Link::unshaped()?;
    // Their neighbour is one: a thousand entries would be a measurement of the kernel's table.
    link.server.ip(&format!("route add {FIRST_CLIENT}/{CLIENTS_PREFIX} via {CLIENTS}"))?;
    link.clients.ip(&format!("route add local {FIRST_CLIENT}/{CLIENTS_PREFIX} dev {INTERFACE}"))?;
    Ok(link)
}

/// A server, who loads from it, and what has been measured.
struct Station<'a> {
    link: &'a Link,
    _running: Running<'a>,
    clients: clients::Clients,
    octets: u64,
    time: Duration,
    processor: Duration,
    retries: u64,
    refused: u64,
}

impl<'a> Station<'a> {
    /// Starts the server, and lets its clients load for as long as that is not measured.
    fn open(
        kind: Kind,
        link: &'a Link,
        files: &Files,
        (clients, window_blocks): (u32, u16),
    ) -> Result<Self, String> {
        let running = Running::start(kind, link, files)?;
        if !matches!(kind, Kind::HeorotUnpinned | Kind::HeorotSenders) {
            processor::pin(&link.server, processor::OF_SERVERS)?;
        }
        let path = WHOLE.to_owned();
        let wish = clients::Wish { server: SERVER, path, window_blocks, first: FIRST_CLIENT, clients };
        let clients = link.clients.enter(|| {
            processor::pin_this_thread(processor::OF_CLIENTS)?;
            let mut clients = clients::Clients::open(&wish)?;
            clients.run(WARM_UP)?;
            Ok(clients)
        })?;
        Ok(Self {
            link,
            _running: running,
            clients,
            octets: 0,
            time: Duration::ZERO,
            processor: Duration::ZERO,
            retries: 0,
            refused: 0,
        })
    }

    fn slice(&mut self) -> Result<(), String> {
        let Self { link, clients, .. } = self;
        let (before, after) = link.clients.enter(|| {
            processor::pin_this_thread(processor::OF_CLIENTS)?;
            let used = processor::used(&link.server)?;
            let before = (clients.counted(), used);
            clients.run(SLICE)?;
            Ok((before, (clients.counted(), processor::used(&link.server)?)))
        })?;
        self.octets += after.0.octets - before.0.octets;
        self.time += after.0.at - before.0.at;
        self.processor += after.1 - before.1;
        self.retries += after.0.retries - before.0.retries;
        self.refused += after.0.refused - before.0.refused;
        Ok(())
    }

    fn speed(self) -> Result<Speed, String> {
        let (octets, processor) = (self.octets as f64, self.processor.as_secs_f64());
        if octets == 0.0 || processor == 0.0 {
            return Err("nothing came".into());
        }
        Ok(Speed {
            octets_per_second: octets / self.time.as_secs_f64(),
            octets_per_processor_second: octets / processor,
            retries: self.retries,
            refused: self.refused,
        })
    }
}

/// The run in the middle, by what a second of processor carries.
fn median(runs: &[Speed]) -> Option<Speed> {
    let mut sorted = runs.to_vec();
    sorted.sort_by(|a, b| a.octets_per_processor_second.total_cmp(&b.octets_per_processor_second));
    sorted.get(sorted.len().saturating_sub(1) / 2).copied()
}

fn line(name: &str, speed: Option<Speed>, bare: Option<Speed>, failed: Option<String>) -> String {
    let Some(speed) = speed else {
        return format!("{name:<18}{}\n", failed.unwrap_or_default().replace('\n', "\n    "));
    };
    let of =
        |own: f64, bare: Option<f64>| bare.map_or_else(|| "-".into(), |bare| format!("{:.2}", own / bare));
    format!(
        "{name:<18}{:>9.1}{:>14.1}{:>9}{:>9}{:>8}{:>8}\n",
        speed.octets_per_second / 1e6,
        speed.octets_per_processor_second / 1e6,
        of(speed.octets_per_processor_second, bare.map(|bare| bare.octets_per_processor_second)),
        of(speed.octets_per_second, bare.map(|bare| bare.octets_per_second)),
        speed.retries,
        speed.refused
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_run_in_the_middle_is_told_beside_the_bare_loop() {
        let speed = |megabytes: f64| Speed {
            octets_per_second: megabytes * 1e6,
            octets_per_processor_second: megabytes * 2e6,
            retries: 1,
            refused: 0,
        };
        let middle = median(&[speed(30.0), speed(10.0), speed(20.0)]).unwrap();
        assert_eq!(middle, speed(20.0));
        let line = line("heorot", Some(middle), Some(speed(25.0)), None);
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(words, ["heorot", "20.0", "40.0", "0.80", "0.80", "1", "0"]);
        assert_eq!(median(&[]), None);
    }
}
