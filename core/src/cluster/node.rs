//! The table of nodes: one entry a machine, found by hardware address, number or address.

use super::stage::{Phase, Stage};
use crate::config::FirmwareKind;
use crate::event::Kind;
use crate::limit::{BOOT_BEGINS_AFTER, EVENTS_PER_NODE_MAX, NODES_MAX};
use crate::mac::Mac;
use crate::time::Time;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A machine, and all that is known of it.
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
    /// Where it is in its life.
    pub stage: Stage,
    /// How far its boot is.
    pub phase: Option<Phase>,
    /// Since when it is in its stage.
    pub since: Time,
    /// Why it is in its stage.
    pub reason: String,
    /// Its present or last boot.
    pub boot: Boot,
    /// What its trial found out.
    pub facts: Map<String, Value>,
    /// Until when its permanent address is granted to it.
    pub granted_until: Option<Time>,
    /// What it asked last.
    pub asked: Option<String>,
    /// What it was told last.
    pub told: Option<String>,
    /// What went wrong last and was not followed by progress, and what can be done about it.
    pub trouble: Option<Trouble>,
    /// What happened to it, the oldest first.
    pub history: VecDeque<(Time, Kind, String)>,
    /// Whether a record says how far it got.
    pub is_recorded: bool,
}

/// What went wrong, and the remedy if there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// In words.
    pub what: String,
    /// What the operator can do.
    pub to_do: Option<String>,
}

/// A boot, from power-on to the next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Boot {
    /// What lets the machine talk about itself; empty before its first boot.
    pub token: String,
    /// When each firmware asked last in this boot. ROM and loader are two.
    pub firmware: BTreeMap<Firmware, Time>,
    /// The firmware that asked last, as far as it matters which files it is given.
    pub firmware_kind: Option<FirmwareKind>,
    /// The file that it was told of or asked for last: some ROMs then ask for a file without a name.
    pub file: Option<String>,
    /// The profile that its class gives it.
    pub profile: Option<String>,
}

/// Programs that ask for an address before there is an operating system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Firmware {
    /// The machine's own, by PXE.
    Pxe,
    /// The machine's own, by HTTP.
    Http,
    /// iPXE, from ROM or loaded.
    Ipxe,
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
            stage: Stage::Seen,
            phase: None,
            since: now,
            reason: "it asked for the first time".into(),
            boot: Boot::default(),
            facts: Map::new(),
            granted_until: None,
            asked: None,
            told: None,
            trouble: None,
            history: VecDeque::new(),
            is_recorded: false,
        }
    }

    /// Whether a DISCOVER from this firmware begins another boot: it is the first ever, the system of the last one ran already,
    /// or the same firmware asked too long ago for this to be a repeat.
    pub fn begins_boot(&self, now: Time, firmware: Firmware) -> bool {
        let in_mid_boot = match self.stage {
            Stage::Seen => true,
            Stage::Temporary | Stage::Booting => self.phase != Some(Phase::Agent),
            Stage::Testing | Stage::Failed | Stage::Ready | Stage::Up | Stage::Down => false,
        };
        let last = self.boot.firmware.get(&firmware);
        let is_repeat = last.is_none_or(|last| now.since(*last) <= BOOT_BEGINS_AFTER);
        self.boot.token.is_empty() || !in_mid_boot || !is_repeat
    }

    /// Keeps an event for `explain`; the oldest gives way.
    pub fn remember(&mut self, now: Time, kind: Kind, detail: String) {
        if self.history.len() == EVENTS_PER_NODE_MAX {
            self.history.pop_front();
        }
        self.history.push_back((now, kind, detail));
    }

    /// Nothing was promised to it: it can be forgotten when the table is full.
    fn is_forgettable(&self) -> bool {
        self.number.is_none() && self.claim.is_none() && self.stage == Stage::Seen
    }
}

/// All nodes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Nodes {
    nodes: BTreeMap<Mac, Node>,
    /// Further hardware addresses, of whom.
    identities: BTreeMap<Mac, Mac>,
    /// Those of them that are being recorded.
    joining: BTreeSet<Mac>,
    /// Numbers that are given or being recorded, to whom.
    numbers: BTreeMap<u32, Mac>,
    /// Machines that can be forgotten, the longest unseen first.
    forgettable: BTreeSet<(Time, Mac)>,
}

impl Nodes {
    /// The machine with this hardware address, its first or a further one.
    pub fn get(&self, mac: Mac) -> Option<&Node> {
        self.nodes.get(&self.identity(mac))
    }

    /// The same, to change all but identity and number.
    pub fn get_mut(&mut self, mac: Mac) -> Option<&mut Node> {
        self.nodes.get_mut(&self.identity(mac))
    }

    /// The hardware address by which a machine is known.
    pub fn identity(&self, mac: Mac) -> Mac {
        self.identities.get(&mac).copied().unwrap_or(mac)
    }

    /// Whose number this is, or will be as soon as it is recorded.
    pub fn holder(&self, number: u32) -> Option<Mac> {
        self.numbers.get(&number).copied()
    }

    /// The numbers that nobody holds, from one on, lowest first.
    pub fn free_from(&self, lowest: u32) -> impl Iterator<Item = u32> {
        let mut taken = self.numbers.range(lowest..).map(|(number, _)| *number).peekable();
        (lowest..=u32::MAX).filter(move |number| taken.next_if_eq(number).is_none())
    }

    /// The machine with this hardware address, new if need be. Also which one had to be forgotten for it.
    /// None: the table is full of machines that something was promised to.
    pub fn meet(&mut self, now: Time, mac: Mac) -> Option<(&mut Node, Option<Mac>)> {
        let mac = self.identity(mac);
        let mut forgotten = None;
        if !self.nodes.contains_key(&mac) {
            if self.nodes.len() >= NODES_MAX {
                forgotten = Some(self.forget_oldest()?);
            }
            self.forgettable.insert((now, mac));
        }
        Some((self.nodes.entry(mac).or_insert_with(|| Node::new(now, mac)), forgotten))
    }

    /// Puts back a machine that was known before a restart.
    pub fn restore(&mut self, node: Node) {
        for further in &node.further_macs {
            self.identities.insert(*further, node.mac);
        }
        if let Some(number) = node.number {
            self.numbers.insert(number, node.mac);
        }
        self.nodes.insert(node.mac, node);
    }

    /// Takes note that nothing is promised to a machine any more, if so: it can be forgotten when the table is full.
    pub fn let_go(&mut self, now: Time, mac: Mac) {
        if self.nodes.get(&mac).is_some_and(Node::is_forgettable) {
            self.forgettable.insert((now, mac));
        }
    }

    /// Joins further hardware addresses to a machine; those that are another machine's already stay its.
    pub fn join(&mut self, mac: Mac, further: &[Mac]) {
        for further in further {
            let is_own = *further == mac || self.nodes.contains_key(further);
            if is_own || self.identities.contains_key(further) {
                continue;
            }
            if let Some(node) = self.nodes.get_mut(&mac) {
                node.further_macs.push(*further);
                self.identities.insert(*further, mac);
            }
        }
    }

    /// Joins one more hardware address to a machine while it is recorded. The machine may have so many: the one that was joined first is forgotten for it.
    /// Whether it is the machine's now.
    pub fn join_latest(&mut self, mac: Mac, further: Mac, most: usize) -> bool {
        if let Some(node) = self.nodes.get_mut(&mac)
            && node.further_macs.len() >= most
        {
            let forgotten = node.further_macs.remove(0);
            self.identities.remove(&forgotten);
        }
        self.join(mac, &[further]);
        let is_joined = self.identity(further) == mac;
        if is_joined {
            self.joining.insert(further);
        }
        is_joined
    }

    /// Whether it is not durable yet that this hardware address is its machine's.
    pub fn is_joining(&self, further: Mac) -> bool {
        self.joining.contains(&further)
    }

    /// It is durable.
    pub fn joined(&mut self, further: Mac) {
        self.joining.remove(&further);
    }

    /// It could not be recorded: this hardware address is nobody's again.
    pub fn part(&mut self, further: Mac) {
        self.joining.remove(&further);
        if let Some(mac) = self.identities.remove(&further)
            && let Some(node) = self.nodes.get_mut(&mac)
        {
            node.further_macs.retain(|mac| *mac != further);
        }
    }

    /// Reserves a number for a machine while it is recorded. Whether it was to be had.
    pub fn claim(&mut self, mac: Mac, number: u32) -> bool {
        if self.numbers.contains_key(&number) {
            return false;
        }
        let Some(node) = self.nodes.get_mut(&mac) else { return false };
        if node.claim.or(node.number).is_some() {
            return false;
        }
        node.claim = Some(number);
        self.numbers.insert(number, mac);
        true
    }

    /// The claim is recorded: the number is the machine's from now on. Which number it was.
    pub fn settle(&mut self, mac: Mac) -> Option<u32> {
        let node = self.nodes.get_mut(&mac)?;
        let number = node.claim.take()?;
        node.number = Some(number);
        Some(number)
    }

    /// The claim could not be recorded: the number is free again.
    pub fn renounce(&mut self, mac: Mac) {
        if let Some(number) = self.nodes.get_mut(&mac).and_then(|node| node.claim.take()) {
            self.numbers.remove(&number);
        }
    }

    /// All nodes: those with a number first and in its order, then by hardware address.
    pub fn iter(&self) -> impl Iterator<Item = &Node> {
        let numbered = self.numbers.values().filter_map(|mac| self.nodes.get(mac));
        let others = self.nodes.values();
        let is_listed_by_number = |node: &Node| node.number.or(node.claim).is_some();
        numbered.chain(others.filter(move |node| !is_listed_by_number(node)))
    }

    /// Takes out the machine that was unseen the longest and that nothing was promised to.
    fn forget_oldest(&mut self) -> Option<Mac> {
        while let Some((_, mac)) = self.forgettable.pop_first() {
            let Some(node) = self.nodes.get(&mac) else { continue };
            if node.is_forgettable() {
                for further in &node.further_macs {
                    self.identities.remove(further);
                }
                self.nodes.remove(&mac);
                return Some(mac);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests;
