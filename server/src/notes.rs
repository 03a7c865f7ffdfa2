//! Transfers in flight, as a killed server finds them when it comes back: one slot each in a file under /run, written without sync.
//!
//! A note is a claim about a client that waits right now. It counts only in the same boot of this host (the header has the kernel's boot id) and for
//! [`NOTES_LAST`]; a slot has a check sum, because the server may be killed in the middle of a write. How far a transfer has come changes with each of its ACKs and is kept
//! apart, in [`progress`].
//!
//! A transfer's port is known by its number here, because that is what its client knows: the next server may have others, or the same at other places.
//!
//! The file: the header in the first slot's room, the progress of all slots from the fourth on, then the slots.

mod progress;

use heorot_core::limit::TRANSFERS_MAX;
use heorot_core::time::Time;
use heorot_core::transfer::{ImageIdentity, Note};
use progress::Progress;
use rustix::time::{ClockId, clock_gettime};
use std::fs::{File, OpenOptions};
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How old a note may be: PXELINUX and iPXE go on asking for more than this, and a transfer whose client has been silent for so long is noted no more.
const NOTES_LAST: Duration = Duration::from_secs(30);

/// Octets of the header and of each slot. A path of 900 octets fits: longer ones than a TFTP request has.
const SLOT_OCTETS: usize = 1024;
/// Octets before the path.
const FIXED_OCTETS: usize = 71;
/// Where the slots begin in the file.
const SLOTS_BEGIN_AT: u64 = (progress::BEGINS_AT + progress::OCTETS) as u64;
/// What the file begins with: name and version.
const MAGIC: [u8; 8] = *b"heorot\0\x03";
/// Data ports that the header has room for.
const PORTS_MAX: usize = 64;

/// The file of notes.
#[derive(Debug)]
pub(crate) struct Notes {
    file: File,
    path: PathBuf,
    progress: Progress,
    /// The numbers of this server's data ports.
    ports: Vec<u16>,
    /// The loop's moment that progress was noted at last, and the same on our clock.
    moment: (Time, Duration),
}

/// What an earlier server left.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// The numbers of its data ports, in order.
    pub(crate) ports: Vec<u16>,
    /// Its transfers.
    pub(crate) notes: Vec<Noted>,
}

/// A transfer that was in flight.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Noted {
    pub(crate) slot: u32,
    /// The number of the port from which it was sent; where that stands among the ports, this server decides.
    pub(crate) port_number: u16,
    pub(crate) note: Note,
}

impl Notes {
    /// Opens the file, or makes it, and reads what is there.
    ///
    /// # Errors
    /// The file system's.
    pub(crate) fn open(path: &Path) -> io::Result<(Self, Found)> {
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        let notes = Self {
            progress: Progress::open(&file)?,
            file,
            path: path.to_owned(),
            ports: Vec::new(),
            moment: (Time::from_nanoseconds(0), Duration::ZERO),
        };
        let found = notes.read(boot_id()?, now())?;
        if found == Found::default() {
            // Slots of no use to anybody. The rest of the file stays: it is shared memory.
            notes.file.set_len(SLOTS_BEGIN_AT)?;
        }
        Ok((notes, found))
    }

    /// Writes the header: the data ports of this server. What was found and is still of use comes back, with the places of its ports among these; the slots
    /// of the rest are emptied, since nobody will.
    ///
    /// # Errors
    /// The file system's.
    pub(crate) fn begin(&mut self, ports: &[u16], found: Found) -> io::Result<Vec<(u32, Note)>> {
        let mut header = Vec::with_capacity(SLOT_OCTETS);
        header.extend(MAGIC);
        header.extend(boot_id()?);
        let count = u16::try_from(ports.len()).expect("there are a few ports");
        header.extend(count.to_le_bytes());
        header.extend(ports.iter().flat_map(|port| port.to_le_bytes()));
        let sum = checksum(&header);
        header.extend(sum.to_le_bytes());
        header.resize(SLOT_OCTETS, 0);
        self.file.write_all_at(&header, 0)?;
        self.ports = ports.to_vec();
        let mut kept = Vec::with_capacity(found.notes.len());
        for Noted { slot, port_number, note } in found.notes {
            match ports.iter().zip(0..).find(|(number, _)| **number == port_number) {
                Some((_, port)) => kept.push((slot, Note { port, ..note })),
                // The client sends its next ACK to that port and nowhere else.
                None => self.write(slot, None)?,
            }
        }
        Ok(kept)
    }

    /// Writes or empties a slot. On a tmpfs this is a copy of a kilobyte.
    ///
    /// # Errors
    /// The file system's: it is full. Then only a restart in mid-transfer is lost.
    pub(crate) fn write(&self, slot: u32, note: Option<&Note>) -> io::Result<()> {
        let place = place(slot)?;
        // What an earlier transfer in this slot came to is older than this, and does not count.
        let number = |note: &Note| self.ports.get(usize::from(note.port)).copied();
        match note.and_then(|note| encode(note, number(note)?, now())) {
            Some(octets) => self.file.write_all_at(&octets, place),
            None => self.file.write_all_at(&[0; 16], place),
        }
    }

    /// Notes how far a transfer in a slot has come. All that come with one moment of the loop's have one on our clock.
    pub(crate) fn advance(&mut self, at: Time, slot: u32, options_acknowledged: bool, acknowledged: u64) {
        if self.moment.0 != at {
            self.moment = (at, now());
        }
        self.progress.set(slot, options_acknowledged, acknowledged, self.moment.1);
    }

    /// Forgets everything: no transfer is in flight.
    ///
    /// # Errors
    /// The file system's.
    pub(crate) fn remove(self) -> io::Result<()> {
        std::fs::remove_file(self.path)
    }

    fn read(&self, boot: [u8; 16], now: Duration) -> io::Result<Found> {
        let mut header = [0; SLOT_OCTETS];
        self.file.read_exact_at(&mut header, 0)?;
        let Some(ports) = ports(&header, boot) else { return Ok(Found::default()) };
        let octets = self.file.metadata()?.len().saturating_sub(SLOTS_BEGIN_AT);
        let octets = usize::try_from(octets).unwrap_or(usize::MAX).min(TRANSFERS_MAX * SLOT_OCTETS);
        let mut content = vec![0; octets];
        self.file.read_exact_at(&mut content, SLOTS_BEGIN_AT)?;
        let slots = content.chunks_exact(SLOT_OCTETS).zip(0..);
        let notes = slots.filter_map(|(slot, n)| {
            let (mut noted, mut written) = decode(n, slot.try_into().ok()?)?;
            if let Some((at, options_acknowledged, acknowledged)) = self.progress.get(n)
                && at >= written
            {
                written = at;
                noted.note.advance(options_acknowledged, acknowledged);
            }
            let age = now.checked_sub(written)?;
            (age <= NOTES_LAST).then_some(noted)
        });
        let notes = notes.collect();
        Ok(Found { ports, notes })
    }
}

fn place(slot: u32) -> io::Result<u64> {
    let in_bounds = usize::try_from(slot).is_ok_and(|slot| slot < TRANSFERS_MAX);
    if !in_bounds {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    Ok(SLOTS_BEGIN_AT + u64::from(slot) * SLOT_OCTETS as u64)
}

fn ports(header: &[u8; SLOT_OCTETS], boot: [u8; 16]) -> Option<Vec<u16>> {
    let mut reader = Reader(header);
    let (magic, id) = (reader.take::<8>()?, reader.take::<16>()?);
    let count = usize::from(u16::from_le_bytes(reader.take()?));
    if magic != MAGIC || id != boot || count > PORTS_MAX {
        return None;
    }
    let ports = (0..count).map(|_| reader.take().map(u16::from_le_bytes)).collect::<Option<_>>()?;
    let summed = header.get(..MAGIC.len() + 16 + 2 + 2 * count)?;
    (u64::from_le_bytes(reader.take()?) == checksum(summed)).then_some(ports)
}

/// A slot: check sum of what follows; moment of writing; the note, with its port's number. None: the path is too long for a slot.
fn encode(note: &Note, port_number: u16, now: Duration) -> Option<Vec<u8>> {
    let mut slot = vec![0; 8];
    slot.extend(u64::try_from(now.as_nanos()).ok()?.to_le_bytes());
    slot.extend(port_number.to_le_bytes());
    slot.extend(note.local.octets());
    slot.extend(note.peer.ip().octets());
    slot.extend(note.peer.port().to_le_bytes());
    for number in [note.identity.file, note.identity.size, note.identity.modified, note.acknowledged] {
        slot.extend(number.to_le_bytes());
    }
    slot.extend(note.block_octets.to_le_bytes());
    slot.extend(note.window_blocks.to_le_bytes());
    slot.extend(note.timeout_milliseconds.unwrap_or(u32::MAX).to_le_bytes());
    slot.push(flags(note));
    slot.extend(u16::try_from(note.path.len()).ok()?.to_le_bytes());
    debug_assert_eq!(slot.len(), FIXED_OCTETS);
    slot.extend(note.path.as_bytes());
    if slot.len() > SLOT_OCTETS {
        return None;
    }
    slot.resize(SLOT_OCTETS, 0);
    let sum = checksum(slot.get(8..)?);
    slot.splice(..8, sum.to_le_bytes());
    Some(slot)
}

/// What a slot's octets say, and when it was written.
fn decode(slot: u32, octets: &[u8; SLOT_OCTETS]) -> Option<(Noted, Duration)> {
    let mut reader = Reader(octets);
    let sum = u64::from_le_bytes(reader.take()?);
    if sum != checksum(reader.0) {
        return None;
    }
    let written = Duration::from_nanos(u64::from_le_bytes(reader.take()?));
    let port_number = u16::from_le_bytes(reader.take()?);
    let local = Ipv4Addr::from(reader.take::<4>()?);
    let peer = SocketAddrV4::new(Ipv4Addr::from(reader.take::<4>()?), u16::from_le_bytes(reader.take()?));
    let identity = ImageIdentity {
        file: u64::from_le_bytes(reader.take()?),
        size: u64::from_le_bytes(reader.take()?),
        modified: u64::from_le_bytes(reader.take()?),
    };
    let acknowledged = u64::from_le_bytes(reader.take()?);
    let block_octets = u16::from_le_bytes(reader.take()?);
    let window_blocks = u16::from_le_bytes(reader.take()?);
    let timeout = u32::from_le_bytes(reader.take()?);
    let [flags] = reader.take()?;
    let flag = |bit: u8| flags & bit != 0;
    let path_octets = usize::from(u16::from_le_bytes(reader.take()?));
    let path = std::str::from_utf8(reader.0.get(..path_octets)?).ok()?.to_owned();
    let timeout_milliseconds = Some(timeout).filter(|timeout| *timeout != u32::MAX);
    let note = Note {
        port: 0, // as long as nobody knows where it stands
        local,
        peer,
        path,
        identity,
        block_octets,
        window_blocks,
        timeout_milliseconds,
        block_octets_asked: flag(BLOCK_OCTETS_ASKED),
        window_blocks_asked: flag(WINDOW_BLOCKS_ASKED),
        size_asked: flag(SIZE_ASKED),
        options_acknowledged: flag(OPTIONS_ACKNOWLEDGED),
        acknowledged,
    };
    Some((Noted { slot, port_number, note }, written))
}

const BLOCK_OCTETS_ASKED: u8 = 1;
const WINDOW_BLOCKS_ASKED: u8 = 2;
const SIZE_ASKED: u8 = 4;
const OPTIONS_ACKNOWLEDGED: u8 = 8;

/// What of a note is yes or no.
fn flags(note: &Note) -> u8 {
    let flag = |set: bool, bit: u8| if set { bit } else { 0 };
    flag(note.block_octets_asked, BLOCK_OCTETS_ASKED)
        | flag(note.window_blocks_asked, WINDOW_BLOCKS_ASKED)
        | flag(note.size_asked, SIZE_ASKED)
        | flag(note.options_acknowledged, OPTIONS_ACKNOWLEDGED)
}

/// Takes fixed pieces from the front.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (piece, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*piece)
    }
}

/// FNV-1a, 64 bits: it has to tell a whole slot from a torn one, and from an empty one.
pub(crate) fn checksum(octets: &[u8]) -> u64 {
    octets.iter().fold(0xcbf2_9ce4_8422_2325, |sum, octet| {
        (sum ^ u64::from(*octet)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Since this host was started, its sleep included: nobody sets this clock.
fn now() -> Duration {
    let now = clock_gettime(ClockId::Boottime);
    Duration::new(u64::try_from(now.tv_sec).unwrap_or(0), u32::try_from(now.tv_nsec).unwrap_or(0))
}

/// What the kernel calls this boot of the host, made short: the text of a UUID without its hyphens is 32 digits, 16 octets.
fn boot_id() -> io::Result<[u8; 16]> {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
    let number = u128::from_str_radix(&text.trim().replace('-', ""), 16).map_err(io::Error::other)?;
    Ok(number.to_be_bytes())
}

#[cfg(test)]
mod tests;
