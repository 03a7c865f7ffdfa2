//! What comes by the sockets, in batches: each datagram becomes an input of the machine that it concerns.

use super::Loop;
use crate::clock;
use crate::frame;
use crate::interface::Interface;
use crate::netio::Inbox;
use crate::overhear;
use crate::probe::Heard;
use heorot_core::message::{self, Datagram, Overheard, WhoHas};
use heorot_core::time::Time;
use heorot_core::transfer::{self, Port};
use std::os::fd::AsFd;

/// Batches taken from one TFTP port in a turn: a millisecond or two, before all else gets its turn.
const ROUNDS_MAX: usize = 8;

/// Octets of the longest datagram that a client has to send once its request was answered: an ACK has four, an ERROR a sentence. Small rooms lie close together,
/// which is what a client in lock-step costs least by.
const ACKNOWLEDGEMENT_OCTETS_MAX: usize = 1024;

/// What is said when a socket was full.
const LOST: &str = "the kernel dropped datagrams, for they came faster than they were taken";

/// Room for what comes in.
pub(super) struct Inboxes {
    pub(super) large: Inbox,
    /// For the ports of transfers.
    pub(super) small: Inbox,
}

impl Inboxes {
    pub(super) fn new() -> Self {
        Self { large: Inbox::new(), small: Inbox::with_room(ACKNOWLEDGEMENT_OCTETS_MAX) }
    }
}

impl Loop {
    /// A batch from port 67 of an interface.
    pub(super) fn take_dhcp(&mut self, place: usize, inbox: &mut Inbox) {
        let port = &mut self.parts.interfaces[place].dhcp;
        if let Err(error) = inbox.receive(port.as_fd()) {
            return self.complain("receiving DHCP", &error);
        }
        if inbox.is_full() && port.newly_dropped() > 0 {
            self.complain("receiving DHCP", &LOST);
        }
        if self.ends_by.is_some() {
            return;
        }
        let interface = self.parts.interfaces[place].name.clone();
        for (envelope, payload) in inbox.datagrams() {
            let (source, destination) = (envelope.source, envelope.destination);
            self.heorot(message::Input::Dhcp(Datagram {
                interface: &interface,
                source,
                destination,
                payload,
            }));
        }
        self.flush_dhcp();
    }

    /// A batch from port 4011 of an interface.
    pub(super) fn take_boot_server(&mut self, place: usize, inbox: &mut Inbox) {
        let Interface { name, boot_server, .. } = &self.parts.interfaces[place];
        if let Err(error) = inbox.receive(boot_server.as_fd()) {
            return self.complain("receiving at port 4011", &error);
        }
        if self.ends_by.is_some() {
            return;
        }
        let interface = name.clone();
        for (envelope, payload) in inbox.datagrams() {
            let (source, destination) = (envelope.source, envelope.destination);
            let datagram = Datagram { interface: &interface, source, destination, payload };
            self.heorot(message::Input::BootServer(datagram));
        }
    }

    /// What was answered to our probes, and what others ask.
    pub(super) fn take_arp(&mut self, place: usize) {
        let Some(ethernet) = &self.parts.interfaces[place].ethernet else { return };
        for heard in ethernet.prober.heard() {
            match heard {
                Heard::Has(address, mac) => {
                    self.heorot(message::Input::Occupied { address, mac: Some(mac) });
                }
                Heard::WhoHas(address, from) => {
                    let interface = self.parts.interfaces[place].name.clone();
                    self.heorot(message::Input::WhoHas(WhoHas { interface: &interface, address, from }));
                }
            }
        }
    }

    /// Who has answered to our echoes.
    pub(super) fn take_echo(&mut self) {
        for address in self.parts.echo.answers() {
            self.heorot(message::Input::Occupied { address, mac: None });
        }
    }

    /// What other DHCP servers told their clients.
    pub(super) fn take_other_servers(&mut self, place: usize) {
        let Some(ethernet) = &self.parts.interfaces[place].ethernet else { return };
        let interface = self.parts.interfaces[place].name.clone();
        for frame in ethernet.listener.frames() {
            let Some(datagram) = overhear::datagram(&frame) else { continue };
            let frame::read::Datagram { from: mac, source, destination, payload, .. } = datagram;
            let interface = &interface;
            self.heorot(message::Input::Overheard(Overheard {
                interface,
                mac,
                source,
                destination,
                payload,
            }));
        }
    }

    /// Batches from port 69 or from one of the sockets of transfers, as long as the answers to one bring the next: to ask the kernel what is ready costs as much as to take it. New requests are left to the next server once this one ends; what is in flight goes on.
    pub(super) fn take_tftp(&mut self, data: Option<usize>, until: Time, inbox: &mut Inbox) {
        for _ in 0..ROUNDS_MAX {
            let parts = &mut self.parts;
            let socket = data.map_or(&mut parts.tftp, |index| parts.data.socket_mut(index));
            match inbox.receive(socket.as_fd()) {
                Ok(0) => return,
                Ok(_) if inbox.is_full() && socket.newly_dropped() > 0 => {
                    self.complain("receiving TFTP", &LOST);
                    self.take_tftp_batch(data, inbox);
                }
                Ok(_) => self.take_tftp_batch(data, inbox),
                Err(error) => return self.complain("receiving TFTP", &error),
            }
            self.now = clock::now();
            if self.now >= until || self.parts.transfers.rest(self.taken).is_some() {
                return;
            }
        }
    }

    fn take_tftp_batch(&mut self, data: Option<usize>, inbox: &Inbox) {
        let port = data.map_or(Port::Request, |index| Port::Data(self.parts.data.place_of(index)));
        // What comes to a socket that is bound to an address of a network came to that address, and is not asked for more.
        let bound = data.and_then(|index| self.parts.data.address_of(index));
        for (envelope, payload) in inbox.datagrams() {
            self.taken += 1;
            // A request to a broadcast address is for nobody (RFC 1123 4.2.3.5).
            let served = bound.is_some()
                || self.is_served(envelope.interface) && envelope.destination == envelope.local;
            // Where all is sent from one port, the ACKs of what is in flight come there too.
            let is_left = self.ends_by.is_some() && port == Port::Request && is_request(payload);
            if served && !is_left {
                let (local, peer) = (bound.unwrap_or(envelope.local), envelope.source);
                self.transfer(transfer::Input::Datagram { port, local, peer, payload });
            }
        }
        self.flush_tftp();
    }

    /// Whether what comes by this interface is our business: the configured ones', and the host's own, which comes by `lo`.
    fn is_served(&self, interface: u32) -> bool {
        const LOOPBACK: u32 = 1; // The kernel makes it first in every network namespace.
        interface == LOOPBACK || self.parts.interfaces.iter().any(|it| it.served.index == interface)
    }
}

/// Whether a datagram begins as a request to read or write does.
fn is_request(payload: &[u8]) -> bool {
    matches!(payload, [0, 1 | 2, ..])
}
