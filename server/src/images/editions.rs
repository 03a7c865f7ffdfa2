//! Files that belong together: what a boot has seen of them is what it gets, however often they are replaced meanwhile.
//!
//! A kernel and an initial RAM disk of two versions do not boot, and whoever replaces them replaces one after the other while machines load. So all files of a boot are opened
//! when it asks for the first of them, and held open; to a request for another one later, what is answered is what was opened then. A version is held once, however many
//! boots have seen it. Of a boot that began before this process did nobody knows what it has loaded: unless its loader begins with the kernel again, it gets only what has
//! not changed since before it began. Where too many are held, only what they were is kept in mind, and another one is refused in their place.

use super::directory::BootFile;
use heorot_core::limit::NODES_MAX;
use heorot_core::transfer::{ImageIdentity, Refusal};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

/// Files that are held open, each a descriptor: an upgrade is a few, and nobody makes a hundred of them within an hour.
const HELD_MAX: usize = 256;

/// Boots: a machine may ask from two addresses.
const BOOTS_MAX: usize = 2 * NODES_MAX;

/// A boot that has asked for nothing for so long is over: loaders wait for minutes, and a kernel of 200 MB at 1 Mbit/s takes half an hour.
pub(super) const STANDS: Duration = Duration::from_secs(3600);

/// The files of all boots.
#[derive(Debug, Default)]
pub(super) struct Editions {
    boots: BTreeMap<Ipv4Addr, Boot>,
    /// Versions that are held open.
    held: BTreeMap<(u64, u64, u64), Weak<BootFile>>,
    /// Those of boots that are over: whoever may wait closes them, for the last one of a file that was removed gives back the room of all of it.
    over: Vec<Arc<BootFile>>,
}

/// The files of one boot.
#[derive(Debug)]
struct Boot {
    /// Relative to the boot directory; the first is the kernel, with which a machine begins to load.
    files: Vec<String>,
    /// What was opened, by path; nothing as long as nothing was asked for.
    seen: Option<BTreeMap<String, Seen>>,
    used: Instant,
    /// Whether it began before this process did.
    is_resumed: bool,
}

/// What a boot has seen of a file.
#[derive(Clone, Debug)]
enum Seen {
    /// This, which is held open.
    Held(Arc<BootFile>),
    /// This; too many were held.
    Was(ImageIdentity),
    /// It was not to be had.
    Missing,
}

/// What is to be given to a machine that asks for a file.
#[derive(Debug)]
pub(super) enum Found {
    /// Whatever is there: it belongs to nothing.
    Anything,
    /// Nothing is opened yet: these are, and then it is looked for again.
    Unopened {
        /// All that belong together.
        files: Vec<String>,
        /// Whether the machine has loaded some of them from the process before this one.
        is_in_mid_boot: bool,
    },
    /// This. If it is the file that a boot begins with, those of its boot come along: if one of them was written over, they are to be forgotten.
    This(Arc<BootFile>, Vec<Arc<BootFile>>),
    /// What is there, if it is this.
    OnlyIf(ImageIdentity),
}

impl Editions {
    /// The files that a machine loads in the boot that it begins; without any, that boot is over.
    pub(super) fn begin(&mut self, now: Instant, from: Ipv4Addr, files: Vec<String>, is_resumed: bool) {
        self.end(from);
        if files.is_empty() {
            return;
        }
        // Should they all be booting: who is left out gets what is there.
        if self.boots.len() < BOOTS_MAX {
            self.boots.insert(from, Boot { files, seen: None, used: now, is_resumed });
        }
    }

    /// What is to be given to a machine that asks for this file.
    pub(super) fn find(&mut self, now: Instant, from: Ipv4Addr, path: &str) -> Found {
        let Some(boot) = self.boots.get_mut(&from) else { return Found::Anything };
        if now.duration_since(boot.used) >= STANDS {
            self.end(from);
            return Found::Anything;
        }
        if !boot.files.iter().any(|file| file == path) {
            return Found::Anything;
        }
        boot.used = now;
        let begins = boot.files.first().is_some_and(|first| first == path);
        let Some(seen) = &boot.seen else {
            return Found::Unopened { files: boot.files.clone(), is_in_mid_boot: boot.is_resumed && !begins };
        };
        match seen.get(path) {
            Some(Seen::Held(file)) => {
                let all = seen.values().filter(|_| begins).filter_map(Seen::file);
                Found::This(Arc::clone(file), all.collect())
            }
            Some(Seen::Was(identity)) => Found::OnlyIf(*identity),
            Some(Seen::Missing) | None => Found::Anything,
        }
    }

    /// What a boot saw was written over in place and is gone, and the boot begins to load again: it gets what there is by now, all of it.
    pub(super) fn forget(&mut self, from: Ipv4Addr) {
        if let Some(boot) = self.boots.get_mut(&from) {
            self.over.extend(held(boot.seen.take()));
        }
    }

    /// The boot that was begun there is over.
    fn end(&mut self, from: Ipv4Addr) {
        if let Some(boot) = self.boots.remove(&from) {
            self.over.extend(held(boot.seen));
        }
    }

    /// The files of boots that are over, to be dropped by somebody who may wait.
    pub(super) fn over(&mut self) -> Vec<Arc<BootFile>> {
        std::mem::take(&mut self.over)
    }

    /// Files that nobody has to hold, and that cannot be dropped now.
    pub(super) fn keep_over(&mut self, files: impl IntoIterator<Item = Arc<BootFile>>) {
        self.over.extend(files);
    }

    /// What became of opening the files of a boot. If somebody else did so meanwhile, it is his that hold. Nothing is closed here: whoever has opened them may wait for that.
    pub(super) fn opened(&mut self, from: Ipv4Addr, opened: &[(String, Result<Arc<BootFile>, Refusal>)]) {
        let Some(boot) = self.boots.get(&from).filter(|boot| boot.seen.is_none()) else { return };
        if boot.files.len() != opened.len() || !opened.iter().all(|(path, _)| boot.files.contains(path)) {
            return; // Another boot has begun there.
        }
        let mut seen = BTreeMap::new();
        for (path, result) in opened {
            let version = result.as_ref().map_or(Seen::Missing, |file| self.hold(file));
            seen.insert(path.clone(), version);
        }
        if let Some(boot) = self.boots.get_mut(&from) {
            boot.seen = Some(seen);
        }
    }

    /// Holds a version open, once.
    fn hold(&mut self, file: &Arc<BootFile>) -> Seen {
        let identity = file.identity;
        let key = (identity.file, identity.size, identity.modified);
        if let Some(held) = self.held.get(&key).and_then(Weak::upgrade) {
            return Seen::Held(held);
        }
        if self.held.len() >= HELD_MAX {
            self.held.retain(|_, version| version.strong_count() > 0);
        }
        if self.held.len() >= HELD_MAX {
            return Seen::Was(identity);
        }
        self.held.insert(key, Arc::downgrade(file));
        Seen::Held(Arc::clone(file))
    }

    /// How many boots there are, and how many files they hold open.
    #[cfg(test)]
    pub(super) fn held(&self) -> (usize, usize) {
        (self.boots.len(), self.held.values().filter(|version| version.strong_count() > 0).count())
    }

    /// Lets go what nobody has asked for in a long time.
    pub(super) fn sweep(&mut self, now: Instant) {
        let is_over = |boot: &Boot| now.duration_since(boot.used) >= STANDS;
        let over: Vec<_> =
            self.boots.iter().filter(|(_, boot)| is_over(boot)).map(|(from, _)| *from).collect();
        over.into_iter().for_each(|from| self.end(from));
        self.held.retain(|_, version| version.strong_count() > 0);
    }
}

/// What is held open of what was seen.
fn held(seen: Option<BTreeMap<String, Seen>>) -> impl Iterator<Item = Arc<BootFile>> {
    seen.into_iter().flat_map(BTreeMap::into_values).filter_map(|seen| seen.file())
}

impl Seen {
    fn file(&self) -> Option<Arc<BootFile>> {
        match self {
            Self::Held(file) => Some(Arc::clone(file)),
            Self::Was(_) | Self::Missing => None,
        }
    }
}

#[cfg(test)]
mod tests;
