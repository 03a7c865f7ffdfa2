//! What happened to a machine, as `explain` tells it.

use super::Node;
use crate::event::Kind;
use crate::limit::{EVENTS_KEPT_PER_NODE, EVENTS_PER_NODE_MAX};
use crate::time::Time;
use std::sync::Arc;

impl Node {
    /// Keeps an event for `explain`. The oldest gives way; but what anybody asks in the machine's name over and over leaves some of what became of it, and trouble that comes again before the
    /// machine got any further takes no second place.
    pub fn remember(&mut self, now: Time, kind: Kind, detail: Arc<str>) {
        if kind == Kind::Trouble
            && let Some(before) = self.place_of_trouble(&detail)
        {
            self.history.remove(before);
        }
        if self.history.len() == EVENTS_PER_NODE_MAX {
            let is_talk = |(_, kind, _): &(_, Kind, _)| kind.is_talk();
            let talk = self.history.iter().filter(|event| is_talk(event)).count();
            let is_kept = self.history.len() - talk <= EVENTS_KEPT_PER_NODE;
            let oldest = self.history.iter().position(is_talk).filter(|_| is_kept);
            self.history.remove(oldest.unwrap_or_default());
        }
        // Each boot says mostly what the one before it said.
        let before = self.history.iter().rev().find(|(_, _, before)| *before == detail);
        let detail = before.map_or(detail, |(_, _, before)| Arc::clone(before));
        self.history.push_back((now, kind, detail));
    }

    /// When it was told last that this is in its way, if it got no further since.
    pub fn trouble_told(&self, what: &str) -> Option<Time> {
        let (told, _, _) = self.history.get(self.place_of_trouble(what)?)?;
        Some(*told)
    }

    fn place_of_trouble(&self, what: &str) -> Option<usize> {
        let further = self.history.iter().rposition(|(_, kind, _)| *kind == Kind::Stage);
        let is_it = |(_, kind, detail): &(_, Kind, Arc<str>)| *kind == Kind::Trouble && **detail == *what;
        let place = self.history.iter().rposition(is_it)?;
        Some(place).filter(|place| Some(*place) > further)
    }
}
