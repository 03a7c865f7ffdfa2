use super::*;

#[test]
fn the_same_seed_is_the_same_run_to_the_byte() {
    for seed in 0..3 {
        let outcome = run(seed, true);
        assert!(outcome.text.lines().count() > 100, "{}", outcome.text);
        assert_eq!(run(seed, true), outcome);
        assert_eq!(run(seed, false).events, outcome.events, "whoever watches changes nothing");
    }
}
