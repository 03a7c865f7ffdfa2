//! Vectors of the RFCs. What comes of them together is shown by recordings (`forward/tests/checked.rs`).

use super::denial::{Types, order};
use super::hashed::hash_of;
use super::key::{Digest, Key};
use super::*;

fn name(text: &str) -> Name {
    if text == "." { Name::root() } else { Name::parse(text).unwrap() }
}

fn octets(hexadecimal: &str) -> Vec<u8> {
    let digits: Vec<u8> = hexadecimal.bytes().filter(u8::is_ascii_hexdigit).collect();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(pair).collect()
}

/// RFC 4034 6.1
#[test]
fn names_have_an_order() {
    let names: Vec<Name> = [
        &b"\x07example\x00"[..],
        b"\x01a\x07example\x00",
        b"\x08yljkjljk\x01a\x07example\x00",
        b"\x01z\x01a\x07example\x00",
        b"\x04zabc\x01a\x07example\x00",
        b"\x01z\x07example\x00",
        b"\x01\x01\x01z\x07example\x00",
        b"\x01*\x01z\x07example\x00",
        b"\x01\xc8\x01z\x07example\x00",
    ]
    .into_iter()
    .map(Name::from_wire)
    .collect();
    assert!(names.is_sorted_by(|a, b| order(a) < order(b)));
}

/// RFC 5155 A: salt AABBCCDD, 12 iterations.
#[test]
fn names_have_hashes() {
    for (text, expected) in [
        ("example", "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom"),
        ("a.example", "35mthgpgcu1qg68fab165klnsnk3dpvl"),
        ("ns1.example", "2t7b4g4vsa5smi47k61mv5bv1a22bojr"),
        ("x.y.w.example", "2vptu5timamqttgl4luu9kg21e0aor3s"),
        ("*.w.example", "r53bq7cc2uvmubfu5ocmm6pers9tk9en"),
    ] {
        let hash = hash_of(&name(text), &[0xaa, 0xbb, 0xcc, 0xdd], 12);
        assert_eq!(hashed::base32(expected.as_bytes()), Some(hash), "{text}");
    }
    for nonsense in ["w", "0p9mhaveqvm6t7vbl5lop2u3t2rp3toM", "="] {
        assert_eq!(
            hashed::base32(nonsense.as_bytes()).filter(|octets| octets.len() == 20),
            None,
            "{nonsense}"
        );
    }
}

/// RFC 4034 2.1.1, RFC 4034 2.1.2 and RFC 5011 2.1: whose keys sign nothing.
#[test]
fn keys_that_sign_nothing() {
    let key =
        |flags: u16, protocol| Key::read(&[&flags.to_be_bytes()[..], &[protocol, 13], &[7; 64]].concat());
    for (flags, signs) in [(0x0100, true), (0x0101, true), (0x0180, false), (0x0181, false), (0x0001, false)]
    {
        assert_eq!(key(flags, 3).map(|key| key.signs_a_zone()), Some(signs), "{flags:x}");
    }
    assert!(key(0x0100, 2).is_none());
}

/// RFC 4034 5.4 and RFC 4509 2.3: one key, and its digests.
#[test]
fn keys_have_tags_and_digests() {
    // The key of RFC 4034 5.4, from its base 64.
    let base64 = "AQOeiiR0GOMYkDshWoSKz9XzfwJr1AYtsmx3TGkJaNXVbfi/2pHm822aJ5iI9BMzNXxeYCmZDRD99WYwYqUSdjMmmAphXdvxegXd/M5+X7OrzKBaMbCVdFLUUh6DhweJBjEVv5f2wwjM9XzcnOf+EPbtG9DMBmADjFDc2w/rljwvFw==";
    let data = [vec![1, 0, 3, 5], from_base64(base64)].concat();
    let key = Key::read(&data).unwrap();
    assert_eq!(key.tag, 60_485);
    let digest = |kind, digest: &str| Digest { tag: 60_485, algorithm: 5, kind, octets: octets(digest) };
    let sha_1 = digest(1, "2BB183AF5F22588179A53B0A 98631FAD1A292118");
    let sha_256 = digest(2, "D4B7D520E7BB5F0F67674A0C CEB1E3E0614B93C4F9E99B83 83F6A1E4469DA50A");
    let zone = name("dskey.example.com");
    assert!(sha_1.is_of(&zone, &key) && sha_256.is_of(&zone, &key));
    assert!(!sha_1.is_of(&name("example.com"), &key));
    assert!(!Digest { kind: 4, ..sha_256.clone() }.is_of(&zone, &key));
    assert!(sha_1.is_known() && sha_256.is_known());
    // RFC 4509 3: SHA-1 counts where there is nothing better.
    assert_eq!(zones::known(&[sha_1.clone(), sha_256.clone()]), [&sha_256]);
    assert_eq!(zones::known(std::slice::from_ref(&sha_1)), [&sha_1]);
    // GOST, and RSA with MD5.
    assert!(
        !Digest { kind: 3, ..sha_256.clone() }.is_known() && !Digest { algorithm: 1, ..sha_256 }.is_known()
    );
}

fn from_base64(text: &str) -> Vec<u8> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut octets, mut bits, mut left) = (Vec::new(), 0_u32, 0);
    for digit in text.bytes().filter(|digit| *digit != b'=') {
        let value = DIGITS.iter().position(|known| *known == digit).unwrap();
        bits = bits << 6 | u32::try_from(value).unwrap();
        left += 6;
        if left >= 8 {
            left -= 8;
            octets.push((bits >> left & 0xff) as u8);
        }
    }
    octets
}

/// RFC 4034 4.3: A, MX, RRSIG, NSEC and TYPE1234.
#[test]
fn types_are_bits() {
    let mut map = octets("0006 400100000003 041b 0000000000000000000000000000000000000000000000000000 20");
    let types = Types::new(&map);
    for wanted in 0..=2_000 {
        assert_eq!(types.has(wanted), [1, 15, 46, 47, 1_234].contains(&wanted), "{wanted}");
    }
    assert!(!types.ends_the_zone() && types.deny(16, &name("a")) && !types.deny(15, &name("a")));
    // Cut off, it has what is there.
    map.truncate(5);
    assert!(!Types::new(&map).has(1));
}

/// RFC 6840 4.1 and 4.4
#[test]
fn either_side_of_a_delegation_speaks_for_itself() {
    let (above, below, alias) =
        (octets("0006 200000000003"), octets("0006 220000000003"), octets("0005 0400000000"));
    let (above, below, alias) = (Types::new(&above), Types::new(&below), Types::new(&alias));
    let cut = name("a.example");
    assert!(above.is_delegation() && !below.is_delegation());
    assert!(above.deny(rtype::DS, &cut) && !above.deny(rtype::A, &cut));
    assert!(
        !below.deny(rtype::DS, &cut) && below.deny(rtype::A, &cut) && below.deny(rtype::DS, &Name::root())
    );
    assert!(!alias.deny(rtype::A, &cut));
}

#[test]
fn dates_wrap() {
    let date = |expiration, inception| {
        let mut fixed = vec![0, 1, 13, 1, 0, 0, 1, 44];
        fixed.extend(u32::to_be_bytes(expiration));
        fixed.extend(u32::to_be_bytes(inception));
        fixed.extend([0, 0]);
        let data =
            [records::Piece::Octets(fixed), records::Piece::Name(vec![0]), records::Piece::Octets(vec![1])];
        Record {
            section: Section::Answer,
            owner: vec![0],
            rtype: rtype::RRSIG,
            class: 1,
            ttl_seconds: 300,
            data: data.to_vec(),
        }
    };
    for (expiration, inception, now, expected) in [
        (200, 100, 150, Ok(50)),
        (200, 100, 200, Ok(0)),
        (200, 100, 201, Err(Reason::Expired)),
        (200, 100, 99, Err(Reason::TooEarly)),
        // RFC 4034 3.1.5: in 2106 they begin again.
        (100, u32::MAX - 100, u32::MAX, Ok(101)),
        (100, u32::MAX - 100, 50, Ok(50)),
        (100, u32::MAX - 100, 101, Err(Reason::Expired)),
    ] {
        let record = date(expiration, inception);
        let (_, signature) = set::Signature::read(&record).unwrap();
        assert_eq!(signature.lasts(Date::Seconds(now)), expected, "{inception} to {expiration} at {now}");
        assert_eq!(signature.lasts(Date::Unknown), Ok(u32::MAX));
    }
}
