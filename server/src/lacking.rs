//! Files without which nodes do not boot, followed as they come and go: the operator is told before a node asks for one that is not there.
//!
//! A thread of its own looks at them, for the loop waits for no disk.

use crate::doctor::{self, Finding};
use crate::rights;
use crate::wake::Caller;
use heorot_core::config::Config;
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

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
pub(crate) fn start(config: Config, changes: Caller<Vec<Lacking>>) -> io::Result<Handle> {
    let (handle, configurations) = channel();
    thread::Builder::new().name("lacking".into()).spawn(move || {
        rights::renounce();
        follow(config, &configurations, &changes, (LOOKED_AT_EVERY, REPLACED_WITHIN));
    })?;
    Ok(Handle(handle))
}

fn follow(
    mut config: Config,
    configurations: &Receiver<Config>,
    changes: &Caller<Vec<Lacking>>,
    (every, within): (Duration, Duration),
) {
    let mut said = Vec::new();
    // What is written in a configuration that is new has to be there now.
    let mut is_new = true;
    loop {
        let mut found = look(&config);
        if !is_new && found.iter().any(|lacking| !said.contains(lacking)) {
            thread::sleep(within);
            let again = look(&config);
            found.retain(|lacking| again.contains(lacking));
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

fn look(config: &Config) -> Vec<Lacking> {
    doctor::lacking_files(config).into_iter().map(Lacking::from).collect()
}

#[cfg(test)]
mod tests;
