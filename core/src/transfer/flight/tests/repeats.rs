use super::*;

/// Of a window that was repeated a part came: the other part was lost, and is repeated as soon as ever. (A client may have had the first part before; our timer tells.)
#[test]
fn a_gap_in_a_repeat_is_filled_without_a_long_wait() {
    let mut flight = sending(8);
    let mut at = START + ms(2);
    for _ in 0..3 {
        let due = flight.wake().unwrap();
        assert!(due.since(at) <= ms(90), "{:?}", due.since(at));
        assert!(matches!(act(&mut flight, due, Event::Due), Step::Send(_)));
        at = due + ms(1);
        let acknowledged = flight.blocks_acknowledged() + 1;
        act(&mut flight, at, Event::Acknowledged(u16::try_from(acknowledged).unwrap()));
    }
}

/// RFC 2349: who says when it wants a repeat has it no later, however long the way is taken to be.
#[test]
fn a_repeat_comes_no_later_than_it_was_asked_for() {
    for (asked, after) in [(None, 2000), (Some(5), 2000), (Some(1), 1000)] {
        let mut flight = opening(&tftp::Options { timeout_seconds: asked, ..options(1) });
        act(&mut flight, START, Event::Opened(Ok(IMAGE)));
        act(&mut flight, START + ms(2000), Event::Acknowledged(0)); // It was away for 2 s.
        assert_eq!(flight.wake(), Some(START + ms(2000 + after)), "{asked:?}");
    }
}
