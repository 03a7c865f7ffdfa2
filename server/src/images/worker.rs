//! The threads that open and read images: two, so that one slow read does not hold up every opening.

use super::directory::{BootDirectory, BootFile};
use crate::rights;
use crate::wake::Caller;
use heorot_core::limit::{CHUNK_OCTETS, TRANSFERS_MAX};
use heorot_core::transfer::{ImageId, ImageIdentity, Opened, Refusal, TransferId};
use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Threads.
const READERS: usize = 2;

/// What the loop wants.
#[derive(Debug)]
pub(crate) enum Job {
    Open {
        transfer: TransferId,
        path: String,
        identity: Option<ImageIdentity>,
    },
    Fetch {
        image: ImageId,
        chunk: u64,
    },
    /// One user less; the chunks only have to be given back.
    Close {
        image: ImageId,
        chunks: Vec<Arc<[u8]>>,
    },
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
    open: BTreeMap<ImageId, (Arc<BootFile>, u32)>,
    by_identity: BTreeMap<(u64, u64, u64), ImageId>,
}

/// Starts the threads; they end when the loop does.
pub(crate) fn start(
    directory: &BootDirectory,
    ids: &Arc<AtomicU64>,
    done: &Caller<Done>,
) -> io::Result<SyncSender<Job>> {
    let (jobs, incoming) = sync_channel(TRANSFERS_MAX);
    let incoming = Arc::new(Mutex::new(incoming));
    let files = Arc::new(Mutex::new(Files::default()));
    for number in 0..READERS {
        let reader = Reader {
            directory: directory.clone(),
            ids: Arc::clone(ids),
            files: Arc::clone(&files),
            jobs: Arc::clone(&incoming),
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
    jobs: Arc<Mutex<Receiver<Job>>>,
    done: Caller<Done>,
}

impl Reader {
    fn run(self) {
        rights::renounce();
        loop {
            // Whoever holds the lock waits for the next job; the other one works.
            let job = self.jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(job) = job else { return };
            let done = match job {
                Job::Open { transfer, path, identity } => {
                    Done::Opened { transfer, result: self.open(&path, identity) }
                }
                Job::Fetch { image, chunk } => self.fetch(image, chunk),
                Job::Close { image, chunks } => {
                    drop(chunks);
                    self.close(image);
                    continue;
                }
            };
            if !self.done.say(done) {
                return;
            }
        }
    }

    fn open(&self, path: &str, expected: Option<ImageIdentity>) -> Result<Opened, Refusal> {
        let file = self.directory.open(path)?;
        let identity = file.identity;
        if expected.is_some_and(|expected| expected != identity) {
            return Err(Refusal::Changed);
        }
        let mut files = self.files();
        let key = (identity.file, identity.size, identity.modified);
        let image = match files.by_identity.get(&key) {
            Some(image) => *image,
            None => {
                let image = ImageId(self.ids.fetch_add(1, Ordering::Relaxed));
                files.by_identity.insert(key, image);
                files.open.insert(image, (Arc::new(file), 0));
                image
            }
        };
        files.open.get_mut(&image).expect("both maps have the same images").1 += 1;
        Ok(Opened { image, size: identity.size, identity })
    }

    fn fetch(&self, image: ImageId, chunk: u64) -> Done {
        let file = self.files().open.get(&image).map(|(file, _)| Arc::clone(file));
        let Some(file) = file else { return Done::Broken { image, chunk, why: "it was closed".into() } };
        match read(&file, chunk) {
            Ok(octets) => Done::Fetched { image, chunk, octets },
            Err(why) => Done::Broken { image, chunk, why },
        }
    }

    fn close(&self, image: ImageId) {
        let mut files = self.files();
        let Some((file, users)) = files.open.get_mut(&image) else { return };
        *users -= 1;
        if *users == 0 {
            let identity = file.identity;
            files.open.remove(&image);
            files.by_identity.remove(&(identity.file, identity.size, identity.modified));
        }
    }

    fn files(&self) -> MutexGuard<'_, Files> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads a chunk, and makes sure that nobody has changed the file since it was opened: else clients would get halves of two files.
fn read(file: &BootFile, chunk: u64) -> Result<Arc<[u8]>, String> {
    let start = chunk.checked_mul(CHUNK_OCTETS).filter(|start| *start < file.identity.size);
    let start = start.ok_or("it has no such part")?;
    let octets = usize::try_from(CHUNK_OCTETS.min(file.identity.size - start)).map_err(|e| e.to_string())?;
    let mut content = vec![0; octets];
    let read = file.file.read_exact_at(&mut content, start);
    // Looked at after the read: a change that came before it shows.
    let unchanged = file.is_unchanged().map_err(|e| e.to_string())?;
    if !unchanged {
        return Err("it was changed in place; replace files by renaming".into());
    }
    read.map_err(|e| format!("it cannot be read: {e}"))?;
    Ok(content.into())
}
