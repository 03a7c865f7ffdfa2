mod not_left;
mod repeats;
mod singly;

use super::super::{Refusal, Unsent};
use super::*;
use crate::transfer::ImageId;
use proptest::prelude::*;

const START: Time = Time::from_nanoseconds(1_000_000_000_000);
const IDENTITY: ImageIdentity = ImageIdentity { file: 7, size: 10_000, modified: 1 };
/// Ten blocks of 1000 octets and an empty one.
const IMAGE: Opened = Opened { image: ImageId(3), identity: IDENTITY };

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn options(window: u16) -> tftp::Options {
    tftp::Options { block_octets: Some(1000), window_blocks: Some(window), size: true, timeout_seconds: None }
}

/// Something happens, and whatever the flight then wants to send is granted at once.
fn act(flight: &mut Flight, now: Time, event: Event<'_>) -> Step {
    let step = flight.on(now, event);
    if step != Step::Wait || flight.wishes().is_none() {
        return step;
    }
    let first = flight.grant(now, u64::MAX);
    while flight.wishes().is_some() {
        flight.grant(now, u64::MAX);
    }
    first
}

fn terms(options: &tftp::Options) -> Terms {
    Terms::of(Mode::Octet, options, TFTP_BLOCK_OCTETS_USUAL)
}

fn opening(options: &tftp::Options) -> Flight {
    let place = (0, Ipv4Addr::new(10, 77, 0, 1), SocketAddrV4::new(Ipv4Addr::new(10, 77, 1, 1), 2070));
    Flight::asked(START, TransferId(1), place, ("boot".into(), terms(options)), 0, Resend::Measured)
}

fn offered(window: u16) -> Flight {
    let mut flight = opening(&options(window));
    assert!(matches!(act(&mut flight, START, Event::Opened(Ok(IMAGE))), Step::Offer(_)));
    flight
}

/// The first window was sent 1 ms after the OACK.
fn sending(window: u16) -> Flight {
    let mut flight = offered(window);
    assert!(matches!(act(&mut flight, START + ms(1), Event::Acknowledged(0)), Step::Send(_)));
    flight
}

/// What is noted of it for the first time.
fn note(flight: &mut Flight) -> Note {
    match flight.note_if_new() {
        Some(Output::Note { note: Some(note), .. }) => note,
        other => panic!("{other:?}"),
    }
}

/// It was noted after block 3.
fn reopening(window: u16) -> Flight {
    let mut flight = sending(window);
    flight.acknowledged = 3;
    let note = note(&mut flight);
    Flight::noted(START, TransferId(2), 0, note, Resend::Measured).unwrap()
}

/// A step in short.
fn short(step: &Step) -> String {
    match step {
        Step::Wait => "-".into(),
        Step::Offer(_) => "OACK".into(),
        Step::Send(block) => format!("{}..{}", block.first, block.first + u64::from(block.count) - 1),
        Step::Fetch(_, first, last) => format!("fetch {first}-{last}"),
        Step::Reset => "reset".into(),
        Step::End(End::Complete) => "complete".into(),
        Step::End(End::Quiet) => "quiet".into(),
        Step::End(End::Unconfirmed) => "unconfirmed".into(),
        Step::End(End::Failed(_)) => "failed".into(),
        Step::End(End::Left(_)) => "left".into(),
        Step::End(End::Refused(code, _)) => format!("ERROR {}", *code as u16),
    }
}

/// Every cell of the table in the module's text: each stage, each event, 200 ms after the flight began; the windows are of 4 blocks.
#[test]
fn every_stage_meets_every_event() {
    let unsent = |why| move || Event::Unsent { block: 2, why };
    let aborted = |code| move || Event::Aborted { code, text: "" };
    let refused = |refusal: fn() -> Refusal| move || Event::Opened(Err(refusal()));
    type Row<'a> = (&'a str, Box<dyn Fn() -> Event<'static>>, [&'a str; 4]);
    let table: Vec<Row<'_>> = vec![
        ("opened", Box::new(|| Event::Opened(Ok(IMAGE))), ["OACK", "4..7", "-", "-"]),
        ("missing", Box::new(refused(|| Refusal::Missing("no".into()))), ["ERROR 1", "ERROR 1", "-", "-"]),
        ("denied", Box::new(refused(|| Refusal::Denied("no".into()))), ["ERROR 2", "ERROR 2", "-", "-"]),
        ("unfit", Box::new(refused(|| Refusal::Unfit("no".into()))), ["ERROR 0", "ERROR 0", "-", "-"]),
        ("changed", Box::new(refused(|| Refusal::Changed)), ["ERROR 0", "ERROR 0", "-", "-"]),
        ("ACK of what was", Box::new(|| Event::Acknowledged(0)), ["-", "-", "1..4", "1..4"]),
        ("ACK in the window", Box::new(|| Event::Acknowledged(2)), ["-", "-", "-", "3..6"]),
        ("ACK of the window", Box::new(|| Event::Acknowledged(4)), ["-", "-", "-", "5..8"]),
        ("ACK never sent", Box::new(|| Event::Acknowledged(5)), ["-", "-", "-", "-"]),
        ("ACK long ago", Box::new(|| Event::Acknowledged(65_535)), ["-", "-", "-", "-"]),
        ("size learnt", Box::new(aborted(8)), ["quiet", "left", "quiet", "left"]),
        ("size learnt by a ROM", Box::new(aborted(0)), ["quiet", "left", "quiet", "left"]),
        ("too large", Box::new(aborted(3)), ["quiet", "failed", "failed", "failed"]),
        ("asked again", Box::new(|| Event::AskedAgain), ["-", "reset", "OACK", "reset"]),
        ("full", Box::new(unsent(Unsent::Full)), ["-", "-", "-", "-"]),
        ("not in memory", Box::new(unsent(Unsent::NotInMemory)), ["-", "-", "-", "fetch 1000-1999"]),
        ("impossible", Box::new(unsent(Unsent::Impossible)), ["-", "-", "failed", "failed"]),
        ("in memory", Box::new(|| Event::InMemory), ["-", "-", "-", "-"]),
        ("broken", Box::new(|| Event::Broken("cut")), ["-", "-", "ERROR 0", "ERROR 0"]),
        ("due too early", Box::new(|| Event::Due), ["-", "-", "-", "1..4"]),
    ];
    for (what, event, expected) in table {
        let stages = [opening(&options(4)), reopening(4), offered(4), sending(4)];
        for (mut flight, expected) in stages.into_iter().zip(expected) {
            let stage = flight.stage.clone();
            assert_eq!(short(&act(&mut flight, START + ms(200), event())), expected, "{stage:?}, {what}");
        }
    }
}

/// The rows that depend on when they happen: each stage wakes at its time, repeats, and in the end gives up.
#[test]
fn silence_is_met_with_repeats_and_then_given_up() {
    const OFFERS: [u64; 11] = [500, 1500, 2500, 3500, 4500, 5500, 6500, 7500, 8500, 12500, 16500];
    let small = || {
        let mut flight = opening(&options(64));
        act(&mut flight, START, Event::Opened(Ok(IMAGE)));
        act(&mut flight, START, Event::Acknowledged(0));
        flight
    };
    let told = || {
        let options = tftp::Options { timeout_seconds: Some(5), ..options(1) };
        let mut flight = opening(&options);
        act(&mut flight, START, Event::Opened(Ok(IMAGE)));
        act(&mut flight, START, Event::Acknowledged(0));
        flight
    };
    // What, the first repeats in ms, how many in all, the last word, after how many seconds.
    type Row<'a> = (&'a str, Flight, &'a [u64], usize, &'a str, u64);
    let table: [Row<'_>; 6] = [
        ("the file does not open", opening(&options(1)), &[], 0, "ERROR 0", 150),
        ("the OACK is not answered", offered(1), &OFFERS, 14, "ERROR 0", 30),
        (
            "a quick client falls silent",
            sending(1),
            &[21, 61, 141, 301, 621, 1261, 2261, 3261, 4261, 8261, 12261],
            45,
            "ERROR 0",
            150,
        ),
        ("in a window", sending(4), &[21, 61, 141], 45, "ERROR 0", 150),
        ("at the end", small(), &[20, 60, 140, 300, 620, 1260, 2260], 22, "unconfirmed", 60),
        ("the client said every 5 s", told(), &[20, 60, 140, 300, 620, 1260, 2260], 45, "ERROR 0", 150),
    ];
    for (what, mut flight, first, count, word, seconds) in table {
        let heard = flight.heard;
        let mut repeats = Vec::new();
        let (end, at) = loop {
            let at = flight.wake().expect("it waits for the client");
            let step = act(&mut flight, at, Event::Due);
            if !matches!(step, Step::Send(_) | Step::Offer(_)) {
                break (short(&step), at);
            }
            repeats.push(u64::try_from(at.since(START).as_millis()).unwrap());
            assert!(repeats.len() < 1000, "{what}: no end");
        };
        assert_eq!(repeats.get(..first.len()), Some(first), "{what}");
        assert_eq!((repeats.len(), end.as_str()), (count, word), "{what}");
        assert_eq!(at.since(heard), Duration::from_secs(seconds), "{what}");
    }
}

/// The report that a window did not leave whole comes when the next one already waits for its turn: nothing of it was sent twice.
#[test]
fn what_did_not_leave_is_told_after_the_next_window_was_asked_for() {
    let mut flight = sending(4);
    assert_eq!(flight.on(START + ms(2), Event::Acknowledged(2)), Step::Wait, "a gap, and it is not its turn");
    assert_eq!(flight.on(START + ms(3), Event::Unsent { block: 3, why: Unsent::Full }), Step::Wait);
    assert_eq!((flight.resent, flight.sent), (0, 2));
    assert_eq!(short(&act(&mut flight, START + ms(8), Event::Due)), "3..6");
    assert_eq!((flight.resent, flight.sent), (0, 6));
    // Of a repeat, what did not leave was not repeated.
    assert_eq!(short(&act(&mut flight, START + ms(1008), Event::Due)), "3..6");
    assert_eq!(flight.resent, 4);
    assert_eq!(flight.on(START + ms(1009), Event::Acknowledged(3)), Step::Wait);
    assert_eq!(flight.on(START + ms(1010), Event::Unsent { block: 5, why: Unsent::Full }), Step::Wait);
    assert_eq!((flight.resent, flight.sent), (2, 6));
}

/// That an OACK did not leave may be said twice, or of one that was never sent.
#[test]
fn an_oack_that_did_not_leave_is_counted_once() {
    let full = || Event::Unsent { block: 0, why: Unsent::Full };
    let mut flight = offered(1);
    assert_eq!(short(&act(&mut flight, START + ms(1000), Event::Due)), "OACK");
    assert_eq!(flight.resent, 1);
    for at in [1001, 1010, 1011] {
        assert_eq!(flight.on(START + ms(at), full()), Step::Wait);
        assert_eq!(flight.resent, 0);
        assert_eq!(flight.on(START + ms(at + 6), Event::Due), Step::Wait, "it is not its turn");
    }
    let note = Note { options_acknowledged: false, ..note(&mut sending(1)) };
    let mut flight = Flight::noted(START, TransferId(2), 0, note, Resend::Measured).unwrap();
    assert_eq!(flight.on(START, Event::Opened(Ok(IMAGE))), Step::Wait);
    assert_eq!((flight.on(START, full()), flight.resent), (Step::Wait, 0));
}

/// What becomes of one flight in lock-step, with every event's time in ms.
#[test]
fn conversations() {
    use Event::{Acknowledged, AskedAgain, Due, InMemory};
    let unsent = |block, why| Event::Unsent { block, why };
    type Talk<'a> = (&'a str, Flight, Vec<(u64, Event<'a>, &'a str)>);
    let bare = opening(&tftp::Options::default());
    let table: Vec<Talk<'_>> = vec![
        (
            "no option: no OACK, blocks of 512",
            bare,
            vec![
                (0, Event::Opened(Ok(IMAGE)), "1..1"),
                (10, AskedAgain, "-"),
                (60, AskedAgain, "1..1"),
                (61, AskedAgain, "-"),
                (62, Acknowledged(1), "2..2"),
                (63, AskedAgain, "-"),
                (161, AskedAgain, "-"),
                (162, AskedAgain, "reset"),
            ],
        ),
        (
            "an ACK that comes twice is answered once (RFC 1123 4.2.3.1)",
            sending(1),
            vec![
                (2, Acknowledged(1), "2..2"),
                (2, Acknowledged(1), "-"),
                (3, Acknowledged(2), "3..3"),
                (3, Acknowledged(1), "-"),
                (3, Acknowledged(2), "-"),
            ],
        ),
        (
            "a client's retry is answered, each once",
            sending(1),
            vec![
                (2, Acknowledged(1), "2..2"),
                (51, Acknowledged(1), "-"),
                (53, Acknowledged(1), "2..2"),
                (54, Acknowledged(1), "-"),
                (104, Acknowledged(1), "2..2"),
                // What was sent three times is acknowledged three times, and is not answered three times.
                (105, Acknowledged(2), "3..3"),
                (106, Acknowledged(2), "-"),
                (124, Acknowledged(2), "-"),
                // Our own timer is what remains, if the third block was lost.
                (125, Due, "3..3"),
            ],
        ),
        (
            "a gap in a window: it starts anew behind it (RFC 7440 4), once",
            sending(4),
            vec![
                (2, Acknowledged(4), "5..8"),
                (3, Acknowledged(5), "6..9"),
                (3, Acknowledged(5), "-"),
                (4, Acknowledged(9), "10..11"),
                (5, Acknowledged(11), "complete"),
            ],
        ),
        (
            "a copy of an ACK comes late: the window goes twice, and no other",
            sending(4),
            vec![
                (2, Acknowledged(4), "5..8"),
                (3, Acknowledged(4), "5..8"),
                (3, Acknowledged(8), "9..11"),
                (4, Acknowledged(8), "-"),
                (4, Acknowledged(8), "-"),
                (4, Acknowledged(11), "complete"),
            ],
        ),
        (
            "the first of a window is lost",
            sending(4),
            vec![(2, Acknowledged(4), "5..8"), (3, Acknowledged(4), "5..8"), (3, Acknowledged(4), "-")],
        ),
        (
            "a full socket: the rest goes soon",
            sending(4),
            vec![
                (1, unsent(3, Unsent::Full), "-"),
                (3, Due, "-"),
                (4, Acknowledged(0), "-"),
                (6, Due, "3..4"),
                (6, unsent(4, Unsent::Full), "-"),
                (7, Acknowledged(2), "3..6"),
                (8, unsent(2, Unsent::Full), "-"),
            ],
        ),
        (
            "not in memory: the rest goes when it is there",
            sending(4),
            vec![
                (1, unsent(2, Unsent::NotInMemory), "fetch 1000-1999"),
                (1, unsent(2, Unsent::NotInMemory), "-"),
                (500, Due, "-"),
                (600, InMemory, "2..4"),
                (600, InMemory, "-"),
                (600, unsent(2, Unsent::NotInMemory), "fetch 1000-1999"),
            ],
        ),
        (
            "a slow disk at the end is no silence of the client",
            sending(64),
            vec![
                (1, unsent(2, Unsent::NotInMemory), "fetch 1000-1999"),
                (12_000, InMemory, "2..11"),
                (12_020, Due, "1..11"),
                (12_021, Acknowledged(11), "complete"),
            ],
        ),
        (
            "the OACK does not leave",
            offered(1),
            vec![(0, unsent(0, Unsent::Full), "-"), (5, Due, "OACK"), (6, Acknowledged(0), "1..1")],
        ),
        (
            "after a restart, the note is right",
            reopening(4),
            vec![
                (1, Event::Opened(Ok(IMAGE)), "4..7"),
                (2, Acknowledged(7), "8..11"),
                (3, Acknowledged(11), "complete"),
            ],
        ),
        (
            "after a restart, the client is ahead of the note",
            reopening(4),
            vec![
                (1, Event::Opened(Ok(IMAGE)), "4..7"),
                (2, Acknowledged(10), "11..11"),
                (2, Acknowledged(10), "-"),
            ],
        ),
        (
            "after a restart, an ACK within the repeat: the window slides, and starts anew at a gap that is reported late",
            reopening(4),
            vec![
                (1, Event::Opened(Ok(IMAGE)), "4..7"),
                (2, Acknowledged(4), "8..8"),
                (2, unsent(4, Unsent::Full), "-"),
                (2, unsent(5, Unsent::Full), "-"),
                (7, Due, "5..8"),
            ],
        ),
        (
            "a late report of what the client has by now says nothing",
            sending(4),
            vec![
                (2, Acknowledged(4), "5..8"),
                (2, unsent(3, Unsent::Full), "-"),
                (2, unsent(4, Unsent::Impossible), "-"),
                (2, unsent(0, Unsent::Full), "-"),
                (3, Acknowledged(8), "9..11"),
            ],
        ),
        (
            "a late report of a window that was repeated meanwhile: it goes once more, and either copy is acknowledged",
            sending(4),
            vec![
                (60, Acknowledged(0), "1..4"),
                (60, unsent(1, Unsent::Full), "-"),
                (65, Due, "1..4"),
                (66, unsent(2, Unsent::Full), "-"),
                (67, Acknowledged(4), "5..8"),
                (67, unsent(3, Unsent::Full), "-"),
            ],
        ),
        (
            "after a restart, the client speaks first",
            reopening(1),
            vec![
                (1, Acknowledged(2), "-"),
                (1, Acknowledged(6), "-"),
                (2, Event::Opened(Ok(IMAGE)), "7..7"),
                (3, Acknowledged(8), "-"),
                (3, Acknowledged(7), "8..8"),
            ],
        ),
        (
            "after a restart, an ACK from before the note",
            reopening(1),
            vec![(1, Acknowledged(2), "-"), (2, Event::Opened(Ok(IMAGE)), "4..4"), (3, Acknowledged(2), "-")],
        ),
    ];
    for (what, mut flight, events) in table {
        for (at, event, expected) in events {
            let said = format!("{event:?}");
            assert_eq!(short(&act(&mut flight, START + ms(at), event)), expected, "{what}: {at} ms, {said}");
        }
    }
}

/// A window leaves in parts, by a thread of its own: more of it was granted when the first part is reported.
#[test]
fn a_gap_that_is_reported_late_starts_the_window_anew() {
    let flight = || {
        let mut flight = offered(6);
        flight.on(START + ms(1), Event::Acknowledged(0));
        assert_eq!(short(&flight.grant(START + ms(1), 2)), "1..2");
        assert_eq!(short(&flight.grant(START + ms(1), 2)), "3..4");
        flight
    };
    let report = |block| Event::Unsent { block, why: Unsent::Full };
    // The rest of the window waits for its turn: it is not behind a gap that it is granted.
    let mut one = flight();
    assert_eq!((one.on(START + ms(2), report(2)), one.wishes()), (Step::Wait, None));
    assert_eq!(one.on(START + ms(2), report(4)), Step::Wait, "it lies behind the gap");
    assert_eq!(short(&act(&mut one, START + ms(7), Event::Due)), "2..6");
    assert_eq!(one.resent, 0, "what never left is not sent again");
    // The client noticed the gap before we did.
    let mut other = flight();
    other.on(START + ms(2), Event::Acknowledged(1));
    assert_eq!((other.on(START + ms(2), report(2)), other.wishes()), (Step::Wait, Some(false)));
    assert_eq!(short(&other.grant(START + ms(2), u64::MAX)), "2..7");
    // What can never leave ends it, however late that is told.
    let never = Event::Unsent { block: 1, why: Unsent::Impossible };
    assert_eq!(short(&flight().on(START + ms(2), never)), "failed");
    // An OACK that is about to be repeated is not wished for twice.
    let mut oack = offered(1);
    oack.on(START + ms(500), Event::Due);
    assert_eq!((oack.on(START + ms(500), report(0)), oack.wishes()), (Step::Wait, Some(true)));
}

#[test]
fn block_numbers_wrap_to_zero() {
    let size = 200_000 * 8;
    let mut flight = opening(&tftp::Options { block_octets: Some(8), ..tftp::Options::default() });
    let image = Opened { identity: ImageIdentity { size, ..IDENTITY }, ..IMAGE };
    act(&mut flight, START, Event::Opened(Ok(image)));
    let mut step = act(&mut flight, START, Event::Acknowledged(0));
    for block in 1..=200_001_u64 {
        assert_eq!(short(&step), format!("{block}..{block}"));
        assert_eq!(act(&mut flight, START, Event::Acknowledged(tftp::wire_number(block - 1))), Step::Wait);
        step = act(&mut flight, START, Event::Acknowledged(tftp::wire_number(block)));
    }
    assert_eq!(step, Step::End(End::Complete));
    assert_eq!(flight.summary(Outcome::Complete).octets, size);
    assert_eq!(flight.resent, 0);
}

/// Beyond 4 GiB, sizes are told whole and places do not wrap: only numbers on the wire do.
#[test]
fn an_image_of_more_than_four_gibibytes_is_sent_to_its_end() {
    let size = (4_u64 << 30) + 5000;
    let asked = tftp::Options { block_octets: Some(1468), ..options(64) };
    let mut flight = opening(&asked);
    let image = Opened { identity: ImageIdentity { size, ..IDENTITY }, ..IMAGE };
    let oack = act(&mut flight, START, Event::Opened(Ok(image)));
    assert_eq!(oack, Step::Offer(b"\0\x06blksize\x001468\0tsize\x004294972296\0windowsize\x0064\0".to_vec()));
    let mut step = act(&mut flight, START, Event::Acknowledged(0));
    let mut last = 0;
    while let Step::Send(block) = step {
        assert_eq!((block.first, block.size), (last + 1, size));
        last += u64::from(block.count);
        step = act(&mut flight, START, Event::Acknowledged(tftp::wire_number(last)));
    }
    assert_eq!((step, last), (Step::End(End::Complete), size / 1468 + 1));
    assert_eq!((flight.summary(Outcome::Complete).octets, flight.resent), (size, 0));
}

#[test]
fn a_text_is_not_noted_and_is_another_request_than_the_file() {
    let place = (0, Ipv4Addr::new(10, 77, 0, 1), SocketAddrV4::new(Ipv4Addr::new(10, 77, 1, 1), 2070));
    let text = Terms::of(Mode::Netascii, &options(1), TFTP_BLOCK_OCTETS_USUAL);
    let mut flight = Flight::asked(START, TransferId(1), place, ("boot".into(), text), 0, Resend::Measured);
    act(&mut flight, START, Event::Opened(Ok(IMAGE)));
    assert_eq!(flight.note_if_new(), None);
    assert!(flight.is_for("boot", &text) && !flight.is_for("boot", &terms(&options(1))));
}

/// Machines that were reset while the server was away ask from the ports that they had.
#[test]
fn after_a_restart_a_request_is_a_new_one_until_the_client_was_heard() {
    let mut flight = reopening(1);
    act(&mut flight, START, Event::Opened(Ok(IMAGE)));
    assert_eq!(act(&mut flight.clone(), START + ms(1), Event::AskedAgain), Step::Reset);
    act(&mut flight, START + ms(2), Event::Acknowledged(4));
    assert_eq!(act(&mut flight, START + ms(3), Event::AskedAgain), Step::Wait, "a late copy");
}

#[test]
fn what_is_noted_is_what_goes_on() {
    let mut flight = opening(&options(4));
    assert_eq!(flight.note_if_new(), None, "nothing is known of the file");
    act(&mut flight, START, Event::Opened(Ok(IMAGE)));
    let first = note(&mut flight);
    assert_eq!((first.options_acknowledged, first.acknowledged), (false, 0));
    assert_eq!(flight.note_if_new(), None, "once");
    act(&mut flight, START, Event::Acknowledged(0));
    let progress = |acknowledged| Some(Output::Advance { slot: 0, options_acknowledged: true, acknowledged });
    assert_eq!(flight.note_if_new(), progress(0));
    act(&mut flight, START, Event::Acknowledged(4));
    assert_eq!(flight.note_if_new(), progress(4));
    let mut later = first.clone();
    later.advance(true, 4);

    let mut again = Flight::noted(START, TransferId(9), 0, first, Resend::Measured).unwrap();
    assert!(again.is_for("boot", &terms(&options(4))));
    let oack = act(&mut again, START, Event::Opened(Ok(IMAGE)));
    assert_eq!(oack, Step::Offer(b"\0\x06blksize\x001000\0tsize\x0010000\0windowsize\x004\0".to_vec()));

    type Spoil = fn(&mut Note);
    let wrong: &[(&str, Spoil)] = &[
        ("no block", |note| note.block_octets = 0),
        ("a block that TFTP does not have", |note| note.block_octets = 65_465),
        ("no window", |note| note.window_blocks = 0),
        ("a window that we never send", |note| note.window_blocks = 65),
        ("a timeout that nobody can ask for", |note| note.timeout_milliseconds = Some(256_000)),
        ("beyond the end", |note| note.acknowledged = 11),
        ("blocks before the options", |note| note.options_acknowledged = false),
    ];
    for (what, spoil) in wrong {
        let mut note = later.clone();
        spoil(&mut note);
        assert_eq!(Flight::noted(START, TransferId(9), 0, note, Resend::Measured), None, "{what}");
    }
}

proptest! {
    /// Whatever happens in whatever order, at its turn or before, the books are kept: nothing underflows, windows lie within the file, the next wake is to come.
    #[test]
    fn no_order_of_events_can_harm(
        window in 1..9_u16, size in 0..30_000_u64, restored: bool,
        events in prop::collection::vec((0..8_u8, 0..40_u16, 0..400_u64, 0..6_u64), 0..80),
    ) {
        let image = Opened { identity: ImageIdentity { size, ..IDENTITY }, ..IMAGE };
        let mut flight = if restored && size > 3000 {
            let note = Note { identity: image.identity, ..note(&mut sending(window)) };
            Flight::noted(START, TransferId(1), 0, note, Resend::Measured).unwrap()
        } else {
            opening(&options(window))
        };
        let mut now = START;
        for (kind, number, wait, granted) in events {
            now = now + ms(wait);
            let block = u64::from(number);
            let event = match kind {
                0 => Event::Opened(Ok(image)),
                1 | 2 => Event::Acknowledged(number),
                3 => Event::AskedAgain,
                4 => Event::Unsent { block, why: Unsent::Full },
                5 => Event::Unsent { block, why: Unsent::NotInMemory },
                6 => Event::InMemory,
                _ => Event::Due,
            };
            let mut step = flight.on(now, event);
            flight.left = wait.is_multiple_of(3).then_some(0);
            // Its turn may be later, and for a part of the window alone.
            if step == Step::Wait && granted > 0 && flight.wishes().is_some() {
                step = flight.grant(now, granted);
            }
            match step {
                Step::Send(block) => {
                    let last = block.first + u64::from(block.count) - 1;
                    prop_assert!(block.count >= 1 && block.first == block.first.max(flight.acknowledged + 1));
                    prop_assert!(block.count == 1 || flight.left.is_none());
                    prop_assert!(last <= flight.blocks() && last <= flight.acknowledged + u64::from(window));
                }
                Step::Fetch(_, first, last) => prop_assert!(first <= last && last < size),
                Step::Reset | Step::End(_) => return Ok(()),
                Step::Wait | Step::Offer(_) => {}
            }
            prop_assert!(flight.sent >= flight.acknowledged && flight.sent <= flight.blocks());
            prop_assert!(kind != 7 || flight.wake().is_none_or(|wake| wake > now), "due, and due again at once");
        }
    }
}

/// A queue that takes the train of a window for one packet, which is too long for it: the blocks leave one by one after two repeats.
#[test]
fn a_window_that_is_swallowed_again_and_again_is_cut() {
    let mut flight = sending(4);
    let mut sent = Vec::new();
    for _ in 0..2 {
        let due = flight.wake().unwrap();
        flight.on(due, Event::Due);
        while flight.wishes().is_some() {
            sent.push(short(&flight.grant(due, u64::MAX)));
        }
    }
    assert_eq!(sent, ["1..4", "1..1", "2..2", "3..3", "4..4"]);
}
