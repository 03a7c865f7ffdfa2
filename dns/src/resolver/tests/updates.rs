//! Updates (RFC 2136): who may, under which conditions, what changes, and what is told meanwhile.

use super::*;
use crate::settings::{Algorithm, Key, Updates};
use crate::wire::signing::{Signed, sign};
use heorot_names::{Change, Owners};
use message::plain;

mod message;
mod waiting;

const NOTAUTH: u16 = 9;
const YXDOMAIN: u16 = 6;
const YXRRSET: u16 = 7;
const NXRRSET: u16 = 8;
const NOTZONE: u16 = 10;
const WALL: u64 = 1_800_000_000;
const SECRET: [u8; 32] = [7; 32];
const CLIENT: &str = "10.77.1.9:4000";
const BACK: &str = "77.10.in-addr.arpa";
const BACK_NS: &str = "77.10.in-addr.arpa. 300 NS heorot.cluster.";

fn key(name: &str, updates: Option<Updates>) -> Key {
    let secret = SECRET.to_vec();
    Key { name: name.into(), algorithm: Algorithm::Sha256, secret, may_transfer: false, updates }
}

pub(super) fn with_keys() -> Resolver {
    let narrow = Updates {
        names: vec![
            Owners::Beginning("_acme-challenge".into(), "cluster".into()),
            Owners::Below("apps.cluster".into()),
        ],
        types: vec![TXT],
    };
    let keys = vec![key("all", Some(Updates::default())), key("acme", Some(narrow)), key("copy", None)];
    let secondaries = vec!["192.0.2.53:5353".parse().unwrap()];
    let settings = Settings { keys, secondaries, ..settings() };
    let mut resolver = Resolver::new(settings, Arc::new(directory())).unwrap();
    resolver.handle(0, Input::Calendar(WALL), &mut Vec::new());
    resolver
}

fn signed(zone: &str, key: &str, lines: &[&str]) -> Signed {
    sign(&plain(zone, lines), key, &SECRET, WALL)
}

fn take(resolver: &mut Resolver, payload: &[u8]) -> Vec<Output> {
    let mut out = Vec::new();
    let query = Query { transport: Transport::Udp, from: CLIENT.parse().unwrap(), id: QueryId(9), payload };
    resolver.handle(0, Input::Query(query), &mut out);
    out
}

/// The code of the one reply.
fn reply(out: &[Output], signed: Option<Signed>) -> u16 {
    let replies: Vec<_> = out
        .iter()
        .filter_map(|output| match output {
            Output::Reply { payload, to, id, .. } => {
                assert_eq!((to.to_string().as_str(), *id), (CLIENT, QueryId(9)));
                Some(payload)
            }
            Output::Denied { .. } | Output::Notify { .. } => None,
            other @ (Output::More { .. }
            | Output::End { .. }
            | Output::Ask(_)
            | Output::Forget { .. }
            | Output::Update { .. }) => panic!("{other:?}"),
        })
        .collect();
    let [payload] = replies.as_slice() else { panic!("{out:?}") };
    // RFC 2136 2.2: id and opcode come back, QR is set; 3.8: of the sections at most the zone's.
    assert_eq!(payload[..2], [0xab, 0xcd]);
    assert_eq!(payload[2] & 0xf8, 0x80 | 5 << 3);
    assert_eq!(payload[6..10], [0; 4]);
    if let Some(signed) = signed {
        signed.check(payload, WALL);
    }
    u16::from(payload[3] & 15)
}

/// Sends an update, and keeps what it changes as the server does. The code, and how many names changed.
fn update_with(resolver: &mut Resolver, zone: &str, key: &str, lines: &[&str]) -> (u16, usize) {
    let signed = signed(zone, key, lines);
    let out = take(resolver, &signed.payload);
    let [Output::Update { update, changes, .. }] = out.as_slice() else {
        return (reply(&out, Some(signed)), 0);
    };
    let serial = resolver.zones.serial() + 1;
    let names = changes.len();
    let changes = changes.iter().cloned().map(Change::Updated).collect();
    resolver.handle(0, Input::Change(Changes { serial, changes }), &mut Vec::new());
    let mut out = Vec::new();
    resolver.handle(0, Input::Updated { update: *update, outcome: UpdateOutcome::Kept }, &mut out);
    (reply(&out, Some(signed)), names)
}

pub(super) fn update(resolver: &mut Resolver, lines: &[&str]) -> (u16, usize) {
    let zone = if lines[0].contains("arpa") { BACK } else { "cluster" };
    update_with(resolver, zone, "all", lines)
}

pub(super) fn told(resolver: &mut Resolver, name: &str, kind: u16) -> Vec<String> {
    read(&udp(resolver, &query(name, kind)).unwrap()).answer
}

/// What there is before: by updates, beside what every test has.
fn world() -> Resolver {
    let mut resolver = with_keys();
    let first: &[&str] = &[
        "add web.cluster 60 A 10.77.9.40",
        "add web.cluster 60 A 10.77.9.41",
        "add web.cluster 60 TXT hello",
        "add alias.x.cluster 60 CNAME web.cluster",
        "add a.deep.cluster 60 TXT here",
    ];
    assert_eq!(update(&mut resolver, first), (NOERROR, 3));
    assert_eq!(update(&mut resolver, &["add 40.9.77.10.in-addr.arpa 60 PTR web.cluster"]), (NOERROR, 1));
    let lent = Change::Lent {
        name: "tux".into(),
        address: Ipv4Addr::new(10, 77, 200, 1),
        until_nanoseconds: 60_000_000_000,
    };
    let changes = Changes { serial: resolver.zones.serial() + 1, changes: vec![lent] };
    resolver.handle(0, Input::Change(changes), &mut Vec::new());
    resolver
}

/// RFC 2136 3.1, 3.3: zone and permission, and what RFC 8945 says of signatures.
#[test]
fn who_may_update_what() {
    let lines: &[&str] = &["add new.cluster 60 A 10.77.9.50"];
    for (zone, code) in [
        ("example.org", NOTAUTH),
        ("node1.cluster", NOTAUTH),
        ("10.in-addr.arpa", NOTAUTH),
        ("cluster", REFUSED),
    ] {
        let out = take(&mut world(), &plain(zone, lines));
        assert_eq!(reply(&out, None), code, "{zone}, not signed");
    }
    for (key, code, names) in [("copy", REFUSED, 0), ("acme", REFUSED, 0), ("all", NOERROR, 1)] {
        assert_eq!(update_with(&mut world(), "cluster", key, lines), (code, names), "{key}");
    }
    for (key, secret, at) in [("who", SECRET, WALL), ("all", [8; 32], WALL), ("all", SECRET, WALL - 301)] {
        let out = take(&mut world(), &sign(&plain("cluster", lines), key, &secret, at).payload);
        assert_eq!(reply(&out, None), NOTAUTH, "{key} {at}");
    }
    // RFC 2136 3.1.1: one zone, of type SOA.
    let mut wrong = plain("cluster", lines);
    wrong[22] = 1;
    let out = take(&mut world(), &sign(&wrong, "all", &SECRET, WALL).payload);
    assert_eq!(reply(&out, None), FORMERR);
    // RFC 2136 3.1.2: of a class that we have.
    let mut wrong = plain("cluster", lines);
    wrong[24] = 3;
    let out = take(&mut world(), &sign(&wrong, "all", &SECRET, WALL).payload);
    assert_eq!(reply(&out, None), NOTAUTH);
}

#[test]
fn what_a_narrow_key_may_update() {
    let table: &[(&str, u16)] = &[
        ("add _acme-challenge.cluster 60 TXT x", NOERROR),
        ("add _acme-challenge.node23.cluster 60 TXT x", NOERROR),
        ("add _ACME-challenge.NODE23.cluster 60 TXT x", NOERROR),
        ("add a.apps.cluster 60 TXT x", NOERROR),
        ("add apps.cluster 60 TXT x", REFUSED),
        ("add node23.cluster 60 TXT x", REFUSED),
        ("add a.apps.cluster 60 A 10.77.9.50", REFUSED),
        ("delete a.apps.cluster", NOERROR),
        ("delete a.apps.cluster TXT", NOERROR),
        ("delete a.apps.cluster A", REFUSED),
        ("delete web.cluster TXT", REFUSED),
    ];
    for (text, code) in table {
        assert_eq!(update_with(&mut world(), "cluster", "acme", &[text]).0, *code, "{text}");
    }
    let mut resolver = world();
    assert_eq!(update(&mut resolver, &["add a.apps.cluster 60 A 10.77.9.50"]).0, NOERROR);
    let all = update_with(&mut resolver, "cluster", "acme", &["delete a.apps.cluster"]);
    assert_eq!(all.0, REFUSED, "some of all is not for this key");
}

/// RFC 2136 2.4, 3.2: each kind of condition, met and not; the form of each.
#[test]
fn conditions() {
    let table: &[(&str, u16)] = &[
        // 2.4.1: there is such a set.
        ("yxrrset web.cluster A", NOERROR),
        ("yxrrset node23.cluster A", NOERROR),
        ("yxrrset cluster SOA", NOERROR),
        ("yxrrset tux.cluster A", NOERROR),
        ("yxrrset web.cluster AAAA", NXRRSET),
        ("yxrrset nobody.cluster A", NXRRSET),
        // 2.4.2: with this data.
        ("yxrrset node23.cluster A 10.77.1.23", NOERROR),
        ("yxrrset web.cluster A 10.77.9.40", NXRRSET),
        ("yxrrset node23.cluster A 10.77.1.24", NXRRSET),
        ("yxrrset alias.x.cluster CNAME WEB.cluster", NOERROR),
        // 2.4.3: there is no such set.
        ("nxrrset web.cluster AAAA", NOERROR),
        ("nxrrset nobody.cluster A", NOERROR),
        ("nxrrset web.cluster A", YXRRSET),
        ("nxrrset node23.cluster A", YXRRSET),
        // 2.4.4: the name has something. What is only above others has nothing.
        ("yxdomain web.cluster", NOERROR),
        ("yxdomain node23.cluster", NOERROR),
        ("yxdomain nobody.cluster", NXDOMAIN),
        ("yxdomain deep.cluster", NXDOMAIN),
        // 2.4.5: it has nothing.
        ("nxdomain nobody.cluster", NOERROR),
        ("nxdomain deep.cluster", NOERROR),
        ("nxdomain web.cluster", YXDOMAIN),
        ("nxdomain node23.cluster", YXDOMAIN),
        // 3.2.1: TTL, zone, class, data.
        ("prereq web.cluster A 255 1", FORMERR),
        ("prereq www.example.org A 255 0", NOTZONE),
        ("prereq web.cluster A 255 0 10.77.9.40", FORMERR),
        ("prereq web.cluster A 254 0 10.77.9.40", FORMERR),
        ("prereq web.cluster A 3 0 10.77.9.40", FORMERR),
        ("prereq web.cluster ANY 1 0 x", FORMERR),
        ("prereq web.cluster A 1 0", FORMERR),
    ];
    for (text, code) in table {
        let mut resolver = world();
        let lines = [*text, "add new.cluster 60 A 10.77.9.50"];
        let expected = (*code, usize::from(*code == NOERROR));
        assert_eq!(update(&mut resolver, &lines), expected, "{text}");
        assert_eq!(told(&mut resolver, "new.cluster", A).len(), usize::from(*code == NOERROR), "{text}");
    }
    // 3.2.3: a whole set is compared.
    let both =
        ["yxrrset web.cluster A 10.77.9.41", "yxrrset web.cluster A 10.77.9.40", "add n.cluster 1 TXT x"];
    assert_eq!(update(&mut world(), &both), (NOERROR, 1));
    let more = [&both[..], &["yxrrset web.cluster A 10.77.9.42"]].concat();
    assert_eq!(update(&mut world(), &more), (NXRRSET, 0));
}

/// RFC 2136 3.4.1: the form of changes.
#[test]
fn the_form_of_changes() {
    let table: &[(&str, u16)] = &[
        ("update www.example.org A 1 60 10.0.0.1", NOTZONE),
        ("update new.cluster A 3 60 10.0.0.1", FORMERR),
        ("update new.cluster ANY 1 60 x", FORMERR),
        ("update new.cluster TYPE252 1 60 x", FORMERR),
        ("update new.cluster TYPE250 1 60 x", FORMERR),
        ("update new.cluster A 1 60", FORMERR),
        ("update web.cluster A 255 1", FORMERR),
        ("update web.cluster A 255 0 10.77.9.40", FORMERR),
        ("update web.cluster TYPE252 255 0", FORMERR),
        ("update web.cluster A 254 1 10.77.9.40", FORMERR),
        ("update web.cluster ANY 254 0 x", FORMERR),
        ("update web.cluster TYPE251 254 0 x", FORMERR),
        ("update web.cluster A 254 0", FORMERR),
    ];
    for (text, code) in table {
        let mut resolver = world();
        // Nothing of it is done if any of it is wrong.
        assert_eq!(update(&mut resolver, &["delete web.cluster", text]), (*code, 0), "{text}");
        assert_eq!(told(&mut resolver, "web.cluster", A).len(), 2, "{text}");
    }
    // Data that is not that of its type: an address of three octets.
    let mut wrong = plain("cluster", &["add new.cluster 60 A 10.0.0.1"]);
    let at = wrong.len() - 5;
    wrong[at] = 3;
    wrong.pop();
    let out = take(&mut world(), &sign(&wrong, "all", &SECRET, WALL).payload);
    assert_eq!(reply(&out, None), FORMERR);
}

/// RFC 2136 3.4.2: what a name has after each kind of change.
#[test]
fn what_changes() {
    /// Lines; how many names they change; what is asked then, and answered.
    type Case<'c> = (&'c [&'c str], usize, &'c str, u16, &'c [&'c str]);
    let table: &[Case<'_>] = &[
        // 2.5.1: add.
        (&["add new.cluster 60 A 10.0.0.1"], 1, "new.cluster", A, &["new.cluster. 60 A 10.0.0.1"]),
        (&["add new.cluster 60 AAAA fd77::5"], 1, "new.cluster", AAAA, &["new.cluster. 60 AAAA fd77::5"]),
        (&["add NEW.Cluster 60 TXT Hello"], 1, "new.cluster", TXT, &["new.cluster. 60 TXT \"Hello\""]),
        (
            &["add new.cluster 60 MX 10 mail.example.org"],
            1,
            "new.cluster",
            MX,
            &["new.cluster. 60 MX 10 mail.example.org."],
        ),
        (
            &["add _x._tcp.cluster 60 SRV 0 5 80 web.cluster"],
            1,
            "_x._tcp.cluster",
            SRV,
            &["_x._tcp.cluster. 60 SRV 0 5 80 web.cluster."],
        ),
        (
            &["add new.cluster 60 CNAME web.cluster"],
            1,
            "new.cluster",
            CNAME,
            &["new.cluster. 60 CNAME web.cluster."],
        ),
        (&["add cluster 60 TXT apex"], 1, "cluster", TXT, &["cluster. 60 TXT \"apex\""]),
        (
            &["add 50.9.77.10.in-addr.arpa 60 PTR new.cluster"],
            1,
            "50.9.77.10.in-addr.arpa",
            PTR,
            &["50.9.77.10.in-addr.arpa. 60 PTR new.cluster."],
        ),
        // Beside what a number has.
        (&["add node23.cluster 60 TXT x"], 1, "node23.cluster", TXT, &["node23.cluster. 60 TXT \"x\""]),
        // 3.4.2.2: what is there already changes its TTL, and that of its set.
        (
            &["add web.cluster 60 A 10.77.9.40"],
            0,
            "web.cluster",
            A,
            &["web.cluster. 60 A 10.77.9.40", "web.cluster. 60 A 10.77.9.41"],
        ),
        (
            &["add web.cluster 90 A 10.77.9.40"],
            1,
            "web.cluster",
            A,
            &["web.cluster. 90 A 10.77.9.40", "web.cluster. 90 A 10.77.9.41"],
        ),
        (
            &["add node23.cluster 60 A 10.77.1.23"],
            0,
            "node23.cluster",
            A,
            &["node23.cluster. 300 A 10.77.1.23"],
        ),
        // An alias has its name for itself, and what does not fit is left out silently.
        (
            &["add web.cluster 60 CNAME node1.cluster"],
            0,
            "web.cluster",
            TXT,
            &["web.cluster. 60 TXT \"hello\""],
        ),
        (
            &["add alias.x.cluster 60 A 10.0.0.1"],
            0,
            "alias.x.cluster",
            CNAME,
            &["alias.x.cluster. 60 CNAME web.cluster."],
        ),
        (
            &["add alias.x.cluster 60 CNAME node1.cluster"],
            1,
            "alias.x.cluster",
            CNAME,
            &["alias.x.cluster. 60 CNAME node1.cluster."],
        ),
        (
            &["delete web.cluster", "add web.cluster 60 CNAME node1.cluster"],
            1,
            "web.cluster",
            CNAME,
            &["web.cluster. 60 CNAME node1.cluster."],
        ),
        // 2.5.2: delete a set.
        (&["delete web.cluster A"], 1, "web.cluster", A, &[]),
        (&["delete web.cluster AAAA"], 0, "web.cluster", TXT, &["web.cluster. 60 TXT \"hello\""]),
        // 2.5.3: delete all sets.
        (&["delete web.cluster"], 1, "web.cluster", TXT, &[]),
        (&["delete nobody.cluster"], 0, "nobody.cluster", A, &[]),
        // 2.5.4: delete a record.
        (&["delete web.cluster A 10.77.9.40"], 1, "web.cluster", A, &["web.cluster. 60 A 10.77.9.41"]),
        (&["delete web.cluster A 10.77.9.99"], 0, "web.cluster", TXT, &["web.cluster. 60 TXT \"hello\""]),
        (&["delete web.cluster A 10.77.9.40", "delete web.cluster A 10.77.9.41"], 1, "web.cluster", A, &[]),
        (&["delete alias.x.cluster CNAME WEB.cluster"], 1, "alias.x.cluster", CNAME, &[]),
        // One after the other.
        (
            &[
                "delete web.cluster",
                "add web.cluster 60 A 10.77.9.40",
                "add web.cluster 60 A 10.77.9.41",
                "add web.cluster 60 TXT hello",
            ],
            0,
            "web.cluster",
            TXT,
            &["web.cluster. 60 TXT \"hello\""],
        ),
        // 3.4.2.3, 3.4.2.4: SOA and the last NS of the zone stay, and nobody is told.
        (&["delete 77.10.in-addr.arpa NS"], 0, BACK, NS, &[BACK_NS]),
        (&["delete 77.10.in-addr.arpa"], 0, BACK, NS, &[BACK_NS]),
        (&["delete 77.10.in-addr.arpa NS heorot.cluster"], 0, BACK, NS, &[BACK_NS]),
        (&["delete 77.10.in-addr.arpa SOA x"], 0, BACK, NS, &[BACK_NS]),
        (&["add 77.10.in-addr.arpa 60 TXT x"], 1, BACK, TXT, &["77.10.in-addr.arpa. 60 TXT \"x\""]),
        (
            &["delete cluster NS"],
            0,
            "cluster",
            NS,
            &["cluster. 300 NS heorot.cluster.", "cluster. 300 NS ns.example.org."],
        ),
    ];
    for (lines, names, name, kind, expected) in table {
        let mut resolver = world();
        assert_eq!(update(&mut resolver, lines), (NOERROR, *names), "{lines:?}");
        assert_eq!(told(&mut resolver, name, *kind), *expected, "{lines:?}");
    }
}

/// What is computed, configured or lent is nobody's to change.
#[test]
fn what_goes_before() {
    let table: &[&[&str]] = &[
        &["add node23.cluster 60 A 10.0.0.1"],
        &["add node23.cluster 60 AAAA fd77::1"],
        &["add node23.cluster 60 CNAME web.cluster"],
        &["add node23.cluster 60 NS ns.example.org"],
        &["add storage.cluster 60 A 10.0.0.1"],
        &["add switch.cluster 60 A 10.0.0.1"],
        &["add heorot.cluster 60 A 10.0.0.1"],
        &["add tux.cluster 60 A 10.0.0.1"],
        &["add www.cluster 60 TXT x"],
        &["add below.cluster 60 A 10.0.0.1"],
        &["add cluster 60 NS ns9.example.org"],
        &["add cluster 60 SOA x"],
        &["add cluster 60 CNAME web.cluster"],
        &["add 23.1.77.10.in-addr.arpa 60 PTR web.cluster"],
        &["add 1.200.77.10.in-addr.arpa 60 PTR web.cluster"],
        &["add 20.9.77.10.in-addr.arpa 60 CNAME web.cluster"],
        &["add 9.77.10.in-addr.arpa 60 PTR web.cluster"],
        &["add 77.10.in-addr.arpa 60 NS ns.example.org"],
        &["add 50.9.77.10.in-addr.arpa 60 NS ns.example.org"],
        &["delete cluster NS heorot.cluster"],
        &["delete node23.cluster"],
        &["delete node23.cluster A"],
        &["delete node23.cluster A 10.77.1.23"],
        &["delete tux.cluster"],
        &["delete www.cluster CNAME"],
        &["delete cluster MX"],
        &["delete cluster"],
        &["delete 23.1.77.10.in-addr.arpa"],
        // Names that nobody could be found by, and types that are not kept.
        &["add *.web.cluster 60 A 10.0.0.1"],
        &["add a,b.cluster 60 A 10.0.0.1"],
        &["add new.cluster 60 TYPE46 x"],
        &["add new.cluster 60 TYPE39 x"],
        &["add new.cluster 60 TYPE65280 x"],
        // Whole or not at all.
        &["add new.cluster 60 A 10.0.0.1", "add node23.cluster 60 A 10.0.0.1"],
    ];
    for lines in table {
        let mut resolver = world();
        let zone = if lines[0].contains("arpa") { BACK } else { "cluster" };
        let signed = signed(zone, "all", lines);
        let out = take(&mut resolver, &signed.payload);
        assert!(
            matches!(out.first(), Some(Output::Denied { by, .. }) if by == "all from 10.77.1.9"),
            "{lines:?} {out:?}"
        );
        assert_eq!(reply(&out, Some(signed)), REFUSED, "{lines:?}");
        assert_eq!(told(&mut resolver, "new.cluster", A), [""; 0], "{lines:?}");
    }
}

/// A set that the configuration has from now on hides the one that came before, and no longer when it is gone.
#[test]
fn the_configuration_wins_as_long_as_it_says_something() {
    let mut resolver = world();
    let with_host = |address: [u8; 4]| Directory {
        serial: 20,
        hosts: [("web".to_owned(), IpAddr::from(address))].into_iter().collect(),
        ..directory()
    };
    resolver.handle(0, Input::Publish(Arc::new(with_host([10, 77, 9, 40]))), &mut Vec::new());
    assert_eq!(told(&mut resolver, "web.cluster", A), ["web.cluster. 300 A 10.77.9.40"]);
    assert_eq!(told(&mut resolver, "web.cluster", TXT), ["web.cluster. 60 TXT \"hello\""]);
    assert_eq!(
        told(&mut resolver, "40.9.77.10.in-addr.arpa", PTR),
        ["40.9.77.10.in-addr.arpa. 300 PTR web.cluster."]
    );
    resolver.handle(0, Input::Publish(Arc::new(Directory { serial: 21, ..directory() })), &mut Vec::new());
    assert_eq!(told(&mut resolver, "web.cluster", A).len(), 2);
    assert_eq!(
        told(&mut resolver, "40.9.77.10.in-addr.arpa", PTR),
        ["40.9.77.10.in-addr.arpa. 60 PTR web.cluster."]
    );
}

/// A zone below: what is in it is others' to say.
#[test]
fn a_zone_below_by_an_update() {
    let mut resolver = world();
    let lines = ["add sub.cluster 60 NS ns.sub.cluster", "add ns.sub.cluster 60 A 10.0.0.1"];
    assert_eq!(update(&mut resolver, &lines), (NOERROR, 2));
    let answer = read(&udp(&mut resolver, &query("host.sub.cluster", A)).unwrap());
    assert_eq!(answer.authority, ["sub.cluster. 60 NS ns.sub.cluster."]);
    assert_eq!(answer.additional, ["ns.sub.cluster. 60 A 10.0.0.1"]);
    assert_eq!(update(&mut resolver, &["delete sub.cluster", "delete ns.sub.cluster"]), (NOERROR, 2));
    assert_eq!(read(&udp(&mut resolver, &query("host.sub.cluster", A)).unwrap()).flags & 15, NXDOMAIN);
    // It would hide what the configuration has below.
    assert_eq!(update(&mut resolver, &["add _tcp.cluster 60 NS ns.example.org"]).0, REFUSED);
}

/// Names exist above what came by updates, too.
#[test]
fn names_between() {
    let mut resolver = world();
    for (name, code) in [
        ("deep.cluster", NOERROR),
        ("x.cluster", NOERROR),
        ("y.cluster", NXDOMAIN),
        ("9.77.10.in-addr.arpa", NOERROR),
    ] {
        assert_eq!(read(&udp(&mut resolver, &query(name, A)).unwrap()).flags & 15, code, "{name}");
    }
    assert_eq!(update(&mut resolver, &["delete a.deep.cluster"]).0, NOERROR);
    assert_eq!(read(&udp(&mut resolver, &query("deep.cluster", A)).unwrap()).flags & 15, NXDOMAIN);
}

/// Bounds of one name, one record and one message.
#[test]
fn what_is_too_much() {
    let text = "x".repeat(255);
    let lines: Vec<_> = (0..70).map(|n| format!("add big.cluster 60 TXT {n:03}{}", &text[3..])).collect();
    let lines: Vec<_> = lines.iter().map(String::as_str).collect();
    assert_eq!(update(&mut world(), &lines[..60]), (NOERROR, 1));
    assert_eq!(update(&mut world(), &lines), (REFUSED, 0));
    let lines = vec!["delete web.cluster AAAA"; 1025];
    assert_eq!(update(&mut world(), &lines), (REFUSED, 0));
    assert_eq!(update(&mut world(), &lines[1..]), (NOERROR, 0));
}

/// A secondary hears what an update changed, and gets all of it in a copy.
#[test]
fn secondaries_get_what_an_update_changed() {
    let mut resolver = world();
    let before = resolver.zones.serial();
    let lines =
        ["delete web.cluster A 10.77.9.40", "add web.cluster 60 A 10.77.9.44", "add node23.cluster 60 TXT x"];
    assert_eq!(update(&mut resolver, &lines), (NOERROR, 2));
    assert_eq!(resolver.zones.serial(), before + 1, "one serial for all of it");
    let said = transfer::changes(&mut resolver, "cluster", before);
    let soa = |serial: u32| {
        format!("cluster. 300 SOA heorot.cluster. hostmaster.cluster. {serial} 3600 600 604800 60")
    };
    let expected = [
        soa(before + 1),
        soa(before),
        "web.cluster. 60 A 10.77.9.40".into(),
        soa(before + 1),
        "web.cluster. 60 A 10.77.9.44".into(),
        "node23.cluster. 60 TXT \"x\"".into(),
        soa(before + 1),
    ];
    assert_eq!(said, expected);
    let back = transfer::changes(&mut resolver, BACK, before);
    assert_eq!(back.len(), 4, "nothing but serials: {back:?}");
    for (zone, rows) in [
        (
            "cluster",
            &[
                "web.cluster. 60 A 10.77.9.44",
                "node23.cluster. 60 TXT \"x\"",
                "alias.x.cluster. 60 CNAME web.cluster.",
                "a.deep.cluster. 60 TXT \"here\"",
            ][..],
        ),
        (BACK, &["40.9.77.10.in-addr.arpa. 60 PTR web.cluster."]),
    ] {
        let all = transfer::copy(&mut resolver, zone);
        for row in rows {
            assert_eq!(all.iter().filter(|had| had == row).count(), 1, "{row}");
        }
    }
}
