use super::*;
use proptest::prelude::*;

fn fqdn(flags: u8, name: &str) -> Fqdn {
    Fqdn {
        server_updates: flags & 1 != 0,
        overridden: flags & 2 != 0,
        canonical: flags & 4 != 0,
        no_updates: flags & 8 != 0,
        name: name.into(),
    }
}

/// RFC 4702 2.1 (the flags), RFC 4702 2.3.1 and 2.3.2 (as DNS writes a name, and as text).
#[test]
fn both_encodings_are_read() {
    let long = [&[4, 0, 0, 64][..], &[b'a'; 64], &[0]].concat();
    for (octets, understood) in [
        (&b"\x00\x00\x00pc7"[..], Some(fqdn(0, "pc7"))),
        (b"\x01\x00\x00pc7.example.com.", Some(fqdn(1, "pc7.example.com"))),
        (b"\x01\x00\x00pc7\0", Some(fqdn(1, "pc7"))),
        // RFC 4702 2.3.1: without the empty label it is a part of a name.
        (b"\x05\x00\x00\x03pc7", Some(fqdn(5, "pc7"))),
        (b"\x05\xff\xff\x03pc7\x07example\x03com\x00", Some(fqdn(5, "pc7.example.com"))),
        (b"\x0c\x00\x00\x00", Some(fqdn(12, ""))),
        (b"\x04\x00\x00", Some(fqdn(4, ""))),
        // The upper four bits mean nothing.
        (b"\xf1\x00\x00a", Some(fqdn(1, "a"))),
        // Too short, past the end, compressed, something after the end, what is no name.
        (b"\x00\x00", None),
        (b"\x04\x00\x00\x09pc7", None),
        (b"\x04\x00\x00\x03pc7\xc0\x00", None),
        (b"\x04\x00\x00\x03pc7\x00\x01a", None),
        (b"\x04\x00\x00\x03p 7\x00", None),
        (b"\x00\x00\x00\x1b[31m", None),
        (&long, None),
    ] {
        assert_eq!(Fqdn::parse(octets), understood, "{octets:?}");
    }
}

#[test]
fn a_server_answers_in_the_encoding_of_the_client() {
    // RFC 4702 2.2: both results are 255.
    assert_eq!(fqdn(1, "node23.cluster").write().as_deref(), Some(&b"\x01\xff\xffnode23.cluster"[..]));
    assert_eq!(
        fqdn(7, "node23.cluster").write().as_deref(),
        Some(&b"\x07\xff\xff\x06node23\x07cluster\x00"[..])
    );
    assert_eq!(fqdn(4, &"a".repeat(64)).write(), None);
}

proptest! {
    #[test]
    fn what_is_written_is_read(flags in 0_u8..16, name in "[a-z0-9-]{1,63}(\\.[a-z0-9-]{1,30}){0,3}") {
        let written = fqdn(flags, &name).write().expect("it fits");
        prop_assert_eq!(Fqdn::parse(&written), Some(fqdn(flags, &name)));
    }

    #[test]
    fn nothing_is_too_strange(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Fqdn::parse(&octets);
    }
}
