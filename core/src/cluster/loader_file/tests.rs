use super::*;
use crate::config::{FileTemplate, Values};
use std::collections::BTreeMap;

const MAC: Mac = Mac([0x52, 0x54, 0, 0x77, 0, 0x1a]);
const CARDS: [Mac; 2] = [MAC, Mac([0x52, 0x54, 0, 0x77, 0, 0x1b])];
const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 77, 1, 1);

fn made(generated: Generated<'_>, initrd: &[&str], cmdline: &str) -> String {
    let values = Values {
        node_name: None,
        node_number: None,
        node_mac: MAC.to_string(),
        node_address: ADDRESS,
        node_attributes: BTreeMap::new(),
        cluster_name: "cluster".into(),
        server_address: Ipv4Addr::new(10, 77, 0, 1),
    };
    let values = FileValues {
        values,
        profile: "default".into(),
        architecture: String::new(),
        kernel: "linux/vmlinuz".into(),
        initrd: initrd.iter().map(|file| (*file).to_owned()).collect(),
        cmdline: cmdline.into(),
        http: "http://10.77.0.1".into(),
    };
    let values = generated.written(values, "http://10.77.0.1");
    FileTemplate::usual(generated.file()).render(&values).unwrap()
}

#[test]
fn paths_of_generated_files() {
    let grub = |folder, name| Some(Generated::Grub { folder, name });
    for (path, expected) in [
        ("boot.ipxe", Some(Generated::Ipxe)),
        ("ipxe/boot.ipxe", None),
        ("pxelinux.cfg/default", Some(Generated::Pxelinux { folder: "", name: "default" })),
        ("bios/pxelinux.cfg/0A4D0100", Some(Generated::Pxelinux { folder: "bios/", name: "0A4D0100" })),
        ("mypxelinux.cfg/default", None),
        ("pxelinux.0", None),
        // Debian's signed GRUB, GRUB of grub-mknetdir, GRUB from its package's folder.
        ("grub/grub.cfg", grub("grub/", "")),
        ("grubnet/grub.cfg-01-52-54-00-77-00-1a", grub("grubnet/", "01-52-54-00-77-00-1a")),
        ("grub.cfg-0A4D0101", grub("", "0A4D0101")),
        ("EFI/debian/grub.cfg", grub("EFI/debian/", "")),
        ("grub.cfg", grub("", "")),
        ("grub.cfg.old", None),
        ("grub.cfg/x", None),
    ] {
        assert_eq!(generated(path), expected, "{path}");
    }
}

#[test]
fn names_by_which_loaders_mean_one_machine() {
    for (name, is_its) in [
        ("01-52-54-00-77-00-1a", true),
        ("01-52-54-00-77-00-1A", true),
        ("01-52-54-00-77-00-1b", true),
        ("01-52-54-00-77-00-02", false),
        ("0A4D0101", true),
        ("0A4D010", false),
        ("b8945908-d6a6-41a9-611d-74a6ab80b83d", false),
    ] {
        assert_eq!(
            Generated::Pxelinux { folder: "", name }.is_of(CARDS.into_iter(), ADDRESS),
            is_its,
            "{name}"
        );
        assert_eq!(Generated::Grub { folder: "", name }.is_of(CARDS.into_iter(), ADDRESS), is_its, "{name}");
    }
    assert!(Generated::Pxelinux { folder: "", name: "default" }.is_of(CARDS.into_iter(), ADDRESS));
    assert!(!Generated::Pxelinux { folder: "", name: "" }.is_of(CARDS.into_iter(), ADDRESS));
    assert!(Generated::Grub { folder: "", name: "" }.is_of(CARDS.into_iter(), ADDRESS));
}

#[test]
fn pxelinux_finds_the_files_from_wherever_it_was_loaded() {
    let disks = ["initrd.img", "extra+1.img"];
    let pxelinux = |folder| Generated::Pxelinux { folder, name: "default" };
    assert_eq!(
        made(pxelinux(""), &disks, "console=ttyS0"),
        "DEFAULT heorot\nPROMPT 0\nLABEL heorot\nLINUX linux/vmlinuz\nINITRD initrd.img,extra+1.img\nAPPEND console=ttyS0\n"
    );
    let text = made(pxelinux("bios/"), &disks, "quiet");
    assert!(text.contains("LINUX ::linux/vmlinuz\nINITRD ::initrd.img,::extra+1.img\nAPPEND"), "{text}");
    let text = made(pxelinux(""), &[], "quiet");
    assert!(text.contains("LINUX linux/vmlinuz\nAPPEND quiet\n"), "{text}");
}

#[test]
fn ipxe_names_its_ram_disks_and_never_gives_up() {
    let text = made(Generated::Ipxe, &["initrd.img", "extra+1.img"], "console=ttyS0");
    assert_eq!(
        text,
        "#!ipxe\n:again\nimgfree\n\
         kernel http://10.77.0.1/linux/vmlinuz initrd=initrd0 initrd=initrd1 console=ttyS0 || goto wait\n\
         initrd --name initrd0 http://10.77.0.1/initrd.img || goto wait\n\
         initrd --name initrd1 http://10.77.0.1/extra%2B1.img || goto wait\n\
         boot || goto wait\n:wait\necho The server did not deliver. Once more in 3 seconds.\nsleep 3\ngoto again\n"
    );
}

#[test]
fn ipxe_gets_words_that_it_takes_for_nothing_else() {
    let cmdline = "a || b && c ; d #e; dyndbg=\"module a +p ; module b +p\" f||g h#i a=$b ${c";
    let text = made(Generated::Ipxe, &[], cmdline);
    let nothing = "${heorot-nothing}";
    assert!(
        text.contains(&format!(
            "vmlinuz a {nothing}|| b {nothing}&& c {nothing}; d {nothing}#e; dyndbg=\"module a +p {nothing}; module b +p\" f||g h#i a=$b ${{c || goto wait\n"
        )),
        "{text}"
    );
}

#[test]
fn grub_gets_words_that_it_takes_for_nothing_else() {
    let grub = Generated::Grub { folder: "grub/", name: "" };
    let text = made(grub, &["initrd.img", "extra 1.img"], "quiet dyndbg=\"file a.c +p\" a=$b;c d='e'");
    assert!(
        text.starts_with(
            "while true; do\necho Loading /linux/vmlinuz\nlinux /linux/vmlinuz quiet 'dyndbg=file a.c +p' 'a=$b;c' 'd='\\''e'\\'''\n\
             initrd /initrd.img '/extra 1.img'\nif [ \"$?\" = 0 ]; then\nboot\nfi\n"
        ),
        "{text}"
    );
    assert!(made(grub, &[], "quiet").contains("\nlinux /linux/vmlinuz quiet\nif ["));
}

#[test]
fn a_loader_that_has_to_wait_asks_again() {
    let why = "an operator holds it: a `fan`; $loud\n";
    let text = Generated::Ipxe.waiting(why, MAC);
    assert!(text.contains("echo heorot: an operator holds it: a  fan    loud . Asking again"), "{text}");
    assert!(text.ends_with("sleep 10\nchain --replace --autofree boot.ipxe\n"), "{text}");
    let text = Generated::Pxelinux { folder: "bios/", name: "default" }.waiting(why, MAC);
    assert!(text.ends_with("LABEL again\nCONFIG ::bios/pxelinux.cfg/01-52-54-00-77-00-1a\n"), "{text}");
    let text = Generated::Grub { folder: "grub/", name: "" }.waiting(why, MAC);
    assert!(text.ends_with("sleep 10\nsource /grub/grub.cfg-again\ndone\n"), "{text}");
    let again = generated("grub/grub.cfg-again").unwrap();
    assert!(again.is_of(CARDS.into_iter(), ADDRESS));
    assert_eq!(again.waiting(why, MAC), "# Not yet.\n");
}
