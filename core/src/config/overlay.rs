//! `[overlay]`, and what profiles say of it: the small files that a node gets when it boots.

use super::entry::{Entry, Placed};
use super::mistake::{Findings, quoted};
use super::read::{Draft, Tables};
use super::value::{self, Wrong};
use crate::limit::{OVERLAY_NAME_OCTETS_MAX, OVERLAYS_PER_PROFILE_MAX};
use serde::{Deserialize, Serialize};

/// The small files of a node, by the names of the directories that they are made from. Of a file that is in several, the last counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overlays {
    /// What its users may read too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<String>,
    /// What is given once a boot, and to its agent alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secret: Vec<String>,
    /// Whether it gets the SSH host key of its number, with the secrets.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ssh_host_key: bool,
}

impl Overlays {
    /// Whether there is nothing to be had.
    pub fn are_none(&self) -> bool {
        self.open.is_empty() && !self.have_secrets()
    }

    /// Whether there is something that is given once.
    pub fn have_secrets(&self) -> bool {
        !self.secret.is_empty() || self.ssh_host_key
    }
}

/// What a profile says of overlays itself.
#[derive(Default)]
pub(super) struct OverlaysDraft {
    open: Option<Placed<Vec<Placed<String>>>>,
    secret: Option<Placed<Vec<Placed<String>>>>,
    ssh_host_key: Option<Placed<bool>>,
}

/// Where overlays are.
pub(super) fn read(findings: &mut Findings<'_>, tables: &Tables<'_>) -> Option<String> {
    let overlay = tables.one(findings, "overlay");
    overlay.text(findings, "directory", value::absolute_path).map(|directory| directory.value)
}

/// Reads `overlays`, `secrets` and `ssh-host-key` of a profile.
pub(super) fn read_profile(
    findings: &mut Findings<'_>,
    profile: &Entry<'_>,
    is_default: bool,
) -> OverlaysDraft {
    let wanted = |key: &str| is_default || profile.has(key);
    let mut names = |key: &str| {
        let names = wanted(key).then(|| profile.texts(findings, key, name)).flatten()?;
        if let Some(excess) = names.value.get(OVERLAYS_PER_PROFILE_MAX) {
            findings.error(&excess.span, format!("{key}: more than {OVERLAYS_PER_PROFILE_MAX}"), None);
        }
        Some(names)
    };
    let (open, secret) = (names("overlays"), names("secrets"));
    let ssh_host_key = wanted("ssh-host-key").then(|| profile.truth(findings, "ssh-host-key")).flatten();
    OverlaysDraft { open, secret, ssh_host_key }
}

/// What is a secret for one profile is no overlay of any: whoever may read the one would have the other.
pub(super) fn check(findings: &mut Findings<'_>, draft: &Draft) {
    let all = || draft.profiles.values().map(|profile| &profile.overlays);
    let names = |names: &Option<Placed<Vec<Placed<String>>>>| -> Vec<Placed<String>> {
        names.iter().flat_map(|names| names.value.iter().cloned()).collect()
    };
    let secret: Vec<_> = all().flat_map(|overlays| names(&overlays.secret)).collect();
    for open in all().flat_map(|overlays| names(&overlays.open)) {
        let Some(other) = secret.iter().find(|other| other.value == open.value) else { continue };
        let line = findings.line(&other.span);
        let message = format!("overlays: {} is a secret on line {line}", quoted(&open.value));
        let remedy = "what users of nodes may read belongs in a directory of its own";
        findings.error(&open.span, message, Some(remedy.into()));
    }
}

/// What a profile has by what it and those that it inherits from say, the nearest first.
pub(super) fn build(line: &[&OverlaysDraft]) -> Option<Overlays> {
    let plain = |names: &Placed<Vec<Placed<String>>>| -> Vec<String> {
        names.value.iter().map(|name| name.value.clone()).collect()
    };
    Some(Overlays {
        open: plain(line.iter().find_map(|draft| draft.open.as_ref())?),
        secret: plain(line.iter().find_map(|draft| draft.secret.as_ref())?),
        ssh_host_key: line.iter().find_map(|draft| draft.ssh_host_key.as_ref())?.value,
    })
}

/// The name of an overlay: a directory, whose name leads nowhere else and has no `.d` behind it.
fn name(text: &str) -> Result<String, Wrong> {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    if !text.is_empty() && text.len() <= OVERLAY_NAME_OCTETS_MAX && text.bytes().all(is_plain) {
        return Ok(text.to_owned());
    }
    let remedy = format!("up to {OVERLAY_NAME_OCTETS_MAX} letters, digits, '-' and '_'");
    Err(Wrong::with(format!("{} is no name of an overlay", quoted(text)), remedy))
}

#[cfg(test)]
mod tests;
