use super::*;
use std::collections::VecDeque;

impl Line for VecDeque<u32> {
    type Job = u32;
    fn put(&mut self, job: u32) {
        self.push_back(job);
    }
    fn take(&mut self) -> Option<u32> {
        self.pop_front()
    }
    fn is_empty(&self) -> bool {
        Self::is_empty(self)
    }
}

impl Line for Vec<Arc<str>> {
    type Job = Arc<str>;
    fn put(&mut self, job: Arc<str>) {
        self.push(job);
    }
    fn take(&mut self) -> Option<Arc<str>> {
        self.pop()
    }
    fn is_empty(&self) -> bool {
        Self::is_empty(self)
    }
}

fn mounted(at: &str) -> Place {
    Place::Mounted { at: at.into(), device: "0:7".into() }
}

fn next(desk: &Desk<VecDeque<u32>>) -> Option<(Errand<'_, VecDeque<u32>>, u32)> {
    match desk.take(Duration::ZERO) {
        Next::Job(errand, job) => Some((errand, job)),
        Next::Nothing | Next::Over => None,
    }
}

/// Threads that go there until no more may, and the first job for which there is no room.
fn fill<'a>(desk: &'a Desk<VecDeque<u32>>, place: &Place) -> (Vec<Errand<'a, VecDeque<u32>>>, u32) {
    let mut stand = Vec::new();
    for job in 0.. {
        desk.put(job);
        let (errand, job) = next(desk).unwrap();
        if !errand.go(place, "file") {
            errand.put_back(place.clone(), job);
            return (stand, job);
        }
        stand.push(errand);
    }
    unreachable!()
}

#[test]
fn a_place_that_stands_still_has_its_threads_and_no_more() {
    let desk = Desk::default();
    let (mut stand, left) = fill(&desk, &mounted("nfs"));
    assert_eq!(stand.len(), THREADS_AT_A_PLACE);
    // What waits for it waits; all else goes on, also at another place.
    assert!(next(&desk).is_none());
    desk.put(77);
    let (errand, job) = next(&desk).unwrap();
    assert_eq!(job, 77);
    assert!(errand.go(&mounted("other"), "file") && errand.go(&Place::Own, "file"));
    assert!(!errand.go(&mounted("nfs"), "file"));
    drop(errand);
    // It answers: what has waited goes there, and is there at once.
    stand.pop();
    let (again, job) = next(&desk).unwrap();
    assert_eq!(job, left);
    assert!(again.go(&mounted("nfs"), "file"));
    desk.put(78);
    let (errand, _) = next(&desk).unwrap();
    assert!(!errand.go(&mounted("nfs"), "file"));
}

/// Another file system in the same directory, as after `umount -l`, is another place.
#[test]
fn however_many_places_stand_still_the_own_one_has_its_threads() {
    let desk = Desk::default();
    let stand: Vec<_> = (0..2 * FURTHER_PLACES)
        .flat_map(|device| {
            let device = format!("0:{device}").into();
            fill(&desk, &Place::Mounted { at: "nfs".into(), device }).0
        })
        .collect();
    assert_eq!(stand.len(), THREADS - THREADS_AT_A_PLACE);
    (0..THREADS as u32).for_each(|job| desk.put(job));
    let own: Vec<_> = std::iter::from_fn(|| next(&desk)).collect();
    assert_eq!(own.len(), THREADS_AT_A_PLACE);
}

#[test]
fn what_waits_is_told_with_its_place_once() {
    let desk = Desk::default();
    let after = Duration::from_secs(5);
    desk.put(1);
    desk.put(2);
    let ((one, _), (two, _)) = (next(&desk).unwrap(), next(&desk).unwrap());
    assert!(one.go(&mounted("nfs"), "nfs/first") && two.go(&mounted("nfs"), "nfs/second"));
    let now = Instant::now();
    assert_eq!(desk.overdue(now, after), BTreeMap::new());
    let later = now + after;
    assert_eq!(desk.overdue(later, after), [(mounted("nfs"), "nfs/first".to_owned())].into());
    drop(one);
    assert_eq!(desk.overdue(later, after), [(mounted("nfs"), "nfs/second".to_owned())].into());
    drop(two);
    assert_eq!(desk.overdue(later, after), BTreeMap::new());
}

#[test]
fn threads_are_woken_by_what_comes_and_by_the_end() {
    let desk: Arc<Desk<VecDeque<u32>>> = Arc::default();
    assert!(matches!(desk.take(Duration::ZERO), Next::Nothing));
    let taken = {
        let desk = Arc::clone(&desk);
        std::thread::spawn(move || {
            let is_job = matches!(desk.take(Duration::from_secs(60)), Next::Job(_, 1));
            desk.put(2);
            is_job
        })
    };
    desk.put(1);
    assert!(taken.join().unwrap());
    desk.end();
    assert!(matches!(desk.take(Duration::from_secs(60)), Next::Over), "what is left is not done");
}

/// A file is not closed at the end: where it is may not answer, and the end would wait for that.
#[test]
fn what_is_left_at_the_end_is_neither_done_nor_closed() {
    let desk: Desk<Vec<Arc<str>>> = Desk::default();
    let file: Arc<str> = "file".into();
    desk.put(Arc::clone(&file));
    desk.end();
    desk.put(Arc::clone(&file));
    assert!(matches!(desk.take(Duration::ZERO), Next::Over));
    assert_eq!(Arc::strong_count(&file), 3);
}

/// As on NFS mounted `soft`: after a while each of them is told that it timed out, and the next one begins to wait.
#[test]
fn a_place_answers_again_when_somebody_comes_back_in_time() {
    let desk = Desk::default();
    let after = Duration::from_millis(300);
    let at_nfs = || {
        desk.put(1);
        let (errand, _) = next(&desk).unwrap();
        assert!(errand.go(&mounted("nfs"), "nfs/file"));
        errand
    };
    let told = BTreeMap::from([(mounted("nfs"), "nfs/file".to_owned())]);
    let late = at_nfs();
    std::thread::sleep(after);
    let now = Instant::now();
    assert_eq!(desk.overdue(now, after), told);
    desk.put(2);
    let (held, job) = next(&desk).unwrap();
    held.put_back(mounted("nfs"), job);
    drop(late);
    assert_eq!(desk.overdue(now, after), told);
    // Whoever takes a job from its line goes to the own place first.
    let (errand, _) = next(&desk).unwrap();
    assert!(errand.go(&Place::Own, "nfs/file"));
    drop(errand);
    assert_eq!(desk.overdue(now, after), told);
    let begun = at_nfs();
    assert_eq!(desk.overdue(now + after, after), told);
    drop(begun);
    assert_eq!(desk.overdue(now + after, after), BTreeMap::new());
    // Or nobody wants anything of it.
    let waits = at_nfs();
    std::thread::sleep(after);
    let now = Instant::now();
    assert_eq!(desk.overdue(now, after), told);
    drop(waits);
    assert_eq!(desk.overdue(now + after, after), BTreeMap::new());
}

/// Several exports of one server that is away leave threads to those of another one.
#[test]
fn where_somebody_waits_for_long_nobody_follows() {
    let desk: Desk<VecDeque<u32>> = Desk::default();
    let set_out = || desk.set_out().unwrap();
    let (one, two) = (set_out(), set_out());
    assert!(one.go(&mounted("nfs"), "file") && two.go(&mounted("other"), "file"));
    desk.waiting().at_work.get_mut(&one.number).unwrap().since -= FOLLOWED_WITHIN;
    assert!(!set_out().go(&mounted("nfs"), "file"));
    assert!(set_out().go(&mounted("other"), "file"));
    // It goes on there.
    assert!(one.go(&mounted("nfs"), "another"));
    assert!(set_out().go(&mounted("nfs"), "file"));
    // On the own disk it is as it was.
    let own = set_out();
    desk.waiting().at_work.get_mut(&own.number).unwrap().since -= FOLLOWED_WITHIN;
    assert!(desk.set_out().is_some());
}
