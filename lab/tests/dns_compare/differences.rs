//! Why answers differ: each reason says when it is one, and makes alike what differs by it. What differs then has no reason.

use crate::ZONES;
use crate::message::Answer;
use crate::questions::Question;
use std::collections::BTreeSet;

/// Who is compared with this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Whom {
    Knot,
    Unbound,
}

/// A reason. Its words stand in docs/dns.md as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reason {
    Meta,
    AnyClass,
    Outside,
    ParentsDs,
    RecursionAvailable,
    CheckingDisabled,
    Any,
    AliasToNothing,
    AliasBelow,
    SignatureOfAlias,
    OtherZonesAddresses,
    Addresses,
}

const NS: u16 = 2;
const MX: u16 = 15;
const SRV: u16 = 33;
const OPT: u16 = 41;
const DS: u16 = 43;
const RRSIG: u16 = 46;
const NSEC: u16 = 47;
const TKEY: u16 = 249;
const TSIG: u16 = 250;
const ANY: u16 = 255;
const IN: u16 = 1;
/// In the second word of a header (RFC 4035 3.2.2).
const CD: u16 = 0x0010;
const CLASS_ANY: u16 = 255;
const FORMERR: u16 = 1;
const SERVFAIL: u16 = 2;
const REFUSED: u16 = 5;
const BADVERS: u16 = 16;

impl Reason {
    /// In the order in which they are looked for: those that say all of an answer first.
    pub(crate) const ALL: [Self; 12] = [
        Self::Meta,
        Self::AnyClass,
        Self::Outside,
        Self::ParentsDs,
        Self::RecursionAvailable,
        Self::CheckingDisabled,
        Self::Any,
        Self::AliasToNothing,
        Self::AliasBelow,
        Self::SignatureOfAlias,
        Self::OtherZonesAddresses,
        Self::Addresses,
    ];

    /// In words.
    pub(crate) fn why(self) -> &'static str {
        match self {
            Self::Meta => "OPT, TSIG and TKEY are no data (RFC 6895 3.1): to ask for them is FORMERR here",
            Self::AnyClass => "Class ANY is REFUSED here",
            Self::Outside => "Names of others are REFUSED here without `upstream`",
            Self::ParentsDs => "DS of a zone of ours is its parent's to know: NODATA here",
            Self::RecursionAvailable => "RA is set here only with `upstream`",
            Self::CheckingDisabled => "CD is copied here only by a forwarder (RFC 4035 3.1.6 and 3.2.2)",
            Self::Any => "ANY gets one set here (RFC 8482 4.1)",
            Self::AliasToNothing => {
                "Where an alias leads to nothing, that is said here: SOA, and NXDOMAIN (RFC 2308 2, RFC 6604 3)"
            }
            Self::AliasBelow => {
                "Where an alias leads into a zone below, the servers of that one are told here (RFC 1034 4.3.2)"
            }
            Self::SignatureOfAlias => "An alias is followed for RRSIG and NSEC too: it has none of its own",
            Self::OtherZonesAddresses => {
                "Addresses of a name server come from any zone of ours (RFC 1034 4.3.2, step 6)"
            }
            Self::Addresses => "Addresses of hosts in MX, SRV and NS come with the answer here",
        }
    }

    /// Makes alike what differs by it, if it is the reason.
    fn level(self, whom: Whom, question: &Question, own: &Answer, other: &mut Answer) {
        let unbound = whom == Whom::Unbound;
        let is_it = match self {
            Self::Meta => {
                // Of two mistakes, the version and the type, each tells another.
                let is_told = own.code == FORMERR || own.code == BADVERS && unbound;
                is_told && matches!(question.kind, OPT | TKEY | TSIG) && unbound == (other.code == FORMERR)
            }
            Self::AnyClass => {
                let is_asked_for = unbound && matches!(other.code, REFUSED | SERVFAIL);
                question.class == CLASS_ANY
                    && own.code == REFUSED
                    && (is_asked_for || !unbound && other.code != REFUSED)
            }
            Self::Outside => unbound && own.code == REFUSED && other.code == SERVFAIL && is_outside(question),
            Self::ParentsDs => {
                unbound
                    && question.kind == DS
                    && ZONES.contains(&question.name().as_str())
                    && own.code == 0
                    && own.answer.is_empty()
                    && matches!(other.code, REFUSED | SERVFAIL)
            }
            Self::RecursionAvailable => unbound && other.flags.contains("RA") && !own.flags.contains("RA"),
            Self::CheckingDisabled => unbound && question.flags & CD != 0 && !own.flags.contains("CD"),
            Self::Any => {
                let is_set = kinds(own) == 1 && !other.answer.is_empty();
                let fits = if unbound { own.answer.is_subset(&other.answer) } else { kinds(other) == 1 };
                question.kind == ANY && question.class == IN && is_set && fits && own.code == other.code
            }
            Self::AliasToNothing | Self::AliasBelow => {
                let kind = if self == Self::AliasBelow { " NS " } else { " SOA " };
                let is_alias = !own.answer.is_empty() && all(&own.answer, " CNAME ");
                let says_more = all(&own.authority, kind) && other.authority.is_empty() && other.code == 0;
                unbound && is_alias && says_more && own.answer == other.answer
            }
            Self::SignatureOfAlias => {
                let is_alias = own.answer.iter().any(|record| record.contains(" CNAME "));
                !unbound
                    && is_alias
                    && matches!(question.kind, RRSIG | NSEC)
                    && other.answer.is_empty()
                    && other.code == 0
            }
            Self::OtherZonesAddresses => {
                let is_far =
                    own.additional.difference(&other.additional).all(|record| record.contains(".cluster. "));
                let is_reverse = question.name().ends_with(".arpa");
                !unbound
                    && is_far
                    && is_reverse
                    && matches!(question.kind, NS | ANY)
                    && other.additional.is_subset(&own.additional)
            }
            Self::Addresses => {
                let leads = matches!(question.kind, NS | MX | SRV)
                    || !own.authority.is_empty() && own.answer.is_empty();
                unbound && leads && other.additional.is_subset(&own.additional) && own.answer == other.answer
            }
        };
        if !is_it {
            return;
        }
        match self {
            Self::Meta | Self::AnyClass | Self::Outside | Self::ParentsDs => *other = own.clone(),
            Self::RecursionAvailable => drop(other.flags.remove("RA")),
            Self::CheckingDisabled => drop(other.flags.remove("CD")),
            Self::Any => (other.answer, other.additional) = (own.answer.clone(), own.additional.clone()),
            Self::AliasToNothing | Self::AliasBelow | Self::SignatureOfAlias => {
                (other.answer, other.authority) = (own.answer.clone(), own.authority.clone());
                (other.additional, other.code) = (own.additional.clone(), own.code);
            }
            Self::OtherZonesAddresses | Self::Addresses => other.additional = own.additional.clone(),
        }
    }
}

/// Whether all records are of a kind.
fn all(records: &BTreeSet<String>, kind: &str) -> bool {
    records.iter().all(|record| record.contains(kind))
}

/// Whether it is about a name of others.
fn is_outside(question: &Question) -> bool {
    let name = question.name();
    !ZONES
        .iter()
        .any(|zone| name.strip_suffix(zone).is_some_and(|host| host.is_empty() || host.ends_with('.')))
}

/// How many types are in the answer.
fn kinds(answer: &Answer) -> usize {
    let kinds: BTreeSet<_> = answer.answer.iter().map(|record| record.split(' ').nth(3)).collect();
    kinds.len()
}

/// What differs: each part by itself.
fn differing(own: &Answer, other: &Answer) -> Vec<String> {
    let edns = |answer: &Answer| answer.edns.as_ref().map(|(version, dnssec_ok, _)| (*version, *dnssec_ok));
    let parts = [
        (own.code != other.code, format!("code {} {}", own.code, other.code)),
        (own.flags != other.flags, format!("flags {:?} {:?}", own.flags, other.flags)),
        (own.question != other.question, "question".into()),
        (own.answer != other.answer, "answer".into()),
        (own.authority != other.authority, "authority".into()),
        (own.additional != other.additional, "additional".into()),
        (edns(own) != edns(other), format!("EDNS {:?} {:?}", own.edns, other.edns)),
    ];
    parts.into_iter().filter(|(differs, _)| *differs).map(|(_, what)| what).collect()
}

/// By which reasons they differ.
///
/// # Errors
/// What differs by none.
pub(crate) fn explain(
    whom: Whom,
    question: &Question,
    own: Option<&Answer>,
    other: Option<&Answer>,
) -> Result<Vec<Reason>, String> {
    let (Some(own), Some(other)) = (own, other) else {
        return Err(format!("nothing that can be read: own {}, other {}", own.is_none(), other.is_none()));
    };
    let mut other = other.clone();
    let mut reasons = Vec::new();
    let mut left = differing(own, &other);
    for reason in Reason::ALL {
        if left.is_empty() {
            break;
        }
        reason.level(whom, question, own, &mut other);
        let then = differing(own, &other);
        if then != left {
            reasons.push(reason);
            left = then;
        }
    }
    if left.is_empty() { Ok(reasons) } else { Err(left.join(", ")) }
}
