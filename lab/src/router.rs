//! A router for IPv6 that has nothing to offer.
//!
//! iPXE does not read its first file before IPv6 is settled too, and when no router speaks it takes 18.3 seconds for that, whatever DHCP
//! said. Segments have routers; this one answers solicitations (RFC 4861 section 6.2.6) with an advertisement that says just that it is
//! there: a lifetime of zero, no prefix, no DHCPv6.

use crate::namespace::Namespace;
use crate::network;
use heorot_agent::frame::Mac;
use heorot_agent::link::{Hears, Link};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// The router's thread; it ends with its value.
#[derive(Debug)]
pub struct Router {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Router {
    /// Answers on an interface of a namespace from now on.
    ///
    /// # Errors
    /// In words, if there is no packet socket to be had.
    pub fn start(namespace: &Namespace, interface: &str) -> Result<Self, String> {
        let interface = network::interface(namespace, interface)?;
        let link = namespace
            .enter(|| Link::open(interface.index, Hears::Everything).map_err(|error| error.to_string()))?;
        let stop = Arc::<AtomicBool>::default();
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let advertisement = advertisement(interface.mac);
            let mut buffer = [0; 2048];
            while !stopped.load(Ordering::Relaxed) {
                let Ok(frame) = link.receive(&mut buffer, Duration::from_millis(100)) else { return };
                if frame.is_some_and(is_solicitation) && link.send(&advertisement).is_err() {
                    return;
                }
            }
        });
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Router {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Whether a frame asks for routers.
fn is_solicitation(frame: &[u8]) -> bool {
    frame.get(12..14) == Some(&ETHERTYPE_IPV6)
        && frame.get(20) == Some(&ICMPV6)
        && frame.get(54) == Some(&SOLICITATION)
}

/// To all nodes, from the link-local address `fe80::1`.
fn advertisement(mac: Mac) -> Vec<u8> {
    // Hop limit for hosts, no flags, lifetime 0, reachable time and retransmission timer not told.
    let mut message = vec![ADVERTISEMENT, 0, 0, 0, 64, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let mut addresses = [0; 32];
    addresses[..2].copy_from_slice(&[0xfe, 0x80]);
    addresses[15] = 1;
    addresses[16..18].copy_from_slice(&[0xff, 0x02]);
    addresses[31] = 1;
    // RFC 8200 section 8.1: the checksum is over the addresses, the length and the next header as well.
    let sum: u32 = addresses
        .chunks(2)
        .chain(message.chunks(2))
        .map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]])))
        .sum::<u32>()
        + message.len() as u32
        + u32::from(ICMPV6);
    let sum = (sum & 0xffff) + (sum >> 16);
    let sum = !((sum & 0xffff) + (sum >> 16)) as u16;
    message[2..4].copy_from_slice(&sum.to_be_bytes());

    let mut frame = vec![0x33, 0x33, 0, 0, 0, 1];
    frame.extend(mac.0);
    frame.extend(ETHERTYPE_IPV6);
    // Version 6; length; ICMPv6; a hop limit of 255, without which hosts do not believe it.
    frame.extend([0x60, 0, 0, 0, 0, message.len() as u8, ICMPV6, 255]);
    frame.extend(addresses);
    frame.extend(message);
    frame
}

const ETHERTYPE_IPV6: [u8; 2] = [0x86, 0xdd];
const ICMPV6: u8 = 58;
const SOLICITATION: u8 = 133;
const ADVERTISEMENT: u8 = 134;
