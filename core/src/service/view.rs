//! What operators are shown: the JSON of `-o json` and of the API. Fields are added, never renamed.

use crate::cluster::trial::Outcome;
use crate::event::Kind;
pub use crate::message::NodeSetView;
pub use crate::message::{ChangeRequest, DnsCounts};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// `heorot status`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StatusView {
    /// The program's version.
    pub version: String,
    /// Since start.
    pub uptime_seconds: u64,
    /// How many nodes are in each stage; only stages that are not empty.
    pub nodes: BTreeMap<String, u64>,
    /// TFTP transfers.
    pub transfers: TransfersView,
    /// HTTP with machines.
    #[serde(default)]
    pub http: HttpView,
    /// What the link carries.
    pub load: LoadView,
    /// The temporary addresses of all networks together.
    pub temporary: PoolView,
    /// Packets that were lost because a socket of ours was full, coming or going, since start.
    pub kernel_drops: u64,
    /// Packets that were not what they should be, since start, by what was wrong.
    pub malformed: BTreeMap<String, u64>,
    /// Other DHCP servers that were heard where we serve and are not in `other-servers`, since start.
    #[serde(default)]
    pub rogue_servers: Vec<RogueServerView>,
    /// Hosts that are no nodes, asked for an address and got none; null if there are none.
    #[serde(default)]
    pub unanswered: Option<UnansweredView>,
    /// Names.
    #[serde(default)]
    pub dns: DnsCounts,
    /// What is served by NFS; null if nothing is.
    #[serde(default)]
    pub nfs: Option<NfsView>,
    /// What an operator should mend, if anything.
    pub troubles: Vec<String>,
}

/// What is served by NFS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NfsView {
    /// Connections now.
    pub connections: u64,
    /// Calls that were answered, since start.
    pub calls: u64,
    /// Bytes of the replies, since start.
    pub bytes: u64,
    /// Connections that were refused because they came from none of the networks, since start.
    pub refused: u64,
    /// Connections that gave way to a new one, for there were too many, since start.
    pub displaced: u64,
}

/// Another DHCP server that answers our clients.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RogueServerView {
    /// What it calls itself.
    pub address: Ipv4Addr,
    /// The hardware address that its frames came from; null if it is known only from what clients told it.
    pub mac: Option<String>,
    /// The interface where it was heard.
    pub network: String,
    /// When it was first heard (RFC 3339).
    pub first_heard: String,
    /// When it was last heard (RFC 3339).
    pub last_heard: String,
    /// How often it was heard.
    pub count: u64,
    /// What it did last, in words.
    pub last: String,
    /// The hardware address of the client whom that concerned; null if it has none.
    pub last_client: Option<String>,
}

/// Hosts without an address, since start or since the configuration was read last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnansweredView {
    /// How many are known: of more than a thousand those that asked last.
    pub hosts: u64,
    /// The hardware address of the one that asked last: `heorot explain` says more of it, and of the others.
    pub last: String,
    /// When it asked (RFC 3339).
    pub last_asked: String,
    /// Why it got none, in words.
    pub why: String,
}

/// HTTP with machines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpView {
    /// Connections now.
    pub connections: u64,
    /// Files on their way now.
    pub sending: u64,
    /// Connections that gave way to others, because there were too many, since start.
    pub displaced: u64,
    /// Connections that were ended because they said or read nothing for too long, since start.
    pub silent: u64,
    /// Requests that were not understood, since start.
    pub refused: u64,
}

/// TFTP transfers now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransfersView {
    /// In progress.
    pub active: u64,
    /// Of these, waiting for a file.
    pub waiting: u64,
    /// Datagrams that threads have sent because one processor was not enough (`tftp.senders`), since start.
    #[serde(default)]
    pub sent_by_senders: u64,
}

/// What the link carries now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadView {
    /// How the busiest link is used: `paced`, `round-robin` or `deferring`.
    pub regime: String,
    /// What that link is taken to carry; null as long as that is not known.
    pub link_bits_per_second: Option<u64>,
    /// Sent in the last second.
    pub sent_bits_per_second: u64,
    /// How often clients repeated themselves in the last second.
    pub retries_per_second: u64,
    /// Packets that were sent again in the last second.
    pub resent_per_second: u64,
}

/// A pool of addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolView {
    /// Lent or held.
    pub used: u64,
    /// All.
    pub size: u64,
}

/// `heorot node show`, and one row of `heorot node list`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeView {
    /// Its number, once it has one.
    pub number: Option<u32>,
    /// Its name, once it has a number.
    pub name: Option<String>,
    /// Its identity.
    pub mac: String,
    /// Its permanent address, once it has a number.
    pub address: Option<Ipv4Addr>,
    /// The address that is lent to it, if one is.
    pub temporary_address: Option<Ipv4Addr>,
    /// The interface of its network.
    pub network: String,
    /// The word of its stage.
    pub state: String,
    /// How far its boot is, in stages that have phases.
    pub phase: Option<String>,
    /// Since when it is in that stage (RFC 3339).
    pub since: String,
    /// Whether it was so before the server started, and since when is not known: then `since` is that start.
    #[serde(default)]
    pub since_unknown: bool,
    /// Why.
    pub reason: String,
    /// What has to happen for it to go on.
    pub waiting_for: Option<String>,
    /// What it boots.
    pub profile: String,
}

/// `heorot node show`: the row, and all else that is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NodeDetailView {
    /// The row.
    #[serde(flatten)]
    pub node: NodeView,
    /// Its further hardware addresses.
    pub further_macs: Vec<String>,
    /// What its trial found out.
    pub facts: serde_json::Map<String, serde_json::Value>,
    /// The profile that its present or last boot began with, as far as that is known.
    #[serde(default)]
    pub boot_profile: Option<String>,
    /// Its words for templates and scripts.
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
    /// What it lacks, though it has its number.
    #[serde(default)]
    pub lacks: Option<String>,
    /// Its last trials, the latest first.
    #[serde(default)]
    pub trials: Vec<TrialView>,
    /// How its last system ended, if it said so.
    #[serde(default)]
    pub last_end: Option<LastEndView>,
}

/// One trial.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrialView {
    /// When it was reported (RFC 3339); null if the calendar was not known then.
    pub at: Option<String>,
    /// What became of the machine.
    pub outcome: Outcome,
    /// What it lacked.
    pub why: Option<String>,
    /// How many checks passed.
    pub passed: u64,
    /// What the checks found: of the latest trial all, of earlier ones those that did not pass.
    pub checks: Vec<CheckView>,
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckView {
    /// Its name.
    pub name: String,
    /// Whether it passed.
    pub passed: bool,
    /// In words.
    pub detail: String,
}

/// How a system ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastEndView {
    /// When that was said (RFC 3339); null if the calendar was not known then.
    pub at: Option<String>,
    /// `reboot`, `shutdown`, `panic`, or what else its agent said.
    pub reason: String,
    /// The last lines of its console.
    pub last_words: Option<String>,
}

/// A row of `heorot overlay show`: a file that a node gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeFileView {
    /// Where it lies on the node.
    pub path: String,
    /// `file`, `directory` or `link`.
    pub kind: String,
    /// Permissions, as four octal digits.
    pub mode: String,
    /// Whose it is, by number.
    pub user: u32,
    /// Its group, by number.
    pub group: u32,
    /// Octets.
    pub size: u64,
    /// The overlay that it is from.
    pub overlay: String,
    /// Whether it is given once in a boot, and shown to nobody.
    pub secret: bool,
    /// Where a link leads.
    #[serde(default)]
    pub target: Option<String>,
}

/// `heorot explain`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExplainView {
    /// The row.
    #[serde(flatten)]
    pub node: NodeView,
    /// The whole answer in one line.
    pub summary: String,
    /// What it asked last, in words.
    pub last_asked: Option<String>,
    /// When that was (RFC 3339).
    #[serde(default)]
    pub last_asked_at: Option<String>,
    /// What it was told last, in words.
    pub last_told: Option<String>,
    /// When that was (RFC 3339).
    #[serde(default)]
    pub last_told_at: Option<String>,
    /// What the operator can do, if anything.
    pub to_do: Option<String>,
    /// What happened to it, oldest first.
    pub history: Vec<EventView>,
    /// Its last trials, the latest first.
    #[serde(default)]
    pub trials: Vec<TrialView>,
    /// How its last system ended, if it said so.
    #[serde(default)]
    pub last_end: Option<LastEndView>,
}

/// One line of a node's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventView {
    /// When (RFC 3339, milliseconds).
    pub time: String,
    /// What kind of thing.
    pub event: Kind,
    /// The particulars.
    pub detail: String,
}

/// What is said instead, with HTTP status 400 or more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorView {
    /// In words, with a remedy if there is one.
    pub error: String,
}

/// What a change has changed, or would.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeView {
    /// Whether nothing was done.
    pub dry_run: bool,
    /// Each field with the nodes for which it becomes another one.
    pub changes: Vec<FieldChangeView>,
    /// The nodes that are already so, folded; empty if there are none.
    pub unchanged: String,
    /// The nodes for which it cannot be, with why.
    pub refused: Vec<RefusalView>,
}

/// A field that becomes another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldChangeView {
    /// For which nodes, folded; those without a number by hardware address.
    pub nodes: String,
    /// Which: `state`, `reason`, `number`, `profile`, `accepted`, or `attributes.NAME`.
    pub field: String,
    /// What it was; null: nothing.
    pub before: Option<String>,
    /// What it becomes.
    pub after: Option<String>,
}

/// Nodes for which something cannot be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusalView {
    /// Which, folded.
    pub nodes: String,
    /// Why, with a remedy if there is one.
    pub why: String,
}
