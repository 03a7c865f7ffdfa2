//! Machines that an operator has named, and that are no nodes for that: a guest whom he denies is a guest all the same.

use super::{Node, Nodes, Stage};
use crate::mac::Mac;

impl Node {
    /// Whether it is known only because an operator named it. It has never asked to boot from the network, and has no number: for DHCP it is a guest or a host.
    pub fn is_only_named(&self) -> bool {
        self.is_named && self.stage == Stage::Seen && self.promised().is_none()
    }

    /// Whether nothing is left to be known of it: what an operator decided about it he has taken back.
    pub fn is_nobody(&self) -> bool {
        self.is_only_named() && self.orders.are_none()
    }
}

impl Nodes {
    /// The machine with this hardware address, if it is a node: not one that is only named.
    pub fn node(&self, mac: Mac) -> Option<&Node> {
        self.get(mac).filter(|node| !node.is_only_named())
    }

    /// A machine asks as nodes do.
    pub fn is_node_from_now_on(&mut self, mac: Mac) {
        if let Some(node) = self.get_mut(mac) {
            node.is_named = false;
        }
    }
}
