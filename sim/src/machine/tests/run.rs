//! One machine and a small server that answers at once, or falls silent where a test wants it. What is to be answered can be left to the core.

use crate::frame::{Frame, Payload};
use crate::machine::{Ask, Input, Kind, Machine, Output, Setup, Told};
use heorot_core::Heorot;
use heorot_core::config::{Config, Interface};
use heorot_core::mac::Mac;
use heorot_core::message as core;
use heorot_core::time::Time;
use heorot_core::wire::dhcp::{Message, MessageType, Op, option};
use heorot_core::wire::tftp::{self, Agreed, ErrorCode, Packet};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

pub(in crate::machine) const MAC: Mac = Mac([0x52, 0x54, 0, 0x77, 0, 1]);
pub(in crate::machine) const SERVER_MAC: Mac = Mac([2, 0, 0, 0, 0, 1]);
pub(in crate::machine) const SERVER: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
pub(in crate::machine) const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 77, 1, 1);
const START: Time = Time::from_nanoseconds(1_000_000_000_000);
const ROUND_TRIP: Duration = Duration::from_micros(200);

/// Where the server falls silent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::machine) enum Silent {
    Never,
    Discover,
    Request,
    /// Requests for this file.
    Asked(&'static str),
    /// After the OACK for this file.
    Agreed(&'static str),
    /// From the moment on at which it has sent this block of this file.
    Block(&'static str, u16),
    /// From now on.
    Always,
}

/// What a file is to the server.
#[derive(Clone, Debug)]
pub(in crate::machine) enum File {
    /// So many octets that nobody looks at.
    Bulk(u64),
    Text(String),
}

pub(in crate::machine) struct Run {
    pub(in crate::machine) machine: Machine,
    pub(in crate::machine) now: Time,
    pub(in crate::machine) log: Vec<(Duration, Output)>,
    pub(in crate::machine) silent: Silent,
    pub(in crate::machine) files: BTreeMap<String, File>,
    pub(in crate::machine) boot_file: &'static str,
    pub(in crate::machine) ipxe_file: &'static str,
    /// Whether iPXE is told that no other servers will offer.
    pub(in crate::machine) alone: bool,
    /// What is answered to requests by HTTP.
    pub(in crate::machine) web: fn(&Ask) -> Option<(u16, String)>,
    /// The server's own core, which then decides about addresses, generated files and requests by HTTP.
    core: Option<Heorot>,
    pub(in crate::machine) leased: Ipv4Addr,
    /// The largest window that the server grants. 1: it does not know of windows.
    pub(in crate::machine) window_max: u16,
    transfers: BTreeMap<u16, Sending>,
    arriving: Vec<(Time, Frame)>,
    answers: Vec<(Time, u16, String)>,
}

struct Sending {
    peer: Ipv4Addr,
    name: String,
    octets: u64,
    block_octets: u16,
    window: u16,
}

pub(in crate::machine) fn setup(kind: Kind) -> Setup {
    Setup {
        kind,
        mac: MAC,
        rom_delay: Duration::from_secs(1),
        seed: 1,
        files: vec!["vmlinuz".into(), "initrd.img".into()],
        agent_after: None,
        root_octets: 0,
    }
}

impl Run {
    pub(in crate::machine) fn new(setup: Setup) -> Self {
        let files = ["boot", "ipxe.efi", "pxelinux.0", "ldlinux.c32", "grubx64.efi", "bootcode.bin"];
        let mut files: BTreeMap<_, _> = files.map(|name| (name.to_owned(), File::Bulk(42_430))).into();
        files.insert("vmlinuz".into(), File::Bulk(8_247_232));
        files.insert("initrd.img".into(), File::Bulk(1408 * 4));
        Self {
            machine: Machine::new(setup),
            now: START,
            log: Vec::new(),
            silent: Silent::Never,
            files,
            boot_file: "boot",
            ipxe_file: "boot",
            alone: false,
            web: |_| None,
            core: None,
            leased: ADDRESS,
            window_max: u16::MAX,
            transfers: BTreeMap::new(),
            arriving: Vec::new(),
            answers: Vec::new(),
        }
    }

    /// The same server with the core in it, on eth1 with 10.77.0.1/16.
    pub(in crate::machine) fn with_core(setup: Setup, config: &str) -> Self {
        let interface = Interface { name: "eth1".into(), addresses: vec![(SERVER, 16)] };
        let (config, _) = Config::parse(config, &[interface]).expect("a configuration");
        let core = Heorot::restore(START, config, [0; 16], Vec::new(), &mut Vec::new());
        Self { core: Some(core), ..Self::new(setup) }
    }

    /// Switches it on and lets so much time pass.
    pub(in crate::machine) fn go(mut self, duration: Duration) -> Self {
        self.put(Input::PowerOn);
        self.pass(duration);
        self
    }

    pub(in crate::machine) fn pass(&mut self, duration: Duration) {
        let end = self.now + duration;
        loop {
            let arrives = self.arriving.iter().map(|(at, _)| *at).min();
            let answers = self.answers.iter().map(|(at, ..)| *at).min();
            let wakes = self.machine.next_wakeup();
            let next = [arrives, answers, wakes].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= end) else { break };
            self.now = self.now.max(next);
            if arrives == Some(next) {
                let place = self.arriving.iter().position(|(at, _)| *at == next).unwrap();
                let (_, frame) = self.arriving.remove(place);
                self.put(Input::Frame(&frame));
            } else if answers == Some(next) {
                let place = self.answers.iter().position(|(at, ..)| *at == next).unwrap();
                let (_, status, body) = self.answers.remove(place);
                self.put(Input::Answer { status, body: &body });
            } else {
                self.put(Input::Wakeup);
            }
        }
        self.now = end;
    }

    pub(in crate::machine) fn put(&mut self, input: Input<'_>) {
        let mut out = Vec::new();
        self.machine.handle(self.now, input, &mut out);
        for output in out {
            match &output {
                Output::Send(frame) => self.serve(frame),
                Output::Ask(ask) => {
                    let answer = if self.core.is_some() { self.ask_core(ask) } else { (self.web)(ask) };
                    self.answers.extend(answer.map(|(status, body)| (self.now + ROUND_TRIP, status, body)));
                }
                Output::Fetch(ask) => panic!("{ask:?}"),
                Output::Told(_) => {}
            }
            self.log.push((self.now.since(START), output));
        }
    }

    /// All frames that the machine sent and that the question is about, with their moments in seconds.
    pub(in crate::machine) fn sent(&self, is_meant: impl Fn(&Frame) -> bool) -> Vec<(f64, Frame)> {
        let frames = self.log.iter().filter_map(|(at, output)| match output {
            Output::Send(frame) if is_meant(frame) => Some((at.as_secs_f64(), frame.clone())),
            Output::Send(_) | Output::Ask(_) | Output::Fetch(_) | Output::Told(_) => None,
        });
        frames.collect()
    }

    /// All that people were told, with its moment in seconds.
    pub(in crate::machine) fn told(&self) -> Vec<(f64, Told)> {
        let told = self.log.iter().filter_map(|(at, output)| match output {
            Output::Told(told) => Some((at.as_secs_f64(), told.clone())),
            Output::Send(_) | Output::Ask(_) | Output::Fetch(_) => None,
        });
        told.collect()
    }

    /// The files that came whole.
    pub(in crate::machine) fn loaded(&self) -> Vec<String> {
        let files = self.told().into_iter().filter_map(|(_, told)| {
            let Told::File { name, .. } = told else { return None };
            Some(name)
        });
        files.collect()
    }

    fn serve(&mut self, frame: &Frame) {
        if self.silent == Silent::Always {
            return;
        }
        match &frame.payload {
            Payload::Octets(octets) if frame.destination.port() == 67 => self.serve_dhcp(octets),
            Payload::Octets(octets) => self.serve_request(frame, octets),
            Payload::Acknowledge(block) => self.serve_blocks(frame.source.port(), *block),
            Payload::Data { .. } | Payload::Segment { .. } | Payload::Received { .. } => {
                panic!("machines send no DATA")
            }
        }
    }

    fn serve_dhcp(&mut self, octets: &[u8]) {
        let source = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 68);
        let datagram = core::Datagram { interface: "eth1", source, destination: SERVER, payload: octets };
        if self.core.is_some() {
            for output in self.tell_core(core::Input::Dhcp(datagram)) {
                if let core::Output::Dhcp(send) = output {
                    self.reply(67, SocketAddrV4::new(Ipv4Addr::BROADCAST, 68), Payload::Octets(send.payload));
                }
            }
            return;
        }
        let mut message = Message::parse(octets).expect("DHCP");
        let kind = match message.message_type() {
            Some(MessageType::Discover) if self.silent != Silent::Discover => MessageType::Offer,
            Some(MessageType::Request) if self.silent != Silent::Request => MessageType::Ack,
            _ => return,
        };
        let is_ipxe = message.options.contains(option::USER_CLASS);
        message.op = Op::BootReply;
        message.yiaddr = self.leased;
        message.siaddr = SERVER;
        message.options = Default::default();
        message.options.set(option::MESSAGE_TYPE, vec![kind as u8]);
        message.options.set(option::SERVER_IDENTIFIER, SERVER.octets());
        let file = if is_ipxe { self.ipxe_file } else { self.boot_file };
        message.options.set(option::BOOT_FILE, file);
        if self.alone {
            message.options.set(option::IPXE, vec![176, 1, 1]);
        }
        self.reply(67, SocketAddrV4::new(self.leased, 68), Payload::Octets(message.write(1472)));
    }

    fn serve_request(&mut self, frame: &Frame, octets: &[u8]) {
        let peer = frame.source;
        let Ok(Packet::Read(request)) = Packet::parse(octets) else {
            self.transfers.remove(&peer.port());
            return;
        };
        if self.silent == Silent::Asked(leak(&request.name)) {
            return;
        }
        if self.core.is_some() {
            match self.request_core(*peer.ip(), core::Via::Tftp(peer.port()), &request.name) {
                core::Answer::Text(text) => drop(self.files.insert(request.name.clone(), File::Text(text))),
                core::Answer::File(_) | core::Answer::FirstOf(_) => {}
                core::Answer::Missing(_)
                | core::Answer::Refused(_)
                | core::Answer::Json(..)
                | core::Answer::Part(..)
                | core::Answer::Unwritten(_)
                | core::Answer::Files(_)
                | core::Answer::HostKeys(_) => drop(self.files.remove(&request.name)),
            }
        }
        let Some(file) = self.files.get(request.name.trim_start_matches('/')) else {
            return self.reply(69, peer, Payload::Octets(tftp::error(ErrorCode::NotFound, "not found")));
        };
        let octets = match file {
            File::Bulk(octets) => *octets,
            File::Text(text) => text.len() as u64,
        };
        let sending = Sending {
            peer: *peer.ip(),
            name: request.name,
            octets,
            block_octets: request.options.block_octets.unwrap_or(512),
            window: request.options.window_blocks.unwrap_or(1).min(self.window_max),
        };
        self.transfers.insert(peer.port(), sending);
        if !request.options.any() {
            return self.serve_blocks(peer.port(), 0);
        }
        let agreed = Agreed {
            block_octets: request.options.block_octets,
            size: request.options.size.then_some(octets),
            timeout_seconds: None,
            window_blocks: request
                .options
                .window_blocks
                .map(|window| window.min(self.window_max))
                .filter(|window| *window > 1),
        };
        self.reply(40_000, peer, Payload::Octets(tftp::option_ack(&agreed)));
    }

    fn serve_blocks(&mut self, port: u16, acknowledged: u16) {
        let Some(sending) = self.transfers.get(&port) else { return };
        let name = leak(sending.name.trim_start_matches('/'));
        let (octets, size) = (sending.octets, u64::from(sending.block_octets));
        let (peer, window) = (sending.peer, sending.window);
        let blocks = octets / size + 1;
        for block in u64::from(acknowledged) + 1..=u64::from(acknowledged) + u64::from(window) {
            let is_silent = match self.silent {
                Silent::Agreed(silent) => silent == name,
                Silent::Always => true,
                Silent::Never | Silent::Discover | Silent::Request | Silent::Asked(_) | Silent::Block(..) => {
                    false
                }
            };
            if block > blocks || is_silent {
                return;
            }
            let begin = (block - 1) * size;
            let count = size.min(octets - begin) as u16;
            let payload = match &self.files[name] {
                File::Bulk(_) => Payload::Data { block: block as u16, octets: count },
                File::Text(text) => Payload::Octets(
                    [&tftp::data_head(block)[..], &text.as_bytes()[begin as usize..][..count.into()]]
                        .concat(),
                ),
            };
            self.reply(40_000, SocketAddrV4::new(peer, port), payload);
            if self.silent == Silent::Block(name, block as u16) {
                self.silent = Silent::Always;
            }
        }
    }

    fn ask_core(&mut self, ask: &Ask) -> Option<(u16, String)> {
        let via = match &ask.body {
            Some(body) => core::Via::HttpPost(body.clone().into()),
            None => core::Via::HttpGet,
        };
        Some(match self.request_core(ask.from, via, &ask.path) {
            core::Answer::Text(text) => (200, text),
            core::Answer::Json(status, text) => (status, text),
            core::Answer::Part(text, _) => (200, text),
            core::Answer::Missing(why) => (404, why),
            core::Answer::Refused(why) => (403, why),
            core::Answer::Unwritten(_) | core::Answer::Files(_) | core::Answer::HostKeys(_) => {
                (200, String::new())
            }
            core::Answer::File(name) | core::Answer::FirstOf([name, _]) => panic!("{name} by HTTP"),
        })
    }

    fn request_core(&mut self, from: Ipv4Addr, via: core::Via, path: &str) -> core::Answer {
        let id = core::RequestId(7);
        let request = core::Request { id, from, local: SERVER, via, path: path.into() };
        let out = self.tell_core(core::Input::Request(request));
        let reply = out.into_iter().find_map(|output| {
            let core::Output::Reply(_, answer) = output else { return None };
            Some(answer)
        });
        reply.expect("every request is answered")
    }

    /// Tells the core something. Its records are kept at once.
    fn tell_core(&mut self, input: core::Input<'_>) -> Vec<core::Output> {
        let core = self.core.as_mut().expect("a core");
        let (mut out, mut all) = (Vec::new(), Vec::new());
        core.handle(self.now, core::Input::Wakeup, &mut out);
        core.handle(self.now, input, &mut out);
        while !out.is_empty() {
            let mut kept = None;
            for output in out.drain(..) {
                if let core::Output::Record(ticket, _) = output {
                    kept = Some(ticket);
                } else {
                    all.push(output);
                }
            }
            if let Some(ticket) = kept {
                core.handle(self.now, core::Input::Committed(ticket), &mut out);
            }
        }
        all
    }

    fn reply(&mut self, from: u16, to: SocketAddrV4, payload: Payload) {
        let frame = Frame {
            from: SERVER_MAC,
            to: MAC,
            source: SocketAddrV4::new(SERVER, from),
            destination: to,
            payload,
        };
        self.arriving.push((self.now + ROUND_TRIP, frame));
    }
}

/// A request for a file.
pub(in crate::machine) fn request(frame: &Frame) -> Option<tftp::ReadRequest> {
    let Payload::Octets(octets) = &frame.payload else { return None };
    let packet = Packet::parse(octets).ok().filter(|_| frame.destination.port() == 69)?;
    let Packet::Read(request) = packet else { return None };
    Some(request)
}

fn leak(name: &str) -> &'static str {
    name.to_owned().leak()
}
