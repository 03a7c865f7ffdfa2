//! What the decisions of a fresh host's DHCP exchange cost, without sockets and store: `cargo run --release -p heorot-sim --example fresh`.
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "this is where people look on"
)]

use heorot_core::Heorot;
use heorot_core::config::{Config, Interface, render};
use heorot_core::mac::Mac;
use heorot_core::message::{Datagram, Input, Output, Ticket};
use heorot_core::time::Time;
use heorot_core::wire::dhcp::{Message, MessageType};
use heorot_sim::speaker::{Packet, Speaker, USUAL_XID};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Instant;

const HOSTS: u32 = 15_360;
const AT_ONCE: u32 = 512;
const ROUNDS: usize = 5;

fn main() {
    let mut rounds: Vec<u128> = (0..ROUNDS).map(|_| round()).collect();
    rounds.sort_unstable();
    println!(
        "{} ns for DISCOVER and REQUEST of a fresh host, {AT_ONCE} at once, median of {ROUNDS}",
        rounds[ROUNDS / 2]
    );
}

fn round() -> u128 {
    let now = Time::from_nanoseconds(1_000_000_000);
    let mut out = Vec::new();
    let mut heorot = Heorot::restore(now, config(), [0; 16], Vec::new(), &mut out);
    out.clear();
    let mut took = 0;
    for first in (0..HOSTS).step_by(AT_ONCE as usize) {
        let discovers: Vec<_> =
            (first..first + AT_ONCE).map(|host| packet(host, MessageType::Discover, None)).collect();
        let mut begun = Instant::now();
        let mut offers = Vec::new();
        for payload in &discovers {
            say(&mut heorot, now, payload, &mut out);
            for output in out.drain(..) {
                if let Output::Dhcp(send) = output {
                    offers.push(send.payload);
                }
            }
        }
        took += begun.elapsed().as_nanos();
        let offered = offers.iter().map(|offer| Message::parse(offer).expect("we wrote it").yiaddr);
        let requests: Vec<_> = (first..)
            .zip(offered)
            .map(|(host, address)| packet(host, MessageType::Request, Some(address)))
            .collect();
        assert_eq!(requests.len(), AT_ONCE as usize, "all are offered an address");
        begun = Instant::now();
        let mut last = Ticket(0);
        let mut records = Vec::new();
        for payload in &requests {
            say(&mut heorot, now, payload, &mut out);
            for output in out.drain(..) {
                if let Output::Record(ticket, record) = output {
                    last = ticket;
                    records.push(record);
                }
            }
        }
        heorot.handle(now, Input::Committed(last), &mut out);
        let granted = out.drain(..).filter(|output| matches!(output, Output::Dhcp(_))).count();
        took += begun.elapsed().as_nanos();
        assert_eq!(granted, AT_ONCE as usize, "all are granted it");
    }
    took / u128::from(HOSTS)
}

fn say(heorot: &mut Heorot, now: Time, payload: &[u8], out: &mut Vec<Output>) {
    let source = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 68);
    let datagram = Datagram { interface: "eth1", source, destination: Ipv4Addr::BROADCAST, payload };
    heorot.handle(now, Input::Dhcp(datagram), out);
}

fn packet(host: u32, message_type: MessageType, requested: Option<Ipv4Addr>) -> Vec<u8> {
    // As hardware addresses come: not one after the other.
    let [_, a, b, c] = host.wrapping_mul(2_654_435_761).to_be_bytes();
    let [_, _, d, e] = host.to_be_bytes();
    let packet = Packet {
        speaker: Speaker::Uefi,
        mac: Mac([0x52, a, b, c ^ a, d, e]),
        message_type,
        ciaddr: Ipv4Addr::UNSPECIFIED,
        requested,
        server: requested.map(|_| Ipv4Addr::new(10, 77, 0, 1)),
        entry: None,
        broadcast: false,
        relay: Ipv4Addr::UNSPECIFIED,
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

fn config() -> Config {
    let text = "[[network]]\ninterface = \"eth1\"\nnumbers = \"0-16383\"\nfirst = \"10.77.64.0\"\ntemporary = \"10.77.128.1-10.77.195.255\"\n\
                gateway = \"10.77.0.1\"\nprobe = false\n[boot]\nuefi-x64 = \"ipxe.efi\"\n";
    let interface = Interface { name: "eth1".into(), addresses: vec![(Ipv4Addr::new(10, 77, 0, 1), 16)] };
    let (config, _) = Config::parse(text, &[interface])
        .unwrap_or_else(|mistakes| panic!("{}", render("fresh", text, &mistakes)));
    config
}
