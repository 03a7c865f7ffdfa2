use super::*;
use crate::asked::header_and_question;
use proptest::prelude::*;
use std::collections::VecDeque;

fn question(number: u32) -> Vec<u8> {
    let label = format!("n{number}");
    let mut octets = vec![u8::try_from(label.len()).unwrap()];
    octets.extend(label.bytes());
    octets.extend([0, 0, 1, 0, 1]);
    octets
}

fn kept(number: u32, octets: usize) -> CachedAnswer {
    let question = question(number);
    let mut message = header_and_question(&question, 0);
    message.resize(message.len() + octets, 0);
    CachedAnswer::new(message, Vec::new(), question.len())
}

const PLAIN: Wishes = Wishes { dnssec_ok: false, checking_disabled: false };

#[test]
fn who_was_not_used_goes() {
    let mut cache = Cache::new(3, 100_000, (1, 2));
    for number in 0..3 {
        cache.keep(0, kept(number, 10), PLAIN, 60);
    }
    assert!(cache.find(0, &question(0), PLAIN).is_some());
    cache.keep(0, kept(3, 10), PLAIN, 60);
    let there: Vec<bool> = (0..4).map(|number| cache.find(0, &question(number), PLAIN).is_some()).collect();
    assert_eq!(there, [true, false, true, true]);
    // All were used just now: each is passed over, and the oldest goes then.
    cache.keep(0, kept(4, 10), PLAIN, 60);
    let there: Vec<bool> = (0..5).map(|number| cache.find(0, &question(number), PLAIN).is_some()).collect();
    assert_eq!(there.iter().filter(|there| **there).count(), 3);
    assert_eq!((there[2], there[4]), (false, true));
}

#[test]
fn what_is_outdated_is_not_told_and_makes_room() {
    let mut cache = Cache::new(3, 100_000, (1, 2));
    for number in 0..3 {
        cache.keep(0, kept(number, 10), PLAIN, 60);
    }
    cache.outdate();
    assert!((0..3).all(|number| cache.find(0, &question(number), PLAIN).is_none()));
    for number in 1..4 {
        cache.keep(0, kept(number, 20), PLAIN, 60);
        assert!(cache.find(0, &question(number), PLAIN).is_some());
    }
    assert_eq!((cache.len(), cache.octets()), (3, 3 * (12 + 8 + 20)));
}

#[test]
fn octets_are_bounded_too_and_no_answer_drives_out_all() {
    let mut cache = Cache::new(1_000, 10_000, (1, 2));
    for number in 0..500 {
        cache.keep(0, kept(number, 1_000), PLAIN, 60);
        assert!(cache.octets() <= 10_000);
    }
    assert_eq!(cache.len(), 9);
    cache.keep(0, kept(1_000, 10_000), PLAIN, 60);
    assert_eq!(cache.len(), 9);
    assert!(cache.find(0, &question(1_000), PLAIN).is_none());
    // Nor does it leave an older answer to the same question.
    cache.keep(0, kept(499, 10_000), PLAIN, 60);
    assert!(cache.find(0, &question(499), PLAIN).is_none());
}

#[test]
fn no_cache_keeps_nothing() {
    let mut cache = Cache::new(0, 100_000, (1, 2));
    cache.keep(0, kept(1, 10), PLAIN, 60);
    assert!(cache.find(0, &question(1), PLAIN).is_none());
}

#[test]
fn wishes_are_answered_apart() {
    let mut cache = Cache::new(10, 100_000, (1, 2));
    cache.keep(0, kept(1, 10), PLAIN, 60);
    for (dnssec_ok, checking_disabled) in [(true, false), (false, true), (true, true)] {
        assert!(cache.find(0, &question(1), Wishes { dnssec_ok, checking_disabled }).is_none());
    }
}

proptest! {
    /// Against a list that is searched from end to end.
    #[test]
    fn it_keeps_what_a_list_would_keep(steps in proptest::collection::vec((any::<bool>(), 0_u32..12, 0_usize..400), 0..400)) {
        let (entries_max, octets_max) = (6, 1_500);
        let mut cache = Cache::new(entries_max, octets_max, (3, 4));
        // Who goes first, first; and whether it was used.
        let mut list: VecDeque<(u32, usize, bool)> = VecDeque::new();
        for (keeps, number, octets) in steps {
            let at = list.iter().position(|(other, _, _)| *other == number);
            if keeps {
                let kept = kept(number, octets);
                let whole = kept.octets.len();
                cache.keep(0, kept, PLAIN, 60);
                if let Some(at) = at {
                    list.remove(at);
                }
                while list.len() >= entries_max || list.iter().map(|(_, octets, _)| octets).sum::<usize>() + whole > octets_max {
                    if let Some((number, octets, true)) = list.pop_front() {
                        list.push_back((number, octets, false));
                    }
                }
                list.push_back((number, whole, false));
            } else {
                let found = cache.find(0, &question(number), PLAIN).map(|hit| hit.kept.octets.len());
                let entry = at.and_then(|at| list.get_mut(at));
                prop_assert_eq!(found, entry.map(|(_, octets, is_used)| { *is_used = true; *octets }));
            }
            prop_assert_eq!(cache.len(), list.len());
            prop_assert_eq!(cache.octets(), list.iter().map(|(_, octets, _)| octets).sum::<usize>());
        }
    }
}
