//! Links that are slower than what is behind them, and links that become others while files are loaded.

use super::FINE;
use super::client::*;
use super::world::{World, settings};
use heorot_core::load::{self, Control, Link, LinkRate};
use heorot_core::transfer::{Input, Settings};
use std::time::Duration;

/// A world behind a link of which an operator said that it is so fast.
fn behind(bits: u64, block_octets_max: u16) -> World {
    let links = vec![Link { block_octets_max, ..Link::new(LinkRate::Given(bits)) }];
    let load = load::Settings { control: Control::All, links };
    let mut world = World::with(Settings { load, ..settings() }, 1, FINE);
    world.packet_time = Duration::from_micros(12);
    world
}

fn becomes(world: &mut World, bits: u64, block_octets_max: u16) {
    let link = Link { block_octets_max, ..Link::new(LinkRate::Given(bits)) };
    world.tell(Input::Configure(vec![link]));
}

fn done(world: &World) -> usize {
    world.clients.iter().filter(|client| client.state == State::Done).count()
}

/// Of a window that a slow link takes block by block each is acknowledged before the next may leave. That is the end of the window, and others have their turn.
#[test]
fn who_acknowledges_every_block_leaves_others_their_turn() {
    let mut world = behind(20_000_000, 1468);
    world.file("long", 20_000_000);
    world.file("short", 500_000);
    let singly = Habits { window: 16, size: Size::Asked, acknowledges_singly: true, ..EDK2 };
    let long = world.start(Client::new(singly, 2070, "long"));
    world.run_for(500);
    let begun = world.now;
    let short = world.start(Client::new(PXELINUX, 2070, "short"));
    world.run(60, |world| world.clients[short].state == State::Done);
    world.assert_loaded(short, "beside a long file");
    // It shares the link with one: its 500 kB take 0.2 s alone, and what it gets of its deadlines is more than a tenth of the link.
    let took = world.now.since(begun);
    assert!(took < Duration::from_secs(4), "{took:?}");
    world.run_out(60);
    world.assert_loaded(long, "beside a short file");
}

/// Other links change nothing about who was there first, and what machines load in all.
#[test]
fn new_links_take_transfers_along() {
    let mut world = behind(20_000_000, 1468);
    world.file("boot", 1_000_000);
    for _ in 0..20 {
        world.start(Client::new(IPXE, 2070, "boot"));
    }
    world.run_for(1000);
    let before = done(&world);
    becomes(&mut world, 20_000_000, 1460);
    // Two seconds of the link are five files, of which the last of the others take a part.
    world.run_for(2000);
    assert!(done(&world) >= before + 3, "{} of 20 are done, and {before} were", done(&world));
    world.run_out(60);
    (0..20).for_each(|index| world.assert_loaded(index, "over another link"));
}

/// A transfer keeps its blocks. Those that are longer than any that its link takes from now on leave all the same, be it for less than the link's rate.
#[test]
fn blocks_that_are_longer_than_their_link_takes_now_leave_all_the_same() {
    let jumbo = Habits { block_octets: Some(8968), ..IPXE };
    for is_restarted in [false, true] {
        let mut world = behind(5_000_000, 8968);
        world.file("boot", 2_000_000);
        let index = world.start(Client::new(jumbo, 2070, "boot"));
        world.run(10, |world| world.clients[index].received.len() > 500_000);
        if is_restarted {
            let notes = world.kill(0);
            world.settings.load.links[0].block_octets_max = 1468;
            world.restore(notes);
        } else {
            becomes(&mut world, 5_000_000, 1468);
        }
        let changed = world.now;
        world.run_out(60);
        world.assert_loaded(index, "with longer blocks");
        let took = world.now.since(changed);
        assert!(took < Duration::from_millis(4000), "{took:?} for what is 2.4 s of the link");
        world.assert_at_rest("with longer blocks");
    }
}

/// What is counted as sent again is what was: a window that finds its socket full is tried every few milliseconds, and its transfer is not told of that either.
#[test]
fn what_did_not_leave_was_not_sent_again() {
    for habits in [IPXE, EDK2, Habits { window: 16, size: Size::Asked, ..EDK2 }] {
        let mut world = behind(1_000_000_000, 1468);
        world.weather = super::Weather { lost: 20, socket_full: 100, memory_short: 20, ..FINE };
        world.file("boot", 500_000);
        (0..4).for_each(|_| _ = world.start(Client::new(habits, 2070, "boot")));
        world.run_out(600);
        (0..4).for_each(|index| world.assert_loaded(index, "through full sockets"));
        let told: u64 = world.ended.iter().map(|transfer| transfer.resent).sum();
        let total = world.server.as_ref().unwrap().resent_total();
        assert_eq!(told, total, "{}: as each of them says", habits.name);
    }
}
