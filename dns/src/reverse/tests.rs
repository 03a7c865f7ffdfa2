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
        assert_eq!(zones(prefixes).zones, expected, "{prefixes:?}");
    }
    assert_eq!(zones(&["10.0.0.0/9"]).zones.len(), 128);
    assert_eq!(zones(&["0.0.0.0/0"]).zones.len(), 256);
}

#[test]
fn names_and_their_places() {
    use ReverseName as R;
    let table: &[(&str, Option<(&str, ReverseName)>)] = &[
        ("77.10.in-addr.arpa", Some(("77.10.in-addr.arpa", R::Apex))),
        (
            "1.77.10.in-addr.arpa",
            Some(("77.10.in-addr.arpa", R::Above([10, 77, 1, 0].into(), [10, 77, 1, 255].into()))),
        ),
        ("5.1.77.10.IN-ADDR.ARPA", Some(("77.10.in-addr.arpa", R::Of([10, 77, 1, 5].into())))),
        ("9.5.1.77.10.in-addr.arpa", Some(("77.10.in-addr.arpa", R::Nothing))),
        ("x.77.10.in-addr.arpa", Some(("77.10.in-addr.arpa", R::Nothing))),
        ("5.01.77.10.in-addr.arpa", Some(("77.10.in-addr.arpa", R::Nothing))),
        ("5.256.77.10.in-addr.arpa", Some(("77.10.in-addr.arpa", R::Nothing))),
        ("5.+1.77.10.in-addr.arpa", Some(("77.10.in-addr.arpa", R::Nothing))),
        ("2.0.192.in-addr.arpa", Some(("2.0.192.in-addr.arpa", R::Apex))),
        ("7.2.0.192.in-addr.arpa", Some(("2.0.192.in-addr.arpa", R::Of([192, 0, 2, 7].into())))),
        ("10.in-addr.arpa", None),
        ("0.192.in-addr.arpa", None),
        ("in-addr.arpa", None),
        ("arpa", None),
        ("5.1.78.10.in-addr.arpa", None),
        ("5.1.77.010.in-addr.arpa", None),
        ("node0.cluster", None),
    ];
    let zones = zones(&["10.77.0.0/16", "192.0.2.0/24"]);
    for (name, expected) in table {
        let expected = match expected {
            Some((apex, at)) => Place::In { apex: Name::parse(apex).unwrap(), at: *at },
            None => Place::Elsewhere,
        };
        assert_eq!(zones.place(&Name::parse(name).unwrap()), Ok(expected), "{name}");
    }
}
