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

/// Somebody else's text as it may stand in a journal, and be kept: so many letters, none of which moves a cursor or is unseen. One that would is written as its number: without it a name would
/// be that of another file.
pub(crate) fn printable(text: &str, letters_max: usize) -> String {
    let mut shown = String::new();
    let mut room = letters_max;
    for letter in text.chars() {
        let written = match letter {
            _ if letter.is_ascii_control() => format!("\\x{:02x}", u32::from(letter)),
            _ if is_unseen(letter) => format!("\\u{{{:x}}}", u32::from(letter)),
            _ => letter.to_string(),
        };
        let letters = written.chars().count();
        if letters > room {
            break;
        }
        room -= letters;
        shown += &written;
    }
    shown
}

/// Whether a letter is none that is seen: controls, and what Unicode has to part words, and to turn the way in which they are written (its categories Cc, Cf, Zl and Zp, as far as they stand alone).
pub(crate) fn is_unseen(letter: char) -> bool {
    let is_format = matches!(
        letter,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    );
    letter.is_control() || is_format
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

#[cfg(test)]
mod tests;
