use super::*;
use crate::handover;

#[test]
fn the_unit_starts_the_program_that_is_left() {
    assert!(UNIT_TEXT.contains(&format!("ExecStart={} system\n", handover::PROGRAM)));
}

/// Files, whose programs end in `!`, and links with what they lead to.
type Files<'a> = &'a [(&'a str, Option<&'a str>)];

/// A root, what it is to start, and what is found: the program, and whether that is systemd.
type Case<'a> = (Files<'a>, Option<&'a str>, Result<(&'a str, bool), &'a str>);

/// A root with these files.
fn root(name: &str, files: Files<'_>) -> PathBuf {
    let root = std::env::temp_dir().join(format!("heorot-agent-system-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&root);
    for (path, target) in files {
        let (path, mode) = path.strip_suffix('!').map_or((*path, 0o644), |path| (path, 0o755));
        let whole = root.join(path);
        fs::create_dir_all(whole.parent().expect("a directory")).expect("made");
        match target {
            Some(target) => symlink(target, whole).expect("linked"),
            None => {
                fs::write(&whole, "").expect("written");
                fs::set_permissions(&whole, fs::Permissions::from_mode(mode)).expect("permitted");
            }
        }
    }
    root
}

#[test]
fn the_program_is_found_as_the_root_sees_it() {
    let cases: [Case<'_>; 6] = [
        // Debian's: a link that is absolute, and means the root's own file and not that of this machine.
        (
            &[
                ("usr/lib/systemd/systemd!", None),
                ("usr/sbin/init", Some("/usr/lib/systemd/systemd")),
                ("sbin", Some("usr/sbin")),
            ],
            None,
            Ok(("/sbin/init", true)),
        ),
        (&[("bin/busybox!", None), ("sbin/init", Some("../bin/busybox"))], None, Ok(("/sbin/init", false))),
        (&[("bin/init!", None)], None, Ok(("/bin/init", false))),
        (&[("bin/init!", None), ("bin/sh!", None)], Some("/bin/sh"), Ok(("/bin/sh", false))),
        (&[("sbin/init", None)], None, Err("/sbin/init: not a program")),
        (&[("sbin/init!", None)], Some("/bin/sh"), Err("/bin/sh: ")),
    ];
    for (number, (files, wanted, expected)) in cases.into_iter().enumerate() {
        let root = root(&number.to_string(), files);
        let found = System::find(&root, wanted);
        match (found, expected) {
            (Ok(system), Ok((init, is_systemd))) => {
                assert_eq!(
                    (system.init.as_path(), system.is_systemd()),
                    (Path::new(init), is_systemd),
                    "{number}"
                );
            }
            (Err(error), Err(why)) => assert!(error.contains(why), "{number}: {error}"),
            (found, expected) => panic!("{number}: {found:?} instead of {expected:?}"),
        }
        fs::remove_dir_all(root).expect("removed");
    }
}
