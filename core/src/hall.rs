//! [`Hall`]: all that is known, in memory; and [`Turn`], through which the services see and change it.

mod change;
mod deaf;
mod deferred;
mod elsewhere;
mod ended;
mod files;
mod granting;
mod guest_name;
mod held_back;
mod host_keys;
mod journal;
mod lent;
mod listed;
mod listed_cards;
mod longer_leases;
mod moved;
mod moved_hosts;
mod names;
mod no_address;
mod numbers;
mod plan;
mod progress;
mod room;
mod unnumbered;

pub(crate) use change::{Becomes, Change, Changing, Decided};
pub(crate) use deferred::Deferred;
pub(crate) use granting::Granting;
pub(crate) use guest_name::{LABEL_OCTETS_MAX, label};
pub(crate) use held_back::{HeldBack, HeldBackOffers};
pub(crate) use host_keys::HostKeyNumbers;
pub(crate) use listed_cards::AS_CONFIGURED;
pub(crate) use moved::and_more;
pub(crate) use names::Unpublished;
pub(crate) use numbers::FreeNumbers;
#[cfg(test)]
pub(crate) use numbers::LOOKED;

use crate::cluster::answers_all::AnswersAll;
use crate::cluster::chatter::Chatter;
use crate::cluster::deaf::Deaf;
use crate::cluster::dynamic::Dynamics;
use crate::cluster::heard::Heard;
use crate::cluster::lease::Leases;
use crate::cluster::lease::PoolKind;
use crate::cluster::listed::Listed;
use crate::cluster::naming::Naming;
use crate::cluster::network;
use crate::cluster::node::{Firmware, Node, Nodes};
use crate::cluster::one_segment::{Segments, Word};
use crate::cluster::orders::Orders;
use crate::cluster::other_server::OtherServers;
use crate::cluster::phrases::Phrases;
use crate::cluster::pin::{Pin, Pins};
use crate::cluster::plan::{Plan, PlanRecord};
use crate::cluster::probe::Probes;
use crate::cluster::record::{
    BootRecord, LeaseRecord, NodeRecord, OrdersRecord, Record, TrialsRecord, VainRecord,
};
use crate::cluster::reservation::Reservations;
use crate::cluster::shadow::Exchange;
use crate::cluster::since::Since;
use crate::cluster::stage::{Phase, Stage};
use crate::cluster::strange_relay::StrangeRelays;
use crate::cluster::tenant::Tenants;
use crate::cluster::trial;
use crate::cluster::trouble::Beside;
use crate::cluster::unanswered::Unanswered;
use crate::cluster::written_names::WrittenNames;
use crate::config::{Config, Missing, Mode};
use crate::event::Kind;
use crate::load::{self, Regime};
use crate::mac::Mac;
use crate::message::{Answer, DhcpSend, Neighbour, Output, RequestId, Ticket};
use crate::promise::{Promise, Promises};
use crate::time::{Time, Wall};
use crate::timer::Timers;
use heorot_names::{Directory, FileHosts, HostsLine};
use siphasher::sip128::{Hasher128, SipHasher24};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};
use std::hash::Hasher;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

/// All that is known. It is rebuilt from the records at start; what is not in them may be forgotten.
#[derive(Debug)]
pub(crate) struct Hall {
    pub(crate) nodes: Nodes,
    /// What is said of many of them.
    pub(crate) phrases: Phrases,
    pub(crate) listed: Listed,
    pub(crate) reservations: Reservations,
    pub(crate) leases: Leases,
    /// When the last lease of a number's address ends, where that is later than of any that is granted now; by the place of the network in the configuration.
    pub(crate) longer_leases: BTreeMap<usize, Time>,
    /// Who has the addresses that are kept for hosts.
    pub(crate) tenants: Tenants,
    pub(crate) pins: Pins,
    /// What clients said of themselves.
    pub(crate) heard: Heard,
    pub(crate) promises: Promises,
    pub(crate) timers: Timers<Due>,
    /// Requests for an address that is being probed, in order: they are answered when that is over.
    pub(crate) deferred: BTreeMap<Ipv4Addr, Vec<Deferred>>,
    /// Addresses of which it was asked whether somebody has them.
    pub(crate) probes: Probes,
    /// Hosts whose answers to that mean nothing.
    pub(crate) answers_all: AnswersAll,
    /// Offers that are held back, because the link is full or their address is being probed.
    pub(crate) held_back: HeldBackOffers,
    /// Grants that wait for their records, by the ways by which they were asked for.
    pub(crate) granting: Granting,
    /// What clients said to everybody, and which interfaces have heard it.
    pub(crate) segments: Segments,
    /// Packets of clients whose address is another interface's, by the interface that has heard them: it is seen in a moment whether that one hears them too.
    pub(crate) copies_awaited: BTreeMap<(Mac, String), (Time, Word, Deferred)>,
    /// Exchanges with another server that we look on.
    pub(crate) shadows: BTreeMap<Mac, Exchange>,
    /// Hosts that asked for an address and got none.
    pub(crate) unanswered: Unanswered,
    /// What was told in this minute of whom.
    pub(crate) chatter: Chatter,
    /// Those that get no answer because the operator says so.
    pub(crate) ignored: Unanswered,
    /// Relays that are in no network.
    pub(crate) strange_relays: StrangeRelays,
    /// DHCP servers that answer where we serve.
    pub(crate) other_servers: OtherServers,
    /// The links to the networks, and how each is used.
    pub(crate) links: load::Settings,
    pub(crate) regimes: BTreeMap<usize, Regime>,
    /// Packets that were not what they should be, by what was wrong.
    pub(crate) malformed: BTreeMap<&'static str, u64>,
    /// What the store said when it last refused a record; nothing since it last accepted one.
    pub(crate) store_trouble: Option<String>,
    /// Interfaces by which nobody is heard: they are gone, and will be back, or cannot be served, for this reason.
    pub(crate) gone: BTreeMap<String, Option<String>>,
    /// Interfaces that are served and hear nobody, and since when.
    pub(crate) deaf: BTreeMap<String, (Time, Deaf)>,
    /// Addresses of this host, whether a network is told of them or not: as many as its interfaces have.
    pub(crate) own_addresses: BTreeSet<Ipv4Addr>,
    /// Addresses that interfaces lack: at most one for each network.
    pub(crate) missing: Vec<Missing>,
    pub(crate) started: Time,
    /// Who was not served last because the table of nodes was full, and when.
    pub(crate) turned_away: Option<(Mac, Time)>,
    /// File systems that do not answer, by where they are below the boot directory: what each is, and how to find out why.
    pub(crate) held_up_files: BTreeMap<String, String>,
    /// Where a line is put together ([`Turn::line`]).
    pub(crate) line: String,
    /// What the calendar said, and when. It stands in what people read, and nothing is decided by it.
    pub(crate) calendar: Option<(Time, Wall)>,
    /// From which tokens are made.
    pub(crate) secret: [u8; 16],
    pub(crate) boots: u64,
    /// Addresses of other servers where nobody was heard for long, and who had them last.
    pub(crate) lapsed: BTreeMap<Ipv4Addr, Mac>,
    /// What was in the way of hosts that are no nodes, and when that was told.
    pub(crate) told_of_hosts: BTreeMap<(Mac, String), Time>,
    /// What had no room in a machine's packets, and to which program of its, as it was told.
    pub(crate) left_out: BTreeMap<Mac, (Option<Firmware>, Vec<u8>)>,
    /// Names of hosts to which addresses are lent.
    pub(crate) naming: Naming,
    /// Names that the configuration gives.
    pub(crate) written_names: WrittenNames,
    /// The lines of files of hosts.
    pub(crate) hosts_lines: Arc<[HostsLine]>,
    /// What they say in the zone.
    pub(crate) files: Arc<FileHosts>,
    /// What names have by updates.
    pub(crate) dynamics: Dynamics,
    /// The plan of each profile as it is now, for machines that have no words of their own.
    pub(crate) plans: BTreeMap<String, Arc<Plan>>,
    /// An operator's change that is being recorded: the next one waits, so that each is reckoned from what is.
    pub(crate) changing: Option<Changing>,
    /// Which numbers are free.
    pub(crate) free: FreeNumbers,
    /// What of the names is to be published anew.
    pub(crate) unpublished: Unpublished,
    /// Which numbers have an SSH host key.
    pub(crate) host_keys: HostKeyNumbers,
    /// The names as they were published last.
    pub(crate) directory: Arc<Directory>,
}

/// An offer, and what is told of it.
#[derive(Debug)]
pub(crate) struct Offer {
    pub(crate) told: Arc<str>,
    pub(crate) send: DhcpSend,
}

/// What has to be looked at when its moment comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// The lease, offer or closure of an address.
    Address(Ipv4Addr),
    /// The neighbour entry of an address.
    Pin(Ipv4Addr),
    /// The grant of a machine's permanent address.
    Grant(Mac),
    /// The offer to a machine that was held back.
    Offer(Mac),
    /// A machine's exchange with another server.
    Shadow(Mac),
    /// What was asked about an address.
    Probe(Ipv4Addr),
    /// The silence of a node's agent.
    Silence(Mac),
    /// Hardware addresses that are to be published.
    HardwareAddresses,
    /// Lines that were left out of the journal.
    Chatter,
    /// What holds tokens, and waits for the store.
    Tokens,
    /// What a machine said, which another interface may have heard too.
    Copy(Mac),
    /// Leases that end later than any that the configuration gives by now.
    LongerLeases,
}

impl Due {
    /// Kind and what it concerns, as one number.
    fn number(self) -> u64 {
        let (kind, what) = match self {
            Self::Address(address) => (0, u64::from(address.to_bits())),
            Self::Pin(address) => (1, u64::from(address.to_bits())),
            Self::Grant(mac) => (2, mac.number()),
            Self::Offer(mac) => (3, mac.number()),
            Self::Shadow(mac) => (4, mac.number()),
            Self::Probe(address) => (5, u64::from(address.to_bits())),
            Self::Silence(mac) => (6, mac.number()),
            Self::HardwareAddresses => (7, 0),
            Self::Chatter => (8, 0),
            Self::Tokens => (9, 0),
            Self::Copy(mac) => (10, mac.number()),
            Self::LongerLeases => (11, 0),
        };
        kind << 48 | what
    }
}

/// First by kind, then by what it concerns. Every packet searches the timers several times, of which there are some for each machine: one number is compared faster than a kind
/// and then what belongs to it.
impl Ord for Due {
    fn cmp(&self, other: &Self) -> Ordering {
        self.number().cmp(&other.number())
    }
}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// One input being handled: a moment, what the operator wants, what is known, and what is to be done.
pub(crate) struct Turn<'a> {
    pub(crate) now: Time,
    pub(crate) config: &'a Config,
    pub(crate) hall: &'a mut Hall,
    pub(crate) out: &'a mut Vec<Output>,
}

impl Turn<'_> {
    /// Counts a packet that is not what it should be. Nothing else comes of it.
    pub(crate) fn malformed(&mut self, word: &'static str) {
        *self.hall.malformed.entry(word).or_default() += 1;
    }

    /// A line for people, in one piece of memory for all who keep it.
    pub(crate) fn line(&mut self, words: fmt::Arguments<'_>) -> Arc<str> {
        self.hall.line.clear();
        // A String takes whatever is written.
        let _ = self.hall.line.write_fmt(words);
        self.hall.phrases.shared(self.hall.line.as_str())
    }

    /// Proposes a record. A promise that is made after it waits for it, unless it is history.
    pub(crate) fn record(&mut self, record: Record) -> Ticket {
        let ticket = self.hall.promises.next_ticket(record.is_awaited());
        self.out.push(Output::Record(ticket, record));
        ticket
    }

    /// Fulfils a promise as soon as what was recorded so far and is more than history is durable: at once, if it is.
    pub(crate) fn promise(&mut self, promise: Promise) {
        if let Some(promise) = self.hall.promises.wait(self.now, promise) {
            promise.fulfil(self);
        }
    }

    /// The same for what holds the token of a machine's boot. Where the store hangs it waits no longer: a client that repeats itself waits for the answer to its first request, and some
    /// give up for good before any disk comes back.
    pub(crate) fn promise_token(&mut self, id: RequestId, answer: Answer) {
        self.promise(Promise::Token { id, answer });
        self.watch_store();
    }

    fn watch_store(&mut self) {
        if let Some(from) = self.hall.promises.stuck_from() {
            self.hall.timers.arm(from, Due::Tokens);
        }
    }

    /// Looks whether the store hangs, and lets go what need not wait for it then.
    pub(crate) fn give_up_tokens(&mut self) {
        if self.hall.promises.are_stuck(self.now) {
            for promise in self.hall.promises.give_up_tokens() {
                promise.fulfil(self);
            }
        } else if self.hall.promises.keep_tokens_waiting() {
            self.watch_store();
        }
    }

    /// The machine that has this address now: by number, by loan, or as it has taken an offer for that.
    pub(crate) fn machine_at(&self, address: Ipv4Addr) -> Option<Mac> {
        let lent = self.hall.leases.get(address).map(|lease| lease.mac);
        let user = lent.or_else(|| self.hall.leases.taken(address));
        user.or_else(|| {
            let number = network::number_at(self.config, address)?;
            let mac = self.hall.nodes.holder(number)?;
            self.hall.nodes.get(mac).filter(|node| node.number == Some(number)).map(|node| node.mac)
        })
    }

    /// A sign of life from an address.
    pub(crate) fn alive(&mut self, address: Ipv4Addr) {
        self.hall.leases.alive(self.now, address);
        self.hall.pins.alive(self.now, address);
    }

    /// Sets the neighbour entry of a machine in mid-boot that is on our link.
    pub(crate) fn pin(&mut self, address: Ipv4Addr, mac: Mac) {
        let mut on_link = self.config.networks.iter().filter(|network| network.on_link);
        let Some(settings) = on_link.find(|network| network.contains(address)) else { return };
        let before = self.hall.pins.get(address).filter(|old| old.mac == mac);
        let (is_new, download) = (before.is_none(), before.and_then(|old| old.download));
        let pin = Pin { interface: settings.interface.clone(), mac, life: self.now, download };
        let until = pin.stands_until();
        if self.hall.pins.set(address, pin) && is_new {
            let interface = settings.interface.clone();
            self.out.push(Output::Neighbour(Neighbour::Set { interface, address, mac }));
            self.hall.timers.arm(until, Due::Pin(address));
        }
    }

    /// Sets all neighbour entries of an interface again.
    pub(crate) fn pin_again(&mut self, interface: &str) {
        for (address, pin) in self.hall.pins.iter().filter(|(_, pin)| pin.interface == interface) {
            let set = Neighbour::Set { interface: pin.interface.clone(), address, mac: pin.mac };
            self.out.push(Output::Neighbour(set));
        }
    }

    /// Drops the neighbour entry of an address, if there is one.
    pub(crate) fn unpin(&mut self, address: Ipv4Addr) {
        if let Some(pin) = self.hall.pins.remove(address) {
            self.out.push(Output::Neighbour(Neighbour::Drop { interface: pin.interface, address }));
        }
    }

    /// Records a loan as it is, with the name that is kept for it.
    pub(crate) fn keep_loan(&mut self, address: Ipv4Addr) {
        if let Some(record) = self.loan_record(address) {
            self.record(Record::Lease(record));
        }
    }

    /// What is kept of a loan.
    fn loan_record(&self, address: Ipv4Addr) -> Option<LeaseRecord> {
        let lease = self.hall.leases.get(address)?;
        Some(LeaseRecord {
            address,
            mac: lease.mac,
            name: self.hall.naming.name(address).map(str::to_owned),
            is_guest: lease.pool.kind == PoolKind::Guest,
            of_host: lease.pool.kind == PoolKind::Number && self.hall.tenants.was(address, lease.mac),
            of_number: lease.pool.kind == PoolKind::Number,
            is_elsewhere: lease.pool.kind == PoolKind::Elsewhere,
            lease_seconds: Some(lease.length.as_secs()),
            is_left: false,
        })
    }

    /// The permanent address of a machine on a network, if its number lives there. As long as it is lent to another one, from a range that was there before, it is not to be had.
    pub(crate) fn permanent_address(&self, mac: Mac, place: usize) -> Option<Ipv4Addr> {
        let node = self.hall.nodes.get(mac)?;
        let settings = &self.config.networks[place];
        // Where another server gives the addresses, it alone knows who has which.
        let address = settings.numbering.address(node.number?).filter(|_| settings.mode != Mode::Proxy)?;
        self.lent_to_another(mac, address).is_none().then_some(address)
    }

    /// The other machine to which an address is lent, or that has taken an offer for it.
    pub(crate) fn lent_to_another(&self, mac: Mac, address: Ipv4Addr) -> Option<Mac> {
        let leases = &self.hall.leases;
        let user = leases.get(address).map(|lease| lease.mac).or_else(|| leases.taken(address))?;
        let (identity, borrower) = (self.hall.nodes.identity(mac), self.hall.nodes.identity(user));
        (borrower != identity).then_some(borrower)
    }

    /// The address that a machine has on a network by its number, or that another server gave it there.
    pub(crate) fn settled_address(&self, mac: Mac, place: usize) -> Option<Ipv4Addr> {
        let lent = || self.address_elsewhere(self.hall.nodes.get(mac)?, place);
        self.permanent_address(mac, place).or_else(lent)
    }

    /// How the link is used by which a network is reached.
    pub(crate) fn regime(&self, place: usize) -> Regime {
        let link = self.hall.links.link_to(self.config.networks[place].address);
        self.hall.regimes.get(&link).copied().unwrap_or_default()
    }

    /// Tells a machine what it is offered.
    pub(crate) fn offer(&mut self, mac: Mac, Offer { told, send }: Offer) {
        if let Some(node) = self.hall.nodes.get_mut(mac) {
            node.is_told(self.now, told.clone());
            // Beside another server it is that one's offers which are taken.
            let network = node.network.and_then(|place| self.config.networks.get(place));
            if network.is_some_and(|network| network.mode == Mode::Serve) {
                self.offered(mac);
            }
        }
        self.event(Some(mac), Kind::Offer, told);
        self.out.push(Output::Dhcp(send));
    }

    /// Records what was promised to a node. What an operator's change makes of its number is on its way to the disk already, and must not be written over.
    pub(crate) fn keep_node(&mut self, mac: Mac) {
        let Some(node) = self.hall.nodes.get_mut(mac) else { return };
        if let Some(becoming) = &mut node.becoming {
            becoming.is_stale = true;
            return;
        }
        let number = node.claim.or(node.number);
        self.keep_node_with(mac, number);
    }

    /// The same, where it is to have this number and no other.
    pub(crate) fn keep_node_with(&mut self, mac: Mac, number: Option<u32>) {
        let Some(node) = self.hall.nodes.get(mac) else { return };
        let record = NodeRecord {
            mac: node.mac,
            further_macs: node.further_macs.clone(),
            granted_to: node.granted_to.filter(|mac| *mac != node.mac),
            number,
            facts: node.facts.clone(),
        };
        self.record(Record::Node(record));
        if let Some(node) = self.hall.nodes.get_mut(mac) {
            node.is_kept = true;
        }
    }

    /// Records a machine's last trials, and how often it was tried in this boot.
    pub(crate) fn keep_trials(&mut self, mac: Mac) {
        let Some(node) = self.hall.nodes.get(mac) else { return };
        let record = TrialsRecord { mac: node.mac, trials: node.trials.clone() };
        self.record(Record::Trials(record));
        self.keep_boot(mac);
    }

    /// What the calendar says now, in seconds since 1970.
    pub(crate) fn calendar_seconds(&self) -> Option<u64> {
        let (then, Wall(nanoseconds)) = self.hall.calendar?;
        Some(nanoseconds / 1_000_000_000 + self.now.since(then).as_secs())
    }

    /// Records how far a boot is. A machine that was merely seen leaves no trace on disk, unless it was tried, nor does one that is merely seen again; and of one that has just got its first
    /// temporary address the lease's record says all: its token is in no file yet.
    pub(crate) fn keep_boot(&mut self, mac: Mac) {
        let Some(node) = self.hall.nodes.get_mut(mac) else { return };
        if node.stage == Stage::Seen && node.trials.is_empty() {
            return self.forget_boot(mac);
        }
        let is_told_by_lease = node.stage == Stage::Temporary && node.phase == Some(Phase::Dhcp);
        if node.is_recorded || !is_told_by_lease {
            self.keep_boot_with(mac, false);
        }
    }

    /// Makes the token of a machine's boot durable, so that it may leave. False: its record is on its way, and what is promised from now on waits for that.
    pub(crate) fn keep_token(&mut self, mac: Mac) -> bool {
        let Some(node) = self.hall.nodes.get(mac) else { return true };
        match node.boot.kept {
            Some(ticket) if ticket <= self.hall.promises.last_decided() => return true,
            Some(ticket) if self.hall.promises.is_awaited(ticket) => {}
            Some(_) | None => self.keep_boot_with(mac, true),
        }
        false
    }

    fn keep_boot_with(&mut self, mac: Mac, is_awaited: bool) {
        let Some(node) = self.hall.nodes.get_mut(mac) else { return };
        node.is_recorded = true;
        let record = BootRecord {
            mac: node.mac,
            token: node.boot.token.clone(),
            stage: node.stage,
            at_seconds: node.since.seconds(self.hall.calendar),
            phase: node.phase,
            reason: node.reason.clone(),
            profile: node.boot.profile.clone(),
            tries: node.boot.tries,
            checks: (node.stage == Stage::Failed).then(|| trial::digest(&self.config.trial.checks)),
            checks_in: node.boot.checks_in,
            is_bootp: node.boot.is_bootp,
            doubt: node.boot.doubt.as_deref().cloned(),
            last_end: node.last_end.as_deref().cloned(),
            agent_says: node.beside.get(&Beside::Agent).cloned(),
            vain: node.vain.as_ref().map(|vain| VainRecord {
                boots: vain.boots,
                at_seconds: vain.since.seconds(self.hall.calendar),
                phase: vain.phase,
                troubles: vain.troubles.clone(),
            }),
            machine: node.boot.machine,
            // Whoever is up has loaded all.
            plan: node.boot.plan.as_deref().filter(|_| !is_over(node.stage)).map(PlanRecord::from),
            is_awaited,
        };
        let ticket = self.record(Record::Boot(Box::new(record)));
        if let Some(node) = self.hall.nodes.get_mut(mac) {
            node.boot.kept.get_or_insert(ticket);
        }
    }

    /// Records what an operator decided about a machine.
    pub(crate) fn keep_orders(&mut self, mac: Mac) {
        let Some(node) = self.hall.nodes.get(mac) else { return };
        let record = self.orders_record(node, node.orders.clone());
        self.record(Record::Orders(record));
    }

    /// What is kept of an operator's decisions about a machine, which are these from now on.
    pub(crate) fn orders_record(&self, node: &Node, orders: Orders) -> OrdersRecord {
        let is_as_before = node.orders.exclusion() == orders.exclusion();
        let since = if is_as_before { node.kept_since } else { Since::now(self.now) };
        let at_seconds = orders.standing.as_ref().and_then(|_| since.seconds(self.hall.calendar));
        OrdersRecord { mac: node.mac, orders, at_seconds }
    }

    /// 128 bits that nobody can guess, as 32 digits.
    pub(crate) fn token(&mut self, mac: Mac) -> String {
        self.hall.boots += 1;
        let mut hasher = SipHasher24::new_with_key(&self.hall.secret);
        hasher.write(&mac.0);
        hasher.write(&self.now.as_nanoseconds().to_le_bytes());
        hasher.write(&self.hall.boots.to_le_bytes());
        format!("{:032x}", hasher.finish128().as_u128())
    }
}

/// Less than a second is held for one.
fn whole_seconds(left: Duration) -> u64 {
    left.as_secs() + u64::from(left.subsec_nanos() > 0)
}

/// Whether nothing more is loaded in a boot.
fn is_over(stage: Stage) -> bool {
    match stage {
        Stage::Up | Stage::Down => true,
        Stage::Seen | Stage::Temporary | Stage::Testing | Stage::Failed | Stage::Ready | Stage::Booting => {
            false
        }
    }
}
