//! How a question ends: with an answer, without one, or because another one needs its place.

use super::{Forwarder, Question, Sink, tell, tell_kept};
use crate::cache::{Age, CachedAnswer, Freshness};
use crate::limit::{FAILURE_LASTS_SECONDS, STALE_RECHECK};
use crate::resolver::Output;
use crate::statistics::ResponseCode;
use crate::upstream::nanoseconds;

impl Forwarder {
    /// Tells all who wait, and forgets the question.
    pub(super) fn finish(&mut self, number: u64, kept: &CachedAnswer, sink: &mut Sink<'_>) {
        let Some(question) = self.take(number, sink) else { return };
        for client in &question.clients {
            tell_kept(sink, client, kept, Age::Seconds(0));
        }
    }

    /// Nobody knows.
    pub(super) fn fail(&mut self, now: u64, number: u64, sink: &mut Sink<'_>) {
        self.blame(now, number);
        let Some(question) = self.give_up(now, number, sink) else { return };
        self.counts.failed += 1;
        if self.upstreams.is_silent(question.group) {
            self.loops.hasten(now);
        }
        for dependent in question.dependents {
            self.fail(now, dependent, sink);
        }
        let (name, wishes) = question.key;
        match self.cache.find(now, &name, wishes) {
            Some(hit) if hit.kept.code() != ResponseCode::ServFail.low_bits() => {
                self.cache.defer_recheck(&name, wishes, now + nanoseconds(STALE_RECHECK));
            }
            Some(_) | None => {
                let mut octets = crate::asked::header_and_question(&name, 0);
                octets[3] = ResponseCode::ServFail.low_bits();
                let kept = CachedAnswer::new(octets, Vec::new(), name.len());
                self.cache.keep(now, kept, wishes, FAILURE_LASTS_SECONDS);
            }
        }
    }

    /// It gives way to a question of somebody else. That is no word of those who were asked: whoever asks again is not told that it failed.
    pub(super) fn displace(&mut self, now: u64, number: u64, sink: &mut Sink<'_>) {
        let Some(question) = self.give_up(now, number, sink) else { return };
        self.counts.overflows += 1;
        for dependent in question.dependents {
            self.displace(now, dependent, sink);
        }
    }

    /// Takes out a question without an answer: who waits hears the best that is there. None: nobody waited.
    fn give_up(&mut self, now: u64, number: u64, sink: &mut Sink<'_>) -> Option<Question> {
        self.tell_stale(now, number, sink);
        let question = self.take(number, sink).filter(|question| question.finds_loop_of.is_none())?;
        for client in &question.clients {
            tell(sink, client, ResponseCode::ServFail);
        }
        Some(question)
    }

    /// Tells all who wait what was true once, if there is such a thing.
    pub(super) fn tell_stale(&mut self, now: u64, number: u64, sink: &mut Sink<'_>) {
        let Some(question) = self.questions.get_mut(&number) else { return };
        let stale_seconds = self.settings.stale.as_secs();
        let Some(hit) = self.cache.find(now, &question.key.0, question.key.1) else { return };
        let is_good = match hit.freshness {
            Freshness::Fresh(_) => true,
            Freshness::Stale { seconds, .. } => seconds < stale_seconds,
        };
        if !is_good || hit.kept.code() == ResponseCode::ServFail.low_bits() {
            return;
        }
        for client in question.clients.drain(..) {
            tell_kept(sink, &client, hit.kept, Age::Stale);
            self.counts.stale += 1;
            self.clients_waiting -= 1;
        }
    }

    /// Takes a question out of everything; its sockets are closed.
    pub(super) fn take(&mut self, number: u64, sink: &mut Sink<'_>) -> Option<Question> {
        let question = self.questions.remove(&number)?;
        self.timers.remove(&(question.timer, number));
        if let Some(asker) = question.asker {
            self.shares.leave(asker, number);
        }
        if question.finds_loop_of.is_none() {
            self.by_key.remove(&question.key);
        }
        self.unwanted.remove(&number);
        self.waits_no_more(number, &question);
        self.clients_waiting -= question.clients.len();
        for attempt in question.attempts.iter().filter(|attempt| attempt.is_open) {
            self.exchanges.remove(&attempt.exchange);
            sink.out.push(Output::Forget { exchange: attempt.exchange });
        }
        Some(question)
    }
}
