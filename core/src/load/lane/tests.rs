use super::*;
use crate::limit::LOAD_TICK;
use crate::load::LinkRate;
use crate::load::sense::Tick;

const START: Time = Time::from_nanoseconds(1_000_000_000_000);
const PAYLOAD: u64 = 1472;
const MBIT: u64 = 1_000_000;

fn lane(mbit: u64) -> Lane<u32> {
    let rate = LinkRate::Given(mbit * MBIT);
    Lane::new(START, &Link::new(rate), Control::All)
}

fn wish(order: u64, served: Time) -> Wish {
    Wish { rank: Rank(1, order), served, opens: false, alone: Duration::ZERO }
}

/// Everybody wants a packet at every moment, for so long. How many packets each one got.
fn everybody(lane: &mut Lane<u32>, count: u32, seconds: u64) -> Vec<u64> {
    let mut now = START;
    let mut got = vec![0; count as usize];
    let mut places: Vec<Place> =
        (0..count).map(|who| lane.enter(now, who, wish(who.into(), START))).collect();
    let mut tick = now + LOAD_TICK;
    while now < START + Duration::from_secs(seconds) {
        if now >= tick {
            lane.tick();
            tick = tick + LOAD_TICK;
        }
        while let Some(who) = lane.next(now) {
            if lane.allowance(now, PAYLOAD) == 0 {
                break;
            }
            lane.sent_blocks(1, PAYLOAD);
            lane.delivered_blocks(1, PAYLOAD, 1468);
            lane.leave(who, places[who as usize]);
            got[who as usize] += 1;
            places[who as usize] = lane.enter(now, who, wish(who.into(), now));
        }
        now = lane.refilled_at().max(now).min(tick);
    }
    got
}

#[test]
fn the_first_run_at_full_speed_and_nobody_is_forgotten() {
    // How many on which link, and how often each of the last has to be served in ten seconds at the least.
    for (count, mbit, least) in [(10, 100, 18), (100, 100, 18), (1000, 100, 6), (10_000, 1000, 6)] {
        let mut lane = lane(mbit);
        // What everybody still wants is far more than what one would take alone.
        (0..count).for_each(|_| lane.join(0));
        lane.expect(1 << 30);
        let got = everybody(&mut lane, count, 10);
        let (first, fewest) = (got[0], *got.iter().min().unwrap());
        assert!(fewest >= least, "{count} on {mbit} Mbit/s: one got {fewest}");
        assert!(first > 20 * fewest, "{count} on {mbit} Mbit/s: the first got {first}, the last {fewest}");
        let octets = got.iter().sum::<u64>() * wire_octets(PAYLOAD);
        let used = octets * 8 / 10 * 1000 / (mbit * MBIT);
        assert!((960..=1000).contains(&used), "{count} on {mbit} Mbit/s: {used} of 1000");
    }
}

#[test]
fn regimes_follow_the_load() {
    let mut lane = lane(100);
    assert_eq!(lane.regime(), Regime::Paced);
    let after = |count| {
        let mut lane = lane.clone();
        everybody(&mut lane, count, 2);
        lane.regime()
    };
    // A packet for each of 20,000 takes more than two seconds of 100 Mbit/s.
    for (count, expected) in
        [(3, Regime::RoundRobin), (1000, Regime::RoundRobin), (20_000, Regime::Deferring)]
    {
        assert_eq!(after(count), expected, "{count}");
    }
    // It is over as soon as half a second passes without anybody having to wait.
    everybody(&mut lane, 20_000, 2);
    lane.tick();
    for tick in 0..10 {
        assert_ne!(lane.regime(), Regime::Paced, "tick {tick}");
        lane.tick();
    }
    assert_eq!(lane.regime(), Regime::Paced);
}

#[test]
fn who_is_new_waits_only_when_it_has_to() {
    let opens = |lane: &mut Lane<u32>| {
        let now = START + Duration::from_secs(3);
        lane.enter(now, 77, Wish { opens: true, ..wish(77, now) }).deadline.since(now)
    };
    let mut idle = lane(100);
    assert_eq!(opens(&mut idle), Duration::ZERO);
    let mut full = lane(100);
    (0..20_000).for_each(|_| full.join(0));
    full.expect(1 << 30);
    everybody(&mut full, 20_000, 3);
    assert_eq!((full.regime(), opens(&mut full)), (Regime::Deferring, LOAD_SERVED_WITHIN_MAX));
}

#[test]
fn who_would_be_last_for_his_own_slowness_is_served_at_once() {
    let at_once = |lane: &mut Lane<u32>, alone| {
        let place = lane.enter(START, 7, Wish { alone: Duration::from_secs(alone), ..wish(7, START) });
        lane.leave(7, place);
        place.deadline == START
    };
    // 2000 machines want 60 MB each: 97 s of the link.
    let mut fast = lane(10_000);
    (0..2000).for_each(|_| fast.join(0));
    fast.expect(60_000_000);
    assert!(!at_once(&mut fast, 42) && !at_once(&mut fast, 80) && at_once(&mut fast, 90));
    // 100 machines want 12 MB each: as long.
    let mut lane = lane(100);
    (0..100).for_each(|_| lane.join(0));
    lane.expect(12_000_000);
    assert!(!at_once(&mut lane, 80) && at_once(&mut lane, 90));
    // Half of it is done.
    lane.delivered_blocks(1, PAYLOAD, 600_000_000);
    assert!(!at_once(&mut lane, 40) && at_once(&mut lane, 45));
    // The others are done: what they were served does not count any more.
    (0..99).for_each(|_| lane.part(6_000_000));
    assert!(at_once(&mut lane, 1));
}

#[test]
fn windows_have_room_for_all_in_half_a_second() {
    for (mbit, transfers, expected) in [
        (100, 1, 64),
        (100, 50, 64),
        (100, 100, 40),
        (100, 1000, 4),
        (100, 10_000, 1),
        (1000, 1000, 40),
        (10_000, 1000, 64),
    ] {
        assert_eq!(lane(mbit).window_max(transfers), expected, "{transfers} on {mbit} Mbit/s");
    }
}

#[test]
fn others_count_and_our_own_do_not_count_twice() {
    let mut lane = lane(100);
    let burst = lane.allowance(START, PAYLOAD);
    lane.sent_blocks(burst, PAYLOAD);
    let later = START + LOAD_TICK;
    // All that went out by the interface was ours: as if nothing had been told.
    lane.carried(burst * wire_octets(PAYLOAD));
    assert_eq!(lane.allowance(later, PAYLOAD), burst);
    lane.carried(burst * wire_octets(PAYLOAD));
    assert_eq!(lane.allowance(later, PAYLOAD), 0);
}

/// What was granted and did not leave is there for others, and is neither what was sent nor what was lost.
#[test]
fn what_did_not_leave_is_taken_off_and_no_more_than_that() {
    let mut lane = lane(100);
    let burst = lane.allowance(START, PAYLOAD);
    lane.sent_blocks(burst, PAYLOAD);
    lane.lost_blocks(3);
    assert_eq!(lane.allowance(START, PAYLOAD), 0);
    lane.unsent_blocks(burst - 1, PAYLOAD, 2);
    assert_eq!(lane.allowance(START, PAYLOAD), burst - 1);
    let octets = wire_octets(PAYLOAD);
    let counted = |lane: &Lane<u32>| {
        let Tick { sent_octets, sent_packets, lost_packets, .. } = lane.sense.current;
        (sent_octets, sent_packets, lost_packets, lane.sent_octets)
    };
    assert_eq!(counted(&lane), (octets, 1, 1, octets));
    // Others' packets are seen as soon as ours are told that went out.
    lane.carried(octets);
    assert_eq!((lane.allowance(START, PAYLOAD), counted(&lane).3), (burst - 1, 0));
    // It may be told when the tick is over, or when the links are others: nothing is below zero, and there is no more than there is room for.
    lane.tick();
    lane.unsent_blocks(100, PAYLOAD, 5);
    lane.unsent_to_nobody(100, PAYLOAD);
    assert_eq!(counted(&lane), (0, 0, 0, 0));
    assert_eq!(lane.allowance(START, PAYLOAD), burst);
    assert!(!lane.budget.is_used_up());
}
