//! Whom a question goes to.

use super::*;
use crate::{ServerStatus, Unanswered};

fn two() -> Forwarding {
    Forwarding { groups: vec![group("", &[FIRST, SECOND])], ..forwarding() }
}

fn of(stage: &Stage, server: &str) -> ServerStatus {
    let servers = stage.resolver.servers(stage.now);
    servers.into_iter().find(|status| status.address == server.parse().unwrap()).unwrap()
}

/// Answers everything that goes out, after so many milliseconds each; a server without a number says nothing.
fn run(stage: &mut Stage, questions: usize, milliseconds: &[(&str, u64)]) -> (usize, usize) {
    let mut asked = (0, 0);
    for number in 0..questions {
        let name = format!("q{}-{number}.example", stage.now);
        stage.query(CLIENT, Transport::Udp, &query(&name, A));
        let mut waiting: Vec<(u64, Exchange)> = Vec::new();
        let began = stage.now;
        while stage.replies.is_empty() {
            for exchange in std::mem::take(&mut stage.asks) {
                let is_first = exchange.server == FIRST.parse().unwrap();
                asked = if is_first { (asked.0 + 1, asked.1) } else { (asked.0, asked.1 + 1) };
                let after =
                    milliseconds.iter().find(|(server, _)| exchange.server == server.parse().unwrap());
                if let Some((_, after)) = after {
                    waiting.push((stage.now + after * 1_000_000, exchange));
                }
            }
            waiting.sort_by_key(|(when, _)| *when);
            let next = waiting.first().map(|(when, _)| *when);
            let wakeup = stage.resolver.next_wakeup();
            match (next, wakeup) {
                (Some(when), wakeup) if wakeup.is_none_or(|wakeup| when <= wakeup) => {
                    let (_, exchange) = waiting.remove(0);
                    stage.now = when;
                    let owner = name.clone();
                    let message = answer(&exchange, 0x8180, &[address(&owner, 60, [198, 51, 100, 1])]);
                    stage.answer(&exchange, &message);
                }
                (_, Some(wakeup)) => {
                    stage.now = wakeup;
                    stage.handle(Input::Wake);
                }
                (_, None) => panic!("nobody will ever answer"),
            }
        }
        assert!(stage.now - began < 5_000_000_000);
        stage.replies.clear();
        stage.asks.clear();
    }
    asked
}

/// A domain below our own that has servers of its own is theirs, whatever our zones have; what is not in it stays ours.
#[test]
fn a_domain_inside_our_zones_has_its_own_servers() {
    let with = |domain: &str| {
        let groups = vec![group("", &[FIRST]), group(domain, &[SECOND])];
        Stage::new(Forwarding { groups, ..forwarding() })
    };
    for (domain, name) in [
        ("k8s.cluster", "k8s.cluster"),
        ("k8s.cluster", "a.b.K8S.cluster"),
        ("9.77.10.in-addr.arpa", "1.9.77.10.in-addr.arpa"),
    ] {
        let mut stage = with(domain);
        let exchange = stage.ask(name, TXT);
        assert_eq!(exchange.server, SECOND.parse().unwrap(), "{name}");
        stage.answer(&exchange, &answer(&exchange, 0x8180, &[(6, name, TXT, 60, vec![1, b'x'])]));
        let told = stage.told();
        assert_eq!((told.flags, told.answer.len()), (PLAIN, 1), "{name}");
        // It may have addresses of ours, for the operator vouches for it.
        if domain == "k8s.cluster" {
            let told = stage.resolve(name, A, &[address(name, 60, [10, 77, 1, 9])]);
            assert_eq!((told.flags, told.answer.len()), (PLAIN, 1), "{name}");
        }
        // Not for those who may not ask.
        stage.query("192.0.2.1:4000", Transport::Udp, &query(name, TXT));
        assert_eq!(stage.told().flags, QR | RD | REFUSED, "{name}");
        for ours in ["node1.cluster", "k8s-1.cluster", "1.1.77.10.in-addr.arpa"] {
            assert_eq!(stage.recall(ours, TXT).flags & 0x0400, 0x0400, "{ours} is ours");
        }
    }
    // Our own zones are not given away by naming them, or what is above them.
    for domain in ["cluster", "in-addr.arpa", "77.10.in-addr.arpa"] {
        let mut stage = with(domain);
        for ours in ["node1.cluster", "none.cluster", "1.1.77.10.in-addr.arpa"] {
            assert_eq!(stage.recall(ours, A).flags & 0x0400, 0x0400, "{domain}: {ours} is ours");
        }
    }
    // An alias of ours that leads there is followed by its servers.
    let mut stage = with("k8s.cluster");
    let data = heorot_names::RecordData::Cname("x.k8s.cluster".into());
    let records = vec![heorot_names::Record { name: "app".into(), data }];
    stage.handle(Input::Publish(Arc::new(Directory { records, serial: 2, ..directory() })));
    assert_eq!(stage.ask("app.cluster", A).server, SECOND.parse().unwrap());
    // What was said before is not told of a domain that is another's now.
    let mut stage = Stage::new(forwarding());
    assert_eq!(stage.recall("k8s.cluster", A).flags & 15, NXDOMAIN);
    let groups = vec![group("", &[FIRST]), group("k8s.cluster", &[SECOND])];
    stage.handle(Input::Forward(Box::new(Forwarding { groups, ..forwarding() })));
    assert_eq!(stage.ask("k8s.cluster", A).server, SECOND.parse().unwrap());
}

/// A stub cannot follow a referral: below a cut others are asked for it, if there are any. Who follows them, and whoever may not ask, is told who has it.
#[test]
fn below_a_cut_others_are_asked_for_who_cannot_ask_himself() {
    let delegated = || {
        let record = |data| heorot_names::Record { name: "lab".into(), data };
        let records = vec![record(heorot_names::RecordData::Ns("ns.example".into()))];
        Arc::new(Directory { records, serial: 2, ..directory() })
    };
    let name = "host.lab.cluster";
    let mut stage = Stage::new(forwarding());
    stage.handle(Input::Publish(delegated()));
    let mut iterative = query(name, A);
    iterative[2] = 0;
    // In any order: what one was told is not told to the other.
    for _ in 0..2 {
        stage.query(CLIENT, Transport::Udp, &iterative);
        let told = stage.told();
        assert_eq!((told.answer.len(), told.authority.len()), (0, 1), "a referral: {told:?}");
        stage.query("192.0.2.1:4000", Transport::Udp, &query(name, A));
        let told = stage.told();
        assert_eq!((told.answer.len(), told.authority.len()), (0, 1), "a referral: {told:?}");
        stage.query(CLIENT, Transport::Udp, &query(name, A));
        if let Some(exchange) = stage.asks.pop() {
            stage.answer(&exchange, &answer(&exchange, 0x8180, &[address(name, 60, [198, 51, 100, 1])]));
        }
        let told = stage.told();
        assert_eq!((told.flags, told.answer.len()), (PLAIN, 1));
    }
    assert_eq!(stage.counts().misses, 1);
    // RFC 4035 3.1.4.1: the DS of the cut is ours.
    assert_eq!(stage.recall("lab.cluster", 43).flags & 0x0400, 0x0400);
    assert_eq!(stage.recall("node1.cluster", A).answer.len(), 1);

    // Without anybody to ask it stays a referral.
    let groups = vec![group("example.org", &[FIRST])];
    let mut stage = Stage::new(Forwarding { groups, ..forwarding() });
    stage.handle(Input::Publish(delegated()));
    let told = stage.recall(name, A);
    assert_eq!((told.answer.len(), told.authority.len()), (0, 1));
}

#[test]
fn the_longest_domain_decides() {
    let mut stage = Stage::new(Forwarding {
        groups: vec![
            group("", &["192.0.2.1:53"]),
            group("example.org", &["192.0.2.2:53"]),
            group("lab.example.org", &["[2001:db8::3]:5353"]),
            group("168.192.in-addr.arpa", &["192.0.2.4:53"]),
            group("nowhere.example.org", &[]),
        ],
        ..forwarding()
    });
    for (name, server) in [
        ("example.com", Some("192.0.2.1:53")),
        ("badexample.org", Some("192.0.2.1:53")),
        ("example.org", Some("192.0.2.2:53")),
        ("WWW.Example.Org", Some("192.0.2.2:53")),
        ("lab.example.org", Some("[2001:db8::3]:5353")),
        ("a.b.lab.example.org", Some("[2001:db8::3]:5353")),
        ("1.2.168.192.in-addr.arpa", Some("192.0.2.4:53")),
        ("", Some("192.0.2.1:53")),
        ("a.nowhere.example.org", None),
    ] {
        stage.query(CLIENT, Transport::Udp, &query(name, A));
        let asked = stage.asks.pop().map(|exchange| exchange.server);
        assert_eq!(asked, server.map(|server| server.parse().unwrap()), "{name}");
    }
    assert_eq!(stage.told().flags, PLAIN | REFUSED);
    // Without a group for all others they are refused.
    let mut stage = Stage::new(Forwarding { groups: vec![group("example.org", &[FIRST])], ..forwarding() });
    stage.query(CLIENT, Transport::Udp, &query("example.com", A));
    assert_eq!(stage.told().flags, PLAIN | REFUSED);
}

#[test]
fn the_fastest_is_preferred_and_the_others_are_not_forgotten() {
    let mut stage = Stage::new(two());
    let (first, second) = run(&mut stage, 500, &[(FIRST, 40), (SECOND, 5)]);
    assert!(second > 480, "{first} and {second}");
    assert!((5..60).contains(&first), "{first}: it is asked now and then");
    // It becomes the faster one, and that is found out.
    let (first, _) = run(&mut stage, 500, &[(FIRST, 2), (SECOND, 30)]);
    assert!(first > 300, "{first}");
}

#[test]
fn another_is_asked_when_one_is_silent() {
    let mut stage = Stage::new(two());
    run(&mut stage, 20, &[(FIRST, 1), (SECOND, 10)]);
    assert!(of(&stage, FIRST).round_trip < of(&stage, SECOND).round_trip);
    // The best one dies. The first questions take its patience; then it rests and costs nothing.
    let before = stage.now;
    let (first, second) = run(&mut stage, 100, &[(SECOND, 10)]);
    let took = Duration::from_nanos(stage.now - before);
    assert!(took < Duration::from_secs(4), "100 questions took {took:?}");
    assert!(first < 20 && second >= 100, "{first} and {second}");
    let silent = [FIRST, SECOND].map(|server| of(&stage, server).counts.silent);
    assert_eq!((silent[0] >= 1, silent[1]), (true, 0), "{silent:?}");
    // It comes back, and is found within its rest.
    stage.wait(Duration::from_secs(30));
    let (first, _) = run(&mut stage, 200, &[(FIRST, 1), (SECOND, 10)]);
    assert!(first > 100, "{first}");
}

#[test]
fn all_are_silent() {
    let mut stage = Stage::new(two());
    stage.query(CLIENT, Transport::Udp, &query("x.example", A));
    let began = stage.now;
    stage.wait(Duration::from_secs(10));
    assert_eq!(stage.told().flags, PLAIN | SERVFAIL);
    assert!(stage.asks.len() > 3 && stage.asks.len() <= crate::limit::ATTEMPTS_MAX, "{}", stage.asks.len());
    assert_eq!(stage.forgotten.len(), stage.asks.len());
    assert_eq!(stage.resolver.next_wakeup(), None);
    // Both rest, and are asked all the same: there is nobody else.
    assert!(began < stage.now && of(&stage, FIRST).counts.silent > 0);
    stage.asks.clear();
    stage.query(CLIENT, Transport::Udp, &query("y.example", A));
    assert!(!stage.asks.is_empty());
}

#[test]
fn a_lost_datagram_is_sent_again() {
    let mut stage = Stage::new(forwarding());
    let first = stage.ask("x.example", A);
    stage.wait(Duration::from_millis(600));
    let second = stage.asked();
    assert_eq!(second.server, first.server);
    assert_ne!(first.payload[..2], second.payload[..2]);
    // The first may still be answered.
    stage.answer(&first, &answer(&first, 0x8180, &[address("x.example", 60, [198, 51, 100, 1])]));
    assert_eq!(stage.told().answer.len(), 1);
    assert_eq!(stage.forgotten, [first.id, second.id]);
}

#[test]
fn a_server_that_cannot_tell_is_passed_over() {
    for flags in [0x8182, 0x8185, 0x8184, 0x8181] {
        let mut stage = Stage::new(Forwarding { groups: vec![group("", &[FIRST, SECOND])], ..forwarding() });
        let exchange = stage.ask("x.example", A);
        let plain = matches!(flags & 15, 1 | 4);
        stage.answer(&exchange, &answer(&exchange, flags, &[]));
        let mut next = stage.asked();
        if plain {
            // RFC 6891 7: perhaps it is EDNS that it does not know.
            assert_eq!((next.server, next.payload[11]), (exchange.server, 0));
            stage.answer(&next, &answer(&next, flags, &[]));
            next = stage.asked();
        }
        assert_ne!(next.server, exchange.server, "{flags:x}");
        stage.answer(&next, &answer(&next, 0x8180, &[address("x.example", 60, [198, 51, 100, 1])]));
        assert_eq!(stage.told().answer.len(), 1, "{flags:x}");
    }
    // A referral is no answer: this one only knows its own.
    let mut stage = Stage::new(two());
    let exchange = stage.ask("x.example", A);
    stage.answer(&exchange, &answer(&exchange, 0x8100, &[(8, "example", 2, 60, wire("ns.example"))]));
    assert_ne!(stage.asked().server, exchange.server);
}

#[test]
fn when_nobody_can_tell_it_is_said_at_once() {
    let mut stage = Stage::new(two());
    let first = stage.ask("x.example", A);
    stage.answer(&first, &answer(&first, 0x8182, &[]));
    let second = stage.asked();
    assert_ne!(second.server, first.server);
    stage.answer(&second, &answer(&second, 0x8185, &[]));
    assert_eq!(stage.told().flags, PLAIN | SERVFAIL);
}

#[test]
fn what_comes_to_nothing() {
    // Nobody listens there: the other is asked at once.
    let mut stage = Stage::new(two());
    let first = stage.ask("x.example", A);
    stage.handle(Input::CameToNothing { exchange: first.id, fault: Fault::Theirs });
    let second = stage.asked();
    assert_ne!(second.server, first.server);
    // Both are starting anew: they are asked again after a while.
    stage.handle(Input::CameToNothing { exchange: second.id, fault: Fault::Theirs });
    assert!(stage.asks.is_empty() && stage.replies.is_empty());
    stage.wait(Duration::from_secs(1));
    let third = stage.asks.remove(0);
    stage.answer(&third, &answer(&third, 0x8180, &[address("x.example", 60, [198, 51, 100, 1])]));
    assert_eq!(stage.told().answer.len(), 1);
    assert!(stage.forgotten.contains(&third.id) && !stage.forgotten.contains(&first.id));

    // A port in use is no fault of the server: another port, the same server; and there is an end to it.
    let mut stage = Stage::new(forwarding());
    let mut exchange = stage.ask("x.example", A);
    for _ in 0..crate::limit::OWN_FAULTS_MAX {
        stage.handle(Input::CameToNothing { exchange: exchange.id, fault: Fault::Ours });
        let next = stage.asked();
        assert_eq!(next.server, exchange.server);
        assert_ne!(next.id, exchange.id);
        exchange = next;
    }
    stage.handle(Input::CameToNothing { exchange: exchange.id, fault: Fault::Ours });
    assert_eq!(stage.told().flags, PLAIN | SERVFAIL);
    assert_eq!(of(&stage, FIRST).counts.silent, 0);
}

#[test]
fn a_server_that_leads_back_to_us_is_asked_no_more() {
    let mut stage = Stage::new(Forwarding { find_loops: true, ..two() });
    assert_eq!(stage.asks.len(), 2, "each is asked a name of chance");
    let looping = std::mem::take(&mut stage.asks).remove(0);
    assert!(read(&looping.payload).questions[0].to_ascii_lowercase().ends_with(".heorot.test. 16"));
    // The question comes from that server, with whatever letters, and needs no right to ask.
    stage.query("192.0.2.53:53", Transport::Udp, &looping.payload);
    assert_eq!(stage.told().flags, QR | RD | REFUSED);
    assert!(of(&stage, FIRST).loops && !of(&stage, SECOND).loops);
    assert_eq!(stage.counts().loops, 1);
    for number in 0..50 {
        assert_eq!(stage.ask(&format!("n{number}.example"), A).server, SECOND.parse().unwrap());
    }
    // After a while it is tried again.
    stage.wait(Duration::from_secs(700));
    assert!(!of(&stage, FIRST).loops);
}

/// Who looks at the status is told that nobody answers, and that it is over; and not because of one name that nobody can tell.
#[test]
fn that_no_server_of_a_group_answers_is_known_until_one_does() {
    let groups = vec![group("", &[FIRST, SECOND]), group("k8s.cluster", &["192.0.2.55:53"])];
    let mut stage = Stage::new(Forwarding { groups, find_loops: true, ..forwarding() });
    let unanswered = |stage: &Stage| stage.resolver.unanswered(stage.now);
    let other = Unanswered {
        domain: String::new(),
        servers: [FIRST, SECOND].map(|server| server.parse().unwrap()).to_vec(),
    };
    // All say that there is no such name, but one is never heard of.
    let answer_probes = |stage: &mut Stage, seconds: u64, alive: &[&str], code: u16| {
        for _ in 0..seconds {
            for exchange in std::mem::take(&mut stage.asks) {
                let is_probe = exchange.payload.windows(4).any(|octets| octets.eq_ignore_ascii_case(b"test"));
                if is_probe && alive.iter().any(|server| exchange.server == server.parse().unwrap()) {
                    stage.answer(&exchange, &answer(&exchange, 0x8180 | code, &[]));
                }
            }
            stage.wait(Duration::from_secs(1));
        }
    };
    let all = [FIRST, SECOND, "192.0.2.55:53"];
    for number in 0..5 {
        stage.query(CLIENT, Transport::Udp, &query(&format!("broken{number}.example"), A));
        answer_probes(&mut stage, 5, &all, NXDOMAIN);
        assert_eq!(unanswered(&stage), []);
    }
    stage.replies.clear();
    stage.query(CLIENT, Transport::Udp, &query("x.example", A));
    answer_probes(&mut stage, 5, &["192.0.2.55:53"], REFUSED);
    assert_eq!(stage.told().flags, PLAIN | SERVFAIL);
    // For so short a time it is no news.
    assert_eq!(unanswered(&stage), []);
    answer_probes(&mut stage, 15, &["192.0.2.55:53"], REFUSED);
    assert_eq!(unanswered(&stage), std::slice::from_ref(&other));
    answer_probes(&mut stage, 300, &["192.0.2.55:53"], REFUSED);
    assert_eq!(unanswered(&stage), [other]);
    // One of them is back, which shows although nobody asks, and whatever it says.
    answer_probes(&mut stage, 15, &[SECOND], SERVFAIL);
    assert_eq!(unanswered(&stage), []);
}
