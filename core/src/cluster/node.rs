//! The table of nodes: one entry a machine, found by hardware address, number or address.

mod cards;
mod delivery;
mod grants;
mod history;
mod named;
mod offers;
mod programs;
mod room;
mod tokens;

use super::last_end::LastEnd;
use super::orders::{Exclusion, Orders};
use super::plan::Plan;
use super::record::Ticket;
use super::secrets::Given;
use super::since::Since;
use super::stage::{Phase, Stage};
use super::trial::{Outcome, Trial};
use super::trouble::Beside;
pub use super::trouble::Trouble;
use super::vain::Vain;
use crate::config::FirmwareKind;
use crate::limit::{BOOT_BEGINS_AFTER, DISCOVER_LATE_MAX};
use crate::mac::Mac;
use crate::time::Time;
pub use delivery::{Delivery, Named, Way};
pub use grants::{Granted, Grants};
pub use history::History;
pub use offers::Offers;
pub use programs::{Firmware, Programs};
use room::Forgettable;
pub use room::Forgotten;
use serde_json::{Map, Value};
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokens::Tokens;

/// A machine, and all that is known of it. There are many thousands: what few of them have lies elsewhere, in a box.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The hardware address it was first seen with: its identity.
    pub mac: Mac,
    /// Its further hardware addresses.
    pub further_macs: Vec<Mac>,
    /// The network where it was last seen, by its place in the configuration.
    pub network: Option<usize>,
    /// Its number, once it is recorded.
    pub number: Option<u32>,
    /// The number that is being recorded for it.
    pub claim: Option<u32>,
    /// What an operator's change makes of its number, as long as that is being recorded.
    pub becoming: Option<Becoming>,
    /// Whether what an operator decided about it is being recorded: until that is known, it stays the machine that he meant.
    pub is_being_decided: bool,
    /// Whether it is known because an operator named it, and has not asked as nodes do since.
    pub is_named: bool,
    /// Where it is in its life.
    pub stage: Stage,
    /// How far its boot is.
    pub phase: Option<Phase>,
    /// Since when it is in its stage.
    pub since: Since,
    /// Why it is in its stage.
    pub reason: String,
    /// Its present or last boot.
    pub boot: Boot,
    /// What an operator decided about it.
    pub orders: Orders,
    /// Since when that keeps it from serving.
    pub kept_since: Since,
    /// What its trial found out.
    pub facts: Map<String, Value>,
    /// Its last trials, the oldest first.
    pub trials: Vec<Trial>,
    /// How its last system ended, if it said so.
    pub last_end: Option<Box<LastEnd>>,
    /// When its agent said last that its system runs.
    pub checked_in: Option<Time>,
    /// Until when its permanent addresses are granted to it.
    pub grants: Grants,
    /// Which of its hardware addresses got an address last, as far as is known.
    pub granted_to: Option<Mac>,
    /// What it asked last.
    pub asked: Option<Arc<str>>,
    /// When that was.
    pub asked_at: Option<Time>,
    /// What it was told last.
    pub told: Option<Arc<str>>,
    /// When that was.
    pub told_at: Option<Time>,
    /// What went wrong last and was not followed by progress, and what can be done about it.
    pub trouble: Option<Trouble>,
    /// What is wrong beside that.
    pub beside: BTreeMap<Beside, Trouble>,
    /// Its boots since the last that was heard to come up.
    pub vain: Option<Box<Vain>>,
    /// What it was offered in vain.
    pub offers: Offers,
    /// That it is not where the configuration has it, as the journal was told.
    pub misplaced: Option<String>,
    /// What happened to it.
    pub history: History,
    /// Whether it is durable that its number is nobody else's.
    pub number_kept: NumberKept,
    /// Whether a record says how far it got.
    pub is_recorded: bool,
    /// Whether a record says what was promised to it, though that may be nothing any more.
    pub is_kept: bool,
    /// Whether a record says that its secrets were given, in this boot or in an earlier one.
    pub is_secrets_kept: bool,
}

/// What becomes of a machine's number by an operator's change, once that is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Becoming {
    /// The number that it gets; none: it loses the one that it has.
    pub number: Option<u32>,
    /// Whether something else of it was to be recorded meanwhile: that is done when it is known what its number is.
    pub is_stale: bool,
}

/// Whether it is durable that a machine's number is nobody else's: where another one had it that is in no list, only the records say who has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberKept {
    /// Nobody else had it.
    Always,
    /// When this record is durable.
    When(Ticket),
    /// That was refused, and has to be recorded once more.
    Refused,
}

/// A boot, from power-on to the next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Boot {
    /// What lets the machine talk about itself; empty before its first boot.
    pub token: String,
    /// The first record that holds the token, unless it was refused.
    pub kept: Option<Ticket>,
    /// The file that it needs to go on, and that it was not given when it asked for it last.
    pub lacks: Option<String>,
    /// The file of that kind that is on its way to it.
    pub delivery: Option<Box<Delivery>>,
    /// What its firmware was told last to load.
    pub named: Option<Named>,
    /// Whether it has asked for a file, whichever and whatever came of it.
    pub has_asked: bool,
    /// When a system asked for its address first in this boot: its kernel runs.
    pub system_asked: Option<Time>,
    /// The file that it has loaded whole last, and when.
    pub loaded: Option<(Time, String)>,
    /// Whether it has loaded that twice, and nothing between: what it loaded first did not go on.
    pub is_loaded_again: bool,
    /// When what it had loaded last was heard: another file was asked for since, or an address by a system.
    pub went_on: Option<Time>,
    /// Which firmware has asked in this boot. ROM and loader are two.
    pub programs: Programs,
    /// The firmware that asked last, as far as it matters which files it is given.
    pub firmware_kind: Option<FirmwareKind>,
    /// The file that it was told of or asked for last: some ROMs then ask for a file without a name.
    pub file: Option<String>,
    /// The profile that its class gives it.
    pub profile: Option<String>,
    /// How often the machine was tried in this boot.
    pub tries: u32,
    /// When it was tried last, as far as is known.
    pub tried: Option<Time>,
    /// Whether its agent said that it will say now and then that its system runs.
    pub checks_in: bool,
    /// Whether it got its address by BOOTP last, and so for good.
    pub is_bootp: bool,
    /// What its firmware is, whichever way it loads.
    pub machine: Option<FirmwareKind>,
    /// Whether U-Boot asked in this boot.
    pub is_u_boot: bool,
    /// What it loads, fixed when it began.
    pub plan: Option<Arc<Plan>>,
    /// Whether the caller knows which files belong together.
    pub is_together: bool,
    /// Whether it began before this process did, so that what it has loaded is not known.
    pub is_resumed: bool,
    /// Whether its secrets were given.
    pub secrets: Option<Given>,
    /// That somebody was refused them. It is told once, and stands beside whatever else goes wrong until the next boot: nobody's packets are to hide it.
    pub refused_secrets: Option<Box<Trouble>>,
    /// That it is not believed at which place it is, so that it gets no number as a stranger either.
    pub doubt: Option<Box<Trouble>>,
    /// When it was told last of each thing that is not believed, as any user's program may have sent it.
    pub told_disbelieved: BTreeMap<Beside, Time>,
}

impl Node {
    /// A machine that nobody has seen before.
    pub fn new(now: Time, mac: Mac) -> Self {
        Self {
            mac,
            further_macs: Vec::new(),
            network: None,
            number: None,
            claim: None,
            becoming: None,
            is_being_decided: false,
            is_named: false,
            stage: Stage::Seen,
            phase: None,
            since: Since::now(now),
            reason: "it asked for the first time".into(),
            boot: Boot::default(),
            orders: Orders::default(),
            kept_since: Since::now(now),
            facts: Map::new(),
            trials: Vec::new(),
            last_end: None,
            checked_in: None,
            grants: Grants::default(),
            granted_to: None,
            asked: None,
            asked_at: None,
            told: None,
            told_at: None,
            trouble: None,
            beside: BTreeMap::new(),
            vain: None,
            offers: Offers::default(),
            misplaced: None,
            history: History::default(),
            number_kept: NumberKept::Always,
            is_recorded: false,
            is_kept: false,
            is_secrets_kept: false,
        }
    }

    /// Whether a DISCOVER from this firmware, or its REQUEST, begins another boot: it is the first ever, the system of the last one ran already,
    /// or the same firmware asked too long ago for this to be a repeat.
    ///
    /// A kernel has no way back to the firmware but a restart: a DISCOVER after it was asked for is another boot's, unless it was merely late. A REQUEST is not: EDK2 renews its lease while a
    /// loader loads. Nor is one of an iPXE that the machine's own firmware loaded, which would ask first.
    pub fn begins_boot(&self, now: Time, firmware: Firmware, is_discover: bool) -> bool {
        let in_mid_boot = match self.stage {
            Stage::Seen => true,
            Stage::Temporary | Stage::Booting => self.phase != Some(Phase::Agent),
            Stage::Testing | Stage::Failed | Stage::Ready | Stage::Up | Stage::Down => false,
        };
        let last = self.boot.programs.asked(firmware);
        let is_first = firmware != Firmware::Ipxe || self.boot.programs.count() == 1;
        let has_loaded = self.phase >= Some(Phase::Kernel) && is_first && is_discover;
        let repeats = if has_loaded { DISCOVER_LATE_MAX } else { BOOT_BEGINS_AFTER };
        let is_repeat = last.is_none_or(|last| now.since(last) <= repeats);
        self.boot.token.is_empty() || !in_mid_boot || !is_repeat
    }

    /// The hardware address by which it got its address last.
    pub fn present(&self) -> Mac {
        self.granted_to.unwrap_or(self.mac)
    }

    /// All its hardware addresses, the one that it is known by first.
    pub fn cards(&self) -> impl Iterator<Item = Mac> {
        std::iter::once(self.mac).chain(self.further_macs.iter().copied())
    }

    /// It renewed the lease of its permanent address. If its agent fell silent meanwhile, its lease tells from then on whether its system runs, until
    /// the agent is heard again.
    pub fn renewed(&mut self, now: Time) {
        match self.stage {
            Stage::Down => self.boot.checks_in = false,
            Stage::Up => self.checked_in = Some(now),
            Stage::Seen
            | Stage::Temporary
            | Stage::Testing
            | Stage::Failed
            | Stage::Ready
            | Stage::Booting => {}
        }
    }

    /// What it lacks, though it has its number: by its trial, or because an operator took it as it is.
    pub fn lacks(&self) -> Option<&str> {
        let is_degraded = |trial: &&Trial| self.number.is_some() && trial.outcome != Outcome::Passed;
        self.trials.last().filter(is_degraded).map(|trial| trial.why.as_str())
    }

    /// What is wrong: that somebody was refused its secrets, what went wrong last, and what is wrong beside that.
    pub fn troubles(&self) -> impl Iterator<Item = &Trouble> {
        self.boot.refused_secrets.as_deref().into_iter().chain(&self.trouble).chain(self.beside.values())
    }

    /// Whether its trial in this boot has it wait for its operator.
    pub fn waits_by_trial(&self) -> bool {
        let is_held = |trial: &Trial| trial.outcome == Outcome::Held;
        self.number.is_none() && self.boot.tries > 0 && self.trials.last().is_some_and(is_held)
    }

    /// Where it is in its life, in the word that users see: an operator's goes before its stage.
    pub fn state(&self) -> &'static str {
        self.orders.exclusion().map_or_else(|| self.stage.word(), Exclusion::word)
    }

    /// It asks something.
    pub fn asks(&mut self, now: Time, what: impl Into<Arc<str>>) {
        (self.asked, self.asked_at) = (Some(what.into()), Some(now));
    }

    /// It is told something.
    pub fn is_told(&mut self, now: Time, what: impl Into<Arc<str>>) {
        (self.told, self.told_at) = (Some(what.into()), Some(now));
    }

    /// Its number, or the one that it has as soon as that is recorded.
    pub fn promised(&self) -> Option<u32> {
        self.number.or(self.claim).or_else(|| self.becoming?.number)
    }
}

/// All nodes.
#[derive(Clone, Debug, Default)]
pub struct Nodes {
    /// In no order.
    #[expect(clippy::vec_box, reason = "they are large, and stay where they are while this grows")]
    nodes: Vec<Box<Node>>,
    /// The place of each among them.
    places: BTreeMap<Mac, usize>,
    /// Whose place was looked for last: a machine is looked up twenty times while one packet of its is answered.
    latest: Cell<Option<(Mac, usize)>>,
    /// Further hardware addresses, of whom.
    identities: BTreeMap<Mac, Mac>,
    /// Numbers that are given or being recorded, to whom.
    numbers: BTreeMap<u32, Mac>,
    /// Numbers that were somebody's until now, and of whom that was not told yet.
    returned: Vec<u32>,
    /// Machines that can be forgotten when the table is full.
    forgettable: Forgettable,
    /// Machines that failed and whose addresses were taken back: they can be forgotten when there is nobody else.
    given_up: Forgettable,
    /// Further hardware addresses that are being recorded.
    joining: BTreeSet<Mac>,
    /// Whose the tokens are.
    tokens: Tokens,
}

impl Nodes {
    /// The machine with this hardware address, its first or a further one.
    pub fn get(&self, mac: Mac) -> Option<&Node> {
        Some(&self.nodes[self.place(mac)?])
    }

    /// The same, to change all but identity, number and token.
    pub fn get_mut(&mut self, mac: Mac) -> Option<&mut Node> {
        let place = self.place(mac)?;
        Some(&mut self.nodes[place])
    }

    /// The place of a machine. It is remembered until a machine gets another place or another name.
    fn place(&self, mac: Mac) -> Option<usize> {
        if let Some((_, place)) = self.latest.get().filter(|(latest, _)| *latest == mac) {
            return Some(place);
        }
        let place = self.places.get(&self.identity(mac)).copied()?;
        self.latest.set(Some((mac, place)));
        Some(place)
    }

    /// Takes in a machine that was not there.
    fn insert(&mut self, node: Node) -> usize {
        let place = self.nodes.len();
        self.places.insert(node.mac, place);
        self.nodes.push(Box::new(node));
        place
    }

    /// The hardware address by which a machine is known.
    pub fn identity(&self, mac: Mac) -> Mac {
        self.identities.get(&mac).copied().unwrap_or(mac)
    }

    /// Whose number this is, or will be as soon as it is recorded.
    pub fn holder(&self, number: u32) -> Option<Mac> {
        self.numbers.get(&number).copied()
    }

    /// Puts back a machine that was known before a restart.
    pub fn restore(&mut self, node: Node) {
        self.latest.set(None);
        for further in &node.further_macs {
            self.identities.insert(*further, node.mac);
        }
        if let Some(number) = node.number {
            self.numbers.insert(number, node.mac);
        }
        if let Some(before) = self.get(node.mac) {
            self.tokens.changes(before.mac, &before.boot.token.clone(), "");
        }
        self.tokens.changes(node.mac, "", &node.boot.token);
        match self.places.get(&node.mac).copied() {
            Some(place) => *self.nodes[place] = node,
            None => drop(self.insert(node)),
        }
    }

    /// Joins further hardware addresses to a machine; those that are another machine's already stay its.
    pub fn join(&mut self, mac: Mac, further: &[Mac]) {
        self.latest.set(None);
        for further in further {
            let is_own = *further == mac || self.places.contains_key(further);
            if is_own || self.identities.contains_key(further) {
                continue;
            }
            if let Some(node) = self.get_mut(mac) {
                node.further_macs.push(*further);
                self.identities.insert(*further, mac);
            }
        }
    }

    /// Joins hardware addresses that a machine was found to have, up to so many: those that were found earlier and not this time give way, if they are not to stay.
    pub fn join_found(&mut self, mac: Mac, found: &[Mac], most: usize, stays: impl Fn(Mac) -> bool) {
        self.latest.set(None);
        for further in found {
            let is_somebodys = self.places.contains_key(further) || self.identities.contains_key(further);
            let Some(node) = self.get_mut(mac).filter(|_| !is_somebodys) else { continue };
            if node.further_macs.len() >= most {
                let is_gone = |known: &Mac| !found.contains(known) && !stays(*known);
                let Some(gone) = node.further_macs.iter().position(is_gone) else { return };
                let gone = node.further_macs.remove(gone);
                self.identities.remove(&gone);
                self.joining.remove(&gone);
                self.latest.set(None);
            }
            self.join(mac, &[*further]);
        }
    }

    /// Joins one more hardware address to a machine, which may have so many: the one that was joined first is forgotten for it. It is the machine's
    /// as soon as that is recorded. Whether it was to be had.
    pub fn join_latest(&mut self, mac: Mac, further: Mac, most: usize) -> bool {
        if self.places.contains_key(&further) || self.identities.contains_key(&further) {
            return false;
        }
        let Some(node) = self.get_mut(mac) else { return false };
        if node.further_macs.len() >= most {
            let forgotten = node.further_macs.remove(0);
            self.latest.set(None);
            self.identities.remove(&forgotten);
            self.joining.remove(&forgotten);
        }
        self.join(mac, &[further]);
        self.joining.insert(further)
    }

    /// Whether it is still being recorded that a hardware address is a machine's.
    pub fn is_joining(&self, further: Mac) -> bool {
        self.joining.contains(&further)
    }

    /// It is recorded that a hardware address is a machine's.
    pub fn joined(&mut self, further: Mac) {
        self.joining.remove(&further);
    }

    /// It could not be recorded that a hardware address is a machine's: it is not.
    pub fn part(&mut self, further: Mac) {
        self.latest.set(None);
        if self.joining.remove(&further)
            && let Some(mac) = self.identities.remove(&further)
            && let Some(node) = self.get_mut(mac)
        {
            node.further_macs.retain(|known| *known != further);
        }
    }

    /// Reserves a number for a machine while it is recorded. Whether it was to be had.
    pub fn claim(&mut self, mac: Mac, number: u32) -> bool {
        if self.numbers.contains_key(&number) {
            return false;
        }
        let Some(node) = self.get_mut(mac) else { return false };
        if node.claim.or(node.number).is_some() || node.becoming.is_some() {
            return false;
        }
        node.claim = Some(number);
        self.numbers.insert(number, mac);
        true
    }

    /// The claim is recorded: the number is the machine's from now on. Which number it was.
    pub fn settle(&mut self, mac: Mac) -> Option<u32> {
        let node = self.get_mut(mac)?;
        let number = node.claim.take()?;
        node.number = Some(number);
        Some(number)
    }

    /// The claim could not be recorded: the number is free again.
    pub fn renounce(&mut self, mac: Mac) {
        if let Some(number) = self.get_mut(mac).and_then(|node| node.claim.take()) {
            self.vacate(number);
        }
    }

    /// Keeps a free number for a machine, which may have another one, while it is recorded that it is to have it. It gets no other meanwhile.
    pub fn reserve(&mut self, mac: Mac, number: u32) {
        self.numbers.entry(number).or_insert(mac);
        self.becomes(mac, Some(number));
    }

    /// It is being recorded that a machine has another number, or none any more.
    pub fn becomes(&mut self, mac: Mac, number: Option<u32>) {
        if let Some(node) = self.get_mut(mac) {
            node.becoming = Some(Becoming { number, is_stale: false });
        }
    }

    /// That is recorded, or never will be. Whether something else of the machine was to be recorded meanwhile.
    pub fn became(&mut self, mac: Mac) -> bool {
        let becoming = self.get_mut(mac).and_then(|node| node.becoming.take());
        becoming.is_some_and(|becoming| becoming.is_stale)
    }

    /// It could not be recorded.
    pub fn give_up(&mut self, mac: Mac, number: u32) {
        let is_its = self.get(mac).is_some_and(|node| node.number.or(node.claim) == Some(number));
        if !is_its && self.holder(number) == Some(mac) {
            self.vacate(number);
        }
    }

    /// It is recorded that a number is a machine's, whoever had it, and whatever it had itself.
    pub fn give(&mut self, mac: Mac, number: u32) {
        if let Some(other) = self.holder(number).filter(|holder| *holder != mac) {
            self.strip(other);
        }
        self.strip(mac);
        if let Some(node) = self.get_mut(mac) {
            node.number = Some(number);
            self.numbers.insert(number, mac);
        }
    }

    /// Takes its number from a machine: it is free again.
    pub fn strip(&mut self, mac: Mac) {
        let Some(node) = self.get_mut(mac) else { return };
        let numbers = [node.number.take(), node.claim.take()];
        for number in numbers.into_iter().flatten() {
            self.vacate(number);
        }
    }

    fn vacate(&mut self, number: u32) {
        self.numbers.remove(&number);
        self.returned.push(number);
    }

    /// Numbers that were somebody's until now: each once.
    pub fn returned(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.returned)
    }

    /// Records after this one were refused: tokens that are in them alone are not kept, and numbers that were taken from others are not.
    pub fn records_refused(&mut self, after: Ticket) {
        for node in &mut self.nodes {
            node.boot.kept = node.boot.kept.filter(|ticket| *ticket <= after);
            if matches!(node.number_kept, NumberKept::When(ticket) if ticket > after) {
                node.number_kept = NumberKept::Refused;
            }
        }
    }

    /// All nodes: those with a number first and in its order, then by hardware address.
    pub fn iter(&self) -> impl Iterator<Item = &Node> {
        let at = |place: &usize| &*self.nodes[*place];
        // A number that is kept for a machine with another one is not yet its place.
        let is_its = |(number, node): &(u32, &Node)| node.number.or(node.claim) == Some(*number);
        let held =
            self.numbers.iter().filter_map(move |(number, mac)| Some((*number, at(self.places.get(mac)?))));
        let numbered = held.filter(is_its).map(|(_, node)| node);
        let others = self.places.values().map(at);
        let is_listed_by_number = |node: &Node| node.number.or(node.claim).is_some();
        numbered.chain(others.filter(move |node| !is_listed_by_number(node)))
    }
}

#[cfg(test)]
mod tests;
