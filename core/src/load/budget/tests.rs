use super::*;
use crate::load::Link;
use crate::load::sense::Sense;
use std::collections::VecDeque;

const START: Time = Time::from_nanoseconds(1_000_000_000_000);
const PACKET_OCTETS: u64 = 1538;

/// A link with a queue, in ticks: what is offered beyond its rate fills the queue, and what the queue does not take is lost and offered again later.
struct Weather {
    link_bits: u64,
    queue_octets: u64,
    /// Lost of a thousand, whatever is sent; a window may go again as a whole, so that it can be much.
    lost_per_mille: u64,
    /// How much there is to send.
    demand: Demand,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Demand {
    /// There is always more.
    Endless,
    /// Half of what the link carries.
    Half,
    /// Clients in lock-step: what is delivered is asked for again, and so is what their timers find lost. Nobody waits for tokens.
    LockStep,
    /// There is always more, by TCP: what the link does not take at once waits in sockets, of which the queue is the room.
    Tcp,
}

struct Run {
    budget: Budget,
    sense: Sense,
    queued: u64,
    lost: [u64; 2],
    delivered_total: u64,
    dropped_total: u64,
}

impl Run {
    fn new(rate: LinkRate) -> Self {
        let budget = Budget::new(START, rate);
        Self {
            budget,
            sense: Sense::default(),
            queued: 0,
            lost: [0; 2],
            delivered_total: 0,
            dropped_total: 0,
        }
    }

    fn ticks(&mut self, ticks: u64, weather: &Weather) {
        let per_tick = |bits: u64| bits / 8 / 20;
        for _ in 0..ticks {
            let offered = self.budget.rate() / 20;
            let offered = match weather.demand {
                Demand::Endless => offered,
                Demand::Tcp => offered.min(per_tick(weather.link_bits) + weather.queue_octets - self.queued),
                Demand::Half => offered.min(per_tick(weather.link_bits) / 2),
                Demand::LockStep => offered.min(per_tick(weather.link_bits) * 108 / 100),
            };
            let by_chance = offered * weather.lost_per_mille / 1000;
            let passed = (self.queued + offered - by_chance).min(per_tick(weather.link_bits));
            let left = self.queued + offered - by_chance - passed;
            self.queued = left.min(weather.queue_octets);
            let dropped = left - self.queued;
            self.dropped_total += dropped;
            self.delivered_total += passed;
            // It takes two ticks until somebody's timer tells what was lost.
            let lost = std::mem::replace(&mut self.lost[0], (by_chance + dropped) / PACKET_OCTETS);
            let lost = std::mem::replace(&mut self.lost[1], lost);
            let current = &mut self.sense.current;
            current.sent_octets = offered;
            current.piece_octets = if weather.demand == Demand::Tcp { offered } else { 0 };
            current.sent_packets = offered / PACKET_OCTETS;
            current.delivered_octets = passed;
            current.lost_packets = lost;
            current.limited = weather.demand == Demand::Endless || offered == self.budget.rate() / 20;
            self.sense.turn();
            self.budget.tick(&self.sense);
        }
    }

    /// Ticks in which only a part of what is sent arrives, and the rest is lost: a switch finds its ways anew, or those who would answer have no processor.
    fn silence(&mut self, ticks: u64, arrives_per_mille: u64) {
        for _ in 0..ticks {
            let offered = self.budget.rate() / 20;
            let passed = offered * arrives_per_mille / 1000;
            let lost = std::mem::replace(&mut self.lost[0], (offered - passed) / PACKET_OCTETS);
            let lost = std::mem::replace(&mut self.lost[1], lost);
            let current = &mut self.sense.current;
            (current.sent_octets, current.delivered_octets) = (offered, passed);
            (current.sent_packets, current.lost_packets) = (offered / PACKET_OCTETS, lost);
            current.limited = true;
            self.sense.turn();
            self.budget.tick(&self.sense);
        }
    }

    /// So many ticks in which nothing arrives, but for the first part of the first one. Then timers tell of all that was under way, and afterwards nobody is taken to be there.
    fn outage(&mut self, ticks: u64, flow_bits: u64, first_per_mille: u64) {
        (self.queued, self.lost) = (0, [0; 2]);
        let flow = (flow_bits / 8 / 20).min(self.budget.rate() / 20);
        for tick in 0..ticks {
            let arrives = if tick == 0 { flow * first_per_mille / 1000 } else { 0 };
            let again = if tick <= 1 { 800 * PACKET_OCTETS } else { 0 };
            let current = &mut self.sense.current;
            (current.sent_octets, current.delivered_octets) = (arrives + again, arrives);
            (current.sent_packets, current.lost_packets) =
                (current.sent_octets / PACKET_OCTETS, again / PACKET_OCTETS);
            self.sense.turn();
            self.budget.tick(&self.sense);
        }
    }

    /// A fast link without a queue whose clients acknowledge so many ticks after something came: a long way, or a client that takes its time.
    fn late_acknowledgements(&mut self, ticks: u64, mbit: u64, late: usize) {
        let mut on_the_way: VecDeque<u64> = std::iter::repeat_n(0, late).collect();
        for _ in 0..ticks {
            let offered = self.budget.rate() / 20;
            on_the_way.push_back(offered.min(mbit * MBIT / 8 / 20));
            let current = &mut self.sense.current;
            current.sent_octets = offered;
            current.sent_packets = offered / PACKET_OCTETS;
            current.delivered_octets = on_the_way.pop_front().unwrap_or(0);
            (current.trips, current.trips_took) = (1, LOAD_TICK * u32::try_from(late).unwrap());
            current.limited = true;
            self.sense.turn();
            self.budget.tick(&self.sense);
        }
    }

    fn mbit(&self) -> u64 {
        self.budget.rate * 8 / 1_000_000
    }
}

const MBIT: u64 = 1_000_000;

fn link(mbit: u64) -> Weather {
    Weather { link_bits: mbit * MBIT, queue_octets: 256_000, lost_per_mille: 0, demand: Demand::Endless }
}

#[test]
fn an_unknown_link_is_found_out_within_five_seconds() {
    for mbit in [2, 10, 40, 100, 200, 1000, 10_000] {
        for lost_per_mille in [0, 1, 10, 50] {
            let mut run = Run::new(LinkRate::Measured);
            let weather = Weather { lost_per_mille, ..link(mbit) };
            run.ticks(100, &weather);
            let found = run.budget.rate * 8 * 1000 / (mbit * MBIT);
            assert!((800..=1020).contains(&found), "{mbit} Mbit/s, {lost_per_mille} lost: {found} of 1000");
            let before = run.delivered_total;
            run.ticks(600, &weather);
            let used = (run.delivered_total - before) * 8 / 30 * 1000 / (mbit * MBIT);
            assert!(
                used >= 900 - lost_per_mille,
                "{mbit} Mbit/s, {lost_per_mille} lost: {used} of 1000 are used"
            );
        }
    }
}

#[test]
fn what_an_operator_says_is_used_and_never_exceeded() {
    let mut run = Run::new(LinkRate::Given(200 * MBIT));
    run.ticks(2000, &link(1000));
    assert_eq!(run.mbit(), 198);
    assert_eq!(run.budget.ceiling_bits(), Some(200 * MBIT));
    assert_eq!(run.dropped_total, 0);
}

#[test]
fn what_an_operator_says_is_not_believed_if_less_arrives() {
    let mut run = Run::new(LinkRate::Given(1000 * MBIT));
    run.ticks(100, &link(200));
    assert!((180..=200).contains(&run.mbit()), "{} Mbit/s", run.mbit());
    run.ticks(2000, &link(1000));
    assert!(run.mbit() > 950, "it was a passing trouble: {} Mbit/s", run.mbit());
}

#[test]
fn chance_lowers_nothing() {
    for lost_per_mille in [1, 10, 50, 100, 200, 300] {
        let mut run = Run::new(LinkRate::Given(100 * MBIT));
        run.ticks(3000, &Weather { lost_per_mille, ..link(200) });
        // Now and then it is put to the test again, which costs a second and a half.
        let wanted = 100 * MBIT / 8 * 150 / 1000 * (1000 - lost_per_mille);
        let of_wanted = run.delivered_total * 100 / wanted;
        assert!((95..=100).contains(&of_wanted), "{lost_per_mille} of 1000 lost: {of_wanted} of 100");
    }
}

#[test]
fn a_slower_link_is_noticed_and_a_faster_one_found() {
    let mut run = Run::new(LinkRate::Measured);
    run.ticks(200, &link(1000));
    assert!(run.mbit() > 800, "{}", run.mbit());
    run.ticks(100, &link(100));
    assert!((80..=101).contains(&run.mbit()), "{} of 100", run.mbit());
    run.ticks(1000, &link(1000));
    assert!(run.mbit() > 800, "{} of 1000", run.mbit());
}

/// To find out a link takes half a minute of a thousand machines' patience if it begins at the lowest rate.
#[test]
fn a_link_that_is_silent_for_a_moment_is_not_taken_for_a_slow_one() {
    for before in [0, 1, 3, 100] {
        for silent in [1, 2, 4, 10, 20, 40] {
            for arrives_per_mille in [0, 20, 200] {
                let case =
                    format!("{before} ticks, then {arrives_per_mille} of 1000 arrive for {silent} ticks");
                let mut run = Run::new(LinkRate::Measured);
                run.ticks(before, &link(1000));
                let rate_before = run.mbit();
                run.silence(silent, arrives_per_mille);
                if arrives_per_mille == 0 && silent < 20 {
                    run.ticks(5, &link(1000));
                    let rate = run.mbit();
                    assert!(rate * 2 >= rate_before.min(1000), "{case}: {rate} of {rate_before} Mbit/s");
                }
                run.ticks(100, &link(1000));
                assert!((800..=1020).contains(&run.mbit()), "{case}: {} of 1000 Mbit/s", run.mbit());
                // What was lost then is not taken for chance for long.
                run.ticks(300, &link(1000));
                assert!(run.budget.chance_per_mille < 10, "{case}: {}", run.budget.chance_per_mille);
            }
        }
    }
}

/// PXELINUX takes 107 ms for its first ACK, and others as long for each: what is on its way for so long has not overflowed any queue.
#[test]
fn acknowledgements_that_come_late_are_no_overflow() {
    for late in 0..=6 {
        let mut run = Run::new(LinkRate::Measured);
        run.late_acknowledgements(100, 1000, late);
        assert!((800..=1020).contains(&run.mbit()), "{late} ticks late: {} Mbit/s", run.mbit());
    }
}

#[test]
fn a_queue_that_overflows_is_noticed_although_nobody_waits() {
    for mbit in [10, 40, 200, 1000] {
        let mut run = Run::new(LinkRate::Measured);
        let weather = Weather { demand: Demand::LockStep, ..link(mbit) };
        run.ticks(200, &weather);
        assert!((mbit * 85 / 100..=mbit).contains(&run.mbit()), "{} of {mbit} Mbit/s", run.mbit());
        let dropped = run.dropped_total;
        run.ticks(600, &weather);
        let part = (run.dropped_total - dropped) * 1000 / (mbit * MBIT / 8 * 30);
        assert!(part <= 5, "{mbit} Mbit/s: {part} of 1000 are dropped");
    }
}

#[test]
fn a_link_that_is_never_full_says_nothing() {
    let mut run = Run::new(LinkRate::Measured);
    run.ticks(1000, &Weather { demand: Demand::Half, ..link(100) });
    assert_eq!((run.mbit(), run.budget.ceiling_bits()), (90, None));
}

#[test]
fn tokens_come_with_time_and_bursts_are_small() {
    let at = |microseconds| START + Duration::from_micros(microseconds);
    for (mbit, burst_packets) in [(10, 6), (100, 64), (1000, 82), (10_000, 402)] {
        let mut budget = Budget::new(START, LinkRate::Given(mbit * MBIT));
        let allowed = budget.allowance(at(0), PACKET_OCTETS);
        assert!(allowed.abs_diff(burst_packets) * 20 <= burst_packets, "{mbit} Mbit/s: {allowed}");
        budget.take(allowed * PACKET_OCTETS);
        assert_eq!(budget.allowance(at(0), PACKET_OCTETS), 0);
        let next = budget.next(PACKET_OCTETS);
        assert!(next > at(0) && budget.allowance(next, PACKET_OCTETS) >= 1, "{mbit} Mbit/s");
        // Whoever sends what is allowed at every moment sends at the link's rate.
        let (mut sent, mut now) = (0, at(0));
        while now < at(1_000_000) {
            let allowed = budget.allowance(now, PACKET_OCTETS);
            budget.take(allowed * PACKET_OCTETS);
            sent += allowed * PACKET_OCTETS;
            now = budget.next(PACKET_OCTETS).max(now);
        }
        assert!((970..=1000).contains(&(sent * 8 / mbit / 1000)), "{mbit} Mbit/s: {sent} octets");
    }
}

#[test]
fn others_on_the_link_come_first_but_not_for_ever() {
    let mut budget = Budget::new(START, LinkRate::Given(100 * MBIT));
    budget.take_others(50_000_000);
    assert_eq!(budget.allowance(START, PACKET_OCTETS), 0);
    assert!(budget.allowance(START + Duration::from_millis(150), PACKET_OCTETS) > 0);
}

/// However slow the link is, the longest packet that goes by it is granted at some time.
#[test]
fn a_block_of_any_size_is_granted() {
    for block_octets_max in [1468, 8968, 65464] {
        let octets = crate::load::wire_octets(4 + block_octets_max);
        let mut budget = Budget::new(START, LinkRate::Given(MBIT)).with_packets_to(octets);
        assert!(budget.allowance(START + Duration::from_secs(10), octets) > 0, "{block_octets_max}");
    }
}

/// A transfer that began before an operator had the link take shorter ones goes on with its own: it waits for as many tokens as there ever are, and then for what it took ahead.
#[test]
fn a_block_that_is_longer_than_the_link_takes_now_is_granted() {
    for mbit in [1, 5, 9, 100] {
        let octets = crate::load::wire_octets(4 + 8968);
        let mut budget = Budget::new(START, LinkRate::Given(mbit * MBIT));
        let (mut sent, mut now) = (0, START);
        while now < START + Duration::from_secs(10) {
            assert!(budget.allowance(now, octets) > 0, "{mbit} Mbit/s");
            budget.take(octets);
            sent += octets;
            let next = budget.next(octets);
            assert!(next >= now, "{mbit} Mbit/s");
            now = next;
        }
        let used = sent * 8 * 100 / (mbit * MBIT * 10);
        assert!((95..=101).contains(&used), "{mbit} Mbit/s: {used} of 100");
    }
}

/// The load ends just when its rate is doubted, and hours later somebody asks for a file that is not there. Of what nobody sent nothing is lost.
#[test]
fn a_doubt_that_ends_in_silence_concludes_nothing() {
    for rate in [LinkRate::Measured, LinkRate::Given(1000 * MBIT)] {
        for busy in [0, 3, 8] {
            let mut run = Run::new(rate);
            let is_doubting = |run: &Run| matches!(run.budget.phase, Phase::Doubting { .. });
            let mut before = run.budget.clone();
            while !is_doubting(&run) {
                before = run.budget.clone();
                run.ticks(1, &link(200));
            }
            run.ticks(busy, &link(200));
            for _ in busy..40 {
                run.sense.turn();
                run.budget.tick(&run.sense);
            }
            assert!(!is_doubting(&run));
            let case = format!("{rate:?}, {busy} ticks are busy");
            let Budget { phase, chance_per_mille, .. } = run.budget;
            assert_eq!((phase, chance_per_mille), (before.phase, before.chance_per_mille), "{case}");
            match rate {
                LinkRate::Given(_) => assert_eq!(run.budget.rate, before.rate, "{case}"),
                LinkRate::Measured => assert!((180..=200).contains(&run.mbit()), "{case}: {}", run.mbit()),
            }
        }
    }
}

/// A switch that starts again, and again: all that is under way when it goes is lost at once, and whoever is silent then comes back as he was. That is no queue that overflows.
#[test]
fn outages_do_not_make_a_link_slow() {
    for (silent, mbit, first_per_mille) in [5, 6, 9, 10, 11, 12, 20, 28, 29, 30, 31, 40, 100]
        .into_iter()
        .flat_map(|silent| [500, 1000, 1900].map(|mbit| (silent, mbit)))
        .flat_map(|(silent, mbit)| [100, 800].map(|part| (silent, mbit, part)))
    {
        let mut run = Run::new(LinkRate::Measured);
        run.ticks(100, &link(2000));
        let before = run.mbit();
        // Half of it: so much do they ask for.
        let clients = Weather { demand: Demand::Half, ..link(2 * mbit) };
        for _ in 0..20 {
            run.ticks(10, &clients);
            run.outage(silent, mbit * MBIT, first_per_mille);
        }
        run.ticks(10, &clients);
        assert!(
            run.mbit() * 10 > before * 9,
            "{silent} ticks, {mbit} Mbit/s, {first_per_mille}: {before} -> {} Mbit/s",
            run.mbit()
        );
    }
}

/// Loaders that come every few seconds, each load shorter than it takes to find out a rate, and nobody is there in between.
#[test]
fn short_loads_do_not_raise_the_rate_from_one_to_the_next() {
    for (busy, mbit) in (2..24).flat_map(|busy| [20, 100, 400].map(|mbit| (busy, mbit))) {
        let mut run = Run::new(LinkRate::Measured);
        let mut dropped_before = 0;
        for load in 0..40 {
            if load == 20 {
                dropped_before = run.dropped_total;
            }
            run.ticks(busy, &link(mbit));
            (run.queued, run.lost) = (0, [0; 2]);
            for _ in 0..60 {
                run.sense.turn();
                run.budget.tick(&run.sense);
            }
        }
        let dropped = (run.dropped_total - dropped_before) * 1000 / run.delivered_total;
        let case = format!("{busy} ticks on {mbit} Mbit/s");
        // What they begin with is 90 Mbit/s.
        assert!(run.mbit() <= (mbit * 13 / 10).max(90), "{case}: {} Mbit/s", run.mbit());
        assert!(dropped < 260, "{case}: {dropped} of 1000 dropped");
    }
}

/// Racks whose loaders come together: each load is over before its doubt is. What was lowered because less was lost by that stays lowered.
#[test]
fn loads_that_come_again_do_not_overflow_again() {
    for rate in [LinkRate::Measured, LinkRate::Given(400 * MBIT)] {
        for (busy, between_per_mille) in [(5, 20), (5, 100), (10, 200)] {
            let mut run = Run::new(rate);
            let mut dropped_before = 0;
            for load in 0..40 {
                if load == 10 {
                    dropped_before = run.dropped_total;
                }
                run.ticks(busy, &link(100));
                let little = Weather { link_bits: 100 * MBIT * between_per_mille / 500, ..link(100) };
                run.ticks(60 - busy, &Weather { demand: Demand::Half, ..little });
            }
            let dropped = (run.dropped_total - dropped_before) * 1000 / run.delivered_total;
            assert!(dropped < 20, "{rate:?}, {busy} ticks, {between_per_mille}: {dropped} of 1000 dropped");
        }
    }
}

#[test]
fn a_lane_without_limits_is_only_for_comparing() {
    let link = Link::new(LinkRate::Given(MBIT));
    let mut lane = crate::load::Lane::<u8>::new(START, &link, crate::load::Control::Nothing);
    for _ in 0..100 {
        assert_eq!(lane.allowance(START, 1472), u64::MAX);
        lane.sent_blocks(64, 1472);
    }
}

#[test]
fn a_slow_link_has_enough_for_a_whole_packet_after_a_while() {
    for bits in [LOAD_RATE_MIN_BITS, 2_500_000, 3_100_000, 10_000_000] {
        let mut budget = Budget::new(START, LinkRate::Given(bits));
        budget.take(10 * PACKET_OCTETS);
        let at = budget.next(PACKET_OCTETS);
        assert!(at > START && budget.allowance(at, PACKET_OCTETS) >= 1, "{bits} bits per second");
    }
}

#[test]
fn what_a_late_wake_up_missed_is_made_up_for_by_tcp_alone() {
    let mut budget = Budget::new(START, LinkRate::Given(1000 * MBIT));
    let at_once = budget.burst_octets();
    let millisecond = budget.rate() / 1000;
    let late = START + Duration::from_millis(5);
    let blocks = |budget: &mut Budget| budget.allowance(late, 1000) * 1000;
    let found = blocks(&mut budget);
    assert!((at_once * 98 / 100..=at_once * 101 / 100).contains(&found), "{found} of {at_once}");
    let pieces = budget.piece_octets(late);
    assert!((at_once + 4 * millisecond..=at_once + 6 * millisecond).contains(&pieces), "{pieces}");
    // What is made up for is taken from that first: blocks find what they would have found.
    budget.take_piece(4 * millisecond);
    assert!(blocks(&mut budget) >= at_once * 98 / 100);
    let rest = budget.piece_octets(late);
    budget.take_piece(rest);
    assert_eq!((blocks(&mut budget), budget.piece_octets(late)), (0, 0));
    let much_later = START + Duration::from_secs(60);
    assert!(budget.piece_octets(much_later) <= at_once + 8 * millisecond);
}

/// As fast as no usual link is only a processor, whose pace is another one from moment to moment.
#[test]
fn a_processor_is_not_taken_for_a_link() {
    let sockets = |mbit| Weather { demand: Demand::Tcp, queue_octets: 200_000_000, ..link(mbit) };
    let mut run = Run::new(LinkRate::Measured);
    run.ticks(100, &sockets(45_000));
    assert!(run.mbit() >= 45_000 && run.budget.ceiling_bits().is_none(), "{} Mbit/s", run.mbit());
    // Others have the processor for a second.
    run.ticks(20, &sockets(15_000));
    run.ticks(1, &sockets(45_000));
    assert!(run.mbit() >= 45_000, "{} Mbit/s", run.mbit());
    // Then the processor is that of the clients, and after that somebody loads by TFTP: the link counts again.
    run.ticks(200, &link(20_000));
    assert!((16_000..=20_400).contains(&run.mbit()), "{} Mbit/s", run.mbit());
    // What was found then is forgotten as soon as TCP is alone again.
    run.ticks(60, &sockets(45_000));
    assert!(run.mbit() >= 45_000, "{} Mbit/s", run.mbit());
    // Links are links, and who says how fast they are is believed.
    for (rate, mbit) in [(LinkRate::Measured, 10_000), (LinkRate::Given(40_000 * MBIT), 40_000)] {
        let mut run = Run::new(rate);
        run.ticks(200, &sockets(mbit));
        let found = run.mbit() * 1000 / mbit;
        assert!((800..=1020).contains(&found), "{rate:?}: {found} of 1000");
        assert!(run.budget.ceiling_bits().is_some());
    }
}

#[test]
fn tokens_that_are_left_over_are_no_limit() {
    let mut budget = Budget::new(START, LinkRate::Given(1000 * MBIT));
    let tick = budget.rate() / 20;
    for (used, is_used_up) in [(0, false), (tick / 3, false), (tick * 2 / 3, true), (tick, true)] {
        budget.take(used / 2);
        budget.take_others(used - used / 2);
        assert_eq!(budget.is_used_up(), is_used_up, "{used} of {tick}");
    }
}

/// An outage in the very second in which a rate is doubted looks as if lowering it did not help, and what was lost is taken for chance: half of all. Queues that overflow afterwards, by clients in lock-step for whom nobody
/// waits, are noticed nevertheless.
#[test]
fn what_was_taken_for_chance_is_put_to_the_test_again() {
    let mut run = Run::new(LinkRate::Measured);
    run.ticks(100, &link(100));
    (run.budget.phase, run.budget.chance_per_mille, run.budget.ticks_believed) = (Phase::Starting, 500, 0);
    run.budget.set(1000 * MBIT / 8);
    run.ticks(500, &Weather { demand: Demand::LockStep, ..link(100) });
    let dropped = run.dropped_total;
    run.ticks(100, &Weather { demand: Demand::LockStep, ..link(100) });
    assert_eq!(run.dropped_total - dropped, 0, "{} Mbit/s, {:?}", run.mbit(), run.budget.phase);
}
