//! `heorot initrd`: an initial RAM disk for nodes, from a kernel's modules and the agent.

use super::{Exit, complain, print, print_error};
use crate::initrd::{self, Busybox, Image, Wanted};
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(super) struct InitrdCommand {
    /// The kernel's version, as `uname -r` on a node says it; this host's if absent
    #[arg(value_name = "KERNEL-VERSION")]
    version: Option<String>,
    /// Where the kernel's modules are, instead of /lib/modules/KERNEL-VERSION
    #[arg(long, value_name = "DIR")]
    modules_from: Option<PathBuf>,
    /// Where firmware for network cards is
    #[arg(long, value_name = "DIR", default_value = "/lib/firmware")]
    firmware_from: PathBuf,
    /// heorot-agent, linked statically; looked for beside this program, where `make agent` puts it and in /usr/lib/heorot if absent
    #[arg(long, value_name = "FILE")]
    agent: Option<PathBuf>,
    /// busybox, linked statically, for checks that are commands and for heorot.shell; "none" for an image without; the system's if absent
    #[arg(long, value_name = "FILE")]
    busybox: Option<PathBuf>,
    /// These drivers instead of all that are common, of network cards and of disks, with commas between
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    drivers: Vec<String>,
    /// Modules that go in as well and are loaded at every start, with commas between
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    load: Vec<String>,
    /// How it is compressed
    #[arg(long, value_enum, default_value_t = Compress::Gzip)]
    compress: Compress,
    /// The image; heorot-KERNEL-VERSION.img if absent
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Compress {
    /// Every kernel reads it
    Gzip,
    /// Not at all
    None,
}

pub(super) fn run(command: InitrdCommand) -> Exit {
    let Some(version) = command.version.or_else(running) else {
        return complain(&"which kernel? heorot initrd KERNEL-VERSION", Exit::Usage);
    };
    // It becomes a name below /lib/modules, here and in the image.
    if version.is_empty() || version.contains('/') || version.starts_with('.') {
        return complain(&format!("{version:?} is no version of a kernel, as uname -r says it"), Exit::Usage);
    }
    let output = command.output.unwrap_or_else(|| PathBuf::from(format!("heorot-{version}.img")));
    let wanted = Wanted {
        modules: command.modules_from.unwrap_or_else(|| Path::new("/lib/modules").join(&version)),
        version,
        firmware: command.firmware_from,
        agent: command.agent,
        busybox: match command.busybox {
            None => Busybox::Usual,
            Some(file) if file == Path::new("none") => Busybox::Without,
            Some(file) => Busybox::File(file),
        },
        drivers: command.drivers,
        load: command.load,
        is_compressed: command.compress == Compress::Gzip,
    };
    let made = initrd::make(&wanted).and_then(|image| {
        initrd::write(&output, &image.octets)?;
        Ok(image)
    });
    match made {
        Ok(Image { octets, unpacked, modules, notes }) => {
            for note in notes {
                print_error(&format!("note: {note}"));
            }
            print(&format!(
                "{}: kernel {}, {modules} modules, {:.1} MB ({:.1} MB unpacked)\n",
                output.display(),
                wanted.version,
                octets.len() as f64 / 1e6,
                unpacked as f64 / 1e6,
            ));
            Exit::Ok
        }
        Err(problem) => complain(&problem, Exit::Usage),
    }
}

/// The version of the kernel that runs here.
fn running() -> Option<String> {
    let version = std::fs::read_to_string("/proc/sys/kernel/osrelease").ok()?;
    Some(version.trim().to_owned())
}
