//! Grants that wait for their records, and the ways by which their clients have asked meanwhile: what came by a relay is answered to the one "whose address appears in 'giaddr'" (RFC 2131 4.1), and where two
//! gateways of a network relay the same REQUEST, each of them hears of it. A client that repeats itself by a way that is known gets no second answer there.

use crate::limit::WAYS_PER_CLIENT_MAX;
use crate::mac::Mac;
use crate::message::DhcpSend;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// What of an address is being recorded for whom: each ends with its promise, and so there are no more of them than those.
#[derive(Debug, Default)]
pub(crate) struct Granting {
    waiting: BTreeMap<(Mac, Ipv4Addr), Vec<Way>>,
}

/// By which interface and which relay, or none, a client has asked.
#[derive(Debug)]
struct Way {
    interface: String,
    relay: Ipv4Addr,
    /// The answer by this way; none for the first, which the promise has itself.
    answer: Option<DhcpSend>,
}

impl Granting {
    /// A machine is to have an address as soon as that is recorded.
    pub(crate) fn begin(&mut self, mac: Mac, address: Ipv4Addr, (interface, relay): (&str, Ipv4Addr)) {
        let first = Way { interface: interface.into(), relay, answer: None };
        self.waiting.insert((mac, address), vec![first]);
    }

    /// Whether this is being recorded.
    pub(crate) fn is_waiting(&self, mac: Mac, address: Ipv4Addr) -> bool {
        self.waiting.contains_key(&(mac, address))
    }

    /// Whether it is asked for by a way that is not known yet, and there are not too many of them.
    pub(crate) fn is_further(
        &self,
        mac: Mac,
        address: Ipv4Addr,
        (interface, relay): (&str, Ipv4Addr),
    ) -> bool {
        let is_known = |way: &Way| way.interface == interface && way.relay == relay;
        let ways = self.waiting.get(&(mac, address));
        ways.is_some_and(|ways| ways.len() < WAYS_PER_CLIENT_MAX && !ways.iter().any(is_known))
    }

    /// The answer by such a way.
    pub(crate) fn add(&mut self, mac: Mac, address: Ipv4Addr, relay: Ipv4Addr, answer: DhcpSend) {
        if let Some(ways) = self.waiting.get_mut(&(mac, address)) {
            ways.push(Way { interface: answer.interface.clone(), relay, answer: Some(answer) });
        }
    }

    /// It is recorded, or will not be: the answers by the further ways.
    pub(crate) fn end(&mut self, mac: Mac, address: Ipv4Addr) -> impl Iterator<Item = DhcpSend> + use<> {
        let ways = self.waiting.remove(&(mac, address)).unwrap_or_default();
        ways.into_iter().filter_map(|way| way.answer)
    }
}
