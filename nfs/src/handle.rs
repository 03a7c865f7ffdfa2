//! Names of files that clients keep (`nfs_fh3`): the same after a restart, made by nobody else, and remembered by nobody here.
//!
//! A handle says under which root the file is, which inode it has, since when that exists (an inode's number is given again), and the way to it: of each
//! directory on the way, and of the file itself, a few bits of a hash. Whoever has forgotten the path goes that way again: it reads the root, enters those
//! directories whose hash fits, of which there is next to always one, and so on. At the end 64 bits have to fit.
//!
//! Behind all that stand 64 bits that only those can reckon who know the secret of this server.

use crate::limit::{HANDLE_OCTETS_MAX, TRAIL_OCTETS};
use siphasher::sip::SipHasher24;
use std::hash::Hasher;

/// What handles are made with.
#[derive(Clone)]
pub struct Keys {
    way: SipHasher24,
    seal: SipHasher24,
}

/// A file, as a client names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handle {
    /// Under which root.
    pub root: RootId,
    /// Where.
    pub place: Place,
    /// Its inode's number.
    pub inode: u64,
    /// Since when there is this inode: some bits of that moment.
    pub birth: u32,
}

/// A root: a directory that is served, as it was at one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RootId(pub u32);

/// A path below a root, in a few bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The hash of the whole path.
    pub key: u64,
    depth: u8,
    /// The hash of the path to each level, from the root on: two octets of each, or one if there are many.
    trail: [u8; TRAIL_OCTETS],
}

/// The only form so far.
const FORM: u8 = 1;
/// Before the trail: form, depth, birth, root, key, inode.
const FIXED_OCTETS: usize = 26;
const SEAL_OCTETS: usize = 8;
/// Levels that have two octets each.
const WIDE_LEVELS_MAX: usize = TRAIL_OCTETS / 2;

const _: () = assert!(FIXED_OCTETS + TRAIL_OCTETS + SEAL_OCTETS == HANDLE_OCTETS_MAX);

impl Keys {
    /// From the secret of this server, which is kept with its records.
    pub fn new(secret: &[u8; 16]) -> Self {
        let derived = |purpose: &[u8]| {
            let half = |which: u8| {
                let mut hasher = SipHasher24::new_with_key(secret);
                hasher.write(purpose);
                hasher.write(&[which]);
                hasher.finish()
            };
            SipHasher24::new_with_keys(half(0), half(1))
        };
        Self { way: derived(b"nfs way"), seal: derived(b"nfs seal") }
    }

    /// Which root this is: a directory by its name, its inode and the birth of that.
    pub fn root(&self, directory: &[u8], inode: u64, birth: u32) -> RootId {
        let mut hasher = self.way;
        hasher.write(&inode.to_be_bytes());
        hasher.write(&birth.to_be_bytes());
        hasher.write(directory);
        // The lower half is as good as any.
        RootId(hasher.finish() as u32)
    }

    /// What of a moment stands in a handle.
    pub fn birth(&self, seconds: i64, nanoseconds: u32) -> u32 {
        let mut hasher = self.way;
        hasher.write(&seconds.to_be_bytes());
        hasher.write(&nanoseconds.to_be_bytes());
        hasher.finish() as u32
    }

    /// The place of a root itself.
    pub fn top(&self, root: RootId) -> Place {
        let mut hasher = self.way;
        hasher.write(&root.0.to_be_bytes());
        Place { key: hasher.finish(), depth: 0, trail: [0; TRAIL_OCTETS] }
    }

    /// The place of what has this name in a directory.
    pub fn child(&self, directory: &Place, name: &[u8]) -> Place {
        let mut hasher = self.way;
        hasher.write(&directory.key.to_be_bytes());
        hasher.write(name);
        let key = hasher.finish();
        let level = usize::from(directory.depth);
        // Deeper than any path of Linux goes (4096 octets) the depth says no more; the key does.
        let mut place = Place { key, depth: directory.depth.saturating_add(1), trail: directory.trail };
        let [.., high, low] = key.to_be_bytes();
        match level {
            0..WIDE_LEVELS_MAX => place.trail[2 * level..2 * level + 2].copy_from_slice(&[high, low]),
            _ => {
                if level == WIDE_LEVELS_MAX {
                    // From here on each level has one octet: the lower one of what it had.
                    let mut narrow = [0; TRAIL_OCTETS];
                    let lower = directory.trail.chunks_exact(2).filter_map(|pair| pair.last());
                    narrow.iter_mut().zip(lower).for_each(|(octet, lower)| *octet = *lower);
                    place.trail = narrow;
                }
                if let Some(octet) = place.trail.get_mut(level) {
                    *octet = low;
                }
            }
        }
        place
    }

    /// The place of a path below a root: names with slashes between them, none for the root itself.
    pub fn place(&self, root: RootId, path: &[u8]) -> Place {
        let names = path.split(|octet| *octet == b'/').filter(|name| !name.is_empty());
        names.fold(self.top(root), |place, name| self.child(&place, name))
    }

    /// A handle as octets, at most [`HANDLE_OCTETS_MAX`] of them.
    pub fn seal(&self, handle: &Handle) -> Sealed {
        let mut octets = [0; HANDLE_OCTETS_MAX];
        let trail = handle.place.trail_octets();
        let sealed = FIXED_OCTETS + trail;
        octets[0] = FORM;
        octets[1] = handle.place.depth;
        octets[2..6].copy_from_slice(&handle.birth.to_be_bytes());
        octets[6..10].copy_from_slice(&handle.root.0.to_be_bytes());
        octets[10..18].copy_from_slice(&handle.place.key.to_be_bytes());
        octets[18..26].copy_from_slice(&handle.inode.to_be_bytes());
        octets[FIXED_OCTETS..sealed].copy_from_slice(&handle.place.trail[..trail]);
        let seal = self.seal_of(&octets[..sealed]);
        octets[sealed..sealed + SEAL_OCTETS].copy_from_slice(&seal);
        let length = sealed + SEAL_OCTETS;
        Sealed { octets, length }
    }

    /// The handle that octets are. None: we did not make it.
    pub fn open(&self, octets: &[u8]) -> Option<Handle> {
        let (&[form, depth, ..], true) = (octets.first_chunk::<2>()?, octets.len() <= HANDLE_OCTETS_MAX)
        else {
            return None;
        };
        let (sealed, seal) = octets.split_last_chunk::<SEAL_OCTETS>()?;
        if form != FORM || !is_equal(&self.seal_of(sealed), seal) {
            return None;
        }
        let u32_at = |at: usize| Some(u32::from_be_bytes(*sealed.get(at..)?.first_chunk()?));
        let u64_at = |at: usize| Some(u64::from_be_bytes(*sealed.get(at..)?.first_chunk()?));
        let mut place = Place { key: u64_at(10)?, depth, trail: [0; TRAIL_OCTETS] };
        let trail = sealed.get(FIXED_OCTETS..)?;
        place.trail.get_mut(..trail.len())?.copy_from_slice(trail);
        Some(Handle { root: RootId(u32_at(6)?), place, inode: u64_at(18)?, birth: u32_at(2)? })
    }

    fn seal_of(&self, octets: &[u8]) -> [u8; SEAL_OCTETS] {
        let mut hasher = self.seal;
        hasher.write(octets);
        hasher.finish().to_be_bytes()
    }
}

/// Without telling by its time how much of a forgery is right.
fn is_equal(a: &[u8; SEAL_OCTETS], b: &[u8; SEAL_OCTETS]) -> bool {
    a.iter().zip(b).fold(0, |differing, (a, b)| differing | (a ^ b)) == 0
}

impl Place {
    /// How many names the path has, up to 255.
    pub fn depth(&self) -> usize {
        self.depth.into()
    }

    /// Whether what is at this place may be on the way to another one, as far as the other's handle tells: on a level that it tells nothing of, everything may.
    pub fn may_lead_to(&self, end: &Self) -> bool {
        let Some(level) = self.depth().checked_sub(1) else { return true };
        if self.depth() >= end.depth() && self.depth < u8::MAX {
            return self.key == end.key;
        }
        let [.., high, low] = self.key.to_be_bytes();
        if end.depth() <= WIDE_LEVELS_MAX {
            return end.trail.get(2 * level..2 * level + 2) == Some(&[high, low]);
        }
        end.trail.get(level).is_none_or(|octet| *octet == low)
    }

    /// How many octets of the trail say something; a multiple of four with what stands around them.
    fn trail_octets(&self) -> usize {
        let told = match self.depth() {
            depth @ 0..=WIDE_LEVELS_MAX => 2 * depth,
            depth => depth.min(TRAIL_OCTETS),
        };
        (FIXED_OCTETS + told).next_multiple_of(4).min(FIXED_OCTETS + TRAIL_OCTETS) - FIXED_OCTETS
    }
}

/// A handle as it goes over the network.
#[derive(Clone, Copy, Debug)]
pub struct Sealed {
    octets: [u8; HANDLE_OCTETS_MAX],
    length: usize,
}

impl Sealed {
    /// Its octets.
    pub fn octets(&self) -> &[u8] {
        &self.octets[..self.length]
    }
}

#[cfg(test)]
mod tests;
