//! `dig` from another namespace, over UDP and TCP: names are computed, and what does not exist is told apart from what has no such record.

use heorot_lab::demo::dig;
use heorot_lab::name_server::NameServer;
use heorot_lab::server::{Server, Settings};
use std::net::Ipv4Addr;

/// What is asked, the status, and the one answer's data if there is one.
const CASES: [(&[&str], &str, Option<&str>); 12] = [
    (&["node0.cluster", "A"], "NOERROR", Some("10.77.1.0")),
    (&["node23.cluster", "A"], "NOERROR", Some("10.77.1.23")),
    (&["NODE23.Cluster", "A"], "NOERROR", Some("10.77.1.23")),
    (&["node1023.cluster", "A"], "NOERROR", Some("10.77.4.255")),
    (&["node23.cluster", "AAAA"], "NOERROR", None),
    (&["cluster", "A"], "NOERROR", None),
    (&["node1024.cluster", "A"], "NXDOMAIN", None),
    (&["node023.cluster", "A"], "NXDOMAIN", None),
    (&["nobody.cluster", "A"], "NXDOMAIN", None),
    (&["-x", "10.77.1.23"], "NOERROR", Some("node23.cluster.")),
    (&["-x", "10.77.200.1"], "NXDOMAIN", None),
    (&["example.org", "A"], "REFUSED", None),
];

#[test]
fn names_are_answered_over_udp_and_tcp() {
    let server = Server::start(&Settings::default()).expect("the lab and the server start");
    for transport in ["+notcp", "+tcp"] {
        for (question, status, data) in CASES {
            let options = [transport, "+noall", "+comments", "+answer"];
            let answer =
                dig(&server.network, &[options.as_slice(), question].concat()).expect("dig is answered");
            let shown = format!("{transport} {question:?}: {answer}");
            assert!(answer.contains(&format!("status: {status},")), "{shown}");
            let found: Vec<_> =
                answer.lines().filter(|line| !line.starts_with(';') && !line.is_empty()).collect();
            assert_eq!(found.len(), usize::from(data.is_some()), "{shown}");
            for line in found {
                assert_eq!(line.split_whitespace().last(), data, "{shown}");
            }
        }
    }
}

/// Names of others, from two real servers: forwarded, kept, and known when one or both of them die.
#[test]
fn names_of_others_are_forwarded_and_outlive_their_servers() {
    let servers = [Ipv4Addr::new(10, 77, 0, 53), Ipv4Addr::new(10, 77, 0, 54)];
    let settings = Settings {
        further: format!("[dns]\nupstream = [\"{}\", \"{}\"]\n", servers[0], servers[1]),
        ..Settings::default()
    };
    let server = Server::start(&settings).expect("the lab and the server start");
    let mut zone: String = (0..100).map(|host| format!("many A 198.51.100.{host}\n")).collect();
    zone.extend((0..60).map(|host| format!("h{host} A 198.51.101.{host}\n")));
    zone.push_str("www A 198.51.100.7\nalias CNAME www\nshort 1 A 198.51.100.8\ninner A 10.77.0.9\n");
    let mut others =
        servers.map(|address| NameServer::start(&server.network, address, &zone).expect("NSD starts"));

    let ask = |question: &[&str]| {
        let options = ["+noall", "+comments", "+answer", "+stats"];
        dig(&server.network, &[options.as_slice(), question].concat()).expect("dig is answered")
    };
    let milliseconds = |answer: &str| {
        let line = answer.lines().find_map(|line| line.strip_prefix(";; Query time: ")).expect("dig tells");
        line.trim_end_matches(" msec").parse::<u32>().expect("a number")
    };
    let has = |answer: &str, all: &[&str]| {
        assert!(all.iter().all(|part| answer.contains(part)), "{all:?} in {answer}");
    };
    has(&ask(&["www.example.org"]), &["status: NOERROR", "qr rd ra;", "198.51.100.7"]);
    has(&ask(&["+tcp", "alias.example.org"]), &["CNAME", "198.51.100.7"]);
    has(&ask(&["nobody.example.org"]), &["status: NXDOMAIN"]);
    has(&ask(&["www.example.org", "MX"]), &["status: NOERROR", "ANSWER: 0"]);
    // What does not fit is asked for by TCP, and told by TCP.
    has(&ask(&["many.example.org"]), &["ANSWER: 100"]);
    // Our own addresses are nobody else's.
    has(&ask(&["inner.example.org"]), &["status: REFUSED"]);
    has(&ask(&["+norecurse", "h1.example.org"]), &["status: REFUSED"]);
    has(&ask(&["+norecurse", "www.example.org"]), &["198.51.100.7"]);
    has(&ask(&["short.example.org"]), &["198.51.100.8"]);

    // One dies: nobody waits for it for long, and only once.
    others[0].stop();
    let slow = (2..20).filter(|host| {
        let answer = ask(&[&format!("h{host}.example.org")]);
        has(&answer, &[&format!("198.51.101.{host}")]);
        milliseconds(&answer) > 100
    });
    let slow = slow.count();
    assert!(slow <= 3, "{slow} of 18 questions waited for a server that is gone");

    // Both die: what was true is told, what is known is told, and our own names are as ever.
    others[1].stop();
    has(&ask(&["www.example.org"]), &["198.51.100.7"]);
    std::thread::sleep(std::time::Duration::from_secs(2));
    has(&ask(&["short.example.org"]), &["198.51.100.8", "\t30\tIN"]);
    has(&ask(&["+time=6", "h50.example.org"]), &["status: SERVFAIL"]);
    has(&ask(&["node23.cluster"]), &["10.77.1.23"]);
    let counts = &server.ask(&["status"]).expect("it has a status")["dns"];
    let at_least = |what: &str, count| assert!(counts[what].as_u64() >= Some(count), "{what} of {counts}");
    at_least("stale", 1);
    at_least("cached", 3);
    at_least("upstream", 20);
    at_least("failed", 1);

    // One is back, and is found.
    others[0].start_again().expect("NSD starts again");
    std::thread::sleep(std::time::Duration::from_secs(6));
    has(&ask(&["h51.example.org"]), &["198.51.101.51"]);
}
