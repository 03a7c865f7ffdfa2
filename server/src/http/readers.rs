//! Threads that may wait for a disk, so that the one that speaks HTTP need not: they open files, bring parts of them into the kernel's memory, and make the small files of nodes.
//!
//! A file has one descriptor, however many machines load it.

use super::{Letter, Mailbox};
use crate::images::directory::{BootDirectory, BootFile};
use crate::overlay::Overlays;
use crate::rights;
use crate::wake::Post;
use heorot_core::message::{NodeFiles, Unwritten};
use heorot_core::transfer::ImageIdentity;
use std::collections::BTreeMap;
use std::io;
use std::net::Ipv4Addr;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Threads: as many disks as can be waited for at a time.
const READERS: usize = 4;

/// Octets read at once.
const PIECE_OCTETS: usize = 256 * 1024;

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

/// The files that are open, for those who want the same.
type Files = Arc<Mutex<BTreeMap<(u64, u64, u64), Weak<BootFile>>>>;

/// Starts the threads; they end with whoever has jobs for them. `jobs_max`: each connection has one at a time.
pub(super) fn start(
    (directory, overlays): (&BootDirectory, &Overlays),
    post: &Arc<Post<Mailbox, super::Counts>>,
    jobs_max: usize,
) -> io::Result<SyncSender<Job>> {
    let (jobs, incoming) = sync_channel(jobs_max);
    let incoming = Arc::new(Mutex::new(incoming));
    let files = Files::default();
    for number in 0..READERS {
        let (directory, overlays, post) = (directory.clone(), overlays.clone(), Arc::clone(post));
        let (files, incoming) = (Arc::clone(&files), Arc::clone(&incoming));
        std::thread::Builder::new().name(format!("http-files-{number}")).spawn(move || {
            rights::renounce();
            run((&directory, &overlays), &post, &files, &incoming);
        })?;
    }
    Ok(jobs)
}

fn run(
    (directory, overlays): (&BootDirectory, &Overlays),
    post: &Post<Mailbox, super::Counts>,
    files: &Files,
    jobs: &Mutex<Receiver<Job>>,
) {
    let mut room = vec![0; PIECE_OCTETS];
    loop {
        // Whoever holds the lock waits for the next job; the others work.
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let letter = match job {
            Err(_) => return,
            Ok(Job::Open { key, from, path, kind }) => {
                let result = directory.open_for(from, &path).map(|file| share(files, file));
                Letter::Opened { key, path, kind, result }
            }
            Ok(Job::Make { key, wanted }) => {
                let result = overlays.archive(&wanted);
                Letter::Made { key, mac: wanted.mac, given: wanted.given, result }
            }
            Ok(Job::Write { key, unwritten }) => {
                let result = unwritten.names().map(|names| overlays.names_file(names));
                Letter::Written { key, result }
            }
            Ok(Job::Warm { key, file, part }) => {
                Letter::Warm { key, result: warm(&file, part, &mut room).map_err(|error| error.to_string()) }
            }
        };
        post.tell(|mailbox| mailbox.push(letter));
    }
}

/// The same file as somebody has open already, if anybody has.
fn share(files: &Files, file: BootFile) -> Arc<BootFile> {
    let ImageIdentity { file: inode, size, modified } = file.identity;
    let mut files = files.lock().unwrap_or_else(PoisonError::into_inner);
    let known = files.entry((inode, size, modified)).or_default();
    if let Some(known) = known.upgrade() {
        return known;
    }
    let file = Arc::new(file);
    *known = Arc::downgrade(&file);
    files.retain(|_, file| file.strong_count() > 0);
    file
}

/// Reads a part, and nothing else: what was read is in memory.
fn warm(file: &BootFile, part: Range<u64>, room: &mut [u8]) -> io::Result<()> {
    let mut rest = part;
    while !rest.is_empty() {
        let octets = usize::try_from(rest.end - rest.start).unwrap_or(usize::MAX).min(room.len());
        file.file.read_exact_at(&mut room[..octets], rest.start)?;
        rest.start += octets as u64;
    }
    Ok(())
}
