//! In a system that runs: the server is told so now and then, and at the end why it ends.

use crate::checks::run_command;
use crate::http::Url;
use crate::{client, node, say};
use nix::sys::signal::{SigSet, Signal};
use std::convert::Infallible;
use std::path::Path;
use std::thread;
use std::time::Duration;

/// Holds back the signal that ends this process, for all threads that are started from now on; [`until_the_end`] takes it.
pub fn hold_back_the_end() {
    if let Err(error) = the_end().thread_block() {
        say!("the signal that ends this: {error}");
    }
}

/// Tells the server as often as it wants that the system runs, in the background. A server that is away hears of it later.
///
/// # Errors
/// If no thread can be had.
pub fn keep_saying(url: Url, interval: Option<Duration>) -> Result<(), String> {
    // An older server wants none.
    let Some(interval) = interval else { return Ok(()) };
    thread::Builder::new()
        .name("check-in".to_owned())
        .spawn(move || match say_for_ever(&url, interval) {})
        .map(|_| ())
        .map_err(|error| format!("a thread for check-ins: {error}"))
}

fn say_for_ever(url: &Url, mut interval: Duration) -> Infallible {
    let mut is_told = true;
    loop {
        // A thousand nodes that came up in one moment do not check in in one moment.
        thread::sleep(client::scattered(interval).min(LATEST));
        match node::check_in(url) {
            Ok(wanted) => {
                interval = wanted.unwrap_or(interval);
                is_told = true;
            }
            Err(error) if is_told => {
                say!("the server does not hear that the system runs: {error}");
                is_told = false;
            }
            Err(_) => {}
        }
    }
}

/// Waits until this process is to end, and tells the server why: the system ends, or the agent alone.
pub fn until_the_end(url: &Url) {
    let waited = the_end().wait();
    let told = match waited.map(|_| why_it_ends()) {
        Ok(Some(reason)) => node::post_down(url, &reason, ""),
        // Who runs without an agent is not to be taken for silent.
        Ok(None) => node::post_up_once(url),
        Err(error) => Err(error.to_string()),
    };
    if let Err(error) = told {
        say!("the server does not hear why this ends: {error}");
    }
}

fn the_end() -> SigSet {
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGTERM);
    signals
}

/// Why the system ends, in a word; `None` if it goes on.
fn why_it_ends() -> Option<String> {
    if Path::new("/run/systemd/system").exists() {
        const JOBS: &str = "systemctl list-jobs --plain --no-legend | grep -oE '(soft-reboot|reboot|poweroff|halt|kexec)\\.target'";
        return word_of(&run_command(JOBS, PATIENCE).ok()?);
    }
    // Whoever ends all processes has changed the runlevel before.
    let runlevel = run_command("runlevel", PATIENCE).unwrap_or_default();
    word_of(&runlevel).or_else(|| Some("shutdown".to_owned()))
}

fn word_of(text: &str) -> Option<String> {
    let word = match text.trim().rsplit(' ').next()?.trim_end_matches(".target") {
        "reboot" | "soft-reboot" | "kexec" | "6" => "reboot",
        "poweroff" | "halt" | "0" => "shutdown",
        _ => return None,
    };
    Some(word.to_owned())
}

/// A system that ends does not wait for long.
const PATIENCE: Duration = Duration::from_secs(3);
/// However rarely a server wants to hear it.
const LATEST: Duration = Duration::from_secs(3600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_system_says_of_its_end() {
        for (text, word) in [
            ("reboot.target", Some("reboot")),
            ("kexec.target", Some("reboot")),
            ("poweroff.target\n", Some("shutdown")),
            ("halt.target", Some("shutdown")),
            ("N 6", Some("reboot")),
            ("5 0", Some("shutdown")),
            ("N 5", None),
            ("unknown", None),
            ("", None),
        ] {
            assert_eq!(word_of(text).as_deref(), word, "{text}");
        }
    }
}
