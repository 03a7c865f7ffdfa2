//! What the journal is told, and how much of it: whoever can send packets can have lines written, and there is no end of hardware addresses that one may make up.

use super::{Due, Turn};
use crate::cluster::chatter::{LeftOut, Line, Speaker};
use crate::cluster::node::Node;
use crate::cluster::stage::Stage;
use crate::event::{Event, Kind};
use crate::mac::Mac;
use crate::message::Output;
use std::sync::Arc;

impl Turn<'_> {
    /// Tells the journal, and the history of the machine if it is a node.
    pub(crate) fn event(
        &mut self,
        machine: Option<Mac>,
        kind: Kind,
        detail: impl AsRef<str> + Into<Arc<str>>,
    ) {
        let detail = self.hall.phrases.shared(detail);
        let machine = machine.map(|mac| self.hall.nodes.identity(mac));
        let speaker = match machine.and_then(|mac| self.hall.nodes.get_mut(mac)) {
            Some(node) => {
                node.history.remember(self.now, kind, Arc::clone(&detail));
                Some(speaker(node, kind))
            }
            None => machine.map(Speaker::Host),
        };
        if speaker.is_none_or(|speaker| self.may_tell(speaker)) {
            self.out.push(Output::Event(Event { machine, kind, detail }));
        }
    }

    /// The same of what is told so seldom that it needs no bound, whatever else was said of the machine in this minute.
    pub(crate) fn event_told_seldom(
        &mut self,
        mac: Mac,
        kind: Kind,
        detail: impl AsRef<str> + Into<Arc<str>>,
    ) {
        let (machine, detail) = (self.hall.nodes.identity(mac), self.hall.phrases.shared(detail));
        if let Some(node) = self.hall.nodes.get_mut(machine) {
            node.history.remember(self.now, kind, Arc::clone(&detail));
        }
        self.out.push(Output::Event(Event { machine: Some(machine), kind, detail }));
    }

    /// Tells the journal what a stranger brought about, of whom no more is known than where he is.
    pub(crate) fn event_by_stranger(&mut self, kind: Kind, detail: String) {
        if self.may_tell(Speaker::Nobody(kind)) {
            self.event(None, kind, detail);
        }
    }

    /// Tells the journal of an interface of ours: a cable that is loose has something to say many times a second.
    pub(crate) fn event_of_interface(&mut self, detail: String) {
        if self.may_tell(Speaker::Interface) {
            self.event(None, Kind::Trouble, detail);
        }
    }

    fn may_tell(&mut self, speaker: Speaker) -> bool {
        match self.hall.chatter.line(self.now, speaker) {
            Line::Told => true,
            Line::LeftOut(told_at) => {
                told_at.into_iter().for_each(|at| self.hall.timers.arm(at, Due::Chatter));
                false
            }
        }
    }

    /// Tells how many lines were left out, and about whom.
    pub(crate) fn tell_left_out(&mut self) {
        let LeftOut { each, hosts, machines, nobodys, interfaces } = self.hall.chatter.end();
        let mut tell = |machine, detail: String| {
            self.out.push(Output::Event(Event { machine, kind: Kind::Trouble, detail: detail.into() }));
        };
        for (mac, lines) in each {
            tell(Some(mac), format!("{lines} more lines in a minute were left out: it asks in a loop"));
        }
        if hosts > 0 {
            tell(None, format!("{hosts} lines about further hosts that are no nodes were left out"));
        }
        if machines > 0 {
            let why = "there were too many for one minute; heorot explain has what they asked";
            tell(None, format!("{machines} lines about machines without a number were left out: {why}"));
        }
        for (kind, lines) in nobodys {
            tell(None, format!("{lines} more lines in a minute about {} were left out", of_nobodys(kind)));
        }
        if interfaces > 0 {
            let why = "a cable is loose, or something sets them up again and again";
            tell(None, format!("{interfaces} more lines in a minute about interfaces were left out: {why}"));
        }
    }
}

/// As whom a node speaks.
fn speaker(node: &Node, kind: Kind) -> Speaker {
    match node.promised() {
        Some(_) => Speaker::Node(node.mac, kind),
        None => Speaker::New { mac: node.mac, kind, is_seen: node.stage == Stage::Seen },
    }
}

/// What strangers bring about, in words.
fn of_nobodys(kind: Kind) -> &'static str {
    match kind {
        Kind::File | Kind::Transfer => "files that hosts asked for who are no nodes",
        Kind::Discover
        | Kind::Offer
        | Kind::Ack
        | Kind::Nak
        | Kind::Release
        | Kind::Decline
        | Kind::Agent
        | Kind::Check
        | Kind::Stage
        | Kind::Number
        | Kind::Load
        | Kind::Shadow
        | Kind::Update
        | Kind::Operator
        | Kind::Trouble => "hosts that cannot be served",
    }
}
