//! What the file says that the server made for a machine: which files are next, and where its agent is to report.

use std::net::{Ipv4Addr, SocketAddrV4};

/// What a loader understands of its file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// Kernel and RAM disks, as they are to be asked for by TFTP.
    pub(super) files: Vec<String>,
    /// `heorot=` on the kernel's command line.
    pub(super) url: Option<Url>,
    /// Whether it begins again when a file does not come.
    pub(super) never_gives_up: bool,
}

/// An HTTP URL with an address in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Url {
    pub(super) server: SocketAddrV4,
    /// With its leading slash.
    pub(super) path: String,
}

impl Url {
    /// Reads `http://ADDRESS[:PORT]/PATH`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("http://")?;
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (address, port) = host.split_once(':').unwrap_or((host, "80"));
        let server = SocketAddrV4::new(address.parse::<Ipv4Addr>().ok()?, port.parse().ok()?);
        Some(Self { server, path: format!("/{path}") })
    }
}

/// A configuration of PXELINUX, which was loaded from `folder`. Names are relative to that, unless `::` leads them.
pub(super) fn pxelinux(text: &str, folder: &str) -> Plan {
    let name = |word: &str| match word.strip_prefix("::") {
        Some(name) => name.to_owned(),
        None => format!("{folder}{word}"),
    };
    let mut plan = Plan::default();
    for line in text.lines() {
        let (key, value) = line.trim().split_once(char::is_whitespace).unwrap_or_else(|| (line.trim(), ""));
        match key.to_ascii_uppercase().as_str() {
            "KERNEL" | "LINUX" => plan.files.push(name(value.trim())),
            "INITRD" => plan.files.extend(value.trim().split(',').map(name)),
            "APPEND" => plan.url = url(value),
            _ => {}
        }
    }
    plan
}

/// An iPXE script. Bulk by HTTP is not simulated yet: what the script has by URL is asked for by its path, by TFTP.
pub(super) fn ipxe(text: &str) -> Plan {
    let mut plan = Plan::default();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let command = words.next().unwrap_or_default();
        if !matches!(command, "kernel" | "initrd" | "chain") {
            continue;
        }
        let mut words = words.skip_while(|word| word.starts_with("--"));
        let mut file = words.next().unwrap_or_default();
        if line.contains("--name ") {
            // The word after the option was its value.
            file = words.next().unwrap_or_default();
        }
        plan.files.push(path(file));
        plan.url = plan.url.or_else(|| url(line));
        plan.never_gives_up |= line.contains("|| goto");
    }
    plan
}

/// A configuration of GRUB.
pub(super) fn grub(text: &str) -> Plan {
    let mut plan = Plan::default();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        match words.next() {
            Some("linux" | "linuxefi") => {
                plan.files.extend(words.next().map(str::to_owned));
                plan.url = plan.url.or_else(|| url(line));
            }
            Some("initrd" | "initrdefi") => plan.files.extend(words.map(str::to_owned)),
            Some("while") => plan.never_gives_up = true,
            Some(_) | None => {}
        }
    }
    plan
}

/// `heorot=URL` among the words of a command line.
fn url(cmdline: &str) -> Option<Url> {
    cmdline.split_whitespace().find_map(|word| Url::parse(word.strip_prefix("heorot=")?))
}

/// The path of a URL, without its leading slash; what is no URL is a path already.
fn path(file: &str) -> String {
    let Some((_, rest)) = file.split_once("://") else { return file.into() };
    let path = rest.split_once('/').map_or("", |(_, path)| path);
    percent_decoded(path)
}

/// RFC 3986 2.1.
fn percent_decoded(path: &str) -> String {
    let mut octets = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = after.first_chunk::<2>().filter(|_| *first == b'%');
        let octet = escaped.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        octets.push(octet.unwrap_or(*first));
        rest = if octet.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&octets).into_owned()
}

#[cfg(test)]
mod tests;
