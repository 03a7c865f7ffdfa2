//! Whole frames in batches, from and to one interface: the packet socket by which `heorot storm` is a thousand hosts.
//!
//! A server may hand the kernel a train of datagrams as one, and on a virtual link nothing cuts it before it is received (UDP segmentation
//! offload). So each frame comes with the kernel's note of how it is to be cut: `virtio_net_hdr` (packet(7), PACKET_VNET_HDR).

use super::{BATCH, link_address, receive_room, send_room};
use socket2::{Domain, SockFilter, Socket, Type};
use std::io;
use std::mem;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::ptr;

/// Octets that may wait to be received, as the kernel counts them: 2304 for a frame of full size, so about 29,000 frames, 1.7 s of 200 Mbit.
const RECEIVE_OCTETS: usize = 64 << 20;
/// Octets that may wait to be sent.
const SEND_OCTETS: usize = 8 << 20;
/// Octets of the longest frame: an Ethernet header and the longest IPv4 packet.
const FRAME_OCTETS_MAX: usize = 14 + 65_535;
/// Octets of `struct virtio_net_hdr` of linux/virtio_net.h: flags, how it is to be cut, then four words of 16 bits.
const NOTE_OCTETS: usize = 10;
/// Where in it the octets of a piece stand.
const NOTE_PIECE: usize = 4;

/// A packet socket that gets all ARP and UDP of an interface, whomever it is for, and not what it sends itself.
#[derive(Debug)]
pub(crate) struct PacketSocket(Socket);

impl PacketSocket {
    /// Opens it on an interface.
    ///
    /// # Errors
    /// The kernel's: EPERM without CAP_NET_RAW.
    pub(crate) fn open(interface: u32) -> io::Result<Self> {
        // Of protocol 0 until the filter stands, so that nothing gets in before it.
        let socket = Socket::new(Domain::PACKET, Type::RAW.nonblocking().cloexec(), None)?;
        socket.attach_filter(&arp_and_udp())?;
        set(&socket, libc::PACKET_VNET_HDR, &1_i32)?;
        set(&socket, libc::PACKET_IGNORE_OUTGOING, &1_i32)?;
        receive_room(&socket, RECEIVE_OCTETS)?;
        send_room(&socket, SEND_OCTETS)?;
        socket.bind(&link_address(interface, libc::ETH_P_ALL as u16)?)?;
        let promiscuous = libc::packet_mreq {
            mr_ifindex: i32::try_from(interface).map_err(|_| io::ErrorKind::InvalidInput)?,
            mr_type: libc::PACKET_MR_PROMISC as u16,
            mr_alen: 0,
            mr_address: [0; 8],
        };
        set(&socket, libc::PACKET_ADD_MEMBERSHIP, &promiscuous)?;
        Ok(Self(socket))
    }

    /// Octets that may wait to be received, as the kernel counts them.
    pub(crate) fn room_octets(&self) -> io::Result<usize> {
        self.0.recv_buffer_size()
    }

    /// How many frames the kernel has dropped since the last question, because they were not taken in time.
    pub(crate) fn dropped(&self) -> io::Result<u32> {
        let mut statistics = libc::tpacket_stats { tp_packets: 0, tp_drops: 0 };
        let mut octets = size_of::<libc::tpacket_stats>() as libc::socklen_t;
        // SAFETY: the kernel writes at most the stated octets, two integers, into a structure of just these.
        let result = unsafe {
            libc::getsockopt(
                self.0.as_raw_fd(),
                libc::SOL_PACKET,
                libc::PACKET_STATISTICS,
                (&raw mut statistics).cast(),
                &raw mut octets,
            )
        };
        if result == 0 { Ok(statistics.tp_drops) } else { Err(io::Error::last_os_error()) }
    }

    /// Sends frames, up to [`BATCH`] of them. How many left.
    ///
    /// # Errors
    /// The first one did not leave: `WouldBlock` if as many as may wait do.
    pub(crate) fn send<'a>(&self, frames: impl Iterator<Item = &'a [u8]>) -> io::Result<usize> {
        static WHOLE: [u8; NOTE_OCTETS] = [0; NOTE_OCTETS]; // not to be cut, its check sums are right
        send_frames(self.as_fd(), frames.map(|frame| [WHOLE.as_slice(), frame]))
    }
}

/// Sends frames of two pieces each by a packet socket that is bound to an interface, up to [`BATCH`] of them; never waits. How many left.
///
/// # Errors
/// The first one did not leave. If a later one does not, it is counted out, and the next call says why.
pub(crate) fn send_frames<'a>(
    socket: BorrowedFd<'_>,
    frames: impl Iterator<Item = [&'a [u8]; 2]>,
) -> io::Result<usize> {
    // SAFETY: all zeros is a valid `iovec` and a valid `mmsghdr`: null pointers with lengths of 0.
    let mut pieces: [[libc::iovec; 2]; BATCH] = unsafe { mem::zeroed() };
    // SAFETY: as above.
    let mut headers: [libc::mmsghdr; BATCH] = unsafe { mem::zeroed() };
    let mut count = 0;
    for ((pieces, header), frame) in pieces.iter_mut().zip(&mut headers).zip(frames) {
        // The kernel only reads from here, whatever the pointers' types say.
        *pieces = frame
            .map(|octets| libc::iovec { iov_base: octets.as_ptr().cast_mut().cast(), iov_len: octets.len() });
        header.msg_hdr.msg_iov = pieces.as_mut_ptr();
        header.msg_hdr.msg_iovlen = pieces.len();
        count += 1;
    }
    // SAFETY: every header points to two pieces of the lengths that they state; all of them live on this stack or are borrowed until the
    // call returns, and the kernel writes to none of them.
    let sent = unsafe {
        libc::sendmmsg(
            socket.as_raw_fd(),
            headers.as_mut_ptr(),
            count,
            libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL,
        )
    };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}

impl AsFd for PacketSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Room for a batch of frames that came in.
pub(crate) struct FrameInbox {
    frames: Box<[u8]>,
    notes: Box<[[u8; NOTE_OCTETS]]>,
    lengths: Vec<usize>,
}

impl FrameInbox {
    /// Room for [`BATCH`] frames. The memory is the kernel's zero page until frames of that size come.
    pub(crate) fn new() -> Self {
        Self {
            frames: vec![0; BATCH * FRAME_OCTETS_MAX].into(),
            notes: vec![[0; NOTE_OCTETS]; BATCH].into(),
            lengths: Vec::with_capacity(BATCH),
        }
    }

    /// Takes what has come, up to a batch; never waits. How many there are; 0 if there is none.
    ///
    /// # Errors
    /// The socket's own: the interface went down. That there is nothing is none.
    pub(crate) fn receive(&mut self, socket: &PacketSocket) -> io::Result<usize> {
        self.lengths.clear();
        // SAFETY: all zeros is a valid `iovec` and a valid `mmsghdr`: null pointers with lengths of 0.
        let mut pieces: [[libc::iovec; 2]; BATCH] = unsafe { mem::zeroed() };
        // SAFETY: as above.
        let mut headers: [libc::mmsghdr; BATCH] = unsafe { mem::zeroed() };
        let rooms = self.frames.chunks_exact_mut(FRAME_OCTETS_MAX).zip(&mut self.notes);
        for ((pieces, header), (frame, note)) in pieces.iter_mut().zip(&mut headers).zip(rooms) {
            *pieces = [note.as_mut_slice(), frame]
                .map(|octets| libc::iovec { iov_base: octets.as_mut_ptr().cast(), iov_len: octets.len() });
            header.msg_hdr.msg_iov = pieces.as_mut_ptr();
            header.msg_hdr.msg_iovlen = pieces.len();
        }
        // SAFETY: every header points to two pieces of the lengths that they state, in `self`, on this stack until the call returns.
        let count = unsafe {
            libc::recvmmsg(
                socket.0.as_raw_fd(),
                headers.as_mut_ptr(),
                BATCH as u32,
                libc::MSG_DONTWAIT,
                ptr::null_mut(),
            )
        };
        if count < 0 {
            let error = io::Error::last_os_error();
            return if error.kind() == io::ErrorKind::WouldBlock { Ok(0) } else { Err(error) };
        }
        let count = usize::try_from(count).expect("it is not negative");
        let octets = |header: &libc::mmsghdr| usize::try_from(header.msg_len).expect("a frame's length fits");
        self.lengths
            .extend(headers.iter().take(count).map(|header| octets(header).saturating_sub(NOTE_OCTETS)));
        Ok(count)
    }

    /// The frames that [`FrameInbox::receive`] took, in their order; with how many octets of UDP payload each piece has, if it is to be cut.
    pub(crate) fn frames(&self) -> impl Iterator<Item = (&[u8], Option<usize>)> {
        let rooms = self.frames.chunks_exact(FRAME_OCTETS_MAX).zip(&self.notes);
        self.lengths.iter().zip(rooms).map(|(octets, (frame, note))| {
            let piece = u16::from_ne_bytes([note[NOTE_PIECE], note[NOTE_PIECE + 1]]);
            let cut = note[1] != 0 && piece != 0;
            (frame.get(..*octets).unwrap_or(frame), cut.then_some(usize::from(piece)))
        })
    }
}

/// A program for the kernel's packet filter: ARP, and IPv4 with UDP in it.
fn arp_and_udp() -> [SockFilter; 7] {
    const LOAD_HALF_WORD: u16 = 0x28;
    const LOAD_OCTET: u16 = 0x30;
    const JUMP_IF_EQUAL: u16 = 0x15;
    const RETURN: u16 = 0x06;
    let step = SockFilter::new;
    [
        step(LOAD_HALF_WORD, 0, 0, 12),
        step(JUMP_IF_EQUAL, 3, 0, 0x0806),
        step(JUMP_IF_EQUAL, 0, 3, 0x0800),
        step(LOAD_OCTET, 0, 0, 23),
        step(JUMP_IF_EQUAL, 0, 1, 17),
        step(RETURN, 0, 0, u32::MAX),
        step(RETURN, 0, 0, 0),
    ]
}

fn set<T>(socket: &Socket, option: libc::c_int, value: &T) -> io::Result<()> {
    // SAFETY: the value lives until the call returns, which reads no more than its octets.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_PACKET,
            option,
            ptr::from_ref(value).cast(),
            size_of::<T>() as libc::socklen_t,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
