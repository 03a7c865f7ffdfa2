//! The DNS servers, each configured so that it can do its best on one processor: one thread, no logs, and all names in it from the start.

use super::questions::{
    Asked, NAMES, OUTSIDE, REVERSE_ZONE, TTL_SECONDS, ZONE, address, cluster_zone, outside_zone, reverse_zone,
};
use crate::debian;
use crate::files::Files;
use crate::link::{CLIENTS, INTERFACE, Link, SERVER};
use crate::servers::{ALL as ALL_FILES, Running, heorot, limits, shown, write};
use heorot_lab::namespace::Namespace;
use std::fmt::Write as _;
use std::fs;

/// A DNS server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Peer {
    Heorot,
    Knot,
    Nsd,
    Unbound,
    Dnsmasq,
}

/// All, in the order of the table: the others are compared with the first.
pub(super) const PEERS: [Peer; 5] = [Peer::Heorot, Peer::Knot, Peer::Nsd, Peer::Unbound, Peer::Dnsmasq];

/// Where all of them are asked.
pub(super) const DNS_PORT: u16 = 53;

impl Peer {
    /// The name in the table, and in what is asked for.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Heorot => "heorot",
            Self::Knot => "knotd",
            Self::Nsd => "nsd",
            Self::Unbound => "unbound",
            Self::Dnsmasq => "dnsmasq",
        }
    }

    /// Whether it answers such questions: Knot DNS and NSD ask nobody.
    pub(super) fn answers(self, asked: Asked) -> bool {
        match self {
            Self::Heorot | Self::Unbound | Self::Dnsmasq => true,
            Self::Knot | Self::Nsd => asked != Asked::Forwards,
        }
    }

    /// Starts it; who asks waits until it is ready.
    ///
    /// # Errors
    /// In words: it is not to be had, or does not start.
    pub(super) fn start<'a>(self, link: &'a Link, files: &Files) -> Result<Running<'a>, String> {
        let mut running = Running::none(&link.server);
        match self {
            Self::Heorot => start_heorot(&mut running, link, files)?,
            Self::Knot => start_knot(&mut running, link, files, DNS_PORT)?,
            Self::Nsd => {
                start_nsd(&mut running, (&link.server, &SERVER.to_string()), files, &[ZONE, REVERSE_ZONE])?
            }
            Self::Unbound => start_unbound(&mut running, link, files)?,
            Self::Dnsmasq => start_dnsmasq(&mut running, link, files)?,
        }
        Ok(running)
    }
}

/// Who knows the names of others: NSD at the clients' end. It is asked for each name once.
///
/// # Errors
/// In words: it is not to be had, or does not start.
pub(super) fn start_others<'a>(link: &'a Link, files: &Files) -> Result<Running<'a>, String> {
    let mut running = Running::none(&link.clients);
    start_nsd(&mut running, (&link.clients, &CLIENTS.to_string()), files, &[OUTSIDE])?;
    Ok(running)
}

/// Knot DNS at another port of the server's address.
///
/// # Errors
/// In words: it is not to be had, or does not start.
pub(super) fn start_knot_beside<'a>(link: &'a Link, files: &Files, port: u16) -> Result<Running<'a>, String> {
    let mut running = Running::none(&link.server);
    start_knot(&mut running, link, files, port)?;
    Ok(running)
}

/// Writes the zones that servers read.
///
/// # Errors
/// In words, if the disk is full.
pub(super) fn write_zones(files: &Files) -> Result<(), String> {
    write(files, ZONE, &cluster_zone())?;
    write(files, REVERSE_ZONE, &reverse_zone())?;
    write(files, OUTSIDE, &outside_zone()).map(drop)
}

/// What heorot says of DNS, for a configuration that has all else.
pub(super) fn heorot_dns() -> String {
    // As with the others, nobody is asked too fast.
    format!("\n[dns]\nupstream = [\"{CLIENTS}\"]\nrate-limit = 0\n")
}

fn start_heorot(running: &mut Running<'_>, link: &Link, files: &Files) -> Result<(), String> {
    let (state, control, boot) = (files.room("state"), files.room("heorot.sock"), files.boot());
    let _ = fs::remove_dir_all(&state);
    let text = format!(
        r#"[server]
state = "{}"
control = "{}"
user = "root"

[[network]]
interface = "{INTERFACE}"
address = "{SERVER}/16"
numbers = "0-{}"
first = "{}"
temporary = "10.77.128.1-10.77.191.254"

[boot]
directory = "{}"
{}"#,
        state.display(),
        control.display(),
        NAMES - 1,
        address(0),
        boot.display(),
        heorot_dns()
    );
    let configuration = write(files, "heorot.toml", &text)?;
    let command = link.server.command(heorot()?);
    running.spawn(command, files, "heorot.log", &["serve", "--config", &shown(&configuration)])
}

fn start_knot(running: &mut Running<'_>, link: &Link, files: &Files, port: u16) -> Result<(), String> {
    let place = shown(&files.room("knot"));
    fs::create_dir_all(&place).map_err(|error| format!("{place}: {error}"))?;
    let zones: String = [ZONE, REVERSE_ZONE]
        .iter()
        .map(|zone| format!("  - domain: {zone}\n    file: {}\n", shown(&files.room(zone))))
        .collect();
    let text = format!(
        "server:\n    listen: {SERVER}@{port}\n    rundir: {place}\n    user: root:root\n    udp-workers: 1\n    tcp-workers: 1\n    background-workers: 1\n\
         database:\n    storage: {place}\n\
         template:\n  - id: default\n    storage: {place}\n    zonefile-sync: -1\n    zonefile-load: whole\n    journal-content: none\nzone:\n{zones}"
    );
    let configuration = write(files, "knot.conf", &text)?;
    let mut command = link.server.command("knotd");
    command.arg("-c").arg(configuration);
    running.spawn(command, files, "knot.log", &[])
}

fn start_nsd(
    running: &mut Running<'_>,
    (namespace, address): (&Namespace, &str),
    files: &Files,
    zones: &[&str],
) -> Result<(), String> {
    let place = shown(&files.room(&format!("nsd-{address}")));
    fs::create_dir_all(&place).map_err(|error| format!("{place}: {error}"))?;
    let zones: String = zones
        .iter()
        .map(|zone| format!("zone:\n name: {zone}\n zonefile: {}\n", shown(&files.room(zone))))
        .collect();
    let text = format!(
        "server:\n ip-address: {address}\n server-count: 1\n username: \"\"\n chroot: \"\"\n database: \"\"\n zonesdir: \"{place}\"\n \
         pidfile: \"{place}/pid\"\n xfrdfile: \"{place}/xfrd\"\n zonelistfile: \"{place}/zones\"\n rrl-ratelimit: 0\n \
         minimal-responses: yes\nremote-control:\n control-enable: no\n{zones}"
    );
    let configuration = write(files, &format!("nsd-{address}.conf"), &text)?;
    let mut command = limits(namespace, "nsd", ALL_FILES)?;
    command.arg("-d").arg("-c").arg(configuration);
    running.spawn(command, files, &format!("nsd-{address}.log"), &[])
}

fn start_unbound(running: &mut Running<'_>, link: &Link, files: &Files) -> Result<(), String> {
    let mut text = format!(
        "server:\n interface: {SERVER}\n access-control: 0.0.0.0/0 allow\n num-threads: 1\n username: \"\"\n chroot: \"\"\n \
         directory: \"{place}\"\n pidfile: \"\"\n do-daemonize: no\n use-syslog: no\n verbosity: 0\n module-config: \"iterator\"\n \
         minimal-responses: yes\n local-zone: \"{ZONE}.\" static\n local-zone: \"{REVERSE_ZONE}.\" static\n",
        place = shown(&files.room(""))
    );
    for number in 0..NAMES {
        let (name, address) = (format!("node{number}.{ZONE}"), address(number));
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            " local-data: \"{name}. {TTL_SECONDS} A {address}\"\n local-data-ptr: \"{address} {TTL_SECONDS} {name}\"\n"
        );
    }
    let _ = write!(
        text,
        "remote-control:\n control-enable: no\nforward-zone:\n name: \"{OUTSIDE}.\"\n forward-addr: {CLIENTS}\n"
    );
    let configuration = write(files, "unbound.conf", &text)?;
    let mut command = limits(&link.server, "unbound", ALL_FILES)?;
    command.arg("-d").arg("-c").arg(configuration);
    running.spawn(command, files, "unbound.log", &[])
}

fn start_dnsmasq(running: &mut Running<'_>, link: &Link, files: &Files) -> Result<(), String> {
    let mut hosts = String::new();
    for number in 0..NAMES {
        let _ = writeln!(hosts, "{} node{number}.{ZONE}", address(number));
    }
    let hosts = write(files, "dnsmasq.hosts", &hosts)?;
    let text = format!(
        "interface={INTERFACE}\nbind-interfaces\nuser=root\npid-file=\nno-hosts\naddn-hosts={}\nlocal=/{ZONE}/\n\
         local-ttl={TTL_SECONDS}\nno-resolv\nserver=/{OUTSIDE}/{CLIENTS}\ncache-size=10000\n",
        shown(&hosts)
    );
    let configuration = write(files, "dnsmasq.conf", &text)?;
    let mut command = limits(&link.server, "dnsmasq", ALL_FILES)?;
    command.arg("--keep-in-foreground").arg(format!("--conf-file={}", shown(&configuration)));
    running.spawn(command, files, "dnsmasq.err", &[])
}

/// `dnsperf`, as Debian has it.
///
/// # Errors
/// In words, if it is not to be had.
pub(super) fn dnsperf() -> Result<std::path::PathBuf, String> {
    debian::program("dnsperf")
}
