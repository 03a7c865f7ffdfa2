//! What came of the runs, side by side.

use super::asker::Outcome;
use std::time::Duration;

/// One run of one server, or the medians of several.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Figures {
    /// As fast as it answers.
    pub(super) fast: Part,
    /// At a rate that each of them can keep.
    pub(super) paced: Part,
    /// Asked by `dnsperf`, if that was wanted.
    pub(super) dnsperf: Option<(f64, f64)>,
    /// Why there is nothing.
    pub(super) nothing: Option<String>,
}

/// Of one load.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Part {
    pub(super) rate: f64,
    /// The processor's time for one question.
    pub(super) microseconds: f64,
    /// How long an answer took: the median, 99 of 100, and 999 of 1000.
    pub(super) median_microseconds: f64,
    pub(super) most_microseconds: f64,
    pub(super) nearly_all_microseconds: f64,
    /// Without an answer, or with a wrong one.
    pub(super) failed: f64,
    /// Processors that others used meanwhile: of a machine that is not quiet the times of answers mean little.
    pub(super) others: f64,
}

impl Part {
    pub(super) fn of(outcome: &Outcome, used: Duration) -> Self {
        let mut took = outcome.took.clone();
        took.sort_unstable();
        let at = |part: f64| {
            let place = (took.len() as f64 * part) as usize;
            took.get(place).map_or(f64::INFINITY, |took| f64::from(*took) / 1000.0)
        };
        let done = took.len() as f64;
        Self {
            rate: done / outcome.seconds,
            microseconds: used.as_secs_f64() * 1e6 / done.max(1.0),
            median_microseconds: at(0.5),
            most_microseconds: at(0.99),
            nearly_all_microseconds: at(0.999),
            failed: f64::from(outcome.lost + outcome.wrong),
            others: 0.0,
        }
    }
}

impl Figures {
    /// There is no result.
    pub(super) fn none(why: &str) -> Self {
        Self { nothing: Some(why.to_owned()), ..Self::default() }
    }
}

/// The names of the columns. The ratios are those to the first server: this one takes so many times its processor's time, and its 99 of 100 so many
/// times as long. OTHERS is how many processors were used by others.
pub(super) fn head() -> String {
    format!(
        "{:<10}{:<10}{:>9}{:>8}{:>7}{:>9} |{:>8}{:>7}{:>8}{:>8}{:>7}{:>9}{:>8}{:>8}\n",
        "ASKED",
        "SERVER",
        "RATE/S",
        "CPU µs",
        "x CPU",
        "99% µs",
        "CPU µs",
        "x CPU",
        "MED µs",
        "99% µs",
        "x 99%",
        "99.9% µs",
        "FAILED",
        "OTHERS"
    )
}

/// One server's line.
pub(super) fn line(asked: &str, name: &str, figures: &Figures, first: &Figures) -> String {
    if let Some(why) = &figures.nothing {
        return format!("{asked:<10}{name:<10}{}\n", why.trim().replace('\n', "\n    "));
    }
    let (fast, paced) = (figures.fast, figures.paced);
    let dnsperf = figures.dnsperf.map_or_else(String::new, |(rate, microseconds)| {
        format!("  dnsperf: {rate:.0}/s, {microseconds:.2} µs of CPU")
    });
    format!(
        "{asked:<10}{name:<10}{:>9.0}{:>8.2}{:>7.2}{:>9.0} |{:>8.2}{:>7.2}{:>8.1}{:>8.1}{:>7.2}{:>9.1}{:>8}{:>8.2}{dnsperf}\n",
        fast.rate,
        fast.microseconds,
        fast.microseconds / first.fast.microseconds,
        fast.most_microseconds,
        paced.microseconds,
        paced.microseconds / first.paced.microseconds,
        paced.median_microseconds,
        paced.most_microseconds,
        paced.most_microseconds / first.paced.most_microseconds,
        paced.nearly_all_microseconds,
        fast.failed + paced.failed,
        fast.others.max(paced.others),
    )
}

/// Of each column the median: of an even number of runs the lower of the two in the middle. If one run has no result, there is none.
pub(super) fn medians(runs: &[Figures]) -> Figures {
    if let Some(nothing) = runs.iter().find(|run| run.nothing.is_some()) {
        return nothing.clone();
    }
    let middle = |value: &dyn Fn(&Figures) -> f64| {
        let mut values: Vec<f64> = runs.iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or_default()
    };
    let part = |of: fn(&Figures) -> Part| Part {
        rate: middle(&|run| of(run).rate),
        microseconds: middle(&|run| of(run).microseconds),
        median_microseconds: middle(&|run| of(run).median_microseconds),
        most_microseconds: middle(&|run| of(run).most_microseconds),
        nearly_all_microseconds: middle(&|run| of(run).nearly_all_microseconds),
        failed: middle(&|run| of(run).failed),
        others: middle(&|run| of(run).others),
    };
    let by_dnsperf = runs.first().is_some_and(|run| run.dnsperf.is_some());
    let dnsperf = |of: fn((f64, f64)) -> f64| middle(&|run| run.dnsperf.map_or(0.0, of));
    Figures {
        fast: part(|run| run.fast),
        paced: part(|run| run.paced),
        dnsperf: by_dnsperf.then(|| (dnsperf(|(rate, _)| rate), dnsperf(|(_, microseconds)| microseconds))),
        nothing: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_hundred_answers_the_last_but_one_is_told() {
        let took = (1..=100).rev().map(|microseconds| microseconds * 1000).collect();
        let outcome = Outcome { seconds: 2.0, took, lost: 2, wrong: 1 };
        let part = Part::of(&outcome, Duration::from_micros(400));
        assert_eq!((part.rate, part.microseconds, part.failed), (50.0, 4.0, 3.0));
        assert_eq!((part.median_microseconds, part.most_microseconds), (51.0, 100.0));
    }

    #[test]
    fn each_column_has_its_own_median() {
        let run = |microseconds, rate| Figures {
            fast: Part { microseconds, rate, ..Part::default() },
            dnsperf: Some((rate, microseconds)),
            ..Figures::default()
        };
        let middle = medians(&[run(3.0, 30.0), run(1.0, 20.0), run(2.0, 90.0)]);
        assert_eq!((middle.fast.microseconds, middle.fast.rate), (2.0, 30.0));
        assert_eq!(middle.dnsperf, Some((30.0, 2.0)));
        let failed = medians(&[middle, Figures::none("it ended")]);
        assert!(line("names", "x", &failed, &run(1.0, 1.0)).contains("it ended"));
    }
}
