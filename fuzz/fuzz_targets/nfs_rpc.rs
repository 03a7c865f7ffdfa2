#![no_main]

#[path = "../src/nfs.rs"]
mod nfs;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| nfs::rpc(bytes));
