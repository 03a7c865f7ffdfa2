//! QEMU's machine protocol: the two or three commands that are needed.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// An open conversation with one QEMU.
#[derive(Debug)]
pub struct Monitor {
    stream: BufReader<UnixStream>,
}

impl Monitor {
    /// Connects, as soon as QEMU has made its socket.
    ///
    /// # Errors
    /// In words, if that takes longer than some seconds.
    pub fn connect(socket: &Path) -> Result<Self, String> {
        let trouble = |error: std::io::Error| format!("QEMU's monitor {}: {error}", socket.display());
        let start = Instant::now();
        let stream = loop {
            match UnixStream::connect(socket) {
                Ok(stream) => break stream,
                Err(error) if start.elapsed() > PATIENCE => return Err(trouble(error)),
                Err(_) => thread::sleep(Duration::from_millis(10)),
            }
        };
        stream.set_read_timeout(Some(PATIENCE)).map_err(trouble)?;
        let mut monitor = Self { stream: BufReader::new(stream) };
        monitor.command("qmp_capabilities")?;
        Ok(monitor)
    }

    /// Gives a command without arguments, and waits until it is done.
    ///
    /// # Errors
    /// In words, with what QEMU answered.
    pub fn command(&mut self, name: &str) -> Result<(), String> {
        self.execute(name, &json!({ "execute": name }))
    }

    /// Presses a key and lets it go; its name is QEMU's, as `f8` or `ret`.
    ///
    /// # Errors
    /// In words, with what QEMU answered.
    pub fn press(&mut self, key: &str) -> Result<(), String> {
        let keys = json!({ "keys": [{ "type": "qcode", "data": key }] });
        self.execute("send-key", &json!({ "execute": "send-key", "arguments": keys }))
    }

    fn execute(&mut self, name: &str, command: &Value) -> Result<(), String> {
        let trouble = |error: std::io::Error| format!("QEMU, {name}: {error}");
        let line = command.to_string() + "\n";
        self.stream.get_mut().write_all(line.as_bytes()).map_err(trouble)?;
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line).map_err(trouble)? == 0 {
                return Err(format!("QEMU, {name}: it is gone"));
            }
            let answer: Value =
                serde_json::from_str(&line).map_err(|error| format!("QEMU, {name}: {error}"))?;
            // The greeting and events come in between.
            if answer.get("return").is_some() {
                return Ok(());
            }
            if let Some(error) = answer.get("error") {
                return Err(format!("QEMU, {name}: {error}"));
            }
        }
    }
}

const PATIENCE: Duration = Duration::from_secs(20);
