//! Any message to the resolver, by itself and with a header that it reads on from.

use domain::base::iana::{Class, Opcode, Rtype};
use domain::base::rdata::UnknownRecordData;
use domain::base::{MessageBuilder, Name, Ttl};
use domain::rdata::tsig::Time48;
use domain::tsig;
use heorot_dns::{
    Algorithm, Input, Key, Output, Prefix, Query, QueryId, Resolver, Settings, Transport, UpdateOutcome,
    Updates,
};
use heorot_names::{Change, Changes, Directory, NumberRange, Numbering, Pattern, Record, RecordData};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

/// A message is answered once or dropped; the answer is to that question, and no longer than its transport takes.
pub fn resolver_handle(bytes: &[u8]) {
    let mut resolver = resolver();
    update(&mut resolver, bytes);
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
                    | Output::Forget { .. }
                    | Output::Update { .. }
                    | Output::Denied { .. }),
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

/// An update is answered once, when what it changes is kept, and may come again; the zone that has it can be copied.
fn update(resolver: &mut Resolver, bytes: &[u8]) {
    let from = SocketAddr::from(([10, 77, 1, 5], 5353));
    let mut has_changed = false;
    for serial in 8..10 {
        let payload = signed_update(bytes);
        let mut out = Vec::new();
        let query = Query { transport: Transport::Tcp, from, id: QueryId(7), payload: &payload };
        resolver.handle(0, Input::Query(query), &mut out);
        if let [Output::Update { update, changes, .. }] = out.as_slice() {
            assert!(!changes.is_empty());
            let (update, changes) = (*update, changes.iter().cloned().map(Change::Updated).collect());
            has_changed = true;
            out.clear();
            resolver.handle(0, Input::Change(Changes { serial, changes }), &mut out);
            resolver.handle(0, Input::Updated { update, outcome: UpdateOutcome::Kept }, &mut out);
        }
        let replies = out.iter().filter(|output| matches!(output, Output::Reply { .. })).count();
        assert_eq!(replies, 1, "{out:?}");
    }
    if has_changed {
        let axfr = framed(b"\x07cluster\0\0\xfc\0\x01");
        let query = Query { transport: Transport::Tcp, from, id: QueryId(7), payload: &axfr };
        let mut out = Vec::new();
        resolver.handle(0, Input::Query(query), &mut out);
        copy(resolver, &mut out, &axfr);
    }
}

/// Octets as the records of an update: section, class and owner; type and TTL; length; data.
fn signed_update(bytes: &[u8]) -> Vec<u8> {
    const OWNERS: [&str; 8] = [
        "cluster",
        "a.cluster",
        "b.a.cluster",
        "node7.cluster",
        "switch.cluster",
        "www.cluster",
        "x.org",
        "_a.cluster",
    ];
    const TYPES: [u16; 16] = [1, 2, 5, 6, 12, 15, 16, 28, 33, 35, 44, 46, 250, 252, 255, 257];
    const CLASSES: [u16; 4] = [1, 255, 254, 3];
    let mut questions = MessageBuilder::new_vec();
    questions.header_mut().set_opcode(Opcode::UPDATE);
    let mut questions = questions.question();
    let name = |text: &str| text.parse::<Name<Vec<u8>>>().expect("it is a name");
    questions.push((name("cluster"), Rtype::SOA)).expect("it has room");
    let mut sections = [Vec::new(), Vec::new()];
    let mut rest = bytes;
    while let [first, second, length, tail @ ..] = rest {
        let (data, tail) = tail.split_at(usize::from(length & 63).min(tail.len()));
        rest = tail;
        let kind = Rtype::from_int(TYPES[usize::from(second & 15)]);
        let record = (
            name(OWNERS[usize::from(first & 7)]),
            Class::from_int(CLASSES[usize::from(first >> 3 & 3)]),
            Ttl::from_secs(u32::from(second >> 4)),
            UnknownRecordData::from_octets(kind, data.to_vec()).expect("it is short"),
        );
        sections[usize::from(first >> 5 & 1)].push(record);
    }
    let [conditions, changes] = sections;
    let mut answer = questions.answer();
    conditions.into_iter().for_each(|record| answer.push(record).expect("it has room"));
    let mut authority = answer.authority();
    changes.into_iter().for_each(|record| authority.push(record).expect("it has room"));
    let mut additional = authority.additional();
    let key =
        tsig::Key::new(tsig::Algorithm::Sha256, &[7; 32], "k".parse().expect("it is a name"), None, None);
    let key = key.expect("it is a key");
    tsig::ClientTransaction::request(&key, &mut additional, Time48::from_u64(0)).expect("it has room");
    additional.finish()
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
        files: Default::default(),
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
            updates: Some(Updates::default()),
        }],
        ..Settings::default()
    };
    Resolver::new(settings, Arc::new(directory)).expect("these are names")
}
