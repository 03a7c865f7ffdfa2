//! What is told to the journal and kept in a node's history.

use crate::mac::Mac;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// Something happened that an operator may want to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The machine it happened to, if it was one.
    pub machine: Option<Mac>,
    /// What kind of thing.
    pub kind: Kind,
    /// The particulars: one line, for people.
    pub detail: Arc<str>,
}

/// Somebody else's text as it may stand in a journal, and be kept: so many letters of it, none of which moves a cursor.
pub(crate) fn printable(text: &str, letters_max: usize) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(letters_max).collect()
}

/// What kind of thing happened. The words are those of the JSON output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// It asked for an address.
    Discover,
    /// It was offered one.
    Offer,
    /// It was granted one.
    Ack,
    /// It was told that its address is not its own.
    Nak,
    /// It gave its address back.
    Release,
    /// It found its address in use.
    Decline,
    /// It asked for a file.
    File,
    /// A file was delivered, or not.
    Transfer,
    /// Its kernel, or what runs on it, reported.
    Agent,
    /// One check of its trial.
    Check,
    /// It went from one stage or phase to another.
    Stage,
    /// It got its number.
    Number,
    /// A link is used in another way.
    Load,
    /// What it would have been answered where we only look on, and what another server did.
    Shadow,
    /// Somebody's update changed names.
    Update,
    /// An operator decided something about it.
    Operator,
    /// Something is wrong that an operator should mend: the store, the configuration, the network.
    Trouble,
}

impl Kind {
    /// Whether it is what was asked and answered: there is no end of that, for whoever sends packets.
    pub const fn is_talk(self) -> bool {
        match self {
            Self::Discover
            | Self::Offer
            | Self::Ack
            | Self::Nak
            | Self::Release
            | Self::Decline
            | Self::File
            | Self::Transfer
            | Self::Shadow => true,
            Self::Agent
            | Self::Check
            | Self::Stage
            | Self::Number
            | Self::Load
            | Self::Update
            | Self::Operator
            | Self::Trouble => false,
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(mac) = self.machine {
            write!(f, "{mac} ")?;
        }
        f.write_str(&self.detail)
    }
}
