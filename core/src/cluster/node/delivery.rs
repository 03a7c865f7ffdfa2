//! Files without which a boot does not go on.

/// One that is sent to its machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Which.
    pub path: String,
    /// By which name: loaders write theirs with slashes, and the operator may have it rewritten.
    pub asked: String,
    /// By HTTP, to which port of its machine.
    pub port: Option<u16>,
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
