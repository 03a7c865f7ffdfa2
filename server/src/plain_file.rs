//! Files that operators write, opened so that a pipe in the place of one stops nobody: whoever opens that waits for a writer.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::Path;

/// Opens a file for reading.
///
/// # Errors
/// The kernel's; or it is a pipe.
pub(crate) fn open(path: impl AsRef<Path>) -> io::Result<File> {
    // NONBLOCK means nothing for what is no pipe.
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path)?;
    if file.metadata()?.file_type().is_fifo() {
        return Err(io::Error::other("it is a pipe, and has to be a file"));
    }
    Ok(file)
}

/// Reads so much of a file at most.
///
/// # Errors
/// As [`open`], and the kernel's.
pub(crate) fn read(path: impl AsRef<Path>, octets_max: u64) -> io::Result<Vec<u8>> {
    let mut octets = Vec::new();
    open(path)?.take(octets_max).read_to_end(&mut octets)?;
    Ok(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_is_no_file_and_is_not_waited_for() {
        let directory = crate::testing::directory("plain-file");
        let path = directory.path().join("file");
        std::fs::write(&path, "0123456789").unwrap();
        assert_eq!(read(&path, 4).unwrap(), b"0123");
        assert_eq!(read("/dev/null", 4).unwrap(), b"");
        std::fs::remove_file(&path).unwrap();
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert_eq!(read(&path, 4).unwrap_err().to_string(), "it is a pipe, and has to be a file");
    }
}
