//! One file a conversation. No service sees another.

pub mod view;
