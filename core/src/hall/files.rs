//! The small files of a node: what they are made from, and whether a boot's secrets were given.

use super::Turn;
use crate::cluster::network;
use crate::cluster::plan::Plan;
use crate::cluster::record::{Record, SecretsRecord};
use crate::cluster::secrets::Given;
use crate::config::{OverlayNetwork, OverlayValues, Overlays, Values};
use crate::event::Kind;
use crate::mac::Mac;
use crate::message::NodeFiles;
use crate::time::Time;
use std::net::Ipv4Addr;
use std::sync::Arc;

impl Turn<'_> {
    /// What a node gets that is at this address, and reaches us at that one. None: it has no number.
    pub(crate) fn node_files(
        &self,
        mac: Mac,
        (address, server): (Ipv4Addr, Ipv4Addr),
        plan: &Plan,
        overlays: Overlays,
    ) -> Option<NodeFiles> {
        let number = self.hall.nodes.get(mac)?.number?;
        Some(self.files_of_number((mac, number), (address, server), plan, overlays))
    }

    /// What the machine of a number gets.
    pub(crate) fn files_of_number(
        &self,
        (mac, number): (Mac, u32),
        (address, server): (Ipv4Addr, Ipv4Addr),
        plan: &Plan,
        overlays: Overlays,
    ) -> NodeFiles {
        let name = self.name(number);
        let networks = self.config.networks.iter().filter_map(|network| {
            Some(OverlayNetwork {
                name: format!("{name}{}", network.numbering.suffix),
                address: network.numbering.address(number)?,
                prefix: network.prefix_length,
                gateway: network.gateway.map(|gateway| gateway.to_string()).unwrap_or_default(),
                server: network.address,
            })
        });
        let networks = networks.collect();
        let values = Values {
            node_name: Some(name),
            node_number: Some(number),
            node_mac: mac.to_string(),
            node_address: address,
            node_attributes: plan.attributes.clone(),
            cluster_name: self.config.cluster.name.clone(),
            server_address: server,
        };
        NodeFiles {
            mac,
            number,
            overlays,
            values: OverlayValues { values, networks, profile: plan.profile.clone() },
            directory: Arc::clone(&self.hall.directory),
            host_keys: self.hall.host_keys.numbers(),
            place: network::place(self.config, None),
            given: None,
        }
    }

    /// Records whether the secrets of a machine's boot were given. A promise can wait for it.
    pub(crate) fn keep_secrets(&mut self, mac: Mac) {
        let Some(node) = self.hall.nodes.get(mac) else { return };
        let given = node.boot.secrets.as_ref();
        let record = SecretsRecord {
            mac: node.mac,
            token: node.boot.token.clone(),
            to: given.map(|given| given.to),
            at_seconds: given.and_then(|given| given.at_seconds),
        };
        self.record(Record::Secrets(record));
        if let Some(node) = self.hall.nodes.get_mut(mac) {
            node.is_secrets_kept = true;
        }
    }

    /// What was to be given at that moment is with nobody.
    pub(crate) fn take_back_secrets(&mut self, mac: Mac, given: Time) {
        if let Some(node) = self.hall.nodes.get_mut(mac)
            && node.boot.secrets.as_ref().is_some_and(|secrets| secrets.at == given)
        {
            node.boot.secrets = None;
        }
    }

    /// It is durable that they are given.
    pub(crate) fn tell_secrets_given(&mut self, mac: Mac) {
        let given = self.hall.nodes.get(mac).and_then(|node| node.boot.secrets.as_ref());
        let Some(to) = given.map(|given| given.to) else { return };
        self.event(Some(mac), Kind::Agent, format!("its agent at {to} fetches the secrets of this boot"));
    }

    /// What was given in the present boot before a restart stays given; of earlier boots nothing is kept.
    pub(crate) fn restore_secrets(&mut self, record: SecretsRecord) {
        let SecretsRecord { mac, token, to, at_seconds } = record;
        let at = self.now;
        let node = self.hall.nodes.get_mut(mac).filter(|node| node.mac == mac && node.boot.token == token);
        match (node, to) {
            (Some(node), Some(to)) => {
                node.boot.secrets = Some(Given { to, at, at_seconds });
                node.is_secrets_kept = true;
            }
            (Some(_) | None, _) => drop(self.record(Record::Secrets(SecretsRecord::none(mac)))),
        }
    }
}
