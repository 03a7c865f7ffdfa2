//! Files without which a boot does not go on.

use super::Node;

/// One that is sent to its machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Which.
    pub path: String,
    /// By which name: loaders write theirs with slashes, and the operator may have it rewritten.
    pub asked: String,
    /// To which port of its machine, unless it was on its way before this server was started anew.
    pub port: Option<u16>,
    /// Whether it is sent by HTTP, and not by TFTP.
    pub is_by_http: bool,
    /// How far it is.
    pub way: Way,
    /// So many of its octets the machine has, from the first on: it may be broken off, or loaded by parts.
    pub octets: u64,
    /// Whether it may have more of them: by a connection that has died and of which nothing is told yet, or from this server before it was started anew.
    pub may_have_more: bool,
    /// Whether it did not get through when it was asked for last or before.
    pub has_failed: bool,
}

/// How far a file is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// It is on it.
    Under,
    /// It did not get through.
    Failed,
    /// A part of it got through.
    Part,
    /// Who asked for it has looked at it, as loaders do to learn how long a file is, and not loaded it.
    Left,
}

/// What firmware was told to load, and whose that is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// It was told of nothing.
    Nothing,
    /// Something of ours: a path for TFTP, or else a URL, a menu, or files whose names it knows.
    Ours(Option<String>),
    /// Another server's, which has this address or name.
    Elsewhere {
        /// A path for TFTP or a URL; nothing where it knows the names itself.
        file: Option<String>,
        /// The other one.
        server: String,
    },
}

impl Named {
    /// The path for TFTP that it was told.
    pub fn path(&self) -> Option<&str> {
        let named = match self {
            Self::Nothing => None,
            Self::Ours(file) | Self::Elsewhere { file, .. } => file.as_deref(),
        };
        named.filter(|file| !file.contains("://"))
    }
}

impl Node {
    /// It is told what it is to load; its firmware, or a system, which may load something too.
    pub fn is_told_to_load(&mut self, named: Named, is_firmware: bool) {
        if let Some(path) = named.path() {
            self.boot.file = Some(path.to_owned());
        } else if !is_firmware {
            return;
        }
        self.boot.named = Some(named);
    }
}
