use super::*;

const fn at(nanoseconds: u64) -> Time {
    Time::from_nanoseconds(nanoseconds)
}

#[test]
fn things_come_in_the_order_of_their_moments() {
    let mut timers = Timers::default();
    for (moment, thing) in [(5, 'a'), (3, 'b'), (9, 'c')] {
        timers.arm(at(moment), thing);
    }
    assert_eq!((timers.next(), timers.due(at(2))), (Some(at(3)), None));
    let due: String = std::iter::from_fn(|| timers.due(at(5))).collect();
    assert_eq!((due.as_str(), timers.next()), ("ba", Some(at(9))));
}

#[test]
fn a_thing_has_one_moment_the_earliest_that_was_armed() {
    let mut timers = Timers::default();
    for moment in [7, 5, 6, 5, 9] {
        timers.arm(at(moment), 'a');
    }
    assert_eq!((timers.due(at(9)), timers.next()), (Some('a'), None));
    // However often a lease of half a day is renewed.
    for moment in 0..100_000 {
        timers.arm(at(1_000_000 + moment), 'a');
    }
    assert_eq!(timers.queue.len() + timers.moments.len(), 2);
}

#[test]
fn a_moment_that_was_left_behind_wakes_nobody() {
    let mut timers = Timers::default();
    timers.arm(at(9), 'a');
    timers.arm(at(3), 'a');
    timers.arm(at(12), 'b');
    assert_eq!((timers.due(at(5)), timers.due(at(5)), timers.next()), (Some('a'), None, Some(at(12))));
    // Armed for the very moment that was left behind: once.
    timers.arm(at(11), 'b');
    timers.arm(at(10), 'b');
    assert_eq!((timers.due(at(10)), timers.next()), (Some('b'), None));
    timers.arm(at(11), 'b');
    assert_eq!((timers.due(at(20)), timers.due(at(20))), (Some('b'), None));
}

#[test]
fn what_is_left_behind_is_cleared_away() {
    let mut timers = Timers::default();
    for round in 0..1000 {
        // A probe, again and again, of an address whose lease lasts for long.
        timers.arm(at(1_000_000 + round), 'a');
        timers.arm(at(round), 'a');
        assert_eq!(timers.due(at(round)), Some('a'));
        timers.arm(at(2_000_000), 'z');
        assert!(timers.queue.len() <= 2 * timers.moments.len() + LEFT_BEHIND_MAX, "round {round}");
    }
    assert_eq!(timers.next(), Some(at(2_000_000)));
}
