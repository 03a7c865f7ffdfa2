//! What an upstream's message is worth: whether it answers what was asked, and what of it is passed on.

use super::records::{self, Record, Section, WireName, Writer, rtype};
use crate::asked::{AA, HEADER_OCTETS, QR, RA, TC, header_and_question};
use crate::cache::CachedAnswer;
use crate::limit::CHAIN_MAX;

/// What was sent, as far as the answer has to agree with it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sent<'a> {
    pub(crate) id: u16,
    /// Name, type and class, with the name in the case it was sent in.
    pub(crate) question: &'a [u8],
    pub(crate) with_edns: bool,
    pub(crate) dnssec_ok: bool,
    pub(crate) by_stream: bool,
}

/// What became of a message that came where an answer was waited for.
#[derive(Debug)]
pub(crate) enum Judgement {
    /// It does not answer what was sent: it was never there. The true answer may still come.
    NotOurs,
    /// An answer in all but the letters' case: forged by somebody who guessed the rest, or from a server that does not keep to it. A
    /// stream, which cannot be forged from afar, tells which.
    CaseLost,
    /// There is more than a datagram holds (RFC 1035 4.2.1).
    Truncated,
    /// The server does not know EDNS (RFC 6891 7).
    NoEdns,
    /// The server cannot tell, or tells nonsense: another may.
    Unusable,
    /// Refused for where it points to.
    Rebinding,
    /// An answer, to be kept for so many seconds.
    Useful(CachedAnswer, u32),
}

/// What the operator thinks of answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Policy<'a> {
    pub(crate) least_seconds: u32,
    pub(crate) most_seconds: u32,
    pub(crate) denials_most_seconds: u32,
    /// Addresses that names of others may not have.
    pub(crate) barred: &'a crate::clients::Barred,
}

const NOERROR: u8 = 0;
const FORMERR: u8 = 1;
const NXDOMAIN: u8 = 3;
const NOTIMP: u8 = 4;

/// Believes an answer if id, question and its letters agree (RFC 5452 9.1); the server and the port are the socket's.
pub(crate) fn judge(message: &[u8], sent: Sent<'_>, policy: &Policy<'_>) -> Judgement {
    let Some((header, rest)) = message.split_first_chunk::<HEADER_OCTETS>() else {
        return Judgement::NotOurs;
    };
    let [_, _, flags, code, questions_high, questions_low, ..] = *header;
    // QR, and opcode QUERY.
    if header[..2] != sent.id.to_be_bytes() || flags & 0xf8 != QR {
        return Judgement::NotOurs;
    }
    let code = code & 0x0f;
    let no_edns = sent.with_edns && matches!(code, FORMERR | NOTIMP);
    match [questions_high, questions_low] {
        [0, 1] => {}
        // Old servers give a message back that they cannot read, without its question.
        [0, 0] if no_edns => return Judgement::NoEdns,
        _ => return Judgement::NotOurs,
    }
    let question = rest.get(..sent.question.len()).unwrap_or_default();
    if question != sent.question {
        let same_name = question.eq_ignore_ascii_case(sent.question);
        return if same_name && !sent.by_stream { Judgement::CaseLost } else { Judgement::NotOurs };
    }
    if flags & TC != 0 {
        return if sent.by_stream { Judgement::Unusable } else { Judgement::Truncated };
    }
    if !matches!(code, NOERROR | NXDOMAIN) {
        return if no_edns { Judgement::NoEdns } else { Judgement::Unusable };
    }
    let Some(mut records) = records::read(message, sent.question.len()) else { return Judgement::Unusable };
    let name = &sent.question[..sent.question.len() - 4];
    records.iter_mut().for_each(|record| record.forget_letters(name));
    // RFC 6891 6.1.3: the upper bits of the code.
    if records.iter().any(|record| record.rtype == rtype::OPT && record.ttl_seconds >> 24 != 0) {
        return Judgement::Unusable;
    }
    let is_server = flags & AA != 0 || header[3] & RA != 0;
    pass_on(&records, code, is_server, sent, policy).unwrap_or(Judgement::Unusable)
}

/// What of the records is told to clients: those that the question leads to, and what proves a denial. The rest of authority, and
/// all of the additional section, is nobody's question: whoever wants it asks for it.
fn pass_on(
    records: &[Record],
    code: u8,
    is_server: bool,
    sent: Sent<'_>,
    policy: &Policy<'_>,
) -> Option<Judgement> {
    let (name, tail) = sent.question.split_at(sent.question.len() - 4);
    let wanted = u16::from_be_bytes([tail[0], tail[1]]);
    let internet: Vec<&Record> = records.iter().filter(|record| record.class == 1).collect();
    let chain = follow(&internet, name, wanted)?;
    let answers: Vec<&Record> = internet
        .iter()
        .copied()
        .filter(|record| record.section == Section::Answer && leads_on(record, &chain))
        .collect();
    if answers.iter().any(|record| policy.barred.bars(record)) {
        return Some(Judgement::Rebinding);
    }
    let last = chain.last()?;
    let has_data = answers.iter().any(|record| {
        record.owner.eq_ignore_ascii_case(last) && (record.rtype == wanted || wanted == rtype::ANY)
    });
    let is_denial = code == NXDOMAIN || !has_data;
    let soa = internet.iter().copied().find(|record| {
        record.section == Section::Authority
            && record.rtype == rtype::SOA
            && chain.iter().any(|name| is_at_or_below(name, &record.owner))
    });
    // A referral: this server answers only for what it has itself.
    if is_denial && code == NOERROR && soa.is_none() && answers.is_empty() && !is_server {
        return None;
    }
    let mut question = sent.question.to_vec();
    question.make_ascii_lowercase();
    let mut head = header_and_question(&question, 256);
    head[3] = code;
    let mut writer = Writer::new(head);
    // Without an SOA a denial may not be kept (RFC 2308 5).
    let mut lasts = if is_denial && soa.is_none() { 0 } else { policy.most_seconds };
    let mut push = |record: &Record, seconds: u32| {
        let seconds = seconds.max(policy.least_seconds).min(policy.most_seconds);
        lasts = lasts.min(seconds);
        writer.push(record, seconds)
    };
    for record in &answers {
        push(record, record.ttl_seconds)?;
    }
    if let Some(soa) = soa.filter(|_| is_denial) {
        // RFC 2308 5: the lesser of the SOA's TTL and its last field.
        let seconds = soa.ttl_seconds.min(soa.soa_minimum()?).min(policy.denials_most_seconds);
        push(soa, seconds)?;
    }
    if sent.dnssec_ok {
        for record in internet.iter().filter(|record| is_proof(record)) {
            push(record, record.ttl_seconds)?;
        }
    }
    let (octets, ttl_offsets) = writer.finish();
    Some(Judgement::Useful(CachedAnswer::new(octets, ttl_offsets, sent.question.len()), lasts))
}

/// The names that the question leads to by aliases (RFC 1034 3.6.2), itself first. `None` if they go in a circle or too far.
pub(crate) fn follow(records: &[&Record], name: &[u8], wanted: u16) -> Option<Vec<WireName>> {
    let mut chain = vec![name.to_vec()];
    if matches!(wanted, rtype::CNAME | rtype::ANY) {
        return Some(chain);
    }
    loop {
        let last = chain.last()?;
        let alias = records.iter().find(|record| {
            record.section == Section::Answer
                && record.rtype == rtype::CNAME
                && record.owner.eq_ignore_ascii_case(last)
        });
        let Some(target) = alias.map(|alias| alias.target()) else { return Some(chain) };
        let target = target?;
        if chain.len() > CHAIN_MAX || chain.iter().any(|name| name.eq_ignore_ascii_case(target)) {
            return None;
        }
        chain.push(target.clone());
    }
}

/// Whether a record of the answer is of a name that was led to, or an alias of a whole tree above one (RFC 6672) with its signature.
fn leads_on(record: &Record, chain: &[WireName]) -> bool {
    chain.iter().any(|name| {
        record.owner.eq_ignore_ascii_case(name)
            || matches!(record.rtype, rtype::DNAME | rtype::RRSIG) && is_at_or_below(name, &record.owner)
    })
}

/// What shows those who check that a denial, or a wildcard, is true (RFC 4035 3.1.3).
fn is_proof(record: &Record) -> bool {
    record.section == Section::Authority
        && match record.rtype {
            rtype::NSEC | rtype::NSEC3 => true,
            // Signatures of NS sets stay away like those.
            rtype::RRSIG => record.data.first().is_some_and(|piece| match piece {
                records::Piece::Octets(octets) => octets.first_chunk().is_some_and(|covered| {
                    matches!(u16::from_be_bytes(*covered), rtype::NSEC | rtype::NSEC3 | rtype::SOA)
                }),
                records::Piece::Name(_) => false,
            }),
            _ => false,
        }
}

/// Whether a name is this one or below it.
pub(crate) fn is_at_or_below(name: &[u8], above: &[u8]) -> bool {
    let mut rest = name;
    loop {
        if rest.eq_ignore_ascii_case(above) {
            return true;
        }
        let Some((length, tail)) = rest.split_first().filter(|(length, _)| **length != 0) else {
            return false;
        };
        rest = tail.get(usize::from(*length)..).unwrap_or_default();
    }
}
