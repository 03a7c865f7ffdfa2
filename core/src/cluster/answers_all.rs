//! Hosts that answer for whatever address they are asked about: routers with proxy ARP. What they say of an address of ours says nothing.

use crate::limit::{ANSWERED_PER_HOST_MAX, ANSWERS_ALL_MAX, QUARANTINE};
use crate::mac::Mac;
use crate::time::Time;
use std::collections::BTreeMap;

/// Those that are believed no more, and when each answered last.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AnswersAll {
    last: BTreeMap<Mac, Time>,
}

impl AnswersAll {
    /// A host has answered for more addresses than any has.
    pub fn insert(&mut self, now: Time, mac: Mac) {
        if self.last.len() >= ANSWERS_ALL_MAX
            && let Some(oldest) = self.last.iter().min_by_key(|(_, last)| **last).map(|(mac, _)| *mac)
        {
            self.last.remove(&oldest);
        }
        self.last.insert(mac, now);
    }

    /// A host answers. Whether that means nothing: so it is as long as it goes on answering.
    pub fn hear(&mut self, now: Time, mac: Mac) -> bool {
        let is_one = self.is_one(now, mac);
        if is_one {
            self.last.insert(mac, now);
        } else {
            self.last.remove(&mac);
        }
        is_one
    }

    /// All of them.
    pub fn iter(&self, now: Time) -> impl Iterator<Item = Mac> {
        self.last.keys().copied().filter(move |mac| self.is_one(now, *mac))
    }

    fn is_one(&self, now: Time, mac: Mac) -> bool {
        self.last.get(&mac).is_some_and(|last| now.since(*last) < QUARANTINE)
    }
}

/// What is told of one.
pub fn told(mac: Mac) -> String {
    format!(
        "{mac} answers for more than {ANSWERED_PER_HOST_MAX} addresses of our ranges, as a router with proxy ARP does: it is not believed, and addresses are lent whatever it says. Switch proxy ARP off there"
    )
}

#[cfg(test)]
mod tests;
