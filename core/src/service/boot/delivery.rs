//! What becomes of the files that machines ask for.

use super::{name, printable};
use crate::cluster::boot;
use crate::cluster::loader_file::generated;
use crate::cluster::node::{Delivery, Named, Node, Way};
use crate::cluster::stage::Phase;
use crate::config::Root;
use crate::event::{self, Kind};
use crate::hall::Turn;
use crate::limit::REFUSED_LETTERS_MAX;
use crate::mac::Mac;
use crate::message::{Answer, Request, Via};
use crate::transfer::{Outcome, Part, Protocol, Refusal, Transfer};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;

/// A loader that has read a file's first sectors goes on where it needs more (GRUB's `linux` skips what is left of a kernel's 16-bit part): what lies between it never loads.
/// And who asks for no more of a file's end looks at it, as for a signature, and does not go on where it was broken off.
const SKIPPED_OCTETS_MAX: u64 = 64 * 1024;

/// A transfer ended: the history of its node hears of it.
pub(crate) fn transferred(turn: &mut Turn<'_>, transfer: &Transfer) {
    let (machine, by) = (turn.machine_at(*transfer.peer.ip()), transfer.by);
    // A system that runs may load a thousand packages by HTTP, and who is no node is a browser: what went well there is no news.
    let is_news = match (by, machine.and_then(|mac| turn.hall.nodes.get(mac))) {
        (Protocol::Tftp, _) => true,
        (Protocol::Http, node) => node.is_some_and(|node| node.stage.is_booting()),
    };
    let has_all = gets(turn, machine, transfer);
    let path = printable(&transfer.path);
    let resent = match transfer.resent {
        0 => String::new(),
        resent => format!(", {resent} packets sent again"),
    };
    let told = |turn: &mut Turn<'_>, detail: String| match machine {
        _ if !is_news => {}
        Some(_) => turn.event(machine, Kind::Transfer, detail),
        None => turn.event_by_stranger(Kind::Transfer, detail),
    };
    match (&transfer.outcome, machine) {
        (Outcome::Complete | Outcome::Unconfirmed, _) if !has_all => {
            // Of a file that is loaded part by part, its end tells.
            if let Some(Part { octets, size }) =
                transfer.part.as_ref().filter(|part| part.octets.end == part.size)
            {
                let part = octets.end - octets.start;
                told(turn, format!("{path}: the last {part} octets of {size} delivered by {by}{resent}"));
            }
        }
        (Outcome::Complete, _) => {
            delivered(turn, machine, &transfer.path);
            told(turn, format!("{path}: {} octets delivered by {by}{resent}", transfer.octets));
        }
        // No failure: most that do not say so have it all, and have long been told other things.
        (Outcome::Unconfirmed, _) => {
            delivered(turn, machine, &transfer.path);
            let end = match by {
                Protocol::Tftp => "last block",
                Protocol::Http => "end",
            };
            told(turn, format!("{path}: all was sent by {by}, and the {end} not acknowledged{resent}"));
        }
        (Outcome::BrokenOff(_), None) => {}
        (Outcome::Failed(why) | Outcome::Left(why), None) => {
            let why = event::printable(why, REFUSED_LETTERS_MAX);
            turn.event_by_stranger(Kind::Transfer, format!("{path} to {}: {why}", transfer.peer));
        }
        (Outcome::BrokenOff(why), Some(mac)) => {
            let detail = turn.line(format_args!("{path}: {why} after {} octets{resent}", transfer.octets));
            if let Some(node) = turn.hall.nodes.get_mut(mac) {
                node.is_told(turn.now, Arc::clone(&detail));
                // In its way only if it does not ask for the rest at once.
                if let Some(its) = node.boot.delivery.as_mut().filter(|delivery| is_of(delivery, transfer)) {
                    (its.way, its.has_failed) = (Way::Failed, true);
                }
            }
            turn.event(Some(mac), Kind::Transfer, detail);
        }
        (Outcome::Failed(why) | Outcome::Left(why), Some(mac)) => {
            if matches!(transfer.outcome, Outcome::Left(_)) {
                left(turn, mac, transfer);
            }
            // What a client says may be in it.
            let why = &event::printable(why, REFUSED_LETTERS_MAX);
            let detail = turn.line(format_args!("{path}: {why} after {} octets{resent}", transfer.octets));
            if let Some(node) = turn.hall.nodes.get_mut(mac) {
                node.is_told(turn.now, Arc::clone(&detail));
            }
            // Who left it asks anew if he needs it.
            if matches!(transfer.outcome, Outcome::Failed(_)) && is_under_way(turn, mac, transfer) {
                return lost(turn, mac, transfer, why);
            }
            turn.event(Some(mac), Kind::Transfer, detail);
        }
    }
}

/// A machine has got a file, or some of it. Whether it has all of it now: the end of a file is not the file, whoever reads that first.
fn gets(turn: &mut Turn<'_>, machine: Option<Mac>, transfer: &Transfer) -> bool {
    let has_part = match transfer.outcome {
        Outcome::Complete | Outcome::Unconfirmed => true,
        Outcome::Failed(_) | Outcome::Left(_) | Outcome::BrokenOff(_) => false,
    };
    let (from, end, is_last) = match &transfer.part {
        None => (0, transfer.octets, true),
        Some(Part { octets, size }) => {
            let end = if has_part { octets.end } else { transfer.octets };
            (octets.start, end, octets.end == *size)
        }
    };
    let is_whole = has_part && from == 0 && is_last;
    let Some(node) = machine.and_then(|mac| turn.hall.nodes.get_mut(mac)) else { return is_whole };
    let is_its = |delivery: &Delivery| match has_part {
        true => delivery.asked == transfer.path,
        false => is_of(delivery, transfer),
    };
    let Some(its) = node.boot.delivery.as_mut().filter(|delivery| is_its(delivery)) else {
        return is_whole;
    };
    let skipped = from.saturating_sub(its.octets);
    let part = end.saturating_sub(from);
    let goes_on = skipped <= SKIPPED_OCTETS_MAX.min(part) || its.may_have_more && part > SKIPPED_OCTETS_MAX;
    if goes_on {
        its.octets = its.octets.max(end);
    }
    if !has_part || (is_last && goes_on) {
        return has_part;
    }
    its.way = Way::Part;
    if is_loaded(node, &file_of(&transfer.path)) {
        // It looks at what it has.
        node.boot.delivery = None;
    }
    false
}

/// Whether a node has loaded this file last.
fn is_loaded(node: &Node, file: &str) -> bool {
    node.boot.loaded.as_ref().is_some_and(|(_, loaded)| loaded == file)
}

/// A file without which a boot does not go on did not get through.
fn lost(turn: &mut Turn<'_>, mac: Mac, transfer: &Transfer, why: &str) {
    let Transfer { path, octets, by, .. } = transfer;
    if let Some(node) = turn.hall.nodes.get_mut(mac) {
        // After a restart of the server it is not known.
        let delivery = node.boot.delivery.get_or_insert_with(|| {
            Box::new(Delivery {
                path: file_of(path),
                asked: path.clone(),
                port: None,
                is_by_http: *by == Protocol::Http,
                way: Way::Failed,
                octets: *octets,
                may_have_more: false,
                has_failed: true,
            })
        });
        (delivery.way, delivery.has_failed) = (Way::Failed, true);
    }
    let what = format!("{} did not get through: {why} after {octets} octets", printable(path));
    let to_do = match (octets, by) {
        (0, Protocol::Tftp) => {
            "see that no firewall on the way drops UDP between it and this server's ports 69 and tftp.port-range, and that the way takes packets as large as its MTU says"
        }
        (_, Protocol::Tftp | Protocol::Http) => {
            "see that it was not switched off, and what the way loses: a cable, a switch, a firewall, packets as large as its MTU says"
        }
    };
    turn.trouble(mac, what, Some(to_do.into()));
}

/// A loader ended a transfer itself: nothing is on its way to it until it asks again, unless it has by another port.
fn left(turn: &mut Turn<'_>, mac: Mac, transfer: &Transfer) {
    let delivery = turn.hall.nodes.get_mut(mac).and_then(|node| node.boot.delivery.as_mut());
    if let Some(delivery) = delivery.filter(|its| is_of(its, transfer) && its.way == Way::Under) {
        delivery.way = Way::Left;
    }
}

/// A file got through.
fn delivered(turn: &mut Turn<'_>, machine: Option<Mac>, path: &str) {
    let Some(node) = machine.and_then(|mac| turn.hall.nodes.get_mut(mac)) else { return };
    let delivery = node.boot.delivery.take_if(|delivery| delivery.asked == path);
    let has_failed = delivery.as_ref().is_some_and(|delivery| delivery.has_failed);
    let file = delivery.map_or_else(|| file_of(path), |delivery| delivery.path);
    node.boot.is_loaded_again = is_loaded(node, &file);
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

/// Whether a transfer is the one by which a machine waits for its file. That of a boot that was cut off may end when the next one loads the same.
fn is_of(delivery: &Delivery, transfer: &Transfer) -> bool {
    let is_by_http = transfer.by == Protocol::Http;
    let is_its = |port| port == transfer.peer.port() && delivery.is_by_http == is_by_http;
    delivery.asked == transfer.path && delivery.port.is_none_or(is_its)
}

/// Whether a machine waits for what did not get through. After a restart of the server that is not known, and it does if it cannot do without.
fn is_under_way(turn: &Turn<'_>, mac: Mac, transfer: &Transfer) -> bool {
    let Some(node) = turn.hall.nodes.get(mac) else { return false };
    match &node.boot.delivery {
        // Where nothing got through to one port, the next one waits for the same.
        Some(delivery) if transfer.by == Protocol::Tftp && transfer.octets == 0 => {
            delivery.asked == transfer.path
        }
        Some(delivery) => is_of(delivery, transfer),
        None => {
            let path = file_of(&transfer.path);
            node.stage.is_booting() && node.boot.is_resumed && is_needed(turn, mac, &path)
        }
    }
}

/// A machine asks for a file that there is, or may be. By TFTP it is sent from now on; by HTTP it may have asked how long it is, and no more ([`sending`]).
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
    if !is_given || !is_waited_for(turn, mac, path) {
        return;
    }
    if let Via::Tftp(port) = request.via {
        return is_sent(turn, mac, path, (request.path.clone(), port, Protocol::Tftp));
    }
    if let Some(node) = turn.hall.nodes.get_mut(mac) {
        node.boot.delivery.take_if(|delivery| delivery.path != path);
    }
}

/// A file is on its way by HTTP.
pub(crate) fn sending(turn: &mut Turn<'_>, to: SocketAddrV4, path: &str) {
    if let Some(mac) = turn.machine_at(*to.ip()).filter(|mac| is_waited_for(turn, *mac, path)) {
        is_sent(turn, mac, path, (path.into(), to.port(), Protocol::Http));
    }
}

/// Whether a machine that boots does not go on without this file.
fn is_waited_for(turn: &Turn<'_>, mac: Mac, path: &str) -> bool {
    let is_booting = turn.hall.nodes.get(mac).is_some_and(|node| node.stage.is_booting());
    is_booting && (generated(path).is_some() || is_needed(turn, mac, path))
}

/// A file that a machine waits for is on its way to it: it is known when it has it.
fn is_sent(turn: &mut Turn<'_>, mac: Mac, path: &str, (asked, port, by): (String, u16, Protocol)) {
    let Some(node) = turn.hall.nodes.get_mut(mac) else { return };
    let before = node.boot.delivery.take().filter(|before| before.path == path);
    let octets = before.as_ref().map_or(0, |before| before.octets);
    let may_have_more = match &before {
        None => node.boot.is_resumed,
        Some(before) => {
            let is_by_http = before.is_by_http || by == Protocol::Http;
            let is_other = is_by_http && before.port != Some(port);
            before.may_have_more || (before.way == Way::Under && is_other)
        }
    };
    // It tries once more; what was told to be in the way last time stays so until it has it.
    let has_failed = before.is_some_and(|before| {
        let text = printable(&before.asked);
        let is_told = node.trouble.as_ref().is_some_and(|trouble| trouble.what.starts_with(&text));
        before.has_failed && is_told
    });
    let way = if has_failed { Way::Failed } else { Way::Under };
    let (path, port, is_by_http) = (path.into(), Some(port), by == Protocol::Http);
    let delivery = Delivery { path, asked, port, is_by_http, way, octets, may_have_more, has_failed };
    node.boot.delivery = Some(Box::new(delivery));
}

/// A file is not there. Loaders ask for many that need not be; without the boot file, the kernel or a RAM disk there is no boot.
pub(crate) fn unavailable(turn: &mut Turn<'_>, from: Ipv4Addr, path: &str, refusal: &Refusal) {
    let machine = turn.machine_at(from);
    let detail = turn.line(format_args!("{}", refused(path, refusal.why())));
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
            Refusal::Unfit(_) => format!("have its loader ask for {file} as that says"),
            Refusal::Changed => format!("boot it again when nothing writes to {file} in {directory}"),
        };
        turn.trouble(mac, detail.to_string(), Some(to_do));
    } else {
        turn.event(Some(mac), Kind::Transfer, detail);
    }
}

/// Why a file is not to be had. Of what a client wrote as much is shown as there is room for, and of what we say, all: at its end stands what can be done.
fn refused(path: &str, why: &str) -> String {
    let shown = printable(path);
    let why = if shown == path { why.to_owned() } else { why.replace(path, &shown) };
    let why = event::printable(&why, REFUSED_LETTERS_MAX);
    match why.strip_prefix(&shown).is_some_and(|rest| rest.starts_with(' ')) {
        true => why,
        false => format!("{shown}: {why}"),
    }
}

/// Whether a machine does not go on without this file.
fn is_needed(turn: &Turn<'_>, mac: Mac, path: &str) -> bool {
    let Some(node) = turn.hall.nodes.get(mac) else { return false };
    let plan = node.boot.plan.as_ref();
    let is_root = plan.is_some_and(|plan| matches!(&plan.root, Root::Image(image) if image == path));
    let named = node.boot.named.as_ref().and_then(Named::path);
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
