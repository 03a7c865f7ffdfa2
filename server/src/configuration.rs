//! Reads the configuration file, at the start, on SIGHUP and for `heorot check`.

use crate::images::directory::problem_with;
use crate::neighbour::threshold;
use crate::settings;
use heorot_core::cluster::network;
use heorot_core::config::{Config, render};
use heorot_core::load::Link;
use std::path::Path;

/// A configuration that is right, and what to warn of.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) config: Config,
    /// The links by which it sends, with what their interfaces take in one packet.
    pub(crate) links: Vec<Link>,
    /// Empty if there is nothing.
    pub(crate) warnings: String,
}

/// Reads a file on this host.
///
/// # Errors
/// Everything that is wrong with it, with lines and remedies.
pub(crate) fn read(path: &Path) -> Result<Read, String> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|e| {
        format!("{shown} cannot be read: {e}\n  name a configuration file: heorot serve --config FILE\n")
    })?;
    let interfaces =
        settings::interfaces().map_err(|e| format!("the host's interfaces cannot be listed: {e}\n"))?;
    let file_name = shown.to_string();
    match Config::parse(&text, &interfaces) {
        Ok((config, warnings)) => {
            let links = network::links(&config, settings::mtu_octets);
            Ok(Read { config, links, warnings: render(&file_name, &text, &warnings) })
        }
        Err(mistakes) => Err(render(&file_name, &text, &mistakes)),
    }
}

/// What this host lacks for a configuration that is right in itself; each with what to do.
pub(crate) fn problems_here(config: &Config) -> Vec<String> {
    let mut problems: Vec<String> = problem_with(Path::new(&config.boot.directory)).into_iter().collect();
    let directories = config.nfs.iter().flat_map(|nfs| &nfs.directories);
    problems.extend(directories.filter_map(|directory| problem_with_root(directory)));
    match settings::served(config) {
        Ok(served) => problems.extend(served.iter().filter(|(_, found)| found.is_none()).map(|(name, _)| {
            format!(
                "there is no interface {name} with a hardware address\n  see those there are: ip -brief link"
            )
        })),
        Err(e) => problems.push(format!("the host's interfaces cannot be listed: {e}")),
    }
    problems
}

/// What is wrong with a directory that is to be served by NFS. Whether the nodes may read it is not to be said by who may be another than those who serve it.
fn problem_with_root(directory: &str) -> Option<String> {
    match std::fs::metadata(directory) {
        Ok(found) if found.is_dir() => None,
        Ok(_) => Some(format!("{directory}, which is to be served by NFS, is no directory")),
        Err(e) if e.kind() == std::io::ErrorKind::PermissionDenied => None,
        Err(e) => Some(format!(
            "{directory}, which is to be served by NFS, cannot be opened: {e}\n  create the root file system there, or correct profile.root and nfs.directories"
        )),
    }
}

/// What is better changed on this host for a configuration that is right; each with what to do.
pub(crate) fn warnings_here(config: &Config) -> Vec<String> {
    threshold::warning(config).into_iter().collect()
}
