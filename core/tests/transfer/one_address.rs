//! Machines that share an address, as behind a router that translates.

use super::FINE;
use super::client::*;
use super::world::{World, settings};
use heorot_core::load::{self, Control, LinkRate};
use heorot_core::transfer::{Outcome, Settings};

fn world() -> World {
    let mut world = World::new(1, FINE);
    world.is_one_address = true;
    world.file("boot", 1_000_000);
    world.file("other", 1_000_000);
    world
}

/// A client that takes many blocks at a time.
const WINDOWS: Habits = Habits { name: "a client with windows", window: 16, size: Size::Asked, ..EDK2 };

fn load(world: &mut World, paths: &[&'static str]) {
    for (number, path) in paths.iter().enumerate() {
        let habits = [PXELINUX, IPXE, GRUB, EDK2][number % 4];
        world.start(Client::new(habits, 40_000 + 10 * number as u16, path));
        world.run_for(3);
    }
}

/// All load the same, one began after the other, and the link is down for a while. In the moment in which it is back the next one asks.
#[test]
fn nobody_is_taken_for_one_that_was_reset() {
    for down in [1_300, 5_000] {
        let mut world = world();
        load(&mut world, &["boot"; 20]);
        world.weather.lost = 1000;
        world.run_for(down);
        world.weather.lost = 0;
        let last = world.start(Client::new(IPXE, 50_000, "boot"));
        world.run_out(120);
        for index in 0..=last {
            world.assert_loaded(index, "after an outage");
        }
        assert!(
            world.ended.iter().all(|ended| ended.outcome == Outcome::Complete),
            "{down} ms: {:?}",
            world.ended
        );
        world.assert_at_rest("after an outage");
    }
}

/// One of them hears nothing for a while, as a machine that was stopped, and meanwhile another one loads the same, or something else: its transfer is there when it hears again.
#[test]
fn who_is_silent_while_another_one_asks_goes_on() {
    // It never repeats itself: nothing but a repeat of ours brings it on.
    let windows = Habits { repeats: &[], ..WINDOWS };
    let cases =
        [(GRUB, "boot", 1_300), (GRUB, "boot", 20_000), (GRUB, "other", 20_000), (windows, "boot", 20_000)];
    for (habits, path, silent) in cases {
        let mut world = world();
        world.start(Client::new(habits, 40_000, "boot"));
        world.run(5, |world| world.clients[0].received.len() > 100_000);
        let port = std::mem::replace(&mut world.clients[0].port, 1);
        world.run_for(100);
        let other = world.start(Client::new(IPXE, 50_000, path));
        world.run_for(silent);
        world.assert_loaded(other, "while the first one is silent");
        world.clients[0].port = port;
        world.run_out(60);
        let what = format!("{}, after {silent} ms of silence, while {path} was asked for", habits.name);
        world.assert_loaded(0, &what);
        let is_delivered = world.ended.iter().all(|ended| ended.outcome == Outcome::Complete);
        assert!(is_delivered, "{:?}", world.ended);
    }
}

/// One of them is gone, and the others go on to ask: it is not repeated to for long.
#[test]
fn who_is_gone_is_found_to_be() {
    let mut world = world();
    load(&mut world, &["boot", "other", "boot"]);
    world.clients[0].state = State::Failed("switched off".into());
    world.run_for(100);
    world.start(Client::new(IPXE, 50_000, "boot"));
    let began = world.now;
    world.run(60, |world| world.ended.iter().any(|ended| ended.outcome != Outcome::Complete));
    assert!((30..36).contains(&world.now.since(began).as_secs()), "{:?}", world.ended);
    let why = world.ended.iter().map(|ended| &ended.outcome).find(|outcome| **outcome != Outcome::Complete);
    assert_eq!(why, Some(&Outcome::Left("its machine left it, and asked anew".into())));
    world.run_out(60);
    (1..4).for_each(|index| world.assert_loaded(index, "beside one that is gone"));
}

/// Those of its machines that load share the link; those that are gone, while others ask, are repeated one block each, and take no share of it.
#[test]
fn who_is_gone_takes_little() {
    let load = load::Settings::one(LinkRate::Given(8_000_000), Control::All);
    let mut world = World::with(Settings { load, ..settings() }, 1, FINE);
    world.is_one_address = true;
    world.file("boot", 10_000_000);
    world.file("small", 50_000);
    // Half a second of the link is 325 packets: ten of them have what they ask for, and of forty none would.
    for n in 0..40 {
        world.start(Client::new(WINDOWS, 40_000 + 10 * n, "boot"));
    }
    world.run_for(3_000);
    world.clients.iter_mut().for_each(|client| client.state = State::Failed("switched off".into()));
    world.run_for(20_000);
    let here = world.start(Client::new(WINDOWS, 50_000, "small"));
    world.run(10, |world| world.clients[here].state == State::Done);
    world.assert_loaded(here, "beside many that are gone");
    assert_eq!(world.clients[here].window, 16, "nobody else loads anything");
    // Each of them is repeated to every four seconds, as long as it may be there.
    let before = world.data_sent;
    world.run_for(4_000);
    assert!((30..=60).contains(&(world.data_sent - before)), "{} blocks", world.data_sent - before);
    world.run_out(60);
    let left = Outcome::Left("its machine left it, and asked anew".into());
    assert_eq!(world.ended.iter().filter(|ended| ended.outcome == left).count(), 40, "{:?}", world.ended);
    world.assert_at_rest("all are gone");
}

/// Of two that fall silent one was heard after something was asked for from their address, and one before: that one is left, and the other may be there.
#[test]
fn who_was_heard_since_has_left_nothing() {
    let mut world = world();
    world.file("long", 200_000_000);
    for (port, path) in [(40_000, "long"), (40_010, "long")] {
        world.start(Client::new(WINDOWS, port, path));
    }
    world.run_for(100);
    world.clients[0].state = State::Failed("switched off".into());
    world.run_for(100);
    world.start(Client::new(IPXE, 50_000, "boot"));
    world.run_for(100);
    world.clients[1].state = State::Failed("switched off".into());
    world.run(60, |world| world.ended.len() > 1);
    let left = |world: &World| {
        let is_left = |outcome: &Outcome| matches!(outcome, Outcome::Left(_));
        let left = world.ended.iter().filter(|ended| is_left(&ended.outcome));
        left.map(|ended| ended.peer.port()).collect::<Vec<_>>()
    };
    assert_eq!(left(&world), [40_000]);
    world.run(60, |_| false);
    assert_eq!(left(&world), [40_000], "nothing was asked for since");
}

/// It began anew while a disk was waited for: that the disk has answered since is no word of the machine.
#[test]
fn who_began_anew_while_a_disk_was_slow_has_left_what_it_had() {
    let mut world = world();
    world.start(Client::new(GRUB, 40_000, "boot"));
    world.run(1, |world| !world.fetches.is_empty());
    world.clients[0].state = State::Failed("switched off".into());
    world.start(Client::new(IPXE, 50_000, "other"));
    let began = world.now;
    world.run(60, |world| world.ended.len() > 1);
    world.assert_loaded(1, "what it asked for anew");
    let left = Outcome::Left("its machine left it, and asked anew".into());
    assert_eq!(world.ended[1].outcome, left, "after {:?}", world.now.since(began));
    assert!((30..36).contains(&world.now.since(began).as_secs()), "{:?}", world.now.since(began));
}

/// Our own queue is full in the moment in which one of them would be found to have left: the repeat that is to tell has not left yet.
#[test]
fn who_cannot_be_repeated_to_has_left_nothing() {
    for silent in [1_000, 12_000, 25_000] {
        let mut world = world();
        load(&mut world, &["boot"]);
        world.clients[0].habits = GRUB; // It never repeats itself.
        world.run(5, |world| world.clients[0].received.len() > 100_000);
        let port = std::mem::replace(&mut world.clients[0].port, 1);
        world.run_for(100);
        let other = world.start(Client::new(IPXE, 50_000, "boot"));
        world.run(5, |world| world.clients[other].state == State::Done);
        world.run_for(silent);
        world.weather.socket_full = 1000;
        world.clients[0].port = port;
        world.run_for(40_000);
        assert_eq!(world.ended.len(), 1, "{silent} ms: {:?}", world.ended);
        world.weather.socket_full = 0;
        world.run_out(60);
        world.assert_loaded(0, &format!("after {silent} ms of silence, and a full queue"));
    }
}
