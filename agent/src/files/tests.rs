use super::*;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

/// A root, and a /run, for one test.
fn scratch(name: &str) -> (PathBuf, PathBuf) {
    let path = std::env::temp_dir().join(format!("heorot-agent-files-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&path);
    let (root, run) = (path.join("root"), path.join("run"));
    fs::create_dir_all(&root).expect("a root");
    fs::create_dir_all(&run).expect("a /run");
    (root, run)
}

/// One entry: mode, name, content.
fn entry(mode: u32, name: &str, content: &[u8]) -> Vec<u8> {
    cpio::tests::entry(1, mode, 1, name, content)
}

fn fetched(entries: &[Vec<u8>]) -> Fetched {
    Fetched { archives: vec![[entries.concat(), entry(0, "TRAILER!!!", b"")].concat()] }
}

#[test]
fn files_lie_as_they_are_told_and_directories_that_are_there_stay() {
    let (root, run) = scratch("whole");
    fs::create_dir(root.join("etc")).expect("made");
    fs::set_permissions(root.join("etc"), fs::Permissions::from_mode(0o711)).expect("permitted");
    fs::write(root.join("etc/hosts"), "old and longer").expect("written");
    symlink("../run/resolv.conf", root.join("etc/resolv.conf")).expect("linked");
    let files = fetched(&[
        entry(0o40_755, "etc", b""),
        entry(0o100_644, "etc/hosts", b"new"),
        // A link in the place of a file gives way, and what it leads to is not written to.
        entry(0o100_644, "etc/resolv.conf", b"nameserver 10.77.0.1\n"),
        entry(0o40_700, "root/.ssh", b""),
        entry(0o100_600, "root/.ssh/authorized_keys", b"ssh-ed25519 AAAA"),
        entry(0o104_755, "usr/bin/set", b""),
        entry(0o120_777, "etc/localtime", b"/usr/share/zoneinfo/UTC"),
        entry(0o100_640, "run/munge/key", b"key"),
    ]);
    files.lay_with(&root, &run).expect("laid");
    let text = |path: &str| fs::read_to_string(root.join(path)).expect(path);
    assert_eq!((text("etc/hosts"), text("etc/resolv.conf")), ("new".into(), "nameserver 10.77.0.1\n".into()));
    assert!(!run.join("resolv.conf").exists());
    assert_eq!(
        fs::read_link(root.join("etc/localtime")).expect("a link"),
        Path::new("/usr/share/zoneinfo/UTC")
    );
    assert_eq!(fs::read_to_string(run.join("munge/key")).expect("in /run"), "key");
    let found = |path: &str| fs::symlink_metadata(root.join(path)).expect(path);
    for (path, mode) in [
        ("etc", 0o711),
        ("root", 0o755),
        ("root/.ssh", 0o700),
        ("root/.ssh/authorized_keys", 0o600),
        ("usr/bin/set", 0o4755),
    ] {
        assert_eq!(found(path).mode() & 0o7777, mode, "{path}");
    }
    assert_eq!(found("etc/hosts").mtime(), 1_000_000);
    // Once more, as for a root that was not made anew.
    files.lay_with(&root, &run).expect("laid again");
}

#[test]
fn no_link_leads_out_of_the_root() {
    let (root, run) = scratch("links");
    let outside = root.parent().expect("a parent").join("outside");
    fs::create_dir(&outside).expect("made");
    fs::create_dir_all(root.join("usr/lib")).expect("made");
    symlink("usr/lib", root.join("lib")).expect("linked");
    symlink(&outside, root.join("opt")).expect("linked");
    symlink("../../../../../..", root.join("up")).expect("linked");
    let lay = |path: &str| fetched(&[entry(0o100_644, path, b"x")]).lay_with(&root, &run);
    // What the root's own processes would find, and nothing else.
    lay("lib/modules/x").expect("laid");
    assert!(root.join("usr/lib/modules/x").exists());
    lay("up/etc/x").expect("laid at the root");
    assert!(root.join("etc/x").exists());
    // Absolute, and meant inside: there is no such directory there.
    assert!(lay("opt/x").is_err());
    assert!(fs::read_dir(&outside).expect("read").next().is_none());
    for (path, expected) in [
        ("../x", "/../x: a path that leads elsewhere"),
        ("etc/../../x", "/etc/../../x: a path that leads elsewhere"),
        ("usr/lib", "/usr/lib: Is a directory"),
        (".", "/.: a path that leads elsewhere"),
    ] {
        assert_eq!(lay(path), Err(expected.to_owned()), "{path}");
    }
    let device = fetched(&[entry(0o20_600, "dev/mem", b"")]).lay_with(&root, &run);
    assert_eq!(device, Err("/dev/mem: Invalid argument".to_owned()));
}

#[test]
fn a_damaged_archive_is_laid_as_far_as_it_goes_and_refused() {
    let whole = [entry(0o100_644, "a", b"content"), entry(0, "TRAILER!!!", b"")].concat();
    for length in [0, 5, 109, 112, whole.len() / 2, whole.len() - 20] {
        let (root, run) = scratch("damaged");
        let cut = Fetched { archives: vec![whole[..length].to_vec()] };
        assert!(cut.lay_with(&root, &run).is_err(), "{length}");
    }
    let (root, run) = scratch("damaged");
    let mut long = whole.clone();
    long[54..62].copy_from_slice(b"FFFFFFFF");
    assert!(Fetched { archives: vec![long] }.lay_with(&root, &run).is_err());
}
