//! Which versions of files boots were given, on disk: so that a process which was just started knows whether a machine that is in mid-boot has seen another one.
//!
//! It is written when a version is given for the first time, and not for each boot. Without it, or where it cannot be written, only what has not changed for long is
//! taken to be the same.

use heorot_core::transfer::ImageIdentity;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

/// Paths that are remembered: more than any site boots at a time. In years it may have more kernels and RAM disks than that: then the one that was given longest ago gives way.
const PATHS_MAX: usize = 1024;

/// The last versions that were given.
#[derive(Debug, Default)]
pub(super) struct Given {
    /// Where they are kept. None: nowhere.
    place: Option<PathBuf>,
    now: BTreeMap<String, Version>,
    /// What the process before this one had given.
    before: BTreeMap<String, Version>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Version {
    file: u64,
    size: u64,
    modified: u64,
    /// When it took the place of another one that was given, or may have, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    replaced_at: Option<u64>,
    /// When it was given last, as far as that was written: it is no reason to write.
    #[serde(default)]
    given_at: u64,
}

impl Given {
    /// Reads what was given before. Whatever is wrong with the file: then nothing is known.
    pub(super) fn kept_at(place: PathBuf) -> Self {
        let read = std::fs::read(&place).ok();
        let before: BTreeMap<String, Version> =
            read.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
        Self { place: Some(place), now: before.clone(), before }
    }

    /// This is given from now on. `now`: in seconds since 1970.
    ///
    /// # Errors
    /// It could not be kept.
    pub(super) fn add<'a>(
        &mut self,
        now: u64,
        files: impl Iterator<Item = (&'a str, ImageIdentity)>,
    ) -> io::Result<()> {
        let mut is_new = false;
        for (path, identity) in files {
            let known = self.now.get_mut(path);
            let is_known = known.is_some();
            if let Some(version) = known.filter(|version| version.is(identity)) {
                version.given_at = now;
                continue;
            }
            // Another version of it may have been given, and forgotten for others.
            let was_full = !is_known && self.now.len() >= PATHS_MAX;
            if was_full {
                self.forget_oldest();
            }
            let ImageIdentity { file, size, modified } = identity;
            let replaced_at = (is_known || was_full).then_some(now);
            let version = Version { file, size, modified, replaced_at, given_at: now };
            self.now.insert(path.to_owned(), version);
            is_new = true;
        }
        match &self.place {
            Some(place) if is_new => {
                let written = place.with_extension("new");
                std::fs::write(&written, serde_json::to_vec(&self.now)?)?;
                std::fs::rename(written, place)
            }
            Some(_) | None => Ok(()),
        }
    }

    fn forget_oldest(&mut self) {
        let oldest = self.now.iter().min_by_key(|(_, version)| version.given_at);
        if let Some(path) = oldest.map(|(path, _)| path.clone()) {
            self.now.remove(&path);
        }
    }

    /// Whether all that the process before this one gave of this path since that moment is this.
    pub(super) fn was_only(&self, path: &str, identity: ImageIdentity, since: u64) -> bool {
        self.before
            .get(path)
            .is_some_and(|version| version.is(identity) && version.replaced_at.is_none_or(|at| at < since))
    }
}

impl Version {
    fn is(&self, identity: ImageIdentity) -> bool {
        (self.file, self.size, self.modified) == (identity.file, identity.size, identity.modified)
    }
}

#[cfg(test)]
mod tests;
