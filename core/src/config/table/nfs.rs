//! The options of `[nfs]`.

use super::super::setting::{Fallback, Kind, Setting, Status};

pub(super) static NFS: &[Setting] = &[
    Setting {
        key: "port",
        kind: Kind::Integer { least: 1, most: 65535 },
        fallback: Fallback::Value("2049"),
        example: "2049",
        status: Status::Works,
        doc: "Its port, by TCP, for files (NFS version 3) and for mounting (MOUNT version 3) alike. The portmapper at port 111 tells clients of it: that of this host where one runs, or else our own.",
    },
    Setting {
        key: "directories",
        kind: Kind::Texts("absolute paths"),
        fallback: Fallback::Value("[]"),
        example: "[\"/srv/software\"]",
        status: Status::Works,
        doc: "Directories that are served beside the roots of profiles. What lies below one of them on another file system is not. `server.state`, the key of HTTPS and overlays with secrets may not lie in one.",
    },
    Setting {
        key: "insecure",
        kind: Kind::Truth,
        fallback: Fallback::Value("false"),
        example: "true",
        status: Status::Works,
        doc: "Whether a client is believed who it is also if it calls from a port that any user of its host may have, 1024 or above. Without it such a client is nobody, as for other servers: a node's root calls from below, and each of its users could else say that he is root. To be set where a router that translates stands between, which chooses the ports.",
    },
];
