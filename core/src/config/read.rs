//! The file as the operator wrote it: every value right in itself, with its place. What they mean together is checked afterwards.

use super::entry::{Entry, Placed};
use super::foreign::{self, child};
use super::forward::{self, Forward};
use super::groups::{self, GroupDraft};
use super::http::{self, HttpDraft};
use super::key;
use super::mistake::{Findings, WHOLE_FILE, quoted};
use super::nis::{self, Nis};
use super::option::{self, OptionTable};
use super::overlay::{self, OverlaysDraft};
use super::profile::{self, WhomDraft};
use super::read_host::{ClassDraft, HostDraft, IdentifiersDraft};
use super::read_host::{read_class, read_host, read_identifiers, read_options, read_options_for_all};
use super::root::{self, NfsDraft, Root};
use super::setting::{Fallback, Form, Section};
use super::table::SECTIONS;
use super::template::{Template, Templates};
use super::tftp::{self, Tftp};
use super::trial::{self, CheckIn, Retry};
use super::zone::{self, OthersDraft, RecordDraft};
use super::{
    AddressRange, Boot, Check, FIRMWARE, FileTemplate, LinkSpeed, LoaderFile, Mode, NamesFile, Order, Policy,
    Protocol, Pxe, Server, pxe, value,
};
use crate::limit::{
    CHECKS_MAX, CLASSES_MAX, HOSTS_MAX, KEYS_MAX, LEASE_QUERY_ASKERS_MAX, MACS_PER_NODE_MAX, NETWORKS_MAX,
    NODES_MAX, PROFILES_MAX, PXE_SERVICES_MAX, RECORDS_MAX,
};
use crate::mac::Mac;
use heorot_names::{NumberRange, Pattern};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;
use std::time::Duration;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What could be read. A value that is missing here although it has to be there was reported.
pub(super) struct Draft {
    pub(super) cluster_name: Option<Placed<String>>,
    pub(super) pattern: Option<Placed<Pattern>>,
    pub(super) server: Option<Server>,
    pub(super) networks: Vec<NetworkDraft>,
    pub(super) boot: Option<Boot>,
    pub(super) pxe: Pxe,
    pub(super) profiles: BTreeMap<String, ProfileDraft>,
    pub(super) policy: Option<Placed<Policy>>,
    pub(super) order: Option<Placed<Order>>,
    pub(super) retry: Option<Retry>,
    pub(super) checks: Vec<CheckDraft>,
    pub(super) check_in: Option<CheckIn>,
    pub(super) nodes: Vec<NodeDraft>,
    pub(super) options: OptionTable,
    pub(super) classes: Vec<ClassDraft>,
    pub(super) hosts: Vec<HostDraft>,
    pub(super) records: Vec<RecordDraft>,
    pub(super) zone: OthersDraft,
    pub(super) http: Option<HttpDraft>,
    pub(super) tftp: Option<Tftp>,
    pub(super) names_file: NamesFile,
    pub(super) groups: Vec<GroupDraft>,
    pub(super) nis: Option<Nis>,
    pub(super) nfs: Option<NfsDraft>,
    pub(super) overlays: Option<String>,
    pub(super) link: Option<Placed<LinkSpeed>>,
    pub(super) forward: Option<Forward>,
}

/// A `[[network]]`.
pub(super) struct NetworkDraft {
    pub(super) mode: Option<Placed<Mode>>,
    pub(super) interface: Option<Placed<String>>,
    /// Whether the file says an address, right or wrong.
    pub(super) address_given: bool,
    pub(super) address: Option<Placed<(Ipv4Addr, u8)>>,
    pub(super) numbers: Option<Placed<NumberRange>>,
    pub(super) first: Option<Placed<Ipv4Addr>>,
    pub(super) first_ipv6: Option<Placed<(Ipv6Addr, u8)>>,
    pub(super) suffix: Option<Placed<String>>,
    pub(super) temporary: Option<Placed<AddressRange>>,
    pub(super) guests: Option<Placed<AddressRange>>,
    pub(super) gateway: Option<Placed<Ipv4Addr>>,
    pub(super) lease: Option<Placed<Duration>>,
    pub(super) temporary_lease: Option<Placed<Duration>>,
    pub(super) guest_lease: Option<Placed<Duration>>,
    pub(super) options: OptionTable,
    pub(super) probe: Option<Placed<bool>>,
    pub(super) other_servers: Option<Placed<Vec<Placed<Ipv4Addr>>>>,
    pub(super) answer_arp: Option<Placed<bool>>,
    pub(super) rapid_commit: Option<Placed<bool>>,
    pub(super) bootp: Option<Placed<bool>>,
    pub(super) leasequery: Option<Placed<Vec<Placed<Ipv4Addr>>>>,
    pub(super) block_octets_max: Option<Placed<u32>>,
}

/// A `[profile.NAME]`: what it says itself.
pub(super) struct ProfileDraft {
    pub(super) span: Range<usize>,
    pub(super) inherits: Option<Placed<String>>,
    pub(super) whom: WhomDraft,
    pub(super) attributes: BTreeMap<String, Placed<String>>,
    pub(super) kernel: Option<Placed<String>>,
    pub(super) initrd: Option<Placed<Vec<Placed<String>>>>,
    pub(super) cmdline: Option<Placed<Template>>,
    pub(super) options: Option<OptionTable>,
    pub(super) root: Option<Placed<Root>>,
    pub(super) overlays: OverlaysDraft,
}

/// A `[[trial.check]]`, and the places of what has to be unlike the others'.
pub(super) struct CheckDraft {
    pub(super) check: Check,
    pub(super) name_span: Range<usize>,
}

/// A `[[node]]`.
pub(super) struct NodeDraft {
    pub(super) macs: Vec<Placed<Mac>>,
    pub(super) identifiers: IdentifiersDraft,
    pub(super) number: Option<Placed<u32>>,
    pub(super) name: Option<Placed<String>>,
    pub(super) profile: Option<Placed<String>>,
    pub(super) options: OptionTable,
    pub(super) attributes: BTreeMap<String, Placed<String>>,
}

/// A table of the file with the place of its heading.
struct Found<'d> {
    section: &'static Section,
    heading: String,
    /// Of `[profile.NAME]`, the name.
    name: &'d str,
    table: &'d DeTable<'d>,
    span: Range<usize>,
}

/// Reads all sections of the file.
pub(super) fn read(findings: &mut Findings<'_>, document: &DeTable<'_>) -> Draft {
    findings.set_boot_directory(boot_directory(document));
    let nothing = DeTable::new();
    let mut found = Vec::new();
    for (key, value) in document {
        let path: &str = key.get_ref();
        match SECTIONS.iter().find(|section| section.path == path) {
            Some(section) => find_tables(findings, section, &key.span(), value, &mut found),
            None => unknown_section(findings, key),
        }
    }
    // Maps order by name, operators by place.
    found.sort_by_key(|table| table.span.start);
    let tables = Tables { found, nothing: &nothing };
    let network = |findings: &mut Findings<'_>, entry: Entry<'_>| read_network(findings, &entry);
    let check = |findings: &mut Findings<'_>, entry: Entry<'_>| trial::read_check(findings, &entry);
    let node = |findings: &mut Findings<'_>, entry: Entry<'_>| Some(read_node(findings, &entry));
    let class = |findings: &mut Findings<'_>, entry: Entry<'_>| Some(read_class(findings, &entry));
    let host = |findings: &mut Findings<'_>, entry: Entry<'_>| Some(read_host(findings, &entry));
    let cluster = tables.one(findings, "cluster");
    let server = tables.one(findings, "server");
    let boot = tables.one(findings, "boot");
    let trial = tables.one(findings, "trial");
    let services = tables.all(findings, "pxe.service", PXE_SERVICES_MAX, pxe::read_service);
    let pxe_table = tables.one(findings, "pxe");
    let load = tables.one(findings, "load");
    read_planned(findings, &tables);
    let cluster_name = cluster.text(findings, "name", value::domain_name);
    let zone = cluster_name.as_ref().map(|name| name.value.as_str());
    let dns = tables.one(findings, "dns");
    let key = |findings: &mut Findings<'_>, entry: Entry<'_>| key::read_key(findings, &entry, zone);
    let keys = tables.all(findings, "dns.key", KEYS_MAX, key);
    let record = |findings: &mut Findings<'_>, entry: Entry<'_>| zone::read_record(findings, &entry, zone);
    let records = tables.all(findings, "dns.record", RECORDS_MAX, record);
    Draft {
        cluster_name,
        records,
        zone: zone::read_others(findings, &dns, keys),
        pattern: cluster.text(findings, "nodes", value::pattern),
        server: read_server(findings, &server),
        networks: tables.all(findings, "network", NETWORKS_MAX, network),
        boot: read_boot(findings, &boot),
        pxe: pxe::read(findings, &pxe_table, services),
        profiles: read_profiles(findings, &tables),
        policy: trial.word(
            findings,
            "policy",
            &[("report", Policy::Report), ("none", Policy::None), ("accept", Policy::Accept)],
        ),
        order: trial.word(
            findings,
            "order",
            &[("passed", Order::Passed), ("list", Order::List), ("port", Order::Port)],
        ),
        retry: trial::read_retry(findings, &trial),
        checks: tables.all(findings, "trial.check", CHECKS_MAX, check),
        check_in: trial::read_agent(findings, &tables),
        nodes: tables.all(findings, "node", NODES_MAX, node),
        options: tables
            .of("options")
            .map(|found| option::read_for_all(findings, found.table))
            .next()
            .unwrap_or_default(),
        classes: tables.all(findings, "class", CLASSES_MAX, class),
        hosts: tables.all(findings, "host", HOSTS_MAX, host),
        http: http::read(findings, &tables),
        tftp: tftp::read(findings, &tables),
        names_file: read_names_file(findings, &tables),
        groups: tables
            .of("groups")
            .next()
            .map(|found| groups::read(findings, found.table))
            .unwrap_or_default(),
        nis: nis::read(findings, &tables),
        nfs: root::read_nfs(findings, &tables),
        overlays: overlay::read(findings, &tables),
        link: load.text(findings, "link", value::link_speed),
        forward: forward::read(findings, &tables, &dns),
    }
}

fn read_names_file(findings: &mut Findings<'_>, tables: &Tables<'_>) -> NamesFile {
    let names = tables.one(findings, "names");
    let path = |text: &str| match text {
        "" => Ok(NamesFile::None),
        text => value::absolute_path(text).map(NamesFile::At),
    };
    names.text(findings, "file", path).map_or(NamesFile::IfUsual, |file| file.value)
}

/// Sections of which nothing works but what changes nothing.
fn read_planned(findings: &mut Findings<'_>, tables: &Tables<'_>) {
    let _ = tables.one(findings, "admin");
    let store = tables.one(findings, "store");
    let _ = store.word(findings, "kind", &[("embedded", ())]);
}

fn read_server(findings: &mut Findings<'_>, server: &Entry<'_>) -> Option<Server> {
    let state = server.text(findings, "state", value::absolute_path);
    let control = server.text(findings, "control", value::socket_path);
    let user = server.text(findings, "user", value::user_name);
    Some(Server { state: state?.value, control: control?.value, user: user?.value })
}

fn read_network(findings: &mut Findings<'_>, network: &Entry<'_>) -> Option<NetworkDraft> {
    let modes = [("serve", Mode::Serve), ("proxy", Mode::Proxy), ("shadow", Mode::Shadow)];
    let mode = network.word(findings, "mode", &modes);
    let draft = NetworkDraft {
        mode,
        interface: network.text(findings, "interface", value::any),
        address_given: network.has("address"),
        address: network.text(findings, "address", value::address_in_prefix),
        numbers: network.text(findings, "numbers", value::numbers),
        first: network.text(findings, "first", value::address),
        first_ipv6: network.text(findings, "first-ipv6", zone::first_ipv6),
        suffix: network.text(findings, "suffix", value::suffix),
        temporary: network.text(findings, "temporary", value::address_range),
        guests: network.text(findings, "guests", value::address_range),
        gateway: network.text(findings, "gateway", value::address),
        lease: network.duration(findings, "lease"),
        temporary_lease: network.duration(findings, "temporary-lease"),
        guest_lease: network.duration(findings, "guest-lease"),
        options: read_options_for_all(findings, network),
        probe: network.truth(findings, "probe"),
        other_servers: network.texts(findings, "other-servers", value::address),
        answer_arp: network.truth(findings, "answer-arp"),
        rapid_commit: network.truth(findings, "rapid-commit"),
        bootp: network.truth(findings, "bootp"),
        leasequery: read_askers(findings, network),
        block_octets_max: network.integer(findings, "block-size-max"),
    };
    if draft.mode.as_ref().is_none_or(|mode| mode.value != Mode::Proxy) && !network.has("temporary") {
        network.missing(findings, "temporary");
    }
    Some(draft)
}

fn read_askers(findings: &mut Findings<'_>, network: &Entry<'_>) -> Option<Placed<Vec<Placed<Ipv4Addr>>>> {
    let askers = network.texts(findings, "leasequery", value::address);
    if let Some(askers) = askers.as_ref().filter(|askers| askers.value.len() > LEASE_QUERY_ASKERS_MAX) {
        let message = format!("leasequery: more than {LEASE_QUERY_ASKERS_MAX} addresses");
        findings.error(&askers.span, message, Some("relays of the network need not be named".into()));
    }
    askers
}

/// Where the boot files are, whether that is right or wrong.
fn boot_directory(document: &DeTable<'_>) -> String {
    let boot = document.get("boot").and_then(|boot| boot.get_ref().as_table());
    let given = boot.and_then(|boot| boot.get("directory")?.get_ref().as_str());
    let setting =
        SECTIONS.iter().find(|section| section.path == "boot").and_then(|boot| boot.setting("directory"));
    let usual = match setting.map(|setting| setting.fallback) {
        Some(Fallback::Value(usual)) => usual.trim_matches('"'),
        Some(Fallback::Required | Fallback::RequiredBut(_) | Fallback::Otherwise(_)) | None => "",
    };
    given.unwrap_or(usual).to_owned()
}

fn read_boot(findings: &mut Findings<'_>, boot: &Entry<'_>) -> Option<Boot> {
    let directory = boot.text(findings, "directory", value::boot_directory);
    let packages = boot.text(findings, "packages", |text| match text {
        "" => Ok(None),
        text => value::absolute_path(text).map(Some),
    });
    let files = FIRMWARE.iter().filter_map(|row| {
        let directory = findings.boot_directory();
        let file = match row.protocol {
            Protocol::Tftp | Protocol::Script => boot.file(findings, row.key)?,
            Protocol::Http => {
                boot.text(findings, row.key, |text| value::file_name_by_http(text, &directory))?
            }
        };
        Some((row.kind, file.value))
    });
    let files = files.collect();
    let templates = boot.text(findings, "templates", value::absolute_path);
    let templates = templates.map(|path| Templates { directory: path.value, span: path.span });
    let made = LoaderFile::ALL.into_iter().map(|file| (file, FileTemplate::usual(file))).collect();
    Some(Boot { directory: directory?.value, packages: packages?.value, files, templates, made })
}

/// The profiles of the file, and `default` in any case.
fn read_profiles(findings: &mut Findings<'_>, tables: &Tables<'_>) -> BTreeMap<String, ProfileDraft> {
    let of_file: Vec<_> = tables.of("profile").collect();
    if let Some(excess) = of_file.get(PROFILES_MAX) {
        findings.error(&excess.span, format!("more than {PROFILES_MAX} profiles"), None);
    }
    let mut profiles = BTreeMap::new();
    for found in of_file.into_iter().take(PROFILES_MAX) {
        if let Err(wrong) = value::word(found.name) {
            findings.error(&found.span, wrong.message, wrong.remedy);
        }
        let entry = found.open(findings);
        profiles.insert(found.name.to_owned(), read_profile(findings, &entry, found.name == DEFAULT_PROFILE));
    }
    if !profiles.contains_key(DEFAULT_PROFILE) {
        let entry = tables.missing(findings, "profile");
        profiles.insert(DEFAULT_PROFILE.to_owned(), read_profile(findings, &entry, true));
    }
    profiles
}

/// The profile of numbered nodes, and what the others are taken from.
pub(super) const DEFAULT_PROFILE: &str = "default";

fn wanted_text(findings: &mut Findings<'_>, entry: &Entry<'_>, key: &str) -> Option<Placed<String>> {
    entry.has(key).then(|| entry.text(findings, key, value::any)).flatten()
}

fn read_profile(findings: &mut Findings<'_>, profile: &Entry<'_>, is_default: bool) -> ProfileDraft {
    let wanted = |key| is_default || profile.has(key);
    let directory = findings.boot_directory();
    let root_of = |text: &str| Root::read(text, &directory);
    ProfileDraft {
        span: profile.span.clone(),
        inherits: wanted_text(findings, profile, "inherits"),
        whom: profile::read_whom(findings, profile),
        attributes: profile::read_attributes(findings, profile),
        kernel: wanted("kernel").then(|| profile.file(findings, "kernel")).flatten(),
        initrd: wanted("initrd").then(|| profile.files(findings, "initrd")).flatten(),
        cmdline: wanted("cmdline").then(|| profile.text(findings, "cmdline", value::template)).flatten(),
        options: wanted("options").then(|| read_options(findings, profile)),
        root: wanted("root").then(|| profile.text(findings, "root", root_of)).flatten(),
        overlays: overlay::read_profile(findings, profile, is_default),
    }
}

fn read_node(findings: &mut Findings<'_>, node: &Entry<'_>) -> NodeDraft {
    let identifiers = read_identifiers(findings, node);
    let is_told_otherwise = ["client-id", "circuit-id", "remote-id"].iter().any(|key| node.has(key));
    if !is_told_otherwise && !node.has("mac") && !node.misspelt("mac") {
        findings.error(
            &node.span,
            "[[node]] has no \"mac\"",
            Some("write mac = \"52:54:00:00:00:17\"".into()),
        );
    }
    let macs = node.texts(findings, "mac", value::mac);
    if let Some(macs) = &macs
        && !(1..=MACS_PER_NODE_MAX).contains(&macs.value.len())
    {
        let message = format!("mac: a node has 1 to {MACS_PER_NODE_MAX} hardware addresses");
        findings.error(&macs.span, message, None);
    }
    NodeDraft {
        macs: macs.map(|macs| macs.value).unwrap_or_default(),
        identifiers,
        number: node.integer(findings, "number"),
        name: node.text(findings, "name", value::host_name),
        profile: node.text(findings, "profile", value::any),
        options: read_options(findings, node),
        attributes: profile::read_attributes(findings, node),
    }
}

/// The tables of the file, and an empty one for those that are not there.
pub(super) struct Tables<'d> {
    found: Vec<Found<'d>>,
    nothing: &'d DeTable<'d>,
}

impl<'d> Tables<'d> {
    fn of(&self, path: &str) -> impl Iterator<Item = &Found<'d>> {
        self.found.iter().filter(move |found| found.section.path == path)
    }

    /// The table of a section that may be there once.
    pub(super) fn one(&self, findings: &mut Findings<'_>, path: &str) -> Entry<'d> {
        match self.of(path).next() {
            Some(found) => found.open(findings),
            None => self.missing(findings, path),
        }
    }

    /// Every table of a section that may be there more often, up to a bound.
    pub(super) fn all<T>(
        &self,
        findings: &mut Findings<'_>,
        path: &str,
        most: usize,
        read: impl Fn(&mut Findings<'_>, Entry<'_>) -> Option<T>,
    ) -> Vec<T> {
        if let Some(excess) = self.of(path).nth(most) {
            findings.error(&excess.span, format!("more than {most} {}", excess.heading), None);
        }
        let read = |found: &Found<'_>| {
            let entry = found.open(findings);
            read(findings, entry)
        };
        self.of(path).take(most).filter_map(read).collect()
    }

    fn missing(&self, findings: &mut Findings<'_>, path: &str) -> Entry<'d> {
        let section = SECTIONS.iter().find(|section| section.path == path);
        let section = section.expect("the reader asks for what is in the table of sections");
        Entry::open(findings, section, section.heading(), self.nothing, WHOLE_FILE)
    }
}

impl<'d> Found<'d> {
    fn open(&self, findings: &mut Findings<'_>) -> Entry<'d> {
        Entry::open(findings, self.section, self.heading.clone(), self.table, self.span.clone())
    }
}

/// The tables of a section, and of the sections in it.
fn find_tables<'d>(
    findings: &mut Findings<'_>,
    section: &'static Section,
    key_span: &Range<usize>,
    value: &'d Spanned<DeValue<'d>>,
    found: &mut Vec<Found<'d>>,
) {
    let heading = section.heading();
    let mut add = |name: &'d str, heading: String, value: &'d Spanned<DeValue<'d>>| {
        let table = value.get_ref().as_table()?;
        found.push(Found { section, heading, name, table, span: value.span() });
        Some(table)
    };
    let tables: Vec<_> = match (section.form, value.get_ref()) {
        (Form::Table | Form::Open, DeValue::Table(_)) => vec![add("", heading.clone(), value)],
        (Form::List, DeValue::Array(items)) => {
            items.iter().map(|item| add("", heading.clone(), item)).collect()
        }
        (Form::Named, DeValue::Table(tables)) => {
            let named = |(name, value): (&'d Spanned<_>, _)| {
                let name: &'d str = AsRef::<str>::as_ref(name.get_ref());
                add(name, format!("[{}.{}]", section.path, shown_name(name)), value)
            };
            tables.iter().map(named).collect()
        }
        (Form::Table | Form::List | Form::Named | Form::Open, _) => vec![None],
    };
    if tables.iter().any(Option::is_none) {
        let message = format!("{:?} is written as {heading}", section.path);
        findings.error(key_span, message, None);
    }
    for (key, value) in tables.into_iter().flatten().flat_map(|table| table.iter()) {
        if let Some(inner) = child(section, key.get_ref()) {
            find_tables(findings, inner, &key.span(), value, found);
        }
    }
}

/// The name of a profile in its heading.
pub(super) fn shown_name(name: &str) -> String {
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if plain && (1..=63).contains(&name.len()) { name.to_owned() } else { quoted(name) }
}

fn unknown_section(findings: &mut Findings<'_>, key: &Spanned<std::borrow::Cow<'_, str>>) {
    let name: &str = key.get_ref();
    let remedy = Some(foreign::remedy_for_section(name));
    findings.error(&key.span(), format!("unknown section {}", quoted(name)), remedy);
}
