use super::*;
use crate::limit::NODES_MAX;
use std::time::Duration;

const START: Time = Time::from_nanoseconds(1_000_000_000_000);

fn mac(number: u32) -> Mac {
    let [a, b, c, d] = number.to_be_bytes();
    Mac([0x52, 0x54, a, b, c, d])
}

#[test]
fn when_a_boot_begins() {
    use Firmware::{Ipxe, Pxe};
    use Stage::{Booting, Down, Failed, Ready, Seen, Temporary, Testing, Up};
    let now = START + Duration::from_secs(1000);
    // Stage, phase, token of an earlier boot, who asked in this boot and how long ago, who asks now.
    for (stage, phase, token, before, asks, begins) in [
        (Seen, None, "", None, Pxe, true),
        (Seen, None, "t", Some((Pxe, 4)), Pxe, false),
        (Temporary, Some(Phase::Dhcp), "t", Some((Pxe, 60)), Pxe, false),
        (Temporary, Some(Phase::Dhcp), "t", Some((Pxe, 61)), Pxe, true),
        // The loader that the ROM has started asks for the first time.
        (Booting, Some(Phase::Loader), "t", Some((Pxe, 90)), Ipxe, false),
        (Booting, Some(Phase::Loader), "t", Some((Ipxe, 30)), Ipxe, false),
        (Booting, Some(Phase::Kernel), "t", Some((Pxe, 61)), Pxe, true),
        // Its kernel did not find what it wanted, and started it anew after five seconds.
        (Booting, Some(Phase::Loader), "t", Some((Pxe, 9)), Pxe, false),
        (Booting, Some(Phase::Kernel), "t", Some((Pxe, 5)), Pxe, false),
        (Booting, Some(Phase::Kernel), "t", Some((Pxe, 6)), Pxe, true),
        (Temporary, Some(Phase::Initrd), "t", Some((Ipxe, 6)), Ipxe, true),
        // A program that was not heard of in this boot, or not since a restart of ours.
        (Booting, Some(Phase::Initrd), "t", Some((Pxe, 9)), Ipxe, false),
        // Its system ran already, however short ago its firmware asked.
        (Booting, Some(Phase::Agent), "t", Some((Pxe, 10)), Pxe, true),
        (Testing, None, "t", Some((Pxe, 10)), Pxe, true),
        (Failed, None, "t", Some((Pxe, 10)), Pxe, true),
        (Ready, None, "t", Some((Pxe, 10)), Pxe, true),
        (Up, None, "t", Some((Pxe, 10)), Pxe, true),
        (Down, None, "t", None, Pxe, true),
    ] {
        let mut node = Node { stage, phase, ..Node::new(START, mac(1)) };
        node.boot.token = token.into();
        if let Some((who, ago)) = before {
            node.boot.programs.asks(who, now - Duration::from_secs(ago));
        }
        let begun = node.begins_boot(now, asks, true);
        assert_eq!(begun, begins, "{stage} {phase:?}, {before:?} before, {asks:?} now");
    }
    // Firmware renews its lease while a loader loads; and an iPXE that was loaded does not restart the machine.
    let mut node = Node { stage: Booting, phase: Some(Phase::Initrd), ..Node::new(START, mac(1)) };
    node.boot.token = "t".into();
    node.boot.programs.asks(Pxe, START + Duration::from_secs(970));
    node.boot.programs.asks(Ipxe, START + Duration::from_secs(980));
    assert!(!node.begins_boot(now, Pxe, false));
    assert!(!node.begins_boot(now, Ipxe, true));
    assert!(node.begins_boot(now, Pxe, true));
}

#[test]
fn a_number_is_one_machines() {
    let mut nodes = Nodes::default();
    for number in 1..=3 {
        nodes.meet(START, mac(number));
    }
    assert!(nodes.claim(mac(1), 0));
    assert!(!nodes.claim(mac(2), 0), "it is being recorded for another");
    assert!(nodes.claim(mac(2), 1));
    assert_eq!(nodes.settle(mac(1)), Some(0));
    nodes.renounce(mac(2));
    assert!(nodes.claim(mac(3), 1), "it was not recorded, and is free again");
    let order: Vec<_> = nodes.iter().map(|node| node.mac).collect();
    assert_eq!(order, [mac(1), mac(3), mac(2)], "by number, then by hardware address");
}

#[test]
fn further_hardware_addresses_are_the_same_machine() {
    let mut nodes = Nodes::default();
    nodes.meet(START, mac(1));
    nodes.meet(START, mac(2));
    nodes.join(mac(1), &[mac(11), mac(1), mac(2)]);
    assert_eq!(nodes.identity(mac(11)), mac(1));
    assert_eq!(nodes.identity(mac(2)), mac(2), "it is a machine of its own already");
    nodes.join(mac(2), &[mac(11)]);
    assert_eq!(nodes.identity(mac(11)), mac(1), "and stays the first one's");
}

/// However much a machine says that it has, and however often.
#[test]
fn so_many_hardware_addresses_are_found_in_a_machine() {
    let further = |nodes: &Nodes| nodes.get(mac(1)).unwrap().further_macs.clone();
    let macs = |range: std::ops::Range<u32>| range.map(mac).collect::<Vec<_>>();
    let mut nodes = Nodes::default();
    nodes.meet(START, mac(1));
    nodes.meet(START, mac(2));
    nodes.join_found(mac(1), &macs(1..1000), 4, |_| false);
    assert_eq!(further(&nodes), macs(3..7), "its own is no further one, and another's stays that one's");
    nodes.join_found(mac(1), &macs(1..1000), 4, |_| false);
    assert_eq!(further(&nodes), macs(3..7), "they are found once more");
    assert_eq!(nodes.identity(mac(7)), mac(7));
    // Cards that were exchanged make room; not one that is listed.
    let found = [mac(6), mac(8), mac(9)];
    nodes.join_found(mac(1), &found, 4, |card| card == mac(3));
    assert_eq!(further(&nodes), [mac(3), mac(6), mac(8), mac(9)]);
    assert_eq!([4, 3, 9].map(|card| nodes.identity(mac(card))), [mac(4), mac(1), mac(1)]);
    assert!(nodes.get(mac(4)).is_none());
}

/// A further hardware address counts from its record on; what could not be recorded leaves nothing.
#[test]
fn a_further_address_is_there_when_it_is_recorded() {
    let mut nodes = Nodes::default();
    nodes.meet(START, mac(1));
    nodes.meet(START, mac(2));
    assert!(!nodes.join_latest(mac(1), mac(2), 2), "a machine of its own");
    assert!(!nodes.join_latest(mac(3), mac(11), 2), "nobody knows that one");
    for further in [11, 12] {
        assert!(nodes.join_latest(mac(1), mac(further), 2));
        assert!(nodes.is_joining(mac(further)));
    }
    nodes.joined(mac(11));
    assert!(!nodes.is_joining(mac(11)) && !nodes.join_latest(mac(2), mac(11), 2), "it is the first one's");
    nodes.part(mac(11));
    nodes.part(mac(12));
    assert_eq!(
        (nodes.identity(mac(11)), nodes.identity(mac(12))),
        (mac(1), mac(12)),
        "what is recorded stays"
    );
    assert_eq!(nodes.get(mac(1)).unwrap().further_macs, [mac(11)]);
    for further in [13, 14] {
        assert!(nodes.join_latest(mac(1), mac(further), 2));
    }
    assert_eq!(nodes.get(mac(1)).unwrap().further_macs, [mac(13), mac(14)], "the oldest gives way");
    assert_eq!(nodes.identity(mac(11)), mac(11));
}

/// Whoever was looked for last is found again without a search: unless somebody took its place, or it is another machine's by now.
#[test]
fn who_was_looked_for_last_is_not_taken_for_another() {
    let mut nodes = Nodes::default();
    let most = u32::try_from(NODES_MAX).unwrap();
    for number in 0..most {
        nodes.meet(START + Duration::from_secs(number.into()), mac(number));
    }
    let is_found = |nodes: &Nodes, number| nodes.get(mac(number)).map(|node| node.mac);
    // The oldest is forgotten, and the last one moves to where it was.
    for number in [most - 1, 0, most - 1, 0] {
        assert_eq!(is_found(&nodes, number), Some(mac(number)));
    }
    let (_, forgotten) = nodes.meet(START, mac(most)).unwrap();
    assert_eq!(forgotten.map(|forgotten| forgotten.mac), Some(mac(0)));
    for number in [0, most - 1, most, 1] {
        assert_eq!(is_found(&nodes, number), (number > 0).then_some(mac(number)), "machine {number}");
    }
    // A hardware address becomes another machine's, and is its own again.
    let further = mac(most + 1);
    assert_eq!(is_found(&nodes, most + 1), None);
    assert!(nodes.join_latest(mac(5), further, 4));
    assert_eq!(is_found(&nodes, most + 1), Some(mac(5)));
    nodes.part(further);
    assert_eq!(is_found(&nodes, most + 1), None);
    // A machine that is put back is the one that is found.
    assert_eq!(is_found(&nodes, 7), Some(mac(7)));
    nodes.restore(Node { number: Some(3), ..Node::new(START, mac(7)) });
    assert_eq!(nodes.get(mac(7)).and_then(|node| node.number), Some(3));
    assert_eq!(nodes.iter().next().map(|node| node.mac), Some(mac(7)));
    assert_eq!(nodes.iter().count(), NODES_MAX);
}
