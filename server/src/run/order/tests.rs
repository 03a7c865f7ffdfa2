use super::Source::{Arp, Bell, BootServer, Data, Dhcp, Echo, OtherServers, Signals, Tftp};
use super::*;

#[test]
fn every_source_comes_back_from_its_token() {
    for source in [
        Bell,
        Signals,
        Tftp,
        Echo,
        Data(0),
        Data(7),
        Dhcp(0),
        Dhcp(300),
        Arp(0),
        Arp(300),
        BootServer(0),
        BootServer(300),
        OtherServers(0),
        OtherServers(300),
    ] {
        assert_eq!(Source::of(source.token()), source);
    }
}

#[test]
fn a_turn_begins_where_the_last_one_was_cut_off() {
    for (cut_off, ready, expected) in [
        (None, vec![Tftp, Data(1), Bell, Data(0), Dhcp(0)], vec![Bell, Dhcp(0), Data(0), Data(1), Tftp]),
        (Some(Tftp), vec![Tftp, Data(1), Bell, Data(0)], vec![Tftp, Bell, Data(0), Data(1)]),
        (Some(Data(1)), vec![Dhcp(1), Tftp, Data(0), Data(1)], vec![Data(1), Tftp, Dhcp(1), Data(0)]),
        // Who was cut off may have nothing any more: then it is the turn of the one behind.
        (Some(Data(1)), vec![Echo, Data(0), Data(2), Arp(0)], vec![Data(2), Arp(0), Echo, Data(0)]),
        (Some(Tftp), vec![OtherServers(0), BootServer(3)], vec![BootServer(3), OtherServers(0)]),
        (Some(Bell), vec![], vec![]),
    ] {
        let mut order = Order::default();
        if let Some(source) = cut_off {
            order.cut_off_at(source);
        }
        let mut turn = ready.clone();
        order.begin(&mut turn);
        assert_eq!(turn, expected, "{cut_off:?}: {ready:?}");
        // That one was not cut off.
        order.begin(&mut turn);
        turn.is_sorted().then_some(()).expect("the circle begins anew");
    }
}

/// Whatever stays full, and however few get something in a turn: nobody is passed over twice.
#[test]
fn nobody_starves_behind_ports_that_stay_full() {
    let all = [Dhcp(0), Dhcp(1), Arp(0), Data(0), Data(1), Data(2), Data(3), Tftp];
    for served_a_turn in 1..=all.len() {
        let mut order = Order::default();
        let mut waits = [0; 8];
        for _ in 0..100 {
            let mut ready = all;
            order.begin(&mut ready);
            if let Some(source) = ready.get(served_a_turn) {
                order.cut_off_at(*source);
            }
            for (source, wait) in all.iter().zip(&mut waits) {
                let is_served = ready[..served_a_turn].contains(source);
                *wait = if is_served { 0 } else { *wait + 1 };
                assert!(*wait < all.len().div_ceil(served_a_turn), "{source:?} with {served_a_turn} a turn");
            }
        }
    }
}

/// Its last ACK comes before the request for the next file, also if time is short.
#[test]
fn between_two_goes_of_port_69_every_data_port_has_one() {
    let all = [Data(0), Data(1), Data(2), Tftp];
    let mut order = Order::default();
    let mut served = Vec::new();
    for _ in 0..40 {
        let mut ready = all;
        order.begin(&mut ready);
        order.cut_off_at(ready[3]);
        served.extend_from_slice(&ready[..3]);
    }
    let goes: Vec<&[Source]> = served.split(|source| *source == Tftp).collect();
    assert!(goes.len() > 20, "{served:?}");
    for ports in &goes[..goes.len() - 1] {
        assert_eq!(*ports, [Data(0), Data(1), Data(2)]);
    }
}
