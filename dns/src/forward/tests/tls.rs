//! Servers that are asked by TLS.

use super::*;

const SECURE: &str = "192.0.2.55:853#dns.example";

fn by_tls(servers: &[&str]) -> Stage {
    Stage::new(Forwarding { groups: vec![group("", servers)], ..forwarding() })
}

#[test]
fn a_server_is_asked_by_tls_alone_and_the_question_padded() {
    let mut stage = by_tls(&[SECURE]);
    for name in [
        "a",
        "www.example.org",
        "a-name-that-is-rather-long.and-has-labels.like-those-of-a-content-network.example",
    ] {
        let exchange = stage.ask(name, A);
        assert_eq!((exchange.server.port(), exchange.transport), (853, Transport::Tcp));
        assert_eq!(exchange.tls.as_deref(), Some("dns.example"));
        // RFC 8467 4.1, RFC 7830 3: an option of zeros in the OPT record.
        assert_eq!(exchange.payload.len() % 128, 0, "{name}");
        assert!(exchange.payload.len() < 256, "{name}");
        let sent = read(&exchange.payload);
        // Nobody can forge what comes by TLS: letters are as they were.
        assert_eq!(sent.questions, [format!("{name}. {A}")]);
        stage.answer(&exchange, &answer(&exchange, 0x8180, &[address(name, 60, [198, 51, 100, 1])]));
        assert_eq!(stage.told().answer.len(), 1, "{name}");
    }
}

/// RFC 8310 5: what cannot be asked by TLS is not asked otherwise.
#[test]
fn nothing_goes_in_the_clear() {
    let mut stage = by_tls(&[SECURE]);
    // FORMERR: asked again without EDNS, by TLS.
    let exchange = stage.ask("old.example", A);
    stage.answer(&exchange, &answer(&exchange, 0x8181, &[]));
    let plain = stage.asked();
    assert_eq!((plain.transport, plain.tls.as_deref()), (Transport::Tcp, Some("dns.example")));
    assert_eq!(read(&plain.payload).additional.len(), 0);
    stage.handle(Input::CameToNothing { exchange: plain.id, fault: Fault::Theirs });
    for _ in 0..20 {
        stage.wait(Duration::from_millis(300));
        for exchange in std::mem::take(&mut stage.asks) {
            assert!(exchange.tls.is_some());
            stage.handle(Input::CameToNothing { exchange: exchange.id, fault: Fault::Theirs });
        }
    }
    assert_eq!(stage.told().flags, PLAIN | SERVFAIL);
}

#[test]
fn a_stream_that_is_there_is_not_asked_twice() {
    let mut stage = by_tls(&[SECURE]);
    let exchange = stage.ask("slow.example", A);
    stage.wait(Duration::from_secs(4));
    assert!(stage.asks.is_empty());
    stage.answer(&exchange, &answer(&exchange, 0x8180, &[address("slow.example", 60, [198, 51, 100, 1])]));
    assert_eq!(stage.told().answer.len(), 1);
}

/// RFC 7766 6.2.4
#[test]
fn a_connection_that_was_closed_meanwhile_is_opened_again() {
    let mut stage = by_tls(&[SECURE]);
    let first = stage.ask("www.example", A);
    stage.handle(Input::CameToNothing { exchange: first.id, fault: Fault::Ours });
    let second = stage.asked();
    assert_eq!(second.tls, first.tls);
    assert_ne!(second.payload[..2], first.payload[..2], "an id of its own");
    stage.answer(&second, &answer(&second, 0x8180, &[address("www.example", 60, [198, 51, 100, 1])]));
    assert_eq!(stage.told().answer.len(), 1);
    assert_eq!(stage.resolver.servers(stage.now)[0].counts.silent, 0);
}

#[test]
fn a_server_that_cannot_be_reached_is_passed_over() {
    let mut stage = by_tls(&[SECURE, SECOND]);
    let exchange = stage.ask("www.example", A);
    assert!(exchange.tls.is_some());
    stage.handle(Input::CameToNothing { exchange: exchange.id, fault: Fault::Theirs });
    // The operator lists it, in the clear.
    let other = stage.asked();
    assert_eq!(
        (other.server.to_string().as_str(), other.transport, other.tls),
        (SECOND, Transport::Udp, None)
    );
}

/// The same address by both ways is two servers.
#[test]
fn each_way_counts_for_itself() {
    let mut stage = by_tls(&["192.0.2.55:853", SECURE]);
    let exchange = stage.ask("www.example", A);
    stage.handle(Input::CameToNothing { exchange: exchange.id, fault: Fault::Theirs });
    assert_ne!(stage.asked().tls, exchange.tls);
    let names: Vec<_> = stage.resolver.servers(stage.now).into_iter().map(|server| server.tls).collect();
    assert_eq!(names, [None, Some("dns.example".into())]);
}
