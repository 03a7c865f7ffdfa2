//! Which numbers have the SSH host key that is made for them: a node whose profile has none has another key or no sshd, and who knew ours of it would be told that it is not to be trusted.

use super::Turn;
use crate::cluster::node::Node;
use crate::limit::HOST_KEYS_RECKONED_EVERY;
use crate::time::Time;
use heorot_names::NodeSet;
use std::sync::Arc;

/// The numbers, as they were reckoned last.
#[derive(Debug, Default)]
pub(crate) struct HostKeyNumbers {
    numbers: Arc<NodeSet>,
    /// When. None: since then the configuration has changed.
    at: Option<Time>,
}

impl HostKeyNumbers {
    /// The numbers.
    pub(crate) fn numbers(&self) -> Arc<NodeSet> {
        Arc::clone(&self.numbers)
    }
}

impl Turn<'_> {
    /// Reckons the numbers anew if that was not done just now: for who boots.
    pub(crate) fn refresh_host_keys(&mut self) {
        let at = self.hall.host_keys.at;
        if at.is_none_or(|at| at + HOST_KEYS_RECKONED_EVERY <= self.now) {
            self.reckon_host_keys();
        }
    }

    /// Reckons them from what is known now.
    pub(crate) fn reckon_host_keys(&mut self) {
        let (mut with, mut without) = (Vec::new(), Vec::new());
        if self.config.has_host_keys() {
            for node in self.hall.nodes.iter() {
                if let Some(number) = node.number {
                    if self.has_host_key(node) { with.push(number) } else { without.push(number) }
                }
            }
        }
        let [with, without] = [with, without].map(|numbers| numbers.into_iter().collect::<NodeSet>());
        let numbers = self.config.numbers_with_host_key().difference(&without).union(&with);
        let numbers = Arc::new(numbers.intersection(&self.hall.directory.numbers()));
        self.hall.host_keys = HostKeyNumbers { numbers, at: Some(self.now) };
    }

    /// Whether a machine has it, from the boot that it is in or by the next one.
    fn has_host_key(&self, node: &Node) -> bool {
        let of_boot = node.boot.plan.as_ref().is_some_and(|plan| plan.overlays.ssh_host_key);
        let profile = || self.config.profiles.get(self.profile_name(node));
        of_boot || profile().is_some_and(|profile| profile.overlays.ssh_host_key)
    }
}
