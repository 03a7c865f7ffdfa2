//! What each kind of machine does from power-on to its image.

mod recording;
mod run;
mod silence;

use super::*;
use crate::frame::Payload;
use heorot_core::wire::dhcp::{Message, MessageType, option};
use heorot_core::wire::tftp;
use run::{File, Run, SERVER, SERVER_MAC, Silent, request, setup};
use std::net::{Ipv4Addr, SocketAddrV4};

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn every_kind_loads_its_image_from_a_server_that_answers() {
    let kinds = [
        Kind::Edk2,
        Kind::Ipxe,
        Kind::Pxelinux,
        Kind::Grub,
        Kind::Shim,
        Kind::IntelBios,
        Kind::RaspberryPi,
        Kind::NoLastAck,
    ];
    for kind in kinds {
        let run = Run::new(setup(kind)).go(MINUTE);
        assert_eq!(
            run.told().last().map(|(_, told)| told),
            Some(&Told::Loaded),
            "{kind:?}: {:?}",
            run.told()
        );
        let loaded = run.loaded();
        assert!(loaded.ends_with(&["vmlinuz".into(), "initrd.img".into()]), "{kind:?}: {loaded:?}");
        assert_eq!(run.machine.next_wakeup(), None, "{kind:?}");
    }
}

const CONFIG: &str = r#"
[[network]]
interface = "eth1"
numbers = "0-1023"
first = "10.77.1.0"
temporary = "10.77.200.1-10.77.203.254"
[boot]
directory = "/srv/heorot"
bios = "pxelinux.0"
uefi-x64 = "ipxe.efi"
[profile.trial]
kernel = "trial/vmlinuz"
initrd = ["trial/agent.img", "trial/more~of+it.img"]
[[trial.check]]
kind = "memory"
at-least = "1GiB"
"#;

/// From a machine that nobody knows to a node, and its second boot: with the core that decides in the server.
#[test]
fn a_machine_becomes_a_node_and_boots_as_one_from_then_on() {
    for kind in [Kind::Edk2, Kind::Ipxe, Kind::Pxelinux, Kind::IntelBios, Kind::OddNames] {
        let setup = Setup { agent_after: Some(Duration::from_secs(5)), ..setup(kind) };
        let mut run = Run::with_core(setup, CONFIG);
        for file in ["trial/vmlinuz", "trial/agent.img", "trial/more~of+it.img"] {
            run.files.insert(file.into(), File::Bulk(100_000));
        }
        let mut run = run.go(MINUTE);
        let told: Vec<_> = run.told().into_iter().map(|(_, told)| told).collect();
        assert!(
            told.ends_with(&[Told::Number(0), Told::Address([10, 77, 1, 0].into()), Told::Up]),
            "{kind:?}: {told:?}"
        );
        let trial = ["trial/vmlinuz", "trial/agent.img", "trial/more~of+it.img"].map(str::to_owned);
        assert!(run.loaded().ends_with(&trial), "{kind:?}: {:?}", run.loaded());

        run.log.clear();
        let mut run = run.go(MINUTE);
        let told: Vec<_> = run.told().into_iter().map(|(_, told)| told).collect();
        assert!(told.contains(&Told::Address([10, 77, 1, 0].into())), "{kind:?}: {told:?}");
        assert!(told.ends_with(&[Told::Number(0), Told::Up]), "{kind:?}: {told:?}");
        assert!(
            run.loaded().ends_with(&["vmlinuz".into(), "initrd.img".into()]),
            "{kind:?}: {:?}",
            run.loaded()
        );
        let asked = run.log.iter().filter(|(_, output)| matches!(output, Output::Ask(_))).count();
        run.pass(MINUTE);
        assert_eq!(
            run.log.iter().filter(|(_, output)| matches!(output, Output::Ask(_))).count(),
            asked,
            "{kind:?}"
        );
    }
}

fn dhcp(frame: &Frame) -> Option<Message> {
    let Payload::Octets(octets) = &frame.payload else { return None };
    Message::parse(octets).ok().filter(|_| frame.destination.port() == 67)
}

fn moments(run: &Run, wanted: MessageType) -> Vec<f64> {
    let is_wanted = |frame: &Frame| dhcp(frame).is_some_and(|message| message.message_type() == Some(wanted));
    run.sent(is_wanted).into_iter().map(|(at, _)| at).collect()
}

/// CLIENTS.md 1: the offer decides how long the client waits.
#[test]
fn ipxe_waits_for_other_offers_unless_there_are_none() {
    for (alone, discovers, wait) in [(false, 2, 3.05), (true, 1, 0.010)] {
        let mut run = Run::new(setup(Kind::Ipxe));
        run.alone = alone;
        let run = run.go(MINUTE);
        let (sent, requests) = (moments(&run, MessageType::Discover), moments(&run, MessageType::Request));
        assert_eq!((sent.len(), requests.len()), (discovers, 1), "alone: {alone}");
        let waited = requests[0] - sent[0];
        assert!((waited - wait).abs() < 0.001 + 0.02 * wait, "alone: {alone}: {waited} s");
    }
}

/// Source: EDK2 takes an offer when its timer runs out. An answer to its second DISCOVER costs it another eight seconds.
#[test]
fn edk2_waits_out_the_timer_of_the_discover_that_was_answered() {
    let mut run = Run::new(setup(Kind::Edk2));
    run.silent = Silent::Discover;
    let mut run = run.go(Duration::from_secs(3));
    run.silent = Silent::Never;
    run.pass(MINUTE);
    let (discovers, requests) = (moments(&run, MessageType::Discover), moments(&run, MessageType::Request));
    // The third is iPXE's.
    let waited = requests[0] - discovers[1];
    assert!((7.8..8.3).contains(&waited), "{waited} s");
}

#[test]
fn transaction_numbers_collide_as_they_do() {
    let xid = |kind, seed, last, rom_delay| {
        let mut machine = setup(kind);
        (machine.seed, machine.mac.0[5], machine.rom_delay) = (seed, last, Duration::from_millis(rom_delay));
        let run = Run::new(machine).go(Duration::from_secs(8));
        run.sent(|_| true)
            .iter()
            .filter_map(|(_, frame)| dhcp(frame))
            .map(|message| message.xid)
            .collect::<Vec<_>>()
    };
    // Two machines of one moment, by EDK2; the same machine in two boots, by the EFI iPXE that follows.
    assert_eq!(xid(Kind::Edk2, 1, 1, 0)[0], xid(Kind::Edk2, 2, 2, 50)[0]);
    assert_ne!(xid(Kind::Edk2, 1, 1, 0)[0], xid(Kind::Edk2, 1, 1, 2000)[0]);
    assert_eq!(xid(Kind::Edk2, 1, 1, 0).last(), xid(Kind::Edk2, 2, 1, 2000).last());
    assert_ne!(xid(Kind::Ipxe, 1, 1, 0)[0], xid(Kind::Ipxe, 2, 1, 0)[0]);
}

#[test]
fn an_answer_to_somebody_else_is_not_taken() {
    let mut run = Run::new(setup(Kind::Ipxe));
    run.silent = Silent::Discover;
    let mut run = run.go(Duration::from_millis(1500));
    let (_, discover) = run.sent(|_| true).remove(0);
    let mut offer = dhcp(&discover).unwrap();
    offer.op = heorot_core::wire::dhcp::Op::BootReply;
    offer.options.set(option::MESSAGE_TYPE, vec![MessageType::Offer as u8]);
    offer.options.set(option::IPXE, vec![176, 1, 1]);
    // Another machine's with the same transaction number, and this machine's of another transaction.
    let mut of_another = offer.clone();
    of_another.chaddr[5] += 1;
    let mut of_before = offer.clone();
    of_before.xid += 1;
    let put = |run: &mut Run, message: &Message| {
        let frame = Frame {
            from: SERVER_MAC,
            to: heorot_core::mac::Mac::BROADCAST,
            source: SocketAddrV4::new(SERVER, 67),
            destination: SocketAddrV4::new(Ipv4Addr::BROADCAST, 68),
            payload: Payload::Octets(message.write(1472)),
        };
        run.put(Input::Frame(&frame));
        run.pass(Duration::from_millis(20));
    };
    put(&mut run, &of_another);
    put(&mut run, &of_before);
    assert!(moments(&run, MessageType::Request).is_empty());
    put(&mut run, &offer);
    assert_eq!(moments(&run, MessageType::Request).len(), 1);
    let mut nak = offer;
    nak.options.set(option::MESSAGE_TYPE, vec![MessageType::Nak as u8]);
    put(&mut run, &nak);
    assert_eq!(moments(&run, MessageType::Discover).len(), 2, "a NAK sends it back to INIT");
}

#[test]
fn a_needed_file_that_is_missing_is_the_end_and_another_is_not() {
    let cases = [
        (Kind::Edk2, "boot", "Edk2: boot: not found"),
        (Kind::Ipxe, "vmlinuz", "IpxeRom: vmlinuz: not found"),
        (Kind::Pxelinux, "ldlinux.c32", "Pxelinux: /ldlinux.c32: not found"),
        (Kind::Pxelinux, "initrd.img", "Pxelinux: initrd.img: not found"),
        (Kind::Shim, "grubx64.efi", "Shim: grubx64.efi: not found"),
        (Kind::Grub, "vmlinuz", "Grub: vmlinuz: not found"),
        (Kind::RaspberryPi, "bootcode.bin", "PiRom: bootcode.bin: not found"),
    ];
    for (kind, file, why) in cases {
        let mut run = Run::new(setup(kind));
        run.files.remove(file);
        let run = run.go(MINUTE);
        assert_eq!(run.told().last().map(|(_, told)| told), Some(&Told::Lost(why.into())), "{kind:?}");
        assert_eq!(run.machine.next_wakeup(), None);
    }
    let mut run = Run::new(setup(Kind::Ipxe));
    run.ipxe_file = "";
    let run = run.go(MINUTE);
    let why = "IpxeRom: an address, but no boot file";
    assert_eq!(run.told().last().map(|(_, told)| told), Some(&Told::Lost(why.into())));
}

#[test]
fn a_script_that_begins_again_never_gives_up() {
    let mut run = Run::new(setup(Kind::Ipxe));
    run.ipxe_file = "boot.ipxe";
    let script =
        "#!ipxe\n:again\nkernel http://10.77.0.1/late || goto wait\nboot\n:wait\nsleep 3\ngoto again\n";
    run.files.insert("boot.ipxe".into(), File::Text(script.into()));
    run.silent = Silent::Asked("late");
    let mut run = run.go(Duration::from_secs(600));
    assert!(run.told().iter().all(|(_, told)| !matches!(told, Told::Lost(_))));
    run.silent = Silent::Never;
    run.pass(MINUTE);
    run.files.insert("late".into(), File::Bulk(5000));
    run.pass(Duration::from_secs(5));
    assert_eq!(run.told().last().map(|(_, told)| told), Some(&Told::Loaded));
}

#[test]
fn ipxe_is_told_its_script_by_http_or_gives_up() {
    for (web, expected) in [
        ((|_| Some((200, "#!ipxe\nkernel vmlinuz\nboot\n".into()))) as fn(&Ask) -> _, Told::Loaded),
        (|_| Some((404, String::new())), Told::Lost("iPXE: http://10.77.0.1/boot.ipxe answered 404".into())),
        (|_| None, Told::Lost("iPXE: no answer to its request for a script".into())),
    ] {
        let mut run = Run::new(setup(Kind::Ipxe));
        run.ipxe_file = "http://10.77.0.1/boot.ipxe";
        run.web = web;
        let run = run.go(MINUTE);
        assert_eq!(run.told().last().map(|(_, told)| told), Some(&expected));
    }
}

#[test]
fn odd_names_are_asked_for_by_the_rom_alone() {
    for (seed, odd) in [(0, &b""[..]), (1, b"boot\xff")] {
        let run = Run::new(Setup { seed, ..setup(Kind::OddNames) }).go(MINUTE);
        let asked = |frame: &Frame| match &frame.payload {
            Payload::Octets(octets) if frame.destination.port() == 69 => Some(octets.clone()),
            Payload::Octets(_) | Payload::Acknowledge(_) | Payload::Data { .. } => None,
            Payload::Segment { .. } | Payload::Received { .. } => None,
        };
        let all: Vec<_> = run.sent(|_| true).iter().filter_map(|(_, frame)| asked(frame)).collect();
        assert_eq!(&all[0][2..2 + odd.len() + 1], [odd, b"\0"].concat());
        assert!(all[1..].iter().all(|octets| !octets.contains(&0xff)));
        assert_eq!(all.len() > 1, seed == 1, "this server does not know what '' is");
    }
}

#[test]
fn a_last_block_is_never_acknowledged_by_the_machine_that_never_does() {
    // 42,430 octets are 29 blocks of 1456 and a rest for the ROM, and 30 of 1408 and a rest for PXELINUX.
    for (kind, expected) in [(Kind::NoLastAck, [2, 1, 0]), (Kind::IntelBios, [2, 2, 1])] {
        let run = Run::new(Setup { files: Vec::new(), ..setup(kind) }).go(MINUTE);
        let count = |block| run.sent(|frame| frame.payload == Payload::Acknowledge(block)).len();
        assert_eq!([29, 30, 31].map(count), expected, "{kind:?}");
        assert_eq!(run.loaded(), ["boot", "ldlinux.c32"], "{kind:?}");
    }
}

#[test]
fn requests_say_what_each_client_asks_for() {
    let cases = [
        (Kind::Edk2, "boot", (Some(1468), true, Some(4))),
        (Kind::Ipxe, "boot", (Some(1432), true, None)),
        (Kind::Pxelinux, "ldlinux.c32", (Some(1408), true, None)),
        (Kind::Grub, "vmlinuz", (Some(1024), true, None)),
        (Kind::Shim, "grubx64.efi", (Some(512), false, Some(4))),
        (Kind::IntelBios, "boot", (None, true, None)),
        (Kind::RaspberryPi, "bootcode.bin", (None, false, None)),
        (Kind::RaspberryPi, "vmlinuz", (None, true, None)),
    ];
    for (kind, name, expected) in cases {
        let run = Run::new(setup(kind)).go(MINUTE);
        let requests = run.sent(|frame| request(frame).is_some_and(|request| request.name == name));
        let Some(tftp::Options { block_octets, size, window_blocks, timeout_seconds: None }) =
            requests.first().and_then(|(_, frame)| request(frame)).map(|request| request.options)
        else {
            panic!("{kind:?}: {requests:?}");
        };
        assert_eq!((block_octets, size, window_blocks), expected, "{kind:?} {name}");
    }
    let ports = |kind| -> Vec<_> {
        let run = Run::new(setup(kind)).go(MINUTE);
        run.sent(|frame| request(frame).is_some()).iter().map(|(_, frame)| frame.source.port()).collect()
    };
    assert_eq!(ports(Kind::IntelBios)[..4], [2070, 2071, 49_152, 49_153]);
}

#[test]
fn power_that_goes_off_ends_everything_and_a_reset_begins_anew() {
    for milliseconds in [500, 2000, 6000, 6030] {
        let mut run = Run::new(setup(Kind::Pxelinux)).go(Duration::from_millis(milliseconds));
        let before = run.log.len();
        run.put(Input::PowerOff);
        assert_eq!(run.machine.next_wakeup(), None);
        run.pass(MINUTE);
        assert_eq!(run.log.len(), before, "off after {milliseconds} ms");
        run.put(Input::PowerOn);
        run.pass(Duration::from_millis(milliseconds));
        run.put(Input::PowerOn);
        run.pass(MINUTE);
        assert_eq!(
            run.told().last().map(|(_, told)| told),
            Some(&Told::Loaded),
            "reset after {milliseconds} ms"
        );
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let log = |seed| Run::new(Setup { seed, ..setup(Kind::Edk2) }).go(MINUTE).log;
    assert_eq!(log(3), log(3));
    assert_ne!(log(3), log(4));
}
