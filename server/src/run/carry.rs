//! What the machines put out, carried out in its order; and what one machine wants from the other.

use super::Loop;
use super::unrouted::is_no_way;
use crate::ask::Ask;
use crate::clock;
use crate::http::News;
use crate::images::Wanted;
use crate::interface::{Ethernet, Interface};
use crate::link::Link;
use crate::neighbour::keeper::{Change, Done};
use crate::netio;
use crate::nfs;
use crate::udp::UdpPort;
use heorot_core::cluster::boot;
use heorot_core::limit;
use heorot_core::mac::Mac;
use heorot_core::message::{
    Answer, DhcpSend, DhcpTarget, Input, Measured, MeasuredHttp, Neighbour, Output, ProbeBy, Query, Request,
    RequestId, UpdateOutcome, Via,
};
use heorot_core::transfer::{self, Refusal, TransferId};
use heorot_core::wire::tftp::Mode;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::AsFd;
use std::sync::Arc;
use tokio::sync::oneshot;

/// Replies that can be outstanding: every transfer that waits for a file, and every HTTP connection.
const PENDING_MAX: usize = limit::TRANSFERS_MAX + limit::HTTP_CONNECTIONS_MAX;

/// Questions to [`Heorot`](heorot_core::Heorot) that are unanswered.
#[derive(Debug, Default)]
pub(super) struct Pending {
    asked: BTreeMap<RequestId, Asker>,
    last: u64,
    /// Files that are being opened for transfers: who asked for what.
    opening: BTreeMap<TransferId, (Ipv4Addr, String)>,
}

impl Pending {
    /// Whether somebody waits for an answer by HTTP.
    pub(super) fn has_http(&self) -> bool {
        self.asked.values().any(|asker| matches!(asker, Asker::Machine(_) | Asker::Operator(_)))
    }
}

/// Who waits for an answer.
#[derive(Debug)]
pub(super) enum Asker {
    /// A TFTP transfer, to this peer.
    Transfer(TransferId, Ipv4Addr, Mode),
    /// A machine, by HTTP: which connection, and its how-manieth question.
    Machine((u64, u64)),
    /// An operator.
    Operator(oneshot::Sender<Answer>),
    /// SIGUSR1.
    Dump,
}

/// Whom a DHCP packet goes to, for people. What goes to a relay goes to its port 67.
fn named(send: &DhcpSend) -> String {
    match send.target {
        DhcpTarget::Frame(mac, _) => format!("{mac} on {}", send.interface),
        DhcpTarget::Address(to) if to.port() == 67 => format!("the relay {}", to.ip()),
        DhcpTarget::Address(to) | DhcpTarget::BootServer(to) => to.to_string(),
    }
}

/// What became of an update, as it is told to DNS.
fn dns_outcome(outcome: UpdateOutcome) -> heorot_dns::UpdateOutcome {
    match outcome {
        UpdateOutcome::Kept => heorot_dns::UpdateOutcome::Kept,
        UpdateOutcome::Refused => heorot_dns::UpdateOutcome::Refused,
        UpdateOutcome::Failed => heorot_dns::UpdateOutcome::Failed,
    }
}

impl Loop {
    /// Gives [`Heorot`](heorot_core::Heorot) an input and carries out what it says.
    pub(super) fn heorot(&mut self, input: Input<'_>) {
        let mut out = std::mem::take(&mut self.decided);
        // What is carried out may lead to another input meanwhile, whose list has entries of its own.
        let needed = std::mem::take(&mut self.needed);
        self.parts.heorot.handle(self.now, input, &mut out);
        for output in out.drain(..) {
            self.carry(output);
        }
        (self.decided, self.needed) = (out, needed);
    }

    /// Gives [`Transfers`](heorot_core::transfer::Transfers) an input and carries out what it says.
    pub(super) fn transfer(&mut self, input: transfer::Input<'_>) {
        // One input in a thousand leads to another one meanwhile: else there is nothing to allocate.
        let mut out = std::mem::take(&mut self.outputs);
        self.parts.transfers.handle(self.now, input, &mut out);
        for output in out.drain(..) {
            self.carry_transfer(output);
        }
        self.outputs = out;
    }

    pub(super) fn carry(&mut self, output: Output) {
        match output {
            Output::Record(ticket, record) => self.parts.commits.gather(self.now, ticket, record),
            Output::Dhcp(send) => self.send_dhcp(send),
            Output::Neighbour(neighbour) => self.want_neighbour(&neighbour),
            Output::Probe { interface, address, by } => self.probe(&interface, address, by),
            Output::AnswerArp { interface, address, mac, to } => {
                self.answer_arp(&interface, (mac, address), to)
            }
            Output::Together { from, files, is_resumed } => {
                self.parts.directory.together(from, files, is_resumed)
            }
            Output::Reply(id, answer) => self.reply(id, answer),
            Output::Publish(directory, changes) => {
                if let Some(names) = &self.parts.names {
                    names.publish(Arc::clone(&directory));
                }
                if let Some(nis) = &self.parts.nis {
                    nis.publish(Arc::clone(&directory));
                }
                self.parts.dns.publish(directory, changes);
            }
            Output::Names(changes) => self.parts.dns.change(changes),
            Output::Updated(id, outcome) => {
                self.parts.dns.updated(heorot_dns::UpdateId(id.0), dns_outcome(outcome))
            }
            Output::Event(event) => self.parts.journal.event(&event),
        }
    }

    pub(super) fn carry_transfer(&mut self, output: transfer::Output) {
        match output {
            transfer::Output::Open { transfer, peer, local, path, mode } => {
                let (peer, via) = (*peer.ip(), Via::Tftp(peer.port()));
                self.request(Asker::Transfer(transfer, peer, mode), peer, local, via, path);
            }
            transfer::Output::Send(send) => self.send_tftp(send),
            transfer::Output::Grant { stream, octets } => {
                let packets = octets.div_ceil(limit::STREAM_PACKET_OCTETS);
                let (packets, octets) = (packets as usize, octets as usize);
                self.meter.sent_many(self.now, packets, octets);
                match &self.parts.nfs {
                    Some(nfs) if nfs::is_ours(stream) => nfs.grant(stream, octets as u64),
                    Some(_) | None => self.parts.http.grant(stream, octets as u64),
                }
            }
            transfer::Output::Rationed(are_on) => {
                if let Some(nfs) = &self.parts.nfs {
                    nfs.ration(are_on);
                }
            }
            transfer::Output::Fetch { image, chunk } => {
                if let Some(input) = self.parts.images.fetch(image, chunk) {
                    self.transfer(input);
                }
            }
            transfer::Output::Close(image) => self.parts.images.close(image),
            transfer::Output::Unwanted { transfer, peer } => {
                if self.parts.images.forget(peer, transfer) {
                    self.pending.opening.remove(&transfer);
                }
            }
            transfer::Output::Note { slot, note } => {
                if let Err(error) = self.parts.notes.write(slot, note.as_ref()) {
                    self.complain("noting transfers for a restart", &error);
                }
            }
            transfer::Output::Advance { slot, options_acknowledged, acknowledged } => {
                self.parts.notes.advance(self.now, slot, options_acknowledged, acknowledged);
            }
            transfer::Output::SignOfLife(address) => self.heorot(Input::SignOfLife(address)),
            transfer::Output::Regime { link, regime } => self.heorot(Input::Regime { link, regime }),
            transfer::Output::Ended(transfer) => self.heorot(Input::Transferred(transfer)),
        }
    }

    /// What machines ask by HTTP, and what became of their files.
    pub(super) fn take_news(&mut self) {
        for news in self.parts.http.news() {
            match news {
                // Whoever is sent away comes again.
                News::Asked { key, question, .. } if self.ends_by.is_some() => {
                    self.parts.http.answer((key, question), None);
                }
                News::Asked { key, question, from, local, via, path } => {
                    self.request(Asker::Machine((key, question)), from, local, via, path);
                }
                News::Stream(stream, news) => self.transfer(transfer::Input::Stream { stream, news }),
                News::Sending { to, path } => self.heorot(Input::Sending { to, path }),
                News::NotMade { mac, given, why } => self.heorot(Input::NotMade { mac, given, why }),
                News::Sent(transfer) => self.heorot(Input::Transferred(transfer)),
            }
        }
        for (stream, news) in self.parts.nfs.as_ref().map_or_else(Vec::new, nfs::Handle::news) {
            self.transfer(transfer::Input::Stream { stream, news });
        }
    }

    /// What other threads ask.
    pub(super) fn ask(&mut self, ask: Ask) {
        match ask {
            // Whoever is dropped is told to come again.
            Ask::Operator { .. } if self.ends_by.is_some() => {}
            Ask::Operator { query, reply } => self.query(Asker::Operator(reply), query),
            // Nothing new is kept at the end.
            Ask::Update { id, .. } if self.ends_by.is_some() => {
                self.carry(Output::Updated(id, UpdateOutcome::Failed))
            }
            Ask::Update { id, changes, by } => self.heorot(Input::Update { id, changes, by }),
            Ask::UpdateDenied { by, why } => self.heorot(Input::UpdateDenied { by, why }),
            Ask::Unanswered { silent, over } => self.unanswered(silent, over),
            Ask::HostsFiles(lines) => self.heorot(Input::HostsFiles(lines)),
            Ask::SignOfLife(address) => self.heorot(Input::SignOfLife(address)),
            Ask::Distrusts { from, why } => self.heorot(Input::Distrusts(from, why)),
            Ask::Misunderstood { from, why } => self.heorot(Input::Misunderstood(from, why)),
            Ask::Unavailable { from, path, refusal } => {
                self.heorot(Input::Unavailable { from, path, refusal });
            }
        }
    }

    /// An operator's question.
    pub(super) fn query(&mut self, asker: Asker, query: Query) {
        let query = match query {
            Query::Status(_) => Query::Status(self.measured()),
            query @ (Query::Nodes { .. }
            | Query::NodeSet { .. }
            | Query::Export(_)
            | Query::Node(_)
            | Query::Explain(_)
            | Query::Change(..)
            | Query::Files(_)
            | Query::Dump
            | Query::Groups
            | Query::HostKeys
            | Query::More(_)) => query,
        };
        if let Some(id) = self.remember(asker) {
            // He reads since when something is so: the calendar may have been set.
            self.heorot(Input::Calendar(clock::wall(self.now)));
            self.heorot(Input::Operator { id, wall: clock::wall(self.now), query });
        }
    }

    fn request(&mut self, asker: Asker, from: Ipv4Addr, local: Ipv4Addr, via: Via, path: String) {
        if let Some(id) = self.remember(asker) {
            // What a machine says of itself is kept with a date.
            if matches!(via, Via::HttpPost(_)) {
                self.heorot(Input::Calendar(clock::wall(self.now)));
            }
            self.heorot(Input::Request(Request { id, from, local, via, path }));
        }
    }

    /// Gives a question its number. None: too many are unanswered, and this one is refused.
    fn remember(&mut self, asker: Asker) -> Option<RequestId> {
        self.pending.last += 1;
        let id = RequestId(self.pending.last);
        self.pending.asked.insert(id, asker);
        if self.pending.asked.len() <= PENDING_MAX {
            return Some(id);
        }
        self.reply(id, Answer::Missing("the server is too busy: ask again".into()));
        None
    }

    fn reply(&mut self, id: RequestId, answer: Answer) {
        match self.pending.asked.remove(&id) {
            Some(Asker::Transfer(transfer, peer, mode)) => self.open(transfer, peer, mode, answer),
            // Whoever asked may have gone away.
            Some(Asker::Operator(reply)) => drop(reply.send(answer)),
            Some(Asker::Machine(question)) => {
                let config = &self.parts.config;
                let starts = matches!(&answer, Answer::File(path) if boot::is_started_by_http(config, path));
                self.parts.http.answer(question, Some((answer, starts)));
            }
            Some(Asker::Dump) => self.dumped(answer),
            None => debug_assert!(false, "{id:?} was answered twice, or never asked"),
        }
    }

    /// The file of a transfer, as its answer says.
    fn open(&mut self, transfer: TransferId, peer: Ipv4Addr, mode: Mode, answer: Answer) {
        let result = match answer {
            Answer::File(path) => return self.open_file(transfer, peer, mode, vec![path]),
            Answer::FirstOf(paths) => return self.open_file(transfer, peer, mode, paths.into()),
            Answer::Refused(why) => Err(Refusal::Denied(why)),
            Answer::Text(text) => Ok(self.parts.images.open_text(&text, mode)),
            Answer::Missing(why) => Err(Refusal::Missing(why)),
            Answer::Json(..)
            | Answer::Part(..)
            | Answer::Unwritten(_)
            | Answer::Files(_)
            | Answer::HostKeys(_) => Err(Refusal::Missing("it is to be had by HTTP only".into())),
        };
        self.transfer(transfer::Input::Opened { transfer, result });
    }

    fn open_file(&mut self, transfer: TransferId, peer: Ipv4Addr, mode: Mode, paths: Vec<String>) {
        // What is said to be missing is the one that is everybody's.
        let path = paths.last().cloned().unwrap_or_default();
        let case_fold = self.parts.config.tftp.case_fold;
        self.parts.images.open(transfer, Wanted { paths, case_fold, mode, from: peer });
        self.pending.opening.insert(transfer, (peer, path));
    }

    /// What became of a file that was to be opened or read.
    pub(super) fn take_image(&mut self, done: transfer::Input<'_>) {
        if let transfer::Input::Opened { transfer, result } = &done {
            let asked = self.pending.opening.remove(transfer);
            // A file that changed was there when its transfer began.
            if let (
                Some((from, path)),
                Err(refusal @ (Refusal::Missing(_) | Refusal::Denied(_) | Refusal::Unfit(_))),
            ) = (asked, result)
            {
                self.heorot(Input::Unavailable { from, path, refusal: refusal.clone() });
            }
        }
        self.transfer(done);
    }

    /// Sends a DHCP packet, or holds it until the entries stand that it needs: a frame those of its list, what the kernel finds the way for, all of them.
    fn send_dhcp(&mut self, send: DhcpSend) {
        let needed = match send.target {
            DhcpTarget::Frame(..) => self.needed,
            DhcpTarget::Address(_) | DhcpTarget::BootServer(_) => self.parts.neighbours.wanted(),
        };
        if needed <= self.parts.neighbours.carried_out() {
            self.send_dhcp_now(&send);
        } else if let Some(oldest) = self.held.hold(self.now, needed, send) {
            self.send_dhcp_now(&oldest);
        }
    }

    fn send_dhcp_now(&mut self, send: &DhcpSend) {
        let DhcpSend { interface, source, target, payload } = send;
        let sent = match *target {
            DhcpTarget::Frame(mac, destination) => match self.ethernet(interface).map(|it| &mut it.link) {
                Some(link) => {
                    let (given, is_full) = (link.give(*source, mac, destination, payload), link.is_full());
                    if is_full {
                        self.flush_links();
                    }
                    given
                }
                None => self.broadcast(interface, *source, payload),
            },
            DhcpTarget::Address(destination) => self.parts.routed.send(*source, destination, payload),
            DhcpTarget::BootServer(peer) => {
                self.send_from(interface, |it| &it.boot_server, (*source, peer), payload)
            }
        };
        let news = match (sent, *target) {
            (Ok(()), target) => {
                self.meter.sent(self.now, payload.len());
                if let DhcpTarget::Address(to) = target { self.unrouted.sent(*source, to) } else { None }
            }
            (Err(error), DhcpTarget::Address(to)) if is_no_way(&error) => {
                self.unrouted.failed(self.now, *source, to)
            }
            // The client asks again: the network could have lost it as well.
            (Err(error), _) => {
                self.complain("sending DHCP", &format_args!("to {}: {error}", named(send)));
                None
            }
        };
        if let Some((weight, line)) = news {
            self.parts.journal.say(weight, format_args!("DHCP: {line}"));
        }
    }

    fn ethernet(&mut self, interface: &str) -> Option<&mut Ethernet> {
        self.parts.interfaces.iter_mut().find(|it| it.name == interface)?.ethernet.as_mut()
    }

    /// Sends a datagram from the port that belongs to an interface, from one of our addresses to a peer.
    fn send_from(
        &mut self,
        interface: &str,
        port: impl Fn(&Interface) -> &UdpPort,
        (local, peer): (Ipv4Addr, SocketAddrV4),
        payload: &[u8],
    ) -> std::io::Result<()> {
        let port = self.parts.interfaces.iter().find(|it| it.name == interface).map(port);
        let port = port.ok_or_else(|| std::io::Error::other(format!("{interface} is not served")))?;
        let mut batch = self.outbox.batch();
        batch.add((Some(local), peer), None, std::iter::once(payload));
        batch.send(port.as_fd(), 0).map(drop)
    }

    /// Where no frame of ours can go, everybody hears it (RFC 4390 2.1).
    fn broadcast(&mut self, interface: &str, source: Ipv4Addr, payload: &[u8]) -> std::io::Result<()> {
        const EVERYBODY: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::BROADCAST, 68);
        self.send_from(interface, |it| &it.dhcp, (source, EVERYBODY), payload)
    }

    /// Begins what was wanted of neighbour entries, and sends the packets of this moment that need none or whose entries stand.
    pub(super) fn flush_dhcp(&mut self) {
        self.parts.neighbours.submit();
        while let Some(send) = self.held.next(self.now, self.parts.neighbours.carried_out()) {
            self.send_dhcp_now(&send);
        }
        self.flush_links();
    }

    fn flush_links(&mut self) {
        let now = self.now;
        let ethernet = self.parts.interfaces.iter_mut().filter_map(|it| it.ethernet.as_mut());
        let outcomes = ethernet.map(|it| it.link.flush(now));
        if let Some(error) = outcomes.filter_map(Result::err).last() {
            self.complain("sending DHCP", &error);
        }
        let links = self.parts.interfaces.iter().filter_map(|it| Some(&it.ethernet.as_ref()?.link));
        self.links_retry_at = links.filter_map(Link::retry_at).min();
    }

    fn want_neighbour(&mut self, neighbour: &Neighbour) {
        let index = |name: &String| {
            let interface = self.parts.interfaces.iter().find(|it| it.name == *name)?;
            interface.ethernet.as_ref().map(|_| interface.served.index)
        };
        let change = match neighbour {
            Neighbour::Set { interface, address, mac } => {
                index(interface).map(|interface| Change::Set { interface, address: *address, mac: *mac })
            }
            Neighbour::Drop { interface, address } => {
                index(interface).map(|interface| Change::Drop { interface, address: *address })
            }
        };
        let Some(change) = change else { return };
        if self.parts.neighbours.want(change) {
            self.needed = self.parts.neighbours.wanted();
        } else {
            self.complain("setting neighbour entries", &"the kernel does not keep up");
        }
    }

    /// Neighbour entries were set and dropped. What waited for them leaves at the end of the turn.
    pub(super) fn entries_done(&mut self, done: Done) {
        self.parts.neighbours.done();
        // Without the entry the kernel asks by ARP, which most machines answer.
        if let Err(error) = done {
            self.complain("setting neighbour entries", &error);
        }
    }

    fn probe(&mut self, interface: &str, address: Ipv4Addr, by: ProbeBy) {
        let asked = match (by, self.ethernet(interface)) {
            (ProbeBy::Arp, Some(ethernet)) => ethernet.prober.ask(address),
            // On InfiniBand the kernel speaks ARP itself.
            (ProbeBy::Arp, None) | (ProbeBy::Echo, _) => self.parts.echo.ask(address),
        };
        if let Err(error) = asked {
            self.complain("asking who has an address", &error);
        }
    }

    fn answer_arp(&mut self, interface: &str, owner: (Mac, Ipv4Addr), to: (Mac, Ipv4Addr)) {
        let answered = self.ethernet(interface).map(|ethernet| ethernet.prober.answer_for(owner, to));
        if let Some(Err(error)) = answered {
            self.complain("answering ARP", &error);
        }
    }

    /// What was lost because one of our sockets was full, coming or going, since the start.
    fn kernel_drops(&self) -> u64 {
        let parts = &self.parts;
        let interfaces = parts.interfaces.iter().map(Interface::lost);
        let ports = std::iter::once(&parts.tftp).chain(parts.data.sockets()).map(UdpPort::dropped);
        let echo = netio::dropped(parts.echo.as_fd());
        self.lost_before + interfaces.chain(ports).chain([echo, parts.routed.lost()]).sum::<u64>()
    }

    fn measured(&mut self) -> Measured {
        self.count_senders(self.now);
        self.count_repeats();
        let transfers = &self.parts.transfers;
        let (bits, [retries, resent]) = self.meter.last_second(self.now);
        let http = self.parts.http.counts();
        let busiest = transfers.links().max_by_key(|(regime, _)| *regime);
        let (regime, ceiling) = busiest.unwrap_or_default();
        Measured {
            transfers_active: transfers.active() as u64,
            transfers_waiting: transfers.waiting() as u64,
            sent_by_senders: self.parts.senders.sent().0,
            http: MeasuredHttp {
                connections: http.connections as u64,
                sending: http.sending as u64,
                displaced: http.streams.displaced,
                silent: http.streams.silent,
                refused: http.refused,
            },
            sent_bits_per_second: bits,
            retries_per_second: retries,
            resent_per_second: resent,
            regime,
            link_bits_per_second: ceiling,
            kernel_drops: self.kernel_drops(),
            malformed: self.parts.transfers.malformed().clone(),
            dns: Box::new(self.parts.dns.counts().measured()),
            nfs: self.parts.nfs.as_ref().map(|nfs| Box::new(nfs.counts().measured())),
            troubles: self.refusals.told(self.now).into_iter().chain(self.unrouted.told(self.now)).collect(),
        }
    }
}
