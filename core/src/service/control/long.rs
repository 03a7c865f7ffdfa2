//! Answers that tell of all nodes, in parts: of ten thousand nodes a list takes some ten milliseconds, and a dump half a second, for which no packet would be answered.

use super::{export, row, whole};
use crate::hall::Turn;
use crate::limit::{NODES_DUMPED_AT_ONCE, NODES_LISTED_AT_ONCE};
use crate::mac::Mac;
use crate::message::{After, Answer, Dumped, Listed, Rest, RestOf};
use crate::time::Wall;
use heorot_names::{Dynamic, DynamicSet};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::sync::Arc;

/// What everything that is known is told in, in the order of the words.
const TABLES: [(&str, Table); 6] = [
    ("closed", Table::Closed),
    ("leases", Table::Leases),
    ("neighbours", Table::Neighbours),
    ("nodes", Table::Nodes),
    ("offers", Table::Offers),
    ("updates", Table::Updates),
];

#[derive(Clone, Copy, Debug)]
enum Table {
    Closed,
    Leases,
    Neighbours,
    Nodes,
    Offers,
    Updates,
}

/// Begins to tell the rows of these nodes.
pub(super) fn list(turn: &Turn<'_>, wall: Wall, macs: Arc<[Mac]>) -> Answer {
    list_on(turn, wall, Listed { macs, done: 0, is_begun: false })
}

/// Begins to tell everything that is known. Neither counters nor ages are part of it: as long as nothing happens but time and packets that are none, it stays the same to
/// the letter.
pub(super) fn dump(turn: &Turn<'_>, wall: Wall) -> Answer {
    let macs = turn.hall.nodes.iter().map(|node| node.mac).collect();
    dump_on(turn, wall, Dumped { macs, table: 0, after: None })
}

/// Goes on.
pub(super) fn more(turn: &Turn<'_>, wall: Wall, rest: &Rest) -> Answer {
    match &rest.0 {
        RestOf::List(listed) => list_on(turn, wall, listed.clone()),
        RestOf::Dump(dumped) => dump_on(turn, wall, dumped.clone()),
        RestOf::Export(exported) => export::go_on(turn, exported.clone()),
    }
}

fn list_on(turn: &Turn<'_>, wall: Wall, mut listed: Listed) -> Answer {
    let mut text = String::from(if listed.done == 0 { "[" } else { "" });
    let until = listed.macs.len().min(listed.done + NODES_LISTED_AT_ONCE);
    for mac in listed.macs.get(listed.done..until).unwrap_or_default() {
        let Some(node) = turn.hall.nodes.get(*mac) else { continue };
        if std::mem::replace(&mut listed.is_begun, true) {
            text.push(',');
        }
        let row = serde_json::to_string(&row(turn, wall, node));
        text.push_str(&row.expect("no view has keys that are not strings"));
    }
    listed.done = until;
    if listed.done < listed.macs.len() {
        return Answer::Part(text, Box::new(Rest(RestOf::List(listed))));
    }
    text.push(']');
    Answer::Json(200, text)
}

fn dump_on(turn: &Turn<'_>, wall: Wall, mut dumped: Dumped) -> Answer {
    let mut text = String::new();
    let mut room = NODES_DUMPED_AT_ONCE;
    while let Some((word, table)) = TABLES.get(dumped.table) {
        let after = dumped.after.get_or_insert_with(|| {
            let before = if dumped.table == 0 { '{' } else { ',' };
            // A String takes whatever is written.
            let _ = write!(text, "{before}\"{word}\":[");
            After::Heading
        });
        let lines = lines(turn, wall, *table, (&dumped.macs, after), room);
        room -= lines.len();
        for (place, line) in lines {
            if std::mem::replace(after, place) != After::Heading {
                text.push(',');
            }
            let _ = write!(text, "{line}");
        }
        if room == 0 {
            return Answer::Part(text, Box::new(Rest(RestOf::Dump(dumped))));
        }
        text.push(']');
        (dumped.table, dumped.after) = (dumped.table + 1, None);
    }
    text.push('}');
    Answer::Json(200, text)
}

/// What follows in a table, at most so much of it, and each with where that is.
fn lines(
    turn: &Turn<'_>,
    wall: Wall,
    table: Table,
    (macs, after): (&[Mac], &After),
    most: usize,
) -> Vec<(After, Value)> {
    let stamp = |then| wall.stamp(turn.now, then);
    let is_next = |address: Ipv4Addr| !matches!(after, After::Address(last) if address <= *last);
    let of_address = |(address, line): (Ipv4Addr, Value)| (After::Address(address), line);
    let leases = &turn.hall.leases;
    match table {
        Table::Closed => {
            let next = leases.closed().filter(|(address, _)| is_next(*address)).take(most);
            let line = |(address, closure): (Ipv4Addr, crate::cluster::lease::Closure)| {
                (
                    address,
                    json!({ "address": address, "until": stamp(closure.until), "probed": closure.probed.is_some() }),
                )
            };
            next.map(line).map(of_address).collect()
        }
        Table::Leases => {
            let next = leases.iter().filter(|(address, _)| is_next(*address)).take(most);
            let line = |(address, lease): (Ipv4Addr, &crate::cluster::lease::Lease)| {
                (
                    address,
                    json!({ "address": address, "mac": lease.mac, "until": stamp(lease.until), "last_sign_of_life": stamp(lease.life),
                        "recorded": lease.recorded, "superseded": lease.superseded }),
                )
            };
            next.map(line).map(of_address).collect()
        }
        Table::Neighbours => {
            let next = turn.hall.pins.iter().filter(|(address, _)| is_next(*address)).take(most);
            let line = |(address, pin): (Ipv4Addr, &crate::cluster::pin::Pin)| {
                (address, json!({ "address": address, "mac": pin.mac, "interface": pin.interface }))
            };
            next.map(line).map(of_address).collect()
        }
        Table::Nodes => {
            let done = if let After::Nodes(done) = after { *done } else { 0 };
            let left = macs.iter().enumerate().skip(done);
            // Whoever was forgotten meanwhile is left out.
            let next = left.filter_map(|(place, mac)| Some((place, turn.hall.nodes.get(*mac)?))).take(most);
            next.map(|(place, node)| (After::Nodes(place + 1), whole(turn, wall, node))).collect()
        }
        Table::Offers => {
            let next = leases.offers().filter(|(address, ..)| is_next(*address)).take(most);
            let line = |(address, mac, until)| {
                (address, json!({ "address": address, "mac": mac, "until": stamp(until) }))
            };
            next.map(line).map(of_address).collect()
        }
        Table::Updates => {
            let is_next = |dynamic: &&Dynamic| !matches!(after, After::Name(last) if dynamic.name <= *last);
            let next = turn.hall.dynamics.iter().filter(is_next).take(most);
            next.map(|next| (After::Name(next.name.clone()), dynamic(next))).collect()
        }
    }
}

/// What a name has by updates, as a zone file has it.
fn dynamic(dynamic: &Dynamic) -> Value {
    let lines = dynamic.sets.iter().flat_map(DynamicSet::lines);
    json!({ "name": dynamic.name, "records": lines.collect::<Vec<_>>() })
}
