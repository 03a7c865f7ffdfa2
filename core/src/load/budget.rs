//! The ceiling of a link, and what may be sent of it at this moment.
//!
//! ```text
//!                sent grows, delivered does not                  more was delivered
//!   Starting ───────────────────────────────────> Steady <──> Probing ────────────────> Starting
//!      ^                                          ^    │
//!      └── a link of unknown rate                 │    │ more is lost than usual
//!                                                 │    v
//!          it was our rate: the lower one stays,  └─ Doubting   the rate is lowered, to see whether that helps
//!          it was chance: the old one comes back;
//!          it fell too far to be measured: it grows from there;
//!          nobody sends any more: the old one comes back, or of one that rose what arrived
//! ```
//!
//! Only delivery is believed: a queue that overflows delivers exactly the link's rate. What is lost by chance is as much at a lower rate, and lowers nothing.
//! Of a link from which nothing at all comes for a moment (a switch finds its ways anew, a host has no processor) nothing is concluded.
//!
//! What TCP repeats is not looked at: it does so for seconds after a queue has dropped something. Of what goes by TCP it is seen how much arrives, and how much is under way ([`super::Lane::is_congested`]).
//!
//! Where more arrives by TCP alone than a usual link carries, nothing is concluded: it is Starting, and no overflow ends that.

use super::LinkRate;
use super::sense::{QUARTER_TICKS, SECOND_TICKS, Sense, TENTH_TICKS};
use crate::limit::{
    LOAD_BURST, LOAD_BURST_OCTETS, LOAD_CATCH_UP, LOAD_PROBE_INTERVAL, LOAD_QUANTUM, LOAD_RATE_FIRST_BITS,
    LOAD_RATE_MAX_BITS, LOAD_RATE_MIN_BITS, LOAD_TICK,
};
use crate::time::Time;
use std::time::Duration;

/// Tokens of one link, in octets on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Budget {
    /// Octets per second.
    rate: u64,
    rate_max: u64,
    phase: Phase,
    /// Losses of a thousand packets that have nothing to do with our rate.
    chance_per_mille: u64,
    /// Ticks since the rate was changed, since the link was last probed, and since losses were last taken for chance.
    ticks_steady: u32,
    ticks_unprobed: u32,
    ticks_believed: u32,
    /// Ticks since nobody was there last, and the rate at that time.
    ticks_heard: u32,
    rate_heard: u64,
    /// In nanoseconds of sending at the present rate, so that nothing is lost by rounding: what may be sent, or was sent ahead.
    tokens: i64,
    /// The same, of tokens that came while there was no room for them.
    missed: i64,
    /// Octets that went out since the last tick, ours and others'.
    used_octets: u64,
    filled_at: Time,
    /// Octets of the longest packet on the wire.
    packet_octets_max: u64,
    /// The most tokens that there ever are, at the present rate.
    burst: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Starting,
    Steady,
    Probing { ticks: u32 },
    Doubting { rate_before: u64, lost_before_per_mille: u64, starting: bool, ticks: u32 },
}

/// Of a thousand: how much of the link is used, so that its queue stays empty.
const USED_PER_MILLE: u64 = 990;
/// Of a thousand: what is sent of what arrives, while it is seen whether that helps.
const DOUBTED_PER_MILLE: u64 = 970;
/// Of fewer packets nothing is concluded.
const PACKETS_MIN: u64 = 400;
/// So much more than usual, of a thousand packets, may be lost before the rate is doubted.
const DOUBT_PER_MILLE: u64 = 15;
/// So many of a thousand octets that are sent and do not arrive are more than what comes of clients who differ; and where too much has been under way for a second, so many are.
const MUCH_PER_MILLE: u64 = 150;
const STANDING_PER_MILLE: u64 = 30;
/// The most, of a thousand packets, that is taken for chance. A link that loses more is out of order, and is not to be remembered by that: a rate that rises as far as it is borne out has
/// to waste more than this and [`MUCH_PER_MILLE`].
const CHANCE_PER_MILLE_MAX: u64 = 300;
/// How long that is believed: then it is put to the test again. What an outage lost in the moment of a doubt must not hide an overflowing queue from then on.
const CHANCE_TICKS: u32 = 20 * SECOND_TICKS as u32;
/// When a rate that was found is put to the test for the first time. Later it is every [`LOAD_PROBE_INTERVAL`].
const FIRST_PROBE_TICKS: u32 = SECOND_TICKS as u32;

/// Ticks between one probe and the next.
const PROBE_TICKS: u32 = (LOAD_PROBE_INTERVAL.as_millis() / LOAD_TICK.as_millis()) as u32;

const NANOSECONDS: u64 = 1_000_000_000;
/// The longest usual packet on the wire: a full block, with all that surrounds it.
const PACKET_OCTETS: u64 = 1538;

impl Budget {
    pub(super) fn new(now: Time, rate: LinkRate) -> Self {
        let of_bits = |bits: u64| bits.clamp(LOAD_RATE_MIN_BITS, LOAD_RATE_MAX_BITS) / 8;
        let (rate, rate_max, phase) = match rate {
            LinkRate::Given(bits) => {
                let used = of_bits(bits) / 1000 * USED_PER_MILLE;
                (used, used, Phase::Steady)
            }
            LinkRate::Measured => {
                (of_bits(LOAD_RATE_FIRST_BITS), of_bits(LOAD_RATE_MAX_BITS), Phase::Starting)
            }
        };
        let mut budget = Self {
            rate,
            rate_max,
            phase,
            chance_per_mille: 0,
            ticks_steady: 0,
            ticks_unprobed: 0,
            ticks_believed: 0,
            ticks_heard: 0,
            rate_heard: rate,
            tokens: 0,
            missed: 0,
            used_octets: 0,
            filled_at: now,
            packet_octets_max: PACKET_OCTETS,
            burst: 0,
        };
        budget.burst = budget.burst_now();
        budget.tokens = budget.burst;
        budget
    }

    /// For a link whose longest packets have so many octets on the wire, if that is more than usual.
    pub(super) fn with_packets_to(self, octets: u64) -> Self {
        let mut budget = Self { packet_octets_max: octets.max(PACKET_OCTETS), ..self };
        budget.burst = budget.burst_now();
        budget
    }

    /// Whether it is seen what a lower rate brings: what is under way has to arrive for that.
    pub(super) fn is_doubting(&self) -> bool {
        matches!(self.phase, Phase::Doubting { .. })
    }

    /// Octets per second, as they go out now.
    pub(super) fn rate(&self) -> u64 {
        match self.phase {
            Phase::Probing { ticks: 0 } => self.rate + self.rate / 4,
            // What the probe has put into the queue has to get out of it again.
            Phase::Probing { ticks: 1 } => self.rate - self.rate / 4,
            Phase::Starting | Phase::Steady | Phase::Probing { .. } | Phase::Doubting { .. } => self.rate,
        }
    }

    /// Bits per second that the link is taken to carry. Not known as long as nothing held us back.
    pub(super) fn ceiling_bits(&self) -> Option<u64> {
        (self.phase != Phase::Starting).then_some(self.rate * 8 * 1000 / USED_PER_MILLE)
    }

    /// How many packets of so many octets may be sent now. One that is longer than there ever are tokens for is sent ahead, as a piece is: a transfer keeps its blocks where its link
    /// takes shorter ones from now on.
    pub(super) fn allowance(&mut self, now: Time, octets: u64) -> u64 {
        self.fill(now);
        let allowed = u64::try_from(self.tokens).map_or(0, |tokens| tokens / self.nanoseconds(octets).max(1));
        allowed.max(u64::from(self.tokens >= self.burst))
    }

    /// So many octets go out.
    pub(super) fn take(&mut self, octets: u64) {
        self.used_octets += octets;
        self.tokens -= i64::try_from(self.nanoseconds(octets)).unwrap_or(i64::MAX / 4);
    }

    /// So many octets did not go out after all: others may, as far as there is room for their tokens.
    pub(super) fn give_back(&mut self, octets: u64) {
        self.used_octets = self.used_octets.saturating_sub(octets);
        let nanoseconds = i64::try_from(self.nanoseconds(octets)).unwrap_or(i64::MAX / 4);
        self.tokens = self.tokens.saturating_add(nanoseconds).min(self.burst.max(self.tokens));
    }

    /// Whether so many octets may be given to TCP now. On a slow link two packets are more than there ever are tokens for: then they are sent ahead, and waited for afterwards.
    pub(super) fn admits_piece(&mut self, now: Time, octets: u64) -> bool {
        self.fill(now);
        let nanoseconds = i64::try_from(self.nanoseconds(octets)).unwrap_or(i64::MAX / 4);
        self.tokens + self.missed >= nanoseconds.min(self.burst)
    }

    /// Octets that may be given to TCP now. It gives them to the link as that delivers them, so that what a late wake-up missed is made up for whole: no port's queue has to
    /// take it at once.
    pub(super) fn piece_octets(&mut self, now: Time) -> u64 {
        self.fill(now);
        let nanoseconds = u128::try_from(self.tokens + self.missed).unwrap_or(0);
        u64::try_from(nanoseconds * u128::from(self.rate()) / u128::from(NANOSECONDS)).unwrap_or(u64::MAX)
    }

    /// So many octets go to TCP.
    pub(super) fn take_piece(&mut self, octets: u64) {
        self.used_octets += octets;
        let nanoseconds = i64::try_from(self.nanoseconds(octets)).unwrap_or(i64::MAX / 4);
        let made_up = self.missed.min(nanoseconds);
        self.missed -= made_up;
        self.tokens -= nanoseconds - made_up;
    }

    /// Octets of others go out by the same link. More than a tenth of a second of them is not held against us.
    pub(super) fn take_others(&mut self, octets: u64) {
        self.take(octets);
        self.tokens = self.tokens.max(-100_000_000);
    }

    /// When enough may be sent that it is worth while to look again.
    pub(super) fn next(&self, octets: u64) -> Time {
        let wanted = i64::try_from(LOAD_QUANTUM.as_nanos()).unwrap_or(0);
        let wanted = wanted.max(i64::try_from(self.nanoseconds(octets)).unwrap_or(i64::MAX / 4));
        let wanted = wanted.min(self.burst); // there are never more
        let missing = u64::try_from(wanted - self.tokens).unwrap_or(0);
        self.filled_at + Duration::from_nanos(missing)
    }

    /// Octets that may be sent at once.
    pub(super) fn burst_octets(&self) -> u64 {
        let nanoseconds = u128::from(u64::try_from(self.burst).unwrap_or(0));
        let octets = nanoseconds * u128::from(self.rate()) / u128::from(NANOSECONDS);
        u64::try_from(octets).unwrap_or(u64::MAX)
    }

    /// Whether as much went out since this was asked last as makes the rate a limit. Whoever wants much at once has to wait for tokens also where most of them are left
    /// over: what limits there is something else, our processor perhaps.
    pub(super) fn is_used_up(&mut self) -> bool {
        let usable = self.rate() * LOAD_TICK.as_millis() as u64 / 1000;
        std::mem::take(&mut self.used_octets) * 2 >= usable
    }

    /// A tick has passed.
    pub(super) fn tick(&mut self, sense: &Sense) {
        self.ticks_steady = self.ticks_steady.saturating_add(1);
        self.ticks_unprobed = self.ticks_unprobed.saturating_add(1);
        self.ticks_believed = self.ticks_believed.saturating_add(1);
        if self.ticks_believed >= CHANCE_TICKS && matches!(self.phase, Phase::Starting | Phase::Steady) {
            self.chance_per_mille = 0;
        }
        // What does not arrive waits in our own sockets, and fills no queue.
        let is_left_to_tcp = self.rate < self.rate_max && sense.is_tcp_alone();
        let is_nobody_there = is_nobody_there(sense);
        self.ticks_heard = if is_nobody_there { 0 } else { self.ticks_heard.saturating_add(1) };
        match self.phase {
            // Whether a lower rate helps nobody is there to tell, whatever those do who come back.
            Phase::Doubting { rate_before, starting: false, .. } if is_nobody_there => {
                self.phase = Phase::Steady;
                self.set(rate_before);
            }
            // A rate that rose as long as they were there has shown what arrives of it, and no more: or each short load would overflow the queue by more than the one before.
            // What arrived until they fell silent may be little, so that one load halves the rate at the most.
            Phase::Doubting { rate_before, starting: true, .. } if is_nobody_there => {
                self.phase = Phase::Starting;
                self.set(self.rate.max(self.rate_heard / 2).min(rate_before));
            }
            // What nobody has made use of is not known to be there (RFC 7661 says the same of TCP).
            Phase::Starting if is_nobody_there => {
                let arrived = sense.delivered_most(1) * SECOND_TICKS as u64;
                self.set(self.rate.min(self.rate_heard.max(arrived + arrived / 4)));
            }
            Phase::Starting | Phase::Steady if is_left_to_tcp => {
                self.phase = Phase::Starting;
                if sense.last(1, 0).limited {
                    self.set(self.rate + self.rate / 4);
                }
            }
            Phase::Starting => self.start(sense),
            Phase::Steady => self.watch(sense),
            Phase::Probing { ticks } => self.probe(sense, ticks),
            Phase::Doubting { rate_before, lost_before_per_mille, starting, ticks } => {
                self.doubt(sense, (rate_before, lost_before_per_mille, starting), ticks);
            }
        }
        if is_nobody_there {
            self.rate_heard = self.rate;
        }
        self.burst = self.burst_now();
    }

    /// The rate rises by a quarter each tick in which it was the limit, or each round trip where that is longer, until more of it does not arrive.
    fn start(&mut self, sense: &Sense) {
        // What TCP was given it may hold for a moment: before that is taken for the link's fault, the rate waits for it.
        let is_behind = sense.is_by_pieces() && self.overflows(sense, TENTH_TICKS).is_some();
        let ticks = if is_behind { QUARTER_TICKS } else { TENTH_TICKS };
        if let Some(wasted) = self.overflows(sense, ticks) {
            self.begin_doubt(sense, wasted, true);
        } else if let Some(lost) =
            self.unusual_loss(sense, QUARTER_TICKS).or_else(|| self.unusual_loss(sense, SECOND_TICKS))
        {
            self.begin_doubt(sense, lost, true);
        } else if sense.last(1, 0).limited && !is_behind && self.is_borne_out(sense) {
            self.set(self.rate + self.rate / 4 / sense.lag() as u64);
        }
    }

    /// Whether what arrives grows with the rate: what was sent a moment ago, at less than this rate, does.
    fn is_borne_out(&self, sense: &Sense) -> bool {
        self.octets_in(1) * 10 <= sense.passed_most() * 16
    }

    fn watch(&mut self, sense: &Sense) {
        // TCP sends in its own time, and what it was given arrives in no order.
        let ticks = if sense.is_by_pieces() { SECOND_TICKS } else { QUARTER_TICKS };
        if let Some(wasted) = self.overflows(sense, ticks).filter(|_| self.ticks_steady >= 4) {
            return self.begin_doubt(sense, wasted, false);
        }
        if self.ticks_steady < SECOND_TICKS as u32 {
            return;
        }
        // Also when nobody waits: clients in lock-step ask for no more than a link delivers whose queue overflows.
        if let Some(lost) = self.unusual_loss(sense, SECOND_TICKS) {
            return self.begin_doubt(sense, lost, false);
        }
        let second = sense.last(SECOND_TICKS, 0);
        // Chance is forgotten slowly, and the faster the less of it is seen.
        let lost = second.lost_per_mille();
        if self.ticks_steady.is_multiple_of(SECOND_TICKS as u32) {
            self.chance_per_mille -= self.chance_per_mille.saturating_sub(lost).div_ceil(4);
        }
        let is_busy = sense.limited(SECOND_TICKS) * 2 > SECOND_TICKS;
        if is_busy && self.ticks_unprobed >= PROBE_TICKS && self.rate < self.rate_max {
            self.phase = Phase::Probing { ticks: 0 };
        }
    }

    /// Losses of a thousand packets in so many ticks, if they are more than chance and there are enough packets to tell.
    fn unusual_loss(&self, sense: &Sense, ticks: usize) -> Option<u64> {
        // What was lost as all fell silent, they or the link, was lost in no queue.
        let recent = sense.last(ticks.min(self.ticks_heard as usize), 0);
        let lost = recent.lost_per_mille();
        let is_unusual =
            recent.counted_packets() >= PACKETS_MIN && lost > self.chance_per_mille + DOUBT_PER_MILLE;
        // A full queue delivers what it delivered before: where more arrives from moment to moment, there was room.
        let arrives = |ago| sense.last(QUARTER_TICKS, ago).delivered_octets;
        let is_rising = arrives(0) * 10 > arrives(QUARTER_TICKS) * 11;
        (is_unusual && !is_rising && arrives(0) > 0).then_some(lost)
    }

    /// Sends a little less than what arrives, to see whether that helps. While the rate rises, only the last moments tell what arrives with a full queue.
    fn begin_doubt(&mut self, sense: &Sense, lost_before_per_mille: u64, starting: bool) {
        let ticks = if starting { TENTH_TICKS } else { QUARTER_TICKS };
        let arrives = sense.delivered_most(ticks) * (SECOND_TICKS / ticks) as u64;
        self.phase = Phase::Doubting { rate_before: self.rate, lost_before_per_mille, starting, ticks: 0 };
        self.set((arrives / 1000 * DOUBTED_PER_MILLE).min(self.rate / 1000 * DOUBTED_PER_MILLE));
    }

    /// One tick faster, one slower: whether the first one delivered more, as soon as that is known.
    fn probe(&mut self, sense: &Sense, ticks: u32) {
        self.ticks_unprobed = 0;
        if (ticks as usize) < sense.lag() {
            self.phase = Phase::Probing { ticks: ticks + 1 };
            return;
        }
        let probed = sense.last(1, 1).delivered_octets.max(sense.last(1, 0).delivered_octets);
        let usual = self.rate * LOAD_TICK.as_millis() as u64 / 1000;
        if probed * 8 > usual * 9 {
            self.phase = Phase::Starting;
            self.set(self.rate + self.rate / 8);
        } else {
            self.phase = Phase::Steady;
            self.ticks_steady = 0;
        }
    }

    fn doubt(&mut self, sense: &Sense, (rate_before, lost_before, starting): (u64, u64, bool), ticks: u32) {
        // What was lost before shows for a while: the first half second is not looked at.
        const SETTLED: u32 = 10;
        // A rate that rose by quarters is too high by a little: more than half of it arrives. If less did, it was far too high from the first, or what arrived was no measure,
        // because somebody was silent. Then the rate has to be found anew from here, and soon: others wait meanwhile.
        let is_too_deep = self.rate < rate_before / 2;
        let looked_at = if is_too_deep && !sense.is_by_pieces() { QUARTER_TICKS } else { SECOND_TICKS };
        if ticks + 1 < SETTLED + looked_at as u32 {
            self.phase = Phase::Doubting {
                rate_before,
                lost_before_per_mille: lost_before,
                starting,
                ticks: ticks + 1,
            };
            return;
        }
        let recent = sense.last(looked_at, 0);
        let sendable = self.octets_in(looked_at);
        self.ticks_unprobed = PROBE_TICKS - FIRST_PROBE_TICKS;
        let lost = recent.lost_per_mille().max(wasted(sense, looked_at));
        if lost * 2 > lost_before + self.chance_per_mille {
            self.phase = if starting { Phase::Starting } else { Phase::Steady };
            // Where those have gone for whom the rate was a limit, or nothing came at all, nobody was there to tell what is lost by chance.
            let is_told = recent.sent_octets * 4 >= sendable || sense.limited(looked_at) > 0;
            if is_told && recent.delivered_octets > 0 {
                self.chance_per_mille = lost.max(lost_before).min(CHANCE_PER_MILLE_MAX);
                self.ticks_believed = 0;
            }
            self.set(rate_before);
            return;
        }
        // What is lost now is chance, and no more than that.
        self.chance_per_mille = self.chance_per_mille.min(lost);
        if is_too_deep {
            self.phase = Phase::Starting;
            self.set(self.rate);
        } else {
            self.phase = Phase::Steady;
            self.set(self.rate / DOUBTED_PER_MILLE * USED_PER_MILLE);
        }
    }

    /// How much of what was sent does not arrive, of a thousand octets, if it is much, and more than chance, while more was to be sent.
    fn overflows(&self, sense: &Sense, ticks: usize) -> Option<u64> {
        let is_congested = sense.congested(ticks) == ticks;
        // Where TCP has more than it can send it is given no more than arrives: what the rate would have been is too much.
        let unused = if is_congested { self.unused(sense, ticks) } else { 0 };
        let wasted = wasted(sense, ticks).max(unused);
        let is_standing = is_congested && ticks >= SECOND_TICKS;
        let much = if is_standing { STANDING_PER_MILLE } else { MUCH_PER_MILLE };
        let is_much = wasted > self.chance_per_mille + much;
        let is_told = sense.arrives_throughout(ticks)
            && sense.limited(ticks) == ticks
            && sense.last(ticks, sense.lag()).sent_packets >= 20;
        (is_much && is_told).then_some(wasted)
    }

    /// Of a thousand octets that could be sent in so many ticks, those that did not come through the link.
    fn unused(&self, sense: &Sense, ticks: usize) -> u64 {
        let sendable = self.octets_in(ticks);
        sendable.saturating_sub(sense.last(ticks, 0).passed_octets()) * 1000 / sendable.max(1)
    }

    /// Octets of so many ticks.
    fn octets_in(&self, ticks: usize) -> u64 {
        self.rate * LOAD_TICK.as_millis() as u64 / 1000 * ticks as u64
    }

    fn set(&mut self, rate: u64) {
        self.rate = rate.clamp(LOAD_RATE_MIN_BITS / 8, self.rate_max);
        self.ticks_steady = 0;
    }

    fn fill(&mut self, now: Time) {
        let passed = i64::try_from(now.since(self.filled_at).as_nanos()).unwrap_or(i64::MAX / 4);
        self.filled_at = self.filled_at.max(now);
        let tokens = self.tokens.saturating_add(passed);
        self.tokens = tokens.min(self.burst);
        let missed_max = i64::try_from(LOAD_CATCH_UP.as_nanos()).unwrap_or(i64::MAX / 4);
        self.missed = (self.missed + tokens - self.tokens).min(missed_max);
    }

    /// Nanoseconds of sending that may be made up for: what a late wake-up missed, as far as any port's queue takes it at once. A whole packet at least,
    /// or a slow link would never have enough for one.
    fn burst_now(&self) -> i64 {
        let nanoseconds = |duration: Duration| u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let catch_up = self.nanoseconds(LOAD_BURST_OCTETS).min(nanoseconds(LOAD_CATCH_UP));
        let packet = self.nanoseconds(self.packet_octets_max);
        i64::try_from(nanoseconds(LOAD_BURST).max(catch_up).max(packet)).unwrap_or(i64::MAX / 4)
    }

    fn nanoseconds(&self, octets: u64) -> u64 {
        octets.saturating_mul(NANOSECONDS) / self.rate().max(1)
    }
}

/// Whether nothing was sent for the first time, and nothing arrived, for longer than a round trip: whoever was there is silent. Where TCP waits
/// for one segment that a full queue dropped, all is as still for as long as the queue takes, and nothing is said of that.
fn is_nobody_there(sense: &Sense) -> bool {
    let recent = sense.last(sense.lag() + 2, 0);
    recent.sent_octets == 0 && recent.delivered_octets == 0 && sense.last(SECOND_TICKS, 0).piece_octets == 0
}

/// How much of what was sent did not arrive until a round trip later, of a thousand octets. What is sent twice because a window is, is among it; that less was sent of late,
/// because others have taken a part of the link, is not.
fn wasted(sense: &Sense, ticks: usize) -> u64 {
    let delivered = sense.last(ticks, 0).delivered_octets;
    let sent = sense.last(ticks, sense.lag()).sent_octets.min(sense.last(ticks, 0).sent_octets);
    sent.saturating_sub(delivered) * 1000 / sent.max(1)
}

#[cfg(test)]
mod tests;
