//! What is durable, and what is under way there, turn by turn: a turn's records become durable together or not at all.

use heorot_core::cluster::record::{NodeRecord, Record};
use heorot_core::mac::Mac;
use heorot_core::message::Ticket;
use std::collections::{BTreeMap, VecDeque};
use std::net::Ipv4Addr;

#[derive(Default)]
pub(super) struct Disk {
    /// By key.
    durable: BTreeMap<String, Record>,
    under_way: VecDeque<Vec<Record>>,
    issued: Ticket,
}

impl Disk {
    /// Takes what a turn proposes. Tickets rise by one.
    pub(super) fn gather(&mut self, proposed: Vec<(Ticket, Record)>) {
        for (ticket, _) in &proposed {
            assert_eq!(ticket.0, self.issued.0 + 1, "tickets rise by one");
            self.issued = *ticket;
        }
        if !proposed.is_empty() {
            self.under_way.push_back(proposed.into_iter().map(|(_, record)| record).collect());
        }
    }

    /// The oldest turns become durable: the last ticket of them, and whether a number or an order was among them.
    pub(super) fn commit(&mut self, turns: usize) -> (Ticket, bool) {
        let turns = turns.min(self.under_way.len());
        let done: Vec<_> = self.under_way.drain(..turns).flatten().collect();
        let is_about_nodes = done.iter().any(is_about_nodes);
        for record in done {
            match record.value() {
                Some(_) => drop(self.durable.insert(record.key(), record)),
                None => drop(self.durable.remove(&record.key())),
            }
        }
        let left: usize = self.under_way.iter().map(Vec::len).sum();
        let mut holders = BTreeMap::new();
        for (mac, number) in self.numbers() {
            let other = holders.insert(number, mac);
            assert_eq!(other, None, "number {number} is durable for two machines, one of them {mac}");
        }
        (Ticket(self.issued.0 - left as u64), is_about_nodes)
    }

    /// All that is under way never becomes durable: the last ticket of it.
    pub(super) fn refuse(&mut self) -> Ticket {
        self.under_way.clear();
        self.issued
    }

    /// A new process: what was under way is lost, and tickets begin anew. What it reads is what any process would read: kept as text.
    pub(super) fn restart(&mut self) -> Vec<Record> {
        *self = Self { durable: std::mem::take(&mut self.durable), ..Self::default() };
        self.records()
    }

    pub(super) fn records(&self) -> Vec<Record> {
        let again = |(key, record): (&String, &Record)| {
            let value = record.value().expect("only what has a value is kept");
            Record::parse(key, &value).expect("what was written can be read")
        };
        self.durable.iter().map(again).collect()
    }

    pub(super) fn is_idle(&self) -> bool {
        self.under_way.is_empty()
    }

    /// Whether no number and no order is under way: at most history is.
    pub(super) fn knows_nodes(&self) -> bool {
        !self.under_way.iter().flatten().any(is_about_nodes)
    }

    /// Whether a loan is durable.
    pub(super) fn has_lent(&self, address: Ipv4Addr, mac: Mac) -> bool {
        let key = Record::LeaseEnded(address).key();
        matches!(self.durable.get(&key), Some(Record::Lease(lease)) if lease.mac == mac)
    }

    /// Whether a number is durable, under any hardware address of the machine's.
    pub(super) fn has_number(&self, number: u32, mac: Mac) -> bool {
        let has = |node: &&NodeRecord| node.mac == mac || node.further_macs.contains(&mac);
        self.nodes().filter(has).any(|node| node.number == Some(number))
    }

    fn numbers(&self) -> impl Iterator<Item = (Mac, u32)> {
        self.nodes().filter_map(|node| Some((node.mac, node.number?)))
    }

    fn nodes(&self) -> impl Iterator<Item = &NodeRecord> {
        self.durable
            .values()
            .filter_map(|record| if let Record::Node(node) = record { Some(node) } else { None })
    }
}

fn is_about_nodes(record: &Record) -> bool {
    matches!(record, Record::Node(_) | Record::Orders(_))
}
