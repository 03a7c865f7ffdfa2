//! What a machine has to show before it is numbered.

use crate::frame::Mac;
use crate::{facts, net, quantity};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::io::Read;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

#[cfg(test)]
mod tests;

/// One check, as the server sends it.
///
/// The kind is a plain word and `at-least` any value, so that a check that this agent does not know fails by name instead of making the
/// whole list unreadable.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Check {
    /// `memory`, `processors`, `link` or `command`.
    pub kind: String,
    /// What it is called in reports; the kind if absent.
    #[serde(default)]
    pub name: Option<String>,
    /// How much there has to be: `"1GiB"`, `2`, `"1Gbit"`.
    #[serde(default)]
    pub at_least: Value,
    /// What `/bin/sh -c` runs.
    #[serde(default)]
    pub command: Option<String>,
    /// How long that may take, such as `"60s"`.
    #[serde(default)]
    pub timeout: Option<String>,
}

/// How a check came out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// Which it was.
    pub name: String,
    /// Whether the machine has what was asked.
    pub passed: bool,
    /// What was found, for people.
    pub detail: String,
}

impl Check {
    /// Checks this machine; `boot_interface` is the one whose link counts.
    #[must_use]
    pub fn run(&self, boot_interface: Mac) -> Outcome {
        let outcome = match self.kind.as_str() {
            "memory" => self.memory(facts::memory_bytes()),
            "processors" => self.processors(facts::processors() as u64),
            "link" => {
                let interface =
                    net::interfaces().into_iter().find(|interface| interface.mac == boot_interface);
                self.link(interface.and_then(|interface| interface.speed_bits_per_second()))
            }
            "command" => self.command(),
            kind => Err(format!("this agent knows no check of the kind \"{kind}\"")),
        };
        let passed = outcome.is_ok();
        let (Ok(detail) | Err(detail)) = outcome;
        Outcome { name: self.name.clone().unwrap_or_else(|| self.kind.clone()), passed, detail }
    }

    fn memory(&self, found: Option<u64>) -> Result<String, String> {
        let wanted = self.wanted(quantity::bytes)?;
        let found = found.ok_or("the kernel does not tell how much there is")?;
        compare(found, wanted, quantity::show_bytes)
    }

    fn processors(&self, found: u64) -> Result<String, String> {
        let wanted = self.wanted(|text| text.parse().ok())?;
        compare(found, wanted, |count| count.to_string())
    }

    fn link(&self, found: Option<u64>) -> Result<String, String> {
        let wanted = self.wanted(quantity::bits_per_second)?;
        let found = found.ok_or("the driver does not tell the link's speed")?;
        compare(found, wanted, quantity::show_rate)
    }

    /// Runs the command; it passes if it exits with 0 in time, and the detail is the last line it wrote.
    fn command(&self) -> Result<String, String> {
        let command = self.command.as_deref().ok_or("the check names no command")?;
        let timeout = match self.timeout.as_deref() {
            None => DEFAULT_TIMEOUT,
            Some(text) => {
                quantity::duration(text).ok_or_else(|| format!("\"{text}\" is no time such as 60s"))?
            }
        };
        run_command(command, timeout)
    }

    /// `at-least`, a number or a text.
    fn wanted(&self, parse: impl Fn(&str) -> Option<u64>) -> Result<u64, String> {
        let text = match &self.at_least {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Null => return Err("the check does not say at-least how much".to_owned()),
            other @ (Value::Bool(_) | Value::Array(_) | Value::Object(_)) => other.to_string(),
        };
        parse(&text).ok_or_else(|| format!("at-least = \"{text}\" is not understood"))
    }
}

fn compare(found: u64, wanted: u64, show: impl Fn(u64) -> String) -> Result<String, String> {
    if found >= wanted {
        Ok(format!("{}, at least {} wanted", show(found), show(wanted)))
    } else {
        Err(format!("only {}, at least {} wanted", show(found), show(wanted)))
    }
}

fn run_command(command: &str, timeout: Duration) -> Result<String, String> {
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

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);
/// Of a command's last line, in bytes.
const MAXIMUM_LINE: usize = 200;
