use super::*;

#[test]
fn stamps_are_calendar_dates() {
    let now = Time::from_nanoseconds(50_000_000_000);
    for (wall_seconds, age, stamp) in [
        (0, 0, "1970-01-01T00:00:00.000Z"),
        (951_782_400, 0, "2000-02-29T00:00:00.000Z"),
        (951_868_800, 0, "2000-03-01T00:00:00.000Z"),
        (1_735_689_599, 0, "2024-12-31T23:59:59.000Z"),
        (1_795_344_312, 2, "2026-11-22T10:45:10.000Z"),
        (4_107_542_399, 0, "2100-02-28T23:59:59.000Z"),
        (4_107_542_400, 0, "2100-03-01T00:00:00.000Z"),
    ] {
        let wall = Wall(wall_seconds * 1_000_000_000);
        assert_eq!(wall.stamp(now, now - Duration::from_secs(age)), stamp);
    }
    let wall = Wall(1_795_344_312_000_000_000);
    assert_eq!(
        wall.stamp(now, now + Duration::from_secs(60)),
        "2026-11-22T10:46:12.000Z",
        "what is yet to come"
    );
}

#[test]
fn what_is_yet_to_come_is_no_time_ago() {
    let now = Time::from_nanoseconds(5);
    assert_eq!(now.since(now + Duration::from_secs(1)), Duration::ZERO);
    assert_eq!(now - Duration::from_secs(1), Time::from_nanoseconds(0));
}

#[test]
fn spans_are_told_as_people_tell_them() {
    for (seconds, told) in [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min 0 s"),
        (252, "4 min 12 s"),
        (3_600 * 3 + 300, "3 h 5 min"),
        (86_400 * 2 + 3_600 * 7, "2 d 7 h"),
        (86_400 * 365, "1 year 0 d"),
        (157_680_233, "5 years 0 d"),
    ] {
        assert_eq!(span(Duration::from_secs(seconds)), told);
    }
}
