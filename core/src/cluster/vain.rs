//! Boots that did not come up, one after another. A machine that starts anew by itself, because its kernel panics or its agent gives up, would be a machine that was switched on just now
//! for ever: each boot begins without what was in the way of the one before.

use super::node::{Firmware, Node};
use super::since::Since;
use super::stage::{Phase, Stage};
use super::trouble::Trouble;
use crate::limit::{CIRCLE_BOOT_MAX, SYSTEM_LIVES_AFTER};
use crate::time::{Time, span};

/// Boots since the last one that was heard to come up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vain {
    /// How many.
    pub boots: u32,
    /// Since when: the first of them began then.
    pub since: Since,
    /// How far the last of them was.
    pub phase: Option<Phase>,
    /// What was in its way.
    pub troubles: Vec<Trouble>,
    /// The file that its firmware had loaded last, if that asked for nothing more. It is not recorded.
    pub loaded: Option<String>,
}

impl Vain {
    /// Whether a machine goes in a circle: who was switched off and on once by hand does not.
    pub const fn is_circle(&self) -> bool {
        self.boots >= 2
    }

    /// In words. Of one boot that says not why it ended there is nothing to tell; what is in the way of the present one too is told with that.
    pub fn told(&self, now: Time, is_booting: bool, is_told: impl Fn(&str) -> bool) -> Option<String> {
        let whats = self.troubles.iter().map(|trouble| trouble.what.as_str()).filter(|what| !is_told(what));
        let whats: Vec<_> = whats.collect();
        if !self.is_circle() && whats.is_empty() {
            return None;
        }
        let ended = self.phase.map(|phase| format!(" ended in {phase}"));
        let ended = ended.unwrap_or_else(|| " ended".into());
        let why = if whats.is_empty() { String::new() } else { format!(": {}", whats.join("; ")) };
        let before = if is_booting { " before this one" } else { "" };
        if !self.is_circle() {
            return Some(match is_booting {
                true => format!("the boot before this one{ended}{why}"),
                false => format!("its last boot{ended}{why}"),
            });
        }
        let first = match self.since.is_known() {
            true => format!("the first {} ago", span(now.since(self.since.at()))),
            false => "the first before this server started".into(),
        };
        Some(format!("{} boots{before} were not heard to come up, {first}; the last{ended}{why}", self.boots))
    }
}

impl Node {
    /// Its boot is over. If it was not heard to come up, that is kept until one does.
    pub fn boot_over(&mut self, now: Time) {
        if self.boot.token.is_empty() {
            return;
        }
        // Whoever is kept from serving, or was tried, has heard what there was for him.
        let is_vain = self.orders.standing.is_none()
            && match self.stage {
                Stage::Booting => true,
                Stage::Temporary | Stage::Testing => self.boot.tries == 0,
                Stage::Ready => self.troubles_that_end().next().is_some(),
                Stage::Seen | Stage::Down => return,
                Stage::Failed | Stage::Up => false,
            };
        if !is_vain || self.has_lived(now) {
            self.vain = None;
            return;
        }
        let phase = if self.stage.is_booting() { self.phase } else { Some(Phase::Agent) };
        let troubles: Vec<_> = self.troubles_that_end().cloned().collect();
        let loaded = self.silent_file().map(|(_, path)| path.to_owned());
        let before = self.vain.as_ref();
        self.vain = Some(Box::new(Vain {
            boots: before.map_or(1, |vain| vain.boots.saturating_add(1)),
            since: before.map_or(self.since, |vain| vain.since),
            phase,
            troubles,
            loaded,
        }));
    }

    /// Whether it goes in a circle by now: a boot that lasts is none of one.
    pub fn circle(&self, now: Time) -> Option<&Vain> {
        self.vain.as_deref().filter(|vain| vain.is_circle() && !self.has_lived(now))
    }

    /// The boots before the present one, as far as that one has not lived: what was in their way is not in its.
    pub fn boots_in_vain(&self, now: Time) -> Option<&Vain> {
        self.vain.as_deref().filter(|_| !(self.stage.is_booting() && self.has_lived(now)))
    }

    /// The file that its firmware loaded last in this boot, whole, and of which nothing was heard since: firmware that asks for its address once more, or loads the same, does not run it.
    pub fn silent_file(&self) -> Option<(Time, &str)> {
        let (at, path) = self.boot.loaded.as_ref()?;
        let has_run = self.boot.programs.asked(Firmware::Ipxe).is_some()
            || self.boot.went_on.is_some_and(|went_on| went_on > *at);
        let is_loading = self.stage.is_booting() && self.phase <= Some(Phase::Loader);
        Some((*at, path.as_str())).filter(|_| is_loading && !has_run)
    }

    /// Whether its present boot is one that lasts.
    fn has_lived(&self, now: Time) -> bool {
        // A system without an agent says nothing, but it asked for its address, and then lived; or it did not even ask.
        let is_without_agent = self.stage.is_booting() && self.phase < Some(Phase::Agent);
        let asked = self.boot.system_asked.filter(|_| is_without_agent);
        asked.is_some_and(|at| now.since(at) >= SYSTEM_LIVES_AFTER)
            // A trial takes as long as its checks do.
            || (self.stage != Stage::Testing && now.since(self.since.at()) >= CIRCLE_BOOT_MAX)
    }

    /// What no boot goes on with.
    fn troubles_that_end(&self) -> impl Iterator<Item = &Trouble> {
        let beside = self.beside.iter().filter(|(kind, _)| kind.ends_boots());
        let refused = self.boot.refused_secrets.as_deref().into_iter();
        refused.chain(&self.trouble).chain(beside.map(|(_, trouble)| trouble))
    }
}

#[cfg(test)]
mod tests;
