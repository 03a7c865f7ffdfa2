//! A file server that is not ours: nfs-ganesha on the segment, which exports one directory by NFS version 3 and 4.

use crate::directory::Scratch;
use crate::network::Network;
use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Where the directory is on it.
pub const EXPORT: &str = "/export/root";

/// It runs until it is dropped, at [`CLIENT`](crate::network::CLIENT)'s address, with a portmapper.
#[derive(Debug)]
pub struct FileServer {
    process: Child,
    log: std::path::PathBuf,
    _scratch: Scratch,
}

impl FileServer {
    /// Starts it with this directory.
    ///
    /// # Errors
    /// In words, if it does not start: with its last words.
    pub fn start(network: &Network, directory: &Path) -> Result<Self, String> {
        let scratch = Scratch::new()?;
        let (log, settings) = (scratch.join("ganesha.log"), scratch.join("ganesha.conf"));
        let text = format!(
            r#"NFS_CORE_PARAM {{ Protocols = 3, 4; mount_path_pseudo = true; Enable_NLM = false; Enable_RQUOTA = false; MNT_Port = 20048; }}
NFSv4 {{ Graceless = true; RecoveryRoot = "{}"; }}
EXPORT {{
    Export_Id = 1; Path = "{}"; Pseudo = "{EXPORT}"; Access_Type = RO; Squash = No_Root_Squash;
    SecType = sys, none; Protocols = 3, 4; Transports = TCP;
    FSAL {{ Name = VFS; }}
}}
"#,
            scratch.path().display(),
            directory.display()
        );
        fs::write(&settings, text).map_err(|error| format!("{}: {error}", settings.display()))?;
        let mut command = network.client.command("unshare");
        // Files of both are in /run; the portmapper ends with the namespace.
        command.args(["--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c"]);
        command.arg("mount -t tmpfs none /run && mkdir -p /run/ganesha && rpcbind && exec ganesha.nfsd -F -f \"$1\" -L \"$2\" -N EVENT -p /run/ganesha/pid");
        command.arg("sh").arg(&settings).arg(&log);
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let process = process.map_err(|error| format!("ganesha.nfsd: {error}"))?;
        let mut server = Self { process, log, _scratch: scratch };
        let start = Instant::now();
        loop {
            let said = server.said();
            if said.contains("NFS SERVER INITIALIZED") {
                return Ok(server);
            }
            let ended = server.process.try_wait().ok().flatten();
            if ended.is_some() || start.elapsed() > START_PATIENCE {
                return Err(format!("ganesha.nfsd does not serve: {said}"));
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// What it has to say.
    #[must_use]
    pub fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for FileServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const START_PATIENCE: Duration = Duration::from_secs(30);
