//! Proofs by hashes of names (RFC 5155): nobody learns the names of a zone from them.

use super::denial::{Shown, Types, wildcard};
use super::set::{Set, ancestor};
use super::{Reason, Work};
use crate::limit::HASH_ITERATIONS_MAX;
use crate::name::Name;
use crate::upstream::records::{Piece, rtype};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

/// All such records of a zone that came together.
pub(super) struct Hashed<'a> {
    zone: &'a Name,
    iterations: u16,
    salt: &'a [u8],
    spans: Vec<Span<'a>>,
}

struct Span<'a> {
    owner: Vec<u8>,
    next: &'a [u8],
    /// Between the two there may be delegations that are not signed (RFC 5155 6).
    opts_out: bool,
    types: Types<'a>,
}

/// SHA-1, the only one that there is (RFC 5155 11).
const SHA_1: u8 = 1;
/// RFC 5155 3.1.2.1
const OPT_OUT: u8 = 1;

impl<'a> Hashed<'a> {
    /// Those whose parameters are those of the first (RFC 5155 8.2).
    pub(super) fn read(sets: &[&'a Set<'_>], zone: &'a Name) -> Result<Self, Reason> {
        let mut parameters = None;
        let mut spans = Vec::new();
        for set in sets.iter().filter(|set| set.rtype == rtype::NSEC3) {
            let [record] = set.records.as_slice() else { continue };
            let [Piece::Octets(data)] = record.data.as_slice() else { continue };
            let Some((these, span)) = read_span(&set.owner, zone, data) else { continue };
            if *parameters.get_or_insert(these) == these {
                spans.push(span);
            }
        }
        let (iterations, salt) = parameters.ok_or(Reason::NoProof)?;
        // RFC 9276 3.2: what is too dear to be checked is taken for unsigned.
        if iterations > HASH_ITERATIONS_MAX {
            return Err(Reason::TooManyIterations);
        }
        Ok(Self { zone, iterations, salt, spans })
    }

    /// RFC 5155 8.4 to 8.7
    pub(super) fn show(&self, name: &Name, wanted: u16, work: &mut Work) -> Result<Shown, Reason> {
        if let Some(span) = self.matching(name, work)? {
            return if span.types.deny(wanted, name) { Ok(Shown::NoType) } else { Err(Reason::NoProof) };
        }
        let (encloser, opts_out) = self.closest_encloser(name, work)?;
        let wildcard = wildcard(&encloser);
        if let Some(span) = self.matching(&wildcard, work)? {
            let denies = span.types.deny(wanted, &wildcard);
            return if denies { Ok(or_unsigned(opts_out, Shown::NoType)) } else { Err(Reason::NoProof) };
        }
        match self.covering(&wildcard, work)? {
            Some(_) => Ok(or_unsigned(opts_out, Shown::NoName)),
            // RFC 5155 8.6: a DS that is not there where nobody can tell.
            None if wanted == rtype::DS && opts_out => Ok(Shown::Unsigned),
            None => Err(Reason::NoProof),
        }
    }

    pub(super) fn show_covered(&self, name: &Name, work: &mut Work) -> Result<Shown, Reason> {
        let span = self.covering(name, work)?.ok_or(Reason::NoProof)?;
        Ok(or_unsigned(span.opts_out, Shown::NoName))
    }

    /// RFC 5155 8.9
    pub(super) fn show_delegation(&self, name: &Name, work: &mut Work) -> Result<Shown, Reason> {
        match self.matching(name, work)? {
            Some(span) if !span.types.deny(rtype::DS, name) => Err(Reason::NoProof),
            Some(span) if span.types.is_delegation() => Ok(Shown::Unsigned),
            Some(_) => Ok(Shown::NoType),
            None => {
                let (_, opts_out) = self.closest_encloser(name, work)?;
                Ok(or_unsigned(opts_out, Shown::NoName))
            }
        }
    }

    /// RFC 5155 8.3: the nearest name above that is there, the one below which is not; and whether that may be a delegation all the same.
    fn closest_encloser(&self, name: &Name, work: &mut Work) -> Result<(Name, bool), Reason> {
        let labels = name.labels().count();
        for count in (self.zone.labels().count()..labels).rev() {
            let above = ancestor(name, count);
            let Some(span) = self.matching(&above, work)? else { continue };
            if span.types.ends_the_zone() {
                return Err(Reason::NoProof);
            }
            let next = self.covering(&ancestor(name, count + 1), work)?.ok_or(Reason::NoProof)?;
            return Ok((above, next.opts_out));
        }
        Err(Reason::NoProof)
    }

    fn matching(&self, name: &Name, work: &mut Work) -> Result<Option<&Span<'a>>, Reason> {
        let hash = self.hash(name, work)?;
        Ok(self.spans.iter().find(|span| span.owner == hash))
    }

    fn covering(&self, name: &Name, work: &mut Work) -> Result<Option<&Span<'a>>, Reason> {
        let hash = self.hash(name, work)?;
        Ok(self.spans.iter().find(|span| {
            let (owner, next) = (span.owner.as_slice(), span.next);
            let hash = hash.as_slice();
            // The last one leads back to the first.
            if owner < next { owner < hash && hash < next } else { hash > owner || hash < next }
        }))
    }

    fn hash(&self, name: &Name, work: &mut Work) -> Result<Vec<u8>, Reason> {
        work.begin_hash()?;
        Ok(hash_of(name, self.salt, self.iterations))
    }
}

/// RFC 5155 5
pub(super) fn hash_of(name: &Name, salt: &[u8], iterations: u16) -> Vec<u8> {
    let mut hash = name.octets().to_vec();
    for _ in 0..=iterations {
        hash.extend_from_slice(salt);
        hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, &hash).as_ref().to_vec();
    }
    hash
}

fn or_unsigned(opts_out: bool, shown: Shown) -> Shown {
    if opts_out { Shown::Unsigned } else { shown }
}

/// RFC 5155 3.2: algorithm, flags, iterations, salt, next hash, types.
fn read_span<'a>(owner: &Name, zone: &Name, data: &'a [u8]) -> Option<((u16, &'a [u8]), Span<'a>)> {
    let ([algorithm, flags, iterations_high, iterations_low, salt_octets], rest) =
        data.split_first_chunk::<5>()?;
    // RFC 5155 8.1 and 8.2
    if *algorithm != SHA_1 || flags & !OPT_OUT != 0 || owner.parent().as_ref() != Some(zone) {
        return None;
    }
    let (salt, rest) = rest.split_at_checked(usize::from(*salt_octets))?;
    let (next_octets, rest) = rest.split_first()?;
    let (next, types) = rest.split_at_checked(usize::from(*next_octets))?;
    let span = Span {
        owner: base32(owner.labels().next()?)?,
        next,
        opts_out: flags & OPT_OUT != 0,
        types: Types::new(types),
    };
    Some(((u16::from_be_bytes([*iterations_high, *iterations_low]), salt), span))
}

/// Base 32 with the digits first (RFC 4648 7), in lower case as names are here.
pub(super) fn base32(label: &[u8]) -> Option<Vec<u8>> {
    let (mut octets, mut bits, mut left) = (Vec::new(), 0_u32, 0);
    for digit in label {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'v' => digit - b'a' + 10,
            _ => return None,
        };
        bits = bits << 5 | u32::from(value);
        left += 5;
        if left >= 8 {
            left -= 8;
            octets.push(u8::try_from(bits >> left & 0xff).expect("it was cut to eight bits"));
        }
    }
    Some(octets)
}
