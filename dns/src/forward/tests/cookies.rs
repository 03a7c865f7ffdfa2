//! What clients put behind their question changes nothing of how it is answered.

use super::*;

/// The query with an OPT record that has one option.
fn with_option(message: Vec<u8>, code: u16, value: &[u8]) -> Vec<u8> {
    let mut message = with_opt(message, 1232, false);
    let octets = u16::try_from(value.len()).unwrap();
    message.truncate(message.len() - 2);
    message.extend((octets + 4).to_be_bytes());
    message.extend([code.to_be_bytes(), octets.to_be_bytes()].concat());
    message.extend(value);
    message
}

const AA: u16 = 0x0400;
const COOKIE: [u8; 8] = [1, 2, 3, 4, 5, 6, 7, 8];
const OPTION: &str = "OPT 1232 00000000 000a0018010203040506070801000000";

#[test]
fn every_answer_answers_a_cookie() {
    let mut stage = Stage::new(forwarding());
    stage.handle(Input::Calendar(1_800_000_000));
    let with_cookie = |name: &str| with_option(query(name, A), 10, &COOKIE);
    let mut known = Vec::new();
    // Asked upstream, from the cache, of our zone, and from what that said before: RFC 7873 5.2.3.
    for (name, flags) in [
        ("www.example.org", PLAIN),
        ("www.example.org", PLAIN),
        ("node5.cluster", PLAIN | AA),
        ("node5.cluster", PLAIN | AA),
        ("else.cluster", PLAIN | AA | NXDOMAIN),
    ] {
        stage.query(CLIENT, Transport::Udp, &with_cookie(name));
        if let Some(exchange) = stage.asks.pop() {
            // RFC 7873 4: it is between two; what goes upstream has none.
            assert!(!exchange.payload.windows(8).any(|octets| octets == COOKIE));
            let there = [address("www.example.org", 60, [198, 51, 100, 7])];
            stage.answer(&exchange, &answer(&exchange, 0x8180, &there));
        }
        known = stage.replies[0].1[stage.replies[0].1.len() - 24..].to_vec();
        let told = stage.told();
        assert_eq!((told.flags, told.additional.len()), (flags, 1), "{name}");
        assert!(told.additional[0].starts_with(OPTION), "{name}: {:?}", told.additional);
    }
    assert_eq!(stage.resolver.statistics().cookies_known, 0);
    for name in ["www.example.org", "node5.cluster", "else.cluster"] {
        stage.query(CLIENT, Transport::Udp, &with_option(query(name, A), 10, &known));
        stage.told();
    }
    assert_eq!(stage.resolver.statistics().cookies_known, 3);
    // RFC 7873 5.2.2
    stage.query(CLIENT, Transport::Udp, &with_option(query("www.example.org", A), 10, &[1, 2, 3]));
    assert_eq!(stage.told().flags & 15, 1);
    // With an error, and with a refusal.
    stage.query("192.0.2.200:4000", Transport::Udp, &with_cookie("www.example.org"));
    assert!(stage.told().additional[0].starts_with(OPTION));
}

#[test]
fn what_is_behind_a_question_changes_nothing() {
    let mut stage = Stage::new(forwarding());
    stage.resolve("www.example.org", A, &[address("www.example.org", 60, [198, 51, 100, 7])]);
    for (name, flags) in [("www.example.org", PLAIN), ("node5.cluster", PLAIN | AA)] {
        let trailing = |message: Vec<u8>| [message, vec![1, 2, 3]].concat();
        for message in [
            trailing(query(name, A)),
            trailing(with_opt(query(name, A), 1232, false)),
            with_option(query(name, A), 65001, &[1, 2, 3]),
        ] {
            stage.query(CLIENT, Transport::Udp, &message);
            let told = stage.told();
            assert_eq!((told.flags, told.answer.len()), (flags, 1), "{name}: {message:?}");
        }
        // RFC 6891 6.1.1
        stage.query(CLIENT, Transport::Udp, &with_opt(with_opt(query(name, A), 1232, false), 1232, false));
        assert_eq!(stage.told().flags, PLAIN | 1, "{name}");
    }
}
