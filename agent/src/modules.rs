//! Kernel modules of an initial RAM disk, as its `modules.dep` and `modules.alias` list them: loaded by name, by what a device says it
//! is, or when the kernel itself asks.
//!
//! The kernel asks by running `/sbin/modprobe`, which in an image that `heorot initrd` made is this program too.

use crate::say;
use nix::errno::Errno;
use nix::kmod::{ModuleInitFlags, finit_module};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

#[cfg(test)]
mod tests;

/// Modules that are loaded in any case: one name a line; empty lines and lines with `#` are passed over.
pub const LIST: &str = "/etc/heorot-agent/modules";

/// Drivers of disks, one name a line: they are loaded for a check of disks, and not at every start. Some of them look around for half a minute, and no root of ours is on a disk.
pub const DISKS: &str = "/etc/heorot-agent/disks";

/// What there is to load, and what is loaded already.
#[derive(Debug, Default)]
pub struct Modules {
    directory: PathBuf,
    /// By name: the file, and the files that it needs, of which the last is loaded first (as in `modules.dep`).
    files: BTreeMap<String, Vec<String>>,
    /// Patterns and the modules that they mean.
    aliases: Vec<(String, String)>,
    /// Drivers that wait until somebody wants to know of disks.
    of_disks: BTreeSet<String>,
    /// Files that were loaded, or that cannot be.
    tried: BTreeSet<String>,
    loaded: usize,
    /// Whether somebody else's `modprobe` loads them.
    by_program: bool,
}

impl Modules {
    /// Those of the running kernel. Without any, all that is needed has to be built in, and what is missing will be missed by name.
    #[must_use]
    pub fn of_running_kernel() -> Self {
        let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let release = release.trim();
        let directory = Path::new(MODULES).join(release);
        let table = |name: &str| fs::read_to_string(directory.join(name));
        match (table("modules.dep"), table("modules.alias")) {
            (Ok(needs), aliases) => {
                let of_disks = fs::read_to_string(DISKS).unwrap_or_default();
                let of_disks = of_disks.lines().map(canonical).collect();
                Self { of_disks, ..Self::parse(&directory, &needs, &aliases.unwrap_or_default()) }
            }
            (Err(error), _) => {
                let others = fs::read_dir(MODULES).map(|entries| {
                    entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
                });
                let others: Vec<String> = others.unwrap_or_default();
                if others.is_empty() {
                    say!("no kernel modules here ({}: {error})", directory.display());
                } else {
                    say!(
                        "the kernel is {release}, and this initial RAM disk has the modules of {}: make it anew with heorot initrd {release}",
                        others.join(", ")
                    );
                }
                Self::default()
            }
        }
    }

    /// In another program's initial RAM disk, which has a `modprobe` of its own, and loads the modules of devices itself.
    #[must_use]
    pub fn by_program() -> Self {
        Self { by_program: true, ..Self::default() }
    }

    /// From the text of `modules.dep` and `modules.alias`.
    fn parse(directory: &Path, needs: &str, aliases: &str) -> Self {
        let files = needs.lines().filter_map(|line| {
            let (file, needs) = line.split_once(':')?;
            let name = file.rsplit('/').next()?.split(".ko").next()?;
            let files = std::iter::once(file).chain(needs.split_whitespace()).map(str::to_owned).collect();
            Some((canonical(name), files))
        });
        let aliases = aliases.lines().filter_map(|line| {
            let mut words = line.strip_prefix("alias ")?.split_whitespace();
            Some((words.next()?.to_owned(), canonical(words.next()?)))
        });
        Self {
            directory: directory.to_owned(),
            files: files.collect(),
            aliases: aliases.collect(),
            ..Self::default()
        }
    }

    /// Loads the modules that [`LIST`] names and those of all devices that there are.
    pub fn load_for_devices(&mut self) {
        for name in fs::read_to_string(LIST).unwrap_or_default().lines().map(str::trim) {
            if !name.is_empty() && !name.starts_with('#') {
                self.load(name);
            }
        }
        self.load_for_devices_behind_devices();
        say!("{} modules loaded", self.loaded);
    }

    /// Loads what disks need, which is passed over until then.
    pub fn load_for_disks(&mut self) {
        let waiting = std::mem::take(&mut self.of_disks);
        if waiting.is_empty() {
            return;
        }
        let before = self.loaded;
        self.load_for_devices_behind_devices();
        // What these drive appears when the drivers of controllers have looked around.
        for name in DRIVERS_OF_ALL_DISKS.iter().filter(|name| waiting.contains(**name)) {
            self.load(name);
        }
        say!("{} modules loaded for disks", self.loaded - before);
    }

    /// A bus that a driver drives brings further devices: virtio_pci, then virtio_net.
    fn load_for_devices_behind_devices(&mut self) {
        for _ in 0..DEPTH_MAX {
            if self.look_for_devices() == 0 {
                break;
            }
        }
    }

    /// Loads the modules of devices that have come meanwhile; how many.
    pub fn look_for_devices(&mut self) -> usize {
        if self.by_program {
            return 0;
        }
        let before = self.loaded;
        let buses =
            fs::read_dir("/sys/bus").map(|buses| buses.flatten().collect()).unwrap_or_else(|_| Vec::new());
        for bus in buses {
            let Ok(devices) = fs::read_dir(bus.path().join("devices")) else { continue };
            for device in devices.flatten() {
                if let Ok(alias) = fs::read_to_string(device.path().join("modalias")) {
                    self.load(alias.trim());
                }
            }
        }
        self.loaded - before
    }

    /// Loads what a name or an alias means, and what that needs. What there is no module for is taken to be built in.
    pub fn load(&mut self, name: &str) {
        if self.by_program {
            let _ = Command::new("modprobe").args(["-q", name]).status();
            return;
        }
        for file in self.files_of(name) {
            if !self.tried.insert(file.clone()) {
                continue;
            }
            match load_file(&self.directory.join(&file)) {
                Ok(()) => self.loaded += 1,
                // Somebody else was faster, or it is built in.
                Err(Failure::Load(Errno::EEXIST)) => {}
                // The driver looked, and its device is not there.
                Err(Failure::Load(Errno::ENODEV)) => {}
                Err(Failure::Open(error)) => say!("module {file}: {error}"),
                Err(Failure::Load(error)) => say!("module {file}: {}", error.desc()),
            }
        }
    }
}

impl Modules {
    /// The files that a name or an alias means, in the order in which they are loaded. A device does not mean a driver that waits.
    fn files_of(&self, name: &str) -> Vec<String> {
        let meant = canonical(name);
        let mut names: Vec<&String> =
            self.files.get_key_value(&meant).into_iter().map(|(name, _)| name).collect();
        if names.is_empty() {
            let fitting = self.aliases.iter().filter(|(pattern, _)| is_match(pattern, name));
            names = fitting.map(|(_, name)| name).filter(|name| !self.of_disks.contains(*name)).collect();
        }
        let files = names.into_iter().filter_map(|name| self.files.get(name));
        files.flat_map(|files| files.iter().rev()).cloned().collect()
    }
}

enum Failure {
    Open(std::io::Error),
    Load(Errno),
}

fn load_file(path: &Path) -> Result<(), Failure> {
    let file = File::open(path).map_err(Failure::Open)?;
    finit_module(file, c"", ModuleInitFlags::empty()).map_err(Failure::Load)
}

/// Module names do not tell `-` from `_`.
fn canonical(name: &str) -> String {
    name.replace('-', "_")
}

/// Whether a name is meant by a pattern with `*`, `?` and sets as `[0-9a]`, as fnmatch(3) reads them.
fn is_match(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut at, mut place) = (0, 0);
    // Where to go on if what follows the last star does not fit: one letter later.
    let mut again = None;
    loop {
        let fits = match pattern.get(at) {
            Some(b'*') => {
                again = Some((at + 1, place));
                at += 1;
                continue;
            }
            None if place == name.len() => return true,
            None => None,
            Some(_) => name.get(place).and_then(|letter| one(&pattern[at..], *letter)),
        };
        match (fits, &mut again) {
            (Some(length), _) => (at, place) = (at + length, place + 1),
            (None, Some((after_star, star))) if *star < name.len() => {
                *star += 1;
                (at, place) = (*after_star, *star);
            }
            (None, _) => return false,
        }
    }
}

/// How much of the pattern means this one letter.
fn one(pattern: &[u8], letter: u8) -> Option<usize> {
    match pattern[0] {
        b'?' => Some(1),
        b'[' => {
            let end = pattern.iter().position(|&byte| byte == b']')?;
            let set = &pattern[1..end];
            let mut place = 0;
            while place < set.len() {
                let last = if set.get(place + 1) == Some(&b'-') { set.get(place + 2) } else { None };
                if (set[place]..=*last.unwrap_or(&set[place])).contains(&letter) {
                    return Some(end + 1);
                }
                place += if last.is_some() { 3 } else { 1 };
            }
            None
        }
        byte => (byte == letter).then_some(1),
    }
}

const MODULES: &str = "/lib/modules";
/// What makes disks of what a controller has found.
const DRIVERS_OF_ALL_DISKS: [&str; 2] = ["sd_mod", "mmc_block"];
/// Buses behind buses.
const DEPTH_MAX: usize = 8;
