use super::NodeSet;
use crate::{Directory, NumberRange};
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
    /// A part of ClusterShell's language that is not read yet.
    Unsupported(Unsupported),
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

/// Parts of ClusterShell's language that are not read yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsupported {
    /// `@rack1`
    Groups,
    /// `^/path/to/file` at the beginning
    Files,
    /// `node*`, `node?`
    Wildcards,
    /// `/node.*/`
    Expressions,
    /// `node[1-2]x[3-4]`
    SecondBracket,
    /// `node1[0-9]`
    DigitsBesideBracket,
}

pub(super) fn parse(text: &str, directory: &Directory) -> Result<NodeSet, NodeSetError> {
    if text.len() > TEXT_OCTETS_MAX {
        return problem(TEXT_OCTETS_MAX..text.len(), NodeSetProblem::TextTooLong);
    }
    let mut parser = Parser { text, directory, numbers_left: NUMBERS_MAX, operators_left: OPERATORS_MAX };
    // Commas only gather ranges; they are sorted and merged once, when another operator or the end needs the set.
    let mut gathered: Vec<NumberRange> = Vec::new();
    let mut at = 0;
    let mut operator = Operator::Union;
    loop {
        let Term { span, then } = parser.next_term(at)?;
        if span.is_empty() && at == 0 && matches!(then, Some((Operator::SymmetricDifference, _))) {
            return problem(0..text.len(), NodeSetProblem::Unsupported(Unsupported::Files));
        }
        let ranges = parser.term(span)?;
        if operator == Operator::Union {
            gathered.extend(ranges);
        } else {
            let (left, right) = (gathered.into_iter().collect(), ranges.into_iter().collect());
            gathered = operator.apply(&left, &right).ranges;
        }
        match then {
            None => return Ok(gathered.into_iter().collect()),
            Some((next, place)) => {
                parser.count_operator(next, place)?;
                (operator, at) = (next, place + 1);
            }
        }
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

    fn apply(self, left: &NodeSet, right: &NodeSet) -> NodeSet {
        match self {
            Self::Union => left.union(right),
            Self::Difference => left.difference(right),
            Self::Intersection => left.intersection(right),
            Self::SymmetricDifference => left.symmetric_difference(right),
        }
    }
}

/// A term without white space around it, and the operator behind it with its place.
struct Term {
    span: Range<usize>,
    then: Option<(Operator, usize)>,
}

struct Parser<'a> {
    text: &'a str,
    directory: &'a Directory,
    numbers_left: u64,
    operators_left: usize,
}

impl Parser<'_> {
    /// The term that begins here, up to the next operator outside brackets.
    fn next_term(&self, from: usize) -> Result<Term, NodeSetError> {
        let mut open = None;
        for (place, octet) in self.text.bytes().enumerate().skip(from) {
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

    /// `node5`, `node[0-3,7]`, `0-3` or a given name.
    fn term(&mut self, span: Range<usize>) -> Result<Vec<NumberRange>, NodeSetError> {
        let term = &self.text[span.clone()];
        if term.is_empty() {
            return problem(span, NodeSetProblem::Missing);
        }
        if let Some(unsupported) = unsupported(term) {
            return problem(span, NodeSetProblem::Unsupported(unsupported));
        }
        if let Some(open) = term.find('[') {
            return self.bracket(&span, open);
        }
        if let Some(number) = self.directory.number(term) {
            self.count_numbers(1, &span)?;
            return Ok(vec![NumberRange { lowest: number, highest: number }]);
        }
        let is_range = |octet: u8| octet.is_ascii_digit() || octet == b'-' || octet == b'/';
        if term.starts_with(|c: char| c.is_ascii_digit()) && term.bytes().all(is_range) {
            let mut ranges = Vec::new();
            self.range(span, |_, _| Ok(()), &mut ranges)?;
            return Ok(ranges);
        }
        problem(span, self.not_a_name(term))
    }

    /// `node[0-3,7]`, whose bracket opens at this octet of it: the computed names, spelled as they are.
    fn bracket(&mut self, span: &Range<usize>, open: usize) -> Result<Vec<NumberRange>, NodeSetError> {
        let term = &self.text[span.clone()];
        let close = term.find(']').expect("next_term saw it closed");
        let (prefix, suffix) = (term[..open].to_ascii_lowercase(), term[close + 1..].to_ascii_lowercase());
        if suffix.contains('[') {
            return problem(span.clone(), NodeSetProblem::Unsupported(Unsupported::SecondBracket));
        }
        let is_digit = |c: char| c.is_ascii_digit();
        if prefix.ends_with(is_digit) || suffix.starts_with(is_digit) {
            return problem(span.clone(), NodeSetProblem::Unsupported(Unsupported::DigitsBesideBracket));
        }
        let pattern = &self.directory.pattern;
        if prefix != pattern.prefix() || suffix != pattern.suffix() {
            return problem(span.clone(), NodeSetProblem::NoSuchName(pattern.to_string()));
        }
        // n[1-3] would be n1, n2, n3: where the cluster says n0001 that is no node's name.
        let spelled = |number: u32, digits: &str| match pattern.digits(number) {
            right if right == digits => Ok(()),
            right => Err(NodeSetProblem::Spelling(right)),
        };
        let mut ranges = Vec::new();
        let (mut at, end) = (span.start + open + 1, span.start + close);
        for part in self.text[at..end].split(',') {
            let part_span = trim(self.text, at..at + part.len());
            self.range(part_span, spelled, &mut ranges)?;
            at += part.len() + 1;
        }
        Ok(ranges)
    }

    /// `5`, `0-3` or `0-10/2`; `spelled` judges each end as it is written.
    fn range(
        &mut self,
        span: Range<usize>,
        spelled: impl Fn(u32, &str) -> Result<(), NodeSetProblem>,
        ranges: &mut Vec<NumberRange>,
    ) -> Result<(), NodeSetError> {
        let text = &self.text[span.clone()];
        let (ends, step) = match text.split_once('/') {
            Some((ends, step)) => (ends, Some((step, span.start + ends.len() + 1))),
            None => (text, None),
        };
        let number = |digits: &str, start: usize| {
            let span = start..start + digits.len();
            let number =
                read_number(digits).map_err(|problem| NodeSetError { span: span.clone(), problem })?;
            spelled(number, digits).map_err(|problem| NodeSetError { span, problem })?;
            Ok(number)
        };
        let (lowest, highest) = match ends.split_once('-') {
            Some((low, high)) => (number(low, span.start)?, number(high, span.start + low.len() + 1)?),
            None => {
                let only = number(ends, span.start)?;
                (only, only)
            }
        };
        if lowest > highest {
            return problem(span, NodeSetProblem::Reversed);
        }
        let step = match step {
            None => 1,
            Some((digits, start)) => match read_number(digits) {
                Ok(step @ 1..) if ends.contains('-') => step,
                Ok(_) => return problem(start..span.end, NodeSetProblem::Step),
                Err(wrong) => return problem(start..span.end, wrong),
            },
        };
        let size = u64::from(highest - lowest) / u64::from(step) + 1;
        self.count_numbers(size, &span)?;
        if step == 1 {
            ranges.push(NumberRange { lowest, highest });
        } else {
            let numbers = std::iter::successors(Some(lowest), |number| number.checked_add(step));
            let numbers = numbers.take_while(|number| *number <= highest);
            ranges.extend(numbers.map(|number| NumberRange { lowest: number, highest: number }));
        }
        Ok(())
    }

    fn count_numbers(&mut self, size: u64, span: &Range<usize>) -> Result<(), NodeSetError> {
        match self.numbers_left.checked_sub(size) {
            Some(left) => self.numbers_left = left,
            None => return problem(span.clone(), NodeSetProblem::TooManyNumbers),
        }
        Ok(())
    }

    /// What to say of a name that no node has: wrong zeros are a special case, everybody mistypes them.
    fn not_a_name(&self, name: &str) -> NodeSetProblem {
        let pattern = &self.directory.pattern;
        let name = name.to_ascii_lowercase();
        match pattern.between(&name).and_then(|digits| read_number(digits).ok()) {
            Some(number) => NodeSetProblem::Spelling(pattern.name(number)),
            None => NodeSetProblem::NoSuchName(pattern.to_string()),
        }
    }
}

/// What ClusterShell reads and we do not yet, recognised so that it can be called by its name.
fn unsupported(term: &str) -> Option<Unsupported> {
    if term.contains('@') {
        Some(Unsupported::Groups)
    } else if term.contains(['*', '?']) && !term.starts_with('/') {
        Some(Unsupported::Wildcards)
    } else if term.starts_with('/') {
        Some(Unsupported::Expressions)
    } else {
        None
    }
}

fn read_number(digits: &str) -> Result<u32, NodeSetProblem> {
    if digits.is_empty() || !digits.bytes().all(|octet| octet.is_ascii_digit()) {
        return Err(NodeSetProblem::NotANumber);
    }
    digits.parse().map_err(|_| NodeSetProblem::NumberTooLarge)
}

/// The span without white space at its ends.
fn trim(text: &str, span: Range<usize>) -> Range<usize> {
    let part = &text[span.clone()];
    let start = span.start + (part.len() - part.trim_start().len());
    start..start + part.trim().len()
}

fn problem<T>(span: Range<usize>, problem: NodeSetProblem) -> Result<T, NodeSetError> {
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
            Self::Unsupported(what) => write!(f, "{what}: not supported yet"),
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

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Groups => "groups (@name)",
            Self::Files => "reading from a file (^path)",
            Self::Wildcards => "wildcards (* and ?)",
            Self::Expressions => "regular expressions (/.../)",
            Self::SecondBracket => "a second bracket",
            Self::DigitsBesideBracket => "digits beside a bracket",
        })
    }
}

impl std::error::Error for NodeSetError {}
