use super::*;

const fn address(n: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(0x0a4d_0000 + n)
}

/// Enters so many transfers of an address, with names from `first` on.
fn enter(crowd: &mut Crowd, whose: u32, names: std::ops::Range<u64>, is_answered: bool) {
    names.for_each(|name| crowd.enter(address(whose), TransferId(name), is_answered));
}

#[test]
fn who_has_most_gives_way_and_first_what_nobody_answers() {
    const FULL: usize = TRANSFERS_MAX;
    const FEW: u64 = TRANSFERS_FEW as u64;
    type Case = (&'static str, fn(&mut Crowd), usize, u32, Option<u64>);
    let table: [Case; 12] = [
        ("there is room", |it| enter(it, 1, 1..200, false), FULL - 1, 9, None),
        ("nobody asked", |_| {}, FULL, 9, None),
        (
            "a crowd, though another is older",
            |it| {
                enter(it, 2, 1..2, false);
                enter(it, 1, 2..200, false);
            },
            FULL,
            9,
            Some(2),
        ),
        (
            "of a crowd what nobody answers, though what is answered is older",
            |it| {
                enter(it, 1, 1..200, true);
                enter(it, 1, 200..202, false);
            },
            FULL,
            9,
            Some(200),
        ),
        ("a crowd of which all is answered, for another", |it| enter(it, 1, 1..200, true), FULL, 9, Some(1)),
        ("the same for itself", |it| enter(it, 1, 1..200, true), FULL, 1, None),
        (
            "and though another has just asked",
            |it| {
                enter(it, 1, 1..200, true);
                enter(it, 2, 200..201, false);
            },
            FULL,
            1,
            None,
        ),
        (
            "few of each: the oldest that nobody answers",
            |it| {
                enter(it, 1, 1..FEW, true);
                enter(it, 2, FEW..2 * FEW, false);
                enter(it, 3, 2 * FEW..3 * FEW, false);
            },
            FULL,
            9,
            Some(FEW),
        ),
        ("few of each, all answered", |it| enter(it, 1, 1..FEW, true), FULL, 9, None),
        (
            "what is silent of its own, though others crowd",
            |it| {
                enter(it, 1, 1..200, false);
                enter(it, 9, 200..203, true);
                it.falls_silent(address(9), TransferId(201), false);
                it.asked_anew(address(9));
            },
            FULL,
            9,
            Some(201),
        ),
        (
            "not what is silent of another's, nor what has spoken again",
            |it| {
                enter(it, 1, 1..3, true);
                it.falls_silent(address(1), TransferId(1), false);
                it.asked_anew(address(1));
                enter(it, 9, 3..5, true);
                it.falls_silent(address(9), TransferId(3), false);
                it.asked_anew(address(9));
                it.is_not_silent(address(9), TransferId(3));
            },
            FULL,
            9,
            None,
        ),
        (
            "nobody who is silent, as long as there is room",
            |it| {
                enter(it, 9, 1..3, true);
                it.falls_silent(address(9), TransferId(1), false);
                it.asked_anew(address(9));
            },
            FULL - 1,
            9,
            None,
        ),
    ];
    for (what, fill, count, to, expected) in table {
        let mut crowd = Crowd::default();
        fill(&mut crowd);
        assert_eq!(crowd.gives_way(address(to), count), expected.map(TransferId), "{what}");
    }
}

#[test]
fn one_address_has_a_bound_before_it_answers_and_none_afterwards() {
    let mut crowd = Crowd::default();
    let most = TRANSFERS_UNANSWERED_PER_ADDRESS_MAX as u64;
    enter(&mut crowd, 1, 0..most, false);
    assert_eq!(crowd.gives_way(address(1), 1), Some(TransferId(0)));
    assert_eq!(crowd.gives_way(address(2), 1), None);
    (0..most).for_each(|name| crowd.answered(address(1), TransferId(name)));
    assert_eq!(crowd.gives_way(address(1), 1), None);
    [7, 8, 9].into_iter().for_each(|name| crowd.falls_silent(address(1), TransferId(name), false));
    assert_eq!((crowd.asked_anew(address(1)).len(), crowd.left()), (3, 3));
    crowd.is_not_silent(address(1), TransferId(8));
    crowd.falls_silent(address(1), TransferId(8), false);
    crowd.falls_silent(address(1), TransferId(10), true);
    assert_eq!((crowd.left(), crowd.asked_anew(address(1))), (3, [TransferId(8)].into()));
    (0..most).for_each(|name| crowd.leave(address(1), TransferId(name)));
    assert_eq!(crowd, Crowd::default(), "nothing is left of who has gone");
}
