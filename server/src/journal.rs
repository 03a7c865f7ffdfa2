//! The journal: one line an event on stderr, written by a thread of its own, so that a reader who has stopped reading stops nobody else.

use crate::clock;
use heorot_core::event::{Event, Kind};
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;

/// Lines that wait for stderr. Further ones are counted and lost: a thousand machines say some 20 lines each in a boot.
const LINES_WAITING_MAX: usize = 16_384;

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
    line: SyncSender<Entry>,
    lost: Arc<AtomicU64>,
    under_journald: bool,
}

#[derive(Debug)]
enum Entry {
    Line(String),
    Flush(SyncSender<()>),
}

impl Journal {
    /// Starts the thread that writes.
    ///
    /// # Errors
    /// No thread can be started.
    pub(crate) fn start() -> std::io::Result<Self> {
        let (line, lines) = sync_channel::<Entry>(LINES_WAITING_MAX);
        let lost = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&lost);
        std::thread::Builder::new().name("journal".into()).spawn(move || {
            let mut stderr = std::io::stderr();
            for entry in lines {
                match entry {
                    // If stderr is closed, there is nobody left to tell.
                    Entry::Line(text) => drop(stderr.write_all(text.as_bytes())),
                    Entry::Flush(done) => drop(done.send(())),
                }
                let lost = counted.swap(0, Ordering::Relaxed);
                if lost > 0 {
                    let _ = writeln!(stderr, "{lost} lines were lost here: nobody read fast enough");
                }
            }
        })?;
        Ok(Self { line, lost, under_journald: is_journald() })
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
        let (done, written) = sync_channel(1);
        if self.line.try_send(Entry::Flush(done)).is_ok() {
            let _ = written.recv_timeout(FLUSH_WAITS);
        }
    }

    fn write(&self, weight: Weight, text: &dyn std::fmt::Display) {
        // journald stamps the time itself and takes the priority from `<N>` (sd-daemon(3)).
        let text = if self.under_journald {
            format!("<{}>{text}\n", weight as u8)
        } else {
            let now = clock::now();
            format!("{} {text}\n", clock::wall(now).stamp(now, now))
        };
        if self.line.try_send(Entry::Line(text)).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
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
        Kind::Number | Kind::Stage | Kind::Load | Kind::Shadow => Weight::Notice,
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
