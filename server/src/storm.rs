//! `heorot storm`: a thousand machines on one interface, with real packets, at a real server.
//!
//! The machines are the simulator's; here they get hardware addresses, ARP and a wire. One thread takes frames from a packet socket in batches, gives each to its
//! machine, wakes those whose moment has come, and sends what they say in batches. What the kernel had to drop meanwhile is told, for then the figures are void.
//!
//! - [`interface`]: where a storm may be let loose; [`mix`]: which machines there are;
//! - [`hosts`]: all of them, without a socket; [`wire`]: frames; [`plain`]: TFTP clients without DHCP;
//! - [`field`]: the socket and the loop; [`score`] and [`report`]: what it came to.

mod field;
mod hosts;
mod interface;
mod mix;
mod plain;
mod report;
mod score;
mod wire;

use crate::clock;
use crate::problem::{Problem, problem};
use field::Field;
use heorot_core::time::Time;
use heorot_sim::chance::Chance;
use heorot_sim::machine::{Kind, Machine};
use heorot_sim::restore::kind_name;
use hosts::{Actor, Hosts};
pub(crate) use mix::Mix;
use mix::mac_of;
pub(crate) use report::Report;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

/// What an operator wants.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) interface: String,
    /// Whether he is sure of the interface.
    pub(crate) is_sure: bool,
    /// The server that is meant; any other one is not heard.
    pub(crate) server: Option<Ipv4Addr>,
    pub(crate) nodes: usize,
    /// Files that machines load after their boot file, if nothing else is said to them.
    pub(crate) images: Vec<String>,
    /// All are switched on within this.
    pub(crate) within: Duration,
    pub(crate) seed: u64,
    /// When those that are not done count as unfinished.
    pub(crate) limit: Duration,
    /// For the ideal alone.
    pub(crate) link_bits_per_second: Option<u64>,
    pub(crate) clients: Clients,
    /// Whether a line on stderr tells every few seconds how far it is.
    pub(crate) shows_progress: bool,
}

/// Who asks.
#[derive(Clone, Debug)]
pub(crate) enum Clients {
    /// Machines, from power-on.
    Machines {
        mix: Mix,
        /// Whether one of each kind boots alone before, for the ideal.
        calibrates: bool,
    },
    /// TFTP clients with addresses from this one on.
    Plain { first: Ipv4Addr, window_blocks: u16, waits: Arc<[Duration]> },
}

/// How long those that boot alone may take.
const CALIBRATION_PATIENCE: Duration = Duration::from_secs(60);
/// What is left of the calibration is off the wire by then.
const SETTLE: Duration = Duration::from_millis(300);
/// The server may not have heard of the last address when the storm begins: its first packets leave a little later.
const LEAD: Duration = Duration::from_millis(50);

/// The way to the first DATA of an unloaded machine of a kind, without its ROM's delay; and what all its files are on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Alone {
    kind: Kind,
    way: Duration,
    wire_octets: u64,
}

/// Lets it loose.
///
/// # Errors
/// The interface is not to be had, or no machine boots from this server even alone; with what to do.
pub(crate) fn run(settings: &Settings) -> Result<Report, Problem> {
    let index = interface::admit(&settings.interface, settings.is_sure)?;
    let mut field = Field::open(&settings.interface, index)?;
    match &settings.clients {
        Clients::Machines { mix, calibrates } => machines(settings, mix, *calibrates, &mut field),
        Clients::Plain { first, window_blocks, waits } => {
            let [file] = settings.images.as_slice() else {
                return Err(problem!("plain clients load one file: name it with --image"));
            };
            let server = settings
                .server
                .ok_or_else(|| problem!("plain clients have to be told whom they ask: --server"))?;
            let wish = plain::Wish {
                server,
                file: file.clone(),
                window_blocks: *window_blocks,
                waits: waits.clone(),
            };
            plain_clients(settings, &wish, *first, &mut field)
        }
    }
}

fn machines(settings: &Settings, mix: &Mix, calibrates: bool, field: &mut Field) -> Result<Report, Problem> {
    let mut chance = Chance::new(settings.seed);
    let alone = if calibrates { calibrate(settings, mix, field)? } else { Vec::new() };
    let kinds = mix.deal(settings.nodes, &mut chance);
    let names: Vec<&'static str> = kinds.iter().map(|kind| kind_name(*kind)).collect();
    let start = clock::now() + LEAD;
    let mut hosts = Hosts::new(settings.server);
    let mut ideal = (Duration::ZERO, 0);
    for (number, kind) in kinds.iter().enumerate() {
        let setup = mix::setup(*kind, mac_of(settings.seed, number), &settings.images, &mut chance);
        if let Some(alone) = alone.iter().find(|alone| alone.kind == *kind) {
            ideal.0 = ideal.0.max(setup.rom_delay + alone.way);
            ideal.1 += alone.wire_octets;
        }
        let mac = setup.mac;
        hosts.add(
            Actor::Machine(Box::new(Machine::new(setup))),
            mac,
            start + chance.between(Duration::ZERO, settings.within),
        );
    }
    storm(settings, hosts, &names, start, (!alone.is_empty()).then_some(ideal), field)
}

/// One machine of each kind boots; together they are no load.
fn calibrate(settings: &Settings, mix: &Mix, field: &mut Field) -> Result<Vec<Alone>, Problem> {
    let kinds = mix.kinds();
    let mut chance = Chance::new(!settings.seed);
    let mut hosts = Hosts::new(settings.server);
    let mut delays = Vec::new();
    let start = clock::now();
    for (place, kind) in kinds.iter().enumerate() {
        // Their hardware addresses follow those of the storm: the server may not know them from before.
        let mac = mac_of(settings.seed, settings.nodes + place);
        let setup = mix::setup(*kind, mac, &settings.images, &mut chance);
        delays.push(setup.rom_delay);
        hosts.add(Actor::Machine(Box::new(Machine::new(setup))), mac, start);
    }
    field.run(&mut hosts, start + CALIBRATION_PATIENCE.min(settings.limit), false)?;
    let mut alone = Vec::new();
    let mut complaints = Vec::new();
    for ((kind, host), delay) in kinds.iter().zip(hosts.all()).zip(delays) {
        let score = &host.score;
        match (score.started, score.first_data, score.loaded) {
            (Some(started), Some(first_data), Some(_)) => {
                let way = first_data.since(started).saturating_sub(delay);
                alone.push(Alone { kind: *kind, way, wire_octets: score.wire_octets });
            }
            _ => complaints.push(format!("{}: {}", kind_name(*kind), why_not(score))),
        }
    }
    if alone.is_empty() {
        return Err(problem!(
            "no machine boots from this server, even alone:\n    {}\n  is it running, does it serve this network, are the files of --image in its boot directory?",
            complaints.join("\n    ")
        ));
    }
    if settings.shows_progress {
        for complaint in &complaints {
            field::say(&format!("even alone, one does not boot: {complaint}"));
        }
    }
    let settled = clock::now() + SETTLE;
    field.run(&mut hosts, settled, true)?;
    Ok(alone)
}

fn why_not(score: &score::Score) -> String {
    match &score.lost {
        Some((_, why)) => why.clone(),
        None => {
            format!("not done in time, at {}", if score.stage.is_empty() { "its start" } else { score.stage })
        }
    }
}

fn plain_clients(
    settings: &Settings,
    wish: &plain::Wish,
    first: Ipv4Addr,
    field: &mut Field,
) -> Result<Report, Problem> {
    let mut chance = Chance::new(settings.seed);
    let mut hosts = Hosts::new(settings.server);
    let start = clock::now() + LEAD;
    for number in 0..settings.nodes {
        let address = u32::try_from(number).ok().and_then(|number| first.to_bits().checked_add(number));
        let address =
            address.ok_or_else(|| problem!("there are no {} addresses from {first} on", settings.nodes))?;
        let mac = mac_of(settings.seed, number);
        let client = plain::Client::new(wish.clone(), mac, Ipv4Addr::from_bits(address));
        hosts.add(Actor::Plain(client), mac, start + chance.between(Duration::ZERO, settings.within));
    }
    let names = vec!["plain"; settings.nodes];
    storm(settings, hosts, &names, start, None, field)
}

fn storm(
    settings: &Settings,
    mut hosts: Hosts,
    names: &[&'static str],
    start: Time,
    ideal: Option<(Duration, u64)>,
    field: &mut Field,
) -> Result<Report, Problem> {
    field.forget_drops()?;
    field.shows_progress = settings.shows_progress;
    field.run(&mut hosts, start + settings.limit, false)?;
    let (own_kernel_drops, backlog_drops) = field.drops()?;
    // Without a calibration: as fast as the fastest way to a first DATA that the storm itself has seen, and what the machines did load.
    let seen = || {
        let scores = || hosts.all().iter().map(|host| &host.score);
        let ways = scores().filter_map(|score| Some(score.first_data?.since(score.started?)));
        Some((ways.min()?, scores().map(|score| score.wire_octets).sum()))
    };
    let frame = report::Frame {
        start,
        ideal: ideal.or_else(seen),
        link_bits_per_second: settings.link_bits_per_second,
        own_kernel_drops,
        backlog_drops,
        seed: settings.seed,
    };
    Ok(Report::of(&hosts, names, &frame))
}
