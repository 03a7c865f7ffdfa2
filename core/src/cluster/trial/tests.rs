use super::*;
use crate::config::CheckKind;

fn check(kind: CheckKind, name: &str) -> Check {
    Check { kind, name: name.into(), at_least: None, command: None, timeout_seconds: None }
}

#[test]
fn verdicts() {
    let wanted = [check(CheckKind::Memory, "memory"), check(CheckKind::Command, "disk")];
    for (body, verdict) in [
        (
            r#"{"passed":true,"checks":[{"name":"memory","passed":true},{"name":"disk","passed":true}]}"#,
            Ok(()),
        ),
        (r#"{"passed":true,"checks":[{"name":"memory","passed":true}]}"#, Err("disk was not reported")),
        (
            r#"{"passed":true,"checks":[{"name":"memory","passed":false,"detail":"128 MiB"}]}"#,
            Err("memory failed: 128 MiB"),
        ),
        (
            r#"{"passed":false,"checks":[{"name":"memory","passed":true},{"name":"disk","passed":true}]}"#,
            Err("its agent says so without a reason"),
        ),
    ] {
        let verdict = verdict.map_err(String::from);
        assert_eq!(Report::parse(body.as_bytes()).unwrap().verdict(&wanted), verdict, "{body}");
    }
}

#[test]
fn reports_that_are_none() {
    for body in ["", "{", "[]", "{}", r#"{"passed":1,"checks":[]}"#, "\u{0}"] {
        assert!(Report::parse(body.as_bytes()).is_err(), "{body}");
    }
}

#[test]
fn hardware_addresses_are_read_from_the_facts() {
    let body = r#"{"passed":true,"checks":[],"facts":{"interfaces":[
        {"name":"eth0","mac":"52:54:00:00:00:01"},{"name":"lo","mac":"00:00:00:00:00:00"},{"name":"ib0"},7]}}"#;
    assert_eq!(Report::parse(body.as_bytes()).unwrap().macs(), [Mac([0x52, 0x54, 0, 0, 0, 1])]);
}

/// What an agent reads. Its own tests read the same text.
#[test]
fn checks_are_told_in_the_words_of_the_configuration() {
    let memory = Check { at_least: Some("1GiB".into()), ..check(CheckKind::Memory, "memory") };
    let disk = Check {
        command: Some("smart-test".into()),
        timeout_seconds: Some(60),
        ..check(CheckKind::Command, "disk")
    };
    let told = r#"[{"kind":"memory","name":"memory","at-least":"1GiB"},{"kind":"command","name":"disk","command":"smart-test","timeout":"60s"}]"#;
    assert_eq!(serde_json::to_string(&[memory, disk]).unwrap(), told);
}
