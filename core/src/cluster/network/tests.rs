use super::*;
use crate::config::Interface;

fn config() -> Config {
    let text = r#"
[[network]]
interface = "eth1"
numbers = "0-9"
first = "10.77.1.0"
temporary = "10.77.200.1-10.77.200.9"
guests = "10.77.210.1-10.77.210.9"
[[network]]
interface = "eth1"
address = "10.88.0.1/16"
numbers = "10-19"
first = "10.88.1.0"
temporary = "10.88.200.1-10.88.200.9"
[[network]]
interface = "eth2"
numbers = "0-9"
first = "10.78.1.0"
suffix = "-ib"
temporary = "10.78.200.1-10.78.200.9"
"#;
    let interface = |name: &str, second| Interface {
        name: name.into(),
        addresses: vec![(Ipv4Addr::new(10, second, 0, 1), 16)],
    };
    Config::parse(text, &[interface("eth1", 77), interface("eth2", 78)])
        .expect("the configuration is right")
        .0
}

#[test]
fn where_a_client_is() {
    let none = Ipv4Addr::UNSPECIFIED;
    let config = config();
    for (interface, relay, spoken_of, may_be_routed, place) in [
        ("eth1", none, none, false, Some(0)),
        ("eth2", none, none, false, Some(2)),
        ("eth3", none, none, false, None),
        // A relay tells, whatever it says and by whichever interface it comes.
        ("eth2", Ipv4Addr::new(10, 88, 0, 254), none, false, Some(1)),
        ("eth1", Ipv4Addr::new(10, 88, 0, 254), Ipv4Addr::new(10, 77, 1, 1), false, Some(1)),
        ("eth1", Ipv4Addr::new(10, 99, 0, 254), none, false, None),
        // A renewal from behind a router.
        ("eth1", none, Ipv4Addr::new(10, 88, 1, 3), true, Some(1)),
        // Without a router and a relay between, nobody is behind one.
        ("eth1", none, Ipv4Addr::new(10, 88, 1, 3), false, Some(0)),
        // An address of another link means nothing on this one.
        ("eth1", none, Ipv4Addr::new(10, 78, 1, 3), true, Some(0)),
        ("eth1", none, Ipv4Addr::new(192, 168, 1, 1), true, Some(0)),
    ] {
        let found = of_client(&config, interface, relay, spoken_of, may_be_routed);
        assert_eq!(found, place, "{interface} {relay} {spoken_of} {may_be_routed}");
    }
}

#[test]
fn whose_addresses_are_ours() {
    let config = config();
    for (address, number, ours) in [
        ([10, 77, 1, 9], Some(9), true),
        ([10, 77, 1, 10], None, false),
        ([10, 88, 1, 0], Some(10), true),
        ([10, 78, 1, 3], Some(3), true),
        ([10, 77, 200, 9], None, true),
        ([10, 77, 210, 1], None, true),
        ([10, 77, 0, 1], None, false),
    ] {
        let address = Ipv4Addr::from(address);
        assert_eq!((number_at(&config, address), is_ours(&config, address)), (number, ours), "{address}");
    }
}

#[test]
fn what_can_be_a_hosts_address() {
    let config = config();
    for (address, is_one) in [
        ([10, 77, 0, 99], true),
        ([192, 168, 1, 255], true),
        ([10, 77, 0, 0], false),
        ([10, 77, 255, 255], false),
        ([0, 0, 0, 0], false),
        ([127, 0, 0, 1], false),
        ([226, 77, 0, 1], false),
        ([240, 0, 0, 1], false),
        ([255, 255, 255, 255], false),
    ] {
        assert_eq!(is_of_a_host(&config, Ipv4Addr::from(address)), is_one, "{address:?}");
    }
}

/// The least of what `[tftp]`, the interface and the network say.
#[test]
fn how_long_blocks_are() {
    let mut config = config();
    config.tftp.block_octets_max = 8968;
    let long = |config: &Config, mtu| {
        let links = links(config, |_| Some(mtu));
        links.iter().map(|link| link.block_octets_max).collect::<Vec<_>>()
    };
    // Two interfaces, and what is behind a relay.
    assert_eq!(long(&config, 9000), [8968, 8968, 8968]);
    config.networks[1].block_octets_max = Some(1418);
    assert_eq!(long(&config, 9000), [8968, 8968, 1418]);
    assert_eq!(long(&config, 1400), [1368, 1368, 1368]);
    config.networks[2].block_octets_max = Some(1024);
    config.tftp.block_octets_max = 1200;
    assert_eq!(long(&config, 9000), [1200, 1024, 1200]);
}

/// A relay's helper may be any address of this host: neither HTTP nor DNS answers at one that is no network's.
#[test]
fn where_all_is_served() {
    let config = config();
    for (known_by, served) in [
        ([10, 77, 0, 1], [10, 77, 0, 1]),
        ([10, 78, 0, 1], [10, 78, 0, 1]),
        ([10, 78, 0, 100], [10, 78, 0, 1]),
        ([192, 0, 2, 1], [10, 77, 0, 1]),
        ([127, 0, 0, 1], [127, 0, 0, 1]),
    ] {
        assert_eq!(served_address(&config, Ipv4Addr::from(known_by), None), Ipv4Addr::from(served));
    }
    // One of no network: our address where the packet came by.
    let unlisted = Ipv4Addr::new(192, 0, 2, 1);
    for (came_by, served) in [("eth1", [10, 77, 0, 1]), ("eth2", [10, 78, 0, 1]), ("eth3", [10, 77, 0, 1])] {
        assert_eq!(served_address(&config, unlisted, Some(came_by)), Ipv4Addr::from(served), "{came_by}");
    }
    for (asker, served) in
        [([10, 88, 1, 3], [10, 77, 0, 1]), ([10, 78, 1, 3], [10, 78, 0, 1]), ([10, 99, 0, 1], [10, 77, 0, 1])]
    {
        assert_eq!(served_to(&config, unlisted, asker.into()), Ipv4Addr::from(served), "{asker:?}");
    }
    let url = crate::cluster::boot::http_base(&config, Ipv4Addr::new(10, 78, 0, 100));
    assert_eq!(url, "http://10.78.0.1");
}
