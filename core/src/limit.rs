//! Every bound of the core, with its reason.

mod boot;
mod cluster;
mod configuration;
mod dhcp;
mod dns;
mod http;
mod journal;
mod load;
mod overlay;
mod tftp;

pub use boot::*;
pub use cluster::*;
pub use configuration::*;
pub use dhcp::*;
pub use dns::*;
pub use http::*;
pub use journal::*;
pub use load::*;
pub use overlay::*;
pub use tftp::*;
