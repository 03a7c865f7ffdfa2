use super::*;
use crate::cluster::since::Since;
use crate::cluster::stage::Stage;
use crate::time::Wall;
use std::time::Duration;

const START: Time = Time::from_nanoseconds(1_000_000_000_000);

fn mac(number: u32) -> Mac {
    let [a, b, c, d] = number.to_be_bytes();
    Mac([0x52, 0x54, a, b, c, d])
}

fn at(seconds: u32) -> Time {
    START + Duration::from_secs(seconds.into())
}

fn full() -> Nodes {
    let mut nodes = Nodes::default();
    for number in 0..u32::try_from(NODES_MAX).unwrap() {
        assert!(nodes.meet(START + Duration::from_millis(number.into()), mac(number)).is_some());
    }
    nodes
}

#[test]
fn strangers_are_forgotten_before_the_table_overflows() {
    let mut nodes = full();
    assert!(nodes.claim(mac(0), 0));
    nodes.settle(mac(0));
    nodes.get_mut(mac(2)).unwrap().is_recorded = true;
    let mut forgotten = |new| nodes.meet(at(9999), mac(new)).unwrap().1;
    let first = Forgotten::from(Node::new(at(1), mac(1)));
    assert_eq!(forgotten(1 << 24), Some(first.clone()), "the longest unseen that has no number");
    assert_eq!(forgotten(1 << 25), Some(Forgotten { mac: mac(2), is_recorded: true, ..first }));
    assert_eq!(nodes.iter().count(), NODES_MAX);
    assert!(nodes.get(mac(0)).is_some());
}

/// Whoever is taken back to `seen` again and again is one machine.
#[test]
fn each_machine_is_forgettable_once() {
    let mut nodes = Nodes::default();
    for second in 0..100 {
        nodes.meet(at(second), mac(1));
        nodes.meet(at(second), mac(second + 10));
        nodes.let_go(at(second), mac(1));
    }
    assert_eq!(nodes.forgettable.len(), 101);
    // Who became another one's card is none any more.
    nodes.take_out(mac(10));
    assert_eq!(nodes.forgettable.len(), 100);
    nodes.take_out(mac(1));
    assert_eq!(nodes.forgettable.len(), 99);
}

#[test]
fn a_listed_machine_displaces_a_stranger_without_a_number() {
    let mut nodes = full();
    let most = u32::try_from(NODES_MAX).unwrap();
    for number in 0..most {
        let node = nodes.get_mut(mac(number)).unwrap();
        node.stage = Stage::Temporary;
    }
    nodes.claim(mac(0), 0);
    assert!(nodes.meet(at(0), mac(most)).is_none(), "all have an address");
    let is_listed = |listed| listed == mac(1);
    assert_eq!(nodes.gives_way(is_listed, |_| None), Some(mac(2)), "0 has a number, 1 is listed");
    let heard = |node: &Node| (node.mac == mac(2)).then(|| at(9999));
    assert_eq!(nodes.gives_way(is_listed, heard), Some(mac(3)), "2 was heard later");
    assert_eq!(nodes.gives_way(|_| true, |_| None), None);
}

/// Who was not heard since the start may have been silent for an hour or a year: a calendar that says so may be wrong.
#[test]
fn no_calendar_says_who_gives_way() {
    let mut nodes = Nodes::default();
    for number in 0..3 {
        nodes.meet(START, mac(number));
        nodes.get_mut(mac(number)).unwrap().since = Since::restored(START, Some(u64::from(100 - number)));
    }
    for wall_seconds in [50, 100, 1000, 1_000_000] {
        for number in 0..3 {
            let wall = Wall(wall_seconds * 1_000_000_000);
            nodes.get_mut(mac(number)).unwrap().since.place(at(10), wall);
        }
        assert_eq!(nodes.gives_way(|_| false, |_| None), Some(mac(0)), "{wall_seconds}");
        // Who came since then was heard.
        nodes.get_mut(mac(0)).unwrap().since = Since::now(at(5));
        assert_eq!(nodes.gives_way(|_| false, |_| None), Some(mac(1)), "{wall_seconds}");
        nodes.get_mut(mac(0)).unwrap().since = Since::restored(START, Some(100));
    }
}
