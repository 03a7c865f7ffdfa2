use super::*;

/// Modules by name and what their `depends=` says; `builtin` has no file.
fn read(name: &str) -> Result<Option<Vec<u8>>, String> {
    let depends = match name {
        "virtio_net" => "net_failover,builtin",
        "net_failover" => "failover",
        "virtio_pci" => "virtio-pci-modern,virtio_pci_legacy",
        "failover" | "virtio_pci_modern" | "virtio_pci_legacy" | "e1000" => "",
        "hen" => "egg",
        "egg" => "hen",
        "builtin" => return Ok(None),
        other => return Err(format!("{other} was asked for")),
    };
    Ok(Some(format!("\x7fELF\0license=GPL\0depends={depends}\0retpoline=Y\0").into_bytes()))
}

#[test]
fn each_comes_after_what_it_needs_and_only_once() {
    let cases: [(&[&str], &[&str]); 5] = [
        (&["e1000"], &["e1000.ko"]),
        (&["virtio_net"], &["failover.ko", "net_failover.ko", "virtio_net.ko"]),
        (
            &["virtio-pci", "virtio_net", "virtio_net"],
            &[
                "virtio_pci_modern.ko",
                "virtio_pci_legacy.ko",
                "virtio_pci.ko",
                "failover.ko",
                "net_failover.ko",
                "virtio_net.ko",
            ],
        ),
        (&["builtin"], &[]),
        (&["hen"], &["egg.ko", "hen.ko"]),
    ];
    for (wanted, expected) in cases {
        let ordered = order(wanted, read).expect("all can be read");
        let files: Vec<_> = ordered.iter().map(|module| module.file.as_str()).collect();
        assert_eq!(files, expected, "{wanted:?}");
    }
}

#[test]
fn a_file_without_the_key_needs_nothing() {
    assert_eq!(depends(b"\x7fELF"), Vec::<String>::new());
    assert_eq!(depends(b"xdepends=a\0"), Vec::<String>::new(), "the key begins after a NUL");
    assert_eq!(depends(b"\0depends=a,b-c"), ["a", "b_c"], "at the very end");
}
