use super::*;
use std::time::Duration;

const START: Time = Time::from_nanoseconds(1_000_000_000_000);

fn place(rank: u64, milliseconds: u64) -> Place {
    Place { rank: Rank(1, rank), deadline: START + Duration::from_millis(milliseconds) }
}

/// Everybody who waits, in the order in which they are served if it all happens now.
fn served(ring: &Ring<char>, now: Time, places: &[(char, Place)]) -> String {
    let mut ring = ring.clone();
    let mut order = String::new();
    while let Some(who) = ring.next(now) {
        let place = places.iter().find(|(name, _)| *name == who).map(|(_, place)| *place).unwrap();
        ring.remove(who, place);
        order.push(who);
    }
    order
}

#[test]
fn deadlines_come_before_ranks_and_ranks_before_nothing() {
    let places = [('a', place(3, 900)), ('b', place(1, 500)), ('c', place(2, 400)), ('d', place(4, 100))];
    let mut ring = Ring::default();
    for (who, place) in places {
        ring.insert(who, place);
    }
    for (milliseconds, expected) in [(0, "bcad"), (100, "dbca"), (450, "dcba"), (500, "dcba"), (2000, "dcba")]
    {
        let now = START + Duration::from_millis(milliseconds);
        assert_eq!(served(&ring, now, &places), expected, "after {milliseconds} ms");
    }
}

#[test]
fn who_has_begun_a_window_finishes_it() {
    let mut ring = Ring::default();
    ring.insert('a', place(1, 0));
    ring.insert('b', place(2, 900));
    ring.begun('b');
    assert_eq!(ring.next(START), Some('b'));
    ring.remove('b', place(2, 900));
    assert_eq!((ring.next(START), ring.len()), (Some('a'), 1));
    ring.remove('a', place(1, 0));
    assert_eq!((ring.next(START), ring.len()), (None, 0));
}

#[test]
fn who_was_served_little_comes_before_who_was_there_first() {
    assert!(Rank(0, 9) < Rank(1, 1) && Rank(1, 1) < Rank(1, 2) && Rank(1, 2) < Rank(2, 0));
}
