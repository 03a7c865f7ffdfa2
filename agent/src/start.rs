//! What only a first process does: the kernel's file systems, the children of others, and the end.

use crate::cmdline::Cmdline;
use crate::{node, say, walk};
use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::sys::reboot::{RebootMode, reboot};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use std::fs::{self, File};
use std::process::Command;
use std::thread;
use std::time::Duration;

/// Mounts what the kernel has to tell and what is made anew at every start.
pub fn mount_kernel_file_systems() {
    const HIDDEN: MsFlags = MsFlags::MS_NOSUID.union(MsFlags::MS_NODEV).union(MsFlags::MS_NOEXEC);
    let places = [
        ("proc", "/proc", HIDDEN, ""),
        ("sysfs", "/sys", HIDDEN, ""),
        ("devtmpfs", "/dev", MsFlags::MS_NOSUID, "mode=755"),
        // The agent goes on from there in the system.
        ("tmpfs", "/run", MsFlags::MS_NOSUID.union(MsFlags::MS_NODEV), "mode=755"),
    ];
    for (kind, target, flags, options) in places {
        let mounted = fs::create_dir_all(target).map_err(|error| error.to_string()).and_then(|()| {
            match mount(Some(kind), target, Some(kind), flags, Some(options)) {
                // Mounted already, by the kernel itself.
                Ok(()) | Err(Errno::EBUSY) => Ok(()),
                Err(error) => Err(error.to_string()),
            }
        });
        if let Err(error) = mounted {
            say!("{target}: {error}");
        }
    }
}

/// Reads the kernel's command line.
///
/// # Errors
/// In words, where there is no /proc.
pub fn read_cmdline() -> Result<Cmdline, String> {
    let text = fs::read_to_string("/proc/cmdline").map_err(|error| format!("/proc/cmdline: {error}"))?;
    Ok(Cmdline::parse(&text))
}

/// The end of a boot that did not work: on the console and to the server what it was, a shell if that is wanted, and then a new start, which
/// may find things repaired.
pub fn fail(cmdline: &Cmdline, trouble: &str) -> ! {
    say!("{trouble}");
    let told = || cmdline.url.as_deref().and_then(|url| url.parse().ok());
    if let Some(url) = walk::known_url().cloned().or_else(told) {
        node::post_trouble(&url, trouble);
    }
    if cmdline.shell {
        say!("a shell, for heorot.shell is on the command line; the machine starts anew after it");
        if let Err(error) = shell() {
            say!("no shell: {error}");
        }
    }
    match cmdline.reboot {
        Some(wait) => {
            say!("starting anew in {} s (heorot.reboot=SECONDSs or never, heorot.shell)", wait.as_secs());
            thread::sleep(wait);
            restart()
        }
        None => {
            say!("it stays as it is, for heorot.reboot=never is on the command line");
            reap_for_ever()
        }
    }
}

/// What is left for a first process: to bury the children of others. The lease is kept by its own thread.
pub fn reap_for_ever() -> ! {
    loop {
        match waitid(Id::All, WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG) {
            Ok(status) if status != WaitStatus::StillAlive => {}
            Ok(_) | Err(_) => thread::sleep(Duration::from_secs(1)),
        }
    }
}

/// Starts the machine anew.
pub fn restart() -> ! {
    loop {
        let Err(error) = reboot(RebootMode::RB_AUTOBOOT);
        say!("the machine cannot be started anew: {error}");
        thread::sleep(Duration::from_secs(30));
    }
}

/// A shell on the console, to its end.
fn shell() -> std::io::Result<()> {
    let console = || File::options().read(true).write(true).open("/dev/console");
    // busybox makes the console its terminal, with signals from its keys; a plain shell does without.
    let with_keys = ["setsid", "-c", "/bin/sh"];
    let program = if fs::exists("/bin/busybox")? { "/bin/busybox" } else { "/bin/sh" };
    let arguments: &[&str] = if program == "/bin/sh" { &[] } else { &with_keys };
    let mut shell = Command::new(program);
    shell.args(arguments).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("PS1", "heorot# ");
    shell.stdin(console()?).stdout(console()?).stderr(console()?).status()?;
    Ok(())
}
