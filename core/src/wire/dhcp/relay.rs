//! Option 82: what a relay says of a client (RFC 3046), with the sub-options by which it decides for the server.

use super::{Message, option};
use std::net::Ipv4Addr;

/// What a relay said that decides for the server. The option itself is echoed as it came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RelayInformation {
    /// 5, link selection (RFC 3527): an address of the client's network, where giaddr says only how the relay is reached.
    pub link: Option<Ipv4Addr>,
    /// 10, flags (RFC 5010): whether the relay got the packet as a unicast, so that its client renews rather than rebinds.
    pub unicast: Option<bool>,
    /// 11, server identifier override (RFC 5107): the relay's address that clients are to take for the server's.
    pub server: Option<Ipv4Addr>,
    /// 19, relay source port (RFC 8357 4): it has sent from another port than 67, and is to be answered there.
    pub has_own_port: bool,
}

/// The numbers of the sub-options.
const LINK: u8 = 5;
const FLAGS: u8 = 10;
const SERVER: u8 = 11;
const SOURCE_PORT: u8 = 19;

/// RFC 5010 3: the highest bit of the flags.
const UNICAST: u8 = 0x80;

/// The sub-options of option 82, in their order: code, length, value, and neither padding nor an end (RFC 3046 2.0).
/// None: one goes on past the end.
pub fn sub_options(mut octets: &[u8]) -> Option<Vec<(u8, &[u8])>> {
    let mut all = Vec::new();
    while let [code, length, rest @ ..] = octets {
        let (value, rest) = rest.split_at_checked(usize::from(*length))?;
        all.push((*code, value));
        octets = rest;
    }
    octets.is_empty().then_some(all)
}

/// Where a client is by what its relay said, if one did: the circuit, which is the port of the switch (RFC 3046 3.1), and the remote end, which is the switch, or whoever is behind the port (3.2).
pub fn place(said: Option<&[u8]>) -> (Option<&[u8]>, Option<&[u8]>) {
    let all = said.and_then(sub_options).unwrap_or_default();
    let of = |code: u8| all.iter().find(|(known, _)| *known == code).map(|(_, value)| *value);
    (of(option::RELAY_CIRCUIT), of(option::RELAY_REMOTE))
}

impl Message {
    /// What the relay said. Nothing if there was none, or if nobody can tell what it meant.
    pub fn relay_information(&self) -> RelayInformation {
        let all = self.options.get(option::RELAY_AGENT).and_then(sub_options).unwrap_or_default();
        let get = |code: u8| all.iter().find(|(known, _)| *known == code).map(|(_, value)| *value);
        let address = |code: u8| {
            let octets: [u8; 4] = get(code)?.try_into().ok()?;
            Some(Ipv4Addr::from(octets)).filter(|address| !address.is_unspecified())
        };
        RelayInformation {
            link: address(LINK),
            unicast: get(FLAGS).and_then(|flags| Some(flags.first()? & UNICAST != 0)),
            server: address(SERVER),
            has_own_port: get(SOURCE_PORT).is_some(),
        }
    }
}

#[cfg(test)]
mod tests;
