//! What became of one host.

use super::hosts::data_octets;
use heorot_core::load;
use heorot_core::time::Time;
use heorot_sim::frame::Frame;
use heorot_sim::machine::Told;

/// What a host has told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Score {
    /// When it was switched on.
    pub(super) started: Option<Time>,
    /// When the first octets of a file came.
    pub(super) first_data: Option<Time>,
    /// When all that it loads had come.
    pub(super) loaded: Option<Time>,
    /// When it gave up, and why.
    pub(super) lost: Option<(Time, String)>,
    /// How often a timer of its own ran out.
    pub(super) retries: u64,
    /// Octets of the files that came whole.
    pub(super) octets: u64,
    /// What these are on the wire if each block is sent once.
    pub(super) wire_octets: u64,
    /// Octets of files that came, however often.
    pub(super) received_octets: u64,
    /// What it did last.
    pub(super) stage: &'static str,
}

impl Score {
    /// Whether nothing more is expected of it.
    pub(super) fn is_settled(&self) -> bool {
        self.loaded.is_some() || self.lost.is_some()
    }

    /// Takes what its host has told.
    pub(super) fn take(&mut self, now: Time, told: Told) {
        match told {
            Told::Stage(stage) => self.stage = stage,
            Told::FirstData => self.first_data = self.first_data.or(Some(now)),
            Told::File { octets, block_octets, .. } => {
                self.octets += octets;
                self.wire_octets += load::file_wire_octets(octets, block_octets);
            }
            Told::Retry => self.retries += 1,
            Told::Loaded => self.loaded = self.loaded.or(Some(now)),
            Told::Lost(why) if !self.is_settled() => self.lost = Some((now, why)),
            Told::Lost(_) | Told::Address(_) | Told::Number(_) | Told::Up => {}
        }
    }

    /// Counts what came to its host.
    pub(super) fn received(&mut self, frame: &Frame) {
        self.received_octets += data_octets(&frame.payload).map_or(0, |(_, octets)| octets as u64);
    }
}
