//! The DHCP servers, each configured so that it can do its best, with nothing known.

use super::packet::mac;
use crate::files::Files;
use crate::link::{INTERFACE, Link, SERVER};
use crate::process;
use crate::servers::{ALL, Running, heorot, limits, shown, write};
use std::fmt::Write as _;
use std::fs;
use std::net::Ipv4Addr;
use std::ops::Range;
use std::thread;
use std::time::Duration;

/// A DHCP server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Peer {
    Heorot,
    /// Kea with its leases in a file that it never syncs.
    Kea,
    /// dnsmasq with its file of leases.
    Dnsmasq,
}

/// All, in the order of the table: the others are compared with the first.
pub(super) const PEERS: [Peer; 3] = [Peer::Heorot, Peer::Kea, Peer::Dnsmasq];

/// The addresses that are lent, and those of known machines: host 0 has the first.
const POOL: (&str, &str) = ("10.77.128.1", "10.77.191.254");
const FIRST: Ipv4Addr = Ipv4Addr::new(10, 77, 64, 0);
/// What a server does after it has bound its port, it has done by then.
const SETTLES_WITHIN: Duration = Duration::from_millis(300);

impl Peer {
    /// The name in the table, and in what is asked for.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Heorot => "heorot",
            Self::Kea => "kea",
            Self::Dnsmasq => "dnsmasq",
        }
    }

    /// Starts it with nothing known but these hosts, whose addresses its configuration says, and waits until it is ready.
    ///
    /// # Errors
    /// In words: it is not to be had, or does not start.
    pub(super) fn start<'a>(
        self,
        cable: &'a Link,
        files: &Files,
        known: &Range<u32>,
    ) -> Result<Running<'a>, String> {
        let mut running = Running::none(&cable.server);
        match self {
            Self::Heorot => start_heorot(&mut running, cable, files, known)?,
            Self::Kea => start_kea(&mut running, cable, files, known)?,
            Self::Dnsmasq => start_dnsmasq(&mut running, cable, files, known)?,
        }
        let process = running.process_ids().next().ok_or("nothing runs")?;
        running.wait(self.name(), || process::listens(process, 67))?;
        thread::sleep(SETTLES_WITHIN);
        Ok(running)
    }
}

/// The configuration of heorot that knows these hosts.
pub(crate) fn heorot_configuration(files: &Files, known: &Range<u32>) -> String {
    let (state, control, boot) = (files.room("state"), files.room("heorot.sock"), files.boot());
    let (state, control, boot) = (state.display(), control.display(), boot.display());
    let mut text = format!(
        r#"[server]
state = "{state}"
control = "{control}"
user = "root"

[[network]]
interface = "{INTERFACE}"
address = "{SERVER}/16"
numbers = "0-16383"
first = "{FIRST}"
temporary = "{}-{}"
gateway = "{SERVER}"

[boot]
directory = "{boot}"
uefi-x64 = "ipxe.efi"
"#,
        POOL.0, POOL.1
    );
    for host in known.clone() {
        // Writing to a string cannot fail.
        let _ = write!(text, "\n[[node]]\nmac = \"{}\"\nnumber = {host}\n", mac(host));
    }
    text
}

fn start_heorot(
    running: &mut Running<'_>,
    cable: &Link,
    files: &Files,
    known: &Range<u32>,
) -> Result<(), String> {
    let _ = fs::remove_dir_all(files.room("state"));
    let configuration = write(files, "heorot.toml", &heorot_configuration(files, known))?;
    let command = cable.server.command(heorot()?);
    running.spawn(command, files, "heorot.log", &["serve", "--config", &shown(&configuration)])
}

fn start_kea(
    running: &mut Running<'_>,
    cable: &Link,
    files: &Files,
    known: &Range<u32>,
) -> Result<(), String> {
    let leases = files.room("kea-leases.csv");
    let _ = fs::remove_file(&leases);
    let reservations: Vec<String> = known
        .clone()
        .map(|host| format!(r#"{{"hw-address":"{}","ip-address":"{}"}}"#, mac(host), address_of(host)))
        .collect();
    // No logging, no cleaning of the file of leases while it runs, hosts known by their hardware address alone, and outside of the pool:
    // so it looks for a reservation once. Its sockets have to be raw ones: the clients have no addresses.
    let text = format!(
        r#"{{"Dhcp4":{{
"interfaces-config":{{"interfaces":["{INTERFACE}"],"dhcp-socket-type":"raw"}},
"lease-database":{{"type":"memfile","persist":true,"name":"{}","lfc-interval":0}},
"host-reservation-identifiers":["hw-address"],
"valid-lifetime":3600,
"loggers":[{{"name":"kea-dhcp4","severity":"NONE","output_options":[{{"output":"/dev/null"}}]}}],
"subnet4":[{{"id":1,"subnet":"10.77.0.0/16","interface":"{INTERFACE}","pools":[{{"pool":"{}-{}"}}],
"reservations-global":false,"reservations-in-subnet":{},"reservations-out-of-pool":true,
"next-server":"{SERVER}","boot-file-name":"ipxe.efi",
"option-data":[{{"name":"routers","data":"{SERVER}"}},{{"name":"domain-name-servers","data":"{SERVER}"}},{{"name":"domain-name","data":"cluster"}}],
"reservations":[{}]}}]}}}}"#,
        shown(&leases),
        POOL.0,
        POOL.1,
        !known.is_empty(),
        reservations.join(",\n")
    );
    let configuration = write(files, "kea.conf", &text)?;
    let mut command = limits(&cable.server, "kea-dhcp4", ALL)?;
    for directory in ["KEA_PIDFILE_DIR", "KEA_LOCKFILE_DIR"] {
        command.env(directory, files.room(""));
    }
    command.arg("-c").arg(configuration);
    running.spawn(command, files, "kea.log", &[])
}

fn start_dnsmasq(
    running: &mut Running<'_>,
    cable: &Link,
    files: &Files,
    known: &Range<u32>,
) -> Result<(), String> {
    let leases = files.room("dnsmasq.leases");
    let _ = fs::remove_file(&leases);
    let mut text = format!(
        "port=0\ninterface={INTERFACE}\nbind-interfaces\nuser=root\n\
         dhcp-range={},{},255.255.0.0,1h\ndhcp-lease-max=20000\nno-ping\ndhcp-authoritative\n\
         dhcp-leasefile={}\npid-file=\nquiet-dhcp\n\
         dhcp-boot=ipxe.efi,,{SERVER}\ndhcp-option=option:router,{SERVER}\n\
         dhcp-option=option:dns-server,{SERVER}\ndomain=cluster\n",
        POOL.0,
        POOL.1,
        shown(&leases)
    );
    for host in known.clone() {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "dhcp-host={},{}", mac(host), address_of(host));
    }
    let configuration = write(files, "dnsmasq.conf", &text)?;
    let mut command = limits(&cable.server, "dnsmasq", ALL)?;
    command.arg("--keep-in-foreground").arg(format!("--conf-file={}", shown(&configuration)));
    running.spawn(command, files, "dnsmasq.err", &[])
}

fn address_of(host: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(FIRST.to_bits() + host)
}
