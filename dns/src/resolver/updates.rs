//! Updates on their way: one is being kept at a time, so that each is decided from what the one before has left, and others wait for it.

use super::{Output, Query, QueryId, Resolver, Transport};
use crate::limit::{UPDATE_WAITS, UPDATES_WAITING_MAX};
use crate::name::Name;
use crate::settings::Updates;
use crate::statistics::ResponseCode;
use crate::update::{self, Refusal};
use crate::wire::{self, Proof, Signature, Unreadable};
use heorot_names::Dynamic;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;

/// Names an update that is to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UpdateId(pub u64);

/// What became of an update that was to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpdateOutcome {
    /// It is durable, and its changes were told before.
    Kept,
    /// Something has those names that goes before, or there is no room for more.
    Refused,
    /// It could not be kept.
    Failed,
}

/// All that are on their way.
#[derive(Default)]
pub(super) struct Line {
    last: u64,
    /// The one that is being kept. Whoever sent it may have been told that it takes too long.
    running: Option<(UpdateId, Option<Waiting>)>,
    waiting: VecDeque<Waiting>,
}

/// An update, and who waits for its answer.
struct Waiting {
    transport: Transport,
    from: SocketAddr,
    id: QueryId,
    payload: Vec<u8>,
    zone: Name,
    signature: Signature,
    rights: Arc<Updates>,
    until_nanoseconds: u64,
}

impl Line {
    /// When the next one has waited too long.
    pub(super) fn next(&self) -> Option<u64> {
        let running = self.running.as_ref().and_then(|(_, waiting)| waiting.as_ref());
        // Those that wait came in that order.
        running.into_iter().chain(self.waiting.front()).map(|waiting| waiting.until_nanoseconds).min()
    }

    fn has(&self, query: &Query<'_>) -> bool {
        let running = self.running.as_ref().and_then(|(_, waiting)| waiting.as_ref());
        let is_same = |waiting: &Waiting| waiting.from == query.from && waiting.payload == query.payload;
        running.into_iter().chain(&self.waiting).any(is_same)
    }
}

impl Resolver {
    /// Whether somebody may update a zone: with a key that is for that. Who may not is not told what conditions hold (unlike RFC 2136 3.3).
    pub(super) fn may_update(
        &self,
        (zone, internet): (&Name, bool),
        signature: Option<&Signature>,
    ) -> Result<Arc<Updates>, ResponseCode> {
        // RFC 2136 3.1.2
        if !internet || !self.zones.apexes().contains(zone) {
            return Err(ResponseCode::NotAuth);
        }
        signature.and_then(Signature::updates).ok_or(ResponseCode::Refused)
    }

    /// An update begins, or waits for the one before it. The code, if it is answered at once.
    pub(super) fn take_update(
        &mut self,
        now_nanoseconds: u64,
        query: &Query<'_>,
        zone: Name,
        (signature, rights): (Signature, Arc<Updates>),
        out: &mut Vec<Output>,
    ) {
        if self.updates.has(query) {
            // It was repeated: the answer to the first one answers both.
            return;
        }
        let Query { transport, from, id, payload } = *query;
        let until_nanoseconds =
            now_nanoseconds.saturating_add(u64::try_from(UPDATE_WAITS.as_nanos()).unwrap_or(u64::MAX));
        let payload = payload.to_vec();
        let waiting = Waiting { transport, from, id, payload, zone, signature, rights, until_nanoseconds };
        if self.updates.running.is_none() {
            self.begin_update(now_nanoseconds, waiting, out);
        } else if self.updates.waiting.len() < UPDATES_WAITING_MAX {
            self.updates.waiting.push_back(waiting);
        } else {
            self.answer_update(now_nanoseconds, waiting, ResponseCode::ServFail, out);
        }
    }

    /// What became of the update that was being kept. The next ones follow.
    pub(super) fn update_decided(
        &mut self,
        now_nanoseconds: u64,
        update: UpdateId,
        outcome: UpdateOutcome,
        out: &mut Vec<Output>,
    ) {
        let Some((_, waiting)) = self.updates.running.take_if(|(running, _)| *running == update) else {
            return;
        };
        let code = match outcome {
            UpdateOutcome::Kept => ResponseCode::NoError,
            UpdateOutcome::Refused => ResponseCode::Refused,
            UpdateOutcome::Failed => ResponseCode::ServFail,
        };
        if let Some(waiting) = waiting {
            self.answer_update(now_nanoseconds, waiting, code, out);
        }
        while self.updates.running.is_none()
            && let Some(next) = self.updates.waiting.pop_front()
        {
            self.begin_update(now_nanoseconds, next, out);
        }
    }

    /// Who has waited too long hears SERVFAIL. What is being kept cannot be called back: it may still become true, as with every answer that is lost.
    pub(super) fn end_late_updates(&mut self, now_nanoseconds: u64, out: &mut Vec<Output>) {
        let is_late = |waiting: &Waiting| waiting.until_nanoseconds <= now_nanoseconds;
        let running = self.updates.running.as_mut();
        let running = running.and_then(|(_, waiting)| waiting.take_if(|waiting| is_late(waiting)));
        let mut late: Vec<_> = running.into_iter().collect();
        while self.updates.waiting.front().is_some_and(is_late) {
            late.extend(self.updates.waiting.pop_front());
        }
        for waiting in late {
            self.answer_update(now_nanoseconds, waiting, ResponseCode::ServFail, out);
        }
    }

    /// Decides what an update changes: it is to be kept then, or answered at once.
    fn begin_update(&mut self, now_nanoseconds: u64, waiting: Waiting, out: &mut Vec<Output>) {
        let code = match self.judge(now_nanoseconds, &waiting) {
            Ok(changes) if changes.is_empty() => ResponseCode::NoError,
            Ok(changes) => {
                self.statistics.updates += 1;
                self.updates.last += 1;
                let update = UpdateId(self.updates.last);
                out.push(Output::Update { update, changes, by: waiting.told() });
                self.updates.running = Some((update, Some(waiting)));
                return;
            }
            Err(Refusal { code, why }) => {
                if let Some(why) = why {
                    out.push(Output::Denied { by: waiting.told(), why });
                }
                code
            }
        };
        self.answer_update(now_nanoseconds, waiting, code, out);
    }

    fn judge(&self, now_nanoseconds: u64, waiting: &Waiting) -> Result<Vec<Dynamic>, Refusal> {
        // The configuration may be another one since it came.
        if !self.zones.apexes().contains(&waiting.zone) {
            return Err(ResponseCode::NotAuth.into());
        }
        match wire::read_lines(&waiting.payload) {
            Ok(lines) => update::judge(&self.zones, now_nanoseconds, &waiting.zone, &lines, &waiting.rights),
            Err(Unreadable::Malformed) => Err(ResponseCode::FormErr.into()),
            Err(Unreadable::TooMany) => {
                let why = "more records than one update may have".to_owned();
                Err(Refusal { code: ResponseCode::Refused, why: Some(why) })
            }
        }
    }

    fn answer_update(
        &mut self,
        now_nanoseconds: u64,
        waiting: Waiting,
        code: ResponseCode,
        out: &mut Vec<Output>,
    ) {
        let Waiting { transport, from: to, id, payload, mut signature, .. } = waiting;
        let query = Query { transport, from: to, id, payload: &payload };
        // It was read when it came.
        let Ok(request) = wire::read(&payload) else { return };
        let wall_seconds = self.wall_seconds(now_nanoseconds);
        let cookie = request.body.edns().and_then(|edns| edns.cookie.as_ref());
        let proof = Proof {
            cookie: cookie.map(|cookie| self.cookie(&query, cookie, wall_seconds)),
            recursion: self.recurses(&query),
            signed: Some((&mut signature, wall_seconds)),
        };
        let payload = self.reply(&query, &request, (code, None), proof);
        out.push(Output::Reply { transport, to, id, payload });
    }
}

impl Waiting {
    /// Who sent it, for the journal.
    fn told(&self) -> String {
        format!("{} from {}", self.signature.key_name(), self.from.ip())
    }
}
