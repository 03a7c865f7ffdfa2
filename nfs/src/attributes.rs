//! What is told of a file (RFC 1813 2.6, `fattr3`).

use heorot_rpc::xdr::Writer;

/// All of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attributes {
    /// What it is.
    pub kind: Kind,
    /// Its mode without the kind: twelve bits.
    pub mode: u32,
    /// How many names it has.
    pub links: u32,
    /// Its owner.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// Octets of its content.
    pub size: u64,
    /// Octets that it takes on the disk.
    pub used: u64,
    /// Of a device, its numbers.
    pub device: (u32, u32),
    /// Which file system it is on, for the client.
    pub file_system: u64,
    /// Its inode's number.
    pub inode: u64,
    /// When it was last read.
    pub accessed: Moment,
    /// When its content last changed.
    pub modified: Moment,
    /// When anything of it last changed.
    pub changed: Moment,
}

/// What a file is (`ftype3`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    Regular = 1,
    /// A directory.
    Directory = 2,
    /// A block device.
    BlockDevice = 3,
    /// A character device.
    CharacterDevice = 4,
    /// A symbolic link.
    Link = 5,
    /// A socket.
    Socket = 6,
    /// A named pipe.
    Pipe = 7,
}

/// A moment (`nfstime3`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// Since 1970.
    pub seconds: u32,
    /// Less than a thousand million.
    pub nanoseconds: u32,
}

/// Octets of attributes in a reply.
pub const ATTRIBUTES_OCTETS: usize = 84;

impl Attributes {
    /// Writes them.
    pub fn write(&self, writer: &mut Writer) {
        let (major, minor) = self.device;
        writer.u32s(&[self.kind as u32, self.mode & 0o7777, self.links, self.uid, self.gid]);
        writer.u64(self.size);
        writer.u64(self.used);
        writer.u32s(&[major, minor]);
        writer.u64(self.file_system);
        writer.u64(self.inode);
        for moment in [self.accessed, self.modified, self.changed] {
            writer.u32s(&[moment.seconds, moment.nanoseconds]);
        }
    }
}
