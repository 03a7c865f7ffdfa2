use super::*;

const START: Time = Time::from_nanoseconds(5_000_000_000_000);

fn at(seconds: u64) -> Time {
    START + Duration::from_secs(seconds)
}

fn mac(number: usize) -> Mac {
    let [.., a, b, c] = number.to_be_bytes();
    Mac([0x52, 0x54, 0, a, b, c])
}

const OURS: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);

fn by(relay: Option<&[u8]>) -> Way<'_> {
    Way::Placed(relay, OURS)
}

#[test]
fn the_last_word_counts() {
    let mut heard = Heard::default();
    heard.note(at(0), mac(1), None, by(Some(b"port 1")));
    heard.note(at(1), mac(1), Some(b"\x01rom"), by(Some(b"port 1")));
    heard.note(at(2), mac(1), Some(b"\xffsystem"), by(Some(b"port 2")));
    heard.note(at(3), mac(1), Some(b"\xffsystem"), by(None));
    let said = Said {
        at: at(3),
        xid: 0,
        identifier: Some(b"\xffsystem".into()),
        relay: None,
        placed: Some(OURS),
        is_sure: true,
        surely: None,
        granted: None,
        firmware: None,
        called_in_vain: None,
    };
    assert_eq!(heard.get(mac(1)), Some(&said));
    assert_eq!(heard.by_identifier(b"\xffsystem"), Some(mac(1)));
    assert_eq!(heard.by_identifier(b"\x01rom"), None, "it no longer calls itself so");
    // Another machine with the identifier of a copied disk: whoever said it last.
    heard.note(at(4), mac(2), Some(b"\xffsystem"), by(None));
    assert_eq!(heard.by_identifier(b"\xffsystem"), Some(mac(2)));
    heard.note(at(5), mac(1), None, by(None));
    assert_eq!(heard.by_identifier(b"\xffsystem"), Some(mac(2)), "still the other's");
    // What is longer than an option is not kept.
    heard.note(at(6), mac(2), Some(&[7; 256]), by(None));
    assert_eq!(heard.get(mac(2)).and_then(|said| said.identifier.clone()), None);
}

/// RFC 4388 6.1: the time since a client was heard last is told in seconds. So what comes within one is one word, and what it says counts all the same.
#[test]
fn what_comes_within_a_second_is_one_word() {
    let mut heard = Heard::default();
    let milliseconds = |milliseconds| at(0) + Duration::from_millis(milliseconds);
    for (now, relay, noted) in [
        (milliseconds(0), &b"port 1"[..], at(0)),
        (milliseconds(999), b"port 2", at(0)),
        (milliseconds(1000), b"port 2", milliseconds(1000)),
        (milliseconds(1999), b"port 2", milliseconds(1000)),
        (milliseconds(2000), b"port 2", milliseconds(2000)),
    ] {
        heard.note(now, mac(1), None, by(Some(relay)));
        let said = heard.get(mac(1)).unwrap();
        assert_eq!((said.at, said.relay.as_deref()), (noted, Some(relay)));
    }
    // Another identifier is another word whenever it comes.
    heard.note(milliseconds(2001), mac(1), Some(b"\xffsystem"), by(None));
    assert_eq!(heard.get(mac(1)).map(|said| said.at), Some(milliseconds(2001)));
}

#[test]
fn what_a_relay_said_holds_where_none_has_a_word() {
    let mut heard = Heard::default();
    let here = |ours| ours == OURS;
    heard.note(at(0), mac(1), None, Way::Straight);
    assert_eq!(heard.relay(mac(1), here), None, "before the start somebody may have said something");
    heard.note(at(1), mac(1), None, by(Some(b"port 1")));
    heard.note(at(2), mac(1), None, Way::Straight);
    assert_eq!(heard.relay(mac(1), here), Some(Some(&b"port 1"[..])));
    heard.note(at(3), mac(1), Some(b"\xffsystem"), Way::Straight);
    assert_eq!(heard.relay(mac(1), here), Some(Some(&b"port 1"[..])), "whatever it calls itself");
    assert_eq!(heard.relay(mac(1), |_| false), None, "of another network it says nothing");
    heard.note(at(4), mac(1), None, by(None));
    assert_eq!(heard.relay(mac(1), here), Some(None), "there is none any more, or it says nothing");
    heard.note(at(5), mac(1), None, by(Some(&[1; 256])));
    assert_eq!(heard.relay(mac(1), here), None, "it was too long to be kept");
}

#[test]
fn for_hearsay_nothing_is_forgotten_that_is_sure() {
    let mut heard = Heard::default();
    let here = |ours| ours == OURS;
    let hearsay = |relay| Way::Hearsay(Some(relay), OURS);
    heard.note(at(0), mac(1), None, hearsay(b"port 2"));
    assert_eq!(heard.relay(mac(1), here), Some(Some(&b"port 2"[..])), "it is all that is known");
    assert_eq!(heard.relay_surely(mac(1), here), None);
    heard.note(at(1), mac(1), None, by(Some(b"port 1")));
    assert_eq!(heard.relay_surely(mac(1), here), Some(Some(&b"port 1"[..])));
    heard.note(at(2), mac(1), None, hearsay(b"port 1"));
    assert_eq!(heard.get(mac(1)).map(|said| said.is_sure), Some(true), "it is as sure as before");
    for (second, port) in [(3, b"port 2"), (4, b"port 3"), (5, b"port 2")] {
        heard.note(at(second), mac(1), None, hearsay(port));
        heard.note(at(second), mac(1), None, Way::Straight);
        assert_eq!(heard.relay(mac(1), here), Some(Some(&port[..])), "the last word counts");
        assert_eq!(heard.relay_surely(mac(1), here), Some(Some(&b"port 1"[..])));
        assert_eq!(heard.relay_surely(mac(1), |_| false), None, "of another network it says nothing");
        assert_eq!(heard.get(mac(1)).and_then(Said::relay_of_node), Some(&b"port 1"[..]));
    }
    let elsewhere = Ipv4Addr::new(10, 78, 0, 1);
    heard.note(at(5), mac(1), None, Way::Hearsay(Some(b"port 2"), elsewhere));
    assert_eq!(heard.get(mac(1)).and_then(|said| said.placed), Some(elsewhere));
    assert_eq!(heard.get(mac(1)).and_then(Said::placed_of_node), Some(OURS));
    heard.note(at(6), mac(1), None, by(None));
    assert_eq!(heard.relay_surely(mac(1), here), Some(None));
    heard.note(at(7), mac(1), None, hearsay(b"port 2"));
    assert_eq!(heard.get(mac(1)).and_then(Said::relay_of_node), None, "surely it is at no port");
}

#[test]
fn a_grant_is_known_until_its_client_is_forgotten() {
    let mut heard = Heard::default();
    let [one, other] = [7, 8].map(|last| Ipv4Addr::new(10, 77, 9, last));
    heard.granted(mac(1), one, at(60));
    assert_eq!(heard.by_address(one), None, "nobody was heard");
    heard.note(at(0), mac(1), None, by(None));
    heard.granted(mac(1), one, at(60));
    heard.note(at(1), mac(1), Some(b"\x01other"), by(None));
    assert_eq!(
        (heard.by_address(one), heard.get(mac(1)).unwrap().granted),
        (Some(mac(1)), Some((one, at(60))))
    );
    heard.granted(mac(1), other, at(90));
    assert_eq!((heard.by_address(one), heard.by_address(other)), (None, Some(mac(1))));
    for number in 2..=HEARD_MAX + 1 {
        heard.note(at(2), mac(number), None, by(None));
    }
    assert_eq!(heard.by_address(other), None);
}

#[test]
fn the_table_does_not_grow_and_forgets_the_oldest() {
    let mut heard = Heard::default();
    for number in 0..HEARD_MAX {
        heard.note(at(1), mac(number), Some(&number.to_be_bytes()), by(None));
    }
    heard.note(at(2), mac(0), Some(&0_usize.to_be_bytes()), by(None));
    for number in HEARD_MAX..HEARD_MAX + 5 {
        heard.note(at(3), mac(number), None, by(None));
    }
    assert_eq!((heard.clients.len(), heard.in_order.len()), (HEARD_MAX, HEARD_MAX));
    assert_eq!(heard.by_identifier.len(), HEARD_MAX - 5);
    assert!(heard.get(mac(0)).is_some() && heard.get(mac(1)).is_none() && heard.get(mac(6)).is_some());
}

#[test]
fn so_many_questions_are_answered_in_a_second() {
    let mut heard = Heard::default();
    let most = usize::try_from(LEASE_QUERIES_PER_SECOND_MAX).unwrap();
    for _ in 0..2 {
        assert_eq!((0..3 * most).filter(|_| heard.may_answer(at(7))).count(), most);
        assert_eq!((0..3 * most).filter(|_| heard.may_answer(at(8))).count(), most);
        heard = Heard::default();
    }
}

/// The same packet comes by another relay within milliseconds. What a client asks anew, or repeats after a while, is no copy.
#[test]
fn a_copy_is_of_the_same_transaction_and_comes_at_once() {
    let mut heard = Heard::default();
    heard.note(at(10), mac(1), None, by(None));
    heard.speaks_in(mac(1), 7);
    assert!(heard.same_packet(at(10), mac(1), 7).is_some());
    assert!(heard.same_packet(at(11), mac(1), 7).is_some(), "it is known to a second when it was heard");
    assert!(heard.same_packet(at(10), mac(1), 8).is_none());
    assert!(heard.same_packet(at(12), mac(1), 7).is_none());
    assert!(heard.same_packet(at(10), mac(2), 7).is_none());
    heard.note(at(12), mac(1), Some(b"\xffsystem"), by(None));
    assert!(heard.same_packet(at(12), mac(1), 7).is_some(), "another identifier forgets nothing of that");
}
