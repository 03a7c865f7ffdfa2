//! `heorot storm`, run at the far end of the link.

use crate::files::{INITRD, KERNEL, WHOLE};
use crate::link::{INTERFACE, Link, SERVER};
use crate::servers::heorot;
use crate::table::Row;
use crate::wanted::Wanted;

/// The first plain client's address. They are no machines that any DHCP server knows.
const FIRST_PLAIN: &str = "10.77.10.0";
/// How long a run may take: so many times as long as the wire, and a minute and a half for boots and timers.
const TIMES_THE_WIRE: u64 = 4;
const SECONDS_BESIDE: u64 = 90;
/// What a machine loads beside the image, about.
const BOOT_OCTETS: u64 = 1_000_000;

/// Machines from power-on.
pub(crate) fn machines(link: &Link, wanted: &Wanted, rate: &str, seed: u64) -> Result<Row, String> {
    let (nodes, seed) = (wanted.nodes.to_string(), seed.to_string());
    let octets = u64::from(wanted.nodes) * (wanted.image_octets as u64 + BOOT_OCTETS);
    let seconds = patience(octets, rate).to_string();
    let mut arguments = vec![
        "--nodes",
        &nodes,
        "--image",
        KERNEL,
        "--image",
        INITRD,
        "--within",
        &wanted.within,
        "--seed",
        &seed,
        "--link",
        rate,
        "--seconds",
        &seconds,
    ];
    if let Some(mix) = &wanted.mix {
        arguments.extend(["--mix", mix]);
    }
    run(link, &arguments)
}

/// TFTP clients alone.
pub(crate) fn plain(
    link: &Link,
    wanted: &Wanted,
    rate: &str,
    clients: u32,
    window: u16,
    seed: u64,
) -> Result<Row, String> {
    let (nodes, window, seed) = (clients.to_string(), window.to_string(), seed.to_string());
    let seconds = patience(u64::from(clients) * wanted.image_octets as u64, rate).to_string();
    let arguments = [
        "--plain",
        "--nodes",
        &nodes,
        "--addresses",
        FIRST_PLAIN,
        "--image",
        WHOLE,
        "--window",
        &window,
        "--within",
        &wanted.within,
        "--seed",
        &seed,
        "--link",
        rate,
        "--seconds",
        &seconds,
    ];
    run(link, &arguments)
}

/// TFTP clients alone that ask for windows of so many blocks, and repeat themselves after a while.
pub(crate) fn repeating(
    link: &Link,
    wanted: &Wanted,
    window: u16,
    retry: &str,
    seed: u64,
) -> Result<Row, String> {
    let (nodes, window, seed) = (wanted.nodes.to_string(), window.to_string(), seed.to_string());
    let seconds = SECONDS_BESIDE.to_string();
    let arguments = [
        "--plain",
        "--nodes",
        &nodes,
        "--addresses",
        FIRST_PLAIN,
        "--image",
        WHOLE,
        "--window",
        &window,
        "--retry",
        retry,
        "--within",
        &wanted.within,
        "--seed",
        &seed,
        "--seconds",
        &seconds,
    ];
    run(link, &arguments)
}

fn run(link: &Link, arguments: &[&str]) -> Result<Row, String> {
    let mut command = link.clients.command(heorot()?);
    command.args(["storm", "--interface", INTERFACE, "--server", &SERVER.to_string(), "--output", "json"]);
    // It ends by itself, at --seconds at the latest.
    let output = command.args(arguments).output().map_err(|error| format!("heorot storm: {error}"))?;
    // Exit 1: machines are lost, which is a result.
    match output.status.code() {
        Some(0 | 1) => serde_json::from_slice(&output.stdout)
            .map_err(|error| format!("heorot storm: {error}"))
            .map(|report| Row::of(&report)),
        _ => Ok(Row::none(String::from_utf8_lossy(&output.stderr).trim())),
    }
}

fn patience(octets: u64, rate: &str) -> u64 {
    let digits: u64 = rate.trim_end_matches(char::is_alphabetic).parse().unwrap_or(1);
    let bits = digits * if rate.ends_with("Gbit") { 1_000_000_000 } else { 1_000_000 };
    TIMES_THE_WIRE * octets * 8 / bits.max(1) + SECONDS_BESIDE
}
