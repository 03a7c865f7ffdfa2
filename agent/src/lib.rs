//! What runs on a node between its kernel and its work: find the interface, take an address, answer the server's questions about this
//! machine, move to the address that the number brings, mount the root, become its first process, and say that the system is up.
//!
//! What it is called for is in `main.rs`; read it first. [`walk`] is the way to a number, [`root`] what comes of it, [`switch`] the change
//! into it. Here are also the two that the lab's simulated hosts use: [`dhcp`] and [`frame`], which only turn meaning into bytes and back.
//!
//! Everything a node prints is one line on its console, `heorot-agent: [  12.345] text` with the seconds since the kernel started, so
//! that a serial console is a complete log.

pub mod check_in;
pub mod checks;
pub mod client;
pub mod cmdline;
pub mod console;
pub mod cpio;
pub mod dhcp;
pub mod facts;
pub mod files;
pub mod frame;
pub mod handover;
pub mod http;
pub mod keeper;
pub mod last_words;
pub mod link;
pub mod loop_device;
pub mod modules;
pub mod net;
pub mod netlink;
pub mod node;
pub mod quantity;
pub mod resolve;
pub mod root;
pub mod start;
pub mod switch;
pub mod system;
pub mod waiting;
pub mod walk;
