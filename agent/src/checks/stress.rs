//! All processors and much of the memory at work, and whether they reckon right: patterns are written and read again, and the same sum is done
//! again and again. What the kernel says of its memory's errors counts too.

use super::{Check, entries, line, time};
use crate::{facts, quantity};
use std::hint::black_box;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// `stress`: for so long, over so much memory at most.
pub(super) fn look(check: &Check, root: &Path) -> Result<String, String> {
    let duration = duration(check)?;
    let processors = facts::processors();
    let free = facts::available_bytes(root).ok_or("the kernel does not tell how much memory is free")?;
    // What else runs here, the kernel above all, is to live on.
    let bytes = check.size()?.unwrap_or(u64::MAX).min(free / 2);
    let before = MemoryErrors::read(root);
    let (passes, bytes) = work(processors, bytes, duration)?;
    let mut said = format!(
        "{} s on {processors} processors with {}: {passes} passes without an error",
        duration.as_secs(),
        quantity::show_bytes(bytes)
    );
    if let Some((before, now)) = before.zip(MemoryErrors::read(root)) {
        let [uncorrected, corrected] = now.since(before);
        if uncorrected > 0 {
            return Err(format!("the memory had {uncorrected} errors that could not be corrected"));
        }
        said += &format!(", {corrected} corrected by the memory");
    }
    Ok(said)
}

/// How long it lasts.
pub(super) fn duration(check: &Check) -> Result<Duration, String> {
    time(check.duration.as_deref().ok_or("the check does not say for how long")?)
}

/// Has each processor work on its part of the memory until the time is over, or one found an error. How often a part was gone through, and how much memory it was.
fn work(processors: usize, bytes: u64, duration: Duration) -> Result<(u64, u64), String> {
    let words = usize::try_from(bytes / 8 / processors as u64).unwrap_or(usize::MAX);
    let (end, is_wrong) = (Instant::now() + duration, AtomicBool::new(false));
    let (passes, filled) = (AtomicU64::new(0), AtomicU64::new(0));
    let wanted = sum(SEED);
    let worker = |number: u64| -> Result<(), String> {
        let mut memory = Vec::new();
        // As much as there is: another may have taken it meanwhile.
        let most = std::iter::successors(Some(words), |words| Some(words / 2));
        let words =
            most.take_while(|words| *words > 0).find(|words| memory.try_reserve_exact(*words).is_ok());
        memory.resize(words.unwrap_or(0), 0_u64);
        filled.fetch_add(memory.len() as u64 * 8, Ordering::Relaxed);
        let mut pass = 0;
        while Instant::now() < end && !is_wrong.load(Ordering::Relaxed) {
            let outcome = turn(&mut memory, pass ^ (number << 32), wanted, end);
            if let Err(error) = outcome {
                is_wrong.store(true, Ordering::Relaxed);
                return Err(format!("processor {number}: {error}"));
            }
            pass += 1;
            passes.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    };
    thread::scope(|scope| {
        let worker = &worker;
        let workers: Vec<_> =
            (0..processors as u64).map(|number| scope.spawn(move || worker(number))).collect();
        let outcomes: Vec<_> = workers.into_iter().map(thread::ScopedJoinHandle::join).collect();
        outcomes
            .into_iter()
            .try_for_each(|outcome| outcome.unwrap_or_else(|_| Err("a worker died".to_owned())))
    })?;
    Ok((passes.into_inner(), filled.into_inner()))
}

/// Writes a pattern that is another at each place, does sums, and reads it again. It ends early at `end`, having read what it wrote.
fn turn(memory: &mut [u64], seed: u64, wanted: u64, end: Instant) -> Result<(), String> {
    let mut written = 0;
    for (number, chunk) in memory.chunks_mut(CHUNK_WORDS).enumerate() {
        let mut pattern = Pattern::new(seed, number);
        chunk.iter_mut().for_each(|word| *word = pattern.next());
        written += 1;
        if Instant::now() >= end {
            break;
        }
    }
    for _ in 0..SUMS {
        let found = sum(black_box(SEED));
        if found != wanted {
            return Err(format!("a sum is {found:016x}, and was {wanted:016x}"));
        }
    }
    let memory = black_box(memory);
    for (number, chunk) in memory.chunks(CHUNK_WORDS).take(written).enumerate() {
        let mut pattern = Pattern::new(seed, number);
        for (place, word) in chunk.iter().enumerate() {
            let wanted = pattern.next();
            if *word != wanted {
                let place = (number * CHUNK_WORDS + place) * 8;
                return Err(format!("at byte {place} of its memory is {word:016x}, and was {wanted:016x}"));
            }
        }
    }
    Ok(())
}

/// Numbers that look like chance, the same for the same seed and place (xorshift64*). Every other one is turned over, so that each bit is often beside its opposite.
struct Pattern(u64);

impl Pattern {
    fn new(seed: u64, number: usize) -> Self {
        Self((seed ^ (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
}

/// A sum of integers and fractions in which every step needs the one before: a wrong bit anywhere makes another end.
fn sum(seed: u64) -> u64 {
    let (mut whole, mut part) = (seed, 1.0_f64);
    for _ in 0..SUM_STEPS {
        whole = whole.rotate_left(23).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ part.to_bits();
        part = (part * 1.000_000_1 + (whole & 0xffff) as f64 / 65_536.0).sqrt() + 0.5;
    }
    whole ^ part.to_bits()
}

/// What the memory controllers count (EDAC).
#[derive(Clone, Copy)]
struct MemoryErrors([u64; 2]);

impl MemoryErrors {
    /// `None` where nobody counts.
    fn read(root: &Path) -> Option<Self> {
        let controllers = entries(&root.join("sys/devices/system/edac/mc"));
        let count = |field: &str| {
            let counts = controllers.iter().filter_map(|mc| line(&mc.join(field))?.parse::<u64>().ok());
            counts.reduce(u64::saturating_add)
        };
        Some(Self([count("ue_count")?, count("ce_count")?]))
    }

    fn since(self, before: Self) -> [u64; 2] {
        [self.0[0].saturating_sub(before.0[0]), self.0[1].saturating_sub(before.0[1])]
    }
}

/// Half a megabyte: after each it is looked whether the time is over.
const CHUNK_WORDS: usize = 64 << 10;
const SUMS: usize = 8;
const SUM_STEPS: u32 = 20_000;
const SEED: u64 = 0x6865_6f72_6f74_0001;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sound_memory_passes_and_a_wrong_bit_is_found() {
        let later = Instant::now() + Duration::from_secs(600);
        let wanted = sum(SEED);
        let mut memory = vec![0; CHUNK_WORDS + 1000];
        assert_eq!(turn(&mut memory, 7, wanted, later), Ok(()));
        // What was written is not always the same.
        let before = memory.clone();
        assert_eq!(turn(&mut memory, 8, wanted, later), Ok(()));
        assert!(before.iter().zip(&memory).all(|(before, now)| before != now));
        let error = turn(&mut memory, 8, wanted ^ 1, later).expect_err("a processor that reckons wrong");
        assert!(error.starts_with("a sum is "), "{error}");
    }

    #[test]
    fn it_ends_when_the_time_is_over() {
        let start = Instant::now();
        let (passes, bytes) = work(2, 4 << 20, Duration::from_millis(300)).expect("memory that works");
        assert_eq!(bytes, 4 << 20);
        assert!(passes > 0);
        assert!((300..20_000).contains(&start.elapsed().as_millis()));
    }
}
