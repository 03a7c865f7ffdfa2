//! The options of `[nis]`.

use super::super::setting::{Fallback, Kind, Setting, Status};

pub(super) static NIS: &[Setting] = &[
    Setting {
        key: "domain",
        kind: Kind::Text("a NIS domain"),
        fallback: Fallback::Otherwise("there is no NIS"),
        example: "\"cluster\"",
        status: Status::Works,
        doc: "The domain that it answers for. Only the networks and this host are answered.",
    },
    Setting {
        key: "port",
        kind: Kind::Integer { least: 1, most: 1023 },
        fallback: Fallback::Value("834"),
        example: "834",
        status: Status::Works,
        doc: "Its port, by UDP and TCP; if that is taken, one of the next fifteen. The portmapper tells clients which it is: that of this host where one runs, or else our own at port 111. Clients do not trust ports above 1023.",
    },
    Setting {
        key: "passwd",
        kind: Kind::Text("an absolute path"),
        fallback: Fallback::Otherwise("there are no such maps"),
        example: "\"/etc/passwd\"",
        status: Status::Works,
        doc: "A file in the form of passwd(5) for the maps passwd.byname, passwd.byuid and netid.byname. It is read again when it changes. Passwords in it are told to nobody: an `x` stands in their place.",
    },
    Setting {
        key: "group",
        kind: Kind::Text("an absolute path"),
        fallback: Fallback::Otherwise("there are no such maps"),
        example: "\"/etc/group\"",
        status: Status::Works,
        doc: "The same in the form of group(5), for the maps group.byname and group.bygid, and for the groups in netid.byname.",
    },
];
