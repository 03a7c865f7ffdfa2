//! The records of an update (RFC 2136 2): conditions that have to hold, and what is to change then.

use crate::data::{Data, Type};
use crate::dynamic;
use crate::limit::UPDATE_LINES_MAX;
use crate::name::Name;
use domain::base::iana::{Class as WireClass, Rtype};
use domain::base::name::ParsedName;
use domain::base::rdata::UnknownRecordData;
use domain::base::wire::ParseError;
use domain::base::{Message, ParsedRecord, RecordSection};
use domain::rdata::{A, Aaaa, Cname, Mx, Ns, Ptr, Srv};

/// The two sections.
#[derive(Debug)]
pub(crate) struct Lines {
    /// RFC 2136 2.4
    pub(crate) prerequisites: Vec<Line>,
    /// RFC 2136 2.5
    pub(crate) changes: Vec<Line>,
}

/// One record of them.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) owner: Name,
    pub(crate) kind: Type,
    pub(crate) class: Class,
    pub(crate) ttl_seconds: u32,
    pub(crate) content: Content,
}

/// What a record means, more than what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// That of the zone, IN: there is such a record, or is to be.
    Zone,
    /// ANY: a set, or all sets of a name.
    Any,
    /// NONE: no such set, or this record is to go.
    None,
    Other,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// No octet of data.
    Empty,
    Data(Data),
    /// Of a type whose data are not for us to read.
    Unread,
}

/// Why the sections are not read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    Malformed,
    TooMany,
}

impl From<ParseError> for Unreadable {
    fn from(_: ParseError) -> Self {
        Self::Malformed
    }
}

/// Reads both sections of an update whose zone was read before.
pub(crate) fn read_lines(payload: &[u8]) -> Result<Lines, Unreadable> {
    let message = Message::from_slice(payload).map_err(|_| Unreadable::Malformed)?;
    let counts = message.header_counts();
    if usize::from(counts.ancount()) + usize::from(counts.nscount()) > UPDATE_LINES_MAX {
        return Err(Unreadable::TooMany);
    }
    Ok(Lines { prerequisites: lines(message.answer()?)?, changes: lines(message.authority()?)? })
}

/// The zone section (RFC 2136 2.3, 3.1.1): one zone, of type SOA. None: it is not so.
pub(super) fn read_zone(message: &Message<[u8]>) -> Option<(Name, bool)> {
    let question = message.sole_question().ok()?;
    let is_zone = question.qtype() == Rtype::SOA && !question.qname().is_compressed();
    let name = || Name::from_labels(question.qname().iter().map(|label| label.as_slice()));
    is_zone.then(|| (name(), question.qclass() == WireClass::IN))
}

fn lines(section: RecordSection<'_, [u8]>) -> Result<Vec<Line>, ParseError> {
    section.map(|record| line(&record?)).collect()
}

fn line(record: &ParsedRecord<'_, [u8]>) -> Result<Line, ParseError> {
    let seconds = record.ttl().as_secs();
    Ok(Line {
        owner: name(&record.owner()),
        kind: Type(record.rtype().to_int()),
        class: match record.class() {
            WireClass::IN => Class::Zone,
            WireClass::ANY => Class::Any,
            WireClass::NONE => Class::None,
            _ => Class::Other,
        },
        // RFC 2181 8: the uppermost bit set means zero.
        ttl_seconds: if seconds >> 31 == 0 { seconds } else { 0 },
        content: content(record)?,
    })
}

fn content(record: &ParsedRecord<'_, [u8]>) -> Result<Content, ParseError> {
    let wrong = || ParseError::form_error("data that are not those of their type");
    let raw = record.to_record::<UnknownRecordData<&[u8]>>()?.ok_or_else(wrong)?;
    let raw = *raw.data().data();
    if raw.is_empty() {
        return Ok(Content::Empty);
    }
    let kind = Type(record.rtype().to_int());
    // Names may have come compressed.
    let data = match kind {
        Type::A => record.to_record::<A>()?.map(|record| Data::A(record.data().addr())),
        Type::AAAA => record.to_record::<Aaaa>()?.map(|record| Data::Aaaa(record.data().addr())),
        Type::NS => {
            record.to_record::<Ns<ParsedName<_>>>()?.map(|r| Data::Name(kind, name(r.data().nsdname())))
        }
        Type::CNAME => {
            record.to_record::<Cname<ParsedName<_>>>()?.map(|r| Data::Name(kind, name(r.data().cname())))
        }
        Type::PTR => {
            record.to_record::<Ptr<ParsedName<_>>>()?.map(|r| Data::Name(kind, name(r.data().ptrdname())))
        }
        Type::MX => record
            .to_record::<Mx<ParsedName<_>>>()?
            .map(|r| Data::Mx(r.data().preference(), name(r.data().exchange()))),
        Type::SRV => record.to_record::<Srv<ParsedName<_>>>()?.map(|r| Data::Srv {
            priority: r.data().priority(),
            weight: r.data().weight(),
            port: r.data().port(),
            target: name(r.data().target()),
        }),
        kind if dynamic::may_come(kind) => dynamic::data(kind, raw),
        _ => return Ok(Content::Unread),
    };
    data.map(Content::Data).ok_or_else(wrong)
}

fn name(name: &ParsedName<&[u8]>) -> Name {
    Name::from_labels(name.iter().map(|label| label.as_slice()))
}
