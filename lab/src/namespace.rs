//! Network namespaces with names of our own, removed with their value, or by the next run if this one was killed.

use crate::command::{self, ask};
use nix::sched::{CloneFlags, setns};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

/// One network namespace, with its loopback interface up.
#[derive(Debug)]
pub struct Namespace {
    name: String,
}

impl Namespace {
    /// Makes one. `role` is for people who look at `ip netns`.
    ///
    /// # Errors
    /// In words: without root's rights, mostly.
    pub fn new(role: &str) -> Result<Self, String> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        if number == 0 {
            remove_leftovers();
        }
        let name = format!("{PREFIX}{}-{number}-{role}", std::process::id());
        ask("ip", &["netns", "add", &name])
            .map_err(|error| format!("a network namespace needs root's rights: {error}"))?;
        let namespace = Self { name };
        namespace.ip("link set lo up")?;
        Ok(namespace)
    }

    /// What `ip netns` calls it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs `ip` inside, with arguments parted by spaces.
    ///
    /// # Errors
    /// In words, with what `ip` said.
    pub fn ip(&self, arguments: &str) -> Result<String, String> {
        let words: Vec<_> = ["-n", &self.name].into_iter().chain(arguments.split_whitespace()).collect();
        ask("ip", &words)
    }

    /// A command that will run inside, and is killed when the thread that starts it ends.
    ///
    /// Both wrappers replace themselves by the program, so that the child's process id is the program's.
    #[must_use]
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, "setpriv", "--pdeathsig", "KILL"]).arg(program);
        command
    }

    /// Runs a program inside and returns what it wrote.
    ///
    /// # Errors
    /// As [`command::run`].
    pub fn ask(&self, program: &str, arguments: &[&str]) -> Result<String, String> {
        command::run(self.command(program).args(arguments), command::PATIENCE)
    }

    /// Runs `inside` on a thread that is in this namespace: sockets opened there stay in it.
    ///
    /// # Errors
    /// In words, if the namespace cannot be entered; and what `inside` returns.
    pub fn enter<T: Send>(&self, inside: impl FnOnce() -> Result<T, String> + Send) -> Result<T, String> {
        let path = Path::new("/run/netns").join(&self.name);
        let file = File::open(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        thread::scope(|scope| {
            let entered = scope.spawn(move || {
                setns(file, CloneFlags::CLONE_NEWNET)
                    .map_err(|error| format!("{}: {error}", path.display()))?;
                inside()
            });
            entered.join().unwrap_or_else(|_| Err("a thread in a namespace panicked".to_owned()))
        })
    }
}

impl Namespace {
    /// The process ids of all that runs inside.
    ///
    /// # Errors
    /// In words, with what `ip` said.
    pub fn processes(&self) -> Result<Vec<i32>, String> {
        let listed = ask("ip", &["netns", "pids", &self.name])?;
        Ok(listed.lines().filter_map(|process| process.trim().parse().ok()).collect())
    }

    /// Ends what runs inside, and leaves it as it is otherwise: children of a server that was killed live on.
    pub fn end_all(&self) {
        end_all(&self.name);
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        remove(&self.name);
    }
}

/// Removes a namespace, and ends what runs inside: a program that gave up root's rights outlives the thread that started it.
fn remove(name: &str) {
    end_all(name);
    let _ = ask("ip", &["netns", "delete", name]);
}

fn end_all(name: &str) {
    for process in ask("ip", &["netns", "pids", name]).unwrap_or_default().lines() {
        if let Ok(process) = process.trim().parse() {
            let _ = kill(Pid::from_raw(process), Signal::SIGKILL);
        }
    }
}

/// Removes namespaces of runs that are no more.
fn remove_leftovers() {
    let Ok(entries) = fs::read_dir("/run/netns") else { return };
    for name in entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()) {
        let process = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next());
        let gone = process.is_some_and(|process| !Path::new("/proc").join(process).exists());
        if gone {
            remove(&name);
        }
    }
}

const PREFIX: &str = "heorot-lab-";
