//! heorot-agent: from a kernel that has just started to a node that is up.
//!
//! As the first process of an initial RAM disk it mounts what is missing, loads the modules, gets an address, goes through the
//! conversation below, mounts the root that the server names and becomes its first process:
//!
//! ```text
//! address by DHCP -> GET node -+-> on trial: checks, POST trial -+-> numbered: new address, release the old -> root -> its init
//!                              |                                 +-> reboot                                      |
//!                              |                                 +-> neither: ask again in 30 s                  v
//!                              +-> numbered already -> root -> its init                         agent system: POST up
//! ```
//! A node without a root stays in its initial RAM disk, and is up there. Otherwise it depends on what it is called with:
//!
//! - `root DIRECTORY`, in another program's initial RAM disk (dracut, initramfs-tools): the same, but that program changes the root;
//! - `system`, in the root: goes on with the lease, and tells that the system runs;
//! - `trial`: only the conversation, up to a number;
//! - nothing, on a system that somebody else started and addressed: the conversation, and that it runs;
//! - as `modprobe`, by the kernel: loads the module that it wants.

use heorot_agent::client::Lease;
use heorot_agent::cmdline::Cmdline;
use heorot_agent::files::{self, Fetched};
use heorot_agent::handover::{self, Handover};
use heorot_agent::http::Url;
use heorot_agent::modules::Modules;
use heorot_agent::node::{self, Identity};
use heorot_agent::root::{self, Here};
use heorot_agent::system::{Facts, System};
use heorot_agent::walk::{self, Arrived};
use heorot_agent::{check_in, net, say, start, switch};
use std::convert::Infallible;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};
use std::{env, panic, thread};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if words.first().is_some_and(|program| program.ends_with("modprobe")) {
        return load_module(&words[1..]);
    }
    if std::process::id() == 1 {
        boot();
    }
    let outcome = match words.get(1..).unwrap_or_default() {
        [] => report_running_system(),
        ["trial"] => try_out(),
        ["root", target] => mount_root(Path::new(target)),
        ["system"] => go_on(),
        ["beside", target, program] => go_along(Path::new(target), Path::new(program)),
        _ => Err("usage: heorot-agent [root DIRECTORY | system | trial]".to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => {
            say!("{trouble}");
            ExitCode::FAILURE
        }
    }
}

/// As the first process, which must not end, or the kernel panics and the machine hangs.
fn boot() -> ! {
    start::mount_kernel_file_systems();
    say!("started");
    let cmdline = start::read_cmdline().unwrap_or_else(|error| {
        say!("{error}");
        Cmdline::default()
    });
    // A panic is a mistake of ours.
    let outcome = panic::catch_unwind(|| boot_by(&cmdline));
    let trouble = match outcome {
        Ok(Ok(never)) => match never {},
        Ok(Err(trouble)) => trouble,
        Err(_) => "the agent made a mistake (see above)".to_owned(),
    };
    start::fail(&cmdline, &trouble)
}

/// The whole walk of a first process; returns only if something did not work.
fn boot_by(cmdline: &Cmdline) -> Result<Infallible, String> {
    let mut modules = Modules::of_running_kernel();
    modules.load_for_devices();
    let arrived = walk::arrive(cmdline, &mut modules)?;
    let target = Path::new(NEW_ROOT);
    match attach_root(cmdline, &arrived, &mut modules, target)? {
        (Some(shown), files) => {
            let system = System::find(target, cmdline.init.as_deref())?;
            leave(arrived, &system, &shown)?;
            files.lay(target)?;
            Err(switch::into(target, &system))
        }
        (None, files) => {
            files.lay(Path::new("/"))?;
            let interval = node::post_up(&arrived.url, true)?;
            say_up(&arrived.identity, &arrived.address.to_string());
            check_in::keep_saying(arrived.url.clone(), interval)?;
            start::reap_for_ever()
        }
    }
}

/// Mounts the root that the server names, if it names one, and fetches what is to lie in it: what the root is, as a person reads it.
fn attach_root(
    cmdline: &Cmdline,
    arrived: &Arrived,
    modules: &mut Modules,
    target: &Path,
) -> Result<(Option<String>, Fetched), String> {
    // Asked anew: it is that of the node, at the address that it has now.
    let node = node::get(&arrived.url)?;
    let Some(root) = &node.root else { return Ok((None, files::fetch(&arrived.url, &node)?)) };
    let mut here = Here {
        modules,
        name_servers: &arrived.name_servers,
        domain: arrived.domain.as_deref(),
        overlay: &cmdline.overlay,
    };
    let shown = root::attach(root, &mut here, target)?;
    say!("root: {shown}");
    // Secrets are given once: whatever else can fail came before.
    Ok((Some(shown), files::fetch(&arrived.url, &node)?))
}

/// Leaves to the system what it has to know, and the lease.
fn leave(arrived: Arrived, system: &System<'_>, shown: &str) -> Result<(), String> {
    let Arrived { url, interface, keeper, identity, .. } = arrived;
    let lease = keeper.stop().ok_or("the lease's thread has died")?;
    let name = identity.name.as_deref();
    Handover::new(&url, interface.mac, name, shown, &lease).leave()?;
    system.prepare(&Facts { name, mac: &interface.mac.to_string() });
    Ok(())
}

/// In another program's initial RAM disk, before that one changes the root.
fn mount_root(target: &Path) -> Result<(), String> {
    let cmdline = start::read_cmdline()?;
    let mut modules = Modules::by_program();
    let mut mount = || {
        handover::make_place()?;
        let arrived = walk::arrive(&cmdline, &mut modules)?;
        let (shown, files) = attach_root(&cmdline, &arrived, &mut modules, target)?;
        let shown = shown.ok_or("the server names no root for this node: set profile.root")?;
        let system = System::find(target, cmdline.init.as_deref())?;
        leave(arrived, &system, &shown)?;
        files.lay(target)?;
        if system.is_systemd() { Ok(()) } else { start_beside(target, &system) }
    };
    mount().inspect_err(|trouble| {
        if let Some(url) = walk::known_url() {
            node::post_trouble(url, trouble);
        }
    })
}

/// An agent that goes along through a change of root that is another program's, for a system that will not start one.
fn start_beside(target: &Path, system: &System<'_>) -> Result<(), String> {
    let mut agent = Command::new(handover::PROGRAM);
    agent.arg("beside").arg(target).arg(system.program()).stdin(Stdio::null()).process_group(0);
    agent.spawn().map(|_| ()).map_err(|error| format!("{}: {error}", handover::PROGRAM))
}

/// That agent: it lives in the root from its beginning, and waits until the first process is the root's.
fn go_along(target: &Path, program: &Path) -> Result<(), String> {
    let wrong = |error: nix::errno::Errno| format!("{}: {}", target.display(), error.desc());
    nix::unistd::chroot(target).map_err(wrong)?;
    nix::unistd::chdir("/").map_err(wrong)?;
    let start = Instant::now();
    // There is no /proc and no /run here before they are moved.
    while std::fs::read_link("/proc/1/exe").ok().as_deref() != Some(program) || Handover::take().is_err() {
        if start.elapsed() > CHANGE_PATIENCE {
            return Err("the root was not started".to_owned());
        }
        thread::sleep(Duration::from_millis(100));
    }
    go_on()
}

/// In the root: the lease goes on, and the server hears that the system runs.
fn go_on() -> Result<(), String> {
    // The one who will be the first process holds the other end until it is. Under systemd there is nothing to be read.
    let mut line = Vec::new();
    let _ = std::io::stdin().read_to_end(&mut line);
    if !line.is_empty() {
        return Err("the system was not started".to_owned());
    }
    let mut left = Handover::take()?;
    let url: Url = left.url.parse().map_err(|_| format!("{} is no URL of a node", left.url))?;
    let mac = left.mac.parse().map_err(|_| format!("{} is no hardware address", left.mac))?;
    let interface = net::find(Some(mac), walk::CARRIER_PATIENCE, || ())?;
    let lease: Lease = left.lease();
    let address = lease.address;
    check_in::hold_back_the_end();
    let name = left.name.clone();
    let note = move |lease: &Lease| {
        if let Err(error) = left.leave_lease(lease) {
            say!("{error}");
        }
    };
    // If the system took the address away, it would take the root away too.
    let _keeper = walk::put_back(&interface, lease, note)?;
    let interval = node::post_up(&url, true)?;
    let identity = Identity { name, ..Identity::default() };
    say_up(&identity, &address.to_string());
    check_in::keep_saying(url.clone(), interval)?;
    check_in::until_the_end(&url);
    Ok(())
}

/// On a system that somebody else started and addressed.
fn report_running_system() -> Result<(), String> {
    let (url, identity) = become_a_node_there()?;
    walk::keep_names(&url);
    node::post_up(&url, false)?;
    say!("up as {}", identity.name.as_deref().unwrap_or(NAMELESS));
    Ok(())
}

/// The same without that it runs: an initial RAM disk of another program tells that later, or leaves it to the system.
fn try_out() -> Result<(), String> {
    become_a_node_there().map(|_| ())
}

fn become_a_node_there() -> Result<(Url, Identity), String> {
    let cmdline = start::read_cmdline()?;
    let url = walk::url_of(&cmdline)?;
    let interface = net::find(cmdline.boot_interface, walk::CARRIER_PATIENCE, || ())?;
    let identity = walk::become_a_node(&url, &interface, &mut Modules::by_program())?;
    Ok((url, identity))
}

/// What the kernel asks for by running /sbin/modprobe with options and a name.
fn load_module(arguments: &[&str]) -> ExitCode {
    let mut modules = Modules::of_running_kernel();
    for name in arguments.iter().filter(|word| !word.starts_with('-')) {
        modules.load(name);
    }
    ExitCode::SUCCESS
}

/// The line by which those who watch a console know that it is done.
fn say_up(identity: &Identity, address: &str) {
    say!("up as {} ({address})", identity.name.as_deref().unwrap_or(NAMELESS));
}

const NAMELESS: &str = "a node without a name";
/// A program that asks for a pass phrase, or a shell, may come before the change of root.
const CHANGE_PATIENCE: Duration = Duration::from_secs(600);
const NEW_ROOT: &str = "/new-root";
