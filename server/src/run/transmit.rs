//! TFTP packets and trains of blocks become datagrams. No octet of a file is copied here: header and pieces of chunks go to the kernel as they lie.
//!
//! A train leaves as one message that the kernel cuts into datagrams, as late as it can. Whose octets they are, the caller says: the loop's own, or those that a thread was given.

use crate::netio::{Outbox, segments_max};
use heorot_core::transfer::{Block, Body, Send, TransferId, Unsent};
use heorot_core::wire::tftp;
use std::io;
use std::ops::Range;
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicBool, Ordering};

/// What did not leave, and why: of which transfer, from which block on.
pub(super) type Failed = (TransferId, u64, Unsent);

/// What became of what was to be sent.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Datagrams that left.
    pub(super) datagrams: usize,
    /// Octets of their payload.
    pub(super) octets: usize,
    /// What did not.
    pub(super) failed: Vec<Failed>,
    /// Why something did not for want of a way, or never will: for the journal.
    pub(super) complaint: Option<io::Error>,
}

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

/// Sends all of this by a socket that may be bound to the address that it is sent from. `octets` finds those of a range of a train, by the train's place; `cuts_trains` says whether trains
/// are left to the kernel to cut: not where an interface cannot have it done (EIO: it computes no check sums), which is found out here.
pub(super) fn transmit<'o>(
    outbox: &mut Outbox,
    (socket, is_bound): (BorrowedFd<'_>, bool),
    sends: &[Send],
    octets: impl Fn(usize, &Block, Range<u64>) -> Option<[&'o [u8]; 2]>,
    cuts_trains: &AtomicBool,
) -> Outcome {
    let heads = heads(sends);
    let mut outcome = Outcome::default();
    let cuts = cuts_trains.load(Ordering::Relaxed);
    let (pieces, mut parcels) = parcels(sends, &heads, octets, cuts, &mut outcome.failed);
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
            match batch.send(socket, left) {
                Ok(sent) => {
                    let sent = sent.max(1);
                    let parcels = &parcels[next + left..next + left + sent];
                    let octets = |parcel: &Parcel| -> usize {
                        pieces[parcel.pieces.clone()].iter().map(|piece| piece.len()).sum()
                    };
                    outcome.datagrams += parcels.iter().map(|parcel| parcel.count).sum::<usize>();
                    outcome.octets += parcels.iter().map(octets).sum::<usize>();
                    left += sent;
                }
                Err(error) => {
                    let parcel = parcels[next + left].clone();
                    if parcel.count > 1 && is_not_cut(&error) {
                        if error.raw_os_error() == Some(libc::EIO) {
                            cuts_trains.store(false, Ordering::Relaxed);
                        }
                        parcels.splice(next + left..=next + left, singles(&parcel));
                    } else if is_lost(&error) {
                        outcome.complaint.get_or_insert(error);
                        left += 1;
                        continue;
                    } else {
                        let why = unsent(&error);
                        if why == Unsent::Impossible {
                            outcome.complaint.get_or_insert(error);
                        }
                        outcome.failed.extend(sends[parcel.send].transfer.map(|id| (id, parcel.first, why)));
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
    outcome
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
fn parcels<'a, 'o: 'a>(
    sends: &'a [Send],
    heads: &'a [[u8; 4]],
    octets: impl Fn(usize, &Block, Range<u64>) -> Option<[&'o [u8]; 2]>,
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
            match octets(place, train, range(train, block)).filter(|_| missing.is_none()) {
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

/// The first block of a train; 0 of a packet.
pub(super) fn first_block(send: &Send) -> u64 {
    match &send.body {
        Body::Train(train) => train.first,
        Body::Packet(_) => 0,
    }
}

/// The octets of all its blocks.
pub(super) fn whole(train: &Block) -> Range<u64> {
    let blocks = blocks(train);
    range(train, blocks.start).start..range(train, blocks.end.saturating_sub(1)).end
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

/// Whether there was no way to its peer, or, for a socket that is bound to an address, no such address any more (EINVAL); or the firewall of this host refused it. An interface or a route that is away for a
/// moment swallows what is sent as any cable would, and so does a full table of connections: it may be back before anybody has lost patience, and until then the transfer's own timers repeat it.
fn is_lost(error: &io::Error) -> bool {
    let is_away = matches!(
        error.raw_os_error(),
        Some(libc::EHOSTUNREACH | libc::ENETUNREACH | libc::ENETDOWN | libc::EADDRNOTAVAIL | libc::EINVAL)
    );
    is_away || is_refused(error)
}

/// Whether the firewall of this host refused it (netfilter's verdict, or a full table of connections).
pub(super) fn is_refused(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EPERM | libc::EACCES))
}

/// Whether there is sense in trying again: what a full queue swallows may pass later, and the transfer's patience bounds that.
fn unsent(error: &io::Error) -> Unsent {
    match error.raw_os_error() {
        Some(libc::EMSGSIZE) => Unsent::Impossible,
        _ => Unsent::Full,
    }
}

#[cfg(test)]
mod tests;
