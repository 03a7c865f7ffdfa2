use super::*;
use std::time::Duration;

const A: Mac = Mac([0x52, 0x54, 0, 0, 0, 0x0a]);
const B: Mac = Mac([0x52, 0x54, 0, 0, 0, 0x0b]);
const OWN: Ipv4Addr = Ipv4Addr::new(10, 77, 1, 5);
const FURTHER: Ipv4Addr = Ipv4Addr::new(10, 88, 1, 5);

fn at(seconds: u64) -> Time {
    Time::from_nanoseconds(0) + Duration::from_secs(seconds)
}

#[test]
fn each_card_has_its_own_end() {
    let mut grants = Grants::default();
    assert_eq!((grants.until(), grants.any_ends(at(5))), (None, false));
    grants.grant(at(0), OWN, A, Some(at(100)));
    grants.grant(at(1), FURTHER, B, Some(at(10)));
    assert_eq!(grants.until(), Some(at(100)), "the one that was granted last ends first");
    assert_eq!(grants.at(at(9), FURTHER), Some(Granted { card: B, until: Some(at(10)) }));
    assert_eq!(grants.at(at(10), FURTHER), None);
    assert_eq!(grants.until_within(at(9), |address| address == FURTHER), Some(at(10)));
    assert_eq!(grants.until_within(at(10), |address| address == FURTHER), None);
    grants.end(OWN);
    assert_eq!(grants.until(), Some(at(10)));
    // What has run out is forgotten by the next.
    grants.grant(at(20), OWN, B, None);
    assert_eq!((grants.until(), grants.any_ends(at(5))), (None, false), "BOOTP's has no end");
    assert_eq!(grants.at(at(1000), OWN), Some(Granted { card: B, until: None }));
    grants.retain(|address| address != OWN);
    assert_eq!(grants, Grants::default());
}

#[test]
fn there_are_never_more_than_a_node_may_have() {
    let mut grants = Grants::default();
    let address = |number: usize| Ipv4Addr::from(0x0a4d_0000 + u32::try_from(number).unwrap());
    for number in 0..2 * GRANTS_PER_NODE_MAX {
        grants.grant(at(0), address(number), A, Some(at(100 + number as u64)));
    }
    assert_eq!(grants.all.len(), GRANTS_PER_NODE_MAX);
    assert!(grants.at(at(0), address(0)).is_none(), "what ends first is forgotten");
}
