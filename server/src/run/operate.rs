//! Signals: a new configuration, a dump, and the end.

use super::Loop;
use super::carry::Asker;
use super::refusals::{READ_WITHIN, UNREAD, UNREAD_WHY};
use crate::configuration::{self, Read, Readdressed};
use crate::dns::Told;
use crate::http::listen;
use crate::journal::Weight;
use crate::lacking::Found;
use crate::names;
use crate::overdue::Undelivered;
use crate::settings;
use heorot_core::config::Config;
use heorot_core::load::Link;
use heorot_core::message::{Answer, Input, Query, Rest};
use heorot_core::transfer;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

/// What SIGUSR1 writes, in `server.state`.
pub(crate) const DUMP_FILE: &str = "state.json";

/// How long the server may take to end: systemd waits 90 s and an operator less.
const ENDS_WITHIN: Duration = Duration::from_secs(5);

/// How long the end waits for answers to be written.
const LAST_WORDS: Duration = Duration::from_millis(20);

/// What was read of the configuration by a thread.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "there is one at a time")]
pub(crate) enum Reloaded {
    /// The file.
    File(Result<Read, String>),
    /// What other addresses of the host make of it.
    Addresses(Result<Readdressed, String>),
}

/// Blocks the signals that we know, in this thread and all that it starts, and makes them readable.
///
/// # Errors
/// The kernel's.
pub(crate) fn signals() -> io::Result<SignalFd> {
    let known = [Signal::SIGHUP, Signal::SIGUSR1, Signal::SIGTERM, Signal::SIGINT];
    let mask: SigSet = known.into_iter().collect();
    mask.thread_block()?;
    Ok(SignalFd::with_flags(&mask, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?)
}

/// What is being written of `state.json`.
#[derive(Debug, Default)]
pub(super) struct Dump {
    /// Whether a thread writes it.
    is_writing: Arc<AtomicBool>,
    /// To that thread, as long as there is more.
    parts: Option<Sender<Part>>,
    /// What is to be asked for next.
    rest: Option<Box<Rest>>,
}

#[derive(Debug)]
enum Part {
    Text(String),
    Last(String),
}

/// What is wrong, in a line: the first mistake without its excerpt, what to do about it, and that there are more.
pub(super) fn in_a_line(mistakes: &str, path: &Path) -> String {
    let mut lines = mistakes.lines();
    let first = lines.next().unwrap_or_default();
    let begins = |line: &&str| !line.starts_with([' ', '\t']) && !line.contains(" | ");
    let of_it: Vec<&str> = lines.clone().take_while(|line| !begins(line)).collect();
    // The carets below the excerpt are indented too.
    let is_remedy = |line: &&&str| line.starts_with("  ") && !line.trim_start().starts_with('|');
    let remedy = of_it.iter().find(is_remedy).map(|remedy| format!("; {}", remedy.trim_start()));
    let more = lines.filter(begins).count();
    let more = (more > 0).then(|| format!("; and {more} more: heorot check {}", path.display()));
    [first.to_owned(), remedy.unwrap_or_default(), more.unwrap_or_default()].concat()
}

impl Loop {
    /// Files without which nodes do not boot, or what is promised is lost, are not there, or are again.
    pub(super) fn lacking(&mut self, Found { files, state }: Found) {
        let of_state = self.refusals.state(self.now, state);
        for (weight, line) in of_state.into_iter().chain(self.refusals.lacking(self.now, files)) {
            self.parts.journal.say(weight, line);
        }
    }

    /// Servers that are asked for names of others do not answer, or do again.
    pub(super) fn unanswered(&mut self, silent: Vec<Told>, over: Vec<String>) {
        let lines = self.refusals.unanswered(self.now, silent);
        let over = over.into_iter().map(|line| (Weight::Notice, line));
        for (weight, line) in lines.into_iter().chain(over) {
            self.parts.journal.say(weight, format_args!("DNS: {line}"));
        }
    }

    /// File systems do not answer, or do again.
    pub(super) fn undelivered(&mut self, undelivered: &Undelivered) {
        let config = &self.parts.config;
        let directories = (config.boot.directory.as_str(), config.overlays.as_str());
        let lines = self.refusals.undelivered(self.now, undelivered, directories);
        let held_up = self.refusals.held_up(directories);
        for (weight, line) in lines {
            self.parts.journal.say(weight, line);
        }
        self.heorot(Input::FilesHeldUp(held_up));
    }

    pub(super) fn take_signals(&mut self) {
        while let Ok(Some(info)) = self.parts.signals.read_signal() {
            let number = i32::try_from(info.ssi_signo).unwrap_or(0);
            match Signal::try_from(number) {
                Ok(Signal::SIGHUP) => self.begin_reload(),
                Ok(Signal::SIGUSR1) => self.begin_dump(),
                Ok(signal) => self.begin_end(signal),
                Err(_) => {}
            }
        }
    }

    /// Has the configuration read by a thread of its own: it asks the kernel for all interfaces, and the disk.
    fn begin_reload(&mut self) {
        self.parts.http.restore_control();
        if self.reloading || self.ends_by.is_some() {
            self.reload_again = true;
            return;
        }
        let (path, running) = (self.parts.config_path.clone(), self.parts.config.clone());
        let control_given = self.parts.control_given.clone();
        self.begin_reading(move || {
            let read = configuration::read_anew(&path, &running).and_then(|mut read| {
                if let Some(control) = control_given {
                    read.config.server.control = control;
                }
                let problems = configuration::problems_here(&read.config);
                if problems.is_empty() { Ok(read) } else { Err(problems.join("\n")) }
            });
            let read = read.map(|mut read| {
                let here = configuration::warnings_here(&read.config);
                read.warnings.extend(here.into_iter().map(|(_, warning)| warning));
                read
            });
            Reloaded::File(read)
        });
    }

    /// Has a thread read, and tell what it found.
    pub(super) fn begin_reading(&mut self, read: impl FnOnce() -> Reloaded + Send + 'static) {
        let reload = self.parts.reload.clone();
        let (reads, is_read) = std::sync::mpsc::channel::<()>();
        let read = move || {
            let found = read();
            drop(reads);
            reload.say(found);
        };
        let spawn = |name: &str, task| std::thread::Builder::new().name(name.into()).spawn(task);
        let begun = spawn("reload", Box::new(read) as Box<dyn FnOnce() + Send>);
        if let Err(error) = begun {
            return self.complain("reading the configuration anew", &error);
        }
        self.reloading = true;
        self.refusals.reading(Some(self.now));
        let journal = self.parts.journal.clone();
        let watch = move || {
            if is_read.recv_timeout(READ_WITHIN) == Err(RecvTimeoutError::Timeout) {
                journal.say(Weight::Warning, format_args!("{UNREAD}\n  {UNREAD_WHY}"));
            }
        };
        // Without it the status says so all the same.
        let _ = spawn("reload-watch", Box::new(watch));
    }

    /// Takes what was read. What was changed of the host's addresses meanwhile comes after it.
    pub(super) fn reloaded(&mut self, reloaded: Reloaded) {
        self.reloading = false;
        self.refusals.reading(None);
        match reloaded {
            Reloaded::File(read) => self.reconfigure(read),
            Reloaded::Addresses(readdressed) => self.readdress(readdressed),
        }
        // What was written meanwhile was not read, or not whole.
        if std::mem::take(&mut self.reload_again) {
            self.begin_reload();
        }
        self.look_at_addresses();
    }

    /// Takes the new configuration, or keeps the old one and says why.
    fn reconfigure(&mut self, read: Result<Read, String>) {
        let Read { config, links, tls, warnings, text } = match read {
            Ok(read) => read,
            Err(mistakes) => {
                let text = format!("the configuration is wrong; the old one stays:\n{mistakes}");
                let why = in_a_line(&mistakes, &self.parts.config_path);
                self.refusals.configuration(self.now, Some(why));
                return self.parts.journal.say(Weight::Warning, text.trim_end());
            }
        };
        let fixed = settings::need_restart(&self.parts.config, &config);
        if !fixed.is_empty() {
            let why = format!("changing {} needs a restart: systemctl restart heorot", fixed.join(", "));
            let text = format!("{why}; until then the old configuration stays");
            self.refusals.configuration(self.now, Some(why));
            return self.parts.journal.say(Weight::Warning, text);
        }
        for warning in &warnings {
            self.parts.journal.say(Weight::Warning, warning.trim_end());
        }
        self.refusals.configuration(self.now, None);
        self.parts.config_text = text;
        self.addresses.tried = None;
        if let Some(tls) = tls {
            self.parts.http.secure(tls);
        }
        self.use_configuration(config, links);
        self.parts.journal.say(Weight::Notice, "the configuration was read anew");
    }

    /// Goes on with another configuration.
    pub(super) fn use_configuration(&mut self, config: Config, links: Vec<Link>) {
        for interface in &self.parts.interfaces {
            interface.hear_requests(&config);
        }
        self.parts.directory.change(&config.boot.directory, config.boot.packages.as_deref());
        self.parts.overlays.change(&config.overlays);
        self.parts.lacking.0.configure(&config);
        self.parts.dns.configure(settings::dns_settings(&config));
        match crate::dns::seed() {
            Ok(seed) => self.parts.dns.forward(settings::dns_plan(&config, seed)),
            Err(error) => self.parts.journal.say(
                Weight::Warning,
                format_args!("names that are not ours are asked as before: there is no chance ({error})"),
            ),
        }
        if let Some(names) = &self.parts.names {
            names.configure(names::place(&config));
        }
        if let Some((handle, settings)) = self.parts.nis.as_ref().zip(settings::nis_settings(&config)) {
            handle.configure(config.nis.clone().unwrap_or_else(crate::nis::no_nis), settings);
        }
        if let Some((handle, nfs)) = self.parts.nfs.as_ref().zip(config.nfs.as_ref()) {
            handle.configure(nfs, settings::nfs_networks(&config));
        }
        self.transfer(transfer::Input::Configure(links));
        self.parts.config = config.clone();
        self.heorot(Input::Configure(Box::new(config)));
    }

    /// Begins to write what SIGUSR1 asked for, by a thread of its own: part after part, as the loop has time for them. What was promised is durable at every moment, so the
    /// commit that is begun at the end of this turn is the checkpoint.
    fn begin_dump(&mut self) {
        if self.dump.is_writing.swap(true, Ordering::Relaxed) {
            return self.complain("writing state.json", &"the last one is still being written");
        }
        let path = Path::new(&self.parts.config.server.state).join(DUMP_FILE);
        let (journal, is_writing) = (self.parts.journal.clone(), Arc::clone(&self.dump.is_writing));
        let (parts, to_write) = std::sync::mpsc::channel();
        let write = move || {
            match write_atomically(&path, &to_write) {
                Ok(()) => journal.say(Weight::Notice, format_args!("{} was written", path.display())),
                Err(e) => {
                    journal.say(Weight::Warning, format_args!("{} cannot be written: {e}", path.display()))
                }
            }
            is_writing.store(false, Ordering::Relaxed);
        };
        if let Err(error) = std::thread::Builder::new().name("dump".into()).spawn(write) {
            self.dump.is_writing.store(false, Ordering::Relaxed);
            return self.complain("writing state.json", &error);
        }
        self.dump.parts = Some(parts);
        self.query(Asker::Dump, Query::Dump);
    }

    /// A part of it is there.
    pub(super) fn dumped(&mut self, answer: Answer) {
        let Some(parts) = &self.dump.parts else { return };
        // Without the thread, which has said why it ended, nobody wants the rest.
        let is_wanted = match answer {
            Answer::Part(text, rest) => {
                let is_wanted = parts.send(Part::Text(text)).is_ok();
                self.dump.rest = Some(rest).filter(|_| is_wanted);
                is_wanted
            }
            Answer::Json(200, text) => {
                let _ = parts.send(Part::Last(text));
                false
            }
            Answer::Text(_)
            | Answer::File(_)
            | Answer::FirstOf(_)
            | Answer::Json(..)
            | Answer::Unwritten(_)
            | Answer::Files(_)
            | Answer::HostKeys(_)
            | Answer::Missing(_)
            | Answer::Refused(_) => false,
        };
        if is_wanted {
            // In the next turn, when others have had theirs.
            self.parts.bell.ring();
        } else {
            self.dump.parts = None;
        }
    }

    /// Asks for the next part of what is being written.
    pub(super) fn go_on_dumping(&mut self) {
        if let Some(rest) = self.dump.rest.take() {
            self.query(Asker::Dump, Query::More(rest));
        }
    }

    /// Takes nothing new from now on. A second signal does not wait for what is under way.
    fn begin_end(&mut self, signal: Signal) {
        let patience = if self.ends_by.is_some() { Duration::ZERO } else { ENDS_WITHIN };
        self.ends_by = Some(self.now + patience);
        self.parts.journal.say(Weight::Notice, format_args!("{signal}: ending"));
    }

    /// Looks, whenever the loop wakes (they ring when they die), whether those who tell names still do: nobody else would notice for long, and the server that is started instead of this one has them again.
    ///
    /// # Errors
    /// A thread has died: a mistake of ours, of which it has told on stderr.
    pub(super) fn look_at_threads(&self) -> io::Result<()> {
        let died =
            |who| Err(io::Error::other(format!("the thread of {who} has died: a mistake of heorot's")));
        if !self.parts.dns.is_running() {
            return died("DNS");
        }
        match &self.parts.nis {
            Some(nis) if !nis.is_running() => died("NIS"),
            Some(_) | None => Ok(()),
        }
    }

    /// Whether the server was told to end and may: everything promised is durable and no file is on its way by HTTP, or it took too long.
    /// TFTP transfers are not waited for: they are noted, and the next server goes on with them.
    pub(super) fn is_over(&self) -> bool {
        let answered = !self.pending.has_http();
        let done = self.parts.commits.is_idle()
            && self.held.due().is_none()
            && answered
            && self.parts.http.counts().sending == 0;
        self.ends_by.is_some_and(|by| done || crate::clock::now() >= by)
    }

    /// The last things.
    pub(super) fn end(self) {
        let longest = self.longest_turn.as_micros();
        let mut parts = self.parts;
        parts.senders.end();
        // What was answered last is still to be written by the thread that speaks HTTP.
        std::thread::sleep(LAST_WORDS);
        // No entry outlives us; the next server sets anew those that its nodes need.
        if let Err(error) = parts.neighbours.end() {
            parts.journal.say(Weight::Warning, format_args!("neighbour entries stay behind: {error}"));
        }
        let active = parts.transfers.active();
        if active == 0 {
            let _ = parts.notes.remove();
        }
        parts.directory.keep_touched();
        // A server that has gone should not look like one that does not answer.
        let _ = listen::remove(Path::new(&parts.config.server.control));
        parts.dns.stop();
        if let Some(names) = parts.names.take() {
            names.stop();
        }
        if let Some(nis) = parts.nis.take() {
            nis.stop();
        }
        if let Some(nfs) = parts.nfs.take() {
            nfs.stop();
        }
        parts.journal.say(
            Weight::Notice,
            format_args!(
                "ended; {active} transfers are noted for the next server; the longest turn took {longest} µs"
            ),
        );
        parts.journal.flush();
    }
}

/// Puts a file in its place whole or not at all, as its parts come.
fn write_atomically(path: &Path, parts: &Receiver<Part>) -> io::Result<()> {
    let new = path.with_extension("json.new");
    let mut file = File::create(&new)?;
    loop {
        match parts.recv() {
            Ok(Part::Text(text)) => file.write_all(text.as_bytes())?,
            Ok(Part::Last(text)) => {
                file.write_all(text.as_bytes())?;
                break;
            }
            Err(_) => return Err(io::Error::other("the server had no time for the rest of it")),
        }
    }
    file.sync_all()?;
    std::fs::rename(&new, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dump_replaces_the_last_one() {
        let directory = crate::testing::directory("dump");
        let path = directory.path().join(DUMP_FILE);
        let write = |path: &Path, texts: &[&str], last: Option<&str>| {
            let (parts, to_write) = std::sync::mpsc::channel();
            for text in texts {
                parts.send(Part::Text((*text).into())).unwrap();
            }
            last.into_iter().for_each(|last| parts.send(Part::Last(last.into())).unwrap());
            drop(parts);
            write_atomically(path, &to_write)
        };
        write(&path, &["{\"a\"", ":"], Some("1}")).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{\"a\":1}");
        write(&path, &[], Some("{}")).unwrap();
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
        assert!(write(&directory.path().join("missing/state.json"), &[], Some("")).is_err());
        assert!(write(&path, &["{\"a\""], None).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{}", "what is not whole replaces nothing");
    }
}
