use super::*;
use std::net::Ipv4Addr;

fn lease(last: u8) -> Record {
    let address = Ipv4Addr::new(10, 77, 200, last);
    Record::Lease(heorot_core::cluster::record::LeaseRecord {
        address,
        mac: crate::surroundings::mac_of(1),
        name: None,
        is_guest: false,
        of_host: false,
        of_number: false,
        is_elsewhere: false,
        lease_seconds: None,
        is_left: false,
    })
}

fn store() -> Store {
    Store::new(Mood { commit: Duration::from_millis(5), refuses: None }, &[lease(1)])
}

fn batch(records: impl IntoIterator<Item = Record>) -> Batch {
    (1..).map(heorot_core::message::Ticket).zip(records).collect()
}

#[test]
fn a_batch_is_kept_when_its_commit_ends() {
    let mut store = store();
    let first = Record::LeaseEnded(Ipv4Addr::new(10, 77, 200, 1));
    assert_eq!(store.begin(batch([lease(2), first])), Duration::from_millis(5));
    assert_eq!((store.records(), store.is_whole()), (vec![lease(1)], false));
    assert_eq!(store.end(), Ok(()));
    assert_eq!((store.records(), store.is_whole()), (vec![lease(2)], true));
}

#[test]
fn a_full_store_keeps_nothing_and_says_so() {
    let mut store = store();
    store.set_mood(Mood { commit: Duration::ZERO, refuses: Some("no space".into()) });
    store.begin(batch([lease(2)]));
    assert_eq!(store.end(), Err("no space".into()));
    assert_eq!((store.records(), store.is_whole()), (vec![lease(1)], false));
}

#[test]
fn a_crash_tears_no_commit() {
    let mut chance = Chance::new(1);
    let mut kept_wholly = 0;
    for _ in 0..100 {
        let mut store = store();
        store.begin(batch([lease(2), lease(3)]));
        store.crash(&mut chance);
        assert!(store.is_whole());
        assert!([1, 3].contains(&store.kept().len()), "{:?}", store.kept());
        kept_wholly += usize::from(store.kept().len() == 3);
    }
    assert!((30..70).contains(&kept_wholly), "{kept_wholly}");
}
