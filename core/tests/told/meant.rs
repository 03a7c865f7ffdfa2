//! Whom an operator means: hosts and nodes by what they are called, classes, and who is ignored.

use super::*;

#[test]
fn who_is_ignored_gets_no_answer() {
    let mut world = World::new(
        "[[class]]\nname = \"a\"\nvendor-class = \"Camera\"\nignore = true\n[[host]]\nmac = \"52:54:00:00:00:*\"\nignore = true\n[[host]]\nmac = \"52:54:00:00:00:02\"\n",
    );
    assert_eq!(world.line(&Said::discover(1)), "nothing");
    assert_eq!(world.line(&Said::discover(1).firmware(7, "PXEClient")), "nothing");
    assert!(world.line(&Said::discover(2)).starts_with("OFFER 10.77.210."));
    assert_eq!(world.line(&Said::discover(2).with(option::VENDOR_CLASS, b"Camera 3")), "nothing");
    assert_eq!(world.line(&Said::reboot(1, [10, 77, 210, 1])), "nothing");
    // The journal has it once.
    let of_it = world.events.iter().filter(|event| event.contains("52:54:00:00:00:01"));
    assert_eq!(
        of_it.collect::<Vec<_>>(),
        [
            "52:54:00:00:00:01 it asks, and gets no answer: [[host]] 52:54:00:00:00:* says that it is to be ignored"
        ]
    );
}

#[test]
fn a_reserved_address_is_its_hosts() {
    let mut world = World::new(
        r#"
        [[host]]
        mac = ["52:54:00:00:00:01", "52:54:00:00:00:02"]
        address = "10.77.0.20"
        name = "Switch"
        lease = "1d"
        [[host]]
        client-id = "printer"
        address = "10.77.210.2"
        [[host]]
        mac = "52:54:00:00:00:04"
        name = "laptop"
        lease = "5m"
        "#,
    );
    for (what, said, answer) in [
        ("its address, name and lease", Said::discover(1), "OFFER 10.77.0.20 for 86400 as switch"),
        ("taken", Said::select(1, [10, 77, 0, 20]), "ACK 10.77.0.20 for 86400 as switch"),
        ("by the other interface", Said::discover(2), "OFFER 10.77.0.20 for 86400 as switch"),
        (
            "also if its firmware boots: it is no node",
            Said::discover(1).firmware(7, "PXEClient"),
            "OFFER 10.77.0.20 for 86400 as switch",
        ),
        ("once more", Said::reboot(1, [10, 77, 0, 20]), "ACK 10.77.0.20 for 86400 as switch"),
        ("another's", Said::reboot(3, [10, 77, 0, 20]), "NAK 0.0.0.0"),
        ("not offered to another", Said::select(3, [10, 77, 0, 20]), "NAK 0.0.0.0"),
        (
            "in guests",
            Said::discover(5).with(option::CLIENT_IDENTIFIER, b"\0printer"),
            "OFFER 10.77.210.2 for 43200",
        ),
        ("of guests, another's", Said::reboot(3, [10, 77, 210, 2]), "NAK 0.0.0.0"),
        ("no address of its own", Said::select(4, [10, 77, 210, 1]), "ACK 10.77.210.1 for 300 as laptop"),
        ("the last that is free", Said::discover(6), "OFFER 10.77.210.3 for 3600"),
        ("which is kept for it", Said::discover(7), "nothing"),
    ] {
        assert_eq!(world.line(&said), answer, "{what}");
    }
}

/// Whoever had an address of `guests` before its own was reserved is told so as soon as it starts anew, and an address that is still lent is not
/// given to the host for whom it is reserved from now on.
#[test]
fn reservations_come_into_a_running_server() {
    let mut world = World::new("");
    assert_eq!(world.line(&Said::select(1, [10, 77, 210, 1])), "ACK 10.77.210.1 for 3600");
    assert_eq!(world.line(&Said::select(2, [10, 77, 210, 2])), "ACK 10.77.210.2 for 3600");
    let text = "[[host]]\nmac = \"52:54:00:00:00:01\"\naddress = \"10.77.0.20\"\n[[host]]\nmac = \"52:54:00:00:00:03\"\naddress = \"10.77.210.2\"\n";
    world.happen(Input::Configure(Box::new(config(&format!("{NETWORK}{text}")))));
    let renew = Said { ciaddr: Ipv4Addr::new(10, 77, 210, 1), ..Said::by(1, MessageType::Request) };
    assert_eq!(world.line(&renew), "ACK 10.77.210.1 for 3600", "what was promised stands");
    assert_eq!(world.line(&Said::reboot(1, [10, 77, 210, 1])), "NAK 0.0.0.0");
    assert_eq!(world.line(&Said::discover(1)), "OFFER 10.77.0.20 for 43200");
    assert_eq!(world.line(&Said::discover(3)), "OFFER 10.77.210.3 for 3600", "its own is still another's");
    let release = Said { ciaddr: Ipv4Addr::new(10, 77, 210, 2), ..Said::by(2, MessageType::Release) };
    assert_eq!(world.line(&release), "nothing");
    assert_eq!(world.line(&Said::discover(3)), "OFFER 10.77.210.2 for 43200");
}

#[test]
fn a_node_is_known_by_what_the_configuration_says() {
    let mut world = World::new(
        r#"
        [[node]]
        client-id = "hex:ff01"
        number = 3
        [[node]]
        circuit-id = "7/4"
        number = 4
        options = { mtu = 9000 }
        "#,
    );
    let id = |last: u8| Said::discover(last).with(option::CLIENT_IDENTIFIER, &[0xff, 1]);
    let at = |last: u8, port: &[u8]| {
        // "There is no pad sub-option" (RFC 3046 2.0): 0 is one like others.
        let value = [&[0, 1, 9, 1, u8::try_from(port.len()).unwrap()][..], port].concat();
        Said::discover(last).with(option::RELAY_AGENT, &value)
    };
    for (what, said, answer) in [
        ("by its client identifier", id(1), "OFFER 10.77.1.3 for 43200 as node3"),
        ("with another hardware address", id(2), "OFFER 10.77.1.3 for 43200 as node3"),
        ("known from then on", Said::reboot(2, [10, 77, 1, 3]), "ACK 10.77.1.3 for 43200 as node3"),
        ("by its place", at(5, b"7/4"), "OFFER 10.77.1.4 for 43200 as node4"),
        (
            "a second machine there does not get the number of the first",
            at(6, b"7/4").firmware(7, "PXEClient"),
            "OFFER 10.77.200.5 for 60",
        ),
        ("another place", at(7, b"7/5"), "OFFER 10.77.210.1 for 3600"),
    ] {
        let line = world.line(&said);
        let is_right = line == answer || (answer.contains("10.77.2") && line[..12] == answer[..12]);
        assert!(is_right, "{what}: {line}");
    }
    assert!(
        world.told(&Said::discover(5).asking(&[26])).contains(&(26, vec![0x23, 0x28])),
        "it is known without its relay"
    );
}

/// ROM and loader may be of different classes; what either gives holds for the boot.
#[test]
fn a_class_gives_its_nodes_a_profile() {
    let text = r#"
        [profile.arm]
        kernel = "Image"
        options = { root-path = "nfs:arm" }
        [profile.own]
        kernel = "own"
        [[class]]
        name = "arm"
        architecture = "uefi-arm64"
        profile = "arm"
        [[node]]
        mac = "52:54:00:00:00:01"
        number = 1
        [[node]]
        mac = "52:54:00:00:00:02"
        number = 2
        profile = "own"
    "#;
    for (last, architecture, kernel, root) in
        [(1, 11, "Image", Some(&b"nfs:arm"[..])), (1, 7, "vmlinuz", None), (2, 11, "own", None)]
    {
        let mut world = World::new(text);
        let firmware = Said::discover(last).firmware(architecture, "PXEClient").asking(&[17]);
        let (answer, _) = world.send(&firmware).unwrap();
        assert_eq!(answer.options.get(option::ROOT_PATH), root, "{last} {architecture}");
        let address = Ipv4Addr::new(10, 77, 1, last);
        world.line(&Said::select(last, address.octets()).firmware(architecture, "PXEClient"));
        let ipxe = Said::discover(last).firmware(7, "PXEClient").with(option::USER_CLASS, b"iPXE");
        world.line(&ipxe);
        let script = world.file(address, "boot.ipxe");
        assert!(script.contains(&format!("/{kernel} ")), "{last} {architecture}: {script}");
    }
}
