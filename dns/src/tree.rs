use crate::data::{Data, Set, Type, gather};
use crate::name::Name;
use std::collections::BTreeMap;
use std::ops::Bound;

/// Names and what they have, in an order in which everything below a name follows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tree(BTreeMap<Key, (Name, Vec<Set>)>);

/// A name's labels from the root downwards, so that those of a name begin all keys below it.
type Key = Vec<u8>;

impl Tree {
    /// The sets of a name; none, if it has nothing.
    pub(crate) fn get(&self, name: &Name) -> &[Set] {
        if self.0.is_empty() {
            return &[];
        }
        self.0.get(&name.key()).map(|(_, sets)| sets.as_slice()).unwrap_or_default()
    }

    /// The set of a name and type.
    pub(crate) fn set(&self, name: &Name, kind: Type) -> Option<&Set> {
        self.get(name).iter().find(|set| set.kind() == kind)
    }

    /// Adds to what a name has.
    pub(crate) fn add(&mut self, name: &Name, ttl_seconds: u32, data: Data) {
        let (_, sets) = self.0.entry(name.key()).or_insert_with(|| (name.clone(), Vec::new()));
        gather(sets, ttl_seconds, data);
    }

    /// Puts these sets in the place of all that a name has.
    pub(crate) fn replace(&mut self, name: &Name, sets: Vec<Set>) {
        match sets.is_empty() {
            true => drop(self.0.remove(&name.key())),
            false => drop(self.0.insert(name.key(), (name.clone(), sets))),
        }
    }

    /// Whether any name has a set of this type.
    pub(crate) fn any_set(&self, kind: Type) -> bool {
        self.0.values().any(|(_, sets)| sets.iter().any(|set| set.kind() == kind))
    }

    /// Whether anything is below a name (RFC 9499 7: then it exists, even with nothing of its own).
    pub(crate) fn any_below(&self, name: &Name) -> bool {
        let key = name.key();
        let next = self.0.range::<Key, _>((Bound::Excluded(&key), Bound::Unbounded)).next();
        next.is_some_and(|(next, _)| next.starts_with(&key))
    }

    /// Every name at or below this one that comes after another, in order.
    pub(crate) fn at_or_below<'t>(
        &'t self,
        apex: &Name,
        after: Option<&Name>,
    ) -> impl Iterator<Item = (&'t Name, &'t [Set])> + use<'t> {
        let key = apex.key();
        let from = after.map_or_else(|| Bound::Included(key.clone()), |after| Bound::Excluded(after.key()));
        let range = self.0.range::<Key, _>((from, Bound::Unbounded));
        range
            .take_while(move |(next, _)| next.starts_with(&key))
            .map(|(_, (name, sets))| (name, sets.as_slice()))
    }
}
