//! Every option of the configuration, one record each. Parser, reference page and sample file are made from these.

mod boot;
mod forward;
mod names;
mod nfs;
mod nis;
mod overlay;
mod profile;
mod tftp;
mod trial;
mod zone;

use super::setting::{Fallback, Form, Kind, Section, Setting, Status};
use super::table_host::{CIRCUIT_ID, CLASS, CLIENT_ID, DHCP_OPTIONS, HOST, OPTIONS, REMOTE_ID};
use boot::{BOOT, PXE, PXE_SERVICE};
use profile::PROFILE;

/// Every table of the file, in the order of the reference.
pub static SECTIONS: &[Section] = &[
    Section {
        path: "cluster",
        form: Form::Table,
        doc: "How the cluster and its nodes are called.",
        settings: CLUSTER,
    },
    Section {
        path: "server",
        form: Form::Table,
        doc: "Where the server keeps things, and who it is.",
        settings: SERVER,
    },
    Section {
        path: "network",
        form: Form::List,
        doc: "A network that is served. At least one is needed. Its nodes' addresses are arithmetic: `first` + number - lowest number. Networks may not overlap, and neither may the addresses of nodes, `temporary` and `guests`, nor may these hold an address of this host, the gateway's, the network's or the broadcast address.",
        settings: NETWORK,
    },
    Section {
        path: "boot",
        form: Form::Table,
        doc: "What firmware and boot loaders are given to start. Names are relative to `directory`. Firmware whose file is not set is told of none.",
        settings: BOOT,
    },
    Section {
        path: "pxe",
        form: Form::Table,
        doc: "What PXE firmware asks on its screen before it boots, if anything. iPXE and HTTP boot have menus of their own, and are not asked.",
        settings: PXE,
    },
    Section {
        path: "pxe.service",
        form: Form::List,
        doc: "An entry of the menu, in the order of the file; the first is what is booted when nobody chooses. UEFI with one entry alone, a file, boots that at once. An entry with a file is also the way to boot an architecture that `[boot]` has no option for.",
        settings: PXE_SERVICE,
    },
    Section {
        path: "profile",
        form: Form::Named,
        doc: "What a node boots: `default` for a numbered node, `trial` for one on trial, others for the nodes that name them or that they name. What a profile does not say is as in the one that it inherits from. [profiles.md](profiles.md) tells more.",
        settings: PROFILE,
    },
    Section {
        path: "overlay",
        form: Form::Table,
        doc: "Small files for nodes, made when they are asked for. [overlays.md](overlays.md) tells more.",
        settings: overlay::OVERLAY,
    },
    Section {
        path: "trial",
        form: Form::Table,
        doc: "How a new machine earns its number.",
        settings: trial::TRIAL,
    },
    Section {
        path: "trial.check",
        form: Form::List,
        doc: "A check that the agent makes, in the order of the file. Without any, whoever boots passes.",
        settings: trial::TRIAL_CHECK,
    },
    Section {
        path: "agent",
        form: Form::Table,
        doc: "What the agent does on a node that is up.",
        settings: trial::AGENT,
    },
    Section {
        path: "node",
        form: Form::List,
        doc: "A node by hand, where one is wanted. It needs no trial.",
        settings: NODE,
    },
    Section {
        path: "options",
        form: Form::Open,
        doc: "What every client is told by DHCP that asks for it: options by name (`ntp-servers`) or number (`\"42\"`), with strings, whole numbers, truth values or lists of them. Tables of the same form stand in `[[network]]`, `[[class]]`, `[profile.NAME]`, `[[node]]` and `[[host]]`; each of these goes before the ones that were named earlier. `\"\"` takes out what an earlier table or the server itself says, and so does `false` where the option is no truth value. Octets are written as `\"hex:0102\"`; an option without a type takes that, a text, `\"u8:1\"`, `\"u16:1\"`, `\"u32:1\"` or `\"address:10.77.0.1\"`. `\"43.6\" = 8` and `\"175.176\" = true` are options in options, `\"125.4491.2\"` is one of an enterprise. Those of 43 have PXE's types, unless a value says its own: `\"43.1\" = \"text:junos.conf\"`. A whole 43 here or in `[[network]]` is not for firmware that boots by PXE, which has its own, nor is a 60 for any firmware, and name servers are not for HTTP Boot.",
        settings: DHCP_OPTIONS,
    },
    Section {
        path: "class",
        form: Form::List,
        doc: "Clients that have something in common: all that is said of them here must hold, and any of a list. A client may be in several classes; of what these say, the later goes before the earlier.",
        settings: CLASS,
    },
    Section {
        path: "host",
        form: Form::List,
        doc: "A host that is no node, also if its firmware boots from the network: an address, name and options of its own. A machine is looked for, among nodes and hosts alike, by its client identifier, then its hardware address, then its place at the relay, then by the hardware address with the fewest `*`.",
        settings: HOST,
    },
    Section {
        path: "http",
        form: Form::Table,
        doc: "The HTTP server for nodes: boot files, generated files, and what the agent asks for.",
        settings: HTTP,
    },
    Section {
        path: "tftp",
        form: Form::Table,
        doc: "The TFTP server. Nothing of it has to be set; the rest is for firewalls, for large frames, and for what stands in for another server.",
        settings: tftp::TFTP,
    },
    Section {
        path: "tftp.rewrite",
        form: Form::List,
        doc: "Names that are asked for by TFTP, and the files that are meant. The first that fits counts. Names are compared without a leading slash, with `\\` as `/`, and with every `//` as `/`.",
        settings: tftp::REWRITE,
    },
    Section {
        path: "admin",
        form: Form::Table,
        doc: "The server for operators: API, web page and metrics.",
        settings: ADMIN,
    },
    Section {
        path: "dns",
        form: Form::Table,
        doc: "Names: the cluster's zone, its reverse zones, and what is not ours.",
        settings: forward::DNS,
    },
    Section {
        path: "dns.forward",
        form: Form::List,
        doc: "A domain that has servers of its own.",
        settings: forward::DNS_FORWARD,
    },
    Section {
        path: "dns.key",
        form: Form::List,
        doc: "A secret that is shared with a secondary, or with a program that updates names: messages are signed with it (TSIG, RFC 8945). Whoever can read this file has it: let it belong to root and the server's group alone.",
        settings: zone::KEY,
    },
    Section {
        path: "dns.record",
        form: Form::List,
        doc: "What the cluster's zone has beside the names of nodes, which are computed, and of `[[host]]`s. None of these may be a node's name. Host names in a value that have no dot are names in the zone; with a dot they are whole names, as everywhere but in zone files.",
        settings: zone::RECORD,
    },
    Section {
        path: "names",
        form: Form::Table,
        doc: "How this host itself resolves the names of nodes.",
        settings: names::NAMES,
    },
    Section {
        path: "groups",
        form: Form::Open,
        doc: "Sets of nodes that have a name.",
        settings: names::GROUPS,
    },
    Section {
        path: "nis",
        form: Form::Table,
        doc: "The gateway to NIS: the names of the nodes for those who ask by RPC. It is there when `domain` is set.",
        settings: nis::NIS,
    },
    Section {
        path: "nfs",
        form: Form::Table,
        doc: "The NFS server, which only reads. It is there when a profile's `root` is a directory of this host, or `directories` names one; only the networks and this host are answered.",
        settings: nfs::NFS,
    },
    Section { path: "load", form: Form::Table, doc: "How much is sent.", settings: LOAD },
    Section { path: "store", form: Form::Table, doc: "Where records are kept.", settings: STORE },
];

static CLUSTER: &[Setting] = &[
    Setting {
        key: "name",
        kind: Kind::Text("a domain name"),
        fallback: Fallback::Value("\"cluster\""),
        example: "\"cluster\"",
        status: Status::Works,
        doc: "The DNS zone of the nodes: node 23 is `node23.cluster`.",
    },
    Setting {
        key: "nodes",
        kind: Kind::Text("text around one `{}` or `{:04}`"),
        fallback: Fallback::Value("\"node{}\""),
        example: "\"n{:04}\"",
        status: Status::Works,
        doc: "How a number becomes a name: with `node{}` node 23 is `node23`, with `n{:04}` it is `n0023`.",
    },
];

static SERVER: &[Setting] = &[
    Setting {
        key: "state",
        kind: Kind::Text("an absolute path"),
        fallback: Fallback::Value("\"/var/lib/heorot\""),
        example: "\"/var/lib/heorot\"",
        status: Status::Works,
        doc: "The directory of what is known: nodes, numbers, leases. It must last.",
    },
    Setting {
        key: "control",
        kind: Kind::Text("an absolute path"),
        fallback: Fallback::Value("\"/run/heorot/control.sock\""),
        example: "\"/run/heorot/control.sock\"",
        status: Status::Works,
        doc: "The socket by which `heorot status` and the others reach the server, by a path of 107 octets at most. Its directory also holds what is noted for a restart.",
    },
    Setting {
        key: "user",
        kind: Kind::Text("a user's name"),
        fallback: Fallback::Value("\"heorot\""),
        example: "\"heorot\"",
        status: Status::Works,
        doc: "The user that the server becomes when it was started as root, if there is such a user.",
    },
];

static NETWORK: &[Setting] = &[
    Setting {
        key: "interface",
        kind: Kind::Text("an interface of this host"),
        fallback: Fallback::Required,
        example: "\"eth1\"",
        status: Status::Works,
        doc: "The interface by which the packets of the network come.",
    },
    Setting {
        key: "address",
        kind: Kind::Text("an address with the length of its prefix"),
        fallback: Fallback::Otherwise("read from the interface"),
        example: "\"10.77.0.1/16\"",
        status: Status::Works,
        doc: "Our address on the network, and which network it is. Where the interface has no address in it, the network is behind a relay: then this is any address of it. With it, the server also begins while this interface is not there, as long as another one is, and serves it when it comes.",
    },
    Setting {
        key: "numbers",
        kind: Kind::Text("`\"LOWEST-HIGHEST\"` or one number"),
        fallback: Fallback::Required,
        example: "\"0-1023\"",
        status: Status::Works,
        doc: "Which nodes live here. Networks of one `suffix` may not share a number.",
    },
    Setting {
        key: "first",
        kind: Kind::Text("an address"),
        fallback: Fallback::Required,
        example: "\"10.77.1.0\"",
        status: Status::Works,
        doc: "The address of the lowest number.",
    },
    Setting {
        key: "first-ipv6",
        kind: Kind::Text("an IPv6 address, with the length of its network's prefix if that is not 64"),
        fallback: Fallback::Otherwise("nodes have no IPv6 addresses here"),
        example: "\"fd77::1:0/64\"",
        status: Status::Works,
        doc: "The IPv6 address of the lowest number: each node's name has the one that follows from its number, and the reverse zone of the prefix is answered for. Nobody is given these addresses by DHCP: nodes configure them, by the same arithmetic.",
    },
    Setting {
        key: "suffix",
        kind: Kind::Text("the rest of a host name"),
        fallback: Fallback::Value("\"\""),
        example: "\"-ib\"",
        status: Status::Works,
        doc: "What follows the name of a node for its interface on this network, if it is not the nodes' first one: with `-ib` it is `node23-ib`.",
    },
    Setting {
        key: "temporary",
        kind: Kind::Text("`\"FIRST-LAST\"`"),
        fallback: Fallback::RequiredBut("unless `mode` is `proxy`"),
        example: "\"10.77.200.1-10.77.203.254\"",
        status: Status::Works,
        doc: "The addresses for machines that have no number yet.",
    },
    Setting {
        key: "guests",
        kind: Kind::Text("`\"FIRST-LAST\"`"),
        fallback: Fallback::Otherwise("hosts that are no nodes get no answer"),
        example: "\"10.77.210.1-10.77.210.254\"",
        status: Status::Works,
        doc: "The addresses for hosts that are no nodes: switches, management boards, laptops.",
    },
    Setting {
        key: "gateway",
        kind: Kind::Text("an address"),
        fallback: Fallback::Otherwise("hosts are told of no router"),
        example: "\"10.77.0.1\"",
        status: Status::Works,
        doc: "The router that hosts are told of.",
    },
    Setting {
        key: "mode",
        kind: Kind::Word { works: &["serve", "proxy", "shadow"], planned: &[] },
        fallback: Fallback::Value("\"serve\""),
        example: "\"serve\"",
        status: Status::Works,
        doc: "What the server does on the network: `serve` gives addresses and boot files; `proxy` gives boot files alone, beside another DHCP server that gives the addresses; `shadow` answers no DHCP and tells what it would have, next to what another server did.",
    },
    Setting {
        key: "lease",
        kind: Kind::Duration { least_seconds: 60, most_seconds: 31536000 },
        fallback: Fallback::Value("\"12h\""),
        example: "\"12h\"",
        status: Status::Works,
        doc: "How long the address of a numbered node is leased at a time.",
    },
    Setting {
        key: "temporary-lease",
        kind: Kind::Duration { least_seconds: 10, most_seconds: 3600 },
        fallback: Fallback::Value("\"60s\""),
        example: "\"60s\"",
        status: Status::Works,
        doc: "How long a temporary address is leased at a time. It is not given to another machine while its own shows signs of life.",
    },
    Setting {
        key: "guest-lease",
        kind: Kind::Duration { least_seconds: 60, most_seconds: 31536000 },
        fallback: Fallback::Value("\"1h\""),
        example: "\"1h\"",
        status: Status::Works,
        doc: "How long the address of a guest is leased at a time.",
    },
    OPTIONS,
    Setting {
        key: "probe",
        kind: Kind::Truth,
        fallback: Fallback::Value("true"),
        example: "false",
        status: Status::Works,
        doc: "Whether it is asked if somebody has a temporary or guest's address before it is offered to a host that did not have it: by ARP on the link, by ICMP echo behind a relay. The offer waits 300 ms for an answer; nobody else waits, and numbered nodes never do, unless a client identifier alone says that a machine is one: then it is asked whether that node lives already; or another machine may have the address of their number still.",
    },
    Setting {
        key: "other-servers",
        kind: Kind::Texts("addresses"),
        fallback: Fallback::Value("[]"),
        example: "[\"10.77.0.2\"]",
        status: Status::Works,
        doc: "DHCP servers that may answer here beside this one. Any other that is heard is named in `heorot status`, in the journal, and in `heorot explain` of the nodes that it answered. Where `mode` is not `serve` others are told of only if this says who may answer.",
    },
    Setting {
        key: "answer-arp",
        kind: Kind::Truth,
        fallback: Fallback::Value("false"),
        example: "true",
        status: Status::Works,
        doc: "Whether other hosts that ask by ARP for a node that is downloading are answered in its place: there is firmware that answers none, and some that stops over the question.",
    },
    Setting {
        key: "rapid-commit",
        kind: Kind::Truth,
        fallback: Fallback::Value("false"),
        example: "true",
        status: Status::Works,
        doc: "Whether a client that wants it (RFC 4039) is granted its address at once, without an offer. It saves a round trip to systems; firmware does not ask for it. Right only where no other DHCP server answers: each of them would grant it an address, and it takes one.",
    },
    Setting {
        key: "bootp",
        kind: Kind::Truth,
        fallback: Fallback::Value("false"),
        example: "true",
        status: Status::Works,
        doc: "Whether hosts that speak BOOTP and not DHCP are given addresses of `guests`. They never say that they are done with them: an address is theirs for `guest-lease` after they asked, and longer only if they ask again. Nodes with a number are answered in any case.",
    },
    Setting {
        key: "leasequery",
        kind: Kind::Texts("addresses"),
        fallback: Fallback::Value("[]"),
        example: "[\"10.77.0.2\"]",
        status: Status::Works,
        doc: "Who may ask which machine has which address of this network (RFC 4388), beside relays with an address in it.",
    },
    Setting {
        key: "block-size-max",
        kind: Kind::Integer { least: 512, most: 65464 },
        fallback: Fallback::Otherwise("what `block-size-max` in `[tftp]` says"),
        example: "1418",
        status: Status::Works,
        doc: "Octets of the largest block that is granted by TFTP to who asks from this network, where the way there takes less than the interface's MTU: a network behind a tunnel of 1,450 octets has 1418, 32 less. What `[tftp]` says, and the interface's MTU, bound it further. Of several networks on one link the smallest counts.",
    },
];

static NODE: &[Setting] = &[
    Setting {
        key: "mac",
        kind: Kind::Texts("hardware addresses"),
        fallback: Fallback::Otherwise("needed, unless something else says who it is"),
        example: "\"52:54:00:00:00:17\"",
        status: Status::Works,
        doc: "Its hardware address, or a list of them; the first is the one it boots by. As switches show it, too: `5254.0000.0017`, `525400-000017`. A node has one address on a network, and each of these interfaces gets that: they are meant to ask one after the other, as ROM, loader and system of one boot do. Two that are up on one network at once would both have it; list the second as a `[[host]]` with an address of its own, or leave it out.",
    },
    CLIENT_ID,
    CIRCUIT_ID,
    REMOTE_ID,
    Setting {
        key: "number",
        kind: Kind::Integer { least: 0, most: u32::MAX },
        fallback: Fallback::Otherwise("given as to any machine"),
        example: "23",
        status: Status::Works,
        doc: "Its number.",
    },
    Setting {
        key: "name",
        kind: Kind::Text("a host name"),
        fallback: Fallback::Otherwise("the computed one"),
        example: "\"login\"",
        status: Status::Works,
        doc: "Its name.",
    },
    Setting {
        key: "profile",
        kind: Kind::Text("the name of a profile"),
        fallback: Fallback::Otherwise(
            "one that is for it by `[[class]]`, `nodes` or `architecture`, or else `default`",
        ),
        example: "\"default\"",
        status: Status::Works,
        doc: "What it boots.",
    },
    OPTIONS,
    Setting {
        key: "attributes",
        kind: Kind::Table,
        fallback: Fallback::Otherwise("none"),
        example: "{ rack = \"a7\" }",
        status: Status::Works,
        doc: "Words for templates and scripts, as in a profile, and before those of its profile.",
    },
];

static HTTP: &[Setting] = &[
    Setting {
        key: "port",
        kind: Kind::Integer { least: 1, most: 65535 },
        fallback: Fallback::Value("80"),
        example: "80",
        status: Status::Works,
        doc: "Its port.",
    },
    Setting {
        key: "certificate",
        kind: Kind::Text("an absolute path"),
        fallback: Fallback::Otherwise("there is no HTTPS"),
        example: "\"/etc/heorot/tls/certificate.pem\"",
        status: Status::Works,
        doc: "The server's certificate for HTTPS in PEM, and after it those that lead to its authority. Read again on SIGHUP.",
    },
    Setting {
        key: "key",
        kind: Kind::Text("an absolute path"),
        fallback: Fallback::Otherwise("there is no HTTPS"),
        example: "\"/etc/heorot/tls/key.pem\"",
        status: Status::Works,
        doc: "The certificate's private key in PEM. On SIGHUP it is read by `server.user`.",
    },
    Setting {
        key: "tls-port",
        kind: Kind::Integer { least: 1, most: 65535 },
        fallback: Fallback::Value("443"),
        example: "443",
        status: Status::Works,
        doc: "The port of HTTPS, if there is a certificate.",
    },
    Setting {
        key: "offer",
        kind: Kind::Word { works: &["http", "https"], planned: &[] },
        fallback: Fallback::Value("\"http\""),
        example: "\"http\"",
        status: Status::Works,
        doc: "By which of the two UEFI HTTP Boot is offered its boot file. For `https` the firmware has to know the certificate's authority, and the certificate the server's address.",
    },
];

static ADMIN: &[Setting] = &[Setting {
    key: "listen",
    kind: Kind::Text("an address and a port"),
    fallback: Fallback::Otherwise("there is none"),
    example: "\"127.0.0.1:8067\"",
    status: Status::Planned,
    doc: "Where it listens.",
}];

static LOAD: &[Setting] = &[Setting {
    key: "link",
    kind: Kind::Text("`\"auto\"`, or a rate as `\"200Mbit\"`"),
    fallback: Fallback::Value("\"auto\""),
    example: "\"1Gbit\"",
    status: Status::Works,
    doc: "How fast the link to the nodes is, where it is slowest: it is never sent faster than that. `auto` measures it, beginning slowly.",
}];

static STORE: &[Setting] = &[
    Setting {
        key: "kind",
        kind: Kind::Word { works: &["embedded"], planned: &["etcd"] },
        fallback: Fallback::Value("\"embedded\""),
        example: "\"embedded\"",
        status: Status::Works,
        doc: "In `server.state`, or in etcd for a group of servers.",
    },
    Setting {
        key: "endpoints",
        kind: Kind::Texts("URLs"),
        fallback: Fallback::Otherwise("none"),
        example: "[\"http://192.0.2.7:2379\"]",
        status: Status::Planned,
        doc: "The members of etcd.",
    },
];
