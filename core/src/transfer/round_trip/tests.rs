use super::*;

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// RFC 6298 2.2: of the first measurement 300 ms, which is it and four times its half; RFC 6298 2.3: of many that are alike it is what they are.
#[test]
fn the_interval_follows_what_is_measured() {
    let mut quick_at_last = [1; 100];
    quick_at_last[0] = 60_000;
    let table: &[(&str, &[u64], u64, u64)] = &[
        ("nothing yet", &[], 500, 0),
        ("a quick one", &[1], 20, 1),
        ("steady and quick", &[1; 50], 20, 1),
        ("one of 100 ms", &[100], 300, 100),
        ("steady 100 ms", &[100; 50], 100, 100),
        ("a client that was stopped", &[60_000], 2000, 2000),
        ("quick for long after it", &quick_at_last, 20, 1),
    ];
    for (what, samples, resend, least) in table {
        let mut trip = RoundTrip::default();
        samples.iter().for_each(|sample| trip.measure(ms(*sample)));
        let difference = trip.resend_after().abs_diff(ms(*resend));
        assert!(
            difference <= ms(1 + resend / 10),
            "{what}: {:?} is not about {resend} ms",
            trip.resend_after()
        );
        assert_eq!(trip.least().unwrap_or_default(), ms(*least), "{what}");
    }
}

/// RFC 1123 4.2.3.2: an adaptive time-out, with an exponential back-off.
#[test]
fn silence_doubles_the_interval_up_to_a_second_and_a_measurement_ends_it() {
    let mut trip = RoundTrip::default();
    trip.measure(ms(1));
    let mut intervals = Vec::new();
    for _ in 0..7 {
        intervals.push(trip.resend_after());
        trip.double();
    }
    assert_eq!(intervals, [20, 40, 80, 160, 320, 640, 1000].map(ms));
    for _ in 0..1000 {
        trip.double();
    }
    assert_eq!(trip.resend_after(), ms(1000));
    trip.measure(ms(1));
    assert_eq!(trip.resend_after(), ms(20));

    let mut slow = RoundTrip::default();
    slow.measure(ms(2000));
    slow.double();
    assert_eq!(slow.resend_after(), ms(2000), "never sooner than a round trip");
}
