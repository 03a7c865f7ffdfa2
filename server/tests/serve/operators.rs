//! Who may use the control socket.

use super::{PATIENCE, Place};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::Signal;
use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::{Duration, Instant};

/// The group `heorot`, which is of this test's file alone.
const OPERATORS: u32 = 54_321;

/// The server's user is another one than `heorot`, and those of the group `heorot` are its operators all the same: from the start, and when the socket was made anew.
#[test]
fn the_control_socket_is_that_of_the_group_from_the_start_on() {
    let place = Place::new("operators");
    let groups = place.path("group");
    let here = std::fs::read_to_string("/etc/group").unwrap();
    let others = here.lines().filter(|line| !line.starts_with("heorot:")).map(|line| format!("{line}\n"));
    std::fs::write(&groups, others.collect::<String>() + &format!("heorot:x:{OPERATORS}:\n")).unwrap();
    // Of this thread, and what it starts.
    unshare(CloneFlags::CLONE_NEWNS).expect("mounts of its own: run the tests as root");
    let none = None::<&str>;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).unwrap();
    mount(Some(&groups), "/etc/group", none, MsFlags::MS_BIND, none).unwrap();

    let server = place.start();
    let socket = place.path("run/control.sock");
    let found = std::fs::metadata(&socket).unwrap();
    let nobody = nix::unistd::User::from_name("nobody").unwrap().unwrap().uid.as_raw();
    let shown = |found: &std::fs::Metadata| (found.uid(), found.gid(), found.permissions().mode() & 0o777);
    assert_eq!(shown(&found), (nobody, OPERATORS, 0o660));

    // What somebody closed is opened again, and what he removed is made again.
    let closed = || std::fs::set_permissions(&socket, Permissions::from_mode(0o600)).unwrap();
    let removed = || std::fs::remove_file(&socket).unwrap();
    let ways: [(&dyn Fn(), bool); 2] = [(&closed, true), (&removed, false)];
    for (harm, is_same) in ways {
        harm();
        server.signal(Signal::SIGHUP);
        server.says("the configuration was read anew");
        let asked = Instant::now();
        let is_for_operators = |now: &std::fs::Metadata| shown(now) == (nobody, OPERATORS, 0o660);
        loop {
            let now = std::fs::metadata(&socket);
            if now.as_ref().is_ok_and(|now| is_for_operators(now) && (now.ino() == found.ino()) == is_same) {
                break;
            }
            assert!(asked.elapsed() < PATIENCE, "the group has no socket: {now:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    assert_eq!(server.end(Signal::SIGTERM), Some(0));
}

/// Whatever is named by mistake is there afterwards as before: the server does not start, and `check` says why. A socket of an earlier server is in nobody's way.
#[test]
fn what_is_not_heorots_to_write_is_left_as_it_is() {
    let place = Place::new("others");
    let precious = place.path("precious");
    std::fs::write(&precious, "127.0.0.1 localhost\n").unwrap();
    let of_names = |text: String| text + "[names]\nfile = \"DIR/precious\"\n";
    let of_control = |text: String| text.replace("DIR/run/control.sock", "DIR/precious");
    let of_store = |text: String| text.replace("DIR/run/control.sock", "DIR/state/heorot.redb");
    std::fs::create_dir(place.path("precious-run")).unwrap();
    std::fs::write(place.path("precious-run/names"), "127.0.0.1 localhost\n").unwrap();
    let of_link = |text: String| {
        text.replace("DIR/run/control.sock", "DIR/precious-run/control.sock")
            + "[names]\nfile = \"DIR/link\"\n"
    };
    let ways: [(&dyn Fn(String) -> String, &str); 5] = [
        (&of_names, "is no names file"),
        (&of_control, "is no socket"),
        // The names are to be beside the socket, for the server becomes another user.
        (&of_link, "is no names file"),
        // The store is made, and is there when the socket is to be.
        (&of_store, "is no socket"),
        (&of_store, "is no socket"),
    ];
    for (change, word) in ways {
        place.configure(change);
        let said = place.refused(&mut place.command());
        assert!(said.contains(word) && said.contains("precious") | said.contains("heorot.redb"), "{said}");
        assert_eq!(std::fs::read_to_string(&precious).unwrap(), "127.0.0.1 localhost\n");
        let checked = Command::new(env!("CARGO_BIN_EXE_heorot"))
            .arg("check")
            .arg(place.path("heorot.toml"))
            .output()
            .unwrap();
        assert!(String::from_utf8_lossy(&checked.stderr).contains(word), "{checked:?}");
        assert_eq!(checked.status.code(), Some(2), "{checked:?}");
    }
    assert!(std::fs::metadata(place.path("state/heorot.redb")).unwrap().len() > 0);
    assert!(std::fs::symlink_metadata(place.path("link")).is_err());
    assert_eq!(std::fs::read_dir(place.path("precious-run")).unwrap().count(), 1);

    // Who may not look there knows nothing of it, and that is no mistake of the file.
    place.configure(|text| text.replace("DIR/run/control.sock", "DIR/closed/precious"));
    std::fs::create_dir(place.path("closed")).unwrap();
    std::fs::write(place.path("closed/precious"), "").unwrap();
    std::fs::set_permissions(place.path("closed"), Permissions::from_mode(0o700)).unwrap();
    for (user, code) in [(0, 2), (65_534, 0)] {
        let mut check = Command::new(env!("CARGO_BIN_EXE_heorot"));
        let checked = check.arg("check").arg(place.path("heorot.toml")).uid(user).output().unwrap();
        assert_eq!(checked.status.code(), Some(code), "{user}: {checked:?}");
    }

    place.configure(|text| text + "[names]\nfile = \"DIR/names\"\n");
    std::fs::create_dir_all(place.path("run")).unwrap();
    drop(std::os::unix::net::UnixListener::bind(place.path("run/control.sock")).unwrap());
    for _ in 0..2 {
        let server = place.start();
        server.signal(Signal::SIGHUP);
        server.says("the configuration was read anew");
        // As after a power cut: socket and names file stay.
        assert_eq!(server.end(Signal::SIGKILL), None);
        assert!(place.path("run/control.sock").exists());
        assert!(std::fs::read_to_string(place.path("names")).unwrap().starts_with("heorot-names "));
    }
}
