//! Where we only look on: nothing is answered, and one line for each exchange tells what would have been, next to what another server did.
//!
//! Machines that boot are known here as anywhere, as far as `seen`. Nothing is lent, and nothing numbered but what is listed; an offer that would have been made stands
//! among the others, so that two machines would not have been offered one address.

use super::choice::address_to_offer;
use super::client::Client;
use super::decision::{Case, Decision, decide};
use super::reply::{Reply, SERVER_PORT};
use super::{meet, proxy};
use crate::cluster::network;
use crate::cluster::shadow::{Answer, End, Exchange};
use crate::config::Mode;
use crate::event::{self, Kind};
use crate::hall::{Due, Turn};
use crate::limit::{SHADOWS_MAX, TOLD_LETTERS_MAX};
use crate::mac::Mac;
use crate::message::Overheard;
use crate::wire::dhcp::{Message, MessageType, option};
use std::net::Ipv4Addr;
use std::sync::Arc;

/// Takes a datagram of port 67 on a network where we only look on.
pub(super) fn asked(turn: &mut Turn<'_>, client: &Client, message_type: MessageType) {
    let options = &client.message.options;
    let wanted = match message_type {
        MessageType::Discover => None,
        MessageType::Request => {
            let server = options.address(option::SERVER_IDENTIFIER);
            let address = options.address(option::REQUESTED_ADDRESS).unwrap_or(client.message.ciaddr);
            Some((server, address))
        }
        MessageType::Decline | MessageType::Release | MessageType::Inform => return,
        MessageType::Offer | MessageType::Ack | MessageType::Nak => return turn.malformed("dhcp-reply"),
    };
    let xid = client.message.xid;
    if turn.hall.shadows.get(&client.mac).is_some_and(|exchange| exchange.is_followed_by(xid)) {
        over(turn, client.mac, &End::Unseen);
    }
    if !turn.hall.shadows.contains_key(&client.mac) {
        if turn.hall.shadows.len() >= SHADOWS_MAX {
            return;
        }
        let would = match wanted {
            None => would_offer(turn, client),
            Some((_, address)) => would_decide(turn, client, address),
        };
        let exchange = Exchange::new(turn.now, xid, would);
        turn.hall.timers.arm(exchange.until, Due::Shadow(client.mac));
        turn.hall.shadows.insert(client.mac, exchange);
    }
    if let Some(exchange) = turn.hall.shadows.get_mut(&client.mac) {
        exchange.spoken(turn.now, xid, wanted);
    }
}

/// Another server's reply went by. Whether it did where that is its business: where others give the addresses, and nobody says who they are.
pub(super) fn overheard(turn: &mut Turn<'_>, heard: Overheard<'_>, message: &Message) -> bool {
    let place = network::of_client(turn.config, heard.interface, message.giaddr, message.yiaddr, true);
    let Some(place) = place.filter(|place| turn.config.networks[*place].mode != Mode::Serve) else {
        return false;
    };
    // To whom cannot be known of a host without an Ethernet address.
    let is_its_business = turn.config.networks[place].other_servers.is_empty();
    let Ok(client) = Client::of_reply(turn.config, place, message.clone()) else { return is_its_business };
    match (client.mode, message.message_type()) {
        (Mode::Serve, _) | (_, None) => {}
        // Who gives addresses speaks from port 67. From 4011, where boot servers do, any user's program may.
        (Mode::Proxy, Some(message_type)) if heard.source.port() == SERVER_PORT => {
            proxy::overheard(turn, &client, message_type, *heard.source.ip());
        }
        (Mode::Proxy, Some(_)) => {}
        (Mode::Shadow, Some(message_type)) => answered(turn, &client, message_type, *heard.source.ip()),
    }
    is_its_business
}

fn answered(turn: &mut Turn<'_>, client: &Client, message_type: MessageType, source: Ipv4Addr) {
    let message = &client.message;
    let server = message.options.address(option::SERVER_IDENTIFIER).unwrap_or(source);
    let answer = Answer { server, address: message.yiaddr, file: file_named_by(message) };
    let Some(exchange) = turn.hall.shadows.get_mut(&client.mac) else { return };
    match message_type {
        MessageType::Offer => exchange.offered(turn.now, answer),
        MessageType::Ack => over(turn, client.mac, &End::Acknowledged(answer)),
        MessageType::Nak => over(turn, client.mac, &End::Refused(server)),
        MessageType::Discover
        | MessageType::Request
        | MessageType::Decline
        | MessageType::Release
        | MessageType::Inform => {}
    }
}

/// The boot file that a reply names, as it can be told.
pub(super) fn file_named_by(message: &Message) -> Option<String> {
    let field = String::from_utf8_lossy(&message.file).into_owned();
    let file = message.options.text(option::BOOT_FILE).map(str::to_owned);
    let file = file.or_else(|| (!field.is_empty()).then_some(field))?;
    Some(event::printable(&file, TOLD_LETTERS_MAX))
}

/// The moment has come at which nothing more of an exchange is waited for; or it has not.
pub(crate) fn due(turn: &mut Turn<'_>, mac: Mac) {
    let Some(until) = turn.hall.shadows.get(&mac).map(|exchange| exchange.until) else { return };
    if until > turn.now {
        turn.hall.timers.arm(until, Due::Shadow(mac));
    } else {
        over(turn, mac, &End::Unseen);
    }
}

/// An exchange is over: its line is told.
fn over(turn: &mut Turn<'_>, mac: Mac, end: &End) {
    if let Some(exchange) = turn.hall.shadows.remove(&mac) {
        let told: Arc<str> = exchange.told(end).into();
        if let Some(node) = turn.hall.nodes.get_mut(mac) {
            node.is_told(turn.now, Arc::clone(&told));
        }
        turn.event(Some(mac), Kind::Shadow, told);
    }
}

fn would_offer(turn: &mut Turn<'_>, client: &Client) -> String {
    let is_node = meet(turn, client);
    let asked = turn.line(format_args!("DISCOVER{}", client.describe()));
    if let Some(node) = turn.hall.nodes.get_mut(client.mac) {
        node.asks(turn.now, Arc::clone(&asked));
    }
    let Some((address, lease)) = address_to_offer(turn, client, is_node) else {
        return match is_node {
            true => format!("{asked}: would have said nothing, as no temporary address is free"),
            false => format!("{asked}: would have said nothing, as it is a guest"),
        };
    };
    let reply = Reply::new(turn, client, MessageType::Offer).lease(address, lease).parameters(address);
    format!("{asked}: would have OFFERed {address}{}", reply.describe())
}

/// What would have become of a REQUEST that no DISCOVER came before.
fn would_decide(turn: &mut Turn<'_>, client: &Client, address: Ipv4Addr) -> String {
    let is_node = meet(turn, client);
    let asked = format!("REQUEST {address}{}", client.describe());
    let server = client.message.options.address(option::SERVER_IDENTIFIER);
    if server.is_some_and(|server| server != client.server) {
        return format!("{asked}: would have left it to that server");
    }
    let case = match client.message.ciaddr.is_unspecified() {
        true => Case::InitReboot,
        false => Case::Renewing,
    };
    match decide(turn, client, case, address, is_node) {
        Decision::Known(_)
        | Decision::Reserved(_)
        | Decision::Renewed(_)
        | Decision::Former(_)
        | Decision::New(..)
        | Decision::Number(..) => format!("{asked}: would have ACKed it"),
        Decision::No => format!("{asked}: would have NAKed it"),
        Decision::UnderWay(_) | Decision::Later | Decision::Silence => {
            format!("{asked}: would have said nothing")
        }
    }
}
