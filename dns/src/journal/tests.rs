use super::*;
use crate::data::Data;
use std::net::Ipv4Addr;

fn apex(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn row(n: u32) -> Row {
    (apex("host.cluster"), 60, Data::A(Ipv4Addr::from(n)))
}

fn changed(zone: &str, is_added: bool, n: u32) -> Changed {
    Changed { apex: apex(zone), is_added, row: row(n) }
}

fn steps(journal: &Journal, zone: &str, serial: u32) -> Option<Vec<(u32, u32, usize, usize)>> {
    let steps = journal.since(&apex(zone), serial)?;
    Some(steps.iter().map(|step| (step.from, step.to, step.removed.len(), step.added.len())).collect())
}

#[test]
fn what_has_changed_since() {
    let mut journal = Journal::default();
    journal.note(u32::MAX, 0, vec![changed("cluster", true, 1), changed("10.in-addr.arpa", true, 2)]);
    journal.note(0, 1, vec![changed("cluster", false, 1), changed("cluster", true, 3)]);
    assert_eq!(steps(&journal, "cluster", u32::MAX), Some(vec![(u32::MAX, 0, 0, 1), (0, 1, 1, 1)]));
    assert_eq!(steps(&journal, "cluster", 0), Some(vec![(0, 1, 1, 1)]));
    // A zone in which nothing has changed has steps that only raise its serial.
    assert_eq!(steps(&journal, "10.in-addr.arpa", 0), Some(vec![(0, 1, 0, 0)]));
    assert_eq!(steps(&journal, "cluster", 1), None);
    assert_eq!(steps(&journal, "cluster", 7), None);
    // A gap: nobody can be told how to get over it.
    journal.note(5, 6, vec![changed("cluster", true, 4)]);
    assert_eq!(
        (steps(&journal, "cluster", 0), steps(&journal, "cluster", 5)),
        (None, Some(vec![(5, 6, 0, 1)]))
    );
    journal.forget();
    assert_eq!(steps(&journal, "cluster", 5), None);
}

#[test]
fn it_does_not_grow() {
    let mut journal = Journal::default();
    for serial in 0..10_000 {
        journal.note(serial, serial + 1, vec![]);
    }
    assert_eq!(journal.batches.len(), BATCHES_MAX);
    for serial in 10_000..10_100 {
        journal.note(serial, serial + 1, (0..1000).map(|n| changed("cluster", true, n)).collect());
        assert!(journal.rows <= ROWS_MAX);
    }
    assert_eq!(journal.batches.len(), ROWS_MAX / 1000);
    assert_eq!(journal.rows, journal.batches.iter().map(|batch| batch.changes.len()).sum::<usize>());
    // What is more than that at once is not kept at all.
    journal.note(10_100, 10_101, (0..50_000).map(|n| changed("cluster", true, n)).collect());
    assert_eq!((journal.batches.len(), journal.rows), (0, 0));
}
