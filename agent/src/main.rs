//! heorot-agent: from a kernel that has just started to a node that is up.
//!
//! As the first process of an initramfs it mounts what is missing, loads the modules, gets an address and goes through the conversation
//! below; on a system that runs already (any other process id) it only has the conversation, and leaves addresses to that system.
//!
//! ```text
//! address by DHCP -> GET node -+-> on trial: checks, POST trial -+-> numbered: new address, release the old -> POST up
//!                              |                                 +-> reboot
//!                              |                                 +-> neither: ask again in 30 s
//!                              +-> numbered already -> POST up
//! ```
//! Before the POST it fetches the names of all nodes for its system.

use heorot_agent::client::{self, Lease};
use heorot_agent::cmdline::Cmdline;
use heorot_agent::facts::Facts;
use heorot_agent::frame::Arp;
use heorot_agent::http::Url;
use heorot_agent::keeper::Keeper;
use heorot_agent::link::{Hears, Link};
use heorot_agent::net::{self, Interface};
use heorot_agent::node::{self, Identity, Node, Report, Verdict};
use heorot_agent::{modules, netlink, say};
use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::sys::reboot::{RebootMode, reboot};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use std::{fs, panic, thread};

fn main() -> ExitCode {
    let first_process = std::process::id() == 1;
    // A panic is a mistake of ours, but the first process must not end, or the kernel panics too and the machine hangs.
    let outcome = panic::catch_unwind(|| if first_process { boot() } else { report_running_system() });
    let trouble = match outcome {
        Ok(Ok(())) => return ExitCode::SUCCESS,
        Ok(Err(trouble)) => trouble,
        Err(_) => "the agent made a mistake (see above)".to_owned(),
    };
    say!("{trouble}");
    if !first_process {
        return ExitCode::FAILURE;
    }
    say!("starting anew in {} s", REBOOT_WAIT.as_secs());
    thread::sleep(REBOOT_WAIT);
    restart()
}

/// The whole walk of a first process; returns only if something did not work.
fn boot() -> Result<(), String> {
    say!("started");
    mount_kernel_file_systems();
    let cmdline = read_cmdline()?;
    let url = url_of(&cmdline)?;
    modules::load(Path::new(modules::LIST));
    let interface = net::find(cmdline.boot_interface, CARRIER_PATIENCE)?;
    say!("interface {} {}", interface.name, interface.mac);
    let lease = client::acquire(&interface, false, DHCP_PATIENCE)?;
    configure(&interface, &lease)?;
    let keeper = keep(&interface, lease)?;

    let identity = become_a_node(&url, &interface)?;
    let address = match identity.address {
        Some(address) => move_to(&interface, keeper, address, identity.name.as_deref())?,
        None => return Err("the server gave a number without an address".to_owned()),
    };
    keep_names(&url);
    node::post_up(&url)?;
    say!("up as {} ({address})", identity.name.as_deref().unwrap_or("a node without a name"));
    reap_for_ever()
}

/// On a system that somebody else started and addressed.
fn report_running_system() -> Result<(), String> {
    let cmdline = read_cmdline()?;
    let url = url_of(&cmdline)?;
    let interface = net::find(cmdline.boot_interface, CARRIER_PATIENCE)?;
    let identity = become_a_node(&url, &interface)?;
    keep_names(&url);
    node::post_up(&url)?;
    say!("up as {}", identity.name.as_deref().unwrap_or("a node without a name"));
    Ok(())
}

/// Writes the names file, from which libnss_heorot.so.2 resolves the names of all nodes. Without it a node asks DNS, and is up all the same.
fn keep_names(url: &Url) {
    let path = Path::new(NAMES_FILE);
    // The file changes as a whole: whoever reads it has the old one or the new one.
    let write = |text: String| {
        let new = path.with_extension("new");
        fs::create_dir_all(path.parent().unwrap_or_else(|| Path::new("/")))?;
        fs::write(&new, text)?;
        fs::rename(&new, path)
    };
    let outcome = node::get_names(url).and_then(|text| write(text).map_err(|error| error.to_string()));
    if let Err(error) = outcome {
        say!("{NAMES_FILE}: {error}");
    }
}

/// Asks the server, with a trial where it wants one, until this machine has a number.
///
/// A machine that failed is tried again at every turn, for what it lacked may have been a cable. One that passed and has no number waits
/// for its operator.
fn become_a_node(url: &Url, interface: &Interface) -> Result<Identity, String> {
    let mut passed = false;
    loop {
        let node = node::get(url)?;
        say!("the server says: {}", node.state);
        if node.may_go_up() {
            return Ok(node.identity);
        }
        if node.on_trial() && !passed {
            let report = try_out(&node, interface);
            passed = report.passed;
            let Verdict { identity, reboot } = node::post_trial(url, &report)?;
            if reboot {
                say!("starting anew, as the server wants");
                restart();
            }
            if let Identity { number: Some(number), name: Some(name), address: Some(address) } = &identity {
                say!("number {number}: {name}, {address}");
                return Ok(identity);
            }
        }
        say!(
            "no number yet; \"heorot explain {}\" on the server tells why; asking again in 30 s",
            interface.mac
        );
        thread::sleep(ASK_AGAIN);
    }
}

/// Runs the checks.
fn try_out(node: &Node, interface: &Interface) -> Report {
    let mut checks = Vec::new();
    for check in &node.checks {
        let outcome = check.run(interface.mac);
        let word = if outcome.passed { "passed" } else { "FAILED" };
        say!("check {}: {word}: {}", outcome.name, outcome.detail);
        checks.push(outcome);
    }
    let passed = checks.iter().all(|outcome| outcome.passed);
    say!("trial {}", if passed { "passed" } else { "failed" });
    Report { passed, checks, facts: Facts::gather() }
}

/// Takes `address`, which the number brings, and gives back the one before.
///
/// The new one is asked for from INIT, with broadcast replies, while the old one still answers; only when it is there and the segment
/// knows is the old one released, from itself, and removed.
fn move_to(
    interface: &Interface,
    keeper: Keeper,
    address: Ipv4Addr,
    name: Option<&str>,
) -> Result<Ipv4Addr, String> {
    if let Some(name) = name {
        nix::unistd::sethostname(name).map_err(|error| format!("host name {name}: {error}"))?;
    }
    let old = keeper.stop().ok_or("the lease's thread has died")?;
    if old.address == address {
        keep(interface, old)?;
        return Ok(address);
    }
    let new = client::acquire(interface, true, DHCP_PATIENCE)?;
    if new.address == old.address {
        say!("DHCP still gives {}, not {address}; going on with it", new.address);
        keep(interface, new)?;
        return Ok(old.address);
    }
    let fail = |error| format!("changing {} for {}: {error}", old.address, new.address);
    interface.promote_secondaries().map_err(fail)?;
    configure(interface, &new)?;
    let announcement = Arp::announcement(interface.mac, new.address).encode();
    Link::open(interface.index, Hears::Ipv4).and_then(|link| link.send(&announcement)).map_err(fail)?;
    client::release(&old, interface.mac).map_err(fail)?;
    netlink::remove_address(interface.index, old.address, old.prefix).map_err(fail)?;
    if let Some(router) = new.router {
        netlink::default_route(interface.index, router).map_err(fail)?;
    }
    say!("released {}", old.address);
    let address = new.address;
    keep(interface, new)?;
    Ok(address)
}

/// Gives the interface what the lease says.
fn configure(interface: &Interface, lease: &Lease) -> Result<(), String> {
    let fail = |error| format!("configuring {} with {}: {error}", interface.name, lease.address);
    if lease.mtu.is_some() {
        netlink::link_up(interface.index, lease.mtu).map_err(fail)?;
    }
    netlink::add_address(interface.index, lease.address, lease.prefix).map_err(fail)?;
    // A gateway that is not on this network is the operator's mistake, and boots without one go on.
    if let Some(Err(error)) = lease.router.map(|router| netlink::default_route(interface.index, router)) {
        say!("no default route: {error}");
    }
    let mut resolver = lease.domain.iter().map(|domain| format!("search {domain}\n")).collect::<String>();
    resolver.extend(lease.name_servers.iter().take(3).map(|server| format!("nameserver {server}\n")));
    if let Err(error) = fs::create_dir_all("/etc").and_then(|()| fs::write("/etc/resolv.conf", resolver)) {
        say!("/etc/resolv.conf: {error}");
    }
    say!("address {}/{}", lease.address, lease.prefix);
    Ok(())
}

fn keep(interface: &Interface, lease: Lease) -> Result<Keeper, String> {
    Keeper::start(interface, lease).map_err(|error| format!("a thread for the lease: {error}"))
}

fn mount_kernel_file_systems() {
    for (kind, target) in [("proc", "/proc"), ("sysfs", "/sys"), ("devtmpfs", "/dev"), ("tmpfs", "/run")] {
        let flags =
            if kind == "devtmpfs" { MsFlags::empty() } else { MsFlags::MS_NODEV | MsFlags::MS_NOEXEC };
        let mounted = fs::create_dir_all(target).map_err(|error| error.to_string()).and_then(|()| {
            match mount(Some(kind), target, Some(kind), flags | MsFlags::MS_NOSUID, None::<&str>) {
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

fn read_cmdline() -> Result<Cmdline, String> {
    let text = fs::read_to_string("/proc/cmdline").map_err(|error| format!("/proc/cmdline: {error}"))?;
    Ok(Cmdline::parse(&text))
}

fn url_of(cmdline: &Cmdline) -> Result<Url, String> {
    let url = cmdline
        .url
        .as_deref()
        .ok_or("no heorot=http://ADDRESS:PORT/node/TOKEN on the kernel's command line")?;
    url.parse()
        .map_err(|_| format!("heorot={url} on the kernel's command line is no http://ADDRESS:PORT/PATH"))
}

/// What is left for a first process: to bury the children of others. The lease is kept by its own thread.
fn reap_for_ever() -> ! {
    loop {
        match waitid(Id::All, WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG) {
            Ok(status) if status != WaitStatus::StillAlive => {}
            Ok(_) | Err(_) => thread::sleep(Duration::from_secs(1)),
        }
    }
}

fn restart() -> ! {
    loop {
        let Err(error) = reboot(RebootMode::RB_AUTOBOOT);
        say!("the machine cannot be started anew: {error}");
        thread::sleep(REBOOT_WAIT);
    }
}

/// Where libnss_heorot.so.2 looks.
const NAMES_FILE: &str = "/etc/heorot/names";
/// A switch with spanning tree may need half a minute before it passes anything.
const CARRIER_PATIENCE: Duration = Duration::from_secs(60);
const DHCP_PATIENCE: Duration = Duration::from_secs(600);
const ASK_AGAIN: Duration = Duration::from_secs(30);
const REBOOT_WAIT: Duration = Duration::from_secs(30);
