//! Telling somebody.

use super::led::{Led, after};
use super::{Client, Sink, octets_max};
use crate::asked::{Asked, Manner};
use crate::cache::{Age, CachedAnswer};
use crate::resolver::{Output, Query, QueryId, Transport};
use crate::statistics::ResponseCode;
use std::net::SocketAddr;

/// To whom something is told, and how he asked for it.
pub(super) struct Whom<'a> {
    transport: Transport,
    to: SocketAddr,
    id: QueryId,
    manner: Manner,
    question: &'a [u8],
    led: Option<&'a Led>,
}

impl Client {
    pub(super) fn of(query: &Query<'_>, asked: &Asked<'_>, led: Option<Box<Led>>) -> Self {
        let Query { transport, from, id, .. } = *query;
        Self { transport, from, id, manner: asked.manner(), question: asked.question().to_vec(), led }
    }

    pub(super) fn whom(&self) -> Whom<'_> {
        let Self { transport, from: to, id, manner, ref question, ref led } = *self;
        Whom { transport, to, id, manner, question, led: led.as_deref() }
    }
}

impl<'a> Whom<'a> {
    pub(super) fn of(query: &Query<'_>, asked: &Asked<'a>) -> Self {
        let Query { transport, from: to, id, .. } = *query;
        Self { transport, to, id, manner: asked.manner(), question: asked.question(), led: None }
    }

    pub(super) fn tell_code(&self, sink: &mut Sink<'_>, code: ResponseCode, recursion: bool) {
        sink.statistics.count_reply(code);
        self.tell(sink, self.manner.say(self.question, code, recursion));
    }

    pub(super) fn tell_kept(&self, sink: &mut Sink<'_>, kept: &CachedAnswer, age: Age) {
        let Some(led) = self.led else { return self.tell_answer(sink, kept, age) };
        match after(led, self.question, kept, age) {
            Some(whole) => self.tell_answer(sink, &whole, Age::Seconds(0)),
            None => self.tell_code(sink, ResponseCode::ServFail, true),
        }
    }

    fn tell_answer(&self, sink: &mut Sink<'_>, answer: &CachedAnswer, age: Age) {
        let octets_max = octets_max(self.transport, &self.manner);
        let (payload, truncated) =
            answer.reply_or_truncated(self.question, &self.manner, age, octets_max, true);
        sink.statistics.count_reply_bits(answer.code());
        sink.statistics.truncated += u64::from(truncated);
        self.tell(sink, payload);
    }

    fn tell(&self, sink: &mut Sink<'_>, payload: Vec<u8>) {
        let Self { transport, to, id, .. } = *self;
        sink.out.push(Output::Reply { transport, to, id, payload });
    }
}

pub(super) fn tell(sink: &mut Sink<'_>, client: &Client, code: ResponseCode) {
    client.whom().tell_code(sink, code, true);
}

pub(super) fn tell_kept(sink: &mut Sink<'_>, client: &Client, kept: &CachedAnswer, age: Age) {
    client.whom().tell_kept(sink, kept, age);
}
