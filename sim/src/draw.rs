//! What the world draws by chance beside numbers.

use crate::chance::Chance;

impl Chance {
    /// A sequence of its own for one thing among many, so that what one draws changes nothing for another.
    pub const fn of(seed: u64, thing: u64) -> Self {
        let mut chance = Self::new(seed ^ thing.wrapping_mul(0xd6e8_feb8_6659_fd93));
        Self::new(chance.next_u64())
    }

    /// One of these, each as often as its weight says. None if nothing weighs anything.
    pub fn pick<T: Copy>(&mut self, weighted: &[(T, u32)]) -> Option<T> {
        let total = weighted.iter().map(|(_, weight)| u64::from(*weight)).sum();
        let mut place = self.below(total);
        weighted.iter().find_map(|(thing, weight)| {
            let weight = u64::from(*weight);
            if place < weight {
                return Some(*thing);
            }
            place -= weight;
            None
        })
    }

    /// Brings things into another order.
    pub fn shuffle<T>(&mut self, things: &mut [T]) {
        for place in (1..things.len()).rev() {
            let other = usize::try_from(self.below(place as u64 + 1)).unwrap_or_default();
            things.swap(place, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_have_sequences_of_their_own() {
        let draws = |mut chance: Chance| [chance.next_u64(), chance.next_u64()];
        assert_eq!(draws(Chance::of(7, 1)), draws(Chance::of(7, 1)));
        assert_ne!(draws(Chance::of(7, 1)), draws(Chance::of(7, 2)));
        assert_ne!(draws(Chance::of(7, 1)), draws(Chance::of(8, 1)));
    }

    #[test]
    fn what_weighs_more_is_picked_more_often() {
        let mut chance = Chance::new(1);
        let picked =
            (0..30_000).filter(|_| chance.pick(&[("a", 1), ("b", 0), ("c", 2)]) == Some("c")).count();
        assert!(picked.abs_diff(20_000) < 500, "{picked}");
        assert_eq!(chance.pick::<u8>(&[]), None);
    }

    #[test]
    fn a_shuffle_loses_nothing() {
        let mut things: Vec<_> = (0..100).collect();
        Chance::new(5).shuffle(&mut things);
        assert_ne!(things, (0..100).collect::<Vec<_>>());
        things.sort_unstable();
        assert_eq!(things, (0..100).collect::<Vec<_>>());
    }
}
