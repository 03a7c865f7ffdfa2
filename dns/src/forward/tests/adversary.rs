//! Whoever wants to be believed and should not be.

use super::*;
use proptest::prelude::*;

#[test]
fn only_the_answer_to_what_was_sent_is_believed() {
    type Change = fn(&mut Vec<u8>, &mut SocketAddr);
    let forgeries: [(&str, Change); 11] = [
        ("another id", |message, _| message[1] ^= 1),
        ("another host", |_, from| from.set_ip([192, 0, 2, 99].into())),
        ("another port", |_, from| from.set_port(54)),
        ("a query", |message, _| message[2] &= 0x7f),
        ("another opcode", |message, _| message[2] |= 0x20),
        ("no question", |message, _| message[5] = 0),
        ("two questions", |message, _| message[5] = 2),
        ("another name", |message, _| message[13] ^= 2),
        ("another type", |message, _| message[12 + 13 + 1] = 28),
        ("another class", |message, _| message[12 + 13 + 3] = 3),
        ("less than a header", |message, _| message.truncate(11)),
    ];
    for (what, change) in forgeries {
        let mut stage = Stage::new(forwarding());
        let exchange = stage.ask("example.org", A);
        let truth = answer(&exchange, 0x8180, &[address("example.org", 60, [198, 51, 100, 1])]);
        let (mut message, mut from) = (truth.clone(), exchange.server);
        change(&mut message, &mut from);
        stage.handle(Input::Answer { exchange: exchange.id, from, payload: &message });
        assert!(stage.replies.is_empty() && stage.asks.is_empty() && stage.forgotten.is_empty(), "{what}");
        assert_eq!(stage.counts().not_believed, 1, "{what}");
        // The true one is waited for.
        stage.answer(&exchange, &truth);
        assert_eq!(stage.told().answer, ["example.org. 60 A 198.51.100.1"], "{what}");
    }
}

#[test]
fn letters_that_come_back_otherwise_are_asked_again_by_a_stream() {
    let mut stage = Stage::new(forwarding());
    let exchange = stage.ask("abcdefghijklm.example", A);
    let mut forged = answer(&exchange, 0x8180, &[address("abcdefghijklm.example", 60, [203, 0, 113, 66])]);
    forged[13..26].make_ascii_lowercase();
    stage.answer(&exchange, &forged);
    assert!(stage.replies.is_empty());
    let stream = stage.asked();
    assert_eq!(stream.transport, Transport::Tcp);
    // What comes late by the first socket is for nobody.
    stage.answer(&exchange, &forged);
    assert!(stage.replies.is_empty() && stage.asks.is_empty());
    stage.answer(
        &stream,
        &answer(&stream, 0x8180, &[address("abcdefghijklm.example", 60, [198, 51, 100, 1])]),
    );
    assert_eq!(stage.told().answer, ["abcdefghijklm.example. 60 A 198.51.100.1"]);
}

#[test]
fn only_what_the_question_leads_to_is_passed_on() {
    let mut stage = Stage::new(forwarding());
    let told = stage.resolve(
        "www.example.org",
        A,
        &[
            alias("www.example.org", 300, "web.example.net"),
            address("web.example.net", 60, [198, 51, 100, 1]),
            address("bank.example", 60, [203, 0, 113, 66]),
            (8, "example.org", 2, 60, wire("evil.example")),
            (10, "evil.example", A, 60, vec![203, 0, 113, 66]),
            (10, "bank.example", A, 60, vec![203, 0, 113, 66]),
        ],
    );
    assert_eq!(
        told.answer,
        ["www.example.org. 300 CNAME web.example.net.", "web.example.net. 60 A 198.51.100.1"]
    );
    assert_eq!((told.authority.len(), told.additional.len()), (0, 0));
    for name in ["bank.example", "evil.example", "web.example.net"] {
        stage.ask(name, A);
    }
}

#[test]
fn chains_have_an_end() {
    let names: Vec<String> = (0..40).map(|number| format!("n{number}.example")).collect();
    let chain = |length: usize| -> Vec<Given<'_>> {
        (0..length).map(|number| alias(&names[number], 60, &names[number + 1])).collect()
    };
    for (length, answered) in [(1, true), (16, true), (17, false), (39, false)] {
        let mut stage = Stage::new(forwarding());
        let mut records = chain(length);
        records.push(address(&names[length], 60, [198, 51, 100, 1]));
        let told = stage.resolve("n0.example", A, &records);
        let expected = if answered { (PLAIN, length + 1) } else { (PLAIN | SERVFAIL, 0) };
        assert_eq!((told.flags, told.answer.len()), expected, "{length}");
    }
    for circle in [
        vec![alias("a.example", 60, "A.Example")],
        vec![alias("a.example", 60, "b.example"), alias("b.example", 60, "a.example")],
    ] {
        let told = Stage::new(forwarding()).resolve("a.example", A, &circle);
        assert_eq!((told.flags, told.answer.len()), (PLAIN | SERVFAIL, 0));
    }
}

#[test]
fn outside_names_have_no_address_of_ours() {
    use Rebinding::{Off, Own, Private};
    let v6 = |text: &str| text.parse::<std::net::Ipv6Addr>().unwrap().octets().to_vec();
    let table: [(&str, u16, Vec<u8>, [bool; 3]); 12] = [
        ("a cluster's", A, vec![10, 77, 0, 1], [true, false, false]),
        ("this host's", A, vec![127, 0, 0, 1], [true, false, false]),
        ("here", A, vec![0, 0, 0, 0], [true, false, false]),
        ("somebody's private", A, vec![10, 1, 0, 1], [true, true, false]),
        ("172.16/12", A, vec![172, 31, 0, 1], [true, true, false]),
        ("beyond it", A, vec![172, 32, 0, 1], [true, true, true]),
        ("192.168/16", A, vec![192, 168, 0, 1], [true, true, false]),
        ("link-local", A, vec![169, 254, 0, 1], [true, true, false]),
        ("public", A, vec![198, 51, 100, 1], [true, true, true]),
        ("::1", AAAA, v6("::1"), [true, false, false]),
        ("mapped", AAAA, v6("::ffff:10.77.0.1"), [true, false, false]),
        ("unique local", AAAA, v6("fd00::1"), [true, true, false]),
    ];
    for (what, rtype, data, passes) in table {
        for (rebinding, passes) in [Off, Own, Private].into_iter().zip(passes) {
            let record = |name| (6, name, rtype, 60, data.clone());
            let mut stage = Stage::new(Forwarding { rebinding, ..forwarding() });
            let told = stage.resolve("x.example", rtype, &[record("x.example")]);
            let expected = if passes { (PLAIN, 1) } else { (PLAIN | REFUSED, 0) };
            assert_eq!((told.flags, told.answer.len()), expected, "{what}, {rebinding:?}");
            // Behind an alias as well.
            let chain = [alias("y.example", 60, "z.example"), record("z.example")];
            let told = stage.resolve("y.example", rtype, &chain);
            assert_eq!(told.answer.len(), if passes { 2 } else { 0 }, "{what}, {rebinding:?}");
            // Where the operator vouches for the domain, or for its servers, it is no attack.
            let exempt = Forwarding { rebinding, rebinding_exempt: vec!["example".into()], ..forwarding() };
            let named = Forwarding { rebinding, groups: vec![group("example", &[FIRST])], ..forwarding() };
            for settings in [exempt, named] {
                let told = Stage::new(settings).resolve("x.example", rtype, &[record("x.example")]);
                assert_eq!((told.flags, told.answer.len()), (PLAIN, 1), "{what}, {rebinding:?}");
            }
        }
    }
}

#[test]
fn what_cannot_be_read_is_no_answer() {
    // A true answer, cut short or with octets behind it: the server's fault, and nobody else is there to ask.
    let whole = |exchange: &Exchange| {
        answer(exchange, 0x8180, &[address("example.org", 60, [198, 51, 100, 1]), soa("org", 60, 60)])
    };
    let mut stage = Stage::new(forwarding());
    let exchange = stage.ask("example.org", A);
    let octets = whole(&exchange).len();
    for cut in 12 + 17..=octets {
        let mut stage = Stage::new(Forwarding { cache_entries: 0, ..forwarding() });
        let exchange = stage.ask("example.org", A);
        let mut message = whole(&exchange);
        message.resize(if cut == octets { octets + 1 } else { cut }, 0);
        stage.answer(&exchange, &message);
        assert_eq!(stage.told().flags, PLAIN | SERVFAIL, "{cut}");
    }
}

#[test]
fn a_name_that_points_to_itself_or_ahead_is_no_name() {
    // Of the record behind the question: its owner as a pointer to these places.
    for target in [0_u16, 11, 29, 30, 31, 60, 0x3fff] {
        let mut stage = Stage::new(forwarding());
        let exchange = stage.ask("example.org", A);
        let mut message = answer(&exchange, 0x8180, &[]);
        assert_eq!(message.len(), 29);
        message[7] = 1;
        message.extend((0xc000 | target).to_be_bytes());
        message.extend([0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 198, 51, 100, 1]);
        stage.answer(&exchange, &message);
        assert_eq!(stage.told().flags, PLAIN | SERVFAIL, "{target}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever comes, nobody is told what was not in a readable answer, and all sockets are closed in the end.
    #[test]
    fn garbage_ends_well(tail in proptest::collection::vec(any::<u8>(), 0..200), flags in any::<u16>(), counts in any::<[u8; 3]>()) {
        let mut stage = Stage::new(forwarding());
        let exchange = stage.ask("example.org", A);
        let mut message = answer(&exchange, flags | 0x8000, &[]);
        (message[7], message[9], message[11]) = (counts[0], counts[1], counts[2]);
        message.extend(tail);
        stage.answer(&exchange, &message);
        stage.wait(Duration::from_secs(6));
        prop_assert_eq!(stage.replies.len(), 1);
        let told = stage.told();
        prop_assert_eq!(told.id, 0xabcd);
        prop_assert_eq!(stage.forgotten.len(), 1 + stage.asks.len());
    }

    /// Flipping any bits of a true answer never gives an answer for another name.
    #[test]
    fn a_damaged_answer_stays_within_the_question(flips in proptest::collection::vec((0_usize..150, 0_u8..8), 1..8)) {
        let mut stage = Stage::new(forwarding());
        let exchange = stage.ask("www.example.org", A);
        let mut message = answer(&exchange, 0x8180, &[
            alias("www.example.org", 300, "web.example.net"),
            address("web.example.net", 60, [198, 51, 100, 1]),
        ]);
        for (at, bit) in flips {
            let at = at % message.len();
            message[at] ^= 1 << bit;
        }
        stage.answer(&exchange, &message);
        stage.wait(Duration::from_secs(6));
        // What was damaged may have a type that nobody can read: the octets have to do.
        let reply = stage.replies.remove(0).1;
        let question = query("www.example.org", A);
        prop_assert_eq!(&reply[12..question.len()], &question[12..]);
        if reply[7] > 0 {
            prop_assert_eq!(&reply[question.len()..][..2], &[0xc0, 12]);
        }
    }
}
