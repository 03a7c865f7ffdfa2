//! What a question costs here, without sockets: `cargo test --release -p heorot-dns --test cost -- --ignored --nocapture`.
// A measurement has a clock.
#![allow(missing_docs, clippy::disallowed_types, clippy::unwrap_used)]

use heorot_dns::{Input, Output, Query, QueryId, Resolver, Settings, Transport};
use heorot_names::{Directory, NumberRange, Numbering, Pattern};
use std::sync::Arc;
use std::time::Instant;

fn directory() -> Arc<Directory> {
    let network = Numbering {
        numbers: NumberRange { lowest: 0, highest: 4095 },
        first: [10, 77, 64, 0].into(),
        first_ipv6: None,
        suffix: String::new(),
    };
    Arc::new(Directory {
        zone: "cluster".into(),
        pattern: Pattern::parse("node{}").unwrap(),
        networks: vec![network],
        given_names: Default::default(),
        hosts: Default::default(),
        records: Vec::new(),
        files: Default::default(),
        serial: 1,
        hardware_addresses: Default::default(),
        groups: Default::default(),
    })
}

fn questions(name: impl Fn(usize) -> String, kind: u8) -> Vec<Vec<u8>> {
    let question = |number| {
        let mut message = vec![0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        for label in name(number).split('.') {
            message.push(u8::try_from(label.len()).unwrap());
            message.extend(label.bytes());
        }
        message.extend([0, 0, kind, 0, 1]);
        message
    };
    // In an order of chance: 2731 is prime to 4096.
    (0..4096).map(|at| question(at * 2731 % 4096)).collect()
}

#[test]
#[ignore = "a measurement"]
fn cost() {
    let names = questions(|number| format!("node{number}.cluster"), 1);
    let pointers =
        questions(|number| format!("{}.{}.77.10.in-addr.arpa", number % 256, 64 + number / 256), 12);
    let prefix = heorot_dns::Prefix { address: [10, 77, 0, 0].into(), length: 16 };
    let settings = Settings { reverse_prefixes: vec![prefix], ..Settings::default() };
    let mut resolver = Resolver::new(settings, directory()).unwrap();
    let mut out = Vec::new();
    let mut ask_all = |questions: &[Vec<u8>]| {
        let began = Instant::now();
        for chunk in questions.chunks(32) {
            for payload in chunk {
                let from = ([10, 77, 0, 2], 4711).into();
                let query = Query { transport: Transport::Udp, from, id: QueryId(1), payload };
                resolver.handle(1_000_000_000, Input::Query(query), &mut out);
            }
            for reply in out.drain(..) {
                let Output::Reply { payload, .. } = reply else { panic!("{reply:?}") };
                assert_eq!(payload[3] & 15, 0);
            }
        }
        began.elapsed().as_nanos() / questions.len() as u128
    };
    for (what, questions) in [("names", &names), ("pointers", &pointers)] {
        let first = ask_all(questions);
        let mut again: Vec<u128> = (0..31).map(|_| ask_all(questions)).collect();
        again.sort_unstable();
        println!(
            "{what}: {first} ns at first, {} ns again (the fastest of 31 rounds; median {})",
            again[0], again[15]
        );
    }
}
