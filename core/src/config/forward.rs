//! `[dns]` and `[[dns.forward]]`: whom names are asked of that are not the cluster's.

use super::entry::{Entry, Placed};
use super::mistake::{Findings, quoted};
use super::option::encode::hexadecimal;
use super::read::Tables;
use super::value::{self, Wrong};
use crate::limit::{FORWARD_DOMAINS_MAX, HOST_FILES_MAX, TRUST_ANCHORS_MAX, UPSTREAMS_MAX};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// What the operator says of names that are not the cluster's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forward {
    /// Who is asked for what no domain has.
    pub upstream: Vec<Upstream>,
    /// Domains that have servers of their own.
    pub domains: Vec<ForwardDomain>,
    /// Files of hosts.
    pub hosts: Vec<String>,
    /// Who may ask; none: the networks.
    pub clients: Option<Vec<(IpAddr, u8)>>,
    /// Questions of one client a second; 0 for any number.
    pub rate_per_second: u32,
    /// Answers that are kept.
    pub cache_entries: u32,
    /// How long an answer is kept at least.
    pub minimum_ttl: Duration,
    /// How long at most.
    pub maximum_ttl: Duration,
    /// How long it is told after that, if nobody answers.
    pub stale: Duration,
    /// Which addresses names from upstream may not have.
    pub rebinding: Rebinding,
    /// Domains whose names may have any.
    pub rebinding_exempt: Vec<String>,
    /// The file of the authorities whose certificates count; none: the host's own.
    pub tls_roots: Option<String>,
    /// Whether answers have to be signed.
    pub validates: bool,
    /// Keys that are trusted, beside those of the root; or instead, if there is one of the root.
    pub trust_anchors: Vec<TrustAnchor>,
    /// Domains whose names need not be signed.
    pub insecure: Vec<String>,
}

/// A zone's key, as a DS record names it (RFC 4034 5.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustAnchor {
    /// The zone, lower case, without a final dot; empty for the root.
    pub domain: String,
    /// The key's tag.
    pub tag: u16,
    /// The key's algorithm.
    pub algorithm: u8,
    /// How the digest was made.
    pub kind: u8,
    /// The digest.
    pub digest: Vec<u8>,
}

/// Who is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upstream {
    /// This server.
    Server(SocketAddr),
    /// This server, by TLS: it has to show a certificate for this name, or for its address.
    Tls(SocketAddr, String),
    /// The servers that a file names, in the form of resolv.conf.
    File(String),
}

/// A domain with servers of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForwardDomain {
    /// The domain, lower case, without a final dot.
    pub domain: String,
    /// Its servers.
    pub servers: Vec<Upstream>,
}

/// Which addresses names from upstream may not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rebinding {
    /// Ours.
    Own,
    /// All that are private.
    Private,
    /// They may have any.
    Off,
}

/// Where servers listen.
const DNS_PORT: u16 = 53;
/// Where they listen for TLS (RFC 7858 3.1).
const TLS_PORT: u16 = 853;

/// Reads both sections.
pub(super) fn read(findings: &mut Findings<'_>, tables: &Tables<'_>, dns: &Entry<'_>) -> Option<Forward> {
    let domains = tables.all(findings, "dns.forward", FORWARD_DOMAINS_MAX, read_domain);
    refuse_twice(findings, &domains);
    let upstream = servers(findings, dns, "upstream");
    let hosts = dns.texts(findings, "hosts", value::absolute_path);
    if let Some(hosts) = hosts.as_ref().filter(|hosts| hosts.value.len() > HOST_FILES_MAX) {
        findings.error(&hosts.span, format!("hosts: more than {HOST_FILES_MAX} files"), None);
    }
    let clients = dns.texts(findings, "clients", network);
    for client in clients.iter().flat_map(|clients| &clients.value) {
        let (address, length) = client.value;
        // Loopback may always ask.
        if address.is_ipv6() && !address.is_loopback() {
            let message = format!(
                "clients: names are told at this server's IPv4 addresses alone, and nobody in {address}/{length} asks there"
            );
            let remedy = "name the IPv4 network of these clients, as \"10.77.0.0/16\"; else leave it out";
            findings.warning(&client.span, message, Some(remedy.into()));
        }
    }
    let words = [("own", Rebinding::Own), ("private", Rebinding::Private), ("off", Rebinding::Off)];
    let rebinding = dns.word(findings, "rebinding", &words);
    let exempt = dns.texts(findings, "rebinding-exempt", value::domain_name);
    let validates = dns.word(findings, "dnssec", &[("off", false), ("validate", true)]);
    let trust_anchors = dns.texts(findings, "trust-anchors", trust_anchor);
    if let Some(anchors) = trust_anchors.as_ref().filter(|anchors| anchors.value.len() > TRUST_ANCHORS_MAX) {
        findings.error(&anchors.span, format!("trust-anchors: more than {TRUST_ANCHORS_MAX}"), None);
    }
    let insecure = dns.texts(findings, "insecure", value::domain_name);
    let tls_roots = dns.text(findings, "tls-roots", value::absolute_path);
    let rate = dns.integer(findings, "rate-limit");
    let cache = dns.integer(findings, "cache");
    let minimum = dns.duration(findings, "minimum-ttl");
    let maximum = dns.duration(findings, "maximum-ttl");
    let stale = dns.duration(findings, "stale");
    if let (Some(minimum), Some(maximum)) = (&minimum, &maximum)
        && minimum.value > maximum.value
    {
        let remedy = Some("raise maximum-ttl, or lower this one".to_owned());
        findings.error(&minimum.span, "minimum-ttl: it is longer than maximum-ttl", remedy);
    }
    let values = |placed: Placed<Vec<Placed<_>>>| placed.value.into_iter().map(|item| item.value).collect();
    Some(Forward {
        upstream: upstream.unwrap_or_default(),
        domains: domains.into_iter().map(|domain| domain.value).collect(),
        hosts: hosts?.value.into_iter().map(|path| path.value).collect(),
        clients: clients.map(values),
        rate_per_second: rate?.value,
        cache_entries: cache?.value,
        minimum_ttl: minimum?.value,
        maximum_ttl: maximum?.value,
        stale: stale?.value,
        rebinding: rebinding?.value,
        rebinding_exempt: exempt?.value.into_iter().map(|domain| domain.value).collect(),
        tls_roots: tls_roots.map(|path| path.value),
        validates: validates?.value,
        trust_anchors: trust_anchors?.value.into_iter().map(|anchor| anchor.value).collect(),
        insecure: insecure?.value.into_iter().map(|domain| domain.value).collect(),
    })
}

fn read_domain(findings: &mut Findings<'_>, entry: Entry<'_>) -> Option<Placed<ForwardDomain>> {
    let domain = entry.text(findings, "domain", value::domain_name);
    let servers = servers(findings, &entry, "servers");
    let Placed { value: domain, span } = domain?;
    Some(Placed { value: ForwardDomain { domain, servers: servers? }, span })
}

fn refuse_twice(findings: &mut Findings<'_>, domains: &[Placed<ForwardDomain>]) {
    for (index, domain) in domains.iter().enumerate() {
        let name = &domain.value.domain;
        if domains[..index].iter().any(|other| other.value.domain == *name) {
            let remedy = Some("name all its servers in one [[dns.forward]]".to_owned());
            findings.error(&domain.span, format!("domain: {name:?} is there twice"), remedy);
        }
    }
}

fn servers(findings: &mut Findings<'_>, entry: &Entry<'_>, key: &str) -> Option<Vec<Upstream>> {
    let servers = entry.texts(findings, key, upstream)?;
    if servers.value.len() > UPSTREAMS_MAX {
        let message = format!("{key}: more than {UPSTREAMS_MAX} servers");
        findings.error(&servers.span, message, Some("the fastest few do as well".into()));
    }
    Some(servers.value.into_iter().map(|server| server.value).collect())
}

/// A server, or a file that names some.
fn upstream(text: &str) -> Result<Upstream, Wrong> {
    if text.starts_with('/') {
        return value::absolute_path(text).map(Upstream::File);
    }
    if let Some(by_tls) = text.strip_prefix("tls://") {
        return tls_server(by_tls).ok_or_else(|| {
            Wrong::with(
                format!("{} is no server that can be asked by TLS", quoted(text)),
                "as \"tls://192.0.2.53#dns.example.org\" or \"tls://[2001:db8::53]:8853#dns.example.org\": its address, and the name in its certificate",
            )
        });
    }
    address_of_server(text, DNS_PORT).map(Upstream::Server).ok_or_else(|| {
        Wrong::with(
            format!("{} is no address of a server", quoted(text)),
            "as \"192.0.2.53\", \"192.0.2.53:5353\", \"[2001:db8::53]:5353\", \"tls://192.0.2.53#dns.example.org\" or \"/etc/resolv.conf\"",
        )
    })
}

/// Address and name. Without a name, its certificate has to be for the address itself (RFC 5280 4.2.1.6).
fn tls_server(text: &str) -> Option<Upstream> {
    let (address, name) = text.split_once('#').map_or((text, None), |(address, name)| (address, Some(name)));
    let address = address_of_server(address, TLS_PORT)?;
    let name = match name {
        Some(name) => value::domain_name(name).ok()?,
        None => address.ip().to_string(),
    };
    Some(Upstream::Tls(address, name))
}

/// An address with a port or without, IPv6 in brackets or not.
fn address_of_server(text: &str, port: u16) -> Option<SocketAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = text.parse::<SocketAddr>().ok();
    let address = address.or_else(|| Some(SocketAddr::from((bare.parse::<IpAddr>().ok()?, port))))?;
    (address.port() != 0 && !address.ip().is_unspecified()).then_some(address)
}

/// A DS record as `dig` and `dnssec-dsfromkey` print it; TTL, class and type may be missing, and the digest may be in pieces.
fn trust_anchor(text: &str) -> Result<TrustAnchor, Wrong> {
    let wrong = |what: &str| {
        let remedy = "as \"example.org. DS 60485 13 2 D4B7D520E7BB5F0F67674A0CCEB1E3E0614B93C4F9E99B8383F6A1E4469DA50A\": tag, algorithm, kind of digest, digest";
        Wrong::with(format!("{} is no DS record{what}", quoted(text)), remedy)
    };
    let words: Vec<&str> = text.split_whitespace().collect();
    let (domain, rest) = words.split_first().ok_or_else(|| wrong(""))?;
    let fields_from = rest.iter().position(|word| word.eq_ignore_ascii_case("DS")).map_or(0, |at| at + 1);
    let [tag, algorithm, kind, digest @ ..] = &rest[fields_from..] else { return Err(wrong("")) };
    let anchor = TrustAnchor {
        domain: if *domain == "." { String::new() } else { value::domain_name(domain)? },
        tag: tag.parse().map_err(|_| wrong(": its tag is a number up to 65535"))?,
        algorithm: algorithm.parse().map_err(|_| wrong(": its algorithm is a number up to 255"))?,
        kind: kind.parse().map_err(|_| wrong(": its kind of digest is a number"))?,
        digest: hexadecimal(&digest.concat()).map_err(|_| wrong(": its digest is in hexadecimal"))?,
    };
    // RFC 8624 3.3
    let octets = match anchor.kind {
        1 => 20,
        2 => 32,
        4 => 48,
        _ => return Err(wrong(": its digest is 1 (SHA-1), 2 (SHA-256) or 4 (SHA-384)")),
    };
    match anchor.digest.len() == octets {
        true => Ok(anchor),
        false => Err(wrong(&format!(": such a digest has {octets} octets, not {}", anchor.digest.len()))),
    }
}

/// A network of either family.
fn network(text: &str) -> Result<(IpAddr, u8), Wrong> {
    let parsed = text.split_once('/').and_then(|(address, length)| {
        let address: IpAddr = address.parse().ok()?;
        let length = u8::try_from(value::decimal(length)?).ok()?;
        (length <= if address.is_ipv4() { 32 } else { 128 }).then_some((address, length))
    });
    parsed.ok_or_else(|| Wrong::with(format!("{} is no network", quoted(text)), "as \"10.77.0.0/16\""))
}
