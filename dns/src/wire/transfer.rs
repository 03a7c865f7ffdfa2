//! Messages of copies of zones, and the messages that tell of them.

use super::{Signature, Target, push, ttl, wire_name};
use crate::name::Name;
use crate::zone::Row;
use domain::base::iana::{Class, Opcode, Rtype};
use domain::base::{Message, MessageBuilder, Question, StaticCompressor};
use std::collections::VecDeque;

/// What the messages of a copy have in common.
pub(crate) struct Head {
    id: u16,
    recursion_desired: bool,
    /// As it was asked. Only the first message repeats it (RFC 5936 2.2).
    question: Option<(Name, Rtype)>,
}

/// Octets of a message of a copy: names further behind cannot be pointed to (RFC 1035 4.1.4), so that more of them make it larger.
const OCTETS_MAX: usize = 16 * 1024;

impl Head {
    pub(crate) fn of(payload: &[u8], apex: &Name) -> Option<Self> {
        let message = Message::from_slice(payload).ok()?;
        let question = message.sole_question().ok()?;
        let header = message.header();
        Some(Self {
            id: header.id(),
            recursion_desired: header.rd(),
            question: Some((apex.clone(), question.qtype())),
        })
    }

    /// The next message: with as many of the rows as it has room for, which are taken away.
    pub(crate) fn write(
        &mut self,
        rows: &mut VecDeque<Row>,
        signature: Option<&mut Signature>,
        wall_seconds: u64,
    ) -> Vec<u8> {
        let target: Target = StaticCompressor::new(Vec::with_capacity(OCTETS_MAX));
        let mut builder = MessageBuilder::from_target(target).expect("a Vec has room for a header");
        let header = builder.header_mut();
        header.set_id(self.id);
        header.set_qr(true);
        header.set_aa(true);
        header.set_rd(self.recursion_desired);
        let kept = signature.as_ref().map_or(0, |signature| signature.octets());
        builder.set_push_limit(OCTETS_MAX - kept);
        let mut questions = builder.question();
        if let Some((name, kind)) = self.question.take() {
            let question = Question::new(wire_name(&name), kind, Class::IN);
            questions.push(question).expect("the question was in a message");
        }
        let mut answer = questions.answer();
        let mut is_first = true;
        while let Some((name, seconds, data)) = rows.front() {
            if push(&mut answer, &wire_name(name), ttl(*seconds), data).is_err() {
                if !is_first {
                    break;
                }
                // One that is larger than others' messages has one of its own; updates take none that has no room there.
                answer.set_push_limit(usize::from(u16::MAX) - kept);
                let _ = push(&mut answer, &wire_name(name), ttl(*seconds), data);
            }
            is_first = false;
            rows.pop_front();
        }
        let mut additional = answer.additional();
        if let Some(signature) = signature {
            additional.set_push_limit(usize::from(u16::MAX));
            signature.sign(&mut additional, wall_seconds);
        }
        additional.finish().into_target()
    }
}

/// Tells a secondary that a zone has changed: with its SOA, so that who has that one need not ask (RFC 1996 3.7).
pub(crate) fn notice(id: u16, start: &Row) -> Vec<u8> {
    let (apex, seconds, soa) = start;
    let target: Target = StaticCompressor::new(Vec::with_capacity(512));
    let mut builder = MessageBuilder::from_target(target).expect("a Vec has room for a header");
    let header = builder.header_mut();
    header.set_id(id);
    header.set_opcode(Opcode::NOTIFY);
    // RFC 1996 3.6
    header.set_aa(true);
    let mut questions = builder.question();
    let question = Question::new(wire_name(apex), Rtype::SOA, Class::IN);
    questions.push(question).expect("a name has room in a message");
    let mut answer = questions.answer();
    push(&mut answer, &wire_name(apex), ttl(*seconds), soa).expect("so has an SOA");
    answer.finish().into_target()
}

/// The number of the notice that a message answers, if that is what it is.
pub(crate) fn heard(payload: &[u8]) -> Option<u16> {
    let header = Message::from_slice(payload).ok()?.header();
    (header.qr() && header.opcode() == Opcode::NOTIFY).then(|| header.id())
}
