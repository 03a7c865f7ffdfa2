//! Relays that ask for hosts and are in none of the networks: whoever is behind them gets no answer, and does not know why.

use super::lines::Lines;
use crate::limit::{STRANGE_RELAY_LINES_PER_HOUR_MAX, STRANGE_RELAY_TOLD_EVERY, STRANGE_RELAYS_MAX};
use crate::mac::Mac;
use crate::time::Time;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// Those that asked, by the address that says in which network their hosts are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StrangeRelays {
    noticed: BTreeMap<Ipv4Addr, StrangeRelay>,
    lines: Lines,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StrangeRelay {
    /// The address that it gives for its own (giaddr).
    pub relay: Ipv4Addr,
    /// The interface by which it was heard last.
    pub interface: String,
    /// When it asked first.
    pub first: Time,
    /// When it asked last.
    pub last: Time,
    /// How often.
    pub count: u64,
    /// For whom it asked last.
    pub client: Mac,
    /// When it was last told of.
    told: Option<Time>,
}

impl StrangeRelay {
    /// What it does, and what to do about that.
    pub fn told(&self, selected: Ipv4Addr) -> String {
        let Self { relay, client, .. } = self;
        if *relay == selected {
            return format!(
                "a relay at {relay} asks for hosts (last {client}), and is in no [[network]]: add one with that address's prefix, or mend what the relay says of itself (giaddr)"
            );
        }
        let who = if relay.is_unspecified() { "a client".into() } else { format!("a relay at {relay}") };
        format!(
            "{who} asks for hosts in the network of {selected} (last {client}), which is in no [[network]]: add one with that address's prefix, or mend what selects it (options 82 and 118)"
        )
    }
}

impl StrangeRelays {
    /// One asks for a host. Whether it is time to tell of it: it is new, or was last told of a while ago.
    pub fn notice(
        &mut self,
        now: Time,
        selected: Ipv4Addr,
        (relay, interface): (Ipv4Addr, &str),
        client: Mac,
    ) -> bool {
        if !self.noticed.contains_key(&selected) && self.noticed.len() >= STRANGE_RELAYS_MAX {
            // Whoever makes addresses up has each ask once: a relay that asks again and again stays, as long as it does.
            let is_recent = |relay: &StrangeRelay| now.since(relay.last) < STRANGE_RELAY_TOLD_EVERY;
            let rank = |relay: &StrangeRelay| (is_recent(relay), relay.count, relay.last);
            let least = self.noticed.iter().min_by_key(|(_, other)| rank(other));
            let least = least.map(|(selected, _)| *selected);
            least.map(|selected| self.noticed.remove(&selected));
        }
        let known = self.noticed.entry(selected).or_insert_with(|| StrangeRelay {
            relay,
            interface: interface.to_owned(),
            first: now,
            last: now,
            count: 0,
            client,
            told: None,
        });
        (known.relay, known.last, known.client) = (relay, now, client);
        known.count += 1;
        if known.interface != interface {
            interface.clone_into(&mut known.interface);
        }
        let is_time = known.told.is_none_or(|told| now.since(told) >= STRANGE_RELAY_TOLD_EVERY);
        if !is_time || !self.lines.take(now, STRANGE_RELAY_TOLD_EVERY, STRANGE_RELAY_LINES_PER_HOUR_MAX) {
            return false;
        }
        if let Some(known) = self.noticed.get_mut(&selected) {
            known.told = Some(now);
        }
        true
    }

    /// One of them.
    pub fn get(&self, selected: Ipv4Addr) -> Option<&StrangeRelay> {
        self.noticed.get(&selected)
    }

    /// Those that have asked again within this time, whoever asked most often first. Firmware asks four times; once asks who makes addresses up.
    pub fn recent(&self, now: Time) -> Vec<(Ipv4Addr, &StrangeRelay)> {
        let is_recent =
            |relay: &StrangeRelay| relay.count > 1 && now.since(relay.last) < STRANGE_RELAY_TOLD_EVERY;
        let recent = self.noticed.iter().filter(|(_, relay)| is_recent(relay));
        let mut recent: Vec<_> = recent.map(|(selected, relay)| (*selected, relay)).collect();
        recent.sort_by_key(|(_, relay)| std::cmp::Reverse(relay.count));
        recent
    }

    /// Forgets those whose networks are served now.
    pub fn retain(&mut self, is_strange: impl Fn(Ipv4Addr, &StrangeRelay) -> bool) {
        self.noticed.retain(|selected, relay| is_strange(*selected, relay));
    }
}

#[cfg(test)]
mod tests;
