use super::*;
use crate::frame::Payload;
use crate::surroundings::{SERVER_MAC, mac_of};
use heorot_core::mac::Mac;
use std::net::{Ipv4Addr, SocketAddrV4};

const START: Time = Time::from_nanoseconds(1_000_000_000_000_000);

fn cabling() -> Cabling {
    Cabling {
        link_bits_per_second: 100_000_000,
        server_bits_per_second: 10_000_000_000,
        port_bits_per_second: 1_000_000_000,
        queue_octets: 20_000,
        send_buffer_octets: 30_000,
        hop_delay: Duration::from_micros(30),
        spanning_tree: Duration::ZERO,
    }
}

fn data(octets: u16) -> Frame {
    let at = |last, port| SocketAddrV4::new(Ipv4Addr::new(10, 77, 0, last), port);
    let payload = Payload::Data { block: 1, octets };
    Frame { from: SERVER_MAC, to: mac_of(0), source: at(1, 40_000), destination: at(2, 49_152), payload }
}

/// Microseconds after the start at which each arrival comes, and where.
fn arrivals(moments: &mut Moments<Happening>) -> Vec<(u128, Option<u32>)> {
    std::iter::from_fn(|| moments.pop())
        .map(|(at, happening)| {
            let to = if let Happening::ToMachine { machine, .. } = happening { Some(machine) } else { None };
            assert!(
                to.is_some() || matches!(happening, Happening::ToServer { .. }),
                "{happening:?} is no arrival"
            );
            (at.since(START).as_micros(), to)
        })
        .collect()
}

#[test]
fn a_frame_passes_three_cables_each_way() {
    let (mut network, mut moments) = (Network::new(cabling(), 2, 1), Moments::default());
    network.server_sends(START, &mut moments, data(1468), [1].into_iter()).unwrap();
    network.machine_sends(START, &mut moments, 0, data(1468));
    // 1538 octets: 1.2 us on the server's interface, 123 on the link, 12.3 on the port; three times 30 between them.
    assert_eq!(arrivals(&mut moments), [(225, None), (226, Some(1))]);
    assert_eq!(network.round_trip(), Duration::from_micros(180));
    assert_eq!(network.counts().sent_octets, 1538);
}

#[test]
fn a_burst_fills_the_queue_of_the_link_and_then_is_dropped() {
    let (mut network, mut moments) = (Network::new(cabling(), 1, 1), Moments::default());
    for _ in 0..19 {
        network.server_sends(START, &mut moments, data(1468), [0].into_iter()).unwrap();
    }
    // Twenty thousand octets are thirteen frames; while the burst came, 185 octets of the first left.
    assert_eq!(arrivals(&mut moments).len(), 13);
    assert_eq!((network.counts().dropped_in_queue, network.waiting_octets_max()), (6, 19_809));
}

#[test]
fn a_full_send_buffer_is_said_and_drops_nothing() {
    let cabling = Cabling { server_bits_per_second: 100_000_000, ..cabling() };
    let (mut network, mut moments) = (Network::new(cabling, 1, 1), Moments::default());
    let sent =
        (0..30).filter(|_| network.server_sends(START, &mut moments, data(1468), [0].into_iter()).is_ok());
    assert_eq!(sent.count(), 30_000 / 1538);
    assert_eq!((arrivals(&mut moments).len(), network.counts().dropped_in_queue), (19, 0));
}

#[test]
fn a_broadcast_comes_to_all_that_it_is_for() {
    let (mut network, mut moments) = (Network::new(cabling(), 3, 1), Moments::default());
    network.server_sends(START, &mut moments, Frame { to: Mac::BROADCAST, ..data(300) }, 0..3).unwrap();
    let came: Vec<_> = arrivals(&mut moments).into_iter().map(|(_, to)| to).collect();
    assert_eq!((came, network.under_way()), (vec![Some(0), Some(1), Some(2)], 3));
}

#[test]
fn a_port_that_looks_for_loops_passes_nothing() {
    let cabling = Cabling { spanning_tree: Duration::from_secs(30), ..cabling() };
    let (mut network, mut moments) = (Network::new(cabling, 2, 1), Moments::default());
    network.link_up(START, 0);
    let later = START + Duration::from_secs(29);
    network.server_sends(later, &mut moments, data(100), [0].into_iter()).unwrap();
    network.machine_sends(later, &mut moments, 0, data(100));
    assert_eq!((moments.len(), network.counts().blocked), (0, 2));
    network.machine_sends(START + Duration::from_secs(30), &mut moments, 0, data(100));
    assert_eq!(moments.len(), 1);
}

#[test]
fn weather_takes_doubles_and_delays_about_as_often_as_it_should() {
    let (mut network, mut moments) = (Network::new(cabling(), 1, 1), Moments::default());
    network.set_weather(Weather {
        loss_ppm: 100_000,
        duplicate_ppm: 200_000,
        reorder_ppm: 0,
        reorder_delay: Duration::from_millis(1),
    });
    for n in 0..10_000 {
        network.machine_sends(START + Duration::from_millis(n), &mut moments, 0, data(100));
    }
    let lost = network.counts().lost_on_wire;
    assert!((900..1100).contains(&lost), "{lost}");
    let twice = moments.len() as u64 + lost - 10_000;
    assert!((1600..2000).contains(&twice), "{twice}");
}

#[test]
fn what_is_late_comes_behind_others() {
    let (mut network, mut moments) = (Network::new(cabling(), 1, 1), Moments::default());
    let late =
        Weather { reorder_ppm: 1_000_000, reorder_delay: Duration::from_millis(5), ..Weather::default() };
    network.set_weather(late);
    network.machine_sends(START, &mut moments, 0, data(100));
    network.set_weather(Weather::default());
    network.machine_sends(START, &mut moments, 0, data(100));
    let came = arrivals(&mut moments);
    assert!(came[0].0 < 200 && came[1].0 > 200, "{came:?}");
}
