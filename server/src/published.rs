//! What is secret and would be served to whoever asks: below the boot directory by TFTP and HTTP, below a directory of `[nfs]` by NFS.

use heorot_core::config::Config;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// What may not be served: nobody means that, and who gets it is a node from then on, or the server. Of what, and what to do.
pub(crate) fn problems(config: &Config) -> Vec<(&'static str, String)> {
    let Some(published) = Tree::new(&config.boot.directory) else { return Vec::new() };
    if published.root == Path::new("/") {
        let said = format!(
            "boot.directory {} is all of this host: whoever asks gets its files by TFTP and HTTP\n  \
             name a directory that has boot files alone, as boot.directory = \"/srv/heorot\"",
            config.boot.directory
        );
        return vec![("boot.directory", said)];
    }
    let secrets = Secret::all(config);
    let of_boot = secrets.iter().filter(|secret| published.has(&secret.path)).map(|secret| {
        let Secret { setting, path, what, .. } = secret;
        let remedy = secret.remedy_out_of(|place| published.has(place), "name a boot.directory that has boot files alone");
        let said = format!(
            "{setting} {path} lies in boot.directory {}: whoever asks by TFTP or HTTP gets {what}\n  {remedy}",
            config.boot.directory
        );
        ("boot.directory", said)
    });
    let roots = config.nfs.iter().flat_map(|nfs| &nfs.directories);
    let of_roots = roots.filter_map(|root| Some((root, Tree::new(root)?))).flat_map(|(root, tree)| {
        let served: Vec<_> = secrets.iter().filter(|secret| tree.has_by_nfs(&secret.path)).collect();
        served.into_iter().map(move |secret| {
            let Secret { setting, path, what, .. } = secret;
            let remedy = secret.remedy_out_of(|place| tree.has_by_nfs(place), "serve a directory without it (profile.root, nfs.directories)");
            let said = format!(
                "{setting} {path} lies in {root}, which is served by NFS: root of each machine there gets {what}\n  {remedy}"
            );
            ("nfs", said)
        })
    });
    of_boot.chain(of_roots).collect()
}

/// What is better not served, and may be meant.
pub(crate) fn warnings(config: &Config) -> Vec<(&'static str, String)> {
    let Some(published) = Tree::new(&config.boot.directory) else { return Vec::new() };
    let overlays = &config.overlays;
    let is_open = published.has(overlays) && !has_secrets(config) && Path::new(overlays).exists();
    let open = is_open.then(|| {
        let said = format!(
            "overlay.directory {overlays} lies in boot.directory {}: whoever asks gets its files by TFTP and HTTP\n  \
             move it out of there, as mv {overlays} /etc/heorot/overlays, and name that in overlay.directory",
            config.boot.directory
        );
        ("overlays", said)
    });
    open.into_iter().chain(roots(config, &published).into_iter().map(|said| ("roots", said))).collect()
}

/// Roots that lie below the boot directory: whoever asks by TFTP or HTTP gets their files, as far as the server may read them, which as root is all of them.
fn roots(config: &Config, published: &Tree) -> Vec<String> {
    let directories = config.nfs.iter().flat_map(|nfs| &nfs.directories);
    let below = directories.filter(|path| Path::new(path).exists() && published.has(path));
    let warning = |path: &String| {
        format!(
            "{path}, which is served by NFS, lies in boot.directory {}: whoever asks gets its files by TFTP and HTTP too, host keys and password hashes among them where the server runs as root\n  \
             move it out of there, as mv {path} /srv/heorot-root, and name that in profile.root and nfs.directories",
            config.boot.directory
        )
    };
    below.map(warning).collect()
}

/// A file or directory that the server alone reads.
struct Secret {
    setting: &'static str,
    path: String,
    /// What somebody has who reads it.
    what: &'static str,
    /// Where it is well, and how it comes there.
    place: &'static str,
    remedy: String,
}

impl Secret {
    /// What to do: move it to where it is well, unless that is served too; or serve something else.
    fn remedy_out_of(&self, is_served: impl Fn(&str) -> bool, serve_other: &str) -> String {
        if is_served(self.place) {
            serve_other.to_owned()
        } else {
            format!("{}; or {serve_other}", self.remedy)
        }
    }

    fn all(config: &Config) -> Vec<Self> {
        let state = &config.server.state;
        let state = Self {
            setting: "server.state",
            path: state.clone(),
            place: "/var/lib/heorot",
            what: "the store, and the secret in it that host keys are made from",
            remedy: format!(
                "stop heorot, move heorot.redb, given.json and touched.json from {state} to /var/lib/heorot, and say server.state = \"/var/lib/heorot\""
            ),
        };
        let key = config.http.tls.as_ref().map(|tls| Self {
            setting: "http.key",
            path: tls.key.clone(),
            place: "/etc/heorot/tls",
            what: "the key, and is this server for all who ask by HTTPS",
            remedy: format!(
                "mv {} /etc/heorot/tls/key.pem, and name that in http.key (if anybody may have read it, make another one: docs/http.md)",
                tls.key
            ),
        });
        let overlays = has_secrets(config).then(|| Self {
            setting: "overlay.directory",
            path: config.overlays.clone(),
            place: "/etc/heorot/overlays",
            what: "the secrets of all nodes",
            remedy: format!(
                "mv {} /etc/heorot/overlays, and name that in overlay.directory",
                config.overlays
            ),
        });
        [state].into_iter().chain(key).chain(overlays).collect()
    }
}

/// Host keys are made, and lie nowhere.
fn has_secrets(config: &Config) -> bool {
    config.profiles.values().any(|profile| !profile.overlays.secret.is_empty())
}

/// A directory whose files are served.
struct Tree {
    root: PathBuf,
}

impl Tree {
    /// None: it is not there, and nothing of it is served.
    fn new(path: &str) -> Option<Self> {
        Some(Self { root: std::fs::canonicalize(path).ok()? })
    }

    fn has(&self, path: &str) -> bool {
        resolved(Path::new(path)).starts_with(&self.root)
    }

    /// NFS stays on its file system.
    fn has_by_nfs(&self, path: &str) -> bool {
        // Of what is not there yet it is that of where it will be.
        let device =
            |path: &Path| path.ancestors().find_map(|it| std::fs::metadata(it).ok()).map(|it| it.dev());
        let path = resolved(Path::new(path));
        let is_elsewhere = device(&path).is_some_and(|of| Some(of) != device(&self.root));
        path.starts_with(&self.root) && !is_elsewhere
    }
}

/// Where a path leads by symbolic links; of one that is not there yet, as far as it is.
fn resolved(path: &Path) -> PathBuf {
    let there = path.ancestors().find_map(|above| {
        let rest = path.strip_prefix(above).ok()?;
        Some(std::fs::canonicalize(above).ok()?.join(rest))
    });
    there.unwrap_or_else(|| path.to_owned())
}

#[cfg(test)]
mod tests;
