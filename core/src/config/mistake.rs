//! What is wrong with a configuration: where, what, and what to do; and how that looks on a terminal.

use crate::limit::MISTAKES_MAX;
use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::Range;

/// Something that the operator should change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The octets of the file that are wrong.
    pub span: Range<usize>,
    /// Line of the first of them, from 1.
    pub line: usize,
    /// Its place in the line in characters, from 1.
    pub column: usize,
    /// Whether the file is refused for it.
    pub severity: Severity,
    /// What is wrong, without a capital or a full stop.
    pub message: String,
    /// What to do: `did you mean "interface"?`
    pub remedy: Option<String>,
}

impl Mistake {
    /// One for which the file is refused, at this place of its text.
    pub fn at(text: &str, span: Range<usize>, message: String, remedy: String) -> Self {
        let mut findings = Findings::new(text);
        findings.error(&span, message, Some(remedy));
        findings.mistakes.remove(0)
    }
}

/// Whether a configuration is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// It is.
    Error,
    /// It is not, but is probably not what was meant.
    Warning,
}

/// Shows mistakes with their lines, for a terminal or a journal:
///
/// ```text
/// heorot.toml:12:3: unknown key "intreface" in [[network]]
/// 12 |   intreface = "eth1"
///    |   ^^^^^^^^^
///   did you mean "interface"?
/// ```
pub fn render(file_name: &str, text: &str, mistakes: &[Mistake]) -> String {
    let mut shown = String::new();
    for mistake in mistakes {
        let Mistake { line, column, message, .. } = mistake;
        let severity = match mistake.severity {
            Severity::Error => "",
            Severity::Warning => "warning: ",
        };
        // Writing into a string cannot fail.
        let _ = writeln!(shown, "{file_name}:{line}:{column}: {severity}{message}");
        shown.push_str(&excerpt(text, mistake));
        if let Some(remedy) = &mistake.remedy {
            let _ = writeln!(shown, "  {remedy}");
        }
    }
    shown
}

/// The line of a mistake, with carets below what is wrong; nothing if the line is empty, or the mistake is the file's as a whole.
fn excerpt(text: &str, mistake: &Mistake) -> String {
    if mistake.span == WHOLE_FILE {
        return String::new();
    }
    let lines = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let line = lines.lines().nth(mistake.line.saturating_sub(1)).unwrap_or_default();
    let before = mistake.column.saturating_sub(1);
    // A line as long as a file is shown around the mistake only.
    let hidden = before.saturating_sub(EXCERPT_BEFORE_MAX);
    // A terminal must not obey a control character; the tabs of the line stand above the same tabs, so that the carets fit.
    let printable = |c: char| if c.is_control() && c != '\t' { char::REPLACEMENT_CHARACTER } else { c };
    let shown = without_secret(line, mistake.remedy.as_deref());
    let line: String = shown.chars().skip(hidden).take(EXCERPT_MAX).map(printable).collect();
    if line.trim().is_empty() {
        return String::new();
    }
    let indent: String =
        line.chars().take(before - hidden).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
    let wrong = text.get(mistake.span.clone()).unwrap_or_default().lines().next().unwrap_or_default();
    let room = line.chars().count().saturating_sub(before - hidden);
    let carets = "^".repeat(wrong.chars().count().min(room).max(1));
    let number = mistake.line.to_string();
    let blank = " ".repeat(number.len());
    format!("{number} | {}\n{blank} | {indent}{carets}\n", line.trim_end())
}

/// A line up to the value of a `secret`, or of what was meant to be one: what is shown goes to journals and screens, where nobody should read it.
fn without_secret<'t>(line: &'t str, remedy: Option<&str>) -> Cow<'t, str> {
    let is_meant = remedy.is_some_and(|remedy| remedy.contains("\"secret\""));
    let key = line.find("secret").or_else(|| is_meant.then_some(0));
    match key.and_then(|key| Some(key + line.get(key..)?.find('=')? + 1)) {
        Some(value) => Cow::Owned(format!("{} \"…\"", &line[..value])),
        None => Cow::Borrowed(line),
    }
}

const BYTE_ORDER_MARK: char = '\u{feff}';

/// The place of what is no line's mistake.
pub(super) const WHOLE_FILE: Range<usize> = 0..0;

/// Characters of a long line that are shown.
const EXCERPT_MAX: usize = 120;
/// And those of them before the mistake.
const EXCERPT_BEFORE_MAX: usize = 60;

/// The mistakes found so far, in a file whose lines are known.
pub(super) struct Findings<'t> {
    text: &'t str,
    line_starts: Vec<usize>,
    mistakes: Vec<Mistake>,
    untold: usize,
    refused: bool,
    boot_directory: String,
}

impl<'t> Findings<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let after_newlines = text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(at, _)| at + 1);
        let line_starts = std::iter::once(0).chain(after_newlines).collect();
        Self {
            text,
            line_starts,
            mistakes: Vec::new(),
            untold: 0,
            refused: false,
            boot_directory: String::new(),
        }
    }

    /// Something for which the file is refused.
    pub(super) fn error(&mut self, span: &Range<usize>, message: impl Into<String>, remedy: Option<String>) {
        self.refused = true;
        self.add(span, Severity::Error, message.into(), remedy);
    }

    /// Something that is allowed and odd.
    pub(super) fn warning(
        &mut self,
        span: &Range<usize>,
        message: impl Into<String>,
        remedy: Option<String>,
    ) {
        self.add(span, Severity::Warning, message.into(), remedy);
    }

    /// The line of a place, from 1.
    pub(super) fn line(&self, span: &Range<usize>) -> usize {
        self.line_starts.partition_point(|start| *start <= span.start).max(1)
    }

    /// The text of the file.
    pub(super) fn text(&self) -> &'t str {
        self.text
    }

    /// Says where the boot files are, for remedies.
    pub(super) fn set_boot_directory(&mut self, directory: String) {
        self.boot_directory = directory;
    }

    /// Where the boot files are, as far as it is known.
    pub(super) fn boot_directory(&self) -> String {
        self.boot_directory.clone()
    }

    /// Whether the file is refused.
    pub(super) fn refused(&self) -> bool {
        self.refused
    }

    /// Whether further mistakes are only counted: then nobody has to think of a remedy.
    pub(super) fn full(&self) -> bool {
        self.mistakes.len() >= MISTAKES_MAX
    }

    /// All mistakes, in the order of the file.
    pub(super) fn into_mistakes(mut self) -> Vec<Mistake> {
        self.mistakes.sort_by_key(|mistake| mistake.span.start);
        if let (Some(last), 1..) = (self.mistakes.last_mut(), self.untold) {
            let _ = write!(last.message, " (and {} more mistakes)", self.untold);
        }
        self.mistakes
    }

    fn add(&mut self, span: &Range<usize>, severity: Severity, message: String, remedy: Option<String>) {
        if self.full() {
            self.untold += 1;
            return;
        }
        let line = self.line(span);
        let start = self.line_starts.get(line - 1).copied().unwrap_or_default();
        // No editor shows the mark that some put before the first line.
        let mark =
            if start == 0 && self.text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len_utf8() } else { 0 };
        let start = start + mark;
        let column = self.text.get(start..span.start).unwrap_or_default().chars().count() + 1;
        self.mistakes.push(Mistake { span: span.clone(), line, column, severity, message, remedy });
    }
}

/// A word of the file for a message: in quotation marks, escaped, and not longer than a line bears.
pub(super) fn quoted(word: &str) -> String {
    const SHOWN_MAX: usize = 60;
    match word.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{:?}", format!("{}…", &word[..end])),
        None => format!("{word:?}"),
    }
}
