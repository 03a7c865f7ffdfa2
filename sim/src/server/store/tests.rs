use super::*;
use std::net::Ipv4Addr;

fn lease(last: u8) -> Record {
    let address = Ipv4Addr::new(10, 77, 200, last);
    Record::Lease(heorot_core::cluster::record::LeaseRecord {
        address,
        mac: crate::surroundings::mac_of(1),
        name: None,
    })
}

fn store() -> Store {
    Store::new(Mood { commit: Duration::from_millis(5), refuses: None }, &[lease(1)])
}

#[test]
fn what_comes_during_a_commit_goes_with_the_next() {
    let mut store = store();
    assert!(store.submit().is_none() && store.is_idle());
    assert!(store.gather(Ticket(1), lease(2)).is_none());
    assert_eq!(store.submit(), Some(Duration::from_millis(5)));
    assert!(store.gather(Ticket(2), Record::LeaseEnded(Ipv4Addr::new(10, 77, 200, 1))).is_none());
    assert_eq!((store.submit(), store.kept().len()), (None, 1));
    assert!(matches!(store.done(), Some(Input::Committed(Ticket(1)))));
    assert_eq!(store.kept().len(), 2);
    assert!(store.submit().is_some());
    assert!(matches!(store.done(), Some(Input::Committed(Ticket(2)))));
    assert_eq!((store.records(), store.is_idle()), (vec![lease(2)], true));
}

#[test]
fn a_full_store_keeps_nothing_and_says_so() {
    let mut store = store();
    store.set_mood(Mood { commit: Duration::ZERO, refuses: Some("no space".into()) });
    store.gather(Ticket(7), lease(2));
    store.submit();
    assert!(matches!(store.done(), Some(Input::Refused { through: Ticket(7), .. })));
    assert_eq!(store.records(), [lease(1)]);
}

#[test]
fn a_crash_tears_no_commit() {
    let mut chance = Chance::new(1);
    let mut kept_wholly = 0;
    for _ in 0..100 {
        let mut store = store();
        store.gather(Ticket(1), lease(2));
        store.gather(Ticket(2), lease(3));
        store.submit();
        store.gather(Ticket(3), lease(4));
        store.crash(&mut chance);
        assert!(store.is_idle());
        assert!([1, 3].contains(&store.kept().len()), "{:?}", store.kept());
        kept_wholly += usize::from(store.kept().len() == 3);
    }
    assert!((30..70).contains(&kept_wholly), "{kept_wholly}");
}
