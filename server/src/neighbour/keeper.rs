//! A thread that carries out what is wanted of neighbour entries.
//!
//! The kernel changes them under a lock of the whole host, which is held for as long as interfaces come or go: where containers or virtual machines
//! start, one change in a hundred waited for 35 ms, and one for 146 ms. The loop waits for nothing, so the thread does. One batch is with
//! it, and the next gathers meanwhile, as with records (`core/commits.rs`); what needs an entry waits until the [`Moment`] at which that was wanted is done.

use super::Neighbours;
use crate::wake::Caller;
use heorot_core::limit::PINS_MAX;
use heorot_core::mac::Mac;
use std::io;
use std::net::Ipv4Addr;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

/// Changes that may gather while others are carried out: every entry set and dropped once. More come only if the kernel hangs.
const GATHERED_MAX: usize = 2 * PINS_MAX;

/// What is wanted of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// That it is there.
    Set { interface: u32, address: Ipv4Addr, mac: Mac },
    /// That it is not.
    Drop { interface: u32, address: Ipv4Addr },
}

/// All that was wanted until then. They rise by one for each batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(u64);

#[cfg(test)]
impl Moment {
    pub(crate) const fn of(batches: u64) -> Self {
        Self(batches)
    }
}

/// What the thread says of a batch when it is done with it.
pub(crate) type Done = io::Result<()>;

/// The way to the thread.
#[derive(Debug)]
pub(crate) struct Keeper {
    changes: SyncSender<Vec<Change>>,
    gathered: Vec<Change>,
    in_flight: bool,
    done: Moment,
    thread: JoinHandle<io::Result<usize>>,
}

impl Keeper {
    /// Starts the thread.
    ///
    /// # Errors
    /// No thread can be had.
    pub(crate) fn start(mut neighbours: Neighbours, done: Caller<Done>) -> io::Result<Self> {
        let (changes, incoming) = sync_channel::<Vec<Change>>(1);
        let keep = move || {
            for batch in incoming {
                if !done.say(carry_out(&mut neighbours, &batch)) {
                    break;
                }
            }
            neighbours.remove_ours()
        };
        let thread = std::thread::Builder::new().name("neighbours".into()).spawn(keep)?;
        Ok(Self { changes, gathered: Vec::new(), in_flight: false, done: Moment::default(), thread })
    }

    /// Wants a change, which begins with [`Self::submit`]. False: the kernel has been hanging for long, and it is left out.
    pub(crate) fn want(&mut self, change: Change) -> bool {
        let has_room = self.gathered.len() < GATHERED_MAX;
        if has_room {
            self.gathered.push(change);
        }
        has_room
    }

    /// Hands over what has gathered, unless the thread is at work.
    pub(crate) fn submit(&mut self) {
        if !self.in_flight && !self.gathered.is_empty() {
            // The line has room for one batch, and there is never a second one. A thread that has died sets no entry: then there is ARP.
            self.in_flight = self.changes.try_send(std::mem::take(&mut self.gathered)).is_ok();
        }
    }

    /// The batch in flight was carried out.
    pub(crate) fn done(&mut self) {
        self.in_flight = false;
        self.done.0 += 1;
    }

    /// All that was wanted until now.
    pub(crate) fn wanted(&self) -> Moment {
        Moment(self.done.0 + u64::from(self.in_flight) + u64::from(!self.gathered.is_empty()))
    }

    /// All that was carried out until now.
    pub(crate) fn carried_out(&self) -> Moment {
        self.done
    }

    /// Ends the thread, which takes all entries of ours away. How many there were.
    ///
    /// # Errors
    /// The kernel's.
    pub(crate) fn end(self) -> io::Result<usize> {
        drop(self.changes);
        self.thread.join().unwrap_or_else(|_| Err(io::Error::other("the thread has died")))
    }
}

/// Carries out a batch. The last of the errors.
fn carry_out(neighbours: &mut Neighbours, batch: &[Change]) -> Done {
    let mut outcome = Ok(());
    for change in batch {
        match *change {
            Change::Set { interface, address, mac } => neighbours.set(interface, address, mac),
            Change::Drop { interface, address } => neighbours.drop_entry(interface, address),
        }
        if neighbours.is_full() {
            outcome = neighbours.flush().and(outcome);
        }
    }
    neighbours.flush().and(outcome)
}

#[cfg(test)]
mod tests;
