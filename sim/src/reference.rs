//! The reference model: what was promised to whom, as naively as possible, from nothing but what is seen on the wire.
//!
//! It walks beside the server, crashes with nothing, and knows no stage of any node's life. What it must never see:
//! two machines with one number or one address; a machine whose number changes; a promise that is not durable when it is made, or is forgotten later;
//! an offer that changes although nothing was decided; an offer that is taken and refused.

use heorot_core::cluster::record::{NodeRecord, Record};
use heorot_core::config::Config;
use heorot_core::limit::{HOLD_AFTER_LIFE, OFFER_STANDS};
use heorot_core::mac::Mac;
use heorot_core::message::{DhcpSend, DhcpTarget};
use heorot_core::time::Time;
use heorot_core::wire::dhcp::{Message, MessageType, Op, option};
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::time::Duration;

/// What is kept by the store, as key and value.
pub(crate) type Kept = BTreeMap<String, String>;

/// Everything that was promised.
#[derive(Debug)]
pub(crate) struct Reference {
    config: Config,
    /// Numbers that were told to a machine, by an answer to its agent or by an ACK of the number's address.
    numbers: BTreeMap<Mac, u32>,
    holders: BTreeMap<u32, Mac>,
    /// Temporary addresses that were acknowledged and not given back.
    lent: BTreeMap<Ipv4Addr, Loan>,
    /// The last offer to each machine, as long as nothing was decided about it.
    offers: BTreeMap<Mac, (Ipv4Addr, Time)>,
    /// Offers that were taken, until they are granted.
    taken: BTreeMap<Mac, Ipv4Addr>,
    /// Addresses that foreign hosts have.
    squatted: BTreeSet<Ipv4Addr>,
}

#[derive(Clone, Copy, Debug)]
struct Loan {
    mac: Mac,
    /// The end of the lease.
    until: Time,
    /// When the server last looked at a packet from this address.
    life: Time,
}

/// A sign of life is told to the server's table of leases no more often than this.
const LIFE_TOLD_WITHIN: Duration = Duration::from_secs(6);

impl Loan {
    /// Until when nobody else may have the address.
    fn held_until(&self) -> Time {
        self.until.max(self.life + (HOLD_AFTER_LIFE - LIFE_TOLD_WITHIN))
    }
}

impl Reference {
    /// Nothing was promised but what these records say.
    pub(crate) fn new(config: &Config, records: &[Record]) -> Self {
        let mut reference = Self {
            config: config.clone(),
            numbers: BTreeMap::new(),
            holders: BTreeMap::new(),
            squatted: BTreeSet::new(),
            lent: BTreeMap::new(),
            offers: BTreeMap::new(),
            taken: BTreeMap::new(),
        };
        for record in records {
            if let Record::Node(NodeRecord { mac, number: Some(number), .. }) = record {
                reference.numbers.insert(*mac, *number);
                reference.holders.insert(*number, *mac);
            }
        }
        reference
    }

    /// The server looks at a datagram for port 67.
    pub(crate) fn asked(&mut self, octets: &[u8]) {
        let Ok(message) = Message::parse(octets) else { return };
        let Some(mac) = mac_of(&message) else { return };
        match message.message_type() {
            Some(MessageType::Release | MessageType::Decline) => {
                let requested = message.options.address(option::REQUESTED_ADDRESS);
                let address = requested.unwrap_or(message.ciaddr);
                if self.lent.get(&address).is_some_and(|loan| loan.mac == mac) {
                    self.lent.remove(&address);
                }
                self.forget_offer(mac);
            }
            Some(MessageType::Request) => {
                let takes = message.options.address(option::SERVER_IDENTIFIER);
                let takes = takes.and_then(|_| message.options.address(option::REQUESTED_ADDRESS));
                let offered = self.offers.remove(&mac).map(|(address, _)| address);
                let is_taken = |address: &Ipv4Addr| Some(*address) == takes;
                let before = self.taken.remove(&mac);
                if let Some(address) = offered.or(before).filter(is_taken) {
                    self.taken.insert(mac, address);
                }
            }
            Some(
                MessageType::Discover
                | MessageType::Offer
                | MessageType::Ack
                | MessageType::Nak
                | MessageType::Inform,
            )
            | None => {}
        }
    }

    /// The server decides something about a machine: what it was offered before no longer binds.
    pub(crate) fn decided(&mut self, record: &Record) {
        match record {
            Record::Node(node) => {
                self.forget_offer(node.mac);
                let numbering = self.config.networks.iter().map(|network| &network.numbering);
                let addresses: Vec<_> =
                    numbering.filter_map(|numbering| numbering.address(node.number?)).collect();
                self.taken.retain(|_, address| !addresses.contains(address));
            }
            Record::Lease(lease) => {
                self.forget_offer(lease.mac);
                self.taken.retain(|_, address| *address != lease.address);
            }
            Record::LeaseEnded(_)
            | Record::Boot(_)
            | Record::NodeForgotten(_)
            | Record::BootForgotten(_)
            | Record::Trials(_)
            | Record::Numbering(_)
            | Record::Serial(_)
            | Record::Dynamic(_)
            | Record::Orders(_)
            | Record::Secrets(_) => {}
        }
    }

    /// The server looks at any other datagram from this address.
    pub(crate) fn alive(&mut self, now: Time, address: Ipv4Addr) {
        if let Some(loan) = self.lent.get_mut(&address) {
            loan.life = now;
        }
    }

    /// The server starts. What was promised must be there; what was only offered may be forgotten.
    pub(crate) fn started(&mut self, kept: &Kept) -> Result<(), String> {
        self.offers.clear();
        self.taken.clear();
        for (mac, number) in &self.numbers {
            is_kept(kept, *mac, *number)?;
        }
        Ok(())
    }

    /// A foreign host has an address from now on.
    pub(crate) fn squatted(&mut self, address: Ipv4Addr) {
        self.squatted.insert(address);
    }

    /// The server answers by DHCP.
    pub(crate) fn answered(&mut self, now: Time, send: &DhcpSend, kept: &Kept) -> Result<(), String> {
        let message =
            Message::parse(&send.payload).map_err(|_| "the server sent what is no DHCP".to_owned())?;
        if message.op != Op::BootReply {
            return Err("the server sent what is no answer".into());
        }
        let mac = mac_of(&message).ok_or("the server answered nobody")?;
        let address = message.yiaddr;
        if let DhcpTarget::Frame(to, _) = send.target
            && to != Mac::BROADCAST
            && to != mac
        {
            return Err(format!("an answer for {mac} goes to {to}"));
        }
        match message.message_type() {
            Some(MessageType::Offer) => self.offered(now, mac, address),
            // To INFORM: no address is promised.
            Some(MessageType::Ack) if address.is_unspecified() => Ok(()),
            Some(MessageType::Ack) => {
                let seconds = message.options.u32(option::LEASE_TIME).ok_or("an ACK without a lease")?;
                let until = now + Duration::from_secs(seconds.into());
                self.granted(now, (mac, address), until, kept)
            }
            Some(MessageType::Nak) => {
                let refused = self.taken.get(&mac).copied();
                self.forget_offer(mac);
                match refused.filter(|address| !self.squatted.contains(address)) {
                    Some(address) => Err(format!("{mac} was offered {address}, took it, and is refused it")),
                    None => Ok(()),
                }
            }
            other => Err(format!("the server sent {other:?}")),
        }
    }

    /// A machine's agent is answered: it may be told its number.
    pub(crate) fn told(&mut self, mac: Mac, body: &str, kept: &Kept) -> Result<(), String> {
        let Ok(answer) = serde_json::from_str::<serde_json::Value>(body) else { return Ok(()) };
        let Some(number) = answer["number"].as_u64().and_then(|number| u32::try_from(number).ok()) else {
            return Ok(());
        };
        self.promised(mac, number)?;
        is_kept(kept, mac, number)
    }

    /// Compares all that was promised with what the server says it knows (`Query::Dump`), and that with what its kernel and store hold.
    pub(crate) fn compare(
        &self,
        dump: &str,
        neighbours: &BTreeMap<Ipv4Addr, Mac>,
        kept: Option<&Kept>,
    ) -> Result<(), String> {
        let dump: serde_json::Value = serde_json::from_str(dump).map_err(|e| format!("the dump: {e}"))?;
        let list = |name: &str| dump[name].as_array().cloned().unwrap_or_default();
        let text = |value: &serde_json::Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
        let mut seen = BTreeSet::new();
        let mut numbers = BTreeMap::new();
        for node in list("nodes") {
            if let Some(number) = node["number"].as_u64() {
                numbers.insert(text(&node, "mac"), number);
                if !seen.insert(number) {
                    return Err(format!("number {number} is there twice"));
                }
            }
        }
        for (mac, number) in &self.numbers {
            let known = numbers.get(&mac.to_string()).copied();
            if known != Some(u64::from(*number)) {
                return Err(format!("{mac} was promised number {number}, and the server knows {known:?}"));
            }
        }
        let leases: BTreeMap<_, _> =
            list("leases").iter().map(|lease| (text(lease, "address"), text(lease, "mac"))).collect();
        if leases.len() != list("leases").len() {
            return Err("an address is lent twice".into());
        }
        if let Some(kept) = kept {
            let durable = kept.keys().filter_map(|key| key.strip_prefix("lease/"));
            let durable: BTreeSet<_> = durable.map(str::to_owned).collect();
            let lent: BTreeSet<_> = leases.keys().cloned().collect();
            if durable != lent {
                return Err(format!("the store keeps the leases {durable:?}, and the server knows {lent:?}"));
            }
        }
        let pinned: BTreeMap<_, _> =
            list("neighbours").iter().map(|pin| (text(pin, "address"), text(pin, "mac"))).collect();
        let held: BTreeMap<_, _> =
            neighbours.iter().map(|(address, mac)| (address.to_string(), mac.to_string())).collect();
        if pinned != held {
            return Err(format!("the kernel has the neighbours {held:?}, and the server knows {pinned:?}"));
        }
        Ok(())
    }

    fn offered(&mut self, now: Time, mac: Mac, address: Ipv4Addr) -> Result<(), String> {
        if let Some(number) = self.number_of(address)
            && let Some(holder) = self.holders.get(&number).filter(|holder| **holder != mac)
        {
            return Err(format!("{mac} is offered {address}, which is {holder}'s by its number"));
        }
        self.is_free_for(now, mac, address)?;
        // Where addresses are few, the oldest offer gives way.
        self.taken.retain(|other, taken| *other == mac || *taken != address);
        self.offers.retain(|other, (offered, _)| *other == mac || *offered != address);
        let before = self.offers.insert(mac, (address, now));
        match before.filter(|(_, at)| now.since(*at) < OFFER_STANDS) {
            Some((old, _)) if old != address => {
                Err(format!("{mac} was offered {old} and now {address}, and nothing was decided between"))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn granted(
        &mut self,
        now: Time,
        (mac, address): (Mac, Ipv4Addr),
        until: Time,
        kept: &Kept,
    ) -> Result<(), String> {
        self.forget_offer(mac);
        if let Some(number) = self.number_of(address) {
            self.promised(mac, number)?;
            return is_kept(kept, mac, number);
        }
        let is_ours = self.config.networks.iter().any(|network| {
            network.temporary.contains(address)
                || network.guests.is_some_and(|guests| guests.contains(address))
        });
        if !is_ours {
            return Err(format!("{mac} is granted {address}, which is in no range"));
        }
        self.is_free_for(now, mac, address)?;
        self.lent.insert(address, Loan { mac, until, life: now });
        match kept.get(&format!("lease/{address}")) {
            Some(record) if record.contains(&mac.to_string()) => Ok(()),
            record => Err(format!("{mac} is granted {address}, and the store keeps {record:?}")),
        }
    }

    /// A machine learns its number.
    fn promised(&mut self, mac: Mac, number: u32) -> Result<(), String> {
        self.forget_offer(mac);
        let holder = *self.holders.entry(number).or_insert(mac);
        if holder != mac {
            return Err(format!("number {number} of {holder} is given to {mac}"));
        }
        let before = *self.numbers.entry(mac).or_insert(number);
        if before != number {
            return Err(format!("the number of {mac} was {before} and is {number}"));
        }
        Ok(())
    }

    /// What was offered to a machine no longer binds.
    fn forget_offer(&mut self, mac: Mac) {
        self.offers.remove(&mac);
        self.taken.remove(&mac);
    }

    fn is_free_for(&self, now: Time, mac: Mac, address: Ipv4Addr) -> Result<(), String> {
        if self.squatted.contains(&address) {
            return Err(format!("{mac} gets {address}, which a foreign host has"));
        }
        match self.lent.get(&address) {
            Some(loan) if loan.mac != mac && loan.held_until() > now => {
                Err(format!("{mac} gets {address}, which is lent to {}", loan.mac))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn number_of(&self, address: Ipv4Addr) -> Option<u32> {
        self.config.networks.iter().find_map(|network| network.numbering.number(address))
    }
}

/// Whether a number is durable.
fn is_kept(kept: &Kept, mac: Mac, number: u32) -> Result<(), String> {
    let record = kept.get(&format!("node/{mac}"));
    let kept = record.and_then(|record| serde_json::from_str::<NodeRecord>(record).ok());
    if kept.and_then(|node| node.number) == Some(number) {
        return Ok(());
    }
    Err(format!("{mac} was promised number {number}, and the store keeps {record:?}"))
}

fn mac_of(message: &Message) -> Option<Mac> {
    message.chaddr.first_chunk().copied().map(Mac)
}

#[cfg(test)]
mod tests;
