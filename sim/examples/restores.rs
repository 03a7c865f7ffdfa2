//! Runs power restores, `restores FILE...`, each with the load control and with none, and prints a line for each and a verdict on those with it.
//! The promise: nobody is lost; the last is up within a tenth of the ideal where the wire takes 20 s or more, else within 4 s of it; and of 1,000 machines or
//! more on a wire that takes 30 s or more, half are up at six tenths of it.
//! A machine whose own clock sleeps longer than that is allowed one of its retries, and for one that takes longer even if it is alone, that
//! stands for the ideal; which is said then.
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "this is where people look on"
)]

use heorot_sim::report::Report;
use heorot_sim::restore::{ControlWord, Scenario, kind_named, restore};
use std::process::ExitCode;
use std::time::Instant;

fn main() -> Result<ExitCode, String> {
    println!(
        "{:<24} {:<8} {:>6} {:>6} {:>9} {:>9} {:>7} {:>9} {:>8} {:>9} {:>9}",
        "RESTORE",
        "CONTROL",
        "NODES",
        "LOST",
        "LAST S",
        "IDEAL S",
        "RATIO",
        "MEDIAN S",
        "RETRIES",
        "DROPPED",
        "RUN S"
    );
    let (mut count, mut remarks, mut broken) = (0, Vec::new(), Vec::new());
    for file in std::env::args().skip(1) {
        let text = std::fs::read_to_string(&file).map_err(|error| format!("{file}: {error}"))?;
        let scenario = Scenario::parse(&text).map_err(|error| format!("{file}: {error}"))?;
        let name = file.rsplit('/').next().unwrap_or(&file).trim_end_matches(".toml");
        let report = run(name, &Scenario { control: ControlWord::All, ..scenario.clone() }, "all")?;
        run(name, &Scenario { control: ControlWord::Nothing, ..scenario }, "nothing")?;
        let verdict = judge(&report);
        remarks.extend(verdict.allowed.into_iter().map(|what| format!("{name}: {what}")));
        broken.extend(verdict.broken.into_iter().map(|what| format!("{name}: {what}")));
        count += 1;
    }
    for remark in &remarks {
        println!("allowed: {remark}");
    }
    for what in &broken {
        println!("broken: {what}");
    }
    let passed = broken.is_empty() && count > 0;
    println!(
        "restores: {}: {count} restores with the load control; nobody lost, the last within 1.10 of the ideal (4 s where the wire takes less than 20 s), \
         the median at most 0.6 of the last (1,000 machines and more, 30 s of wire and more)",
        if passed { "PASS" } else { "FAIL" }
    );
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn run(name: &str, scenario: &Scenario, control: &str) -> Result<Report, String> {
    let begun = Instant::now();
    let report = restore(scenario).map_err(|error| format!("{name}: {error}"))?;
    println!(
        "{name:<24} {control:<8} {:>6} {:>6} {:>9.1} {:>9.1} {:>7.3} {:>9.1} {:>8} {:>9} {:>9.1}",
        report.nodes,
        report.lost,
        report.seconds,
        report.ideal_seconds,
        report.ratio_to_ideal,
        report.median_seconds,
        report.client_retries,
        report.dropped_in_queue,
        begun.elapsed().as_secs_f64()
    );
    Ok(report)
}

/// What a restore came to, beside the promise.
#[derive(Default)]
struct Verdict {
    /// What is within it by the allowance alone.
    allowed: Vec<String>,
    /// What is not.
    broken: Vec<String>,
}

fn judge(report: &Report) -> Verdict {
    const LONG_WIRE_SECONDS: f64 = 20.0;
    const PART_OF_IDEAL: f64 = 0.10;
    const BESIDE_IDEAL_SECONDS: f64 = 4.0;
    let Report { nodes, lost, seconds, ideal_seconds, wire_seconds, median_seconds, .. } = report;
    let mut verdict = Verdict::default();
    if *lost > 0 {
        verdict.broken.push(format!("{lost} of {nodes} are lost"));
    }
    let beside = |seconds: f64| match *wire_seconds >= LONG_WIRE_SECONDS {
        true => seconds * PART_OF_IDEAL,
        false => BESIDE_IDEAL_SECONDS,
    };
    let most = beside(*ideal_seconds);
    for (kind, firmware) in &report.by_firmware {
        let late = firmware.last_seconds - ideal_seconds;
        let retry = kind_named(kind).map_or(0.0, |kind| kind.retry().as_secs_f64());
        if late <= most {
            continue;
        }
        let said = format!("{kind} is up {late:.1} s after the ideal, which may be {most:.1} s");
        if late <= retry {
            verdict.allowed.push(format!("{said}; its own clock sleeps {retry:.0} s at a time"));
        } else {
            verdict.broken.push(said);
        }
    }
    if *nodes >= 1000 && *wire_seconds >= 30.0 && *median_seconds > 0.6 * seconds {
        verdict.broken.push(format!(
            "half are up after {median_seconds:.1} s, at {:.2} of the last",
            median_seconds / seconds
        ));
    }
    verdict.broken.extend(report.broken.iter().cloned());
    verdict
}
