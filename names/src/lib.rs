//! Node numbers, names and addresses: arithmetic and nothing else.
//!
//! Node 23 is `node23`, and its address is that of node 0 plus 23. Nobody has to be asked, nothing has to be kept in step: every
//! service that names or addresses a node (DHCP, DNS, exports) calls these few functions.
//!
//! - [`Pattern`]: number <-> name (`node{}`, `n{:04}`);
//! - [`Numbering`]: number <-> address on one network;
//! - [`NodeSet`]: many numbers and their text (`node[0-3,7]`);
//! - [`NamesFile`]: the few lines from which a machine resolves names without asking anybody;
//! - [`export`]: the table of nodes as other tools read it;
//! - [`Record`]: what DNS says beside, and [`Dynamic`] what others have it say by updates;
//! - [`HostsFile`]: names that the administrator has in files;
//! - [`Directory`]: the snapshot of all of them that is published to whoever answers queries, and [`Changes`] to what is no arithmetic.

mod change;
mod directory;
pub mod dynamic;
pub mod export;
pub mod file;
mod hosts_file;
mod nodeset;
mod numbering;
mod pattern;
mod record;

pub use change::{Change, Changes};
pub use directory::{Directory, Hosts};
pub use dynamic::{Dynamic, DynamicSet, Owners};
pub use file::NamesFile;
pub use hosts_file::{FileHosts, HostsFile, HostsLine};
pub use nodeset::{
    ExpressionError, FilesError, Folded, Members, NodeSet, NodeSetError, NodeSetProblem, Vocabulary,
    with_files,
};
pub use numbering::{NumberRange, Numbering};
pub use pattern::{Pattern, PatternError, Spelled};
pub use record::{Record, RecordData};
