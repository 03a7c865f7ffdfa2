//! What goes out by the host's interfaces, whoever sends it.

use heorot_core::limit::LOAD_TICK;
use heorot_core::time::Time;
use std::collections::BTreeMap;
use std::fs::File;
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
/// Octets of the counters that are read: those of some five hundred interfaces.
const TEXT_OCTETS: usize = 64 * 1024;

impl Traffic {
    /// Opens the counters of the network namespace that we are in. None: there are none, and nobody else's traffic is known of.
    pub(crate) fn open() -> Option<Self> {
        let counters = File::open("/proc/self/net/dev").ok()?;
        Some(Self { counters, text: vec![0; TEXT_OCTETS], last: BTreeMap::new(), told: None })
    }

    /// Whether it is time to look again.
    pub(crate) fn is_due(&self, now: Time) -> bool {
        self.told.is_none_or(|told| now.since(told) >= LOAD_TICK)
    }

    /// Octets on the wire that each interface has sent since this was asked last. What was not looked at for long is not told.
    pub(crate) fn since_last(&mut self, now: Time) -> BTreeMap<String, u64> {
        let is_fresh = self.told.is_some_and(|told| now.since(told) < 10 * LOAD_TICK);
        self.told = Some(now);
        let Ok(octets) = self.counters.read_at(&mut self.text, 0) else { return BTreeMap::new() };
        let totals = sent(&String::from_utf8_lossy(&self.text[..octets]));
        let before = std::mem::replace(&mut self.last, totals);
        let risen =
            |(name, total): (&String, &u64)| Some((name.clone(), total.checked_sub(*before.get(name)?)?));
        if is_fresh { self.last.iter().filter_map(risen).collect() } else { BTreeMap::new() }
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
    fn only_what_was_sent_between_two_looks_is_told() {
        let at = |milliseconds| Time::from_nanoseconds(1 << 40) + Duration::from_millis(milliseconds);
        let mut traffic = Traffic::open().unwrap();
        assert!(traffic.is_due(at(0)) && traffic.since_last(at(0)).is_empty());
        assert!(!traffic.is_due(at(49)) && traffic.is_due(at(50)));
        assert!(traffic.since_last(at(50)).contains_key("lo"));
        assert!(traffic.since_last(at(5000)).is_empty(), "that was another time");
    }
}
