//! The options of `[trial]`, `[[trial.check]]` and `[agent]`.

use super::super::setting::{Fallback, Kind, Setting, Status};

pub(super) static TRIAL: &[Setting] = &[
    Setting {
        key: "policy",
        kind: Kind::Word { works: &["report", "accept", "none"], planned: &[] },
        fallback: Fallback::Value("\"report\""),
        example: "\"report\"",
        status: Status::Works,
        doc: "Who says that a machine has passed: `report`, the agent that runs on it; `none`, nobody, it gets its number at its first request; `accept`, an operator, by `heorot node accept`, when its agent has reported.",
    },
    Setting {
        key: "order",
        kind: Kind::Word { works: &["passed", "list", "port"], planned: &[] },
        fallback: Fallback::Value("\"passed\""),
        example: "\"passed\"",
        status: Status::Works,
        doc: "Which number it gets: `passed`, the lowest that is free, or, where another server gives the addresses (`mode = \"proxy\"`), the one of which its address is, if that is free; `list`, the one that its `[[node]]` says, and a machine without one stays temporary; `port`, the one that the `[[node]]` with its place at the relay says (`circuit-id`, `remote-id`): whatever machine is at that port of a switch, as soon as whoever had that number has left it: does not answer, and was not heard for 150 s. One that is moved to another listed port gets the number of that one, and keeps what it has at a port that is in no list until another machine is at its own.",
    },
    Setting {
        key: "retries",
        kind: Kind::Integer { least: 0, most: 1000 },
        fallback: Fallback::Value("3"),
        example: "3",
        status: Status::Works,
        doc: "How often a machine that failed is tried again in one boot before it stays `failed`. It is tried anew at its next boot, and when the checks of the configuration are others.",
    },
    Setting {
        key: "retry-after",
        kind: Kind::Duration { least_seconds: 1, most_seconds: 86_400 },
        fallback: Fallback::Value("\"30s\""),
        example: "\"30s\"",
        status: Status::Works,
        doc: "How long after a failure it is tried again.",
    },
];

pub(super) static TRIAL_CHECK: &[Setting] = &[
    Setting {
        key: "kind",
        kind: Kind::Word {
            works: &[
                "memory",
                "processors",
                "disks",
                "link",
                "clock",
                "pci",
                "gpu",
                "bandwidth",
                "stress",
                "nhc",
                "command",
            ],
            planned: &[],
        },
        fallback: Fallback::Required,
        example: "\"memory\"",
        status: Status::Works,
        doc: "What is checked: the size of the `memory`; the number of `processors`, `disks`, PCI devices (`pci`) or graphics processors (`gpu`); the speed of the interface (`link`) and its errors; the `clock` beside the server's; how fast a file comes from the server (`bandwidth`); whether processors and memory reckon right under `stress`; what the site's Node Health Check says (`nhc`); or whether a `command` ends well. [trials.md](trials.md) tells more of each.",
    },
    Setting {
        key: "at-least",
        kind: Kind::Threshold,
        fallback: Fallback::Otherwise(
            "needed for `memory`, `processors`, `disks`, `link`, `gpu` and `bandwidth`; 1 for `pci`",
        ),
        example: "\"1GiB\"",
        status: Status::Works,
        doc: "The least that passes: `\"512MiB\"` of memory (`KiB`, `MiB`, `GiB`, `TiB`, `KB`, `MB`, `GB` or `TB`), `4` of what is counted, `\"1Gbit\"` of a link or from the server (`Mbit` or `Gbit`).",
    },
    Setting {
        key: "at-most",
        kind: Kind::Threshold,
        fallback: Fallback::Otherwise("needed for `clock`; any number for `link`"),
        example: "\"5s\"",
        status: Status::Works,
        doc: "The most that passes: how far the clock is from the server's, as `\"5s\"`; how many errors of reception and changes of the carrier the link had during the trial, as `0`.",
    },
    Setting {
        key: "size",
        kind: Kind::Threshold,
        fallback: Fallback::Otherwise(
            "any size for `disks`, `\"64MiB\"` for `bandwidth`, half of what is free for `stress`",
        ),
        example: "\"400GB\"",
        status: Status::Works,
        doc: "Of each disk that counts, at least; of what is fetched from the server, and of the memory that a stress fills, at most.",
    },
    Setting {
        key: "device",
        kind: Kind::Text("vendor and device of PCI, in hexadecimal"),
        fallback: Fallback::Otherwise("needed for `pci`"),
        example: "\"10de:20b5\"",
        status: Status::Works,
        doc: "Which PCI device, as `lspci -nn` shows it; `\"10de:*\"` is any of a vendor. For `pci` only.",
    },
    Setting {
        key: "file",
        kind: Kind::Text("a file name"),
        fallback: Fallback::Otherwise("the first initial RAM disk of its profile"),
        example: "\"initrd.img\"",
        status: Status::Works,
        doc: "What is fetched, as often as is needed, relative to `boot.directory`. For `bandwidth` only.",
    },
    Setting {
        key: "duration",
        kind: Kind::Duration { least_seconds: 1, most_seconds: 86_400 },
        fallback: Fallback::Otherwise("needed for `stress`"),
        example: "\"60s\"",
        status: Status::Works,
        doc: "How long the stress lasts. For `stress` only.",
    },
    Setting {
        key: "name",
        kind: Kind::Text("up to 63 characters"),
        fallback: Fallback::Otherwise("the kind"),
        example: "\"memory\"",
        status: Status::Works,
        doc: "How the check is called in reports. No two have one name.",
    },
    Setting {
        key: "command",
        kind: Kind::Text("a command"),
        fallback: Fallback::Otherwise("needed for `command`, `/usr/sbin/nhc` for `nhc`"),
        example: "\"/usr/bin/stress --cpu 4 --timeout 20\"",
        status: Status::Works,
        doc: "What the agent runs by its shell: passed if it exits with 0. For `command` and `nhc` only.",
    },
    Setting {
        key: "timeout",
        kind: Kind::Duration { least_seconds: 1, most_seconds: 3600 },
        fallback: Fallback::Value("\"60s\""),
        example: "\"60s\"",
        status: Status::Works,
        doc: "How long the check may take; after that it has not passed. A `stress` takes none: it has a minute beside its `duration`.",
    },
    Setting {
        key: "on-failure",
        kind: Kind::Word { works: &["fail", "degraded", "hold"], planned: &[] },
        fallback: Fallback::Value("\"fail\""),
        example: "\"fail\"",
        status: Status::Works,
        doc: "What follows if it does not pass: `fail`, the machine has failed, and is tried again as `trial.retries` says; `degraded`, it gets its number, `explain` and `status` say what it lacks, and it is tried again at its next boot; `hold`, it waits for its operator. Of several that do not pass, `hold` goes before `fail`, and that before `degraded`.",
    },
];

pub(super) static AGENT: &[Setting] = &[
    Setting {
        key: "check-in",
        kind: Kind::Duration { least_seconds: 10, most_seconds: 3600 },
        fallback: Fallback::Value("\"60s\""),
        example: "\"60s\"",
        status: Status::Works,
        doc: "How often the agent of a node that is up says so. Nothing is written for it.",
    },
    Setting {
        key: "down-after",
        kind: Kind::Duration { least_seconds: 20, most_seconds: 86_400 },
        fallback: Fallback::Value("\"5m\""),
        example: "\"5m\"",
        status: Status::Works,
        doc: "After how long a silence such a node is `down`. A node without an agent that checks in is `down` when its lease runs out.",
    },
];
