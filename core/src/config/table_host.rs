//! The options of the configuration that say what clients are told by DHCP: `[options]`, `[[class]]`, `[[host]]`.

use super::setting::{Fallback, Kind, Setting, Status};

/// A table of options, in a network, class, profile, node or host.
pub(super) const OPTIONS: Setting = Setting {
    key: "options",
    kind: Kind::Table,
    fallback: Fallback::Otherwise("none"),
    example: "{ ntp-servers = \"10.77.0.1\" }",
    status: Status::Works,
    doc: "DHCP options, as in `[options]`: what they say goes before what `[options]` says.",
};

/// What a machine calls itself.
pub(super) const CLIENT_ID: Setting = Setting {
    key: "client-id",
    kind: Kind::Text("a text, or `hex:` and octets; `text:` before a text that looks like octets"),
    fallback: Fallback::Otherwise("the hardware address alone says who it is"),
    example: "\"hex:01:52:54:00:00:00:17\"",
    status: Status::Works,
    doc: "The client identifier (option 61) that says who it is, whatever hardware address it comes with; but not with two that are alive at once, of which one has a copied disk (see `probe`). Nowhere else do client identifiers count.",
};

/// Where a machine is.
pub(super) const CIRCUIT_ID: Setting = Setting {
    key: "circuit-id",
    kind: Kind::Text("a text, or `hex:` and octets; `text:` before a text that looks like octets"),
    fallback: Fallback::Otherwise("it may be anywhere"),
    example: "\"rack7/12\"",
    status: Status::Works,
    doc: "The circuit of its relay (option 82.1), mostly the port of a switch: whoever is there without being listed by its hardware address is it. For a `[[node]]` the relay has to send from a port below 1024, or be the `gateway` of its network.",
};

/// Where a machine is, otherwise.
pub(super) const REMOTE_ID: Setting = Setting {
    key: "remote-id",
    kind: Kind::Text("a text, or `hex:` and octets; `text:` before a text that looks like octets"),
    fallback: Fallback::Otherwise("it may be anywhere"),
    example: "\"hex:000406aabbccdd\"",
    status: Status::Works,
    doc: "What its relay calls that end (option 82.2), often the switch. With `circuit-id`, both have to be right.",
};

pub(super) static DHCP_OPTIONS: &[Setting] = &[Setting {
    key: "force",
    kind: Kind::Texts("names or numbers of options"),
    fallback: Fallback::Otherwise("none"),
    example: "[\"ntp-servers\"]",
    status: Status::Works,
    doc: "The options that are sent to clients who do not ask for them (option 55). In every table of options.",
}];

pub(super) static CLASS: &[Setting] = &[
    Setting {
        key: "name",
        kind: Kind::Text("up to 63 characters"),
        fallback: Fallback::Required,
        example: "\"phones\"",
        status: Status::Works,
        doc: "How it is called.",
    },
    Setting {
        key: "vendor-class",
        kind: Kind::Texts("texts"),
        fallback: Fallback::Otherwise("any"),
        example: "\"PXEClient:Arch:00007\"",
        status: Status::Works,
        doc: "How the client's vendor class (option 60) begins.",
    },
    Setting {
        key: "user-class",
        kind: Kind::Texts("texts"),
        fallback: Fallback::Otherwise("any"),
        example: "\"iPXE\"",
        status: Status::Works,
        doc: "A user class of the client (option 77), whole.",
    },
    Setting {
        key: "architecture",
        kind: Kind::Texts(
            "`bios`, `uefi-x86`, `uefi-x64`, `uefi-arm32`, `uefi-arm64`, `http-x64`, `http-arm64`, … or the number that firmware says",
        ),
        fallback: Fallback::Otherwise("any"),
        example: "[\"uefi-arm64\", \"http-arm64\"]",
        status: Status::Works,
        doc: "What the firmware says that it runs on (option 93).",
    },
    Setting {
        key: "mac",
        kind: Kind::Texts("hardware addresses, with `*` for octets that may be any"),
        fallback: Fallback::Otherwise("any"),
        example: "\"52:54:00:*:*:*\"",
        status: Status::Works,
        doc: "The hardware address.",
    },
    Setting {
        key: "circuit-id",
        kind: Kind::Texts("texts, or `hex:` and octets; `text:` before a text that looks like octets"),
        fallback: Fallback::Otherwise("any"),
        example: "\"rack7/12\"",
        status: Status::Works,
        doc: "The circuit of the relay (option 82.1).",
    },
    Setting {
        key: "remote-id",
        kind: Kind::Texts("texts, or `hex:` and octets; `text:` before a text that looks like octets"),
        fallback: Fallback::Otherwise("any"),
        example: "\"hex:000406aabbccdd\"",
        status: Status::Works,
        doc: "What the relay calls that end (option 82.2).",
    },
    Setting {
        key: "network",
        kind: Kind::Texts("interfaces, or addresses in networks"),
        fallback: Fallback::Otherwise("any"),
        example: "\"eth1\"",
        status: Status::Works,
        doc: "Where the client is: any network of that interface, or the network that has that address.",
    },
    OPTIONS,
    Setting {
        key: "boot-file",
        kind: Kind::Text("a file name, or a URL"),
        fallback: Fallback::Otherwise("what `[boot]` says"),
        example: "\"arm64/grub.efi\"",
        status: Status::Works,
        doc: "What its clients are given to start. iPXE, which says of itself what the ROM says that loaded it, gets it from a class with `user-class` only: otherwise it would load itself for ever.",
    },
    Setting {
        key: "next-server",
        kind: Kind::Text("an address"),
        fallback: Fallback::Otherwise("this server"),
        example: "\"10.77.0.9\"",
        status: Status::Works,
        doc: "The TFTP server that its clients are given (`siaddr`, and its name where they need one), if their boot file is on another one. Not of what a menu's entry names, which is here. For iPXE as `boot-file`.",
    },
    Setting {
        key: "profile",
        kind: Kind::Text("the name of a profile"),
        fallback: Fallback::Otherwise("`default`"),
        example: "\"default\"",
        status: Status::Works,
        doc: "What its numbered nodes boot that name no profile themselves.",
    },
    Setting {
        key: "ignore",
        kind: Kind::Truth,
        fallback: Fallback::Value("false"),
        example: "false",
        status: Status::Works,
        doc: "Its clients get no answer at all.",
    },
];

pub(super) static HOST: &[Setting] = &[
    Setting {
        key: "mac",
        kind: Kind::Texts("hardware addresses, with `*` for octets that may be any"),
        fallback: Fallback::Otherwise("needed, unless something else says who it is"),
        example: "\"52:54:00:00:01:01\"",
        status: Status::Works,
        doc: "Its hardware address, or a list of them, as in `[[node]]`. One with `*` means every host that no other entry means more exactly; such an entry has no `address`.",
    },
    Setting { example: "\"switch-7\"", ..CLIENT_ID },
    Setting { example: "\"rack7/48\"", ..CIRCUIT_ID },
    Setting { example: "\"hex:000406aabbccde\"", ..REMOTE_ID },
    Setting {
        key: "address",
        kind: Kind::Text("an address"),
        fallback: Fallback::Otherwise("one of `guests`"),
        example: "\"10.77.0.20\"",
        status: Status::Works,
        doc: "Its address: in a network that is served, and neither a node's nor in `temporary`. In `guests`, nobody else gets it.",
    },
    Setting {
        key: "name",
        kind: Kind::Text("a host name"),
        fallback: Fallback::Otherwise("none"),
        example: "\"bmc-switch\"",
        status: Status::Works,
        doc: "Its name, which it is told. With `address`, the name resolves, and the address back.",
    },
    Setting {
        key: "lease",
        kind: Kind::Duration { least_seconds: 60, most_seconds: 31536000 },
        fallback: Fallback::Otherwise("`lease` of its network with an `address`, else `guest-lease`"),
        example: "\"12h\"",
        status: Status::Works,
        doc: "How long its address is leased at a time.",
    },
    OPTIONS,
    Setting {
        key: "ignore",
        kind: Kind::Truth,
        fallback: Fallback::Value("false"),
        example: "false",
        status: Status::Works,
        doc: "It gets no answer at all.",
    },
];
