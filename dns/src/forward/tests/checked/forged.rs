//! What is not true, and whoever says it.

use super::*;
use crate::upstream::records::{Record, Writer, read as read_records};
use proptest::prelude::*;

/// The last octet of a record of this type in a message is another: of the first, or of all.
pub(super) fn spoil(message: &mut [u8], rtype: u16, covered: Option<u16>, all: bool) {
    let question = 12 + message[12..].iter().position(|octet| *octet == 0).unwrap() + 5;
    let counts = (6..12).step_by(2).map(|at| usize::from(message[at + 1])).sum::<usize>();
    let mut at = question;
    let mut spoilt = 0;
    for _ in 0..counts {
        while message[at] != 0 && message[at] < 0xc0 {
            at += 1 + usize::from(message[at]);
        }
        at += if message[at] == 0 { 1 } else { 2 };
        let length = usize::from(u16::from_be_bytes([message[at + 8], message[at + 9]]));
        let is_it = u16::from_be_bytes([message[at], message[at + 1]]) == rtype;
        let covers =
            is_it && covered.is_none_or(|covered| message[at + 10..at + 12] == covered.to_be_bytes());
        at += 10 + length;
        if covers && (all || spoilt == 0) {
            message[at - 1] ^= 1;
            spoilt += 1;
        }
    }
    assert!(spoilt > 0, "nothing of type {rtype} is there");
}

/// Takes out all records of this type.
fn strip(message: &mut Vec<u8>, rtype: u16) {
    let head = head_of(message);
    *message = rewritten(message, head, |record| usize::from(record.rtype != rtype));
}

fn head_of(message: &[u8]) -> Vec<u8> {
    let question = message[12..].iter().position(|octet| *octet == 0).unwrap() + 5;
    let mut head = message[..12 + question].to_vec();
    head[6..12].fill(0);
    head
}

/// The records of a message behind another header and question, each as often as is said; OPT is left out.
pub(super) fn rewritten(message: &[u8], head: Vec<u8>, times: impl Fn(&Record) -> usize) -> Vec<u8> {
    let question = head_of(message).len() - 12;
    let mut writer = Writer::new(head);
    for record in read_records(message, question).unwrap().iter().filter(|record| record.rtype != 41) {
        for _ in 0..times(record) {
            writer.push(record, record.ttl_seconds).unwrap();
        }
    }
    writer.finish().0
}

type Change = fn(Servers) -> Servers;

#[test]
fn what_is_not_true_is_told_to_nobody() {
    let table: &[(&str, &str, u16, Change, u16)] = &[
        ("another address", "www.example", A, |s| s.edit("www.example.", A, |m| spoil(m, A, None, false)), 6),
        (
            "another signature",
            "www.example",
            A,
            |s| s.edit("www.example.", A, |m| spoil(m, RRSIG, None, true)),
            6,
        ),
        ("no signature", "www.example", A, |s| s.edit("www.example.", A, |m| strip(m, RRSIG)), 10),
        (
            "a forged key",
            "www.example",
            A,
            |s| s.edit("example.", DNSKEY, |m| spoil(m, DNSKEY, None, true)),
            9,
        ),
        ("keys without signature", "www.example", A, |s| s.edit("example.", DNSKEY, |m| strip(m, RRSIG)), 10),
        ("no keys", "www.example", A, |s| s.edit("example.", DNSKEY, |m| strip(m, DNSKEY)), 9),
        ("forged digests", "www.example", A, |s| s.edit("example.", DS, |m| spoil(m, DS, None, true)), 6),
        ("digests left out", "www.example", A, |s| s.edit("example.", DS, |m| strip(m, DS)), 12),
        ("another root", "www.example", A, |s| s.replay(".", DNSKEY, ("example.", DNSKEY)), 9),
        ("too many keys", "www.many", A, |s| s, 6),
        // As if the delegation were unsigned, with a proof that is good for another.
        ("a replayed delegation", "www.example", A, |s| s.replay("example.", DS, ("unsigned.", DS)), 12),
        ("a hashed one", "www.sub.example", A, |s| s.replay("sub.example.", DS, ("plain.optout.", DS)), 10),
        (
            "one of the same zone",
            "www.sub.example",
            A,
            |s| s.replay("sub.example.", DS, ("plain.example.", DS)),
            12,
        ),
        // Denials of what is there.
        (
            "a denial of another name",
            "www.example",
            A,
            |s| s.replay("www.example.", A, ("missing.example.", A)),
            12,
        ),
        (
            "a denial of another type",
            "www.example",
            A,
            |s| s.replay("www.example.", A, ("www.example.", MX)),
            12,
        ),
        // RFC 6840 4.1: the upper side of a delegation says nothing of what is below it.
        (
            "a denial from above",
            "www.sub.example",
            A,
            |s| s.replay("www.sub.example.", A, ("subb.example.", A)),
            12,
        ),
        ("a hashed denial", "www.hashed", A, |s| s.replay("www.hashed.", A, ("missing.hashed.", A)), 12),
        (
            "a wildcard where a name is",
            "here.wild.example",
            TXT,
            |s| s.replay("here.wild.example.", TXT, ("here.wild.example.", A)),
            12,
        ),
        ("no proof", "missing.example", A, |s| s.edit("missing.example.", A, |m| strip(m, NSEC)), 12),
        ("no hashed proof", "missing.hashed", A, |s| s.edit("missing.hashed.", A, |m| strip(m, 50)), 12),
        (
            "a forged proof",
            "missing.example",
            A,
            |s| s.edit("missing.example.", A, |m| spoil(m, NSEC, None, true)),
            6,
        ),
        (
            "a forged SOA",
            "missing.example",
            A,
            |s| s.edit("missing.example.", A, |m| spoil(m, SOA, None, true)),
            6,
        ),
        ("no name that is there", "www.example", MX, |s| s.edit("www.example.", MX, |m| m[3] |= 3), 12),
        (
            "a wildcard without its proof",
            "x.wild.example",
            A,
            |s| s.edit("x.wild.example.", A, |m| strip(m, NSEC)),
            12,
        ),
        (
            "one with a forged proof",
            "x.wild.hashed",
            A,
            |s| s.edit("x.wild.hashed.", A, |m| spoil(m, RRSIG, Some(50), true)),
            6,
        ),
        (
            "an alias that is forged",
            "alias.example",
            A,
            |s| s.edit("alias.example.", A, |m| strip(m, RRSIG)),
            10,
        ),
        (
            "a tree that is forged",
            "www.tree.example",
            A,
            |s| s.edit("www.tree.example.", A, |m| spoil(m, RRSIG, Some(39), true)),
            6,
        ),
    ];
    for (what, name, rtype, change, reason) in table {
        let mut stage = stage_at(checking(), TODAY);
        let mut servers = change(Servers::new());
        let reply = ask(&mut stage, &mut servers, name, *rtype);
        assert_eq!(outcome(&reply), (SERVFAIL, false, Some(*reason)), "{what}: {:?}", servers.asked);
        assert_eq!((read(&reply).answer.len(), read(&reply).authority.len()), (0, 0), "{what}");
        assert_eq!(stage.counts().bogus, 1, "{what}");
        // For some seconds it is not asked for again; who wants it unchecked gets it (RFC 4035 3.2.2).
        servers.asked.clear();
        assert_eq!(
            outcome(&ask(&mut stage, &mut servers, name, *rtype)),
            (SERVFAIL, false, Some(*reason)),
            "{what}"
        );
        assert!(servers.asked.is_empty(), "{what}");
        let mut unchecked = with_opt(query(name, *rtype), 4096, true);
        unchecked[3] |= 0x10;
        let reply = ask_with(&mut stage, &mut servers, &unchecked);
        assert!(matches!(outcome(&reply), (0 | NXDOMAIN, false, None)), "{what}");
        // What was wrong is forgotten then; the rest need not be asked for.
        stage.wait(Duration::from_secs(6));
        let mut good = Servers::new();
        if *what != "too many keys" {
            assert!(outcome(&ask(&mut stage, &mut good, name, *rtype)).1, "{what}: {:?}", good.asked);
        }
    }
}

/// One server is broken, or somebody sits on the way to it: the other is asked.
#[test]
fn another_server_is_asked_for_what_is_not_true() {
    let lies: [(&str, Change); 3] = [
        ("an address", |s| s.edit("www.example.", A, |m| spoil(m, A, None, false))),
        ("keys", |s| s.edit("example.", DNSKEY, |m| strip(m, RRSIG))),
        ("a delegation", |s| s.edit("example.", DS, |m| strip(m, RRSIG))),
    ];
    for (what, lie) in lies {
        for both_lie in [false, true] {
            let groups = vec![group("", &[FIRST, SECOND])];
            let mut stage = stage_at(Forwarding { groups, ..checking() }, TODAY);
            let (mut liar, mut other) = (lie(Servers::new()), Servers::new());
            if both_lie {
                other = lie(other);
            }
            stage.query(CLIENT, Transport::Tcp, &with_opt(query("www.example", A), 4096, true));
            for _ in 0..40 {
                let Some(exchange) = stage.asks.pop() else { break };
                let is_first = exchange.server == FIRST.parse().unwrap();
                let answer = if is_first { liar.answer(&exchange) } else { other.answer(&exchange) };
                stage.answer(&exchange, &answer);
            }
            assert_eq!((stage.replies.len(), stage.resolver.next_wakeup()), (1, None), "{what}");
            let (code, is_secure, _) = outcome(&stage.replies.remove(0).1);
            let expected = if both_lie { (SERVFAIL, false) } else { (0, true) };
            assert_eq!((code, is_secure), expected, "{what}: {:?}, {:?}", liar.asked, other.asked);
            assert!(liar.asked.len() + other.asked.len() <= 8, "{what}: {:?}, {:?}", liar.asked, other.asked);
            assert!(!other.asked.is_empty());
        }
    }
}

/// CVE-2023-50387: keys with one tag, and signatures by each of them.
#[test]
fn work_is_bounded() {
    let mut stage = stage_at(checking(), TODAY);
    let spoilt = |message: &mut Vec<u8>| {
        // Every signature forty times, and none of them good.
        spoil(message, RRSIG, None, true);
        let head = head_of(message);
        *message = rewritten(message, head, |record| if record.rtype == RRSIG { 40 } else { 1 });
    };
    let mut servers = Servers::new().edit("www.example.", A, spoilt);
    let reply = ask(&mut stage, &mut servers, "www.example", A);
    assert_eq!(outcome(&reply), (SERVFAIL, false, Some(6)));
}

#[test]
fn any_type_is_checked_record_by_record() {
    let mut stage = stage_at(checking(), TODAY);
    assert_eq!(outcome(&ask(&mut stage, &mut Servers::new(), "www.example", ANY)), SECURE);
    let mut stage = stage_at(checking(), TODAY);
    let mut servers = Servers::new().edit("www.example.", ANY, |message| spoil(message, TXT, None, true));
    assert_eq!(outcome(&ask(&mut stage, &mut servers, "www.example", ANY)), (SERVFAIL, false, Some(6)));
}

/// Records of a reply in order, without their TTLs, which are not signed.
fn told_records(reply: &[u8]) -> BTreeSet<String> {
    let told = read(reply);
    let without_ttl = |record: String| {
        let mut words: Vec<&str> = record.split(' ').collect();
        words.remove(1);
        words.join(" ").to_lowercase()
    };
    told.answer.into_iter().map(without_ttl).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    /// Whatever octet of whatever answer is another: nobody is told that something else is secure.
    #[test]
    fn nothing_else_is_ever_secure(which in any::<prop::sample::Index>(), on_the_way in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), change in 1_u8..) {
        let lines: Vec<&str> = RECORDED.lines().filter(|line| line.contains(" ad ")).collect();
        let words: Vec<&str> = lines[which.index(lines.len())].split(' ').collect();
        let (name, rtype) = (words[0].to_lowercase(), words[1].parse().unwrap());
        let asked = with_opt(query(name.trim_end_matches('.'), rtype), 4096, true);
        let mut honest = Servers::new();
        let expected = ask_with(&mut stage_at(checking(), TODAY), &mut honest, &asked);
        let key = honest.asked[on_the_way.index(honest.asked.len())].clone();
        let forged = Servers::new().edit(&key.0, key.1, |message| {
            let at = 2 + at.index(message.len() - 2);
            message[at] ^= change;
        });
        let mut stage = stage_at(checking(), TODAY);
        stage.query(CLIENT, Transport::Tcp, &asked);
        let mut forged = forged;
        for _ in 0..300 {
            let Some(exchange) = stage.asks.pop() else {
                if !stage.replies.is_empty() { break };
                stage.wait(Duration::from_millis(500));
                continue;
            };
            // What is asked for now may be what nobody was asked before.
            if let Some(answer) = forged.answer_if_known(&exchange) {
                stage.answer(&exchange, &answer);
            }
        }
        prop_assert_eq!(stage.replies.len(), 1);
        let reply = &stage.replies[0].1;
        if u16::from(reply[3]) & AD != 0 {
            prop_assert_eq!(reply[3] & 0xf, expected[3] & 0xf);
            prop_assert_eq!(told_records(reply), told_records(&expected));
        }
    }
}
