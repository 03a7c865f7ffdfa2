use crate::cache::Cache;
use crate::data::Type;
use crate::forward::{Exchange, ExchangeId, Fault, Forwarder};
use crate::forwarding::Forwarding;
use crate::hosts_file::HostNames;
use crate::journal::Journal;
use crate::limit::{OWN_ANSWERS_MAX, OWN_ANSWERS_OCTETS_MAX};
use crate::name::{Name, NameError};
use crate::notify::Notifier;
use crate::settings::Settings;
use crate::statistics::{Dropped, ResponseCode, Statistics};
use crate::transfer::{self, Transfer, TransferId, Transfers};
use crate::wire::{
    self, Body, COOKIE_OCTETS, Cookie, Head, Keys, Proof, Question, Request, Signature, Wanted,
};
use crate::zone::{Answer, Found, Zones};
use heorot_names::{Changes, Directory, Dynamic};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

mod others;
mod updates;

pub use updates::{UpdateId, UpdateOutcome};

/// Answers queries from the last snapshot that was published.
pub struct Resolver {
    zones: Arc<Zones>,
    /// Of the administrator's files: what is in our zones comes with those.
    hosts: Arc<HostNames>,
    /// What our zones have said already, in wire form.
    own: Cache,
    /// None until it is told whom to ask.
    forwarder: Option<Box<Forwarder>>,
    /// Of the forwarders before it.
    last_number: u64,
    keys: Keys,
    journal: Journal,
    transfers: Transfers,
    notifier: Notifier,
    updates: updates::Line,
    /// What the calendar says at zero of `now_nanoseconds`, in nanoseconds since 1970, wrapping.
    calendar: u64,
    /// A day that has come, in seconds since 1970.
    reached: u64,
    statistics: Statistics,
}

/// What happens to a resolver.
#[derive(Clone, Debug)]
pub enum Input<'a> {
    /// A message came.
    Query(Query<'a>),
    /// The names of the nodes are these from now on.
    Publish(Arc<Directory>),
    /// And these have come or gone that are no arithmetic. Moments in it are on the clock of `now_nanoseconds`.
    Change(Changes),
    /// The configuration was read again.
    Configure(Settings),
    /// Names that are not ours are asked there from now on.
    Forward(Box<Forwarding>),
    /// Host files have these names from now on.
    Hosts(Arc<HostNames>),
    /// A message came by the socket of an exchange.
    Answer {
        /// That of [`Output::Ask`].
        exchange: ExchangeId,
        /// Who sent it.
        from: SocketAddr,
        /// The message, without the two octets of length that TCP puts before it.
        payload: &'a [u8],
    },
    /// An exchange came to nothing, and its socket is closed.
    CameToNothing {
        /// That of [`Output::Ask`].
        exchange: ExchangeId,
        /// Whose fault it is.
        fault: Fault,
    },
    /// The calendar says this, in seconds since 1970: for signatures alone, which have their time (RFC 8945 5.2.3, RFC 4034 3.1.5). To be told at the start, and every
    /// minute or so, as it may be set.
    Calendar(u64),
    /// A day that has come, as far as is known, in seconds since 1970: a calendar that is before that was never set, and says nothing of a signature's time. What was told last counts; 0:
    /// the calendar is believed.
    Reached(u64),
    /// What was said of a copy of a zone is sent: it goes on.
    More(TransferId),
    /// What became of an update that was to be kept. Its changes come before, as [`Input::Change`].
    Updated {
        /// That of [`Output::Update`].
        update: UpdateId,
        /// What.
        outcome: UpdateOutcome,
    },
    /// The moment of `next_wakeup` has come.
    Wake,
}

/// A message that came from somebody who asks.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// How it came.
    pub transport: Transport,
    /// Who sent it.
    pub from: SocketAddr,
    /// Comes back with the reply.
    pub id: QueryId,
    /// The message, without the two octets of length that TCP puts before it.
    pub payload: &'a [u8],
}

/// How a query came, and a reply goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Datagrams: a reply has a limit, and may have to be asked for again by TCP.
    Udp,
    /// A stream.
    Tcp,
}

/// Where the shell got a query, in its own numbering; the resolver only hands it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueryId(pub u64);

/// What a resolver wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send this.
    Reply {
        /// As the query came.
        transport: Transport,
        /// To whom.
        to: SocketAddr,
        /// The query's.
        id: QueryId,
        /// The message; for TCP two octets of length go before it.
        payload: Vec<u8>,
    },
    /// There is more to say to this query: [`Input::More`] is wanted as soon as what is said so far is sent.
    More {
        /// The query's.
        id: QueryId,
        /// Comes back.
        transfer: TransferId,
    },
    /// Send this by UDP, from an address of ours that this secondary may know. Its answer is a query like others.
    Notify {
        /// To whom.
        to: SocketAddr,
        /// The message.
        payload: Vec<u8>,
    },
    /// End the connection this query came by, as soon as earlier replies are sent: who sends what gets no reply has lost count of his
    /// octets, or means no good. Only for TCP.
    End {
        /// The query's.
        id: QueryId,
    },
    /// Keep this, so that it lasts, and say [`Input::Updated`]. One is to be kept at a time.
    Update {
        /// Comes back.
        update: UpdateId,
        /// All that each name has by updates from then on.
        changes: Vec<Dynamic>,
        /// Whose it is: key and address, for people.
        by: String,
    },
    /// An update was refused by one of the operator's rules: for the journal.
    Denied {
        /// Whose it was.
        by: String,
        /// Why.
        why: String,
    },
    /// Send this upstream from a socket of its own, and bring what comes there.
    Ask(Exchange),
    /// Close the socket of this exchange: nothing that comes by it is of use.
    Forget {
        /// That of [`Output::Ask`].
        exchange: ExchangeId,
    },
}

/// A message of TCP has two octets for its length (RFC 1035 4.2.2).
const TCP_OCTETS_MAX: usize = 65_535;

impl Resolver {
    /// A resolver that answers from this snapshot.
    ///
    /// # Errors
    /// The zone, the server's name or that of a host is no domain name.
    pub fn new(settings: Settings, directory: Arc<Directory>) -> Result<Self, NameError> {
        let keys = Keys::new(&settings).ok_or_else(|| NameError::of("a key"))?;
        Ok(Self {
            zones: Arc::new(Zones::new(settings, directory)?),
            hosts: Arc::default(),
            // Nobody but the zones themselves fills it: its order needs no secret.
            own: Cache::new(OWN_ANSWERS_MAX, OWN_ANSWERS_OCTETS_MAX, (0, 0)),
            forwarder: None,
            last_number: 0,
            keys,
            journal: Journal::default(),
            transfers: Transfers::default(),
            notifier: Notifier::default(),
            updates: updates::Line::default(),
            calendar: 0,
            reached: 0,
            statistics: Statistics::default(),
        })
    }

    /// Takes one input, and appends to `out` what follows from it. `now_nanoseconds` is monotonic.
    ///
    pub fn handle(&mut self, now_nanoseconds: u64, input: Input<'_>, out: &mut Vec<Output>) {
        match input {
            Input::Query(query) if self.tell(now_nanoseconds, &query, out) => {}
            Input::Query(query) => match self.answer(now_nanoseconds, &query, out) {
                Ok(Some(payload)) => {
                    let Query { transport, from: to, id, .. } = query;
                    out.push(Output::Reply { transport, to, id, payload });
                }
                Ok(None) => {}
                Err(reason) => {
                    self.statistics.count_dropped(reason);
                    match query.transport {
                        Transport::Udp => {}
                        Transport::Tcp => out.push(Output::End { id: query.id }),
                    }
                }
            },
            Input::Publish(directory) => {
                self.change(now_nanoseconds, self.zones.settings().clone(), directory);
            }
            Input::Change(changes) => self.take_changes(now_nanoseconds, changes),
            Input::Configure(settings) => {
                self.change(now_nanoseconds, settings, Arc::clone(self.zones.directory()));
            }
            Input::Calendar(seconds) => {
                let calendar = seconds.saturating_mul(1_000_000_000).wrapping_sub(now_nanoseconds);
                self.calendar = calendar;
                let reached = self.reached;
                self.with_forwarder(out, |forwarder, _| {
                    forwarder.set_calendar(now_nanoseconds, calendar, reached);
                });
            }
            Input::Reached(seconds) => {
                self.reached = seconds;
                let calendar = self.calendar;
                self.with_forwarder(out, |forwarder, _| {
                    forwarder.set_calendar(now_nanoseconds, calendar, seconds);
                });
            }
            Input::More(transfer) => self.go_on(now_nanoseconds, transfer, out),
            Input::Forward(forwarding) => self.forward(now_nanoseconds, *forwarding, out),
            Input::Hosts(hosts) => self.change_hosts(hosts),
            Input::Answer { exchange, from, payload } => {
                self.with_forwarder(out, |forwarder, sink| {
                    forwarder.answered(now_nanoseconds, exchange, from, payload, sink);
                });
            }
            Input::CameToNothing { exchange, fault } => {
                self.with_forwarder(out, |forwarder, sink| {
                    forwarder.came_to_nothing(now_nanoseconds, exchange, fault, sink);
                });
            }
            Input::Updated { update, outcome } => self.update_decided(now_nanoseconds, update, outcome, out),
            Input::Wake => {
                self.end_late_updates(now_nanoseconds, out);
                self.with_forwarder(out, |forwarder, sink| forwarder.wake(now_nanoseconds, sink));
            }
        }
        for notice in self.notifier.due(now_nanoseconds) {
            self.statistics.notices += 1;
            let payload = wire::notice(notice.id, &self.zones.start(&notice.apex));
            out.push(Output::Notify { to: notice.to, payload });
        }
    }

    /// When it wants to be called next without an input, on the clock of `now_nanoseconds`.
    pub fn next_wakeup(&self) -> Option<u64> {
        let forwarder = self.forwarder.as_ref().and_then(|forwarder| forwarder.next_wakeup());
        self.notifier.next().into_iter().chain(forwarder).chain(self.updates.next()).min()
    }

    /// What it has done since it began.
    pub fn statistics(&self) -> Statistics {
        self.statistics
    }

    /// Answers from this from now on; from what was before if a name in it is none: a wrong snapshot takes no right one away.
    fn change(&mut self, now_nanoseconds: u64, settings: Settings, directory: Arc<Directory>) {
        let is_same =
            directory.serial == self.zones.serial() && directory.has_names_of(self.zones.directory());
        if settings == *self.zones.settings() && is_same {
            return;
        }
        let keys = Keys::new(&settings);
        let (Ok(zones), Some(keys)) = (self.zones.followed_by(settings, directory), keys) else {
            self.statistics.snapshots_refused += 1;
            return;
        };
        let (from, to) = (self.zones.serial(), zones.serial());
        match zones.changed_since(&self.zones) {
            Some(changed) if from != to => self.journal.note(from, to, changed),
            Some(_) => {}
            None => self.journal.forget(),
        }
        (self.zones, self.keys) = (Arc::new(zones), keys);
        self.forget_answers();
        if from != to {
            let apexes = self.zones.apexes();
            self.notify(now_nanoseconds, &apexes);
        }
    }

    /// Takes over what has changed. While nobody copies a zone, nothing is copied here either.
    fn take_changes(&mut self, now_nanoseconds: u64, changes: Changes) {
        let (from, to) = (self.zones.serial(), changes.serial);
        let changed = Arc::make_mut(&mut self.zones).change(changes);
        self.own.outdate();
        if from != to {
            let apexes: BTreeSet<_> = changed.iter().map(|changed| changed.apex.clone()).collect();
            self.journal.note(from, to, changed);
            self.notify(now_nanoseconds, &apexes.into_iter().collect::<Vec<_>>());
        } else if !changed.is_empty() {
            // It came with another directory, under one serial.
            self.journal.note_more(to, changed);
        }
    }

    fn notify(&mut self, now_nanoseconds: u64, apexes: &[Name]) {
        let settings = self.zones.settings();
        self.notifier.changed(now_nanoseconds, &settings.secret, &settings.secondaries, apexes);
    }

    fn wall_seconds(&self, now_nanoseconds: u64) -> u64 {
        self.calendar.wrapping_add(now_nanoseconds) / 1_000_000_000
    }

    /// The next message of a copy.
    fn go_on(&mut self, now_nanoseconds: u64, transfer: TransferId, out: &mut Vec<Output>) {
        let wall_seconds = self.wall_seconds(now_nanoseconds);
        let Some(((id, to), payload, is_last)) = self.transfers.next(transfer, wall_seconds) else { return };
        out.push(Output::Reply { transport: Transport::Tcp, to, id, payload });
        if !is_last {
            out.push(Output::More { id, transfer });
        }
    }

    /// The reply to a query. None: it is in `out`, or will be.
    fn answer(
        &mut self,
        now_nanoseconds: u64,
        query: &Query<'_>,
        out: &mut Vec<Output>,
    ) -> Result<Option<Vec<u8>>, Dropped> {
        self.count_query(query.transport);
        if query.from.port() == 0 {
            return Err(Dropped::PortZero);
        }
        let request = match wire::read(query.payload) {
            Err(Dropped::Response) => {
                if let Some(id) = wire::heard(query.payload) {
                    self.notifier.heard(query.from, id);
                }
                return Err(Dropped::Response);
            }
            request => request?,
        };
        let wall_seconds = self.wall_seconds(now_nanoseconds);
        let mut signature = None;
        if request.is_signed {
            match self.keys.check(query.payload, wall_seconds) {
                Ok(checked) => signature = checked,
                Err(refusal) => {
                    self.statistics.count_reply(ResponseCode::NotAuth);
                    return Ok(Some(refusal));
                }
            }
        }
        let (code, answer) = match &request.body {
            Body::Query {
                question: Question { name, wanted: Wanted::Transfer(has), internet: true },
                edns: _,
            } => match self.may_copy(query, name, *has, signature.as_ref()) {
                Ok(()) => {
                    self.statistics.count_reply(ResponseCode::NoError);
                    return Ok(self.begin_copy((query, name, *has), signature, wall_seconds, out));
                }
                Err(code) => (code, None),
            },
            Body::Update { edns: Some(edns), .. } if edns.version > 0 => (ResponseCode::BadVers, None),
            Body::Update { zone, internet, .. } => {
                match (self.may_update((zone, *internet), signature.as_ref()), signature.take()) {
                    (Ok(rights), Some(signature)) => {
                        self.take_update(now_nanoseconds, query, zone.clone(), (signature, rights), out);
                        return Ok(None);
                    }
                    (Ok(_), None) => (ResponseCode::Refused, None),
                    (Err(code), taken) => {
                        signature = taken;
                        (code, None)
                    }
                }
            }
            body @ (Body::OtherOpcode | Body::Malformed | Body::Query { .. }) => {
                self.decide(now_nanoseconds, body)
            }
        };
        let cookie = request.body.edns().and_then(|edns| edns.cookie.as_ref());
        let proof = Proof {
            cookie: cookie.map(|cookie| self.cookie(query, cookie, wall_seconds)),
            recursion: self.recurses(query),
            signed: signature.as_mut().map(|signature| (signature, wall_seconds)),
        };
        let payload = self.reply(query, &request, (code, answer.as_ref()), proof);
        Ok(Some(payload))
    }

    fn reply(
        &mut self,
        query: &Query<'_>,
        request: &Request<'_>,
        (code, answer): (ResponseCode, Option<&Answer>),
        proof: Proof<'_>,
    ) -> Vec<u8> {
        let octets_max = match query.transport {
            Transport::Udp => wire::udp_octets(&request.body),
            Transport::Tcp => TCP_OCTETS_MAX,
        };
        let reply = wire::write(request, code, answer, octets_max, proof);
        self.statistics.count_reply(code);
        self.statistics.truncated += u64::from(reply.truncated);
        reply.payload
    }

    /// The cookie for who sent one. Whether his was ours changes nothing so far but a count.
    fn cookie(&mut self, query: &Query<'_>, cookie: &Cookie, wall_seconds: u64) -> [u8; COOKIE_OCTETS] {
        let secret = &self.zones.settings().secret;
        // RFC 9018 4.3: 32 bits, which wrap.
        let wall_seconds = u32::try_from(wall_seconds & u64::from(u32::MAX)).unwrap_or_default();
        let from = query.from.ip();
        self.statistics.cookies_known += u64::from(cookie.is_ours(secret, from, wall_seconds));
        cookie.answer(secret, from, wall_seconds)
    }

    /// Whether others are asked for who asks this.
    fn recurses(&self, query: &Query<'_>) -> bool {
        self.forwarder.as_ref().is_some_and(|forwarder| forwarder.serves(query.from.ip()))
    }

    /// Whether somebody may copy a zone (RFC 5936 5): who is named, and has the key if there is one.
    fn may_copy(
        &self,
        query: &Query<'_>,
        name: &Name,
        has: Option<u32>,
        signature: Option<&Signature>,
    ) -> Result<(), ResponseCode> {
        let is_named = self.zones.settings().secondaries.iter().any(|known| known.ip() == query.from.ip());
        let has_key = signature.map_or_else(|| !self.keys.guard_transfers(), Signature::may_transfer);
        if !is_named || !has_key {
            return Err(ResponseCode::Refused);
        }
        if !self.zones.apexes().contains(name) {
            // RFC 5936 2.2.1
            return Err(ResponseCode::NotAuth);
        }
        // RFC 5936 4.2: no whole copy by UDP.
        if has.is_none() && query.transport == Transport::Udp {
            return Err(ResponseCode::FormErr);
        }
        Ok(())
    }

    /// Begins a copy. By UDP it is one message, which is returned.
    fn begin_copy(
        &mut self,
        (query, name, has): (&Query<'_>, &Name, Option<u32>),
        signature: Option<Signature>,
        wall_seconds: u64,
        out: &mut Vec<Output>,
    ) -> Option<Vec<u8>> {
        let head = Head::of(query.payload, name)?;
        let is_stream = query.transport == Transport::Tcp;
        let content = transfer::content(self.zones.serial(), has, is_stream);
        let zones = (Arc::clone(&self.zones), &self.journal);
        let mut copy =
            Transfer::new((query.id, query.from), (head, signature), zones, name.clone(), &content);
        if !is_stream {
            return Some(copy.next(wall_seconds));
        }
        self.statistics.transfers += 1;
        let (transfer, displaced) = self.transfers.begin(copy);
        if let Some(id) = displaced {
            out.push(Output::End { id });
        }
        // What else was asked by the same connection is answered first.
        out.push(Output::More { id: query.id, transfer });
        None
    }

    /// What to say, from what makes a message unreadable down to what the zones hold.
    fn decide(&self, now_nanoseconds: u64, body: &Body) -> (ResponseCode, Option<Answer>) {
        let (question, edns) = match body {
            // RFC 1035 4.1.1: we do not support this kind of query.
            Body::OtherOpcode => return (ResponseCode::NotImp, None),
            // It has a way of its own.
            Body::Update { .. } => return (ResponseCode::Refused, None),
            Body::Malformed => return (ResponseCode::FormErr, None),
            Body::Query { question, edns } => (question, edns),
        };
        // RFC 6891 6.1.3: the version goes first, for it says how to read the rest.
        if edns.as_ref().is_some_and(|edns| edns.version > 0) {
            return (ResponseCode::BadVers, None);
        }
        match question.wanted {
            Wanted::Meta => (ResponseCode::FormErr, None),
            Wanted::Mail => (ResponseCode::NotImp, None),
            // Nobody may copy the zone (RFC 5936 5); CHAOS tells strangers who we are, and no other class has our names.
            Wanted::Transfer(_) => (ResponseCode::Refused, None),
            Wanted::Data(_) if !question.internet => (ResponseCode::Refused, None),
            Wanted::Data(wanted) => self.find(now_nanoseconds, question, wanted),
        }
    }

    fn find(
        &self,
        now_nanoseconds: u64,
        question: &Question,
        wanted: Type,
    ) -> (ResponseCode, Option<Answer>) {
        let is_others = |apex: &Name, name: &Name| {
            self.forwarder.as_ref().is_some_and(|forwarder| forwarder.goes_before(apex, name.octets()))
        };
        match self.zones.find(now_nanoseconds, &question.name, wanted, is_others) {
            Ok(Found::Elsewhere) => match self.find_elsewhere(&question.name, wanted) {
                Some(answer) => (ResponseCode::NoError, Some(answer)),
                None => (ResponseCode::Refused, None),
            },
            Ok(Found::Here(answer)) if answer.no_name => (ResponseCode::NxDomain, Some(answer)),
            Ok(Found::Here(answer)) => (ResponseCode::NoError, Some(self.go_on_in_files(answer, wanted))),
            Err(NameError { .. }) => (ResponseCode::ServFail, None),
        }
    }
}

#[cfg(test)]
mod tests;
