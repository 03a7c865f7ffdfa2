//! What came of the runs, side by side.

use serde_json::Value;

/// One run, or the medians of several.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Row {
    lost: f64,
    unfinished: f64,
    seconds: f64,
    ratio_to_ideal: Option<f64>,
    median_seconds: Option<f64>,
    client_retries: f64,
    bytes_per_second: f64,
    address_conflicts: f64,
    own_kernel_drops: f64,
    /// Why machines were lost, of one run.
    reasons: Vec<String>,
    /// Why there is nothing else.
    nothing: Option<String>,
}

impl Row {
    /// From what `heorot storm` tells.
    pub(crate) fn of(report: &Value) -> Self {
        let number = |name: &str| report[name].as_f64();
        let count = |name: &str| number(name).unwrap_or_default();
        Self {
            lost: count("lost"),
            unfinished: count("unfinished"),
            seconds: count("seconds"),
            ratio_to_ideal: number("ratio_to_ideal"),
            median_seconds: number("median_seconds"),
            client_retries: count("client_retries"),
            bytes_per_second: count("bytes_per_second"),
            address_conflicts: count("address_conflicts"),
            own_kernel_drops: count("own_kernel_drops"),
            reasons: reasons(&report["reasons"]),
            nothing: None,
        }
    }

    /// With something that people should know of it.
    pub(crate) fn with(mut self, remark: Option<String>) -> Self {
        self.reasons.splice(0..0, remark);
        self
    }

    /// There is no result.
    pub(crate) fn none(why: &str) -> Self {
        Self { nothing: Some(why.to_owned()), ..Self::default() }
    }
}

/// The most frequent ones first.
fn reasons(counted: &Value) -> Vec<String> {
    let counted = counted.as_object().into_iter().flatten();
    let mut reasons: Vec<(u64, &String)> =
        counted.map(|(why, count)| (count.as_u64().unwrap_or_default(), why)).collect();
    reasons.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    reasons.truncate(REASONS_MAX);
    reasons.into_iter().map(|(count, why)| format!("lost {count}: {why}")).collect()
}

/// The rest is alike.
const REASONS_MAX: usize = 6;

/// The names of the columns.
pub(crate) fn head() -> String {
    format!(
        "{:<18}{:>6}{:>9}{:>10}{:>7}{:>10}{:>9}{:>8}{:>11}\n",
        "SERVER", "LOST", "OF TIME", "SECONDS", "RATIO", "MEDIAN S", "RETRIES", "MB/S", "CONFLICTS"
    )
}

/// One server's line.
pub(crate) fn line(name: &str, row: &Row) -> String {
    if let Some(why) = &row.nothing {
        return format!("{name:<18}{}\n", why.replace('\n', "\n    "));
    }
    let optional = |value: Option<f64>| value.map_or_else(|| "-".into(), |value| format!("{value:.2}"));
    let void = if row.own_kernel_drops > 0.0 {
        format!("  VOID: {} frames not taken in time by the clients", row.own_kernel_drops)
    } else {
        String::new()
    };
    let reasons: String = row.reasons.iter().map(|reason| format!("    {reason}\n")).collect();
    format!(
        "{name:<18}{:>6}{:>9}{:>10.2}{:>7}{:>10}{:>9}{:>8.2}{:>11}{void}\n{reasons}",
        row.lost,
        row.unfinished,
        row.seconds,
        optional(row.ratio_to_ideal),
        optional(row.median_seconds),
        row.client_retries,
        row.bytes_per_second / 1e6,
        row.address_conflicts
    )
}

/// Of each column the median: of an even number of runs the lower of the two in the middle. If one of them is void, so is the line.
pub(crate) fn medians(rows: &[Row]) -> Row {
    if let Some(nothing) = rows.iter().find(|row| row.nothing.is_some()) {
        return nothing.clone();
    }
    let sorted = |value: &dyn Fn(&Row) -> Option<f64>| {
        // None is worse than any number: half of the machines never came up.
        let mut values: Vec<f64> = rows.iter().map(|row| value(row).unwrap_or(f64::INFINITY)).collect();
        values.sort_by(f64::total_cmp);
        values
    };
    let middle = |value: &dyn Fn(&Row) -> Option<f64>| {
        let values = sorted(value);
        values.get(values.len().saturating_sub(1) / 2).copied().filter(|value| value.is_finite())
    };
    let count = |value: &dyn Fn(&Row) -> f64| middle(&|row| Some(value(row))).unwrap_or_default();
    Row {
        lost: count(&|row| row.lost),
        unfinished: count(&|row| row.unfinished),
        seconds: count(&|row| row.seconds),
        ratio_to_ideal: middle(&|row| row.ratio_to_ideal),
        median_seconds: middle(&|row| row.median_seconds),
        client_retries: count(&|row| row.client_retries),
        bytes_per_second: count(&|row| row.bytes_per_second),
        address_conflicts: count(&|row| row.address_conflicts),
        own_kernel_drops: rows.iter().map(|row| row.own_kernel_drops).fold(0.0, f64::max),
        reasons: rows.last().map(|row| row.reasons.clone()).unwrap_or_default(),
        nothing: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(seconds: f64, median: Option<f64>) -> Row {
        Row { seconds, median_seconds: median, ..Row::default() }
    }

    #[test]
    fn each_column_has_its_own_median() {
        let rows = [row(3.0, Some(1.0)), row(1.0, None), row(2.0, Some(9.0))];
        let middle = medians(&rows);
        assert_eq!((middle.seconds, middle.median_seconds), (2.0, Some(9.0)));
        assert_eq!(medians(&rows[..2]).seconds, 1.0);
        assert_eq!(medians(&[row(1.0, None)]).median_seconds, None);
    }

    #[test]
    fn one_void_run_makes_the_line_void() {
        let rows = [row(1.0, None), Row { own_kernel_drops: 7.0, ..row(1.0, None) }, row(1.0, None)];
        assert!(line("x", &medians(&rows)).contains("VOID: 7 frames"));
        assert!(!line("x", &medians(&rows[..1])).contains("VOID"));
    }

    #[test]
    fn a_report_is_read_by_the_names_that_programs_read() {
        let report = serde_json::json!({"lost": 3, "unfinished": 1, "seconds": 10.5, "ratio_to_ideal": 1.25, "median_seconds": 5.25,
            "client_retries": 77, "bytes_per_second": 23_500_000.0, "own_kernel_drops": 0, "address_conflicts": 2});
        let line = line("heorot", &Row::of(&report));
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(words, ["heorot", "3", "1", "10.50", "1.25", "5.25", "77", "23.50", "2"]);
    }

    #[test]
    fn what_has_no_result_says_why() {
        assert!(line("atftpd", &Row::none("it ended")).contains("it ended"));
    }
}
