//! [`Heorot`]: the whole flow.

use crate::cluster::record::Record;
use crate::config::Config;
use crate::message::{Input, Output};
use crate::time::Time;

/// Decides everything about nodes. See [`crate::message`] for what goes in and out.
#[derive(Debug)]
pub struct Heorot {
    config: Config,
    secret: [u8; 16],
}

impl Heorot {
    /// Starts from what is durable: `records` as they were kept, in any order. What is to be done at once goes to `out`.
    ///
    /// `secret` is 128 random bits that nobody else knows; tokens are made from it. The simulator gives the same one twice to get the same run.
    pub fn restore(
        _now: Time,
        config: Config,
        secret: [u8; 16],
        _records: Vec<Record>,
        _out: &mut Vec<Output>,
    ) -> Self {
        Self { config, secret }
    }

    /// Takes one input. What is to be done is appended to `out`, in order.
    pub fn handle(&mut self, _now: Time, _input: Input<'_>, _out: &mut Vec<Output>) {
        let _ = (&self.config, &self.secret);
    }

    /// When [`Input::Wakeup`] is wanted next.
    pub fn next_wakeup(&self) -> Option<Time> {
        None
    }
}
