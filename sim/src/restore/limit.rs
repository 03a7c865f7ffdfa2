//! How many machines one server is enough for: the most that are all up within a bound, and none lost.

use super::{Report, Scenario};
use serde::Serialize;
use std::ops::Range;
use std::time::Duration;

/// A number of machines that was tried.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trial {
    /// How many.
    pub nodes: u32,
    /// How many of them gave up, or were not up in time.
    pub lost: u64,
    /// Until the last of the others was.
    pub seconds: f64,
}

/// What the search came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Limit {
    /// With so many machines all were up in time. None: not even one machine was.
    pub enough_for: Option<u32>,
    /// With so many they were not. None: the most that were to be tried still were.
    pub too_many: Option<u32>,
    /// What was tried, in this order.
    pub trials: Vec<Trial>,
}

/// Searches by runs: from the guess it doubles, or halves, to the first change, and then halves what lies between until that is a twentieth, or there were 16 runs.
/// No more than `most` machines are tried. Whoever looks on is told of each run.
///
/// # Errors
/// Those of a run.
pub fn search(
    scenario: &Scenario,
    within: Duration,
    guess: u32,
    most: u32,
    run: impl Fn(&Scenario) -> Result<Report, String>,
    mut tell: impl FnMut(&Trial),
) -> Result<Limit, String> {
    let mut limit = Limit { enough_for: None, too_many: None, trials: Vec::new() };
    let mut next = guess.clamp(1, most.max(1));
    while limit.trials.len() < TRIALS_MAX {
        // What is not up by then is lost, and the rest of the run would tell nothing more.
        let time_limit_seconds = Some(within.as_secs());
        let report = run(&Scenario { nodes: next, time_limit_seconds, ..scenario.clone() })?;
        let trial = Trial { nodes: next, lost: report.lost, seconds: report.seconds };
        tell(&trial);
        if trial.lost == 0 {
            limit.enough_for = Some(next);
        } else {
            limit.too_many = Some(next);
        }
        limit.trials.push(trial);
        match choose(limit.enough_for, limit.too_many, most) {
            Some(nodes) => next = nodes,
            None => break,
        }
    }
    Ok(limit)
}

/// The number between, above or below; none if that tells nothing new.
fn choose(enough_for: Option<u32>, too_many: Option<u32>, most: u32) -> Option<u32> {
    let open: Range<u32> = match (enough_for, too_many) {
        (Some(enough), None) => return (enough < most).then(|| enough.saturating_mul(2).min(most)),
        (None, Some(1)) => return None,
        (None, Some(many)) => return Some(many / 2),
        (None, None) => return None,
        (Some(enough), Some(many)) => enough..many,
    };
    let width = open.end.saturating_sub(open.start);
    (width > 1 && width > open.end / 20).then(|| open.start + width / 2)
}

/// Each of the runs may take minutes.
const TRIALS_MAX: usize = 16;

/// How many machines there would be by arithmetic: what is left of the time after the way to the first block is the wire's, and each machine needs as much of it as
/// those of this run did, with what they needed beside the ideal.
pub fn by_arithmetic(report: &Report, within: Duration) -> f64 {
    let of_one = report.wire_seconds * overhead(report) / count(report.nodes.max(1));
    (within.as_secs_f64() - report.first_data_seconds).max(0.0) / of_one
}

/// What the wire took in fact, by what it takes at least. Where the wire was hardly used, that says nothing, and it is 1.
pub fn overhead(report: &Report) -> f64 {
    const TELLING_SECONDS: f64 = 10.0;
    if report.wire_seconds < TELLING_SECONDS {
        return 1.0;
    }
    ((report.seconds - report.first_data_seconds) / report.wire_seconds).max(1.0)
}

#[allow(clippy::cast_precision_loss, reason = "there are not 2^52 machines")]
fn count(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that is enough for so many.
    fn server(enough: u32) -> impl Fn(&Scenario) -> Result<Report, String> {
        move |scenario| {
            let lost = u64::from(scenario.nodes.saturating_sub(enough));
            Ok(Report { nodes: scenario.nodes.into(), lost, ..Report::default() })
        }
    }

    fn searched(enough: u32, guess: u32, most: u32) -> (Option<u32>, Option<u32>) {
        let scenario = Scenario::default();
        let mut told = 0;
        let limit =
            search(&scenario, Duration::from_secs(900), guess, most, server(enough), |_| told += 1).unwrap();
        assert!(limit.trials.len() == told && told <= TRIALS_MAX, "{limit:?}");
        (limit.enough_for, limit.too_many)
    }

    #[test]
    fn the_limit_is_found_from_both_sides() {
        for (enough, guess) in [(1000, 1000), (1000, 10), (1000, 30_000), (7, 1), (1, 9), (65_000, 900)] {
            let (enough_for, too_many) = searched(enough, guess, 100_000);
            let (enough_for, too_many) = (enough_for.unwrap(), too_many.unwrap());
            assert!(enough_for <= enough && enough < too_many, "{enough} from {guess}");
            assert!(too_many - enough_for <= 1.max(too_many / 20), "{enough_for}..{too_many}");
        }
    }

    #[test]
    fn no_more_are_tried_than_there_may_be_and_none_may_be_enough() {
        assert_eq!(searched(5000, 100, 1024), (Some(1024), None));
        assert_eq!(searched(5000, 9999, 1024), (Some(1024), None));
        assert_eq!(searched(0, 100, 1024), (None, Some(1)));
    }

    #[test]
    fn a_run_ends_with_the_bound_and_a_mistake_ends_the_search() {
        let run = |scenario: &Scenario| {
            assert_eq!(scenario.time_limit_seconds, Some(60));
            Err("no".to_owned())
        };
        let scenario = Scenario::default();
        assert_eq!(search(&scenario, Duration::from_secs(60), 5, 9, run, |_| ()), Err("no".into()));
    }

    #[test]
    fn arithmetic() {
        let report = Report {
            nodes: 100,
            wire_seconds: 20.0,
            first_data_seconds: 10.0,
            seconds: 32.0,
            ..Report::default()
        };
        assert!((overhead(&report) - 1.1).abs() < 1e-9);
        // 890 s of the wire, and each machine takes 0.22.
        assert!((by_arithmetic(&report, Duration::from_secs(900)) - 890.0 / 0.22).abs() < 1e-6);
        let short = Report { wire_seconds: 1.0, ..report };
        assert!((overhead(&short) - 1.0).abs() < 1e-9);
    }
}
