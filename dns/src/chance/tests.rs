use super::*;
use std::collections::BTreeSet;

#[test]
fn one_seed_one_sequence_and_another_another() {
    let sequence = |seed| {
        let mut chance = Chance::new([seed; 32]);
        (0..8).map(|_| (chance.id(), chance.port())).collect::<Vec<_>>()
    };
    assert_eq!(sequence(1), sequence(1));
    assert_ne!(sequence(1), sequence(2));
}

#[test]
fn ports_fill_their_range_and_stay_in_it() {
    let mut chance = Chance::new([7; 32]);
    let ports: BTreeSet<u16> = (0..20_000).map(|_| chance.port()).collect();
    assert!(ports.iter().all(|port| *port >= PORT_LEAST));
    // 20,000 draws from 49,152: 49,152 * (1 - e^-0.407) = 16,430 different ones are expected, with a deviation of about 60.
    assert!((16_000..17_000).contains(&ports.len()), "{}", ports.len());
}

#[test]
fn only_letters_change_and_only_their_case() {
    let mut chance = Chance::new([7; 32]);
    let mut name = *b"\x05abc-9\x07EXAMPLE\x00";
    let before = name;
    let mut seen = BTreeSet::new();
    for _ in 0..50 {
        chance.mix_case(&mut name);
        assert!(name.eq_ignore_ascii_case(&before));
        seen.insert(name);
    }
    assert!(seen.len() > 40, "{} of 50 differ", seen.len());
}
