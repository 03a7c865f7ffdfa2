//! One file a conversation. No service sees another.

pub(crate) mod boot;
pub(crate) mod control;
pub(crate) mod dhcp;
pub(crate) mod update;
pub mod view;
