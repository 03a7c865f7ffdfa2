//! Any message to the resolver, by itself and with a header that it reads on from.

use heorot_dns::{Algorithm, Input, Key, Output, Prefix, Query, QueryId, Resolver, Settings, Transport};
use heorot_names::{Directory, NumberRange, Numbering, Pattern, Record, RecordData};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

/// A message is answered once or dropped; the answer is to that question, and no longer than its transport takes.
pub fn resolver_handle(bytes: &[u8]) {
    let mut resolver = resolver();
    let (half, framed) = (bytes.get(..bytes.len() / 2).unwrap_or_default(), framed(bytes));
    for payload in [bytes, half, &framed] {
        for (transport, octets_max) in [(Transport::Udp, 4096), (Transport::Tcp, 65_535)] {
            let mut out = Vec::new();
            let from = SocketAddr::from(([10, 77, 1, 5], 5353));
            resolver.handle(0, Input::Query(Query { transport, from, id: QueryId(7), payload }), &mut out);
            assert!(out.len() <= 1, "{out:?}");
            copy(&mut resolver, &mut out, payload);
            match out.pop() {
                Some(Output::Reply { transport: by, to, id, payload: reply }) => {
                    assert_eq!((by, to, id), (transport, from, QueryId(7)));
                    assert!((12..=octets_max).contains(&reply.len()), "{} octets", reply.len());
                    assert_eq!(reply[..2], payload[..2], "the identifier comes back");
                    assert!(reply[2] & 0x80 != 0, "it is a reply");
                    // What answers a reply might be answered by it for ever.
                    resolver.handle(
                        0,
                        Input::Query(Query { transport, from, id, payload: &reply }),
                        &mut out,
                    );
                    assert!(!matches!(out.pop(), Some(Output::Reply { .. })), "a reply is answered");
                }
                Some(
                    other @ (Output::More { .. }
                    | Output::Notify { .. }
                    | Output::Ask(_)
                    | Output::Forget { .. }),
                ) => {
                    panic!("{other:?}")
                }
                Some(Output::End { id }) => assert!(transport == Transport::Tcp && id == QueryId(7)),
                None => {}
            }
        }
    }
}

/// A copy of a zone comes to its end, message by message.
fn copy(resolver: &mut Resolver, out: &mut Vec<Output>, payload: &[u8]) {
    let mut messages = 0;
    while let [Output::More { id: QueryId(7), transfer }] = *out.as_slice() {
        out.clear();
        resolver.handle(0, Input::More(transfer), out);
        let Some(Output::Reply { payload: reply, .. }) = out.first() else { panic!("{out:?}") };
        assert!((12..=65_535).contains(&reply.len()) && reply[..2] == payload[..2]);
        out.remove(0);
        messages += 1;
        assert!(messages < 1000, "it has an end");
    }
}

/// A query of one question, whose name and type are the octets: the fuzzer's are better spent on these.
fn framed(bytes: &[u8]) -> Vec<u8> {
    let mut query = vec![0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    query.extend(bytes);
    query
}

pub(crate) fn resolver() -> Resolver {
    let network = |highest, first: [u8; 4], suffix: &str| Numbering {
        numbers: NumberRange { lowest: 0, highest },
        first: first.into(),
        first_ipv6: Some("fd77::1:0".parse().expect("it is an address")),
        suffix: suffix.into(),
    };
    let directory = Directory {
        zone: "cluster".into(),
        pattern: Pattern::parse("node{}").expect("it is a pattern"),
        networks: vec![network(1023, [10, 77, 1, 0], ""), network(99, [10, 99, 0, 0], "-ib")],
        given_names: [(7, "storage".into())].into(),
        hardware_addresses: Default::default(),
        groups: Default::default(),
        hosts: [("switch".to_owned(), Ipv4Addr::new(10, 77, 9, 20))].into_iter().collect(),
        records: vec![Record { name: "www".into(), data: RecordData::Cname("switch.cluster".into()) }],
        serial: 7,
    };
    let prefix = |address: [u8; 4], length| Prefix { address: IpAddr::from(address), length };
    let settings = Settings {
        hosts: [
            ("heorot".into(), vec![[10, 77, 0, 1].into()]),
            ("many".into(), (0..70).map(|n| Ipv4Addr::new(192, 0, 2, n)).collect()),
        ]
        .into(),
        reverse_prefixes: vec![prefix([10, 77, 0, 0], 16), prefix([10, 99, 0, 0], 24)],
        // Whoever is fuzzed with may copy zones, and tries to sign.
        secondaries: vec![SocketAddr::from(([10, 77, 1, 5], 53))],
        keys: vec![Key {
            name: "k".into(),
            algorithm: Algorithm::Sha256,
            secret: vec![7; 32],
            may_transfer: false,
        }],
        ..Settings::default()
    };
    Resolver::new(settings, Arc::new(directory)).expect("these are names")
}
