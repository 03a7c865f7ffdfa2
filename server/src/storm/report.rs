//! What a storm came to, for people and for programs. The fields have the simulator's names.

use super::hosts::{Counts, Hosts};
use super::score::Score;
use heorot_core::time::Time;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

/// The whole result.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Report {
    /// Machines in the storm.
    pub(crate) nodes: usize,
    /// Those that gave up, or had not loaded everything when the time was over.
    pub(crate) lost: usize,
    /// The latter alone.
    pub(crate) unfinished: usize,
    /// From the first power-on to the last octet of the last machine.
    pub(crate) seconds: f64,
    /// The slowest unloaded way to the first DATA, and the wire's time for all files.
    pub(crate) ideal_seconds: Option<f64>,
    /// `seconds` / `ideal_seconds`.
    pub(crate) ratio_to_ideal: Option<f64>,
    /// When half of the machines had loaded all, from the first power-on.
    pub(crate) median_seconds: Option<f64>,
    /// How often a machine's own timer ran out.
    pub(crate) client_retries: u64,
    /// Octets of files that came whole.
    pub(crate) bytes: u64,
    /// These, over the time from the first DATA to the last.
    pub(crate) bytes_per_second: f64,
    /// Octets of files that came, however often: what is more than `bytes` came twice, or for nothing.
    pub(crate) received_bytes: u64,
    /// By kind of machine.
    pub(crate) by_firmware: BTreeMap<&'static str, Firmware>,
    /// Why machines gave up, and how many.
    pub(crate) reasons: BTreeMap<String, usize>,
    /// Frames that the kernel dropped because the storm itself did not take them in time. If there are any, the figures are void.
    pub(crate) own_kernel_drops: u64,
    /// Frames that the kernel of this host dropped between its interfaces and whoever they were for, by all its namespaces.
    pub(crate) backlog_drops: u64,
    /// How often a machine was given an address that another one has.
    pub(crate) address_conflicts: u64,
    /// Datagrams given up because nobody answered by ARP.
    pub(crate) unreachable: u64,
    /// Datagrams of other servers, which were not heard.
    pub(crate) from_others: u64,
    /// Who these are.
    pub(crate) other_servers: Vec<String>,
    /// Pieces of datagrams that were too long for the wire, which no machine puts together.
    pub(crate) fragments: u64,
    /// HTTP requests, which nobody answers here.
    pub(crate) http_asks: u64,
    /// What repeats this run's machines.
    pub(crate) seed: u64,
}

/// Machines of one kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Firmware {
    pub(crate) nodes: usize,
    /// As above.
    pub(crate) lost: usize,
    pub(crate) client_retries: u64,
    pub(crate) median_seconds: Option<f64>,
    pub(crate) last_seconds: Option<f64>,
}

/// What is known besides what the hosts tell.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    /// When the storm began.
    pub(super) start: Time,
    /// The slowest unloaded way to the first DATA, and all octets on the wire, if each machine loads what it should.
    pub(super) ideal: Option<(Duration, u64)>,
    /// The link's rate.
    pub(super) link_bits_per_second: Option<u64>,
    pub(super) own_kernel_drops: u64,
    pub(super) backlog_drops: u64,
    pub(super) seed: u64,
}

impl Report {
    /// Sums up. `names` has the kind of each host, in their order.
    pub(super) fn of(hosts: &Hosts, names: &[&'static str], frame: &Frame) -> Self {
        let scores: Vec<(&'static str, &Score)> =
            names.iter().copied().zip(hosts.all().iter().map(|host| &host.score)).collect();
        let all: Vec<&Score> = scores.iter().map(|(_, score)| *score).collect();
        let mut report = Self { nodes: all.len(), seed: frame.seed, ..Self::default() };
        let moments = loaded(&all, frame.start);
        report.lost = all.len() - moments.len();
        report.unfinished = all.iter().filter(|score| !score.is_settled()).count();
        report.seconds = moments.last().copied().unwrap_or_default();
        report.median_seconds = median(&moments, all.len());
        report.client_retries = all.iter().map(|score| score.retries).sum();
        report.bytes = all.iter().map(|score| score.octets).sum();
        report.received_bytes = all.iter().map(|score| score.received_octets).sum();
        let first_data = all.iter().filter_map(|score| score.first_data).min();
        let flowing = report.seconds - first_data.map_or(0.0, |at| at.since(frame.start).as_secs_f64());
        report.bytes_per_second = if flowing > 0.0 { report.bytes as f64 / flowing } else { 0.0 };
        report.ideal_seconds = frame
            .ideal
            .zip(frame.link_bits_per_second)
            .map(|((way, octets), rate)| way.as_secs_f64() + octets as f64 * 8.0 / rate as f64);
        report.ratio_to_ideal =
            report.ideal_seconds.filter(|ideal| *ideal > 0.0).map(|ideal| report.seconds / ideal);
        for name in names {
            report.by_firmware.entry(name).or_insert_with(|| firmware(name, &scores, frame.start));
        }
        for (_, why) in all.iter().filter_map(|score| score.lost.as_ref()) {
            *report.reasons.entry(why.clone()).or_default() += 1;
        }
        report.add(&hosts.counts, frame);
        report
    }

    fn add(&mut self, counts: &Counts, frame: &Frame) {
        self.own_kernel_drops = frame.own_kernel_drops;
        self.backlog_drops = frame.backlog_drops;
        self.address_conflicts = counts.address_conflicts;
        self.unreachable = counts.unreachable;
        self.from_others = counts.from_others;
        self.other_servers = counts.others.iter().map(ToString::to_string).collect();
        self.fragments = counts.fragments;
        self.http_asks = counts.http_asks;
    }

    /// Whether every machine has loaded all.
    pub(crate) fn is_whole(&self) -> bool {
        self.lost == 0
    }

    /// For people.
    pub(crate) fn text(&self) -> String {
        let optional = |value: Option<f64>| value.map_or_else(|| "-".into(), |value| format!("{value:.2}"));
        let mut text = format!(
            "{} machines: {} loaded, {} lost, {} of them for want of time\n\
             last after {:.2} s, half of them after {} s; ideal {} s, ratio {}\n\
             {} MB of files, {:.2} MB/s; {} of their octets came in vain\n\
             {} times a machine's own timer ran out\n",
            self.nodes,
            self.nodes - self.lost,
            self.lost,
            self.unfinished,
            self.seconds,
            optional(self.median_seconds),
            optional(self.ideal_seconds),
            optional(self.ratio_to_ideal),
            self.bytes / 1_000_000,
            self.bytes_per_second / 1e6,
            self.received_bytes.saturating_sub(self.bytes),
            self.client_retries,
        );
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "\n{:<14}{:>6}{:>6}{:>9}{:>10}{:>9}",
            "KIND", "NODES", "LOST", "RETRIES", "MEDIAN S", "LAST S"
        );
        for (name, kind) in &self.by_firmware {
            let (median, last) = (optional(kind.median_seconds), optional(kind.last_seconds));
            let _ = writeln!(
                text,
                "{name:<14}{:>6}{:>6}{:>9}{median:>10}{last:>9}",
                kind.nodes, kind.lost, kind.client_retries
            );
        }
        for (why, count) in &self.reasons {
            let _ = writeln!(text, "lost {count}: {why}");
        }
        for remark in self.remarks() {
            let _ = writeln!(text, "{remark}");
        }
        text
    }

    /// What makes the figures mean less, or tells of a server's fault.
    pub(crate) fn remarks(&self) -> Vec<String> {
        let own = format!(
            "VOID: the kernel dropped {} frames that this program did not take in time: the figures tell nothing of the server",
            self.own_kernel_drops
        );
        let backlog = format!(
            "{} frames were dropped between interfaces of this host (net.core.netdev_max_backlog), by no fault of the server",
            self.backlog_drops
        );
        let conflicts =
            format!("{} times a machine was given an address that another one has", self.address_conflicts);
        let others = format!(
            "{} datagrams of other servers were not heard: {}",
            self.from_others,
            self.other_servers.join(", ")
        );
        let unreachable = format!("{} datagrams were given up: nobody answered by ARP", self.unreachable);
        let fragments = format!(
            "{} pieces of datagrams came that are too long for the wire: no machine puts them together",
            self.fragments
        );
        let asks = format!("{} HTTP requests were not made: TCP is not spoken here", self.http_asks);
        [
            (self.own_kernel_drops, own),
            (self.backlog_drops, backlog),
            (self.address_conflicts, conflicts),
            (self.from_others, others),
            (self.unreachable, unreachable),
            (self.fragments, fragments),
            (self.http_asks, asks),
        ]
        .into_iter()
        .filter_map(|(count, remark)| (count > 0).then_some(remark))
        .collect()
    }
}

fn firmware(name: &str, scores: &[(&'static str, &Score)], start: Time) -> Firmware {
    let own: Vec<&Score> = scores.iter().filter(|(kind, _)| *kind == name).map(|(_, score)| *score).collect();
    let moments = loaded(&own, start);
    Firmware {
        nodes: own.len(),
        lost: own.len() - moments.len(),
        client_retries: own.iter().map(|score| score.retries).sum(),
        median_seconds: median(&moments, own.len()),
        last_seconds: moments.last().copied(),
    }
}

/// When the machines had loaded all, in order, in seconds from the start.
fn loaded(scores: &[&Score], start: Time) -> Vec<f64> {
    let mut moments: Vec<Time> = scores.iter().filter_map(|score| score.loaded).collect();
    moments.sort_unstable();
    moments.into_iter().map(|at| at.since(start).as_secs_f64()).collect()
}

/// When half of `count` had loaded all; None if that many never had.
fn median(moments: &[f64], count: usize) -> Option<f64> {
    moments.get(count.div_ceil(2).checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests;
