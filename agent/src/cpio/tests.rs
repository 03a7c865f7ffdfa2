use super::*;
use std::os::unix::fs::MetadataExt;

/// A directory for one test.
fn scratch(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("heorot-agent-cpio-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).expect("a scratch directory");
    path
}

/// One entry: inode, mode, links, name, content.
pub(crate) fn entry(inode: u32, mode: u32, links: u32, name: &str, content: &[u8]) -> Vec<u8> {
    let (user, group) = (nix::unistd::getuid().as_raw(), nix::unistd::getgid().as_raw());
    let fields = [
        inode,
        mode,
        user,
        group,
        links,
        1_000_000,
        content.len() as u32,
        0,
        0,
        0,
        0,
        name.len() as u32 + 1,
        0,
    ];
    let mut bytes = b"070701".to_vec();
    bytes.extend(fields.map(|field| format!("{field:08x}")).concat().as_bytes());
    bytes.extend(name.as_bytes());
    bytes.push(0);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes.extend(content);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

#[test]
fn files_directories_and_links_come_out_as_they_were() {
    let directory = scratch("whole");
    let archive = [
        entry(1, 0o40_755, 2, ".", b""),
        entry(2, 0o40_750, 2, "etc", b""),
        entry(3, 0o100_640, 1, "etc/motd", b"hello"),
        entry(4, 0o120_777, 1, "link", b"etc/motd"),
        // The content of a file with two names stands at the last of them.
        entry(5, 0o100_755, 2, "one", b""),
        entry(5, 0o100_755, 2, "two", b"both"),
        entry(0, 0, 1, "TRAILER!!!", b""),
    ]
    .concat();
    assert_eq!(unpack(&mut archive.as_slice(), &directory), Ok(9));
    let text = |name: &str| fs::read_to_string(directory.join(name)).expect(name);
    assert_eq!(
        (text("etc/motd"), text("link"), text("one"), text("two")),
        ("hello".into(), "hello".into(), "both".into(), "both".into())
    );
    let metadata = |name: &str| fs::symlink_metadata(directory.join(name)).expect(name);
    assert_eq!(metadata("etc").mode() & 0o7777, 0o750);
    assert_eq!((metadata("etc/motd").mode() & 0o7777, metadata("etc/motd").mtime()), (0o640, 1_000_000));
    assert_eq!(metadata("one").ino(), metadata("two").ino());
    fs::remove_dir_all(directory).expect("removed");
}

#[test]
fn what_is_no_archive_is_refused_and_nothing_leaves_the_directory() {
    let directory = scratch("wrong");
    for (archive, why) in [
        (Vec::new(), "reading the archive"),
        (vec![b'x'; 200], "no cpio archive"),
        (entry(1, 0o100_644, 1, "../escaped", b"x"), "leads elsewhere"),
        (entry(1, 0o100_644, 1, "short", b"content")[..120].to_vec(), "unexpected end"),
        (entry(1, 0, 1, "strange", b""), "kind of file"),
        (entry(1, 0o100_644, 1, "no-trailer", b""), "reading the archive"),
    ] {
        let outcome = unpack(&mut archive.as_slice(), &directory);
        assert!(outcome.as_ref().is_err_and(|error| error.contains(why)), "{why}: {outcome:?}");
    }
    assert!(!directory.parent().expect("a parent").join("escaped").exists());
    fs::remove_dir_all(directory).expect("removed");
}
