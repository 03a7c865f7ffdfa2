//! What is durable: one record a fact, written whole, read back at the next start.

use super::last_end::LastEnd;
use super::orders::Orders;
use super::plan::PlanRecord;
use super::stage::{Phase, Stage};
use super::trial::Trial;
use super::trouble::Trouble;
use crate::config::FirmwareKind;
use crate::mac::Mac;
use heorot_names::{Dynamic, DynamicSet};
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;

/// A fact as it is kept. A later record of the same [`Record::key`] replaces the earlier one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// A machine and what was promised to it. Promises wait for this.
    Node(NodeRecord),
    /// An address is lent to a machine that has no number. Its ACK waits for this.
    Lease(LeaseRecord),
    /// The address is nobody's any more.
    LeaseEnded(Ipv4Addr),
    /// It was found to be a card of another machine, or its machine goes by another card: nothing is kept under this hardware address.
    NodeForgotten(Mac),
    /// How far a machine got. History, of which the last seconds may be lost; but the first file that holds a boot's token waits for it.
    Boot(Box<BootRecord>),
    /// Nothing was ever promised to this machine, and its place was needed.
    BootForgotten(Mac),
    /// A machine's last trials. History.
    Trials(TrialsRecord),
    /// Which addresses the numbers have, and for how long at most, so that it is known whose another one is by the next configuration. History.
    Numbering(NumberingRecord),
    /// Serials of the zones before this one may be served.
    Serial(SerialRecord),
    /// What a name has by updates. Their answers wait for this.
    Dynamic(DynamicRecord),
    /// What an operator decided about a machine. The answer to him waits for this.
    Orders(OrdersRecord),
    /// Whether a boot's secrets were given. They wait for this.
    Secrets(SecretsRecord),
}

/// A record's place in the order of all records since start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Ticket(pub u64);

/// A machine and what was promised to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeRecord {
    /// The hardware address it was first seen with: its identity.
    pub mac: Mac,
    /// Its further hardware addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub further_macs: Vec<Mac>,
    /// Which of these got its address last, if it was not the first one: where frames for it go, as long as it does not answer ARP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub granted_to: Option<Mac>,
    /// Its number, once it has one.
    pub number: Option<u32>,
    /// What its trial found out, as the agent said it: a JSON object.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub facts: serde_json::Map<String, serde_json::Value>,
}

/// What an operator decided about a machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrdersRecord {
    /// Which machine.
    pub mac: Mac,
    /// What.
    #[serde(flatten)]
    pub orders: Orders,
    /// Since when that keeps it from serving, in seconds since 1970, if it does and the calendar was known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_seconds: Option<u64>,
}

/// Whether the secrets of a machine's boot were given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretsRecord {
    /// Which machine.
    pub mac: Mac,
    /// Of which boot.
    pub token: String,
    /// Who asked. None: they were not given, and nothing is kept.
    pub to: Option<Ipv4Addr>,
    /// When, in seconds since 1970, if the calendar was known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_seconds: Option<u64>,
}

impl SecretsRecord {
    /// None were given to a machine.
    pub fn none(mac: Mac) -> Self {
        Self { mac, token: String::new(), to: None, at_seconds: None }
    }
}

/// An address lent to a machine that has no number. There is no moment in it, as a renewal is not recorded: after a restart it is held as long again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseRecord {
    /// Which address.
    pub address: Ipv4Addr,
    /// To whom.
    pub mac: Mac,
    /// The name by which its host is known as long, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether its host is a guest. Where the ranges are moved the address does not tell.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_guest: bool,
    /// Whether it is kept for its host: that is the configuration's affair, and this says who has it, for the day when the configuration keeps it for another one. History, until then; with `of_number` that day has come.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub of_host: bool,
    /// Whether it was its machine's by a number that is another one now: nobody else gets it before the machine has left it. Or its host's by a configuration that is another now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub of_number: bool,
    /// Whether another server gave it: where we do by now, its machine is to leave it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_elsewhere: bool,
    /// For how long it was granted last. None: an earlier version did not record it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_seconds: Option<u64>,
    /// Whether that is what was left of it, as its host has not renewed it since a restart: then it is not held for longer after the next one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_left: bool,
}

/// Which addresses the numbers have on the networks where we give the addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberingRecord {
    /// One for each.
    pub networks: Vec<NumberedRecord>,
}

/// The numbers of one network, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberedRecord {
    /// Lowest number.
    pub lowest: u32,
    /// Highest number.
    pub highest: u32,
    /// The address of the lowest number; the others follow by one.
    pub first: Ipv4Addr,
    /// For how long at most what is out of theirs goes on, from when this was recorded: a lease of the configuration, or what is left of longer ones of an earlier one. A renewal records nothing, so that this is all that is
    /// known of it after a restart. None: an earlier version did not record it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_seconds: Option<u64>,
}

/// The bound of the zones' serials (RFC 1982).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SerialRecord {
    /// The first that was not served before this record.
    pub bound: u32,
}

/// What a name has by updates (RFC 2136).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DynamicRecord {
    /// The whole name.
    pub name: String,
    /// Each of another type; without any, nothing is kept.
    pub sets: Vec<DynamicSetRecord>,
}

/// All data of one type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DynamicSetRecord {
    /// The type's number.
    #[serde(rename = "type")]
    pub kind: u16,
    /// How long others may keep it.
    pub ttl_seconds: u32,
    /// In wire form, hexadecimal.
    pub data: Vec<String>,
}

/// How far a machine got in its last boot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BootRecord {
    /// Which machine.
    pub mac: Mac,
    /// What lets it talk about itself until its next boot.
    pub token: String,
    /// Its stage.
    pub stage: Stage,
    /// Since when it is in that, in seconds since 1970, if the calendar was known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_seconds: Option<u64>,
    /// How far its boot was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// Why it is in that stage, for people.
    pub reason: String,
    /// The profile that its class gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// What its firmware is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<FirmwareKind>,
    /// What it loads, as long as it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanRecord>,
    /// How often the machine was tried in this boot.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub tries: u32,
    /// A digest of the checks that it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checks: Option<String>,
    /// Whether its agent says now and then that its system runs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub checks_in: bool,
    /// Whether it got its address by BOOTP last, and so for good.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_bootp: bool,
    /// That it is not believed at which place it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<Trouble>,
    /// How its last system ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_end: Option<LastEnd>,
    /// What its agent said that it could not go on with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_says: Option<Trouble>,
    /// Its boots before this one that were not heard to come up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vain: Option<VainRecord>,
    /// Whether a file with its token waits for this record. Nothing of that is kept.
    #[serde(skip)]
    pub is_awaited: bool,
}

/// Boots that were not heard to come up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VainRecord {
    /// How many.
    pub boots: u32,
    /// When the first of them began, in seconds since 1970, if the calendar was known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_seconds: Option<u64>,
    /// How far the last of them was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// What was in its way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub troubles: Vec<Trouble>,
}

/// A machine's last trials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrialsRecord {
    /// Which machine.
    pub mac: Mac,
    /// The oldest first; without any, nothing is kept.
    pub trials: Vec<Trial>,
}

/// A record that this version cannot read: written by a later one, or damaged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Its key.
    pub key: String,
    /// What is wrong with it.
    pub why: String,
}

impl Record {
    /// Under what it is kept: its kind and its name, as `node/52:54:00:00:00:17`.
    pub fn key(&self) -> String {
        match self {
            Self::Node(node) => format!("node/{}", node.mac),
            Self::NodeForgotten(mac) => format!("node/{mac}"),
            Self::Lease(LeaseRecord { address, .. }) | Self::LeaseEnded(address) => {
                format!("lease/{address}")
            }
            Self::Boot(boot) => format!("boot/{}", boot.mac),
            Self::BootForgotten(mac) => format!("boot/{mac}"),
            Self::Trials(trials) => format!("trials/{}", trials.mac),
            Self::Numbering(_) => "numbering/networks".into(),
            Self::Serial(_) => "serial/zones".into(),
            Self::Dynamic(dynamic) => format!("dynamic/{}", dynamic.name),
            Self::Orders(orders) => format!("orders/{}", orders.mac),
            Self::Secrets(secrets) => format!("secrets/{}", secrets.mac),
        }
    }

    /// When it was written, or what it tells of was, in seconds since 1970, if the calendar was known.
    pub fn at_seconds(&self) -> Option<u64> {
        match self {
            Self::Boot(boot) => boot.at_seconds,
            Self::Orders(orders) => orders.at_seconds,
            Self::Secrets(secrets) => secrets.at_seconds,
            Self::Trials(trials) => trials.trials.last()?.at_seconds,
            Self::Node(_)
            | Self::NodeForgotten(_)
            | Self::Lease(_)
            | Self::LeaseEnded(_)
            | Self::BootForgotten(_)
            | Self::Numbering(_)
            | Self::Serial(_)
            | Self::Dynamic(_) => None,
        }
    }

    /// Whether it may be promised to somebody. The others are history, or take something back: they go with the next ones, or after a moment.
    pub fn is_awaited(&self) -> bool {
        match self {
            Self::Node(_)
            | Self::NodeForgotten(_)
            | Self::Dynamic(_)
            | Self::Orders(_)
            | Self::Secrets(_) => true,
            Self::Lease(lease) => !lease.is_left && (!lease.of_host || lease.of_number),
            Self::Boot(boot) => boot.is_awaited,
            Self::LeaseEnded(_)
            | Self::BootForgotten(_)
            | Self::Trials(_)
            | Self::Numbering(_)
            | Self::Serial(_) => false,
        }
    }

    /// What is kept, as JSON. None: nothing is kept under this key any more.
    pub fn value(&self) -> Option<String> {
        let json = match self {
            Self::Node(node) => serde_json::to_string(node),
            Self::Lease(lease) => serde_json::to_string(lease),
            Self::Boot(boot) => serde_json::to_string(boot),
            Self::Trials(trials) if trials.trials.is_empty() => return None,
            Self::Trials(trials) => serde_json::to_string(trials),
            Self::Numbering(numbering) => serde_json::to_string(numbering),
            Self::Serial(serial) => serde_json::to_string(serial),
            Self::Dynamic(dynamic) if dynamic.sets.is_empty() => return None,
            Self::Dynamic(dynamic) => serde_json::to_string(dynamic),
            Self::Orders(orders) if orders.orders.are_none() => return None,
            Self::Orders(orders) => serde_json::to_string(orders),
            Self::Secrets(secrets) if secrets.to.is_none() => return None,
            Self::Secrets(secrets) => serde_json::to_string(secrets),
            Self::LeaseEnded(_) | Self::NodeForgotten(_) | Self::BootForgotten(_) => return None,
        };
        Some(json.expect("no map in a record has keys that are not strings"))
    }

    /// Reads back what was kept.
    ///
    /// # Errors
    /// The kind is unknown, or the value is not what that kind has.
    pub fn parse(key: &str, value: &str) -> Result<Self, Unreadable> {
        let record = match key.split('/').next() {
            Some("node") => serde_json::from_str(value).map(Self::Node),
            Some("lease") => serde_json::from_str(value).map(Self::Lease),
            Some("boot") => serde_json::from_str(value).map(Self::Boot),
            Some("trials") => serde_json::from_str(value).map(Self::Trials),
            Some("numbering") => serde_json::from_str(value).map(Self::Numbering),
            Some("serial") => serde_json::from_str(value).map(Self::Serial),
            Some("dynamic") => serde_json::from_str(value).map(Self::Dynamic),
            Some("orders") => serde_json::from_str(value).map(Self::Orders),
            Some("secrets") => serde_json::from_str(value).map(Self::Secrets),
            _ => return Err(Unreadable { key: key.into(), why: "no such kind of record".into() }),
        };
        let record = record.map_err(|e| Unreadable { key: key.into(), why: e.to_string() })?;
        if record.key() != key {
            return Err(Unreadable { key: key.into(), why: format!("it holds {}", record.key()) });
        }
        Ok(record)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl From<&Dynamic> for DynamicRecord {
    fn from(dynamic: &Dynamic) -> Self {
        let digits = |data: &Vec<u8>| data.iter().map(|octet| format!("{octet:02x}")).collect();
        let set = |set: &DynamicSet| DynamicSetRecord {
            kind: set.kind,
            ttl_seconds: set.ttl_seconds,
            data: set.data.iter().map(digits).collect(),
        };
        Self { name: dynamic.name.clone(), sets: dynamic.sets.iter().map(set).collect() }
    }
}

impl From<&DynamicRecord> for Dynamic {
    /// What is not hexadecimal is left out.
    fn from(record: &DynamicRecord) -> Self {
        let octet = |two: &[u8]| u8::from_str_radix(std::str::from_utf8(two).ok()?, 16).ok();
        let octets = |digits: &String| digits.as_bytes().chunks(2).map(octet).collect::<Option<Vec<u8>>>();
        let set = |set: &DynamicSetRecord| DynamicSet {
            kind: set.kind,
            ttl_seconds: set.ttl_seconds,
            data: set.data.iter().filter_map(octets).collect(),
        };
        Self { name: record.name.clone(), sets: record.sets.iter().map(set).collect() }
    }
}

#[cfg(test)]
mod tests;
