use super::*;

const NODE: Mac = Mac([0x52, 0x54, 0, 0x77, 0, 1]);

fn datagram(payload: &[u8]) -> Datagram<'_> {
    Datagram {
        source_mac: NODE,
        destination_mac: Mac::BROADCAST,
        source: SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 68),
        destination: SocketAddrV4::new(Ipv4Addr::BROADCAST, 67),
        payload,
    }
}

#[test]
fn a_datagram_comes_back_as_it_was_sent() {
    for length in [0, 1, 2, 300, 1472] {
        let payload: Vec<u8> = (0..length).map(|byte| byte as u8).collect();
        let frame = datagram(&payload).encode();
        assert_eq!(Datagram::parse(&frame), Some(datagram(&payload)), "{length} bytes");
        // Padding after the packet, as Ethernet adds to short frames, is not payload.
        let padded = [frame.as_slice(), &[0; 20]].concat();
        assert_eq!(Datagram::parse(&padded), Some(datagram(&payload)), "{length} bytes, padded");
    }
}

#[test]
fn checksums_are_what_a_receiver_sums_to_zero() {
    let frame = datagram(b"odd").encode();
    assert_eq!(checksum(&[&frame[14..34]]), 0, "the header with its sum");
    let length = (frame.len() - 34) as u16;
    let mut pseudo = [frame[26..34].to_vec(), vec![0, 17]].concat();
    pseudo.extend(length.to_be_bytes());
    assert_eq!(checksum(&[&pseudo, &frame[34..]]), 0, "pseudo header, header and payload");
}

#[test]
fn what_is_no_datagram_is_none() {
    let whole = datagram(b"payload").encode();
    for length in 0..whole.len() {
        assert_eq!(Datagram::parse(&whole[..length]), None, "cut to {length}");
    }
    let broken = |at: usize, value: u8| {
        let mut frame = whole.clone();
        frame[at] = value;
        frame
    };
    for (what, at, value) in [
        ("IPv6", 14, 0x65),
        ("a header of 16 bytes", 14, 0x44),
        ("TCP", 23, 6),
        ("a first fragment", 20, 0x20),
        ("a later fragment", 21, 1),
        ("a UDP length below its header", 39, 7),
        ("a UDP length past the packet", 39, 200),
        ("another Ethernet type", 13, 1),
    ] {
        assert_eq!(Datagram::parse(&broken(at, value)), None, "{what}");
    }
}

#[test]
fn arp_comes_back_as_it_was_sent() {
    let announcement = Arp::announcement(NODE, Ipv4Addr::new(10, 77, 1, 0));
    let frame = announcement.encode();
    assert_eq!(frame.len(), 60);
    assert_eq!(Arp::parse(&frame), Some(announcement));
    assert_eq!(Datagram::parse(&frame), None);
    let answer = Arp { request: false, target_mac: NODE, destination_mac: NODE, ..announcement };
    assert_eq!(Arp::parse(&answer.encode()), Some(answer));
    assert_eq!(Arp::parse(&frame[..41]), None, "cut short");
}

#[test]
fn hardware_addresses_are_read_and_written() {
    for text in ["52:54:00:77:00:01", "52-54-00-77-00-01", "52:54:00:77:00:01\n"] {
        assert_eq!(text.parse(), Ok(NODE), "{text}");
    }
    for text in ["", "52:54:00:77:00", "52:54:00:77:00:01:02", "52:54:00:77:00:1", "52:54:00:77:00:zz"] {
        assert_eq!(text.parse::<Mac>(), Err(NotAMac), "{text}");
    }
    assert_eq!(NODE.to_string(), "52:54:00:77:00:01");
}
