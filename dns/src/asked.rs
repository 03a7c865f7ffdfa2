//! A plain question, read without a copy: what nearly every client sends, and the only form that is forwarded and kept.

use crate::statistics::ResponseCode;
use crate::wire::{COOKIE_OCTETS, Cookie, UDP_OCTETS_MAX};
use std::fmt;

/// A query of opcode QUERY with one question of class IN, and at most an OPT record of version 0 behind it, and whatever octets follow, which are nobody's. Whatever is any different
/// is read by `wire`, which knows what to say to it.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    payload: &'a [u8],
    /// Name, type and class, the name in lower case (RFC 4343 3).
    lower: [u8; QUESTION_OCTETS_MAX],
    question_octets: usize,
    /// What the client takes by UDP, of its OPT record.
    edns_octets: Option<u16>,
    dnssec_ok: bool,
    /// The client's cookie, of its OPT record.
    cookie: Option<&'a [u8]>,
    /// Ours to it.
    cookie_back: Option<[u8; COOKIE_OCTETS]>,
}

/// Header: id, flags, four counts (RFC 1035 4.1.1).
pub(crate) const HEADER_OCTETS: usize = 12;
/// Name, type and class.
const QUESTION_OCTETS_MAX: usize = 255 + 4;
/// An OPT record without options: root name, type, class, TTL, length.
pub(crate) const OPT_OCTETS: usize = 11;
/// The option of a cookie, with what it begins with (RFC 7873 4).
const COOKIE_HEAD: [u8; 4] = [0, 10, 0, COOKIE_OCTETS as u8];
/// An option that says why (RFC 8914 2): code, length, number.
const ERROR_OCTETS: usize = 6;
/// The largest UDP message to a client that says nothing (RFC 1035 2.3.4).
const UDP_OCTETS_PLAIN: u16 = 512;

/// In the third octet of a header: QR.
pub(crate) const QR: u8 = 0x80;
/// AA.
pub(crate) const AA: u8 = 0x04;
/// TC.
pub(crate) const TC: u8 = 0x02;
/// RD.
pub(crate) const RD: u8 = 0x01;
/// In the fourth octet: RA.
pub(crate) const RA: u8 = 0x80;
/// AD: all of it was checked (RFC 4035 3.2.3).
pub(crate) const AD: u8 = 0x20;
/// CD (RFC 4035 3.2.2).
pub(crate) const CD: u8 = 0x10;

/// The type of an OPT record (RFC 6891 6.1.1), most significant octet first.
const OPT: [u8; 2] = [0, 41];
/// Class IN.
const IN: [u8; 2] = [0, 1];

impl<'a> Asked<'a> {
    pub(crate) fn read(payload: &'a [u8]) -> Option<Self> {
        let (header, rest) = payload.split_first_chunk::<HEADER_OCTETS>()?;
        let [_, _, flags, code, 0, 1, 0, 0, 0, 0, 0, additional @ (0 | 1)] = *header else { return None };
        // QR, opcode, AA and TC have to be zero; of the second half only RA's, Z's and the code's bits.
        if flags & !RD != 0 || code & 0xcf != 0 {
            return None;
        }
        let name_octets = plain_name_octets(rest)?;
        let question_octets = name_octets + 4;
        let question = rest.get(..question_octets)?;
        if question[name_octets + 2..] != IN {
            return None;
        }
        let mut lower = [0; QUESTION_OCTETS_MAX];
        let target = lower.get_mut(..question_octets)?;
        target.copy_from_slice(question);
        // Lengths are at most 63, and letters begin at 65.
        target[..name_octets].make_ascii_lowercase();
        let opt = &rest[question_octets..];
        let (edns_octets, dnssec_ok, cookie) = match additional {
            0 => (None, false, None),
            _ => read_opt(opt).map(|(octets, dnssec_ok, cookie)| (Some(octets), dnssec_ok, cookie))?,
        };
        // RFC 7873 5.2.2: FORMERR.
        if cookie.is_some_and(|cookie| Cookie::parse(cookie).is_none()) {
            return None;
        }
        let cookie_back = None;
        Some(Self { payload, lower, question_octets, edns_octets, dnssec_ok, cookie, cookie_back })
    }

    /// Name, type and class in lower case.
    pub(crate) fn lower(&self) -> &[u8] {
        &self.lower[..self.question_octets]
    }

    /// The name in lower case, in wire form.
    pub(crate) fn name(&self) -> &[u8] {
        &self.lower[..self.question_octets - 4]
    }

    pub(crate) fn rtype(&self) -> u16 {
        let at = self.question_octets - 4;
        u16::from_be_bytes([self.lower[at], self.lower[at + 1]])
    }

    /// Name, type and class as they were asked.
    pub(crate) fn question(&self) -> &'a [u8] {
        &self.payload[HEADER_OCTETS..HEADER_OCTETS + self.question_octets]
    }

    /// Whether it asks for data, and for no zone, mailbox or signature of a message (RFC 6895 3.1).
    pub(crate) fn wants_data(&self) -> bool {
        !matches!(self.rtype(), 0 | 41 | 128..=254)
    }

    pub(crate) fn recursion_desired(&self) -> bool {
        self.payload[2] & RD != 0
    }

    pub(crate) fn dnssec_ok(&self) -> bool {
        self.dnssec_ok
    }

    /// The client's cookie, which every answer to it has to answer (RFC 7873 5.2.3).
    pub(crate) fn cookie(&self) -> Option<Cookie> {
        self.cookie.and_then(Cookie::parse)
    }

    /// The same, to be answered with this cookie.
    pub(crate) fn with_cookie_back(self, cookie: [u8; COOKIE_OCTETS]) -> Self {
        Self { cookie_back: Some(cookie), ..self }
    }

    pub(crate) fn checking_disabled(&self) -> bool {
        self.payload[3] & CD != 0
    }

    /// What tells this client's reply from that to another who asks the same.
    pub(crate) fn manner(&self) -> Manner {
        Manner {
            id: [self.payload[0], self.payload[1]],
            flags: [self.payload[2] & RD, self.payload[3] & CD],
            edns_octets: self.edns_octets,
            dnssec_ok: self.dnssec_ok,
            // RFC 6840 5.7: who sets AD in a question, or DO, knows what it means in an answer.
            wants_ad: self.dnssec_ok || self.payload[3] & AD != 0,
            cookie_back: self.cookie_back,
        }
    }

    /// The same of another name, in wire form.
    pub(crate) fn of_another_name(&self, name: &[u8]) -> Vec<u8> {
        let (head, rest) = self.payload.split_at(HEADER_OCTETS);
        [head, name, &rest[self.question_octets - 4..]].concat()
    }

    /// The same question from somebody without EDNS.
    pub(crate) fn without_edns(&self) -> Vec<u8> {
        let mut plain = self.payload[..HEADER_OCTETS + self.question_octets].to_vec();
        plain[HEADER_OCTETS - 1] = 0;
        plain
    }
}

impl fmt::Debug for Asked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked").field("question", &self.question().escape_ascii().to_string()).finish()
    }
}

/// How a client asked, beside what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Manner {
    pub(crate) id: [u8; 2],
    /// RD and CD, which come back as they are.
    flags: [u8; 2],
    edns_octets: Option<u16>,
    dnssec_ok: bool,
    wants_ad: bool,
    cookie_back: Option<[u8; COOKIE_OCTETS]>,
}

impl Manner {
    /// How many octets a UDP reply may have (RFC 6891 6.2.3 and 6.2.5).
    pub(crate) fn udp_octets(&self) -> usize {
        usize::from(match self.edns_octets {
            Some(octets) => octets.clamp(UDP_OCTETS_PLAIN, UDP_OCTETS_MAX),
            None => UDP_OCTETS_PLAIN,
        })
    }

    /// Octets of our OPT record to this client.
    pub(crate) fn opt_octets(&self) -> usize {
        let cookie_octets = self.cookie_back.map_or(0, |cookie| COOKIE_HEAD.len() + cookie.len());
        self.edns_octets.map_or(0, |_| OPT_OCTETS + cookie_octets)
    }

    /// Octets that it takes to tell such a client a reason.
    pub(crate) fn error_octets(&self, extended_error: Option<u16>) -> usize {
        if extended_error.is_some() && self.edns_octets.is_some() { ERROR_OCTETS } else { 0 }
    }

    /// Makes a message a reply to this client: id and flags, and an OPT record behind it (RFC 6891 6.1.1).
    pub(crate) fn dress(&self, reply: &mut Vec<u8>, recursion: bool, extended_error: Option<u16>) {
        reply[..2].copy_from_slice(&self.id);
        reply[2] |= QR | self.flags[0];
        // RFC 4035 3.2.2: who asks others copies CD; 3.1.6: who knows himself clears it.
        let checking_disabled = if recursion && reply[2] & AA == 0 { self.flags[1] } else { 0 };
        // RFC 6840 5.8: AD as far as we have checked ourselves.
        let kept = if self.wants_ad { 0x0f | AD } else { 0x0f };
        reply[3] = (reply[3] & kept) | checking_disabled | if recursion { RA } else { 0 };
        if self.edns_octets.is_some() {
            // RFC 3225 3: DO is copied.
            let [high, low] = UDP_OCTETS_MAX.to_be_bytes();
            let dnssec_ok = if self.dnssec_ok { 0x80 } else { 0 };
            reply.extend([0, OPT[0], OPT[1], high, low, 0, 0, dnssec_ok, 0, 0, 0]);
            let options_at = reply.len();
            if let Some(cookie) = self.cookie_back {
                reply.extend(COOKIE_HEAD);
                reply.extend(cookie);
            }
            if let Some(error) = extended_error {
                // RFC 8914 2
                reply.extend([0, 15, 0, 2]);
                reply.extend(error.to_be_bytes());
            }
            reply[options_at - 1] = u8::try_from(reply.len() - options_at).expect("34 at most");
            reply[HEADER_OCTETS - 1] = reply[HEADER_OCTETS - 1].wrapping_add(1);
        }
    }

    /// A reply that says nothing but this code.
    pub(crate) fn say(&self, question: &[u8], code: ResponseCode, recursion: bool) -> Vec<u8> {
        let mut reply = header_and_question(question, OPT_OCTETS);
        reply[3] = code.low_bits();
        self.dress(&mut reply, recursion, None);
        reply
    }

    /// A reply that says that the answer is too long for a datagram (RFC 2181 9).
    pub(crate) fn say_truncated(&self, question: &[u8], flags: [u8; 2], recursion: bool) -> Vec<u8> {
        let mut reply = header_and_question(question, OPT_OCTETS);
        reply[2] = TC | flags[0] & AA;
        reply[3] = flags[1] & 0x0f;
        self.dress(&mut reply, recursion, None);
        reply
    }
}

/// A message of one question, with room for more behind it.
pub(crate) fn header_and_question(question: &[u8], more: usize) -> Vec<u8> {
    let mut message = Vec::with_capacity(HEADER_OCTETS + question.len() + more);
    message.extend([0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    message.extend_from_slice(question);
    message
}

/// Octets of an uncompressed name, with the root's: at most 255 (RFC 1035 2.3.4).
pub(crate) fn plain_name_octets(octets: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let length = *octets.get(at)?;
        at += 1;
        match length {
            0 => return (at <= 255).then_some(at),
            1..=63 => at += usize::from(length),
            64.. => return None,
        }
    }
}

/// The size, DO and cookie of an OPT record of version 0.
fn read_opt(octets: &[u8]) -> Option<(u16, bool, Option<&[u8]>)> {
    let (fixed, options) = octets.split_first_chunk::<OPT_OCTETS>()?;
    let [0, 0, 41, high, low, _, 0, flags, _, length @ ..] = *fixed else { return None };
    let options = options.get(..usize::from(u16::from_be_bytes(length)))?;
    Some((u16::from_be_bytes([high, low]), flags & 0x80 != 0, read_cookie(options)?))
}

/// The first cookie among options. None: they are not whole (RFC 6891 6.1.2: code, length, data, one after the other).
fn read_cookie(mut options: &[u8]) -> Option<Option<&[u8]>> {
    let mut cookie = None;
    while let Some(([code_high, code_low, high, low], rest)) = options.split_first_chunk::<4>() {
        let (data, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes([*high, *low])))?;
        if [*code_high, *code_low] == [COOKIE_HEAD[0], COOKIE_HEAD[1]] {
            cookie.get_or_insert(data);
        }
        options = rest;
    }
    options.is_empty().then_some(cookie)
}
