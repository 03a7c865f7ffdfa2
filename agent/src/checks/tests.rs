use super::*;
use serde_json::json;
use std::fs;
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

fn check(json: Value) -> Check {
    serde_json::from_value(json).expect("a check")
}

/// A machine whose /proc and /sys a test writes.
struct Fake(Subject);

impl Fake {
    fn new(files: &[(&str, &str)]) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let root = std::env::temp_dir().join(format!("heorot-checks-{}-{number}", std::process::id()));
        let fake = Self(Subject {
            root,
            boot_interface: Mac([0x52, 0x54, 0, 0, 0, 1]),
            url: "http://127.0.0.1:1/node/x".parse().expect("a URL"),
            disks_appear: Duration::ZERO,
        });
        files.iter().for_each(|(path, text)| fake.write(path, text));
        fake
    }

    /// A text, or a link where it begins with an arrow.
    fn write(&self, path: &str, text: &str) {
        let path = self.0.root.join(path);
        fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        match text.strip_prefix("-> ") {
            Some(target) => symlink(target, path).expect("a link"),
            None => fs::write(path, text).expect("a file"),
        }
    }

    fn run(&self, wanted: Value) -> Result<String, String> {
        let outcome = check(wanted).run(&self.0, link::Counters::read(&self.0));
        if outcome.passed { Ok(outcome.detail) } else { Err(outcome.detail) }
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0.root);
    }
}

fn is(outcome: Result<String, String>, expected: Result<&str, &str>) {
    assert_eq!(outcome, expected.map(str::to_owned).map_err(str::to_owned));
}

#[test]
fn memory_and_processors() {
    let fake = Fake::new(&[("proc/meminfo", "MemTotal:        1048576 kB\n")]);
    is(fake.run(json!({"kind": "memory", "at-least": "1GiB"})), Ok("1.0 GiB, at least 1.0 GiB wanted"));
    is(fake.run(json!({"kind": "memory", "at-least": "2GiB"})), Err("only 1.0 GiB, at least 2.0 GiB wanted"));
    // What the kernel keeps for itself is built in all the same.
    for (path, text) in [("block_size_bytes", "8000000\n"), ("memory0/state", "online\n")] {
        fake.write(&format!("sys/devices/system/memory/{path}"), text);
    }
    (1..16).for_each(|n| fake.write(&format!("sys/devices/system/memory/memory{n}/state"), "online\n"));
    is(fake.run(json!({"kind": "memory", "at-least": "2GiB"})), Ok("2.0 GiB, at least 2.0 GiB wanted"));
    is(
        Fake::new(&[]).run(json!({"kind": "memory", "at-least": "1GiB"})),
        Err("the kernel does not tell how much there is"),
    );
    for at_least in [json!(1), json!("1")] {
        assert!(fake.run(json!({"kind": "processors", "at-least": at_least})).is_ok());
    }
    assert!(fake.run(json!({"kind": "processors", "at-least": 1_000_000})).is_err());
}

#[test]
fn disks_are_those_that_are_built_in() {
    let fake = Fake::new(&[
        ("sys/block/sda/size", "468862128\n"),
        ("sys/block/sda/device/model", "disk\n"),
        ("sys/block/sda/removable", "0\n"),
        ("sys/block/nvme0n1/size", "1875385008\n"),
        ("sys/block/nvme0n1/device/model", "disk\n"),
        // A second path to the same disk, a stick, a drive without a disk, and disks made of files, memory and others.
        ("sys/block/nvme0c1n1/size", "1875385008\n"),
        ("sys/block/nvme0c1n1/hidden", "1\n"),
        ("sys/block/nvme0c1n1/device/model", "disk\n"),
        ("sys/block/sdb/size", "1875385008\n"),
        ("sys/block/sdb/removable", "1\n"),
        ("sys/block/sdb/device/model", "stick\n"),
        ("sys/block/sdc/size", "0\n"),
        ("sys/block/sdc/device/model", "reader\n"),
        ("sys/block/sr0/size", "1875385008\n"),
        ("sys/block/sr0/device/model", "drive\n"),
        ("sys/block/loop0/size", "1875385008\n"),
        ("sys/block/dm-0/size", "1875385008\n"),
        ("sys/block/md127/size", "1875385008\n"),
    ]);
    is(
        fake.run(json!({"kind": "disks", "at-least": "2"})),
        Ok("2 (nvme0n1 894.3 GiB, sda 223.6 GiB), at least 2 wanted"),
    );
    is(
        fake.run(json!({"kind": "disks", "at-least": "3"})),
        Err("only 2 (nvme0n1 894.3 GiB, sda 223.6 GiB), at least 3 wanted"),
    );
    is(
        fake.run(json!({"kind": "disks", "at-least": "2", "size": "400GiB"})),
        Err("only 1 of at least 400.0 GiB (nvme0n1 894.3 GiB), at least 2 wanted; too small: sda 223.6 GiB"),
    );
    is(Fake::new(&[]).run(json!({"kind": "disks", "at-least": 1})), Err("none, at least 1 wanted"));
    // Drivers look around after they were loaded.
    fake.write("sys/block/sde/device/model", "disk\n");
    let late = fake.0.root.join("sys/block/sde/size");
    let patient = Subject { disks_appear: Duration::from_secs(20), ..fake.0.clone() };
    let appears = thread::spawn(move || {
        thread::sleep(Duration::from_millis(300));
        fs::write(late, "2048\n").expect("a file");
    });
    let outcome = check(json!({"kind": "disks", "at-least": 3})).run(&patient, None);
    appears.join().expect("it is there");
    assert!(outcome.passed, "{}", outcome.detail);
}

#[test]
fn a_controller_without_a_driver_is_told_of() {
    let fake = Fake::new(&[
        ("sys/bus/pci/devices/0000:00:1f.2/vendor", "0x8086\n"),
        ("sys/bus/pci/devices/0000:00:1f.2/device", "0x2922\n"),
        ("sys/bus/pci/devices/0000:00:1f.2/class", "0x010601\n"),
        ("sys/bus/pci/devices/0000:01:00.0/vendor", "0x144d\n"),
        ("sys/bus/pci/devices/0000:01:00.0/device", "0xa80a\n"),
        ("sys/bus/pci/devices/0000:01:00.0/class", "0x010802\n"),
        ("sys/bus/pci/devices/0000:01:00.0/driver/uevent", ""),
        ("sys/bus/pci/devices/0000:02:00.0/vendor", "0x8086\n"),
        ("sys/bus/pci/devices/0000:02:00.0/device", "0x1533\n"),
        ("sys/bus/pci/devices/0000:02:00.0/class", "0x020000\n"),
    ]);
    is(
        fake.run(json!({"kind": "disks", "at-least": 1})),
        Err("none, at least 1 wanted; this RAM disk has no driver for disks at 0000:00:1f.2 8086:2922"),
    );
}

#[test]
fn a_link_has_a_speed_and_errors() {
    let fake = Fake::new(&[
        ("sys/class/net/eth0/address", "52:54:00:00:00:01\n"),
        ("sys/class/net/eth0/device/vendor", "0x8086\n"),
        ("sys/class/net/eth0/speed", "1000\n"),
        ("sys/class/net/eth0/statistics/rx_errors", "7\n"),
        ("sys/class/net/eth0/carrier_changes", "2\n"),
        ("sys/class/net/br0/address", "52:54:00:00:00:01\n"),
        ("sys/class/net/br0/speed", "10\n"),
        ("sys/class/net/eth1/address", "52:54:00:00:00:02\n"),
        ("sys/class/net/eth1/speed", "100\n"),
    ]);
    is(fake.run(json!({"kind": "link", "at-least": "1Gbit"})), Ok("1 Gbit/s, at least 1 Gbit/s wanted"));
    is(
        fake.run(json!({"kind": "link", "at-least": "10Gbit"})),
        Err("only 1 Gbit/s, at least 10 Gbit/s wanted"),
    );
    let errors = check(json!({"kind": "link", "at-least": "1Gbit", "at-most": "1"}));
    let before = link::Counters::read(&fake.0);
    let outcome = errors.run(&fake.0, before);
    assert_eq!(
        outcome.detail,
        "1 Gbit/s, at least 1 Gbit/s wanted; 0 receive errors and 0 changes of the carrier during the trial, at most 1 wanted"
    );
    fake.write("sys/class/net/eth0/statistics/rx_errors", "8\n");
    fake.write("sys/class/net/eth0/carrier_changes", "4\n");
    let outcome = errors.run(&fake.0, before);
    assert_eq!(
        (outcome.passed, outcome.detail.as_str()),
        (false, "1 receive errors and 2 changes of the carrier during the trial, at most 1 wanted")
    );
    fake.write("sys/class/net/eth0/speed", "-1\n");
    is(
        fake.run(json!({"kind": "link", "at-least": "1Gbit"})),
        Err("the driver does not tell the link's speed"),
    );
    is(Fake::new(&[]).run(json!({"kind": "link", "at-least": "1Gbit"})), Err("there is no such interface"));
}

#[test]
fn a_links_errors_are_counted_when_all_else_is_done() {
    let fake = Fake::new(&[
        ("sys/class/net/eth0/address", "52:54:00:00:00:01\n"),
        ("sys/class/net/eth0/speed", "1000\n"),
        ("sys/class/net/eth0/statistics/rx_errors", "0\n"),
    ]);
    let errors = fake.0.sys("class/net/eth0/statistics/rx_errors");
    let load = format!("echo 5 > {}", errors.display());
    let checks = [
        check(json!({"kind": "link", "at-least": "1Gbit", "at-most": "0"})),
        check(json!({"kind": "command", "name": "load", "command": load})),
    ];
    let mut told = Vec::new();
    let outcomes = run_all(&checks, &fake.0, |outcome| told.push(outcome.name.clone()));
    assert_eq!(told, ["load", "link"]);
    let names: Vec<_> = outcomes.iter().map(|outcome| (outcome.name.as_str(), outcome.passed)).collect();
    assert_eq!(names, [("link", false), ("load", true)]);
}

#[test]
fn pci_devices_are_found_by_their_numbers() {
    let mut files = Vec::new();
    for (place, vendor, device, class) in [
        ("0000:01:00.0", "0x10de", "0x20b5", "0x030200"),
        ("0000:41:00.0", "0x10de", "0x20b5", "0x030200"),
        ("0000:03:00.0", "0x1a03", "0x2000", "0x030000"),
        ("0000:02:00.0", "0x15b3", "0x101b", "0x020700"),
    ] {
        for (field, text) in [("vendor", vendor), ("device", device), ("class", class)] {
            files.push((format!("sys/bus/pci/devices/{place}/{field}"), text));
        }
    }
    let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
    let fake = Fake::new(&files);
    is(
        fake.run(json!({"kind": "pci", "device": "15b3:101b"})),
        Ok("1 of 15b3:101b (0000:02:00.0 15b3:101b), at least 1 wanted"),
    );
    is(
        fake.run(json!({"kind": "pci", "device": "10de:*", "at-least": "4"})),
        Err("only 2 of 10de:* (0000:01:00.0 10de:20b5, 0000:41:00.0 10de:20b5), at least 4 wanted"),
    );
    is(fake.run(json!({"kind": "pci", "device": "8086:1572"})), Err("none of 8086:1572, at least 1 wanted"));
    assert!(fake.run(json!({"kind": "gpu", "at-least": "2"})).is_ok());
    is(
        fake.run(json!({"kind": "gpu", "at-least": "3"})),
        Err(
            "only 2 (0000:01:00.0 10de:20b5, 0000:41:00.0 10de:20b5), at least 3 wanted; not counted, as they are of management boards: 0000:03:00.0 1a03:2000",
        ),
    );
}

#[test]
fn a_short_stress_passes_on_this_machine() {
    let fake = Fake::new(&[("proc/meminfo", "MemAvailable:      65536 kB\n")]);
    let said = fake
        .run(json!({"kind": "stress", "duration": "200ms", "size": "2MiB"}))
        .expect("a machine that reckons right");
    assert!(said.contains(" with 2.0 MiB: "), "{said}");
    let controller = "sys/devices/system/edac/mc/mc0";
    fake.write(&format!("{controller}/ue_count"), "0\n");
    fake.write(&format!("{controller}/ce_count"), "3\n");
    let said = fake.run(json!({"kind": "stress", "duration": "10ms", "size": "1MiB"})).expect("the same");
    assert!(said.ends_with(", 0 corrected by the memory"), "{said}");
}

#[test]
fn a_check_that_is_not_understood_fails_and_says_why() {
    let fake = Fake::new(&[]);
    let cases = [
        (json!({"kind": "lamp", "at-least": "1TB"}), "lamp"),
        (json!({"kind": "memory"}), "at-least"),
        (json!({"kind": "memory", "at-least": "much"}), "much"),
        (json!({"kind": "processors", "at-least": true}), "true"),
        (json!({"kind": "processors", "at-least": -1}), "-1"),
        (json!({"kind": "disks", "at-least": 1, "size": "large"}), "large"),
        (json!({"kind": "command"}), "no command"),
        (json!({"kind": "command", "command": "true", "timeout": "soon"}), "soon"),
        (json!({"kind": "clock"}), "at-most"),
        (json!({"kind": "clock", "at-most": "5s"}), "127.0.0.1:1"),
        (json!({"kind": "pci"}), "no device"),
        (json!({"kind": "pci", "device": "x"}), "10de:20b5"),
        (json!({"kind": "bandwidth", "at-least": "1Gbit"}), "no file"),
        (json!({"kind": "bandwidth", "at-least": "1Gbit", "file": "x"}), "http://127.0.0.1:1/x"),
        (json!({"kind": "stress"}), "how long"),
        (json!({"kind": "stress", "duration": "1s"}), "memory is free"),
    ];
    for (json, word) in cases {
        let found = fake.run(json.clone()).expect_err("a check that cannot pass");
        assert!(found.contains(word), "{json}: {found}");
    }
}

#[test]
fn names_default_to_the_kind() {
    let fake = Fake::new(&[]);
    let name = |json| check(json).run(&fake.0, None).name;
    assert_eq!(name(json!({"kind": "command", "command": "true"})), "command");
    assert_eq!(name(json!({"kind": "command", "name": "burn-in", "command": "true"})), "burn-in");
}

#[test]
fn commands() {
    let minute = Duration::from_secs(60);
    let cases = [
        ("true", Ok("exit 0")),
        ("echo first; echo last", Ok("last")),
        ("echo out; echo err >&2", Ok("err")),
        ("echo why; exit 3", Err("exit 3: why")),
        ("kill -9 $$", Err("ended by signal 9: ")),
        ("/bin/sh -c 'echo nested'", Ok("nested")),
        ("head -c 1000000 /dev/zero | tr '\\0' x; echo; echo end", Ok("end")),
        ("printf 'no newline'", Ok("no newline")),
        ("cat", Ok("exit 0")),
    ];
    for (text, expected) in cases {
        let expected = expected.map(str::to_owned).map_err(str::to_owned);
        assert_eq!(command::run(text, minute), expected, "{text}");
    }
}

#[test]
fn a_command_that_takes_too_long_is_ended_with_its_children() {
    let start = Instant::now();
    let outcome = command::run("sleep 600 & sleep 600", Duration::from_millis(200));
    assert_eq!(outcome, Err("not done after 0.2 s".to_owned()));
    assert!(start.elapsed() < Duration::from_secs(20), "the wait is bounded");
}

#[test]
fn the_sites_health_check_is_its_own_command() {
    let fake = Fake::new(&[]);
    let said = "echo 'ERROR:  nhc:  Health check failed:  check_hw_ib'; exit 1";
    is(
        fake.run(json!({"kind": "nhc", "command": said})),
        Err("exit 1: ERROR:  nhc:  Health check failed:  check_hw_ib"),
    );
}

#[test]
fn what_hangs_is_left_behind() {
    let start = Instant::now();
    let outcome = within(Duration::from_millis(50), || {
        thread::sleep(Duration::from_secs(60));
        Ok(String::new())
    });
    assert_eq!(outcome, Err("not done after 0.05 s".to_owned()));
    assert_eq!(
        within(Duration::from_secs(60), || panic!("a mistake of ours, which this test wants")),
        Err("the agent made a mistake in it".to_owned())
    );
    assert!(start.elapsed() < Duration::from_secs(20), "the wait is bounded");
}

/// As the server tells them; its own tests write the same text.
#[test]
fn the_servers_words_are_understood() {
    let told = r#"[{"kind":"memory","name":"memory","at-least":"1GiB"},{"kind":"command","name":"disk","command":"smart-test","timeout":"60s"},{"kind":"stress","name":"stress","size":"1GiB","duration":"90s"}]"#;
    let checks: Vec<Check> = serde_json::from_str(told).expect("a list of checks");
    assert_eq!(checks[0].at_least, json!("1GiB"));
    assert_eq!(
        (checks[1].command.as_deref(), checks[1].timeout.as_deref()),
        (Some("smart-test"), Some("60s"))
    );
    assert_eq!((checks[2].size(), checks[2].timeout()), (Ok(Some(1 << 30)), Ok(Duration::from_secs(150))));
}
