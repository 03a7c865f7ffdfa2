//! What the threads of HTTP and DNS ask the loop. What machines ask by HTTP comes as [`News`](crate::http::News).

use crate::dns::Told;
use heorot_core::message::{Answer, Query, UpdateId};
use heorot_core::transfer::Refusal;
use heorot_names::{Dynamic, HostsLine};
use std::net::Ipv4Addr;
use std::sync::Arc;
use tokio::sync::oneshot;

/// A question, or something the loop should know. A dropped `reply` means that the server ends.
#[derive(Debug)]
pub(crate) enum Ask {
    /// An operator asks.
    Operator {
        /// What. What the loop counts for a status it fills in itself.
        query: Query,
        /// Where the answer goes.
        reply: oneshot::Sender<Answer>,
    },
    /// This machine takes what we send it.
    SignOfLife(Ipv4Addr),
    /// A file that the loop gave a machine leave to have is not to be had.
    Unavailable {
        /// Who asked.
        from: Ipv4Addr,
        /// The file, relative to the boot directory.
        path: String,
        /// Why.
        refusal: Refusal,
    },
    /// A machine ended HTTPS before it had begun.
    Distrusts {
        /// Who.
        from: Ipv4Addr,
        /// What it said.
        why: String,
    },
    /// What came by HTTP was not understood, or TLS could not be agreed upon.
    Misunderstood {
        /// From whom.
        from: Ipv4Addr,
        /// Why.
        why: String,
    },
    /// Names are to be kept that came by an update. Answered by [`dns::Handle::updated`](crate::dns::Handle::updated).
    Update {
        /// Comes back.
        id: UpdateId,
        /// All that each name has by updates from then on.
        changes: Vec<Dynamic>,
        /// Whose it is.
        by: String,
    },
    /// Of these servers that are asked for names of others none answers, and of no others.
    Unanswered {
        /// What is told of each.
        silent: Vec<Told>,
        /// That it is over, of others.
        over: Vec<String>,
    },
    /// Files of hosts have these lines from now on, all together.
    HostsFiles(Arc<[HostsLine]>),
    /// An update was refused by a rule of the operator's.
    UpdateDenied {
        /// Whose it was.
        by: String,
        /// Why.
        why: String,
    },
}

/// Questions that wait for the loop. It takes hundreds in a turn; whoever finds the line full is told to come again.
pub(crate) const ASKS_WAITING_MAX: usize = 1024;
