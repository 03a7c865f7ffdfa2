//! The small files of this node: fetched from the server once in a boot, and laid into its root before that starts.
//!
//! A symbolic link that the root has leads where it would lead in the root, never out of it; one that is in the place of a file gives way to the file. A directory that is
//! there stays as it is. What cannot be laid is a boot that failed: half of its files would be worse than no node.

use crate::cpio::{self, Header, InMemory};
use crate::http::Url;
use crate::node::{self, Node};
use crate::say;
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, OpenHow, ResolveFlag, openat2};
use nix::mount::{MsFlags, mount};
use nix::sys::stat::{Mode, SFlag, UtimensatFlags, fchmod, fstatat, mkdirat, utimensat};
use nix::sys::time::TimeSpec;
use nix::unistd::{Gid, Uid, UnlinkatFlags, fchownat, symlinkat, unlinkat};
use std::ffi::OsStr;
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

#[cfg(test)]
mod tests;

/// What was fetched, before it is laid.
#[derive(Default)]
pub struct Fetched {
    /// Archives, in the order in which they are laid.
    archives: Vec<Vec<u8>>,
}

impl std::fmt::Debug for Fetched {
    /// Nobody shall read secrets in a message.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} archives", self.archives.len())
    }
}

/// Fetches what the server says that this node gets.
///
/// # Errors
/// In words, when the server has been silent for ten minutes, or has refused.
pub fn fetch(url: &Url, node: &Node) -> Result<Fetched, String> {
    let mut archives = Vec::new();
    if node.overlay {
        archives.push(node::get_overlay(url)?);
    }
    if node.secrets {
        archives.push(node::get_secrets(url)?);
    }
    Ok(Fetched { archives })
}

impl Fetched {
    /// Lays all of it into the root; what was covered, because the root cannot be written, is read from `/run/heorot/files`.
    ///
    /// # Errors
    /// In words: which file, and why.
    pub fn lay(&self, root: &Path) -> Result<(), String> {
        self.lay_with(root, Path::new(RUN))
    }

    fn lay_with(&self, root: &Path, run: &Path) -> Result<(), String> {
        if self.archives.is_empty() {
            return Ok(());
        }
        let mut laid = Laying::into(root, run)?;
        for archive in &self.archives {
            laid.archive(archive)?;
        }
        say!("{} files of this node are in its root", laid.files);
        Ok(())
    }
}

/// A root that files are laid into.
struct Laying {
    root: File,
    /// Where /run is: it goes along into the root, and would cover what lies there.
    run: File,
    /// Where files lie that cover those of a root that cannot be written.
    covers: PathBuf,
    files: usize,
}

impl Laying {
    fn into(root: &Path, run: &Path) -> Result<Self, String> {
        let open = |path: &Path| File::open(path).map_err(|error| format!("{}: {error}", path.display()));
        Ok(Self { root: open(root)?, run: open(run)?, covers: run.join("heorot/files"), files: 0 })
    }

    fn archive(&mut self, archive: &[u8]) -> Result<(), String> {
        let mut rest = archive;
        loop {
            let damaged = "the archive of this node's files is damaged";
            let InMemory { header, name, content, rest: after } = cpio::next_entry(rest).ok_or(damaged)?;
            if name == cpio::TRAILER {
                return Ok(());
            }
            rest = after;
            let shown = String::from_utf8_lossy(name).into_owned();
            let path = place(name).ok_or_else(|| format!("/{shown}: a path that leads elsewhere"))?;
            self.entry(&header, &path, content).map_err(|error| format!("/{shown}: {}", error.desc()))?;
            self.files += 1;
        }
    }

    /// What is below /run is laid there, everything else into the root.
    fn entry(&mut self, header: &Header, path: &Path, content: &[u8]) -> Result<(), Errno> {
        match path.strip_prefix("run") {
            Ok(inner) if inner.as_os_str().is_empty() => Ok(()),
            Ok(inner) => Entry { header, path: inner, content }.lay(&self.run, None),
            Err(_) => Entry { header, path, content }.lay(&self.root, Some(&self.covers)),
        }
    }
}

/// One thing to be laid.
struct Entry<'a> {
    header: &'a Header,
    path: &'a Path,
    content: &'a [u8],
}

impl Entry<'_> {
    fn lay(&self, root: &File, covers: Option<&Path>) -> Result<(), Errno> {
        let name = self.path.file_name().ok_or(Errno::EINVAL)?;
        let parent = self.path.parent().unwrap_or_else(|| Path::new(""));
        match self.lay_in(root, parent, name) {
            Err(Errno::EROFS) => self.cover(root, covers.ok_or(Errno::EROFS)?),
            outcome => outcome,
        }
    }

    fn lay_in(&self, root: &File, parent: &Path, name: &OsStr) -> Result<(), Errno> {
        let parent = make_directories(root, parent)?;
        match self.header.kind() {
            SFlag::S_IFDIR => self.directory(root, &parent, name),
            SFlag::S_IFLNK => {
                make_room(&parent, name)?;
                symlinkat(OsStr::from_bytes(self.content), &parent, name)?;
                self.own(&parent, name)
            }
            SFlag::S_IFREG => {
                make_room(&parent, name)?;
                let flags =
                    OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
                // Nobody may read it before it is whose it shall be.
                let file = nix::fcntl::openat(&parent, name, flags, Mode::S_IRUSR | Mode::S_IWUSR)?;
                let mut file = File::from(file);
                file.write_all(self.content).map_err(errno)?;
                self.own(&parent, name)?;
                self.permit(&file)?;
                self.date(&parent, name)
            }
            _ => Err(Errno::EINVAL),
        }
    }

    /// A directory. One that is there, or a link to one, stays as it is.
    fn directory(&self, root: &File, parent: &OwnedFd, name: &OsStr) -> Result<(), Errno> {
        match mkdirat(parent, name, Mode::S_IRWXU) {
            Ok(()) => {}
            Err(Errno::EEXIST) => {
                return inside(root, self.path, OFlag::O_DIRECTORY | OFlag::O_PATH).map(drop);
            }
            Err(error) => return Err(error),
        }
        self.own(parent, name)?;
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        self.permit(&nix::fcntl::openat(parent, name, flags, Mode::empty())?)
    }

    /// Covers a file that is there, where nothing can be written.
    fn cover(&self, root: &File, covers: &Path) -> Result<(), Errno> {
        let there = inside(root, self.path, OFlag::O_PATH);
        match (self.header.kind(), there) {
            (SFlag::S_IFDIR, Ok(_)) => Ok(()),
            (SFlag::S_IFREG, Ok(there)) => {
                std::fs::create_dir_all(covers).map_err(errno)?;
                let place = File::open(covers).map_err(errno)?;
                self.lay(&place, None)?;
                let there = format!("/proc/self/fd/{}", there.as_raw_fd());
                mount(
                    Some(&covers.join(self.path)),
                    there.as_str(),
                    None::<&str>,
                    MsFlags::MS_BIND,
                    None::<&str>,
                )
            }
            // What is not there cannot be covered.
            (_, _) => Err(Errno::EROFS),
        }
    }

    fn own(&self, parent: &OwnedFd, name: &OsStr) -> Result<(), Errno> {
        let (user, group) = self.header.owner;
        let (user, group) = (Some(Uid::from_raw(user)), Some(Gid::from_raw(group)));
        fchownat(parent, name, user, group, AtFlags::AT_SYMLINK_NOFOLLOW)
    }

    /// After the owner, whose change takes set-user-id bits away.
    fn permit(&self, file: &impl AsFd) -> Result<(), Errno> {
        fchmod(file, Mode::from_bits_truncate(self.header.mode & 0o7777))
    }

    fn date(&self, parent: &OwnedFd, name: &OsStr) -> Result<(), Errno> {
        let time = TimeSpec::new(self.header.modified.into(), 0);
        utimensat(parent, name, &time, &time, UtimensatFlags::NoFollowSymlink)
    }
}

/// The path of an entry below the root. One that would be elsewhere is refused.
fn place(name: &[u8]) -> Option<PathBuf> {
    let mut path = PathBuf::new();
    for component in Path::new(OsStr::from_bytes(name)).components() {
        match component {
            Component::Normal(part) => path.push(part),
            Component::RootDir | Component::CurDir => {}
            Component::ParentDir | Component::Prefix(_) => return None,
        }
    }
    (!path.as_os_str().is_empty()).then_some(path)
}

/// A directory of the root, which is made if it is not there, with those above it.
fn make_directories(root: &File, path: &Path) -> Result<OwnedFd, Errno> {
    if path.as_os_str().is_empty() {
        return Ok(root.try_clone().map_err(errno)?.into());
    }
    match inside(root, path, OFlag::O_DIRECTORY | OFlag::O_PATH) {
        Err(Errno::ENOENT) => {}
        outcome => return outcome,
    }
    let name = path.file_name().ok_or(Errno::EINVAL)?;
    let parent = make_directories(root, path.parent().unwrap_or_else(|| Path::new("")))?;
    mkdirat(&parent, name, Mode::from_bits_truncate(0o755))?;
    // Whatever the mask is that files are made with here.
    let made = inside(root, path, OFlag::O_DIRECTORY | OFlag::O_RDONLY)?;
    fchmod(&made, Mode::from_bits_truncate(0o755))?;
    Ok(made)
}

/// Takes away what is in the place of a file. A directory stays, and is an error.
fn make_room(parent: &OwnedFd, name: &OsStr) -> Result<(), Errno> {
    match fstatat(parent, name, AtFlags::AT_SYMLINK_NOFOLLOW) {
        Err(Errno::ENOENT) => Ok(()),
        Err(error) => Err(error),
        Ok(there) if SFlag::from_bits_truncate(there.st_mode) & SFlag::S_IFMT == SFlag::S_IFDIR => {
            Err(Errno::EISDIR)
        }
        Ok(_) => unlinkat(parent, name, UnlinkatFlags::NoRemoveDir),
    }
}

/// Opens a path as the root's own processes would see it: links, also absolute ones, stay inside.
fn inside(root: &File, path: &Path, flags: OFlag) -> Result<OwnedFd, Errno> {
    let how = OpenHow::new().flags(flags | OFlag::O_CLOEXEC).resolve(ResolveFlag::RESOLVE_IN_ROOT);
    openat2(root.as_fd(), path, how)
}

fn errno(error: std::io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EIO, Errno::from_raw)
}

const RUN: &str = "/run";
