use super::*;
use heorot_core::cluster::record::{LeaseRecord, NodeRecord};
use heorot_core::mac::Mac;
use heorot_core::message::Ticket;
use redb::StorageBackend;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

fn node(n: u8, number: Option<u32>) -> Record {
    Record::Node(NodeRecord {
        mac: Mac([2, 0, 0, 0, 0, n]),
        further_macs: vec![],
        granted_to: None,
        number,
        facts: Default::default(),
    })
}

fn lease(n: u8) -> Record {
    Record::Lease(LeaseRecord {
        address: Ipv4Addr::new(10, 77, 200, n),
        mac: Mac([2, 0, 0, 0, 0, n]),
        name: None,
        is_guest: false,
        of_host: false,
        of_number: false,
        is_elsewhere: false,
        lease_seconds: None,
        is_left: false,
    })
}

fn batch(records: &[Record]) -> Batch {
    records.iter().cloned().zip(1..).map(|(record, n)| (Ticket(n), record)).collect()
}

/// A disk in memory that outlives whoever uses it, fails on demand, and forgets on a power cut what was not synced.
#[derive(Clone, Debug, Default)]
struct Disk(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// As a reader sees it.
    current: Vec<u8>,
    /// As it is on the platter.
    durable: Vec<u8>,
    /// Writes since the last sync, in their order.
    unsynced: Vec<Change>,
    operations: u64,
    /// Operations from this one on fail.
    fails_from: Option<u64>,
}

#[derive(Clone, Debug)]
enum Change {
    Length(u64),
    Octets(u64, Vec<u8>),
}

impl Change {
    fn apply(&self, disk: &mut Vec<u8>) {
        match self {
            Self::Length(length) => disk.resize(usize::try_from(*length).unwrap(), 0),
            Self::Octets(offset, octets) => {
                let start = usize::try_from(*offset).unwrap();
                let end = start + octets.len();
                disk.resize(disk.len().max(end), 0);
                disk[start..end].copy_from_slice(octets);
            }
        }
    }
}

impl Disk {
    fn store(&self) -> (Store, Contents) {
        let disk = self.clone();
        let open = move || builder().create_with_backend(disk.clone());
        let (mut store, contents) = Store::open_with(open.clone(), Box::new(open)).unwrap();
        store.opened = Instant::now().checked_sub(2 * REOPEN_AFTER).unwrap();
        (store, contents)
    }

    fn fail_from(&self, operation: Option<u64>) {
        let mut state = self.0.lock().unwrap();
        state.fails_from = operation;
        state.operations = 0;
    }

    /// The power goes: of what was not synced, any part may be there, the last write torn.
    fn cut(&self, mut chance: impl FnMut(u64) -> u64) {
        let mut state = self.0.lock().unwrap();
        let mut platter = std::mem::take(&mut state.durable);
        for change in std::mem::take(&mut state.unsynced) {
            match change.clone() {
                _ if chance(2) == 0 => {}
                Change::Octets(offset, mut octets) if chance(4) == 0 => {
                    let torn = usize::try_from(chance(octets.len() as u64 / 512 + 1)).unwrap() * 512;
                    octets.truncate(torn);
                    Change::Octets(offset, octets).apply(&mut platter);
                }
                Change::Length(_) | Change::Octets(..) => change.apply(&mut platter),
            }
        }
        state.current.clone_from(&platter);
        state.durable = platter;
    }

    fn change(&self, change: Change) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        state.fallible()?;
        change.apply(&mut state.current);
        state.unsynced.push(change);
        Ok(())
    }
}

impl State {
    fn fallible(&mut self) -> io::Result<()> {
        self.operations += 1;
        let fails = self.fails_from.is_some_and(|from| self.operations >= from);
        if fails { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.lock().unwrap().current.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let start = usize::try_from(offset).unwrap();
        let state = self.0.lock().unwrap();
        let octets = state.current.get(start..start + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(octets);
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.change(Change::Length(length))
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        // The worst of a failed sync: everything is on the platter all the same.
        state.durable = state.current.clone();
        state.unsynced.clear();
        state.fallible()
    }

    fn write(&self, offset: u64, octets: &[u8]) -> io::Result<()> {
        self.change(Change::Octets(offset, octets.to_vec()))
    }
}

/// What a fresh reader finds, by key.
fn kept(disk: &Disk) -> BTreeMap<String, Record> {
    disk.store().1.records.into_iter().map(|record| (record.key(), record)).collect()
}

fn expected(records: &[Record]) -> BTreeMap<String, Record> {
    records.iter().map(|record| (record.key(), record.clone())).collect()
}

#[test]
fn records_come_back_and_the_secret_stays() {
    let directory = crate::testing::directory("store");
    let path = directory.path().join("heorot.redb");
    let (mut store, first) = Store::open(&path).unwrap();
    assert!(first.records.is_empty() && first.is_new);
    assert_ne!(first.secret, [0; 16]);
    store.commit(&batch(&[node(1, None), lease(1), lease(2)])).unwrap();
    store.commit(&batch(&[node(1, Some(0)), Record::LeaseEnded(Ipv4Addr::new(10, 77, 200, 1))])).unwrap();

    let Err(taken) = Store::open(&path) else { panic!("two servers keep their state in one file") };
    assert!(taken.0.contains("another heorot"), "{taken}");
    drop(store);

    let (_store, again) = Store::open(&path).unwrap();
    assert_eq!((again.secret, again.is_new), (first.secret, false));
    let again: BTreeMap<_, _> = again.records.into_iter().map(|r| (r.key(), r)).collect();
    assert_eq!(again, expected(&[node(1, Some(0)), lease(2)]));
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
    assert_eq!(mode & 0o077, 0, "the secret can be read by others");
}

/// Its file system is taken away to be mended, and what is under it would do for a new store.
#[test]
fn a_store_that_refused_is_not_made_anew_somewhere_else() {
    let directory = crate::testing::directory("store-elsewhere");
    let path = directory.path().join("heorot.redb");
    let (mut store, _) = Store::open(&path).unwrap();
    store.commit(&batch(&[node(1, Some(0))])).unwrap();
    let again = |store: &mut Store| {
        store.opened = Instant::now().checked_sub(2 * REOPEN_AFTER).unwrap();
        store.commit(&batch(&[node(2, Some(1))]))
    };
    store.broken(&"the disk fails");
    let aside = directory.path().join("aside");
    std::fs::rename(&path, &aside).unwrap();
    assert!(again(&mut store).is_err() && !path.exists());
    drop(Store::open(&path).unwrap());
    let why = again(&mut store).unwrap_err();
    assert!(why.contains("another file is in its place"), "{why}");
    std::fs::rename(&aside, &path).unwrap();
    assert_eq!(again(&mut store), Ok(()));
}

#[test]
fn a_record_that_cannot_be_read_stops_the_start_and_is_named() {
    let directory = crate::testing::directory("store-unreadable");
    let path = directory.path().join("heorot.redb");
    let (store, _) = Store::open(&path).unwrap();
    let transaction = begin(store.database.as_ref().unwrap()).unwrap();
    transaction.open_table(RECORDS).unwrap().insert("node/02:00:00:00:00:01", "{\"mac\":1}").unwrap();
    transaction.commit().unwrap();
    drop(store);
    let Err(problem) = Store::open(&path) else { panic!("it was read") };
    assert!(
        problem.0.contains("node/02:00:00:00:00:01") && problem.0.contains("nothing was changed"),
        "{problem}"
    );
}

#[test]
fn a_file_that_is_no_store_stops_the_start() {
    let directory = crate::testing::directory("store-damaged");
    let path = directory.path().join("heorot.redb");
    std::fs::write(&path, [7; 10_000]).unwrap();
    assert!(Store::open(&path).is_err());
    assert_eq!(std::fs::read(&path).unwrap(), [7; 10_000], "what was there stays");
}

/// Four octets of each part of the file, one after the other. Whatever redb meets there, it is a refusal that says what to do, or the records are there; and what was refused keeps them.
#[test]
fn a_damaged_store_is_refused_with_what_to_do() {
    let directory = crate::testing::directory("store-octets");
    let path = directory.path().join("heorot.redb");
    let (mut store, _) = Store::open(&path).unwrap();
    let records: Vec<Record> = (0..60).flat_map(|n| [node(n, Some(n.into())), lease(n)]).collect();
    for some in records.chunks(20) {
        store.commit(&batch(some)).unwrap();
    }
    drop(store);
    let whole = std::fs::read(&path).unwrap();
    let (mut refused, mut by_panic) = (0, 0);
    for offset in (0..320).step_by(16).chain((4096..whole.len() - 4).step_by(512)) {
        if whole[offset..offset + 64].iter().all(|octet| *octet == 0) {
            continue;
        }
        let mut damaged = whole.clone();
        damaged[offset..offset + 4].fill(0xff);
        std::fs::write(&path, &damaged).unwrap();
        match Store::open(&path) {
            Ok((_, contents)) => {
                let found: BTreeMap<_, _> = contents.records.into_iter().map(|r| (r.key(), r)).collect();
                assert_eq!(found, expected(&records), "octet {offset}");
            }
            Err(Problem(said)) => {
                refused += 1;
                by_panic += usize::from(said.contains("it is damaged: "));
                assert!(said.contains("put a backup of it back"), "octet {offset}: {said}");
                let now = std::fs::read(&path).unwrap();
                assert_eq!(now.len(), damaged.len(), "octet {offset}");
                let changed: Vec<_> = (0..now.len()).filter(|at| now[*at] != damaged[*at]).collect();
                assert!(matches!(changed[..], [] | [9]), "octet {offset}: {changed:?}");
                // One that is held by what is forgotten is not to be opened again.
                std::fs::remove_file(&path).unwrap();
            }
        }
    }
    assert!(refused > 5 && by_panic > 0, "{refused} were refused, {by_panic} by a panic");
}

/// A first start that finds no room leaves nothing that a later one could not use; and a link stays one.
#[test]
fn a_store_that_could_be_made_only_half_is_emptied() {
    crate::testing::with_mounts(|| {
        let directory = crate::testing::directory("store-full");
        let at = |name: &str| directory.path().join(name);
        let mounted = |options: &str, flags| {
            let file_system = Some("tmpfs");
            nix::mount::mount(file_system, directory.path(), file_system, flags, Some(options)).unwrap();
        };
        let mut refused = 0;
        for before in ["nothing", "an empty file", "a link"] {
            for free_pages in 0..8 {
                mounted("size=1m", nix::mount::MsFlags::empty());
                std::fs::write(at("fill"), vec![1; (256 - free_pages) * 4096]).unwrap();
                match before {
                    "nothing" => {}
                    "a link" => std::os::unix::fs::symlink("elsewhere", at("heorot.redb")).unwrap(),
                    _ => std::fs::write(at("heorot.redb"), "").unwrap(),
                }
                if let Err(Problem(said)) = Store::open(&at("heorot.redb")) {
                    refused += 1;
                    assert!(said.contains("the disk is full"), "{said}");
                    std::fs::remove_file(at("fill")).unwrap();
                    mounted("size=16m", nix::mount::MsFlags::MS_REMOUNT);
                    let opened = Store::open(&at("heorot.redb"));
                    let (_, contents) =
                        opened.unwrap_or_else(|Problem(said)| panic!("{before}, {free_pages}: {said}"));
                    assert!(contents.is_new);
                    assert_eq!(at("heorot.redb").is_symlink(), before == "a link");
                }
                nix::mount::umount(directory.path()).unwrap();
            }
        }
        assert!(refused > 3, "only {refused} starts found no room");
    });
}

/// The disk fails at each operation of a commit in turn, and recovers. What was refused is never there afterwards, what was committed always is.
#[test]
fn what_was_refused_is_gone_whenever_the_disk_failed() {
    let mut refusals = 0;
    for operation in 1..60 {
        let disk = Disk::default();
        let (mut store, _) = disk.store();
        store.commit(&batch(&[node(1, Some(1)), lease(1)])).unwrap();

        disk.fail_from(Some(operation));
        let outcome = store.commit(&batch(&[
            node(1, Some(2)),
            node(2, Some(3)),
            Record::LeaseEnded(Ipv4Addr::new(10, 77, 200, 1)),
        ]));
        let mut now = vec![node(1, Some(1)), lease(1)];
        if outcome.is_ok() {
            now = vec![node(1, Some(2)), node(2, Some(3))];
        } else {
            refusals += 1;
            assert!(store.commit(&batch(&[node(9, Some(9))])).is_err(), "a broken disk took a record");
            assert!(store.commit(&batch(&[node(9, Some(9))])).is_err(), "no pause before the next attempt");
        }

        disk.fail_from(None);
        store.opened = Instant::now().checked_sub(2 * REOPEN_AFTER).unwrap();
        store.commit(&batch(&[node(3, Some(2))])).unwrap();
        now.push(node(3, Some(2)));
        drop(store);
        assert_eq!(kept(&disk), expected(&now), "failed at operation {operation}");
    }
    assert!(refusals > 3, "only {refusals} operations of a commit could fail");
}

/// The power goes in the middle of a commit, 300 times, each time otherwise: every committed batch is there, and the last one whole or not at all.
#[test]
fn a_power_cut_loses_nothing_that_was_committed() {
    for seed in 1..300_u64 {
        let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut chance = move |below: u64| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % below
        };
        let disk = Disk::default();
        let (mut store, _) = disk.store();
        let mut committed = Vec::new();
        for n in 0..3 {
            committed.push(node(n, Some(u32::from(n))));
            store.commit(&batch(&committed[usize::from(n)..])).unwrap();
        }
        disk.fail_from(Some(1 + chance(12)));
        let last = [node(0, Some(70)), node(70, Some(0)), lease(70)];
        let whole = store.commit(&batch(&last)).is_ok();
        disk.cut(&mut chance);
        disk.fail_from(None);
        std::mem::forget(store);

        let kept = kept(&disk);
        let (without, with) = (expected(&committed), expected(&[committed.as_slice(), &last].concat()));
        assert!(kept == with || (!whole && kept == without), "seed {seed}: {kept:?}");
    }
}

/// A commit of nothing tells whether a store that broke keeps things again, and puts back what is doubtful.
#[test]
fn a_store_that_broke_can_be_tried_with_nothing() {
    let disk = Disk::default();
    let (mut store, _) = disk.store();
    store.commit(&batch(&[lease(1)])).unwrap();
    disk.fail_from(Some(1));
    assert!(store.commit(&batch(&[lease(2)])).is_err());
    store.opened = Instant::now().checked_sub(2 * REOPEN_AFTER).unwrap();
    assert!(store.commit(&Batch::new()).is_err(), "it is broken still");
    disk.fail_from(None);
    assert!(store.commit(&Batch::new()).is_err(), "it is left alone for a while");
    store.opened = Instant::now().checked_sub(2 * REOPEN_AFTER).unwrap();
    assert_eq!(store.commit(&Batch::new()), Ok(()));
    drop(store);
    let (_, contents) = disk.store();
    assert_eq!(contents.records, [lease(1)], "what was refused is not there");
}

/// What is written to a file that is not in its place is lost with the process; one that was moved back is in its place again.
#[test]
fn a_file_that_was_removed_or_replaced_under_the_store_is_told_of() {
    let directory = crate::testing::directory("store-place");
    let (path, aside) = (directory.path().join("heorot.redb"), directory.path().join("aside"));
    let (store, _) = Store::open(&path).unwrap();
    let what = || store.place().lacking().map(|lacking| lacking.what);
    assert_eq!(what(), None);
    std::fs::rename(&path, &aside).unwrap();
    assert!(what().is_some_and(|what| what.contains("it was removed")));
    let remedy = store.place().lacking().unwrap().remedy;
    assert!(remedy.contains(&format!("/proc/{}/fd/", std::process::id())), "{remedy}");
    std::fs::copy(&aside, &path).unwrap();
    assert!(what().is_some_and(|what| what.contains("it was replaced")));
    std::fs::rename(&aside, &path).unwrap();
    assert_eq!(what(), None);
}
