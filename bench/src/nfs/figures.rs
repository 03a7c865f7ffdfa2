//! What came of the runs, side by side.

use std::time::Duration;

/// One run, or the medians of several.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Figures {
    pub(super) read: Part,
    pub(super) walk: Part,
    /// The most that the server ever had.
    pub(super) memory: u64,
}

/// Octets or files, the time that they took, and the processor's for them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Part {
    pub(super) count: u64,
    pub(super) seconds: f64,
    pub(super) used: Duration,
}

/// The names of the columns.
pub(super) fn head() -> String {
    format!(
        "{:<14}{:>11}{:>13}{:>11}{:>12}{:>13}{:>11}\n",
        "SERVER", "READ MB/S", "CPU MS/GB", "WALK S", "FILES/S", "CPU US/FILE", "MEMORY MB"
    )
}

/// One server's line.
pub(super) fn line(name: &str, figures: &Figures) -> String {
    let Figures { read, walk, memory } = figures;
    let each = |part: &Part| part.used.as_secs_f64() / part.count.max(1) as f64;
    format!(
        "{name:<14}{:>11.0}{:>13.0}{:>11.2}{:>12.0}{:>13.1}{:>11.1}\n",
        read.count as f64 / 1e6 / read.seconds,
        each(read) * 1e12,
        walk.seconds,
        walk.count as f64 / walk.seconds,
        each(walk) * 1e6,
        *memory as f64 / 1e6
    )
}

/// Of each figure the median: of an even number of runs the lower of the two in the middle.
pub(super) fn medians(runs: &[Figures]) -> Figures {
    let middle = |value: &dyn Fn(&Figures) -> f64| {
        let mut values: Vec<f64> = runs.iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or_default()
    };
    let part = |of: &dyn Fn(&Figures) -> Part| Part {
        count: runs.first().map(of).unwrap_or_default().count,
        seconds: middle(&|run| of(run).seconds),
        used: Duration::from_secs_f64(middle(&|run| of(run).used.as_secs_f64())),
    };
    Figures {
        read: part(&|run| run.read),
        walk: part(&|run| run.walk),
        memory: middle(&|run| run.memory as f64) as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(seconds: f64, used: u64) -> Figures {
        let part = Part { count: 1_000_000, seconds, used: Duration::from_millis(used) };
        Figures { read: part, walk: part, memory: 2_000_000 }
    }

    #[test]
    fn each_figure_has_its_own_median() {
        let middle = medians(&[run(3.0, 1), run(1.0, 3), run(2.0, 2)]);
        assert_eq!((middle.read.seconds, middle.walk.used), (2.0, Duration::from_millis(2)));
    }

    #[test]
    fn a_line_has_what_its_head_says() {
        assert_eq!(head().split_whitespace().count(), 12);
        let line = line("x", &run(2.0, 500));
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(words, ["x", "0", "500000", "2.00", "500000", "0.5", "2.0"]);
    }
}
