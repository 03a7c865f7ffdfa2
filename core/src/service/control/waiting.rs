//! What has to happen for a node to go on, and what the operator can do.

use super::{misplaced, others, silent_firmware, silent_loader, unheard, unnumbered};
use crate::cluster::node::{Delivery, Node, Offers, Way};
use crate::cluster::stage::{Phase, Stage};
use crate::cluster::trouble::{Beside, Trouble};
use crate::config::{Mode, Policy};
use crate::event::printable;
use crate::hall::Turn;
use crate::limit::{BOOT_BEGINS_AFTER, TOLD_LETTERS_MAX};
use crate::time::Wall;

/// What has to happen for a node to go on.
pub(super) fn waiting_for(turn: &Turn<'_>, node: &Node) -> Option<String> {
    if node.orders.standing.is_some() {
        return Some("an operator to accept it".into());
    }
    // Whatever it was when it was answered last; but for one that is up.
    if node.stage != Stage::Up && others::ignored(turn, node).is_some() {
        return Some("an answer, which it does not get".into());
    }
    wanting(node).or_else(|| next_step(turn, node).map(str::to_owned))
}

/// An address or a file that it asked for and does not have, and does not go on without.
fn wanting(node: &Node) -> Option<String> {
    let is_booting = node.stage.is_booting();
    let path = |path: &String| printable(path, TOLD_LETTERS_MAX);
    if let Some(lacking) = node.boot.lacks.as_ref().filter(|_| is_booting) {
        return Some(format!("{}, which it asked for and was not given", path(lacking)));
    }
    // Whoever was offered something since then has it no more among his troubles.
    if node.beside.contains_key(&Beside::NoAddress) && (node.stage == Stage::Seen || is_booting) {
        return Some("a free address".into());
    }
    if is_booting && node.phase <= Some(Phase::Dhcp) && node.beside.contains_key(&Beside::NoFile) {
        return Some("a boot file for its firmware, which was offered none".into());
    }
    let has_address = is_booting && node.phase > Some(Phase::Dhcp);
    match node.offers.count {
        0 => {}
        1 if has_address => {}
        count if count > 1 && (is_booting || node.stage == Stage::Seen) => {
            return Some(format!("its REQUEST for an address: {count} offers were not taken"));
        }
        _ if is_booting => return Some("its REQUEST for an address".into()),
        _ => {}
    }
    let Delivery { path: wanted, way, .. } = node.boot.delivery.as_deref().filter(|_| is_booting)?;
    Some(match way {
        Way::Failed => format!("{}, which did not get through", path(wanted)),
        Way::Under => format!("{} to be delivered", path(wanted)),
        Way::Part => format!("its loader to ask for the rest of {}, of which it has a part", path(wanted)),
        Way::Left => {
            format!("its loader to ask for {} again, which it looked at and did not load", path(wanted))
        }
    })
}

/// What comes next.
fn next_step(turn: &Turn<'_>, node: &Node) -> Option<&'static str> {
    let by_operator = turn.config.trial.policy == Policy::Accept && !node.orders.accepted;
    match (node.stage, node.phase) {
        (Stage::Temporary, Some(Phase::Agent)) if by_operator => Some("an operator to accept it"),
        // Nothing that it does has it go on here.
        (Stage::Seen, _) if is_looked_on(turn, node) => None,
        // It had one in this boot, and loaded something.
        (Stage::Seen, _) if node.boot.loaded.is_some() && node.offers.count == 0 => Some("its next boot"),
        (Stage::Seen, _) if node.is_only_named() => Some("its firmware to ask for an address"),
        // It is listed, or was known before a restart.
        (Stage::Seen, _) if node.asked.is_none() => Some("its DISCOVER, when it is switched on"),
        // Firmware that asks again after so long begins another one.
        (Stage::Seen, _) if node.offers.count == 0 && is_long_silent(turn, node) => Some("its next boot"),
        (Stage::Seen, _) => Some("its REQUEST for an address"),
        (Stage::Temporary | Stage::Booting, None | Some(Phase::Dhcp)) => {
            Some("its firmware to ask for the boot file")
        }
        (Stage::Temporary | Stage::Booting, Some(Phase::Loader)) => Some("its loader to ask for the kernel"),
        (Stage::Temporary, Some(Phase::Kernel | Phase::Initrd)) if node.boot.system_asked.is_some() => {
            Some("its agent: its system runs, and has asked for its address")
        }
        (Stage::Booting, Some(Phase::Kernel | Phase::Initrd)) if node.boot.system_asked.is_some() => {
            Some("its system, which runs and has asked for its address, to say that it is up")
        }
        (Stage::Temporary | Stage::Booting, Some(Phase::Kernel)) => {
            Some("its loader to ask for the initial RAM disk")
        }
        (Stage::Temporary | Stage::Booting, Some(Phase::Initrd)) => Some("its kernel to start the agent"),
        (Stage::Temporary, Some(Phase::Agent)) => Some("a number"),
        (Stage::Booting, Some(Phase::Agent)) => Some("its agent to say that the system runs"),
        (Stage::Testing, _) => Some("its agent to report the trial"),
        (Stage::Failed, _) => Some("its agent to report that the trial passes, or another boot"),
        (Stage::Ready, _) => Some("its agent to say that the system runs, or another boot"),
        (Stage::Down, _) => Some("its next boot"),
        (Stage::Up, _) => None,
    }
}

fn is_long_silent(turn: &Turn<'_>, node: &Node) -> bool {
    node.asked_at.is_some_and(|asked| turn.now.since(asked) > BOOT_BEGINS_AFTER)
}

/// Whether another server serves it, and we look on.
fn is_looked_on(turn: &Turn<'_>, node: &Node) -> bool {
    let network = node.network.and_then(|place| turn.config.networks.get(place));
    network.is_some_and(|network| network.mode == Mode::Shadow)
}

/// What the operator can do for a node that does not get on.
pub(super) fn to_do(turn: &Turn<'_>, wall: Wall, node: &Node) -> Option<String> {
    if node.orders.standing.is_some() {
        let who = node.number.map_or_else(|| node.mac.to_string(), |number| turn.name(number));
        return Some(format!("heorot node accept {who}, if it is to serve again"));
    }
    let remedy = |trouble: &Trouble| trouble.to_do.clone();
    let beside = |ends_boots: bool| {
        let mut beside = node.beside.iter().filter(move |(kind, _)| kind.ends_boots() == ends_boots);
        beside.find_map(|(_, trouble)| remedy(trouble))
    };
    misplaced(turn, node)
        .and_then(|trouble| trouble.to_do)
        .or_else(|| held_up(turn, node))
        .or_else(|| node.boot.refused_secrets.as_deref().and_then(remedy))
        .or_else(|| node.trouble.as_ref().and_then(remedy))
        .or_else(|| beside(true))
        .or_else(|| node.boots_in_vain(turn.now)?.troubles.iter().find_map(remedy))
        .or_else(|| beside(false))
        .or_else(|| others::ignored(turn, node).or_else(|| turn.misaddressed(node))?.to_do)
        .or_else(|| turn.without_its_profile(node)?.to_do)
        .or_else(|| silent_loader::to_do(turn, node))
        .or_else(|| silent_firmware::to_do(turn, node))
        .or_else(|| (node.stage == Stage::Down).then(|| unheard::switch_on(turn, wall, node)))
        .or_else(|| broken_off(node).map(str::to_owned))
        .or_else(|| unnumbered::trouble(turn, node)?.to_do)
        .or_else(|| where_it_stands(turn, node).map(str::to_owned))
}

/// What can be done for one that waits for a file of a file system that does not answer. Who gets octets of it has it from memory.
fn held_up(turn: &Turn<'_>, node: &Node) -> Option<String> {
    let is_waiting = |delivery: &&Delivery| node.stage.is_booting() && delivery.octets == 0;
    let Delivery { path, .. } = node.boot.delivery.as_deref().filter(is_waiting)?;
    let is_below = |directory: &str| {
        directory.is_empty() || path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'))
    };
    // The innermost comes last.
    let (_, why) = turn.hall.held_up_files.iter().rfind(|(directory, _)| is_below(directory))?;
    Some(format!("{} is on {why}", printable(path, TOLD_LETTERS_MAX)))
}

/// What can be done for one that broke off the connection by which it was sent a file, and asks for nothing since. What else keeps a file from it stands among its troubles.
fn broken_off(node: &Node) -> Option<&'static str> {
    let has_failed = node.boot.delivery.as_ref().is_some_and(|delivery| delivery.has_failed);
    (node.stage.is_booting() && has_failed).then_some(
        "look at its console, which says why it broke off: it may have too little memory for the file, or was switched off",
    )
}

/// What can be done for one that stands still, or goes in a circle, and nothing says why.
fn where_it_stands(turn: &Turn<'_>, node: &Node) -> Option<&'static str> {
    /// A boot that takes this long between two phases is stuck: a kernel and its RAM disk of 200 MB on a full link are there before.
    const STUCK_SECONDS: u64 = 300;
    /// Firmware asks four times in this time, and takes the first offer that it hears.
    const UNTAKEN_SECONDS: u64 = 60;
    let is_untaken = |Offers { count, since, .. }: Offers| {
        count > 1 && since.is_some_and(|since| turn.now.since(since).as_secs() >= UNTAKEN_SECONDS)
    };
    // The boots of a circle are short, and how far they get is told by the last one. One that is further goes in it no more.
    let phase = if node.stage == Stage::Testing { Some(Phase::Agent) } else { node.phase };
    let circle = node.circle(turn.now).filter(|vain| vain.phase >= phase);
    let since = circle.map_or(node.since, |vain| vain.since);
    let phase = circle.map_or(phase, |vain| vain.phase);
    let is_stuck = turn.now.since(since.at()).as_secs() >= STUCK_SECONDS;
    let has_system = node.boot.system_asked.is_some();
    match (node.stage, phase) {
        (Stage::Failed, _) => Some("mend what the check found, or change the check in the configuration"),
        (Stage::Seen, _) if is_looked_on(turn, node) => None,
        (Stage::Seen | Stage::Temporary | Stage::Booting, _) if is_untaken(node.offers) => Some(
            "our offers do not reach it, or it takes another server's, or refuses them: see the relay's way back, the port of the switch, and whether another DHCP server is heard only there",
        ),
        (Stage::Temporary, Some(Phase::Kernel | Phase::Initrd)) if is_stuck && has_system => Some(
            "nobody tries a machine without heorot-agent: put that into its initial RAM disk, list the machine ([[node]] with a number), or set trial.policy = \"none\"",
        ),
        (Stage::Booting, Some(Phase::Kernel | Phase::Initrd)) if is_stuck && has_system => Some(SAY_SO),
        (Stage::Ready, _) if is_stuck => Some(SAY_SO),
        (Stage::Temporary | Stage::Booting, Some(Phase::Initrd)) if is_stuck => {
            Some("look at its console: the kernel or the agent in the initial RAM disk does not start")
        }
        (Stage::Temporary | Stage::Booting | Stage::Testing, _) if is_stuck && circle.is_some() => {
            Some("look at its console: it starts anew again and again")
        }
        (Stage::Temporary | Stage::Booting | Stage::Testing, _) if is_stuck => {
            Some("look at its console, and switch it off and on")
        }
        (
            Stage::Seen
            | Stage::Temporary
            | Stage::Testing
            | Stage::Ready
            | Stage::Booting
            | Stage::Up
            | Stage::Down,
            None | Some(Phase::Dhcp | Phase::Loader | Phase::Kernel | Phase::Initrd | Phase::Agent),
        ) => None,
    }
}

/// For a machine whose system may well run.
const SAY_SO: &str = "look at its console; if its system runs, let that say so: by heorot-agent, or by a POST to /up below the URL that its command line has as heorot=";
