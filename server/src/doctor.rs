//! `heorot doctor`: whether this host has what a configuration needs, thing by thing, with what to do where it does not. It looks and changes nothing.

mod certificate;
mod files;
mod names;

use crate::clock;
use crate::configuration;
use crate::dns;
use crate::http;
use crate::nfs;
use crate::nis;
use crate::published;
use crate::rights;
use crate::serve::STORE_FILE;
use crate::settings;
use crate::store::IS_READ_ONLY;
use crate::udp::UdpPort;
use heorot_core::config::{Config, LoaderFile};
use heorot_core::limit::OTHER_SERVERS_SHOWN_MAX;
use heorot_core::service::view::{RogueServerView, StatusView, UnansweredView};
use rustix::fs::{Access, StatVfsMountFlags};
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What was found of one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    pub(crate) grade: Grade,
    /// What was looked at.
    pub(crate) subject: String,
    /// What was found, and on further lines what to do.
    pub(crate) said: String,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Grade {
    Ok,
    /// It works, and not as well as it could.
    Warning,
    /// Something does not work.
    Fault,
}

impl Finding {
    pub(crate) fn new(grade: Grade, subject: impl Into<String>, said: impl Into<String>) -> Self {
        Self { grade, subject: subject.into(), said: said.into() }
    }
}

/// Octets of the state's file system that a cluster of ten thousand nodes may come to need, many times over.
const STATE_OCTETS_MIN: u64 = 100 << 20;

/// Files without which nodes do not boot, and what is wrong with each: whoever serves goes on all the same, for one of them may come later.
pub(crate) fn lacking_files(config: &Config) -> Vec<Finding> {
    files::lacking(config)
}

/// What a configuration is warned of, as it was read.
pub(crate) fn configuration(warnings: &[String]) -> impl Iterator<Item = Finding> {
    warnings.iter().map(|warning| Finding::new(Grade::Warning, "configuration", warning.trim_end()))
}

/// What a running server says.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "there is one")]
pub(crate) enum Server {
    /// None runs.
    None,
    /// One does, and cannot be asked: why, and what to do. The ports are its own.
    Unheard(String),
    /// Its view.
    Says(StatusView),
}

/// Everything, in the order in which a boot needs it. The server's own view, if it runs.
pub(crate) fn examine(config: &Config, server: &Server) -> Vec<Finding> {
    let mut findings = interfaces(config);
    match server {
        Server::Says(status) => findings.extend(of_server(status)),
        Server::Unheard(why) => findings.push(Finding::new(Grade::Fault, "server", why)),
        Server::None => findings.extend(ports(config)),
    }
    let is_running = !matches!(server, Server::None);
    findings.extend(user(&config.server.user));
    findings.push(state(Path::new(&config.server.state), &config.server.user, is_running));
    let written = configuration::problems_with_written(config).into_iter();
    findings.extend(written.map(|(option, problem)| Finding::new(Grade::Fault, option, problem)));
    findings.extend(files::findings(config));
    findings.extend(names::findings(config));
    findings.extend(files_of_configuration(config));
    findings.extend(certificate::findings(config, clock::calendar_seconds().into()));
    let roots = configuration::problems_with_roots(config);
    findings.extend(roots.into_iter().map(|problem| Finding::new(Grade::Fault, "nfs", problem)));
    let published = published::problems(config).into_iter();
    findings.extend(published.map(|(subject, problem)| Finding::new(Grade::Fault, subject, problem)));
    let warnings = configuration::warnings_here(config);
    let warning = |(subject, warning)| Finding::new(Grade::Warning, subject, warning);
    findings.extend(warnings.into_iter().map(warning));
    findings
}

/// Whether the server may read its configuration again, as the user that it becomes. None: it may.
pub(crate) fn configuration_file(path: &Path, config: &Config) -> Option<Finding> {
    let path = std::path::absolute(path).ok()?;
    read_once(config, path.display().to_string(), &path)
}

/// The same of the files that are read together with it.
fn files_of_configuration(config: &Config) -> Vec<Finding> {
    let tls = config.http.tls.iter().flat_map(|tls| {
        [("http.certificate", PathBuf::from(&tls.certificate)), ("http.key", PathBuf::from(&tls.key))]
    });
    let templates = config.boot.templates.iter().flat_map(|templates| {
        let directory = Path::new(&templates.directory);
        LoaderFile::ALL.map(|file| ("boot.templates", directory.join(file.template_name())))
    });
    let there = tls.chain(templates.filter(|(_, path)| path.exists()));
    there.filter_map(|(of, path)| read_once(config, format!("{of} {}", path.display()), &path)).collect()
}

/// Whether a file can be read at the start alone, which is as root.
fn read_once(config: &Config, subject: String, path: &Path) -> Option<Finding> {
    let remedy = closed(config, path)?;
    let said = format!(
        "may not be read by {}: it is read as root at the start, and each reload (SIGHUP) is refused\n  {remedy}",
        config.server.user
    );
    Some(Finding::new(Grade::Warning, subject, said))
}

/// What lets the user that the server becomes read a file. None: he may.
fn closed(config: &Config, path: &Path) -> Option<String> {
    let user = nix::unistd::User::from_name(&config.server.user).ok().flatten()?;
    let group = rights::group_of(&config.server.user);
    configuration::let_read(path, &group, &|path, access| allows(path, &user, access))
}

/// Whether a user, with the groups of the server, may do this with a file or directory.
fn allows(path: &Path, user: &nix::unistd::User, access: Access) -> bool {
    use std::os::unix::fs::MetadataExt;
    let Ok(metadata) = path.metadata() else { return true };
    // Its list may name the user (acl(5)), and says more than the mode.
    if rustix::fs::getxattr(path, "system.posix_acl_access", &mut [0; 0]).is_ok() {
        return true;
    }
    let is_in_group = metadata.gid() == user.gid.as_raw()
        || rights::operators().is_some_and(|group| group.gid.as_raw() == metadata.gid());
    let bits = match (metadata.uid() == user.uid.as_raw(), is_in_group) {
        (true, _) => metadata.mode() >> 6,
        (false, true) => metadata.mode() >> 3,
        (false, false) => metadata.mode(),
    };
    user.uid.is_root() || bits & access.bits() == access.bits()
}

fn interfaces(config: &Config) -> Vec<Finding> {
    let found = match settings::served(config) {
        Ok(found) => found,
        Err(error) => return vec![Finding::new(Grade::Fault, "interfaces", error.to_string())],
    };
    let carrier = |name: &String| std::fs::read_to_string(format!("/sys/class/net/{name}/carrier"));
    let is_heard = |name: &String| carrier(name).is_ok_and(|carrier| carrier.trim() == "1");
    // Where there are several, one may have no machine yet. Where none hears anybody, nothing boots.
    let no_carrier = if found.keys().any(is_heard) { Grade::Warning } else { Grade::Fault };
    let look = |(name, found): (&String, &Option<settings::Served>)| {
        let subject = format!("interface {name}");
        if found.is_none() {
            return Finding::new(
                Grade::Fault,
                subject,
                "is not there, or has no hardware address: nobody there is answered until there is one\n  see those there are: ip -brief link",
            );
        }
        // An interface that is down has no carrier to read.
        match carrier(name).as_deref().map(str::trim) {
            Ok("1") => Finding::new(Grade::Ok, subject, "is up"),
            Ok(_) => Finding::new(
                no_carrier,
                subject,
                "has no carrier: nobody there is heard\n  see its cable, and that what is at the other end is on",
            ),
            Err(_) => Finding::new(Grade::Fault, subject, format!("is down\n  ip link set {name} up")),
        }
    };
    found.iter().map(look).collect()
}

/// What a running server itself has to say.
fn of_server(status: &StatusView) -> Vec<Finding> {
    let said = format!("heorot {} runs", status.version);
    let mut findings = vec![Finding::new(Grade::Ok, "server", said)];
    findings.extend(status.troubles.iter().map(|trouble| Finding::new(Grade::Fault, "server", trouble)));
    let warning = |said: String| Finding::new(Grade::Warning, "server", said);
    let shown = status.rogue_servers.iter().take(OTHER_SERVERS_SHOWN_MAX);
    findings.extend(shown.map(|rogue| {
        let RogueServerView { address, network, last_heard, last, .. } = rogue;
        let client = rogue.last_client.as_deref().unwrap_or("-");
        warning(format!(
            "another DHCP server, {address} on {network}, {last} {client} at {last_heard}\n  stop it, or allow it: other-servers = [\"{address}\"] in [[network]] of {network}"
        ))
    }));
    findings.extend(status.unanswered.as_ref().map(|UnansweredView { hosts, last, last_asked, why }| {
        warning(format!(
            "{hosts} hosts asked for an address and got none; last {last} at {last_asked}: {why}\n  heorot explain {last} says what to do"
        ))
    }));
    if status.kernel_drops > 0 {
        findings.push(warning(format!(
            "the kernel has dropped {} datagrams since it started",
            status.kernel_drops
        )));
    }
    findings
}

/// Whether the ports are to be had, where no server runs that has them.
fn ports(config: &Config) -> Vec<Finding> {
    if !nix::unistd::geteuid().is_root() {
        let said = "no server answers, and only root can try the ports\n  run this as root";
        return vec![Finding::new(Grade::Warning, "ports", said)];
    }
    let names: BTreeSet<&str> = config.networks.iter().map(|network| network.interface.as_str()).collect();
    let dhcp = names.iter().map(|name| UdpPort::dhcp(name).map(drop));
    let boot_servers = names.iter().map(|name| UdpPort::boot_server(name).map(drop));
    let dns = settings::dns_addresses(config).into_iter().map(dns::try_port);
    let http = http::bind_plain(config).chain(http::bind_secured(config)).map(|bound| bound.map(drop));
    let nfs = config.nfs.iter().map(|nfs| nfs::bind(nfs.port).map(drop));
    let nis = config.nis.iter().flat_map(nis::try_ports);
    let tried = dhcp
        .chain(boot_servers)
        .chain([UdpPort::tftp().map(drop)])
        .chain(dns)
        .chain(http)
        .chain(nfs)
        .chain(nis);
    let refused: Vec<Finding> = tried
        .filter_map(Result::err)
        .map(|problem| Finding::new(Grade::Fault, "ports", problem.to_string()))
        .collect();
    if refused.is_empty() {
        return vec![Finding::new(
            Grade::Ok,
            "ports",
            "those of DHCP, TFTP, DNS, HTTP, NFS and NIS are free",
        )];
    }
    refused
}

/// Whether there is the user that the server becomes. Without one it starts all the same.
fn user(name: &str) -> Option<Finding> {
    let is_there = nix::unistd::User::from_name(name).is_ok_and(|found| found.is_some());
    let said = format!(
        "there is no user {name}: a server that root starts goes on as root\n  useradd --system --no-create-home {name}"
    );
    (!is_there).then(|| Finding::new(Grade::Warning, "server.user", said))
}

/// Whether the state can be kept: on a file system that is written to and has room, in files that the server may write.
fn state(path: &Path, user: &str, is_running: bool) -> Finding {
    let subject = format!("server.state {}", path.display());
    let fault = |said: String| Finding::new(Grade::Fault, subject.clone(), said);
    if let Some(problem) = configuration::problem_with_state(&path.display().to_string()) {
        return fault(problem);
    }
    // As long as it does not exist, it is its parent that has to have room.
    let existing = path.ancestors().find(|path| path.exists()).unwrap_or_else(|| Path::new("/"));
    let space = match rustix::fs::statvfs(existing) {
        Ok(space) => space,
        Err(error) => return fault(error.to_string()),
    };
    if space.f_flag.contains(StatVfsMountFlags::RDONLY) {
        return fault(format!("is on a file system that is mounted read-only\n  {IS_READ_ONLY}"));
    }
    let file = path.join(STORE_FILE);
    let first = if file.exists() { file.as_path() } else { existing };
    // It may be asked by somebody who is neither.
    let own = rustix::process::geteuid();
    let is_server =
        nix::unistd::User::from_name(user).ok().flatten().is_some_and(|of| of.uid.as_raw() == own.as_raw());
    if (is_server || own.is_root())
        && let Err(error) = rustix::fs::access(first, Access::WRITE_OK)
    {
        let shown = first.display();
        return fault(format!("{shown} may not be written: {error}\n  chown -R {user} {}", path.display()));
    }
    // A server that starts as root gives it away itself; one that runs opens it again after an error of the disk.
    if is_running && !may_be_written(&file, user) {
        let said = format!("{} may not be written by {user}\n  chown {user} {0}", file.display());
        return Finding::new(Grade::Warning, subject, said);
    }
    let free = space.f_bavail.saturating_mul(space.f_frsize);
    let said = format!("{} MB are free", free / 1_000_000);
    if free < STATE_OCTETS_MIN {
        return fault(format!(
            "{said}\n  {} MB are to be free: df {}",
            STATE_OCTETS_MIN / 1_000_000,
            path.display()
        ));
    }
    Finding::new(Grade::Ok, subject, said)
}

/// Whether a file may be written by the user that the server becomes.
fn may_be_written(file: &Path, user: &str) -> bool {
    use std::os::unix::fs::MetadataExt;
    let Ok(Some(user)) = nix::unistd::User::from_name(user) else { return true };
    let Ok(metadata) = file.metadata() else { return true };
    let mode = metadata.mode();
    user.uid.is_root()
        || mode & 0o002 != 0
        || (metadata.uid() == user.uid.as_raw() && mode & 0o200 != 0)
        || (metadata.gid() == user.gid.as_raw() && mode & 0o020 != 0)
}

#[cfg(test)]
mod tests;
