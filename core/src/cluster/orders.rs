//! What an operator has decided about a machine, beside the configuration. It stands until he decides otherwise.

use crate::mac::Mac;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// An operator's decisions about one machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Orders {
    /// Whether it is kept from serving, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<Standing>,
    /// What it boots, whatever the configuration says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Words for templates and scripts, before those of the configuration.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
    /// Whether it gets its number as soon as it passes, where an operator has the word.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub accepted: bool,
}

/// That a machine is kept from serving, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// How.
    pub state: Exclusion,
    /// Why, in the operator's words; empty if he gave none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// Why a machine is retired whose number another one was given; then which one.
const REPLACED_BY: &str = "its number was given to ";

/// How a machine is kept from serving. The words are those that users see in the place of its stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exclusion {
    /// It gets no answer.
    Denied,
    /// It gets its address and its loader, and waits there.
    Held,
    /// It gets no answer, and nobody else gets its number.
    Retired,
}

impl Orders {
    /// Whether nothing was decided, so that nothing has to be kept.
    pub fn are_none(&self) -> bool {
        *self == Self::default()
    }

    /// Whether nothing is lost with them but words, and that another machine has the number of this one: nobody is let in by it whom an operator keeps out.
    pub fn may_be_forgotten(&self) -> bool {
        let Self { standing, profile: _, attributes: _, accepted } = self;
        !accepted && standing.as_ref().is_none_or(Standing::is_replaced)
    }

    /// How it is kept from serving.
    pub fn exclusion(&self) -> Option<Exclusion> {
        self.standing.as_ref().map(|standing| standing.state)
    }

    /// Whether it gets no answer at all.
    pub fn are_to_ignore(&self) -> bool {
        matches!(self.exclusion(), Some(Exclusion::Denied | Exclusion::Retired))
    }
}

impl Standing {
    /// That of a machine whose number another one was given.
    pub fn replaced(by: Mac) -> Self {
        Self { state: Exclusion::Retired, reason: format!("{REPLACED_BY}{by}") }
    }

    /// Whether it is that, and no operator has retired it for a reason of his own.
    fn is_replaced(&self) -> bool {
        let by = self.reason.strip_prefix(REPLACED_BY);
        self.state == Exclusion::Retired && by.is_some_and(|by| by.parse::<Mac>().is_ok())
    }
}

impl Exclusion {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Denied, Self::Held, Self::Retired];

    /// In a word, as users see it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::Held => "held",
            Self::Retired => "retired",
        }
    }

    /// What an operator does to it.
    pub fn verb(self) -> &'static str {
        match self {
            Self::Denied => "denies it",
            Self::Held => "holds it",
            Self::Retired => "retired it",
        }
    }
}

impl fmt::Display for Exclusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl fmt::Display for Standing {
    /// As a sentence: `an operator holds it: its fan is loud`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an operator {}", self.state.verb())?;
        if self.reason.is_empty() { Ok(()) } else { write!(f, ": {}", self.reason) }
    }
}
