//! A file that is no TOML: the one mistake that is told of it, and what was meant.

use super::foreign;
use super::mistake::{Findings, WHOLE_FILE};
use super::setting::{Form, Kind, Section, Setting};
use super::table::SECTIONS;
use std::ops::Range;
use toml::de::DeValue;

/// Tells what the parser found, in words for who writes such a file for the first time where it is known what he meant.
pub(super) fn tell(findings: &mut Findings<'_>, error: &toml::de::Error) {
    let text = findings.text();
    let span = error.span().unwrap_or(WHOLE_FILE);
    if error.message() == "duplicate key" {
        let remedy = line_of_same(text, &span);
        let remedy = remedy.map(|line| format!("it is on line {line} already: write it once"));
        return findings.error(&span, error.message(), remedy);
    }
    let line = Line::at(text, span.start);
    // Inside of a string, what looks like a comment or a key is none.
    let meant = if error.message().contains("escape") { None } else { line.meant(text) };
    match meant {
        Some(Meant { span, message, remedy }) => findings.error(&span, message, Some(remedy)),
        None if !text.lines().any(is_heading) => {
            let remedy = "sections begin with [server] or [[network]]; if it is the file of another server, docs/from-dnsmasq-and-dhcpd.md says what its lines are here";
            findings.error(&span, "this is no TOML, and no section begins in it", Some(remedy.into()));
        }
        None => findings.error(&span, error.message(), None),
    }
}

/// What was meant, in the place of what the parser says.
struct Meant {
    span: Range<usize>,
    message: &'static str,
    remedy: String,
}

/// A line of the file.
struct Line<'t> {
    start: usize,
    text: &'t str,
}

impl<'t> Line<'t> {
    fn at(text: &'t str, place: usize) -> Self {
        let before = text.get(..place).unwrap_or_default();
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        Self { start, text: text.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default() }
    }

    /// The place of a part that begins so many octets after the line does.
    fn span(&self, at: usize, octets: usize) -> Range<usize> {
        self.start + at..self.start + at + octets
    }

    fn meant(&self, text: &str) -> Option<Meant> {
        let code = self.text.trim();
        let indent = self.text.len() - self.text.trim_start().len();
        if let Some(mark) = COMMENTS.into_iter().find(|mark| code.starts_with(*mark)) {
            return Some(self.no_comment(indent, mark));
        }
        if !text.lines().any(is_heading) {
            return None;
        }
        let is_bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let Some(at) = self.text.find(['=', ':']) else {
            return self.foreign(text, code, indent);
        };
        let (key, rest) = (self.text.get(..at)?.trim(), self.text.get(at + 1..)?);
        let bare = key.trim_matches(['"', '\'']);
        if bare.is_empty() || !bare.chars().all(is_bare) {
            return None;
        }
        let setting = section_at(text, self.start).and_then(|section| section.setting(bare));
        let (value, comment) = without_comment(rest.trim_start());
        let value_at = self.text.len() - rest.trim_start().len();
        if self.text.as_bytes().get(at) == Some(&b':') {
            let remedy = match SECTIONS.iter().find(|section| section.path == bare) {
                Some(section) if value.is_empty() => format!("a section begins with {}", section.heading()),
                Some(_) | None => format!("write {key} = {}", written(bare, setting, value)),
            };
            let message = "a key and its value have = between them";
            return Some(Meant { span: self.span(at, 1), message, remedy });
        }
        if let Some(whole) = value.strip_suffix(';').filter(|whole| is_value(whole)) {
            let message = "a line has nothing after its value";
            let remedy = format!("write {key} = {}", shown(bare, whole.to_owned()));
            return Some(Meant { span: self.span(value_at + whole.len(), 1), message, remedy });
        }
        let is_comment = |mark: &&str| value.split_once(*mark).is_some_and(|(whole, _)| is_value(whole));
        if let Some(mark) = COMMENTS.into_iter().find(is_comment) {
            let before = value.find(mark).unwrap_or_default();
            return Some(self.no_comment(value_at + before, mark));
        }
        let is_meant = !value.is_empty() && !is_value(value) && !value.starts_with(['"', '\'', '{']);
        let is_list = value.starts_with('[');
        let can_be_read =
            !is_list || (value.ends_with(']') && !value.contains(['"', '\'']) && comment.is_empty());
        let as_string = || Meant {
            span: self.span(value_at, value.len()),
            message: match setting.map(|setting| setting.kind) {
                Some(Kind::Truth | Kind::Integer { .. } | Kind::Table) => "this is no value",
                Some(
                    Kind::Text(_)
                    | Kind::Texts(_)
                    | Kind::Word { .. }
                    | Kind::Duration { .. }
                    | Kind::Threshold,
                )
                | None => "a string stands in quotation marks",
            },
            remedy: format!("write {key} = {}", written(bare, setting, value)),
        };
        (is_meant && can_be_read).then(|| self.foreign(text, bare, indent).unwrap_or_else(as_string))
    }

    /// A key of another server's. However its value were written, it would be told next that there is no such key.
    fn foreign(&self, text: &str, key: &str, at: usize) -> Option<Meant> {
        let section = section_at(text, self.start)?;
        // In a table of names that the operator chooses, which stands in that of a section, it may be one of them.
        let own = section.path.split('.').count() + usize::from(section.form == Form::Named);
        let is_within = heading_at(text, self.start)?.split('.').count() > own;
        let remedy = foreign::remedy_of_foreign(section.path, key)
            .filter(|_| !is_within && section.setting(key).is_none())?;
        Some(Meant { span: self.span(at, key.len()), message: "unknown key", remedy })
    }

    fn no_comment(&self, at: usize, mark: &str) -> Meant {
        let remedy = "comments begin with #".to_owned();
        Meant { span: self.span(at, mark.len()), message: "this begins no comment", remedy }
    }
}

/// What begins comments elsewhere.
const COMMENTS: [&str; 3] = [";", "//", "--"];

/// How the value of a key is written that somebody wrote otherwise.
fn written(key: &str, setting: Option<&Setting>, word: &str) -> String {
    let plain = word.trim_matches(['"', '\'', '“', '”', '„', '‘', '’', '«', '»']);
    let quoted = |item: &str| if is_value(item) { item.to_owned() } else { format!("{item:?}") };
    let value = match setting.map(|setting| (setting.kind, setting.example)) {
        Some((Kind::Truth, example)) => match plain.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "enabled" => "true".to_owned(),
            "false" | "no" | "off" | "disabled" => "false".to_owned(),
            _ => example.to_owned(),
        },
        Some((Kind::Integer { .. } | Kind::Table, example)) if !is_value(word) => example.to_owned(),
        Some(_) | None if is_value(word) => word.to_owned(),
        Some(_) | None => match word.strip_prefix('[').and_then(|items| items.strip_suffix(']')) {
            Some(items) => {
                let items: Vec<_> = items.split(',').map(str::trim).filter(|item| !item.is_empty()).collect();
                format!("[{}]", items.into_iter().map(quoted).collect::<Vec<_>>().join(", "))
            }
            None => format!("{plain:?}"),
        },
    };
    shown(key, value)
}

/// A value for a message: not longer than a line bears, and no secret.
fn shown(key: &str, value: String) -> String {
    const SHOWN_MAX: usize = 80;
    if value.len() <= SHOWN_MAX && !key.contains("secret") { value } else { "\"…\"".into() }
}

fn is_value(word: &str) -> bool {
    !word.trim().is_empty() && DeValue::parse(word.trim()).is_ok()
}

/// A value, and the comment after it.
fn without_comment(rest: &str) -> (&str, &str) {
    let at =
        rest.find('#').filter(|at| rest[..*at].matches('"').count().is_multiple_of(2)).unwrap_or(rest.len());
    (rest[..at].trim_end(), &rest[at..])
}

fn is_heading(line: &str) -> bool {
    line.trim().trim_start_matches('[').starts_with(|c: char| c.is_ascii_alphanumeric())
        && line.trim().starts_with('[')
}

/// The name of the table whose heading is the last before a place.
fn heading_at(text: &str, place: usize) -> Option<&str> {
    let heading = text.get(..place)?.lines().rev().find(|line| is_heading(line))?;
    heading.trim().trim_matches('[').split(']').next().map(str::trim)
}

/// The section that a place of the file is in.
fn section_at(text: &str, place: usize) -> Option<&'static Section> {
    let path = heading_at(text, place)?;
    let is_meant = |section: &&Section| match section.form {
        Form::Named => path.split('.').next() == Some(section.path),
        Form::Table | Form::List | Form::Open => path == section.path,
    };
    SECTIONS.iter().find(is_meant)
}

/// The line, from 1, of what is written a second time at this place: a table's heading, or a key of one table. The parser says of the second where it is.
fn line_of_same(text: &str, span: &Range<usize>) -> Option<usize> {
    let start = text.get(..span.start)?.rfind('\n').map_or(0, |at| at + 1);
    let before: Vec<&str> = text.get(..start)?.lines().map(str::trim).collect();
    let own = text.get(start..)?.lines().next()?.trim();
    let heading = |line: &str| line.split('#').next().unwrap_or_default().trim().to_owned();
    let key =
        |line: &str| line.split_once('=').map(|(key, _)| key.trim().trim_matches(['"', '\'']).to_owned());
    let mut above = before.iter().enumerate().rev();
    let found = if own.starts_with('[') {
        above.find(|(_, line)| heading(line) == heading(own))
    } else {
        above
            .take_while(|(_, line)| !line.starts_with('['))
            .find(|(_, line)| key(line).is_some() && key(line) == key(own))
    };
    found.map(|(place, _)| place + 1)
}
