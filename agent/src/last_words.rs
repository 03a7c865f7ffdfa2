//! What the kernel of the boot before wrote down when it panicked, where the machine has memory that outlasts a start: UEFI's variables, ACPI's ERST, or memory that
//! `ramoops` was told of. The kernel shows it in `/sys/fs/pstore`, a file a record.
//!
//! The server hears the last lines; then the records are erased, for such memory is small, and a full one takes no further panic. As long as the server has not
//! heard of them, they stay.

use crate::http::Url;
use crate::modules::Modules;
use crate::{node, say};
use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use std::fs;
use std::path::{Path, PathBuf};

#[cfg(test)]
mod tests;

/// Records of one end of a system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastWords {
    /// `panic` or `oops`.
    pub reason: &'static str,
    /// The kernel's last lines, the last one last.
    pub text: String,
    /// The files that hold them, and those of oopses before.
    files: Vec<PathBuf>,
}

/// Tells the server of the panic before this boot, if there was one and it was written down.
pub fn tell(url: &Url, modules: &mut Modules) {
    let place = Path::new(PLACE);
    if let Err(error) = show(place, modules) {
        say!("{PLACE}: {error}");
        return;
    }
    let Some(words) = LastWords::find(place) else { return };
    let last = words.text.lines().last().unwrap_or_default();
    say!("the system before this one ended with a {}: {last}", words.reason);
    match node::post_down(url, words.reason, &words.text) {
        Ok(()) => words.erase(),
        Err(error) => say!("the server does not hear of it, and will at the next start: {error}"),
    }
}

/// Has the kernel show its records.
fn show(place: &Path, modules: &mut Modules) -> Result<(), Errno> {
    if Path::new("/sys/firmware/efi").exists() {
        modules.load("efi_pstore");
    }
    // A kernel without it has no such directory, and nothing to tell.
    if !place.exists() {
        return Ok(());
    }
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    match mount(Some("pstore"), place, Some("pstore"), flags, None::<&str>) {
        Ok(()) | Err(Errno::EBUSY) => Ok(()),
        Err(error) => Err(error),
    }
}

impl LastWords {
    /// Reads the records of a directory: those of the newest panic, or else of the newest oops.
    #[must_use]
    pub fn find(place: &Path) -> Option<Self> {
        let mut parts: Vec<_> =
            fs::read_dir(place).ok()?.flatten().filter_map(|entry| Part::read(entry.path())).collect();
        // Of one end the first part is the last that was said (fs/pstore/platform.c, pstore_dump).
        parts.sort_by_key(|part| (part.is_panic, part.count, std::cmp::Reverse(part.number)));
        let Part { is_panic, count, .. } = *parts.last()?;
        let of_it = parts.iter().filter(|part| (part.is_panic, part.count) == (is_panic, count));
        let lines: Vec<_> = of_it.flat_map(|part| part.text.lines()).map(without_level).collect();
        let text = lines.join("\n");
        let mut text = end_of(&text, OCTETS_MAX).to_owned();
        // What it was stands before its registers and calls, and of those the server keeps no more than the end.
        let told = lines.iter().rev().find(|line| SAYS_WHY.iter().any(|word| line.contains(word)));
        if let Some(told) = told.filter(|told| !end_of(&text, REPEAT_AFTER).contains(**told)) {
            text = format!("{text}\n{told}");
        }
        let reason = if is_panic { "panic" } else { "oops" };
        Some(Self { reason, text, files: parts.into_iter().map(|part| part.file).collect() })
    }

    /// Erases them.
    pub fn erase(self) {
        for file in self.files {
            if let Err(error) = fs::remove_file(&file) {
                say!("{}: {error}", file.display());
            }
        }
    }
}

/// One record.
struct Part {
    file: PathBuf,
    is_panic: bool,
    /// The how many-th panic or oops of that system it was.
    count: u32,
    number: u32,
    text: String,
}

impl Part {
    /// Reads a record that the kernel made of its messages: others are of programs, or the console of a system that ended well. What was compressed and could not
    /// be unpacked is passed over.
    fn read(file: PathBuf) -> Option<Self> {
        let name = file.file_name()?.to_str()?;
        if !name.starts_with("dmesg-") || name.ends_with(".z") {
            return None;
        }
        let content = fs::read(&file).ok()?;
        let content = String::from_utf8_lossy(&content);
        // `Panic#1 Part2`
        let (head, text) = content.split_once('\n')?;
        let (kind, rest) = head.split_once('#')?;
        let (count, number) = rest.split_once(" Part")?;
        let is_panic = kind == "Panic";
        if !is_panic && kind != "Oops" {
            return None;
        }
        let (count, number) = (count.parse().ok()?, number.trim().parse().ok()?);
        Some(Self { is_panic, count, number, text: text.to_owned(), file })
    }
}

/// A line without its level, as `<6>`.
fn without_level(line: &str) -> &str {
    let rest = line.strip_prefix('<').and_then(|rest| rest.split_once('>'));
    rest.filter(|(level, _)| level.bytes().all(|octet| octet.is_ascii_digit())).map_or(line, |(_, rest)| rest)
}

/// The end of a text, of at most so many octets.
fn end_of(text: &str, octets: usize) -> &str {
    let from = text.len().saturating_sub(octets);
    let from = (from..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    &text[from..]
}

/// Lines that say what it was.
const SAYS_WHY: [&str; 3] = ["Kernel panic - ", "BUG: ", "Oops: "];
/// What is no further from the end need not be said again.
const REPEAT_AFTER: usize = 1000;
/// Where the kernel shows its records.
const PLACE: &str = "/sys/fs/pstore";
/// The server keeps less of it; this is far below what it takes as a request.
const OCTETS_MAX: usize = 4096;
