//! Nodes go from stage to stage and from phase to phase, and what is in their way.

use super::Turn;
use crate::cluster::node::{Boot, Offers, Trouble};
use crate::cluster::since::Since;
use crate::cluster::stage::{Phase, Stage, Step};
use crate::cluster::trouble::Beside;
use crate::event::Kind;
use crate::limit::{
    HOST_TROUBLES_TOLD_MAX, OFFERS_OF_ONE_ATTEMPT, TROUBLE_TOLD_EVERY, UNANSWERED_TOLD_EVERY,
};
use crate::mac::Mac;

impl Turn<'_> {
    /// Something is in a node's way. It stands in `explain` until the node gets further.
    pub(crate) fn trouble(&mut self, mac: Mac, what: String, to_do: Option<String>) {
        if let Some(node) = self.hall.nodes.get_mut(mac) {
            node.trouble = Some(Trouble { what: what.clone(), to_do });
        }
        self.event(Some(mac), Kind::Trouble, what);
    }

    /// The same, if it is not what is in its way already. Of what comes and goes each is told once in a while.
    pub(crate) fn trouble_once(&mut self, mac: Mac, what: String, to_do: Option<String>) {
        let Some(node) = self.hall.nodes.get_mut(mac) else { return self.trouble_of_host(mac, what) };
        let told = node.history.trouble_told(&what);
        let was_told_just_now = told.is_some_and(|told| self.now.since(told) < TROUBLE_TOLD_EVERY);
        match &mut node.trouble {
            Some(standing) if standing.what == what || was_told_just_now => {
                *standing = Trouble { what, to_do };
            }
            Some(_) | None => self.trouble(mac, what, to_do),
        }
    }

    /// Something is in the way of a host that is no node, whose troubles stand nowhere: the journal is told each of them once in a while.
    fn trouble_of_host(&mut self, mac: Mac, what: String) {
        let now = self.now;
        let told = &mut self.hall.told_of_hosts;
        let of_this = (mac, what);
        if told.get(&of_this).is_some_and(|told| now.since(*told) < UNANSWERED_TOLD_EVERY) {
            return;
        }
        if told.len() >= HOST_TROUBLES_TOLD_MAX {
            told.clear();
        }
        self.event(Some(mac), Kind::Trouble, of_this.1.as_str());
        self.hall.told_of_hosts.insert(of_this, now);
    }

    /// Something is wrong beside whatever else is in a node's way. It is told once, as long as it is the same; of a host that is no node whenever it is said.
    pub(crate) fn trouble_beside(&mut self, mac: Mac, kind: Beside, what: String, to_do: Option<String>) {
        let node = self.hall.nodes.get_mut(mac);
        let told = node.and_then(|node| node.beside.insert(kind, Trouble { what: what.clone(), to_do }));
        if told.is_none_or(|told| told.what != what) {
            self.event(Some(mac), Kind::Trouble, what);
        }
    }

    /// The same of what comes and goes, as where firmware tries one way to boot after the other: each is told once in a while, and so it is of a host that is no node.
    pub(crate) fn trouble_beside_once(&mut self, mac: Mac, kind: Beside, what: String, to_do: String) {
        let Some(node) = self.hall.nodes.get_mut(mac) else { return self.trouble_of_host(mac, what) };
        let told = node.history.trouble_told(&what);
        let was_told_just_now = told.is_some_and(|told| self.now.since(told) < TROUBLE_TOLD_EVERY);
        let before = node.beside.insert(kind, Trouble { what: what.clone(), to_do: Some(to_do) });
        if !was_told_just_now && before.is_none_or(|before| before.what != what) {
            self.event(Some(mac), Kind::Trouble, what);
        }
    }

    /// That is over.
    pub(crate) fn no_trouble(&mut self, mac: Mac, kind: Beside) {
        if let Some(node) = self.hall.nodes.get_mut(mac) {
            node.beside.remove(&kind);
        }
    }

    /// A node is offered an address: what becomes of that is not known before it speaks again.
    pub(crate) fn offered(&mut self, mac: Mac) {
        let now = self.now;
        if let Some(node) = self.hall.nodes.get_mut(mac) {
            node.beside.remove(&Beside::NoAddress);
            // Who runs has an address, whoever asks in its name.
            let is_waiting = node.stage == Stage::Seen || node.stage.is_booting();
            let is_another = |last| now.since(last) > OFFERS_OF_ONE_ATTEMPT;
            if !is_waiting || node.offers.last.is_some_and(is_another) {
                node.offers = Offers::default();
            }
            if is_waiting {
                let Offers { count, since, .. } = node.offers;
                node.offers =
                    Offers { count: count.saturating_add(1), since: since.or(Some(now)), last: Some(now) };
            }
        }
    }

    /// A node was heard to have heard us.
    pub(crate) fn hears_us(&mut self, mac: Mac) {
        if let Some(node) = self.hall.nodes.get_mut(mac) {
            node.offers = Offers::default();
        }
    }

    /// Moves a node along. The journal and the records hear of it if it is another stage.
    pub(crate) fn step(&mut self, mac: Mac, step: Step, reason: &str) {
        let now = self.now;
        if step == Step::Lent {
            self.hall.nodes.is_there(mac);
        }
        let Some(node) = self.hall.nodes.get_mut(mac) else { return };
        let (before, after) = (node.stage, node.stage.after(step));
        if before == after {
            return;
        }
        if step == Step::Expired {
            node.boot_over(now);
        }
        node.stage = after;
        (node.since, node.reason) = (Since::now(now), reason.into());
        node.phase = after.is_booting().then_some(Phase::Dhcp);
        if step == Step::Unplaced {
            node.phase = Some(Phase::Agent);
        }
        if after.is_numbered() {
            node.trouble = None;
            // Without a trial it gets its number in the middle of a boot, before it has asked for a file.
            let is_before_its_file = matches!(after, Stage::Ready | Stage::Booting);
            node.beside.retain(|kind, _| is_before_its_file && kind.is_of_firmware());
        }
        if matches!(after, Stage::Ready | Stage::Up | Stage::Failed) {
            node.vain = None;
        }
        let mac = node.mac;
        let line = self.line(format_args!("{before} -> {after}: {reason}"));
        self.event(Some(mac), Kind::Stage, line);
        self.keep_boot(mac);
        self.hall.nodes.let_go(now, mac);
    }

    /// A boot begins: whatever the last one's token let its machine say is over.
    pub(crate) fn begin_boot(&mut self, mac: Mac) {
        let token = self.token(mac);
        let now = self.now;
        let Some(node) = self.hall.nodes.get_mut(mac) else { return };
        node.boot_over(now);
        // It asks by the address that it has, and by what it got that.
        let is_bootp = node.boot.is_bootp;
        node.boot = Boot { token: std::mem::take(&mut node.boot.token), is_bootp, ..Boot::default() };
        node.trouble = None;
        node.beside.clear();
        let (stage, was_booting) = (node.stage, node.stage.is_booting());
        self.hall.nodes.set_token(mac, token);
        if was_booting && let Some(node) = self.hall.nodes.get_mut(mac) {
            (node.phase, node.since, node.reason) =
                (Some(Phase::Dhcp), Since::now(now), "it was switched on again".into());
        }
        self.step(mac, Step::PowerOn, "it was switched on");
        if was_booting {
            let circle = self.hall.nodes.get(mac).and_then(|node| node.vain.as_ref());
            let circle = circle.filter(|vain| vain.is_circle());
            let boots =
                circle.map(|vain| format!("; its last {} boots were not heard to come up", vain.boots));
            let boots = boots.unwrap_or_default();
            self.event(Some(mac), Kind::Stage, format!("{stage}: it was switched on again{boots}"));
            self.keep_boot(mac);
        }
    }

    /// A boot is this far; it only goes forward.
    pub(crate) fn phase(&mut self, mac: Mac, phase: Phase) {
        let Some(node) = self.hall.nodes.get_mut(mac) else { return };
        if node.stage.is_booting() && node.phase < Some(phase) {
            node.phase = Some(phase);
            (node.trouble, node.boot.lacks, node.boot.delivery) = (None, None, None);
            node.beside.clear();
            // It is further than the boot before it was: what was in the way of that is not in its.
            node.vain
                .iter_mut()
                .filter(|vain| vain.phase < Some(phase))
                .for_each(|vain| vain.troubles.clear());
            self.keep_boot(mac);
        }
    }
}
