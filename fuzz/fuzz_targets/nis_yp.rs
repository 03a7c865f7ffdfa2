#![no_main]

#[path = "../src/rpc.rs"]
#[allow(dead_code)]
mod rpc;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rpc::yp(bytes));
