//! The library's own name, by which glibc looks for it, and that it stays loaded: what it keeps must not vanish under a thread.

#![allow(clippy::print_stdout, reason = "cargo reads it")]

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    for argument in ["-soname,libnss_heorot.so.2", "-z,nodelete", "-z,now"] {
        println!("cargo:rustc-cdylib-link-arg=-Wl,{argument}");
    }
}
