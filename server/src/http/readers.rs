//! Threads that may wait for a disk, so that the one that speaks HTTP need not: they open files, bring parts of them into the kernel's memory, and make the small files of nodes.
//!
//! A file has one descriptor, however many machines load it.

use super::{Letter, Mailbox};
use crate::disks::{Line, Next, Place, Pool, THREADS};
use crate::images::directory::{BootDirectory, BootFile, Go, Unopened};
use crate::overlay::Overlays;
use crate::rights;
use crate::wake::{Post, whole};
use heorot_core::message::{NodeFiles, Unwritten};
use heorot_core::transfer::ImageIdentity;
use std::collections::BTreeMap;
use std::io;
use std::net::Ipv4Addr;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

/// Octets read at once.
const PIECE_OCTETS: usize = 256 * 1024;

/// How often it is looked whether files are held open that nobody wants any more.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// What is wanted, and for whom: the key of a connection.
#[derive(Debug)]
pub(super) enum Job {
    Open {
        key: u64,
        /// Whose boot it is for.
        from: Ipv4Addr,
        path: String,
        /// What is said of it, which comes back.
        kind: &'static str,
    },
    /// The small files of a node are to be made.
    Make { key: u64, wanted: Box<NodeFiles> },
    /// The names of all nodes are to be written.
    Write { key: u64, unwritten: Box<Unwritten> },
    /// A part that is not in memory is to be there.
    Warm { key: u64, file: Arc<BootFile>, part: Range<u64> },
}

impl Job {
    fn key(&self) -> u64 {
        match self {
            Self::Open { key, .. }
            | Self::Make { key, .. }
            | Self::Write { key, .. }
            | Self::Warm { key, .. } => *key,
        }
    }
}

/// Jobs in the order in which they came. A connection has one at a time.
#[derive(Debug, Default)]
pub(super) struct Queue {
    jobs: BTreeMap<u64, Job>,
    places: BTreeMap<u64, u64>,
    last: u64,
}

impl Line for Queue {
    type Job = Job;

    fn put(&mut self, job: Job) {
        self.last += 1;
        self.places.insert(job.key(), self.last);
        self.jobs.insert(self.last, job);
    }

    fn take(&mut self) -> Option<Job> {
        let (_, job) = self.jobs.pop_first()?;
        self.places.remove(&job.key());
        Some(job)
    }

    fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }
}

impl Queue {
    /// The connection is gone. Its job, if nobody has taken it yet.
    pub(super) fn forget(&mut self, key: u64) -> Option<Job> {
        self.places.remove(&key).and_then(|place| self.jobs.remove(&place))
    }
}

/// The files that are open, for those who want the same.
#[derive(Debug, Default)]
struct Files {
    all: BTreeMap<(u64, u64, u64), Weak<BootFile>>,
    /// Of those that are on file systems that may have to be waited for: so that it is never the thread which speaks HTTP that closes one.
    kept: Vec<Arc<BootFile>>,
}

/// Starts the threads; they end with the process.
pub(super) fn start(
    (directory, overlays): (&BootDirectory, &Overlays),
    post: &Arc<Post<Mailbox, super::Counts>>,
) -> io::Result<Arc<Pool<Queue>>> {
    let jobs: Arc<Pool<Queue>> = Arc::default();
    let files: Arc<Mutex<Files>> = Arc::default();
    for number in 0..THREADS {
        let reader = Reader {
            directory: directory.clone(),
            overlays: overlays.clone(),
            post: Arc::clone(post),
            files: Arc::clone(&files),
            jobs: Arc::clone(&jobs),
        };
        std::thread::Builder::new().name(format!("http-files-{number}")).spawn(move || {
            rights::renounce();
            reader.run();
        })?;
    }
    Ok(jobs)
}

struct Reader {
    directory: BootDirectory,
    overlays: Overlays,
    post: Arc<Post<Mailbox, super::Counts>>,
    files: Arc<Mutex<Files>>,
    jobs: Arc<Pool<Queue>>,
}

impl Reader {
    fn run(self) {
        let mut room = vec![0; PIECE_OCTETS];
        loop {
            let (task, job) = match self.jobs.take(SWEEP_EVERY) {
                Next::Job(task, job) => (task, job),
                Next::Nothing => {
                    if let Some(task) = self.jobs.begin() {
                        self.close_unused(&|place, file| task.go(place, file));
                    }
                    continue;
                }
                Next::Over => return,
            };
            let go = |place: &Place, file: &str| task.go(place, file);
            match self.carry_out(&go, job, &mut room) {
                Ok(letter) => self.post.tell(|mailbox| mailbox.push(letter)),
                Err((place, job)) => {
                    task.put_back(place, job);
                    continue;
                }
            }
            self.close_unused(&go);
        }
    }

    /// Closes what nobody wants any more; what is on a file system that does not answer, when it does.
    fn close_unused(&self, go: Go<'_>) {
        let is_unused = |file: &mut Arc<BootFile>| Arc::strong_count(file) == 1;
        let unused: Vec<_> = whole(&self.files).kept.extract_if(.., is_unused).collect();
        for file in unused {
            if !go(&file.place, &file.name) {
                whole(&self.files).kept.push(file);
            }
        }
    }

    /// What came of a job, or where it has to wait.
    fn carry_out(&self, go: Go<'_>, job: Job, room: &mut [u8]) -> Result<Letter, (Place, Job)> {
        match job {
            Job::Open { key, from, path, kind } => {
                let result = match self.directory.open_for(go, from, &path) {
                    Ok(file) => {
                        // If another one is open already it is closed here, and not with the lock: its file system may be asked.
                        let file = Arc::new(file);
                        Ok(whole(&self.files).share(&file))
                    }
                    Err(Unopened::Refused(refusal)) => Err(refusal),
                    Err(Unopened::Held(place)) => return Err((place, Job::Open { key, from, path, kind })),
                };
                Ok(Letter::Opened { key, path, kind, result })
            }
            Job::Make { key, wanted } => {
                if !go(&Place::Overlays, "") {
                    return Err((Place::Overlays, Job::Make { key, wanted }));
                }
                let result = self.overlays.archive(&wanted).map(Arc::new);
                Ok(Letter::Made { key, mac: wanted.mac, given: wanted.given, result })
            }
            Job::Write { key, unwritten } => {
                let result = unwritten.names().map(|names| self.overlays.names_file(names));
                Ok(Letter::Written { key, result })
            }
            Job::Warm { key, file, part } => {
                if !go(&file.place, &file.name) {
                    return Err((file.place.clone(), Job::Warm { key, file, part }));
                }
                let result = if file.may_wait { read(&file, part) } else { warm(&file, part, room) };
                Ok(Letter::Warm { key, result: result.map_err(|error| error.to_string()) })
            }
        }
    }
}

impl Files {
    /// The same file as somebody has open already, if anybody has.
    fn share(&mut self, file: &Arc<BootFile>) -> Arc<BootFile> {
        let ImageIdentity { file: inode, size, modified } = file.identity;
        let known = self.all.entry((inode, size, modified)).or_default();
        if let Some(known) = known.upgrade() {
            // Somebody may be about to close it, as nobody wanted it a moment ago.
            if known.may_wait && !self.kept.iter().any(|kept| Arc::ptr_eq(kept, &known)) {
                self.kept.push(Arc::clone(&known));
            }
            return known;
        }
        *known = Arc::downgrade(file);
        if file.may_wait {
            self.kept.push(Arc::clone(file));
        }
        self.all.retain(|_, file| file.strong_count() > 0);
        Arc::clone(file)
    }
}

/// Brings a part into the kernel's memory by reading it. Nothing of it comes back.
fn warm(file: &BootFile, part: Range<u64>, room: &mut [u8]) -> io::Result<Vec<u8>> {
    let mut rest = part;
    while !rest.is_empty() {
        let octets = usize::try_from(rest.end - rest.start).unwrap_or(usize::MAX).min(room.len());
        file.file.read_exact_at(&mut room[..octets], rest.start)?;
        rest.start += octets as u64;
    }
    Ok(Vec::new())
}

/// Reads a part of a file at which nobody else may look: also whether it is still what it was.
fn read(file: &BootFile, part: Range<u64>) -> io::Result<Vec<u8>> {
    let mut octets = vec![0; usize::try_from(part.end - part.start).map_err(io::Error::other)?];
    file.file.read_exact_at(&mut octets, part.start)?;
    // Looked at after the read: a change that came before it shows.
    if !file.is_unchanged()? {
        return Err(io::Error::other("the file was changed in place"));
    }
    Ok(octets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn what_somebody_wants_again_while_it_is_closed_is_kept_again() {
        let directory = testing::directory("boot");
        std::fs::write(directory.path().join("file"), "content").unwrap();
        let mut file = testing::boot_files(&directory).open("file").unwrap();
        file.may_wait = true;
        let (file, mut files) = (Arc::new(file), Files::default());
        drop(files.share(&file));
        assert_eq!(files.kept.len(), 1);
        drop(files.kept.pop());
        drop(files.share(&file));
        drop(files.share(&file));
        assert_eq!(files.kept.len(), 1);
    }
}
