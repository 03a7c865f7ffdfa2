//! Names whose capital and small letters are not the file's: what a directory holds is read once and kept as long as the directory is unchanged.

use super::directory::BootDirectory;
use rustix::fs::{Dir, Stat};
use std::collections::BTreeMap;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

/// Directories that are remembered. A boot directory has a few.
const DIRECTORIES_MAX: usize = 256;
/// Names that are remembered of one directory; more are looked for each time.
const NAMES_MAX: usize = 16_384;
/// Folders that are looked into for one name: of links that lead in a circle, each with two spellings, there would be no end.
const LOOKS_MAX: usize = 256;
/// How long a list is believed of a directory that was changed just before it was read: within one tick of the file system's clock a change does not show.
const FRESH_FOR: Duration = Duration::from_secs(1);

/// What directories hold.
#[derive(Debug, Default)]
pub(super) struct Folding(BTreeMap<String, Listing>);

#[derive(Debug)]
struct Listing {
    stamp: Stamp,
    read_at: Instant,
    /// By their names in small letters; several in their order.
    names: BTreeMap<String, Vec<String>>,
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
    pub(super) fn find(&mut self, directory: &BootDirectory, path: &str) -> Option<String> {
        let mut looks_left = LOOKS_MAX;
        self.find_below(directory, "", path, &mut looks_left)
    }

    /// The first of the folders that a part may mean may not hold the rest: then the next one is looked into.
    fn find_below(
        &mut self,
        directory: &BootDirectory,
        folder: &str,
        path: &str,
        looks_left: &mut usize,
    ) -> Option<String> {
        *looks_left = looks_left.checked_sub(1)?;
        let (part, rest) = path.split_once('/').map_or((path, None), |(part, rest)| (part, Some(rest)));
        for name in self.names_in(directory, folder, part).unwrap_or_default() {
            let found = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            let Some(rest) = rest else { return Some(found) };
            if let Some(found) = self.find_below(directory, &found, rest, looks_left) {
                return Some(found);
            }
        }
        None
    }

    /// What a part of a path may mean in a folder.
    fn names_in(&mut self, directory: &BootDirectory, folder: &str, part: &str) -> Option<Vec<String>> {
        let opened = directory.open_directory(folder).ok()?;
        let stamp = Stamp::of(&rustix::fs::fstat(opened.as_fd()).ok()?);
        let is_valid = self.0.get(folder).is_some_and(|listing| {
            listing.stamp == stamp && (stamp.is_old() || listing.read_at.elapsed() < FRESH_FOR)
        });
        if !is_valid {
            if self.0.len() >= DIRECTORIES_MAX {
                self.0.clear();
            }
            let listing = Listing { stamp, read_at: Instant::now(), names: list(&opened) };
            self.0.insert(folder.to_owned(), listing);
        }
        let listing = self.0.get(folder)?;
        // What has just this name goes first, for folders as for files.
        let exact = exists(&opened, part).then(|| part.to_owned());
        let others = listing.names.get(&part.to_lowercase()).into_iter().flatten();
        Some(exact.into_iter().chain(others.filter(|name| *name != part).cloned()).collect())
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
    rustix::fs::statat(directory, name, rustix::fs::AtFlags::SYMLINK_NOFOLLOW).is_ok()
}

/// The names in a directory, in their order.
fn list(directory: &OwnedFd) -> BTreeMap<String, Vec<String>> {
    let Ok(entries) = Dir::read_from(directory) else { return BTreeMap::new() };
    let names = entries.filter_map(|entry| String::from_utf8(entry.ok()?.file_name().to_bytes().into()).ok());
    let mut sorted: Vec<String> = names.take(NAMES_MAX).collect();
    sorted.sort();
    let mut listed: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for name in sorted {
        listed.entry(name.to_lowercase()).or_default().push(name);
    }
    listed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_whatever_their_letters_and_changes_are_seen() {
        let root = crate::testing::directory("folding");
        let boot = crate::testing::boot_files(&root);
        std::fs::create_dir_all(root.path().join("Boot/x64")).unwrap();
        for name in ["Boot/x64/BCD", "Boot/x64/Wdsmgfw.EFI", "readme", "README"] {
            std::fs::write(root.path().join(name), "x").unwrap();
        }
        let mut folding = Folding::default();
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
            assert_eq!(folding.find(&boot, path).as_deref(), expected, "{path}");
        }
        // Of two folders that a part may mean, the one that has just that name goes first, and then the first in order; but what it lacks the other one may have.
        std::fs::create_dir_all(root.path().join("BOOT/only")).unwrap();
        std::fs::write(root.path().join("BOOT/only/here"), "x").unwrap();
        std::thread::sleep(Duration::from_millis(1100));
        for (path, expected) in [
            ("boot/x64/bcd", Some("Boot/x64/BCD")),
            ("BOOT/x64/BCD", Some("Boot/x64/BCD")),
            ("Boot/Only/here", Some("BOOT/only/here")),
            ("boot/only", Some("BOOT/only")),
            ("boot/x64/here", None),
        ] {
            assert_eq!(folding.find(&boot, path).as_deref(), expected, "{path}");
        }
        for link in ["loop", "LOOP"] {
            std::os::unix::fs::symlink(".", root.path().join(link)).unwrap();
        }
        assert_eq!(folding.find(&boot, &format!("{}missing", "Loop/".repeat(100))), None, "in no time");
        std::fs::write(root.path().join("New"), "x").unwrap();
        assert_eq!(folding.find(&boot, "new").as_deref(), Some("New"), "a second later at the latest");
    }
}
