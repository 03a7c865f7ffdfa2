//! What of a file goes to the socket, and how: what is in the kernel's memory at once; else it has to be read first, by somebody who may wait.

use crate::images::directory::BootFile;
use rustix::io::{Errno, ReadWriteFlags};
use rustls::ServerConnection;
use std::io::{self, IoSliceMut, Write as _};
use std::net::TcpStream;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// A file on its way.
pub(in super::super) struct Body {
    pub(super) file: Arc<BootFile>,
    pub(super) rest: Range<u64>,
    /// How much of it may go now.
    pub(super) allowed: u64,
    /// Whether it was asked for more than that.
    pub(super) has_asked: bool,
    /// Whether it waits for a disk.
    pub(in super::super) is_cold: bool,
    /// Where the part ends that was last found to be in memory.
    warm_to: Option<u64>,
}

/// Octets of a file that go at once by TLS: they are enciphered in memory of ours.
pub(super) const SECURED_OCTETS: usize = 64 * 1024;

/// The same of a file that others have to read, into memory of ours.
const READ_OCTETS: u64 = 128 * 1024;

impl Body {
    pub(super) fn new(file: Arc<BootFile>, rest: Range<u64>, allowed: u64, has_asked: bool) -> Self {
        Self { file, rest, allowed, has_asked, is_cold: false, warm_to: None }
    }

    /// What is to go next, of so many octets that are left of this turn.
    pub(super) fn piece(&self, turn: u64, is_secured: bool) -> Range<u64> {
        let most = match (self.file.may_wait, is_secured) {
            (true, _) => READ_OCTETS,
            (false, true) => SECURED_OCTETS as u64,
            (false, false) => turn,
        };
        self.rest.start..self.rest.end.min(self.rest.start + self.allowed.min(most))
    }

    /// So much more of it was given to the kernel, or will be.
    pub(super) fn gave(&mut self, octets: u64) {
        self.rest.start += octets;
        self.allowed = self.allowed.saturating_sub(octets);
    }

    /// Whether a part is in memory, as its first and its last octet tell: what lies between was read ahead with them. Where nobody can tell it is not.
    pub(super) fn is_warm(&mut self, part: &Range<u64>) -> bool {
        if self.file.may_wait {
            return false;
        }
        let is_in_memory = |at| {
            let room = &mut [0];
            let read = rustix::io::preadv2(
                &self.file.file,
                &mut [IoSliceMut::new(room)],
                at,
                ReadWriteFlags::NOWAIT,
            );
            read != Err(Errno::AGAIN)
        };
        // The octet before it was looked at with the last part.
        let follows = self.warm_to == Some(part.start);
        let is_warm = (follows || is_in_memory(part.start)) && is_in_memory(part.end - 1);
        self.warm_to = is_warm.then_some(part.end);
        is_warm
    }
}

/// From the kernel's memory to the socket. None: it is full.
pub(super) fn send_file(socket: &TcpStream, file: &BootFile, part: &Range<u64>) -> io::Result<Option<u64>> {
    let mut at = part.start;
    let octets = usize::try_from(part.end - part.start).unwrap_or(usize::MAX);
    match rustix::fs::sendfile(socket, &file.file, Some(&mut at), octets) {
        Ok(0) => Err(io::Error::other("the file is shorter than it was")),
        Ok(octets) => Ok(Some(octets as u64)),
        Err(Errno::AGAIN) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

pub(super) fn encipher(
    tls: &mut ServerConnection,
    file: &BootFile,
    part: &Range<u64>,
    buffer: &mut [u8],
) -> io::Result<u64> {
    let octets = usize::try_from(part.end - part.start).unwrap_or(usize::MAX).min(buffer.len());
    let piece = &mut buffer[..octets];
    file.file.read_exact_at(piece, part.start)?;
    // All that was enciphered before is with the kernel, or we would not be here: there is room for one octet at least.
    Ok(tls.writer().write(piece)? as u64)
}
