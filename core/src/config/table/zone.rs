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

pub(super) static RECORD: &[Setting] = &[
    Setting {
        key: "name",
        kind: Kind::Text("a name in the zone, or `\"@\"` for the zone itself"),
        fallback: Fallback::Required,
        example: "\"printer\"",
        status: Status::Works,
        doc: "The name that has the record, without the zone. It may have several parts, as `_ldap._tcp`.",
    },
    Setting {
        key: "type",
        kind: Kind::Word { works: &["host", "A", "AAAA", "CNAME", "MX", "NS", "SRV", "TXT"], planned: &[] },
        fallback: Fallback::Value("\"host\""),
        example: "\"CNAME\"",
        status: Status::Works,
        doc: "What is said of it. `host` is a name and an address for the way there and back, known to all services as that of a `[[host]]` is; A and AAAA are the way there alone. NS with `@` is a further name server of the zone, with another name one of a zone below it.",
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
