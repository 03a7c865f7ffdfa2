//! A GRUB that speaks HTTP, made of Debian's modules: Debian's own images lack that one.

use crate::command::{self, run};
use crate::packages::BootFiles;
use std::path::Path;
use std::process::Command;

/// What the generated configuration needs, and the ways to the network. Nothing is loaded afterwards.
const MODULES: [&str; 11] =
    ["efinet", "http", "tftp", "normal", "linux", "all_video", "echo", "sleep", "test", "true", "gzio"];

/// Makes one, as docs/http.md says it.
///
/// # Errors
/// In words, if something is missing.
pub fn image(files: &BootFiles, image: &Path) -> Result<(), String> {
    let mut make = Command::new("grub-mkimage");
    make.arg("-d").arg(files.grub_modules()).args(["-O", "x86_64-efi", "-p", "/grub", "-o"]).arg(image);
    run(make.args(MODULES), command::PATIENCE).map(|_| ())
}
