//! What is known about the cluster. No packet is seen here.

pub mod boot;
pub mod chatter;
pub(crate) mod dynamic;
pub mod export;
pub mod free;
pub mod heard;
pub mod last_end;
pub mod lease;
pub mod listed;
pub mod loader_file;
pub(crate) mod naming;
pub mod network;
pub mod node;
pub mod orders;
pub mod other_server;
pub mod pin;
pub mod plan;
pub mod probe;
pub mod quirk;
pub mod record;
pub mod reservation;
pub mod secrets;
pub mod shadow;
pub mod stage;
pub mod trial;
pub mod unanswered;
