//! Skeleton.

// Not started by anything yet.
#[allow(dead_code)]
mod dns;

fn main() {}
