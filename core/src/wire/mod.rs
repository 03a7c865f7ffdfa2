//! Bytes <-> meaning. Knows packets and nothing of the cluster: what a packet means for a node is the business of `service` and `transfer`.
//!
//! What comes from the wire is bounded before it is looked at, and nothing in it sizes an allocation beyond its own length.

pub mod dhcp;
pub mod pxe;
pub mod tftp;
