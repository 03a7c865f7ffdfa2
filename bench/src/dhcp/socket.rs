//! Whole frames in batches, by the packet socket of the lab.

use heorot_agent::link::{Hears, Link};
use nix::errno::Errno;
use nix::sys::socket::sockopt::ReceiveTimeout;
use nix::sys::socket::{MsgFlags, MultiHeaders, recvmmsg, sendmmsg, setsockopt};
use nix::sys::time::{TimeVal, TimeValLike};
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd};

/// Frames taken or given in one system call.
const BATCH: usize = 64;
/// Octets of a frame on a link of 1500.
const FRAME_OCTETS_MAX: usize = 1514;
/// Octets that may wait to be taken: the answers to all hosts at once, many times over, so that none is lost here.
const RECEIVE_OCTETS: usize = 64 << 20;
/// How long to wait for a frame before the clock is looked at.
const PATIENCE_MICROSECONDS: i64 = 20_000;

/// An interface, and room for a batch of frames.
pub(super) struct Socket {
    link: Link,
    headers: MultiHeaders<()>,
    room: Vec<u8>,
    lengths: Vec<usize>,
}

impl Socket {
    /// Opens it in the calling thread's network namespace.
    ///
    /// # Errors
    /// The kernel's: root's rights are missing.
    pub(super) fn open(interface: u32) -> io::Result<Self> {
        let link = Link::open(interface, Hears::Ipv4)?;
        link.set_receive_buffer(RECEIVE_OCTETS)?;
        setsockopt(&link, ReceiveTimeout, &TimeVal::microseconds(PATIENCE_MICROSECONDS))?;
        Ok(Self {
            link,
            headers: MultiHeaders::preallocate(BATCH, None),
            room: vec![0; BATCH * FRAME_OCTETS_MAX],
            lengths: Vec::with_capacity(BATCH),
        })
    }

    /// Sends all of these, and waits for room where it has to.
    ///
    /// # Errors
    /// The kernel's.
    pub(super) fn send(&mut self, frames: &[Vec<u8>]) -> io::Result<()> {
        let mut rest = frames;
        while !rest.is_empty() {
            let batch = &rest[..rest.len().min(BATCH)];
            let slices: Vec<[IoSlice<'_>; 1]> = batch.iter().map(|frame| [IoSlice::new(frame)]).collect();
            let mut headers = MultiHeaders::<()>::preallocate(batch.len(), None);
            let nobody = [None; BATCH];
            let descriptor = self.link.as_fd().as_raw_fd();
            match sendmmsg(descriptor, &mut headers, &slices, nobody, [], MsgFlags::empty()) {
                Ok(sent) => rest = &rest[sent.count()..],
                Err(Errno::ENOBUFS | Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Waits for a frame, and takes what else is there. How many; 0 if none came within [`PATIENCE_MICROSECONDS`].
    ///
    /// # Errors
    /// The kernel's.
    pub(super) fn receive(&mut self) -> io::Result<usize> {
        self.lengths.clear();
        let mut slices: Vec<[IoSliceMut<'_>; 1]> =
            self.room.chunks_exact_mut(FRAME_OCTETS_MAX).map(|room| [IoSliceMut::new(room)]).collect();
        let descriptor = self.link.as_fd().as_raw_fd();
        match recvmmsg(descriptor, &mut self.headers, &mut slices, MsgFlags::MSG_WAITFORONE, None) {
            Ok(received) => self.lengths.extend(received.map(|message| message.bytes)),
            Err(Errno::EAGAIN | Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(self.lengths.len())
    }

    /// The frames that [`Socket::receive`] took.
    pub(super) fn frames(&self) -> impl Iterator<Item = &[u8]> {
        let rooms = self.room.chunks_exact(FRAME_OCTETS_MAX);
        self.lengths.iter().zip(rooms).map(|(octets, room)| room.get(..*octets).unwrap_or(room))
    }

    /// How many frames were lost since this was asked last, because they were not taken in time.
    ///
    /// # Errors
    /// The kernel's.
    pub(super) fn take_lost(&self) -> io::Result<u32> {
        self.link.take_lost()
    }
}
