//! Everything that decides about nodes: pure, without clock, socket, file or thread. The tour; read it first.
//!
//! - [`message`]: what goes in and what comes out, the whole contract;
//! - [`Heorot`]: the flow, in one match;
//! - [`cluster`]: what is known: nodes and their stages, leases, networks, boots, trials;
//! - [`service`]: one file a conversation: DHCP (with PXE), what machines ask for, operators, updates of names;
//! - [`load`]: how much may be sent now, and to whom first;
//! - [`transfer`]: the TFTP machine, of the same form;
//! - [`wire`]: bytes <-> meaning;
//! - `hall`: all that is known, in memory, and through what the services see and change it;
//! - `promise`: what waits for a record; [`commits`]: which records become durable together;
//! - [`config`]: one record per option;
//! - [`time`], [`timer`], [`limit`], [`event`], [`mac`]: what all of them speak of.

pub mod cluster;
pub mod commits;
pub mod config;
pub mod event;
mod hall;
mod heorot;
pub mod limit;
pub mod load;
/// Hardware addresses.
pub mod mac;
pub mod message;
mod promise;
pub mod service;
pub mod time;
pub mod timer;
pub mod transfer;
pub mod wire;

pub use heorot::Heorot;
