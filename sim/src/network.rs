//! The network between the server and its machines.
//!
//! ```text
//!          interface    bottleneck            port
//!  server ───────────> ────────────> switch ──────────> machine
//!          send buffer   queue               queue, one each
//!         <──────────────────────── switch <──────────
//!               bottleneck's other direction
//! ```
//!
//! A frame's whole way is reckoned when it leaves: it costs one event, its arrival. On the way to the server frames of many machines meet, and are taken in
//! the order in which they left their machines, which differs from that of their coming to the switch by less than a frame's time.

mod link;

pub use link::{Full, Link};

use crate::chance::Chance;
use crate::frame::Frame;
use crate::happening::Happening;
use crate::moments::Moments;
use crate::slab::Slab;
use heorot_core::time::Time;
use std::time::Duration;

/// How it is built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cabling {
    /// Of the narrowest link between the server and the machines' switch.
    pub link_bits_per_second: u64,
    /// Of the server's own interface. If it is not faster than the link, frames wait in the server's send buffer and none are dropped behind it.
    pub server_bits_per_second: u64,
    /// Of each machine's port.
    pub port_bits_per_second: u64,
    /// What waits before the link and before each port, at most.
    pub queue_octets: u64,
    /// What waits in the server before its interface, at most: then the socket is full.
    pub send_buffer_octets: u64,
    /// From one end of a cable to the other, each of three.
    pub hop_delay: Duration,
    /// How long a port passes nothing after its machine was switched on, because its switch looks for loops first (802.1D: 2 x 15 s).
    pub spanning_tree: Duration,
}

/// What is wrong with it just now. Chances are in millionths, for each frame and direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weather {
    /// Frames that are lost.
    pub loss_ppm: u32,
    /// Frames that come twice.
    pub duplicate_ppm: u32,
    /// Frames that come late, behind others.
    pub reorder_ppm: u32,
    /// How late.
    pub reorder_delay: Duration,
}

/// What went through, and what did not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Frames that queues dropped.
    pub dropped_in_queue: u64,
    /// Frames that the weather took.
    pub lost_on_wire: u64,
    /// Frames that blocked ports did not pass.
    pub blocked: u64,
    /// Octets that the server sent, with all that surrounds them on the wire.
    pub sent_octets: u64,
}

/// The network, with the frames that are under way.
#[derive(Debug)]
pub struct Network {
    cabling: Cabling,
    weather: Weather,
    interface: Link,
    down: Link,
    up: Link,
    ports: Vec<Port>,
    frames: Slab<Frame>,
    chance: Chance,
    counts: Counts,
}

/// A machine's cable, both directions.
#[derive(Debug)]
struct Port {
    down: Link,
    up: Link,
    blocked_until: Time,
}

impl Network {
    /// A quiet network with this many machines.
    pub fn new(cabling: Cabling, machines: usize, seed: u64) -> Self {
        let Cabling { queue_octets, hop_delay, .. } = cabling;
        let link = || Link::new(cabling.link_bits_per_second, queue_octets, hop_delay);
        let port = |_| Port {
            down: Link::new(cabling.port_bits_per_second, queue_octets, hop_delay),
            up: Link::new(cabling.port_bits_per_second, queue_octets, hop_delay),
            blocked_until: Time::from_nanoseconds(0),
        };
        Self {
            weather: Weather::default(),
            interface: Link::new(cabling.server_bits_per_second, cabling.send_buffer_octets, hop_delay),
            down: link(),
            up: link(),
            ports: (0..machines).map(port).collect(),
            frames: Slab::default(),
            chance: Chance::of(seed, NETWORK),
            counts: Counts::default(),
            cabling,
        }
    }

    /// The weather changes.
    pub fn set_weather(&mut self, weather: Weather) {
        self.weather = weather;
    }

    /// A machine's link comes up: its port is blocked if its switch is of that kind.
    pub(crate) fn link_up(&mut self, now: Time, machine: u32) {
        self.ports[machine as usize].blocked_until = now + self.cabling.spanning_tree;
    }

    /// The server sends to these machines: to one, or to everybody.
    ///
    /// # Errors
    /// Its send buffer is full, and nothing was sent.
    pub(crate) fn server_sends(
        &mut self,
        now: Time,
        moments: &mut Moments<Happening>,
        frame: Frame,
        machines: impl Iterator<Item = u32>,
    ) -> Result<(), Full> {
        let octets = frame.wire_octets();
        let at = self.interface.take(now, octets)?;
        self.counts.sent_octets += octets;
        let Ok(at) = self.down.take(at, octets) else {
            self.counts.dropped_in_queue += 1;
            return Ok(());
        };
        if self.chance.happens(self.weather.loss_ppm) {
            self.counts.lost_on_wire += 1;
            return Ok(());
        }
        let mut machines = machines.peekable();
        while let Some(machine) = machines.next() {
            let port = &mut self.ports[machine as usize];
            if at < port.blocked_until {
                self.counts.blocked += 1;
                continue;
            }
            let Ok(at) = port.down.take(at, octets) else {
                self.counts.dropped_in_queue += 1;
                continue;
            };
            let arrival = |frame| Happening::ToMachine { machine, frame };
            if machines.peek().is_none() {
                self.arrive(at, moments, frame, arrival);
                break;
            }
            self.arrive(at, moments, frame.clone(), arrival);
        }
        Ok(())
    }

    /// A machine sends. Nothing but the server is there to be sent to.
    pub(crate) fn machine_sends(
        &mut self,
        now: Time,
        moments: &mut Moments<Happening>,
        machine: u32,
        frame: Frame,
    ) {
        let octets = frame.wire_octets();
        let port = &mut self.ports[machine as usize];
        if now < port.blocked_until {
            self.counts.blocked += 1;
            return;
        }
        let Ok(at) = port.up.take(now, octets).and_then(|at| self.up.take(at, octets)) else {
            self.counts.dropped_in_queue += 1;
            return;
        };
        if self.chance.happens(self.weather.loss_ppm) {
            self.counts.lost_on_wire += 1;
            return;
        }
        // The last cable is the server's own, and as fast as the link at least.
        let at = at + self.cabling.hop_delay;
        self.arrive(at, moments, frame, |frame| Happening::ToServer { frame });
    }

    /// Takes a frame that has arrived.
    pub(crate) fn take(&mut self, frame: u32) -> Frame {
        self.frames.take(frame)
    }

    /// A frame that has arrived and still lies in a socket.
    pub(crate) fn get(&self, frame: u32) -> Option<&Frame> {
        self.frames.get(frame)
    }

    /// What went through, and what did not.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The most octets that ever waited before the link, on their way to the machines.
    pub fn waiting_octets_max(&self) -> u64 {
        self.down.waiting_octets_max()
    }

    /// The time that nothing but distance costs, from a machine to the server and back.
    pub(crate) fn round_trip(&self) -> Duration {
        self.cabling.hop_delay * HOPS_THERE_AND_BACK
    }

    /// How many frames are under way.
    pub(crate) fn under_way(&self) -> usize {
        self.frames.len()
    }

    fn arrive(
        &mut self,
        at: Time,
        moments: &mut Moments<Happening>,
        frame: Frame,
        arrival: impl Fn(u32) -> Happening,
    ) {
        let late = self.chance.happens(self.weather.reorder_ppm);
        let at = if late { at + self.chance.between(Duration::ZERO, self.weather.reorder_delay) } else { at };
        if self.chance.happens(self.weather.duplicate_ppm) {
            let again = at + self.chance.between(Duration::ZERO, self.weather.reorder_delay);
            let copy = self.frames.put(frame.clone());
            moments.push(again, arrival(copy));
        }
        let frame = self.frames.put(frame);
        moments.push(at, arrival(frame));
    }
}

/// Cables from a machine to the server, and back.
const HOPS_THERE_AND_BACK: u32 = 6;

/// The network's own stream of chance.
const NETWORK: u64 = 1;

#[cfg(test)]
mod tests;
