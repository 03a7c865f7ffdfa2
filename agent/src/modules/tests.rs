use super::*;

#[test]
fn patterns_are_those_of_modules_alias() {
    let cases = [
        ("virtio:d00000001v*", "virtio:d00000001v00001AF4", true),
        ("virtio:d00000001v*", "virtio:d00000002v00001AF4", false),
        (
            "pci:v00008086d0000100Esv*sd*bc*sc*i*",
            "pci:v00008086d0000100Esv00001AF4sd00001100bc02sc00i00",
            true,
        ),
        (
            "pci:v00008086d0000100Esv*sd*bc*sc*i*",
            "pci:v00008086d0000100Fsv00001AF4sd00001100bc02sc00i00",
            false,
        ),
        ("usb:v0BDAp8153d30[0-9]*dc*", "usb:v0BDAp8153d3011dc00", true),
        ("usb:v0BDAp8153d30[0-1]*dc*", "usb:v0BDAp8153d3021dc00", false),
        ("fs-nfs", "fs-nfs", true),
        ("fs-nfs", "fs-nfs4", false),
        ("fs-nfs*", "fs-nfs", true),
        ("a?c", "abc", true),
        ("a?c", "ac", false),
        ("*", "", true),
        ("", "a", false),
        ("a*b*c", "aXbYbZc", true),
        ("a*b*c", "aXbYbZ", false),
        ("[", "[", false),
    ];
    for (pattern, name, expected) in cases {
        assert_eq!(is_match(pattern, name), expected, "{pattern} {name}");
    }
}

#[test]
fn tables_are_those_of_depmod() {
    let needs = "kernel/net/mlx-core.ko: kernel/lib/psample.ko kernel/lib/tls.ko\nkernel/fs/nfs/nfs.ko:\n\n";
    let modules = Modules::parse(Path::new("/m"), needs, "# a comment\nalias fs-nfs4 nfs\nalias broken\n");
    assert_eq!(
        modules.files.get("mlx_core").map(Vec::as_slice),
        Some(
            &[
                "kernel/net/mlx-core.ko".to_owned(),
                "kernel/lib/psample.ko".into(),
                "kernel/lib/tls.ko".into()
            ][..]
        )
    );
    assert_eq!(modules.files.get("nfs").map(Vec::len), Some(1));
    assert_eq!(modules.aliases, [("fs-nfs4".to_owned(), "nfs".to_owned())]);
}

#[test]
fn drivers_of_disks_wait_until_somebody_wants_to_know_of_disks() {
    let needs = "kernel/nvme.ko: kernel/nvme-core.ko\nkernel/nvme-core.ko:\nkernel/igb.ko:\n";
    let aliases = "alias pci:v*bc01sc08i02* nvme\nalias pci:v00008086d00001533* igb\n";
    let mut modules = Modules::parse(Path::new("/m"), needs, aliases);
    modules.of_disks = BTreeSet::from(["nvme".to_owned()]);
    assert_eq!(modules.files_of("pci:v0000144Dbc01sc08i02"), [""; 0]);
    assert_eq!(modules.files_of("pci:v00008086d00001533sv"), ["kernel/igb.ko"]);
    // Who names one wants it.
    let both = ["kernel/nvme-core.ko", "kernel/nvme.ko"];
    assert_eq!(modules.files_of("nvme"), both);
    modules.of_disks.clear();
    assert_eq!(modules.files_of("pci:v0000144Dbc01sc08i02"), both);
}
