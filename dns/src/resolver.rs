use crate::data::Type;
use crate::name::NameError;
use crate::settings::Settings;
use crate::statistics::{Dropped, ResponseCode, Statistics};
use crate::wire::{self, Body, Question, Wanted};
use crate::zone::{Answer, Found, Zones};
use heorot_names::{Changes, Directory};
use std::net::SocketAddr;
use std::sync::Arc;

/// Answers queries from the last snapshot that was published.
pub struct Resolver {
    zones: Zones,
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
}

/// A message of TCP has two octets for its length (RFC 1035 4.2.2).
const TCP_OCTETS_MAX: usize = 65_535;

impl Resolver {
    /// A resolver that answers from this snapshot.
    ///
    /// # Errors
    /// The zone, the server's name or that of a host is no domain name.
    pub fn new(settings: Settings, directory: Arc<Directory>) -> Result<Self, NameError> {
        Ok(Self { zones: Zones::new(settings, directory)?, statistics: Statistics::default() })
    }

    /// Takes one input, and appends to `out` what follows from it. `now_nanoseconds` is monotonic.
    ///
    /// Nothing here lasts, so far: every reply follows its query at once.
    pub fn handle(&mut self, now_nanoseconds: u64, input: Input<'_>, out: &mut Vec<Output>) {
        match input {
            Input::Query(query) => match self.answer(now_nanoseconds, &query) {
                Ok(payload) => {
                    let Query { transport, from: to, id, .. } = query;
                    out.push(Output::Reply { transport, to, id, payload });
                }
                Err(reason) => {
                    self.statistics.count_dropped(reason);
                    match query.transport {
                        Transport::Udp => {}
                        Transport::Tcp => out.push(Output::End { id: query.id }),
                    }
                }
            },
            Input::Publish(directory) => self.change(self.zones.settings().clone(), directory),
            Input::Change(changes) => self.zones.change(changes),
            Input::Configure(settings) => self.change(settings, Arc::clone(self.zones.directory())),
        }
    }

    /// When it wants to be called next without an input, on the clock of `now_nanoseconds`. Never, until there is a cache.
    pub fn next_wakeup(&self) -> Option<u64> {
        None
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
            Ok(zones) => self.zones = zones,
            Err(NameError { .. }) => self.statistics.snapshots_refused += 1,
        }
    }

    fn answer(&mut self, now_nanoseconds: u64, query: &Query<'_>) -> Result<Vec<u8>, Dropped> {
        match query.transport {
            Transport::Udp => self.statistics.queries_udp += 1,
            Transport::Tcp => self.statistics.queries_tcp += 1,
        }
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
            Ok(Found::Elsewhere) => (ResponseCode::Refused, None),
            Ok(Found::Here(answer)) if answer.no_name => (ResponseCode::NxDomain, Some(answer)),
            Ok(Found::Here(answer)) => (ResponseCode::NoError, Some(answer)),
            Err(NameError { .. }) => (ResponseCode::ServFail, None),
        }
    }
}

#[cfg(test)]
mod tests;
