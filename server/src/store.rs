//! What is durable: records in a redb file, written by a thread of their own, one commit a batch.

mod place;

use crate::problem::{Problem, problem};
use crate::rights;
use crate::wake::Caller;
use heorot_core::cluster::record::Record;
use heorot_core::commits::Batch;
pub(crate) use place::Place;
use redb::{
    Database, DatabaseError, ReadableDatabase, ReadableTable, StorageError, TableDefinition, TableError,
};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt};
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::sync::Once;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::{Duration, Instant};

/// The records: [`Record::key`] -> [`Record::value`].
const RECORDS: TableDefinition<'_, &str, &str> = TableDefinition::new("records");
/// What is not a record: `format` and `secret`.
const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");
/// The format of both tables.
const FORMAT: [u8; 1] = [1];
/// Octets of the page cache. What is not there is in the kernel's; and a record is read at a start alone.
const CACHE_OCTETS: usize = 2 << 20;
/// How long a broken store is left alone before it is opened again: opening reads the whole file, and a full disk stays full for a while.
const REOPEN_AFTER: Duration = Duration::from_secs(1);

/// What to do where nothing at all can be written.
pub(crate) const IS_READ_ONLY: &str = "mount its file system for writing (mount -o remount,rw); a kernel that found it damaged has made it read-only by itself, and says so: dmesg";

/// How a batch ended: all of it is durable; or none of it is, nor ever will be, and what the disk says.
pub(crate) type Outcome = Result<(), String>;

/// The file of records.
pub(crate) struct Store {
    open: Box<dyn Fn() -> Result<Database, DatabaseError> + Send>,
    /// None: broken, to be opened again by the next batch that comes late enough.
    database: Option<Database>,
    opened: Instant,
    /// By which a file that is opened again is known to be the same: what is written to another one is lost when the server starts again.
    secret: [u8; 16],
    why: String,
    place: Place,
    /// What was there before commits that failed with the file in an unknown state: they may be durable although they were refused, so
    /// the next commit puts this back.
    doubtful: BTreeMap<String, Option<String>>,
}

/// What a store held when it was opened.
pub(crate) struct Contents {
    /// In no order that means anything.
    pub(crate) records: Vec<Record>,
    /// Made when the store was.
    pub(crate) secret: [u8; 16],
    /// There was no store: it was made just now.
    pub(crate) is_new: bool,
}

/// Whether it has no beginning: redb writes its mark last when it makes a file.
fn is_half_made(file: &std::fs::File) -> bool {
    let mut mark = [0; 9];
    file.read_exact_at(&mut mark, 0).is_ok() && mark == [0; 9]
}

impl Store {
    /// Opens the file, or makes it, checks it whole, and reads it. One that could be made only half is emptied again: nobody could use it later.
    pub(crate) fn open(path: &Path) -> Result<(Self, Contents), Problem> {
        // It holds the secret that tokens are made from.
        let made = std::fs::OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path);
        let made = made.map_err(|e| {
            let is_read_only = e.kind() == io::ErrorKind::ReadOnlyFilesystem;
            let to_give = "give `server.state` to the user that runs heorot";
            let remedy = if is_read_only { IS_READ_ONLY } else { to_give };
            problem!("{} cannot be written: {e}\n  {remedy}", path.display())
        })?;
        let was_empty = made.metadata().is_ok_and(|file| file.len() == 0);
        let file = path.to_owned();
        // It is made at the start alone. Where its file system is gone for a while, a new one would be made in the bare directory.
        let again = Box::new(move || builder().open(&file));
        let opened = Self::open_with(|| builder().create(path), again);
        // Who has it open fills it; and it is never removed: a link leads elsewhere, and a backup may be on its way into it.
        let is_taken = opened.as_ref().is_err_and(|wrong| matches!(wrong, Wrong::Taken));
        if was_empty && opened.is_err() && !is_taken && is_half_made(&made) {
            let _ = made.set_len(0);
        }
        let is_half_made = opened.is_err() && is_half_made(&made);
        let opened = opened.map(|(store, contents)| (Self { place: Place::new(path), ..store }, contents));
        opened.map_err(|wrong| match wrong {
            Wrong::Damaged(why) | Wrong::Other(why) if is_half_made => problem!(
                "{} cannot be used: {why}\n  if no node had a number yet, remove it: its making was cut off; else put a backup of it back",
                path.display()
            ),
            Wrong::Taken => problem!("another heorot keeps its state in {}\n  one server at a time: stop the other one", path.display()),
            Wrong::Full => problem!("{}: the disk is full\n  free some space and start again; nothing was changed", path.display()),
            Wrong::Record(why) => problem!(
                "{}: {why}\n  a later version wrote it, or it is damaged; nothing was changed. Start the version that wrote it, or put a backup of this file back",
                path.display()
            ),
            Wrong::Damaged(why) => problem!(
                "{} cannot be used: it is damaged: {why}\n  put a backup of it back; without it all nodes are numbered anew",
                path.display()
            ),
            Wrong::Other(why) => problem!(
                "{} cannot be used: {why}\n  put a backup of it back; without it all nodes are numbered anew",
                path.display()
            ),
        })
    }

    fn open_with(
        first: impl FnOnce() -> Result<Database, DatabaseError>,
        open: Box<dyn Fn() -> Result<Database, DatabaseError> + Send>,
    ) -> Result<(Self, Contents), Wrong> {
        let mut database = without_panic(first).map_err(Wrong::Damaged)??;
        let read = without_panic(|| {
            // False: it was damaged where nothing is kept, and is mended now.
            let _ = database.check_integrity()?;
            read(&database)
        });
        let contents = match read {
            Ok(Ok(contents)) => contents,
            Ok(Err(wrong)) => {
                // To close it is to write into it, and that what is damaged may not be written is no news.
                let _ = without_panic(|| drop(database));
                return Err(wrong);
            }
            Err(why) => {
                // In memory it may be in any state: to close it would write that. The lock goes with the process.
                std::mem::forget(database);
                return Err(Wrong::Damaged(why));
            }
        };
        let store = Self {
            open,
            database: Some(database),
            opened: Instant::now(),
            secret: contents.secret,
            why: String::new(),
            place: Place::default(),
            doubtful: BTreeMap::new(),
        };
        Ok((store, contents))
    }

    /// Where its file is, for whoever looks whether it still is.
    pub(crate) fn place(&self) -> Place {
        self.place.clone()
    }

    /// Makes a batch durable, whole or not at all.
    ///
    /// # Errors
    /// What the disk says. From then on batches are refused at once, but for one attempt a second to open the file again.
    fn commit(&mut self, batch: &Batch) -> Outcome {
        if self.database.is_none() {
            if self.opened.elapsed() < REOPEN_AFTER {
                return Err(self.why.clone());
            }
            self.opened = Instant::now();
            let opened = without_panic(|| (self.open)()).map_err(|why| self.broken(&why))?;
            let database = opened.map_err(|e| self.broken(&e))?;
            if !secret(&database).is_ok_and(|secret| secret == self.secret) {
                return Err(self.broken(&"another file is in its place: put it back, or restart heorot"));
            }
            self.place.opened();
            self.database = Some(database);
        }
        let database = self.database.as_ref().expect("it was opened just now");
        match write(database, batch, &mut self.doubtful) {
            Ok(()) => Ok(()),
            Err(error) => Err(self.broken(&error)),
        }
    }

    /// After an error of the disk nothing of the file in memory can be trusted (and redb refuses to go on).
    fn broken(&mut self, error: &dyn fmt::Display) -> String {
        self.place.closed();
        self.database = None;
        self.why = error.to_string();
        self.why.clone()
    }
}

/// Starts the thread. A batch goes in, its [`Outcome`] comes back; one at a time.
///
/// # Errors
/// No thread can be started.
pub(crate) fn start(mut store: Store, outcomes: Caller<Outcome>) -> io::Result<SyncSender<Batch>> {
    let (batches, incoming) = sync_channel::<Batch>(1);
    std::thread::Builder::new().name("store".into()).spawn(move || {
        rights::renounce();
        for batch in incoming {
            if !outcomes.say(store.commit(&batch)) {
                break;
            }
        }
    })?;
    Ok(batches)
}

/// Why a store cannot be opened.
#[derive(Debug)]
enum Wrong {
    Taken,
    Full,
    Record(String),
    /// What redb could not go on with.
    Damaged(String),
    Other(String),
}

/// redb has many error types, each of which becomes the one of all of them.
impl<E: Into<redb::Error>> From<E> for Wrong {
    fn from(error: E) -> Self {
        let error = error.into();
        if matches!(error, redb::Error::DatabaseAlreadyOpen) {
            return Self::Taken;
        }
        let full =
            |e: &io::Error| matches!(e.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
        if matches!(&error, redb::Error::Io(e) if full(e)) {
            return Self::Full;
        }
        Self::Other(error.to_string())
    }
}

/// Does what meets damage that redb notices by a panic. That is told as all other damage is: without a trace on stderr, and in a line.
fn without_panic<T>(act: impl FnOnce() -> T) -> Result<T, String> {
    thread_local! { static IS_QUIET: Cell<bool> = const { Cell::new(false) } }
    static HOOKED: Once = Once::new();
    // The hook is the process's, and other threads may still have something to say.
    HOOKED.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !IS_QUIET.get() {
                usual(info);
            }
        }));
    });
    IS_QUIET.set(true);
    let done = panic::catch_unwind(AssertUnwindSafe(act));
    IS_QUIET.set(false);
    done.map_err(|said| {
        let text = said.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| said.downcast_ref::<&str>().copied()).unwrap_or_default();
        text.lines().next().unwrap_or("what it holds makes no sense").to_owned()
    })
}

fn builder() -> redb::Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_OCTETS);
    builder
}

/// Reads everything; a new file gets its format and its secret first.
fn read(database: &Database) -> Result<Contents, Wrong> {
    let transaction = database.begin_read()?;
    let meta = match transaction.open_table(META) {
        Ok(meta) => meta,
        Err(TableError::TableDoesNotExist(_)) => {
            let secret = initialise(database)?;
            return Ok(Contents { records: Vec::new(), secret, is_new: true });
        }
        Err(other) => return Err(other.into()),
    };
    let format = meta.get("format")?.map(|value| value.value().to_vec());
    if format.as_deref() != Some(&FORMAT) {
        return Err(Wrong::Record(format!("its format is {format:?}, this version reads {FORMAT:?}")));
    }
    let secret = secret(database)?;
    let mut records = Vec::new();
    for row in transaction.open_table(RECORDS)?.iter()? {
        let (key, value) = row?;
        let record = Record::parse(key.value(), value.value());
        records.push(
            record.map_err(|e| Wrong::Record(format!("the record {} cannot be read: {}", e.key, e.why)))?,
        );
    }
    Ok(Contents { records, secret, is_new: false })
}

/// What tells a store from others.
fn secret(database: &Database) -> Result<[u8; 16], Wrong> {
    let meta = database.begin_read()?.open_table(META)?;
    let secret = meta.get("secret")?.and_then(|value| value.value().try_into().ok());
    secret.ok_or_else(|| Wrong::Record("it holds no secret of 16 octets".into()))
}

fn initialise(database: &Database) -> Result<[u8; 16], Wrong> {
    let mut secret = [0; 16];
    getrandom::fill(&mut secret)
        .map_err(|e| Wrong::Other(format!("the kernel gives no random numbers: {e}")))?;
    let transaction = begin(database)?;
    {
        let mut meta = transaction.open_table(META)?;
        meta.insert("format", FORMAT.as_slice())?;
        meta.insert("secret", secret.as_slice())?;
        transaction.open_table(RECORDS)?;
    }
    transaction.commit()?;
    Ok(secret)
}

/// Always in two phases: redb's repair after a crash is sound only then (its CHANGELOG of 4.2 and 4.3).
fn begin(database: &Database) -> Result<redb::WriteTransaction, redb::Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_two_phase_commit(true);
    Ok(transaction)
}

/// Writes a batch, after whatever doubtful commits may have left behind.
fn write(
    database: &Database,
    batch: &Batch,
    doubtful: &mut BTreeMap<String, Option<String>>,
) -> Result<(), redb::Error> {
    let transaction = begin(database)?;
    let mut before = Vec::with_capacity(batch.len());
    {
        let mut table = transaction.open_table(RECORDS)?;
        for (key, value) in doubtful.iter() {
            put(&mut table, key, value.as_deref())?;
        }
        for (_, record) in batch {
            let key = record.key();
            let was = put(&mut table, &key, record.value().as_deref())?;
            before.push((key, was));
        }
    }
    // Until here nothing can have reached the file's visible state. The commit may, even if it fails.
    match transaction.commit() {
        Ok(()) => doubtful.clear(),
        Err(error) => {
            for (key, was) in before {
                doubtful.entry(key).or_insert(was);
            }
            return Err(error.into());
        }
    }
    Ok(())
}

/// Sets or removes a key. What was there.
fn put(
    table: &mut redb::Table<'_, &str, &str>,
    key: &str,
    value: Option<&str>,
) -> Result<Option<String>, StorageError> {
    let was = match value {
        Some(value) => table.insert(key, value)?,
        None => table.remove(key)?,
    };
    Ok(was.map(|was| was.value().to_owned()))
}

#[cfg(test)]
mod tests;
