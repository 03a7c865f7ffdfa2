#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| heorot_fuzz::requests_handle(bytes));
