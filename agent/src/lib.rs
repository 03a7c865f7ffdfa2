//! What runs on a node between its kernel and its work: find the interface, take an address, answer the server's questions about this
//! machine, move to the address that the number brings, and say that the system is up.
//!
//! The walk itself is `main.rs`; read it first. Here are its parts, and the two that the lab's simulated hosts use as well:
//! [`dhcp`] and [`frame`], which only turn meaning into bytes and back.
//!
//! Everything a node prints is one line on its console, `heorot-agent: [  12.345] text` with the seconds since the kernel started, so
//! that a serial console is a complete log.

pub mod checks;
pub mod client;
pub mod cmdline;
pub mod console;
pub mod dhcp;
pub mod facts;
pub mod frame;
pub mod http;
pub mod keeper;
pub mod link;
pub mod modules;
pub mod net;
pub mod netlink;
pub mod node;
pub mod quantity;
