//! The words of the kernel's command line that concern the agent.

use crate::frame::Mac;
use crate::quantity;
use std::time::Duration;

#[cfg(test)]
mod tests;

/// What the kernel's command line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cmdline {
    /// `heorot=URL`: where this node's conversation with its server takes place.
    pub url: Option<String>,
    /// `BOOTIF=01-aa-bb-cc-dd-ee-ff`: the interface that the loader came by, as pxelinux and iPXE write it.
    pub boot_interface: Option<Mac>,
    /// `init=PATH`: what the root starts instead of its own choice.
    pub init: Option<String>,
    /// `heorot.shell`: a shell on the console where something does not work.
    pub shell: bool,
    /// `heorot.reboot=30s`, `never`: how long after a failure the machine is started anew.
    pub reboot: Option<Duration>,
    /// `heorot.overlay=25%`, `2G`, `none`: how much memory what is written to the root may take.
    pub overlay: Overlay,
}

/// Whether and how the root is made writable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Overlay {
    /// With as much as the kernel thinks right: half of the memory.
    #[default]
    Usual,
    /// With as much, as tmpfs(5) writes it.
    Size(String),
    /// It stays read-only.
    Never,
}

impl Default for Cmdline {
    fn default() -> Self {
        Self {
            url: None,
            boot_interface: None,
            init: None,
            shell: false,
            reboot: Some(REBOOT_WAIT),
            overlay: Overlay::Usual,
        }
    }
}

impl Cmdline {
    /// Reads `/proc/cmdline`'s text. The last of several wins, as it does for the kernel; what makes no sense is as if absent.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut cmdline = Self::default();
        for word in text.split_whitespace() {
            let (key, value) = word.split_once('=').unwrap_or((word, ""));
            match (key, value) {
                ("heorot", url) => cmdline.url = Some(url.to_owned()),
                // The first pair is the hardware type, 01 for Ethernet; a bare address is taken too.
                ("BOOTIF", mac) => {
                    cmdline.boot_interface = mac.strip_prefix("01-").unwrap_or(mac).parse().ok();
                }
                ("init", path) if path.starts_with('/') => cmdline.init = Some(path.to_owned()),
                ("heorot.shell", value) => cmdline.shell = !matches!(value, "0" | "no"),
                ("heorot.reboot", "never") => cmdline.reboot = None,
                ("heorot.reboot", text) => {
                    cmdline.reboot = quantity::duration(text).or(cmdline.reboot);
                }
                ("heorot.overlay", "none") => cmdline.overlay = Overlay::Never,
                ("heorot.overlay", size) if is_size(size) => cmdline.overlay = Overlay::Size(size.to_owned()),
                _ => {}
            }
        }
        cmdline
    }
}

/// A size as tmpfs(5) takes it: digits, and perhaps one letter or a percent sign.
fn is_size(text: &str) -> bool {
    let digits = text.trim_end_matches(['k', 'K', 'm', 'M', 'g', 'G', '%']);
    !digits.is_empty() && text.len() - digits.len() <= 1 && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Long enough to read what is on the screen.
const REBOOT_WAIT: Duration = Duration::from_secs(30);
