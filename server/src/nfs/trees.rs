use super::file::{self, Seen, TreeFacts, open_beneath};
use super::paths::Paths;
use super::walk;
use heorot_nfs::Status;
use heorot_nfs::handle::{Handle, Keys, Place, RootId, Sealed};
use heorot_nfs::limit::{PATHS_OCTETS_MAX, TREES_MAX};
use heorot_nfs::mount::Refusal;
use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Errno;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The directories that are served, and how what is below them is found again.
pub(super) struct Trees {
    pub(super) keys: Keys,
    pub(super) paths: Paths,
    exports: Mutex<Vec<Export>>,
    /// One thread looks for what was forgotten, and the others find what it remembered.
    walking: Mutex<()>,
    refresh: Mutex<Refresh>,
    refreshed: Condvar,
}

/// How all directories are opened anew for a handle of none of them: by one thread, and the others find what it has opened.
#[derive(Default)]
struct Refresh {
    is_under_way: bool,
    /// When it was last done, for the directories that are served now.
    done: Option<Instant>,
    /// How often they became others.
    configured: u64,
}

/// A directory of the configuration.
struct Export {
    directory: String,
    /// What it is and was: the newest stands last. One that was replaced as a whole is served on to those who have it.
    trees: Vec<Arc<Tree>>,
}

/// A directory that is served, as it was at one time.
pub(super) struct Tree {
    pub(super) id: RootId,
    pub(super) facts: TreeFacts,
    pub(super) root: OwnedFd,
}

/// A file that was asked for.
pub(super) struct Found {
    pub(super) tree: Arc<Tree>,
    pub(super) place: Place,
    pub(super) path: Arc<[u8]>,
    /// Open as a place (`O_PATH`); none of what is covered by another file system.
    pub(super) file: Option<OwnedFd>,
    pub(super) seen: Seen,
}

/// How often all directories are opened anew for handles that belong to none: whoever makes up handles gets no further, and after a restart one time is enough.
const REFRESHED_EVERY: Duration = Duration::from_secs(1);
/// How long a thread waits for another one that opens them: a disk that does not answer may not hold up all threads.
const REFRESH_AWAITED: Duration = Duration::from_millis(500);

impl Trees {
    pub(super) fn new(secret: &[u8; 16], directories: &[String]) -> Self {
        let trees = Self {
            keys: Keys::new(secret),
            paths: Paths::new(PATHS_OCTETS_MAX),
            exports: Mutex::default(),
            walking: Mutex::default(),
            refresh: Mutex::default(),
            refreshed: Condvar::new(),
        };
        trees.configure(directories);
        trees
    }

    /// Serves these from now on. Nothing is opened yet: whoever configures may not wait for a disk.
    pub(super) fn configure(&self, directories: &[String]) {
        let mut exports = whole(&self.exports);
        let mut old = std::mem::take(&mut *exports);
        *exports = directories
            .iter()
            .map(|directory| {
                let known = old.iter_mut().find(|export| export.directory == *directory);
                let trees = known.map(|export| std::mem::take(&mut export.trees)).unwrap_or_default();
                Export { directory: directory.clone(), trees }
            })
            .collect();
        drop(exports);
        let mut refresh = whole(&self.refresh);
        refresh.done = None;
        refresh.configured += 1;
    }

    /// The directories, as clients may ask for them.
    pub(super) fn directories(&self) -> Vec<String> {
        whole(&self.exports).iter().map(|export| export.directory.clone()).collect()
    }

    /// The handle of a directory that is served, or of one below it.
    pub(super) fn mount(&self, path: &[u8]) -> Result<Sealed, Refusal> {
        let path = std::str::from_utf8(path).map_err(|_| Refusal::NoEntry)?;
        let names: Vec<&str> = path.split('/').filter(|name| !matches!(*name, "" | ".")).collect();
        if !path.starts_with('/') || names.contains(&"..") {
            return Err(Refusal::Access);
        }
        let path = format!("/{}", names.join("/"));
        let below = |directory: &str| {
            path.strip_prefix(directory).filter(|rest| rest.is_empty() || rest.starts_with('/')).map(str::len)
        };
        // The one that has the least of it below: the longest.
        let nearest =
            self.directories().into_iter().filter_map(|directory| Some((below(&directory)?, directory)));
        let (rest, directory) = nearest.min().ok_or(Refusal::Access)?;
        let tree = self.open(&directory).map_err(refusal)?;
        let rest = path[path.len() - rest..].trim_start_matches('/').as_bytes();
        let mut place = self.keys.top(tree.id);
        let mut so_far = Vec::new();
        for name in rest.split(|octet| *octet == b'/').filter(|name| !name.is_empty()) {
            place = self.keys.child(&place, name);
            self.paths.remember(&place, &so_far, name);
            so_far = super::paths::joined(&so_far, name);
        }
        let flags = OFlags::PATH | OFlags::DIRECTORY;
        let found = open_beneath(&tree.root, rest, flags).and_then(file::stat).map_err(refusal)?;
        let seen = file::seen(&found, &tree.facts, &self.keys);
        Ok(self.seal(&tree, place, &seen))
    }

    /// The handle of what was seen at a place.
    pub(super) fn seal(&self, tree: &Tree, place: Place, seen: &Seen) -> Sealed {
        self.keys.seal(&Handle { root: tree.id, place, inode: seen.inode, birth: seen.birth })
    }

    /// What a handle is of.
    pub(super) fn find(&self, handle: &Handle) -> Result<Found, Status> {
        let (tree, path) = self.path(handle)?;
        let found = self.look(tree, handle.place, path).map_err(|error| match error {
            // Something else has the name now, or nothing.
            Errno::NOENT | Errno::NOTDIR | Errno::LOOP => Status::Stale,
            error => file::status(error),
        })?;
        let is_same = found.seen.inode == handle.inode && found.seen.birth == handle.birth;
        if is_same { Ok(found) } else { Err(Status::Stale) }
    }

    /// The tree of a handle, and the path in it.
    fn path(&self, handle: &Handle) -> Result<(Arc<Tree>, Arc<[u8]>), Status> {
        let tree = self.tree(handle.root)?;
        if handle.place.depth() == 0 {
            return Ok((tree, Arc::default()));
        }
        if let Some(path) = self.paths.find(&handle.place) {
            return Ok((tree, path));
        }
        let _one_at_a_time = whole(&self.walking);
        // Another thread may have come by meanwhile.
        let path = match self.paths.find(&handle.place) {
            Some(path) => path,
            None => walk::walk(&self.keys, &self.paths, &tree, &handle.place)?,
        };
        Ok((tree, path))
    }

    /// What is at a path of a tree.
    pub(super) fn look(&self, tree: Arc<Tree>, place: Place, path: Arc<[u8]>) -> Result<Found, Errno> {
        match open_beneath(&tree.root, &path, OFlags::PATH) {
            Ok(file) => {
                let seen = file::seen(&file::stat(&file)?, &tree.facts, &self.keys);
                Ok(Found { tree, place, path, file: Some(file), seen })
            }
            // Another file system is mounted there, or on the way.
            Err(Errno::XDEV) => {
                let (parent, name) = split(&path);
                let parent = open_beneath(&tree.root, parent, OFlags::PATH | OFlags::DIRECTORY)?;
                let seen = self.seen_in(&tree, &parent, &place, name)?;
                if !seen.is_covered {
                    return Err(Errno::XDEV);
                }
                Ok(Found { tree, place, path, file: None, seen })
            }
            Err(error) => Err(error),
        }
    }

    /// What has this name in a directory.
    pub(super) fn seen_in(
        &self,
        tree: &Tree,
        directory: impl AsFd,
        place: &Place,
        name: &[u8],
    ) -> Result<Seen, Errno> {
        let stat = file::stat_in(directory, name)?;
        Ok(match file::is_covered(&stat) {
            true => file::covered(&stat, &tree.facts, place.key),
            false => file::seen(&stat, &tree.facts, &self.keys),
        })
    }

    /// The tree that a handle is of. [`Status::Stale`] is said when all directories are open and it is none of them: a client gives up for good what is stale.
    pub(super) fn tree(&self, id: RootId) -> Result<Arc<Tree>, Status> {
        if let Some(tree) = self.open_tree(id) {
            return Ok(tree);
        }
        let refresh = whole(&self.refresh);
        let awaited = self.refreshed.wait_timeout_while(refresh, REFRESH_AWAITED, |refresh| {
            refresh.is_under_way && self.open_tree(id).is_none()
        });
        let (mut refresh, _) = awaited.unwrap_or_else(PoisonError::into_inner);
        // Another thread has opened it meanwhile, or the one that does so has not come to it.
        if let Some(tree) = self.open_tree(id) {
            return Ok(tree);
        }
        if refresh.is_under_way {
            return Err(Status::Later);
        }
        if refresh.done.is_some_and(|done| done.elapsed() < REFRESHED_EVERY) {
            return Err(Status::Stale);
        }
        refresh.is_under_way = true;
        let configured = refresh.configured;
        drop(refresh);
        for directory in self.directories() {
            // One that cannot be opened is not the one that is meant.
            let _ = self.open(&directory);
            self.refreshed.notify_all();
        }
        let mut refresh = whole(&self.refresh);
        refresh.is_under_way = false;
        refresh.done = (refresh.configured == configured).then(Instant::now);
        drop(refresh);
        self.refreshed.notify_all();
        self.open_tree(id).ok_or(Status::Stale)
    }

    fn open_tree(&self, id: RootId) -> Option<Arc<Tree>> {
        let exports = whole(&self.exports);
        exports.iter().flat_map(|export| &export.trees).find(|tree| tree.id == id).cloned()
    }

    /// The path of what a handle is of, for an operator: as far as it is known.
    pub(super) fn name_of(&self, handle: &Handle) -> String {
        let exports = whole(&self.exports);
        let export = exports.iter().find(|export| export.trees.iter().any(|tree| tree.id == handle.root));
        let directory =
            export.map_or("a file of a directory that is not served any more", |it| &it.directory);
        let path = self.paths.find(&handle.place).unwrap_or_default();
        format!("{directory}/{}", String::from_utf8_lossy(&path))
    }

    /// Opens a directory of the configuration as it is now. Links on the way to it are the operator's, and are followed.
    fn open(&self, directory: &str) -> Result<Arc<Tree>, Errno> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = rustix::fs::openat(CWD, directory, flags, Mode::empty())?;
        let stat = file::stat(&root)?;
        let device = (stat.stx_dev_major, stat.stx_dev_minor);
        let mut facts = TreeFacts { file_system: 0, device };
        let Seen { inode, birth, .. } = file::seen(&stat, &facts, &self.keys);
        let id = self.keys.root(directory.as_bytes(), inode, birth);
        // RFC 1813 gives 64 bits; that there are 32 in it is enough for the exports of one server.
        facts.file_system = id.0.into();
        let mut exports = whole(&self.exports);
        let export = exports.iter_mut().find(|export| export.directory == directory).ok_or(Errno::NOENT)?;
        let is_same = |tree: &&Arc<Tree>| tree.id == id && tree.facts.device == device;
        if let Some(tree) = export.trees.iter().find(is_same) {
            return Ok(Arc::clone(tree));
        }
        let tree = Arc::new(Tree { id, facts, root });
        export.trees.retain(|old| old.id != id);
        if export.trees.len() >= TREES_MAX {
            export.trees.remove(0);
        }
        export.trees.push(Arc::clone(&tree));
        Ok(tree)
    }
}

/// A path without its last name, and that name.
pub(super) fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|octet| *octet == b'/') {
        Some(at) => (&path[..at], &path[at + 1..]),
        None => (&[], path),
    }
}

fn refusal(error: Errno) -> Refusal {
    match error {
        Errno::NOENT => Refusal::NoEntry,
        Errno::NOTDIR => Refusal::NotDirectory,
        Errno::ACCESS | Errno::PERM | Errno::XDEV | Errno::LOOP => Refusal::Access,
        _ => Refusal::Io,
    }
}

/// Whole values are moved in and out: a panic between leaves nothing half done.
fn whole<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
