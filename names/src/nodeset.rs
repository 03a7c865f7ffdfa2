//! Sets of node numbers, and the text that operators write for them.

mod expand;
mod expression;
mod files;
mod parse;
mod term;

pub use expression::ExpressionError;
pub use files::{FilesError, with_files};
pub use parse::{NodeSetError, NodeSetProblem};

use crate::{Directory, NumberRange, Pattern};
use std::fmt;

/// Numbers of nodes, each once, in order.
///
/// The text is that of ClusterShell: `node[0-3,7]`, `node5`, `n[0001-0010]`, `rack[1-2]-[1-40]` (names given by hand), `0-3,7`, `0-10/2` (a
/// step), `node*`, `node?` (wildcards), `/node.*/` (a regular expression, anywhere in the name), `@rack1`, `@state:up`, `@*` (groups), `all`,
/// and between such terms, from left to right without precedence: `,` union, `!` difference, `&` intersection, `^` symmetric
/// difference. Where machines without a number are meant too ([`Members`]), so are hardware addresses. `^path` and `-`, files and standard input, are read by whoever takes the text from an operator: [`with_files`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeSet {
    /// Ascending, with a gap of at least one number between two: equal sets have equal ranges.
    ranges: Vec<NumberRange>,
}

/// Whom the text of a set means: numbers, and machines that have none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members {
    /// Nodes, by their numbers.
    pub numbers: NodeSet,
    /// Machines without a number, by those that the vocabulary counts them by.
    pub others: NodeSet,
}

/// What the text of a set may name.
#[derive(Clone, Copy)]
pub struct Vocabulary<'a> {
    /// Nodes.
    pub directory: &'a Directory,
    /// Groups, by source and name: `@rack1` has no source, `@state:up` has. The name `*` means all nodes of the source; without a source,
    /// all that there are: these are what wildcards and expressions choose from.
    pub group: &'a dyn Fn(Option<&str>, &str) -> Option<Members>,
    /// A machine, by what is no name and no number: its hardware address, as `52:54:00:00:00:17`.
    pub machine: &'a dyn Fn(&str) -> Option<Members>,
}

impl Members {
    /// Reads the text of a set. Each operator is that of sets among numbers, and among machines without one.
    ///
    /// # Errors
    /// As [`NodeSet::parse`].
    pub fn parse(text: &str, vocabulary: &Vocabulary<'_>) -> Result<Self, NodeSetError> {
        parse::parse(text, vocabulary)
    }

    /// Whom this has and the other one has not.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        self.combine(other, NodeSet::difference)
    }

    /// Whether nobody is meant.
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty() && self.others.is_empty()
    }

    fn combine(&self, other: &Self, of: impl Fn(&NodeSet, &NodeSet) -> NodeSet) -> Self {
        let Self { numbers, others } = self;
        Self { numbers: of(numbers, &other.numbers), others: of(others, &other.others) }
    }
}

impl From<NodeSet> for Members {
    fn from(numbers: NodeSet) -> Self {
        Self { numbers, others: NodeSet::default() }
    }
}

impl NodeSet {
    /// Reads the text of a set; names are those of the directory, computed and given, in any case.
    ///
    /// Only spelling and arithmetic are judged: whether such a node was ever seen, or lives on any network, the caller has to ask.
    ///
    /// # Errors
    /// [`NodeSetError`] tells what is wrong and at which bytes. An empty text is wrong: a variable that is not set must not mean
    /// "no nodes", and still less "all".
    pub fn parse(text: &str, directory: &Directory) -> Result<Self, NodeSetError> {
        let group = |source: Option<&str>, name: &str| match (source, name) {
            (None, "*") => Some(directory.numbers()),
            (None, name) => directory.groups.get(name).cloned(),
            (Some(_), _) => None,
        };
        Self::parse_with(text, directory, &group)
    }

    /// The same with groups of any kind, as a [`Vocabulary`] has them: of numbers alone.
    ///
    /// # Errors
    /// As [`NodeSet::parse`].
    pub fn parse_with(
        text: &str,
        directory: &Directory,
        group: &dyn Fn(Option<&str>, &str) -> Option<Self>,
    ) -> Result<Self, NodeSetError> {
        let group = |source: Option<&str>, name: &str| group(source, name).map(Members::from);
        let vocabulary = Vocabulary { directory, group: &group, machine: &|_| None };
        Members::parse(text, &vocabulary).map(|members| members.numbers)
    }

    /// The shortest text of the set in ranges: `node[0-3,7]`, `node5`, nothing for the empty set. [`NodeSet::parse`] reads it back,
    /// unless it is longer than any text it reads: the even numbers to 70,000 are.
    pub fn fold<'a>(&'a self, pattern: &'a Pattern) -> Folded<'a> {
        Folded { set: self, pattern }
    }

    /// Whether the number is in the set.
    pub fn contains(&self, number: u32) -> bool {
        let after = self.ranges.partition_point(|range| range.highest < number);
        self.ranges.get(after).is_some_and(|range| range.contains(number))
    }

    /// The lowest number of the set that is this one or higher.
    pub fn first_from(&self, number: u32) -> Option<u32> {
        let from = self.ranges.partition_point(|range| range.highest < number);
        self.ranges.get(from).map(|range| range.lowest.max(number))
    }

    /// The numbers, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.ranges.iter().flat_map(|range| range.lowest..=range.highest)
    }

    /// The numbers as ranges, ascending, as few as possible.
    pub fn ranges(&self) -> &[NumberRange] {
        &self.ranges
    }

    /// How many numbers there are.
    pub fn size(&self) -> u64 {
        self.ranges.iter().map(|range| range.size()).sum()
    }

    /// Whether there is no number.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// What is in either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        self.ranges.iter().chain(&other.ranges).copied().collect()
    }

    /// What is in this one and not in the other.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        self.combine(other, |here, there| here && !there)
    }

    /// What is in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.combine(other, |here, there| here && there)
    }

    /// What is in exactly one.
    #[must_use]
    pub fn symmetric_difference(&self, other: &Self) -> Self {
        self.combine(other, |here, there| here != there)
    }

    /// The numbers for which `keep(in this set, in the other set)` holds; `keep(false, false)` must be false.
    ///
    /// Membership changes only at the bounds of ranges: between two bounds one answer holds for all numbers. Bounds are u64, so that one
    /// past the largest number is a number too.
    fn combine(&self, other: &Self, keep: impl Fn(bool, bool) -> bool) -> Self {
        let (mut here, mut there) = (self.bounds().peekable(), other.bounds().peekable());
        let (mut in_here, mut in_there) = (false, false);
        let mut kept_from = None;
        let mut ranges = Vec::new();
        while let Some(bound) = here.peek().into_iter().chain(there.peek()).min().copied() {
            in_here ^= here.next_if_eq(&bound).is_some();
            in_there ^= there.next_if_eq(&bound).is_some();
            match (kept_from, keep(in_here, in_there)) {
                (None, true) => kept_from = Some(bound),
                (Some(from), false) => {
                    ranges.push(range_between(from, bound));
                    kept_from = None;
                }
                (None, false) | (Some(_), true) => {}
            }
        }
        Self { ranges }
    }

    /// Where membership changes: the first number of each range, and the first after it.
    fn bounds(&self) -> impl Iterator<Item = u64> + '_ {
        self.ranges.iter().flat_map(|range| [u64::from(range.lowest), u64::from(range.highest) + 1])
    }
}

/// The numbers from one bound up to, and without, the next.
fn range_between(from: u64, end: u64) -> NumberRange {
    let number = |bound: u64| u32::try_from(bound).expect("a bound inside a range is a number");
    NumberRange { lowest: number(from), highest: number(end - 1) }
}

/// Ranges in any order, overlapping or not; each needs `lowest <= highest`.
impl FromIterator<NumberRange> for NodeSet {
    fn from_iter<I: IntoIterator<Item = NumberRange>>(ranges: I) -> Self {
        let mut sorted: Vec<_> = ranges.into_iter().collect();
        sorted.sort_unstable_by_key(|range| range.lowest);
        let mut ranges: Vec<NumberRange> = Vec::new();
        for next in sorted {
            debug_assert!(next.lowest <= next.highest, "a range goes upwards");
            match ranges.last_mut() {
                Some(last) if next.lowest <= last.highest.saturating_add(1) => {
                    last.highest = last.highest.max(next.highest);
                }
                Some(_) | None => ranges.push(next),
            }
        }
        Self { ranges }
    }
}

impl FromIterator<u32> for NodeSet {
    fn from_iter<I: IntoIterator<Item = u32>>(numbers: I) -> Self {
        numbers.into_iter().map(|number| NumberRange { lowest: number, highest: number }).collect()
    }
}

/// A set together with what is needed to write it; made by [`NodeSet::fold`].
#[derive(Clone, Copy, Debug)]
pub struct Folded<'a> {
    set: &'a NodeSet,
    pattern: &'a Pattern,
}

impl fmt::Display for Folded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, rest) = match self.set.ranges() {
            [] => return Ok(()),
            [only] if only.size() == 1 => return f.write_str(&self.pattern.name(only.lowest)),
            [first, rest @ ..] => (first, rest),
        };
        write!(f, "{}[", self.pattern.prefix())?;
        self.write_range(f, *first)?;
        for range in rest {
            f.write_str(",")?;
            self.write_range(f, *range)?;
        }
        write!(f, "]{}", self.pattern.suffix())
    }
}

impl Folded<'_> {
    fn write_range(&self, f: &mut fmt::Formatter<'_>, range: NumberRange) -> fmt::Result {
        f.write_str(&self.pattern.digits(range.lowest))?;
        match range.size() {
            1 => Ok(()),
            _ => write!(f, "-{}", self.pattern.digits(range.highest)),
        }
    }
}

#[cfg(test)]
mod tests;
