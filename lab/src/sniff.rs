//! A witness on the server's interface: it hears every frame in and out, in order, and says what should not have been on the wire.

use crate::network::Network;
use heorot_agent::dhcp::{CLIENT_PORT, Kind, Reply, SERVER_PORT};
use heorot_agent::frame::{Arp, Datagram, Mac};
use heorot_agent::link::{Hears, Link};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

#[cfg(test)]
mod tests;

/// One frame, as far as it matters here.
#[derive(Clone, Debug)]
pub struct Frame {
    /// When it was read; later than it was sent, but in the order of sending.
    pub at: Instant,
    /// Hardware address it came from.
    pub from: Mac,
    /// Hardware address it went to.
    pub to: Mac,
    /// What it was.
    pub what: What,
}

/// What a frame carried.
#[derive(Clone, Debug)]
pub enum What {
    /// A question or an answer about who has an address.
    Arp(Arp),
    /// From a DHCP server.
    Reply(Box<Reply>),
    /// An address given back by its client.
    Release(Ipv4Addr),
    /// Someone looks for an address.
    Discover,
    /// The agent of the node at this address says that its system runs.
    Up(Ipv4Addr),
    /// Any other packet of IPv4, to this address.
    Packet(Ipv4Addr),
}

/// A thread that listens until it is told to stop.
#[derive(Debug)]
pub struct Sniffer {
    frames: Arc<Mutex<Vec<Frame>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Result<(), String>>>,
    /// The server's own hardware address.
    pub server: Mac,
}

impl Sniffer {
    /// Listens on the server's interface from now on.
    ///
    /// # Errors
    /// In words, if there is no packet socket to be had.
    pub fn start(network: &Network) -> Result<Self, String> {
        let interface = network.server_interface()?;
        let link = network.server.enter(|| {
            let link = Link::open(interface.index, Hears::Everything).map_err(|error| error.to_string())?;
            link.set_receive_buffer(BUFFER_BYTES).map_err(|error| error.to_string())?;
            Ok(link)
        })?;
        let (frames, stop) = (Arc::<Mutex<Vec<Frame>>>::default(), Arc::<AtomicBool>::default());
        let (written, stopped) = (Arc::clone(&frames), Arc::clone(&stop));
        let thread = thread::spawn(move || listen(&link, &written, &stopped));
        Ok(Self { frames, stop, thread: Some(thread), server: interface.mac })
    }

    /// What was heard so far.
    #[must_use]
    pub fn frames(&self) -> Vec<Frame> {
        self.frames.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Stops, and returns all that was heard.
    ///
    /// # Errors
    /// In words, if frames were lost: a witness that missed something proves nothing.
    pub fn stop(mut self) -> Result<Vec<Frame>, String> {
        self.stop.store(true, Ordering::Relaxed);
        let thread = self.thread.take().expect("the thread is joined only here");
        thread.join().map_err(|_| "the witness panicked".to_owned())??;
        Ok(self.frames())
    }
}

impl Drop for Sniffer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// What the server (`server`) did wrong on the wire to machines that cannot answer for themselves.
///
/// From the ACK of an address until its holder is up, or has released it, the holder may be a firmware: nobody may ask for it by ARP. What
/// is sent to the address goes to its holder, and DHCP replies to whom they speak to, or to everyone.
#[must_use]
pub fn violations(frames: &[Frame], server: Mac) -> Vec<String> {
    let mut holders: BTreeMap<Ipv4Addr, Holder> = BTreeMap::new();
    let mut violations = Vec::new();
    for frame in frames {
        let by_server = frame.from == server;
        match &frame.what {
            What::Release(address) | What::Up(address) => {
                if let Some(holder) = holders.get_mut(address).filter(|holder| holder.mac == frame.from) {
                    holder.in_mid_boot = false;
                }
            }
            What::Discover => {
                for holder in holders.values_mut().filter(|holder| holder.mac == frame.from) {
                    holder.boots_anew = true;
                }
            }
            What::Reply(reply) if by_server => {
                if frame.to != reply.mac && frame.to != Mac::BROADCAST {
                    violations.push(format!("a {:?} for {} went to {}", reply.kind, reply.mac, frame.to));
                }
                if reply.kind == Kind::Ack && !reply.address.is_unspecified() {
                    let before = holders.get(&reply.address).filter(|holder| holder.mac == reply.mac);
                    // The ACK of a renewal changes nothing.
                    let in_mid_boot = before.is_none_or(|holder| holder.in_mid_boot || holder.boots_anew);
                    holders.insert(reply.address, Holder { mac: reply.mac, in_mid_boot, boots_anew: false });
                }
            }
            What::Arp(arp) if by_server => {
                let holder = holders.get(&arp.target).filter(|holder| arp.request && holder.in_mid_boot);
                if let Some(holder) = holder {
                    violations.push(format!("ARP asked for {}, which {} holds", arp.target, holder.mac));
                }
            }
            What::Packet(address) if by_server => {
                if let Some(holder) = holders.get(address).filter(|holder| holder.mac != frame.to) {
                    violations.push(format!("a packet for {address} of {} went to {}", holder.mac, frame.to));
                }
            }
            What::Reply(_) | What::Arp(_) | What::Packet(_) => {}
        }
    }
    violations
}

/// Who holds an address, or held it last.
struct Holder {
    mac: Mac,
    /// Whether it may be a firmware that answers no ARP.
    in_mid_boot: bool,
    /// Whether it has looked for an address since the last ACK.
    boots_anew: bool,
}

fn listen(link: &Link, frames: &Mutex<Vec<Frame>>, stop: &AtomicBool) -> Result<(), String> {
    // A train of blocks leaves as one large frame.
    let mut buffer = vec![0; 70_000];
    while !stop.load(Ordering::Relaxed) {
        let frame =
            link.receive(&mut buffer, Duration::from_millis(50)).map_err(|error| error.to_string())?;
        let Some(frame) = frame.and_then(|bytes| Frame::read(bytes, Instant::now())) else { continue };
        let mut frames = frames.lock().unwrap_or_else(PoisonError::into_inner);
        if frames.len() == MAXIMUM_FRAMES {
            return Err("more frames than the witness can remember".to_owned());
        }
        frames.push(frame);
    }
    match link.take_lost() {
        Ok(0) => Ok(()),
        Ok(lost) => Err(format!("the witness missed {lost} frames")),
        Err(error) => Err(error.to_string()),
    }
}

impl Frame {
    fn read(bytes: &[u8], at: Instant) -> Option<Self> {
        if let Some(arp) = Arp::parse(bytes) {
            return Some(Self { at, from: arp.sender_mac, to: arp.destination_mac, what: What::Arp(arp) });
        }
        let mac = |at: usize| bytes.get(at..at + 6).and_then(|mac| mac.try_into().ok()).map(Mac);
        let (to, from) = (mac(0)?, mac(6)?);
        if bytes.get(12..14)? != [0x08, 0x00] {
            return None;
        }
        let destination: [u8; 4] = bytes.get(30..34)?.try_into().ok()?;
        let known = Datagram::parse(bytes).and_then(dhcp).or_else(|| up(bytes));
        let what = known.unwrap_or_else(|| What::Packet(destination.into()));
        Some(Self { at, from, to, what })
    }
}

/// What matters of DHCP; any other datagram is a packet.
fn dhcp(datagram: Datagram<'_>) -> Option<What> {
    let Datagram { destination, payload, .. } = datagram;
    match destination.port() {
        CLIENT_PORT => Reply::parse(payload).map(|reply| What::Reply(Box::new(reply))),
        SERVER_PORT => query(payload),
        _ => None,
    }
}

/// `POST …/up` in a segment of TCP.
fn up(frame: &[u8]) -> Option<What> {
    let packet = frame.get(14..)?;
    let source: [u8; 4] = packet.get(12..16)?.try_into().ok()?;
    let segment = packet.get(usize::from(packet[0] & 15) * 4..).filter(|_| packet[9] == PROTOCOL_TCP)?;
    let text = segment.get(usize::from(segment.get(12)? >> 4) * 4..)?;
    let line = text.split(|&byte| byte == b'\r').next()?;
    (line.starts_with(b"POST ") && line.ends_with(b"/up HTTP/1.1")).then_some(What::Up(source.into()))
}

/// A client's message: its type is option 53, which every client here sends first, after the fixed 236 bytes and the cookie.
fn query(payload: &[u8]) -> Option<What> {
    let current: [u8; 4] = payload.get(12..16)?.try_into().ok()?;
    match payload.get(240..243)? {
        [53, 1, 1] => Some(What::Discover),
        [53, 1, 7] => Some(What::Release(current.into())),
        _ => None,
    }
}

const PROTOCOL_TCP: u8 = 6;
const BUFFER_BYTES: usize = 32 << 20;
const MAXIMUM_FRAMES: usize = 2_000_000;
