use super::*;
use crate::wire::dhcp::Options;

fn asked(option: Option<&[u8]>) -> Message {
    let mut options = Options::default();
    if let Some(octets) = option {
        options.set(option::FQDN, octets);
    }
    Message { xid: 1, chaddr: [2; 16], options, ..Message::request() }
}

/// Flags: 1 S, 2 O, 4 E, 8 N.
#[test]
fn the_true_name_goes_back() {
    let node = Some("node23.cluster");
    for (what, option, name, answer) in [
        ("not sent, not answered (RFC 4702 4)", None, node, None),
        ("broken", Some(&b"\x04\0\0\x09a"[..]), node, None),
        ("leaves it to us", Some(b"\x01\0\0pc7"), node, Some(&b"\x01\xff\xffnode23.cluster"[..])),
        (
            "the same, as DNS writes it",
            Some(b"\x05\0\0\x03pc7"),
            node,
            Some(b"\x05\xff\xff\x06node23\x07cluster\0"),
        ),
        ("wants to do it itself", Some(b"\x00\0\0pc7"), node, Some(b"\x03\xff\xffnode23.cluster")),
        ("wants nobody to", Some(b"\x0c\0\0\0"), node, Some(b"\x07\xff\xff\x06node23\x07cluster\0")),
        ("has no name with us, leaves it to us", Some(b"\x01\0\0pc7"), None, Some(b"\x0a\xff\xffpc7")),
        ("has no name with us, wants to do it", Some(b"\x00\0\0pc7"), None, Some(b"\x08\xff\xffpc7")),
    ] {
        let given = super::answer(&asked(option), name.map(str::to_owned));
        assert_eq!(given.as_deref(), answer, "{what}");
    }
}
