//! Files of the boot directory that nodes never get, because what they ask for by these names is made for them: told, for whoever laid them there means them.

use heorot_core::cluster::loader_file::generated;
use heorot_core::config::{Config, Loader, Mode};
use heorot_core::mac::Mac;
use std::collections::BTreeSet;
use std::path::Path;

/// Files that are named one by one.
const NAMED_MAX: usize = 4;
/// Files of one folder that are looked at.
const LOOKED_AT_MAX: usize = 10_000;
/// The folder that PXELINUX looks in, beside itself.
const PXELINUX: &str = "pxelinux.cfg";

/// What there is of them, and what to do.
pub(crate) fn warning(config: &Config) -> Option<String> {
    // Who boots beside a server that only looks on may be served by another one from the same directory.
    if config.networks.iter().any(|network| network.mode == Mode::Shadow) {
        return None;
    }
    let directory = Path::new(&config.boot.directory);
    let folders = folders(config);
    let within = folders.iter().flat_map(|folder| [folder.clone(), format!("{folder}{PXELINUX}/")]);
    let names = within.flat_map(|folder| {
        let files = std::fs::read_dir(directory.join(&folder)).into_iter().flatten().take(LOOKED_AT_MAX);
        files.filter_map(move |file| {
            let file = file.ok()?;
            let name = format!("{folder}{}", file.file_name().to_str()?);
            // By the name first, and by what the directory itself says of it: beside it something may be mounted that does not answer.
            let is_meant = generated(&name).is_some() && !is_for_hosts(config, &name);
            (is_meant && file.file_type().is_ok_and(|kind| !kind.is_dir())).then_some(name)
        })
    });
    let names: BTreeSet<String> = names.collect();
    let first: Vec<_> = names.iter().take(NAMED_MAX).map(String::as_str).collect();
    let more = match names.len().saturating_sub(NAMED_MAX) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    (!names.is_empty()).then(|| {
        format!(
            "boot.directory {} has {}{more}: a node that asks for a file of such a name is never given that one, for it is made from its profile\n  \
             for another kernel or command line, write a [profile.…]; for another text, a template (boot.templates; heorot template {}); else remove the file",
            config.boot.directory,
            first.join(", "),
            names.first().and_then(|name| generated(name)).map_or("boot.ipxe", |made| made.file().name()),
        )
    })
}

/// The folders in which loaders look: that of each loader, and GRUB's own. With a final slash, but for the boot directory itself.
fn folders(config: &Config) -> BTreeSet<String> {
    let of = |name: &str| name[..name.rfind('/').map_or(0, |slash| slash + 1)].to_owned();
    let loaders = config.boot.files.values().filter(|name| Loader::of(name).is_some() || name.contains('/'));
    loaders.map(|name| of(name)).chain([String::new(), "grub/".into()]).collect()
}

/// Who is no node gets what is kept: it may be meant for a `[[host]]`.
fn is_for_hosts(config: &Config, name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or_default();
    let file = file.strip_prefix("grub.cfg-").unwrap_or(file);
    match file.strip_prefix("01-").and_then(|mac| mac.replace('-', ":").parse::<Mac>().ok()) {
        Some(mac) => config
            .hosts
            .iter()
            .any(|host| !host.identifiers.is_empty() || host.macs.iter().any(|pattern| pattern.matches(mac))),
        None => !config.hosts.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use heorot_core::config::Interface;
    use std::net::Ipv4Addr;

    #[test]
    fn files_that_nodes_never_get_are_told() {
        let directory = testing::directory("passed-over");
        let folder = directory.path();
        let told = |further: &str| {
            let text = format!(
                "[boot]\ndirectory = {folder:?}\nbios = \"old/pxelinux.0\"\n[[network]]\ninterface = \"lo\"\naddress = \"127.0.0.1/8\"\n\
                 numbers = \"0-9\"\nfirst = \"127.0.1.0\"\ntemporary = \"127.0.2.1-127.0.2.9\"\n{further}"
            );
            let lo = Interface { name: "lo".into(), addresses: vec![(Ipv4Addr::LOCALHOST, 8)] };
            warning(&Config::parse(&text, &[lo]).expect("a right configuration").0)
        };
        let lay = |name: &str| {
            std::fs::create_dir_all(folder.join(name).parent().unwrap()).unwrap();
            std::fs::write(folder.join(name), "").unwrap();
        };
        for name in ["vmlinuz", "old/pxelinux.0", "other/pxelinux.cfg/default", "pxelinux.cfg.old", "my.ipxe"]
        {
            lay(name);
        }
        std::fs::create_dir_all(folder.join("boot.ipxe")).unwrap();
        assert_eq!(told(""), None);
        lay("old/pxelinux.cfg/01-52-54-00-12-34-56");
        let said = told("").unwrap();
        assert!(said.contains(" has old/pxelinux.cfg/01-52-54-00-12-34-56: a node"), "{said}");
        assert!(said.contains("heorot template pxelinux.cfg)"), "{said}");
        // It is for a host, or may be for another.
        let host =
            |mac: &str| format!("[[host]]\nmac = {mac:?}\nname = \"printer\"\naddress = \"127.0.3.1\"\n");
        assert_eq!(told(&host("52:54:00:12:34:56")), None);
        assert!(told(&host("52:54:00:12:34:57")).is_some());
        for name in
            ["grub.cfg", "grub/grub.cfg-01-52-54-00-12-34-58", "pxelinux.cfg/default", "pxelinux.cfg/menu"]
        {
            lay(name);
        }
        let said = told("").unwrap();
        assert!(
            said.contains("grub.cfg, grub/grub.cfg-01-52-54-00-12-34-58, old/pxelinux.cfg/01-52-54-00-12-34-56, pxelinux.cfg/default and 1 more:"),
            "{said}"
        );
        assert!(!told(&host("52:54:00:12:34:56")).unwrap().contains("default"));
        assert_eq!(told("mode = \"shadow\"\n"), None);
    }
}
