use super::*;
use std::net::{Ipv4Addr, SocketAddrV4};

const SERVER: Mac = Mac([0x52, 0x54, 0, 0, 0, 1]);
const CLIENT: Mac = Mac([0x02, b'h', 1, 0, 0, 7]);

fn address(text: &str) -> SocketAddrV4 {
    text.parse().unwrap()
}

fn frame(payload: Payload) -> Frame {
    Frame {
        from: SERVER,
        to: CLIENT,
        source: address("10.77.0.1:1069"),
        destination: address("10.77.200.1:2070"),
        payload,
    }
}

fn datagram(wire: &[u8]) -> Datagram<'_> {
    let seen = read(wire);
    let Seen::Datagram(datagram) = seen else { panic!("{seen:?}") };
    datagram
}

fn data(block: u16, octets: usize) -> Vec<u8> {
    [&[0, 3][..], &block.to_be_bytes(), &vec![7; octets]].concat()
}

/// What is written is read as it was, or as the same datagram in the form that a machine is to get.
#[test]
fn what_is_written_is_read_again() {
    for (what, sent, expected) in [
        ("an ACK", Payload::Acknowledge(513), Payload::Octets(vec![0, 4, 2, 1])),
        (
            "a request",
            Payload::Octets(b"\0\x01x\0octet\0".to_vec()),
            Payload::Octets(b"\0\x01x\0octet\0".to_vec()),
        ),
        ("nothing", Payload::Octets(vec![]), Payload::Octets(vec![])),
        ("an octet", Payload::Octets(vec![9]), Payload::Octets(vec![9])),
        ("a short first block", Payload::Octets(data(1, 400)), Payload::Octets(data(1, 400))),
        (
            "the second block of a text in blocks of 512",
            Payload::Octets(data(2, 100)),
            Payload::Octets(data(2, 100)),
        ),
        ("bulk", Payload::Octets(data(200, 1468)), Payload::Data { block: 200, octets: 1468 }),
        (
            "bulk, counted",
            Payload::Data { block: 200, octets: 1468 },
            Payload::Data { block: 200, octets: 1468 },
        ),
        (
            "a block after the numbers began again",
            Payload::Octets(data(0, 512)),
            Payload::Data { block: 0, octets: 512 },
        ),
        ("DATA without a block", Payload::Octets(vec![0, 3]), Payload::Octets(vec![0, 3])),
    ] {
        let wire = write(&frame(sent), CLIENT).unwrap();
        assert_eq!(datagram(&wire).to_frame(), frame(expected), "{what}");
    }
}

#[test]
fn the_receiver_on_the_wire_is_the_one_that_was_asked_for() {
    let wire = write(&frame(Payload::Acknowledge(1)), Mac::BROADCAST).unwrap();
    assert_eq!((datagram(&wire).to, datagram(&wire).from), (Mac::BROADCAST, SERVER));
}

#[test]
fn the_padding_of_a_short_frame_is_not_its_payload() {
    let wire = write(&frame(Payload::Acknowledge(1)), CLIENT).unwrap();
    assert_eq!((wire.len(), datagram(&wire).payload), (60, &[0, 4, 0, 1][..]));
}

#[test]
fn a_train_is_cut_where_the_kernel_says() {
    let train = [data(200, 1464), data(201, 1464), data(202, 10)].concat();
    let wire = write(&frame(Payload::Octets(train)), CLIENT).unwrap();
    let pieces =
        |octets| -> Vec<usize> { datagram(&wire).pieces(octets).map(|piece| piece.payload.len()).collect() };
    assert_eq!(pieces(Some(1468)), [1468, 1468, 14]);
    assert_eq!(pieces(None), [2950]);
    let last = datagram(&wire).pieces(Some(1468)).last().unwrap().to_frame();
    // So near the beginning of a file that it may be a text: its content is kept.
    assert_eq!(last.payload, Payload::Octets(data(202, 10)));
    let empty = write(&frame(Payload::Octets(vec![])), CLIENT).unwrap();
    assert_eq!(datagram(&empty).pieces(Some(1468)).count(), 1);
}

#[test]
fn options_in_the_header_are_skipped() {
    let mut wire = write(&frame(Payload::Acknowledge(1)), CLIENT).unwrap();
    wire[14] = 0x46;
    wire[17] += 4;
    wire.splice(34..34, [1, 1, 1, 1]);
    assert_eq!(datagram(&wire).payload, [0, 4, 0, 1]);
}

#[test]
fn what_is_none_of_ours_is_other() {
    let good = write(&frame(Payload::Acknowledge(1)), CLIENT).unwrap();
    let changed = |place: usize, value: u8| {
        let mut wire = good.clone();
        wire[place] = value;
        wire
    };
    for (what, wire, expected) in [
        ("a fragment", changed(20, 0x20), Seen::Fragment),
        ("a later fragment", changed(21, 1), Seen::Fragment),
        ("IPv6", changed(12, 0x86), Seen::Other),
        ("TCP", changed(23, 6), Seen::Other),
        ("version 6", changed(14, 0x65), Seen::Other),
        ("a header of 4 words", changed(14, 0x44), Seen::Other),
        ("a packet longer than its frame", changed(16, 0xff), Seen::Other),
        ("a datagram longer than its packet", changed(39, 0xff), Seen::Other),
        ("a datagram shorter than its header", changed(39, 7), Seen::Other),
    ] {
        assert_eq!(read(&wire), expected, "{what}");
    }
    for length in 0..46 {
        assert_eq!(read(&good[..length]), Seen::Other, "cut to {length} octets");
    }
}

#[test]
fn arp_is_read_as_it_is_written() {
    let (ours, theirs) = (Ipv4Addr::new(10, 77, 200, 1), Ipv4Addr::new(10, 77, 0, 1));
    for (what, wire, expected) in [
        (
            "a question",
            frame::arp_request(CLIENT, ours, theirs),
            Seen::ArpRequest { from: CLIENT, sender: ours, target: theirs },
        ),
        (
            "a probe",
            frame::arp_probe(SERVER, ours),
            Seen::ArpRequest { from: SERVER, sender: Ipv4Addr::UNSPECIFIED, target: ours },
        ),
        (
            "an answer",
            frame::arp_answer(SERVER, theirs, CLIENT, ours),
            Seen::ArpReply { to: CLIENT, address: theirs, mac: SERVER },
        ),
    ] {
        assert_eq!(read(&wire), expected, "{what}");
        for length in 0..42 {
            assert_eq!(read(&wire[..length]), Seen::Other, "{what}, cut to {length} octets");
        }
    }
}
