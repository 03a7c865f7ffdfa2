#![no_main]

#[path = "../src/agent.rs"]
mod agent;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| agent::agent_read(bytes));
