//! From power-on into a root: what the agent mounts, what the system there says of itself, and that it is up only then.

use heorot_lab::command::run;
use heorot_lab::demo::{Up, machine_mac};
use heorot_lab::directory::{self, Scratch};
use heorot_lab::file_server::{EXPORT, FileServer};
use heorot_lab::initramfs;
use heorot_lab::machine::{Firmware, Machine};
use heorot_lab::network::{CLIENT, SERVER};
use heorot_lab::packages;
use heorot_lab::server::{Server, Settings};
use heorot_lab::tree;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

const BOOT: Duration = Duration::from_secs(180);
/// A Debian is made for it, and dracut in it is a script that starts thousands of programs.
const MAKE_PATIENCE: Duration = Duration::from_secs(900);
const SOON: Duration = Duration::from_secs(30);

fn with_root(root: &str) -> Settings {
    Settings { profile: format!("root = \"{root}\""), ..Settings::default() }
}

fn boots(settings: &Settings, prepare: impl Fn(&Server) -> Result<(), String>, steps: &[&str]) {
    let server = Server::start(settings).expect("the lab and the server start");
    let walk = || {
        prepare(&server)?;
        let machine = Machine::start(&server.network, Firmware::Bios, machine_mac(1))?;
        for step in steps {
            machine.wait_for(step, BOOT)?;
        }
        let up = Up::wait(&machine)?;
        let node = server.ask(&["explain", &up.name])?;
        if up.name == "node0" && node["state"] == "up" {
            return Ok(());
        }
        Err(format!("{} is not as it should be: {node}", up.name))
    };
    server.explain_failure(walk()).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn a_debian_runs_from_a_squashfs_image_in_memory() {
    let image = tree::squashfs().expect("an image");
    boots(
        &with_root("http:debian.squashfs"),
        |server| {
            fs::copy(&image, server.boot_file("debian.squashfs"))
                .map(|_| ())
                .map_err(|error| error.to_string())
        },
        &[
            "fetching the root",
            "(squashfs), writable in memory",
            "starting /sbin/init",
            "the root says: node0 overlay over squashfs, Debian",
        ],
    );
}

#[test]
fn a_debian_runs_over_nfs() {
    let tree = tree::debian().expect("a tree");
    boots(
        &with_root(&format!("nfs:{}", tree.display())),
        |_| Ok(()),
        &[
            "by NFS 3, writable in memory",
            "starting /sbin/init",
            "the root says: node0 overlay over nfs, Debian",
        ],
    );
}

/// The image is not there at first: the machine says what it waits for, and the server why it is not up. Then the lease goes on in the system.
#[test]
fn a_busybox_runs_from_an_archive_as_soon_as_there_is_one() {
    let settings = Settings { network: "lease = \"1m\"".to_owned(), ..with_root("http:busybox.cpio.gz") };
    let server = Server::start(&settings).expect("the lab and the server start");
    let walk = || {
        let machine = Machine::start(&server.network, Firmware::Bios, machine_mac(1))?;
        machine.wait_for("busybox.cpio.gz: the server says 404; trying again", BOOT)?;
        let node = server.ask(&["explain", &machine.mac.to_string()])?;
        if node["state"] == "up" || !node["to_do"].to_string().contains("put busybox.cpio.gz into") {
            return Err(format!("while its root is missing: {node}"));
        }
        let scratch = server.scratch_file("archive");
        let image = tree::archive(&scratch)?;
        fs::rename(image, server.boot_file("busybox.cpio.gz")).map_err(|error| error.to_string())?;
        machine.wait_for("(cpio)", SOON)?;
        machine.wait_for("the root says: node0 node0 busybox", SOON)?;
        let up = Up::wait(&machine)?;
        if up.name != "node0" {
            return Err(format!("it became {}", up.name));
        }
        renewals(&server, 2)
    };
    server.explain_failure(walk()).unwrap_or_else(|error| panic!("{error}"));
}

/// Waits until node0 has renewed its lease so often since it is up.
fn renewals(server: &Server, wanted: usize) -> Result<(), String> {
    let start = Instant::now();
    loop {
        let node = server.ask(&["explain", "node0"])?;
        let history = node["history"].as_array().cloned().unwrap_or_default();
        let after_up = history.iter().skip_while(|event| !event["detail"].to_string().contains("-> up"));
        let renewals = after_up.filter(|event| event["event"] == "ack").count();
        if renewals >= wanted {
            return Ok(());
        }
        // Twice the lease: without renewals it would be over.
        if start.elapsed() > Duration::from_secs(120) {
            return Err(format!("{renewals} renewals since it is up: {node}"));
        }
        thread::sleep(Duration::from_secs(1));
    }
}

#[test]
fn a_busybox_runs_from_an_erofs_image() {
    boots(
        &with_root("http:busybox.erofs"),
        |server| {
            let tree = server.scratch_file("tree");
            tree::busybox(&tree)?;
            run(Command::new("mkfs.erofs").arg(server.boot_file("busybox.erofs")).arg(&tree), SOON)
                .map(|_| ())
        },
        &["(erofs), writable in memory", "the root says: node0 node0 busybox"],
    );
}

/// What will not be a root whatever is waited for is said on the console and to the server, and the machine starts anew.
#[test]
fn a_machine_without_a_root_says_why_and_starts_anew() {
    let settings = Settings { cmdline: " heorot.reboot=5s".to_owned(), ..with_root("http:image") };
    let server = Server::start(&settings).expect("the lab and the server start");
    let walk = || {
        fs::write(server.boot_file("image"), "no file system").map_err(|error| error.to_string())?;
        let machine = Machine::start(&server.network, Firmware::Bios, machine_mac(1))?;
        machine.wait_for("image: neither squashfs nor erofs nor a cpio archive", BOOT)?;
        machine.wait_for("starting anew in 5 s", SOON)?;
        let node = server.ask(&["explain", "node0"])?;
        if !node["summary"]
            .to_string()
            .contains("its agent says: http://10.77.0.1:80/image: neither squashfs")
        {
            return Err(format!("after it said why: {node}"));
        }
        let begun = |machine: &Machine| {
            machine.lines().iter().filter(|line| line.text.contains("Linux version")).count()
        };
        let start = Instant::now();
        while begun(&machine) < 2 {
            if start.elapsed() > BOOT {
                return Err("it does not start anew".to_owned());
            }
            thread::sleep(Duration::from_millis(200));
        }
        Ok(())
    };
    server.explain_failure(walk()).unwrap_or_else(|error| panic!("{error}"));
}

/// From a file server that is not ours, by both versions; without an overlay the root's own files are covered.
#[test]
fn a_busybox_runs_from_another_file_server() {
    let cases = [
        ("nfs", "", "by NFS 3, writable in memory"),
        ("nfs4", "", "by NFS 4.2, writable in memory"),
        ("nfs", " heorot.overlay=none", "by NFS 3, read-only"),
    ];
    for (kind, words, mounted) in cases {
        let settings =
            Settings { cmdline: words.to_owned(), ..with_root(&format!("{kind}:{CLIENT}:{EXPORT}")) };
        let server = Server::start(&settings).expect("the lab and the server start");
        let tree = server.scratch_file("tree");
        tree::busybox(&tree).expect("a tree");
        let files = FileServer::start(&server.network, &tree).expect("a file server");
        let walk = || {
            let machine = Machine::start(&server.network, Firmware::Bios, machine_mac(1))?;
            machine.wait_for(mounted, BOOT)?;
            machine.wait_for("the root says: node0 node0 busybox", SOON)?;
            Up::wait(&machine)
        };
        let outcome = walk().map_err(|error| format!("{kind}{words}: {error}\n{}", files.said()));
        server.explain_failure(outcome).unwrap_or_else(|error| panic!("{error}"));
    }
}

/// In an image of dracut, made by Debian's: what is in it, and that it goes from power-on into a root.
#[test]
fn the_agent_works_in_an_image_of_dracut() {
    let image = image_of(
        "dracut",
        &[
            "hooks/cmdline/95-parse-heorot.sh",
            "hooks/pre-mount/50-trial-heorot.sh",
            "hooks/mount/50-mount-heorot.sh",
        ],
    )
    .expect("an image");
    let settings = Settings {
        cmdline: " root=heorot rd.emergency=reboot".to_owned(),
        ..with_root("http:busybox.cpio.gz")
    };
    boots(
        &settings,
        |server| {
            let archive = tree::archive(&server.scratch_file("archive"))?;
            fs::rename(archive, server.boot_file("busybox.cpio.gz")).map_err(|error| error.to_string())?;
            give(server, &image)
        },
        &["dracut: ", "trial passed", "(cpio)", "the root says: node0 node0 busybox"],
    );
}

/// The same in an image of initramfs-tools, into a Debian over NFS.
#[test]
fn the_agent_works_in_an_image_of_initramfs_tools() {
    let image = image_of("initramfs-tools", &INITRAMFS_TOOLS).expect("an image");
    let tree = tree::debian().expect("a tree");
    let settings = Settings {
        cmdline: " boot=heorot panic=30".to_owned(),
        ..with_root(&format!("nfs:{}", tree.display()))
    };
    boots(
        &settings,
        |server| give(server, &image),
        &[
            "Begin: Mounting root file system",
            "trial passed",
            "by NFS 3, writable in memory",
            "the root says: node0 overlay over nfs, Debian",
        ],
    );
}

/// A cluster that has its roots by `nfsroot=` keeps them: the agent goes through the trial and checks in, and initramfs-tools mounts what it always did.
#[test]
fn the_agent_checks_in_from_an_image_of_initramfs_tools_with_another_root() {
    let image = image_of("initramfs-tools", &INITRAMFS_TOOLS).expect("an image");
    let scratch = Scratch::new().expect("a place");
    tree::busybox(scratch.path()).expect("a tree");
    let tree = scratch.path().display();
    let settings = Settings {
        cmdline: format!(" root=/dev/nfs nfsroot={SERVER}:{tree} ip=dhcp panic=30"),
        further: format!("\n[nfs]\ndirectories = [\"{tree}\"]\n"),
        ..with_root("none")
    };
    let server = Server::start(&settings).expect("the lab and the server start");
    let walk = || {
        give(&server, &image)?;
        let machine = Machine::start(&server.network, Firmware::Bios, machine_mac(1))?;
        for step in ["IP-Config: ", "trial passed", "up as node0", "nobody busybox"] {
            machine.wait_for(step, BOOT)?;
        }
        let node = server.ask(&["explain", "node0"])?;
        if node["state"] == "up" { Ok(()) } else { Err(format!("it is not up: {node}")) }
    };
    server.explain_failure(walk()).unwrap_or_else(|error| panic!("{error}"));
}

const INITRAMFS_TOOLS: [&str; 3] = ["scripts/heorot", "scripts/init-bottom/heorot", "bin/busybox"];

/// Puts an image in the place of the usual one.
fn give(server: &Server, image: &Path) -> Result<(), String> {
    fs::copy(image, server.boot_file("initrd.img")).map(|_| ()).map_err(|error| error.to_string())
}

/// Makes an image by the script of this name, and looks whether there is in it what has to be.
fn image_of(name: &str, parts: &[&str]) -> Result<PathBuf, String> {
    let files = packages::fetch()?;
    let image = directory::kept().join(format!("{name}.img"));
    let workspace = directory::workspace();
    let mut make = Command::new("sh");
    make.arg(workspace.join(format!("lab/tests/{name}.sh"))).arg(directory::kept().join(name));
    make.arg(files.modules()).arg(initramfs::agent()).arg(workspace.join("packaging")).arg(&image);
    let listed = run(&mut make, MAKE_PATIENCE)?;
    let of_all = [
        "usr/lib/heorot/heorot-agent",
        "virtio_net.ko",
        "igb.ko",
        "nfsv3.ko",
        "nfsv4.ko",
        "squashfs.ko",
        "erofs.ko",
        "overlay.ko",
        "loop.ko",
    ];
    let missing = parts.iter().chain(&of_all).find(|file| !listed.contains(**file));
    missing.map_or(Ok(image), |file| Err(format!("no {file} in the image:\n{listed}")))
}
