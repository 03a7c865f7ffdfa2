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
