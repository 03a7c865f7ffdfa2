//! The sizes, rates and times that checks are written with: `1GiB`, `2.5Gbit`, `60s`.

use std::time::Duration;

#[cfg(test)]
mod tests;

/// Bytes in `512MiB`, `1GB`, `4096`: powers of 1024 with an `i`, of 1000 without.
#[must_use]
pub fn bytes(text: &str) -> Option<u64> {
    scaled(
        text,
        &[
            ("", 1),
            ("B", 1),
            ("kB", 1000),
            ("KB", 1000),
            ("MB", 1_000_000),
            ("GB", 1_000_000_000),
            ("TB", 1_000_000_000_000),
            ("KiB", 1 << 10),
            ("MiB", 1 << 20),
            ("GiB", 1 << 30),
            ("TiB", 1 << 40),
        ],
    )
}

/// Bits per second in `100Mbit`, `2.5Gbit`.
#[must_use]
pub fn bits_per_second(text: &str) -> Option<u64> {
    scaled(text, &[("bit", 1), ("kbit", 1000), ("Mbit", 1_000_000), ("Gbit", 1_000_000_000)])
}

/// A time in `500ms`, `60s`, `5m`, `2h`.
#[must_use]
pub fn duration(text: &str) -> Option<Duration> {
    let milliseconds =
        scaled(text, &[("ms", 1), ("s", 1000), ("m", 60_000), ("min", 60_000), ("h", 3_600_000)])?;
    Some(Duration::from_millis(milliseconds))
}

/// Bytes as a person reads them: `512.0 MiB`.
#[must_use]
pub fn show_bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} bytes") } else { format!("{value:.1} {}", UNITS[unit]) }
}

/// A rate as a person reads it: `2.5 Gbit/s`.
#[must_use]
pub fn show_rate(bits_per_second: u64) -> String {
    match bits_per_second {
        1_000_000_000.. => format!("{} Gbit/s", bits_per_second as f64 / 1e9),
        1_000_000.. => format!("{} Mbit/s", bits_per_second as f64 / 1e6),
        _ => format!("{bits_per_second} bit/s"),
    }
}

/// A number, perhaps with a fraction of up to three digits, and one of the units.
fn scaled(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let text = text.trim();
    let end = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let (_, scale) = units.iter().find(|(name, _)| *name == unit.trim())?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if fraction.len() > 3 {
        return None;
    }
    let thousandths = format!("{fraction:0<3}").parse::<u64>().ok()?;
    let whole = whole.parse::<u64>().ok()?.checked_mul(*scale)?;
    whole.checked_add(scale.checked_mul(thousandths)? / 1000)
}
