//! The interfaces that a configuration is for, made up from what it says: a rehearsal needs none of them.

use heorot_core::config::Interface;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// An address and the length of its prefix.
pub type Prefix = (Ipv4Addr, u8);

/// The interfaces of a configuration with the addresses that it gives its networks; those of networks without one get these addresses beside. What is wrong with the
/// configuration is left out, and told by whoever reads it.
pub fn fitting(text: &str, further: &[Prefix]) -> Vec<Interface> {
    let mut interfaces: BTreeMap<String, Vec<Prefix>> = BTreeMap::new();
    for Network { interface, address } in networks(text) {
        let Some(name) = interface else { continue };
        let addresses = interfaces.entry(name).or_default();
        let own = address.as_deref().map(prefix);
        let new = own.as_ref().map_or(further, |own| own.as_slice());
        addresses.extend(new.iter().filter(|new| !addresses.contains(new)).copied().collect::<Vec<_>>());
    }
    interfaces.into_iter().map(|(name, addresses)| Interface { name, addresses }).collect()
}

/// The interfaces of the networks of a configuration that do not say their address: it is that of the interface.
pub fn without_address(text: &str) -> Vec<String> {
    let unsaid = networks(text).into_iter().filter(|network| network.address.is_none());
    unsaid.filter_map(|network| network.interface).collect()
}

/// As `10.77.0.1/16`.
pub fn prefix(text: &str) -> Option<Prefix> {
    let (address, length) = text.split_once('/')?;
    let length = length.parse().ok().filter(|length| (1..=30).contains(length))?;
    Some((address.parse().ok()?, length))
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    network: Vec<Network>,
}

#[derive(Deserialize)]
struct Network {
    interface: Option<String>,
    address: Option<String>,
}

fn networks(text: &str) -> Vec<Network> {
    toml::from_str(text).map(|file: File| file.network).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
        [server]
        state = "/var/lib/heorot"
        [[network]]
        interface = "eth1"
        address = "10.77.0.1/16"
        [[network]]
        interface = "eth2"
        [[network]]
        interface = "eth1"
        address = "10.78.0.1/16"
    "#;

    #[test]
    fn interfaces_have_the_addresses_of_their_networks() {
        let (one, other, said) =
            ((Ipv4Addr::new(10, 77, 0, 1), 16), (Ipv4Addr::new(10, 78, 0, 1), 16), prefix("10.9.0.1/24"));
        let eth1 = Interface { name: "eth1".into(), addresses: vec![one, other] };
        let eth2 = |addresses| Interface { name: "eth2".into(), addresses };
        assert_eq!(fitting(TEXT, &[]), [eth1.clone(), eth2(vec![])]);
        assert_eq!(fitting(TEXT, &[said.unwrap()]), [eth1, eth2(vec![said.unwrap()])]);
        assert_eq!(without_address(TEXT), ["eth2"]);
    }

    #[test]
    fn what_is_no_configuration_has_no_interfaces() {
        for text in ["", "[[network]]", "network = 3", "[[network]]\ninterface = 3", "]"] {
            assert_eq!(fitting(text, &[]), [], "{text}");
        }
    }

    #[test]
    fn prefixes() {
        for text in ["10.77.0.1", "10.77.0.1/31", "10.77.0.1/0", "10.77/16", "/16", "10.77.0.1/"] {
            assert_eq!(prefix(text), None, "{text}");
        }
        assert_eq!(prefix("10.77.0.1/30"), Some((Ipv4Addr::new(10, 77, 0, 1), 30)));
    }
}
