//! A machine's serial console: lines with the time they came at.

use std::io::Read;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

#[cfg(test)]
mod tests;

/// One line, without control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When its first letter came.
    pub at: Instant,
    /// What it says.
    pub text: String,
}

/// All that was read so far, and a thread that reads on.
#[derive(Clone, Debug)]
pub struct Console(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    lines: Vec<Line>,
    /// What has no end yet.
    open: Option<(Instant, Vec<u8>)>,
    ended: bool,
}

impl Console {
    /// Reads `stream` on a thread of its own, to its end.
    #[must_use]
    pub fn read(mut stream: impl Read + Send + 'static) -> Self {
        let console = Self(Arc::new(Shared::default()));
        let writer = console.clone();
        thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(length @ 1..) = stream.read(&mut chunk) {
                writer.put(&chunk[..length]);
            }
            writer.state().ended = true;
            writer.0.changed.notify_all();
        });
        console
    }

    /// How many lines there are: what comes later has this position or a greater one.
    #[must_use]
    pub fn position(&self) -> usize {
        self.state().lines.len()
    }

    /// The lines from a position on.
    #[must_use]
    pub fn lines_from(&self, position: usize) -> Vec<Line> {
        self.state().lines.get(position..).unwrap_or_default().to_vec()
    }

    /// Waits for a line with `text` in it, from a position on; it may have come already.
    ///
    /// # Errors
    /// If it does not come within `patience`, or the console ends: with the last lines.
    pub fn wait_for(&self, text: &str, position: usize, patience: Duration) -> Result<Line, String> {
        let end = Instant::now() + patience;
        let mut state = self.state();
        loop {
            let found = state.lines.iter().skip(position).find(|line| line.text.contains(text));
            if let Some(line) = found {
                return Ok(line.clone());
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() || state.ended {
                let why =
                    if state.ended { "the console ended".to_owned() } else { format!("{patience:?} passed") };
                drop(state);
                return Err(format!("no \"{text}\" on the console: {why}; its last lines:\n{}", self.tail()));
            }
            state = self.0.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// The last lines, for a person who has to find out what went wrong.
    #[must_use]
    pub fn tail(&self) -> String {
        let state = self.state();
        let open = state.open.as_ref().map(|(_, bytes)| readable(bytes));
        let skipped = state.lines.len().saturating_sub(TAIL);
        let lines = state.lines.iter().skip(skipped).map(|line| line.text.clone()).chain(open);
        lines.map(|line| format!("  | {line}\n")).collect()
    }

    fn put(&self, bytes: &[u8]) {
        let now = Instant::now();
        let mut state = self.state();
        for &byte in bytes {
            let (at, mut line) = state.open.take().unwrap_or_else(|| (now, Vec::new()));
            if byte != b'\n' && line.len() < MAXIMUM_LINE {
                line.push(byte);
                state.open = Some((at, line));
                continue;
            }
            let text = readable(&line);
            if state.lines.len() < MAXIMUM_LINES {
                state.lines.push(Line { at, text });
            }
        }
        drop(state);
        self.0.changed.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Text without terminal sequences and control characters.
fn readable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut readable = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter == '\x1b' {
            // `ESC [ … letter`, or `ESC` and one letter.
            if letters.next() == Some('[') {
                letters.by_ref().find(|letter| ('@'..='~').contains(letter));
            }
        } else if !letter.is_control() {
            readable.push(letter);
        }
    }
    readable
}

const TAIL: usize = 40;
const MAXIMUM_LINE: usize = 4096;
/// A boot is about 500 lines; a machine that starts again for ever must not fill the memory.
const MAXIMUM_LINES: usize = 100_000;
