use super::*;

#[test]
fn texts() {
    let mac = Mac([0x52, 0x54, 0, 0, 0, 0x17]);
    for text in ["52:54:00:00:00:17", "52-54-00-00-00-17", "52:54:0:0:0:17"] {
        assert_eq!(text.parse(), Ok(mac), "{text}");
    }
    // A port's GUID, and what `ip link` says of an interface of InfiniBand: the machine is the one that its ROM speaks of.
    let rom = Mac([0x00, 0x02, 0xc9, 0x05, 0xcf, 0xfb]);
    for text in ["00:02:c9:03:00:05:cf:fb", "80:00:02:08:fe:80:00:00:00:00:00:00:00:02:c9:03:00:05:cf:fb"] {
        assert_eq!(text.parse(), Ok(rom), "{text}");
    }
    for text in [
        "80:00:02:08:fe:80:00:00:00:00:00:00:00:02:c9:03:00:05:cf:fb:00",
        "00:02:c9:03:00:05:cf:",
        "",
        "52:54:00:00:00",
        "52:54:00:00:00:17:18",
        "52:54:00:00:00:1g",
        "52:54:00:00:00:+7",
        "52:54:00:00:00:",
    ] {
        assert_eq!(text.parse::<Mac>(), Err(NotAMac), "{text}");
    }
    assert_eq!(mac.to_string(), "52:54:00:00:00:17");
}

#[test]
fn texts_of_switches() {
    let mac = Mac([0x52, 0x54, 0, 0, 0, 0x1a]);
    for text in ["5254.0000.001a", "5254-0000-001A", "5254:0000:001a", "525400-00001a", "52540000001a"] {
        assert_eq!(Mac::of_switch(text), Some(mac), "{text}");
        assert_eq!(text.parse::<Mac>(), Err(NotAMac), "{text}: as a name it is a host's");
    }
    for text in [
        "",
        "5254",
        "5254.0000",
        "5254.0000-001a",
        "5254.0000.001",
        "5254.0000.001g",
        "52540000001a0",
        "+2540000001a",
    ] {
        assert_eq!(Mac::of_switch(text), None, "{text}");
    }
}

#[test]
fn groups_are_no_machines() {
    assert!(Mac([0x52, 0x54, 0, 0, 0, 0x17]).is_one_machine());
    assert!(!Mac::BROADCAST.is_one_machine());
    assert!(!Mac([0x01, 0, 0x5e, 0, 0, 1]).is_one_machine());
    assert!(!Mac([0; 6]).is_one_machine());
}

#[test]
fn they_are_in_the_order_of_their_octets() {
    let macs = [[0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 1, 0], [0, 1, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0], [0xff; 6]];
    assert!(macs.is_sorted() && macs.map(Mac).is_sorted());
    assert!(Mac([2, 0, 0, 0, 0, 0xff]) < Mac([2, 0, 0, 0, 1, 0]));
}
