//! What operators ask and decide, and what only the caller can count for them.

use super::Rest;
use crate::load::Regime;
use crate::time::Time;
use heorot_names::export::Export;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What an operator wants to know. NODE is a number, a name, a hardware address or an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// The state of the server. What only the caller can count comes along.
    Status(Measured),
    /// All nodes, or those of this node set, name, hardware address or address; without those of another set, if there is one.
    Nodes {
        /// Which.
        set: Option<String>,
        /// But which not.
        without: Option<String>,
    },
    /// The nodes of a set, folded, whether there are such nodes or not; without those of another set, if there is one.
    NodeSet {
        /// Which.
        set: String,
        /// But which not.
        without: Option<String>,
    },
    /// The names of the groups of the configuration.
    Groups,
    /// The table of nodes as another tool reads it.
    Export(Export),
    /// One node, whole.
    Node(String),
    /// Why a node is where it is, what it last asked and was told, what it waits for, what to do.
    Explain(String),
    /// The small files that a node would get if it booted now.
    Files(String),
    /// Which nodes have an SSH host key.
    HostKeys,
    /// Everything that is known, for `state.json`. Of one moment is what it says of each node.
    Dump,
    /// What follows the beginning of a long answer.
    More(Box<Rest>),
    /// He changes something about nodes.
    Change(Verb, Box<ChangeRequest>),
}

/// What an operator does to nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// He lets them serve; those that are ready for a number get one.
    Accept,
    /// He lets them have no answer.
    Deny,
    /// He keeps them from booting on.
    Hold,
    /// He takes them out of service, and keeps their numbers.
    Retire,
    /// He gives one machine a number.
    Number,
    /// He lets the numbers of retired ones be given again.
    Free,
    /// He sets what they boot, and their attributes.
    Set,
    /// He has machines that are gone forgotten.
    Forget,
}

impl Verb {
    /// By the word that users write.
    pub const NAMED: [(&'static str, Self); 8] = [
        ("accept", Self::Accept),
        ("deny", Self::Deny),
        ("hold", Self::Hold),
        ("retire", Self::Retire),
        ("number", Self::Number),
        ("free", Self::Free),
        ("set", Self::Set),
        ("forget", Self::Forget),
    ];
}

/// The body of `POST /v1/nodes/VERB`. The verbs are those of `heorot node`: accept, deny, hold, retire, number, free, set, forget.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeRequest {
    /// Which nodes: a node set, or a number, name, hardware address or address.
    pub set: String,
    /// But not these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub without: Option<String>,
    /// Why, for `deny`, `hold` and `retire`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// For `number`: which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u32>,
    /// For `set`: what they boot; an empty text leaves that to the configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// For `set`: attributes; an empty text leaves one to the configuration.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
    /// Whether it is only to be told what would change.
    #[serde(default)]
    pub dry_run: bool,
}

/// What the caller counts of HTTP with machines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MeasuredHttp {
    /// Connections now.
    pub connections: u64,
    /// Files on their way now.
    pub sending: u64,
    /// Connections that gave way to others since the start, because there were too many.
    pub displaced: u64,
    /// Connections that were ended since the start because they said or read nothing for too long.
    pub silent: u64,
    /// Requests that were not understood since the start.
    pub refused: u64,
}

/// What the caller counts for the status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Measured {
    /// TFTP transfers in progress.
    pub transfers_active: u64,
    /// TFTP transfers that wait for a file to be opened or read.
    pub transfers_waiting: u64,
    /// Datagrams of TFTP that other threads than the loop have sent, since start.
    pub sent_by_senders: u64,
    /// HTTP now, and since the start.
    pub http: MeasuredHttp,
    /// Bits sent in the last second.
    pub sent_bits_per_second: u64,
    /// How often clients of TFTP repeated themselves in the last second.
    pub retries_per_second: u64,
    /// TFTP packets that were sent again in the last second.
    pub resent_per_second: u64,
    /// How the busiest link is used.
    pub regime: Regime,
    /// What that link is taken to carry, in bits per second; nothing as long as that is not known.
    pub link_bits_per_second: Option<u64>,
    /// Packets that were lost because a socket of ours was full, coming or going, since start.
    pub kernel_drops: u64,
    /// Datagrams to our TFTP ports that were not what they should be, since start, by what was wrong.
    pub malformed: BTreeMap<&'static str, u64>,
    /// Names, since the start. Apart, for it would be most of a question.
    pub dns: Box<DnsCounts>,
    /// What is served by NFS, if anything is. Apart, too.
    pub nfs: Option<Box<NfsMeasured>>,
    /// What he has to say himself that an operator should mend.
    pub troubles: Vec<MeasuredTrouble>,
}

/// What only the caller knows to be wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeasuredTrouble {
    /// What is so.
    pub what: String,
    /// Since when.
    pub since: Time,
    /// Why, in a line, with what to do.
    pub why: String,
}

/// What the caller counts of DNS, since start; the status shows it as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DnsCounts {
    /// Messages that came, whatever became of them.
    pub questions: u64,
    /// Questions for names of others that were answered from the cache, whether their time was over or not.
    pub cached: u64,
    /// Of those, with an answer whose time was over, because no server answered.
    pub stale: u64,
    /// Questions for names of others that had to be sent upstream.
    pub upstream: u64,
    /// Questions for names of others that no server answered in time.
    pub failed: u64,
    /// Questions of clients who may not ask, or ask too much.
    pub refused: u64,
    /// Answers that are signed by who may say it; 0 unless `dnssec = "validate"`.
    pub secure: u64,
    /// Answers that were not believed: not signed, or not by who may.
    pub bogus: u64,
    /// Updates (RFC 2136) that changed something.
    pub updates: u64,
    /// Copies of zones that were begun.
    pub transfers: u64,
    /// Replies that the kernel would not take.
    pub unsent: u64,
}

/// What the caller counts of NFS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NfsMeasured {
    /// Connections now.
    pub connections: u64,
    /// Calls that were answered, since start.
    pub calls: u64,
    /// Octets of the replies, since start.
    pub octets: u64,
    /// Connections that were refused because they came from none of the networks, since start.
    pub refused: u64,
    /// Connections that gave way to a new one, for there were too many, since start.
    pub displaced: u64,
}
