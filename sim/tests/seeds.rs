//! A thousand seeds, always the same ones: bad weather of every kind, and then everything has to come right.
//! More of them: `make seeds N=…`.

#![allow(clippy::disallowed_methods, reason = "a run is pure, and several go at a time")]

use heorot_sim::seed;
use std::sync::atomic::{AtomicU64, Ordering};

const SEEDS: u64 = 1000;

#[test]
fn a_thousand_seeds_come_right() {
    let next = AtomicU64::new(0);
    let take = || Some(next.fetch_add(1, Ordering::Relaxed)).filter(|seed| *seed < SEEDS);
    let work = || {
        let outcomes = std::iter::from_fn(take).map(|seed| (seed, seed::run(seed, false)));
        outcomes.filter(|(_, outcome)| !outcome.broken.is_empty()).collect::<Vec<_>>()
    };
    let failed = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..2).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("no run panics")).collect::<Vec<_>>()
    });
    let told = failed
        .iter()
        .map(|(seed, outcome)| format!("{}\n  {}", seed::repeat(*seed), outcome.broken.join("\n  ")));
    assert!(
        failed.is_empty(),
        "{} of {SEEDS} failed:\n{}",
        failed.len(),
        told.collect::<Vec<_>>().join("\n")
    );
}
