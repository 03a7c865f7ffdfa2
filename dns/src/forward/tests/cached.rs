//! What is kept, and for how long.

use super::*;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn the_ttl_is_counted_down_and_then_it_is_asked_again() {
    let mut stage = Stage::new(forwarding());
    let records =
        [alias("www.example.org", 300, "web.example.net"), address("web.example.net", 60, [198, 51, 100, 1])];
    stage.resolve("www.example.org", A, &records);
    for (passed, left) in [(0, [300, 60]), (25, [275, 35]), (34, [241, 1])] {
        stage.wait(seconds(passed));
        let told = stage.recall("wWw.eXample.org", A);
        let expected = [
            format!("wWw.eXample.org. {} CNAME web.example.net.", left[0]),
            format!("web.example.net. {} A 198.51.100.1", left[1]),
        ];
        assert_eq!((told.flags, told.answer), (PLAIN, expected.to_vec()));
    }
    // The shortest TTL is that of the whole.
    stage.wait(seconds(1));
    stage.ask("www.example.org", A);
    assert_eq!((stage.counts().hits, stage.counts().misses, stage.counts().cache_entries), (3, 2, 1));
}

#[test]
fn how_long_what_is_kept() {
    let address = |ttl| vec![address("x.example", ttl, [198, 51, 100, 1])];
    let table: [(&str, u16, Vec<Given<'_>>, u64); 14] = [
        ("a TTL", 0x8180, address(60), 60),
        ("none", 0x8180, address(0), 0),
        ("a day at most", 0x8180, address(1_000_000), 86_400),
        ("the largest", 0x8180, address(0x7fff_ffff), 86_400),
        // RFC 2181 8: the uppermost bit means zero.
        ("too large", 0x8180, address(0x8000_0000), 0),
        ("all bits", 0x8180, address(u32::MAX), 0),
        // RFC 2308 5: the lesser of the SOA's TTL and its last field.
        ("no name", 0x8183, vec![soa("example", 600, 90)], 90),
        ("no name, short SOA", 0x8183, vec![soa("example", 30, 90)], 30),
        ("no data", 0x8180, vec![soa("example", 600, 90)], 90),
        ("an hour at most", 0x8183, vec![soa("example", 90_000, 90_000)], 3_600),
        ("the root denies", 0x8183, vec![soa("", 600, 90)], 90),
        // RFC 2308 5: without SOA a denial is not kept.
        ("no SOA", 0x8183, vec![], 0),
        ("somebody else's SOA", 0x8183, vec![soa("other", 600, 90)], 0),
        (
            "an alias to nothing",
            0x8183,
            vec![alias("x.example", 50, "y.example"), soa("example", 600, 90)],
            50,
        ),
    ];
    for (what, flags, records, lasts) in table {
        let mut stage = Stage::new(Forwarding { stale: Duration::ZERO, ..forwarding() });
        let exchange = stage.ask("x.example", A);
        stage.answer(&exchange, &answer(&exchange, flags, &records));
        let told = stage.told();
        assert_eq!(told.flags, PLAIN | (flags & 15), "{what}");
        if lasts > 0 {
            stage.wait(seconds(lasts) - Duration::from_millis(1));
            let again = stage.recall("x.example", A);
            assert_eq!((again.flags, again.answer.len()), (told.flags, told.answer.len()), "{what}");
            stage.wait(Duration::from_millis(1));
        }
        stage.ask("x.example", A);
    }
}

#[test]
fn the_operator_bounds_ttls() {
    for (ttl, told) in [(5, 30), (45, 45), (500, 120)] {
        let settings = Forwarding { least_ttl: seconds(30), most_ttl: seconds(120), ..forwarding() };
        let mut stage = Stage::new(settings);
        let answer = stage.resolve("x.example", A, &[address("x.example", ttl, [198, 51, 100, 1])]).answer;
        assert_eq!(answer, [format!("x.example. {told} A 198.51.100.1")]);
        stage.wait(seconds(told) - seconds(1));
        stage.recall("x.example", A);
    }
}

/// RFC 6672 3.1: a server makes an alias of what it was asked, in the letters that it was asked in, which are by chance. Clients and the cache do not hear them.
#[test]
fn letters_that_were_sent_are_not_told() {
    let mut stage = Stage::new(forwarding());
    let exchange = stage.ask("Many.Letters.of-this-name.example", A);
    let sent = read(&exchange.payload).questions.remove(0);
    let labels: Vec<&str> = sent.split('.').collect();
    let (first, second) = (labels[..3].join(".") + ".Tree.org", labels[..2].join(".") + ".Other.org");
    let question = sent.strip_suffix(". 1").unwrap();
    let records = [
        (6, "eXample", 39, 60, wire("Tree.org")),
        alias(question, 60, &first),
        (6, "of-this-name.Tree.org", 39, 60, wire("Other.org")),
        alias(&first, 60, &second),
        address(&second, 60, [198, 51, 100, 7]),
    ];
    stage.answer(&exchange, &answer(&exchange, 0x8180, &records));
    let told = stage.told();
    assert_eq!(
        told.answer,
        [
            "example. 60 TYPE39 \\# 10",
            "Many.Letters.of-this-name.example. 60 CNAME many.letters.of-this-name.Tree.org.",
            "of-this-name.Tree.org. 60 TYPE39 \\# 11",
            "many.letters.of-this-name.Tree.org. 60 CNAME many.letters.Other.org.",
            "many.letters.Other.org. 60 A 198.51.100.7",
        ]
    );
    let again = stage.recall("many.letters.of-this-name.example", A).answer;
    assert_eq!(again[4], told.answer[4]);
}

#[test]
fn a_denial_is_told_with_its_soa() {
    let mut stage = Stage::new(forwarding());
    let exchange = stage.ask("nobody.example", A);
    stage.answer(&exchange, &answer(&exchange, 0x8183, &[soa("example", 600, 90)]));
    stage.told();
    stage.wait(seconds(30));
    let told = stage.recall("nobody.example", A);
    assert_eq!(told.flags, PLAIN | NXDOMAIN);
    assert_eq!(told.authority, ["example. 60 SOA ns.example. admin.example. 1 2 3 4 90"]);
}

#[test]
fn a_failure_is_kept_for_a_moment() {
    // RFC 9520 3.2: those who ask again at once do not make it worse.
    let mut stage = Stage::new(forwarding());
    let exchange = stage.ask("x.example", A);
    stage.answer(&exchange, &answer(&exchange, 0x8182, &[]));
    assert_eq!(stage.told().flags, PLAIN | SERVFAIL);
    assert_eq!(stage.recall("x.example", A).flags, PLAIN | SERVFAIL);
    stage.wait(seconds(5));
    stage.ask("x.example", A);
}

#[test]
fn what_was_true_is_told_when_nobody_answers() {
    let records = [address("x.example", 60, [198, 51, 100, 1])];
    let mut stage = Stage::new(forwarding());
    stage.resolve("x.example", A, &records);
    stage.wait(seconds(100));
    // RFC 8767 5: after 1.8 s, with 30 s of life.
    stage.query(CLIENT, Transport::Udp, &query("x.example", A));
    stage.wait(Duration::from_millis(1_799));
    assert!(stage.replies.is_empty());
    stage.wait(Duration::from_millis(1));
    assert_eq!(stage.told().answer, ["x.example. 30 A 198.51.100.1"]);
    // Others do not wait for what did not come.
    assert!(!std::mem::take(&mut stage.asks).is_empty());
    assert_eq!(stage.recall("x.example", A).answer, ["x.example. 30 A 198.51.100.1"]);
    // The question goes on, and comes to nothing; for 30 s it is not asked again.
    stage.wait(seconds(3));
    assert_eq!(stage.resolver.next_wakeup(), None);
    stage.asks.clear();
    assert_eq!(stage.recall("x.example", A).answer.len(), 1);
    stage.wait(seconds(30));
    // Then it is asked, and answered by those who are back.
    let told = stage.resolve("x.example", A, &[address("x.example", 60, [198, 51, 100, 2])]);
    assert_eq!(told.answer, ["x.example. 60 A 198.51.100.2"]);
    // An answer that says "no such name" is an answer.
    stage.wait(seconds(100));
    let exchange = stage.ask("x.example", A);
    stage.answer(&exchange, &answer(&exchange, 0x8183, &[soa("example", 60, 60)]));
    assert_eq!(stage.told().flags, PLAIN | NXDOMAIN);
}

#[test]
fn what_was_true_too_long_ago_is_forgotten() {
    for (stale, told) in
        [(seconds(3_600), PLAIN), (seconds(10), PLAIN | SERVFAIL), (Duration::ZERO, PLAIN | SERVFAIL)]
    {
        let mut stage = Stage::new(Forwarding { stale, ..forwarding() });
        stage.resolve("x.example", A, &[address("x.example", 60, [198, 51, 100, 1])]);
        stage.wait(seconds(80));
        stage.query(CLIENT, Transport::Udp, &query("x.example", A));
        stage.wait(seconds(5));
        assert_eq!(stage.told().flags, told, "{stale:?}");
    }
}

#[test]
fn names_that_become_ours_are_not_told_from_the_cache() {
    let mut stage = Stage::new(forwarding());
    stage.resolve("node1.hpc", A, &[address("node1.hpc", 60, [198, 51, 100, 1])]);
    stage.handle(Input::Publish(Arc::new(Directory { zone: "hpc".into(), ..directory() })));
    assert_eq!(stage.recall("node1.hpc", A).answer, ["node1.hpc. 300 A 10.77.1.1"]);
    stage.handle(Input::Publish(Arc::new(directory())));
    stage.ask("node1.hpc", A);
}

#[test]
fn new_servers_begin_anew() {
    let mut stage = Stage::new(forwarding());
    stage.resolve("a.example", A, &[address("a.example", 60, [198, 51, 100, 1])]);
    let waiting = stage.ask("b.example", A);
    // The same with another seed changes nothing.
    stage.handle(Input::Forward(Box::new(Forwarding { seed: [9; 32], ..forwarding() })));
    assert!(stage.replies.is_empty());
    stage.recall("a.example", A);
    stage.handle(Input::Forward(Box::new(Forwarding { groups: vec![group("", &[SECOND])], ..forwarding() })));
    assert_eq!((stage.told().flags, stage.forgotten.len()), (PLAIN | SERVFAIL, 2));
    stage.answer(&waiting, &answer(&waiting, 0x8180, &[address("b.example", 60, [198, 51, 100, 1])]));
    assert!(stage.replies.is_empty(), "an answer to the old one");
    assert_eq!(stage.ask("a.example", A).server, SECOND.parse().unwrap());
    // Nobody left to ask: as it was at first.
    stage.handle(Input::Forward(Box::new(Forwarding { groups: Vec::new(), ..forwarding() })));
    stage.replies.clear();
    stage.query(CLIENT, Transport::Udp, &query("a.example", A));
    assert_eq!(stage.told().flags, QR | RD | REFUSED);
    stage.query(CLIENT, Transport::Udp, &query("node1.cluster", A));
    assert_eq!(stage.told().flags & RA, 0);
}

#[test]
fn names_in_files_are_told_and_change_with_them() {
    let mut stage = Stage::new(forwarding());
    let files = |text: &str| {
        Input::Hosts(Arc::new(crate::HostNames::new(&heorot_names::HostsFile::read(text).lines, "cluster")))
    };
    stage.resolve("printer.example", A, &[address("printer.example", 60, [198, 51, 100, 1])]);
    stage.handle(files("192.0.2.7 printer.example plain node1.cluster"));
    for (name, rtype, answer) in [
        ("printer.example", A, vec!["printer.example. 60 A 192.0.2.7"]),
        ("printer.example", AAAA, vec![]),
        ("plain", A, vec!["plain. 60 A 192.0.2.7"]),
        ("node1.cluster", A, vec!["node1.cluster. 300 A 10.77.1.1"]),
        ("7.2.0.192.in-addr.arpa", 12, vec!["7.2.0.192.in-addr.arpa. 60 PTR printer.example."]),
    ] {
        for _ in 0..2 {
            let told = stage.recall(name, rtype);
            assert_eq!(
                (told.flags & 15, told.answer),
                (0, answer.iter().map(|line| (*line).to_owned()).collect()),
                "{name}"
            );
        }
    }
    // Of what is not in the file, others know.
    stage.ask("printer.example", TXT);
    stage.handle(files(""));
    stage.ask("printer.example", A);
    // What is in our zone comes with its names.
    assert_eq!(stage.recall("plain.cluster", A).flags & 15, NXDOMAIN);
}
