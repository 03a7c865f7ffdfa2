use super::*;

#[test]
fn the_lowest_free_place_is_given() {
    let mut slots = Slots::default();
    assert_eq!([slots.take(), slots.take(), slots.take()], [Some(0), Some(1), Some(2)]);
    slots.give_back(1);
    slots.give_back(0);
    assert_eq!([slots.take(), slots.take(), slots.take()], [Some(0), Some(1), Some(3)]);
}

#[test]
fn places_are_taken_once_and_have_an_end() {
    let mut slots = Slots::default();
    assert!(slots.take_this(5));
    assert!(!slots.take_this(5));
    assert!(slots.take_this(2));
    assert!(!slots.take_this(u32::try_from(TRANSFERS_MAX).unwrap()));
    let all: BTreeSet<u32> = std::iter::from_fn(|| slots.take()).collect();
    assert_eq!(all.len(), TRANSFERS_MAX - 2);
    assert!(!all.contains(&2) && !all.contains(&5));
    slots.give_back(5);
    assert_eq!(slots.take(), Some(5));
}

#[test]
#[should_panic(expected = "was not taken")]
fn a_place_is_given_back_once() {
    let mut slots = Slots::default();
    slots.take();
    slots.give_back(0);
    slots.give_back(0);
}
