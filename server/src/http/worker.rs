//! The thread that speaks HTTP with machines. It owns every socket of theirs, waits for nothing but for events, and decides nothing about nodes: what a path means, the
//! loop says, and when a file may go on, too.

mod accepting;
mod breaking;
mod delivering;
mod holding;
mod making;

use super::connection::{Connection, Progress, Stage};
use super::head::{Head, Method, Refusal};
use super::readers::{Job, Queue};
use super::reply::{Manner, Reply, content_type};
use super::selection::{Selection, Version};
use super::{Counts, Letter, Limits, Mailbox, News, calendar};
use crate::ask::Ask;
use crate::clock;
use crate::disks::Pool;
use crate::images::directory::BootFile;
use crate::journal::Journal;
use crate::streams::{Stream as _, Streams};
use crate::wake::{Caller, Post, Tray};
use delivering::{End, Going};
use heorot_core::limit::HTTP_AT_ONCE_OCTETS;
use heorot_core::message::{Answer, Via};
use heorot_core::transfer::{self, StreamId, StreamNews};
use holding::Holding;
use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustls::ServerConfig;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// All that the thread has.
pub(super) struct Worker {
    limits: Limits,
    post: Arc<Post<Mailbox, Counts>>,
    tray: Arc<Tray<News>>,
    asks: Caller<Ask>,
    jobs: Arc<Pool<Queue>>,
    journal: Journal,
    epoll: OwnedFd,
    streams: Streams<Connection>,
    /// Of each listener, whether it is one by TLS.
    are_secured: Vec<bool>,
    tls: Option<Arc<ServerConfig>>,
    /// Files on their way that are reckoned, those of which the history of a machine tells, by their connections, and connections whose peers still have to acknowledge some.
    accounts: BTreeSet<StreamId>,
    going: BTreeMap<u64, Going>,
    under_way: BTreeSet<u64>,
    looked_at: Instant,
    /// Questions to the loop, by when they have to be answered: which connection's, and its how-manieth.
    asked: VecDeque<(Instant, u64, u64)>,
    /// What the loop is told at the end of the turn.
    news: Vec<News>,
    date: (u64, String),
    counts: Counts,
    complained: Option<Instant>,
    /// Who was told not to be understood, in which second.
    misunderstood: (u64, BTreeSet<Ipv4Addr>),
    buffer: Vec<u8>,
    holding: Holding,
}

/// How it is told things, and tells the loop: all that it has to say, and what may be left unsaid.
pub(super) type Lines = (Arc<Post<Mailbox, Counts>>, Arc<Tray<News>>, Caller<Ask>);

/// Keys of events: the mailbox, then the listeners, then every connection that ever was.
const MAILBOX: u64 = 0;
const LISTENERS_FROM: u64 = 1;

/// Events taken at once.
const EVENTS: usize = 256;
/// Octets read or enciphered at once.
const BUFFER_OCTETS: usize = 64 * 1024;
/// Steps of one connection before others get their turn: a request from beginning to end, and a few that came with it.
const STEPS_A_TURN: usize = 16;
/// How often it is looked at what was acknowledged: twice a tick of those who measure the link by it.
const LOOKS_EVERY: Duration = Duration::from_millis(25);
/// How often the loop is told that the machine takes what it gets; it wants to know at least every 10 s.
const LIFE_EVERY: Duration = Duration::from_secs(4);
/// Bits of a stream's number that tell which request of its connection it is. After as many a connection ends.
const REQUEST_BITS: u32 = 20;

impl Worker {
    pub(super) fn new(
        limits: Limits,
        (plain, secured): (Vec<TcpListener>, Vec<TcpListener>),
        tls: Option<Arc<ServerConfig>>,
        (post, tray, asks): Lines,
        jobs: Arc<Pool<Queue>>,
        journal: Journal,
    ) -> io::Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        epoll::add(&epoll, &*post, EventData::new_u64(MAILBOX), EventFlags::IN)?;
        let are_secured = plain.iter().map(|_| false).chain(secured.iter().map(|_| true)).collect();
        let listeners: Vec<TcpListener> = plain.into_iter().chain(secured).collect();
        for listener in &listeners {
            listener.set_nonblocking(true)?;
        }
        let streams = Streams::listen(&epoll, listeners, LISTENERS_FROM, limits.connections)?;
        Ok(Self {
            limits,
            post,
            tray,
            asks,
            jobs,
            journal,
            epoll,
            streams,
            are_secured,
            tls,
            accounts: BTreeSet::new(),
            going: BTreeMap::new(),
            under_way: BTreeSet::new(),
            looked_at: Instant::now(),
            asked: VecDeque::new(),
            news: Vec::new(),
            date: (0, String::new()),
            counts: Counts::default(),
            complained: None,
            misunderstood: (0, BTreeSet::new()),
            buffer: vec![0; BUFFER_OCTETS],
            holding: Holding::default(),
        })
    }

    /// A turn: wait, read the clock once, handle what came, end what is over its time, tell the loop. Until the process ends.
    pub(super) fn run(mut self) {
        let mut events = Vec::with_capacity(EVENTS);
        loop {
            match epoll::wait(&self.epoll, spare_capacity(&mut events), self.timeout().as_ref()) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => panic!("epoll_wait on our own descriptor: {error}"),
            }
            let now = Instant::now();
            for event in events.drain(..) {
                self.take(event, now);
            }
            self.give_up_waiting(now);
            for key in self.streams.end_silent(now) {
                self.closed(key, End::Silent);
            }
            self.streams.resume_accepting(&self.epoll, now);
            if now.saturating_duration_since(self.looked_at) >= LOOKS_EVERY {
                self.looked_at = now;
                self.look(now);
            }
            self.tell();
        }
    }

    fn timeout(&self) -> Option<Timespec> {
        let look = (!self.under_way.is_empty()).then(|| self.looked_at + LOOKS_EVERY);
        let late = self.asked.front().map(|(due, ..)| *due);
        let due = [look, late, self.streams.next_deadline()].into_iter().flatten().min()?;
        let pause = due.saturating_duration_since(Instant::now());
        // A moment late rather than early: what is due in less than epoll can wait would be looked at in vain.
        Timespec::try_from(pause + Duration::from_micros(50)).ok()
    }

    fn take(&mut self, event: Event, now: Instant) {
        let key = event.data.u64();
        let listeners = self.streams.listener_keys();
        if key == MAILBOX {
            for letter in self.post.take() {
                self.open_letter(letter, now);
            }
        } else if listeners.contains(&key) {
            self.accept(usize::try_from(key - listeners.start).unwrap_or(usize::MAX), now);
        } else {
            self.go_on(key, event.flags, now);
        }
    }

    fn open_letter(&mut self, letter: Letter, now: Instant) {
        let key = match letter {
            Letter::Secure(tls) => return self.tls = Some(tls),
            Letter::Listen(listener, is_secured) => return self.listen(listener, is_secured),
            Letter::Answer { key, question, answer } => {
                let waits = self.streams.get_mut(key).is_some_and(|connection| {
                    connection.questions == question && matches!(connection.stage, Stage::Asking(_))
                });
                if !waits {
                    return self.unheard(answer);
                }
                self.answer(key, answer, now);
                key
            }
            Letter::Opened { key, path, kind, result } => {
                self.opened(key, (path, kind), result, now);
                key
            }
            Letter::Made { key, mac, given, result } => {
                self.made(key, (mac, given), result, now);
                key
            }
            Letter::Written { key, result } => {
                self.written(key, result, now);
                key
            }
            Letter::Grant { stream, octets } => {
                let key = stream.0 >> REQUEST_BITS;
                let Some(connection) = self.streams.get_mut(key) else { return };
                if !connection.allow(stream, octets) {
                    return;
                }
                connection.deadline = now + self.limits.silence;
                key
            }
            Letter::Warm { key, result } => {
                let Some(connection) = self.streams.get_mut(key) else { return };
                match result {
                    Ok(octets) => {
                        connection.deadline = now + self.limits.silence;
                        if connection.warmed(octets) && connection.account.is_some() {
                            self.under_way.insert(key);
                        }
                    }
                    Err(why) => {
                        connection.abort();
                        return self.remove(key, End::Broken(Some(io::Error::other(why))), now);
                    }
                }
                key
            }
        };
        self.go_on(key, EventFlags::empty(), now);
    }

    fn converse(&mut self, key: u64, flags: EventFlags, now: Instant) -> io::Result<()> {
        // Gone if an earlier event of this turn displaced it.
        let Some(connection) = self.streams.get_mut(key) else { return Ok(()) };
        if flags.contains(EventFlags::IN) {
            connection.receive(&mut self.buffer)?;
            self.tell_distrust(key, None);
        }
        for _ in 0..STEPS_A_TURN {
            if !self.step(key, now)? {
                break;
            }
        }
        if self.streams.get_mut(key).is_some_and(|connection| connection.is_over()) {
            self.remove(key, End::Over, now);
        } else if !self.streams.settle(&self.epoll, key)? {
            self.closed(key, End::Over);
        }
        self.look_at_held(key);
        Ok(())
    }

    /// One stage further. False: it has to wait.
    fn step(&mut self, key: u64, now: Instant) -> io::Result<bool> {
        let Some(connection) = self.streams.get_mut(key) else { return Ok(false) };
        match std::mem::replace(&mut connection.stage, Stage::Over) {
            Stage::Reading => {
                connection.stage = Stage::Reading;
                match connection.next_head() {
                    Ok(None) => return Ok(false),
                    Ok(Some(head)) => self.begin(key, head, now),
                    Err(refusal) => self.refuse(key, refusal),
                }
                Ok(true)
            }
            Stage::Receiving(head) => {
                connection.stage = Stage::Receiving(head);
                connection.flush()?;
                Ok(self.take_body(key, now))
            }
            Stage::Lingering => {
                connection.stage = Stage::Lingering;
                connection.end_speech()?;
                Ok(false)
            }
            stage @ (Stage::Asking(_) | Stage::Opening(_) | Stage::Over) => {
                connection.stage = stage;
                Ok(false)
            }
            Stage::Sending(closes) => {
                connection.stage = Stage::Sending(closes);
                self.send(key, closes, now)
            }
        }
    }

    /// A request has begun: the client has all that it was sent before.
    fn begin(&mut self, key: u64, head: Head, now: Instant) {
        self.settle_account(key, now);
        let Some(connection) = self.streams.get_mut(key) else { return };
        connection.questions += 1;
        if head.expects_leave && head.body_octets > 0 {
            connection.give_leave();
        }
        connection.stage = Stage::Receiving(Box::new(head));
    }

    /// Nothing after what is refused here is understood.
    fn refuse(&mut self, key: u64, refusal: Refusal) {
        self.counts.refused += 1;
        let date = self.date().to_owned();
        self.tell_misunderstood(key, refusal.why.into());
        let Some(connection) = self.streams.get_mut(key) else { return };
        let manner = Manner { headless: connection.is_asked_by_head(), closes: true, is_old: false };
        connection.reply(&Reply::refusal(refusal), &date, manner);
    }

    /// Asks the loop, once the body is there.
    fn take_body(&mut self, key: u64, now: Instant) -> bool {
        let Some(connection) = self.streams.get_mut(key) else { return false };
        let Stage::Receiving(head) = &connection.stage else { return false };
        let Some(body) = connection.next_body(head.body_octets) else { return false };
        let Stage::Receiving(head) = std::mem::replace(&mut connection.stage, Stage::Over) else {
            return false;
        };
        let via = match head.method {
            Method::Get | Method::Head => Via::HttpGet,
            Method::Post => Via::HttpPost(body),
        };
        let (from, local, path) = (connection.peer, connection.local, head.path.clone());
        let question = connection.questions;
        connection.stage = Stage::Asking(head);
        connection.deadline = now + self.limits.request_within;
        self.asked.push_back((now + self.limits.answer_within, key, question));
        self.news.push(News::Asked { key, question, from, local, via, path });
        false
    }

    /// The loop has said what a path means. Nothing: it ends, and whoever asks is to come again.
    fn answer(&mut self, key: u64, answer: Option<(Answer, bool)>, now: Instant) {
        let (answer, starts) = answer.unzip();
        let reply = match answer {
            Some(Answer::Text(text)) => Reply::text(200, text),
            Some(Answer::Json(status, text)) => Reply::json(status, text),
            Some(Answer::Unwritten(unwritten)) => return self.write(key, unwritten),
            // Operators alone ask for what is long.
            Some(Answer::Part(..) | Answer::HostKeys(_)) => Reply::busy(),
            Some(Answer::Missing(why)) => Reply::text(404, why + "\n"),
            Some(Answer::Refused(why)) => Reply::text(403, why + "\n"),
            Some(Answer::Files(wanted)) => return self.make(key, wanted),
            Some(Answer::File(path) | Answer::FirstOf([_, path])) => {
                let Some(connection) = self.streams.get_mut(key) else { return };
                if let Stage::Asking(head) = std::mem::replace(&mut connection.stage, Stage::Over) {
                    connection.stage = Stage::Opening(head);
                }
                let kind = content_type(&path, starts == Some(true));
                return self.jobs.put(Job::Open { key, from: connection.peer, path, kind });
            }
            None => Reply::busy(),
        };
        self.reply(key, &reply, now);
    }

    /// A file was opened, or is not to be had.
    fn opened(
        &mut self,
        key: u64,
        (path, kind): (String, &'static str),
        result: Result<Arc<BootFile>, transfer::Refusal>,
        now: Instant,
    ) {
        let Some(connection) = self.streams.get_mut(key) else { return };
        let Stage::Opening(head) = &connection.stage else { return };
        let (method, peer) = (head.method, connection.peer);
        let refusal = match result {
            Ok(file) => {
                let version = Version::of(&file.identity, u64::from(clock::calendar_seconds()));
                let selection = version.select(method, &head.conditions);
                return self.reply_file(key, (file, kind), (&version, selection), Some(path), now);
            }
            Err(refusal) => refusal,
        };
        let status = match refusal {
            transfer::Refusal::Missing(_) => 404,
            transfer::Refusal::Denied(_) | transfer::Refusal::Unfit(_) => 403,
            transfer::Refusal::Changed => 500,
        };
        let why = refusal.why().to_owned();
        // The loop hears of it if it has the time: it is for the node's history alone.
        let _ = self.asks.try_say(Ask::Unavailable { from: peer, path, refusal });
        self.reply(key, &Reply::text(status, why + "\n"), now);
    }

    /// Answers with a file. If it is one of the boot directory, the history of a machine tells of it by this path.
    fn reply_file(
        &mut self,
        key: u64,
        (file, kind): (Arc<BootFile>, &str),
        (version, selection): (&Version, Selection),
        path: Option<String>,
        now: Instant,
    ) {
        let (reply, part) = match selection {
            Selection::Whole => (Reply::file(kind, version, None), 0..version.size),
            Selection::Part(part) => (Reply::file(kind, version, Some(&part)), part),
            Selection::NotModified => (Reply::not_modified(version), 0..0),
            Selection::Failed => (Reply::text(412, "it is another version\n".into()), 0..0),
            Selection::OutOfReach => (Reply::out_of_reach(version), 0..0),
        };
        self.reply_with(key, &reply, (file, part), path, now);
    }

    /// Answers with what is said of a part of a file, and that.
    fn reply_with(
        &mut self,
        key: u64,
        reply: &Reply,
        (file, part): (Arc<BootFile>, Range<u64>),
        path: Option<String>,
        now: Instant,
    ) {
        let is_head = self.reply(key, reply, now);
        let (octets, size) = (part.end - part.start, file.identity.size);
        let Some(connection) = self.streams.get_mut(key).filter(|_| !is_head && octets > 0) else { return };
        let is_counted = octets > HTTP_AT_ONCE_OCTETS;
        let stream = is_counted.then_some(StreamId(key << REQUEST_BITS | connection.questions));
        connection.follow(file, part.clone(), stream, path.is_some());
        self.counts.files += 1;
        if let Some(stream) = stream {
            self.accounts.insert(stream);
            let news = StreamNews::Begun { peer: connection.peer, octets };
            self.news.push(News::Stream(stream, news));
        }
        if let Some(path) = path {
            self.sends(key, path, (part, size));
        }
    }

    /// Answers what was asked. Whether that was a HEAD.
    fn reply(&mut self, key: u64, reply: &Reply, now: Instant) -> bool {
        let date = self.date().to_owned();
        let Some(connection) = self.streams.get_mut(key) else { return false };
        let (Stage::Asking(head) | Stage::Opening(head)) =
            std::mem::replace(&mut connection.stage, Stage::Over)
        else {
            return false;
        };
        let is_last = connection.questions >= (1 << REQUEST_BITS) - 1;
        let headless = head.method == Method::Head;
        let manner = Manner { headless, closes: !head.keeps || is_last, is_old: head.is_old };
        connection.reply(reply, &date, manner);
        connection.deadline = now + self.limits.silence;
        headless
    }

    /// Sends what may be sent. Whether there is more to do.
    fn send(&mut self, key: u64, closes: bool, now: Instant) -> io::Result<bool> {
        let Some(connection) = self.streams.get_mut(key) else { return Ok(false) };
        if !connection.flush()? {
            return Ok(false);
        }
        let before = connection.rest_octets();
        let progress = match connection.send_body(&mut self.buffer) {
            Ok(progress) => progress,
            Err(error) => {
                connection.abort();
                return Err(error);
            }
        };
        let wants = connection.wants();
        if connection.rest_octets() < before {
            connection.deadline = now + self.limits.silence;
            if connection.account.is_some() {
                self.under_way.insert(key);
            }
        }
        if let Some(stream) = wants {
            // What was delivered is told first: the link's rate is reckoned from what was granted and what arrived in the same moment.
            self.tell_delivered(key, 0, now);
            self.news.push(News::Stream(stream, StreamNews::Wants));
        }
        let Some(connection) = self.streams.get_mut(key) else { return Ok(false) };
        match progress {
            Progress::Waits => Ok(false),
            Progress::Cold(file, part) => {
                self.jobs.put(Job::Warm { key, file, part });
                Ok(false)
            }
            Progress::Done => {
                // Who has not acknowledged it all yet is not idle.
                let is_reckoned = connection.account.is_some();
                let patience = |usual| now + if is_reckoned { self.limits.silence } else { usual };
                match closes {
                    true => connection.linger(patience(self.limits.lingers))?,
                    false => connection.await_request(patience(self.limits.request_within)),
                }
                Ok(true)
            }
        }
    }

    /// The loop did not answer in time: who asked is told, before he gives up.
    fn give_up_waiting(&mut self, now: Instant) {
        while let Some((_, key, question)) = self.asked.front().copied().filter(|(due, ..)| *due <= now) {
            self.asked.pop_front();
            let Some(connection) = self.streams.get_mut(key) else { continue };
            if connection.questions == question && matches!(connection.stage, Stage::Asking(_)) {
                self.reply(key, &Reply::text(504, "the server did not answer in time\n".into()), now);
                self.go_on(key, EventFlags::empty(), now);
            }
        }
        // Those that were answered need not be waited for.
        while let Some((_, key, question)) = self.asked.front().copied() {
            let waits = self.streams.get_mut(key).is_some_and(|connection| {
                connection.questions == question && matches!(connection.stage, Stage::Asking(_))
            });
            if waits {
                return;
            }
            self.asked.pop_front();
        }
    }

    /// Tells the loop what there is to tell.
    fn tell(&mut self) {
        self.counts.streams = self.streams.counts();
        self.counts.connections = self.streams.len();
        self.counts.sending = self.accounts.len();
        self.post.count(self.counts);
        self.tray.put(&mut self.news);
    }

    fn date(&mut self) -> &str {
        let now = u64::from(clock::calendar_seconds());
        if self.date.0 != now {
            self.date = (now, calendar::written(now));
        }
        &self.date.1
    }
}
