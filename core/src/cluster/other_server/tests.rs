use super::*;
use std::time::Duration;

fn at(seconds: u64) -> Time {
    Time::from_nanoseconds(1_000_000_000_000) + Duration::from_secs(seconds)
}

fn notice(server: u32, mac: Option<Mac>) -> Notice {
    let did = "offered 10.77.200.3 to".to_owned();
    let interface = "eth1".into();
    Notice { server: Ipv4Addr::from(server), mac, interface, is_on_link: true, did, client: None }
}

#[test]
fn a_server_is_told_of_once_a_minute() {
    let mut others = OtherServers::default();
    for (seconds, is_told) in [(0, true), (1, false), (59, false), (60, true), (119, false), (121, true)] {
        assert_eq!(others.notice(at(seconds), notice(7, None)), is_told, "after {seconds} s");
    }
    assert!(others.notice(at(121), notice(8, None)), "another one is told of at once");
    let seventh = others.get(Ipv4Addr::from(7)).unwrap();
    assert_eq!((seventh.first, seventh.last, seventh.count), (at(0), at(121), 6));
}

/// A server that has relays in several networks, or a relay of ours behind which another one is.
#[test]
fn a_server_is_on_each_link_where_it_serves_somebody() {
    let mut others = OtherServers::default();
    let on =
        |interface: &str, is_on_link| Notice { interface: interface.into(), is_on_link, ..notice(7, None) };
    others.notice(at(0), on("eth3", false));
    assert!(!others.is_on("eth3"), "behind a relay is another link");
    others.notice(at(0), on("eth1", true));
    others.notice(at(1), on("eth2", true));
    assert_eq!(["eth1", "eth2", "eth3"].map(|interface| others.is_on(interface)), [true, true, false]);
}

#[test]
fn what_a_client_says_does_not_make_its_hardware_address_forgotten() {
    let mut others = OtherServers::default();
    let mac = Mac([2, 0, 0, 0, 0, 7]);
    others.notice(at(0), notice(7, Some(mac)));
    others.notice(at(1), notice(7, None));
    assert_eq!(others.get(Ipv4Addr::from(7)).unwrap().mac, Some(mac));
}

#[test]
fn the_one_that_was_silent_longest_gives_way() {
    let mut others = OtherServers::default();
    let most = u32::try_from(OTHER_SERVERS_MAX).unwrap();
    for server in 0..most {
        others.notice(at(u64::from(server)), notice(server, None));
    }
    others.notice(at(1000), notice(0, None));
    others.notice(at(1001), notice(most, None));
    assert_eq!(others.iter().count(), OTHER_SERVERS_MAX);
    assert!(others.get(Ipv4Addr::from(0)).is_some());
    assert!(others.get(Ipv4Addr::from(1)).is_none());
}

/// One host may call itself as many servers as there are addresses.
#[test]
fn what_is_heard_fills_the_journal_no_more() {
    let mut others = OtherServers::default();
    let mac = Mac([2, 0, 0, 0, 0, 7]);
    let told = |others: &mut OtherServers, second| {
        (100..1100).filter(|server| others.notice(at(second), notice(*server, Some(mac)))).count()
    };
    let most = usize::try_from(OTHER_SERVERS_HEARD_TOLD_MAX).unwrap();
    assert_eq!([0, 1, 59, 60].map(|second| told(&mut others, second)), [most, 0, 0, most]);
}

/// One client may name as many servers as there are addresses.
#[test]
fn what_clients_invent_fills_neither_the_journal_nor_the_place_of_what_was_heard() {
    let mut others = OtherServers::default();
    let mac = Mac([2, 0, 0, 0, 0, 7]);
    others.notice(at(0), notice(7, Some(mac)));
    let most = u32::try_from(OTHER_SERVERS_MAX).unwrap();
    let lines = (100..100 + 3 * most).filter(|server| others.notice(at(1), notice(*server, None))).count();
    assert_eq!(lines, usize::try_from(OTHER_SERVERS_SPOKEN_OF_TOLD_MAX).unwrap());
    assert_eq!(others.iter().count(), OTHER_SERVERS_MAX);
    assert_eq!(others.get(Ipv4Addr::from(7)).unwrap().mac, Some(mac), "although it was silent longest");
    assert!(others.notice(at(2), notice(8, Some(mac))), "what is heard is told of at once");
}

/// It is allowed on one link, and on another one where it was noticed before it is not.
#[test]
fn one_that_is_allowed_on_one_link_is_on_the_others_still() {
    let mut others = OtherServers::default();
    let on = |interface: &str, is_on_link, did: &str| Notice {
        interface: interface.into(),
        is_on_link,
        did: did.into(),
        ..notice(7, None)
    };
    others.notice(at(0), on("eth1", true, "offered 10.77.200.3 to"));
    others.notice(at(1), on("eth2", true, "granted 10.78.200.3 to"));
    others.retain(|_, interface| interface != "eth2");
    assert_eq!(["eth1", "eth2"].map(|interface| others.is_on(interface)), [true, false]);
    let left = others.get(Ipv4Addr::from(7)).unwrap();
    assert_eq!(
        (left.interface.as_str(), left.last, left.did.as_str()),
        ("eth1", at(0), "offered 10.77.200.3 to")
    );
    // Behind a relay it is on no link of ours.
    others.notice(at(2), on("eth3", false, "was chosen, behind the relay 10.88.0.9, by"));
    others.retain(|_, interface| interface != "eth1");
    assert_eq!(others.get(Ipv4Addr::from(7)).unwrap().interface, "eth3");
    others.retain(|_, _| false);
    assert_eq!(others.iter().count(), 0);
}
