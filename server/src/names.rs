//! The names file of this host: written anew whenever names change, by a thread of its own.
//!
//! From it glibc resolves the cluster's names on the head node (`nss/`). The file is replaced as a whole, so that nobody reads half of it; and only a names file is replaced.

use crate::journal::{Journal, Weight};
use crate::plain_file;
use crate::problem::{Problem, problem};
use crate::rights;
use heorot_core::cluster::network;
use heorot_core::config::{Config, NamesFile};
use heorot_names::Directory;
use heorot_names::file::{Me, Place};
use std::fs::{File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// The file beside the control socket, where the usual one leads to if the server's user may not write that.
pub(crate) const FILE: &str = "names";

/// What the first line of every names file begins with, whatever the version of its form.
const HEAD: &str = "heorot-names ";

/// A thousand nodes that are numbered within a minute are not a thousand files.
const PAUSE: Duration = Duration::from_millis(200);

/// Where the file is to be written. None: nowhere.
///
/// With `loses_rights` the server becomes a user who may not write into directories of root: then the file is in the run directory, which is
/// that user's, and the path that libraries read is a link to it.
///
/// # Errors
/// Something else is where anything would be written, and nothing was changed; or the kernel's.
pub(crate) fn prepare(
    wanted: &NamesFile,
    run_directory: &Path,
    loses_rights: bool,
) -> Result<Option<PathBuf>, Problem> {
    let Some((path, directory)) = place_of(wanted) else { return Ok(None) };
    let fail = |e: io::Error| {
        problem!(
            "{} cannot be made: {e}\n  set `names.file` to where heorot may write, or to \"\"",
            path.display()
        )
    };
    let own = run_directory.join(FILE);
    let is_there = is_one_directory(directory, run_directory);
    let is_own = loses_rights && !is_there;
    judge(path, is_own.then_some(&own)).map_err(|e| Problem(e.to_string()))?;
    std::fs::create_dir_all(directory).map_err(fail)?;
    // What a server left that was cut off while it wrote.
    let _ = remove_left(&beside(&own));
    if !is_own {
        // By the name that its directory is known by to who gives it away.
        let name = path.file_name().filter(|_| is_there);
        return Ok(Some(name.map_or_else(|| path.to_owned(), |name| run_directory.join(name))));
    }
    if leads_to(path, &own) {
        return Ok(Some(own));
    }
    // Beside it first, so that there is a file at any moment.
    let new = beside(path);
    let link = || {
        remove_left(&new)?;
        symlink(&own, &new)?;
        std::fs::rename(&new, path)
    };
    link().map_err(fail)?;
    Ok(Some(own))
}

/// The path that libraries read, and its directory.
fn place_of(wanted: &NamesFile) -> Option<(&Path, &Path)> {
    let path = match wanted {
        NamesFile::None => return None,
        NamesFile::IfUsual => Path::new(NamesFile::USUAL),
        NamesFile::At(path) => Path::new(path),
    };
    let directory = path.parent().unwrap_or_else(|| Path::new("/"));
    (*wanted != NamesFile::IfUsual || directory.is_dir()).then_some((path, directory))
}

/// One has several names, as /run and /var/run: a link in it to a file in it may lead to itself.
fn is_one_directory(one: &Path, other: &Path) -> bool {
    let same = || Some(std::fs::canonicalize(one).ok()? == std::fs::canonicalize(other).ok()?);
    one == other || same() == Some(true)
}

fn leads_to(link: &Path, file: &Path) -> bool {
    std::fs::read_link(link).is_ok_and(|target| target == file)
}

/// What this host's file says beside the directory.
pub(crate) fn place(config: &Config) -> Place {
    network::place(config, Some(Me::Master))
}

/// Why this host's file is not written, and what to do: something else is in its place, or where it is made. Who may not look there says nothing: at the start it was another user who looked.
pub(crate) fn problem_here(config: &Config) -> Option<String> {
    let run_directory = Path::new(&config.server.control).parent().unwrap_or_else(|| Path::new("/"));
    problem_with(&config.names_file, run_directory, rights::loses_rights(&config.server.user))
}

fn problem_with(wanted: &NamesFile, run_directory: &Path, loses_rights: bool) -> Option<String> {
    let (path, directory) = place_of(wanted)?;
    let own = run_directory.join(FILE);
    // Who has lost his rights already writes where the link leads.
    let is_own = !is_one_directory(directory, run_directory) && (loses_rights || leads_to(path, &own));
    let wrong = judge(path, is_own.then_some(&own)).err();
    wrong.filter(|e| e.kind() != io::ErrorKind::PermissionDenied).map(|e| e.to_string())
}

/// Looks at all that is going to be written over or removed, `own` first: where there is one, `path` is made a link to it.
///
/// # Errors
/// What is in the way, and what to do.
fn judge(path: &Path, own: Option<&PathBuf>) -> io::Result<()> {
    let each = |file: &Path, remedy: &str| {
        for file in [file, &beside(file)] {
            is_written_over(file).map_err(|e| {
                let why = format!(
                    "{}: {e}\n  {remedy}; or remove what is there, if nobody needs it",
                    file.display()
                );
                io::Error::new(e.kind(), why)
            })?;
        }
        Ok(())
    };
    if let Some(own) = own {
        each(own, "name a directory of its own in `server.control`, as /run/heorot/control.sock")?;
    }
    if own.is_some_and(|own| leads_to(path, own)) {
        return Ok(());
    }
    each(path, "name another file in `names.file`, or \"\" for none")
}

/// Nothing is, and an empty file, and a names file of whatever version.
///
/// # Errors
/// Something else is there, or nobody can say what.
fn is_written_over(path: &Path) -> io::Result<()> {
    let head = match std::fs::metadata(path) {
        // A device is not to be opened: that alone may do something.
        Ok(found) if !found.is_file() => None,
        Ok(_) => Some(plain_file::read(path, HEAD.len() as u64)?),
        // Where there is no directory either, who makes it says what is wrong.
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Ok(()),
        Err(e) => return Err(e),
    };
    match head {
        Some(head) if head.is_empty() || head == HEAD.as_bytes() => Ok(()),
        Some(_) | None => Err(io::Error::other("what is there is no names file, and is not written over")),
    }
}

/// What it is written as, before it is put in its place.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    name.into()
}

/// Removes what was left there, if that is what we leave: something else stays.
fn remove_left(new: &Path) -> io::Result<()> {
    is_written_over(new).map_err(|e| io::Error::new(e.kind(), format!("{}: {e}", new.display())))?;
    match std::fs::remove_file(new) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Writes the file, if it is not like that already.
pub(crate) fn write(path: &Path, text: &str) -> io::Result<()> {
    // Somebody may have put something else there since the start.
    is_written_over(path)?;
    if std::fs::read(path).is_ok_and(|now| now == text.as_bytes()) {
        return Ok(());
    }
    let new = beside(path);
    remove_left(&new)?;
    let mut file = File::create_new(&new)?;
    // For every user of the host, whatever our umask is.
    file.set_permissions(Permissions::from_mode(0o644))?;
    file.write_all(text.as_bytes())?;
    file.sync_data()?;
    std::fs::rename(&new, path)
}

/// Tells the thread what to write.
pub(crate) struct Handle {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    mailbox: Mutex<Mailbox>,
    changed: Condvar,
}

#[derive(Default)]
struct Mailbox {
    place: Place,
    directory: Option<Arc<Directory>>,
    stop: bool,
}

impl Shared {
    fn mailbox(&self) -> MutexGuard<'_, Mailbox> {
        // Whole values are moved in and out: a panic between leaves nothing half done.
        self.mailbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts the thread.
pub(crate) fn start(path: PathBuf, place: Place, journal: Journal) -> io::Result<Handle> {
    let mailbox = Mailbox { place, ..Mailbox::default() };
    let shared = Arc::new(Shared { mailbox: Mutex::new(mailbox), changed: Condvar::new() });
    let thread = thread::Builder::new().name("names".into()).spawn({
        let shared = Arc::clone(&shared);
        move || {
            rights::renounce();
            run(&shared, &path, &journal);
        }
    })?;
    Ok(Handle { shared, thread: Some(thread) })
}

fn run(shared: &Shared, path: &Path, journal: &Journal) {
    let mut trouble = None;
    loop {
        let mut mailbox = shared.mailbox();
        let directory = loop {
            match mailbox.directory.take() {
                Some(directory) => break directory,
                None if mailbox.stop => return,
                None => mailbox = shared.changed.wait(mailbox).unwrap_or_else(PoisonError::into_inner),
            }
        };
        let text = heorot_names::file::write(&directory, &mailbox.place);
        drop(mailbox);
        // The same trouble is told once.
        let now = write(path, &text).err().map(|error| error.to_string());
        match &now {
            Some(error) if trouble != now => {
                journal.say(
                    Weight::Warning,
                    format_args!("{} cannot be written: {error}; this host knows old names", path.display()),
                );
            }
            Some(_) | None => {}
        }
        trouble = now;
        let mailbox = shared.mailbox();
        if !mailbox.stop {
            drop(shared.changed.wait_timeout_while(mailbox, PAUSE, |mailbox| !mailbox.stop));
        }
    }
}

impl Handle {
    /// Writes these names. Never waits; of several, the last counts.
    pub(crate) fn publish(&self, directory: Arc<Directory>) {
        self.shared.mailbox().directory = Some(directory);
        self.shared.changed.notify_one();
    }

    /// Writes this beside the names that are published from now on.
    pub(crate) fn configure(&self, place: Place) {
        self.shared.mailbox().place = place;
    }

    /// Ends it, with the newest names written. Dropping does the same.
    pub(crate) fn stop(self) {
        drop(self);
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.mailbox().stop = true;
        self.shared.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has said so on stderr.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests;
