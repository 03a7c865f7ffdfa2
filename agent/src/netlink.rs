//! The few requests of rtnetlink(7) that configure one interface.

use nix::sys::socket::{AddressFamily, SockFlag, SockProtocol, SockType, socket};
use nix::unistd::{read, write};
use std::io;
use std::net::Ipv4Addr;

/// Sets an interface up, and its greatest packet in bytes if one is given.
///
/// # Errors
/// What the kernel answered.
pub fn link_up(interface: u32, mtu: Option<u16>) -> io::Result<()> {
    let mut message = Message::new(RTM_NEWLINK, 0);
    message.put(&[AF_UNSPEC, 0, 0, 0]);
    message.put(&interface.to_ne_bytes());
    message.put(&IFF_UP.to_ne_bytes());
    message.put(&IFF_UP.to_ne_bytes());
    if let Some(mtu) = mtu {
        message.attribute(IFLA_MTU, &u32::from(mtu).to_ne_bytes());
    }
    message.ask()
}

/// Adds an address with its prefix (and with it the route to its network).
///
/// # Errors
/// What the kernel answered; an address that is there already is no error.
pub fn add_address(interface: u32, address: Ipv4Addr, prefix: u8) -> io::Result<()> {
    let mut message = address_message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, interface, address, prefix);
    let host_bits = u32::MAX.checked_shr(u32::from(prefix)).unwrap_or(0);
    if prefix < 31 {
        message.attribute(IFA_BROADCAST, &(address.to_bits() | host_bits).to_be_bytes());
    }
    message.ask()
}

/// Removes an address.
///
/// # Errors
/// What the kernel answered.
pub fn remove_address(interface: u32, address: Ipv4Addr, prefix: u8) -> io::Result<()> {
    address_message(RTM_DELADDR, 0, interface, address, prefix).ask()
}

/// Sends everything that has no nearer route to `gateway`.
///
/// # Errors
/// What the kernel answered.
pub fn default_route(interface: u32, gateway: Ipv4Addr) -> io::Result<()> {
    let mut message = Message::new(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE);
    message.put(&[AF_INET, 0, 0, 0, RT_TABLE_MAIN, RTPROT_DHCP, RT_SCOPE_UNIVERSE, RTN_UNICAST]);
    message.put(&0_u32.to_ne_bytes());
    message.attribute(RTA_GATEWAY, &gateway.octets());
    message.attribute(RTA_OIF, &interface.to_ne_bytes());
    message.ask()
}

fn address_message(kind: u16, flags: u16, interface: u32, address: Ipv4Addr, prefix: u8) -> Message {
    let mut message = Message::new(kind, flags);
    message.put(&[AF_INET, prefix, 0, RT_SCOPE_UNIVERSE]);
    message.put(&interface.to_ne_bytes());
    message.attribute(IFA_LOCAL, &address.octets());
    message.attribute(IFA_ADDRESS, &address.octets());
    message
}

/// One request in the making: `nlmsghdr`, the family's own header, attributes.
struct Message(Vec<u8>);

impl Message {
    fn new(kind: u16, flags: u16) -> Self {
        let mut bytes = vec![0; HEADER];
        bytes[4..6].copy_from_slice(&kind.to_ne_bytes());
        bytes[6..8].copy_from_slice(&(NLM_F_REQUEST | NLM_F_ACK | flags).to_ne_bytes());
        Self(bytes)
    }

    fn put(&mut self, bytes: &[u8]) {
        self.0.extend(bytes);
    }

    /// All values here are four bytes or a multiple of it, so that no padding is due.
    fn attribute(&mut self, kind: u16, value: &[u8]) {
        self.put(&(4 + value.len() as u16).to_ne_bytes());
        self.put(&kind.to_ne_bytes());
        self.put(value);
    }

    fn ask(mut self) -> io::Result<()> {
        let length = self.0.len() as u32;
        self.0[0..4].copy_from_slice(&length.to_ne_bytes());
        let socket = socket(
            AddressFamily::Netlink,
            SockType::Raw,
            SockFlag::SOCK_CLOEXEC,
            SockProtocol::NetlinkRoute,
        )?;
        write(&socket, &self.0)?;
        let mut answer = [0; 4096];
        let length = read(&socket, &mut answer)?;
        // The answer is an error message, and a code of 0 in it is the acknowledgement.
        match answer[..length]
            .get(HEADER..HEADER + 4)
            .and_then(|code| code.try_into().ok())
            .map(i32::from_ne_bytes)
        {
            Some(0) => Ok(()),
            Some(code) => Err(io::Error::from_raw_os_error(-code)),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

const HEADER: usize = 16;
const AF_UNSPEC: u8 = 0;
const AF_INET: u8 = 2;
const RTM_NEWLINK: u16 = 16;
const RTM_NEWADDR: u16 = 20;
const RTM_DELADDR: u16 = 21;
const RTM_NEWROUTE: u16 = 24;
const NLM_F_REQUEST: u16 = 0x1;
const NLM_F_ACK: u16 = 0x4;
const NLM_F_REPLACE: u16 = 0x100;
const NLM_F_CREATE: u16 = 0x400;
const IFF_UP: u32 = 1;
const IFLA_MTU: u16 = 4;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_BROADCAST: u16 = 4;
const RTA_OIF: u16 = 4;
const RTA_GATEWAY: u16 = 5;
const RT_TABLE_MAIN: u8 = 254;
const RTPROT_DHCP: u8 = 16;
const RT_SCOPE_UNIVERSE: u8 = 0;
const RTN_UNICAST: u8 = 1;
