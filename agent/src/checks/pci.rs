//! PCI devices, and those of them that reckon pictures.

use super::amount::{count, enough};
use super::{Check, entries, line};
use std::path::{Path, PathBuf};

/// `pci`: the device is there, at least so often.
pub(super) fn devices(check: &Check, directory: &Path) -> Result<String, String> {
    let wanted = check.device.as_deref().ok_or("the check names no device")?;
    let (vendor, device) = wanted.split_once(':').ok_or("the check names no device as 10de:20b5")?;
    let least = super::amount::wanted("at-least", &check.at_least, count)?.unwrap_or(1);
    let is_it = |found: &Device| found.vendor == vendor && (device == "*" || found.device == device);
    let found: Vec<_> = all(directory).filter(is_it).map(|found| found.show()).collect();
    enough(&found, least, &format!(" of {wanted}"))
}

/// `gpu`: at least so many display controllers (class 0x03), of which those of management boards are none that anybody wants to reckon with.
pub(super) fn graphics(check: &Check, directory: &Path) -> Result<String, String> {
    let least = check.at_least(count)?;
    let is_display = |found: &Device| found.class.starts_with("03");
    let (boards, found): (Vec<_>, Vec<_>) =
        all(directory).filter(is_display).partition(|found| BOARDS.contains(&found.vendor.as_str()));
    let show = |devices: &[Device]| devices.iter().map(Device::show).collect::<Vec<_>>();
    enough(&show(&found), least, "").map_err(|said| match boards.as_slice() {
        [] => said,
        boards => {
            format!("{said}; not counted, as they are of management boards: {}", show(boards).join(", "))
        }
    })
}

/// ASPEED, Matrox.
const BOARDS: [&str; 2] = ["1a03", "102b"];

struct Device {
    place: String,
    vendor: String,
    device: String,
    class: String,
}

impl Device {
    fn read(path: &Path) -> Option<Self> {
        let field = |field: &str| Some(line(&path.join(field))?.strip_prefix("0x")?.to_ascii_lowercase());
        let place = path.file_name()?.to_str()?.to_owned();
        Some(Self { place, vendor: field("vendor")?, device: field("device")?, class: field("class")? })
    }

    fn show(&self) -> String {
        format!("{} {}:{}", self.place, self.vendor, self.device)
    }
}

/// The devices of a class: where each is, and as a person reads it.
pub(super) fn of_class(directory: &Path, class: &str) -> impl Iterator<Item = (PathBuf, String)> {
    let read = move |path: PathBuf| {
        let found = Device::read(&path).filter(|found| found.class.starts_with(class))?;
        Some((path, found.show()))
    };
    entries(directory).into_iter().filter_map(read)
}

fn all(directory: &Path) -> impl Iterator<Item = Device> {
    entries(directory).into_iter().filter_map(|path| Device::read(&path))
}
