use super::Step;
use heorot_names::Directory;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

/// Maps ethers.byname and ethers.byaddr: values are lines of an ethers file, `52:54:00:00:00:17 node23`.
///
/// By name computed names come first, by number, and then those given by hand, also one that is given as it would be computed.
pub(super) struct Ethers {
    directory: Arc<Directory>,
    by_address: BTreeMap<HardwareAddress, u32>,
    /// Of nodes whose hardware address is known.
    given: BTreeMap<String, u32>,
}

type HardwareAddress = [u8; 6];

impl Ethers {
    pub(super) fn new(directory: Arc<Directory>) -> Self {
        let known = &directory.hardware_addresses;
        let by_address = known.iter().map(|(number, address)| (*address, *number)).collect();
        let given = directory.given_names.iter().filter(|(number, _)| known.contains_key(number));
        let given = given.map(|(number, name)| (name.clone(), *number)).collect();
        Self { by_address, given, directory }
    }

    /// The line of a node's name, in any case.
    pub(super) fn by_name(&self, key: &str) -> Option<String> {
        let key = key.to_ascii_lowercase();
        self.line(self.directory.pattern.number(&key).or_else(|| self.given.get(&key).copied())?)
    }

    /// The line of a hardware address, with zeros at the front of its octets or without: glibc asks for `52:54:0:0:0:17`.
    pub(super) fn by_address(&self, key: &str) -> Option<String> {
        self.line(*self.by_address.get(&read(key)?)?)
    }

    /// What comes after a name, or first.
    pub(super) fn after_name(&self, key: Option<&str>) -> Step {
        let key = key.map(str::to_ascii_lowercase);
        let computed =
            |name: &str| self.directory.pattern.number(name).filter(|_| !self.given.contains_key(name));
        let number = key.as_deref().map(computed);
        let from = match number {
            Some(None) => None,
            Some(Some(number)) => Some(Bound::Excluded(number)),
            None => Some(Bound::Unbounded),
        };
        let known = from.map(|from| self.directory.hardware_addresses.range((from, Bound::Unbounded)));
        let mut names =
            known.into_iter().flatten().map(|(number, _)| (self.directory.pattern.name(*number), *number));
        let next = names.find(|(name, _)| !self.given.contains_key(name));
        if let Some((name, line)) = next.and_then(|(name, number)| Some((name, self.line(number)?))) {
            return Step::entry(name, line);
        }
        let from = match (from, key) {
            (None, Some(key)) => Bound::Excluded(key),
            (Some(_), _) | (None, None) => Bound::Unbounded,
        };
        let mut after = self.given.range((from, Bound::Unbounded));
        match after.find_map(|(name, number)| Some((name, self.line(*number)?))) {
            Some((name, line)) => Step::entry(name.clone(), line),
            None => Step::End,
        }
    }

    /// What comes after a hardware address, or first.
    pub(super) fn after_address(&self, key: Option<&str>) -> Step {
        let from = match key.map(read) {
            None => Bound::Unbounded,
            Some(Some(address)) => Bound::Excluded(address),
            Some(None) => return Step::NoSuchKey,
        };
        let mut after = self.by_address.range((from, Bound::Unbounded));
        match after.find_map(|(address, number)| Some((write(*address), self.line(*number)?))) {
            Some((address, line)) => Step::entry(address, line),
            None => Step::End,
        }
    }

    fn line(&self, number: u32) -> Option<String> {
        let address = self.directory.hardware_addresses.get(&number)?;
        Some(format!("{}\t{}", write(*address), self.directory.name(number)))
    }
}

fn read(text: &str) -> Option<HardwareAddress> {
    let octet = |part: &str| {
        let digits = (1..=2).contains(&part.len()) && part.bytes().all(|digit| digit.is_ascii_hexdigit());
        digits.then(|| u8::from_str_radix(part, 16).ok()).flatten()
    };
    let octets: Option<Vec<u8>> = text.split([':', '-']).map(octet).collect();
    octets?.try_into().ok()
}

fn write([a, b, c, d, e, f]: HardwareAddress) -> String {
    format!("{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}")
}
