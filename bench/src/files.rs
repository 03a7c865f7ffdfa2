//! What every server serves: boot files of their real sizes, with chance for content, and texts that name the image.

use heorot_lab::directory::Scratch;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

/// Boot files and what they have in Debian 12, in octets.
const BOOT_FILES: [(&str, usize); 5] = [
    ("pxelinux.0", 42_430),
    ("ldlinux.c32", 119_524),
    ("ipxe.efi", 1_044_480),
    ("grubx64.efi", 2_656_640),
    ("bootcode.bin", 52_460),
];
/// Texts for servers that make none themselves.
const TEXTS: [(&str, &str); 3] = [
    ("boot.ipxe", "#!ipxe\nkernel vmlinuz\ninitrd initrd.img\nboot\n"),
    ("pxelinux.cfg/default", "DEFAULT linux\nLABEL linux\n  KERNEL vmlinuz\n  INITRD initrd.img\n"),
    ("grub/grub.cfg", "linux /vmlinuz\ninitrd /initrd.img\nboot\n"),
];
/// The image's two files, and the file that plain clients load.
pub(crate) const KERNEL: &str = "vmlinuz";
pub(crate) const INITRD: &str = "initrd.img";
pub(crate) const WHOLE: &str = "image";

/// A boot directory, and room for what servers write.
#[derive(Debug)]
pub(crate) struct Files {
    scratch: Scratch,
}

impl Files {
    /// Writes the files. Of the image a third is the kernel.
    ///
    /// # Errors
    /// In words, if the disk is full.
    pub(crate) fn new(image_octets: usize) -> Result<Self, String> {
        let scratch = Scratch::new()?;
        let wrong = |error: std::io::Error| error.to_string();
        for directory in ["boot/pxelinux.cfg", "boot/grub"] {
            fs::create_dir_all(scratch.join(directory)).map_err(wrong)?;
        }
        // Servers give up root's rights, and serve what everybody may read.
        for directory in ["", "boot", "boot/pxelinux.cfg", "boot/grub"] {
            fs::set_permissions(scratch.join(directory), fs::Permissions::from_mode(0o755)).map_err(wrong)?;
        }
        let kernel = image_octets / 3;
        let image = [(KERNEL, kernel), (INITRD, image_octets - kernel), (WHOLE, image_octets)];
        for (name, octets) in BOOT_FILES.into_iter().chain(image) {
            fs::write(scratch.join("boot").join(name), noise(octets)).map_err(wrong)?;
        }
        for (name, text) in TEXTS {
            fs::write(scratch.join("boot").join(name), text).map_err(wrong)?;
        }
        Ok(Self { scratch })
    }

    /// The boot directory.
    pub(crate) fn boot(&self) -> PathBuf {
        self.scratch.join("boot")
    }

    /// A path for what a server writes.
    pub(crate) fn room(&self, name: &str) -> PathBuf {
        self.scratch.join(name)
    }
}

/// Octets that cannot be compressed (a linear congruential generator: Knuth's MMIX).
fn noise(octets: usize) -> Vec<u8> {
    let mut state: u64 = 1;
    std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    })
    .take(octets)
    .collect()
}
