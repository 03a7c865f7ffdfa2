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
fn a_host_is_told_of_once_an_hour_and_anew_if_it_is_for_another_reason() {
    let mut hosts = Unanswered::default();
    for (at, why, is_told) in [
        (0, Why::NoRange, true),
        (4, Why::NoRange, false),
        (3599, Why::NoRange, false),
        (3600, Why::NoRange, true),
        (3604, Why::NoRange, false),
        (3605, Why::NoneLeft, true),
    ] {
        assert_eq!(hosts.note(seconds(at), mac(1), 0, why), is_told, "{at} s");
    }
    let host = hosts.get(mac(1)).expect("it still asks");
    assert_eq!((host.first, host.last, host.count), (seconds(3605), seconds(3605), 1), "for this reason");
    hosts.forget(mac(1));
    assert_eq!((hosts.count(), hosts.last()), (0, None));
}

/// Hardware addresses cost nothing to make up.
#[test]
fn a_flood_fills_neither_memory_nor_journal() {
    let mut hosts = Unanswered::default();
    let most = u32::try_from(UNANSWERED_MAX).expect("it is small");
    let mut lines = 0;
    for number in 0..10 * most {
        // A thousand each second.
        let at = START + Duration::from_millis(u64::from(number));
        lines += u32::from(hosts.note(at, mac(number), 0, Why::NoneLeft));
        assert!(hosts.count() <= UNANSWERED_MAX && hosts.in_order.len() == hosts.count());
    }
    assert_eq!(lines, UNANSWERED_LINES_PER_MINUTE_MAX, "within ten seconds");
    assert_eq!(hosts.last().map(|(mac, _)| mac), Some(mac(10 * most - 1)), "the newest displace the oldest");
    assert!(hosts.get(mac(9 * most - 1)).is_none() && hosts.get(mac(9 * most)).is_some());
    // Who was not told of then is told of later.
    assert!(hosts.note(seconds(61), mac(10 * most - 1), 0, Why::NoneLeft));
}
