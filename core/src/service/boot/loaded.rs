//! What a machine has loaded whole: if that is a loader, and nothing is asked for after it, it does not run.

use crate::hall::Turn;
use crate::mac::Mac;
use crate::transfer::{Outcome, Transfer};

/// A transfer to it ended.
pub(super) fn note(turn: &mut Turn<'_>, machine: Option<Mac>, transfer: &Transfer) {
    match transfer.outcome {
        Outcome::Complete | Outcome::Unconfirmed => {}
        Outcome::Failed(_) => return,
    }
    if let Some(node) = machine.and_then(|mac| turn.hall.nodes.get_mut(mac)) {
        let path = transfer.path.trim_start_matches('/').to_owned();
        node.boot.loaded = Some((turn.now, path));
    }
}
