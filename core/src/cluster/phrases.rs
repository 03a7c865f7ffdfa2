//! What is said of many machines in the same words is kept once: ten thousand that boot have hardly more to tell than one.

use crate::limit::PHRASES_SHARED_MAX;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// The phrases used last, each at the place that its own words give it: another one that belongs there takes it.
#[derive(Debug)]
pub(crate) struct Phrases {
    places: Box<[Option<Arc<str>>]>,
}

impl Phrases {
    pub(crate) fn new() -> Self {
        Self { places: vec![None; PHRASES_SHARED_MAX].into() }
    }

    /// The same words: those that are kept already, or these, from now on.
    pub(crate) fn shared(&mut self, phrase: impl AsRef<str> + Into<Arc<str>>) -> Arc<str> {
        let mut hasher = DefaultHasher::new();
        phrase.as_ref().hash(&mut hasher);
        let place = &mut self.places[hasher.finish() as usize % PHRASES_SHARED_MAX];
        match place {
            Some(kept) if **kept == *phrase.as_ref() => Arc::clone(kept),
            _ => Arc::clone(place.insert(phrase.into())),
        }
    }
}

#[cfg(test)]
mod tests;
