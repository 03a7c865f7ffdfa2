//! Names that are not ours: from the cache, or from those who know.
//!
//! ```text
//!            miss                 useful answer
//!  client ─────────> in flight ─────────────────> kept, told to all who wait
//!     │               │  ^  │
//!     │ fresh         │  └──┘ silence, nonsense, port in use: another attempt, as long as there is time
//!     v               v time is up, or nobody knows
//!   told             stale answer, else SERVFAIL
//! ```
//!
//! A question is asked once, however many wait for its answer. Each attempt has its own id, port and letters, and any of them may be
//! answered until the question is over: a server that is slow today is no reason to wait for a repeat.

mod attempt;
mod check;
mod ending;
mod led;
mod loops;
mod shares;
mod whom;

use crate::asked::{Asked, HEADER_OCTETS, Manner};
use crate::cache::{Age, Cache, Freshness, Wishes};
use crate::chance::Chance;
use crate::clients::{self, Barred, Rates};
use crate::forwarding::{Forwarding, Rebinding};
use crate::limit::{
    CLIENTS_PER_QUESTION_MAX, CLIENTS_WAITING_MAX, EXCHANGES_FREE, QUESTION_LASTS, QUESTIONS_MAX,
    STALE_AFTER, STALE_RECHECK,
};
use crate::name::{Name, NameError};
use crate::resolver::{Output, Query, QueryId, Transport};
use crate::statistics::{ResponseCode, Statistics};
use crate::upstream::answer::is_at_or_below;
use crate::upstream::{ServerStatus, Unanswered, Upstreams, nanoseconds};
use attempt::Attempt;
pub use attempt::{Exchange, ExchangeId, Fault};
use check::{Checked, Checks};
pub(crate) use led::Led;
use loops::Loops;
use shares::{Asker, Shares};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use whom::{Whom, tell, tell_kept};

/// Asks, keeps and tells.
pub(crate) struct Forwarder {
    settings: Forwarding,
    upstreams: Upstreams,
    cache: Cache,
    barred: Barred,
    nothing_barred: Barred,
    exempt: Vec<Name>,
    rates: Rates,
    chance: Chance,
    loops: Loops,
    /// None: answers are passed on unchecked.
    checks: Option<Checks>,
    questions: BTreeMap<u64, Question>,
    by_key: BTreeMap<Key, u64>,
    shares: Shares,
    /// Those for which nobody waits any more: they give way first.
    unwanted: BTreeSet<u64>,
    /// Which question an exchange belongs to.
    exchanges: BTreeMap<ExchangeId, u64>,
    /// When a question wants to be looked at.
    timers: BTreeSet<(u64, u64)>,
    clients_waiting: usize,
    /// Numbers of questions and exchanges, never used twice.
    next: u64,
    counts: ForwardCounts,
}

/// Name, type and class in lower case, and what else makes a different answer.
type Key = (Vec<u8>, Wishes);

/// A question that is being asked.
struct Question {
    key: Key,
    group: usize,
    clients: Vec<Client>,
    /// Whose share of the questions it is of: the first client who asked. None, as long as it leads to the answer of others that are counted.
    asker: Option<Asker>,
    attempts: Vec<Attempt>,
    began: u64,
    /// When another attempt is made if none was answered.
    retry_at: u64,
    /// A stale answer is there, and was not told yet.
    stale_waits: bool,
    own_faults: u32,
    /// What is set in `timers`.
    timer: u64,
    /// It is not asked for clients, but to see whether this server leads back to us.
    finds_loop_of: Option<usize>,
    /// Nobody is asked this: its answer is one to other questions, which is checked.
    checked: Option<Box<Checked>>,
    /// Such questions, that wait for this one.
    dependents: Vec<u64>,
}

/// Who waits for it.
struct Client {
    transport: Transport,
    from: SocketAddr,
    id: QueryId,
    manner: Manner,
    /// As this client wrote it.
    question: Vec<u8>,
    /// He asked for another name, which leads here.
    led: Option<Box<Led>>,
}

/// What the forwarder has done since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ForwardCounts {
    /// Questions answered from the cache.
    pub hits: u64,
    /// Of those, with an answer whose time was over (RFC 8767).
    pub stale: u64,
    /// Questions that were sent upstream.
    pub misses: u64,
    /// Questions that were being asked already.
    pub joined: u64,
    /// Questions that nobody answered in time.
    pub failed: u64,
    /// Questions of clients who may not ask, or ask too much.
    pub refused: u64,
    /// Of those, because they asked too much.
    pub rate_limited: u64,
    /// Answers that pointed to addresses of ours.
    pub rebinding: u64,
    /// Messages that did not answer what was sent.
    pub not_believed: u64,
    /// Answers whose letters came back otherwise than they were sent.
    pub case_lost: u64,
    /// Questions that were asked again by TCP.
    pub by_stream: u64,
    /// Questions that were refused because too many were waiting.
    pub overflows: u64,
    /// Servers that were found to lead back to us.
    pub loops: u64,
    /// Answers that are signed by who may say it.
    pub secure: u64,
    /// Answers that need not be signed.
    pub insecure: u64,
    /// Answers that were not believed: not signed, or not by who may.
    pub bogus: u64,
    /// Answers whose dates were not checked, because the clock was never set.
    pub undated: u64,
    /// Answers in the cache.
    pub cache_entries: u64,
    /// Their octets.
    pub cache_octets: u64,
}

/// Where a reply goes, and what is counted.
pub(crate) struct Sink<'a> {
    pub(crate) out: &'a mut Vec<Output>,
    pub(crate) statistics: &'a mut Statistics,
}

/// The longest message of TCP.
const TCP_OCTETS_MAX: usize = 65_535;

impl Forwarder {
    pub(crate) fn new(settings: Forwarding) -> Result<Self, NameError> {
        let mut chance = Chance::new(settings.seed);
        let exempt = settings.rebinding_exempt.iter().map(|domain| Name::parse(domain));
        let exempt = exempt.collect::<Result<Vec<_>, _>>()?;
        let barred = match settings.rebinding {
            Rebinding::Off => Vec::new(),
            Rebinding::Own => clients::loopback().chain(settings.own_networks.iter().copied()).collect(),
            Rebinding::Private => clients::loopback()
                .chain(clients::private())
                .chain(settings.own_networks.iter().copied())
                .collect(),
        };
        Ok(Self {
            upstreams: Upstreams::new(settings.bounded_groups())?,
            cache: Cache::new(
                settings.cache_entries,
                settings.cache_octets(),
                (chance.word(), chance.word()),
            ),
            barred: Barred { networks: barred },
            nothing_barred: Barred::default(),
            exempt,
            rates: Rates::new(settings.rate_per_second, chance.word()),
            chance,
            loops: Loops::new(settings.find_loops),
            checks: Checks::new(&settings)?,
            questions: BTreeMap::new(),
            by_key: BTreeMap::new(),
            shares: Shares::default(),
            unwanted: BTreeSet::new(),
            exchanges: BTreeMap::new(),
            timers: BTreeSet::new(),
            clients_waiting: 0,
            next: 0,
            counts: ForwardCounts::default(),
            settings,
        })
    }

    pub(crate) fn settings(&self) -> &Forwarding {
        &self.settings
    }

    pub(crate) fn counts(&self) -> ForwardCounts {
        ForwardCounts {
            cache_entries: self.cache.len() as u64,
            cache_octets: self.cache.octets() as u64,
            ..self.counts
        }
    }

    pub(crate) fn servers(&self, now: u64) -> Vec<ServerStatus> {
        self.upstreams.status(now)
    }

    pub(crate) fn unanswered(&self, now: u64) -> Vec<Unanswered> {
        self.upstreams.unanswered(now)
    }

    /// Whether this client may ask for outside names.
    pub(crate) fn serves(&self, client: IpAddr) -> bool {
        let client = client.to_canonical();
        client.is_loopback() || self.settings.clients.iter().any(|network| network.contains(client))
    }

    /// Whether a name of our zone `apex` is asked of others all the same: it is in a domain below the apex that has servers of its own. What the operator says of the smaller domain, he means of all that is in it.
    pub(crate) fn goes_before(&self, apex: &Name, name: &[u8]) -> bool {
        let group = self.upstreams.group_of(name);
        group.is_some_and(|group| self.upstreams.domain(group).octets().len() > apex.octets().len())
    }

    /// Whether there is anybody to ask for a name.
    pub(crate) fn has_servers_for(&self, name: &[u8]) -> bool {
        self.upstreams.group_of(name).is_some_and(|group| self.upstreams.has_servers(group))
    }

    /// Numbers go on where another forwarder's ended: what comes late for that one finds nobody here.
    pub(crate) fn after(self, number: u64) -> Self {
        Self { next: number, ..self }
    }

    pub(crate) fn last_number(&self) -> u64 {
        self.next
    }

    /// Ends all questions: who waits hears the best that is there.
    pub(crate) fn abandon(&mut self, now: u64, sink: &mut Sink<'_>) {
        let numbers: Vec<u64> = self.questions.keys().copied().collect();
        for number in numbers {
            self.fail(now, number, sink);
        }
    }

    /// The names of our own are others now: what was kept may be of them.
    pub(crate) fn forget_answers(&mut self) {
        self.cache.clear();
    }

    pub(crate) fn next_wakeup(&self) -> Option<u64> {
        let timer = self.timers.first().map(|(when, _)| *when);
        let probe = self.loops.next_at().filter(|_| !self.upstreams.indices().is_empty());
        timer.into_iter().chain(probe).min()
    }

    /// Answers from the cache. False: it is not there, or too old, or not for this client.
    pub(crate) fn tell_what_is_kept(
        &mut self,
        now: u64,
        query: &Query<'_>,
        asked: &Asked<'_>,
        sink: &mut Sink<'_>,
    ) -> bool {
        let whom = Whom::of(query, asked);
        self.serves(query.from.ip()) && matches!(self.look_up(now, &whom, asked, sink), LookedUp::Told)
    }

    /// Answers a question for a name that is not ours, now or later.
    pub(crate) fn ask(&mut self, now: u64, query: &Query<'_>, asked: &Asked<'_>, sink: &mut Sink<'_>) {
        if let Some(server) = self.loops.server_of(asked.name()) {
            self.found_loop(now, server, sink);
            return Whom::of(query, asked).tell_code(sink, ResponseCode::Refused, false);
        }
        if !self.serves(query.from.ip()) {
            self.counts.refused += 1;
            return Whom::of(query, asked).tell_code(sink, ResponseCode::Refused, false);
        }
        self.ask_for_client(now, Client::of(query, asked, None), asked, sink);
    }

    /// The same for a client who may ask. What is asked for is what he asked, or where that leads.
    fn ask_for_client(&mut self, now: u64, client: Client, asked: &Asked<'_>, sink: &mut Sink<'_>) {
        let wishes = wishes_of(asked);
        let stale_waits = match self.look_up(now, &client.whom(), asked, sink) {
            LookedUp::Told => return,
            LookedUp::Stale => true,
            LookedUp::Missing => false,
        };
        // RD clear: what is known, and nobody is asked (RFC 1035 4.1.1).
        let group = self.upstreams.group_of(asked.name()).filter(|_| asked.recursion_desired());
        let Some(group) = group else {
            self.counts.refused += 1;
            return tell(sink, &client, ResponseCode::Refused);
        };
        let ip = client.from.ip();
        if !self.rates.allows(ip, now) {
            self.counts.refused += 1;
            self.counts.rate_limited += 1;
            return tell(sink, &client, ResponseCode::Refused);
        }
        let key = (asked.lower().to_vec(), wishes);
        if let Some(number) = self.by_key.get(&key).copied() {
            return self.join(number, client, sink);
        }
        if !self.has_room(now, ip, sink) {
            self.counts.overflows += 1;
            return tell(sink, &client, ResponseCode::ServFail);
        }
        self.counts.misses += 1;
        if self.must_check(asked.name(), wishes) {
            return self.begin_check(now, (key, group), client, stale_waits, sink);
        }
        self.begin(now, key, group, client, stale_waits, sink);
    }

    /// Whether one more question of this client has room. First those give way for which nobody waits, then those of who has most, with what led to their answers.
    fn has_room(&mut self, now: u64, client: IpAddr, sink: &mut Sink<'_>) -> bool {
        if self.clients_waiting >= CLIENTS_WAITING_MAX {
            return false;
        }
        while self.questions.len() >= QUESTIONS_MAX {
            if let Some(number) = self.unwanted.pop_first() {
                self.take(number, sink);
                continue;
            }
            let Some(number) = self.shares.gives_way(Asker::of(client)) else { return false };
            self.displace(now, number, sink);
        }
        true
    }

    /// Time has come for whatever waits for it.
    pub(crate) fn wake(&mut self, now: u64, sink: &mut Sink<'_>) {
        while let Some((when, number)) = self.timers.first().copied()
            && when <= now
        {
            self.timers.remove(&(when, number));
            self.look_at(now, number, sink);
        }
        self.find_loops(now, sink);
    }

    fn look_up(&mut self, now: u64, whom: &Whom<'_>, asked: &Asked<'_>, sink: &mut Sink<'_>) -> LookedUp {
        let Some(hit) = self.cache.find(now, asked.lower(), wishes_of(asked)) else {
            return LookedUp::Missing;
        };
        let stale_seconds = self.settings.stale.as_secs();
        let age = match hit.freshness {
            Freshness::Fresh(seconds) => Age::Seconds(seconds),
            Freshness::Stale { seconds, .. }
                if seconds >= stale_seconds || hit.kept.code() == ResponseCode::ServFail.low_bits() =>
            {
                return LookedUp::Missing;
            }
            Freshness::Stale { recheck: true, .. } => return LookedUp::Stale,
            Freshness::Stale { recheck: false, .. } => Age::Stale,
        };
        self.counts.hits += 1;
        self.counts.stale += u64::from(age == Age::Stale);
        whom.tell_kept(sink, hit.kept, age);
        LookedUp::Told
    }

    fn join(&mut self, number: u64, client: Client, sink: &mut Sink<'_>) {
        let question = self.questions.get_mut(&number).expect("a question in by_key is in flight");
        // Who repeats himself before he was answered waits once. A stream answers each of its messages.
        let is_repeat = client.transport == Transport::Udp
            && question.clients.iter().any(|other| {
                (other.from, other.id, other.manner.id) == (client.from, client.id, client.manner.id)
                    && other.question.eq_ignore_ascii_case(&client.question)
            });
        if is_repeat {
            return;
        }
        let is_full = question.clients.len() >= CLIENTS_PER_QUESTION_MAX;
        if is_full || self.clients_waiting >= CLIENTS_WAITING_MAX {
            self.counts.overflows += 1;
            return tell(sink, &client, ResponseCode::ServFail);
        }
        self.counts.joined += 1;
        self.clients_waiting += 1;
        // Nobody else waits for it any more; else it is of nobody's share, and gives way with nobody.
        if question.asker.is_none() && question.dependents.is_empty() {
            let asker = Asker::of(client.from.ip());
            question.asker = Some(asker);
            self.shares.enter(asker, number);
            self.unwanted.remove(&number);
        }
        question.clients.push(client);
    }

    fn begin(
        &mut self,
        now: u64,
        key: Key,
        group: usize,
        client: Client,
        stale_waits: bool,
        sink: &mut Sink<'_>,
    ) {
        let Some(best) = self.upstreams.best(group, &[], now) else {
            return tell(sink, &client, ResponseCode::Refused);
        };
        let number = self.new_number();
        let question = Question { stale_waits, ..Question::of(client, key.clone(), group, now) };
        self.clients_waiting += 1;
        self.enter(number, question);
        self.by_key.insert(key, number);
        self.send_first(now, number, (group, best), sink);
    }

    /// To the best server, and now and then to another as well.
    fn send_first(&mut self, now: u64, number: u64, (group, best): (usize, usize), sink: &mut Sink<'_>) {
        self.send(now, number, best, None, sink);
        if self.exchanges.len() < EXCHANGES_FREE
            && let Some(other) = self.upstreams.probe(group, best, &mut self.chance, now)
        {
            self.send(now, number, other, None, sink);
        }
    }

    /// Looks whether a question is over, should be told stale, or be asked once more.
    fn look_at(&mut self, now: u64, number: u64, sink: &mut Sink<'_>) {
        let Some(question) = self.questions.get_mut(&number) else { return };
        question.timer = u64::MAX;
        if now >= question.began + nanoseconds(QUESTION_LASTS) {
            return self.fail(now, number, sink);
        }
        if question.stale_waits && now >= question.began + nanoseconds(STALE_AFTER) {
            question.stale_waits = false;
            let (name, wishes) = question.key.clone();
            self.tell_stale(now, number, sink);
            // Who asks from now on need not wait as long.
            self.cache.defer_recheck(&name, wishes, now + nanoseconds(STALE_RECHECK));
        }
        if self.questions.get(&number).is_some_and(|question| now >= question.retry_at) {
            self.retry(now, number, sink);
        }
        self.set_timer(number);
    }

    fn set_timer(&mut self, number: u64) {
        let Some(question) = self.questions.get_mut(&number) else { return };
        let mut when = question.retry_at.min(question.began + nanoseconds(QUESTION_LASTS));
        if question.stale_waits {
            when = when.min(question.began + nanoseconds(STALE_AFTER));
        }
        if when != question.timer {
            self.timers.remove(&(question.timer, number));
            self.timers.insert((when, number));
            question.timer = when;
        }
    }

    /// What this name may point to: what the operator vouches for may point anywhere.
    fn barred_of(&self, question: &Question) -> &Barred {
        let name = &question.key.0[..question.key.0.len() - 4];
        let is_exempt = self.upstreams.is_named(question.group)
            || self.exempt.iter().any(|domain| is_at_or_below(name, domain.octets()));
        if is_exempt { &self.nothing_barred } else { &self.barred }
    }

    fn enter(&mut self, number: u64, question: Question) {
        if let Some(asker) = question.asker {
            self.shares.enter(asker, number);
        }
        self.questions.insert(number, question);
    }

    fn new_number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

impl Question {
    /// One that a client asks.
    fn of(client: Client, key: Key, group: usize, now: u64) -> Self {
        let asker = Some(Asker::of(client.from.ip()));
        Self { clients: vec![client], asker, ..Self::new(key, group, now) }
    }

    /// Nobody waits for it yet.
    fn new(key: Key, group: usize, now: u64) -> Self {
        Self {
            key,
            group,
            clients: Vec::new(),
            asker: None,
            attempts: Vec::new(),
            began: now,
            retry_at: now,
            stale_waits: false,
            own_faults: 0,
            timer: u64::MAX,
            finds_loop_of: None,
            checked: None,
            dependents: Vec::new(),
        }
    }
}

enum LookedUp {
    Told,
    /// There is something to fall back to.
    Stale,
    Missing,
}

fn wishes_of(asked: &Asked<'_>) -> Wishes {
    Wishes { dnssec_ok: asked.dnssec_ok(), checking_disabled: asked.checking_disabled() }
}

pub(crate) fn octets_max(transport: Transport, manner: &Manner) -> usize {
    match transport {
        Transport::Udp => manner.udp_octets(),
        Transport::Tcp => TCP_OCTETS_MAX,
    }
}

/// Octets that an upstream's question has before its name.
const QUESTION_AT: usize = HEADER_OCTETS;

#[cfg(test)]
mod tests;
