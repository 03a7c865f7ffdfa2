//! Power comes back to all machines at once: how long until they are loaded, and who is lost?

pub mod interfaces;
pub mod limit;
mod scenario;

pub use scenario::{ControlWord, HTTP_KINDS, KINDS, Scenario, kind_name, kind_named};

use scenario::all_kinds;

use crate::chance::Chance;
use crate::machine::{Kind, Setup, folder};
use crate::report::{Firmware, HighWater, LostMachine, Regime, Report, Sample};
use crate::run::{Deed, Plan, Run, START, Tale, mac};
use crate::server::Files;
use heorot_core::cluster::record::{NodeRecord, Record};
use heorot_core::config::{Config, FirmwareKind, LinkSpeed, render};
use heorot_core::time::Time;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

/// Runs a power restore by the scenario's own configuration, or the usual one.
///
/// # Errors
/// What is wrong with the scenario or its configuration, for people.
pub fn restore(scenario: &Scenario) -> Result<Report, String> {
    restore_with(&config(scenario)?, scenario)
}

/// Runs a power restore by this configuration. All machines are in its first network.
///
/// # Errors
/// What is wrong with the scenario, for people.
pub fn restore_with(config: &Config, scenario: &Scenario) -> Result<Report, String> {
    restore_watched(config, scenario, &mut |_| {})
}

/// The same, for whoever looks on: he is told how far it is.
///
/// # Errors
/// As [`restore_with`].
pub fn restore_watched(
    config: &Config,
    scenario: &Scenario,
    watch: &mut dyn FnMut(&Sample),
) -> Result<Report, String> {
    scenario.check()?;
    let machines = machines(config, scenario);
    let ideal = ideal(config, scenario, &machines);
    let limit = time_limit(scenario, ideal.seconds());
    let mut run = Run::new(plan(config, scenario, machines));
    let window = Duration::from_millis(scenario.window_milliseconds);
    let (samples, transfers) = samples(&mut run, window, limit, watch);
    let report = report(&run, samples, transfers, &ideal);
    Ok(Report { link_bits_per_second: scenario.link_bits_per_second, ..report })
}

/// The same, told in one line an event. For few machines.
///
/// # Errors
/// As [`restore`].
pub fn tell(scenario: &Scenario) -> Result<String, String> {
    scenario.check()?;
    let config = config(scenario)?;
    let limit = time_limit(scenario, 0.0);
    let mut run = Run::new(Plan { with_lines: true, ..plan(&config, scenario, machines(&config, scenario)) });
    samples(&mut run, Duration::from_millis(scenario.window_milliseconds), limit, &mut |_| {});
    Ok(run.take_lines())
}

/// The run of a power restore at its very beginning, for whoever wants to go through it himself. Nobody has power yet, and nobody will get it by itself.
///
/// # Errors
/// As [`restore`].
pub fn begun(scenario: &Scenario) -> Result<Run, String> {
    scenario.check()?;
    let config = config(scenario)?;
    let mut plan = plan(&config, scenario, machines(&config, scenario));
    plan.deeds.retain(|(_, deed)| !matches!(deed, Deed::PowerOn(_)));
    Ok(Run::new(plan))
}

/// A configuration for so many machines: their numbers from 10.77.1.0 on, and as many temporary addresses.
pub fn usual_config(nodes: u32) -> String {
    let last = nodes.saturating_sub(1);
    let temporary = u32::from(Ipv4Addr::new(10, 77, 128, 1));
    let pool = (nodes + nodes / 4 + 100).min(30_000);
    let (from, to) = (Ipv4Addr::from(temporary), Ipv4Addr::from(temporary + pool));
    format!(
        "[boot]\nbios = \"pxelinux.0\"\nuefi-x64 = \"ipxe.efi\"\nhttp-x64 = \"ipxe.efi\"\n\
         [profile.default]\nkernel = \"vmlinuz\"\ninitrd = [\"initrd.img\"]\n\
         [[network]]\ninterface = \"eth1\"\naddress = \"10.77.0.1/16\"\n\
         numbers = \"0-{last}\"\nfirst = \"10.77.1.0\"\ntemporary = \"{from}-{to}\"\n"
    )
}

/// The configuration of a scenario: its own, or the usual one.
fn config(scenario: &Scenario) -> Result<Config, String> {
    let usual = usual_config(scenario.nodes);
    let text = scenario.config.as_ref().unwrap_or(&usual);
    let config = Config::parse(text, &interfaces::fitting(text, &[]))
        .map_err(|mistakes| render("scenario", text, &mistakes))?;
    Ok(config.0)
}

/// The files of the boot directory: loaders as large as the real ones, if the scenario says nothing else, and the image.
pub fn files(config: &Config, scenario: &Scenario) -> Files {
    let of = |octets: u64| scenario.loader_octets.unwrap_or(octets);
    let (pxelinux, ipxe, shim, grub) = (of(42_430), of(1_044_480), of(934_240), of(2_656_640));
    let mut files = Files::default();
    files.insert("pxelinux.0", pxelinux);
    files.insert("ldlinux.c32", of(119_524));
    files.insert("ipxe.efi", ipxe);
    files.insert("shimx64.efi", shim);
    files.insert("grubx64.efi", grub);
    files.insert("bootcode.bin", of(52_460));
    if let Some(path) = config.boot.files.get(&FirmwareKind::Bios) {
        files.insert(path, pxelinux);
    }
    let uefi = [FirmwareKind::UefiX64, FirmwareKind::UefiArm64, FirmwareKind::HttpX64];
    for path in uefi.iter().filter_map(|kind| config.boot.files.get(kind)) {
        files.insert(path, ipxe);
        files.insert_for(Kind::Grub, path, grub);
        files.insert_for(Kind::Shim, path, shim);
        // Shim's second stage lies beside it.
        files.insert(&format!("{}grubx64.efi", folder(path)), grub);
    }
    let (kernel, initrd) = scenario.split_image();
    for profile in config.profiles.values() {
        files.insert(&profile.kernel, kernel);
        let count = profile.initrd.len() as u64;
        for (path, place) in profile.initrd.iter().zip(0..) {
            let rest = if place == 0 { initrd % count } else { 0 };
            files.insert(path, initrd / count + rest);
        }
    }
    files
}

/// The files of a profile, in their order: what a loader loads that is not told by the server.
pub(crate) fn profile_files(config: &Config) -> Vec<String> {
    let profile = config.profiles.get("default");
    profile.into_iter().flat_map(|p| std::iter::once(&p.kernel).chain(&p.initrd)).cloned().collect()
}

/// The machines of a mix, each with the moment at which it has power.
fn machines(config: &Config, scenario: &Scenario) -> Vec<(Duration, Setup)> {
    let weighted: Vec<_> = all_kinds()
        .filter_map(|(kind, name)| Some((kind, *scenario.mix.get(name)?)))
        .filter(|(_, weight)| *weight > 0)
        .collect();
    let mut chance = Chance::of(scenario.seed, MACHINES);
    let mut kinds = in_proportion(&weighted, scenario.nodes as usize);
    chance.shuffle(&mut kinds);
    let window = Duration::from_millis(scenario.window_milliseconds);
    let usual = Scenario::default().rom_delay_seconds;
    let setup = |(kind, place): (Kind, u32)| {
        let name = kind_name(kind);
        let [from, to] =
            scenario.rom_delay_seconds.get(name).or_else(|| usual.get(name)).copied().unwrap_or_default();
        let powered = chance.between(Duration::ZERO, window);
        let setup = Setup {
            kind,
            mac: mac(place),
            rom_delay: chance.between(Duration::from_secs_f64(from), Duration::from_secs_f64(to)),
            seed: chance.next_u64(),
            files: profile_files(config),
            agent_after: scenario.agent_after_seconds.map(Duration::from_secs_f64),
            root_octets: scenario.root_octets,
        };
        (powered, setup)
    };
    kinds.into_iter().zip(0..).map(setup).collect()
}

/// So many things in proportion to their weights: to the last one, not by chance.
fn in_proportion(weighted: &[(Kind, u32)], count: usize) -> Vec<Kind> {
    let total: u64 = weighted.iter().map(|(_, weight)| u64::from(*weight)).sum();
    let mut owed: Vec<u64> = vec![0; weighted.len()];
    let mut kinds = Vec::with_capacity(count);
    for _ in 0..count {
        for (owed, (_, weight)) in owed.iter_mut().zip(weighted) {
            *owed += u64::from(*weight);
        }
        let Some(most) = (0..owed.len()).max_by_key(|place| (owed[*place], std::cmp::Reverse(*place))) else {
            break;
        };
        owed[most] = owed[most].saturating_sub(total);
        kinds.push(weighted[most].0);
    }
    kinds
}

fn plan(config: &Config, scenario: &Scenario, machines: Vec<(Duration, Setup)>) -> Plan {
    let numbers = config.networks[0].numbering.numbers;
    let known = |setup: &Setup, number| {
        Record::Node(NodeRecord {
            mac: setup.mac,
            further_macs: Vec::new(),
            granted_to: None,
            number: Some(number),
            facts: serde_json::Map::new(),
        })
    };
    let numbered = machines.iter().zip(numbers.lowest..=numbers.highest).filter(|_| scenario.numbered);
    let records = numbered.map(|((_, setup), number)| known(setup, number)).collect();
    let power = machines.iter().zip(0..).map(|((at, _), place)| (*at, Deed::PowerOn(place)));
    let fails = scenario.fails_again_after_seconds.map(Duration::from_secs_f64);
    let reset = fails.into_iter().flat_map(|fails| {
        machines.iter().zip(0..).map(move |((at, _), place)| (fails + *at, Deed::PowerOn(place)))
    });
    let reset: Vec<_> = reset.collect();
    let begin = [(Duration::ZERO, Deed::Start), (Duration::ZERO, Deed::Weather(scenario.weather()))];
    Plan {
        config: with_link(config, scenario),
        control: scenario.control(),
        resend: scenario.resend(),
        computer: scenario.computer(),
        files: files(config, scenario),
        records,
        cabling: scenario.cabling(),
        broadcasts_reach_all: scenario.broadcasts_reach_all,
        deeds: begin.into_iter().chain(power).chain(reset).collect(),
        machines: machines.into_iter().map(|(_, setup)| setup).collect(),
        seed: scenario.seed,
        with_lines: false,
    }
}

/// The configuration, with the link's rate if it is to be known and is not said there.
fn with_link(config: &Config, scenario: &Scenario) -> Config {
    let link = match config.link {
        LinkSpeed::Auto if scenario.link_known => LinkSpeed::BitsPerSecond(scenario.link_bits_per_second),
        link @ (LinkSpeed::Auto | LinkSpeed::BitsPerSecond(_)) => link,
    };
    Config { link, ..config.clone() }
}

/// The slowest way of any machine to its first block if it is alone, and the octets of all by the link's rate: each kind of machine is really run alone.
fn ideal(config: &Config, scenario: &Scenario, machines: &[(Duration, Setup)]) -> Ideal {
    let mut first_data: f64 = 0.0;
    let mut octets = 0;
    let mut alone_seconds = BTreeMap::new();
    for (kind, name) in all_kinds() {
        let of_kind = || machines.iter().filter(|(_, setup)| setup.kind == kind);
        let Some((at, slowest)) = of_kind().max_by_key(|(at, setup)| *at + setup.rom_delay) else { continue };
        let alone = Scenario {
            loss: 0.0,
            duplicates: 0.0,
            reordering: 0.0,
            fails_again_after_seconds: None,
            ..scenario.clone()
        };
        let setup = Setup { mac: mac(0), agent_after: None, ..slowest.clone() };
        let mut run = Run::new(plan(config, &alone, vec![(*at, setup)]));
        run.run_until(*at);
        while run.busy() > 0 && run.elapsed() < ALONE_MAX && run.step() {}
        let tale = &run.machines[0].tale;
        first_data = first_data.max(tale.first_data.map_or(0.0, seconds));
        octets += tale.wire_octets * of_kind().count() as u64;
        alone_seconds.insert(name, tale.loaded.map_or(0.0, seconds));
    }
    let wire_seconds = bits(octets) / bits(scenario.link_bits_per_second) * 8.0;
    // Where the power fails once more, all that was loaded before was for nothing.
    let begins_again = scenario.fails_again_after_seconds.unwrap_or_default();
    Ideal { first_data_seconds: begins_again + first_data, wire_seconds, alone_seconds }
}

/// What not even the best server can do without.
struct Ideal {
    /// The slowest way to a first block.
    first_data_seconds: f64,
    /// All octets by the link's rate.
    wire_seconds: f64,
    /// Each kind's slowest machine, if it is alone.
    alone_seconds: BTreeMap<&'static str, f64>,
}

impl Ideal {
    fn seconds(&self) -> f64 {
        self.first_data_seconds + self.wire_seconds
    }
}

fn time_limit(scenario: &Scenario, ideal: f64) -> Duration {
    const AT_LEAST: Duration = Duration::from_secs(600);
    let usual = || AT_LEAST + Duration::from_secs_f64(ideal * 10.0);
    scenario.time_limit_seconds.map_or_else(usual, Duration::from_secs)
}

/// Runs until nobody has anything left to do, and looks at it from time to time; beside that, the most transfers that were seen.
fn samples(
    run: &mut Run,
    window: Duration,
    limit: Duration,
    watch: &mut dyn FnMut(&Sample),
) -> (Vec<Sample>, usize) {
    let mut samples: Vec<Sample> = Vec::new();
    let mut interval = Duration::from_millis(10);
    let mut sent_before = 0;
    let mut high_water = 0;
    loop {
        run.run_until(run.elapsed() + interval);
        let sent = run.counts().sent_octets;
        samples.push(Sample {
            seconds: run.elapsed().as_secs_f64(),
            loaded: run.machines.iter().filter(|host| host.tale.loaded.is_some()).count() as u64,
            bits_per_second: bits(sent - sent_before) * 8.0 / interval.as_secs_f64(),
            regime: run.server.regime().word().into(),
        });
        samples.last().into_iter().for_each(&mut *watch);
        sent_before = sent;
        high_water = high_water.max(run.server.transfers_active());
        let is_over = run.busy() == 0 && run.elapsed() > window;
        if is_over || run.elapsed() >= limit {
            return (samples, high_water);
        }
        // Nobody knows yet how long it will take: whenever there are too many, two become one.
        if samples.len() >= 2 * SAMPLES {
            samples = samples.chunks(2).map(joined).collect();
            interval *= 2;
        }
    }
}

/// Two samples that follow each other, as one.
fn joined(two: &[Sample]) -> Sample {
    let mean = two.iter().map(|sample| sample.bits_per_second).sum::<f64>() / bits(two.len() as u64);
    let last = two.last().expect("there are two, or one");
    Sample { bits_per_second: mean, ..last.clone() }
}

/// What came of it.
fn report(run: &Run, samples: Vec<Sample>, transfers: usize, ideal: &Ideal) -> Report {
    let mut loaded: Vec<f64> = Vec::new();
    let mut by_firmware: BTreeMap<String, (Firmware, Vec<f64>)> = BTreeMap::new();
    let mut lost_machines = Vec::new();
    for host in &run.machines {
        let (setup, tale) = (host.setup(), &host.tale);
        let (firmware, of_kind) = by_firmware.entry(kind_name(setup.kind).into()).or_default();
        firmware.nodes += 1;
        firmware.client_retries += tale.retries;
        match tale.loaded {
            Some(at) => of_kind.push(seconds(at)),
            None => {
                firmware.lost += 1;
                let (at, why) = fate(run, tale);
                let name = kind_name(setup.kind).into();
                lost_machines.push(LostMachine {
                    mac: setup.mac.to_string(),
                    firmware: name,
                    seconds: at,
                    why,
                });
            }
        }
    }
    for (name, (firmware, of_kind)) in &mut by_firmware {
        of_kind.sort_by(f64::total_cmp);
        firmware.median_seconds = median(of_kind);
        firmware.alone_seconds = ideal.alone_seconds.get(name.as_str()).copied().unwrap_or_default();
        firmware.last_seconds = of_kind.last().copied().unwrap_or_default();
        loaded.extend(of_kind.iter());
    }
    loaded.sort_by(f64::total_cmp);
    let last = loaded.last().copied().unwrap_or_default();
    let counts = run.counts();
    let (kernel_drops, socket_octets) = run.server.socket_counts();
    Report {
        nodes: run.machines.len() as u64,
        lost: lost_machines.len() as u64,
        seconds: last,
        ideal_seconds: ideal.seconds(),
        ratio_to_ideal: last / ideal.seconds(),
        median_seconds: median(&loaded),
        first_seconds: loaded.first().copied().unwrap_or_default(),
        first_data_seconds: ideal.first_data_seconds,
        wire_seconds: ideal.wire_seconds,
        regimes: regimes(&samples),
        client_retries: by_firmware.values().map(|(firmware, _)| firmware.client_retries).sum(),
        by_firmware: by_firmware.into_iter().map(|(name, (firmware, _))| (name, firmware)).collect(),
        lost_machines,
        samples,
        processor_seconds: run.server.processor_seconds(),
        resent: run.server.resent(),
        dropped_in_queue: counts.dropped_in_queue,
        lost_on_wire: counts.lost_on_wire,
        kernel_drops,
        high_water: HighWater {
            transfers: transfers as u64,
            temporary_addresses: run.surroundings.watch.lent_max() as u64,
            queue_octets: run.surroundings.network.waiting_octets_max(),
            socket_octets,
        },
        troubles: run.surroundings.watch.troubles().into(),
        ignored: run.surroundings.watch.ignored().into(),
        broken: run.surroundings.watch.broken_so_far().into(),
        events: run.handled(),
        link_bits_per_second: 0,
    }
}

/// When a machine was lost, and why.
fn fate(run: &Run, tale: &Tale) -> (f64, String) {
    match &tale.lost {
        Some((at, why)) => (seconds(*at), why.clone()),
        None => {
            let elapsed = run.elapsed().as_secs_f64();
            (elapsed, format!("it had not loaded everything after {elapsed:.0} s: it was in {}", tale.stage))
        }
    }
}

/// What the server did, from when on.
fn regimes(samples: &[Sample]) -> Vec<Regime> {
    let mut regimes: Vec<Regime> = Vec::new();
    let mut from_seconds = 0.0;
    for sample in samples {
        if regimes.last().is_none_or(|last| last.regime != sample.regime) {
            regimes.push(Regime { from_seconds, regime: sample.regime.clone() });
        }
        from_seconds = sample.seconds;
    }
    regimes
}

/// The middle one of sorted numbers.
fn median(sorted: &[f64]) -> f64 {
    sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or_default()
}

/// Seconds since the start.
fn seconds(at: Time) -> f64 {
    at.since(START).as_secs_f64()
}

#[allow(clippy::cast_precision_loss, reason = "no run sends 2^52 octets")]
fn bits(number: u64) -> f64 {
    number as f64
}

/// How often a run is looked at.
const SAMPLES: usize = 500;

/// A machine alone is done long before this.
const ALONE_MAX: Duration = Duration::from_secs(3600);

/// The stream of chance that makes the machines.
const MACHINES: u64 = 3;

#[cfg(test)]
mod tests;
