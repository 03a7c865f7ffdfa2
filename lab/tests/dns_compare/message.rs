//! A message as it is compared: names and records as text, sections without regard to their order. It shares no code with the server.

use std::collections::BTreeSet;
use std::fmt::Write as _;

/// What an answer says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    /// With the upper bits of an OPT record.
    pub(crate) code: u16,
    /// AA, TC, RD, RA, AD, CD.
    pub(crate) flags: BTreeSet<&'static str>,
    /// The question, as its octets are.
    pub(crate) question: Vec<u8>,
    pub(crate) answer: BTreeSet<String>,
    pub(crate) authority: BTreeSet<String>,
    /// Without the OPT record.
    pub(crate) additional: BTreeSet<String>,
    /// Version, DO, and the codes of the options.
    pub(crate) edns: Option<(u8, bool, Vec<u16>)>,
    pub(crate) octets: usize,
}

const TYPES: [(u16, &str); 10] = [
    (1, "A"),
    (2, "NS"),
    (5, "CNAME"),
    (6, "SOA"),
    (12, "PTR"),
    (15, "MX"),
    (16, "TXT"),
    (28, "AAAA"),
    (33, "SRV"),
    (255, "ANY"),
];
const OPT: u16 = 41;
const FLAGS: [(u16, &str); 6] =
    [(0x0400, "AA"), (0x0200, "TC"), (0x0100, "RD"), (0x0080, "RA"), (0x0020, "AD"), (0x0010, "CD")];

impl Answer {
    /// Reads a message. None: it does not have its own form, or has something behind its end.
    pub(crate) fn read(message: &[u8]) -> Option<Self> {
        let mut reader = Reader { message, at: 12 };
        let word = |place: usize| Some(u16::from_be_bytes([*message.get(place)?, *message.get(place + 1)?]));
        let bits = word(2)?;
        let mut answer = Self {
            code: bits & 15,
            flags: FLAGS.iter().filter(|(bit, _)| bits & bit != 0).map(|(_, name)| *name).collect(),
            octets: message.len(),
            ..Self::default()
        };
        for _ in 0..word(4)? {
            reader.name()?;
            reader.at += 4;
        }
        answer.question = message.get(12..reader.at)?.to_vec();
        for (section, count) in [word(6)?, word(8)?, word(10)?].into_iter().enumerate() {
            for _ in 0..count {
                let Record { text, kind, class, ttl, data } = reader.record()?;
                if kind == OPT {
                    answer.code |= u16::try_from(ttl >> 24).ok()? << 4;
                    let options = options(data)?;
                    answer.edns = Some(((ttl >> 16) as u8, class != 0 && ttl & 0x8000 != 0, options));
                    continue;
                }
                let set = match section {
                    0 => &mut answer.answer,
                    1 => &mut answer.authority,
                    _ => &mut answer.additional,
                };
                if !set.insert(text) {
                    // A record that is there twice.
                    return None;
                }
            }
        }
        (reader.at == message.len()).then_some(answer)
    }
}

struct Record<'a> {
    text: String,
    kind: u16,
    class: u16,
    ttl: u32,
    data: &'a [u8],
}

struct Reader<'a> {
    message: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn octet(&mut self) -> Option<u8> {
        self.at += 1;
        self.message.get(self.at - 1).copied()
    }

    fn word(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes([self.octet()?, self.octet()?]))
    }

    /// A name in lower case.
    fn name(&mut self) -> Option<String> {
        let mut text = String::new();
        let mut end = None;
        for _ in 0..128 {
            match self.octet()? {
                0 => {
                    self.at = end.unwrap_or(self.at);
                    return Some(if text.is_empty() { ".".into() } else { text });
                }
                length @ 1..64 => {
                    for _ in 0..length {
                        let octet = self.octet()?.to_ascii_lowercase();
                        match octet {
                            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'*' => text.push(char::from(octet)),
                            octet => write!(text, "\\{octet:03}").ok()?,
                        }
                    }
                    text.push('.');
                }
                pointer @ 192.. => {
                    let low = self.octet()?;
                    end = end.or(Some(self.at));
                    self.at = usize::from(pointer & 63) << 8 | usize::from(low);
                }
                _ => return None,
            }
        }
        None
    }

    fn record(&mut self) -> Option<Record<'a>> {
        let owner = self.name()?;
        let (kind, class) = (self.word()?, self.word()?);
        let ttl = u32::from(self.word()?) << 16 | u32::from(self.word()?);
        let octets = usize::from(self.word()?);
        let data = self.message.get(self.at..self.at + octets)?;
        let after = self.at + octets;
        let mut shown = String::new();
        let words = match kind {
            15 => 1,
            33 => 3,
            _ => 0,
        };
        for _ in 0..words {
            write!(shown, "{} ", self.word()?).ok()?;
        }
        match kind {
            2 | 5 | 12 | 15 | 33 => shown += &self.name()?,
            6 => {
                let (server, hostmaster) = (self.name()?, self.name()?);
                write!(shown, "{server} {hostmaster} {:?}", self.message.get(self.at..after)?).ok()?;
                self.at = after;
            }
            _ => {
                write!(shown, "{data:?}").ok()?;
                self.at = after;
            }
        }
        let name = TYPES.iter().find(|(number, _)| *number == kind);
        let name = name.map_or_else(|| format!("TYPE{kind}"), |(_, name)| (*name).to_owned());
        let text = format!("{owner} {ttl} {class} {name} {shown}");
        (self.at == after).then_some(Record { text, kind, class, ttl, data })
    }
}

/// The codes of an OPT record's options.
fn options(mut data: &[u8]) -> Option<Vec<u16>> {
    let mut codes = Vec::new();
    while let Some(([a, b, c, d], rest)) = data.split_first_chunk() {
        codes.push(u16::from_be_bytes([*a, *b]));
        data = rest.get(usize::from(u16::from_be_bytes([*c, *d]))..)?;
    }
    data.is_empty().then_some(codes)
}
