//! Disks that are built in, by the kernel's list of block devices.

use super::amount::{count, enough};
use super::{Check, Subject, entries, line, pci};
use crate::quantity;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// `disks`: at least so many, each of at least this size. Their drivers may have been loaded just now, and look around still.
pub(super) fn wait(check: &Check, subject: &Subject, timeout: Duration) -> Result<String, String> {
    // What was found is to be told before the time of the check is over.
    let until = Instant::now() + subject.disks_appear.min(timeout / 2);
    loop {
        match look(check, &subject.sys("block")) {
            Err(_) if Instant::now() < until => thread::sleep(LOOK_EVERY),
            Err(found) => return Err(found + &without_driver(&subject.sys("bus/pci/devices"))),
            Ok(found) => return Ok(found),
        }
    }
}

/// Which controllers nobody drives: their disks are not to be seen.
fn without_driver(devices: &Path) -> String {
    let is_driven = |path: &Path| path.join("driver").exists();
    let idle = pci::of_class(devices, STORAGE).filter(|(path, _)| !is_driven(path));
    match idle.map(|(_, shown)| shown).collect::<Vec<_>>().as_slice() {
        [] => String::new(),
        controllers => format!("; this RAM disk has no driver for disks at {}", controllers.join(", ")),
    }
}

/// The class of controllers of disks.
const STORAGE: &str = "01";
const LOOK_EVERY: Duration = Duration::from_millis(200);

fn look(check: &Check, block: &Path) -> Result<String, String> {
    let wanted = check.at_least(count)?;
    let size = check.size()?.unwrap_or(0);
    let disks: Vec<_> = entries(block).iter().filter_map(|path| Disk::read(path)).collect();
    let (large, small): (Vec<_>, Vec<_>) = disks.iter().partition(|disk| disk.bytes >= size);
    let show = |disks: &[&Disk]| disks.iter().map(|disk| disk.show()).collect::<Vec<_>>();
    let of = if size > 0 { format!(" of at least {}", quantity::show_bytes(size)) } else { String::new() };
    enough(&show(&large), wanted, &of).map_err(|found| match small.as_slice() {
        [] => found,
        small => format!("{found}; too small: {}", show(small).join(", ")),
    })
}

struct Disk {
    name: String,
    bytes: u64,
}

impl Disk {
    /// One that a driver of hardware made: neither one made of others or of memory, nor a path of another, nor what comes and goes.
    fn read(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.to_owned();
        let says = |field: &str, word: &str| line(&path.join(field)).is_some_and(|text| text == word);
        let is_other = ["sr", "fd", "loop", "ram", "zram", "nbd"].iter().any(|kind| {
            name.strip_prefix(kind).is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
        });
        if is_other || !path.join("device").exists() || says("removable", "1") || says("hidden", "1") {
            return None;
        }
        // In sectors of 512, whatever the disk's own are.
        let sectors: u64 = line(&path.join("size"))?.parse().ok()?;
        (sectors > 0).then(|| Self { name, bytes: sectors.saturating_mul(512) })
    }

    fn show(&self) -> String {
        format!("{} {}", self.name, quantity::show_bytes(self.bytes))
    }
}
