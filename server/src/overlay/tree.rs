//! What the directories of a node's overlays hold, as it is to lie on the node.
//!
//! Of an overlay `base` there is `base/`, for all, and `base.d/node23/`, for node23 alone. A later one goes before an earlier.

use heorot_core::config::{OverlayList, OverlayValues, render_overlay};
use heorot_core::limit::{
    OVERLAY_ENTRIES_MAX, OVERLAY_FILE_OCTETS_MAX, OVERLAY_OCTETS_MAX, OVERLAY_PATH_OCTETS_MAX,
};
use heorot_core::message::NodeFiles;
use std::collections::BTreeMap;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Something that is to lie on a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) content: Content,
    /// Permission bits.
    pub(crate) permissions: u32,
    /// User and group, by number.
    pub(crate) owner: (u32, u32),
    /// In seconds since 1970.
    pub(crate) modified: u32,
    /// The overlay that it is from.
    pub(crate) from: String,
    pub(crate) is_secret: bool,
}

/// What it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Directory,
    File(Vec<u8>),
    /// Where it leads, as it is: on the node.
    Link(String),
}

impl Content {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Directory => 0,
            Self::File(octets) => octets.len(),
            Self::Link(target) => target.len(),
        }
    }
}

impl Entry {
    /// Kind and permissions, as inodes have them.
    pub(crate) fn mode(&self) -> u32 {
        let kind = match self.content {
            Content::Directory => libc::S_IFDIR,
            Content::File(_) => libc::S_IFREG,
            Content::Link(_) => libc::S_IFLNK,
        };
        kind | self.permissions
    }
}

/// Reads all overlays of a node. `list` makes what is long for the templates that name it.
///
/// # Errors
/// File, line and reason.
pub(super) fn read(
    directory: &Path,
    wanted: &NodeFiles,
    list: &dyn Fn(OverlayList) -> Result<String, String>,
) -> Result<BTreeMap<String, Entry>, String> {
    let node = wanted.values.values.node_name.as_deref().unwrap_or_default();
    let open = wanted.overlays.open.iter().map(|name| (name, false));
    let secret = wanted.overlays.secret.iter().map(|name| (name, true));
    let us = Us::now();
    let mut tree = Tree { values: &wanted.values, list, us: &us, entries: BTreeMap::new(), octets: 0 };
    for (name, is_secret) in open.chain(secret) {
        let places = [directory.join(name), directory.join(format!("{name}.d")).join(node)];
        // Who reads of it on a node's console can do nothing here.
        if let Some(problem) = problem_with(directory, name, is_secret, "") {
            return Err(problem.lines().next().unwrap_or_default().to_owned());
        }
        for place in places.iter().filter(|place| place.is_dir()) {
            tree.take(place, "", (name, is_secret))?;
        }
    }
    Ok(tree.entries)
}

/// What is wrong with the directories of an overlay, with what to do; `group` is that of who serves.
pub(super) fn problem_with(directory: &Path, name: &str, is_secret: bool, group: &str) -> Option<String> {
    let places = [directory.join(name), directory.join(format!("{name}.d"))];
    let found: Vec<(&PathBuf, io::Result<Metadata>)> =
        places.iter().map(|place| (place, std::fs::metadata(place))).collect();
    let is_there = |found: &io::Result<Metadata>| found.as_ref().is_ok_and(Metadata::is_dir);
    if !found.iter().any(|(_, found)| is_there(found)) {
        let shown = places[0].display();
        return Some(match &found[0].1 {
            Ok(_) => {
                format!("the overlay {shown} is no directory\n  make it one, or take it out of its profile")
            }
            Err(e) => format!(
                "the overlay {shown} is not to be had: {e}\n  create it, let heorot read it, or take it out of its profile"
            ),
        });
    }
    // Whoever may read them here would not have to ask a node.
    let is_open = |(_, found): &&(&PathBuf, io::Result<Metadata>)| {
        found.as_ref().is_ok_and(|found| found.mode() & 0o007 != 0)
    };
    let (open, _) = found.iter().filter(|_| is_secret).find(is_open)?;
    let shown = open.display();
    Some(format!(
        "{shown} holds secrets, and is open to all users of this host\n  chmod o= {shown}, and let heorot read it: chgrp {group} {shown}"
    ))
}

/// Who serves: what is his here is root's on a node.
struct Us {
    user: u32,
    groups: Vec<u32>,
}

impl Us {
    fn now() -> Self {
        let further = rustix::process::getgroups().unwrap_or_default();
        let group = rustix::process::getegid();
        let groups = further.into_iter().chain([group]).map(|group| group.as_raw()).collect();
        Self { user: rustix::process::geteuid().as_raw(), groups }
    }

    fn owner(&self, found: &Metadata) -> (u32, u32) {
        let user = if found.uid() == self.user { 0 } else { found.uid() };
        let group = if self.groups.contains(&found.gid()) { 0 } else { found.gid() };
        (user, group)
    }
}

struct Tree<'a> {
    values: &'a OverlayValues,
    list: &'a dyn Fn(OverlayList) -> Result<String, String>,
    us: &'a Us,
    entries: BTreeMap<String, Entry>,
    octets: usize,
}

impl Tree<'_> {
    /// Everything in a directory, which is called `path` on the node.
    fn take(&mut self, place: &Path, path: &str, of: (&str, bool)) -> Result<(), String> {
        let wrong = |e: io::Error| format!("{}: {e}", place.display());
        let mut found: Vec<_> =
            std::fs::read_dir(place).map_err(wrong)?.collect::<Result<_, _>>().map_err(wrong)?;
        found.sort_by_key(std::fs::DirEntry::file_name);
        for entry in found {
            let place = entry.path();
            let shown = place.display();
            let name = entry.file_name();
            let name = name.to_str().ok_or_else(|| format!("{shown}: its name is no UTF-8"))?;
            let path = if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") };
            if path.len() > OVERLAY_PATH_OCTETS_MAX {
                return Err(format!("{shown}: a path has at most {OVERLAY_PATH_OCTETS_MAX} octets"));
            }
            if let hidden @ ("dev" | "proc" | "sys") = path.as_str() {
                return Err(format!("{shown}: /{hidden} is the kernel's on a node, and would hide it"));
            }
            let found = entry.metadata().map_err(|e| format!("{shown}: {e}"))?;
            self.take_one(&place, path, &found, of)?;
        }
        Ok(())
    }

    fn take_one(
        &mut self,
        place: &Path,
        path: String,
        found: &Metadata,
        of: (&str, bool),
    ) -> Result<(), String> {
        let shown = place.display();
        let kind = found.file_type();
        if kind.is_dir() {
            self.add(path.clone(), Content::Directory, found, of)?;
            return self.take(place, &path, of);
        }
        if kind.is_symlink() {
            let target = std::fs::read_link(place).map_err(|e| format!("{shown}: {e}"))?;
            let target = target.to_str().ok_or_else(|| format!("{shown}: it leads to what is no UTF-8"))?;
            return self.add(path, Content::Link(target.to_owned()), found, of);
        }
        if !kind.is_file() {
            let what = if kind.is_block_device() || kind.is_char_device() {
                "a device"
            } else {
                "a pipe or a socket"
            };
            return Err(format!("{shown} is {what}: there are files, directories and links"));
        }
        let octets = read_file(place)?;
        match path.strip_suffix(".j2") {
            None => self.add(path, Content::File(octets), found, of),
            Some(path) => {
                let text = String::from_utf8(octets).map_err(|_| format!("{shown}: a template is UTF-8"))?;
                let made =
                    render_overlay(&text, self.values, self.list).map_err(|e| format!("{shown}: {e}"))?;
                self.add(path.to_owned(), Content::File(made.into_bytes()), found, of)
            }
        }
    }

    fn add(
        &mut self,
        path: String,
        content: Content,
        found: &Metadata,
        (from, is_secret): (&str, bool),
    ) -> Result<(), String> {
        let before = self.entries.get(&path).map_or(0, |entry| entry.content.len());
        self.octets = self.octets + content.len() + path.len() - before;
        if self.octets > OVERLAY_OCTETS_MAX {
            return Err(format!(
                "all files together have more than {OVERLAY_OCTETS_MAX} octets, with {path}"
            ));
        }
        let entry = Entry {
            content,
            permissions: found.mode() & 0o7777,
            owner: self.us.owner(found),
            modified: u32::try_from(found.mtime()).unwrap_or(0),
            from: from.to_owned(),
            is_secret,
        };
        self.entries.insert(path, entry);
        if self.entries.len() > OVERLAY_ENTRIES_MAX {
            return Err(format!("there are more than {OVERLAY_ENTRIES_MAX} files and directories"));
        }
        Ok(())
    }
}

/// A file, as far as it may go. What is put in its place just now, as a pipe or a link, stops nobody.
fn read_file(place: &Path) -> Result<Vec<u8>, String> {
    let shown = place.display();
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY;
    let file =
        File::options().read(true).custom_flags(flags).open(place).map_err(|e| format!("{shown}: {e}"))?;
    let mut octets = Vec::new();
    let read = file.take(OVERLAY_FILE_OCTETS_MAX as u64 + 1).read_to_end(&mut octets);
    read.map_err(|e| format!("{shown}: {e}"))?;
    if octets.len() > OVERLAY_FILE_OCTETS_MAX {
        return Err(format!(
            "{shown} has more than {OVERLAY_FILE_OCTETS_MAX} octets: what is larger belongs into the root"
        ));
    }
    Ok(octets)
}

#[cfg(test)]
mod tests;
