//! What a transfer wants to send, and what of it leaves when it is its turn.

use super::super::{Block, Unsent};
use super::step::{End, Step};
use super::{Flight, Held, Stage};
use crate::limit::TFTP_SWALLOWED_REPEATS;
use crate::time::Time;
use crate::wire::tftp;
use std::time::Duration;

/// What it wants to send as soon as it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// The OACK.
    Offer,
    /// The window from this block on.
    Blocks(u64),
}

/// How a train was counted at its link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::transfer) enum Counted {
    /// As sent, and with it so many packets of earlier ones as lost.
    AsSent { lost: u64 },
    /// As sent to somebody who may not be there.
    AsToNobody,
}

/// Blocks of a train that were granted and could not be sent, because a disk had to bring them first; and how they had been counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::transfer) struct NotLeft {
    pub(in crate::transfer) blocks: u64,
    pub(in crate::transfer) counted: Counted,
}

impl Flight {
    /// Whether it wants to send; whether that opens the conversation.
    pub(in crate::transfer) fn wishes(&self) -> Option<bool> {
        self.wish.map(|(wish, _)| wish == Wish::Offer)
    }

    /// Whether a part of the window, or of its repeat, has left.
    pub(in crate::transfer) fn is_in_window(&self) -> bool {
        self.begun_at.is_some()
    }

    /// How long so many octets would take if they were sent at once whenever the client asks for more.
    pub(in crate::transfer) fn alone(&self, octets: u64) -> Duration {
        let window = u64::from(self.terms.block_octets) * u64::from(self.terms.window_blocks);
        let windows = octets.max(self.owed_octets()).div_ceil(window);
        self.round_trip.usual().saturating_mul(u32::try_from(windows).unwrap_or(u32::MAX))
    }

    /// Octets of payload of each packet that it wants to send.
    pub(in crate::transfer) fn payload_octets(&self) -> u64 {
        const OACK_OCTETS: u64 = 64; // More or less.
        match self.wish {
            Some((Wish::Offer, _)) => OACK_OCTETS,
            Some((Wish::Blocks(_), _)) | None => self.data_octets(),
        }
    }

    /// It is its turn: it sends what it wants to, at most so many blocks.
    pub(in crate::transfer) fn grant(&mut self, now: Time, blocks_max: u64) -> Step {
        let (Some((wish, since)), Some(image)) = (self.wish.take(), self.image) else { return Step::Wait };
        self.heard = (self.heard + now.since(since)).min(now); // The silence was ours, as far as there was one.
        let first = match wish {
            Wish::Blocks(first) => first.max(self.acknowledged + 1),
            Wish::Offer => {
                self.offers_repeated = u64::from(self.offered);
                self.resent += self.offers_repeated;
                self.fresh = !self.offered;
                self.offered = true;
                self.sent_at = now;
                return Step::Offer(tftp::option_ack(&self.terms.agreed(image.size())));
            }
        };
        // A train that was swallowed whole again and again: perhaps by a queue that takes the kernel's uncut trains for one packet each, and is never empty enough for one. Single
        // packets find room in it.
        let blocks_max = if self.unanswered >= TFTP_SWALLOWED_REPEATS { 1 } else { blocks_max.max(1) };
        // Who was left is asked by one block whether he is there all the same.
        if self.left.is_some() {
            self.window_end = self.window_end.min(first);
        }
        let last = self.window_end.min(first.saturating_add(blocks_max - 1));
        if last < first {
            return Step::Wait; // It was acknowledged meanwhile.
        }
        self.sent_at = now;
        (self.train_first, self.train_last, self.train_before) = (first, last, self.sent_before);
        self.resent += repeated(first, last, self.sent_before);
        self.fresh = self.note_behind == 0 && first > self.sent_before;
        self.begun_at.get_or_insert(now);
        self.sent = self.sent_before.max(last);
        if last < self.window_end {
            self.wish = Some((Wish::Blocks(last + 1), now));
        }
        let count = u16::try_from(last + 1 - first).expect("a window is at most TFTP_WINDOW_BLOCKS_MAX long");
        let block_octets = self.terms.block_octets;
        Step::Send(Block { image: image.image, first, count, block_octets, size: image.size() })
    }

    /// Wants to send what the client has to answer, once more.
    pub(super) fn send_again(&mut self, now: Time) -> Step {
        if self.stage == Stage::Sending {
            return self.repeat_window(now);
        }
        self.wish(now, Wish::Offer)
    }

    /// Wants to send the window after what was acknowledged.
    pub(super) fn send_window(&mut self, now: Time) -> Step {
        let first = self.acknowledged + 1;
        self.begun_at = None;
        self.window_end = (self.acknowledged + u64::from(self.terms.window_blocks)).min(self.blocks());
        self.sent_before = self.sent;
        self.send_rest(now, first)
    }

    /// Wants to send what the window after the last acknowledged block has beyond the one that is on its way.
    pub(super) fn slide_window(&mut self, now: Time) -> Step {
        let end = (self.acknowledged + u64::from(self.terms.window_blocks)).min(self.blocks());
        if end <= self.sent {
            return Step::Wait;
        }
        self.window_end = end;
        // As long as a part of the repeat waits for its turn, or for its chunk, what is new comes behind it.
        if self.wish.is_some() || self.held.is_some() {
            return Step::Wait;
        }
        self.sent_before = self.sent;
        self.send_rest(now, self.sent + 1)
    }

    /// Wants to send the window from this block on.
    pub(super) fn send_rest(&mut self, now: Time, first: u64) -> Step {
        self.wish(now, Wish::Blocks(first.max(self.acknowledged + 1)))
    }

    fn wish(&mut self, now: Time, wish: Wish) -> Step {
        if self.image.is_some() {
            self.held = None;
            let since = self.wish.map_or(now, |(_, since)| since);
            self.wish = Some((wish, since));
        }
        Step::Wait
    }

    /// How what was granted just now was counted.
    pub(in crate::transfer) fn count(&mut self, counted: Counted) {
        self.train_counted = counted;
    }

    /// What was said just now not to have left.
    pub(in crate::transfer) fn take_unsent(&mut self) -> Option<NotLeft> {
        self.unsent.take()
    }

    /// What is to be taken off at the link: the rest of the train, from this block on. Of an earlier one nobody knows its end, and what was sent since may have left.
    fn not_left(&mut self, block: u64) -> NotLeft {
        if block < self.train_first {
            return NotLeft { blocks: 1, counted: Counted::AsSent { lost: 0 } };
        }
        let counted = match &mut self.train_counted {
            Counted::AsSent { lost } => {
                // Of what is sent again behind a gap one is counted, as long as any of it left.
                let stays = (*lost).min(repeated(self.train_first, block - 1, self.train_before));
                Counted::AsSent { lost: std::mem::replace(lost, stays) - stays }
            }
            Counted::AsToNobody => Counted::AsToNobody,
        };
        NotLeft { blocks: self.train_last + 1 - block, counted }
    }

    /// What it was to send did not leave, or only in part.
    ///
    /// The report may be late, where a thread of its own sends: more was sent since. What the client has acknowledged came by another copy, and what is about to be sent again needs
    /// no second wish; else the window starts anew where the gap is, for a client takes nothing from behind it (RFC 7440 4).
    pub(super) fn unsent(&mut self, now: Time, block: u64, why: Unsent) -> Step {
        let is_wished = if self.stage == Stage::Sending {
            if block <= self.acknowledged || block > self.train_last {
                return Step::Wait;
            }
            // What a socket has no room for counts as what a queue does not take: only by that it is seen that an interface is slower than its link is taken to be, and the
            // tokens keep everybody from trying it at once.
            self.unsent = (why == Unsent::NotInMemory).then(|| self.not_left(block));
            self.resent -= repeated(block.max(self.train_first), self.train_last, self.train_before);
            self.train_last = block - 1;
            self.sent = self.train_before.max(block - 1);
            self.sent_before = self.sent_before.min(self.sent);
            matches!(self.wish, Some((Wish::Blocks(first), _)) if first <= block)
        } else {
            self.resent -= std::mem::take(&mut self.offers_repeated);
            self.offered &= !self.fresh;
            self.wish.is_some()
        };
        if is_wished {
            return Step::Wait;
        }
        self.wish = None;
        // An OACK and an empty block are not read from anywhere: if they are said not to be in memory, they are tried again.
        let image = self.image.filter(|image| self.stage == Stage::Sending && image.size() > 0);
        match (why, image) {
            (Unsent::Full, _) | (Unsent::NotInMemory, None) => {
                self.sent_at = now; // of the try
                self.held = Some(Held::Full(block));
                Step::Wait
            }
            (Unsent::NotInMemory, Some(image)) => {
                self.held = Some(Held::NotInMemory(block));
                let octets = u64::from(self.terms.block_octets);
                let last = (block * octets).min(image.size()) - 1;
                Step::Fetch(image, ((block - 1) * octets).min(last), last)
            }
            (Unsent::Impossible, _) => {
                Step::End(End::Failed("it cannot be sent: the packets are too large for the way".into()))
            }
        }
    }
}

/// How many of the blocks from `first` to `last` are no news if all up to `sent` were sent before.
fn repeated(first: u64, last: u64, sent: u64) -> u64 {
    (last.min(sent) + 1).saturating_sub(first)
}
