//! Cookies: who has one has had an answer from us before, and so is where he says he is (RFC 7873, RFC 9018).

use siphasher::sip::SipHasher24;
use std::hash::Hasher;
use std::net::IpAddr;

/// What the asker sent: eight octets of his own, and what we gave him before, if he has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cookie {
    client: [u8; 8],
    server: Vec<u8>,
}

/// Octets of an answer's: the client's and ours.
pub(crate) const COOKIE_OCTETS: usize = 8 + SERVER_OCTETS;
/// Octets of ours: version, three that are zero, time, hash (RFC 9018 4).
const SERVER_OCTETS: usize = 16;
const VERSION: u8 = 1;

/// RFC 9018 4.3: taken for an hour, and for five minutes from a clock that is ahead.
const OLD_SECONDS: u32 = 3600;
const AHEAD_SECONDS: u32 = 300;

impl Cookie {
    /// Reads the option. None: it is none (RFC 7873 5.2.2).
    pub(crate) fn parse(octets: &[u8]) -> Option<Self> {
        let (client, server) = octets.split_first_chunk::<8>()?;
        let fits = server.is_empty() || (8..=32).contains(&server.len());
        fits.then(|| Self { client: *client, server: server.to_vec() })
    }

    /// Whether it has one of ours, given to this address and not too long ago.
    pub(crate) fn is_ours(&self, secret: &[u8; 16], from: IpAddr, wall_seconds: u32) -> bool {
        let Some((head, [])) = self.server.split_first_chunk::<SERVER_OCTETS>() else { return false };
        let [VERSION, _, _, _, a, b, c, d, ..] = *head else { return false };
        let given = u32::from_be_bytes([a, b, c, d]);
        // RFC 9018 4.3: serial arithmetic (RFC 1982).
        let age = wall_seconds.wrapping_sub(given);
        let is_fresh = age <= OLD_SECONDS || given.wrapping_sub(wall_seconds) <= AHEAD_SECONDS;
        let reserved = [head[1], head[2], head[3]];
        is_fresh && self.made(secret, from, reserved, given) == *head
    }

    /// The option for the answer: his part, and a new one of ours.
    pub(crate) fn answer(&self, secret: &[u8; 16], from: IpAddr, wall_seconds: u32) -> [u8; COOKIE_OCTETS] {
        let mut option = [0; COOKIE_OCTETS];
        option[..8].copy_from_slice(&self.client);
        option[8..].copy_from_slice(&self.made(secret, from, [0; 3], wall_seconds));
        option
    }

    /// RFC 9018 4.4: of all that stands before it, and the asker's address.
    fn made(&self, secret: &[u8; 16], from: IpAddr, reserved: [u8; 3], time: u32) -> [u8; SERVER_OCTETS] {
        let mut made = [0; SERVER_OCTETS];
        made[0] = VERSION;
        made[1..4].copy_from_slice(&reserved);
        made[4..8].copy_from_slice(&time.to_be_bytes());
        let mut hasher = SipHasher24::new_with_key(secret);
        hasher.write(&self.client);
        hasher.write(&made[..8]);
        match from {
            IpAddr::V4(address) => hasher.write(&address.octets()),
            IpAddr::V6(address) => hasher.write(&address.octets()),
        }
        made[8..].copy_from_slice(&hasher.finish().to_le_bytes());
        made
    }
}

#[cfg(test)]
mod tests;
