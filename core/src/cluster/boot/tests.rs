use super::*;

fn plan() -> Plan {
    Plan {
        kernel: "linux/vmlinuz".into(),
        initrd: vec!["initrd.img".into(), "extra+1.img".into()],
        cmdline: "console=ttyS0 heorot=http://10.77.0.1/node/t".into(),
        http: "http://10.77.0.1".into(),
    }
}

#[test]
fn firmware_by_architecture() {
    use FirmwareKind::{Bios, HttpX64, Ipxe, UefiArm64, UefiX64};
    for (firmware, architecture, kind) in [
        (Firmware::Pxe, Some(0), Some(Bios)),
        (Firmware::Pxe, None, Some(Bios)),
        (Firmware::Pxe, Some(7), Some(UefiX64)),
        (Firmware::Pxe, Some(9), Some(UefiX64)),
        (Firmware::Pxe, Some(11), Some(UefiArm64)),
        (Firmware::Pxe, Some(6), None),
        (Firmware::Http, Some(16), Some(HttpX64)),
        (Firmware::Http, Some(15), None),
        (Firmware::Ipxe, Some(0), Some(Ipxe)),
        (Firmware::Ipxe, Some(7), Some(Ipxe)),
    ] {
        assert_eq!(firmware_kind(firmware, architecture), kind, "{firmware:?} {architecture:?}");
    }
}

#[test]
fn paths_of_generated_files() {
    for (path, expected) in [
        ("boot.ipxe", Some(Generated::Ipxe)),
        ("ipxe/boot.ipxe", None),
        ("pxelinux.cfg/default", Some(Generated::Pxelinux { folder: "", name: "default" })),
        ("bios/pxelinux.cfg/0A4D0100", Some(Generated::Pxelinux { folder: "bios/", name: "0A4D0100" })),
        ("mypxelinux.cfg/default", None),
        ("pxelinux.0", None),
    ] {
        assert_eq!(generated(path), expected, "{path}");
    }
}

#[test]
fn names_by_which_pxelinux_means_one_machine() {
    let (mac, address) = (Mac([0x52, 0x54, 0, 0x77, 0, 0x1a]), Ipv4Addr::new(10, 77, 1, 1));
    for (name, is_its) in [
        ("01-52-54-00-77-00-1a", true),
        ("01-52-54-00-77-00-1A", true),
        ("01-52-54-00-77-00-02", false),
        ("0A4D0101", true),
        ("0A4D010", false),
        ("default", true),
        ("b8945908-d6a6-41a9-611d-74a6ab80b83d", false),
        ("", false),
    ] {
        assert_eq!(is_pxelinux_name(name, mac, address), is_its, "{name}");
    }
}

#[test]
fn pxelinux_finds_the_files_from_wherever_it_was_loaded() {
    let text = pxelinux_cfg(&plan(), "");
    assert!(text.contains("KERNEL linux/vmlinuz\nINITRD initrd.img,extra+1.img\n"), "{text}");
    let text = pxelinux_cfg(&plan(), "bios/");
    assert!(text.contains("KERNEL ::linux/vmlinuz\nINITRD ::initrd.img,::extra+1.img\n"), "{text}");
    let text = pxelinux_cfg(&Plan { initrd: vec![], ..plan() }, "");
    assert!(!text.contains("INITRD"), "{text}");
}

#[test]
fn ipxe_names_its_ram_disks_and_never_gives_up() {
    let text = boot_ipxe(&plan());
    assert!(text.starts_with("#!ipxe\n"), "{text}");
    assert!(
        text.contains("kernel http://10.77.0.1/linux/vmlinuz initrd=initrd0 initrd=initrd1 console=ttyS0"),
        "{text}"
    );
    assert!(text.contains("initrd --name initrd1 http://10.77.0.1/extra%2B1.img || goto wait"), "{text}");
    assert!(text.ends_with("goto again\n"), "{text}");
}
