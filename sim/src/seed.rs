//! A seed is a whole run: how many machines of what kinds, what weather, which crashes, when; then the weather clears, and everything has to come right.
//!
//! ```text
//!   storm: loss, crashes, slow and full disks, resets     clear      the lost are reset        all off          all quiet
//!  |------------------------------------------------------|-----------|------------------------|----------------|
//!  0                                                   CLEAR AT    + SETTLING              everybody is up   nothing is left
//! ```

mod knobs;

pub use knobs::Knobs;

use crate::run::{Deed, Run};
use crate::server::Deaths;
use std::time::Duration;

/// What came of a seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// One aligned line for each knob, and for each event if they were wanted.
    pub text: String,
    /// What should not have happened.
    pub broken: Vec<String>,
    /// How many things happened.
    pub events: u64,
    /// How long it took, by the clock of the run.
    pub elapsed: Duration,
    /// How many machines there were, and how many of them had to be reset after the weather had cleared.
    pub machines: (usize, usize),
    /// How the server ended on the way, to be started again.
    pub deaths: Deaths,
}

/// After the weather has cleared, whoever was lost in it is found, or still waits for what it missed; the most patient, GRUB, waits for 187 s.
const SETTLING: Duration = Duration::from_secs(200);

/// How long an honest machine may take on a clear day: a ROM of a minute's patience, and an agent that asks again after 30 s, twice each.
const UP_WITHIN: Duration = Duration::from_secs(240);

/// Until everything that was held for silent machines has been given back: a lease, 150 s of silence, a probe, and the same once more after a restart.
const QUIET_WITHIN: Duration = Duration::from_secs(500);

/// How often the server is asked for all that it knows.
const COMPARED_EVERY: Duration = Duration::from_secs(20);

/// Runs a seed, with a line for every event or without.
pub fn run(seed: u64, with_lines: bool) -> Outcome {
    let knobs = Knobs::draw(seed);
    let mut run = Run::new(knobs.plan(with_lines));
    let mut broken = Vec::new();
    let settled = knobs.clear_at + SETTLING;
    pass(&mut run, settled);
    let reset = reset_the_lost(&mut run);
    pass_until_up(&mut run, settled + UP_WITHIN);
    for (place, host) in run.machines.iter().enumerate() {
        let tale = &host.tale;
        if host.is_busy() || tale.lost.is_some() {
            let what =
                tale.lost.as_ref().map_or_else(|| format!("it is in {}", tale.stage), |(_, why)| why.clone());
            broken
                .push(format!("machine {place} ({:?}) is not up on a clear day: {what}", host.setup().kind));
        }
    }
    switch_off(&mut run);
    let end = run.elapsed() + QUIET_WITHIN;
    pass(&mut run, end);
    broken.extend(run.left_over().into_iter().map(|what| format!("left over at the end: {what}")));
    broken.extend(run.broken().iter().cloned());
    broken.extend(knobs.unexpected(run.surroundings.watch.troubles()));
    Outcome {
        text: format!("{knobs}{}", run.take_lines()),
        broken,
        events: run.handled(),
        elapsed: run.elapsed(),
        machines: (run.machines.len(), reset),
        deaths: run.deaths(),
    }
}

/// The command that runs a seed again and prints every event.
pub fn repeat(seed: u64) -> String {
    format!("cargo run --release -p heorot-sim --example seeds -- --from {seed} --count 1 --tell")
}

/// Time passes, and the server is asked now and then.
fn pass(run: &mut Run, until: Duration) {
    while run.elapsed() < until {
        run.run_until((run.elapsed() + COMPARED_EVERY).min(until));
        run.compare();
    }
}

/// The same until every machine is up or lost.
fn pass_until_up(run: &mut Run, limit: Duration) {
    while run.elapsed() < limit && run.busy() > 0 {
        let next = run.elapsed() + COMPARED_EVERY;
        pass(run, next.min(limit));
    }
}

/// Somebody comes and resets every machine that gave up, or still hangs in what went wrong before.
fn reset_the_lost(run: &mut Run) -> usize {
    let is_lost = |place: &u32| {
        let host = &run.machines[*place as usize];
        !host.is_on || host.tale.lost.is_some() || host.is_busy()
    };
    let lost: Vec<u32> =
        (0..run.machines.len()).filter_map(|place| u32::try_from(place).ok()).filter(is_lost).collect();
    for place in &lost {
        run.carry_out(Deed::PowerOn(*place));
    }
    lost.len()
}

fn switch_off(run: &mut Run) {
    for place in 0..run.machines.len() {
        run.carry_out(Deed::PowerOff(u32::try_from(place).expect("there are forty")));
    }
}

#[cfg(test)]
mod tests;
