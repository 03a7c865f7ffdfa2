//! What goes out by the host's interfaces, whoever sends it.

use heorot_core::limit::LOAD_TICK;
use heorot_core::time::Time;
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// The kernel's counters, which it writes anew for each reading and from memory: nothing here waits for a disk.
#[derive(Debug)]
pub(crate) struct Traffic {
    counters: File,
    text: Vec<u8>,
    last: BTreeMap<String, u64>,
    told: Option<Time>,
}

/// Octets of a frame that the kernel does not count: check sum, preamble and gap.
const UNCOUNTED_OCTETS: u64 = 4 + 20;
/// Octets of the counters that are read: those of some ten thousand interfaces.
const TEXT_OCTETS_MAX: usize = 1 << 20;
/// Room for as many as the kernel gives at a time, which is about a page.
const PART_OCTETS: usize = 8 * 1024;

impl Traffic {
    /// Opens the counters of the network namespace that we are in. None: there are none, and nobody else's traffic is known of.
    pub(crate) fn open() -> Option<Self> {
        let counters = File::open("/proc/self/net/dev").ok()?;
        Some(Self { counters, text: Vec::new(), last: BTreeMap::new(), told: None })
    }

    /// Whether it is time to look again.
    pub(crate) fn is_due(&self, now: Time) -> bool {
        self.told.is_none_or(|told| now.since(told) >= LOAD_TICK)
    }

    /// Octets on the wire that each interface has sent since this was asked last. What was not looked at for long is not told.
    pub(crate) fn since_last(&mut self, now: Time) -> BTreeMap<String, u64> {
        let is_fresh = self.told.is_some_and(|told| now.since(told) < 10 * LOAD_TICK);
        self.told = Some(now);
        let Ok(octets) = read_whole(&mut self.text, |room, at| self.counters.read_at(room, at)) else {
            return BTreeMap::new();
        };
        let totals = sent(&String::from_utf8_lossy(&self.text[..octets]));
        let before = std::mem::replace(&mut self.last, totals);
        let risen =
            |(name, total): (&String, &u64)| Some((name.clone(), total.checked_sub(*before.get(name)?)?));
        if is_fresh { self.last.iter().filter_map(risen).collect() } else { BTreeMap::new() }
    }
}

/// Reads all parts of a file of which a read gives one, and goes on at a line: a host with thirty interfaces has more than one. How many octets, and the room grows as they do.
fn read_whole(
    text: &mut Vec<u8>,
    mut read: impl FnMut(&mut [u8], u64) -> io::Result<usize>,
) -> io::Result<usize> {
    let mut octets = 0;
    loop {
        if text.len() < octets + PART_OCTETS {
            if octets + PART_OCTETS > TEXT_OCTETS_MAX {
                return Ok(octets);
            }
            text.resize(octets + PART_OCTETS, 0);
        }
        match read(&mut text[octets..], octets as u64)? {
            0 => return Ok(octets),
            more => octets += more,
        }
    }
}

/// What each interface has sent in all, on the wire. A line is `NAME: RECEIVED... SENT...` with eight numbers each, octets and packets first (proc_pid_net(5)).
fn sent(text: &str) -> BTreeMap<String, u64> {
    let line = |line: &str| {
        let (name, numbers) = line.split_once(':')?;
        let mut numbers = numbers.split_ascii_whitespace().skip(8).map(str::parse::<u64>);
        let (octets, packets) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
        Some((name.trim().to_owned(), octets + packets * UNCOUNTED_OCTETS))
    };
    text.lines().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_kernels_table_is_understood() {
        let text = "Inter-|   Receive                                                |  Transmit\n \
            face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n    \
            lo:     100       2    0    0    0     0          0         0      300       4    0    0    0     0       0          0\n  \
            eth1:5 6 0 0 0 0 0 0 7000 10 0 0 0 0 0 0\n";
        let expected = BTreeMap::from([("lo".to_owned(), 300 + 4 * 24), ("eth1".to_owned(), 7000 + 10 * 24)]);
        assert_eq!(sent(text), expected);
    }

    #[test]
    fn all_parts_of_the_table_are_read() {
        let line = |number: u32| format!("eth{number}: 5 6 0 0 0 0 0 0 {number} 10 0 0 0 0 0 0\n");
        let table: String = (0..1000).map(line).collect();
        let mut text = Vec::new();
        for _ in 0..2 {
            // Whole lines, as many as fit into a page.
            let octets = read_whole(&mut text, |room, at| {
                let rest = &table.as_bytes()[usize::try_from(at).unwrap()..];
                let end = rest.len().min(4096).min(room.len());
                let end = rest[..end].iter().rposition(|octet| *octet == b'\n').map_or(0, |place| place + 1);
                room[..end].copy_from_slice(&rest[..end]);
                Ok(end)
            });
            let totals = sent(std::str::from_utf8(&text[..octets.unwrap()]).unwrap());
            assert_eq!((totals.len(), totals["eth999"]), (1000, 999 + 10 * 24));
        }
    }

    #[test]
    fn only_what_was_sent_between_two_looks_is_told() {
        let at = |milliseconds| Time::from_nanoseconds(1 << 40) + Duration::from_millis(milliseconds);
        let mut traffic = Traffic::open().unwrap();
        assert!(traffic.is_due(at(0)) && traffic.since_last(at(0)).is_empty());
        assert!(!traffic.is_due(at(49)) && traffic.is_due(at(50)));
        assert!(traffic.since_last(at(50)).contains_key("lo"));
        assert!(traffic.since_last(at(5000)).is_empty(), "that was another time");
    }
}
