//! What was asked for, in words as `runs=5`.

use super::servers::{PEERS, Peer};
use super::{Case, KNOWN};
use std::time::Duration;

/// All that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) runs: u32,
    pub(super) servers: Vec<Peer>,
    only: Vec<What>,
    /// How many clients are under way at a time.
    at_once: Vec<u32>,
    /// Fresh hosts.
    hosts: u32,
    /// How long a load lasts, at most.
    seconds: u32,
}

/// Kinds of cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Fresh,
    Known,
    Burst,
    Instant,
    Reservations,
}

const ALL: [(&str, What); 5] = [
    ("fresh", What::Fresh),
    ("known", What::Known),
    ("burst", What::Burst),
    ("instant", What::Instant),
    ("reservations", What::Reservations),
];

const USAGE: &str = "usage: heorot-bench dhcp [runs=5] [servers=heorot,kea,dnsmasq] [only=fresh,known,burst,instant,reservations]
       [at-once=1,32,512] [hosts=10000] [seconds=3]";

/// heorot keeps 16,384 nodes, and the ranges have no more addresses.
const HOSTS_MAX: u32 = 16_000;
/// A few listed hosts, and many.
const FEW: u32 = 10;
const MANY: u32 = 10_000;

impl Wanted {
    /// Reads the words.
    ///
    /// # Errors
    /// How they should be.
    pub(super) fn parse(words: &[String]) -> Result<Self, String> {
        let mut wanted = Self {
            runs: 5,
            servers: PEERS.to_vec(),
            only: ALL.map(|(_, what)| what).to_vec(),
            at_once: vec![1, 32, 512],
            hosts: 10_000,
            seconds: 3,
        };
        for word in words {
            wanted.take(word).ok_or_else(|| format!("{word:?} is not understood\n{USAGE}"))?;
        }
        Ok(wanted)
    }

    /// The tables, in their order.
    pub(super) fn cases(&self) -> Vec<Case> {
        let within = Duration::from_secs(self.seconds.into());
        let of = |what: &What| match what {
            What::Fresh => self.at_once.iter().map(|n| Case::fresh(self.hosts, *n, within)).collect(),
            What::Known => {
                let of = |at_once: u32| {
                    let title = format!("{KNOWN} known hosts, {at_once} at a time");
                    Case::known(title, KNOWN, 0..KNOWN, at_once, within)
                };
                self.at_once.iter().map(|n| of(*n)).collect()
            }
            What::Burst => vec![Case::burst()],
            What::Instant => vec![Case::instant()],
            What::Reservations => {
                let of = |known: u32, used: std::ops::Range<u32>| {
                    let title = format!("{} of {known} known hosts, 8 at a time", used.end - used.start);
                    Case::known(title, known, used, 8, within)
                };
                vec![of(FEW, 0..FEW), of(MANY, MANY - FEW..MANY), of(MANY, 0..MANY)]
            }
        };
        self.only.iter().flat_map(of).collect()
    }

    fn take(&mut self, word: &str) -> Option<()> {
        let (key, value) = word.split_once('=')?;
        // What a Makefile leaves empty was not asked for.
        if value.is_empty() {
            return Some(());
        }
        let number = || value.parse::<u32>().ok().filter(|number| *number > 0);
        let many = || value.split(',');
        match key {
            "runs" => self.runs = number().filter(|runs| *runs <= 99)?,
            "servers" => self.servers = many().map(server).collect::<Option<_>>()?,
            "only" => self.only = many().map(what).collect::<Option<_>>()?,
            "at-once" => self.at_once = many().map(|n| n.parse().ok()).collect::<Option<_>>()?,
            "hosts" => self.hosts = number().filter(|hosts| *hosts <= HOSTS_MAX)?,
            "seconds" => self.seconds = number()?,
            _ => return None,
        }
        Some(())
    }
}

fn server(name: &str) -> Option<Peer> {
    PEERS.into_iter().find(|peer| peer.name() == name)
}

fn what(name: &str) -> Option<What> {
    ALL.into_iter().find(|(known, _)| *known == name).map(|(_, what)| what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Wanted, String> {
        Wanted::parse(&text.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn words_choose_cases() {
        let wanted = parse("runs=3 servers=kea,heorot only=fresh,burst at-once=1,8 hosts=").unwrap();
        assert_eq!((wanted.runs, wanted.servers.as_slice()), (3, &[Peer::Kea, Peer::Heorot][..]));
        let titles: Vec<String> = wanted.cases().into_iter().map(|case| case.title).collect();
        assert_eq!(
            titles,
            ["Fresh hosts, 1 at a time", "Fresh hosts, 8 at a time", "A burst of 500 fresh hosts"]
        );
        assert_eq!(parse("").unwrap().cases().len(), 3 + 3 + 1 + 1 + 3);
    }

    #[test]
    fn what_is_not_understood_is_told() {
        for text in ["runs", "runs=0", "servers=bootpd", "only=all", "hosts=99999", "at-once=x", "x=1"] {
            assert!(parse(text).unwrap_err().contains("usage"), "{text}");
        }
    }
}
