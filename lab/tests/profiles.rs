//! Four machines at once, each with a profile that it has in another way: each loads its own files, by TFTP. And what changes while they load: profiles, and the files
//! themselves.

use heorot_agent::frame::Mac;
use heorot_lab::demo::machine_mac;
use heorot_lab::host::SimulatedHost;
use heorot_lab::server::{Server, Settings};
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

const PROFILES: &str = r#"
[profile.set]
nodes = "node[1-2]"
kernel = "set/vmlinuz"
initrd = ["set/one.img", "set/two.img"]
attributes = { console = "ttyS1" }
cmdline = "set console={{node.attributes.console}}"

[profile.own]
inherits = "set"
kernel = "own/vmlinuz"
initrd = "own/initrd.img"

[profile.spare]
kernel = "spare/vmlinuz"
initrd = "spare/initrd.img"
cmdline = "spare"

[[node]]
mac = "52:54:00:77:00:12"
number = 2
profile = "own"
"#;

/// The files of every profile but the usual one, each with its name in it, so that nobody takes one for another.
const FILES: [&str; 7] = [
    "set/vmlinuz",
    "set/one.img",
    "set/two.img",
    "own/vmlinuz",
    "own/initrd.img",
    "spare/vmlinuz",
    "spare/initrd.img",
];

fn settings(further: &str) -> Settings {
    let listed = [0, 1, 3].map(|number| (mac(number), u32::from(number))).to_vec();
    Settings { listed, further: further.into(), ..Settings::default() }
}

fn mac(number: u8) -> Mac {
    machine_mac(0x10 + number)
}

/// As whoever installs a kernel does it.
fn put(server: &Server, name: &str, content: &[u8]) {
    let path = server.boot_file(name);
    let new = path.with_extension("new");
    fs::create_dir_all(path.parent().expect("it is in a directory")).expect("the directory is made");
    fs::write(&new, content).expect("the file is written");
    fs::rename(&new, &path).expect("and put in its place");
}

/// Some blocks of a file that says what it is.
fn content(name: &str, version: u32) -> Vec<u8> {
    format!("{name} {version}\n").repeat(2000).into_bytes()
}

fn start() -> Server {
    let server = Server::start(&settings(PROFILES)).expect("the lab and the server start");
    for name in FILES {
        put(&server, name, &content(name, 1));
    }
    server
}

fn machine(server: &Server, number: u8) -> SimulatedHost {
    let host = server.network.host(mac(number)).expect("a host");
    SimulatedHost::new(host).expect("a machine")
}

/// What PXELINUX is told: kernel, initial RAM disks, command line.
fn plan(machine: &mut SimulatedHost) -> (String, Vec<String>, String) {
    let name = format!("pxelinux.cfg/01-{}", machine.mac().to_string().replace(':', "-"));
    let text = String::from_utf8(machine.fetch(&name).expect("its configuration")).expect("it is a text");
    let line =
        |key: &str| text.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default().to_owned();
    let initrd = line("INITRD ").split(',').map(str::to_owned).collect();
    (line("LINUX "), initrd, line("APPEND "))
}

/// A whole boot, as far as a server sees it.
fn boot(machine: &mut SimulatedHost) -> (String, String, Vec<(String, Vec<u8>)>) {
    machine.boot().expect("an address");
    let (kernel, initrd, cmdline) = plan(machine);
    let names: Vec<_> = [kernel.clone()].into_iter().chain(initrd).collect();
    let files = names.into_iter().map(|name| {
        let content = machine.fetch(&name).expect("a file");
        (name, content)
    });
    let files = files.collect();
    (kernel, cmdline, files)
}

#[test]
fn four_machines_at_once_get_each_its_own() {
    let server = start();
    let set = server.ask(&["node", "set", "node3", "profile=spare", "-y"]);
    let set = server.explain_failure(set).expect("the operator may choose");
    assert_eq!(set["changes"][0]["after"], "spare", "{set}");
    let machines: Vec<_> = (0..4).map(|number| machine(&server, number)).collect();
    let threads: Vec<_> =
        machines.into_iter().map(|mut machine| thread::spawn(move || boot(&mut machine))).collect();
    let booted: Vec<_> = threads.into_iter().map(|thread| thread.join().expect("it boots")).collect();
    for (number, (kernel, words)) in [
        ("vmlinuz", "console=ttyS0 node=node0 "),
        ("set/vmlinuz", "set console=ttyS1 "),
        ("own/vmlinuz", "set console=ttyS1 "),
        ("spare/vmlinuz", "spare "),
    ]
    .into_iter()
    .enumerate()
    {
        let (loaded, cmdline, files) = &booted[number];
        assert_eq!(loaded, kernel, "node{number}\n{}", server.tail());
        assert!(cmdline.starts_with(words), "node{number}: {cmdline}");
        for (name, octets) in files.iter().filter(|(name, _)| FILES.contains(&name.as_str())) {
            assert!(*octets == content(name, 1), "node{number} got something else for {name}");
        }
    }
    assert_eq!(booted[1].2.len(), 3, "a kernel and two initial RAM disks");
    let nodes = server.ask(&["node", "list"]).expect("the server lists its nodes");
    let profiles: Vec<_> = nodes.as_array().expect("a list").iter().map(|node| &node["profile"]).collect();
    assert_eq!(profiles, ["default", "set", "own", "spare"], "{nodes}");
}

#[test]
fn a_boot_ends_as_it_began() {
    let server = start();
    let mut one = machine(&server, 1);
    one.boot().expect("an address");
    let before = plan(&mut one);
    assert!(one.fetch("set/vmlinuz").expect("its kernel") == content("set/vmlinuz", 1));
    // Kernel and RAM disks are replaced, the profile is changed, and an operator chooses another one, all in the middle of the boot.
    for name in FILES {
        put(&server, name, &content(name, 2));
    }
    let changed = PROFILES.replace("set/one.img", "set/other.img");
    server.reconfigure(&settings(&changed)).expect("the server reads another configuration");
    let end = Instant::now() + Duration::from_secs(10);
    while !server.tail().contains("read anew") {
        assert!(Instant::now() < end, "it does not read it\n{}", server.tail());
        thread::sleep(Duration::from_millis(50));
    }
    let set = server.ask(&["node", "set", "node1", "profile=spare", "-y"]);
    server.explain_failure(set).expect("the operator may choose");
    assert_eq!(plan(&mut one), before, "{}", server.tail());
    for name in &before.1 {
        let octets = one.fetch(name).expect("its RAM disk");
        assert!(octets == content(name, 1), "{name} is of another version\n{}", server.tail());
    }
    let explained = server.ask(&["explain", "node1"]).expect("the server explains it");
    let summary = explained["summary"].as_str().unwrap_or_default();
    assert!(
        summary.contains("its boot began with the profile set, and the next one is to have spare"),
        "{summary}"
    );
    // Who begins now has what there is now.
    let mut two = machine(&server, 2);
    let (kernel, _, files) = boot(&mut two);
    assert_eq!(kernel, "own/vmlinuz");
    for (name, octets) in &files {
        assert!(*octets == content(name, 2), "{name} is of another version");
    }
}

/// The server is killed between kernel and RAM disks, and both are replaced meanwhile: which kernel the machine has nobody knows any more.
#[test]
fn a_boot_that_outlives_the_server_mixes_nothing() {
    let mut server = start();
    let mut one = machine(&server, 1);
    one.boot().expect("an address");
    let (kernel, initrd, _) = plan(&mut one);
    assert!(one.fetch(&kernel).expect("its kernel") == content(&kernel, 1));
    // How far it got is history, which may lose its last second.
    thread::sleep(Duration::from_secs(3));
    server.kill();
    for name in FILES {
        put(&server, name, &content(name, 2));
    }
    server.start_again().expect("it starts again");
    for name in &initrd {
        let refused = one.fetch(name).map(|octets| octets.len()).expect_err("it is not to be had");
        assert!(refused.contains("another version than the kernel"), "{refused}\n{}", server.tail());
    }
    let explained = server.ask(&["explain", "node1"]).expect("the server explains it");
    assert!(explained["summary"].to_string().contains("another version than the kernel"), "{explained}");
    // As generated scripts have it: once more from the beginning.
    for name in [&kernel].into_iter().chain(&initrd) {
        assert!(one.fetch(name).expect("all of it") == content(name, 2), "{name}\n{}", server.tail());
    }
}
