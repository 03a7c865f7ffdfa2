use super::*;

const START: Time = Time::from_nanoseconds(1_000_000_000_000_000);
const DELAY: Duration = Duration::from_micros(30);

/// When frames of these sizes come out, in nanoseconds after the first came to the link; None: dropped. All come at the given nanoseconds.
fn out(link: &mut Link, frames: &[(u64, u64)]) -> Vec<Option<u64>> {
    let mut arrival = |(at, octets): &(u64, u64)| {
        let out = link.take(START + Duration::from_nanos(*at), *octets).ok()?;
        Some(out.as_nanoseconds() - START.as_nanoseconds())
    };
    frames.iter().map(&mut arrival).collect()
}

#[test]
fn a_frame_takes_its_octets_and_the_delay() {
    for (rate, octets, expected) in [
        (1_000_000_000, 1538, 12_304 + 30_000),
        (100_000_000, 1538, 123_040 + 30_000),
        (10_000_000_000, 1538, 1_231 + 30_000), // 1230.4
        (1_000_000_000, 84, 672 + 30_000),
    ] {
        assert_eq!(out(&mut Link::new(rate, 256_000, DELAY), &[(0, octets)]), [Some(expected)], "{rate}");
    }
}

#[test]
fn frames_go_one_after_the_other_and_an_idle_link_saves_nothing() {
    let mut link = Link::new(1_000_000_000, 256_000, Duration::ZERO);
    let came = out(&mut link, &[(0, 1000), (0, 1000), (4_000, 500), (100_000, 1000)]);
    assert_eq!(came, [Some(8_000), Some(16_000), Some(20_000), Some(108_000)]);
    assert_eq!((link.passed_octets(), link.dropped()), (3500, 0));
}

#[test]
fn fractions_of_a_nanosecond_are_not_lost() {
    let mut link = Link::new(10_000_000_000, u64::from(u32::MAX), Duration::ZERO);
    let frames = vec![(0, 1538); 100_000];
    assert_eq!(out(&mut link, &frames).pop(), Some(Some(123_040_000)));
}

#[test]
fn what_does_not_fit_is_dropped_and_there_is_room_again_later() {
    let mut link = Link::new(1_000_000_000, 3000, Duration::ZERO);
    let came = out(&mut link, &[(0, 1500), (0, 1500), (0, 84), (12_000, 1500), (12_000, 1)]);
    assert_eq!(came, [Some(12_000), Some(24_000), None, Some(36_000), None]);
    assert_eq!((link.dropped(), link.waiting_octets_max()), (2, 3000));
    assert_eq!(link.waiting_octets(START + Duration::from_nanos(24_000)), 1500);
    assert_eq!(link.waiting_octets(START + Duration::from_nanos(90_000)), 0);
}
