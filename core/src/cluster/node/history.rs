//! What happened to a machine, as `explain` tells it.

use crate::event::Kind;
use crate::limit::{EVENTS_KEPT_PER_NODE, EVENTS_PER_NODE_MAX};
use crate::time::Time;
use std::collections::VecDeque;
use std::sync::Arc;

/// What happened to a machine, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    events: VecDeque<Happened>,
    /// What they say, each once: a boot says mostly what the one before it said. None: room for another.
    phrases: Vec<Option<Arc<str>>>,
}

/// One event. There are dozens for each of ten thousand machines, so that a moment is kept without the gap that a number of its size would leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Happened {
    at_nanoseconds: [u8; 8],
    kind: Kind,
    /// Its place among the phrases.
    phrase: u8,
}

const _: () = assert!(EVENTS_PER_NODE_MAX <= 1 << u8::BITS, "each may say something else");

/// Those of a first boot have room from the start, and from the next one on there is room for all: what a list leaves behind that grows by little and little is room that no other list of ten thousand takes.
const EVENTS_OF_A_BOOT: usize = 16;

impl Happened {
    fn at(self) -> Time {
        Time::from_nanoseconds(u64::from_ne_bytes(self.at_nanoseconds))
    }
}

impl History {
    /// Keeps an event. The oldest gives way; but what anybody asks in the machine's name over and over leaves some of what became of it, and trouble that comes again before the
    /// machine got any further takes no second place.
    pub fn remember(&mut self, now: Time, kind: Kind, detail: Arc<str>) {
        if kind == Kind::Trouble
            && let Some(before) = self.place_of_trouble(&detail)
        {
            self.forget(before);
        }
        if self.events.len() == EVENTS_PER_NODE_MAX {
            let talk = self.events.iter().filter(|event| event.kind.is_talk()).count();
            let is_kept = self.events.len() - talk <= EVENTS_KEPT_PER_NODE;
            let oldest = self.events.iter().position(|event| event.kind.is_talk()).filter(|_| is_kept);
            self.forget(oldest.unwrap_or_default());
        }
        let phrase = self.phrase(detail);
        if self.events.len() == self.events.capacity() {
            let capacity = if self.events.is_empty() { EVENTS_OF_A_BOOT } else { EVENTS_PER_NODE_MAX };
            self.events.reserve_exact(capacity - self.events.len());
        }
        let at_nanoseconds = now.as_nanoseconds().to_ne_bytes();
        self.events.push_back(Happened { at_nanoseconds, kind, phrase });
    }

    /// When what happened, and in which words.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (Time, Kind, &str)> {
        self.events.iter().map(|event| (event.at(), event.kind, self.says(*event)))
    }

    /// When the machine was told last that this is in its way, if it got no further since.
    pub fn trouble_told(&self, what: &str) -> Option<Time> {
        Some(self.events[self.place_of_trouble(what)?].at())
    }

    fn place_of_trouble(&self, what: &str) -> Option<usize> {
        let further = self.events.iter().rposition(|event| event.kind == Kind::Stage);
        let is_it = |event: &Happened| event.kind == Kind::Trouble && self.says(*event) == what;
        let place = self.events.iter().rposition(is_it)?;
        Some(place).filter(|place| Some(*place) > further)
    }

    fn says(&self, event: Happened) -> &str {
        self.phrases[usize::from(event.phrase)].as_deref().expect("an event keeps its phrase")
    }

    /// The place of a phrase, which it gets if it has none.
    fn phrase(&mut self, detail: Arc<str>) -> u8 {
        let had = self.phrases.iter().position(|phrase| phrase.as_ref() == Some(&detail));
        let place = had.or_else(|| self.phrases.iter().position(Option::is_none));
        let place = place.unwrap_or_else(|| {
            self.phrases.push(None);
            self.phrases.len() - 1
        });
        if had.is_none() {
            self.phrases[place] = Some(detail);
        }
        u8::try_from(place).expect("there are no more than events")
    }

    fn forget(&mut self, place: usize) {
        let Some(Happened { phrase, .. }) = self.events.remove(place) else { return };
        if !self.events.iter().any(|event| event.phrase == phrase) {
            self.phrases[usize::from(phrase)] = None;
        }
    }
}

#[cfg(test)]
mod tests;
