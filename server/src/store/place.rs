//! Whether the file that records are written to is still in its place: what is written to one that was removed is lost when the server ends.

use crate::lacking::Lacking;
use crate::wake::whole;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// The place, and what was opened there: shared by the store and by whoever looks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Place {
    path: PathBuf,
    /// None: nothing is open. What is may not be another's meanwhile: a number of an inode is free when nobody has it open.
    open: Arc<Mutex<Option<File>>>,
}

/// Device and inode.
type File = (u64, u64);

impl Place {
    /// Where a file was opened just now.
    pub(super) fn new(path: &Path) -> Self {
        let place = Self { path: path.to_owned(), ..Self::default() };
        place.opened();
        place
    }

    /// It was opened again.
    pub(super) fn opened(&self) {
        *whole(&self.open) = file_at(&self.path).ok();
    }

    /// It is closed, or about to be.
    pub(super) fn closed(&self) {
        *whole(&self.open) = None;
    }

    /// What is told if it is in its place no more.
    pub(crate) fn lacking(&self) -> Option<Lacking> {
        let open = *whole(&self.open);
        let what = match file_at(&self.path) {
            Ok(found) if Some(found) == open => return None,
            Ok(_) => "it was replaced",
            Err(error) if error.kind() == ErrorKind::NotFound => "it was removed",
            // Nobody knows what is there.
            Err(_) => return None,
        };
        // Nobody can close it and have another take its number in between without being seen here.
        let open = open.filter(|open| *whole(&self.open) == Some(*open))?;
        let path = self.path.display();
        let still = descriptor(open).map_or_else(String::new, |number| {
            format!(" (it is still /proc/{}/fd/{number})", std::process::id())
        });
        Some(Lacking {
            what: format!(
                "{path} is not the file that is written to: {what}; what is promised from now on is lost when heorot ends;"
            ),
            remedy: format!(
                "do not restart it before the file is saved{still}: docs/troubleshooting.md; if it was moved away, move it back"
            ),
        })
    }
}

fn file_at(path: &Path) -> std::io::Result<File> {
    fs::metadata(path).map(|found| (found.dev(), found.ino()))
}

/// A descriptor of ours by which a file is open.
fn descriptor(file: File) -> Option<u32> {
    let open = fs::read_dir("/proc/self/fd").ok()?.filter_map(Result::ok);
    open.filter(|entry| file_at(&entry.path()).is_ok_and(|found| found == file))
        .find_map(|entry| entry.file_name().to_str()?.parse().ok())
}
