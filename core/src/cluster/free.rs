//! The lowest number that is free, found without going over all that are not each time.
//!
//! What is below a mark was looked at and was not free, but for what was returned since. Nobody says here what is taken: a number is looked at before it is given.

use heorot_names::NumberRange;
use std::collections::BTreeSet;

/// Where the lowest free number of a range is looked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Lowest {
    range: NumberRange,
    /// Numbers below were not free. Wider than they are, as it may be past the last of them.
    mark: u64,
    /// Those below that may be free again.
    returned: BTreeSet<u32>,
}

impl Lowest {
    /// Nothing was looked at yet.
    pub fn new(range: NumberRange) -> Self {
        Self { range, mark: range.lowest.into(), returned: BTreeSet::new() }
    }

    /// The lowest number that is free, as the caller knows it.
    pub fn find(&mut self, is_free: impl Fn(u32) -> bool) -> Option<u32> {
        while let Some(number) = self.returned.first().copied() {
            if is_free(number) {
                return Some(number);
            }
            self.returned.pop_first();
        }
        loop {
            let number = u32::try_from(self.mark).ok().filter(|number| self.range.contains(*number))?;
            if is_free(number) {
                return Some(number);
            }
            self.mark += 1;
        }
    }

    /// A number that was not free may be free again. To be said of each.
    pub fn returned(&mut self, number: u32) {
        if self.range.contains(number) && u64::from(number) < self.mark {
            self.returned.insert(number);
        }
    }
}

#[cfg(test)]
mod tests;
