//! A loader that was delivered whole and then asks for nothing: firmware does not start it, or it finds no network.

use crate::cluster::node::{Firmware, Node};
use crate::cluster::stage::Phase;
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
    let kind_of_firmware = node.boot.firmware_kind.filter(|kind| *kind != FirmwareKind::Ipxe);
    let path = silent_file(turn, node)?;
    let kind = kind_of_firmware?;
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
        | FirmwareKind::UefiArm32
        | FirmwareKind::UefiRiscv64
        | FirmwareKind::UefiLoongarch64
        | FirmwareKind::HttpX86
        | FirmwareKind::HttpX64
        | FirmwareKind::HttpArm32
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

/// The file that was loaded last, and does not go on. Firmware that is refused it may ask again at once, or go through its other ways to boot, so that this is the next boot: as long as that has loaded
/// nothing else, it is the file of the one before.
fn silent_file<'a>(turn: &Turn<'_>, node: &'a Node) -> Option<&'a str> {
    let present = node.silent_file();
    let is_over = |at| node.boot.is_loaded_again || turn.now.since(at) >= SILENT_AFTER;
    if let Some((_, path)) = present.filter(|(at, _)| is_over(*at)) {
        return Some(path);
    }
    let is_loading = node.stage.is_booting() && node.phase <= Some(Phase::Loader);
    let has_run = node.boot.programs.asked(Firmware::Ipxe).is_some();
    let before = node.boots_in_vain(turn.now).filter(|_| is_loading && !has_run)?;
    let path = before.loaded.as_deref()?;
    let is_the_same = match &node.boot.loaded {
        Some(_) => present.is_some_and(|(_, present)| present == path),
        None => true,
    };
    is_the_same.then_some(path)
}
