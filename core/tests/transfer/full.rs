//! There is no room for one more transfer: who is refused, and who takes whose place.

use super::FINE;
use super::world::{SERVER, World, address};
use heorot_core::limit::TRANSFERS_MAX;
use heorot_core::transfer::*;
use std::net::SocketAddrV4;

fn say(world: &mut World, port: Port, peer: SocketAddrV4, payload: &[u8]) {
    world.tell(Input::Datagram { port, local: SERVER, peer, payload });
}

fn ask(world: &mut World, peer: SocketAddrV4) {
    say(world, Port::Request, peer, b"\0\x01boot\0octet\0");
}

/// The port by which each machine has asked first.
fn first(n: usize) -> SocketAddrV4 {
    SocketAddrV4::new(address(n), 2070)
}

/// The port by which it asks when it begins anew.
fn anew(n: usize) -> SocketAddrV4 {
    SocketAddrV4::new(address(n), 2071)
}

/// As many machines as there is room for, each of which has acknowledged the first of two blocks.
fn full() -> World {
    let mut world = World::new(1, FINE);
    world.file("boot", 1000);
    (0..TRANSFERS_MAX).for_each(|n| ask(&mut world, first(n)));
    world.run(2, |_| false);
    (0..TRANSFERS_MAX).for_each(|n| say(&mut world, Port::Data(0), first(n), b"\0\x04\0\x01"));
    assert!(world.errors.is_empty());
    assert_eq!(active(&world), TRANSFERS_MAX);
    world
}

fn active(world: &World) -> usize {
    world.server.as_ref().map_or(0, Transfers::active)
}

/// Whose transfers ended, and how.
fn ended(world: &World) -> Vec<(SocketAddrV4, &Outcome)> {
    world.ended.iter().map(|ended| (ended.peer, &ended.outcome)).collect()
}

/// Where all of them are answered, the one too many is told so at once, and there is room again when one has ended.
#[test]
fn too_many_transfers_are_refused() {
    let mut world = full();
    ask(&mut world, first(TRANSFERS_MAX));
    assert_eq!(world.errors.len(), 1);
    assert_eq!(world.errors[0].1[..4], [0, 5, 0, 0]);
    assert_eq!(active(&world), TRANSFERS_MAX);
    ask(&mut world, first(0));
    assert_eq!(world.errors.len(), 1, "the first is in flight");
    (0..TRANSFERS_MAX).for_each(|n| say(&mut world, Port::Data(0), first(n), b"\0\x05\0\0gone\0"));
    world.assert_at_rest("all of them left");
}

/// The power fails and comes back: each machine begins anew by another port, while what it left fills the table.
#[test]
fn who_begins_anew_takes_the_place_of_what_it_left() {
    let mut world = full();
    world.run(10, |_| false);
    ask(&mut world, anew(7));
    assert!(world.errors.is_empty(), "{:?}", world.errors);
    let why = "its machine fell silent and asked anew, and there was no room for both";
    assert_eq!(ended(&world), [(first(7), &Outcome::Left(why.into()))]);
    assert_eq!(active(&world), TRANSFERS_MAX);
    // And the new one is as good as any: it is sent its file.
    world.run_for(10);
    say(&mut world, Port::Data(0), anew(7), b"\0\x04\0\x01");
    ask(&mut world, first(TRANSFERS_MAX));
    let refused: Vec<_> = world.errors.iter().map(|(peer, _)| *peer).collect();
    assert_eq!(refused, [first(TRANSFERS_MAX)], "he has nothing here whose place he could take");
    world.run_for(10);
    say(&mut world, Port::Data(0), anew(7), b"\0\x04\0\x02");
    assert_eq!(ended(&world)[1..], [(anew(7), &Outcome::Complete)]);
}

/// Behind one address may be many machines: whoever of them answers keeps his place.
#[test]
fn who_answers_gives_no_place_to_his_own_address() {
    let mut world = full();
    world.run(10, |_| false);
    // It says its last ACK again.
    say(&mut world, Port::Data(0), first(7), b"\0\x04\0\x01");
    ask(&mut world, anew(7));
    assert_eq!(world.errors.iter().map(|(peer, _)| *peer).collect::<Vec<_>>(), [anew(7)]);
    assert_eq!(ended(&world), []);
}

/// It was refused before it was known that nobody is there any more: that it asked is known all the same.
#[test]
fn who_was_refused_has_left_what_it_had() {
    let mut world = full();
    world.run(3, |_| false);
    ask(&mut world, anew(7));
    assert_eq!(world.errors.len(), 1);
    world.run(34, |_| false);
    assert_eq!(ended(&world), [(first(7), &Outcome::Left("its machine left it, and asked anew".into()))]);
}
