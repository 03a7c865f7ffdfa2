//! What the machines want sent by TFTP is gathered by port, and leaves together: a system call for each is most of what a client in lock-step costs.
//!
//! The loop sends it itself ([`transmit`]), as long as it has the time; else threads of their own do ([`senders`](super::senders)).

use super::Loop;
use super::senders::{News, Senders};
use super::transmit::{Failed, Transmitter, first_block, is_refused, whole};
use crate::images::{Images, Retained};
use crate::udp::Way;
use heorot_core::limit::TFTP_BLOCK_OCTETS_USUAL;
use heorot_core::time::Time;
use heorot_core::transfer::{Block, Body, Input, Port, Send, TransferId, Unsent};
use std::io;
use std::mem;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What is to be sent, by socket.
pub(super) struct Outgoing {
    transmitter: Transmitter,
    ways: Arc<[Way]>,
    /// What is gathered for each of them.
    gathered: Vec<Gathered>,
    /// Whether trains are left to the kernel to cut, by the loop and by others who send.
    cuts_trains: Arc<AtomicBool>,
}

/// What is to be sent by one socket.
#[derive(Default)]
struct Gathered {
    sends: Vec<Send>,
    /// Whose they are, side by side: they are looked through for each that comes.
    transfers: Vec<TransferId>,
}

impl Outgoing {
    /// By the same sockets as others who send.
    pub(super) fn new(senders: &Senders) -> Self {
        let ways = senders.ways();
        Self {
            transmitter: Transmitter::new(),
            gathered: ways.iter().map(|_| Gathered::default()).collect(),
            ways,
            cuts_trains: senders.cuts_trains(),
        }
    }
}

impl Loop {
    /// Gathers a packet or a train, to be sent with the others.
    pub(super) fn send_tftp(&mut self, send: Send) {
        let place = match send.port {
            Port::Request => 0,
            Port::Data(place) => self.parts.data.way(place, send.local, is_in_fragments(&send.body)),
        };
        // What did not leave is to be reported before anything that comes later for the same transfer.
        if send.transfer.is_some_and(|transfer| self.outgoing.gathered[place].transfers.contains(&transfer)) {
            self.flush_tftp();
        }
        let gathered = &mut self.outgoing.gathered[place];
        gathered.transfers.extend(send.transfer);
        gathered.sends.push(send);
    }

    /// Sends what was gathered, or has it sent, and reports what did not leave.
    pub(super) fn flush_tftp(&mut self) {
        // What is reported may have more sent at once: what was missing is in memory.
        while let Some(place) = self.outgoing.gathered.iter().position(|gathered| !gathered.sends.is_empty())
        {
            let gathered = &mut self.outgoing.gathered[place];
            gathered.transfers.clear();
            let mut sends = mem::take(&mut gathered.sends);
            let mut failed = Vec::new();
            if self.parts.senders.are_at_work() {
                hand_over(place, &mut sends, &self.parts.images, &mut self.parts.senders, &mut failed);
            }
            if !sends.is_empty() {
                failed.extend(self.send_all(place, &sends));
                sends.clear();
            }
            self.outgoing.gathered[place].sends = sends;
            for (transfer, block, why) in failed {
                self.transfer(Input::Unsent { transfer, block, why });
            }
        }
    }

    /// What did not leave of what was handed over.
    pub(super) fn take_unsent(&mut self) {
        for news in self.parts.senders.news() {
            match news {
                News::Unsent((transfer, block, why)) => {
                    self.transfer(Input::Unsent { transfer, block, why });
                }
                News::Complaint(error) => self.complain_of_sending(&error),
            }
        }
    }

    /// Counts what senders have sent since this was done last.
    pub(super) fn count_senders(&mut self, now: Time) {
        let (datagrams, octets) = self.parts.senders.newly_sent();
        if datagrams > 0 {
            self.meter.sent_many(now, datagrams, octets);
        }
    }

    fn send_all(&mut self, place: usize, sends: &[Send]) -> Vec<Failed> {
        let Outgoing { transmitter, ways, cuts_trains, .. } = &mut self.outgoing;
        let (socket, is_bound) = &ways[place];
        let octets = |_, train: &Block, range| self.parts.images.octets(train.image, range);
        let sent = transmitter.send((socket.as_fd(), *is_bound), sends, octets, cuts_trains);
        if sent.datagrams > 0 {
            self.meter.sent_many(self.now, sent.datagrams, sent.octets);
        }
        if let Some(error) = sent.complaint {
            self.complain_of_sending(&error);
        }
        sent.failed
    }

    fn complain_of_sending(&mut self, error: &io::Error) {
        if is_refused(error) {
            let hint =
                "a firewall of this host refuses it, or its table of connections (nf_conntrack_max) is full";
            return self.complain("sending TFTP", &format_args!("{error}: {hint}"));
        }
        self.complain("sending TFTP", error);
    }
}

/// Whether blocks of such a length leave in fragments, as far as is known: Ethernet's frames take no longer ones whole, and one that takes them all the same only costs a little more. What a way behind a
/// router takes, nobody knows.
fn is_in_fragments(body: &Body) -> bool {
    matches!(body, Body::Train(train) if train.block_octets > TFTP_BLOCK_OCTETS_USUAL)
}

/// Hands over what others are to send, and leaves what the loop sends itself.
fn hand_over(
    socket: usize,
    sends: &mut Vec<Send>,
    images: &Images,
    senders: &mut Senders,
    failed: &mut Vec<Failed>,
) {
    sends.retain_mut(|send| {
        // An ERROR belongs to no transfer, or to one that it ends: it may overtake what is left of that. The ring does not bound how many there are, but the loop's own pace does: a flood of
        // requests that are refused would fill a queue, and all DATA would wait behind it.
        if send.transfer.is_none() || !senders.are_for(send.peer) {
            return true;
        }
        let first = first_block(send);
        let (kept, missing) = keep(images, send);
        let missing = missing.map(|block| (block, Unsent::NotInMemory));
        let unsent = match senders.has_room(send.peer) {
            true if missing.is_some_and(|(block, _)| block == first) => missing,
            true => {
                // The queue owns what it sends; what stays behind is an empty packet, which takes no memory.
                let body = mem::replace(&mut send.body, Body::Packet(Vec::new()));
                senders.gather(socket, Send { body, ..*send }, kept);
                missing
            }
            false => Some((first, Unsent::Full)),
        };
        failed.extend(send.transfer.zip(unsent).map(|(transfer, (block, why))| (transfer, block, why)));
        false
    });
    senders.hand_over();
}

/// Keeps the octets of a train, which then ends before the first block of which some are not in memory; that block.
fn keep(images: &Images, send: &mut Send) -> (Retained, Option<u64>) {
    let Body::Train(train) = &mut send.body else { return (Retained::Nothing, None) };
    let range = whole(train);
    let (kept, end) = images.keep(train.image, range.clone());
    if end >= range.end {
        return (kept, None);
    }
    let missing = end / u64::from(train.block_octets) + 1;
    train.count = u16::try_from(missing - train.first).expect("it is one of the train's");
    (kept, Some(missing))
}

#[cfg(test)]
mod tests;
