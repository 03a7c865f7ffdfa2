//! Permanent neighbour entries, marked as ours, so that no ARP disturbs a machine in mid-boot and none of them outlives us.
//!
//! Netlink by hand: three messages (rtnetlink(7)). The kernel does what two of them want within the system call that sends them, and answers only what it could not do.
//! That call may take long, so that all of this is for the start, and for the thread of [`keeper`].

pub(crate) mod keeper;
pub(crate) mod threshold;

use heorot_core::mac::Mac;
use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};
use socket2::{Domain, Protocol, Socket, Type};
use std::io::{self, Read};
use std::mem::size_of;
use std::net::Ipv4Addr;
use std::time::Duration;

/// Our mark in `NDA_PROTOCOL`: 'h'. The kernel keeps it and attaches no meaning to it.
const OUR_MARK: u8 = 104;

/// `NDA_DST` of linux/neighbour.h: the address.
const NDA_DST: u16 = 1;
/// `NDA_LLADDR`: the hardware address.
const NDA_LLADDR: u16 = 2;
/// `NDA_PROTOCOL`: who set the entry.
const NDA_PROTOCOL: u16 = 12;
/// `NUD_PERMANENT`: never aged, never asked for.
const NUD_PERMANENT: u16 = 0x80;

/// Octets of `nlmsghdr`.
const MESSAGE_HEADER_OCTETS: usize = 16;
/// Octets of `ndmsg`.
const NEIGHBOUR_HEADER_OCTETS: usize = 12;

/// Octets taken at once. The kernel fills no more than 32 KiB of a dump into one buffer.
const RECEIVE_OCTETS: usize = 32 * 1024;
/// Entries of ours that are looked for at the start: as many as there can be.
const ENTRIES_MAX: usize = heorot_core::limit::PINS_MAX;
/// Buffers of a dump: bounds the time of a start on a host with a huge neighbour table.
const DUMP_BUFFERS_MAX: usize = 4096;
/// The kernel answers within the system call; this only bounds what cannot happen.
const ANSWER_WITHIN: Duration = Duration::from_millis(10);

/// Octets of requests that leave together.
const GATHERED_OCTETS_MAX: usize = 16 * 1024;

/// Sets and drops neighbour entries, together those of a moment.
#[derive(Debug)]
pub(crate) struct Neighbours {
    socket: Socket,
    /// Requests that have not left yet.
    gathered: Vec<u8>,
    buffer: Vec<u8>,
}

/// An entry that carries our mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    interface: u32,
    address: Ipv4Addr,
}

impl Neighbours {
    /// Opens the way to the kernel.
    ///
    /// # Errors
    /// The kernel's.
    pub(crate) fn open() -> io::Result<Self> {
        let socket = Socket::new(
            Domain::from(libc::AF_NETLINK),
            Type::RAW.cloexec(),
            Some(Protocol::from(libc::NETLINK_ROUTE)),
        )?;
        socket.set_read_timeout(Some(ANSWER_WITHIN))?;
        Ok(Self { socket, gathered: Vec::new(), buffer: vec![0; RECEIVE_OCTETS] })
    }

    /// Sets a permanent entry, or changes what is there, with the next [`Self::flush`].
    pub(crate) fn set(&mut self, interface: u32, address: Ipv4Addr, mac: Mac) {
        let flags = libc::NLM_F_REQUEST | libc::NLM_F_CREATE | libc::NLM_F_REPLACE;
        let mut body = neighbour_header(interface, NUD_PERMANENT);
        attribute(&mut body, NDA_DST, &address.octets());
        attribute(&mut body, NDA_LLADDR, &mac.0);
        attribute(&mut body, NDA_PROTOCOL, &[OUR_MARK]);
        self.put(libc::RTM_NEWNEIGH, flags, &body);
    }

    /// Takes an entry away, with the next [`Self::flush`]. That there is none is no error.
    pub(crate) fn drop_entry(&mut self, interface: u32, address: Ipv4Addr) {
        let mut body = neighbour_header(interface, 0);
        attribute(&mut body, NDA_DST, &address.octets());
        self.put(libc::RTM_DELNEIGH, libc::NLM_F_REQUEST, &body);
    }

    /// Whether as much has gathered as should leave together.
    pub(crate) fn is_full(&self) -> bool {
        self.gathered.len() >= GATHERED_OCTETS_MAX
    }

    /// Does what has gathered. The kernel is done with it when this returns, and has answered what it could not do.
    ///
    /// # Errors
    /// The last of the kernel's.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        if self.gathered.is_empty() {
            return Ok(());
        }
        let sent = self.socket.send(&self.gathered);
        self.gathered.clear();
        sent?;
        let mut outcome = Ok(());
        loop {
            let octets = match recv(&self.socket, self.buffer.as_mut_slice(), RecvFlags::DONTWAIT) {
                Ok((octets, _)) => octets,
                Err(Errno::AGAIN) => return outcome,
                Err(error) => return Err(error.into()),
            };
            for message in Messages(self.buffer.get(..octets).unwrap_or_default()) {
                outcome = message.refusal().map_or(outcome, Err);
            }
        }
    }

    /// Removes every entry with our mark: an earlier server's, which the cluster knows nothing of now. How many there were.
    ///
    /// # Errors
    /// The kernel's. To be called before the loop: it reads the whole table.
    pub(crate) fn remove_ours(&mut self) -> io::Result<usize> {
        let ours = self.ours()?;
        for entry in &ours {
            self.drop_entry(entry.interface, entry.address);
            if self.is_full() {
                self.flush()?;
            }
        }
        self.flush()?;
        Ok(ours.len())
    }

    fn ours(&mut self) -> io::Result<Vec<Entry>> {
        let flags = libc::NLM_F_REQUEST | libc::NLM_F_DUMP;
        self.flush()?;
        self.put(libc::RTM_GETNEIGH, flags, &neighbour_header(0, 0));
        self.socket.send(&std::mem::take(&mut self.gathered))?;
        let mut ours = Vec::new();
        for _ in 0..DUMP_BUFFERS_MAX {
            let octets = self.socket.read(&mut self.buffer)?;
            for message in Messages(self.buffer.get(..octets).unwrap_or_default()) {
                match i32::from(message.kind) {
                    libc::NLMSG_DONE => return Ok(ours),
                    libc::NLMSG_ERROR => {
                        return Err(message.error().unwrap_or_else(|| io::ErrorKind::Other.into()));
                    }
                    _ if message.kind == libc::RTM_NEWNEIGH && ours.len() < ENTRIES_MAX => {
                        ours.extend(entry_of_ours(message.body));
                    }
                    _ => {}
                }
            }
        }
        Ok(ours)
    }

    fn put(&mut self, kind: u16, flags: i32, body: &[u8]) {
        let octets = u32::try_from(MESSAGE_HEADER_OCTETS + body.len()).expect("requests are small");
        self.gathered.extend(octets.to_ne_bytes());
        self.gathered.extend(kind.to_ne_bytes());
        self.gathered.extend(u16::try_from(flags).expect("the flags have 16 bits").to_ne_bytes());
        self.gathered.extend([0; 8]); // without a number, from us to the kernel
        self.gathered.extend(body);
    }
}

/// `struct ndmsg`.
fn neighbour_header(interface: u32, state: u16) -> Vec<u8> {
    let family = u8::try_from(libc::AF_INET).expect("it is 2");
    let mut body = vec![family, 0, 0, 0];
    body.extend(interface.to_ne_bytes());
    body.extend(state.to_ne_bytes());
    body.extend([0, 0]); // no flags; the kernel sets the type
    body
}

/// Appends an attribute, padded to four octets.
fn attribute(body: &mut Vec<u8>, kind: u16, value: &[u8]) {
    let octets = u16::try_from(2 * size_of::<u16>() + value.len()).expect("attributes are small");
    body.extend(octets.to_ne_bytes());
    body.extend(kind.to_ne_bytes());
    body.extend(value);
    body.resize(body.len().next_multiple_of(4), 0);
}

/// One message from the kernel.
pub(crate) struct Message<'a> {
    pub(crate) kind: u16,
    pub(crate) body: &'a [u8],
}

impl Message<'_> {
    /// What an NLMSG_ERROR says; None: it is an acknowledgement.
    fn error(&self) -> Option<io::Error> {
        let code = self.body.first_chunk().map_or(-libc::EIO, |code| i32::from_ne_bytes(*code));
        (code != 0).then(|| io::Error::from_raw_os_error(-code))
    }

    /// What could not be done, if it is that. After the error stands the request (netlink(7)); to take away what is not there is done.
    fn refusal(&self) -> Option<io::Error> {
        if i32::from(self.kind) != libc::NLMSG_ERROR {
            return None;
        }
        let request = u16_at(self.body, size_of::<i32>() + 4);
        let is_gone = |error: &io::Error| {
            error.raw_os_error() == Some(libc::ENOENT) && request == Some(libc::RTM_DELNEIGH)
        };
        self.error().filter(|error| !is_gone(error))
    }
}

/// The messages in a buffer; ends at the first that is not whole.
pub(crate) struct Messages<'a>(pub(crate) &'a [u8]);

impl<'a> Iterator for Messages<'a> {
    type Item = Message<'a>;

    fn next(&mut self) -> Option<Message<'a>> {
        let octets = usize::try_from(u32_at(self.0, 0)?).ok()?;
        let whole = self.0.get(..octets)?;
        let message = Message { kind: u16_at(whole, 4)?, body: whole.get(MESSAGE_HEADER_OCTETS..)? };
        self.0 = self.0.get(octets.next_multiple_of(4)..).unwrap_or_default();
        Some(message)
    }
}

/// The entry in the body of an RTM_NEWNEIGH, if it is one of ours.
fn entry_of_ours(body: &[u8]) -> Option<Entry> {
    let interface = u32_at(body, 4)?;
    let (mut address, mut mark) = (None, None);
    for (kind, value) in attributes(body.get(NEIGHBOUR_HEADER_OCTETS..)?) {
        match kind {
            NDA_DST => address = value.first_chunk().map(|octets: &[u8; 4]| Ipv4Addr::from(*octets)),
            NDA_PROTOCOL => mark = value.first().copied(),
            _ => {}
        }
    }
    (mark == Some(OUR_MARK)).then_some(Entry { interface, address: address? })
}

/// The attributes in a message: what each is, and its value. Ends at the first that is not whole.
pub(crate) fn attributes(mut rest: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let octets = usize::from(u16_at(rest, 0)?);
        let found = (u16_at(rest, 2)?, rest.get(4..octets)?);
        rest = rest.get(octets.next_multiple_of(4)..).unwrap_or_default();
        Some(found)
    })
}

fn u16_at(octets: &[u8], place: usize) -> Option<u16> {
    octets.get(place..)?.first_chunk().map(|value| u16::from_ne_bytes(*value))
}

/// A number in the host's order.
pub(crate) fn u32_at(octets: &[u8], place: usize) -> Option<u32> {
    octets.get(place..)?.first_chunk().map(|value| u32::from_ne_bytes(*value))
}

#[cfg(test)]
mod tests;
