use heorot_nfs::handle::Handle;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Places of files that a disk could not read.
///
/// Where the kernel sends octets of a file, the reply has begun when that shows, and there is nothing left but to end the connection. The client connects again and repeats its call: that is answered
/// from a copy, which can say that there was an error.
#[derive(Default)]
pub(super) struct Unreadable(Mutex<Known>);

#[derive(Default)]
struct Known {
    places: VecDeque<Place>,
    /// What was found out since this was last asked for.
    news: Option<(Handle, u64)>,
}

struct Place {
    handle: Handle,
    offset: u64,
    asked_at: Instant,
}

/// How long a place is remembered that nobody asks for: longer than a client takes to connect again.
const REMEMBERED_FOR: Duration = Duration::from_secs(60);
/// Places that are remembered: a disk that has more of them has to be replaced.
const PLACES_MAX: usize = 64;

impl Unreadable {
    /// Nothing could be read there.
    pub(super) fn note(&self, handle: &Handle, offset: u64) {
        let mut known = self.known();
        known.news = Some((*handle, offset));
        known.places.retain(|place| (place.handle, place.offset) != (*handle, offset));
        if known.places.len() >= PLACES_MAX {
            known.places.pop_front();
        }
        known.places.push_back(Place { handle: *handle, offset, asked_at: Instant::now() });
    }

    /// Whether such a place is among these octets.
    pub(super) fn is_within(&self, handle: &Handle, offset: u64, count: u32) -> bool {
        let (mut known, now) = (self.known(), Instant::now());
        known.places.retain(|place| now.saturating_duration_since(place.asked_at) < REMEMBERED_FOR);
        let end = offset.saturating_add(count.into());
        let is_here = |place: &&mut Place| place.handle == *handle && (offset..end).contains(&place.offset);
        let mut is_any = false;
        for place in known.places.iter_mut().filter(is_here) {
            place.asked_at = now;
            is_any = true;
        }
        is_any
    }

    /// The newest, once.
    pub(super) fn news(&self) -> Option<(Handle, u64)> {
        self.known().news.take()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // A panic in between loses a place, which is found again.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
