use super::*;
use heorot_core::cluster::trial::Outcome;
use heorot_core::event::Kind;
use heorot_core::service::view::{
    CheckView, EventView, HttpView, LoadView, PoolView, RogueServerView, TransfersView, UnansweredView,
};
use std::net::Ipv4Addr;

fn node_23() -> NodeView {
    NodeView {
        number: Some(23),
        name: Some("node23".into()),
        mac: "52:54:00:00:00:17".into(),
        address: Some([10, 77, 1, 23].into()),
        temporary_address: None,
        network: "eth1".into(),
        state: "booting".into(),
        phase: Some("kernel".into()),
        since: "2026-11-22T10:45:12.345Z".into(),
        since_unknown: false,
        reason: "it asked for its kernel".into(),
        waiting_for: Some("its initrd".into()),
        profile: "default".into(),
    }
}

#[test]
fn a_list_of_nodes() {
    let new =
        NodeView { number: None, name: None, address: None, phase: None, state: "seen".into(), ..node_23() };
    let expected = "\
NUMBER  NAME    STATE    PHASE   ADDRESS     TEMPORARY  MAC                NETWORK  WAITING FOR
23      node23  booting  kernel  10.77.1.23  -          52:54:00:00:00:17  eth1     its initrd
-       -       seen     -       -           -          52:54:00:00:00:17  eth1     its initrd
";
    assert_eq!(nodes(&[node_23(), new]), expected);
}

#[test]
fn an_explanation_begins_with_its_summary() {
    let event =
        EventView { time: "10:45".into(), event: Kind::Discover, detail: "it asked for an address".into() };
    let view = ExplainView {
        node: node_23(),
        summary: "node23 is booting".into(),
        last_asked: Some("DISCOVER".into()),
        last_asked_at: Some("10:45".into()),
        last_told: None,
        last_told_at: None,
        to_do: Some("nothing".into()),
        history: vec![event],
        trials: vec![],
        last_end: None,
    };
    let text = explanation(&view);
    assert!(text.starts_with("node23 is booting\n\n"), "{text}");
    assert!(text.ends_with("\n\n10:45  discover  it asked for an address\n"), "{text}");
    assert!(
        text.contains("state        booting (kernel)\n") && text.contains("to do        nothing\n"),
        "{text}"
    );
    assert!(text.contains("last asked   DISCOVER (10:45)\nlast told    -\n"), "{text}");
}

#[test]
fn trials_and_the_last_end_stand_under_a_node() {
    let check = |passed, detail: &str| CheckView { name: "disks".into(), passed, detail: detail.into() };
    let trial = |outcome, why: Option<&str>, checks| TrialView {
        at: Some("10:45".into()),
        outcome,
        why: why.map(str::to_owned),
        passed: 3,
        checks,
    };
    let detail = NodeDetailView {
        node: node_23(),
        further_macs: vec![],
        facts: Default::default(),
        boot_profile: None,
        attributes: Default::default(),
        lacks: Some("disks failed: none".into()),
        trials: vec![
            trial(Outcome::Degraded, Some("disks failed: none"), vec![check(false, "none")]),
            trial(Outcome::Passed, None, vec![]),
        ],
        last_end: Some(LastEndView {
            at: None,
            reason: "panic".into(),
            last_words: Some("a line\nanother".into()),
        }),
    };
    let expected = "\
lacks        disks failed: none
last end     panic (-)
             a line
             another

TRIAL  OUTCOME   WHAT                FOUND
10:45  degraded  disks failed: none
                 disks FAILED        none
10:45  passed    3 checks passed
";
    let text = node(&detail);
    assert!(text.ends_with(expected), "{text}");
}

fn rogue(last: u8, mac: Option<&str>) -> RogueServerView {
    RogueServerView {
        address: Ipv4Addr::new(10, 77, 0, last),
        mac: mac.map(Into::into),
        network: "eth1".into(),
        first_heard: "10:45".into(),
        last_heard: "10:47".into(),
        count: 3,
        last: "offered 10.77.9.9 to".into(),
        last_client: None,
    }
}

#[test]
fn a_status_says_what_is_wrong() {
    let view = StatusView {
        version: "0.1.0".into(),
        uptime_seconds: 3700,
        nodes: [("up".into(), 3)].into(),
        transfers: TransfersView { active: 2, waiting: 1, sent_by_senders: 7 },
        http: HttpView { connections: 5, sending: 2, displaced: 0, silent: 1, refused: 3 },
        load: LoadView {
            regime: "paced".into(),
            resent_per_second: 1,
            link_bits_per_second: Some(1_000_000_000),
            sent_bits_per_second: 93_500_000,
            retries_per_second: 4,
        },
        temporary: PoolView { used: 1, size: 1022 },
        kernel_drops: 0,
        malformed: Default::default(),
        // Sixty that a client made up, and one that was heard.
        rogue_servers: (0..60)
            .map(|n| rogue(n, None))
            .chain([rogue(99, Some("02:00:00:00:00:09"))])
            .collect(),
        unanswered: Some(UnansweredView {
            hosts: 3,
            last: "52:54:00:00:00:0a".into(),
            last_asked: "10:48".into(),
            why: "eth1 has no range for hosts that are no nodes".into(),
        }),
        dns: DnsCounts {
            questions: 900,
            cached: 40,
            stale: 2,
            upstream: 9,
            bogus: 1,
            ..DnsCounts::default()
        },
        nfs: Some(NfsView { connections: 3, calls: 70, bytes: 5_999_999, refused: 1, displaced: 2 }),
        troubles: vec!["the disk is full".into()],
    };
    let text = status(&view);
    for line in [
        "up            1 h 1 min\n",
        "nodes         3 up\n",
        "load          93 Mbit/s of 1000 Mbit/s sent, paced; each second 4 clients repeat themselves, and 1 packets",
        "malformed     -\n",
        "dns           900 questions; of names of others 40 answered from the cache (2 past their time), 9 asked upstream, 0 failed, 0 refused; 0 answers secure, 1 not believed; 0 updates",
        "nfs           3 connections, 70 calls answered with 5 MB; 1 connections refused, 2 gave way to others\n",
        "trouble       the disk is full\n",
        "no address    3 hosts asked for one and got none; last 52:54:00:00:00:0a at 10:48: eth1 has no range for hosts that are no nodes (heorot explain 52:54:00:00:00:0a says what to do)\n",
        "rogue server  10.77.0.99 (02:00:00:00:00:09) on eth1: heard 3 times from 10:45 to 10:47; last it offered 10.77.9.9 to -\n",
        "rogue server  and 53 more (heorot status -o json)\n",
    ] {
        assert!(text.contains(line), "{text} lacks {line:?}");
    }
    assert_eq!(text.matches("rogue server").count(), OTHER_SERVERS_SHOWN_MAX + 1);
}
