//! `profile.root`: where the root file system of a node comes from; and `[nfs]`, which serves those that are directories of this host.

use super::Profile;
use super::entry::Placed;
use super::http::DNS_PORT;
use super::mistake::{Findings, quoted};
use super::read::{Draft, ProfileDraft, Tables};
use super::setting::nearest;
use super::value::{self, Wrong};
use crate::limit::{NFS_DIRECTORIES_MAX, NFS_PATH_OCTETS_MAX};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

/// Where the root file system of a node comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Root {
    /// It is all in the initial RAM disk: `none`.
    #[default]
    None,
    /// A directory of this host, which is served by NFS here: `nfs:DIR`. Absolute, without `//`, `.`, `..` and a final slash.
    Here(String),
    /// A directory of another server, by NFS version 3: `nfs:HOST:/path`.
    Nfs(Export),
    /// The same by version 4: `nfs4:HOST:/path`.
    Nfs4(Export),
    /// An image below the boot directory, served by HTTP: `http:FILE`. Relative, without `..`.
    Image(String),
    /// An image of another server: `http://HOST/path`, as the operator wrote it.
    Url(String),
}

/// What another NFS server exports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// A name or an address.
    pub server: String,
    /// An absolute path.
    pub path: String,
}

/// What the operator says of the NFS server, which runs if there is something to serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nfs {
    /// Its port, by TCP: for files and for mounting alike.
    pub port: u16,
    /// What is served, in the order of the alphabet: the roots of profiles, and the directories that `[nfs]` names beside them.
    pub directories: Vec<String>,
    /// Whether whoever calls from an unprivileged port is believed who he is.
    pub insecure: bool,
}

/// The directories of `[nfs]`, and its port.
pub(super) struct NfsDraft {
    port: Placed<u32>,
    /// Whether the operator wrote it.
    is_port_given: bool,
    directories: Vec<String>,
    insecure: bool,
}

impl Root {
    /// Reads what stands in the configuration.
    pub(super) fn read(text: &str, boot_directory: &str) -> Result<Self, Wrong> {
        if text == "none" {
            return Ok(Self::None);
        }
        let Some((kind, rest)) = text.split_once(':') else {
            let words = ["none", "nfs", "nfs4", "http"];
            let remedy = match nearest(text, words) {
                Some("none") => "did you mean \"none\"?".to_owned(),
                Some(_) | None => FORMS.to_owned(),
            };
            return Err(Wrong::with(format!("unknown word {}", quoted(text)), remedy));
        };
        match kind {
            "nfs" if rest.starts_with('/') => directory(rest).map(Self::Here),
            "nfs" => export(text, rest).map(Self::Nfs),
            "nfs4" => export(text, rest).map(Self::Nfs4),
            "http" if rest.starts_with("//") => url(text).map(Self::Url),
            "http" => value::file_name_by_http(rest, boot_directory)
                .map(Self::Image)
                .map_err(|wrong| behind(wrong, "http:".len())),
            _ => Err(Wrong::with(format!("{} is no root file system", quoted(text)), FORMS)),
        }
    }
}

impl FromStr for Root {
    type Err = String;

    /// Reads what [`Display`](fmt::Display) wrote: that of a boot that began before a restart.
    fn from_str(text: &str) -> Result<Self, String> {
        Self::read(text, "/").map_err(|wrong| wrong.message)
    }
}

impl fmt::Display for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Here(directory) => write!(f, "nfs:{directory}"),
            Self::Nfs(Export { server, path }) => write!(f, "nfs:{server}:{path}"),
            Self::Nfs4(Export { server, path }) => write!(f, "nfs4:{server}:{path}"),
            Self::Image(file) => write!(f, "http:{file}"),
            Self::Url(url) => f.write_str(url),
        }
    }
}

/// What a root may be.
const FORMS: &str = "there is \"none\", \"nfs:/directory\", \"nfs:HOST:/path\", \"nfs4:HOST:/path\", \"http:FILE\" and \"http://HOST/path\"";

/// Reads `[nfs]`.
pub(super) fn read_nfs(findings: &mut Findings<'_>, tables: &Tables<'_>) -> Option<NfsDraft> {
    let nfs = tables.one(findings, "nfs");
    let port = nfs.integer(findings, "port");
    let directories = nfs.texts(findings, "directories", directory);
    let insecure = nfs.truth(findings, "insecure");
    if let Some(directories) = directories.as_ref().filter(|d| d.value.len() > NFS_DIRECTORIES_MAX) {
        let message = format!("directories: more than {NFS_DIRECTORIES_MAX}");
        findings.error(&directories.span, message, Some("name one above them".into()));
    }
    let directories = directories?.value.into_iter().map(|directory| directory.value).collect();
    Some(NfsDraft { port: port?, is_port_given: nfs.has("port"), directories, insecure: insecure?.value })
}

/// Its port is no other's that is ours, if there is something to serve.
pub(super) fn check(findings: &mut Findings<'_>, draft: &Draft) {
    let Some(nfs) = &draft.nfs else { return };
    let is_here =
        |profile: &ProfileDraft| matches!(profile.root.as_ref().map(|root| &root.value), Some(Root::Here(_)));
    if nfs.directories.is_empty() && !draft.profiles.values().any(is_here) {
        return;
    }
    if nfs.port.value == DNS_PORT {
        let message = format!("port {DNS_PORT} is that of our own DNS");
        findings.error(&nfs.port.span, message, Some("give another one, as 2049".into()));
    }
    let of_http = draft.http.iter().flat_map(|http| &http.ports);
    for port in of_http.filter(|port| port.value == nfs.port.value) {
        let span = if nfs.is_port_given { &nfs.port.span } else { &port.span };
        let message = format!("HTTP and NFS cannot both have port {}", port.value);
        findings.error(span, message, Some("give them two, as 80 and 2049".into()));
    }
}

/// What is to be served, if anything is.
pub(super) fn build_nfs(draft: NfsDraft, profiles: &BTreeMap<String, Profile>) -> Option<Nfs> {
    let of_profiles = profiles.values().filter_map(|profile| match &profile.root {
        Root::Here(directory) => Some(directory.clone()),
        Root::None | Root::Nfs(_) | Root::Nfs4(_) | Root::Image(_) | Root::Url(_) => None,
    });
    let directories: BTreeSet<String> = of_profiles.chain(draft.directories.iter().cloned()).collect();
    let directories: Vec<String> = directories.into_iter().collect();
    let (port, insecure) = (u16::try_from(draft.port.value).ok()?, draft.insecure);
    (!directories.is_empty()).then_some(Nfs { port, directories, insecure })
}

/// What is wrong with a part of a text, said of the whole of it.
fn behind(wrong: Wrong, octets: usize) -> Wrong {
    let within = wrong.within.map(|within| within.start + octets..within.end + octets);
    Wrong { within, ..wrong }
}

/// A directory of this host, in one form alone: clients ask for it by this name.
fn directory(text: &str) -> Result<String, Wrong> {
    let path = value::absolute_path(text)?;
    let parts: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    // Everything that this host has, its passwords and its keys, for whoever is on the network.
    if parts.is_empty() {
        let message = format!("{} is all that this host has, which no node may read", quoted(text));
        return Err(Wrong::with(message, "name the directory that is to be a root, as \"/srv/heorot-root\""));
    }
    let path = format!("/{}", parts.join("/"));
    if path.len() > NFS_PATH_OCTETS_MAX {
        let message = format!("{} is longer than clients can ask for", quoted(text));
        return Err(Wrong::with(message, format!("at most {NFS_PATH_OCTETS_MAX} octets")));
    }
    Ok(path)
}

/// `HOST:/path`.
fn export(whole: &str, text: &str) -> Result<Export, Wrong> {
    let example = "as \"nfs:storage.example.org:/export/root\"";
    let Some((server, path)) = text.split_once(":/") else {
        return Err(Wrong::with(format!("{} has no host and path", quoted(whole)), example));
    };
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    if server.is_empty() || server.len() > 253 || !server.bytes().all(allowed) {
        return Err(Wrong::with(format!("{} is no host", quoted(server)), example));
    }
    let path = value::absolute_path(&format!("/{path}"))?;
    Ok(Export { server: server.to_owned(), path })
}

/// `http://HOST/path`: printable, and with something behind the host.
fn url(text: &str) -> Result<String, Wrong> {
    let rest = text.strip_prefix("http://").unwrap_or_default();
    let is_whole = rest.split_once('/').is_some_and(|(host, path)| !host.is_empty() && !path.is_empty());
    if !is_whole || !text.bytes().all(|b| b.is_ascii_graphic()) {
        let message = format!("{} is no URL of a file", quoted(text));
        return Err(Wrong::with(message, "as \"http://10.77.0.1/image.squashfs\""));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests;
