//! `heorot storm`: what can be said to it.

use super::{Exit, Form, complain, print};
use crate::storm::{self, Clients, Mix, Settings};
use clap::Args;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

/// As many hosts as a /16 holds.
const NODES_MAX: u64 = 65_000;

#[derive(Debug, Args)]
pub(super) struct Storm {
    /// The interface on whose link the machines are: a veth, best in a network namespace
    #[arg(long, value_name = "NAME")]
    interface: String,
    /// The server; what others say is not heard
    #[arg(long, value_name = "ADDRESS")]
    server: Option<Ipv4Addr>,
    /// How many machines
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=NODES_MAX))]
    nodes: u64,
    /// Parts of each kind of machine: edk2, ipxe, pxelinux, grub, shim, intel-bios, raspberry-pi, no-last-ack, odd-names; else as `heorot rehearse`
    #[arg(long, value_name = "KIND=PARTS,…")]
    mix: Option<Mix>,
    /// A file on the server that machines load after their boot file, if no file made for them says otherwise; may be repeated
    #[arg(long = "image", value_name = "FILE")]
    images: Vec<String>,
    /// All are switched on within this
    #[arg(long, value_name = "DURATION", default_value = "100ms", value_parser = duration)]
    within: Duration,
    /// The same seed has the same machines, with the same hardware addresses
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Those that are not done by then count as unfinished
    #[arg(long, value_name = "LIMIT", default_value_t = 600)]
    seconds: u64,
    /// The link's rate, for the ideal: 200Mbit, 1Gbit
    #[arg(long, value_name = "RATE", value_parser = rate)]
    link: Option<u64>,
    /// Do not boot one machine of each kind alone before, for the ideal
    #[arg(long)]
    no_calibration: bool,
    /// TFTP clients alone, without DHCP: one file of --image each, in blocks of 1468
    #[arg(long, requires = "server")]
    plain: bool,
    /// With --plain: the first client's address; the others follow
    #[arg(long, value_name = "ADDRESS", requires = "plain", required_if_eq("plain", "true"))]
    addresses: Option<Ipv4Addr>,
    /// With --plain: the window that clients ask for
    #[arg(long, value_name = "BLOCKS", requires = "plain", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    window: u16,
    /// With --plain: after how long without a packet a client repeats itself, six sends in all; or its wait after each of its sends, and after the last it gives up
    #[arg(long, value_name = "DURATION,…", requires = "plain", default_value = "3s", value_parser = duration, value_delimiter = ',')]
    retry: Vec<Duration>,
    /// This interface leads to a network that is there to be stormed
    #[arg(long)]
    yes_this_network: bool,
    /// Form of the report
    #[arg(short, long, value_enum, default_value_t = Form::Table)]
    output: Form,
}

/// Lets it loose, and tells.
pub(super) fn run(storm: Storm) -> Exit {
    let form = storm.output;
    match storm::run(&storm.settings()) {
        Ok(report) => {
            match form {
                Form::Table => print(&report.text()),
                Form::Json => {
                    print(&(serde_json::to_string(&report).expect("it has only names for keys") + "\n"))
                }
            }
            if report.is_whole() { Exit::Ok } else { Exit::Failed }
        }
        Err(problem) => complain(&problem, Exit::Usage),
    }
}

impl Storm {
    fn settings(self) -> Settings {
        let clients = match self.addresses.filter(|_| self.plain) {
            Some(first) => Clients::Plain { first, window_blocks: self.window, waits: waits(&self.retry) },
            None => Clients::Machines { mix: self.mix.unwrap_or_default(), calibrates: !self.no_calibration },
        };
        Settings {
            interface: self.interface,
            is_sure: self.yes_this_network,
            server: self.server,
            nodes: usize::try_from(self.nodes).unwrap_or(usize::MAX),
            images: self.images,
            within: self.within,
            seed: self.seed,
            limit: Duration::from_secs(self.seconds),
            link_bits_per_second: self.link,
            clients,
            shows_progress: self.output == Form::Table,
        }
    }
}

/// The waits after each send. One alone holds for all, and so often as EDK2 sends.
fn waits(retry: &[Duration]) -> Arc<[Duration]> {
    const SENDS: usize = 6;
    match retry {
        [every] => [*every; SENDS].into(),
        each => each.into(),
    }
}

/// As `100ms`, `3s`, `2m`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (count, unit) = text.split_at(digits);
    let milliseconds = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        _ => return Err("a number and its unit, as 100ms, 3s or 2m".into()),
    };
    let count: u64 = count.parse().map_err(|_| "a number and its unit, as 100ms, 3s or 2m")?;
    count.checked_mul(milliseconds).map(Duration::from_millis).ok_or_else(|| "longer than time is".into())
}

/// As `200Mbit`, `1Gbit`: bits per second.
pub(super) fn rate(text: &str) -> Result<u64, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (count, unit) = text.split_at(digits);
    let bits = match unit {
        "kbit" => 1_000,
        "Mbit" => 1_000_000,
        "Gbit" => 1_000_000_000,
        _ => return Err("a number and its unit, as 200Mbit or 1Gbit".into()),
    };
    let count: u64 = count.parse().map_err(|_| "a number and its unit, as 200Mbit or 1Gbit")?;
    count.checked_mul(bits).filter(|rate| *rate > 0).ok_or_else(|| "no link has this rate".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The patience of a client is either one wait, as often as EDK2 sends, or a ladder of its own.
    #[test]
    fn one_wait_is_that_of_every_send() {
        let [short, long] = [1, 2].map(Duration::from_secs);
        assert_eq!(*waits(&[long]), [long; 6]);
        assert_eq!(*waits(&[short, long]), [short, long]);
    }

    #[test]
    fn durations_and_rates_are_read() {
        for (text, expected) in [
            ("100ms", Some(Duration::from_millis(100))),
            ("3s", Some(Duration::from_secs(3))),
            ("2m", Some(Duration::from_secs(120))),
            ("0ms", Some(Duration::ZERO)),
            ("100", None),
            ("ms", None),
            ("-1s", None),
            ("99999999999999999999s", None),
            ("9999999999999999999m", None),
        ] {
            assert_eq!(duration(text).ok(), expected, "{text}");
        }
        for (text, expected) in [
            ("200Mbit", Some(200_000_000)),
            ("1Gbit", Some(1_000_000_000)),
            ("64kbit", Some(64_000)),
            ("0Mbit", None),
            ("200", None),
            ("200MB", None),
        ] {
            assert_eq!(rate(text).ok(), expected, "{text}");
        }
    }
}
