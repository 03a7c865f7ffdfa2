//! What is known of zones: their keys, or that they have none.

use super::denial::{self, Shown};
use super::key::{Digest, Key};
use super::set::{Date, Set, sets};
use super::{Reason, Said, Work, proofs};
use crate::limit::{
    DIGESTS_MAX, FACT_LASTS_LEAST, FACT_LASTS_MOST, FACTS_MAX, FAILURE_LASTS_SECONDS, KEYS_MAX,
};
use crate::name::Name;
use crate::upstream::nanoseconds;
use crate::upstream::records::{Section, rtype};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Where trust begins, where it ends, and what was learned between.
#[derive(Debug)]
pub(crate) struct Zones {
    anchors: BTreeMap<Name, Vec<Digest>>,
    /// Below these nothing need be signed (RFC 7646).
    insecure: BTreeSet<Name>,
    facts: BTreeMap<Name, (Fact, u64)>,
}

/// What is known of a name, until a moment.
#[derive(Clone, Debug)]
enum Fact {
    /// A zone with these keys.
    Keys(Vec<Key>),
    /// A zone whose keys have these digests.
    Delegated(Vec<Digest>),
    /// A zone that is not signed, or in a way that is not known here.
    Insecure,
    /// No zone begins there.
    NoZone,
    /// What was said of it is not true.
    Bogus(Reason),
}

/// The zone that a name is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// This one, whose keys are known.
    Secure(Name),
    Insecure,
    Bogus(Reason),
    /// That is known when this is.
    Ask(Name, u16),
}

impl Zones {
    pub(crate) fn new(anchors: BTreeMap<Name, Vec<Digest>>, insecure: BTreeSet<Name>) -> Self {
        Self { anchors, insecure, facts: BTreeMap::new() }
    }

    /// Whether anything has to be signed here: not if what is above is taken as it comes, or nothing is trusted above.
    pub(crate) fn cover(&self, name: &Name) -> bool {
        self.anchor_above(name).is_some()
    }

    pub(crate) fn forget(&mut self) {
        self.facts.clear();
    }

    /// What was not true may be said otherwise by somebody else.
    pub(crate) fn forget_untruths(&mut self) {
        self.facts.retain(|_, (fact, _)| !matches!(fact, Fact::Bogus(_)));
    }

    /// The keys of a zone that was found.
    pub(super) fn keys(&self, zone: &Name) -> &[Key] {
        match self.facts.get(zone) {
            Some((Fact::Keys(keys), _)) => keys,
            Some(_) | None => &[],
        }
    }

    /// From the anchor downwards, as far as this name goes.
    pub(super) fn find(&self, now: u64, name: &Name) -> Found {
        let Some(anchor) = self.anchor_above(name) else { return Found::Insecure };
        let mut zone = anchor.clone();
        match self.fact(now, anchor) {
            Some(Fact::Keys(_)) => {}
            Some(Fact::Bogus(reason)) => return Found::Bogus(*reason),
            Some(Fact::Insecure) => return Found::Insecure,
            Some(Fact::Delegated(_) | Fact::NoZone) | None => return Found::Ask(zone, rtype::DNSKEY),
        }
        for child in names_between(anchor, name) {
            match self.fact(now, &child) {
                Some(Fact::Keys(_)) => zone = child,
                Some(Fact::NoZone) => {}
                Some(Fact::Insecure) => return Found::Insecure,
                Some(Fact::Bogus(reason)) => return Found::Bogus(*reason),
                Some(Fact::Delegated(_)) => return Found::Ask(child, rtype::DNSKEY),
                None => return Found::Ask(child, rtype::DS),
            }
        }
        Found::Secure(zone)
    }

    /// What was said to something that [`Found::Ask`] asked for.
    pub(super) fn learn(
        &mut self,
        now: u64,
        date: Date,
        (name, wanted): (&Name, u16),
        said: &Said,
        work: &mut Work,
    ) -> bool {
        let learned = sets(&said.records).and_then(|sets| match wanted {
            rtype::DNSKEY => self.keys_of(now, date, name, &sets, work),
            _ => self.delegation(now, date, name, &sets, work),
        });
        let (fact, seconds) = learned.unwrap_or_else(|reason| (Fact::Bogus(reason), FAILURE_LASTS_SECONDS));
        let lasts = Duration::from_secs(seconds.into()).clamp(FACT_LASTS_LEAST, FACT_LASTS_MOST);
        let is_believed = !matches!(fact, Fact::Bogus(_));
        self.make_room(now);
        self.facts.insert(name.clone(), (fact, now.saturating_add(nanoseconds(lasts))));
        is_believed
    }

    /// RFC 4035 5.2: one of the keys is what the parent, or the operator, says, and it has signed all of them.
    fn keys_of(
        &self,
        now: u64,
        date: Date,
        zone: &Name,
        sets: &[Set<'_>],
        work: &mut Work,
    ) -> Result<(Fact, u32), Reason> {
        let digests = match self.fact(now, zone) {
            Some(Fact::Delegated(digests)) => digests,
            Some(Fact::Keys(_) | Fact::Insecure | Fact::NoZone | Fact::Bogus(_)) | None => {
                self.anchors.get(zone).ok_or(Reason::NoKey)?
            }
        };
        let known = known(digests);
        if known.is_empty() {
            return Ok((Fact::Insecure, u32::MAX));
        }
        let set = answer(sets, zone, rtype::DNSKEY).ok_or(Reason::NoKey)?;
        if set.records.len() > KEYS_MAX {
            return Err(Reason::TooMuchWork);
        }
        let keys = set.records.iter().filter_map(|record| Key::read(record.octets()?));
        let keys: Vec<Key> = keys.filter(Key::signs_a_zone).collect();
        let is_trusted = |key: &&Key| known.iter().any(|digest| digest.is_of(zone, key));
        let trusted: Vec<Key> = keys.iter().filter(is_trusted).cloned().collect();
        if trusted.is_empty() {
            return Err(Reason::NoKey);
        }
        let signed = set.check(zone, &trusted, date, work)?;
        Ok((Fact::Keys(keys), signed.seconds))
    }

    /// Whether a zone begins at this name, and what its parent says of its keys.
    fn delegation(
        &self,
        now: u64,
        date: Date,
        name: &Name,
        sets: &[Set<'_>],
        work: &mut Work,
    ) -> Result<(Fact, u32), Reason> {
        let parent = name.parent().ok_or(Reason::NoKey)?;
        // It was there when this was asked for.
        let Found::Secure(zone) = self.find(now, &parent) else { return Err(Reason::NoKey) };
        let keys = self.keys(&zone);
        if let Some(set) = answer(sets, name, rtype::DS) {
            let signed = set.check(&zone, keys, date, work)?;
            if signed.wildcard_below.is_some() {
                return Err(Reason::Forged);
            }
            let digests =
                set.records.iter().take(DIGESTS_MAX).filter_map(|record| Digest::read(record.octets()?));
            let digests: Vec<Digest> = digests.collect();
            let fact = if known(&digests).is_empty() { Fact::Insecure } else { Fact::Delegated(digests) };
            return Ok((fact, signed.seconds));
        }
        // RFC 1034 3.6.2: where an alias is, nothing else is.
        if let Some(alias) = answer(sets, name, rtype::CNAME) {
            return alias.check(&zone, keys, date, work).map(|signed| (Fact::NoZone, signed.seconds));
        }
        let authority: Vec<&Set<'_>> = sets.iter().filter(|set| set.section == Section::Authority).collect();
        let (proofs, seconds) = proofs(&authority, &zone, keys, date, work);
        let shown = proofs.and_then(|proofs| denial::show_delegation(&proofs, &zone, name, work));
        match shown {
            Ok(Shown::Unsigned) | Err(Reason::TooManyIterations) => Ok((Fact::Insecure, seconds)),
            Ok(Shown::NoName | Shown::NoType) => Ok((Fact::NoZone, seconds)),
            Err(reason) => Err(reason),
        }
    }

    fn fact(&self, now: u64, name: &Name) -> Option<&Fact> {
        self.facts.get(name).filter(|(_, until)| *until > now).map(|(fact, _)| fact)
    }

    /// The nearest anchor at or above a name, unless something nearer says that nothing need be signed.
    fn anchor_above(&self, name: &Name) -> Option<&Name> {
        let mut above = Some(name.clone());
        while let Some(name) = above {
            if let Some((anchor, _)) = self.anchors.get_key_value(&name) {
                return Some(anchor);
            }
            if self.insecure.contains(&name) {
                return None;
            }
            above = name.parent();
        }
        None
    }

    fn make_room(&mut self, now: u64) {
        if self.facts.len() < FACTS_MAX {
            return;
        }
        self.facts.retain(|_, (_, until)| *until > now);
        while self.facts.len() >= FACTS_MAX {
            let first = self.facts.iter().min_by_key(|(_, (_, until))| *until).map(|(name, _)| name.clone());
            let Some(first) = first else { return };
            self.facts.remove(&first);
        }
    }
}

/// The digests that count. RFC 4509 3: one by SHA-1 does not, where there is a better one.
pub(super) fn known(digests: &[Digest]) -> Vec<&Digest> {
    const SHA_1: u8 = 1;
    let known: Vec<&Digest> = digests.iter().filter(|digest| digest.is_known()).collect();
    let has_better = known.iter().any(|digest| digest.kind != SHA_1);
    known.into_iter().filter(|digest| digest.kind != SHA_1 || !has_better).collect()
}

fn answer<'a, 'b>(sets: &'b [Set<'a>], name: &Name, wanted: u16) -> Option<&'b Set<'a>> {
    sets.iter().find(|set| set.section == Section::Answer && set.owner == *name && set.rtype == wanted)
}

/// The names below `above` down to `name`, which is the last.
fn names_between(above: &Name, name: &Name) -> Vec<Name> {
    let mut names = Vec::new();
    let mut next = Some(name.clone());
    while let Some(name) = next.filter(|name| name != above) {
        next = name.parent();
        names.push(name);
    }
    names.reverse();
    names
}
