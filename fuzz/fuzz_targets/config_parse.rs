#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| heorot_fuzz::config_parse(bytes));
