use super::*;

#[test]
fn paths_are_kept_below_the_boot_directory() {
    let (none, out) = ("no file was named", "a name with .. in it could lead out of the boot directory");
    for (path, expected) in [
        ("pxelinux.0", Ok("pxelinux.0")),
        ("/grub/grub.cfg", Ok("grub/grub.cfg")),
        ("//grub///grub.cfg", Ok("grub/grub.cfg")),
        (r"\boot\x86\pxeboot.n12", Ok("boot/x86/pxeboot.n12")),
        ("./vmlinuz", Ok("vmlinuz")),
        ("a..b", Ok("a..b")),
        ("", Err(Answer::Missing(none.into()))),
        ("/", Err(Answer::Missing(none.into()))),
        ("../etc/shadow", Err(Answer::Refused(out.into()))),
        ("a/../../etc/shadow", Err(Answer::Refused(out.into()))),
        (r"a\..\b", Err(Answer::Refused(out.into()))),
    ] {
        assert_eq!(normalized(path), expected.map(str::to_owned), "{path}");
    }
}

#[test]
fn another_machines_directory_is_refused() {
    let (mine, my_mac) = (Ipv4Addr::new(10, 77, 1, 23), "52:54:00:00:00:17".parse().unwrap());
    for (root, path, expected) in [
        (UniqueRoot::None, "10.77.1.24/secret", false),
        (UniqueRoot::Address, "10.77.1.24/secret", true),
        (UniqueRoot::Address, "10.77.1.24", true),
        (UniqueRoot::Address, "10.77.1.23/secret", false),
        (UniqueRoot::Address, "52-54-00-00-00-18/secret", false),
        (UniqueRoot::Mac, "52-54-00-00-00-18/secret", true),
        (UniqueRoot::Mac, "52:54:00:00:00:18/secret", true),
        (UniqueRoot::Mac, "52-54-00-00-00-17/secret", false),
        (UniqueRoot::Mac, "images/52-54-00-00-00-18", false),
        (UniqueRoot::Mac, "pxelinux.cfg/01-52-54-00-00-00-18", false),
    ] {
        assert_eq!(is_of_another(root, path, mine, Some(my_mac)), expected, "{root:?} {path}");
    }
    assert!(is_of_another(UniqueRoot::Mac, "52-54-00-00-00-17/x", mine, None), "a stranger has none");
}

#[test]
fn what_is_made_has_its_name_in_any_size() {
    for (path, expected) in [
        ("BOOT.IPXE", "boot.ipxe"),
        ("boot.ipxe", "boot.ipxe"),
        ("X/BOOT.IPXE", "X/BOOT.IPXE"),
        ("PXELINUX.CFG/default", "pxelinux.cfg/default"),
        ("PXELINUX.CFG/DEFAULT", "pxelinux.cfg/default"),
        ("Boot/Pxelinux.cfg/01-52-54-00-00-00-0A", "Boot/pxelinux.cfg/01-52-54-00-00-00-0A"),
        ("EFI/GRUB/GRUB.CFG", "EFI/GRUB/grub.cfg"),
        ("GRUB.CFG-01-52-54-00-00-00-0A", "grub.cfg-01-52-54-00-00-00-0A"),
        ("PXELINUX.CFG/0A4D0117", "pxelinux.cfg/0A4D0117"),
        ("VMLINUZ", "VMLINUZ"),
        ("XPXELINUX.CFG/default", "XPXELINUX.CFG/default"),
    ] {
        assert_eq!(folded(true, path.into()), expected, "{path}");
        assert_eq!(folded(false, path.into()), path);
    }
}
