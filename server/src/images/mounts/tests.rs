use super::*;
use crate::testing;
use std::os::unix::fs::symlink;

#[test]
fn a_path_is_known_by_where_it_leaves_the_directory() {
    testing::with_mounts(|| {
        let directory = testing::directory("mounts");
        let at = |name: &str| directory.path().join(name);
        for made in ["sub/on", "a b", "plain"] {
            std::fs::create_dir_all(at(made)).unwrap();
        }
        let tmpfs = c"tmpfs";
        let mount = |name: &str| {
            let path = std::ffi::CString::new(at(name).to_str().unwrap()).unwrap();
            nix::mount::mount(
                Some(tmpfs),
                path.as_c_str(),
                Some(tmpfs),
                nix::mount::MsFlags::empty(),
                None::<&str>,
            )
            .unwrap();
        };
        mount("sub/on");
        mount("a b");
        std::fs::create_dir(at("sub/on/deep")).unwrap();
        std::fs::write(at("sub/on/deep/file"), "x").unwrap();
        symlink("sub/on/deep/file", at("link")).unwrap();
        symlink("../link", at("plain/second")).unwrap();
        symlink(at("sub/on"), at("absolute")).unwrap();
        symlink("circle", at("circle")).unwrap();
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = rustix::fs::openat(rustix::fs::CWD, directory.path(), flags, Mode::empty()).unwrap();
        let device_of = |name: &str| {
            let device = std::os::unix::fs::MetadataExt::dev(&std::fs::metadata(at(name)).unwrap());
            format!("{}:{}", nix::sys::stat::major(device), nix::sys::stat::minor(device))
        };
        for (path, expected) in [
            ("sub/on/deep/file", Some("sub/on")),
            ("sub/on", Some("sub/on")),
            ("sub//./on/none", Some("sub/on")),
            ("plain/../sub/on/x", Some("sub/on")),
            ("link", Some("sub/on")),
            ("plain/second", Some("sub/on")),
            ("a b/file", Some("a b")),
            ("plain", None),
            ("plain/none", None),
            ("absolute/deep", None),
            ("circle", None),
            ("../x", None),
        ] {
            let place = |at: &str| Place::Mounted { at: at.into(), device: device_of(at).into() };
            assert_eq!(place_of(&root, path), expected.map(place), "{path}");
        }
        assert_eq!(on_own(&root, "link", OFlags::RDONLY).err(), Some(Errno::XDEV));
        assert!(beneath(&root, "link", OFlags::RDONLY).is_ok());
    });
}

#[test]
fn blanks_in_the_list_of_mounts_are_understood() {
    assert_eq!(unescaped(br"/srv/a\040b\134c"), b"/srv/a b\\c");
    assert_eq!(unescaped(br"/srv/\04"), br"/srv/\04");
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = rustix::fs::openat(rustix::fs::CWD, "/", flags, Mode::empty()).unwrap();
    let proc = std::os::unix::fs::MetadataExt::dev(&std::fs::metadata("/proc").unwrap());
    let device = format!("{}:{}", nix::sys::stat::major(proc), nix::sys::stat::minor(proc));
    assert_eq!(device_at(&root, "proc"), Some(device));
}
