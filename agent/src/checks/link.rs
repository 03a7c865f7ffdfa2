//! The link by which the machine was booted: its speed, and what went wrong on it during the trial.

use super::amount::{at_least, count};
use super::{Check, Subject, entries, line};
use crate::quantity;
use std::path::{Path, PathBuf};

/// What has gone wrong since the interface is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counters {
    receive_errors: u64,
    carrier_changes: u64,
}

impl Counters {
    /// `None` if there is no such interface.
    pub(super) fn read(subject: &Subject) -> Option<Self> {
        let interface = find(subject)?;
        let counter = |path: &str| line(&interface.join(path)).and_then(|text| text.parse().ok());
        Some(Self {
            receive_errors: counter("statistics/rx_errors")?,
            carrier_changes: counter("carrier_changes").unwrap_or(0),
        })
    }
}

/// `link`: at least so fast, and at most so many errors since `before`.
pub(super) fn look(check: &Check, subject: &Subject, before: Option<Counters>) -> Result<String, String> {
    let wanted = check.at_least(quantity::bits_per_second)?;
    let errors = check.at_most(count)?;
    let interface = find(subject).ok_or("there is no such interface")?;
    let speed = speed(&interface).ok_or("the driver does not tell the link's speed")?;
    let said = at_least(speed, wanted, quantity::show_rate)?;
    let Some(most) = errors else { return Ok(said) };
    let now = Counters::read(subject);
    let (now, before) = now.zip(before).ok_or("the kernel does not count the link's errors")?;
    let receive = now.receive_errors.saturating_sub(before.receive_errors);
    let carrier = now.carrier_changes.saturating_sub(before.carrier_changes);
    let found = format!("{receive} receive errors and {carrier} changes of the carrier during the trial");
    if receive.saturating_add(carrier) <= most {
        Ok(format!("{said}; {found}, at most {most} wanted"))
    } else {
        Err(format!("{found}, at most {most} wanted"))
    }
}

/// The interface with this hardware address that is no other's child: a bridge or a VLAN has the same.
fn find(subject: &Subject) -> Option<PathBuf> {
    let mac = subject.boot_interface.to_string();
    let is_it = |path: &PathBuf| line(&path.join("address")).is_some_and(|address| address == mac);
    let all: Vec<_> = entries(&subject.sys("class/net")).into_iter().filter(is_it).collect();
    all.iter().find(|path| path.join("device").exists()).or_else(|| all.first()).cloned()
}

/// What the link is able to carry, if the driver knows.
fn speed(interface: &Path) -> Option<u64> {
    let megabits: i64 = line(&interface.join("speed"))?.parse().ok()?;
    u64::try_from(megabits).ok().filter(|&megabits| megabits > 0).map(|megabits| megabits * 1_000_000)
}
