//! Conversations with operators: so many at a time, and who gives way where there is no room for another.
//!
//! Whoever waits for an answer is never cut off, nor is who got one within half a minute: it may be read slowly. Of all others the one gives way that has asked nothing for longest: who only keeps
//! a connection open loses nothing, and nobody is kept out by connections that have never asked anything.

use crate::http::control;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::response::Response;
use heorot_core::limit::POST_OCTETS_MAX;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::net::UnixStream;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// Connections of operators at a time; where each of them waits for an answer, further ones wait in the kernel.
const OPERATORS_MAX: usize = 64;

/// How long a connection may be open without a whole request.
const REQUEST_WITHIN: Duration = Duration::from_secs(30);

/// How long whoever has come is left alone: what he asks is on its way.
const ASKS_WITHIN: Duration = Duration::from_secs(1);

/// Where nobody can give way: when to look again.
const LOOKS_AGAIN: Duration = Duration::from_millis(100);

/// All that are open.
#[derive(Default)]
pub(super) struct Conversations {
    open: Vec<Conversation>,
    /// One has ended.
    freed: Arc<Notify>,
}

struct Conversation {
    task: JoinHandle<()>,
    state: Arc<Mutex<State>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing is asked from then on.
    Idle(Instant),
    /// An answer is being made.
    Asked,
}

impl State {
    fn left_alone(time: Duration) -> Self {
        Self::Idle(Instant::now() + time)
    }
}

impl Conversations {
    /// Waits until there is room for another, and makes it if somebody can give way.
    pub(super) async fn make_room(&mut self) {
        loop {
            self.open.retain(|conversation| !conversation.task.is_finished());
            if self.open.len() < OPERATORS_MAX {
                return;
            }
            match self.longest_idle() {
                Some(index) => {
                    let conversation = self.open.swap_remove(index);
                    conversation.task.abort();
                    // Its descriptor is closed when that is over.
                    let _ = conversation.task.await;
                }
                None => drop(tokio::time::timeout(LOOKS_AGAIN, self.freed.notified()).await),
            }
        }
    }

    /// Talks with one more.
    pub(super) fn begin(&mut self, stream: UnixStream, router: Router) {
        let state = Arc::new(Mutex::new(State::left_alone(ASKS_WITHIN)));
        let (its, freed) = (Arc::clone(&state), Arc::clone(&self.freed));
        let task = tokio::spawn(async move {
            converse(stream, router, &its).await;
            freed.notify_one();
        });
        self.open.push(Conversation { task, state });
    }

    fn longest_idle(&self) -> Option<usize> {
        let now = Instant::now();
        let idle = self.open.iter().enumerate().filter_map(|(index, conversation)| {
            match *lock(&conversation.state) {
                State::Idle(since) if since <= now => Some((since, index)),
                State::Idle(_) | State::Asked => None,
            }
        });
        idle.min().map(|(_, index)| index)
    }
}

async fn converse(stream: UnixStream, router: Router, state: &Mutex<State>) {
    let router = TowerToHyperService::new(router);
    let service = service_fn(async |request: Request<Incoming>| -> Result<Response<Body>, _> {
        let (head, body) = request.into_parts();
        // Who does not say all of it has asked nothing.
        let Ok(octets) = to_bytes(Body::new(body), POST_OCTETS_MAX).await else {
            return Ok(control::too_long());
        };
        *lock(state) = State::Asked;
        let answer = router.call(Request::from_parts(head, Body::from(octets))).await;
        // What he is told is on its way, and may be read slowly.
        *lock(state) = State::left_alone(REQUEST_WITHIN);
        answer
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(REQUEST_WITHIN);
    // However the conversation ends, the peer's side of it is the peer's affair.
    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
}

/// What is in there is set by one word: a thread that ended in the middle left it whole.
fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
