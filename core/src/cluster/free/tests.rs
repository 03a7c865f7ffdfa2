use super::*;
use proptest::prelude::*;
use std::cell::Cell;

const RANGE: NumberRange = NumberRange { lowest: 5, highest: 10_004 };

/// A storm: each number is found, and taken by the next one who asks. Every other machine takes its number and leaves it at once, like an offer that becomes a loan.
#[test]
fn a_search_does_not_grow_with_what_is_taken() {
    let mut lowest = Lowest::new(RANGE);
    let mut taken = BTreeSet::new();
    let looked = Cell::new(0_u64);
    for expected in RANGE.lowest..=RANGE.highest {
        let find = |number| {
            looked.set(looked.get() + 1);
            !taken.contains(&number)
        };
        assert_eq!(lowest.find(find), Some(expected));
        taken.insert(expected);
        if expected.is_multiple_of(2) {
            lowest.returned(expected);
        }
    }
    assert_eq!(lowest.find(|number| !taken.contains(&number)), None);
    assert!(looked.get() <= 3 * RANGE.size(), "{} looks", looked.get());
    // One comes and goes, as long as there is no other number.
    looked.set(0);
    for _ in 0..1000 {
        taken.remove(&RANGE.lowest);
        lowest.returned(RANGE.lowest);
        let mut find = |taken: &BTreeSet<u32>| {
            lowest.find(|number| {
                looked.set(looked.get() + 1);
                !taken.contains(&number)
            })
        };
        assert_eq!(find(&taken), Some(RANGE.lowest));
        taken.insert(RANGE.lowest);
        assert_eq!(find(&taken), None);
    }
    assert!(looked.get() <= 2 * 1000 + RANGE.size() / 2, "{} looks", looked.get());
}

#[test]
fn the_last_number_there_is() {
    let mut lowest = Lowest::new(NumberRange { lowest: u32::MAX, highest: u32::MAX });
    assert_eq!(lowest.find(|_| true), Some(u32::MAX));
    assert_eq!(lowest.find(|_| false), None);
    assert_eq!(lowest.find(|_| true), None, "nobody said that it was returned");
    lowest.returned(u32::MAX);
    lowest.returned(0);
    assert_eq!(lowest.find(|_| true), Some(u32::MAX));
}

proptest! {
    /// Whatever is taken and returned, in whatever order, what is found is the lowest.
    #[test]
    fn it_is_always_the_lowest(steps in prop::collection::vec((0_u32..3, 0_u32..12), 0..200)) {
        let range = NumberRange { lowest: 2, highest: 9 };
        let mut lowest = Lowest::new(range);
        let mut taken = BTreeSet::new();
        for (kind, number) in steps {
            match kind {
                0 => drop(taken.insert(number)),
                1 if taken.remove(&number) => lowest.returned(number),
                _ => {
                    let naive = (range.lowest..=range.highest).find(|number| !taken.contains(number));
                    prop_assert_eq!(lowest.find(|number| !taken.contains(&number)), naive);
                }
            }
        }
    }
}
