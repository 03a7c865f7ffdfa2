use super::*;
use crate::config::Interface;

fn config(rest: &str) -> Config {
    let text = format!(
        "[[network]]\ninterface = \"eth1\"\nnumbers = \"0-9\"\nfirst = \"10.77.1.0\"\ntemporary = \"10.77.200.1-10.77.200.9\"\n{rest}"
    );
    let interface = Interface { name: "eth1".into(), addresses: vec![(Ipv4Addr::new(10, 77, 0, 1), 16)] };
    match Config::parse(&text, &[interface]) {
        Ok((config, _)) => config,
        Err(mistakes) => panic!("{}", crate::config::render("heorot.toml", &text, &mistakes)),
    }
}

const A: Mac = Mac([0x52, 0x54, 0, 0, 0, 0x0a]);
const B: Mac = Mac([0x52, 0x54, 0, 0, 1, 0x0b]);

#[test]
fn the_most_exact_entry_is_found() {
    let config = config(
        r#"
        [[node]]
        mac = "52:54:00:00:00:0a"
        [[node]]
        client-id = "node-b"
        [[node]]
        circuit-id = "7/1"
        remote-id = "hex:aabb"
        [[host]]
        mac = ["52:54:*:*:*:*", "00:00:5e:00:53:01"]
        [[host]]
        mac = "52:54:00:00:*:*"
        [[host]]
        mac = "52:54:00:*:01:*"
        [[host]]
        circuit-id = "7/1"
        [[host]]
        remote-id = "hex:aabb"
        [[host]]
        client-id = "hex:01:02:03"
        "#,
    );
    let index = Reservations::new(&config);
    let (node, host) = (Entry::Node, Entry::Host);
    let nobody = Traits { mac: Some(Mac([2, 0, 0, 0, 0, 1])), ..Traits::default() };
    let (a, b) = (Traits { mac: Some(A), ..nobody.clone() }, Traits { mac: Some(B), ..nobody.clone() });
    let circuit = Some(&b"7/1"[..]);
    let remote = Some(&b"\xaa\xbb"[..]);
    for (what, traits, expected) in [
        ("nobody", nobody.clone(), None),
        ("its address", a.clone(), Some((node(0), By::Mac))),
        (
            "an identifier before the address",
            Traits { client: Some(b"node-b"), ..a.clone() },
            Some((node(1), By::Client)),
        ),
        (
            "with the type of RFC 2132 9.14",
            Traits { client: Some(b"\0node-b"), ..a.clone() },
            Some((node(1), By::Client)),
        ),
        ("octets", Traits { client: Some(&[1, 2, 3]), ..nobody.clone() }, Some((host(5), By::Client))),
        (
            "an identifier that nobody has",
            Traits { client: Some(b"node-c"), ..a.clone() },
            Some((node(0), By::Mac)),
        ),
        ("the address before the relay", Traits { circuit, ..a.clone() }, Some((node(0), By::Mac))),
        ("the relay before a pattern", Traits { circuit, ..b.clone() }, Some((host(3), By::Relay))),
        ("both before one", Traits { circuit, remote, ..b.clone() }, Some((node(2), By::Relay))),
        ("the other alone", Traits { remote, ..nobody.clone() }, Some((host(4), By::Relay))),
        (
            "another circuit of that end",
            Traits { circuit: Some(b"7/2"), remote, ..nobody },
            Some((host(4), By::Relay)),
        ),
        ("two patterns of two: the first in the file", b.clone(), Some((host(1), By::Mac))),
        (
            "a pattern of two before one of four",
            Traits { mac: Some(Mac([0x52, 0x54, 0, 9, 1, 9])), ..b.clone() },
            Some((host(2), By::Mac)),
        ),
        (
            "a pattern of four",
            Traits { mac: Some(Mac([0x52, 0x54, 9, 9, 9, 9])), ..b.clone() },
            Some((host(0), By::Mac)),
        ),
        (
            "a further address",
            Traits { mac: Some(Mac([0, 0, 0x5e, 0, 0x53, 1])), ..b },
            Some((host(0), By::Mac)),
        ),
        ("no hardware address", Traits::default(), None),
    ] {
        assert_eq!(index.find(&traits), expected, "{what}");
    }
}

#[test]
fn all_that_a_class_says_must_hold() {
    let config = config(
        r#"
        [[class]]
        name = "vendor"
        vendor-class = ["PXEClient:Arch:00007", "Cisco"]
        [[class]]
        name = "user"
        user-class = "iPXE"
        [[class]]
        name = "architecture"
        architecture = ["uefi-arm64", 19, "16"]
        [[class]]
        name = "mac"
        mac = ["00:00:5e:*:*:*", "52:54:00:00:00:0a"]
        [[class]]
        name = "circuit"
        circuit-id = "7/1"
        [[class]]
        name = "network"
        network = "eth1"
        [[class]]
        name = "both"
        vendor-class = "Cisco"
        circuit-id = ["7/1", "7/2"]
        [[class]]
        name = "remote, on the other network"
        remote-id = "r"
        network = "10.77.0.0"
        "#,
    );
    let elsewhere = Traits { network: 1, ..Traits::default() };
    let names = |traits: &Traits<'_>| {
        classes(&config, traits).iter().map(|place| config.classes[*place].name.clone()).collect::<Vec<_>>()
    };
    for (traits, expected) in [
        (elsewhere.clone(), &[][..]),
        (Traits::default(), &["network"]),
        (
            Traits { vendor_class: Some(b"PXEClient:Arch:00007:UNDI:003000"), ..elsewhere.clone() },
            &["vendor"],
        ),
        (Traits { vendor_class: Some(b"PXEClient:Arch:00000"), ..elsewhere.clone() }, &[]),
        (Traits { user_classes: vec![b"gPXE", b"iPXE"], ..elsewhere.clone() }, &["user"]),
        (Traits { user_classes: vec![b"iPXE2"], ..elsewhere.clone() }, &[]),
        (Traits { architectures: vec![11], ..elsewhere.clone() }, &["architecture"]),
        (Traits { architectures: vec![7, 16], ..elsewhere.clone() }, &["architecture"]),
        (Traits { architectures: vec![7], ..elsewhere.clone() }, &[]),
        (Traits { mac: Some(A), ..elsewhere.clone() }, &["mac"]),
        (Traits { mac: Some(B), ..elsewhere.clone() }, &[]),
        (Traits { circuit: Some(b"7/1"), ..elsewhere.clone() }, &["circuit"]),
        (
            Traits { circuit: Some(b"7/2"), vendor_class: Some(b"Cisco AP"), ..elsewhere.clone() },
            &["vendor", "both"],
        ),
        (Traits { remote: Some(b"r"), ..elsewhere }, &[]),
        (Traits { remote: Some(b"r"), ..Traits::default() }, &["network", "remote, on the other network"]),
    ] {
        assert_eq!(names(&traits), expected, "{traits:?}");
    }
}

#[test]
fn what_a_relay_alone_tells_is_known() {
    let relays = |rest: &str| {
        let config = config(rest);
        let index = Reservations::new(&config);
        let [own, port] = [[10, 77, 0, 5], [10, 77, 0, 6]].map(|address| index.is_by_relay(address.into()));
        (own, port, index.relays_say_more(), has_class_by_relay(&config, 0))
    };
    let host = |who: &str| format!("[[host]]\n{who}\n");
    let address = |last: u8| format!("address = \"10.77.0.{last}\"");
    let by_mac = host(&format!("mac = \"52:54:00:00:00:05\"\ncircuit-id = \"a\"\n{}", address(5)));
    assert_eq!(relays(&by_mac), (false, false, false, false), "its hardware address tells it too");
    assert_eq!(relays(&host(&format!("circuit-id = \"a\"\n{}", address(6)))), (false, true, false, false));
    assert_eq!(relays(&host("remote-id = \"b\"\nlease = \"2h\"")), (false, false, true, false));
    assert_eq!(relays("[[node]]\ncircuit-id = \"a\"\nnumber = 3\n"), (false, false, false, false));
    assert_eq!(relays("[[node]]\ncircuit-id = \"a\"\n"), (false, false, true, false));
    assert_eq!(relays("[[class]]\nname = \"a\"\nremote-id = \"b\"\n"), (false, false, false, true));
    assert_eq!(relays("[[class]]\nname = \"a\"\nvendor-class = \"b\"\n"), (false, false, false, false));
}

#[test]
fn addresses_of_hosts_are_known() {
    let config = config("[[host]]\nmac = \"52:54:00:00:00:0a\"\naddress = \"10.77.0.20\"\n");
    let index = Reservations::new(&config);
    assert!(index.has_address(Ipv4Addr::new(10, 77, 0, 20)));
    assert!(!index.has_address(Ipv4Addr::new(10, 77, 0, 21)));
}
