//! The two words of the kernel's command line that concern the agent.

use crate::frame::Mac;

#[cfg(test)]
mod tests;

/// What the kernel's command line says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cmdline {
    /// `heorot=URL`: where this node's conversation with its server takes place.
    pub url: Option<String>,
    /// `BOOTIF=01-aa-bb-cc-dd-ee-ff`: the interface that the loader came by, as pxelinux and iPXE write it.
    pub boot_interface: Option<Mac>,
}

impl Cmdline {
    /// Reads `/proc/cmdline`'s text. The last of several wins, as it does for the kernel; what makes no sense is as if absent.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut cmdline = Self::default();
        for word in text.split_whitespace() {
            if let Some(url) = word.strip_prefix("heorot=") {
                cmdline.url = Some(url.to_owned());
            } else if let Some(mac) = word.strip_prefix("BOOTIF=") {
                // The first pair is the hardware type, 01 for Ethernet; a bare address is taken too.
                cmdline.boot_interface = mac.strip_prefix("01-").unwrap_or(mac).parse().ok();
            }
        }
        cmdline
    }
}
