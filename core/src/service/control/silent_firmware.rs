//! Firmware that has its address and is never heard to ask for its boot file: what it sends is lost on its way here, or it sends nothing.

use crate::cluster::node::{Named, Node};
use crate::cluster::stage::{Phase, Stage};
use crate::config::{Mode, Protocol};
use crate::event::printable;
use crate::hall::Turn;
use crate::limit::TOLD_LETTERS_MAX;
use crate::mac::Mac;
use std::time::Duration;

/// Firmware asks for its file as soon as it has its address, and has asked several times by then.
const SILENT_AFTER: Duration = Duration::from_secs(30);
/// The same, if it did not ask in the boot before either.
const SILENT_AGAIN_AFTER: Duration = Duration::from_secs(5);

/// What the operator can do for such a machine.
pub(super) fn to_do(turn: &Turn<'_>, node: &Node) -> Option<String> {
    seen(turn, node).map(|(what, to_do)| format!("{what}: {to_do}"))
}

/// The same of one on trial whose temporary address is taken back: that it is one, and what can be done. Nothing else would know of it from then on.
pub(crate) fn of(turn: &Turn<'_>, mac: Mac) -> Option<(String, String)> {
    let node = turn.hall.nodes.get(mac).filter(|node| node.stage == Stage::Temporary)?;
    let is_told = node.trouble.is_some() || node.beside.keys().any(|kind| kind.ends_boots());
    seen(turn, node).filter(|_| !is_told)
}

/// What is seen of such a machine, and what can be done.
fn seen(turn: &Turn<'_>, node: &Node) -> Option<(String, String)> {
    let is_booting = matches!(node.stage, Stage::Temporary | Stage::Booting);
    let has_address = is_booting && node.phase <= Some(Phase::Dhcp) && node.offers.count == 0;
    // What it has loaded before a restart is not known, and who has a menu before him may choose late.
    let is_known = !node.boot.is_resumed && node.boot.programs.last().is_some();
    // Who is denied was refused, and who asked for another file may have found none.
    let is_heard = node.orders.standing.is_some() || node.boot.has_asked;
    if !has_address || !is_known || is_heard || !turn.config.pxe.services.is_empty() {
        return None;
    }
    let before = node.boots_in_vain(turn.now).filter(|vain| vain.phase <= Some(Phase::Dhcp));
    let after = before.map_or(SILENT_AFTER, |_| SILENT_AGAIN_AFTER);
    if turn.now.since(node.since.at()) < after {
        return None;
    }
    let network = node.network.and_then(|place| turn.config.networks.get(place))?;
    let (file, server) = match node.boot.named.as_ref() {
        Some(Named::Nothing) => return None,
        Some(Named::Ours(file)) => (file.as_ref(), None),
        Some(Named::Elsewhere { file, server }) => (file.as_ref(), Some(server)),
        None => (None, None),
    };
    let file = file.map_or_else(|| "its boot file".into(), |file| printable(file, TOLD_LETTERS_MAX));
    if let Some(server) = server {
        let to_do = format!("see there, and at its console, whether it gets {file}");
        return Some((format!("it was told to load {file} from {server}"), to_do));
    }
    let what = format!("it was not heard to ask for {file}");
    let to_do = match network.mode {
        Mode::Serve => {
            let ports = ports(turn, node);
            format!("see at its console what it asks for, and whom; a firewall has to let through {ports}")
        }
        Mode::Proxy | Mode::Shadow => "see at its console whether it has an address, and by whose word it boots; the other server must name no boot file, and a firewall has to let through UDP ports 67, 69 and 4011 and the answers (tftp.port-range)".into(),
    };
    Some((what, to_do))
}

/// Where its file is asked for, and answered from.
fn ports(turn: &Turn<'_>, node: &Node) -> String {
    let http = &turn.config.http;
    let by_url = match node.boot.firmware_kind.map(|kind| kind.row().protocol) {
        Some(Protocol::Http) => {
            http.tls.as_ref().filter(|tls| tls.is_offered).map_or(Some(http.port), |tls| Some(tls.port))
        }
        Some(Protocol::Script) if node.boot.named.as_ref().and_then(Named::path).is_none() => Some(http.port),
        Some(Protocol::Script | Protocol::Tftp) | None => None,
    };
    match by_url {
        Some(port) => format!("TCP port {port}"),
        None => "UDP port 69 and the answers (tftp.port-range)".into(),
    }
}
