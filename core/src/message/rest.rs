//! Where a long answer goes on. It is the asker's to keep: nobody remembers here who has not asked yet.

use super::unwritten::AboutNodes;
use super::{Answer, Query};
use crate::mac::Mac;
use heorot_names::export::Export;
use std::net::Ipv4Addr;
use std::sync::Arc;

/// What is left of a long answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rest(pub(crate) RestOf);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RestOf {
    List(Listed),
    Dump(Dumped),
    Export(Exported),
}

/// How far is gathered what is exported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Exported {
    pub(crate) export: Export,
    /// All nodes, as above.
    pub(crate) macs: Arc<[Mac]>,
    /// How many of them were looked at.
    pub(crate) done: usize,
    /// What was found.
    pub(crate) about: AboutNodes,
}

/// How far a list of nodes is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    /// Who is in it, as was found when it was asked for: whoever gets another place meanwhile is told once, all the same.
    pub(crate) macs: Arc<[Mac]>,
    /// How many of them were told, or are forgotten.
    pub(crate) done: usize,
    /// Whether one was told.
    pub(crate) is_begun: bool,
}

/// How far everything that is known is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dumped {
    /// All nodes, as above.
    pub(crate) macs: Arc<[Mac]>,
    /// Which table it is at.
    pub(crate) table: usize,
    /// What of it was told last; nothing: it was not begun.
    pub(crate) after: Option<After>,
}

/// What was told last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum After {
    /// The heading of the table.
    Heading,
    /// So many nodes.
    Nodes(usize),
    /// What there is of an address.
    Address(Ipv4Addr),
    /// What there is of a name.
    Name(String),
}

impl Answer {
    /// A long answer whole, for who has the time: `ask` answers what follows. None: it was not answered.
    pub fn whole(self, mut ask: impl FnMut(Query) -> Option<Self>) -> Option<Self> {
        let mut told = String::new();
        let mut answer = self;
        loop {
            match answer {
                Self::Part(text, rest) => {
                    told.push_str(&text);
                    answer = ask(Query::More(rest))?;
                }
                Self::Unwritten(unwritten) => answer = unwritten.write(),
                Self::Json(200, text) if !told.is_empty() => return Some(Self::Json(200, told + &text)),
                Self::Json(..)
                | Self::Text(_)
                | Self::File(_)
                | Self::FirstOf(_)
                | Self::Files(_)
                | Self::HostKeys(_)
                | Self::Missing(_)
                | Self::Refused(_) => return Some(answer),
            }
        }
    }
}
