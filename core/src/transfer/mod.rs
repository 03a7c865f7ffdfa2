//! The TFTP machine: RFC 1350, 2347-2349, 7440.
//!
//! [`Transfers`] has the form of [`Heorot`](crate::Heorot): it takes a moment and one [`Input`], and says what is to be done as [`Output`]s.
//! It never holds the bytes of a file: what is to be sent is named (image, offset, length), and whoever carries it out fetches them.

mod message;

pub use message::{
    Block, Body, ImageId, ImageIdentity, Input, Note, Opened, Output, Port, Refusal, Send, Transfer,
    TransferId, Unsent,
};
