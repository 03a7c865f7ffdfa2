use super::bind::Datagrams;
use super::connection::Connection;
use super::datagrams::Replies;
use super::exchange::{self, Exchanges, Happened, Taken};
use super::silence::{Silence, Silent};
use super::{Bound, Counts, Limits, Mailbox, News};
use crate::ask::Ask;
use crate::journal::{Journal, Weight};
use crate::netio::{Inbox, Outbox};
use crate::streams::{ACCEPTS_A_TURN, LISTENERS_MAX, Streams};
use crate::wake::{Caller, Post};
use heorot_core::time::{Time, Wall};
use heorot_dns::{
    ExchangeId, Fault, Input, Output, Query, QueryId, Resolver, Transport, UpdateId, UpdateOutcome,
};
use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::ops::ControlFlow;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The thread's own: it owns the resolver and every socket.
pub(super) struct Worker {
    limits: Limits,
    post: Arc<Post<Mailbox, Counts>>,
    journal: Journal,
    resolver: Resolver,
    epoll: OwnedFd,
    sockets: Vec<Datagrams>,
    replies: Replies,
    streams: Streams<Connection>,
    exchanges: Exchanges,
    silence: Silence,
    /// Who keeps what comes by updates.
    keeper: Option<Caller<Ask>>,
    /// Updates that nobody takes.
    unkept: Vec<UpdateId>,
    /// Whether it was told of names since its start.
    knows_names: bool,
    /// Connections that have a reply to send which no event of theirs brought.
    replied: Vec<u64>,
    /// When it began, on the clock of decisions too: loans end by that.
    began: Instant,
    began_at: u64,
    calendar_told: Option<Instant>,
    /// Which day was told to have come.
    reached_told: u64,
    /// It was said that no date can be checked.
    undated_said: bool,
    /// And that nothing was ever found to be signed.
    unsigned_said: bool,
    counts: Counts,
    buffer: Vec<u8>,
    out: Vec<Output>,
}

/// What an event's key stands for. Keys: 0 the mailbox, then room for as many UDP sockets and for as many listeners as there may be, and every connection that ever was; with
/// the uppermost bit, every exchange that ever was.
enum Source {
    Mailbox,
    Datagrams(usize),
    Listener(usize),
    Connection(u64),
    Exchange(Happened),
}

/// Room for datagrams, which belongs to the thread that fills it.
struct Boxes {
    inbox: Inbox,
    outbox: Outbox,
}

const MAILBOX: u64 = 0;
const SOCKETS_FROM: u64 = 1;

/// Messages answered by one connection before others get their turn.
const BATCH: usize = 64;
/// The largest question by UDP that is read whole: three times as much as we send. Longer ones have a format error. RFC 6891 6.2.5's size and a little more, so
/// that the rooms of a batch do not all begin at one place of the processor's cache.
const DATAGRAM_OCTETS_MAX: usize = 4096 + 64;
/// The largest message by TCP, and of those whom we ask.
const MESSAGE_OCTETS_MAX: usize = 65_535;
/// Batches of datagrams taken from one socket before others get their turn.
const BATCHES_A_TURN: usize = 4;
/// Events taken at once.
const EVENTS: usize = 128;
/// The calendar may be set at any time: signatures may be five minutes off (RFC 8945 10).
const CALENDAR_EVERY: Duration = Duration::from_secs(30);

/// Firmware without a battery begins in 1970, or on the day that it was made. `reached`: a day that has come, in seconds since 1970; 0: none is known.
fn undated(reached: u64) -> String {
    let zero = Time::from_nanoseconds(0);
    let day = Wall(reached.saturating_mul(1_000_000_000)).stamp(zero, zero);
    let or_before = if reached > 0 {
        format!(", or is before {day:.10}, which is over by what was kept")
    } else {
        String::new()
    };
    format!(
        "DNS: the clock was never set{or_before}: until it is, signatures are checked without their dates, and no answer is told to be secure"
    )
}

/// Answers that were not believed, and none that was, before something is said: one zone may be broken.
const BOGUS_BEFORE_SAID: u64 = 10;
const UNSIGNED: &str = "DNS: dnssec = \"validate\", and no answer was secure so far: do the servers upstream pass signatures on, and is the clock right?";

impl Worker {
    pub(super) fn new(
        limits: Limits,
        (sockets, listeners): (Vec<Datagrams>, Vec<TcpListener>),
        resolver: Resolver,
        (post, journal): (Arc<Post<Mailbox, Counts>>, Journal),
    ) -> io::Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        epoll::add(&epoll, &*post, EventData::new_u64(MAILBOX), EventFlags::IN)?;
        for (sockets, key) in sockets.iter().zip(SOCKETS_FROM..) {
            epoll::add(&epoll, &sockets.socket, EventData::new_u64(key), EventFlags::IN)?;
        }
        // For each UDP socket there is a listener.
        let listeners_from = SOCKETS_FROM + LISTENERS_MAX;
        let streams = Streams::listen(&epoll, listeners, listeners_from, limits.connections)?;
        Ok(Self {
            limits,
            post,
            journal,
            resolver,
            epoll,
            sockets,
            replies: Replies::default(),
            streams,
            exchanges: Exchanges::default(),
            silence: Silence::default(),
            keeper: None,
            unkept: Vec::new(),
            knows_names: false,
            replied: Vec::new(),
            began: Instant::now(),
            began_at: crate::clock::now().as_nanoseconds(),
            calendar_told: None,
            reached_told: 0,
            undated_said: false,
            unsigned_said: false,
            counts: Counts::default(),
            buffer: vec![0; MESSAGE_OCTETS_MAX],
            out: Vec::new(),
        })
    }

    /// A turn: wait, read the clock once, handle what came, end what is over its time.
    pub(super) fn run(mut self) {
        let mut events = Vec::with_capacity(EVENTS);
        let mut boxes = Boxes { inbox: Inbox::with_room(DATAGRAM_OCTETS_MAX), outbox: Outbox::new() };
        loop {
            let knows_names = self.knows_names;
            let waited = match knows_names {
                true => epoll::wait(&self.epoll, spare_capacity(&mut events), self.timeout().as_ref()),
                // Records alone know of names that were lent, given or came by updates, and are read a moment after the start: "there is no such name" would be believed for a while. What is asked
                // meanwhile the kernel keeps.
                false => poll(&mut [PollFd::new(&*self.post, PollFlags::IN)], self.timeout().as_ref()),
            };
            match waited {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => panic!("waiting on our own descriptors: {error}"),
            }
            let now = Instant::now();
            self.tell_time(now);
            if !knows_names && self.take_mailbox(now).is_break() {
                return;
            }
            for event in events.drain(..) {
                if self.take(event, now, &mut boxes).is_break() {
                    return;
                }
            }
            self.send_replies(now);
            self.counts.replies_unsent += self.replies.send(&mut boxes.outbox, &self.sockets);
            self.streams.end_silent(now);
            self.end_silent_exchanges(now);
            self.tell_silence(now);
            self.streams.resume_accepting(&self.epoll, now);
            self.counts.streams = self.streams.counts();
            self.counts.resolver = self.resolver.statistics();
            self.counts.forward = self.resolver.forward_counts();
            self.post.count(self.counts);
        }
    }

    fn take(&mut self, event: Event, now: Instant, boxes: &mut Boxes) -> ControlFlow<()> {
        match self.source(event.data.u64()) {
            Source::Mailbox => return self.take_mailbox(now),
            Source::Datagrams(index) => self.take_datagrams(index, now, boxes),
            Source::Listener(index) => self.accept(index, now),
            Source::Connection(key) => self.take_connection(key, event.flags, now),
            Source::Exchange(Happened::At(id)) => self.take_exchange(id, now),
            Source::Exchange(Happened::Secured(key)) => {
                let taken = self.exchanges.secured.take(&self.epoll, key, now);
                self.take_secured(taken, now);
            }
        }
        ControlFlow::Continue(())
    }

    fn source(&self, key: u64) -> Source {
        if let Some(happened) = exchange::of_event(key) {
            return Source::Exchange(happened);
        }
        let index = |from: u64| usize::try_from(key - from).unwrap_or(usize::MAX);
        let listeners = self.streams.listener_keys();
        match key {
            MAILBOX => Source::Mailbox,
            key if key < listeners.start => Source::Datagrams(index(SOCKETS_FROM)),
            key if key < listeners.end => Source::Listener(index(listeners.start)),
            key => Source::Connection(key),
        }
    }

    fn take_mailbox(&mut self, now: Instant) -> ControlFlow<()> {
        let mail = self.post.take();
        if mail.stop {
            return ControlFlow::Break(());
        }
        for news in mail.news {
            let input = match news {
                News::Settings(settings) => Input::Configure(settings),
                News::Directory(directory) => {
                    self.knows_names = true;
                    Input::Publish(directory)
                }
                News::Changes(changes) => Input::Change(changes),
                News::Updated(update, outcome) => Input::Updated { update, outcome },
                News::Keeper(keeper) => {
                    self.keeper = Some(keeper);
                    continue;
                }
                News::Listen(bound) => {
                    if let Err(error) = self.listen(bound) {
                        let text = format!("DNS cannot listen to another address: {error}; restart heorot");
                        self.journal.say(Weight::Warning, text);
                    }
                    continue;
                }
            };
            self.handle(now, input);
        }
        if let Some(hosts) = mail.hosts {
            self.handle(now, Input::Hosts(hosts));
        }
        if let Some(roots) = mail.roots {
            self.exchanges.secured.configure(roots);
        }
        if let Some(forwarding) = mail.forwarding {
            self.handle(now, Input::Forward(forwarding));
        }
        if let Some((unnamed, others)) = mail.unnamed {
            self.silence.unnamed = unnamed;
            self.silence.ask_others(others);
        }
        ControlFlow::Continue(())
    }

    fn listen(&mut self, Bound(datagrams, listener): Bound) -> io::Result<()> {
        // This one knows whether there is room for both.
        self.streams.listen_too(&self.epoll, listener)?;
        let key = key_of_datagrams(self.sockets.len());
        epoll::add(&self.epoll, &datagrams.socket, EventData::new_u64(key), EventFlags::IN)?;
        self.sockets.push(datagrams);
        Ok(())
    }

    /// Takes what has come, and answers; what came meanwhile is taken too, for where one has come after another there are more, and to be told of
    /// them by epoll would cost as much as to take them.
    fn take_datagrams(&mut self, index: usize, now: Instant, Boxes { inbox, outbox }: &mut Boxes) {
        for _ in 0..BATCHES_A_TURN {
            let taken = match inbox.receive(self.sockets[index].socket.as_fd()) {
                Ok(taken) => taken,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => return,
                Err(_) => {
                    self.counts.receive_errors += 1;
                    return;
                }
            };
            let id = QueryId(key_of_datagrams(index));
            for (from, payload) in inbox.senders() {
                self.handle(now, Input::Query(Query { transport: Transport::Udp, from, id, payload }));
            }
            if taken < 2 {
                return;
            }
            self.counts.replies_unsent += self.replies.send(outbox, &self.sockets);
        }
    }

    fn accept(&mut self, index: usize, now: Instant) {
        for _ in 0..ACCEPTS_A_TURN {
            let Some((stream, peer)) = self.streams.accept(&self.epoll, index, now) else { return };
            self.streams.make_room(peer.ip());
            // A connection that broke before it began ends here, by being dropped.
            let _ = Connection::new(stream, peer, now + self.limits.idle)
                .and_then(|connection| self.streams.insert(&self.epoll, connection, peer.ip()));
        }
    }

    fn take_connection(&mut self, key: u64, flags: EventFlags, now: Instant) {
        let broken = flags.intersects(EventFlags::ERR | EventFlags::HUP);
        if broken || self.converse(key, flags, now).is_err() {
            self.streams.remove(key);
        }
    }

    /// Reads once, answers what is whole, sends what the kernel takes. An error ends the connection.
    fn converse(&mut self, key: u64, flags: EventFlags, now: Instant) -> io::Result<()> {
        // Gone if an earlier event of this turn displaced it.
        let Some(connection) = self.streams.get_mut(key) else { return Ok(()) };
        if flags.contains(EventFlags::IN) {
            connection.receive(&mut self.buffer)?;
        }
        let mut said = 0;
        // What is sent makes room for replies to messages that came long ago: no event will tell of those.
        loop {
            let answered = self.answer_whole_messages(key, now);
            let goes_on = self.go_on(key, now);
            let Some(connection) = self.streams.get_mut(key) else { return Ok(()) };
            said += usize::from(goes_on);
            if !connection.flush()? || (answered == 0 && !goes_on) || said == BATCH {
                break;
            }
        }
        self.streams.settle(&self.epoll, key)?;
        Ok(())
    }

    /// Says more of an answer that is longer than a message, if what was said is sent.
    fn go_on(&mut self, key: u64, now: Instant) -> bool {
        let Some(connection) = self.streams.get_mut(key) else { return false };
        let Some(transfer) = connection.next_more() else { return false };
        // Who takes what is said is not idle.
        connection.deadline = now + self.limits.idle;
        self.handle(now, Input::More(transfer));
        true
    }

    /// How many there were, of those that have room for a reply.
    fn answer_whole_messages(&mut self, key: u64, now: Instant) -> usize {
        let mut answered = 0;
        while let Some(connection) = self.streams.get_mut(key)
            && let Some(payload) = connection.next_message()
        {
            connection.deadline = now + self.limits.idle;
            let (from, id) = (connection.peer(), QueryId(key));
            self.handle(now, Input::Query(Query { transport: Transport::Tcp, from, id, payload: &payload }));
            answered += 1;
        }
        answered
    }

    /// What came by the socket of an exchange.
    fn take_exchange(&mut self, id: ExchangeId, now: Instant) {
        let (messages, fault) = self.exchanges.take(&self.epoll, id, &mut self.buffer);
        for message in messages {
            let input = Input::Answer { exchange: id, from: message.from, payload: &message.payload };
            self.handle(now, input);
        }
        if let Some(fault) = fault {
            self.handle(now, Input::CameToNothing { exchange: id, fault });
        }
    }

    /// What came by a connection that exchanges share, and what will not come any more.
    fn take_secured(&mut self, taken: Taken, now: Instant) {
        for (exchange, message) in taken.messages {
            let input = Input::Answer { exchange, from: message.from, payload: &message.payload };
            self.handle(now, input);
        }
        for (exchange, fault) in taken.faults {
            self.handle(now, Input::CameToNothing { exchange, fault });
        }
    }

    fn end_silent_exchanges(&mut self, now: Instant) {
        let taken = self.exchanges.secured.end_silent(now);
        self.take_secured(taken, now);
        for trouble in self.exchanges.secured.take_troubles() {
            self.journal.say(Weight::Warning, trouble);
        }
        if self.counts.forward.undated > 0 && !std::mem::replace(&mut self.undated_said, true) {
            self.journal.say(Weight::Warning, undated(self.reached_told));
        }
        let nothing_is_signed =
            self.counts.forward.secure == 0 && self.counts.forward.bogus >= BOGUS_BEFORE_SAID;
        if nothing_is_signed && !std::mem::replace(&mut self.unsigned_said, true) {
            self.journal.say(Weight::Warning, UNSIGNED);
        }
    }

    /// Tells the loop who does not answer, if that is news. If it has no room for it now, it hears it later.
    fn tell_silence(&mut self, now: Instant) {
        let silent = self.resolver.unanswered(self.nanoseconds(now));
        let Some((silent, over)) = self.silence.news(silent) else { return };
        let ask = Ask::Unanswered { silent: silent.iter().map(Silent::told).collect(), over };
        if self.keeper.as_ref().is_some_and(|keeper| keeper.try_say(ask).is_ok()) {
            self.silence.was_told(silent);
        }
    }

    /// Sends what connections were told meanwhile.
    fn send_replies(&mut self, now: Instant) {
        for key in std::mem::take(&mut self.replied) {
            self.take_connection(key, EventFlags::empty(), now);
        }
    }

    fn nanoseconds(&self, now: Instant) -> u64 {
        self.began_at + u64::try_from((now - self.began).as_nanos()).expect("nobody runs for 584 years")
    }

    /// Lets the resolver decide, and does what it says. What cannot be sent is told to it at once, and it decides anew: there is an end to
    /// its attempts.
    fn handle(&mut self, now: Instant, input: Input<'_>) {
        let now_nanoseconds = self.nanoseconds(now);
        let mut out = std::mem::take(&mut self.out);
        self.resolver.handle(now_nanoseconds, input, &mut out);
        let mut faults = Vec::new();
        loop {
            for output in out.drain(..) {
                faults.extend(self.carry_out(output, now));
            }
            let unkept =
                self.unkept.pop().map(|update| Input::Updated { update, outcome: UpdateOutcome::Failed });
            let fault = || faults.pop().map(|(exchange, fault)| Input::CameToNothing { exchange, fault });
            let Some(input) = unkept.or_else(fault) else { break };
            self.resolver.handle(now_nanoseconds, input, &mut out);
        }
        self.out = out;
    }

    fn carry_out(&mut self, output: Output, now: Instant) -> Option<(ExchangeId, Fault)> {
        match output {
            Output::Reply { transport: Transport::Udp, to, id: QueryId(key), payload } => {
                let index = usize::try_from(key).ok().and_then(|key| key.checked_sub(1));
                let index = index.expect("a query by UDP came by a socket, whose key is not 0");
                self.replies.queue(index, to, payload);
            }
            Output::Reply { transport: Transport::Tcp, id: QueryId(key), payload, .. } => {
                if let Some(connection) = self.streams.get_mut(key) {
                    connection.queue(&payload);
                    self.replied.push(key);
                }
            }
            Output::End { id: QueryId(key) } => {
                if let Some(connection) = self.streams.get_mut(key) {
                    connection.end();
                }
            }
            Output::More { id: QueryId(key), transfer } => {
                if let Some(connection) = self.streams.get_mut(key) {
                    connection.queue_more(transfer);
                }
            }
            Output::Notify { to, payload } => {
                let sent = self.socket_towards(to).map(|socket| socket.send_to(&payload, to));
                // It is repeated until it is answered.
                self.counts.replies_unsent += u64::from(!matches!(sent, Some(Ok(_))));
            }
            Output::Ask(exchange) => {
                let id = exchange.id;
                return self.exchanges.begin(&self.epoll, exchange, now).err().map(|fault| (id, fault));
            }
            Output::Forget { exchange } => self.exchanges.end(exchange),
            Output::Update { update, changes, by } => {
                let id = heorot_core::message::UpdateId(update.0);
                let ask = Ask::Update { id, changes, by };
                if self.keeper.as_ref().is_none_or(|keeper| keeper.try_say(ask).is_err()) {
                    self.unkept.push(update);
                }
            }
            Output::Denied { by, why } => {
                // The journal can do without it.
                let _ =
                    self.keeper.as_ref().map(|keeper| keeper.try_say(Ask::UpdateDenied { by, why }).is_ok());
            }
        }
        None
    }

    /// The socket of the address that the kernel would send from, so that whoever knows us by it hears us by it.
    fn socket_towards(&self, to: SocketAddr) -> Option<&UdpSocket> {
        let any: SocketAddr = if to.is_ipv4() { ([0; 4], 0).into() } else { ([0_u16; 8], 0).into() };
        let local = || {
            let socket = UdpSocket::bind(any).ok()?;
            socket.connect(to).ok()?;
            Some(socket.local_addr().ok()?.ip())
        };
        let local = local();
        let is_local = |sockets: &&Datagrams| Some(sockets.address.ip()) == local;
        let same_kind = |sockets: &&Datagrams| sockets.address.is_ipv4() == to.is_ipv4();
        let found = self.sockets.iter().find(is_local).or_else(|| self.sockets.iter().find(same_kind));
        found.map(|sockets| &sockets.socket)
    }

    /// Tells the resolver what the calendar says, and that a moment has come that it waited for.
    fn tell_time(&mut self, now: Instant) {
        if self.calendar_told.is_none_or(|told| now - told >= CALENDAR_EVERY) {
            self.calendar_told = Some(now);
            self.handle(now, Input::Calendar(crate::clock::wall(crate::clock::now()).0 / 1_000_000_000));
        }
        let reached = crate::clock::reached_seconds();
        if reached != std::mem::replace(&mut self.reached_told, reached) {
            self.handle(now, Input::Reached(reached));
        }
        if self.wakeup().is_some_and(|at| at <= now) {
            self.handle(now, Input::Wake);
        }
    }

    /// When the resolver wants to be called.
    fn wakeup(&self) -> Option<Instant> {
        let at = self.resolver.next_wakeup()?.saturating_sub(self.began_at);
        Some(self.began + Duration::from_nanos(at))
    }

    /// How long to wait at most.
    fn timeout(&self) -> Option<Timespec> {
        let deadlines =
            self.streams.next_deadline().into_iter().chain(self.exchanges.secured.next_deadline());
        let next = deadlines.chain(self.wakeup()).min()?;
        let left = next.saturating_duration_since(Instant::now());
        Some(Timespec::try_from(left).expect("a deadline is minutes away"))
    }
}

fn key_of_datagrams(index: usize) -> u64 {
    SOCKETS_FROM + index as u64
}
