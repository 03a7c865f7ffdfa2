//! What is known about the cluster. No packet is seen here.

pub mod record;
