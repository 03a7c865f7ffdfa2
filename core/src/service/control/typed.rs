//! How operators type whom they mean.

use crate::hall::Turn;
use crate::mac::Mac;

/// The hardware address that a text is: with colons or hyphens, or as switches and labels show it. What is a number, a range of numbers or somebody's name in that form is no address.
pub(super) fn mac(turn: &Turn<'_>, text: &str) -> Option<Mac> {
    text.parse().ok().or_else(|| Mac::of_switch(text).filter(|_| !is_number(text) && !is_name(turn, text)))
}

/// A name without the zone and its dots, in small letters.
pub(super) fn label(turn: &Turn<'_>, name: &str) -> String {
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    let zone = turn.hall.directory.zone.as_str();
    let label = name.strip_suffix(zone).and_then(|label| label.strip_suffix('.'));
    label.map(str::to_owned).unwrap_or(name)
}

/// `000000000023` and `000001-000003`.
fn is_number(text: &str) -> bool {
    let is_one = |part: &str| part.bytes().all(|octet| octet.is_ascii_digit()) && part.parse::<u32>().is_ok();
    match text.split_once('-') {
        Some((lowest, highest)) => is_one(lowest) && is_one(highest),
        None => is_one(text),
    }
}

fn is_name(turn: &Turn<'_>, text: &str) -> bool {
    let label = label(turn, text);
    turn.hall.directory.number(&label).is_some()
        || turn.config.hosts.iter().any(|host| host.name.as_deref() == Some(&label))
        || turn.hall.naming.address(&label).is_some()
}
