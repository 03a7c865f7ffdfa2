use super::*;

const NODE: Mac = Mac([0x52, 0x54, 0, 0x77, 0, 1]);
const OFFERED: Ipv4Addr = Ipv4Addr::new(10, 77, 200, 1);
const SERVER: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);

/// A reply with these options after the cookie.
fn reply(options: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; FIXED];
    bytes[0..4].copy_from_slice(&[BOOT_REPLY, 1, 6, 0]);
    bytes[4..8].copy_from_slice(&7_u32.to_be_bytes());
    bytes[16..20].copy_from_slice(&OFFERED.octets());
    bytes[20..24].copy_from_slice(&SERVER.octets());
    bytes[CHADDR..CHADDR + 6].copy_from_slice(&NODE.0);
    bytes.extend(COOKIE);
    bytes.extend(options);
    bytes
}

/// RFC 2131, table 2.
#[test]
fn a_discover_is_a_bootp_request_of_300_bytes() {
    let mut query = Query::new(Kind::Discover, NODE, 0x1234_5678);
    query.broadcast = true;
    query.seconds = 3;
    let bytes = query.encode();
    assert_eq!(bytes.len(), 300);
    assert_eq!(bytes[..12], [1, 1, 6, 0, 0x12, 0x34, 0x56, 0x78, 0, 3, 0x80, 0]);
    assert_eq!(bytes[CHADDR..CHADDR + 6], NODE.0);
    let options = &bytes[FIXED + 4..];
    assert_eq!(option(options, 53), Some([1].as_slice()));
    assert_eq!(option(options, 55), Some(ASKED.as_slice()));
    assert_eq!(option(options, 61), None, "no client identifier: the hardware address is the identity");
    assert_eq!(option(options, 50), None);
}

#[test]
fn a_request_names_what_it_wants_and_from_whom() {
    let mut query = Query::new(Kind::Request, NODE, 7);
    query.requested = Some(OFFERED);
    query.server = Some(SERVER);
    query.vendor_class = b"heorot-agent".to_vec();
    query.further = vec![(93, vec![0, 0])];
    let bytes = query.encode();
    let options = &bytes[FIXED + 4..];
    assert_eq!(option(options, 50).and_then(address), Some(OFFERED));
    assert_eq!(option(options, 54).and_then(address), Some(SERVER));
    assert_eq!(option(options, 60), Some(b"heorot-agent".as_slice()));
    assert_eq!(option(options, 93), Some([0, 0].as_slice()));
}

#[test]
fn a_release_carries_the_address_and_asks_nothing() {
    let mut query = Query::new(Kind::Release, NODE, 7);
    query.current = OFFERED;
    let bytes = query.encode();
    assert_eq!(bytes[12..16], OFFERED.octets());
    assert_eq!(option(&bytes[FIXED + 4..], 55), None);
}

#[test]
fn an_ack_is_read_whole() {
    let ack = Reply::parse(&reply(&[
        53, 1, 5, 0, 0, 54, 4, 10, 77, 0, 1, 1, 4, 255, 255, 0, 0, 3, 8, 10, 77, 0, 1, 10, 77, 0, 2, 6, 4,
        10, 77, 0, 1, 12, 5, b'n', b'o', b'd', b'e', b'0', 15, 2, b'c', 0, 26, 2, 5, 220, 51, 4, 0, 0, 0, 60,
        58, 4, 0, 0, 0, 30, 59, 4, 0, 0, 0, 52, 67, 1, b'f', 255, 12, 1, b'x',
    ]));
    let expected = Reply {
        kind: Kind::Ack,
        xid: 7,
        mac: NODE,
        address: OFFERED,
        next_server: SERVER,
        server: Some(SERVER),
        prefix: Some(16),
        router: Some(SERVER),
        name_servers: vec![SERVER],
        host_name: Some("node0".to_owned()),
        domain: Some("c".to_owned()),
        mtu: Some(1500),
        lease_seconds: Some(60),
        renew_seconds: Some(30),
        rebind_seconds: Some(52),
        boot_file: Some("f".to_owned()),
    };
    assert_eq!(ack, Some(expected));
}

#[test]
fn what_a_client_cannot_use_is_none() {
    let good = reply(&[53, 1, 2, 255]);
    assert!(Reply::parse(&good).is_some());
    for length in 0..good.len() - 1 {
        assert_eq!(Reply::parse(&good[..length]), None, "cut to {length}");
    }
    let mut request = good.clone();
    request[0] = BOOT_REQUEST;
    let mut no_cookie = good;
    no_cookie[FIXED] = 0;
    for (what, bytes) in [
        ("a request", request),
        ("no cookie", no_cookie),
        ("no type", reply(&[255])),
        ("a client's type", reply(&[53, 1, 1, 255])),
        ("a type of two bytes", reply(&[53, 2, 5, 5, 255])),
        ("an option past the end before the type", reply(&[12, 200, 53, 1, 5])),
    ] {
        assert_eq!(Reply::parse(&bytes), None, "{what}");
    }
}

#[test]
fn a_bad_value_is_left_out_and_the_rest_stays() {
    let ack = Reply::parse(&reply(&[
        53, 1, 5, 1, 4, 255, 0, 255, 0, 51, 2, 0, 1, 3, 2, 10, 77, 54, 4, 10, 77, 0, 1, 255,
    ]));
    let ack = ack.expect("an ACK");
    assert_eq!((ack.prefix, ack.lease_seconds, ack.router, ack.server), (None, None, None, Some(SERVER)));
}
