//! A node's small files, from the server's directories into a root that runs: hostname, hosts, keys. Its SSH host key is its own and stays the same; its secrets it gets once,
//! and no user of it can fetch them again.

use heorot_lab::command::run;
use heorot_lab::demo::{Up, machine_mac};
use heorot_lab::directory::Scratch;
use heorot_lab::machine::{Firmware, Machine};
use heorot_lab::server::{Server, Settings, program};
use heorot_lab::tree;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const BOOT: Duration = Duration::from_secs(180);
const SOON: Duration = Duration::from_secs(40);

/// What the system of the root says of the files that lie there, and what a user who knows the token is told.
const SAYS: &str = r#"#!/bin/busybox sh
echo 1 > /proc/sys/kernel/printk
busybox echo "the root says: hostname $(busybox hostname) $(busybox cat /etc/hostname)"
busybox echo "the root says: hosts $(busybox grep -c node /etc/hosts) $(busybox grep node1. /etc/hosts)"
busybox echo "the root says: keys $(busybox stat -c '%a %u:%g' /root/.ssh/authorized_keys) $(busybox cat /root/.ssh/authorized_keys)"
busybox echo "the root says: secret $(busybox stat -c '%a' /etc/munge.key) $(busybox cat /etc/munge.key)"
busybox echo "the root says: host key $(busybox stat -c '%a' /etc/ssh/ssh_host_ed25519_key) $(busybox cat /etc/ssh/ssh_host_ed25519_key.pub)"
url=$(busybox sed 's/.*heorot=\([^ ]*\).*/\1/' /proc/cmdline)
busybox echo "the root says: open $(busybox wget -q -O - "$url/overlay" | busybox head -c 6)"
busybox echo "the root says: again $(busybox wget -O - --post-data='{}' "$url/secrets" 2>&1 | busybox grep -o '403[^.]*')"
"#;

fn settings() -> Settings {
    Settings {
        profile:
            "root = \"http:busybox.cpio.gz\"\noverlays = \"base\"\nsecrets = \"munge\"\nssh-host-key = true"
                .to_owned(),
        further: "[overlay]\ndirectory = \"SCRATCH/overlays\"\n".to_owned(),
        ..Settings::default()
    }
}

fn write(directory: &Path, path: &str, mode: u32, text: &str) -> Result<(), String> {
    let path = directory.join(path);
    let write = || {
        fs::create_dir_all(path.parent().unwrap_or(directory))?;
        fs::write(&path, text)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(mode))
    };
    write().map_err(|error| format!("{}: {error}", path.display()))
}

fn furnish(server: &Server) -> Result<(), String> {
    let archive = tree::archive(&server.scratch_file("archive"))?;
    fs::rename(archive, server.boot_file("busybox.cpio.gz")).map_err(|error| error.to_string())?;
    let overlays = server.scratch_file("overlays");
    let lay = |path: &str, mode, text: &str| write(&overlays, path, mode, text);
    lay("base/etc/inittab", 0o644, "::once:/etc/says\n")?;
    lay("base/etc/says", 0o755, SAYS)?;
    lay("base/etc/hostname.j2", 0o644, "{{ node.name }}.{{ cluster.name }}\n")?;
    lay("base/etc/hosts.j2", 0o644, "127.0.0.1\tlocalhost\n{{ cluster.hosts }}")?;
    lay("base/root/.ssh/authorized_keys", 0o600, "ssh-ed25519 AAAA admin\n")?;
    lay("munge/etc/munge.key.j2", 0o400, "sesame of {{ node.name }}\n")?;
    fs::set_permissions(overlays.join("munge"), fs::Permissions::from_mode(0o750)).map_err(|e| e.to_string())
}

/// What is said of something, by the last boot.
fn said(machine: &Machine, what: &str) -> Result<String, String> {
    let start = format!("the root says: {what} ");
    machine.wait_for(&start, SOON)?;
    let lines = machine.lines();
    let line = lines.iter().rev().find_map(|line| line.text.split_once(&start));
    Ok(line.map(|(_, rest)| rest.trim().to_owned()).unwrap_or_default())
}

fn expect(machine: &Machine, what: &str, expected: &str) -> Result<(), String> {
    let found = said(machine, what)?;
    if found == expected { Ok(()) } else { Err(format!("{what}: {found:?} and not {expected:?}")) }
}

/// A boot into the root: the host key that the node has there.
fn boot(server: &Server, number: u8) -> Result<String, String> {
    let name = format!("node{}", number - 1);
    let machine = Machine::start(&server.network, Firmware::Bios, machine_mac(number))?;
    machine.wait_for("files of this node are in its root", BOOT)?;
    let again = said(&machine, "again")?;
    if !again.contains("403") {
        return Err(format!("who asks for the secrets again is told {again:?}"));
    }
    expect(&machine, "hostname", &format!("{name} {name}.cluster"))?;
    let hosts = said(&machine, "hosts")?;
    if !hosts.ends_with("10.77.1.1\tnode1.cluster node1") && !hosts.contains("node1.cluster") {
        return Err(format!("hosts: {hosts:?}"));
    }
    expect(&machine, "keys", "600 0:0 ssh-ed25519 AAAA admin")?;
    expect(&machine, "secret", &format!("400 sesame of {name}"))?;
    expect(&machine, "open", "070701")?;
    let key = said(&machine, "host key")?;
    let up = Up::wait(&machine)?;
    if up.name != name {
        return Err(format!("it became {}", up.name));
    }
    let node = server.ask(&["explain", &name])?;
    let history = node["history"].to_string();
    if !history.contains("fetches the secrets of this boot")
        || !history.contains("and was refused: the secrets of this boot were fetched already")
    {
        return Err(format!("the server does not tell of it: {node}"));
    }
    key.strip_prefix("600 ").map(str::to_owned).ok_or_else(|| format!("the host key is {key:?}"))
}

#[test]
fn a_node_has_its_files_and_its_secrets_once() {
    let server = Server::start(&settings()).expect("the lab and the server start");
    let walk = || {
        furnish(&server)?;
        let (first, again, other) = (boot(&server, 1)?, boot(&server, 1)?, boot(&server, 2)?);
        if first != again || first == other || !first.starts_with("ssh-ed25519 AAAA") {
            return Err(format!("host keys:\n{first}\n{again}\n{other}"));
        }
        // What those who log in know is what the node has.
        let (program, control) = (program()?, server.scratch_file("control.sock"));
        let mut export = Command::new(program);
        let known = run(export.args(["export", "known-hosts", "--control"]).arg(control), SOON)?;
        let key = first.split(' ').take(2).collect::<Vec<_>>().join(" ");
        let line = known.lines().find(|line| line.ends_with(&key)).unwrap_or_default();
        if !line.starts_with("node0,node0.cluster,10.77.1.0 ") || known.lines().count() < 1000 {
            return Err(format!("{key} is not known: {line:?} of\n{known}"));
        }
        let files = server.ask(&["overlay", "show", "node0"])?;
        if files.to_string().contains("sesame") || !files.to_string().contains("/etc/munge.key") {
            return Err(format!("what an operator sees: {files}"));
        }
        Ok(())
    };
    server.explain_failure(walk()).unwrap_or_else(|error| panic!("{error}"));
}

/// A template that is wrong is a boot that fails, and says where; when it is mended, the next one does not.
#[test]
fn a_wrong_template_says_where_it_is_wrong() {
    let settings = Settings { cmdline: " heorot.reboot=5s".to_owned(), ..settings() };
    let server = Server::start(&settings).expect("the lab and the server start");
    let walk = || {
        furnish(&server)?;
        let overlays = server.scratch_file("overlays");
        write(&overlays, "munge/etc/munge.key.j2", 0o400, "x\n{{ node.nam }}\n")?;
        let machine = Machine::start(&server.network, Firmware::Bios, machine_mac(1))?;
        machine.wait_for("munge.key.j2: line 2: there is no node.nam in a template", BOOT)?;
        let node = server.ask(&["explain", "node0"])?;
        if !node["history"].to_string().contains("munge.key.j2: line 2") {
            return Err(format!("the server does not say it: {node}"));
        }
        write(&overlays, "munge/etc/munge.key.j2", 0o400, "mended\n")?;
        Up::wait(&machine)?;
        expect(&machine, "secret", "400 mended")
    };
    server.explain_failure(walk()).unwrap_or_else(|error| panic!("{error}"));
}

/// Where nothing can be written, what is there is covered; and what belongs into /run goes there.
#[test]
fn files_cover_those_of_a_root_that_cannot_be_written() {
    let scratch = Scratch::new().expect("a directory");
    tree::busybox(scratch.path()).expect("a tree");
    let settings = Settings {
        cmdline: " heorot.overlay=none heorot.reboot=5s".to_owned(),
        profile: format!("root = \"nfs:{}\"\noverlays = \"covers\"", scratch.path().display()),
        ..settings()
    };
    let server = Server::start(&settings).expect("the lab and the server start");
    let walk = || {
        let overlays = server.scratch_file("overlays");
        let says = "echo \"the root says: covered $(cat /etc/hostname) $(cat /run/site/mine)\"";
        let inittab = format!("::once:/bin/sh -c '{}; {says}'\n", tree::KERNEL_SILENT);
        write(&overlays, "covers/etc/inittab", 0o644, &inittab)?;
        write(&overlays, "covers/etc/hostname.j2", 0o644, "{{ node.name }}-covered\n")?;
        write(&overlays, "covers/run/site/mine", 0o600, "mine\n")?;
        let machine = Machine::start(&server.network, Firmware::Bios, machine_mac(1))?;
        machine.wait_for("by NFS 3, read-only", BOOT)?;
        expect(&machine, "covered", "node0-covered mine")?;
        Up::wait(&machine)?;
        // What is not there cannot be covered: half of its files would be worse than none.
        write(&overlays, "covers/etc/says", 0o755, SAYS)?;
        let again = Machine::start(&server.network, Firmware::Bios, machine_mac(1))?;
        again.wait_for("/etc/says: Read-only file system", BOOT)?;
        Ok(())
    };
    server.explain_failure(walk()).unwrap_or_else(|error| panic!("{error}"));
}
