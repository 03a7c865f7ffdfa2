//! Which kinds of machines there are in a storm, and how many of each.

use heorot_core::mac::Mac;
use heorot_sim::machine::{Kind, Setup};
use std::str::FromStr;
use std::time::Duration;

/// All kinds, by the names that operators write.
pub(super) const KINDS: [(&str, Kind); 9] = [
    ("edk2", Kind::Edk2),
    ("ipxe", Kind::Ipxe),
    ("pxelinux", Kind::Pxelinux),
    ("grub", Kind::Grub),
    ("shim", Kind::Shim),
    ("intel-bios", Kind::IntelBios),
    ("raspberry-pi", Kind::RaspberryPi),
    ("no-last-ack", Kind::NoLastAck),
    ("odd-names", Kind::OddNames),
];

/// Parts of each kind: of `edk2=3,ipxe=1` three quarters are EDK2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mix(Vec<(Kind, u32)>);

/// What a machine room may look like.
pub(crate) const DEFAULT_MIX: &str =
    "edk2=40,ipxe=20,pxelinux=20,grub=6,shim=4,intel-bios=6,no-last-ack=2,odd-names=2";

/// The name of a kind.
pub(super) fn name_of(kind: Kind) -> &'static str {
    KINDS.iter().find(|(_, known)| *known == kind).map_or("?", |(name, _)| name)
}

impl Mix {
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
        for place in (1..kinds.len()).rev() {
            kinds.swap(place, chance.below(place as u64 + 1) as usize);
        }
        kinds
    }
}

impl FromStr for Mix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts: Vec<(Kind, u32)> = Vec::new();
        for part in text.split(',') {
            let (name, count) = part.split_once('=').unwrap_or((part, "1"));
            let known = KINDS.iter().find(|(known, _)| *known == name.trim());
            let (_, kind) = known.ok_or_else(|| {
                let names: Vec<&str> = KINDS.iter().map(|(name, _)| *name).collect();
                format!("no kind of machine is called {name:?}: there are {}", names.join(", "))
            })?;
            let count = count.trim().parse().map_err(|_| format!("{part:?}: its part is a whole number"))?;
            if parts.iter().any(|(there, _)| there == kind) {
                return Err(format!("{name:?} is there twice"));
            }
            if count > 0 {
                parts.push((*kind, count));
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

/// A machine that loads these files, if nothing else is said to it.
pub(super) fn setup(kind: Kind, mac: Mac, files: &[String], chance: &mut Chance) -> Setup {
    // From power-on to the first packet: memory is tested and cards are looked for. They differ by what is plugged in, not by much.
    let (least, most) = match kind {
        Kind::Edk2 | Kind::Grub | Kind::Shim => (2000, 2200),
        Kind::Ipxe | Kind::Pxelinux | Kind::OddNames => (1500, 1700),
        Kind::IntelBios | Kind::NoLastAck => (1000, 1200),
        Kind::RaspberryPi => (500, 600),
    };
    Setup {
        kind,
        mac,
        rom_delay: Duration::from_millis(least + chance.below(most - least)),
        seed: chance.next(),
        files: files.to_vec(),
        // An agent asks by HTTP, which is TCP, which is the kernel's.
        agent_after: None,
    }
}

/// Numbers that look random, the same for the same seed (SplitMix64).
#[derive(Debug)]
pub(super) struct Chance(pub(super) u64);

impl Chance {
    /// The next one.
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// The next one, less than `end`; 0 if that is 0.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.next().checked_rem(end).unwrap_or(0)
    }

    /// Some part of a duration.
    pub(super) fn within(&mut self, most: Duration) -> Duration {
        Duration::from_nanos(self.below(u64::try_from(most.as_nanos()).unwrap_or(u64::MAX)))
    }
}

#[cfg(test)]
mod tests;
