//! A file that holds a whole root: fetched by HTTP into memory, and mounted there or unpacked.
//!
//! What it is its first bytes tell. A download that breaks off goes on where it was, as long as the file is the same.

use super::{Here, LOWER, Trouble, make_directory};
use crate::http::{self, Download, Url};
use crate::{client, cpio, loop_device, quantity, say};
use flate2::read::MultiGzDecoder;
use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use std::fs::{self, File};
use std::io::{self, Cursor, Read};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

#[cfg(test)]
mod tests;

/// What became of the file.
pub(super) enum Fetched {
    /// Its file system is at [`LOWER`].
    Mounted(String),
    /// It is the root already, in memory.
    Unpacked(String),
}

/// Fetches it.
pub(super) fn fetch(url: &Url, here: &mut Here<'_>, target: &Path) -> Result<Fetched, Trouble> {
    let waiting = |error: String| Trouble::Waiting(format!("{url}: {error}"));
    let mut stream = Resuming::open(url).map_err(waiting)?;
    fits(url, stream.length)?;
    let size = stream.length.map_or_else(|| "of a size that is not told".to_owned(), quantity::show_bytes);
    say!("fetching the root {url}, {size}");
    let mut head = Vec::new();
    stream.by_ref().take(HEAD).read_to_end(&mut head).map_err(|error| waiting(error.to_string()))?;
    let form = Form::of(&head).ok_or_else(|| {
        Trouble::Final(format!("{url}: neither squashfs nor erofs nor a cpio archive, plain or by gzip"))
    })?;
    let length = stream.length;
    let mut stream = Cursor::new(head).chain(stream);
    match form {
        Form::Squashfs | Form::Erofs => {
            keep(&mut stream, length).map_err(waiting)?;
            mount_image(form, here).map_err(|why| {
                // The memory is wanted for the next attempt.
                let _ = umount2(DIRECTORY, MntFlags::MNT_DETACH);
                Trouble::Final(format!("{url}: {why}"))
            })?;
            Ok(Fetched::Mounted(format!("{url} ({})", form.name())))
        }
        Form::Cpio | Form::Gzip => {
            mount(Some("tmpfs"), target, Some("tmpfs"), MsFlags::empty(), Some("mode=755,size=80%"))
                .map_err(|error| Trouble::Final(format!("memory for the root: {}", error.desc())))?;
            let outcome = if form == Form::Gzip {
                cpio::unpack(&mut MultiGzDecoder::new(stream), target)
            } else {
                cpio::unpack(&mut stream, target)
            };
            let bytes = outcome.map_err(|why| {
                let _ = umount2(target, MntFlags::MNT_DETACH);
                waiting(why)
            })?;
            Ok(Fetched::Unpacked(format!("{url} (cpio), {} in memory", quantity::show_bytes(bytes))))
        }
    }
}

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Squashfs,
    Erofs,
    Cpio,
    Gzip,
}

impl Form {
    /// By its beginning: the magic numbers of the file systems are those of `linux/magic.h`.
    fn of(head: &[u8]) -> Option<Self> {
        let is_erofs = head.get(1024..1028) == Some(&0xe0f5_e1e2_u32.to_le_bytes());
        if head.starts_with(b"hsqs") {
            Some(Self::Squashfs)
        } else if is_erofs {
            Some(Self::Erofs)
        } else if cpio::MAGICS.iter().any(|magic| head.starts_with(magic)) {
            Some(Self::Cpio)
        } else if head.starts_with(&[0x1f, 0x8b]) {
            Some(Self::Gzip)
        } else {
            None
        }
    }

    /// As the kernel calls it.
    fn name(self) -> &'static str {
        match self {
            Self::Squashfs => "squashfs",
            Self::Erofs => "erofs",
            Self::Cpio | Self::Gzip => "cpio",
        }
    }
}

/// Nothing is begun that memory has no room for.
fn fits(url: &Url, length: Option<u64>) -> Result<(), Trouble> {
    let table = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = table.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    let free = line
        .and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok())
        .map(|kibibytes| kibibytes * 1024);
    match (length, free) {
        (Some(length), Some(free)) if length > free => Err(Trouble::Final(format!(
            "{url}: {} do not fit into the memory of this machine, of which {} are free",
            quantity::show_bytes(length),
            quantity::show_bytes(free)
        ))),
        _ => Ok(()),
    }
}

/// Writes it into a memory of its own, as large as the file.
fn keep(stream: &mut impl Read, length: Option<u64>) -> Result<(), String> {
    fs::create_dir_all(DIRECTORY).map_err(|error| format!("{DIRECTORY}: {error}"))?;
    let _ = umount2(DIRECTORY, MntFlags::MNT_DETACH);
    let size =
        length.map_or_else(|| "80%".to_owned(), |length| length.next_multiple_of(PAGE).max(PAGE).to_string());
    let options = format!("mode=700,size={size}");
    mount(Some("tmpfs"), DIRECTORY, Some("tmpfs"), MsFlags::MS_NODEV, Some(options.as_str()))
        .map_err(|error| format!("memory for the image: {}", error.desc()))?;
    let mut file = File::create(FILE).map_err(|error| format!("{FILE}: {error}"))?;
    let copied = io::copy(stream, &mut file).map_err(|error| error.to_string())?;
    match length {
        Some(length) if copied != length => {
            Err(format!("{copied} bytes came instead of the {length} that were told"))
        }
        _ => Ok(()),
    }
}

fn mount_image(form: Form, here: &mut Here<'_>) -> Result<(), String> {
    here.modules.load("loop");
    here.modules.load(form.name());
    let device = loop_device::attach(Path::new(FILE)).map_err(|error| {
        format!("a loop device: {error} (the module loop has to be in the initial RAM disk)")
    })?;
    make_directory(LOWER).map_err(|_| format!("{LOWER} cannot be made"))?;
    mount(Some(&device), LOWER, Some(form.name()), MsFlags::MS_RDONLY, None::<&str>).map_err(|error| {
        if error == Errno::ENODEV {
            let name = form.name();
            format!("the kernel does not know {name}, and the initial RAM disk has no module for it: heorot initrd puts it in")
        } else {
            format!("mounting it as {}: {}", form.name(), error.desc())
        }
    })
}

/// A download that goes on where it broke off.
struct Resuming<'a> {
    url: &'a Url,
    current: Option<Download>,
    /// The whole file's, as the first answer told.
    length: Option<u64>,
    tag: Option<String>,
    position: u64,
    /// Interruptions since something came last.
    interruptions: u32,
    said_at: Instant,
}

impl<'a> Resuming<'a> {
    fn open(url: &'a Url) -> Result<Self, String> {
        let first = http::download(url, 0, None).map_err(|error| error.to_string())?;
        if first.status != 200 {
            return Err(format!("the server says {}", first.status));
        }
        Ok(Self {
            url,
            length: first.length,
            tag: first.tag.clone(),
            current: Some(first),
            position: 0,
            interruptions: 0,
            said_at: Instant::now(),
        })
    }

    /// Opens it anew, from where it was.
    fn again(&mut self) -> io::Result<Download> {
        let next = http::download(self.url, self.position, self.tag.as_deref()).map_err(io::Error::other)?;
        match next.status {
            206 => Ok(next),
            200 if self.position == 0 => Ok(next),
            // Not the part that was wanted: it is another file by now, or the server knows no parts.
            200 => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "it broke off, and is another file by now: from the beginning",
            )),
            status => Err(io::Error::other(format!("the server says {status}"))),
        }
    }

    fn say_how_far(&mut self) {
        if self.said_at.elapsed() >= SAY_EVERY {
            self.said_at = Instant::now();
            let all =
                self.length.map(|length| format!(" of {}", quantity::show_bytes(length))).unwrap_or_default();
            say!("fetched {}{all}", quantity::show_bytes(self.position));
        }
    }
}

impl Read for Resuming<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let left = self.length.map_or(u64::MAX, |length| length - self.position);
            if left == 0 || buffer.is_empty() {
                return Ok(0);
            }
            let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
            let outcome = match self.current.as_mut() {
                Some(current) => current.read(&mut buffer[..most]),
                None => Err(io::ErrorKind::NotConnected.into()),
            };
            let why = match outcome {
                // An end that was not told beforehand is the end.
                Ok(0) if self.length.is_none() => return Ok(0),
                Ok(0) => io::Error::from(io::ErrorKind::UnexpectedEof),
                Ok(length) => {
                    (self.position, self.interruptions) = (self.position + length as u64, 0);
                    self.say_how_far();
                    return Ok(length);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => error,
            };
            if self.interruptions >= INTERRUPTIONS_MAX || self.length.is_none() {
                return Err(why);
            }
            if self.current.take().is_some() {
                say!("{} broke off after {}: {why}", self.url, quantity::show_bytes(self.position));
            }
            thread::sleep(client::scattered(FIRST_PAUSE * 2_u32.pow(self.interruptions)));
            self.interruptions += 1;
            match self.again() {
                Ok(next) => self.current = Some(next),
                Err(error) if error.kind() == io::ErrorKind::InvalidData => return Err(error),
                Err(error) => say!("{}: {error}", self.url),
            }
        }
    }
}

/// A memory for the image alone, and the image.
const DIRECTORY: &str = "/run/heorot/image";
const FILE: &str = "/run/heorot/image/root";
/// As far as the magic numbers stand.
const HEAD: u64 = 1028;
const PAGE: u64 = 4096;
const SAY_EVERY: Duration = Duration::from_secs(5);
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The last pauses are 8 and 16 s: a server that is started anew is back by then.
const INTERRUPTIONS_MAX: u32 = 7;
