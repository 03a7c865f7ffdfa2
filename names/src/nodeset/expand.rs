//! Texts with brackets, in any number of dimensions: `rack[1-2]-[01-40]` is eighty texts.

use super::parse::{NodeSetError, NodeSetProblem, problem, trim};
use super::term::Stepped;
use std::ops::Range;

/// A text with brackets, taken apart.
pub(super) struct Parts(Vec<Part>);

enum Part {
    Text(String),
    Numbers(Vec<Stepped>),
}

impl Parts {
    pub(super) fn read(whole: &str, span: &Range<usize>) -> Result<Self, NodeSetError> {
        let mut parts = Vec::new();
        let mut at = span.start;
        while at < span.end {
            let rest = &whole[at..span.end];
            let open = rest.find('[').unwrap_or(rest.len());
            if open > 0 {
                parts.push(Part::Text(rest[..open].to_ascii_lowercase()));
            }
            if open == rest.len() {
                break;
            }
            let Some(close) = rest.find(']') else {
                return problem(at + open..at + open + 1, NodeSetProblem::Bracket);
            };
            let mut from = at + open + 1;
            let mut numbers = Vec::new();
            for part in whole[from..at + close].split(',') {
                numbers.push(Stepped::read(whole, trim(whole, from..from + part.len()), |_, _| Ok(()))?);
                from += part.len() + 1;
            }
            parts.push(Part::Numbers(numbers));
            at += close + 1;
        }
        Ok(Self(parts))
    }

    /// How many texts there are, repeats counted. None: more than can be counted.
    pub(super) fn count(&self) -> Option<u64> {
        let size = |part: &Part| match part {
            Part::Text(_) => 1,
            Part::Numbers(numbers) => numbers.iter().map(Stepped::size).sum(),
        };
        self.0.iter().try_fold(1_u64, |product, part| product.checked_mul(size(part)))
    }

    /// Octets of the longest.
    pub(super) fn octets_max(&self) -> usize {
        const DIGITS_MAX: usize = 10;
        let octets = |part: &Part| match part {
            Part::Text(text) => text.len(),
            Part::Numbers(numbers) => {
                numbers.iter().map(|n| n.width.max(DIGITS_MAX)).max().unwrap_or_default()
            }
        };
        self.0.iter().map(octets).sum()
    }

    /// All of them. Count them first.
    pub(super) fn texts(&self) -> Vec<String> {
        let mut texts = vec![String::new()];
        for part in &self.0 {
            texts = match part {
                Part::Text(text) => texts.into_iter().map(|before| before + text).collect(),
                Part::Numbers(numbers) => {
                    let digits: Vec<String> = numbers.iter().flat_map(Stepped::digits).collect();
                    texts
                        .iter()
                        .flat_map(|before| digits.iter().map(move |d| format!("{before}{d}")))
                        .collect()
                }
            };
        }
        texts
    }
}

impl Stepped {
    fn size(&self) -> u64 {
        u64::from(self.highest - self.lowest) / u64::from(self.step) + 1
    }

    fn digits(&self) -> impl Iterator<Item = String> + '_ {
        (self.lowest..=self.highest)
            .step_by(self.step as usize)
            .map(|number| format!("{number:0width$}", width = self.width))
    }
}
