//! Links that are slower than what is behind them, and links that become others while files are loaded.

use super::FINE;
use super::client::*;
use super::world::{World, settings};
use heorot_core::load::{self, Control, Link, LinkRate};
use heorot_core::transfer::Settings;
use std::time::Duration;

/// A world behind a link of which an operator said that it is so fast.
fn behind(bits: u64, block_octets_max: u16) -> World {
    let links = vec![Link { block_octets_max, ..Link::new(LinkRate::Given(bits)) }];
    let load = load::Settings { control: Control::All, links };
    let mut world = World::with(Settings { load, ..settings() }, 1, FINE);
    world.packet_time = Duration::from_micros(12);
    world
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
