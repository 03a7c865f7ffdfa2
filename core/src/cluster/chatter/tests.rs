use super::*;

const START: Time = Time::from_nanoseconds(1_000_000_000_000);

fn mac(number: u32) -> Mac {
    let [a, b, c, d] = number.to_be_bytes();
    Mac([2, 0, a, b, c, d])
}

fn seconds(seconds: u64) -> Time {
    START + Duration::from_secs(seconds)
}

#[test]
fn what_one_host_says_too_often_is_counted_and_told_at_the_end_of_the_minute() {
    let mut chatter = Chatter::default();
    for _ in 0..HOST_LINES_PER_MINUTE_MAX {
        assert_eq!(chatter.line(seconds(0), mac(1)), Line::Told);
    }
    assert_eq!(chatter.line(seconds(1), mac(1)), Line::LeftOut(Some(seconds(60))));
    assert_eq!(chatter.line(seconds(2), mac(1)), Line::LeftOut(None));
    assert_eq!(chatter.line(seconds(2), mac(2)), Line::Told, "another one");
    assert_eq!(chatter.line(seconds(60), mac(1)), Line::LeftOut(None), "it is not told yet");
    assert_eq!(chatter.end(), (vec![(mac(1), 3)], 0));
    assert_eq!(chatter.line(seconds(60), mac(1)), Line::Told);
    // A minute without too much begins anew by itself.
    for minute in 2..9 {
        for _ in 0..HOST_LINES_PER_MINUTE_MAX {
            assert_eq!(chatter.line(seconds(60 * minute), mac(1)), Line::Told);
        }
    }
}

/// Hardware addresses cost nothing to make up.
#[test]
fn a_flood_of_hosts_fills_no_memory() {
    let mut chatter = Chatter::default();
    let most = u32::try_from(CHATTERERS_MAX).expect("it is small");
    let told = (0..10 * most).filter(|number| chatter.line(seconds(0), mac(*number)) == Line::Told).count();
    assert_eq!((told, chatter.hosts.len()), (CHATTERERS_MAX, CHATTERERS_MAX));
    assert_eq!(chatter.end(), (vec![], 9 * u64::from(most)));
}
