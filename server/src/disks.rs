//! Work for threads that may wait for disks: a file system that does not answer has so many of them and no more, and whoever wants a file of another one gets it.
//!
//! A thread says where it is before it touches anything there ([`Task::go`]). Where as many are already as may be, its job is laid into that place's line
//! ([`Task::put_back`]), and the thread does something else. So nobody has to know beforehand where a path leads to.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// Threads at one place at a time: while one reads, others open.
pub(crate) const THREADS_AT_A_PLACE: usize = 3;
/// Places that can stand still without any effect on others but their own, besides that of the boot directory itself.
const FURTHER_PLACES: usize = 3;
/// Where somebody has waited for so long on a further place nobody follows: several of them may be of one server, and would take all threads with them.
const FOLLOWED_WITHIN: Duration = Duration::from_secs(2);
/// All threads.
pub(crate) const THREADS: usize = THREADS_AT_A_PLACE * (1 + FURTHER_PLACES);

/// A file system that may be waited for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// That of the boot directory itself; and where nothing is waited for.
    Own,
    /// Another one, mounted below it: where, relative to it, and as what (its device), as another one may take its place.
    Mounted { at: Arc<str>, device: Arc<str> },
    /// Wherever the files of overlays are.
    Overlays,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own => f.write_str("boot.directory"),
            Self::Mounted { at, .. } => write!(f, "what is mounted at {at} in boot.directory"),
            Self::Overlays => f.write_str("the overlays' files"),
        }
    }
}

/// Tells at a moment where threads have waited for so long, and for which file. None: nobody does anything, and as soon as somebody does, the thread that has asked is unparked.
pub(crate) type Overdue = Box<dyn Fn(Instant, Duration) -> Option<BTreeMap<Place, String>> + Send>;

/// Jobs that wait, in an order of their own.
pub(crate) trait Line: Default {
    type Job;
    fn put(&mut self, job: Self::Job);
    fn take(&mut self) -> Option<Self::Job>;
    fn is_empty(&self) -> bool;
}

/// Where jobs are laid down, and threads take them.
#[derive(Debug, Default)]
pub(crate) struct Pool<L> {
    waiting: Mutex<Waiting<L>>,
    came: Condvar,
}

#[derive(Debug)]
struct Waiting<L> {
    /// By where they have to wait. What has just come is in the line of the own place.
    lines: BTreeMap<Place, L>,
    /// From which line the last job was taken: they have turns.
    last: Place,
    at_work: BTreeMap<u64, AtWork>,
    /// Tasks that have begun.
    begun: u64,
    /// Where threads have waited for long.
    troubled: BTreeMap<Place, Trouble>,
    /// Who looks whether somebody waits for long, and sleeps as long as nobody does anything.
    watcher: Option<Thread>,
    is_over: bool,
}

/// A place that did not answer for so long.
#[derive(Debug)]
struct Trouble {
    file: String,
    after: Duration,
    /// When somebody was last seen to want something of it.
    wanted: Instant,
    /// Whether somebody who came later was back within that time: a thread that was told at last that it waited in vain says nothing of the next one.
    has_answered: bool,
}

/// A thread that does something.
#[derive(Clone, Debug)]
struct AtWork {
    place: Place,
    /// Which file it is about.
    file: String,
    since: Instant,
    /// Whether it has said that it is there; else it has only taken a job from that place's line.
    is_there: bool,
}

impl AtWork {
    /// Whether it waits on a further place for so long that nobody follows.
    fn is_late(&self) -> bool {
        matches!(self.place, Place::Mounted { .. }) && self.since.elapsed() >= FOLLOWED_WITHIN
    }
}

/// What there is for a thread.
#[derive(Debug)]
pub(crate) enum Next<'a, L: Line> {
    Job(Task<'a, L>, L::Job),
    /// Nothing came in time.
    Nothing,
    /// Nothing will come any more.
    Over,
}

/// A thread's way with one job; it ends with the value.
#[derive(Debug)]
pub(crate) struct Task<'a, L: Line> {
    pool: &'a Pool<L>,
    number: u64,
}

impl<L> Default for Waiting<L> {
    fn default() -> Self {
        let (lines, at_work) = (BTreeMap::new(), BTreeMap::new());
        let troubled = BTreeMap::new();
        Self { lines, last: Place::Own, at_work, begun: 0, troubled, watcher: None, is_over: false }
    }
}

impl<L: Line> Pool<L> {
    /// One job more. The lock is held for a moment only: whoever must not wait does not wait here.
    pub(crate) fn put(&self, job: L::Job) {
        self.waiting().lines.entry(Place::Own).or_default().put(job);
        self.came.notify_one();
    }

    /// The next job, if there is one within so long for which a thread may go.
    pub(crate) fn take(&self, within: Duration) -> Next<'_, L> {
        let until = Instant::now() + within;
        let mut waiting = self.waiting();
        loop {
            if waiting.is_over {
                return Next::Over;
            }
            if let Some((place, job)) = waiting.take() {
                let number = waiting.begin(place);
                return Next::Job(Task { pool: self, number }, job);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Next::Nothing;
            }
            (waiting, _) = self.came.wait_timeout(waiting, left).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// A way without a job, if there is room for one.
    pub(crate) fn begin(&self) -> Option<Task<'_, L>> {
        let mut waiting = self.waiting();
        let number = waiting.has_room(&Place::Own).then(|| waiting.begin(Place::Own))?;
        Some(Task { pool: self, number })
    }

    /// Looks at every line, or changes it.
    pub(crate) fn in_lines<T>(&self, look: impl FnMut(&mut L) -> T) -> Vec<T> {
        let mut waiting = self.waiting();
        let found = waiting.lines.values_mut().map(look).collect();
        waiting.lines.retain(|_, line| !line.is_empty());
        found
    }

    /// No more jobs: those that are left are not done any more.
    pub(crate) fn end(&self) {
        let mut waiting = self.waiting();
        waiting.is_over = true;
        let left = std::mem::take(&mut waiting.lines);
        drop(waiting);
        self.came.notify_all();
        // To close a file here may be to wait for a server that is away (the CLOSE of NFSv4): the process ends, and the kernel closes it.
        std::mem::forget(left);
    }

    /// What tells of [`Self::overdue`], for whoever looks at several.
    pub(crate) fn watched(self: &Arc<Self>) -> Overdue
    where
        L: Send + 'static,
        L::Job: Send,
    {
        let pool = Arc::clone(self);
        Box::new(move |now, after| {
            let overdue = pool.overdue(now, after);
            let mut waiting = pool.waiting();
            let is_idle =
                waiting.at_work.is_empty() && waiting.lines.is_empty() && waiting.troubled.is_empty();
            waiting.watcher = is_idle.then(thread::current);
            (!is_idle).then_some(overdue)
        })
    }

    /// Where threads wait for so long already, each place once, with the file that is waited for longest; and where they did, until somebody is back from there
    /// sooner, or nobody has wanted anything of it for so long.
    pub(crate) fn overdue(&self, now: Instant, after: Duration) -> BTreeMap<Place, String> {
        let mut waiting = self.waiting();
        let Waiting { lines, at_work, troubled, .. } = &mut *waiting;
        let is_wanted = |place: &Place| {
            lines.contains_key(place) || at_work.values().any(|at_work| at_work.place == *place)
        };
        troubled.iter_mut().filter(|(place, _)| is_wanted(place)).for_each(|(_, it)| it.wanted = now);
        troubled.retain(|_, it| !it.has_answered && now.saturating_duration_since(it.wanted) < after);
        let is_overdue = |at_work: &&AtWork| now.saturating_duration_since(at_work.since) >= after;
        let mut overdue: Vec<_> = at_work.values().filter(is_overdue).collect();
        // The last one of a place stays.
        overdue.sort_by_key(|at_work| std::cmp::Reverse(at_work.since));
        for AtWork { place, file, .. } in overdue {
            let trouble = Trouble { file: file.clone(), after, wanted: now, has_answered: false };
            troubled.insert(place.clone(), trouble);
        }
        troubled.iter().map(|(place, it)| (place.clone(), it.file.clone())).collect()
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting<L>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<L: Line> Task<'_, L> {
    /// The thread is there from now on, for this file, unless as many are there as may be.
    pub(crate) fn go(&self, place: &Place, file: &str) -> bool {
        let mut waiting = self.pool.waiting();
        let Some(here) = waiting.at_work.remove(&self.number) else { return false };
        let may = here.place == *place || waiting.has_room(place);
        let leaves = may && here.place != *place;
        if leaves {
            waiting.is_back(&here);
        }
        let has_left = (leaves || (may && here.is_late())) && !waiting.lines.is_empty();
        let there =
            || AtWork { place: place.clone(), file: file.to_owned(), since: Instant::now(), is_there: true };
        waiting.at_work.insert(self.number, if may { there() } else { here });
        drop(waiting);
        if has_left {
            self.pool.came.notify_one();
        }
        may
    }

    /// The job waits until there is room at this place.
    pub(crate) fn put_back(self, place: Place, job: L::Job) {
        let mut waiting = self.pool.waiting();
        // What is left when the server ends is not done any more.
        if !waiting.is_over {
            waiting.lines.entry(place).or_default().put(job);
        }
    }
}

impl<L: Line> Drop for Task<'_, L> {
    fn drop(&mut self) {
        let mut waiting = self.pool.waiting();
        if let Some(here) = waiting.at_work.remove(&self.number) {
            waiting.is_back(&here);
        }
        let is_left = !waiting.lines.is_empty();
        drop(waiting);
        if is_left {
            self.pool.came.notify_one();
        }
    }
}

impl<L: Line> Waiting<L> {
    /// The first job of the next line for which there is room.
    fn take(&mut self) -> Option<(Place, L::Job)> {
        let behind = self.lines.keys().filter(|place| **place > self.last);
        let before = self.lines.keys().filter(|place| **place <= self.last);
        let place = behind.chain(before).find(|place| self.has_room(place))?.clone();
        let line = self.lines.get_mut(&place)?;
        let job = line.take();
        if line.is_empty() {
            self.lines.remove(&place);
        }
        self.last = place.clone();
        Some((place, job?))
    }

    fn begin(&mut self, place: Place) -> u64 {
        self.begun += 1;
        let at_work = AtWork { place, file: String::new(), since: Instant::now(), is_there: false };
        self.at_work.insert(self.begun, at_work);
        if let Some(watcher) = self.watcher.take() {
            watcher.unpark();
        }
        self.begun
    }

    /// A thread is no longer there.
    fn is_back(&mut self, from: &AtWork) {
        if let Some(trouble) = self.troubled.get_mut(&from.place) {
            trouble.has_answered |= from.is_there && from.since.elapsed() < trouble.after;
        }
    }

    /// Whether one thread more may go there. The own place has always as many as may be there: those at all others together take none of them.
    fn has_room(&self, place: &Place) -> bool {
        let (there, elsewhere): (Vec<_>, Vec<_>) =
            self.at_work.values().partition(|at_work| at_work.place == *place);
        let others = elsewhere.iter().filter(|at_work| at_work.place != Place::Own).count();
        let is_further = *place != Place::Own;
        there.len() < THREADS_AT_A_PLACE
            && !there.iter().any(|at_work| at_work.is_late())
            && !(is_further && there.len() + others >= THREADS - THREADS_AT_A_PLACE)
    }
}

#[cfg(test)]
mod tests;
