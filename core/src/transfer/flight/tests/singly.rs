use super::*;

/// Of 200 blocks, in windows of so many, until it is seen that every block is acknowledged.
fn acknowledged_singly(window: u16) -> Flight {
    let size = 199_999;
    let mut flight = opening(&options(window));
    let image = Opened { identity: ImageIdentity { size, ..IDENTITY }, ..IMAGE };
    act(&mut flight, START, Event::Opened(Ok(image)));
    for block in 0..=TFTP_SINGLE_ACKS {
        act(&mut flight, START + ms(1), Event::Acknowledged(tftp::wire_number(block)));
    }
    assert!(flight.is_acknowledged_singly());
    flight
}

/// The window that is on its way is taken in block by block, and the next one goes after its last.
#[test]
fn an_ack_inside_a_window_is_progress_where_every_block_has_one() {
    let mut flight = acknowledged_singly(16);
    let mut sent = Vec::new();
    for block in flight.acknowledged + 1..=200 {
        let at = START + ms(block);
        let step = act(&mut flight, at, Event::Acknowledged(tftp::wire_number(block)));
        let Step::Send(train) = step else { continue };
        assert_eq!(train.first, block + 1, "nothing goes twice");
        sent.push(train.count);
        assert!(flight.wake() > Some(at + ms(19)), "it is not silent");
    }
    assert!(sent.len() >= 11 && sent.iter().rev().skip(1).all(|count| *count == 16), "{sent:?}");
}

/// What is lost of it is found by an ACK that comes again, or by our timer; and by that it is another client's again until it is told anew.
#[test]
fn a_gap_is_found_where_every_block_is_acknowledged() {
    let mut flight = acknowledged_singly(16);
    let inside = flight.sent - 3;
    for block in flight.acknowledged + 1..=inside {
        let event = Event::Acknowledged(tftp::wire_number(block));
        assert_eq!(act(&mut flight, START + ms(2), event), Step::Wait);
    }
    let next = format!("{}..{}", inside + 1, inside + 16);
    let again = Event::Acknowledged(tftp::wire_number(inside));
    assert_eq!(short(&act(&mut flight.clone(), START + ms(60), again)), next);
    let due = flight.wake().unwrap();
    assert_eq!(short(&act(&mut flight, due, Event::Due)), next);
    assert!(!flight.is_acknowledged_singly());
}

/// Whole windows, acknowledged at once, tell that it is none of these: the first of them, or a few if they are small.
#[test]
fn who_acknowledges_windows_is_known_soon() {
    for (window, windows) in [(4, 4), (8, 2), (16, 1), (64, 1)] {
        let mut flight = acknowledged_singly(window);
        // For a while longer, to the end of a window.
        while flight.acknowledged < 50 || flight.sent < flight.acknowledged + u64::from(window) {
            let next = tftp::wire_number(flight.acknowledged + 1);
            act(&mut flight, START + ms(5), Event::Acknowledged(next));
        }
        for number in 1..=windows {
            assert!(flight.is_acknowledged_singly(), "{window}: before number {number}");
            let block = tftp::wire_number(flight.sent);
            act(&mut flight, START + ms(5 + number), Event::Acknowledged(block));
        }
        assert!(!flight.is_acknowledged_singly(), "{window}");
    }
}

/// What a client waits for its turn is no silence of its own. But if it is heard meanwhile, nothing is forgiven that is yet to come: who dies then is left when its patience is over.
#[test]
fn who_is_heard_while_he_waits_is_not_heard_in_the_future() {
    let at = |seconds| START + Duration::from_secs(seconds);
    for heard in [None, Some(20), Some(60)] {
        let mut flight = offered(4);
        flight.on(START, Event::Acknowledged(0));
        assert_eq!(short(&flight.grant(START, 2)), "1..2");
        if let Some(seconds) = heard {
            flight.on(at(seconds), Event::Acknowledged(1));
        }
        assert!(matches!(flight.grant(at(61), u64::MAX), Step::Send(_)));
        let ended = loop {
            let due = flight.wake().unwrap();
            if let Step::End(_) = act(&mut flight, due, Event::Due) {
                break due;
            }
        };
        assert_eq!(ended, at(61) + TFTP_PATIENCE, "heard after {heard:?} seconds");
    }
}
