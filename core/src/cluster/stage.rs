//! A node's life.
//!
//! ```text
//!        DISCOVER           lease ACK            agent asks           all passed: number, name and address recorded
//!  none ──────────> seen ───────────> temporary ──────────> testing ──────────────────────> ready ──> up <──> down
//!                    │                    ^ again            │ failed                         │ power-on   ^
//!                    │                    └───────────── failed (says why)                    └─> booting ─┘
//!                    └── listed, or numbered without a trial ──────────────────────────────────^
//! ```
//! A machine on trial that falls silent for so long that its address is taken back is merely seen again. One with a number that had no other address is down.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Where a node is in its life. The words are those that users see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// It asked, and has no address yet.
    Seen,
    /// It boots with a temporary address.
    Temporary,
    /// Its agent runs the trial.
    Testing,
    /// It did not pass the trial.
    Failed,
    /// It has its number, and was not yet heard of with it.
    Ready,
    /// It boots with its number.
    Booting,
    /// Its system runs, by its own word.
    Up,
    /// It was up, and said that it ends, gave its address back or let it run out, or fell silent.
    Down,
}

/// How far a boot is, in the stages `temporary` and `booting`. A boot only goes forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Its firmware has asked for an address.
    Dhcp,
    /// Its firmware or loader asks for files.
    Loader,
    /// Its kernel was asked for.
    Kernel,
    /// Its initial RAM disk was asked for.
    Initrd,
    /// Its agent has asked what to do.
    Agent,
}

/// What moves a node from one stage to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Its firmware began a boot.
    PowerOn,
    /// A temporary address was lent to it.
    Lent,
    /// Its agent asked what to do.
    AgentAsked,
    /// It passed the trial, but no number may be given to it yet.
    Unplaced,
    /// Its trial failed.
    Failed,
    /// Its number is recorded.
    Numbered,
    /// Its temporary address, and it had no other, was taken back after a long silence.
    Expired,
    /// It says that its system runs.
    ReportedUp,
    /// It renewed the lease of its permanent address: its system runs.
    Renewed,
    /// It said that it ends, gave its permanent address back or let its lease run out, or its agent fell silent.
    Left,
}

impl Stage {
    /// Every stage.
    pub const ALL: [Self; 8] = [
        Self::Seen,
        Self::Temporary,
        Self::Testing,
        Self::Failed,
        Self::Ready,
        Self::Booting,
        Self::Up,
        Self::Down,
    ];

    /// The stage after a step; the same one where the step means nothing.
    #[must_use]
    pub const fn after(self, step: Step) -> Self {
        use Stage::{Booting, Down, Failed, Ready, Seen, Temporary, Testing, Up};
        match (self, step) {
            (_, Step::Numbered) => match self {
                Seen | Temporary | Testing | Failed => Ready,
                Ready | Booting | Up | Down => self,
            },
            (Seen, Step::Lent) => Temporary,
            (Testing | Failed, Step::PowerOn) => Temporary,
            (Temporary, Step::AgentAsked) => Testing,
            // A failed machine that asks again has not been mended by asking.
            (Testing | Failed, Step::Unplaced) => Temporary,
            (Temporary | Testing, Step::Failed) => Failed,
            (Temporary | Testing, Step::Expired) => Seen,
            (Booting | Up, Step::Expired) => Down,
            (Ready | Up | Down, Step::PowerOn) => Booting,
            (Ready | Booting | Down, Step::ReportedUp) => Up,
            (Down, Step::Renewed) => Up,
            (Up, Step::Left) => Down,
            (
                Seen | Temporary | Testing | Failed | Ready | Booting | Up | Down,
                Step::PowerOn
                | Step::Lent
                | Step::AgentAsked
                | Step::Unplaced
                | Step::Failed
                | Step::Expired
                | Step::ReportedUp
                | Step::Renewed
                | Step::Left,
            ) => self,
        }
    }

    /// Whether a machine in this stage has its number.
    pub const fn is_numbered(self) -> bool {
        matches!(self, Self::Ready | Self::Booting | Self::Up | Self::Down)
    }

    /// Whether this stage has phases: whether the machine is in mid-boot.
    pub const fn is_booting(self) -> bool {
        matches!(self, Self::Temporary | Self::Booting)
    }
}

impl Stage {
    /// Whether a word is that of a stage.
    pub fn is_word(word: &str) -> bool {
        use Stage::{Booting, Down, Failed, Ready, Seen, Temporary, Testing, Up};
        let all = [Seen, Temporary, Testing, Failed, Ready, Booting, Up, Down];
        all.iter().any(|stage| stage.word() == word)
    }

    /// In a word, as users see it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Seen => "seen",
            Self::Temporary => "temporary",
            Self::Testing => "testing",
            Self::Failed => "failed",
            Self::Ready => "ready",
            Self::Booting => "booting",
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dhcp => "dhcp",
            Self::Loader => "loader",
            Self::Kernel => "kernel",
            Self::Initrd => "initrd",
            Self::Agent => "agent",
        })
    }
}

#[cfg(test)]
mod tests;
