//! Commands: the operator's own, and the site's Node Health Check.

use super::Check;
use std::io::Read;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// `command`: passes if it exits with 0 in time, and the detail is the last line it wrote.
pub(super) fn look(check: &Check, timeout: Duration) -> Result<String, String> {
    let command = check.command.as_deref().ok_or("the check names no command")?;
    run(command, timeout)
}

/// `nhc`: the same with what is installed there. It checks by the site's own configuration; of the scheduler, which does not know this machine yet,
/// nothing is asked.
pub(super) fn node_health_check(check: &Check, timeout: Duration) -> Result<String, String> {
    match check.command.as_deref() {
        Some(command) => run(command, timeout),
        None if std::fs::exists(NHC).unwrap_or(false) => run(&format!("{NHC} MARK_OFFLINE=0"), timeout),
        None => Err(format!("{NHC} is not installed here")),
    }
}

const NHC: &str = "/usr/sbin/nhc";

/// Runs what `/bin/sh -c` understands: the last line it wrote, also if it does not end well.
pub(crate) fn run(command: &str, timeout: Duration) -> Result<String, String> {
    // Both streams into one pipe, in the order they were written. A group of its own, so that its children end with it.
    let mut child = Command::new("/bin/sh")
        .args(["-c", "exec 2>&1\n{ eval \"$1\"\n}", "sh", command])
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .map_err(|error| format!("/bin/sh: {error}"))?;
    let output = child.stdout.take().expect("stdout is piped");
    let (written, said) = mpsc::channel();
    // The thread ends with the pipe, which a child that left the group may hold open: nobody waits for it.
    thread::spawn(move || written.send(last_line(output)));

    let start = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if start.elapsed() >= timeout => {
                end_group(&mut child);
                return Err(format!("not done after {} s", timeout.as_secs_f64()));
            }
            Ok(None) => thread::sleep(Duration::from_millis(10)),
            Err(error) => return Err(format!("waiting for it: {error}")),
        }
    };
    let said = said.recv_timeout(Duration::from_millis(500)).unwrap_or_default();
    match (status.code(), status.signal()) {
        (Some(0), _) if said.is_empty() => Ok("exit 0".to_owned()),
        (Some(0), _) => Ok(said),
        (Some(code), _) => Err(format!("exit {code}: {said}")),
        (None, signal) => Err(format!("ended by signal {}: {said}", signal.unwrap_or_default())),
    }
}

fn end_group(child: &mut Child) {
    let group = nix::unistd::Pid::from_raw(child.id() as i32);
    let _ = nix::sys::signal::killpg(group, nix::sys::signal::Signal::SIGKILL);
    let _ = child.wait();
}

/// The last line that is not empty, cut to a bound; all is read, so that the command never waits for its pipe.
fn last_line(mut output: impl Read) -> String {
    let (mut line, mut last) = (Vec::new(), Vec::new());
    let mut chunk = [0; 4096];
    while let Ok(length @ 1..) = output.read(&mut chunk) {
        for &byte in &chunk[..length] {
            if byte != b'\n' && line.len() < MAXIMUM_LINE {
                line.push(byte);
            } else if byte == b'\n' && !line.is_empty() {
                last = std::mem::take(&mut line);
            }
        }
    }
    let last = if line.is_empty() { last } else { line };
    String::from_utf8_lossy(&last).chars().filter(|letter| !letter.is_control()).collect()
}

/// Of the last line, in bytes.
const MAXIMUM_LINE: usize = 200;
