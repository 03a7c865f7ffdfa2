//! A file system that stands still: by the kernel's protocol for file systems in programs (fuse(4)), as small as it can be. It has two files: `quick`, and `stands`, of which nothing is read until it may be.

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// The octets of either file.
pub(crate) const OCTETS: u64 = 600_000;
const NAMES: [&str; 2] = ["quick", "stands"];
/// Nodes: the root, and the files in their order.
const ROOT: u64 = 1;
const STANDS: u64 = 3;

/// The file system; it goes with its value.
pub(crate) struct Standing {
    place: PathBuf,
    device: File,
    held: Arc<Mutex<Held>>,
}

/// Reads that are not answered, and whether they will be from now on.
#[derive(Default)]
struct Held {
    reads: Vec<(u64, u64, u32)>,
    is_released: bool,
}

impl Standing {
    /// Mounted at a new place, in the thread's space of mounts ([`super::with_mounts`]).
    pub(crate) fn at(place: PathBuf) -> Self {
        std::fs::create_dir(&place).unwrap();
        let device = OpenOptions::new().read(true).write(true).open("/dev/fuse").unwrap();
        let options = format!("fd={},rootmode=40000,user_id=0,group_id=0,allow_other", device.as_raw_fd());
        mount(Some("standing"), &place, Some("fuse"), MsFlags::empty(), Some(options.as_str())).unwrap();
        let held: Arc<Mutex<Held>> = Arc::default();
        let (asked, answers) = (device.try_clone().unwrap(), Arc::clone(&held));
        std::thread::spawn(move || serve(asked, &answers));
        Self { place, device, held }
    }

    /// How many reads wait.
    pub(crate) fn held(&self) -> usize {
        self.held.lock().unwrap().reads.len()
    }

    /// It answers from now on, also what was asked before.
    pub(crate) fn release(&self) {
        let mut held = self.held.lock().unwrap();
        held.is_released = true;
        for (unique, offset, octets) in std::mem::take(&mut held.reads) {
            answer(&self.device, unique, 0, &content(offset, octets));
        }
    }
}

impl Drop for Standing {
    fn drop(&mut self) {
        // Whoever waits for it is told that it is gone.
        let _ = umount2(&self.place, MntFlags::MNT_FORCE);
        let _ = umount2(&self.place, MntFlags::MNT_DETACH);
    }
}

fn serve(mut device: File, held: &Mutex<Held>) {
    let mut room = vec![0; 256 * 1024];
    while let Ok(octets) = device.read(&mut room) {
        let message = &room[..octets];
        let long = |at: usize| u64::from_ne_bytes(message[at..at + 8].try_into().unwrap());
        let short = |at: usize| u32::from_ne_bytes(message[at..at + 4].try_into().unwrap());
        // The head: length, what is asked, which question, of which node.
        let (asked, unique, node) = (short(4), long(8), long(16));
        let body = match asked {
            // LOOKUP: by name.
            1 => {
                let name = message[40..].split(|octet| *octet == 0).next().unwrap();
                let Some(place) = NAMES.iter().position(|known| known.as_bytes() == name) else {
                    answer(&device, unique, libc::ENOENT, &[]);
                    continue;
                };
                let node = ROOT + 1 + place as u64;
                [node.to_ne_bytes().as_slice(), &[0; 32], &attributes(node)].concat()
            }
            // GETATTR.
            3 => [[0; 16].as_slice(), &attributes(node)].concat(),
            // OPEN and OPENDIR.
            14 | 27 => vec![0; 16],
            // READ: the file's handle, where, how much.
            15 => {
                let (offset, octets) = (long(48), short(56));
                let mut held = held.lock().unwrap();
                if node == STANDS && !held.is_released {
                    held.reads.push((unique, offset, octets));
                    continue;
                }
                content(offset, octets)
            }
            // FLUSH, RELEASE and RELEASEDIR.
            18 | 25 | 29 => Vec::new(),
            // INIT: the version, what is read ahead at most, flags, and what may be under way.
            26 => {
                let mut body = [7_u32, 31, 128 * 1024, 0].map(u32::to_ne_bytes).concat();
                body.extend([12_u16, 10].map(u16::to_ne_bytes).concat());
                body.extend([128 * 1024_u32, 1].map(u32::to_ne_bytes).concat());
                body.resize(64, 0);
                body
            }
            // FORGET, INTERRUPT and BATCH_FORGET are not answered.
            2 | 36 | 42 => continue,
            _ => {
                answer(&device, unique, libc::ENOSYS, &[]);
                continue;
            }
        };
        answer(&device, unique, 0, &body);
    }
}

fn answer(mut device: &File, unique: u64, error: i32, body: &[u8]) {
    let octets = 16 + body.len() as u32;
    let head = [octets.to_ne_bytes().as_slice(), &(-error).to_ne_bytes(), &unique.to_ne_bytes()].concat();
    // Whoever asked may have gone.
    let _ = device.write(&[head.as_slice(), body].concat());
}

/// What either file holds there.
pub(crate) fn content(offset: u64, octets: u32) -> Vec<u8> {
    let end = OCTETS.min(offset + u64::from(octets));
    (offset..end.max(offset)).map(|at| (at % 251) as u8).collect()
}

fn attributes(node: u64) -> Vec<u8> {
    let is_root = node == ROOT;
    let size = if is_root { 0 } else { OCTETS };
    let mut all = [node, size, 0, 1, 1, 1].map(u64::to_ne_bytes).concat();
    let mode = if is_root { libc::S_IFDIR | 0o755 } else { libc::S_IFREG | 0o644 };
    all.extend([0, 0, 0, mode, 1, 0, 0, 0, 4096, 0].map(u32::to_ne_bytes).concat());
    all
}
