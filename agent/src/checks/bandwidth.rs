//! How fast a file comes from the server.

use super::Check;
use super::amount::at_least;
use crate::http::{self, Url};
use crate::quantity;
use std::io::Read;
use std::time::Instant;

/// `bandwidth`: at least so many bits in a second, over so many bytes. A small file is fetched again and again.
pub(super) fn look(check: &Check, url: &Url) -> Result<String, String> {
    let wanted = check.at_least(quantity::bits_per_second)?;
    let size = check.size()?.unwrap_or(USUAL_BYTES);
    let file = check.file.as_deref().ok_or("the check names no file")?;
    let source = Url { path: format!("/{}", file.trim_start_matches('/')), ..url.clone() };
    let start = Instant::now();
    let mut got = 0;
    let mut buffer = vec![0; 64 << 10];
    while got < size {
        let mut answer = http::download(&source, 0, None).map_err(|error| format!("{source}: {error}"))?;
        if answer.status != 200 {
            return Err(format!("{source}: {}", answer.status));
        }
        let before = got;
        while got < size {
            match answer.read(&mut buffer).map_err(|error| format!("{source}: {error}"))? {
                0 => break,
                read => got += read as u64,
            }
        }
        if got == before {
            return Err(format!("{source} is empty"));
        }
    }
    at_least(rate(got, start.elapsed().as_secs_f64()), wanted, quantity::show_rate)
}

/// In bits a second, to three digits: more would be noise.
fn rate(bytes: u64, seconds: f64) -> u64 {
    let rate = bytes as f64 * 8.0 / seconds.max(1e-6);
    let unit = 10_f64.powf(rate.max(1.0).log10().floor() - 2.0).max(1.0);
    ((rate / unit).round() * unit) as u64
}

/// Half a second of a gigabit.
const USUAL_BYTES: u64 = 64 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_have_three_digits() {
        for (bytes, seconds, expected) in
            [(64 << 20, 0.5, 1_070_000_000), (1_000_000, 1.0, 8_000_000), (1, 8.0, 1), (0, 1.0, 0)]
        {
            assert_eq!(rate(bytes, seconds), expected);
        }
    }
}
