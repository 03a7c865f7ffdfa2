//! The options of `[names]` and `[groups]`.

use super::super::setting::{Fallback, Kind, Setting, Status};

pub(super) static NAMES: &[Setting] = &[Setting {
    key: "file",
    kind: Kind::Text("an absolute path, or `\"\"`: none is written"),
    fallback: Fallback::Otherwise("`\"/etc/heorot/names\"`, if there is the directory /etc/heorot"),
    example: "\"/etc/heorot/names\"",
    status: Status::Works,
    doc: "The file from which this host resolves the cluster's names by `hosts: files heorot dns` in /etc/nsswitch.conf, with libnss_heorot.so.2. It is written anew whenever names change, as a whole. If `server.user` may not write there, it becomes a symbolic link to `names` beside `server.control`. The library reads /etc/heorot/names: another path is for those who bring the file elsewhere themselves.",
}];

pub(super) static GROUPS: &[Setting] = &[Setting {
    key: "rack1",
    kind: Kind::Texts("a node set, as `\"node[0-31]\"`; of a list, all together"),
    fallback: Fallback::Otherwise("there is no such group"),
    example: "\"node[0-31]\"",
    status: Status::Works,
    doc: "The nodes of the group `rack1`; the key may be any name. Groups stand in node sets as `@rack1`, also in those of other groups, and are netgroups. `@*` is all nodes, and as a netgroup they have the name of the zone.",
}];
