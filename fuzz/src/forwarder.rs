//! Any answers from upstream, in any order, between questions, faults and time.

use crate::resolver::resolver;
use heorot_dns::{
    Anchor, Exchange, Fault, Forwarding, Group, Input, Output, Prefix, Query, QueryId, Resolver, Transport,
    Validation,
};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};

/// Every question is answered once, by what was asked; every socket is closed; nothing is left.
pub fn forwarder_handle(bytes: &[u8]) {
    let mut stage = Stage::new();
    let mut rest = bytes;
    while let Some(([kind, which, length], tail)) = rest.split_first_chunk::<3>() {
        let (octets, tail) = tail.split_at(usize::from(*length).min(tail.len()));
        rest = tail;
        stage.step(kind % 8, usize::from(*which), octets);
    }
    stage.finish();
}

struct Stage {
    resolver: Resolver,
    now: u64,
    open: BTreeMap<u64, Exchange>,
    /// Questions that wait, by their numbers: how often each was told.
    asked: BTreeMap<u64, u32>,
    next: u64,
}

impl Stage {
    fn new() -> Self {
        let (open, asked) = (BTreeMap::new(), BTreeMap::new());
        let mut stage = Self { resolver: resolver(), now: 1, open, asked, next: 0 };
        let group = |domain: &str, hosts: &[u8]| Group {
            domain: domain.into(),
            servers: hosts.iter().map(|host| SocketAddr::from(([192, 0, 2, *host], 53)).into()).collect(),
        };
        stage.handle(Input::Forward(Box::new(Forwarding {
            groups: vec![group("", &[1, 2]), group("b", &[3])],
            clients: vec![Prefix { address: Ipv4Addr::new(10, 77, 0, 0).into(), length: 16 }],
            cache_entries: 4,
            validation: Some(Validation { anchors: Anchor::root(), insecure: vec!["a".into()] }),
            ..Forwarding::new([7; 32])
        })));
        stage
    }

    fn step(&mut self, kind: u8, which: usize, octets: &[u8]) {
        match kind {
            0 | 1 => self.ask(which, octets),
            // An answer that agrees with what was sent, with any flags and any records.
            2..=4 => self.answer(which, octets, true),
            5 => self.answer(which, octets, false),
            6 => {
                let Some(exchange) = self.pick(which) else { return };
                let fault = if octets.is_empty() { Fault::Ours } else { Fault::Theirs };
                self.open.remove(&exchange.id.0);
                self.handle(Input::CameToNothing { exchange: exchange.id, fault });
            }
            _ => {
                self.now += 1 << (which % 40);
                self.handle(Input::Wake);
            }
        }
    }

    fn ask(&mut self, which: usize, octets: &[u8]) {
        let name: &[u8] =
            [&b"\x01a\x00"[..], b"\x01A\x00", b"\x01b\x00", b"\x01a\x01b\x00", b"\x01c\x00"][which % 5];
        let flags = octets.first().copied().unwrap_or(1) & 1;
        let mut payload = vec![1, 2, flags, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        payload.extend(name);
        payload.extend([0, [1, 5, 28, 255][which / 4 % 4], 0, 1]);
        self.next += 1;
        let (id, from) = (QueryId(self.next), SocketAddr::from(([10, 77, 1, 5], 5353)));
        let transport = if which & 64 == 0 { Transport::Tcp } else { Transport::Udp };
        self.asked.insert(self.next, 0);
        self.handle(Input::Query(Query { transport, from, id, payload: &payload }));
    }

    fn answer(&mut self, which: usize, octets: &[u8], agrees: bool) {
        let Some(exchange) = self.pick(which) else { return };
        let mut payload = octets.to_vec();
        if agrees {
            let name = exchange.payload[12..].iter().position(|octet| *octet == 0).expect("a name ends");
            payload = exchange.payload[..12 + name + 5].to_vec();
            let (head, records) = octets.split_at(octets.len().min(5));
            for (at, octet) in [2, 3, 7, 9, 11].into_iter().zip(head) {
                payload[at] = *octet;
            }
            payload[2] |= 0x80;
            payload.extend(records);
        }
        self.handle(Input::Answer { exchange: exchange.id, from: exchange.server, payload: &payload });
    }

    fn pick(&self, which: usize) -> Option<Exchange> {
        self.open.values().nth(which % self.open.len().max(1)).cloned()
    }

    fn handle(&mut self, input: Input<'_>) {
        let mut out = Vec::new();
        self.resolver.handle(self.now, input, &mut out);
        for output in out {
            match output {
                Output::Reply { id, payload, .. } => {
                    assert!(payload.len() >= 12 && payload[..2] == [1, 2] && payload[2] & 0x80 != 0);
                    *self.asked.get_mut(&id.0).expect("a reply to a question") += 1;
                }
                Output::End { .. }
                | Output::More { .. }
                | Output::Notify { .. }
                | Output::Update { .. }
                | Output::Denied { .. } => {
                    panic!("these are plain questions")
                }
                Output::Ask(exchange) => {
                    assert!(self.open.insert(exchange.id.0, exchange).is_none());
                }
                Output::Forget { exchange } => {
                    assert!(self.open.remove(&exchange.0).is_some(), "a socket is closed twice");
                }
            }
        }
    }

    fn finish(&mut self) {
        for _ in 0..10 {
            self.now += 1_000_000_000;
            self.handle(Input::Wake);
        }
        // Servers that are silent are asked for ever whether they are back.
        let probed = b"\x06heorot\x04test";
        let is_probe =
            |payload: &[u8]| payload.windows(probed.len()).any(|octets| octets.eq_ignore_ascii_case(probed));
        self.open.retain(|_, exchange| !is_probe(&exchange.payload));
        assert!(self.open.is_empty(), "sockets stay open: {:?}", self.open);
        assert!(self.asked.values().all(|told| *told == 1), "{:?}", self.asked);
    }
}
