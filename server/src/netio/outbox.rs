//! Datagrams to many peers in one system call, and trains of them to one peer as one message that the kernel cuts (UDP_SEGMENT, udp(7)).

use super::{BATCH, CONTROL_OCTETS, Control, PAYLOAD_OCTETS_MAX, Peer};
use std::io;
use std::mem;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

/// Datagrams that one message may be cut into: the kernel's UDP_MAX_SEGMENTS is 64, and 128 since 6.9.
const SEGMENTS_MAX: usize = 64;

/// Octets of all messages of a batch: the longest train fits several times, and a batch of usual blocks whole. What does not goes with the next batch.
const OCTETS_MAX: usize = 4 * (PAYLOAD_OCTETS_MAX + 1);

/// Room for a batch of messages that go out. Made once.
///
/// The pieces of a message are put together here. The kernel would gather them itself, but it checks and copies each by itself: for a block behind its header that takes longer than to copy both once more.
pub(crate) struct Outbox {
    headers: Vec<libc::mmsghdr>,
    payloads: Vec<u8>,
    pieces: Vec<libc::iovec>,
    controls: Vec<Control>,
    peers: Vec<Peer>,
}

impl Outbox {
    pub(crate) fn new() -> Self {
        // SAFETY: all zeros is a valid `mmsghdr` and `iovec`: null pointers with lengths of 0.
        let (header, piece) = unsafe { (mem::zeroed::<libc::mmsghdr>(), mem::zeroed::<libc::iovec>()) };
        Self {
            headers: vec![header; BATCH],
            payloads: vec![0; OCTETS_MAX],
            pieces: vec![piece; BATCH],
            controls: vec![Control([0; CONTROL_OCTETS]); BATCH],
            peers: vec![Peer::NOBODY; BATCH],
        }
    }

    /// An empty batch.
    pub(crate) fn batch(&mut self) -> Batch<'_> {
        Batch { outbox: self, messages: 0, octets: 0 }
    }
}

/// Messages that leave together.
pub(crate) struct Batch<'a> {
    outbox: &'a mut Outbox,
    messages: usize,
    /// Of their payloads.
    octets: usize,
}

impl Batch<'_> {
    /// Adds a message to a peer from one of our addresses, or from the one that the socket is bound to: one datagram, or, if `segment_octets` says so, as many
    /// datagrams of so many octets as it can be cut into, the last of which may be shorter. False: there is no room for it, and what is there has to leave first.
    pub(crate) fn add<'p>(
        &mut self,
        (local, peer): (Option<Ipv4Addr>, SocketAddrV4),
        segment_octets: Option<u16>,
        pieces: impl Iterator<Item = &'p [u8]>,
    ) -> bool {
        if !self.add_from_bound(peer.into(), pieces) {
            return false;
        }
        if local.is_none() && segment_octets.is_none() {
            return true;
        }
        let control = &mut self.outbox.controls[self.messages - 1];
        let header = &mut self.outbox.headers[self.messages - 1].msg_hdr;
        header.msg_controllen = write_control(control, local, segment_octets);
        header.msg_control = ptr::from_mut(control).cast();
        true
    }

    /// Adds a datagram from the address that the socket is bound to. What says where from, the kernel reads and checks for every datagram. False: as with
    /// [`Batch::add`].
    pub(crate) fn add_from_bound<'p>(
        &mut self,
        peer: SocketAddr,
        pieces: impl Iterator<Item = &'p [u8]>,
    ) -> bool {
        let Some(header) = self.outbox.headers.get_mut(self.messages) else { return false };
        let mut end = self.octets;
        for octets in pieces {
            let behind = end + octets.len();
            let Some(room) = self.outbox.payloads.get_mut(end..behind) else { return false };
            room.copy_from_slice(octets);
            end = behind;
        }
        let payload = &mut self.outbox.payloads[self.octets..end];
        let piece = &mut self.outbox.pieces[self.messages];
        *piece = libc::iovec { iov_base: payload.as_mut_ptr().cast(), iov_len: payload.len() };
        let address = &mut self.outbox.peers[self.messages];
        let header = &mut header.msg_hdr;
        (*address, header.msg_namelen) = Peer::of(peer);
        header.msg_name = ptr::from_mut(address).cast();
        (header.msg_iov, header.msg_iovlen) = (piece, 1);
        (header.msg_control, header.msg_controllen) = (ptr::null_mut(), 0);
        self.messages += 1;
        self.octets = end;
        true
    }

    /// Sends the messages from the given one on; the kernel finds the way. How many left.
    ///
    /// # Errors
    /// The first one did not leave. If a later one does not, it is counted out, and the next call says why.
    pub(crate) fn send(&mut self, socket: BorrowedFd<'_>, from: usize) -> io::Result<usize> {
        let headers = self.outbox.headers.get_mut(from..self.messages).unwrap_or_default();
        // SAFETY: every header points to an address, a control buffer and a piece of the lengths that it states, and that to octets of the payloads: all of them in vectors of
        // the outbox that never grow, and which is borrowed; the kernel writes to none of it.
        let sent = unsafe {
            libc::sendmmsg(
                socket.as_raw_fd(),
                headers.as_mut_ptr(),
                u32::try_from(headers.len()).expect("a batch is small"),
                libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL,
            )
        };
        usize::try_from(sent).map_err(|_| io::Error::last_os_error())
    }
}

/// How many datagrams of so many octets one message may be cut into.
pub(crate) fn segments_max(segment_octets: usize) -> usize {
    (PAYLOAD_OCTETS_MAX / segment_octets.max(1)).clamp(1, SEGMENTS_MAX)
}

/// Writes the control messages that say which of our addresses to send from, and how the payload is to be cut. Their length.
fn write_control(control: &mut Control, local: Option<Ipv4Addr>, segment_octets: Option<u16>) -> usize {
    let info = local.map(|local| libc::in_pktinfo {
        ipi_ifindex: 0,
        ipi_spec_dst: libc::in_addr { s_addr: u32::from(local).to_be() },
        ipi_addr: libc::in_addr { s_addr: 0 },
    });
    let after_info =
        info.map_or(0, |info| write_message(control, 0, (libc::IPPROTO_IP, libc::IP_PKTINFO), info));
    segment_octets.map_or(after_info, |octets| {
        write_message(control, after_info, (libc::SOL_UDP, libc::UDP_SEGMENT), octets)
    })
}

/// Writes one control message (cmsg(3)) at a place that is a multiple of a header's alignment. Where the next one belongs.
fn write_message<T: Copy>(
    control: &mut Control,
    place: usize,
    (level, kind): (libc::c_int, libc::c_int),
    value: T,
) -> usize {
    let value_octets = size_of::<T>() as u32;
    // SAFETY: these only compute lengths.
    let (space, length) = unsafe { (libc::CMSG_SPACE(value_octets), libc::CMSG_LEN(value_octets)) };
    let end = place + space as usize;
    assert!(end <= CONTROL_OCTETS, "two small messages fit");
    // SAFETY: the message lies whole in the buffer, as was asserted; the buffer is aligned for a header, and so is the place, since a message's space is a multiple of that.
    unsafe {
        let header: *mut libc::cmsghdr = ptr::from_mut(control).cast::<u8>().add(place).cast();
        (*header).cmsg_level = level;
        (*header).cmsg_type = kind;
        (*header).cmsg_len = length as usize;
        ptr::write_unaligned(libc::CMSG_DATA(header).cast(), value);
    }
    end
}
