//! What a machine was offered in vain.

use crate::time::Time;

/// Offers of an address that were not taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offers {
    /// How many.
    pub count: u32,
    /// When the first of them went out.
    pub since: Option<Time>,
    /// When the last did.
    pub last: Option<Time>,
}
