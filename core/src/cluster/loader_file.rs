//! The files that are made for a node's loader: which names mean them, and what is in them.

use super::boot::{BOOT_IPXE, hyphenated, percent_encode};
use crate::config::{FileValues, LoaderFile};
use crate::mac::Mac;
use std::net::Ipv4Addr;

/// A file that is made for the node that asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generated<'a> {
    /// `boot.ipxe`
    Ipxe,
    /// A PXELINUX configuration. `folder` is where PXELINUX itself is, with a final slash if it is not empty.
    Pxelinux {
        /// The folder.
        folder: &'a str,
        /// The name below `pxelinux.cfg/`.
        name: &'a str,
    },
    /// A GRUB configuration, in whatever folder.
    Grub {
        /// The folder.
        folder: &'a str,
        /// What follows `grub.cfg-`; empty for `grub.cfg` itself.
        name: &'a str,
    },
}

/// Whether a path, relative to the boot directory, is that of a generated file.
pub fn generated(path: &str) -> Option<Generated<'_>> {
    const PXELINUX: &str = "pxelinux.cfg/";
    if path == BOOT_IPXE {
        return Some(Generated::Ipxe);
    }
    let (folder, file) = path.split_at(path.rfind('/').map_or(0, |slash| slash + 1));
    match file.strip_prefix("grub.cfg") {
        Some("") => return Some(Generated::Grub { folder, name: "" }),
        Some(rest) if rest.starts_with('-') => return Some(Generated::Grub { folder, name: &rest[1..] }),
        Some(_) | None => {}
    }
    let at = path.find(PXELINUX)?;
    let (folder, rest) = path.split_at(at);
    let is_folder = folder.is_empty() || folder.ends_with('/');
    is_folder.then(|| Generated::Pxelinux { folder, name: &rest[PXELINUX.len()..] })
}

impl Generated<'_> {
    /// From which template it is made.
    pub fn file(self) -> LoaderFile {
        match self {
            Self::Ipxe => LoaderFile::Ipxe,
            Self::Pxelinux { .. } => LoaderFile::Pxelinux,
            Self::Grub { .. } => LoaderFile::Grub,
        }
    }

    /// Whether the loader means the machine with these hardware addresses by the name: `01-` and one of them, or the address in hexadecimal, or what all
    /// machines share. A shortened address means its whole neighbourhood and is not ours to answer.
    pub fn is_of(self, mut cards: impl Iterator<Item = Mac>, address: Ipv4Addr) -> bool {
        let mut is_its = |name: &str| {
            let is_by_mac = |mac| name.eq_ignore_ascii_case(&format!("01-{}", hyphenated(mac)));
            name.eq_ignore_ascii_case(&format!("{:08X}", u32::from(address))) || cards.any(is_by_mac)
        };
        match self {
            Self::Ipxe => true,
            Self::Pxelinux { name, .. } => name == "default" || is_its(name),
            Self::Grub { name, .. } => matches!(name, "" | AGAIN) || is_its(name),
        }
    }

    /// The names of files, and the command line, as this loader needs them written. `base` is where iPXE loads from, without a final slash.
    pub fn written(self, mut values: FileValues, base: &str) -> FileValues {
        let write = |file: &String| match self {
            Self::Ipxe => format!("{base}/{}", percent_encode(file)),
            // Paths are relative to where PXELINUX was loaded from, unless `::` leads them.
            Self::Pxelinux { folder: "", .. } => file.clone(),
            Self::Pxelinux { .. } => format!("::{file}"),
            // Below the device that GRUB was loaded from.
            Self::Grub { .. } => grub_word(&format!("/{file}")),
        };
        values.initrd = values.initrd.iter().map(write).collect();
        values.kernel = write(&values.kernel);
        match self {
            Self::Ipxe => values.cmdline = ipxe_words(&values.cmdline),
            Self::Grub { .. } => values.cmdline = grub_words(&values.cmdline),
            // The rest of the line is its own, whatever is in it.
            Self::Pxelinux { .. } => {}
        }
        values
    }

    /// What is told to the loader of a machine that an operator holds: to say so, and to ask again every ten seconds, until it is let go on.
    pub fn waiting(self, why: &str, mac: Mac) -> String {
        let why: String = why.chars().map(|c| if is_plain(c) { c } else { ' ' }).collect();
        match self {
            Self::Ipxe => format!(
                "#!ipxe\necho heorot: {why}. Asking again in 10 seconds.\nsleep 10\nchain --replace --autofree {BOOT_IPXE}\n"
            ),
            Self::Pxelinux { folder, .. } => {
                let root = if folder.is_empty() { "" } else { "::" };
                let again = format!("{root}{folder}pxelinux.cfg/01-{}", hyphenated(mac));
                format!(
                    "SAY heorot: {why}. Asking again in 10 seconds.\nDEFAULT again\nPROMPT 1\nTIMEOUT 100\nLABEL again\nCONFIG {again}\n"
                )
            }
            // A configuration that reads itself would be read one within the other for ever: this one says that nothing has changed.
            Self::Grub { name: AGAIN, .. } => "# Not yet.\n".into(),
            Self::Grub { folder, .. } => format!(
                "echo heorot: {why}. Asking again every 10 seconds.\nwhile true; do\nsleep 10\nsource /{folder}grub.cfg-{AGAIN}\ndone\n"
            ),
        }
    }
}

/// The name of the configuration that a waiting GRUB reads.
const AGAIN: &str = "again";

/// What no loader takes for anything else than a letter of a text.
fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || " .,:-_/+=".contains(c)
}

/// A kernel's command line as words of iPXE, which knows no quotes: it splits a line at blanks, looks for the words that end a command, and puts values for settings in the words that are left
/// (`iPXE src/core/exec.c`). One that there is not has an empty value, and makes of such a word another one for that long.
fn ipxe_words(cmdline: &str) -> String {
    const NOTHING: &str = "${heorot-nothing}";
    let ends_command = |word: &str| matches!(word, "||" | "&&" | ";") || word.starts_with('#');
    let write = |word: &str| if ends_command(word) { format!("{NOTHING}{word}") } else { word.to_owned() };
    cmdline.split(' ').map(write).collect::<Vec<_>>().join(" ")
}

/// A kernel's command line as words of GRUB. What the kernel takes for one word, in double quotes, is one here: GRUB puts the quotes around it again.
fn grub_words(cmdline: &str) -> String {
    let mut words = vec![String::new()];
    let mut is_quoted = false;
    for c in cmdline.chars() {
        match c {
            '"' => is_quoted = !is_quoted,
            ' ' if !is_quoted => words.push(String::new()),
            c => words.last_mut().expect("there is one from the beginning").push(c),
        }
    }
    let words: Vec<_> = words.iter().filter(|word| !word.is_empty()).map(|word| grub_word(word)).collect();
    words.join(" ")
}

/// A word of GRUB's shell: between single quotes, if something in it has a meaning.
fn grub_word(word: &str) -> String {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./:=,+%@~".contains(&b);
    if word.bytes().all(is_plain) { word.into() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests;
