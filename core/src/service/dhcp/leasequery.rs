//! Leasequery (RFC 4388): relays that guard their ports ask who has which address. What they hear is what the table of nodes and the leases say now.

use super::client::our_address;
use super::decision::is_ours;
use super::renewal;
use crate::cluster::stage::Stage;
use crate::config::Mode;
use crate::hall::Turn;
use crate::mac::Mac;
use crate::message::{Datagram, DhcpSend, DhcpTarget, Output};
use crate::time::Time;
use crate::wire::dhcp::infiniband::port_guid;
use crate::wire::dhcp::{Message, Op, Options, option};
use std::net::{Ipv4Addr, SocketAddrV4};

/// The question among the types of option 53.
pub(super) const LEASEQUERY: u8 = 10;

/// The answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    /// The address is ours to give, and nobody has it.
    Unassigned = 11,
    /// Nothing is known here of the address or the client.
    Unknown = 12,
    /// The client has the address.
    Active = 13,
}

/// What is asked for (RFC 4388 6.2): one of the three, the others are empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subject<'a> {
    Address(Ipv4Addr),
    Identifier(&'a [u8]),
    Machine(Mac),
}

/// An address that somebody has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Active {
    address: Ipv4Addr,
    mac: Mac,
    place: usize,
    /// Until when, unless it is for good.
    until: Option<Time>,
}

const SERVER_PORT: u16 = 67;

/// What fits into any frame: the answer goes to a router.
const OCTETS_MAX: usize = 1472;

/// Takes a question. Whoever may not ask, or asks too often, gets no answer, and is counted.
pub(super) fn handle(turn: &mut Turn<'_>, datagram: Datagram<'_>, query: &Message) {
    let Some(subject) = subject(query) else { return turn.malformed("dhcp-leasequery") };
    let asker = if query.giaddr.is_unspecified() { *datagram.source.ip() } else { query.giaddr };
    let may_ask = |place: usize| {
        let settings = &turn.config.networks[place];
        // Where another server gives the addresses, it is asked.
        if settings.mode != Mode::Serve {
            return false;
        }
        // The answer goes to the address that a relay gives for itself: no other host can get at it by giving that.
        let is_relay = !query.giaddr.is_unspecified() && settings.contains(query.giaddr);
        is_relay || settings.leasequery.contains(&asker)
    };
    let places: Vec<_> = (0..turn.config.networks.len()).filter(|place| may_ask(*place)).collect();
    let Some(first) = places.first().copied() else { return turn.malformed("dhcp-leasequery-refused") };
    if !turn.hall.heard.may_answer(turn.now) {
        return turn.malformed("dhcp-leasequery-rate");
    }
    let (answer, found) = answer(turn, subject, &places);
    let broadcast = datagram.destination.is_broadcast();
    let server = if broadcast { our_address(turn.config, datagram, first) } else { datagram.destination };
    let message = reply(turn, query, server, subject, answer, &found);
    let target = match query.giaddr.is_unspecified() {
        true => datagram.source,
        false => SocketAddrV4::new(query.giaddr, SERVER_PORT), // RFC 4388 6.3
    };
    turn.out.push(Output::Dhcp(DhcpSend {
        interface: datagram.interface.into(),
        source: server,
        target: DhcpTarget::Address(target),
        payload: message.write(OCTETS_MAX),
    }));
}

/// RFC 4388 6.2: an address in ciaddr, or else a client identifier, or else a hardware address.
fn subject(query: &Message) -> Option<Subject<'_>> {
    if !query.ciaddr.is_unspecified() {
        return Some(Subject::Address(query.ciaddr));
    }
    let identifier = query.options.get(option::CLIENT_IDENTIFIER).filter(|identifier| !identifier.is_empty());
    identifier.map(Subject::Identifier).or_else(|| query.identity().ok().map(Subject::Machine))
}

/// What is known of these networks. The address that was used last comes first.
fn answer(turn: &Turn<'_>, subject: Subject<'_>, places: &[usize]) -> (Answer, Vec<Active>) {
    let mac = match subject {
        Subject::Address(address) => {
            let is_asked = |place: &&usize| turn.config.networks[**place].contains(address);
            let Some(place) = places.iter().find(is_asked) else { return (Answer::Unknown, Vec::new()) };
            let holder = turn.machine_at(address).or_else(|| turn.hall.heard.by_address(address));
            let found = holder
                .and_then(|mac| all_of(turn, mac, &[*place]).into_iter().find(|a| a.address == address));
            return match found {
                Some(active) => (Answer::Active, vec![active]),
                None if is_ours(turn, address) => (Answer::Unassigned, Vec::new()),
                None => (Answer::Unknown, Vec::new()),
            };
        }
        Subject::Machine(mac) => Some(mac),
        Subject::Identifier(identifier) => {
            turn.hall.heard.by_identifier(identifier).or_else(|| by_hardware(identifier))
        }
    };
    let found = mac.map(|mac| all_of(turn, mac, places)).unwrap_or_default();
    let answer = if found.is_empty() { Answer::Unknown } else { Answer::Active };
    (answer, found)
}

/// The machine of an identifier that says its hardware address (RFC 2132 9.14; RFC 4390).
fn by_hardware(identifier: &[u8]) -> Option<Mac> {
    match identifier {
        [1, mac @ ..] => mac.try_into().ok().map(Mac),
        _ => port_guid(identifier).map(Mac::of_port),
    }
}

/// All that a machine has on these networks: what it was lent, and the address of its number. The last granted comes first.
fn all_of(turn: &Turn<'_>, mac: Mac, places: &[usize]) -> Vec<Active> {
    let node = turn.hall.nodes.get(mac);
    let macs = node.map_or_else(|| vec![mac], |node| [&[node.mac][..], &node.further_macs].concat());
    let lent =
        macs.iter().flat_map(|mac| turn.hall.leases.of(*mac).map(|(address, lease)| (*mac, address, lease)));
    let lent = lent.filter(|(_, _, lease)| lease.recorded && places.contains(&lease.pool.network));
    let mut all: Vec<_> = lent
        .map(|(mac, address, lease)| Active {
            address,
            mac,
            place: lease.pool.network,
            // Firmware never renews: when its lease is over, the address is its own for a while yet.
            until: Some(if lease.until > turn.now { lease.until } else { lease.held_until() }),
        })
        .collect();
    let is_there = |stage: Stage| matches!(stage, Stage::Ready | Stage::Booting | Stage::Up);
    let own = node.filter(|node| is_there(node.stage)).and_then(|node| {
        let place = node.network.filter(|place| places.contains(place))?;
        let address = turn.permanent_address(node.mac, place)?;
        let granted = node.grants.at(turn.now, address);
        // It may be on this network by another of its adapters.
        let heard = |mac: &&Mac| turn.hall.heard.get(**mac).map(|said| said.at);
        let mac = granted.map(|granted| granted.card).filter(|card| macs.contains(card));
        let mac = mac.or_else(|| macs.iter().max_by_key(heard).copied()).unwrap_or(node.mac);
        Some(Active { address, mac, place, until: granted.and_then(|granted| granted.until) })
    });
    all.extend(own);
    let kept = turn.hall.heard.get(mac).and_then(|said| said.granted);
    let in_which =
        |address: Ipv4Addr| places.iter().find(|place| turn.config.networks[**place].contains(address));
    let kept = kept.and_then(|(address, until)| {
        Some(Active { address, mac, place: *in_which(address)?, until: Some(until) })
    });
    all.extend(kept);
    all.retain(|active| active.until.is_none_or(|until| until > turn.now));
    all.sort_by_key(|active| std::cmp::Reverse(active.until));
    // A permanent address goes before a temporary one that is about to be given up.
    all.sort_by_key(|active| turn.config.networks[active.place].numbering.number(active.address).is_none());
    all
}

fn reply(
    turn: &Turn<'_>,
    query: &Message,
    server: Ipv4Addr,
    subject: Subject<'_>,
    answer: Answer,
    found: &[Active],
) -> Message {
    let none = Ipv4Addr::UNSPECIFIED;
    let mut message = Message {
        op: Op::BootReply,
        hops: 0,
        secs: 0,
        broadcast: false,
        yiaddr: none,
        siaddr: none,
        sname: Vec::new(),
        file: Vec::new(),
        options: Options::default(),
        // RFC 4388 6.4: what was asked for comes back in any case.
        ..query.clone()
    };
    let options = &mut message.options;
    options.set(option::MESSAGE_TYPE, [answer as u8]);
    options.set(option::SERVER_IDENTIFIER, server.octets());
    if let Subject::Identifier(identifier) = subject {
        options.set(option::CLIENT_IDENTIFIER, identifier);
    }
    if let Some((first, others)) = found.split_first() {
        tell(turn, query, &mut message, *first, others);
    }
    message
}

/// What is known of the client that has an address (RFC 4388 6.4.2): its address and hardware address in any case, of the rest what the question lists.
fn tell(turn: &Turn<'_>, query: &Message, message: &mut Message, active: Active, others: &[Active]) {
    let asked = query.options.get(option::PARAMETER_LIST);
    let wants = |code: u8| asked.is_none_or(|asked| asked.contains(&code));
    let said = turn.hall.heard.get(active.mac);
    message.ciaddr = active.address;
    let identifier = said.and_then(|said| said.identifier.as_deref());
    let is_infiniband = identifier.and_then(port_guid).map(Mac::of_port) == Some(active.mac);
    (message.htype, message.hlen) = if is_infiniband { (32, 0) } else { (1, 6) };
    message.chaddr = [0; 16];
    if !is_infiniband {
        message.chaddr[..6].copy_from_slice(&active.mac.0);
    }
    let options = &mut message.options;
    if let Some(identifier) = identifier {
        options.set(option::CLIENT_IDENTIFIER, identifier);
    }
    let seconds = |duration: std::time::Duration| u32::try_from(duration.as_secs()).unwrap_or(u32::MAX);
    if let Some(until) = active.until {
        let left = seconds(until.since(turn.now));
        for (code, left) in times_left(turn, active, left) {
            if wants(code) {
                options.set(code, left.to_be_bytes());
            }
        }
    }
    if let Some(said) = said.filter(|_| wants(option::CLIENT_LAST_TRANSACTION_TIME)) {
        let ago = seconds(turn.now.since(said.at));
        options.set(option::CLIENT_LAST_TRANSACTION_TIME, ago.to_be_bytes());
    }
    if !others.is_empty() && wants(option::ASSOCIATED_IP) {
        let addresses = others.iter().flat_map(|other| other.address.octets());
        options.set(option::ASSOCIATED_IP, addresses.collect::<Vec<u8>>());
    }
    let is_node = turn.hall.nodes.node(active.mac).is_some();
    let relay = said.and_then(|said| said.relay_of(is_node));
    if let Some(relay) = relay.filter(|_| wants(option::RELAY_AGENT)) {
        options.set(option::RELAY_AGENT, relay);
    }
}

/// What is left of the lease, and until T1 and T2 unless they are over. Who keeps its address for longer than its lease has neither.
fn times_left(turn: &Turn<'_>, active: Active, left: u32) -> Vec<(u8, u32)> {
    let settings = &turn.config.networks[active.place];
    let is_guest = settings.guests.is_some_and(|guests| guests.contains(active.address));
    let host = turn.hall.reservations.host_at(active.address).and_then(|place| turn.config.hosts.get(place));
    let lease = match () {
        () if settings.numbering.number(active.address).is_some() => Some(settings.lease),
        () if settings.temporary.contains(active.address) => Some(settings.temporary_lease),
        () if is_guest => Some(settings.guest_lease),
        () => host.map(|host| host.lease.unwrap_or(settings.lease)),
    };
    let lease = lease.and_then(|lease| u32::try_from(lease.as_secs()).ok()).filter(|lease| left <= *lease);
    let later = lease.map(|lease| {
        let (renews, rebinds) = renewal::times(lease, active.mac);
        let until = |time: u32| left.checked_sub(lease - time).filter(|left| *left > 0);
        [(option::T1, until(renews)), (option::T2, until(rebinds))]
    });
    let later = later.into_iter().flatten().filter_map(|(code, left)| Some((code, left?)));
    std::iter::once((option::LEASE_TIME, left)).chain(later).collect()
}
