//! What keeps the server from starting: a sentence for the operator, and the exit code that says whose turn it is.

use std::fmt;

/// What is wrong, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem(pub(crate) String);

impl Problem {
    /// The sentence and what to do, as they stand in a line with other things.
    pub(crate) fn in_one_line(&self) -> String {
        self.0.lines().map(str::trim).collect::<Vec<_>>().join("; ")
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A [`Problem`] in the manner of `format!`.
macro_rules! problem {
    ($($arguments:tt)*) => { $crate::problem::Problem(format!($($arguments)*)) };
}
pub(crate) use problem;
