//! `[pxe]` and `[[pxe.service]]`: the menu that firmware shows before it boots.

use super::entry::Entry;
use super::mistake::{Findings, quoted};
use super::read_host::architecture;
use super::value::{self, Wrong};
use crate::limit::{PXE_TEXT_OCTETS_MAX, PXE_VENDOR_CLASSES_MAX, VENDOR_OPTION_OCTETS_MAX};
use std::net::Ipv4Addr;
use std::ops::Range;

/// `[pxe]`: what is asked on the screen of a machine before it boots.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pxe {
    /// The line that tells how to see the menu. None: the menu is shown at once.
    pub prompt: Option<String>,
    /// How long the prompt waits before the first entry is booted. None: until a key is pressed.
    pub timeout_seconds: Option<u8>,
    /// How the vendor class (option 60) of further PXE clients begins.
    pub vendor_classes: Vec<String>,
    /// The entries of the menu, in the order of the file.
    pub services: Vec<PxeService>,
}

/// One entry of the menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PxeService {
    /// The architectures (option 93) whose menu it is in.
    pub architectures: Vec<u16>,
    /// What the menu shows.
    pub text: String,
    /// What it boots.
    pub boots: PxeBoots,
}

/// What an entry of the menu boots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PxeBoots {
    /// A file of ours, relative to the boot directory.
    File(String),
    /// What the machine would boot without us: boot server type 0 (PXE 2.1, 2.2.4).
    Local,
    /// Whatever a boot server of this type says.
    Server {
        /// Its type.
        kind: u16,
        /// Where it is; without an address the machine looks for one by broadcast.
        address: Option<Ipv4Addr>,
    },
}

/// RFC 4578 2.1: from here on all are UEFI or later.
const UEFI_FIRST: u16 = 6;

/// A `[[pxe.service]]`, and where it stands.
pub(super) struct ServiceDraft {
    service: PxeService,
    span: Range<usize>,
}

/// Reads `[pxe]`, beside its services.
pub(super) fn read(findings: &mut Findings<'_>, pxe: &Entry<'_>, drafts: Vec<ServiceDraft>) -> Pxe {
    let prompt = pxe.text(findings, "prompt", text);
    let timeout = pxe.duration(findings, "timeout");
    let classes = pxe.texts(findings, "vendor-classes", text);
    if let (Some(timeout), None) = (&timeout, &prompt)
        && !pxe.has("prompt")
    {
        let remedy = "write prompt = \"Press F8 for a menu.\", or leave the timeout out";
        findings.error(&timeout.span, "timeout: there is no prompt that could wait", Some(remedy.into()));
    }
    if let Some(classes) = classes.as_ref().filter(|classes| classes.value.len() > PXE_VENDOR_CLASSES_MAX) {
        let message = format!("vendor-classes: more than {PXE_VENDOR_CLASSES_MAX}");
        findings.error(&classes.span, message, None);
    }
    let prompt = prompt.map(|prompt| prompt.value);
    check_size(findings, prompt.as_deref(), &drafts);
    check_sought(findings, &drafts);
    Pxe {
        prompt,
        timeout_seconds: timeout.and_then(|timeout| u8::try_from(timeout.value.as_secs()).ok()),
        vendor_classes: classes
            .map(|classes| classes.value.into_iter().map(|class| class.value).collect())
            .unwrap_or_default(),
        services: drafts.into_iter().map(|draft| draft.service).collect(),
    }
}

/// Reads a `[[pxe.service]]`.
pub(super) fn read_service(findings: &mut Findings<'_>, entry: Entry<'_>) -> Option<ServiceDraft> {
    let architectures = entry.texts(findings, "architecture", architecture);
    let text = entry.text(findings, "text", text);
    let file = entry.file(findings, "file");
    let kind = entry.integer(findings, "type");
    let server = entry.text(findings, "server", value::address_of_somebody);
    let boots = match (entry.has("file"), entry.has("type")) {
        (true, false) => {
            if entry.has("server") {
                let remedy = "leave it out: a file is one of ours".to_owned();
                findings.error(&entry.key_span("server"), "server: only with type", Some(remedy));
            }
            PxeBoots::File(file?.value)
        }
        (false, true) => match (kind?.value, server) {
            (0, None) => PxeBoots::Local,
            (0, Some(server)) => {
                let remedy = "leave it out".to_owned();
                findings.error(&server.span, "server: type 0 is what the machine has itself", Some(remedy));
                return None;
            }
            (kind, server) => PxeBoots::Server {
                kind: u16::try_from(kind).ok()?,
                address: server.map(|server| server.value),
            },
        },
        (true, true) | (false, false) => {
            let remedy = "write file = \"pxelinux.0\", or type = 0 for what the machine boots without us";
            let message = "an entry has either \"file\" or \"type\"";
            findings.error(&entry.span, message, Some(remedy.into()));
            return None;
        }
    };
    let service = PxeService {
        architectures: architectures?.value.into_iter().flat_map(|placed| placed.value).collect(),
        text: text?.value,
        boots,
    };
    Some(ServiceDraft { service, span: entry.span.clone() })
}

/// The menu of each architecture has to fit into one option 43: ROMs do not put a split one together. Each entry takes three octets and its text in
/// the menu, and seven in the list of boot servers.
fn check_size(findings: &mut Findings<'_>, prompt: Option<&str>, drafts: &[ServiceDraft]) {
    let octets = |service: &PxeService| 3 + 7 + service.text.len();
    let around = 3 + 2 + 2 + 3 + prompt.map_or(0, str::len) + 1;
    for (place, draft) in drafts.iter().enumerate() {
        let too_long = draft.service.architectures.iter().find(|architecture| {
            let so_far = drafts[..=place].iter().map(|draft| &draft.service);
            let beside = so_far.filter(|service| service.architectures.contains(architecture));
            around + beside.map(octets).sum::<usize>() > VENDOR_OPTION_OCTETS_MAX
        });
        if let Some(architecture) = too_long {
            let message =
                format!("the menu of architecture {architecture} is longer than a DHCP option can be");
            let remedy = format!(
                "shorten the texts, or leave entries out: {VENDOR_OPTION_OCTETS_MAX} octets for all, ten for each beside its text"
            );
            findings.error(&draft.span, message, Some(remedy));
            return;
        }
    }
}

/// EDK2 looks for no boot server by broadcast where its menu has a list of them, which any entry with a file or a `server` makes: an entry that is not in it
/// cannot be chosen (PxeBcExtractDiscoverInfo).
fn check_sought(findings: &mut Findings<'_>, drafts: &[ServiceDraft]) {
    let is_listed = |service: &PxeService| match service.boots {
        PxeBoots::File(_) | PxeBoots::Server { address: Some(_), .. } => true,
        PxeBoots::Local | PxeBoots::Server { address: None, .. } => false,
    };
    let is_sought =
        |draft: &&ServiceDraft| matches!(draft.service.boots, PxeBoots::Server { address: None, .. });
    for draft in drafts.iter().filter(is_sought) {
        let has_list = |architecture: &&u16| {
            let mut all = drafts.iter().map(|draft| &draft.service);
            all.any(|service| is_listed(service) && service.architectures.contains(architecture))
        };
        let mut of_uefi =
            draft.service.architectures.iter().filter(|architecture| **architecture >= UEFI_FIRST);
        if let Some(architecture) = of_uefi.find(has_list) {
            let message = format!(
                "UEFI of architecture {architecture} cannot choose this entry: beside entries whose server is known EDK2 looks for none"
            );
            let remedy = "write server = \"ADDRESS\", or leave the architecture out";
            findings.warning(&draft.span, message, Some(remedy.into()));
        }
    }
}

/// What is shown on a screen in text mode, or said in option 60.
fn text(text: &str) -> Result<String, Wrong> {
    let is_shown = text.bytes().all(|b| b == b' ' || b.is_ascii_graphic());
    if !is_shown || !(1..=PXE_TEXT_OCTETS_MAX).contains(&text.len()) {
        let message = format!("{} is not 1 to {PXE_TEXT_OCTETS_MAX} characters of ASCII", quoted(text));
        return Err(Wrong::with(message, "as \"Install Linux\""));
    }
    Ok(text.to_owned())
}
