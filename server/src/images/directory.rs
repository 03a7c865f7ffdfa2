//! `boot.directory`, and nothing outside it but the loaders of Debian's packages: every file that a machine asks for is opened here.

use super::editions::{Editions, Found, STANDS};
use super::given::Given;
use super::lineage::{self, Lineage};
use super::mounts::{beneath, on_own, place_of};
use super::witness::{Watches, Witness};
use crate::disks::Place;
use crate::overlay::Room;
use crate::rights;
use crate::wake::whole;
use heorot_core::config::Loader;
use heorot_core::transfer::{ImageIdentity, Refusal};
use rustix::fs::{CWD, FileType, Mode, OFlags, RawMode, Stat};
use rustix::io::{Errno, ReadWriteFlags};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, IoSliceMut};
use std::net::Ipv4Addr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};

/// How soon it shows that a file was touched of which another thread was told.
const TOLD_BY_OTHERS_WITHIN: Duration = Duration::from_secs(10);
/// How often it is looked at what is touched again and again.
const TOUCHES_GATHER: Duration = Duration::from_millis(100);

/// The directory of the boot files. All its clones go to another one together.
#[derive(Clone, Debug)]
pub(crate) struct BootDirectory {
    places: Arc<RwLock<Places>>,
    /// Which files belong together, by the machine that loads them.
    editions: Arc<Mutex<Editions>>,
    given: Arc<Mutex<Given>>,
    watches: Arc<Watches>,
    lineage: Arc<Mutex<Lineage>>,
    /// Held by whoever writes down what was touched.
    writes: Arc<Mutex<()>>,
    /// When this process began to serve.
    pub(super) started: SystemTime,
}

/// Where boot files are.
#[derive(Clone, Debug)]
struct Places {
    directory: PathBuf,
    /// The root below which packages put loaders.
    packages: Option<PathBuf>,
}

/// A regular file below the boot directory.
#[derive(Debug)]
pub(crate) struct BootFile {
    /// Open for reading.
    pub(crate) file: File,
    /// What it was when it was opened.
    pub(crate) identity: ImageIdentity,
    /// Its name below the boot directory, and the file system that it is on.
    pub(crate) name: String,
    pub(crate) place: Place,
    /// Whether nobody can tell whether a look at it, or at what of it is in memory, has to wait: as where it comes over a network.
    pub(crate) may_wait: bool,
    /// The same, as the kernel says it.
    found: Stat,
    /// What tells a change of its content from others. None: every change counts as one of its content.
    witness: Option<Arc<Witness>>,
    /// What it takes of our memory, if it was made and is on no disk.
    pub(crate) _room: Option<Room>,
}

/// Says that a thread is to go to a file system, for this file; false: as many are there as may be.
pub(crate) type Go<'a> = &'a dyn Fn(&Place, &str) -> bool;

/// Whoever has nobody beside him goes everywhere.
pub(crate) fn anywhere(_: &Place, _: &str) -> bool {
    true
}

/// Why a file was not opened.
#[derive(Debug)]
pub(crate) enum Unopened {
    Refused(Refusal),
    /// It is still to be: as many threads as may be are at its place.
    Held(Place),
}

impl From<Refusal> for Unopened {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl BootDirectory {
    pub(crate) fn new(directory: &str, packages: Option<&str>) -> Self {
        let places = Places { directory: directory.into(), packages: packages.map(PathBuf::from) };
        Self {
            places: Arc::new(RwLock::new(places)),
            editions: Arc::default(),
            given: Arc::default(),
            watches: Arc::default(),
            lineage: Arc::default(),
            writes: Arc::default(),
            started: SystemTime::now(),
        }
    }

    /// The same, which keeps in these files what boots were given, and what was touched of it, for the process after this one.
    pub(crate) fn keeping(self, given: PathBuf, touched: PathBuf) -> Self {
        let lineage = Arc::new(Mutex::new(Lineage::kept_at(touched)));
        Self { given: Arc::new(Mutex::new(Given::kept_at(given))), lineage, ..self }
    }

    /// Starts a thread that keeps what is touched as soon as that is told: this process may end at any time.
    ///
    /// # Errors
    /// No thread can be started.
    pub(crate) fn follow_touches(&self) -> io::Result<()> {
        let directory = self.clone();
        std::thread::Builder::new().name("touches".into()).spawn(move || {
            rights::renounce();
            loop {
                directory.watches.wait(TOLD_BY_OTHERS_WITHIN);
                directory.look_at_touched();
                directory.keep_touched();
                // Who writes a file over has it told for each of its pages.
                std::thread::sleep(TOUCHES_GATHER);
            }
        })?;
        Ok(())
    }

    /// Looks at all that was touched.
    pub(super) fn look_at_touched(&self) {
        let touched = whole(&self.lineage).touched();
        // What is there by now is known by being opened.
        touched.iter().for_each(|name| drop(self.open(name)));
    }

    /// Writes down what was touched, if there is news.
    pub(crate) fn keep_touched(&self) {
        let _writes = whole(&self.writes);
        // Where it cannot be kept the process after this one knows less, and is the more careful.
        let _ = lineage::keep(&self.lineage);
    }

    /// Serves from other places from now on. Files that are open stay so.
    pub(crate) fn change(&self, directory: &str, packages: Option<&str>) {
        let places = Places { directory: directory.into(), packages: packages.map(PathBuf::from) };
        *self.places.write().expect("no thread panics while it holds the paths") = places;
    }

    /// A machine begins a boot in which it loads these files, the kernel first: what it sees of one, it sees of all. Without any, its boot is over.
    /// Of a boot that began before this process did it is not known what it has loaded.
    pub(crate) fn together(&self, from: Ipv4Addr, files: Vec<String>, is_resumed: bool) {
        self.editions().begin(Instant::now(), from, files, is_resumed);
    }

    /// Lets go the versions of boots that are over. The disk may be waited for.
    pub(crate) fn sweep(&self, go: Go<'_>) {
        self.editions().sweep(Instant::now());
        self.close_those_over(go);
    }

    /// Closes what boots have seen that are over. A file system that may have to be waited for may be told of that, and has to answer.
    fn close_those_over(&self, go: Go<'_>) {
        let over = self.editions().over();
        // Of all who have seen a file only the last one closes it.
        let last = over.into_iter().filter_map(Arc::into_inner);
        let cannot_go = |file: &BootFile| file.may_wait && !go(&file.place, &file.name);
        let left: Vec<_> = last.filter(cannot_go).map(Arc::new).collect();
        if !left.is_empty() {
            self.editions().keep_over(left);
        }
    }

    /// Opens a file for a machine: as it was when the machine's boot saw it, or the first of those that belong to it.
    ///
    /// # Errors
    /// As [`Self::open`], and that the file is not any more what that boot saw; or a place where the thread may not go.
    pub(crate) fn open_for(&self, go: Go<'_>, from: Ipv4Addr, path: &str) -> Result<BootFile, Unopened> {
        self.close_those_over(go);
        let find = || self.editions().find(Instant::now(), from, path);
        let mut found = find();
        if let Found::This(_, all) = &found {
            let mut is_other = false;
            for version in all {
                is_other |= !version.reached(go)?.is_unchanged().unwrap_or(false);
            }
            if is_other {
                self.editions().forget(from);
                found = find();
            }
        }
        if let Found::Unopened { files, is_in_mid_boot } = found {
            let mut opened = Vec::with_capacity(files.len());
            let result = self.open_together(go, (from, path), (files, is_in_mid_boot), &mut opened);
            // What the boot does not hold is closed where it is, and that may be elsewhere than what was opened last.
            self.editions().keep_over(opened.into_iter().filter_map(|(_, file)| file.ok()));
            self.close_those_over(go);
            result?;
            found = find();
        }
        match found {
            Found::Anything | Found::Unopened { .. } => self.open_by(go, path),
            Found::This(version, _) => Ok(version.reached(go)?.again(path)?),
            Found::OnlyIf(identity) => match self.open_by(go, path)? {
                file if file.identity == identity => Ok(file),
                _ => Err(replaced(path).into()),
            },
        }
    }

    /// Opens all files of a boot that asks for one of them.
    fn open_together(
        &self,
        go: Go<'_>,
        (from, path): (Ipv4Addr, &str),
        (files, is_in_mid_boot): (Vec<String>, bool),
        opened: &mut Vec<(String, Result<Arc<BootFile>, Refusal>)>,
    ) -> Result<(), Unopened> {
        // Opened without the lock: the disk may be slow.
        for file in files {
            let result = match self.open_by(go, &file) {
                Ok(file) => Ok(Arc::new(file)),
                Err(Unopened::Refused(refusal)) => Err(refusal),
                Err(held @ Unopened::Held(_)) => return Err(held),
            };
            opened.push((file, result));
        }
        if is_in_mid_boot {
            self.check_settled(path, opened)?;
        }
        // Where it cannot be kept the process after this one knows less, and is the more careful.
        let files =
            opened.iter().filter_map(|(path, file)| Some((path.as_str(), file.as_ref().ok()?.identity)));
        let _ = self.given().add(seconds(SystemTime::now()), files);
        self.editions().opened(from, opened);
        Ok(())
    }

    /// Of a machine that loaded its kernel from the process before: whether its files are surely those of that time. A boot that goes on began within the hour
    /// before this process did. What was changed since may be of another version than its kernel, unless it is known that no other one was given.
    fn check_settled(
        &self,
        path: &str,
        files: &[(String, Result<Arc<BootFile>, Refusal>)],
    ) -> Result<(), Refusal> {
        let began = seconds(self.started).saturating_sub(STANDS.as_secs());
        let given = self.given();
        let is_settled = |path: &str, file: &BootFile| {
            Duration::from_nanos(changed_nanoseconds(&file.found)) < Duration::from_secs(began)
                || given.was_only(path, file.identity, began)
        };
        match files.iter().find(|(path, file)| !file.as_ref().is_ok_and(|file| is_settled(path, file))) {
            Some((changed, _)) => Err(unsettled(path, changed)),
            None => Ok(()),
        }
    }

    fn given(&self) -> MutexGuard<'_, Given> {
        self.given.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn editions(&self) -> MutexGuard<'_, Editions> {
        self.editions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a file. The directory itself is looked up each time, so that a tree that was replaced as a whole is seen by the next request.
    /// A loader that it lacks is that of a package.
    ///
    /// # Errors
    /// Why the client cannot have it. The disk may be waited for: not to be called on the loop.
    pub(crate) fn open(&self, path: &str) -> Result<BootFile, Refusal> {
        self.open_by(&anywhere, path).map_err(|error| match error {
            Unopened::Refused(refusal) => refusal,
            Unopened::Held(_) => Refusal::Denied(format!("{path} cannot be opened now")),
        })
    }

    /// The same, by a thread that may not go everywhere.
    pub(super) fn open_by(&self, go: Go<'_>, path: &str) -> Result<BootFile, Unopened> {
        go_to(go, &Place::Own, path)?;
        let directory = self.root()?;
        // NONBLOCK: a FIFO that somebody put there must not stop the thread. It means nothing for a regular file.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        let (place, opened) = reach(go, &directory, path, flags)?;
        let opened = match opened {
            Err(Errno::NOENT) => self.packaged(path).ok_or(Errno::NOENT),
            other => other,
        };
        let file = opened.map_err(|e| {
            let link = (e == Errno::XDEV).then(|| absolute_link(&directory, &self.places().directory, path));
            link.flatten().map_or_else(|| refusal(e, path), |link| absolute(path, &link))
        })?;
        let file = File::from(file);
        let may_wait = may_wait(&file);
        // Watched before it is looked at: what happens between is told. Of what other hosts change on a file system that may be away it would tell nothing, and the end of a watch may have to
        // wait for it.
        let is_watched = place == Place::Own || !may_wait;
        let watch = is_watched.then(|| self.watches.watch(&file)).flatten();
        let found = rustix::fs::fstat(&file).map_err(|e| refusal(e, path))?;
        if FileType::from_raw_mode(found.st_mode) != FileType::RegularFile {
            return Err(Refusal::Denied(format!("{path} is {}", kind(found.st_mode))).into());
        }
        let witness = watch.map(|watch| Arc::new(Witness::new(watch, changed_nanoseconds(&found))));
        let identity = self.identity(&file, &found, path, witness.as_ref(), !may_wait);
        let name = path.to_owned();
        Ok(BootFile { file, identity, name, place, may_wait, found, witness, _room: None })
    }
}

impl BootDirectory {
    /// What a file is that was just opened; one that was only touched since it was opened before is what it was then.
    fn identity(
        &self,
        file: &File,
        found: &Stat,
        name: &str,
        witness: Option<&Arc<Witness>>,
        is_near: bool,
    ) -> ImageIdentity {
        let Stat { st_dev, st_ino, .. } = *found;
        #[allow(clippy::useless_conversion, reason = "the fields' types differ between architectures")]
        let (device, inode) = (u64::from(st_dev), u64::from(st_ino));
        let (modified, changed) = (modified_nanoseconds(found), changed_nanoseconds(found));
        let size = u64::try_from(found.st_size).unwrap_or(0);
        let found = lineage::Found { name, device, inode, size, modified, changed, is_near };
        let changed_now = || Ok(changed_nanoseconds(&rustix::fs::fstat(file)?));
        let first = lineage::first_change(&self.lineage, found, witness, changed_now);
        identity_of((device, inode), (size, modified), first)
    }

    /// Opens a directory below the boot directory, to look at what it holds. An empty path is the boot directory itself.
    ///
    /// # Errors
    /// None: it cannot be opened; or a place where the thread may not go.
    pub(super) fn open_directory(&self, go: Go<'_>, path: &str) -> Result<Option<OwnedFd>, Unopened> {
        go_to(go, &Place::Own, path)?;
        let Ok(root) = self.root() else { return Ok(None) };
        let path = if path.is_empty() { "." } else { path };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(reach(go, &root, path, flags)?.1.ok())
    }

    /// The loader of this name, if its package is there.
    fn packaged(&self, name: &str) -> Option<OwnedFd> {
        let path = self.places().packages?.join(&*Loader::of(name)?.path);
        rustix::fs::openat(CWD, &path, OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY, Mode::empty()).ok()
    }

    fn places(&self) -> Places {
        self.places.read().expect("no thread panics while it holds the paths").clone()
    }

    fn root(&self) -> Result<OwnedFd, Refusal> {
        let root = self.places().directory;
        rustix::fs::openat(CWD, &root, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
            .map_err(|e| Refusal::Denied(format!("boot.directory {} cannot be opened: {e}", root.display())))
    }
}

/// The thread is there from now on.
fn go_to(go: Go<'_>, place: &Place, name: &str) -> Result<(), Unopened> {
    if go(place, name) { Ok(()) } else { Err(Unopened::Held(place.clone())) }
}

/// Opens what is beneath a directory, and tells where that is. The own file system is left only for one to which the thread may go.
fn reach(
    go: Go<'_>,
    directory: &OwnedFd,
    path: &str,
    flags: OFlags,
) -> Result<(Place, Result<OwnedFd, Errno>), Unopened> {
    let opened = on_own(directory, path, flags);
    let place = (opened.as_ref().err() == Some(&Errno::XDEV)).then(|| place_of(directory, path)).flatten();
    let Some(place) = place else { return Ok((Place::Own, opened)) };
    go_to(go, &place, path)?;
    Ok((place, beneath(directory, path, flags)))
}

/// Whether a file is on a file system that never says what of a file is in memory: it is asked for its first octet, if that is there.
fn may_wait(file: &File) -> bool {
    let read = rustix::io::preadv2(file, &mut [IoSliceMut::new(&mut [0])], 0, ReadWriteFlags::NOWAIT);
    !matches!(read, Ok(_) | Err(Errno::AGAIN))
}

/// The first symbolic link on a path that is absolute and leads back into the directory: it is not followed, as it names what the whole host has there.
fn absolute_link(directory: &OwnedFd, named: &Path, path: &str) -> Option<String> {
    let whole = std::fs::canonicalize(named).unwrap_or_else(|_| named.into());
    let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
    ends.map(|end| &path[..end]).filter(|part| !part.is_empty()).find_map(|part| {
        let link = beneath(directory, part, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC).ok()?;
        let target = rustix::fs::readlinkat(&link, "", Vec::new()).ok()?;
        let target = Path::new(OsStr::from_bytes(target.as_bytes()));
        (target.starts_with(named) || target.starts_with(&whole)).then(|| part.to_owned())
    })
}

/// What is said of one.
fn absolute(path: &str, link: &str) -> Refusal {
    let through = if path == link { "is".to_owned() } else { format!("leads through {link},") };
    Refusal::Denied(format!("{path} {through} an absolute symbolic link: make it relative (ln -sr)"))
}

/// What something is that is no regular file.
fn kind(mode: RawMode) -> &'static str {
    match FileType::from_raw_mode(mode) {
        FileType::Directory => "a directory",
        FileType::CharacterDevice | FileType::BlockDevice => "a device",
        FileType::Fifo | FileType::Socket => "a pipe or a socket",
        FileType::RegularFile | FileType::Symlink | FileType::Unknown => "no regular file",
    }
}

impl BootFile {
    /// What was made and is in memory alone.
    pub(crate) fn made(file: File, room: Room) -> io::Result<Self> {
        let found = rustix::fs::fstat(&file)?;
        let (name, place, may_wait) = (String::new(), Place::Own, false);
        let size = u64::try_from(found.st_size).unwrap_or(0);
        #[allow(clippy::useless_conversion, reason = "the fields' types differ between architectures")]
        let inode = (u64::from(found.st_dev), u64::from(found.st_ino));
        let content = (size, modified_nanoseconds(&found));
        Ok(Self {
            file,
            identity: identity_of(inode, content, changed_nanoseconds(&found)),
            name,
            place,
            may_wait,
            found,
            witness: None,
            _room: Some(room),
        })
    }

    /// This, when the thread is where it is.
    pub(crate) fn reached(&self, go: Go<'_>) -> Result<&Self, Unopened> {
        go_to(go, &self.place, &self.name).map(|()| self)
    }

    /// The same version once more. The two share their offset, as descriptors do: a file is read by places alone.
    fn again(&self, path: &str) -> Result<Self, Refusal> {
        if !self.is_unchanged().unwrap_or(false) {
            return Err(replaced(path));
        }
        let file = self.file.try_clone();
        let file = file.map_err(|e| Refusal::Denied(format!("{path} cannot be opened: {e}")))?;
        let (found, witness) = (self.found, self.witness.clone());
        let (name, place, may_wait) = (path.to_owned(), self.place.clone(), self.may_wait);
        Ok(Self { file, identity: self.identity, name, place, may_wait, found, witness, _room: None })
    }

    /// Whether it is still what it was when it was opened: not changed in place.
    pub(crate) fn is_unchanged(&self) -> io::Result<bool> {
        let now = rustix::fs::fstat(self.file.as_fd())?;
        if !has_content_of(&self.found, &now) {
            return Ok(false);
        }
        let changed = changed_nanoseconds(&now);
        let changed_now =
            || rustix::fs::fstat(self.file.as_fd()).map(|now| changed_nanoseconds(&now)).map_err(Into::into);
        match &self.witness {
            Some(witness) => witness.is_same(changed, changed_now),
            None => Ok(changed_nanoseconds(&self.found) == changed),
        }
    }
}

/// What is wrong with a boot directory, if anything, and what to do about it.
pub(crate) fn problem_with(path: &Path) -> Option<String> {
    let path_shown = path.display();
    match std::fs::read_dir(path) {
        Ok(_) => None,
        Err(e) if e.kind() == io::ErrorKind::NotFound => Some(format!(
            "boot.directory {path_shown} does not exist\n  create it and put the boot files there: mkdir -p {path_shown}"
        )),
        Err(e) if e.kind() == io::ErrorKind::NotADirectory => {
            Some(format!("boot.directory {path_shown} is not a directory"))
        }
        Err(e) => Some(format!(
            "boot.directory {path_shown} cannot be read: {e}\n  let the user that runs heorot read it: chmod a+rx {path_shown}"
        )),
    }
}

/// Half a boot of one version and half of another would be worse than none.
fn replaced(path: &str) -> Refusal {
    Refusal::Denied(format!(
        "{path} was changed since this boot began, and its other files are of the old version: switch the machine on again, and replace files by renaming"
    ))
}

/// Likewise, where nobody knows any more what the machine has.
fn unsettled(path: &str, changed: &str) -> Refusal {
    Refusal::Denied(format!(
        "{path} may be of another version than the kernel that this machine has: {changed} was changed within the hour before heorot was started anew, or since; its loader has to begin with the kernel again, or switch the machine on again"
    ))
}

fn refusal(error: Errno, path: &str) -> Refusal {
    match error {
        // Which letters such octets are, nobody says: a name is UTF-8 here, or it is none.
        Errno::NOENT if path.contains(char::REPLACEMENT_CHARACTER) => Refusal::Missing(format!(
            "there is no file {path}: what was asked for is no UTF-8, and no file is served by such a name; rename it"
        )),
        Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG | Errno::INVAL => {
            Refusal::Missing(format!("there is no file {path}"))
        }
        Errno::XDEV => {
            let is_plain = !path.starts_with('/') && path.split('/').all(|part| part != "..");
            let how = if is_plain { " by a symbolic link" } else { "" };
            Refusal::Denied(format!("{path} leads out of boot.directory{how}"))
        }
        Errno::LOOP => Refusal::Denied(format!("{path} is a symbolic link that leads in a circle")),
        Errno::NXIO => Refusal::Denied(format!("{path} is a pipe or a socket")),
        Errno::ACCESS | Errno::PERM => {
            Refusal::Denied(format!("the server may not read {path}: chmod a+r it"))
        }
        other => Refusal::Denied(format!("{path} cannot be opened: {other}")),
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// What tells a file from others, and from itself as it was before: a file that is written over may have the same size, and get its time back (rsync --inplace --times). The time of the
/// last change of its inode cannot be set. That also moves when a file is linked or its rights are changed: [`lineage`] knows better.
fn identity_of((device, inode): (u64, u64), (size, modified): (u64, u64), changed: u64) -> ImageIdentity {
    // By an odd number, so that what differs by a little differs in all bits.
    let changed = changed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    // An inode number is unique within its device; the device's is small and lands in the upper bits.
    ImageIdentity { file: device.rotate_left(40) ^ inode ^ changed, size, modified }
}

/// Whether size and time of the content are the same now.
fn has_content_of(before: &Stat, now: &Stat) -> bool {
    before.st_size == now.st_size && modified_nanoseconds(before) == modified_nanoseconds(now)
}

/// When a file's directory entry or its content was changed last: one that is renamed keeps the time of its content, and not this one.
fn changed_nanoseconds(stat: &Stat) -> u64 {
    #[allow(clippy::useless_conversion, reason = "the fields' types differ between architectures")]
    let nanoseconds = u64::try_from(stat.st_ctime_nsec).unwrap_or(0);
    nanoseconds_of(u64::try_from(stat.st_ctime).unwrap_or(0), nanoseconds)
}

fn modified_nanoseconds(stat: &Stat) -> u64 {
    #[allow(clippy::useless_conversion, reason = "the fields' types differ between architectures")]
    let nanoseconds = u64::try_from(stat.st_mtime_nsec).unwrap_or(0);
    nanoseconds_of(u64::try_from(stat.st_mtime).unwrap_or(0), nanoseconds)
}

fn nanoseconds_of(seconds: u64, nanoseconds: u64) -> u64 {
    seconds.wrapping_mul(1_000_000_000).wrapping_add(nanoseconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use std::io::Read;

    fn content(files: &BootDirectory, name: &str) -> Result<String, Refusal> {
        let mut text = String::new();
        files.open(name)?.file.read_to_string(&mut text).unwrap();
        Ok(text)
    }

    #[test]
    fn a_loader_that_the_directory_lacks_is_that_of_its_package() {
        let (directory, root) = (testing::directory("boot"), testing::directory("packages"));
        let modules = root.path().join("usr/lib/syslinux/modules/bios");
        std::fs::create_dir_all(&modules).unwrap();
        std::fs::write(modules.join("ldlinux.c32"), "of the package").unwrap();
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let (here, there) = (text(directory.path()), text(root.path()));
        let files = BootDirectory::new(&here, Some(&there));
        assert_eq!(content(&files, "ldlinux.c32").unwrap(), "of the package");
        for missing in
            ["menu.c32", "pxelinux.0", "usr/lib/syslinux/modules/bios/ldlinux.c32", "x/ldlinux.c32"]
        {
            assert!(matches!(content(&files, missing), Err(Refusal::Missing(_))), "{missing}");
        }
        std::fs::write(directory.path().join("ldlinux.c32"), "of the site").unwrap();
        assert_eq!(content(&files, "ldlinux.c32").unwrap(), "of the site");
        std::fs::remove_file(directory.path().join("ldlinux.c32")).unwrap();
        files.change(&here, None);
        assert!(matches!(content(&files, "ldlinux.c32"), Err(Refusal::Missing(_))));
    }
}
