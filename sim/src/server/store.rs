//! The server's store: group commit, with latency and bad days.

use crate::chance::Chance;
use heorot_core::cluster::record::Record;
use heorot_core::limit::NODES_MAX;
use heorot_core::message::{Input, Ticket};
use std::collections::BTreeMap;
use std::time::Duration;

/// How the store behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mood {
    /// How long a commit takes.
    pub commit: Duration,
    /// Whether it keeps nothing, and what it says then.
    pub refuses: Option<String>,
}

/// What is kept, and what is on its way there.
#[derive(Debug)]
pub(crate) struct Store {
    kept: BTreeMap<String, String>,
    gathered: Vec<(Ticket, Record)>,
    in_flight: Option<Vec<(Ticket, Record)>>,
    mood: Mood,
    /// Whether it refused nothing since the server's start: then it holds exactly what the server knows.
    is_complete: bool,
}

/// As the server's: more records gather only if the disk hangs.
const GATHERED_MAX: usize = 4 * NODES_MAX;

impl Store {
    /// A store that keeps these already.
    pub(crate) fn new(mood: Mood, records: &[Record]) -> Self {
        let mut store =
            Self { kept: BTreeMap::new(), gathered: Vec::new(), in_flight: None, mood, is_complete: true };
        records.iter().for_each(|record| store.keep(record));
        store
    }

    /// Takes a record for the next commit. If there are too many, all that have gathered are refused.
    pub(crate) fn gather(&mut self, ticket: Ticket, record: Record) -> Option<Input<'static>> {
        self.gathered.push((ticket, record));
        let refused = self.gathered.len() > GATHERED_MAX;
        refused.then(|| {
            self.gathered.clear();
            self.is_complete = false;
            Input::Refused { through: ticket, why: "the disk does not keep up".into() }
        })
    }

    /// Begins the next commit, if there is something to commit and none is in flight. How long it takes.
    pub(crate) fn submit(&mut self) -> Option<Duration> {
        if self.in_flight.is_some() || self.gathered.is_empty() {
            return None;
        }
        self.in_flight = Some(std::mem::take(&mut self.gathered));
        Some(self.mood.commit)
    }

    /// The commit in flight has ended: what the server is told.
    pub(crate) fn done(&mut self) -> Option<Input<'static>> {
        let batch = self.in_flight.take()?;
        let (through, _) = *batch.last()?;
        if let Some(why) = &self.mood.refuses {
            self.is_complete = false;
            return Some(Input::Refused { through, why: why.clone() });
        }
        batch.iter().for_each(|(_, record)| self.keep(record));
        Some(Input::Committed(through))
    }

    /// The server dies in the middle of whatever it does. What was in flight is kept wholly or not at all, what had only gathered is not.
    pub(crate) fn crash(&mut self, chance: &mut Chance) {
        self.is_complete = true;
        self.gathered.clear();
        let Some(batch) = self.in_flight.take() else { return };
        if self.mood.refuses.is_none() && chance.happens(500_000) {
            batch.iter().for_each(|(_, record)| self.keep(record));
        }
    }

    /// The store changes its behaviour.
    pub(crate) fn set_mood(&mut self, mood: Mood) {
        self.mood = mood;
    }

    /// Everything that is kept, as key and value.
    pub(crate) fn kept(&self) -> &BTreeMap<String, String> {
        &self.kept
    }

    /// Everything that is kept, as the server gets it at its start.
    pub(crate) fn records(&self) -> Vec<Record> {
        let records = self.kept.iter().map(|(key, value)| Record::parse(key, value));
        records.map(|record| record.expect("the store gives back what it got")).collect()
    }

    /// It holds exactly what the server knows: nothing is under way and nothing was refused.
    pub(crate) fn is_whole(&self) -> bool {
        self.is_complete && self.is_idle()
    }

    /// Nothing is in flight and nothing waits.
    pub(crate) fn is_idle(&self) -> bool {
        self.in_flight.is_none() && self.gathered.is_empty()
    }

    fn keep(&mut self, record: &Record) {
        match record.value() {
            Some(value) => drop(self.kept.insert(record.key(), value)),
            None => drop(self.kept.remove(&record.key())),
        }
    }
}

#[cfg(test)]
mod tests;
