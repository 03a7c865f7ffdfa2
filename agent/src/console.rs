//! One line per step on the console.

use nix::time::{ClockId, clock_gettime};
use std::fmt;
use std::io::Write;
use std::time::Duration;

/// Prints `heorot-agent: [  12.345] text` in one write, so that the kernel's own lines rarely cut it.
///
/// A console that cannot be written to stops nothing.
pub fn say(text: fmt::Arguments<'_>) {
    let line = format!("heorot-agent: [{:8.3}] {text}\n", since_start().as_secs_f64());
    let mut output = std::io::stdout().lock();
    let _ = output.write_all(line.as_bytes()).and_then(|()| output.flush());
}

/// [`say`] with the arguments of `format!`.
#[macro_export]
macro_rules! say {
    ($($argument:tt)*) => { $crate::console::say(format_args!($($argument)*)) };
}

/// Time since the kernel started, suspended or not.
#[must_use]
pub fn since_start() -> Duration {
    clock_gettime(ClockId::CLOCK_BOOTTIME).map(Duration::from).unwrap_or_default()
}
