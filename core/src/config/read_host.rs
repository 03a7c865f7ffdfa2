//! Reads `[options]`, `[[class]]` and `[[host]]`: every value right in itself.

use super::entry::{Entry, Placed, did_you_mean};
use super::mistake::{Findings, quoted};
use super::option::{self, OptionTable};
use super::value::{self, Wrong};
use super::{FIRMWARE, Identifiers, MacPattern};
use crate::limit::{CLASS_ALTERNATIVES_MAX, MACS_PER_NODE_MAX};
use crate::mac::Mac;
use std::net::Ipv4Addr;
use std::ops::Range;
use std::time::Duration;
use toml::de::DeTable;

/// A `[[class]]`.
pub(super) struct ClassDraft {
    pub(super) name: Option<Placed<String>>,
    pub(super) vendor_classes: Vec<Placed<String>>,
    pub(super) user_classes: Vec<Placed<String>>,
    pub(super) architectures: Vec<u16>,
    pub(super) macs: Vec<Placed<MacPattern>>,
    pub(super) circuits: Vec<Placed<Vec<u8>>>,
    pub(super) remotes: Vec<Placed<Vec<u8>>>,
    pub(super) networks: Option<Placed<Vec<Placed<String>>>>,
    pub(super) options: OptionTable,
    pub(super) boot_file: Option<Placed<String>>,
    pub(super) next_server: Option<Placed<Ipv4Addr>>,
    pub(super) profile: Option<Placed<String>>,
    pub(super) ignore: bool,
}

/// A `[[host]]`.
pub(super) struct HostDraft {
    pub(super) span: Range<usize>,
    pub(super) macs: Vec<Placed<MacPattern>>,
    pub(super) identifiers: IdentifiersDraft,
    pub(super) address: Option<Placed<Ipv4Addr>>,
    pub(super) name: Option<Placed<String>>,
    pub(super) lease: Option<Placed<Duration>>,
    pub(super) options: OptionTable,
    pub(super) ignore: bool,
}

/// What tells a machine beside its hardware address, of `[[host]]` or `[[node]]`.
pub(super) struct IdentifiersDraft {
    pub(super) client: Option<Placed<Vec<u8>>>,
    pub(super) circuit: Option<Placed<Vec<u8>>>,
    pub(super) remote: Option<Placed<Vec<u8>>>,
}

impl IdentifiersDraft {
    /// The values without their places.
    pub(super) fn build(self) -> Identifiers {
        let plain = |placed: Option<Placed<Vec<u8>>>| placed.map(|placed| placed.value);
        Identifiers { client: plain(self.client), circuit: plain(self.circuit), remote: plain(self.remote) }
    }
}

pub(super) fn read_class(findings: &mut Findings<'_>, class: &Entry<'_>) -> ClassDraft {
    let directory = findings.boot_directory();
    let draft = ClassDraft {
        name: class.text(findings, "name", value::word),
        vendor_classes: list(findings, class, "vendor-class", value::word),
        user_classes: list(findings, class, "user-class", value::word),
        architectures: read_architectures(findings, class),
        macs: list(findings, class, "mac", mac_pattern),
        circuits: list(findings, class, "circuit-id", option::identifier),
        remotes: list(findings, class, "remote-id", option::identifier),
        networks: class.texts(findings, "network", value::any),
        options: read_options(findings, class),
        boot_file: class.text(findings, "boot-file", |text| boot_file(text, &directory)),
        next_server: class.text(findings, "next-server", value::address_of_somebody),
        profile: class.text(findings, "profile", value::any),
        ignore: class.flag(findings, "ignore"),
    };
    let keys = ["vendor-class", "user-class", "architecture", "mac", "circuit-id", "remote-id", "network"];
    if !keys.iter().any(|key| class.has(key)) {
        let remedy = "say whom it is for: vendor-class, user-class, architecture, mac, circuit-id, remote-id or network";
        findings.error(&class.span, "a [[class]] that everybody is in", Some(remedy.into()));
    }
    draft
}

pub(super) fn read_host(findings: &mut Findings<'_>, host: &Entry<'_>) -> HostDraft {
    let macs = list(findings, host, "mac", mac_pattern);
    if let Some(excess) = macs.get(MACS_PER_NODE_MAX) {
        let message = format!("mac: a host has up to {MACS_PER_NODE_MAX} hardware addresses");
        findings.error(&excess.span, message, None);
    }
    if !["mac", "client-id", "circuit-id", "remote-id"].iter().any(|key| host.has(key)) {
        let remedy = "write mac = \"52:54:00:00:00:17\", or client-id, circuit-id or remote-id";
        findings.error(&host.span, "nothing says who this [[host]] is", Some(remedy.into()));
    }
    HostDraft {
        span: host.span.clone(),
        macs,
        identifiers: read_identifiers(findings, host),
        address: host.text(findings, "address", value::address),
        name: host.text(findings, "name", value::host_name),
        lease: host.duration(findings, "lease"),
        options: read_options(findings, host),
        ignore: host.flag(findings, "ignore"),
    }
}

pub(super) fn read_identifiers(findings: &mut Findings<'_>, entry: &Entry<'_>) -> IdentifiersDraft {
    IdentifiersDraft {
        client: entry.text(findings, "client-id", option::identifier),
        circuit: entry.text(findings, "circuit-id", option::identifier),
        remote: entry.text(findings, "remote-id", option::identifier),
    }
}

/// The options of a table that may have some.
pub(super) fn read_options(findings: &mut Findings<'_>, entry: &Entry<'_>) -> OptionTable {
    read_options_by(findings, entry, option::read)
}

/// The same of a table that means all machines of a network.
pub(super) fn read_options_for_all(findings: &mut Findings<'_>, entry: &Entry<'_>) -> OptionTable {
    read_options_by(findings, entry, option::read_for_all)
}

fn read_options_by(
    findings: &mut Findings<'_>,
    entry: &Entry<'_>,
    read: impl FnOnce(&mut Findings<'_>, &DeTable<'_>) -> OptionTable,
) -> OptionTable {
    let Some(value) = entry.raw(OPTIONS) else { return OptionTable::default() };
    match value.get_ref().as_table() {
        Some(table) => read(findings, table),
        None => {
            let remedy = "write options = { ntp-servers = \"10.77.0.1\" }";
            findings.error(&value.span(), "options: it is a table", Some(remedy.into()));
            OptionTable::default()
        }
    }
}

const OPTIONS: &str = "options";

/// The values of a key that holds one or several, with a bound: every packet is compared with each.
fn list<T>(
    findings: &mut Findings<'_>,
    entry: &Entry<'_>,
    key: &str,
    parse: impl Fn(&str) -> Result<T, Wrong>,
) -> Vec<Placed<T>> {
    let Some(values) = entry.texts(findings, key, parse) else { return Vec::new() };
    match values.value.len() {
        0 => findings.error(&values.span, format!("{key}: the list is empty"), Some("leave it out".into())),
        1..=CLASS_ALTERNATIVES_MAX => {}
        _ => {
            let message = format!("{key}: more than {CLASS_ALTERNATIVES_MAX} alternatives");
            findings.error(&values.span, message, None);
        }
    }
    values.value
}

fn read_architectures(findings: &mut Findings<'_>, class: &Entry<'_>) -> Vec<u16> {
    let Some(value) = class.raw("architecture") else { return Vec::new() };
    let items = match value.get_ref().as_array() {
        Some(items) => items.iter().collect(),
        None => vec![value],
    };
    if items.is_empty() {
        findings.error(&value.span(), "architecture: the list is empty", Some("leave it out".into()));
    }
    let mut all = Vec::new();
    for item in items {
        let word = item.get_ref().as_str().or_else(|| Some(item.get_ref().as_integer()?.as_str()));
        match word
            .ok_or_else(|| Wrong::with("it is a list of words or numbers", "as [\"uefi-x64\", 16]"))
            .and_then(architecture)
        {
            Ok(numbers) => all.extend(numbers),
            Err(Wrong { message, remedy, .. }) => {
                findings.error(&item.span(), format!("architecture: {message}"), remedy);
            }
        }
    }
    all
}

/// The numbers of option 93 by what they mean (RFC 4578 2.1 with its errata, and the IANA registry).
const ARCHITECTURES: &[(&str, &[u16])] = &[
    ("bios", &[0]),
    ("uefi-x86", &[6]),
    // 9 is EBC by the letter; much 64-bit firmware has always said it for x86-64.
    ("uefi-x64", &[7, 9]),
    ("uefi-arm32", &[10]),
    ("uefi-arm64", &[11]),
    ("powerpc", &[12, 13]),
    ("opal", &[14]),
    ("http-x86", &[15]),
    ("http-x64", &[16]),
    ("http-ebc", &[17]),
    ("http-arm32", &[18]),
    ("http-arm64", &[19]),
    ("http-bios", &[20]),
    ("uboot-arm32", &[21]),
    ("uboot-arm64", &[22]),
    ("uefi-riscv64", &[27]),
    ("http-riscv64", &[28]),
    ("uefi-loongarch64", &[39]),
    ("http-loongarch64", &[40]),
];

/// The numbers that a firmware says in option 93: by the name that it has in `[boot]` or one like that, or one number.
pub(super) fn architecture(word: &str) -> Result<Vec<u16>, Wrong> {
    if let Ok(number) = word.parse() {
        return Ok(vec![number]);
    }
    let known = ARCHITECTURES.iter().find(|(name, _)| *name == word);
    known.map(|(_, numbers)| numbers.to_vec()).ok_or_else(|| {
        let names = ARCHITECTURES.iter().map(|(name, _)| *name);
        let remedy = did_you_mean(word, names.clone()).unwrap_or_else(|| {
            let all: Vec<_> = names.collect();
            format!("there is {}, or a number, as option 93 has it", all.join(", "))
        });
        Wrong::with(format!("unknown architecture {}", quoted(word)), remedy)
    })
}

/// Whether firmware of this name is known that `[boot]` has no option for.
pub(super) fn is_without_option(word: &str) -> bool {
    let is_known = ARCHITECTURES.iter().any(|(name, _)| *name == word);
    is_known && FIRMWARE.iter().all(|row| row.key != word)
}

fn mac_pattern(text: &str) -> Result<MacPattern, Wrong> {
    let remedy = "six octets in hexadecimal, some of which may be *, as \"52:54:00:*:*:*\"";
    let wrong = |message: &str| Wrong::with(format!("{} {message}", quoted(text)), remedy);
    let of_switch = || Mac::of_switch(text).map(MacPattern::exact);
    let pattern: MacPattern =
        text.parse().ok().or_else(of_switch).ok_or_else(|| wrong("is no hardware address"))?;
    match pattern.mac() {
        Some(mac) if !mac.is_one_machine() => Err(wrong("cannot be one machine's address")),
        Some(_) | None => Ok(pattern),
    }
}

/// A file of the boot directory, or a URL.
fn boot_file(text: &str, directory: &str) -> Result<String, Wrong> {
    let is_url = text.contains("://") && text.bytes().all(|b| b.is_ascii_graphic());
    if is_url { Ok(text.to_owned()) } else { value::file_name(text, directory) }
}
