//! A rehearsal as an operator reads it: sentences with figures in them, and small tables.

use super::{Rehearsal, real};
use heorot_core::mac::Mac;
use heorot_sim::report::{Firmware, Report, Sample};
use heorot_sim::restore::limit::{Limit, Trial};
use std::collections::BTreeMap;
use std::fmt::Write as _;

impl Rehearsal {
    /// For people. It is the same for the same run.
    pub(crate) fn text(&self) -> String {
        let mut text = self.head();
        let mut paragraph = |words: String| {
            if !words.is_empty() {
                // Writing into a string cannot fail.
                let _ = write!(text, "\n{words}");
            }
        };
        paragraph(outcome(&self.report));
        paragraph(lost(&self.report));
        paragraph(by_firmware(&self.report));
        paragraph(regimes(&self.report));
        paragraph(self.events());
        paragraph(self.more());
        paragraph(complaints(&self.report));
        text
    }

    fn head(&self) -> String {
        let scenario = &self.scenario;
        let known = if scenario.numbered { "" } else { " that the server has never seen" };
        let loss = match scenario.loss {
            loss if loss > 0.0 => format!(", {} % of the frames lost on the wire", decimal(loss * 100.0)),
            _ => String::new(),
        };
        format!(
            "{} machines{known} get power within {} s, and each loads {} MB over {}{loss}.\n{}, network {}, seed {}.\n",
            scenario.nodes,
            decimal(real(scenario.window_milliseconds) / 1000.0),
            decimal(real(scenario.image_octets) / 1e6),
            rate(scenario.link_bits_per_second),
            self.place_name,
            self.network,
            scenario.seed
        )
    }

    /// What happened, in numbers.
    fn events(&self) -> String {
        let report = &self.report;
        let mut text = format!(
            "Machines' own timers ran out {} times; the server sent {} packets again; queues dropped {} frames, the server's sockets {}, the wire lost {}.\n",
            report.client_retries,
            report.resent,
            report.dropped_in_queue,
            report.kernel_drops,
            report.lost_on_wire
        );
        let (lent, size) = (report.high_water.temporary_addresses, self.temporary_addresses_size);
        // One that is offered is nobody else's either.
        let is_left = |trouble: &String| !(trouble.contains(TEMPORARY) && trouble.contains(" is left"));
        let _ = if lent >= size || !report.troubles.iter().all(is_left) {
            writeln!(
                text,
                "Temporary addresses: there are {size}, and at one time none was left.\n  widen `temporary` of the network"
            )
        } else {
            writeln!(text, "Temporary addresses: {lent} at most at one time, and there are {size}.")
        };
        text
    }

    /// What else it could be.
    fn more(&self) -> String {
        let report = &self.report;
        let ideals = self
            .other_links
            .iter()
            .map(|other| format!("{:.1} s with {}", other.ideal_seconds, rate(other.bits_per_second)));
        let ideals: Vec<String> = ideals.collect();
        let one = &self.one_server;
        let bound = minutes(one.within_seconds);
        let mut text = format!(
            "With another link the ideal of {:.1} s would be {}.\n",
            report.ideal_seconds,
            ideals.join(", ")
        );
        match (&one.simulated, one.about) {
            (Some(limit), _) => text.push_str(&simulated(limit, &bound)),
            (None, None) if report.lost == report.nodes => {
                text.push_str("How many machines one server is enough for is not to be seen from a run in which none came up.\n");
            }
            (None, None) => {
                text.push_str("One server is not enough for these machines, or there is another fault; --limit finds by simulation how many it is enough for.\n");
            }
            (None, Some(about)) => {
                let _ = writeln!(
                    text,
                    "One server is enough for about {} such machines, if all are to be up within {bound}: by arithmetic from this run; --limit simulates it.",
                    rounded(about)
                );
            }
        }
        if one.about.is_some_and(|about| about > one.numbers) {
            let _ = writeln!(text, "  The network has numbers for {}.", one.numbers);
        }
        text
    }
}

/// What the server calls them in its troubles.
const TEMPORARY: &str = "temporary addresses";

/// How far a run is, while one waits for its end.
pub(super) fn so_far(sample: &Sample, nodes: u32) -> String {
    format!(
        "heorot rehearse: after {:.1} s of the rehearsal {} of {nodes} machines have loaded everything",
        sample.seconds, sample.loaded
    )
}

/// A run of the search, while one waits for the next.
pub(super) fn trial(trial: &Trial) -> String {
    format!(
        "heorot rehearse: {} machines: {} lost or late, the last of the others up after {:.1} s",
        trial.nodes, trial.lost, trial.seconds
    )
}

fn simulated(limit: &Limit, bound: &str) -> String {
    let runs = match limit.trials.len() {
        1 => "one run".to_owned(),
        runs => format!("{runs} runs"),
    };
    match (limit.enough_for, limit.too_many) {
        (Some(enough), Some(many)) => format!(
            "One server is enough for {enough} such machines, if all are to be up within {bound}, and not for {many}: by {runs}.\n"
        ),
        (Some(enough), None) => format!(
            "One server is enough for {enough} such machines, all up within {bound}: by {runs}; more were not tried.\n"
        ),
        (None, _) => format!("One server gets not even one such machine up within {bound}.\n"),
    }
}

/// How long it took, and what that is owed to.
fn outcome(report: &Report) -> String {
    let Report { nodes, lost, first_seconds, median_seconds, seconds, ideal_seconds, .. } = report;
    let half = if *lost == 0 { "half of them" } else { "half of the others" };
    let who = match *lost {
        0 => "None is lost.".to_owned(),
        lost if lost == *nodes => return "All are lost.\n".to_owned(),
        lost => format!("{lost} of {nodes} are lost."),
    };
    format!(
        "{who} The first has loaded everything after {first_seconds:.1} s, {half} after {median_seconds:.1} s, the last after {seconds:.1} s,\n\
         which is {:.2} times the ideal of {ideal_seconds:.1} s.\n{}\n",
        report.ratio_to_ideal,
        what_limits(report)
    )
}

/// The server's processor, the machines' own pace, what they wait for, or the link.
fn what_limits(report: &Report) -> String {
    let Report { seconds, ideal_seconds, first_data_seconds, wire_seconds, by_firmware, .. } = report;
    let parts = format!(
        "of the ideal, {wire_seconds:.1} s are the wire's, and {first_data_seconds:.1} s pass before the slowest machine has its first block"
    );
    if report.processor_seconds > wire_seconds.max(*first_data_seconds) {
        return format!(
            "What limits is the server's processor: what comes takes {:.1} s of it; {parts}.",
            report.processor_seconds
        );
    }
    let slowest =
        by_firmware.iter().max_by(|(_, one), (_, other)| one.alone_seconds.total_cmp(&other.alone_seconds));
    if let Some((name, kind)) = slowest.filter(|(_, kind)| kind.alone_seconds > 0.9 * seconds) {
        return format!(
            "What limits is the machines' own pace, and no link would change that: {name} takes {:.1} s even if it is alone; {parts}.",
            kind.alone_seconds
        );
    }
    let is_late = seconds - ideal_seconds > TELLING_SECONDS.max(ideal_seconds / 4.0);
    if let Some((name, late, others)) = straggler(by_firmware, *ideal_seconds).filter(|_| is_late) {
        return format!(
            "What limits is the clock of {name}, between its tries: they have loaded everything after {late:.1} s, all others after {others:.1} s; {parts}."
        );
    }
    if is_late {
        return format!(
            "What limits is waiting for what was lost: {} frames on the wire and {} in full queues, so that machines' own timers ran out {} times; {parts}.",
            report.lost_on_wire, report.dropped_in_queue, report.client_retries
        );
    }
    format!("What limits is the link: {parts}.")
}

/// Less is chance.
const TELLING_SECONDS: f64 = 4.0;

/// The kind that is up long after all others, if there is one: when it is, and when they are.
fn straggler(kinds: &BTreeMap<String, Firmware>, ideal_seconds: f64) -> Option<(&str, f64, f64)> {
    let mut last: Vec<(&str, f64)> =
        kinds.iter().map(|(name, kind)| (name.as_str(), kind.last_seconds)).collect();
    last.sort_by(|one, other| other.1.total_cmp(&one.1));
    let [(name, late), (_, others), ..] = *last.as_slice() else { return None };
    (late - others > TELLING_SECONDS.max(ideal_seconds / 10.0)).then_some((name, late, others))
}

/// Who was lost and why, folded.
fn lost(report: &Report) -> String {
    let mut folded: BTreeMap<(&str, String), (u64, f64, f64)> = BTreeMap::new();
    for lost in &report.lost_machines {
        let why = lost.why.split_whitespace().collect::<Vec<_>>().join(" ");
        let (count, from, to) =
            folded.entry((&lost.firmware, why)).or_insert((0, lost.seconds, lost.seconds));
        *count += 1;
        *from = from.min(lost.seconds);
        *to = to.max(lost.seconds);
    }
    if folded.is_empty() {
        return String::new();
    }
    let head = ["LOST", "NODES", "FROM S", "TO S"].map(str::to_owned);
    let row = |((firmware, why), (count, from, to)): (&(&str, String), &(u64, f64, f64))| {
        ([(*firmware).to_owned(), count.to_string(), tenths(*from), tenths(*to)], why.clone())
    };
    let rows: Vec<_> = std::iter::once((head, "WHY".to_owned())).chain(folded.iter().map(row)).collect();
    let columns: Vec<[String; 4]> = rows.iter().map(|(columns, _)| columns.clone()).collect();
    let whys = rows.iter().map(|(_, why)| why);
    table(&columns).lines().zip(whys).fold(String::new(), |text, (line, why)| text + line + "  " + why + "\n")
}

fn by_firmware(report: &Report) -> String {
    let head = ["FIRMWARE", "NODES", "LOST", "ALONE S", "MEDIAN S", "LAST S", "RETRIES"].map(str::to_owned);
    let row = |(name, kind): (&String, &Firmware)| {
        let moment = |at: f64| if kind.lost == kind.nodes { "-".to_owned() } else { tenths(at) };
        [
            name.clone(),
            kind.nodes.to_string(),
            kind.lost.to_string(),
            if kind.alone_seconds > 0.0 { tenths(kind.alone_seconds) } else { "-".to_owned() },
            moment(kind.median_seconds),
            moment(kind.last_seconds),
            kind.client_retries.to_string(),
        ]
    };
    table(&std::iter::once(head).chain(report.by_firmware.iter().map(row)).collect::<Vec<_>>())
}

/// The regimes until the last machine was up; of very many changes, the first.
fn regimes(report: &Report) -> String {
    const ROWS_MAX: usize = 12;
    let last_moment = report.samples.last().map_or(report.seconds, |sample| sample.seconds);
    let ends = report.regimes.iter().skip(1).map(|next| next.from_seconds).chain([last_moment]);
    let spans: Vec<_> = report.regimes.iter().zip(ends).collect();
    let head = ["REGIME", "FROM S", "TO S"].map(str::to_owned);
    let rows = spans
        .iter()
        .take(ROWS_MAX)
        .map(|(regime, to)| [regime.regime.clone(), tenths(regime.from_seconds), tenths(*to)]);
    let mut text = table(&std::iter::once(head).chain(rows).collect::<Vec<_>>());
    if spans.len() > ROWS_MAX {
        let mut sums: BTreeMap<&str, f64> = BTreeMap::new();
        for (regime, to) in &spans {
            *sums.entry(&regime.regime).or_default() += to - regime.from_seconds;
        }
        let sums: Vec<String> = sums.iter().map(|(word, sum)| format!("{word} {sum:.1} s")).collect();
        let _ = writeln!(text, "and {} more; in all {}", spans.len() - ROWS_MAX, sums.join(", "));
    }
    text
}

/// What the server itself would tell, and what it may never do.
fn complaints(report: &Report) -> String {
    let mut folded: BTreeMap<&str, u64> = BTreeMap::new();
    for trouble in report.ignored.iter().chain(&report.troubles) {
        // Each is told of its machine, by its hardware address first.
        let of_one = trouble.split_once(' ').filter(|(first, _)| first.parse::<Mac>().is_ok());
        *folded.entry(of_one.map_or(trouble.as_str(), |(_, what)| what)).or_default() += 1;
    }
    let told = folded.iter().map(|(what, times)| format!("The server would tell, {times} times: {what}\n"));
    let broken = report.broken.iter().map(|what| {
        format!("A FAULT OF HEOROT: {what}\n  report it, please, with what --print-scenario prints\n")
    });
    told.chain(broken).collect()
}

/// Columns as wide as their widest cell, two blanks apart: words to the left, numbers to the right.
fn table<const COLUMNS: usize>(rows: &[[String; COLUMNS]]) -> String {
    let mut widths = [0; COLUMNS];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |row: &[String; COLUMNS]| {
        let mut line = format!("{:1$}", row[0], widths[0]);
        for (cell, width) in row.iter().zip(widths).skip(1) {
            let _ = write!(line, "  {cell:>width$}");
        }
        line + "\n"
    };
    rows.iter().map(line).collect()
}

fn tenths(seconds: f64) -> String {
    format!("{seconds:.1}")
}

/// A number without needless digits.
fn decimal(number: f64) -> String {
    let text = format!("{number:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

pub(super) fn rate(bits_per_second: u64) -> String {
    match real(bits_per_second) {
        bits if bits >= 1e9 => format!("{} Gbit/s", decimal(bits / 1e9)),
        bits => format!("{} Mbit/s", decimal(bits / 1e6)),
    }
}

fn minutes(seconds: u64) -> String {
    if seconds.is_multiple_of(60) { format!("{} minutes", seconds / 60) } else { format!("{seconds} s") }
}

/// Two digits of it: arithmetic knows no more.
fn rounded(number: u64) -> u64 {
    let unit = 10_u64.pow(number.max(1).ilog10().saturating_sub(1));
    number / unit * unit
}

#[cfg(test)]
mod tests;
