//! Unpacks a cpio archive of the form that Linux takes for initial RAM disks ("newc", the kernel's `buffer-format.rst`).

use nix::sys::stat::{Mode, SFlag, UtimensatFlags, makedev, mknod, utimensat};
use nix::sys::time::TimeSpec;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, lchown, symlink};
use std::path::{Component, Path, PathBuf};

#[cfg(test)]
pub(crate) mod tests;

/// What an archive begins with, without and with sums.
pub const MAGICS: [&[u8]; 2] = [b"070701", b"070702"];

/// Unpacks what comes into `directory`, to the archive's end; how many bytes of files there were.
///
/// # Errors
/// In words: of the stream, of the file system, or what is wrong with the archive.
pub fn unpack(stream: &mut impl Read, directory: &Path) -> Result<u64, String> {
    let mut archive = Archive { stream, directory, linked: BTreeMap::new(), bytes: 0 };
    while archive.entry()? {}
    Ok(archive.bytes)
}

struct Archive<'a, R> {
    stream: &'a mut R,
    directory: &'a Path,
    /// Where files with several names have their first one, by device and inode.
    linked: BTreeMap<(u32, u32, u32), PathBuf>,
    bytes: u64,
}

/// The header's fields that count here.
pub(crate) struct Header {
    inode: (u32, u32, u32),
    pub(crate) mode: u32,
    pub(crate) owner: (u32, u32),
    links: u32,
    pub(crate) modified: u32,
    size: u32,
    device: (u32, u32),
}

impl<R: Read> Archive<'_, R> {
    /// The next file; whether there was one.
    fn entry(&mut self) -> Result<bool, String> {
        let mut bytes = [0; HEADER];
        self.read(&mut bytes)?;
        let (header, name_length) = Header::parse(&bytes).ok_or("no cpio archive, or one that is damaged")?;
        if !(1..=NAME_MAX).contains(&name_length) {
            return Err("a name in the archive is too long".to_owned());
        }
        let mut name = vec![0; name_length];
        self.read(&mut name)?;
        self.skip_padding(HEADER + name_length)?;
        name.pop();
        if name == TRAILER {
            return Ok(false);
        }
        let path = self.place(&name)?;
        let size = header.size as usize;
        self.make(&header, &path).map_err(|error| format!("{}: {error}", path.display()))?;
        self.skip_padding(size)?;
        Ok(true)
    }

    /// Where an entry belongs. One that would be elsewhere is refused.
    fn place(&self, name: &[u8]) -> Result<PathBuf, String> {
        let mut path = self.directory.to_owned();
        for component in Path::new(OsStr::from_bytes(name)).components() {
            match component {
                Component::Normal(part) => path.push(part),
                Component::RootDir | Component::CurDir => {}
                Component::ParentDir | Component::Prefix(_) => {
                    return Err(format!("{}: a path that leads elsewhere", String::from_utf8_lossy(name)));
                }
            }
        }
        Ok(path)
    }

    fn make(&mut self, header: &Header, path: &Path) -> io::Result<()> {
        let kind = header.kind();
        let mode = Mode::from_bits_truncate(header.mode & 0o7777);
        // Of several archives in one, the later file counts, as it does for the kernel.
        if kind != SFlag::S_IFDIR && fs::symlink_metadata(path).is_ok_and(|there| !there.is_dir()) {
            fs::remove_file(path)?;
        }
        match kind {
            SFlag::S_IFDIR => match fs::create_dir(path) {
                Err(error) if !path.is_dir() => return Err(error),
                Ok(()) | Err(_) => {}
            },
            SFlag::S_IFREG => self.file(header, path)?,
            SFlag::S_IFLNK => {
                let mut target = vec![0; header.size.min(NAME_MAX as u32) as usize];
                self.stream.read_exact(&mut target)?;
                symlink(OsStr::from_bytes(&target), path)?;
            }
            SFlag::S_IFCHR | SFlag::S_IFBLK | SFlag::S_IFIFO | SFlag::S_IFSOCK => {
                let (major, minor) = header.device;
                mknod(path, kind, mode, makedev(major.into(), minor.into()))?;
            }
            _ => return Err(io::Error::other("a kind of file that is not known")),
        }
        lchown(path, Some(header.owner.0), Some(header.owner.1))?;
        if kind != SFlag::S_IFLNK {
            // After the owner, whose change takes set-user-id bits away.
            fs::set_permissions(path, Permissions::from_mode(header.mode & 0o7777))?;
        }
        let time = TimeSpec::new(header.modified.into(), 0);
        utimensat(nix::fcntl::AT_FDCWD, path, &time, &time, UtimensatFlags::NoFollowSymlink)?;
        Ok(())
    }

    /// A plain file. Where one has several names, its content comes with one of them.
    fn file(&mut self, header: &Header, path: &Path) -> io::Result<()> {
        if header.links > 1 {
            if let Some(first) = self.linked.get(&header.inode) {
                fs::hard_link(first, path)?;
                if header.size == 0 {
                    return Ok(());
                }
            } else {
                self.linked.insert(header.inode, path.to_owned());
            }
        }
        let mut file = File::options().write(true).create(true).truncate(true).open(path)?;
        let copied = io::copy(&mut self.stream.by_ref().take(header.size.into()), &mut file)?;
        self.bytes += copied;
        if copied == u64::from(header.size) { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    fn read(&mut self, bytes: &mut [u8]) -> Result<(), String> {
        self.stream.read_exact(bytes).map_err(|error| format!("reading the archive: {error}"))
    }

    /// Everything begins at a multiple of four.
    fn skip_padding(&mut self, length: usize) -> Result<(), String> {
        let mut padding = [0; 3];
        self.read(&mut padding[..length.next_multiple_of(4) - length])
    }
}

/// An entry of an archive that is in memory.
pub(crate) struct InMemory<'a> {
    pub(crate) header: Header,
    pub(crate) name: &'a [u8],
    pub(crate) content: &'a [u8],
    /// The archive from the next entry on.
    pub(crate) rest: &'a [u8],
}

/// The first entry of an archive in memory. None: it is damaged.
pub(crate) fn next_entry(archive: &[u8]) -> Option<InMemory<'_>> {
    let (header, name_length) = Header::parse(archive.get(..HEADER)?.try_into().ok()?)?;
    let name_ends = HEADER.checked_add(name_length).filter(|_| (1..=NAME_MAX).contains(&name_length))?;
    let name = archive.get(HEADER..name_ends)?.strip_suffix(b"\0")?;
    let begins = name_ends.next_multiple_of(4);
    let ends = begins.checked_add(header.size as usize)?;
    let content = archive.get(begins..ends)?;
    let rest = archive.get(ends.next_multiple_of(4)..).unwrap_or_default();
    Some(InMemory { header, name, content, rest })
}

impl Header {
    /// What kind of file it is.
    pub(crate) fn kind(&self) -> SFlag {
        SFlag::from_bits_truncate(self.mode) & SFlag::S_IFMT
    }

    /// The header, and the length of the name behind it, with its NUL.
    fn parse(bytes: &[u8; HEADER]) -> Option<(Self, usize)> {
        if !MAGICS.contains(&&bytes[..6]) {
            return None;
        }
        let digits = std::str::from_utf8(&bytes[6..]).ok()?;
        let field = |place: usize| u32::from_str_radix(digits.get(8 * place..8 * place + 8)?, 16).ok();
        // ino mode uid gid nlink mtime filesize devmajor devminor rdevmajor rdevminor namesize check
        let header = Self {
            inode: (field(7)?, field(8)?, field(0)?),
            mode: field(1)?,
            owner: (field(2)?, field(3)?),
            links: field(4)?,
            modified: field(5)?,
            size: field(6)?,
            device: (field(9)?, field(10)?),
        };
        Some((header, field(11)? as usize))
    }
}

const HEADER: usize = 110;
/// Linux' PATH_MAX, with the NUL.
const NAME_MAX: usize = 4096;
/// The name that ends an archive.
pub(crate) const TRAILER: &[u8] = b"TRAILER!!!";
