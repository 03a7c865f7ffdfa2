use super::*;
use crate::config::Interface;

#[test]
fn firmware_by_architecture() {
    use FirmwareKind::{
        Bios, HttpArm32, HttpArm64, HttpX64, HttpX86, Ipxe, UefiArm32, UefiArm64, UefiX64, UefiX86,
    };
    for (firmware, architecture, kind) in [
        (Firmware::Pxe, 0, Some(Bios)),
        (Firmware::Pxe, 7, Some(UefiX64)),
        (Firmware::Pxe, 9, Some(UefiX64)),
        (Firmware::Pxe, 11, Some(UefiArm64)),
        (Firmware::Pxe, 6, Some(UefiX86)),
        (Firmware::Pxe, 10, Some(UefiArm32)),
        (Firmware::Pxe, 12, None),
        (Firmware::Http, 18, Some(HttpArm32)),
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

/// What firmware is told, also by a class, and what such a loader goes on with, in whatever folder.
#[test]
fn what_a_boot_needs() {
    let class = "[[class]]\nname = \"own\"\nmac = \"52:54:00:00:00:0a\"\nboot-file = \"efi/shimaa64.efi\"\n";
    let config = config(&format!("bios = \"bios/pxelinux.0\"\n{class}"));
    for (path, told, expected) in [
        ("bios/pxelinux.0", None, true),
        ("x64.efi", None, true),
        ("pxelinux.0", None, false),
        ("bios/ldlinux.c32", None, true),
        ("boot/syslinux/ldlinux.c32", None, true),
        ("bios/libcom32.c32", None, false),
        ("efi/shimaa64.efi", None, true),
        ("grubaa64.efi", None, true),
        ("grubx64.efi", None, false),
        ("grubx64.efi", Some("shimx64.efi"), true),
        ("other.kpxe", None, false),
        ("other.kpxe", Some("other.kpxe"), true),
    ] {
        assert_eq!(is_boot_file(&config, told, path), expected, "{path}, told {told:?}");
    }
}

#[test]
fn whether_a_url_has_an_address_in_it() {
    for (url, has_address) in [
        ("http://10.77.0.1/shimx64.efi", true),
        ("http://10.77.0.1:9873/efiboot/shim.efi", true),
        ("https://10.77.0.1", true),
        ("http://user@10.77.0.1/a@b", true),
        ("http://boot.example.org/10.77.0.1", false),
        ("http://10.77.0.1.example.org/", false),
        ("http://[fd00::1]/shim.efi", false),
        ("10.77.0.1/shim.efi", false),
    ] {
        assert_eq!(is_at_address(url), has_address, "{url}");
    }
}
