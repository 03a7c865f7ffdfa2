//! Files reach clients: model clients load from [`Transfers`] through a network that may be bad, and what arrives is compared.

mod bad_ways;
mod client;
mod floods;
mod full;
mod links;
mod one_address;
mod world;

use client::*;
use heorot_core::transfer::*;
use std::net::SocketAddrV4;
use std::time::Duration;
use world::{DATA_PORTS, SERVER, Weather, World, address};

const FINE: Weather = Weather { lost: 0, doubled: 0, reordered: 0, socket_full: 0, memory_short: 0 };
const EVERYBODY: [Habits; 5] = [IPXE, PXELINUX, GRUB, EDK2, BARE];

/// One client loads one file of so many octets. Gives the world afterwards.
fn load(habits: Habits, octets: usize, seed: u64, weather: Weather) -> World {
    let mut world = World::new(seed, weather);
    world.file("boot", octets);
    let index = world.start(Client::new(habits, 2070, "boot"));
    world.run_out(600);
    let what = format!("{octets} octets, seed {seed}, {weather:?}");
    world.assert_loaded(index, &what);
    world.assert_at_rest(&what);
    world
}

fn block_octets(habits: &Habits) -> usize {
    habits.block_octets.unwrap_or(512)
}

/// RFC 1350 6: a file ends with a block that is not full, be it empty.
#[test]
fn everybody_loads_files_of_every_size() {
    for habits in EVERYBODY {
        let block = block_octets(&habits);
        for octets in [0, 1, block - 1, block, block + 1, 4 * block, 4 * block + 1, 5 * block, 700_000] {
            let world = load(habits, octets, 1, FINE);
            let blocks = octets / block + 1;
            assert_eq!(world.data_sent, blocks as u64, "{}: {octets}: nothing goes twice", habits.name);
            assert_eq!(world.ended.len(), 1, "{}: the probe is no transfer", habits.name);
            let ended = &world.ended[0];
            assert_eq!(
                (ended.octets, ended.resent, &ended.outcome),
                (octets as u64, 0, &Outcome::Complete),
                "{}",
                habits.name
            );
            assert!(world.errors.is_empty(), "{}: {:?}", habits.name, world.errors);
        }
    }
}

#[test]
fn block_numbers_wrap() {
    let small = Habits { block_octets: Some(8), ..IPXE };
    for habits in [small, Habits { window: 64, ..small }] {
        let octets = 8 * 70_000;
        let world = load(habits, octets, 1, FINE);
        assert_eq!(world.data_sent, 70_001);
    }
}

/// A megabyte with a hundredth of all packets lost, both ways: what only the server can repeat is repeated after about 20 ms, so that it takes no second.
#[test]
fn a_hundredth_lost_costs_no_second() {
    // Who ignores what comes again waits for its own timer when an ACK is lost, and nobody can help it.
    for habits in EVERYBODY.into_iter().filter(|habits| habits.old_block != OldBlock::Ignore) {
        let mut took: Vec<Duration> = (1..=41)
            .map(|seed| {
                let mut world = World::new(seed, Weather { lost: 10, ..FINE });
                world.file("boot", 1 << 20);
                let start = world.now;
                let index = world.start(Client::new(habits, 2070, "boot"));
                world.run(600, |world| world.clients[index].state == State::Done);
                world.assert_loaded(index, &format!("seed {seed}"));
                world.now.since(start)
            })
            .collect();
        took.sort();
        let (median, longest) = (took[20], took[40]);
        assert!(median < Duration::from_secs(1), "{}: median {median:?}, longest {longest:?}", habits.name);
    }
}

/// All from port 69, for firewalls: everybody loads, machines are reset, servers killed, and strangers are told so.
#[test]
fn one_port_is_enough() {
    let single = || Settings { data_ports: 1, single_port: true, ..world::settings() };
    for habits in EVERYBODY {
        for weather in
            [FINE, Weather { lost: 20, doubled: 20, reordered: 50, socket_full: 20, memory_short: 5 }]
        {
            let mut world = World::with(single(), 3, weather);
            world.file("boot", 300_000);
            let all: Vec<usize> =
                (0..3).map(|n| world.start(Client::new(habits, 2070 + n, "boot"))).collect();
            world.run_out(600);
            all.iter().for_each(|index| world.assert_loaded(*index, "one port"));
            assert!(world.clients.iter().all(|client| client.server_port == Some(69)), "{}", habits.name);
            world.assert_at_rest("one port");
        }
        let mut world = World::with(single(), 1, FINE);
        world.file("boot", 300_000);
        let index = world.start(Client::new(habits, 49_152, "boot"));
        world.run(5, |world| world.clients[index].received.len() > 100_000);
        let notes = world.kill(1);
        world.restore(notes);
        world.run(5, |world| world.clients[index].received.len() > 200_000);
        world.clients[index].state = State::Failed("reset".into());
        world.run(1, |_| false);
        world.clients[index] = Client::new(habits, 49_152, "boot");
        let said = world.clients[index].ask();
        world.say(index, said);
        world.run_out(60);
        world.assert_loaded(index, "reset");
        world.now = world.now + Duration::from_secs(6);
        world.tell(Input::Datagram {
            port: Port::Request,
            local: SERVER,
            peer: SocketAddrV4::new(address(9), 99),
            payload: b"\0\x04\0\x01",
        });
        assert_eq!(world.errors.last().map(|(_, bytes)| bytes[..4].to_vec()), Some(vec![0, 5, 0, 5]));
    }
}

/// A block is as long as was asked for, and no longer than the way takes (RFC 2348: "less than or equal to the value specified by the client"); without the option it is 512 (RFC 1350 2).
#[test]
fn blocks_are_as_long_as_the_way_takes() {
    for (asked, max, expected) in [
        (Some(1468), 1468, 1468),
        (Some(65464), 1468, 1468),
        (Some(65464), 8968, 8968),
        (Some(1468), 8968, 1468),
        (Some(1468), 1248, 1248),
        (None, 256, 512),
    ] {
        let mut settings = world::settings();
        settings.load.links[0].block_octets_max = max;
        let mut server = Transfers::new(World::new(1, FINE).now, settings);
        let option = asked.map(|octets| format!("blksize\0{octets}\0")).unwrap_or_default();
        let request = format!("\0\x01boot\0octet\0{option}");
        let (now, peer) = (World::new(1, FINE).now, SocketAddrV4::new(address(1), 2070));
        let mut out = Vec::new();
        let payload = request.as_bytes();
        server.handle(now, Input::Datagram { port: Port::Request, local: SERVER, peer, payload }, &mut out);
        let identity = ImageIdentity { file: 1, size: 1 << 20, modified: 1 };
        let opened = Opened { image: ImageId(1), identity };
        let transfer = out.iter().find_map(|output| {
            if let Output::Open { transfer, .. } = output { Some(*transfer) } else { None }
        });
        let transfer = transfer.expect("the file is asked for");
        server.handle(now, Input::Opened { transfer, result: Ok(opened) }, &mut out);
        let said = out.iter().find_map(|output| {
            let Output::Send(Send { body, .. }) = output else { return None };
            Some(match body {
                Body::Packet(oack) => String::from_utf8_lossy(oack).split('\0').nth(2).unwrap().to_owned(),
                Body::Train(block) => block.block_octets.to_string(),
            })
        });
        assert_eq!(said, Some(expected.to_string()), "{asked:?} of {max}: {out:?}");
    }
}

const CUT_OFF: &str = "ERROR 4: the request is cut off: each of its strings ends with a zero octet, and each option has a value";

/// Each of these is told what it may not, and nothing is opened for it.
#[test]
fn what_is_no_read_request_is_refused_in_words() {
    let long = [b"\0\x01", &[b'a'; 600][..], b"\0octet\0"].concat();
    for (payload, expected) in [
        (long.as_slice(), "ERROR 0: a file name has 512 octets at most"),
        (b"\0\x02boot\0octet\0", "ERROR 2: this server is read only: no file can be put here"),
        (b"\0\x01boot\0mail\0", "ERROR 4: the modes here are octet and netascii"),
        (b"\0\x01boot\0octet", CUT_OFF),
        (b"\0\x01boot\0octet\0tsize\0", CUT_OFF),
    ] {
        let mut world = World::new(1, FINE);
        let peer = SocketAddrV4::new(address(0), 2070);
        world.tell(Input::Datagram { port: Port::Request, local: SERVER, peer, payload });
        let (_, bytes) = world.errors.last().expect("it is refused").clone();
        let text = String::from_utf8_lossy(&bytes[4..bytes.len() - 1]);
        assert_eq!(format!("ERROR {}: {text}", bytes[3]), expected);
        world.assert_at_rest(expected);
    }
}

/// Loss, copies and disorder, both ways: every client gets its file, soon, and without a packet going twice for every copy.
#[test]
fn bad_networks_are_survived() {
    let table: [(&str, Weather, u64); 6] = [
        ("1 % lost", Weather { lost: 10, ..FINE }, 15),
        ("5 % lost", Weather { lost: 50, ..FINE }, 90),
        ("5 % doubled", Weather { doubled: 50, ..FINE }, 15),
        ("all doubled", Weather { doubled: 1000, ..FINE }, 15),
        ("10 % late", Weather { reordered: 100, ..FINE }, 60),
        (
            "everything",
            Weather { lost: 20, doubled: 20, reordered: 50, socket_full: 20, memory_short: 5 },
            60,
        ),
    ];
    for (what, weather, seconds) in table {
        for habits in EVERYBODY {
            for seed in 1..=5 {
                let mut world = World::new(seed, weather);
                world.file("boot", 700_000);
                let start = world.now;
                let index = world.start(Client::new(habits, 2070, "boot"));
                world.run(600, |world| world.clients[index].state == State::Done);
                world.assert_loaded(index, &format!("{what}, seed {seed}"));
                let took = world.now.since(start);
                assert!(
                    took < Duration::from_secs(seconds),
                    "{what}, {}, seed {seed}: {took:?}",
                    habits.name
                );
                let blocks = (700_000 / block_octets(&habits) + 1) as u64;
                // In lock-step a copy costs nothing. In a window it looks like a gap to the client, and costs as much as a loss: a window.
                let copies = if habits.window > 1 { weather.doubled / 4 } else { 0 };
                // Who ignores what comes again, and so does not repeat a lost ACK before 270 ms, is repeated to after 20, 60, 140 and 300 ms.
                let repeats = if habits.old_block == OldBlock::Ignore { 6 } else { 4 };
                let lost = weather.lost + weather.reordered + weather.socket_full + copies;
                let allowed = blocks + blocks * habits.window * (repeats * lost + 5) / 1000 + 10;
                assert!(
                    world.data_sent <= allowed,
                    "{what}, {}: {} of {blocks}, {allowed} allowed",
                    habits.name,
                    world.data_sent
                );
                world.run_out(600);
                world.assert_at_rest(what);
            }
        }
    }
}

#[test]
fn a_thousand_clients_load_one_file_from_memory_read_once() {
    let mut world = World::new(1, FINE);
    world.file("boot", 300_000);
    let all: Vec<usize> = (0..1000).map(|_| world.start(Client::new(IPXE, 2070, "boot"))).collect();
    world.run_out(60);
    all.iter().for_each(|index| world.assert_loaded(*index, "a thousand"));
    world.assert_at_rest("a thousand");
    // Each opening has an image of its own here: two chunks each, and none twice.
    assert_eq!(world.fetches.len(), 2000);
    assert_eq!(world.ended.len(), 1000);
}

/// Acknowledgements coalesce where they come at the rate of a gigabit, and no longer than they do; not where the few that there are may all be waiting.
#[test]
fn the_loop_rests_where_many_are_in_lock_step() {
    for (clients, rests) in [(20, false), (100, true)] {
        let mut world = World::new(1, FINE);
        world.file("boot", 1 << 20);
        (0..clients).for_each(|_| {
            world.start(Client::new(IPXE, 2070, "boot"));
        });
        let is_resting = |world: &World| world.server.as_ref().is_some_and(|server| server.rest(1).is_some());
        world.run(60, is_resting);
        assert_eq!(is_resting(&world), rests, "{clients} clients");
        world.run_out(60);
        world.run(1, |_| false);
        assert!(!is_resting(&world), "{clients} clients have gone");
    }
}

#[test]
fn what_is_not_to_be_had_is_said_at_once() {
    let mut world = World::new(1, FINE);
    world.file("secret", 10);
    let table = [("absent", "ERROR 1: there is no absent"), ("secret", "ERROR 2: not for you")];
    for (path, expected) in table {
        let start = world.now;
        let index = world.start(Client::new(PXELINUX, 49_152, path));
        world.run(1, |world| matches!(world.clients[index].state, State::Failed(_)));
        assert_eq!(world.clients[index].state, State::Failed(expected.into()), "{path}");
        assert!(world.now.since(start) < Duration::from_millis(5), "{path}: at once");
    }
    world.run_out(1);
    world.assert_at_rest("refused");
    assert!(world.ended.is_empty(), "no transfer began");
}

/// A client that has it all need not say so; its transfer ends soon, and says that nobody said so.
#[test]
fn the_last_ack_may_never_come() {
    let world = load(Habits { acknowledges_the_end: false, ..IPXE }, 100_000, 1, FINE);
    assert_eq!(world.ended.len(), 1);
    assert_eq!(world.ended[0].outcome, Outcome::Unconfirmed);
    assert!(world.errors.is_empty());
    let last = world.clients.len();
    assert!(world.data_sent < 100_000 / 1432 + 25 && last == 1, "a few repeats");
}

/// The machine is reset in mid-file and its loader begins at the same port: at once it gets the file from the start, from another port of ours.
#[test]
fn a_machine_reset_in_mid_file_begins_anew() {
    for habits in [PXELINUX, GRUB] {
        let mut world = World::new(1, FINE);
        world.file("boot", 300_000);
        let first = world.start(Client::new(habits, 49_152, "boot"));
        world.run(5, |world| world.clients[first].received.len() > 100_000);
        world.clients[first].state = State::Failed("reset".into());
        world.run(1, |_| false);
        let dead = std::mem::replace(&mut world.clients[first], Client::new(habits, 49_152, "boot"));
        let start = world.now;
        let said = world.clients[first].ask();
        world.say(first, said);
        world.run_out(60);
        world.assert_loaded(first, "reset");
        world.assert_at_rest("reset");
        assert!(world.now.since(start) < Duration::from_secs(1), "{}: not swallowed", habits.name);
        assert_ne!(world.clients[first].server_port, dead.server_port, "what is late must not be mistaken");
        let failures: Vec<_> = world.ended.iter().map(|ended| ended.outcome != Outcome::Complete).collect();
        assert_eq!(failures, [true, false], "{}: {:?}", habits.name, world.ended);
        let whole = world.files["boot"].content.len() as u64;
        assert!(world.ended[0].octets > 100_000 && world.ended[0].octets < whole);
    }
}

/// The machine is reset and its loader begins at another port: what it left behind ends soon, and is not repeated to for minutes.
#[test]
fn a_machine_that_asks_anew_by_another_port_has_left_its_transfer() {
    for path in ["boot", "other"] {
        let mut world = World::new(1, FINE);
        world.file("boot", 300_000);
        world.file("other", 300_000);
        let first = world.start(Client::new(PXELINUX, 49_152, "boot"));
        world.run(5, |world| world.clients[first].received.len() > 100_000);
        world.clients[first].state = State::Failed("reset".into());
        world.run(1, |_| false);
        world.clients[first] = Client::new(PXELINUX, 49_153, path);
        let said = world.clients[first].ask();
        world.say(first, said);
        world.run(20, |world| world.clients[first].state == State::Done);
        world.assert_loaded(first, path);
        // It asks for its next file.
        world.run(10, |_| false);
        world.clients[first] = Client::new(PXELINUX, 49_154, "boot");
        let said = world.clients[first].ask();
        world.say(first, said);
        let left = |world: &World| {
            let has_left =
                |ended: &&Transfer| matches!(&ended.outcome, Outcome::Left(why) if why.contains("left it"));
            world.ended.iter().filter(has_left).count()
        };
        world.run(20, |world| world.clients[first].state == State::Done);
        assert_eq!(left(&world), 0, "it may be another machine of this address: {:?}", world.ended);
        world.run(25, |world| left(world) > 0);
        assert_eq!(left(&world), 1, "{path}: {:?}", world.ended);
    }
}

/// Only time tells a late copy of the request from the request of a machine that was reset.
#[test]
fn copies_of_a_request_are_no_new_request() {
    let mut world = World::new(1, FINE);
    world.file("boot", 300_000);
    let index = world.start(Client::new(IPXE, 2070, "boot"));
    let peer = world.peer(index);
    let request = b"\0\x01boot\0octet\0tsize\x000\0blksize\x001432\0";
    for received in [0, 0, 1, 50_000, 100_000, 200_000] {
        world.run(5, |world| world.clients[0].received.len() >= received);
        world.tell(Input::Datagram { port: Port::Request, local: SERVER, peer, payload: request });
    }
    world.run_out(5);
    world.assert_loaded(index, "copies");
    assert_eq!(world.ended.len(), 1, "{:?}", world.ended);
    assert_eq!(world.ended[0].resent, 0);
}

#[test]
fn another_request_from_the_same_port_ends_the_last_transfer() {
    let mut world = World::new(1, FINE);
    world.file("boot", 300_000);
    world.file("other", 1000);
    let index = world.start(Client::new(IPXE, 2070, "boot"));
    world.run(5, |world| world.clients[index].received.len() > 100_000);
    world.clients[index] = Client::new(IPXE, 2070, "other");
    let said = world.clients[index].ask();
    world.say(index, said);
    world.run_out(5);
    world.assert_loaded(index, "another");
    world.assert_at_rest("another");
    assert_eq!(world.ended.len(), 2);
}

/// A server that is killed at any moment of a load and comes back within 2 s, with notes that are up to three ACKs old: the load goes on to its end.
#[test]
fn a_killed_server_goes_on() {
    for habits in EVERYBODY {
        for seed in 0..40 {
            let mut world = World::new(seed, Weather { lost: seed % 2 * 10, ..FINE });
            world.file("boot", 700_000);
            let index = world.start(Client::new(habits, 2070, "boot"));
            let moment = world.roll() % 800_000;
            world.run(60, |world| world.clients[index].received.len() as u64 >= moment);
            // Somewhere between two packets.
            let until = world.now + Duration::from_micros(world.roll() % 2000);
            world.run(1, |world| world.now >= until);
            let notes = world.kill(usize::try_from(seed % 4).unwrap());
            let down = world.now + Duration::from_millis(world.roll() % 2000);
            world.run(3, |world| world.now >= down);
            world.restore(notes);
            world.run_out(300);
            let what = format!("killed, seed {seed}");
            world.assert_loaded(index, &what);
            world.assert_at_rest(&what);
        }
    }
}

/// The same with twenty kills in one load.
#[test]
fn a_server_killed_again_and_again_goes_on() {
    for habits in [IPXE, PXELINUX, EDK2, GRUB] {
        let mut world = World::new(7, FINE);
        world.file("boot", 5_000_000);
        let index = world.start(Client::new(habits, 2070, "boot"));
        for kill in 1..=20 {
            world.run(60, |world| world.clients[index].received.len() >= kill * 200_000);
            let notes = world.kill(kill % 2);
            let down = world.now + Duration::from_millis(world.roll() % 1000);
            world.run(3, |world| world.now >= down);
            world.restore(notes);
        }
        world.run_out(300);
        world.assert_loaded(index, "twenty kills");
        world.assert_at_rest("twenty kills");
    }
}

#[test]
fn an_image_that_changed_while_the_server_was_away_ends_in_an_error() {
    for habits in [IPXE, GRUB] {
        let mut world = World::new(1, FINE);
        world.file("boot", 700_000);
        let index = world.start(Client::new(habits, 2070, "boot"));
        world.run(60, |world| world.clients[index].received.len() > 300_000);
        let notes = world.kill(0);
        world.file("boot", 700_000);
        world.restore(notes);
        world.run_out(300);
        let expected = State::Failed("ERROR 0: the file changed while it was sent".into());
        assert_eq!(world.clients[index].state, expected, "{}", habits.name);
        world.assert_at_rest("changed");
        assert_eq!(world.ended.len(), 1, "{:?}", world.ended);
    }
}

#[test]
fn an_image_that_breaks_while_it_is_sent_ends_in_an_error_for_all() {
    let mut world = World::new(1, FINE);
    world.file("boot", 700_000);
    let index = world.start(Client::new(IPXE, 2070, "boot"));
    world.run(60, |world| world.clients[index].received.len() > 300_000);
    let (image, _) = world.fetches[0];
    world.tell(Input::Broken { image, why: "the file cannot be read: Input/output error".into() });
    world.run_out(10);
    let expected = State::Failed("ERROR 0: the file cannot be read: Input/output error".into());
    assert_eq!(world.clients[index].state, expected);
    world.assert_at_rest("broken");
}

#[test]
fn notes_that_make_no_sense_are_forgotten() {
    let mut world = World::new(1, FINE);
    world.file("boot", 700_000);
    world.start(Client::new(IPXE, 2070, "boot"));
    world.run(60, |world| world.clients[0].received.len() > 300_000);
    let good = world.kill(0).remove(0).1;
    let port = Note { port: DATA_PORTS, ..good.clone() };
    let octets = Note { block_octets: 0, ..good.clone() };
    let mut out = Vec::new();
    let notes = vec![
        (3, port),
        (4, octets),
        (5, good.clone()),
        (5, good.clone()),
        (6, good.clone()),
        (u32::MAX, good),
    ];
    let server = Transfers::restore(world.now, world::settings(), notes, &mut out);
    assert_eq!(server.active(), 1);
    let forgotten = out.iter().filter_map(|output| {
        let Output::Note { slot, note: None } = output else { return None };
        Some(*slot)
    });
    let forgotten: Vec<u32> = forgotten.collect();
    assert_eq!(forgotten, [3, 4, 5, 6], "a peer has one transfer");
}

#[test]
fn life_is_told_at_once_and_then_every_five_seconds() {
    let world = load(IPXE, 1_500_000, 3, Weather { lost: 100, ..FINE });
    let times: Vec<_> = world.life.iter().map(|(at, _)| *at).collect();
    assert!(times.len() >= 3, "{times:?}");
    assert!(times.windows(2).all(|pair| pair[1].since(pair[0]) >= Duration::from_secs(5)), "{times:?}");
    assert!(world.life.iter().all(|(_, who)| *who == address(0)));
}

/// GRUB says "closed" minutes after its transfer was lost: whatever a client says, it lives, and its address stays its own.
#[test]
fn whoever_speaks_lives() {
    let spoken: [(&str, Port, &[u8]); 6] = [
        ("an error of no transfer", Port::Data(0), b"\0\x05\0\0closed\0"),
        ("an ACK of no transfer", Port::Data(0), b"\0\x04\0\x01"),
        ("a request to write", Port::Request, b"\0\x02f\0octet\0"),
        ("a mode of old", Port::Request, b"\0\x01f\0mail\0"),
        ("an error of its transfer", Port::Data(0), b"\0\x05\0\0closed\0"),
        ("an old ACK of its transfer", Port::Data(0), b"\0\x04\x80\0"),
    ];
    for (what, port, payload) in spoken {
        let mut world = World::new(1, FINE);
        world.file("f", 100_000);
        let peer = SocketAddrV4::new(address(9), 1000);
        if what.ends_with("its transfer") {
            let payload = b"\0\x01f\0octet\0";
            world.tell(Input::Datagram { port: Port::Request, local: SERVER, peer, payload });
            world.run(1, |_| false);
            world.tell(Input::Datagram {
                port: Port::Data(0),
                local: SERVER,
                peer,
                payload: b"\0\x04\0\x01",
            });
        }
        world.now = world.now + Duration::from_secs(6);
        world.life.clear();
        world.tell(Input::Datagram { port, local: SERVER, peer, payload });
        assert_eq!(world.life, [(world.now, address(9))], "{what}");
    }
}

/// RFC 1350 4: a packet of no transfer is answered by an ERROR, "and the transfer is not disturbed".
#[test]
fn strangers_are_told_seldom_and_errors_never_answered() {
    let mut world = World::new(1, FINE);
    let stranger = SocketAddrV4::new(address(9), 1000);
    let data = |world: &mut World, payload: &[u8]| {
        world.tell(Input::Datagram { port: Port::Data(0), local: SERVER, peer: stranger, payload });
    };
    data(&mut world, b"\0\x04\0\x01");
    assert!(world.errors.is_empty(), "just started: perhaps it is being found again");
    world.now = world.now + Duration::from_secs(6);
    data(&mut world, b"\0\x05\0\0closed\0");
    assert!(world.errors.is_empty(), "an error is not answered");
    for _ in 0..100 {
        data(&mut world, b"\0\x04\0\x01");
    }
    assert_eq!(world.errors.len(), 1);
    assert_eq!(world.errors[0].1[..4], [0, 5, 0, 5]);
    // What comes late from its last transfer must not end its next one.
    world.file("f", 100_000);
    world.now = world.now + Duration::from_secs(6);
    let payload = b"\0\x01f\0octet\0";
    world.tell(Input::Datagram { port: Port::Request, local: SERVER, peer: stranger, payload });
    (0..8).for_each(|port| {
        let payload = b"\0\x04\0\x05";
        world.tell(Input::Datagram { port: Port::Data(port), local: SERVER, peer: stranger, payload });
    });
    assert_eq!(world.errors.len(), 1, "it has a transfer");
    world.run_out(100);
    for (payload, code) in [(&b"\0\x02f\0octet\0"[..], 2), (b"\0\x01f\0mail\0", 4)] {
        world.tell(Input::Datagram { port: Port::Request, local: SERVER, peer: stranger, payload });
        assert_eq!(world.errors.last().unwrap().1[..4], [0, 5, 0, code]);
    }
    assert_eq!(world.server.as_ref().map(Transfers::active), Some(0));
}
