//! The open images: who uses them, and which of their chunks are on the way into memory.
//!
//! A thousand transfers that wait for one chunk ask for it once. The first transfer that enters a chunk asks for the next one ahead of time.

use super::{ImageId, Output, TransferId};
use crate::limit::CHUNK_OCTETS;
use std::collections::{BTreeMap, BTreeSet};

/// All open images. Bounded by the transfers: an image without users is forgotten.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Images {
    open: BTreeMap<ImageId, Image>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Image {
    users: BTreeSet<TransferId>,
    size: u64,
    /// Chunks below this were asked for ahead of time. They may have been forgotten since; then whoever misses one asks again.
    ahead: u64,
    /// The chunks on their way, and who waits for them.
    fetching: BTreeMap<u64, BTreeSet<TransferId>>,
}

impl Images {
    /// A transfer uses an image of so many octets from now on.
    pub(super) fn open(&mut self, id: ImageId, size: u64, user: TransferId) {
        let image = self.open.entry(id).or_default();
        image.size = size;
        image.users.insert(user);
    }

    /// A transfer needs its image no more.
    pub(super) fn close(&mut self, id: ImageId, user: TransferId) {
        let Some(image) = self.open.get_mut(&id) else { return };
        image.users.remove(&user);
        if image.users.is_empty() {
            self.open.remove(&id);
            return;
        }
        // A transfer waits for at most two chunks, and few are on the way: this is no scan of transfers.
        image.fetching.values_mut().for_each(|waiting| {
            waiting.remove(&user);
        });
    }

    /// Who uses the image.
    pub(super) fn users(&self, id: ImageId) -> Vec<TransferId> {
        self.open.get(&id).map(|image| image.users.iter().copied().collect()).unwrap_or_default()
    }

    /// A transfer cannot go on without the octets from `first` to `last`: what is not yet on the way is asked for, and the next chunk with it.
    pub(super) fn wait(
        &mut self,
        id: ImageId,
        first: u64,
        last: u64,
        user: TransferId,
        out: &mut Vec<Output>,
    ) {
        let Some(image) = self.open.get_mut(&id) else { return };
        let (first, last) = (first / CHUNK_OCTETS, last / CHUNK_OCTETS);
        for chunk in first..=last {
            image.fetch(id, chunk, Some(user), out);
        }
        image.fetch(id, last + 1, None, out);
        image.ahead = last + 2;
    }

    /// A transfer has come to this octet: if nobody was here before, the next chunk is asked for.
    pub(super) fn enter(&mut self, id: ImageId, octet: u64, out: &mut Vec<Output>) {
        let Some(image) = self.open.get_mut(&id) else { return };
        let next = octet / CHUNK_OCTETS + 1;
        if next >= image.ahead {
            image.fetch(id, next, None, out);
            image.ahead = next + 1;
        }
    }

    /// A chunk is in memory. Gives the transfers that wait for nothing else now.
    pub(super) fn fetched(&mut self, id: ImageId, chunk: u64) -> Vec<TransferId> {
        let Some(image) = self.open.get_mut(&id) else { return Vec::new() };
        let waiting = image.fetching.remove(&chunk).unwrap_or_default();
        // A block lies in two chunks at most.
        let neighbours = [chunk.checked_sub(1), chunk.checked_add(1)];
        let still = |user: &TransferId| {
            neighbours.iter().flatten().any(|c| image.fetching.get(c).is_some_and(|w| w.contains(user)))
        };
        waiting.into_iter().filter(|user| !still(user)).collect()
    }
}

impl Image {
    fn fetch(&mut self, id: ImageId, chunk: u64, user: Option<TransferId>, out: &mut Vec<Output>) {
        if chunk * CHUNK_OCTETS >= self.size {
            return;
        }
        let waiting = self.fetching.entry(chunk).or_insert_with(|| {
            out.push(Output::Fetch { image: id, chunk });
            BTreeSet::new()
        });
        waiting.extend(user);
    }
}

#[cfg(test)]
mod tests;
