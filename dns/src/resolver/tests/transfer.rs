//! Copies of zones: who gets them, that they say what queries are told, and what has changed since.

use super::*;
use heorot_names::Change;
use std::collections::BTreeSet;

const AXFR: u16 = 252;
const IXFR: u16 = 251;
const NOTAUTH: u16 = 9;
const SECONDARY: &str = "192.0.2.53:5353";
const APEX_77: &str = "77.10.in-addr.arpa";
const APEX_99: &str = "0.99.10.in-addr.arpa";
const APEX_6: &str = "0.0.0.0.0.0.0.0.0.0.0.0.7.7.d.f.ip6.arpa";

fn with_secondary() -> Resolver {
    let settings = Settings { secondaries: vec![SECONDARY.parse().unwrap()], ..settings() };
    Resolver::new(settings, Arc::new(directory())).unwrap()
}

/// Everything that is said to a query, as often as there is more.
fn all(resolver: &mut Resolver, transport: Transport, from: &str, payload: &[u8]) -> Vec<Read> {
    let from = from.parse().unwrap();
    let mut out = Vec::new();
    resolver.handle(0, Input::Query(Query { transport, from, id: QueryId(9), payload }), &mut out);
    let mut said = Vec::new();
    while !out.is_empty() {
        let mut more = None;
        for output in std::mem::take(&mut out) {
            match output {
                Output::Reply { payload, id, .. } => {
                    assert_eq!(id, QueryId(9));
                    assert!(payload.len() <= 16 * 1024, "{}", payload.len());
                    said.push(read(&payload));
                }
                Output::More { id, transfer } => {
                    assert_eq!(id, QueryId(9));
                    more = Some(transfer);
                }
                Output::End { .. }
                | Output::Ask(_)
                | Output::Forget { .. }
                | Output::Update { .. }
                | Output::Denied { .. } => panic!("{said:?}"),
                Output::Notify { .. } => {}
            }
        }
        if let Some(transfer) = more {
            resolver.handle(0, Input::More(transfer), &mut out);
        }
    }
    said
}

pub(super) fn copy(resolver: &mut Resolver, zone: &str) -> Vec<String> {
    let said = all(resolver, Transport::Tcp, SECONDARY, &query(zone, AXFR));
    // RFC 5936 2.2: the question in the first message; AA, and the number that was asked with, in each.
    assert_eq!(said[0].questions, [format!("{zone}. 252")]);
    for message in &said {
        assert_eq!((message.id, message.flags), (0xabcd, QR | AA | RD));
        assert_eq!(message.authority.len() + message.additional.len(), 0);
    }
    said.into_iter().flat_map(|message| message.answer).collect()
}

pub(super) fn changes(resolver: &mut Resolver, zone: &str, has: u32) -> Vec<String> {
    let said = all(resolver, Transport::Tcp, SECONDARY, &ixfr(zone, has));
    assert_eq!(said[0].flags, QR | AA | RD);
    said.into_iter().flat_map(|message| message.answer).collect()
}

/// A query with the SOA that the asker has (RFC 1995 3).
fn ixfr(zone: &str, has: u32) -> Vec<u8> {
    let mut message = query(zone, IXFR);
    message[9] = 1;
    message.extend([0xc0, 12, 0, 6, 0, 1, 0, 0, 0, 0, 0, 22, 0, 0]);
    message.extend(has.to_be_bytes());
    message.extend([0; 16]);
    message
}

#[test]
fn only_who_is_named_may_copy_and_only_what_is_ours() {
    let table: &[(&str, Transport, &str, u16, u16)] = &[
        ("a stranger", Transport::Tcp, "192.0.2.54:5353", AXFR, REFUSED),
        ("a stranger's stranger", Transport::Udp, "192.0.2.54:5353", IXFR, REFUSED),
        // RFC 5936 4.2: not by UDP.
        ("by UDP", Transport::Udp, SECONDARY, AXFR, FORMERR),
        ("from another port", Transport::Tcp, "192.0.2.53:1", AXFR, NOERROR),
    ];
    for (what, transport, from, kind, code) in table {
        let payload = if *kind == IXFR { ixfr("cluster", 1) } else { query("cluster", AXFR) };
        let said = all(&mut with_secondary(), *transport, from, &payload);
        assert_eq!(said[0].flags & 15, *code, "{what}");
        assert_eq!(said[0].answer.is_empty(), *code != NOERROR, "{what}");
    }
    for zone in
        ["example.org", "node0.cluster", "10.in-addr.arpa", "0.1.77.10.in-addr.arpa", "a.below.cluster"]
    {
        let said = all(&mut with_secondary(), Transport::Tcp, SECONDARY, &query(zone, AXFR));
        assert_eq!((said.len(), said[0].flags & 15), (1, NOTAUTH), "{zone}");
    }
    // RFC 1995 3: what the asker has is part of the question.
    let said = all(&mut with_secondary(), Transport::Tcp, SECONDARY, &query("cluster", IXFR));
    assert_eq!(said[0].flags & 15, FORMERR);
}

/// RFC 5936 2.2: each record once, also of a name that is given as it would be computed.
#[test]
fn a_given_name_that_is_the_computed_one_is_copied_once() {
    for name in ["node5", "node5-ib"] {
        let mut directory = directory();
        directory.given_names.insert(5, name.into());
        let settings = with_secondary().zones.settings().clone();
        let mut resolver = Resolver::new(settings, Arc::new(directory)).unwrap();
        let rows = copy(&mut resolver, "cluster");
        let rows = &rows[1..rows.len() - 1];
        let once: BTreeSet<_> = rows.iter().collect();
        assert_eq!(once.len(), rows.len(), "{name}: nothing twice");
        assert!(rows.iter().any(|row| row.starts_with(&format!("{name}.cluster. "))), "{name}");
    }
}

#[test]
fn a_copy_says_what_queries_are_told() {
    let mut resolver = with_secondary();
    let lent = |name: &str, last: u8| Change::Lent {
        name: name.into(),
        address: Ipv4Addr::new(10, 77, 200, last),
        until_nanoseconds: 60_000_000_000,
    };
    let changes = Changes { serial: 8, changes: vec![lent("tux", 1), lent("gnu", 2)] };
    resolver.handle(0, Input::Change(changes), &mut Vec::new());
    for (zone, least) in [("cluster", 1024 + 100), (APEX_77, 1024), (APEX_99, 100), (APEX_6, 100)] {
        let rows = copy(&mut resolver, zone);
        let soa = format!("{zone}. 300 SOA heorot.cluster. hostmaster.cluster. 8 3600 600 604800 60");
        // RFC 5936 2.2: it begins and ends with the SOA, which is nowhere else.
        assert_eq!((rows.first(), rows.last()), (Some(&soa), Some(&soa)));
        assert_eq!(rows.iter().filter(|row| row.contains(" SOA ")).count(), 2);
        let rows: Vec<_> = rows[1..rows.len() - 1].to_vec();
        assert!(rows.len() > least, "{zone}: {}", rows.len());
        let once: BTreeSet<_> = rows.iter().collect();
        assert_eq!(once.len(), rows.len(), "{zone}: nothing twice");
        for row in &rows {
            let words: Vec<_> = row.splitn(4, ' ').collect();
            let kind = [
                ("A", A),
                ("AAAA", AAAA),
                ("NS", NS),
                ("MX", MX),
                ("SRV", SRV),
                ("TXT", TXT),
                ("PTR", PTR),
                ("CNAME", CNAME),
            ];
            let kind = kind.iter().find(|(name, _)| *name == words[2]).unwrap().1;
            let question = query(words[0].trim_end_matches('.'), kind);
            let reply = all(&mut resolver, Transport::Tcp, "10.77.1.9:4000", &question).remove(0);
            // What is below somebody else's zone is told as help alone.
            let told = [reply.answer, reply.authority, reply.additional].concat();
            assert!(told.contains(row), "{row} and not {told:?}");
        }
    }
    let cluster = copy(&mut resolver, "cluster");
    for row in [
        "storage.cluster. 300 A 10.77.1.7",
        "storage-ib.cluster. 300 AAAA fd77::1:f7",
        "node7.cluster. 300 A 10.77.1.7",
        "node1023.cluster. 300 A 10.77.4.255",
        "heorot.cluster. 300 AAAA fd77::1",
        "switch.cluster. 300 TXT \"rack 7\" \"on top\"",
        "printer.cluster. 300 AAAA fd77::9",
        "below.cluster. 300 NS ns.example.org.",
        "ns.below.cluster. 300 A 192.0.2.1",
        "x.node3.cluster. 300 A 192.0.2.4",
        "tux.cluster. 60 A 10.77.200.1",
        "cluster. 300 MX 10 printer.cluster.",
    ] {
        assert!(cluster.iter().any(|found| found == row), "{row}");
    }
    let back = copy(&mut resolver, APEX_77);
    for row in [
        "7.1.77.10.in-addr.arpa. 300 PTR storage.cluster.",
        "21.9.77.10.in-addr.arpa. 300 PTR printer.cluster.",
        "1.0.77.10.in-addr.arpa. 300 PTR heorot.cluster.",
        "2.200.77.10.in-addr.arpa. 60 PTR gnu.cluster.",
    ] {
        assert!(back.iter().any(|found| found == row), "{row}");
    }
    assert_eq!(resolver.statistics().transfers, 6);
}

#[test]
fn what_has_changed_since() {
    let mut resolver = with_secondary();
    let soa = |serial: u32| {
        format!("cluster. 300 SOA heorot.cluster. hostmaster.cluster. {serial} 3600 600 604800 60")
    };
    let address = Ipv4Addr::new(10, 77, 200, 1);
    let lent = |name: &str| Change::Lent { name: name.into(), address, until_nanoseconds: 60_000_000_000 };
    let change = |resolver: &mut Resolver, serial, changes: Vec<Change>| {
        resolver.handle(0, Input::Change(Changes { serial, changes }), &mut Vec::new());
    };
    change(&mut resolver, 8, vec![lent("tux")]);
    // A renewal is nothing that anybody else can see.
    change(&mut resolver, 8, vec![lent("tux")]);
    let mut named = directory();
    named.given_names = [(7, "tape".into()), (8, "login".into())].into();
    named.serial = 9;
    resolver.handle(0, Input::Publish(Arc::new(named.clone())), &mut Vec::new());
    change(&mut resolver, 10, vec![Change::Returned { address }]);

    let up_to_date = vec![soa(10)];
    assert_eq!(changes(&mut resolver, "cluster", 10), up_to_date);
    assert_eq!(changes(&mut resolver, "cluster", 11), up_to_date, "newer than ours (RFC 1995 2)");
    let last = [soa(10), soa(9), "tux.cluster. 60 A 10.77.200.1".into(), soa(10), soa(10)];
    assert_eq!(changes(&mut resolver, "cluster", 9), last);
    let first = changes(&mut resolver, "cluster", 7);
    assert_eq!(first[..4], [soa(10), soa(7), soa(8), "tux.cluster. 60 A 10.77.200.1".into()]);
    let given: BTreeSet<_> = first[4..first.len() - 4].iter().map(String::as_str).collect();
    let (gone, come) = (&first[5..8], &first[9..15]);
    assert!(gone.iter().all(|row| row.starts_with("storage")), "{gone:?}");
    assert!(come.iter().all(|row| row.starts_with("tape") || row.starts_with("login")), "{come:?}");
    let expected: BTreeSet<_> = [
        soa(8).leak(),
        "storage.cluster. 300 A 10.77.1.7",
        "storage-ib.cluster. 300 A 10.99.0.7",
        "storage-ib.cluster. 300 AAAA fd77::1:f7",
        soa(9).leak(),
        "tape.cluster. 300 A 10.77.1.7",
        "tape-ib.cluster. 300 A 10.99.0.7",
        "tape-ib.cluster. 300 AAAA fd77::1:f7",
        "login.cluster. 300 A 10.77.1.8",
        "login-ib.cluster. 300 A 10.99.0.8",
        "login-ib.cluster. 300 AAAA fd77::1:f8",
    ]
    .into();
    assert_eq!(given, expected);
    let back = changes(&mut resolver, APEX_77, 8);
    assert!(back.contains(&"7.1.77.10.in-addr.arpa. 300 PTR storage.cluster.".into()), "{back:?}");
    assert!(back.contains(&"8.1.77.10.in-addr.arpa. 300 PTR login.cluster.".into()), "{back:?}");
    // Whoever is from before the journal gets everything (RFC 1995 4); by UDP the SOA alone, whatever is asked (2).
    assert!(changes(&mut resolver, "cluster", 6).len() > 1000);
    let said = all(&mut resolver, Transport::Udp, SECONDARY, &ixfr("cluster", 7));
    assert_eq!((said.len(), said[0].answer.clone()), (1, vec![soa(10)]));
    // Where everything may be different, nobody is told how.
    named.zone = "other".into();
    named.serial = 11;
    resolver.handle(0, Input::Publish(Arc::new(named)), &mut Vec::new());
    assert!(changes(&mut resolver, APEX_77, 10).len() > 1000);
}

/// The same by arithmetic: an old copy and what has changed make the new copy.
#[test]
fn an_old_copy_and_its_changes_are_a_new_copy() {
    let mut resolver = with_secondary();
    let mut seed = 7_u32;
    for round in 0..20 {
        let mut serial = 100 + round * 10;
        for zone in ["cluster", APEX_77] {
            let mut held: BTreeSet<String> = copy(&mut resolver, zone).into_iter().skip(1).collect();
            let has: u32 = held
                .iter()
                .find(|row| row.contains(" SOA "))
                .unwrap()
                .split(' ')
                .nth(5)
                .unwrap()
                .parse()
                .unwrap();
            for _ in 0..4 {
                serial += 1;
                let changes = (0..5).map(|_| {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    let address = Ipv4Addr::new(10, 77, 200, u8::try_from(seed >> 24 & 7).unwrap());
                    match seed >> 20 & 3 {
                        0 => Change::Returned { address },
                        n => Change::Lent {
                            name: format!("h{}", seed >> 16 & 3),
                            address,
                            until_nanoseconds: u64::from(n),
                        },
                    }
                });
                let changes = Changes { serial, changes: changes.collect() };
                resolver.handle(0, Input::Change(changes), &mut Vec::new());
            }
            let rows = changes(&mut resolver, zone, has);
            let mut adding = true;
            for row in &rows[1..rows.len() - 1] {
                adding ^= row.contains(" SOA ");
                match adding {
                    true => assert!(held.insert(row.clone()), "{row} came and was there"),
                    false => assert!(held.remove(row), "{row} went and was not there"),
                }
            }
            let now: BTreeSet<String> = copy(&mut resolver, zone).into_iter().collect();
            assert_eq!(held, now, "{zone}");
        }
    }
}

#[test]
fn a_copy_is_of_one_serial_and_changes_do_not_wait_for_it() {
    let mut resolver = with_secondary();
    let mut out = Vec::new();
    let payload = query("cluster", AXFR);
    let from = SECONDARY.parse().unwrap();
    let begin = Input::Query(Query { transport: Transport::Tcp, from, id: QueryId(1), payload: &payload });
    resolver.handle(0, begin, &mut out);
    let [Output::More { transfer, .. }] = *out.as_slice() else { panic!("{out:?}") };
    let mut messages = Vec::new();
    for serial in 8.. {
        let name = format!("h{serial}");
        let lent = Change::Lent { name, address: Ipv4Addr::new(10, 77, 200, 1), until_nanoseconds: 1 };
        resolver.handle(0, Input::Change(Changes { serial, changes: vec![lent] }), &mut Vec::new());
        let mut out = Vec::new();
        resolver.handle(0, Input::More(transfer), &mut out);
        let is_last = !out.iter().any(|output| matches!(output, Output::More { .. }));
        messages.extend(out.into_iter().filter_map(|output| match output {
            Output::Reply { payload, .. } => Some(read(&payload)),
            Output::More { .. }
            | Output::Notify { .. }
            | Output::End { .. }
            | Output::Ask(_)
            | Output::Forget { .. }
            | Output::Update { .. }
            | Output::Denied { .. } => None,
        }));
        if is_last {
            break;
        }
    }
    let rows: Vec<_> = messages.iter().flat_map(|message| &message.answer).collect();
    assert!(messages.len() > 2);
    assert!(
        rows.iter().all(|row| !row.starts_with('h') || row.starts_with("heorot.")),
        "of the first serial"
    );
    assert!(rows.last().unwrap().contains(" 7 3600 "));
    // What is over is over.
    let mut out = Vec::new();
    resolver.handle(0, Input::More(transfer), &mut out);
    assert_eq!(out, []);
}

#[test]
fn secondaries_are_told() {
    let mut resolver = with_secondary();
    let mut out = Vec::new();
    let next = Directory { serial: 8, given_names: [(1, "a".into())].into(), ..directory() };
    resolver.handle(0, Input::Publish(Arc::new(next)), &mut out);
    let notices: Vec<_> = out
        .iter()
        .map(|output| match output {
            Output::Notify { to, payload } => {
                assert_eq!(to.to_string(), SECONDARY);
                payload.clone()
            }
            other @ (Output::Reply { .. }
            | Output::More { .. }
            | Output::End { .. }
            | Output::Ask(_)
            | Output::Forget { .. }
            | Output::Update { .. }
            | Output::Denied { .. }) => panic!("{other:?}"),
        })
        .collect();
    let zones: BTreeSet<_> = notices.iter().map(|notice| read(notice).questions.concat()).collect();
    let expected = ["cluster. 6", "77.10.in-addr.arpa. 6", "0.99.10.in-addr.arpa. 6"].map(str::to_owned);
    assert!(expected.iter().all(|zone| zones.contains(zone)) && zones.len() == 4, "{zones:?}");
    let first = read(&notices[0]);
    // RFC 1996 3.6 and 3.7: NOTIFY, AA, and the SOA.
    assert_eq!((first.flags, first.answer.len()), (4 << 11 | AA, 1));
    // An answer ends it, and gets none.
    for notice in &notices[1..] {
        let mut answer = notice.clone();
        answer[2] |= 0x80;
        answer[7] = 0;
        answer.truncate(12 + first.questions.len());
        assert_eq!(send_from(&mut resolver, Transport::Udp, SECONDARY, &answer), None);
    }
    let next = resolver.next_wakeup().unwrap();
    let mut out = Vec::new();
    resolver.handle(next, Input::Wake, &mut out);
    assert_eq!(out, [Output::Notify { to: SECONDARY.parse().unwrap(), payload: notices[0].clone() }]);
    assert_eq!(resolver.statistics().notices, 5);
}
