use super::*;
use crate::config::Interface;

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
    use FirmwareKind::{Bios, HttpArm64, HttpX64, HttpX86, Ipxe, UefiArm64, UefiX64, UefiX86};
    for (firmware, architecture, kind) in [
        (Firmware::Pxe, 0, Some(Bios)),
        (Firmware::Pxe, 7, Some(UefiX64)),
        (Firmware::Pxe, 9, Some(UefiX64)),
        (Firmware::Pxe, 11, Some(UefiArm64)),
        (Firmware::Pxe, 6, Some(UefiX86)),
        (Firmware::Pxe, 10, None),
        (Firmware::Http, 15, Some(HttpX86)),
        (Firmware::Http, 16, Some(HttpX64)),
        (Firmware::Http, 19, Some(HttpArm64)),
        (Firmware::Http, 7, None),
        (Firmware::Ipxe, 0, Some(Ipxe)),
        (Firmware::Ipxe, 7, Some(Ipxe)),
    ] {
        assert_eq!(firmware_kind(firmware, architecture), kind, "{firmware:?} {architecture:?}");
    }
}

fn config(pxe: &str) -> Config {
    let network = "[[network]]\ninterface = \"eth1\"\nnumbers = \"0-9\"\nfirst = \"10.77.1.0\"\n\
                   temporary = \"10.77.200.1-10.77.200.9\"\n[boot]\nuefi-x64 = \"x64.efi\"\nhttp-arm64 = \"arm+64.efi\"\n";
    let interface = Interface { name: "eth1".into(), addresses: vec![(Ipv4Addr::new(10, 77, 0, 1), 16)] };
    Config::parse(&format!("{network}{pxe}"), &[interface]).expect("the configuration is right").0
}

/// One entry, two entries, and what each kind of firmware makes of them.
#[test]
fn who_is_asked_and_who_is_told() {
    let entry = |architecture: &str, boots: &str| {
        format!("[[pxe.service]]\narchitecture = {architecture}\ntext = \"T\"\n{boots}\n")
    };
    let one = entry("[\"bios\", \"uefi-x64\"]", "file = \"one\"");
    let two = one.clone() + &entry("[\"bios\", \"uefi-x64\", \"16\"]", "file = \"two\"");
    let local = entry("\"7\"", "type = 0");
    let prompt = "[pxe]\nprompt = \"F8\"\n";
    let server = Ipv4Addr::new(10, 77, 0, 1);
    let uefi = &[Trait::NoMenuOfOne][..];
    for (pxe, firmware, architecture, traits, expected) in [
        ("", Firmware::Pxe, 0, &[][..], "pxelinux.0"),
        ("", Firmware::Pxe, 7, uefi, "x64.efi"),
        ("", Firmware::Pxe, 27, uefi, "nothing"),
        ("", Firmware::Http, 19, &[], "http://10.77.0.1/arm%2B64.efi"),
        ("", Firmware::Pxe, 0, &[Trait::RaspberryPi], "nothing"),
        (&one, Firmware::Pxe, 0, &[], "one"),
        (&format!("{prompt}{one}"), Firmware::Pxe, 0, &[], "menu of 1"),
        (&format!("{prompt}{one}"), Firmware::Pxe, 7, uefi, "one"),
        (&two, Firmware::Pxe, 0, &[], "menu of 2"),
        (&two, Firmware::Pxe, 7, uefi, "menu of 2"),
        (&two, Firmware::Pxe, 11, uefi, "nothing"),
        (&two, Firmware::Http, 16, &[], "http://10.77.0.1/two"),
        (&two, Firmware::Ipxe, 7, &[], "http://10.77.0.1/boot.ipxe"),
        (&local, Firmware::Pxe, 7, uefi, "menu of 1"),
    ] {
        let config = config(pxe);
        let told = match offered(&config, firmware, architecture, traits, server) {
            Offered::Nothing => "nothing".into(),
            Offered::File(BootFile::Path(file) | BootFile::Url(file)) => file,
            Offered::Menu(services) => format!("menu of {}", services.len()),
        };
        assert_eq!(told, expected, "{firmware:?} {architecture} of {pxe}");
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
