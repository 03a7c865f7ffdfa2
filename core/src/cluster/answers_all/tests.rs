use super::*;
use std::time::Duration;

fn seconds(seconds: u64) -> Time {
    Time::from_nanoseconds(1_000_000_000_000) + Duration::from_secs(seconds)
}

fn mac(last: u8) -> Mac {
    Mac([2, 0, 0, 0, 0, last])
}

#[test]
fn who_has_stopped_answering_for_all_is_believed_again() {
    let mut all = AnswersAll::default();
    assert!(!all.hear(seconds(0), mac(1)));
    all.insert(seconds(0), mac(1));
    for second in [1, 599, 1198] {
        assert!(all.hear(seconds(second), mac(1)), "after {second} s");
    }
    assert_eq!(all.iter(seconds(1797)).collect::<Vec<_>>(), [mac(1)]);
    assert!(!all.hear(seconds(1798), mac(1)));
}

#[test]
fn the_one_that_was_silent_longest_gives_way() {
    let mut all = AnswersAll::default();
    let most = u8::try_from(ANSWERS_ALL_MAX).unwrap();
    for last in 0..=most {
        all.insert(seconds(last.into()), mac(last));
    }
    assert_eq!(all.iter(seconds(100)).count(), ANSWERS_ALL_MAX);
    assert!(!all.hear(seconds(100), mac(0)) && all.hear(seconds(100), mac(1)));
}
