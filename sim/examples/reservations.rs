//! What a DISCOVER costs beside so many reservations: `cargo run --release -p heorot-sim --example reservations`, a Markdown table.
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "this is where people look on"
)]

use heorot_core::Heorot;
use heorot_core::config::{Config, Interface, render};
use heorot_core::mac::Mac;
use heorot_core::message::{Datagram, Input};
use heorot_core::time::Time;
use heorot_core::wire::dhcp::MessageType;
use heorot_sim::speaker::{Packet, Speaker, USUAL_XID};
use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Instant;

const PACKETS: u32 = 100_000;
const ROUNDS: usize = 5;

fn main() {
    println!("| reservations | ns for a DISCOVER of one of them | ns for one of nobody |");
    println!("| --- | --- | --- |");
    for count in [10, 100, 1_000, 10_000] {
        let reserved = median(count, |packet| packet % count);
        let nobody = median(count, |packet| (1 << 20) | (packet % 10));
        println!("| {count} | {reserved} | {nobody} |");
    }
}

/// The median of some rounds, in nanoseconds a packet. `who` gives the last three octets of the hardware address.
fn median(count: u32, who: impl Fn(u32) -> u32) -> u128 {
    let mut rounds: Vec<u128> = (0..ROUNDS).map(|_| round(count, &who)).collect();
    rounds.sort_unstable();
    rounds[ROUNDS / 2]
}

fn round(count: u32, who: &impl Fn(u32) -> u32) -> u128 {
    let now = Time::from_nanoseconds(1_000_000_000);
    let mut out = Vec::new();
    let mut heorot = Heorot::restore(now, config(count), [0; 16], Vec::new(), &mut out);
    // As many packets as there are clients, so that making them is not measured.
    let packets: Vec<Vec<u8>> = (0..count.max(10)).map(|packet| discover(who(packet))).collect();
    let source = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 68);
    let begun = Instant::now();
    for payload in packets.iter().cycle().take(PACKETS as usize) {
        let datagram = Datagram { interface: "eth1", source, destination: Ipv4Addr::BROADCAST, payload };
        heorot.handle(now, Input::Dhcp(datagram), &mut out);
        out.clear();
    }
    begun.elapsed().as_nanos() / u128::from(PACKETS)
}

fn discover(last: u32) -> Vec<u8> {
    let none = Ipv4Addr::UNSPECIFIED;
    let [_, a, b, c] = last.to_be_bytes();
    let packet = Packet {
        speaker: Speaker::Plain,
        mac: Mac([0x52, 0x54, 0, a, b, c]),
        message_type: MessageType::Discover,
        ciaddr: none,
        requested: None,
        server: None,
        entry: None,
        broadcast: false,
        relay: none,
        link: None,
        stands_for: None,
        port: None,
        subnet: None,
        rapid: false,
        own_port: false,
        name: None,
        quiet: false,
        xid: USUAL_XID,
    };
    packet.write()
}

fn config(count: u32) -> Config {
    let mut text = String::from(
        "[[network]]\ninterface = \"eth1\"\nnumbers = \"0-9\"\nfirst = \"10.77.1.0\"\ntemporary = \"10.77.200.1-10.77.200.9\"\nguests = \"10.77.210.1-10.77.210.99\"\n\
         [options]\nntp-servers = \"10.77.0.1\"\n[[host]]\nmac = \"02:*:*:*:*:*\"\n",
    );
    for host in 0..count {
        let [_, a, b, c] = host.to_be_bytes();
        let address = Ipv4Addr::from(u32::from(Ipv4Addr::new(10, 77, 16, 0)) + host);
        // Writing into a string cannot fail.
        let _ = write!(text, "[[host]]\nmac = \"52:54:0:{a:x}:{b:x}:{c:x}\"\naddress = \"{address}\"\n");
    }
    let interface = Interface { name: "eth1".into(), addresses: vec![(Ipv4Addr::new(10, 77, 0, 1), 16)] };
    let (config, _) = Config::parse(&text, &[interface])
        .unwrap_or_else(|mistakes| panic!("{}", render("reservations", &text, &mistakes)));
    config
}
