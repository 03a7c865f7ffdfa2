//! Reads the configuration file, at the start, on SIGHUP and for `heorot check`.

use crate::dns;
use crate::http::{self, listen, tls::Wrong};
use crate::images::directory::problem_with;
use crate::names;
use crate::neighbour::threshold;
use crate::overlay;
use crate::passed_over;
use crate::plain_file;
use crate::published;
use crate::settings;
use heorot_core::cluster::network;
use heorot_core::config::{Config, Interface, LoaderFile, Mistake, NamesFile, Tls, render};
use heorot_core::limit::{CONFIGURATION_OCTETS_MAX, FILE_TEMPLATE_OCTETS_MAX};
use heorot_core::load::Link;
use rustix::fs::Access;
use rustls::ServerConfig;
use std::collections::BTreeSet;
use std::io::{self, Read as _};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A configuration that is right, and what to warn of.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) config: Config,
    /// The links by which it sends, with what their interfaces take in one packet.
    pub(crate) links: Vec<Link>,
    /// The certificate of HTTPS, if there is to be one.
    pub(crate) tls: Option<Arc<ServerConfig>>,
    /// As they are told, each with its line and its remedy.
    pub(crate) warnings: Vec<String>,
    /// What it was read from.
    pub(crate) text: Arc<str>,
}

/// What other addresses of the host make of a configuration.
#[derive(Debug)]
pub(crate) struct Readdressed {
    pub(crate) config: Config,
    pub(crate) links: Vec<Link>,
    /// What of the file is wrong for them, with lines and remedies; empty if nothing is.
    pub(crate) wrong: String,
    /// Where the addresses that are ours now are listened to.
    pub(crate) listening: Vec<Listening>,
    /// What cannot be listened to.
    pub(crate) problems: Vec<String>,
}

/// The sockets of an address.
#[derive(Debug)]
pub(crate) struct Listening {
    pub(crate) plain: Option<TcpListener>,
    pub(crate) secured: Option<TcpListener>,
    pub(crate) dns: Option<dns::Bound>,
}

/// Reads a file on this host.
///
/// # Errors
/// Everything that is wrong with it, with lines and remedies.
pub(crate) fn read(path: &Path) -> Result<Read, String> {
    read_where(path, text_of(path)?, &see_who_may, |found| found)
}

/// Reads a file anew: what the host has lost of its addresses counts as it does for the running configuration.
///
/// # Errors
/// Everything that is wrong with it, with lines and remedies.
pub(crate) fn read_anew(path: &Path, running: &Config) -> Result<Read, String> {
    // It was read as root at the start, and is now read as who the server has become.
    let group = nix::unistd::Group::from_gid(nix::unistd::getegid()).ok().flatten();
    let group = group.map_or_else(|| running.server.user.clone(), |group| group.name);
    let may = |path: &Path, what| rustix::fs::access(path, what).is_ok();
    let closed = |path: &Path| let_read(path, &group, &may).unwrap_or_else(|| see_who_may(path));
    read_where(path, text_or(path, &closed)?, &closed, |found| running.held(&found).0)
}

/// The running configuration where the interfaces have these addresses; `text` is what it was read from. With sockets for addresses that are not `listened` to yet.
///
/// # Errors
/// Everything that is wrong with it there, with lines and remedies.
pub(crate) fn readdress(
    running: &Config,
    (shown, text): (&Path, &str),
    interfaces: &[Interface],
    listened: &BTreeSet<Ipv4Addr>,
) -> Result<Readdressed, String> {
    let told = |mistakes: &[Mistake]| render(&shown.display().to_string(), text, mistakes);
    let (config, wrong) = running.readdressed(text, interfaces).map_err(|mistakes| told(&mistakes))?;
    let links = network::links(&config, settings::mtu_octets);
    let mut problems = Vec::new();
    let new = settings::own_addresses(&config).into_iter().filter(|address| !listened.contains(address));
    let listening = new.map(|address| {
        let mut or_tell = |problem: String| problems.push(problem);
        Listening {
            plain: http::bind_plain_at(&config, address).map_err(|e| or_tell(e.0)).ok(),
            secured: http::bind_secured_at(&config, address)
                .and_then(|listener| listener.map_err(|e| or_tell(e.0)).ok()),
            dns: dns::bind(settings::dns_address(address)).map_err(|e| or_tell(e.to_string())).ok(),
        }
    });
    let listening = listening.collect();
    Ok(Readdressed { config, links, wrong: told(&wrong), listening, problems })
}

/// Reads a file that may be another host's: interfaces that are not here are taken to have the addresses that it says.
///
/// # Errors
/// As [`read`].
pub(crate) fn read_elsewhere(path: &Path) -> Result<Read, String> {
    let text = text_of(path)?;
    let mut interfaces = settings::interfaces().unwrap_or_default();
    for other in heorot_sim::restore::interfaces::fitting(&text, &[]) {
        if !other.addresses.is_empty() && !interfaces.iter().any(|here| here.name == other.name) {
            interfaces.push(other);
        }
    }
    parse(path, &text, &see_who_may, &interfaces)
}

/// What is to be done where a file may not be read.
type Closed<'a> = &'a dyn Fn(&Path) -> String;

fn read_where(
    path: &Path,
    text: String,
    closed: Closed<'_>,
    held: impl Fn(Vec<Interface>) -> Vec<Interface>,
) -> Result<Read, String> {
    let interfaces =
        settings::interfaces().map_err(|e| format!("the host's interfaces cannot be listed: {e}\n"))?;
    parse(path, &text, closed, &held(interfaces))
}

/// The text of a configuration.
///
/// # Errors
/// Why it cannot be read, and what to do.
pub(crate) fn text_of(path: &Path) -> Result<String, String> {
    text_or(path, &see_who_may)
}

fn see_who_may(path: &Path) -> String {
    format!("run this as root, or as a user who may read it: ls -l {}", path.display())
}

/// What lets a group read a file that it may not read, or search the directories that it is in: of what is in the way, the first. `may` tells what is not.
pub(crate) fn let_read(path: &Path, group: &str, may: &dyn Fn(&Path, Access) -> bool) -> Option<String> {
    // By the way that is written, and by that to which links lead.
    let meant = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let above = |path: &'_ Path| {
        let mut directories: Vec<PathBuf> =
            path.ancestors().skip(1).filter(|it| !it.as_os_str().is_empty()).map(Path::to_owned).collect();
        directories.reverse();
        directories
    };
    let directories = above(path).into_iter().chain(above(&meant));
    let closed = directories.into_iter().find(|directory| !may(directory, Access::EXEC_OK));
    let (closed, mode) = match &closed {
        Some(directory) => (directory.as_path(), "750"),
        None if may(path, Access::READ_OK) => return None,
        None => (path, "640"),
    };
    let is_shared = std::fs::metadata(closed).is_ok_and(|found| found.gid() != 0);
    let (right, closed) = (if mode == "750" { "x" } else { "r" }, closed.display());
    // Whose group it is may be other services'.
    Some(match is_shared {
        true => format!("setfacl -m g:{group}:{right} {closed}"),
        false => format!("chgrp {group} {closed}; chmod {mode} {closed}"),
    })
}

/// The same, where another one has a remedy for what may not be read.
fn text_or(path: &Path, closed: Closed<'_>) -> Result<String, String> {
    let shown = path.display();
    let octets = octets_of(path).map_err(|e| {
        let remedy = if e.kind() == io::ErrorKind::NotFound {
            "name the configuration file; docs/sample.toml is one to begin with".to_owned()
        } else if e.kind() == io::ErrorKind::PermissionDenied {
            closed(path)
        } else {
            "name the configuration file".to_owned()
        };
        format!("{shown} cannot be read: {e}\n  {remedy}\n")
    })?;
    let is_utf16 = octets.starts_with(&[0xff, 0xfe]) || octets.starts_with(&[0xfe, 0xff]);
    String::from_utf8(octets).map_err(|e| {
        let (at, is_before) = (e.utf8_error().valid_up_to(), e.as_bytes());
        let line = is_before[..at].iter().filter(|octet| **octet == b'\n').count() + 1;
        let (what, from) = match is_utf16 {
            true => ("it is UTF-16, and not UTF-8".to_owned(), "UTF-16"),
            false => (format!("line {line} is not UTF-8, at octet {at} of the file"), "ISO-8859-1"),
        };
        format!("{shown}: {what}\n  save it as UTF-8, as by iconv -f {from} -t UTF-8 {shown}\n")
    })
}

/// One more than are taken, which the parser refuses. A pipe that somebody left in the file's place would be waited for until he writes; what a shell pipes to `heorot check` has its writer, and a name below /dev, or by zsh below /proc/self/fd.
fn octets_of(path: &Path) -> io::Result<Vec<u8>> {
    let at_most = CONFIGURATION_OCTETS_MAX as u64 + 1;
    if !path.starts_with("/dev") && !path.starts_with("/proc/self/fd") {
        return plain_file::read(path, at_most);
    }
    let mut octets = Vec::new();
    std::fs::File::open(path)?.take(at_most).read_to_end(&mut octets)?;
    Ok(octets)
}

fn parse(path: &Path, text: &str, closed: Closed<'_>, interfaces: &[Interface]) -> Result<Read, String> {
    let file_name = path.display().to_string();
    match Config::parse(text, interfaces) {
        Ok((mut config, warnings)) => {
            read_templates(&mut config, (&file_name, text), closed)?;
            let links = network::links(&config, settings::mtu_octets);
            let tls = config.http.tls.as_ref().map(|tls| read_tls(tls, text, closed));
            let tls = tls.transpose().map_err(|mistake| render(&file_name, text, &[mistake]))?;
            let warnings = warnings.into_iter().map(|warning| render(&file_name, text, &[warning])).collect();
            Ok(Read { config, links, tls, warnings, text: text.into() })
        }
        Err(mistakes) => Err(render(&file_name, text, &mistakes)),
    }
}

/// Reads the operator's own templates.
///
/// # Errors
/// Everything that is wrong with them, with lines and remedies.
fn read_templates(
    config: &mut Config,
    (file_name, config_text): (&str, &str),
    closed: Closed<'_>,
) -> Result<(), String> {
    let Some(templates) = config.boot.templates.clone() else { return Ok(()) };
    let directory = Path::new(&templates.directory);
    let refused = |message: String, remedy: String| {
        render(file_name, config_text, &[templates.wrong(config_text, message, remedy)])
    };
    if let Err(e) = std::fs::metadata(directory)
        && e.kind() == io::ErrorKind::NotFound
    {
        let shown = directory.display();
        let remedy = format!(
            "mkdir -p {shown}; heorot template grub.cfg > {shown}/{}, or leave it out",
            LoaderFile::Grub.template_name()
        );
        return Err(refused(format!("{shown} does not exist"), remedy));
    }
    let mut mistakes = String::new();
    let mut found = false;
    for file in LoaderFile::ALL {
        let path = directory.join(file.template_name());
        let shown = path.display().to_string();
        match read_bounded(&path) {
            Ok(text) => {
                found = true;
                if let Err(wrong) = config.use_template(file, &text) {
                    mistakes += &render(&shown, &text, &wrong);
                }
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound && directory.is_dir() => {}
            Err(e) => {
                let remedy = if e.kind() == io::ErrorKind::PermissionDenied {
                    closed(&path)
                } else {
                    let name = file.template_name();
                    let name = name.trim_end_matches(".j2");
                    format!("see boot.templates: heorot template {name} shows what such a file is")
                };
                mistakes += &format!("{shown} cannot be read: {e}\n  {remedy}\n");
            }
        }
    }
    if !found && mistakes.is_empty() {
        let names: Vec<_> = LoaderFile::ALL.iter().map(|file| file.template_name()).collect();
        mistakes = refused(
            format!("{} has no template", directory.display()),
            format!("put {} there, as `heorot template` shows them, or leave it out", names.join(", ")),
        );
    }
    if mistakes.is_empty() { Ok(()) } else { Err(mistakes) }
}

/// A file of which a little more is read than may be used: what is too long is told as such.
fn read_bounded(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    plain_file::open(path)?.take(FILE_TEMPLATE_OCTETS_MAX as u64 + 1).read_to_string(&mut text)?;
    Ok(text)
}

/// The certificate of HTTPS. What is wrong with it is a mistake of the line that names it.
fn read_tls(tls: &Tls, text: &str, closed: Closed<'_>) -> Result<Arc<ServerConfig>, Mistake> {
    http::tls::read(&tls.certificate, &tls.key, closed).map_err(|wrong| match wrong {
        Wrong::Certificate(message, remedy) => tls.wrong_certificate(text, message, remedy),
        Wrong::Key(message, remedy) => tls.wrong_key(text, message, remedy),
    })
}

/// What keeps a configuration from being served here that is right in itself; each with what to do.
pub(crate) fn problems_here(config: &Config) -> Vec<String> {
    mistakes_here(config).into_iter().chain(lacking_here(config)).collect()
}

/// What is wrong wherever the files are that it names: secrets would be served, or something else be written over.
pub(crate) fn mistakes_here(config: &Config) -> Vec<String> {
    let mistakes = published::problems(config).into_iter().chain(problems_with_written(config));
    mistakes.map(|(_, problem)| problem).collect()
}

/// What this host lacks, and another one may have.
pub(crate) fn lacking_here(config: &Config) -> Vec<String> {
    let boot = problem_with(Path::new(&config.boot.directory));
    let state = problem_with_state(&config.server.state);
    let of_directories = boot.into_iter().chain(state).chain(problems_with_roots(config));
    of_directories.chain(problems_with_interfaces(config)).collect()
}

/// What is wrong with where the state is to be: a directory that is not there is made.
pub(crate) fn problem_with_state(path: &str) -> Option<String> {
    let is_none = match std::fs::metadata(path) {
        Ok(found) => !found.is_dir(),
        Err(error) => error.kind() == io::ErrorKind::NotADirectory,
    };
    is_none.then(|| {
        format!("server.state {path} is no directory\n  name one, as server.state = \"/var/lib/heorot\": it is made if it is not there")
    })
}

/// What is in the place of a file that the server is told to write, and is not to be lost: of what option, and what to do.
pub(crate) fn problems_with_written(config: &Config) -> Vec<(&'static str, String)> {
    let control = listen::in_the_way(Path::new(&config.server.control));
    let is_wanted = config.names_file != NamesFile::IfUsual;
    let names = is_wanted.then(|| names::problem_here(config)).flatten();
    let control = control.map(|problem| ("server.control", problem));
    control.into_iter().chain(names.map(|problem| ("names.file", problem))).collect()
}

/// What is wrong with the directories that are to be served by NFS.
pub(crate) fn problems_with_roots(config: &Config) -> Vec<String> {
    let directories = config.nfs.iter().flat_map(|nfs| &nfs.directories);
    directories.filter_map(|directory| problem_with_root(directory)).collect()
}

/// One that is not there is served when it comes, unless none is there at all; of one that is there and has no hardware address that is not to be expected.
fn problems_with_interfaces(config: &Config) -> Vec<String> {
    let served = match settings::served(config) {
        Ok(served) => served,
        Err(e) => return vec![format!("the host's interfaces cannot be listed: {e}")],
    };
    let see = "see those there are: ip -brief link";
    if served.values().all(Option::is_none) {
        let names: Vec<&str> = served.keys().map(String::as_str).collect();
        return vec![format!(
            "there is no interface {} with a hardware address\n  {see}",
            names.join(" and no ")
        )];
    }
    let lacking = served.iter().filter(|(name, found)| found.is_none() && settings::is_there(name));
    lacking.map(|(name, _)| format!("the interface {name} has no hardware address\n  {see}")).collect()
}

/// What is wrong with a directory that is to be served by NFS. Whether the nodes may read it is not to be said by who may be another than those who serve it.
fn problem_with_root(directory: &str) -> Option<String> {
    match std::fs::metadata(directory) {
        Ok(found) if found.is_dir() => None,
        Ok(_) => Some(format!("{directory}, which is to be served by NFS, is no directory")),
        Err(e) if e.kind() == io::ErrorKind::PermissionDenied => None,
        Err(e) => Some(format!(
            "{directory}, which is to be served by NFS, cannot be opened: {e}\n  create the root file system there, or correct profile.root and nfs.directories"
        )),
    }
}

/// What is better changed on this host for a configuration that is right: of what, and what to do.
pub(crate) fn warnings_here(config: &Config) -> Vec<(&'static str, String)> {
    let of = |subject: &'static str| move |warning: String| (subject, warning);
    let kernel = threshold::warning(config).into_iter().map(of("kernel"));
    let overlays = overlay::problems(config).into_iter().map(of("overlays"));
    let passed_over = passed_over::warning(config).into_iter().map(of("boot.directory"));
    kernel.chain(overlays).chain(published::warnings(config)).chain(passed_over).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn text(templates: &Path) -> String {
        format!(
            "[[network]]\ninterface = \"lo\"\naddress = \"127.0.0.1/8\"\nnumbers = \"0-9\"\nfirst = \"127.0.1.0\"\n\
             temporary = \"127.0.2.1-127.0.2.9\"\n[boot]\ntemplates = {:?}\n",
            templates.to_str().unwrap()
        )
    }

    fn config(templates: &Path) -> Config {
        let text = text(templates);
        let lo = Interface { name: "lo".into(), addresses: vec![(Ipv4Addr::LOCALHOST, 8)] };
        Config::parse(&text, &[lo]).expect("a right configuration").0
    }

    #[test]
    fn why_a_file_cannot_be_read_is_told_as_it_is() {
        let directory = testing::directory("configuration-text");
        let folder = directory.path();
        let path = folder.join("heorot.toml");
        let utf16: Vec<u8> = "\u{feff}[server]".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for (octets, said) in [
            (
                &b"[server]\n# Gr\xfc\xdfe\n"[..],
                "line 2 is not UTF-8, at octet 13 of the file\n  save it as UTF-8",
            ),
            (&utf16, "it is UTF-16, and not UTF-8\n  save it as UTF-8, as by iconv -f UTF-16"),
        ] {
            std::fs::write(&path, octets).unwrap();
            let why = text_of(&path).unwrap_err();
            assert!(why.contains(said), "{why}");
        }
        let why = text_of(&folder.join("none.toml")).unwrap_err();
        assert!(why.contains("docs/sample.toml"), "{why}");
        let why = text_of(folder).unwrap_err();
        assert!(!why.contains("sample"), "{why}");
        // A reload would wait for a writer, and be the last one.
        let pipe = folder.join("pipe.toml");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let why = text_of(&pipe).unwrap_err();
        assert!(
            why.contains("pipe.toml cannot be read: it is a pipe, and has to be a file\n  name the"),
            "{why}"
        );
        assert_eq!(text_of(Path::new("/dev/zero")).unwrap().len(), CONFIGURATION_OCTETS_MAX + 1);
    }

    #[test]
    fn what_is_in_the_way_of_a_reader_is_told() {
        let path = Path::new("/etc/heorot/heorot.toml");
        for (closed, remedy) in [
            ("", None),
            (
                "/etc/heorot/heorot.toml",
                Some("chgrp heorot /etc/heorot/heorot.toml; chmod 640 /etc/heorot/heorot.toml"),
            ),
            ("/etc/heorot", Some("chgrp heorot /etc/heorot; chmod 750 /etc/heorot")),
        ] {
            let may = |path: &Path, _| path != Path::new(closed);
            assert_eq!(let_read(path, "heorot", &may).as_deref(), remedy, "{closed}");
        }
    }

    /// What is another group's may be other services': nothing is taken from them.
    #[test]
    fn a_directory_of_another_group_keeps_it() {
        let directory = testing::directory("configuration-group");
        let path = directory.path();
        if std::fs::metadata(path).unwrap().gid() == 0 {
            std::os::unix::fs::chown(path, None, Some(1)).unwrap();
        }
        let remedy = let_read(&path.join("key.pem"), "heorot", &|it, _| it != path);
        assert_eq!(remedy, Some(format!("setfacl -m g:heorot:x {}", path.display())));
    }

    /// What the file says itself does for an export; only where it says nothing the interface has to be here.
    #[test]
    fn a_file_of_another_host_can_be_read() {
        let directory = testing::directory("configuration-elsewhere");
        let folder = directory.path();
        let path = folder.join("heorot.toml");
        let text = "[[network]]\ninterface = \"elsewhere7\"\naddress = \"10.77.0.1/16\"\nnumbers = \"0-9\"\n\
                    first = \"10.77.1.0\"\ntemporary = \"10.77.2.1-10.77.2.9\"\n";
        std::fs::write(&path, text).unwrap();
        let here = read(&path).unwrap();
        let warnings = here.warnings.concat();
        assert!(warnings.contains("there is no interface \"elsewhere7\""), "{warnings}");
        assert!(!here.config.networks[0].on_link, "until it comes");
        assert_eq!(
            problems_here(&here.config).last().map(String::as_str),
            Some(
                "there is no interface elsewhere7 with a hardware address\n  see those there are: ip -brief link"
            )
        );
        assert_eq!(read_elsewhere(&path).unwrap().config.networks[0].interface, "elsewhere7");
        std::fs::write(&path, text.replace("address", "# address")).unwrap();
        assert!(read_elsewhere(&path).unwrap_err().contains("there is no interface"));
    }

    #[test]
    fn templates_of_the_operator_are_read_or_refused_with_their_lines() {
        let directory = testing::directory("templates");
        let mut given = config(directory.path());
        let wrong =
            read_templates(&mut given, ("heorot.toml", &text(directory.path())), &see_who_may).unwrap_err();
        assert!(
            wrong.starts_with("heorot.toml:8:13: ")
                && wrong.contains(" has no template\n8 | templates = ")
                && wrong.contains("put pxelinux.cfg.j2, grub.cfg.j2, boot.ipxe.j2 there"),
            "{wrong}"
        );

        let grub = directory.path().join("grub.cfg.j2");
        std::fs::write(&grub, "linux {{ boot.kernel }}\ninitrd {{ boot.initd }}\n").unwrap();
        let wrong =
            read_templates(&mut given, ("heorot.toml", &text(directory.path())), &see_who_may).unwrap_err();
        let place = format!("{}:2:11: there is no boot.initd in a template\n2 | initrd", grub.display());
        assert!(wrong.starts_with(&place) && wrong.contains("did you mean \"boot.initrd\"?"), "{wrong}");

        std::fs::write(&grub, "linux {{ node.attributes.console }}\n").unwrap();
        let wrong =
            read_templates(&mut given, ("heorot.toml", &text(directory.path())), &see_who_may).unwrap_err();
        assert!(wrong.contains("no profile and no [[node]] has the attribute console"), "{wrong}");

        std::fs::write(&grub, "linux {{ boot.kernel }} mine\n").unwrap();
        read_templates(&mut given, ("heorot.toml", &text(directory.path())), &see_who_may).unwrap();
        assert!(given.boot.made[&LoaderFile::Grub].text().ends_with("mine\n"));
        assert_eq!(given.boot.made[&LoaderFile::Ipxe].text(), LoaderFile::Ipxe.usual_text());

        std::fs::remove_file(&grub).unwrap();
        std::fs::create_dir(&grub).unwrap();
        let wrong =
            read_templates(&mut given, ("heorot.toml", &text(directory.path())), &see_who_may).unwrap_err();
        assert!(wrong.contains("grub.cfg.j2 cannot be read"), "{wrong}");
        std::fs::remove_dir(&grub).unwrap();
        nix::unistd::mkfifo(&grub, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let wrong =
            read_templates(&mut given, ("heorot.toml", &text(directory.path())), &see_who_may).unwrap_err();
        assert!(wrong.contains("grub.cfg.j2 cannot be read: it is a pipe"), "{wrong}");
        let missing = directory.path().join("missing");
        let wrong = read_templates(&mut config(&missing), ("heorot.toml", &text(&missing)), &see_who_may)
            .unwrap_err();
        let shown = missing.display();
        let expected = format!(
            "heorot.toml:8:13: {shown} does not exist\n8 | templates = \"{shown}\"\n  |             {}\n  mkdir -p {shown}; heorot template grub.cfg > {shown}/grub.cfg.j2, or leave it out\n",
            "^".repeat(shown.to_string().len() + 2)
        );
        assert_eq!(wrong, expected);
    }
}
