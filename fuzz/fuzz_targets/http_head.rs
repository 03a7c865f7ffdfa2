#![no_main]

// The server is a program and no library: what reads heads is built in here.
#[path = "../../server/src/http"]
#[allow(dead_code)]
mod http {
    mod calendar;
    #[path = "../../../fuzz/src/http.rs"]
    pub(crate) mod fuzz;
    mod head;
    mod selection;
    mod text;
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| http::fuzz::http_head(bytes));
