//! Packs the inputs that a fuzzer found into one file, and lays them out again for it: `corpora pack DIRECTORY FILE`, `corpora unpack FILE DIRECTORY`.
//! `make fuzz` unpacks before it runs; after `cargo fuzz cmin` what is new is worth being packed.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    missing_docs,
    unreachable_pub,
    reason = "a tool beside the pure rooms: it reads and writes files"
)]

#[path = "src/corpus.rs"]
mod corpus;

use std::path::Path;
use std::process::ExitCode;
use std::{fs, io};

/// Longer inputs stay out: for a place that only they reach, the shortest that does is found again.
const INPUT_OCTETS_MAX: usize = 600;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["pack", directory, file] => pack(Path::new(directory), Path::new(file)),
        ["unpack", file, directory] => unpack(Path::new(file), Path::new(directory)),
        _ => {
            eprintln!("usage: corpora pack DIRECTORY FILE | unpack FILE DIRECTORY");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("corpora: {error}");
            ExitCode::FAILURE
        }
    }
}

/// In the order of their octets, so that the same inputs are the same file.
fn pack(directory: &Path, file: &Path) -> io::Result<()> {
    let mut inputs = Vec::new();
    for entry in fs::read_dir(directory)? {
        inputs.push(fs::read(entry?.path())?);
    }
    inputs.retain(|input| input.len() <= INPUT_OCTETS_MAX);
    inputs.sort();
    inputs.dedup();
    let mut packed = Vec::new();
    for input in inputs {
        packed.extend(u16::try_from(input.len()).map_err(io::Error::other)?.to_be_bytes());
        packed.extend(input);
    }
    fs::write(file, packed)
}

fn unpack(file: &Path, directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    for (number, input) in corpus::inputs(&fs::read(file)?).enumerate() {
        fs::write(directory.join(format!("kept-{number}")), input)?;
    }
    Ok(())
}
