//! Whether a boot's secrets were given, and to whom.

use crate::time::Time;
use std::net::Ipv4Addr;

/// The secrets of a boot were given. Whoever has its token and asks again gets none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// Which address asked.
    pub to: Ipv4Addr,
    /// When; of before a restart, when that was.
    pub at: Time,
    /// The same in seconds since 1970, if the calendar was known.
    pub at_seconds: Option<u64>,
}
