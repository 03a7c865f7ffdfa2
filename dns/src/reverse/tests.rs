use super::*;

fn prefix(text: &str) -> Prefix {
    let (address, length) = text.split_once('/').unwrap();
    Prefix { address: address.parse().unwrap(), length: length.parse().unwrap() }
}

fn zones(prefixes: &[&str]) -> ReverseZones {
    let prefixes: Vec<_> = prefixes.iter().map(|text| prefix(text)).collect();
    ReverseZones::covering(&prefixes).unwrap()
}

#[test]
fn the_fewest_zones_cover_the_prefixes() {
    let table: &[(&[&str], &[&[u8]])] = &[
        (&[], &[]),
        (&["10.77.0.0/16"], &[&[10, 77]]),
        (&["10.77.3.9/16"], &[&[10, 77]]),
        (&["10.0.0.0/8"], &[&[10]]),
        (&["192.168.4.0/24"], &[&[192, 168, 4]]),
        (&["192.168.4.0/22"], &[&[192, 168, 4], &[192, 168, 5], &[192, 168, 6], &[192, 168, 7]]),
        (&["172.16.0.0/14"], &[&[172, 16], &[172, 17], &[172, 18], &[172, 19]]),
        (&["10.0.0.0/7"], &[&[10], &[11]]),
        (&["192.0.2.64/26"], &[&[192, 0, 2]]),
        (&["192.0.2.1/32", "192.0.2.128/25"], &[&[192, 0, 2]]),
        (&["10.77.0.0/16", "10.77.4.0/24"], &[&[10, 77]]),
        (&["10.77.4.0/24", "10.0.0.0/8", "10.77.0.0/16"], &[&[10]]),
        (&["10.77.0.0/16", "10.78.1.0/24"], &[&[10, 77], &[10, 78, 1]]),
        (&["255.255.255.0/23"], &[&[255, 255, 254], &[255, 255, 255]]),
    ];
    for (prefixes, expected) in table {
        let expected: BTreeSet<_> = expected.iter().map(|zone| zone.to_vec()).collect();
        assert_eq!(zones(prefixes).ipv4.zones, expected, "{prefixes:?}");
    }
    let table: &[(&str, &[&[u8]])] = &[
        ("fd77::/16", &[&[15, 13, 7, 7]]),
        ("fd77:1234::/18", &[&[15, 13, 7, 7, 0], &[15, 13, 7, 7, 1], &[15, 13, 7, 7, 2], &[15, 13, 7, 7, 3]]),
        (
            "fd77::/17",
            &[
                &[15, 13, 7, 7, 0],
                &[15, 13, 7, 7, 1],
                &[15, 13, 7, 7, 2],
                &[15, 13, 7, 7, 3],
                &[15, 13, 7, 7, 4],
                &[15, 13, 7, 7, 5],
                &[15, 13, 7, 7, 6],
                &[15, 13, 7, 7, 7],
            ],
        ),
    ];
    for (prefix, expected) in table {
        let expected: BTreeSet<_> = expected.iter().map(|zone| zone.to_vec()).collect();
        assert_eq!(zones(&[prefix]).ipv6.zones, expected, "{prefix}");
    }
    assert_eq!(zones(&["fd77::1/128"]).ipv6.zones.first().map(Vec::len), Some(31));
    assert_eq!(zones(&["10.0.0.0/9"]).ipv4.zones.len(), 128);
    assert_eq!(zones(&["0.0.0.0/0"]).ipv4.zones.len(), 256);
}

#[test]
fn names_and_their_places() {
    use ReverseName as R;
    let of = |address: &str| R::Of(address.parse().unwrap());
    let above = |lowest: &str, highest: &str| R::Above(lowest.parse().unwrap(), highest.parse().unwrap());
    let table: &[(&str, Option<(&str, ReverseName)>)] = &[
        ("77.10.in-addr.arpa", Some(("77.10.in-addr.arpa", R::Apex))),
        ("1.77.10.in-addr.arpa", Some(("77.10.in-addr.arpa", above("10.77.1.0", "10.77.1.255")))),
        ("5.1.77.10.IN-ADDR.ARPA", Some(("77.10.in-addr.arpa", of("10.77.1.5")))),
        ("9.5.1.77.10.in-addr.arpa", Some(("77.10.in-addr.arpa", R::Nothing))),
        ("x.77.10.in-addr.arpa", Some(("77.10.in-addr.arpa", R::Nothing))),
        ("5.01.77.10.in-addr.arpa", Some(("77.10.in-addr.arpa", R::Nothing))),
        ("5.256.77.10.in-addr.arpa", Some(("77.10.in-addr.arpa", R::Nothing))),
        ("5.+1.77.10.in-addr.arpa", Some(("77.10.in-addr.arpa", R::Nothing))),
        ("2.0.192.in-addr.arpa", Some(("2.0.192.in-addr.arpa", R::Apex))),
        ("7.2.0.192.in-addr.arpa", Some(("2.0.192.in-addr.arpa", of("192.0.2.7")))),
        ("10.in-addr.arpa", None),
        ("0.192.in-addr.arpa", None),
        ("in-addr.arpa", None),
        ("arpa", None),
        ("5.1.78.10.in-addr.arpa", None),
        ("5.1.77.010.in-addr.arpa", None),
        ("node0.cluster", None),
        ("7.7.d.f.ip6.arpa", Some(("7.7.d.f.ip6.arpa", R::Apex))),
        (
            "A.7.7.D.F.ip6.arpa",
            Some(("7.7.d.f.ip6.arpa", above("fd77:a000::", "fd77:afff:ffff:ffff:ffff:ffff:ffff:ffff"))),
        ),
        ("10.7.7.d.f.ip6.arpa", Some(("7.7.d.f.ip6.arpa", R::Nothing))),
        ("g.7.7.d.f.ip6.arpa", Some(("7.7.d.f.ip6.arpa", R::Nothing))),
        ("7.d.f.ip6.arpa", None),
        ("10.in-addr.ip6.arpa", None),
    ];
    let zones = zones(&["10.77.0.0/16", "192.0.2.0/24", "fd77::/16"]);
    for (name, expected) in table {
        let expected = match expected {
            Some((apex, at)) => Place::In { apex: Name::parse(apex).unwrap(), at: *at },
            None => Place::Elsewhere,
        };
        assert_eq!(zones.place(&Name::parse(name).unwrap()), Ok(expected), "{name}");
    }
}
