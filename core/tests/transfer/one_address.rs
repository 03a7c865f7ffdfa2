//! Machines that share an address, as behind a router that translates.

use super::FINE;
use super::client::*;
use super::world::World;
use heorot_core::transfer::Outcome;

fn world() -> World {
    let mut world = World::new(1, FINE);
    world.is_one_address = true;
    world.file("boot", 1_000_000);
    world.file("other", 1_000_000);
    world
}

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
    for (path, silent) in [("boot", 1_300), ("boot", 20_000), ("other", 20_000)] {
        let mut world = world();
        load(&mut world, &["boot"]);
        world.clients[0].habits = GRUB; // It never repeats itself: nothing but a repeat of ours brings it on.
        world.run(5, |world| world.clients[0].received.len() > 100_000);
        let port = std::mem::replace(&mut world.clients[0].port, 1);
        world.run_for(100);
        let other = world.start(Client::new(IPXE, 50_000, path));
        world.run_for(silent);
        world.assert_loaded(other, "while the first one is silent");
        world.clients[0].port = port;
        world.run_out(60);
        world.assert_loaded(0, &format!("after {silent} ms of silence, while {path} was asked for"));
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
