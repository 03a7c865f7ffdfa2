//! Files in the text of a set: `^/etc/rack1`, and `-` for standard input.
//!
//! They are read where the operator gives the command and not where the nodes are known: the server reads no file that a client names.

use std::fmt;
use std::ops::Range;

/// Why a file cannot be put into a text, and where it is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilesError {
    /// The bytes of the text that name it.
    pub span: Range<usize>,
    /// What is wrong with it.
    pub why: String,
}

impl fmt::Display for FilesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl std::error::Error for FilesError {}

/// Puts in the place of each `^path` and `-` the nodes of the file, which `read` gives: words between spaces and lines, without what follows a `#`.
///
/// They stand first or after a comma. In the file nodes are listed, and nothing is taken away from anything: its operators would mean
/// what stands before the file.
///
/// # Errors
/// [`FilesError`] tells which file, and why.
pub fn with_files(
    text: &str,
    mut read: impl FnMut(&str) -> Result<String, String>,
) -> Result<String, FilesError> {
    let mut written = String::new();
    let mut at = 0;
    let mut depth = 0_u32;
    let mut is_first = true;
    while at < text.len() {
        let rest = &text[at..];
        let term = rest.trim_start();
        let start = text.len() - term.len();
        if is_first && (term.starts_with('^') || term == "-" || term.starts_with("-,")) {
            let end = start + term.find(',').unwrap_or(term.len());
            let named = text[start..end].trim_end();
            let span = start..start + named.len();
            let fail = |why| FilesError { span: span.clone(), why };
            let path = named.strip_prefix('^').unwrap_or(named);
            let contents = read(path).map_err(|why| fail(format!("{path}: {why}")))?;
            written += &listed(&contents).map_err(|why| fail(format!("{path}: {why}")))?;
            (at, is_first) = (end, false);
            continue;
        }
        let Some(next) = rest.chars().next() else { break };
        match next {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        is_first = (next == ',' && depth == 0) || (is_first && next.is_whitespace());
        written.push(next);
        at += next.len_utf8();
    }
    Ok(written)
}

/// The nodes of a file, with commas between them.
fn listed(contents: &str) -> Result<String, String> {
    let lines = contents.lines().map(|line| line.split('#').next().unwrap_or_default());
    let mut words = Vec::new();
    for word in lines.flat_map(str::split_whitespace) {
        let word = word.trim_matches(',');
        if word.contains(['!', '&', '^']) || word.starts_with('/') {
            return Err(format!("'{word}': a file lists nodes, without operators and expressions"));
        }
        words.extend((!word.is_empty()).then_some(word));
    }
    if words.is_empty() { Err("no nodes are listed".into()) } else { Ok(words.join(",")) }
}
