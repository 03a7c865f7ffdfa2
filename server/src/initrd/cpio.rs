//! The archive that Linux unpacks as its first root (the kernel's `buffer-format.rst`: "newc" cpio).

#[cfg(test)]
mod tests;

/// An archive in the making. Parents have to come before what is in them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Archive {
    bytes: Vec<u8>,
    inodes: u32,
}

/// What most entries have not.
#[derive(Clone, Copy, Default)]
struct Facts {
    owner: (u32, u32),
    modified: u32,
    device: (u32, u32),
}

impl Archive {
    /// An empty one.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a directory that everyone may read.
    pub(crate) fn directory(&mut self, path: &str) {
        self.entry(path, DIRECTORY | 0o755, Facts::default(), &[]);
    }

    /// Adds a file with permission bits such as `0o755`.
    pub(crate) fn file(&mut self, path: &str, permissions: u32, content: &[u8]) {
        self.entry(path, FILE | permissions, Facts::default(), content);
    }

    /// Adds a symbolic link.
    pub(crate) fn link(&mut self, path: &str, target: &str) {
        self.entry(path, LINK | 0o777, Facts::default(), target.as_bytes());
    }

    /// Adds a character device with its major and minor number.
    pub(crate) fn character_device(&mut self, path: &str, major: u32, minor: u32) {
        self.entry(path, CHARACTER_DEVICE | 0o600, Facts { device: (major, minor), ..Facts::default() }, &[]);
    }

    /// Adds something of this kind and with these permissions (`st_mode`), by its user and group, changed at that second.
    pub(crate) fn owned(&mut self, path: &str, mode: u32, owner: (u32, u32), modified: u32, content: &[u8]) {
        self.entry(path, mode, Facts { owner, modified, ..Facts::default() }, content);
    }

    /// The whole archive.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.entry("TRAILER!!!", 0, Facts::default(), &[]);
        self.bytes
    }

    fn entry(&mut self, path: &str, mode: u32, facts: Facts, content: &[u8]) {
        let Facts { owner: (user, group), modified, device: (major, minor) } = facts;
        self.inodes += 1;
        let path = path.trim_start_matches('/');
        let size = u32::try_from(content.len()).expect("files of an initramfs are far below 4 GiB");
        let name_size = path.len() as u32 + 1;
        // ino mode uid gid nlink mtime filesize devmajor devminor rdevmajor rdevminor namesize check
        let fields = [self.inodes, mode, user, group, 1, modified, size, 0, 0, major, minor, name_size, 0];
        self.bytes.extend(b"070701");
        for field in fields {
            self.bytes.extend(format!("{field:08X}").as_bytes());
        }
        self.bytes.extend(path.as_bytes());
        self.bytes.push(0);
        self.pad();
        self.bytes.extend(content);
        self.pad();
    }

    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}

const FILE: u32 = 0o100_000;
const DIRECTORY: u32 = 0o040_000;
const CHARACTER_DEVICE: u32 = 0o020_000;
const LINK: u32 = 0o120_000;
