//! What becomes of the files that machines ask for.

use super::{name, printable};
use crate::cluster::boot;
use crate::cluster::loader_file::generated;
use crate::cluster::node::{Delivery, Way};
use crate::cluster::stage::Phase;
use crate::config::Root;
use crate::event::Kind;
use crate::hall::Turn;
use crate::mac::Mac;
use crate::message::{Answer, Request, Via};
use crate::transfer::{Outcome, Refusal, Transfer};
use std::net::Ipv4Addr;
use std::sync::Arc;

/// A TFTP transfer ended: the history of its node hears of it.
pub(crate) fn transferred(turn: &mut Turn<'_>, transfer: &Transfer) {
    let machine = turn.machine_at(*transfer.peer.ip());
    let path = printable(&transfer.path);
    let resent = match transfer.resent {
        0 => String::new(),
        resent => format!(", {resent} packets sent again"),
    };
    let told = |turn: &mut Turn<'_>, detail: String| match machine {
        Some(_) => turn.event(machine, Kind::Transfer, detail),
        None => turn.event_by_stranger(Kind::Transfer, detail),
    };
    match (&transfer.outcome, machine) {
        (Outcome::Complete, _) => {
            delivered(turn, machine, &transfer.path);
            told(turn, format!("{path}: {} octets delivered by TFTP{resent}", transfer.octets));
        }
        // No failure: most that do not say so have it all, and have long been told other things.
        (Outcome::Unconfirmed, _) => {
            delivered(turn, machine, &transfer.path);
            told(turn, format!("{path}: all was sent by TFTP, and the last block not acknowledged{resent}"));
        }
        (Outcome::Failed(why) | Outcome::Left(why), None) => {
            told(turn, format!("{path} to {}: {why}", transfer.peer));
        }
        (Outcome::Failed(why) | Outcome::Left(why), Some(mac)) => {
            if matches!(transfer.outcome, Outcome::Left(_)) {
                left(turn, mac, &transfer.path);
            }
            let detail = turn.line(format_args!("{path}: {why} after {} octets{resent}", transfer.octets));
            if let Some(node) = turn.hall.nodes.get_mut(mac) {
                node.is_told(turn.now, Arc::clone(&detail));
            }
            // Who left it asks anew if he needs it.
            if matches!(transfer.outcome, Outcome::Failed(_)) && is_under_way(turn, mac, &transfer.path) {
                return lost(turn, mac, transfer, why);
            }
            turn.event(Some(mac), Kind::Transfer, detail);
        }
    }
}

/// A file without which a boot does not go on did not get through.
fn lost(turn: &mut Turn<'_>, mac: Mac, transfer: &Transfer, why: &str) {
    let Transfer { path, octets, .. } = transfer;
    if let Some(node) = turn.hall.nodes.get_mut(mac) {
        // After a restart of the server it is not known.
        let way = Way::Failed;
        let begun = || Delivery { path: file_of(path), asked: path.clone(), way, has_failed: true };
        let delivery = node.boot.delivery.get_or_insert_with(begun);
        (delivery.way, delivery.has_failed) = (way, true);
    }
    let what = format!("{} did not get through: {why} after {octets} octets", printable(path));
    let to_do = match octets {
        0 => {
            "see that no firewall on the way drops UDP between it and this server's ports 69 and tftp.port-range, and that the way takes packets as large as its MTU says"
        }
        _ => {
            "see that it was not switched off, and what the way loses: a cable, a switch, a firewall, packets as large as its MTU says"
        }
    };
    turn.trouble(mac, what, Some(to_do.into()));
}

/// A loader ended a transfer itself: nothing is on its way to it until it asks again.
fn left(turn: &mut Turn<'_>, mac: Mac, path: &str) {
    let delivery = turn.hall.nodes.get_mut(mac).and_then(|node| node.boot.delivery.as_mut());
    if let Some(delivery) = delivery.filter(|delivery| delivery.asked == path && delivery.way == Way::Under) {
        delivery.way = Way::Left;
    }
}

/// A file got through.
fn delivered(turn: &mut Turn<'_>, machine: Option<Mac>, path: &str) {
    let Some(node) = machine.and_then(|mac| turn.hall.nodes.get_mut(mac)) else { return };
    let delivery = node.boot.delivery.take_if(|delivery| delivery.asked == path);
    let has_failed = delivery.as_ref().is_some_and(|delivery| delivery.has_failed);
    let file = delivery.map_or_else(|| file_of(path), |delivery| delivery.path);
    node.boot.is_loaded_again = node.boot.loaded.as_ref().is_some_and(|(_, before)| *before == file);
    node.boot.loaded = Some((turn.now, file));
    if has_failed {
        let text = printable(path);
        node.trouble.take_if(|trouble| trouble.what.starts_with(&text));
    }
}

/// The file of a name that was asked for, as it is without `[[tftp.rewrite]]`.
fn file_of(asked: &str) -> String {
    name::normalized(asked).unwrap_or_else(|_| asked.to_owned())
}

/// Whether a machine waits for this file. After a restart of the server that is not known, and it does if it cannot do without.
fn is_under_way(turn: &Turn<'_>, mac: Mac, path: &str) -> bool {
    let Some(node) = turn.hall.nodes.get(mac) else { return false };
    match &node.boot.delivery {
        Some(delivery) => delivery.asked == path,
        None => node.stage.is_booting() && node.boot.is_resumed && is_needed(turn, mac, &file_of(path)),
    }
}

/// A machine is given a file, and does not go on without: by TFTP it is known when it has it.
pub(super) fn begins(turn: &mut Turn<'_>, request: &Request, mac: Mac, path: &str, reply: &Answer) {
    let is_given = match reply {
        Answer::Text(_) | Answer::File(_) | Answer::FirstOf(_) => true,
        Answer::Json(..)
        | Answer::Part(..)
        | Answer::Unwritten(_)
        | Answer::Files(_)
        | Answer::HostKeys(_)
        | Answer::Missing(_)
        | Answer::Refused(_) => false,
    };
    let is_booting = turn.hall.nodes.get(mac).is_some_and(|node| node.stage.is_booting());
    if !is_given || !is_booting || !(generated(path).is_some() || is_needed(turn, mac, path)) {
        return;
    }
    let is_told = request.via == Via::Tftp;
    let Some(node) = turn.hall.nodes.get_mut(mac) else { return };
    let before = node.boot.delivery.take();
    node.boot.delivery = is_told.then(|| {
        // It tries once more; what was in the way last time stays told until it has it.
        let has_failed = before.is_some_and(|before| before.path == path && before.has_failed);
        let way = if has_failed { Way::Failed } else { Way::Under };
        Delivery { path: path.into(), asked: request.path.clone(), way, has_failed }
    });
}

/// A file is not there. Loaders ask for many that need not be; without the boot file, the kernel or a RAM disk there is no boot.
pub(crate) fn unavailable(turn: &mut Turn<'_>, from: Ipv4Addr, path: &str, refusal: &Refusal) {
    let machine = turn.machine_at(from);
    let detail = turn.line(format_args!("{}: {}", printable(path), printable(refusal.why())));
    let Some(node) = machine.and_then(|mac| turn.hall.nodes.get_mut(mac)) else {
        let is_made = generated(path).is_some();
        let for_whom =
            if is_made { "; such a file is made for nodes, and this is no node's address" } else { "" };
        return turn.event_by_stranger(Kind::Transfer, format!("to {from}: {detail}{for_whom}"));
    };
    node.is_told(turn.now, Arc::clone(&detail));
    node.boot.delivery.take_if(|delivery| delivery.path == path);
    let mac = node.mac;
    if is_needed(turn, mac, path) {
        if let Some(node) = turn.hall.nodes.get_mut(mac) {
            node.boot.lacks = Some(path.into());
        }
        let (directory, file) = (&turn.config.boot.directory, printable(path));
        let to_do = match refusal {
            Refusal::Missing(_) => boot::remedy(turn.config, &file),
            Refusal::Denied(_) => format!("mend {file} in {directory}, as that says, and boot it again"),
            Refusal::Changed => format!("boot it again when nothing writes to {file} in {directory}"),
        };
        turn.trouble(mac, detail.to_string(), Some(to_do));
    } else {
        turn.event(Some(mac), Kind::Transfer, detail);
    }
}

/// Whether a machine does not go on without this file.
fn is_needed(turn: &Turn<'_>, mac: Mac, path: &str) -> bool {
    let Some(node) = turn.hall.nodes.get(mac) else { return false };
    let plan = node.boot.plan.as_ref();
    let is_root = plan.is_some_and(|plan| matches!(&plan.root, Root::Image(image) if image == path));
    let named = node.boot.named.as_deref();
    is_root || phase_of(turn, mac, path) > Phase::Loader || boot::is_boot_file(turn.config, named, path)
}

/// A machine asks once more for the file that it was not given, or for it in another folder, as loaders look for theirs: whether it is there now will be said anew.
pub(super) fn asks_again(turn: &mut Turn<'_>, mac: Mac, path: &str) {
    let Some(node) = turn.hall.nodes.get_mut(mac) else { return };
    let is_it = |lacking: &mut String| boot::file_name(lacking) == boot::file_name(path);
    if let Some(lacking) = node.boot.lacks.take_if(is_it) {
        let text = printable(&lacking);
        node.trouble.take_if(|trouble| trouble.what.starts_with(&text));
    }
}

/// How far a boot is when this file is asked for.
pub(super) fn phase_of(turn: &Turn<'_>, mac: Mac, path: &str) -> Phase {
    match turn.hall.nodes.get(mac).and_then(|node| node.boot.plan.as_ref()) {
        Some(plan) if plan.kernel == path => Phase::Kernel,
        Some(plan) if plan.has_file(path) => Phase::Initrd,
        Some(_) | None => Phase::Loader,
    }
}
