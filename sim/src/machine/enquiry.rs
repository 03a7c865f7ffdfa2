//! A request by HTTP, repeated until it is answered.

use super::message::{Ask, Output, Told};
use crate::chance::Chance;
use heorot_core::time::Time;
use std::time::Duration;

/// A request, and when it is repeated.
#[derive(Debug)]
pub(super) struct Enquiry {
    ask: Ask,
    began: Time,
    patience: Duration,
    at: Time,
    /// The wait after the next refusal.
    wait: Duration,
}

impl Enquiry {
    /// Asks.
    pub(super) fn begin(now: Time, ask: Ask, patience: Duration, out: &mut Vec<Output>) -> Self {
        out.push(Output::Ask(ask.clone()));
        Self { ask, began: now, patience, at: now + ANSWER_WAIT, wait: FIRST_WAIT }
    }

    /// When it wants to be woken.
    pub(super) fn wakeup_at(&self) -> Time {
        self.at
    }

    /// Asks again, or says that nobody will answer.
    pub(super) fn wakeup(&mut self, now: Time, out: &mut Vec<Output>) -> bool {
        if now.since(self.began) >= self.patience {
            return false;
        }
        out.push(Output::Told(Told::Retry));
        out.push(Output::Ask(self.ask.clone()));
        self.at = (now + ANSWER_WAIT).min(self.began + self.patience);
        true
    }

    /// The server refused: the next time a little later. A refusal with a status below 500 is meant, and soon believed.
    pub(super) fn refused(&mut self, now: Time, status: u16, chance: &mut Chance) {
        if status < 500 {
            self.patience = self.patience.min(REFUSED_PATIENCE);
        }
        self.at = now + chance.between(self.wait * 3 / 4, self.wait * 5 / 4);
        self.wait = (self.wait * 2).min(LAST_WAIT);
    }
}

/// Without an answer for so long, there is nobody: the agent's limit for a connection.
const ANSWER_WAIT: Duration = Duration::from_secs(5);
/// As in agent/src/node.rs, and the next two.
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LAST_WAIT: Duration = Duration::from_secs(8);
const REFUSED_PATIENCE: Duration = Duration::from_secs(60);
