//! What this machine is made of.

use crate::net;
use serde::Serialize;
use std::fs;
use std::path::Path;

/// What a report tells about the machine. What cannot be found out is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// Memory that is built in, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// Memory that programs see, in bytes: without what the kernel keeps for itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kernel_memory_bytes: Option<u64>,
    /// Processors that the kernel uses.
    pub processors: usize,
    /// The product's name, by the firmware.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// Its serial number, by the firmware.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// Its UUID, by the firmware; some are shared or nonsense.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,
    /// The kernel's release.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kernel: Option<String>,
    /// Ethernet interfaces.
    pub interfaces: Vec<Interface>,
}

/// One interface in [`Facts`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Interface {
    /// The kernel's name.
    pub name: String,
    /// The hardware address, as `aa:bb:cc:dd:ee:ff`.
    pub mac: String,
    /// What its link carries, if the driver knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speed_bits_per_second: Option<u64>,
}

impl Facts {
    /// Looks at the machine.
    #[must_use]
    pub fn gather() -> Self {
        let firmware = |field: &str| line(format!("/sys/class/dmi/id/{field}"));
        let interfaces = net::interfaces().into_iter().map(|interface| Interface {
            speed_bits_per_second: interface.speed_bits_per_second(),
            mac: interface.mac.to_string(),
            name: interface.name,
        });
        Self {
            memory_bytes: memory_bytes(Path::new("/")),
            kernel_memory_bytes: kernel_memory_bytes(Path::new("/")),
            processors: processors(),
            product: firmware("product_name"),
            serial: firmware("product_serial"),
            uuid: firmware("product_uuid"),
            kernel: line("/proc/sys/kernel/osrelease"),
            interfaces: interfaces.collect(),
        }
    }
}

/// The memory that is built in, in bytes.
///
/// `MemTotal` lacks what the kernel keeps for itself, so that a machine of 1 GiB would fail a check for 1 GiB: the kernel's memory
/// blocks are counted instead where it has them.
#[must_use]
pub fn memory_bytes(root: &Path) -> Option<u64> {
    blocks_bytes(&root.join("sys/devices/system/memory")).max(kernel_memory_bytes(root))
}

/// What the kernel says it has, as `free` shows it, and `sysconf` to programs: a batch system that is promised more by its configuration takes the node out.
#[must_use]
pub fn kernel_memory_bytes(root: &Path) -> Option<u64> {
    meminfo_bytes(root, "MemTotal:")
}

/// What can be had of it without taking it from anybody.
#[must_use]
pub fn available_bytes(root: &Path) -> Option<u64> {
    meminfo_bytes(root, "MemAvailable:")
}

/// Processors that are in use.
#[must_use]
pub fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn meminfo_bytes(root: &Path, field: &str) -> Option<u64> {
    field_bytes(&fs::read_to_string(root.join("proc/meminfo")).ok()?, field)
}

fn field_bytes(meminfo: &str, field: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix(field))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    kibibytes.checked_mul(1024)
}

fn blocks_bytes(blocks: &Path) -> Option<u64> {
    let line = |path: &str| line(blocks.join(path));
    let size = u64::from_str_radix(&line("block_size_bytes")?, 16).ok()?;
    let names = fs::read_dir(blocks).ok()?.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let blocks =
        names.filter(|name| name.strip_prefix("memory").is_some_and(|rest| rest.parse::<u32>().is_ok()));
    let online = blocks.filter(|name| line(&format!("{name}/state")).is_some_and(|state| state == "online"));
    size.checked_mul(online.count() as u64)
}

/// A file's one line, if it has anything to say.
fn line(path: impl AsRef<Path>) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_from_the_kernels_table() {
        assert_eq!(
            field_bytes("MemTotal:         488412 kB\nMemFree: 1 kB\n", "MemTotal:"),
            Some(488_412 * 1024)
        );
        assert_eq!(field_bytes("MemFree: 1 kB\n", "MemTotal:"), None);
        assert_eq!(field_bytes("MemTotal: many\n", "MemTotal:"), None);
    }

    /// A machine of 16 GiB, of which its kernel keeps a good part: four online blocks of 4 GiB, and one that is not.
    #[test]
    fn what_is_built_in_is_more_than_what_programs_see() {
        let root = std::env::temp_dir().join(format!("heorot-agent-facts-{}", std::process::id()));
        let write = |path: &str, text: &str| {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("proc/meminfo", "MemTotal:       16313576 kB\nMemAvailable:   15800000 kB\n");
        write("sys/devices/system/memory/block_size_bytes", "100000000\n");
        for block in 0..5 {
            let state = if block < 4 { "online\n" } else { "offline\n" };
            write(&format!("sys/devices/system/memory/memory{block}/state"), state);
        }
        let found = (memory_bytes(&root), kernel_memory_bytes(&root));
        fs::remove_dir_all(&root).unwrap();
        assert_eq!(found, (Some(16 << 30), Some(16_313_576 << 10)));
    }

    #[test]
    fn this_machine_has_memory_and_processors() {
        let facts = Facts::gather();
        assert!(facts.kernel_memory_bytes.is_some_and(|bytes| bytes > 1 << 26), "{facts:?}");
        assert!(facts.memory_bytes >= facts.kernel_memory_bytes, "{facts:?}");
        assert!(facts.processors >= 1, "{facts:?}");
    }
}
