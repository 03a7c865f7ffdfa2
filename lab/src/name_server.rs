//! Name servers of others: NSD in a namespace of its own, and Unbound with copies of zones; as Debian has them, unpacked and never installed.

use crate::command;
use crate::directory::{Scratch, kept};
use crate::namespace::Namespace;
use crate::network::{Host, Network};
use heorot_agent::frame::Mac;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// NSD with the zone `example.org`.
#[derive(Debug)]
pub struct NameServer {
    host: Host,
    address: Ipv4Addr,
    scratch: Scratch,
    process: Option<Child>,
}

/// Unbound, which answers for zones that stand in files. It ends with its value.
#[derive(Debug)]
pub struct Unbound {
    process: Child,
    scratch: Scratch,
}

/// The packages, and the libraries that they want and few hosts have.
const PACKAGES: [&str; 6] =
    ["nsd", "unbound", "libevent-2.1-7", "libfstrm0", "libprotobuf-c1", "libpython3.11"];
const PATIENCE: Duration = Duration::from_secs(10);
const DOWNLOAD_PATIENCE: Duration = Duration::from_secs(300);

impl NameServer {
    /// Starts it on the segment, at this address, with these lines in its zone.
    ///
    /// # Errors
    /// In words, if Debian's archive cannot be reached or it does not start.
    pub fn start(network: &Network, address: Ipv4Addr, lines: &str) -> Result<Self, String> {
        let [_, _, high, low] = address.octets();
        let host = network.host(Mac([0x52, 0x54, 0, 0x53, high, low]))?;
        host.namespace.ip(&format!("address add {address}/16 dev eth0"))?;
        let mut server = Self { host, address, scratch: Scratch::new()?, process: None };
        let zone = format!(
            "$ORIGIN example.org.\n$TTL 300\n@ SOA ns admin 1 3600 600 86400 60\n@ NS ns\nns A {address}\n{lines}\n"
        );
        server.write("zone", &zone)?;
        let directory = server.scratch.path().display().to_string();
        let configuration = format!(
            "server:\n ip-address: {address}\n username: \"\"\n chroot: \"\"\n database: \"\"\n zonesdir: \"{directory}\"\n \
             pidfile: \"{directory}/pid\"\n xfrdfile: \"{directory}/xfrd\"\n zonelistfile: \"{directory}/zones\"\n\
             remote-control:\n control-enable: no\nzone:\n name: example.org\n zonefile: zone\n"
        );
        server.write("nsd.conf", &configuration)?;
        server.start_again()?;
        Ok(server)
    }

    /// Starts it after [`Self::stop`], and waits until it answers.
    ///
    /// # Errors
    /// In words, if it does not.
    pub fn start_again(&mut self) -> Result<(), String> {
        let mut command = self.host.namespace.command(program("nsd")?);
        command.arg("-d").arg("-c").arg(self.scratch.join("nsd.conf")).env("LD_LIBRARY_PATH", libraries());
        let log = fs::File::create(self.scratch.join("log")).map_err(|error| error.to_string())?;
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
        self.process = Some(process.map_err(|error| format!("nsd: {error}"))?);
        let began = Instant::now();
        let server = format!("@{}", self.address);
        let question = [server.as_str(), "+time=1", "+tries=1", "+short", "example.org", "SOA"];
        while self.host.namespace.ask("dig", &question).is_ok_and(|answer| !answer.contains("admin")) {
            if began.elapsed() > PATIENCE {
                let log = fs::read_to_string(self.scratch.join("log")).unwrap_or_default();
                return Err(format!("nsd does not answer: {log}"));
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Ends it.
    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            // Its children go with it, if it is asked.
            if let Ok(pid) = i32::try_from(process.id()) {
                let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
            }
            let _ = process.wait();
        }
    }

    fn write(&self, name: &str, text: &str) -> Result<(), String> {
        fs::write(self.scratch.join(name), text).map_err(|error| format!("{name}: {error}"))
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Unbound {
    /// Starts it at this address of the namespace, as the authority for these zones, and waits until it answers.
    ///
    /// # Errors
    /// In words, if Debian's archive cannot be reached or it does not start.
    pub fn start(namespace: &Namespace, address: Ipv4Addr, zones: &[(&str, String)]) -> Result<Self, String> {
        let scratch = Scratch::new()?;
        let directory = scratch.path().display().to_string();
        // No names of others, and none of its own that hide those of the zones.
        let mut text = format!(
            "server:\n interface: {address}\n access-control: 0.0.0.0/0 allow\n num-threads: 1\n username: \"\"\n chroot: \"\"\n \
             directory: \"{directory}\"\n pidfile: \"\"\n do-daemonize: no\n use-syslog: no\n module-config: \"iterator\"\n \
             local-zone: \".\" transparent\n"
        );
        for arpa in ["10.in-addr.arpa", "d.f.ip6.arpa"] {
            text += &format!(" local-zone: \"{arpa}.\" nodefault\n");
        }
        text += "remote-control:\n control-enable: no\n";
        let write = |name: &str, text: &str| {
            fs::write(scratch.join(name), text).map_err(|error| format!("{name}: {error}"))
        };
        for (zone, content) in zones {
            write(zone, content)?;
            text += &format!(
                "auth-zone:\n name: \"{zone}\"\n zonefile: \"{directory}/{zone}\"\n for-downstream: yes\n for-upstream: no\n fallback-enabled: no\n"
            );
        }
        write("unbound.conf", &text)?;
        let mut command = namespace.command(program("unbound")?);
        command.arg("-d").arg("-c").arg(scratch.join("unbound.conf")).env("LD_LIBRARY_PATH", libraries());
        let log = fs::File::create(scratch.join("log")).map_err(|error| error.to_string())?;
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
        let unbound = Self { process: process.map_err(|error| format!("unbound: {error}"))?, scratch };
        let began = Instant::now();
        let server = format!("@{address}");
        for (zone, _) in zones {
            let question = [server.as_str(), "+time=1", "+tries=1", "+short", zone, "SOA"];
            while namespace.ask("dig", &question).map_or(true, |answer| answer.split(' ').count() != 7) {
                if began.elapsed() > PATIENCE {
                    let log = fs::read_to_string(unbound.scratch.join("log")).unwrap_or_default();
                    return Err(format!("unbound does not know {zone}: {log}"));
                }
                thread::sleep(Duration::from_millis(50));
            }
        }
        Ok(unbound)
    }
}

impl Drop for Unbound {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn program(name: &str) -> Result<PathBuf, String> {
    let path = root().join("usr/sbin").join(name);
    if !path.exists() {
        unpack()?;
    }
    path.exists().then_some(path).ok_or_else(|| format!("{name} is in none of {}", PACKAGES.join(", ")))
}

fn libraries() -> PathBuf {
    root().join("usr/lib").join(format!("{}-linux-gnu", std::env::consts::ARCH))
}

fn root() -> PathBuf {
    kept().join("name-server")
}

fn unpack() -> Result<(), String> {
    let packages = kept().join("name-server-packages");
    for path in [&packages, &root()] {
        // Half of an earlier attempt may be there.
        let _ = fs::remove_dir_all(path);
        fs::create_dir_all(path).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    let mut download = Command::new("apt-get");
    download.args(["-q", "-o", "APT::Sandbox::User=root", "download"]).args(PACKAGES);
    command::run(download.current_dir(&packages), DOWNLOAD_PATIENCE)?;
    for entry in fs::read_dir(&packages).map_err(|error| error.to_string())?.flatten() {
        let unpack = &mut Command::new("dpkg-deb");
        command::run(unpack.arg("-x").arg(entry.path()).arg(root()), command::PATIENCE)?;
    }
    // Only what was unpacked is needed from now on.
    let _ = fs::remove_dir_all(&packages);
    Ok(())
}
