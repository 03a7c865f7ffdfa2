//! Requests without end, of somebody who never wants a file: whoever wants one gets it.

use super::client::*;
use super::world::{DATA_PORTS, SERVER, World, address};
use super::{EVERYBODY, FINE};
use heorot_core::limit::{TFTP_PATIENCE_BEFORE_ACK_MAX, TRANSFERS_MAX, TRANSFERS_UNANSWERED_PER_ADDRESS_MAX};
use heorot_core::transfer::*;
use std::net::{Ipv4Addr, SocketAddrV4};

/// Patience as far as the protocol goes: RFC 2349 has up to 255 s, of which three were waited for.
const ASKS: &[u8] = b"\0\x01boot\0octet\0timeout\x00255\0tsize\x000\0";

/// The requests of a flood: by the ports of one host, or by addresses that somebody makes up.
fn stranger(n: usize, is_one: bool) -> SocketAddrV4 {
    let n = u16::try_from(n).expect("no more than ports");
    if is_one {
        return SocketAddrV4::new(Ipv4Addr::new(10, 99, 0, 1), 1024 + n);
    }
    let [high, low] = n.to_be_bytes();
    SocketAddrV4::new(Ipv4Addr::new(10, 99, high, low), 2070)
}

fn flood(world: &mut World, is_one: bool) {
    for n in 0..TRANSFERS_MAX {
        let peer = stranger(n, is_one);
        world.tell(Input::Datagram { port: Port::Request, local: SERVER, peer, payload: ASKS });
    }
}

fn world() -> World {
    let mut world = World::new(1, FINE);
    world.file("boot", 100_000);
    world
}

/// Everybody loads, of each kind some, while the flood stands.
fn all_load(world: &mut World, what: &str) {
    let all: Vec<usize> =
        (0..50).map(|n| world.start(Client::new(EVERYBODY[n % EVERYBODY.len()], 2070, "boot"))).collect();
    world.run(20, |world| world.clients.iter().all(|client| client.state == State::Done));
    all.iter().for_each(|index| world.assert_loaded(*index, what));
    let refused: Vec<_> = world.errors.iter().filter(|(peer, _)| *peer.ip() < address(50)).collect();
    assert!(refused.is_empty(), "{what}: {refused:?}");
}

#[test]
fn who_asks_and_never_answers_denies_nobody() {
    for (is_one, most) in [(true, TRANSFERS_UNANSWERED_PER_ADDRESS_MAX), (false, TRANSFERS_MAX)] {
        let what = if is_one { "one host" } else { "made up addresses" };
        let mut world = world();
        flood(&mut world, is_one);
        assert_eq!(world.server.as_ref().map(Transfers::active), Some(most), "{what}");
        assert_eq!(world.unwanted.len(), TRANSFERS_MAX - most, "{what}: what is left need not be opened");
        world.run(1, |_| false);
        all_load(&mut world, what);
        assert!(
            world.ended.iter().all(|ended| ended.outcome == Outcome::Complete),
            "{what}: no line for each of them"
        );
        let all = |world: &World| world.server.as_ref().is_some_and(|server| server.active() == 0);
        let began = world.now;
        world.run(100, all);
        assert!(world.now.since(began) <= TFTP_PATIENCE_BEFORE_ACK_MAX, "{what}");
        world.assert_at_rest(what);
    }
}

/// Who gave way, and says again that he was answered, is told at once: he would wait in vain, and U-Boot asks anew for that.
#[test]
fn who_gave_way_is_told_when_he_speaks() {
    let mut world = world();
    world.run(10, |_| false);
    let peer = SocketAddrV4::new(address(1), 2070);
    let tell = |world: &mut World, port, payload: &[u8]| {
        world.tell(Input::Datagram { port, local: SERVER, peer, payload });
    };
    tell(&mut world, Port::Request, ASKS);
    world.run_for(100);
    flood(&mut world, false);
    tell(&mut world, Port::Data(0), b"\0\x04\0\0");
    let told: Vec<_> = world.errors.drain(..).filter(|(to, _)| *to == peer).collect();
    assert_eq!(told, [(peer, b"\0\x05\0\x05no such transfer\0".to_vec())]);
    tell(&mut world, Port::Request, ASKS);
    tell(&mut world, Port::Data(0), b"\0\x04\0\0");
    world.run_for(100);
    tell(&mut world, Port::Data(0), b"\0\x04\0\0");
    assert!(world.errors.iter().all(|(to, _)| *to != peer), "his next request is as good as any");
}

/// Who leaves before its file is open, as by an ERROR, is no work for a disk; who was refused it is none any more.
#[test]
fn what_is_wanted_no_more_need_not_be_opened() {
    let mut world = world();
    for (name, payload) in [(1, &b"\0\x01boot\0octet\0"[..]), (2, b"\0\x01missing\0octet\0")] {
        let peer = SocketAddrV4::new(address(name), 2070);
        world.tell(Input::Datagram { port: Port::Request, local: SERVER, peer, payload });
    }
    let peer = SocketAddrV4::new(address(1), 2070);
    world.tell(Input::Datagram { port: Port::Data(0), local: SERVER, peer, payload: b"\0\x05\0\0gone\0" });
    assert_eq!(world.unwanted.len(), 1);
    world.run(1, |_| false);
    assert_eq!(world.unwanted.len(), 1);
    world.assert_at_rest("both have ended");
}

/// Each of them acknowledges the OACK, unseen: then it is the flood's own address that has to make room.
#[test]
fn who_answers_once_and_never_again_denies_nobody() {
    let mut world = world();
    for n in 0..TRANSFERS_MAX {
        let peer = stranger(n, true);
        world.tell(Input::Datagram { port: Port::Request, local: SERVER, peer, payload: ASKS });
        if n % 1024 == 1023 {
            world.run_for(200);
            for n in n - 1023..=n {
                let peer = stranger(n, true);
                let ports = (0..DATA_PORTS).map(Port::Data);
                ports.for_each(|port| {
                    world.tell(Input::Datagram { port, local: SERVER, peer, payload: b"\0\x04\0\0" });
                });
            }
        }
    }
    assert_eq!(world.server.as_ref().map(Transfers::active), Some(TRANSFERS_MAX));
    world.errors.clear();
    all_load(&mut world, "it answered once");
    let told = world.errors.iter().find(|(peer, _)| *peer.ip() == Ipv4Addr::new(10, 99, 0, 1));
    assert!(told.is_some_and(|(_, bytes)| bytes[4..].starts_with(b"its address has too many")), "{told:?}");
}

/// A thousand machines behind a router that translates all ask in one instant, beside a flood of another host.
#[test]
fn a_thousand_behind_one_address_are_all_served() {
    let mut world = world();
    world.is_one_address = true;
    flood(&mut world, true);
    let kinds = [IPXE, PXELINUX, GRUB, EDK2];
    let all: Vec<usize> =
        (0..1000).map(|n| world.start(Client::new(kinds[n % 4], 10_000 + 10 * n as u16, "boot"))).collect();
    world.run(60, |world| world.clients.iter().all(|client| client.state == State::Done));
    all.iter().for_each(|index| world.assert_loaded(*index, "behind one address"));
}
