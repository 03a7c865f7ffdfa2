//! Answers as octets, behind the head of a call that succeeded (RFC 1813 3.3).

use crate::attributes::{ATTRIBUTES_OCTETS, Attributes};
use crate::handle::Sealed;
use crate::limit::{LISTING_OCTETS_MAX, READ_OCTETS_MAX, WRITE_OCTETS_MAX};
use crate::{Status, asked};
use heorot_rpc::xdr::Writer;

const OK: u32 = 0;

/// What cannot be told, and why. Of attributes alone there is nothing beside the status.
pub fn failed(only_attributes: bool, status: Status) -> Writer {
    let mut writer = Writer::default();
    writer.u32(status as u32);
    if !only_attributes {
        writer.bool(false);
    }
    writer
}

/// As above, with the attributes of what was asked.
pub fn failed_with(status: Status, attributes: &Attributes) -> Writer {
    let mut writer = Writer::default();
    writer.u32(status as u32);
    told(&mut writer, Some(attributes));
    writer
}

/// GETATTR.
pub fn attributes(attributes: &Attributes) -> Writer {
    let mut writer = Writer::default();
    writer.u32(OK);
    attributes.write(&mut writer);
    writer
}

/// LOOKUP: the handle and the attributes of what was found, and those of the directory.
pub fn found(handle: &Sealed, file: &Attributes, directory: &Attributes) -> Writer {
    let mut writer = Writer::default();
    writer.u32(OK);
    writer.opaque(handle.octets());
    told(&mut writer, Some(file));
    told(&mut writer, Some(directory));
    writer
}

/// ACCESS.
pub fn access(file: &Attributes, granted: u32) -> Writer {
    let mut writer = succeeded(file);
    writer.u32(granted);
    writer
}

/// READLINK.
pub fn link(file: &Attributes, target: &[u8]) -> Writer {
    let mut writer = succeeded(file);
    writer.opaque(target);
    writer
}

/// READ, but for the octets themselves: so many of them follow, filled up to a multiple of four.
pub fn read(file: &Attributes, count: u32, is_end: bool) -> Writer {
    let mut writer = succeeded(file);
    writer.u32(count);
    writer.bool(is_end);
    writer.u32(count);
    writer
}

/// FSSTAT.
pub fn usage(file: &Attributes, usage: &Usage) -> Writer {
    let mut writer = succeeded(file);
    let Usage { octets, octets_free, files, files_free } = *usage;
    // What is free is so for nobody: nothing is written here.
    for number in [octets, octets_free, 0, files, files_free, 0] {
        writer.u64(number);
    }
    // How long this stays so: nobody knows.
    writer.u32(0);
    writer
}

/// How full a file system is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Of the whole.
    pub octets: u64,
    /// Not used.
    pub octets_free: u64,
    /// Inodes of the whole.
    pub files: u64,
    /// Not used.
    pub files_free: u64,
}

/// FSINFO.
pub fn information(file: &Attributes) -> Writer {
    let mut writer = succeeded(file);
    const MULTIPLE: u32 = 4096;
    writer.u32s(&[READ_OCTETS_MAX, READ_OCTETS_MAX, MULTIPLE]);
    writer.u32s(&[WRITE_OCTETS_MAX, WRITE_OCTETS_MAX, MULTIPLE]);
    writer.u32(LISTING_OCTETS_MAX);
    writer.u64(i64::MAX as u64);
    // Times are told to the nanosecond.
    writer.u32s(&[0, 1]);
    writer.u32(HAS_LINKS | HAS_SYMBOLIC_LINKS | IS_HOMOGENEOUS);
    writer
}

/// Properties of a file system (`FSF3_LINK`, `FSF3_SYMLINK`, `FSF3_HOMOGENEOUS`).
const HAS_LINKS: u32 = 1;
const HAS_SYMBOLIC_LINKS: u32 = 2;
const IS_HOMOGENEOUS: u32 = 8;

/// PATHCONF.
pub fn names(file: &Attributes) -> Writer {
    let mut writer = succeeded(file);
    const LINKS_MAX: u32 = 65_000;
    writer.u32s(&[LINKS_MAX, crate::limit::NAME_OCTETS_MAX as u32]);
    // Longer names are refused; only root gives files away; capital letters count, and are kept.
    for truth in [true, true, false, true] {
        writer.bool(truth);
    }
    writer
}

/// READDIR or READDIRPLUS, as it is written.
pub struct Entries {
    writer: Writer,
    listing: asked::Listing,
    names_octets: u32,
    count: u32,
}

/// A name in a directory, as it is told.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// Its inode's number.
    pub inode: u64,
    /// Its name.
    pub name: &'a [u8],
    /// By which the client goes on behind it.
    pub cookie: u64,
    /// Of READDIRPLUS: its attributes and its handle, if they can be had.
    pub file: Option<(&'a Attributes, &'a Sealed)>,
}

/// Behind the entries: that there is none, and whether these were all.
const END_OCTETS: usize = 8;

impl Entries {
    /// Begins a list.
    pub fn new(directory: &Attributes, listing: asked::Listing) -> Self {
        let mut writer = succeeded(directory);
        // The verifier: there is one version of a directory alone.
        writer.u64(0);
        Self { writer, listing, names_octets: 0, count: 0 }
    }

    /// Writes an entry. False: it has no room.
    pub fn add(&mut self, entry: &Entry<'_>) -> bool {
        let names_octets = 4 + 8 + 4 + entry.name.len().next_multiple_of(4) as u32 + 8;
        let of_file = match (self.listing.with_attributes, entry.file) {
            (false, _) => 0,
            (true, None) => 8,
            (true, Some((_, handle))) => {
                4 + ATTRIBUTES_OCTETS + 8 + handle.octets().len().next_multiple_of(4)
            }
        };
        let octets = self.writer.octets().len() + names_octets as usize + of_file + END_OCTETS;
        let names_octets = self.names_octets + names_octets;
        // The first entry may be longer than what is wanted of names: that is a hint (RFC 1813 3.3.17).
        let is_hint = self.listing.with_attributes && self.count == 0;
        if octets > self.listing.octets_max as usize
            || (names_octets > self.listing.names_octets_max && !is_hint)
        {
            return false;
        }
        self.names_octets = names_octets;
        self.count += 1;
        let writer = &mut self.writer;
        writer.bool(true);
        writer.u64(entry.inode);
        writer.opaque(entry.name);
        writer.u64(entry.cookie);
        if self.listing.with_attributes {
            told(writer, entry.file.map(|(attributes, _)| attributes));
            writer.bool(entry.file.is_some());
            if let Some((_, handle)) = entry.file {
                writer.opaque(handle.octets());
            }
        }
        true
    }

    /// Ends it. Whether these were all; if there are more and none of them had room, the client has to ask for more octets.
    pub fn finish(mut self, is_end: bool, directory: &Attributes) -> Writer {
        if self.count == 0 && !is_end {
            return failed_with(Status::TooSmall, directory);
        }
        self.writer.bool(false);
        self.writer.bool(is_end);
        self.writer
    }
}

fn succeeded(file: &Attributes) -> Writer {
    let mut writer = Writer::default();
    writer.u32(OK);
    told(&mut writer, Some(file));
    writer
}

/// `post_op_attr`
fn told(writer: &mut Writer, attributes: Option<&Attributes>) {
    writer.bool(attributes.is_some());
    if let Some(attributes) = attributes {
        attributes.write(writer);
    }
}

#[cfg(test)]
mod tests;
