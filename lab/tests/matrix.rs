//! Every way to a kernel, and from each into every kind of root: one machine a way, which is switched off and on for each root. The roots are a busybox, so that
//! what is waited for is the way and not the system.
//!
//! `WAYS=bios-pxelinux,uefi-shim` chooses some of them.

use heorot_lab::command::run;
use heorot_lab::demo::{Up, machine_mac};
use heorot_lab::directory::Scratch;
use heorot_lab::grub;
use heorot_lab::machine::{Firmware, Machine, check_firmware};
use heorot_lab::packages;
use heorot_lab::server::{Server, Settings};
use heorot_lab::tree;
use serde_json::Value;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(60);

/// A way from power-on to a kernel.
struct Way {
    name: &'static str,
    firmware: Firmware,
    /// What firmware is told to load, by PXE and by HTTP.
    uefi_loader: &'static str,
    http_loader: &'static str,
    /// Further lines for the section of the boot files.
    boot: &'static str,
    /// What its loader, or its kernel, says on the console.
    says: &'static str,
    /// How long it has to be up before it is switched off: until the server has let go of what the loader left.
    rest: Duration,
    /// Files that are asked for by this way alone, as the node's history tells them.
    asks: &'static [&'static str],
}

const WAYS: [Way; 8] = [
    Way {
        name: "bios-pxelinux",
        firmware: Firmware::Bios,
        uefi_loader: "",
        http_loader: "",
        boot: "ipxe = \"pxelinux.0\"",
        says: "PXELINUX",
        rest: Duration::ZERO,
        asks: &["pxelinux.cfg/01-52-54-00-77-00-01 by TFTP", "vmlinuz by TFTP", "initrd.img by TFTP"],
    },
    Way {
        name: "bios-ipxe-tftp",
        firmware: Firmware::Bios,
        uefi_loader: "",
        http_loader: "",
        boot: "ipxe = \"boot.ipxe\"",
        says: "iPXE",
        rest: Duration::ZERO,
        asks: &["boot.ipxe by TFTP", "vmlinuz by TFTP", "initrd.img by TFTP"],
    },
    Way {
        name: "bios-ipxe-http",
        firmware: Firmware::Bios,
        uefi_loader: "",
        http_loader: "",
        boot: "",
        says: "iPXE",
        rest: Duration::ZERO,
        asks: &["boot.ipxe by HTTP", "vmlinuz by HTTP", "initrd.img by HTTP"],
    },
    Way {
        name: "uefi-ipxe",
        firmware: Firmware::Uefi,
        uefi_loader: "ipxe.efi",
        http_loader: "",
        boot: "",
        says: "iPXE initialising devices",
        rest: Duration::ZERO,
        asks: &["ipxe.efi by TFTP", "boot.ipxe by HTTP", "vmlinuz by HTTP"],
    },
    Way {
        name: "uefi-grub",
        firmware: Firmware::Uefi,
        uefi_loader: "grubnetx64.efi",
        http_loader: "",
        boot: "",
        says: "Loading /vmlinuz",
        rest: Duration::ZERO,
        asks: &["grubnetx64.efi by TFTP", "grub/grub.cfg by TFTP", "vmlinuz by TFTP"],
    },
    Way {
        name: "uefi-shim",
        firmware: Firmware::UefiSecure,
        uefi_loader: "shimx64.efi",
        http_loader: "",
        boot: "",
        says: "Secure boot enabled",
        rest: Duration::ZERO,
        asks: &["shimx64.efi by TFTP", "grubx64.efi by TFTP", "grub/grub.cfg by TFTP", "vmlinuz by TFTP"],
    },
    Way {
        name: "http-ipxe",
        firmware: Firmware::UefiHttp,
        uefi_loader: "",
        http_loader: "ipxe.efi",
        boot: "",
        says: "iPXE initialising devices",
        rest: Duration::ZERO,
        asks: &["ipxe.efi by HTTP", "boot.ipxe by HTTP", "vmlinuz by HTTP"],
    },
    // GRUB leaves its connections open, begins with the same ports each time, and does not get through as long as the server still has them: 30 s.
    Way {
        name: "http-grub",
        firmware: Firmware::UefiHttp,
        uefi_loader: "",
        http_loader: "grubhttpx64.efi",
        boot: "",
        says: "Loading /vmlinuz",
        rest: Duration::from_secs(40),
        asks: &["grubhttpx64.efi by HTTP", "grub/grub.cfg by HTTP", "vmlinuz by HTTP", "initrd.img by HTTP"],
    },
];

/// A root in the profile, and what the agent says of it.
const ROOTS: [(&str, &str); 3] = [
    ("none", ""),
    ("nfs:TREE", "by NFS 3, writable in memory"),
    ("http:busybox.squashfs", "(squashfs), writable in memory"),
];

#[test]
fn every_way_leads_into_every_root() {
    let chosen = std::env::var("WAYS").unwrap_or_default();
    let chosen: Vec<_> = chosen.split(',').filter(|name| !name.is_empty()).collect();
    for name in &chosen {
        assert!(WAYS.iter().any(|way| way.name == *name), "there is no way {name}");
    }
    let ways = WAYS.iter().filter(|way| chosen.is_empty() || chosen.contains(&way.name));
    let failures: Vec<_> = ways.filter_map(|way| walk(way).err()).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

fn walk(way: &Way) -> Result<(), String> {
    let of = |error: String| format!("{}: {error}", way.name);
    check_firmware(way.firmware).map_err(of)?;
    let scratch = Scratch::new().map_err(of)?;
    tree::busybox(scratch.path()).map_err(of)?;
    let server = Server::start(&settings(way, ROOTS[0].0, scratch.path())).map_err(of)?;
    server.explain_failure(through_all_roots(way, &server, scratch.path())).map_err(of)
}

fn through_all_roots(way: &Way, server: &Server, tree: &Path) -> Result<(), String> {
    let mut pack = Command::new("mksquashfs");
    pack.arg(tree).arg(server.boot_file("busybox.squashfs")).args(["-quiet", "-no-progress"]);
    run(&mut pack, SOON)?;
    grub::image(&packages::fetch()?, &server.boot_file("grubhttpx64.efi"))?;
    let mut machine = Machine::new(&server.network, way.firmware, machine_mac(1))?;
    for (index, (root, mounted)) in ROOTS.into_iter().enumerate() {
        if index == 0 {
            machine.power_on()?;
        } else {
            server.reconfigure(&settings(way, root, tree))?;
            thread::sleep(way.rest);
            machine.power_cycle()?;
        }
        let up = Up::wait(&machine).map_err(|error| format!("root {root}: {error}"))?;
        let seconds = up.after.as_secs_f64();
        let _ = writeln!(std::io::stdout(), "{} with root {root}: up after {seconds:.1} s", way.name);
        machine.wait_for(way.says, SOON)?;
        if up.name != "node0" {
            return Err(format!("root {root}: it became {}", up.name));
        }
        if mounted.is_empty() {
            let begun = machine.lines().into_iter().find(|line| line.text.contains("starting /sbin/init"));
            begun.map_or(Ok(()), |line| Err(format!("without a root: {}", line.text)))?;
        } else {
            machine.wait_for(mounted, SOON)?;
            machine.wait_for("the root says: node0 node0 busybox", SOON)?;
        }
    }
    asked_for(way, &server.ask(&["explain", "node0"])?)
}

/// By which way its files came is what the node's history tells.
fn asked_for(way: &Way, node: &Value) -> Result<(), String> {
    let history = node["history"].as_array().cloned().unwrap_or_default();
    let asked: Vec<_> = history.iter().filter_map(|event| event["detail"].as_str()).collect();
    let missing: Vec<_> = way.asks.iter().filter(|file| !asked.contains(file)).collect();
    if missing.is_empty() {
        Ok(())
    } else {
        Err(format!("nobody asked for {missing:?}:\n{}", asked.join("\n")))
    }
}

fn settings(way: &Way, root: &str, tree: &Path) -> Settings {
    let tree = tree.display().to_string();
    Settings {
        uefi_loader: way.uefi_loader.into(),
        http_loader: way.http_loader.into(),
        boot: way.boot.into(),
        profile: format!("root = \"{}\"", root.replace("TREE", &tree)),
        further: format!("\n[nfs]\ndirectories = [\"{tree}\"]\n"),
        ..Settings::default()
    }
}
