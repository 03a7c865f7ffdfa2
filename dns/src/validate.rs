//! Whether what others say is signed by who may say it (DNSSEC: RFC 4033, 4034, 4035, 6840).
//!
//! ```text
//!  anchor ──> keys of its zone ──> digests of the next zone's keys ──> its keys ──> ... ──> the answer
//!                                └─> a proof that there are none: all below is unsigned, and told as it is
//! ```
//!
//! A [`Check`] is of one answer. It is asked what it wants to know next ([`Check::step`]): the answer itself, a zone's keys, a delegation's digests; the
//! forwarder gets that as it gets all else, and what was learned of zones is kept for the next check ([`Zones`]). No answer is looked at before
//! all keys are there, so that no signature is checked twice; and how many are, is bounded, for a zone may be made so that it costs
//! whoever checks it (CVE-2023-50387, CVE-2023-50868).

mod denial;
mod hashed;
mod key;
mod set;
#[cfg(test)]
pub(crate) mod tests;
mod zones;

use crate::limit::{CHECK_ASKS_MAX, HASHES_MAX, SIGNATURES_FAILED_MAX, SIGNATURES_MAX};
use crate::name::Name;
use crate::upstream::answer::follow;
use crate::upstream::records::{self, Record, Section, WireName, rtype};
use denial::Shown;
pub use key::Digest;
pub(crate) use set::Date;
use set::{Set, Signed, name_of, sets};
use zones::Found;
pub(crate) use zones::Zones;

/// Why an answer is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// Something is signed, and not by who may.
    Forged,
    /// Nothing is signed where it should be.
    NoSignature,
    /// The time of all signatures is over.
    Expired,
    /// It has not come yet.
    TooEarly,
    /// The key is not there by which it should be signed.
    NoKey,
    /// What is not there is not proven not to be.
    NoProof,
    /// It is signed by an algorithm that is not known here, and should be by another as well.
    UnknownAlgorithm,
    /// Hashes are to be made so often that nobody should (RFC 9276).
    TooManyIterations,
    /// More work than an answer is worth.
    TooMuchWork,
}

/// What is thought of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// All of it is signed, and may be kept for so many seconds.
    Secure(u32),
    /// Some of it need not be.
    Insecure,
    /// It is not true.
    Bogus(Reason),
}

/// What a check wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// What a server says to this, with signatures.
    Ask(Name, u16),
    /// Nothing more.
    Done(Verdict),
}

/// What a server said, unchecked.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) records: Vec<Record>,
    code: u8,
}

/// One answer that is being checked.
#[derive(Debug)]
pub(crate) struct Check {
    name: Name,
    rtype: u16,
    answer: Option<Said>,
    asks: usize,
    work: Work,
}

/// What was done for an answer so far.
#[derive(Debug, Default)]
pub(crate) struct Work {
    signatures: usize,
    failed: usize,
    hashes: usize,
}

/// A set of an answer, and what has to be known to check it.
enum Judged<'a> {
    Signed(&'a Set<'a>, Name),
    Unsigned,
}

/// A step that is not the next one: the check is over, or has to wait.
type Stop = Step;

impl Reason {
    /// As clients hear it (RFC 8914 4, RFC 9276 6).
    pub(crate) fn extended_error(self) -> u16 {
        match self {
            Self::UnknownAlgorithm => 1,
            Self::Forged | Self::TooMuchWork => 6,
            Self::Expired => 7,
            Self::TooEarly => 8,
            Self::NoKey => 9,
            Self::NoSignature => 10,
            Self::NoProof => 12,
            Self::TooManyIterations => 27,
        }
    }
}

impl Said {
    /// A message with one question of so many octets.
    pub(crate) fn read(message: &[u8], question_octets: usize) -> Option<Self> {
        let records = records::read(message, question_octets)?;
        Some(Self { records, code: message[3] & 0x0f })
    }

    /// NOERROR or NXDOMAIN: nothing else is an answer.
    pub(crate) fn code(&self) -> u8 {
        self.code
    }

    fn is_denied(&self) -> bool {
        self.code == NXDOMAIN
    }
}

const NXDOMAIN: u8 = 3;

impl Check {
    pub(crate) fn new(name: Name, rtype: u16) -> Self {
        Self { name, rtype, answer: None, asks: 0, work: Work::default() }
    }

    /// What was said to what it asked for. False: it is not true, and nobody need keep it.
    pub(crate) fn hear(
        &mut self,
        (name, rtype): (&Name, u16),
        said: Said,
        now: u64,
        date: Date,
        zones: &mut Zones,
    ) -> bool {
        if self.answer.is_none() && (name, rtype) == (&self.name, self.rtype) {
            self.answer = Some(said);
            true
        } else {
            zones.learn(now, date, (name, rtype), &said, &mut self.work)
        }
    }

    /// The answer that it is of, once it was heard.
    pub(crate) fn answer(&self) -> Option<&Said> {
        self.answer.as_ref()
    }

    /// With another answer. What was done for the first counts.
    pub(crate) fn begin_anew(&mut self) {
        self.answer = None;
    }

    pub(crate) fn step(&mut self, now: u64, date: Date, zones: &Zones) -> Step {
        self.asks += 1;
        if self.asks > CHECK_ASKS_MAX {
            return Step::Done(Verdict::Bogus(Reason::TooMuchWork));
        }
        let Some(answer) = self.answer.take() else { return Step::Ask(self.name.clone(), self.rtype) };
        let step = match self.judge(&answer, now, date, zones) {
            // RFC 4035 5: without a calendar no date was checked, and nobody is told that all was.
            Ok(Verdict::Secure(_)) if date == Date::Unknown => Step::Done(Verdict::Insecure),
            Ok(verdict) => Step::Done(verdict),
            Err(stop) => stop,
        };
        self.answer = Some(answer);
        step
    }

    fn judge(&mut self, said: &Said, now: u64, date: Date, zones: &Zones) -> Result<Verdict, Stop> {
        let sets = sets(&said.records).map_err(bogus)?;
        let (answer, authority): (Vec<_>, Vec<_>) = sets
            .iter()
            .filter(|set| set.section != Section::Additional)
            .partition(|set| set.section == Section::Answer);
        let denied = self.denied(said, &answer);
        // All that has to be known first.
        let mut judged = Vec::new();
        for set in answer.iter().filter(|set| !is_made_from_a_tree(set, &answer)) {
            judged.push(zone_of_set(set, now, zones)?);
        }
        let denying =
            denied.as_ref().map(|name| self.zone_of_denial(name, &authority, now, zones)).transpose()?;
        // Signatures of this type are not signed, and a denial of all types is no single one.
        let mut is_secure = self.rtype != rtype::RRSIG && !(denied.is_some() && self.rtype == rtype::ANY);
        is_secure &= !set::has_stray_signature(&said.records, &answer);
        let mut seconds = u32::MAX;
        for one in judged {
            let Judged::Signed(set, zone) = one else {
                is_secure = false;
                continue;
            };
            let keys = zones.keys(&zone);
            let signed = set.check(&zone, keys, date, &mut self.work).map_err(bogus)?;
            seconds = seconds.min(signed.seconds);
            if let Some(labels) = signed.wildcard_below {
                let (proofs, lasts) = self.proofs(&authority, &zone, date, zones);
                seconds = seconds.min(lasts);
                let shown = proofs.and_then(|proofs| {
                    denial::show_wildcard(&proofs, &zone, &set.owner, labels, &mut self.work)
                });
                is_secure &= shown_secure(shown, &[Shown::NoName])?;
            }
        }
        match (denied, denying) {
            (Some(name), Some(Some(zone))) => {
                let (proofs, lasts) = self.proofs(&authority, &zone, date, zones);
                seconds = seconds.min(lasts);
                let shown =
                    proofs.and_then(|proofs| denial::show(&proofs, &zone, &name, self.rtype, &mut self.work));
                let wanted: &[Shown] =
                    if said.is_denied() { &[Shown::NoName] } else { &[Shown::NoName, Shown::NoType] };
                is_secure &= shown_secure(shown, wanted)?;
            }
            (Some(_), Some(None) | None) => is_secure = false,
            (None, _) => {}
        }
        Ok(if is_secure { Verdict::Secure(seconds) } else { Verdict::Insecure })
    }

    /// The name at the end of the aliases, if the answer has nothing for it.
    fn denied(&self, said: &Said, answer: &[&Set<'_>]) -> Option<Name> {
        let records: Vec<&Record> = said.records.iter().filter(|record| record.class == 1).collect();
        let chain: Option<Vec<WireName>> = follow(&records, self.name.octets(), self.rtype);
        let last = chain.as_ref().and_then(|chain| chain.last()).map(|name| name_of(name));
        let last = last.unwrap_or_else(|| self.name.clone());
        let wants = |set: &&&Set<'_>| set.rtype == self.rtype || self.rtype == rtype::ANY;
        let has_data = answer.iter().filter(wants).any(|set| set.owner == last)
            || self.rtype == rtype::RRSIG && said.records.iter().any(|record| record.rtype == rtype::RRSIG);
        (said.is_denied() || !has_data).then_some(last)
    }

    /// Whose it is to deny this; `None` if nobody need prove anything.
    fn zone_of_denial(
        &self,
        name: &Name,
        authority: &[&Set<'_>],
        now: u64,
        zones: &Zones,
    ) -> Result<Option<Name>, Stop> {
        let signers = authority.iter().flat_map(|set| &set.signatures).map(|signature| &signature.signer);
        let above = above_its_data(name, self.rtype);
        let nearest =
            signers.filter(|signer| above.below(signer).is_some()).max_by_key(|signer| signer.octets().len());
        match zones.find(now, nearest.unwrap_or(&above)) {
            Found::Secure(zone) => Ok(Some(zone)),
            Found::Insecure => Ok(None),
            found @ (Found::Bogus(_) | Found::Ask(..)) => Err(stop(found)),
        }
    }

    /// The proofs that are signed by this zone, and for how long they are good.
    fn proofs<'a>(
        &mut self,
        authority: &[&'a Set<'a>],
        zone: &Name,
        date: Date,
        zones: &Zones,
    ) -> (Result<Vec<&'a Set<'a>>, Reason>, u32) {
        proofs(authority, zone, zones.keys(zone), date, &mut self.work)
    }
}

impl Work {
    /// Before a signature is checked.
    fn begin_signature(&mut self) -> Result<(), Reason> {
        self.signatures += 1;
        if self.signatures > SIGNATURES_MAX { Err(Reason::TooMuchWork) } else { Ok(()) }
    }

    /// It was not good.
    fn fail_signature(&mut self) -> Result<(), Reason> {
        self.failed += 1;
        if self.failed > SIGNATURES_FAILED_MAX { Err(Reason::TooMuchWork) } else { Ok(()) }
    }

    /// Before a name is hashed.
    fn begin_hash(&mut self) -> Result<(), Reason> {
        self.hashes += 1;
        if self.hashes > HASHES_MAX { Err(Reason::TooMuchWork) } else { Ok(()) }
    }
}

/// The sets that deny things and are signed by this zone for their own names: those made from wildcards prove nothing.
fn proofs<'a>(
    authority: &[&'a Set<'a>],
    zone: &Name,
    keys: &[key::Key],
    date: Date,
    work: &mut Work,
) -> (Result<Vec<&'a Set<'a>>, Reason>, u32) {
    let (mut good, mut seconds, mut reason) = (Vec::new(), u32::MAX, Reason::NoProof);
    for set in authority.iter().filter(|set| matches!(set.rtype, rtype::NSEC | rtype::NSEC3 | rtype::SOA)) {
        match set.check(zone, keys, date, work) {
            Ok(Signed { wildcard_below: None, seconds: lasts }) => {
                seconds = seconds.min(lasts);
                good.push(*set);
            }
            Ok(Signed { wildcard_below: Some(_), .. }) => {}
            Err(Reason::TooMuchWork) => return (Err(Reason::TooMuchWork), 0),
            // Of another zone, of which an alias led here.
            Err(Reason::NoSignature) if !set.signatures.is_empty() => reason = Reason::NoSignature,
            // RFC 4035 3.2.3: AD is of the authority section too.
            Err(reason) => return (Err(reason), 0),
        }
    }
    let is_one = |set: &&Set<'_>| set.rtype != rtype::SOA;
    (if good.iter().any(is_one) { Ok(good) } else { Err(reason) }, seconds)
}

/// Whether what was shown is as good as a signature; false if it is only that nobody can tell.
fn shown_secure(shown: Result<Shown, Reason>, wanted: &[Shown]) -> Result<bool, Stop> {
    match shown {
        Ok(Shown::Unsigned) | Err(Reason::TooManyIterations) => Ok(false),
        Ok(shown) if wanted.contains(&shown) => Ok(true),
        Ok(Shown::NoName | Shown::NoType) => Err(bogus(Reason::NoProof)),
        Err(reason) => Err(bogus(reason)),
    }
}

/// The zone that has to have signed a set: that of whoever signed it, or the one that its owner is in.
fn zone_of_set<'a>(set: &'a Set<'a>, now: u64, zones: &Zones) -> Result<Judged<'a>, Stop> {
    let signers = set.signatures.iter().map(|signature| &signature.signer);
    let nearest = signers.max_by_key(|signer| signer.octets().len()).cloned();
    let name = nearest.unwrap_or_else(|| above_its_data(&set.owner, set.rtype));
    match zones.find(now, &name) {
        Found::Secure(zone) => Ok(Judged::Signed(set, zone)),
        Found::Insecure => Ok(Judged::Unsigned),
        found @ (Found::Bogus(_) | Found::Ask(..)) => Err(stop(found)),
    }
}

/// The name in whose zone this type of that name is: digests of a zone's keys are in the zone above.
fn above_its_data(name: &Name, wanted: u16) -> Name {
    match wanted {
        rtype::DS => name.parent().unwrap_or_else(Name::root),
        _ => name.clone(),
    }
}

/// An alias that follows from one of a whole tree, which is what is signed (RFC 6672 5.3.1).
fn is_made_from_a_tree(set: &Set<'_>, answer: &[&Set<'_>]) -> bool {
    if set.rtype != rtype::CNAME || !set.signatures.is_empty() {
        return false;
    }
    let [record] = set.records.as_slice() else { return false };
    let Some(target) = record.target().map(|target| name_of(target)) else { return false };
    answer.iter().filter(|tree| tree.rtype == rtype::DNAME && tree.owner != set.owner).any(|tree| {
        let Some(labels) = set.owner.below(&tree.owner) else { return false };
        let Some(to) = tree.records.first().and_then(|record| record.target()).map(|to| name_of(to)) else {
            return false;
        };
        let labels = labels.into_iter().chain(to.labels()).chain([&[][..]]);
        Name::from_labels(labels) == target
    })
}

fn bogus(reason: Reason) -> Stop {
    Step::Done(Verdict::Bogus(reason))
}

fn stop(found: Found) -> Stop {
    match found {
        Found::Ask(name, rtype) => Step::Ask(name, rtype),
        Found::Bogus(reason) => bogus(reason),
        Found::Secure(_) | Found::Insecure => Step::Done(Verdict::Insecure),
    }
}
