//! What the two machines put out, carried out in its order; and what one wants from the other.

use super::streams::Manner;
use super::{DATA_PORTS_FROM, DHCP_PORT, Server, TFTP_PORT};
use crate::frame::{Frame, Payload};
use crate::happening::Happening;
use crate::machine::{Kind, NFS_PORT};
use crate::surroundings::{FOREIGN_MAC, Question, SERVER_MAC, Surroundings};
use heorot_core::limit::CHUNK_OCTETS;
use heorot_core::mac::Mac;
use heorot_core::message::{Answer, DhcpSend, DhcpTarget, Input, Neighbour, Output, Request, RequestId, Via};
use heorot_core::time::Time;
use heorot_core::transfer::{self, Block, Body, ImageId, Opened, Port, Refusal, Send, TransferId, Unsent};
use heorot_core::wire::tftp;
use std::net::{Ipv4Addr, SocketAddrV4};

/// Who waits for an answer of [`Heorot`](heorot_core::Heorot)'s.
#[derive(Debug)]
pub(super) enum Asker {
    /// A TFTP transfer, to this peer.
    Transfer(TransferId, Ipv4Addr),
    /// A machine, by HTTP: its question's place.
    Http(u32),
}

/// What other threads are doing for the loop.
#[derive(Debug)]
pub(super) enum Doing {
    /// A commit.
    Commit,
    /// A file is being opened.
    Open { transfer: TransferId, peer: Ipv4Addr, path: String, opened: Option<Opened> },
    /// A chunk is being read.
    Fetch { image: ImageId, chunk: u64 },
    /// A file is being opened that is wanted by HTTP: the question's place.
    OpenForHttp { place: u32, opened: Option<Opened> },
    /// A stream is looked at again.
    LookAtStream { id: u64 },
}

impl Server {
    /// Gives [`Heorot`](heorot_core::Heorot) an input and carries out what it says.
    pub(super) fn heorot(&mut self, s: &mut Surroundings, input: Input<'_>) {
        let Some(running) = &mut self.running else { return };
        let mut out = self.spare.pop().unwrap_or_default();
        running.heorot.handle(s.now, input, &mut out);
        for output in out.drain(..) {
            self.carry(s, output);
        }
        self.spare.push(out);
    }

    /// Gives [`Transfers`](transfer::Transfers) an input and carries out what it says.
    pub(super) fn transfer(&mut self, s: &mut Surroundings, input: transfer::Input<'_>) {
        let Some(running) = &mut self.running else { return };
        let mut out = self.spare_transfer.pop().unwrap_or_default();
        running.transfers.handle(s.now, input, &mut out);
        for output in out.drain(..) {
            self.carry_transfer(s, output);
        }
        self.spare_transfer.push(out);
    }

    pub(super) fn carry(&mut self, s: &mut Surroundings, output: Output) {
        match output {
            Output::Record(ticket, record) => {
                s.watch.record(s.now, &record);
                if let Some(running) = &mut self.running {
                    running.commits.gather(s.now, ticket, record);
                }
            }
            Output::Dhcp(send) => self.send_dhcp(s, send),
            Output::Neighbour(Neighbour::Set { address, mac, .. }) => {
                self.neighbours.insert(address, mac);
            }
            Output::Neighbour(Neighbour::Drop { address, .. }) => {
                self.neighbours.remove(&address);
            }
            Output::Probe { address, .. } => {
                // A machine that runs answers at once.
                if let Some(mac) = s.probe(address) {
                    self.heorot(s, Input::Occupied { address, mac: Some(mac) });
                }
            }
            Output::Together { .. } => {} // No file is replaced on the simulated disk.
            Output::AnswerArp { .. } => {} // Nobody else is on the simulated link who would ask.
            Output::Reply(id, answer) => self.reply(s, id, answer),
            Output::Publish(..) | Output::Names(_) | Output::Updated(..) => {}
            Output::Event(event) => s.watch.event(s.now, &event),
        }
    }

    pub(super) fn carry_transfer(&mut self, s: &mut Surroundings, output: transfer::Output) {
        match output {
            // What a text becomes on the way is the server's affair: here it is a file like others.
            transfer::Output::Open { transfer, peer, local, path, mode: _ } => {
                let (peer, via) = (*peer.ip(), Via::Tftp(peer.port()));
                self.request(s, Asker::Transfer(transfer, peer), (peer, local), via, path);
            }
            // What is being opened is told all the same.
            transfer::Output::Unwanted { .. } => {}
            transfer::Output::Send(send) => self.send_tftp(s, &send),
            transfer::Output::Grant { stream, octets } => self.grant(s, stream.0, octets),
            // Every READ is told of: those that need no leave get it at once.
            transfer::Output::Rationed(_) => {}
            transfer::Output::Fetch { image, chunk } => {
                let at = self.disk.fetch(s.now, image, chunk);
                self.begin(s, at, Doing::Fetch { image, chunk });
            }
            transfer::Output::Close(image) => self.disk.close(image),
            transfer::Output::Note { slot, note } => {
                let slot = slot as usize;
                if self.notes.len() <= slot {
                    self.notes.resize(slot + 1, None);
                }
                self.notes[slot] = note.map(|note| (s.now, note));
            }
            transfer::Output::Advance { slot, options_acknowledged, acknowledged } => {
                if let Some(Some((at, note))) = self.notes.get_mut(slot as usize) {
                    *at = s.now;
                    note.advance(options_acknowledged, acknowledged);
                }
            }
            transfer::Output::SignOfLife(address) => self.heorot(s, Input::SignOfLife(address)),
            transfer::Output::Regime { link, regime } => self.heorot(s, Input::Regime { link, regime }),
            transfer::Output::Ended(transfer) => self.heorot(s, Input::Transferred(transfer)),
        }
    }

    /// A foreign host answers by ARP.
    pub(crate) fn foreign_host_answers(&mut self, s: &mut Surroundings, address: Ipv4Addr) {
        if self.running.is_some() {
            self.heorot(s, Input::Occupied { address, mac: Some(FOREIGN_MAC) });
            self.turn_over(s);
        }
    }

    /// Something will be done then.
    pub(super) fn begin(&mut self, s: &mut Surroundings, at: Time, doing: Doing) {
        let place = self.doing.put(doing);
        s.moments.push(at, Happening::Done { life: self.life, place });
    }

    /// It is done.
    pub(crate) fn done(&mut self, s: &mut Surroundings, life: u32, place: u32) {
        let doing = self.doing.take(place);
        if life != self.life || self.running.is_none() {
            return;
        }
        match doing {
            Doing::Commit => {
                let outcome = self.store.end();
                if let Some(input) = self.running.as_mut().and_then(|running| running.commits.end(outcome)) {
                    self.heorot(s, input);
                }
                while let Some(input) = self.running.as_mut().and_then(|running| running.commits.more()) {
                    if matches!(input, Input::Refused { .. }) {
                        self.store.misses_some();
                    }
                    self.heorot(s, input);
                }
            }
            Doing::Open { transfer, peer: from, path, opened } => {
                let result = opened.ok_or_else(|| Refusal::Missing("there is no such file".into()));
                match &result {
                    Ok(opened) => self.disk.opened(opened.image),
                    Err(refusal) => {
                        let refusal = refusal.clone();
                        self.heorot(s, Input::Unavailable { from, path, refusal });
                    }
                }
                self.transfer(s, transfer::Input::Opened { transfer, result });
            }
            Doing::OpenForHttp { place, opened } => self.opened_for_http(s, place, opened),
            Doing::LookAtStream { id } => self.look_at_stream(s, id),
            Doing::Fetch { image, chunk } => {
                self.disk.fetched(image, chunk);
                self.transfer(s, transfer::Input::Fetched { image, chunk });
            }
        }
        self.turn_over(s);
    }

    /// A machine's question by HTTP has come.
    pub(crate) fn question(&mut self, s: &mut Surroundings, question: Question) {
        if self.running.is_none() {
            return;
        }
        let (from, local) = (question.ask.from, *question.ask.to.ip());
        let via = match &question.ask.body {
            Some(body) => Via::HttpPost(body.clone().into_bytes()),
            None => Via::HttpGet,
        };
        let path = question.ask.path.clone();
        let is_root = question.ask.to.port() == NFS_PORT;
        let place = s.http.put(question);
        if is_root {
            self.begin_root(s, place, (from, local), path.trim_start_matches('/').parse().unwrap_or(0));
            return self.turn_over(s);
        }
        self.request(s, Asker::Http(place), (from, local), via, path);
        self.turn_over(s);
    }

    fn request(
        &mut self,
        s: &mut Surroundings,
        asker: Asker,
        (from, local): (Ipv4Addr, Ipv4Addr),
        via: Via,
        path: String,
    ) {
        let Some(running) = &mut self.running else { return };
        running.last_request += 1;
        let id = RequestId(running.last_request);
        running.asked.insert(id, asker);
        self.heorot(s, Input::Request(Request { id, from, local, via, path }));
    }

    fn reply(&mut self, s: &mut Surroundings, id: RequestId, answer: Answer) {
        let asker = self.running.as_mut().and_then(|running| running.asked.remove(&id));
        match asker.expect("a request is answered once, by the life that took it") {
            Asker::Transfer(transfer, peer) => self.open(s, transfer, peer, answer),
            Asker::Http(place) => {
                if let (Some((from, _)), Answer::File(path)) = (s.http.fetches(place), &answer) {
                    let (at, opened) = self.disk.open(s.now, path, self.kind_at(s, from));
                    return self.begin(s, at, Doing::OpenForHttp { place, opened });
                }
                if let (Some(mac), Answer::Json(_, body)) = (s.http.asker(place), &answer) {
                    s.watch.told(s.now, mac, body, self.store.kept());
                }
                let at = s.now + s.network.round_trip() / 2;
                s.http.answer(at, &mut s.moments, place, answer);
            }
        }
    }

    /// A machine begins to read its root.
    fn begin_root(
        &mut self,
        s: &mut Surroundings,
        place: u32,
        (peer, local): (Ipv4Addr, Ipv4Addr),
        octets: u64,
    ) {
        let at = s.now + s.network.round_trip() / 2;
        let stream = self.begin_stream(s, peer, local, octets, Manner::Root);
        s.http.begin(at, &mut s.moments, place, (stream, octets));
    }

    /// A file is open that is wanted by HTTP, or there is none. What is not in memory is not waited for here: the page cache's pace is not what is simulated.
    fn opened_for_http(&mut self, s: &mut Surroundings, place: u32, opened: Option<Opened>) {
        let at = s.now + s.network.round_trip() / 2;
        match (s.http.fetches(place), opened) {
            (Some((from, local)), Some(opened)) => {
                let stream = self.begin_stream(s, from, local, opened.size(), Manner::File);
                s.http.begin(at, &mut s.moments, place, (stream, opened.size()));
            }
            (_, _) => {
                let missing = Answer::Missing("there is no such file".into());
                s.http.answer(at, &mut s.moments, place, missing);
            }
        }
    }

    /// The file of a transfer, as its answer says.
    fn open(&mut self, s: &mut Surroundings, transfer: TransferId, peer: Ipv4Addr, answer: Answer) {
        let result = match answer {
            Answer::File(path) | Answer::FirstOf([_, path]) => {
                let (at, opened) = self.disk.open(s.now, &path, self.kind_at(s, peer));
                return self.begin(s, at, Doing::Open { transfer, peer, path, opened });
            }
            Answer::Text(text) => Ok(self.disk.open_text(&text)),
            Answer::Missing(why) => Err(Refusal::Missing(why)),
            Answer::Refused(why) => Err(Refusal::Denied(why)),
            Answer::Json(..)
            | Answer::Part(..)
            | Answer::Unwritten(_)
            | Answer::Files(_)
            | Answer::HostKeys(_) => Err(Refusal::Missing("it is to be had by HTTP only".into())),
        };
        self.transfer(s, transfer::Input::Opened { transfer, result });
    }

    fn kind_at(&self, s: &Surroundings, address: Ipv4Addr) -> Option<Kind> {
        let machine = s.whereabouts.holder(address)?;
        self.kinds.get(machine as usize).copied()
    }

    fn send_dhcp(&mut self, s: &mut Surroundings, send: DhcpSend) {
        const CLIENT_PORT: u16 = 68;
        let (to, destination) = match send.target {
            DhcpTarget::Frame(mac, address) => (Some(mac), SocketAddrV4::new(address, CLIENT_PORT)),
            DhcpTarget::Address(destination) | DhcpTarget::BootServer(destination) => {
                (self.neighbour(s, *destination.ip()), destination)
            }
        };
        s.watch.dhcp(s.now, &send, self.store.kept());
        let Some(to) = to else { return };
        let source = SocketAddrV4::new(send.source, DHCP_PORT);
        let payload = Payload::Octets(send.payload);
        // The client asks again: the network could have lost it as well.
        let _ = s.send_from_server(Frame { from: SERVER_MAC, to, source, destination, payload });
    }

    /// Where frames to an address go: to the kernel's entry, else to whoever answers an ARP request.
    pub(super) fn neighbour(&self, s: &Surroundings, address: Ipv4Addr) -> Option<Mac> {
        self.neighbours.get(&address).copied().or_else(|| s.resolve(address))
    }

    /// Sends a packet or a train, and reports what did not leave.
    fn send_tftp(&mut self, s: &mut Surroundings, send: &Send) {
        let Some(to) = self.neighbour(s, *send.peer.ip()) else { return };
        let port = match send.port {
            Port::Request => TFTP_PORT,
            Port::Data(place) => DATA_PORTS_FROM + place,
        };
        let source = SocketAddrV4::new(send.local, port);
        let frame = |payload| Frame { from: SERVER_MAC, to, source, destination: send.peer, payload };
        let unsent = match &send.body {
            Body::Packet(octets) => {
                s.send_from_server(frame(Payload::Octets(octets.clone()))).err().map(|_| (0, Unsent::Full))
            }
            Body::Train(train) => self.send_train(s, train, frame),
        };
        if let (Some((block, why)), Some(transfer)) = (unsent, send.transfer) {
            self.transfer(s, transfer::Input::Unsent { transfer, block, why });
        }
    }

    /// Sends the blocks of a train. The first that did not leave, and why.
    fn send_train(
        &self,
        s: &mut Surroundings,
        train: &Block,
        frame: impl Fn(Payload) -> Frame,
    ) -> Option<(u64, Unsent)> {
        for block in train.first..train.first + u64::from(train.count) {
            let octets = u64::from(train.block_octets);
            let from = ((block - 1) * octets).min(train.size);
            let to = (from + octets).min(train.size);
            let payload = if let Some(text) = self.disk.text(train.image) {
                let range = usize::try_from(from).ok()?..usize::try_from(to).ok()?;
                Payload::Octets([&tftp::data_head(block), text.get(range)?].concat())
            } else {
                let mut chunks = from / CHUNK_OCTETS..=to.saturating_sub(1).max(from) / CHUNK_OCTETS;
                if from < to && !chunks.all(|chunk| self.disk.has(train.image, chunk)) {
                    return Some((block, Unsent::NotInMemory));
                }
                let octets = u16::try_from(to - from).expect("a block is shorter than 64 KiB");
                Payload::Data { block: tftp::wire_number(block), octets }
            };
            if s.send_from_server(frame(payload)).is_err() {
                return Some((block, Unsent::Full));
            }
        }
        None
    }
}
