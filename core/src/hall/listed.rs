//! Numbers that the configuration gives, against those that are recorded.
//!
//! The configuration goes before what was learnt, but an address is never two machines':
//!
//! ```text
//!  the number is free                              it is the machine's at once
//!  its holder is to have another one               both are given theirs at once, also in a circle
//!  its holder is in no list, and has left it       it is taken from the holder
//!  its holder is in no list, and uses it           the machine keeps what it has, and waits; `explain` says for what
//! ```
//! What a machine has by the number that it had before stays its own (a loan of the kind `Number`) until it has asked for the other address: at its next boot, or when it renews.
//! Who is to have that address next waits as long. He has left it whose lease has ended, who is down or retired, or who is silent when it is asked on the wire who has the address.

use super::{Due, Turn};
use crate::cluster::lease::{Lease, PoolId, PoolKind};
use crate::cluster::node::{Node, NumberKept, Trouble};
use crate::cluster::orders::Exclusion;
use crate::cluster::probe::Found;
use crate::cluster::record::Record;
use crate::cluster::stage::{Stage, Step};
use crate::config::{Mode, Network};
use crate::event::Kind;
use crate::limit::{HOLD_AFTER_LIFE, MOVES_A_PACKET_MAX, NODES_MAX};
use crate::mac::Mac;
use crate::message::Ticket;
use crate::time::Time;
use heorot_names::NumberRange;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::time::Duration;

/// Who gets which number, and who loses his for that.
struct Moves {
    /// The first wants what the second has, and so on.
    moves: Vec<(Mac, u32)>,
    displaced: Option<Mac>,
}

impl Turn<'_> {
    /// Puts all machines that are known where the operator wants them.
    pub(crate) fn place_all_listed(&mut self) {
        if let Some(changing) = &mut self.hall.changing {
            changing.is_reconfigured = true;
        }
        self.sort_cards();
        let macs: Vec<_> = self.hall.nodes.iter().map(|node| node.mac).collect();
        let mut stuck = BTreeSet::new();
        for mac in macs {
            self.place(mac, &mut stuck, NODES_MAX);
            self.tell_misplaced(mac);
        }
    }

    /// Puts a listed machine where the operator wants it. It is ready at first sight: its number is durable in the configuration,
    /// so that the record is only for the day when the list is gone.
    pub(crate) fn place_listed(&mut self, mac: Mac) {
        self.place(mac, &mut BTreeSet::new(), MOVES_A_PACKET_MAX);
    }

    /// Puts the machine that is to have a number there, if it is known.
    pub(crate) fn place_whoever_is_listed(&mut self, number: u32) {
        let Some(place) = self.hall.listed.place_with_number(number) else { return };
        let cards = self.config.nodes[place].macs.iter().copied().chain(self.hall.listed.bound(place));
        let known = cards.filter_map(|card| self.hall.nodes.get(card)).map(|node| node.mac).next();
        if let Some(mac) = known.filter(|mac| self.hall.nodes.holder(number) != Some(*mac)) {
            self.place_listed(mac);
        }
    }

    /// The same. Who was found to have to wait is noted: others who wait for him need not be looked at again.
    fn place(&mut self, mac: Mac, stuck: &mut BTreeSet<Mac>, links_max: usize) {
        let Some(listed) = self.hall.listed.get(self.config, mac).cloned() else { return };
        // Whatever it asks.
        self.hall.nodes.is_node_from_now_on(mac);
        self.join_listed(mac, &listed.macs);
        let Some(number) = listed.number else { return };
        let Some(node) = self.hall.nodes.get(mac) else { return };
        let mac = node.mac;
        // Who was retired and whose number was freed gets it back when he is accepted.
        let is_retired = node.number.is_none() && node.orders.exclusion() == Some(Exclusion::Retired);
        if node.number == Some(number) || is_busy(node) || is_retired {
            return;
        }
        if let Some(moves) = self.moves(mac, number, stuck, links_max) {
            self.carry_out_moves(moves);
        }
    }

    /// What has to become of others so that a machine gets a number. None: it has to wait.
    fn moves(&self, mac: Mac, number: u32, stuck: &mut BTreeSet<Mac>, links_max: usize) -> Option<Moves> {
        let mut moves = vec![(mac, number)];
        let mut moved = BTreeSet::from([mac]);
        while moves.len() <= links_max {
            let (mover, number) = *moves.last()?;
            let Some(holder) = self.hall.nodes.holder(number) else {
                return Some(Moves { moves, displaced: None });
            };
            let Some(node) = self.hall.nodes.get(holder).filter(|node| !is_busy(node)) else { break };
            if holder == mac {
                return Some(Moves { moves, displaced: None });
            }
            let other = self.hall.listed.get(self.config, holder).and_then(|listed| listed.number);
            match other.filter(|other| *other != number) {
                Some(other) if !stuck.contains(&holder) && moved.insert(holder) => {
                    moves.push((holder, other))
                }
                Some(_) | None if self.has_left(node, mover) => {
                    return Some(Moves { moves, displaced: Some(holder) });
                }
                Some(_) | None => break,
            }
        }
        // The last one cannot have what he is to have. Who has left his number gives it up all the same.
        while let Some((holder, _)) = moves.pop() {
            let Some((mover, _)) = moves.last() else { break };
            if self.hall.nodes.get(holder).is_some_and(|node| self.has_left(node, *mover)) {
                return Some(Moves { moves, displaced: Some(holder) });
            }
            stuck.insert(holder);
        }
        stuck.insert(mac);
        None
    }

    fn carry_out_moves(&mut self, Moves { moves, displaced }: Moves) {
        let movers: Vec<_> = moves.iter().map(|(mac, _)| *mac).collect();
        if let Some(holder) = displaced {
            let (to, number) = moves.last().copied().unwrap_or((holder, 0));
            self.keep_former_from(holder, number, to);
            self.lose_number(holder, &format!("the configuration gives number {number} to {to}"));
            self.hall.listed.unbind(holder);
            self.keep_node_with(holder, None);
        }
        let mut before = Vec::new();
        for (mac, _) in &moves {
            let number = self.hall.nodes.get(*mac).and_then(|node| node.number);
            if let Some(number) = number {
                self.keep_former(*mac, number);
                self.hall.nodes.strip(*mac);
                self.numbers_changed();
            }
            before.push(number);
        }
        // Two must never have one number, also if the disk takes a part of this alone.
        for ((mac, _), before) in moves.iter().zip(&before) {
            if moves.len() > 1 && before.is_some() {
                self.keep_node_with(*mac, None);
            }
        }
        for ((mac, number), before) in moves.into_iter().zip(before) {
            if !self.hall.nodes.claim(mac, number) {
                continue;
            }
            self.hall.nodes.settle(mac);
            self.come_back(mac, number);
            self.numbered(mac);
            self.keep_node(mac);
            let instead = before.map(|before| format!(" instead of {before}")).unwrap_or_default();
            let line = format!("number {number}{instead}, as the configuration says");
            self.event(Some(mac), Kind::Number, line);
            self.step(mac, Step::Numbered, "the configuration lists it");
        }
        // The configuration says of hardware addresses that it lists what is theirs, whatever is recorded. Of a machine that it knows by where it is connected, and of him who lost his number to others,
        // only the records do.
        let ticket = self.hall.promises.last_issued();
        for mac in movers.into_iter().chain(displaced) {
            if displaced.is_some() || self.hall.listed.with_mac(self.config, mac).is_none() {
                self.number_kept_when(mac, ticket);
            }
        }
    }

    /// Whether it is durable that the number of a machine is nobody else's, so that its address may be granted. If not, that is on its way, and what is promised from now on waits for it.
    pub(crate) fn number_is_kept(&mut self, mac: Mac) -> bool {
        let Some(node) = self.hall.nodes.get(mac) else { return true };
        match node.number_kept {
            NumberKept::Always => return true,
            NumberKept::When(ticket) if ticket > self.hall.promises.last_decided() => return false,
            NumberKept::When(_) => {}
            NumberKept::Refused => {
                // What was recorded together is recorded together again, or a part of it would give a number to two.
                let refused = |node: &&Node| node.number_kept == NumberKept::Refused;
                let all: Vec<_> = self.hall.nodes.iter().filter(refused).map(|node| node.mac).collect();
                all.iter().for_each(|mac| self.keep_node(*mac));
                let ticket = self.hall.promises.last_issued();
                all.into_iter().for_each(|mac| self.number_kept_when(mac, ticket));
                return false;
            }
        }
        if let Some(node) = self.hall.nodes.get_mut(mac) {
            node.number_kept = NumberKept::Always;
        }
        true
    }

    fn number_kept_when(&mut self, mac: Mac, ticket: Ticket) {
        if let Some(node) = self.hall.nodes.get_mut(mac) {
            node.number_kept = NumberKept::When(ticket);
        }
    }

    /// A machine has a number again whose address was kept for it.
    pub(crate) fn come_back(&mut self, mac: Mac, number: u32) {
        let addresses = self.config.networks.iter().filter_map(|network| network.numbering.address(number));
        let is_its_own = |address: &Ipv4Addr| {
            let lease = self.hall.leases.get(*address);
            lease.is_some_and(|lease| {
                lease.pool.kind == PoolKind::Number && self.hall.nodes.identity(lease.mac) == mac
            })
        };
        for address in addresses.filter(is_its_own).collect::<Vec<_>>() {
            self.forget_loan(address);
        }
    }

    /// Keeps the addresses of a number for the machine that has them by it, until it has asked for others.
    pub(super) fn keep_former(&mut self, mac: Mac, number: u32) {
        self.keep_former_where(mac, number, |_, _| true);
    }

    /// The same of a number that is taken for another machine: what nobody answered for when that one asked is free. Who is retired is gone, his operator says. Where nobody can be asked later, an
    /// address is kept for whoever is known to have been there, and not because it is not known (a restart): its silence elsewhere says that it is gone, and nothing would free the address before
    /// the lease ends.
    fn keep_former_from(&mut self, mac: Mac, number: u32, to: Mac) {
        let exclusion = self.hall.nodes.get(mac).and_then(|node| node.orders.exclusion());
        if exclusion == Some(Exclusion::Retired) {
            return;
        }
        self.keep_former_where(mac, number, |turn, place| {
            let settings = &turn.config.networks[place];
            let address = settings.numbering.address(number);
            let is_silent = address.is_some_and(|address| turn.is_silent(address, mac, to));
            !is_silent && (settings.probe || turn.was_on(mac, place))
        });
    }

    /// Whether a machine is known to have been on a network: it was granted an address there since the server's start, or a card of its was heard there.
    fn was_on(&self, mac: Mac, place: usize) -> bool {
        let Some(node) = self.hall.nodes.get(mac) else { return false };
        let settings = &self.config.networks[place];
        // At a restart grants are put down on every network, as it is not known on which it has one.
        let granted = node.grants.until_within(self.now, |address| settings.contains(address));
        let granted = granted.filter(|_| !node.boot.is_resumed);
        let is_here = |card| {
            let said = self.hall.heard.get(card);
            said.is_some_and(|said| said.placed_of_node() == Some(settings.address))
        };
        granted.is_some() || node.cards().any(is_here)
    }

    fn keep_former_where(&mut self, mac: Mac, number: u32, is_kept: impl Fn(&Self, usize) -> bool) {
        for place in 0..self.config.networks.len() {
            let Some(node) = self.hall.nodes.get(mac) else { return };
            let until = self.uses_until(node, place).filter(|_| !self.is_gone_from(mac, place));
            if let Some(until) = until.filter(|_| is_kept(self, place)) {
                let card = self.card_on(node, place);
                self.keep_number(card, number, place, until);
            }
        }
    }

    /// Keeps the address of a number on a network for a card that uses it.
    pub(super) fn keep_number(&mut self, card: Mac, number: u32, place: usize, until: Time) {
        let settings = &self.config.networks[place];
        let address = settings.numbering.address(number).filter(|_| settings.mode == Mode::Serve);
        if let Some(address) = address {
            self.keep_address(card, address, place, until);
        }
    }

    /// Keeps an address on a network for a card that has it by a number.
    pub(super) fn keep_address(&mut self, card: Mac, address: Ipv4Addr, place: usize, until: Time) {
        let pool = PoolId { network: place, kind: PoolKind::Number };
        if self.hall.leases.get(address).is_some() {
            return;
        }
        if self.hall.leases.borrowed(card, pool).is_some() {
            return; // It has not come to use this one: it still has the one before.
        }
        // It is recorded for as long as an ordinary renewal is, which then waits for no disk: after a restart it is held that long in any case.
        let length = self.config.networks[place].lease.max(until.since(self.now));
        self.hall.leases.lend(self.now, address, card, pool, length);
        self.hall.leases.recorded(address, length);
        let Some(held_until) = self.hall.leases.unheard(address, until) else { return };
        self.hall.timers.arm(held_until, Due::Address(address));
        self.keep_loan(address);
    }

    /// The card by which a machine has its address on a network: it may have one for each. As far as they were heard; else the one that got an address last.
    pub(super) fn card_on(&self, node: &Node, place: usize) -> Mac {
        let ours = self.config.networks.get(place).map(|network| network.address);
        let heard = |card: Mac| self.hall.heard.get(card).filter(|said| said.placed_of_node() == ours);
        let present = node.present();
        if heard(present).is_some() {
            return present;
        }
        let here = node.cards().filter_map(|card| Some((heard(card)?.at, card)));
        here.max().map_or(present, |(_, card)| card)
    }

    /// Until when a machine may use the address of its number on a network, as far as is known. None: it does not.
    pub(crate) fn uses_until(&self, node: &Node, place: usize) -> Option<Time> {
        let settings = &self.config.networks[place];
        let granted = node.grants.until_within(self.now, |address| settings.contains(address));
        if granted.is_some() {
            return granted;
        }
        // What was granted before a restart is not known, and BOOTP grants for good.
        let is_unknown = node.boot.is_resumed || node.granted_to.is_some();
        let may_run = node.stage != Stage::Down || (node.boot.is_resumed && node.grants.any_ends(self.now));
        (is_unknown && may_run).then(|| self.now + self.longest_lease(place))
    }

    /// Whether whoever has a number uses it no more, as far as is known and was asked for the one who is to have it.
    pub(crate) fn has_left(&self, node: &Node, to: Mac) -> bool {
        let Some(number) = node.number.filter(|_| !is_busy(node)) else { return false };
        let places = || 0..self.config.networks.len();
        let lives =
            |place: usize| self.hall.nodes.get(node.mac).and_then(|node| self.uses_until(node, place));
        if node.orders.exclusion() == Some(Exclusion::Retired) || places().all(|place| lives(place).is_none())
        {
            return true;
        }
        let is_silent = |place: usize| {
            let address = self.config.networks[place].numbering.address(number);
            address.is_some_and(|address| self.is_silent(address, node.mac, to))
        };
        places().any(is_silent)
    }

    /// Whether nobody answered for an address when it was asked who has it, so that another machine can have it, and its own was not heard just now.
    pub(crate) fn is_silent(&self, address: Ipv4Addr, of: Mac, to: Mac) -> bool {
        let asked_for = self.hall.probes.asked_for(address).map(|mac| self.hall.nodes.identity(mac));
        asked_for == Some(self.hall.nodes.identity(to))
            && self.hall.probes.found(self.now, address) == Found::Free
            && (self.is_shut_out(of) || self.heard_since(address, of, to).is_none())
    }

    /// Whether an operator lets a machine have no answer: that it was heard just now does not say that it is to go on.
    pub(crate) fn is_shut_out(&self, mac: Mac) -> bool {
        self.hall.nodes.get(mac).is_some_and(|node| node.orders.are_to_ignore())
    }

    /// Whether an operator's word is enough that a machine is gone from a network: he lets it have no answer, and nobody is asked there.
    pub(super) fn is_gone_from(&self, mac: Mac, place: usize) -> bool {
        self.is_shut_out(mac) && !self.config.networks[place].probe
    }

    /// How long ago a machine was heard that has an address, by another card than this, if that is so short that it may be there and too busy to answer.
    pub(crate) fn heard_since(&self, address: Ipv4Addr, mac: Mac, but: Mac) -> Option<Duration> {
        let node = self.hall.nodes.get(mac);
        let further = node.map(|node| node.further_macs.as_slice()).unwrap_or_default();
        let cards = node.map_or(mac, |node| node.mac);
        let cards = std::iter::once(&cards).chain(further).filter(|card| **card != but);
        let said = cards.filter_map(|card| self.hall.heard.get(*card)).map(|said| said.at);
        let loaded = self.hall.pins.get(address).filter(|pin| pin.mac != but).map(|pin| pin.life);
        let lent = self.hall.leases.get(address).filter(|lease| lease.mac != but).map(|lease| lease.life);
        let last = said.chain(loaded).chain(lent).max()?;
        let since = self.now.since(last);
        (since < HOLD_AFTER_LIFE).then_some(since)
    }

    /// A machine asks on a network for the address of its number: whatever it had by the number before it has left, and by another server that gave the addresses there before us. Of one with several
    /// cards that is so where it asks; another may run on with what it has on another network.
    pub(crate) fn leave_former(&mut self, card: Mac, place: usize, boots: bool) {
        let identity = self.hall.nodes.identity(card);
        let node = self.hall.nodes.get(card);
        let further = node.map(|node| node.further_macs.clone()).unwrap_or_default();
        let cards: BTreeSet<_> = further.into_iter().chain([card, identity]).collect();
        let is_left = |lease: &Lease| {
            let is_its = boots || (lease.mac == card && (cards.len() == 1 || lease.pool.network == place));
            let is_former = match lease.pool.kind {
                PoolKind::Number => true,
                PoolKind::Elsewhere => !self.is_another_servers(lease.pool),
                PoolKind::Temporary | PoolKind::Guest => false,
            };
            is_its && is_former
        };
        let lent = cards.iter().flat_map(|mac| self.hall.leases.of(*mac));
        let left = lent.filter(|(_, lease)| is_left(lease)).map(|(address, _)| address);
        let left: Vec<_> = left.collect();
        for address in left {
            self.end_lease(address);
        }
    }

    /// Nobody answers for an address that was kept for a machine.
    pub(crate) fn forget_former(&mut self, address: Ipv4Addr) {
        self.forget_loan(address);
        self.unpin(address);
    }

    fn forget_loan(&mut self, address: Ipv4Addr) {
        self.hall.leases.retract(address);
        self.hall.naming.ended(address);
        self.record(Record::LeaseEnded(address));
    }

    /// What is not as the configuration says, and what the operator can do.
    pub(crate) fn misplaced(&self, node: &Node) -> Option<Trouble> {
        self.contested(node)
            .or_else(|| self.without_its_own(node))
            .or_else(|| self.former(node))
            .or_else(|| self.elsewhere(node))
    }

    /// Another machine has the number that the configuration gives to this one.
    fn contested(&self, node: &Node) -> Option<Trouble> {
        let listed = self.hall.listed.get(self.config, node.mac).and_then(|listed| listed.number);
        let number = listed.filter(|listed| node.number != Some(*listed))?;
        let holder = self.hall.nodes.holder(number).and_then(|mac| self.hall.nodes.get(mac));
        let holder = holder.filter(|holder| holder.mac != node.mac)?;
        let (mac, state) = (holder.mac, holder.state());
        let what =
            format!("the configuration gives it number {number}, which {mac} has still, and that is {state}");
        let to_do = format!(
            "if {mac} is gone: heorot node retire {number}; else switch it off, and then start this one again"
        );
        Some(Trouble { what, to_do: Some(to_do) })
    }

    /// It has another number than before, and its address by that one still.
    fn former(&self, node: &Node) -> Option<Trouble> {
        let number = node.number?;
        let cards = std::iter::once(&node.mac).chain(&node.further_macs);
        let mut lent = cards.flat_map(|card| self.hall.leases.of(*card));
        let (former, lease) = lent.find(|(_, lease)| lease.pool.kind == PoolKind::Number)?;
        let network = self.config.networks.get(lease.pool.network);
        let here = network.and_then(|network| network.numbering.address(number));
        let any = || self.config.networks.iter().find_map(|network| network.numbering.address(number));
        let address = here.or_else(any)?;
        let what = format!("its number, {number}, has {address} now, and it may have {former} still");
        let to_do = match self.lent_to_another(node.mac, address) {
            Some(other) => self.to_free(address, other),
            None => format!("start it again: then it gets {address}"),
        };
        Some(Trouble { what, to_do: Some(to_do) })
    }

    /// It asks on a network where its number has no address, or that is on no network at all.
    pub(crate) fn elsewhere(&self, node: &Node) -> Option<Trouble> {
        let number = node.number?;
        let networks = &self.config.networks;
        let here = node.network.and_then(|place| networks.get(place));
        let is_in_place = |here: &Network| match here.mode {
            Mode::Serve | Mode::Proxy => here.numbering.address(number).is_some(),
            // Whose it is there the other server says, and nothing is noted of it.
            Mode::Shadow => true,
        };
        if here.is_some_and(is_in_place) {
            return None;
        }
        let is_by_another = here.is_some_and(|here| here.mode == Mode::Proxy);
        let how = match self.hall.listed.get(self.config, node.mac).and_then(|listed| listed.number) {
            Some(_) => "in its [[node]]".into(),
            None => format!("by heorot node number {} N", node.mac),
        };
        let its = networks.iter().find_map(|its| Some((its, its.numbering.address(number)?)));
        let Some((its, address)) = its else {
            let all: Vec<_> = networks.iter().map(|its| written(its.numbering.numbers)).collect();
            let gets = if is_by_another { "" } else { ", so that it gets a temporary address" };
            let what =
                format!("its number {number} is on no network any more{gets}: there are {}", all.join(", "));
            let to_do =
                format!("give it another one {how}, or let numbers of its [[network]] hold {number} again");
            return Some(Trouble { what, to_do: Some(to_do) });
        };
        let here = here?;
        // Firmware with several cards may ask on each network in turn, and go on at home: where it is, its system says.
        let is_up = matches!(node.stage, Stage::Up | Stage::Down);
        let is_trying = !is_up && !node.further_macs.is_empty();
        if is_by_another && (is_trying || self.is_at_home(node, address)) {
            return None;
        }
        let numbers = written(here.numbering.numbers);
        let (here, its) = (of_network(here), of_network(its));
        let what = match is_by_another {
            true => format!(
                "it asks on {here}, where another server gives the addresses and number {number} has none: {address} is on {its}"
            ),
            false => format!(
                "it asks on {here}, where number {number} has no address, so that it gets a temporary one: {address} is on {its}"
            ),
        };
        let to_do = format!("connect it to {its}, or give it a number of {numbers} {how}");
        Some(Trouble { what, to_do: Some(to_do) })
    }

    /// Whether a node has the address that its name has, as far as is known: what asks elsewhere is a further card then.
    fn is_at_home(&self, node: &Node, named: Ipv4Addr) -> bool {
        let was_heard = |lease: &Lease| self.now.since(lease.life) < HOLD_AFTER_LIFE;
        let by_another = |lease: &Lease| self.checks_in_at(lease) || was_heard(lease);
        let lent = self.hall.leases.get(named).filter(|lease| node.cards().any(|card| card == lease.mac));
        node.grants.at(self.now, named).is_some() || lent.is_some_and(by_another)
    }

    /// The network, by its place in the configuration, where a number has the address that its name without a suffix has; where there is none, the one where its machine is.
    pub(crate) fn own_network(&self, node: &Node, number: u32) -> Option<usize> {
        let networks = &self.config.networks;
        let is_its = |network: &Network| network.numbering.address(number).is_some();
        let named =
            networks.iter().position(|network| network.numbering.suffix.is_empty() && is_its(network));
        let here = || node.network.filter(|place| networks.get(*place).is_some_and(is_its));
        named.or_else(here).or_else(|| networks.iter().position(is_its))
    }

    /// Why a machine that may have a number gets none where it is.
    pub(crate) fn no_number(&self, mac: Mac, place: Option<usize>) -> Trouble {
        if let Some(trouble) = self.hall.nodes.get(mac).and_then(|node| self.misplaced(node)) {
            return trouble;
        }
        let here = place.and_then(|place| self.config.networks.get(place));
        let listed = self.hall.listed.get(self.config, mac).and_then(|listed| listed.number);
        match (listed, here) {
            (Some(number), Some(here)) if !here.numbering.numbers.contains(number) => Trouble {
                what: format!(
                    "the configuration gives it number {number}, which is not one of {}",
                    of_network(here)
                ),
                to_do: Some(
                    "connect it to the network of that number, or change the number in its [[node]]".into(),
                ),
            },
            (_, None) => Trouble { what: "it was not seen on any network yet".into(), to_do: None },
            (_, Some(here)) => self.numbers_taken(here),
        }
    }

    /// That no number is free there.
    pub(super) fn numbers_taken(&self, here: &Network) -> Trouble {
        Trouble {
            what: format!("all numbers of {} are taken", of_network(here)),
            to_do: Some("make network.numbers larger".into()),
        }
    }

    /// Tells once what is not as the configuration says.
    fn tell_misplaced(&mut self, mac: Mac) {
        let trouble = self.hall.nodes.get(mac).and_then(|node| self.misplaced(node));
        self.tell_once(mac, trouble);
    }

    /// The same of a machine that asks: what it had before it is just leaving.
    pub(crate) fn tell_misplaced_client(&mut self, mac: Mac) {
        let trouble = self.hall.nodes.get(mac).and_then(|node| {
            self.contested(node).or_else(|| self.without_its_own(node)).or_else(|| self.elsewhere(node))
        });
        self.tell_once(mac, trouble);
    }

    fn tell_once(&mut self, mac: Mac, trouble: Option<Trouble>) {
        let Some(node) = self.hall.nodes.get_mut(mac) else { return };
        let what = trouble.map(|trouble| trouble.what);
        if what != node.misplaced {
            node.misplaced.clone_from(&what);
            if let Some(what) = what {
                self.event(Some(mac), Kind::Trouble, what);
            }
        }
    }
}

/// Whether it is just being recorded what a machine's number is.
pub(super) fn is_busy(node: &Node) -> bool {
    node.claim.is_some() || node.becoming.is_some()
}

/// Numbers, as the configuration has them.
fn written(NumberRange { lowest, highest }: NumberRange) -> String {
    format!("{lowest}-{highest}")
}

/// A network, as an operator knows it.
pub(super) fn of_network(network: &Network) -> String {
    let lowest = Ipv4Addr::from(u32::from(network.address) & u32::from(network.mask()));
    let relay = if network.on_link { "" } else { ", behind a relay" };
    format!("{lowest}/{} ({}{relay})", network.prefix_length, network.interface)
}
