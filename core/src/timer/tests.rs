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
    assert_eq!(timers.armed.len() + timers.moments.len(), 2);
}
