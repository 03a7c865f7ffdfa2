//! Hosts whose addresses the configuration exchanges, by whatever tells them.

use super::*;

/// Two hosts with these words in their tables, and where their addresses are.
fn hosts(words: [&str; 2], at: [&str; 2]) -> String {
    let host = |place: usize| format!("[[host]]\n{}\naddress = \"{}\"\n", words[place], at[place]);
    let behind = "temporary = \"10.88.200.1-10.88.200.9\"\n";
    let before = BOTH
        .split("[[host]]")
        .next()
        .expect("hosts are the last tables")
        .replace(behind, &format!("{behind}guests = \"10.88.210.1-10.88.210.9\"\n"));
    format!("{before}{}{}", host(0), host(1))
}

fn has(identifier: &'static [u8]) -> impl Fn(&mut Message) {
    move |message| message.options.set(option::CLIENT_IDENTIFIER, identifier)
}

fn configure(world: &mut World, text: &str) {
    let interface = Interface { name: "eth1".into(), addresses: vec![(SERVER, 16)] };
    let (config, _) = Config::parse(text, &[interface]).expect("the configuration is right");
    let mut out = Vec::new();
    world.heorot.handle(world.now, Input::Configure(Box::new(config)), &mut out);
    world.sent(out);
    world.commit();
}

/// What is offered to a machine.
fn offered(world: &mut World, machine: Mac, with: &dyn Fn(&mut Message)) -> Ipv4Addr {
    let mut discover = asked(machine, Some(MessageType::Discover));
    with(&mut discover);
    world.answer(&discover).0.yiaddr
}

/// "Guarantee that any specific network address will not be in use by more than one DHCP client at a time" (RFC 2131 1.6).
#[test]
fn what_a_host_has_is_no_others_however_they_are_told_apart() {
    let [own, another] = [address(10, 88, 0, 60), address(10, 88, 0, 51)];
    let circuit = |port: u8| by_relay(&[1, 3, b's', b'w', port]);
    type With = Box<dyn Fn(&mut Message)>;
    let both = |identifier: &'static [u8]| -> With {
        let (relay, has) = (by_relay(&[]), has(identifier));
        Box::new(move |message| {
            relay(message);
            has(message);
        })
    };
    let cases: [([&str; 2], [With; 2]); 3] = [
        (["mac = \"52:54:00:00:00:41\"", "mac = \"52:54:00:00:00:42\""], [both(b"a"), both(b"b")]),
        (["client-id = \"pdu-one\"", "client-id = \"pdu-two\""], [both(b"pdu-one"), both(b"pdu-two")]),
        (
            ["circuit-id = \"sw1\"", "circuit-id = \"sw2\""],
            [Box::new(circuit(b'1')), Box::new(circuit(b'2'))],
        ),
    ];
    for (words, with) in cases {
        let mut world = World::new(&hosts(words, ["10.88.0.60", "10.88.0.51"]));
        assert_eq!(world.boots(mac(0x41), &with[0]), own, "{words:?}");
        assert_eq!(world.boots(mac(0x42), &with[1]), another, "{words:?}");
        // The same file again changes nothing.
        configure(&mut world, &hosts(words, ["10.88.0.60", "10.88.0.51"]));
        assert!(world.troubles.is_empty(), "{:?}", world.troubles);
        assert_eq!(offered(&mut world, mac(0x41), &with[0]), own, "{words:?}");
        configure(&mut world, &hosts(words, ["10.88.0.51", "10.88.0.60"]));
        assert_eq!(world.troubles.len(), 1, "{:?}", world.troubles);
        let meanwhile = world.boots(mac(0x41), &with[0]);
        assert!(![own, another].contains(&meanwhile), "{words:?}: {meanwhile}");
        // The first one has left its own, so that the second one may have that.
        world.wait(Duration::from_secs(1));
        assert_eq!(world.boots(mac(0x42), &with[1]), own, "{words:?}");
        world.wait(Duration::from_secs(1));
        assert_eq!(world.boots(mac(0x41), &with[0]), another, "{words:?}");
    }
}
