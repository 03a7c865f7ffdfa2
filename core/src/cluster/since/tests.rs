use super::*;
use std::time::Duration;

/// A server's clock begins somewhere.
const START: Time = Time::from_nanoseconds(1 << 60);
const CALENDAR: u64 = 1_795_344_312;

fn wall(seconds: u64) -> Wall {
    Wall(seconds * 1_000_000_000 + 999)
}

#[test]
fn what_was_kept_by_the_calendar_is_placed_by_it() {
    let later = START + Duration::from_secs(100);
    let calendar = Some((later, wall(CALENDAR)));
    let since = Since::now(START + Duration::from_secs(40));
    assert_eq!(since.seconds(calendar), Some(CALENDAR - 60));
    assert_eq!(Since::now(START + Duration::from_secs(140)).seconds(calendar), Some(CALENDAR + 40));
    assert_eq!(since.seconds(None), None, "nobody has said what day it is");

    let mut since = Since::restored(START, Some(CALENDAR - 60));
    assert_eq!((since.at(), since.is_known()), (START, false));
    assert_eq!(since.seconds(None), Some(CALENDAR - 60), "it is kept as it was");
    since.place(later, Wall(CALENDAR * 1_000_000_000));
    assert_eq!(since, Since::now(later - Duration::from_secs(60)));
    // Whatever the calendar says afterwards.
    since.place(later, wall(CALENDAR + 1000));
    assert_eq!(since, Since::now(later - Duration::from_secs(60)));
}

#[test]
fn what_is_not_known_is_the_servers_start() {
    // A record of an earlier version, and one that a calendar wrote that was put back.
    for seconds in [None, Some(CALENDAR + 60)] {
        let mut since = Since::restored(START, seconds);
        since.place(START + Duration::from_secs(1), wall(CALENDAR));
        assert_eq!((since.at(), since.is_known(), since.seconds(None)), (START, false, None));
    }
}
