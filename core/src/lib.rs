//! Everything that decides about nodes: pure, without clock, socket, file or thread. The tour; read it first.
//!
//! - [`message`]: what goes in and what comes out, the whole contract;
//! - [`Heorot`]: the flow, in one match;
//! - [`cluster`]: what is known: nodes and their stages, leases, networks, boots, trials;
//! - [`service`]: one file a conversation: DHCP, PXE, requests for generated files, operators;
//! - [`transfer`]: the TFTP machine, of the same form;
//! - [`wire`]: bytes <-> meaning;
//! - [`config`]: one record per option;
//! - [`time`], [`limit`], [`event`], [`mac`]: what all of them speak of.

pub mod cluster;
pub mod config;
pub mod event;
mod heorot;
pub mod limit;
/// Hardware addresses.
pub mod mac;
pub mod message;
pub mod service;
pub mod time;
pub mod transfer;
pub mod wire;

pub use heorot::Heorot;
