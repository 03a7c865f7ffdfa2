//! Secondaries are told when a zone has changed (RFC 1996), until they say that they have heard it.

use crate::name::Name;
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// Who is still to be told of what.
#[derive(Debug, Default)]
pub(crate) struct Notifier {
    pending: BTreeMap<(SocketAddr, Name), Pending>,
    /// When somebody was told last: a storm of changes is one piece of news.
    told: BTreeMap<(SocketAddr, Name), u64>,
    sent: u64,
}

#[derive(Debug)]
struct Pending {
    /// The number of the message that an answer has to have.
    id: u16,
    tries: u32,
    next_nanoseconds: u64,
}

/// What is to be sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    pub(crate) to: SocketAddr,
    pub(crate) apex: Name,
    pub(crate) id: u16,
}

const SECOND: u64 = 1_000_000_000;
/// The pause after the first try; each further one is twice as long (RFC 1996 3.6: "a retransmission interval of 60 seconds", of old; a site is near).
const RETRY_NANOSECONDS: u64 = 2 * SECOND;
/// RFC 1996 3.6: five retransmissions. Who sleeps so long asks by himself, as the SOA says.
const TRIES_MAX: u32 = 6;
/// Between two pieces of news of one zone to one secondary.
const INTERVAL_NANOSECONDS: u64 = SECOND;

impl Notifier {
    /// These zones have changed. What is said so far to the same is overtaken.
    pub(crate) fn changed(
        &mut self,
        now: u64,
        secret: &[u8; 16],
        secondaries: &[SocketAddr],
        apexes: &[Name],
    ) {
        self.told.retain(|(to, _), _| secondaries.contains(to));
        self.pending.retain(|(to, _), _| secondaries.contains(to));
        for to in secondaries {
            for apex in apexes {
                self.sent += 1;
                let key = (*to, apex.clone());
                let earliest =
                    self.told.get(&key).map_or(now, |told| told.saturating_add(INTERVAL_NANOSECONDS));
                let id = number(secret, self.sent);
                self.pending.insert(key, Pending { id, tries: 0, next_nanoseconds: now.max(earliest) });
            }
        }
    }

    /// Somebody says that he has heard it.
    pub(crate) fn heard(&mut self, from: SocketAddr, id: u16) {
        self.pending.retain(|(to, _), pending| !(*to == from && pending.id == id && pending.tries > 0));
    }

    /// What is to be sent now.
    pub(crate) fn due(&mut self, now: u64) -> Vec<Notice> {
        let mut notices = Vec::new();
        self.pending.retain(|(to, apex), pending| {
            if pending.next_nanoseconds > now {
                return true;
            }
            if pending.tries == TRIES_MAX {
                return false;
            }
            pending.next_nanoseconds = now + (RETRY_NANOSECONDS << pending.tries);
            pending.tries += 1;
            self.told.insert((*to, apex.clone()), now);
            notices.push(Notice { to: *to, apex: apex.clone(), id: pending.id });
            true
        });
        notices
    }

    /// When something is to be sent.
    pub(crate) fn next(&self) -> Option<u64> {
        self.pending.values().map(|pending| pending.next_nanoseconds).min()
    }
}

/// A number that nobody can guess who does not know the secret: an answer that somebody else makes up ends nothing.
fn number(secret: &[u8; 16], sent: u64) -> u16 {
    use siphasher::sip::SipHasher24;
    use std::hash::Hasher;
    let mut hasher = SipHasher24::new_with_key(secret);
    hasher.write(&sent.to_le_bytes());
    let [.., high, low] = hasher.finish().to_be_bytes();
    u16::from_be_bytes([high, low])
}

#[cfg(test)]
mod tests;
