//! The NIS gateway: the names of the nodes for those who still ask by RPC.
//!
//! A [`Gateway`] is a machine of the same form as the rest of the house. It is two programs: the portmapper on port 111, where no other
//! one runs on this host, and YPSERV, whose maps are computed from the same [`Directory`] that DNS answers from.

pub(crate) mod limit;
mod statistics;

pub use crate::yp::LeftOut;
pub use limit::{ACCOUNTS_OCTETS_MAX, CALL_OCTETS_MAX, CONNECTIONS_MAX, PORTS_TRIED, SILENCE_MAX};
pub use statistics::{Ignored, Statistics};

use crate::Prefix;
use crate::yp::{self, Content, Walk};
use heorot_names::Directory;
use heorot_rpc::portmap::{self, Indirect, Mapping, Protocol};
use heorot_rpc::record::mark;
use heorot_rpc::xdr::Writer;
use heorot_rpc::{Answer, Call, NoCall};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

/// What the gateway is told by the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The NIS domain. Empty: there is no NIS, and only the portmapper answers, for the other programs.
    pub domain: String,
    /// The host name of this server, which is the master of every map.
    pub server_name: String,
    /// Names of this server and addresses, as in [`crate::Settings`].
    pub hosts: BTreeMap<String, Vec<Ipv4Addr>>,
    /// Who is answered: these networks, and this host.
    pub networks: Vec<Prefix>,
    /// Where YPSERV is reached: what the portmapper says, ours or the host's.
    pub port: u16,
    /// Other programs of this server, which the portmapper tells of too.
    pub others: Vec<Mapping>,
}

/// What users and groups there are, as the files of /etc say it. None: there are no such maps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accounts {
    /// Of passwd(5).
    pub passwd: Option<String>,
    /// Of group(5).
    pub group: Option<String>,
}

/// Which program is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// Port 111.
    Portmapper,
    /// The port of YPSERV.
    YpServer,
}

/// What happens to a gateway.
#[derive(Clone, Debug)]
pub enum Input<'a> {
    /// A datagram came.
    Datagram {
        /// Where.
        door: Door,
        /// Who sent it.
        from: SocketAddr,
        /// What it says.
        payload: &'a [u8],
    },
    /// A whole message came by a connection, as [`Records`](heorot_rpc::record::Records) puts it together. None may come while a reply says that more follows.
    Message {
        /// Where.
        door: Door,
        /// Who sent it.
        from: SocketAddr,
        /// In the shell's numbering; none is used twice.
        connection: u64,
        /// What it says.
        payload: &'a [u8],
    },
    /// All that was to be sent to a connection is on its way, and more was to follow.
    Sent(u64),
    /// A connection is gone.
    Closed(u64),
    /// The names of the nodes are these from now on.
    Publish {
        /// The names.
        directory: Arc<Directory>,
        /// The calendar's seconds.
        calendar_seconds: u32,
    },
    /// The configuration was read again, or the files of accounts.
    Configure {
        /// From the configuration.
        settings: Settings,
        /// From the files.
        accounts: Accounts,
        /// The calendar's seconds.
        calendar_seconds: u32,
    },
}

/// What a gateway wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Answer the datagram that came last.
    Reply(Vec<u8>),
    /// Send this to a connection: it has its marks already.
    Send {
        /// Which.
        connection: u64,
        /// What.
        payload: Vec<u8>,
        /// Say [`Input::Sent`] when it is gone, and take no message of this connection before all is.
        more: bool,
    },
    /// End a connection, as soon as what was said to it is sent.
    End(u64),
}

/// Answers by RPC from the last names that were published.
pub struct Gateway {
    settings: Settings,
    files: Accounts,
    /// What was read in the files.
    accounts: Arc<yp::Accounts>,
    directory: Arc<Directory>,
    content: Content,
    left_out: LeftOut,
    mappings: Vec<Mapping>,
    /// Of connections that are being sent a whole map.
    walks: BTreeMap<u64, Walk>,
    statistics: Statistics,
}

impl Gateway {
    /// A gateway that answers from these names and accounts.
    pub fn new(
        settings: Settings,
        files: Accounts,
        directory: Arc<Directory>,
        calendar_seconds: u32,
    ) -> Self {
        let (accounts, left_out) = read(&files);
        let content = content(&settings, &accounts, &directory, calendar_seconds);
        let mappings = mappings(&settings);
        Self {
            settings,
            files,
            accounts,
            directory,
            content,
            left_out,
            mappings,
            walks: BTreeMap::new(),
            statistics: Statistics::default(),
        }
    }

    /// Takes one input, and appends to `out` what follows from it. Nothing here lasts, so that there is no time.
    pub fn handle(&mut self, input: Input<'_>, out: &mut Vec<Output>) {
        match input {
            Input::Datagram { door, from, payload } => {
                self.statistics.datagrams += 1;
                match self.answer(door, from, payload, false) {
                    Ok(Reply::Whole(payload)) => out.push(Output::Reply(payload)),
                    Ok(Reply::Walk(..)) => unreachable!("no map is sent in a datagram"),
                    Err(reason) => self.statistics.count_ignored(reason),
                }
            }
            Input::Message { door, from, connection, payload } => {
                self.statistics.messages += 1;
                self.take_message(door, from, connection, payload, out);
            }
            Input::Sent(connection) => self.go_on(connection, Writer::default(), out),
            Input::Closed(connection) => {
                self.walks.remove(&connection);
            }
            Input::Publish { directory, calendar_seconds } => {
                if directory != self.directory {
                    self.directory = directory;
                    self.change(calendar_seconds);
                }
            }
            Input::Configure { settings, accounts: files, calendar_seconds } => {
                if files != self.files {
                    (self.accounts, self.left_out) = read(&files);
                } else if settings == self.settings {
                    return;
                }
                (self.settings, self.files) = (settings, files);
                self.change(calendar_seconds);
            }
        }
    }

    /// What it has done since it began.
    pub fn statistics(&self) -> Statistics {
        self.statistics
    }

    /// What the files of accounts have that is not served.
    pub fn left_out(&self) -> LeftOut {
        self.left_out
    }

    /// Whether a connection from there would be talked to.
    pub fn serves(&self, from: SocketAddr) -> bool {
        let IpAddr::V4(address) = from.ip() else { return false };
        address.is_loopback() || self.settings.networks.iter().any(|network| network.contains(address))
    }

    /// YPSERV and whatever else is here, for the portmapper of this host.
    pub fn to_register(&self) -> impl Iterator<Item = Mapping> {
        self.mappings.iter().copied().filter(|mapping| mapping.program != portmap::PROGRAM)
    }

    fn change(&mut self, calendar_seconds: u32) {
        // Whoever copied a map asks whether it is younger than his: two changes in one second are two ages, and a calendar that was set
        // back makes nothing older.
        let order = calendar_seconds.max(self.content.order.saturating_add(1));
        self.mappings = mappings(&self.settings);
        self.content = content(&self.settings, &self.accounts, &self.directory, order);
    }

    fn take_message(
        &mut self,
        door: Door,
        from: SocketAddr,
        connection: u64,
        payload: &[u8],
        out: &mut Vec<Output>,
    ) {
        if self.walks.contains_key(&connection) {
            // The shell keeps to the contract; if it does not, two answers must not be woven into one.
            out.push(Output::End(connection));
            return;
        }
        match self.answer(door, from, payload, true) {
            Ok(Reply::Whole(payload)) => {
                out.push(Output::Send { connection, payload: mark(&payload, true), more: false });
            }
            Ok(Reply::Walk(head, walk)) => {
                self.walks.insert(connection, walk);
                self.go_on(connection, head, out);
            }
            Err(reason) => {
                self.statistics.count_ignored(reason);
                // What calls nobody answers, in a stream, is an accident or no good; but for a question that may go unanswered.
                if reason != Ignored::Silence {
                    out.push(Output::End(connection));
                }
            }
        }
    }

    /// Sends the next piece of a map, after this.
    fn go_on(&mut self, connection: u64, mut payload: Writer, out: &mut Vec<Output>) {
        let Some(walk) = self.walks.get_mut(&connection) else { return };
        let (piece, last) = self.content.piece(walk);
        payload.append(&piece);
        if last {
            self.walks.remove(&connection);
        }
        out.push(Output::Send { connection, payload: mark(payload.octets(), last), more: !last });
    }

    fn answer(
        &mut self,
        door: Door,
        from: SocketAddr,
        payload: &[u8],
        stream: bool,
    ) -> Result<Reply, Ignored> {
        if !self.serves(from) || from.port() == 0 {
            return Err(Ignored::Stranger);
        }
        let call = match Call::parse(payload) {
            Ok(call) => call,
            Err(NoCall::Denied(reply)) => {
                self.statistics.denied += 1;
                return Ok(Reply::Whole(reply));
            }
            Err(NoCall::Short) => return Err(Ignored::Short),
            Err(NoCall::Reply) => return Err(Ignored::Reply),
        };
        let said = match door {
            Door::Portmapper if call.program != portmap::PROGRAM => Answer::ProgramUnavailable,
            Door::Portmapper => match portmap::answer(&call, &self.mappings) {
                portmap::Said::Answer(answer) => answer,
                portmap::Said::Indirect(_) if stream => return Err(Ignored::Silence),
                portmap::Said::Indirect(indirect) => self.call_indirectly(&call, &indirect)?,
            },
            Door::YpServer => match yp::answer(&self.content, &call, stream) {
                yp::Said::Answer(answer) => answer,
                yp::Said::Silence => return Err(Ignored::Silence),
                yp::Said::Whole(walk) => {
                    self.statistics.maps += 1;
                    return Ok(Reply::Walk(Answer::head_of_success(call.xid), walk));
                }
            },
        };
        self.statistics.count(&said);
        Ok(Reply::Whole(said.reply(call.xid)))
    }

    /// Only the question by which clients find a server, and whether the program is there: whatever else is asked by broadcast would be
    /// a means to make many answer one who did not ask.
    fn call_indirectly(&self, call: &Call<'_>, indirect: &Indirect<'_>) -> Result<Answer, Ignored> {
        let Indirect { program, version, procedure, arguments } = *indirect;
        let harmless = procedure == 0 || procedure == yp::DOMAIN_NO_ANSWER;
        let is_here = program == yp::PROGRAM && !self.settings.domain.is_empty();
        if !is_here || version != yp::VERSION || !harmless {
            return Err(Ignored::Silence);
        }
        let inner =
            Call { xid: call.xid, program, version, procedure, credential: call.credential, arguments };
        match yp::answer(&self.content, &inner, false) {
            yp::Said::Answer(Answer::Success(results)) => {
                Ok(Answer::Success(portmap::indirect_results(self.settings.port, &results)))
            }
            yp::Said::Answer(_) | yp::Said::Silence | yp::Said::Whole(_) => Err(Ignored::Silence),
        }
    }
}

/// What goes back to who called.
enum Reply {
    Whole(Vec<u8>),
    /// The head of the reply, and what comes after it.
    Walk(Writer, Walk),
}

fn content(
    settings: &Settings,
    accounts: &Arc<yp::Accounts>,
    directory: &Arc<Directory>,
    order: u32,
) -> Content {
    let names = (settings.domain.as_str(), settings.server_name.as_str(), &settings.hosts);
    Content::new(names, order, directory, accounts)
}

fn read(files: &Accounts) -> (Arc<yp::Accounts>, LeftOut) {
    let (accounts, left_out) = yp::Accounts::new(files.passwd.as_deref(), files.group.as_deref());
    (Arc::new(accounts), left_out)
}

fn mappings(settings: &Settings) -> Vec<Mapping> {
    let mapping = |program, version, protocol, port| Mapping { program, version, protocol, port };
    let port = settings.port;
    let own = [
        mapping(portmap::PROGRAM, portmap::VERSION, Protocol::Tcp, portmap::PORT),
        mapping(portmap::PROGRAM, portmap::VERSION, Protocol::Udp, portmap::PORT),
        mapping(yp::PROGRAM, yp::VERSION, Protocol::Udp, port),
        mapping(yp::PROGRAM, yp::VERSION, Protocol::Tcp, port),
    ];
    let own = own.into_iter().filter(|mapping| !settings.domain.is_empty() || mapping.program != yp::PROGRAM);
    own.chain(settings.others.iter().copied()).collect()
}

#[cfg(test)]
mod tests;
