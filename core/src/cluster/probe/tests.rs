use super::*;
use std::time::Duration;

const MAC: Mac = Mac([2, 0, 0, 0, 0, 1]);
const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 77, 200, 1);

fn at(milliseconds: u64) -> Time {
    Time::from_nanoseconds(1_000_000_000_000) + Duration::from_millis(milliseconds)
}

#[test]
fn a_probe_is_known_for_as_long_as_an_offer_stands() {
    let mut probes = Probes::default();
    assert_eq!(probes.found(at(0), ADDRESS), Found::Unknown);
    assert_eq!(probes.begin(at(0), ADDRESS, MAC), Some(at(300)));
    for (milliseconds, found, next) in [
        (0, Found::Asked(at(300)), Some(at(300))),
        (299, Found::Asked(at(300)), Some(at(300))),
        (300, Found::Free, Some(at(35_300))),
        (35_299, Found::Free, Some(at(35_300))),
        (35_300, Found::Unknown, None),
    ] {
        assert_eq!(probes.found(at(milliseconds), ADDRESS), found, "after {milliseconds} ms");
        assert_eq!(probes.expire(at(milliseconds), ADDRESS), next, "after {milliseconds} ms");
    }
    assert_eq!(probes.asked_for(ADDRESS), None);
}

#[test]
fn no_more_is_asked_than_there_can_be_offers() {
    let mut probes = Probes::default();
    for count in 0..PROBES_MAX {
        let address = Ipv4Addr::from(u32::try_from(count).unwrap());
        assert!(probes.begin(at(0), address, MAC).is_some());
    }
    assert_eq!(probes.begin(at(0), ADDRESS, MAC), None);
    probes.forget(Ipv4Addr::from(7));
    assert_eq!(probes.begin(at(1), ADDRESS, MAC), Some(at(301)));
    assert_eq!(probes.asked_for(ADDRESS), Some(MAC));
}

#[test]
fn another_one_has_an_address_if_the_machine_itself_does_not_answer() {
    let other = Mac([2, 0, 0, 0, 0, 2]);
    let asked = || {
        let mut probes = Probes::default();
        probes.begin(at(0), ADDRESS, MAC);
        probes
    };
    let mut probes = asked();
    probes.answered(ADDRESS, Some(other));
    assert_eq!(probes.found(at(299), ADDRESS), Found::Asked(at(300)));
    assert_eq!(probes.found(at(300), ADDRESS), Found::Taken);
    assert!(probes.is_kept_from(at(300), ADDRESS, MAC) && !probes.is_kept_from(at(300), ADDRESS, other));
    assert_eq!((probes.answerer(ADDRESS), probes.answered_by(other)), (Some(other), 1));
    assert!(probes.is_answered_for(ADDRESS) && probes.returned().is_empty());
    assert_eq!(probes.expire(at(35_300), ADDRESS), None);
    assert_eq!(probes.returned(), [ADDRESS]);
    // Whoever answers besides the machine itself, before or after.
    let mut probes = asked();
    probes.answered(ADDRESS, Some(other));
    probes.its_own(ADDRESS);
    probes.answered(ADDRESS, None);
    assert_eq!(probes.found(at(300), ADDRESS), Found::Free);
    assert_eq!(probes.returned(), [ADDRESS]);
    // It answers for all: that is as if nobody had.
    let mut probes = asked();
    probes.answered(ADDRESS, Some(other));
    probes.believed_no_more(other);
    assert_eq!(probes.found(at(299), ADDRESS), Found::Asked(at(300)));
    assert_eq!((probes.found(at(300), ADDRESS), probes.answered_by(other)), (Found::Free, 0));
    assert_eq!(probes.returned(), [ADDRESS]);
}
