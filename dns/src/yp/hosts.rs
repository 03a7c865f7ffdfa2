use super::Step;
use heorot_names::{Directory, Numbering};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::ops::Bound;
use std::sync::Arc;

/// Maps hosts.byname and hosts.byaddr: values are lines of a hosts file, `10.77.1.23 node23.cluster node23`: the whole
/// name first, as DNS and the names file say it, for what comes first is the host's name to whoever asks.
///
/// Computed names stand nowhere. By name they come first, network by network and by number; what has a name given by hand comes after,
/// by name, also one that is given as it would be computed. By address all come in the order of their addresses. Each order is one of all keys that there could be, so that who walks
/// over a map that changes meanwhile is led on, and to the end.
pub(super) struct Hosts {
    directory: Arc<Directory>,
    /// Names that no arithmetic gives, and the first address of each: of hosts, and of nodes with a name given by hand.
    named: BTreeMap<String, Ipv4Addr>,
    /// Names of addresses that no arithmetic gives.
    at: BTreeMap<Ipv4Addr, String>,
}

impl Hosts {
    /// `own` are the names of this server, which go before those of nodes.
    pub(super) fn new(directory: Arc<Directory>, own: &BTreeMap<String, Vec<Ipv4Addr>>) -> Self {
        let (mut named, mut at) = (BTreeMap::new(), BTreeMap::new());
        for network in &directory.networks {
            for (number, name) in &directory.given_names {
                if let Some(address) = network.address(*number) {
                    named.entry(format!("{name}{}", network.suffix)).or_insert(address);
                }
            }
        }
        let others = directory.hosts.iter().flat_map(|(name, addresses)| {
            addresses.iter().filter_map(|address| match address {
                IpAddr::V4(address) => Some((name.to_owned(), *address)),
                // A key of hosts.byaddr is four octets, and so is what a client of NIS reads.
                IpAddr::V6(_) => None,
            })
        });
        let own = own.iter().flat_map(|(name, addresses)| addresses.iter().map(|a| (name.clone(), *a)));
        for (name, address) in others.chain(own) {
            at.insert(address, name.clone());
            named.entry(name).or_insert(address);
        }
        Self { directory, named, at }
    }

    /// The line of a name, with or without the zone, in any case.
    pub(super) fn by_name(&self, key: &str) -> Option<String> {
        let name = self.without_zone(key)?;
        let address = match self.named.get(&name) {
            Some(address) => *address,
            None => *self.directory.addresses(&name)?.first()?,
        };
        self.line(address)
    }

    /// The line of an address in text.
    pub(super) fn by_address(&self, key: &str) -> Option<String> {
        self.line(key.parse().ok()?)
    }

    /// What comes after a name, or first.
    pub(super) fn after_name(&self, key: Option<&str>) -> Step {
        let networks = &self.directory.networks;
        let mut next = match key {
            None => networks.first().map(|network| (0, network.numbers.lowest)),
            Some(key) => {
                let Some(name) = self.without_zone(key) else { return Step::NoSuchKey };
                match self.place(&name).filter(|_| !self.named.contains_key(&name)) {
                    Some((place, number)) => self.following(place, number),
                    None => return self.after_given(Bound::Excluded(name)),
                }
            }
        };
        while let Some((place, number)) = next {
            let name = self.directory.pattern.name(number) + &networks[place].suffix;
            if self.named.contains_key(&name) {
                // It comes after, with the others that were given.
                next = self.following(place, number);
                continue;
            }
            if let Some(line) = networks[place].address(number).and_then(|address| self.line(address)) {
                return Step::entry(name, line);
            }
            next = self.after_network(place);
        }
        self.after_given(Bound::Unbounded)
    }

    /// What comes after an address, or first.
    pub(super) fn after_address(&self, key: Option<&str>) -> Step {
        let from = match key.map(str::parse::<Ipv4Addr>) {
            None => Some(Ipv4Addr::UNSPECIFIED),
            Some(Ok(address)) => u32::from(address).checked_add(1).map(Ipv4Addr::from),
            Some(Err(_)) => return Step::NoSuchKey,
        };
        let Some(from) = from else { return Step::End };
        let computed = self.directory.networks.iter().filter_map(|network| {
            let address = network.first.max(from);
            network.number(address).map(|_| address)
        });
        let next = computed.chain(self.at.range(from..).next().map(|(address, _)| *address)).min();
        match next.and_then(|address| Some((address, self.line(address)?))) {
            Some((address, line)) => Step::entry(address.to_string(), line),
            None => Step::End,
        }
    }

    /// The line of a hosts file for this address.
    fn line(&self, address: Ipv4Addr) -> Option<String> {
        let zone = &self.directory.zone;
        if let Some(name) = self.at.get(&address) {
            return Some(format!("{address}\t{name}.{zone} {name}"));
        }
        let on = |network: &Numbering| Some((network.number(address)?, network.suffix.clone()));
        let (number, suffix) = self.directory.networks.iter().find_map(on)?;
        let name = self.directory.name(number) + &suffix;
        let computed = self.directory.pattern.name(number) + &suffix;
        let further = if computed == name { String::new() } else { format!(" {computed}.{zone} {computed}") };
        Some(format!("{address}\t{name}.{zone} {name}{further}"))
    }

    /// A name in lower case, without the zone. None: it is in another zone.
    fn without_zone(&self, key: &str) -> Option<String> {
        let key = key.to_ascii_lowercase();
        match key.split_once('.') {
            Some((name, zone)) if !name.is_empty() => (zone == self.directory.zone).then(|| name.to_owned()),
            Some(_) | None => Some(key),
        }
    }

    /// Where a computed name stands. A number that its networks no longer have stands before the nearest of them.
    fn place(&self, name: &str) -> Option<(usize, u32)> {
        let of = |network: &Numbering| {
            let name = name.strip_suffix(network.suffix.as_str())?;
            self.directory.pattern.number(name)
        };
        let places: Vec<(usize, u32)> = (self.directory.networks.iter().enumerate())
            .filter_map(|(place, network)| Some((place, of(network)?)))
            .collect();
        let lives =
            |(place, number): &&(usize, u32)| self.directory.networks[*place].numbers.contains(*number);
        places.iter().find(lives).or_else(|| places.first()).copied()
    }

    fn following(&self, place: usize, number: u32) -> Option<(usize, u32)> {
        let numbers = self.directory.networks[place].numbers;
        match number {
            before if before < numbers.lowest => Some((place, numbers.lowest)),
            within if within < numbers.highest => Some((place, within + 1)),
            _ => self.after_network(place),
        }
    }

    fn after_network(&self, place: usize) -> Option<(usize, u32)> {
        let next = self.directory.networks.get(place + 1)?;
        Some((place + 1, next.numbers.lowest))
    }

    fn after_given(&self, from: Bound<String>) -> Step {
        let mut after = self.named.range((from, Bound::Unbounded));
        match after.find_map(|(name, address)| Some((name, self.line(*address)?))) {
            Some((name, line)) => Step::entry(name.clone(), line),
            None => Step::End,
        }
    }
}
