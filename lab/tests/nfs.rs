//! Real NFS clients: Linux in a machine of QEMU, and libnfs. What they read of a tree of 20,000 files is what is there, also when the server dies meanwhile.

use heorot_lab::command::run;
use heorot_lab::demo::machine_mac;
use heorot_lab::directory::Scratch;
use heorot_lab::initramfs;
use heorot_lab::machine::Machine;
use heorot_lab::packages;
use heorot_lab::server::{Server, Settings};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

/// 20,000 files are some 80,000 calls of an emulated machine.
const PATIENCE: Duration = Duration::from_secs(300);
const SOON: Duration = Duration::from_secs(60);
const DIRECTORIES: usize = 200;
const FILES: usize = 100;
const BIG_OCTETS: usize = 24 << 20;

/// A tree with some of everything, and `sums` of all regular files in it.
fn tree(root: &Path) -> Result<(), String> {
    let fail = |error: std::io::Error| format!("{}: {error}", root.display());
    for directory in 0..DIRECTORIES {
        let path = root.join(format!("files/directory{directory}"));
        fs::create_dir_all(&path).map_err(fail)?;
        for file in 0..FILES {
            let octets = (directory * FILES + file) * 37 % 6000;
            fs::write(path.join(format!("file{file}")), content(directory * FILES + file, octets))
                .map_err(fail)?;
        }
    }
    fs::write(root.join("big"), content(7, BIG_OCTETS)).map_err(fail)?;
    fs::write(root.join("setuid"), "#!").map_err(fail)?;
    fs::set_permissions(root.join("setuid"), fs::Permissions::from_mode(0o4755)).map_err(fail)?;
    fs::write(root.join("shadow"), "secret").map_err(fail)?;
    fs::set_permissions(root.join("shadow"), fs::Permissions::from_mode(0o600)).map_err(fail)?;
    symlink("files/directory7/file7", root.join("link")).map_err(fail)?;
    run(Command::new("mknod").arg(root.join("null")).args(["c", "1", "3"]), SOON)?;
    run(
        Command::new("sh").arg("-c").arg("find files big -type f -exec md5sum {} + > sums").current_dir(root),
        SOON,
    )?;
    Ok(())
}

/// Octets that are different in every file.
fn content(seed: usize, octets: usize) -> Vec<u8> {
    let mut state = seed as u64 * 2 + 1;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..octets).map(|_| next()).collect()
}

/// A server of a tree, as a user who may not read all of it.
fn server() -> Result<(Server, Scratch), String> {
    let root = Scratch::new()?;
    tree(root.path())?;
    let settings = Settings {
        server: "user = \"nobody\"".to_owned(),
        further: format!("\n[profile.nfs]\nroot = \"nfs:{}\"\n", root.path().display()),
        ..Settings::default()
    };
    Ok((Server::start(&settings)?, root))
}

#[test]
fn linux_reads_a_tree_and_does_not_notice_that_the_server_died() {
    let (mut server, root) = server().expect("the lab and the server start");
    let outcome = boot_and_read(&mut server, root.path());
    server.explain_failure(outcome).unwrap_or_else(|error| panic!("{error}"));
}

fn boot_and_read(server: &mut Server, root: &Path) -> Result<(), String> {
    let files = packages::fetch()?;
    let image = initramfs::with_script(&files, include_str!("nfs/init.sh"))?;
    let initrd = server.scratch_file("nfs.img");
    fs::write(&initrd, image).map_err(|error| format!("{}: {error}", initrd.display()))?;
    let line = format!("console=ttyS0 quiet rdinit=/lab lab.directory={}", root.display());
    let machine = Machine::start_kernel(&server.network, (&files.kernel(), &initrd), &line, machine_mac(1))?;
    let mounted = machine.wait_for(" /mnt nfs ", PATIENCE)?;
    for option in ["vers=3", "proto=tcp", "rsize=1048576", "mountproto=tcp"] {
        if !mounted.text.contains(option) {
            return Err(format!("no {option} in {}", mounted.text));
        }
    }
    // The tree itself, its directories, and what stands beside them.
    let found = 1 + 1 + DIRECTORIES * (1 + FILES) + 6;
    machine.wait_for(&format!("LAB: found {found}"), PATIENCE)?;
    for seen in ["LAB: link", "LAB: device", "LAB: setuid", "LAB: shadow", "LAB: names"] {
        machine.wait_for(seen, SOON)?;
    }
    machine.wait_for("LAB: reading", SOON)?;
    for _ in 0..2 {
        thread::sleep(Duration::from_millis(2500));
        server.kill();
        server.start_again()?;
    }
    machine.wait_for(&format!("LAB: sums agree {}", DIRECTORIES * FILES + 1), PATIENCE)?;
    let rest =
        run(Command::new("sh").arg("-c").arg("tail -c +1048577 big | md5sum").current_dir(root), SOON)?;
    let rest = rest.split(' ').next().unwrap_or_default();
    machine.wait_for(&format!("LAB: rest {rest}"), PATIENCE)?;
    machine.wait_for("LAB: unmounted", SOON)?;
    machine.wait_for("LAB: read only", SOON)?;
    machine.wait_for("LAB: done", SOON)?;
    Ok(())
}

#[test]
fn libnfs_lists_and_reads() {
    let (server, root) = server().expect("the lab and the server start");
    let outcome = read_by_libnfs(&server, root.path());
    server.explain_failure(outcome).unwrap_or_else(|error| panic!("{error}"));
}

fn read_by_libnfs(server: &Server, root: &Path) -> Result<(), String> {
    let url = |path: &str| format!("nfs://10.77.0.1{}{path}?version=3", root.display());
    let ask = |program: &str, path: &str| server.network.client.ask(program, &[&url(path)]);
    let listed = ask("nfs-ls", "/files/directory7")?;
    let lines = listed.lines().filter(|line| line.contains("file")).count();
    if lines != FILES {
        return Err(format!("{lines} files are listed:\n{listed}"));
    }
    let read = ask("nfs-cat", "/sums")?;
    let sums = fs::read_to_string(root.join("sums")).map_err(|error| error.to_string())?;
    if read != sums {
        return Err(format!("{} octets of sums are {}", sums.len(), read.len()));
    }
    for path in ["/nothing", "/../../../etc/passwd"] {
        if let Ok(read) = ask("nfs-cat", path) {
            return Err(format!("{path} is {read}"));
        }
    }
    Ok(())
}
