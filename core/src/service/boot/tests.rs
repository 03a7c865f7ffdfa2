use super::*;

#[test]
fn paths_are_kept_below_the_boot_directory() {
    for (path, expected) in [
        ("pxelinux.0", Some("pxelinux.0")),
        ("/grub/grub.cfg", Some("grub/grub.cfg")),
        ("//grub///grub.cfg", Some("grub/grub.cfg")),
        (r"\boot\x86\pxeboot.n12", Some("boot/x86/pxeboot.n12")),
        ("./vmlinuz", Some("vmlinuz")),
        ("a..b", Some("a..b")),
        ("", None),
        ("/", None),
        ("../etc/shadow", None),
        ("a/../../etc/shadow", None),
        (r"a\..\b", None),
    ] {
        assert_eq!(normalized(path).as_deref(), expected, "{path}");
    }
}

#[test]
fn tokens_are_compared_whole() {
    assert!(is_equal("0123", "0123"));
    for guess in ["", "0", "012", "01234", "0124"] {
        assert!(!is_equal("0123", guess), "{guess}");
    }
}
