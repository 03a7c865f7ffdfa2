//! The way to a node with a number, at the address that this brings: interface, lease, conversation, change of address.

use crate::checks::{self, Subject};
use crate::client::{self, Lease};
use crate::cmdline::Cmdline;
use crate::facts::Facts;
use crate::frame::Arp;
use crate::http::Url;
use crate::keeper::Keeper;
use crate::link::{Hears, Link};
use crate::modules::Modules;
use crate::net::{self, Interface};
use crate::node::{self, Identity, Node, Report, Verdict};
use crate::{last_words, netlink, say, start};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;
use std::{fs, thread};

/// A machine that is a node, at its own address.
#[derive(Debug)]
pub struct Arrived {
    /// Where it talks about itself.
    pub url: Url,
    /// What it was booted by.
    pub interface: Interface,
    /// Who keeps its lease.
    pub keeper: Keeper,
    /// What it is.
    pub identity: Identity,
    /// Where.
    pub address: Ipv4Addr,
    /// Who can be asked for names.
    pub name_servers: Vec<Ipv4Addr>,
    /// The domain of names.
    pub domain: Option<String>,
}

/// Goes all of it. The names of all nodes are fetched at its end.
///
/// # Errors
/// In words, at the first thing that does not work.
pub fn arrive(cmdline: &Cmdline, modules: &mut Modules) -> Result<Arrived, String> {
    let interface = net::find(cmdline.boot_interface, CARRIER_PATIENCE, || {
        modules.look_for_devices();
    })?;
    say!("interface {} {}", interface.name, interface.mac);
    modules.load("af_packet");
    let lease = client::acquire(&interface, false, DHCP_PATIENCE)?;
    configure(&interface, &lease)?;
    let (name_servers, domain) = (lease.name_servers.clone(), lease.domain.clone());
    let server = lease.server;
    let keeper = keep(&interface, lease)?;

    let url = url_by(cmdline, server)?;
    last_words::tell(&url, modules);
    let identity = become_a_node(&url, &interface, modules)?;
    let (keeper, address) = match identity.address {
        Some(wanted) => move_to(&interface, keeper, wanted, identity.name.as_deref())?,
        None => stay(&interface, keeper, identity.name.as_deref())?,
    };
    keep_names(&url);
    Ok(Arrived { url, interface, keeper, identity, address, name_servers, domain })
}

/// Writes the names file, from which libnss_heorot.so.2 resolves the names of all nodes. Without it a node asks DNS, and is up all the same.
pub fn keep_names(url: &Url) {
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
/// The server says when a machine that failed is tried again, and whether one with a number is: it may have lacked something. One that passed and has
/// no number waits for its operator.
///
/// # Errors
/// In words, if the server is silent for too long.
pub fn become_a_node(url: &Url, interface: &Interface, modules: &mut Modules) -> Result<Identity, String> {
    let mut passed = false;
    loop {
        let node = node::get(url)?;
        say!("the server says: {}", node.state);
        if node.may_go_up() {
            if node.is_to_be_tried == Some(true) {
                node::post_trial(url, &try_out(&node, interface, url, modules))?;
            }
            return Ok(node.identity);
        }
        let mut again = node.again_seconds;
        if node.on_trial() && !passed {
            let report = try_out(&node, interface, url, modules);
            passed = report.passed;
            let Verdict { identity, reboot, again_seconds } = node::post_trial(url, &report)?;
            again = again_seconds;
            if reboot {
                say!("starting anew, as the server wants");
                start::restart();
            }
            if let Identity { number: Some(number), name: Some(name), address: Some(address) } = &identity {
                say!("number {number}: {name}, {address}");
                return Ok(identity);
            }
        }
        // What a server asks for is kept within bounds: it may change its mind meanwhile.
        let wait = again.map_or(ASK_AGAIN, Duration::from_secs).clamp(ASK_AGAIN_SOONEST, ASK_AGAIN_LATEST);
        say!(
            "no number yet; \"heorot explain {}\" on the server tells why; asking again in {} s",
            interface.mac,
            wait.as_secs()
        );
        thread::sleep(wait);
    }
}

/// Runs the checks.
fn try_out(node: &Node, interface: &Interface, url: &Url, modules: &mut Modules) -> Report {
    if node.checks.iter().any(|check| check.kind == "disks") {
        modules.load_for_disks();
    }
    let subject = Subject::here(interface.mac, url.clone());
    let checks = checks::run_all(&node.checks, &subject, |outcome| {
        let word = if outcome.passed { "passed" } else { "FAILED" };
        say!("check {}: {word}: {}", outcome.name, outcome.detail);
    });
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
) -> Result<(Keeper, Ipv4Addr), String> {
    go_by(name)?;
    let old = keeper.stop().ok_or("the lease's thread has died")?;
    if old.address == address {
        return Ok((keep(interface, old)?, address));
    }
    let new = client::acquire(interface, true, DHCP_PATIENCE)?;
    if new.address == old.address {
        say!("DHCP still gives {}, not {address}; going on with it", new.address);
        return Ok((keep(interface, new)?, old.address));
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
    Ok((keep(interface, new)?, address))
}

/// Goes on with the address that it has: its number has none on this network, or is on none. Its operator is told so by the server; here a machine that works is better than one that starts anew
/// for ever, for no boot of its own makes it another network's.
fn stay(interface: &Interface, keeper: Keeper, name: Option<&str>) -> Result<(Keeper, Ipv4Addr), String> {
    go_by(name)?;
    let lease = keeper.stop().ok_or("the lease's thread has died")?;
    let address = lease.address;
    say!(
        "its number has no address here; \"heorot explain {}\" on the server tells why; going on with {address}",
        interface.mac
    );
    Ok((keep(interface, lease)?, address))
}

fn go_by(name: Option<&str>) -> Result<(), String> {
    let Some(name) = name else { return Ok(()) };
    nix::unistd::sethostname(name).map_err(|error| format!("host name {name}: {error}"))
}

/// Goes on with a lease in the system: its address and its route are put back, should somebody have taken them away. What becomes of it is noted.
///
/// # Errors
/// In words.
pub fn put_back(
    interface: &Interface,
    lease: Lease,
    note: impl FnMut(&Lease) + Send + 'static,
) -> Result<Keeper, String> {
    let put = netlink::add_address(interface.index, lease.address, lease.prefix)
        .and_then(|()| lease.router.map_or(Ok(()), |router| netlink::default_route(interface.index, router)));
    if let Err(error) = put {
        say!("{} on {}: {error}", lease.address, interface.name);
    }
    keep_and_note(interface, lease, note)
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
    keep_and_note(interface, lease, |_| ())
}

fn keep_and_note(
    interface: &Interface,
    lease: Lease,
    note: impl FnMut(&Lease) + Send + 'static,
) -> Result<Keeper, String> {
    Keeper::start(interface, lease, note).map_err(|error| format!("a thread for the lease: {error}"))
}

/// Where this node talks about itself: as the kernel's command line says, or as the server does.
///
/// # Errors
/// In words, if neither does.
pub fn url_of(cmdline: &Cmdline) -> Result<Url, String> {
    let url = cmdline
        .url
        .as_deref()
        .ok_or("no heorot=http://ADDRESS:PORT/node/TOKEN on the kernel's command line")?;
    let url: Url = url
        .parse()
        .map_err(|_| format!("heorot={url} on the kernel's command line is no http://ADDRESS:PORT/PATH"))?;
    // A command line that is the same for all nodes names no more than the server.
    let url = if url.path == "/" { node::get_url(&url)? } else { url };
    Ok(FOUND.get_or_init(|| url).clone())
}

/// The same. A unified kernel image that firmware loads itself has the command line that it was built with, or none: then the server of the lease is asked.
fn url_by(cmdline: &Cmdline, server: Ipv4Addr) -> Result<Url, String> {
    if cmdline.url.is_some() {
        return url_of(cmdline);
    }
    say!("no heorot= on the kernel's command line; asking {server}");
    let server = Url { server: SocketAddrV4::new(server, HTTP_PORT), path: "/".into(), name: None };
    let url = node::get_url(&server)?;
    Ok(FOUND.get_or_init(|| url).clone())
}

/// The URL, once it is known.
#[must_use]
pub fn known_url() -> Option<&'static Url> {
    FOUND.get()
}

static FOUND: OnceLock<Url> = OnceLock::new();
/// Of a server that is asked because nobody named it.
const HTTP_PORT: u16 = 80;

/// Where libnss_heorot.so.2 looks.
const NAMES_FILE: &str = "/etc/heorot/names";
/// A switch with spanning tree may need half a minute before it passes anything.
pub const CARRIER_PATIENCE: Duration = Duration::from_secs(60);
const DHCP_PATIENCE: Duration = Duration::from_secs(600);
const ASK_AGAIN: Duration = Duration::from_secs(30);
const ASK_AGAIN_SOONEST: Duration = Duration::from_secs(1);
const ASK_AGAIN_LATEST: Duration = Duration::from_secs(60);
