//! Answers that are kept in wire form: a reply is a copy with the client's id, letters and flags, and the TTLs of the hour.

use crate::asked::{AD, HEADER_OCTETS, Manner};
use crate::limit::{KEPT_OCTETS_MAX, STALE_TTL_SECONDS};
use siphasher::sip::SipHasher13;
use std::hash::Hasher;

/// An answer: header, question in lower case, records. It has no OPT record, and no client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CachedAnswer {
    /// The message, and behind it where its TTLs are, two octets each: what is kept by the thousand had better be in one place.
    octets: Box<[u8]>,
    message_octets: u16,
    question_octets: u16,
    /// Why it is a failure, for those who know EDNS (RFC 8914).
    extended_error: Option<u16>,
}

/// How much of its TTL an answer has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Age {
    /// So many seconds less than at first.
    Seconds(u32),
    /// None, and it is told all the same (RFC 8767).
    Stale,
}

impl CachedAnswer {
    pub(crate) fn new(mut octets: Vec<u8>, ttl_offsets: Vec<u16>, question_octets: usize) -> Self {
        let question_octets = u16::try_from(question_octets).expect("a question has at most 259 octets");
        let message_octets = u16::try_from(octets.len()).expect("a message has at most 65,535 octets");
        octets.extend(ttl_offsets.into_iter().flat_map(u16::to_be_bytes));
        Self { octets: octets.into(), message_octets, question_octets, extended_error: None }
    }

    /// The same, with a reason.
    pub(crate) fn because(self, extended_error: u16) -> Self {
        self.because_maybe(Some(extended_error))
    }

    /// The same, with the reason of another.
    pub(crate) fn because_of(self, other: &Self) -> Self {
        self.because_maybe(other.extended_error)
    }

    fn because_maybe(self, extended_error: Option<u16>) -> Self {
        Self { extended_error, ..self }
    }

    /// Without a client, at this age.
    pub(crate) fn message(&self, age: Age) -> Vec<u8> {
        let (message, ttl_offsets) = self.parts();
        let mut message = message.to_vec();
        make_older(&mut message, ttl_offsets, age);
        message
    }

    /// The message, and where its TTLs are.
    fn parts(&self) -> (&[u8], impl Iterator<Item = usize>) {
        let (message, offsets) = self.octets.split_at(usize::from(self.message_octets));
        (message, offsets.as_chunks::<2>().0.iter().map(|offset| usize::from(u16::from_be_bytes(*offset))))
    }

    /// Its response code: RFC 1035's four bits.
    pub(crate) fn code(&self) -> u8 {
        self.octets[3] & 0x0f
    }

    /// Name, type and class in lower case.
    pub(crate) fn question(&self) -> &[u8] {
        &self.octets[HEADER_OCTETS..HEADER_OCTETS + usize::from(self.question_octets)]
    }

    /// The reply to a client who asked this question this way. `None` if it would be longer than `octets_max`.
    pub(crate) fn reply(
        &self,
        question: &[u8],
        manner: &Manner,
        age: Age,
        octets_max: usize,
        recursion: bool,
    ) -> Option<Vec<u8>> {
        let (message, ttl_offsets) = self.parts();
        let octets = message.len() + manner.opt_octets() + manner.error_octets(self.extended_error);
        if octets > octets_max {
            return None;
        }
        let mut reply = Vec::with_capacity(octets);
        reply.extend_from_slice(message);
        // Resolvers look for the letters that they sent (draft-vixie-dnsext-dns0x20); names of records point here.
        reply[HEADER_OCTETS..HEADER_OCTETS + question.len()].copy_from_slice(question);
        make_older(&mut reply, ttl_offsets, age);
        if age == Age::Stale {
            // Signatures had their time too.
            reply[3] &= !AD;
        }
        manner.dress(&mut reply, recursion, self.extended_error);
        Some(reply)
    }

    /// The same, or that it is too long.
    pub(crate) fn reply_or_truncated(
        &self,
        question: &[u8],
        manner: &Manner,
        age: Age,
        octets_max: usize,
        recursion: bool,
    ) -> (Vec<u8>, bool) {
        match self.reply(question, manner, age, octets_max, recursion) {
            Some(reply) => (reply, false),
            None => {
                let flags = [self.octets[2], self.octets[3]];
                (manner.say_truncated(question, flags, recursion), true)
            }
        }
    }
}

/// Counts the TTLs of a message down.
fn make_older(message: &mut [u8], ttl_offsets: impl Iterator<Item = usize>, age: Age) {
    for at in ttl_offsets {
        let Some(field) = message.get_mut(at..at + 4).and_then(|field| field.first_chunk_mut::<4>()) else {
            continue;
        };
        let seconds = match age {
            Age::Seconds(age) => u32::from_be_bytes(*field).saturating_sub(age),
            Age::Stale => STALE_TTL_SECONDS,
        };
        *field = seconds.to_be_bytes();
    }
}

/// What of a client's wishes makes a different answer, beside the question.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Wishes {
    /// DO: with signatures.
    pub(crate) dnssec_ok: bool,
    /// CD: unchecked by whoever is above us.
    pub(crate) checking_disabled: bool,
}

/// Answers by question. When there is no more room, the oldest one goes that was not used since it was passed over last: to note a use costs a bit in a
/// place that is read anyway, and not three more places as a list in the order of uses does.
pub(crate) struct Cache {
    entries_max: usize,
    octets_max: usize,
    octets: usize,
    slots: Vec<Slot>,
    free: Vec<u32>,
    /// The first slot of each chain.
    buckets: Vec<u32>,
    /// The ends of the line in which they wait to go.
    newest: u32,
    oldest: u32,
    key: (u64, u64),
    count: usize,
    /// Slots of an earlier one are outdated.
    generation: u32,
}

/// What it takes to find an answer comes first, in one line of a processor's cache: thousands of names are asked for in no order, and each line that has to
/// be fetched from memory takes as long as all that is done with it.
#[repr(C, align(64))]
struct Slot {
    hash: u64,
    next_in_bucket: u32,
    generation: u32,
    /// When it came, in nanoseconds.
    since: u64,
    lasts_seconds: u32,
    wishes: Wishes,
    /// Since it came or was passed over.
    is_used: bool,
    /// Gone from a slot that is free.
    kept: Option<CachedAnswer>,
    /// When a stale answer is worth another question.
    recheck_at: u64,
    newer: u32,
    older: u32,
}

const _: () = assert!(std::mem::offset_of!(Slot, recheck_at) <= 64);

/// What was found.
#[derive(Debug)]
pub(crate) struct Hit<'a> {
    pub(crate) kept: &'a CachedAnswer,
    pub(crate) freshness: Freshness,
    /// How long it was to be kept at first.
    pub(crate) lasts_seconds: u32,
}

/// How good it still is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// Within its TTL, of which so many seconds are gone.
    Fresh(u32),
    /// Over it by so many seconds; `recheck`: those who know were not asked for it of late.
    Stale { seconds: u64, recheck: bool },
}

const NONE: u32 = u32::MAX;
const SECOND: u64 = 1_000_000_000;

impl Cache {
    pub(crate) fn new(entries_max: usize, octets_max: usize, key: (u64, u64)) -> Self {
        let buckets = if entries_max == 0 { 1 } else { entries_max.next_power_of_two() };
        Self {
            entries_max: entries_max.min(NONE as usize - 1),
            octets_max,
            octets: 0,
            slots: Vec::new(),
            free: Vec::new(),
            buckets: vec![NONE; buckets],
            newest: NONE,
            oldest: NONE,
            key,
            count: 0,
            generation: 0,
        }
    }

    /// How many answers there are.
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// How many octets they have.
    pub(crate) fn octets(&self) -> usize {
        self.octets
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        *self = Self::new(self.entries_max, self.octets_max, self.key);
    }

    /// No answer that is there is told any more. They go as others come: to free thousands takes so long that those who ask in that moment would notice.
    pub(crate) fn outdate(&mut self) {
        match self.generation.checked_add(1) {
            Some(generation) => self.generation = generation,
            None => self.clear(),
        }
    }

    /// The answer to a question, in lower case, if there is one. It counts as used.
    pub(crate) fn find(&mut self, now: u64, question: &[u8], wishes: Wishes) -> Option<Hit<'_>> {
        let index = self.index_of(self.hash(question, wishes), question, wishes)?;
        let slot = &mut self.slots[index as usize];
        if slot.generation != self.generation {
            return None;
        }
        slot.is_used = true;
        let age = now.saturating_sub(slot.since) / SECOND;
        let freshness = match u32::try_from(age) {
            Ok(age) if age < slot.lasts_seconds => Freshness::Fresh(age),
            Ok(_) | Err(_) => Freshness::Stale {
                seconds: age.saturating_sub(u64::from(slot.lasts_seconds)),
                recheck: now >= slot.recheck_at,
            },
        };
        let kept = slot.kept.as_ref().expect("a slot that is found is in use");
        Some(Hit { kept, freshness, lasts_seconds: slot.lasts_seconds })
    }

    /// It is not to be told again.
    pub(crate) fn forget(&mut self, question: &[u8], wishes: Wishes) {
        if let Some(index) = self.index_of(self.hash(question, wishes), question, wishes) {
            self.remove(index);
        }
    }

    /// Keeps an answer in place of an earlier one.
    pub(crate) fn keep(&mut self, now: u64, kept: CachedAnswer, wishes: Wishes, lasts_seconds: u32) {
        let hash = self.hash(kept.question(), wishes);
        if let Some(index) = self.index_of(hash, kept.question(), wishes) {
            self.remove(index);
        }
        let octets = kept.octets.len();
        if self.entries_max == 0 || octets > KEPT_OCTETS_MAX.min(self.octets_max) {
            return;
        }
        while self.oldest != NONE
            && (self.count >= self.entries_max || self.octets + octets > self.octets_max)
        {
            self.remove_or_pass_over(self.oldest);
        }
        let bucket = self.bucket(hash);
        let slot = Slot {
            hash,
            next_in_bucket: self.buckets[bucket],
            generation: self.generation,
            since: now,
            lasts_seconds,
            wishes,
            is_used: false,
            kept: Some(kept),
            recheck_at: 0,
            newer: NONE,
            older: NONE,
        };
        let index = match self.free.pop() {
            Some(index) => {
                self.slots[index as usize] = slot;
                index
            }
            None => {
                self.slots.push(slot);
                u32::try_from(self.slots.len() - 1).expect("there are fewer slots than 2^32")
            }
        };
        self.buckets[bucket] = index;
        self.link_newest(index);
        self.count += 1;
        self.octets += octets;
    }

    /// Nobody need ask for this again before `recheck_at`: those who know do not answer.
    pub(crate) fn defer_recheck(&mut self, question: &[u8], wishes: Wishes, recheck_at: u64) {
        if let Some(index) = self.index_of(self.hash(question, wishes), question, wishes) {
            self.slots[index as usize].recheck_at = recheck_at;
        }
    }

    fn index_of(&self, hash: u64, question: &[u8], wishes: Wishes) -> Option<u32> {
        let mut index = self.buckets[self.bucket(hash)];
        while index != NONE {
            let slot = &self.slots[index as usize];
            let is_it = slot.hash == hash
                && slot.wishes == wishes
                && slot.kept.as_ref().is_some_and(|kept| kept.question() == question);
            if is_it {
                return Some(index);
            }
            index = slot.next_in_bucket;
        }
        None
    }

    /// One that was used waits once more; all are passed over once at most before one goes.
    fn remove_or_pass_over(&mut self, index: u32) {
        if !std::mem::take(&mut self.slots[index as usize].is_used) {
            return self.remove(index);
        }
        self.unlink_age(index);
        self.link_newest(index);
    }

    fn remove(&mut self, index: u32) {
        self.unlink_age(index);
        let (hash, next) = (self.slots[index as usize].hash, self.slots[index as usize].next_in_bucket);
        let bucket = self.bucket(hash);
        if self.buckets[bucket] == index {
            self.buckets[bucket] = next;
        } else {
            let mut before = self.buckets[bucket];
            while self.slots[before as usize].next_in_bucket != index {
                before = self.slots[before as usize].next_in_bucket;
            }
            self.slots[before as usize].next_in_bucket = next;
        }
        let kept = self.slots[index as usize].kept.take();
        self.octets -= kept.map_or(0, |kept| kept.octets.len());
        self.count -= 1;
        self.free.push(index);
    }

    fn link_newest(&mut self, index: u32) {
        let before = self.newest;
        let slot = &mut self.slots[index as usize];
        (slot.newer, slot.older) = (NONE, before);
        match self.slots.get_mut(before as usize) {
            Some(before) => before.newer = index,
            None => self.oldest = index,
        }
        self.newest = index;
    }

    fn unlink_age(&mut self, index: u32) {
        let (newer, older) = (self.slots[index as usize].newer, self.slots[index as usize].older);
        match self.slots.get_mut(newer as usize) {
            Some(slot) => slot.older = older,
            None => self.newest = older,
        }
        match self.slots.get_mut(older as usize) {
            Some(slot) => slot.newer = newer,
            None => self.oldest = newer,
        }
    }

    /// Keyed, so that nobody outside can fill one chain.
    fn hash(&self, question: &[u8], wishes: Wishes) -> u64 {
        let mut hasher = SipHasher13::new_with_keys(self.key.0, self.key.1);
        hasher.write(question);
        hasher.write_u8(u8::from(wishes.dnssec_ok) | u8::from(wishes.checking_disabled) << 1);
        hasher.finish()
    }

    fn bucket(&self, hash: u64) -> usize {
        hash as usize & (self.buckets.len() - 1)
    }
}

#[cfg(test)]
mod tests;
