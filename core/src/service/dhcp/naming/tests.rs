use super::*;
use crate::wire::dhcp::Options;

fn message(name: Option<&[u8]>, fqdn: Option<&[u8]>) -> Message {
    let mut options = Options::default();
    for (code, value) in [(option::HOST_NAME, name), (option::FQDN, fqdn)] {
        if let Some(value) = value {
            options.set(code, value);
        }
    }
    Message { xid: 1, chaddr: [2; 16], options, ..Message::request() }
}

/// Option 12, option 81, and the name that comes of them (RFC 4702 3.1, 4.0).
type Row<'a> = (Option<&'a [u8]>, Option<&'a [u8]>, Option<&'a str>);

#[test]
fn what_a_host_calls_itself() {
    let long = [b'a'; 64];
    let table: &[Row<'_>] = &[
        (None, None, None),
        (Some(b"tux"), None, Some("tux")),
        (Some(b"TUX-2\0"), None, Some("tux-2")),
        (Some(b"tux.example.org"), None, Some("tux")),
        (Some(b""), None, None),
        (Some(b"(none)"), None, None),
        (Some(b"-tux"), None, None),
        (Some(b"tux-"), None, None),
        (Some(b"t ux"), None, None),
        (Some(b"t_ux"), None, None),
        (Some(b"\xff"), None, None),
        (Some(b"23"), None, None),
        (Some(&long), None, None),
        (Some(&long[..63]), None, Some("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")),
        // RFC 4702 4: option 81 goes before option 12; flags: 1 S, 4 E, 8 N.
        (Some(b"tux"), Some(b"\x05\0\0\x03gnu"), Some("gnu")),
        (Some(b"tux"), Some(b"\x05\0\0\x03gnu\x07example\0"), Some("gnu")),
        (None, Some(b"\x01\0\0gnu.example"), Some("gnu")),
        (None, Some(b"\x00\0\0gnu"), Some("gnu")),
        (Some(b"tux"), Some(b"\x04\0\0"), Some("tux")),
        (Some(b"tux"), Some(b"\x05\0\0\x09gnu"), Some("tux")),
    ];
    for (name, fqdn, expected) in table {
        let no_name = || {
            name.map_or(Wanted::Nothing, |text| match text {
                b"" | b"(none)" => Wanted::Nothing,
                text => {
                    Wanted::NoName(event::printable(&String::from_utf8_lossy(text), LABEL_OCTETS_MAX + 1))
                }
            })
        };
        let expected = expected.map_or_else(no_name, |name| Wanted::Name(name.into()));
        assert_eq!(wanted(&message(*name, *fqdn)), expected, "{name:?} {fqdn:?}");
    }
    // RFC 4702 3.1: N says that nobody is to enter it.
    assert_eq!(wanted(&message(Some(b"tux"), Some(b"\x0c\0\0\x03gnu\0"))), Wanted::NoEntry);
}
