use super::*;
use crate::NumberRange;

fn directory() -> Directory {
    let network = |lowest, highest, first: [u8; 4], suffix: &str| Numbering {
        numbers: NumberRange { lowest, highest },
        first: first.into(),
        first_ipv6: None,
        suffix: suffix.into(),
    };
    Directory {
        networks: vec![
            network(0, 99, [10, 77, 1, 0], ""),
            network(100, 199, [10, 78, 1, 0], ""),
            network(0, 199, [10, 99, 0, 0], "-ib"),
        ],
        given_names: [(7, "storage".into()), (150, "login".into()), (900, "nowhere".into())].into(),
        hosts: [("switch".to_owned(), Ipv4Addr::new(10, 77, 0, 20))].into_iter().collect(),
        hardware_addresses: Default::default(),
        groups: Default::default(),
        ..Directory::new("cluster", Pattern::parse("node{}").unwrap())
    }
}

#[test]
fn hosts_and_addresses() {
    let table: &[(&str, &[[u8; 4]])] = &[
        ("node0", &[[10, 77, 1, 0]]),
        ("NODE23", &[[10, 77, 1, 23]]),
        ("node100", &[[10, 78, 1, 0]]),
        ("node100-ib", &[[10, 99, 0, 100]]),
        ("Node100-IB", &[[10, 99, 0, 100]]),
        ("storage", &[[10, 77, 1, 7]]),
        ("node7", &[[10, 77, 1, 7]]),
        ("storage-ib", &[[10, 99, 0, 7]]),
        ("login", &[[10, 78, 1, 50]]),
        // No network has these numbers; these are not how the names are spelled; this is nobody's.
        ("node200", &[]),
        ("nowhere", &[]),
        ("node023", &[]),
        ("node23-eth", &[]),
        ("-ib", &[]),
        ("", &[]),
        ("else", &[]),
    ];
    for (host, addresses) in table {
        let expected =
            (!addresses.is_empty()).then(|| addresses.iter().map(|a| Ipv4Addr::from(*a)).collect());
        assert_eq!(directory().addresses(host), expected, "{host}");
    }
}

#[test]
fn the_host_of_an_address() {
    let table: &[([u8; 4], Option<&str>)] = &[
        ([10, 77, 1, 0], Some("node0")),
        ([10, 77, 1, 7], Some("storage")),
        ([10, 78, 1, 49], Some("node149")),
        ([10, 99, 0, 7], Some("storage-ib")),
        ([10, 99, 0, 199], Some("node199-ib")),
        ([10, 99, 0, 200], None),
        ([10, 77, 1, 100], None),
        ([192, 0, 2, 1], None),
    ];
    for (address, host) in table {
        assert_eq!(directory().host((*address).into()).as_deref(), *host, "{address:?}");
    }
}

#[test]
fn every_address_leads_back_to_itself() {
    let directory = directory();
    for number in 0..200 {
        for suffix in ["", "-ib"] {
            let host = directory.name(number) + suffix;
            let addresses = directory.addresses(&host).unwrap();
            assert_eq!(addresses.len(), 1, "{host}");
            assert_eq!(directory.host(addresses[0]), Some(host));
        }
    }
}

#[test]
fn hosts_that_are_no_nodes_have_names_too() {
    let directory = directory();
    let address = Ipv4Addr::new(10, 77, 0, 20);
    assert_eq!(directory.addresses("Switch"), Some(vec![address]));
    assert_eq!(directory.host(address), Some("switch".into()));
    assert_eq!((directory.addresses("switch-ib"), directory.number("switch")), (None, None), "it is no node");
    assert_eq!(directory.host(Ipv4Addr::new(10, 77, 0, 21)), None);
    let last = |octet| Ipv4Addr::new(10, 77, 0, octet);
    for (lowest, highest, any) in [(0, 255, true), (20, 20, true), (21, 255, false), (0, 19, false)] {
        assert_eq!(directory.hosts.any_address(last(lowest), last(highest)), any, "{lowest}-{highest}");
    }
}

#[test]
fn hosts_have_addresses_of_either_kind() {
    let pairs =
        [("a", "192.0.2.1"), ("a", "fd77::1"), ("a", "192.0.2.1"), ("b", "192.0.2.1"), ("c", "fd77::2")];
    let address = |text: &str| text.parse::<IpAddr>().unwrap();
    let hosts: Hosts = pairs.iter().map(|(name, text)| ((*name).to_owned(), address(text))).collect();
    assert_eq!(hosts.addresses("a"), [address("192.0.2.1"), address("fd77::1")]);
    assert_eq!((hosts.address("b"), hosts.address("c")), (Some(Ipv4Addr::new(192, 0, 2, 1)), None));
    // The first of several names is the one to be told.
    assert_eq!((hosts.name(address("192.0.2.1")), hosts.name(address("fd77::2"))), (Some("a"), Some("c")));
    assert!(hosts.any_address(address("fd77::"), address("fd77::1")));
    assert!(!hosts.any_address(address("fd77::3"), address("fd77::9")));

    let mut directory = Directory { hosts, ..directory() };
    directory.networks[0].first_ipv6 = Some("fd77::1:0".parse().unwrap());
    assert_eq!(directory.all_addresses("NODE1"), Some(vec![address("10.77.1.1"), address("fd77::1:1")]));
    assert_eq!(directory.all_addresses("c"), Some(vec![address("fd77::2")]));
    assert_eq!(directory.addresses("c"), Some(vec![]), "it is there, without an address of IPv4");
    assert_eq!(directory.host_of(address("fd77::1:7")), Some("storage".into()));
    assert_eq!(directory.host_of(address("fd77::2")), Some("c".into()));
    let any = |lowest: &str, highest: &str| {
        directory.any_address_ipv6(lowest.parse().unwrap(), highest.parse().unwrap())
    };
    assert!(any("fd77::1:63", "fd77::2:0") && any("fd77::", "fd77::1") && !any("fd77::1:64", "fd77::2:0"));
}

/// Whether there are more names or more nodes in the set.
#[test]
fn a_set_is_told_by_the_names_of_its_nodes() {
    let few = directory();
    let many = Directory { given_names: (0..200).map(|n| (n, format!("rack{n}"))).collect(), ..directory() };
    for (directory, numbers, expected) in [
        (&few, vec![], ""),
        (&few, vec![6], "node6"),
        (&few, vec![7], "storage"),
        (&few, vec![5, 6, 7, 8, 150], "node[5-6,8],storage,login"),
        (&many, vec![], ""),
        (&many, vec![199], "rack199"),
        (&many, vec![198, 200, 201], "node[200-201],rack198"),
    ] {
        let set: NodeSet = numbers.into_iter().collect();
        assert_eq!(directory.fold(&set), expected);
    }
    let all: NodeSet = (0..300).collect();
    assert!(many.fold(&all).starts_with("node[200-299],rack0,rack1,"));
}
