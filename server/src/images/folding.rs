//! Names whose capital and small letters are not the file's: what a directory holds is read once and kept as long as the directory is unchanged.

use super::directory::{BootDirectory, Go, Unopened};
use super::mounts::on_own;
use crate::wake::whole;
use rustix::fs::{Dir, OFlags, Stat};
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Directories that are remembered. A boot directory has a few.
const DIRECTORIES_MAX: usize = 256;
/// Names that are remembered of one directory; more are looked for each time.
const NAMES_MAX: usize = 16_384;
/// How long a list is believed of a directory that was changed just before it was read: within one tick of the file system's clock a change does not show.
const FRESH_FOR: Duration = Duration::from_secs(1);

/// What directories hold. Nobody waits for a disk while he has the lock.
#[derive(Debug, Default)]
pub(super) struct Folding(Mutex<BTreeMap<String, Listing>>);

#[derive(Debug)]
struct Listing {
    stamp: Stamp,
    read_at: Instant,
    /// By their names in small letters; of several, the first.
    names: BTreeMap<String, String>,
}

/// What changes with a directory.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    changed: (i64, u64),
}

impl Folding {
    /// The path of a file whose name differs from this one in capital and small letters alone, if there is one. Disks may be waited for.
    ///
    /// # Errors
    /// A place where the thread may not go.
    pub(super) fn find(
        &self,
        go: Go<'_>,
        directory: &BootDirectory,
        path: &str,
    ) -> Result<Option<String>, Unopened> {
        let mut found = String::new();
        for part in path.split('/') {
            let Some(name) = self.name_in(go, directory, &found, part)? else { return Ok(None) };
            if !found.is_empty() {
                found.push('/');
            }
            found.push_str(&name);
        }
        Ok(Some(found))
    }

    fn name_in(
        &self,
        go: Go<'_>,
        directory: &BootDirectory,
        folder: &str,
        part: &str,
    ) -> Result<Option<String>, Unopened> {
        let Some(opened) = directory.open_directory(go, folder)? else { return Ok(None) };
        // What has just this name goes first, for folders as for files.
        if exists(&opened, part) {
            return Ok(Some(part.to_owned()));
        }
        let Ok(found) = rustix::fs::fstat(opened.as_fd()) else { return Ok(None) };
        let (stamp, small) = (Stamp::of(&found), part.to_lowercase());
        let is_valid = |listing: &&Listing| {
            listing.stamp == stamp && (stamp.is_old() || listing.read_at.elapsed() < FRESH_FOR)
        };
        if let Some(listing) = whole(&self.0).get(folder).filter(is_valid) {
            return Ok(listing.names.get(&small).cloned());
        }
        let listing = Listing { stamp, read_at: Instant::now(), names: list(&opened) };
        let name = listing.names.get(&small).cloned();
        let mut listings = whole(&self.0);
        if listings.len() >= DIRECTORIES_MAX {
            listings.clear();
        }
        listings.insert(folder.to_owned(), listing);
        Ok(name)
    }
}

impl Stamp {
    #[allow(
        clippy::useless_conversion,
        clippy::unnecessary_cast,
        reason = "the fields' types differ between architectures"
    )]
    fn of(stat: &Stat) -> Self {
        Self {
            device: u64::from(stat.st_dev),
            inode: u64::from(stat.st_ino),
            changed: (i64::from(stat.st_mtime), stat.st_mtime_nsec as u64),
        }
    }

    /// Whether the directory was last changed so long ago that a later change shows.
    fn is_old(&self) -> bool {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Realtime).tv_sec;
        now.saturating_sub(self.changed.0) > 1 + FRESH_FOR.as_secs().cast_signed()
    }
}

fn exists(directory: &OwnedFd, name: &str) -> bool {
    // What is mounted there is not touched for that: it may not answer.
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    matches!(on_own(directory, name, flags), Ok(_) | Err(Errno::XDEV))
}

/// The names in a directory, in their order.
fn list(directory: &OwnedFd) -> BTreeMap<String, String> {
    let Ok(entries) = Dir::read_from(directory) else { return BTreeMap::new() };
    let names = entries.filter_map(|entry| String::from_utf8(entry.ok()?.file_name().to_bytes().into()).ok());
    let mut sorted: Vec<String> = names.take(NAMES_MAX).collect();
    sorted.sort_by(|a, b| b.cmp(a));
    // Of several, the last to be put in stays: the first in order.
    sorted.into_iter().map(|name| (name.to_lowercase(), name)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::directory::anywhere;
    use super::*;

    #[test]
    fn names_are_found_whatever_their_letters_and_changes_are_seen() {
        let root = crate::testing::directory("folding");
        let boot = crate::testing::boot_files(&root);
        std::fs::create_dir_all(root.path().join("Boot/x64")).unwrap();
        for name in ["Boot/x64/BCD", "Boot/x64/Wdsmgfw.EFI", "readme", "README"] {
            std::fs::write(root.path().join(name), "x").unwrap();
        }
        let folding = Folding::default();
        for (path, expected) in [
            ("boot/X64/bcd", Some("Boot/x64/BCD")),
            ("BOOT/x64/wdsmgfw.efi", Some("Boot/x64/Wdsmgfw.EFI")),
            ("Boot/x64/BCD", Some("Boot/x64/BCD")),
            ("readme", Some("readme")),
            ("ReadMe", Some("README")),
            ("boot/missing", None),
            ("boot/x64/bcd/further", None),
            ("../folding", None),
        ] {
            let found = folding.find(&anywhere, &boot, path).unwrap();
            assert_eq!(found.as_deref(), expected, "{path}");
        }
        std::thread::sleep(Duration::from_millis(1100));
        std::fs::write(root.path().join("New"), "x").unwrap();
        let found = folding.find(&anywhere, &boot, "new").unwrap();
        assert_eq!(found.as_deref(), Some("New"), "a second later at the latest");
    }
}
