//! The loop: one thread that owns [`Heorot`] and [`Transfers`], takes what comes, and carries out what they say.
//!
//! A turn: sleep until something is there; take a bounded batch of each socket that has something; take what other threads say; wake the
//! machines whose time has come; hand the records of the turn to the store. Nothing in it waits: no file, no lookup, no sync.
//!
//! - [`take`]: what comes by the sockets; [`order`]: whose turn it is;
//! - [`carry`]: what the machines put out, carried out;
//! - [`held`]: what waits for neighbour entries; [`interfaces`]: what goes and comes back;
//! - [`send`]: what is to be sent by TFTP, gathered; [`transmit`]: trains of blocks become datagrams; [`senders`]: threads that send when the loop has not the time;
//! - [`meter`]: what was sent in the last second; [`refusals`] and [`unrouted`]: what goes on being wrong around the server;
//! - [`operate`]: signals, a new configuration, the end.

mod carry;
mod held;
mod interfaces;
mod meter;
pub(crate) mod operate;
mod order;
mod refusals;
mod send;
pub(crate) mod senders;
mod take;
mod transmit;
mod unrouted;

use crate::ask::Ask;
use crate::clock;
use crate::dns;
use crate::echo::Echo;
use crate::http::Http;
use crate::images::Images;
use crate::images::directory::BootDirectory;
use crate::interface::{Change, Interface};
use crate::journal::{Journal, Weight};
use crate::lacking;
use crate::link::Routed;
use crate::names;
use crate::neighbour::keeper::{Done, Keeper, Moment};
use crate::netio::Outbox;
use crate::nfs;
use crate::nis;
use crate::notes::Notes;
use crate::overdue::Undelivered;
use crate::overlay::Overlays;
use crate::store::Outcome;
use crate::traffic::Traffic;
use crate::udp::{DataPorts, UdpPort};
use crate::wake::{Bell, Caller};
use carry::Pending;
use held::Held;
use heorot_core::Heorot;
use heorot_core::commits::{Batch, Commits};
use heorot_core::config::Config;
use heorot_core::message;
use heorot_core::time::Time;
use heorot_core::transfer::{self, Transfers};
use meter::Meter;
use nix::sys::signalfd::SignalFd;
use order::{Order, Source};
use refusals::Refusals;
use rustix::event::Timespec;
use rustix::event::epoll::{self, EventData, EventFlags};
use send::Outgoing;
use senders::Senders;
use std::collections::BTreeMap;
use std::io;
use std::mem;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender};
use std::thread;
use std::time::Duration;
use take::Inboxes;
use unrouted::Unrouted;

/// Messages of one line taken in a turn, so that a busy line does not keep the sockets waiting.
const MESSAGES_A_TURN: usize = 256;

/// How long the sockets have in a turn, before messages and timers get theirs. The next one begins with what is left.
const SOCKETS_MAX: Duration = Duration::from_millis(5);

/// How long what a commit made true has in a turn: where it numbered a whole cluster, that is more than a turn has time for.
const DECIDED_MAX: Duration = Duration::from_millis(5);

/// How long the questions of operators have in a turn: several of them who ask for all nodes at once are told in turn.
const QUESTIONS_MAX: Duration = Duration::from_millis(5);

/// Longest sleep, for no reason but that a mistake of ours should show as a delay and not as the end.
const SLEEP_MAX: Duration = Duration::from_secs(60);

/// Everything that was opened and started for the loop.
pub(crate) struct Parts {
    pub(crate) config: Config,
    pub(crate) config_path: PathBuf,
    /// What it was read from.
    pub(crate) config_text: Arc<str>,
    /// `serve --control`, which goes before `server.control`.
    pub(crate) control_given: Option<String>,
    pub(crate) heorot: Heorot,
    pub(crate) transfers: Transfers,
    pub(crate) interfaces: Vec<Interface>,
    pub(crate) interface_changes: Receiver<Change>,
    pub(crate) tftp: UdpPort,
    pub(crate) data: DataPorts,
    pub(crate) echo: Echo,
    pub(crate) routed: Routed,
    pub(crate) neighbours: Keeper,
    pub(crate) entries_done: Receiver<Done>,
    pub(crate) images: Images,
    pub(crate) directory: BootDirectory,
    pub(crate) overlays: Overlays,
    pub(crate) notes: Notes,
    pub(crate) commits: Commits,
    pub(crate) store: SyncSender<Batch>,
    pub(crate) outcomes: Receiver<Outcome>,
    pub(crate) asks: Receiver<Ask>,
    pub(crate) reload: Caller<operate::Reloaded>,
    pub(crate) reloaded: Receiver<operate::Reloaded>,
    pub(crate) bell: Bell,
    pub(crate) lacking: (lacking::Handle, Receiver<lacking::Found>),
    pub(crate) undelivered: Receiver<Undelivered>,
    pub(crate) signals: SignalFd,
    pub(crate) journal: Journal,
    pub(crate) http: Http,
    pub(crate) dns: dns::Handle,
    pub(crate) names: Option<names::Handle>,
    pub(crate) nis: Option<nis::Handle>,
    pub(crate) nfs: Option<nfs::Handle>,
    pub(crate) senders: Senders,
    pub(crate) traffic: Option<Traffic>,
}

/// The loop.
pub(crate) struct Loop {
    parts: Parts,
    epoll: OwnedFd,
    /// Room for what epoll says of every socket: if some were left out, nobody could say whose turn it is.
    events: Vec<epoll::Event>,
    /// Room for what is ready.
    ready: Vec<Source>,
    order: Order,
    /// Whether other threads have said something.
    has_rung: bool,
    /// The moment of what is being handled.
    now: Time,
    pending: Pending,
    meter: Meter,
    held: Held,
    /// The neighbour entries that were wanted in the list of outputs that is being carried out, and are before whatever follows in it.
    needed: Moment,
    /// When frames that had no room are tried again.
    links_retry_at: Option<Time>,
    /// Datagrams of transfers that were taken in this turn.
    taken: usize,
    /// What was lost by sockets of interfaces that are gone.
    lost_before: u64,
    outgoing: Outgoing,
    /// Room for a datagram of DHCP's that goes by a port of ours.
    outbox: Outbox,
    /// Room for what is decided about nodes.
    decided: Vec<message::Output>,
    /// Room for what the transfers put out.
    outputs: Vec<transfer::Output>,
    /// When something was last complained of, by what.
    complaints: BTreeMap<&'static str, Time>,
    reloading: bool,
    /// Whether a reload was asked for while something was being read.
    reload_again: bool,
    addresses: interfaces::Addresses,
    dump: operate::Dump,
    refusals: Refusals,
    unrouted: Unrouted,
    /// The longest time for which nothing new was taken: no turn should take 20 ms.
    longest_turn: Duration,
    /// When the server has to be gone, once it was told to go.
    ends_by: Option<Time>,
}

impl Loop {
    /// Gets ready to run.
    ///
    /// # Errors
    /// The kernel's.
    pub(crate) fn new(parts: Parts) -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let nothing = epoll::Event { flags: EventFlags::empty(), data: EventData::new_u64(0) };
        let mut events = Vec::new();
        let mut watch = |socket: &dyn AsFd, source: Source| {
            events.push(nothing);
            epoll::add(&epoll, socket.as_fd(), EventData::new_u64(source.token()), EventFlags::IN)
        };
        watch(&parts.bell, Source::Bell)?;
        watch(&parts.signals, Source::Signals)?;
        watch(&parts.tftp, Source::Tftp)?;
        watch(&parts.echo, Source::Echo)?;
        for (index, socket) in parts.data.sockets().enumerate() {
            watch(socket, Source::Data(index))?;
        }
        for (place, interface) in parts.interfaces.iter().enumerate() {
            for (socket, source) in interfaces::sources(place, interface) {
                watch(&socket, source)?;
            }
        }
        let outgoing = Outgoing::new(&parts.senders);
        Ok(Self {
            addresses: interfaces::Addresses::new(&parts.config),
            parts,
            epoll,
            ready: Vec::with_capacity(events.len()),
            events,
            order: Order::default(),
            has_rung: false,
            now: clock::now(),
            pending: Pending::default(),
            meter: Meter::default(),
            held: Held::default(),
            needed: Moment::default(),
            links_retry_at: None,
            taken: 0,
            lost_before: 0,
            outgoing,
            outbox: Outbox::new(),
            decided: Vec::new(),
            outputs: Vec::new(),
            complaints: BTreeMap::new(),
            reloading: false,
            reload_again: false,
            dump: operate::Dump::default(),
            refusals: Refusals::default(),
            unrouted: Unrouted::default(),
            longest_turn: Duration::ZERO,
            ends_by: None,
        })
    }

    /// Runs until a signal ends it. What the machines wanted done when they were restored comes first.
    ///
    /// # Errors
    /// The kernel no longer lets us wait, or a thread has died without which names are not told.
    pub(crate) fn run(
        mut self,
        restored: Vec<message::Output>,
        resumed: Vec<transfer::Output>,
    ) -> io::Result<()> {
        for output in restored {
            self.carry(output);
        }
        for output in resumed {
            self.carry_transfer(output);
        }
        self.flush_dhcp();
        self.flush_tftp();
        let mut inboxes = Inboxes::new();
        while !self.is_over() {
            self.submit();
            let begun = self.sleep()?;
            self.look_at_threads()?;
            self.take_turn(begun + SOCKETS_MAX, &mut inboxes);
            self.now = clock::now();
            if mem::take(&mut self.has_rung) {
                self.take_messages();
            }
            self.wake();
            self.flush_dhcp();
            self.flush_tftp();
            self.parts.http.flush();
            self.longest_turn = self.longest_turn.max(clock::now().since(begun));
        }
        self.end();
        Ok(())
    }

    /// Takes what is ready, as far as the time allows: something of the first at least.
    fn take_turn(&mut self, until: Time, Inboxes { large: inbox, small }: &mut Inboxes) {
        let mut ready = mem::take(&mut self.ready);
        self.order.begin(&mut ready);
        for (place, source) in ready.iter().enumerate() {
            self.now = clock::now();
            if place > 0 && self.now >= until {
                self.order.cut_off_at(*source);
                break;
            }
            match *source {
                Source::Bell => self.has_rung = true,
                Source::Signals => self.take_signals(),
                Source::Dhcp(place) => self.take_dhcp(place, inbox),
                Source::BootServer(place) => self.take_boot_server(place, inbox),
                Source::Arp(place) => self.take_arp(place),
                Source::Echo => self.take_echo(),
                Source::OtherServers(place) => self.take_other_servers(place),
                Source::Data(index) => self.take_tftp(Some(index), until, small),
                Source::Tftp => self.take_tftp(None, until, inbox),
            }
        }
        self.ready = ready;
    }

    /// Hands the records of the turn to the store.
    fn submit(&mut self) {
        // Who ends waits for everything, and for no disk that may be mended some time.
        if self.ends_by.is_some() && self.parts.commits.is_idle() {
            return;
        }
        let now = if self.ends_by.is_some() { Time::from_nanoseconds(u64::MAX) } else { self.now };
        let Some(batch) = self.parts.commits.begin(now) else { return };
        // The line has room for one batch, and there is never a second one: so the thread is gone.
        if self.parts.store.try_send(batch).is_err() {
            self.committed(Err("the store's thread has died: restart heorot".into()));
        }
    }

    /// The commit in flight has ended.
    fn committed(&mut self, outcome: Outcome) {
        if let Some(input) = self.parts.commits.end(outcome) {
            self.heorot(input);
        }
        if self.parts.commits.has_more() {
            // The rest of it, when others have had their turn.
            self.parts.bell.ring();
        }
    }

    /// Tells more of what the last commit made durable, for as long as there is time. Whether something is left.
    fn tell_decided(&mut self) -> bool {
        let until = self.now + DECIDED_MAX;
        while let Some(input) = self.parts.commits.more() {
            self.heorot(input);
            self.now = clock::now();
            if self.now >= until {
                break;
            }
        }
        self.parts.commits.has_more()
    }

    /// Sleeps until something is ready or due: the moment then. Where many are in lock-step, a moment longer: their acknowledgements coalesce.
    fn sleep(&mut self) -> io::Result<Time> {
        let (heorot, transfers) = (self.parts.heorot.next_wakeup(), self.parts.transfers.next_wakeup());
        // Who ends waits for what was promised, and tries nothing any more.
        let commits = self.parts.commits.due().filter(|_| self.ends_by.is_none());
        let due = [heorot, transfers, commits, self.ends_by, self.held.due(), self.links_retry_at];
        let due = due.into_iter().flatten().min();
        let before = clock::now();
        let mut begun = before;
        if let Some(rest) = self.parts.transfers.rest(mem::take(&mut self.taken)) {
            thread::sleep(rest);
            begun = clock::now();
        }
        let pause = due.map_or(SLEEP_MAX, |due| due.since(begun).min(SLEEP_MAX));
        let pause = Timespec::try_from(pause).expect("a minute fits");
        let count = match epoll::wait(&self.epoll, self.events.as_mut_slice(), Some(&pause)) {
            Err(rustix::io::Errno::INTR) => 0,
            count => count?,
        };
        self.ready.clear();
        self.ready.extend(self.events.iter().take(count).map(|event| Source::of(event.data.u64())));
        let now = clock::now();
        if self.parts.senders.slept(now, now.since(before)) {
            self.count_senders(now);
        }
        Ok(now)
    }

    /// Tells the machines whose time has come.
    fn wake(&mut self) {
        if self.parts.heorot.next_wakeup().is_some_and(|at| at <= self.now) {
            self.heorot(message::Input::Wakeup);
        }
        if self.parts.transfers.next_wakeup().is_some_and(|at| at <= self.now) {
            self.transfer(transfer::Input::Wakeup);
        }
        self.count_repeats();
        self.tell_traffic();
    }

    /// How often clients of TFTP and we have repeated ourselves until now.
    fn count_repeats(&mut self) {
        let transfers = &self.parts.transfers;
        let counters = [transfers.retries_total(), transfers.resent_total()];
        self.meter.counted(self.now, counters);
    }

    /// What went out by each interface since it was last told.
    fn tell_traffic(&mut self) {
        let is_busy = self.parts.transfers.active() + self.parts.transfers.streams() > 0;
        let Some(traffic) = self.parts.traffic.as_mut().filter(|traffic| is_busy && traffic.is_due(self.now))
        else {
            return;
        };
        let carried = traffic.since_last(self.now);
        let links = self.parts.transfers.interfaces().enumerate();
        let told: Vec<(usize, u64)> =
            links.filter_map(|(link, interface)| Some((link, *carried.get(interface?)?))).collect();
        for (link, octets) in told {
            self.transfer(transfer::Input::Carried { link, octets });
        }
    }

    /// What other threads said. They ring the bell after each word, so that there is none without.
    fn take_messages(&mut self) {
        self.parts.bell.silence();
        let mut left = false;
        while let Ok(done) = self.parts.entries_done.try_recv() {
            self.entries_done(done);
        }
        while let Ok(change) = self.parts.interface_changes.try_recv() {
            self.interface_changed(change);
        }
        while let Ok(outcome) = self.parts.outcomes.try_recv() {
            self.committed(outcome);
        }
        let is_decided_left = self.tell_decided();
        for count in 0..=MESSAGES_A_TURN {
            left |= count == MESSAGES_A_TURN;
            if left {
                break;
            }
            let Some(done) = self.parts.images.take() else { break };
            self.take_image(done);
        }
        let until = self.now + QUESTIONS_MAX;
        for count in 0..=MESSAGES_A_TURN {
            let is_enough = count == MESSAGES_A_TURN || (count > 0 && clock::now() >= until);
            left |= is_enough;
            if is_enough {
                break;
            }
            let Ok(ask) = self.parts.asks.try_recv() else { break };
            self.ask(ask);
        }
        self.take_unsent();
        self.take_news();
        self.go_on_dumping();
        if let Ok(read) = self.parts.reloaded.try_recv() {
            self.reloaded(read);
        }
        if let Ok(lacking) = self.parts.lacking.1.try_recv() {
            self.lacking(lacking);
        }
        if let Ok(undelivered) = self.parts.undelivered.try_recv() {
            self.undelivered(&undelivered);
        }
        if left || is_decided_left {
            // The bell was silenced with messages left in the lines.
            self.parts.bell.ring();
        }
    }

    /// Says that something fails, at most once a minute for each kind of thing.
    fn complain(&mut self, what: &'static str, error: &dyn std::fmt::Display) {
        const EVERY: Duration = Duration::from_secs(60);
        let last = self.complaints.get(what);
        if last.is_none_or(|last| self.now.since(*last) >= EVERY) {
            self.complaints.insert(what, self.now);
            self.parts.journal.say(Weight::Warning, format_args!("{what} fails: {error}"));
        }
    }
}
