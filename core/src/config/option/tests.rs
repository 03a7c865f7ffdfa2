use super::*;
use crate::config::{Config, Interface, render};
use std::net::Ipv4Addr;

fn parse(options: &str) -> Result<OptionTable, String> {
    let text = format!(
        "[[network]]\ninterface = \"eth1\"\nnumbers = \"0-9\"\nfirst = \"10.77.1.0\"\ntemporary = \"10.77.200.1-10.77.200.9\"\n[options]\n{options}\n"
    );
    let interface = Interface { name: "eth1".into(), addresses: vec![(Ipv4Addr::new(10, 77, 0, 1), 16)] };
    match Config::parse(&text, &[interface]) {
        Ok((config, _)) => Ok(config.options),
        Err(mistakes) => Err(render("heorot.toml", &text, &mistakes)),
    }
}

#[test]
fn values_are_written_as_their_options_want_them() {
    for (text, path, octets) in [
        ("ntp-servers = \"10.77.0.1\"", OptionPath::Whole(42), &[10, 77, 0, 1][..]),
        ("ntp-server = [\"10.77.0.1\", \"10.77.0.2\"]", OptionPath::Whole(42), &[10, 77, 0, 1, 10, 77, 0, 2]),
        ("\"42\" = \"10.77.0.1, 10.77.0.2\"", OptionPath::Whole(42), &[10, 77, 0, 1, 10, 77, 0, 2]),
        ("42 = \"10.77.0.1\"", OptionPath::Whole(42), &[10, 77, 0, 1]),
        ("Router = \"10.77.0.254\"", OptionPath::Whole(3), &[10, 77, 0, 254]),
        ("time-offset = -3600", OptionPath::Whole(2), &[0xff, 0xff, 0xf1, 0xf0]),
        ("mtu = 9000", OptionPath::Whole(26), &[0x23, 0x28]),
        ("default-ip-ttl = 64", OptionPath::Whole(23), &[64]),
        ("arp-cache-timeout = 0x100", OptionPath::Whole(35), &[0, 0, 1, 0]),
        ("path-mtu-plateau-table = [68, 1500]", OptionPath::Whole(25), &[0, 68, 5, 0xdc]),
        ("ip-forwarding = true", OptionPath::Whole(19), &[1]),
        ("ip-forwarding = false", OptionPath::Whole(19), &[0]),
        ("root-path = \"/srv/root, 1\"", OptionPath::Whole(17), b"/srv/root, 1"),
        ("root-path = \"hex:2f 73:00\"", OptionPath::Whole(17), &[0x2f, 0x73, 0]),
        (
            "static-routes = \"10.9.0.1 via 10.77.0.254\"",
            OptionPath::Whole(33),
            &[10, 9, 0, 1, 10, 77, 0, 254],
        ),
        // RFC 3442, page 3: "the significant octets of the subnet number".
        (
            "classless-static-routes = [\"10.0.0.0/8 via 10.77.0.254\", \"default via 10.77.0.1\", \"10.229.0.128/25 via 10.77.0.2\", \"10.27.129.0/24 via 10.77.0.3\"]",
            OptionPath::Whole(121),
            &[
                8, 10, 10, 77, 0, 254, 0, 10, 77, 0, 1, 25, 10, 229, 0, 128, 10, 77, 0, 2, 24, 10, 27, 129,
                10, 77, 0, 3,
            ],
        ),
        ("249 = \"10.9.0.1 via 10.77.0.254\"", OptionPath::Whole(249), &[32, 10, 9, 0, 1, 10, 77, 0, 254]),
        // RFC 3397 2, its own example.
        (
            "domain-search = [\"eng.apple.com.\", \"marketing.apple.com\"]",
            OptionPath::Whole(119),
            b"\x03eng\x05apple\x03com\x00\x09marketing\xc0\x04",
        ),
        ("domain-search = \"a.b, B, a.b\"", OptionPath::Whole(119), b"\x01a\x01b\x00\xc0\x02\xc0\x00"),
        // RFC 3361 3: 1 and addresses, or 0 and names.
        ("sip-servers = \"10.77.0.5\"", OptionPath::Whole(120), &[1, 10, 77, 0, 5]),
        ("sip-servers = \"a.b\"", OptionPath::Whole(120), &[0, 1, b'a', 1, b'b', 0]),
        // RFC 5071 4, 5 and 6: PXELINUX's file, prefix and seconds.
        ("209 = \"a.cfg\"", OptionPath::Whole(209), b"a.cfg"),
        ("path-prefix = \"/a/\"", OptionPath::Whole(210), b"/a/"),
        ("reboot-time = 60", OptionPath::Whole(211), &[0, 0, 0, 60]),
        ("\"43.6\" = 8", OptionPath::Part(43, 6), &[8]),
        // RFC 2132 8.4: what is in option 43 is every maker's own.
        ("\"43.1\" = \"text:junos.conf\"", OptionPath::Part(43, 1), b"junos.conf"),
        ("\"43.2\" = \"u32:5\"", OptionPath::Part(43, 2), &[0, 0, 0, 5]),
        ("\"43.1\" = \"224.1.2.3\"", OptionPath::Part(43, 1), &[224, 1, 2, 3]),
        ("\"43.1\" = \"0.0.0.0\"", OptionPath::Part(43, 1), &[0, 0, 0, 0]),
        ("\"43.10\" = \"hex:00626f6f74\"", OptionPath::Part(43, 10), b"\0boot"),
        ("\"175.176\" = true", OptionPath::Part(175, 176), &[1]),
        ("\"ipxe.190\" = \"user\"", OptionPath::Part(175, 190), b"user"),
        ("\"125.4491.2\" = \"text:u8:1\"", OptionPath::Vendor(4491, 2), b"u8:1"),
        ("\"224\" = \"u16:258\"", OptionPath::Whole(224), &[1, 2]),
        ("\"224\" = \"address:10.0.0.1, 10.0.0.2\"", OptionPath::Whole(224), &[10, 0, 0, 1, 10, 0, 0, 2]),
        ("\"224\" = \"anything: at all\"", OptionPath::Whole(224), b"anything: at all"),
        ("\"224\" = \"text:0x0102\"", OptionPath::Whole(224), b"0x0102"),
        ("\"224\" = true", OptionPath::Whole(224), &[1]),
    ] {
        let options = parse(text).unwrap_or_else(|told| panic!("{told}"));
        let found: Vec<_> = options.values.into_iter().collect();
        assert_eq!(found, [(path, Some(octets.to_vec()))], "{text}");
    }
}

/// Whoever copies what `explain` shows means the same client.
#[test]
fn identifiers_are_shown_as_they_are_read() {
    for (octets, shown) in [
        (&b"rack7/12"[..], "\"rack7/12\""),
        (b"1:2", "\"1:2\""),
        (b"525400000101", "\"525400000101\""),
        (b"a \"'\\", r#""a \"'\\""#),
        (b"hex:01", "\"text:hex:01\""),
        (b"text:a", "\"text:text:a\""),
        (b"01:52:54", "\"text:01:52:54\""),
        (b"0x0104", "\"text:0x0104\""),
        (b"id:0:1:2:3:4:5", "\"text:id:0:1:2:3:4:5\""),
        (&[1, 0x52, 0x54, 0, 0, 0, 0x17], "\"hex:01525400000017\""),
        ("Märchen".as_bytes(), "\"hex:4dc3a4726368656e\""),
    ] {
        assert_eq!(written_identifier(octets), shown);
        let value = DeValue::parse(shown).unwrap();
        assert_eq!(identifier(value.get_ref().as_str().unwrap()).unwrap(), octets, "{shown}");
    }
}

#[test]
fn options_are_taken_out_and_forced() {
    let options = parse("routers = \"\"\n224 = false\nforce = [\"ntp-servers\", 43, \"175\"]").unwrap();
    let values: Vec<_> = options.values.into_iter().collect();
    assert_eq!(values, [(OptionPath::Whole(3), None), (OptionPath::Whole(224), None)]);
    assert_eq!(options.forced.into_iter().collect::<Vec<_>>(), [42, 43, 175]);
}

/// What the server writes itself is refused, with the reason.
#[test]
fn the_servers_own_are_refused() {
    for code in [0, 50, 51, 52, 53, 54, 55, 56, 57, 61, 77, 80, 81, 82, 90, 91, 92, 93, 94, 97, 118, 255] {
        let told = parse(&format!("\"{code}\" = \"hex:00\"")).unwrap_err();
        assert!(told.contains(&format!("option {code} (")) && told.contains("cannot be set: it "), "{told}");
    }
}

#[test]
fn every_option_has_a_name_and_a_number_of_its_own() {
    for pair in KNOWN.windows(2) {
        assert!(pair[0].code < pair[1].code, "{} before {}", pair[0].code, pair[1].code);
    }
    let mut names: Vec<_> = KNOWN.iter().flat_map(|known| known.names).collect();
    names.sort();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
    assert!(names.iter().all(|name| **name == name.to_ascii_lowercase()));
}

#[test]
fn what_is_too_long_is_told() {
    let long = |octets: usize| "ab".repeat(octets);
    assert!(parse(&format!("\"43\" = \"hex:{}\"", long(1024))).is_ok());
    assert!(parse(&format!("\"43\" = \"hex:{}\"", long(1025))).unwrap_err().contains("1024 are allowed"));
    assert!(parse(&format!("\"43.9\" = \"hex:{}\"", long(255))).is_ok());
    assert!(
        parse(&format!("\"43.9\" = \"hex:{}\"", long(256)))
            .unwrap_err()
            .contains("256 octets, and 255 have room")
    );
    let two = |octets| {
        format!("\"125.9.1\" = \"hex:{}\"\n\"125.9.2\" = \"hex:01\"\n\"125.8.2\" = \"hex:01\"", long(octets))
    };
    assert!(parse(&two(250)).is_ok());
    assert!(parse(&two(251)).unwrap_err().contains("256 octets, and 255 have room"));
}

/// What every machine is told of another maker's is left out where it would be taken for PXE's: who writes it is told where it belongs.
#[test]
fn a_whole_option_43_for_everybody_is_warned_of() {
    const NETWORK: &str = "[[network]]\ninterface = \"eth1\"\nnumbers = \"0-9\"\nfirst = \"10.77.1.0\"\ntemporary = \"10.77.200.1-10.77.200.9\"\n";
    let interface = Interface { name: "eth1".into(), addresses: vec![(Ipv4Addr::new(10, 77, 0, 1), 16)] };
    for (further, line) in [
        ("[options]\n43 = \"hex:0104\"\n", Some(7)),
        ("options = { vendor-encap = \"hex:0104\" }\n", Some(6)),
        ("[options]\n\"43.6\" = 8\n", None),
        ("[options]\n43 = false\n", None),
        ("[[class]]\nname = \"points\"\nvendor-class = \"ArubaAP\"\noptions = { 43 = \"hex:0104\" }\n", None),
    ] {
        let text = format!("{NETWORK}{further}");
        let (_, warnings) = Config::parse(&text, std::slice::from_ref(&interface))
            .unwrap_or_else(|wrong| panic!("{wrong:?}"));
        let of_it: Vec<_> = warnings.iter().filter(|it| it.message.starts_with("option 43")).collect();
        assert_eq!(
            of_it.iter().map(|it| it.line).collect::<Vec<_>>(),
            Vec::from_iter(line),
            "{further}: {warnings:?}"
        );
    }
}
