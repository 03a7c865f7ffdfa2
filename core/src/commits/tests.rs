use super::*;
use crate::cluster::record::LeaseRecord;
use crate::mac::Mac;
use std::net::Ipv4Addr;

const NOW: Time = Time::from_nanoseconds(1 << 40);

/// Somebody waits for it.
fn record() -> Record {
    Record::Lease(LeaseRecord {
        address: Ipv4Addr::LOCALHOST,
        mac: Mac([2, 0, 0, 0, 0, 1]),
        name: None,
        is_guest: false,
        of_host: false,
        of_number: false,
        is_elsewhere: false,
        lease_seconds: None,
        is_left: false,
    })
}

/// Nobody does.
fn history() -> Record {
    Record::LeaseEnded(Ipv4Addr::LOCALHOST)
}

fn gather(commits: &mut Commits, tickets: RangeInclusive<u64>) {
    tickets.for_each(|ticket| commits.gather(NOW, Ticket(ticket), record()));
}

fn begun(commits: &mut Commits, now: Time) -> Vec<u64> {
    commits.begin(now).unwrap_or_default().iter().map(|(ticket, _)| ticket.0).collect()
}

/// What is told: a positive ticket is committed, a negative one is refused.
fn ended(commits: &mut Commits, outcome: Result<(), &str>) -> Vec<i64> {
    let mut told = vec![commits.end(outcome.map_err(String::from))];
    while commits.has_more() {
        told.push(commits.more());
    }
    assert!(commits.more().is_none(), "all was told");
    let ticket = |input: &Input<'_>| {
        if let Input::Refused { through, .. } = input {
            return -i64::try_from(through.0).unwrap();
        }
        let Input::Committed(through) = input else { panic!("{input:?}") };
        i64::try_from(through.0).unwrap()
    };
    told.iter().flatten().map(ticket).collect()
}

#[test]
fn what_comes_during_a_commit_goes_with_the_next() {
    let mut commits = Commits::default();
    assert!(begun(&mut commits, NOW).is_empty() && commits.is_idle());
    gather(&mut commits, 1..=1);
    assert_eq!(begun(&mut commits, NOW), [1]);
    gather(&mut commits, 2..=4);
    assert!(begun(&mut commits, NOW).is_empty(), "two commits in flight");
    assert_eq!(ended(&mut commits, Ok(())), [1]);
    assert_eq!(begun(&mut commits, NOW), [2, 3, 4]);
    assert_eq!(ended(&mut commits, Ok(())), [4]);
    assert!(commits.is_idle());
    assert!(ended(&mut commits, Ok(())).is_empty(), "no commit was in flight");
}

#[test]
fn history_goes_with_the_next_promise_or_after_a_moment() {
    let mut commits = Commits::default();
    let late = NOW + HISTORY_WAITS;
    assert_eq!(commits.due(), None);
    commits.gather(NOW, Ticket(1), history());
    assert!(begun(&mut commits, NOW).is_empty(), "nobody waits for it");
    assert_eq!(commits.due(), Some(late));
    commits.gather(NOW, Ticket(2), record());
    commits.gather(NOW, Ticket(3), history());
    assert_eq!(begun(&mut commits, NOW), [1, 2, 3]);
    commits.gather(NOW, Ticket(4), history());
    assert_eq!(commits.due(), None, "one at a time");
    assert_eq!(ended(&mut commits, Ok(())), [3]);
    assert_eq!(commits.due(), Some(late));
    assert_eq!(begun(&mut commits, late), [4]);
}

/// A record of a machine is all that is known of it, also what was proposed a moment before: kept alone, it would give a number that was taken back.
#[test]
fn what_was_proposed_behind_a_refused_record_is_refused_with_it() {
    let mut commits = Commits::default();
    gather(&mut commits, 1..=2);
    begun(&mut commits, NOW);
    gather(&mut commits, 3..=4);
    assert_eq!(ended(&mut commits, Err("the disk is full")), [-4]);
    assert!(commits.is_idle());
    gather(&mut commits, 5..=5);
    assert_eq!(begun(&mut commits, NOW), [5]);
    assert_eq!(ended(&mut commits, Err("the disk is full")), [-5]);
}

/// Nothing is said of the batch in flight before the disk does: it may yet become durable.
#[test]
fn a_disk_that_hangs_does_not_eat_the_memory_and_withdraws_nothing_in_flight() {
    let mut commits = Commits::default();
    gather(&mut commits, 1..=1);
    begun(&mut commits, NOW);
    let last = GATHERED_MAX as u64 + 11;
    gather(&mut commits, 2..=last);
    assert!(begun(&mut commits, NOW).is_empty() && commits.gathered.capacity() == 0);
    let refused = -i64::try_from(last).unwrap();
    assert_eq!(ended(&mut commits, Ok(())), [1, refused]);
    assert!(commits.is_idle());
    gather(&mut commits, last + 1..=last + 1);
    assert_eq!(begun(&mut commits, NOW), [last + 1]);
    assert_eq!(ended(&mut commits, Ok(())), [refused.abs() + 1]);
}

/// As a start does that numbers a whole cluster.
#[test]
fn what_one_turn_proposes_is_never_too_much() {
    let mut commits = Commits::default();
    let last = 2 * GATHERED_MAX as u64;
    gather(&mut commits, 1..=last);
    assert_eq!(begun(&mut commits, NOW).len(), 2 * GATHERED_MAX);
}

/// What becomes durable makes promises true, which lead to new records: they too may say what was dropped.
#[test]
fn what_is_proposed_before_an_overflow_is_told_is_refused_too() {
    let mut commits = Commits::default();
    gather(&mut commits, 1..=1);
    begun(&mut commits, NOW);
    let last = GATHERED_MAX as u64 + 2;
    gather(&mut commits, 2..=last);
    assert!(commits.more().is_none(), "nothing is known of the batch in flight");
    assert!(matches!(commits.end(Ok(())), Some(Input::Committed(Ticket(1)))));
    gather(&mut commits, last + 1..=last + 1);
    let told = commits.more();
    assert!(matches!(told, Some(Input::Refused { through, .. }) if through == Ticket(last + 1)), "{told:?}");
    assert!(commits.is_idle());
}

/// Others have their turn in between, and what they propose goes with the next commit.
#[test]
fn what_is_durable_is_told_in_parts_in_its_order() {
    let mut commits = Commits::default();
    gather(&mut commits, 1..=2 * DECIDED_AT_ONCE + 1);
    assert_eq!(begun(&mut commits, NOW).len() as u64, 2 * DECIDED_AT_ONCE + 1);
    assert!(!commits.has_more() && commits.more().is_none(), "nothing is known of it");
    let through = |input: Option<Input<'_>>| match input {
        Some(Input::Committed(Ticket(through))) => through,
        other => panic!("{other:?}"),
    };
    assert_eq!(through(commits.end(Ok(()))), DECIDED_AT_ONCE);
    gather(&mut commits, 2 * DECIDED_AT_ONCE + 2..=2 * DECIDED_AT_ONCE + 2);
    assert!(begun(&mut commits, NOW).is_empty() && !commits.is_idle() && commits.has_more());
    assert_eq!(through(commits.more()), 2 * DECIDED_AT_ONCE);
    assert_eq!(through(commits.more()), 2 * DECIDED_AT_ONCE + 1);
    assert!(!commits.has_more() && commits.more().is_none());
    assert_eq!(begun(&mut commits, NOW), [2 * DECIDED_AT_ONCE + 2]);
    assert_eq!(
        ended(&mut commits, Err("the disk is full")),
        [-i64::try_from(2 * DECIDED_AT_ONCE + 2).unwrap()]
    );
    // As few are told at once.
    gather(&mut commits, 5000..=5000 + DECIDED_AT_ONCE - 1);
    begun(&mut commits, NOW);
    assert_eq!(through(commits.end(Ok(()))), 5000 + DECIDED_AT_ONCE - 1);
    assert!(commits.is_idle());
}

#[test]
fn a_store_that_refused_is_tried_until_it_keeps_something() {
    let later = |times: u32| NOW + STORE_TRIED_EVERY * times;
    let mut commits = Commits::default();
    gather(&mut commits, 1..=2);
    assert_eq!(begun(&mut commits, NOW), [1, 2]);
    gather(&mut commits, 3..=3);
    assert_eq!(ended(&mut commits, Err("the disk is full")), [-3]);
    assert!(commits.begin(NOW).is_none() && commits.is_idle(), "nothing waits for it");
    assert_eq!(commits.due(), Some(later(1)));
    assert_eq!(commits.begin(later(1)), Some(Batch::new()));
    assert_eq!((commits.due(), commits.begin(later(9))), (None, None), "two commits in flight");
    // What comes meanwhile is proposed on the ground of nothing that was refused, but the store keeps it as little.
    gather(&mut commits, 4..=4);
    assert_eq!(ended(&mut commits, Err("the disk is full")), [-4]);
    assert_eq!(commits.due(), Some(later(2)));
    // What gathers then goes with the next one.
    commits.gather(later(2), Ticket(5), history());
    assert_eq!(begun(&mut commits, later(2)), [5]);
    assert_eq!(ended(&mut commits, Err("the disk is full")), [-5]);
    assert_eq!(commits.begin(later(3)), Some(Batch::new()));
    assert_eq!(ended(&mut commits, Ok(())), [5], "nobody waits for that; but it is told that it keeps again");
    assert_eq!((commits.due(), commits.begin(later(9))), (None, None), "it is whole");
}
