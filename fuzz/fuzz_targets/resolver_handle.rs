#![no_main]

#[path = "../src/resolver.rs"]
mod resolver;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| resolver::resolver_handle(bytes));
