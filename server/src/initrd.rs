//! An initial RAM disk of heorot-agent and the modules of one kernel: what takes a machine from its kernel to its root.
//!
//! ```text
//!   /init                        the agent; /sbin/modprobe is it too, for what the kernel asks for
//!   /lib/modules/VERSION/        drivers of network cards, NFS, squashfs, erofs, overlayfs, with modules.dep and modules.alias
//!   /lib/firmware/               what those drivers load, as far as it is on this host
//!   /etc/heorot-agent/modules    what is loaded in any case
//!   /etc/heorot-agent/disks      what is loaded for a check of disks alone
//!   /bin/busybox                 a shell, for checks that are commands and for people
//! ```
//! The same files make the same image, octet for octet. Nothing but this program is needed: no depmod, cpio or mkinitramfs.

pub(crate) mod cpio;
mod modinfo;
mod modules;
mod unpack;

use crate::problem::{Problem, problem};
use cpio::Archive;
use flate2::{Compression, GzBuilder};
use modules::{Picked, Tree};
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

#[cfg(test)]
mod tests;

/// What the image is made of.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// The kernel's version, as `uname -r` says it.
    pub(crate) version: String,
    /// Its modules.
    pub(crate) modules: PathBuf,
    /// Firmware.
    pub(crate) firmware: PathBuf,
    /// The agent, or where it is looked for.
    pub(crate) agent: Option<PathBuf>,
    /// busybox, or where it is looked for.
    pub(crate) busybox: Busybox,
    /// Instead of all drivers of network cards.
    pub(crate) drivers: Vec<String>,
    /// Modules that go in as well and are loaded in any case.
    pub(crate) load: Vec<String>,
    /// Whether it is compressed.
    pub(crate) is_compressed: bool,
}

/// Which busybox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Busybox {
    /// The system's, if it is linked statically.
    Usual,
    /// This file.
    File(PathBuf),
    /// None.
    Without,
}

/// An image.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    /// The whole file.
    pub(crate) octets: Vec<u8>,
    /// Octets before compression.
    pub(crate) unpacked: usize,
    /// How many modules it has.
    pub(crate) modules: usize,
    /// What it lacks, and what that means.
    pub(crate) notes: Vec<String>,
}

/// Makes it.
pub(crate) fn make(wanted: &Wanted) -> Result<Image, Problem> {
    let mut notes = Vec::new();
    let tree = Tree::read(&wanted.modules).map_err(|why| {
        let version = &wanted.version;
        problem!("{why}\n  install linux-image-{version}, or say where its modules are: --modules-from DIR")
    })?;
    let picked = pick(&tree, wanted, &mut notes)?;
    let agent = agent(wanted)?;
    if let (Some(machine), Some(module)) = (modinfo::machine(&agent), picked.values().next())
        && modinfo::machine(&module.content).is_some_and(|other| other.0 != machine.0)
    {
        return Err(problem!(
            "the agent and the modules are for different processors: --agent FILE names another agent"
        ));
    }
    let busybox = busybox(wanted, &mut notes)?;
    let firmware = firmware(&wanted.firmware, &picked, &mut notes)?;
    let count = picked.len();
    let archive = pack(wanted, &picked, &agent, busybox.as_deref(), &firmware);
    let unpacked = archive.len();
    let octets = if wanted.is_compressed { compressed(&archive)? } else { archive };
    Ok(Image { octets, unpacked, modules: count, notes })
}

/// Writes a file as a whole: whoever reads it has the old one or the new one.
pub(crate) fn write(path: &Path, octets: &[u8]) -> Result<(), Problem> {
    let name = path.file_name().ok_or_else(|| problem!("{}: not the name of a file", path.display()))?;
    let new = path.with_file_name(format!(".{}.{}.new", name.to_string_lossy(), std::process::id()));
    let write = || {
        let mut file = fs::File::create(&new)?;
        file.write_all(octets)?;
        file.sync_all()?;
        fs::rename(&new, path)
    };
    write().map_err(|error| {
        let _ = fs::remove_file(&new);
        problem!("{}: {error}", path.display())
    })
}

/// The modules that go in.
fn pick(tree: &Tree, wanted: &Wanted, notes: &mut Vec<String>) -> Result<Picked, Problem> {
    for (name, what) in NEEDED {
        if !tree.has(name) {
            notes.push(format!("this kernel has no {name}: {what}"));
        }
    }
    if let Some(missing) = wanted.drivers.iter().chain(&wanted.load).find(|name| !tree.has(name)) {
        return Err(problem!(
            "there is no module {missing} below {}, and the kernel has none built in",
            wanted.modules.display()
        ));
    }
    let usual = || DRIVERS.iter().chain(&DISK_DRIVERS).map(|name| (*name).to_owned());
    let drivers: Vec<String> =
        if wanted.drivers.is_empty() { usual().collect() } else { wanted.drivers.clone() };
    let needed = NEEDED.iter().map(|(name, _)| (*name).to_owned());
    let recorders = RECORDERS.iter().map(|name| (*name).to_owned());
    let names: Vec<String> =
        needed.chain(drivers).chain(recorders).chain(wanted.load.iter().cloned()).collect();
    tree.pick(&names).map_err(Problem)
}

fn pack(
    wanted: &Wanted,
    picked: &Picked,
    agent: &[u8],
    busybox: Option<&[u8]>,
    firmware: &[(String, Vec<u8>)],
) -> Vec<u8> {
    let modules = format!("lib/modules/{}", wanted.version);
    let files = picked.values().map(|module| (format!("{modules}/{}", module.file), &module.content));
    let files: Vec<_> = files
        .chain(firmware.iter().map(|(name, content)| (format!("lib/firmware/{name}"), content)))
        .collect();
    // Parents come before what is in them, as they do in this order.
    let mut directories: BTreeSet<String> = DIRECTORIES.iter().map(|name| (*name).to_owned()).collect();
    directories.insert(modules.clone());
    for (path, _) in &files {
        let parents = Path::new(path).ancestors().skip(1).filter(|parent| *parent != Path::new(""));
        directories.extend(parents.map(|parent| parent.to_string_lossy().into_owned()));
    }
    let mut archive = Archive::new();
    for directory in &directories {
        archive.directory(directory);
    }
    archive.character_device("dev/console", 5, 1);
    archive.file("init", 0o755, agent);
    archive.link("sbin/modprobe", "/init");
    if let Some(busybox) = busybox {
        archive.file("bin/busybox", 0o755, busybox);
        for name in COMMANDS {
            archive.link(&format!("bin/{name}"), "busybox");
        }
    }
    let load: String = wanted.load.iter().map(|name| format!("{name}\n")).collect();
    archive.file(LIST, 0o644, load.as_bytes());
    let is_in = |name: &&&str| picked.contains_key(**name) && !wanted.load.iter().any(|load| load == **name);
    let disks: String = DISK_DRIVERS.iter().filter(is_in).map(|name| format!("{name}\n")).collect();
    archive.file(DISKS, 0o644, disks.as_bytes());
    archive.file(&format!("{modules}/modules.dep"), 0o644, modules::dependencies(picked).as_bytes());
    archive.file(&format!("{modules}/modules.alias"), 0o644, modules::aliases(picked).as_bytes());
    for (path, content) in files {
        archive.file(&path, 0o644, content);
    }
    archive.finish()
}

/// With neither name nor time in it, so that it is the same whenever it is made.
fn compressed(archive: &[u8]) -> Result<Vec<u8>, Problem> {
    let mut encoder = GzBuilder::new().operating_system(255).write(Vec::new(), Compression::best());
    encoder
        .write_all(archive)
        .and_then(|()| encoder.finish())
        .map_err(|error| problem!("compressing: {error}"))
}

/// The agent, which has to be linked statically: there are no libraries in the image.
fn agent(wanted: &Wanted) -> Result<Vec<u8>, Problem> {
    if let Some(path) = &wanted.agent {
        return program(path).map_err(|why| problem!("{}: {why}", path.display()));
    }
    let beside = std::env::current_exe().ok();
    let beside = beside.as_deref().and_then(Path::parent);
    let built = format!("../static/{}-unknown-linux-gnu/release", std::env::consts::ARCH);
    let places = beside.into_iter().flat_map(|place| [place.to_owned(), place.join(&built)]);
    let mut tried = Vec::new();
    for place in places.chain([PathBuf::from(LIBRARY)]) {
        let path = place.join("heorot-agent");
        match program(&path) {
            Ok(agent) => return Ok(agent),
            Err(why) => tried.push(format!("{}: {why}", path.display())),
        }
    }
    Err(problem!(
        "heorot-agent is missing: make agent builds it, and --agent FILE says where it is\n  {}",
        tried.join("\n  ")
    ))
}

fn busybox(wanted: &Wanted, notes: &mut Vec<String>) -> Result<Option<Vec<u8>>, Problem> {
    let without = "no shell is in it: checks that are commands fail, and heorot.shell does nothing";
    match &wanted.busybox {
        Busybox::Without => Ok(None),
        Busybox::File(path) => program(path).map(Some).map_err(|why| problem!("{}: {why}", path.display())),
        Busybox::Usual => {
            let places = ["/bin/busybox", "/usr/bin/busybox", "/usr/local/bin/busybox"];
            let found = places.iter().find_map(|path| program(Path::new(path)).ok());
            if found.is_none() {
                notes.push(format!("{without}; install busybox-static, or say --busybox FILE or none"));
            }
            Ok(found)
        }
    }
}

/// Reads a program that is linked statically.
fn program(path: &Path) -> Result<Vec<u8>, String> {
    let content = fs::read(path).map_err(|error| error.to_string())?;
    match modinfo::machine(&content) {
        None => Err("no program for 64-bit Linux".to_owned()),
        Some((_, true)) => {
            Err("it is linked dynamically, and there are no libraries in the image".to_owned())
        }
        Some((_, false)) => Ok(content),
    }
}

/// The firmware of these modules that is on this host, by name.
fn firmware(
    directory: &Path,
    picked: &Picked,
    notes: &mut Vec<String>,
) -> Result<Vec<(String, Vec<u8>)>, Problem> {
    let names: BTreeSet<&String> = picked.values().flat_map(|module| &module.info.firmware).collect();
    let mut found = Vec::new();
    let mut missing = Vec::new();
    for name in names {
        let path = directory.join(name);
        let places = ["", ".xz", ".zst"].map(|ending| PathBuf::from(format!("{}{ending}", path.display())));
        match places.iter().find(|path| path.is_file()) {
            Some(path) => found.push((name.clone(), unpack::read(path).map_err(Problem)?)),
            None => missing.push(name.as_str()),
        }
    }
    if let [first, ..] = missing[..] {
        notes.push(format!(
            "{} files of firmware that some of the drivers load are not below {}, as {first}: if a network card stays silent, install its firmware (Debian: firmware-linux) and make the image anew",
            missing.len(),
            directory.display()
        ));
    }
    Ok(found)
}

/// Where the agent looks for what is loaded in any case (`heorot_agent::modules::LIST`).
const LIST: &str = "etc/heorot-agent/modules";
/// Where the agent looks for drivers that it loads for a check of disks (`heorot_agent::modules::DISKS`).
const DISKS: &str = "etc/heorot-agent/disks";
/// Where packages put the agent.
const LIBRARY: &str = "/usr/lib/heorot";
const DIRECTORIES: [&str; 13] = [
    "bin",
    "dev",
    "etc",
    "etc/heorot-agent",
    "lib",
    "lib/modules",
    "new-root",
    "proc",
    "root",
    "run",
    "sbin",
    "sys",
    "tmp",
];
/// What checks and people need of busybox.
const COMMANDS: [&str; 40] = [
    "ash", "awk", "cat", "cp", "cut", "date", "dd", "df", "dmesg", "echo", "env", "expr", "false", "find",
    "free", "grep", "head", "hostname", "ip", "less", "ls", "lsmod", "mkdir", "mount", "ping", "ps",
    "reboot", "rm", "sed", "sh", "sleep", "sort", "tail", "test", "tr", "true", "umount", "uname", "vi",
    "wc",
];
/// What roots need, and what does not work without it.
const NEEDED: [(&str, &str); 8] = [
    ("af_packet", "the agent gets no address without it"),
    ("nfs", "no root by NFS"),
    ("nfsv3", "no root by NFS version 3"),
    ("nfsv4", "no root by NFS version 4"),
    ("squashfs", "no squashfs image as a root"),
    ("erofs", "no erofs image as a root"),
    ("loop", "no image as a root"),
    ("overlay", "roots stay read-only"),
];
/// Where kernels write down how they panicked. A machine without it says nothing of that.
const RECORDERS: [&str; 2] = ["efi_pstore", "ramoops"];
/// Drivers of network cards, of what they are behind, and of the chips at their ports. Kernels have those of their machines.
const DRIVERS: [&str; 85] = [
    // Virtual machines.
    "virtio_pci",
    "virtio_mmio",
    "virtio_net",
    "virtio_rng",
    "vmxnet3",
    "hv_netvsc",
    "xen_netfront",
    "ena",
    "gve",
    // Intel.
    "e100",
    "e1000",
    "e1000e",
    "igb",
    "igbvf",
    "igc",
    "ixgbe",
    "ixgbevf",
    "i40e",
    "iavf",
    "ice",
    "fm10k",
    "idpf",
    // Broadcom, Mellanox and others in servers.
    "tg3",
    "bnx2",
    "bnx2x",
    "bnxt_en",
    "be2net",
    "mlx4_en",
    "mlx5_core",
    "qede",
    "qlcnic",
    "cxgb4",
    "enic",
    "sfc",
    "ionic",
    "nfp",
    "hns3",
    "hinic",
    "thunder_bgx",
    "nicvf",
    "xgene_enet",
    "amd_xgbe",
    "mana",
    "octeontx2",
    "rvu_nicpf",
    // Desktops and small machines.
    "r8169",
    "8139cp",
    "8139too",
    "atlantic",
    "alx",
    "atl1c",
    "forcedeth",
    "sky2",
    "skge",
    "jme",
    "via_velocity",
    "bcmgenet",
    "macb",
    "dwmac_generic",
    "dwmac_rk",
    "dwmac_sun8i",
    "dwmac_starfive",
    "dwmac_intel",
    "fec",
    "mvneta",
    "mvpp2",
    "sis190",
    "pcnet32",
    "ne2k_pci",
    // By USB.
    "xhci_pci",
    "ehci_pci",
    "ohci_pci",
    "uhci_hcd",
    "r8152",
    "asix",
    "ax88179_178a",
    "cdc_ether",
    "cdc_ncm",
    "smsc95xx",
    "lan78xx",
    // Chips at ports.
    "realtek",
    "broadcom",
    "marvell",
    "smsc",
    "microchip",
];
/// Drivers of disks and of what they are behind, for checks of disks: no root is on one.
const DISK_DRIVERS: [&str; 21] = [
    "sd_mod",
    "nvme",
    "ahci",
    "ata_piix",
    "megaraid_sas",
    "mpt3sas",
    "hpsa",
    "smartpqi",
    "aacraid",
    "isci",
    "hisi_sas_v3_hw",
    "virtio_blk",
    "virtio_scsi",
    "vmw_pvscsi",
    "mptspi",
    "mptsas",
    "hv_storvsc",
    "xen_blkfront",
    "mmc_block",
    "sdhci_pci",
    "sdhci_acpi",
];
