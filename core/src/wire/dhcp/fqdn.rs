//! Option 81: a client's name for itself, and the server's answer (RFC 4702).

/// The option, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fqdn {
    /// S: who speaks wants the server to enter the name in DNS; from a server, that it does.
    pub server_updates: bool,
    /// O: the server does otherwise than the client wants.
    pub overridden: bool,
    /// E: the name is written as DNS does, not as text.
    pub canonical: bool,
    /// N: nobody is to enter the name.
    pub no_updates: bool,
    /// The name, without a final dot; it may be a part of one, or empty.
    pub name: String,
}

/// The flags (RFC 4702 2.1).
const SERVER_UPDATES: u8 = 1;
const OVERRIDDEN: u8 = 2;
const CANONICAL: u8 = 4;
const NO_UPDATES: u8 = 8;

/// Results of updates, which nobody heeds any more: a server says 255, a client 0 (RFC 4702 2.2).
const RESULTS_OF_SERVER: [u8; 2] = [255; 2];

/// Octets of a label, and of a name as DNS writes it (RFC 1035 2.3.4).
const LABEL_OCTETS_MAX: usize = 63;
const NAME_OCTETS_MAX: usize = 255;

impl Fqdn {
    /// Reads the option. None: it is none, or its name is not one. Compression has no place here (RFC 4702 2.3.1).
    pub fn parse(octets: &[u8]) -> Option<Self> {
        let [flags, _, _, name @ ..] = octets else { return None };
        let is = |flag: u8| flags & flag != 0;
        let name = if is(CANONICAL) { read_labels(name)? } else { read_text(name)? };
        Some(Self {
            server_updates: is(SERVER_UPDATES),
            overridden: is(OVERRIDDEN),
            canonical: is(CANONICAL),
            no_updates: is(NO_UPDATES),
            name,
        })
    }

    /// The option as a server writes it. None: the name cannot be written so.
    pub fn write(&self) -> Option<Vec<u8>> {
        let flag = |flag: u8, is_set: bool| if is_set { flag } else { 0 };
        let flags = flag(SERVER_UPDATES, self.server_updates)
            | flag(OVERRIDDEN, self.overridden)
            | flag(CANONICAL, self.canonical)
            | flag(NO_UPDATES, self.no_updates);
        let mut octets = vec![flags];
        octets.extend(RESULTS_OF_SERVER);
        if !self.canonical {
            octets.extend(self.name.bytes());
            return Some(octets);
        }
        for label in self.name.split('.').filter(|label| !label.is_empty()) {
            octets.push(
                u8::try_from(label.len()).ok().filter(|length| usize::from(*length) <= LABEL_OCTETS_MAX)?,
            );
            octets.extend(label.bytes());
        }
        octets.push(0); // whole, not a part
        (octets.len() <= 3 + NAME_OCTETS_MAX).then_some(octets)
    }
}

/// Labels, each behind its length. With an empty one at the end the name is whole, without it a part of one (RFC 4702 2.3.1).
fn read_labels(mut octets: &[u8]) -> Option<String> {
    if octets.len() > NAME_OCTETS_MAX {
        return None;
    }
    let mut labels = Vec::new();
    while let [length, rest @ ..] = octets {
        let (label, rest) = rest.split_at_checked(usize::from(*length))?;
        match label {
            [] if rest.is_empty() => break,
            [] => return None,
            _ if label.len() > LABEL_OCTETS_MAX || !label.iter().all(|octet| is_of_label(*octet)) => {
                return None;
            }
            _ => labels.push(String::from_utf8_lossy(label)),
        }
        octets = rest;
    }
    Some(labels.join("."))
}

/// The form of before (RFC 4702 2.3.2). Some end it in a zero.
fn read_text(octets: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(octets).ok()?.trim_end_matches('\0');
    let text = text.strip_suffix('.').unwrap_or(text);
    let is_name =
        text.len() <= NAME_OCTETS_MAX && text.bytes().all(|octet| octet == b'.' || is_of_label(octet));
    is_name.then(|| text.to_owned())
}

/// What is seen in host names, and nothing that has a meaning in a journal or a zone.
fn is_of_label(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || octet == b'-' || octet == b'_'
}

#[cfg(test)]
mod tests;
