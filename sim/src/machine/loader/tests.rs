use super::*;

fn start(kind: Kind, boot_file: &str) -> Start<'_> {
    let mac = Mac([0x52, 0x54, 0, 0x77, 0, 1]);
    Start { kind, mac, address: Ipv4Addr::new(10, 77, 1, 1), boot_file, files: &[] }
}

fn names(wishes: &VecDeque<Wish>) -> Vec<&str> {
    wishes.iter().map(|wish| wish.name.as_str()).collect()
}

/// CLIENTS.md 2: the files in the order in which real loaders asked for them.
#[test]
fn loaders_ask_in_the_order_measured() {
    let cases: [(Program, Kind, &str, &[&str]); 9] = [
        (Program::Edk2, Kind::Edk2, "efi/ipxe.efi", &["efi/ipxe.efi"]),
        (Program::IpxeRom, Kind::Ipxe, "boot.ipxe", &["boot.ipxe"]),
        (Program::IpxeRom, Kind::Ipxe, "pxelinux.0", &["pxelinux.0"]),
        (
            Program::Pxelinux,
            Kind::Pxelinux,
            "bios/pxelinux.0",
            &[
                "bios/ldlinux.c32",
                "/boot/isolinux/ldlinux.c32",
                "/isolinux/ldlinux.c32",
                "/boot/syslinux/ldlinux.c32",
                "/syslinux/ldlinux.c32",
                "/ldlinux.c32",
                "bios/pxelinux.cfg/01-52-54-00-77-00-01",
                "bios/pxelinux.cfg/0A4D0101",
                "bios/pxelinux.cfg/0A4D010",
                "bios/pxelinux.cfg/0A4D01",
                "bios/pxelinux.cfg/0A4D0",
                "bios/pxelinux.cfg/0A4D",
                "bios/pxelinux.cfg/0A4",
                "bios/pxelinux.cfg/0A",
                "bios/pxelinux.cfg/0",
                "bios/pxelinux.cfg/default",
            ],
        ),
        (
            Program::Shim,
            Kind::Shim,
            "efi/shimx64.efi",
            &[
                "efi/revocations_sku.efi",
                "efi/revocations_sbat.efi",
                "efi/shim_certificate_0.efi",
                "efi/grubx64.efi",
            ],
        ),
        (
            Program::Grub,
            Kind::Shim,
            "efi/shimx64.efi",
            &[
                "/grub/x86_64-efi/command.lst",
                "/grub/x86_64-efi/fs.lst",
                "/grub/x86_64-efi/crypto.lst",
                "/grub/x86_64-efi/terminal.lst",
                "/grub/grub.cfg",
            ],
        ),
        (
            Program::Grub,
            Kind::Grub,
            "grubnet/x86_64-efi/core.efi",
            &[
                "/grubnet/x86_64-efi/normal.mod",
                "/grubnet/x86_64-efi/extcmd.mod",
                "/grubnet/x86_64-efi/crypto.mod",
                "/grubnet/x86_64-efi/gettext.mod",
                "/grubnet/x86_64-efi/terminal.mod",
                "/grubnet/x86_64-efi/gzio.mod",
                "/grubnet/x86_64-efi/gcry_crc.mod",
                "/grubnet/grub.cfg-01-52-54-00-77-00-01",
                "/grubnet/grub.cfg-0A4D0101",
                "/grubnet/grub.cfg-0A4D010",
                "/grubnet/grub.cfg-0A4D01",
                "/grubnet/grub.cfg-0A4D0",
                "/grubnet/grub.cfg-0A4D",
                "/grubnet/grub.cfg-0A4",
                "/grubnet/grub.cfg-0A",
                "/grubnet/grub.cfg-0",
                "/grubnet/x86_64-efi/command.lst",
                "/grubnet/x86_64-efi/fs.lst",
                "/grubnet/x86_64-efi/crypto.lst",
                "/grubnet/x86_64-efi/terminal.lst",
                "/grubnet/grub.cfg",
            ],
        ),
        (Program::PiRom, Kind::RaspberryPi, "pxelinux.0", &["bootcode.bin", "bootsig.bin"]),
        (Program::PiBootcode, Kind::RaspberryPi, "pxelinux.0", &[]),
    ];
    for (program, kind, boot_file, expected) in cases {
        assert_eq!(names(&wishes(program, &start(kind, boot_file))), expected, "{program:?} of {kind:?}");
    }
    assert_eq!(
        names(&wishes(Program::Grub, &start(Kind::Grub, "core.efi")))[0],
        "/grub/x86_64-efi/normal.mod"
    );
}

#[test]
fn what_was_found_is_not_looked_for_any_more() {
    let files = ["vmlinuz".to_owned()];
    let start = Start { files: &files, ..start(Kind::Pxelinux, "pxelinux.0") };
    let mut wishes = wishes(Program::Pxelinux, &start);
    let library = wishes.pop_front().unwrap();
    let (mut wishes, plan) = after(&library, "", wishes, "pxelinux.0");
    assert_eq!((wishes[0].name.as_str(), plan), ("pxelinux.cfg/01-52-54-00-77-00-01", None));

    let configuration = wishes.pop_front().unwrap();
    let (of_empty, plan) = after(&configuration, "PROMPT 1\n", wishes.clone(), "pxelinux.0");
    assert_eq!((names(&of_empty), plan), (vec!["vmlinuz"], None), "it names no kernel");
    let (of_full, plan) = after(&configuration, "KERNEL a\nINITRD b\n", wishes, "pxelinux.0");
    assert_eq!(names(&of_full), ["a", "b"]);
    assert_eq!(of_full.iter().map(|wish| wish.stage).collect::<Vec<_>>(), ["kernel", "initrd"]);
    assert_eq!(plan.map(|plan| plan.files.len()), Some(2));
}
