//! What becomes of a configuration when the addresses of the host are others than those it was read with.

use super::{Config, Interface, Mistake};
use std::fmt;
use std::net::Ipv4Addr;

/// What an interface lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Which interface.
    pub interface: String,
    /// What of its addresses.
    pub what: Lacks,
}

/// What an interface lacks of its addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lacks {
    /// It never had any.
    All,
    /// The one by which its hosts know us.
    Own(Ipv4Addr),
    /// The one that the file says, which it never had: it came with another one of that network.
    Given {
        /// What the file says.
        given: Ipv4Addr,
        /// What it has.
        has: Ipv4Addr,
        /// Of both.
        prefix_length: u8,
    },
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let interface = &self.interface;
        match self.what {
            Lacks::Own(address) => write!(
                f,
                "{interface} has lost {address}, by which its hosts know this server: nothing but DHCP reaches them until it is back"
            ),
            Lacks::All => write!(
                f,
                "{interface} has no IPv4 address: its hosts are served through a relay only, until it has one"
            ),
            Lacks::Given { given, has, prefix_length } => write!(
                f,
                "{interface} has come with {has} and not with {given}, which the configuration says: its hosts are not served; give it that (ip address add {given}/{prefix_length} dev {interface}), or write address = \"{has}/{prefix_length}\" and systemctl reload heorot"
            ),
        }
    }
}

impl Config {
    /// What the interfaces of the networks count as having, where these were found, and what they lack. An address that is gone counts until there is another one of its network: whoever takes an
    /// interface down and up again (ifdown, NetworkManager) means the same network. One that came with another address than the file says counts as having none of that network.
    pub fn held(&self, found: &[Interface]) -> (Vec<Interface>, Vec<Missing>) {
        let (mut held, mut missing) = (found.to_vec(), Vec::new());
        for network in &self.networks {
            let found = found.iter().find(|interface| interface.name == network.interface);
            let Some(found) = found else {
                // Of an interface that is gone it is told as such.
                if held.iter().all(|interface| interface.name != network.interface) {
                    held.push(Interface { name: network.interface.clone(), addresses: Vec::new() });
                }
                hold(
                    &mut held,
                    &network.interface,
                    (network.address, network.prefix_length),
                    network.on_link,
                );
                continue;
            };
            let has = |address| found.addresses.iter().any(|(own, _)| *own == address);
            let other = found.addresses.iter().map(|(own, _)| *own).find(|own| network.contains(*own));
            let is_replaced = !has(network.address) && other.is_some();
            let address = (network.address, network.prefix_length);
            hold(&mut held, &network.interface, address, network.on_link && !is_replaced);
            let lacks = match network.on_link {
                _ if has(network.address) => None,
                true => Some(Lacks::Own(network.address)),
                false if found.addresses.is_empty() => Some(Lacks::All),
                // With an address elsewhere, its hosts may be behind a relay.
                false => other.map(|has| Lacks::Given {
                    given: network.address,
                    has,
                    prefix_length: network.prefix_length,
                }),
            };
            if let Some(Lacks::Given { .. }) = lacks {
                // The file is wrong there: as long as it is, this network is as one behind a relay, and all others are served.
                let named = held.iter_mut().filter(|interface| interface.name == network.interface);
                named.for_each(|it| it.addresses.retain(|(own, _)| !network.contains(*own)));
            }
            let lacks = lacks.map(|what| Missing { interface: network.interface.clone(), what });
            missing.extend(lacks.filter(|lacks| !missing.contains(lacks)));
        }
        (held, missing)
    }

    /// Whether it would be another one where the interfaces have these addresses.
    pub fn is_readdressed(&self, interfaces: &[Interface]) -> bool {
        let has = |name: &str, address: Ipv4Addr| {
            let mut named = interfaces.iter().filter(|interface| interface.name == name);
            named.any(|interface| interface.addresses.iter().any(|(own, _)| *own == address))
        };
        self.networks.iter().any(|network| network.on_link != has(&network.interface, network.address))
    }

    /// The same where the interfaces have these addresses, and what of the text is wrong there: an address of ours that another one stands in the place of counts as ours all the same where the
    /// text says it, so that all others are served. `text` is what it was read from; what else it says was read before.
    ///
    /// # Errors
    /// What of the text is wrong there, and nothing becomes another by the rest.
    pub fn readdressed(
        &self,
        text: &str,
        interfaces: &[Interface],
    ) -> Result<(Self, Vec<Mistake>), Vec<Mistake>> {
        let (read, wrong) = match Self::parse(text, interfaces) {
            Ok((read, _)) => (read, Vec::new()),
            Err(wrong) => match Self::parse(text, &self.with_own(interfaces)) {
                Ok((read, _)) => (read, wrong),
                Err(_) => return Err(wrong),
            },
        };
        let mut config = self.clone();
        for (network, read) in config.networks.iter_mut().zip(read.networks) {
            network.address = read.address;
            network.prefix_length = read.prefix_length;
            network.on_link = read.on_link;
        }
        if !wrong.is_empty() && config.networks == self.networks {
            return Err(wrong);
        }
        Ok((config, wrong))
    }

    /// These, each with the address by which its hosts know us in the place of others of that network.
    fn with_own(&self, interfaces: &[Interface]) -> Vec<Interface> {
        let mut interfaces = interfaces.to_vec();
        for network in self.networks.iter().filter(|network| network.on_link) {
            let named = interfaces.iter_mut().filter(|interface| interface.name == network.interface);
            for interface in named {
                if interface.addresses.iter().all(|(own, _)| *own != network.address) {
                    interface.addresses.retain(|(own, _)| !network.contains(*own));
                    interface.addresses.insert(0, (network.address, network.prefix_length));
                }
            }
        }
        interfaces
    }
}

/// An address of ours counts as the interface's first: of several in one network it is the one by which we are known.
fn hold(held: &mut [Interface], name: &str, address: (Ipv4Addr, u8), counts: bool) {
    let Some(interface) = held.iter_mut().find(|interface| interface.name == name).filter(|_| counts) else {
        return;
    };
    // What it has is as it has it: its prefix may be another one by now.
    let place = interface.addresses.iter().position(|(own, _)| *own == address.0);
    let address = place.map_or(address, |place| interface.addresses.remove(place));
    interface.addresses.insert(0, address);
}

#[cfg(test)]
mod tests;
