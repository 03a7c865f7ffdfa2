//! What a client gets that wants an address. To do it is the affair of [`ack`](super::ack).

use super::choice::{claimed_address, is_meant, is_numbered_at_request};
use super::client::Client;
use super::who;
use crate::cluster::lease::{NotFree, PoolId, PoolKind};
use crate::cluster::network;
use crate::config::{Mode, Network};
use crate::hall::Turn;
use std::net::Ipv4Addr;
use std::time::Duration;

/// In which state of RFC 2131 4.4 the client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    Selecting,
    /// Of a DISCOVER that is answered by an ACK (RFC 4039), and of BOOTP: nobody has offered anything.
    AtOnce,
    InitReboot,
    /// RENEWING or REBINDING: to the server, the same.
    Renewing,
}

/// What a REQUEST gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// An ACK: the address is the machine's by its number.
    Known(Duration),
    /// An ACK, as soon as it is known that nobody else has the address: it is kept for the host.
    Reserved(Duration),
    /// An ACK: the address is lent to it.
    Renewed(Duration),
    /// An ACK: it has the address by the number that it had before, and what it is to have is not to be had yet.
    Former(Duration),
    /// An ACK as soon as the loan is recorded.
    New(PoolId, Duration),
    /// An ACK as soon as the number is recorded.
    Number(u32, Duration),
    /// A NAK: we are authoritative for the address, and it is not the client's.
    No,
    /// Its ACK waits for a record that is under way: where this came by another way, another ACK does.
    UnderWay(Duration),
    /// Nothing yet: whether the address is free will be known in a moment.
    Later,
    /// Nothing: the address is not ours to judge.
    Silence,
}

/// Decides on a client's wish. Nothing is changed by it but what the search for free numbers remembers.
pub(super) fn decide(
    turn: &mut Turn<'_>,
    client: &Client,
    case: Case,
    address: Ipv4Addr,
    is_node: bool,
) -> Decision {
    if case == Case::Renewing && who::lacks_its_relay(turn, client, address) {
        return Decision::Silence;
    }
    let settings = &turn.config.networks[client.place];
    let permanent = turn.permanent_address(client.mac, client.place);
    // What a host uses already it may go on to use, whoever else was found there: it is the operator who says whose the address is. What it has declined it uses no more.
    let reserved = match case {
        Case::Selecting | Case::AtOnce | Case::InitReboot => who::reserved(turn, client),
        Case::Renewing => {
            who::kept(turn, client).filter(|(address, _)| !who::declined(turn, client, *address))
        }
    };
    match reserved {
        Some((reserved, lease)) if reserved == address && case == Case::Renewing => {
            return Decision::Known(lease);
        }
        Some((reserved, lease)) if reserved == address => return Decision::Reserved(lease),
        Some(_) | None if permanent == Some(address) => return Decision::Known(settings.lease),
        Some(_) | None => {}
    }
    let permanent = permanent.or_else(|| reserved.map(|(address, _)| address));
    let number = turn.hall.nodes.get(client.mac).and_then(|node| node.number);
    let has_number_here = number.is_some_and(|number| settings.numbering.address(number).is_some());
    let has_host_here = who::has_one_kept(turn, client);
    // "No record of this client": then "it MUST remain silent" (RFC 2131 4.3.2), as another server may have one.
    let is_known = has_number_here || has_host_here || has_loan_here(turn, client);
    // "The client's notion of its IP address is not correct" (RFC 2131 3.2): ours to say for our own ranges alone. There also to whom we have "no record of" and "MUST remain silent" about, by the letter
    // (RFC 2131 4.3.2): that is for servers that share a link without speaking with each other. In our ranges nobody else gives addresses, and a machine that waits in silence boots a minute later.
    let refusal = match case {
        Case::Selecting | Case::AtOnce => Decision::No,
        Case::InitReboot | Case::Renewing if is_ours(turn, address) => Decision::No,
        // We know this client, and that it is to have another address on this very network. A host may have chosen another server that is allowed beside us.
        Case::InitReboot | Case::Renewing
            if settings.contains(address)
                && (has_number_here || (has_host_here && is_link_ours(turn, client))) =>
        {
            Decision::No
        }
        // "On the wrong network": "the server SHOULD send a DHCPNAK" (RFC 2131 4.3.2). Its network had other addresses once, or it comes from elsewhere.
        Case::InitReboot if is_known && is_of_no_server(turn, client, case, address) => Decision::No,
        Case::Renewing if has_number_here && is_of_no_server(turn, client, case, address) => Decision::No,
        // It is to have another one here, or was lent one, and nobody else lends any on this link: also where it was moved from another network of the link.
        Case::InitReboot
            if is_known && is_on_its_link(turn, client, address) && is_link_ours(turn, client) =>
        {
            Decision::No
        }
        // A stranger who had it from us, where it was before.
        Case::InitReboot if is_node || settings.guests.is_some() => {
            let is_from_us = comes_from_us(turn, client, address) && is_link_ours(turn, client);
            if is_from_us { Decision::No } else { Decision::Silence }
        }
        Case::InitReboot | Case::Renewing => Decision::Silence,
    };
    let kind = if is_node { PoolKind::Temporary } else { PoolKind::Guest };
    let lease = if is_node { settings.temporary_lease } else { who::guest_lease(turn, client) };
    if let Some(lent) = turn.hall.leases.get(address) {
        // Where it was not known by which of its cards a machine has it, it is by the one that renews it.
        let is_its = turn.hall.nodes.identity(lent.mac) == turn.hall.nodes.identity(client.mac);
        let is_former = lent.pool.kind == PoolKind::Number && is_its;
        let was_host = is_former && turn.hall.tenants.was(address, lent.mac);
        let goes_on = if turn.hall.nodes.node(client.mac).is_some() && !was_host {
            Some(settings.lease)
        } else {
            // What a host is to have instead is another one's still.
            who::waits_for(turn, client).map(|(_, lease)| lease)
        };
        if let Some(lease) = goes_on.filter(|_| is_former && permanent.is_none() && case == Case::Renewing) {
            return Decision::Former(lease);
        }
        let moves_on = permanent.is_some() && case == Case::InitReboot;
        return match () {
            // We know this client, and that the address is kept for it no more.
            () if was_host && lent.pool.network == client.place => Decision::No,
            () if lent.mac != client.mac || lent.pool.network != client.place || lent.pool.kind != kind => {
                refusal
            }
            // As long as it has nothing else here, it goes on.
            () if (lent.superseded && permanent.is_some()) || moves_on => refusal,
            // It was lent where it is not ours to lend any more, and to this very client.
            () if turn.hall.leases.is_stranded(address) => Decision::No,
            // Its record is under way, and its ACK will follow.
            () if !lent.recorded => Decision::UnderWay(lent.length),
            () => Decision::Renewed(lease),
        };
    }
    if let Some(number) = settings.numbering.number(address) {
        let offered = turn.hall.leases.offered(address);
        let to_another = offered.is_some_and(|mac| mac != client.mac);
        let is_claimed = turn.hall.nodes.get(client.mac).is_some_and(|node| node.promised() == Some(number));
        let is_free = turn.hall.nodes.holder(number).is_none() && !to_another;
        let is_meant = is_meant(turn, client, number);
        let has_another = case == Case::Selecting && offered != Some(client.mac);
        let is_anothers =
            is_used_by_another(turn, client, case, address) || (has_another && has_other_offer(turn, client));
        return match () {
            () if is_claimed => Decision::UnderWay(settings.lease),
            () if is_anothers => refusal,
            () if is_node && is_free && is_meant && is_numbered_at_request(turn, client) => {
                Decision::Number(number, settings.lease)
            }
            () => refusal,
        };
    }
    // A machine with a number does not get a second temporary address; without an offer that we remember, a free one is as good as offered.
    let pool = PoolId { network: client.place, kind };
    let has_other = turn.hall.leases.borrowed(client.mac, pool).is_some();
    let will_have_one = claimed_address(turn, client).is_some() || is_numbered_at_request(turn, client);
    let may_borrow = permanent.is_none() && !has_other && !will_have_one;
    match turn.hall.leases.check(address, client.mac, pool) {
        Ok(()) if may_borrow => Decision::New(pool, lease),
        Err(NotFree::Probed) if may_borrow => Decision::Later,
        Ok(()) | Err(NotFree::Probed | NotFree::Taken | NotFree::Elsewhere) => refusal,
    }
}

/// Whether another machine was heard to use an address. Behind a relay who renews may be who answered.
fn is_used_by_another(turn: &Turn<'_>, client: &Client, case: Case, address: Ipv4Addr) -> bool {
    let may_be_itself = case == Case::Renewing && turn.hall.probes.answerer(address).is_none();
    turn.hall.probes.is_kept_from(turn.now, address, client.mac) && !may_be_itself
}

/// Whether a machine was offered an address here: who selects has "the value of 'yiaddr' in the DHCPOFFER" in its REQUEST (RFC 2131 4.3.2), and no number that it would rather have.
fn has_other_offer(turn: &Turn<'_>, client: &Client) -> bool {
    let standing =
        |kind| turn.hall.leases.standing(client.mac, PoolId { network: client.place, kind }).is_some();
    standing(PoolKind::Number) || standing(PoolKind::Temporary)
}

/// Whether it is ours to say whose an address is.
pub(super) fn is_ours(turn: &Turn<'_>, address: Ipv4Addr) -> bool {
    network::is_ours(turn.config, address) || turn.hall.reservations.has_address(address)
}

/// Whether it has a loan of this network.
fn has_loan_here(turn: &Turn<'_>, client: &Client) -> bool {
    let mut loans = turn.hall.leases.of(client.mac);
    loans.any(|(_, lease)| lease.pool.network == client.place && lease.recorded && !lease.superseded)
}

/// Whether an address is in no network of this link, and can be no other server's here either. In a network of another interface, or behind a relay, a machine was before it was moved here,
/// if it begins anew.
fn is_of_no_server(turn: &Turn<'_>, client: &Client, case: Case, address: Ipv4Addr) -> bool {
    let mut networks = turn.config.networks.iter().filter(|network| network.contains(address));
    let is_none = match case {
        Case::InitReboot => !networks.any(|network| is_of_link(turn, client, network)),
        Case::Selecting | Case::AtOnce | Case::Renewing => networks.next().is_none(),
    };
    is_none && is_link_ours(turn, client)
}

/// Whether an address is of a network that is served here, and of none that is on this link: who asks for it was there before.
fn comes_from_us(turn: &Turn<'_>, client: &Client, address: Ipv4Addr) -> bool {
    let mut networks = turn.config.networks.iter().filter(|network| network.contains(address)).peekable();
    networks.peek().is_some()
        && networks.all(|network| network.mode == Mode::Serve && !is_of_link(turn, client, network))
}

/// Whether a client speaks on a link that is ours alone, as far as anybody has said or was heard. By a relay there may be another server's network on the same link.
fn is_link_ours(turn: &Turn<'_>, client: &Client) -> bool {
    let settings = &turn.config.networks[client.place];
    // Who gives addresses behind a relay gives none here.
    let mut here = turn.config.networks.iter().filter(|network| is_of_link(turn, client, network));
    settings.on_link
        && client.message.giaddr.is_unspecified()
        && here.all(|network| network.mode == Mode::Serve && network.other_servers.is_empty())
        && !turn.hall.other_servers.is_on(&settings.interface)
}

/// Whether an address is of a network on the link where a client speaks.
fn is_on_its_link(turn: &Turn<'_>, client: &Client, address: Ipv4Addr) -> bool {
    let mut networks = turn.config.networks.iter().filter(|network| network.contains(address));
    networks.any(|network| is_of_link(turn, client, network))
}

/// Whether a network is on the link where a client speaks.
fn is_of_link(turn: &Turn<'_>, client: &Client, network: &Network) -> bool {
    network.on_link && network.interface == turn.config.networks[client.place].interface
}
