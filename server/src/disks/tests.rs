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

fn next(pool: &Pool<VecDeque<u32>>) -> Option<(Task<'_, VecDeque<u32>>, u32)> {
    match pool.take(Duration::ZERO) {
        Next::Job(task, job) => Some((task, job)),
        Next::Nothing | Next::Over => None,
    }
}

/// Threads that go there until no more may, and the first job for which there is no room.
fn fill<'a>(pool: &'a Pool<VecDeque<u32>>, place: &Place) -> (Vec<Task<'a, VecDeque<u32>>>, u32) {
    let mut stand = Vec::new();
    for job in 0.. {
        pool.put(job);
        let (task, job) = next(pool).unwrap();
        if !task.go(place, "file") {
            task.put_back(place.clone(), job);
            return (stand, job);
        }
        stand.push(task);
    }
    unreachable!()
}

#[test]
fn a_place_that_stands_still_has_its_threads_and_no_more() {
    let pool = Pool::default();
    let (mut stand, left) = fill(&pool, &mounted("nfs"));
    assert_eq!(stand.len(), THREADS_AT_A_PLACE);
    // What waits for it waits; all else goes on, also at another place.
    assert!(next(&pool).is_none());
    pool.put(77);
    let (task, job) = next(&pool).unwrap();
    assert_eq!(job, 77);
    assert!(task.go(&mounted("other"), "file") && task.go(&Place::Own, "file"));
    assert!(!task.go(&mounted("nfs"), "file"));
    drop(task);
    // It answers: what has waited goes there, and is there at once.
    stand.pop();
    let (again, job) = next(&pool).unwrap();
    assert_eq!(job, left);
    assert!(again.go(&mounted("nfs"), "file"));
    pool.put(78);
    let (task, _) = next(&pool).unwrap();
    assert!(!task.go(&mounted("nfs"), "file"));
}

/// Another file system in the same directory, as after `umount -l`, is another place.
#[test]
fn however_many_places_stand_still_the_own_one_has_its_threads() {
    let pool = Pool::default();
    let stand: Vec<_> = (0..2 * FURTHER_PLACES)
        .flat_map(|device| {
            let device = format!("0:{device}").into();
            fill(&pool, &Place::Mounted { at: "nfs".into(), device }).0
        })
        .collect();
    assert_eq!(stand.len(), THREADS - THREADS_AT_A_PLACE);
    (0..THREADS as u32).for_each(|job| pool.put(job));
    let own: Vec<_> = std::iter::from_fn(|| next(&pool)).collect();
    assert_eq!(own.len(), THREADS_AT_A_PLACE);
}

#[test]
fn what_waits_is_told_with_its_place_once() {
    let pool = Pool::default();
    let after = Duration::from_secs(5);
    pool.put(1);
    pool.put(2);
    let ((one, _), (two, _)) = (next(&pool).unwrap(), next(&pool).unwrap());
    assert!(one.go(&mounted("nfs"), "nfs/first") && two.go(&mounted("nfs"), "nfs/second"));
    let now = Instant::now();
    assert_eq!(pool.overdue(now, after), BTreeMap::new());
    let later = now + after;
    assert_eq!(pool.overdue(later, after), [(mounted("nfs"), "nfs/first".to_owned())].into());
    drop(one);
    assert_eq!(pool.overdue(later, after), [(mounted("nfs"), "nfs/second".to_owned())].into());
    drop(two);
    assert_eq!(pool.overdue(later, after), BTreeMap::new());
}

#[test]
fn threads_are_woken_by_what_comes_and_by_the_end() {
    let pool: Arc<Pool<VecDeque<u32>>> = Arc::default();
    assert!(matches!(pool.take(Duration::ZERO), Next::Nothing));
    let taken = {
        let pool = Arc::clone(&pool);
        thread::spawn(move || {
            let is_job = matches!(pool.take(Duration::from_secs(60)), Next::Job(_, 1));
            pool.put(2);
            is_job
        })
    };
    pool.put(1);
    assert!(taken.join().unwrap());
    pool.end();
    assert!(matches!(pool.take(Duration::from_secs(60)), Next::Over), "what is left is not done");
}

/// A file is not closed at the end: where it is may not answer, and the end would wait for that.
#[test]
fn what_is_left_at_the_end_is_neither_done_nor_closed() {
    let pool: Pool<Vec<Arc<str>>> = Pool::default();
    let file: Arc<str> = "file".into();
    pool.put(Arc::clone(&file));
    pool.end();
    pool.put(Arc::clone(&file));
    assert!(matches!(pool.take(Duration::ZERO), Next::Over));
    assert_eq!(Arc::strong_count(&file), 3);
}

/// As on NFS mounted `soft`: after a while each of them is told that it timed out, and the next one begins to wait.
#[test]
fn a_place_answers_again_when_somebody_comes_back_in_time() {
    let pool = Pool::default();
    let after = Duration::from_millis(300);
    let at_nfs = || {
        pool.put(1);
        let (task, _) = next(&pool).unwrap();
        assert!(task.go(&mounted("nfs"), "nfs/file"));
        task
    };
    let told = BTreeMap::from([(mounted("nfs"), "nfs/file".to_owned())]);
    let late = at_nfs();
    thread::sleep(after);
    let now = Instant::now();
    assert_eq!(pool.overdue(now, after), told);
    pool.put(2);
    let (held, job) = next(&pool).unwrap();
    held.put_back(mounted("nfs"), job);
    drop(late);
    assert_eq!(pool.overdue(now, after), told);
    // Whoever takes a job from its line goes to the own place first.
    let (task, _) = next(&pool).unwrap();
    assert!(task.go(&Place::Own, "nfs/file"));
    drop(task);
    assert_eq!(pool.overdue(now, after), told);
    let begun = at_nfs();
    assert_eq!(pool.overdue(now + after, after), told);
    drop(begun);
    assert_eq!(pool.overdue(now + after, after), BTreeMap::new());
    // Or nobody wants anything of it.
    let waits = at_nfs();
    thread::sleep(after);
    let now = Instant::now();
    assert_eq!(pool.overdue(now, after), told);
    drop(waits);
    assert_eq!(pool.overdue(now + after, after), BTreeMap::new());
}

/// Several exports of one server that is away leave threads to those of another one.
#[test]
fn where_somebody_waits_for_long_nobody_follows() {
    let pool: Pool<VecDeque<u32>> = Pool::default();
    let begin = || pool.begin().unwrap();
    let (one, two) = (begin(), begin());
    assert!(one.go(&mounted("nfs"), "file") && two.go(&mounted("other"), "file"));
    pool.waiting().at_work.get_mut(&one.number).unwrap().since -= FOLLOWED_WITHIN;
    assert!(!begin().go(&mounted("nfs"), "file"));
    assert!(begin().go(&mounted("other"), "file"));
    // It goes on there.
    assert!(one.go(&mounted("nfs"), "another"));
    assert!(begin().go(&mounted("nfs"), "file"));
    // On the own disk it is as it was.
    let own = begin();
    pool.waiting().at_work.get_mut(&own.number).unwrap().since -= FOLLOWED_WITHIN;
    assert!(pool.begin().is_some());
}

/// While nobody does anything who watches is not woken up.
#[test]
fn who_watches_is_unparked_by_the_first_who_does_something() {
    let pool: Arc<Pool<VecDeque<u32>>> = Arc::default();
    let overdue = pool.watched();
    let after = Duration::from_secs(5);
    assert_eq!(overdue(Instant::now(), after), None);
    thread::park_timeout(Duration::from_millis(20));
    assert!(pool.waiting().watcher.is_some(), "it was not woken up");
    let task = pool.begin().unwrap();
    assert!(pool.waiting().watcher.is_none());
    thread::park();
    assert_eq!(overdue(Instant::now(), after), Some(BTreeMap::new()));
    drop(task);
    assert_eq!(overdue(Instant::now(), after), None);
}
