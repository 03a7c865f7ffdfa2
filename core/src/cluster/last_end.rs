//! How a machine's system ended: by its own word, or by what it could write down before.

use crate::event::{is_unseen, printable};
use crate::limit::{LAST_WORDS_LETTERS_MAX, REASON_LETTERS_MAX};
use serde::{Deserialize, Serialize};

/// How a machine's last system ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastEnd {
    /// When that was said, in seconds since 1970, if the calendar was known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_seconds: Option<u64>,
    /// Why: `reboot`, `shutdown`, `panic`, or what else its agent says.
    pub reason: String,
    /// The last lines of its console.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub last_words: String,
}

/// The body of `POST {heorot}/down`.
#[derive(Debug, Deserialize)]
struct Said {
    reason: String,
    #[serde(default)]
    last_words: String,
}

impl LastEnd {
    /// Reads what an agent says. None: it is not understood.
    pub fn parse(body: &[u8], at_seconds: Option<u64>) -> Option<Self> {
        let said: Said = serde_json::from_slice(body).ok()?;
        let reason = printable(said.reason.trim(), REASON_LETTERS_MAX);
        if reason.is_empty() {
            return None;
        }
        // The end of it tells most.
        let letters: Vec<char> = said.last_words.chars().filter(|c| !is_unseen(*c) || *c == '\n').collect();
        let from = letters.len().saturating_sub(LAST_WORDS_LETTERS_MAX);
        let last_words = letters[from..].iter().collect::<String>().trim().to_owned();
        Some(Self { at_seconds, reason, last_words })
    }
}

#[cfg(test)]
mod tests;
