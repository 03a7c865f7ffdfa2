//! The queue of moments: what happens next, whatever it is.

use heorot_core::time::Time;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Things that will happen, each at its moment. Those of one moment happen in the order in which they were put here.
///
/// Nothing is ever taken back: what was put here and has become pointless is recognised when it comes.
#[derive(Debug)]
pub struct Moments<T> {
    heap: BinaryHeap<Reverse<Entry<T>>>,
    sequence: u64,
}

#[derive(Debug)]
struct Entry<T> {
    at: Time,
    sequence: u64,
    thing: T,
}

impl<T> Default for Moments<T> {
    fn default() -> Self {
        Self { heap: BinaryHeap::new(), sequence: 0 }
    }
}

impl<T> Moments<T> {
    /// This will happen then.
    pub fn push(&mut self, at: Time, thing: T) {
        self.sequence += 1;
        self.heap.push(Reverse(Entry { at, sequence: self.sequence, thing }));
    }

    /// What happens next, and when.
    pub fn pop(&mut self) -> Option<(Time, T)> {
        self.heap.pop().map(|Reverse(Entry { at, thing, .. })| (at, thing))
    }

    /// When something happens next.
    pub fn next_at(&self) -> Option<Time> {
        self.heap.peek().map(|Reverse(entry)| entry.at)
    }

    /// How many things will happen.
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether nothing will.
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    /// How many were ever put here.
    pub fn pushed(&self) -> u64 {
        self.sequence
    }
}

/// The moments at which somebody will be woken, who says again and again when he wants that, and mostly later than he said before.
///
/// Only what is earlier than all that is to come is put into the queue, and whoever is woken too early says so. So what is in the queue is always the top of
/// this stack, and neither an answer nor a timer that is put off costs more than its own entry.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wakes(Vec<Time>);

impl Wakes {
    /// He wants to be woken then. Whether that has to be put into the queue.
    pub(crate) fn want(&mut self, at: Time) -> bool {
        let is_earlier = self.0.last().is_none_or(|next| at < *next);
        if is_earlier {
            self.0.push(at);
        }
        is_earlier
    }

    /// A moment came out of the queue. Whether it is still one of his.
    pub(crate) fn come(&mut self, at: Time) -> bool {
        let is_his = self.0.last() == Some(&at);
        if is_his {
            self.0.pop();
        }
        is_his
    }

    /// When he will be woken next.
    pub(crate) fn next(&self) -> Option<Time> {
        self.0.last().copied()
    }

    /// He is gone, and what is in the queue is for nobody.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.sequence) == (other.at, other.sequence)
    }
}

impl<T> Eq for Entry<T> {}

impl<T> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.sequence).cmp(&(other.at, other.sequence))
    }
}

impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_that_is_put_off_again_and_again_is_in_the_queue_once() {
        let at = Time::from_nanoseconds;
        let mut wakes = Wakes::default();
        assert!(wakes.want(at(100)) && !wakes.want(at(100)) && !wakes.want(at(200)));
        for block in 0..10 {
            assert!(wakes.want(at(10 + block)) && wakes.come(at(10 + block)), "an answer, and its moment");
            assert!(!wakes.want(at(110 + block)), "the timer behind it");
        }
        assert_eq!(wakes.next(), Some(at(100)));
        assert!(wakes.come(at(100)) && wakes.want(at(119)), "too early, and put where it belongs");
        wakes.clear();
        assert!(!wakes.come(at(119)), "what was left is for nobody");
    }

    #[test]
    fn the_earliest_comes_first_and_of_equals_the_first() {
        let mut moments = Moments::default();
        for (at, thing) in [(5, 'c'), (3, 'a'), (5, 'd'), (3, 'b'), (9, 'e')] {
            moments.push(Time::from_nanoseconds(at), thing);
        }
        assert_eq!((moments.len(), moments.next_at()), (5, Some(Time::from_nanoseconds(3))));
        let order: String = std::iter::from_fn(|| moments.pop()).map(|(_, thing)| thing).collect();
        assert_eq!(order, "abcde");
        assert!(moments.is_empty());
    }
}
