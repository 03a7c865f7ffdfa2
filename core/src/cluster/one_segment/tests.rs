use super::*;
use std::time::Duration;

const NOW: Time = Time::from_nanoseconds(1_000_000_000_000);

fn mac(number: u32) -> Mac {
    let [_, a, b, c] = number.to_be_bytes();
    Mac([2, 0, 0, a, b, c])
}

fn word(number: u32, xid: u32) -> Word {
    Word { mac: mac(number), message_type: 1, xid }
}

#[test]
fn what_two_interfaces_hear_within_a_moment_is_one_segment() {
    let mut segments = Segments::default();
    let everything = |_: &str| true;
    assert_eq!(segments.hear(NOW, word(1, 7), "eth5"), Heard { first: Some(NOW), told: vec![] });
    // The client repeats itself where it is.
    assert!(segments.hear(NOW, word(1, 7), "eth5").told.is_empty());
    assert!(!segments.is_heard_by(NOW, word(1, 7), "eth1"));
    assert!(segments.recent(NOW, everything).is_empty());
    let a_little_later = NOW + Duration::from_millis(20);
    let heard = segments.hear(a_little_later, word(1, 7), "eth1");
    assert_eq!(heard.first, Some(NOW));
    assert!(
        heard.told[0].starts_with("eth1 and eth5 are one segment: both hear what 02:00:00:00:00:01 says")
    );
    assert!(segments.is_heard_by(a_little_later, word(1, 7), "eth5"));
    assert!(!segments.is_heard_by(a_little_later, word(1, 8), "eth5"), "that is something else");
    // It is told of in the journal once an hour, and in the status for an hour.
    for interface in ["eth1", "eth5"] {
        assert!(segments.hear(a_little_later, word(2, 7), interface).told.is_empty());
    }
    assert_eq!(segments.recent(a_little_later, everything).len(), 1);
    assert!(segments.recent(a_little_later, |name| name != "eth5").is_empty());
    let an_hour_later = a_little_later + ONE_SEGMENT_TOLD_EVERY;
    assert!(segments.recent(an_hour_later, everything).is_empty());
    segments.hear(an_hour_later, word(3, 7), "eth1");
    assert_eq!(segments.hear(an_hour_later, word(3, 7), "eth5").told.len(), 1);
}

/// Another transaction, another message, another client, or the same after its moment: that is a machine which was moved, or nothing at all.
#[test]
fn what_is_not_the_same_says_nothing() {
    for (later, other) in [
        (Duration::ZERO, word(1, 8)),
        (Duration::ZERO, word(2, 7)),
        (Duration::ZERO, Word { message_type: 3, ..word(1, 7) }),
        (SAID_TWICE_WITHIN, word(1, 7)),
    ] {
        let mut segments = Segments::default();
        segments.hear(NOW, word(1, 7), "eth1");
        let heard = segments.hear(NOW + later, other, "eth5");
        assert_eq!(heard, Heard { first: Some(NOW + later), told: vec![] }, "{other:?}");
    }
}

#[test]
fn no_more_is_kept_than_there_is_room_for() {
    let mut segments = Segments::default();
    let most = u32::try_from(SAID_MAX).unwrap();
    for client in 0..most {
        assert_eq!(segments.hear(NOW, word(client, 7), "eth1").first, Some(NOW));
    }
    assert_eq!(segments.hear(NOW, word(most, 7), "eth1").first, None);
    assert_eq!(segments.said.len(), SAID_MAX);
    let later = NOW + SAID_TWICE_WITHIN;
    assert_eq!(segments.hear(later, word(most, 7), "eth1").first, Some(later));
    assert_eq!(segments.said.len(), 1);
}
