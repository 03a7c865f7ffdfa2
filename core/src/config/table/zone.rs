//! The options of `[[dns.record]]`.

use super::super::setting::{Fallback, Kind, Setting, Status};

/// For zones that were another server's.
pub(super) const SERIAL: Setting = Setting {
    key: "serial",
    kind: Kind::Integer { least: 1, most: u32::MAX },
    fallback: Fallback::Value("1"),
    example: "2026112801",
    status: Status::Works,
    doc: "The serial of the zones is this one at least: for zones that were another server's, whose secondaries would take a lower one for an old one. It is raised by one with every batch of changes, and never goes back.",
};

/// Who copies the zones.
pub(super) const SECONDARIES: Setting = Setting {
    key: "secondaries",
    kind: Kind::Texts("addresses, with a port if it is not 53"),
    fallback: Fallback::Value("[]"),
    example: "[\"192.0.2.53\"]",
    status: Status::Works,
    doc: "Name servers that may copy the cluster's zone and its reverse zones, whole (AXFR) or what has changed (IXFR), and are told when these change (NOTIFY). Nobody else may copy them. If a `[[dns.key]]` is for transfers, they have to sign with one.",
};

pub(super) static KEY: &[Setting] = &[
    Setting {
        key: "name",
        kind: Kind::Text("a domain name"),
        fallback: Fallback::Required,
        example: "\"transfer.cluster\"",
        status: Status::Works,
        doc: "What both sides call it.",
    },
    Setting {
        key: "algorithm",
        kind: Kind::Word { works: &["hmac-sha256", "hmac-sha384", "hmac-sha512"], planned: &[] },
        fallback: Fallback::Value("\"hmac-sha256\""),
        example: "\"hmac-sha512\"",
        status: Status::Works,
        doc: "How messages are signed with it.",
    },
    Setting {
        key: "secret",
        kind: Kind::Text("16 to 64 octets in base 64"),
        fallback: Fallback::Required,
        example: "\"aGVvcm90LCBhIGhhbGwgb2YgaGFsbHMsIGEgbGlnaHQ=\"",
        status: Status::Works,
        doc: "The secret itself. `tsig-keygen` and `keymgr -t NAME` make one.",
    },
    Setting {
        key: "use",
        kind: Kind::Texts("`\"transfer\"`, `\"update\"`"),
        fallback: Fallback::Value("[\"transfer\"]"),
        example: "[\"update\"]",
        status: Status::Works,
        doc: "What it is good for: copies of the zones, updates of names (RFC 2136).",
    },
    Setting {
        key: "names",
        kind: Kind::Texts("names in the zone, with `*`"),
        fallback: Fallback::Value("[]"),
        example: "[\"_acme-challenge.*\", \"*.apps\"]",
        status: Status::Works,
        doc: "Names that may be updated with it; all of our zones if there are none. `www` is this name, `*.apps` every name below `apps`, `_acme-challenge.*` every name that begins so, `*` every name in the zone, `@` the zone itself. With a final dot it is a whole name: `*.77.10.in-addr.arpa.` is the way back.",
    },
    Setting {
        key: "types",
        kind: Kind::Texts("types"),
        fallback: Fallback::Value("[]"),
        example: "[\"TXT\"]",
        status: Status::Works,
        doc: "Types of records that may be updated with it; all if there are none: A, AAAA, CAA, CERT, CNAME, DHCID, HINFO, HTTPS, LOC, MX, NS, OPENPGPKEY, PTR, SMIMEA, SRV, SSHFP, SVCB, TLSA, TXT, URI.",
    },
];

pub(super) static RECORD: &[Setting] = &[
    Setting {
        key: "name",
        kind: Kind::Text("a name in the zone, or `\"@\"` for the zone itself"),
        fallback: Fallback::Required,
        example: "\"printer\"",
        status: Status::Works,
        doc: "The name that has the record, without the zone. It may have several parts, as `_ldap._tcp`. With a final dot it is a whole name: `www.cluster.`",
    },
    Setting {
        key: "type",
        kind: Kind::Word { works: &["host", "A", "AAAA", "CNAME", "MX", "NS", "SRV", "TXT"], planned: &[] },
        fallback: Fallback::Value("\"host\""),
        example: "\"CNAME\"",
        status: Status::Works,
        doc: "What is said of it. `host` is a name and an address for the way there and back, known to all services as that of a `[[host]]` is; A and AAAA are the way there alone, as `host` is with `@`. NS with `@` is a further name server of the zone, with another name one of a zone below it.",
    },
    Setting {
        key: "value",
        kind: Kind::Texts("what the type has, as in a zone file"),
        fallback: Fallback::Required,
        example: "\"10.77.0.20\"",
        status: Status::Works,
        doc: "`host`: addresses of IPv4 or IPv6. `MX`: preference and host, `\"10 mail\"`. `SRV`: priority, weight, port and host, `\"0 100 389 ldap\"`. `TXT`: the text. A list is as many records.",
    },
];
