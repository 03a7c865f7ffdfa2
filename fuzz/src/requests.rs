//! Any requests of machines and operators, and any signs of life from the link, to the machine that decides about nodes.

use super::packets::configuration;
use heorot_core::Heorot;
use heorot_core::mac::Mac;
use heorot_core::message::{
    Answer, ChangeRequest, Input, Measured, Output, Overheard, Query, Request, RequestId, Ticket, Verb, Via,
    WhoHas,
};
use heorot_core::time::{Time, Wall};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

/// Nothing panics, every question gets one answer, and no file is outside of the boot directory.
pub fn requests_handle(bytes: &[u8]) {
    let mut octets = bytes.iter().copied();
    let mut desk = Desk::new();
    while let Some(kind) = octets.next() {
        let from = Ipv4Addr::new(10, 77, 200, kind >> 5);
        let mac = Mac([0x52, 0x54, 0, 0x12, 0x34, kind >> 6]);
        match kind % 16 {
            0 => desk.boot(mac, from),
            1..=4 => {
                let path = desk.text(&mut octets);
                desk.request(from, [Via::Tftp(2070), Via::HttpGet][usize::from(kind >> 4 & 1)].clone(), path);
            }
            5 | 6 => {
                let (path, body) = (desk.text(&mut octets), desk.text(&mut octets));
                desk.request(from, Via::HttpPost(body.into_bytes()), path);
            }
            7 | 8 => {
                let what = desk.text(&mut octets);
                desk.operator(match kind >> 4 & 3 {
                    0 => Query::Nodes { set: Some(what.clone()), without: Some(what) },
                    1 => Query::Node(what),
                    2 => Query::Explain(what),
                    _ => Query::Nodes { set: None, without: None },
                });
            }
            9 => desk.operator(match kind >> 4 & 3 {
                0 => Query::Dump,
                1 => Query::Status(Measured::default()),
                _ => desk.change(&mut octets),
            }),
            10 => desk.handle(Input::SignOfLife(from)),
            11 => {
                desk.handle(Input::Occupied { address: from, mac: Some(mac).filter(|_| kind >> 4 & 1 == 0) })
            }
            12 => desk.handle(Input::WhoHas(WhoHas { interface: "eth1", address: from, from: (mac, from) })),
            13 => {
                let payload = desk.text(&mut octets).into_bytes();
                let source = SocketAddrV4::new(Ipv4Addr::new(10, 77, 0, 9), 67);
                let destination = SocketAddrV4::new(from, 68);
                desk.handle(Input::Overheard(Overheard {
                    interface: "eth3",
                    mac,
                    source,
                    destination,
                    payload: &payload,
                }));
            }
            14 => {
                let path = desk.text(&mut octets);
                let refusal = heorot_core::transfer::Refusal::Missing("no".into());
                desk.handle(Input::Unavailable { from, path, refusal });
            }
            _ => desk.pass(Duration::from_millis(u64::from(octets.next().unwrap_or(0)) * 500)),
        }
    }
    desk.close();
}

struct Desk {
    now: Time,
    heorot: Heorot,
    /// The last question, and how many have no answer.
    asked: u64,
    unanswered: u64,
    recorded: Ticket,
    /// What the last boot was told, to be said again: no fuzzer guesses a token.
    token: String,
    /// The beginning of a long answer.
    begun: String,
}

impl Desk {
    fn new() -> Self {
        let now = Time::from_nanoseconds(1 << 50);
        let heorot = Heorot::restore(now, configuration(), [7; 16], Vec::new(), &mut Vec::new());
        Self {
            now,
            heorot,
            asked: 0,
            unanswered: 0,
            recorded: Ticket(0),
            token: String::new(),
            begun: String::new(),
        }
    }

    /// So many octets as the first says, with `$` for the token of the last boot.
    fn text(&self, octets: &mut impl Iterator<Item = u8>) -> String {
        let length = usize::from(octets.next().unwrap_or(0));
        let text: Vec<u8> = octets.take(length).collect();
        String::from_utf8_lossy(&text).replace('$', &self.token)
    }

    /// An operator's change: which, of whom, and what else the octets say of it.
    fn change(&self, octets: &mut impl Iterator<Item = u8>) -> Query {
        let kind = octets.next().unwrap_or(0);
        let (_, verb) = Verb::NAMED[usize::from(kind & 15) % Verb::NAMED.len()];
        let has = |bit: u8| kind >> bit & 1 == 1;
        let change = ChangeRequest {
            set: self.text(octets),
            without: has(4).then(|| self.text(octets)),
            reason: has(5).then(|| self.text(octets)),
            number: has(6).then(|| u32::from(octets.next().unwrap_or(0))),
            profile: has(5).then(|| self.text(octets)),
            attributes: if has(6) { [(self.text(octets), self.text(octets))].into() } else { [].into() },
            dry_run: has(7),
        };
        Query::Change(verb, Box::new(change))
    }

    /// A machine asks for its address, and for what its firmware loads.
    fn boot(&mut self, mac: Mac, address: Ipv4Addr) {
        for kind in [1, 3] {
            let mut packet = vec![0; 240];
            packet[..3].copy_from_slice(&[1, 1, 6]);
            packet[28..34].copy_from_slice(&mac.0);
            packet[236..].copy_from_slice(&[99, 130, 83, 99]);
            packet.extend([53, 1, kind, 93, 2, 0, 0, 60, 9]);
            packet.extend(b"PXEClient");
            if kind == 3 {
                packet.extend([54, 4, 10, 77, 0, 1, 50, 4]);
                packet.extend(address.octets());
            }
            packet.push(255);
            let (interface, source) = ("eth1", SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 68));
            let destination = Ipv4Addr::BROADCAST;
            let datagram =
                heorot_core::message::Datagram { interface, source, destination, payload: &packet };
            self.handle(Input::Dhcp(datagram));
            self.pass(Duration::from_millis(400));
        }
        self.request(address, Via::Tftp(2070), "boot.ipxe".into());
    }

    fn request(&mut self, from: Ipv4Addr, via: Via, path: String) {
        self.asked += 1;
        self.unanswered += 1;
        let (id, local) = (RequestId(self.asked), Ipv4Addr::new(10, 77, 0, 1));
        self.handle(Input::Request(Request { id, from, local, via, path }));
    }

    fn operator(&mut self, query: Query) {
        self.asked += 1;
        self.unanswered += 1;
        let wall = Wall(0);
        self.handle(Input::Operator { id: RequestId(self.asked), wall, query });
    }

    fn pass(&mut self, time: Duration) {
        self.now = self.now + time;
        self.handle(Input::Wakeup);
        self.handle(Input::Committed(self.recorded));
    }

    fn handle(&mut self, input: Input<'_>) {
        let mut out = Vec::new();
        self.heorot.handle(self.now, input, &mut out);
        for output in out {
            match output {
                Output::Record(ticket, _) => {
                    assert!(ticket > self.recorded, "tickets rise");
                    self.recorded = ticket;
                }
                Output::Reply(id, answer) => {
                    assert!(id.0 <= self.asked && self.unanswered > 0, "nobody asked");
                    self.unanswered -= 1;
                    self.read(answer);
                }
                Output::Dhcp(_)
                | Output::Neighbour(_)
                | Output::Probe { .. }
                | Output::AnswerArp { .. }
                | Output::Together { .. }
                | Output::Publish(..)
                | Output::Names(_)
                | Output::Updated(..)
                | Output::Event(_) => {}
            }
        }
    }

    fn read(&mut self, answer: Answer) {
        let is_inside = |file: &String| {
            !file.is_empty() && !file.starts_with('/') && !file.split('/').any(|part| part == "..")
        };
        match answer {
            Answer::Text(text) => {
                if let Some((_, after)) = text.split_once("/node/") {
                    let end = after.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(after.len());
                    self.token = after[..end].to_owned();
                }
            }
            Answer::File(file) => assert!(is_inside(&file), "{file:?}"),
            Answer::Files(files) => {
                let overlays = files.overlays;
                assert!(overlays.open.iter().chain(&overlays.secret).all(is_inside), "{overlays:?}");
            }
            Answer::FirstOf(files) => assert!(files.iter().all(is_inside), "{files:?}"),
            Answer::Part(text, rest) => {
                self.begun += &text;
                self.operator(Query::More(rest));
            }
            Answer::Unwritten(unwritten) => drop(unwritten.write()),
            Answer::HostKeys(_) => {}
            Answer::Json(status, text) => {
                assert!((200..600).contains(&status));
                let text = std::mem::take(&mut self.begun) + &text;
                assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{text}");
            }
            Answer::Missing(why) | Answer::Refused(why) => assert!(!why.is_empty()),
        }
    }

    /// The disk answers everything, and time passes: then nobody waits.
    fn close(mut self) {
        for _ in 0..8 {
            self.pass(Duration::from_secs(1));
        }
        assert_eq!(self.unanswered, 0, "somebody waits for an answer");
    }
}
