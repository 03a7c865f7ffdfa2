use std::fmt;

/// How a number becomes a host name: text around one `{}` (plain) or `{:0W}` (padded with zeros to W digits).
///
/// The name is a DNS label: lower-case letters, digits and inner hyphens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    prefix: String,
    suffix: String,
    width: usize,
}

/// Why a text is no [`Pattern`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PatternError {
    /// There is not exactly one `{}` or `{:0W}`.
    Placeholder,
    /// A width that no number has: 1 to 10 digits, as in `{:04}`.
    Width,
    /// A character that no host name may have (RFC 1123 2.1).
    Character(char),
    /// A hyphen at an end, or a digit beside the number: `node1{}` would make `node11` of 1 and of nothing else.
    Ambiguous,
    /// Longer than a DNS label may be (63 octets), counted with ten digits.
    TooLong,
}

/// A label has at most 63 octets (RFC 1035 2.3.4).
const LABEL_OCTETS_MAX: usize = 63;
/// Digits of the largest number, 4294967295.
const DIGITS_MAX: usize = 10;

impl Pattern {
    /// Reads `node{}` or `n{:04}`.
    ///
    /// # Errors
    /// [`PatternError`] tells what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let (prefix, rest) = text.split_once('{').ok_or(PatternError::Placeholder)?;
        let (format, suffix) = rest.split_once('}').ok_or(PatternError::Placeholder)?;
        if suffix.contains(['{', '}']) || prefix.contains('}') {
            return Err(PatternError::Placeholder);
        }
        let width = match format.strip_prefix(":0") {
            _ if format.is_empty() => 0,
            // Digits alone: parse() would let "+4" through.
            Some(width) if width.bytes().all(|b| b.is_ascii_digit()) => match width.parse() {
                Ok(width @ 1..=DIGITS_MAX) => width,
                Ok(_) | Err(_) => return Err(PatternError::Width),
            },
            Some(_) | None => return Err(PatternError::Placeholder),
        };
        let allowed = |c: &char| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '-';
        if let Some(wrong) = prefix.chars().chain(suffix.chars()).find(|c| !allowed(c)) {
            return Err(PatternError::Character(wrong));
        }
        let beside_is_digit = prefix.ends_with(|c: char| c.is_ascii_digit())
            || suffix.starts_with(|c: char| c.is_ascii_digit());
        if prefix.starts_with('-') || suffix.ends_with('-') || beside_is_digit {
            return Err(PatternError::Ambiguous);
        }
        if prefix.len() + suffix.len() + DIGITS_MAX.max(width) > LABEL_OCTETS_MAX {
            return Err(PatternError::TooLong);
        }
        Ok(Self { prefix: prefix.into(), suffix: suffix.into(), width })
    }

    /// The name of a number.
    pub fn name(&self, number: u32) -> String {
        self.spelled(number).to_string()
    }

    /// The name of a number, to be written where it is needed: nothing is allocated.
    pub fn spelled(&self, number: u32) -> Spelled<'_> {
        Spelled { pattern: self, number }
    }

    /// The number of a name, in any case (RFC 4343); only the spelling that [`Pattern::name`] gives counts: `node023` is not `node23`.
    pub fn number(&self, name: &str) -> Option<u32> {
        let digits = strip_suffix(strip_prefix(name, &self.prefix)?, &self.suffix)?;
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        // No zero goes before a number that is as long as the width, and none is missing before a shorter one.
        let is_padded = digits.len() > self.width && digits.len() > 1 && digits.starts_with('0');
        if is_padded || digits.len() < self.width {
            return None;
        }
        digits.parse().ok()
    }

    /// The number as it stands in a name, padded: `0023`.
    pub(crate) fn digits(&self, number: u32) -> String {
        format!("{number:0width$}", width = self.width)
    }

    /// What stands in a lower-case name where the number goes, whatever it is.
    pub(crate) fn between<'a>(&self, name: &'a str) -> Option<&'a str> {
        name.strip_prefix(self.prefix.as_str())?.strip_suffix(self.suffix.as_str())
    }

    /// What stands before the number.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// What stands after the number.
    pub(crate) fn suffix(&self) -> &str {
        &self.suffix
    }
}

/// What follows this beginning, in any case.
pub(crate) fn strip_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// What goes before this end, in any case.
pub(crate) fn strip_suffix<'a>(text: &'a str, suffix: &str) -> Option<&'a str> {
    let (rest, end) = text.split_at_checked(text.len().checked_sub(suffix.len())?)?;
    end.eq_ignore_ascii_case(suffix).then_some(rest)
}

/// The name of a number; made by [`Pattern::spelled`].
#[derive(Clone, Copy, Debug)]
pub struct Spelled<'a> {
    pattern: &'a Pattern,
    number: u32,
}

impl fmt::Display for Spelled<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Pattern { prefix, suffix, width } = self.pattern;
        write!(f, "{prefix}{:0width$}{suffix}", self.number, width = *width)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.width {
            0 => write!(f, "{}{{}}{}", self.prefix, self.suffix),
            width => write!(f, "{}{{:0{width}}}{}", self.prefix, self.suffix),
        }
    }
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Placeholder => f.write_str("it needs exactly one {} or {:04}, where the number goes"),
            Self::Width => f.write_str("the width of the number is 1 to 10 digits, as in {:04}"),
            Self::Character(wrong) => {
                write!(f, "'{wrong}' is not allowed in a host name: a-z, 0-9 and '-' are")
            }
            Self::Ambiguous => f.write_str("no hyphen at either end, and no digit beside the number"),
            Self::TooLong => f.write_str("a host name has at most 63 characters"),
        }
    }
}

impl std::error::Error for PatternError {}

#[cfg(test)]
mod tests;
