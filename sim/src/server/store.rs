//! The server's disk: what it keeps of the batches of [`Commits`](heorot_core::commits::Commits), with latency and bad days.

use crate::chance::Chance;
use heorot_core::cluster::record::Record;
use heorot_core::commits::Batch;
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

/// What is kept, and what is being made durable.
#[derive(Debug)]
pub(crate) struct Store {
    kept: BTreeMap<String, String>,
    in_flight: Option<Batch>,
    mood: Mood,
    /// Whether it refused nothing since the server's start: then it holds exactly what the server knows.
    is_complete: bool,
}

impl Store {
    /// A store that keeps these already.
    pub(crate) fn new(mood: Mood, records: &[Record]) -> Self {
        let mut store = Self { kept: BTreeMap::new(), in_flight: None, mood, is_complete: true };
        records.iter().for_each(|record| store.keep(record));
        store
    }

    /// Begins a commit. How long it takes.
    pub(crate) fn begin(&mut self, batch: Batch) -> Duration {
        self.in_flight = Some(batch);
        self.mood.commit
    }

    /// The commit has ended: whether it was kept, or why not.
    pub(crate) fn end(&mut self) -> Result<(), String> {
        let batch = self.in_flight.take().unwrap_or_default();
        if let Some(why) = &self.mood.refuses {
            self.is_complete = false;
            return Err(why.clone());
        }
        batch.iter().for_each(|(_, record)| self.keep(record));
        Ok(())
    }

    /// Records were refused before they came here.
    pub(crate) fn misses_some(&mut self) {
        self.is_complete = false;
    }

    /// The server dies in the middle of whatever it does. What was in flight is kept wholly or not at all.
    pub(crate) fn crash(&mut self, chance: &mut Chance) {
        self.is_complete = true;
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

    /// No commit is in flight, and nothing was refused.
    pub(crate) fn is_whole(&self) -> bool {
        self.is_complete && self.in_flight.is_none()
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
