//! What names have by updates of others (RFC 2136): kept as it came, and never read here but for its types.
//!
//! A number, a lease, a host or a record of the configuration goes before. What came first is kept nevertheless when one of them takes its name, and is told
//! again when that is gone: a mistake in the configuration deletes nothing.

use crate::cluster::naming::Naming;
use crate::config::{MASTER_NAME, SERVER_NAME};
use crate::limit::{DYNAMIC_OCTETS_MAX, DYNAMIC_RECORDS_MAX, UPDATES_DENIED_TOLD_MAX};
use heorot_names::dynamic::kind;
use heorot_names::{Directory, Dynamic};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Names an update while it is unanswered: the caller's own number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UpdateId(pub u64);

/// All of it.
#[derive(Debug, Default)]
pub(crate) struct Dynamics {
    kept: BTreeMap<String, Dynamic>,
    records: usize,
    octets: usize,
    /// What is being recorded.
    proposed: Option<Vec<Dynamic>>,
    /// Names that somebody else has, as the journal was told.
    told: BTreeSet<String>,
    /// Refusals of which the journal was told.
    denied: BTreeSet<String>,
}

impl Dynamics {
    /// This was durable.
    pub(crate) fn restore(&mut self, dynamic: Dynamic) {
        self.keep(dynamic);
    }

    /// Proposes what names are to have. False: one is being recorded, or there is no room.
    pub(crate) fn propose(&mut self, changes: Vec<Dynamic>) -> bool {
        let before = |change: &Dynamic| self.kept.get(&change.name).map_or((0, 0), size);
        let (mut records, mut octets) = (self.records, self.octets);
        for change in &changes {
            let ((less, shorter), (more, longer)) = (before(change), size(change));
            records = records + more - less;
            octets = octets + longer - shorter;
        }
        // What makes it smaller always has room.
        let grows = records > self.records || octets > self.octets;
        let has_room = records <= DYNAMIC_RECORDS_MAX && octets <= DYNAMIC_OCTETS_MAX;
        if self.proposed.is_some() || (grows && !has_room) {
            return false;
        }
        self.proposed = Some(changes);
        true
    }

    /// What was proposed is durable.
    pub(crate) fn settle(&mut self) -> Vec<Dynamic> {
        let changes = self.proposed.take().unwrap_or_default();
        changes.iter().for_each(|change| self.keep(change.clone()));
        changes
    }

    /// It never will be.
    pub(crate) fn withdraw(&mut self) {
        self.proposed = None;
    }

    /// Whether something is being recorded.
    pub(crate) fn is_busy(&self) -> bool {
        self.proposed.is_some()
    }

    /// Whether a whole name has something by updates, or is about to.
    pub(crate) fn has(&self, name: &str) -> bool {
        let mut proposed = self.proposed.iter().flatten();
        self.kept.contains_key(name) || proposed.any(|change| change.name == name)
    }

    /// What a whole name has.
    pub(crate) fn get(&self, name: &str) -> Option<&Dynamic> {
        self.kept.get(name)
    }

    /// All that was kept, by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Dynamic> {
        self.kept.values()
    }

    /// Whether the journal has not been told of this refusal yet.
    pub(crate) fn is_news(&mut self, denied: String) -> bool {
        if self.denied.len() >= UPDATES_DENIED_TOLD_MAX {
            self.denied.clear();
        }
        self.denied.insert(denied)
    }

    /// What somebody else has, now that it may be another one, of which the journal was not told yet: name, and who.
    pub(crate) fn newly_taken(&mut self, directory: &Directory, naming: &Naming) -> Vec<(String, Taken)> {
        let taken = self.kept.values().filter_map(|dynamic| {
            let by = dynamic.sets.iter().find_map(|set| taken(directory, naming, &dynamic.name, set.kind));
            Some((dynamic.name.clone(), by?))
        });
        let taken: Vec<_> = taken.collect();
        let before = std::mem::take(&mut self.told);
        self.told = taken.iter().map(|(name, _)| name.clone()).collect();
        taken.into_iter().filter(|(name, _)| !before.contains(name)).collect()
    }

    fn keep(&mut self, dynamic: Dynamic) {
        let (more, longer) = size(&dynamic);
        let before = match dynamic.sets.is_empty() {
            true => self.kept.remove(&dynamic.name),
            false => self.kept.insert(dynamic.name.clone(), dynamic),
        };
        let (less, shorter) = before.as_ref().map_or((0, 0), size);
        self.records = self.records + more - less;
        self.octets = self.octets + longer - shorter;
    }
}

/// Who has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// A number, a listed name, a `[[host]]` or this server.
    Host,
    /// A host to which an address is lent.
    Loan,
    /// A `[[dns.record]]`.
    Record,
    /// A file of hosts.
    File,
}

impl Taken {
    /// For people.
    pub(crate) fn told(self) -> &'static str {
        match self {
            Self::Host => "a node or host has it",
            Self::Loan => "a host with a lease has it",
            Self::Record => "a [[dns.record]] has it",
            Self::File => "a file of dns.hosts has it",
        }
    }
}

/// Who has already what a whole name is to have of this type, so that an update may not say it.
pub(crate) fn taken(directory: &Directory, naming: &Naming, name: &str, kind: u16) -> Option<Taken> {
    let stands_alone = |kind: u16| matches!(kind, kind::CNAME | kind::NS);
    if let Some(address) = address_of(name) {
        if kind != kind::PTR && !stands_alone(kind) {
            return None;
        }
        let lent = match address {
            IpAddr::V4(address) => naming.name(address),
            IpAddr::V6(_) => None,
        };
        let is_hosts = directory.host_of(address).is_some();
        let is_files = directory.files.pointers.contains_key(&address);
        let lent = || lent.map(|_| Taken::Loan);
        return is_hosts.then_some(Taken::Host).or_else(|| is_files.then_some(Taken::File)).or_else(lent);
    }
    let inside = match name.strip_suffix(directory.zone.as_str()) {
        Some("") => "",
        Some(inside) => inside.strip_suffix('.')?,
        None => return None,
    };
    if matches!(kind, kind::A | kind::AAAA) || stands_alone(kind) {
        let is_hosts = [SERVER_NAME, MASTER_NAME].contains(&inside)
            || directory.all_addresses(inside).is_some_and(|all| !all.is_empty());
        let lent = naming.address(inside);
        if let Some(taken) = is_hosts.then_some(Taken::Host).or_else(|| lent.map(|_| Taken::Loan)) {
            return Some(taken);
        }
        if directory.files.names.contains_key(inside) && !(kind == kind::NS && inside.is_empty()) {
            return Some(Taken::File);
        }
    }
    let beside = |record: &heorot_names::Record| {
        let other = record.data.type_number();
        let is_address = |kind: u16| matches!(kind, kind::A | kind::AAAA);
        kind == other
            || stands_alone(kind)
            || (stands_alone(other) && !inside.is_empty())
            || (is_address(kind) && is_address(other))
    };
    let mut here = directory.records.iter().filter(|record| record.name == inside);
    here.any(beside).then_some(Taken::Record)
}

/// Records, and octets of their data.
fn size(dynamic: &Dynamic) -> (usize, usize) {
    (dynamic.count(), dynamic.octets())
}

/// The address whose name below in-addr.arpa or ip6.arpa this is (RFC 1035 3.5, RFC 3596 2.5).
fn address_of(name: &str) -> Option<IpAddr> {
    if let Some(digits) = name.strip_suffix(".in-addr.arpa") {
        let octets: Option<Vec<u8>> = digits.split('.').rev().map(|digits| digits.parse().ok()).collect();
        return <[u8; 4]>::try_from(octets?).ok().map(|octets| Ipv4Addr::from(octets).into());
    }
    let digits: String = name.strip_suffix(".ip6.arpa")?.rsplit('.').collect();
    let bits = u128::from_str_radix(&digits, 16).ok()?;
    (digits.len() == 32).then(|| Ipv6Addr::from(bits).into())
}

#[cfg(test)]
mod tests;
