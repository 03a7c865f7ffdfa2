//! Real clients against the real server: firmware in QEMU, Debian's DHCP clients and `dig`, each in network namespaces that the lab
//! makes and removes itself. Nothing outside them is touched.
//!
//! ```text
//!   namespace "server"            namespace "segment"                      namespace "client"
//!   heorot, 10.77.0.1 on eth1 ──veth── bridge ──veth── eth0, 10.77.0.2: dig
//!                                    │  │  └──veth── further hosts: dhclient, udhcpc, simulated ones
//!                                    tap tap
//!                                     │   └── QEMU
//!                                     └────── QEMU
//! ```
//!
//! Read [`demo`] first: it is the whole of it in one walk. [`network`], [`machine`], [`server`] and [`host`] are its actors, [`sniff`] its
//! witness; [`packages`] and [`initramfs`] prepare what machines boot. Everything here needs root, and what is missing is an error that
//! names the package to install.

pub mod command;
pub mod console;
pub mod demo;
pub mod directory;
pub mod file_server;
pub mod grub;
pub mod host;
pub mod initramfs;
pub mod kill;
pub mod loss;
pub mod machine;
pub mod name_server;
pub mod namespace;
pub mod network;
pub mod other_server;
pub mod packages;
pub mod qmp;
pub mod router;
pub mod secondary;
pub mod server;
pub mod sniff;
pub mod timeline;
pub mod tree;
pub mod unified;
