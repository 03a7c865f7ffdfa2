//! Ways that lose packets, put them in another order, or are away for a while; and trains that take their time on a cable.

use super::client::*;
use super::world::{Weather, World, settings};
use super::{EVERYBODY, FINE};
use heorot_core::load::{self, Control, LinkRate};
use heorot_core::transfer::Settings;
use std::time::Duration;

/// Octets of the file.
const OCTETS: usize = 2_000_000;

/// EDK2 acknowledges whatever is not the next block, others once until they have come further.
const SPEAK: [OldBlock; 2] = [OldBlock::AcknowledgeLast, OldBlock::AcknowledgeOnce];

/// Five clients load by windows at a gigabit, one after another: how long the one in the middle takes, and how often each block is sent.
fn load(habits: Habits, weather: Weather) -> (Duration, f64) {
    let blocks = OCTETS / habits.block_octets.expect("they ask for it") + 1;
    let runs = (1..=5).map(|seed| {
        let mut world = World::new(seed, weather);
        world.packet_time = Duration::from_micros(12);
        world.late_microseconds_max = 300;
        world.file("boot", OCTETS);
        let start = world.now;
        let index = world.start(Client::new(habits, 2070, "boot"));
        world.run(600, |world| world.clients[index].state == State::Done);
        let took = world.now.since(start);
        world.run_out(600);
        let what = format!("windows of {}, {:?}, {weather:?}, seed {seed}", habits.window, habits.old_block);
        world.assert_loaded(index, &what);
        world.assert_at_rest(&what);
        (took, world.data_sent as f64 / blocks as f64)
    });
    let (mut times, mut copies): (Vec<Duration>, Vec<f64>) = runs.unzip();
    times.sort();
    copies.sort_by(f64::total_cmp);
    (times[2], copies[2])
}

/// A gap costs what lies behind it in its window once, however often a client speaks of it; and one in a repeat is no silence.
#[test]
fn a_gap_is_answered_once_and_soon() {
    for (window, lost, milliseconds_max, copies_max) in
        [(16, 10, 120, 1.2), (64, 10, 80, 1.6), (16, 50, 1000, 2.0), (64, 50, 1000, 4.6)]
    {
        for old_block in SPEAK {
            let habits = Habits { window, old_block, size: Size::Asked, ..EDK2 };
            let (took, copies) = load(habits, Weather { lost, ..FINE });
            let what = format!(
                "windows of {window}, {lost} of a thousand lost, {old_block:?}: {took:?}, {copies:.2} copies"
            );
            assert!(took < Duration::from_millis(milliseconds_max) && copies < copies_max, "{what}");
        }
    }
}

/// An ACK of a block inside a window tells of a gap (RFC 7440 4). Not by who acknowledges every block: that is seen soon, and each goes once to the end of the file.
#[test]
fn who_acknowledges_every_block_of_a_window_gets_each_once() {
    for (window, lost, copies_max) in [
        (2, 0, 1.02),
        (4, 0, 1.05),
        (8, 0, 1.05),
        (16, 0, 1.05),
        (64, 0, 1.4),
        (4, 10, 1.25),
        (16, 10, 1.25),
        (64, 10, 1.7),
    ] {
        for old_block in [OldBlock::Ignore, OldBlock::AcknowledgeLast] {
            let habits = Habits { window, old_block, size: Size::Asked, acknowledges_singly: true, ..EDK2 };
            let (took, copies) = load(habits, Weather { lost, ..FINE });
            let what = format!(
                "windows of {window}, {lost} of a thousand lost, {old_block:?}: {took:?}, {copies:.3} copies"
            );
            assert!(took < Duration::from_millis(700) && copies < copies_max, "{what}");
        }
    }
}

/// Each packet is late by up to 25 times what it takes on the cable.
#[test]
fn a_way_without_order_is_slow_and_no_standstill() {
    for old_block in SPEAK {
        let habits = Habits { window: 16, old_block, size: Size::Asked, ..EDK2 };
        for (reordered, milliseconds_max, copies_max) in [(10, 80, 1.8), (1000, 2500, 10.0)] {
            let (took, copies) = load(habits, Weather { reordered, ..FINE });
            let what = format!("{reordered} of a thousand late, {old_block:?}: {took:?}, {copies:.2} copies");
            assert!(took < Duration::from_millis(milliseconds_max) && copies < copies_max, "{what}");
        }
    }
}

/// A switch is away for a while, just when the last block is on its way: whoever comes back gets it, and no ERROR.
#[test]
fn who_waits_for_his_last_block_waits_through_an_outage() {
    for habits in EVERYBODY {
        for octets in [100, 50_000] {
            let mut world = World::new(1, FINE);
            world.file("boot", octets);
            let index = world.start(Client::new(habits, 2070, "boot"));
            let size = habits.block_octets.unwrap_or(512);
            let last = octets / size * size;
            world.run(1, |world| {
                world.clients[index].state == State::Loading && world.clients[index].received.len() >= last
                    || habits.block_octets.is_none() && world.data_sent as usize == octets.div_ceil(size)
            });
            world.weather.lost = 1000;
            world.run_for(12_000);
            world.weather.lost = 0;
            world.run_out(120);
            world.assert_loaded(index, "after an outage");
            assert!(world.errors.is_empty(), "{}: {:?}", habits.name, world.errors);
            world.assert_at_rest("after an outage");
        }
    }
}

/// Each loads a file of its own, of which memory has little, and a disk has to bring the rest again and again: whoever waits for that leaves the link to others.
#[test]
fn what_a_disk_brings_late_takes_nothing_of_the_link() {
    const BITS: u64 = 20_000_000;
    const WIRE_OCTETS: u64 = 1538;
    let load = load::Settings::one(LinkRate::Given(BITS), Control::All);
    let mut world = World::with(Settings { load, ..settings() }, 1, Weather { memory_short: 150, ..FINE });
    let habits = Habits { window: 16, size: Size::Asked, ..EDK2 };
    let start = world.now;
    for n in 0..20 {
        let path = format!("boot{n}").leak();
        world.file(path, OCTETS / 2);
        world.start(Client::new(habits, 2070, path));
    }
    world.run(60, |world| world.clients.iter().all(|client| client.state == State::Done));
    let took = world.now.since(start);
    (0..20).for_each(|index| world.assert_loaded(index, "its own file"));
    let least = Duration::from_nanos(world.data_sent * WIRE_OCTETS * 8 * 1_000_000_000 / BITS);
    // The last of them waits for his disk alone. What is granted in vain would be more than a seventh of all.
    assert!(took < least + least / 8, "{took:?}, of which {least:?} on the link");
}
