use super::*;

#[test]
fn what_is_written_says_who_asks_for_what() {
    let forms = Forms::new();
    let address = Ipv4Addr::new(10, 77, 1, 2);
    let request = forms.request(0x01_0203, 77, address, [10, 77, 0, 1]);
    let datagram = Datagram::parse(&request).unwrap();
    assert_eq!(datagram.source_mac, Mac([2, 0x77, 0, 1, 2, 3]));
    let payload = datagram.payload;
    assert_eq!((&payload[28..34], &payload[4..8]), (&[2, 0x77, 0, 1, 2, 3][..], &[0, 0, 0, 77][..]));
    let options = &payload[240..];
    assert!(options.starts_with(&[53, 1, 3, 50, 4, 10, 77, 1, 2, 54, 4, 10, 77, 0, 1, 57, 2]));
    assert!(options.ends_with(&[97, 17, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0x77, 0, 1, 2, 3, 255]));
    let discover = forms.discover(5, 1);
    assert_eq!(&Datagram::parse(&discover).unwrap().payload[240..243], &[53, 1, 1]);
}

#[test]
fn answers_are_told_from_everything_else() {
    let mut answer = Forms::new().request(9, 0x0102_0304, Ipv4Addr::UNSPECIFIED, [10, 77, 0, 1]);
    assert_eq!(read(&answer), None, "a client's");
    answer[HEADER_OCTETS] = 2;
    answer[34..38].copy_from_slice(&[0, 67, 0, 68]);
    answer[YIADDR..YIADDR + 4].copy_from_slice(&[10, 77, 1, 9]);
    for (code, kind) in [(2, Some(Kind::Offer)), (5, Some(Kind::Ack)), (6, Some(Kind::Nak)), (3, None)] {
        answer[OPTIONS + 2] = code;
        let (address, server) = (Ipv4Addr::new(10, 77, 1, 9), [10, 77, 0, 1]);
        let expected = kind.map(|kind| Answer { host: 9, xid: 0x0102_0304, kind, address, server });
        assert_eq!(read(&answer), expected, "type {code}");
    }
    answer[CHADDR] = 4;
    assert_eq!(read(&answer), None, "another's host");
    assert_eq!(read(&answer[..OPTIONS - 1]), None);
}
