//! Texts of the file <-> values, each for itself: nothing here knows of another option.

use super::mistake::quoted;
use super::setting::{DURATION_UNITS, duration_text};
use super::template::{Template, TemplateError};
use super::{AddressRange, CheckKind, LinkSpeed};
use crate::limit::{BOOT_FILE_OCTETS_MAX, POOL_ADDRESSES_MAX, SOCKET_PATH_OCTETS_MAX};
use crate::mac::Mac;
use heorot_names::{NumberRange, Pattern};
use std::net::Ipv4Addr;
use std::ops::Range;

/// Why a text is no value.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) message: String,
    /// What to write instead.
    pub(super) remedy: Option<String>,
    /// Which octets of the text are wrong, if not all.
    pub(super) within: Option<Range<usize>>,
}

impl Wrong {
    pub(super) fn with(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { message: message.into(), remedy: Some(remedy.into()), within: None }
    }
}

/// The name of a DNS zone, in lower case and without a final dot.
pub(super) fn domain_name(text: &str) -> Result<String, Wrong> {
    let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    let wrong = |message: &str| {
        Err(Wrong::with(format!("{}: {message}", quoted(text)), "as \"cluster.example.org\""))
    };
    if name.split('.').any(|label| !is_label(label)) {
        return wrong("its parts have 1 to 63 of a-z, 0-9 and '-', not at their ends");
    }
    // RFC 1123 2.1: the last part is not all digits, or a name could be an address.
    if name.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit())) {
        return wrong("its last part is all digits");
    }
    // RFC 1035 2.3.4: 255 octets on the wire, which are 253 in text; a node's name and a dot come before it.
    if name.len() > 253 - 64 {
        return wrong("longer than leaves room for the names of nodes");
    }
    Ok(name)
}

/// How numbers become names.
pub(super) fn pattern(text: &str) -> Result<Pattern, Wrong> {
    Pattern::parse(text).map_err(|error| Wrong::with(error.to_string(), "as \"node{}\" or \"n{:04}\""))
}

/// A node's own name, in lower case.
pub(super) fn host_name(text: &str) -> Result<String, Wrong> {
    let name = text.to_ascii_lowercase();
    let wrong = |message: &str| Err(Wrong::with(format!("{} {message}", quoted(text)), "as \"login\""));
    match name {
        name if !is_label(&name) => wrong("is no host name: 1 to 63 of a-z, 0-9 and '-', not at its ends"),
        // Operators name a node by its number, name, hardware address or address: these may not be mistaken for each other.
        name if name.bytes().all(|b| b.is_ascii_digit()) => wrong("would be taken for a number"),
        name if name.parse::<Mac>().is_ok() => wrong("would be taken for a hardware address"),
        name => Ok(name),
    }
}

/// What follows a node's name for one of its interfaces.
pub(super) fn suffix(text: &str) -> Result<String, Wrong> {
    let suffix = text.to_ascii_lowercase();
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if !suffix.bytes().all(allowed) || suffix.ends_with('-') || suffix.len() > 40 {
        let message = format!("{} cannot end a host name: up to 40 of a-z, 0-9 and '-'", quoted(text));
        return Err(Wrong::with(message, "as \"-ib\""));
    }
    // node2 + "3" would be node23.
    if suffix.starts_with(|c: char| c.is_ascii_digit()) {
        let message =
            format!("{} begins with a digit, which would change the number before it", quoted(text));
        return Err(Wrong::with(message, format!("as \"-{suffix}\"")));
    }
    Ok(suffix)
}

/// A path from the root.
pub(super) fn absolute_path(text: &str) -> Result<String, Wrong> {
    if !text.starts_with('/')
        || text.chars().any(char::is_control)
        || text.split('/').any(|part| part == "..")
    {
        let message = format!("{} is no absolute path without \"..\"", quoted(text));
        return Err(Wrong::with(message, "as \"/srv/heorot\""));
    }
    Ok(text.to_owned())
}

/// Where files are that everybody gets.
pub(super) fn boot_directory(text: &str) -> Result<String, Wrong> {
    let path = absolute_path(text)?;
    if path.split('/').all(|part| matches!(part, "" | ".")) {
        let message =
            format!("{} is all that this host has, and whoever asks gets what is there", quoted(text));
        return Err(Wrong::with(message, "name a directory that has boot files alone, as \"/srv/heorot\""));
    }
    Ok(path)
}

/// Where a socket is to be.
pub(super) fn socket_path(text: &str) -> Result<String, Wrong> {
    let path = absolute_path(text)?;
    if path.len() > SOCKET_PATH_OCTETS_MAX {
        let message = format!("{} is longer than the path of a socket may be", quoted(text));
        let remedy = format!("at most {SOCKET_PATH_OCTETS_MAX} octets, as \"/run/heorot/control.sock\"");
        return Err(Wrong::with(message, remedy));
    }
    Ok(path)
}

/// A user, as `useradd` allows them.
pub(super) fn user_name(text: &str) -> Result<String, Wrong> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    if text.is_empty() || text.len() > 32 || text.starts_with('-') || !text.bytes().all(allowed) {
        return Err(Wrong::with(format!("{} is no user's name", quoted(text)), "as \"heorot\""));
    }
    Ok(text.to_owned())
}

/// Any text: who asks looks at it.
pub(super) fn any(text: &str) -> Result<String, Wrong> {
    Ok(text.to_owned())
}

/// An address.
pub(super) fn address(text: &str) -> Result<Ipv4Addr, Wrong> {
    text.parse().map_err(|_| Wrong::with(format!("{} is no IPv4 address", quoted(text)), "as \"10.77.0.1\""))
}

/// An address that somebody has. In other servers' configurations 0.0.0.0 stands for the server itself; here it would go out as it is.
pub(super) fn address_of_somebody(text: &str) -> Result<Ipv4Addr, Wrong> {
    match address(text)? {
        Ipv4Addr::UNSPECIFIED => {
            let remedy = "if this server is meant, leave it out where clients are told of it anyway (name servers, the next server), and else write its address";
            Err(Wrong::with("0.0.0.0 is nobody's address", remedy))
        }
        address => Ok(address),
    }
}

/// An address and the length of its prefix.
pub(super) fn address_in_prefix(text: &str) -> Result<(Ipv4Addr, u8), Wrong> {
    let example = "as \"10.77.0.1/16\"";
    let Some((host, length)) = text.split_once('/') else {
        return Err(Wrong::with(format!("{} has no length of its prefix", quoted(text)), example));
    };
    let host =
        host.parse().map_err(|_| Wrong::with(format!("{} is no IPv4 address", quoted(host)), example))?;
    // RFC 3021: the two addresses of a /31 are both hosts', so it has no room for a node beside us.
    match decimal(length) {
        Some(length @ 1..=30) => Ok((host, u8::try_from(length).expect("at most 30"))),
        Some(_) | None => Err(Wrong::with(format!("{} is no length from 1 to 30", quoted(length)), example)),
    }
}

/// `FIRST-LAST`, or one address alone.
pub(super) fn address_range(text: &str) -> Result<AddressRange, Wrong> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (Ok(first), Ok(last)) = (first.trim().parse(), last.trim().parse()) else {
        let message = format!("{} is no range of IPv4 addresses", quoted(text));
        return Err(Wrong::with(message, "as \"10.77.200.1-10.77.203.254\""));
    };
    let range = AddressRange { first, last };
    if range.last < range.first {
        let remedy = format!("write \"{}-{}\"", range.last, range.first);
        return Err(Wrong::with(format!("{} runs backwards", quoted(text)), remedy));
    }
    if range.size() > POOL_ADDRESSES_MAX {
        let message = format!("{} holds {} addresses", quoted(text), range.size());
        return Err(Wrong::with(message, format!("at most {POOL_ADDRESSES_MAX} are allowed")));
    }
    Ok(range)
}

/// `LOWEST-HIGHEST`, or one number alone.
pub(super) fn numbers(text: &str) -> Result<NumberRange, Wrong> {
    let (lowest, highest) = text.split_once('-').unwrap_or((text, text));
    let number = |text: &str| {
        let number = decimal(text.trim()).and_then(|number| u32::try_from(number).ok());
        number.ok_or_else(|| Wrong::with(format!("{} is no number of a node", quoted(text)), "as \"0-1023\""))
    };
    let range = NumberRange { lowest: number(lowest)?, highest: number(highest)? };
    if range.highest < range.lowest {
        let remedy = format!("write \"{}-{}\"", range.highest, range.lowest);
        return Err(Wrong::with(format!("{} runs backwards", quoted(text)), remedy));
    }
    Ok(range)
}

/// Seconds of "60s", "12h".
pub(super) fn duration_seconds(text: &str) -> Result<u64, Wrong> {
    let seconds = text.char_indices().next_back().and_then(|(at, letter)| {
        let (_, unit) = DURATION_UNITS.into_iter().find(|(unit, _)| *unit == letter)?;
        Some(decimal(&text[..at])?.saturating_mul(unit))
    });
    seconds.ok_or_else(|| {
        let remedy = match decimal(text) {
            Some(seconds) => format!("for seconds write {:?}", duration_text(seconds)),
            None => "a number and s, m, h or d, as \"60s\" or \"12h\"".into(),
        };
        Wrong::with(format!("{} is no duration", quoted(text)), remedy)
    })
}

/// A file below the boot directory. Its name goes into generated files and URLs as it is, so it has no character that means something there.
/// Whoever writes where it is on this host is told how it is called here.
pub(super) fn file_name(text: &str, boot_directory: &str) -> Result<String, Wrong> {
    let directory = boot_directory.trim_end_matches('/');
    if !directory.is_empty() && text.trim_end_matches('/') == directory {
        return Err(Wrong::with(
            format!("{} is boot.directory, and no file in it", quoted(text)),
            "as \"vmlinuz\"",
        ));
    }
    if let Some(relative) = text.strip_prefix('/') {
        let below = text.strip_prefix(directory).and_then(|rest| rest.strip_prefix('/'));
        // Whatever is wrong beside is told now, and not when this was mended.
        let name = file_name(below.unwrap_or(relative), "/")?;
        let remedy = match (below, name.rsplit_once('/')) {
            (None, Some((_, last))) => format!(
                "if it is {directory}{text}, write {name:?}; else copy it into {directory}, and write {last:?}"
            ),
            (Some(_), _) | (None, None) => format!("write {name:?}"),
        };
        return Err(Wrong::with(format!("{} is not relative to boot.directory", quoted(text)), remedy));
    }
    if text.split('/').any(|part| matches!(part, "" | "." | "..")) {
        let message = format!("{} is no file below boot.directory", quoted(text));
        return Err(Wrong::with(message, "no \"..\" and no empty part, as \"images/vmlinuz\""));
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '~' | '/');
    if let Some((at, wrong)) = text.char_indices().find(|(_, c)| !allowed(*c)) {
        return Err(Wrong {
            message: format!("{wrong:?} in a file's name does not survive every boot loader"),
            remedy: Some("allowed are letters, digits and . _ - + ~ /".into()),
            within: Some(at..at + wrong.len_utf8()),
        });
    }
    if text.len() > BOOT_FILE_OCTETS_MAX {
        let message = format!("{} is longer than {BOOT_FILE_OCTETS_MAX} octets", quoted(text));
        return Err(Wrong { message, remedy: None, within: None });
    }
    Ok(text.to_owned())
}

/// Such a file that is loaded by HTTP, where some names mean something else.
pub(super) fn file_name_by_http(text: &str, boot_directory: &str) -> Result<String, Wrong> {
    let name = file_name(text, boot_directory)?;
    if name == "node" || name.starts_with("node/") {
        let message = format!("{} by HTTP is what nodes say and ask of themselves", quoted(text));
        return Err(Wrong::with(message, "call the file or its folder otherwise"));
    }
    Ok(name)
}

/// A template of a command line.
pub(super) fn template(text: &str) -> Result<Template, Wrong> {
    Template::parse(text).map_err(|TemplateError { span, message, nearest }| Wrong {
        message,
        remedy: nearest.map(|near| format!("did you mean {near:?}?")),
        within: Some(span),
    })
}

/// The name of a profile or a check.
pub(super) fn word(text: &str) -> Result<String, Wrong> {
    if text.is_empty() || text.chars().count() > 63 || text.chars().any(char::is_control) {
        return Err(Wrong::with(format!("{} is no name", quoted(text)), "1 to 63 characters"));
    }
    Ok(text.to_owned())
}

/// A hardware address.
pub(super) fn mac(text: &str) -> Result<Mac, Wrong> {
    let remedy = "six octets in hexadecimal, as \"52:54:00:00:00:17\"";
    let mac: Mac = text
        .parse()
        .ok()
        .or_else(|| Mac::of_switch(text))
        .ok_or_else(|| Wrong::with(format!("{} is no hardware address", quoted(text)), remedy))?;
    if !mac.is_one_machine() {
        return Err(Wrong::with(format!("{} cannot be one machine's address", quoted(text)), remedy));
    }
    Ok(mac)
}

/// Whether the text is a threshold of the kind, by this key; if not, what one looks like.
pub(super) fn check_threshold(kind: CheckKind, key: &str, text: &str) -> Result<(), &'static str> {
    const COUNT: (&[(&str, u64)], u64, &str) = (&[("", 1)], 1, "a whole number, as 4");
    const SIZE: (&[(&str, u64)], u64, &str) =
        (&MEMORY_UNITS, 1, "a whole number with its unit, as \"512MiB\" or \"1GiB\"");
    const RATE: (&[(&str, u64)], u64, &str) =
        (&LINK_UNITS, 1, "a whole number with its unit, as \"100Mbit\" or \"1Gbit\"");
    const ERRORS: (&[(&str, u64)], u64, &str) = (&[("", 1)], 0, "a whole number, as 0");
    const APART: (&[(&str, u64)], u64, &str) =
        (&[("s", 1), ("m", 60), ("h", 3600)], 0, "a whole number with its unit, as \"5s\" or \"1m\"");
    let (units, least, example) = match (kind, key) {
        (_, "size") | (CheckKind::Memory, _) => SIZE,
        (CheckKind::Link, "at-most") => ERRORS,
        (CheckKind::Link | CheckKind::Bandwidth, _) => RATE,
        (CheckKind::Processors | CheckKind::Disks | CheckKind::Pci | CheckKind::Gpu, _) => COUNT,
        (CheckKind::Clock, _) => APART,
        (CheckKind::Stress | CheckKind::Nhc | CheckKind::Command, _) => return Ok(()),
    };
    quantity(text, units).filter(|amount| *amount >= least).map(|_| ()).ok_or(example)
}

/// The speed of a link: `auto`, or a rate.
pub(super) fn link_speed(text: &str) -> Result<LinkSpeed, Wrong> {
    if text == "auto" {
        return Ok(LinkSpeed::Auto);
    }
    match quantity(text, &LINK_UNITS) {
        Some(bits @ 1_000_000..=400_000_000_000) => Ok(LinkSpeed::BitsPerSecond(bits)),
        Some(_) => Err(Wrong::with(format!("no link has {}", quoted(text)), "from \"1Mbit\" to \"400Gbit\"")),
        None => {
            let remedy = "\"auto\", or a whole number with its unit, as \"100Mbit\" or \"1Gbit\"";
            Err(Wrong::with(format!("{} is no speed of a link", quoted(text)), remedy))
        }
    }
}

/// In octets.
const MEMORY_UNITS: [(&str, u64); 8] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
];

/// In bits a second.
const LINK_UNITS: [(&str, u64); 2] = [("Mbit", 1_000_000), ("Gbit", 1_000_000_000)];

/// A whole number with one of the units, multiplied, if it fits into 64 bits.
fn quantity(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    units.iter().find_map(|(unit, size)| decimal(text.strip_suffix(unit)?)?.checked_mul(*size))
}

/// Digits and nothing else: Rust's own parser also takes a sign.
pub(super) fn decimal(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// A part of a domain name (RFC 1123 2.1).
fn is_label(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=63).contains(&text.len())
        && text.bytes().all(allowed)
        && !text.starts_with('-')
        && !text.ends_with('-')
}
