//! The options of `[overlay]`, and what profiles say of it.

use super::super::setting::{Fallback, Kind, Setting, Status};

pub(super) static OVERLAY: &[Setting] = &[Setting {
    key: "directory",
    kind: Kind::Text("an absolute path"),
    fallback: Fallback::Value("\"/etc/heorot/overlays\""),
    example: "\"/etc/heorot/overlays\"",
    status: Status::Works,
    doc: "Where overlays are: a directory each, with the files as they are to lie on a node. `FILE.j2` is a template and lies there as `FILE`.",
}];

/// `profile.overlays`
pub(super) const OVERLAYS: Setting = Setting {
    key: "overlays",
    kind: Kind::Texts("names of directories in `overlay.directory`"),
    fallback: Fallback::Value("[]"),
    example: "[\"base\"]",
    status: Status::Works,
    doc: "The small files of its nodes, which their agent fetches in each boot, as they are then. Of a file that is in several, the last counts. [overlays.md](overlays.md) tells more.",
};

/// `profile.secrets`
pub(super) const SECRETS: Setting = Setting {
    key: "secrets",
    kind: Kind::Texts("names of directories in `overlay.directory`"),
    fallback: Fallback::Value("[]"),
    example: "[\"munge\"]",
    status: Status::Works,
    doc: "The same, for what no user of a node may read: given once in a boot, before its system starts, and to the node alone. Such a directory must not be open to all users of this host.",
};

/// `profile.ssh-host-key`
pub(super) const SSH_HOST_KEY: Setting = Setting {
    key: "ssh-host-key",
    kind: Kind::Truth,
    fallback: Fallback::Value("false"),
    example: "true",
    status: Status::Works,
    doc: "Whether a node gets the SSH host key of its number, with its secrets: the same in every boot, also when its board was exchanged. `heorot export known-hosts` has them all.",
};
