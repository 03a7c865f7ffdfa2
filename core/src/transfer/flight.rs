//! One transfer: what it has come to, and what it does about what happens.
//!
//! ```text
//!   request                        note, after a restart
//!      │                                 │
//!      v       opened, no option         v
//!   Opening ─────────────────┐       Reopening ─────────┐
//!      │ opened              │           │ opened,      │ opened,
//!      │                     │           │ OACK noted   │ ACK noted
//!      v        ACK 0        v           │ only         │
//!   Offered ─────────────> Sending <─────┼──────────────┘
//!      ^                                 │
//!      └─────────────────────────────────┘
//! ```
//!
//! | | Opening | Reopening | Offered | Sending |
//! | --- | --- | --- | --- | --- |
//! | opened | OACK, or the first window | OACK, or the window after the note | - | - |
//! | refused | ERROR, end | ERROR, end | - | - |
//! | ACK | - | kept until it is open | of block 0: the first window | ahead: the next window, or the end; again: see below; old: nothing |
//! | ERROR | end | end | end; quietly if the code is 8, or 0 and it asked for the size | end |
//! | asked again | - | reset, or nothing | the OACK again | before any ACK the window again; then reset, or nothing |
//! | unsent: full | - | - | again soon | the rest again soon, from where the gap begins |
//! | unsent: not in memory | - | - | - | waits for its chunks |
//! | unsent: impossible | - | - | end | end |
//! | in memory | - | - | - | the rest |
//! | broken | - | - | ERROR, end | ERROR, end |
//! | due | ERROR, end | ERROR, end | the OACK again, or end | the window again, or end |
//!
//! What stands here as sent is only wanted: it leaves when it is the transfer's turn ([`sending`]), a window perhaps in several parts. As long as it waits for that no
//! timer runs, and whoever asks again tells nothing new.
//!
//! What an ACK means is told by its number and by when it comes: [`acknowledged`].

mod acknowledged;
mod sending;
mod step;

use super::round_trip::{Resend, RoundTrip};
use super::terms::Terms;
use super::{ImageIdentity, Note, Opened, Outcome, Output, Protocol, Transfer, TransferId};
use crate::limit::*;
use crate::load::Place;
use crate::time::Time;
use crate::wire::tftp::{self, ErrorCode, Mode};
use acknowledged::Repeat;
use sending::Wish;
pub(super) use sending::{Counted, NotLeft};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;
pub(super) use step::{End, Event, Step};

/// One transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Flight {
    pub(super) id: TransferId,
    /// From which of our ports it is sent.
    pub(super) port: u16,
    pub(super) local: Ipv4Addr,
    pub(super) peer: SocketAddrV4,
    pub(super) path: String,
    pub(super) terms: Terms,
    /// Where it is noted.
    pub(super) slot: u32,
    /// When it is to be looked at, if at all.
    pub(super) armed: Option<Time>,
    /// Packets that were sent again.
    pub(super) resent: u64,
    /// By which link it is reached, and whose turn it is before others.
    pub(super) lane: usize,
    pub(super) order: u64,
    /// What its machine was served before.
    pub(super) served_before: u64,
    /// Its place among those who want to send.
    pub(super) place: Option<Place>,
    /// Times that the client repeated itself.
    pub(super) retries: u64,
    /// Whether it is silent, and a file was asked for anew from its address: how often it had been repeated to by then.
    pub(super) left: Option<u32>,
    /// Whether it was told what became of its file.
    pub(super) is_told: bool,
    stage: Stage,
    held: Option<Held>,
    /// What it wants to send, and since when.
    wish: Option<(Wish, Time)>,
    /// Whether an OACK has left.
    offered: bool,
    /// How many repeats of it are counted that may still be said not to have left: the last one, or none.
    offers_repeated: u64,
    /// The file, once it is open; before that, the one it has to be.
    image: Option<Opened>,
    expected: Option<ImageIdentity>,
    /// The last block that the client acknowledged, and the last that was ever sent, from 0, not wrapped.
    acknowledged: u64,
    sent: u64,
    /// The same before the window that is on its way.
    sent_before: u64,
    /// The first and the last block of the train that was sent last, and what had been sent before its window.
    train_first: u64,
    train_last: u64,
    train_before: u64,
    /// How that was counted.
    train_counted: Counted,
    /// What of it was not in memory, until that is told.
    unsent: Option<NotLeft>,
    /// The last block of the window that is on its way.
    window_end: u64,
    /// When the last packet was sent.
    sent_at: Time,
    /// Whether all that was sent last was sent for the first time: then its ACK measures the round trip.
    fresh: bool,
    /// Whether the client spoke of a gap, so that what is on its way begins there.
    restarted: bool,
    /// How often it was repeated to since it was heard last.
    unanswered: u32,
    /// When the first part of the window, or of its repeat, was sent; none before.
    begun_at: Option<Time>,
    /// In a window: whether it is being sent again.
    repeated: Option<Repeat>,
    /// ACKs that may yet come of copies of what the client has; in lock-step, whether what was on its way before had been repeated.
    echoes: u64,
    /// ACKs that each came one block further inside a window, less what came further at once.
    single_acks: u64,
    /// Whether the client spoke of a gap, or of a part of a repeat, since a whole window came through: it is there, and need not be waited for as long as one that is silent.
    is_gap_told: bool,
    /// How far beyond what was sent an ACK is believed: after a restart the note may be behind.
    note_behind: u64,
    round_trip: RoundTrip,
    /// The round trip that was measured last, until it is told.
    trip: Option<Duration>,
    /// When it was asked for, or went on after a restart.
    asked_at: Time,
    /// Since when the client is silent: that moves on where the silence is ours.
    pub(super) heard: Time,
    /// When the client last said anything.
    spoke_at: Time,
    /// When the client last acknowledged anything.
    acknowledged_at: Option<Time>,
    life_told: Option<Time>,
    noted: Option<(bool, u64)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    Opening,
    /// With the last ACK that came meanwhile.
    Reopening(Option<u16>),
    Offered,
    Sending,
}

/// What keeps a window from leaving whole, from this block on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Held {
    Full(u64),
    NotInMemory(u64),
}

impl Flight {
    /// A transfer that was just asked for.
    pub(super) fn asked(
        now: Time,
        id: TransferId,
        (port, local, peer): (u16, Ipv4Addr, SocketAddrV4),
        (path, terms): (String, Terms),
        slot: u32,
        resend: Resend,
    ) -> Self {
        Self {
            id,
            port,
            local,
            peer,
            path,
            terms,
            slot,
            armed: None,
            resent: 0,
            lane: 0,
            order: 0,
            served_before: 0,
            place: None,
            retries: 0,
            left: None,
            is_told: false,
            stage: Stage::Opening,
            held: None,
            wish: None,
            offered: false,
            offers_repeated: 0,
            image: None,
            expected: None,
            acknowledged: 0,
            sent: 0,
            sent_before: 0,
            train_first: 0,
            train_last: 0,
            train_before: 0,
            train_counted: Counted::AsSent { lost: 0 },
            unsent: None,
            window_end: 0,
            sent_at: now,
            fresh: false,
            restarted: false,
            unanswered: 0,
            begun_at: None,
            repeated: None,
            echoes: 0,
            single_acks: 0,
            is_gap_told: false,
            note_behind: 0,
            round_trip: RoundTrip::new(resend),
            trip: None,
            asked_at: now,
            heard: now,
            spoke_at: now,
            acknowledged_at: None,
            life_told: None,
            noted: None,
        }
    }

    /// A transfer that was in flight when the server stopped. None if the note makes no sense.
    pub(super) fn noted(now: Time, id: TransferId, slot: u32, note: Note, resend: Resend) -> Option<Self> {
        let terms = Terms::of_note(&note)?;
        let blocks = note.identity.size / u64::from(note.block_octets) + 1;
        let begun = note.acknowledged > 0 || (note.options_acknowledged && terms.any_asked());
        if note.acknowledged >= blocks || (!note.options_acknowledged && note.acknowledged > 0) {
            return None;
        }
        let place = (note.port, note.local, note.peer);
        Some(Self {
            stage: Stage::Reopening(None),
            offered: true,
            expected: Some(note.identity),
            acknowledged: note.acknowledged,
            sent: note.acknowledged,
            note_behind: TFTP_NOTE_BEHIND_BLOCKS_MAX,
            acknowledged_at: begun.then_some(now),
            life_told: begun.then_some(now),
            noted: Some((note.options_acknowledged, note.acknowledged)),
            ..Self::asked(now, id, place, (note.path, terms), slot, resend)
        })
    }

    /// Whether this is what was asked for here.
    pub(super) fn is_for(&self, path: &str, terms: &Terms) -> bool {
        self.path == path && self.terms.is_within(terms)
    }

    /// Whether it waits for its file to be opened.
    pub(super) fn is_opening(&self) -> bool {
        matches!(self.stage, Stage::Opening | Stage::Reopening(_))
    }

    /// Whether it waits for its file to be opened or read.
    pub(super) fn is_waiting(&self) -> bool {
        self.is_opening() || matches!(self.held, Some(Held::NotInMemory(_)))
    }

    /// The file, if it is open.
    pub(super) fn image(&self) -> Option<&Opened> {
        self.image.as_ref()
    }

    /// The file that it has to be: the one that it began with before a restart.
    pub(super) fn expected(&self) -> Option<ImageIdentity> {
        self.expected
    }

    /// Octets that the client does not have yet, of a file that is open.
    pub(super) fn owed_octets(&self) -> u64 {
        let delivered = self.acknowledged * u64::from(self.terms.block_octets);
        self.image.map_or(0, |image| image.size().saturating_sub(delivered))
    }

    /// Octets of payload of a full DATA packet.
    pub(super) fn data_octets(&self) -> u64 {
        4 + u64::from(self.terms.block_octets)
    }

    /// Blocks that the client has acknowledged.
    pub(super) fn blocks_acknowledged(&self) -> u64 {
        self.acknowledged
    }

    /// When it was asked for.
    pub(super) fn asked_at(&self) -> Time {
        self.asked_at
    }

    /// When the client last said anything.
    pub(super) fn spoke_at(&self) -> Time {
        self.spoke_at
    }

    /// When it was last sent something.
    pub(super) fn served_at(&self) -> Time {
        self.sent_at
    }

    /// Octets that its machine was served in all.
    pub(super) fn served_octets(&self) -> u64 {
        self.served_before + (self.acknowledged * u64::from(self.terms.block_octets)).min(self.size())
    }

    /// No more blocks than this in a window, whatever the client would take. Only before the OACK says otherwise.
    pub(super) fn limit_window(&mut self, blocks: u16) {
        if self.stage == Stage::Opening && self.terms.window_blocks_asked {
            self.terms.window_blocks = self.terms.window_blocks.min(blocks);
        }
    }

    /// What there is to say of it at its end.
    pub(super) fn summary(&self, outcome: Outcome) -> Transfer {
        Transfer {
            part: None,
            peer: self.peer,
            path: self.path.clone(),
            by: Protocol::Tftp,
            octets: (self.acknowledged * u64::from(self.terms.block_octets)).min(self.size()),
            resent: self.resent,
            outcome,
        }
    }

    /// What is to be kept for a restart, if it is not yet: all of it once, and then how far it has come. Not of a text: no machine boots from one, and a person asks again.
    pub(super) fn note_if_new(&mut self) -> Option<Output> {
        if self.terms.mode == Mode::Netascii {
            return None;
        }
        let identity = self.image.filter(|_| !self.is_opening())?.identity;
        let options_acknowledged = self.stage == Stage::Sending;
        let progress = Some((options_acknowledged, self.acknowledged));
        if self.noted == progress {
            return None;
        }
        let slot = self.slot;
        if self.noted.replace((options_acknowledged, self.acknowledged)).is_some() {
            return Some(Output::Advance { slot, options_acknowledged, acknowledged: self.acknowledged });
        }
        let note = Note {
            port: self.port,
            local: self.local,
            peer: self.peer,
            path: self.path.clone(),
            identity,
            block_octets: self.terms.block_octets,
            window_blocks: self.terms.window_blocks,
            timeout_milliseconds: self.terms.timeout_seconds.map(|seconds| u32::from(seconds) * 1000),
            block_octets_asked: self.terms.block_octets_asked,
            window_blocks_asked: self.terms.window_blocks_asked,
            size_asked: self.terms.size_asked,
            options_acknowledged,
            acknowledged: self.acknowledged,
        };
        Some(Output::Note { slot, note: Some(note) })
    }

    /// Whether something of it is kept for a restart.
    pub(super) fn is_noted(&self) -> bool {
        self.noted.is_some()
    }

    /// The client is heard: whether that is to be told as a sign of life, which it then is.
    pub(super) fn tells_life(&mut self, now: Time) -> bool {
        let due = self.life_told.is_none_or(|told| now.since(told) >= TFTP_LIFE_INTERVAL);
        if due {
            self.life_told = Some(now);
        }
        due
    }

    /// When [`Event::Due`] is wanted. Not as long as it waits for its turn: it is not the client who is waited for.
    pub(super) fn wake(&self) -> Option<Time> {
        let silent = self.heard + self.patience();
        let wake = match (&self.stage, self.held) {
            (Stage::Opening | Stage::Reopening(_), _) | (_, Some(Held::NotInMemory(_))) => silent,
            (_, Some(Held::Full(_))) => self.sent_at + TFTP_FULL_RETRY,
            (Stage::Offered | Stage::Sending, None) => {
                // Who acknowledges every block is not silent while he takes in a window.
                let last = if self.is_acknowledged_singly() { self.heard } else { self.sent_at };
                silent.min(last.max(self.sent_at) + self.resend_after())
            }
        };
        self.wish.is_none().then_some(wake)
    }

    /// Takes what happened. The table above, line by line.
    pub(super) fn on(&mut self, now: Time, event: Event<'_>) -> Step {
        match (&mut self.stage, event) {
            (Stage::Opening | Stage::Reopening(_), Event::Opened(Ok(image))) => self.opened(now, image),
            (Stage::Opening | Stage::Reopening(_), Event::Opened(Err(refusal))) => Step::refused(refusal),
            (Stage::Offered | Stage::Sending, Event::Opened(_)) => Step::Wait,

            (Stage::Opening, Event::Acknowledged(_)) => Step::Wait,
            (Stage::Reopening(kept), Event::Acknowledged(number)) => {
                *kept = Some(number);
                Step::Wait
            }
            (Stage::Offered | Stage::Sending, Event::Acknowledged(number)) => self.acknowledged(now, number),

            (Stage::Opening, Event::Aborted { .. }) => Step::End(End::Quiet),
            (Stage::Reopening(_) | Stage::Offered | Stage::Sending, Event::Aborted { code, text }) => {
                self.aborted(code, text)
            }

            (Stage::Opening, Event::AskedAgain) => Step::Wait,
            (Stage::Reopening(_) | Stage::Offered | Stage::Sending, Event::AskedAgain) => {
                self.asked_again(now)
            }

            (Stage::Opening | Stage::Reopening(_), Event::Unsent { .. } | Event::InMemory) => Step::Wait,
            (Stage::Offered | Stage::Sending, Event::Unsent { block, why }) => self.unsent(now, block, why),
            (Stage::Offered | Stage::Sending, Event::InMemory) => match self.held {
                Some(Held::NotInMemory(block)) => {
                    self.heard = now; // the silence was ours
                    self.send_rest(now, block)
                }
                Some(Held::Full(_)) | None => Step::Wait,
            },

            (Stage::Opening | Stage::Reopening(_), Event::Broken(_)) => Step::Wait,
            (Stage::Offered | Stage::Sending, Event::Broken(why)) => {
                Step::End(End::Refused(ErrorCode::Other, why.to_owned()))
            }

            (Stage::Opening | Stage::Reopening(_), Event::Due) => self.due_opening(now),
            (Stage::Offered | Stage::Sending, Event::Due) => self.due(now),
        }
    }

    fn opened(&mut self, now: Time, image: Opened) -> Step {
        let kept = match self.stage {
            Stage::Reopening(kept) => kept,
            Stage::Opening | Stage::Offered | Stage::Sending => None,
        };
        let options_acknowledged =
            self.noted.map_or_else(|| !self.terms.any_asked(), |(acknowledged, _)| acknowledged);
        self.image = Some(image);
        self.heard = now;
        self.stage = if options_acknowledged { Stage::Sending } else { Stage::Offered };
        let answered = kept.map_or(Step::Wait, |number| self.acknowledged(now, number));
        if answered != Step::Wait {
            return answered;
        }
        // After a restart nobody knows what got through: the client repeats its ACK, or never does, and waits.
        self.send_again(now)
    }

    fn aborted(&self, code: u16, text: &str) -> Step {
        // Who asked for the size has it, and asks anew for the file: EDK2 ends its question with the code 8, ROMs of Intel and VMware with 0.
        let is_question = self.stage == Stage::Offered
            && (code == tftp::OPTIONS_REFUSED || (code == 0 && self.terms.size_asked));
        if is_question {
            return Step::End(End::Quiet);
        }
        let why = format!("the client ended it: {text} (error {code})");
        // Loaders that have read enough of a file say so with an error that is none (GRUB, iPXE), and it is their affair.
        Step::End(if matches!(code, 0 | tftp::OPTIONS_REFUSED) { End::Left(why) } else { End::Failed(why) })
    }

    fn asked_again(&mut self, now: Time) -> Step {
        if let Some(at) = self.acknowledged_at {
            // PXELINUX begins at the same port on every boot: the new machine must not be swallowed by the transfer of the dead one. A request that is the first thing heard since our
            // own restart is no late copy of the one from before.
            let is_first = self.note_behind > 0;
            return if now.since(at) < TFTP_RESET_AFTER && !is_first { Step::Wait } else { Step::Reset };
        }
        self.hear(now);
        self.retries += 1;
        let is_served = self.held.is_some() || self.wish.is_some();
        if self.is_opening() || is_served || now.since(self.sent_at) < TFTP_RETRY_MIN {
            return Step::Wait;
        }
        self.send_again(now)
    }

    /// The client has spoken.
    fn hear(&mut self, now: Time) {
        (self.heard, self.spoke_at) = (now, now);
        self.unanswered = 0;
    }

    fn due_opening(&self, now: Time) -> Step {
        if self.wake().is_none_or(|wake| now < wake) {
            return Step::Wait;
        }
        Step::End(End::Refused(ErrorCode::Other, "the file could not be opened in time".into()))
    }

    fn due(&mut self, now: Time) -> Step {
        if self.wake().is_none_or(|wake| now < wake) {
            return Step::Wait;
        }
        if now.since(self.heard) >= self.patience() {
            if self.is_at_end() {
                return Step::End(End::Unconfirmed);
            }
            let seconds = self.patience().as_secs();
            return Step::End(End::Refused(ErrorCode::Other, format!("nothing heard for {seconds} s")));
        }
        match (&self.stage, self.held) {
            (_, Some(Held::NotInMemory(_))) => Step::Wait,
            (Stage::Sending, Some(Held::Full(block))) => self.send_rest(now, block),
            (_, Some(Held::Full(_))) => self.send_again(now),
            (_, None) => {
                // Who spoke just now is repeated to soon, and that is no silence yet.
                if !std::mem::take(&mut self.is_gap_told) || self.unanswered > 0 {
                    self.round_trip.double();
                }
                self.unanswered += 1;
                self.restarted = false;
                self.send_again(now)
            }
        }
    }

    /// Blocks of the whole file: the last is never full, and empty if the size is a multiple of the others (RFC 1350 6).
    fn blocks(&self) -> u64 {
        self.size() / u64::from(self.terms.block_octets) + 1
    }

    /// Octets of the file; before it is open again, as they were noted.
    fn size(&self) -> u64 {
        self.image.map(|image| image.identity).or(self.expected).map_or(0, |identity| identity.size)
    }

    /// Whether the last block was sent.
    fn is_at_end(&self) -> bool {
        self.stage == Stage::Sending && self.sent == self.blocks()
    }

    fn patience(&self) -> Duration {
        let own = self
            .terms
            .timeout_seconds
            .map_or(Duration::ZERO, |seconds| Duration::from_secs(3 * u64::from(seconds)));
        if self.is_opening() || self.held.is_some() {
            TFTP_PATIENCE
        } else if self.is_at_end() {
            TFTP_PATIENCE_AT_END.max(own)
        } else if self.acknowledged_at.is_none() {
            TFTP_PATIENCE_BEFORE_ACK.max(own.min(TFTP_PATIENCE_BEFORE_ACK_MAX))
        } else {
            TFTP_PATIENCE.max(own)
        }
    }

    /// What the round trips say, and no later than the client asked for. RFC 2349 has `timeout` be the seconds "to wait before retransmitting", and here it is the most that is waited: U-Boot asks
    /// for five of them in every request, and would wait that long for each block that is lost. A client may not be told another value, and one that is told none may end it.
    fn resend_after(&self) -> Duration {
        let least = if self.is_silent() { TFTP_RESEND_SILENT_MAX } else { Duration::ZERO };
        let measured = match self.is_gap_told && self.unanswered == 0 {
            true => self.round_trip.resend_gap_after(),
            false => self.round_trip.resend_after(),
        };
        let own = self.terms.timeout_seconds.map(|seconds| Duration::from_secs(u64::from(seconds)));
        own.map_or(measured, |own| measured.min(own)).max(least)
    }

    /// A round trip that was just measured.
    pub(super) fn take_trip(&mut self) -> Option<Duration> {
        self.trip.take()
    }

    /// Whether the client ever acknowledged anything.
    pub(super) fn is_answered(&self) -> bool {
        self.acknowledged_at.is_some()
    }

    /// How often it was repeated to since it was heard last.
    pub(super) fn unanswered(&self) -> u32 {
        self.unanswered
    }

    /// Whether it is repeated to in vain for so long that its machine may be gone. Not while the last repeat has not left: to that nobody can have answered.
    pub(super) fn is_silent(&self) -> bool {
        self.unanswered >= TFTP_DEAD_REPEATS && self.held.is_none()
    }

    /// Packets that were lost, as far as so many that are sent again tell. Behind a gap a window is sent anew, whether it was lost or not.
    pub(super) fn lost(&self, resent: u64) -> u64 {
        if self.restarted { resent.min(1) } else { resent }
    }
}

#[cfg(test)]
mod tests;
