//! Files that may be compressed, by their endings: modules and firmware, as distributions have them.

use flate2::read::GzDecoder;
use std::fs;
use std::io::{self, Read};
use std::path::Path;

#[cfg(test)]
mod tests;

/// Reads the file, and what it holds if it ends in `.gz`, `.xz` or `.zst`.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, String> {
    let trouble = |error: io::Error| format!("{}: {error}", path.display());
    let content = fs::read(path).map_err(trouble)?;
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    unpacked(&content, ending).map_err(trouble)
}

fn unpacked(content: &[u8], ending: &str) -> io::Result<Vec<u8>> {
    let mut plain = Vec::new();
    match ending {
        "gz" => GzDecoder::new(content).read_to_end(&mut plain)?,
        "xz" => lzma_rust2::XzReader::new(content, true).read_to_end(&mut plain)?,
        "zst" => {
            let mut decoder = ruzstd::decoding::StreamingDecoder::new(content).map_err(io::Error::other)?;
            decoder.read_to_end(&mut plain)?
        }
        _ => return Ok(content.to_vec()),
    };
    Ok(plain)
}
