//! A DHCP server that is not ours: dnsmasq on the segment, which gives addresses and names no boot file.

use crate::directory::Scratch;
use crate::network::Network;
use std::fs;
use std::net::Ipv4Addr;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Where its addresses begin.
pub const FIRST: Ipv4Addr = Ipv4Addr::new(10, 77, 5, 1);
const LAST: Ipv4Addr = Ipv4Addr::new(10, 77, 5, 99);

/// It runs until it is dropped, at [`CLIENT`](crate::network::CLIENT)'s address.
#[derive(Debug)]
pub struct OtherServer {
    process: Child,
    _scratch: Scratch,
}

impl OtherServer {
    /// Starts it.
    ///
    /// # Errors
    /// In words, if it does not start: with its last words.
    pub fn start(network: &Network) -> Result<Self, String> {
        let scratch = Scratch::new()?;
        let (log_path, leases) = (scratch.join("dnsmasq.log"), scratch.join("leases"));
        let log = fs::File::create(&log_path).map_err(|error| format!("{}: {error}", log_path.display()))?;
        let mut command = network.client.command("dnsmasq");
        command.args(["--keep-in-foreground", "--log-facility=-", "--conf-file=/dev/null", "--user=root"]);
        command.args(["--port=0", "--interface=eth0", "--bind-interfaces", "--no-ping", "--pid-file="]);
        command.arg(format!("--dhcp-range={FIRST},{LAST},255.255.0.0,1h"));
        command.arg(format!("--dhcp-leasefile={}", leases.display()));
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
        let process = process.map_err(|error| format!("dnsmasq: {error}"))?;
        let mut server = Self { process, _scratch: scratch };
        let start = Instant::now();
        loop {
            let said = fs::read_to_string(&log_path).unwrap_or_default();
            if said.contains("DHCP, IP range") {
                return Ok(server);
            }
            let ended = server.process.try_wait().ok().flatten();
            if ended.is_some() || start.elapsed() > START_PATIENCE {
                return Err(format!("dnsmasq does not serve: {said}"));
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for OtherServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const START_PATIENCE: Duration = Duration::from_secs(10);
