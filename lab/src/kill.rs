//! `make kill`: the server is killed at random moments of a boot over TFTP and started again; the boot has to go on.

use crate::demo::{Up, machine_mac};
use crate::machine::{Firmware, Machine};
use crate::server::{Server, Settings};
use std::collections::BTreeMap;
use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};

/// Boots a BIOS machine `rounds` times and kills the server once in each, at moments that `seed` sets: in odd rounds the same machine
/// again, in even ones a machine that nobody has seen before. No more than [`MAXIMUM_ROUNDS`].
///
/// # Errors
/// In words, if a boot does not come to its end, or a number or an address changes.
pub fn run(rounds: u8, seed: u64, output: &mut impl Write) -> Result<String, String> {
    if rounds > MAXIMUM_ROUNDS {
        return Err(format!("{rounds} rounds: {MAXIMUM_ROUNDS} at most"));
    }
    let mut server = Server::start(&Settings::through_pxelinux())?;
    let outcome = walk(&mut server, rounds, seed, output);
    server.explain_failure(outcome)
}

fn walk(server: &mut Server, rounds: u8, seed: u64, output: &mut impl Write) -> Result<String, String> {
    let mut say =
        |text: &str| writeln!(output, "{text}").and_then(|()| output.flush()).map_err(|e| e.to_string());
    let mut chance = Chance(seed);
    let mut known = Machine::start(&server.network, Firmware::Bios, machine_mac(1))?;
    let first = Up::wait(&known)?;
    known.power_cycle()?;
    let second = Up::wait(&known)?;
    let mut numbered = BTreeMap::from([(known.mac, second.clone())]);
    let (to_a_number, again) = (first.after, second.after);
    say(&format!(
        "seed {seed}; without trouble: {} in {:.1} s, and again in {:.1} s",
        first.name,
        to_a_number.as_secs_f64(),
        again.as_secs_f64()
    ))?;

    for round in 1..=rounds {
        let is_known = round % 2 == 1;
        let moment = if is_known { again } else { to_a_number }.mul_f64(chance.fraction());
        let away = Duration::from_millis(200).mul_f64(1.0 + 7.0 * chance.fraction());
        // A machine of the round before is switched off before the next begins.
        let fresh;
        let machine = if is_known {
            known.power_cycle()?;
            &known
        } else {
            fresh = Machine::start(&server.network, Firmware::Bios, machine_mac(1 + round))?;
            &fresh
        };
        thread::sleep((machine.powered_at + moment).saturating_duration_since(Instant::now()));
        let killed_at = machine.elapsed(Instant::now());
        let during = machine.lines().last().map(|line| line.text.trim().chars().take(60).collect::<String>());
        server.kill();
        thread::sleep(away);
        let started_at = Instant::now();
        server.start_again()?;
        let gone = away + started_at.elapsed();
        let up = Up::wait(machine)
            .map_err(|error| format!("killed at {:.1} s: {error}", killed_at.as_secs_f64()))?;
        say(&format!(
            "round {round:2}: killed at {:5.2} s (\"{}\"), back after {:.2} s: {} up in {:.1} s",
            killed_at.as_secs_f64(),
            during.unwrap_or_default(),
            gone.as_secs_f64(),
            up.name,
            up.after.as_secs_f64()
        ))?;
        let before = numbered.insert(machine.mac, up.clone());
        if let Some(before) = before.filter(|before| (&before.name, before.address) != (&up.name, up.address))
        {
            return Err(format!(
                "{} at {} became {} at {}",
                before.name, before.address, up.name, up.address
            ));
        }
        still_as_they_were(server, &numbered)?;
    }
    Ok(format!("{rounds} of {rounds} boots went on, every number and address is as it was"))
}

/// Nobody's number or address has changed, by the server's own word.
fn still_as_they_were(
    server: &Server,
    numbered: &BTreeMap<heorot_agent::frame::Mac, Up>,
) -> Result<(), String> {
    for (mac, up) in numbered {
        let node = server.ask(&["explain", &mac.to_string()])?;
        if node["name"] != up.name.as_str() || node["address"] != up.address.to_string().as_str() {
            return Err(format!("{mac} was {} at {}, and is {node} now", up.name, up.address));
        }
    }
    Ok(())
}

/// Chance from a seed (SplitMix64), the same on every machine.
struct Chance(u64);

impl Chance {
    /// A number in 0..1.
    fn fraction(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((value ^ (value >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Each has a machine of its own, told apart by the last byte of its hardware address.
pub const MAXIMUM_ROUNDS: u8 = 200;
