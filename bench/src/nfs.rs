//! What a file costs by NFS: heorot beside nfs-ganesha, asked by the same client for the same files.
//!
//! ```text
//!   namespace "server", first processor        namespace "clients", second processor
//!   a server, 10.77.0.1 on eth1 ───────veth─────── eth1, 10.77.0.2: some connections
//! ```
//!
//! All is in memory: what is measured is the server and not a disk. One large file is read in pieces of 1 MiB, of which some are under way at a time; then a tree is walked, as `find` and `cat` do: READDIRPLUS of each
//! directory, LOOKUP, GETATTR and READ of each file.
//!
//! - [`client`]: who asks; [`servers`]: how each is started; [`wanted`]: what was asked for; [`figures`]: what came of it.

mod client;
mod figures;
mod servers;
mod wanted;

use crate::files::Files;
use crate::link::Link;
use crate::speed::processor;
use crate::{process, say};
use client::Client;
use figures::{Figures, Part};
use servers::Peer;
use std::collections::VecDeque;
use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use wanted::Wanted;

/// Octets of one READ, as Linux asks for them.
const PIECE_OCTETS: u32 = 1 << 20;
/// READs under way on one connection.
const UNDER_WAY: usize = 4;
/// Files of a directory.
const FILES_EACH: usize = 100;
/// The large file, and the tree.
const LARGE: &str = "large";
const TREE: &str = "tree";
/// What a server does after its last answer.
const AFTERMATH: Duration = Duration::from_millis(100);

/// The table.
///
/// # Errors
/// In words: what was asked for is not understood, or root's rights are missing.
pub(crate) fn beside_others(words: &[String]) -> Result<(), String> {
    let wanted = Wanted::parse(words)?;
    let files = Files::new(1_000_000)?;
    write_files(&files.room("export"), &wanted)?;
    let link = Link::unshaped()?;
    say(&format!(
        "One file of {} MB in pieces of 1 MiB, {UNDER_WAY} under way on each of {} connections; then {} files of 0-8 kB in directories of {FILES_EACH}. Medians of {} run(s).\n\
         CPU is user and system time of the server's threads, with the softirqs that run on them.\n\n{}",
        wanted.octets / 1_000_000,
        wanted.connections,
        wanted.files,
        wanted.runs,
        figures::head()
    ));
    let mut all: Vec<Vec<Figures>> = vec![Vec::new(); wanted.servers.len()];
    for _ in 0..wanted.runs {
        for (server, figures) in wanted.servers.iter().zip(&mut all) {
            figures.push(measure(*server, &wanted, &link, &files)?);
        }
    }
    for (server, figures) in wanted.servers.iter().zip(&all) {
        say(&figures::line(server.name(), &figures::medians(figures)));
    }
    Ok(())
}

fn measure(server: Peer, wanted: &Wanted, link: &Link, files: &Files) -> Result<Figures, String> {
    processor::wait_for_quiet(wanted.quiet)?;
    let export = files.room("export");
    let mut running = server.start(link, files, &export)?;
    let outcome = link.clients.enter(|| {
        let place = (server, export.as_path());
        // Once before it counts: what a server remembers it may remember.
        walk(place, wanted.connections)?;
        processor::pin(&link.server, processor::OF_SERVERS)?;
        processor::pin_this_thread(processor::OF_CLIENTS)?;
        let part = |work: &dyn Fn() -> Result<u64, String>| {
            let before = processor::used(&link.server)?;
            let began = Instant::now();
            let count = work()?;
            let seconds = began.elapsed().as_secs_f64();
            std::thread::sleep(AFTERMATH);
            Ok::<_, String>(Part { count, seconds, used: processor::used(&link.server)? - before })
        };
        let read = part(&|| read(place, wanted))?;
        if read.count != wanted.octets {
            return Err(format!("{} octets were read instead of {}", read.count, wanted.octets));
        }
        let walked = part(&|| walk(place, wanted.connections))?;
        if walked.count != wanted.files as u64 {
            return Err(format!("{} files were found instead of {}", walked.count, wanted.files));
        }
        Ok((read, walked))
    });
    if let Some(ended) = running.ended() {
        return Err(format!("{}: {ended}: {}", server.name(), running.tail()));
    }
    let (read, walk) = outcome.map_err(|why| format!("{}: {why}\n{}", server.name(), running.tail()))?;
    let memory = running.process_ids().filter_map(process::memory_octets).map(|(_, most)| most).sum();
    Ok(Figures { read, walk, memory })
}

/// Reads the large file whole, each connection a part of it.
fn read((server, export): (Peer, &Path), wanted: &Wanted) -> Result<u64, String> {
    let pieces = wanted.octets.div_ceil(PIECE_OCTETS.into());
    let each = pieces.div_ceil(wanted.connections as u64);
    let part = |number: u64| {
        let mut client = Client::connect(server)?;
        let root = client.mount(server, export)?;
        let file = client.lookup(&root, LARGE)?;
        let mut waiting: VecDeque<u64> = (number * each..((number + 1) * each).min(pieces)).collect();
        let (mut under_way, mut octets) = (0, 0);
        loop {
            while under_way < UNDER_WAY
                && let Some(piece) = waiting.pop_front()
            {
                client.ask_to_read(&file, piece * u64::from(PIECE_OCTETS), PIECE_OCTETS)?;
                under_way += 1;
            }
            if under_way == 0 {
                return Ok(octets);
            }
            octets += client.octets_read()?;
            under_way -= 1;
        }
    };
    in_threads(wanted.connections, |number| part(number as u64))
}

/// Walks the tree, each connection as many directories of it as it comes to. How many files there are.
fn walk((server, export): (Peer, &Path), connections: usize) -> Result<u64, String> {
    let mut client = Client::connect(server)?;
    let root = client.mount(server, export)?;
    let tree = client.lookup(&root, TREE)?;
    let directories: Vec<Vec<u8>> = client.list(&tree)?.into_iter().map(|(_, handle)| handle).collect();
    let directories = Mutex::new(directories);
    let part = |_| {
        let mut client = Client::connect(server)?;
        let mut count = 0;
        loop {
            let directory = directories.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some(directory) = directory else { return Ok(count) };
            for (name, _) in client.list(&directory)? {
                let file = client.lookup(&directory, &name)?;
                client.attributes(&file)?;
                client.ask_to_read(&file, 0, PIECE_OCTETS)?;
                client.octets_read()?;
                count += 1;
            }
        }
    };
    in_threads(connections, part)
}

/// Does something in so many threads, and adds up what comes of it.
fn in_threads(count: usize, work: impl Fn(usize) -> Result<u64, String> + Sync) -> Result<u64, String> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..count)
            .map(|number| {
                scope.spawn({
                    let work = &work;
                    move || work(number)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().map_err(|_| "a thread panicked".to_owned())?).sum()
    })
}

fn write_files(export: &Path, wanted: &Wanted) -> Result<(), String> {
    let wrong = |error: std::io::Error| format!("{}: {error}", export.display());
    for directory in 0..wanted.files.div_ceil(FILES_EACH) {
        let path = export.join(TREE).join(format!("directory{directory}"));
        fs::create_dir_all(&path).map_err(wrong)?;
        for file in directory * FILES_EACH..((directory + 1) * FILES_EACH).min(wanted.files) {
            fs::write(path.join(format!("file{file}")), vec![b'x'; file * 37 % 8192]).map_err(wrong)?;
        }
    }
    let octets = usize::try_from(wanted.octets).map_err(|error| error.to_string())?;
    fs::write(export.join(LARGE), vec![b'y'; octets]).map_err(wrong)
}
