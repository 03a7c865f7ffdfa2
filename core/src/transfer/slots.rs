//! Places for notes, given out from the lowest: what is kept stays small.

use crate::limit::TRANSFERS_MAX;
use std::collections::BTreeSet;

/// Which places are taken: all below `next` but the `free` ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Slots {
    free: BTreeSet<u32>,
    next: u32,
}

impl Slots {
    /// The lowest free place. None if all are taken.
    pub(super) fn take(&mut self) -> Option<u32> {
        if let Some(slot) = self.free.pop_first() {
            return Some(slot);
        }
        let slot = self.next;
        self.take_this(slot).then_some(slot)
    }

    /// Takes this place. False if it is taken, or is none.
    pub(super) fn take_this(&mut self, slot: u32) -> bool {
        if slot as usize >= TRANSFERS_MAX {
            return false;
        }
        if slot >= self.next {
            self.free.extend(self.next..slot);
            self.next = slot + 1;
            return true;
        }
        self.free.remove(&slot)
    }

    /// Gives a place back.
    pub(super) fn give_back(&mut self, slot: u32) {
        assert!(slot < self.next && self.free.insert(slot), "slot {slot} was not taken");
    }
}

#[cfg(test)]
mod tests;
