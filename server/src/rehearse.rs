//! `heorot rehearse`: the simulator on the operator's configuration. It opens nothing and needs nothing of this host.

mod text;

use crate::problem::{Problem, problem};
use crate::settings;
use heorot_core::config::{Config, Interface, LinkSpeed, Mode, render};
use heorot_sim::report::Report;
use heorot_sim::restore::interfaces::{self, Prefix};
use heorot_sim::restore::limit::{self, Limit, Trial};
use heorot_sim::restore::{Scenario, restore_watched, restore_with, usual_config};
use serde::Serialize;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Where it is rehearsed: a configuration, and what it is called.
#[derive(Debug)]
pub(crate) struct Place {
    name: String,
    config: Config,
    warnings: String,
}

/// What came of it.
#[derive(Debug, Serialize)]
pub(crate) struct Rehearsal {
    #[serde(flatten)]
    pub(crate) report: Report,
    /// The interface and the network that the machines are in.
    network: String,
    /// How many temporary addresses there are.
    temporary_addresses_size: u64,
    /// The ideal on other links.
    other_links: Vec<OtherLink>,
    one_server: OneServer,
    /// What repeats the run, with everything that was assumed.
    scenario: Scenario,
    #[serde(skip)]
    place_name: String,
}

/// What another link would give at best.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
struct OtherLink {
    bits_per_second: u64,
    ideal_seconds: f64,
}

/// How many machines one server is enough for.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct OneServer {
    /// All are to be up within this.
    within_seconds: u64,
    /// By arithmetic, from the wire's time for each machine of this run. Not where some were lost: it knows nothing of that.
    about: Option<u64>,
    /// How many the network has numbers for.
    numbers: u64,
    /// By simulation, if that was wanted.
    simulated: Option<Limit>,
}

/// The links that are usual.
const OTHER_LINKS: [u64; 3] = [1_000_000_000, 10_000_000_000, 25_000_000_000];

/// Runs it. Whoever looks on is told in lines what takes long.
///
/// # Errors
/// What is wrong with the scenario in this place, with what to do.
pub(crate) fn run(
    place: &Place,
    scenario: &Scenario,
    within: Duration,
    searches: bool,
    mut tell: impl FnMut(&str),
) -> Result<Rehearsal, Problem> {
    place.admit(scenario)?;
    let mut told_at = Instant::now();
    let report = restore_watched(&place.config, scenario, &mut |sample| {
        if told_at.elapsed() >= TOLD_EVERY {
            told_at = Instant::now();
            tell(&text::so_far(sample, scenario.nodes));
        }
    });
    let report = report.map_err(Problem)?;
    let network = &place.config.networks[0];
    let about = (report.lost == 0).then(|| floor(limit::by_arithmetic(&report, within)));
    let numbers = network.numbering.numbers.size();
    let simulated = searches.then(|| {
        let most = u32::try_from(numbers).unwrap_or(u32::MAX).min(SEARCHED_MAX);
        let guess = about.map_or(scenario.nodes / 2, |about| u32::try_from(about).unwrap_or(u32::MAX));
        let told = |trial: &Trial| tell(&text::trial(trial));
        limit::search(scenario, within, guess, most, |tried| restore_with(&place.config, tried), told)
    });
    let ideal_at = |rate: u64| {
        report.first_data_seconds + report.wire_seconds * real(scenario.link_bits_per_second) / real(rate)
    };
    let others = OTHER_LINKS.into_iter().filter(|rate| *rate != scenario.link_bits_per_second);
    Ok(Rehearsal {
        network: format!("{} {}/{}", network.interface, network_address(network), network.prefix_length),
        temporary_addresses_size: network.temporary.size(),
        other_links: others
            .map(|rate| OtherLink { bits_per_second: rate, ideal_seconds: ideal_at(rate) })
            .collect(),
        one_server: OneServer {
            within_seconds: within.as_secs(),
            about,
            numbers,
            simulated: simulated.transpose().map_err(Problem)?,
        },
        scenario: scenario.clone(),
        place_name: place.name.clone(),
        report,
    })
}

/// Who waits for a large run is told as often how far it is.
const TOLD_EVERY: Duration = Duration::from_secs(10);

/// No more are simulated in a search.
const SEARCHED_MAX: u32 = 65_000;

impl Place {
    /// Reads a configuration. Networks that leave their address to an interface get those given, or what the interface of that name on this host has.
    ///
    /// # Errors
    /// Everything that is wrong with it, with lines and remedies.
    pub(crate) fn read(name: &str, text: &str, addresses: &[Prefix]) -> Result<Self, Problem> {
        let here = settings::interfaces().unwrap_or_default();
        let interfaces = interfaces_for(name, text, addresses, &here)?;
        let (mut config, warnings) = Config::parse(text, &interfaces)
            .map_err(|mistakes| Problem(render(name, text, &mistakes).trim_end().to_owned()))?;
        // Simulated machines have hardware addresses of their own, and the numbers that listed nodes would have.
        config.nodes = Arc::default();
        Ok(Self { name: name.to_owned(), config, warnings: render(name, text, &warnings) })
    }

    /// The simulator's own, for so many machines.
    ///
    /// # Errors
    /// There are too many.
    pub(crate) fn usual(nodes: u32) -> Result<Self, Problem> {
        const NUMBERS: u32 = 30_000;
        Self::read("the usual configuration", &usual_config(nodes.max(NUMBERS)), &[])
    }

    /// What is not wrong and will still disappoint.
    ///
    /// # Errors
    /// As [`run`].
    pub(crate) fn warnings(&self, scenario: &Scenario) -> Result<Vec<String>, Problem> {
        self.admit(scenario)?;
        let mut warnings: Vec<String> =
            [self.warnings.clone()].into_iter().filter(|text| !text.is_empty()).collect();
        if let LinkSpeed::BitsPerSecond(told) = self.config.link
            && told != scenario.link_bits_per_second
        {
            warnings.push(format!(
                "warning: load.link says {}, and the link of this rehearsal has {}\n  the server goes by the figure that it is told; correct it, unless you want to see what comes of a wrong one",
                text::rate(told),
                text::rate(scenario.link_bits_per_second)
            ));
        }
        Ok(warnings)
    }

    /// The network gives addresses, and every machine has a number.
    fn admit(&self, scenario: &Scenario) -> Result<(), Problem> {
        let network = &self.config.networks[0];
        let elsewhere = match network.mode {
            Mode::Serve => None,
            Mode::Proxy => {
                Some(("proxy", "another server gives the addresses there, and a rehearsal has none"))
            }
            Mode::Shadow => Some(("shadow", "nobody there is answered, and a rehearsal has no other server")),
        };
        if let Some((mode, why)) = elsewhere {
            return Err(problem!(
                "{}: {} has mode = \"{mode}\": {why}\n  rehearse with mode = \"serve\", in a copy of the file",
                self.name,
                network.interface
            ));
        }
        let numbers = self.config.networks[0].numbering.numbers;
        if u64::from(scenario.nodes) <= numbers.size() {
            return Ok(());
        }
        let last = u64::from(numbers.lowest) + u64::from(scenario.nodes) - 1;
        Err(problem!(
            "{} machines, and {} has the numbers {}-{} for the network of {}: {} nodes\n  \
             rehearse with --nodes {}, or write numbers = \"{}-{last}\" there; the addresses from {} on have to have room for them",
            scenario.nodes,
            self.name,
            numbers.lowest,
            numbers.highest,
            self.config.networks[0].interface,
            numbers.size(),
            numbers.size(),
            numbers.lowest,
            self.config.networks[0].numbering.first,
        ))
    }
}

/// The interfaces that a configuration is for, as far as it and this host say.
fn interfaces_for(
    name: &str,
    text: &str,
    addresses: &[Prefix],
    here: &[Interface],
) -> Result<Vec<Interface>, Problem> {
    let mut interfaces = interfaces::fitting(text, addresses);
    if !addresses.is_empty() {
        return Ok(interfaces);
    }
    for unsaid in interfaces::without_address(text) {
        let own = here.iter().find(|interface| interface.name == unsaid);
        let Some(own) = own.filter(|own| !own.addresses.is_empty()) else {
            return Err(problem!(
                "{name}: the network of {unsaid} has no address, and this host has no {unsaid} with one to read it from\n  \
                 write address = \"10.77.0.1/16\" below its interface, or rehearse with --address 10.77.0.1/16"
            ));
        };
        if let Some(interface) = interfaces.iter_mut().find(|interface| interface.name == unsaid) {
            interface.addresses.extend(&own.addresses);
        }
    }
    Ok(interfaces)
}

fn network_address(network: &heorot_core::config::Network) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(network.address) & u32::from(network.mask()))
}

#[allow(clippy::cast_precision_loss, reason = "no link has 2^52 bits per second")]
fn real(number: u64) -> f64 {
    number as f64
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is a number of machines, and saturates"
)]
fn floor(number: f64) -> u64 {
    number as u64
}
