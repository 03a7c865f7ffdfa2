//! A loader that was delivered whole and then asks for nothing: firmware does not start it, or it finds no network.

use crate::cluster::node::Node;
use crate::cluster::stage::{Phase, Stage};
use crate::config::{FirmwareKind, Loader};
use crate::event::printable;
use crate::hall::Turn;
use crate::limit::TOLD_LETTERS_MAX;
use crate::mac::Mac;
use std::time::Duration;

/// A loader that runs asks for its address, or for its next file, within a few seconds: a spanning tree holds up none of its packets, for the port was up already.
const SILENT_AFTER: Duration = Duration::from_secs(30);

/// What the operator can do for such a machine.
pub(super) fn to_do(turn: &Turn<'_>, node: &Node) -> Option<String> {
    seen(turn, node).map(|(what, to_do)| format!("{what}: {to_do}"))
}

/// The same of one whose temporary address is taken back: that it is one, and what can be done. Nothing else would know of it from then on.
pub(crate) fn of(turn: &Turn<'_>, mac: Mac) -> Option<(String, String)> {
    turn.hall.nodes.get(mac).and_then(|node| seen(turn, node))
}

/// What is seen of such a machine, and what can be done.
fn seen(turn: &Turn<'_>, node: &Node) -> Option<(String, String)> {
    let is_loading = match (node.stage, node.phase) {
        (Stage::Temporary | Stage::Booting, Some(Phase::Dhcp | Phase::Loader)) => true,
        (
            Stage::Seen
            | Stage::Temporary
            | Stage::Testing
            | Stage::Failed
            | Stage::Ready
            | Stage::Booting
            | Stage::Up
            | Stage::Down,
            None | Some(Phase::Dhcp | Phase::Loader | Phase::Kernel | Phase::Initrd | Phase::Agent),
        ) => false,
    };
    let (at, path) = node.boot.loaded.as_ref().filter(|_| is_loading)?;
    let has_asked_since = node.asked_at.is_some_and(|asked| asked > *at);
    if has_asked_since || turn.now.since(*at) < SILENT_AFTER {
        return None;
    }
    let kind = node.boot.firmware_kind.filter(|kind| *kind != FirmwareKind::Ipxe)?;
    let row = kind.row();
    let is_its = turn.config.boot.files.get(&kind).is_some_and(|file| file == path);
    let is_next = turn.config.boot.files.get(&kind).and_then(|file| Loader::second_stage(file));
    let what = format!("{} was delivered and asks for nothing", printable(path, TOLD_LETTERS_MAX));
    if is_next.is_some_and(|next| next == path) {
        return Some((what, "see at its console whether it is in its prompt, and finds no network".into()));
    }
    if !is_its {
        return None;
    }
    let key = row.key;
    let is_signed = path.contains("shim");
    let shim = match kind {
        FirmwareKind::UefiX64 => Some("shimx64.efi"),
        FirmwareKind::UefiArm64 => Some("shimaa64.efi"),
        FirmwareKind::Bios
        | FirmwareKind::UefiX86
        | FirmwareKind::UefiRiscv64
        | FirmwareKind::UefiLoongarch64
        | FirmwareKind::HttpX86
        | FirmwareKind::HttpX64
        | FirmwareKind::HttpArm64
        | FirmwareKind::HttpRiscv64
        | FirmwareKind::HttpLoongarch64
        | FirmwareKind::Ipxe => None,
    };
    let to_do = match shim.filter(|_| !is_signed) {
        Some(shim) => format!(
            "Secure Boot refuses what is not signed (switch it off, or {key} = \"{shim}\" in [boot]), or it has no driver for the card ({key} = \"snponly.efi\")"
        ),
        None => format!(
            "see at its console whether it runs; it may be for other firmware, or have no driver for the card ({key} in [boot])"
        ),
    };
    Some((what, to_do))
}
