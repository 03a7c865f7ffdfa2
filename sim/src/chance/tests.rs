use super::*;

#[test]
fn the_sequence_is_the_published_one() {
    // The first numbers of the reference implementation with the seed 1234567.
    let mut chance = Chance::new(1_234_567);
    let first = [(); 3].map(|()| chance.next_u64());
    assert_eq!(first, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
}

#[test]
fn numbers_stay_within_their_bounds_and_reach_them() {
    let mut chance = Chance::new(7);
    let mut seen = [0_u32; 5];
    for _ in 0..5000 {
        seen[chance.below(5) as usize] += 1;
    }
    assert!(seen.iter().all(|times| (800..1200).contains(times)), "{seen:?}");
    assert_eq!(chance.below(0), 0);
    let (least, most) = (Duration::from_nanos(10), Duration::from_nanos(12));
    let drawn: std::collections::BTreeSet<_> = (0..100).map(|_| chance.between(least, most)).collect();
    assert_eq!(drawn.len(), 3);
    assert_eq!(chance.between(most, least), most);
}

#[test]
fn what_happens_seldom_happens_seldom() {
    let mut chance = Chance::new(1);
    let times = (0..100_000).filter(|_| chance.happens(10_000)).count();
    assert!((900..1100).contains(&times), "{times} of 100,000 at 1 %");
    assert!(!chance.happens(0));
    assert!(chance.happens(1_000_000));
}
