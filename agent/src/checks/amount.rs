//! How much there is: memory and processors; and how amounts are compared.

use super::Check;
use crate::{facts, quantity};
use serde_json::Value;
use std::path::Path;

/// `memory`
pub(super) fn memory(check: &Check, root: &Path) -> Result<String, String> {
    let wanted = check.at_least(quantity::bytes)?;
    let found = facts::memory_bytes(root).ok_or("the kernel does not tell how much there is")?;
    at_least(found, wanted, quantity::show_bytes)
}

/// `processors`
pub(super) fn processors(check: &Check) -> Result<String, String> {
    let wanted = check.at_least(count)?;
    at_least(facts::processors() as u64, wanted, |count| count.to_string())
}

/// Whether there is enough, in words.
pub(super) fn at_least(found: u64, wanted: u64, show: impl Fn(u64) -> String) -> Result<String, String> {
    if found >= wanted {
        Ok(format!("{}, at least {} wanted", show(found), show(wanted)))
    } else {
        Err(format!("only {}, at least {} wanted", show(found), show(wanted)))
    }
}

/// The same of what was counted, with what it was.
pub(super) fn enough(found: &[String], wanted: u64, what: &str) -> Result<String, String> {
    let count = found.len() as u64;
    let named = if found.is_empty() { String::new() } else { format!(" ({})", found.join(", ")) };
    let said = format!("{count}{what}{named}, at least {wanted} wanted");
    match count {
        _ if count >= wanted => Ok(said),
        0 => Err(format!("none{what}, at least {wanted} wanted")),
        _ => Err(format!("only {said}")),
    }
}

/// A whole number.
pub(super) fn count(text: &str) -> Option<u64> {
    text.parse().ok()
}

/// An amount, a number or a text. `None` if the check does not say.
pub(super) fn wanted(
    key: &str,
    value: &Value,
    parse: impl Fn(&str) -> Option<u64>,
) -> Result<Option<u64>, String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Null => return Ok(None),
        other @ (Value::Bool(_) | Value::Array(_) | Value::Object(_)) => other.to_string(),
    };
    parse(&text).map(Some).ok_or_else(|| format!("{key} = \"{text}\" is not understood"))
}
