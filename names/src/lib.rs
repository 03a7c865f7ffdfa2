//! Node numbers, names and addresses: arithmetic and nothing else.
//!
//! Node 23 is `node23`, and its address is that of node 0 plus 23. Nobody has to be asked, nothing has to be kept in step: every
//! service that names or addresses a node (DHCP, DNS, exports) calls these few functions.
//!
//! - [`Pattern`]: number <-> name (`node{}`, `n{:04}`);
//! - [`Numbering`]: number <-> address on one network;
//! - [`NodeSet`]: many numbers and their text (`node[0-3,7]`);
//! - [`Record`]: what DNS says beside;
//! - [`Directory`]: the snapshot of all of them that is published to whoever answers queries, and [`Changes`] to what is no arithmetic.

mod change;
mod directory;
mod nodeset;
mod numbering;
mod pattern;
mod record;

pub use change::{Change, Changes};
pub use directory::{Directory, Hosts};
pub use nodeset::{Folded, NodeSet, NodeSetError, NodeSetProblem, Unsupported};
pub use numbering::{NumberRange, Numbering};
pub use pattern::{Pattern, PatternError};
pub use record::{Record, RecordData};
