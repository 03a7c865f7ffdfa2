//! `heorot serve`: everything is checked, then opened, then the privileges are given away, then it runs.

use crate::ask::ASKS_WAITING_MAX;
use crate::configuration::{self, Read};
use crate::echo::Echo;
use crate::http::listen::ControlSocket;
use crate::http::{self, Http};
use crate::images::Images;
use crate::images::directory::BootDirectory;
use crate::interface::{self, Interface};
use crate::journal::{Journal, Weight};
use crate::link::Routed;
use crate::neighbour::Neighbours;
use crate::neighbour::keeper::Keeper;
use crate::notes::Notes;
use crate::overlay::Overlays;
use crate::problem::{Problem, problem};
use crate::run::senders::Senders;
use crate::run::{Loop, Parts, operate};
use crate::settings;
use crate::store::{self, Store};
use crate::traffic::Traffic;
use crate::udp::{DataPorts, UdpPort};
use crate::wake::{Bell, line};
use crate::{clock, dns, lacking, names, nfs, nis, overdue, rights};
use heorot_core::Heorot;
use heorot_core::commits::Commits;
use heorot_core::config::{Config, NamesFile};
use heorot_core::load;
use heorot_core::message;
use heorot_core::transfer::{self, Transfers};
use heorot_names::Directory;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Name of the file of records, in `server.state`.
pub(crate) const STORE_FILE: &str = "heorot.redb";
/// Name of the file of versions that boots were given, in the same place.
const GIVEN_FILE: &str = "given.json";
/// Which of them were touched since, likewise.
const TOUCHED_FILE: &str = "touched.json";
/// Name of the file of notes, beside the control socket.
const NOTES_FILE: &str = "transfers.notes";
/// Chunks that were read and wait for the loop: 16 MiB of them.
const RESULTS_WAITING_MAX: usize = 64;

/// Runs the server until a signal ends it.
///
/// # Errors
/// What keeps it from starting, and what to do. Nothing is left behind then but empty directories and an empty store.
pub(crate) fn serve(config_path: &Path, control: Option<PathBuf>) -> Result<(), Problem> {
    let Read { mut config, links, tls, warnings, text } =
        configuration::read(config_path).map_err(|text| Problem(text.trim_end().into()))?;
    let control_given = control.map(|path| path.to_string_lossy().into_owned());
    if let Some(control) = &control_given {
        config.server.control.clone_from(control);
    }
    let problems = configuration::problems_here(&config);
    if !problems.is_empty() {
        // What there is to be warned of may say why: a name that was meant otherwise.
        return Err(Problem(warnings.concat() + &problems.join("\n")));
    }
    rights::check()?;
    rights::raise_descriptor_limit();
    let signals = operate::signals().map_err(|e| problem!("signals cannot be received: {e}"))?;
    let control_path = PathBuf::from(&config.server.control);
    let run_directory = control_path.parent().unwrap_or_else(|| Path::new("/")).to_owned();
    make_directory(Path::new(&config.server.state), "server.state", 0o750)?;
    make_directory(&run_directory, "server.control", 0o755)?;

    let journal = Journal::start().map_err(|e| cannot_start(&e))?;
    let opened = open(&config, &control_path, &journal)?;
    if let Some(warning) = opened.interfaces.iter().find_map(|interface| interface.dhcp.too_small()) {
        journal.say(Weight::Warning, warning);
    }
    for warning in &warnings {
        journal.say(Weight::Warning, warning.trim_end());
    }
    for (_, warning) in configuration::warnings_here(&config) {
        journal.say(Weight::Warning, warning);
    }
    // dns:: starts its thread as it binds, so it comes last before the privileges go; changing the user reaches every thread.
    let first = Arc::new(settings::first_directory(&config));
    let (addresses, dns_settings) = (settings::dns_addresses(&config), settings::dns_settings(&config));
    let dns = dns::start(&addresses, dns_settings, Arc::clone(&first), journal.clone())
        .map_err(|e| Problem(e.to_string()))?;
    dns.forward(settings::dns_plan(&config, dns::seed().map_err(|e| cannot_start(&e))?));
    let names_directory = Arc::clone(&first);
    let nis = start_nis(&config, first, &journal)?;
    let names_file = match prepare_names(&config, &run_directory, &names_directory) {
        // Nobody asked for it.
        Err(problem) if config.names_file == NamesFile::IfUsual => {
            journal.say(Weight::Warning, problem.to_string());
            None
        }
        prepared => prepared?,
    };
    if let Some(warning) = give_away_rights(&config, &control_path, &run_directory, names_file.as_deref())? {
        journal.say(Weight::Warning, warning);
    }
    let names_file = names_file
        .map(|path| names::start(path, names::place(&config), journal.clone()))
        .transpose()
        .map_err(|e| cannot_start(&e))?;
    let (parts, restored, resumed) = start(
        (config, links, tls),
        (config_path, text, control_given),
        opened,
        signals,
        journal,
        (dns, names_file, nis),
    )?;
    let journal = parts.journal.clone();
    let count = parts.transfers.active();
    journal.say(
        Weight::Notice,
        format_args!("heorot {} serves; {count} transfers go on", env!("CARGO_PKG_VERSION")),
    );
    Loop::new(parts)
        .and_then(|running| running.run(restored, resumed))
        .map_err(|e| problem!("the loop cannot go on: {e}"))
}

/// The NIS gateway, if there is to be one. It says where it is: that is asked for when nothing is found.
fn start_nis(
    config: &Config,
    directory: Arc<Directory>,
    journal: &Journal,
) -> Result<Option<nis::Handle>, Problem> {
    let Some(settings) = settings::nis_settings(config) else { return Ok(None) };
    let Some(nis) = &config.nis else {
        return Ok(match nis::start_portmapper(settings, directory, journal.clone()) {
            Ok(handle) => Some(handle),
            // Those who are told the ports do without.
            Err(problem) => {
                let remedy = "clients have to be told: -o port=…,mountport=…, both nfs.port";
                journal.say(Weight::Warning, format_args!("{problem}\n  until then {remedy}"));
                None
            }
        });
    };
    let handle = nis::start(nis, settings, directory, journal.clone())?;
    journal
        .say(Weight::Notice, format_args!("NIS domain {} is served at port {}", nis.domain, handle.port()));
    Ok(Some(handle))
}

/// All that needs privileges, or may be somebody else's.
struct Opened {
    store: Store,
    contents: store::Contents,
    interfaces: Vec<Interface>,
    tftp: UdpPort,
    data: DataPorts,
    echo: Echo,
    routed: Routed,
    neighbours: Neighbours,
    notes: Notes,
    noted: Vec<(u32, transfer::Note)>,
    http: http::Sockets,
    nfs: Option<nfs::Bound>,
}

fn open(config: &Config, control_path: &Path, journal: &Journal) -> Result<Opened, Problem> {
    // The store's lock is what keeps two servers of one state apart, so it comes first.
    let (store, contents) = Store::open(&Path::new(&config.server.state).join(STORE_FILE))?;
    if contents.is_new {
        let state = &config.server.state;
        journal.say(
            Weight::Notice,
            format_args!(
                "there was no store in {state}: a new one was made, and nodes are numbered from the beginning; if some had numbers before, put a backup of {STORE_FILE} back"
            ),
        );
        // The next start finds one, whatever becomes of this one.
        journal.flush();
    }
    let served =
        settings::served(config).map_err(|e| problem!("the host's interfaces cannot be listed: {e}"))?;
    let found = served.into_iter().filter_map(|(name, found)| Some((name, found?)));
    let interfaces = found.map(|(name, served)| Interface::open(config, &name, served));
    let interfaces = interfaces.collect::<Result<_, Problem>>()?;
    let tftp = UdpPort::tftp()?;
    let boot = http::bind_plain(config).collect::<Result<_, _>>()?;
    let secured = http::bind_secured(config).collect::<Result<_, _>>()?;
    let control = ControlSocket::bind(control_path)?;
    let nfs = config.nfs.as_ref().map(|nfs| nfs::bind(nfs.port)).transpose()?;
    let notes_path = control_path.with_file_name(NOTES_FILE);
    let (mut notes, found) =
        Notes::open(&notes_path).map_err(|e| problem!("{} cannot be written: {e}", notes_path.display()))?;
    // Where all is sent from port 69, that is the only port of transfers.
    let data = match config.tftp.single_port {
        true => DataPorts::none(),
        false => DataPorts::open(&found.ports, config.tftp.ports.as_ref(), settings::own_addresses(config))?,
    };
    let ports = if data.places() == 0 { vec![tftp.number()] } else { data.numbers() };
    let noted = notes
        .begin(&ports, found)
        .map_err(|e| problem!("{} cannot be written: {e}", notes_path.display()))?;
    let mut neighbours = Neighbours::open().map_err(|e| problem!("neighbour entries cannot be set: {e}"))?;
    neighbours
        .remove_ours()
        .map_err(|e| problem!("the neighbour entries of an earlier server cannot be removed: {e}"))?;
    Ok(Opened {
        store,
        contents,
        interfaces,
        tftp,
        data,
        echo: Echo::open()?,
        routed: Routed::open()?,
        neighbours,
        notes,
        noted,
        http: http::Sockets { boot, secured, control },
        nfs,
    })
}

/// Writes the names as they are before any node is known, as long as the server may. Where they are to be written from now on.
fn prepare_names(
    config: &Config,
    run_directory: &Path,
    first: &Directory,
) -> Result<Option<PathBuf>, Problem> {
    let loses_rights = rights::loses_rights(&config.server.user);
    let Some(path) = names::prepare(&config.names_file, run_directory, loses_rights)? else {
        return Ok(None);
    };
    let text = heorot_names::file::write(first, &names::place(config));
    names::write(&path, &text).map_err(|e| {
        problem!(
            "{} cannot be written: {e}\n  set `names.file` to where heorot may write, or to \"\"",
            path.display()
        )
    })?;
    Ok(Some(path))
}

/// Becomes `server.user`, who owns what the server writes.
fn give_away_rights(
    config: &Config,
    control_path: &Path,
    run_directory: &Path,
    names_file: Option<&Path>,
) -> Result<Option<String>, Problem> {
    let state = Path::new(&config.server.state);
    let (file, notes) = (state.join(STORE_FILE), control_path.with_file_name(NOTES_FILE));
    let kept = [GIVEN_FILE, TOUCHED_FILE].map(|name| state.join(name));
    let kept = kept.iter().filter(|path| path.exists()).map(PathBuf::as_path);
    let names_file = names_file.filter(|path| path.parent() == Some(run_directory));
    let files: Vec<&Path> =
        [&file, &notes].into_iter().map(PathBuf::as_path).chain(names_file).chain(kept).collect();
    let ours: Vec<&Path> = files.iter().copied().chain([control_path]).collect();
    let directories = [state, run_directory].into_iter().filter(|directory| holds_only(directory, &ours));
    let owned: Vec<&Path> = directories.chain(files.iter().copied()).collect();
    let warning = rights::drop_to(&config.server.user, (&owned, control_path), config.nfs.is_some())?;
    // The names file is replaced by one that is made beside it.
    let written = [Some(state), names_file.and_then(Path::parent)].into_iter().flatten();
    let unwritten = written.filter(|directory| !rights::may_write(directory)).map(|directory| {
        let (user, directory) = (&config.server.user, directory.display());
        format!(
            "{user} may not write into {directory}, where other things are as well: chown {user} {directory}"
        )
    });
    let warnings: Vec<_> = warning.into_iter().chain(unwritten).collect();
    Ok((!warnings.is_empty()).then(|| warnings.join("\n")))
}

/// Whether a directory is ours alone: /run itself, if somebody puts the control socket there, is not to be given away.
fn holds_only(directory: &Path, files: &[&Path]) -> bool {
    let ours = |path: &Path| {
        // What a file system of its own begins with is nobody's.
        let is_usual = |name: &OsStr| name == operate::DUMP_FILE || name == "lost+found";
        files.contains(&path) || path.file_name().is_some_and(is_usual)
    };
    std::fs::read_dir(directory)
        .is_ok_and(|mut entries| entries.all(|entry| entry.is_ok_and(|entry| ours(&entry.path()))))
}

/// What the loop is given: its parts, and what both machines want done first.
type Started = (Parts, Vec<message::Output>, Vec<transfer::Output>);

/// Starts the threads and the two machines.
fn start(
    (config, transfer_links, tls): (Config, Vec<load::Link>, Option<Arc<rustls::ServerConfig>>),
    (config_path, config_text, control_given): (&Path, Arc<str>, Option<String>),
    opened: Opened,
    signals: nix::sys::signalfd::SignalFd,
    journal: Journal,
    (dns, names, nis): (dns::Handle, Option<names::Handle>, Option<nis::Handle>),
) -> Result<Started, Problem> {
    let bell = Bell::new().map_err(|e| cannot_start(&e))?;
    let state = Path::new(&config.server.state);
    let directory = BootDirectory::new(&config.boot.directory, config.boot.packages.as_deref())
        .keeping(state.join(GIVEN_FILE), state.join(TOUCHED_FILE));
    let (outcome, outcomes) = line(&bell, 1);
    let (result, results) = line(&bell, RESULTS_WAITING_MAX);
    let (ask, asks) = line(&bell, ASKS_WAITING_MAX);
    dns.keep_updates(ask.clone());
    dns.ring_at_end(&bell);
    nis.iter().for_each(|nis| nis.ring_at_end(&bell));
    // First, and alone: its threads take over the right to read everything, which nobody else needs.
    let store::Contents { records, secret, .. } = opened.contents;
    let nfs = opened.nfs.zip(config.nfs.as_ref()).map(|(bound, nfs)| {
        let served = (nfs, settings::nfs_networks(&config));
        nfs::start(bound, served, &secret, (ask.clone(), &bell), journal.clone())
    });
    let nfs = nfs.transpose().map_err(|e| cannot_start(&e))?;
    rights::keep_needed();
    let (reload, reloaded) = line(&bell, 1);
    let (entries, entries_done) = line(&bell, 1);
    let (change, interface_changes) = line(&bell, 1);
    // Those that are not there are served when they come.
    let mut served: BTreeMap<_, _> =
        config.networks.iter().map(|network| (network.interface.clone(), None)).collect();
    served.extend(opened.interfaces.iter().map(|it| (it.name.clone(), Some(it.served))));
    let gone: Vec<String> =
        served.iter().filter(|(_, it)| it.is_none()).map(|(name, _)| name.clone()).collect();
    interface::watch(config.clone(), served, change).map_err(|e| cannot_start(&e))?;
    let place = opened.store.place();
    let store = store::start(opened.store, outcome).map_err(|e| cannot_start(&e))?;
    let neighbours = Keeper::start(opened.neighbours, entries).map_err(|e| cannot_start(&e))?;
    directory.follow_touches().map_err(|e| cannot_start(&e))?;
    let images = Images::start(directory.clone(), result, results).map_err(|e| cannot_start(&e))?;
    let senders = Senders::start(settings::senders(&config), opened.data.ways(&opened.tftp), &bell)
        .map_err(|e| cannot_start(&e))?;
    let (lacks, lacking) = line(&bell, 1);
    let lacking = (lacking::start(config.clone(), place, lacks).map_err(|e| cannot_start(&e))?, lacking);
    let overlays = Overlays::new(&config.overlays, &secret);
    let http = Http::start(opened.http, (ask, &bell), (&directory, &overlays), tls, journal.clone())
        .map_err(|e| cannot_start(&e))?;
    let (says, undelivered) = line(&bell, 1);
    overdue::start(vec![images.overdue(), http.overdue()], says).map_err(|e| cannot_start(&e))?;

    let now = clock::now();
    let (mut restored, mut resumed) = (Vec::new(), Vec::new());
    clock::has_come(records.iter().filter_map(|record| record.at_seconds()));
    let hosts_lines = dns::read_hosts(&config.forward.hosts);
    let mut heorot =
        Heorot::restore_beside(now, config.clone(), secret, (records, hosts_lines), &mut restored);
    // Records say by the calendar since when what they tell of is so.
    heorot.handle(now, message::Input::Calendar(clock::wall(now)), &mut restored);
    for name in &gone {
        heorot.handle(now, message::Input::InterfaceGone(name), &mut restored);
    }
    let transfers = Transfers::restore(
        now,
        settings::transfers(&config, transfer_links, opened.data.places()),
        opened.noted,
        &mut resumed,
    );
    let parts = Parts {
        config,
        config_path: config_path.to_owned(),
        config_text,
        control_given,
        heorot,
        transfers,
        interfaces: opened.interfaces,
        interface_changes,
        tftp: opened.tftp,
        data: opened.data,
        echo: opened.echo,
        routed: opened.routed,
        neighbours,
        entries_done,
        images,
        directory,
        overlays,
        notes: opened.notes,
        commits: Commits::default(),
        store,
        outcomes,
        asks,
        reload,
        reloaded,
        bell,
        lacking,
        undelivered,
        signals,
        journal,
        http,
        dns,
        names,
        nis,
        nfs,
        senders,
        traffic: Traffic::open(),
    };
    Ok((parts, restored, resumed))
}

/// Makes a directory of ours if it is not there.
fn make_directory(path: &Path, setting: &str, mode: u32) -> Result<(), Problem> {
    let missing = !path.exists();
    let made = DirBuilder::new().recursive(true).mode(mode).create(path);
    // Against an odd umask.
    let made = made.and_then(|()| {
        if missing { std::fs::set_permissions(path, Permissions::from_mode(mode)) } else { Ok(()) }
    });
    made.map_err(|e| {
        problem!(
            "the directory {} cannot be made: {e}\n  set `{setting}` to where heorot may write",
            path.display()
        )
    })
}

fn cannot_start(error: &io::Error) -> Problem {
    problem!(
        "no thread or descriptor can be had: {error}\n  raise the limits of the service (ulimit -n, TasksMax)"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_directory_of_ours_alone_is_given_away() {
        let directory = crate::testing::directory("given-away");
        let (ours, dump) = (directory.path().join(STORE_FILE), directory.path().join(operate::DUMP_FILE));
        assert!(holds_only(directory.path(), &[&ours]));
        std::fs::write(&ours, "").unwrap();
        std::fs::write(dump, "").unwrap();
        assert!(holds_only(directory.path(), &[&ours]));
        // A mount of its own.
        std::fs::create_dir(directory.path().join("lost+found")).unwrap();
        assert!(holds_only(directory.path(), &[&ours]));
        std::fs::write(directory.path().join("systemd"), "").unwrap();
        assert!(!holds_only(directory.path(), &[&ours]));
    }
}
