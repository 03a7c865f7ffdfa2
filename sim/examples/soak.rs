//! A soak: machines reboot and reboot, and in the end the server's tables and the heap are what they were in the beginning.
//! `soak [MACHINES] [REBOOTS]`, a thousand each if nothing is said.
#![allow(clippy::print_stdout, clippy::disallowed_types, reason = "this is where people look on, and wait")]
#![allow(unsafe_code, reason = "an allocator that counts is one by contract")]

use heorot_sim::restore::{Scenario, begun};
use heorot_sim::run::{Deed, Run};
use std::alloc::{GlobalAlloc, Layout, System};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// The system's allocator, and what it has given and not got back.
struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);

// SAFETY: everything is done by the system's allocator; only sizes are added up.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Reboots before the beginning: histories are full then, and every list has been as long as it gets.
const WARM: u32 = 20;
/// From one reboot to the next: after this, a DISCOVER is another boot's.
const PERIOD: Duration = Duration::from_secs(75);
/// Until everything that was held for silent machines has been given back.
const QUIET: Duration = Duration::from_secs(300);

fn main() -> ExitCode {
    let mut numbers = std::env::args().skip(1).filter_map(|text| text.parse::<u32>().ok());
    let (machines, reboots) = (numbers.next().unwrap_or(1000), numbers.next().unwrap_or(1000));
    let clock = std::time::Instant::now();
    let delay = |name: &str| (name.to_owned(), [0.2, 2.0]);
    let usual = Scenario::default();
    let scenario = Scenario {
        nodes: machines,
        image_octets: 64_000,
        loader_octets: Some(10_000),
        window_milliseconds: 2000,
        agent_after_seconds: Some(1.0),
        rom_delay_seconds: usual.rom_delay_seconds.keys().map(|name| delay(name)).collect(),
        ..usual
    };
    let mut run = match begun(&scenario) {
        Ok(run) => run,
        Err(why) => {
            println!("{why}");
            return ExitCode::FAILURE;
        }
    };
    let mut lost = reboot(&mut run, machines, WARM);
    let before = Rest::of(&mut run, machines, 0);
    lost += reboot(&mut run, machines, reboots);
    // What was written down of the beginning is not the server's.
    let after = Rest::of(&mut run, machines, before.nodes.capacity() + before.transfers.capacity());
    let tables = before.nodes == after.nodes && before.transfers == after.transfers;
    let heap = after.heap.abs_diff(before.heap) * 100 <= before.heap;
    let whole = run.broken().is_empty() && run.left_over().is_empty();
    println!(
        "{machines} machines, {reboots} reboots, {lost} lost; heap {} before, {} after; tables {}; {} events, {:.0} s",
        before.heap,
        after.heap,
        if tables { "as before" } else { "DIFFER" },
        run.handled(),
        clock.elapsed().as_secs_f64()
    );
    for what in run.broken().iter().chain(&run.left_over()).take(5) {
        println!("  {what}");
    }
    if !tables {
        before.differences(&after);
    }
    if tables && heap && whole && lost == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// All machines are reset so often. How many of them gave up, or were not done when their next reset came.
fn reboot(run: &mut Run, machines: u32, times: u32) -> usize {
    let mut lost = 0;
    for _ in 0..times {
        (0..machines).for_each(|machine| run.carry_out(Deed::PowerOn(machine)));
        run.run_until(run.elapsed() + PERIOD);
        let (done, _) = run.done();
        lost += machines as usize - done;
    }
    lost
}

/// What there is when all machines are off and nothing is left to be done.
struct Rest {
    nodes: String,
    transfers: String,
    heap: usize,
}

impl Rest {
    fn of(run: &mut Run, machines: u32, own: usize) -> Self {
        (0..machines).for_each(|machine| run.carry_out(Deed::PowerOff(machine)));
        run.run_until(run.elapsed() + QUIET);
        run.compare();
        let heap = HELD.load(Ordering::Relaxed) - own;
        let (nodes, transfers) = run.dump().unwrap_or_default();
        Self { nodes: without_moments(&nodes), transfers: without_numbers(&transfers), heap }
    }

    /// The first places where two differ.
    fn differences(&self, other: &Self) {
        for (a, b) in [(&self.nodes, &other.nodes), (&self.transfers, &other.transfers)] {
            let place =
                a.bytes().zip(b.bytes()).position(|(a, b)| a != b).unwrap_or_else(|| a.len().min(b.len()));
            let around =
                |text: &str| text.chars().skip(place.saturating_sub(100)).take(300).collect::<String>();
            println!("  - {}\n  + {}", around(a), around(b));
        }
    }
}

/// Every element with all that does not tell when it was, or in which of many equal boots: its stamps and tokens are blanked, and so is the oldest event of a
/// history, which may be any step of a boot.
fn without_moments(json: &str) -> String {
    let mut value: serde_json::Value = serde_json::from_str(json).unwrap_or_default();
    blank(&mut value);
    value.to_string()
}

fn blank(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(map) => {
            for (key, value) in map.iter_mut() {
                if key == "history" {
                    *value = serde_json::json!(value.as_array().map(Vec::len));
                }
                blank(value);
            }
        }
        serde_json::Value::Array(list) => list.iter_mut().for_each(blank),
        serde_json::Value::String(text) => {
            let is_stamp = text.len() == 24 && text.ends_with('Z');
            let is_token = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
            if is_stamp || is_token {
                text.clear();
            }
        }
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {}
    }
}

/// Every element with its form: counters, identifiers and moments go on, places do not come to be or vanish. How many slots for notes were ever in use at
/// a time is left out: they are given back, and taken again before there is another one.
fn without_numbers(text: &str) -> String {
    let mut short = String::with_capacity(text.len());
    for c in text.chars() {
        if !c.is_ascii_digit() {
            short.push(c);
        } else if !short.ends_with('0') {
            short.push('0');
        }
    }
    short.replace(", 0", "").replace("{0}", "{}")
}
