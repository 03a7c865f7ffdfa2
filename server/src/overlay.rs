//! The small files of nodes, made when they are asked for: directories are read, templates filled, and all of it is written as one archive.
//!
//! - [`tree`]: what a node's directories hold, as it is to lie there;
//! - [`host_key`]: the SSH host keys, which are arithmetic.
//!
//! It reads files, and so belongs on threads that may wait for a disk. What is made is in no file of a disk.

mod host_key;
mod tree;

use crate::images::directory::BootFile;
use crate::initrd::cpio::Archive;
use crate::rights;
use heorot_core::config::{Config, OverlayList};
use heorot_core::limit::{OVERLAY_ARCHIVES_OCTETS_MAX, OVERLAY_OCTETS_MAX};
use heorot_core::message::{HostKeys, NodeFiles};
use heorot_core::service::view::NodeFileView;
use heorot_names::Directory;
use heorot_names::export::{Export, Served, Table};
use heorot_names::file::{self, Place};
use host_key::Keys;
use rustix::fs::{MemfdFlags, memfd_create};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
pub(crate) use tree::{Content, Entry};

/// Where overlays are, and what else they are made from.
#[derive(Clone, Debug)]
pub(crate) struct Overlays {
    directory: Arc<RwLock<PathBuf>>,
    keys: Keys,
    /// Octets of all archives that are with somebody.
    octets: Arc<AtomicU64>,
    /// What the names files of all nodes have in common, as it was written last.
    written: Arc<Mutex<Option<Written>>>,
}

/// The names file of all nodes, but for its first lines.
#[derive(Clone, Debug)]
struct Written {
    directory: Arc<Directory>,
    /// That of nobody.
    place: Place,
    file: Arc<BootFile>,
}

/// Why there is no archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NotMade {
    /// The operator has to mend this.
    Wrong(String),
    /// There is no room for it now.
    Busy,
}

/// What an operator is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// All files, as JSON.
    List(String),
    /// What is in one of them.
    Content(String),
}

/// Why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unshown {
    /// There is no such file.
    Missing(String),
    /// It is a secret, or nothing to be shown.
    Refused(String),
    /// The files cannot be made.
    Wrong(String),
}

impl Overlays {
    /// `secret` is the server's own: host keys are made from it.
    pub(crate) fn new(directory: &str, secret: &[u8; 16]) -> Self {
        Self {
            directory: Arc::new(RwLock::new(directory.into())),
            keys: Keys::new(secret),
            octets: Arc::default(),
            written: Arc::default(),
        }
    }

    /// Overlays are elsewhere from now on.
    pub(crate) fn change(&self, directory: &str) {
        *self.directory.write().unwrap_or_else(PoisonError::into_inner) = directory.into();
    }

    /// The files of a node by their paths. Every parent comes before what is in it.
    ///
    /// # Errors
    /// File, line and reason.
    pub(crate) fn files(&self, wanted: &NodeFiles) -> Result<BTreeMap<String, Entry>, String> {
        let directory = self.directory.read().unwrap_or_else(PoisonError::into_inner).clone();
        let list = |which| match which {
            OverlayList::Hosts => hosts(wanted),
            OverlayList::KnownHosts => self.keys.known_hosts(&wanted.directory, &wanted.host_keys),
        };
        let mut files = tree::read(&directory, wanted, &list)?;
        if wanted.overlays.ssh_host_key {
            let name = wanted.values.values.node_name.as_deref().unwrap_or_default();
            let comment = format!("{name}.{}", wanted.values.values.cluster_name);
            for (path, entry) in self.keys.entries(wanted.number, &comment) {
                // What the operator laid there himself counts.
                files.entry(path).or_insert(entry);
            }
        }
        Ok(files)
    }

    /// The same as an archive, in memory.
    ///
    /// # Errors
    /// See [`NotMade`].
    pub(crate) fn archive(&self, wanted: &NodeFiles) -> Result<BootFile, NotMade> {
        let files = self.files(wanted).map_err(NotMade::Wrong)?;
        let octets: usize = files.iter().map(|(path, entry)| path.len() + entry.content.len()).sum();
        let mut archive = Archive::new();
        for (path, entry) in &files {
            let content = match &entry.content {
                Content::Directory => &[],
                Content::File(octets) => octets.as_slice(),
                Content::Link(target) => target.as_bytes(),
            };
            archive.owned(path, entry.mode(), entry.owner, entry.modified, content);
        }
        let archive = archive.finish();
        debug_assert!(octets <= OVERLAY_OCTETS_MAX, "the reader of the tree keeps to that");
        let room = self.room(archive.len() as u64).ok_or(NotMade::Busy)?;
        in_memory(&archive, room)
            .map_err(|error| NotMade::Wrong(format!("there is no memory for it: {error}")))
    }

    /// The names file of a node: its first lines, and the rest, which is written once for all.
    ///
    /// # Errors
    /// See [`NotMade`].
    pub(crate) fn names_file(
        &self,
        (directory, place): (&Arc<Directory>, &Place),
    ) -> Result<(String, Arc<BootFile>), NotMade> {
        let first = file::first_lines(place.me);
        let place = Place { me: None, ..place.clone() };
        // Whoever wants the same meanwhile waits for it: he would write it too.
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let is_same = |it: &&Written| Arc::ptr_eq(&it.directory, directory) && it.place == place;
        if let Some(same) = written.as_ref().filter(is_same) {
            return Ok((first, Arc::clone(&same.file)));
        }
        let rest = file::rest(directory, &place);
        let room = self.room(rest.len() as u64).ok_or(NotMade::Busy)?;
        let file = in_memory(rest.as_bytes(), room)
            .map_err(|error| NotMade::Wrong(format!("there is no memory for it: {error}")))?;
        let file = Arc::new(file);
        *written = Some(Written { directory: Arc::clone(directory), place, file: Arc::clone(&file) });
        Ok((first, file))
    }

    /// Lines of known_hosts for all numbers that have host keys, by all names and addresses.
    ///
    /// # Errors
    /// There are too many.
    pub(crate) fn all_known_hosts(&self, of: &HostKeys) -> Result<String, String> {
        self.keys.known_hosts(&of.directory, &of.numbers)
    }

    /// What an operator is shown: of secrets the names alone.
    ///
    /// # Errors
    /// There is no such file, it is a secret, or the files cannot be made.
    pub(crate) fn shown(&self, wanted: &NodeFiles, path: Option<&str>) -> Result<Shown, Unshown> {
        let files = self.files(wanted).map_err(Unshown::Wrong)?;
        let Some(path) = path else {
            let views: Vec<NodeFileView> = files.iter().map(|(path, entry)| view(path, entry)).collect();
            return serde_json::to_string(&views).map(Shown::List).map_err(|e| Unshown::Wrong(e.to_string()));
        };
        match files.get(path.trim_start_matches('/')) {
            None => Err(Unshown::Missing(format!("it gets no file {path}"))),
            Some(entry) if entry.is_secret => Err(Unshown::Refused(format!(
                "{path} is a secret, from {}: nobody but the node is shown it",
                entry.from
            ))),
            Some(Entry { content: Content::File(octets), .. }) => match String::from_utf8(octets.clone()) {
                Ok(text) => Ok(Shown::Content(text)),
                Err(_) => Err(Unshown::Refused(format!("{path} is no text"))),
            },
            Some(_) => Err(Unshown::Refused(format!("{path} is no file"))),
        }
    }

    /// Room for so many octets, until it is dropped.
    fn room(&self, octets: u64) -> Option<Room> {
        let before = self.octets.fetch_add(octets, Ordering::Relaxed);
        let room = Room { octets, all: Arc::clone(&self.octets) };
        (before + octets <= OVERLAY_ARCHIVES_OCTETS_MAX).then_some(room)
    }
}

/// What an archive takes of our memory as long as it is there.
#[derive(Debug)]
pub(crate) struct Room {
    octets: u64,
    all: Arc<AtomicU64>,
}

impl Drop for Room {
    fn drop(&mut self) {
        self.all.fetch_sub(self.octets, Ordering::Relaxed);
    }
}

/// What stands in the configuration and is not there, or is open to others; each with what to do.
pub(crate) fn problems(config: &Config) -> Vec<String> {
    let all = || config.profiles.values().map(|profile| &profile.overlays);
    let names: BTreeSet<(&String, bool)> = all()
        .flat_map(|overlays| {
            let open = overlays.open.iter().map(|name| (name, false));
            open.chain(overlays.secret.iter().map(|name| (name, true)))
        })
        .collect();
    let directory = Path::new(&config.overlays);
    let group = rights::group_of(&config.server.user);
    let problem = |(name, is_secret): (&String, bool)| tree::problem_with(directory, name, is_secret, &group);
    names.into_iter().filter_map(problem).collect()
}

fn view(path: &str, entry: &Entry) -> NodeFileView {
    let (kind, target) = match &entry.content {
        Content::Directory => ("directory", None),
        Content::File(_) => ("file", None),
        Content::Link(target) => ("link", Some(target.clone())),
    };
    NodeFileView {
        path: format!("/{path}"),
        kind: kind.into(),
        mode: format!("{:04o}", entry.permissions),
        user: entry.owner.0,
        group: entry.owner.1,
        size: entry.content.len() as u64,
        overlay: entry.from.clone(),
        secret: entry.is_secret,
        target,
    }
}

/// All names and addresses, for hosts(5).
fn hosts(wanted: &NodeFiles) -> Result<String, String> {
    let table = Table {
        directory: &wanted.directory,
        place: &wanted.place,
        nodes: BTreeMap::new(),
        served: Served::default(),
        reservations: Vec::new(),
    };
    table.export(Export::Hosts).map_err(|error| error.to_string())
}

fn in_memory(octets: &[u8], room: Room) -> io::Result<BootFile> {
    let mut file = File::from(memfd_create("heorot-overlay", MemfdFlags::CLOEXEC)?);
    file.write_all(octets)?;
    BootFile::made(file, room)
}

#[cfg(test)]
pub(crate) mod tests;
