//! Names, answered: DNS without sockets, clock or threads.
//!
//! A [`Resolver`] is a machine of the same form as the rest of the house: an [`Input`] goes in, [`Output`]s come out. It is the authority
//! for one zone, computed from a published [`Directory`](heorot_names::Directory), and for the reverse zones of the networks; for
//! everything else it asks those who know, if it was told of any, and keeps what they say; if not, it answers REFUSED.
//!
//! - [`resolver`](Resolver): which queries are answered, with what response code;
//! - `zone`: which names exist and what they have;
//! - `data`: what a name can have, and `tree`: names that are written down and not computed; `lent`: names of hosts, as long as their leases last;
//! - `journal`: what has changed from serial to serial; `transfer`: copies for secondaries, and `notify`: that they hear of changes;
//! - `update`: what an update would change, if it may, and `dynamic`: in which form that is kept;
//! - `reverse`: which zones of in-addr.arpa and ip6.arpa are ours;
//! - `asked`: a plain question, read without a copy;
//! - `forward`: questions for others, in flight; `upstream`: whom they go to, and what of the answers is believed;
//! - `validate`: whether what they say is signed by who may say it;
//! - `hosts_file`: names that the administrator has in files;
//! - `cache`: answers in wire form; `clients`: whom outside names are told to; `chance`: what a forger would have to guess;
//! - [`nis`]: the same names for those who ask by RPC, with the room `yp`;
//! - `name`: a domain name as octets, compared without regard to case;
//! - `wire`: messages, read and written; the crate `domain` is seen nowhere else.

mod asked;
mod cache;
mod chance;
mod clients;
mod data;
mod dynamic;
mod forward;
mod forwarding;
mod hosts_file;
mod journal;
mod lent;
pub mod limit;
mod local;
mod name;
pub mod nis;
mod notify;
#[cfg(test)]
mod reading;
mod resolver;
mod reverse;
mod settings;
mod statistics;
mod transfer;
mod tree;
mod update;
mod upstream;
mod validate;
mod wire;
mod yp;
mod zone;

pub use forward::{Exchange, ExchangeId, Fault, ForwardCounts};
pub use forwarding::{Anchor, Forwarding, Group, NameServer, Rebinding, Validation};
pub use hosts_file::{HostNames, name_servers};
pub use name::NameError;
pub use resolver::{Input, Output, Query, QueryId, Resolver, Transport, UpdateId, UpdateOutcome};
pub use reverse::Prefix;
pub use settings::{Algorithm, Key, Settings, Updates};
pub use statistics::{Dropped, ResponseCode, Statistics};
pub use transfer::TransferId;
pub use upstream::{ServerCounts, ServerStatus, Unanswered};
pub use validate::Digest;
