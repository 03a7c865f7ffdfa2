use super::*;

#[test]
fn every_form_is_read_and_written() {
    let export = |server: &str, path: &str| Export { server: server.into(), path: path.into() };
    for (text, root) in [
        ("none", Root::None),
        ("nfs:/srv/heorot/root", Root::Here("/srv/heorot/root".into())),
        ("nfs:storage:/export", Root::Nfs(export("storage", "/export"))),
        ("nfs:10.77.0.2:/", Root::Nfs(export("10.77.0.2", "/"))),
        ("nfs4:storage.example.org:/a b", Root::Nfs4(export("storage.example.org", "/a b"))),
        ("http:images/root.squashfs", Root::Image("images/root.squashfs".into())),
        ("http://10.77.0.2:8080/root.squashfs", Root::Url("http://10.77.0.2:8080/root.squashfs".into())),
    ] {
        assert_eq!(Root::read(text, "/srv/heorot").as_ref(), Ok(&root), "{text}");
        assert_eq!(root.to_string(), text);
    }
}

#[test]
fn a_directory_has_one_name() {
    for text in ["nfs:/srv/root", "nfs:/srv//root/", "nfs:/./srv/root/.", "nfs://srv/root"] {
        assert_eq!(Root::read(text, "/srv/heorot"), Ok(Root::Here("/srv/root".into())), "{text}");
    }
}

#[test]
fn what_is_no_root_is_told() {
    let long = format!("nfs:/{}", "a".repeat(NFS_PATH_OCTETS_MAX));
    for (text, told) in [
        ("", "unknown word"),
        ("None", "did you mean \"none\"?"),
        ("nfs", "\"nfs:/directory\""),
        ("nfs:", "has no host and path"),
        ("nfs:/", "all that this host has"),
        ("nfs:/./", "all that this host has"),
        ("nfs:/srv/../etc", "no absolute path"),
        (&long, "longer than clients can ask for"),
        ("nfs:host", "has no host and path"),
        ("nfs:host:path", "has no host and path"),
        ("nfs:ho st:/path", "is no host"),
        ("nfs4:/srv/root", "has no host and path"),
        ("nfs4::/srv/root", "is no host"),
        ("nfs4:host:/a/../b", "no absolute path"),
        ("http:", "no file below boot.directory"),
        ("http:/image", "not relative"),
        ("http:../image", "no file below"),
        ("http://host", "no URL of a file"),
        ("http://host/", "no URL of a file"),
        ("http:///image", "no URL of a file"),
        ("http://host/a b", "no URL of a file"),
        ("https://host/image", "no root file system"),
        ("ext4:/dev/sda", "no root file system"),
    ] {
        let wrong = Root::read(text, "/srv/heorot").unwrap_err();
        let whole = format!("{}\n{}", wrong.message, wrong.remedy.unwrap_or_default());
        assert!(whole.contains(told), "{text}: {whole}");
    }
    let within = Root::read("http:im age", "/srv/heorot").unwrap_err().within;
    assert_eq!(within, Some(7..8), "the space");
}
