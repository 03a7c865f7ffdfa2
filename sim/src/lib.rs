//! The world around the core, simulated. The core that runs here is the server's own.
//!
//! - [`chance`]: chance, from a seed;
//! - [`frame`]: what travels;
//! - [`world`]: the server with a store that can be slow, refuse, or lose what it has not yet kept;
//! - [`machine`]: machines, each with its own timers, patience and bugs;
//! - [`speaker`]: single packets of machines, for stories;
//! - [`scenario`]: stories in text, with every answer written down. They are in `scenarios/`.

pub mod chance;
pub mod frame;
pub mod machine;
pub mod scenario;
pub mod speaker;
pub mod world;
