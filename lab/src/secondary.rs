//! Name servers of others that copy our zones: BIND and Knot DNS, as Debian has them, in the client's namespace.

use crate::network::SERVER;
use crate::server::Server;
use std::fs;
use std::net::Ipv4Addr;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// One of them. It ends with its value.
#[derive(Debug)]
pub struct Secondary {
    /// Where it answers.
    pub address: Ipv4Addr,
    process: Child,
}

/// What they copy.
#[derive(Clone, Copy, Debug)]
pub struct Copies<'a> {
    /// The zones.
    pub zones: &'a [&'a str],
    /// The secret of the key `transfer.cluster`, if copies are signed with one.
    pub secret: Option<&'a str>,
}

/// What a secondary was told of comes at once; a copy takes a moment.
const PATIENCE: Duration = Duration::from_secs(20);

impl Secondary {
    /// BIND, at this address of the client.
    ///
    /// # Errors
    /// In words, if it cannot be started.
    pub fn bind(server: &Server, address: Ipv4Addr, copies: Copies<'_>) -> Result<Self, String> {
        let with_key = copies.secret.map_or("", |_| " key transfer.cluster");
        let zones: String = (copies.zones.iter())
            .map(|zone| {
                format!(
                    "zone \"{zone}\" {{ type secondary; primaries {{ {SERVER}{with_key}; }}; file \"{zone}.db\"; notify no; }};\n"
                )
            })
            .collect();
        let key = copies.secret.map(|secret| {
            format!("key \"transfer.cluster\" {{ algorithm hmac-sha256; secret \"{secret}\"; }};\n")
        });
        let directory = server.scratch_file("named");
        let text = format!(
            "options {{ directory \"{}\"; listen-on {{ {address}; }}; listen-on-v6 {{ none; }}; recursion no; pid-file none; minimal-responses yes; allow-transfer {{ any; }}; }};\n{}{zones}",
            directory.display(),
            key.unwrap_or_default()
        );
        Self::start(server, address, ("named", &["-g", "-c"]), &text)
    }

    /// Knot DNS, at this address of the client.
    ///
    /// # Errors
    /// In words, if it cannot be started.
    pub fn knot(server: &Server, address: Ipv4Addr, copies: Copies<'_>) -> Result<Self, String> {
        let directory = server.scratch_file("knotd");
        let place = directory.display();
        let zones: String = (copies.zones.iter())
            .map(|zone| format!("  - domain: {zone}\n    master: heorot\n    acl: [notify, all]\n"))
            .collect();
        let key = copies.secret.map(|secret| {
            format!("key:\n  - id: transfer.cluster\n    algorithm: hmac-sha256\n    secret: {secret}\n")
        });
        let with_key = copies.secret.map_or("", |_| "    key: transfer.cluster\n");
        let text = format!(
            "server:\n    listen: {address}@53\n    rundir: {place}\n    user: root:root\ndatabase:\n    storage: {place}\n{}\
             remote:\n  - id: heorot\n    address: {SERVER}@53\n    via: {address}\n{with_key}\
             acl:\n  - id: notify\n    address: {SERVER}\n    action: notify\n  - id: all\n    action: transfer\n\
             template:\n  - id: default\n    storage: {place}\nzone:\n{zones}",
            key.unwrap_or_default()
        );
        Self::start(server, address, ("knotd", &["-c"]), &text)
    }

    fn start(
        server: &Server,
        address: Ipv4Addr,
        (program, options): (&str, &[&str]),
        configuration: &str,
    ) -> Result<Self, String> {
        let directory = server.scratch_file(program);
        let fail = |error: std::io::Error| format!("{program}: {error}");
        fs::create_dir_all(&directory).map_err(fail)?;
        let file = directory.join("configuration");
        fs::write(&file, configuration).map_err(fail)?;
        let mut command = server.network.client.command(program);
        command.args(options).arg(file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Self { address, process: command.spawn().map_err(fail)? })
    }

    /// Waits until it has the serial of the server for all these zones. That of the first.
    ///
    /// # Errors
    /// In words, if it has not in time.
    pub fn wait_for_copies(&self, server: &Server, zones: &[&str]) -> Result<u32, String> {
        let since = Instant::now();
        for zone in zones {
            loop {
                let (own, copy) = (serial(server, SERVER, zone), serial(server, self.address, zone));
                if own.is_some() && own == copy {
                    break;
                }
                if since.elapsed() > PATIENCE {
                    return Err(format!("{zone}: {} has {copy:?}, the server {own:?}", self.address));
                }
                thread::sleep(Duration::from_millis(200));
            }
        }
        let first = zones.first().and_then(|zone| serial(server, SERVER, zone));
        first.ok_or_else(|| "the server does not tell its serial".to_owned())
    }
}

impl Drop for Secondary {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The serial that somebody has for a zone.
fn serial(server: &Server, whom: Ipv4Addr, zone: &str) -> Option<u32> {
    let at = format!("@{whom}");
    let question = [at.as_str(), "+norec", "+time=2", "+tries=2", "+short", zone, "SOA"];
    let answer = server.network.client.ask("dig", &question).ok()?;
    answer.split_whitespace().nth(2)?.parse().ok()
}
