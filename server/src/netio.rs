//! Datagrams in batches, with the address and the interface they came by: what the safe crates do not offer.
//!
//! Nothing here waits, and nothing allocates after the start.
#![allow(unsafe_code)]

pub(crate) mod packet;

use socket2::SockAddr;
use std::io;
use std::mem::{self, MaybeUninit};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

/// Datagrams taken or given in one system call. Enough to make the call cheap, few enough that other sockets get their turn within a millisecond or two.
pub(crate) const BATCH: usize = 64;

/// Octets of the largest UDP payload. Larger buffers than any honest client needs, so that the machines see how wrong a wrong datagram is.
const PAYLOAD_OCTETS_MAX: usize = 65_507;

/// Octets for control messages: `in_pktinfo` needs 32 with its header.
const CONTROL_OCTETS: usize = 128;

/// Control messages as the kernel wants them: aligned like their headers.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
struct Control([u8; CONTROL_OCTETS]);

/// Room for a batch of datagrams that came in.
pub(crate) struct Inbox {
    payloads: Box<[u8]>,
    controls: Box<[Control]>,
    peers: Box<[libc::sockaddr_in]>,
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
        // SAFETY: all zeros is a valid `sockaddr_in`: it is integers only.
        let nobody: libc::sockaddr_in = unsafe { mem::zeroed() };
        Self {
            payloads: vec![0; BATCH * PAYLOAD_OCTETS_MAX].into(),
            controls: vec![Control([0; CONTROL_OCTETS]); BATCH].into(),
            peers: vec![nobody; BATCH].into(),
            received: Vec::with_capacity(BATCH),
        }
    }

    /// Takes what has come, up to a batch; never waits. How many there are; 0 if there is none.
    ///
    /// # Errors
    /// The socket's own; that there is nothing is none.
    pub(crate) fn receive(&mut self, socket: BorrowedFd<'_>) -> io::Result<usize> {
        self.received.clear();
        // SAFETY: all zeros is a valid `iovec` and a valid `mmsghdr`: null pointers with lengths of 0.
        let mut pieces: [libc::iovec; BATCH] = unsafe { mem::zeroed() };
        // SAFETY: as above.
        let mut headers: [libc::mmsghdr; BATCH] = unsafe { mem::zeroed() };
        let rooms = self.payloads.chunks_exact_mut(PAYLOAD_OCTETS_MAX);
        let places =
            pieces.iter_mut().zip(&mut headers).zip(rooms).zip(&mut self.controls).zip(&mut self.peers);
        for ((((piece, header), room), control), peer) in places {
            *piece = libc::iovec { iov_base: room.as_mut_ptr().cast(), iov_len: room.len() };
            let header = &mut header.msg_hdr;
            header.msg_name = ptr::from_mut(peer).cast();
            header.msg_namelen = socket_address_octets();
            header.msg_iov = piece;
            header.msg_iovlen = 1;
            header.msg_control = ptr::from_mut(control).cast();
            header.msg_controllen = CONTROL_OCTETS;
        }
        // SAFETY: every header points to one piece, one address and one control buffer, each of the length that it states, all of which
        // live in `self` or on this stack until the call returns.
        let count = unsafe {
            libc::recvmmsg(
                socket.as_raw_fd(),
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
        for (header, peer) in headers.iter().zip(self.peers.iter()).take(count) {
            self.received.push(envelope(header, peer));
        }
        Ok(count)
    }

    /// Whether [`Inbox::receive`] took as many as there is room for: there may be more.
    pub(crate) fn is_full(&self) -> bool {
        self.received.len() == BATCH
    }

    /// The datagrams that [`Inbox::receive`] took, in their order.
    pub(crate) fn datagrams(&self) -> impl Iterator<Item = (Envelope, &[u8])> {
        self.received.iter().zip(self.payloads.chunks_exact(PAYLOAD_OCTETS_MAX)).map(|(envelope, room)| {
            (*envelope, room.get(..envelope.octets).expect("the kernel wrote no more than the room holds"))
        })
    }
}

/// Reads what the kernel wrote around a datagram.
fn envelope(message: &libc::mmsghdr, peer: &libc::sockaddr_in) -> Envelope {
    let mut envelope = Envelope {
        source: SocketAddrV4::new(
            Ipv4Addr::from(u32::from_be(peer.sin_addr.s_addr)),
            u16::from_be(peer.sin_port),
        ),
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

/// A datagram to be sent, in up to three pieces that need not be copied together.
pub(crate) type Pieces<'a> = [&'a [u8]; 3];

/// Sends up to [`BATCH`] datagrams to one peer from one of our addresses; the kernel finds the way. How many left.
///
/// # Errors
/// The first one did not leave. If a later one does not, it is counted out, and the next call says why.
pub(crate) fn send(
    socket: BorrowedFd<'_>,
    local: Ipv4Addr,
    peer: SocketAddrV4,
    datagrams: &[Pieces<'_>],
) -> io::Result<usize> {
    let mut address = socket_address(peer);
    let mut control = Control([0; CONTROL_OCTETS]);
    // SAFETY: all zeros is a valid `iovec` and a valid `mmsghdr`: null pointers with lengths of 0.
    let mut pieces: [[libc::iovec; 3]; BATCH] = unsafe { mem::zeroed() };
    // SAFETY: as above.
    let mut headers: [libc::mmsghdr; BATCH] = unsafe { mem::zeroed() };
    let count = datagrams.len().min(BATCH);
    for ((pieces, header), datagram) in pieces.iter_mut().zip(&mut headers).zip(datagrams) {
        for (piece, octets) in pieces.iter_mut().zip(datagram) {
            // The kernel only reads from here, whatever the pointer's type says.
            *piece = libc::iovec { iov_base: octets.as_ptr().cast_mut().cast(), iov_len: octets.len() };
        }
        let header = &mut header.msg_hdr;
        header.msg_name = (&raw mut address).cast();
        header.msg_namelen = socket_address_octets();
        header.msg_iov = pieces.as_mut_ptr();
        header.msg_iovlen = pieces.len();
        header.msg_control = (&raw mut control).cast();
        header.msg_controllen = from_address(&mut control, local);
    }
    // SAFETY: every header points to an address, a control buffer and pieces of the lengths that it states; all of them live on this stack
    // or are borrowed until the call returns, and the kernel writes to none of them.
    let sent = unsafe {
        libc::sendmmsg(
            socket.as_raw_fd(),
            headers.as_mut_ptr(),
            u32::try_from(count).expect("a batch is small"),
            libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL,
        )
    };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}

/// Writes the control message that says which of our addresses to send from. Its length.
fn from_address(control: &mut Control, local: Ipv4Addr) -> usize {
    let info = libc::in_pktinfo {
        ipi_ifindex: 0,
        ipi_spec_dst: libc::in_addr { s_addr: u32::from(local).to_be() },
        ipi_addr: libc::in_addr { s_addr: 0 },
    };
    let octets = u32::try_from(size_of_val(&info)).expect("it is 12");
    // SAFETY: these two only compute lengths.
    let (whole, length) = unsafe { (libc::CMSG_SPACE(octets) as usize, libc::CMSG_LEN(octets) as usize) };
    let header: *mut libc::cmsghdr = ptr::from_mut(control).cast();
    // SAFETY: the buffer is aligned for a header and, at 128 octets, longer than the 32 of a header with an `in_pktinfo`.
    unsafe {
        (*header).cmsg_level = libc::IPPROTO_IP;
        (*header).cmsg_type = libc::IP_PKTINFO;
        (*header).cmsg_len = length;
        ptr::write_unaligned(libc::CMSG_DATA(header).cast(), info);
    }
    whole
}

/// How many datagrams a socket has dropped since it was made, because it was full. It is asked for: a count that comes with datagrams (SO_RXQ_OVFL) says nothing
/// of the last ones of a storm until the next one.
///
/// # Errors
/// The kernel's.
pub(crate) fn dropped(socket: BorrowedFd<'_>) -> io::Result<u32> {
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
    if result == 0 { Ok(information[PLACES - 1]) } else { Err(io::Error::last_os_error()) }
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

fn socket_address_octets() -> libc::socklen_t {
    size_of::<libc::sockaddr_in>() as libc::socklen_t
}

#[cfg(test)]
mod tests;
