//! heorot is killed under load, again and again: whatever it has acknowledged it has to know when it comes back. `make kill-leases`.
//!
//! Fresh hosts ask 64 at a time; at a random moment the server gets SIGKILL; it is started again and asked for all its nodes. In every other trial hosts get numbers
//! at once, for what is promised then is for ever.

use crate::dhcp::{self, KILLED_WITHIN, packet::mac, servers::heorot_configuration};
use crate::files::Files;
use crate::link::Link;
use crate::say;
use crate::start::{Server, forget};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::thread;

const USAGE: &str = "usage: heorot-bench kills [trials=1000] [seed=1]";
/// Hosts of a trial: more than ask before it is over.
const HOSTS: u32 = 2000;
/// All is forgotten after so many trials, before the addresses run out.
const TRIALS_A_STATE: u64 = 8;
const SAID_EVERY: u64 = 50;

/// Runs the trials.
///
/// # Errors
/// In words: the server has forgotten what it acknowledged, or the trials could not be run.
pub(crate) fn run(words: &[String]) -> Result<(), String> {
    let [trials, seed] = parse(words)?;
    let (files, cable) = (Files::new(1_000_000)?, Link::unshaped()?);
    let mut chance = seed;
    let mut acknowledged = 0;
    let mut known: BTreeMap<u32, Ipv4Addr> = BTreeMap::new();
    for trial in 0..trials {
        if trial % TRIALS_A_STATE == 0 {
            forget(&files);
            known.clear();
        }
        let policy = if (trial / TRIALS_A_STATE).is_multiple_of(2) { "report" } else { "none" };
        let configuration =
            format!("{}\n[trial]\npolicy = \"{policy}\"\n", heorot_configuration(&files, &(0..0)));
        let server = Server::start(&cable, &files, &configuration)?;
        let moment = KILLED_WITHIN.mul_f64(fraction(&mut chance));
        let first = u32::try_from(trial % TRIALS_A_STATE).map_err(|error| error.to_string())? * HOSTS;
        let number = u32::try_from(trial).map_err(|error| error.to_string())? << 16;
        let leases = dhcp::boot_until(&cable, first..first + HOSTS, number, || {
            thread::sleep(moment);
            drop(server); // with SIGKILL
        })?;
        acknowledged += leases.len();
        known.extend(leases);
        let server = Server::start(&cable, &files, &configuration)?;
        let lost = lost(&known, &server.nodes()?);
        if !lost.is_empty() {
            return Err(format!("trial {trial}, killed after {moment:?}: {}", lost.join(", ")));
        }
        if (trial + 1) % SAID_EVERY == 0 {
            say(&format!(
                "{} kills, {acknowledged} leases and numbers acknowledged before, none lost\n",
                trial + 1
            ));
        }
    }
    Ok(())
}

/// What was acknowledged and is not known, in words.
fn lost(known: &BTreeMap<u32, Ipv4Addr>, nodes: &[serde_json::Value]) -> Vec<String> {
    let text = |node: &serde_json::Value, key: &str| node[key].as_str().map(str::to_owned);
    let of_mac: BTreeMap<String, [Option<String>; 2]> = nodes
        .iter()
        .filter_map(|node| {
            Some((text(node, "mac")?, [text(node, "address"), text(node, "temporary_address")]))
        })
        .collect();
    let is_lost = |(host, address): &(&u32, &Ipv4Addr)| {
        let has = of_mac.get(&mac(**host).to_string());
        has.is_none_or(|has| !has.iter().flatten().any(|known| *known == address.to_string()))
    };
    let lost = known.iter().filter(is_lost);
    lost.map(|(host, address)| format!("{} had {address}", mac(*host))).collect()
}

/// From 0 to 1 (SplitMix64).
fn fraction(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

fn parse(words: &[String]) -> Result<[u64; 2], String> {
    let mut numbers = [1000, 1];
    for word in words {
        let wrong = || format!("{word:?} is not understood\n{USAGE}");
        let (key, value) = word.split_once('=').ok_or_else(wrong)?;
        let place = ["trials", "seed"].iter().position(|known| *known == key).ok_or_else(wrong)?;
        // What a Makefile leaves empty was not asked for.
        if !value.is_empty() {
            numbers[place] = value.parse().map_err(|_| wrong())?;
        }
    }
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_any_more_is_named() {
        let known = BTreeMap::from([(0, Ipv4Addr::new(10, 77, 1, 1)), (1, Ipv4Addr::new(10, 77, 1, 2))]);
        let node = |host: u32, key: &str, address: &str| serde_json::json!({ "mac": mac(host).to_string(), key: address });
        let all = [node(0, "address", "10.77.1.1"), node(1, "temporary_address", "10.77.1.2")];
        assert_eq!(lost(&known, &all), Vec::<String>::new());
        assert_eq!(lost(&known, &all[..1]), [format!("{} had 10.77.1.2", mac(1))]);
        let other = [all[0].clone(), node(1, "address", "10.77.1.3")];
        assert_eq!(lost(&known, &other).len(), 1);
    }
}
