//! Who a caller says that he is (RFC 5531 8, 9 and appendix A).

use crate::limit::{GROUPS_MAX, MACHINE_NAME_OCTETS_MAX};
use crate::xdr::Reader;

/// A credential as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credential<'a> {
    /// Nobody in particular: `AUTH_NONE`.
    None,
    /// A user of a host, which is what anybody likes to write: `AUTH_SYS`.
    System(&'a [u8]),
}

/// A user of a host and his groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct User {
    /// Number of the user.
    pub uid: u32,
    /// Number of his first group.
    pub gid: u32,
    groups: [u32; GROUPS_MAX],
    count: usize,
}

/// `auth_flavor`
const AUTH_NONE: u32 = 0;
const AUTH_SYS: u32 = 1;

impl<'a> Credential<'a> {
    /// Of this kind, with this in it. None: one that is not known here.
    pub(crate) fn new(flavor: u32, body: &'a [u8]) -> Option<Self> {
        match flavor {
            AUTH_NONE => Some(Self::None),
            AUTH_SYS => Some(Self::System(body)),
            _ => None,
        }
    }

    /// The user. None: it is nobody, or what is written there cannot be read.
    pub fn user(&self) -> Option<User> {
        let Self::System(body) = self else { return None };
        let mut reader = Reader::new(body);
        let _stamp = reader.u32()?;
        let _machine = reader.opaque(MACHINE_NAME_OCTETS_MAX)?;
        let (uid, gid) = (reader.u32()?, reader.u32()?);
        let count = usize::try_from(reader.u32()?).ok()?;
        let mut groups = [0; GROUPS_MAX];
        for group in groups.get_mut(..count)? {
            *group = reader.u32()?;
        }
        Some(User { uid, gid, groups, count })
    }
}

impl User {
    /// Who says nothing of himself.
    pub const NOBODY: Self = Self { uid: 65_534, gid: 65_534, groups: [0; GROUPS_MAX], count: 0 };

    /// Of these numbers.
    ///
    /// # Panics
    /// There are more than sixteen groups.
    pub fn new(uid: u32, gid: u32, others: &[u32]) -> Self {
        let mut groups = [0; GROUPS_MAX];
        groups[..others.len()].copy_from_slice(others);
        Self { uid, gid, groups, count: others.len() }
    }

    /// Whether he is in a group.
    pub fn is_in(&self, group: u32) -> bool {
        self.gid == group || self.groups.get(..self.count).is_some_and(|groups| groups.contains(&group))
    }
}

#[cfg(test)]
mod tests;
