//! Boot loaders that come in Debian's packages, by the names that firmware and other loaders ask for.

use std::borrow::Cow;

/// A file of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loader {
    /// The package.
    pub package: &'static str,
    /// Where it puts the file, below the root of the file system.
    pub path: Cow<'static, str>,
}

/// Name, package, path.
const LOADERS: [(&str, &str, &str); 16] = [
    ("pxelinux.0", "pxelinux", "usr/lib/PXELINUX/pxelinux.0"),
    ("lpxelinux.0", "pxelinux", "usr/lib/PXELINUX/lpxelinux.0"),
    ("syslinux.efi", "syslinux-efi", "usr/lib/SYSLINUX.EFI/efi64/syslinux.efi"),
    ("ldlinux.e64", "syslinux-common", "usr/lib/syslinux/modules/efi64/ldlinux.e64"),
    ("ipxe.efi", "ipxe", "boot/ipxe.efi"),
    ("snponly.efi", "ipxe", "usr/lib/ipxe/snponly.efi"),
    ("undionly.kpxe", "ipxe", "usr/lib/ipxe/undionly.kpxe"),
    ("ipxe.pxe", "ipxe", "usr/lib/ipxe/ipxe.pxe"),
    ("ipxe.lkrn", "ipxe", "boot/ipxe.lkrn"),
    ("shimx64.efi", "shim-signed", "usr/lib/shim/shimx64.efi.signed"),
    // What shim asks for, beside where it came from itself: it starts only what is signed.
    ("grubx64.efi", "grub-efi-amd64-signed", "usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed"),
    ("grubnetx64.efi", "grub-efi-amd64-bin", "usr/lib/grub/x86_64-efi/monolithic/grubnetx64.efi"),
    ("shimaa64.efi", "shim-signed", "usr/lib/shim/shimaa64.efi.signed"),
    ("grubaa64.efi", "grub-efi-arm64-signed", "usr/lib/grub/arm64-efi-signed/grubnetaa64.efi.signed"),
    ("grubnetaa64.efi", "grub-efi-arm64-bin", "usr/lib/grub/arm64-efi/monolithic/grubnetaa64.efi"),
    ("grubnetriscv64.efi", "grub-efi-riscv64-bin", "usr/lib/grub/riscv64-efi/monolithic/grubnetriscv64.efi"),
];

impl Loader {
    /// The file that a name stands for.
    pub fn of(name: &str) -> Option<Self> {
        if let Some((_, package, path)) = LOADERS.iter().find(|(known, ..)| *known == name) {
            return Some(Self { package, path: Cow::Borrowed(path) });
        }
        // PXELINUX's own modules: `ldlinux.c32` always, others for menus.
        let stem = name.strip_suffix(".c32")?;
        let is_plain =
            !stem.is_empty() && stem.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'_');
        let path = format!("usr/lib/syslinux/modules/bios/{name}");
        is_plain.then_some(Self { package: "syslinux-common", path: Cow::Owned(path) })
    }

    /// The file that the loader of this name asks for next, and cannot do without.
    pub fn second_stage(name: &str) -> Option<&'static str> {
        match name {
            "pxelinux.0" | "lpxelinux.0" => Some("ldlinux.c32"),
            "syslinux.efi" => Some("ldlinux.e64"),
            "shimx64.efi" => Some("grubx64.efi"),
            "shimaa64.efi" => Some("grubaa64.efi"),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_and_lead_nowhere_else() {
        for (name, expected) in [
            ("pxelinux.0", Some(("pxelinux", "usr/lib/PXELINUX/pxelinux.0"))),
            ("ldlinux.c32", Some(("syslinux-common", "usr/lib/syslinux/modules/bios/ldlinux.c32"))),
            (
                "grubx64.efi",
                Some(("grub-efi-amd64-signed", "usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed")),
            ),
            ("../ldlinux.c32", None),
            ("a/b.c32", None),
            (".c32", None),
            ("x.y.c32", None),
            ("vmlinuz", None),
            ("boot/pxelinux.0", None),
        ] {
            let found = Loader::of(name);
            assert_eq!(found.as_ref().map(|found| (found.package, &*found.path)), expected, "{name}");
        }
        for (name, ..) in LOADERS {
            assert!(Loader::second_stage(name).is_none_or(|next| Loader::of(next).is_some()), "{name}");
        }
    }
}
