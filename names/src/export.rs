//! The table of nodes in the forms that other tools read: one table, and nobody has to write it a second time.

mod inventory;

use crate::file::Place;
use crate::{Directory, NodeSet, Numbering};
use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::net::{IpAddr, Ipv4Addr};

/// Names of one export. More belong into DNS.
const NAMES_MAX: u64 = 262_144;

/// What the head node is called too, unless somebody else is.
const MASTER_NAME: &str = "master";

/// Who reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Export {
    /// hosts(5)
    Hosts,
    /// ethers(5)
    Ethers,
    /// A file of dnsmasq's configuration.
    Dnsmasq,
    /// Lines of slurm.conf.
    Slurm,
    /// A file of Ansible's inventory.
    Ansible,
    /// What an inventory script of Ansible answers to `--list`.
    AnsibleList,
    /// The genders database, also for pdsh.
    Genders,
    /// A file of ClusterShell's groups.
    Clustershell,
    /// exports(5): what a kernel's own NFS server would serve in the place of ours.
    Exports,
}

impl Export {
    /// All, by name.
    pub const NAMED: [(&'static str, Self); 9] = [
        ("hosts", Self::Hosts),
        ("ethers", Self::Ethers),
        ("dnsmasq", Self::Dnsmasq),
        ("slurm", Self::Slurm),
        ("ansible", Self::Ansible),
        ("ansible-list", Self::AnsibleList),
        ("genders", Self::Genders),
        ("clustershell", Self::Clustershell),
        ("exports", Self::Exports),
    ];

    /// The one of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMED.iter().find(|(other, _)| *other == name).map(|(_, export)| *export)
    }
}

/// What is exported.
#[derive(Clone, Debug)]
pub struct Table<'a> {
    /// Names, addresses and groups.
    pub directory: &'a Directory,
    /// The head node.
    pub place: &'a Place,
    /// The nodes that there are, by number. Names and addresses are exported of all numbers: they are true before a node is there.
    pub nodes: BTreeMap<u32, About>,
    /// What is served by NFS.
    pub served: Served,
    /// Hosts that are no nodes and are known by their hardware addresses.
    pub reservations: Vec<Reservation>,
}

/// What a host that is no node is given by DHCP.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reservation {
    /// Its hardware addresses.
    pub hardware_addresses: Vec<[u8; 6]>,
    /// Its address, if it has one of its own.
    pub address: Option<Ipv4Addr>,
    /// Its name.
    pub name: Option<String>,
    /// It gets no answer.
    pub is_ignored: bool,
}

/// Directories of the head node that are served by NFS, and to whom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Served {
    /// Absolute paths.
    pub directories: Vec<String>,
    /// Networks: an address and the length of its prefix.
    pub networks: Vec<(Ipv4Addr, u8)>,
    /// Whether clients are believed who call from ports that any user may have.
    pub is_insecure: bool,
}

/// What is known of a node beside its names.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct About {
    /// What it boots.
    pub profile: String,
    /// Processors that its kernel uses.
    pub processors: Option<u64>,
    /// Memory that is built in.
    pub memory_bytes: Option<u64>,
    /// Memory that programs see there: less, by what its kernel keeps for itself.
    pub kernel_memory_bytes: Option<u64>,
}

/// There are more names than belong into a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany;

impl fmt::Display for TooMany {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the networks have more than {NAMES_MAX} numbers: ask DNS, or use libnss_heorot.so.2")
    }
}

impl std::error::Error for TooMany {}

impl Table<'_> {
    /// Writes it.
    ///
    /// # Errors
    /// [`TooMany`]
    pub fn export(&self, export: Export) -> Result<String, TooMany> {
        let names: u64 = self.directory.networks.iter().map(|network| network.numbers.size()).sum();
        if names > NAMES_MAX {
            return Err(TooMany);
        }
        let mut text = String::new();
        let written = match export {
            Export::Hosts => self.hosts(&mut text),
            Export::Ethers => self.ethers(&mut text),
            Export::Dnsmasq => self.dnsmasq(&mut text),
            Export::Slurm => self.slurm(&mut text),
            Export::Ansible => inventory::file(self, &mut text),
            Export::AnsibleList => inventory::list(self, &mut text),
            Export::Genders => self.genders(&mut text),
            Export::Clustershell => self.clustershell(&mut text),
            Export::Exports => self.exports(&mut text),
        };
        written.expect("a text takes whatever is written to it");
        Ok(text)
    }

    /// `10.77.1.23 node23.cluster node23`, as the library answers.
    fn hosts(&self, text: &mut String) -> fmt::Result {
        for (names, addresses) in self.names() {
            let zone = &self.directory.zone;
            let names: Vec<_> = names.iter().map(|name| format!("{name}.{zone} {name}")).collect();
            for address in addresses {
                writeln!(text, "{address}\t{}", names.join(" "))?;
            }
        }
        Ok(())
    }

    /// Every host with its names, the one to call it by first, and its addresses: the head node, nodes network by network, others.
    fn names(&self) -> impl Iterator<Item = (Vec<String>, Vec<IpAddr>)> + '_ {
        let directory = self.directory;
        let master = self.place.master.iter().map(|master| {
            let is_free = *MASTER_NAME != master.name && !directory.has_given(MASTER_NAME);
            let further = is_free.then(|| MASTER_NAME.to_owned());
            ([master.name.clone()].into_iter().chain(further).collect(), master.addresses.clone())
        });
        let of_network = move |network: &Numbering| {
            let network = network.clone();
            let numbers = network.numbers.lowest..=network.numbers.highest;
            numbers.filter_map(move |number| {
                let ipv4 = network.address(number).map(IpAddr::V4);
                let addresses: Vec<_> =
                    ipv4.into_iter().chain(network.address_ipv6(number).map(IpAddr::V6)).collect();
                let name = |name: String| name + &network.suffix;
                let (first, computed) = (directory.name(number), directory.pattern.name(number));
                let further = Some(computed).filter(|computed| *computed != first);
                let names = [first].into_iter().chain(further).map(name).collect();
                (!addresses.is_empty()).then_some((names, addresses))
            })
        };
        let others =
            directory.hosts.iter().map(|(name, addresses)| (vec![name.to_owned()], addresses.to_vec()));
        master.chain(directory.networks.iter().flat_map(of_network)).chain(others)
    }

    fn hardware_addresses(&self) -> impl Iterator<Item = (u32, String)> + '_ {
        self.directory.hardware_addresses.iter().map(|(number, octets)| (*number, hardware(octets)))
    }

    fn ethers(&self, text: &mut String) -> fmt::Result {
        for (number, address) in self.hardware_addresses() {
            writeln!(text, "{address} {}", self.directory.name(number))?;
        }
        Ok(())
    }

    /// Who has a hardware address gets the address of its number, or its own; all names are answered, both ways.
    fn dnsmasq(&self, text: &mut String) -> fmt::Result {
        let zone = &self.directory.zone;
        writeln!(text, "local=/{zone}/")?;
        for (number, hardware) in self.hardware_addresses() {
            let address = self.directory.networks.iter().find_map(|network| network.address(number));
            let Some(address) = address else { continue };
            writeln!(text, "dhcp-host={hardware},{address},{}", self.directory.name(number))?;
        }
        for Reservation { hardware_addresses, address, name, is_ignored } in &self.reservations {
            let words = hardware_addresses.iter().map(hardware);
            let given = address.iter().map(Ipv4Addr::to_string).chain(name.iter().cloned());
            let ignored = is_ignored.then(|| "ignore".to_owned());
            let words: Vec<String> = words.chain(given).chain(ignored).collect();
            writeln!(text, "dhcp-host={}", words.join(","))?;
        }
        for (names, addresses) in self.names() {
            let names: Vec<_> = names.iter().map(|name| format!("{name}.{zone},{name}")).collect();
            // One record takes one address of each kind.
            for address in addresses {
                writeln!(text, "host-record={},{address}", names.join(","))?;
            }
        }
        Ok(())
    }

    /// Nodes of one kind in one line. Partitions are for who shares the machines out.
    fn slurm(&self, text: &mut String) -> fmt::Result {
        let mut kinds: BTreeMap<_, Vec<u32>> = BTreeMap::new();
        for (number, about) in &self.nodes {
            let kind = (self.groups_of(*number), about.processors, about.kernel_memory_bytes);
            kinds.entry(kind).or_default().push(*number);
        }
        let mut kinds: Vec<_> = kinds.into_iter().collect();
        kinds.sort_by_key(|(_, numbers)| numbers.first().copied());
        for ((groups, processors, kernel_memory_bytes), numbers) in kinds {
            write!(text, "NodeName={}", self.directory.fold(&numbers.into_iter().collect()))?;
            if let Some(processors) = processors {
                write!(text, " CPUs={processors}")?;
            }
            // Mebibytes, rounded down, of what slurmd finds, which is what the kernel has for programs: slurm.conf(5) has a node drained that
            // has less than is said here. Of one that did not tell, nothing is said, and Slurm takes a mebibyte.
            if let Some(octets) = kernel_memory_bytes {
                write!(text, " RealMemory={}", octets >> 20)?;
            }
            if !groups.is_empty() {
                write!(text, " Feature={}", groups.join(","))?;
            }
            writeln!(text, " State=UNKNOWN")?;
        }
        Ok(())
    }

    fn genders(&self, text: &mut String) -> fmt::Result {
        for (number, about) in &self.nodes {
            let mut attributes = vec![format!("number={number}")];
            // What would end the attribute cannot be said.
            let is_plain =
                |value: &str| !value.is_empty() && !value.contains([' ', '\t', ',', '=', '#', '%']);
            attributes.extend(Some(&about.profile).filter(|p| is_plain(p)).map(|p| format!("profile={p}")));
            attributes.extend(about.processors.map(|processors| format!("processors={processors}")));
            attributes.extend(self.groups_of(*number).into_iter().map(str::to_owned));
            writeln!(text, "{} {}", self.directory.name(*number), attributes.join(","))?;
        }
        Ok(())
    }

    /// A source `heorot` with the group of all and each of the configuration's.
    fn clustershell(&self, text: &mut String) -> fmt::Result {
        let all: NodeSet = self.nodes.keys().copied().collect();
        writeln!(text, "heorot:\n  all: \"{}\"", self.directory.fold(&all))?;
        for (name, members) in &self.directory.groups {
            writeln!(text, "  \"{name}\": \"{}\"", self.directory.fold(&members.intersection(&all)))?;
        }
        Ok(())
    }

    /// As our own server has it: only to be read, and a node's root is root.
    fn exports(&self, text: &mut String) -> fmt::Result {
        let insecure = if self.served.is_insecure { ",insecure" } else { "" };
        for directory in &self.served.directories {
            let mut path = String::new();
            for c in directory.chars() {
                match c {
                    // exports(5): what would end the name is written as octal digits.
                    ' ' | '\t' | '\n' | '"' | '#' | '\\' => write!(path, "\\{:03o}", c as u32)?,
                    c => path.push(c),
                }
            }
            for (address, length) in &self.served.networks {
                write!(path, " {address}/{length}(ro,no_root_squash,no_subtree_check{insecure})")?;
            }
            writeln!(text, "{path}")?;
        }
        Ok(())
    }

    /// The groups that a node is in, by name.
    fn groups_of(&self, number: u32) -> Vec<&str> {
        let is_in = |(_, members): &(&String, &NodeSet)| members.contains(number);
        self.directory.groups.iter().filter(is_in).map(|(name, _)| name.as_str()).collect()
    }
}

fn hardware([a, b, c, d, e, f]: &[u8; 6]) -> String {
    format!("{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}")
}

#[cfg(test)]
mod tests;
