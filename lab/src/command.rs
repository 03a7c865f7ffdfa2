//! Programs that are run to their end.

use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

/// Longer than any of the tools that are run here takes, but for a download.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Runs a program and returns what it wrote to its standard output.
///
/// # Errors
/// If it cannot be started, does not end within `patience`, or fails; in words, with what it said.
pub fn run(command: &mut Command, patience: Duration) -> Result<String, String> {
    let shown = show(command);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{shown}: {error}"))?;
    let output = collect(child.stdout.take().expect("stdout is piped"));
    let errors = collect(child.stderr.take().expect("stderr is piped"));
    let start = Instant::now();
    let status = loop {
        match child.try_wait().map_err(|error| format!("{shown}: {error}"))? {
            Some(status) => break status,
            None if start.elapsed() >= patience => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("{shown}: not done after {} s", patience.as_secs()));
            }
            None => thread::sleep(Duration::from_millis(2)),
        }
    };
    let text = |bytes: Receiver<Vec<u8>>| {
        // A daemon that it left behind may hold the pipe open.
        String::from_utf8_lossy(&bytes.recv_timeout(PIPE_PATIENCE).unwrap_or_default()).into_owned()
    };
    let (output, errors) = (text(output), text(errors));
    if status.success() { Ok(output) } else { Err(format!("{shown}: {status}: {errors}{output}")) }
}

/// Runs `program` with arguments, within [`PATIENCE`].
///
/// # Errors
/// As [`run`].
pub fn ask(program: &str, arguments: &[&str]) -> Result<String, String> {
    run(Command::new(program).args(arguments), PATIENCE)
}

fn show(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

fn collect(mut stream: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (written, bytes) = mpsc::channel();
    thread::spawn(move || {
        let mut collected = Vec::new();
        let _ = stream.read_to_end(&mut collected);
        let _ = written.send(collected);
    });
    bytes
}

const PIPE_PATIENCE: Duration = Duration::from_secs(5);
