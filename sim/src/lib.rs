//! The world around the core, simulated. The core that runs here is the server's own.
//!
//! - [`run`]: a server and its machines in one network, from the first moment to the last, by a plan;
//! - [`network`]: links with rate, queue, delay and weather; [`frame`]: what travels;
//! - [`server`]: the core with a simulated kernel, disk and store around it;
//! - [`machine`]: machines, each with its own timers, patience and bugs;
//! - [`restore`]: power comes back to all of them; [`report`]: what came of it; [`picture`]: how that looks;
//! - [`seed`]: a run that a number decides, in bad weather; `reference`: a naive model that walks beside the server;
//! - [`moments`], [`chance`]: what happens next, and what by chance;
//! - [`world`], [`speaker`], [`scenario`]: stories in text, with every answer written down. They are in `scenarios/`.

pub mod chance;
mod draw;
pub mod frame;
mod happening;
pub mod machine;
pub mod moments;
pub mod network;
pub mod picture;
mod reference;
pub mod report;
pub mod restore;
pub mod run;
pub mod scenario;
pub mod seed;
pub mod server;
mod slab;
pub mod speaker;
mod surroundings;
mod watch;
pub mod world;
