use heorot_nfs::Status;
use heorot_nfs::attributes::{Attributes, Kind, Moment};
use heorot_nfs::handle::Keys;
use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, RawDir, RawMode, ResolveFlags, SeekFrom, Statx, StatxAttributes,
    StatxFlags, StatxTimestamp,
};
use rustix::io::Errno;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};

/// What was found where somebody looked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) attributes: Attributes,
    /// As it stands in handles.
    pub(super) inode: u64,
    pub(super) birth: u32,
    /// The directory of another file system that is mounted here: what is in it is not served.
    pub(super) is_covered: bool,
}

/// What is the same for all files of a tree.
#[derive(Clone, Copy, Debug)]
pub(super) struct TreeFacts {
    /// The number of its file system, for clients.
    pub(super) file_system: u64,
    /// The kernel's.
    pub(super) device: (u32, u32),
}

/// Octets of one block of `st_blocks`, whatever the file system has.
const BLOCK_OCTETS: u64 = 512;

/// Opens what is beneath a directory: no link is followed, nothing outside is reached, and no other file system that is mounted there.
pub(super) fn open_beneath(directory: impl AsFd, path: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV;
    let path = if path.is_empty() { b"." } else { path };
    let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let flags = match flags.contains(OFlags::PATH) {
        true => flags,
        // NONBLOCK: a pipe that stands where a file was must not stop the thread.
        false => flags | OFlags::NOCTTY | OFlags::NONBLOCK,
    };
    // Now and then a rename somewhere on this host gets in between (openat2(2)).
    for _ in 0..TRIES {
        match rustix::fs::openat2(&directory, path, flags, Mode::empty(), resolve) {
            Err(Errno::AGAIN) => std::thread::yield_now(),
            other => return other,
        }
    }
    Err(Errno::AGAIN)
}

const TRIES: u32 = 100;

/// What is known of a file that is open.
pub(super) fn stat(file: impl AsFd) -> Result<Statx, Errno> {
    rustix::fs::statx(file, c"", AtFlags::EMPTY_PATH, wanted())
}

/// What is known of what has this name in a directory. A name, not a path: it leads nowhere else.
pub(super) fn stat_in(directory: impl AsFd, name: &[u8]) -> Result<Statx, Errno> {
    debug_assert!(!name.contains(&b'/'), "a name alone");
    rustix::fs::statx(directory, name, AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT, wanted())
}

fn wanted() -> StatxFlags {
    StatxFlags::BASIC_STATS | StatxFlags::BTIME
}

/// Whether another file system is mounted there.
pub(super) fn is_covered(stat: &Statx) -> bool {
    stat.stx_attributes.contains(StatxAttributes::MOUNT_ROOT)
}

/// As clients are told of it.
pub(super) fn seen(stat: &Statx, facts: &TreeFacts, keys: &Keys) -> Seen {
    let has_birth = stat.stx_mask & StatxFlags::BTIME.bits() != 0;
    let birth = if has_birth { keys.birth(stat.stx_btime.tv_sec, stat.stx_btime.tv_nsec) } else { 0 };
    let device = (stat.stx_dev_major, stat.stx_dev_minor);
    // Where a file system has several of them within one mount (btrfs), inodes have the same numbers again.
    let further =
        if device == facts.device { 0 } else { u64::from(keys.birth(device.0.into(), device.1)) << 32 };
    let attributes = Attributes {
        kind: kind(stat.stx_mode.into()),
        mode: u32::from(stat.stx_mode) & 0o7777,
        links: stat.stx_nlink,
        uid: stat.stx_uid,
        gid: stat.stx_gid,
        size: stat.stx_size,
        used: stat.stx_blocks.saturating_mul(BLOCK_OCTETS),
        device: (stat.stx_rdev_major, stat.stx_rdev_minor),
        file_system: facts.file_system,
        inode: stat.stx_ino ^ further,
        accessed: moment(&stat.stx_atime),
        modified: moment(&stat.stx_mtime),
        changed: moment(&stat.stx_ctime),
    };
    Seen { attributes, inode: stat.stx_ino, birth, is_covered: false }
}

/// A directory on which another file system is mounted: empty, and a place where the client may mount something itself, as `/proc` of a root.
pub(super) fn covered(stat: &Statx, facts: &TreeFacts, key: u64) -> Seen {
    let moment = moment(&stat.stx_mtime);
    let attributes = Attributes {
        kind: Kind::Directory,
        mode: 0o555,
        links: 2,
        uid: 0,
        gid: 0,
        size: 4096,
        used: 4096,
        device: (0, 0),
        file_system: facts.file_system,
        // Any that is always the same, and no inode's.
        inode: key | 1 << 63,
        accessed: moment,
        modified: moment,
        changed: moment,
    };
    Seen { attributes, inode: key | 1 << 63, birth: 0, is_covered: true }
}

fn kind(mode: RawMode) -> Kind {
    match FileType::from_raw_mode(mode) {
        FileType::RegularFile | FileType::Unknown => Kind::Regular,
        FileType::Directory => Kind::Directory,
        FileType::Symlink => Kind::Link,
        FileType::Fifo => Kind::Pipe,
        FileType::Socket => Kind::Socket,
        FileType::CharacterDevice => Kind::CharacterDevice,
        FileType::BlockDevice => Kind::BlockDevice,
    }
}

fn moment(stamp: &StatxTimestamp) -> Moment {
    // The protocol has 32 bits, from 1970 on.
    let seconds = u32::try_from(stamp.tv_sec.max(0)).unwrap_or(u32::MAX);
    Moment { seconds, nanoseconds: stamp.tv_nsec }
}

/// What is said to a client of what the kernel says to us.
pub(super) fn status(error: Errno) -> Status {
    match error {
        Errno::NOENT => Status::NoEntry,
        Errno::ACCESS | Errno::PERM | Errno::XDEV => Status::Access,
        Errno::NOTDIR => Status::NotDirectory,
        Errno::ISDIR => Status::IsDirectory,
        Errno::INVAL => Status::Invalid,
        Errno::NAMETOOLONG => Status::NameTooLong,
        Errno::STALE => Status::Stale,
        // For want of descriptors or memory: it may go better the next time.
        Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::AGAIN => Status::Later,
        _ => Status::Io,
    }
}

/// A name in a directory, with what the kernel says beside it.
pub(super) struct Listed<'a> {
    pub(super) name: &'a [u8],
    pub(super) inode: u64,
    pub(super) kind: FileType,
    /// Where the directory goes on behind it.
    pub(super) next: u64,
}

/// Reads a directory from a place on, piece by piece, until it ends or the caller has enough (false). Whether it was read to its end.
///
/// The directory was opened for this alone: where it stands belongs to whoever has it open.
pub(super) fn list(
    directory: &OwnedFd,
    from: u64,
    buffer: &mut [MaybeUninit<u8>],
    mut take: impl FnMut(&Listed<'_>) -> bool,
) -> Result<bool, Errno> {
    if from != 0 {
        rustix::fs::seek(directory, SeekFrom::Start(from))?;
    }
    let mut entries = RawDir::new(directory, buffer);
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let listed = Listed {
            name: entry.file_name().to_bytes(),
            inode: entry.ino(),
            kind: entry.file_type(),
            next: entry.next_entry_cookie(),
        };
        if !take(&listed) {
            return Ok(false);
        }
    }
    Ok(true)
}
