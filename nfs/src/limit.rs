//! Every bound of NFS, with its reason.

use heorot_rpc::limit::HEAD_OCTETS_MAX;

/// Octets of a handle (RFC 1813 2.4, `NFS3_FHSIZE`).
pub const HANDLE_OCTETS_MAX: usize = 64;

/// Octets of a name in a directory (Linux, `NAME_MAX`).
pub const NAME_OCTETS_MAX: usize = 255;

/// Octets of the path of a mount (RFC 1813 5.1.2, `MNTPATHLEN`).
pub const PATH_OCTETS_MAX: usize = 1024;

/// Octets of one READ: what Linux asks for at most (`NFS_MAX_FILE_IO_SIZE`).
pub const READ_OCTETS_MAX: u32 = 1 << 20;

/// Octets that are copied at once into a reply; larger READs go from the kernel's memory to the network without us.
pub const COPIED_OCTETS_MAX: u32 = 32 << 10;

/// Octets of a READ that wait for no share of the link, as all that is short: a page, which a program wants that stands still.
pub const AT_ONCE_OCTETS_MAX: u32 = 4 << 10;

/// Octets of one READDIR or READDIRPLUS: all that is held of a reply in memory.
pub const LISTING_OCTETS_MAX: u32 = 64 << 10;

/// Octets of one WRITE: it is refused, but has to be read to its end. libnfs mounts nothing where it is less.
pub const WRITE_OCTETS_MAX: u32 = 8192;

/// Octets of a call: the longest is a WRITE.
pub const CALL_OCTETS_MAX: usize = 10 << 10;

/// Levels of directories of which a handle tells the way. Deeper ones are looked for when they were forgotten.
pub const TRAIL_OCTETS: usize = 30;

/// Connections at a time: one of each node that can be known and some besides, of which none costs more than a descriptor while it is idle.
pub const CONNECTIONS_MAX: usize = 20_000;

/// Connections of one address: `nconnect` of Linux goes up to 16, and those of a boot before may linger. One more takes the place of the one that was silent longest.
pub const CONNECTIONS_PER_CLIENT_MAX: usize = 32;

/// Octets of the paths that are remembered: those of some hundred thousand files. What is forgotten is found again by the way in its handle.
pub const PATHS_OCTETS_MAX: usize = 48 << 20;

/// Directories that are read to find a forgotten file: more would take seconds, and the client is told to ask again.
pub const WALK_DIRECTORIES_MAX: usize = 1024;

/// Names of one directory that are remembered when it was read for a file that was forgotten: its neighbours are asked for next.
pub const WALK_REMEMBERED_MAX: usize = 16_384;

/// Files that are kept open for the next READ.
pub const FILES_OPEN_MAX: usize = 512;

/// Trees of one export at a time: a directory that was replaced as a whole is served on to those that have it as their root.
pub const TREES_MAX: usize = 4;

const _: () = assert!(CALL_OCTETS_MAX > HEAD_OCTETS_MAX + HANDLE_OCTETS_MAX + 64 + WRITE_OCTETS_MAX as usize);
const _: () = assert!(CALL_OCTETS_MAX > HEAD_OCTETS_MAX + HANDLE_OCTETS_MAX + PATH_OCTETS_MAX + 64);
