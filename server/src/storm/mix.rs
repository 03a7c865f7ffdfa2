//! Which kinds of machines there are in a storm, and how many of each.

use heorot_core::mac::Mac;
use heorot_sim::chance::Chance;
use heorot_sim::machine::{Kind, Setup};
use heorot_sim::restore::{KINDS, Scenario, kind_name, kind_named};
use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

/// Parts of each kind: of `edk2=3,ipxe=1` three quarters are EDK2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mix(Vec<(Kind, u32)>);

/// What a machine room may look like: as the simulator has it.
impl Default for Mix {
    fn default() -> Self {
        let parts = Scenario::default().mix;
        Self(parts.iter().filter_map(|(name, count)| Some((kind_named(name)?, *count))).collect())
    }
}

impl Mix {
    /// As a scenario of the simulator has it.
    pub(crate) fn by_name(&self) -> BTreeMap<String, u32> {
        self.0.iter().map(|(kind, parts)| (kind_name(*kind).to_owned(), *parts)).collect()
    }

    /// The kinds that have a part in it, each once.
    pub(super) fn kinds(&self) -> Vec<Kind> {
        self.0.iter().map(|(kind, _)| *kind).collect()
    }

    /// The kind of each of so many machines. Their order is chance; how many there are of each is not.
    pub(super) fn deal(&self, machines: usize, chance: &mut Chance) -> Vec<Kind> {
        let total: u64 = self.0.iter().map(|(_, parts)| u64::from(*parts)).sum();
        let mut kinds = Vec::with_capacity(machines);
        let mut before = 0;
        for (kind, parts) in &self.0 {
            before += u64::from(*parts);
            // Up to here belong all whose share begins before this part's end.
            let end = usize::try_from(before * machines as u64 / total).unwrap_or(machines);
            kinds.resize(end, *kind);
        }
        chance.shuffle(&mut kinds);
        kinds
    }
}

impl FromStr for Mix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts: Vec<(Kind, u32)> = Vec::new();
        for part in text.split(',') {
            let (name, count) = part.split_once('=').unwrap_or((part, "1"));
            let known = |kind: &Kind| KINDS.iter().any(|(of, _)| of == kind);
            let kind = kind_named(name.trim()).filter(known).ok_or_else(|| {
                let names: Vec<&str> = KINDS.iter().map(|(_, name)| *name).collect();
                format!("no kind of machine is called {name:?}: there are {}", names.join(", "))
            })?;
            let count = count.trim().parse().map_err(|_| format!("{part:?}: its part is a whole number"))?;
            if parts.iter().any(|(there, _)| *there == kind) {
                return Err(format!("{name:?} is there twice"));
            }
            if count > 0 {
                parts.push((kind, count));
            }
        }
        if parts.is_empty() { Err("no kind of machine has a part in it".into()) } else { Ok(Self(parts)) }
    }
}

/// The hardware address of a machine: locally administered, an octet of the seed, and its number. So the next storm of the same seed has the same machines, which the
/// server knows by then, and one of another seed has new ones.
pub(super) fn mac_of(seed: u64, number: usize) -> Mac {
    let [.., high, middle, low] = number.to_be_bytes();
    Mac([0x02, b'h', seed.to_le_bytes()[0], high, middle, low])
}

/// A machine that loads these files, if nothing else is said to it. Its ROM takes as long as in the simulator.
pub(super) fn setup(kind: Kind, mac: Mac, files: &[String], chance: &mut Chance) -> Setup {
    let delays = Scenario::default().rom_delay_seconds;
    let [least, most] = delays.get(kind_name(kind)).copied().unwrap_or_default();
    Setup {
        kind,
        mac,
        rom_delay: chance.between(Duration::from_secs_f64(least), Duration::from_secs_f64(most)),
        seed: chance.next_u64(),
        files: files.to_vec(),
        // An agent asks by HTTP, which is TCP, which is the kernel's.
        agent_after: None,
        root_octets: 0,
    }
}

#[cfg(test)]
mod tests;
