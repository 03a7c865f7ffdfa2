//! Chance that comes from a seed: the same seed gives the same run, to the octet.

use std::time::Duration;

/// A sequence of numbers that look random: SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
/// Any seed is as good as another, and a machine each can have its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chance {
    state: u64,
}

impl Chance {
    /// The sequence of this seed.
    pub const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next number.
    pub const fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; 0 if that is 0. The high half of the product with 2^64: no division, and no number favoured by more than `end` in 2^64.
    pub const fn below(&mut self, end: u64) -> u64 {
        let product = self.next_u64() as u128 * end as u128;
        (product >> 64) as u64
    }

    /// A duration from `least` to `most`, to the nanosecond; `least` if it is the larger.
    pub fn between(&mut self, least: Duration, most: Duration) -> Duration {
        let spread = u64::try_from(most.saturating_sub(least).as_nanos()).unwrap_or(u64::MAX - 1);
        least + Duration::from_nanos(self.below(spread.saturating_add(1)))
    }

    /// Whether something happens that happens so often in a million times.
    pub const fn happens(&mut self, per_million: u32) -> bool {
        self.below(1_000_000) < per_million as u64
    }
}

#[cfg(test)]
mod tests;
