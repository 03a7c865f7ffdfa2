//! Runs seeds: `seeds [--from N] [--count N] [--tell]`. A seed that fails says how to run it again; `--tell` prints every event of each.
#![allow(
    clippy::print_stdout,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "this is where people look on, and wait"
)]

use heorot_sim::seed;
use heorot_sim::server::Deaths;
use std::process::ExitCode;

fn main() -> ExitCode {
    let (mut from, mut count, mut told) = (0, 1000, false);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next().and_then(|text| text.parse::<u64>().ok());
        match argument.as_str() {
            "--from" => from = number().unwrap_or(from),
            "--count" => count = number().unwrap_or(count),
            "--tell" => told = true,
            other => {
                println!("{other}: there are --from N, --count N and --tell");
                return ExitCode::from(2);
            }
        }
    }
    let begun = std::time::Instant::now();
    let (mut failed, mut events, mut machines, mut reset) = (0, 0, 0, 0);
    let mut deaths = Deaths::default();
    for seed in from..from.saturating_add(count) {
        let outcome = seed::run(seed, told);
        if told {
            print!("{}", outcome.text);
        }
        events += outcome.events;
        machines += outcome.machines.0;
        reset += outcome.machines.1;
        deaths.kills += outcome.deaths.kills;
        deaths.power_cuts += outcome.deaths.power_cuts;
        if !outcome.broken.is_empty() {
            failed += 1;
            println!("seed {seed} FAILED, repeat with: {}", seed::repeat(seed));
            for what in outcome.broken.iter().take(5) {
                println!("  {what}");
            }
        }
    }
    println!(
        "seeds {from} to {}: {failed} failed; {machines} machines, {reset} reset after the storm, {events} events, {:.1} s; \
         the server was killed {} times while it ran, and its power was cut {} times",
        from.saturating_add(count).saturating_sub(1),
        begun.elapsed().as_secs_f64(),
        deaths.kills,
        deaths.power_cuts
    );
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
