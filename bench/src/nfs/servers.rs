//! How each server is started, in the form in which all of them are.

use super::client::Client;
use crate::debian;
use crate::files::Files;
use crate::link::{INTERFACE, Link, SERVER};
use crate::servers::{Running, heorot, shown, write};
use std::fs;
use std::path::Path;

/// A server of NFS 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Peer {
    Heorot,
    Ganesha,
}

pub(super) const PEERS: [Peer; 2] = [Peer::Heorot, Peer::Ganesha];

impl Peer {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Heorot => "heorot",
            Self::Ganesha => "nfs-ganesha",
        }
    }

    /// Where files are.
    pub(super) fn port(self) -> u16 {
        2049
    }

    /// Where directories are mounted.
    pub(super) fn mount_port(self) -> u16 {
        match self {
            Self::Heorot => 2049,
            Self::Ganesha => 20_048,
        }
    }

    /// Starts it, and waits until it answers.
    pub(super) fn start<'a>(
        self,
        link: &'a Link,
        files: &Files,
        export: &Path,
    ) -> Result<Running<'a>, String> {
        let mut running = Running::none(&link.server);
        match self {
            Self::Heorot => start_heorot(&mut running, link, files, export)?,
            Self::Ganesha => start_ganesha(&mut running, link, files, export)?,
        }
        // Its ports are open before it serves anything.
        let mounts = || Client::connect(self).and_then(|mut client| client.mount(self, export)).is_ok();
        running.wait(self.name(), || link.clients.enter(|| Ok(mounts())).unwrap_or(false))?;
        Ok(running)
    }
}

fn start_heorot(running: &mut Running<'_>, link: &Link, files: &Files, export: &Path) -> Result<(), String> {
    let (state, control) = (files.room("state"), files.room("heorot.sock"));
    let _ = fs::remove_dir_all(&state);
    let text = format!(
        r#"[server]
state = "{}"
control = "{}"
user = "root"

[[network]]
interface = "{INTERFACE}"
address = "{SERVER}/16"
numbers = "0-1023"
first = "10.77.1.0"
temporary = "10.77.128.1-10.77.191.254"

[boot]
directory = "{}"

[profile.default]
root = "nfs:{}"
"#,
        state.display(),
        control.display(),
        files.boot().display(),
        export.display()
    );
    let configuration = write(files, "heorot.toml", &text)?;
    let command = link.server.command(heorot()?);
    running.spawn(command, files, "heorot.log", &["serve", "--config", &shown(&configuration)])
}

/// With a portmapper of its own, for it serves nothing that it could not tell one of; both see a /run of their own.
fn start_ganesha(running: &mut Running<'_>, link: &Link, files: &Files, export: &Path) -> Result<(), String> {
    let program = debian::program("ganesha.nfsd")?;
    let export = export.display();
    // Unpacked, its parts are not where it looks for them.
    let parts = format!("Plugins_Dir = {};", debian::libraries().join("ganesha").display());
    let text = format!(
        "NFS_CORE_PARAM {{ Protocols = 3; Enable_NLM = false; Enable_RQUOTA = false; Enable_UDP = false; mount_path_pseudo = true; MNT_Port = 20048; {parts} }}\n\
         EXPORT {{ Export_Id = 1; Path = {export}; Pseudo = {export}; Protocols = 3; Transports = TCP; Access_Type = RO; Squash = No_Root_Squash; SecType = sys;\n\
         MaxRead = 1048576; PrefRead = 1048576; FSAL {{ Name = VFS; }} }}\nLOG {{ Default_Log_Level = WARN; }}\n"
    );
    let configuration = write(files, "ganesha.conf", &text)?;
    let mut command = link.server.command("unshare");
    command.args(["--mount", "sh", "-c", "mount -t tmpfs none /run && rpcbind -w && exec \"$0\" \"$@\""]);
    command.arg(program).args(["-F", "-L", "STDERR"]);
    command.arg("-p").arg(files.room("ganesha.pid")).arg("-f").arg(configuration);
    command.env("LD_LIBRARY_PATH", debian::libraries());
    running.spawn(command, files, "ganesha.log", &[])
}
