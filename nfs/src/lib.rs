//! NFS version 3 (RFC 1813) as far as it reads, with the MOUNT protocol: what is asked, and what is answered. Pure: without files and sockets.
//!
//! - [`asked`]: what a call wants, in our words; what needs no file for its answer has it already;
//! - [`handle`]: names of files that clients keep, and that nobody but us can make;
//! - [`rights`]: what a file's mode allows whom;
//! - [`attributes`]: what is told of a file;
//! - [`reply`]: answers as octets;
//! - [`mount`]: the MOUNT protocol, by which clients get their first handle.
//!
//! Whoever has the files goes between `asked` and `reply`. There is no state here: all that a client needs for its next call is in the handle and the cookie
//! that it was given, so that it may find another server than before behind the same address.

pub mod asked;
pub mod attributes;
pub mod handle;
pub mod limit;
pub mod mount;
pub mod reply;
pub mod rights;

/// NFS itself: program 100003, of which there is this version.
pub const PROGRAM: u32 = 100_003;
/// The version of NFS that is spoken here.
pub const VERSION: u32 = 3;

/// What becomes of a call (RFC 1813 2.6, `nfsstat3`): those that we say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// There is no such name.
    NoEntry = 2,
    /// The disk fails.
    Io = 5,
    /// The mode does not allow it.
    Access = 13,
    /// It is no directory.
    NotDirectory = 20,
    /// It is a directory.
    IsDirectory = 21,
    /// It is no such thing, or no name.
    Invalid = 22,
    /// Nothing is written here.
    ReadOnly = 30,
    /// No name is so long.
    NameTooLong = 63,
    /// The file is gone, or another one has its name.
    Stale = 70,
    /// We never made this handle.
    BadHandle = 10_001,
    /// There is no such place in a directory.
    BadCookie = 10_003,
    /// Not one entry has room in the reply.
    TooSmall = 10_005,
    /// It takes too long: ask again.
    Later = 10_008,
}
