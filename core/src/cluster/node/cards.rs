//! Which hardware addresses are one machine's, where the operator says so after they were met.

use super::{Node, Nodes};
use crate::mac::Mac;

impl Nodes {
    /// Whether a machine is known by this hardware address, and not by another one of its.
    pub fn is_identity(&self, mac: Mac) -> bool {
        self.places.contains_key(&mac)
    }

    /// A further hardware address is no longer its machine's: it is nobody's.
    pub fn detach(&mut self, further: Mac) {
        self.latest.set(None);
        self.joining.remove(&further);
        if let Some(mac) = self.identities.remove(&further)
            && let Some(node) = self.get_mut(mac)
        {
            node.further_macs.retain(|known| *known != further);
            node.granted_to = node.granted_to.filter(|granted| *granted != further);
        }
    }

    /// A machine goes by one of its further hardware addresses from now on, and the one by which it was known is nobody's.
    pub fn rename(&mut self, mac: Mac, to: Mac) {
        if self.identity(to) != mac || to == mac {
            return;
        }
        self.latest.set(None);
        let Some(place) = self.places.remove(&mac) else { return };
        self.places.insert(to, place);
        self.forgettable.rename(mac, to);
        self.given_up.rename(mac, to);
        let node = &mut self.nodes[place];
        node.mac = to;
        node.further_macs.retain(|known| *known != to);
        node.granted_to = node.granted_to.filter(|granted| *granted != mac);
        self.tokens.changes(to, &node.boot.token, &node.boot.token);
        let further = node.further_macs.clone();
        self.identities.remove(&to);
        self.joining.remove(&to);
        for further in further {
            self.identities.insert(further, to);
        }
        let numbers = [self.nodes[place].number, self.nodes[place].claim];
        for number in numbers.into_iter().flatten() {
            self.numbers.insert(number, to);
        }
    }

    /// Takes out a machine that has no number.
    pub fn take_out(&mut self, mac: Mac) -> Option<Node> {
        self.latest.set(None);
        let place = self.places.remove(&mac)?;
        let node = self.nodes.swap_remove(place);
        self.forgettable.remove(mac);
        self.given_up.remove(mac);
        self.tokens.changes(mac, &node.boot.token, "");
        // The last one has taken its place.
        if let Some(moved) = self.nodes.get(place) {
            self.places.insert(moved.mac, place);
        }
        for further in &node.further_macs {
            self.identities.remove(further);
            self.joining.remove(further);
        }
        Some(*node)
    }
}

#[cfg(test)]
mod tests;
