//! A line on the console every ten seconds, for as long as one thing takes: so that whoever looks at a screen that stands still knows what
//! it stands still for.

use crate::say;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

/// Says so until it is dropped.
#[derive(Debug)]
pub struct Waiting(#[expect(dead_code, reason = "its end is what the thread hears")] Option<Sender<()>>);

impl Waiting {
    /// Begins to wait for `what`.
    #[must_use]
    pub fn on(what: String) -> Self {
        let (over, is_over) = mpsc::channel();
        let start = Instant::now();
        let say_so = move || {
            while is_over.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
                say!("waiting for {what}, for {} s", start.elapsed().as_secs());
            }
        };
        // Without a thread it is waited for in silence.
        Self(thread::Builder::new().name("waiting".to_owned()).spawn(say_so).is_ok().then_some(over))
    }
}

const EVERY: Duration = Duration::from_secs(10);
