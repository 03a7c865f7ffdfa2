//! Updates of names (RFC 2136). Whoever answers for names has read them, and knows that their key may; here it is decided whether the names are free, and they are recorded.

use crate::cluster::dynamic::{Taken, taken};
use crate::cluster::record::{DynamicRecord, Record};
use crate::event::Kind;
use crate::hall::Turn;
use crate::message::{Output, UpdateId, UpdateOutcome};
use crate::promise::Promise;
use heorot_names::{Change, Dynamic};

/// An update: kept whole or not at all, as all records of a turn become durable together.
pub(crate) fn handle(turn: &mut Turn<'_>, id: UpdateId, changes: Vec<Dynamic>, by: &str) {
    if let Some((name, who)) = first_taken(turn, &changes) {
        denied(turn, by, &format!("{name}: {}", who.told()));
        turn.out.push(Output::Updated(id, UpdateOutcome::Refused));
        return;
    }
    let is_busy = turn.hall.dynamics.is_busy();
    if !turn.hall.dynamics.propose(changes.clone()) {
        if !is_busy {
            denied(turn, by, "names have as many records by updates as they may");
        }
        turn.out
            .push(Output::Updated(id, if is_busy { UpdateOutcome::Failed } else { UpdateOutcome::Refused }));
        return;
    }
    for change in &changes {
        turn.event(None, Kind::Update, format!("{change} (update by {by})"));
        turn.record(Record::Dynamic(DynamicRecord::from(change)));
    }
    turn.promise(Promise::Update(id));
}

/// An update was refused: told once.
pub(crate) fn denied(turn: &mut Turn<'_>, by: &str, why: &str) {
    let detail = format!("an update by {by} was refused: {why}");
    if turn.hall.dynamics.is_news(detail.clone()) {
        turn.event(None, Kind::Trouble, detail);
    }
}

/// All that was kept, for whoever answers for names and has just begun.
pub(crate) fn kept(turn: &Turn<'_>) -> Vec<Change> {
    turn.hall.dynamics.iter().cloned().map(Change::Updated).collect()
}

/// The configuration is another one: what it says now goes before what came by updates.
pub(crate) fn recheck(turn: &mut Turn<'_>) {
    let hall = &mut *turn.hall;
    for (name, who) in hall.dynamics.newly_taken(&hall.directory, &hall.naming) {
        let detail = format!("{name}: {}, so that its records by updates are not told", who.told());
        turn.event(None, Kind::Trouble, detail);
    }
}

/// What somebody else has of all that is new in these changes.
fn first_taken(turn: &Turn<'_>, changes: &[Dynamic]) -> Option<(String, Taken)> {
    let is_kept = |change: &Dynamic, kind: u16| {
        turn.hall.dynamics.get(&change.name).is_some_and(|kept| kept.sets.iter().any(|set| set.kind == kind))
    };
    changes.iter().find_map(|change| {
        let new = change.sets.iter().filter(|set| !is_kept(change, set.kind));
        let mut who =
            new.filter_map(|set| taken(&turn.hall.directory, &turn.hall.naming, &change.name, set.kind));
        Some((change.name.clone(), who.next()?))
    })
}
