use std::net::{Ipv4Addr, Ipv6Addr};

/// The numbers of the nodes on one network, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NumberRange {
    /// Lowest number.
    pub lowest: u32,
    /// Highest number.
    pub highest: u32,
}

impl NumberRange {
    /// Whether the number is one of these.
    pub fn contains(self, number: u32) -> bool {
        (self.lowest..=self.highest).contains(&number)
    }

    /// How many numbers there are.
    pub fn size(self) -> u64 {
        u64::from(self.highest) - u64::from(self.lowest) + 1
    }
}

/// Number <-> address on one network: the lowest number has the first address, and so on by one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbering {
    /// Which nodes live here.
    pub numbers: NumberRange,
    /// The address of the lowest number.
    pub first: Ipv4Addr,
    /// The IPv6 address of the lowest number, where nodes have some.
    pub first_ipv6: Option<Ipv6Addr>,
    /// What follows the name of a node for its interface here: "" or "-ib" (lower case; with a hyphen first, so that it can never
    /// be read as a part of the number).
    pub suffix: String,
}

impl Numbering {
    /// The address of a number that lives here.
    pub fn address(&self, number: u32) -> Option<Ipv4Addr> {
        if !self.numbers.contains(number) {
            return None;
        }
        u32::from(self.first).checked_add(number - self.numbers.lowest).map(Ipv4Addr::from)
    }

    /// The number whose address this is.
    pub fn number(&self, address: Ipv4Addr) -> Option<u32> {
        let offset = u32::from(address).checked_sub(u32::from(self.first))?;
        let number = self.numbers.lowest.checked_add(offset)?;
        self.numbers.contains(number).then_some(number)
    }

    /// The IPv6 address of a number that lives here.
    pub fn address_ipv6(&self, number: u32) -> Option<Ipv6Addr> {
        let first = self.first_ipv6.filter(|_| self.numbers.contains(number))?;
        u128::from(first).checked_add(u128::from(number - self.numbers.lowest)).map(Ipv6Addr::from)
    }

    /// The number whose IPv6 address this is.
    pub fn number_ipv6(&self, address: Ipv6Addr) -> Option<u32> {
        let offset = u128::from(address).checked_sub(u128::from(self.first_ipv6?))?;
        let number = self.numbers.lowest.checked_add(u32::try_from(offset).ok()?)?;
        self.numbers.contains(number).then_some(number)
    }

    /// The address of the highest number, if the range does not run past 255.255.255.255.
    pub fn last(&self) -> Option<Ipv4Addr> {
        self.address(self.numbers.highest)
    }
}

#[cfg(test)]
mod tests;
