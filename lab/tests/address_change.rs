//! Two machines in mid-boot exchange their temporary addresses, again and again: no ARP for either, no frame to the wrong one.

use heorot_lab::demo::machine_mac;
use heorot_lab::host::SimulatedHost;
use heorot_lab::server::{Server, Settings};
use heorot_lab::sniff::{Sniffer, What, violations};
use std::fs;
use std::net::Ipv4Addr;
use std::time::Duration;

const EXCHANGES: usize = 100;
const PATIENCE: Duration = Duration::from_secs(5);

#[test]
fn two_machines_exchange_their_addresses() {
    let server = Server::start(&Settings::default()).expect("the lab and the server start");
    // Several blocks, so that the server speaks to the address often enough to be seen doing it.
    let content: Vec<u8> = (0..10_000_u32).map(|number| number as u8).collect();
    fs::write(server.boot_file("blocks"), &content).expect("a file to serve");
    let sniffer = Sniffer::start(&server.network).expect("a witness");
    let outcome = exchange(&server, &content);
    server.explain_failure(outcome).unwrap_or_else(|error| panic!("{error}"));

    let server_mac = sniffer.server;
    let frames = sniffer.stop().expect("a witness that missed nothing");
    assert_eq!(violations(&frames, server_mac), Vec::<String>::new());
    let sent = |wanted: fn(&What) -> bool| {
        frames.iter().filter(|frame| frame.from == server_mac && wanted(&frame.what)).count()
    };
    // The witness has seen what it is to judge.
    assert!(sent(|what| matches!(what, What::Reply(_))) >= 2 * EXCHANGES, "ACKs");
    assert!(sent(|what| matches!(what, What::Packet(_))) >= 2 * EXCHANGES * 8, "blocks");
}

fn exchange(server: &Server, content: &[u8]) -> Result<(), String> {
    let mut hosts = Vec::new();
    for number in [1, 2] {
        let mut host = SimulatedHost::new(server.network.host(machine_mac(number))?)?;
        host.boot()?;
        hosts.push(host);
    }
    for round in 0..EXCHANGES {
        for host in &mut hosts {
            let found = host.fetch("blocks").map_err(|error| format!("round {round}: {error}"))?;
            if found != content {
                return Err(format!(
                    "round {round}: {} bytes arrived instead of {}",
                    found.len(),
                    content.len()
                ));
            }
        }
        let mut released: Vec<Ipv4Addr> = Vec::new();
        for host in &mut hosts {
            released.push(host.release()?);
        }
        released.reverse();
        for (host, address) in hosts.iter_mut().zip(released) {
            host.request_when_free(address, PATIENCE).map_err(|error| format!("round {round}: {error}"))?;
        }
    }
    Ok(())
}
