//! A file as a block device, read-only (loop(4)).

use nix::errno::Errno;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

/// Makes the file a block device, and returns that one's path.
///
/// # Errors
/// What the kernel answered.
pub fn attach(file: &Path) -> io::Result<PathBuf> {
    let file = File::open(file)?;
    let control = OpenOptions::new().read(true).write(true).open("/dev/loop-control")?;
    loop {
        let number = ioctl(&control, GET_FREE, 0)?;
        let path = PathBuf::from(format!("/dev/loop{number}"));
        let device = File::open(&path)?;
        match ioctl(&device, SET_FILE, file.as_raw_fd()) {
            Ok(_) => return Ok(path),
            // Somebody else took it: there is another one.
            Err(error) if error.raw_os_error() == Some(Errno::EBUSY as i32) => {}
            Err(error) => return Err(error),
        }
    }
}

// None of the libraries in use has these two, which take a plain number and no pointer.

#[expect(unsafe_code, reason = "ioctl(2) is not typed")]
fn ioctl(file: &File, request: libc::Ioctl, argument: i32) -> io::Result<i32> {
    // SAFETY: both requests take an integer by value and touch none of this program's memory.
    let outcome = unsafe { libc::ioctl(file.as_raw_fd(), request, libc::c_long::from(argument)) };
    if outcome < 0 { Err(io::Error::last_os_error()) } else { Ok(outcome) }
}

/// LOOP_CTL_GET_FREE
const GET_FREE: libc::Ioctl = 0x4c82;
/// LOOP_SET_FD
const SET_FILE: libc::Ioctl = 0x4c00;
