//! An operator's change in a few octets: most of them are right, and meet machines that there are.

use heorot_core::message::{ChangeRequest, Verb};

/// What is done with a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// It is only told.
    Told,
    /// Its records are under way.
    UnderWay,
    /// They become durable at once.
    Committed,
    /// They never do.
    Refused,
}

/// Which change, of whom, and what becomes of it.
pub(super) fn order(octets: &mut impl Iterator<Item = u8>) -> (Verb, ChangeRequest, Then) {
    let mut next = || octets.next().unwrap_or(0);
    let kind = next();
    let (_, verb) = Verb::NAMED[usize::from(kind & 7) % Verb::NAMED.len()];
    let then = [Then::Told, Then::UnderWay, Then::Committed, Then::Refused][usize::from(kind >> 3 & 3)];
    let has = |bit: u8| kind >> bit & 1 == 1;
    let mut change = ChangeRequest { set: set(&mut next), ..ChangeRequest::default() };
    change.without = has(5).then(|| set(&mut next));
    // With this one, things that do not belong together.
    let also = if has(7) { next() } else { 0 };
    let may_have_reason = matches!(verb, Verb::Deny | Verb::Hold | Verb::Retire) && has(6);
    if may_have_reason || also & 1 == 1 {
        change.reason = Some(["", "its fan is loud", "two\nlines"][usize::from(next()) % 3].into());
    }
    if verb == Verb::Number || also & 2 == 2 {
        change.number = Some(u32::from(next() % 41));
    }
    if (verb == Verb::Set && has(6)) || also & 4 == 4 {
        change.profile = Some(["new", "", "default", "trial"][usize::from(next()) % 4].into());
    }
    if (verb == Verb::Set && !has(6)) || also & 8 == 8 {
        let which = usize::from(next());
        let name = ["rack", "console", "not a name"][which % 3];
        change.attributes.insert(name.into(), ["r1", "", "r2"][which / 3 % 3].into());
    }
    (verb, change, then)
}

/// A number, a hardware address, an address, a range, or a group.
fn set(next: &mut impl FnMut() -> u8) -> String {
    const GROUPS: [&str; 8] = [
        "@*",
        "all",
        "@state:ready",
        "@state:down",
        "@state:retired",
        "@state:booting",
        "@profile:default",
        "@no",
    ];
    let octet = next();
    let low = octet & 31;
    match octet >> 5 {
        0 | 1 => (octet % 41).to_string(),
        2 => format!("node{low}"),
        3 => format!("10.77.{}.{}", if low < 16 { 1 } else { 200 }, low % 16),
        4 => format!("node[{}-{}]", low & 15, (low & 15) + 3),
        5 => GROUPS[usize::from(low) % GROUPS.len()].into(),
        _ => format!("52:54:00:12:34:{:02x}", if octet >> 5 == 6 { low } else { next() }),
    }
}
