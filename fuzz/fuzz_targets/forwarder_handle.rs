#![no_main]

#[path = "../src/forwarder.rs"]
mod forwarder;
#[path = "../src/resolver.rs"]
#[allow(dead_code)]
mod resolver;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| forwarder::forwarder_handle(bytes));
