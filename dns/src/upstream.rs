//! The servers that know what we do not: which is asked for a name, and how each of them does.

pub(crate) mod answer;
pub(crate) mod records;

use crate::chance::Chance;
use crate::forwarding::NameServer;
use crate::limit::{
    FAILURES_BEFORE_REST, PATIENCE_MAX, PATIENCE_MIN, PLAIN_LASTS, PROBE_ONE_IN, REST_MAX, REST_MIN,
    ROUND_TRIP_FIRST, SILENCE_BEFORE_TOLD, TLS_PATIENCE_MIN,
};
use crate::name::{Name, NameError};
use crate::resolver::Transport;
use answer::is_at_or_below;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// Groups of servers, each for a domain and what is below it.
pub(crate) struct Upstreams {
    servers: Vec<Server>,
    /// The longest domain first.
    groups: Vec<Group>,
}

/// Some servers, and what they are asked.
struct Group {
    /// As the operator wrote it.
    named: String,
    domain: Name,
    /// The operator named this domain, and vouches for what its servers say.
    is_named: bool,
    servers: Vec<usize>,
}

/// One server, by whatever groups it is in.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    /// By TLS alone, to who can prove that this is his name.
    pub(crate) tls: Option<Arc<str>>,
    /// Smoothed; what it was at least, where a faster one answered first.
    round_trip: Duration,
    /// Whether that was measured: not if nobody asked it yet, or it did not answer the last time.
    is_measured: bool,
    failures: u32,
    /// Nobody asks it before, unless all others rest as well.
    rests_until: u64,
    /// Since when it said nothing at all, often enough that it is no lost datagram.
    silent_since: Option<u64>,
    /// It answered EDNS with an error: it is asked without until then.
    plain_until: u64,
    /// Questions to it come back to us.
    pub(crate) loops: bool,
    pub(crate) counts: ServerCounts,
}

/// What a server was asked and did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServerCounts {
    /// Messages sent to it, also repeats.
    pub asked: u64,
    /// Answers that were of use.
    pub answered: u64,
    /// Answers that were of none: SERVFAIL, REFUSED, nonsense.
    pub unusable: u64,
    /// Times it said nothing, or could not be reached.
    pub silent: u64,
}

/// A server as operators see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerStatus {
    /// Its address.
    pub address: SocketAddr,
    /// It is asked by TLS, under this name.
    pub tls: Option<Arc<str>>,
    /// How long it takes, smoothed.
    pub round_trip: Duration,
    /// It does not answer, and is left alone for a while.
    pub rests: bool,
    /// Questions to it come back to us.
    pub loops: bool,
    /// What it was asked and did.
    pub counts: ServerCounts,
}

/// Servers for a domain, of which none answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unanswered {
    /// The domain, as the operator wrote it; empty for all that no other group has.
    pub domain: String,
    /// All its servers.
    pub servers: Vec<SocketAddr>,
}

/// The operator's groups, before they are looked at: domain ("" for all others) and servers.
pub(crate) type GroupNames<'a> = (&'a str, &'a [NameServer]);

impl Upstreams {
    pub(crate) fn new<'a>(groups: impl Iterator<Item = GroupNames<'a>>) -> Result<Self, NameError> {
        let mut upstreams = Self { servers: Vec::new(), groups: Vec::new() };
        for (domain, given) in groups {
            let (named, is_named) = (domain.to_owned(), !domain.is_empty());
            let domain =
                if is_named { Name::parse(domain)? } else { Name::from_labels([&[][..]].into_iter()) };
            let servers = given.iter().map(|server| upstreams.index_of(server)).collect();
            upstreams.groups.push(Group { named, domain, is_named, servers });
        }
        upstreams.groups.sort_by_key(|group| std::cmp::Reverse(group.domain.octets().len()));
        Ok(upstreams)
    }

    fn index_of(&mut self, named: &NameServer) -> usize {
        let is_it = |server: &Server| server.address == named.address && server.tls == named.tls;
        match self.servers.iter().position(is_it) {
            Some(index) => index,
            None => {
                self.servers.push(Server::new(named));
                self.servers.len() - 1
            }
        }
    }

    /// The group that a name, in wire form, belongs to.
    pub(crate) fn group_of(&self, name: &[u8]) -> Option<usize> {
        self.groups.iter().position(|group| is_at_or_below(name, group.domain.octets()))
    }

    /// The domain of a group.
    pub(crate) fn domain(&self, group: usize) -> &Name {
        &self.groups[group].domain
    }

    /// Whether a group has any servers.
    pub(crate) fn has_servers(&self, group: usize) -> bool {
        !self.groups[group].servers.is_empty()
    }

    /// Whether the operator vouches for what these servers say.
    pub(crate) fn is_named(&self, group: usize) -> bool {
        self.groups[group].is_named
    }

    pub(crate) fn server(&self, index: usize) -> &Server {
        &self.servers[index]
    }

    pub(crate) fn server_mut(&mut self, index: usize) -> &mut Server {
        &mut self.servers[index]
    }

    /// All servers, by their numbers.
    pub(crate) fn indices(&self) -> std::ops::Range<usize> {
        0..self.servers.len()
    }

    pub(crate) fn status(&self, now: u64) -> Vec<ServerStatus> {
        let status = |server: &Server| ServerStatus {
            address: server.address,
            tls: server.tls.clone(),
            round_trip: server.round_trip,
            rests: server.rests_until > now,
            loops: server.loops,
            counts: server.counts,
        };
        self.servers.iter().map(status).collect()
    }

    /// Whether no server of a group says anything at all: it has some, and not all lead back to us.
    pub(crate) fn is_silent(&self, group: usize) -> bool {
        self.groups[group].is_silent(&self.servers, u64::MAX)
    }

    /// Whether there is any such group.
    pub(crate) fn is_any_silent(&self) -> bool {
        self.groups.iter().any(|group| group.is_silent(&self.servers, u64::MAX))
    }

    /// The groups that are so for a while.
    pub(crate) fn unanswered(&self, now: u64) -> Vec<Unanswered> {
        let before = now.saturating_sub(nanoseconds(SILENCE_BEFORE_TOLD));
        let groups = self.groups.iter().filter(|group| group.is_silent(&self.servers, before));
        let told = |group: &Group| Unanswered {
            domain: group.named.clone(),
            servers: group.servers.iter().map(|index| self.servers[*index].address).collect(),
        };
        groups.map(told).collect()
    }

    /// Whom to ask next: those who were asked least, of them the fastest that answers, then whoever rests least. `None` if all of them
    /// lead back to us.
    pub(crate) fn best(&self, group: usize, asked: &[usize], now: u64) -> Option<usize> {
        let servers = self.groups[group].servers.iter().copied();
        servers.filter(|index| !self.servers[*index].loops).min_by_key(|index| {
            let server = &self.servers[*index];
            let repeats = asked.iter().filter(|asked| *asked == index).count();
            let rests_until = if server.is_suspect() { server.rests_until.max(now) } else { 0 };
            (repeats, rests_until, server.round_trip)
        })
    }

    /// A server of the group that is none of these, and that answers.
    pub(crate) fn other(&self, group: usize, these: &[usize], now: u64) -> Option<usize> {
        let best = self.best(group, these, now)?;
        (!these.contains(&best) && self.servers[best].rests_until <= now).then_some(best)
    }

    /// Now and then another server beside the best one, to see how it does today: one whose rest is over, or any.
    pub(crate) fn probe(
        &mut self,
        group: usize,
        best: usize,
        chance: &mut Chance,
        now: u64,
    ) -> Option<usize> {
        let others = self.groups[group].servers.iter().copied().filter(|index| {
            let server = &self.servers[*index];
            *index != best && !server.loops && server.rests_until <= now
        });
        let others: Vec<usize> = others.collect();
        if let Some(rested) = others.iter().copied().find(|index| self.servers[*index].is_suspect()) {
            // It rests again, and longer, unless it answers.
            self.servers[rested].fail(now);
            return Some(rested);
        }
        if others.is_empty() || chance.below(PROBE_ONE_IN) != 0 {
            return None;
        }
        let which = chance.below(u32::try_from(others.len()).unwrap_or(u32::MAX));
        others.get(which as usize).copied()
    }
}

impl Group {
    /// None of its servers has said anything since that moment.
    fn is_silent(&self, servers: &[Server], since: u64) -> bool {
        let mut asked = self.servers.iter().map(|index| &servers[*index]).filter(|server| !server.loops);
        let first = asked.next().is_some_and(|server| server.is_silent(since));
        first && asked.all(|server| server.is_silent(since))
    }
}

impl Server {
    fn new(named: &NameServer) -> Self {
        Self {
            address: named.address,
            tls: named.tls.clone(),
            round_trip: ROUND_TRIP_FIRST,
            is_measured: false,
            failures: 0,
            rests_until: 0,
            silent_since: None,
            plain_until: 0,
            loops: false,
            counts: ServerCounts::default(),
        }
    }

    /// It was silent of late: nobody waits for it, as long as there is another.
    fn is_suspect(&self) -> bool {
        self.failures >= FAILURES_BEFORE_REST
    }

    /// The way that it is asked first. There is none in the clear to a server that is asked by TLS: that would be what an attacker on the
    /// way wants (RFC 8310 5).
    pub(crate) fn transport(&self) -> Transport {
        if self.tls.is_some() { Transport::Tcp } else { Transport::Udp }
    }

    /// How long to wait for it before another is asked; each attempt of a question waits twice as long.
    pub(crate) fn patience(&self, attempt: usize) -> Duration {
        let least = if self.tls.is_some() { TLS_PATIENCE_MIN } else { PATIENCE_MIN };
        let doubled = (self.round_trip * 4).clamp(least, PATIENCE_MAX);
        (doubled * (1 << attempt.min(4))).min(PATIENCE_MAX)
    }

    fn is_silent(&self, since: u64) -> bool {
        self.silent_since.is_some_and(|silent_since| silent_since <= since)
    }

    /// It said something to what it was asked, of use or not.
    pub(crate) fn spoke(&mut self) {
        self.silent_since = None;
    }

    pub(crate) fn answered(&mut self, took: Duration) {
        // As TCP smooths it (RFC 6298 2.3), but the first measurement stands alone.
        self.round_trip = if self.is_measured { (self.round_trip * 7 + took) / 8 } else { took };
        self.is_measured = true;
        self.counts.answered += 1;
        self.failures = 0;
        self.rests_until = 0;
    }

    /// Another answered first, after so long.
    pub(crate) fn was_slower(&mut self, than: Duration) {
        if than > self.round_trip {
            (self.round_trip, self.is_measured) = (than, false);
        }
    }

    /// It said nothing in time, or cannot be reached.
    pub(crate) fn was_silent(&mut self, now: u64) {
        self.counts.silent += 1;
        self.fail(now);
        if self.is_suspect() {
            self.silent_since.get_or_insert(now);
        }
    }

    /// It answered, and that was of no use for this question: it is alive, and the next question may be.
    pub(crate) fn was_unusable(&mut self) {
        self.counts.unusable += 1;
    }

    /// Several questions that were under way together are one failure.
    fn fail(&mut self, now: u64) {
        if self.rests_until > now {
            return;
        }
        self.failures = self.failures.saturating_add(1);
        if let Some(beyond) = self.failures.checked_sub(FAILURES_BEFORE_REST) {
            let rest = (REST_MIN * (1 << beyond.min(10))).min(REST_MAX);
            self.rests_until = now + nanoseconds(rest);
        }
    }

    pub(crate) fn knows_edns(&self, now: u64) -> bool {
        self.plain_until <= now
    }

    pub(crate) fn does_not_know_edns(&mut self, now: u64) {
        self.plain_until = now + nanoseconds(PLAIN_LASTS);
    }
}

/// A span on the clock that comes in.
pub(crate) fn nanoseconds(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
