//! The server under test: its configuration, its process, and what it says when it is asked.

use crate::directory::Scratch;
use crate::initramfs;
use crate::network::{Network, SERVER, SERVER_INTERFACE};
use crate::packages;
use heorot_agent::frame::Mac;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// What a test wants different from the ordinary configuration.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Machines that are listed, with their numbers.
    pub listed: Vec<(Mac, u32)>,
    /// How much memory the trial wants; empty for what every machine here has.
    pub memory: String,
    /// What UEFI machines load; empty for iPXE.
    pub uefi_loader: String,
    /// What UEFI machines load by HTTP; empty for iPXE.
    pub http_loader: String,
    /// Further lines for the section of the boot files.
    pub boot: String,
    /// Further lines for the section of the server.
    pub server: String,
    /// Further lines for the section of the network.
    pub network: String,
    /// Further words for all command lines of kernels.
    pub cmdline: String,
    /// Further lines for the section of the profile of nodes. `SCRATCH` in them as below.
    pub profile: String,
    /// Further lines for the end of the configuration. `SCRATCH` in them stands for the directory of [`Server::scratch_file`].
    pub further: String,
}

impl Settings {
    /// BIOS machines load everything by TFTP, through pxelinux.
    ///
    /// The ROMs of QEMU's network cards are iPXE, which is otherwise given the script that it understands, and loads by HTTP.
    #[must_use]
    pub fn through_pxelinux() -> Self {
        Self { boot: "ipxe = \"pxelinux.0\"".to_owned(), ..Self::default() }
    }
}

/// A network, and a server on it.
#[derive(Debug)]
pub struct Server {
    /// Where it serves.
    pub network: Network,
    process: Option<Child>,
    starts: u32,
    scratch: Scratch,
    /// Where loaders are that the boot directory lacks.
    packages: PathBuf,
}

/// The address of a number in the ordinary configuration.
#[must_use]
pub fn address_of(number: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(FIRST.to_bits() + number)
}

impl Server {
    /// Makes a network and starts a server on it, with a boot directory of its own.
    ///
    /// # Errors
    /// In words, if something is missing or the server does not start: then with its last words.
    pub fn start(settings: &Settings) -> Result<Self, String> {
        let files = packages::fetch()?;
        let network = Network::new()?;
        let scratch = Scratch::new()?;
        initramfs::boot_directory(&scratch.join("boot"), &files)?;
        let packages = files.root().to_owned();
        configure(&scratch, &packages, settings)?;
        let mut server = Self { network, process: None, starts: 0, scratch, packages };
        server.start_again()?;
        Ok(server)
    }

    /// Starts it after [`Self::kill`], and waits until it answers.
    ///
    /// # Errors
    /// In words, if it does not start: then with its last words.
    pub fn start_again(&mut self) -> Result<(), String> {
        self.starts += 1;
        let program = program()?;
        let log_path = self.log_path();
        let log = fs::File::create(&log_path).map_err(|error| format!("{}: {error}", log_path.display()))?;
        let errors = log.try_clone().map_err(|error| error.to_string())?;
        let mut command = self.network.server.command(program);
        command.arg("serve").arg("--config").arg(self.scratch.join("heorot.toml"));
        let process = command.stdin(Stdio::null()).stdout(log).stderr(errors).spawn();
        self.process = Some(process.map_err(|error| format!("the server: {error}"))?);
        self.wait_until_it_answers()
    }

    /// Ends it at once, as a power cut would.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// Has it end as an operator would, and waits until it has.
    ///
    /// # Errors
    /// In words, if it does not.
    pub fn stop(&mut self) -> Result<(), String> {
        let mut process = self.process.take().ok_or("the server is not running")?;
        let number = i32::try_from(process.id()).map_err(|error| error.to_string())?;
        kill(Pid::from_raw(number), Signal::SIGTERM).map_err(|error| format!("the server: {error}"))?;
        let start = Instant::now();
        while process.try_wait().map_err(|error| error.to_string())?.is_none() {
            if start.elapsed() > START_PATIENCE {
                self.process = Some(process);
                return Err("the server does not end".into());
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// Writes another configuration, and has the running server read it.
    ///
    /// # Errors
    /// In words, if it is not running.
    pub fn reconfigure(&self, settings: &Settings) -> Result<(), String> {
        configure(&self.scratch, &self.packages, settings)?;
        let process = self.process.as_ref().ok_or("the server is not running")?;
        let process = i32::try_from(process.id()).map_err(|error| error.to_string())?;
        kill(Pid::from_raw(process), Signal::SIGHUP).map_err(|error| format!("the server: {error}"))
    }

    /// What `heorot` answers to a question, such as `["explain", "node0"]`.
    ///
    /// # Errors
    /// In words, if it fails or does not answer with JSON.
    pub fn ask(&self, question: &[&str]) -> Result<Value, String> {
        let (program, control) = (program()?, self.control());
        let (program, control) = (program.to_string_lossy(), control.to_string_lossy());
        let arguments: Vec<_> =
            question.iter().copied().chain(["--control", &control, "-o", "json"]).collect();
        let answer = self.network.server.ask(&program, &arguments)?;
        serde_json::from_str(&answer).map_err(|error| format!("{question:?}: {error}: {answer}"))
    }

    /// A file that it serves, to be changed by a test.
    #[must_use]
    pub fn boot_file(&self, name: &str) -> PathBuf {
        self.scratch.join("boot").join(name)
    }

    /// A scratch file of this run.
    #[must_use]
    pub fn scratch_file(&self, name: &str) -> PathBuf {
        self.scratch.join(name)
    }

    /// Its last words, for a person who has to find out what went wrong.
    #[must_use]
    pub fn tail(&self) -> String {
        let log = fs::read_to_string(self.log_path()).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(40)..].iter().map(|line| format!("  server| {line}\n")).collect()
    }

    /// Adds the server's last words to an error.
    ///
    /// # Errors
    /// The one that came in.
    pub fn explain_failure<T>(&self, outcome: Result<T, String>) -> Result<T, String> {
        outcome.map_err(|error| format!("{error}\n{}", self.tail()))
    }

    fn wait_until_it_answers(&mut self) -> Result<(), String> {
        let start = Instant::now();
        while UnixStream::connect(self.control()).is_err() {
            let ended = self.process.as_mut().and_then(|process| process.try_wait().ok().flatten());
            if let Some(status) = ended {
                return Err(format!("the server ended, {status}:\n{}", self.tail()));
            }
            if start.elapsed() > START_PATIENCE {
                return Err(format!("the server does not answer:\n{}", self.tail()));
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    fn control(&self) -> PathBuf {
        self.scratch.join("control.sock")
    }

    fn log_path(&self) -> PathBuf {
        self.scratch.join(&format!("server-{}.log", self.starts))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The server's program: `HEOROT`, or what was built beside this one.
///
/// # Errors
/// In words, if there is none.
pub fn program() -> Result<PathBuf, String> {
    let own = std::env::current_exe().map_err(|error| format!("where this program is: {error}"))?;
    // Tests are one level deeper.
    let directories = own.ancestors().skip(1).take(2);
    let built = directories.map(|directory| directory.join("heorot")).find(|path| path.is_file());
    let program = std::env::var_os("HEOROT").map(PathBuf::from).or(built);
    program
        .filter(|program| program.is_file())
        .ok_or_else(|| format!("no heorot beside {}: cargo build --workspace makes it", own.display()))
}

fn configure(scratch: &Scratch, packages: &Path, settings: &Settings) -> Result<(), String> {
    let path = scratch.join("heorot.toml");
    fs::write(&path, configuration(scratch, packages, settings))
        .map_err(|error| format!("{}: {error}", path.display()))
}

fn configuration(scratch: &Scratch, packages: &Path, settings: &Settings) -> String {
    let packages = packages.display();
    let path = |name: &str| scratch.join(name).to_string_lossy().into_owned();
    let (state, control, boot) = (path("state"), path("control.sock"), path("boot"));
    let (further_of_boot, further_of_network) = (&settings.boot, &settings.network);
    let (further_of_profile, words) = (&settings.profile, &settings.cmdline);
    let further_of_server = &settings.server;
    let memory = if settings.memory.is_empty() { "256MiB" } else { &settings.memory };
    let uefi_loader = if settings.uefi_loader.is_empty() { "ipxe.efi" } else { &settings.uefi_loader };
    let http_loader = if settings.http_loader.is_empty() { "ipxe.efi" } else { &settings.http_loader };
    let mut text = format!(
        r#"[cluster]
name = "cluster"
nodes = "node{{}}"

[server]
state = "{state}"
control = "{control}"
{further_of_server}

[[network]]
interface = "{SERVER_INTERFACE}"
address = "{SERVER}/16"
numbers = "0-1023"
first = "{FIRST}"
temporary = "10.77.200.1-10.77.203.254"
{further_of_network}

[boot]
directory = "{boot}"
packages = "{packages}"
bios = "pxelinux.0"
http-x64 = "{http_loader}"
uefi-x64 = "{uefi_loader}"
{further_of_boot}

[profile.default]
kernel = "vmlinuz"
initrd = ["initrd.img"]
cmdline = "console=ttyS0 node={{{{node.name}}}} {KERNEL_WORDS}{words}"
{further_of_profile}

[profile.trial]
kernel = "vmlinuz"
initrd = ["initrd.img"]
cmdline = "console=ttyS0 {KERNEL_WORDS}{words}"

[trial]
policy = "report"

[[trial.check]]
kind = "memory"
at-least = "{memory}"

[[trial.check]]
kind = "processors"
at-least = 1

[[trial.check]]
kind = "command"
name = "shell"
command = "grep -c ^processor /proc/cpuinfo"
timeout = "30s"
"#
    );
    for (mac, number) in &settings.listed {
        text += &format!("\n[[node]]\nmac = \"{mac}\"\nnumber = {number}\n");
    }
    (text + &settings.further).replace("SCRATCH", path("").trim_end_matches('/'))
}

const FIRST: Ipv4Addr = Ipv4Addr::new(10, 77, 1, 0);
/// The kernel's first line and whatever is wrong come to the console, but not what goes well: that comes into the middle of what the agent says there.
const KERNEL_WORDS: &str = "loglevel=6";
/// It opens its store and binds its ports in far less.
const START_PATIENCE: Duration = Duration::from_secs(20);
