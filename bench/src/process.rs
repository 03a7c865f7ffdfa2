//! What the kernel says of a process.

use std::fs;
use std::time::Duration;

/// Clock ticks of a second in /proc: of every Linux that we meet (proc_pid_stat(5), sysconf(_SC_CLK_TCK)).
const TICKS_A_SECOND: u64 = 100;

/// The time that all its threads had a processor, those that have ended included.
///
/// The kernel adds to it what it does on the process's time: the system calls, and the softirqs that end them. On a veth that is the whole way of a frame that
/// is sent, to the other end's socket. What it takes to receive a frame is the sender's.
pub(crate) fn processor_time(process: u32) -> Option<Duration> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name in brackets may hold anything.
    let (_, fields) = text.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11).map(str::parse::<u64>);
    let (user, system) = (fields.next()?.ok()?, fields.next()?.ok()?);
    Some(Duration::from_millis((user + system) * (1000 / TICKS_A_SECOND)))
}

/// Octets of it in memory, and the most that it ever had.
pub(crate) fn memory_octets(process: u32) -> Option<(u64, u64)> {
    let text = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    Some((field(&text, "VmRSS:")? * 1024, field(&text, "VmHWM:")? * 1024))
}

/// How often its threads have gone to sleep: as often as they were woken.
pub(crate) fn sleeps(process: u32) -> Option<u64> {
    let threads = fs::read_dir(format!("/proc/{process}/task")).ok()?;
    let of_thread = |thread: fs::DirEntry| {
        let text = fs::read_to_string(thread.path().join("status")).ok()?;
        field(&text, "voluntary_ctxt_switches:")
    };
    threads.flatten().map(of_thread).sum()
}

/// Whether somebody in its network namespace has bound this UDP port.
pub(crate) fn listens(process: u32, port: u16) -> bool {
    let text = fs::read_to_string(format!("/proc/{process}/net/udp")).unwrap_or_default();
    let wanted = format!(":{port:04X}");
    text.lines().any(|line| line.split_whitespace().nth(1).is_some_and(|local| local.ends_with(&wanted)))
}

/// The file system of a path: its type and what is mounted.
pub(crate) fn file_system(path: &std::path::Path) -> String {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let of_line = |line: &str| {
        let mut words = line.split_whitespace();
        let (device, point, kind) = (words.next()?, words.next()?, words.next()?);
        path.starts_with(point).then(|| (point.len(), format!("{kind} on {device}")))
    };
    // The last of equally long ones covers those before.
    let found = mounts.lines().filter_map(of_line).max_by_key(|(length, _)| *length);
    found.map_or_else(|| "an unknown file system".into(), |(_, what)| what)
}

fn field(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_works_has_used_its_time_and_memory() {
        let own = std::process::id();
        let before = processor_time(own).unwrap();
        let (mut sum, start) = (0_u64, std::time::Instant::now());
        while start.elapsed() < Duration::from_millis(200) {
            sum = std::hint::black_box(sum.wrapping_mul(3) + 1);
        }
        let used = processor_time(own).unwrap() - before;
        assert!(used >= Duration::from_millis(50), "{used:?}");
        let (now, most) = memory_octets(own).unwrap();
        assert!(now > 100_000 && most >= now, "{now} {most}");
    }

    #[test]
    fn whoever_sleeps_is_counted() {
        let before = sleeps(std::process::id()).unwrap();
        for _ in 0..5 {
            std::thread::sleep(Duration::from_millis(1));
        }
        assert!(sleeps(std::process::id()).unwrap() >= before + 5);
    }

    #[test]
    fn a_bound_port_is_seen() {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        assert!(listens(std::process::id(), port));
        drop(socket);
        assert!(!listens(std::process::id(), port));
    }

    #[test]
    fn the_root_is_on_some_file_system() {
        assert!(file_system(std::path::Path::new("/proc/self")).starts_with("proc"));
    }
}
