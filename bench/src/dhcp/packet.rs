//! DHCP as UEFI firmware speaks it: whole frames, made by writing into a form what differs from host to host.

use heorot_agent::frame::{Datagram, Mac};
use std::net::{Ipv4Addr, SocketAddrV4};

/// Octets before the DHCP packet: headers of Ethernet, IPv4 without options, and UDP.
const HEADER_OCTETS: usize = 14 + 20 + 8;
/// Where in a frame the sender's hardware address stands, and the check sum of UDP.
const SENDER: usize = 6;
const UDP_SUM: usize = HEADER_OCTETS - 2;
/// Where in a DHCP packet things stand (RFC 2131 2).
const XID: usize = HEADER_OCTETS + 4;
const YIADDR: usize = HEADER_OCTETS + 16;
const CHADDR: usize = HEADER_OCTETS + 28;
const COOKIE: usize = HEADER_OCTETS + 236;
const OPTIONS: usize = HEADER_OCTETS + 240;
const MAGIC: [u8; 4] = [99, 130, 83, 99];

/// What a packet of the server's says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// To which host.
    pub(super) host: u32,
    /// In which exchange.
    pub(super) xid: u32,
    pub(super) kind: Kind,
    /// The address that is offered or granted.
    pub(super) address: Ipv4Addr,
    /// The server's identifier.
    pub(super) server: [u8; 4],
}

/// The kinds of answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Offer,
    Ack,
    Nak,
}

/// The two packets of a client.
#[derive(Debug)]
pub(super) struct Forms {
    discover: Vec<u8>,
    request: Vec<u8>,
}

impl Forms {
    /// As EDK2's PXE client was recorded: with its broadcast flag, so that no server needs to know where the host is.
    pub(super) fn new() -> Self {
        // Type and what is asked for come first, so that they stand at known places.
        let discover = frame(&[(53, &[1])]);
        let request = frame(&[(53, &[3]), (50, &[0; 4]), (54, &[0; 4])]);
        Self { discover, request }
    }

    pub(super) fn discover(&self, host: u32, xid: u32) -> Vec<u8> {
        filled(&self.discover, host, xid)
    }

    pub(super) fn request(&self, host: u32, xid: u32, address: Ipv4Addr, server: [u8; 4]) -> Vec<u8> {
        let mut frame = filled(&self.request, host, xid);
        let (requested, identifier) = (OPTIONS + 3 + 2, OPTIONS + 3 + 6 + 2);
        frame[requested..requested + 4].copy_from_slice(&address.octets());
        frame[identifier..identifier + 4].copy_from_slice(&server);
        frame
    }
}

/// The hardware address of a host.
pub(super) fn mac(host: u32) -> Mac {
    let [_, a, b, c] = host.to_be_bytes();
    Mac([2, 0x77, 0, a, b, c])
}

/// Reads a frame of the server's; none if it is anything else.
pub(super) fn read(frame: &[u8]) -> Option<Answer> {
    let packet = frame.get(..OPTIONS)?;
    let is_ours = packet[12..15] == [8, 0, 0x45] && packet[36..38] == [0, 68] && packet[HEADER_OCTETS] == 2;
    let prefix = mac(0).0;
    if !is_ours || packet[COOKIE..] != MAGIC || packet[CHADDR..CHADDR + 3] != prefix[..3] {
        return None;
    }
    let word = |at: usize| packet[at..].first_chunk::<4>().copied().unwrap_or_default();
    let [_, a, b, c] = word(CHADDR + 2);
    let (mut kind, mut server) = (None, [0; 4]);
    let mut rest = frame.get(OPTIONS..)?;
    while let [code, length, tail @ ..] = rest {
        if *code == 0 {
            rest = &rest[1..];
            continue;
        }
        if *code == 255 {
            break;
        }
        let (value, tail) = tail.split_at_checked(usize::from(*length))?;
        match (code, value) {
            (53, [2]) => kind = Some(Kind::Offer),
            (53, [5]) => kind = Some(Kind::Ack),
            (53, [6]) => kind = Some(Kind::Nak),
            (54, value) => server = value.try_into().ok()?,
            _ => {}
        }
        rest = tail;
    }
    Some(Answer {
        host: u32::from_be_bytes([0, a, b, c]),
        xid: u32::from_be_bytes(word(XID)),
        kind: kind?,
        address: word(YIADDR).into(),
        server,
    })
}

fn filled(form: &[u8], host: u32, xid: u32) -> Vec<u8> {
    let (mut frame, mac) = (form.to_vec(), mac(host));
    frame[SENDER..SENDER + 6].copy_from_slice(&mac.0);
    frame[CHADDR..CHADDR + 6].copy_from_slice(&mac.0);
    frame[XID..XID + 4].copy_from_slice(&xid.to_be_bytes());
    // A machine's UUID ends in its hardware address, as QEMU's does. It stands at the end of the packet, before the end option.
    let end = frame.len() - 1;
    frame[end - 6..end].copy_from_slice(&mac.0);
    frame
}

/// A frame to everybody: with these options first, and then what every packet of this firmware has.
fn frame(first: &[(u8, &[u8])]) -> Vec<u8> {
    const ASKED: [u8; 35] = [
        1, 2, 3, 4, 5, 6, 12, 13, 15, 17, 18, 22, 23, 28, 40, 41, 42, 43, 50, 51, 54, 58, 59, 60, 66, 67, 97,
        128, 129, 130, 131, 132, 133, 134, 135,
    ];
    let further: [(u8, &[u8]); 6] = [
        (57, &[5, 192]),
        (55, &ASKED),
        (94, &[1, 3, 3]),
        (93, &[0, 7]),
        (60, b"PXEClient:Arch:00007:UNDI:003003"),
        (97, &[0; 17]),
    ];
    let mut payload = vec![0; OPTIONS - HEADER_OCTETS];
    payload[..3].copy_from_slice(&[1, 1, 6]);
    payload[10] = 0x80; // the broadcast flag
    payload[COOKIE - HEADER_OCTETS..].copy_from_slice(&MAGIC);
    for (code, value) in first.iter().chain(&further) {
        payload.extend([*code, u8::try_from(value.len()).expect("no value is long")]);
        payload.extend(*value);
    }
    payload.push(255);
    let mut frame = Datagram {
        source_mac: mac(0),
        destination_mac: Mac::BROADCAST,
        source: SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 68),
        destination: SocketAddrV4::new(Ipv4Addr::BROADCAST, 67),
        payload: &payload,
    }
    .encode();
    // RFC 768: zero says that there is no check sum. It would differ from host to host.
    frame[UDP_SUM..HEADER_OCTETS].fill(0);
    frame
}

#[cfg(test)]
mod tests;
