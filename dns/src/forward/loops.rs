//! Servers that lead back to us: each is asked a name of chance, and if that question comes here, it went in a circle.
//!
//! Where no server of a group answers they are asked so more often: whether that is about what they were asked, and when they are back.

use super::{Forwarder, Question, Sink};
use crate::cache::Wishes;
use crate::chance::Chance;
use crate::limit::{LOOP_PROBE_EVERY, SILENCE_PROBE_EVERY};
use crate::upstream::nanoseconds;
use std::collections::BTreeMap;

/// The names that are being asked for.
pub(super) struct Loops {
    is_on: bool,
    next_at: u64,
    last_at: u64,
    /// By name in wire form, the server it was sent to.
    names: BTreeMap<Vec<u8>, usize>,
}

/// Below this nobody has a name (RFC 6761 6.2).
const ABOVE: &[u8] = b"\x06heorot\x04test\x00";
/// TXT, IN.
const TYPE_AND_CLASS: [u8; 4] = [0, 16, 0, 1];

impl Loops {
    pub(super) fn new(is_on: bool) -> Self {
        Self { is_on, next_at: 0, last_at: 0, names: BTreeMap::new() }
    }

    pub(super) fn next_at(&self) -> Option<u64> {
        self.is_on.then_some(self.next_at)
    }

    /// Nobody answered a question: soon is time, unless it was a moment ago.
    pub(super) fn hasten(&mut self, now: u64) {
        let at = (self.last_at + nanoseconds(SILENCE_PROBE_EVERY)).max(now + 1);
        self.next_at = self.next_at.min(at);
    }

    pub(super) fn server_of(&self, name: &[u8]) -> Option<usize> {
        if self.names.is_empty() { None } else { self.names.get(name).copied() }
    }
}

impl Forwarder {
    /// Asks all servers, if it is time.
    pub(super) fn find_loops(&mut self, now: u64, sink: &mut Sink<'_>) {
        if self.loops.next_at().is_none_or(|next_at| next_at > now) {
            return;
        }
        let is_any_silent = self.upstreams.is_any_silent();
        let every = if is_any_silent { SILENCE_PROBE_EVERY } else { LOOP_PROBE_EVERY };
        (self.loops.last_at, self.loops.next_at) = (now, now + nanoseconds(every));
        self.loops.names.clear();
        for server in self.upstreams.indices() {
            let name = name_of_chance(&mut self.chance);
            self.loops.names.insert(name.clone(), server);
            let question = [name.as_slice(), &TYPE_AND_CLASS].concat();
            let number = self.new_number();
            self.questions.insert(
                number,
                Question {
                    finds_loop_of: Some(server),
                    ..Question::new((question, Wishes::default()), 0, now)
                },
            );
            self.send(now, number, server, None, sink);
            // It did lead back to us once; perhaps somebody mended it. If not, its question is here in a moment.
            self.upstreams.server_mut(server).loops = false;
        }
    }

    pub(super) fn found_loop(&mut self, now: u64, server: usize, sink: &mut Sink<'_>) {
        let state = self.upstreams.server_mut(server);
        if std::mem::replace(&mut state.loops, true) {
            return;
        }
        self.counts.loops += 1;
        let asked = self.questions.iter().find(|(_, question)| question.finds_loop_of == Some(server));
        if let Some(number) = asked.map(|(number, _)| *number) {
            self.fail(now, number, sink);
        }
    }
}

fn name_of_chance(chance: &mut Chance) -> Vec<u8> {
    let label = format!("{:016x}", chance.word());
    let mut name = vec![16];
    name.extend(label.bytes());
    name.extend_from_slice(ABOVE);
    name
}
