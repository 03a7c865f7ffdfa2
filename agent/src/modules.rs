//! Kernel modules, loaded from a list that the initramfs brings along in dependency order.

use crate::say;
use nix::errno::Errno;
use nix::kmod::{ModuleInitFlags, finit_module};
use std::fs::{self, File};
use std::path::Path;

/// The list: one path a line; empty lines and lines with `#` are passed over.
pub const LIST: &str = "/etc/heorot-agent/modules";

/// Loads what the list names. A module that cannot be loaded is told and passed over: the one that matters will be missed by name when
/// there is no interface.
pub fn load(list: &Path) {
    let Ok(text) = fs::read_to_string(list) else {
        say!("no list of modules at {}", list.display());
        return;
    };
    let mut loaded = 0;
    for path in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match load_one(Path::new(path)) {
            // A module that is there already, or built in, is as good as loaded.
            Ok(()) | Err(Failure::Load(Errno::EEXIST)) => loaded += 1,
            Err(Failure::Open(error)) => say!("module {path}: {error}"),
            Err(Failure::Load(error)) => say!("module {path}: {}", error.desc()),
        }
    }
    say!("{loaded} modules loaded");
}

enum Failure {
    Open(std::io::Error),
    Load(Errno),
}

fn load_one(path: &Path) -> Result<(), Failure> {
    let file = File::open(path).map_err(Failure::Open)?;
    finit_module(file, c"", ModuleInitFlags::empty()).map_err(Failure::Load)
}
