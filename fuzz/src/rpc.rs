//! What the fuzzers of the NIS gateway do with their octets. The property tests of heorot-dns call the same functions.

use heorot_dns::Prefix;
use heorot_dns::nis::{Accounts, CALL_OCTETS_MAX, Door, Gateway, Input, Output, Settings};
use heorot_names::{Directory, Hosts, NumberRange, Numbering, Pattern};
use heorot_rpc::record::Records;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

const CLIENT: ([u8; 4], u16) = ([10, 77, 1, 5], 790);
const YP_SERVER: u32 = 100_004;

/// Any octets, as a stream and as a datagram, to both programs: one call has one reply at most, and no reply is answered.
pub fn rpc(bytes: &[u8]) {
    let mut gateway = gateway();
    let mut records = Records::new(CALL_OCTETS_MAX);
    let mut rest = bytes;
    while !rest.is_empty() {
        let (now, later) = rest.split_at(rest.len().min(records.room()).min(7));
        assert!(!now.is_empty(), "there is room, or an error");
        records.push(now);
        rest = later;
        match records.next_message() {
            Ok(None) => {}
            Ok(Some(message)) => {
                let door = if message.len() % 2 == 0 { Door::YpServer } else { Door::Portmapper };
                converse(&mut gateway, door, &message);
            }
            Err(_) => break,
        }
    }
    for door in [Door::Portmapper, Door::YpServer] {
        ask(&mut gateway, door, bytes);
    }
}

/// Calls of YPSERV whose head is right: procedure, map and key come from the octets. What NEXT tells is a key that leads on, to the end.
pub fn yp(bytes: &[u8]) {
    let mut gateway = gateway();
    let mut rest = bytes;
    while let Some(([procedure, map, length], after)) = rest.split_first_chunk() {
        let (key, after) = after.split_at(after.len().min(usize::from(*length % 40)));
        rest = after;
        if *procedure == 255 {
            let directory = Arc::new(directory(u32::from(*length)));
            gateway.handle(Input::Publish { directory, calendar_seconds: 9 }, &mut Vec::new());
            continue;
        }
        let map = MAPS[usize::from(*map) % MAPS.len()];
        let call = call(u32::from(*procedure % 13), &[b"cluster", map.as_bytes(), key]);
        ask(&mut gateway, Door::YpServer, &call);
        converse(&mut gateway, Door::YpServer, &call);
    }
    let key = bytes.get(..bytes.len().min(40)).unwrap_or_default();
    for map in MAPS {
        walk(&mut gateway, map, key);
    }
}

const MAPS: [&str; 13] = [
    "hosts.byname",
    "hosts.byaddr",
    "ethers.byname",
    "ethers.byaddr",
    "netgroup",
    "netgroup.byhost",
    "netgroup.byuser",
    "passwd.byname",
    "passwd.byuid",
    "group.byname",
    "group.bygid",
    "netid.byname",
    "shadow.byname",
];

/// More than any map of ours has.
const ENTRIES_MAX: usize = 2000;

fn walk(gateway: &mut Gateway, map: &str, from: &[u8]) {
    let mut key = from.to_vec();
    for _ in 0..ENTRIES_MAX {
        let Some(reply) = ask(gateway, Door::YpServer, &call(5, &[b"cluster", map.as_bytes(), &key])) else {
            return;
        };
        let number = |at: usize| {
            let octets = reply.get(at..at + 4).expect("it is whole");
            u32::from_be_bytes(octets.try_into().expect("four of them")) as usize
        };
        // Behind xid, REPLY, accepted, the verifier and success: status, value, key.
        if number(24) != 1 {
            return;
        }
        let at = 28 + 4 + number(28).next_multiple_of(4);
        key = reply.get(at + 4..at + 4 + number(at)).expect("it is whole").to_vec();
        let found =
            ask(gateway, Door::YpServer, &call(3, &[b"cluster", map.as_bytes(), &key])).expect("a reply");
        assert_eq!(found.get(24..28), Some(&[0, 0, 0, 1][..]), "{map} tells of a key that it has not");
    }
    panic!("{map} has no end");
}

/// Sends a datagram. What comes back fits into one packet, and is answered by nobody.
fn ask(gateway: &mut Gateway, door: Door, payload: &[u8]) -> Option<Vec<u8>> {
    let (from, mut out) = (SocketAddr::from(CLIENT), Vec::new());
    gateway.handle(Input::Datagram { door, from, payload }, &mut out);
    assert!(out.len() <= 1);
    let Some(Output::Reply(reply)) = out.pop() else { return None };
    // A key and a value of the largest kind do not fit, and no map has both.
    assert!(reply.len() <= 1472, "{}", reply.len());
    gateway.handle(Input::Datagram { door, from, payload: &reply }, &mut out);
    assert_eq!(out, [], "a reply is answered");
    Some(reply)
}

/// Sends a message by a connection, and takes all that comes.
fn converse(gateway: &mut Gateway, door: Door, payload: &[u8]) {
    let (from, connection) = (SocketAddr::from(CLIENT), 1);
    let mut out = Vec::new();
    gateway.handle(Input::Message { door, from, connection, payload }, &mut out);
    for _ in 0..ENTRIES_MAX {
        assert!(out.len() <= 1, "{out:?}");
        match out.pop() {
            Some(Output::Send { payload, more: true, .. }) => {
                assert!(payload.len() < 32 * 1024);
                gateway.handle(Input::Sent(connection), &mut out);
            }
            Some(Output::Send { more: false, .. } | Output::Reply(_)) | None => return,
            Some(Output::End(_)) => return gateway.handle(Input::Closed(connection), &mut out),
        }
    }
    panic!("a map has no end");
}

fn call(procedure: u32, texts: &[&[u8]]) -> Vec<u8> {
    let head = [7, 0, 2, YP_SERVER, 2, procedure, 0, 0, 0, 0];
    let mut octets: Vec<u8> = head.into_iter().flat_map(u32::to_be_bytes).collect();
    for text in texts {
        octets.extend(u32::try_from(text.len()).expect("it is short").to_be_bytes());
        octets.extend_from_slice(text);
        octets.resize(octets.len().next_multiple_of(4), 0);
    }
    octets
}

fn gateway() -> Gateway {
    let settings = Settings {
        domain: "cluster".into(),
        server_name: "heorot".into(),
        hosts: [("heorot".to_owned(), vec![[10, 77, 0, 1].into()])].into(),
        networks: vec![Prefix { address: [10, 77, 0, 1].into(), length: 16 }],
        port: 834,
        others: Vec::new(),
    };
    let accounts = Accounts {
        passwd: Some("root:x:0:0::/root:/bin/sh\nalice:x:1000:100::/home/alice:/bin/sh\n".into()),
        group: Some("users:x:100:alice\nwheel:x:10:alice,root\n".into()),
    };
    Gateway::new(settings, accounts, Arc::new(directory(200)), 1)
}

fn directory(highest: u32) -> Directory {
    let network = |first: [u8; 4], suffix: &str| Numbering {
        numbers: NumberRange { lowest: 0, highest },
        first: first.into(),
        first_ipv6: None,
        suffix: suffix.into(),
    };
    Directory {
        networks: vec![network([10, 77, 1, 0], ""), network([10, 78, 1, 0], "-ib")],
        given_names: [(7, "storage".into())].into(),
        hosts: [("switch".to_owned(), std::net::Ipv4Addr::new(10, 77, 0, 20))].into_iter().collect::<Hosts>(),
        hardware_addresses: BTreeMap::from([(7, [2, 0, 0, 0, 0, 7]), (8, [2, 0, 0, 0, 0, 8])]),
        groups: [("rack1".into(), (0..40).collect()), ("odd".into(), (0..150).map(|n| 2 * n + 1).collect())]
            .into(),
        ..Directory::new("cluster", Pattern::parse("node{}").expect("it is one"))
    }
}
