//! Runs a power restore and prints what came of it: `restore [--json | --tell] [FILE] [key=value ...]`, where the keys are those of the scenario's text.
#![allow(
    clippy::print_stdout,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "this is where people look on, and wait"
)]

use heorot_sim::report::Report;
use heorot_sim::restore::{Scenario, restore, tell};

fn main() -> Result<(), String> {
    let mut text = String::new();
    let (mut json, mut told) = (false, false);
    for argument in std::env::args().skip(1) {
        if argument == "--json" {
            json = true;
        } else if argument == "--tell" {
            told = true;
        } else if let Some((key, value)) = argument.split_once('=') {
            // Keys of the scenario itself come before its tables; a later line replaces an earlier one.
            let line = format!("{key} = {value}\n");
            text = text
                .lines()
                .filter(|old| old.split('=').next().map(str::trim) != Some(key))
                .fold(line, |text, old| text + old + "\n");
        } else {
            text = std::fs::read_to_string(&argument).map_err(|error| format!("{argument}: {error}"))?;
        }
    }
    let scenario = Scenario::parse(&text)?;
    if told {
        print!("{}", tell(&scenario)?);
        return Ok(());
    }
    let begun = std::time::Instant::now();
    let report = restore(&scenario)?;
    if json {
        println!("{}", serde_json::to_string_pretty(&report).map_err(|error| error.to_string())?);
    } else {
        show(&report);
        println!("simulated in {:.1} s", begun.elapsed().as_secs_f64());
    }
    Ok(())
}

fn show(report: &Report) {
    let Report { nodes, lost, seconds, ideal_seconds, ratio_to_ideal, median_seconds, .. } = report;
    println!(
        "{nodes} nodes, {lost} lost, {seconds:.1} s, ideal {ideal_seconds:.1} s, ratio {ratio_to_ideal:.3}, median {median_seconds:.1} s"
    );
    println!(
        "retries {}, resent {}, dropped in queue {}, lost on wire {}, dropped in sockets {}, events {}",
        report.client_retries,
        report.resent,
        report.dropped_in_queue,
        report.lost_on_wire,
        report.kernel_drops,
        report.events
    );
    println!("{:?}", report.high_water);
    for (name, firmware) in &report.by_firmware {
        println!(
            "  {name:<13} {:>6} nodes {:>6} lost  median {:>8.1} s  last {:>8.1} s  retries {}",
            firmware.nodes,
            firmware.lost,
            firmware.median_seconds,
            firmware.last_seconds,
            firmware.client_retries
        );
    }
    for regime in &report.regimes {
        println!("  from {:>8.1} s  {}", regime.from_seconds, regime.regime);
    }
    for lost in report.lost_machines.iter().take(10) {
        println!("  lost {} {} at {:.1} s: {}", lost.mac, lost.firmware, lost.seconds, lost.why);
    }
    for text in report.troubles.iter().chain(&report.broken).take(20) {
        println!("  {text}");
    }
}
