//! Why a machine has no number yet that nothing which it does gets it one: there is none, or it would have to be listed.

use super::Turn;
use super::listed::of_network;
use crate::cluster::node::{Node, Trouble};
use crate::cluster::stage::Stage;
use crate::config::{Mode, Order, Policy, written_identifier};
use crate::mac::Mac;

impl Turn<'_> {
    /// Why a machine has none, if it would have one as soon as it asks for its address, or would have to be listed. `circuit` is where its relay has it, and `none_left`
    /// says what [`Self::none_left_at`] does.
    pub(crate) fn unnumbered<'n>(
        &self,
        node: &Node,
        circuit: impl FnOnce() -> Option<&'n [u8]>,
        none_left: impl FnOnce(usize) -> Option<Trouble>,
    ) -> Option<Trouble> {
        let is_tried = matches!(node.stage, Stage::Temporary | Stage::Testing);
        let is_kept = node.orders.exclusion().is_some() || node.boot.doubt.is_some();
        if !is_tried || is_kept || node.promised().is_some() {
            return None;
        }
        let listed = self.hall.listed.get(self.config, node.mac);
        if listed.is_none() && !self.config.trial.order.numbers_strangers() {
            return Some(self.unlisted(node.mac, circuit()));
        }
        let place = node.network?;
        match listed.map(|listed| listed.number) {
            // The list keeps one for it.
            Some(Some(number)) => match self.listed_number(node.mac, place, number) {
                Some(_) => None,
                None => Some(self.no_number(node.mac, Some(place))),
            },
            None if self.config.trial.policy != Policy::None => None,
            Some(None) | None => none_left(place),
        }
    }

    /// Why no number of a network is left for a machine that has none in the list, if that is so. All numbers there may have to be looked at.
    pub(crate) fn none_left_at(&self, place: usize) -> Option<Trouble> {
        let network = &self.config.networks[place];
        let mut free = self.free_numbers(place, network.numbering.numbers.lowest).peekable();
        if free.peek().is_none() {
            return Some(self.numbers_taken(network));
        }
        let is_lent = |number| {
            network.numbering.address(number).is_some_and(|address| self.hall.leases.get(address).is_some())
        };
        let (by_whom, or_else) = match network.mode {
            Mode::Serve | Mode::Shadow => (
                "to machines that had them before",
                "start those machines again: each has another address then",
            ),
            Mode::Proxy => (
                "to other machines, by another server",
                "let that server give those machines other addresses",
            ),
        };
        free.all(is_lent).then(|| Trouble {
            what: format!("the addresses of all free numbers of {} are lent {by_whom}", of_network(network)),
            to_do: Some(format!("make network.numbers larger, or {or_else}")),
        })
    }

    /// Why a machine that nobody lists has no number, and what the operator can do.
    pub(crate) fn unlisted(&self, mac: Mac, circuit: Option<&[u8]>) -> Trouble {
        let by_mac = format!("add [[node]] mac = \"{mac}\" with a number to the configuration");
        if self.config.trial.order != Order::Port {
            return Trouble {
                what: "trial.order is \"list\" and it is not listed".into(),
                to_do: Some(by_mac),
            };
        }
        let (what, to_do) = match circuit.map(written_identifier) {
            Some(circuit) => (
                format!("trial.order is \"port\" and no [[node]] is at its circuit, {circuit}"),
                format!("add [[node]] circuit-id = {circuit} with a number to the configuration"),
            ),
            None => (
                "trial.order is \"port\" and no relay says at which port it is (option 82)".into(),
                format!("let the relay add option 82, or {by_mac}"),
            ),
        };
        Trouble { what, to_do: Some(to_do) }
    }
}
