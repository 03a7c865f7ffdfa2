//! The files from which names and accounts are told: whether each can be read, by the user that the server becomes.

use super::{Finding, Grade};
use crate::{names as names_file, nis, plain_file};
use heorot_core::config::{Config, NamesFile, Upstream};
use std::path::Path;

/// What is wrong with any of them; nothing is said of one that is as it should be.
pub(super) fn findings(config: &Config) -> Vec<Finding> {
    let forward = &config.forward;
    let of_servers = |key: &'static str, servers: &[Upstream]| {
        let files = servers.iter().filter_map(|server| match server {
            Upstream::File(path) => Some(path.clone()),
            Upstream::Server(_) | Upstream::Tls(..) => None,
        });
        files.map(|path| (key, path)).collect::<Vec<_>>()
    };
    let hosts = forward.hosts.iter().map(|path| ("dns.hosts", path.clone()));
    let upstream = of_servers("dns.upstream", &forward.upstream);
    let domains = forward.domains.iter().flat_map(|of| of_servers("dns.forward.servers", &of.servers));
    let roots = forward.tls_roots.iter().map(|path| ("dns.tls-roots", path.clone()));
    let of_names = hosts.chain(upstream).chain(domains).chain(roots);
    // Such a file is read when it comes. Without those of accounts no server begins.
    let names = of_names.filter_map(|(key, path)| unreadable(config, Grade::Warning, key, &path));
    let accounts = config.nis.iter().flat_map(nis::problems_with_accounts);
    let accounts = accounts.map(|problem| Finding::new(Grade::Fault, "nis", problem.to_string()));
    let later = config.nis.iter().flat_map(|nis| {
        let passwd = nis.passwd.iter().map(|path| ("nis.passwd", path));
        passwd.chain(nis.group.iter().map(|path| ("nis.group", path)))
    });
    let later = later.filter_map(|(key, path)| closed(config, key, path));
    // A server does without the usual one; of one that somebody asked for it is told elsewhere.
    let is_usual = config.names_file == NamesFile::IfUsual;
    let usual = is_usual.then(|| names_file::problem_here(config)).flatten();
    let usual = usual.map(|problem| Finding::new(Grade::Warning, "names.file", problem));
    let hosts = crate::dns::mistakes(&forward.hosts).into_iter();
    let hosts =
        hosts.map(|said| Finding::new(Grade::Warning, "dns.hosts", said.replacen("dns.hosts: ", "", 1)));
    names.chain(hosts).chain(accounts).chain(later).chain(usual).collect()
}

fn unreadable(config: &Config, grade: Grade, key: &str, path: &str) -> Option<Finding> {
    match plain_file::open(path) {
        Ok(_) => closed(config, key, path),
        Err(error) => {
            let said = format!("{path} cannot be read: {error}\n  make it, or correct {key}");
            Some(Finding::new(grade, key, said))
        }
    }
}

/// One that is there, and that the server may not read once it is who it becomes.
fn closed(config: &Config, key: &str, path: &str) -> Option<Finding> {
    let remedy = super::closed(config, Path::new(path))?;
    let said = format!("{path} may not be read by {}\n  {remedy}", config.server.user);
    Some(Finding::new(Grade::Warning, key, said))
}
