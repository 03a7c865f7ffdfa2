//! Any packets in any order to the machine that decides about nodes, with all that a configuration can say switched on.

use super::room::Room;
use heorot_core::config::{Config, Interface};
use heorot_core::message::{Datagram, Input};
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

[profile.new]
kernel = "new/vmlinuz"
"#;

/// Ways that a packet may come.
const INTERFACES: [&str; 3] = ["eth1", "eth2", "eth3"];

/// Nothing panics, no answer is longer than any link takes, and what [`Room`] holds: nothing is promised before it is durable, and what is known is what is durable.
pub fn heorot_handle(bytes: &[u8]) {
    let mut octets = bytes.iter().copied();
    let mut room = Room::new();
    while let Some(kind) = octets.next() {
        act(&mut room, kind, &mut octets);
    }
    room.close();
}

fn act(room: &mut Room, kind: u8, octets: &mut impl Iterator<Item = u8>) {
    match kind % 8 {
        0 => room.pass(Duration::from_millis(u64::from(octets.next().unwrap_or(0)) * 100)),
        // Most of these do what all of them once did, so that inputs that were kept go on to mean something.
        1 => match kind >> 3 {
            0..=13 => room.commit(usize::MAX),
            14 | 15 => room.commit(1),
            16..=21 => room.operator(octets),
            22 | 23 => room.refuse(),
            24 => room.restart(),
            25 => room.configure(),
            26 | 27 => room.boot(octets.next().unwrap_or(0)),
            _ => room.agent(octets.next().unwrap_or(0), octets.next().unwrap_or(0)),
        },
        _ => {
            let payload = packet(octets);
            let source =
                SocketAddrV4::new(Ipv4Addr::new(10, 77, 0, kind), if kind & 8 == 0 { 68 } else { 67 });
            let interface = INTERFACES[usize::from(kind >> 4) % INTERFACES.len()];
            let datagram =
                Datagram { interface, source, destination: Ipv4Addr::BROADCAST, payload: &payload };
            room.handle(if kind % 8 == 7 { Input::BootServer(datagram) } else { Input::Dhcp(datagram) });
        }
    }
}

/// All of it. Read once: the fuzzer's time is better spent on packets.
pub(super) fn configuration() -> Config {
    static READ: OnceLock<Config> = OnceLock::new();
    READ.get_or_init(|| read(CONFIGURATION)).clone()
}

/// The same, but that a machine is tried, and waits for an operator before it gets its number.
pub(super) fn with_trial() -> Config {
    static READ: OnceLock<Config> = OnceLock::new();
    READ.get_or_init(|| read(&CONFIGURATION.replace("\"none\"", "\"accept\""))).clone()
}

fn read(text: &str) -> Config {
    Config::parse(text, &interfaces()).expect("the configuration is right").0
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
