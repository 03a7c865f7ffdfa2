use super::*;
use crate::Prefix;
use crate::reading::{AA, QR, RD, Read, TC, read};
use heorot_names::{NumberRange, Numbering, Pattern};
use records::{records, with_option};
use std::net::{IpAddr, Ipv4Addr};

mod files;
mod octets;
mod records;
mod transfer;
mod updates;

const A: u16 = 1;
const NS: u16 = 2;
const CNAME: u16 = 5;
const SOA: u16 = 6;
const PTR: u16 = 12;
const MX: u16 = 15;
const TXT: u16 = 16;
const AAAA: u16 = 28;
const SRV: u16 = 33;
const ANY: u16 = 255;
const NOERROR: u16 = 0;
const FORMERR: u16 = 1;
const SERVFAIL: u16 = 2;
const NXDOMAIN: u16 = 3;
const NOTIMP: u16 = 4;
const REFUSED: u16 = 5;

const SOA_TEXT: &str = "cluster. 60 SOA heorot.cluster. hostmaster.cluster. 7 3600 600 604800 60";
const SOA_77: &str = "77.10.in-addr.arpa. 60 SOA heorot.cluster. hostmaster.cluster. 7 3600 600 604800 60";
const SOA_99: &str = "0.99.10.in-addr.arpa. 60 SOA heorot.cluster. hostmaster.cluster. 7 3600 600 604800 60";

fn directory() -> Directory {
    let network = |highest, first: [u8; 4], first_ipv6: Option<&str>, suffix: &str| Numbering {
        numbers: NumberRange { lowest: 0, highest },
        first: first.into(),
        first_ipv6: first_ipv6.map(|first| first.parse().unwrap()),
        suffix: suffix.into(),
    };
    let hosts = [("switch", "10.77.9.20"), ("printer", "10.77.9.21"), ("printer", "fd77::9")];
    Directory {
        zone: "cluster".into(),
        pattern: Pattern::parse("node{}").unwrap(),
        networks: vec![
            network(1023, [10, 77, 1, 0], None, ""),
            network(99, [10, 99, 0, 0], Some("fd77::1:f0"), "-ib"),
        ],
        given_names: [(7, "storage".into())].into(),
        hosts: hosts
            .into_iter()
            .map(|(name, address)| (name.to_owned(), address.parse::<IpAddr>().unwrap()))
            .collect(),
        records: records(),
        files: Default::default(),
        serial: 7,
        hardware_addresses: Default::default(),
        groups: Default::default(),
    }
}

fn settings() -> Settings {
    let prefix = |address: &str, length| Prefix { address: address.parse().unwrap(), length };
    Settings {
        hosts: [
            ("heorot".into(), vec![[10, 77, 0, 1].into(), [10, 99, 0, 254].into()]),
            ("alias".into(), vec![[10, 77, 0, 1].into()]),
            ("many".into(), (0..70).map(|n| Ipv4Addr::new(192, 0, 2, n)).collect()),
        ]
        .into(),
        reverse_prefixes: vec![prefix("10.77.0.0", 16), prefix("10.99.0.0", 24), prefix("fd77::", 64)],
        ..Settings::default()
    }
}

fn resolver() -> Resolver {
    Resolver::new(settings(), Arc::new(directory())).unwrap()
}

/// Header and question of a query with RD.
fn query(name: &str, rtype: u16) -> Vec<u8> {
    let mut message = vec![0xab, 0xcd, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.').filter(|label| !label.is_empty()) {
        message.push(u8::try_from(label.len()).unwrap());
        message.extend(label.as_bytes());
    }
    message.push(0);
    message.extend(rtype.to_be_bytes());
    message.extend([0, 1]);
    message
}

/// The query with an OPT record: size, extended code, version, flags (RFC 6891 6.1.2).
fn with_opt(mut message: Vec<u8>, udp_octets: u16, version: u8, flags: u16) -> Vec<u8> {
    message[11] += 1;
    message.extend([0, 0, 41]);
    message.extend(udp_octets.to_be_bytes());
    message.extend([0, version]);
    message.extend(flags.to_be_bytes());
    message.extend([0, 0]);
    message
}

fn send_from(resolver: &mut Resolver, transport: Transport, from: &str, payload: &[u8]) -> Option<Vec<u8>> {
    let from = from.parse().unwrap();
    let mut out = Vec::new();
    resolver.handle(0, Input::Query(Query { transport, from, id: QueryId(9), payload }), &mut out);
    assert!(out.len() <= 1, "{out:?}");
    match out.pop() {
        Some(Output::Reply { transport: back, to, id, payload }) => {
            assert_eq!((back, to, id), (transport, from, QueryId(9)));
            Some(payload)
        }
        Some(Output::More { .. } | Output::Notify { .. }) => panic!("nobody may copy"),
        Some(Output::End { id }) => {
            assert_eq!((transport, id), (Transport::Tcp, QueryId(9)));
            None
        }
        Some(Output::Ask(_) | Output::Forget { .. } | Output::Update { .. } | Output::Denied { .. }) => {
            panic!("nobody is asked")
        }
        None => {
            assert_eq!(transport, Transport::Udp, "a stream is answered or ended");
            None
        }
    }
}

fn udp(resolver: &mut Resolver, payload: &[u8]) -> Option<Vec<u8>> {
    send_from(resolver, Transport::Udp, "10.77.1.9:4000", payload)
}

fn ask(name: &str, rtype: u16) -> Read {
    read(&udp(&mut resolver(), &query(name, rtype)).unwrap())
}

#[test]
fn what_our_zones_answer() {
    let apex_soa = SOA_TEXT.replace(" 60 SOA", " 300 SOA");
    let apex_soa_77 = SOA_77.replace(" 60 SOA", " 300 SOA");
    let table: &[(&str, u16, &[&str])] = &[
        ("node0.cluster", A, &["node0.cluster. 300 A 10.77.1.0"]),
        ("node1023.cluster", A, &["node1023.cluster. 300 A 10.77.4.255"]),
        ("storage.cluster", A, &["storage.cluster. 300 A 10.77.1.7"]),
        ("node7.cluster", A, &["node7.cluster. 300 A 10.77.1.7"]),
        ("switch.cluster", A, &["switch.cluster. 300 A 10.77.9.20"]),
        ("20.9.77.10.in-addr.arpa", PTR, &["20.9.77.10.in-addr.arpa. 300 PTR switch.cluster."]),
        ("node23-ib.cluster", A, &["node23-ib.cluster. 300 A 10.99.0.23"]),
        ("heorot.cluster", A, &["heorot.cluster. 300 A 10.77.0.1", "heorot.cluster. 300 A 10.99.0.254"]),
        // The case of the question is that of the answer (draft-vixie-dnsext-dns0x20); it finds the same (RFC 4343 3).
        ("nOdE0.CLusTEr", A, &["nOdE0.CLusTEr. 300 A 10.77.1.0"]),
        ("0.1.77.10.in-addr.arpa", PTR, &["0.1.77.10.in-addr.arpa. 300 PTR node0.cluster."]),
        ("7.1.77.10.In-Addr.ARPA", PTR, &["7.1.77.10.In-Addr.ARPA. 300 PTR storage.cluster."]),
        ("7.0.99.10.in-addr.arpa", PTR, &["7.0.99.10.in-addr.arpa. 300 PTR storage-ib.cluster."]),
        ("1.0.77.10.in-addr.arpa", PTR, &["1.0.77.10.in-addr.arpa. 300 PTR heorot.cluster."]),
        ("254.0.99.10.in-addr.arpa", PTR, &["254.0.99.10.in-addr.arpa. 300 PTR heorot.cluster."]),
        ("cluster", SOA, &[&apex_soa]),
        ("cluster", NS, &["cluster. 300 NS heorot.cluster.", "cluster. 300 NS ns.example.org."]),
        ("77.10.in-addr.arpa", SOA, &[&apex_soa_77]),
        ("0.99.10.in-addr.arpa", NS, &["0.99.10.in-addr.arpa. 300 NS heorot.cluster."]),
        ("cluster", A, &["cluster. 300 A 10.77.0.3"]),
        ("cluster", MX, &["cluster. 300 MX 10 printer.cluster."]),
        ("printer.cluster", A, &["printer.cluster. 300 A 10.77.9.21"]),
        ("printer.cluster", AAAA, &["printer.cluster. 300 AAAA fd77::9"]),
        ("21.9.77.10.in-addr.arpa", PTR, &["21.9.77.10.in-addr.arpa. 300 PTR printer.cluster."]),
        ("switch.cluster", TXT, &[r#"switch.cluster. 300 TXT "rack 7" "on top""#]),
        ("heorot.cluster", AAAA, &["heorot.cluster. 300 AAAA fd77::1"]),
        ("node23-ib.cluster", AAAA, &["node23-ib.cluster. 300 AAAA fd77::1:107"]),
        ("deep.er.cluster", A, &["deep.er.cluster. 300 A 192.0.2.2", "deep.er.cluster. 300 A 192.0.2.3"]),
        ("x.NODE3.cluster", A, &["x.NODE3.cluster. 300 A 192.0.2.4"]),
        (
            "_ldap._tcp.cluster",
            SRV,
            &[
                "_ldap._tcp.cluster. 300 SRV 0 5 389 printer.cluster.",
                "_ldap._tcp.cluster. 300 SRV 0 5 390 ldap.example.org.",
            ],
        ),
        ("_none._udp.cluster", SRV, &["_none._udp.cluster. 300 SRV 0 5 0 ."]),
        (
            "mail.cluster",
            MX,
            &["mail.cluster. 300 MX 5 node5.cluster.", "mail.cluster. 300 MX 5 node0-ib.cluster."],
        ),
        ("www.cluster", CNAME, &["www.cluster. 300 CNAME printer.cluster."]),
        ("www.cluster", ANY, &["www.cluster. 300 CNAME printer.cluster."]),
        // RFC 1034 3.6.2: an alias is followed, and the answer has each step.
        ("www.cluster", A, &["www.cluster. 300 CNAME printer.cluster.", "printer.cluster. 300 A 10.77.9.21"]),
        (
            "first.cluster",
            AAAA,
            &[
                "first.cluster. 300 CNAME www.cluster.",
                "www.cluster. 300 CNAME printer.cluster.",
                "printer.cluster. 300 AAAA fd77::9",
            ],
        ),
        // Where the name is elsewhere, so is the rest.
        ("away.cluster", A, &["away.cluster. 300 CNAME www.example.org."]),
        // RFC 8482 4.1: one of the sets.
        ("node0.cluster", ANY, &["node0.cluster. 300 A 10.77.1.0"]),
        ("0.1.77.10.in-addr.arpa", ANY, &["0.1.77.10.in-addr.arpa. 300 PTR node0.cluster."]),
        ("cluster", ANY, &[&apex_soa]),
    ];
    for (name, rtype, answer) in table {
        let reply = ask(name, *rtype);
        // RFC 1035 4.1.1: RD is copied, AA is ours, RA is not.
        assert_eq!((reply.id, reply.flags), (0xabcd, QR | AA | RD | NOERROR), "{name} {rtype}");
        assert_eq!(reply.questions, [format!("{name}. {rtype}")]);
        assert_eq!(reply.answer, *answer, "{name} {rtype}");
        assert_eq!(reply.authority, [""; 0], "{name} {rtype}");
    }
}

#[test]
fn what_is_not_there() {
    let table: &[(&str, u16, u16, &str)] = &[
        // RFC 2308 2.2: the name exists, the type does not.
        ("node0.cluster", AAAA, NOERROR, SOA_TEXT),
        (
            "NODE0.cluster",
            TXT,
            NOERROR,
            "cluster. 60 SOA heorot.cluster. hostmaster.cluster. 7 3600 600 604800 60",
        ),
        ("heorot.cluster", TXT, NOERROR, SOA_TEXT),
        ("cluster", AAAA, NOERROR, SOA_TEXT),
        ("77.10.in-addr.arpa", PTR, NOERROR, SOA_77),
        ("0.1.77.10.in-addr.arpa", A, NOERROR, SOA_77),
        // RFC 8020 2: names that have nothing but names below them.
        ("1.77.10.in-addr.arpa", PTR, NOERROR, SOA_77),
        ("4.77.10.in-addr.arpa", ANY, NOERROR, SOA_77),
        ("0.77.10.in-addr.arpa", PTR, NOERROR, SOA_77),
        ("_tcp.cluster", SRV, NOERROR, SOA_TEXT),
        ("er.cluster", A, NOERROR, SOA_TEXT),
        ("printer.cluster", TXT, NOERROR, SOA_TEXT),
        ("deep.er.cluster", AAAA, NOERROR, SOA_TEXT),
        // RFC 2308 2.1: the name does not exist.
        ("_udp._tcp.cluster", SRV, NXDOMAIN, SOA_TEXT),
        ("xdeep.er.cluster", A, NXDOMAIN, SOA_TEXT),
        ("x.deep.er.cluster", A, NXDOMAIN, SOA_TEXT),
        ("y.node3.cluster", A, NXDOMAIN, SOA_TEXT),
        ("node1024.cluster", A, NXDOMAIN, SOA_TEXT),
        ("node00.cluster", A, NXDOMAIN, SOA_TEXT),
        ("node100-ib.cluster", A, NXDOMAIN, SOA_TEXT),
        ("else.cluster", AAAA, NXDOMAIN, SOA_TEXT),
        ("else.cluster", ANY, NXDOMAIN, SOA_TEXT),
        ("x.node0.cluster", A, NXDOMAIN, SOA_TEXT),
        ("cluster.cluster", A, NXDOMAIN, SOA_TEXT),
        ("5.77.10.in-addr.arpa", PTR, NXDOMAIN, SOA_77),
        ("0.5.77.10.in-addr.arpa", PTR, NXDOMAIN, SOA_77),
        ("2.0.77.10.in-addr.arpa", PTR, NXDOMAIN, SOA_77),
        ("9.0.1.77.10.in-addr.arpa", PTR, NXDOMAIN, SOA_77),
        ("00.1.77.10.in-addr.arpa", PTR, NXDOMAIN, SOA_77),
        ("x.77.10.in-addr.arpa", PTR, NXDOMAIN, SOA_77),
        ("100.0.99.10.in-addr.arpa", PTR, NXDOMAIN, SOA_99),
    ];
    for (name, rtype, code, soa) in table {
        let reply = ask(name, *rtype);
        assert_eq!(reply.flags, QR | AA | RD | code, "{name} {rtype}");
        assert_eq!((reply.answer.len(), reply.additional.len()), (0, 0), "{name} {rtype}");
        // The zone's name is a pointer into the question, and has the case of that.
        let authority: Vec<_> = reply.authority.iter().map(|soa| soa.to_lowercase()).collect();
        assert_eq!(authority, [soa.to_lowercase()], "{name} {rtype}");
    }
}

#[test]
fn what_is_refused_or_not_done() {
    let with_class = |class: u8| {
        let mut message = query("version.bind", TXT);
        *message.last_mut().unwrap() = class;
        message
    };
    let mut in_our_zone = query("node0.cluster", A);
    *in_our_zone.last_mut().unwrap() = 255;
    let opcode = |opcode: u8| {
        let mut message = query("node0.cluster", A);
        message[2] |= opcode << 3;
        message
    };
    let table: &[(&str, Vec<u8>, u16)] = &[
        ("elsewhere", query("example.org", A), REFUSED),
        ("the root", query("", NS), REFUSED),
        ("above us", query("10.in-addr.arpa", PTR), REFUSED),
        ("beside us", query("0.0.78.10.in-addr.arpa", PTR), REFUSED),
        ("IPv6", query("1.0.ip6.arpa", PTR), REFUSED),
        ("ends like us", query("mycluster", A), REFUSED),
        ("a copy of the zone (RFC 5936 5)", query("cluster", 252), REFUSED),
        ("a part of it (RFC 1995 2), without what the asker has", query("cluster", 251), FORMERR),
        ("class CHAOS", with_class(3), REFUSED),
        ("class ANY", in_our_zone, REFUSED),
        ("MAILA", query("node0.cluster", 254), NOTIMP),
        ("OPT as a question", query("node0.cluster", 41), FORMERR),
        ("TSIG as a question", query("node0.cluster", 250), FORMERR),
        ("IQUERY (RFC 3425 3)", opcode(1), NOTIMP | 1 << 11),
        ("NOTIFY", opcode(4), NOTIMP | 4 << 11),
        ("UPDATE (RFC 2136 3.1.1) of what is no zone", opcode(5), FORMERR | 5 << 11),
        ("opcode 15", opcode(15), NOTIMP | 15 << 11),
    ];
    for (what, message, code) in table {
        let reply = read(&udp(&mut resolver(), message).unwrap_or_else(|| panic!("{what}")));
        assert_eq!(reply.flags, QR | RD | code, "{what}");
        let records = reply.answer.len() + reply.authority.len() + reply.additional.len();
        assert_eq!(records, 0, "{what}");
    }
}

#[test]
fn what_gets_no_reply() {
    let changed = |change: fn(&mut Vec<u8>)| {
        let mut message = query("node0.cluster", A);
        change(&mut message);
        message
    };
    let table: &[(Vec<u8>, &str, Dropped)] = &[
        (vec![], "192.0.2.1:53", Dropped::Short),
        (query("node0.cluster", A)[..11].to_vec(), "192.0.2.1:53", Dropped::Short),
        (changed(|m| m[2] |= 0x80), "192.0.2.1:53", Dropped::Response),
        (changed(|m| m[2] |= 0x80 | 5 << 3), "192.0.2.1:53", Dropped::Response),
        (
            changed(|m| m.truncate(12)).into_iter().map(|b| b | 0x80).collect(),
            "192.0.2.1:53",
            Dropped::Response,
        ),
        (changed(|m| m[3] |= 1), "192.0.2.1:53", Dropped::Error),
        (query("node0.cluster", A), "192.0.2.1:0", Dropped::PortZero),
    ];
    for (message, from, reason) in table {
        let mut resolver = resolver();
        assert_eq!(send_from(&mut resolver, Transport::Udp, from, message), None, "{reason:?}");
        assert_eq!(resolver.statistics().dropped(*reason), 1, "{reason:?}");
        assert_eq!(resolver.statistics().queries_udp, 1);
    }
}

#[test]
fn what_cannot_be_read_is_a_format_error() {
    let good = query("node0.cluster", A);
    let cut = |octets: usize| good[..octets].to_vec();
    let counts = |questions: u8, additional: u8| {
        let mut message = good.clone();
        (message[5], message[11]) = (questions, additional);
        message
    };
    let mut compressed = cut(12);
    compressed.extend([0xc0, 0x00, 0, 1, 0, 1]);
    let mut into_itself = cut(12);
    into_itself.extend([0xc0, 0x0c, 0, 1, 0, 1]);
    let mut reserved = cut(12);
    reserved.extend([0x80, 0x00, 0, 1, 0, 1]);
    let mut long = cut(12);
    long.extend([63; 64 * 4 + 1]);
    long.extend([0, 0, 1, 0, 1]);
    let two_opts = with_opt(with_opt(good.clone(), 1232, 0, 0), 1232, 0, 0);
    let mut named_opt = with_opt(good.clone(), 1232, 0, 0);
    named_opt.splice(good.len()..=good.len(), [1, b'x', 0]);
    let mut cut_opt = with_opt(good.clone(), 1232, 0, 0);
    cut_opt.pop();
    let mut option_past_its_end = with_opt(good.clone(), 1232, 0, 0);
    let last = option_past_its_end.len() - 1;
    option_past_its_end[last] = 4;
    option_past_its_end.extend([0, 10, 0, 9]);
    // Whether the question comes back: it does if it can be read.
    let table: &[(&str, Vec<u8>, bool)] = &[
        ("a header alone", cut(12), false),
        ("half a name", cut(16), false),
        ("a name alone", cut(27), false),
        ("no class", cut(29), false),
        ("no question (RFC 9619 4)", counts(0, 0), false),
        ("two questions (RFC 9619 4)", counts(2, 0), false),
        ("255 questions", counts(255, 0), false),
        ("a first name that points into the header", compressed, false),
        ("a name that points to itself", into_itself, false),
        ("a label type that is reserved", reserved, false),
        ("a name of more than 255 octets", long, false),
        ("a record that is counted and not there", counts(1, 1), true),
        ("two OPTs (RFC 6891 6.1.1)", two_opts, true),
        ("an OPT with a name (RFC 6891 6.1.2)", named_opt, true),
        ("half an OPT", cut_opt, true),
        ("an option past the end of its record", option_past_its_end, true),
    ];
    for (what, message, question) in table {
        let mut resolver = resolver();
        let reply = read(&udp(&mut resolver, message).unwrap_or_else(|| panic!("{what}")));
        assert_eq!(reply.flags, QR | RD | FORMERR, "{what}");
        assert_eq!(reply.questions.len(), usize::from(*question), "{what}");
        assert_eq!((reply.answer.len(), reply.authority.len(), reply.additional.len()), (0, 0, 0), "{what}");
        assert_eq!(resolver.statistics().replies(ResponseCode::FormErr), 1, "{what}");
    }
}

#[test]
fn edns_comes_back() {
    let table: &[(u16, u8, u16, u16, &str)] = &[
        (1232, 0, 0, NOERROR, "OPT 1232 00000000"),
        (0, 0, 0, NOERROR, "OPT 1232 00000000"),
        (65535, 0, 0, NOERROR, "OPT 1232 00000000"),
        // RFC 3225 3: DO is copied; the other flags are not (RFC 6891 6.1.4).
        (4096, 0, 0xffff, NOERROR, "OPT 1232 00008000"),
        // RFC 6891 6.1.3: BADVERS is 16: 1 here and 0 in the header; our version is 0.
        (1232, 1, 0, NOERROR, "OPT 1232 01000000"),
        (1232, 255, 0x8000, NOERROR, "OPT 1232 01008000"),
    ];
    for (size, version, flags, code, opt) in table {
        let message = with_opt(query("node0.cluster", A), *size, *version, *flags);
        let reply = read(&udp(&mut resolver(), &message).unwrap());
        let authoritative = if *version == 0 { AA } else { 0 };
        assert_eq!(reply.flags, QR | RD | authoritative | code, "{opt}");
        assert_eq!(reply.additional, [*opt]);
        assert_eq!(reply.answer.len(), usize::from(*version == 0), "{opt}");
    }
    // RFC 6891 7: also with an error, and with a denial; and never without being asked.
    for (name, code) in [("example.org", REFUSED), ("else.cluster", NXDOMAIN | AA)] {
        let reply = read(&udp(&mut resolver(), &with_opt(query(name, A), 1232, 0, 0)).unwrap());
        assert_eq!((reply.flags, reply.additional.len()), (QR | RD | code, 1), "{name}");
    }
    // An option that we do not know is ignored (RFC 6891 6.1.2); so is a record that is no OPT.
    let unknown = with_option(query("node0.cluster", A), 65001, &[1, 2, 3]);
    assert_eq!(read(&udp(&mut resolver(), &unknown).unwrap()).additional, ["OPT 1232 00000000"]);
}

#[test]
fn udp_is_cut_and_tcp_is_not() {
    // 70 addresses: 12 + 18 + 70 * 16 = 1150 octets, 1161 with OPT.
    let plain = query("many.cluster", A);
    let opt = |size| with_opt(query("many.cluster", A), size, 0, 0);
    let table: &[(&str, Vec<u8>, Transport, Option<usize>)] = &[
        ("RFC 1035 2.3.4: 512", plain.clone(), Transport::Udp, None),
        ("RFC 6891 6.2.3: less is 512", opt(100), Transport::Udp, None),
        ("one octet too few", opt(1160), Transport::Udp, None),
        ("as many as are needed", opt(1161), Transport::Udp, Some(1161)),
        ("ours is the limit", opt(65535), Transport::Udp, Some(1161)),
        ("TCP, plain", plain, Transport::Tcp, Some(1150)),
        ("TCP has no use for the size", opt(512), Transport::Tcp, Some(1161)),
    ];
    for (what, message, transport, octets) in table {
        let mut resolver = resolver();
        let reply = send_from(&mut resolver, *transport, "10.77.1.9:4000", message).unwrap();
        let text = read(&reply);
        match octets {
            Some(octets) => {
                assert_eq!(text.flags, QR | AA | RD, "{what}");
                assert_eq!((text.answer.len(), reply.len()), (70, *octets), "{what}");
            }
            None => {
                // RFC 2181 9: TC, and no part of the set.
                assert_eq!((text.flags, text.answer.len()), (QR | AA | RD | TC, 0), "{what}");
                assert_eq!(text.additional.len(), usize::from(message[11]), "{what}");
                assert_eq!(resolver.statistics().truncated, 1);
            }
        }
    }
}

#[test]
fn an_address_and_its_name_lead_to_each_other() {
    let mut resolver = resolver();
    for number in 0..1024_u32 {
        let [a, b, c, d] = (u32::from(Ipv4Addr::new(10, 77, 1, 0)) + number).to_be_bytes();
        let reverse =
            read(&udp(&mut resolver, &query(&format!("{d}.{c}.{b}.{a}.in-addr.arpa"), PTR)).unwrap());
        let name = reverse.answer[0].rsplit(' ').next().unwrap().to_owned();
        let forward = read(&udp(&mut resolver, &query(&name, A)).unwrap());
        assert_eq!(forward.answer, [format!("{name} 300 A {a}.{b}.{c}.{d}")]);
    }
    assert_eq!(resolver.statistics().replies(ResponseCode::NoError), 2048);
}

#[test]
fn a_snapshot_replaces_the_last_one() {
    let mut resolver = resolver();
    let publish = |resolver: &mut Resolver, input| {
        let mut out = Vec::new();
        resolver.handle(0, input, &mut out);
        assert_eq!(out, []);
        read(&udp(resolver, &query("login.cluster", A)).unwrap())
    };
    let mut next = directory();
    next.given_names.insert(8, "login".into());
    next.serial = 8;
    let next = Arc::new(next);
    let reply = publish(&mut resolver, Input::Publish(Arc::clone(&next)));
    assert_eq!(reply.answer, ["login.cluster. 300 A 10.77.1.8"]);
    let serial = |resolver: &mut Resolver| {
        let reply = read(&udp(resolver, &query("cluster", SOA)).unwrap());
        reply.answer[0].split(' ').nth(5).unwrap().to_owned()
    };
    assert_eq!(serial(&mut resolver), "8");
    // The same again is no news.
    publish(&mut resolver, Input::Publish(Arc::clone(&next)));
    assert_eq!(serial(&mut resolver), "8");
    // Nor is a node that was seen for the first time: no name changed, and secondaries have nothing to copy.
    let seen = Directory { hardware_addresses: [(3, [2, 0, 0, 0, 0, 3])].into(), ..(*next).clone() };
    publish(&mut resolver, Input::Publish(Arc::new(seen)));
    assert_eq!(serial(&mut resolver), "8");

    // A zone that is no name: what was there stays.
    let wrong = Directory { zone: "clu..ster".into(), ..directory() };
    let reply = publish(&mut resolver, Input::Publish(Arc::new(wrong)));
    assert_eq!(reply.answer.len(), 1);
    assert_eq!(resolver.statistics().snapshots_refused, 1);

    let shorter = Settings { ttl_seconds: 5, reverse_prefixes: Vec::new(), ..settings() };
    let reply = publish(&mut resolver, Input::Configure(shorter));
    assert_eq!(reply.answer, ["login.cluster. 5 A 10.77.1.8"]);
    let reply = read(&udp(&mut resolver, &query("0.1.77.10.in-addr.arpa", PTR)).unwrap());
    assert_eq!(reply.flags, QR | RD | REFUSED);
    assert_eq!(serial(&mut resolver), "8", "the configuration alone raises none: its directory does");
}

#[test]
fn the_smaller_of_two_times_bounds_a_denial() {
    // RFC 2308 3 and 5: the lesser of the SOA's own TTL and its MINIMUM.
    for (ttl_seconds, negative_ttl_seconds, kept) in
        [(300, 60, 60), (10, 60, 10), (u32::MAX, u32::MAX, 0x7fff_ffff)]
    {
        let settings = Settings { ttl_seconds, negative_ttl_seconds, ..settings() };
        let mut resolver = Resolver::new(settings, Arc::new(directory())).unwrap();
        let reply = read(&udp(&mut resolver, &query("else.cluster", A)).unwrap());
        let ttl: u32 = reply.authority[0].split(' ').nth(1).unwrap().parse().unwrap();
        assert_eq!(ttl, kept);
    }
}

#[test]
fn names_that_are_none_are_found_at_the_start() {
    let zone = Directory { zone: String::new(), ..directory() };
    assert!(Resolver::new(settings(), Arc::new(zone)).is_err());
    for host in ["", "a.b", &"a".repeat(64)] {
        let server = Settings { server_name: host.into(), ..settings() };
        assert!(Resolver::new(server, Arc::new(directory())).is_err(), "{host}");
        let mut hosts = settings();
        hosts.hosts.insert(host.into(), vec![Ipv4Addr::LOCALHOST]);
        assert!(Resolver::new(hosts, Arc::new(directory())).is_err(), "{host}");
    }
}

#[test]
fn a_name_too_long_to_be_told_is_our_fault() {
    let mut directory = directory();
    directory.networks[1].suffix = format!("-{}", "x".repeat(60));
    let mut resolver = Resolver::new(settings(), Arc::new(directory)).unwrap();
    let reply = read(&udp(&mut resolver, &query("5.0.99.10.in-addr.arpa", PTR)).unwrap());
    assert_eq!(reply.flags, QR | RD | SERVFAIL);
}
