//! The world around a [`Heorot`]: a disk that keeps or refuses, an operator, agents. What has to hold whatever happens is looked at here.

use super::disk::Disk;
use super::orders::{Then, order};
use super::packets::{configuration, with_trial};
use heorot_core::Heorot;
use heorot_core::config::Config;
use heorot_core::mac::Mac;
use heorot_core::message::{
    Answer, ChangeRequest, Datagram, DhcpSend, Input, Output, Query, Request, RequestId, Verb, Via,
};
use heorot_core::time::{Time, Wall};
use heorot_core::wire::dhcp;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

/// Its number is durable in the configuration, and that of its printer its address.
const LISTED: [Mac; 2] = [Mac([0x52, 0x54, 0, 0x12, 0x34, 0x56]), Mac([0x52, 0x54, 0, 0x12, 0x34, 0x01])];
const LOCAL: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
const SECRET: [u8; 16] = [7; 16];

pub(super) struct Room {
    now: Time,
    config: Config,
    is_tried: bool,
    heorot: Heorot,
    disk: Disk,
    asked: u64,
    unanswered: BTreeSet<RequestId>,
    answers: BTreeMap<RequestId, Answer>,
    /// What each machine was offered, and what it was given.
    offered: BTreeMap<Mac, Ipv4Addr>,
    granted: BTreeMap<Mac, Ipv4Addr>,
}

impl Room {
    pub(super) fn new() -> Self {
        let now = Time::from_nanoseconds(1 << 50);
        let config = configuration();
        let mut out = Vec::new();
        let heorot = Heorot::restore(now, config.clone(), SECRET, Vec::new(), &mut out);
        let mut room = Self {
            now,
            config,
            is_tried: false,
            heorot,
            disk: Disk::default(),
            asked: 0,
            unanswered: BTreeSet::new(),
            answers: BTreeMap::new(),
            offered: BTreeMap::new(),
            granted: BTreeMap::new(),
        };
        room.carry_out(out);
        room
    }

    pub(super) fn pass(&mut self, time: Duration) {
        self.now = self.now + time;
        self.handle(Input::Wakeup);
    }

    /// The records of the oldest turns are durable.
    pub(super) fn commit(&mut self, turns: usize) {
        let (through, is_about_nodes) = self.disk.commit(turns);
        self.handle(Input::Committed(through));
        if is_about_nodes {
            self.compare();
        }
    }

    /// Those of no turn that is under way ever will be.
    pub(super) fn refuse(&mut self) {
        let through = self.disk.refuse();
        self.handle(Input::Refused { through, why: "the disk is full".into() });
        self.compare();
    }

    /// The process dies, and another one takes its place.
    pub(super) fn restart(&mut self) {
        let records = self.disk.restart();
        self.unanswered.clear();
        let mut out = Vec::new();
        self.heorot = Heorot::restore(self.now, self.config.clone(), SECRET, records, &mut out);
        self.carry_out(out);
    }

    /// From now on machines are tried and wait for an operator, or are no longer.
    pub(super) fn configure(&mut self) {
        self.is_tried = !self.is_tried;
        self.config = if self.is_tried { with_trial() } else { configuration() };
        self.handle(Input::Configure(Box::new(self.config.clone())));
    }

    /// A machine's firmware asks for an address, takes what it is offered, and asks for its loader's file.
    pub(super) fn boot(&mut self, host: u8) {
        let mac = Mac([0x52, 0x54, 0, 0x12, 0x34, host]);
        self.firmware(mac, dhcp::MessageType::Discover, None);
        self.pass(Duration::from_millis(400));
        let Some(address) = self.offered.get(&mac).copied() else { return };
        self.firmware(mac, dhcp::MessageType::Request, Some(address));
        self.ask(address, Via::Tftp(2070), "boot.ipxe".into());
    }

    fn firmware(&mut self, mac: Mac, kind: dhcp::MessageType, address: Option<Ipv4Addr>) {
        let mut packet = vec![0; 240];
        packet[..3].copy_from_slice(&[1, 1, 6]);
        packet[28..34].copy_from_slice(&mac.0);
        packet[236..].copy_from_slice(&[99, 130, 83, 99]);
        packet.extend([53, 1, kind as u8, 93, 2, 0, 0, 60, 9]);
        packet.extend(b"PXEClient");
        if let Some(address) = address {
            packet.extend([54, 4]);
            packet.extend(LOCAL.octets());
            packet.extend([50, 4]);
            packet.extend(address.octets());
        }
        packet.push(255);
        let source = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 68);
        let destination = Ipv4Addr::BROADCAST;
        self.handle(Input::Dhcp(Datagram { interface: "eth1", source, destination, payload: &packet }));
    }

    /// The agent of a machine that has an address says something.
    pub(super) fn agent(&mut self, host: u8, what: u8) {
        let mac = Mac([0x52, 0x54, 0, 0x12, 0x34, host]);
        let Some(from) = self.granted.get(&mac).copied() else { return };
        let id = self.ask(from, Via::HttpGet, "node".into());
        let Some(Answer::Json(200, said)) = self.answers.get(&id) else { return };
        let said: Value = serde_json::from_str(said).expect("an answer is JSON");
        let url = said["url"].as_str().expect("it says where");
        let path = url[url.find("node/").expect("it is a node's")..].to_owned();
        let report =
            |passed: bool| Via::HttpPost(format!("{{\"passed\":{passed},\"checks\":[]}}").into_bytes());
        let (verb, via) = match what % 6 {
            0 => ("", Via::HttpGet),
            1 => ("/trial", report(true)),
            2 => ("/trial", report(false)),
            3 => ("/up", Via::HttpPost(Vec::new())),
            4 => ("/up", Via::HttpPost(b"{\"checks_in\":true}".to_vec())),
            _ => ("/down", Via::HttpPost(b"{\"reason\":\"shutdown\"}".to_vec())),
        };
        self.ask(from, via, path + verb);
    }

    fn ask(&mut self, from: Ipv4Addr, via: Via, path: String) -> RequestId {
        let id = self.next_id();
        self.handle(Input::Request(Request { id, from, local: LOCAL, via, path }));
        id
    }

    /// An operator changes something, or is told what would change.
    pub(super) fn operator(&mut self, octets: &mut impl Iterator<Item = u8>) {
        let (verb, request, then) = order(octets);
        let told = self.preview(verb, &request);
        if then == Then::Told {
            return;
        }
        let (was_idle, before) = (self.disk.is_idle(), dump(&mut self.heorot, self.now));
        let id = self.change(verb, &request);
        if let Some(answer) = self.answers.get(&id) {
            let (Answer::Json(200, said), Answer::Json(200, told)) = (answer, &told) else { return };
            assert_eq!(without_dry_run(said), without_dry_run(told), "what was told is done");
            return assert_eq!(
                view(said)["changes"],
                Value::Array(Vec::new()),
                "what changes is recorded first"
            );
        }
        match then {
            Then::Told | Then::UnderWay => {}
            Then::Committed => {
                self.commit(usize::MAX);
                let (Some(Answer::Json(200, said)), Answer::Json(200, told)) = (self.answers.get(&id), &told)
                else {
                    panic!("what was told can be done: {told:?}, {:?}", self.answers.get(&id));
                };
                assert_eq!(without_dry_run(said), without_dry_run(told), "what was told is done");
                self.is_done(verb, &request);
            }
            Then::Refused => {
                self.refuse();
                let answer = self.answers.get(&id);
                assert!(matches!(answer, Some(Answer::Json(503, _))), "it was not kept: {answer:?}");
                if was_idle {
                    is_as_before(&before, &dump(&mut self.heorot, self.now));
                }
            }
        }
    }

    /// What would change. It changes nothing.
    fn preview(&mut self, verb: Verb, request: &ChangeRequest) -> Answer {
        let before = dump(&mut self.heorot, self.now);
        let request = ChangeRequest { dry_run: true, ..request.clone() };
        let id = self.change(verb, &request);
        assert_eq!(before, dump(&mut self.heorot, self.now), "what is only told changes nothing");
        self.answers.get(&id).cloned().expect("what is only told waits for nothing")
    }

    /// What was done is not done again. Groups of what is known may mean other machines by then.
    fn is_done(&mut self, verb: Verb, request: &ChangeRequest) {
        let texts = [Some(&request.set), request.without.as_ref()];
        if texts.into_iter().flatten().any(|text| text.starts_with('@') || text == "all") {
            return;
        }
        if let Answer::Json(200, told) = self.preview(verb, request) {
            assert_eq!(view(&told)["changes"], Value::Array(Vec::new()), "what was done is done: {told}");
        }
    }

    fn change(&mut self, verb: Verb, request: &ChangeRequest) -> RequestId {
        let id = self.next_id();
        let query = Query::Change(verb, Box::new(request.clone()));
        self.handle(Input::Operator { id, wall: Wall(0), query });
        id
    }

    fn next_id(&mut self) -> RequestId {
        self.asked += 1;
        let id = RequestId(self.asked);
        self.unanswered.insert(id);
        id
    }

    pub(super) fn handle(&mut self, input: Input<'_>) {
        let mut out = Vec::new();
        self.heorot.handle(self.now, input, &mut out);
        self.carry_out(out);
    }

    fn carry_out(&mut self, out: Vec<Output>) {
        let mut proposed = Vec::new();
        for output in out {
            match output {
                Output::Record(ticket, record) => proposed.push((ticket, record)),
                Output::Dhcp(send) => self.send(&send),
                Output::Reply(id, answer) => {
                    assert!(self.unanswered.remove(&id), "nobody asked, or it was answered: {id:?}");
                    self.answers.insert(id, answer);
                }
                Output::Neighbour(_)
                | Output::Probe { .. }
                | Output::AnswerArp { .. }
                | Output::Together { .. }
                | Output::Publish(..)
                | Output::Names(_)
                | Output::Updated(..)
                | Output::Event(_) => {}
            }
        }
        self.disk.gather(proposed);
    }

    /// A packet leaves: short enough for any link, and an ACK only for what is durable.
    fn send(&mut self, send: &DhcpSend) {
        assert!((300..=1500 - 28).contains(&send.payload.len()), "{send:?}");
        let Ok(message) = dhcp::Message::parse(&send.payload) else { return };
        let (Some(mac), address) = (message.mac(), message.yiaddr) else { return };
        match message.message_type() {
            _ if address.is_unspecified() => {}
            Some(dhcp::MessageType::Offer) => drop(self.offered.insert(mac, address)),
            Some(dhcp::MessageType::Ack) => {
                self.granted.insert(mac, address);
                let is_durable = match address.octets() {
                    _ if LISTED.contains(&mac) => true,
                    [_, 77 | 88, 1, number] => self.disk.has_number(number_at(address, number), mac),
                    _ => self.disk.has_lent(address, mac),
                };
                assert!(is_durable, "{mac} got {address}, which is not durably its own");
            }
            _ => {}
        }
    }

    /// As long as nothing of that is under way, what is known is what another process would know: numbers, and what an operator decided.
    fn compare(&mut self) {
        if !self.disk.knows_nodes() {
            return;
        }
        let records = self.disk.records();
        let mut another = Heorot::restore(self.now, self.config.clone(), SECRET, records, &mut Vec::new());
        let (known, durable) = (known(&mut self.heorot, self.now), known(&mut another, self.now));
        assert_eq!(known, durable, "what is known is what is durable");
    }

    /// The disk keeps all, and everybody falls silent: every question was answered, and no timer is for ever due.
    pub(super) fn close(mut self) {
        while !self.disk.is_idle() {
            self.commit(usize::MAX);
        }
        assert!(self.unanswered.is_empty(), "somebody waits for an answer: {:?}", self.unanswered);
        for _ in 0..10_000 {
            let Some(at) = self.heorot.next_wakeup() else { return };
            self.now = self.now.max(at);
            self.handle(Input::Wakeup);
        }
        panic!("a timer is for ever due");
    }
}

/// The number whose address this is.
fn number_at(address: Ipv4Addr, last: u8) -> u32 {
    // The first network's numbers begin at 0, the second's at 10.
    u32::from(last) + if address.octets()[1] == 88 { 10 } else { 0 }
}

fn dump(heorot: &mut Heorot, now: Time) -> Value {
    let mut ask = |query| {
        let mut out = Vec::new();
        heorot.handle(now, Input::Operator { id: RequestId(0), wall: Wall(0), query }, &mut out);
        match (out.pop(), out.is_empty()) {
            (Some(Output::Reply(RequestId(0), answer)), true) => answer,
            other => panic!("a dump is answered, and nothing else happens: {other:?}"),
        }
    };
    match ask(Query::Dump).whole(|query| Some(ask(query))) {
        Some(Answer::Json(200, text)) => view(&text),
        other => panic!("a dump is JSON: {other:?}"),
    }
}

fn view(text: &str) -> Value {
    serde_json::from_str(text).expect("an answer is JSON")
}

fn without_dry_run(text: &str) -> Value {
    let mut view = view(text);
    view["dry_run"] = Value::Null;
    view
}

/// Of each machine with a number or orders, these. What the configuration says itself is left out: it is durable there.
fn known(heorot: &mut Heorot, now: Time) -> Vec<Value> {
    let mut dump = dump(heorot, now);
    let mut known = Vec::new();
    let mut numbers = BTreeSet::new();
    for node in dump["nodes"].as_array_mut().expect("nodes are a list") {
        let is_kept = ["held", "denied", "retired"].iter().any(|word| node["state"] == *word);
        if let Some(number) = node["number"].as_u64() {
            assert!(numbers.insert(number), "number {number} has two machines");
        }
        let mut facts = vec![node["mac"].take(), node["attributes"].take()];
        if is_kept {
            facts.extend([node["state"].take(), node["reason"].take()]);
        }
        let is_listed = facts[0] == LISTED[0].to_string();
        if !node["number"].is_null() && !is_listed {
            facts.extend([node["number"].take(), node["profile"].take()]);
        }
        let has_attributes = facts[1].as_object().is_some_and(|attributes| !attributes.is_empty());
        if facts.len() > 2 || has_attributes {
            known.push(Value::Array(facts));
        }
    }
    known.sort_by_key(ToString::to_string);
    known
}

/// Whoever was known is as he was, but whom the configuration lists: he may have got his number. Who was not, is known by name alone.
fn is_as_before(before: &Value, after: &Value) {
    let listed = LISTED[0].to_string();
    let nodes = |dump: &Value| -> BTreeMap<String, Value> {
        let nodes = dump["nodes"].as_array().into_iter().flatten();
        let named = nodes.map(|node| (node["mac"].to_string(), node.clone()));
        named.filter(|(_, node)| node["mac"] != listed).collect()
    };
    let (before, mut after) = (nodes(before), nodes(after));
    for (mac, node) in &before {
        assert_eq!(after.remove(mac).as_ref(), Some(node), "what was refused leaves {mac} as it was");
    }
    for node in after.values() {
        assert!(node["number"].is_null() && node["state"] == "seen", "who is new is nobody: {node}");
    }
}
