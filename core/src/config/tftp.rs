//! `[tftp]`: from which ports, in which blocks, and which file a name means.

use super::entry::{Entry, Placed};
use super::mistake::{Findings, quoted};
use super::read::Tables;
use super::value::{self, Wrong};
use super::{FIRMWARE, FirmwareKind};
use crate::limit::{TFTP_NAME_OCTETS_MAX, TFTP_REWRITES_MAX};
use std::ops::RangeInclusive;

/// What the operator says of TFTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tftp {
    /// The ports that files are sent from; none: any.
    pub ports: Option<RangeInclusive<u16>>,
    /// Whether they are sent from port 69 instead.
    pub single_port: bool,
    /// Octets of the largest block that is granted.
    pub block_octets_max: u16,
    /// Whether capital and small letters in names are the same.
    pub case_fold: bool,
    /// Which directory each machine has to itself.
    pub unique_root: UniqueRoot,
    /// Threads that send when the loop does not keep up; none: [`Tftp::senders_on`] says how many.
    pub senders: Option<u8>,
    /// Names that mean other files, in the order of the file.
    pub rewrites: Vec<Rewrite>,
}

impl Tftp {
    /// How many threads may send beside the loop on a machine with so many processors.
    pub fn senders_on(&self, processors: usize) -> usize {
        // Everything else runs beside them, the kernel's part of receiving not least; and on two or three processors the loop's own is not the one that is missing.
        const USUAL_MAX: usize = 4;
        self.senders.map_or_else(|| (processors / 4).min(USUAL_MAX), usize::from)
    }
}

/// Which directory below the boot directory a machine has to itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UniqueRoot {
    /// None.
    None,
    /// That of its address.
    Address,
    /// That of its hardware address.
    Mac,
}

/// Names that mean another file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewrite {
    /// Which names.
    pub pattern: Pattern,
    /// Which file.
    pub replacement: Pattern,
    /// For which firmware; none: for any.
    pub architecture: Option<FirmwareKind>,
}

/// A text in which one `*` may stand for anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// What stands before the `*`, or all of it.
    before: String,
    /// What stands behind it, if there is one.
    behind: Option<String>,
}

impl Pattern {
    /// What the `*` stands for in a name that fits; nothing, if there is none.
    pub fn matched<'n>(&self, name: &'n str, case_fold: bool) -> Option<&'n str> {
        let is_equal = |a: &str, b: &str| if case_fold { a.eq_ignore_ascii_case(b) } else { a == b };
        let Some(behind) = &self.behind else { return is_equal(&self.before, name).then_some("") };
        let rest = name.len().checked_sub(self.before.len() + behind.len())?;
        let (start, end) = (self.before.len(), self.before.len() + rest);
        let (before, matched, after) = (name.get(..start)?, name.get(start..end)?, name.get(end..)?);
        (is_equal(&self.before, before) && is_equal(behind, after)).then_some(matched)
    }

    /// The text with this in the place of the `*`.
    pub fn filled(&self, with: &str) -> String {
        match &self.behind {
            Some(behind) => format!("{}{with}{behind}", self.before),
            None => self.before.clone(),
        }
    }
}

/// Where PXE clients look for boot servers, and where UEFI asks from (PXE 2.1, 2.2.4): the server's own on each interface, and no transfer's.
pub const BOOT_SERVER_PORT: u16 = 4011;

/// Reads `[tftp]` and its `[[tftp.rewrite]]`s.
pub(super) fn read(findings: &mut Findings<'_>, tables: &Tables<'_>) -> Option<Tftp> {
    let tftp = tables.one(findings, "tftp");
    let ports = tftp.text(findings, "port-range", ports);
    let single_port = tftp.truth(findings, "single-port");
    if tftp.has("port-range") && single_port.as_ref().is_some_and(|single| single.value) {
        let message = "port-range: with single-port = true everything is sent from port 69";
        findings.error(&tftp.key_span("port-range"), message, Some("leave out one of them".into()));
    }
    let unique_roots = [("none", UniqueRoot::None), ("ip", UniqueRoot::Address), ("mac", UniqueRoot::Mac)];
    let block_octets_max = tftp.integer(findings, "block-size-max");
    let case_fold = tftp.truth(findings, "case-fold");
    let unique_root = tftp.word(findings, "unique-root", &unique_roots);
    let senders = tftp.integer(findings, "senders");
    let rewrite = |findings: &mut Findings<'_>, entry: Entry<'_>| read_rewrite(findings, &entry);
    let rewrites = tables.all(findings, "tftp.rewrite", TFTP_REWRITES_MAX, rewrite);
    Some(Tftp {
        ports: ports.map(|ports| ports.value),
        single_port: single_port?.value,
        block_octets_max: u16::try_from(block_octets_max?.value).ok()?,
        case_fold: case_fold?.value,
        unique_root: unique_root?.value,
        senders: senders.and_then(|senders| u8::try_from(senders.value).ok()),
        rewrites,
    })
}

fn read_rewrite(findings: &mut Findings<'_>, entry: &Entry<'_>) -> Option<Rewrite> {
    let pattern: Option<Placed<Pattern>> = entry.text(findings, "pattern", name_pattern);
    let replacement = entry.text(findings, "replacement", name_pattern);
    let kinds = FIRMWARE.each_ref().map(|row| (row.key, row.kind));
    let architecture = entry.word(findings, "architecture", &kinds);
    let (pattern, replacement) = (pattern?, replacement?);
    if replacement.value.behind.is_some() && pattern.value.behind.is_none() {
        let message = "replacement: its `*` stands for nothing, as the pattern has none";
        findings.error(&replacement.span, message, Some("write a `*` in the pattern, or none here".into()));
    }
    Some(Rewrite {
        pattern: pattern.value,
        replacement: replacement.value,
        architecture: architecture.map(|architecture| architecture.value),
    })
}

/// `FIRST-LAST`, or one port alone.
fn ports(text: &str) -> Result<RangeInclusive<u16>, Wrong> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    // Below 1024 are the ports of other services, and after the start the server may not bind them anyway.
    let port = |text: &str| value::decimal(text.trim()).and_then(|port| u16::try_from(port).ok());
    let ports = port(first).zip(port(last)).filter(|(first, _)| *first >= 1024);
    let Some((first, last)) = ports else {
        let message = format!("{} is no range of ports", quoted(text));
        return Err(Wrong::with(message, "two of 1024 to 65535, as \"30000-30015\""));
    };
    if last < first {
        let remedy = format!("write \"{last}-{first}\"");
        return Err(Wrong::with(format!("{} runs backwards", quoted(text)), remedy));
    }
    if (first, last) == (BOOT_SERVER_PORT, BOOT_SERVER_PORT) {
        let message = format!("{} is where PXE clients find heorot's boot server", quoted(text));
        return Err(Wrong::with(message, "name another port, or several, as \"30000-30015\""));
    }
    Ok(first..=last)
}

/// A name below the boot directory, with at most one `*`.
fn name_pattern(text: &str) -> Result<Pattern, Wrong> {
    if let Some(relative) = text.strip_prefix('/') {
        let message = format!("{} begins with a slash, and names are compared without", quoted(text));
        return Err(Wrong::with(message, format!("write {relative:?}")));
    }
    let example = "as \"Boot/x64/*\", \"*/grubx64.efi\" or \"kernel\"";
    let is_wrong = |part: &str| matches!(part, "" | "." | "..") || part.contains('\\');
    if text.split('/').any(is_wrong) || text.chars().any(char::is_control) {
        let message = format!("{} is no name: it has \"\\\\\", \"..\" or an empty part", quoted(text));
        return Err(Wrong::with(message, example));
    }
    if text.len() > TFTP_NAME_OCTETS_MAX || text.matches('*').count() > 1 {
        let message = format!("{} has more than one `*`, or more than 512 octets", quoted(text));
        return Err(Wrong::with(message, example));
    }
    Ok(match text.split_once('*') {
        Some((before, behind)) => Pattern { before: before.into(), behind: Some(behind.into()) },
        None => Pattern { before: text.into(), behind: None },
    })
}

#[cfg(test)]
mod tests;
