//! The maps of NIS and what is asked of them: program YPSERV, 100004 version 2.
//!
//! - `answer`: procedure by procedure, what is said;
//! - [`Content`]: the maps, one file for each kind. What is arithmetic stands in no table: the first entry and the one after any key are
//!   found at once, so that a walk over ten thousand nodes costs ten thousand small steps and no memory.

mod accounts;
mod ethers;
mod hosts;
mod netgroup;

pub(crate) use accounts::Accounts;
pub use accounts::LeftOut;

use crate::nis::limit::{
    DOMAIN_OCTETS_MAX, MAP_OCTETS_MAX, PEER_OCTETS_MAX, PIECE_OCTETS, RECORD_OCTETS_MAX,
};
use accounts::{File, Key};
use ethers::Ethers;
use heorot_names::Directory;
use heorot_rpc::xdr::{Reader, Writer};
use heorot_rpc::{Answer, Call, Denial};
use hosts::Hosts;
use netgroup::Netgroups;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

/// YPSERV.
pub(crate) const PROGRAM: u32 = 100_004;
/// Version 1 is older than anybody's client.
pub(crate) const VERSION: u32 = 2;

/// What there is to be asked for.
pub(crate) struct Content {
    /// The domain's name; the only one.
    pub(crate) domain: String,
    /// What this server is called.
    pub(crate) server: String,
    /// The age of all maps, in seconds of the calendar: it grows with every change.
    pub(crate) order: u32,
    hosts: Hosts,
    ethers: Ethers,
    netgroups: Netgroups,
    accounts: Arc<Accounts>,
}

/// What is said to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    Answer(Answer),
    /// Nothing: this call is made by broadcast, and who cannot serve it keeps quiet.
    Silence,
    /// The results are a whole map, piece by piece.
    Whole(Walk),
}

/// Somewhere in a map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Walk {
    map: Map,
    after: Option<Vec<u8>>,
}

/// What comes after a key.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Entry {
        key: Vec<u8>,
        value: Vec<u8>,
    },
    End,
    /// The key is none that this map could have.
    NoSuchKey,
}

impl Step {
    fn entry(key: String, value: String) -> Self {
        Self::Entry { key: key.into_bytes(), value: value.into_bytes() }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Map {
    HostsByName,
    HostsByAddress,
    EthersByName,
    EthersByAddress,
    Netgroup,
    NetgroupByHost,
    /// Empty: groups of nodes have no users. Clients that ask it first are to find no more than that.
    NetgroupByUser,
    PasswdByName,
    PasswdByUid,
    GroupByName,
    GroupByGid,
    NetidByName,
}

/// All maps, by their names.
const MAPS: [(&str, Map); 12] = [
    ("hosts.byname", Map::HostsByName),
    ("hosts.byaddr", Map::HostsByAddress),
    ("ethers.byname", Map::EthersByName),
    ("ethers.byaddr", Map::EthersByAddress),
    ("netgroup", Map::Netgroup),
    ("netgroup.byhost", Map::NetgroupByHost),
    ("netgroup.byuser", Map::NetgroupByUser),
    ("passwd.byname", Map::PasswdByName),
    ("passwd.byuid", Map::PasswdByUid),
    ("group.byname", Map::GroupByName),
    ("group.bygid", Map::GroupByGid),
    ("netid.byname", Map::NetidByName),
];

/// `ypstat` of yp_prot.h, as it goes over the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    True = 1,
    NoMore = 2,
    NoMap = -1,
    NoDomain = -2,
    NoKey = -3,
    BadOperation = -4,
}

/// `YPXFR_REFUSED` of `ypxfrstat`.
const TRANSFER_REFUSED: i32 = -5;

const NULL: u32 = 0;
const DOMAIN: u32 = 1;
pub(crate) const DOMAIN_NO_ANSWER: u32 = 2;
const MATCH: u32 = 3;
const FIRST: u32 = 4;
const NEXT: u32 = 5;
const TRANSFER: u32 = 6;
const CLEAR: u32 = 7;
const ALL: u32 = 8;
const MASTER: u32 = 9;
const ORDER: u32 = 10;
const MAP_LIST: u32 = 11;

/// Says what there is to say. `stream`: results may be as long as they like.
pub(crate) fn answer(content: &Content, call: &Call<'_>, stream: bool) -> Said {
    if call.program != PROGRAM {
        return Said::Answer(Answer::ProgramUnavailable);
    }
    if call.version != VERSION {
        return Said::Answer(Answer::ProgramMismatch { lowest: VERSION, highest: VERSION });
    }
    let mut arguments = call.arguments;
    let said = match call.procedure {
        NULL => Some(success(|_| {})),
        DOMAIN | DOMAIN_NO_ANSWER => content.has_domain(&mut arguments, call.procedure),
        MATCH => content.match_key(&mut arguments),
        FIRST => content.first(&mut arguments),
        NEXT => content.next(&mut arguments),
        TRANSFER => refuse_transfer(&mut arguments),
        // Nobody makes us forget what we know; there is nothing here that would have to be cleared.
        CLEAR => Some(Said::Answer(Answer::Denied(Denial::TooWeak))),
        ALL => content.all(&mut arguments, stream),
        MASTER => content.master(&mut arguments),
        ORDER => content.order(&mut arguments),
        MAP_LIST => content.map_list(&mut arguments),
        _ => Some(Said::Answer(Answer::ProcedureUnavailable)),
    };
    said.unwrap_or(Said::Answer(Answer::GarbageArguments))
}

/// Procedures: None says that the arguments cannot be read.
impl Content {
    fn has_domain(&self, arguments: &mut Reader<'_>, procedure: u32) -> Option<Said> {
        let ours = arguments.opaque(DOMAIN_OCTETS_MAX)? == self.domain.as_bytes();
        if procedure == DOMAIN_NO_ANSWER && !ours {
            return Some(Said::Silence);
        }
        Some(success(|results| results.bool(ours)))
    }

    fn match_key(&self, arguments: &mut Reader<'_>) -> Option<Said> {
        let map = self.read_map(arguments)?;
        let key = arguments.opaque(RECORD_OCTETS_MAX)?;
        let found = map.and_then(|map| self.value(map, key).ok_or(Status::NoKey));
        let (status, value) = match found {
            Ok(value) => (Status::True, value),
            Err(status) => (status, Vec::new()),
        };
        Some(success(|results| {
            write_status(results, status);
            results.opaque(&value);
        }))
    }

    fn first(&self, arguments: &mut Reader<'_>) -> Option<Said> {
        let map = self.read_map(arguments)?;
        Some(success(|results| write_step(results, map.map(|map| self.after(map, None)))))
    }

    fn next(&self, arguments: &mut Reader<'_>) -> Option<Said> {
        let map = self.read_map(arguments)?;
        let key = arguments.opaque(RECORD_OCTETS_MAX)?;
        Some(success(|results| write_step(results, map.map(|map| self.after(map, Some(key))))))
    }

    fn all(&self, arguments: &mut Reader<'_>, stream: bool) -> Option<Said> {
        let status = match self.read_map(arguments)? {
            Ok(map) if stream => return Some(Said::Whole(Walk { map, after: None })),
            // A datagram has no room for a map, and no client asks that way.
            Ok(_) => Status::BadOperation,
            Err(status) => status,
        };
        Some(success(|results| write_end_of_all(results, status)))
    }

    fn master(&self, arguments: &mut Reader<'_>) -> Option<Said> {
        let map = self.read_map(arguments)?;
        Some(success(|results| match map {
            Ok(_) => {
                write_status(results, Status::True);
                results.opaque(self.server.as_bytes());
            }
            Err(status) => {
                write_status(results, status);
                results.opaque(&[]);
            }
        }))
    }

    fn order(&self, arguments: &mut Reader<'_>) -> Option<Said> {
        let map = self.read_map(arguments)?;
        Some(success(|results| match map {
            Ok(_) => {
                write_status(results, Status::True);
                results.u32(self.order);
            }
            Err(status) => {
                write_status(results, status);
                results.u32(0);
            }
        }))
    }

    fn map_list(&self, arguments: &mut Reader<'_>) -> Option<Said> {
        let ours = arguments.opaque(DOMAIN_OCTETS_MAX)? == self.domain.as_bytes();
        Some(success(|results| {
            write_status(results, if ours { Status::True } else { Status::NoDomain });
            for (name, _) in MAPS.iter().filter(|(_, map)| ours && self.has(*map)) {
                results.bool(true);
                results.opaque(name.as_bytes());
            }
            results.bool(false);
        }))
    }

    /// Domain and map; the status says which of them there is not.
    fn read_map(&self, arguments: &mut Reader<'_>) -> Option<Result<Map, Status>> {
        let domain = arguments.opaque(DOMAIN_OCTETS_MAX)?;
        let name = arguments.opaque(MAP_OCTETS_MAX)?;
        if domain != self.domain.as_bytes() {
            return Some(Err(Status::NoDomain));
        }
        let map = MAPS.iter().find(|(known, map)| known.as_bytes() == name && self.has(*map));
        Some(map.map(|(_, map)| *map).ok_or(Status::NoMap))
    }
}

impl Content {
    /// The maps of these names and accounts. `order`: see [`Content::order`].
    pub(crate) fn new(
        (domain, server, own): (&str, &str, &BTreeMap<String, Vec<Ipv4Addr>>),
        order: u32,
        directory: &Arc<Directory>,
        accounts: &Arc<Accounts>,
    ) -> Self {
        Self {
            domain: domain.into(),
            server: server.into(),
            order,
            hosts: Hosts::new(Arc::clone(directory), own),
            ethers: Ethers::new(Arc::clone(directory)),
            netgroups: Netgroups::new(Arc::clone(directory)),
            accounts: Arc::clone(accounts),
        }
    }

    /// The next piece of the results of ALL, and whether it is the last.
    pub(crate) fn piece(&self, walk: &mut Walk) -> (Writer, bool) {
        let mut piece = Writer::default();
        while piece.octets().len() < PIECE_OCTETS {
            match self.after(walk.map, walk.after.as_deref()) {
                Step::Entry { key, value } => {
                    piece.bool(true);
                    write_status(&mut piece, Status::True);
                    piece.opaque(&value);
                    piece.opaque(&key);
                    walk.after = Some(key);
                }
                Step::End | Step::NoSuchKey => {
                    write_end_of_all(&mut piece, Status::NoMore);
                    return (piece, true);
                }
            }
        }
        (piece, false)
    }

    fn has(&self, map: Map) -> bool {
        match map {
            Map::PasswdByName | Map::PasswdByUid | Map::NetidByName => self.accounts.has(File::Passwd),
            Map::GroupByName | Map::GroupByGid => self.accounts.has(File::Group),
            Map::HostsByName
            | Map::HostsByAddress
            | Map::EthersByName
            | Map::EthersByAddress
            | Map::Netgroup
            | Map::NetgroupByHost
            | Map::NetgroupByUser => true,
        }
    }

    fn value(&self, map: Map, key: &[u8]) -> Option<Vec<u8>> {
        let key = std::str::from_utf8(key).ok()?;
        let value = match map {
            Map::HostsByName => self.hosts.by_name(key),
            Map::HostsByAddress => self.hosts.by_address(key),
            Map::EthersByName => self.ethers.by_name(key),
            Map::EthersByAddress => self.ethers.by_address(key),
            Map::Netgroup => self.netgroups.members(key),
            Map::NetgroupByHost => self.netgroups.of_host(key),
            Map::NetgroupByUser => None,
            Map::PasswdByName => self.accounts.line(File::Passwd, Key::Name, key),
            Map::PasswdByUid => self.accounts.line(File::Passwd, Key::Number, key),
            Map::GroupByName => self.accounts.line(File::Group, Key::Name, key),
            Map::GroupByGid => self.accounts.line(File::Group, Key::Number, key),
            Map::NetidByName => self.accounts.netid(&self.domain, key),
        };
        value.map(String::into_bytes)
    }

    fn after(&self, map: Map, key: Option<&[u8]>) -> Step {
        let Ok(key) = key.map(std::str::from_utf8).transpose() else { return Step::NoSuchKey };
        match map {
            Map::HostsByName => self.hosts.after_name(key),
            Map::HostsByAddress => self.hosts.after_address(key),
            Map::EthersByName => self.ethers.after_name(key),
            Map::EthersByAddress => self.ethers.after_address(key),
            Map::Netgroup => self.netgroups.after(key),
            Map::NetgroupByHost => self.netgroups.after_host(key),
            Map::NetgroupByUser => Step::End,
            Map::PasswdByName => self.accounts.after(File::Passwd, Key::Name, key),
            Map::PasswdByUid => self.accounts.after(File::Passwd, Key::Number, key),
            Map::GroupByName => self.accounts.after(File::Group, Key::Name, key),
            Map::GroupByGid => self.accounts.after(File::Group, Key::Number, key),
            Map::NetidByName => self.accounts.after_netid(&self.domain, key),
        }
    }
}

/// Map, order, master, transaction, and the program and port to answer to: the transaction alone comes back, with a no.
fn refuse_transfer(arguments: &mut Reader<'_>) -> Option<Said> {
    arguments.opaque(DOMAIN_OCTETS_MAX)?;
    arguments.opaque(MAP_OCTETS_MAX)?;
    arguments.u32()?;
    arguments.opaque(PEER_OCTETS_MAX)?;
    let (transaction, _program, _port) = (arguments.u32()?, arguments.u32()?, arguments.u32()?);
    Some(success(|results| results.u32s(&[transaction, TRANSFER_REFUSED.cast_unsigned()])))
}

fn success(write: impl FnOnce(&mut Writer)) -> Said {
    let mut results = Writer::default();
    write(&mut results);
    Said::Answer(Answer::Success(results))
}

fn write_status(writer: &mut Writer, status: Status) {
    writer.u32((status as i32).cast_unsigned());
}

/// `ypresp_key_val`: the value stands before the key, which yp.x says the other way round, and no server does.
fn write_step(writer: &mut Writer, step: Result<Step, Status>) {
    let (status, key, value) = match step {
        Ok(Step::Entry { key, value }) => (Status::True, key, value),
        Ok(Step::End) => (Status::NoMore, Vec::new(), Vec::new()),
        Ok(Step::NoSuchKey) => (Status::NoKey, Vec::new(), Vec::new()),
        Err(status) => (status, Vec::new(), Vec::new()),
    };
    write_status(writer, status);
    writer.opaque(&value);
    writer.opaque(&key);
}

/// One more answer of ALL, which says why there are no more, and that it was the last.
fn write_end_of_all(writer: &mut Writer, status: Status) {
    writer.bool(true);
    write_status(writer, status);
    writer.opaque(&[]);
    writer.opaque(&[]);
    writer.bool(false);
}

#[cfg(test)]
mod tests;
