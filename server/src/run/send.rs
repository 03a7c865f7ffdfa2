//! TFTP packets and trains of blocks become datagrams. No octet of a file is copied here: header and pieces of chunks go to the kernel as they lie.
//!
//! What a batch of datagrams causes to be sent is gathered by port and leaves together: a system call for each is most of what a client in lock-step costs.
//! A train leaves as one message that the kernel cuts into datagrams, as late as it can.

use super::Loop;
use crate::images::Images;
use crate::netio::{Outbox, segments_max};
use heorot_core::transfer::{Block, Body, Input, Port, Send, TransferId, Unsent};
use heorot_core::wire::tftp;
use std::io;
use std::iter;
use std::mem;
use std::ops::Range;
use std::os::fd::AsFd;

/// What is to be sent, by socket.
pub(super) struct Outgoing {
    outbox: Outbox,
    /// First port 69, then the sockets of the data ports.
    sockets: Vec<Gathered>,
    /// Whether trains are left to the kernel to cut: not where an interface cannot have it done (EIO: it computes no check sums).
    cuts_trains: bool,
}

/// What is to be sent by one socket.
#[derive(Default)]
struct Gathered {
    sends: Vec<Send>,
    /// Whose they are, side by side: they are looked through for each that comes.
    transfers: Vec<TransferId>,
}

/// What did not leave, and why.
type Failed = (TransferId, u64, Unsent);

/// One message: a packet, or blocks of a train.
#[derive(Clone, Debug)]
struct Parcel {
    /// Whose it is, by its place among what is sent.
    send: usize,
    /// The first block; 0: a packet that is none.
    first: u64,
    /// How many datagrams.
    count: usize,
    /// Its octets, by their places among the pieces, three for a datagram.
    pieces: Range<usize>,
}

impl Outgoing {
    pub(super) fn new(data_sockets: usize) -> Self {
        Self {
            outbox: Outbox::new(),
            sockets: iter::repeat_with(Gathered::default).take(1 + data_sockets).collect(),
            cuts_trains: true,
        }
    }
}

impl Loop {
    /// Gathers a packet or a train, to be sent with the others.
    pub(super) fn send_tftp(&mut self, send: Send) {
        let place = match send.port {
            Port::Request => 0,
            Port::Data(place) => 1 + self.parts.data.socket_for(place, send.local),
        };
        // What did not leave is to be reported before anything that comes later for the same transfer.
        if send.transfer.is_some_and(|transfer| self.outgoing.sockets[place].transfers.contains(&transfer)) {
            self.flush_tftp();
        }
        let gathered = &mut self.outgoing.sockets[place];
        gathered.transfers.extend(send.transfer);
        gathered.sends.push(send);
    }

    /// Sends what was gathered, and reports what did not leave.
    pub(super) fn flush_tftp(&mut self) {
        // What is reported may have more sent at once: what was missing is in memory.
        while let Some(place) = self.outgoing.sockets.iter().position(|gathered| !gathered.sends.is_empty()) {
            let gathered = &mut self.outgoing.sockets[place];
            gathered.transfers.clear();
            let mut sends = mem::take(&mut gathered.sends);
            let failed = self.send_all(place, &sends);
            sends.clear();
            self.outgoing.sockets[place].sends = sends;
            for (transfer, block, why) in failed {
                self.transfer(Input::Unsent { transfer, block, why });
            }
        }
    }

    fn send_all(&mut self, place: usize, sends: &[Send]) -> Vec<Failed> {
        let parts = &self.parts;
        let data = place.checked_sub(1);
        let port = data.map_or(&parts.tftp, |index| parts.data.socket(index));
        let is_bound = data.is_some_and(|index| parts.data.address_of(index).is_some());
        let Outgoing { outbox, cuts_trains, .. } = &mut self.outgoing;
        let heads = heads(sends);
        let mut failed = Vec::new();
        let (pieces, mut parcels) = parcels(sends, &heads, &parts.images, *cuts_trains, &mut failed);
        let mut impossible = None;
        let mut next = 0;
        while next < parcels.len() {
            let mut batch = outbox.batch();
            let mut count = 0;
            for parcel in &parcels[next..] {
                let Send { local, peer, .. } = sends[parcel.send];
                let segment = (parcel.count > 1).then(|| segment_octets(&sends[parcel.send]));
                let local = (!is_bound).then_some(local);
                if !batch.add((local, peer), segment, pieces[parcel.pieces.clone()].iter().copied()) {
                    break;
                }
                count += 1;
            }
            let mut left = 0;
            while left < count {
                match batch.send(port.as_fd(), left) {
                    Ok(sent) => {
                        let sent = sent.max(1);
                        let parcels = &parcels[next + left..next + left + sent];
                        let octets = |parcel: &Parcel| -> usize {
                            pieces[parcel.pieces.clone()].iter().map(|piece| piece.len()).sum()
                        };
                        let datagrams = parcels.iter().map(|parcel| parcel.count).sum();
                        self.meter.sent_many(self.now, datagrams, parcels.iter().map(octets).sum());
                        left += sent;
                    }
                    Err(error) => {
                        let parcel = parcels[next + left].clone();
                        if parcel.count > 1 && is_not_cut(&error) {
                            *cuts_trains &= error.raw_os_error() != Some(libc::EIO);
                            parcels.splice(next + left..=next + left, singles(&parcel));
                        } else {
                            let why = unsent(&error);
                            impossible = impossible.or_else(|| (why == Unsent::Impossible).then_some(error));
                            failed.extend(sends[parcel.send].transfer.map(|id| (id, parcel.first, why)));
                            // Nothing of it leaves behind a gap.
                            let is_other = |other: &Parcel| other.send != parcel.send;
                            let rest: Vec<Parcel> = parcels.drain(next + left..).filter(is_other).collect();
                            parcels.extend(rest);
                        }
                        count = left;
                    }
                }
            }
            next += left;
        }
        if let Some(error) = impossible {
            self.complain("sending TFTP", &error);
        }
        failed
    }
}

/// The headers of all blocks.
fn heads(sends: &[Send]) -> Vec<[u8; 4]> {
    let trains = sends.iter().filter_map(|send| match &send.body {
        Body::Train(train) => Some(train),
        Body::Packet(_) => None,
    });
    trains.flat_map(blocks).map(tftp::data_head).collect()
}

/// The messages, and the octets that they are made of. What is not in memory is among the failed.
fn parcels<'a>(
    sends: &'a [Send],
    heads: &'a [[u8; 4]],
    images: &'a Images,
    cuts_trains: bool,
    failed: &mut Vec<Failed>,
) -> (Vec<&'a [u8]>, Vec<Parcel>) {
    let mut heads = heads.iter();
    let mut pieces: Vec<&[u8]> = Vec::with_capacity(3 * heads.len());
    let mut parcels: Vec<Parcel> = Vec::with_capacity(sends.len());
    for (place, send) in sends.iter().enumerate() {
        let start = pieces.len();
        let train = match &send.body {
            Body::Packet(octets) => {
                pieces.extend([octets.as_slice(), &[], &[]]);
                parcels.push(Parcel { send: place, first: 0, count: 1, pieces: start..start + 3 });
                continue;
            }
            Body::Train(train) => train,
        };
        let mut missing = None;
        for (block, head) in blocks(train).zip(&mut heads) {
            match images.octets(train.image, range(train, block)).filter(|_| missing.is_none()) {
                Some([front, back]) => pieces.extend([head, front, back]),
                None => missing = missing.or(Some(block)),
            }
        }
        if let (Some(block), Some(transfer)) = (missing, send.transfer) {
            failed.push((transfer, block, Unsent::NotInMemory));
        }
        let each = if cuts_trains { segments_max(usize::from(segment_octets(send))) } else { 1 };
        let mut first = train.first;
        let places: Vec<usize> = (start..pieces.len()).step_by(3 * each).collect();
        for start in places {
            let end = pieces.len().min(start + 3 * each);
            let count = (end - start) / 3;
            parcels.push(Parcel { send: place, first, count, pieces: start..end });
            first += count as u64;
        }
    }
    (pieces, parcels)
}

/// The same, each datagram for itself.
fn singles(parcel: &Parcel) -> impl Iterator<Item = Parcel> + use<> {
    let (send, first) = (parcel.send, parcel.first);
    let starts = parcel.pieces.clone().step_by(3);
    starts.zip(first..).map(move |(start, first)| Parcel { send, first, count: 1, pieces: start..start + 3 })
}

/// Octets of a full DATA packet.
fn segment_octets(send: &Send) -> u16 {
    match &send.body {
        Body::Train(train) => train.block_octets.saturating_add(4),
        Body::Packet(_) => u16::MAX,
    }
}

fn blocks(train: &Block) -> Range<u64> {
    train.first..train.first + u64::from(train.count)
}

/// The octets of a block in its image.
fn range(train: &Block, block: u64) -> Range<u64> {
    let octets = u64::from(train.block_octets);
    let start = block.saturating_sub(1).saturating_mul(octets).min(train.size);
    start..train.size.min(start.saturating_add(octets))
}

/// Whether the kernel may take the datagrams one by one: EIO, the interface computes no check sums; EINVAL and EMSGSIZE, a datagram is longer than the way takes whole.
fn is_not_cut(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EIO | libc::EINVAL | libc::EMSGSIZE))
}

/// Whether there is sense in trying again: what a full queue, a lost link or a firewall swallows may pass later, and the transfer's patience bounds that.
fn unsent(error: &io::Error) -> Unsent {
    match error.raw_os_error() {
        Some(
            libc::EMSGSIZE | libc::EINVAL | libc::EHOSTUNREACH | libc::ENETUNREACH | libc::EADDRNOTAVAIL,
        ) => Unsent::Impossible,
        _ => Unsent::Full,
    }
}

#[cfg(test)]
mod tests;
