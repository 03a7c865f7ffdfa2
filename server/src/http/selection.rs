//! What of a file is sent: all, a part, or nothing because the client has it already (RFC 9110 13 and 14).

use super::calendar;
use super::head::{Conditions, Method};
use super::text::{self, Wanted};
use heorot_core::transfer::ImageIdentity;
use std::ops::Range;

/// What tells a file from other versions of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Version {
    /// Octets.
    pub(super) size: u64,
    /// Changes whenever the file does.
    pub(super) tag: String,
    /// When it was changed last, in seconds since 1970. Never later than now (RFC 9110 8.8.2.1).
    pub(super) modified: u64,
    /// Whether the file could have been changed twice in the second of that date (8.8.2.2).
    is_fresh: bool,
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Selection {
    /// 200
    Whole,
    /// 206
    Part(Range<u64>),
    /// 304
    NotModified,
    /// 412
    Failed,
    /// 416
    OutOfReach,
}

impl Version {
    pub(super) fn of(identity: &ImageIdentity, now_seconds: u64) -> Self {
        let modified = (identity.modified / 1_000_000_000).min(now_seconds);
        Self {
            size: identity.size,
            tag: format!("\"{:x}-{:x}-{:x}\"", identity.file, identity.size, identity.modified),
            modified,
            is_fresh: now_seconds - modified < 60,
        }
    }

    /// In the order of RFC 9110 13.2.2.
    pub(super) fn select(&self, method: Method, conditions: &Conditions) -> Selection {
        let passes = match (&conditions.matches, &conditions.unmodified_since) {
            (Some(list), _) => listed(list, &self.tag, false),
            (None, Some(date)) => calendar::read(date).is_none_or(|date| self.modified <= date),
            (None, None) => true,
        };
        if !passes {
            return Selection::Failed;
        }
        let is_known = match (&conditions.matches_none, &conditions.modified_since) {
            (Some(list), _) => listed(list, &self.tag, true),
            (None, Some(date)) => calendar::read(date).is_some_and(|date| self.modified <= date),
            (None, None) => false,
        };
        if is_known {
            return Selection::NotModified;
        }
        // 14.2: a range means something for GET alone.
        let range = conditions.range.as_ref().filter(|_| method == Method::Get && self.is_same(conditions));
        match range.map_or(Wanted::Whole, |range| text::range(range, self.size)) {
            Wanted::Whole => Selection::Whole,
            Wanted::Part(range) => Selection::Part(range),
            Wanted::Nothing => Selection::OutOfReach,
        }
    }

    /// Whether the range is one of this version (13.1.5): a tag or a date, and both have to be strong.
    fn is_same(&self, conditions: &Conditions) -> bool {
        match conditions.range_if.as_deref().map(str::trim) {
            None => true,
            Some(tag) if tag.ends_with('"') => tag == self.tag,
            Some(date) => calendar::read(date) == Some(self.modified) && !self.is_fresh,
        }
    }
}

/// Whether a tag is in a list, or the list is `*` (13.1.1, 13.1.2). Ours have no comma.
fn listed(list: &str, tag: &str, weakly: bool) -> bool {
    list.trim() == "*"
        || list.split(',').map(str::trim).any(|other| {
            other == tag || (weakly && other.strip_prefix("W/").is_some_and(|other| other == tag))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODIFIED: u64 = 784_111_777;
    const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const BEFORE: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
    const TAG: &str = "\"1-3e8-ae1b981bc490a00\"";

    fn version(now: u64) -> Version {
        Version::of(&ImageIdentity { file: 1, size: 1000, modified: MODIFIED * 1_000_000_000 }, now)
    }

    #[test]
    fn a_version_has_a_tag_and_a_date_that_is_not_to_come() {
        assert_eq!(version(MODIFIED + 99).tag, TAG);
        assert_eq!(version(MODIFIED - 5).modified, MODIFIED - 5);
    }

    #[test]
    fn conditions_in_their_order() {
        use Selection::{Failed, NotModified, OutOfReach, Part, Whole};
        for (lines, expected) in [
            ("", Whole),
            ("none \"x\", W/TAG", NotModified),
            ("none *", NotModified),
            ("none \"x\"", Whole),
            ("none \"x\"; since DATE", Whole), // a tag goes before a date
            ("since DATE", NotModified),
            ("since BEFORE", Whole),
            ("since yesterday", Whole),
            ("match TAG", Whole),
            ("match \"x\", TAG", Whole),
            ("match *", Whole),
            ("match W/TAG", Failed),
            ("match \"x\"", Failed),
            ("unmodified DATE", Whole),
            ("unmodified BEFORE", Failed),
            ("match TAG; unmodified BEFORE", Whole),
            ("match \"x\"; none *", Failed),
            ("range bytes=0-9", Part(0..10)),
            ("range bytes=1000-", OutOfReach),
            ("range bytes=0-9; none TAG", NotModified),
            ("range bytes=0-9; range-if TAG", Part(0..10)),
            ("range bytes=0-9; range-if W/TAG", Whole),
            ("range bytes=0-9; range-if \"x\"", Whole),
            ("range bytes=0-9; range-if DATE", Part(0..10)),
            ("range bytes=0-9; range-if BEFORE", Whole),
            ("range bytes=2000-; range-if \"x\"", Whole),
        ] {
            let mut conditions = Conditions::default();
            let lines = lines.replace("TAG", TAG).replace("DATE", DATE).replace("BEFORE", BEFORE);
            for line in lines.split("; ").filter(|line| !line.is_empty()) {
                let (name, value) = line.split_once(' ').unwrap();
                let field = match name {
                    "match" => &mut conditions.matches,
                    "none" => &mut conditions.matches_none,
                    "since" => &mut conditions.modified_since,
                    "unmodified" => &mut conditions.unmodified_since,
                    "range" => &mut conditions.range,
                    "range-if" => &mut conditions.range_if,
                    other => panic!("{other}"),
                };
                *field = Some(value.to_owned());
            }
            assert_eq!(version(MODIFIED + 3600).select(Method::Get, &conditions), expected, "{lines}");
            let of_head = match expected {
                Part(_) | OutOfReach => Whole,
                Whole | NotModified | Failed => expected,
            };
            assert_eq!(version(MODIFIED + 3600).select(Method::Head, &conditions), of_head, "HEAD: {lines}");
        }
    }

    /// RFC 9110 8.8.2.2: a date of just now is no promise that the file is the same.
    #[test]
    fn a_date_of_just_now_is_weak() {
        let conditions = Conditions {
            range: Some("bytes=0-9".into()),
            range_if: Some(DATE.into()),
            ..Conditions::default()
        };
        assert_eq!(version(MODIFIED + 30).select(Method::Get, &conditions), Selection::Whole);
    }
}
