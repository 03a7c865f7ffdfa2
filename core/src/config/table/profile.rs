//! `[profile.NAME]`: what nodes boot.

use super::super::setting::{Fallback, Kind, Setting, Status};
use super::super::table_host::OPTIONS;
use super::overlay::{OVERLAYS, SECRETS, SSH_HOST_KEY};

/// `[profile.NAME]`
pub(super) static PROFILE: &[Setting] = &[
    Setting {
        key: "inherits",
        kind: Kind::Text("the name of a profile"),
        fallback: Fallback::Otherwise("`default`"),
        example: "\"default\"",
        status: Status::Works,
        doc: "From where it has what it does not say itself. Its attributes are added to those of that profile. A profile that inherits from `trial` is for machines on trial.",
    },
    Setting {
        key: "nodes",
        kind: Kind::Texts("node sets"),
        fallback: Fallback::Otherwise("none, or all of its architecture"),
        example: "\"node[0-9]\"",
        status: Status::Works,
        doc: "The nodes that it is for, if they have no other profile by `heorot node set`, `[[node]]` or `[[class]]`. Of two sets, one has to be part of the other or they have no node in common: the smaller one counts. `[]` is a profile for those alone to whom `heorot node set` gives it: `heorot check` warns of one that is nobody's.",
    },
    Setting {
        key: "architecture",
        kind: Kind::Texts("firmware, named as in `[boot]`: `bios`, `uefi-x64`, `uefi-arm64`, …"),
        fallback: Fallback::Otherwise("any, if it has `nodes`"),
        example: "\"uefi-arm64\"",
        status: Status::Works,
        doc: "The machines that it is for, whether their firmware loads by TFTP or HTTP. A profile with `nodes` goes before one without. If there is no `[profile.trial]`, machines of this architecture have it on trial too.",
    },
    Setting {
        key: "kernel",
        kind: Kind::Text("a file name"),
        fallback: Fallback::Value("\"vmlinuz\""),
        example: "\"vmlinuz\"",
        status: Status::Works,
        doc: "The kernel, relative to `boot.directory`.",
    },
    Setting {
        key: "initrd",
        kind: Kind::Texts("file names"),
        fallback: Fallback::Value("[\"initrd.img\"]"),
        example: "[\"initrd.img\"]",
        status: Status::Works,
        doc: "The initial RAM disks, in order, relative to `boot.directory`. An empty list: none.",
    },
    Setting {
        key: "cmdline",
        kind: Kind::Text("a template"),
        fallback: Fallback::Value("\"\""),
        example: "\"console=ttyS0 node={{node.name}}\"",
        status: Status::Works,
        doc: "The kernel command line, to which `heorot=…` is added. A template in the language of Jinja, with `node.name`, `node.number`, `node.mac`, `node.address`, `node.attributes.NAME`, `cluster.name` and `server.address`; name and number are empty for a machine on trial.",
    },
    Setting {
        key: "root",
        kind: Kind::Text(
            "`\"none\"`, `\"nfs:/directory\"`, `\"nfs:HOST:/path\"`, `\"nfs4:HOST:/path\"`, `\"http:FILE\"` or `\"http://HOST/path\"`",
        ),
        fallback: Fallback::Value("\"none\""),
        example: "\"nfs:/srv/heorot-root\"",
        status: Status::Works,
        doc: "The root file system of the node. `none` leaves it to the initial RAM disk. `nfs:` with an absolute directory of this host has it served here ([nfs.md](nfs.md)), with a host before it by that one, and `nfs4:` by version 4; `http:` is an image in one file: of a name below `boot.directory`, or of another server.",
    },
    OVERLAYS,
    SECRETS,
    SSH_HOST_KEY,
    OPTIONS,
    Setting {
        key: "attributes",
        kind: Kind::Table,
        fallback: Fallback::Otherwise("none"),
        example: "{ console = \"ttyS1\" }",
        status: Status::Works,
        doc: "Words for templates, as `node.attributes.console`: strings, whole numbers or truth values. A template may name what some profile or `[[node]]` has; for a node that has it not, it is empty.",
    },
];
