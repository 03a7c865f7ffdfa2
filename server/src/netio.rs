//! Datagrams in batches, with the address and the interface they came by: what the safe crates do not offer.
//!
//! Nothing here waits, and nothing allocates after the start.
#![allow(unsafe_code)]

mod outbox;
pub(crate) mod packet;
mod room;

pub(crate) use outbox::{Batch, Outbox, segments_max};
pub(crate) use room::{receive_room, send_room};

use heorot_core::limit::STREAM_UNREAD_OCTETS;
use socket2::SockAddr;
use std::io;
use std::mem::{self, MaybeUninit};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

/// Datagrams taken or given in one system call. Enough to make the call cheap, few enough that other sockets get their turn within a millisecond or two.
pub(crate) const BATCH: usize = 64;

/// Octets of the largest UDP payload. Larger buffers than any honest client needs, so that the machines see how wrong a wrong datagram is.
const PAYLOAD_OCTETS_MAX: usize = 65_507;

/// Octets for control messages: `in_pktinfo` needs 32 with its header.
const CONTROL_OCTETS: usize = 128;

/// What a TCP socket has of octets that its peer has not acknowledged, sent or not.
pub(crate) fn queued(socket: BorrowedFd<'_>) -> io::Result<u64> {
    let mut octets: libc::c_int = 0;
    // SAFETY: SIOCOUTQ (tcp(7)) writes an int, and there is room for one.
    if unsafe { libc::ioctl(socket.as_raw_fd(), libc::TIOCOUTQ, &raw mut octets) } < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(u64::try_from(octets).unwrap_or(0))
}

/// What a TCP socket has of octets that it has never sent.
fn unsent(socket: BorrowedFd<'_>) -> io::Result<u64> {
    /// include/uapi/linux/sockios.h
    const SIOCOUTQNSD: libc::Ioctl = 0x894B;
    let mut octets: libc::c_int = 0;
    // SAFETY: SIOCOUTQNSD writes an int, and there is room for one.
    if unsafe { libc::ioctl(socket.as_raw_fd(), SIOCOUTQNSD, &raw mut octets) } < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(u64::try_from(octets).unwrap_or(0))
}

/// Whether a TCP socket has something to send and nothing under way, or no more than fills the last of its peer's room: its peer takes nothing. In one that `is_corked` a last segment that is not
/// full waits for more of its own kind (TCP_CORK, tcp(7)), whatever its peer does.
pub(crate) fn stands_still(socket: BorrowedFd<'_>, is_corked: bool, taking: &Taking) -> bool {
    /// Of the largest usual frame.
    const SEGMENT_OCTETS_MAX: u64 = 9000;
    let (Ok(queued), Ok(unsent)) = (queued(socket), unsent(socket)) else { return false };
    let is_held_back = unsent > if is_corked { SEGMENT_OCTETS_MAX } else { 0 };
    is_held_back && (unsent == queued || taking.fills_up(queued.saturating_sub(unsent)))
}

/// What a kernel knows of how a TCP socket's peer takes what is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Taking {
    /// Segments that were ever sent again.
    pub(crate) resent: u32,
    /// Octets that it has ever acknowledged.
    acknowledged: u64,
    /// Octets that it says it has room for, and the most that it ever did when this was asked. Much, where our kernel does not tell (before Linux 5.4).
    window: u32,
    window_most: u32,
    segment_octets: u32,
}

impl Taking {
    /// What it is now, where this was before.
    pub(crate) fn again(self, socket: BorrowedFd<'_>) -> Self {
        let now = taking(socket).unwrap_or(self);
        Self { window_most: self.window_most.max(now.window), ..now }
    }

    /// Whether nobody reads what it takes, and so many octets that are under way fill the room that is left. Its kernel says so late (40 ms after they came in Linux; RFC 1122 4.2.3.2 allows 500),
    /// and again a little later, while ours repeats the last of it (RFC 8985 7). Of who reads the room stays what it was, however slow the link is; who only stops for a moment is told from others
    /// by what he has taken before.
    fn fills_up(&self, under_way: u64) -> bool {
        self.acknowledged <= STREAM_UNREAD_OCTETS
            && self.window < self.window_most / 2
            && under_way + u64::from(self.segment_octets) > u64::from(self.window)
    }
}

/// How a TCP socket's peer takes what is sent. To ask for it costs several times what [`queued`] does.
pub(crate) fn taking(socket: BorrowedFd<'_>) -> io::Result<Taking> {
    // SAFETY: a tcp_info of zeros is one.
    let mut info: libc::tcp_info = unsafe { mem::zeroed() };
    let mut length = libc::socklen_t::try_from(size_of_val(&info)).expect("it is some hundred octets");
    // SAFETY: the kernel writes no more than `length` octets, which is the room there is.
    let result = unsafe {
        let info = (&raw mut info).cast();
        libc::getsockopt(socket.as_raw_fd(), libc::IPPROTO_TCP, libc::TCP_INFO, info, &raw mut length)
    };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    let is_told = length as usize >= mem::offset_of!(libc::tcp_info, tcpi_snd_wnd) + size_of::<u32>();
    let window = if is_told { info.tcpi_snd_wnd } else { u32::MAX };
    Ok(Taking {
        resent: info.tcpi_total_retrans,
        acknowledged: info.tcpi_bytes_acked,
        window,
        window_most: window,
        segment_octets: info.tcpi_snd_mss,
    })
}

/// Control messages as the kernel wants them: aligned like their headers.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
struct Control([u8; CONTROL_OCTETS]);

/// Room for a batch of datagrams that came in.
pub(crate) struct Inbox {
    payloads: Vec<u8>,
    /// Octets that each of them has room for.
    room_octets: usize,
    peers: Vec<Peer>,
    /// Headers that point to all of these, made once: to make them costs as much as a call for a datagram or two.
    headers: Vec<libc::mmsghdr>,
    // The headers point to these.
    _controls: Vec<Control>,
    _pieces: Vec<libc::iovec>,
    received: Vec<Envelope>,
}

/// All about a datagram but its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Envelope {
    /// Who sent it.
    pub(crate) source: SocketAddrV4,
    /// Where it was sent to, as its header says: our address, or a broadcast address.
    pub(crate) destination: Ipv4Addr,
    /// Our address by which an answer is to be sent; the same as `destination` unless that is a broadcast address.
    pub(crate) local: Ipv4Addr,
    /// The kernel's number of the interface it came by.
    pub(crate) interface: u32,
    octets: usize,
}

impl Inbox {
    /// Room for [`BATCH`] datagrams. The memory is the kernel's zero page until datagrams of that size come.
    pub(crate) fn new() -> Self {
        Self::with_room(PAYLOAD_OCTETS_MAX)
    }

    /// The same for payloads of at most so many octets: what is longer is cut off. Rooms that are close together are faster to get at.
    pub(crate) fn with_room(room_octets: usize) -> Self {
        let mut payloads: Vec<u8> = vec![0; BATCH * room_octets];
        let mut controls: Vec<Control> = vec![Control([0; CONTROL_OCTETS]); BATCH];
        let mut peers: Vec<Peer> = vec![Peer::NOBODY; BATCH];
        let rooms = payloads.chunks_exact_mut(room_octets);
        let mut pieces: Vec<libc::iovec> = rooms
            .map(|room| libc::iovec { iov_base: room.as_mut_ptr().cast(), iov_len: room.len() })
            .collect();
        let places = pieces.iter_mut().zip(&mut controls).zip(&mut peers);
        let headers = places.map(|((piece, control), peer)| {
            // SAFETY: all zeros is a valid `mmsghdr`: null pointers with lengths of 0.
            let mut header: libc::mmsghdr = unsafe { mem::zeroed() };
            header.msg_hdr.msg_name = ptr::from_mut(peer).cast();
            header.msg_hdr.msg_iov = piece;
            header.msg_hdr.msg_iovlen = 1;
            header.msg_hdr.msg_control = ptr::from_mut(control).cast();
            make_room(&mut header);
            header
        });
        let headers = headers.collect();
        Self {
            payloads,
            room_octets,
            peers,
            headers,
            _controls: controls,
            _pieces: pieces,
            received: Vec::with_capacity(BATCH),
        }
    }

    /// Takes what has come, up to a batch; never waits. How many there are; 0 if there is none.
    ///
    /// # Errors
    /// The socket's own; that there is nothing is none.
    pub(crate) fn receive(&mut self, socket: BorrowedFd<'_>) -> io::Result<usize> {
        // The kernel has written the real lengths into those that it used last.
        self.headers.iter_mut().take(self.received.len()).for_each(make_room);
        self.received.clear();
        // SAFETY: every header points to one piece, one address and one control buffer, each of the length that it states. All of them live
        // in vectors of `self` that never grow, so that they stay where they are, and nobody else touches them during the call.
        let count = unsafe {
            libc::recvmmsg(
                socket.as_raw_fd(),
                self.headers.as_mut_ptr(),
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
        for (header, peer) in self.headers.iter().zip(self.peers.iter()).take(count) {
            self.received.push(envelope(header, peer));
        }
        Ok(count)
    }

    /// Whether [`Inbox::receive`] took as many as there is room for: there may be more.
    pub(crate) fn is_full(&self) -> bool {
        self.received.len() == BATCH
    }

    /// The same with who sent them, for a socket of either family that is bound to the address that it serves.
    pub(crate) fn senders(&self) -> impl Iterator<Item = (SocketAddr, &[u8])> {
        self.datagrams().zip(&self.peers).map(|((_, payload), peer)| (peer.address(), payload))
    }

    /// The datagrams that [`Inbox::receive`] took, in their order.
    pub(crate) fn datagrams(&self) -> impl Iterator<Item = (Envelope, &[u8])> {
        self.received.iter().zip(self.payloads.chunks_exact(self.room_octets)).map(|(envelope, room)| {
            (*envelope, room.get(..envelope.octets).expect("the kernel wrote no more than the room holds"))
        })
    }
}

/// Room for the address of a peer of either family.
#[repr(C)]
#[derive(Clone, Copy)]
union Peer {
    ipv4: libc::sockaddr_in,
    ipv6: libc::sockaddr_in6,
}

impl Peer {
    // SAFETY: all zeros are valid addresses: they are integers only.
    const NOBODY: Self = Self { ipv6: unsafe { mem::zeroed() } };

    /// The address, and how many octets of it count.
    fn of(address: SocketAddr) -> (Self, libc::socklen_t) {
        let mut peer = Self::NOBODY;
        match address {
            SocketAddr::V4(address) => {
                peer.ipv4 = socket_address(address);
                (peer, size_of::<libc::sockaddr_in>() as libc::socklen_t)
            }
            SocketAddr::V6(address) => {
                peer.ipv6 = libc::sockaddr_in6 {
                    sin6_family: libc::AF_INET6 as u16,
                    sin6_port: address.port().to_be(),
                    sin6_flowinfo: address.flowinfo(),
                    sin6_addr: libc::in6_addr { s6_addr: address.ip().octets() },
                    sin6_scope_id: address.scope_id(),
                };
                (peer, size_of::<libc::sockaddr_in6>() as libc::socklen_t)
            }
        }
    }

    fn address(&self) -> SocketAddr {
        // SAFETY: both are integers only, begin with the family, and are valid whatever they hold.
        let (ipv4, ipv6) = unsafe { (self.ipv4, self.ipv6) };
        if libc::c_int::from(ipv4.sin_family) == libc::AF_INET6 {
            let address = Ipv6Addr::from(ipv6.sin6_addr.s6_addr);
            let port = u16::from_be(ipv6.sin6_port);
            return SocketAddrV6::new(address, port, ipv6.sin6_flowinfo, ipv6.sin6_scope_id).into();
        }
        let address = Ipv4Addr::from(u32::from_be(ipv4.sin_addr.s_addr));
        SocketAddrV4::new(address, u16::from_be(ipv4.sin_port)).into()
    }
}

/// Reads what the kernel wrote around a datagram.
fn envelope(message: &libc::mmsghdr, peer: &Peer) -> Envelope {
    let mut envelope = Envelope {
        source: match peer.address() {
            SocketAddr::V4(source) => source,
            // Only [`Inbox::senders`] tells of such.
            SocketAddr::V6(_) => SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0),
        },
        destination: Ipv4Addr::UNSPECIFIED,
        local: Ipv4Addr::UNSPECIFIED,
        interface: 0,
        octets: usize::try_from(message.msg_len).expect("a datagram's length fits"),
    };
    // SAFETY: the kernel has filled in the header and its control buffer, which is still alive and not borrowed elsewhere.
    let mut control = unsafe { libc::CMSG_FIRSTHDR(&raw const message.msg_hdr) };
    while !control.is_null() {
        // SAFETY: CMSG_FIRSTHDR and CMSG_NXTHDR give null or a header that lies whole in the buffer.
        let (level, kind) = unsafe { ((*control).cmsg_level, (*control).cmsg_type) };
        // SAFETY: as above; the data follows the header.
        let data = unsafe { libc::CMSG_DATA(control) };
        if (level, kind) == (libc::IPPROTO_IP, libc::IP_PKTINFO) {
            // SAFETY: a message of this type carries a whole `in_pktinfo`; it may be unaligned.
            let info: libc::in_pktinfo = unsafe { ptr::read_unaligned(data.cast()) };
            envelope.destination = Ipv4Addr::from(u32::from_be(info.ipi_addr.s_addr));
            envelope.local = Ipv4Addr::from(u32::from_be(info.ipi_spec_dst.s_addr));
            envelope.interface = u32::try_from(info.ipi_ifindex).unwrap_or(0);
        }
        // SAFETY: `control` is a header of this message.
        control = unsafe { libc::CMSG_NXTHDR(&raw const message.msg_hdr, control) };
    }
    envelope
}

/// States how much room address and control messages have.
fn make_room(header: &mut libc::mmsghdr) {
    header.msg_hdr.msg_namelen = size_of::<Peer>() as libc::socklen_t;
    header.msg_hdr.msg_controllen = CONTROL_OCTETS;
}

/// How many datagrams a socket has dropped since it was made, because it was full. It is asked for: a count that comes with datagrams (SO_RXQ_OVFL) says nothing
/// of the last ones of a storm until the next one. The kernel has told it of every socket since Linux 4.12.
pub(crate) fn dropped(socket: BorrowedFd<'_>) -> u64 {
    const PLACES: usize = libc::SK_MEMINFO_DROPS as usize + 1;
    let mut information = [0_u32; PLACES];
    let mut octets = size_of_val(&information) as libc::socklen_t;
    // SAFETY: the kernel writes at most the stated octets, integers, into an array of just these.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_MEMINFO,
            (&raw mut information).cast(),
            &raw mut octets,
        )
    };
    if result == 0 { information[PLACES - 1].into() } else { 0 }
}

/// The address of an interface for a packet socket that gets frames of this Ethernet type; of 0, it only sends.
pub(crate) fn link_address(interface: u32, frame_type: u16) -> io::Result<SockAddr> {
    let address = libc::sockaddr_ll {
        sll_family: libc::AF_PACKET as u16,
        sll_protocol: frame_type.to_be(),
        sll_ifindex: i32::try_from(interface).map_err(|_| io::ErrorKind::InvalidInput)?,
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: 0,
        sll_addr: [0; 8],
    };
    // SAFETY: the storage is larger than a `sockaddr_ll`, which is written whole, with its length.
    let ((), address) = unsafe {
        SockAddr::try_init(|storage, length| {
            storage.cast::<libc::sockaddr_ll>().write(address);
            *length = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
            Ok(())
        })?
    };
    Ok(address)
}

/// Lets the kernel fragment what is longer than the way: without DF, whatever ICMP says. Firmware that asks for blocks over its MTU gets fragments, as it expects.
///
/// # Errors
/// The kernel's.
pub(crate) fn never_set_df(socket: BorrowedFd<'_>) -> io::Result<()> {
    let value: libc::c_int = libc::IP_PMTUDISC_DONT;
    // SAFETY: the option takes one c_int, which lives until the call returns.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_IP,
            libc::IP_MTU_DISCOVER,
            (&raw const value).cast(),
            size_of_val(&value) as libc::socklen_t,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn socket_address(address: SocketAddrV4) -> libc::sockaddr_in {
    // SAFETY: all zeros is a valid `sockaddr_in`.
    let mut result: libc::sockaddr_in = unsafe { MaybeUninit::zeroed().assume_init() };
    result.sin_family = libc::AF_INET as u16;
    result.sin_port = address.port().to_be();
    result.sin_addr.s_addr = u32::from(*address.ip()).to_be();
    result
}

#[cfg(test)]
mod tests;
