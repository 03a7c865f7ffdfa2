use super::super::tests::wanted;
use super::*;
use crate::testing;
use std::os::unix::fs::{PermissionsExt, symlink};

type Made = BTreeMap<String, Entry>;

fn made(directory: &testing::Directory, open: &[&str], secret: &[&str]) -> Result<Made, String> {
    let list = |list: OverlayList| match list {
        OverlayList::Hosts => Ok("10.77.1.23\tnode23\n".to_owned()),
        OverlayList::KnownHosts => Err("there are no keys".to_owned()),
    };
    read(directory.path(), &wanted(open, secret, false), &list)
        .map_err(|told| told.replace(&directory.path().display().to_string(), "DIR"))
}

fn write(directory: &testing::Directory, path: &str, text: &str) -> PathBuf {
    let path = directory.path().join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    path
}

fn permit(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn shown(made: &Made) -> Vec<String> {
    let content = |content: &Content| match content {
        Content::Directory => "/".to_owned(),
        Content::File(octets) => format!("={}", String::from_utf8_lossy(octets).trim_end()),
        Content::Link(target) => format!("->{target}"),
    };
    made.iter().map(|(path, entry)| format!("{path}{} {}", content(&entry.content), entry.from)).collect()
}

#[test]
fn later_overlays_and_the_node_s_own_files_go_first() {
    let directory = testing::directory("overlay");
    write(&directory, "base/etc/hosts.j2", "127.0.0.1 localhost\n{{ cluster.hosts }}");
    write(&directory, "base/etc/motd", "base {{ node.name }}");
    write(&directory, "base/etc/own", "all");
    write(&directory, "base.d/node23/etc/own", "mine");
    write(&directory, "base.d/node24/etc/own", "another's");
    write(&directory, "gpu/etc/motd.j2", "gpu {{ node.name }}");
    symlink("/usr/share/zoneinfo/UTC", directory.path().join("gpu/etc/localtime")).unwrap();
    assert_eq!(
        shown(&made(&directory, &["base", "gpu"], &[]).unwrap()),
        [
            "etc/ gpu",
            "etc/hosts=127.0.0.1 localhost\n10.77.1.23\tnode23 base",
            "etc/localtime->/usr/share/zoneinfo/UTC gpu",
            "etc/motd=gpu node23 gpu",
            "etc/own=mine base",
        ]
    );
    // What is no template stays as it is, and the order decides.
    let other = made(&directory, &["gpu", "base"], &[]).unwrap();
    assert_eq!(other["etc/motd"].content, Content::File(b"base {{ node.name }}".to_vec()));
    // Always what is there now.
    write(&directory, "base/etc/motd", "new");
    assert_eq!(made(&directory, &["base"], &[]).unwrap()["etc/motd"].content, Content::File(b"new".to_vec()));
}

#[test]
fn modes_are_the_file_s_and_what_is_ours_here_is_root_s_there() {
    let directory = testing::directory("overlay");
    let path = write(&directory, "base/root/.ssh/authorized_keys", "ssh-ed25519 AAAA");
    permit(&path, 0o600);
    permit(path.parent().unwrap(), 0o700);
    let script = write(&directory, "base/etc/run.j2", "#!/bin/sh\n");
    permit(&script, 0o4755);
    std::os::unix::fs::chown(&script, Some(1000), Some(1001)).expect("run the tests as root");
    permit(&script, 0o4755);
    let made = made(&directory, &["base"], &[]).unwrap();
    let facts = |path: &str| (made[path].permissions, made[path].owner);
    assert_eq!(facts("root/.ssh"), (0o700, (0, 0)));
    assert_eq!(facts("root/.ssh/authorized_keys"), (0o600, (0, 0)));
    assert_eq!(facts("etc/run"), (0o4755, (1000, 1001)));
}

#[test]
fn what_cannot_lie_on_a_node_is_refused_by_name() {
    let directory = testing::directory("overlay");
    let lay = |name: &str, make: &dyn Fn(&Path)| {
        let place = directory.path().join(name).join("etc");
        std::fs::create_dir_all(&place).unwrap();
        make(&place);
        made(&directory, &[name], &[]).unwrap_err()
    };
    let fifo = lay("fifo", &|place| {
        nix::unistd::mkfifo(&place.join("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    });
    assert_eq!(fifo, "DIR/fifo/etc/pipe is a pipe or a socket: there are files, directories and links");
    let large = lay("large", &|place| {
        std::fs::write(place.join("image"), vec![0; OVERLAY_FILE_OCTETS_MAX + 1]).unwrap();
    });
    assert!(large.starts_with("DIR/large/etc/image has more than 4194304 octets"), "{large}");
    let many = lay("many", &|place| {
        for count in 0..5 {
            std::fs::write(place.join(format!("{count}")), vec![0; OVERLAY_FILE_OCTETS_MAX]).unwrap();
        }
    });
    assert_eq!(many, "all files together have more than 16777216 octets, with etc/3");
    let wrong = lay("wrong", &|place| std::fs::write(place.join("a.j2"), "x\n{{ node.nam }}\n").unwrap());
    assert_eq!(
        wrong,
        "DIR/wrong/etc/a.j2: line 2: there is no node.nam in a template; did you mean \"node.name\"?"
    );
    let list = lay("list", &|place| std::fs::write(place.join("a.j2"), "{{ cluster.known_hosts }}").unwrap());
    assert_eq!(list, "DIR/list/etc/a.j2: there are no keys");
    let binary = lay("binary", &|place| std::fs::write(place.join("a.j2"), [0xff]).unwrap());
    assert_eq!(binary, "DIR/binary/etc/a.j2: a template is UTF-8");
    write(&directory, "dev/dev/null", "");
    let kernel = made(&directory, &["dev"], &[]).unwrap_err();
    assert_eq!(kernel, "DIR/dev/dev: /dev is the kernel's on a node, and would hide it");
    // A link leads where it leads on the node, and is not followed here.
    write(&directory, "link/x", "");
    symlink("/etc/shadow", directory.path().join("link/shadow")).unwrap();
    assert_eq!(
        made(&directory, &["link"], &[]).unwrap()["shadow"].content,
        Content::Link("/etc/shadow".into())
    );
}

#[test]
fn secrets_are_closed_to_others_here_too() {
    let directory = testing::directory("overlay");
    write(&directory, "munge/etc/munge/munge.key", "sesame");
    let open = made(&directory, &[], &["munge"]).unwrap_err();
    assert_eq!(open, "DIR/munge holds secrets, and is open to all users of this host");
    permit(&directory.path().join("munge"), 0o750);
    let secrets = made(&directory, &[], &["munge"]).unwrap();
    assert!(secrets.values().all(|entry| entry.is_secret));
    // Each node's own, and nothing for all.
    write(&directory, "keytab.d/node23/etc/krb5.keytab", "x");
    assert!(made(&directory, &[], &["keytab"]).unwrap_err().contains("keytab.d holds secrets"));
    permit(&directory.path().join("keytab.d"), 0o700);
    assert_eq!(
        shown(&made(&directory, &[], &["keytab"]).unwrap()),
        ["etc/ keytab", "etc/krb5.keytab=x keytab"]
    );

    let told = |name: &str, is_secret| problem_with(directory.path(), name, is_secret, "boot");
    assert!(told("none", false).unwrap().contains("create it, let heorot read it"));
    assert_eq!((told("munge", true), told("keytab", true)), (None, None));
    permit(&directory.path().join("munge"), 0o755);
    assert!(told("munge", true).unwrap().contains("let heorot read it: chgrp boot /"));
    write(&directory, "file", "");
    assert!(told("file", false).unwrap().contains("is no directory"));
}
