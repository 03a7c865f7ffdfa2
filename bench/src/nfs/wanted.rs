//! What was asked for, in words as `runs=5`.

use super::servers::{PEERS, Peer};
use std::time::Duration;

/// All that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) runs: u32,
    pub(super) servers: Vec<Peer>,
    pub(super) connections: usize,
    /// Of the large file.
    pub(super) octets: u64,
    /// Of the tree.
    pub(super) files: usize,
    /// How long to wait for others to leave the machine alone, before each run.
    pub(super) quiet: Duration,
}

const USAGE: &str = "usage: heorot-bench nfs [runs=5] [servers=heorot,nfs-ganesha] [connections=4] [megabytes=512] [files=20000] [quiet=2]";

impl Wanted {
    /// Reads the words.
    ///
    /// # Errors
    /// How they should be.
    pub(super) fn parse(words: &[String]) -> Result<Self, String> {
        let mut wanted = Self {
            runs: 5,
            servers: PEERS.to_vec(),
            connections: 4,
            octets: 512_000_000,
            files: 20_000,
            quiet: Duration::from_secs(2),
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
        let number = |most: u32| value.parse::<u32>().ok().filter(|number| (1..=most).contains(number));
        match key {
            "runs" => self.runs = number(99)?,
            "servers" => self.servers = value.split(',').map(server).collect::<Option<_>>()?,
            "connections" => self.connections = number(64)? as usize,
            "megabytes" => self.octets = u64::from(number(8_000)?) * 1_000_000,
            "files" => self.files = number(1_000_000)? as usize,
            "quiet" => self.quiet = Duration::from_secs(value.parse().ok()?),
            _ => return None,
        }
        Some(())
    }
}

fn server(name: &str) -> Option<Peer> {
    PEERS.into_iter().find(|peer| peer.name() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Wanted, String> {
        Wanted::parse(&text.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn words_are_read_or_refused() {
        let wanted = parse("runs=3 servers=heorot connections=1 megabytes=64 files=100 quiet=0").unwrap();
        assert_eq!((wanted.runs, wanted.servers.as_slice(), wanted.connections), (3, &[Peer::Heorot][..], 1));
        assert_eq!((wanted.octets, wanted.files, wanted.quiet), (64_000_000, 100, Duration::ZERO));
        assert_eq!(parse("runs= servers="), parse(""));
        for wrong in ["runs=0", "runs=100", "servers=nfsd", "files", "speed=1", "connections=65"] {
            assert!(parse(wrong).unwrap_err().contains("usage: heorot-bench nfs"), "{wrong}");
        }
    }
}
