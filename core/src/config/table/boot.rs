//! `[boot]`, `[pxe]` and `[[pxe.service]]`: what firmware is given to start.

use super::super::setting::{Fallback, Kind, Setting, Status};

/// `[boot]`
pub(super) static BOOT: &[Setting] = &[
    Setting {
        key: "directory",
        kind: Kind::Text("an absolute path"),
        fallback: Fallback::Value("\"/srv/heorot\""),
        example: "\"/srv/heorot\"",
        status: Status::Works,
        doc: "The directory that TFTP and HTTP serve.",
    },
    Setting {
        key: "bios",
        kind: Kind::Text("a file name"),
        fallback: Fallback::Value("\"pxelinux.0\""),
        example: "\"pxelinux.0\"",
        status: Status::Works,
        doc: "The boot file of a BIOS.",
    },
    Setting {
        key: "uefi-x86",
        kind: Kind::Text("a file name"),
        fallback: Fallback::Otherwise("none"),
        example: "\"ipxe-x86.efi\"",
        status: Status::Works,
        doc: "The boot file of UEFI on 32-bit x86, by TFTP.",
    },
    Setting {
        key: "uefi-x64",
        kind: Kind::Text("a file name"),
        fallback: Fallback::Value("\"ipxe.efi\""),
        example: "\"ipxe.efi\"",
        status: Status::Works,
        doc: "The boot file of UEFI on x86-64, by TFTP.",
    },
    Setting {
        key: "uefi-arm64",
        kind: Kind::Text("a file name"),
        fallback: Fallback::Otherwise("none"),
        example: "\"ipxe-arm64.efi\"",
        status: Status::Works,
        doc: "The boot file of UEFI on 64-bit ARM, by TFTP.",
    },
    Setting {
        key: "uefi-riscv64",
        kind: Kind::Text("a file name"),
        fallback: Fallback::Otherwise("none"),
        example: "\"ipxe-riscv64.efi\"",
        status: Status::Works,
        doc: "The boot file of UEFI on 64-bit RISC-V, by TFTP.",
    },
    Setting {
        key: "uefi-loongarch64",
        kind: Kind::Text("a file name"),
        fallback: Fallback::Otherwise("none"),
        example: "\"ipxe-loongarch64.efi\"",
        status: Status::Works,
        doc: "The boot file of UEFI on 64-bit LoongArch, by TFTP.",
    },
    Setting {
        key: "http-x86",
        kind: Kind::Text("a file name"),
        fallback: Fallback::Otherwise("none"),
        example: "\"ipxe-x86.efi\"",
        status: Status::Works,
        doc: "The boot file of UEFI on 32-bit x86, by HTTP.",
    },
    Setting {
        key: "http-x64",
        kind: Kind::Text("a file name"),
        fallback: Fallback::Otherwise("none"),
        example: "\"ipxe.efi\"",
        status: Status::Works,
        doc: "The boot file of UEFI on x86-64, by HTTP.",
    },
    Setting {
        key: "http-arm64",
        kind: Kind::Text("a file name"),
        fallback: Fallback::Otherwise("none"),
        example: "\"ipxe-arm64.efi\"",
        status: Status::Works,
        doc: "The boot file of UEFI on 64-bit ARM, by HTTP.",
    },
    Setting {
        key: "http-riscv64",
        kind: Kind::Text("a file name"),
        fallback: Fallback::Otherwise("none"),
        example: "\"ipxe-riscv64.efi\"",
        status: Status::Works,
        doc: "The boot file of UEFI on 64-bit RISC-V, by HTTP.",
    },
    Setting {
        key: "http-loongarch64",
        kind: Kind::Text("a file name"),
        fallback: Fallback::Otherwise("none"),
        example: "\"ipxe-loongarch64.efi\"",
        status: Status::Works,
        doc: "The boot file of UEFI on 64-bit LoongArch, by HTTP.",
    },
    Setting {
        key: "ipxe",
        kind: Kind::Text("a file name"),
        fallback: Fallback::Otherwise("the `boot.ipxe` that is generated for each node"),
        example: "\"menu.ipxe\"",
        status: Status::Works,
        doc: "The script of iPXE.",
    },
];

/// `[pxe]`
pub(super) static PXE: &[Setting] = &[
    Setting {
        key: "prompt",
        kind: Kind::Text("up to 80 characters"),
        fallback: Fallback::Otherwise("the menu is shown at once"),
        example: "\"Press F8 for a menu.\"",
        status: Status::Works,
        doc: "The line that stands on the screen before the menu.",
    },
    Setting {
        key: "timeout",
        kind: Kind::Duration { least_seconds: 0, most_seconds: 254 },
        fallback: Fallback::Otherwise("it waits until a key is pressed"),
        example: "\"5s\"",
        status: Status::Works,
        doc: "How long the prompt waits for a key before the first entry is booted.",
    },
    Setting {
        key: "vendor-classes",
        kind: Kind::Texts("beginnings of option 60"),
        fallback: Fallback::Otherwise("none"),
        example: "[\"HW-Client\"]",
        status: Status::Works,
        doc: "How else than `PXEClient` some makers' firmware calls itself. It is answered with the same word.",
    },
];

/// `[[pxe.service]]`
pub(super) static PXE_SERVICE: &[Setting] = &[
    Setting {
        key: "architecture",
        kind: Kind::Texts("firmware, named as in `[boot]`, or by its number in option 93"),
        fallback: Fallback::Required,
        example: "\"bios\"",
        status: Status::Works,
        doc: "Whose menu the entry is in.",
    },
    Setting {
        key: "text",
        kind: Kind::Text("up to 80 characters"),
        fallback: Fallback::Required,
        example: "\"Install\"",
        status: Status::Works,
        doc: "What the menu shows.",
    },
    Setting {
        key: "file",
        kind: Kind::Text("a file name"),
        fallback: Fallback::Otherwise("needed, unless there is a `type`"),
        example: "\"pxelinux.0\"",
        status: Status::Works,
        doc: "The file that it boots.",
    },
    Setting {
        key: "type",
        kind: Kind::Integer { least: 0, most: 32767 },
        fallback: Fallback::Otherwise("the entry has a file"),
        example: "0",
        status: Status::Works,
        doc: "Instead of a file: the type of the boot server that says what is booted. 0 is what the machine boots without us.",
    },
    Setting {
        key: "server",
        kind: Kind::Text("an address"),
        fallback: Fallback::Otherwise("the machine looks for one by broadcast"),
        example: "\"10.77.0.9\"",
        status: Status::Works,
        doc: "Where that boot server is. Not for type 0.",
    },
];
