//! TFTP packets and trains of blocks become datagrams: headers, and pieces of chunks from where they lie.
//!
//! A train leaves as one message that the kernel cuts into datagrams, as late as it can. Whose octets they are, the caller says: the loop's own, or those that a thread was given.

use crate::netio::{BATCH, Batch, Outbox, segments_max};
use heorot_core::transfer::{Block, Body, Send, TransferId, Unsent};
use heorot_core::wire::tftp;
use std::io;
use std::iter;
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

/// Sends packets and trains, with room for all that takes, which is made once.
pub(super) struct Transmitter {
    outbox: Outbox,
    /// The headers of all blocks of what is being sent, in their order.
    heads: Vec<[u8; 4]>,
    /// The messages of a batch.
    parcels: Vec<Parcel>,
}

/// One message: a packet, or blocks of a train.
#[derive(Clone, Copy, Debug)]
struct Parcel {
    from: Place,
    /// How many datagrams.
    count: usize,
    /// Octets of their payload.
    octets: usize,
    /// Whether it is left to the kernel to cut it.
    is_cut: bool,
}

/// A place among what is sent.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    /// Which packet or train.
    send: usize,
    /// Blocks of the train before this place, and of all trains.
    blocks: usize,
    heads: usize,
}

impl Transmitter {
    pub(super) fn new() -> Self {
        Self { outbox: Outbox::new(), heads: Vec::new(), parcels: Vec::with_capacity(BATCH) }
    }

    /// Sends all of this by a socket that may be bound to the address that it is sent from. `octets` finds those of a range of a train, by the train's place; `cuts_trains` says whether trains
    /// are left to the kernel to cut: not where an interface cannot have it done (EIO: it computes no check sums), which is found out here.
    pub(super) fn send<'o>(
        &mut self,
        (socket, is_bound): (BorrowedFd<'_>, bool),
        sends: &[Send],
        octets: impl Fn(usize, &Block, Range<u64>) -> Option<[&'o [u8]; 2]>,
        cuts_trains: &AtomicBool,
    ) -> Outcome {
        let Self { outbox, heads, parcels } = self;
        heads.clear();
        heads.extend(sends.iter().filter_map(train).flat_map(blocks).map(tftp::data_head));
        let load = Load { sends, heads, octets, is_bound };
        let mut outcome = Outcome::default();
        let mut place = Place::default();
        // A train that the kernel does not cut.
        let mut uncut = None;
        while place.send < sends.len() {
            let mut batch = outbox.batch();
            parcels.clear();
            while place.send < sends.len() {
                let cuts = uncut != Some(place.send) && cuts_trains.load(Ordering::Relaxed);
                match load.add(&mut batch, place, cuts) {
                    Added::Parcel(parcel) => {
                        parcels.push(parcel);
                        place = load.behind(parcel);
                    }
                    Added::NoRoom => break,
                    // Told when all before it has left: what does not is gathered again from there on.
                    Added::NotInMemory if !parcels.is_empty() => break,
                    Added::NotInMemory => {
                        outcome.failed.extend(load.failed(place, Unsent::NotInMemory));
                        place = load.next(place);
                    }
                }
            }
            let mut left = 0;
            while let Some(parcel) = parcels.get(left) {
                match batch.send(socket, left) {
                    Ok(sent) => {
                        let sent = &parcels[left..left + sent.max(1)];
                        outcome.datagrams += sent.iter().map(|parcel| parcel.count).sum::<usize>();
                        outcome.octets += sent.iter().map(|parcel| parcel.octets).sum::<usize>();
                        left += sent.len();
                    }
                    Err(error) if parcel.is_cut && is_not_cut(&error) => {
                        if error.raw_os_error() == Some(libc::EIO) {
                            cuts_trains.store(false, Ordering::Relaxed);
                        }
                        uncut = Some(parcel.from.send);
                        place = parcel.from;
                        break;
                    }
                    Err(error) if is_lost(&error) => {
                        outcome.complaint.get_or_insert(error);
                        left += 1;
                    }
                    Err(error) => {
                        let why = unsent(&error);
                        outcome.failed.extend(load.failed(parcel.from, why));
                        if why == Unsent::Impossible {
                            outcome.complaint.get_or_insert(error);
                        }
                        // Nothing of it leaves behind a gap.
                        place = load.next(parcel.from);
                        break;
                    }
                }
            }
        }
        outcome
    }
}

/// What is to be sent, and what that is made of.
struct Load<'a, F> {
    sends: &'a [Send],
    heads: &'a [[u8; 4]],
    octets: F,
    is_bound: bool,
}

/// What became of a message that was to join a batch.
enum Added {
    Parcel(Parcel),
    NoRoom,
    NotInMemory,
}

impl<'a, 'o: 'a, F: Fn(usize, &Block, Range<u64>) -> Option<[&'o [u8]; 2]>> Load<'a, F> {
    /// Adds the message from a place on to a batch: as many blocks of a train as are in memory, if it is left to the kernel to cut them, or one.
    fn add(&self, batch: &mut Batch<'_>, from: Place, cuts_trains: bool) -> Added {
        let send = &self.sends[from.send];
        let way = ((!self.is_bound).then_some(send.local), send.peer);
        let (mut count, mut octets, mut is_cut) = (0, 0, false);
        let has_room = match &send.body {
            Body::Packet(packet) => {
                (count, octets) = (1, packet.len());
                batch.add(way, None, iter::once(packet.as_slice()))
            }
            Body::Train(train) => {
                let left = usize::from(train.count) - from.blocks;
                let most =
                    if cuts_trains { segments_max(usize::from(segment_octets(train))).min(left) } else { 1 };
                let blocks = blocks(train).skip(from.blocks).zip(&self.heads[from.heads..]).take(most);
                let mut datagrams = blocks.map_while(|(block, head)| {
                    let [front, back] = (self.octets)(from.send, train, range(train, block))?;
                    Some([head.as_slice(), front, back])
                });
                let Some(first) = datagrams.next() else { return Added::NotInMemory };
                let datagrams = iter::once(first).chain(datagrams).inspect(|pieces| {
                    count += 1;
                    octets += pieces.iter().map(|piece| piece.len()).sum::<usize>();
                });
                is_cut = most > 1;
                batch.add(way, is_cut.then(|| segment_octets(train)), datagrams.flatten())
            }
        };
        if has_room { Added::Parcel(Parcel { from, count, octets, is_cut }) } else { Added::NoRoom }
    }

    /// The place behind a message.
    fn behind(&self, Parcel { from, count, .. }: Parcel) -> Place {
        match &self.sends[from.send].body {
            Body::Train(train) if from.blocks + count < usize::from(train.count) => {
                Place { blocks: from.blocks + count, heads: from.heads + count, ..from }
            }
            Body::Train(_) | Body::Packet(_) => self.next(from),
        }
    }

    /// The place behind all of a packet or train.
    fn next(&self, Place { send, blocks, heads }: Place) -> Place {
        let left = train(&self.sends[send]).map_or(0, |train| usize::from(train.count) - blocks);
        Place { send: send + 1, blocks: 0, heads: heads + left }
    }

    /// What did not leave from a place on, if somebody waits for it.
    fn failed(&self, from: Place, why: Unsent) -> Option<Failed> {
        let send = &self.sends[from.send];
        Some((send.transfer?, first_block(send) + from.blocks as u64, why))
    }
}

fn train(send: &Send) -> Option<&Block> {
    match &send.body {
        Body::Train(train) => Some(train),
        Body::Packet(_) => None,
    }
}

/// Octets of a full DATA packet.
fn segment_octets(train: &Block) -> u16 {
    train.block_octets.saturating_add(4)
}

/// The first block of a train; 0 of a packet.
pub(super) fn first_block(send: &Send) -> u64 {
    train(send).map_or(0, |train| train.first)
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
