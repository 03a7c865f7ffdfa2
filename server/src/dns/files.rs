//! Files that say something of names, followed as they change: host files, and resolv.conf where the operator wants its servers.
//!
//! A thread of its own reads them, for no query may wait for a disk. It watches their directories: whoever changes such a file replaces it.

use super::silence::{Others, Silent, Why};
use super::{Counts, FilesMailbox, Mailbox, Roots};
use crate::ask::Ask;
use crate::journal::{Journal, Weight};
use crate::plain_file;
use crate::wake::{Caller, Post};
use heorot_dns::{Forwarding, HostNames, name_servers};
use heorot_names::{HostsFile, HostsLine};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;

/// What the resolver is told about names that are not ours, as far as it does not stand in files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// With the servers that stand in the configuration.
    pub(crate) forwarding: Forwarding,
    /// Files whose servers belong to a group as well, by its place.
    pub(crate) server_files: Vec<(usize, String)>,
    /// Files of hosts.
    pub(crate) host_files: Vec<String>,
    /// The zone that names without a dot in these are in.
    pub(crate) zone: String,
    /// Our own addresses: a file may name us, and we need not ask ourselves.
    pub(crate) own: Vec<SocketAddr>,
    /// The file of the authorities that certificates have to come from; none: the host's own.
    pub(crate) roots: Option<String>,
}

/// The largest file that is read: a list of hosts of tens of thousands of lines.
const FILE_OCTETS_MAX: u64 = 16 << 20;
/// A file is often written in several steps.
const SETTLES: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
/// Of what is not understood in a file, so much is said; the rest is counted.
const MISTAKES_SAID_MAX: usize = 8;
/// Where resolvers listen.
const DNS_PORT: u16 = 53;
/// Where distributions keep the authorities that a host believes: Debian and SUSE, Fedora, Alpine.
const HOST_ROOTS: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// The lines of files of hosts, of all that can be read.
pub(crate) fn read_hosts(paths: &[String]) -> Arc<[HostsLine]> {
    paths.iter().filter_map(|path| Some(HostsFile::read(&read(path).ok()?).lines)).flatten().collect()
}

/// What is not understood in files of hosts, each with file and line, and passed over.
pub(crate) fn mistakes(paths: &[String]) -> Vec<String> {
    paths.iter().filter_map(|path| Some(mistakes_in(path, &read(path).ok()?))).flatten().collect()
}

fn mistakes_in(path: &str, text: &str) -> Vec<String> {
    let all = HostsFile::read(text).mistakes;
    let more = all.len().saturating_sub(MISTAKES_SAID_MAX);
    let said =
        all.iter().take(MISTAKES_SAID_MAX).map(|(line, why)| format!("dns.hosts: {path}:{line}: {why}"));
    let more = (more > 0).then(|| format!("dns.hosts: {path}: {more} more"));
    said.chain(more).collect()
}

/// Follows the files of plans until it is told to stop.
pub(super) fn run(own: &Post<FilesMailbox>, worker: &Post<Mailbox, Counts>, journal: &Journal) {
    let mut following: Option<Following> = None;
    let mut keeper: Option<Caller<Ask>> = None;
    // What the loop knows of files of hosts, and what it is still to be told.
    let mut told: Option<Arc<[HostsLine]>> = None;
    let mut untold = None;
    loop {
        let mail = own.take();
        if mail.stop {
            return;
        }
        let others = if mail.plan.is_some() { Others::Configured } else { Others::Named };
        keeper = mail.keeper.or(keeper);
        if let Some(plan) = mail.plan {
            let texts = following.map(|following| following.texts).unwrap_or_default();
            following = Some(Following { watch: watch(&plan).ok(), plan, texts });
        }
        if let Some(following) = &mut following {
            let changed = following.read_all();
            let are_hosts_changed = changed.iter().any(|path| following.plan.host_files.contains(path));
            for path in changed {
                let text = following.texts.get(&path).filter(|_| following.plan.host_files.contains(&path));
                let mistakes = text.map(|text| mistakes_in(&path, text)).unwrap_or_default();
                mistakes.into_iter().for_each(|mistake| journal.say(Weight::Warning, mistake));
            }
            let lines = following.hosts_lines();
            let hosts = Arc::new(HostNames::new(lines.iter(), &following.plan.zone));
            let left_out = hosts.lines_left_out();
            if left_out > 0 && are_hosts_changed {
                let text = format_args!("dns.hosts: {left_out} lines have no room: their names are not told");
                journal.say(Weight::Warning, text);
            }
            if told.as_ref() != Some(&lines) {
                untold = Some(lines);
            }
            let forwarding = Box::new(following.forwarding());
            let roots = following.plan.needs_roots().then(|| following.roots());
            let unnamed = following.unnamed(&forwarding);
            worker.tell(|mailbox| {
                // The worker may have had no time for what came before.
                let is_configured =
                    mailbox.unnamed.as_ref().is_some_and(|(_, others)| *others == Others::Configured);
                mailbox.unnamed = Some((unnamed, if is_configured { Others::Configured } else { others }));
                mailbox.roots = roots.or_else(|| mailbox.roots.take());
                (mailbox.forwarding, mailbox.hosts) = (Some(forwarding), Some(hosts));
            });
        }
        let watch = following.as_ref().and_then(|following| following.watch.as_ref());
        if let Some(keeper) = &keeper
            && let Some(lines) = untold.take()
        {
            // Where the line is full, it is tried again.
            match keeper.try_say(Ask::HostsFiles(Arc::clone(&lines))) {
                Ok(()) => told = Some(lines),
                Err(_) => untold = Some(lines),
            }
        }
        let timeout = untold.as_ref().and(keeper.as_ref()).map(|_| SETTLES);
        wait(own, watch, timeout.as_ref());
    }
}

/// A plan, and what its files said last.
pub(super) struct Following {
    pub(super) plan: Plan,
    /// None where the kernel has no watch left: the files stay as they were at the last reading of the configuration.
    pub(super) watch: Option<OwnedFd>,
    pub(super) texts: BTreeMap<String, String>,
}

impl Following {
    /// Reads all, and tells which say something else than before. A file that cannot be read stays what it was: it may be just being replaced.
    fn read_all(&mut self) -> Vec<String> {
        let mut changed = Vec::new();
        let files: BTreeSet<&str> = self.plan.files().collect();
        self.texts.retain(|path, _| files.contains(path.as_str()));
        for path in files {
            if let Ok(text) = read(path)
                && self.texts.get(path) != Some(&text)
            {
                self.texts.insert(path.to_owned(), text);
                changed.push(path.to_owned());
            }
        }
        changed
    }

    pub(super) fn forwarding(&self) -> Forwarding {
        let mut forwarding = self.plan.forwarding.clone();
        for (index, path) in &self.plan.server_files {
            let servers = self.texts.get(path).map(|text| name_servers(text)).unwrap_or_default();
            let servers = servers.into_iter().map(|address| SocketAddr::from((address, DNS_PORT)));
            let group = &mut forwarding.groups[*index].servers;
            for server in servers.filter(|server| !self.plan.own.contains(server)) {
                if !group.iter().any(|known| known.address == server) {
                    group.push(server.into());
                }
            }
        }
        forwarding
    }

    /// The groups that were to have servers from files, and have none.
    pub(super) fn unnamed(&self, forwarding: &Forwarding) -> Vec<Silent> {
        let groups = forwarding.groups.iter().enumerate().filter(|(_, group)| group.servers.is_empty());
        let unnamed = groups.filter_map(|(index, group)| {
            let files = self.plan.server_files.iter().filter(|(of, _)| *of == index);
            let files: Vec<String> = files.map(|(_, path)| path.clone()).collect();
            let domain = group.domain.clone();
            (!files.is_empty()).then_some(Silent { domain, why: Why::Unnamed(files) })
        });
        unnamed.collect()
    }

    fn hosts_lines(&self) -> Arc<[HostsLine]> {
        let texts = self.plan.host_files.iter().filter_map(|path| self.texts.get(path));
        texts.flat_map(|text| HostsFile::read(text).lines).collect()
    }

    /// The first file of authorities that is there.
    fn roots(&self) -> Roots {
        let found = self.plan.root_files().find_map(|path| Some((path, self.texts.get(path)?)));
        match found {
            Some((path, text)) => Roots { path: path.to_owned(), pem: text.clone() },
            None => {
                let files: Vec<&str> = self.plan.root_files().collect();
                Roots { path: files.join(" or "), pem: String::new() }
            }
        }
    }
}

impl Plan {
    /// All files that say something of it.
    fn files(&self) -> impl Iterator<Item = &str> {
        self.server_files
            .iter()
            .map(|(_, path)| path.as_str())
            .chain(self.host_files.iter().map(String::as_str))
            .chain(self.root_files())
    }

    /// Where authorities may stand, if anybody is asked by TLS.
    fn root_files(&self) -> impl Iterator<Item = &str> {
        let files = match &self.roots {
            Some(path) => vec![path.as_str()],
            None => HOST_ROOTS.to_vec(),
        };
        files.into_iter().filter(|_| self.needs_roots())
    }

    fn needs_roots(&self) -> bool {
        self.forwarding.groups.iter().flat_map(|group| &group.servers).any(|server| server.tls.is_some())
    }
}

fn read(path: &str) -> io::Result<String> {
    let octets = plain_file::read(path, FILE_OCTETS_MAX)?;
    Ok(String::from_utf8_lossy(&octets).into_owned())
}

/// Watches the directories of all files, and those of what symbolic links lead to: /etc/resolv.conf often is one.
fn watch(plan: &Plan) -> io::Result<OwnedFd> {
    let watch = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
    let changes = WatchFlags::CLOSE_WRITE | WatchFlags::MOVED_TO | WatchFlags::CREATE | WatchFlags::DELETE;
    for path in plan.files().map(Path::new) {
        let real = std::fs::canonicalize(path).ok();
        let directories = [path.parent(), real.as_deref().and_then(Path::parent)];
        for directory in directories.into_iter().flatten() {
            // A directory that is not there yet is not watched: nothing in it can be read either.
            let _ = inotify::add_watch(&watch, directory, changes);
        }
    }
    Ok(watch)
}

/// Until there is mail, or something changed and has settled, or that time is over.
fn wait(mail: &Post<FilesMailbox>, watch: Option<&OwnedFd>, timeout: Option<&Timespec>) {
    let mut waiting = vec![PollFd::new(mail, PollFlags::IN)];
    waiting.extend(watch.map(|watch| PollFd::new(watch, PollFlags::IN)));
    let _ = poll(&mut waiting, timeout);
    let changed = waiting.get(1).is_some_and(|watch| !watch.revents().is_empty());
    if let Some(watch) = watch.filter(|_| changed) {
        let _ = poll(&mut [PollFd::new(mail, PollFlags::IN)], Some(&SETTLES));
        let mut buffer = [0; 4096];
        while rustix::io::read(watch, &mut buffer).is_ok_and(|octets| octets > 0) {}
    }
}
