//! One link as it is shared: its budget, its ring, its regime.

use super::budget::Budget;
use super::ring::{Place, Rank, Ring};
use super::sense::{SECOND_TICKS, Sense};
use super::{Control, Link, Regime, wire_octets};
use crate::limit::{
    LOAD_PIECE_OCTETS_MAX, LOAD_SERVED_WITHIN, LOAD_SERVED_WITHIN_MAX, LOAD_SMALL_PART, LOAD_TICK,
    LOAD_UNDER_WAY, LOAD_UNDER_WAY_DELIVERED, TFTP_WINDOW_BLOCKS_MAX,
};
use crate::time::Time;
use std::time::Duration;

/// A link that is shared by everybody who is named by a `K`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane<K: Ord> {
    control: Control,
    budget: Budget,
    sense: Sense,
    ring: Ring<K>,
    regime: Regime,
    /// How long anybody waits at the most for a block, as things are.
    served_within: Duration,
    /// Who is under way, and what they were served in all.
    members: u64,
    served_octets: u64,
    /// The most that any machine loads in all, as far as it has shown: so much the others will want, too.
    expected_octets: u64,
    /// Octets that were given to TCP and have not arrived, and how many there may be of them.
    under_way_octets: u64,
    under_way_octets_max: u64,
    /// How many wait until less of them is.
    held_back: usize,
    /// Octets on the wire of the packet that had to wait last.
    refused_octets: u64,
    /// Octets on the wire since the interface's were told last.
    sent_octets: u64,
    /// Octets of a packet on the wire, as they were of late.
    packet_octets: u64,
}

/// What there is to know of somebody who wants to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Who goes first, all else being equal.
    pub rank: Rank,
    /// When it was served last.
    pub served: Time,
    /// Whether it is a small packet that opens a conversation.
    pub opens: bool,
    /// How long the rest would take if there was nobody else; nothing as long as that is not known.
    pub alone: Duration,
}

/// Octets of the usual full block on the wire, until something is known.
const PACKET_OCTETS: u64 = 1538;
/// Ticks in which the link has to be the limit, one after another, before some have to wait for others.
const LIMITED_TICKS: usize = 4;
/// Ticks without a limit before nobody has to any more.
const UNLIMITED_TICKS: usize = 10;

impl<K: Ord + Copy> Lane<K> {
    /// A link with nobody on it.
    pub fn new(now: Time, link: &Link, control: Control) -> Self {
        let packet_octets_max = wire_octets(4 + u64::from(link.block_octets_max));
        let budget = Budget::new(now, link.rate).with_packets_to(packet_octets_max);
        Self {
            control,
            under_way_octets: 0,
            under_way_octets_max: octets_in(LOAD_UNDER_WAY, budget.rate()),
            budget,
            held_back: 0,
            sense: Sense::default(),
            ring: Ring::default(),
            regime: Regime::default(),
            served_within: LOAD_SERVED_WITHIN,
            members: 0,
            served_octets: 0,
            expected_octets: 0,
            refused_octets: PACKET_OCTETS,
            sent_octets: 0,
            packet_octets: PACKET_OCTETS,
        }
    }

    /// Somebody wants to send. To be told once, until it leaves.
    pub fn enter(&mut self, now: Time, who: K, wish: Wish) -> Place {
        let Wish { rank, served, opens, alone } = wish;
        // Who is new has to wait when to keep everybody alive takes a great part of the link.
        let at_once = (opens && self.regime != Regime::Deferring) || self.is_last(alone);
        let place = match self.control {
            Control::Nothing | Control::Total | Control::TotalAndWindows => {
                Place { rank: Rank(0, now.as_nanoseconds()), deadline: Time::from_nanoseconds(u64::MAX) }
            }
            Control::All if at_once => Place { rank, deadline: now },
            Control::All => Place { rank, deadline: served + self.served_within },
        };
        self.ring.insert(who, place);
        place
    }

    /// Whether somebody who needs so long even alone would be the last one if he had to wait: a client in lock-step is slower than the link, and what it
    /// is slow for cannot be made up for when the others are done.
    fn is_last(&self, alone: Duration) -> bool {
        let owed = self.members.saturating_mul(self.expected_octets).saturating_sub(self.served_octets);
        // Of twenty gigabytes, nanoseconds at a rate are more than 64 bits hold.
        let all = u128::from(owed) * 1_000_000_000 / u128::from(self.budget.rate().max(1));
        (alone + alone / 8).as_nanos() >= all
    }

    /// Somebody comes, whose machine was served so many octets before.
    pub fn join(&mut self, served_octets: u64) {
        self.members += 1;
        self.served_octets += served_octets;
    }

    /// Somebody's file is open: with it, its machine loads so many octets in all.
    pub fn expect(&mut self, octets: u64) {
        self.expected_octets = self.expected_octets.max(octets);
    }

    /// Whether the rest of a file is so little beside all that a machine loads that nobody is delayed by it: who gets his loader soon shows soon what
    /// he is, and how slow.
    pub fn is_small(&self, octets: u64) -> bool {
        octets <= self.expected_octets / LOAD_SMALL_PART
    }

    /// What a machine that was served so much will still want, as the others did.
    pub fn expected_octets(&self, served_octets: u64) -> u64 {
        self.expected_octets.saturating_sub(served_octets)
    }

    /// Somebody goes, whose machine was served so many octets in all.
    pub fn part(&mut self, served_octets: u64) {
        self.members = self.members.saturating_sub(1);
        self.served_octets = self.served_octets.saturating_sub(served_octets);
        if self.members == 0 {
            self.expected_octets = 0;
        }
    }

    /// It waits until less is under way: until the next tick, in which it is to enter again.
    pub fn hold_back(&mut self, who: K, place: Place) {
        self.ring.remove(who, place);
        self.held_back += 1;
    }

    /// It wants nothing more.
    pub fn leave(&mut self, who: K, place: Place) {
        self.ring.remove(who, place);
    }

    /// It was served in part, and is to go on first.
    pub fn stay(&mut self, who: K) {
        self.ring.begun(who);
    }

    /// Whether it goes on first, because it was served in part.
    pub fn stays(&self, who: K) -> bool {
        self.ring.has_begun(who)
    }

    /// Who is next.
    pub fn next(&self, now: Time) -> Option<K> {
        self.ring.next(now)
    }

    /// How many packets with so many octets of payload may be sent now.
    pub fn allowance(&mut self, now: Time, payload_octets: u64) -> u64 {
        if self.control == Control::Nothing {
            return u64::MAX;
        }
        let octets = wire_octets(payload_octets);
        let allowed = self.budget.allowance(now, octets);
        if allowed == 0 {
            self.sense.current.limited = true;
            self.refused_octets = octets;
        }
        allowed
    }

    /// Whether so many packets with so many octets of payload each may all be sent now, by who is kept from flooding the link by TCP.
    pub fn admits(&mut self, now: Time, packets: u64, payload_octets: u64) -> bool {
        if self.control == Control::Nothing {
            return true;
        }
        let octets = packets * wire_octets(payload_octets);
        let is_admitted = self.budget.admits_piece(now, octets);
        if !is_admitted {
            self.sense.current.limited = true;
            self.refused_octets = octets;
        }
        is_admitted
    }

    /// How many packets with so many octets of payload are granted at a time to who sends by the piece: half of what may be sent at once, so that there are tokens
    /// for the next piece when this one has left.
    pub fn piece_packets(&mut self, now: Time, payload_octets: u64) -> u64 {
        let octets = match self.control {
            Control::Nothing => LOAD_PIECE_OCTETS_MAX,
            Control::Total | Control::TotalAndWindows | Control::All => {
                let octets = self.budget.piece_octets(now).max(self.budget.burst_octets());
                (octets / 2).min(LOAD_PIECE_OCTETS_MAX)
            }
        };
        (octets / wire_octets(payload_octets)).max(1)
    }

    /// Whether somebody who waits would be next if nobody's deadline had come.
    pub fn is_first(&self, who: K) -> bool {
        self.ring.is_first(who)
    }

    /// Blocks go out, each a packet with so many octets of payload.
    pub fn sent_blocks(&mut self, packets: u64, payload_octets: u64) {
        self.sent_to_nobody(packets, payload_octets);
        self.sense.current.sent_octets += packets * wire_octets(payload_octets);
        self.sense.current.sent_packets += packets;
    }

    /// Blocks go out to somebody who may not be there, or packets that are no blocks: whether they arrive tells nothing of the link.
    pub fn sent_to_nobody(&mut self, packets: u64, payload_octets: u64) {
        let octets = packets * wire_octets(payload_octets);
        self.sent_octets += octets;
        self.budget.take(octets);
    }

    /// Blocks that were said to go out were not there to be sent, and of them so many were counted as lost: the link carries others in their place, and what does not arrive of them is no fault of its.
    /// Whatever was told of it meanwhile, nothing is taken off twice.
    pub fn unsent_blocks(&mut self, packets: u64, payload_octets: u64, lost: u64) {
        self.unsent_to_nobody(packets, payload_octets);
        let current = &mut self.sense.current;
        current.sent_octets = current.sent_octets.saturating_sub(packets * wire_octets(payload_octets));
        current.sent_packets = current.sent_packets.saturating_sub(packets);
        current.lost_packets = current.lost_packets.saturating_sub(lost);
    }

    /// The same of blocks to somebody who may not be there.
    pub fn unsent_to_nobody(&mut self, packets: u64, payload_octets: u64) {
        let octets = packets * wire_octets(payload_octets);
        self.sent_octets = self.sent_octets.saturating_sub(octets);
        self.budget.give_back(octets);
    }

    /// Packets are given to a kernel that sends them as TCP lets it.
    pub fn sent_piece(&mut self, packets: u64, payload_octets: u64) {
        let octets = packets * wire_octets(payload_octets);
        self.sent_octets += octets;
        self.budget.take_piece(octets);
    }

    /// So many octets are given to TCP, for one whose peer takes what it is sent; or that peer takes something again.
    pub fn is_under_way(&mut self, octets: u64) {
        self.under_way_octets += octets;
    }

    /// So many of them wait for a peer that takes nothing.
    pub fn stands_still(&mut self, octets: u64) {
        self.is_not_under_way(octets);
        self.sense.current.still_octets += octets;
    }

    /// So many of them have arrived, or are not there any more.
    pub fn is_not_under_way(&mut self, octets: u64) {
        self.under_way_octets = self.under_way_octets.saturating_sub(octets);
    }

    /// Whether so much was given to TCP and has not arrived that it can do nothing with more. Whoever has to wait for that does so until the next tick at least.
    pub fn is_congested(&mut self) -> bool {
        // What a lower rate brings is seen when what was too much has left.
        let part = if self.budget.is_doubting() { 4 } else { 1 };
        let is_congested =
            self.under_way_octets >= self.under_way_octets_max / part && self.control != Control::Nothing;
        self.sense.current.congested |= is_congested;
        is_congested
    }

    /// Such packets leave, as far as their peer takes them: whether they arrive tells something of the link.
    pub fn piece_leaves(&mut self, packets: u64, payload_octets: u64) {
        let octets = packets * wire_octets(payload_octets);
        self.sense.current.sent_octets += octets;
        self.sense.current.piece_octets += octets;
        self.sense.current.sent_packets += packets;
        self.sense.current.piece_packets += packets;
    }

    /// Blocks were acknowledged, and with them so many octets of files.
    pub fn delivered_blocks(&mut self, packets: u64, payload_octets: u64, file_octets: u64) {
        self.served_octets += file_octets;
        self.sense.current.delivered_octets += packets * wire_octets(payload_octets);
    }

    /// What was sent once was acknowledged after so long.
    pub fn measured(&mut self, round_trip: Duration) {
        self.sense.current.trips += 1;
        self.sense.current.trips_took += round_trip;
    }

    /// Blocks had to be sent again. What TCP repeats tells nothing: it does so for seconds after a queue has dropped something, and finds out itself how fast it may send (RFC 5681). What is
    /// too much for the link shows by what does not arrive.
    pub fn lost_blocks(&mut self, packets: u64) {
        self.sense.current.lost_packets += packets;
    }

    /// So many octets went out by the link's interface since this was told last, ours among them.
    pub fn carried(&mut self, octets: u64) {
        let ours = self.sent_octets;
        // What TCP was granted leaves when its peer lets it: it may be counted a moment later.
        let tick = self.budget.rate() * LOAD_TICK.as_millis() as u64 / 1000;
        self.sent_octets = ours.saturating_sub(octets).min(tick);
        self.budget.take_others(octets.saturating_sub(ours));
    }

    /// Whether somebody waits.
    pub fn is_wanted(&self) -> bool {
        self.ring.len() > 0
    }

    /// When there are tokens again for what was refused last.
    pub fn refilled_at(&self) -> Time {
        self.budget.next(self.refused_octets)
    }

    /// A tick has passed.
    pub fn tick(&mut self) {
        self.sense.current.limited &= self.budget.is_used_up();
        self.sense.turn();
        if self.control == Control::Nothing {
            return;
        }
        self.budget.tick(&self.sense);
        let tick = self.sense.last(1, 0);
        if let Some(octets) = tick.sent_octets.checked_div(tick.sent_packets) {
            self.packet_octets = (self.packet_octets * 7 + octets) / 8;
        }
        let delivered = self.sense.last(SECOND_TICKS, 0).delivered_octets;
        self.under_way_octets_max =
            octets_in(LOAD_UNDER_WAY, self.budget.rate()) + octets_in(LOAD_UNDER_WAY_DELIVERED, delivered);
        let waiting = self.ring.len() + std::mem::take(&mut self.held_back);
        let round = self.round(waiting);
        self.served_within = (round * 10).clamp(LOAD_SERVED_WITHIN, LOAD_SERVED_WITHIN_MAX);
        self.regime = self.next_regime(round);
    }

    /// The most blocks that a window may have with so many transfers under way: all of them together are served within half a second.
    pub fn window_max(&self, transfers: usize) -> u16 {
        match self.control {
            Control::Nothing | Control::Total => TFTP_WINDOW_BLOCKS_MAX,
            Control::TotalAndWindows | Control::All => {
                let packets = self.budget.rate() / self.packet_octets;
                let half_second = packets * LOAD_SERVED_WITHIN.as_millis() as u64 / 1000;
                let share = half_second / transfers.max(1) as u64;
                u16::try_from(share).unwrap_or(u16::MAX).clamp(1, TFTP_WINDOW_BLOCKS_MAX)
            }
        }
    }

    /// How it sends.
    pub fn regime(&self) -> Regime {
        self.regime
    }

    /// Bits per second that the link is taken to carry, if that was found out or told.
    pub fn ceiling_bits(&self) -> Option<u64> {
        self.budget.ceiling_bits()
    }

    /// How long a packet for each of so many takes.
    fn round(&self, count: usize) -> Duration {
        let octets = count as u64 * self.packet_octets;
        Duration::from_nanos(octets.saturating_mul(1_000_000_000) / self.budget.rate().max(1))
    }

    fn next_regime(&self, round: Duration) -> Regime {
        let waits = self.sense.limited(LIMITED_TICKS) == LIMITED_TICKS;
        let works = self.sense.limited(UNLIMITED_TICKS) > 0;
        match self.regime {
            // A packet for everybody takes half of the time that everybody has.
            Regime::Paced | Regime::RoundRobin if waits && round * 2 > LOAD_SERVED_WITHIN_MAX => {
                Regime::Deferring
            }
            Regime::Paced if waits => Regime::RoundRobin,
            Regime::Deferring if works && round * 3 > LOAD_SERVED_WITHIN_MAX => Regime::Deferring,
            Regime::RoundRobin | Regime::Deferring if works => Regime::RoundRobin,
            Regime::Paced | Regime::RoundRobin | Regime::Deferring => Regime::Paced,
        }
    }
}

/// Octets that a link carries in so long, at so many a second.
fn octets_in(duration: Duration, rate: u64) -> u64 {
    rate.saturating_mul(duration.as_millis() as u64) / 1000
}

#[cfg(test)]
mod tests;
