//! What is written down and not computed, names that come and go, and cookies.

use super::*;
use heorot_names::{Change, Record, RecordData};

const DS: u16 = 43;

pub(super) fn records() -> Vec<Record> {
    let srv = |port, target: &str| RecordData::Srv { priority: 0, weight: 5, port, target: target.into() };
    let table = [
        ("", RecordData::Mx(10, "printer.cluster".into())),
        ("", RecordData::Ns("ns.example.org".into())),
        ("", RecordData::A(Ipv4Addr::new(10, 77, 0, 3))),
        ("switch", RecordData::Txt(vec![b"rack 7".to_vec(), b"on top".to_vec()])),
        ("heorot", RecordData::Aaaa("fd77::1".parse().unwrap())),
        ("_ldap._tcp", srv(389, "printer.cluster")),
        ("_ldap._tcp", srv(390, "ldap.example.org")),
        ("_none._udp", srv(0, "")),
        ("www", RecordData::Cname("printer.cluster".into())),
        ("first", RecordData::Cname("www.cluster".into())),
        ("mail", RecordData::Mx(5, "node5.cluster".into())),
        ("mail", RecordData::Mx(5, "node0-ib.cluster".into())),
        ("gone", RecordData::Cname("nobody.cluster".into())),
        ("away", RecordData::Cname("www.example.org".into())),
        ("round", RecordData::Cname("round-about.cluster".into())),
        ("round-about", RecordData::Cname("round.cluster".into())),
        ("below", RecordData::Ns("ns.below.cluster".into())),
        ("below", RecordData::Ns("ns.example.org".into())),
        ("ns.below", RecordData::A(Ipv4Addr::new(192, 0, 2, 1))),
        ("to-below", RecordData::Cname("a.below.cluster".into())),
        ("deep.er", RecordData::A(Ipv4Addr::new(192, 0, 2, 2))),
        ("deep.er", RecordData::A(Ipv4Addr::new(192, 0, 2, 3))),
        ("x.node3", RecordData::A(Ipv4Addr::new(192, 0, 2, 4))),
    ];
    table.into_iter().map(|(name, data)| Record { name: name.into(), data }).collect()
}

/// Sixteen labels of ip6.arpa before those of the prefix fd77::/64.
fn ipv6_name(host: &str) -> String {
    let digits: Vec<_> = format!("{host:0>16}").chars().rev().map(String::from).collect();
    format!("{}.0.0.0.0.0.0.0.0.0.0.0.0.7.7.d.f.ip6.arpa", digits.join("."))
}

#[test]
fn addresses_of_ipv6_have_names() {
    let apex = "0.0.0.0.0.0.0.0.0.0.0.0.7.7.d.f.ip6.arpa";
    let table: &[(&str, u16, &str)] = &[
        (&ipv6_name("100f0"), NOERROR, "node0-ib.cluster."),
        (&ipv6_name("10107"), NOERROR, "node23-ib.cluster."),
        (&ipv6_name("10107").to_uppercase(), NOERROR, "node23-ib.cluster."),
        (&ipv6_name("10153"), NOERROR, "node99-ib.cluster."),
        (&ipv6_name("9"), NOERROR, "printer.cluster."),
        (&ipv6_name("10154"), NXDOMAIN, ""),
        (&ipv6_name("100ef"), NXDOMAIN, ""),
        (&format!("0.{}", ipv6_name("9")), NXDOMAIN, ""),
        (&format!("1.{apex}"), NXDOMAIN, ""),
        (&format!("00.{apex}"), NXDOMAIN, ""),
        // RFC 8020 2: names that have nothing but names below them.
        (&format!("0.{apex}"), NOERROR, ""),
        (apex, NOERROR, ""),
        ("1.0.0.0.0.0.0.0.0.0.0.0.0.7.7.d.f.ip6.arpa", NXDOMAIN, ""),
        ("7.7.d.f.ip6.arpa", REFUSED, ""),
        ("1.0.0.0.0.0.0.0.0.0.0.0.7.7.d.f.ip6.arpa.", REFUSED, ""),
    ];
    for (name, code, host) in table {
        let reply = ask(name, PTR);
        assert_eq!(reply.flags & 15, *code, "{name}");
        let answer = reply.answer.first().and_then(|record| record.rsplit(' ').next());
        assert_eq!(answer.unwrap_or_default(), *host, "{name}");
        let denied = usize::from(answer.is_none() && *code != REFUSED);
        assert_eq!(reply.authority.len(), denied, "{name}");
    }
}

#[test]
fn aliases_that_end_nowhere() {
    // RFC 2308 2.1 and 2.2: what is denied is the last name; the code is that of the last name (RFC 6604 3).
    let gone = ask("gone.cluster", A);
    assert_eq!(gone.flags, QR | AA | RD | NXDOMAIN);
    assert_eq!(gone.answer, ["gone.cluster. 300 CNAME nobody.cluster."]);
    assert_eq!(gone.authority, [SOA_TEXT]);
    let no_data = ask("www.cluster", TXT);
    assert_eq!((no_data.flags, no_data.answer.len()), (QR | AA | RD | NOERROR, 1));
    assert_eq!(no_data.authority, [SOA_TEXT]);
    let round = ask("round.cluster", A);
    assert_eq!((round.flags, round.answer.len()), (QR | AA | RD | NOERROR, 8));
}

#[test]
fn a_zone_below_is_somebody_elses() {
    let servers = ["below.cluster. 300 NS ns.below.cluster.", "below.cluster. 300 NS ns.example.org."];
    for name in ["below.cluster", "a.below.cluster", "ns.below.cluster", "a.b.c.below.cluster"] {
        for kind in [A, NS, ANY] {
            let reply = ask(name, kind);
            // RFC 1034 4.3.2 3 b: a referral, of which we are not the authority.
            assert_eq!(reply.flags, QR | RD | NOERROR, "{name}");
            assert_eq!(reply.answer, [""; 0], "{name}");
            assert_eq!(reply.authority, servers, "{name}");
            assert_eq!(reply.additional, ["ns.below.cluster. 300 A 192.0.2.1"], "{name}");
        }
    }
    let reply = ask("to-below.cluster", A);
    assert_eq!(reply.flags, QR | AA | RD | NOERROR);
    assert_eq!(reply.answer, ["to-below.cluster. 300 CNAME a.below.cluster."]);
    assert_eq!(reply.authority, servers);
}

#[test]
fn the_zone_above_is_asked_for_ds() {
    let reply = ask("below.cluster", DS);
    assert_eq!(reply.flags, QR | AA | RD | NOERROR);
    assert_eq!((reply.answer.len(), reply.authority.as_slice()), (0, &[SOA_TEXT.to_owned()][..]));
    // Of what is below, the zone below knows.
    let reply = ask("a.below.cluster", DS);
    assert_eq!((reply.flags, reply.authority.len()), (QR | RD | NOERROR, 2));
}

#[test]
fn an_authority_clears_cd() {
    let mut message = query("node0.cluster", A);
    message[3] |= 0x10;
    let reply = read(&udp(&mut resolver(), &message).unwrap());
    assert_eq!(reply.flags, QR | AA | RD | NOERROR);
}

#[test]
fn hosts_that_are_told_come_with_their_addresses() {
    let table: &[(&str, u16, &[&str])] = &[
        ("cluster", MX, &["printer.cluster. 300 A 10.77.9.21", "printer.cluster. 300 AAAA fd77::9"]),
        (
            "_ldap._tcp.cluster",
            SRV,
            &["printer.cluster. 300 A 10.77.9.21", "printer.cluster. 300 AAAA fd77::9"],
        ),
        (
            "mail.cluster",
            MX,
            &[
                "node5.cluster. 300 A 10.77.1.5",
                "node0-ib.cluster. 300 A 10.99.0.0",
                "node0-ib.cluster. 300 AAAA fd77::1:f0",
            ],
        ),
        ("www.cluster", A, &[]),
        ("_none._udp.cluster", SRV, &[]),
    ];
    for (name, kind, additional) in table {
        assert_eq!(ask(name, *kind).additional, *additional, "{name}");
    }
}

/// A host that has an address lent is known as long as its loan lasts.
#[test]
fn names_that_come_and_go() {
    const SECOND: u64 = 1_000_000_000;
    let mut resolver = resolver();
    let lent = |name: &str, last: u8, until: u64| Change::Lent {
        name: name.into(),
        address: Ipv4Addr::new(10, 77, 200, last),
        until_nanoseconds: until * SECOND,
    };
    let returned = |last: u8| Change::Returned { address: Ipv4Addr::new(10, 77, 200, last) };
    let ask = |resolver: &mut Resolver, seconds: u64, name: &str, rtype| {
        let payload = query(name, rtype);
        let from = "10.77.1.9:4000".parse().unwrap();
        let input = Query { transport: Transport::Udp, from, id: QueryId(9), payload: &payload };
        let mut out = Vec::new();
        resolver.handle(seconds * SECOND, Input::Query(input), &mut out);
        let Some(Output::Reply { payload, .. }) = out.pop() else { panic!("no reply") };
        read(&payload)
    };
    let change = |resolver: &mut Resolver, serial, changes: &[Change]| {
        let mut out = Vec::new();
        resolver.handle(0, Input::Change(Changes { serial, changes: changes.to_vec() }), &mut out);
        assert_eq!(out, []);
    };
    change(&mut resolver, 8, &[lent("tux", 1, 60), lent("gnu", 2, 100_000)]);
    assert_eq!(ask(&mut resolver, 0, "tux.cluster", A).answer, ["tux.cluster. 60 A 10.77.200.1"]);
    // RFC 2131 4.4.5: what is left of it; as much as of a computed name at most.
    assert_eq!(ask(&mut resolver, 18, "TUX.cluster", A).answer, ["TUX.cluster. 42 A 10.77.200.1"]);
    assert_eq!(ask(&mut resolver, 0, "gnu.cluster", ANY).answer, ["gnu.cluster. 300 A 10.77.200.2"]);
    assert_eq!(
        ask(&mut resolver, 90, "tux.cluster", A).answer,
        ["tux.cluster. 0 A 10.77.200.1"],
        "still held"
    );
    let reverse = ask(&mut resolver, 10, "1.200.77.10.in-addr.arpa", PTR);
    assert_eq!(reverse.answer, ["1.200.77.10.in-addr.arpa. 50 PTR tux.cluster."]);
    assert_eq!(ask(&mut resolver, 0, "200.77.10.in-addr.arpa", PTR).flags & 15, NOERROR);
    assert_eq!(ask(&mut resolver, 0, "tux.cluster", AAAA).flags & 15, NOERROR);
    let soa = ask(&mut resolver, 0, "cluster", SOA).answer.remove(0);
    assert!(soa.contains(" 8 3600 "), "{soa}");

    // A renewal; a host that moved; what is published beside takes nothing away.
    change(&mut resolver, 9, &[lent("tux", 1, 120), returned(2), lent("gnu", 3, 60)]);
    let next = Directory { serial: 10, ..directory() };
    resolver.handle(0, Input::Publish(Arc::new(next)), &mut Vec::new());
    assert_eq!(ask(&mut resolver, 60, "tux.cluster", A).answer, ["tux.cluster. 60 A 10.77.200.1"]);
    assert_eq!(ask(&mut resolver, 0, "gnu.cluster", A).answer, ["gnu.cluster. 60 A 10.77.200.3"]);
    assert_eq!(ask(&mut resolver, 0, "2.200.77.10.in-addr.arpa", PTR).flags & 15, NXDOMAIN);

    change(&mut resolver, 11, &[returned(1), returned(3), returned(77)]);
    for (name, rtype) in
        [("tux.cluster", A), ("1.200.77.10.in-addr.arpa", PTR), ("200.77.10.in-addr.arpa", PTR)]
    {
        let reply = ask(&mut resolver, 0, name, rtype);
        assert_eq!((reply.flags & 15, reply.authority.len()), (NXDOMAIN, 1), "{name}");
    }
}

/// The query with an OPT record that has one option.
pub(super) fn with_option(message: Vec<u8>, code: u16, value: &[u8]) -> Vec<u8> {
    let mut message = with_opt(message, 1232, 0, 0);
    let octets = u16::try_from(value.len()).unwrap();
    message.truncate(message.len() - 2);
    message.extend((octets + 4).to_be_bytes());
    message.extend(code.to_be_bytes());
    message.extend(octets.to_be_bytes());
    message.extend(value);
    message
}

#[test]
fn cookies() {
    let mut resolver = resolver();
    resolver.handle(0, Input::Calendar(1_800_000_000), &mut Vec::new());
    let client = [1, 2, 3, 4, 5, 6, 7, 8];
    let reply = udp(&mut resolver, &with_option(query("node0.cluster", A), 10, &client)).unwrap();
    let text = read(&reply);
    assert_eq!((text.flags, text.answer.len()), (QR | AA | RD, 1));
    // RFC 7873 5.2.3: his part and ours, 8 and 16 octets (RFC 9018 4).
    let option = "OPT 1232 00000000 000a0018010203040506070801000000";
    assert!(text.additional[0].starts_with(option), "{:?}", text.additional);
    let whole = &reply[reply.len() - 24..];
    assert_eq!(resolver.statistics().cookies_known, 0);
    udp(&mut resolver, &with_option(query("node0.cluster", A), 10, whole)).unwrap();
    assert_eq!(resolver.statistics().cookies_known, 1);
    // Somebody else's is answered too, for it may be another server's, and with one of ours.
    let mut other = whole.to_vec();
    other[20] ^= 1;
    let reply = read(&udp(&mut resolver, &with_option(query("node0.cluster", A), 10, &other)).unwrap());
    assert!(reply.additional[0].starts_with(option));
    assert_eq!(resolver.statistics().cookies_known, 1);
    // RFC 7873 5.2.2
    for octets in [0, 7, 9, 15, 41] {
        let reply =
            udp(&mut resolver, &with_option(query("node0.cluster", A), 10, &vec![7; octets])).unwrap();
        assert_eq!(read(&reply).flags & 15, FORMERR, "{octets}");
    }
}

#[test]
fn glue_is_all_or_nothing() {
    let reply = ask("cluster", NS);
    let heorot = [
        "heorot.cluster. 300 A 10.77.0.1",
        "heorot.cluster. 300 A 10.99.0.254",
        "heorot.cluster. 300 AAAA fd77::1",
    ];
    assert_eq!(reply.additional, heorot);
    let many = Settings { server_name: "many".into(), ..settings() };
    let mut resolver = Resolver::new(many, Arc::new(directory())).unwrap();
    let reply = read(&udp(&mut resolver, &with_opt(query("cluster", NS), 512, 0, 0)).unwrap());
    assert_eq!(reply.flags, QR | AA | RD);
    assert_eq!(reply.answer, ["cluster. 300 NS many.cluster.", "cluster. 300 NS ns.example.org."]);
    assert_eq!(reply.additional, ["OPT 1232 00000000"]);
}

#[test]
fn a_host_may_have_a_name_of_several_parts() {
    let mut directory = directory();
    let hosts = [("a.b", "10.77.9.40"), ("a.b", "fd77::40"), ("printer", "10.77.9.21")];
    directory.hosts = hosts.into_iter().map(|(n, a)| (n.to_owned(), a.parse::<IpAddr>().unwrap())).collect();
    let mut resolver = Resolver::new(settings(), Arc::new(directory)).unwrap();
    let mut told = |name: &str, rtype| {
        let reply = read(&udp(&mut resolver, &query(name, rtype)).unwrap());
        (reply.flags & 15, reply.answer)
    };
    assert_eq!(told("a.b.cluster", A), (NOERROR, vec!["a.b.cluster. 300 A 10.77.9.40".into()]));
    assert_eq!(told("A.b.cluster", AAAA), (NOERROR, vec!["A.b.cluster. 300 AAAA fd77::40".into()]));
    // RFC 8020: there is something below it.
    assert_eq!(told("b.cluster", A), (NOERROR, vec![]));
    assert_eq!(told("c.b.cluster", A), (NXDOMAIN, vec![]));
    let back = |name: &str| (NOERROR, vec![format!("{name}. 300 PTR a.b.cluster.")]);
    assert_eq!(told("40.9.77.10.in-addr.arpa", PTR), back("40.9.77.10.in-addr.arpa"));
    assert_eq!(told(&ipv6_name("40"), PTR), back(&ipv6_name("40")));
}
