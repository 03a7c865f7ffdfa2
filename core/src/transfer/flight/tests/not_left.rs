//! What of a train was not in memory is told once, as it was counted.

use super::*;

fn report(flight: &mut Flight, block: u64) -> Option<NotLeft> {
    flight.on(START + ms(2000), Event::Unsent { block, why: Unsent::NotInMemory });
    let told = flight.take_unsent();
    assert_eq!(flight.take_unsent(), None, "it is told once");
    told
}

fn as_sent(blocks: u64, lost: u64) -> Option<NotLeft> {
    Some(NotLeft { blocks, counted: Counted::AsSent { lost } })
}

#[test]
fn what_did_not_leave_of_a_new_window_is_told_block_by_block() {
    let mut flight = sending(4);
    flight.count(Counted::AsSent { lost: 0 });
    assert_eq!(report(&mut flight, 5), None, "it was never granted");
    assert_eq!(report(&mut flight, 3), as_sent(2, 0));
    assert_eq!(report(&mut flight, 3), None, "that was told");
    assert_eq!(report(&mut flight, 2), as_sent(1, 0));
    let full = Event::Unsent { block: 1, why: Unsent::Full };
    flight.on(START + ms(2000), full);
    assert_eq!(flight.take_unsent(), None, "a full socket is a queue like others");
    flight = sending(4);
    flight.count(Counted::AsSent { lost: 0 });
    flight.on(START + ms(2001), Event::Acknowledged(1));
    assert_eq!(report(&mut flight, 1), None, "it has come");
}

/// What was sent again had been counted as lost before: all of it where nothing was heard, one packet behind a gap.
#[test]
fn what_did_not_leave_of_a_repeat_tells_of_no_loss() {
    let mut silent = sending(4);
    assert_eq!(short(&act(&mut silent, START + ms(1001), Event::Due)), "1..4");
    silent.count(Counted::AsSent { lost: silent.lost(4) });
    assert_eq!(report(&mut silent, 3), as_sent(2, 2));
    assert_eq!(report(&mut silent, 1), as_sent(2, 2));

    let mut gap = sending(4);
    assert_eq!(short(&act(&mut gap, START + ms(100), Event::Acknowledged(1))), "2..5");
    gap.count(Counted::AsSent { lost: gap.lost(3) });
    assert_eq!(report(&mut gap, 5), as_sent(1, 0), "it was new");
    assert_eq!(report(&mut gap, 3), as_sent(2, 0), "the repeat of one left, which tells of the loss");
    assert_eq!(report(&mut gap, 2), as_sent(1, 1));

    silent = sending(4);
    act(&mut silent, START + ms(1001), Event::Due);
    silent.count(Counted::AsToNobody);
    assert_eq!(report(&mut silent, 2), Some(NotLeft { blocks: 3, counted: Counted::AsToNobody }));
}

/// Of an earlier train nobody knows how much of it there was, and what was sent since may have left.
#[test]
fn of_what_is_told_late_one_block_is_certain() {
    let mut flight = offered(6);
    flight.on(START + ms(1), Event::Acknowledged(0));
    for expected in ["1..2", "3..4"] {
        assert_eq!(short(&flight.grant(START + ms(1), 2)), expected);
        flight.count(Counted::AsSent { lost: 0 });
    }
    assert_eq!(report(&mut flight, 2), as_sent(1, 0));
    assert_eq!(report(&mut flight, 4), None, "it lies behind the gap");
}
