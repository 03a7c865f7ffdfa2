//! The journal: one line an event on stderr, written by a thread of its own, so that a reader who has stopped reading stops nobody else.
//!
//! Lines gather for some milliseconds and are written together: a storm of a thousand machines is twenty thousand lines within seconds, and a system call for each of
//! them, and a thread woken for it, would cost more than what they tell of.

use crate::clock;
use heorot_core::event::{Event, Kind};
use heorot_core::time::Time;
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Octets that wait for stderr. Further lines are counted and lost: a thousand machines say some 20 lines of 100 octets each in a boot.
const OCTETS_WAITING_MAX: usize = 2 << 20;

/// How long lines gather.
const GATHERS: Duration = Duration::from_millis(5);

/// How long [`Journal::flush`] waits for a stderr that nobody reads.
const FLUSH_WAITS: Duration = Duration::from_millis(500);

/// How much a line matters: the priorities of syslog (RFC 5424 6.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    /// Somebody has to do something.
    Warning = 4,
    /// Rare, and good to know.
    Notice = 5,
    /// All the rest.
    Info = 6,
}

/// Writes lines, and never waits.
#[derive(Clone, Debug)]
pub(crate) struct Journal {
    page: Arc<Page>,
    under_journald: bool,
}

/// What is shared with the thread that writes.
#[derive(Debug, Default)]
struct Page {
    lines: Mutex<Lines>,
    /// The first line has come, or somebody waits for the last.
    begun: Condvar,
    /// All that had gathered is written.
    written: Condvar,
}

#[derive(Debug, Default)]
struct Lines {
    waiting: String,
    /// Lines that found no room.
    lost: u64,
    /// Whether the thread has some in hand.
    in_hand: bool,
    /// Whether somebody waits until all is written.
    in_haste: bool,
    /// The millisecond of the last line, and what the calendar calls it.
    stamp: (u64, String),
}

impl Journal {
    /// Starts the thread that writes.
    ///
    /// # Errors
    /// No thread can be started.
    pub(crate) fn start() -> std::io::Result<Self> {
        let page = Arc::new(Page::default());
        let read = Arc::clone(&page);
        std::thread::Builder::new().name("journal".into()).spawn(move || read.write_out())?;
        Ok(Self { page, under_journald: is_journald() })
    }

    /// Writes what happened.
    pub(crate) fn event(&self, event: &Event) {
        self.write(weight(event.kind), event);
    }

    /// Writes a line of the server's own.
    pub(crate) fn say(&self, weight: Weight, text: impl std::fmt::Display) {
        self.write(weight, &text);
    }

    /// Waits, within bounds, until all that was said before is written.
    pub(crate) fn flush(&self) {
        let mut lines = self.page.lines();
        lines.in_haste = true;
        self.page.begun.notify_one();
        let is_unwritten = |lines: &mut Lines| lines.in_hand || !lines.waiting.is_empty();
        // Whatever comes of it, nobody waits longer.
        drop(self.page.written.wait_timeout_while(lines, FLUSH_WAITS, is_unwritten));
    }

    fn write(&self, weight: Weight, text: &dyn std::fmt::Display) {
        let mut lines = self.page.lines();
        if lines.waiting.len() >= OCTETS_WAITING_MAX {
            lines.lost += 1;
            return;
        }
        let is_first = lines.waiting.is_empty();
        // journald stamps the time itself and takes the priority from `<N>` (sd-daemon(3)). Writing to a string cannot fail.
        let _ = if self.under_journald {
            writeln!(lines.waiting, "<{}>{text}", weight as u8)
        } else {
            lines.stamp(clock::now());
            let Lines { waiting, stamp, .. } = &mut *lines;
            writeln!(waiting, "{} {text}", stamp.1)
        };
        if is_first {
            self.page.begun.notify_one();
        }
    }
}

impl Page {
    /// Writes what gathers, for ever.
    fn write_out(&self) {
        let mut stderr = std::io::stderr();
        let mut text = String::new();
        loop {
            let lines = self.begun.wait_while(self.lines(), |lines| lines.waiting.is_empty());
            let lines = lines.unwrap_or_else(PoisonError::into_inner);
            let gathered = self.begun.wait_timeout_while(lines, GATHERS, |lines| !lines.in_haste);
            let (mut lines, _) = gathered.unwrap_or_else(PoisonError::into_inner);
            std::mem::swap(&mut text, &mut lines.waiting);
            let lost = std::mem::take(&mut lines.lost);
            lines.in_hand = true;
            drop(lines);
            // If stderr is closed, there is nobody left to tell.
            let _ = stderr.write_all(text.as_bytes());
            text.clear();
            if lost > 0 {
                let _ = writeln!(stderr, "{lost} lines were lost here: nobody read fast enough");
            }
            self.lines().in_hand = false;
            self.written.notify_all();
        }
    }

    /// A thread that panicked had written a line, or part of one.
    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lines {
    /// Has the stamp be that of this moment.
    fn stamp(&mut self, now: Time) {
        let millisecond = now.as_nanoseconds() / 1_000_000;
        if self.stamp.0 != millisecond {
            self.stamp = (millisecond, clock::wall(now).stamp(now, now));
        }
    }
}

/// Whether stderr goes to journald: it says so with device and inode, which a program started from a service's shell inherits though its stderr
/// may be elsewhere (systemd.exec(5)).
fn is_journald() -> bool {
    let stream = std::env::var("JOURNAL_STREAM").ok();
    let stderr = rustix::fs::fstat(rustix::stdio::stderr());
    stderr.is_ok_and(|stat| stream == Some(format!("{}:{}", stat.st_dev, stat.st_ino)))
}

fn weight(kind: Kind) -> Weight {
    match kind {
        Kind::Trouble => Weight::Warning,
        Kind::Number | Kind::Stage | Kind::Load | Kind::Shadow | Kind::Update | Kind::Operator => {
            Weight::Notice
        }
        Kind::Discover
        | Kind::Offer
        | Kind::Ack
        | Kind::Nak
        | Kind::Release
        | Kind::Decline
        | Kind::File
        | Kind::Transfer
        | Kind::Agent
        | Kind::Check => Weight::Info,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A journal whose lines nobody writes.
    fn unread() -> Journal {
        Journal { page: Arc::default(), under_journald: true }
    }

    #[test]
    fn lines_gather_with_their_weights() {
        let journal = unread();
        journal.say(Weight::Notice, "it serves");
        journal.event(&Event { machine: None, kind: Kind::Trouble, detail: "it does not".into() });
        assert_eq!(journal.page.lines().waiting, "<5>it serves\n<4>it does not\n");
    }

    #[test]
    fn what_finds_no_room_is_counted_and_keeps_nobody() {
        let journal = unread();
        let text = "x".repeat(OCTETS_WAITING_MAX);
        for _ in 0..3 {
            journal.say(Weight::Info, &text);
        }
        let lines = journal.page.lines();
        assert_eq!((lines.waiting.len(), lines.lost), (OCTETS_WAITING_MAX + 4, 2));
        drop(lines);
        let start = std::time::Instant::now();
        journal.flush();
        assert!(start.elapsed() >= FLUSH_WAITS, "there is something left to be written");
    }

    #[test]
    fn a_flush_waits_for_no_more_than_the_last_line() {
        let journal = Journal::start().unwrap();
        journal.say(Weight::Info, "a line of a test");
        let start = std::time::Instant::now();
        journal.flush();
        assert!(start.elapsed() < FLUSH_WAITS);
        assert_eq!(journal.page.lines().waiting, "");
    }
}
