//! One attempt to have a question answered: what is sent, and what becomes of what comes back.

use super::{Forwarder, QUESTION_AT, Question, Sink};
use crate::asked::{CD, OPT_OCTETS, RD, header_and_question};
use crate::limit::{ATTEMPTS_MAX, EXCHANGES_FREE, OWN_FAULTS_MAX, PADDED_TO_OCTETS};
use crate::resolver::{Output, Transport};
use crate::upstream::answer::{Judgement, Policy, Sent, judge};
use crate::upstream::nanoseconds;
use crate::wire::UDP_OCTETS_MAX;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// A message that was sent upstream, in our numbering; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExchangeId(pub u64);

/// A message to be sent upstream, whose answers come back with this id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Comes back with what it leads to.
    pub id: ExchangeId,
    /// Where to.
    pub server: SocketAddr,
    /// By which way.
    pub transport: Transport,
    /// By TLS, on a connection that is shared with other questions to this server, which has to show a certificate for this name. Only one
    /// question at a time may have this message's id there: another with the same is a fault of ours.
    pub tls: Option<Arc<str>>,
    /// The port to send it from; for TCP any will do.
    pub port: u16,
    /// The message, without TCP's two octets of length.
    pub payload: Vec<u8>,
}

/// Why an exchange came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The port is taken, no descriptor is left, or a connection that had served before was closed meanwhile (RFC 7766 6.2.4): the server
    /// has done nothing wrong.
    Ours,
    /// The server, or the way there, refuses: nobody listens, the stream broke.
    Theirs,
}

/// One of the attempts of a question.
pub(super) struct Attempt {
    pub(super) exchange: ExchangeId,
    pub(super) server: usize,
    sent_at: u64,
    id: u16,
    /// Name, type and class as they were sent.
    question: Vec<u8>,
    with_edns: bool,
    transport: Transport,
    /// Its socket is there.
    pub(super) is_open: bool,
    /// Its server was told off for its silence.
    is_blamed: bool,
}

impl Forwarder {
    /// A message came by the socket of an exchange.
    pub(crate) fn answered(
        &mut self,
        now: u64,
        exchange: ExchangeId,
        from: SocketAddr,
        payload: &[u8],
        sink: &mut Sink<'_>,
    ) {
        let Some((number, index)) = self.attempt_of(exchange) else { return };
        let question = &self.questions[&number];
        let attempt = &question.attempts[index];
        let server = attempt.server;
        let (address, sent_at) = (self.upstreams.server(server).address, attempt.sent_at);
        if (from.ip(), from.port()) != (address.ip(), address.port()) {
            self.counts.not_believed += 1;
            return;
        }
        let sent = Sent {
            id: attempt.id,
            question: &attempt.question,
            with_edns: attempt.with_edns,
            dnssec_ok: question.key.1.dnssec_ok,
            by_stream: attempt.transport == Transport::Tcp,
        };
        let policy = Policy {
            least_seconds: seconds(self.settings.least_ttl),
            most_seconds: seconds(self.settings.most_ttl),
            denials_most_seconds: seconds(self.settings.most_denial_ttl),
            barred: self.barred_of(question),
        };
        let took = Duration::from_nanos(now.saturating_sub(sent_at));
        let judgement = judge(payload, sent, &policy);
        if !matches!(judgement, Judgement::NotOurs) {
            self.upstreams.server_mut(server).spoke();
        }
        match judgement {
            // The true answer may be on its way still.
            Judgement::NotOurs => self.counts.not_believed += 1,
            Judgement::CaseLost => {
                self.counts.case_lost += 1;
                self.by_stream(now, number, index, sink);
            }
            Judgement::Truncated => {
                self.upstreams.server_mut(server).answered(took);
                self.by_stream(now, number, index, sink);
            }
            Judgement::NoEdns => {
                self.upstreams.server_mut(server).does_not_know_edns(now);
                self.close(number, index, sink);
                self.send(now, number, server, None, sink);
            }
            Judgement::Unusable => {
                self.upstreams.server_mut(server).was_unusable();
                self.close(number, index, sink);
                self.ask_another(now, number, sink);
            }
            Judgement::Rebinding => {
                self.counts.rebinding += 1;
                self.refuse(number, sink);
            }
            Judgement::Useful(kept, lasts_seconds) => {
                self.upstreams.server_mut(server).answered(took);
                self.compare(now, number, index);
                if lasts_seconds > 0 && self.questions[&number].finds_loop_of.is_none() {
                    let wishes = self.questions[&number].key.1;
                    self.cache.keep(now, kept.clone(), wishes, lasts_seconds);
                }
                let question = self.questions.get_mut(&number).expect("it was answered a moment ago");
                let dependents = std::mem::take(&mut question.dependents);
                if dependents.is_empty() {
                    return self.finish(number, &kept, sink);
                }
                let key = question.key.clone();
                self.finish(number, &kept, sink);
                for dependent in dependents {
                    self.heard(now, dependent, (&key, &kept, lasts_seconds, server), sink);
                }
            }
        }
    }

    /// An exchange came to nothing; its socket is gone already.
    pub(crate) fn came_to_nothing(
        &mut self,
        now: u64,
        exchange: ExchangeId,
        fault: Fault,
        sink: &mut Sink<'_>,
    ) {
        let Some((number, index)) = self.attempt_of(exchange) else { return };
        self.exchanges.remove(&exchange);
        let question = self.questions.get_mut(&number).expect("the exchange has a question");
        let attempt = &mut question.attempts[index];
        let (server, transport) = (attempt.server, attempt.transport);
        attempt.is_open = false;
        match fault {
            Fault::Theirs => {
                if !std::mem::replace(&mut attempt.is_blamed, true) {
                    self.upstreams.server_mut(server).was_silent(now);
                }
                self.ask_another(now, number, sink);
            }
            Fault::Ours => {
                question.own_faults += 1;
                let is_hopeless = question.own_faults > OWN_FAULTS_MAX;
                question.attempts.remove(index);
                if is_hopeless {
                    return self.fail(now, number, sink);
                }
                self.send(now, number, server, Some(transport), sink);
            }
        }
    }

    /// Sends a question to a server, from a new port, with a new id and new letters (RFC 5452 9.2). What comes by TLS nobody else has
    /// written: there, letters are left as they are.
    pub(super) fn send(
        &mut self,
        now: u64,
        number: u64,
        server: usize,
        transport: Option<Transport>,
        sink: &mut Sink<'_>,
    ) {
        self.spare_a_socket(number, sink);
        let exchange = ExchangeId(self.new_number());
        let asked = self.upstreams.server(server);
        let (with_edns, by_tls) = (asked.knows_edns(now), asked.tls.is_some());
        let transport = transport.unwrap_or_else(|| asked.transport());
        let question = self.questions.get_mut(&number).expect("what is sent is a question in flight");
        let id = self.chance.id();
        let mut sent = question.key.0.clone();
        let name_octets = sent.len() - 4;
        if !by_tls {
            self.chance.mix_case(&mut sent[..name_octets]);
        }
        let payload = message(id, &sent, question, with_edns, by_tls);
        let attempts = question.attempts.len();
        question.attempts.push(Attempt {
            exchange,
            server,
            sent_at: now,
            id,
            question: sent,
            with_edns,
            transport,
            is_open: true,
            is_blamed: false,
        });
        let state = self.upstreams.server_mut(server);
        state.counts.asked += 1;
        question.retry_at = now + nanoseconds(state.patience(attempts));
        self.exchanges.insert(exchange, number);
        let port = self.chance.port();
        sink.out.push(Output::Ask(Exchange {
            id: exchange,
            server: state.address,
            transport,
            tls: state.tls.clone(),
            port,
            payload,
        }));
        self.set_timer(number);
    }

    /// Where sockets are short, a question that is asked again gives up the one of its oldest attempt: those whose servers are silent would else have all of them, and whoever asks next none.
    fn spare_a_socket(&mut self, number: u64, sink: &mut Sink<'_>) {
        let is_short = self.exchanges.len() >= EXCHANGES_FREE;
        let question = self.questions.get(&number).filter(|_| is_short);
        let oldest =
            question.and_then(|question| question.attempts.iter().position(|attempt| attempt.is_open));
        if let Some(index) = oldest {
            self.close(number, index, sink);
        }
    }

    /// Nobody answered for a while: those who were asked are slow or gone, and somebody is asked again.
    pub(super) fn retry(&mut self, now: u64, number: u64, sink: &mut Sink<'_>) {
        self.blame(now, number);
        let question = &self.questions[&number];
        let asked: Vec<usize> = question.attempts.iter().map(|attempt| attempt.server).collect();
        let next = match question.finds_loop_of {
            None if asked.len() < ATTEMPTS_MAX => self.upstreams.best(question.group, &asked, now),
            None | Some(_) => None,
        };
        let retry_at = match next {
            Some(server) if self.waits_by_tls(number, server) => {
                now + nanoseconds(self.upstreams.server(server).patience(asked.len()))
            }
            Some(server) => return self.send(now, number, server, None, sink),
            // The last chance is that one of them still answers.
            None => u64::MAX,
        };
        self.questions.get_mut(&number).expect("what is tried again is a question in flight").retry_at =
            retry_at;
    }

    /// A stream loses nothing: what was asked by it need not be repeated as long as it is there.
    fn waits_by_tls(&self, number: u64, server: usize) -> bool {
        let attempts = &self.questions[&number].attempts;
        self.upstreams.server(server).tls.is_some()
            && attempts.iter().any(|attempt| attempt.server == server && attempt.is_open)
    }

    /// The servers that owe an answer for longer than they should.
    pub(super) fn blame(&mut self, now: u64, number: u64) {
        let Some(question) = self.questions.get_mut(&number) else { return };
        for attempt in question.attempts.iter_mut().filter(|attempt| attempt.is_open && !attempt.is_blamed) {
            let server = self.upstreams.server_mut(attempt.server);
            if now >= attempt.sent_at + nanoseconds(server.patience(0)) {
                attempt.is_blamed = true;
                server.was_silent(now);
            }
        }
    }

    /// One attempt is over without an answer: who was not asked yet is asked at once. If all were, and said that they do not know, the
    /// question is over; one that cannot be reached may be back at the next attempt.
    fn ask_another(&mut self, now: u64, number: u64, sink: &mut Sink<'_>) {
        let question = &self.questions[&number];
        let asked: Vec<usize> = question.attempts.iter().map(|attempt| attempt.server).collect();
        let next = match question.finds_loop_of {
            None if asked.len() < ATTEMPTS_MAX => self.upstreams.best(question.group, &asked, now),
            None | Some(_) => None,
        };
        let waits = question.attempts.iter().any(|attempt| attempt.is_open || attempt.is_blamed);
        match next {
            Some(server) if !asked.contains(&server) => self.send(now, number, server, None, sink),
            Some(_) if waits => {}
            Some(_) | None if question.attempts.iter().any(|attempt| attempt.is_open) => {}
            Some(_) | None => self.fail(now, number, sink),
        }
    }

    /// Asks the same server again, by TCP.
    fn by_stream(&mut self, now: u64, number: u64, index: usize, sink: &mut Sink<'_>) {
        self.counts.by_stream += 1;
        let server = self.questions[&number].attempts[index].server;
        self.close(number, index, sink);
        self.send(now, number, server, Some(Transport::Tcp), sink);
    }

    fn close(&mut self, number: u64, index: usize, sink: &mut Sink<'_>) {
        let question = self.questions.get_mut(&number).expect("an attempt has a question");
        let attempt = &mut question.attempts[index];
        attempt.is_open = false;
        self.exchanges.remove(&attempt.exchange);
        sink.out.push(Output::Forget { exchange: attempt.exchange });
    }

    /// Those who were asked as well, and have not answered yet, are slower than that.
    fn compare(&mut self, now: u64, number: u64, winner: usize) {
        let question = &self.questions[&number];
        let winning = question.attempts[winner].server;
        let others = question.attempts.iter().filter(|attempt| attempt.is_open && attempt.server != winning);
        for attempt in others {
            let least = Duration::from_nanos(now.saturating_sub(attempt.sent_at));
            self.upstreams.server_mut(attempt.server).was_slower(least);
        }
    }

    fn attempt_of(&self, exchange: ExchangeId) -> Option<(u64, usize)> {
        let number = *self.exchanges.get(&exchange)?;
        let attempts = &self.questions.get(&number)?.attempts;
        let index = attempts.iter().position(|attempt| attempt.exchange == exchange && attempt.is_open)?;
        Some((number, index))
    }
}

/// RFC 1035 4.1.1: RD, for we want the whole answer; CD as the client wants it, for whoever checks above us.
fn message(id: u16, sent: &[u8], question: &Question, with_edns: bool, padded: bool) -> Vec<u8> {
    let mut payload = header_and_question(sent, OPT_OCTETS + PADDED_TO_OCTETS);
    payload[..2].copy_from_slice(&id.to_be_bytes());
    payload[2] = RD;
    payload[3] = if question.key.1.checking_disabled { CD } else { 0 };
    if with_edns {
        let [high, low] = UDP_OCTETS_MAX.to_be_bytes();
        let dnssec_ok = if question.key.1.dnssec_ok { 0x80 } else { 0 };
        payload.extend([0, 0, 41, high, low, 0, 0, dnssec_ok, 0, 0, 0]);
        if padded {
            pad(&mut payload);
        }
        payload[QUESTION_AT - 1] = 1;
    }
    payload
}

/// Appends an option of zeros (RFC 7830 3) to the OPT record that ends a message.
fn pad(payload: &mut Vec<u8>) {
    let length_at = payload.len() - 2;
    let octets = (payload.len() + 4).next_multiple_of(PADDED_TO_OCTETS) - payload.len() - 4;
    let octets = u8::try_from(octets).expect("less than what is padded to");
    payload[length_at..].copy_from_slice(&[0, 4 + octets]);
    payload.extend([0, 12, 0, octets]);
    payload.resize(payload.len() + usize::from(octets), 0);
}

fn seconds(span: Duration) -> u32 {
    u32::try_from(span.as_secs()).unwrap_or(u32::MAX).min(0x7fff_ffff)
}
