use super::*;
use crate::config::CheckKind;

fn check(kind: CheckKind, name: &str, on_failure: OnFailure) -> Check {
    Check {
        kind,
        name: name.into(),
        at_least: None,
        at_most: None,
        size: None,
        device: None,
        file: None,
        duration_seconds: None,
        command: None,
        timeout_seconds: None,
        on_failure,
    }
}

/// Each check of a report, as `name` if it passed and `name=why` if not.
fn report(passed: bool, checks: &str) -> Report {
    let check = |word: &str| {
        let (name, why) = word.split_once('=').map_or((word, None), |(name, why)| (name, Some(why)));
        CheckReport { name: name.into(), passed: why.is_none(), detail: why.unwrap_or_default().into() }
    };
    Report { passed, checks: checks.split_whitespace().map(check).collect(), facts: Map::new() }
}

#[test]
fn verdicts() {
    let wanted = [
        check(CheckKind::Memory, "memory", OnFailure::Fail),
        check(CheckKind::Disks, "disks", OnFailure::Degraded),
        check(CheckKind::Gpu, "gpu", OnFailure::Hold),
    ];
    for (passed, checks, outcome, why) in [
        (true, "memory disks gpu", Outcome::Passed, ""),
        // The agent has no say in it: it does not know what follows from which check.
        (false, "memory disks=none gpu", Outcome::Degraded, "disks failed: none"),
        (true, "memory disks= gpu", Outcome::Degraded, "disks failed"),
        (false, "memory=128MiB disks gpu", Outcome::Failed, "memory failed: 128MiB"),
        (false, "memory disks gpu=none", Outcome::Held, "gpu failed: none"),
        // The gravest counts, and of equals the first.
        (false, "memory=128MiB disks=none gpu", Outcome::Failed, "memory failed: 128MiB (and 1 more)"),
        (false, "memory=128MiB disks=none gpu=none", Outcome::Held, "gpu failed: none (and 2 more)"),
        (
            false,
            "memory disks gpu burn-in=hot other=too",
            Outcome::Failed,
            "burn-in failed: hot (and 1 more)",
        ),
        (true, "memory disks", Outcome::Failed, "gpu was not reported"),
        (true, "disks=none", Outcome::Failed, "memory was not reported (and 2 more)"),
        (false, "memory disks gpu", Outcome::Failed, "its agent says so without a reason"),
    ] {
        let verdict = report(passed, checks).verdict(&wanted);
        assert_eq!((verdict.outcome, verdict.why.as_str()), (outcome, why), "{checks}");
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
    let memory =
        Check { at_least: Some("1GiB".into()), ..check(CheckKind::Memory, "memory", OnFailure::Hold) };
    let disk = Check {
        command: Some("smart-test".into()),
        timeout_seconds: Some(60),
        ..check(CheckKind::Command, "disk", OnFailure::Fail)
    };
    let stress = Check {
        duration_seconds: Some(90),
        size: Some("1GiB".into()),
        ..check(CheckKind::Stress, "stress", OnFailure::Fail)
    };
    let told = r#"[{"kind":"memory","name":"memory","at-least":"1GiB"},{"kind":"command","name":"disk","command":"smart-test","timeout":"60s"},{"kind":"stress","name":"stress","size":"1GiB","duration":"90s"}]"#;
    assert_eq!(serde_json::to_string(&[memory, disk, stress]).unwrap(), told);
}

#[test]
fn what_is_kept_has_bounds() {
    let wanted = [
        check(CheckKind::Memory, "memory", OnFailure::Fail),
        check(CheckKind::Disks, "disks", OnFailure::Fail),
    ];
    let mut trials = Vec::new();
    for number in 0..TRIALS_PER_NODE_MAX + 3 {
        let mut report = report(false, "memory disks=none strange=x memory memory");
        report.checks[1].detail = format!("{number}\n{}", "x".repeat(10_000));
        let verdict = report.verdict(&wanted);
        remember(&mut trials, report.kept(Some(number as u64), &verdict, &wanted));
    }
    assert_eq!(trials.len(), TRIALS_PER_NODE_MAX);
    assert_eq!(trials.first().and_then(|trial| trial.at_seconds), Some(3));
    for trial in &trials {
        assert!(trial.why.len() <= CHECK_LETTERS_MAX && !trial.why.contains('\n'), "{trial:?}");
        assert!(trial.checks.iter().all(|check| check.detail.len() <= CHECK_LETTERS_MAX));
    }
    let checks: Vec<_> = trials.iter().map(|trial| trial.checks.len()).collect();
    // The latest has what was asked for, the others what did not pass.
    assert_eq!(checks.last(), Some(&2));
    assert!(checks[..TRIALS_PER_NODE_MAX - 1].iter().all(|count| *count == 1), "{checks:?}");
}
