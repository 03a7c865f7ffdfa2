//! What several tests need.

use crate::images::directory::BootDirectory;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

pub(crate) mod standing;

/// What fuzzers found, as it is kept.
#[path = "../../fuzz/src/corpus.rs"]
#[allow(missing_docs, unreachable_pub)]
pub(crate) mod corpus;

/// A directory that goes with its value.
pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Boot files in a directory, and nowhere else.
pub(crate) fn boot_files(directory: &Directory) -> BootDirectory {
    BootDirectory::new(&directory.path().to_string_lossy(), None)
}

/// A fresh, empty directory.
pub(crate) fn directory(name: &str) -> Directory {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("heorot-test-{}-{name}-{count}", std::process::id()));
    std::fs::create_dir_all(&path).unwrap();
    Directory(path)
}

/// Runs a test in a network namespace of its own, which goes with the thread. It is given the two ends of a wire, which keeps its order as one of copper does:
/// the kernel hands frames over on the processor that sends them, and those of two processors overtake each other.
pub(crate) fn with_a_wire(test: impl FnOnce(u32, u32) + Send + 'static) {
    let run = || {
        nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET)
            .expect("a network namespace of its own: run the tests as root");
        let mut one = nix::sched::CpuSet::new();
        one.set(rustix::thread::sched_getcpu()).unwrap();
        nix::sched::sched_setaffinity(nix::unistd::Pid::from_raw(0), &one).unwrap();
        run_command("ip link add v0 type veth peer name v1");
        run_command("ip link set v0 up");
        run_command("ip link set v1 up");
        let index = |name| nix::net::if_::if_nametoindex(name).unwrap();
        test(index("v0"), index("v1"));
    };
    std::thread::spawn(run).join().unwrap();
}

/// Runs a test where file systems of its own can be mounted, which go with its threads.
pub(crate) fn with_mounts(test: impl FnOnce() + Send + 'static) {
    let run = || {
        nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNS)
            .expect("mounts of its own: run the tests as root");
        run_command("mount --make-rprivate /");
        test();
    };
    std::thread::spawn(run).join().unwrap();
}

/// Runs a command that has to succeed; words are parted by spaces.
pub(crate) fn run_command(text: &str) {
    let mut words = text.split(' ');
    let status = std::process::Command::new(words.next().unwrap()).args(words).status().unwrap();
    assert!(status.success(), "{text}");
}
