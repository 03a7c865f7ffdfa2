//! The files that nodes load: whether each is there, has something in it, and may be read by the server.

use super::{Finding, Grade};
use crate::images::directory::{BootDirectory, problem_with};
use heorot_core::cluster::boot;
use heorot_core::cluster::loader_file::generated;
use heorot_core::config::{Config, Fallback, FirmwareKind, Loader, Mode, Network, Protocol, Root, SECTIONS};
use heorot_core::transfer::Refusal;
use std::collections::BTreeSet;
use std::io::Read;
use std::os::fd::AsRawFd as _;
use std::path::Path;

/// Octets of a loader that are looked through: an image with all of GRUB's modules has less.
const GRUB_OCTETS_MAX: u64 = 16 << 20;

/// All of them, in the order in which a boot needs them.
pub(super) fn findings(config: &Config) -> Vec<Finding> {
    // Of a directory that cannot be read nothing can be said of its files.
    if let Some(problem) = problem_with(Path::new(&config.boot.directory)) {
        return vec![Finding::new(Grade::Fault, "boot.directory", problem)];
    }
    let files = BootDirectory::new(&config.boot.directory, config.boot.packages.as_deref());
    let Loaders { usual, others } = loaders(config, &files);
    let after = profiles(config, &files).into_iter().chain(checks(config, &files));
    usual.into_iter().chain(others).chain(after).collect()
}

/// What is wrong with those without which machines do not boot. Of a loader that is taken where the configuration says nothing it is told only where there is no loader at all: a cluster may
/// have no machine of that kind.
pub(super) fn lacking(config: &Config) -> Vec<Finding> {
    let serves = |network: &Network| match network.mode {
        Mode::Serve | Mode::Proxy => true,
        Mode::Shadow => false,
    };
    if !config.networks.iter().any(serves) || problem_with(Path::new(&config.boot.directory)).is_some() {
        return Vec::new();
    }
    let files = BootDirectory::new(&config.boot.directory, config.boot.packages.as_deref());
    let Loaders { usual, others } = loaders(config, &files);
    let is_good = |finding: &Finding| finding.grade != Grade::Fault;
    let has_loader = usual.iter().chain(&others).any(is_good);
    let usual = usual.into_iter().filter(|_| !has_loader);
    let mut profiles = profiles(config, &files);
    // What others have from it is told of it, and once.
    profiles.sort_by_key(|finding| !finding.subject.starts_with("profile.default "));
    let all = usual.chain(others).chain(profiles).chain(checks(config, &files));
    let mut told = BTreeSet::new();
    all.filter(|finding| !is_good(finding) && told.insert(finding.said.clone())).collect()
}

/// What was found of loaders.
#[derive(Default)]
struct Loaders {
    /// Of those that are taken where the configuration says nothing.
    usual: Vec<Finding>,
    others: Vec<Finding>,
}

/// The loaders of all firmware, and what they ask for next.
fn loaders(config: &Config, files: &BootDirectory) -> Loaders {
    let mut loaders = Loaders::default();
    for (kind, name) in &config.boot.files {
        let findings = if is_usual(*kind, name) { &mut loaders.usual } else { &mut loaders.others };
        let row = kind.row();
        let by_script = row.protocol == Protocol::Script && generated(name).is_some();
        if by_script {
            continue;
        }
        let subject = format!("boot.{}", row.key);
        findings.push(boot_file(config, files, &subject, name));
        if let Some(next) = Loader::second_stage(name) {
            findings.push(boot_file(config, files, &format!("{subject}, next"), next));
        }
        if row.protocol == Protocol::Http {
            findings.extend(goes_no_further(files, &subject, Loader::second_stage(name).unwrap_or(name)));
        }
    }
    for (subject, name) in named_files(config) {
        loaders.others.push(boot_file(config, files, &subject, name));
        if let Some(next) = second_stage_beside(name) {
            loaders.others.push(boot_file(config, files, &format!("{subject}, next"), &next));
        }
    }
    loaders
}

/// Whether that is what a kind of firmware is given where the configuration says nothing.
fn is_usual(kind: FirmwareKind, name: &str) -> bool {
    let boot = SECTIONS.iter().find(|section| section.path == "boot");
    let fallback = boot.and_then(|boot| boot.setting(kind.row().key)).map(|setting| &setting.fallback);
    matches!(fallback, Some(Fallback::Value(value)) if value.trim_matches('"') == name)
}

/// The boot files of classes and of a menu's entries, as far as they are here and made by nobody.
fn named_files(config: &Config) -> Vec<(String, &str)> {
    let of_classes = config.classes.iter().filter(|class| class.next_server.is_none()).filter_map(|class| {
        Some((format!("[[class]] {} boot-file", class.name), class.boot_file.as_deref()?))
    });
    let of_menu =
        config.pxe.services.iter().filter_map(|service| {
            Some((format!("[[pxe.service]] {}", service.text), boot::file_of(service)?))
        });
    let all = of_classes.chain(of_menu);
    all.filter(|(_, name)| !name.contains("://") && generated(name).is_none()).collect()
}

/// What a loader asks for next, in its own folder.
fn second_stage_beside(name: &str) -> Option<String> {
    let (folder, file) = name.split_at(name.rfind('/').map_or(0, |slash| slash + 1));
    Some(format!("{folder}{}", Loader::second_stage(file)?))
}

/// A GRUB that came by HTTP looks for everything else there, and not every GRUB can: Debian's images cannot.
fn goes_no_further(files: &BootDirectory, subject: &str, name: &str) -> Option<Finding> {
    let mut program = Vec::new();
    files.open(name).ok()?.file.take(GRUB_OCTETS_MAX).read_to_end(&mut program).ok()?;
    let has = |text: &[u8]| program.windows(text.len()).any(|octets| octets == text);
    // What its core is called by its modules, and what its module of that name says to servers.
    if !has(b"grub_net_open") || has(b"HTTP/1.") {
        return None;
    }
    let said = format!(
        "{name} is a GRUB without its module http, which ends in its prompt when it was loaded by HTTP\n  make one that has it (grub-mkimage: see docs/http.md), or take ipxe.efi"
    );
    Some(Finding::new(Grade::Fault, subject, said))
}

fn profiles(config: &Config, files: &BootDirectory) -> Vec<Finding> {
    let profiles = config.profiles.iter().flat_map(|(name, profile)| {
        let initrd = profile.initrd.iter().map(|file| ("initrd", file));
        // A root that comes from elsewhere is looked at there, and one by NFS where it is served.
        let root = match &profile.root {
            Root::Image(file) => Some(("root", file)),
            Root::None | Root::Here(_) | Root::Nfs(_) | Root::Nfs4(_) | Root::Url(_) => None,
        };
        let wanted = [("kernel", &profile.kernel)].into_iter().chain(initrd).chain(root);
        wanted.map(move |(what, file)| (format!("profile.{name} {what}"), file))
    });
    profiles.map(|(subject, file)| boot_file(config, files, &subject, file)).collect()
}

/// What machines on trial fetch to see how fast that goes.
fn checks(config: &Config, files: &BootDirectory) -> Vec<Finding> {
    let fetched = config.trial.checks.iter().filter_map(|check| Some((&check.name, check.file.as_ref()?)));
    fetched
        .map(|(name, file)| boot_file(config, files, &format!("[[trial.check]] {name} file"), file))
        .collect()
}

/// Whether a file is to be had, for the user that the server becomes.
fn boot_file(config: &Config, files: &BootDirectory, subject: &str, name: &str) -> Finding {
    match files.open(name) {
        Ok(found) => {
            if found.identity.size == 0 {
                let said = format!("{name} is empty\n  {}", boot::remedy(config, name));
                return Finding::new(Grade::Fault, subject, said);
            }
            let said = format!("{name}, {} octets", found.identity.size);
            if is_readable(config, &found.file) {
                return Finding::new(Grade::Ok, subject, said);
            }
            let (user, path) = (&config.server.user, path_of(config, name, &found.file));
            let said =
                format!("{said}, may not be read by {user}\n  let everybody read it: chmod a+r {path}");
            Finding::new(Grade::Fault, subject, said)
        }
        Err(Refusal::Missing(_)) => Finding::new(
            Grade::Fault,
            subject,
            format!("there is no {name}\n  {}", boot::remedy(config, name)),
        ),
        Err(Refusal::Denied(why) | Refusal::Unfit(why)) => Finding::new(Grade::Fault, subject, why),
        Err(Refusal::Changed) => Finding::new(Grade::Warning, subject, format!("{name} is being changed")),
    }
}

/// Where an open file is, as it can be typed: it may be one of a package's.
fn path_of(config: &Config, name: &str, file: &std::fs::File) -> String {
    let opened = std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd()));
    opened.unwrap_or_else(|_| Path::new(&config.boot.directory).join(name)).display().to_string()
}

/// Root reads everything, and the server does not stay root.
fn is_readable(config: &Config, file: &std::fs::File) -> bool {
    use std::os::unix::fs::MetadataExt;
    let Ok(Some(user)) = nix::unistd::User::from_name(&config.server.user) else { return true };
    let Ok(metadata) = file.metadata() else { return false };
    let mode = metadata.mode();
    mode & 0o004 != 0
        || (metadata.uid() == user.uid.as_raw() && mode & 0o400 != 0)
        || (metadata.gid() == user.gid.as_raw() && mode & 0o040 != 0)
}
