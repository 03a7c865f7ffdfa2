//! What an option of the configuration is: one record, from which the parser, the reference page and the sample file are made.

use std::fmt;

/// A table of the file.
#[derive(Debug)]
pub struct Section {
    /// Its path: "cluster", "trial.check".
    pub path: &'static str,
    /// How often it may be there.
    pub form: Form,
    /// What it is about, as full sentences.
    pub doc: &'static str,
    /// Its options, in the order of the reference.
    pub settings: &'static [Setting],
}

/// How often a table may be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Once: `[cluster]`.
    Table,
    /// Any number of times: `[[network]]`.
    List,
    /// Once for each name: `[profile.NAME]`.
    Named,
    /// Once, with keys that are no settings: `[options]`.
    Open,
}

/// One option: a key with everything that is known of it.
#[derive(Debug)]
pub struct Setting {
    /// The key in its section.
    pub key: &'static str,
    /// What its value looks like.
    pub kind: Kind,
    /// What holds if it is not there.
    pub fallback: Fallback,
    /// A value as it stands in the file, in TOML.
    pub example: &'static str,
    /// Whether it does anything.
    pub status: Status,
    /// What it means, as full sentences.
    pub doc: &'static str,
}

/// What a value looks like, with its bounds.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A string; the text says of what kind.
    Text(&'static str),
    /// A list of strings, or one string alone.
    Texts(&'static str),
    /// One of some words.
    Word {
        /// Those that work.
        works: &'static [&'static str],
        /// Those that are refused as "not supported yet"; with a final colon, whatever begins so.
        planned: &'static [&'static str],
    },
    /// A number with its unit, as "60s", between two bounds in seconds.
    Duration {
        /// Shortest.
        least_seconds: u64,
        /// Longest.
        most_seconds: u64,
    },
    /// A whole number between two bounds.
    Integer {
        /// Smallest.
        least: u32,
        /// Largest.
        most: u32,
    },
    /// A whole number, or a string with a unit.
    Threshold,
    /// `true` or `false`.
    Truth,
    /// A table of the operator's own keys.
    Table,
}

/// What holds if an option is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// The file is refused.
    Required,
    /// This value, in TOML.
    Value(&'static str),
    /// What the sentence says.
    Otherwise(&'static str),
}

/// Whether an option does anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It does.
    Works,
    /// It is refused, as "not supported yet".
    Planned,
}

impl Section {
    /// How it stands in the file: `[cluster]`, `[[network]]`, `[profile.NAME]`.
    pub fn heading(&self) -> String {
        match self.form {
            Form::Table | Form::Open => format!("[{}]", self.path),
            Form::List => format!("[[{}]]", self.path),
            Form::Named => format!("[{}.NAME]", self.path),
        }
    }

    /// The option of a key.
    pub fn setting(&self, key: &str) -> Option<&'static Setting> {
        self.settings.iter().find(|setting| setting.key == key)
    }
}

/// What the value looks like, for the reference: `a duration from "10s" to "1h"`.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(what) => write!(f, "a string: {what}"),
            Self::Texts(what) => write!(f, "a list of strings, or one string: {what}"),
            Self::Word { works, planned } => {
                write!(f, "{}", alternatives(works))?;
                match planned {
                    [] => Ok(()),
                    planned => write!(f, "; not supported yet: {}", alternatives(planned)),
                }
            }
            Self::Duration { least_seconds, most_seconds } => {
                let (least, most) = (duration_text(*least_seconds), duration_text(*most_seconds));
                write!(f, "a duration (`s`, `m`, `h` or `d`) from `\"{least}\"` to `\"{most}\"`")
            }
            Self::Integer { least, most } => write!(f, "a whole number from {least} to {most}"),
            Self::Threshold => f.write_str("a string with a unit, or a whole number"),
            Self::Truth => f.write_str("`true` or `false`"),
            Self::Table => f.write_str("a table"),
        }
    }
}

/// `"a"`, `"b"` or `"c"`; what ends in a colon goes on as the operator likes.
fn alternatives(words: &[&str]) -> String {
    let words: Vec<_> = words
        .iter()
        .map(|word| match word.ends_with(':') {
            true => format!("`\"{word}…\"`"),
            false => format!("`\"{word}\"`"),
        })
        .collect();
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, before)) => format!("{} or {last}", before.join(", ")),
        None => String::new(),
    }
}

/// Seconds in the largest unit that divides them: "90s", "2m", "12h", "1d".
pub(super) fn duration_text(seconds: u64) -> String {
    let (_, letter, unit) = DURATION_UNITS
        .into_iter()
        .map(|(letter, unit)| (seconds.is_multiple_of(unit) && seconds >= unit, letter, unit))
        .find(|(fits, ..)| *fits)
        .unwrap_or((true, 's', 1));
    format!("{}{letter}", seconds / unit)
}

/// Units of durations in seconds, the largest first.
pub(super) const DURATION_UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3600), ('m', 60), ('s', 1)];

/// The candidate that was probably meant, if one is near enough: a third of the letters may be wrong or change places.
pub(super) fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    candidates
        .into_iter()
        .filter(|candidate| *candidate != word)
        .filter_map(|candidate| {
            let tolerance = (candidate.len().max(word.len()) / 3).max(1);
            // What differs more in length cannot be near: the texts' product, which the distance costs, stays small.
            (candidate.len().abs_diff(word.len()) <= tolerance && word.len() <= NEAREST_OCTETS_MAX)
                .then(|| (strsim::osa_distance(&word.to_ascii_lowercase(), candidate), tolerance, candidate))
        })
        .filter(|(distance, tolerance, _)| distance <= tolerance)
        .min_by_key(|(distance, ..)| *distance)
        .map(|(.., candidate)| candidate)
}

/// Longer words have no nearest one.
const NEAREST_OCTETS_MAX: usize = 64;
