use super::*;
use crate::initrd::tests::{Scratch, module};

/// A tree of these modules, each with what its `.modinfo` says.
fn tree(scratch: &Scratch, modules: &[(&str, &[&str])], built_in: &str) -> Tree {
    for (file, info) in modules {
        scratch.write(file, &module(info));
    }
    scratch.write("modules.builtin", built_in.as_bytes());
    Tree::read(scratch.path()).expect("a tree")
}

fn names(wanted: &[&str]) -> Vec<String> {
    wanted.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn each_comes_with_all_that_it_needs() {
    let scratch = Scratch::new("needs");
    let tree = tree(
        &scratch,
        &[
            ("kernel/net/virtio_net.ko", &["depends=net-failover,builtin", "alias=virtio:d00000001v*"]),
            ("kernel/net/net_failover.ko", &["depends=failover"]),
            ("kernel/net/failover.ko", &["depends="]),
            ("kernel/lib/libcrc32c.ko", &["depends=", "softdep=pre: crc32c"]),
            ("kernel/crypto/crc32c_generic.ko", &["alias=crc32c", "alias=crypto-crc32c"]),
            ("kernel/drivers/crypto/crc32c_card.ko", &["alias=crc32c"]),
            ("kernel/hen.ko", &["depends=egg"]),
            ("kernel/egg.ko", &["depends=hen"]),
        ],
        "kernel/net/builtin.ko\n",
    );
    let cases: [(&[&str], &[&str]); 5] = [
        (&["failover"], &["failover"]),
        (&["virtio-net", "failover"], &["failover", "net_failover", "virtio_net"]),
        (&["libcrc32c"], &["crc32c_generic", "libcrc32c"]),
        (&["builtin", "unknown"], &[]),
        (&["hen"], &["egg", "hen"]),
    ];
    for (wanted, expected) in cases {
        let picked = tree.pick(&names(wanted)).expect("all can be read");
        assert_eq!(picked.keys().map(String::as_str).collect::<Vec<_>>(), expected, "{wanted:?}");
    }
    assert!(tree.has("builtin") && tree.has("virtio-net") && !tree.has("unknown"));
}

#[test]
fn the_tables_are_as_depmod_writes_them() {
    let scratch = Scratch::new("tables");
    let tree = tree(
        &scratch,
        &[
            ("kernel/virtio_net.ko", &["depends=net_failover,failover", "alias=virtio:d00000001v*"]),
            ("kernel/net_failover.ko", &["depends=failover"]),
            ("kernel/failover.ko", &["depends="]),
            ("kernel/hen.ko", &["depends=egg"]),
            ("kernel/egg.ko", &["depends=hen"]),
        ],
        "",
    );
    let picked = tree.pick(&names(&["virtio_net", "hen"])).expect("all can be read");
    // The last of a line is loaded first.
    assert_eq!(
        dependencies(&picked),
        "kernel/egg.ko: kernel/hen.ko\n\
         kernel/failover.ko:\n\
         kernel/hen.ko: kernel/egg.ko\n\
         kernel/net_failover.ko: kernel/failover.ko\n\
         kernel/virtio_net.ko: kernel/net_failover.ko kernel/failover.ko\n"
    );
    assert_eq!(aliases(&picked), "alias virtio:d00000001v* virtio_net\n");
}

#[test]
fn files_are_known_by_the_names_of_their_modules() {
    for (file, name) in [
        ("kernel/a/snd-hda.ko", Some("snd_hda")),
        ("kernel/nfs.ko.xz", Some("nfs")),
        ("nfs.ko.zst", Some("nfs")),
        ("nfs.ko.gz", Some("nfs")),
        ("nfs.ko.sig", None),
        ("modules.dep", None),
    ] {
        assert_eq!(module_name(Path::new(file)).as_deref(), name, "{file}");
    }
}

#[test]
fn a_directory_without_modules_is_refused() {
    let scratch = Scratch::new("none");
    assert!(Tree::read(scratch.path()).is_err_and(|why| why.contains("there are no kernel modules")));
    assert!(Tree::read(&scratch.path().join("absent")).is_err());
    scratch.write("kernel/broken.ko", b"not a module");
    let tree = Tree::read(scratch.path()).expect("a tree");
    assert!(
        tree.pick(&names(&["broken"])).is_err_and(|why| why.contains("broken.ko: it is no 64-bit ELF file"))
    );
}
