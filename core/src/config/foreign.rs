//! Keys that stand where they are none: what other servers call so, and where it belongs here.

use super::entry::did_you_mean;
use super::option::{Form, named, numbered};
use super::read_host::is_without_option;
use super::setting::{Section, Status};
use super::table::SECTIONS;

/// Words that are written where they mean nothing, and what does here what is meant by them.
struct Foreign {
    /// The sections that they are written in.
    sections: &'static [&'static str],
    words: &'static [&'static str],
    remedy: &'static str,
}

const fn foreign(
    sections: &'static [&'static str],
    words: &'static [&'static str],
    remedy: &'static str,
) -> Foreign {
    Foreign { sections, words, remedy }
}

/// Of dnsmasq, dhcpd, Kea, tftpd, BIND and Warewulf, and what everybody tries.
static FOREIGN: &[Foreign] = &[
    foreign(
        &["node"],
        &["address", "ip", "ip-address", "ipaddr", "ipv4", "fixed-address"],
        "a node's address follows from its number; a host with one of its own, which is no node, is a [[host]]",
    ),
    foreign(
        &["host"],
        &["ip", "ip-address", "ipaddr", "ipv4", "fixed-address"],
        "write address = \"10.77.0.20\"",
    ),
    foreign(&["node", "host"], &["hostname", "host-name", "host", "fqdn"], "write name = \"login\""),
    foreign(
        &["node", "host", "class"],
        &["hwaddr", "hw-address", "hardware", "ethernet", "hardware-ethernet", "macaddr", "mac-address"],
        "write mac = \"52:54:00:00:00:17\"",
    ),
    foreign(&["node"], &["id", "index", "node"], "write number = 23"),
    foreign(&["host"], &["number"], "whoever has a number is a [[node]]"),
    foreign(&["node"], &["group", "groups"], "groups of nodes are in [groups]"),
    foreign(
        &["node"],
        &["architecture", "arch"],
        "firmware says it itself; a [profile.NAME] or a [[class]] may be for one",
    ),
    foreign(
        &["node", "class", "host"],
        &["kernel", "initrd", "cmdline", "root", "args", "append", "overlays", "image", "container"],
        "it belongs in a [profile.NAME], which profile = \"NAME\" gives to a [[node]] or a [[class]]",
    ),
    foreign(
        &["network"],
        &["range", "dhcp-range", "pool", "pools", "dynamic"],
        "write temporary = \"10.77.200.1-10.77.203.254\" for machines that are not yet nodes, and guests for hosts that never are",
    ),
    foreign(
        &["network"],
        &["subnet", "subnet-mask", "netmask", "mask", "prefix", "cidr", "network", "ip", "ip-address"],
        "the interface has it; else write address = \"10.77.0.1/16\", this server's own with the length of its prefix",
    ),
    foreign(&["network"], &["router", "routers", "default-gateway", "gw"], "write gateway = \"10.77.0.254\""),
    foreign(&["network"], &["domain", "domain-name", "zone"], "it is name in [cluster]"),
    foreign(
        &["network"],
        &["dns", "nameserver", "nameservers", "name-server"],
        "clients are told this server; of another one, by options = { dns-servers = \"10.77.0.9\" }",
    ),
    foreign(
        &["network"],
        &["lease-time", "default-lease-time", "max-lease-time", "valid-lifetime"],
        "write lease = \"12h\", temporary-lease = \"60s\" or guest-lease = \"1h\"",
    ),
    foreign(
        &["network", "boot", "tftp", "server"],
        &["enable-tftp", "dhcp-authoritative", "bind-interfaces", "bind-dynamic", "log-dhcp", "log-queries"],
        "leave it out: TFTP is served, DHCP answers for its networks alone, and the journal has what happens; docs/from-dnsmasq-and-dhcpd.md has what other lines are here",
    ),
    foreign(
        &["network", "boot", "server"],
        &["dhcp-host", "read-ethers"],
        "a machine is a [[node]] with mac and number, a host with an address of its own a [[host]]",
    ),
    foreign(
        &["network", "boot", "server"],
        &["dhcp-option", "dhcp-option-force", "dhcp-match", "dhcp-vendorclass", "dhcp-userclass"],
        "options stand in options = { ntp-servers = \"10.77.0.9\" }, and who gets others in a [[class]]",
    ),
    foreign(&["network"], &["size", "count", "nodes"], "write numbers = \"0-1023\""),
    foreign(
        &["network"],
        &["vlan", "vlan-id"],
        "a VLAN is an interface of this host: interface = \"eth1.7\"",
    ),
    foreign(&["network"], &["device", "dev", "nic", "iface"], "write interface = \"eth1\""),
    foreign(&["cluster"], &["domain", "domain-name", "zone"], "write name = \"cluster.example.org\""),
    foreign(&["cluster"], &["size", "count", "numbers"], "it is numbers = \"0-1023\" in [[network]]"),
    foreign(&["cluster"], &["prefix", "pattern", "node-prefix", "node"], "write nodes = \"node{}\""),
    foreign(
        &["profile"],
        &["args", "append", "kargs", "kernel-args", "kernelargs", "bootargs", "parameters", "command-line"],
        "write cmdline = \"…\"",
    ),
    foreign(
        &["profile"],
        &["console"],
        "write it in cmdline, or attributes = { console = \"ttyS0\" } for {{node.attributes.console}} there",
    ),
    foreign(&["profile"], &["initramfs", "ramdisk", "ram-disk"], "write initrd = \"initrd.img\""),
    foreign(
        &["profile"],
        &["image", "container", "rootfs", "nfsroot", "nfs-root", "root-path", "vnfs"],
        "write root = \"nfs:/srv/heorot-root\" or \"http:image.squashfs\"",
    ),
    foreign(&["profile"], &["node"], "write nodes = \"node[0-9]\""),
    foreign(
        &["tftp", "http", "server"],
        &["root", "directory", "tftp-root", "docroot", "document-root"],
        "files are served from directory in [boot]",
    ),
    foreign(
        &["boot", "pxe"],
        &["tftp-root", "path", "folder"],
        "write directory = \"/srv/heorot\" in [boot]",
    ),
    foreign(
        &["boot", "network", "profile", "pxe"],
        &["filename", "boot-file", "bootfile", "boot-file-name", "dhcp-boot", "loader"],
        "in [boot] each kind of firmware has its own: bios = \"pxelinux.0\", uefi-x64 = \"ipxe.efi\"; a [[class]] may have another boot-file",
    ),
    foreign(
        &["tftp"],
        &["port", "listen"],
        "firmware asks port 69; port-range is what transfers are sent from",
    ),
    foreign(
        &["tftp"],
        &["timeout", "retries", "retransmit"],
        "there is none to set: how long a client takes is measured, and a timeout that it asks for is granted",
    ),
    foreign(&["tftp"], &["blksize", "blocksize", "block-size", "mtu"], "write block-size-max = 1418"),
    foreign(
        &["dns"],
        &["forwarders", "server", "servers", "nameserver", "nameservers", "resolvers"],
        "write upstream = [\"192.0.2.53\"]",
    ),
    foreign(
        &["dns"],
        &["domain", "zone", "name"],
        "the zone is name in [cluster]; others' are in [[dns.forward]]",
    ),
    foreign(&["dns"], &["port"], "it is 53, on the addresses of the networks"),
    foreign(
        &["server", "cluster"],
        &["log", "log-level", "loglevel", "log-file", "logfile", "debug", "verbose"],
        "there is nothing to set: what happens goes to the journal, or to standard error",
    ),
    foreign(
        &["options"],
        &["next-server", "siaddr", "server"],
        "next-server belongs in [[class]]; tftp-server-name is the option",
    ),
    foreign(
        &["options"],
        &["filename", "boot-file", "bootfile", "file"],
        "in [boot] each kind of firmware has its file; a [[class]] may have another boot-file",
    ),
    foreign(&["options"], &["gateway"], "write routers = \"10.77.0.254\", or gateway in [[network]]"),
    foreign(&["options"], &["lease", "max-lease-time", "default-lease-time"], "it is lease in [[network]]"),
    foreign(
        &[""],
        &["dhcp", "dhcpd", "dhcp4", "subnet", "subnets", "lan", "range", "dhcp-range", "pool", "interfaces"],
        "what DHCP has to know stands in each [[network]]",
    ),
    foreign(
        &[""],
        &["log", "logging", "debug"],
        "there is nothing to set: what happens goes to the journal, or to standard error",
    ),
    foreign(&[""], &["tls", "ssl", "https"], "write certificate and key in [http]"),
    foreign(&[""], &["image", "images", "kernel", "container", "root"], "it belongs in a [profile.NAME]"),
];

pub(super) fn remedy_of_foreign(section: &str, word: &str) -> Option<String> {
    let plain = word.to_ascii_lowercase().replace('_', "-");
    let fits =
        |foreign: &&Foreign| foreign.sections.contains(&section) && foreign.words.contains(&plain.as_str());
    FOREIGN.iter().find(fits).map(|foreign| foreign.remedy.to_owned())
}

/// The section whose table stands in another's: `trial.check` in `trial`.
pub(super) fn child(section: &Section, key: &str) -> Option<&'static Section> {
    children(section).find(|(name, _)| *name == key).map(|(_, child)| child)
}

fn children<'s>(section: &'s Section) -> impl Iterator<Item = (&'static str, &'static Section)> + 's {
    let inner = |path: &'static str| path.strip_prefix(section.path)?.strip_prefix('.');
    SECTIONS.iter().filter_map(move |other| Some((inner(other.path)?, other)))
}

/// A key that is not one of the section: a DHCP option, one of another section or of another server, or misspelt.
pub(super) fn remedy_for_key(section: &'static Section, key: &str) -> String {
    if SECTIONS.iter().any(|section| section.path == key) {
        return "it is a section of its own, and stands above or below this one".into();
    }
    if section.path == "boot" && is_without_option(key) {
        return format!("write [[pxe.service]] with architecture = \"{key}\" and its file");
    }
    let works = |setting: &&super::Setting| setting.status == Status::Works;
    let own = || {
        let settings = section.settings.iter().filter(works).map(|setting| setting.key);
        settings.chain(children(section).map(|(name, _)| name))
    };
    remedy_of_foreign(section.path, key)
        .or_else(|| remedy_for_option(section, key))
        .or_else(|| did_you_mean(key, own()))
        .or_else(|| belongs(key, SECTIONS))
        .unwrap_or_else(|| match own().collect::<Vec<_>>().join(", ") {
            none if none.is_empty() => "leave it out".into(),
            keys => format!("there is {keys}"),
        })
}

/// A DHCP option that stands where keys do.
fn remedy_for_option(section: &Section, key: &str) -> Option<String> {
    let written = written_option(key)?;
    Some(match section.setting("options") {
        Some(_) => format!("it is a DHCP option: options = {{ {written} = … }}"),
        None => format!("it is a DHCP option, and belongs in [options]: {written} = …"),
    })
}

/// How an option is written that dnsmasq has as `option:ntp-server`, and others as `option-42`.
fn written_option(word: &str) -> Option<String> {
    let plain = word.strip_prefix("option:").or_else(|| word.strip_prefix("option-")).unwrap_or(word);
    let (known, written) = match plain.parse::<u8>() {
        Ok(number) => (numbered(number), format!("\"{number}\"")),
        Err(_) => (Some(named(plain)?), plain.to_owned()),
    };
    let may_be_set = known.is_none_or(|known| !matches!(known.form, Form::Owned(_)));
    may_be_set.then_some(written)
}

/// What stands among DHCP options and is none: written as dnsmasq does, or the key of a section.
pub(super) fn remedy_in_options(word: &str) -> Option<String> {
    let is_with_mark = word.starts_with("option:") || word.starts_with("option-");
    let written = is_with_mark.then(|| written_option(word)).flatten();
    let places = ["network", "class", "host", "boot"];
    written
        .map(|written| format!("write {written} = …"))
        .or_else(|| remedy_of_foreign("options", word))
        .or_else(|| belongs(word, SECTIONS.iter().filter(|section| places.contains(&section.path))))
}

/// A section that is none.
pub(super) fn remedy_for_section(name: &str) -> String {
    let outer = || SECTIONS.iter().filter(|section| !section.path.contains('.'));
    remedy_of_foreign("", name)
        .or_else(|| did_you_mean(name, outer().map(|section| section.path)))
        .or_else(|| belongs(name, SECTIONS))
        .unwrap_or_else(|| {
            let headings: Vec<_> = outer().map(Section::heading).collect();
            format!("there is {}", headings.join(", "))
        })
}

fn belongs(key: &str, sections: impl IntoIterator<Item = &'static Section>) -> Option<String> {
    let other = sections.into_iter().find(|other| other.setting(key).is_some())?;
    Some(format!("it belongs in {}", other.heading()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What works where it stands is no foreign word there, and every section that is named is one.
    #[test]
    fn foreign_words_are_none_of_ours() {
        for Foreign { sections, words, remedy } in FOREIGN {
            for path in sections.iter().filter(|path| !path.is_empty()) {
                let section = SECTIONS.iter().find(|section| section.path == *path).unwrap();
                for word in *words {
                    assert!(section.setting(word).is_none(), "{word} in [{path}]: {remedy}");
                    assert!(path != &"options" || named(word).is_none(), "{word} is an option");
                }
            }
            for word in *words {
                let is_section = SECTIONS.iter().any(|section| section.path == *word);
                assert!(!sections.contains(&"") || !is_section, "[{word}] is a section");
            }
        }
    }
}
