//! What waits for a record: nothing is promised to a node before it is durable.

use crate::cluster::lease::{PoolId, PoolKind};
use crate::cluster::node::Offers;
use crate::cluster::stage::Step;
use crate::cluster::trouble::Beside;
use crate::event::Kind;
use crate::hall::{Change, Decided, Turn};
use crate::limit::STORE_HANGS_AFTER;
use crate::mac::Mac;
use crate::message::{Answer, DhcpSend, NodeFiles, Output, RequestId, Ticket, UpdateId, UpdateOutcome};
use crate::time::Time;
use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

/// All that waits, in the order of the records.
#[derive(Debug, Default)]
pub(crate) struct Promises {
    issued: Ticket,
    /// The last of those that promises wait for.
    awaited: Ticket,
    committed: Ticket,
    /// Since when somebody has waited for a record, and none was decided meanwhile.
    waits_since: Option<Time>,
    waiting: VecDeque<(Ticket, Promise)>,
}

/// What happens when its record is durable.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Promise {
    /// The number that was claimed is the machine's.
    Number {
        /// Which machine.
        mac: Mac,
        /// Why it gets one.
        reason: String,
        /// Whether its firmware asks: then it goes on to boot with its number.
        in_mid_boot: bool,
    },
    /// A hardware address is a node's.
    Join(Mac),
    /// An address is granted.
    Grant(Grant),
    /// Names are updated.
    Update(UpdateId),
    /// What an operator decided about a machine holds.
    Decided(Box<Decided>),
    /// All of it does, and he is told so.
    Change(Box<Change>),
    /// The secrets of a boot are given.
    Secrets {
        /// To which machine.
        mac: Mac,
        /// Whose request it is.
        id: RequestId,
        /// When they are said to have been given.
        given: Time,
        /// What.
        files: Box<NodeFiles>,
    },
    /// A request is answered.
    Reply {
        /// Which.
        id: RequestId,
        /// If the record is durable.
        answer: Answer,
        /// If it could not be kept.
        refused: Answer,
    },
    /// A request is answered with what holds the token of a boot, whether that is durable or could not be kept, and also when a store that hangs says neither.
    Token {
        /// Which.
        id: RequestId,
        /// With what.
        answer: Answer,
    },
}

/// An ACK that goes out as soon as its address is safely the machine's.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Grant {
    /// To whom.
    pub(crate) mac: Mac,
    /// What.
    pub(crate) address: Ipv4Addr,
    /// For how long: what is asked for meanwhile may be longer, and is not recorded yet.
    pub(crate) length: Duration,
    /// Whether it is lent: from where.
    pub(crate) lent: Option<PoolId>,
    /// Whether its machine is one in mid-boot, so that its neighbour entry is pinned.
    pub(crate) pinned: bool,
    /// For the history.
    pub(crate) told: Arc<str>,
    /// The ACK.
    pub(crate) send: DhcpSend,
}

impl Promises {
    /// The ticket of the next record; whether promises are to wait for that one.
    pub(crate) fn next_ticket(&mut self, is_awaited: bool) -> Ticket {
        self.issued.0 += 1;
        if is_awaited {
            self.awaited = self.issued;
        }
        self.issued
    }

    /// Whether the store has decided nothing for long that somebody waits for: its disk hangs.
    pub(crate) fn are_stuck(&self, now: Time) -> bool {
        self.stuck_from().is_some_and(|from| now >= from)
    }

    /// From when on that is so, unless something is decided before.
    pub(crate) fn stuck_from(&self) -> Option<Time> {
        self.waits_since.map(|since| since + STORE_HANGS_AFTER)
    }

    /// Whoever waits only for what holds his boot's token waits no longer.
    pub(crate) fn give_up_tokens(&mut self) -> Vec<Promise> {
        let is_token = |promise: &Promise| matches!(promise, Promise::Token { .. });
        let (tokens, others) =
            std::mem::take(&mut self.waiting).into_iter().partition(|(_, promise)| is_token(promise));
        self.waiting = others;
        VecDeque::into_iter(tokens).map(|(_, promise)| promise).collect()
    }

    /// Whether somebody waits for what holds his boot's token.
    pub(crate) fn keep_tokens_waiting(&self) -> bool {
        self.waiting.iter().any(|(_, promise)| matches!(promise, Promise::Token { .. }))
    }

    /// Which request gets the secrets that were given at that moment, and what it gets, as long as that waits to be durable.
    pub(crate) fn waiting_secrets(
        &mut self,
        of: Mac,
        at: Time,
    ) -> Option<(&mut RequestId, &mut Box<NodeFiles>)> {
        self.waiting.iter_mut().find_map(|(_, promise)| {
            let Promise::Secrets { mac, id, given, files } = promise else { return None };
            (*mac == of && *given == at).then_some((id, files))
        })
    }

    /// The last of the records that were issued.
    pub(crate) fn last_issued(&self) -> Ticket {
        self.issued
    }

    /// The last of the records that are decided.
    pub(crate) fn last_decided(&self) -> Ticket {
        self.committed
    }

    /// Whether somebody waits for this record, or for one after it.
    pub(crate) fn is_awaited(&self, ticket: Ticket) -> bool {
        ticket <= self.awaited
    }

    /// Lets a promise wait for all records so far that are more than history. It comes back if there is nothing to wait for.
    pub(crate) fn wait(&mut self, now: Time, promise: Promise) -> Option<Promise> {
        if self.awaited <= self.committed {
            return Some(promise);
        }
        self.waits_since.get_or_insert(now);
        self.waiting.push_back((self.awaited, promise));
        None
    }

    /// The records through this ticket are decided: one after another, the promises that waited for them.
    pub(crate) fn decided(&mut self, now: Time, through: Ticket) -> Option<Promise> {
        if through > self.committed {
            self.committed = through;
            // Who waits for the next commit begins to wait for it now.
            let waits_on = self.waiting.back().is_some_and(|(ticket, _)| *ticket > through);
            self.waits_since = waits_on.then_some(now);
        }
        let (ticket, _) = self.waiting.front()?;
        if *ticket > self.committed {
            return None;
        }
        self.waiting.pop_front().map(|(_, promise)| promise)
    }
}

impl Promise {
    /// The record is durable.
    pub(crate) fn fulfil(self, turn: &mut Turn<'_>) {
        match self {
            Self::Number { mac, reason, in_mid_boot } => {
                let Some(number) = turn.hall.nodes.settle(mac) else { return };
                turn.come_back(mac, number);
                turn.numbered(mac);
                turn.event(Some(mac), Kind::Number, format!("number {number}: {reason}"));
                turn.step(mac, Step::Numbered, &reason);
                if in_mid_boot {
                    turn.step(mac, Step::PowerOn, "it was switched on");
                    // It has loaded nothing yet, and what it boots now is a numbered node's.
                    turn.plan_anew(mac);
                    turn.keep_boot(mac);
                }
                turn.accepted(mac);
                turn.tell_misaddressed(mac);
            }
            Self::Join(further) => turn.hall.nodes.joined(further),
            Self::Grant(grant) => grant.fulfil(turn),
            Self::Update(id) => {
                let changes = turn.hall.dynamics.settle();
                turn.hall.naming.updated(id, changes);
            }
            Self::Decided(decided) => decided.fulfil(turn),
            Self::Change(change) => change.fulfil(turn),
            Self::Secrets { mac, id, files, .. } => {
                turn.tell_secrets_given(mac);
                turn.out.push(Output::Reply(id, Answer::Files(files)));
            }
            Self::Reply { id, answer, .. } | Self::Token { id, answer } => {
                turn.out.push(Output::Reply(id, answer))
            }
        }
    }

    /// The record could not be kept: all is as if it had not been proposed. The client will ask again.
    pub(crate) fn withdraw(self, turn: &mut Turn<'_>) {
        match self {
            Self::Number { mac, .. } => turn.hall.nodes.renounce(mac),
            Self::Join(further) => turn.hall.nodes.part(further),
            Self::Grant(grant) => {
                drop(turn.hall.granting.end(grant.mac, grant.address));
                if grant.lent.is_some() && grant.is_its(turn) {
                    turn.hall.leases.retract(grant.address);
                    turn.hall.naming.ended(grant.address);
                }
                let why = "the address could not be recorded, so that it was not granted";
                turn.trouble(grant.mac, why.into(), Some("see what the journal says of the store".into()));
            }
            Self::Update(id) => {
                turn.hall.dynamics.withdraw();
                turn.out.push(Output::Updated(id, UpdateOutcome::Failed));
            }
            Self::Decided(decided) => decided.withdraw(turn),
            Self::Change(change) => change.withdraw(turn),
            Self::Secrets { mac, id, given, .. } => {
                turn.take_back_secrets(mac, given);
                let why = serde_json::json!({ "error": "that it has them could not be recorded: ask again" });
                turn.out.push(Output::Reply(id, Answer::Json(503, why.to_string())));
            }
            Self::Reply { id, refused: answer, .. } | Self::Token { id, answer } => {
                turn.out.push(Output::Reply(id, answer));
            }
        }
    }
}

impl Grant {
    /// Whether its address is lent to its machine, as it was when this was promised.
    fn is_its(&self, turn: &Turn<'_>) -> bool {
        turn.hall.leases.get(self.address).is_some_and(|lease| lease.mac == self.mac)
    }

    /// First the kernel learns where the machine is, then the machine learns its address: what it then asks is answered without an ARP.
    pub(crate) fn fulfil(self, turn: &mut Turn<'_>) {
        let by_further_ways = turn.hall.granting.end(self.mac, self.address);
        if self.lent.is_some() {
            let lease =
                if self.is_its(turn) { turn.hall.leases.recorded(self.address, self.length) } else { None };
            let Some(lease) = lease else {
                return; // Given back before it was granted; it may be lent to another one by now, whose record is not durable by this.
            };
            let until = lease.until;
            turn.hall.naming.lent(self.address, until.as_nanoseconds());
        } else if self.is_its(turn) {
            turn.hall.leases.recorded(self.address, self.length);
        }
        // An operator has had his word meanwhile, and whoever gave it was told so.
        if turn.is_shut_out(self.mac) {
            return;
        }
        if self.pinned {
            turn.pin(self.address, self.mac);
        }
        if let Some(node) = turn.hall.nodes.get_mut(self.mac) {
            node.is_told(turn.now, Arc::clone(&self.told));
            node.offers = Offers::default();
            node.beside.remove(&Beside::NoAddress);
            let before = node.granted_to.replace(self.mac).unwrap_or(node.mac);
            // After a restart in mid-boot, frames are to go there. Nothing waits for that.
            if self.lent.is_none() && before != self.mac {
                turn.keep_node(self.mac);
                turn.numbered(self.mac);
            }
        }
        turn.event(Some(self.mac), Kind::Ack, self.told);
        // Who asks for what is lent to it already may have come to be merely seen meanwhile. A guest of whom an operator has decided something is no node by what is lent to it.
        let lease = turn.hall.leases.get(self.address).filter(|lease| lease.mac == self.mac);
        if lease.is_some_and(|lease| lease.pool.kind == PoolKind::Temporary) {
            turn.step(self.mac, Step::Lent, "it got a temporary address");
        }
        turn.out.push(Output::Dhcp(self.send));
        turn.out.extend(by_further_ways.map(Output::Dhcp));
    }
}
