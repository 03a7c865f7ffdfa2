//! Answers that are checked, from what BIND's named says of zones that BIND's tools have signed (`recorded/record`).

use super::*;
use crate::forwarding::{Anchor, Validation};
use crate::validate::Digest;
use forged::{rewritten, spoil};
use std::collections::BTreeMap;

mod forged;

/// The day on which the recorded signatures are good, from 2026-11-01 to 2026-12-31.
const TODAY: u64 = 1_796_083_200;
const AD: u16 = 0x20;
const DNSKEY: u16 = 48;
const DS: u16 = 43;
const RRSIG: u16 = 46;
const NSEC: u16 = 47;
const MX: u16 = 15;
const ANY: u16 = 255;
const RECORDED: &str = include_str!("recorded/answers.txt");

/// What servers say, by name in lower case with a final dot, and type.
struct Servers {
    said: BTreeMap<(String, u16), Vec<u8>>,
    asked: Vec<(String, u16)>,
}

impl Servers {
    fn new() -> Self {
        let lines = RECORDED.lines().filter(|line| !line.starts_with("anchor"));
        let read = |line: &str| {
            let mut words = line.split(' ');
            let name = words.next().unwrap().to_lowercase();
            let rtype = words.next().unwrap().parse().unwrap();
            ((name, rtype), octets(words.nth(2).unwrap()))
        };
        Self { said: lines.map(read).collect(), asked: Vec::new() }
    }

    /// Changes what is said to a question.
    fn edit(mut self, name: &str, rtype: u16, edit: impl FnOnce(&mut Vec<u8>)) -> Self {
        edit(self.said.get_mut(&(name.to_owned(), rtype)).unwrap());
        self
    }

    /// Says to a question what was said to another.
    fn replay(mut self, name: &str, rtype: u16, instead: (&str, u16)) -> Self {
        let other = &self.said[&(instead.0.to_owned(), instead.1)];
        let question = [wire(name), rtype.to_be_bytes().to_vec(), vec![0, 1]].concat();
        let head = [&other[..6], &[0; 6], &question].concat();
        let replayed = rewritten(other, head, |_| 1);
        self.said.insert((name.to_owned(), rtype), replayed);
        self
    }

    /// The answer to what was sent: with its id, and its question as it was sent.
    fn answer(&mut self, exchange: &Exchange) -> Vec<u8> {
        let sent = read(&exchange.payload);
        // CD, and DO (RFC 6840 5.9).
        assert_eq!(sent.flags, RD | CD, "{:?}", sent.questions);
        assert_eq!(exchange.payload[exchange.payload.len() - 4], 0x80, "{:?}", sent.questions);
        self.answer_if_known(exchange).unwrap_or_else(|| panic!("nobody knows {:?}", sent.questions))
    }

    fn answer_if_known(&mut self, exchange: &Exchange) -> Option<Vec<u8>> {
        let sent = read(&exchange.payload);
        let (name, rtype) = sent.questions[0].rsplit_once(' ').unwrap();
        let key = (name.to_lowercase(), rtype.parse().unwrap());
        let said = self.said.get(&key)?;
        self.asked.push(key);
        let end = exchange.payload.len() - 11 * sent.additional.len();
        let mut message = [&exchange.payload[..2], &said[2..12], &exchange.payload[12..end]].concat();
        message.extend(&said[end..]);
        Some(message)
    }
}

fn octets(hexadecimal: &str) -> Vec<u8> {
    let pair = |at: usize| u8::from_str_radix(&hexadecimal[at..at + 2], 16).unwrap();
    (0..hexadecimal.len()).step_by(2).map(pair).collect()
}

fn anchor() -> Anchor {
    let words: Vec<&str> = RECORDED.lines().next().unwrap().split(' ').collect();
    let digest = Digest {
        tag: words[1].parse().unwrap(),
        algorithm: words[2].parse().unwrap(),
        kind: words[3].parse().unwrap(),
        octets: octets(words[4]),
    };
    Anchor { domain: String::new(), digest }
}

fn checking() -> Forwarding {
    let validation = Validation { anchors: vec![anchor()], insecure: Vec::new() };
    Forwarding { validation: Some(validation), ..forwarding() }
}

fn stage_at(forwarding: Forwarding, seconds: u64) -> Stage {
    let mut stage = Stage::new(forwarding);
    stage.handle(Input::Calendar(seconds));
    stage
}

/// Asks with DO, and answers all that goes upstream.
fn ask(stage: &mut Stage, servers: &mut Servers, name: &str, rtype: u16) -> Vec<u8> {
    ask_with(stage, servers, &with_opt(query(name, rtype), 4096, true))
}

fn ask_with(stage: &mut Stage, servers: &mut Servers, query: &[u8]) -> Vec<u8> {
    stage.query(CLIENT, Transport::Tcp, query);
    for _ in 0..200 {
        let Some(exchange) = stage.asks.pop() else { break };
        let answer = servers.answer(&exchange);
        stage.answer(&exchange, &answer);
    }
    assert_eq!((stage.replies.len(), stage.resolver.next_wakeup()), (1, None), "it is over");
    stage.replies.remove(0).1
}

/// Of a reply: response code and AD, and the reason that stands in its OPT record.
fn outcome(reply: &[u8]) -> (u16, bool, Option<u16>) {
    let flags = read(reply).flags;
    let is_error = reply.len() > 16 && reply[reply.len() - 6..reply.len() - 2] == [0, 15, 0, 2];
    let reason = is_error.then(|| u16::from_be_bytes([reply[reply.len() - 2], reply[reply.len() - 1]]));
    (flags & 0xf, flags & AD != 0, reason)
}

/// Secure with an answer, and with so many records.
const SECURE: (u16, bool, Option<u16>) = (0, true, None);
const NO_NAME: (u16, bool, Option<u16>) = (NXDOMAIN, true, None);
const INSECURE: (u16, bool, Option<u16>) = (0, false, None);
const INSECURE_NO_NAME: (u16, bool, Option<u16>) = (NXDOMAIN, false, None);

#[test]
fn what_is_signed_is_told_so_and_what_need_not_be_is_told() {
    let table = [
        // From the zone itself, and through aliases.
        ("www.example", A, SECURE, 2),
        ("WWW.Example", TXT, SECURE, 1),
        ("example", SOA, SECURE, 1),
        ("example", DNSKEY, SECURE, 2),
        ("example", DS, SECURE, 1),
        ("alias.example", A, SECURE, 3),
        ("far.example", A, SECURE, 3),
        ("www.sub.example", A, SECURE, 2),
        ("sub.example", DS, SECURE, 1),
        // RFC 6672 5.3.1: the alias that was made is not signed, the tree is.
        ("www.tree.example", A, SECURE, 4),
        // RFC 4035 5.4: what is not there.
        ("www.example", MX, SECURE, 0),
        ("ns.example", AAAA, SECURE, 0),
        ("ent.example", A, SECURE, 0),
        ("missing.example", A, NO_NAME, 0),
        ("a.missing.example", A, NO_NAME, 0),
        ("nowhere.example", A, NO_NAME, 1),
        ("missing", A, NO_NAME, 0),
        // RFC 4035 5.3.4: what was made from a wildcard.
        ("x.wild.example", A, SECURE, 1),
        ("x.y.wild.example", A, SECURE, 1),
        ("x.wild.example", MX, SECURE, 0),
        ("here.wild.example", A, SECURE, 0),
        ("x.aliases.example", A, SECURE, 3),
        // RFC 5155 8: the same by hashes.
        ("www.hashed", A, SECURE, 2),
        ("www.hashed", MX, SECURE, 0),
        ("ent.hashed", A, SECURE, 0),
        ("missing.hashed", A, NO_NAME, 0),
        ("a.b.missing.hashed", A, NO_NAME, 0),
        ("x.wild.hashed", A, SECURE, 1),
        ("x.wild.hashed", MX, SECURE, 0),
        ("www.optout", A, SECURE, 2),
        // Each algorithm.
        ("www.rsa1", A, SECURE, 2),
        ("missing.rsa1", A, NO_NAME, 0),
        ("www.rsa512", A, SECURE, 2),
        ("www.p384", A, SECURE, 2),
        ("www.ed", A, SECURE, 2),
        ("missing.ed", A, NO_NAME, 0),
        // RFC 4034 6.2: names in data are signed in lower case.
        ("mixed.ed", MX, SECURE, 1),
        ("srv.ed", 33, SECURE, 1),
        ("naptr.ed", 35, SECURE, 1),
        // Delegations that are proven not to be signed.
        ("www.unsigned", A, INSECURE, 2),
        ("missing.unsigned", A, INSECURE_NO_NAME, 0),
        ("www.plain.example", A, INSECURE, 2),
        ("missing.plain.example", A, INSECURE_NO_NAME, 0),
        ("www.plain.hashed", A, INSECURE, 2),
        ("www.plain.optout", A, INSECURE, 2),
        ("out.example", A, INSECURE, 3),
        // That there is no delegation is known; behind it nothing is.
        ("plain.example", DS, SECURE, 0),
        ("plain.hashed", DS, SECURE, 0),
        ("plain.optout", DS, INSECURE, 0),
        // RFC 5155 9.2, 6: what opting out leaves open.
        ("missing.optout", A, INSECURE_NO_NAME, 0),
        // RFC 4035 5.2: signed by what is not known here (Ed448).
        ("www.odd", A, INSECURE, 2),
        // RFC 9276 3.2: too dear; what needs no proof is good all the same.
        ("www.dear", A, SECURE, 2),
        ("missing.dear", A, INSECURE_NO_NAME, 0),
        // Signatures themselves are not signed.
        ("www.example", RRSIG, INSECURE, 3),
    ];
    for (name, rtype, expected, records) in table {
        let mut stage = stage_at(checking(), TODAY);
        let mut servers = Servers::new();
        let reply = ask(&mut stage, &mut servers, name, rtype);
        assert_eq!(outcome(&reply), expected, "{name} {rtype}: {servers:?}", servers = servers.asked);
        let is_signature = |record: &&String| rtype == RRSIG || !record.contains(" TYPE46 ");
        let told = read(&reply).answer;
        assert_eq!(told.iter().filter(is_signature).count(), records, "{name} {rtype}: {told:?}");
        // The second time nobody is asked, and the same is told.
        assert_eq!(
            ask(&mut stage, &mut Servers { said: BTreeMap::new(), asked: Vec::new() }, name, rtype),
            reply
        );
        let counts = stage.counts();
        assert_eq!(
            (counts.secure, counts.insecure, counts.bogus),
            (u64::from(expected.1), u64::from(!expected.1), 0)
        );
    }
}

/// What another validator thinks of all that was recorded.
#[test]
fn named_thinks_the_same() {
    let differs = |name: &str, rtype: u16, (code, is_secure): (u16, bool)| match (name, rtype) {
        // It knows Ed448.
        ("www.odd." | "odd.", A | DNSKEY) => (code, false),
        // It lets 101 iterations pass.
        ("missing.dear.", A) => (code, false),
        // It has no limit of 24 keys.
        ("www.many." | "many.", A | DNSKEY) => (SERVFAIL, false),
        // It says of signatures that they are signed.
        (_, RRSIG) => (code, false),
        _ => (code, is_secure),
    };
    let mut differences = 0;
    for line in RECORDED.lines().filter(|line| !line.starts_with("anchor")) {
        let words: Vec<&str> = line.split(' ').collect();
        let (name, rtype) = (words[0].to_lowercase(), words[1].parse().unwrap());
        let named = (words[2].parse().unwrap(), words[3] == "ad");
        let mut stage = stage_at(checking(), TODAY);
        let mut servers = Servers::new();
        let reply = ask(&mut stage, &mut servers, name.trim_end_matches('.'), rtype);
        let (code, is_secure, reason) = outcome(&reply);
        let expected = differs(&name, rtype, named);
        assert_eq!((code, is_secure), expected, "{name} {rtype}, {reason:?}: {:?}", servers.asked);
        differences += usize::from(expected != named);
    }
    assert_eq!(differences, 6);
}

#[test]
fn who_does_not_ask_for_signatures_gets_none() {
    for (name, rtype, records) in [("www.example", A, 2), ("missing.example", A, 0), ("x.wild.example", A, 1)]
    {
        let mut stage = stage_at(checking(), TODAY);
        let mut servers = Servers::new();
        let told = read(&ask_with(&mut stage, &mut servers, &query(name, rtype)));
        // RFC 6840 5.8: nor AD, unless he asks for that.
        assert_eq!((told.flags & AD, told.answer.len()), (0, records), "{name}");
        assert!(told.authority.iter().all(|record| record.contains(" SOA ")), "{told:?}");
        let count = servers.asked.len();
        let mut asked = query(name, rtype);
        asked[3] |= 0x20;
        let told = read(&ask_with(&mut stage, &mut servers, &asked));
        assert_eq!((told.flags & AD, told.answer.len()), (AD, records), "{name}");
        assert_eq!(servers.asked.len(), count);
        // With signatures it is another answer, from what was said the first time.
        assert!(outcome(&ask(&mut stage, &mut servers, name, rtype)).1);
        assert_eq!(servers.asked.len(), count, "{name}");
    }
}

#[test]
fn keys_are_asked_for_once() {
    let mut stage = stage_at(checking(), TODAY);
    let mut servers = Servers::new();
    ask(&mut stage, &mut servers, "www.example", A);
    let asked: Vec<_> = servers.asked.iter().map(|(name, rtype)| (name.as_str(), *rtype)).collect();
    assert_eq!(asked, [("www.example.", A), (".", DNSKEY), ("example.", DS), ("example.", DNSKEY)]);
    servers.asked.clear();
    ask(&mut stage, &mut servers, "missing.example", A);
    assert_eq!(servers.asked, [("missing.example.".to_owned(), A)]);
}

#[test]
fn each_signature_has_its_time() {
    let cases = [
        (1_793_491_200 - 1, INSECURE), // the clock was never set, as far as anybody can tell
        (1_793_491_200, SECURE),       // 2026-11-01
        (1_798_675_200, SECURE),       // 2026-12-31
        (1_798_675_201, (SERVFAIL, false, Some(7))),
    ];
    for (seconds, expected) in cases {
        let mut stage = stage_at(checking(), seconds);
        let reply = ask(&mut stage, &mut Servers::new(), "www.example", A);
        assert_eq!(outcome(&reply), expected, "{seconds}");
        assert_eq!(stage.counts().undated, u64::from(expected == INSECURE));
    }
    // As soon as it is set, what was told without it is asked for again.
    let mut stage = stage_at(checking(), 0);
    assert_eq!(outcome(&ask(&mut stage, &mut Servers::new(), "www.example", A)), INSECURE);
    stage.handle(Input::Calendar(TODAY));
    assert_eq!(outcome(&ask(&mut stage, &mut Servers::new(), "www.example", A)), SECURE);
    // A head whose battery is empty begins on the day that its board was made, which is after the first of this program; its records are younger.
    let mut stage = stage_at(checking(), 1_793_491_200 + 86_400);
    stage.handle(Input::Reached(TODAY));
    assert_eq!(outcome(&ask(&mut stage, &mut Servers::new(), "www.example", A)), INSECURE);
    stage.handle(Input::Calendar(TODAY + 1));
    assert_eq!(outcome(&ask(&mut stage, &mut Servers::new(), "www.example", A)), SECURE);
    // Somebody sets the calendar to a day before that: it is believed.
    stage.handle(Input::Calendar(1_793_491_200 + 86_400));
    stage.handle(Input::Reached(0));
    assert_eq!(outcome(&ask(&mut stage, &mut Servers::new(), "www.example", A)), SECURE);
    // It is kept no longer than the signature is good (RFC 4035 5.3.3).
    let mut stage = stage_at(checking(), 1_798_675_200 - 100);
    let told = read(&ask(&mut stage, &mut Servers::new(), "www.example", A));
    assert!(told.answer[0].starts_with("www.example. 100 A "), "{:?}", told.answer);
    // Without a calendar, what is signed wrong is wrong all the same.
    let mut stage = stage_at(checking(), 0);
    let mut servers = Servers::new().edit("www.example.", A, |message| spoil(message, A, None, false));
    assert_eq!(outcome(&ask(&mut stage, &mut servers, "www.example", A)), (SERVFAIL, false, Some(6)));
}

#[test]
fn where_nothing_need_be_signed() {
    let insecure = |insecure: &[&str], groups: &[&str], anchors: Vec<Anchor>| {
        let mut forwarding = checking();
        forwarding.groups.extend(groups.iter().map(|domain| group(domain, &[SECOND])));
        let insecure = insecure.iter().map(|domain| (*domain).to_owned()).collect();
        forwarding.validation = Some(Validation { anchors, insecure });
        stage_at(forwarding, TODAY)
    };
    let own = || Anchor { domain: "example".into(), ..anchor() };
    let cases = [
        ("a domain of the operator's", insecure(&["example"], &[], vec![anchor()]), false),
        ("one above it", insecure(&["www.example"], &[], vec![anchor()]), false),
        ("another one", insecure(&["other.example"], &[], vec![anchor()]), true),
        ("a domain with servers of its own", insecure(&[], &["example"], vec![anchor()]), false),
        ("no anchor at all", insecure(&[], &[], Vec::new()), false),
        (
            "an anchor elsewhere",
            insecure(&[], &[], vec![Anchor { domain: "hashed".into(), ..anchor() }]),
            false,
        ),
        ("servers and an anchor of its own", insecure(&[], &["example"], vec![anchor(), own()]), true),
    ];
    for (what, mut stage, is_checked) in cases {
        stage.query(CLIENT, Transport::Udp, &with_opt(query("www.example", A), 4096, true));
        let exchange = stage.asked();
        // What is checked is asked for unchecked.
        assert_eq!(read(&exchange.payload).flags & CD != 0, is_checked, "{what}");
        if !is_checked {
            let records = [address("www.example", 60, [198, 51, 100, 1])];
            stage.answer(&exchange, &answer(&exchange, 0x81a0, &records));
            let told = stage.told();
            assert_eq!((told.flags & AD, told.answer.len()), (0, 1), "{what}");
        }
    }
}

#[test]
fn nobody_knows_what_leads_to_it() {
    let mut stage = stage_at(checking(), TODAY);
    let mut servers = Servers::new();
    stage.query(CLIENT, Transport::Udp, &query("www.example", A));
    let exchange = stage.asked();
    stage.answer(&exchange, &servers.answer(&exchange));
    // The root's keys: REFUSED, and there is nobody else.
    let keys = stage.asked();
    stage.answer(&keys, &answer(&keys, 0x8185, &[]));
    assert_eq!(stage.told().flags, PLAIN | SERVFAIL);
    assert_eq!((stage.counts().bogus, stage.counts().failed), (0, 2));
    stage.wait(Duration::from_secs(6));
    assert_eq!(outcome(&ask(&mut stage, &mut servers, "www.example", A)), SECURE);
}

#[test]
fn many_who_ask_the_same_are_one_check() {
    let mut stage = stage_at(checking(), TODAY);
    let mut servers = Servers::new();
    for host in 1..=100 {
        stage.query(&format!("10.77.2.{host}:5000"), Transport::Udp, &query("www.example", A));
        stage.query(&format!("10.77.2.{host}:5000"), Transport::Udp, &query("www.example", TXT));
    }
    while let Some(exchange) = stage.asks.pop() {
        stage.answer(&exchange, &servers.answer(&exchange));
    }
    assert_eq!((stage.replies.len(), stage.counts().secure), (200, 2));
    assert_eq!(servers.asked.len(), 5, "{:?}", servers.asked);
}

/// RFC 8767: what was true once is told if nobody answers, but not that it still is.
#[test]
fn what_is_stale_is_not_secure() {
    let mut stage = stage_at(checking(), TODAY);
    assert_eq!(outcome(&ask(&mut stage, &mut Servers::new(), "www.example", A)), SECURE);
    stage.wait(Duration::from_secs(301));
    stage.query(CLIENT, Transport::Tcp, &with_opt(query("www.example", A), 4096, true));
    stage.wait(Duration::from_secs(2));
    let reply = stage.replies.remove(0).1;
    assert_eq!(outcome(&reply), INSECURE);
    assert!(read(&reply).answer[0].starts_with("www.example. 30 A "), "{:?}", read(&reply).answer);
}

/// What leads to the answers of a client gives way with his questions.
#[test]
fn one_client_does_not_use_up_all_checks() {
    ask_without_end(checking());
}

/// Each of a client's questions is one, however much is asked for its answer.
#[test]
fn a_question_that_is_checked_counts_once() {
    let all = || stage_at(Forwarding { rate_per_second: 0, ..checking() }, TODAY);
    // As many clients as there is room for have one each.
    let mut stage = all();
    for number in 0..QUESTIONS_MAX / 2 {
        let from = format!("10.77.{}.{}:4000", 2 + number / 200, number % 200);
        stage.query(&from, Transport::Udp, &query(&format!("n{number}.example"), A));
    }
    assert_eq!((stage.asks.len(), stage.replies.len()), (QUESTIONS_MAX / 2, 0));
    stage.query("10.77.9.9:4000", Transport::Udp, &query("late.example", A));
    let refused: Vec<_> =
        stage.replies.iter().map(|(to, reply)| (to.to_string(), read(reply).flags)).collect();
    assert_eq!(
        refused,
        [("10.77.9.9:4000".to_owned(), PLAIN | SERVFAIL)],
        "nobody's only question gives way"
    );

    // One client has some checked, and another one more that need not be.
    let mut stage = all();
    for number in 0..QUESTIONS_MAX / 4 {
        stage.query("10.77.9.9:4000", Transport::Udp, &query(&format!("n{number}.example"), A));
    }
    for number in 0..QUESTIONS_MAX / 2 {
        let mut unchecked = query(&format!("m{number}.example"), A);
        unchecked[3] |= 0x10;
        stage.query(CLIENT, Transport::Udp, &unchecked);
    }
    assert_eq!(stage.replies.len(), 0);
    stage.query("10.77.9.10:4000", Transport::Udp, &query("late.example", A));
    let displaced: Vec<_> = stage.replies.iter().map(|(to, _)| to.to_string()).collect();
    assert_eq!(displaced, [CLIENT], "he has most");
}

/// Where a question gives way, so does what was asked for its answer alone; but not what others wait for.
#[test]
fn what_nobody_waits_for_any_more_gives_way_first() {
    let mut stage = stage_at(Forwarding { rate_per_second: 0, ..checking() }, TODAY);
    for number in 0..QUESTIONS_MAX / 2 {
        stage.query(CLIENT, Transport::Udp, &query(&format!("n{number}.example"), A));
    }
    // With DO it is another answer, which waits for the same.
    stage.query("10.77.9.9:4000", Transport::Udp, &with_opt(query("n0.example", A), 4096, true));
    assert_eq!((stage.asks.len(), stage.forgotten.len()), (QUESTIONS_MAX / 2, 0));
    assert_eq!(stage.replies.len(), 1, "the first gives way, and what it waited for does not");
    // One for one, and with each that gave way its socket is closed when that is needed.
    for late in 1..=9 {
        let from = format!("10.77.9.{}:4000", 9 + late);
        stage.query(&from, Transport::Udp, &query(&format!("late{late}.example"), A));
        let seen = (stage.asks.len() - QUESTIONS_MAX / 2, stage.replies.len(), stage.forgotten.len());
        assert_eq!(seen, (late, 1 + late, late - 1));
    }
}

/// Whoever asks for what leads to another client's answer, and then for more than he may, loses questions of his own alone.
#[test]
fn nobody_has_the_checked_question_of_another_give_way() {
    let unchecked = |name: &str| {
        let mut query = with_opt(query(name, A), 4096, true);
        query[3] |= 0x10;
        query
    };
    for is_before in [true, false] {
        let mut stage = stage_at(Forwarding { rate_per_second: 0, ..checking() }, TODAY);
        let victims = with_opt(query("n.example", A), 4096, true);
        let mut both = [("10.77.9.9:4000", victims), (CLIENT, unchecked("n.example"))];
        if is_before {
            both.reverse();
        }
        for (from, query) in &both {
            stage.query(from, Transport::Udp, query);
        }
        assert_eq!(stage.asks.len(), 1, "one leads to both");
        for number in 0..2 * QUESTIONS_MAX {
            stage.query(CLIENT, Transport::Udp, &unchecked(&format!("m{number}.example")));
        }
        assert!(stage.replies.len() > QUESTIONS_MAX, "{}", stage.replies.len());
        assert!(stage.replies.iter().all(|(to, _)| *to == CLIENT.parse().unwrap()), "his own: {is_before}");
        // The other one's is over, and then it is his like the rest.
        stage.wait(Duration::from_secs(5));
        assert!(stage.resolver.next_wakeup().is_none() && stage.forgotten.len() == stage.asks.len());
    }
}
