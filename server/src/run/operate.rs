//! Signals: a new configuration, a dump, and the end.

use super::Loop;
use super::carry::Asker;
use crate::configuration::{self, Read, Readdressed};
use crate::journal::Weight;
use crate::lacking::Lacking;
use crate::names;
use crate::settings;
use heorot_core::config::Config;
use heorot_core::load::Link;
use heorot_core::message::{Answer, Input, MeasuredTrouble, Query, Rest};
use heorot_core::time::Time;
use heorot_core::transfer;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender};
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

/// What was refused or lacks, and is not right yet: the journal has said so once, and who looks later looks at the status.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    /// The file on disk.
    configuration: Option<MeasuredTrouble>,
    /// What other addresses make of the configuration.
    addresses: Option<MeasuredTrouble>,
    /// Interfaces whose frames come from a hardware address that they had before.
    frames: BTreeMap<String, MeasuredTrouble>,
    /// Files without which nodes do not boot, and since when each lacks.
    lacking: Vec<(Lacking, Time)>,
}

impl Refusals {
    pub(super) fn told(&self) -> Vec<MeasuredTrouble> {
        let refused = self.configuration.iter().chain(&self.addresses).chain(self.frames.values()).cloned();
        let lacking = self.lacking.iter().take(LACKING_TOLD_MAX).map(|(lacking, since)| {
            let Lacking { what, remedy } = lacking.clone();
            MeasuredTrouble { what, since: *since, why: remedy }
        });
        let left = self.lacking.get(LACKING_TOLD_MAX..).unwrap_or_default();
        let more = left.first().map(|(_, since)| MeasuredTrouble {
            what: format!("{} more files that nodes boot from are not there", left.len()),
            since: *since,
            why: "heorot doctor".into(),
        });
        refused.chain(lacking).chain(more).collect()
    }

    /// An interface's frames come from a hardware address that it had before, for this reason, or they do not.
    pub(super) fn frames(&mut self, now: Time, interface: &str, why: Option<String>) {
        let what = format!(
            "{interface} is served, and its frames come from the hardware address that it had before,"
        );
        let mut place = self.frames.remove(interface);
        refuse(&mut place, now, &what, why.map(|why| format!("{why} (it is tried again every second)")));
        self.frames.extend(place.map(|trouble| (interface.to_owned(), trouble)));
    }

    /// These files lack, and no others. Of what is new, the lines for the journal.
    fn lacking(&mut self, now: Time, lacking: Vec<Lacking>) -> Vec<(Weight, String)> {
        let before = std::mem::take(&mut self.lacking);
        let known = |wanted: &Lacking| before.iter().find(|(lacking, _)| lacking == wanted);
        let new = lacking.iter().filter(|lacking| known(lacking).is_none());
        let mut lines: Vec<_> =
            new.map(|Lacking { what, remedy }| (Weight::Warning, format!("{what}\n  {remedy}"))).collect();
        if let Some(left) = lines.len().checked_sub(LACKING_TOLD_MAX).filter(|left| *left > 0) {
            lines.truncate(LACKING_TOLD_MAX);
            let more = format!("{left} more files that nodes boot from are not there: heorot doctor");
            lines.push((Weight::Warning, more));
        }
        self.lacking = lacking
            .into_iter()
            .map(|lacking| {
                let since = known(&lacking).map_or(now, |(_, since)| *since);
                (lacking, since)
            })
            .collect();
        if self.lacking.is_empty() && !before.is_empty() {
            lines.push((Weight::Notice, "all files that nodes boot from are there".into()));
        }
        lines
    }

    /// The configuration was tried again, and is refused or not: since when it is the first time counts.
    fn configuration(&mut self, now: Time, why: Option<String>) {
        const WHAT: &str = "the configuration on disk is refused, and the old one is in use,";
        refuse(&mut self.configuration, now, WHAT, why);
    }

    /// The same of the host's addresses.
    pub(super) fn addresses(&mut self, now: Time, why: Option<String>) {
        const WHAT: &str = "the configuration is wrong for the addresses that this host has";
        refuse(&mut self.addresses, now, WHAT, why);
    }
}

fn refuse(place: &mut Option<MeasuredTrouble>, now: Time, what: &str, why: Option<String>) {
    let since = place.as_ref().map_or(now, |before| before.since);
    *place = why.map(|why| MeasuredTrouble { what: what.into(), since, why });
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

/// Files that lack and are told of one by one: who has forgotten a directory has forgotten all that is in it.
const LACKING_TOLD_MAX: usize = 8;

impl Loop {
    /// Files without which nodes do not boot are not there, or are again.
    pub(super) fn lacking(&mut self, lacking: Vec<Lacking>) {
        for (weight, line) in self.refusals.lacking(self.now, lacking) {
            self.parts.journal.say(weight, line);
        }
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
        self.begin_reading(move || {
            let read = configuration::read_anew(&path, &running).and_then(|read| {
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
        let read = move || {
            reload.say(read());
        };
        match std::thread::Builder::new().name("reload".into()).spawn(read) {
            Ok(_) => self.reloading = true,
            Err(error) => self.complain("reading the configuration anew", &error),
        }
    }

    /// Takes what was read. What was changed of the host's addresses meanwhile comes after it.
    pub(super) fn reloaded(&mut self, reloaded: Reloaded) {
        self.reloading = false;
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
        let Read { mut config, links, tls, warnings, text } = match read {
            Ok(read) => read,
            Err(mistakes) => {
                let text = format!("the configuration is wrong; the old one stays:\n{mistakes}");
                let why = in_a_line(&mistakes, &self.parts.config_path);
                self.refusals.configuration(self.now, Some(why));
                return self.parts.journal.say(Weight::Warning, text.trim_end());
            }
        };
        if let Some(control) = &self.parts.control_given {
            config.server.control.clone_from(control);
        }
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
        // A server that has gone should not look like one that does not answer.
        let _ = std::fs::remove_file(&parts.config.server.control);
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

    /// Who looks at the status a day later is told since when, and not of a reload that went well meanwhile.
    #[test]
    fn what_is_refused_is_told_until_it_is_right() {
        let path = Path::new("/etc/heorot/heorot.toml");
        let at = |seconds: u64| Time::from_nanoseconds(seconds * 1_000_000_000);
        let mistakes = "heorot.toml:3:1: unknown key interfac\n3 | interfac = \"eth1\"\n  | ^^^^^^^^\n  did you mean \"interface\"?\n\
                        heorot.toml:4:1: twice\n4 | numbers = \"0-9\"\n  | ^^^\n  take one away\n";
        let why = in_a_line(mistakes, path);
        assert_eq!(
            why,
            "heorot.toml:3:1: unknown key interfac; did you mean \"interface\"?; and 1 more: heorot check /etc/heorot/heorot.toml"
        );
        let closed = "/etc/heorot/heorot.toml cannot be read: denied\n  chgrp heorot /etc/heorot\n";
        assert_eq!(
            in_a_line(closed, path),
            "/etc/heorot/heorot.toml cannot be read: denied; chgrp heorot /etc/heorot"
        );
        let mut refusals = Refusals::default();
        assert_eq!(refusals.told(), []);
        refusals.configuration(at(1), Some("first".into()));
        refusals.configuration(at(2), Some(why));
        let told = refusals.told();
        assert_eq!((told.len(), told[0].since), (1, at(1)));
        assert!(told[0].why.starts_with("heorot.toml:3:1"), "{told:?}");
        refusals.addresses(at(3), Some("second".into()));
        refusals.configuration(at(4), None);
        assert_eq!(refusals.told().len(), 1);
        refusals.addresses(at(5), None);
        assert_eq!(refusals.told(), []);
        refusals.frames(at(6), "eth1", Some("no descriptor is left".into()));
        refusals.frames(at(7), "eth1", Some("no memory is left".into()));
        let told = refusals.told();
        assert_eq!((told.len(), told[0].since), (1, at(6)));
        assert_eq!(
            (told[0].what.as_str(), told[0].why.as_str()),
            (
                "eth1 is served, and its frames come from the hardware address that it had before,",
                "no memory is left (it is tried again every second)"
            )
        );
        refusals.frames(at(8), "eth1", None);
        assert_eq!(refusals.told(), []);
    }

    /// As long as a file is not there it is told of, with since when, and in the journal once.
    #[test]
    fn files_that_are_not_there_are_told_until_they_come() {
        let at = |seconds: u64| Time::from_nanoseconds(seconds * 1_000_000_000);
        let file = |name: &str| Lacking {
            what: format!("profile.default kernel: there is no {name}"),
            remedy: format!("put {name} into /srv/heorot, readable for heorot"),
        };
        let mut refusals = Refusals::default();
        let lines = refusals.lacking(at(1), vec![file("vmlinuz-typo")]);
        let said = "profile.default kernel: there is no vmlinuz-typo\n  put vmlinuz-typo into /srv/heorot, readable for heorot";
        assert_eq!(lines, [(Weight::Warning, said.to_owned())]);
        let lines = refusals.lacking(at(2), vec![file("initrd"), file("vmlinuz-typo")]);
        assert_eq!(lines.len(), 1, "{lines:?}");
        let told = refusals.told();
        assert_eq!((told.len(), told[0].since, told[1].since), (2, at(2), at(1)));
        assert_eq!(told[1].why, "put vmlinuz-typo into /srv/heorot, readable for heorot");
        let many = (0..20).map(|number| file(&number.to_string())).collect();
        let lines = refusals.lacking(at(3), many);
        let more = "12 more files that nodes boot from are not there";
        assert_eq!(lines.last().map(|(_, line)| line.as_str()), Some(&*format!("{more}: heorot doctor")));
        assert_eq!(lines.len(), 9);
        assert_eq!(refusals.told().last().map(|told| told.what.clone()).as_deref(), Some(more));
        let lines = refusals.lacking(at(4), vec![]);
        assert_eq!(lines, [(Weight::Notice, "all files that nodes boot from are there".to_owned())]);
        assert_eq!(refusals.told(), []);
    }

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
