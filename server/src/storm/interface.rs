//! Which interface a storm may be let loose on.
//!
//! A thousand machines that switch on at once take a production network down, and its DHCP server's leases with it. So only what leads nowhere else by its
//! nature is taken without a further word: the loopback, and a virtual cable (veth) that is not this host's way out.

use crate::neighbour::{Messages, attributes, u32_at};
use crate::problem::{Problem, problem};
use socket2::{Domain, Protocol, Socket, Type};
use std::io::{self, Read};
use std::time::Duration;

/// `IFLA_LINKINFO` of linux/if_link.h, in which `IFLA_INFO_KIND` is.
const IFLA_LINKINFO: u16 = 18;
/// `IFLA_INFO_KIND`: `veth`, `bridge`, ...; hardware has none.
const IFLA_INFO_KIND: u16 = 1;
/// `NLA_TYPE_MASK`: the rest are flags.
const TYPE_MASK: u16 = 0x3fff;
/// Octets of `ifinfomsg`.
const HEADER_OCTETS: usize = 16;
/// Octets of one interface's description: those with many virtual functions take more, and are hardware.
const RECEIVE_OCTETS: usize = 64 << 10;
/// The kernel answers within the system call.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);

/// What the kernel knows of an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) is_loopback: bool,
    pub(super) is_up: bool,
    /// None: it is hardware, or what looks like it.
    pub(super) kind: Option<String>,
}

/// The kernel's number of an interface on which a storm is allowed.
///
/// # Errors
/// It is not there, is down, or may lead to somebody's network; with what to do.
pub(super) fn admit(name: &str, is_sure: bool) -> Result<u32, Problem> {
    let index = nix::net::if_::if_nametoindex(name).map_err(|_| {
        problem!(
            "there is no interface {name} in this network namespace\n  see those there are: ip -brief link"
        )
    })?;
    let known = ask(index).map_err(|e| problem!("the kernel does not tell about {name}: {e}"))?;
    if !known.is_up {
        return Err(problem!("{name} is down\n  ip link set {name} up"));
    }
    let routes = std::fs::read_to_string("/proc/thread-self/net/route").unwrap_or_default();
    match objection(name, &known, &routes).filter(|_| !is_sure) {
        None => Ok(index),
        Some(why) => Err(problem!(
            "no storm on {name}: {why}\n  a storm is thousands of machines that ask at once: every DHCP server on that network will answer them, and its leases may run out\n  \
             try it in a network namespace, or say --yes-this-network if this one is there for that"
        )),
    }
}

/// Why a storm may do harm there.
fn objection(name: &str, known: &Known, routes: &str) -> Option<String> {
    if known.is_loopback {
        return None;
    }
    match known.kind.as_deref() {
        // A container's way to the world is such a cable, too.
        Some("veth") if is_way_out(name, routes) => {
            Some("this host's default route leaves by it, so it leads to a network that is in use".into())
        }
        Some("veth") => None,
        Some(kind) => Some(format!("it is a {kind}, and may lead to a network that is in use")),
        None => Some("it is no virtual cable (veth), and leads to a network that is in use".into()),
    }
}

/// Whether a default route leaves by an interface, in the words of /proc/net/route.
fn is_way_out(name: &str, routes: &str) -> bool {
    routes.lines().any(|line| {
        let mut words = line.split_whitespace();
        words.next() == Some(name) && words.next() == Some("00000000")
    })
}

fn ask(index: u32) -> io::Result<Known> {
    let socket = Socket::new(
        Domain::from(libc::AF_NETLINK),
        Type::RAW.cloexec(),
        Some(Protocol::from(libc::NETLINK_ROUTE)),
    )?;
    socket.set_read_timeout(Some(ANSWER_WITHIN))?;
    let octets = u32::try_from(16 + HEADER_OCTETS).expect("it is 32");
    let mut request = Vec::new();
    request.extend(octets.to_ne_bytes());
    request.extend(libc::RTM_GETLINK.to_ne_bytes());
    request.extend(u16::try_from(libc::NLM_F_REQUEST).expect("it is 1").to_ne_bytes());
    request.extend([0; 8]); // neither number nor sender
    request.extend([0; 4]); // any family, any type
    request.extend(index.to_ne_bytes());
    request.extend([0; 8]); // no flags, no change
    socket.send(&request)?;
    let mut buffer = vec![0; RECEIVE_OCTETS];
    let octets = (&socket).read(&mut buffer)?;
    let message = Messages(buffer.get(..octets).unwrap_or_default()).next();
    let message = message.filter(|message| message.kind == libc::RTM_NEWLINK);
    message.and_then(|message| understand(message.body)).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// Reads the body of an RTM_NEWLINK.
fn understand(body: &[u8]) -> Option<Known> {
    let flags = i32::from_ne_bytes(u32_at(body, 8)?.to_ne_bytes());
    let find = |octets, wanted| attributes(octets).find(|(kind, _)| kind & TYPE_MASK == wanted);
    let information = find(body.get(HEADER_OCTETS..)?, IFLA_LINKINFO);
    let kind = information.and_then(|(_, nested)| find(nested, IFLA_INFO_KIND));
    let text = |(_, value)| String::from_utf8_lossy(value).trim_end_matches('\0').to_owned();
    Some(Known {
        is_loopback: flags & libc::IFF_LOOPBACK != 0,
        is_up: flags & libc::IFF_UP != 0,
        kind: kind.map(text),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_is_known_and_may_be_used() {
        let index = nix::net::if_::if_nametoindex("lo").unwrap();
        let known = ask(index).unwrap();
        assert!(known.is_loopback, "{known:?}");
        assert_eq!(objection("lo", &known, ""), None);
    }

    #[test]
    fn only_what_leads_nowhere_is_taken_without_a_word() {
        const ELSEWHERE: &str =
            "Iface\tDestination\tGateway\neth0\t00000000\t01004D0A\nv0\t00004D0A\t00000000\n";
        let known =
            |kind: Option<&str>| Known { is_loopback: false, is_up: true, kind: kind.map(Into::into) };
        for (name, kind, word) in [
            ("v0", Some("veth"), None),
            ("eth0", Some("veth"), Some("default route")),
            ("eth0", None, Some("no virtual cable")),
            ("v0", None, Some("no virtual cable")),
            ("br0", Some("bridge"), Some("a bridge")),
            ("m0", Some("macvlan"), Some("a macvlan")),
        ] {
            let why = objection(name, &known(kind), ELSEWHERE);
            assert_eq!(why.is_some(), word.is_some(), "{name} {kind:?}: {why:?}");
            assert!(word.is_none_or(|word| why.clone().unwrap().contains(word)), "{name} {kind:?}: {why:?}");
        }
    }

    #[test]
    fn an_interface_that_is_not_there_is_named() {
        let problem = admit("no-such-if", true).unwrap_err().to_string();
        assert!(problem.contains("no-such-if") && problem.contains("ip -brief link"), "{problem}");
    }
}
