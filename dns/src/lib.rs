//! Names, answered.
