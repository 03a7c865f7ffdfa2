//! How each server is configured so that it can do its best, and how it is started and ended.

use crate::debian;
use crate::files::{Files, INITRD, KERNEL, WHOLE};
use crate::link::{INTERFACE, Link, SERVER};
use heorot_lab::namespace::Namespace;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A server, or two that work together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// heorot that is told the link's rate.
    Heorot,
    /// heorot that has to find it out, while the kernel says 10 Gbit.
    HeorotAuto,
    /// The same with both processors, and nobody who sends beside its loop.
    HeorotUnpinned,
    /// The same with both processors, and a thread that sends beside its loop: what that brings shows beside the one before, and not beside one that has one processor.
    HeorotSenders,
    /// The heorot that `HEOROT_BEFORE` names, beside which a change is seen.
    HeorotBefore,
    /// dnsmasq for all.
    Dnsmasq,
    /// tftpd-hpa beside ISC's DHCP server.
    TftpdHpa,
    /// atftpd beside ISC's DHCP server.
    Atftpd,
    /// No server: a loop that answers from memory.
    Bare,
    /// nginx, for HTTP alone.
    Nginx,
}

/// All servers, in the order of the table.
pub(crate) const KINDS: [Kind; 5] =
    [Kind::Heorot, Kind::HeorotAuto, Kind::Dnsmasq, Kind::TftpdHpa, Kind::Atftpd];

/// The addresses that machines get. More than machines, as an operator would have it.
const FIRST: &str = "10.77.128.1";
const LAST: &str = "10.77.191.254";
/// As many open files as this host allows.
pub(crate) const ALL: &str = "$(ulimit -H -n)";
/// It binds its ports in far less.
const START_PATIENCE: Duration = Duration::from_secs(20);
/// Servers without a sign of being ready have it by then.
const START_PAUSE: Duration = Duration::from_secs(1);

impl Kind {
    /// The name in the table, and in what is asked for.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Heorot => "heorot",
            Self::HeorotAuto => "heorot-auto",
            Self::HeorotUnpinned => "heorot-unpinned",
            Self::HeorotSenders => "heorot-senders",
            Self::HeorotBefore => "heorot-before",
            Self::Dnsmasq => "dnsmasq",
            Self::TftpdHpa => "dhcpd+tftpd-hpa",
            Self::Atftpd => "dhcpd+atftpd",
            Self::Bare => "bare-loop",
            Self::Nginx => "nginx",
        }
    }
}

/// A server that runs; it ends with its value.
#[derive(Debug)]
pub(crate) struct Running<'a> {
    namespace: &'a Namespace,
    processes: Vec<Child>,
    logs: Vec<PathBuf>,
}

impl<'a> Running<'a> {
    /// Starts it with nothing known, and waits until it is ready.
    ///
    /// # Errors
    /// In words: it is not to be had, or does not start.
    pub(crate) fn start(kind: Kind, link: &'a Link, files: &Files) -> Result<Self, String> {
        let mut running = Self::none(&link.server);
        match kind {
            Kind::Heorot => {
                running.heorot(kind, link, files, &format!("[load]\nlink = \"{}\"\n", link.rate))?
            }
            Kind::HeorotAuto | Kind::HeorotBefore => running.heorot(kind, link, files, "")?,
            Kind::HeorotUnpinned => running.heorot(kind, link, files, "[tftp]\nsenders = 0\n")?,
            Kind::HeorotSenders => running.heorot(kind, link, files, "[tftp]\nsenders = 1\n")?,
            Kind::Dnsmasq => running.dnsmasq(link, files)?,
            Kind::TftpdHpa => {
                running.dhcpd(link, files)?;
                running.tftpd_hpa(link, files)?;
            }
            Kind::Atftpd => {
                running.dhcpd(link, files)?;
                running.atftpd(link, files)?;
            }
            Kind::Bare => running.bare(link, files)?,
            Kind::Nginx => running.nginx(link, files)?,
        }
        Ok(running)
    }

    /// Nothing runs yet.
    pub(crate) fn none(namespace: &'a Namespace) -> Self {
        Self { namespace, processes: Vec::new(), logs: Vec::new() }
    }

    /// The process ids of what runs.
    pub(crate) fn process_ids(&self) -> impl Iterator<Item = u32> {
        self.processes.iter().map(Child::id)
    }

    /// How it ended by itself, if it did: a result, too.
    pub(crate) fn ended(&mut self) -> Option<String> {
        let ended = self.processes.iter_mut().find_map(|process| process.try_wait().ok().flatten());
        ended.map(|status| format!("the server ended during the run, {status}"))
    }

    /// Its last words.
    pub(crate) fn tail(&self) -> String {
        let last = |path: &PathBuf| {
            let text = fs::read_to_string(path).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            lines[lines.len().saturating_sub(20)..].join("\n")
        };
        self.logs.iter().map(last).collect::<Vec<_>>().join("\n")
    }

    /// heorot of one of its kinds, with further tables in its configuration; in a room of its own, as several may run side by side.
    fn heorot(&mut self, kind: Kind, link: &Link, files: &Files, further: &str) -> Result<(), String> {
        let program = if kind == Kind::HeorotBefore { heorot_before()? } else { heorot()? };
        let name = |suffix: &str| format!("{}{suffix}", kind.name());
        let state = files.room(&name("-state"));
        let _ = fs::remove_dir_all(&state);
        let control = files.room(&name(".sock"));
        let (shown_state, shown_control, boot) = (state.display(), control.display(), files.boot());
        let boot = boot.display();
        let text = format!(
            r#"[server]
state = "{shown_state}"
control = "{shown_control}"
user = "root"

[[network]]
interface = "{INTERFACE}"
address = "{SERVER}/16"
numbers = "0-16383"
first = "10.77.64.0"
temporary = "{FIRST}-{LAST}"

[boot]
directory = "{boot}"
bios = "pxelinux.0"
uefi-x64 = "ipxe.efi"
ipxe = "boot.ipxe"

[profile.default]
kernel = "{KERNEL}"
initrd = ["{INITRD}"]

{further}"#
        );
        let configuration = write(files, &name(".toml"), &text)?;
        let check = link.server.command(&program).arg("check").arg(&configuration).output();
        let check = check.map_err(|error| format!("{}: {error}", program.display()))?;
        if !check.status.success() {
            let why = String::from_utf8_lossy(&check.stderr).into_owned();
            return Err(format!("its configuration is refused: {}", why.lines().next().unwrap_or_default()));
        }
        let command = link.server.command(&program);
        self.spawn(command, files, &name(".log"), &["serve", "--config", &shown(&configuration)])?;
        self.wait(kind.name(), || std::os::unix::net::UnixStream::connect(&control).is_ok())
    }

    /// As Debian configures it, but for its log of requests, which heorot does not write either; and with one worker, for there is one processor.
    fn nginx(&mut self, link: &Link, files: &Files) -> Result<(), String> {
        let room = |name: &str| shown(&files.room(name));
        let text = format!(
            "daemon off;\nuser root;\nworker_processes 1;\npid {};\nerror_log {};\nevents {{ worker_connections 4096; }}\n\
             http {{\n  sendfile on;\n  tcp_nopush on;\n  access_log off;\n  keepalive_requests 1000000;\n  types_hash_max_size 2048;\n  \
             client_body_temp_path {};\n  proxy_temp_path {};\n  fastcgi_temp_path {};\n  uwsgi_temp_path {};\n  scgi_temp_path {};\n  \
             server {{ listen {SERVER}:80; root {}; }}\n}}\n",
            room("nginx.pid"),
            room("nginx-error.log"),
            room("nginx-body"),
            room("nginx-proxy"),
            room("nginx-fastcgi"),
            room("nginx-uwsgi"),
            room("nginx-scgi"),
            shown(&files.boot())
        );
        let configuration = write(files, "nginx.conf", &text)?;
        let mut command = limits(&link.server, "nginx", ALL)?;
        command.arg("-c").arg(configuration).arg("-e").arg(room("nginx-error.log"));
        self.spawn(command, files, "nginx.log", &[])?;
        self.pause("nginx")
    }

    fn dnsmasq(&mut self, link: &Link, files: &Files) -> Result<(), String> {
        let leases = files.room("dnsmasq.leases");
        let _ = fs::remove_file(&leases);
        // Its limits are raised and its ping before an offer is off, so that it can compete; iPXE is told not to wait for other servers.
        let text = format!(
            "port=0\ninterface={INTERFACE}\nbind-interfaces\nuser=root\n\
             dhcp-range={FIRST},{LAST},255.255.0.0,1h\ndhcp-lease-max=20000\nno-ping\ndhcp-authoritative\n\
             dhcp-leasefile={}\npid-file=\nlog-facility={}\nquiet-dhcp\nquiet-tftp\n\
             dhcp-match=set:ipxe,175\ndhcp-match=set:efi,option:client-arch,7\n\
             dhcp-boot=tag:ipxe,boot.ipxe\ndhcp-boot=tag:efi,tag:!ipxe,ipxe.efi\n\
             dhcp-boot=tag:!efi,tag:!ipxe,pxelinux.0\ndhcp-option-force=tag:ipxe,encap:175,176,1b\n\
             enable-tftp\ntftp-root={}\ntftp-max=20000\n",
            shown(&leases),
            shown(&files.room("dnsmasq.log")),
            shown(&files.boot())
        );
        let configuration = write(files, "dnsmasq.conf", &text)?;
        let mut command = limits(&link.server, "dnsmasq", ALL)?;
        command.arg("--keep-in-foreground").arg(format!("--conf-file={}", shown(&configuration)));
        self.spawn(command, files, "dnsmasq.err", &[])?;
        self.pause("dnsmasq")
    }

    fn dhcpd(&mut self, link: &Link, files: &Files) -> Result<(), String> {
        let leases = write(files, "dhcpd.leases", "")?;
        let text = format!(
            "authoritative;\nping-check off;\ndefault-lease-time 3600;\nmax-lease-time 3600;\n\
             option space ipxe;\noption ipxe-encap-opts code 175 = encapsulate ipxe;\n\
             option ipxe.no-pxedhcp code 176 = unsigned integer 8;\noption arch code 93 = unsigned integer 16;\n\
             subnet 10.77.0.0 netmask 255.255.0.0 {{\n  range {FIRST} {LAST};\n  next-server {SERVER};\n  \
             if exists user-class and option user-class = \"iPXE\" {{\n    option ipxe.no-pxedhcp 1;\n    filename \"boot.ipxe\";\n  \
             }} elsif option arch = 00:07 {{\n    filename \"ipxe.efi\";\n  }} else {{\n    filename \"pxelinux.0\";\n  }}\n}}\n"
        );
        let configuration = write(files, "dhcpd.conf", &text)?;
        let mut command = limits(&link.server, "dhcpd", ALL)?;
        command.args(["-4", "-f", "-q", "--no-pid", "-cf"]).arg(configuration).arg("-lf").arg(leases);
        self.spawn(command, files, "dhcpd.log", &[INTERFACE])?;
        self.pause("dhcpd")
    }

    fn tftpd_hpa(&mut self, link: &Link, files: &Files) -> Result<(), String> {
        let address = format!("{SERVER}:69");
        let arguments = ["--foreground", "--address", &address, "--user", "root", "--secure"];
        let mut command = limits(&link.server, "in.tftpd", ALL)?;
        command.args(arguments).arg(files.boot());
        self.spawn(command, files, "tftpd-hpa.log", &[])?;
        self.pause("tftpd-hpa")
    }

    fn atftpd(&mut self, link: &Link, files: &Files) -> Result<(), String> {
        let address = SERVER.to_string();
        let log = shown(&files.room("atftpd.log"));
        let arguments = [
            "--daemon",
            "--no-fork",
            "--maxthread",
            "20000",
            "--user",
            "root.root",
            "--bind-address",
            &address,
            "--logfile",
            &log,
        ];
        // It waits with select(2), and aborts when a descriptor passes that call's 1024.
        let mut command = limits(&link.server, "atftpd", "1024")?;
        command.args(arguments).arg(files.boot());
        self.spawn(command, files, "atftpd.err", &[])?;
        self.pause("atftpd")
    }

    fn bare(&mut self, link: &Link, files: &Files) -> Result<(), String> {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut command = link.server.command(program);
        command.arg("bare").arg(files.boot().join(WHOLE));
        self.spawn(command, files, "bare.log", &[])?;
        self.pause("the bare loop")
    }

    /// Starts a program whose words go to a file of this name.
    ///
    /// # Errors
    /// In words, if it cannot be started.
    pub(crate) fn spawn(
        &mut self,
        mut command: Command,
        files: &Files,
        log: &str,
        further: &[&str],
    ) -> Result<(), String> {
        let path = files.room(log);
        let log = File::create(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let errors = log.try_clone().map_err(|error| error.to_string())?;
        let process = command.args(further).stdin(Stdio::null()).stdout(log).stderr(errors).spawn();
        self.processes.push(process.map_err(|error| error.to_string())?);
        self.logs.push(path);
        Ok(())
    }

    /// Waits until the server that was started last is ready.
    ///
    /// # Errors
    /// In words: it ended instead, or takes too long.
    pub(crate) fn wait(&mut self, name: &str, mut is_ready: impl FnMut() -> bool) -> Result<(), String> {
        let start = Instant::now();
        while !is_ready() {
            self.still_there(name)?;
            if start.elapsed() > START_PATIENCE {
                return Err(format!("{name} is not ready: {}", self.tail()));
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    fn pause(&mut self, name: &str) -> Result<(), String> {
        thread::sleep(START_PAUSE);
        self.still_there(name)
    }

    fn still_there(&mut self, name: &str) -> Result<(), String> {
        match self.processes.last_mut().and_then(|process| process.try_wait().ok().flatten()) {
            Some(status) => Err(format!("{name} ended, {status}: {}", self.tail())),
            None => Ok(()),
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        for process in &mut self.processes {
            let _ = process.kill();
            let _ = process.wait();
        }
        // tftpd-hpa forks for each transfer.
        self.namespace.end_all();
    }
}

/// One of the others, with so many open files. The shell replaces itself by the server.
///
/// # Errors
/// In words, if it is not to be had.
pub(crate) fn limits(namespace: &Namespace, program: &str, files: &str) -> Result<Command, String> {
    let program = debian::program(program)?;
    let mut command = namespace.command("sh");
    command.args(["-c", &format!("ulimit -n {files}; exec \"$0\" \"$@\"")]).arg(program);
    command.env("LD_LIBRARY_PATH", debian::libraries());
    Ok(command)
}

/// heorot: `HEOROT`, or what was built beside this one.
pub(crate) fn heorot() -> Result<PathBuf, String> {
    let own = std::env::current_exe().map_err(|error| format!("where this program is: {error}"))?;
    let beside = own.with_file_name("heorot");
    let program = std::env::var_os("HEOROT").map_or(beside, PathBuf::from);
    program.is_file().then_some(program).ok_or_else(|| {
        format!("no heorot beside {}: cargo build --release --package heorot makes it", own.display())
    })
}

/// The one of `HEOROT_BEFORE`.
fn heorot_before() -> Result<PathBuf, String> {
    let program = std::env::var_os("HEOROT_BEFORE").map(PathBuf::from).filter(|program| program.is_file());
    program.ok_or_else(|| "HEOROT_BEFORE names no program".to_owned())
}

/// Writes a file in the room of the servers. Where it is.
///
/// # Errors
/// In words, if the disk is full.
pub(crate) fn write(files: &Files, name: &str, text: &str) -> Result<PathBuf, String> {
    let path = files.room(name);
    fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(path)
}

/// A path as configurations have it.
pub(crate) fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
