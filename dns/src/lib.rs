//! Names, answered: DNS without sockets, clock or threads.
//!
//! A [`Resolver`] is a machine of the same form as the rest of the house: an [`Input`] goes in, [`Output`]s come out. It is the authority
//! for one zone, computed from a published [`Directory`](heorot_names::Directory), and for the reverse zones of the networks; for
//! everything else it answers REFUSED.
//!
//! - [`resolver`](Resolver): which queries are answered, with what response code;
//! - `zone`: which names exist and what they have;
//! - `data`: what a name can have, and `tree`: names that are written down and not computed;
//! - `reverse`: which zones of in-addr.arpa and ip6.arpa are ours;
//! - [`nis`]: the same names for those who ask by RPC, with the rooms `rpc`, `portmap` and `yp`;
//! - `name`: a domain name as octets, compared without regard to case;
//! - `wire`: messages, read and written; the crate `domain` is seen nowhere else.

mod data;
mod journal;
mod lent;
mod name;
pub mod nis;
mod notify;
mod portmap;
mod resolver;
mod reverse;
mod rpc;
mod settings;
mod statistics;
mod transfer;
mod tree;
mod wire;
mod yp;
mod zone;

pub use name::NameError;
pub use resolver::{Input, Output, Query, QueryId, Resolver, Transport};
pub use reverse::Prefix;
pub use settings::{Algorithm, Key, Settings};
pub use statistics::{Dropped, ResponseCode, Statistics};
pub use transfer::TransferId;
