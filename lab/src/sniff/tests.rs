use super::*;
use heorot_agent::dhcp::Query;

const SERVER: Mac = Mac([2, 0, 0, 0, 0, 1]);
const ONE: Mac = Mac([0x52, 0x54, 0, 0x77, 0, 1]);
const TWO: Mac = Mac([0x52, 0x54, 0, 0x77, 0, 2]);
const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 77, 200, 1);

fn frame(from: Mac, to: Mac, what: What) -> Frame {
    Frame { at: Instant::now(), from, to, what }
}

fn ack(mac: Mac, to: Mac) -> Frame {
    let mut bytes = Query::new(Kind::Discover, mac, 1).encode();
    bytes[0] = 2;
    bytes[16..20].copy_from_slice(&ADDRESS.octets());
    bytes[242] = Kind::Ack as u8;
    frame(SERVER, to, What::Reply(Box::new(Reply::parse(&bytes).expect("an ACK"))))
}

fn packet(to: Mac) -> Frame {
    frame(SERVER, to, What::Packet(ADDRESS))
}

fn who_has() -> Frame {
    let arp =
        Arp { sender: Ipv4Addr::new(10, 77, 0, 1), target: ADDRESS, ..Arp::announcement(SERVER, ADDRESS) };
    frame(SERVER, Mac::BROADCAST, What::Arp(arp))
}

fn release(mac: Mac) -> Frame {
    frame(mac, SERVER, What::Release(ADDRESS))
}

fn up(mac: Mac) -> Frame {
    frame(mac, SERVER, What::Up(ADDRESS))
}

fn discover(mac: Mac) -> Frame {
    frame(mac, Mac::BROADCAST, What::Discover)
}

#[test]
fn what_is_right_and_what_is_not() {
    let cases = [
        ("before anyone has it", vec![who_has(), packet(ONE)], 0),
        ("to its holder", vec![ack(ONE, ONE), packet(ONE), ack(ONE, Mac::BROADCAST)], 0),
        ("to another", vec![ack(ONE, ONE), packet(TWO)], 1),
        ("an ACK to another", vec![ack(ONE, TWO)], 1),
        ("ARP for one in mid-boot", vec![ack(ONE, ONE), who_has()], 1),
        ("ARP after the release", vec![ack(ONE, ONE), release(ONE), who_has()], 0),
        ("a release by another", vec![ack(ONE, ONE), release(TWO), who_has()], 1),
        ("a late packet to the last holder", vec![ack(ONE, ONE), release(ONE), packet(ONE)], 0),
        ("ARP when it is up", vec![ack(ONE, ONE), up(ONE), who_has(), ack(ONE, ONE), who_has()], 0),
        ("ARP when another says so", vec![ack(ONE, ONE), up(TWO), who_has()], 1),
        ("ARP in the next boot", vec![ack(ONE, ONE), up(ONE), discover(ONE), ack(ONE, ONE), who_has()], 1),
        ("exchanged", vec![ack(ONE, ONE), release(ONE), ack(TWO, TWO), packet(TWO), packet(ONE)], 1),
    ];
    for (what, frames, expected) in cases {
        assert_eq!(violations(&frames, SERVER).len(), expected, "{what}: {:?}", violations(&frames, SERVER));
    }
}

#[test]
fn frames_are_read() {
    let datagram = |port, payload: &[u8]| {
        let destination = std::net::SocketAddrV4::new(ADDRESS, port);
        let source = std::net::SocketAddrV4::new(Ipv4Addr::new(10, 77, 0, 1), 1);
        Datagram { source_mac: SERVER, destination_mac: ONE, source, destination, payload }.encode()
    };
    let mut release = Query::new(Kind::Release, ONE, 1);
    release.current = ADDRESS;
    let read = |bytes: &[u8]| Frame::read(bytes, Instant::now()).map(|frame| frame.what);
    assert!(matches!(read(&datagram(67, &release.encode())), Some(What::Release(ADDRESS))));
    assert!(matches!(
        read(&datagram(67, &Query::new(Kind::Discover, ONE, 1).encode())),
        Some(What::Discover)
    ));
    assert!(matches!(read(&datagram(2000, b"data")), Some(What::Packet(ADDRESS))));
    assert!(matches!(read(&Arp::announcement(ONE, ADDRESS).encode()), Some(What::Arp(_))));
    assert!(read(&[0; 60]).is_none());

    let mut segment = datagram(80, b"\0\0\0\0\x50\0\0\0\0\0\0\0POST /node/t/up HTTP/1.1\r\nHost: x\r\n\r\n");
    segment[23] = PROTOCOL_TCP;
    assert!(
        matches!(read(&segment), Some(What::Up(address)) if address == Ipv4Addr::new(10, 77, 0, 1)),
        "{:?}",
        read(&segment)
    );
    segment.truncate(60);
    assert!(matches!(read(&segment), Some(What::Packet(_))), "cut short");
}
