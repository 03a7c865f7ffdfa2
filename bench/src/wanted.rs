//! What was asked for, in words as `nodes=1000`.

use crate::servers::{KINDS, Kind};

/// Which of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bench {
    Storm,
    Plain,
    Speed,
    Loss,
}

/// All that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) bench: Bench,
    pub(crate) nodes: u32,
    pub(crate) image_octets: usize,
    /// Rates as `200Mbit`.
    pub(crate) links: Vec<String>,
    /// As `heorot storm` has it; none: its own.
    pub(crate) mix: Option<String>,
    pub(crate) within: String,
    pub(crate) seed: u64,
    pub(crate) runs: u64,
    pub(crate) servers: Vec<Kind>,
    /// Plain clients and the window that they ask for.
    pub(crate) windows: Vec<(u32, u16)>,
}

const USAGE: &str = "usage: heorot-bench storm|plain|speed|loss [nodes=1000] [image=1MB] [link=200Mbit,…] [mix=edk2=2,ipxe=1] [within=100ms] [seed=1]
       [runs=1] [servers=heorot,heorot-auto,heorot-unpinned,heorot-senders,heorot-before,dnsmasq,dhcpd+tftpd-hpa,dhcpd+atftpd,bare-loop] [windows=1000x1,100x4,…]
       heorot-senders: with a thread that sends beside the loop, and heorot-unpinned: without; under `speed` these two may use both processors, of which the clients need one
       heorot-before: the program that HEOROT_BEFORE names
       heorot-bench dhcp …|dns …|nfs …|http …|start …|kills …, which say themselves what they take";

impl Wanted {
    /// Reads the words.
    ///
    /// # Errors
    /// How they should be.
    pub(crate) fn parse(words: &[String]) -> Result<Self, String> {
        let (bench, words) = match words.split_first() {
            Some((first, rest)) if first == "storm" => (Bench::Storm, rest),
            Some((first, rest)) if first == "plain" => (Bench::Plain, rest),
            Some((first, rest)) if first == "speed" => (Bench::Speed, rest),
            Some((first, rest)) if first == "loss" => (Bench::Loss, rest),
            _ => return Err(USAGE.into()),
        };
        let links = match bench {
            Bench::Storm => vec!["200Mbit".to_owned()],
            Bench::Plain => vec!["200Mbit".to_owned(), "100Mbit".to_owned()],
            Bench::Speed | Bench::Loss => Vec::new(),
        };
        let (image_octets, runs, servers, windows) = match bench {
            Bench::Storm | Bench::Plain => {
                (1_000_000, 1, KINDS.to_vec(), vec![(1000, 1), (100, 4), (100, 16), (100, 64)])
            }
            // None of them is told a rate: there is none.
            Bench::Speed => (
                16_000_000,
                5,
                vec![Kind::Bare, Kind::HeorotAuto, Kind::Dnsmasq, Kind::TftpdHpa, Kind::Atftpd],
                vec![(10, 1), (100, 1), (1000, 1), (10, 16), (100, 16)],
            ),
            Bench::Loss => (1_000_000, 5, vec![Kind::HeorotAuto, Kind::Dnsmasq], Vec::new()),
        };
        let mut wanted = Self {
            bench,
            // Few: it is each client's own time that counts, and not what all share.
            nodes: if bench == Bench::Loss { 20 } else { 1000 },
            image_octets,
            links,
            mix: None,
            within: "100ms".to_owned(),
            seed: 1,
            runs,
            servers,
            windows,
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
        match key {
            "nodes" => self.nodes = value.parse().ok()?,
            "image" => self.image_octets = octets(value)?,
            "link" => self.links = value.split(',').map(rate).collect::<Option<_>>()?,
            "mix" => self.mix = Some(value.to_owned()),
            "within" => value.clone_into(&mut self.within),
            "seed" => self.seed = value.parse().ok()?,
            "runs" => self.runs = value.parse().ok().filter(|runs| *runs > 0)?,
            "servers" => self.servers = value.split(',').map(server).collect::<Option<_>>()?,
            "windows" => self.windows = value.split(',').map(window).collect::<Option<_>>()?,
            _ => return None,
        }
        Some(())
    }
}

/// `1MB`, `300kB`.
fn octets(text: &str) -> Option<usize> {
    let (count, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let unit = match unit {
        "kB" => 1_000,
        "MB" => 1_000_000,
        _ => return None,
    };
    count.parse::<usize>().ok()?.checked_mul(unit)
}

/// `200Mbit`: heorot, `heorot storm` and, in small letters, `tc` read it.
fn rate(text: &str) -> Option<String> {
    let digits = text.strip_suffix("Mbit").or_else(|| text.strip_suffix("Gbit"))?;
    digits.parse::<u32>().ok().filter(|rate| *rate > 0).map(|_| text.to_owned())
}

fn server(name: &str) -> Option<Kind> {
    KINDS
        .into_iter()
        .chain([Kind::Bare, Kind::HeorotUnpinned, Kind::HeorotSenders, Kind::HeorotBefore])
        .find(|kind| kind.name() == name)
}

/// `100x4`: a hundred clients with windows of 4.
fn window(text: &str) -> Option<(u32, u16)> {
    let (clients, blocks) = text.split_once('x')?;
    Some((clients.parse().ok()?, blocks.parse().ok().filter(|blocks| *blocks > 0)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Wanted, String> {
        Wanted::parse(&text.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn words_are_read() {
        let wanted = parse(
            "storm nodes=50 image=300kB link=100Mbit mix=edk2=2,ipxe=1 servers=heorot,dnsmasq runs=3 within=",
        )
        .unwrap();
        assert_eq!((wanted.nodes, wanted.image_octets, wanted.runs), (50, 300_000, 3));
        assert_eq!(
            (wanted.links, wanted.mix.as_deref()),
            (vec!["100Mbit".to_owned()], Some("edk2=2,ipxe=1"))
        );
        assert_eq!((wanted.servers, wanted.within.as_str()), (vec![Kind::Heorot, Kind::Dnsmasq], "100ms"));
        assert_eq!(parse("plain windows=10x1,5x64").unwrap().windows, [(10, 1), (5, 64)]);
        let of_all = parse("speed servers=heorot-unpinned,heorot-senders").unwrap().servers;
        assert_eq!(of_all, [Kind::HeorotUnpinned, Kind::HeorotSenders]);
    }

    #[test]
    fn what_is_not_understood_is_told() {
        for text in [
            "",
            "boot",
            "storm nodes",
            "storm nodes=x",
            "storm link=200",
            "storm servers=tftpd",
            "plain windows=10x0",
            "storm runs=0",
            "storm x=1",
        ] {
            assert!(parse(text).unwrap_err().contains("usage"), "{text}");
        }
    }
}
