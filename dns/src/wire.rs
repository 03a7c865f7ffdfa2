//! Messages, read and written. The crate `domain` is seen nowhere else.

use crate::data::{Data, Set, Soa, Type};
mod cookie;
mod signature;
#[cfg(test)]
pub(crate) mod signing;
mod transfer;
mod update;

pub(crate) use cookie::{COOKIE_OCTETS, Cookie};
pub(crate) use signature::{Keys, Signature};
pub(crate) use transfer::{Head, heard, notice};
pub(crate) use update::{Class as LineClass, Content, Line, Lines, Unreadable, read_lines};

use crate::name::Name;
use crate::statistics::{Dropped, ResponseCode};
use crate::zone::{Answer, Authority};
use domain::base::iana::{Class, Opcode, OptRcode, OptionCode, Rcode, Rtype};
use domain::base::message_builder::{
    AdditionalBuilder, AnswerBuilder, AuthorityBuilder, PushError, RecordSectionBuilder,
};
use domain::base::name::{Name as WireName, ToName};
use domain::base::opt::{Opt, OptRecord, UnknownOptData};
use domain::base::rdata::UnknownRecordData;
use domain::base::wire::ParseError;
use domain::base::{Header, Message, MessageBuilder, RecordSection, Serial, StaticCompressor, Ttl};
use domain::dep::octseq::Octets;
use domain::rdata::{A, Aaaa, Cname, Mx, Ns, Ptr, Soa as SoaData, Srv};

/// The largest UDP message that we send and say we take: what fits IPv6's smallest packet, 1280, so that nothing on the way is
/// fragmented (RFC 9715 3.1 asks for 1400 or less).
pub(crate) const UDP_OCTETS_MAX: u16 = 1232;
/// The largest UDP message to a client that says nothing (RFC 1035 2.3.4).
const UDP_OCTETS_PLAIN: u16 = 512;
/// An OPT record without options: root name, type, class, TTL, length.
const OPT_OCTETS: usize = 11;
/// Code and length of an option.
const OPTION_HEAD_OCTETS: usize = 4;

/// A message that is to be answered.
pub(crate) struct Request<'a> {
    message: &'a Message<[u8]>,
    pub(crate) body: Body,
    /// There is a signature in it.
    pub(crate) is_signed: bool,
}

/// What is in it, as far as we read it.
pub(crate) enum Body {
    /// Neither a query nor an update: NOTIFY, or an opcode nobody knows. What follows the header is not for us to read.
    OtherOpcode,
    /// A query or an update that does not follow the format.
    Malformed,
    /// Names of this zone are to be changed (RFC 2136).
    Update { zone: Name, internet: bool, edns: Option<Edns> },
    /// A query.
    Query { question: Question, edns: Option<Edns> },
}

/// The one question of a query.
pub(crate) struct Question {
    pub(crate) name: Name,
    pub(crate) wanted: Wanted,
    /// Class IN.
    pub(crate) internet: bool,
}

/// What is asked for.
pub(crate) enum Wanted {
    Data(Type),
    /// AXFR, or IXFR with the serial that the asker has (RFC 1995 3).
    Transfer(Option<u32>),
    /// MAILA, MAILB: questions for data that is obsolete (RFC 1035 3.2.3).
    Mail,
    /// A type that stands for no data and cannot be asked for: OPT, TSIG, TKEY.
    Meta,
}

/// What the OPT record says (RFC 6891).
#[derive(Clone)]
pub(crate) struct Edns {
    udp_octets: u16,
    pub(crate) version: u8,
    dnssec_ok: bool,
    pub(crate) cookie: Option<Cookie>,
}

/// What a reply says of who is who.
#[derive(Default)]
pub(crate) struct Proof<'a> {
    /// For who sent one: the option with both parts.
    pub(crate) cookie: Option<[u8; COOKIE_OCTETS]>,
    /// For who signed: with what the answer is signed, and the calendar's seconds.
    pub(crate) signed: Option<(&'a mut Signature, u64)>,
    /// Whether he may ask for outside names, which RA says (RFC 1035 4.1.1).
    pub(crate) recursion: bool,
}

/// A reply, ready to be sent.
pub(crate) struct Reply {
    pub(crate) payload: Vec<u8>,
    pub(crate) truncated: bool,
}

/// Reads a message, or tells why it gets no reply.
pub(crate) fn read(payload: &[u8]) -> Result<Request<'_>, Dropped> {
    let message = Message::from_slice(payload).map_err(|_| Dropped::Short)?;
    let header = message.header();
    if header.qr() {
        return Err(Dropped::Response);
    }
    if header.rcode() != Rcode::NOERROR {
        return Err(Dropped::Error);
    }
    let body = match header.opcode() {
        Opcode::QUERY => read_query(message).unwrap_or(Body::Malformed),
        Opcode::UPDATE => read_update(message).unwrap_or(Body::Malformed),
        _ => Body::OtherOpcode,
    };
    Ok(Request { message, body, is_signed: is_signed(message) })
}

/// Whether there is a signature: as the last record, or at a wrong place, which is found then (RFC 8945 5.1).
fn is_signed(message: &Message<[u8]>) -> bool {
    let is_there = |additional: RecordSection<'_, [u8]>| {
        additional.into_iter().map_while(Result::ok).any(|record| record.rtype() == Rtype::TSIG)
    };
    message.header_counts().arcount() > 0 && message.additional().is_ok_and(is_there)
}

/// How many octets the reply may have.
pub(crate) fn udp_octets(body: &Body) -> usize {
    // RFC 6891 6.2.3: values below 512 are treated as 512; 6.2.5: what we send is bounded by our own idea of the path, too.
    let octets = body.edns().map_or(UDP_OCTETS_PLAIN, |edns| edns.udp_octets);
    usize::from(octets.clamp(UDP_OCTETS_PLAIN, UDP_OCTETS_MAX))
}

impl Body {
    /// What the OPT record says, if there is one.
    pub(crate) fn edns(&self) -> Option<&Edns> {
        match self {
            Self::Query { edns, .. } | Self::Update { edns, .. } => edns.as_ref(),
            Self::Malformed | Self::OtherOpcode => None,
        }
    }
}

/// Writes the reply to a request in at most `octets_max` octets, of which records are given what its question, OPT and signature leave: these are sent in any case, and are about as long as those of
/// the request were.
pub(crate) fn write(
    request: &Request<'_>,
    code: ResponseCode,
    answer: Option<&Answer>,
    octets_max: usize,
    proof: Proof<'_>,
) -> Reply {
    compose(request, code, answer, octets_max, proof)
        .expect("without a limit a question and an OPT have room in a Vec")
}

fn read_query(message: &Message<[u8]>) -> Result<Body, ParseError> {
    // RFC 9619 4: a query has one question. None would be a probe for cookies (RFC 7873 5.4), which we have none of.
    let question = message.sole_question()?;
    // RFC 1035 4.1.4 points to an earlier name; before the first there is only the header.
    if question.qname().is_compressed() {
        return Err(ParseError::form_error("the first name is compressed"));
    }
    let edns = read_edns(message)?;
    let mut wanted = wanted(question.qtype().to_int());
    if question.qtype() == Rtype::IXFR {
        let mut has = message.authority()?.limit_to_in::<SoaData<_>>();
        let soa = has.next().ok_or_else(|| ParseError::form_error("IXFR without the asker's SOA"))??;
        wanted = Wanted::Transfer(Some(soa.data().serial().into()));
    }
    let labels = question.qname().iter().map(|label| label.as_slice());
    let question =
        Question { name: Name::from_labels(labels), wanted, internet: question.qclass() == Class::IN };
    Ok(Body::Query { question, edns })
}

/// An update, as far as it says what zone it is for.
fn read_update(message: &Message<[u8]>) -> Result<Body, ParseError> {
    let zone = update::read_zone(message);
    let (zone, internet) = zone.ok_or_else(|| ParseError::form_error("no zone, or more than one"))?;
    Ok(Body::Update { zone, internet, edns: read_edns(message)? })
}

fn read_edns(message: &Message<[u8]>) -> Result<Option<Edns>, ParseError> {
    let mut edns = None;
    for record in message.additional()? {
        let record = record?;
        let is_root = record.owner().is_root();
        let Some(record) = record.into_record::<Opt<_>>()? else { continue };
        let record = OptRecord::from(record);
        // RFC 6891 6.1.1: at most one; 6.1.2: its name is the root.
        if edns.is_some() || !is_root {
            return Err(ParseError::form_error("a second OPT, or one with a name"));
        }
        edns = Some(Edns {
            udp_octets: record.udp_payload_size(),
            version: record.version(),
            dnssec_ok: record.dnssec_ok(),
            cookie: read_cookie(record.opt())?,
        });
    }
    Ok(edns)
}

/// The first cookie among the options (RFC 7873 5.2).
fn read_cookie(options: &Opt<impl Octets>) -> Result<Option<Cookie>, ParseError> {
    for option in options.iter::<UnknownOptData<_>>() {
        let option = option?;
        if option.code() == OptionCode::COOKIE {
            let cookie = Cookie::parse(option.as_slice());
            return cookie.map(Some).ok_or_else(|| ParseError::form_error("a cookie of a wrong length"));
        }
    }
    Ok(None)
}

/// The types by number (RFC 6895 3.1: 128 to 255 are no data).
fn wanted(number: u16) -> Wanted {
    match number {
        // What the asker has, its message says elsewhere.
        251 | 252 => Wanted::Transfer(None),
        253 | 254 => Wanted::Mail,
        41 | 128..=250 => Wanted::Meta,
        number => Wanted::Data(Type(number)),
    }
}

type Target = StaticCompressor<Vec<u8>>;

fn compose(
    request: &Request<'_>,
    code: ResponseCode,
    answer: Option<&Answer>,
    octets_max: usize,
    Proof { cookie, signed, recursion }: Proof<'_>,
) -> Result<Reply, PushError> {
    let target = StaticCompressor::new(Vec::with_capacity(usize::from(UDP_OCTETS_PLAIN)));
    let mut builder = MessageBuilder::from_target(target).expect("a Vec has room for a header");
    write_header(builder.header_mut(), request.message.header(), code, answer);
    builder.header_mut().set_ra(recursion);
    let edns = request.body.edns();
    // RFC 8945 5.3: what is cut is cut so that the signature has room.
    let signature_octets = signed.as_ref().map_or(0, |(signature, _)| signature.octets());
    let option_octets = cookie.as_ref().map_or(0, |cookie| OPTION_HEAD_OCTETS + cookie.len());
    let opt_octets = edns.map_or(0, |_| OPT_OCTETS + option_octets);

    let mut questions = builder.question();
    // The question comes back as it was asked, in the case it was asked in: resolvers hide random bits there (draft-vixie-dnsext-dns0x20),
    // and the name of every answer points to it. Also with FORMERR if it can be read: a stub looks for it before it believes the code.
    let question = match request.body {
        Body::Query { .. } | Body::Update { .. } | Body::Malformed => request.message.sole_question().ok(),
        Body::OtherOpcode => None,
    };
    let question = question.filter(|question| !question.qname().is_compressed());
    if let Some(question) = &question {
        questions.push(question)?;
    }
    // A long question and a long signature leave nothing of 512 octets: then TC says that there is more. The builder refuses the octet that reaches its limit, hence the one more.
    questions.set_push_limit(octets_max.saturating_sub(signature_octets + opt_octets) + 1);
    let records = match (&question, answer) {
        (Some(question), Some(answer)) => write_answer(questions.answer(), question.qname(), answer),
        (None, _) | (_, None) => Ok(questions.answer().authority()),
    };
    let (mut records, truncated) = match records {
        Ok(records) => (records.additional(), false),
        // RFC 2181 9: what does not fit is left out whole, and TC says so.
        Err(answer) => (answer.tc_rewind_into().additional(), true),
    };
    if let Some(answer) = answer.filter(|_| !truncated) {
        write_help(&mut records, answer);
    }
    records.clear_push_limit();
    if let Some(edns) = edns {
        write_opt(&mut records, edns, code, cookie.as_ref().map(|cookie| &cookie[..]))?;
    }
    if let Some((signature, wall_seconds)) = signed {
        signature.sign(&mut records, wall_seconds);
    }
    Ok(Reply { payload: records.finish().into_target(), truncated })
}

/// AA is set for what is in our zones (RFC 1035 4.1.1); AD and CD are for those who validate.
fn write_header(header: &mut Header, asked: Header, code: ResponseCode, answer: Option<&Answer>) {
    header.set_id(asked.id());
    header.set_qr(true);
    header.set_opcode(asked.opcode());
    header.set_rd(asked.rd());
    header.set_rcode(rcode(code));
    // RFC 1034 4.3.2: of what a zone below has, others are the authority, unless an alias of ours leads there (RFC 1035 4.1.1).
    let is_ours =
        |answer: &Answer| !answer.answer.is_empty() || matches!(answer.authority, Some(Authority::Denial(_)));
    header.set_aa(answer.is_some_and(is_ours));
}

/// RFC 6891 6.1.1: a query with OPT gets one back.
fn write_opt(
    records: &mut AdditionalBuilder<Target>,
    edns: &Edns,
    code: ResponseCode,
    cookie: Option<&[u8]>,
) -> Result<(), PushError> {
    records.opt(|opt| {
        opt.set_udp_payload_size(UDP_OCTETS_MAX);
        // RFC 6891 6.1.3: the highest version that we know.
        opt.set_version(0);
        // RFC 3225 3: copied.
        opt.set_dnssec_ok(edns.dnssec_ok);
        if code == ResponseCode::BadVers {
            opt.set_rcode(OptRcode::BADVERS);
        }
        match cookie {
            // RFC 7873 5.2.3: with every answer a new one.
            Some(cookie) => {
                opt.push(&UnknownOptData::new(OptionCode::COOKIE, cookie).expect("a cookie is short"))
            }
            None => Ok(()),
        }
    })
}

/// The addresses of hosts in the answer: help, without which it is whole, so that no TC says if they did not fit (RFC 2181 9).
/// All of them or none: a part of a set would be taken for the set.
fn write_help(records: &mut AdditionalBuilder<Target>, answer: &Answer) {
    if answer.additional.iter().try_for_each(|(host, set)| push_set(records, wire_name(host), set)).is_err() {
        records.rewind();
    }
}

/// Answer and authority; the builder comes back if there is not enough room.
fn write_answer(
    mut builder: AnswerBuilder<Target>,
    asked: &impl ToName,
    answer: &Answer,
) -> Result<AuthorityBuilder<Target>, AnswerBuilder<Target>> {
    for (owner, set) in &answer.answer {
        let pushed = match owner {
            None => push_set(&mut builder, asked, set),
            Some(owner) => push_set(&mut builder, wire_name(owner), set),
        };
        if pushed.is_err() {
            return Err(builder);
        }
    }
    let mut builder = builder.authority();
    let pushed = match &answer.authority {
        None => Ok(()),
        Some(Authority::Below(cut, servers)) => push_set(&mut builder, wire_name(cut), servers),
        Some(Authority::Denial(soa)) => {
            // RFC 2308 3: the TTL of this SOA is how long the denial may be kept.
            let seconds = soa.negative_ttl_seconds.min(soa.ttl_seconds);
            builder.push((wire_name(&soa.apex), ttl(seconds), soa_data(soa)))
        }
    };
    match pushed {
        Ok(()) => Ok(builder),
        Err(_) => Err(builder.answer()),
    }
}

/// A set, each record of it for this name.
fn push_set(
    builder: &mut impl RecordSectionBuilder<Target>,
    owner: impl ToName,
    set: &Set,
) -> Result<(), PushError> {
    let ttl = ttl(set.ttl_seconds);
    set.data.iter().try_for_each(|data| push(builder, &owner, ttl, data))
}

/// A record.
fn push(
    builder: &mut impl RecordSectionBuilder<Target>,
    owner: &impl ToName,
    ttl: Ttl,
    data: &Data,
) -> Result<(), PushError> {
    match data {
        Data::A(address) => builder.push((owner, ttl, A::new(*address))),
        Data::Aaaa(address) => builder.push((owner, ttl, Aaaa::new(*address))),
        Data::Name(Type::NS, name) => builder.push((owner, ttl, Ns::new(wire_name(name)))),
        Data::Name(Type::CNAME, name) => builder.push((owner, ttl, Cname::new(wire_name(name)))),
        // PTR: nothing else is built of a name alone.
        Data::Name(_, name) => builder.push((owner, ttl, Ptr::new(wire_name(name)))),
        Data::Mx(preference, host) => builder.push((owner, ttl, Mx::new(*preference, wire_name(host)))),
        Data::Srv { priority, weight, port, target } => {
            builder.push((owner, ttl, Srv::new(*priority, *weight, *port, wire_name(target))))
        }
        Data::Soa(soa) => builder.push((owner, ttl, soa_data(soa))),
        Data::Other(kind, octets) => {
            let data = UnknownRecordData::from_octets(Rtype::from_int(kind.0), octets.as_slice());
            builder.push((
                owner,
                ttl,
                data.expect("no more octets are taken for data than a record has room for"),
            ))
        }
    }
}

/// Times for secondaries, should anybody copy the zone by hand: RFC 1912 2.2's, shorter, as a cluster's zone is small.
fn soa_data(soa: &Soa) -> SoaData<&WireName<[u8]>> {
    SoaData::new(
        wire_name(&soa.server),
        wire_name(&soa.hostmaster),
        Serial(soa.serial),
        ttl(3_600),
        ttl(600),
        ttl(604_800),
        ttl(soa.negative_ttl_seconds),
    )
}

/// RFC 2181 8: a TTL has 31 bits.
fn ttl(seconds: u32) -> Ttl {
    Ttl::from_secs(seconds.min(0x7fff_ffff))
}

fn wire_name(name: &Name) -> &WireName<[u8]> {
    WireName::from_slice(name.octets()).expect("a Name has the form of the wire")
}

fn rcode(code: ResponseCode) -> Rcode {
    match code {
        // BADVERS, 16, has its upper bits in the OPT record and zero here (RFC 6891 6.1.3).
        ResponseCode::NoError | ResponseCode::BadVers => Rcode::NOERROR,
        ResponseCode::FormErr => Rcode::FORMERR,
        ResponseCode::ServFail => Rcode::SERVFAIL,
        ResponseCode::NxDomain => Rcode::NXDOMAIN,
        ResponseCode::NotImp => Rcode::NOTIMP,
        ResponseCode::Refused => Rcode::REFUSED,
        ResponseCode::NotAuth => Rcode::NOTAUTH,
        ResponseCode::YxDomain => Rcode::YXDOMAIN,
        ResponseCode::YxRrset => Rcode::YXRRSET,
        ResponseCode::NxRrset => Rcode::NXRRSET,
        ResponseCode::NotZone => Rcode::NOTZONE,
    }
}
