use super::*;

#[test]
fn names_fit_patterns() {
    // Pattern, replacement, name, what comes of it.
    let table = [
        ("kernel", "images/vmlinuz", "kernel", Some("images/vmlinuz")),
        ("kernel", "images/vmlinuz", "Kernel", None),
        ("kernel", "images/vmlinuz", "kernel2", None),
        ("Boot/x64/*", "winpe/*", "Boot/x64/boot.sdi", Some("winpe/boot.sdi")),
        ("Boot/x64/*", "winpe/*", "Boot/x64/", Some("winpe/")),
        ("Boot/x64/*", "winpe/*", "Boot/x6", None),
        ("*/grubx64.efi", "efi/grubx64.efi", "dir/sub/grubx64.efi", Some("efi/grubx64.efi")),
        ("*/grubx64.efi", "efi/grubx64.efi", "grubx64.efi", None),
        ("*.0", "bios/*.bin", "pxelinux.0", Some("bios/pxelinux.bin")),
        ("a*a", "b", "a", None),
        ("a*a", "b*", "aa", Some("b")),
        ("*", "all", "anything", Some("all")),
        // Where a letter of several octets stands in the way, nothing is cut in the middle.
        ("a*", "b", "ä", None),
        ("ä*", "b*", "äü", Some("bü")),
    ];
    for (pattern, replacement, name, expected) in table {
        let (pattern, replacement) = (name_pattern(pattern).unwrap(), name_pattern(replacement).unwrap());
        let made = pattern.matched(name, false).map(|matched| replacement.filled(matched));
        assert_eq!(made.as_deref(), expected, "{pattern:?} {name}");
    }
    let folded = name_pattern("Boot/X64/*").unwrap();
    assert_eq!(folded.matched("bOOt/x64/BCD", true), Some("BCD"), "what matched stays as it is");
}

#[test]
fn ports_are_those_that_are_left_for_transfers() {
    assert_eq!(ports("30000-30015"), Ok(30_000..=30_015));
    assert_eq!(ports("4000-4011"), Ok(4000..=4011), "the others are left");
    for text in ["4011", "4011-4011", "67", "69-1024", "30015-30000"] {
        assert!(ports(text).is_err(), "{text}");
    }
}

#[test]
fn there_are_as_many_senders_as_the_machine_can_spare_unless_it_is_said() {
    let tftp = |senders| Tftp {
        ports: None,
        single_port: false,
        block_octets_max: 1468,
        case_fold: false,
        unique_root: UniqueRoot::None,
        senders,
        rewrites: Vec::new(),
    };
    for (processors, expected) in [(1, 0), (2, 0), (3, 0), (4, 1), (7, 1), (8, 2), (16, 4), (256, 4)] {
        assert_eq!(tftp(None).senders_on(processors), expected, "{processors} processors");
        assert_eq!(tftp(Some(0)).senders_on(processors), 0);
        assert_eq!(tftp(Some(16)).senders_on(processors), 16);
    }
}
