//! SSH host keys. As the address of a number is arithmetic, its key is: Ed25519 (RFC 8032) from a seed that is made of the server's secret and the number. So it is the
//! same in every boot, goes on with the number when a board is exchanged, is known before its node is ever switched on, and there is nothing to be kept, lost or put in
//! order. Who has the server's secret has all of them: it is in the store, for its owner alone.

use super::tree::{Content, Entry};
use heorot_names::{Directory, NodeSet, Numbering};
use ring::hmac;
use ring::signature::{Ed25519KeyPair, KeyPair};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};

/// The keys of all numbers.
#[derive(Clone)]
pub(super) struct Keys {
    from: hmac::Key,
    /// Public keys by number, as many as one list of known hosts has: a thousand nodes may each want all of them, and each takes a moment to be made.
    public: Arc<Mutex<BTreeMap<u32, [u8; 32]>>>,
}

/// Where sshd looks for it (sshd_config(5), HostKey).
const PRIVATE: &str = "etc/ssh/ssh_host_ed25519_key";
const PUBLIC: &str = "etc/ssh/ssh_host_ed25519_key.pub";

/// The name of the algorithm (RFC 8709 4).
const ALGORITHM: &[u8] = b"ssh-ed25519";

/// Names of one file of known hosts.
const KNOWN_HOSTS_MAX: u64 = 65_536;

impl Keys {
    pub(super) fn new(secret: &[u8; 16]) -> Self {
        Self { from: hmac::Key::new(hmac::HMAC_SHA256, secret), public: Arc::default() }
    }

    /// The files of a number's key.
    pub(super) fn entries(&self, number: u32, comment: &str) -> [(String, Entry); 2] {
        let (seed, public) = self.pair(number);
        let file = |text: String, permissions, is_secret| Entry {
            content: Content::File(text.into_bytes()),
            permissions,
            owner: (0, 0),
            modified: 0,
            from: "ssh-host-key".to_owned(),
            is_secret,
        };
        [
            (PRIVATE.to_owned(), file(private_file(&seed, &public, comment), 0o600, true)),
            (PUBLIC.to_owned(), file(format!("{} {comment}\n", public_text(&public)), 0o644, false)),
        ]
    }

    /// `node23,node23.cluster,10.77.1.23 ssh-ed25519 …` (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT), for these numbers.
    pub(super) fn known_hosts(&self, directory: &Directory, numbers: &NodeSet) -> Result<String, String> {
        if numbers.size() > KNOWN_HOSTS_MAX {
            return Err(format!(
                "more than {KNOWN_HOSTS_MAX} numbers have host keys, which is too long a list"
            ));
        }
        let mut known = self.public.lock().unwrap_or_else(PoisonError::into_inner);
        // Numbers of an earlier configuration.
        let all = directory.numbers();
        known.retain(|number, _| all.contains(*number));
        let mut text = String::new();
        for number in numbers.iter() {
            let public = *known.entry(number).or_insert_with(|| self.pair(number).1);
            let line = writeln!(text, "{} {}", names(directory, number).join(","), public_text(&public));
            line.expect("a text takes whatever is written to it");
        }
        Ok(text)
    }

    fn pair(&self, number: u32) -> ([u8; 32], [u8; 32]) {
        let mut words = b"heorot ssh-host-key ed25519 1 ".to_vec();
        words.extend(number.to_be_bytes());
        let tag = hmac::sign(&self.from, &words);
        let seed: [u8; 32] = tag.as_ref().try_into().expect("SHA-256 has 32 octets");
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).expect("32 octets are a seed");
        let public = pair.public_key().as_ref().try_into().expect("a public key has 32 octets");
        (seed, public)
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys")
    }
}

/// Everything that a node is called by those who log in.
fn names(directory: &Directory, number: u32) -> Vec<String> {
    let (given, computed) = (directory.name(number), directory.pattern.name(number));
    let own: Vec<&String> =
        [&given].into_iter().chain(Some(&computed).filter(|name| **name != given)).collect();
    let there = |network: &&Numbering| network.numbers.contains(number);
    let of_network = |network: &Numbering| {
        let named = own.iter().map(|name| format!("{name}{}", network.suffix));
        let named: Vec<String> =
            named.flat_map(|name| [name.clone(), format!("{name}.{}", directory.zone)]).collect();
        let addresses = network.address(number).map(|address| address.to_string());
        let addresses =
            addresses.into_iter().chain(network.address_ipv6(number).map(|address| address.to_string()));
        named.into_iter().chain(addresses).collect::<Vec<String>>()
    };
    let mut all = Vec::new();
    for name in directory.networks.iter().filter(there).flat_map(of_network) {
        if !all.contains(&name) {
            all.push(name);
        }
    }
    all
}

/// `ssh-ed25519 AAAA…`
fn public_text(public: &[u8; 32]) -> String {
    format!("ssh-ed25519 {}", base64(&public_blob(public)))
}

/// RFC 8709 4.
fn public_blob(public: &[u8; 32]) -> Vec<u8> {
    let mut blob = Vec::new();
    string(&mut blob, ALGORITHM);
    string(&mut blob, public);
    blob
}

/// A private key that no pass phrase guards (OpenSSH's PROTOCOL.key).
fn private_file(seed: &[u8; 32], public: &[u8; 32], comment: &str) -> String {
    let mut inner = Vec::new();
    // Twice the same number, by which OpenSSH sees whether it deciphered rightly. Here it need not be by chance.
    inner.extend(&public[..4]);
    inner.extend(&public[..4]);
    string(&mut inner, ALGORITHM);
    string(&mut inner, public);
    string(&mut inner, &[*seed, *public].concat());
    string(&mut inner, comment.as_bytes());
    // As many octets as fill the last block: 1, 2, 3 …
    inner.extend((1..=7_u8).take(inner.len().next_multiple_of(8) - inner.len()));
    let mut whole = b"openssh-key-v1\0".to_vec();
    string(&mut whole, b"none");
    string(&mut whole, b"none");
    string(&mut whole, b"");
    whole.extend(1_u32.to_be_bytes());
    string(&mut whole, &public_blob(public));
    string(&mut whole, &inner);
    let text = base64(&whole);
    let lines: Vec<&str> =
        (0..text.len()).step_by(70).map(|at| &text[at..(at + 70).min(text.len())]).collect();
    format!("-----BEGIN OPENSSH PRIVATE KEY-----\n{}\n-----END OPENSSH PRIVATE KEY-----\n", lines.join("\n"))
}

/// RFC 4251 5.
fn string(out: &mut Vec<u8>, octets: &[u8]) {
    out.extend(u32::try_from(octets.len()).expect("parts of keys are short").to_be_bytes());
    out.extend(octets);
}

/// RFC 4648 4.
fn base64(octets: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in octets.chunks(3) {
        let bits = (0..3).fold(0_u32, |bits, at| bits << 8 | u32::from(three.get(at).copied().unwrap_or(0)));
        for place in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= three.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests;
