//! Any packets in any order to the machine that decides about nodes, with all that a configuration can say switched on.

use heorot_core::Heorot;
use heorot_core::config::{Config, Interface};
use heorot_core::message::{Datagram, Input, Output, Ticket};
use heorot_core::time::Time;
use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::OnceLock;
use std::time::Duration;

const CONFIGURATION: &str = r#"
[[network]]
interface = "eth1"
numbers = "0-9"
first = "10.77.1.0"
temporary = "10.77.200.1-10.77.200.9"
guests = "10.77.210.1-10.77.210.9"
bootp = true
rapid-commit = true
leasequery = ["10.77.0.9"]

[[network]]
interface = "eth1"
address = "10.88.0.1/16"
numbers = "10-19"
first = "10.88.1.0"
temporary = "10.88.200.1-10.88.200.9"

[[network]]
interface = "eth2"
mode = "proxy"
numbers = "20-29"
first = "10.99.1.0"

[[network]]
interface = "eth3"
mode = "shadow"
numbers = "30-39"
first = "10.66.1.0"
temporary = "10.66.200.1-10.66.200.9"

[boot]
bios = "pxelinux.0"
uefi-x64 = "ipxe.efi"

[options]
ntp-servers = "10.77.0.1"
domain-search = ["a.example.org", "b.example.org"]

[[class]]
name = "efi"
architecture = ["uefi-x64"]
options = { "43.6" = 8, force = [43] }

[[host]]
mac = "52:54:00:12:34:01"
address = "10.77.210.5"
name = "printer"

[[node]]
mac = "52:54:00:12:34:56"
number = 3

[trial]
policy = "none"
"#;

/// Ways that a packet may come.
const INTERFACES: [&str; 3] = ["eth1", "eth2", "eth3"];

/// Nothing panics; no address is acknowledged before what was recorded for it is durable; no answer is longer than any link takes.
pub fn heorot_handle(bytes: &[u8]) {
    let mut octets = bytes.iter().copied();
    let mut now = Time::from_nanoseconds(1 << 50);
    let mut heorot = Heorot::restore(now, configuration(), [7; 16], Vec::new(), &mut Vec::new());
    let (mut recorded, mut committed) = (BTreeSet::new(), Ticket(0));
    while let Some(kind) = octets.next() {
        let mut out = Vec::new();
        let interface = INTERFACES[usize::from(kind >> 4) % INTERFACES.len()];
        match kind % 8 {
            0 => {
                now = now + Duration::from_millis(u64::from(octets.next().unwrap_or(0)) * 100);
                heorot.handle(now, Input::Wakeup, &mut out);
            }
            1 => {
                committed = recorded.last().copied().unwrap_or(committed);
                heorot.handle(now, Input::Committed(committed), &mut out);
            }
            _ => {
                let payload = packet(&mut octets);
                let source =
                    SocketAddrV4::new(Ipv4Addr::new(10, 77, 0, kind), if kind & 8 == 0 { 68 } else { 67 });
                let datagram =
                    Datagram { interface, source, destination: Ipv4Addr::BROADCAST, payload: &payload };
                let input = if kind % 8 == 7 { Input::BootServer(datagram) } else { Input::Dhcp(datagram) };
                heorot.handle(now, input, &mut out);
            }
        }
        for output in out {
            match output {
                Output::Record(ticket, _) => {
                    assert!(ticket > committed && recorded.insert(ticket), "tickets rise");
                }
                Output::Dhcp(send) => assert!((300..=1500 - 28).contains(&send.payload.len()), "{send:?}"),
                Output::Neighbour(_)
                | Output::Probe { .. }
                | Output::AnswerArp { .. }
                | Output::Together { .. }
                | Output::Reply(..)
                | Output::Publish(_)
                | Output::Names(_)
                | Output::Updated(..)
                | Output::Event(_) => {}
            }
        }
    }
    // Everybody falls silent: no timer is for ever due.
    for _ in 0..10_000 {
        let Some(at) = heorot.next_wakeup() else { return };
        now = now.max(at);
        heorot.handle(now, Input::Wakeup, &mut Vec::new());
    }
}

/// All of it. Read once: the fuzzer's time is better spent on packets.
pub(super) fn configuration() -> Config {
    static READ: OnceLock<Config> = OnceLock::new();
    let read = || Config::parse(CONFIGURATION, &interfaces()).expect("the configuration is right").0;
    READ.get_or_init(read).clone()
}

fn interfaces() -> Vec<Interface> {
    let address = |name: &str, second: u8| Interface {
        name: name.into(),
        addresses: vec![(Ipv4Addr::new(10, second, 0, 1), 16)],
    };
    vec![address("eth1", 77), address("eth2", 99), address("eth3", 66)]
}

/// A packet with a right header, of which a few octets are chance: the fuzzer's are better spent on options.
fn packet(octets: &mut impl Iterator<Item = u8>) -> Vec<u8> {
    let mut next = || octets.next().unwrap_or(0);
    let mut packet = vec![0; 240];
    let (shape, host) = (next(), next());
    packet[0] = 1;
    (packet[1], packet[2]) = if shape & 1 == 0 { (1, 6) } else { (32, 0) };
    packet[10] = shape & 0x80;
    packet[28..34].copy_from_slice(&[0x52, 0x54, 0, 0x12, 0x34, host]);
    for (bit, at, network) in [(2, 12, 77), (4, 24, 77), (8, 24, 88)] {
        if shape & bit != 0 {
            packet[at..at + 4].copy_from_slice(&[10, network, 200, host % 16]);
        }
    }
    if shape & 16 == 0 {
        packet[236..].copy_from_slice(&[99, 130, 83, 99]);
    }
    let length = usize::from(next());
    packet.extend(octets.take(length));
    packet
}
