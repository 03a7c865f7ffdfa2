//! Regular expressions and wildcards on names of nodes.
//!
//! A program of a few instructions runs over a name with all its possibilities at once (Thompson 1968): there is no expression that takes
//! longer than its length times the name's.

use std::fmt;

/// Octets of an expression.
const OCTETS_MAX: usize = 256;
/// Instructions of its program: each repetition with bounds writes its part again.
const INSTRUCTIONS_MAX: usize = 2048;
/// Parentheses in parentheses.
const DEPTH_MAX: usize = 16;

/// What a name has to be like.
#[derive(Debug)]
pub(super) struct Expression {
    program: Vec<Instruction>,
    /// Whether it may begin and end anywhere in the name.
    is_open: bool,
}

/// Why a text is no expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpressionError {
    /// The second slash is missing, or something stands behind it.
    Slash,
    /// A bracket, brace or parenthesis without its other half.
    Unbalanced,
    /// A repetition of nothing, or not of the form `{2}`, `{2,}`, `{2,5}`.
    Repetition,
    /// A backslash before something that has no meaning then.
    Escape,
    /// More than 256 octets, or too much to be repeated.
    TooLong,
}

#[derive(Clone, Debug)]
enum Instruction {
    /// One character of these (or, if `not`, none of them).
    One {
        ranges: Vec<(char, char)>,
        not: bool,
    },
    /// The beginning, the end of the name.
    Start,
    End,
    /// Go on at both places.
    Split(usize, usize),
    Jump(usize),
    Fits,
}

impl Expression {
    /// Reads `/node(1|2).*/`.
    pub(super) fn parse(text: &str) -> Result<Self, ExpressionError> {
        let inner =
            text.strip_prefix('/').and_then(|text| text.strip_suffix('/')).ok_or(ExpressionError::Slash)?;
        if inner.len() > OCTETS_MAX {
            return Err(ExpressionError::TooLong);
        }
        let mut parser = Parser { rest: inner.chars().peekable(), depth: 0 };
        let tree = parser.alternatives()?;
        match parser.rest.next() {
            None => Self::of(&tree, true),
            // A slash inside, that is: what stands behind is no operator.
            Some('/') => Err(ExpressionError::Slash),
            Some(_) => Err(ExpressionError::Unbalanced),
        }
    }

    /// Reads `node*`: a star is any text, a question mark any character, and the whole name is meant.
    pub(super) fn wildcards(text: &str) -> Result<Self, ExpressionError> {
        if text.len() > OCTETS_MAX {
            return Err(ExpressionError::TooLong);
        }
        let any = || Tree::One { ranges: Vec::new(), not: true };
        let part = |c: char| match c {
            '*' => Tree::Repeat(Box::new(any()), 0, None),
            '?' => any(),
            c => Tree::One { ranges: vec![(c.to_ascii_lowercase(), c.to_ascii_lowercase())], not: false },
        };
        Self::of(&Tree::Sequence(text.chars().map(part).collect()), false)
    }

    fn of(tree: &Tree, is_open: bool) -> Result<Self, ExpressionError> {
        let mut program = Vec::new();
        write(tree, &mut program)?;
        program.push(Instruction::Fits);
        Ok(Self { program, is_open })
    }

    /// Whether a name in lower case is like this.
    pub(super) fn fits(&self, name: &str) -> bool {
        let length = name.chars().count();
        let mut now = vec![false; self.program.len()];
        let mut found = false;
        for (place, c) in name.chars().map(Some).chain([None]).enumerate() {
            if place == 0 || self.is_open {
                self.reach(0, place, length, &mut now, &mut found);
            }
            if found && self.is_open {
                return true;
            }
            let Some(c) = c else { break };
            let mut next = vec![false; self.program.len()];
            found = false;
            for at in (0..now.len()).filter(|at| now[*at]) {
                if let Instruction::One { ranges, not } = &self.program[at]
                    && ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != *not
                {
                    self.reach(at + 1, place + 1, length, &mut next, &mut found);
                }
            }
            now = next;
        }
        found
    }

    /// Where the program may be, from an instruction on, without taking a character.
    fn reach(&self, from: usize, place: usize, length: usize, now: &mut [bool], found: &mut bool) {
        let mut waiting = vec![from];
        while let Some(at) = waiting.pop() {
            if std::mem::replace(&mut now[at], true) {
                continue;
            }
            match self.program[at] {
                Instruction::One { .. } => {}
                Instruction::Start if place == 0 => waiting.push(at + 1),
                Instruction::End if place == length => waiting.push(at + 1),
                Instruction::Start | Instruction::End => {}
                Instruction::Split(one, other) => waiting.extend([one, other]),
                Instruction::Jump(to) => waiting.push(to),
                Instruction::Fits => *found = true,
            }
        }
    }
}

/// An expression, read.
enum Tree {
    One { ranges: Vec<(char, char)>, not: bool },
    Start,
    End,
    Sequence(Vec<Self>),
    Either(Vec<Self>),
    Repeat(Box<Self>, usize, Option<usize>),
}

struct Parser<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    depth: usize,
}

impl Parser<'_> {
    fn alternatives(&mut self) -> Result<Tree, ExpressionError> {
        let mut alternatives = vec![self.sequence()?];
        while self.rest.next_if_eq(&'|').is_some() {
            alternatives.push(self.sequence()?);
        }
        Ok(Tree::Either(alternatives))
    }

    fn sequence(&mut self) -> Result<Tree, ExpressionError> {
        let mut parts = Vec::new();
        while let Some(c) = self.rest.next_if(|c| !matches!(c, '|' | ')' | '/')) {
            let part = match c {
                '^' => Tree::Start,
                '$' => Tree::End,
                '.' => Tree::One { ranges: Vec::new(), not: true },
                '(' => self.group()?,
                '[' => self.class()?,
                '\\' => self.escape()?,
                '*' | '+' | '?' | '{' => return Err(ExpressionError::Repetition),
                c => Tree::One { ranges: vec![(c.to_ascii_lowercase(), c.to_ascii_lowercase())], not: false },
            };
            parts.push(self.repeated(part)?);
        }
        Ok(Tree::Sequence(parts))
    }

    fn group(&mut self) -> Result<Tree, ExpressionError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(ExpressionError::TooLong);
        }
        let inner = self.alternatives()?;
        self.depth -= 1;
        if self.rest.next() == Some(')') { Ok(inner) } else { Err(ExpressionError::Unbalanced) }
    }

    /// `[a-c5]`, `[^a]`; its bracket is open.
    fn class(&mut self) -> Result<Tree, ExpressionError> {
        let not = self.rest.next_if_eq(&'^').is_some();
        let mut ranges = Vec::new();
        loop {
            let low = match self.rest.next().ok_or(ExpressionError::Unbalanced)? {
                ']' if !ranges.is_empty() => return Ok(Tree::One { ranges, not }),
                '\\' => self.rest.next().ok_or(ExpressionError::Escape)?,
                c => c,
            };
            let mut high = low;
            if self.rest.next_if_eq(&'-').is_some() {
                match self.rest.next_if(|c| *c != ']') {
                    Some(c) => high = c,
                    // A hyphen at the end means itself.
                    None => ranges.push(('-', '-')),
                }
            }
            ranges.push((low.to_ascii_lowercase(), high.to_ascii_lowercase()));
        }
    }

    fn escape(&mut self) -> Result<Tree, ExpressionError> {
        let word = || vec![('0', '9'), ('a', 'z'), ('_', '_')];
        let (ranges, not) = match self.rest.next().ok_or(ExpressionError::Escape)? {
            'd' => (vec![('0', '9')], false),
            'D' => (vec![('0', '9')], true),
            'w' => (word(), false),
            'W' => (word(), true),
            c if c.is_ascii_alphanumeric() => return Err(ExpressionError::Escape),
            c => (vec![(c, c)], false),
        };
        Ok(Tree::One { ranges, not })
    }

    fn repeated(&mut self, part: Tree) -> Result<Tree, ExpressionError> {
        let (least, most) = match self.rest.next_if(|c| matches!(c, '*' | '+' | '?' | '{')) {
            None => return Ok(part),
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('?') => (0, Some(1)),
            Some(_) => self.bounds()?,
        };
        if matches!(part, Tree::Start | Tree::End) || most.is_some_and(|most| most < least) {
            return Err(ExpressionError::Repetition);
        }
        Ok(Tree::Repeat(Box::new(part), least, most))
    }

    /// `{2}`, `{2,}`, `{2,5}`; its brace is open.
    fn bounds(&mut self) -> Result<(usize, Option<usize>), ExpressionError> {
        let mut text = String::new();
        loop {
            match self.rest.next().ok_or(ExpressionError::Unbalanced)? {
                '}' => break,
                c => text.push(c),
            }
        }
        let number =
            |text: &str| text.parse::<u8>().map(usize::from).map_err(|_| ExpressionError::Repetition);
        match text.split_once(',') {
            None => number(&text).map(|times| (times, Some(times))),
            Some((least, "")) => Ok((number(least)?, None)),
            Some((least, most)) => Ok((number(least)?, Some(number(most)?))),
        }
    }
}

/// Writes the instructions of a part behind those that are there.
fn write(tree: &Tree, program: &mut Vec<Instruction>) -> Result<(), ExpressionError> {
    if program.len() > INSTRUCTIONS_MAX {
        return Err(ExpressionError::TooLong);
    }
    match tree {
        Tree::One { ranges, not } => program.push(Instruction::One { ranges: ranges.clone(), not: *not }),
        Tree::Start => program.push(Instruction::Start),
        Tree::End => program.push(Instruction::End),
        Tree::Sequence(parts) => {
            for part in parts {
                write(part, program)?;
            }
        }
        Tree::Either(alternatives) => {
            let mut ends = Vec::new();
            for (place, alternative) in alternatives.iter().enumerate() {
                let split = program.len();
                let is_last = place + 1 == alternatives.len();
                if !is_last {
                    program.push(Instruction::Split(split + 1, 0));
                }
                write(alternative, program)?;
                if !is_last {
                    ends.push(program.len());
                    program.push(Instruction::Jump(0));
                    program[split] = Instruction::Split(split + 1, program.len());
                }
            }
            let end = program.len();
            for jump in ends {
                program[jump] = Instruction::Jump(end);
            }
        }
        Tree::Repeat(part, least, most) => {
            for _ in 0..*least {
                write(part, program)?;
            }
            match most {
                None => {
                    let split = program.len();
                    program.push(Instruction::Split(split + 1, 0));
                    write(part, program)?;
                    program.push(Instruction::Jump(split));
                    program[split] = Instruction::Split(split + 1, program.len());
                }
                Some(most) => {
                    let mut splits = Vec::new();
                    for _ in *least..*most {
                        splits.push(program.len());
                        program.push(Instruction::Split(program.len() + 1, 0));
                        write(part, program)?;
                    }
                    let end = program.len();
                    for split in splits {
                        program[split] = Instruction::Split(split + 1, end);
                    }
                }
            }
        }
    }
    Ok(())
}

impl fmt::Display for ExpressionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Slash => "a regular expression stands between two slashes",
            Self::Unbalanced => "a bracket, brace or parenthesis of the expression has no other half",
            Self::Repetition => "what is to be repeated, and how often? as in node\\d{2,3}",
            Self::Escape => "a backslash goes before d, D, w, W or what is no letter and no digit",
            Self::TooLong => "the expression is too long",
        })
    }
}

#[cfg(test)]
mod tests;
