use super::*;
use crate::frame::{arp_answer, arp_probe, arp_request};
use crate::storm::plain::{Client, Wish};
use std::net::SocketAddrV4;
use std::sync::Arc;

const SERVER: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
const SERVER_MAC: Mac = Mac([0x52, 0x54, 0, 0, 0, 1]);

fn at(milliseconds: u64) -> Time {
    Time::from_nanoseconds(1_000_000_000) + Duration::from_millis(milliseconds)
}

fn mac(number: u8) -> Mac {
    Mac([2, 0, 0, 0, 0, number])
}

fn address(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 77, 10, number)
}

/// Hosts 1 to `count`, switched on at so many milliseconds as their number; no ARP is answered by itself.
fn hosts(count: u8) -> Hosts {
    let mut hosts = Hosts::new(Some(SERVER));
    let waits = Arc::<[Duration]>::from([Duration::from_secs(3); 6]);
    for number in 1..=count {
        let waits = waits.clone();
        let wish = Wish { server: SERVER, file: "image".into(), window_blocks: 1, waits };
        let client = Client::new(wish, mac(number), address(number));
        hosts.add(Actor::Plain(client), mac(number), at(number.into()));
    }
    hosts
}

/// What leaves until that moment: each wake-up at its own.
fn wake(hosts: &mut Hosts, until: Time) -> Vec<Vec<u8>> {
    let mut out = Outbox::new();
    while let Some(next) = hosts.next_wakeup().filter(|next| *next <= until) {
        hosts.wake(next, &mut out);
    }
    out.into()
}

fn receive(hosts: &mut Hosts, now: Time, frame: &[u8]) -> Vec<Vec<u8>> {
    let mut out = Outbox::new();
    hosts.receive(now, frame, None, &mut out);
    out.into()
}

fn datagram(to: u8, from: Ipv4Addr, octets: &[u8]) -> Vec<u8> {
    let (source, destination) = (SocketAddrV4::new(from, 5000), SocketAddrV4::new(address(to), 2070));
    ethernet::frame(SERVER_MAC, mac(to), source, destination, octets).unwrap()
}

fn answer(to: u8) -> Vec<u8> {
    arp_answer(SERVER_MAC, SERVER, mac(to), address(to))
}

#[test]
fn each_is_switched_on_at_its_moment_and_asks_for_the_server_first() {
    let mut hosts = hosts(3);
    assert_eq!(hosts.next_wakeup(), Some(at(1)));
    assert_eq!(
        wake(&mut hosts, at(2)),
        [arp_request(mac(1), address(1), SERVER), arp_request(mac(2), address(2), SERVER)]
    );
    assert_eq!(hosts.next_wakeup(), Some(at(3)));
}

#[test]
fn the_held_datagram_leaves_with_the_answer_and_the_next_ones_at_once() {
    let mut hosts = hosts(1);
    wake(&mut hosts, at(1));
    let sent = receive(&mut hosts, at(5), &answer(1));
    assert_eq!(sent.len(), 1);
    assert_eq!((&sent[0][..6], &sent[0][42..44]), (&SERVER_MAC.0[..], &[0, 1][..]), "RRQ, to the server");
    assert_eq!(receive(&mut hosts, at(6), &answer(1)), Vec::<Vec<u8>>::new(), "nothing is held any more");
    let sent = receive(&mut hosts, at(7), &datagram(1, SERVER, b"\0\x06blksize\x001468\0"));
    assert_eq!((&sent[0][..6], &sent[0][42..46]), (&SERVER_MAC.0[..], &[0, 4, 0, 0][..]), "ACK 0");
}

#[test]
fn who_gets_no_answer_asks_again_every_second_and_gives_the_datagram_up() {
    let mut hosts = hosts(1);
    wake(&mut hosts, at(1));
    assert_eq!(
        receive(&mut hosts, at(10), &arp_answer(SERVER_MAC, address(77), mac(1), address(1))).len(),
        0
    );
    let asked = wake(&mut hosts, at(4900));
    // Four times more; RRQ is said again at 3.001 s, and takes the place of the one that is held.
    assert_eq!(asked, vec![arp_request(mac(1), address(1), SERVER); 4]);
    assert_eq!((wake(&mut hosts, at(5900)).len(), hosts.counts.unreachable), (0, 1));
    // The client's own next repetition asks anew.
    assert_eq!(wake(&mut hosts, at(6001)), [arp_request(mac(1), address(1), SERVER)]);
}

#[test]
fn a_question_for_a_host_that_is_on_is_answered_by_that_host() {
    let mut hosts = hosts(2);
    wake(&mut hosts, at(1));
    for (what, frame, expected) in [
        (
            "a question",
            arp_request(SERVER_MAC, SERVER, address(1)),
            Some(arp_answer(mac(1), address(1), SERVER_MAC, SERVER)),
        ),
        (
            "a probe",
            arp_probe(SERVER_MAC, address(1)),
            Some(arp_answer(mac(1), address(1), SERVER_MAC, Ipv4Addr::UNSPECIFIED)),
        ),
        ("for one that is off", arp_request(SERVER_MAC, SERVER, address(2)), None),
        ("for nobody", arp_request(SERVER_MAC, SERVER, address(99)), None),
        ("by itself", arp_request(mac(1), address(1), address(1)), None),
    ] {
        assert_eq!(receive(&mut hosts, at(2), &frame), Vec::from_iter(expected), "{what}");
    }
}

#[test]
fn nobody_hears_another_server() {
    let mut hosts = hosts(1);
    wake(&mut hosts, at(1));
    receive(&mut hosts, at(5), &answer(1));
    let other = Ipv4Addr::new(10, 77, 0, 9);
    let destination = SocketAddrV4::new(address(1), 2070);
    let offer =
        ethernet::frame(mac(99), mac(1), SocketAddrV4::new(other, 67), destination, b"offer").unwrap();
    assert_eq!(receive(&mut hosts, at(6), &offer).len(), 0);
    assert_eq!(receive(&mut hosts, at(7), &datagram(1, other, b"\0\x06")).len(), 0);
    assert_eq!((hosts.counts.from_others, Vec::from_iter(hosts.counts.others.clone())), (2, vec![other]));
}

#[test]
fn frames_for_others_and_for_hosts_that_are_off_are_left() {
    let mut hosts = hosts(2);
    wake(&mut hosts, at(1));
    receive(&mut hosts, at(1), &datagram(2, SERVER, b"\0\x06"));
    receive(&mut hosts, at(1), &datagram(77, SERVER, b"\0\x06"));
    assert_eq!(hosts.counts.frames, 0);
}

#[test]
fn a_broadcast_reply_is_given_to_the_machine_that_it_names() {
    let mut hosts = hosts(2);
    wake(&mut hosts, at(2));
    let reply = |mac: Mac| {
        let payload = [&[0; CHADDR][..], &mac.0, &[0; 10]].concat();
        let (source, everybody) = (SocketAddrV4::new(SERVER, 67), SocketAddrV4::new(Ipv4Addr::BROADCAST, 68));
        ethernet::frame(SERVER_MAC, Mac::BROADCAST, source, everybody, &payload).unwrap()
    };
    receive(&mut hosts, at(3), &reply(mac(2)));
    receive(&mut hosts, at(3), &reply(mac(3)));
    assert_eq!(hosts.counts.frames, 1);
    let short = ethernet::frame(
        SERVER_MAC,
        Mac::BROADCAST,
        SocketAddrV4::new(SERVER, 67),
        SocketAddrV4::new(Ipv4Addr::BROADCAST, 68),
        &[0; 30],
    );
    receive(&mut hosts, at(3), &short.unwrap());
    assert_eq!(hosts.counts.frames, 1);
}

#[test]
fn two_hosts_with_one_address_are_a_conflict() {
    let mut hosts = hosts(1);
    let waits = Arc::<[Duration]>::from([Duration::from_secs(3)]);
    let wish = Wish { server: SERVER, file: "image".into(), window_blocks: 1, waits };
    hosts.add(Actor::Plain(Client::new(wish, mac(2), address(1))), mac(2), at(1));
    wake(&mut hosts, at(1));
    assert_eq!(hosts.counts.address_conflicts, 1);
}

/// Everything that came is counted, and a host that is settled is settled once.
#[test]
fn a_file_is_scored() {
    let mut hosts = hosts(1);
    wake(&mut hosts, at(1));
    receive(&mut hosts, at(2), &answer(1));
    receive(&mut hosts, at(3), &datagram(1, SERVER, b"\0\x06blksize\x001000\0"));
    let data =
        |block: u8, octets: usize| datagram(1, SERVER, &[&[0, 3, 0, block][..], &vec![7; octets]].concat());
    for (now, frame) in [(4, data(1, 1000)), (5, data(1, 1000)), (6, data(2, 10)), (7, data(2, 10))] {
        assert_eq!(receive(&mut hosts, at(now), &frame).len(), 1, "each is acknowledged");
    }
    let score = &hosts.all()[0].score;
    assert_eq!((score.started, score.first_data, score.loaded), (Some(at(1)), Some(at(4)), Some(at(6))));
    assert_eq!((score.octets, score.wire_octets, score.received_octets), (1010, 1010 + 2 * 70, 2020));
    assert_eq!((hosts.settled(), score.retries), (1, 0));
}
