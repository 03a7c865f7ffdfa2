//! Which file a name means: as machines write names, as the operator rewrites them, and in whose directory it is looked for.

use crate::cluster::boot::{self, BOOT_IPXE};
use crate::cluster::loader_file::generated;
use crate::config::UniqueRoot;
use crate::hall::Turn;
use crate::mac::Mac;
use crate::message::{Answer, Request};
use std::net::Ipv4Addr;

/// The path below the boot directory that is asked for.
///
/// # Errors
/// What is answered instead: nothing was named, or something that is nobody's business.
pub(super) fn meant(turn: &Turn<'_>, request: &Request, machine: Option<Mac>) -> Result<String, Answer> {
    // Some ROMs ask for a file without a name, or for two quotes around none, and mean what they were told of, or asked for last.
    if matches!(request.path.as_str(), "" | "''") && request.via.is_tftp() {
        let last = machine.and_then(|mac| turn.hall.nodes.get(mac)?.boot.file.clone());
        return last.ok_or_else(|| Answer::Missing("no file was named".into()));
    }
    let path = normalized(&request.path)?;
    if !request.via.is_tftp() {
        return Ok(path);
    }
    let machine = machine.or_else(|| host_at(turn, request.from));
    let path = folded(turn.config.tftp.case_fold, rewritten(turn, path, machine)?);
    if is_of_another(turn.config.tftp.unique_root, &path, request.from, machine) {
        return Err(Answer::Refused(format!("{path} is in another machine's directory")));
    }
    Ok(path)
}

/// The file of a path: where machines have directories of their own, the one there goes first.
pub(super) fn file(turn: &Turn<'_>, request: &Request, path: &str, machine: Option<Mac>) -> Answer {
    let machine = machine.or_else(|| host_at(turn, request.from));
    let own = match turn.config.tftp.unique_root {
        UniqueRoot::Address => Some(request.from.to_string()),
        UniqueRoot::Mac => machine.map(directory_of),
        UniqueRoot::None => None,
    };
    match own.filter(|_| request.via.is_tftp()) {
        Some(own) => Answer::FirstOf([format!("{own}/{path}"), path.into()]),
        None => Answer::File(path.into()),
    }
}

/// The `[[host]]` at an address: who was granted it last, or whose it is as the file says. It is no node, and nothing is made for it; but what is kept for a machine is kept for it too.
fn host_at(turn: &Turn<'_>, address: Ipv4Addr) -> Option<Mac> {
    turn.hall.heard.by_address(address).or_else(|| turn.hall.reservations.mac_at(address))
}

/// A path relative to the boot directory: backslashes of old ROMs and repeated slashes folded.
pub(super) fn normalized(path: &str) -> Result<String, Answer> {
    let path = path.replace('\\', "/");
    let parts: Vec<_> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    if parts.contains(&"..") {
        return Err(Answer::Refused("a name with .. in it could lead out of the boot directory".into()));
    }
    if parts.is_empty() {
        return Err(Answer::Missing("no file was named".into()));
    }
    Ok(parts.join("/"))
}

/// What the operator wants to be sent for this name.
fn rewritten(turn: &Turn<'_>, path: String, machine: Option<Mac>) -> Result<String, Answer> {
    let tftp = &turn.config.tftp;
    let firmware = machine.and_then(|mac| match turn.hall.nodes.node(mac) {
        Some(node) => node.boot.firmware_kind,
        None => turn.hall.heard.get(mac)?.firmware,
    });
    let fits =
        tftp.rewrites.iter().filter(|rule| rule.architecture.is_none_or(|kind| Some(kind) == firmware));
    let mut made = fits.filter_map(|rule| {
        let matched = rule.pattern.matched(&path, tftp.case_fold)?;
        Some(rule.replacement.filled(matched))
    });
    match made.next() {
        // What a machine put in the place of the `*` may not lead out either.
        Some(made) => normalized(&made),
        None => Ok(path),
    }
}

/// Where letters are not told apart by their size, that holds for the names of what is made, too. The folder stays as it was written: what is kept in one of that name is looked for there.
fn folded(case_fold: bool, path: String) -> String {
    const MADE: [&str; 3] = [BOOT_IPXE, "grub.cfg", "pxelinux.cfg/"];
    if !case_fold || generated(&path).is_some() {
        return path;
    }
    let small = path.to_ascii_lowercase();
    let found = MADE.iter().find_map(|name| Some((small.rfind(name)?, name)));
    let Some((at, name)) = found.filter(|_| generated(&small).is_some()) else { return path };
    let (folder, rest) = (&path[..at], &path[at + name.len()..]);
    let rest = if rest.eq_ignore_ascii_case("default") { "default" } else { rest };
    format!("{folder}{name}{rest}")
}

/// Whether a path is in a directory that another machine has to itself.
fn is_of_another(root: UniqueRoot, path: &str, from: Ipv4Addr, machine: Option<Mac>) -> bool {
    let first = path.split('/').next().unwrap_or_default();
    match root {
        UniqueRoot::None => false,
        UniqueRoot::Address => first.parse::<Ipv4Addr>().is_ok_and(|address| address != from),
        UniqueRoot::Mac => first.parse::<Mac>().is_ok_and(|mac| Some(mac) != machine),
    }
}

/// The name of a machine's directory: its hardware address as PXELINUX writes it.
fn directory_of(mac: Mac) -> String {
    boot::hyphenated(mac)
}

#[cfg(test)]
mod tests;
