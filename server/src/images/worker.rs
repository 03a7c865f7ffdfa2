//! The threads that open and read images: a file system that is slow, or does not answer, holds up those alone who want what is on it ([`crate::disks`]).

use super::directory::{BootDirectory, BootFile, Go, Unopened};
use super::folding::Folding;
use super::jobs::{Job, Jobs};
use super::netascii::{self, Text};
use crate::disks::{Next, Place, Pool, THREADS};
use crate::rights;
use crate::wake::Caller;
use heorot_core::limit::CHUNK_OCTETS;
use heorot_core::transfer::{ImageId, ImageIdentity, Opened, Refusal, TransferId};
use heorot_core::wire::tftp::Mode;
use std::collections::BTreeMap;
use std::io;
use std::net::Ipv4Addr;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How often it is looked whether files are held open for boots that are over.
const SWEEP_EVERY: Duration = Duration::from_secs(600);

/// The file that a transfer wants.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// Its paths below the boot directory: the first that is there. At least one.
    pub(crate) paths: Vec<String>,
    /// Whether capital and small letters are the same.
    pub(crate) case_fold: bool,
    /// As what it is to come.
    pub(crate) mode: Mode,
    /// Who wants it.
    pub(crate) from: Ipv4Addr,
}

/// What was done.
#[derive(Debug)]
pub(crate) enum Done {
    Opened { transfer: TransferId, result: Result<Opened, Refusal> },
    Fetched { image: ImageId, chunk: u64, octets: Arc<[u8]> },
    Broken { image: ImageId, chunk: u64, why: String },
}

/// The open files: one descriptor each, however many transfers use it.
#[derive(Debug, Default)]
struct Files {
    open: BTreeMap<ImageId, (Arc<OpenFile>, u32)>,
    by_identity: BTreeMap<Key, ImageId>,
}

/// What two openings have to share to be one image.
type Key = (u64, u64, u64, Mode);

#[derive(Debug)]
pub(super) struct OpenFile {
    file: BootFile,
    /// If it is sent as a text.
    text: Option<Text>,
}

impl OpenFile {
    fn key(identity: &ImageIdentity, mode: Mode) -> Key {
        (identity.file, identity.size, identity.modified, mode)
    }

    fn mode(&self) -> Mode {
        if self.text.is_some() { Mode::Netascii } else { Mode::Octet }
    }
}

/// Starts the threads; they end when the loop does.
pub(crate) fn start(
    directory: &BootDirectory,
    ids: &Arc<AtomicU64>,
    done: &Caller<Done>,
) -> io::Result<Arc<Pool<Jobs>>> {
    let jobs: Arc<Pool<Jobs>> = Arc::default();
    let files = Arc::new(Mutex::new(Files::default()));
    let folding = Arc::new(Folding::default());
    for number in 0..THREADS {
        let reader = Reader {
            directory: directory.clone(),
            ids: Arc::clone(ids),
            files: Arc::clone(&files),
            folding: Arc::clone(&folding),
            jobs: Arc::clone(&jobs),
            done: done.clone(),
        };
        std::thread::Builder::new().name(format!("images-{number}")).spawn(move || reader.run())?;
    }
    Ok(jobs)
}

struct Reader {
    directory: BootDirectory,
    ids: Arc<AtomicU64>,
    files: Arc<Mutex<Files>>,
    folding: Arc<Folding>,
    jobs: Arc<Pool<Jobs>>,
    done: Caller<Done>,
}

impl Reader {
    fn run(self) {
        rights::renounce();
        let mut swept = Instant::now();
        loop {
            if swept.elapsed() >= SWEEP_EVERY {
                swept = Instant::now();
                if let Some(task) = self.jobs.begin() {
                    self.directory.sweep(&|place, file| task.go(place, file));
                }
            }
            let (task, job) = match self.jobs.take(SWEEP_EVERY) {
                Next::Job(task, job) => (task, job),
                Next::Nothing => continue,
                Next::Over => return,
            };
            let done = match self.carry_out(&|place, file| task.go(place, file), job) {
                Ok(done) => done,
                Err((place, job)) => {
                    task.put_back(place, job);
                    continue;
                }
            };
            // Whoever waits for the loop waits for no disk.
            drop(task);
            if done.is_some_and(|done| !self.done.say(done)) {
                return;
            }
        }
    }

    /// What came of a job, if that is to be told; or where it has to wait.
    fn carry_out(&self, go: Go<'_>, job: Job) -> Result<Option<Done>, (Place, Job)> {
        match job {
            Job::Open { transfer, wanted } => {
                let result = match self.open(go, &wanted) {
                    Ok(opened) => Ok(opened),
                    Err(Unopened::Refused(refusal)) => Err(refusal),
                    Err(Unopened::Held(place)) => return Err((place, Job::Open { transfer, wanted })),
                };
                Ok(Some(Done::Opened { transfer, result }))
            }
            Job::Fetch { image, chunk } => {
                let file = self.files().open.get(&image).map(|(file, _)| Arc::clone(file));
                let Some(file) = file else {
                    return Ok(Some(Done::Broken { image, chunk, why: "the file was closed".into() }));
                };
                if !go(&file.file.place, &file.file.name) {
                    return Err((file.file.place.clone(), Job::Fetch { image, chunk }));
                }
                Ok(Some(match read(&file, chunk) {
                    Ok(octets) => Done::Fetched { image, chunk, octets },
                    Err(why) => Done::Broken { image, chunk, why },
                }))
            }
            Job::Close { image, chunks } => {
                drop(chunks);
                self.close(image).map_or(Ok(None), |file| self.carry_out(go, Job::LetGo(file)))
            }
            Job::LetGo(file) => {
                // A file system may be told of it, and has to answer.
                if !go(&file.file.place, &file.file.name) {
                    return Err((file.file.place.clone(), Job::LetGo(file)));
                }
                drop(file);
                Ok(None)
            }
        }
    }

    fn open(&self, go: Go<'_>, wanted: &Wanted) -> Result<Opened, Unopened> {
        let file = self.find(go, wanted)?;
        let identity = file.identity;
        let key = OpenFile::key(&identity, wanted.mode);
        let known = self.files().take(key);
        let (image, open) = match known {
            Some(known) => known,
            None => {
                // Read without the lock: whoever else counts the same text meanwhile loses nothing but his time.
                let text = match wanted.mode {
                    Mode::Octet => None,
                    Mode::Netascii => Some(count(&file)?),
                };
                let image = ImageId(self.ids.fetch_add(1, Ordering::Relaxed));
                // If it is not needed it is closed here, and not with the lock: its file system may be asked.
                let file = Arc::new(OpenFile { file, text });
                self.files().insert(key, image, &file)
            }
        };
        let size = open.text.as_ref().map_or(identity.size, |text| text.octets);
        // What is told from another of its name is what is sent.
        Ok(Opened { image, identity: ImageIdentity { size, ..identity } })
    }

    /// The first of the files that is there.
    fn find(&self, go: Go<'_>, wanted: &Wanted) -> Result<BootFile, Unopened> {
        let mut missing = Refusal::Missing("no file was named".into());
        for path in &wanted.paths {
            match self.directory.open_for(go, wanted.from, path) {
                Err(Unopened::Refused(refusal @ Refusal::Missing(_))) => missing = refusal,
                found => return found,
            }
            if wanted.case_fold
                && let Some(other) = self.folding.find(go, &self.directory, path)?
            {
                return self.directory.open_by(go, &other);
            }
        }
        Err(missing.into())
    }

    /// One user less. What is to be closed, if it was the last.
    fn close(&self, image: ImageId) -> Option<Arc<OpenFile>> {
        let mut files = self.files();
        let (file, users) = files.open.get_mut(&image)?;
        *users -= 1;
        if *users > 0 {
            return None;
        }
        let key = OpenFile::key(&file.file.identity, file.mode());
        files.by_identity.remove(&key);
        files.open.remove(&image).map(|(file, _)| file)
    }

    fn files(&self) -> MutexGuard<'_, Files> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Files {
    /// One user more of an image that is open.
    fn take(&mut self, key: Key) -> Option<(ImageId, Arc<OpenFile>)> {
        let image = *self.by_identity.get(&key)?;
        let (file, users) = self.open.get_mut(&image)?;
        *users += 1;
        Some((image, Arc::clone(file)))
    }

    /// A new image with one user, unless somebody opened the same file meanwhile.
    fn insert(&mut self, key: Key, image: ImageId, file: &Arc<OpenFile>) -> (ImageId, Arc<OpenFile>) {
        if let Some(known) = self.take(key) {
            return known;
        }
        self.by_identity.insert(key, image);
        self.open.insert(image, (Arc::clone(file), 1));
        (image, Arc::clone(file))
    }
}

/// Counts what a file is as a text.
fn count(file: &BootFile) -> Result<Text, Refusal> {
    if file.identity.size > netascii::FILE_OCTETS_MAX {
        let most = netascii::FILE_OCTETS_MAX >> 20;
        return Err(Refusal::Unfit(format!("more than {most} MiB are no text: ask in mode octet")));
    }
    let counted = Text::count(file.identity.size, |room, at| file.file.read_exact_at(room, at));
    match (counted, file.is_unchanged()) {
        (Ok(text), Ok(true)) => Ok(text),
        (_, Ok(false)) => Err(Refusal::Denied("it is being changed just now".into())),
        (Err(e), _) | (_, Err(e)) => Err(Refusal::Denied(format!("it cannot be read: {e}"))),
    }
}

/// Reads a chunk, and makes sure that nobody has changed the file since it was opened: else clients would get halves of two files.
fn read(open: &OpenFile, chunk: u64) -> Result<Arc<[u8]>, String> {
    let OpenFile { file, text } = open;
    let read_at = |room: &mut [u8], at: u64| file.file.read_exact_at(room, at);
    let size = file.identity.size;
    let read = match text {
        Some(text) => text.chunk(chunk, size, read_at),
        None => chunk.checked_mul(CHUNK_OCTETS).filter(|start| *start < size).map(|start| {
            let octets = usize::try_from(CHUNK_OCTETS.min(size - start)).map_err(io::Error::other)?;
            let mut content = vec![0; octets];
            read_at(&mut content, start).map(|()| content)
        }),
    };
    let read = read.ok_or("the file has no such part")?;
    // Looked at after the read: a change that came before it shows.
    let unchanged = file.is_unchanged().map_err(|e| format!("the file cannot be read: {e}"))?;
    if !unchanged {
        return Err("the file was changed in place while it was sent: replace files by renaming".into());
    }
    Ok(read.map_err(|e| format!("the file cannot be read: {e}"))?.into())
}
