//! Records of one name and type, and whether one of their signatures is good.

use super::key::{Key, knows_algorithm};
use super::{Reason, Work};
use crate::limit::SETS_MAX;
use crate::name::Name;
use crate::upstream::records::{Piece, Record, Section, rtype};

/// All records of a name and type in one section (RFC 2181 5).
pub(crate) struct Set<'a> {
    pub(super) owner: Name,
    pub(super) rtype: u16,
    pub(super) section: Section,
    pub(super) records: Vec<&'a Record>,
    pub(super) signatures: Vec<Signature<'a>>,
}

/// A signature (RFC 4034 3.1).
pub(crate) struct Signature<'a> {
    algorithm: u8,
    /// Labels of the name that was signed, without that of a wildcard and the root's.
    pub(super) labels: usize,
    original_ttl: [u8; 4],
    expiration: u32,
    inception: u32,
    tag: u16,
    pub(super) signer: Name,
    /// All before the signature itself.
    head: Vec<u8>,
    signature: &'a [u8],
}

/// What a good signature says beside that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Signed {
    /// The records were made from a wildcard below a name of so many labels (RFC 4035 5.3.4).
    pub(super) wildcard_below: Option<usize>,
    /// For how long they may be kept (RFC 4035 5.3.3).
    pub(super) seconds: u32,
}

/// A moment of the calendar, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Date {
    /// Seconds since 1970, in 32 bits that wrap (RFC 4034 3.1.5).
    Seconds(u32),
    /// The clock was never set: no date can be checked.
    Unknown,
}

/// Puts records together that belong together.
pub(super) fn sets(records: &[Record]) -> Result<Vec<Set<'_>>, Reason> {
    let mut sets: Vec<Set<'_>> = Vec::new();
    let internet = || records.iter().filter(|record| record.class == 1);
    for record in internet().filter(|record| !matches!(record.rtype, rtype::RRSIG | rtype::OPT)) {
        let owner = name_of(&record.owner);
        let is_its = |set: &&mut Set<'_>| {
            (&set.owner, set.rtype, set.section) == (&owner, record.rtype, record.section)
        };
        let is_full = sets.len() == SETS_MAX;
        match sets.iter_mut().find(is_its) {
            Some(set) => set.records.push(record),
            None if is_full => return Err(Reason::TooMuchWork),
            None => sets.push(Set {
                owner,
                rtype: record.rtype,
                section: record.section,
                records: vec![record],
                signatures: Vec::new(),
            }),
        }
    }
    for record in internet().filter(|record| record.rtype == rtype::RRSIG) {
        let owner = name_of(&record.owner);
        let Some((covered, signature)) = Signature::read(record) else { continue };
        let set = sets
            .iter_mut()
            .find(|set| (&set.owner, set.rtype, set.section) == (&owner, covered, record.section));
        if let Some(set) = set.filter(|set| set.owner.below(&signature.signer).is_some()) {
            set.signatures.push(signature);
        }
    }
    Ok(sets)
}

/// Whether an answer has a signature of nothing that is in it. It is not signed itself, so that whoever is on the way can add it: "authentic" is said of an answer as a whole (RFC 4035 3.2.3).
pub(super) fn has_stray_signature(records: &[Record], answer: &[&Set<'_>]) -> bool {
    let is_answer = |record: &&Record| record.class == 1 && record.section == Section::Answer;
    let signatures = records.iter().filter(is_answer).filter(|record| record.rtype == rtype::RRSIG);
    let is_stray = |record: &Record| {
        let (owner, covered) = (name_of(&record.owner), Signature::read(record).map(|(covered, _)| covered));
        !answer.iter().any(|set| set.owner == owner && Some(set.rtype) == covered)
    };
    signatures.into_iter().any(is_stray)
}

/// A name in wire form as it came, in lower case.
pub(super) fn name_of(octets: &[u8]) -> Name {
    Name::from_wire(&octets.to_ascii_lowercase())
}

impl Set<'_> {
    /// Whether one of the signatures is that of one of the keys of this zone (RFC 4035 5.3).
    pub(super) fn check(
        &self,
        zone: &Name,
        keys: &[Key],
        date: Date,
        work: &mut Work,
    ) -> Result<Signed, Reason> {
        let mut reason = Reason::NoSignature;
        for signature in self.signatures.iter().filter(|signature| signature.signer == *zone) {
            match self.check_one(signature, keys, date, work) {
                Ok(signed) => return Ok(signed),
                Err(Reason::TooMuchWork) => return Err(Reason::TooMuchWork),
                Err(other) => reason = other,
            }
        }
        Err(reason)
    }

    fn check_one(
        &self,
        signature: &Signature<'_>,
        keys: &[Key],
        date: Date,
        work: &mut Work,
    ) -> Result<Signed, Reason> {
        let labels = label_count(&self.owner);
        if signature.labels > labels {
            return Err(Reason::Forged);
        }
        if !knows_algorithm(signature.algorithm) {
            return Err(Reason::UnknownAlgorithm);
        }
        let lasts = signature.lasts(date)?;
        let suits = |key: &&Key| {
            (key.tag, key.algorithm) == (signature.tag, signature.algorithm) && key.signs_a_zone()
        };
        let mut suitable = keys.iter().filter(suits).peekable();
        suitable.peek().ok_or(Reason::NoKey)?;
        let message = self.signed_octets(signature).ok_or(Reason::Forged)?;
        for key in suitable {
            work.begin_signature()?;
            if key.has_signed(&message, signature.signature) {
                let ttl = self.records.iter().map(|record| record.ttl_seconds).min().unwrap_or(0);
                return Ok(Signed {
                    wildcard_below: (signature.labels < labels).then_some(signature.labels),
                    seconds: lasts.min(u32::from_be_bytes(signature.original_ttl)).min(ttl),
                });
            }
            work.fail_signature()?;
        }
        Err(Reason::Forged)
    }

    /// RFC 4034 3.1.8.1; `None` if data with its names written out would be longer than data can be.
    fn signed_octets(&self, signature: &Signature<'_>) -> Option<Vec<u8>> {
        let owner = signed_owner(&self.owner, signature.labels);
        let mut data: Vec<Vec<u8>> = self.records.iter().map(|record| canonical_data(record)).collect();
        // RFC 4034 6.3: in order, each once.
        data.sort_unstable();
        data.dedup();
        let mut message = signature.head.clone();
        for data in data {
            message.extend_from_slice(&owner);
            message.extend(self.rtype.to_be_bytes());
            message.extend([0, 1]);
            message.extend(signature.original_ttl);
            message.extend(u16::try_from(data.len()).ok()?.to_be_bytes());
            message.extend(data);
        }
        Some(message)
    }
}

impl<'a> Signature<'a> {
    pub(super) fn read(record: &'a Record) -> Option<(u16, Self)> {
        let [Piece::Octets(fixed), Piece::Name(signer), Piece::Octets(signature)] = record.data.as_slice()
        else {
            return None;
        };
        let fixed: [u8; 18] = fixed.as_slice().try_into().ok()?;
        let number = |at: usize| u32::from_be_bytes([fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3]]);
        let signer = name_of(signer);
        let head = [fixed.as_slice(), signer.octets()].concat();
        let read = Self {
            algorithm: fixed[2],
            labels: usize::from(fixed[3]),
            original_ttl: [fixed[4], fixed[5], fixed[6], fixed[7]],
            expiration: number(8),
            inception: number(12),
            tag: u16::from_be_bytes([fixed[16], fixed[17]]),
            signer,
            head,
            signature,
        };
        Some((u16::from_be_bytes([fixed[0], fixed[1]]), read))
    }

    /// How long it is good for yet. RFC 4034 3.1.5: dates are compared as serial numbers are.
    pub(super) fn lasts(&self, date: Date) -> Result<u32, Reason> {
        let Date::Seconds(now) = date else { return Ok(u32::MAX) };
        let is_after = |a: u32, b: u32| a.wrapping_sub(b).cast_signed() > 0;
        if is_after(self.inception, now) {
            return Err(Reason::TooEarly);
        }
        if is_after(now, self.expiration) {
            return Err(Reason::Expired);
        }
        Ok(self.expiration.wrapping_sub(now))
    }
}

/// Labels without the root's and a wildcard's (RFC 4034 3.1.3).
pub(super) fn label_count(name: &Name) -> usize {
    name.labels().enumerate().filter(|(at, label)| !(*at == 0 && *label == b"*")).count()
}

/// The name that was signed: the owner, or the wildcard that it was made from.
fn signed_owner(owner: &Name, labels: usize) -> Vec<u8> {
    if labels >= label_count(owner) {
        return owner.octets().to_vec();
    }
    [b"\x01*", ancestor(owner, labels).octets()].concat()
}

/// The name that the last so many labels make.
pub(super) fn ancestor(name: &Name, labels: usize) -> Name {
    let mut name = name.clone();
    while name.labels().count() > labels
        && let Some(parent) = name.parent()
    {
        name = parent;
    }
    name
}

/// RFC 4034 6.2: names in lower case, in the types that are listed there less what RFC 6840 5.1 took out.
fn canonical_data(record: &Record) -> Vec<u8> {
    let lowers = record.rtype != rtype::NSEC;
    let mut data = Vec::new();
    for piece in &record.data {
        match piece {
            Piece::Octets(octets) => data.extend_from_slice(octets),
            Piece::Name(name) if lowers => data.extend(name.to_ascii_lowercase()),
            Piece::Name(name) => data.extend_from_slice(name),
        }
    }
    data
}
