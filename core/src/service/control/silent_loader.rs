//! A loader that was delivered whole and then asks for nothing: firmware does not start it, or it finds no network.

use crate::cluster::node::Node;
use crate::cluster::stage::{Phase, Stage};
use crate::config::{FirmwareKind, Loader};
use crate::hall::Turn;
use std::time::Duration;

/// A loader that runs asks for its address, or for its next file, within a few seconds: a spanning tree holds up none of its packets, for the port was up already.
const SILENT_AFTER: Duration = Duration::from_secs(30);

/// What the operator can do for such a machine.
pub(super) fn to_do(turn: &Turn<'_>, node: &Node) -> Option<String> {
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
    let shown: String = path.chars().filter(|c| !c.is_control()).take(120).collect();
    let begins = format!("{shown} was delivered and asks for nothing");
    if is_next.is_some_and(|next| next == path) {
        return Some(format!(
            "{begins}: see at its console whether it is in its prompt, and finds no network"
        ));
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
    Some(match shim.filter(|_| !is_signed) {
        Some(shim) => format!(
            "{begins}: Secure Boot refuses what is not signed (switch it off, or {key} = \"{shim}\" in [boot]), or it has no driver for the card ({key} = \"snponly.efi\")"
        ),
        None => format!(
            "{begins}: see at its console whether it runs; it may be for other firmware, or have no driver for the card ({key} in [boot])"
        ),
    })
}
