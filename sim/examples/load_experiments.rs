//! The figures of docs/load.md: `load_experiments backoff NODES...` and `load_experiments throttle`, each as a Markdown table. The same every time.
#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "this is where people look on")]

use heorot_sim::report::Report;
use heorot_sim::restore::{ControlWord, Scenario, restore};

fn main() -> Result<(), String> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((what, nodes)) if what == "backoff" => {
            let number = |text: &String| text.parse().map_err(|_| format!("{text} is no number of machines"));
            backoff(&nodes.iter().map(number).collect::<Result<Vec<u32>, _>>()?)
        }
        Some((what, [])) if what == "throttle" => throttle(),
        Some(_) | None => Err("load_experiments backoff NODES... | throttle".into()),
    }
}

/// When the server repeats a packet that was not answered: after 1, 2, 4 s and so on, after half a second, or after a measured round trip.
fn backoff(nodes: &[u32]) -> Result<(), String> {
    const RESENDS: [(Option<u64>, bool); 3] = [(Some(1000), true), (Some(500), false), (None, false)];
    println!(
        "| machines | loss | ideal | 1-2-4 s: lost, median, last | 0.5 s: lost, median, last | measured: lost, median, last |"
    );
    println!("| --- | --- | --- | --- | --- | --- |");
    for nodes in nodes {
        for loss in [0.0, 0.001, 0.01, 0.05] {
            let mut cells = Vec::new();
            let mut ideal = 0.0;
            for (resend_milliseconds, resend_doubles) in RESENDS {
                let scenario = Scenario {
                    nodes: *nodes,
                    loss,
                    resend_milliseconds,
                    resend_doubles,
                    image_octets: if *nodes > 1000 { 1_000_000 } else { 4_000_000 },
                    ..without_pi()
                };
                let report = restore(&scenario)?;
                ideal = report.ideal_seconds;
                cells.push(outcome(&report));
            }
            println!("| {nodes} | {} % | {ideal:.1} s | {} |", loss * 100.0, cells.join(" | "));
        }
    }
    Ok(())
}

/// How much of the load control is at work.
fn throttle() -> Result<(), String> {
    const CONTROLS: [(ControlWord, &str); 4] = [
        (ControlWord::Nothing, "nothing"),
        (ControlWord::Total, "total"),
        (ControlWord::TotalAndWindows, "total and windows"),
        (ControlWord::All, "all"),
    ];
    println!(
        "| machines, image, link | control | lost | half up | last up | ideal | dropped | sent again | clients' retries |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    for (nodes, megabytes, megabits) in
        [(1000, 4, 1000), (1000, 4, 100), (100, 4, 100), (100, 200, 1000), (1000, 1, 10)]
    {
        for (control, word) in CONTROLS {
            let scenario = Scenario {
                nodes,
                control,
                image_octets: megabytes * 1_000_000,
                link_bits_per_second: megabits * 1_000_000,
                ..without_pi()
            };
            let report = restore(&scenario)?;
            let Report { lost, median_seconds, seconds, ideal_seconds, .. } = report;
            println!(
                "| {nodes} x {megabytes} MB, {megabits} Mbit/s | {word} | {lost} | {median_seconds:.1} s | {seconds:.1} s | {ideal_seconds:.1} s | {} | {} | {} |",
                report.dropped_in_queue, report.resent, report.client_retries
            );
        }
    }
    Ok(())
}

/// The usual mix, but for the machine whose own clock sleeps for a minute and hides everything else.
fn without_pi() -> Scenario {
    let mut scenario = Scenario::default();
    scenario.mix.insert("raspberry-pi".into(), 0);
    scenario
}

fn outcome(report: &Report) -> String {
    format!("{}, {:.1} s, {:.1} s", report.lost, report.median_seconds, report.seconds)
}
