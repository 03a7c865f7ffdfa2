//! Before an address is offered to a machine that did not have it, it is asked whether somebody else has it: by ARP on the link (RFC 5227
//! 2.1.1), by ICMP echo behind a relay (RFC 2131 2.2, 3.1). All questions stand side by side and nobody else waits for them.
//!
//! It is the OFFER that waits, for 300 ms, and not the ACK: a DISCOVER is repeated after a second at the earliest (iPXE 1.06 s, Intel's ROMs 1 s),
//! a REQUEST of iPXE's after 0.27 s; EDK2 collects offers for 4 s and loses nothing; and an address that turns out to be taken is replaced by the next one,
//! where a NAK would send the client back, or into a halt. A REQUEST for an address that we were never asked for, from INIT-REBOOT, waits instead.
//!
//! Nobody is asked about the address of a number (but where another machine may have it still: `contested.rs`, or a machine asks for a number that it was not offered), about one that is lent to the machine itself or was its own until just now, or twice within the
//! time that an offer stands.

use super::decision::Case;
use super::namesake;
use super::offer::make_offer;
use super::shared;
use super::silence;
use super::who::Meant;
use crate::cluster::answers_all;
use crate::cluster::network;
use crate::cluster::probe::Found;
use crate::config::Mode;
use crate::event::Kind;
use crate::hall::{Due, HeldBack, Turn};
use crate::limit::{ANSWERED_PER_HOST_MAX, LINGERS_MAX, PROBE_WAIT, QUARANTINE, TRIED_FURTHER_MAX};
use crate::load::Admission;
use crate::mac::Mac;
use crate::message::{Output, ProbeBy};
use crate::service::dhcp::client::Client;
use crate::time::Time;
use crate::wire::dhcp::Message;
use std::net::Ipv4Addr;

/// Until when the offer of this address waits for an answer; nothing if it need not.
pub(super) fn before_offer(turn: &mut Turn<'_>, client: &Client, address: Ipv4Addr) -> Option<Time> {
    let settings = &turn.config.networks[client.place];
    if !settings.probe || settings.numbering.number(address).is_some() {
        return None;
    }
    let is_lent = turn.hall.leases.get(address).is_some();
    if is_lent || turn.hall.heard.has(turn.now, client.mac, address) {
        return None;
    }
    match turn.hall.leases.closure(address) {
        Some(closure) if closure.probed == Some(client.mac) => return None,
        Some(closure) if closure.probed.is_some() => return Some(closure.until),
        Some(_) | None => {}
    }
    match turn.hall.probes.found(turn.now, address) {
        // For another one it was free: it may be that one's by now.
        Found::Free if turn.hall.probes.asked_for(address) == Some(client.mac) => None,
        Found::Asked(until) => Some(until),
        Found::Free | Found::Unknown | Found::Taken => ask(turn, client, address),
    }
}

/// Asks on a client's network who has an address, on its behalf: until when an answer is waited for. None: too many are asked for already.
pub(super) fn ask(turn: &mut Turn<'_>, client: &Client, address: Ipv4Addr) -> Option<Time> {
    let until = turn.hall.probes.begin(turn.now, address, client.mac)?;
    turn.hall.timers.arm(until, Due::Probe(address));
    turn.probe(client.place, address);
    Some(until)
}

/// The same for an ACK. What the client takes after an offer of ours was asked about before that, if need be by the server before a restart.
pub(super) fn before_ack(
    turn: &mut Turn<'_>,
    client: &Client,
    case: Case,
    address: Ipv4Addr,
) -> Option<Time> {
    match (case, turn.hall.probes.found(turn.now, address)) {
        (_, Found::Asked(until)) => Some(until),
        // It has the address, and would answer an echo itself.
        (Case::Renewing, Found::Free | Found::Unknown | Found::Taken)
            if !turn.config.networks[client.place].on_link =>
        {
            None
        }
        (Case::Selecting, Found::Free | Found::Unknown | Found::Taken) => None,
        (Case::AtOnce | Case::InitReboot | Case::Renewing, Found::Free | Found::Unknown | Found::Taken) => {
            before_offer(turn, client, address)
        }
    }
}

/// The same for an ACK that gives a free number to a machine that was not offered it: it remembers it, or wishes for it, and so may another one that has it still.
pub(super) fn before_number(
    turn: &mut Turn<'_>,
    client: &Client,
    case: Case,
    address: Ipv4Addr,
) -> Option<Time> {
    let settings = &turn.config.networks[client.place];
    let would_answer_itself = case == Case::Renewing && !settings.on_link;
    if !settings.probe || would_answer_itself || turn.hall.leases.offered(address) == Some(client.mac) {
        return None;
    }
    match turn.hall.probes.found(turn.now, address) {
        Found::Free if turn.hall.probes.asked_for(address) == Some(client.mac) => None,
        Found::Asked(until) => Some(until),
        Found::Free | Found::Unknown | Found::Taken => ask(turn, client, address),
    }
}

/// Somebody has an address that we were about to lend.
pub(crate) fn occupied(turn: &mut Turn<'_>, address: Ipv4Addr, mac: Option<Mac>) {
    if mac.is_some_and(|mac| turn.hall.answers_all.hear(turn.now, mac)) {
        return;
    }
    let asked_for = turn.hall.probes.asked_for(address);
    turn.hall.leases.confirm(address, mac);
    if namesake::answers(turn, address, mac) {
        return answer_deferred(turn, address);
    }
    let is_ours = turn.hall.leases.is_probed(address)
        || (asked_for.is_some() && turn.hall.leases.get(address).is_none());
    // The machine itself may well answer: its last system still runs beside the agent that asks.
    let identity = |mac: Option<Mac>| mac.map(|mac| turn.hall.nodes.identity(mac));
    if is_ours && mac.is_some() && identity(mac) == identity(asked_for) && is_for_a_number(turn, address) {
        return turn.hall.probes.its_own(address);
    }
    if !is_ours || (mac.is_some() && mac == asked_for) {
        return;
    }
    if is_for_a_number(turn, address) {
        return number_is_used(turn, address, mac);
    }
    if may_linger(turn, address, mac) {
        return;
    }
    if let Some(mac) = mac.filter(|mac| answers_for_too_many(turn, *mac)) {
        return believed_no_more(turn, mac);
    }
    let was_its_own =
        turn.hall.leases.closure(address).is_some_and(|closure| closure.probed == mac && mac.is_some());
    turn.hall.probes.forget(address);
    let until = turn.now + QUARANTINE;
    turn.hall.leases.quarantine(address, until, mac);
    turn.hall.timers.arm(until, Due::Address(address));
    let minutes = QUARANTINE.as_secs() / 60;
    let who = answerer(mac);
    let whose = match asked_for.filter(|_| turn.hall.reservations.has_address(address)) {
        Some(host) => format!("it is kept for {host}"),
        None if was_its_own => "its lease has ended".into(),
        None => "it is lent to nobody".into(),
    };
    let what = format!("{address} is used by {who} although {whose}: it is not lent for {minutes} minutes");
    turn.event(asked_for, Kind::Trouble, what);
    answer_deferred(turn, address);
    if let Some((mac, all)) = turn.hall.held_back.take_of(address) {
        all.into_iter().for_each(|held| offer_another(turn, mac, held));
    }
}

/// Whether it is asked for the address of a number that nobody has. One that was lent until now is asked about for its own sake.
fn is_for_a_number(turn: &Turn<'_>, address: Ipv4Addr) -> bool {
    turn.hall.probes.asked_for(address).is_some()
        && !turn.hall.leases.is_probed(address)
        && network::number_at(turn.config, address).is_some()
}

/// A machine asked for a free number that it was not offered, and another one answers for its address: it does not get that one, if it does not answer itself in a moment. Nothing is closed, as names and
/// addresses are arithmetic.
fn number_is_used(turn: &mut Turn<'_>, address: Ipv4Addr, by: Option<Mac>) {
    if turn.hall.probes.is_answered_for(address) {
        return;
    }
    if let Some(mac) = by.filter(|mac| answers_for_too_many(turn, *mac)) {
        return believed_no_more(turn, mac);
    }
    turn.hall.probes.answered(address, by);
}

/// Tells of an address that somebody asked for and does not get, as another machine uses it.
fn tell_used(turn: &mut Turn<'_>, address: Ipv4Addr) {
    let asked_for = turn.hall.probes.asked_for(address);
    let by = turn.hall.probes.answerer(address);
    let what = format!("{address} is used by {} although its number is nobody's", answerer(by));
    turn.event(asked_for, Kind::Trouble, what);
}

/// Whether a machine that answers for one more address has answered for more than any has.
fn answers_for_too_many(turn: &Turn<'_>, mac: Mac) -> bool {
    turn.hall.leases.answered_by(mac) + turn.hall.probes.answered_by(mac) >= ANSWERED_PER_HOST_MAX
}

/// Who answers for an address, in words.
fn answerer(mac: Option<Mac>) -> String {
    mac.map_or_else(|| "a host that answers ICMP echo".into(), |mac| mac.to_string())
}

/// Nobody has so many addresses of ours: whoever answers for all of them uses none. What waits for an address goes on as if nobody had answered.
fn believed_no_more(turn: &mut Turn<'_>, mac: Mac) {
    turn.hall.answers_all.insert(turn.now, mac);
    turn.hall.leases.open_answered_by(mac);
    turn.hall.probes.believed_no_more(mac);
    turn.event(None, Kind::Trouble, answers_all::told(mac));
}

/// Whether it is the machine whose lease has just ended, and whose system may take the address off in a moment; an echo does not say that it is not. It is asked again then, if nobody waits
/// for the address.
fn may_linger(turn: &mut Turn<'_>, address: Ipv4Addr, mac: Option<Mac>) -> bool {
    let is_awaited = turn.hall.deferred.contains_key(&address) || turn.hall.held_back.wait_for(address);
    let ask_again_at = turn.now + LINGERS_MAX;
    if is_awaited || !turn.hall.leases.linger(address, mac, ask_again_at, ask_again_at + PROBE_WAIT) {
        return false;
    }
    turn.hall.timers.arm(ask_again_at, Due::Address(address));
    true
}

/// Asks again for an address that was still answered for, if the time has come.
pub(crate) fn ask_again(turn: &mut Turn<'_>, address: Ipv4Addr) {
    if turn.hall.leases.asks_again(turn.now, address)
        && let Some(pool) = turn.hall.leases.pool_of(address)
    {
        turn.probe(pool.network, address);
    }
}

/// Time has passed over a probe: what waited for it goes on.
pub(crate) fn expire(turn: &mut Turn<'_>, address: Ipv4Addr) {
    if let Some(again) = turn.hall.probes.expire(turn.now, address) {
        turn.hall.timers.arm(again, Due::Probe(address));
    }
    match turn.hall.probes.found(turn.now, address) {
        Found::Asked(_) => return,
        Found::Taken if turn.hall.deferred.contains_key(&address) && is_for_a_number(turn, address) => {
            tell_used(turn, address);
        }
        Found::Taken | Found::Free | Found::Unknown => {}
    }
    answer_deferred(turn, address);
}

/// Somebody asked for an address while it was probed: that is over.
pub(crate) fn answer_deferred(turn: &mut Turn<'_>, address: Ipv4Addr) {
    for deferred in turn.hall.deferred.remove(&address).unwrap_or_default() {
        super::handle(turn, deferred.datagram());
    }
}

/// The address that a client was to be offered is taken: it is offered the next one, if not too many were tried for this DISCOVER.
fn offer_another(turn: &mut Turn<'_>, mac: Mac, held: HeldBack) {
    if held.tried >= TRIED_FURTHER_MAX {
        return;
    }
    let datagram = held.asked.datagram();
    // It was understood before; since then the configuration may have changed.
    let Ok(message) = Message::parse(datagram.payload) else { return };
    let Ok(mut client) = Client::read(turn.config, datagram, message) else { return };
    client.meant = Meant::find(turn, &client);
    shared::settle(turn, &mut client);
    if client.meant.ignored_by(turn).is_some()
        || client.mode != Mode::Serve
        || silence::turn_away(turn, &client)
    {
        return;
    }
    let is_node = client.meant.host(turn).is_none() && turn.hall.nodes.node(client.mac).is_some();
    make_offer(turn, &client, is_node, Admission::Now, datagram);
    if let Some(next) = turn.hall.held_back.last_mut(mac) {
        next.tried = held.tried + 1;
    }
}

impl Turn<'_> {
    /// Asks who has an address of a network: on its link by ARP, elsewhere by ICMP echo.
    pub(crate) fn probe(&mut self, place: usize, address: Ipv4Addr) {
        let Some(settings) = self.config.networks.get(place) else { return };
        let by = if settings.on_link { ProbeBy::Arp } else { ProbeBy::Echo };
        self.out.push(Output::Probe { interface: settings.interface.clone(), address, by });
    }
}
