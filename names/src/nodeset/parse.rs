//! The text of a set, taken apart: terms, and the operators between them.

use super::expression::ExpressionError;
use super::{Members, NodeSet, Vocabulary};
use crate::NumberRange;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

/// Octets of a text: 4,096 nodes named one by one, with room to spare.
const TEXT_OCTETS_MAX: usize = 65_536;
/// Numbers that all ranges of a text name together, repeats counted: four times the largest cluster one server is meant for. It bounds
/// memory and time: a step makes one range of each number.
const NUMBERS_MAX: u64 = 262_144;
/// Operators other than the comma: each walks through the whole set.
const OPERATORS_MAX: usize = 64;

/// Why a text is no set of nodes, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeSetError {
    /// The bytes of the text that are wrong; empty where something is missing.
    pub span: Range<usize>,
    /// What is wrong with them.
    pub problem: NodeSetProblem,
}

/// What can be wrong with the text of a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeSetProblem {
    /// More than 65,536 octets.
    TextTooLong,
    /// All ranges together name more than 262,144 numbers.
    TooManyNumbers,
    /// More than 64 of `!`, `&` and `^`.
    TooManyOperators,
    /// Nothing stands where nodes were expected.
    Missing,
    /// `^path` or `-`: whoever takes the text from an operator reads files and puts their nodes there ([`with_files`](super::with_files)).
    File,
    /// There is no such group.
    NoSuchGroup(String),
    /// A wildcard beside a bracket: one of both.
    WildcardAndBracket,
    /// Not a regular expression, or more than one may be.
    Expression(ExpressionError),
    /// `[` without `]`, or the other way round.
    Bracket,
    /// Something else than digits where a number was expected.
    NotANumber,
    /// A number above 4294967295.
    NumberTooLarge,
    /// A range that goes down.
    Reversed,
    /// A step of 0, or one behind a single number.
    Step,
    /// Not how this cluster writes the number; this is.
    Spelling(String),
    /// No node can have this name; names look like this.
    NoSuchName(String),
}

pub(super) fn parse(text: &str, vocabulary: &Vocabulary<'_>) -> Result<Members, NodeSetError> {
    if text.len() > TEXT_OCTETS_MAX {
        return problem(TEXT_OCTETS_MAX..text.len(), NodeSetProblem::TextTooLong);
    }
    let mut parser =
        Parser { text, vocabulary, given: None, numbers_left: NUMBERS_MAX, operators_left: OPERATORS_MAX };
    // Commas only gather ranges; they are sorted and merged once, when another operator or the end needs the set.
    let mut gathered = Ranges::default();
    let mut at = 0;
    let mut operator = Operator::Union;
    loop {
        let Term { span, then } = parser.next_term(at)?;
        let ranges = parser.term(span)?;
        if operator == Operator::Union {
            gathered.extend(ranges);
        } else {
            gathered = operator.apply(&gathered.into(), &ranges.into()).into();
        }
        match then {
            None => return Ok(gathered.into()),
            Some((next, place)) => {
                parser.count_operator(next, place)?;
                (operator, at) = (next, place + 1);
            }
        }
    }
}

/// What terms mean, before it is sorted.
#[derive(Default)]
pub(super) struct Ranges {
    pub(super) numbers: Vec<NumberRange>,
    /// Of machines without a number.
    pub(super) others: Vec<NumberRange>,
}

impl Ranges {
    pub(super) fn extend(&mut self, Self { numbers, others }: Self) {
        self.numbers.extend(numbers);
        self.others.extend(others);
    }
}

impl From<Vec<NumberRange>> for Ranges {
    fn from(numbers: Vec<NumberRange>) -> Self {
        Self { numbers, others: Vec::new() }
    }
}

impl From<Members> for Ranges {
    fn from(Members { numbers, others }: Members) -> Self {
        Self { numbers: numbers.ranges, others: others.ranges }
    }
}

impl From<Ranges> for Members {
    fn from(Ranges { numbers, others }: Ranges) -> Self {
        Self { numbers: numbers.into_iter().collect(), others: others.into_iter().collect() }
    }
}

/// What stands between two terms.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operator {
    Union,
    Difference,
    Intersection,
    SymmetricDifference,
}

impl Operator {
    fn of(octet: u8) -> Option<Self> {
        match octet {
            b',' => Some(Self::Union),
            b'!' => Some(Self::Difference),
            b'&' => Some(Self::Intersection),
            b'^' => Some(Self::SymmetricDifference),
            _ => None,
        }
    }

    fn apply(self, left: &Members, right: &Members) -> Members {
        left.combine(
            right,
            match self {
                Self::Union => NodeSet::union,
                Self::Difference => NodeSet::difference,
                Self::Intersection => NodeSet::intersection,
                Self::SymmetricDifference => NodeSet::symmetric_difference,
            },
        )
    }
}

/// A term without white space around it, and the operator behind it with its place.
struct Term {
    span: Range<usize>,
    then: Option<(Operator, usize)>,
}

pub(super) struct Parser<'a> {
    pub(super) text: &'a str,
    pub(super) vocabulary: &'a Vocabulary<'a>,
    /// Names given by hand, once many of them are looked for.
    pub(super) given: Option<BTreeMap<String, u32>>,
    numbers_left: u64,
    operators_left: usize,
}

impl Parser<'_> {
    /// The term that begins here, up to the next operator outside brackets and expressions.
    fn next_term(&self, from: usize) -> Result<Term, NodeSetError> {
        let start = self.text.len() - self.text[from..].trim_start().len();
        let rest = &self.text[start..];
        if rest.starts_with('^') || rest == "-" || rest.starts_with("-,") {
            let end = rest.find(',').unwrap_or(rest.len());
            return problem(trim(self.text, start..start + end), NodeSetProblem::File);
        }
        let begin = if rest.starts_with('/') { start + expression_octets(rest) } else { from };
        let mut open = None;
        for (place, octet) in self.text.bytes().enumerate().skip(begin) {
            match (octet, open) {
                (b'[', None) => open = Some(place),
                (b']', Some(_)) => open = None,
                (b'[', Some(_)) | (b']', None) => return problem(place..place + 1, NodeSetProblem::Bracket),
                (_, Some(_)) => {}
                (_, None) => {
                    if let Some(operator) = Operator::of(octet) {
                        return Ok(Term {
                            span: trim(self.text, from..place),
                            then: Some((operator, place)),
                        });
                    }
                }
            }
        }
        match open {
            Some(place) => problem(place..place + 1, NodeSetProblem::Bracket),
            None => Ok(Term { span: trim(self.text, from..self.text.len()), then: None }),
        }
    }

    fn count_operator(&mut self, operator: Operator, place: usize) -> Result<(), NodeSetError> {
        if operator == Operator::Union {
            return Ok(());
        }
        match self.operators_left.checked_sub(1) {
            Some(left) => self.operators_left = left,
            None => return problem(place..place + 1, NodeSetProblem::TooManyOperators),
        }
        Ok(())
    }

    pub(super) fn count_numbers(&mut self, size: u64, span: &Range<usize>) -> Result<(), NodeSetError> {
        match self.numbers_left.checked_sub(size) {
            Some(left) => self.numbers_left = left,
            None => return problem(span.clone(), NodeSetProblem::TooManyNumbers),
        }
        Ok(())
    }
}

/// Octets of an expression at the beginning of a text, with both slashes; without the second one, all.
fn expression_octets(text: &str) -> usize {
    let mut is_escaped = false;
    for (place, octet) in text.bytes().enumerate().skip(1) {
        match octet {
            b'/' if !is_escaped => return place + 1,
            b'\\' => is_escaped = !is_escaped,
            _ => is_escaped = false,
        }
    }
    text.len()
}

pub(super) fn read_number(digits: &str) -> Result<u32, NodeSetProblem> {
    if digits.is_empty() || !digits.bytes().all(|octet| octet.is_ascii_digit()) {
        return Err(NodeSetProblem::NotANumber);
    }
    digits.parse().map_err(|_| NodeSetProblem::NumberTooLarge)
}

/// The span without white space at its ends.
pub(super) fn trim(text: &str, span: Range<usize>) -> Range<usize> {
    let part = &text[span.clone()];
    let start = span.start + (part.len() - part.trim_start().len());
    start..start + part.trim().len()
}

pub(super) fn problem<T>(span: Range<usize>, problem: NodeSetProblem) -> Result<T, NodeSetError> {
    Err(NodeSetError { span, problem })
}

impl fmt::Display for NodeSetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problem.fmt(f)
    }
}

impl fmt::Display for NodeSetProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TextTooLong => write!(f, "longer than {TEXT_OCTETS_MAX} characters"),
            Self::TooManyNumbers => write!(f, "more than {NUMBERS_MAX} numbers, repeats counted"),
            Self::TooManyOperators => write!(f, "more than {OPERATORS_MAX} of '!', '&' and '^'"),
            Self::Missing => f.write_str("nodes are missing here"),
            Self::File => f.write_str("files are read where the command is given, first or after a comma"),
            Self::NoSuchGroup(name) => write!(f, "there is no group '{name}'"),
            Self::WildcardAndBracket => f.write_str("wildcards and brackets do not go together"),
            Self::Expression(wrong) => wrong.fmt(f),
            Self::Bracket => f.write_str("a bracket without its other half"),
            Self::NotANumber => f.write_str("a number is expected here"),
            Self::NumberTooLarge => f.write_str("the largest number is 4294967295"),
            Self::Reversed => f.write_str("a range goes from the lower number to the higher"),
            Self::Step => f.write_str("a step is at least 1 and follows a range, as in 0-10/2"),
            Self::Spelling(right) => write!(f, "no node is spelled like this; write '{right}'"),
            Self::NoSuchName(pattern) => {
                write!(f, "no node is called this; names look like '{pattern}' or were given by hand")
            }
        }
    }
}

impl std::error::Error for NodeSetError {}
