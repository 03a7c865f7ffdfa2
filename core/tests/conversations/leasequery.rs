//! Leasequery (RFC 4388): what a relay hears of who has which address.

use super::*;

const UNASSIGNED: u8 = 11;
const UNKNOWN: u8 = 12;
pub(crate) const ACTIVE: u8 = 13;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Query {
    Address(Ipv4Addr),
    Machine(Mac),
    Identifier(&'static [u8]),
}

/// A leasequery by a relay in the network on our link (RFC 4388 6.2).
pub(crate) fn about(query: Query) -> Message {
    let machine = if let Query::Machine(machine) = query { machine } else { Mac([0; 6]) };
    let mut message = asked(machine, None);
    message.options.set(option::MESSAGE_TYPE, vec![10]);
    message.giaddr = address(10, 77, 0, 9);
    match query {
        Query::Address(address) => (message.htype, message.hlen, message.ciaddr) = (0, 0, address),
        Query::Machine(_) => {}
        Query::Identifier(identifier) => {
            (message.htype, message.hlen) = (0, 0);
            message.options.set(option::CLIENT_IDENTIFIER, identifier);
        }
    }
    message
}

#[test]
fn a_relay_hears_who_has_which_address() {
    const DUID: &[u8] = &[0xff, 9, 9, 9, 9, 0, 2, 0, 0, 0xab, 0x11, 7, 7, 7];
    let mut world = World::new(BOTH);
    let temporary = world.boots(mac(1), |message| {
        is_firmware(message);
        message.options.set(option::CLIENT_IDENTIFIER, DUID);
    });
    let own = world.boots(mac(7), is_firmware);
    let elsewhere = world.boots(mac(0x17), |message| {
        is_firmware(message);
        by_relay(&[1, 2, b'p', b'4'])(message);
    });
    let reserved = world.boots(mac(0x27), |_| {});
    world.now = world.now + Duration::from_secs(20);
    for (query, answer, about) in [
        (Query::Address(temporary), ACTIVE, Some((temporary, mac(1)))),
        (Query::Address(own), ACTIVE, Some((own, mac(7)))),
        (Query::Address(reserved), ACTIVE, Some((reserved, mac(0x27)))),
        (Query::Machine(mac(0x27)), ACTIVE, Some((reserved, mac(0x27)))),
        (Query::Address(address(10, 77, 1, 8)), UNASSIGNED, None),
        (Query::Address(address(10, 77, 9, 9)), UNKNOWN, None),
        (Query::Address(address(10, 66, 0, 1)), UNKNOWN, None),
        // Of a network that is not the asker's.
        (Query::Address(elsewhere), UNKNOWN, None),
        (Query::Machine(mac(0x17)), UNKNOWN, None),
        (Query::Machine(mac(7)), ACTIVE, Some((own, mac(7)))),
        (Query::Machine(mac(8)), UNKNOWN, None),
        (Query::Identifier(DUID), ACTIVE, Some((temporary, mac(1)))),
        (Query::Identifier(&[1, 0x52, 0x54, 0, 0, 0, 7]), ACTIVE, Some((own, mac(7)))),
        (Query::Identifier(b"\0somebody"), UNKNOWN, None),
    ] {
        let question = self::about(query);
        let (reply, send) = world.answer(&question);
        assert_eq!(reply.options.u8(option::MESSAGE_TYPE), Some(answer), "{query:?}");
        assert_eq!(send.target, DhcpTarget::Address(SocketAddrV4::new(question.giaddr, 67)), "RFC 4388 6.3");
        assert_eq!((reply.xid, reply.giaddr), (question.xid, question.giaddr));
        assert_eq!(reply.options.address(option::SERVER_IDENTIFIER), Some(SERVER));
        match about {
            Some((address, machine)) => {
                assert_eq!((reply.ciaddr, reply.mac()), (address, Some(machine)), "{query:?}");
                // RFC 4388 6.1: in seconds.
                assert_eq!(reply.options.u32(option::CLIENT_LAST_TRANSACTION_TIME), Some(20));
                assert!(reply.options.u32(option::LEASE_TIME).is_some_and(|left| left > 30));
            }
            // RFC 4388 6.4: what was asked for comes back, also where nothing is known of it.
            None => {
                assert_eq!((reply.ciaddr, reply.chaddr), (question.ciaddr, question.chaddr), "{query:?}");
                assert_eq!((reply.htype, reply.hlen), (question.htype, question.hlen), "{query:?}");
                let [identifier, back] =
                    [&question, &reply].map(|message| message.options.get(option::CLIENT_IDENTIFIER));
                assert_eq!(back, identifier, "{query:?}");
                assert!(!reply.options.contains(option::LEASE_TIME));
            }
        }
    }
}

/// Where another server gives the addresses it alone knows whose they are; and where we only look on, nobody is answered.
#[test]
fn only_where_we_serve_is_a_leasequery_answered() {
    for (mode, is_answered) in [("serve", true), ("shadow", false), ("proxy", false)] {
        let mut world = World::new(&BOTH.replacen("probe = false", &format!("mode = \"{mode}\""), 1));
        for giaddr in [address(10, 77, 0, 9), NONE] {
            let mut question = about(Query::Address(address(10, 77, 1, 7)));
            question.giaddr = giaddr;
            let sent = world.take_from(address(10, 77, 0, 2), &question);
            assert_eq!(!sent.is_empty(), is_answered, "{mode} {giaddr}");
        }
    }
}

/// RFC 4388 6.4.2: only what is asked for, with what the relay added and the client's further addresses.
#[test]
fn a_relay_hears_what_it_asks_for() {
    let mut world = World::new(BOTH);
    let port = [1, 2, b'p', b'4'];
    let elsewhere = world.boots(mac(0x17), |message| {
        is_firmware(message);
        by_relay(&port)(message);
    });
    let mut question = about(Query::Address(elsewhere));
    question.giaddr = RELAY;
    let codes = [
        option::LEASE_TIME,
        option::T1,
        option::T2,
        option::RELAY_AGENT,
        option::CLIENT_LAST_TRANSACTION_TIME,
    ];
    for wanted in 0..codes.len() {
        question.options.set(option::PARAMETER_LIST, vec![codes[wanted]]);
        let (reply, _) = world.answer(&question);
        for (place, code) in codes.into_iter().enumerate() {
            assert_eq!(reply.options.contains(code), place == wanted, "asked for {}: {code}", codes[wanted]);
        }
    }
    question.options.set(option::PARAMETER_LIST, codes);
    let (reply, _) = world.answer(&question);
    assert_eq!(reply.options.get(option::RELAY_AGENT), Some(&port[..]));
    let [lease, renews, rebinds] = codes[..3] else { unreachable!() };
    let times = [renews, rebinds, lease].map(|code| reply.options.u32(code).unwrap());
    assert!(times.is_sorted() && times[2] == 43_200, "{times:?}");
    // RFC 4388 6.4.2: "the most recent Relay Agent Information option". A renewal, which comes straight to us, has none.
    let mut renewal = asked(mac(0x17), Some(MessageType::Request));
    renewal.ciaddr = elsewhere;
    world.answer(&renewal);
    let (reply, _) = world.answer(&question);
    assert_eq!(reply.options.get(option::RELAY_AGENT), Some(&port[..]));
    // Nor is a node at another port because a program of any user says so.
    let mut forged = asked(mac(0x17), Some(MessageType::Discover));
    by_relay(&[1, 2, b'p', b'9'])(&mut forged);
    let (source, payload) = (SocketAddrV4::new(RELAY, 40_000), forged.write(1472));
    let datagram = Datagram { interface: "eth1", source, destination: SERVER, payload: &payload };
    world.heorot.handle(world.now, Input::Dhcp(datagram), &mut Vec::new());
    let (reply, _) = world.answer(&question);
    assert_eq!(reply.options.get(option::RELAY_AGENT), Some(&port[..]));
}

/// What an ACK said of the same lease: not how long its address is nobody else's beyond that.
#[test]
fn what_is_left_of_a_temporary_lease_is_what_its_machine_knows() {
    let mut world = World::new(BOTH);
    let temporary = world.boots(mac(1), is_firmware);
    let mut question = about(Query::Address(temporary));
    let codes = [option::LEASE_TIME, option::T1, option::T2];
    question.options.set(option::PARAMETER_LIST, codes);
    world.now = world.now + Duration::from_secs(10);
    let (reply, _) = world.answer(&question);
    let [lease, renews, rebinds] = codes.map(|code| reply.options.u32(code));
    assert_eq!(lease, Some(50));
    assert!(renews.is_some_and(|left| left <= 20) && rebinds.is_some_and(|left| left <= 43));
    // Firmware never renews. Its address is its own for a while yet, and there is nothing to be renewed.
    world.now = world.now + Duration::from_secs(60);
    let (reply, _) = world.answer(&question);
    let [lease, renews, rebinds] = codes.map(|code| reply.options.u32(code));
    assert!(lease.is_some_and(|left| left <= 150), "{lease:?}");
    assert_eq!((renews, rebinds), (None, None));
}

/// A host has its address for a lease of its own, and renews it like others.
#[test]
fn the_times_of_a_host_are_those_of_its_lease() {
    for (lease, seconds) in [("", 43_200), ("lease = \"1h\"\n", 3600)] {
        let mut world = World::new(&format!("{BOTH}{lease}"));
        let reserved = world.boots(mac(0x27), |_| {});
        let mut question = about(Query::Address(reserved));
        question.options.set(option::PARAMETER_LIST, [option::LEASE_TIME, option::T1, option::T2]);
        let (reply, _) = world.answer(&question);
        let times = [option::T1, option::T2, option::LEASE_TIME].map(|code| reply.options.u32(code));
        assert!(times.is_sorted() && times[0].is_some() && times[2] == Some(seconds), "{lease}: {times:?}");
    }
}

#[test]
fn only_relays_and_those_who_are_listed_may_ask_and_not_without_end() {
    let subject = Query::Address(address(10, 77, 1, 8));
    for (source, giaddr, is_answered) in [
        (address(10, 77, 0, 9), address(10, 77, 0, 9), true),
        (address(10, 77, 0, 2), NONE, true),
        (address(10, 77, 0, 3), NONE, false),
        (NONE, NONE, false),
        (address(10, 66, 0, 9), address(10, 66, 0, 9), false),
        // Listed by the address that it gives for itself: there the answer goes.
        (address(10, 66, 0, 9), address(10, 77, 0, 2), true),
    ] {
        let mut world = World::new(BOTH);
        let mut question = about(subject);
        question.giaddr = giaddr;
        assert_eq!(world.take_from(source, &question).len() == 1, is_answered, "{source} {giaddr}");
    }
    for (mode, is_answered) in [("serve", true), ("shadow", false)] {
        let text = BOTH.replacen("probe = false", &format!("mode = \"{mode}\"\nprobe = false"), 1);
        assert_eq!(!World::new(&text).take(&about(subject)).is_empty(), is_answered, "{mode}");
    }
    let mut world = World::new(BOTH);
    let answered = |world: &mut World| (0..1000).filter(|_| !world.take(&about(subject)).is_empty()).count();
    assert_eq!(answered(&mut world), 200);
    world.now = world.now + Duration::from_secs(1);
    assert_eq!(answered(&mut world), 200);
}
