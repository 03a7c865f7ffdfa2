use super::*;
use proptest::prelude::*;

/// A DISCOVER of nobody in particular, with these options.
fn discover(options: &[(u8, &[u8])]) -> Message {
    let mut all = Options::default();
    all.set(option::MESSAGE_TYPE, vec![1]);
    for (code, value) in options {
        all.set(*code, value);
    }
    let mut chaddr = [0; 16];
    chaddr[..6].copy_from_slice(&[0x52, 0x54, 0, 0, 0, 0x17]);
    Message { xid: 0xe4df_cd83, secs: 4, broadcast: true, chaddr, options: all, ..Message::request() }
}

/// The packet's head as it is written, with these octets in the options field.
fn with_options_field(field: &[u8]) -> Vec<u8> {
    let mut bytes = discover(&[]).write(576);
    bytes.truncate(OPTIONS);
    bytes.extend(field);
    bytes
}

/// RFC 951 3: BOOTP's vendor area is whatever its vendor likes. A cookie of four zeros is none: there are no options.
#[test]
fn a_packet_of_plain_bootp_has_no_options() {
    let mut bytes = discover(&[(option::HOST_NAME, b"n23")]).write(576);
    bytes[COOKIE..OPTIONS].fill(0);
    bytes[FILE..FILE + 4].copy_from_slice(b"boot");
    let message = Message::parse(&bytes).unwrap();
    assert_eq!(message.options.iter().count(), 0, "whatever stands there");
    assert_eq!((message.message_type(), message.file.as_slice()), (None, &b"boot"[..]));
    assert_eq!(message.mac(), discover(&[]).mac());
}

#[test]
fn malformed_packets_are_refused_whole() {
    let good = discover(&[(option::HOST_NAME, b"n23")]).write(576);
    let patched = |at: usize, octet: u8| {
        let mut bytes = good.clone();
        bytes[at] = octet;
        bytes
    };
    let table: &[(&str, Vec<u8>, &str)] = &[
        ("nothing at all", vec![], "dhcp-short"),
        ("one octet", vec![1], "dhcp-short"),
        ("the cookie is cut", good[..239].to_vec(), "dhcp-short"),
        ("64 KiB", vec![1; 65_507], "dhcp-long"),
        (
            "one octet too long",
            {
                let mut b = good.clone();
                b.resize(DATAGRAM_OCTETS_MAX + 1, 0);
                b
            },
            "dhcp-long",
        ),
        ("op 0", patched(0, 0), "dhcp-operation"),
        ("op 3", patched(0, 3), "dhcp-operation"),
        ("hlen 17", patched(2, 17), "dhcp-hardware-length"),
        ("hlen 255", patched(2, 255), "dhcp-hardware-length"),
        ("no cookie", patched(COOKIE, 0), "dhcp-cookie"),
        ("option past the end", with_options_field(&[53, 1, 1, 12, 5, b'n', b'2']), "dhcp-option"),
        ("option without its length", with_options_field(&[53, 1, 1, 12]), "dhcp-option"),
        ("overload 0", with_options_field(&[53, 1, 1, 52, 1, 0, 255]), "dhcp-overload"),
        ("overload 4", with_options_field(&[53, 1, 1, 52, 1, 4, 255]), "dhcp-overload"),
        ("overload of two octets", with_options_field(&[53, 1, 1, 52, 2, 1, 1, 255]), "dhcp-overload"),
    ];
    for (what, bytes, word) in table {
        assert_eq!(Message::parse(bytes).map_err(Malformed::word), Err(*word), "{what}");
    }
}

#[test]
fn what_is_odd_and_still_clear_is_understood() {
    let longest = {
        let mut b = discover(&[]).write(576);
        b.resize(DATAGRAM_OCTETS_MAX, 0);
        b
    };
    assert!(Message::parse(&longest).is_ok(), "a jumbo frame's worth");

    let bare = with_options_field(&[53, 1, 1]);
    assert_eq!(Message::parse(&bare).map(|m| m.message_type()), Ok(Some(MessageType::Discover)), "no end");

    let cookie_alone = with_options_field(&[]);
    assert_eq!(Message::parse(&cookie_alone).map(|m| m.message_type()), Ok(None), "no option at all");

    let after_end = with_options_field(&[53, 1, 1, 255, 12, 200, 1]);
    assert_eq!(
        Message::parse(&after_end).map(|m| m.options.contains(12)),
        Ok(false),
        "rubbish after the end"
    );

    let padded = with_options_field(&[0, 0, 53, 1, 3, 0, 80, 0, 255]);
    let padded = Message::parse(&padded).unwrap();
    assert_eq!(padded.message_type(), Some(MessageType::Request));
    assert_eq!(padded.options.get(option::RAPID_COMMIT), Some(&[][..]), "an option without a value");

    for code in [0, 9, 10, 255] {
        let unknown = with_options_field(&[53, 1, code, 255]);
        assert_eq!(Message::parse(&unknown).map(|m| m.message_type()), Ok(None), "type {code}");
    }
}

/// RFC 3396 6 and 7.
#[test]
fn split_options_are_joined_and_long_ones_split() {
    let parted = with_options_field(&[53, 1, 1, 43, 2, 1, 2, 12, 1, b'n', 43, 1, 3, 255]);
    let parted = Message::parse(&parted).unwrap();
    assert_eq!(parted.options.get(option::VENDOR_SPECIFIC), Some(&[1, 2, 3][..]));
    assert_eq!(parted.options.iter().map(|(code, _)| code).collect::<Vec<_>>(), [53, 43, 12]);

    let long: Vec<u8> = (0..600_u16).map(|n| n.to_be_bytes()[1]).collect();
    let bytes = discover(&[(option::VENDOR_SPECIFIC, &long)]).write(1472);
    assert_eq!(bytes[OPTIONS + 3..OPTIONS + 5], [43, 255]);
    assert_eq!(Message::parse(&bytes).unwrap().options.get(43), Some(&long[..]));
}

#[test]
fn overloaded_fields_carry_options() {
    let overloaded = |value: u8| {
        let mut bytes = with_options_field(&[53, 1, 1, 43, 1, 1, 52, 1, value, 255]);
        bytes[FILE..FILE + 8].copy_from_slice(&[43, 1, 2, 67, 1, b'f', 255, 0]);
        bytes[SNAME..SNAME + 8].copy_from_slice(&[43, 1, 3, 66, 1, b's', 255, 0]);
        Message::parse(&bytes).unwrap()
    };
    let table: &[(u8, &[u8], bool, bool)] =
        &[(1, &[1, 2], true, false), (2, &[1, 3], false, true), (3, &[1, 2, 3], true, true)];
    for (value, joined, file, sname) in table {
        let message = overloaded(*value);
        assert_eq!(
            message.options.get(43),
            Some(*joined),
            "overload {value}: file before sname (RFC 3396 5)"
        );
        assert_eq!(message.options.contains(67), *file, "overload {value}");
        assert_eq!(message.options.contains(66), *sname, "overload {value}");
        assert_eq!(message.file.is_empty(), *file, "overload {value}");
        assert_eq!(message.sname.is_empty(), *sname, "overload {value}");
        assert!(!message.options.contains(option::OVERLOAD), "it is the layout's");
    }
    let mut broken = with_options_field(&[53, 1, 1, 52, 1, 1, 255]);
    broken[FILE..COOKIE].fill(1);
    assert_eq!(Message::parse(&broken), Err(Malformed::Option), "the field ends within an option");
}

#[test]
fn the_type_is_first_the_relay_last_and_the_boot_file_is_followed_by_a_zero() {
    let mut reply = discover(&[]);
    reply.op = Op::BootReply;
    reply.options = Options::default();
    reply.options.set(option::RELAY_AGENT, vec![1, 2, 0xaa, 0xbb]);
    reply.options.set(option::BOOT_FILE, b"ipxe.efi");
    reply.options.set(option::MESSAGE_TYPE, vec![MessageType::Offer as u8]);
    reply.options.set(option::LEASE_TIME, vec![0, 0, 0, 60]);
    let bytes = reply.write(576);
    let mut expected = vec![53, 1, 2, 67, 8];
    expected.extend(b"ipxe.efi\0");
    expected.extend([51, 4, 0, 0, 0, 60, 82, 4, 1, 2, 0xaa, 0xbb, 255]);
    expected.resize(WRITTEN_OCTETS_MIN - OPTIONS, 0);
    assert_eq!(bytes[OPTIONS..], expected);
}

/// RFC 1542 2.1: no packet is shorter than 300 octets, whatever its reader says that it takes.
#[test]
fn the_size_is_obeyed() {
    let mut reply = discover(&[(12, &[b'a'; 200]), (15, &[b'b'; 200]), (66, b"s"), (82, &[7; 100])]);
    reply.file = vec![b'f'; 200];
    for size_max in (0..900).chain([65_280]) {
        let bytes = reply.write(size_max);
        let back = Message::parse(&bytes).unwrap();
        // RFC 3046 2.1: what its relay takes out again is not for the client's size, where there is not room for both.
        let most = if size_max < 346 { most(&reply, size_max) } else { size_max };
        assert!((WRITTEN_OCTETS_MIN..=most).contains(&bytes.len()), "{size_max}: {}", bytes.len());
        assert_eq!(back.message_type(), Some(MessageType::Discover), "{size_max}");
        assert_eq!(back.file.len(), 127, "a name always ends in a zero");
        assert!(back.options.contains(82), "{size_max}: the relay needs its option first");
        assert!(size_max < 760 || back.options == reply.options, "{size_max}: all of it fits");
    }
}

/// RFC 2132 9.3: which fields carry options is said in option 52, and only those are used that have no name.
#[test]
fn what_does_not_fit_goes_into_the_empty_fields() {
    let wide = |name: &[u8], file: &[u8]| {
        let mut reply = discover(&[
            (1, &[1; 4]),
            (12, &[b'a'; 200]),
            (15, &[b'b'; 90]),
            (17, &[b'c'; 61]),
            (43, &[9; 30]),
            (82, &[7; 10]),
        ]);
        (reply.sname, reply.file) = (name.into(), file.into());
        reply
    };
    for (what, reply, size, may_overload, overload, left_out) in [
        ("all of it has room", wide(b"", b""), 1472, true, None, &[][..]),
        ("nobody may", wide(b"", b""), 548, false, None, &[15, 17]),
        ("both are empty", wide(b"", b""), 500, true, Some(3), &[]),
        ("the file is enough", wide(b"", b""), 570, true, Some(1), &[]),
        ("the file is a name", wide(b"", b"boot"), 500, true, Some(2), &[15]),
        ("both are names", wide(b"server", b"boot"), 500, true, None, &[15, 17]),
    ] {
        let fitted = reply.fit(size, may_overload);
        assert_eq!(fitted.left_out, left_out, "{what}");
        let octets = fitted.octets;
        assert!(octets.len() <= size, "{what}: {}", octets.len());
        let said = (octets[OPTIONS + 3] == option::OVERLOAD).then(|| octets[OPTIONS + 5]);
        assert_eq!(said, overload, "{what}");
        // RFC 2131 4.1: "The last option in each field is 'end'"; behind it is padding alone, which who reads no end would take for more.
        for (fields, field) in [(1, &octets[FILE..COOKIE]), (2, &octets[SNAME..FILE])] {
            if overload.is_some_and(|said| said & fields > 0) {
                let last = field.iter().rfind(|octet| **octet != option::PAD);
                assert_eq!(last, Some(&option::END), "{what}");
            }
        }
        let back = Message::parse(&octets).unwrap();
        let kept: Vec<_> =
            sorted(&reply.options).into_iter().filter(|(code, _)| !left_out.contains(code)).collect();
        assert_eq!(sorted(&back.options), kept, "{what}");
        assert_eq!((&back.sname, &back.file), (&reply.sname, &reply.file), "{what}");
    }
}

/// Firmware that says nothing of its room, behind a relay that says much: 548 octets, of which 246 are the relay's. What it boots by, and what comes back because it was sent (RFC 4578 2.3), goes before
/// what a site says beside.
#[test]
fn what_a_machine_cannot_do_without_goes_before_what_it_can_reckon() {
    let mut reply = discover(&[(54, &[1; 4]), (97, &[9; 17]), (82, &[7; 244]), (51, &[2; 4])]);
    for (code, value) in [(58, &[3; 4][..]), (59, &[4; 4]), (60, b"PXEClient"), (43, &[6, 1, 8, 255])] {
        reply.options.set(code, value);
    }
    for (code, value) in [(1, &[5; 4][..]), (3, &[6; 4]), (6, &[7; 4]), (15, b"cluster"), (28, &[8; 4])] {
        reply.options.set(code, value);
    }
    for (size, left_out) in [
        // What is left of the room holds what is shorter.
        (548, &[97, 28, 58, 59][..]),
        (560, &[15, 28, 58, 59]),
        (566, &[28, 58, 59]),
        (580, &[59]),
        (590, &[]),
        (540, &[97, 15, 28, 58, 59]),
    ] {
        let fitted = reply.fit(size, false);
        assert_eq!(fitted.left_out, left_out, "{size}");
        let back = Message::parse(&fitted.octets).unwrap();
        assert_eq!((back.options.get(1), back.options.get(3)), (Some(&[5; 4][..]), Some(&[6; 4][..])));
        assert!(back.options.contains(82) && back.options.contains(43) && back.options.contains(60));
    }
}

/// What a client boots by goes before all that is only good to know, and what stands in a field already is the first that is left out.
#[test]
fn what_is_booted_by_goes_before_what_a_site_says() {
    let mut reply = discover(&[(54, &[1; 4]), (61, &[1; 7]), (97, &[9; 17]), (51, &[2; 4])]);
    (reply.sname, reply.file) = (b"10.77.0.1".to_vec(), b"boot/loader.efi".to_vec());
    for (code, value) in [(67, &b"boot/loader.efi"[..]), (66, b"10.77.0.1"), (60, b"PXEClient")] {
        reply.options.set(code, value);
    }
    for (code, value) in [(43, &[8; 160][..]), (1, &[5; 4]), (3, &[6; 4]), (224, &[1; 20]), (225, &[2; 50])] {
        reply.options.set(code, value);
    }
    let fitted = reply.fit(548, false);
    let back = Message::parse(&fitted.octets).unwrap();
    assert!(fitted.left_out.is_empty(), "nothing is missing: {:?}", fitted.left_out);
    assert_eq!([67, 66, 225].map(|code| back.options.contains(code)), [false, false, true]);
    // If there it has another name, the option is what counts.
    reply.file = b"another".to_vec();
    assert_eq!(reply.fit(548, false).left_out, [225]);
    // A menu that leaves little room goes before what only comes back.
    reply.options.set(43, [8; 225]);
    assert_eq!(reply.fit(548, false).left_out, [97, 224, 225]);
}

/// RFC 3046 2.2: a relay's information comes back, however long it is: in parts, if it has more than 255 octets (RFC 3396). Its relay takes it out again (RFC 3046 2.1), so that the client's own size
/// is not for it.
#[test]
fn what_a_relay_says_in_two_parts_comes_back() {
    for octets in [250_usize, 255, 256, 300, 400, 510] {
        let said: Vec<u8> = (0..octets).map(|place| place as u8).collect();
        let mut field = vec![53, 1, 1];
        let (first, second) = said.split_at(200);
        for part in [first, second].into_iter().flat_map(|half| half.chunks(255)) {
            field.extend([82, part.len() as u8]);
            field.extend(part);
        }
        field.push(255);
        let asked = Message::parse(&with_options_field(&field)).unwrap();
        assert_eq!(asked.options.get(82), Some(&said[..]));
        let mut reply = discover(&[(54, &[1; 4]), (51, &[2; 4]), (1, &[5; 4]), (3, &[6; 4]), (6, &[7; 4])]);
        reply.options.set(82, asked.options.get(82).unwrap());
        let fitted = reply.fit(548, false);
        assert!(fitted.left_out.is_empty(), "{octets}: {:?}", fitted.left_out);
        let back = Message::parse(&fitted.octets).unwrap();
        assert_eq!(sorted(&back.options), sorted(&reply.options), "{octets}");
        // Without it, the client has no more than it can take.
        let own = octets + 2 * octets.div_ceil(255);
        assert!(fitted.octets.len() <= if octets < 300 { 548 } else { 548 + own }, "{octets}");
    }
    // Nor is a short one left out for what a client has no room for itself.
    let mut reply = discover(&[(54, &[1; 4]), (51, &[2; 4]), (3, &[6; 400]), (82, &[7; 20])]);
    assert_eq!(reply.fit(548, false).left_out, [3]);
    // More than a link takes there cannot be: then the answer goes without it, whole.
    reply = discover(&[(54, &[1; 4]), (51, &[2; 4]), (6, &[7; 4])]);
    reply.options.set(82, [7; 1300]);
    let fitted = reply.fit(548, false);
    assert_eq!((fitted.left_out.as_slice(), fitted.octets.len()), (&[82][..], 300));
}

#[test]
fn values_have_the_lengths_that_they_need() {
    let options = discover(&[
        (3, &[10, 77, 0, 1, 10, 77, 0, 2]),
        (50, &[10, 77, 1, 23]),
        (54, &[10, 77, 1]),
        (57, &[5, 0xc0]),
        (93, &[0, 7, 0, 9]),
        (94, &[1, 2, 3]),
        // Trailing zeros are none of the text (RFC 2132 2).
        (12, b"node23\0\0"),
        (15, &[0xff]),
        (51, &[0, 0, 14, 16]),
        (61, &[]),
    ])
    .options;
    assert_eq!(options.address(3), Some(Ipv4Addr::new(10, 77, 0, 1)));
    assert_eq!(options.address(50), Some(Ipv4Addr::new(10, 77, 1, 23)));
    assert_eq!((options.address(54), options.address(61), options.address(28)), (None, None, None));
    assert_eq!(
        (options.u16(57), options.u16(93), options.u16(94), options.u16(61)),
        (Some(1472), Some(7), None, None)
    );
    assert_eq!((options.u32(51), options.u32(57)), (Some(3600), None));
    assert_eq!((options.u8(53), options.u8(57), options.u8(61)), (Some(1), None, None));
    assert_eq!((options.text(12), options.text(15), options.text(61)), (Some("node23"), None, Some("")));
    assert!(options.contains(61) && !options.contains(60));
}

#[test]
fn a_machine_is_known_by_a_hardware_address_of_its_own() {
    let with = |htype: u8, hlen: u8, first: u8| Message { htype, hlen, chaddr: [first; 16], ..discover(&[]) };
    let table = [
        ("Ethernet", with(1, 6, 0x52), Some(Mac([0x52; 6]))),
        ("InfiniBand", with(32, 0, 0), None),
        ("another length", with(1, 16, 0x52), None),
        ("another network of IEEE 802", with(6, 6, 0x52), Some(Mac([0x52; 6]))),
        ("another kind", with(7, 6, 0x52), None),
        ("a group", with(1, 6, 0x53), None),
        ("nobody", with(1, 6, 0), None),
    ];
    for (what, message, mac) in table {
        assert_eq!(message.mac(), mac, "{what}");
        assert_eq!(Message::parse(&message.write(576)), Ok(message), "{what}");
    }
}

#[test]
#[should_panic(expected = "the layout's")]
fn the_layouts_options_cannot_be_set() {
    Options::default().set(option::END, Vec::new());
}

prop_compose! {
    fn options()(values in prop::collection::vec((1..=254_u8, prop::collection::vec(any::<u8>(), 0..600)), 0..12)) -> Options {
        let mut options = Options::default();
        for (code, value) in values.into_iter().filter(|(code, _)| options::is_content(*code)) {
            options.set(code, value);
        }
        options
    }
}

prop_compose! {
    fn message()(
        reply: bool, numbers: (u8, u8, u32, u16), hlen in 0..=16_u8, broadcast: bool,
        addresses: [[u8; 4]; 4], chaddr: [u8; 16],
        sname in prop::collection::vec(1..=255_u8, 0..64), file in prop::collection::vec(1..=255_u8, 0..128),
        options in options(),
    ) -> Message {
        let (htype, hops, xid, secs) = numbers;
        let [ciaddr, yiaddr, siaddr, giaddr] = addresses.map(Ipv4Addr::from);
        let op = if reply { Op::BootReply } else { Op::BootRequest };
        Message { op, htype, hlen, hops, xid, secs, broadcast, ciaddr, yiaddr, siaddr, giaddr, chaddr, sname, file, options }
    }
}

/// Two lists of options that say the same: the writer moves 53 to the front and 82 to the end.
fn sorted(options: &Options) -> Vec<(u8, &[u8])> {
    let mut all: Vec<_> = options.iter().collect();
    all.sort_unstable();
    all
}

/// Octets that a packet may have which is to have no more than so many: a relay's information may stand beside that.
fn most(message: &Message, size_max: usize) -> usize {
    let of_relay = message.options.get(82).map_or(0, |said| said.len() + 2 * said.len().div_ceil(255).max(1));
    (size_max.max(WRITTEN_OCTETS_MIN) + of_relay).min(size_max.max(1472))
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(message in message()) {
        let bytes = message.write(DATAGRAM_OCTETS_MAX);
        let back = Message::parse(&bytes).unwrap();
        prop_assert_eq!(sorted(&back.options), sorted(&message.options));
        prop_assert_eq!(Message { options: message.options.clone(), ..back }, message);
    }

    /// However little room there is: what is not told to be left out is read again.
    #[test]
    fn what_fits_is_read_again(mut message in message(), size_max in 0..2000_usize, named: bool) {
        if !named {
            (message.sname, message.file) = (Vec::new(), Vec::new());
        }
        let fitted = message.fit(size_max, true);
        prop_assert!(fitted.octets.len() <= most(&message, size_max));
        let back = Message::parse(&fitted.octets).unwrap();
        let kept: Vec<_> = sorted(&message.options).into_iter().filter(|(code, _)| !fitted.left_out.contains(code)).collect();
        prop_assert_eq!(sorted(&back.options), kept);
        prop_assert_eq!((&back.sname, &back.file), (&message.sname, &message.file));
    }

    #[test]
    fn no_octets_can_harm(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let _ = Message::parse(&bytes);
    }

    /// A good head, so that the options are reached; what is understood is understood the same again once written.
    #[test]
    fn no_options_can_harm(field in prop::collection::vec(prop_oneof![any::<u8>(), 0..4_u8, 50..54_u8], 0..400), size_max in 0..2000_usize) {
        if let Ok(message) = Message::parse(&with_options_field(&field)) {
            prop_assert!(message.write(size_max).len() <= most(&message, size_max));
            let back = Message::parse(&message.write(DATAGRAM_OCTETS_MAX)).unwrap();
            prop_assert_eq!(sorted(&back.options), sorted(&message.options));
        }
    }
}
