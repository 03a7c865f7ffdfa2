use super::*;
use crate::wire::dhcp::Options;

/// A port of the manual of FlexBoot, and the address that its ROM calls itself by.
const PORT: [u8; 8] = [0x00, 0x02, 0xc9, 0x03, 0x00, 0x05, 0xcf, 0xfb];
const MAC: Mac = Mac([0x00, 0x02, 0xc9, 0x05, 0xcf, 0xfb]);

/// What precedes the GUID in a link-layer address (RFC 4391 9.1.1): flags, queue pair, subnet prefix.
const BEFORE_PORT: [u8; 12] = [0x80, 0x00, 0x04, 0x04, 0xfe, 0x80, 0, 0, 0, 0, 0, 0];

fn identifier(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

fn message(htype: u8, hlen: u8, chaddr: &[u8], identifier: Option<&[u8]>) -> Message {
    let mut options = Options::default();
    if let Some(identifier) = identifier {
        options.set(option::CLIENT_IDENTIFIER, identifier);
    }
    let mut field = [0; 16];
    field[..chaddr.len()].copy_from_slice(chaddr);
    Message { htype, hlen, xid: 1, broadcast: true, chaddr: field, options, ..Message::request() }
}

/// Among them a DUID behind its IAID (RFC 4361 6.1), of each kind that ends in a hardware address (RFC 3315 9).
#[test]
fn every_stage_of_a_machine_is_one_machine() {
    let whole = [&BEFORE_PORT[..], &PORT].concat();
    for (who, identifier) in [
        ("FlexBoot, dracut", identifier(&[&[0xff, 0, 0, 0, 0, 0, 2, 0, 0, 2, 0xc9, 0], &PORT])),
        ("FlexBoot by hardware type, iPXE, NetworkManager", identifier(&[&[0x20], &PORT])),
        ("dhclient, DUID-LL", identifier(&[&[0xff, 1, 2, 3, 4, 0, 3, 0, 32], &PORT])),
        ("dhcpcd, DUID-LL of all twenty", identifier(&[&[0xff, 1, 2, 3, 4, 0, 3, 0, 32], &whole])),
        ("dhclient, DUID-LLT", identifier(&[&[0xff, 1, 2, 3, 4, 0, 1, 0, 32, 9, 9, 9, 9], &whole])),
        ("an old dhclient", identifier(&[&[0], &PORT])),
        ("an old dhclient, all twenty", identifier(&[&[0], &whole])),
    ] {
        // RFC 4390 2.1: type 32, length 0, chaddr zero.
        let asked = message(32, 0, &[], Some(&identifier));
        assert_eq!((asked.identity(), asked.is_infiniband()), (Ok(MAC), true), "{who}");
    }
    // Who has his own way with chaddr.
    assert_eq!(message(32, 8, &PORT, None).identity(), Ok(MAC), "iPXE");
    assert_eq!(message(32, 6, &MAC.0, None).identity(), Ok(MAC), "FlexBoot");
    let flexboot = identifier(&[&[0xff, 0, 0, 0, 0, 0, 2, 0, 0, 2, 0xc9, 0], &PORT]);
    let as_ethernet = message(1, 6, &MAC.0, Some(&flexboot));
    assert_eq!((as_ethernet.identity(), as_ethernet.is_infiniband()), (Ok(MAC), true));
}

#[test]
fn an_identifier_without_a_port_is_a_machine_of_its_own() {
    let networkd = [&[0xff, 9, 9, 9, 9, 0, 2, 0, 0, 0xab, 0x11][..], &[7; 8]].concat();
    let uuid = [&[0xff, 9, 9, 9, 9, 0, 4][..], &[3; 16]].concat();
    let short = [&[0x20][..], &PORT[..7]].concat();
    // The GUID of a group of machines: the lowest bit of its first octet.
    let group = [0x20, 1, 0, 0, 0, 0, 0, 0, 9];
    let mut seen = std::collections::BTreeSet::new();
    for identifier in [&networkd[..], &uuid, &short, &group] {
        let mac = message(32, 0, &[], Some(identifier)).identity().expect("an identifier is there");
        assert!(mac.is_one_machine() && mac.0[0] & 2 != 0, "{mac} is locally administered");
        assert_eq!(message(32, 0, &[], Some(identifier)).identity(), Ok(mac), "always the same");
        assert!(seen.insert(mac), "{identifier:x?}");
    }
}

#[test]
fn what_does_not_say_who_it_is_is_refused() {
    for (htype, hlen, chaddr, identifier, word) in [
        (32, 0, &[][..], None, "dhcp-client-identifier"),
        (32, 0, &[], Some(&[][..]), "dhcp-client-identifier"),
        (32, 0, &[], Some(&[0]), "dhcp-client-identifier"),
        // Without the length the address does not count.
        (32, 0, &PORT, None, "dhcp-client-identifier"),
        (32, 16, &PORT, Some(&[0x20, 1, 2, 3]), "dhcp-hardware-address"),
        (32, 8, &[0; 8], None, "dhcp-hardware-address"),
        (32, 6, &[1, 0, 0, 0, 0, 9], None, "dhcp-hardware-address"),
        // Elsewhere an identifier stands for nobody.
        (1, 0, &[], Some(&[0x20, 0, 2, 0xc9, 3, 0, 5, 0xcf, 0xfb]), "dhcp-hardware-address"),
        (24, 8, &PORT, None, "dhcp-hardware-address"),
    ] {
        assert_eq!(
            message(htype, hlen, chaddr, identifier).identity(),
            Err(word),
            "{htype} {hlen} {identifier:?}"
        );
    }
}

#[test]
fn ethernet_is_not_taken_for_infiniband() {
    let mac = [0x52, 0x54, 0, 0, 0, 0x0a];
    for identifier in [
        None,
        Some([&[1][..], &mac].concat()),
        Some([&[0xff, 9, 9, 9, 9, 0, 3, 0, 1][..], &mac].concat()),
        Some([&[0x20][..], &PORT].concat()),
    ] {
        let asked = message(1, 6, &mac, identifier.as_deref());
        assert_eq!((asked.identity(), asked.is_infiniband()), (Ok(Mac(mac)), false), "{identifier:?}");
    }
}
