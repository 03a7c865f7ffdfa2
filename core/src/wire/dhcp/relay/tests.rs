use super::*;
use crate::wire::dhcp::Options;

/// An option, or what the relay is to be understood to say.
type Row = (&'static [u8], RelayInformation);

const NOTHING: RelayInformation =
    RelayInformation { link: None, unicast: None, server: None, has_own_port: false };

/// RFC 3527, 5010, 5107 and 8357.
#[test]
fn a_relay_is_understood() {
    let address = |octets: [u8; 4]| Some(Ipv4Addr::from(octets));
    let rows: [Row; 8] = [
        (&[], NOTHING),
        (&[2, 1, 7, 1, 0, 5, 4, 10, 88, 0, 1], RelayInformation { link: address([10, 88, 0, 1]), ..NOTHING }),
        // RFC 5010 3: the other bits are reserved.
        (&[10, 1, 0x80], RelayInformation { unicast: Some(true), ..NOTHING }),
        (&[10, 1, 0x7f], RelayInformation { unicast: Some(false), ..NOTHING }),
        (&[11, 4, 10, 88, 0, 1], RelayInformation { server: address([10, 88, 0, 1]), ..NOTHING }),
        // RFC 8357 4: it has no value.
        (&[1, 1, 5, 19, 0], RelayInformation { has_own_port: true, ..NOTHING }),
        // An address of no host, and one of the wrong length, select nothing.
        (&[5, 4, 0, 0, 0, 0, 11, 3, 10, 88, 0], NOTHING),
        // What goes on past its end says nothing at all.
        (&[19, 0, 2, 9, 1], NOTHING),
    ];
    for (octets, meaning) in rows {
        let mut options = Options::default();
        options.set(option::RELAY_AGENT, octets);
        let message = message(options);
        assert_eq!(message.relay_information(), meaning, "{octets:?}");
    }
    assert_eq!(message(Options::default()).relay_information(), NOTHING);
}

/// RFC 3046 3.1 and 3.2.
#[test]
fn a_relay_says_where_a_client_is() {
    type Place = (Option<&'static [u8]>, Option<&'static [u8]>);
    let rows: [(&[u8], Place); 6] = [
        (&[], (None, None)),
        (&[1, 2, b'e', b'4'], (Some(b"e4"), None)),
        (&[2, 1, 7, 1, 0, 5, 4, 10, 88, 0, 1], (Some(b""), Some(&[7]))),
        (&[1, 1, 5, 1, 1, 6], (Some(&[5]), None)),
        // No padding, no end (RFC 3046 2.0): 0 and 255 are codes like others.
        (&[0, 1, 9, 255, 0, 1, 1, 5], (Some(&[5]), None)),
        // What goes on past its end says nothing at all.
        (&[1, 1, 5, 2, 9, 1], (None, None)),
    ];
    for (octets, expected) in rows {
        assert_eq!(place(Some(octets)), expected, "{octets:?}");
    }
    assert_eq!(place(None), (None, None));
}

#[test]
fn sub_options_end_where_the_option_does() {
    assert_eq!(sub_options(&[]), Some(vec![]));
    assert_eq!(sub_options(&[1, 0, 1, 1, 3]), Some(vec![(1, &[][..]), (1, &[3][..])]));
    assert_eq!(sub_options(&[1]), None);
    assert_eq!(sub_options(&[1, 2, 0]), None);
}

fn message(options: Options) -> Message {
    Message { hops: 1, xid: 1, chaddr: [2; 16], options, ..Message::request() }
}
