//! Proofs that something is not there: by the names that are there before and behind it (NSEC, RFC 4034 4), or by those of hashes (NSEC3,
//! RFC 5155).

use super::hashed;
use super::set::{Set, ancestor, name_of};
use super::{Reason, Work};
use crate::name::Name;
use crate::upstream::records::{Piece, rtype};

/// What a denial shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// There is no such name, nor a wildcard for it.
    NoName,
    /// There is no such type.
    NoType,
    /// A delegation may be there that is not signed: nobody can tell.
    Unsigned,
}

/// The types that a proof says that a name has (RFC 4034 4.1.2).
#[derive(Clone, Copy, Debug)]
pub(super) struct Types<'a>(&'a [u8]);

/// A name that is there, and the next one.
struct Span<'a> {
    owner: &'a Name,
    next: Name,
    types: Types<'a>,
}

/// Type NS.
const NS: u16 = 2;

impl<'a> Types<'a> {
    pub(super) fn new(octets: &'a [u8]) -> Self {
        Self(octets)
    }

    pub(super) fn has(self, wanted: u16) -> bool {
        let [window, low] = wanted.to_be_bytes();
        let mut rest = self.0;
        while let Some(([here, octets], tail)) = rest.split_first_chunk::<2>() {
            let Some((map, tail)) = tail.split_at_checked(usize::from(*octets)) else { return false };
            if *here == window {
                return map.get(usize::from(low / 8)).is_some_and(|bits| bits & (0x80 >> (low % 8)) != 0);
            }
            rest = tail;
        }
        false
    }

    /// It is the upper side of a delegation, or an alias of all below: what is below it is not this zone's to deny (RFC 6840 4.1).
    pub(super) fn ends_the_zone(self) -> bool {
        self.is_delegation() || self.has(rtype::DNAME)
    }

    pub(super) fn is_delegation(self) -> bool {
        self.has(NS) && !self.has(rtype::SOA)
    }

    /// Whether it shows that the name it is of does not have this type.
    pub(super) fn deny(self, wanted: u16, name: &Name) -> bool {
        let speaks_for_it = match wanted {
            // RFC 6840 4.1: the upper side has it, and the lower one does not know.
            rtype::DS => !self.has(rtype::SOA) || *name == Name::root(),
            _ => !self.is_delegation(),
        };
        speaks_for_it && !self.has(wanted) && !self.has(rtype::CNAME)
    }
}

/// What these sets, whose signatures are good, show of a name and type that the answer does not have.
pub(super) fn show(
    sets: &[&Set<'_>],
    zone: &Name,
    name: &Name,
    wanted: u16,
    work: &mut Work,
) -> Result<Shown, Reason> {
    if sets.iter().any(|set| set.rtype == rtype::NSEC3) {
        return hashed::Hashed::read(sets, zone)?.show(name, wanted, work);
    }
    let spans = spans(sets);
    if let Some(span) = spans.iter().find(|span| span.owner == name) {
        return if span.types.deny(wanted, name) { Ok(Shown::NoType) } else { Err(Reason::NoProof) };
    }
    let covering = spans.iter().find(|span| span.covers(name, zone)).ok_or(Reason::NoProof)?;
    // RFC 4592 2.2.2: a name that has nothing but names below it.
    if covering.next.below(name).is_some() {
        return Ok(Shown::NoType);
    }
    let wildcard = wildcard(&covering.closest_encloser(name));
    if let Some(span) = spans.iter().find(|span| *span.owner == wildcard) {
        return if span.types.deny(wanted, &wildcard) { Ok(Shown::NoType) } else { Err(Reason::NoProof) };
    }
    match spans.iter().any(|span| span.covers(&wildcard, zone)) {
        true => Ok(Shown::NoName),
        false => Err(Reason::NoProof),
    }
}

/// Whether nothing is nearer to this name than the wildcard below a name of so many labels, from which an answer was made (RFC 4035 5.3.4,
/// RFC 5155 8.8).
pub(super) fn show_wildcard(
    sets: &[&Set<'_>],
    zone: &Name,
    name: &Name,
    labels: usize,
    work: &mut Work,
) -> Result<Shown, Reason> {
    if sets.iter().any(|set| set.rtype == rtype::NSEC3) {
        return hashed::Hashed::read(sets, zone)?.show_covered(&ancestor(name, labels + 1), work);
    }
    let above = ancestor(name, labels);
    let is_shown = |span: &Span<'_>| span.covers(name, zone) && span.closest_encloser(name) == above;
    if spans(sets).iter().any(is_shown) { Ok(Shown::NoName) } else { Err(Reason::NoProof) }
}

/// What these sets show of a delegation to this name: `NoName` and `NoType` that there is none.
pub(super) fn show_delegation(
    sets: &[&Set<'_>],
    zone: &Name,
    name: &Name,
    work: &mut Work,
) -> Result<Shown, Reason> {
    if sets.iter().any(|set| set.rtype == rtype::NSEC3) {
        return hashed::Hashed::read(sets, zone)?.show_delegation(name, work);
    }
    match spans(sets).iter().find(|span| span.owner == name) {
        Some(span) if span.types.deny(rtype::DS, name) && span.types.is_delegation() => Ok(Shown::Unsigned),
        Some(_) | None => show(sets, zone, name, rtype::DS, work),
    }
}

fn spans<'a>(sets: &[&'a Set<'_>]) -> Vec<Span<'a>> {
    let of_set = |set: &&'a Set<'_>| {
        let [record] = set.records.as_slice() else { return None };
        let [Piece::Name(next), Piece::Octets(types)] = record.data.as_slice() else { return None };
        Some(Span { owner: &set.owner, next: name_of(next), types: Types::new(types) })
    };
    sets.iter().filter(|set| set.rtype == rtype::NSEC).filter_map(of_set).collect()
}

impl Span<'_> {
    /// Whether this name would stand between its two, and is this zone's to deny.
    fn covers(&self, name: &Name, zone: &Name) -> bool {
        let (owner, next, it) = (order(self.owner), order(&self.next), order(name));
        // The last one leads back to the first.
        let is_between = if owner < next { owner < it && it < next } else { owner < it };
        let is_below = name.below(self.owner).is_some();
        is_between && name.below(zone).is_some() && !(is_below && self.types.ends_the_zone())
    }

    /// The nearest name above this one that is there (RFC 4592 3.3.1): both ends show all names above them.
    fn closest_encloser(&self, name: &Name) -> Name {
        let common = |other: &Name| {
            let (other, it) = (order(other), order(name));
            other.iter().zip(&it).take_while(|(other, it)| other == it).count()
        };
        ancestor(name, common(self.owner).max(common(&self.next)))
    }
}

/// RFC 4034 6.1: label by label from the right, each as octets in lower case.
pub(super) fn order(name: &Name) -> Vec<&[u8]> {
    let mut labels: Vec<&[u8]> = name.labels().collect();
    labels.reverse();
    labels
}

/// The wildcard below a name.
pub(super) fn wildcard(above: &Name) -> Name {
    Name::from_wire(&[b"\x01*", above.octets()].concat())
}
