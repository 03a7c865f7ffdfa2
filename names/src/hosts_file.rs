//! Files of hosts, `/etc/hosts` and its like (hosts(5)), as administrators have them: what of them can be told to others.

use std::collections::BTreeMap;
use std::net::IpAddr;

/// What stands in such a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostsFile {
    /// What is told, in the order of the file.
    pub lines: Vec<HostsLine>,
    /// What is not understood: the number of the line, from 1, and what is wrong there.
    pub mistakes: Vec<(usize, String)>,
}

/// An address, and how it is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostsLine {
    /// Neither a loopback nor a multicast address: how this host calls itself, and groups, means something else to whoever asks.
    pub address: IpAddr,
    /// In lower case, without a final dot; at least one. One without a dot in it is one of the cluster's zone as well.
    pub names: Vec<String>,
}

/// Names of such files that are the cluster's to say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileHosts {
    /// Names in the zone, without it (`web`, `web.apps`; empty: the zone's own), with their addresses. None of them is a node's, a host's or an alias.
    pub names: BTreeMap<String, Vec<IpAddr>>,
    /// Addresses that are no node's and no host's, with the first of their names, whole: it may be outside of the zone.
    pub pointers: BTreeMap<IpAddr, String>,
}

impl HostsFile {
    /// Reads the text of a file.
    pub fn read(text: &str) -> Self {
        let mut file = Self::default();
        for (line, number) in text.lines().zip(1..) {
            let mut words = line.split('#').next().unwrap_or_default().split_ascii_whitespace();
            let Some(first) = words.next() else { continue };
            let Ok(address) = first.parse::<IpAddr>() else {
                file.mistakes.push((number, format!("{} is no address", shown(first))));
                continue;
            };
            if address.is_loopback() || address.is_multicast() {
                continue;
            }
            let (names, wrong): (Vec<&str>, Vec<&str>) = words.partition(|word| is_name(word));
            let is_alone = names.is_empty() && wrong.is_empty();
            let wrong = wrong.into_iter().map(|word| {
                format!("{} is no name: its parts have 1 to 63 of a-z, 0-9, '-' and '_'", shown(word))
            });
            let alone = is_alone.then(|| format!("{address} has no name"));
            file.mistakes.extend(wrong.chain(alone).map(|why| (number, why)));
            if !names.is_empty() {
                let names =
                    names.iter().map(|name| name.trim_end_matches('.').to_ascii_lowercase()).collect();
                file.lines.push(HostsLine { address, names });
            }
        }
        file
    }
}

/// RFC 1035 2.3.4, and the letters of host names (RFC 1123 2.1), with the underscore that many have in theirs.
fn is_name(word: &str) -> bool {
    let name = word.strip_suffix('.').unwrap_or(word);
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let is_label = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(allowed);
    name.len() <= 253 && name.split('.').all(is_label)
}

/// A word of a file that may be anything, for people.
fn shown(word: &str) -> String {
    const CHARACTERS_MAX: usize = 40;
    let begin: String = word.chars().take(CHARACTERS_MAX).collect();
    let more = if begin.len() < word.len() { "…" } else { "" };
    format!("\"{}{more}\"", begin.escape_debug())
}

#[cfg(test)]
mod tests;
