use super::*;

const START: Time = Time::from_nanoseconds(1_000_000_000_000);

#[test]
fn what_a_boot_says_that_an_earlier_one_said_is_kept_once() {
    let mut history = History::default();
    for word in ["OFFER 10.77.1.0", "ACK 10.77.1.0", "OFFER 10.77.1.0", "ACK 10.77.1.0"] {
        history.remember(START, Kind::Offer, word.into());
    }
    let said: Vec<_> = history.iter().map(|(_, _, detail)| detail).collect();
    assert_eq!(said, ["OFFER 10.77.1.0", "ACK 10.77.1.0", "OFFER 10.77.1.0", "ACK 10.77.1.0"]);
    assert_eq!(history.phrases.len(), 2);
}

#[test]
fn history_is_bounded() {
    let mut history = History::default();
    for turn in 0..EVENTS_PER_NODE_MAX + 5 {
        history.remember(START, Kind::File, turn.to_string().into());
    }
    assert_eq!(history.iter().count(), EVENTS_PER_NODE_MAX);
    assert_eq!(history.iter().next().map(|(_, _, detail)| detail), Some("5"));
    assert_eq!(history.phrases.len(), EVENTS_PER_NODE_MAX, "what was forgotten takes no room");
}

/// Anybody asks in its name as often as he likes.
#[test]
fn talk_leaves_what_became_of_a_machine() {
    let mut history = History::default();
    let mut tell = |kind, count: usize| {
        (0..count).for_each(|turn| history.remember(START, kind, turn.to_string().into()));
        let count = |of| history.iter().filter(|(_, kind, _)| *kind == of).count();
        [Kind::Stage, Kind::Trouble, Kind::Discover, Kind::File].map(count)
    };
    tell(Kind::Stage, EVENTS_KEPT_PER_NODE);
    assert_eq!(tell(Kind::Discover, 1000), [16, 0, 48, 0]);
    assert_eq!(tell(Kind::Trouble, 1), [16, 1, 47, 0], "talk gives way");
    // Of more than those it is the oldest again, whatever it is.
    assert_eq!(tell(Kind::File, 1), [15, 1, 47, 1]);
    assert_eq!(tell(Kind::File, 48), [15, 1, 0, 48]);
    assert_eq!(
        history.iter().next_back().map(|(_, _, detail)| detail),
        Some("47"),
        "the newest is always there"
    );
}

/// Firmware of several kinds asks in its name by turns: each trouble has one place, until the machine gets further.
#[test]
fn trouble_that_comes_again_takes_no_second_place() {
    let mut history = History::default();
    let mut tell = |kind, what: &str| {
        history.remember(START, kind, what.into());
        history.iter().map(|(_, _, detail)| detail.to_string()).collect::<Vec<_>>()
    };
    for (kind, what) in [(Kind::Stage, "booting"), (Kind::Agent, "mounted")] {
        tell(kind, what);
    }
    for _ in 0..1000 {
        tell(Kind::Trouble, "no file for one");
        tell(Kind::Trouble, "no file for another");
    }
    assert_eq!(
        tell(Kind::Stage, "up"),
        ["booting", "mounted", "no file for one", "no file for another", "up"]
    );
    assert_eq!(tell(Kind::Trouble, "no file for one").len(), 6, "and again");
}
