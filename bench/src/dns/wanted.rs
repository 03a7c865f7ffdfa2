//! What was asked for, in words as `runs=5`.

use super::questions::{ALL, Asked};
use super::servers::{PEERS, Peer};
use std::time::Duration;

/// All that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) runs: u32,
    pub(super) servers: Vec<Peer>,
    pub(super) only: Vec<Asked>,
    /// Questions under way at a time.
    pub(super) at_once: usize,
    /// Questions a second, where that is given.
    pub(super) rate: u32,
    /// How long a load lasts.
    pub(super) within: Duration,
    /// How long to wait for others to leave the machine alone, before each run.
    pub(super) quiet: Duration,
    /// Whether `dnsperf` asks as well.
    pub(super) dnsperf: bool,
    /// Names while so many machines boot; 0: not at all.
    pub(super) storm: u32,
}

const USAGE: &str =
    "usage: heorot-bench dns [runs=5] [servers=heorot,knotd,nsd,unbound,dnsmasq] [only=names,ptr,forwards]
       [at-once=100] [rate=20000] [seconds=3] [quiet=2] [dnsperf=yes] [storm=1000]";

/// No more than half of what has an id.
const AT_ONCE_MAX: usize = 1 << 15;

impl Wanted {
    /// Reads the words.
    ///
    /// # Errors
    /// How they should be.
    pub(super) fn parse(words: &[String]) -> Result<Self, String> {
        let mut wanted = Self {
            runs: 5,
            servers: PEERS.to_vec(),
            only: ALL.to_vec(),
            at_once: 100,
            rate: 20_000,
            within: Duration::from_secs(3),
            quiet: Duration::from_secs(2),
            dnsperf: true,
            storm: 1000,
        };
        for word in words {
            wanted.take(word).ok_or_else(|| format!("{word:?} is not understood\n{USAGE}"))?;
        }
        Ok(wanted)
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
            "only" if value == "storm" => self.only.clear(),
            "only" => {
                self.only = many().map(asked).collect::<Option<_>>()?;
                self.storm = 0;
            }
            "at-once" => {
                self.at_once = usize::try_from(number()?).ok().filter(|at_once| *at_once <= AT_ONCE_MAX)?
            }
            "rate" => self.rate = number()?,
            "seconds" => self.within = Duration::from_secs(number()?.into()),
            "quiet" => self.quiet = Duration::from_secs(value.parse().ok()?),
            "dnsperf" => self.dnsperf = ["no", "yes"].iter().position(|word| *word == value)? == 1,
            "storm" => self.storm = value.parse().ok()?,
            _ => return None,
        }
        Some(())
    }
}

fn server(name: &str) -> Option<Peer> {
    PEERS.into_iter().find(|peer| peer.name() == name)
}

fn asked(name: &str) -> Option<Asked> {
    ALL.into_iter().find(|asked| asked.name() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Wanted, String> {
        Wanted::parse(&text.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn words_choose_what_is_run() {
        let wanted = parse("runs=3 servers=knotd,heorot only=ptr seconds=1 dnsperf=no rate=").unwrap();
        assert_eq!((wanted.runs, wanted.servers.as_slice()), (3, &[Peer::Knot, Peer::Heorot][..]));
        assert_eq!(
            (wanted.only.as_slice(), wanted.dnsperf, wanted.storm),
            (&[Asked::Pointers][..], false, 0)
        );
        assert_eq!((wanted.rate, wanted.within), (20_000, Duration::from_secs(1)));
        let storm = parse("only=storm").unwrap();
        assert_eq!((storm.only.len(), storm.storm), (0, 1000));
    }

    #[test]
    fn what_is_not_understood_is_told() {
        for text in ["runs", "runs=0", "servers=bind", "only=all", "at-once=99999", "dnsperf=perhaps", "x=1"]
        {
            assert!(parse(text).unwrap_err().contains("usage"), "{text}");
        }
    }
}
