use crate::asked::{Asked, HEADER_OCTETS, RD};
use crate::cache::{Age, Cache, Freshness, Hit, Kept, Wishes};
use crate::data::Type;
use crate::forward::{Exchange, ExchangeId, Fault, ForwardCounts, Forwarder, Sink, octets_max};
use crate::forwarding::Forwarding;
use crate::hosts_file::HostNames;
use crate::limit::{OWN_ANSWERS_LAST_SECONDS, OWN_ANSWERS_MAX, OWN_ANSWERS_OCTETS_MAX};
use crate::name::{Name, NameError};
use crate::settings::Settings;
use crate::statistics::{Dropped, ResponseCode, Statistics};
use crate::upstream::ServerStatus;
use crate::wire::{self, Body, Question, Wanted};
use crate::zone::{Answer, Found, Zones};
use heorot_names::{Changes, Directory};
use std::net::SocketAddr;
use std::sync::Arc;

/// Answers queries from the last snapshot that was published.
pub struct Resolver {
    zones: Zones,
    /// Of the administrator's files.
    hosts: Arc<HostNames>,
    /// What our zones have said already, in wire form.
    own: Cache,
    /// None until it is told whom to ask.
    forwarder: Option<Box<Forwarder>>,
    /// Of the forwarders before it.
    last_number: u64,
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
    /// It is as late as [`Resolver::next_wakeup`] said.
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
    /// End the connection this query came by, as soon as earlier replies are sent: who sends what gets no reply has lost count of his
    /// octets, or means no good. Only for TCP.
    End {
        /// The query's.
        id: QueryId,
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
        Ok(Self {
            zones: Zones::new(settings, directory)?,
            hosts: Arc::default(),
            // Nobody but the zones themselves fills it: its order needs no secret.
            own: Cache::new(OWN_ANSWERS_MAX, OWN_ANSWERS_OCTETS_MAX, (0, 0)),
            forwarder: None,
            last_number: 0,
            statistics: Statistics::default(),
        })
    }

    /// Takes one input, and appends to `out` what follows from it. `now_nanoseconds` is monotonic.
    ///
    /// A query by TCP gets exactly one [`Output::Reply`] or [`Output::End`], now or later.
    pub fn handle(&mut self, now_nanoseconds: u64, input: Input<'_>, out: &mut Vec<Output>) {
        let now = now_nanoseconds;
        match input {
            Input::Query(query) => self.query(now, &query, out),
            Input::Publish(directory) => self.change(self.zones.settings().clone(), directory),
            Input::Change(changes) => {
                self.zones.change(changes);
                self.own.clear();
            }
            Input::Configure(settings) => self.change(settings, Arc::clone(self.zones.directory())),
            Input::Forward(forwarding) => self.forward(now, *forwarding, out),
            Input::Hosts(hosts) => self.change_hosts(hosts),
            Input::Answer { exchange, from, payload } => {
                self.with_forwarder(out, |forwarder, sink| {
                    forwarder.answered(now, exchange, from, payload, sink);
                });
            }
            Input::CameToNothing { exchange, fault } => {
                self.with_forwarder(out, |forwarder, sink| {
                    forwarder.came_to_nothing(now, exchange, fault, sink);
                });
            }
            Input::Wake => self.with_forwarder(out, |forwarder, sink| forwarder.wake(now, sink)),
        }
    }

    /// When it wants to be called next without an input, on the clock of `now_nanoseconds`.
    pub fn next_wakeup(&self) -> Option<u64> {
        self.forwarder.as_ref()?.next_wakeup()
    }

    /// What it has done with names that are not ours.
    pub fn forward_counts(&self) -> ForwardCounts {
        self.forwarder.as_ref().map(|forwarder| forwarder.counts()).unwrap_or_default()
    }

    /// How those do whom it asks.
    pub fn servers(&self, now_nanoseconds: u64) -> Vec<ServerStatus> {
        self.forwarder.as_ref().map(|forwarder| forwarder.servers(now_nanoseconds)).unwrap_or_default()
    }

    /// What it has done since it began.
    pub fn statistics(&self) -> Statistics {
        self.statistics
    }

    /// Answers from this from now on; from what was before if a name in it is none: a wrong snapshot takes no right one away.
    fn change(&mut self, settings: Settings, directory: Arc<Directory>) {
        if settings == *self.zones.settings() && directory == *self.zones.directory() {
            return;
        }
        match self.zones.followed_by(settings, directory) {
            Ok(zones) => {
                self.zones = zones;
                self.own.clear();
                // What was somebody else's name may be ours now.
                if let Some(forwarder) = &mut self.forwarder {
                    forwarder.forget_answers();
                }
            }
            Err(NameError { .. }) => self.statistics.snapshots_refused += 1,
        }
    }

    fn change_hosts(&mut self, hosts: Arc<HostNames>) {
        if hosts == self.hosts {
            return;
        }
        self.hosts = hosts;
        self.own.clear();
        if let Some(forwarder) = &mut self.forwarder {
            forwarder.forget_answers();
        }
    }

    /// What is being asked is asked anew by those who still want it.
    fn forward(&mut self, now: u64, forwarding: Forwarding, out: &mut Vec<Output>) {
        let same_but_seed = self.forwarder.as_ref().is_some_and(|forwarder| {
            *forwarder.settings() == Forwarding { seed: forwarder.settings().seed, ..forwarding.clone() }
        });
        if same_but_seed {
            return;
        }
        let is_on = forwarding.is_on();
        let Ok(forwarder) = Forwarder::new(forwarding) else {
            self.statistics.snapshots_refused += 1;
            return;
        };
        self.with_forwarder(out, |forwarder, sink| forwarder.abandon(now, sink));
        if let Some(forwarder) = &self.forwarder {
            self.last_number = forwarder.last_number();
        }
        self.forwarder = is_on.then(|| Box::new(forwarder.after(self.last_number)));
        self.with_forwarder(out, |forwarder, sink| forwarder.wake(now, sink));
    }

    fn with_forwarder(&mut self, out: &mut Vec<Output>, act: impl FnOnce(&mut Forwarder, &mut Sink<'_>)) {
        if let Some(forwarder) = &mut self.forwarder {
            act(forwarder, &mut Sink { out, statistics: &mut self.statistics });
        }
    }

    fn query(&mut self, now: u64, query: &Query<'_>, out: &mut Vec<Output>) {
        match query.transport {
            Transport::Udp => self.statistics.queries_udp += 1,
            Transport::Tcp => self.statistics.queries_tcp += 1,
        }
        let asked = Asked::read(query.payload).filter(|_| query.from.port() != 0);
        if let Some(asked) = asked.filter(Asked::wants_data)
            && (self.tell_own(now, query, &asked, out) || self.tell_of_others(now, query, &asked, out))
        {
            return;
        }
        match self.answer(now, query) {
            Ok(payload) => reply(query, payload, out),
            Err(reason) => {
                self.statistics.count_dropped(reason);
                match query.transport {
                    Transport::Udp => {}
                    Transport::Tcp => out.push(Output::End { id: query.id }),
                }
            }
        }
    }

    /// The way that nearly all questions take: what was said before is copied. False: it was not said before.
    fn tell_own(&mut self, now: u64, query: &Query<'_>, asked: &Asked<'_>, out: &mut Vec<Output>) -> bool {
        let recursion = self.forwarder.as_ref().is_some_and(|forwarder| forwarder.serves(query.from.ip()));
        let manner = asked.manner();
        let told =
            self.own.find(now, asked.lower(), Wishes::default()).and_then(|Hit { kept, freshness }| {
                let Freshness::Fresh(_) = freshness else { return None };
                let octets_max = octets_max(query.transport, &manner);
                let payload =
                    kept.reply(asked.question(), &manner, Age::Seconds(0), octets_max, recursion)?;
                Some((payload, kept.code()))
            });
        let Some((payload, code)) = told else { return false };
        self.statistics.count_reply_bits(code);
        reply(query, payload, out);
        true
    }

    /// False: the name is ours, or nobody is asked.
    fn tell_of_others(
        &mut self,
        now: u64,
        query: &Query<'_>,
        asked: &Asked<'_>,
        out: &mut Vec<Output>,
    ) -> bool {
        if let Some(forwarder) = &mut self.forwarder {
            let sink = &mut Sink { out, statistics: &mut self.statistics };
            if forwarder.tell_what_is_kept(now, query, asked, sink) {
                return true;
            }
        }
        let name = Name::from_wire(asked.name());
        if self.zones.cover(&name) || self.hosts.find(&name, Type(asked.rtype())).is_some() {
            self.keep_own(now, asked);
            return self.tell_own(now, query, asked, out);
        }
        let is_forwarded = self.forwarder.is_some();
        self.with_forwarder(out, |forwarder, sink| forwarder.ask(now, query, asked, sink));
        is_forwarded
    }

    /// Keeps what our zones say to this, as if it came by TCP from somebody without EDNS.
    fn keep_own(&mut self, now: u64, asked: &Asked<'_>) {
        let plain = asked.without_edns();
        let Ok(request) = wire::read(&plain) else { return };
        let (code, answer) = self.decide(now, &request.body);
        let mut payload = wire::write(&request, code, answer.as_ref(), TCP_OCTETS_MAX).payload;
        payload[2] &= !RD;
        let lower = asked.lower();
        payload[HEADER_OCTETS..HEADER_OCTETS + lower.len()].copy_from_slice(lower);
        let kept = Kept::new(payload, Vec::new(), lower.len());
        // Loans end by themselves; all else changes with a new snapshot, which clears this.
        let lasts_seconds = if self.zones.lend_any() { OWN_ANSWERS_LAST_SECONDS } else { u32::MAX };
        self.own.keep(now, kept, Wishes::default(), lasts_seconds);
    }

    fn answer(&mut self, now_nanoseconds: u64, query: &Query<'_>) -> Result<Vec<u8>, Dropped> {
        if query.from.port() == 0 {
            return Err(Dropped::PortZero);
        }
        let request = wire::read(query.payload)?;
        let (code, answer) = self.decide(now_nanoseconds, &request.body);
        let octets_max = match query.transport {
            Transport::Udp => wire::udp_octets(&request.body),
            Transport::Tcp => TCP_OCTETS_MAX,
        };
        let reply = wire::write(&request, code, answer.as_ref(), octets_max);
        self.statistics.count_reply(code);
        self.statistics.truncated += u64::from(reply.truncated);
        Ok(reply.payload)
    }

    /// What to say, from what makes a message unreadable down to what the zones hold.
    fn decide(&self, now_nanoseconds: u64, body: &Body) -> (ResponseCode, Option<Answer>) {
        let (question, edns) = match body {
            // RFC 1035 4.1.1: we do not support this kind of query.
            Body::OtherOpcode => return (ResponseCode::NotImp, None),
            Body::Malformed => return (ResponseCode::FormErr, None),
            Body::Query { question, edns } => (question, edns),
        };
        // RFC 6891 6.1.3: the version goes first, for it says how to read the rest.
        if edns.is_some_and(|edns| edns.version > 0) {
            return (ResponseCode::BadVers, None);
        }
        match question.wanted {
            Wanted::Meta => (ResponseCode::FormErr, None),
            Wanted::Mail => (ResponseCode::NotImp, None),
            // Nobody may copy the zone (RFC 5936 5); CHAOS tells strangers who we are, and no other class has our names.
            Wanted::Transfer => (ResponseCode::Refused, None),
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
        match self.zones.find(now_nanoseconds, &question.name, wanted) {
            Ok(Found::Elsewhere) => match self.hosts.find(&question.name, wanted) {
                Some(answer) => (ResponseCode::NoError, Some(answer)),
                None => (ResponseCode::Refused, None),
            },
            Ok(Found::Here(answer)) if answer.no_name => match self.find_in_files(&question.name, wanted) {
                Some(answer) => (ResponseCode::NoError, Some(answer)),
                None => (ResponseCode::NxDomain, Some(answer)),
            },
            Ok(Found::Here(answer)) => (ResponseCode::NoError, Some(answer)),
            Err(NameError { .. }) => (ResponseCode::ServFail, None),
        }
    }

    /// A name of our zones that they do not have, as it stands in a file, or without the zone.
    fn find_in_files(&self, name: &Name, wanted: Type) -> Option<Answer> {
        self.hosts.find(name, wanted).or_else(|| {
            let apex = Name::parse(&self.zones.directory().zone).ok()?;
            let [host] = *name.below(&apex)? else { return None };
            let host = Name::from_labels([host, &[]].into_iter());
            self.hosts.find(&host, wanted)
        })
    }
}

fn reply(query: &Query<'_>, payload: Vec<u8>, out: &mut Vec<Output>) {
    let Query { transport, from: to, id, .. } = *query;
    out.push(Output::Reply { transport, to, id, payload });
}

#[cfg(test)]
mod tests;
