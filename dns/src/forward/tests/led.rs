//! Aliases of our zone that lead out of it: the rest of the answer is asked for where it is.

use super::*;
use heorot_names::{Record, RecordData};

/// Somebody who may not ask for outside names.
const STRANGER: &str = "192.0.2.200:4000";
const AA: u16 = 0x0400;
/// The alias is ours (RFC 1035 4.1.1: AA is of the first owner), what it leads to is not.
const LED: u16 = PLAIN | AA;

/// With some aliases.
fn stage(forwarding: Forwarding) -> Stage {
    let mut stage = Stage::new(forwarding);
    let aliases = [
        ("ext", "www.example.org"),
        ("first", "ext.cluster"),
        ("round", "round-about.cluster"),
        ("round-about", "round.cluster"),
        ("to-below", "a.below.cluster"),
        ("to-file", "intra.example.org"),
    ];
    let cname =
        |(name, target): (&str, &str)| Record { name: name.into(), data: RecordData::Cname(target.into()) };
    let mut records: Vec<Record> = aliases.into_iter().map(cname).collect();
    records.push(Record { name: "below".into(), data: RecordData::Ns("ns.example.org".into()) });
    stage.handle(Input::Publish(Arc::new(Directory { records, serial: 9, ..directory() })));
    stage
}

const EXT: &str = "ext.cluster. 300 CNAME www.example.org.";

#[test]
fn an_alias_that_leads_out_is_followed() {
    let mut stage = stage(forwarding());
    // RFC 1034 4.3.2, step 5: what is not here is asked of others, for who wants recursion.
    let told = stage.resolve("Ext.cluster", A, &[address("www.example.org", 200, [198, 51, 100, 7])]);
    assert_eq!((told.id, told.flags), (0xabcd, LED));
    assert_eq!(told.questions, ["Ext.cluster. 1"]);
    assert_eq!(
        told.answer,
        ["Ext.cluster. 300 CNAME www.example.org.", "www.example.org. 200 A 198.51.100.7"]
    );
    // What was heard is kept, under its own name, and grows old there.
    stage.wait(Duration::from_secs(10));
    assert_eq!(stage.recall("ext.cluster", A).answer, [EXT, "www.example.org. 190 A 198.51.100.7"]);
    assert_eq!(stage.recall("www.example.org", A).answer, ["www.example.org. 190 A 198.51.100.7"]);
    assert_eq!(
        stage.recall("first.cluster", A).answer,
        ["first.cluster. 300 CNAME ext.cluster.", EXT, "www.example.org. 190 A 198.51.100.7"]
    );
    // The alias itself is here.
    assert_eq!(stage.recall("ext.cluster", CNAME).answer, [EXT]);
    // Upstream's own aliases go on behind ours.
    let there = [alias("www.example.org", 60, "cdn.example"), soa("example", 60, 60)];
    let told = stage.resolve("ext.cluster", AAAA, &there);
    assert_eq!((told.flags, told.answer.len(), told.authority.len()), (LED, 2, 1));
    assert_eq!(told.answer[1], "www.example.org. 60 CNAME cdn.example.");
}

#[test]
fn what_an_alias_leads_to_may_not_be_there() {
    let mut stage = stage(forwarding());
    // RFC 6604 2.1: the code is that of the last name.
    let exchange = stage.ask("ext.cluster", A);
    stage.answer(&exchange, &answer(&exchange, 0x8183, &[soa("example.org", 60, 60)]));
    let told = stage.told();
    assert_eq!((told.flags, told.answer), (LED | NXDOMAIN, vec![EXT.into()]));
    assert!(told.authority[0].starts_with("example.org. 60 SOA"));
    // Nobody answers: it failed, and half an answer would be taken for the whole.
    stage.ask("ext.cluster", TXT);
    stage.wait(Duration::from_secs(30));
    let told = stage.told();
    assert_eq!((told.flags, told.answer.len()), (PLAIN | SERVFAIL, 0));
    // Round in our own zone: nobody is asked.
    stage.asks.clear();
    assert_eq!(stage.recall("round.cluster", A).flags & 15, 0);
}

#[test]
fn who_may_not_ask_others_hears_the_alias_alone() {
    let mut stage = stage(forwarding());
    for from in [STRANGER, CLIENT, STRANGER] {
        stage.query(from, Transport::Udp, &query("ext.cluster", A));
        if from == CLIENT {
            let exchange = stage.asked();
            let there = [address("www.example.org", 200, [198, 51, 100, 7])];
            stage.answer(&exchange, &answer(&exchange, 0x8180, &there));
            assert_eq!(stage.told().answer.len(), 2);
        } else {
            let told = stage.told();
            assert_eq!((told.flags, told.answer), (QR | RD | AA, vec![EXT.into()]));
        }
    }
    // RD clear (RFC 1034 4.3.1).
    let mut plain = query("ext.cluster", A);
    plain[2] = 0;
    stage.query(CLIENT, Transport::Udp, &plain);
    assert_eq!(stage.told().answer, [EXT]);
    assert!(stage.asks.is_empty());
}

#[test]
fn who_asks_for_the_name_itself_waits_for_the_same_answer() {
    let mut stage = stage(forwarding());
    let exchange = stage.ask("www.example.org", A);
    // From the same socket and with the same id: another question all the same.
    stage.query(CLIENT, Transport::Udp, &query("ext.cluster", A));
    stage.query(CLIENT, Transport::Udp, &query("ext.cluster", A));
    stage.query(CLIENT, Transport::Tcp, &with_opt(query("first.cluster", A), 1232, false));
    assert!(stage.asks.is_empty());
    stage
        .answer(&exchange, &answer(&exchange, 0x8180, &[address("www.example.org", 200, [198, 51, 100, 7])]));
    let lengths: Vec<_> = stage.replies.iter().map(|(_, reply)| read(reply).answer.len()).collect();
    assert_eq!(lengths, [1, 2, 3]);
}

#[test]
fn an_alias_leads_below_a_cut_and_into_files() {
    let mut stage = stage(forwarding());
    let told = stage.resolve("to-below.cluster", A, &[address("a.below.cluster", 60, [198, 51, 100, 8])]);
    assert_eq!((told.flags, told.answer.len(), told.authority.len()), (LED, 2, 0));
    let file = heorot_names::HostsFile::read("198.51.100.9 intra.example.org");
    stage.handle(Input::Hosts(Arc::new(crate::HostNames::new(file.lines.iter(), "cluster"))));
    let told = stage.recall("to-file.cluster", A);
    assert_eq!(told.answer[1], "intra.example.org. 60 A 198.51.100.9");
    // Nobody to ask.
    let mut stage = self::stage(Forwarding { groups: vec![group("corp", &[FIRST])], ..forwarding() });
    assert_eq!(stage.recall("ext.cluster", A).answer, [EXT]);
}

#[test]
fn an_answer_that_an_alias_led_to_is_told_stale_and_cut() {
    let mut stage = stage(forwarding());
    let many: Vec<_> = (0..100).map(|host| address("www.example.org", 60, [198, 51, 100, host])).collect();
    let exchange = stage.ask("ext.cluster", A);
    stage.answer(&exchange, &answer(&exchange, 0x8180, &many));
    let told = stage.told();
    assert_eq!((told.flags, told.answer.len()), (LED | TC, 0));
    stage.wait(Duration::from_secs(100));
    stage.query(CLIENT, Transport::Tcp, &query("ext.cluster", A));
    assert_eq!(stage.asks.len(), 1);
    stage.wait(Duration::from_secs(3));
    let told = stage.told();
    assert_eq!(told.answer.len(), 101);
    assert_eq!(told.answer[..2], [EXT.to_owned(), "www.example.org. 30 A 198.51.100.0".into()]);
}
