//! What the processes in a namespace used of the processor, and which one they may use.
//!
//! The kernel counts what it does for a process in that process's name, soft interrupts among it (without CONFIG_IRQ_TIME_ACCOUNTING), unless they are so many that
//! `ksoftirqd` takes over: its time on the server's processor is counted as well.

use heorot_lab::namespace::Namespace;
use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;
use std::fs;
use std::time::Duration;

/// The processor of servers, and that of clients.
pub(crate) const OF_SERVERS: usize = 0;
pub(crate) const OF_CLIENTS: usize = 1;

/// The unit of /proc: sysconf(_SC_CLK_TCK), which is 100 on every Linux that we know.
const TICK: Duration = Duration::from_millis(10);

/// Lets all threads of all processes in the namespace run on this processor only.
pub(crate) fn pin(namespace: &Namespace, processor: usize) -> Result<(), String> {
    for process in namespace.processes()? {
        for thread in fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten() {
            if let Some(thread) = thread.file_name().to_str().and_then(|name| name.parse().ok()) {
                set(Pid::from_raw(thread), processor)?;
            }
        }
    }
    Ok(())
}

/// Lets this thread run on this processor only.
pub(crate) fn pin_this_thread(processor: usize) -> Result<(), String> {
    set(Pid::from_raw(0), processor)
}

fn set(thread: Pid, processor: usize) -> Result<(), String> {
    let mut set = CpuSet::new();
    set.set(processor).map_err(|error| error.to_string())?;
    sched_setaffinity(thread, &set)
        .map_err(|error| format!("processor {processor}: {error}: two processors are needed"))
}

/// What all processes in the namespace, their children that are gone, and soft interrupts on the servers' processor have used.
pub(crate) fn used(namespace: &Namespace) -> Result<Duration, String> {
    let processes = namespace.processes()?.into_iter().filter_map(ticks_of);
    let interrupts = ksoftirqd(OF_SERVERS).and_then(ticks_of).unwrap_or(0);
    let ticks: u64 = processes.sum::<u64>() + interrupts;
    Ok(TICK * u32::try_from(ticks).map_err(|error| error.to_string())?)
}

/// What all processors have done since the start, for whomever.
pub(crate) fn used_by_all() -> Result<Duration, String> {
    let text = fs::read_to_string("/proc/stat").map_err(|error| format!("/proc/stat: {error}"))?;
    let ticks = busy_ticks(&text).ok_or("/proc/stat does not begin as proc_stat(5) says")?;
    Ok(TICK * u32::try_from(ticks).map_err(|error| error.to_string())?)
}

/// All but idle and iowait of the first line of /proc/stat; what guests used is in the user's time already.
fn busy_ticks(stat: &str) -> Option<u64> {
    let fields: Vec<u64> = stat
        .lines()
        .next()?
        .strip_prefix("cpu ")?
        .split_whitespace()
        .map_while(|field| field.parse().ok())
        .collect();
    let [user, nice, system, _, _, interrupts, soft, stolen, ..] = fields[..] else { return None };
    Some(user + nice + system + interrupts + soft + stolen)
}

/// Waits until others have left the machine alone for a moment, but not for ever.
pub(crate) fn wait_for_quiet(patience: Duration) -> Result<(), String> {
    const MOMENT: Duration = Duration::from_millis(300);
    let began = std::time::Instant::now();
    while began.elapsed() < patience {
        let before = used_by_all()?;
        std::thread::sleep(MOMENT);
        if used_by_all()? - before < MOMENT / 8 {
            break;
        }
    }
    Ok(())
}

fn ksoftirqd(processor: usize) -> Option<i32> {
    let name = format!("ksoftirqd/{processor}\n");
    let processes = fs::read_dir("/proc").ok()?.flatten();
    let mut numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    numbers.find(|process| fs::read_to_string(format!("/proc/{process}/comm")).is_ok_and(|comm| comm == name))
}

fn ticks_of(process: i32) -> Option<u64> {
    ticks(&fs::read_to_string(format!("/proc/{process}/stat")).ok()?)
}

/// utime, stime, cutime and cstime of proc_pid_stat(5), fields 14 to 17. The name, field 2, may have any characters.
fn ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let fields: Vec<u64> =
        fields.split_whitespace().skip(11).take(4).map_while(|field| field.parse().ok()).collect();
    (fields.len() == 4).then(|| fields.iter().sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_busy_is_neither_idle_nor_waiting() {
        assert_eq!(busy_ticks("cpu  10 20 30 4000 500 6 7 8 9 0\ncpu0 1 2 3\n"), Some(81));
        assert_eq!(busy_ticks("intr 1"), None);
    }

    #[test]
    fn the_times_of_a_process_and_its_children() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 100 0 0 0 11 22 33 44 20 0 1 0 100 200 300";
        assert_eq!(ticks(stat), Some(110));
        assert_eq!(ticks("7 (a) S 1"), None);
    }
}
