//! Interfaces of ours on one segment: what a client says to everybody is heard by each of them, as if it were in each one's network.

use crate::limit::{ONE_SEGMENT_TOLD_EVERY, SAID_MAX, SAID_TWICE_WITHIN, SEGMENT_PAIRS_MAX};
use crate::mac::Mac;
use crate::time::Time;
use std::collections::BTreeMap;

/// What was said to everybody a moment ago, and which interfaces have heard the same.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Segments {
    said: BTreeMap<(Mac, u8), Said>,
    /// When those were last looked through whose moment is over.
    looked_through: Option<Time>,
    pairs: BTreeMap<(String, String), Pair>,
}

/// What a client said: its hardware address, the type of its message, and its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    /// Who says it.
    pub mac: Mac,
    /// Option 53; 0 without.
    pub message_type: u8,
    /// The transaction. Two machines may have the same, but not one two at a time.
    pub xid: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Said {
    xid: u32,
    first: Time,
    /// By which it was heard: at most as many as there are.
    interfaces: Vec<String>,
}

/// Two interfaces that have heard the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pair {
    client: Mac,
    last: Time,
    told: Time,
}

/// What follows from what was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// When it was heard first, by whichever interface; nothing if there was no room to note it.
    pub first: Option<Time>,
    /// What is to be told, if it is time for that.
    pub told: Vec<String>,
}

impl Segments {
    /// A client says something to everybody, and this interface hears it.
    pub fn hear(&mut self, now: Time, word: Word, interface: &str) -> Heard {
        let Word { mac, message_type, xid } = word;
        let key = (mac, message_type);
        let is_current = |said: &Said| now.since(said.first) < SAID_TWICE_WITHIN;
        if self.said.len() >= SAID_MAX && !self.said.contains_key(&key) {
            // Once for each moment, however many speak in it.
            if self.looked_through.is_none_or(|last| now.since(last) >= SAID_TWICE_WITHIN) {
                self.said.retain(|_, said| is_current(said));
                self.looked_through = Some(now);
            }
            if self.said.len() >= SAID_MAX {
                return Heard { first: None, told: Vec::new() };
            }
        }
        let new = || Said { xid, first: now, interfaces: Vec::new() };
        let said = self.said.entry(key).or_insert_with(new);
        if said.xid != xid || !is_current(said) {
            *said = new();
        }
        let first = Some(said.first);
        if said.interfaces.iter().any(|known| known == interface) {
            return Heard { first, told: Vec::new() };
        }
        let others = said.interfaces.clone();
        said.interfaces.push(interface.to_owned());
        let told = others.iter().filter_map(|other| self.note(now, mac, other, interface)).collect();
        Heard { first, told }
    }

    /// Whether an interface has heard the same, a moment ago.
    pub fn is_heard_by(&self, now: Time, word: Word, interface: &str) -> bool {
        let said = self.said.get(&(word.mac, word.message_type));
        said.is_some_and(|said| {
            let is_it = said.xid == word.xid && now.since(said.first) < SAID_TWICE_WITHIN;
            is_it && said.interfaces.iter().any(|known| known == interface)
        })
    }

    /// Whether a client has said nothing else of this type since.
    pub fn is_last(&self, word: Word) -> bool {
        self.said.get(&(word.mac, word.message_type)).is_none_or(|said| said.xid == word.xid)
    }

    /// What is told of all that were heard to be one segment within this time, and are served still.
    pub fn recent(&self, now: Time, is_served: impl Fn(&str) -> bool) -> Vec<String> {
        let is_recent = |pair: &Pair| now.since(pair.last) < ONE_SEGMENT_TOLD_EVERY;
        let recent = self
            .pairs
            .iter()
            .filter(|((one, other), pair)| is_recent(pair) && is_served(one) && is_served(other));
        recent.map(|((one, other), pair)| told(one, other, pair.client)).collect()
    }

    fn note(&mut self, now: Time, client: Mac, one: &str, other: &str) -> Option<String> {
        let (one, other) = if one < other { (one, other) } else { (other, one) };
        let key = (one.to_owned(), other.to_owned());
        let is_new = !self.pairs.contains_key(&key);
        if is_new && self.pairs.len() >= SEGMENT_PAIRS_MAX {
            self.pairs.retain(|_, pair| now.since(pair.last) < ONE_SEGMENT_TOLD_EVERY);
            if self.pairs.len() >= SEGMENT_PAIRS_MAX {
                return None;
            }
        }
        let pair = self.pairs.entry(key).or_insert(Pair { client, last: now, told: now });
        (pair.client, pair.last) = (client, now);
        let is_time = is_new || now.since(pair.told) >= ONE_SEGMENT_TOLD_EVERY;
        if is_time {
            pair.told = now;
        }
        is_time.then(|| told(one, other, client))
    }
}

/// What is so, and what to do about it.
fn told(one: &str, other: &str, client: Mac) -> String {
    format!(
        "{one} and {other} are one segment: both hear what {client} says to everybody, and hosts without an address of theirs are offered one of each; part them (a VLAN for each), or give their [[network]]s one interface, with an address in each"
    )
}

#[cfg(test)]
mod tests;
