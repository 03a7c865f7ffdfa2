//! The address of a name, for roots that another host has: one question by DNS (RFC 1035), for a node in its first minute has no
//! resolver, and a program that is linked statically has not that of its C library.

use crate::client;
use std::net::{Ipv4Addr, UdpSocket};
use std::time::Duration;

#[cfg(test)]
mod tests;

/// The address of `host`, which may be one itself, asked of these servers in turn. Names without a dot are taken in `domain`.
///
/// # Errors
/// In words, if nobody knows it.
pub fn address(host: &str, servers: &[Ipv4Addr], domain: Option<&str>) -> Result<Ipv4Addr, String> {
    if let Ok(address) = host.parse() {
        return Ok(address);
    }
    if servers.is_empty() {
        return Err(format!("{host}: DHCP names no server that could be asked for it"));
    }
    let domain = domain.filter(|_| !host.contains('.'));
    let name = domain.map_or_else(|| host.to_owned(), |domain| format!("{host}.{domain}"));
    let mut trouble = String::new();
    // Twice each: a datagram may be lost.
    for server in servers.iter().chain(servers) {
        match ask(&name, *server) {
            Ok(address) => return Ok(address),
            Err(why) => trouble = format!("{name}: {server}: {why}"),
        }
    }
    Err(trouble)
}

fn ask(name: &str, server: Ipv4Addr) -> Result<Ipv4Addr, String> {
    let id = client::random() as u16;
    let question = question(name, id).ok_or("no name that can be asked for")?;
    let exchange = || {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        socket.set_read_timeout(Some(PATIENCE))?;
        // Connected: nobody else is heard.
        socket.connect((server, 53))?;
        socket.send(&question)?;
        let mut buffer = [0; 512];
        let length = socket.recv(&mut buffer)?;
        Ok(buffer[..length].to_vec())
    };
    let answer = exchange().map_err(|error: std::io::Error| error.to_string())?;
    answered(&answer, &question).ok_or_else(|| "it has no address".to_owned())
}

/// A question for the name's A records; `None` if it is no name.
#[must_use]
pub fn question(name: &str, id: u16) -> Option<Vec<u8>> {
    let mut bytes = id.to_be_bytes().to_vec();
    // Recursion desired; one question.
    bytes.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.trim_end_matches('.').split('.') {
        let length = u8::try_from(label.len()).ok().filter(|length| (1..64).contains(length))?;
        bytes.push(length);
        bytes.extend(label.as_bytes());
    }
    bytes.push(0);
    bytes.extend([0, TYPE_A, 0, CLASS_IN]);
    (bytes.len() <= 255 + 16).then_some(bytes)
}

/// The first address in an answer to this question. Names on the way to it (CNAME) are the server's business.
#[must_use]
pub fn answered(answer: &[u8], question: &[u8]) -> Option<Ipv4Addr> {
    let count = u16::from_be_bytes(answer.get(6..8)?.try_into().ok()?);
    let is_answer = answer.get(..2)? == &question[..2] && answer.get(2)? & 0x80 != 0;
    if !is_answer || answer.get(12..question.len())? != &question[12..] {
        return None;
    }
    let mut rest = answer.get(question.len()..)?;
    for _ in 0..count {
        rest = after_name(rest)?;
        let length = usize::from(u16::from_be_bytes(rest.get(8..10)?.try_into().ok()?));
        let data = rest.get(10..10 + length)?;
        if rest.get(..4)? == [0, TYPE_A, 0, CLASS_IN]
            && let Ok(octets) = <[u8; 4]>::try_from(data)
        {
            return Some(octets.into());
        }
        rest = &rest[10 + length..];
    }
    None
}

/// What follows a name (RFC 1035 section 4.1.4): labels, up to an empty one or a pointer.
fn after_name(mut bytes: &[u8]) -> Option<&[u8]> {
    loop {
        match *bytes.first()? {
            0 => return bytes.get(1..),
            length if length >= 0xc0 => return bytes.get(2..),
            length => bytes = bytes.get(1 + usize::from(length)..)?,
        }
    }
}

const TYPE_A: u8 = 1;
const CLASS_IN: u8 = 1;
const PATIENCE: Duration = Duration::from_secs(2);
