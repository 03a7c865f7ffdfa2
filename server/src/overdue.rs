//! Disks that do not answer, followed while the server goes on without them: the operator is told before he looks for why some machines stand.
//!
//! A thread of its own looks what those who wait for disks wait for ([`crate::disks`]); it touches no disk itself.

use crate::disks::{Overdue, Place};
use crate::wake::Caller;
use std::collections::BTreeMap;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

/// A disk that sleeps turns up within so long; one that is only slow delivers something.
const ANSWERS_WITHIN: Duration = Duration::from_secs(15);
/// How soon it shows that one answers, or does not.
const LOOKED_AT_EVERY: Duration = Duration::from_secs(2);

/// Where nothing is delivered, and which file is waited for there.
pub(crate) type Undelivered = BTreeMap<Place, String>;

/// Starts the thread. It says which places do not answer whenever those are others than it said last, and ends with the loop.
///
/// # Errors
/// No thread can be started.
pub(crate) fn start(watched: Vec<Overdue>, changes: Caller<Undelivered>) -> io::Result<()> {
    thread::Builder::new().name("overdue".into()).spawn(move || {
        follow(&watched, &changes, (LOOKED_AT_EVERY, ANSWERS_WITHIN));
    })?;
    Ok(())
}

fn follow(watched: &[Overdue], changes: &Caller<Undelivered>, (every, within): (Duration, Duration)) {
    let mut said = Undelivered::new();
    loop {
        let now = Instant::now();
        let looks: Vec<Option<Undelivered>> = watched.iter().map(|overdue| overdue(now, within)).collect();
        let is_idle = looks.iter().all(Option::is_none);
        let found: Undelivered = looks.into_iter().flatten().flatten().collect();
        // Which of its files is waited for is told once.
        if !found.keys().eq(said.keys()) {
            said.clone_from(&found);
            if !changes.say(found) {
                return;
            }
        }
        if is_idle {
            thread::park();
        } else {
            thread::sleep(every);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wake::{Bell, line};
    use std::sync::{Arc, Mutex};

    #[test]
    fn what_does_not_answer_is_said_once_and_that_it_does() {
        let is_out: Arc<Mutex<Undelivered>> = Arc::default();
        let mounted = Place::Mounted { at: "nfs".into(), device: "0:7".into() };
        let seen = Arc::clone(&is_out);
        let overdue: Overdue = Box::new(move |_, _| Some(seen.lock().unwrap().clone()));
        let (changes, told) = line(&Bell::new().unwrap(), 1);
        let thread =
            thread::spawn(move || follow(&[overdue], &changes, (Duration::from_millis(1), Duration::ZERO)));
        is_out.lock().unwrap().insert(mounted.clone(), "nfs/vmlinuz".into());
        let undelivered: Undelivered = [(mounted.clone(), "nfs/vmlinuz".to_owned())].into();
        assert_eq!(told.recv().unwrap(), undelivered);
        is_out.lock().unwrap().insert(mounted, "nfs/initrd".into());
        thread::sleep(Duration::from_millis(20));
        is_out.lock().unwrap().clear();
        assert_eq!(told.recv().unwrap(), Undelivered::new());
        drop(told);
        is_out.lock().unwrap().insert(Place::Own, "vmlinuz".into());
        thread.join().unwrap();
    }
}
