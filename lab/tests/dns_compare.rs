//! Ten thousand questions by chance, answered by this server, by Knot DNS, which copied its zones, and by Unbound, which read them from a file.
//!
//! Code, flags and sections are compared. Where they differ, [`differences`] says why; a difference that it has no reason for fails the test, and so does a
//! reason that nothing differs by any more. docs/dns.md tells the same.

#[path = "dns_compare/differences.rs"]
mod differences;
#[path = "dns_compare/message.rs"]
mod message;
#[path = "dns_compare/questions.rs"]
mod questions;

use differences::{Reason, Whom};
use heorot_lab::name_server::Unbound;
use heorot_lab::network::{CLIENT, SERVER};
use heorot_lab::secondary::{Copies, Secondary};
use heorot_lab::server::{Server, Settings};
use message::Answer;
use questions::{Chance, Question};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::{Ipv4Addr, UdpSocket};
use std::time::{Duration, Instant};

const QUESTIONS: u64 = 10_000;
const SEED: u64 = 2_026;
const KNOT: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 3);
const UNBOUND: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 4);
const ZONES: [&str; 3] = ["cluster", "77.10.in-addr.arpa", "0.0.0.0.0.0.0.0.0.0.0.0.7.7.d.f.ip6.arpa"];
/// Who has not answered by then is asked again, so often: the machine may be busy.
const PATIENCE: Duration = Duration::from_millis(1500);
const REPEATS: u32 = 4;
/// Differences that are shown when the test fails.
const SHOWN_MAX: usize = 40;

fn settings() -> Settings {
    let mut further = format!(
        r#"
[dns]
secondaries = ["{CLIENT}", "{KNOT}"]
[[node]]
mac = "52:54:00:00:00:17"
number = 23
name = "login"
[[host]]
mac = "52:54:00:00:00:99"
name = "switch"
address = "10.77.0.20"
[[dns.record]]
name = "printer"
value = ["10.77.9.9", "fd77::9"]
[[dns.record]]
name = "texts"
type = "TXT"
value = "rack 7, on top"
"#
    );
    let long = "x".repeat(200);
    let mut record = |name: &str, kind: &str, value: &str| {
        // Writing to a string cannot fail.
        let _ =
            write!(further, "[[dns.record]]\nname = \"{name}\"\ntype = \"{kind}\"\nvalue = \"{value}\"\n");
    };
    record("www", "CNAME", "printer");
    record("first", "CNAME", "second");
    record("second", "CNAME", "www");
    record("gone", "CNAME", "nobody");
    record("away", "CNAME", "www.example.org");
    record("to-below", "CNAME", "a.below.cluster");
    record("@", "MX", "10 printer");
    record("mail", "MX", "5 node5");
    record("mail", "MX", "10 mail.example.org");
    record("info", "TXT", "rack 7");
    record("_ldap._tcp", "SRV", "0 100 389 printer");
    record("_ldap._tcp", "SRV", "0 100 390 node7");
    record("_none._udp", "SRV", "0 0 0 .");
    record("deep.er", "A", "192.0.2.2");
    record("deep.er", "A", "192.0.2.3");
    record("x.node3", "A", "192.0.2.4");
    record("below", "NS", "ns.below.cluster");
    record("below", "NS", "ns.example.org");
    record("ns.below", "A", "192.0.2.53");
    for last in 0..60 {
        record("many", "A", &format!("192.0.2.{}", 100 + last));
    }
    for text in 0..3 {
        record("texts", "TXT", &format!("{text}{long}"));
    }
    Settings { network: "first-ipv6 = \"fd77::1:0\"".into(), further, ..Settings::default() }
}

/// What a server said; none: nothing that can be read.
fn ask(sockets: &[UdpSocket], question: &Question, id: u16) -> Vec<Option<Answer>> {
    let message = question.message(id);
    for socket in sockets {
        socket.send(&message).expect("a question is sent");
    }
    let mut room = [0; 65_535];
    let mut answer = |socket: &UdpSocket| {
        for repeat in 0..REPEATS {
            if repeat > 0 {
                socket.send(&message).expect("a question is sent");
            }
            let asked = Instant::now();
            while asked.elapsed() < PATIENCE {
                let Ok(octets) = socket.recv(&mut room) else { break };
                if octets >= 2 && room[..2] == id.to_be_bytes() {
                    return Answer::read(&room[..octets]);
                }
            }
        }
        None
    };
    sockets.iter().map(|socket| answer(socket)).collect()
}

/// The zones as files, as this server gives them away.
fn zone_files(server: &Server) -> Result<Vec<(&'static str, String)>, String> {
    let copy = |zone: &'static str| {
        let question = ["@10.77.0.1", "-b", "10.77.0.2", "+noall", "+answer", "+onesoa", "AXFR", zone];
        server.network.client.ask("dig", &question).map(|text| (zone, text))
    };
    ZONES.into_iter().map(copy).collect()
}

/// What came of all questions.
#[derive(Default)]
struct Compared {
    /// Answers without any difference.
    same: u32,
    /// How often each of them was one.
    reasons: BTreeMap<(Whom, Reason), u32>,
    /// Differences without a reason: how often, and the first question.
    unexplained: BTreeMap<(Whom, String), (u32, String)>,
}

/// All questions: how often each reason was one, and what has none.
fn compare(sockets: &[UdpSocket]) -> Compared {
    let mut chance = Chance(SEED);
    let mut compared = Compared::default();
    for number in 0..QUESTIONS {
        let question = chance.question();
        let answers = ask(sockets, &question, number as u16);
        let [own, others @ ..] = &answers[..] else { unreachable!("there are three") };
        for (whom, other) in [Whom::Knot, Whom::Unbound].into_iter().zip(others) {
            match differences::explain(whom, &question, own.as_ref(), other.as_ref()) {
                Ok(found) => {
                    compared.same += u32::from(found.is_empty());
                    for reason in found {
                        *compared.reasons.entry((whom, reason)).or_default() += 1;
                    }
                }
                Err(what) => {
                    let example = || format!("{question}\n  own:   {own:?}\n  other: {other:?}");
                    let entry = compared.unexplained.entry((whom, what));
                    entry.or_insert_with(|| (0, example())).0 += 1;
                }
            }
        }
    }
    compared
}

#[test]
fn ten_thousand_questions_are_answered_as_others_answer_them() {
    let server = Server::start(&settings()).expect("the lab and the server start");
    for address in [KNOT, UNBOUND] {
        server.network.client.ip(&format!("address add {address}/16 dev eth0")).expect("a further address");
    }
    let knot =
        Secondary::knot(&server, KNOT, Copies { zones: &ZONES, secret: None }).expect("Knot DNS starts");
    let copied = knot.wait_for_copies(&server, &ZONES);
    server.explain_failure(copied).unwrap_or_else(|error| panic!("{error}"));
    let files = zone_files(&server).expect("the zones are copied");
    let _unbound = Unbound::start(&server.network.client, UNBOUND, &files).expect("Unbound starts");

    let began = Instant::now();
    let outcome = server.network.client.enter(|| {
        let socket = |server: Ipv4Addr| {
            let socket = UdpSocket::bind((CLIENT, 0))?;
            socket.connect((server, 53))?;
            socket.set_read_timeout(Some(PATIENCE))?;
            Ok(socket)
        };
        let sockets = [SERVER, KNOT, UNBOUND].map(socket).into_iter().collect::<std::io::Result<Vec<_>>>();
        Ok(compare(&sockets.map_err(|error| error.to_string())?))
    });
    let Compared { same, reasons, unexplained } = outcome.expect("they are asked");
    let mut table =
        format!("{same} of {} answers are the same; {:.1} s\n", 2 * QUESTIONS, began.elapsed().as_secs_f64());
    for ((whom, reason), count) in &reasons {
        let _ = writeln!(table, "{whom:?} {count:>6}  {reason:?}: {}", reason.why());
    }
    for ((whom, what), (count, example)) in unexplained.iter().take(SHOWN_MAX) {
        let _ = writeln!(table, "{whom:?} {count:>6}  NO REASON: {what}\n{example}");
    }
    assert!(unexplained.is_empty(), "{table}");
    for reason in Reason::ALL {
        assert!(reasons.keys().any(|(_, found)| *found == reason), "nothing differs by {reason:?} any more");
        assert!(
            include_str!("../../docs/dns.md").contains(reason.why()),
            "docs/dns.md does not say: {}",
            reason.why()
        );
    }
}
