//! `[[dns.key]]`: secrets that are shared with secondaries, and with programs that update names.

use super::entry::{Entry, Placed};
use super::mistake::{Findings, quoted};
use super::value::{self, Wrong};
use super::zone::{check_name, in_zone};
use heorot_names::Owners;
use heorot_names::dynamic::DYNAMIC_TYPES;
use std::fmt;

/// A secret that is shared with another server or program (RFC 8945).
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    /// A domain name.
    pub name: String,
    /// How messages are signed with it.
    pub algorithm: Algorithm,
    /// The octets of the secret.
    pub secret: Vec<u8>,
    /// Whether zones may be copied with it.
    pub may_transfer: bool,
    /// What may be updated with it, if anything.
    pub updates: Option<Updates>,
}

/// What a key may update (RFC 2136).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Updates {
    /// Names; none for all of our zones.
    pub names: Vec<Owners>,
    /// Types by their numbers; none for all that may come by updates.
    pub types: Vec<u16>,
}

/// How messages are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// hmac-sha256
    Sha256,
    /// hmac-sha384
    Sha384,
    /// hmac-sha512
    Sha512,
}

/// Without the secret.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({} {:?})", self.name, self.algorithm)
    }
}

/// Reads a `[[dns.key]]`.
pub(super) fn read_key(
    findings: &mut Findings<'_>,
    key: &Entry<'_>,
    zone: Option<&str>,
) -> Option<(Placed<String>, Key)> {
    let name = key.text(findings, "name", value::domain_name);
    let algorithms = [
        ("hmac-sha256", Algorithm::Sha256),
        ("hmac-sha384", Algorithm::Sha384),
        ("hmac-sha512", Algorithm::Sha512),
    ];
    let algorithm = key.word(findings, "algorithm", &algorithms);
    let secret = key.text(findings, "secret", secret);
    let uses = key.texts(findings, "use", |text| match text {
        "transfer" => Ok(Use::Transfer),
        "update" => Ok(Use::Update),
        _ => Err(Wrong::with(format!("unknown word {}", quoted(text)), "there is \"transfer\", \"update\"")),
    });
    let names = key.texts(findings, "names", |text| owners(text, zone));
    let types = key.texts(findings, "types", updated_type);
    let (uses, names, types) = (uses?, names?, types?);
    let is_for = |wanted: Use| uses.value.iter().any(|word| word.value == wanted);
    if !is_for(Use::Update) {
        let narrowed = [("names", &names.span, names.value.len()), ("types", &types.span, types.value.len())];
        for (what, span, _) in narrowed.into_iter().filter(|(.., count)| *count > 0) {
            let message = format!("{what}: they are of updates, which this key is not for");
            findings.error(span, message, Some("write use = \"update\"".into()));
        }
    }
    let plain =
        |types: Placed<Vec<Placed<u16>>>| types.value.into_iter().map(|placed| placed.value).collect();
    let updates = is_for(Use::Update).then(|| Updates {
        names: names.value.into_iter().map(|placed| placed.value).collect(),
        types: plain(types),
    });
    let name = name?;
    let may_transfer = is_for(Use::Transfer);
    let (algorithm, secret) = (algorithm?.value, secret?.value);
    let made = Key { name: name.value.clone(), algorithm, secret, may_transfer, updates };
    Some((name, made))
}

/// What a key is good for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Transfer,
    Update,
}

/// Names that a key may update: "www", "*.acme", "_acme-challenge.*", "*" for all of the zone; with a final dot whole ones.
fn owners(text: &str, zone: Option<&str>) -> Result<Owners, Wrong> {
    let lower = text.to_ascii_lowercase();
    let zone_name = zone.unwrap_or_default();
    let whole = |name: &str| match name.strip_suffix('.') {
        Some(whole) => whole.to_owned(),
        None => in_zone(name, zone_name),
    };
    let check = |name: &str| check_name(text, name.strip_suffix('.').unwrap_or(name), zone);
    match (lower.strip_prefix("*."), lower.strip_suffix(".*")) {
        _ if lower == "*" => Ok(Owners::Below(zone_name.to_owned())),
        _ if lower == "@" => Ok(Owners::Exactly(zone_name.to_owned())),
        (Some(above), _) => check(above).map(|()| Owners::Below(whole(above))),
        (None, Some(labels)) => {
            check(labels).map(|()| Owners::Beginning(labels.to_owned(), zone_name.to_owned()))
        }
        (None, None) => check(&lower).map(|()| Owners::Exactly(whole(&lower))),
    }
}

/// A type that may come by updates.
fn updated_type(text: &str) -> Result<u16, Wrong> {
    let known = DYNAMIC_TYPES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
    known.map(|(_, number)| *number).ok_or_else(|| {
        let names: Vec<_> = DYNAMIC_TYPES.iter().map(|(name, _)| *name).collect();
        Wrong::with(format!("{} is no type that comes by updates", quoted(text)), names.join(", "))
    })
}

/// Octets in base 64 (RFC 4648 4), as tsig-keygen and keymgr write them.
fn secret(text: &str) -> Result<Vec<u8>, Wrong> {
    let wrong = |why: &str| {
        let remedy = "`tsig-keygen` or `keymgr -t NAME` make one: its secret, between quotation marks";
        Err(Wrong::with(format!("the secret {why}"), remedy))
    };
    let digit = |octet: u8| match octet {
        b'A'..=b'Z' => Some(octet - b'A'),
        b'a'..=b'z' => Some(octet - b'a' + 26),
        b'0'..=b'9' => Some(octet - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let padding = text.len() - text.trim_end_matches('=').len();
    if text.is_empty() || !text.len().is_multiple_of(4) || padding > 2 {
        return wrong("is not in base 64");
    }
    let mut octets = Vec::new();
    for four in text.trim_end_matches('=').as_bytes().chunks(4) {
        let digits: Option<Vec<u8>> = four.iter().map(|octet| digit(*octet)).collect();
        let Some(digits) = digits else { return wrong("is not in base 64") };
        let bits = digits.iter().fold(0_u32, |bits, digit| bits << 6 | u32::from(*digit))
            << (6 * (4 - digits.len()));
        octets.extend_from_slice(&bits.to_be_bytes()[1..digits.len()]);
    }
    // RFC 8945 8: as long as what the algorithm makes of it; half of SHA-256's is what people have.
    match octets.len() {
        16..=64 => Ok(octets),
        _ => wrong("has to have 16 to 64 octets"),
    }
}
