//! The names file: the few lines from which a machine resolves the cluster's names without asking anybody.
//!
//! ```text
//! heorot-names 1
//! self 23
//! zone cluster
//! nodes node{}
//! network 0-1023 10.77.1.0
//! network 0-1023 fd00:77::1:0
//! network 0-1023 10.99.0.0 -ib
//! subnet cluster 10.77.0.0
//! master head 10.77.0.1
//! name 7 storage
//! host switch 10.77.0.20
//! group rack1 0-31,40
//! ether 52:54:00:00:00:17 23
//! end
//! ```
//! Names of nodes are arithmetic, so ten thousand nodes are one line. A line begins with what it is about; what begins with a word that
//! is not known says nothing, so that a newer server may add to the file. `end` is the last line: a file without it was cut off.
//!
//! - [`write`]: the text, from a [`Directory`]: its first lines say whose file it is, and the rest is the same for all nodes;
//! - [`NamesFile`]: the text, read; it finds [`Host`]s, groups, networks and hardware addresses in it, and allocates nothing for that.

mod find;
mod host;
mod read;

pub use find::{Group, is_self};
pub use host::{Host, Spelling};
pub use read::{FileError, FileProblem, NamesFile};

use crate::{Directory, NumberRange};
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr};

/// The first line: what the file is, and the version of its form.
const HEAD: &str = "heorot-names 1";
/// The last one.
const END: &str = "end";

/// Octets of a file: hardware addresses of 65,536 nodes are 2 MiB of it.
pub const OCTETS_MAX: usize = 8 << 20;

/// What a names file says beside the directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The head node.
    pub master: Option<Master>,
    /// Whose file it is.
    pub me: Option<Me>,
    /// Networks by name: the name, and the lowest address.
    pub subnets: Vec<(String, Ipv4Addr)>,
    /// Whether hardware addresses are left out: there may be thousands, and they change with every machine.
    pub without_hardware_addresses: bool,
}

/// The head node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Master {
    /// Its host name, without the zone.
    pub name: String,
    /// Its addresses on the cluster's networks.
    pub addresses: Vec<IpAddr>,
}

/// Whose file a names file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Me {
    /// The head node's.
    Master,
    /// That of a node.
    Node(u32),
}

/// The text of the file. It is the same for the same contents, so that who writes it sees whether it changed.
pub fn write(directory: &Directory, place: &Place) -> String {
    first_lines(place.me) + &rest(directory, place)
}

/// How the text begins.
pub fn first_lines(me: Option<Me>) -> String {
    match me {
        Some(Me::Master) => format!("{HEAD}\nself master\n"),
        Some(Me::Node(number)) => format!("{HEAD}\nself {number}\n"),
        None => format!("{HEAD}\n"),
    }
}

/// How it goes on, whosever it is.
pub fn rest(directory: &Directory, place: &Place) -> String {
    let mut text = String::new();
    lines(directory, place, &mut text).expect("a text takes whatever is written to it");
    text
}

fn lines(directory: &Directory, place: &Place, text: &mut String) -> std::fmt::Result {
    writeln!(text, "zone {}\nnodes {}", directory.zone, directory.pattern)?;
    for network in &directory.networks {
        let NumberRange { lowest, highest } = network.numbers;
        let firsts = [Some(IpAddr::V4(network.first)), network.first_ipv6.map(IpAddr::V6)];
        for first in firsts.into_iter().flatten() {
            writeln!(
                text,
                "{}",
                format!("network {lowest}-{highest} {first} {}", network.suffix).trim_end()
            )?;
        }
    }
    for (name, address) in &place.subnets {
        writeln!(text, "subnet {name} {address}")?;
    }
    if let Some(Master { name, addresses }) =
        place.master.as_ref().filter(|master| !master.addresses.is_empty())
    {
        writeln!(text, "master {name}{}", Listed(addresses))?;
    }
    for (number, name) in &directory.given_names {
        writeln!(text, "name {number} {name}")?;
    }
    for (name, addresses) in directory.hosts.iter() {
        writeln!(text, "host {name}{}", Listed(addresses))?;
    }
    for (name, members) in &directory.groups {
        write!(text, "group {name} ")?;
        for (place, NumberRange { lowest, highest }) in members.ranges().iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            match lowest == highest {
                true => write!(text, "{comma}{lowest}")?,
                false => write!(text, "{comma}{lowest}-{highest}")?,
            }
        }
        // A group without a member is one all the same.
        writeln!(text, "{}", if members.is_empty() { "-" } else { "" })?;
    }
    let hardware_addresses =
        directory.hardware_addresses.iter().filter(|_| !place.without_hardware_addresses);
    for (number, [a, b, c, d, e, f]) in hardware_addresses {
        writeln!(text, "ether {a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x} {number}")?;
    }
    writeln!(text, "{END}")
}

/// Addresses, a space before each.
struct Listed<'a>(&'a [IpAddr]);

impl std::fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|address| write!(f, " {address}"))
    }
}

#[cfg(test)]
mod tests;
