//! Interfaces that hear nobody: whoever waits there waits for a cable, and not for us.

use super::Turn;
use crate::cluster::deaf::Deaf;
use crate::time::Wall;
use std::collections::BTreeMap;

impl Turn<'_> {
    /// These hear nobody from now on, and no others.
    pub(crate) fn interfaces_deaf(&mut self, deaf: BTreeMap<String, Deaf>) {
        let before = std::mem::take(&mut self.hall.deaf);
        for (interface, why) in deaf {
            let known = before.get(&interface).filter(|(_, known)| *known == why);
            if known.is_none() {
                self.event_of_interface(why.told(&interface, ""));
            }
            let since = known.map_or(self.now, |(since, _)| *since);
            self.hall.deaf.insert(interface, (since, why));
        }
        for interface in before.into_keys() {
            // One that is gone hears nobody either, and that was said.
            if self.hall.deaf.contains_key(&interface) || self.hall.gone.contains_key(&interface) {
                continue;
            }
            self.event_of_interface(format!("{interface} hears those there again"));
        }
    }

    /// What is told of an interface that hears nobody.
    pub(crate) fn deaf(&self, wall: Wall, interface: &str) -> Option<String> {
        let (since, why) = self.hall.deaf.get(interface)?;
        Some(why.told(interface, &format!(" since {}", wall.stamp(self.now, *since))))
    }

    /// What an operator is told of all of them: one that is without a carrier counts if machines were heard there, or if there is no other. Another one may have no machine yet.
    pub(crate) fn all_deaf(&self, wall: Wall) -> Vec<String> {
        let is_deaf = |name: &str| self.hall.deaf.contains_key(name) || self.hall.gone.contains_key(name);
        let hears_nobody = self.config.networks.iter().all(|network| is_deaf(&network.interface));
        let is_used = |name: &str| {
            let mut places =
                self.hall.nodes.iter().filter_map(|node| self.config.networks.get(node.network?));
            places.any(|network| network.interface == name)
        };
        let counts = |name: &str, why: Deaf| match why {
            Deaf::Down => true,
            Deaf::NoCarrier => hears_nobody || is_used(name),
        };
        let deaf = self.hall.deaf.iter().filter(|(name, (_, why))| counts(name, *why));
        deaf.filter_map(|(name, _)| self.deaf(wall, name)).collect()
    }
}
