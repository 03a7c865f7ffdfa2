use super::*;
use crate::cluster::orders::{Exclusion, Standing};
use crate::cluster::trial::{CheckReport, Outcome};
use crate::config::Overlays;
use std::collections::BTreeMap;

fn mac(last: u8) -> Mac {
    Mac([0x52, 0x54, 0, 0, 0, last])
}

#[test]
fn what_is_kept_is_read_back() {
    let facts = serde_json::json!({"memory_bytes": 536_870_912}).as_object().cloned().unwrap();
    let token = "00112233445566778899aabbccddeeff".to_string();
    for record in [
        Record::Node(NodeRecord {
            mac: mac(1),
            further_macs: vec![mac(2)],
            granted_to: None,
            number: Some(23),
            facts,
        }),
        Record::Node(NodeRecord {
            mac: mac(1),
            further_macs: vec![],
            granted_to: None,
            number: None,
            facts: Default::default(),
        }),
        Record::Lease(LeaseRecord {
            address: Ipv4Addr::new(10, 77, 200, 1),
            mac: mac(1),
            name: None,
            is_guest: false,
            of_host: false,
            of_number: false,
            is_elsewhere: false,
            lease_seconds: Some(60),
            is_left: false,
        }),
        Record::Lease(LeaseRecord {
            address: Ipv4Addr::new(10, 77, 200, 2),
            mac: mac(1),
            name: Some("tux".into()),
            is_guest: true,
            of_host: true,
            of_number: false,
            is_elsewhere: false,
            lease_seconds: None,
            is_left: false,
        }),
        Record::Numbering(NumberingRecord {
            networks: vec![NumberedRecord {
                lowest: 0,
                highest: 9,
                first: Ipv4Addr::new(10, 77, 1, 0),
                lease_seconds: Some(43_200),
            }],
        }),
        Record::Serial(SerialRecord { bound: 4_000_000_000 }),
        Record::Dynamic(DynamicRecord {
            name: "_acme-challenge.cluster".into(),
            sets: vec![DynamicSetRecord { kind: 16, ttl_seconds: 60, data: vec!["0178".into()] }],
        }),
        Record::Orders(OrdersRecord {
            mac: mac(1),
            orders: Orders {
                standing: Some(Standing { state: Exclusion::Held, reason: "its fan is loud".into() }),
                profile: Some("new".into()),
                attributes: BTreeMap::from([("rack".into(), "a7".into())]),
                accepted: true,
            },
            at_seconds: Some(1),
        }),
        Record::Secrets(SecretsRecord {
            mac: mac(1),
            token: "0".repeat(32),
            to: Some(Ipv4Addr::new(10, 77, 1, 0)),
            at_seconds: Some(1),
        }),
        Record::Boot(Box::new(BootRecord {
            machine: Some(FirmwareKind::UefiArm64),
            plan: Some(PlanRecord {
                profile: "default".into(),
                kernel: "vmlinuz".into(),
                initrd: vec!["initrd.img".into()],
                cmdline: "quiet".into(),
                root: "nfs:/srv/root".into(),
                overlays: Overlays {
                    open: vec!["base".into()],
                    secret: vec!["munge".into()],
                    ssh_host_key: true,
                },
                attributes: BTreeMap::from([("rack".into(), "a7".into())]),
            }),
            profile: None,
            mac: mac(1),
            token,
            stage: Stage::Booting,
            at_seconds: Some(1),
            phase: Some(Phase::Initrd),
            reason: "it was switched on".into(),
            tries: 2,
            checks: Some("0123456789abcdef".into()),
            checks_in: true,
            is_bootp: true,
            doubt: Some(Trouble { what: "10.77.1.9 says where it is".into(), to_do: Some("find it".into()) }),
            last_end: Some(LastEnd {
                at_seconds: Some(1),
                reason: "panic".into(),
                last_words: "a\nb".into(),
            }),
            agent_says: Some(Trouble { what: "its agent says: no root".into(), to_do: None }),
            vain: Some(VainRecord {
                boots: 13,
                at_seconds: Some(1),
                phase: Some(Phase::Agent),
                troubles: vec![Trouble {
                    what: "its agent says: no root".into(),
                    to_do: Some("mend it".into()),
                }],
            }),
            is_awaited: false,
        })),
        Record::Trials(TrialsRecord {
            mac: mac(1),
            trials: vec![Trial {
                at_seconds: None,
                outcome: Outcome::Degraded,
                why: "disks failed: none".into(),
                passed: 3,
                checks: vec![CheckReport { name: "disks".into(), passed: false, detail: "none".into() }],
            }],
        }),
    ] {
        let value = record.value().expect("it keeps something");
        assert_eq!(Record::parse(&record.key(), &value), Ok(record));
    }
    let gone = DynamicRecord { name: "web.cluster".into(), sets: vec![] };
    for record in [
        Record::LeaseEnded(Ipv4Addr::new(10, 77, 200, 1)),
        Record::BootForgotten(mac(1)),
        Record::Dynamic(gone),
        Record::Trials(TrialsRecord { mac: mac(1), trials: vec![] }),
        Record::Orders(OrdersRecord { mac: mac(1), orders: Orders::default(), at_seconds: None }),
        Record::Secrets(SecretsRecord { mac: mac(1), token: String::new(), to: None, at_seconds: None }),
    ] {
        assert_eq!(record.value(), None, "{record:?} takes away what its key holds");
    }
}

/// What the first version wrote must be read by every later one.
#[test]
fn the_kept_form_does_not_change() {
    for (key, value) in [
        ("node/52:54:00:00:00:01", r#"{"mac":"52:54:00:00:00:01","number":23}"#),
        (
            "dynamic/web.cluster",
            r#"{"name":"web.cluster","sets":[{"type":1,"ttl_seconds":60,"data":["0a4d0909"]}]}"#,
        ),
        ("lease/10.77.200.1", r#"{"address":"10.77.200.1","mac":"52:54:00:00:00:01"}"#),
        ("numbering/networks", r#"{"networks":[{"lowest":0,"highest":9,"first":"10.77.1.0"}]}"#),
        (
            "boot/52:54:00:00:00:01",
            r#"{"mac":"52:54:00:00:00:01","token":"t","stage":"up","reason":"its agent says so"}"#,
        ),
        (
            "boot/52:54:00:00:00:01",
            r#"{"mac":"52:54:00:00:00:01","token":"t","stage":"booting","phase":"kernel","reason":"it was switched on","machine":"uefi-x64","plan":{"profile":"default","kernel":"vmlinuz","initrd":["initrd.img"],"cmdline":"quiet"}}"#,
        ),
        (
            "orders/52:54:00:00:00:01",
            r#"{"mac":"52:54:00:00:00:01","standing":{"state":"held"},"profile":"new","attributes":{"rack":"a7"}}"#,
        ),
    ] {
        let record = Record::parse(key, value).unwrap();
        assert_eq!((record.key().as_str(), record.value().as_deref()), (key, Some(value)));
    }
}

#[test]
fn what_cannot_be_read_is_named() {
    for (key, value, why) in [
        ("lamp/1", "{}", "no such kind of record"),
        ("node/52:54:00:00:00:01", "{", "EOF while parsing an object at line 1 column 1"),
        (
            "node/52:54:00:00:00:02",
            r#"{"mac":"52:54:00:00:00:01","number":23}"#,
            "it holds node/52:54:00:00:00:01",
        ),
        (
            "lease/10.77.200.1",
            r#"{"address":"10.77.200.300","mac":"52:54:00:00:00:01"}"#,
            "invalid IPv4 address syntax at line 1 column 26",
        ),
    ] {
        assert_eq!(Record::parse(key, value), Err(Unreadable { key: key.into(), why: why.into() }));
    }
}

#[test]
fn what_came_by_updates_comes_back_as_it_was() {
    let set = |kind: u16, data: &[&[u8]]| DynamicSet {
        kind,
        ttl_seconds: 60,
        data: data.iter().map(|data| data.to_vec()).collect(),
    };
    let dynamic = Dynamic {
        name: "web.cluster".into(),
        sets: vec![set(1, &[&[10, 0, 255, 1], &[0; 4]]), set(16, &[b"\x01x"])],
    };
    assert_eq!(Dynamic::from(&DynamicRecord::from(&dynamic)), dynamic);
}
