//! Files without which nodes do not boot, and the one that what is promised is kept in, followed as they come and go: the operator is told before a node asks for
//! one that is not there, and before a restart shows that what was promised is nowhere.
//!
//! A thread of its own looks at them, for the loop waits for no disk.

use crate::doctor::{self, Finding};
use crate::rights;
use crate::store::Place;
use crate::wake::Caller;
use heorot_core::config::Config;
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

/// All that lacks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// Files that nodes boot from.
    pub(crate) files: Vec<Lacking>,
    /// The file that records are written to.
    pub(crate) state: Option<Lacking>,
}

/// What lacks, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Lacking {
    /// Which file, and what is so: `profile.default kernel: there is no vmlinuz`.
    pub(crate) what: String,
    /// What to do, in a line.
    pub(crate) remedy: String,
}

impl From<Finding> for Lacking {
    fn from(Finding { subject, said, .. }: Finding) -> Self {
        let (what, remedy) = said.split_once('\n').unwrap_or((&said, "heorot doctor"));
        Self { what: format!("{subject}: {what}"), remedy: remedy.trim().to_owned() }
    }
}

/// To the thread: another configuration.
#[derive(Debug)]
pub(crate) struct Handle(Sender<Config>);

impl Handle {
    /// Looks at the files of another configuration from now on.
    pub(crate) fn configure(&self, config: &Config) {
        // Without the thread nothing lacks, as far as anybody knows.
        let _ = self.0.send(config.clone());
    }
}

/// How soon it shows that a file has come, or has gone.
const LOOKED_AT_EVERY: Duration = Duration::from_secs(30);
/// Whoever replaces a file by removing it first, or copies over it, has it missing or empty for a moment.
const REPLACED_WITHIN: Duration = Duration::from_secs(5);

/// Starts the thread. It says what lacks whenever that is something else than what it said last, and ends with the loop.
///
/// # Errors
/// No thread can be started.
pub(crate) fn start(config: Config, place: Place, changes: Caller<Found>) -> io::Result<Handle> {
    let (handle, configurations) = channel();
    thread::Builder::new().name("lacking".into()).spawn(move || {
        rights::renounce();
        follow((config, &place), &configurations, &changes, (LOOKED_AT_EVERY, REPLACED_WITHIN));
    })?;
    Ok(Handle(handle))
}

fn follow(
    (mut config, place): (Config, &Place),
    configurations: &Receiver<Config>,
    changes: &Caller<Found>,
    (every, within): (Duration, Duration),
) {
    let mut said = Found::default();
    // What is written in a configuration that is new has to be there now.
    let mut is_new = true;
    loop {
        let mut found = look(&config, place);
        if !is_new && found.files.iter().any(|lacking| !said.files.contains(lacking)) {
            thread::sleep(within);
            let again = look(&config, place);
            found.files.retain(|lacking| again.files.contains(lacking));
            found.state = again.state;
        }
        if found != said {
            said.clone_from(&found);
            if !changes.say(found) {
                return;
            }
        }
        is_new = match configurations.recv_timeout(every) {
            Ok(another) => {
                config = another;
                true
            }
            Err(RecvTimeoutError::Timeout) => false,
            Err(RecvTimeoutError::Disconnected) => return,
        };
    }
}

fn look(config: &Config, place: &Place) -> Found {
    let files = doctor::lacking_files(config).into_iter().map(Lacking::from).collect();
    Found { files, state: place.lacking() }
}

#[cfg(test)]
mod tests;
