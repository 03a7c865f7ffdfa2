//! libnss_heorot.so.2: glibc's name service switch resolves the cluster's names by it, in every program, without asking anybody.
//!
//! `hosts: files heorot dns` in `/etc/nsswitch.conf` is all that is needed beside the names file, `/etc/heorot/names`
//! ([`heorot_names::file`]), which the server writes on the head node and the agent on a node. Node 23's name and address are
//! arithmetic: there is no server to reach, no socket, no thread, and no table that could be out of step.
//!
//! - `hosts`, `networks`, `ethers`, `netgroup`: the functions that glibc calls, one file a database;
//! - `source`: the file as it was read last, and what walks over all of it;
//! - `answer`: how an answer is laid into the caller's memory, and how a refusal is told.
//!
//! This code runs in processes of others, also in privileged ones. Therefore: it reads no environment variable; a look-up is one
//! `stat` and no allocation; memory that is short and a panic are answers ("unavailable") and no end of the process; nothing waits for a
//! lock, which after a fork may be nobody's any more; no file stays open.

#![allow(unsafe_code, reason = "the interface is C's: pointers, lengths and memory of the caller")]

mod answer;
mod ethers;
mod hosts;
mod netgroup;
mod networks;
mod source;

use source::Source;

/// The file that server and agent write.
static SOURCE: Source = Source::at(c"/etc/heorot/names");

/// A panic is an answer and says nothing: without this, std would look for an environment variable and write to the process's stderr.
extern "C" fn quiet() {
    std::panic::set_hook(Box::new(|_| {}));
}

/// Called when the library is loaded, before any of its functions.
#[used]
#[unsafe(link_section = ".init_array")]
static QUIET: extern "C" fn() = quiet;
