//! Every DHCP option that has a name: code, names, and what its value looks like.
//!
//! The first name is Kea's, which is the IANA registry's where that has one; the others are dnsmasq's and ISC dhcpd's.

use std::fmt;

/// An option of the IANA registry.
#[derive(Debug)]
pub struct KnownOption {
    /// Its number.
    pub code: u8,
    /// What it is called, the usual name first.
    pub names: &'static [&'static str],
    /// What its value is.
    pub form: Form,
}

/// What the value of an option looks like, and how it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One address.
    Address,
    /// One address, or none of anybody: 0.0.0.0 turns off what it stands for.
    AddressOrNone,
    /// Addresses, one or more.
    Addresses,
    /// Pairs of addresses.
    AddressPairs,
    /// Characters.
    Text,
    /// A truth value in one octet.
    Flag,
    /// A number of 8 bits.
    U8,
    /// A number of 16 bits.
    U16,
    /// Numbers of 16 bits.
    U16s,
    /// A number of 32 bits.
    U32,
    /// A number of 32 bits with a sign.
    I32,
    /// Domain names, compressed (RFC 3397).
    Domains,
    /// Domain names, each written out.
    PlainDomains,
    /// Addresses or domain names of SIP servers (RFC 3361).
    Sip,
    /// Destinations and their routers (RFC 3442).
    Routes,
    /// Octets, in hexadecimal.
    Octets,
    /// Whatever the operator writes: no type is known.
    Unknown,
    /// The server writes it itself, for this reason.
    Owned(&'static str),
}

/// What the value looks like, for the reference.
impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Address | Self::AddressOrNone => "an address",
            Self::Addresses => "addresses",
            Self::AddressPairs => "pairs of addresses: `\"10.9.0.1 via 10.77.0.254\"`",
            Self::Text => "a text",
            Self::Flag => "`true` or `false`",
            Self::U8 => "a whole number from 0 to 255",
            Self::U16 => "a whole number from 0 to 65535",
            Self::U16s => "whole numbers from 0 to 65535",
            Self::U32 => "a whole number from 0 to 4294967295",
            Self::I32 => "a whole number from -2147483648 to 2147483647",
            Self::Domains | Self::PlainDomains => "domain names",
            Self::Sip => "addresses or domain names",
            Self::Routes => "routes: `\"10.0.0.0/8 via 10.77.0.254\"`",
            Self::Octets => "octets: `\"hex:0102\"`",
            Self::Unknown => "a text, `\"hex:0102\"` or another with its type",
            Self::Owned(why) => return write!(f, "not to be set: {why}"),
        })
    }
}

/// The option of a name.
pub(in crate::config) fn named(name: &str) -> Option<&'static KnownOption> {
    let plain = name.to_ascii_lowercase();
    KNOWN.iter().find(|known| known.names.contains(&plain.as_str()))
}

/// The option of a number, if it has a name.
pub(in crate::config) fn numbered(code: u8) -> Option<&'static KnownOption> {
    KNOWN.iter().find(|known| known.code == code)
}

/// Options in options that have a type: of iPXE's 175 (ipxe.org/howto/dhcpd) and of PXE's 43 (PXE 2.1, table 2-1).
pub(in crate::config) fn part_form(code: u8, part: u8) -> Form {
    match (code, part) {
        // priority, keep-san, skip-san-boot, no-pxedhcp, BIOS drive.
        (175, 1 | 8 | 9 | 176 | 189) => Form::U8,
        (175, 85) => Form::Address,
        (175, 190..=193) => Form::Text,
        (175, 177) => Form::Octets,
        (43, 1 | 7) => Form::AddressOrNone,
        (43, 2 | 3) => Form::U16,
        (43, 4..=6) => Form::U8,
        _ => Form::Unknown,
    }
}

const LEASE: &str = "it is set by `lease`, `temporary-lease` and `guest-lease`";
const PROTOCOL: &str = "it belongs to the protocol and not to what a client is configured with";
const CLIENT: &str = "it is what a client says of itself";
const ECHO: &str = "it comes back as the client sent it";
const RELAY: &str = "it is the relay's, and comes back as it was";
const LAYOUT: &str = "it belongs to how a packet is laid out";

const fn known(code: u8, names: &'static [&'static str], form: Form) -> KnownOption {
    KnownOption { code, names, form }
}

/// The registry, by number. RFC 2132 unless another is named.
pub static KNOWN: &[KnownOption] = &[
    known(0, &["pad"], Form::Owned(LAYOUT)),
    known(1, &["subnet-mask", "netmask"], Form::Address),
    known(2, &["time-offset"], Form::I32),
    known(3, &["routers", "router"], Form::Addresses),
    known(4, &["time-servers", "time-server"], Form::Addresses),
    known(5, &["name-servers", "ien116-name-servers"], Form::Addresses),
    known(6, &["domain-name-servers", "dns-server", "dns-servers"], Form::Addresses),
    known(7, &["log-servers", "log-server"], Form::Addresses),
    known(8, &["cookie-servers"], Form::Addresses),
    known(9, &["lpr-servers", "lpr-server"], Form::Addresses),
    known(10, &["impress-servers"], Form::Addresses),
    known(11, &["resource-location-servers"], Form::Addresses),
    known(12, &["host-name", "hostname"], Form::Text),
    known(13, &["boot-size", "boot-file-size"], Form::U16),
    known(14, &["merit-dump"], Form::Text),
    known(15, &["domain-name"], Form::Text),
    known(16, &["swap-server"], Form::Address),
    known(17, &["root-path"], Form::Text),
    known(18, &["extensions-path", "extension-path"], Form::Text),
    known(19, &["ip-forwarding", "ip-forward-enable"], Form::Flag),
    known(20, &["non-local-source-routing"], Form::Flag),
    known(21, &["policy-filter"], Form::AddressPairs),
    known(22, &["max-dgram-reassembly", "max-datagram-reassembly"], Form::U16),
    known(23, &["default-ip-ttl", "default-ttl"], Form::U8),
    known(24, &["path-mtu-aging-timeout"], Form::U32),
    known(25, &["path-mtu-plateau-table"], Form::U16s),
    known(26, &["interface-mtu", "mtu"], Form::U16),
    known(27, &["all-subnets-local"], Form::Flag),
    known(28, &["broadcast-address", "broadcast"], Form::Address),
    known(29, &["perform-mask-discovery"], Form::Flag),
    known(30, &["mask-supplier"], Form::Flag),
    known(31, &["router-discovery"], Form::Flag),
    known(32, &["router-solicitation-address", "router-solicitation"], Form::Address),
    known(33, &["static-routes", "static-route"], Form::AddressPairs),
    known(34, &["trailer-encapsulation"], Form::Flag),
    known(35, &["arp-cache-timeout", "arp-timeout"], Form::U32),
    known(36, &["ieee802-3-encapsulation", "ethernet-encap"], Form::Flag),
    known(37, &["default-tcp-ttl", "tcp-ttl"], Form::U8),
    known(38, &["tcp-keepalive-interval", "tcp-keepalive"], Form::U32),
    known(39, &["tcp-keepalive-garbage"], Form::Flag),
    known(40, &["nis-domain"], Form::Text),
    known(41, &["nis-servers", "nis-server"], Form::Addresses),
    known(42, &["ntp-servers", "ntp-server"], Form::Addresses),
    known(43, &["vendor-encapsulated-options", "vendor-encap"], Form::Unknown),
    known(44, &["netbios-name-servers", "netbios-ns"], Form::Addresses),
    known(45, &["netbios-dd-server", "netbios-dd"], Form::Addresses),
    known(46, &["netbios-node-type", "netbios-nodetype"], Form::U8),
    known(47, &["netbios-scope"], Form::Text),
    known(48, &["font-servers", "x-windows-fs"], Form::Addresses),
    known(49, &["x-display-manager", "x-windows-dm"], Form::Addresses),
    known(50, &["dhcp-requested-address", "requested-address"], Form::Owned(CLIENT)),
    known(51, &["dhcp-lease-time", "lease-time"], Form::Owned(LEASE)),
    known(52, &["dhcp-option-overload", "option-overload"], Form::Owned(LAYOUT)),
    known(53, &["dhcp-message-type", "message-type"], Form::Owned(PROTOCOL)),
    known(54, &["dhcp-server-identifier", "server-identifier"], Form::Owned(PROTOCOL)),
    known(55, &["dhcp-parameter-request-list", "parameter-request"], Form::Owned(CLIENT)),
    known(56, &["dhcp-message", "message"], Form::Owned(PROTOCOL)),
    known(57, &["dhcp-max-message-size", "max-message-size"], Form::Owned(CLIENT)),
    known(58, &["dhcp-renewal-time", "t1"], Form::U32),
    known(59, &["dhcp-rebinding-time", "t2"], Form::U32),
    known(60, &["vendor-class-identifier", "vendor-class"], Form::Text),
    known(61, &["dhcp-client-identifier", "client-id"], Form::Owned(ECHO)),
    known(62, &["nwip-domain-name"], Form::Text),
    known(63, &["nwip-suboptions"], Form::Octets),
    known(64, &["nisplus-domain-name", "nis+-domain"], Form::Text),
    known(65, &["nisplus-servers", "nis+-server"], Form::Addresses),
    known(66, &["tftp-server-name", "tftp-server"], Form::Text),
    known(67, &["boot-file-name", "bootfile-name"], Form::Text),
    known(68, &["mobile-ip-home-agent", "mobile-ip-home"], Form::Addresses),
    known(69, &["smtp-server"], Form::Addresses),
    known(70, &["pop-server", "pop3-server"], Form::Addresses),
    known(71, &["nntp-server"], Form::Addresses),
    known(72, &["www-server"], Form::Addresses),
    known(73, &["finger-server"], Form::Addresses),
    known(74, &["irc-server"], Form::Addresses),
    known(75, &["streettalk-server"], Form::Addresses),
    known(76, &["streettalk-directory-assistance-server"], Form::Addresses),
    known(77, &["user-class"], Form::Owned(CLIENT)),
    // RFC 2610
    known(78, &["slp-directory-agent"], Form::Octets),
    known(79, &["slp-service-scope"], Form::Octets),
    // RFC 4039
    known(80, &["rapid-commit"], Form::Owned(PROTOCOL)),
    // RFC 4702
    known(81, &["fqdn"], Form::Owned("it is answered with the name that the client has")),
    // RFC 3046
    known(82, &["dhcp-agent-options", "agent-info"], Form::Owned(RELAY)),
    // RFC 4174
    known(83, &["isns"], Form::Octets),
    // RFC 2241
    known(85, &["nds-servers"], Form::Addresses),
    known(86, &["nds-tree-name"], Form::Text),
    known(87, &["nds-context"], Form::Text),
    // RFC 4280
    known(88, &["bcms-controller-names"], Form::PlainDomains),
    known(89, &["bcms-controller-address"], Form::Addresses),
    // RFC 3118
    known(90, &["authentication"], Form::Owned(PROTOCOL)),
    // RFC 4388
    known(91, &["client-last-transaction-time"], Form::Owned(PROTOCOL)),
    known(92, &["associated-ip"], Form::Owned(PROTOCOL)),
    // RFC 4578
    known(93, &["client-system", "client-arch"], Form::Owned(CLIENT)),
    known(94, &["client-ndi", "client-interface-id"], Form::Owned(CLIENT)),
    known(97, &["uuid-guid", "client-machine-id"], Form::Owned(ECHO)),
    // RFC 2485
    known(98, &["uap-servers"], Form::Text),
    // RFC 4776
    known(99, &["geoconf-civic"], Form::Octets),
    // RFC 4833
    known(100, &["pcode", "posix-timezone"], Form::Text),
    known(101, &["tcode", "tzdb-timezone"], Form::Text),
    // RFC 8925
    known(108, &["v6-only-preferred", "ipv6-only"], Form::U32),
    known(112, &["netinfo-server-address"], Form::Addresses),
    known(113, &["netinfo-server-tag"], Form::Text),
    // RFC 8910
    known(114, &["v4-captive-portal", "captive-portal"], Form::Text),
    // RFC 2563
    known(116, &["auto-config"], Form::U8),
    // RFC 2937
    known(117, &["name-service-search"], Form::U16s),
    // RFC 3011
    known(118, &["subnet-selection", "subnet-select"], Form::Owned(ECHO)),
    // RFC 3397
    known(119, &["domain-search"], Form::Domains),
    // RFC 3361
    known(120, &["sip-servers", "sip-server"], Form::Sip),
    // RFC 3442
    known(121, &["classless-static-routes", "classless-static-route"], Form::Routes),
    // RFC 3495
    known(122, &["cablelabs-client-configuration"], Form::Octets),
    // RFC 3925
    known(124, &["vivco-suboptions", "vendor-class-by-enterprise"], Form::Owned(CLIENT)),
    known(125, &["vivso-suboptions", "vendor-id-encap"], Form::Octets),
    // RFC 5192
    known(136, &["pana-agent"], Form::Addresses),
    // RFC 5223
    known(137, &["v4-lost"], Form::PlainDomains),
    // RFC 5417
    known(138, &["capwap-ac-v4"], Form::Addresses),
    // RFC 6011
    known(141, &["sip-ua-cs-domains"], Form::PlainDomains),
    // RFC 6731
    known(146, &["rdnss-selection"], Form::Octets),
    // RFC 5859
    known(150, &["tftp-server-address"], Form::Addresses),
    // RFC 7618
    known(159, &["v4-portparams"], Form::Octets),
    // RFC 8520
    known(161, &["mud-url"], Form::Owned(CLIENT)),
    // Etherboot, iPXE
    known(175, &["ipxe", "etherboot"], Form::Octets),
    // RFC 5071
    known(208, &["pxelinux-magic"], Form::Octets),
    known(209, &["config-file", "pxelinux-configfile"], Form::Text),
    known(210, &["path-prefix", "pxelinux-pathprefix"], Form::Text),
    known(211, &["reboot-time", "pxelinux-reboottime"], Form::U32),
    // RFC 5969
    known(212, &["6rd"], Form::Octets),
    // RFC 5986
    known(213, &["v4-access-domain"], Form::PlainDomains),
    // Microsoft's own: the routes of 121, and where the proxy's configuration is.
    known(249, &["ms-classless-static-routes"], Form::Routes),
    known(252, &["wpad-url", "wpad"], Form::Text),
    known(255, &["end"], Form::Owned(LAYOUT)),
];
