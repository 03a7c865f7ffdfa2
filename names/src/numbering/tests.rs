use super::*;

fn numbering(lowest: u32, highest: u32, first: &str) -> Numbering {
    Numbering {
        numbers: NumberRange { lowest, highest },
        first: first.parse().unwrap(),
        first_ipv6: None,
        suffix: String::new(),
    }
}

#[test]
fn numbers_and_addresses() {
    let table: &[(Numbering, u32, &str)] = &[
        (numbering(0, 1023, "10.77.1.0"), 0, "10.77.1.0"),
        (numbering(0, 1023, "10.77.1.0"), 23, "10.77.1.23"),
        (numbering(0, 1023, "10.77.1.0"), 256, "10.77.2.0"),
        (numbering(0, 1023, "10.77.1.0"), 1023, "10.77.4.255"),
        (numbering(100, 199, "192.0.2.1"), 100, "192.0.2.1"),
        (numbering(100, 199, "192.0.2.1"), 199, "192.0.2.100"),
        (numbering(0, u32::MAX, "0.0.0.0"), u32::MAX, "255.255.255.255"),
        (numbering(u32::MAX, u32::MAX, "10.0.0.1"), u32::MAX, "10.0.0.1"),
    ];
    for (network, number, address) in table {
        let address: Ipv4Addr = address.parse().unwrap();
        assert_eq!(network.address(*number), Some(address), "{network:?} {number}");
        assert_eq!(network.number(address), Some(*number), "{network:?} {number}");
    }
}

#[test]
fn what_lives_elsewhere() {
    let network = numbering(100, 199, "192.0.2.1");
    for number in [0, 99, 200, u32::MAX] {
        assert_eq!(network.address(number), None, "{number}");
    }
    for address in ["0.0.0.0", "192.0.2.0", "192.0.2.101", "255.255.255.255"] {
        assert_eq!(network.number(address.parse().unwrap()), None, "{address}");
    }
}

#[test]
fn a_range_past_the_last_address_ends_there() {
    let network = numbering(0, 20, "255.255.255.250");
    assert_eq!(network.address(5), Some(Ipv4Addr::BROADCAST));
    assert_eq!(network.address(6), None);
    assert_eq!(network.last(), None);
    assert_eq!(numbering(0, 5, "255.255.255.250").last(), Some(Ipv4Addr::BROADCAST));
}

#[test]
fn sizes() {
    for (lowest, highest, size) in [(0, 0, 1), (5, 9, 5), (0, u32::MAX, 1 << 32)] {
        assert_eq!(NumberRange { lowest, highest }.size(), size);
    }
}

#[test]
fn addresses_of_ipv6() {
    let of = |lowest, highest, first: &str| Numbering {
        first_ipv6: Some(first.parse().unwrap()),
        ..numbering(lowest, highest, "10.77.1.0")
    };
    let table: &[(Numbering, u32, Option<&str>)] = &[
        (of(0, 1023, "fd77::1:0"), 0, Some("fd77::1:0")),
        (of(0, 1023, "fd77::1:0"), 23, Some("fd77::1:17")),
        (of(100, 199, "fd77::fff0"), 150, Some("fd77::1:22")),
        (of(0, 1023, "fd77::1:0"), 1024, None),
        (
            of(5, 9, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe"),
            6,
            Some("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ),
        (of(5, 9, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe"), 7, None),
        (numbering(0, 9, "10.77.1.0"), 5, None),
    ];
    for (network, number, expected) in table {
        let expected: Option<Ipv6Addr> = expected.map(|address| address.parse().unwrap());
        assert_eq!(network.address_ipv6(*number), expected, "{network:?} {number}");
        let back = expected.map(|address| network.number_ipv6(address));
        assert_eq!(back.unwrap_or(Some(*number)), Some(*number), "{network:?} {number}");
    }
    let network = of(100, 199, "fd77::1:0");
    for address in ["::", "fd77::ffff", "fd77::1:64", "fd77:0:0:1::1:0", "ffff::"] {
        assert_eq!(network.number_ipv6(address.parse().unwrap()), None, "{address}");
    }
}
