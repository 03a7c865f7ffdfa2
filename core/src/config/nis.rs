//! `[nis]`: for which domain, at which port, and with which accounts.

use super::entry::Placed;
use super::mistake::{Findings, quoted};
use super::read::Tables;
use super::value::{self, Wrong};
use crate::limit::NIS_DOMAIN_OCTETS_MAX;

/// What the operator says of NIS, if there is to be any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nis {
    /// The domain.
    pub domain: String,
    /// The port that is taken if it is free.
    pub port: u16,
    /// The file of users.
    pub passwd: Option<String>,
    /// The file of groups.
    pub group: Option<String>,
}

/// None: there is to be no NIS, or something was wrong.
pub(super) fn read(findings: &mut Findings<'_>, tables: &Tables<'_>) -> Option<Nis> {
    let nis = tables.one(findings, "nis");
    let domain: Option<Placed<String>> = nis.text(findings, "domain", domain);
    let port = nis.integer(findings, "port");
    let passwd = nis.text(findings, "passwd", accounts);
    let group = nis.text(findings, "group", accounts);
    if !nis.has("domain") && ["passwd", "group"].iter().any(|key| nis.has(key)) {
        nis.missing(findings, "domain");
    }
    Some(Nis {
        domain: domain?.value,
        port: u16::try_from(port?.value).ok()?,
        passwd: passwd.map(|path| path.value),
        group: group.map(|path| path.value),
    })
}

fn domain(text: &str) -> Result<String, Wrong> {
    // Clients keep what they know of a domain in a file of its name.
    let allowed = |b: u8| b.is_ascii_graphic() && b != b'/';
    let fits = (1..=NIS_DOMAIN_OCTETS_MAX).contains(&text.len());
    // "(none)" is what the kernel calls no domain at all.
    if !fits || !text.bytes().all(allowed) || text.starts_with('.') || text == "(none)" {
        let message = format!("{} is no NIS domain", quoted(text));
        return Err(Wrong::with(message, "1 to 64 characters without spaces and slashes, as \"cluster\""));
    }
    Ok(text.to_owned())
}

fn accounts(text: &str) -> Result<String, Wrong> {
    let path = value::absolute_path(text)?;
    let name = path.rsplit('/').next().unwrap_or_default();
    if matches!(name.trim_end_matches('-'), "shadow" | "gshadow") {
        let message = format!("{} holds passwords, and NIS tells them to nobody", quoted(text));
        return Err(Wrong::with(message, "as \"/etc/passwd\" or \"/etc/group\""));
    }
    Ok(path)
}
