//! DHCP options as an operator sets them: any option by name or number, in tables that stand at several places of the file.
//!
//! - `known` has what the options are called and what their values are;
//! - `encode` makes octets of values.

pub(super) mod encode;
mod known;

pub use known::{Form, KNOWN, KnownOption};

use super::entry::did_you_mean;
use super::foreign;
use super::mistake::{Findings, quoted};
use super::value::{Wrong, address_of_somebody};
use crate::limit::OPTIONS_PER_TABLE_MAX;
use known::part_form;
pub(super) use known::{named, numbered};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What one table of options says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OptionTable {
    /// The octets of each option; none takes out what an earlier table, or the server itself, has set.
    pub values: BTreeMap<OptionPath, Option<Vec<u8>>>,
    /// Options that are sent although the client does not ask for them.
    pub forced: BTreeSet<u8>,
}

/// Which option, or which option in an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OptionPath {
    /// An option as a whole.
    Whole(u8),
    /// `43.6`: an option in an option.
    Part(u8, u8),
    /// `125.4491.2`: an option of an enterprise (RFC 3925).
    Vendor(u32, u8),
}

impl OptionPath {
    /// The option that is asked for to get it.
    pub fn code(self) -> u8 {
        match self {
            Self::Whole(code) | Self::Part(code, _) => code,
            Self::Vendor(..) => VENDORS,
        }
    }

    fn form(self) -> Form {
        match self {
            Self::Whole(code) => numbered(code).map_or(Form::Unknown, |known| known.form),
            Self::Part(code, part) => part_form(code, part),
            Self::Vendor(..) => Form::Unknown,
        }
    }
}

/// As it stands in the file, with its name if it has one.
impl fmt::Display for OptionPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(code) => match numbered(*code) {
                Some(known) => write!(f, "{code} ({})", known.names[0]),
                None => write!(f, "{code}"),
            },
            Self::Part(code, part) => write!(f, "{code}.{part}"),
            Self::Vendor(enterprise, part) => write!(f, "{VENDORS}.{enterprise}.{part}"),
        }
    }
}

/// Option 43 (RFC 2132 8.4).
const VENDOR_SPECIFIC: u8 = 43;

/// Option 125 (RFC 3925).
const VENDORS: u8 = 125;

/// The key beside the options that lists those that are sent unasked.
const FORCE: &str = "force";

/// What is said of one enterprise has one octet for its length (RFC 3925 4), and so has each option in an option.
const PART_OCTETS_MAX: usize = 255;

impl OptionTable {
    /// The number that an option of four octets has here.
    pub(super) fn seconds(&self, code: u8) -> Option<u32> {
        let octets = self.values.get(&OptionPath::Whole(code))?.as_deref()?;
        Some(u32::from_be_bytes(octets.try_into().ok()?))
    }
}

/// Reads what is said to everybody, or to all of a network. It warns of what firmware would take for PXE's own, and so does not get.
pub(super) fn read_for_all(findings: &mut Findings<'_>, table: &DeTable<'_>) -> OptionTable {
    const VENDORS_OWN: OptionPath = OptionPath::Whole(VENDOR_SPECIFIC);
    let options = read(findings, table);
    let is_vendors_own = |name: &str| matches!(path(name), Ok(VENDORS_OWN));
    let own = table.iter().find(|(key, _)| is_vendors_own(key.get_ref()));
    if let Some((key, _)) = own.filter(|_| options.values.get(&VENDORS_OWN).is_some_and(Option::is_some)) {
        let message = format!(
            "option {VENDORS_OWN}: firmware that is told to boot from here does not get it, which would take it for PXE's"
        );
        let remedy = "write it in the options of a [[class]] of the devices that it is for; single ones, as \"43.6\", stand beside PXE's";
        findings.warning(&key.span(), message, Some(remedy.into()));
    }
    options
}

/// Reads a table of options, or tells what is wrong with it.
pub(super) fn read(findings: &mut Findings<'_>, table: &DeTable<'_>) -> OptionTable {
    let mut options = OptionTable::default();
    let mut seen: BTreeMap<OptionPath, Range<usize>> = BTreeMap::new();
    // Maps order by name, operators by place.
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    for (key, value) in entries {
        let name: &str = key.get_ref();
        if name == FORCE {
            options.forced = read_forced(findings, value);
            continue;
        }
        if options.values.len() == OPTIONS_PER_TABLE_MAX {
            findings.error(
                &key.span(),
                format!("more than {OPTIONS_PER_TABLE_MAX} options in a table"),
                None,
            );
            break;
        }
        let path = match path(name) {
            Ok(path) => path,
            Err(Wrong { message, remedy, .. }) => {
                findings.error(&key.span(), message, remedy);
                continue;
            }
        };
        if let Some(before) = conflicting(&seen, path) {
            let line = findings.line(before);
            findings.error(&key.span(), format!("option {path} is already set on line {line}"), None);
            continue;
        }
        seen.insert(path, key.span());
        // What PXE has in option 43 is PXE's alone (RFC 2132 8.4): every maker has something else there by the same numbers, and says what.
        let form = match path {
            OptionPath::Part(VENDOR_SPECIFIC, _) if encode::is_marked(value.get_ref()) => Form::Unknown,
            OptionPath::Whole(_) | OptionPath::Part(..) | OptionPath::Vendor(..) => path.form(),
        };
        match encode::encode(form, value.get_ref()) {
            Ok(octets) => {
                options.values.insert(path, octets);
            }
            Err(Wrong { message, remedy, .. }) => {
                let remedy = remedy.map(|remedy| match path {
                    OptionPath::Whole(_) => remedy,
                    // Makers give them meanings of their own.
                    OptionPath::Part(..) | OptionPath::Vendor(..) if !remedy.contains("hex:") => {
                        format!("{remedy}, or its octets, as \"hex:0102\"")
                    }
                    OptionPath::Part(..) | OptionPath::Vendor(..) => remedy,
                });
                findings.error(&value.span(), format!("option {path}: {message}"), remedy);
            }
        }
    }
    check_lengths(findings, &options, &seen);
    check_times(findings, &options, &seen);
    check_next_server(findings, &options, &seen);
    options
}

/// A client's identifier, or that of a place at a relay: a text, with `text:` before it or without, or `hex:` and octets.
pub(super) fn identifier(text: &str) -> Result<Vec<u8>, Wrong> {
    let octets = match text.split_once(':') {
        Some(("hex", digits)) => encode::hexadecimal(digits)?,
        Some(("text", rest)) => rest.into(),
        Some(_) | None => encode::no_octets(text)?.into(),
    };
    match octets.len() {
        1..=PART_OCTETS_MAX => Ok(octets),
        _ => Err(Wrong::with(
            format!("{} is no identifier", quoted(text)),
            "1 to 255 octets, as \"rack7/12\" or \"hex:0104aa\"",
        )),
    }
}

/// An identifier as it is written in the configuration.
pub fn written_identifier(octets: &[u8]) -> String {
    let is_shown = |text: &&str| text.bytes().all(|octet| octet == b' ' || octet.is_ascii_graphic());
    match std::str::from_utf8(octets).ok().filter(is_shown) {
        Some(text) if identifier(text).is_ok_and(|read| read == octets) => format!("{text:?}"),
        Some(text) if !text.is_empty() => format!("{:?}", format!("text:{text}")),
        Some(_) | None => {
            let digits: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
            format!("\"hex:{digits}\"")
        }
    }
}

/// Which option a key means: a name, a number, or numbers with dots.
fn path(key: &str) -> Result<OptionPath, Wrong> {
    let words: Vec<&str> = key.split('.').collect();
    let (first, parts) = words.split_first().expect("there is a word before the first dot");
    let code = code(first)?;
    let whole = OptionPath::Whole(code);
    if let Form::Owned(why) = whole.form() {
        return Err(Wrong {
            message: format!("option {whole} cannot be set: {why}"),
            remedy: None,
            within: None,
        });
    }
    let part = |text: &str| {
        let number = text.parse::<u8>().ok().filter(|part| (1..=254).contains(part));
        number.ok_or_else(|| {
            Wrong::with(
                format!("{} is no number of an option in option {code}", quoted(text)),
                "from 1 to 254",
            )
        })
    };
    match (code, parts) {
        (_, []) => Ok(whole),
        (VENDORS, [enterprise, option]) => {
            let number = enterprise.parse().map_err(|_| {
                Wrong::with(format!("{} is no enterprise's number", quoted(enterprise)), "as \"125.4491.2\"")
            })?;
            Ok(OptionPath::Vendor(number, part(option)?))
        }
        (VENDORS, _) => Err(Wrong::with(
            format!("{} names no option of an enterprise", quoted(key)),
            "as \"125.4491.2\": the enterprise's number and the option's",
        )),
        (_, [option]) => Ok(OptionPath::Part(code, part(option)?)),
        (_, _) => Err(Wrong::with(format!("{} is no option", quoted(key)), "as \"43.6\"")),
    }
}

/// The code of a name or a number.
fn code(word: &str) -> Result<u8, Wrong> {
    if word.bytes().all(|b| b.is_ascii_digit()) && !word.is_empty() {
        let number = word.parse::<u8>().ok();
        return number
            .ok_or_else(|| Wrong::with(format!("there is no option {word}"), "they are from 1 to 254"));
    }
    named(word).map(|known| known.code).ok_or_else(|| {
        let names = KNOWN.iter().flat_map(|known| known.names.iter().copied());
        let begins = |name: &&str| name.strip_prefix(word).is_some_and(|rest| rest.starts_with('-'));
        let longer = names.clone().find(begins).map(|name| format!("did you mean {name:?}?"));
        let remedy = foreign::remedy_in_options(word)
            .or(longer)
            .or_else(|| did_you_mean(word, names))
            .unwrap_or_else(|| "by its number, it is \"NUMBER\" = …".into());
        Wrong::with(format!("unknown option {}", quoted(word)), remedy)
    })
}

fn read_forced(findings: &mut Findings<'_>, value: &Spanned<DeValue<'_>>) -> BTreeSet<u8> {
    let items = match value.get_ref().as_array() {
        Some(items) => items.iter().collect(),
        None => vec![value],
    };
    let mut forced = BTreeSet::new();
    for item in items {
        let whole = |path| matches!(path, OptionPath::Whole(_));
        let word = item.get_ref().as_str().or_else(|| Some(item.get_ref().as_integer()?.as_str()));
        let none = || Wrong::with("it lists options", "as force = [\"ntp-servers\", \"43\"]");
        let said = word.ok_or_else(none).and_then(path);
        match said {
            Ok(path) if whole(path) => {
                forced.insert(path.code());
            }
            Ok(path) => {
                let message = format!("{FORCE}: an option is sent as a whole or not at all");
                findings.error(&item.span(), message, Some(format!("write \"{}\"", path.code())));
            }
            Err(Wrong { message, remedy, .. }) => {
                findings.error(&item.span(), format!("{FORCE}: {message}"), remedy);
            }
        }
    }
    forced
}

/// What was set before and cannot stand beside this: the same, or the whole beside a part of it.
fn conflicting(seen: &BTreeMap<OptionPath, Range<usize>>, path: OptionPath) -> Option<&Range<usize>> {
    let conflicts = |other: &OptionPath| {
        let is_whole = |path: OptionPath| matches!(path, OptionPath::Whole(_));
        *other == path || (other.code() == path.code() && (is_whole(*other) || is_whole(path)))
    };
    seen.iter().find(|(other, _)| conflicts(other)).map(|(_, span)| span)
}

/// "T1 MUST be earlier than T2" (RFC 2131 4.4.5).
fn check_times(
    findings: &mut Findings<'_>,
    options: &OptionTable,
    seen: &BTreeMap<OptionPath, Range<usize>>,
) {
    let [t1, t2] = [58, 59].map(OptionPath::Whole);
    let (Some(renews), Some(rebinds), Some(span)) = (options.seconds(58), options.seconds(59), seen.get(&t1))
    else {
        return;
    };
    if renews >= rebinds {
        let message = format!("option {t1}: {renews} s is not before option {t2}, {rebinds} s");
        let remedy = "a client renews first (t1) and rebinds later (t2), both before its lease ends; without them it is told half and seven eighths of its lease";
        findings.error(span, message, Some(remedy.into()));
    }
}

/// The name of a TFTP server may be an address, and then it is somebody's.
fn check_next_server(
    findings: &mut Findings<'_>,
    options: &OptionTable,
    seen: &BTreeMap<OptionPath, Range<usize>>,
) {
    let path = OptionPath::Whole(66);
    let name = options.values.get(&path).and_then(|name| std::str::from_utf8(name.as_deref()?).ok());
    let Some(Err(Wrong { message, remedy, .. })) =
        name.filter(|name| *name == "0.0.0.0").map(address_of_somebody)
    else {
        return;
    };
    if let Some(span) = seen.get(&path) {
        findings.error(span, format!("option {path}: {message}"), remedy);
    }
}

/// One octet says how long an option in an option is, and what an enterprise has.
fn check_lengths(
    findings: &mut Findings<'_>,
    options: &OptionTable,
    seen: &BTreeMap<OptionPath, Range<usize>>,
) {
    let mut of_enterprise: BTreeMap<u32, usize> = BTreeMap::new();
    for (path, octets) in &options.values {
        let octets = octets.as_ref().map_or(0, Vec::len);
        let total = match path {
            OptionPath::Whole(_) => continue,
            OptionPath::Part(..) => octets,
            OptionPath::Vendor(enterprise, _) => {
                let total = of_enterprise.entry(*enterprise).or_default();
                *total += 2 + octets;
                *total
            }
        };
        if let Some(span) = seen.get(path).filter(|_| total > PART_OCTETS_MAX) {
            let message = format!("option {path}: {total} octets, and {PART_OCTETS_MAX} have room");
            findings.error(span, message, None);
        }
    }
}

#[cfg(test)]
mod tests;
