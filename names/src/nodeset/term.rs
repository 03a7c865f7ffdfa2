//! One term of a set: a name, names with brackets, bare numbers, a group, wildcards, an expression.

use super::expand::Parts;
use super::expression::Expression;
use super::parse::{NodeSetError, NodeSetProblem, Parser, Ranges, problem, read_number, trim};
use super::{Members, NodeSet, Vocabulary};
use crate::NumberRange;
use std::ops::Range;

/// Longer texts are no names: a label and a suffix.
const NAME_OCTETS_MAX: usize = 255;

/// The source of groups whose names may stand alone: `up` is `@state:up`, unless a node is called so.
const SOURCE_OF_WORDS: &str = "state";

impl Parser<'_> {
    /// Whom a term means.
    pub(super) fn term(&mut self, span: Range<usize>) -> Result<Ranges, NodeSetError> {
        let term = &self.text[span.clone()];
        if term.is_empty() {
            return problem(span, NodeSetProblem::Missing);
        }
        if term.starts_with('@') {
            return self.group(&span);
        }
        if term.starts_with('/') {
            let expression = Expression::parse(term);
            let place =
                |wrong| NodeSetError { span: span.clone(), problem: NodeSetProblem::Expression(wrong) };
            return Ok(self.matching(&expression.map_err(place)?, &span)?.into());
        }
        if term.contains(['*', '?']) {
            if term.contains('[') {
                return problem(span, NodeSetProblem::WildcardAndBracket);
            }
            let place =
                |wrong| NodeSetError { span: span.clone(), problem: NodeSetProblem::Expression(wrong) };
            return Ok(self.matching(&Expression::wildcards(term).map_err(place)?, &span)?.into());
        }
        if let Some(open) = term.find('[') {
            return Ok(self.bracket(&span, open)?.into());
        }
        if let Some(number) = self.vocabulary.directory.number(term) {
            self.count_numbers(1, &span)?;
            return Ok(vec![NumberRange { lowest: number, highest: number }].into());
        }
        if let Some(machine) = (self.vocabulary.machine)(term) {
            return self.members(machine, &span);
        }
        let is_range = |octet: u8| octet.is_ascii_digit() || octet == b'-' || octet == b'/';
        if term.starts_with(|c: char| c.is_ascii_digit()) && term.bytes().all(is_range) {
            let mut ranges = Vec::new();
            self.range(span, |_, _| Ok(()), &mut ranges)?;
            return Ok(ranges.into());
        }
        let Vocabulary { group, .. } = self.vocabulary;
        let word = if term == "all" { group(None, "*") } else { group(Some(SOURCE_OF_WORDS), term) };
        match word {
            Some(members) => self.members(members, &span),
            None => problem(span, self.not_a_name(term)),
        }
    }

    /// `@rack1`, `@rack[1-3]`, `@state:up`, `@*`
    fn group(&mut self, span: &Range<usize>) -> Result<Ranges, NodeSetError> {
        let text = &self.text[span.start + 1..span.end];
        let (source, name) = match text.split_once(':') {
            Some((source, name)) => (Some(source), name),
            None => (None, text),
        };
        if name.is_empty() {
            return problem(span.clone(), NodeSetProblem::NoSuchGroup(text.to_owned()));
        }
        let names = if name.contains('[') {
            let start = span.end - name.len();
            self.names(&(start..span.end))?
        } else {
            vec![name.to_owned()]
        };
        let mut ranges = Ranges::default();
        for name in names {
            match (self.vocabulary.group)(source, &name) {
                Some(members) => ranges.extend(self.members(members, span)?),
                None => {
                    let name = source.map_or_else(|| name.clone(), |source| format!("{source}:{name}"));
                    return problem(span.clone(), NodeSetProblem::NoSuchGroup(name));
                }
            }
        }
        Ok(ranges)
    }

    fn members(&mut self, members: Members, span: &Range<usize>) -> Result<Ranges, NodeSetError> {
        let ranges = Ranges::from(members);
        self.count_numbers((ranges.numbers.len() + ranges.others.len()) as u64, span)?;
        Ok(ranges)
    }

    /// The nodes, of all, whose name an expression fits; of a node that has two, either.
    fn matching(
        &mut self,
        expression: &Expression,
        span: &Range<usize>,
    ) -> Result<Vec<NumberRange>, NodeSetError> {
        let Vocabulary { directory, group, .. } = self.vocabulary;
        let all = group(None, "*").unwrap_or_default().numbers;
        self.count_numbers(all.size(), span)?;
        let fits = |number: &u32| {
            expression.fits(&directory.pattern.name(*number))
                || directory.given_names.get(number).is_some_and(|name| expression.fits(name))
        };
        let found: NodeSet = all.iter().filter(fits).collect();
        Ok(found.ranges)
    }

    /// `node[0-3,7]`, whose bracket opens at this octet of it: computed names, spelled as they are; or any names with brackets, one by one.
    fn bracket(&mut self, span: &Range<usize>, open: usize) -> Result<Vec<NumberRange>, NodeSetError> {
        let term = &self.text[span.clone()];
        let close = term.find(']').expect("next_term saw it closed");
        let (prefix, suffix) = (term[..open].to_ascii_lowercase(), term[close + 1..].to_ascii_lowercase());
        let pattern = &self.vocabulary.directory.pattern;
        if prefix != pattern.prefix() || suffix != pattern.suffix() {
            return self.one_by_one(span);
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

    /// `rack[1-2]-[01-40]`, `node1[0-9]`: every name that is meant has to be a node's.
    fn one_by_one(&mut self, span: &Range<usize>) -> Result<Vec<NumberRange>, NodeSetError> {
        let names = self.names(span)?;
        let directory = self.vocabulary.directory;
        let given = self.given.get_or_insert_with(|| {
            directory.given_names.iter().map(|(number, name)| (name.clone(), *number)).collect()
        });
        let mut found = Vec::new();
        let mut wrong = None;
        for name in names {
            match directory.pattern.number(&name).or_else(|| given.get(&name).copied()) {
                Some(number) => found.push(NumberRange { lowest: number, highest: number }),
                None => {
                    wrong = Some(name);
                    break;
                }
            }
        }
        match wrong {
            None => Ok(found),
            Some(name) => problem(span.clone(), self.not_a_name(&name)),
        }
    }

    /// All texts that a text with brackets means, in lower case.
    fn names(&mut self, span: &Range<usize>) -> Result<Vec<String>, NodeSetError> {
        let parts = Parts::read(self.text, span)?;
        let too_many = NodeSetError { span: span.clone(), problem: NodeSetProblem::TooManyNumbers };
        self.count_numbers(parts.count().ok_or(too_many)?, span)?;
        if parts.octets_max() > NAME_OCTETS_MAX {
            return problem(span.clone(), self.not_a_name(&self.text[span.clone()]));
        }
        Ok(parts.texts())
    }

    /// `5`, `0-3` or `0-10/2`; `spelled` judges each end as it is written.
    fn range(
        &mut self,
        span: Range<usize>,
        spelled: impl Fn(u32, &str) -> Result<(), NodeSetProblem>,
        ranges: &mut Vec<NumberRange>,
    ) -> Result<(), NodeSetError> {
        let Stepped { lowest, highest, step, .. } = Stepped::read(self.text, span.clone(), spelled)?;
        let size = u64::from(highest - lowest) / u64::from(step) + 1;
        self.count_numbers(size, &span)?;
        if step == 1 {
            ranges.push(NumberRange { lowest, highest });
        } else {
            let numbers = (lowest..=highest).step_by(step as usize);
            ranges.extend(numbers.map(|number| NumberRange { lowest: number, highest: number }));
        }
        Ok(())
    }

    /// What to say of a name that no node has: wrong zeros are a special case, everybody mistypes them.
    fn not_a_name(&self, name: &str) -> NodeSetProblem {
        let pattern = &self.vocabulary.directory.pattern;
        let name = name.to_ascii_lowercase();
        match pattern.between(&name).and_then(|digits| read_number(digits).ok()) {
            Some(number) => NodeSetProblem::Spelling(pattern.name(number)),
            None => NodeSetProblem::NoSuchName(pattern.to_string()),
        }
    }
}

/// `5`, `0-3` or `0-10/2`, read.
pub(super) struct Stepped {
    pub(super) lowest: u32,
    pub(super) highest: u32,
    pub(super) step: u32,
    /// Digits of each number, with zeros before; 0: none before.
    pub(super) width: usize,
}

impl Stepped {
    pub(super) fn read(
        whole: &str,
        span: Range<usize>,
        spelled: impl Fn(u32, &str) -> Result<(), NodeSetProblem>,
    ) -> Result<Self, NodeSetError> {
        let text = &whole[span.clone()];
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
        let (low, lowest, highest) = match ends.split_once('-') {
            Some((low, high)) => (low, number(low, span.start)?, number(high, span.start + low.len() + 1)?),
            None => {
                let only = number(ends, span.start)?;
                (ends, only, only)
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
        let width = if low.len() > 1 && low.starts_with('0') { low.len() } else { 0 };
        Ok(Self { lowest, highest, step, width })
    }
}
