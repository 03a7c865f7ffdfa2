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
