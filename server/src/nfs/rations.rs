//! What is read waits for its share of the link while machines load their kernels: else a thousand nodes that read their roots would leave firmware, which has patience for seconds, nothing
//! of it. The shares are the loop's affair ([`StreamNews::Asks`]); as long as nobody loads anything, nothing waits and nothing is told.
//!
//! ```text
//!  a READ ──> Asks ──> Grant: a piece ──> ... the kernel has taken it ──> Wants ──> Grant ──> ... ──> the reply is whole
//!                           every 25 ms: what has been acknowledged ──> Delivered; nothing for a second ──> Ended
//! ```

use super::connection::{Connection, Next};
use super::table::Slot;
use crate::wake::{Bell, Tray};
use heorot_core::transfer::{StreamId, StreamNews};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What the loop is told.
pub(crate) type News = (StreamId, StreamNews);

/// Whether there are shares, and whose they are.
pub(super) struct Rations {
    are_on: AtomicBool,
    tray: Tray<News>,
    /// Connections of which the loop knows, for the thread that looks at what was acknowledged.
    shared: Mutex<Shared>,
    is_needed: Condvar,
}

#[derive(Default)]
struct Shared {
    accounts: BTreeMap<u64, Arc<Slot>>,
    is_over: bool,
}

/// Tells names of our streams from those of HTTP, which never count so far.
const OURS: u64 = 1 << 63;
/// How often it is looked at what was acknowledged: twice a tick of those who measure the link by it.
const LOOKS_EVERY: Duration = Duration::from_millis(25);
/// A connection that has asked for nothing for so long is forgotten until it asks again.
const QUIET_MAX: Duration = Duration::from_secs(1);

/// Whether the loop means one of ours.
pub(crate) fn is_ours(stream: StreamId) -> bool {
    stream.0 & OURS != 0
}

/// The connection that a stream is.
pub(super) fn key(stream: StreamId) -> u64 {
    stream.0 & !OURS
}

impl Rations {
    pub(super) fn new(bell: &Bell) -> Self {
        Self {
            are_on: AtomicBool::new(false),
            tray: Tray::new(bell),
            shared: Mutex::default(),
            is_needed: Condvar::new(),
        }
    }

    /// From now on replies ask, or need not any more.
    pub(super) fn set(&self, are_on: bool) {
        self.are_on.store(are_on, Ordering::Relaxed);
    }

    pub(super) fn are_on(&self) -> bool {
        self.are_on.load(Ordering::Relaxed)
    }

    pub(super) fn news(&self) -> Vec<News> {
        self.tray.take()
    }

    /// What the loop has to know after a turn of a connection. Its socket is watched by then: whoever is granted more wakes it.
    pub(super) fn tell(&self, slot: &Arc<Slot>, connection: &mut Connection, next: Next) {
        if next != Next::Grant && !connection.has_account() {
            return;
        }
        let stream = StreamId(slot.key | OURS);
        let mut news: Vec<News> = connection.delivered().map(|told| (stream, told)).into_iter().collect();
        if next == Next::Grant {
            let now = Instant::now();
            if connection.open_account(now) {
                self.shared().accounts.insert(slot.key, Arc::clone(slot));
                self.is_needed.notify_one();
            }
            news.extend(connection.ask(now).map(|asked| (stream, asked)));
        }
        self.tray.put(&mut news);
    }

    /// The life of the thread that looks: it sleeps while there is no account.
    pub(super) fn watch(&self) {
        loop {
            let mut shared = self.shared();
            while shared.accounts.is_empty() && !shared.is_over {
                shared = self.is_needed.wait(shared).unwrap_or_else(PoisonError::into_inner);
            }
            if shared.is_over {
                return;
            }
            drop(shared);
            std::thread::sleep(LOOKS_EVERY);
            self.look(Instant::now());
        }
    }

    /// Ends the thread that looks.
    pub(super) fn stop(&self) {
        self.shared().is_over = true;
        self.is_needed.notify_one();
    }

    fn look(&self, now: Instant) {
        let slots: Vec<Arc<Slot>> = self.shared().accounts.values().cloned().collect();
        for slot in slots {
            // That of the accounts, and ours: nobody else has it any more.
            let is_gone = Arc::strong_count(&slot) == 2;
            // Whoever has it now tells of it himself.
            let Some(mut connection) = slot.if_idle() else { continue };
            let stream = StreamId(slot.key | OURS);
            let mut news: Vec<News> = connection.delivered().map(|told| (stream, told)).into_iter().collect();
            if is_gone || connection.close_account(now, QUIET_MAX) {
                news.push((stream, StreamNews::Ended));
                self.shared().accounts.remove(&slot.key);
            }
            // With the connection in hand: what it asks for next is told later.
            self.tray.put(&mut news);
        }
    }

    #[cfg(test)]
    pub(super) fn accounts(&self) -> usize {
        self.shared().accounts.len()
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
