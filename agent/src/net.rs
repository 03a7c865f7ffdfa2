//! Network interfaces: which one to use, and what it says of itself in `/sys/class/net`.

use crate::frame::Mac;
use crate::waiting::Waiting;
use crate::{netlink, say};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{fs, io, thread};

/// One Ethernet interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// The kernel's name, such as `eth0`.
    pub name: String,
    /// The kernel's index.
    pub index: u32,
    /// Its hardware address.
    pub mac: Mac,
}

/// All Ethernet interfaces, by index.
#[must_use]
pub fn interfaces() -> Vec<Interface> {
    let names = fs::read_dir(CLASS).map(|entries| entries.flatten().map(|entry| entry.file_name()).collect());
    let names: Vec<_> = names.unwrap_or_default();
    let mut found: Vec<_> = names.iter().filter_map(|name| Interface::read(name.to_str()?)).collect();
    found.sort_by_key(|interface| interface.index);
    found
}

/// Brings up what there is and waits until the wanted interface, or else the first, has a carrier. Devices appear late (USB, slow
/// firmware): `look_again` is called now and then, to load what drives those that have come.
///
/// # Errors
/// In words, if that does not come to pass within `patience`.
pub fn find(
    wanted: Option<Mac>,
    patience: Duration,
    mut look_again: impl FnMut(),
) -> Result<Interface, String> {
    let start = Instant::now();
    let _waiting = Waiting::on("an Ethernet interface with a carrier".to_owned());
    let mut up: Vec<u32> = Vec::new();
    let mut looked_at = start;
    loop {
        if looked_at.elapsed() >= LOOK_EVERY {
            look_again();
            looked_at = Instant::now();
        }
        let found = interfaces();
        for interface in &found {
            if up.contains(&interface.index) {
                continue;
            }
            if let Err(error) = netlink::link_up(interface.index, None) {
                say!("{} cannot be brought up: {error}", interface.name);
            }
            up.push(interface.index);
        }
        let mut candidates = found.iter().filter(|interface| wanted.is_none_or(|mac| mac == interface.mac));
        if let Some(interface) = candidates.find(|interface| interface.carrier()) {
            return Ok(interface.clone());
        }
        if start.elapsed() >= patience {
            let seen: Vec<_> =
                found.iter().map(|interface| format!("{} {}", interface.name, interface.mac)).collect();
            return Err(match (wanted, seen.is_empty()) {
                (_, true) => no_ethernet(&infiniband()),
                (Some(mac), false) => format!("no interface {mac} with a carrier, only {}", seen.join(", ")),
                (None, false) => format!("no interface has a carrier: {}", seen.join(", ")),
            });
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Why there is no interface to boot by, where these are there.
fn no_ethernet(infiniband: &[String]) -> String {
    match infiniband {
        [] => "no Ethernet interface: the initial RAM disk has no driver for it (heorot initrd --load NAME adds one to the usual ones)".to_owned(),
        names => format!(
            "no Ethernet interface, and by InfiniBand ({}) this agent boots nothing: connect one of Ethernet, or boot this node with an initial RAM disk of your own",
            names.join(", ")
        ),
    }
}

/// Interfaces by which only others can boot.
fn infiniband() -> Vec<String> {
    let names = fs::read_dir(CLASS).map(|entries| entries.flatten().map(|entry| entry.file_name()).collect());
    let names: Vec<_> = names.unwrap_or_default();
    let is_one = |name: &String| {
        let kind = fs::read_to_string(Path::new(CLASS).join(name).join("type"));
        kind.is_ok_and(|kind| kind.trim() == ARPHRD_INFINIBAND)
    };
    let mut found: Vec<String> =
        names.iter().filter_map(|name| name.to_str().map(str::to_owned)).filter(is_one).collect();
    found.sort();
    found
}

impl Interface {
    /// Reads the interface called `name`; `None` if there is none, or it is not Ethernet.
    #[must_use]
    pub fn read(name: &str) -> Option<Self> {
        let directory = Path::new(CLASS).join(name);
        let field = |field: &str| fs::read_to_string(directory.join(field)).ok();
        if field("type")?.trim() != ARPHRD_ETHER {
            return None;
        }
        let (index, mac) = (field("ifindex")?.trim().parse().ok()?, field("address")?.parse().ok()?);
        Some(Self { name: name.to_owned(), index, mac })
    }

    /// Whether a cable with something alive at its other end is there.
    #[must_use]
    pub fn carrier(&self) -> bool {
        fs::read_to_string(self.path("carrier")).is_ok_and(|text| text.trim() == "1")
    }

    /// What the link is able to carry, if the driver knows.
    #[must_use]
    pub fn speed_bits_per_second(&self) -> Option<u64> {
        let megabits: i64 = fs::read_to_string(self.path("speed")).ok()?.trim().parse().ok()?;
        u64::try_from(megabits).ok().filter(|&megabits| megabits > 0).map(|megabits| megabits * 1_000_000)
    }

    /// Makes the next address of the same network take over as primary when the first is removed, where the kernel would else remove
    /// all of them.
    ///
    /// # Errors
    /// If the kernel's setting cannot be written.
    pub fn promote_secondaries(&self) -> io::Result<()> {
        fs::write(format!("/proc/sys/net/ipv4/conf/{}/promote_secondaries", self.name), "1")
    }

    fn path(&self, field: &str) -> PathBuf {
        Path::new(CLASS).join(&self.name).join(field)
    }
}

const LOOK_EVERY: Duration = Duration::from_millis(500);
const CLASS: &str = "/sys/class/net";
const ARPHRD_ETHER: &str = "1";
const ARPHRD_INFINIBAND: &str = "32";

#[cfg(test)]
mod tests {
    use super::*;

    /// `--drivers` would leave all others out, and the node that has the other card would not boot any more.
    #[test]
    fn a_driver_that_is_missing_is_added_to_the_others() {
        let why = no_ethernet(&[]);
        assert!(why.contains("--load NAME") && !why.contains("--drivers"), "{why}");
        let why = no_ethernet(&["ib0".into(), "ib1".into()]);
        assert!(why.contains("by InfiniBand (ib0, ib1)") && !why.contains("driver"), "{why}");
    }
}
