use super::*;
use proptest::prelude::*;

fn options(block_octets: Option<u16>, size: bool, timeout: Option<u8>, window: Option<u16>) -> Options {
    Options { block_octets, size, timeout_seconds: timeout, window_blocks: window }
}

fn read(name: &str, options: Options) -> Result<Packet, &'static str> {
    Ok(Packet::Read(ReadRequest { name: name.into(), mode: Mode::Octet, options }))
}

fn read_text(name: &str) -> Result<Packet, &'static str> {
    let options = Options::default();
    Ok(Packet::Read(ReadRequest { name: name.into(), mode: Mode::Netascii, options }))
}

fn parsed(bytes: &[u8]) -> Result<Packet, &'static str> {
    Packet::parse(bytes).map_err(Malformed::word)
}

/// RFC 1350 1, 5: in which modes; mail is none any more.
#[test]
fn requests_of_real_clients() {
    let none = Options::default();
    let table: &[(&str, &[u8], Result<Packet, &str>)] = &[
        (
            "iPXE",
            b"\0\x01tftp.ipxe\0octet\0blksize\x001432\0tsize\x000\0",
            read("tftp.ipxe", options(Some(1432), true, None, None)),
        ),
        (
            "EDK2, for the size",
            b"\0\x01core.efi\0octet\0tsize\x000\0blksize\x001468\0windowsize\x004\0",
            read("core.efi", options(Some(1468), true, None, Some(4))),
        ),
        (
            "GRUB, with a leading slash",
            b"\0\x01/grub/grub.cfg\0octet\0blksize\x001024\0tsize\x000\0",
            read("/grub/grub.cfg", options(Some(1024), true, None, None)),
        ),
        // RFC 1350 5: the mode in any mixture of cases.
        ("an old ROM", b"\0\x01boot\0OcTeT\0", read("boot", none)),
        ("octets 255 at the end", b"\0\x01boot\xff\xff\0octet\0", read("boot", none)),
        ("nothing but octets 255", b"\0\x01\xff\0octet\0", read("", none)),
        ("no UTF-8", b"\0\x01b\xe4r\0octet\0", read("b\u{fffd}r", none)),
        ("blanks at the end", b"\0\x01boot file \r\n\0octet\0", read("boot file", none)),
        ("a name filled up with zeros", b"\0\x01boot\0\0\0\0octet\0", read("boot", none)),
        (
            "a name filled up with zeros, and options",
            b"\0\x01boot\0\0octet\0blksize\x00600\0",
            read("boot", options(Some(600), false, None, None)),
        ),
        ("netascii", b"\0\x01boot\0NetASCII\0", read_text("boot")),
        ("no mode", b"\0\x01boot\0\0", Ok(Packet::ReadOtherMode)),
        ("mail", b"\0\x01boot\0mail\0", Ok(Packet::ReadOtherMode)),
        // RFC 1350 5, RFC 2347: each string ends with a zero octet. Who leaves the last one off is a client all the same, and is to hear why it gets nothing.
        ("no name", b"\0\x01", Ok(Packet::ReadCutOff)),
        ("the name does not end", b"\0\x01boot", Ok(Packet::ReadCutOff)),
        ("the mode does not end", b"\0\x01boot\0octet", Ok(Packet::ReadCutOff)),
        ("an option without a value", b"\0\x01boot\0octet\0tsize\0", Ok(Packet::ReadCutOff)),
        ("a value that does not end", b"\0\x01boot\0octet\0tsize\x000", Ok(Packet::ReadCutOff)),
        ("padding", b"\0\x01boot\0octet\0\0\0\0", read("boot", none)),
        ("WRQ", b"\0\x02boot\0octet\0", Ok(Packet::Write)),
        ("DATA", b"\0\x03\0\x01abc", Ok(Packet::OfAServer)),
        ("OACK", b"\0\x06tsize\x000\0", Ok(Packet::OfAServer)),
        ("ACK", b"\0\x04\x12\x34", Ok(Packet::Acknowledge(0x1234))),
        ("ACK with something behind", b"\0\x04\x12\x34\0", Ok(Packet::Acknowledge(0x1234))),
        (
            // RFC 2347: 8, the options are not agreed to.
            "EDK2 has learnt the size",
            b"\0\x05\0\x08User aborted the transfer\0",
            Ok(Packet::Error { code: 8, text: "User aborted the transfer".into() }),
        ),
        (
            "an error that does not end",
            b"\0\x05\0\0clo\nsed",
            Ok(Packet::Error { code: 0, text: "closed".into() }),
        ),
    ];
    for (what, bytes, expected) in table {
        assert_eq!(parsed(bytes), *expected, "{what}");
    }
}

#[test]
fn malformed_datagrams_are_named() {
    let long_name = |octets: usize| [b"\0\x01", &vec![b'a'; octets][..], b"\0octet\0"].concat();
    let table: &[(&str, Vec<u8>, &str)] = &[
        ("nothing", vec![], "tftp-short"),
        ("one octet", vec![0], "tftp-short"),
        ("ACK without a number", vec![0, 4, 1], "tftp-short"),
        ("ERROR without a code", vec![0, 5], "tftp-short"),
        ("64 KiB", vec![0; 65_507], "tftp-long"),
        ("a little too long", vec![0; TFTP_DATAGRAM_OCTETS_MAX + 1], "tftp-long"),
        ("operation 0", vec![0, 0, 0, 0], "tftp-operation"),
        ("operation 7", vec![0, 7, 0, 0], "tftp-operation"),
        ("operation 256", vec![1, 0, 0, 0], "tftp-operation"),
        ("much else than a name", [b"\0\x01boot\0octet\0", &[b'a'; 1472][..], b"\0"].concat(), "tftp-long"),
        ("a name without an end", [b"\0\x01", &[b'a'; 1472][..]].concat(), "tftp-long"),
    ];
    for (what, bytes, word) in table {
        assert_eq!(parsed(bytes), Err(*word), "{what}");
    }
    assert!(matches!(parsed(&long_name(512)), Ok(Packet::Read(_))));
    // Whatever comes after it: the client is to hear why it gets nothing.
    for octets in [513, 600, 1472, 65_000] {
        assert_eq!(parsed(&long_name(octets)), Ok(Packet::ReadLongName), "{octets}");
    }
    assert_eq!(parsed(&[b"\0\x01", &[b'a'; 513][..], b"\0octet"].concat()), Ok(Packet::ReadLongName));
    let padded = [b"\0\x01boot", &[0xff; 600][..], b"\0octet\0"].concat();
    assert_eq!(parsed(&padded), read("boot", Options::default()), "what is left in its field is no name");
}

/// RFC 2347: one that is unknown, or whose value is none, is as if it had not been said; each comes once. What values there are: RFC 2348 (blksize), 2349 (tsize, timeout), 7440 (windowsize).
#[test]
fn options_count_if_they_are_right() {
    let table: &[(&str, &str, Options)] = &[
        ("blksize", "7", Options::default()),
        ("blksize", "8", options(Some(8), false, None, None)),
        ("BlkSize", "65464", options(Some(65464), false, None, None)),
        ("blksize", "65465", Options::default()),
        ("blksize", "", Options::default()),
        ("blksize", "+512", Options::default()),
        ("blksize", "-1", Options::default()),
        ("blksize", "99999999999999999999", Options::default()),
        ("tsize", "0", options(None, true, None, None)),
        ("TSIZE", "12345", options(None, true, None, None)),
        ("tsize", "x", Options::default()),
        ("timeout", "0", Options::default()),
        ("timeout", "1", options(None, false, Some(1), None)),
        ("timeout", "255", options(None, false, Some(255), None)),
        ("timeout", "256", Options::default()),
        ("windowsize", "0", Options::default()),
        ("windowsize", "65535", options(None, false, None, Some(65535))),
        ("windowsize", "65536", Options::default()),
        ("multicast", "", Options::default()),
    ];
    for (name, value, expected) in table {
        let bytes = format!("\0\x01f\0octet\0{name}\0{value}\0");
        assert_eq!(parsed(bytes.as_bytes()), read("f", *expected), "{name}={value}");
    }
    let twice = b"\0\x01f\0octet\0blksize\x00600\0blksize\x00700\0";
    assert_eq!(parsed(twice), read("f", options(Some(600), false, None, None)), "the first counts");
}

/// RFC 2347: options and values of an OACK end in zeros, and values are text.
#[test]
fn what_the_server_says() {
    let all = Agreed {
        block_octets: Some(1468),
        size: Some(5_000_000_000),
        timeout_seconds: Some(3),
        window_blocks: Some(4),
    };
    let expected = b"\0\x06blksize\x001468\0tsize\x005000000000\0timeout\x003\0windowsize\x004\0";
    assert_eq!(option_ack(&all), expected);
    assert_eq!(option_ack(&Agreed { size: Some(0), ..Agreed::default() }), b"\0\x06tsize\x000\0");
    assert_eq!(error(ErrorCode::NotFound, "no boot"), b"\0\x05\0\x01no boot\0");
    assert_eq!(error(ErrorCode::UnknownTransfer, "a\0b"), b"\0\x05\0\x05a\0", "one string");
    let long = error(ErrorCode::Other, &"\u{e4}".repeat(200));
    assert_eq!(long.len(), 4 + TFTP_TEXT_OCTETS_MAX + 1);
    for (block, octets) in [(1, [0, 1]), (65_535, [255, 255]), (65_536, [0, 0]), (65_537, [0, 1])] {
        assert_eq!(data_head(block), [0, 3, octets[0], octets[1]], "{block}");
    }
}

proptest! {
    #[test]
    fn no_octets_can_harm(operation in 0..8_u8, bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(0), Just(b'1')], 0..1600)) {
        let _ = Packet::parse(&bytes);
        let _ = Packet::parse(&[&[0, operation], &bytes[..]].concat());
    }

    #[test]
    fn well_formed_requests_are_understood(
        name in "[a-zA-Z0-9/._-]{0,100}", block in proptest::option::of(8..=65464_u16), size: bool,
        timeout in proptest::option::of(1..=255_u8), window in proptest::option::of(1..=65535_u16),
    ) {
        let mut text = format!("\0\x01{name}\0octet\0");
        window.iter().for_each(|value| text += &format!("windowsize\0{value}\0"));
        block.iter().for_each(|value| text += &format!("blksize\0{value}\0"));
        timeout.iter().for_each(|value| text += &format!("timeout\0{value}\0"));
        if size { text += "tsize\x000\0"; }
        prop_assert_eq!(parsed(text.as_bytes()), read(&name, options(block, size, timeout, window)));
    }
}
