//! Who is known without being a node that was heard: listed nodes that have not asked yet, whom the operator has us ignore, guests, and `[[host]]`s.

use super::typed;
use super::unanswered::{self, asked, explained, network, nobody};
use super::unheard::{ON_THE_WAY, deaf_at, place_of};
use crate::cluster::lease::{Lease, PoolKind};
use crate::cluster::network::number_at;
use crate::cluster::node::{Node, Trouble};
use crate::cluster::reservation::Entry;
use crate::cluster::stage::Stage;
use crate::cluster::unanswered::Host as Asker;
use crate::config::{Host, ListedNode, Mode};
use crate::hall::Turn;
use crate::mac::Mac;
use crate::service::view::{ExplainView, NodeDetailView, NodeView};
use crate::time::{Wall, span};
use crate::wire::dhcp::relay;
use std::net::Ipv4Addr;
use std::time::Duration;

/// What is known of a name, a number, an address or a hardware address that is no node's which was heard.
pub(super) fn explain(turn: &Turn<'_>, wall: Wall, name: &str) -> Option<ExplainView> {
    let who = Who::find(turn, name);
    let listed = who.listed.and_then(|place| turn.config.nodes.get(place));
    let host = who.host.and_then(|place| turn.config.hosts.get(place));
    let of_reservation =
        host.into_iter().flat_map(|host| host.macs.iter().filter_map(|pattern| pattern.mac()));
    let of_list = listed.into_iter().flat_map(|listed| listed.macs.iter().copied());
    let mut macs = who.mac.into_iter().chain(of_list).chain(of_reservation);
    let ignored = macs.clone().find_map(|mac| Some((mac, turn.hall.ignored.get(mac)?)));
    if let Some(asker) = ignored {
        return Some(of_ignored(turn, wall, "ignored", asker, listed));
    }
    if let Some(asker) = macs.find_map(|mac| Some((mac, nowhere(turn, mac)?))) {
        return Some(of_ignored(turn, wall, "unanswered", asker, listed));
    }
    if let Some(view) = who.mac.and_then(|mac| unanswered::explain(turn, wall, mac)) {
        return Some(view);
    }
    if let Some((address, lease)) =
        who.address.and_then(|address| Some((address, turn.hall.leases.get(address)?)))
    {
        return Some(of_guest(turn, wall, address, lease));
    }
    host.map(|host| of_host(turn, wall, who.mac, host)).or_else(|| Some(of_listed(turn, wall, listed?)))
}

/// `node show` of the same.
pub(super) fn show(turn: &Turn<'_>, wall: Wall, name: &str) -> Option<NodeDetailView> {
    let node = explain(turn, wall, name)?.node;
    let listed = Who::find(turn, name).listed.and_then(|place| turn.config.nodes.get(place));
    Some(NodeDetailView {
        node,
        further_macs: listed
            .iter()
            .flat_map(|listed| listed.macs.iter().skip(1))
            .map(Mac::to_string)
            .collect(),
        facts: serde_json::Map::new(),
        boot_profile: None,
        attributes: listed.map(|listed| listed.attributes.clone()).unwrap_or_default(),
        lacks: None,
        trials: Vec::new(),
        last_end: None,
    })
}

/// The place in the configuration of a `[[node]]` that is no node's which was heard.
pub(super) fn listed(turn: &Turn<'_>, name: &str) -> Option<usize> {
    Who::find(turn, name).listed
}

/// Who was heard last where none of the networks is.
fn nowhere<'t>(turn: &'t Turn<'_>, mac: Mac) -> Option<&'t Asker> {
    turn.hall.unanswered.get(mac).filter(|asker| asker.why.is_nowhere())
}

/// Whether a machine that is no node was heard as a guest or host, or has what those have.
pub(super) fn is_guest(turn: &Turn<'_>, node: &Node) -> bool {
    let has_address = turn.hall.leases.of(node.mac).next().is_some();
    // Of who is denied nothing is kept but what he asked.
    let was_heard = node.asked.is_some() || turn.hall.heard.get(node.mac).is_some();
    node.is_only_named() && (has_address || was_heard || turn.host_of(node.mac, relay::place).is_some())
}

/// That a node gets no answer although it is known: it was not ignored from the first, or not whatever it says, or it is where no network is. Who is answered is forgotten among those.
pub(super) fn ignored(turn: &Turn<'_>, node: &Node) -> Option<Trouble> {
    let macs = [node.mac].into_iter().chain(node.further_macs.iter().copied());
    let askers = macs.flat_map(|mac| [turn.hall.ignored.get(mac), nowhere(turn, mac)]);
    // By another card, or by another relay, it may have been heard since.
    let heard = node.cards().filter_map(|card| turn.hall.heard.get(card)).map(|said| said.at).max();
    let askers = askers.flatten().filter(|asker| heard.is_none_or(|heard| asker.last >= heard));
    // What it asked before it came to where it is, it does not wait for; and one that is up may have a further network, which is another server's.
    let is_elsewhere = |asker: &&Asker| node.stage == Stage::Up && asker.why.is_nowhere();
    let askers = askers.filter(|asker| asker.last >= node.since.at() && !is_elsewhere(asker));
    let asker = askers.max_by_key(|asker| asker.last)?;
    let Trouble { what, to_do } = turn.no_address(asker.place, asker.why);
    Some(Trouble { what: format!("{}, and got no answer: {what}", asked(turn, asker)), to_do })
}

/// Whom somebody means.
#[derive(Debug, Default)]
struct Who {
    mac: Option<Mac>,
    /// An address that is lent to a host that is no node.
    address: Option<Ipv4Addr>,
    /// Places in the configuration.
    host: Option<usize>,
    listed: Option<usize>,
}

impl Who {
    fn find(turn: &Turn<'_>, name: &str) -> Self {
        let hosts = &turn.config.hosts;
        let with_number = |number| turn.hall.listed.place_with_number(number);
        if let Some(mac) = typed::mac(turn, name) {
            let (host, listed) = match turn.entry_of(mac, relay::place) {
                Some(Entry::Host(place)) => (Some(place), None),
                Some(Entry::Node(place)) => (None, Some(place)),
                None => (None, turn.hall.listed.place(mac)),
            };
            let address = turn.hall.leases.of(mac).map(|(address, _)| address).next();
            return Self { mac: Some(mac), address, host, listed };
        }
        if let Ok(address) = name.parse::<Ipv4Addr>() {
            let lent = turn.hall.leases.get(address).map(|lease| lease.mac);
            return Self {
                mac: lent.or_else(|| turn.hall.heard.by_address(address)),
                address: lent.map(|_| address),
                host: turn.hall.reservations.host_at(address),
                listed: number_at(turn.config, address).and_then(with_number),
            };
        }
        let label = &*typed::label(turn, name);
        let number = name.parse().ok().or_else(|| turn.hall.directory.number(label));
        let host = hosts.iter().position(|host| host.name.as_deref() == Some(label));
        let at = host.and_then(|place| hosts[place].address);
        let address = turn.hall.naming.address(label);
        let lent = address.and_then(|address| turn.hall.leases.get(address)).map(|lease| lease.mac);
        Self {
            mac: lent.or_else(|| turn.hall.heard.by_address(at?)),
            address,
            host,
            listed: number.and_then(with_number),
        }
    }
}

fn of_ignored(
    turn: &Turn<'_>,
    wall: Wall,
    state: &str,
    (mac, asker): (Mac, &Asker),
    listed: Option<&ListedNode>,
) -> ExplainView {
    let Trouble { what, to_do } = turn.no_address(asker.place, asker.why);
    let view = NodeView {
        network: network(turn, asker.place),
        since: wall.stamp(turn.now, asker.first),
        reason: what.clone(),
        ..row(turn, mac.to_string(), state, listed)
    };
    let who = view.name.clone().map(|name| format!("{name} ({mac})")).unwrap_or_else(|| mac.to_string());
    let summary = format!("{who} gets no answer: {what}; {}", asked(turn, asker));
    ExplainView { to_do, ..explained(view, summary) }
}

fn of_guest(turn: &Turn<'_>, wall: Wall, address: Ipv4Addr, lease: &Lease) -> ExplainView {
    let name = turn.hall.naming.name(address);
    let called = name.map(|name| format!(", and is called {name}")).unwrap_or_default();
    let (left, until) = (span(lease.until.since(turn.now)), wall.stamp(turn.now, lease.until));
    let heard = turn.hall.heard.get(lease.mac).map(|said| said.at).max(lease.heard_since(turn.hall.started));
    let (is_former_host, host) = (turn.is_former_host(lease.mac), turn.host_of(lease.mac, relay::place));
    let host = host.and_then(|host| host.address).filter(|_| is_former_host);
    let what = match lease.pool.kind {
        PoolKind::Guest => "a guest",
        PoolKind::Number if host.is_some() => "a [[host]] and no node",
        PoolKind::Number if is_former_host => "no [[host]] any more",
        PoolKind::Temporary | PoolKind::Number => "no node any more",
        PoolKind::Elsewhere => "no node, and was served by another server",
    };
    let is_over = lease.until <= turn.now;
    let how_long =
        if is_over { "for a time that is over".into() } else { format!("until {until}, {left} from now") };
    let (waits, to_do) = turn.waits_as_host(lease.mac, host);
    let reason = format!("{address} is lent to it {how_long}{waits}");
    let in_vain = turn.called_in_vain(lease.mac, address).map(|said| format!("; {said}"));
    let view = NodeView {
        name: name.map(str::to_owned),
        temporary_address: Some(address),
        network: network(turn, lease.pool.network),
        since: wall.stamp(turn.now, heard.unwrap_or(turn.hall.started)),
        reason: reason.clone(),
        ..nobody(lease.mac.to_string(), "guest")
    };
    let mac = lease.mac;
    let heard = match heard {
        Some(heard) => format!("it was last heard {} ago", span(turn.now.since(heard))),
        None => format!("it was not heard {}", since(turn, wall)),
    };
    let summary = format!("{mac} is {what}: {reason}{called}{}; {heard}", in_vain.unwrap_or_default());
    ExplainView { to_do, ..explained(view, summary) }
}

fn of_host(turn: &Turn<'_>, wall: Wall, mac: Option<Mac>, host: &Host) -> ExplainView {
    let exact = || host.macs.iter().find_map(|pattern| pattern.mac());
    let mac = mac.or_else(exact);
    let said = mac.and_then(|mac| turn.hall.heard.get(mac));
    let granted = said.and_then(|said| said.granted).filter(|(address, _)| Some(*address) == host.address);
    let who = host.name.clone().or_else(|| Some(mac?.to_string())).unwrap_or_else(|| "it".into());
    let reason = match (host.address, granted, said) {
        (Some(address), Some((_, until)), _) if until > turn.now => {
            format!("it has {address} until {}", wall.stamp(turn.now, until))
        }
        (Some(address), Some((_, until)), _) => {
            format!("it had {address} until {}", wall.stamp(turn.now, until))
        }
        (Some(address), None, None) => {
            format!("{address} is kept for it, and it has not asked {}", since(turn, wall))
        }
        (Some(address), None, Some(_)) => format!("{address} is kept for it, and it has not taken it"),
        (None, _, None) if host.ignore => {
            format!("it is to be ignored, and it has not asked {}", since(turn, wall))
        }
        (None, _, None) => format!("it has not asked {}", since(turn, wall)),
        (None, _, Some(_)) => "it has no address now".into(),
    };
    let heard = said.map(|said| format!("; it was last heard {} ago", span(turn.now.since(said.at))));
    let view = NodeView {
        name: host.name.clone(),
        address: host.address,
        since: wall.stamp(turn.now, said.map_or(turn.hall.started, |said| said.at)),
        reason: reason.clone(),
        ..nobody(mac.map(|mac| mac.to_string()).unwrap_or_default(), "host")
    };
    explained(view, format!("{who} is a [[host]] and no node: {reason}{}", heard.unwrap_or_default()))
}

fn of_listed(turn: &Turn<'_>, wall: Wall, listed: &ListedNode) -> ExplainView {
    /// Who was heard so long ago may be off by now.
    const HEARD_LATELY: Duration = Duration::from_secs(300);
    let mac = listed.macs.first().map(Mac::to_string);
    let said = listed.macs.iter().filter_map(|mac| turn.hall.heard.get(*mac)).max_by_key(|said| said.at);
    let heard_at = || {
        let ours = said?.placed?;
        turn.config.networks.iter().position(|network| network.address == ours)
    };
    let place = listed.number.and_then(|number| place_of(turn, number)).or_else(heard_at);
    let is_served = place.is_none_or(|place| turn.config.networks[place].mode == Mode::Serve);
    let for_what = match said {
        None => "",
        // Who has his address by other means asks for the rest alone (RFC 2131 4.3.5).
        Some(_) if is_served => " for an address",
        // Its system asks the other server for one.
        Some(_) => " to boot from the network",
    };
    let reason = format!("the configuration lists it, and it has not asked{for_what} {}", since(turn, wall));
    let view = NodeView {
        since: wall.stamp(turn.now, turn.hall.started),
        reason: reason.clone(),
        waiting_for: Some("its firmware to ask for an address".into()),
        ..row(turn, mac.clone().unwrap_or_default(), "listed", Some(listed))
    };
    let who = view.name.clone().or(mac).unwrap_or_else(|| "it".into());
    if let Some(said) = said {
        let ago = turn.now.since(said.at);
        let summary = format!("{who} was heard {} ago, and has no address from here: {reason}", span(ago));
        let to_do = (!is_served || ago >= HEARD_LATELY).then(|| {
            "if it is to boot from the network, look at its boot order, and switch it off and on".into()
        });
        return ExplainView { to_do, ..explained(view, summary) };
    }
    let to_do = format!(
        "switch it on; if it is on, see that [[node]] has its hardware address (a new board has another one), and look at {ON_THE_WAY}"
    );
    let interface = place.map(|place| network(turn, place));
    let deaf = interface.and_then(|interface| deaf_at(turn, wall, &interface));
    let deaf = deaf.map(|deaf| format!("; {deaf}")).unwrap_or_default();
    ExplainView { to_do: Some(to_do), ..explained(view, format!("{who} was not heard: {reason}{deaf}")) }
}

/// A row, with what the list says of it.
fn row(turn: &Turn<'_>, mac: String, state: &str, listed: Option<&ListedNode>) -> NodeView {
    let number = listed.and_then(|listed| listed.number);
    let of_number =
        |number| turn.config.networks.iter().find_map(|network| network.numbering.address(number));
    let place =
        || turn.config.nodes.iter().position(|other| listed.is_some_and(|it| std::ptr::eq(it, other)));
    let profile = match number {
        Some(number) => Some(turn.config.profile_of_number(number, place()).to_owned()),
        None => listed.and_then(|listed| listed.profile.clone()),
    };
    NodeView {
        number,
        name: number.map(|number| turn.name(number)),
        address: number.and_then(of_number),
        profile: profile.unwrap_or_default(),
        ..nobody(mac, state)
    }
}

/// What is known of who was heard begins with this process, but for nodes.
pub(super) fn since(turn: &Turn<'_>, wall: Wall) -> String {
    format!("since this server started, at {}", wall.stamp(turn.now, turn.hall.started))
}
