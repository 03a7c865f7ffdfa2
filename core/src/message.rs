//! What goes into [`Heorot`](crate::Heorot) and what comes out: the whole contract between the decisions and the world.
//!
//! The caller takes a moment, gives one [`Input`], and carries out every [`Output`] in the order given. Nothing else is shared.
//! [`Transfers`](crate::transfer::Transfers) has the same form with messages of its own, see [`crate::transfer`].

mod query;
mod rest;
mod unwritten;

pub use crate::cluster::deaf::Deaf;
pub use crate::cluster::dynamic::UpdateId;
use crate::cluster::record::Record;
pub use crate::cluster::record::Ticket;
use crate::config::{Config, Missing, OverlayValues, Overlays};
use crate::event::Event;
use crate::load::Regime;
use crate::mac::Mac;
use crate::time::{Time, Wall};
use crate::transfer::{Refusal, Transfer};
use heorot_names::file::Place;
use heorot_names::{Change, Changes, Directory, Dynamic, HostsLine, NodeSet};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;

pub use query::{
    ChangeRequest, DnsCounts, Measured, MeasuredHttp, MeasuredTrouble, NfsMeasured, Query, Verb,
};
pub use rest::Rest;
pub(crate) use rest::{After, Dumped, Exported, Listed, RestOf};
pub(crate) use unwritten::UnwrittenOf;
pub use unwritten::{NodeSetView, Unwritten};

/// What happened.
#[derive(Debug)]
pub enum Input<'a> {
    /// A datagram came to port 67.
    Dhcp(Datagram<'a>),
    /// A datagram came to port 4011, where PXE clients look for boot servers.
    BootServer(Datagram<'a>),
    /// A frame from a DHCP server went by that was not meant for us: from port 67 or 4011, with a reply in it. Never one of our own.
    Overheard(Overheard<'a>),
    /// A machine asks for a file or talks about itself, by TFTP or HTTP. Answered by one [`Output::Reply`] with the same id, perhaps later.
    Request(Request),
    /// Bytes of ours were acknowledged by this address just now, by whatever protocol: its machine lives.
    /// To be told at least every 10 s while it goes on.
    SignOfLife(Ipv4Addr),
    /// Somebody answered a probe for this address.
    Occupied {
        /// Which.
        address: Ipv4Addr,
        /// Who, if the answer says so: ARP does, ICMP does not.
        mac: Option<Mac>,
    },
    /// An interface is gone: nobody there is heard.
    InterfaceGone(&'a str),
    /// There is one of that name, and it cannot be served: it is tried again.
    InterfaceUnfit {
        /// Its name.
        interface: &'a str,
        /// What is in the way, and what to do, in one line.
        why: &'a str,
    },
    /// An interface was made anew, and is served: the kernel has forgotten the neighbour entries there.
    InterfaceBack(&'a str),
    /// An interface was down, or had no address, and is and has again: the kernel has forgotten the neighbour entries there.
    InterfaceFlushed(&'a str),
    /// The interfaces that are there and hear nobody from now on, and why.
    InterfacesDeaf(BTreeMap<String, Deaf>),
    /// What addresses the interfaces have from now on, and what they lack, by [`Config::held`](crate::config::Config::held).
    Addresses {
        /// All that are ours, of whatever network.
        own: BTreeSet<Ipv4Addr>,
        /// What is lacking.
        missing: Vec<Missing>,
    },
    /// The file systems that do not answer from now on and hold up files of the boot directory, each by where it is below that (empty: the boot directory's own): what it is, and how to find out
    /// why.
    FilesHeldUp(BTreeMap<String, String>),
    /// A host asks by ARP who has an address, where `answer-arp` wants to know.
    WhoHas(WhoHas<'a>),
    /// A file of the boot directory that was asked for is not to be had.
    Unavailable {
        /// Who asked.
        from: Ipv4Addr,
        /// The file, relative to the boot directory.
        path: String,
        /// Why.
        refusal: Refusal,
    },
    /// This host ended HTTPS before it had begun: it does not take the certificate, as far as it said why, in words.
    Distrusts(Ipv4Addr, String),
    /// What this host said by HTTP is not understood, and why.
    Misunderstood(Ipv4Addr, String),
    /// None of the files of [`Answer::Files`] was sent: they could not be made, or whoever asked had gone.
    NotMade {
        /// Whose they were.
        mac: Mac,
        /// As it stood in the answer.
        given: Option<Time>,
        /// Why they could not be made: file, line and reason. Nothing: nobody waits for them any more.
        why: Option<String>,
    },
    /// A file is on its way by HTTP: all of it, or a part. By TFTP it is from the request on.
    Sending {
        /// To whom, by its connection.
        to: SocketAddrV4,
        /// Which, relative to the boot directory.
        path: String,
    },
    /// A file is on its way no more.
    Transferred(Transfer),
    /// A link is used in another way from now on. It is named by its place in [`network::links`](crate::cluster::network::links).
    Regime {
        /// Which.
        link: usize,
        /// How.
        regime: Regime,
    },
    /// Every record up to and including this ticket is durable.
    Committed(Ticket),
    /// The records up to and including this ticket that were not yet committed never will be: the disk is full or broken. All that were proposed until now are among
    /// them ([`Commits`](crate::commits::Commits)), because they may say what one of those said that the store refused.
    Refused {
        /// The last of them.
        through: Ticket,
        /// What the store says.
        why: String,
    },
    /// An operator asks. Answered by one [`Output::Reply`] with the same id.
    Operator {
        /// Echoed in the reply.
        id: RequestId,
        /// What the calendar says now, for the time stamps in the answer.
        wall: Wall,
        /// What is asked.
        query: Query,
    },
    /// Somebody who may updates names (RFC 2136). Answered by one [`Output::Updated`] with the same id. One at a time.
    Update {
        /// Echoed in the answer.
        id: UpdateId,
        /// All that each name has by updates from then on.
        changes: Vec<Dynamic>,
        /// Whose it is: key and address, for people.
        by: String,
    },
    /// An update was refused by a rule of the operator's, whose zones or keys forbid it.
    UpdateDenied {
        /// Whose it was.
        by: String,
        /// Why.
        why: String,
    },
    /// Files of hosts (`dns.hosts`) have these lines from now on, all together.
    HostsFiles(Arc<[HostsLine]>),
    /// The configuration was read anew and is right in itself. Replaces the old one whole.
    Configure(Box<Config>),
    /// What the calendar says now: it stands in what is kept for people, and nothing is decided by it. The last word counts, as long as time goes on.
    Calendar(Wall),
    /// The moment of `next_wakeup` has come.
    Wakeup,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Make this durable, then say [`Input::Committed`]. Tickets rise by one. Records are to become durable in their order.
    Record(Ticket, Record),
    /// Send a DHCP packet. The network may lose it: no answer is expected.
    Dhcp(DhcpSend),
    /// Set or drop a permanent neighbour entry of ours, before whatever follows in the same list.
    Neighbour(Neighbour),
    /// Ask who has this address: whoever answers is told as [`Input::Occupied`]. It is nobody's in mid-boot.
    Probe {
        /// On which interface; echoes are routed.
        interface: String,
        /// Which address.
        address: Ipv4Addr,
        /// How.
        by: ProbeBy,
    },
    /// Tell a host by ARP who has an address, in the place of the machine that has it.
    AnswerArp {
        /// On which interface.
        interface: String,
        /// Whose address.
        address: Ipv4Addr,
        /// Its hardware address.
        mac: Mac,
        /// Who is told: hardware address and address.
        to: (Mac, Ipv4Addr),
    },
    /// The files of the boot directory that a machine loads in the boot that it has begun. They belong together: from the first of them that it asks for, each is
    /// what it was at that moment, or not to be had. It replaces what was said of this address before.
    Together {
        /// The machine's address.
        from: Ipv4Addr,
        /// Its kernel and RAM disks, relative to the boot directory.
        files: Vec<String>,
        /// Whether the boot began before this process did: it may have loaded some of them already, in versions that nobody knows any more.
        is_resumed: bool,
    },
    /// The answer to a request or an operator.
    Reply(RequestId, Answer),
    /// Whoever answers for names shall answer from this from now on, with these changes under the directory's serial: nobody may copy the one without the other.
    Publish(Arc<Directory>, Vec<Change>),
    /// And from this, which changes what was published before: names that are no arithmetic.
    Names(Changes),
    /// What became of an update. If it was kept, its changes were told before.
    Updated(UpdateId, UpdateOutcome),
    /// For the journal, and for whoever watches.
    Event(Event),
}

/// What became of an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpdateOutcome {
    /// It is durable, and told.
    Kept,
    /// A number, a lease or the configuration has such a name, or there is no room for more.
    Refused,
    /// It could not be kept: the disk is full or broken.
    Failed,
}

/// A DHCP datagram as it came.
#[derive(Clone, Copy, Debug)]
pub struct Datagram<'a> {
    /// The name of the interface it came by.
    pub interface: &'a str,
    /// Who sent it.
    pub source: SocketAddrV4,
    /// Where it was sent to: our address, or 255.255.255.255.
    pub destination: Ipv4Addr,
    /// The UDP payload.
    pub payload: &'a [u8],
}

/// An ARP request (RFC 826).
#[derive(Clone, Copy, Debug)]
pub struct WhoHas<'a> {
    /// The name of the interface on whose link it was heard.
    pub interface: &'a str,
    /// The address that is asked for.
    pub address: Ipv4Addr,
    /// Who asks: hardware address and address.
    pub from: (Mac, Ipv4Addr),
}

/// Another server's reply, as it went by.
#[derive(Clone, Copy, Debug)]
pub struct Overheard<'a> {
    /// The name of the interface on whose link it was heard.
    pub interface: &'a str,
    /// The hardware address that sent the frame: the server, or the relay or router between.
    pub mac: Mac,
    /// Who sent the datagram: its port is 67 or, of a server for PXE alone, 4011.
    pub source: SocketAddrV4,
    /// Whom it was sent to, as the IP header says.
    pub destination: SocketAddrV4,
    /// The UDP payload.
    pub payload: &'a [u8],
}

/// A DHCP packet to be sent from port 67, or from port 4011 where the target says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DhcpSend {
    /// The interface to leave by, for frames; datagrams are routed.
    pub interface: String,
    /// Our address to send from.
    pub source: Ipv4Addr,
    /// How it gets there.
    pub target: DhcpTarget,
    /// The UDP payload.
    pub payload: Vec<u8>,
}

/// How a DHCP packet gets to its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DhcpTarget {
    /// A raw frame to this hardware address with this IP destination, port 68: it leaves nothing in the kernel and needs no ARP.
    Frame(Mac, Ipv4Addr),
    /// Through the kernel, to a relay (port 67) or to a client that has its address (port 68).
    Address(SocketAddrV4),
    /// Through the kernel from port 4011, to where the question came from.
    BootServer(SocketAddrV4),
}

/// How it is asked who has an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeBy {
    /// By ARP, on the link of the interface (RFC 5227 2.1.1).
    Arp,
    /// By ICMP echo, behind a relay (RFC 2131 2.2).
    Echo,
}

/// A neighbour entry of ours: it stands as long as its address is somebody's in mid-boot, so that no ARP disturbs a download.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Neighbour {
    /// Set it, or change it.
    Set {
        /// Where the machine is.
        interface: String,
        /// Its address.
        address: Ipv4Addr,
        /// Its hardware address.
        mac: Mac,
    },
    /// Take it away.
    Drop {
        /// Where it was.
        interface: String,
        /// Whose it was.
        address: Ipv4Addr,
    },
}

/// Names a request while it is unanswered: the caller's own number, which says nothing here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestId(pub u64);

/// A machine asks for a file, or talks about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Echoed in the reply.
    pub id: RequestId,
    /// Who asks.
    pub from: Ipv4Addr,
    /// Our address that was asked.
    pub local: Ipv4Addr,
    /// By which protocol.
    pub via: Via,
    /// What for: a path with or without a leading slash, percent-decoded, without query.
    pub path: String,
}

/// By which protocol a machine asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Via {
    /// A TFTP read request, from this port of its machine.
    Tftp(u16),
    /// HTTP GET or HEAD.
    HttpGet,
    /// HTTP POST with this body, at most [`POST_OCTETS_MAX`](crate::limit::POST_OCTETS_MAX) long.
    HttpPost(Vec<u8>),
}

impl Via {
    /// Whether it asks by TFTP.
    pub const fn is_tftp(&self) -> bool {
        match self {
            Self::Tftp(_) => true,
            Self::HttpGet | Self::HttpPost(_) => false,
        }
    }
}

/// The answer to a machine or an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// This text, made for this node and this moment. For GET, HEAD and RRQ.
    Text(String),
    /// The file of this name below `boot.directory`, if there is one: relative, without `..`, never empty.
    File(String),
    /// The first of these files that is there, as above.
    FirstOf([String; 2]),
    /// A JSON document with this HTTP status.
    Json(u16, String),
    /// The beginning of a long one, as much as one turn has time for. What follows is asked for by [`Query::More`], and is put behind it: [`Answer::Json`] is the last part.
    Part(String, Box<Rest>),
    /// A long text that whoever asked writes himself, from what is known now ([`Unwritten::write`]): it takes milliseconds, for which no packet would be answered.
    Unwritten(Box<Unwritten>),
    /// The small files of a node, made now, as an archive. By HTTP alone.
    Files(Box<NodeFiles>),
    /// Which numbers have an SSH host key: whoever has the server's secret writes them.
    HostKeys(Box<HostKeys>),
    /// There is no such thing, or not for this machine; why, in a few words. HTTP 404, TFTP error 1.
    Missing(String),
    /// It is not for this machine, or for none, whether it is there or not; why, in a few words. HTTP 403, TFTP error 2.
    Refused(String),
}

/// The small files that a node gets, and what they are made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeFiles {
    /// Whose.
    pub mac: Mac,
    /// Its number.
    pub number: u32,
    /// From which directories, and whether its SSH host key belongs to them.
    pub overlays: Overlays,
    /// What their templates may speak of.
    pub values: OverlayValues,
    /// The names of all nodes.
    pub directory: Arc<Directory>,
    /// The numbers that have an SSH host key.
    pub host_keys: Arc<NodeSet>,
    /// The head node's.
    pub place: Place,
    /// When these were given, if they are secrets of a boot.
    pub given: Option<Time>,
}

/// The numbers that have an SSH host key, and their names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostKeys {
    /// The names of all nodes.
    pub directory: Arc<Directory>,
    /// Which.
    pub numbers: Arc<NodeSet>,
}
