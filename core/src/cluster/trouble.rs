//! What is in a machine's way.

use serde::{Deserialize, Serialize};

/// What went wrong, and the remedy if there is one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// In words.
    pub what: String,
    /// What the operator can do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_do: Option<String>,
}

/// What may be wrong beside whatever else is, so that neither takes the other's place: the weightiest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Beside {
    /// There is no address for it.
    NoAddress,
    /// There is no boot file for its firmware.
    NoFile,
    /// Which file its firmware loads is another server's word.
    FileOfAnother,
    /// Its firmware takes no word of ours beside another server.
    TakesNoWord,
    /// What its agent said.
    Agent,
    /// Its agent speaks from an address that is not its own.
    Elsewhere,
    /// It speaks with a token that is not its own.
    Token,
    /// Another server answers it.
    OtherServer,
    /// Somebody asked for a boot in its name who may not begin one.
    NoBoot,
    /// Somebody renewed its lease who may not.
    NotRenewed,
    /// Somebody said which place it is at who may not.
    Place,
    /// Options had no room in its packets.
    Options,
}

/// What such a thing is to a boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Nature {
    /// It is between firmware and its boot file.
    OfFirmware,
    /// It keeps any boot from going on.
    EndsBoots,
    /// Somebody said something which is not believed, as any user's program may have sent it.
    Disbelief,
    /// Boots go on with it.
    Remark,
}

impl Beside {
    const fn nature(self) -> Nature {
        match self {
            Self::NoFile | Self::FileOfAnother | Self::TakesNoWord => Nature::OfFirmware,
            Self::NoAddress | Self::Agent | Self::Elsewhere | Self::Token => Nature::EndsBoots,
            Self::NoBoot | Self::NotRenewed | Self::Place => Nature::Disbelief,
            Self::OtherServer | Self::Options => Nature::Remark,
        }
    }

    /// Whether no boot goes on with that.
    pub const fn ends_boots(self) -> bool {
        matches!(self.nature(), Nature::OfFirmware | Nature::EndsBoots)
    }

    /// Whether that is between firmware and its boot file: a boot that goes on with a number does not go on for that.
    pub const fn is_of_firmware(self) -> bool {
        matches!(self.nature(), Nature::OfFirmware)
    }

    /// Whether that is something which is not believed, as any user's program may have sent it.
    pub const fn is_disbelief(self) -> bool {
        matches!(self.nature(), Nature::Disbelief)
    }
}
