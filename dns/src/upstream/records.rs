//! The records of a message from upstream, taken apart and written anew: nothing of its form is passed on.

use crate::asked::HEADER_OCTETS;
use crate::limit::RECORDS_MAX;

/// A name in wire form, uncompressed, in the case in which it came.
pub(crate) type WireName = Vec<u8>;

/// Where a record stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Section {
    Answer,
    Authority,
    Additional,
}

/// A record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) section: Section,
    pub(crate) owner: WireName,
    pub(crate) rtype: u16,
    pub(crate) class: u16,
    pub(crate) ttl_seconds: u32,
    /// Its data in pieces, so that names in it can be compressed anew.
    pub(crate) data: Vec<Piece>,
}

/// A part of a record's data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Octets(Vec<u8>),
    Name(WireName),
}

/// The types that decide what is passed on (RFC 1035 3.2.2, RFC 3596, RFC 4034, RFC 5155, RFC 6672).
pub(crate) mod rtype {
    pub(crate) const A: u16 = 1;
    pub(crate) const CNAME: u16 = 5;
    pub(crate) const SOA: u16 = 6;
    pub(crate) const AAAA: u16 = 28;
    pub(crate) const DNAME: u16 = 39;
    pub(crate) const OPT: u16 = 41;
    pub(crate) const DS: u16 = 43;
    pub(crate) const RRSIG: u16 = 46;
    pub(crate) const NSEC: u16 = 47;
    pub(crate) const DNSKEY: u16 = 48;
    pub(crate) const NSEC3: u16 = 50;
    pub(crate) const ANY: u16 = 255;
}

impl Record {
    /// The name that its data begins with: the target of an alias.
    pub(crate) fn target(&self) -> Option<&WireName> {
        match self.data.first() {
            Some(Piece::Name(name)) => Some(name),
            Some(Piece::Octets(_)) | None => None,
        }
    }

    /// Its data, if it has no name in it.
    pub(crate) fn octets(&self) -> Option<&[u8]> {
        match self.data.as_slice() {
            [Piece::Octets(octets)] => Some(octets),
            _ => None,
        }
    }

    /// Takes back the letters in which we have sent a name: an alias that was made from one of a whole tree (RFC 6672 3.1) has its labels, in those letters, before others, and clients
    /// would hear what is meant for the server alone. The name itself is told in the letters in which they ask.
    pub(crate) fn forget_letters(&mut self, sent: &[u8]) {
        lower_common_labels(&mut self.owner, sent);
        if self.rtype == rtype::CNAME
            && let Some(Piece::Name(target)) = self.data.first_mut()
        {
            lower_common_labels(target, sent);
        }
    }

    /// Of an SOA, for how long denials may be kept (RFC 2308 3).
    pub(crate) fn soa_minimum(&self) -> Option<u32> {
        let [Piece::Name(_), Piece::Name(_), Piece::Octets(times)] = self.data.as_slice() else {
            return None;
        };
        times.last_chunk().map(|minimum| u32::from_be_bytes(*minimum))
    }
}

/// Puts the labels that a name begins with as another does, to the letter, into lower case.
fn lower_common_labels(name: &mut [u8], other: &[u8]) {
    let mut at = 0;
    while let Some(length) = other.get(at).filter(|length| **length != 0) {
        let label = at..at + 1 + usize::from(*length);
        let Some(same) = name.get_mut(label.clone()).filter(|own| other.get(label.clone()) == Some(own))
        else {
            return;
        };
        // A length is no letter: it is 63 at most.
        same.make_ascii_lowercase();
        at = label.end;
    }
}

/// The records behind the question. `None` if anything in them is not as it should be.
pub(crate) fn read(message: &[u8], question_octets: usize) -> Option<Vec<Record>> {
    let count = |at: usize| Some(u16::from_be_bytes([*message.get(at)?, *message.get(at + 1)?]));
    let sections = [(Section::Answer, 6), (Section::Authority, 8), (Section::Additional, 10)];
    let mut records = Vec::new();
    let mut at = HEADER_OCTETS + question_octets;
    for (section, count_at) in sections {
        for _ in 0..count(count_at)? {
            if records.len() == RECORDS_MAX {
                return None;
            }
            let record = read_record(message, section, &mut at)?;
            records.push(record);
        }
    }
    // What follows the last record is nobody's.
    (at == message.len()).then_some(records)
}

fn read_record(message: &[u8], section: Section, at: &mut usize) -> Option<Record> {
    let owner = read_name(message, at)?;
    let fixed = message.get(*at..)?.first_chunk::<10>()?;
    let [type_high, type_low, class_high, class_low, ttl @ .., length_high, length_low] = *fixed;
    *at += 10;
    let end = *at + usize::from(u16::from_be_bytes([length_high, length_low]));
    let data = message.get(..end)?;
    let rtype = u16::from_be_bytes([type_high, type_low]);
    let data = read_data(data, rtype, *at)?;
    *at = end;
    let ttl_seconds = u32::from_be_bytes(ttl);
    Some(Record {
        section,
        owner,
        rtype,
        class: u16::from_be_bytes([class_high, class_low]),
        // RFC 2181 8: the uppermost bit set means zero.
        ttl_seconds: if ttl_seconds >> 31 == 0 { ttl_seconds } else { 0 },
        data,
    })
}

/// Data from `at` to the end of `message`, which is cut off behind it.
fn read_data(message: &[u8], rtype: u16, mut at: usize) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    let (before, names) = match names_in(rtype) {
        Names::None => (message.len() - at, 0),
        Names::After(before, names) => (before, names),
        Names::Naptr => (naptr_octets(message.get(at..)?)?, 1),
    };
    let mut take = |at: &mut usize, octets: usize| {
        let piece = message.get(*at..*at + octets)?;
        if !piece.is_empty() {
            pieces.push(Piece::Octets(piece.to_vec()));
        }
        *at += octets;
        Some(())
    };
    take(&mut at, before)?;
    for _ in 0..names {
        let name = read_name(message, &mut at)?;
        pieces.push(Piece::Name(name));
    }
    if at < message.len() {
        pieces.push(Piece::Octets(message[at..].to_vec()));
    }
    let is_whole = match rtype {
        rtype::A => message_is(&pieces, 4),
        rtype::AAAA => message_is(&pieces, 16),
        rtype::SOA => matches!(pieces.as_slice(), [_, _, Piece::Octets(times)] if times.len() == 20),
        _ => true,
    };
    is_whole.then_some(pieces)
}

fn message_is(pieces: &[Piece], octets: usize) -> bool {
    matches!(pieces, [Piece::Octets(data)] if data.len() == octets)
}

/// Where names stand in the data of a type.
enum Names {
    None,
    /// Behind so many octets there are so many.
    After(usize, usize),
    /// Behind two numbers and three texts (RFC 3403 4.1).
    Naptr,
}

/// The types whose names may come compressed (RFC 3597 4), and RRSIG and NSEC, whose may not.
fn names_in(rtype: u16) -> Names {
    match rtype {
        // NS, MD, MF, CNAME, MB, MG, MR, PTR, DNAME, NSEC, NXT
        2..=5 | 7..=9 | 12 | 30 | 39 | 47 => Names::After(0, 1),
        // SOA, MINFO, RP
        6 | 14 | 17 => Names::After(0, 2),
        // MX, AFSDB, RT, KX
        15 | 18 | 21 | 36 => Names::After(2, 1),
        // PX
        26 => Names::After(2, 2),
        // SRV
        33 => Names::After(6, 1),
        // SIG, RRSIG
        24 | 46 => Names::After(18, 1),
        35 => Names::Naptr,
        _ => Names::None,
    }
}

fn naptr_octets(data: &[u8]) -> Option<usize> {
    (0..3).try_fold(4, |at, _| Some(at + 1 + usize::from(*data.get(at)?)))
}

/// Reads a name, compressed or not. A pointer leads to before the place that it stands at, so that it comes to an end.
fn read_name(message: &[u8], at: &mut usize) -> Option<WireName> {
    let mut name = Vec::with_capacity(32);
    let mut from = *at;
    let mut end = None;
    loop {
        let length = *message.get(from)?;
        match length {
            0 => {
                name.push(0);
                *at = end.unwrap_or(from + 1);
                return (name.len() <= 255).then_some(name);
            }
            1..=63 => {
                let next = from + 1 + usize::from(length);
                name.extend_from_slice(message.get(from..next)?);
                if name.len() > 254 {
                    return None;
                }
                from = next;
            }
            192.. => {
                let low = *message.get(from + 1)?;
                let target = usize::from(u16::from_be_bytes([length & 0x3f, low]));
                end.get_or_insert(from + 2);
                // RFC 1035 4.1.4: a prior occurrence.
                if target >= from || target < HEADER_OCTETS {
                    return None;
                }
                from = target;
            }
            // 01 and 10 are reserved.
            64..192 => return None,
        }
    }
}

/// Writes records behind a header and a question, with names compressed.
pub(crate) struct Writer {
    octets: Vec<u8>,
    /// Where names begin that others can point to.
    known: Vec<u16>,
    pub(crate) ttl_offsets: Vec<u16>,
}

/// Names that are pointed to: more would cost more to look for than they save.
const KNOWN_MAX: usize = 64;

impl Writer {
    pub(crate) fn new(header_and_question: Vec<u8>) -> Self {
        let mut writer = Self { octets: header_and_question, known: Vec::new(), ttl_offsets: Vec::new() };
        let mut at = HEADER_OCTETS;
        while let Some(length) = writer.octets.get(at).filter(|length| **length != 0) {
            writer.known.push(u16::try_from(at).expect("a question has at most 259 octets"));
            at += 1 + usize::from(*length);
        }
        writer
    }

    /// Appends a record; `None` if the message would be too long for anybody.
    pub(crate) fn push(&mut self, record: &Record, ttl_seconds: u32) -> Option<()> {
        self.push_name(&record.owner, true);
        self.octets.extend(record.rtype.to_be_bytes());
        self.octets.extend(record.class.to_be_bytes());
        self.ttl_offsets.push(u16::try_from(self.octets.len()).ok()?);
        self.octets.extend(ttl_seconds.to_be_bytes());
        let length_at = self.octets.len();
        self.octets.extend([0, 0]);
        // RFC 3597 4: in the types of RFC 1035 alone.
        let compress = matches!(record.rtype, 2..=9 | 12 | 14 | 15);
        for piece in &record.data {
            match piece {
                Piece::Octets(octets) => self.octets.extend_from_slice(octets),
                Piece::Name(name) => self.push_name(name, compress),
            }
        }
        let length = u16::try_from(self.octets.len() - length_at - 2).ok()?;
        self.octets[length_at..length_at + 2].copy_from_slice(&length.to_be_bytes());
        let count_at = match record.section {
            Section::Answer => 6,
            Section::Authority => 8,
            Section::Additional => 10,
        };
        let count = u16::from_be_bytes([self.octets[count_at], self.octets[count_at + 1]]) + 1;
        self.octets[count_at..count_at + 2].copy_from_slice(&count.to_be_bytes());
        // Room for an OPT record is left.
        (self.octets.len() <= 65_535 - crate::asked::OPT_OCTETS).then_some(())
    }

    pub(crate) fn finish(self) -> (Vec<u8>, Vec<u16>) {
        (self.octets, self.ttl_offsets)
    }

    fn push_name(&mut self, name: &[u8], compress: bool) {
        let mut rest = name;
        while let Some((length, tail)) = rest.split_first().filter(|(length, _)| **length != 0) {
            let known = self.known.iter().find(|known| self.stands_at(rest, usize::from(**known)));
            if let Some(known) = known.filter(|_| compress) {
                self.octets.extend((0xc000 | known).to_be_bytes());
                return;
            }
            if self.known.len() < KNOWN_MAX
                && let Some(at) = u16::try_from(self.octets.len()).ok().filter(|at| *at < 0x4000)
            {
                self.known.push(at);
            }
            let (label, tail) = tail.split_at(usize::from(*length));
            self.octets.push(*length);
            self.octets.extend_from_slice(label);
            rest = tail;
        }
        self.octets.push(0);
    }

    /// Whether this name stands at that place, perhaps compressed itself.
    fn stands_at(&self, mut name: &[u8], mut at: usize) -> bool {
        loop {
            match self.octets.get(at) {
                Some(length @ 0xc0..) => {
                    let Some(low) = self.octets.get(at + 1) else { return false };
                    at = usize::from(u16::from_be_bytes([length & 0x3f, *low]));
                }
                Some(0) => return name.first() == Some(&0),
                Some(length) => {
                    let octets = 1 + usize::from(*length);
                    let (Some(here), Some(wanted)) = (self.octets.get(at..at + octets), name.get(..octets))
                    else {
                        return false;
                    };
                    if !here.eq_ignore_ascii_case(wanted) {
                        return false;
                    }
                    at += octets;
                    name = &name[octets..];
                }
                // The name that is just being written is not known whole.
                None => return false,
            }
        }
    }
}
