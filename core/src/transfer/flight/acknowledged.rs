//! What an ACK tells: that the client has come further, that there is a gap in a window, or nothing at all.
//!
//! **An ACK that comes again** is a client's retry, a gap in a window, or the echo of a packet that we sent twice. To answer an echo with the window makes the next echo:
//! every packet would go twice to the end of the file (the sorcerer's apprentice). Only time and number tell them apart.
//!
//! In lock-step a retry comes no sooner than 50 ms and the shortest round trip after what was sent last; and what follows a repeat is left to our own timer. So each is answered once and no
//! copy is.
//!
//! In a window, many clients acknowledge every block that is not the next one (EDK2), others speak once of a gap. So, while a repeat is out,
//! - nothing that comes sooner than a round trip after its first block has left speaks of it. Each of the blocks that were on their way when it began ([`Repeat::flying`]) may bring an ACK of the old
//!   window; one that comes further tells that the way puts packets in another order, and that the repeat brings copies of what the client has;
//! - each copy of what the client has may bring an ACK of its own, an echo, which is not answered;
//! - the first that comes further may speak of what the client had before, and is answered with what is new alone; our timer, which is short then, finds out if it was a gap;
//! - what is none of these is the next gap, and the window starts anew behind it (RFC 7440 4).
//!
//! Some clients acknowledge every block of a window. [`TFTP_SINGLE_ACKS`] that each come one block further, and nothing that speaks of a gap between them, tell that: from then on such an ACK is progress, and
//! the next window goes when this one is acknowledged whole. If one of them was of a gap all the same, an ACK that comes again finds it, or our timer, and then it has to be told anew.

use super::step::{End, Step};
use super::{Flight, Stage};
use crate::limit::*;
use crate::time::Time;
use crate::wire::tftp;
use std::time::Duration;

/// A window that was sent again, and is not acknowledged whole yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Repeat {
    /// Blocks that were on their way when it began, and may each bring an ACK yet.
    flying: u64,
    /// When the last of them left.
    flying_since: Time,
    /// Whether the client spoke of a gap, and so told what it has. Else it may have any of what is repeated.
    is_of_gap: bool,
    /// Whether it has come further since.
    has_advanced: bool,
}

impl Flight {
    /// An ACK came.
    pub(super) fn acknowledged(&mut self, now: Time, number: u16) -> Step {
        // The block of this number at or after the last acknowledged one (numbers wrap to 0: RFC 1350 has no word of files that long, and all clients have it so). What lies beyond all that was sent is old.
        let ahead = number.wrapping_sub(tftp::wire_number(self.acknowledged));
        let block = self.acknowledged + u64::from(ahead);
        if block > (self.sent + self.note_behind).min(self.blocks()) {
            return Step::Wait;
        }
        self.hear(now);
        self.acknowledged_at = Some(now);
        if self.stage == Stage::Sending && block == self.acknowledged && self.note_behind == 0 {
            return self.acknowledged_again(now);
        }
        self.measure(now, block);
        let is_before_repeat = self.is_before_repeat(now);
        let is_flying = self.take_off_flying().is_some();
        let advance = block - self.acknowledged;
        self.take_step(advance, block < self.sent);
        self.stage = Stage::Sending;
        self.note_behind = 0;
        self.acknowledged = block;
        self.sent = self.sent.max(block);
        if block == self.blocks() {
            return Step::End(End::Complete);
        }
        if block == self.sent {
            return self.acknowledged_whole(now, advance);
        }
        if self.terms.window_blocks == 1 {
            // After a restart, the number that was noted: the block behind it is on its way.
            return Step::Wait;
        }
        if is_before_repeat {
            // The copies of these are yet to come.
            self.echoes += advance;
            return self.slide_window(now);
        }
        if let Some(repeat) = self.repeated.as_mut().filter(|repeat| !repeat.has_advanced) {
            // It had this part before, and its ACK was lost, or a packet that came twice looked like a gap to it: then it counts its window from here, and if that were taken for a gap, the two windows
            // would never fit again, and part of each would go twice to the end of the file. Or it lacks what follows: then the next ACKs tell, or our timer.
            repeat.has_advanced = true;
            self.echoes += advance.saturating_sub(1);
            self.is_gap_told = true;
            self.round_trip.forget_doublings();
            return self.slide_window(now);
        }
        if self.is_acknowledged_singly() {
            // As above, where the old window takes longer to leave than the first of the repeat takes to come.
            self.echoes += if is_flying { advance } else { 0 };
            return Step::Wait;
        }
        self.start_anew(now)
    }

    /// How far an ACK came tells whether the client acknowledges every block. One that is lost now and then does not tell otherwise.
    fn take_step(&mut self, advance: u64, is_inside: bool) {
        self.single_acks = match advance {
            1 if is_inside => (self.single_acks + 1).min(TFTP_SINGLE_ACKS_MAX),
            1 => self.single_acks,
            _ => self.single_acks.saturating_sub(advance),
        };
    }

    /// Whether the client acknowledges every block of a window.
    pub(super) fn is_acknowledged_singly(&self) -> bool {
        self.single_acks >= TFTP_SINGLE_ACKS
    }

    /// All that was sent has come.
    fn acknowledged_whole(&mut self, now: Time, advance: u64) -> Step {
        let repeat = self.repeated.take();
        self.echoes = match repeat {
            // Who had it all before says so once for each copy.
            Some(Repeat { is_of_gap: false, has_advanced: false, .. }) => advance.saturating_sub(1),
            // There was no gap: a copy of an ACK came late, or the client was away and speaks of one that is over. All that is repeated is yet to come, and if its echoes were taken for gaps, every window would go
            // twice to the end of the file.
            Some(Repeat { has_advanced: false, flying, flying_since, .. })
                if flying > 1 && now < flying_since + TFTP_RESEND_MIN =>
            {
                self.echoes + advance
            }
            Some(_) => self.echoes,
            None => u64::from(!self.fresh),
        };
        self.restarted = false;
        self.is_gap_told = false;
        self.send_window(now)
    }

    fn acknowledged_again(&mut self, now: Time) -> Step {
        let is_new = if self.terms.window_blocks > 1 { self.tells_gap(now) } else { self.is_retry(now) };
        if is_new && !self.is_acknowledged_singly() {
            self.single_acks = 0;
        }
        // Who waits for his turn is told nothing new by being asked again.
        let is_served = self.held.is_some() || self.wish.is_some();
        if is_new || is_served {
            self.retries += u64::from(now.since(self.sent_at) > TFTP_RETRY_MIN);
        }
        match (is_new && !is_served, self.terms.window_blocks > 1) {
            (false, _) => Step::Wait,
            (true, true) => self.start_anew(now),
            (true, false) => self.send_window(now),
        }
    }

    /// In lock-step: whether a client repeats itself.
    fn is_retry(&self, now: Time) -> bool {
        let after = if self.echoes > 0 {
            self.resend_after()
        } else {
            self.round_trip.least().unwrap_or_default().max(TFTP_RETRY_MIN)
        };
        now.since(self.sent_at) > after
    }

    /// In a window: whether the number of the last ACK speaks of a gap when it comes again.
    fn tells_gap(&mut self, now: Time) -> bool {
        let is_before_repeat = self.is_before_repeat(now);
        let is_flying = self.take_off_flying().is_some_and(|until| now < until);
        if self.wish.is_some() || is_before_repeat || is_flying {
            return false;
        }
        let is_echo = self.echoes > 0 && self.begun_at.is_some_and(|begun| now < begun + self.resend_after());
        if is_echo {
            self.echoes -= 1;
            return false;
        }
        // The client speaks up at the first gap, before the window's end has come through: sooner than a whole round trip.
        let least = self.round_trip.least().unwrap_or(TFTP_RETRY_MIN);
        self.repeated.is_some() || now.since(self.sent_at) > least / 2
    }

    /// There is a gap: the window starts anew behind it.
    fn start_anew(&mut self, now: Time) -> Step {
        let flying = (self.sent - self.acknowledged).saturating_sub(1);
        self.repeated =
            Some(Repeat { flying, flying_since: self.sent_at, is_of_gap: true, has_advanced: false });
        self.echoes = 0;
        self.restarted = true;
        self.is_gap_told = true;
        self.send_window(now)
    }

    /// Nothing was heard of the window, or only of a part: it goes once more, and the client may have any of it.
    pub(super) fn repeat_window(&mut self, now: Time) -> Step {
        let is_repeat = self.note_behind > 0 || self.sent > self.acknowledged;
        if self.terms.window_blocks > 1 && is_repeat {
            // Maybe one of them was of a gap.
            self.single_acks = 0;
            self.repeated =
                Some(Repeat { flying: 0, flying_since: self.sent_at, is_of_gap: false, has_advanced: false });
            self.echoes = 0;
        }
        self.send_window(now)
    }

    /// The round trip that an ACK measures: of what was sent once (Karn), and is the last, or left at once with all others. A client takes blocks in order only: that it has the last one,
    /// it tells of no other copy.
    fn measure(&mut self, now: Time, block: u64) {
        let is_at_once = self.repeated.is_none() && self.begun_at == Some(self.sent_at);
        if self.fresh && (block >= self.sent || is_at_once) {
            let took = now.since(self.sent_at);
            self.round_trip.measure(took);
            self.trip = Some(took.min(TFTP_ROUND_TRIP_MAX));
        }
    }

    /// Whether what comes now cannot speak of the repeat that is out: it has not left, or left just now. (An eighth less, for no two trips are the same.)
    fn is_before_repeat(&self, now: Time) -> bool {
        let trip = self.round_trip.least().unwrap_or_default() / 8 * 7;
        self.repeated.is_some() && self.begun_at.is_none_or(|begun| now < begun + trip)
    }

    /// One ACK fewer is to come of what was on its way when the window was repeated. Until when any was to come.
    fn take_off_flying(&mut self) -> Option<Time> {
        let settles_after = self.settles_after();
        let repeat = self.repeated.as_mut().filter(|repeat| repeat.flying > 0)?;
        repeat.flying -= 1;
        Some(repeat.flying_since + settles_after)
    }

    /// After so long nothing that was sent is on its way any more.
    fn settles_after(&self) -> Duration {
        (self.round_trip.usual() * 2).max(TFTP_GAP_RESEND_MIN)
    }
}
