//! TFTP packets and trains of blocks become datagrams. No octet of a file is copied here: header and pieces of chunks go to the kernel as they lie.

use super::Loop;
use crate::netio::{self, BATCH, Pieces};
use heorot_core::transfer::{Block, Body, Input, Port, Send, Unsent};
use heorot_core::wire::tftp;
use std::io;
use std::ops::Range;
use std::os::fd::AsFd;

impl Loop {
    /// Sends a packet or a train, and reports what did not leave.
    pub(super) fn send_tftp(&mut self, send: &Send) {
        let unsent = match &send.body {
            Body::Packet(octets) => self.send_packet(send, octets).map(|why| (0, why)),
            Body::Train(train) => self.send_train(send, train),
        };
        if let (Some((block, why)), Some(transfer)) = (unsent, send.transfer) {
            self.transfer(Input::Unsent { transfer, block, why });
        }
    }

    fn send_packet(&mut self, send: &Send, octets: &[u8]) -> Option<Unsent> {
        match self.send_datagrams(send, &[[octets, &[], &[]]]) {
            Ok(_) => {
                self.meter.sent(self.now, octets.len());
                None
            }
            Err(error) => Some(self.unsent(&error)),
        }
    }

    /// Sends the blocks of a train. The first that did not leave, and why.
    fn send_train(&mut self, send: &Send, train: &Block) -> Option<(u64, Unsent)> {
        let end = train.first + u64::from(train.count);
        let octets = range(train, train.first).start..range(train, end.saturating_sub(1)).end;
        self.parts.images.touch(train.image, octets);
        let mut next = train.first;
        while next < end {
            let mut heads = [[0; 4]; BATCH];
            let mut datagrams: [Pieces<'_>; BATCH] = [[&[]; 3]; BATCH];
            let mut octets_total = 0;
            let blocks = (next..end).zip(heads.iter_mut().zip(&mut datagrams));
            let mut count = 0;
            for (block, (head, datagram)) in blocks {
                let Some([front, back]) = self.parts.images.octets(train.image, range(train, block)) else {
                    break;
                };
                *head = tftp::data_head(block);
                *datagram = [head, front, back];
                octets_total += head.len() + front.len() + back.len();
                count += 1;
            }
            if count == 0 {
                return Some((next, Unsent::NotInMemory));
            }
            match self.send_datagrams(send, &datagrams[..count]) {
                Ok(sent) => {
                    next += sent as u64;
                    self.meter.sent_many(self.now, sent, octets_total * sent / count);
                }
                Err(error) => return Some((next, self.unsent(&error))),
            }
        }
        None
    }

    fn send_datagrams(&self, send: &Send, datagrams: &[Pieces<'_>]) -> io::Result<usize> {
        let port = match send.port {
            Port::Request => &self.parts.tftp,
            Port::Data(place) => &self.parts.data[usize::from(place)],
        };
        netio::send(port.as_fd(), send.local, send.peer, datagrams)
    }

    fn unsent(&mut self, error: &io::Error) -> Unsent {
        let why = unsent(error);
        if why == Unsent::Impossible {
            self.complain("sending TFTP", error);
        }
        why
    }
}

/// The octets of a block in its image.
fn range(train: &Block, block: u64) -> Range<u64> {
    let octets = u64::from(train.block_octets);
    let start = block.saturating_sub(1).saturating_mul(octets).min(train.size);
    start..train.size.min(start.saturating_add(octets))
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
mod tests {
    use super::*;
    use heorot_core::transfer::ImageId;

    #[test]
    fn the_octets_of_a_block() {
        let train = |block_octets, size| Block { image: ImageId(1), first: 1, count: 1, block_octets, size };
        for (block_octets, size, block, expected) in [
            (512, 1000, 1, 0..512),
            (512, 1000, 2, 512..1000),
            (512, 1024, 3, 1024..1024),
            (512, 0, 1, 0..0),
            (1428, 5_000_000_000, 3_000_000, 4_283_998_572..4_284_000_000),
            (512, 1000, 9, 1000..1000),
        ] {
            assert_eq!(range(&train(block_octets, size), block), expected, "block {block} of {size}");
        }
    }

    #[test]
    fn only_what_never_can_be_is_impossible() {
        for (code, expected) in [
            (libc::EAGAIN, Unsent::Full),
            (libc::ENOBUFS, Unsent::Full),
            (libc::EPERM, Unsent::Full),
            (libc::ENETDOWN, Unsent::Full),
            (libc::EMSGSIZE, Unsent::Impossible),
            (libc::ENETUNREACH, Unsent::Impossible),
        ] {
            assert_eq!(unsent(&io::Error::from_raw_os_error(code)), expected, "{code}");
        }
    }
}
