//! DHCP servers beside each other, asked by the same clients: `make bench-dhcp`.
//!
//! ```text
//!   namespace "server"                     namespace "clients"
//!   a server, 10.77.0.1 on eth1 ──veth── eth1: thousands of hosts, each with its own hardware address
//! ```
//!
//! The clients are this program's own, on a packet socket: [`clients`] decides, [`packet`] writes and reads, [`socket`] sends and takes. Each server in turn is
//! started with nothing known ([`servers`]), asked, and ended. What counts is the processor's time for an exchange: the rate is that of two processors which also
//! carry the clients and whatever else this host does.

mod clients;
mod figures;
pub(crate) mod packet;
pub(crate) mod servers;
mod socket;
mod wanted;

use crate::files::Files;
use crate::link::{INTERFACE, Link};
use crate::{process, say};
use clients::{Load, Outcome};
use figures::Figures;
use heorot_lab::network;
use servers::Peer;
use socket::Socket;
use std::collections::BTreeMap;
use std::io::Write;
use std::net::Ipv4Addr;
use std::ops::Range;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};
use wanted::Wanted;

/// Hosts that are known, where all of them are used.
const KNOWN: u32 = 1000;
/// A storm without any jitter, and a burst.
const INSTANT: u32 = 1000;
const BURST: u32 = 500;
/// UEFI firmware repeats its DISCOVER after so long for the first time.
const REPEATS_AFTER: Duration = Duration::from_secs(4);
/// A burst is over by then, or was lost.
const BURST_ENDS: Duration = Duration::from_secs(20);
/// What is answered at all is answered by then; shorter than any client's repeat of UEFI firmware.
const INSTANT_ENDS: Duration = Duration::from_secs(3);
/// A server's work goes on for a moment after its last answer: what it writes without making anybody wait.
const AFTERMATH: Duration = Duration::from_millis(300);
/// All nodes boot in far less.
const BOOTS_WITHIN: Duration = Duration::from_secs(120);
/// In the seconds that a load lasts no server comes as far as this.
const NO_END: u32 = u32::MAX;
/// A server under load that is to be killed is killed by then, and so many hosts ask it at a time.
pub(crate) const KILLED_WITHIN: Duration = Duration::from_millis(150);
const KILLED_AT_ONCE: u32 = 64;

/// One table.
#[derive(Clone, Debug)]
struct Case {
    title: String,
    known: Range<u32>,
    /// What has happened before it counts.
    before: Option<Load>,
    load: Load,
}

/// Runs all cases that are wanted.
///
/// # Errors
/// In words: what was asked for is not understood, or root's rights are missing.
pub(crate) fn beside_others(words: &[String]) -> Result<(), String> {
    let wanted = Wanted::parse(words)?;
    let files = Files::new(1_000_000)?;
    let cable = Link::unshaped()?;
    say(&format!(
        "Records are kept on {}; writing one and syncing it takes {} µs.\n\
         CPU is user and system time of the server's threads, with the softirqs that run on them: that is the way of an answer to the client's socket.\n",
        process::file_system(&files.room("state")),
        sync_microseconds(&files.room("sync")).map_err(|error| format!("the disk: {error}"))?
    ));
    for case in wanted.cases() {
        say(&format!("\n{}, medians of {}\n{}", case.title, wanted.runs, figures::head()));
        let mut all: Vec<Vec<Figures>> = vec![Vec::new(); wanted.servers.len()];
        for run in 0..wanted.runs {
            for (peer, figures) in wanted.servers.iter().zip(&mut all) {
                let result = measure(*peer, &case, run, &cable, &files);
                figures.push(result.unwrap_or_else(|why| Figures::none(&why)));
            }
        }
        let medians: Vec<Figures> = all.iter().map(|figures| figures::medians(figures)).collect();
        for (peer, figures) in wanted.servers.iter().zip(&medians) {
            say(&figures::line(peer.name(), figures, &medians[0]));
        }
    }
    Ok(())
}

/// Has so many hosts boot, once each; the `number`th time that they do.
///
/// # Errors
/// In words: one of them gets no address.
pub(crate) fn boot_all(cable: &Link, hosts: u32, number: u32) -> Result<(), String> {
    let load = Case::fresh(hosts, 32, BOOTS_WITHIN).load;
    // No exchange has the number of an earlier one.
    let outcome = ask(cable, &load, number << 24)?;
    if outcome.done == hosts { Ok(()) } else { Err(format!("only {} hosts of {hosts} booted", outcome.done)) }
}

/// Has the next of so many fresh hosts boot, until the server is ended by `end` after a while. What each was acknowledged.
///
/// # Errors
/// In words: the clients' own.
pub(crate) fn boot_until(
    cable: &Link,
    hosts: Range<u32>,
    number: u32,
    end: impl FnOnce() + Send,
) -> Result<BTreeMap<u32, Ipv4Addr>, String> {
    let within = 2 * KILLED_WITHIN;
    let load =
        Load { exchanges: hosts.end - hosts.start, hosts, ..Case::fresh(0, KILLED_AT_ONCE, within).load };
    let interface = network::interface(&cable.clients, INTERFACE)?.index;
    let outcome = cable.clients.enter(|| {
        let mut socket = Socket::open(interface).map_err(|error| format!("a packet socket: {error}"))?;
        thread::scope(|scope| {
            scope.spawn(end);
            clients::run(&mut socket, &load, number)
                .map_err(|error| format!("the clients' interface: {error}"))
        })
    })?;
    Ok(outcome.leases)
}

/// One server, one load.
fn measure(peer: Peer, case: &Case, run: u32, cable: &Link, files: &Files) -> Result<Figures, String> {
    let mut running = peer.start(cable, files, &case.known)?;
    let process = running.process_ids().next().ok_or("nothing runs")?;
    let time = || process::processor_time(process).ok_or("the server is gone");
    // No exchange has the number of an earlier one.
    let number = |part: u32| (2 * run + part) << 24;
    if let Some(before) = &case.before {
        ask(cable, before, number(0))?;
    }
    let before = time()?;
    let outcome = ask(cable, &case.load, number(1));
    let used = time()? - before;
    if let Some(ended) = running.ended() {
        return Err(format!("{ended}: {}", running.tail()));
    }
    outcome.map(|outcome| Figures::of(&case.load, &outcome, used))
}

/// Has hosts ask, and lets the server finish what it does besides.
fn ask(cable: &Link, load: &Load, number: u32) -> Result<Outcome, String> {
    let interface = network::interface(&cable.clients, INTERFACE)?.index;
    let outcome = cable.clients.enter(|| {
        let mut socket = Socket::open(interface).map_err(|error| format!("a packet socket: {error}"))?;
        clients::run(&mut socket, load, number).map_err(|error| format!("the clients' interface: {error}"))
    });
    thread::sleep(AFTERMATH);
    outcome
}

impl Case {
    /// Hosts that nobody has seen before.
    fn fresh(hosts: u32, at_once: u32, within: Duration) -> Self {
        let load = Load {
            hosts: 0..hosts,
            exchanges: hosts,
            at_once,
            within,
            repeats_after: REPEATS_AFTER,
            takes: true,
        };
        Self { title: format!("Fresh hosts, {at_once} at a time"), known: 0..0, before: None, load }
    }

    /// Some of the hosts that the configuration knows, each of which has been there before.
    fn known(title: String, known: u32, used: Range<u32>, at_once: u32, within: Duration) -> Self {
        let first = Load {
            exchanges: used.end - used.start,
            at_once: at_once.min(32),
            within: 3 * within,
            repeats_after: REPEATS_AFTER,
            takes: true,
            hosts: used,
        };
        let load = Load { exchanges: NO_END, at_once, within, ..first.clone() };
        Self { title, known: 0..known, before: Some(first), load }
    }

    /// All hosts at once, once.
    fn burst() -> Self {
        let mut case = Self::fresh(BURST, BURST, BURST_ENDS);
        case.title = format!("A burst of {BURST} fresh hosts");
        case
    }

    /// A DISCOVER from each, of which none is repeated.
    fn instant() -> Self {
        let mut case = Self::fresh(INSTANT, INSTANT, INSTANT_ENDS);
        case.title = format!("{INSTANT} DISCOVERs in one instant, none of them repeated");
        case.load.takes = false;
        case.load.repeats_after = 2 * INSTANT_ENDS;
        case
    }
}

/// What the disk takes for an octet that has to be on it: the median of some.
fn sync_microseconds(path: &Path) -> std::io::Result<u128> {
    let mut file = std::fs::File::create(path)?;
    let mut took = Vec::new();
    for _ in 0..31 {
        let start = Instant::now();
        file.write_all(b"x")?;
        file.sync_data()?;
        took.push(start.elapsed().as_micros());
    }
    took.sort_unstable();
    Ok(took[took.len() / 2])
}
