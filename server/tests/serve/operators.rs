//! Who may use the control socket.

use super::{PATIENCE, Place};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::Signal;
use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
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
