//! What happens to the configuration and to the state's disk while the server runs, or before.

use super::*;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;

/// A configuration is read by a thread of its own, as are the host's addresses, one at a time. Who says meanwhile that it is another one is heard.
#[test]
fn a_signal_while_the_configuration_is_read_is_not_lost() {
    // Below /dev a pipe may be a configuration, and is read for as long as somebody writes to it.
    let place = Place::below(Path::new("/dev/shm"), "reload");
    let server = place.start();
    let file = place.path("heorot.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    assert!(Command::new("mkfifo").args(["-m", "644"]).arg(&file).status().unwrap().success());
    server.signal(Signal::SIGHUP);
    let mut first = until_read(&file);
    server.signal(Signal::SIGHUP);
    // What was signalled is taken before what is asked afterwards is answered.
    for _ in 0..2 {
        let mut status = Command::new(env!("CARGO_BIN_EXE_heorot"));
        status.args(["status", "--control"]).arg(place.path("run/control.sock"));
        let output = status.output().unwrap();
        assert!(!output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    // Else nobody would know why what is written into the file is not in force.
    server.says("cannot be read to its end; the old one stays");
    addresses::until_troubles(
        &place,
        1,
        "the configuration, or a file that it names, cannot be read to its end",
    );
    first.write_all(text.replace("0-99", "0-149").as_bytes()).unwrap();
    drop(first);
    server.says("the configuration was read anew");
    until_read(&file).write_all(text.replace("0-99", "0-199").as_bytes()).unwrap();
    server.says("the configuration was read anew");
    assert_eq!(server.end(Signal::SIGTERM), Some(0));
}

/// A pipe, as soon as somebody reads it.
fn until_read(path: &Path) -> File {
    let asked = Instant::now();
    loop {
        match OpenOptions::new().write(true).custom_flags(libc::O_NONBLOCK).open(path) {
            Ok(file) => return file,
            Err(error) => assert!(asked.elapsed() < PATIENCE, "nobody reads it: {error}"),
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A disk on which nothing can be written is no matter of whose it is.
#[test]
fn a_state_that_is_mounted_read_only_is_told() {
    let place = Place::new("read-only");
    let state = place.path("state");
    std::fs::create_dir_all(&state).unwrap();
    unshare(CloneFlags::CLONE_NEWNS).unwrap();
    let mount = |options: &[&str]| {
        assert!(Command::new("mount").args(options).arg(&state).status().unwrap().success(), "{options:?}");
    };
    assert!(Command::new("mount").args(["--make-rprivate", "/"]).status().unwrap().success());
    mount(&["-t", "tmpfs", "-o", "ro", "tmpfs"]);
    let text = place.refused(&mut place.command());
    assert!(text.contains("(mount -o remount,rw)") && !text.contains("server.state` to the user"), "{text}");
    let mut doctor = Command::new(env!("CARGO_BIN_EXE_heorot"));
    doctor.args(["doctor", "--config"]).arg(place.path("heorot.toml"));
    let told = |output: std::process::Output| String::from_utf8(output.stdout).unwrap();
    let said = told(doctor.output().unwrap());
    assert!(said.contains("is on a file system that is mounted read-only"), "{said}");
    mount(&["-o", "remount,rw"]);
    let said = told(doctor.output().unwrap());
    assert!(!said.contains("is mounted read-only"), "{said}");
}

/// It is read as root at the start, and as the server's user afterwards.
#[test]
fn a_configuration_that_root_alone_may_read_is_told_with_what_to_do() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new("closed");
    let file = place.path("heorot.toml");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let remedy = format!("chgrp nogroup {0}; chmod 640 {0}", file.display());
    let server = place.start();
    server.signal(Signal::SIGHUP);
    server.says("the configuration is wrong; the old one stays");
    server.says(&remedy);
    let doctor = |place: &Place| {
        let mut doctor = Command::new(env!("CARGO_BIN_EXE_heorot"));
        doctor.args(["doctor", "--config"]).arg(place.path("heorot.toml"));
        String::from_utf8(doctor.output().unwrap().stdout).unwrap()
    };
    let said = doctor(&place);
    assert!(said.contains(&remedy) && said.contains("each reload (SIGHUP) is refused"), "{said}");
    // `systemctl reload` has said nothing of it.
    let refused = "the configuration on disk is refused, and the old one is in use, since 2";
    assert!(said.contains(refused), "{said}");
    assert!(Command::new("sh").args(["-c", &remedy]).status().unwrap().success());
    assert!(!doctor(&place).contains("each reload (SIGHUP) is refused"));
    server.signal(Signal::SIGHUP);
    server.says("the configuration was read anew");
    assert!(!doctor(&place).contains("is refused"));
    assert_eq!(server.end(Signal::SIGTERM), Some(0));
}

/// Whoever opens a pipe waits for who writes into it: a reload would, and no other would be heard any more.
#[test]
fn a_pipe_in_the_place_of_the_configuration_is_refused() {
    let place = Place::new("pipe");
    let server = place.start();
    std::fs::remove_file(place.path("heorot.toml")).unwrap();
    assert!(
        Command::new("mkfifo").args(["-m", "644"]).arg(place.path("heorot.toml")).status().unwrap().success()
    );
    server.signal(Signal::SIGHUP);
    server.says("it is a pipe, and has to be a file");
    std::fs::remove_file(place.path("heorot.toml")).unwrap();
    place.configure(|text| text);
    server.signal(Signal::SIGHUP);
    server.says("the configuration was read anew");
    assert_eq!(server.end(Signal::SIGTERM), Some(0));
}

/// What would be served to whoever asks, and is the server's alone, keeps it from starting; a reload to that is refused.
#[test]
fn secrets_that_would_be_served_are_refused() {
    let place = Place::new("published");
    let server = place.start();
    let published = |text: String| text.replace("DIR/state", "DIR/boot/state");
    place.configure(published);
    server.signal(Signal::SIGHUP);
    server.says("lies in boot.directory");
    assert_eq!(server.end(Signal::SIGTERM), Some(0));
    let text = place.refused(&mut place.command());
    assert!(
        text.contains("server.state") && text.contains("whoever asks by TFTP or HTTP gets the store"),
        "{text}"
    );
    assert!(!place.path("boot/state").exists());
    let said = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_heorot"));
        let output = command.args(arguments).arg(place.path("heorot.toml")).output().unwrap();
        (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
    };
    // `systemctl reload` asks by it whether the file was taken.
    let (code, checked) = said(&["check"]);
    assert_eq!(code, Some(2), "{checked}");
    assert!(checked.starts_with("server.state ") && checked.contains("lies in boot.directory"), "{checked}");
    let (_, examined) = said(&["doctor", "--config"]);
    assert!(
        examined.contains("FAULT   boot.directory ") && examined.contains("lies in boot.directory"),
        "{examined}"
    );
}

/// A kernel that is not there keeps nobody from serving, and is told before a node asks for it: at the start, by a reload, and as long as it is so.
#[test]
fn files_that_nodes_boot_from_and_that_are_not_there_are_told() {
    let place = Place::new("lacking");
    place.configure(|text| text.replace("\"vmlinuz\"", "\"6.12/vmlinuz-typo\""));
    let check = Command::new(env!("CARGO_BIN_EXE_heorot"))
        .arg("check")
        .arg(place.path("heorot.toml"))
        .output()
        .unwrap();
    let said = String::from_utf8(check.stderr).unwrap();
    assert_eq!(check.status.code(), Some(0), "{said}");
    let what = "profile.default kernel: there is no 6.12/vmlinuz-typo";
    assert!(said.contains(&format!("warning: {what}\n  put 6.12/vmlinuz-typo into ")), "{said}");
    let server = place.start();
    server.says(what);
    let told = || {
        addresses::troubles(&place).into_iter().filter(|it| it.contains("there is no ")).collect::<Vec<_>>()
    };
    addresses::until_troubles(&place, 1, &format!("{what} since 2"));
    place.configure(|text| text);
    server.signal(Signal::SIGHUP);
    server.says("all files that nodes boot from are there");
    assert_eq!(told(), Vec::<String>::new());
    std::fs::remove_file(place.path("boot/vmlinuz")).unwrap();
    server.signal(Signal::SIGHUP);
    server.says("profile.default kernel: there is no vmlinuz");
    assert_eq!(told().len(), 1);
    assert_eq!(server.end(Signal::SIGTERM), Some(0));
}
