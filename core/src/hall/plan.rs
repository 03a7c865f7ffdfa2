//! Which profile a machine has, and the plan of its boot.

use super::{Turn, and_more};
use crate::cluster::node::{Node, Trouble};
use crate::cluster::orders::Orders;
use crate::cluster::plan::Plan;
use crate::config::{FirmwareKind, Profile, TRIAL_PROFILE};
use crate::event::Kind;
use crate::mac::Mac;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a numbered machine boots that nobody says anything of.
const DEFAULT_PROFILE: &str = "default";

impl Turn<'_> {
    /// The name of the profile that a machine would boot now. What the boot that is under way has is in its plan.
    pub(crate) fn profile_name(&self, node: &Node) -> &str {
        self.profile_by(node, &node.orders)
    }

    /// The same, if an operator had decided this.
    ///
    /// What is said of the one machine goes before what is said of many: an operator's word, `[[node]]`, its class, the `nodes` and the `architecture` of profiles.
    pub(crate) fn profile_by(&self, node: &Node, orders: &Orders) -> &str {
        if node.number.is_none() {
            return self.chosen(node).unwrap_or(TRIAL_PROFILE);
        }
        // The configuration may be another one than when this was decided.
        let known = |name: &str| self.config.profiles.get_key_value(name).map(|(name, _)| name.as_str());
        let listed = self.hall.listed.get(self.config, node.mac).and_then(|listed| listed.profile.as_deref());
        let ordered = orders.profile.as_deref().and_then(known);
        let of_class = || node.boot.profile.as_deref().and_then(known);
        ordered.or(listed).or_else(of_class).or_else(|| self.chosen(node)).unwrap_or(DEFAULT_PROFILE)
    }

    /// The profile that an operator gave a machine, if the configuration has no such profile any more: it boots another one, or would with a number.
    pub(crate) fn without_its_profile(&self, node: &Node) -> Option<Trouble> {
        let ordered = node.orders.profile.as_deref()?;
        let is_there = self.config.profiles.contains_key(ordered);
        (!is_there).then(|| {
            let (has, who) = (self.profile_name(node), self.called(node));
            Trouble {
                what: format!(
                    "an operator gave it the profile {ordered}, which is in the configuration no more: its next boot has {has}"
                ),
                to_do: Some(format!(
                    "write [profile.{ordered}] again, or take that back: heorot node set {who} profile="
                )),
            }
        })
    }

    fn called(&self, node: &Node) -> String {
        node.number.map_or_else(|| node.mac.to_string(), |number| self.name(number))
    }

    /// Tells of profiles that operators gave and that are not in the configuration any more; `were_there` says which ones were until now. A line for each.
    pub(crate) fn tell_profiles_gone(&mut self, were_there: impl Fn(&str) -> bool) {
        let mut gone: BTreeMap<&str, Vec<&Node>> = BTreeMap::new();
        for node in self.hall.nodes.iter().filter(|node| self.without_its_profile(node).is_some()) {
            let ordered = node.orders.profile.as_deref().filter(|name| were_there(name));
            ordered.into_iter().for_each(|name| gone.entry(name).or_default().push(node));
        }
        let line = |(profile, nodes): (&str, Vec<&Node>)| {
            let first = nodes.iter().min_by_key(|node| (node.number.is_none(), node.number, node.mac))?;
            let (who, has, others) = (self.called(first), self.profile_name(first), and_more(nodes.len()));
            Some(format!(
                "the profile {profile}, which an operator gave {who}{others}, is in the configuration no more: until it is there again, the next boots have what else is said of them ({who}: {has}); heorot node set NODE profile= takes it back"
            ))
        };
        let lines: Vec<_> = gone.into_iter().filter_map(line).collect();
        for line in lines {
            self.event(None, Kind::Trouble, line);
        }
    }

    /// The profile that says itself that it is for this machine.
    fn chosen(&self, node: &Node) -> Option<&str> {
        let listed = self.hall.listed.place(node.mac);
        let is_its = |choice: &&crate::config::Choice| {
            let is_firmware = choice.firmware.is_empty()
                || node.boot.machine.is_some_and(|machine| choice.firmware.contains(&machine));
            let is_stage = if node.number.is_some() { choice.numbered } else { choice.on_trial };
            let is_in = |set| self.config.groups.contains(set, node.number, listed);
            is_firmware && is_stage && choice.nodes.as_ref().is_none_or(is_in)
        };
        self.config.choices.iter().find(is_its).map(|choice| choice.profile.as_str())
    }

    /// The words of a machine, if an operator had decided this: of its profile, of its `[[node]]`, of the operator, the later before the earlier.
    pub(crate) fn attributes_by(&self, node: &Node, orders: &Orders) -> BTreeMap<String, String> {
        let profile = self.config.profiles.get(self.profile_by(node, orders));
        let mut attributes = profile.map(|profile| profile.attributes.clone()).unwrap_or_default();
        attributes.extend(self.own_attributes(node, orders));
        attributes
    }

    fn own_attributes(&self, node: &Node, orders: &Orders) -> BTreeMap<String, String> {
        let listed = self.hall.listed.get(self.config, node.mac);
        let mut own = listed.map(|listed| listed.attributes.clone()).unwrap_or_default();
        own.extend(orders.attributes.clone());
        own
    }

    /// The plan of a machine's boot. It is made once for a boot, at its first packet; of a boot that began before a restart, from what was recorded.
    pub(crate) fn plan(&mut self, mac: Mac) -> Option<Arc<Plan>> {
        let planned = self.hall.nodes.get(mac)?.boot.plan.clone();
        planned.or_else(|| self.plan_anew(mac))
    }

    /// Makes the plan of a machine's boot from what holds now. Most machines of one profile share one plan.
    pub(crate) fn plan_anew(&mut self, mac: Mac) -> Option<Arc<Plan>> {
        let node = self.hall.nodes.get(mac)?;
        let name = self.profile_name(node).to_owned();
        let profile = self.config.profiles.get(&name)?;
        let own = self.own_attributes(node, &node.orders);
        let plan = if own.is_empty() {
            let new = || Arc::new(Plan::new(&name, profile, BTreeMap::new()));
            Arc::clone(self.hall.plans.entry(name.clone()).or_insert_with(new))
        } else {
            Arc::new(Plan::new(&name, profile, own))
        };
        let node = self.hall.nodes.get_mut(mac)?;
        let is_another = node.boot.plan.as_ref() != Some(&plan);
        node.boot.plan = Some(Arc::clone(&plan));
        if is_another {
            node.boot.is_together = false;
        }
        Some(plan)
    }

    /// Takes note of what firmware says of itself in this boot: the architecture, and the profile that its class gives it. What it had from another class stays, if it has
    /// none from this one: ROM and loader may be of different classes. The plan is made, or made anew if that makes it another profile's.
    pub(crate) fn meet_firmware(&mut self, mac: Mac, machine: Option<FirmwareKind>, profile: Option<&str>) {
        let Some(node) = self.hall.nodes.get_mut(mac) else { return };
        let of_class = profile.filter(|profile| node.boot.profile.as_deref() != Some(profile));
        let is_first_word = machine.is_some() && node.boot.machine.is_none();
        if is_first_word {
            node.boot.machine = machine;
        }
        if let Some(profile) = of_class {
            node.boot.profile = Some(profile.into());
        }
        if node.boot.plan.is_none() {
            self.plan_anew(mac);
        } else if is_first_word || of_class.is_some() {
            self.plan_if_another(mac);
        }
        if of_class.is_some() {
            self.keep_boot(mac);
        }
    }

    /// Makes the plan anew, if the machine has another profile by what has come out in this boot.
    fn plan_if_another(&mut self, mac: Mac) {
        let Some(node) = self.hall.nodes.get(mac) else { return };
        let name = self.profile_name(node);
        if node.boot.plan.as_ref().is_none_or(|plan| plan.profile != name) {
            self.plan_anew(mac);
        }
    }
}

impl<'c> Turn<'c> {
    /// The profile of a machine's present or last boot, as the configuration has it now.
    pub(crate) fn profile_of_boot(&self, node: &Node) -> Option<&'c Profile> {
        let config = self.config;
        let planned = node.boot.plan.as_ref().and_then(|plan| config.profiles.get(&plan.profile));
        planned.or_else(|| config.profiles.get(self.profile_name(node)))
    }
}
