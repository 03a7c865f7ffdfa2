use super::*;
use heorot_sim::report::{LostMachine, Regime};

fn kind(last_seconds: f64) -> Firmware {
    Firmware { nodes: 1, last_seconds, ..Firmware::default() }
}

#[test]
fn what_limits_is_told() {
    let report = |wire_seconds, first_data_seconds, pi| Report {
        wire_seconds,
        first_data_seconds,
        ideal_seconds: wire_seconds + first_data_seconds,
        by_firmware: [("edk2".to_owned(), kind(20.0)), ("raspberry-pi".to_owned(), kind(pi))].into(),
        ..Report::default()
    };
    for (report, expected) in [
        (report(10.0, 9.0, 20.0), "What limits is the link: of the ideal, 10.0 s are the wire's, and 9.0 s"),
        (report(1.0, 9.0, 23.0), "What limits is the machines' own start"),
        (
            report(10.0, 9.0, 61.5),
            "What limits is the pace of raspberry-pi: they have loaded everything after 61.5 s, all others after 20.0 s",
        ),
        (report(90.0, 9.0, 29.0), "What limits is the link"),
    ] {
        assert!(what_limits(&report).starts_with(expected), "{}", what_limits(&report));
    }
}

#[test]
fn waiting_limits_where_it_is_what_takes_the_time() {
    let report = Report {
        seconds: 60.0,
        ideal_seconds: 20.0,
        lost_on_wire: 7,
        client_retries: 5,
        ..Report::default()
    };
    let expected = "What limits is waiting for what was lost: 7 frames on the wire and 0 in full queues, so that machines' own timers ran out 5 times";
    assert!(what_limits(&report).starts_with(expected), "{}", what_limits(&report));
}

#[test]
fn a_processor_that_is_too_slow_is_told() {
    let report =
        Report { wire_seconds: 3.0, first_data_seconds: 9.0, processor_seconds: 14.0, ..Report::default() };
    assert!(
        what_limits(&report)
            .starts_with("What limits is the server's processor: what comes takes 14.0 s of it")
    );
}

#[test]
fn the_lost_are_folded_by_firmware_and_reason() {
    let gone = |firmware: &str, seconds, why: &str| LostMachine {
        mac: String::new(),
        firmware: firmware.into(),
        seconds,
        why: why.into(),
    };
    let report = Report {
        lost_machines: vec![
            gone("ipxe", 18.0, "no offer"),
            gone("edk2", 60.0, "no file"),
            gone("ipxe", 19.5, "no offer"),
        ],
        ..Report::default()
    };
    assert_eq!(
        lost(&report),
        "LOST  NODES  FROM S  TO S  WHY\n\
         edk2      1    60.0  60.0  no file\n\
         ipxe      2    18.0  19.5  no offer\n"
    );
    assert_eq!(lost(&Report::default()), "");
}

#[test]
fn of_many_regimes_the_first_are_shown_and_all_are_added_up() {
    let words = ["paced", "round-robin"];
    let regime = |place: u32| Regime { from_seconds: place.into(), regime: words[place as usize % 2].into() };
    let report = Report { regimes: (0..20).map(regime).collect(), seconds: 20.0, ..Report::default() };
    let text = regimes(&report);
    assert_eq!(text.lines().count(), 14);
    assert!(text.ends_with("and 8 more; in all paced 10.0 s, round-robin 10.0 s\n"), "{text}");
}

#[test]
fn what_the_search_found_is_a_sentence() {
    let limit = |enough_for, too_many| Limit { enough_for, too_many, trials: Vec::new() };
    for (limit, expected) in [
        (
            limit(Some(1000), Some(1040)),
            "enough for 1000 such machines, if all are to be up within 15 minutes, and not for 1040",
        ),
        (
            limit(Some(1000), None),
            "enough for 1000 such machines, all up within 15 minutes: by 0 runs; more were not tried",
        ),
        (limit(None, Some(1)), "not even one such machine"),
    ] {
        let text = simulated(&limit, &minutes(900));
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn arithmetic_is_rounded_down_to_two_digits() {
    for (number, expected) in [(0, 0), (7, 7), (99, 99), (1234, 1200), (20_999, 20_000)] {
        assert_eq!(rounded(number), expected);
    }
}

#[test]
fn a_fault_of_ours_is_loud() {
    let report = Report {
        broken: vec!["two nodes, one address".into()],
        troubles: vec!["52:54:00:00:00:01 full".into(), "52:54:00:00:00:02 full".into()],
        ..Report::default()
    };
    let text = complaints(&report);
    assert!(
        text.contains("would tell, 2 times: full\n") && text.contains("A FAULT OF HEOROT: two nodes"),
        "{text}"
    );
}
