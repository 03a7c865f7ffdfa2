//! The options of `[tftp]`.

use super::super::setting::{Fallback, Kind, Setting, Status};

pub(super) static TFTP: &[Setting] = &[
    Setting {
        key: "port-range",
        kind: Kind::Text("two ports"),
        fallback: Fallback::Otherwise("any that are free"),
        example: "\"30000-30015\"",
        status: Status::Works,
        doc: "The ports that files are sent from, for a firewall that has to know them: up to eight of them are used, one is enough, and with several a machine that was reset in the middle of a file is told apart best. Port 4011 is left out: PXE clients ask there for boot servers.",
    },
    Setting {
        key: "single-port",
        kind: Kind::Truth,
        fallback: Fallback::Value("false"),
        example: "true",
        status: Status::Works,
        doc: "Whether files are sent from port 69 itself, for networks whose firewall or address translation lets nothing else through. RFC 1350 has it otherwise, and most clients do not mind.",
    },
    Setting {
        key: "block-size-max",
        kind: Kind::Integer { least: 512, most: 65464 },
        fallback: Fallback::Value("1468"),
        example: "8968",
        status: Status::Works,
        doc: "Octets of the largest block that is granted to a client that asks for one. It is never more than the interface's MTU less 32, so that no packet is sent in fragments; where that is changed under the server, whoever asks next gets what fits. More than 1468 only where every way to the nodes takes more than 1500 octets in a packet. A network that is behind a tunnel says less in its `[[network]]`.",
    },
    Setting {
        key: "case-fold",
        kind: Kind::Truth,
        fallback: Fallback::Value("false"),
        example: "true",
        status: Status::Works,
        doc: "Whether a file that is not there under the name that was asked for is looked for under one that differs in capital and small letters alone. A file of just that name goes first. Files that are made for a node (`boot.ipxe`, `pxelinux.cfg/…`, `grub.cfg`) have their names in any size, too, and go before others of such a name. By TFTP only.",
    },
    Setting {
        key: "unique-root",
        kind: Kind::Word { works: &["none", "ip", "mac"], planned: &[] },
        fallback: Fallback::Value("\"none\""),
        example: "\"mac\"",
        status: Status::Works,
        doc: "Whether each machine has a directory of its own below `boot.directory`, by its address (`10.77.1.23`) or its hardware address (`52-54-00-00-00-17`). What is not there is looked for in `boot.directory`. Another machine's directory is refused. A `[[host]]` has one as a node has. By TFTP only: by HTTP all is to be had.",
    },
    Setting {
        key: "senders",
        kind: Kind::Integer { least: 0, most: 16 },
        fallback: Fallback::Otherwise(
            "a quarter of the processors and at most 4; none if there are fewer than 4",
        ),
        example: "2",
        status: Status::Works,
        doc: "Threads that send files when one processor does not keep up with the link. As long as it does they sleep, and cost nothing. 0: one thread sends everything, always. Changing it needs a restart.",
    },
];

pub(super) static REWRITE: &[Setting] = &[
    Setting {
        key: "pattern",
        kind: Kind::Text("a name, in which one `*` stands for anything"),
        fallback: Fallback::Required,
        example: "\"Boot/x64/*\"",
        status: Status::Works,
        doc: "The names that are meant: the whole name, not a part of it. With `case-fold` it does not matter how they are written.",
    },
    Setting {
        key: "replacement",
        kind: Kind::Text("a file's name, with a `*` for what that of the pattern stood for"),
        fallback: Fallback::Required,
        example: "\"winpe/*\"",
        status: Status::Works,
        doc: "The file, relative to `boot.directory`.",
    },
    Setting {
        key: "architecture",
        kind: Kind::Word {
            works: &[
                "bios",
                "uefi-x86",
                "uefi-x64",
                "uefi-arm32",
                "uefi-arm64",
                "uefi-riscv64",
                "uefi-loongarch64",
                "http-x86",
                "http-x64",
                "http-arm32",
                "http-arm64",
                "http-riscv64",
                "http-loongarch64",
                "ipxe",
            ],
            planned: &[],
        },
        fallback: Fallback::Otherwise("any"),
        example: "\"uefi-arm64\"",
        status: Status::Works,
        doc: "The firmware that the machine last asked for its address by; the words are those of `[boot]`.",
    },
];
