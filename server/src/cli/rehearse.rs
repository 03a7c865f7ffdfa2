//! `heorot rehearse`: what can be said to it.

use super::storm::{duration, rate};
use super::{Exit, Form, complain, print, print_error};
use crate::problem::{Problem, problem};
use crate::rehearse::{self, Place};
use crate::storm::Mix;
use clap::{Args, ValueEnum};
use heorot_sim::picture;
use heorot_sim::restore::interfaces::{Prefix, prefix};
use heorot_sim::restore::{ControlWord, Scenario};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// As many machines as a /16 holds.
const NODES_MAX: i64 = 65_000;

#[derive(Debug, Args)]
#[command(
    after_help = "All that is assumed is in --print-scenario; change it in a file and give that with --scenario.\nExit codes: 0 none is lost, 1 some are, 2 usage or configuration"
)]
pub(super) struct Rehearse {
    /// The server's configuration; its interfaces need not be there
    #[arg(long, value_name = "FILE", required_unless_present = "scenario")]
    config: Option<PathBuf>,
    /// How many machines
    #[arg(long, value_name = "N", required_unless_present = "scenario", value_parser = clap::value_parser!(u32).range(1..=NODES_MAX))]
    nodes: Option<u32>,
    /// Rate of the narrowest link between the server and the machines: 100Mbit, 1Gbit. The server knows it only if `load.link` says so
    #[arg(long, value_name = "RATE", required_unless_present = "scenario", value_parser = rate)]
    link: Option<u64>,
    /// Size of kernel and initial RAM disks together: 4MB, 60MiB
    #[arg(long, value_name = "SIZE", required_unless_present = "scenario", value_parser = size)]
    image: Option<u64>,
    /// Parts of each kind of machine: edk2, ipxe, pxelinux, grub, shim, intel-bios, raspberry-pi, no-last-ack, odd-names
    #[arg(long, value_name = "KIND=PARTS,…")]
    mix: Option<Mix>,
    /// Part of the frames that is lost on the wire: 1% or 0.01
    #[arg(long, value_name = "PART", value_parser = part)]
    loss: Option<f64>,
    /// The same seed is the same run
    #[arg(long)]
    seed: Option<u64>,
    /// How much of the server's load control is at work
    #[arg(long, value_enum)]
    control: Option<Control>,
    /// The server sees these machines for the first time: they get temporary addresses
    #[arg(long)]
    unknown: bool,
    /// Address of the server on networks that leave it to an interface which is not on this host: 10.77.0.1/16; may be repeated
    #[arg(long = "address", value_name = "ADDRESS/LENGTH", value_parser = address)]
    addresses: Vec<Prefix>,
    /// The time in which a server has to get its machines up to be enough for them
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = duration)]
    within: Duration,
    /// Find by simulation how many machines one server is enough for, not by arithmetic; takes many runs
    #[arg(long)]
    limit: bool,
    /// Begin with this scenario; what else is said replaces what it says
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
    /// Print the scenario, with everything that is assumed, and run nothing
    #[arg(long)]
    print_scenario: bool,
    /// Draw machines, sent bits and regime against time
    #[arg(long, value_name = "FILE.svg")]
    picture: Option<PathBuf>,
    /// Form of the report
    #[arg(short, long, value_enum, default_value_t = Form::Table)]
    output: Form,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Control {
    /// Each ACK is answered at once, windows are as asked for
    Nothing,
    /// The total is limited
    Total,
    /// Windows as well
    TotalAndWindows,
    /// Everything
    All,
}

/// Rehearses, and tells.
pub(super) fn run(wanted: Rehearse) -> Exit {
    match wanted.run() {
        Ok(exit) => exit,
        Err(problem) => complain(&problem, Exit::Usage),
    }
}

impl Rehearse {
    fn run(&self) -> Result<Exit, Problem> {
        let scenario = self.scenario()?;
        if self.print_scenario {
            print(&scenario.print());
            return Ok(Exit::Ok);
        }
        let place = match (&self.config, &scenario.config) {
            (Some(file), _) => Place::read(&file.display().to_string(), &read(file)?, &self.addresses)?,
            (None, Some(text)) => Place::read("scenario", text, &self.addresses)?,
            (None, None) => Place::usual(scenario.nodes)?,
        };
        for warning in place.warnings(&scenario)? {
            print_error(warning.trim_end());
        }
        let shows_progress = self.output == Form::Table;
        let rehearsal = rehearse::run(&place, &scenario, self.within, self.limit, |line| {
            if shows_progress {
                print_error(line);
            }
        })?;
        if let Some(file) = &self.picture {
            std::fs::write(file, picture::svg(&rehearsal.report))
                .map_err(|e| problem!("{} cannot be written: {e}", file.display()))?;
        }
        match self.output {
            Form::Table => print(&rehearsal.text()),
            Form::Json => {
                print(&(serde_json::to_string(&rehearsal).expect("it has only names for keys") + "\n"))
            }
        }
        Ok(if rehearsal.report.lost == 0 { Exit::Ok } else { Exit::Failed })
    }

    fn scenario(&self) -> Result<Scenario, Problem> {
        let mut scenario = match &self.scenario {
            Some(file) => {
                Scenario::parse(&read(file)?).map_err(|wrong| problem!("{}: {wrong}", file.display()))?
            }
            // What the configuration says of the link is all that the server is told, as when it serves.
            None => Scenario { link_known: false, ..Scenario::default() },
        };
        scenario.nodes = self.nodes.unwrap_or(scenario.nodes);
        scenario.link_bits_per_second = self.link.unwrap_or(scenario.link_bits_per_second);
        scenario.image_octets = self.image.unwrap_or(scenario.image_octets);
        scenario.loss = self.loss.unwrap_or(scenario.loss);
        scenario.seed = self.seed.unwrap_or(scenario.seed);
        scenario.numbered &= !self.unknown;
        if let Some(mix) = &self.mix {
            scenario.mix = mix.by_name();
        }
        scenario.control = match self.control {
            None => scenario.control,
            Some(Control::Nothing) => ControlWord::Nothing,
            Some(Control::Total) => ControlWord::Total,
            Some(Control::TotalAndWindows) => ControlWord::TotalAndWindows,
            Some(Control::All) => ControlWord::All,
        };
        scenario.check().map_err(Problem)?;
        Ok(scenario)
    }
}

fn read(file: &Path) -> Result<String, Problem> {
    std::fs::read_to_string(file).map_err(|e| problem!("{} cannot be read: {e}", file.display()))
}

/// As `4MB`, `4MiB`: octets.
fn size(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, u64); 7] = [
        ("kB", 1_000),
        ("KB", 1_000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
    ];
    let wrong = "a whole number and its unit, as 4MB, 60MiB or 1GB";
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (count, unit) = text.split_at(digits);
    let (_, octets) = UNITS.iter().find(|(name, _)| *name == unit).ok_or(wrong)?;
    let count: u64 = count.parse().map_err(|_| wrong)?;
    let size = count.checked_mul(*octets).filter(|size| (1..=IMAGE_OCTETS_MAX).contains(size));
    size.ok_or_else(|| "no machine loads so much: up to 1000GB".into())
}

/// More is a mistake in the unit.
const IMAGE_OCTETS_MAX: u64 = 1_000_000_000_000;

/// As `1%`, `0.01`.
fn part(text: &str) -> Result<f64, String> {
    let (number, whole) = text.strip_suffix('%').map_or((text, 1.0), |percent| (percent, 100.0));
    let part = number.parse::<f64>().map(|number| number / whole);
    part.ok().filter(|part| (0.0..=1.0).contains(part)).ok_or_else(|| "from 0 to 1, or in percent: 1%".into())
}

fn address(text: &str) -> Result<Prefix, String> {
    prefix(text).ok_or_else(|| "as 10.77.0.1/16".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_parts_are_read() {
        for (text, expected) in [
            ("4MB", Some(4_000_000)),
            ("4MiB", Some(4 << 20)),
            ("200MB", Some(200_000_000)),
            ("64kB", Some(64_000)),
            ("1GB", Some(1_000_000_000)),
            ("0MB", None),
            ("4", None),
            ("MB", None),
            ("4Mbit", None),
            ("1001GB", None),
            ("99999999999999999999GB", None),
        ] {
            assert_eq!(size(text).ok(), expected, "{text}");
        }
        for (text, expected) in [
            ("1%", Some(0.01)),
            ("0.01", Some(0.01)),
            ("0", Some(0.0)),
            ("100%", Some(1.0)),
            ("101%", None),
            ("-1%", None),
            ("NaN", None),
            ("%", None),
            ("", None),
        ] {
            assert_eq!(part(text).ok(), expected, "{text}");
        }
    }
}
