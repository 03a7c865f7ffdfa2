//! BOOTP (RFC 951, RFC 1534), which has no types, no leases and no renewals.

use super::*;

/// RFC 951 and 1534: an address, no option of DHCP's, 300 octets (RFC 1542 2.1), and the file that the client named.
#[test]
fn bootp_gets_an_address_and_nothing_of_dhcp() {
    let strangers = BOTH.replace("bootp = true", "");
    for (text, who, with, given) in [
        (BOTH, mac(7), None, Some(address(10, 77, 1, 7))),
        (&strangers, mac(7), None, Some(address(10, 77, 1, 7))),
        (&strangers, mac(9), None, None),
        (BOTH, mac(9), Some("guest"), Some(NONE)),
        (&strangers, mac(0x27), None, Some(address(10, 77, 220, 1))),
        // It wants another server (RFC 951 7.3); us by our address.
        (BOTH, mac(7), Some("sname:elsewhere"), None),
        (BOTH, mac(7), Some("sname:10.77.0.1"), Some(address(10, 77, 1, 7))),
        // Or by a name that our DNS has for us, whatever its letters.
        (BOTH, mac(7), Some("sname:heorot"), Some(address(10, 77, 1, 7))),
        (BOTH, mac(7), Some("sname:Master.Cluster"), Some(address(10, 77, 1, 7))),
        (BOTH, mac(7), Some("sname:heorot.elsewhere"), None),
        // There is no NAK: a wrong address is not answered.
        (BOTH, mac(7), Some("wrong ciaddr"), None),
    ] {
        let mut world = World::new(text);
        let mut request = asked(who, None);
        request.file = b"vmunix".to_vec();
        // Some speak of a name with options of RFC 1497, and mean BOOTP all the same.
        request.options.set(option::HOST_NAME, b"old");
        match with {
            Some("wrong ciaddr") => request.ciaddr = address(10, 77, 1, 8),
            Some(with) => request.sname = with.strip_prefix("sname:").unwrap_or_default().into(),
            None => {}
        }
        let sent = world.take(&request);
        assert_eq!(sent.is_empty(), given.is_none(), "{who} {with:?}");
        for send in sent {
            assert_eq!(send.payload.len(), 300);
            let reply = Message::parse(&send.payload).unwrap();
            match given.filter(|given| *given != NONE) {
                Some(given) => assert_eq!(reply.yiaddr, given),
                None => assert_eq!(reply.yiaddr.octets()[..3], [10, 77, 210], "a guest's"),
            }
            assert_eq!((reply.file.as_slice(), reply.siaddr), (&b"vmunix"[..], SERVER));
            for code in (50..=59).chain([61]) {
                assert!(!reply.options.contains(code), "option {code} is DHCP's (RFC 1534 2)");
            }
            assert_eq!(reply.options.address(option::SUBNET_MASK), Some(address(255, 255, 0, 0)));
            assert_eq!(send.target, DhcpTarget::Frame(who, reply.yiaddr));
        }
        let is_of_room = |trouble: &String| trouble.contains("no room");
        assert!(!world.troubles.iter().any(is_of_room), "all that is BOOTP's has room: {:?}", world.troubles);
    }
}

/// What is only DHCP's takes no room away: nothing is missed that is told.
#[test]
fn bootp_misses_only_what_there_is_no_room_for_without_dhcp() {
    for (options, is_told) in
        [("", false), ("[options]\nroot-path = \"10.77.0.1:/srv/root/of/the/nodes\"\n", true)]
    {
        let mut world = World::new(&format!("{options}{BOTH}"));
        let mut request = asked(mac(7), None);
        request.options.set(option::CLIENT_IDENTIFIER, [&[0][..], b"a long name for a client"].concat());
        let payload = request.write(1472);
        let source = SocketAddrV4::new(NONE, 68);
        let datagram = Datagram { interface: "eth1", source, destination: SERVER, payload: &payload };
        let mut out = Vec::new();
        world.heorot.handle(world.now, Input::Dhcp(datagram), &mut out);
        let is_trouble =
            |output: &&Output| matches!(output, Output::Event(event) if event.kind == Kind::Trouble);
        let troubles: Vec<_> = out.iter().filter(is_trouble).collect();
        assert_eq!(!troubles.is_empty(), is_told, "{troubles:?}");
        assert!(out.iter().any(|output| matches!(output, Output::Dhcp(_))));
    }
}

/// RFC 951 3, 7.3: who knows its address is told the rest there; yiaddr is for others.
#[test]
fn bootp_tells_the_rest_to_who_knows_its_address() {
    let own = address(10, 77, 1, 7);
    let (reply, send) = World::new(BOTH).answer(&Message { ciaddr: own, ..asked(mac(7), None) });
    assert_eq!((reply.ciaddr, reply.yiaddr), (own, NONE));
    assert_eq!(send.target, DhcpTarget::Frame(mac(7), own));
}

/// An address that was looked up for somebody who wants another one is nobody's after a while.
#[test]
fn bootp_holds_no_address_for_whom_it_does_not_answer() {
    let (offer, _) = World::new(BOTH).answer(&asked(mac(9), Some(MessageType::Discover)));
    let mut world = World::new(BOTH);
    let mut bootp = asked(mac(9), None);
    bootp.ciaddr = address(10, 77, 210, 200);
    assert_eq!(world.take(&bootp), []);
    world.wait(Duration::from_secs(60));
    let mut reboot = asked(mac(10), Some(MessageType::Request));
    reboot.options.set(option::REQUESTED_ADDRESS, offer.yiaddr.octets());
    let (answer, _) = world.answer(&reboot);
    assert_eq!((answer.message_type(), answer.yiaddr), (Some(MessageType::Ack), offer.yiaddr));
}

/// Who speaks BOOTP never renews: a numbered node does not leave for that.
#[test]
fn bootp_keeps_the_address_of_a_number_for_good() {
    let mut world = World::new(BOTH);
    world.answer(&asked(mac(7), None));
    world.wait(Duration::from_secs(90_000));
    let (active, _) = world.answer(&about(Query::Address(address(10, 77, 1, 7))));
    assert_eq!(active.options.u8(option::MESSAGE_TYPE), Some(ACTIVE));
    assert!(!active.options.contains(option::LEASE_TIME), "it is for good");
}
