//! The program from outside: what it says and how it exits when there is nothing to serve.
#![allow(clippy::unwrap_used, reason = "what does not hold in a test shall fail it")]

use std::process::{Command, Output};

fn heorot(arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_heorot"));
    command.args(arguments).env_remove("HEOROT_CONTROL");
    let Output { status, stdout, stderr } = command.output().unwrap();
    (status.code().unwrap(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

fn file(name: &str, text: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

const RIGHT: &str = r#"
[[network]]
interface = "lo"
address = "127.0.0.1/8"
numbers = "0-9"
first = "127.0.1.0"
temporary = "127.0.2.1-127.0.2.9"
[profile.default]
kernel = "vmlinuz"
initrd = []
cmdline = ""
"#;

#[test]
fn a_wrong_configuration_is_refused_with_every_mistake() {
    let wrong = file("wrong.toml", &RIGHT.replace("interface", "intreface").replace("0-9", "9-0"));
    let (code, out, err) = heorot(&["check", &wrong]);
    assert_eq!((code, out.as_str()), (2, ""), "{err}");
    assert!(err.contains("wrong.toml:3:") && err.contains("did you mean \"interface\"?"), "{err}");
    assert!(err.contains("wrong.toml:5:"), "{err}");
    let (code, _, again) = heorot(&["serve", "--config", &wrong]);
    assert_eq!(code, 2);
    assert!(again.contains("did you mean \"interface\"?"), "{again}");
}

#[test]
fn a_right_configuration_passes_wherever_it_is_checked() {
    let (code, out, err) = heorot(&["check", &file("right.toml", RIGHT)]);
    assert_eq!(code, 0, "{err}");
    assert!(out.ends_with("right.toml: ok\n"), "{out}");
    assert!(err.contains("warning: boot.directory /srv/heorot does not exist\n  create it"), "{err}");
}

/// What is wrong between the paths of one file, and what would be written over, is no lack of this host: `systemctl reload` asks by this.
#[test]
fn what_serve_refuses_of_a_file_is_refused_when_it_is_checked() {
    let folder = format!("{}/checked", env!("CARGO_TARGET_TMPDIR"));
    std::fs::create_dir_all(format!("{folder}/boot")).unwrap();
    std::fs::write(format!("{folder}/precious"), "127.0.0.1 localhost\n").unwrap();
    let boot = format!("[boot]\ndirectory = \"{folder}/boot\"\npackages = \"\"\n");
    for (further, said) in [
        (format!("[server]\nstate = \"{folder}/boot/state\"\n"), "lies in boot.directory"),
        (format!("[server]\ncontrol = \"{folder}/precious\"\n"), "is no socket"),
        (format!("[names]\nfile = \"{folder}/precious\"\n"), "is no names file"),
    ] {
        let wrong = file("checked.toml", &format!("{RIGHT}{boot}{further}"));
        let (code, out, err) = heorot(&["check", &wrong]);
        assert_eq!((code, out.as_str()), (2, ""), "{err}");
        let line = err.lines().find(|line| line.contains(said)).unwrap();
        assert!(!line.starts_with("warning: "), "{err}");
        assert!(err.contains("warning: profile.default kernel: there is no vmlinuz"), "{err}");
    }
}

#[test]
fn the_doctor_says_what_this_host_lacks() {
    let text = format!("{RIGHT}[boot]\ndirectory = \"{0}\"\npackages = \"\"\n", env!("CARGO_TARGET_TMPDIR"));
    let right = file("doctor.toml", &text);
    let (code, out, err) = heorot(&["doctor", "--config", &right, "--control", "/nowhere/control.sock"]);
    assert_eq!((code, err.as_str()), (1, ""), "{out}");
    assert!(out.contains("FAULT") && out.contains("there is no vmlinuz\n  put vmlinuz into"), "{out}");
    let (code, json, _) =
        heorot(&["doctor", "--config", &right, "-o", "json", "--control", "/nowhere/control.sock"]);
    assert_eq!(code, 1);
    assert!(json.starts_with("[{\"grade\":") && json.contains("\"subject\":\"boot.bios\""), "{json}");
    let (code, out, err) = heorot(&["doctor", "--config", &file("sick.toml", "[boot]\nbios = 7\n")]);
    assert_eq!((code, out.as_str()), (2, ""), "{err}");
}

#[test]
fn a_file_that_is_not_there_is_a_usage_error() {
    let (code, _, err) = heorot(&["check", "/nowhere/heorot.toml"]);
    assert_eq!(code, 2);
    assert!(err.contains("/nowhere/heorot.toml"), "{err}");
}

#[test]
fn without_a_server_every_query_says_so_and_what_to_do() {
    for query in [
        &["status"][..],
        &["node", "list"],
        &["node", "list", "node[0-3]"],
        &["node", "show", "23"],
        &["explain", "node23"],
    ] {
        for form in [&[][..], &["-o", "json"]] {
            let arguments = [query, form, &["--control", "/nowhere/control.sock"]].concat();
            let (code, out, err) = heorot(&arguments);
            assert_eq!((code, out.as_str()), (3, ""), "{arguments:?}: {err}");
            assert!(
                err.contains("no server answers at /nowhere/control.sock: is `heorot serve` running?"),
                "{err}"
            );
        }
    }
}

/// Each changes something: who names no nodes, or has nobody to be asked, has made a mistake, and nothing is sent.
#[test]
fn changes_are_asked_for_or_confirmed_beforehand() {
    for change in [
        &["node", "accept", "node3"][..],
        &["node", "deny", "node3", "--reason", "not ours"],
        &["node", "hold", "node[0-3]", "-x", "node1"],
        &["node", "retire", "node3"],
        &["node", "number", "52:54:00:00:00:17", "23"],
        &["node", "number", "--free", "node3"],
        &["node", "set", "node3", "profile=new", "attributes.rack=a7"],
        &["node", "forget", "@state:failed"],
    ] {
        let control = &["--control", "/nowhere/control.sock"][..];
        let (code, out, err) = heorot(&[change, control].concat());
        assert_eq!((code, out.as_str()), (2, ""), "{change:?}: {err}");
        assert!(err.contains("-y does it without, --dry-run shows what would be done"), "{err}");
        for how in ["-y", "--dry-run"] {
            let (code, _, err) = heorot(&[change, control, &[how]].concat());
            assert_eq!(code, 3, "{change:?} {how}: {err}");
        }
    }
    for mistake in [
        &["node", "hold", "-y"][..],
        &["node", "set", "node3", "-y"],
        &["node", "set", "node3", "kernel=x", "-y"],
        &["node", "number", "node3", "-y"],
        &["node", "number", "node3", "7", "--free", "-y"],
        &["node", "hold", "^/nowhere/nodes", "-y"],
        &["template", "initrd.cfg"],
    ] {
        let (code, out, err) = heorot(mistake);
        assert_eq!((code, out.as_str()), (2, ""), "{mistake:?}: {err}");
    }
}

#[test]
fn templates_are_shown_as_they_can_be_used() {
    let (code, out, _) = heorot(&["template", "grub.cfg"]);
    assert_eq!(code, 0);
    assert!(out.contains("linux {{ boot.kernel }} {{ boot.cmdline }}\n"), "{out}");
}

#[test]
fn usage_errors() {
    for arguments in
        [&[][..], &["serve"], &["node"], &["node", "show"], &["explain"], &["status", "-o", "xml"], &["bot"]]
    {
        let (code, out, err) = heorot(arguments);
        assert_eq!(code, 2, "{arguments:?}: {out}{err}");
    }
}
