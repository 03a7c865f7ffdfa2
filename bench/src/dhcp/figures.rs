//! What came of the runs, side by side.

use super::clients::{Load, Outcome};
use std::time::Duration;

/// One run, or the medians of several.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Figures {
    /// Exchanges each second, and the processor's time for one.
    rate: f64,
    microseconds: f64,
    /// How long an exchange took: the median, and 99 of 100.
    median_milliseconds: f64,
    most_milliseconds: f64,
    /// Of all that were begun: those that were never finished, and those that took longer than a second.
    unfinished: f64,
    slow: f64,
    repeats: f64,
    naks: f64,
    addresses: f64,
    /// Answers that the clients themselves lost.
    lost: f64,
    /// Why there is nothing.
    nothing: Option<String>,
}

impl Figures {
    pub(super) fn of(load: &Load, outcome: &Outcome, used: Duration) -> Self {
        let at = |part: f64| {
            let place = (outcome.took.len() as f64 * part) as usize;
            outcome.took.get(place).map_or(f64::INFINITY, |took| took.as_secs_f64() * 1000.0)
        };
        let done = f64::from(outcome.done);
        let wanted = if load.exchanges <= load.at_once { f64::from(load.exchanges) } else { done };
        Self {
            rate: outcome.each_second(),
            microseconds: used.as_secs_f64() * 1e6 / done.max(1.0),
            median_milliseconds: at(0.5),
            most_milliseconds: at(0.99),
            unfinished: wanted - done,
            slow: done - outcome.within(Duration::from_secs(1)) as f64,
            repeats: f64::from(outcome.repeats),
            naks: f64::from(outcome.naks),
            addresses: outcome.addresses as f64,
            lost: f64::from(outcome.lost),
            nothing: None,
        }
    }

    /// There is no result.
    pub(super) fn none(why: &str) -> Self {
        Self { nothing: Some(why.to_owned()), ..Self::default() }
    }
}

/// The names of the columns. The ratios are those to the first server: its rate is so many times this one's, and this one takes so many times its time.
pub(super) fn head() -> String {
    format!(
        "{:<10}{:>10}{:>9}{:>9}{:>9}{:>9}{:>8}{:>6}{:>7}{:>9}{:>8}{:>8}\n",
        "SERVER",
        "RATE/S",
        "CPU µs",
        "MED ms",
        "99% ms",
        "NEVER",
        ">1 s",
        "NAKS",
        "TWICE",
        "ADDRESS",
        "x RATE",
        "x CPU"
    )
}

/// One server's line.
pub(super) fn line(name: &str, figures: &Figures, first: &Figures) -> String {
    if let Some(why) = &figures.nothing {
        return format!("{name:<10}{}\n", why.trim().replace('\n', "\n    "));
    }
    let void = if figures.lost > 0.0 {
        format!("  VOID: {} answers not taken in time by the clients", figures.lost)
    } else {
        String::new()
    };
    format!(
        "{name:<10}{:>10.0}{:>9.1}{:>9.2}{:>9.2}{:>9}{:>8}{:>6}{:>7}{:>9}{:>8.2}{:>8.2}{void}\n",
        figures.rate,
        figures.microseconds,
        figures.median_milliseconds,
        figures.most_milliseconds,
        figures.unfinished,
        figures.slow,
        figures.naks,
        figures.repeats,
        figures.addresses,
        first.rate / figures.rate,
        figures.microseconds / first.microseconds
    )
}

/// Of each column the median: of an even number of runs the lower of the two in the middle. If one run has no result, there is none.
pub(super) fn medians(runs: &[Figures]) -> Figures {
    if let Some(nothing) = runs.iter().find(|run| run.nothing.is_some()) {
        return nothing.clone();
    }
    let middle = |value: fn(&Figures) -> f64| {
        let mut values: Vec<f64> = runs.iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or_default()
    };
    Figures {
        rate: middle(|run| run.rate),
        microseconds: middle(|run| run.microseconds),
        median_milliseconds: middle(|run| run.median_milliseconds),
        most_milliseconds: middle(|run| run.most_milliseconds),
        unfinished: middle(|run| run.unfinished),
        slow: middle(|run| run.slow),
        repeats: middle(|run| run.repeats),
        naks: middle(|run| run.naks),
        addresses: middle(|run| run.addresses),
        lost: runs.iter().map(|run| run.lost).fold(0.0, f64::max),
        nothing: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(exchanges: u32, at_once: u32) -> Load {
        let (within, repeats_after) = (Duration::from_secs(1), Duration::from_secs(4));
        Load { hosts: 0..exchanges, exchanges, at_once, within, repeats_after, takes: true }
    }

    #[test]
    fn a_burst_counts_who_was_never_answered_and_who_waited() {
        let took = [10, 20, 1500].map(Duration::from_millis).to_vec();
        let outcome = Outcome { seconds: 1.5, done: 3, took, addresses: 3, ..Outcome::default() };
        let figures = Figures::of(&load(5, 5), &outcome, Duration::from_micros(300));
        assert_eq!((figures.unfinished, figures.slow, figures.microseconds), (2.0, 1.0, 100.0));
        assert_eq!((figures.rate, figures.median_milliseconds), (2.0, 20.0));
        let endless = Figures::of(&load(50, 5), &outcome, Duration::ZERO);
        assert_eq!(endless.unfinished, 0.0, "what is under way at the end is no loss");
    }

    #[test]
    fn each_column_has_its_own_median_and_one_void_run_is_enough() {
        let run = |rate, naks, lost| Figures { rate, naks, lost, ..Figures::default() };
        let middle = medians(&[run(3.0, 9.0, 0.0), run(1.0, 0.0, 7.0), run(2.0, 1.0, 0.0)]);
        assert_eq!((middle.rate, middle.naks), (2.0, 1.0));
        assert!(line("x", &middle, &middle).contains("VOID: 7 answers"));
        assert!(
            line("x", &medians(&[middle, Figures::none("it ended")]), &run(1.0, 0.0, 0.0))
                .contains("it ended")
        );
    }
}
