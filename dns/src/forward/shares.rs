//! Whose questions are being asked, and which gives way when there are as many as may be: a client whose names nobody answers has as many open as he likes, until
//! somebody else needs a place.

use crate::clients::client_of;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// A client, as his rate is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Asker(u128);

impl Asker {
    pub(super) fn of(address: IpAddr) -> Self {
        Self(client_of(address))
    }
}

/// The questions in flight that clients have asked, and what leads to their answers. Bounded as those are.
#[derive(Debug, Default)]
pub(super) struct Shares {
    /// The oldest first: numbers grow.
    questions: BTreeMap<Asker, BTreeSet<u64>>,
    by_count: BTreeSet<(usize, Asker)>,
}

impl Shares {
    pub(super) fn enter(&mut self, asker: Asker, number: u64) {
        self.change(asker, |its| _ = its.insert(number));
    }

    pub(super) fn leave(&mut self, asker: Asker, number: u64) {
        self.change(asker, |its| _ = its.remove(&number));
    }

    /// Which question gives way to one of this client: the oldest of who has most, if that is he, or if he has fewer also when he was given its place.
    pub(super) fn gives_way(&self, to: Asker) -> Option<u64> {
        let own = self.questions.get(&to).map_or(0, BTreeSet::len);
        let (count, most) = self.by_count.last()?;
        let (count, most) = if own == *count { (own, &to) } else { (*count, most) };
        let may = *most == to || own + 1 < count;
        self.questions.get(most).filter(|_| may)?.first().copied()
    }

    fn change(&mut self, asker: Asker, change: impl FnOnce(&mut BTreeSet<u64>)) {
        let its = self.questions.entry(asker).or_default();
        let before = its.len();
        change(its);
        let after = its.len();
        self.by_count.remove(&(before, asker));
        if after == 0 {
            self.questions.remove(&asker);
        } else {
            self.by_count.insert((after, asker));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_most_gives_way_and_nobody_to_who_has_as_many() {
        let client = |n: u8| Asker::of([10, 77, 0, n].into());
        let mut shares = Shares::default();
        assert_eq!(shares.gives_way(client(1)), None);
        (1..=5).for_each(|number| shares.enter(client(1), number));
        (6..=8).for_each(|number| shares.enter(client(2), number));
        (9..=12).for_each(|number| shares.enter(client(3), number));
        for (who, expected) in [(1, Some(1)), (2, Some(1)), (3, None), (4, Some(1))] {
            assert_eq!(shares.gives_way(client(who)), expected, "{who}");
        }
        (1..=3).for_each(|number| shares.leave(client(1), number));
        for (who, expected) in [(1, Some(9)), (2, None), (3, Some(9))] {
            assert_eq!(shares.gives_way(client(who)), expected, "{who}");
        }
        (4..=12).for_each(|number| (1..=3).for_each(|who| shares.leave(client(who), number)));
        assert!(shares.questions.is_empty() && shares.by_count.is_empty());
    }

    #[test]
    fn who_has_one_of_many_that_have_one_is_not_displaced() {
        let mut shares = Shares::default();
        (1..=9).for_each(|n| shares.enter(Asker::of([10, 77, 0, n].into()), u64::from(n)));
        assert_eq!(shares.gives_way(Asker::of([10, 77, 0, 99].into())), None);
        assert_eq!(shares.gives_way(Asker::of([10, 77, 0, 1].into())), Some(1), "but for himself");
    }
}
