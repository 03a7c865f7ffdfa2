//! What a file's mode allows whom, where nothing is ever written.
//!
//! A node's root is root here too: the tree is his. That he is who he says he is nobody checks (AUTH_SYS), but that he calls from a port that only some host's root has; what must not be
//! read by whoever is on the network does not belong in a tree that is served.

use crate::attributes::{Attributes, Kind};
use heorot_rpc::credential::User;

/// What a client may ask about (RFC 1813 3.3.4).
pub const READ: u32 = 0x01;
/// To find names in a directory.
pub const LOOKUP: u32 = 0x02;
/// To change what is there.
pub const MODIFY: u32 = 0x04;
/// To write behind its end.
pub const EXTEND: u32 = 0x08;
/// To run a file.
pub const EXECUTE: u32 = 0x20;

/// Bits of a mode, for one of owner, group and others.
const MAY_READ: u32 = 4;
const MAY_WRITE: u32 = 2;
const MAY_EXECUTE: u32 = 1;

/// Which of these things a user may do. What changes anything here is never among them; but what is behind a device node or a pipe is the client's own, and Linux asks us
/// whether it may be written to.
pub fn granted(file: &Attributes, user: &User, wanted: u32) -> u32 {
    let bits = bits(file, user);
    let mut granted = 0;
    if bits & MAY_READ != 0 {
        granted |= READ;
    }
    if bits & MAY_WRITE != 0 {
        granted |= match file.kind {
            Kind::BlockDevice | Kind::CharacterDevice | Kind::Socket | Kind::Pipe => MODIFY | EXTEND,
            Kind::Regular | Kind::Directory | Kind::Link => 0,
        };
    }
    if bits & MAY_EXECUTE != 0 {
        granted |= match file.kind {
            Kind::Directory => LOOKUP,
            Kind::Regular => EXECUTE,
            Kind::BlockDevice | Kind::CharacterDevice | Kind::Link | Kind::Socket | Kind::Pipe => 0,
        };
    }
    granted & wanted
}

/// Whether a user may read a file's content. Whoever may run it has to, and its owner could have opened it before he took away his own rights
/// (RFC 1813 4.4).
pub fn may_read(file: &Attributes, user: &User) -> bool {
    user.uid == file.uid || bits(file, user) & (MAY_READ | MAY_EXECUTE) != 0
}

/// Whether a user may find names in a directory.
pub fn may_search(directory: &Attributes, user: &User) -> bool {
    bits(directory, user) & MAY_EXECUTE != 0
}

/// Whether a user may list a directory.
pub fn may_list(directory: &Attributes, user: &User) -> bool {
    bits(directory, user) & MAY_READ != 0
}

fn bits(file: &Attributes, user: &User) -> u32 {
    let (owner, group, others) = (file.mode >> 6 & 7, file.mode >> 3 & 7, file.mode & 7);
    if user.uid == 0 {
        // Root runs what anybody may run, and reads and searches everything.
        let runs = file.kind == Kind::Directory || (owner | group | others) & MAY_EXECUTE != 0;
        return MAY_READ | MAY_WRITE | if runs { MAY_EXECUTE } else { 0 };
    }
    if user.uid == file.uid {
        owner
    } else if user.is_in(file.gid) {
        group
    } else {
        others
    }
}

#[cfg(test)]
mod tests;
