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
    assert_eq!((since.at(), since.is_known()), (later - Duration::from_secs(60), true));
    assert_eq!(since.seconds(calendar), Some(CALENDAR - 60), "as it was kept");
    // The calendar is set while we run.
    since.place(later, Wall((CALENDAR + 1000) * 1_000_000_000));
    assert_eq!((since.at(), since.is_known()), (later - Duration::from_secs(1060), true));
    // What happened here has its moment, whatever the calendar says.
    let mut since = Since::now(later);
    since.place(later, wall(CALENDAR + 1000));
    assert_eq!(since, Since::now(later));
}

/// A head without a battery boots in 1970, and is set right a minute later.
#[test]
fn what_is_yet_to_come_is_known_when_the_calendar_is_set() {
    let mut since = Since::restored(START, Some(CALENDAR));
    for (seconds, is_known) in
        [(0, false), (CALENDAR + 300, true), (CALENDAR - 1, false), (CALENDAR + 60, true)]
    {
        let now = START + Duration::from_secs(60);
        since.place(now, Wall(seconds * 1_000_000_000));
        assert_eq!(since.is_known(), is_known);
        let ago = Duration::from_secs(seconds.saturating_sub(CALENDAR));
        assert_eq!(since.at(), if is_known { now - ago } else { START });
        assert_eq!(since.seconds(Some((now, wall(seconds)))), Some(CALENDAR), "it is kept as it was");
    }
}

#[test]
fn what_is_not_known_is_the_servers_start() {
    // A record of an earlier version, and one that a calendar wrote that was put back.
    for seconds in [None, Some(CALENDAR + 60)] {
        let mut since = Since::restored(START, seconds);
        since.place(START + Duration::from_secs(1), wall(CALENDAR));
        assert_eq!((since.at(), since.is_known(), since.seconds(None)), (START, false, seconds));
    }
}
