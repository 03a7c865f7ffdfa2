//! The configuration: what the operator wrote, checked, with every default filled in.
//!
//! - `table` has one record for each option: parser, reference page and sample file are made from them;
//! - `option` knows the DHCP options that an operator may set;
//! - `read` takes the file apart (by `entry` and `value`; `read_host` what is of hosts): every value right in itself, with its place;
//! - `check_network`, `check_node` and `check_host` look at what values mean together;
//! - `foreign` knows what other servers call what is meant, and `no_toml` what is meant by a file that is none;
//! - `addresses` is what becomes of it when the host's are others;
//! - `mistake` is what all of them find, and how it looks.

mod addresses;
mod check_host;
mod check_network;
mod check_node;
mod entry;
mod firmware;
mod foreign;
mod forward;
mod groups;
mod host;
mod http;
mod key;
mod loader;
mod mistake;
mod nis;
mod no_toml;
mod option;
mod overlay;
mod profile;
mod pxe;
mod read;
mod read_host;
mod reference;
mod root;
mod setting;
mod table;
mod table_host;
mod template;
mod tftp;
mod trial;
mod value;
mod zone;

pub use addresses::{Lacks, Missing};
pub use firmware::{FIRMWARE, FirmwareKind, FirmwareRow, Protocol};
pub use forward::{Forward, ForwardDomain, Rebinding, TrustAnchor, Upstream};
pub use groups::Groups;
pub use host::{Class, Host, Identifiers, MacPattern};
pub use http::{Http, Tls};
pub use key::{Algorithm, Key, Updates};
pub use loader::Loader;
pub use mistake::{Mistake, Severity, render};
pub use nis::Nis;
pub use option::{
    Form as OptionForm, KNOWN as KNOWN_OPTIONS, KnownOption, OptionPath, OptionTable, written_identifier,
};
pub use overlay::Overlays;
pub use profile::{Choice, check_attribute_name, check_attribute_value};
pub use pxe::{Pxe, PxeBoots, PxeService};
pub use reference::{reference, sample};
pub use root::{Export, Nfs, Root};
pub use setting::{Fallback, Form, Kind, Section, Setting, Status};
pub use table::SECTIONS;
pub use template::{
    FILE_VARIABLES, FileTemplate, FileValues, LoaderFile, OVERLAY_VARIABLES, OverlayList, OverlayNetwork,
    OverlayValues, Template, TemplateError, Templates, VARIABLES, Values, render_overlay, setting_of_ipxe,
};
pub use tftp::{BOOT_SERVER_PORT, Pattern as NamePattern, Rewrite, Tftp, UniqueRoot};
pub use trial::{Check, CheckIn, CheckKind, OnFailure, Retry};
pub use zone::{MASTER_NAME, SERVER_NAME, Zone};

use crate::limit::CONFIGURATION_OCTETS_MAX;
use crate::mac::Mac;
use heorot_names::{NodeSet, Numbering, Pattern};
use mistake::{Findings, WHOLE_FILE};
use read::Draft;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

/// Everything the operator decides. If it exists, it is consistent.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// `[cluster]`
    pub cluster: Cluster,
    /// `[server]`
    pub server: Server,
    /// `[[network]]`, in the order of the file.
    pub networks: Vec<Network>,
    /// `[boot]`
    pub boot: Boot,
    /// `[pxe]`
    pub pxe: Pxe,
    /// `[profile.NAME]`. `default` and `trial` are always there.
    pub profiles: BTreeMap<String, Profile>,
    /// Whom the profiles say that they are for, the most particular first.
    pub choices: Vec<Choice>,
    /// `[trial]`
    pub trial: Trial,
    /// `[agent]`
    pub check_in: CheckIn,
    /// `[[node]]`, in the order of the file. Who keeps a configuration shares them: there may be ten thousand.
    pub nodes: Arc<[ListedNode]>,
    /// `[http]`
    pub http: Http,
    /// `[tftp]`
    pub tftp: Tftp,
    /// `names.file`
    pub names_file: NamesFile,
    /// `[groups]`
    pub groups: Groups,
    /// `[nis]`; none: there is no NIS.
    pub nis: Option<Nis>,
    /// `[nfs]`; none: there is nothing to serve by NFS.
    pub nfs: Option<Nfs>,
    /// `overlay.directory`
    pub overlays: String,
    /// `load.link`
    pub link: LinkSpeed,
    /// `[options]`
    pub options: OptionTable,
    /// `[[class]]`, in the order of the file.
    pub classes: Vec<Class>,
    /// `[[host]]`, in the order of the file.
    pub hosts: Vec<Host>,
    /// `[dns]` and `[[dns.forward]]`
    pub forward: Forward,
    /// `[[dns.record]]`: what the zone has beside.
    pub zone: Zone,
}

/// Where the names of the cluster are written for this host itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NamesFile {
    /// The usual file, if its directory is there: whoever installed the library or keeps the configuration there wants it.
    IfUsual,
    /// This file.
    At(String),
    /// Nowhere.
    None,
}

impl NamesFile {
    /// What the library reads (libnss_heorot.so.2).
    pub const USUAL: &'static str = "/etc/heorot/names";
}

/// How fast the link to the nodes is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkSpeed {
    /// It is measured.
    Auto,
    /// The operator says so.
    BitsPerSecond(u64),
}

/// The profile of machines on trial.
pub const TRIAL_PROFILE: &str = "trial";

impl Config {
    /// Reads a configuration file, on a host with these interfaces. Beside it come warnings.
    ///
    /// # Errors
    /// Every mistake there is, and the warnings, but for those of what is of no use, which may be so by a mistake; in the order of the file. Of a file that is no TOML, the first mistake alone.
    pub fn parse(text: &str, interfaces: &[Interface]) -> Result<(Self, Vec<Mistake>), Vec<Mistake>> {
        let mut findings = Findings::new(text);
        if text.len() > CONFIGURATION_OCTETS_MAX {
            let message =
                format!("the file has {} octets, and {CONFIGURATION_OCTETS_MAX} are allowed", text.len());
            findings.error(&WHOLE_FILE, message, None);
            return Err(findings.into_mistakes());
        }
        let document = match toml::de::DeTable::parse(text) {
            Ok(document) => document,
            Err(error) => {
                no_toml::tell(&mut findings, &error);
                return Err(findings.into_mistakes());
            }
        };
        let draft = read::read(&mut findings, document.get_ref());
        if draft.networks.is_empty() {
            let remedy = "write [[network]] with interface, numbers, first and temporary".to_owned();
            findings.error(&WHOLE_FILE, "there is no [[network]]", Some(remedy));
        }
        let prefixes = check_network::check(&mut findings, &draft, interfaces);
        check_node::check(&mut findings, &draft);
        check_host::check(&mut findings, &draft, &prefixes, interfaces);
        zone::check(&mut findings, &draft);
        zone::check_ipv6(&mut findings, &draft);
        let (groups, sets) = groups::check(&mut findings, &draft);
        profile::check(&mut findings, &draft, &sets);
        overlay::check(&mut findings, &draft);
        root::check(&mut findings, &draft);
        if findings.refused() {
            return Err(findings.into_mistakes());
        }
        check_host::check_use(&mut findings, &draft);
        profile::check_use(&mut findings, &draft);
        let config = Self::build(draft, &prefixes, groups, sets)
            .expect("what is missing was reported, and the file refused");
        Ok((config, findings.into_mistakes()))
    }

    /// Makes generated files from a template of the operator's from now on.
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn use_template(&mut self, file: LoaderFile, text: &str) -> Result<(), Vec<Mistake>> {
        let mut findings = Findings::new(text);
        match FileTemplate::parse(text) {
            Err(TemplateError { span, message, nearest }) => {
                let remedy = nearest.map(|near| format!("did you mean {near:?}?"));
                findings.error(&span, message, remedy);
            }
            Ok(template) => {
                let of_profiles = self.profiles.values().flat_map(|profile| profile.attributes.keys());
                let of_nodes = self.nodes.iter().flat_map(|node| node.attributes.keys());
                let known: BTreeSet<_> = of_profiles.chain(of_nodes).map(String::as_str).collect();
                for (name, span) in template.attributes().filter(|(name, _)| !known.contains(name)) {
                    let (message, remedy) = profile::unknown_attribute(name, &known);
                    findings.error(&span, message, Some(remedy));
                }
                if !findings.refused() {
                    self.boot.made.insert(file, template);
                }
            }
        }
        if findings.refused() { Err(findings.into_mistakes()) } else { Ok(()) }
    }

    /// Puts together what was read. None: something that has to be there is missing.
    fn build(
        draft: Draft,
        prefixes: &[Option<check_network::Prefix>],
        groups: Groups,
        sets: BTreeMap<String, NodeSet>,
    ) -> Option<Self> {
        let classes =
            draft.classes.into_iter().map(|class| check_host::build_class(class, &draft.networks, prefixes));
        let classes = classes.collect::<Option<_>>()?;
        let networks = draft.networks.iter().zip(prefixes);
        let listed = |node: read::NodeDraft| ListedNode {
            macs: node.macs.into_iter().map(|mac| mac.value).collect(),
            number: node.number.map(|number| number.value),
            name: node.name.map(|name| name.value),
            profile: node.profile.map(|profile| profile.value),
            identifiers: node.identifiers.build(),
            options: node.options,
            attributes: node.attributes.into_iter().map(|(name, value)| (name, value.value)).collect(),
        };
        let profiles = profile::build(&draft.profiles)?;
        Some(Self {
            nfs: root::build_nfs(draft.nfs?, &profiles),
            cluster: Cluster { name: draft.cluster_name?.value, nodes: draft.pattern?.value },
            server: draft.server?,
            networks: networks
                .map(|(network, prefix)| check_network::build(network, prefix.as_ref()?))
                .collect::<Option<_>>()?,
            boot: draft.boot?,
            pxe: draft.pxe,
            profiles,
            overlays: draft.overlays?,
            choices: profile::choices(&draft.profiles, sets),
            trial: Trial {
                policy: draft.policy?.value,
                order: draft.order?.value,
                retry: draft.retry?,
                checks: draft.checks.into_iter().map(|draft| draft.check).collect(),
            },
            check_in: draft.check_in?,
            nodes: draft.nodes.into_iter().map(listed).collect(),
            http: draft.http?.http,
            tftp: draft.tftp?,
            names_file: draft.names_file,
            groups,
            nis: draft.nis,
            link: draft.link?.value,
            options: draft.options,
            classes,
            hosts: draft.hosts.into_iter().map(check_host::build_host).collect(),
            forward: draft.forward?,
            zone: zone::build(draft.records, draft.zone)?,
        })
    }
}

/// How the cluster and its nodes are called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// DNS zone, lower case, without a final dot.
    pub name: String,
    /// Number <-> name.
    pub nodes: Pattern,
}

/// Where the server keeps things, and who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Directory of the durable state.
    pub state: String,
    /// Path of the control socket. Its directory also holds what is noted for a restart.
    pub control: String,
    /// User to become when started as root.
    pub user: String,
}

/// What the server does on a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It gives addresses and boot files.
    Serve,
    /// It gives boot files alone: addresses come from another server.
    Proxy,
    /// It answers no DHCP, and tells what it would have.
    Shadow,
}

/// A network that is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// What we do there.
    pub mode: Mode,
    /// The interface by which its packets come.
    pub interface: String,
    /// Our address there; for a network behind a relay, any address of it.
    pub address: Ipv4Addr,
    /// Length of its prefix.
    pub prefix_length: u8,
    /// Length of the prefix of its nodes' IPv6 addresses, where they have some.
    pub prefix_length_ipv6: Option<u8>,
    /// Whether our interface has an address in it, so that its hosts are on the link. Else it is reached through a relay only.
    pub on_link: bool,
    /// Number <-> address.
    pub numbering: Numbering,
    /// Addresses for machines without a number. Where another server gives the addresses, nothing is taken from it.
    pub temporary: AddressRange,
    /// Addresses for hosts that are no nodes.
    pub guests: Option<AddressRange>,
    /// The router that hosts are told of.
    pub gateway: Option<Ipv4Addr>,
    /// Of a numbered node's address.
    pub lease: Duration,
    /// Of a temporary address.
    pub temporary_lease: Duration,
    /// Of a guest's address.
    pub guest_lease: Duration,
    /// What its hosts are told.
    pub options: OptionTable,
    /// Whether addresses that are lent are probed before.
    pub probe: bool,
    /// DHCP servers that may answer here beside us.
    pub other_servers: Vec<Ipv4Addr>,
    /// Whether ARP is answered in the place of nodes that download.
    pub answer_arp: bool,
    /// Whether an address is granted at once to who wants it so (RFC 4039).
    pub rapid_commit: bool,
    /// Whether hosts that speak BOOTP get addresses of `guests`.
    pub bootp: bool,
    /// Who may ask for leases, beside relays in the network (RFC 4388).
    pub leasequery: Vec<Ipv4Addr>,
    /// Octets of the largest block of TFTP that the way there takes, if the operator says so.
    pub block_octets_max: Option<u16>,
}

impl Network {
    /// Whether an address is in its prefix.
    pub fn contains(&self, address: Ipv4Addr) -> bool {
        u32::from(address) & u32::from(self.mask()) == u32::from(self.address) & u32::from(self.mask())
    }

    /// The network mask.
    pub fn mask(&self) -> Ipv4Addr {
        Ipv4Addr::from(u32::MAX.checked_shl(32 - u32::from(self.prefix_length)).unwrap_or(0))
    }

    /// The address of all its hosts.
    pub fn broadcast(&self) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.address) | !u32::from(self.mask()))
    }
}

/// Addresses from one to another, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressRange {
    /// Lowest.
    pub first: Ipv4Addr,
    /// Highest.
    pub last: Ipv4Addr,
}

impl AddressRange {
    /// Whether the address is one of these.
    pub fn contains(self, address: Ipv4Addr) -> bool {
        (self.first..=self.last).contains(&address)
    }

    /// How many addresses there are.
    pub fn size(self) -> u64 {
        u64::from(u32::from(self.last)) - u64::from(u32::from(self.first)) + 1
    }
}

/// What ROMs and loaders are given to start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Boot {
    /// Directory of the boot files.
    pub directory: String,
    /// Below which root the loaders of Debian's packages are, for those that the directory lacks. None: nowhere.
    pub packages: Option<String>,
    /// The boot file of each kind of firmware, relative to the directory. iPXE's is the generated one unless set.
    pub files: BTreeMap<FirmwareKind, String>,
    /// Directory of the operator's own templates.
    pub templates: Option<Templates>,
    /// From what each generated file is made.
    pub made: BTreeMap<LoaderFile, FileTemplate>,
}

/// What a node boots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Kernel, relative to the boot directory.
    pub kernel: String,
    /// Initial RAM disks, in order, relative to the boot directory.
    pub initrd: Vec<String>,
    /// Template of the kernel command line.
    pub cmdline: Template,
    /// What its nodes are told by DHCP.
    pub options: OptionTable,
    /// Words for templates and scripts.
    pub attributes: BTreeMap<String, String>,
    /// Where its root file system comes from.
    pub root: Root,
    /// The small files of its nodes.
    pub overlays: Overlays,
}

/// How a new machine earns its number.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// Who says that it has passed.
    pub policy: Policy,
    /// Which number it gets.
    pub order: Order,
    /// How often it is tried again.
    pub retry: Retry,
    /// What its agent has to check.
    pub checks: Vec<Check>,
}

/// Who says that a machine has passed its trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// The agent that runs on it.
    Report,
    /// An operator, who has seen what its agent reports.
    Accept,
    /// Nobody: it gets its number at its first REQUEST.
    None,
}

/// Which number a machine gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// The lowest that is free when it passes.
    Passed,
    /// The one that `[[node]]` gives it; without one it stays temporary.
    List,
    /// The one of the `[[node]]` that is at its place at the relay; without one it stays temporary.
    Port,
}

impl Order {
    /// Whether a machine that the configuration does not list gets a number.
    pub fn numbers_strangers(self) -> bool {
        match self {
            Self::Passed => true,
            Self::List | Self::Port => false,
        }
    }
}

/// A node by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedNode {
    /// Its hardware addresses; the first is the one it boots by. None, if `identifiers` tell who it is.
    pub macs: Vec<Mac>,
    /// What tells it beside them.
    pub identifiers: Identifiers,
    /// Its number, if given.
    pub number: Option<u32>,
    /// Its name, if it is not the computed one; lower case.
    pub name: Option<String>,
    /// Its profile, if it is not `default`.
    pub profile: Option<String>,
    /// What it is told by DHCP.
    pub options: OptionTable,
    /// Words for templates and scripts, before those of its profile.
    pub attributes: BTreeMap<String, String>,
}

/// An interface of this host with an address, as `Config::parse` wants to know them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// Its IPv4 addresses with the lengths of their prefixes.
    pub addresses: Vec<(Ipv4Addr, u8)>,
}

#[cfg(test)]
mod tests;
