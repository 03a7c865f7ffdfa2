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

#[test]
fn kills_and_power_cuts_are_counted() {
    let (mut all, mut told) = (Deaths::default(), Deaths::default());
    for seed in 0..20 {
        let outcome = run(seed, true);
        let lines = |what: &str| outcome.text.lines().filter(|line| line.ends_with(what)).count() as u64;
        // A power cut ends a server that runs, and one that is off already.
        told.power_cuts += lines("has no power");
        told.kills += lines("is killed");
        all.kills += outcome.deaths.kills;
        all.power_cuts += outcome.deaths.power_cuts;
    }
    assert!(all.kills > 0 && all.power_cuts > 0 && all.power_cuts <= told.power_cuts, "{all:?} {told:?}");
    assert_eq!(all.kills + all.power_cuts, told.kills, "each end has its line");
}
