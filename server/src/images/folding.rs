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
/// Folders that are looked into for one name: of links that lead in a circle, each with two spellings, there would be no end.
const LOOKS_MAX: usize = 256;
/// How long a list is believed of a directory that was changed just before it was read: within one tick of the file system's clock a change does not show.
const FRESH_FOR: Duration = Duration::from_secs(1);

/// What directories hold. Nobody waits for a disk while he has the lock.
#[derive(Debug, Default)]
pub(super) struct Folding(Mutex<BTreeMap<String, Listing>>);

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
    ///
    /// # Errors
    /// A place where the thread may not go.
    pub(super) fn find(
        &self,
        go: Go<'_>,
        directory: &BootDirectory,
        path: &str,
    ) -> Result<Option<String>, Unopened> {
        let (mut looks_left, mut folder) = (LOOKS_MAX, None);
        let found = self.find_below((go, directory), "", path, &mut looks_left, &mut folder)?;
        Ok(found.or(folder))
    }

    /// The first of the folders that a part may mean may not hold the rest, or hold a folder of that name: then the next one is looked into. `a_folder` is the first folder of that name.
    fn find_below(
        &self,
        place: (Go<'_>, &BootDirectory),
        folder: &str,
        path: &str,
        looks_left: &mut usize,
        a_folder: &mut Option<String>,
    ) -> Result<Option<String>, Unopened> {
        let Some(left) = looks_left.checked_sub(1) else { return Ok(None) };
        *looks_left = left;
        let (part, rest) = path.split_once('/').map_or((path, None), |(part, rest)| (part, Some(rest)));
        for (name, is_folder) in self.names_in(place, folder, part, rest.is_none())? {
            let found = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            let Some(rest) = rest else {
                if is_folder {
                    a_folder.get_or_insert(found);
                    continue;
                }
                return Ok(Some(found));
            };
            if let Some(found) = self.find_below(place, &found, rest, looks_left, a_folder)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// What a part of a path may mean in a folder; of the last part, whether each is a folder.
    fn names_in(
        &self,
        (go, directory): (Go<'_>, &BootDirectory),
        folder: &str,
        part: &str,
        is_last: bool,
    ) -> Result<Vec<(String, bool)>, Unopened> {
        let Some(opened) = directory.open_directory(go, folder)? else { return Ok(Vec::new()) };
        let Ok(found) = rustix::fs::fstat(opened.as_fd()) else { return Ok(Vec::new()) };
        let (stamp, small) = (Stamp::of(&found), part.to_lowercase());
        let is_valid = |listing: &&Listing| {
            listing.stamp == stamp && (stamp.is_old() || listing.read_at.elapsed() < FRESH_FOR)
        };
        let named = |listing: &Listing| listing.names.get(&small).cloned().unwrap_or_default();
        let known = whole(&self.0).get(folder).filter(is_valid).map(named);
        let others = known.unwrap_or_else(|| {
            let listing = Listing { stamp, read_at: Instant::now(), names: list(&opened) };
            let names = named(&listing);
            let mut listings = whole(&self.0);
            if listings.len() >= DIRECTORIES_MAX {
                listings.clear();
            }
            listings.insert(folder.to_owned(), listing);
            names
        });
        // What has just this name goes first, for folders as for files.
        let exact = exists(&opened, part).then(|| part.to_owned());
        let names = exact.into_iter().chain(others.into_iter().filter(|name| name != part));
        let with_kind = |name: String| {
            let is_folder = is_last && is_folder(&opened, &name);
            (name, is_folder)
        };
        Ok(names.map(with_kind).collect())
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

// What is mounted there is not touched for these: it may not answer.
const NOT_TOUCHED: OFlags = OFlags::PATH.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

fn exists(directory: &OwnedFd, name: &str) -> bool {
    matches!(on_own(directory, name, NOT_TOUCHED), Ok(_) | Err(Errno::XDEV))
}

fn is_folder(directory: &OwnedFd, name: &str) -> bool {
    on_own(directory, name, NOT_TOUCHED | OFlags::DIRECTORY).is_ok()
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
            let found = folding.find(&anywhere, &boot, path).unwrap();
            assert_eq!(found.as_deref(), expected, "{path}");
        }
        // A folder of the file's name hides no file, be it beside it or in another folder that may be meant.
        for folder in ["BOOT/X64/bcd", "boot/x64/BCD", "Boot/x64/bcd"] {
            std::fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        std::thread::sleep(Duration::from_millis(1100));
        for path in ["boot/x64/bcd", "BOOT/X64/bcd", "Boot/x64/bcd"] {
            let found = folding.find(&anywhere, &boot, path).unwrap();
            assert_eq!(found.as_deref(), Some("Boot/x64/BCD"), "{path}");
        }
        for link in ["loop", "LOOP"] {
            std::os::unix::fs::symlink(".", root.path().join(link)).unwrap();
        }
        let found = folding.find(&anywhere, &boot, &format!("{}missing", "Loop/".repeat(100))).unwrap();
        assert_eq!(found, None, "in no time");
        std::fs::write(root.path().join("New"), "x").unwrap();
        let found = folding.find(&anywhere, &boot, "new").unwrap();
        assert_eq!(found.as_deref(), Some("New"), "a second later at the latest");
    }
}
