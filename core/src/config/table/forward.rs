//! The options of `[dns]` and `[[dns.forward]]`.

use super::super::setting::{Fallback, Kind, Setting, Status};

pub(super) static DNS: &[Setting] = &[
    super::zone::SERIAL,
    super::zone::SECONDARIES,
    Setting {
        key: "upstream",
        kind: Kind::Texts(
            "addresses, with a port if it is not 53; or `/etc/resolv.conf`, for the servers that are in there",
        ),
        fallback: Fallback::Otherwise("they are refused"),
        example: "[\"192.0.2.53\", \"192.0.2.54:5353\"]",
        status: Status::Works,
        doc: "The servers that are asked for names that are not the cluster's: the fastest that answers, and the others now and then. A file is read again when it changes.",
    },
    Setting {
        key: "hosts",
        kind: Kind::Texts("absolute paths"),
        fallback: Fallback::Value("[]"),
        example: "[\"/etc/hosts\"]",
        status: Status::Works,
        doc: "Files in the form of `/etc/hosts`, whose names are told to everybody, forward and reverse; a name without a dot is one of the cluster's zone too. Names of nodes and of this file go before. Lines of loopback and multicast addresses are left out. A file is read again when it changes.",
    },
    Setting {
        key: "clients",
        kind: Kind::Texts("networks"),
        fallback: Fallback::Otherwise("the networks of all `[[network]]`s"),
        example: "[\"10.77.0.0/16\", \"fd77::/64\"]",
        status: Status::Works,
        doc: "Who may ask for such names. Others are refused; names of the cluster are told to everybody.",
    },
    Setting {
        key: "rate-limit",
        kind: Kind::Integer { least: 0, most: 1_000_000 },
        fallback: Fallback::Value("500"),
        example: "500",
        status: Status::Works,
        doc: "Questions of one client that are sent upstream in a second; twice as many at once. More are refused. What is in the cache, and names of the cluster, count nothing. 0: no limit.",
    },
    Setting {
        key: "cache",
        kind: Kind::Integer { least: 0, most: 1_000_000 },
        fallback: Fallback::Value("10000"),
        example: "10000",
        status: Status::Works,
        doc: "Answers that are kept, of 512 octets on average; those not used of late go first. 0: none.",
    },
    Setting {
        key: "minimum-ttl",
        kind: Kind::Duration { least_seconds: 0, most_seconds: 3_600 },
        fallback: Fallback::Value("\"0s\""),
        example: "\"5s\"",
        status: Status::Works,
        doc: "How long an answer is kept at least, whatever its own time to live.",
    },
    Setting {
        key: "maximum-ttl",
        kind: Kind::Duration { least_seconds: 1, most_seconds: 604_800 },
        fallback: Fallback::Value("\"1d\""),
        example: "\"1d\"",
        status: Status::Works,
        doc: "How long an answer is kept at most. Denials are kept for an hour at most.",
    },
    Setting {
        key: "stale",
        kind: Kind::Duration { least_seconds: 0, most_seconds: 604_800 },
        fallback: Fallback::Value("\"1d\""),
        example: "\"1d\"",
        status: Status::Works,
        doc: "How long after its time an answer is still told if no server answers (RFC 8767). `0s`: never.",
    },
    Setting {
        key: "rebinding",
        kind: Kind::Word { works: &["own", "private", "off"], planned: &[] },
        fallback: Fallback::Value("\"own\""),
        example: "\"private\"",
        status: Status::Works,
        doc: "Which addresses a name from upstream may not have: those of our networks and of this host (`own`), all that are private (`private`), or none (`off`). Such an answer is refused. Names of `[[dns.forward]]` may have any.",
    },
    Setting {
        key: "rebinding-exempt",
        kind: Kind::Texts("domain names"),
        fallback: Fallback::Value("[]"),
        example: "[\"example.org\"]",
        status: Status::Works,
        doc: "Domains whose names may have any address all the same.",
    },
    Setting {
        key: "dnssec",
        kind: Kind::Word { works: &["off"], planned: &["validate"] },
        fallback: Fallback::Value("\"off\""),
        example: "\"off\"",
        status: Status::Works,
        doc: "Whether signatures are checked. `off`: by the servers upstream, if at all; signatures are passed on to whoever asks for them.",
    },
];

pub(super) static DNS_FORWARD: &[Setting] = &[
    Setting {
        key: "domain",
        kind: Kind::Text("a domain name"),
        fallback: Fallback::Required,
        example: "\"example.org\"",
        status: Status::Works,
        doc: "The domain. It, and what is below it, is asked of its own servers; of several domains, the longest that fits counts. For addresses, `168.192.in-addr.arpa`.",
    },
    Setting {
        key: "servers",
        kind: Kind::Texts("addresses"),
        fallback: Fallback::Required,
        example: "[\"192.0.2.54\"]",
        status: Status::Works,
        doc: "Its servers, as `upstream`. None, `[]`: its names are refused.",
    },
];
