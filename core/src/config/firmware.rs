//! Firmware that needs a boot file of its own: one row for each, from which options, requests and names are made.

use serde::{Deserialize, Serialize};

/// Firmware that needs a boot file of its own. The words are those of the options of `[boot]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the rows below say what each is")]
pub enum FirmwareKind {
    Bios,
    UefiX86,
    UefiX64,
    UefiArm32,
    UefiArm64,
    UefiRiscv64,
    UefiLoongarch64,
    HttpX86,
    HttpX64,
    HttpArm32,
    HttpArm64,
    HttpRiscv64,
    HttpLoongarch64,
    Ipxe,
}

/// How a firmware loads its boot file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// By PXE: a name, loaded by TFTP.
    Tftp,
    /// By UEFI's HTTP boot (UEFI 24.7): a URL.
    Http,
    /// iPXE: a script, by whatever protocol.
    Script,
}

/// What is known of a firmware.
#[derive(Debug)]
pub struct FirmwareRow {
    /// Which.
    pub kind: FirmwareKind,
    /// Its option in `[boot]`.
    pub key: &'static str,
    /// How it loads.
    pub protocol: Protocol,
    /// What it says in option 93 (RFC 4578 2.1 with its errata, and the IANA registry of processor architecture types).
    pub architectures: &'static [u16],
}

/// All of them.
pub static FIRMWARE: [FirmwareRow; 14] = [
    row(FirmwareKind::Bios, "bios", Protocol::Tftp, &[0]),
    row(FirmwareKind::UefiX86, "uefi-x86", Protocol::Tftp, &[6]),
    // RFC 4578 says 9 for x86-64 and 7 for EBC; its erratum 3187 and the registry say it the other way round. Firmware of both minds is about.
    row(FirmwareKind::UefiX64, "uefi-x64", Protocol::Tftp, &[7, 9]),
    row(FirmwareKind::UefiArm32, "uefi-arm32", Protocol::Tftp, &[10]),
    row(FirmwareKind::UefiArm64, "uefi-arm64", Protocol::Tftp, &[11]),
    row(FirmwareKind::UefiRiscv64, "uefi-riscv64", Protocol::Tftp, &[27]),
    row(FirmwareKind::UefiLoongarch64, "uefi-loongarch64", Protocol::Tftp, &[39]),
    row(FirmwareKind::HttpX86, "http-x86", Protocol::Http, &[15]),
    row(FirmwareKind::HttpX64, "http-x64", Protocol::Http, &[16]),
    row(FirmwareKind::HttpArm32, "http-arm32", Protocol::Http, &[18]),
    row(FirmwareKind::HttpArm64, "http-arm64", Protocol::Http, &[19]),
    row(FirmwareKind::HttpRiscv64, "http-riscv64", Protocol::Http, &[28]),
    row(FirmwareKind::HttpLoongarch64, "http-loongarch64", Protocol::Http, &[40]),
    row(FirmwareKind::Ipxe, "ipxe", Protocol::Script, &[]),
];

const fn row(
    kind: FirmwareKind,
    key: &'static str,
    protocol: Protocol,
    architectures: &'static [u16],
) -> FirmwareRow {
    FirmwareRow { kind, key, protocol, architectures }
}

/// "arm 32 uboot" and "arm 64 uboot" in IANA's registry. It loads what its configuration names, and no boot file.
const U_BOOT_ARM32: u16 = 21;
const U_BOOT_ARM64: u16 = 22;

impl FirmwareKind {
    /// Its row.
    pub fn row(self) -> &'static FirmwareRow {
        FIRMWARE.iter().find(|row| row.kind == self).expect("every kind has a row, as the tests see")
    }

    /// The firmware that loads by this protocol and says this in option 93.
    pub fn of(protocol: Protocol, architecture: u16) -> Option<Self> {
        let row =
            FIRMWARE.iter().find(|row| row.protocol == protocol && row.architectures.contains(&architecture));
        row.map(|row| row.kind)
    }

    /// What a machine that says this in option 93 is, whichever way its firmware loads: the kind that loads by TFTP. A board with U-Boot runs the kernels of its processor.
    pub fn of_machine(architecture: u16) -> Option<Self> {
        if architecture == U_BOOT_ARM32 {
            return Some(Self::UefiArm32);
        }
        if architecture == U_BOOT_ARM64 {
            return Some(Self::UefiArm64);
        }
        let row = FIRMWARE.iter().find(|row| row.architectures.contains(&architecture))?;
        Some(match row.kind {
            Self::HttpX86 => Self::UefiX86,
            Self::HttpX64 => Self::UefiX64,
            Self::HttpArm32 => Self::UefiArm32,
            Self::HttpArm64 => Self::UefiArm64,
            Self::HttpRiscv64 => Self::UefiRiscv64,
            Self::HttpLoongarch64 => Self::UefiLoongarch64,
            by_tftp @ (Self::Bios
            | Self::UefiX86
            | Self::UefiX64
            | Self::UefiArm32
            | Self::UefiArm64
            | Self::UefiRiscv64
            | Self::UefiLoongarch64
            | Self::Ipxe) => by_tftp,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_option_and_by_what_it_says() {
        for row in &FIRMWARE {
            let word = serde_json::to_string(&row.kind).unwrap();
            assert_eq!(word, format!("{:?}", row.key), "the word in JSON is that of the configuration");
            assert_eq!(row.kind.row().key, row.key);
            for architecture in row.architectures {
                assert_eq!(FirmwareKind::of(row.protocol, *architecture), Some(row.kind), "{architecture}");
            }
        }
        for (architecture, machine) in [
            (0, Some(FirmwareKind::Bios)),
            (7, Some(FirmwareKind::UefiX64)),
            (9, Some(FirmwareKind::UefiX64)),
            (16, Some(FirmwareKind::UefiX64)),
            (11, Some(FirmwareKind::UefiArm64)),
            (19, Some(FirmwareKind::UefiArm64)),
            (28, Some(FirmwareKind::UefiRiscv64)),
            (22, Some(FirmwareKind::UefiArm64)),
            (21, Some(FirmwareKind::UefiArm32)),
            (10, Some(FirmwareKind::UefiArm32)),
            (18, Some(FirmwareKind::UefiArm32)),
            (12, None),
        ] {
            assert_eq!(FirmwareKind::of_machine(architecture), machine, "{architecture}");
        }
        for (protocol, architecture) in [
            (Protocol::Tftp, 16),
            (Protocol::Http, 7),
            (Protocol::Http, 0),
            (Protocol::Tftp, 1),
            (Protocol::Tftp, 21),
            (Protocol::Tftp, 22),
        ] {
            assert_eq!(FirmwareKind::of(protocol, architecture), None, "{protocol:?} {architecture}");
        }
    }
}
