//! A table of the file beside its section: every key is known, every value has a place, every mistake is noted.

use super::foreign;
use super::mistake::{Findings, quoted};
use super::read_host::is_without_option;
use super::setting::{Fallback, Kind, Section, Setting, Status, duration_text, nearest};
use super::value::{self, Wrong};
use std::ops::Range;
use std::time::Duration;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value and where it stands; for a default, where its section stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Placed<T> {
    pub(super) value: T,
    pub(super) span: Range<usize>,
}

/// A table of the file, or an empty one for a section that is not there.
pub(super) struct Entry<'d> {
    section: &'static Section,
    /// Its heading, for messages: `[profile.rescue]`.
    heading: String,
    table: &'d DeTable<'d>,
    /// Where its heading stands.
    pub(super) span: Range<usize>,
    /// Settings that an unknown key seems to mean: they are not missed a second time.
    misspelt: Vec<&'static str>,
}

impl<'d> Entry<'d> {
    /// Looks at the keys: each has to be a setting that works, or a section of its own.
    pub(super) fn open(
        findings: &mut Findings<'_>,
        section: &'static Section,
        heading: String,
        table: &'d DeTable<'d>,
        span: Range<usize>,
    ) -> Self {
        let mut misspelt = Vec::new();
        for key in table.keys() {
            let name: &str = key.get_ref();
            match section.setting(name).map(|setting| setting.status) {
                Some(Status::Works) => {}
                Some(Status::Planned) => {
                    let message = format!("{} in {heading} is not supported yet", quoted(name));
                    findings.error(&key.span(), message, Some("leave it out".into()));
                }
                None if foreign::child(section, name).is_some() => {}
                None => {
                    let message = format!("unknown key {} in {heading}", quoted(name));
                    findings.error(&key.span(), message, Some(foreign::remedy_for_key(section, name)));
                    misspelt.extend(nearest(name, section.settings.iter().map(|setting| setting.key)));
                }
            }
        }
        Self { section, heading, table, span, misspelt }
    }

    /// Whether the file has the key.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// The value of a key as it stands, if the file has it.
    pub(super) fn raw(&self, key: &str) -> Option<&'d Spanned<DeValue<'d>>> {
        self.table.get(key)
    }

    /// Whether an unknown key seems to mean this one.
    pub(super) fn misspelt(&self, key: &str) -> bool {
        self.misspelt.contains(&key)
    }

    /// The value of a key that is true or false; without it, false.
    pub(super) fn flag(&self, findings: &mut Findings<'_>, key: &str) -> bool {
        let Some(value) = self.raw(key) else { return false };
        value.get_ref().as_bool().unwrap_or_else(|| {
            wrong_type(findings, &self.heading, key, value, "true or false", None);
            false
        })
    }

    /// Where a key stands; where its table does, if it is not there.
    pub(super) fn key_span(&self, key: &str) -> Range<usize> {
        self.table.get_key_value(key).map_or_else(|| self.span.clone(), |(key, _)| key.span())
    }

    /// The value of a key that holds a string, or its default. None: there is none, or it was wrong.
    pub(super) fn text<T>(
        &self,
        findings: &mut Findings<'_>,
        key: &str,
        parse: impl Fn(&str) -> Result<T, Wrong>,
    ) -> Option<Placed<T>> {
        self.value(findings, key, |findings, _, value| {
            let text = self.one_text(findings, key, value)?;
            note_wrong(findings, key, value, text, parse(text))
        })
    }

    /// The values of a key that holds a list of strings or one string, or its default.
    pub(super) fn texts<T>(
        &self,
        findings: &mut Findings<'_>,
        key: &str,
        parse: impl Fn(&str) -> Result<T, Wrong>,
    ) -> Option<Placed<Vec<Placed<T>>>> {
        self.value(findings, key, |findings, _, value| {
            let items = match value.get_ref().as_array() {
                Some(items) => items.iter().collect(),
                None => vec![value],
            };
            let read = |item: &Spanned<DeValue<'_>>| {
                let text = self.one_text(findings, key, item)?;
                let value = note_wrong(findings, key, item, text, parse(text))?;
                Some(Placed { value, span: item.span() })
            };
            // Every item is read, so that every mistake is told.
            let values: Vec<_> = items.into_iter().map(read).collect();
            values.into_iter().collect()
        })
    }

    /// The value of a key that holds one of some words, or its default.
    pub(super) fn word<T: Copy>(
        &self,
        findings: &mut Findings<'_>,
        key: &str,
        meanings: &[(&'static str, T)],
    ) -> Option<Placed<T>> {
        let Kind::Word { planned, .. } = self.setting(key).kind else { return None };
        self.text(findings, key, |text| {
            if let Some((_, meaning)) = meanings.iter().find(|(word, _)| *word == text) {
                return Ok(*meaning);
            }
            let is_planned =
                |word: &&str| **word == *text || (word.ends_with(':') && text.starts_with(*word));
            let words: Vec<_> = meanings.iter().map(|(word, _)| *word).collect();
            let allowed = format!("there is {}", listed(&words));
            if planned.iter().any(is_planned) {
                return Err(Wrong::with(format!("{} is not supported yet", quoted(text)), allowed));
            }
            // What is known by another name elsewhere is not meant to be the one that looks like it.
            let meant = did_you_mean(text, meanings.iter().map(|(word, _)| *word));
            let remedy = meant.filter(|_| !is_without_option(text)).unwrap_or(allowed);
            Err(Wrong::with(format!("unknown word {}", quoted(text)), remedy))
        })
    }

    /// The value of a key that holds a duration, or its default.
    pub(super) fn duration(&self, findings: &mut Findings<'_>, key: &str) -> Option<Placed<Duration>> {
        let Kind::Duration { least_seconds, most_seconds } = self.setting(key).kind else { return None };
        self.text(findings, key, |text| match value::duration_seconds(text)? {
            seconds if (least_seconds..=most_seconds).contains(&seconds) => Ok(Duration::from_secs(seconds)),
            seconds => {
                let (limit, side) = match seconds < least_seconds {
                    true => (least_seconds, "shortest"),
                    false => (most_seconds, "longest"),
                };
                let remedy = format!("the {side} is {:?}", duration_text(limit));
                Err(Wrong::with(format!("{} is out of bounds", quoted(text)), remedy))
            }
        })
    }

    /// The value of a key that holds a whole number, or its default.
    pub(super) fn integer(&self, findings: &mut Findings<'_>, key: &str) -> Option<Placed<u32>> {
        let Kind::Integer { least, most } = self.setting(key).kind else { return None };
        self.value(findings, key, |findings, heading, value| {
            let Some(integer) = value.get_ref().as_integer() else {
                let unquoted = value.get_ref().as_str().filter(|text| text.parse::<u32>().is_ok());
                let remedy = unquoted.map(|text| format!("write it without quotation marks: {text}"));
                wrong_type(findings, heading, key, value, "a whole number", remedy);
                return None;
            };
            // What does not fit into 64 bits is out of bounds like anything else that is too large.
            let number = i64::from_str_radix(integer.as_str(), integer.radix()).unwrap_or(i64::MAX);
            let number = u32::try_from(number).ok().filter(|number| (least..=most).contains(number));
            if number.is_none() {
                let message = format!("{key}: {} is out of bounds", shown_integer(integer.as_str()));
                findings.error(&value.span(), message, Some(format!("it is from {least} to {most}")));
            }
            number
        })
    }

    /// The value of a key that holds `true` or `false`, or its default.
    pub(super) fn truth(&self, findings: &mut Findings<'_>, key: &str) -> Option<Placed<bool>> {
        self.value(findings, key, |findings, heading, value| {
            let truth = value.get_ref().as_bool();
            if truth.is_none() {
                let word = value.get_ref().as_str().filter(|word| matches!(*word, "true" | "false"));
                let remedy = word.map(|word| format!("write it without quotation marks: {word}"));
                wrong_type(findings, heading, key, value, "true or false", remedy);
            }
            truth
        })
    }

    /// The value of a key that holds a string or a whole number, as text.
    pub(super) fn threshold(&self, findings: &mut Findings<'_>, key: &str) -> Option<Placed<String>> {
        self.value(findings, key, |findings, _, value| match value.get_ref().as_integer() {
            Some(integer) if integer.radix() == 10 => Some(integer.as_str().to_owned()),
            Some(_) | None => self.one_text(findings, key, value).map(str::to_owned),
        })
    }

    /// The value of a key that holds a file of the boot directory, or its default.
    pub(super) fn file(&self, findings: &mut Findings<'_>, key: &str) -> Option<Placed<String>> {
        let directory = findings.boot_directory();
        self.text(findings, key, |text| value::file_name(text, &directory))
    }

    /// The values of a key that holds a list of such files or one file, or its default.
    pub(super) fn files(
        &self,
        findings: &mut Findings<'_>,
        key: &str,
    ) -> Option<Placed<Vec<Placed<String>>>> {
        let directory = findings.boot_directory();
        self.texts(findings, key, |text| value::file_name(text, &directory))
    }

    /// Notes that a key is not there that has to be.
    pub(super) fn missing(&self, findings: &mut Findings<'_>, key: &str) {
        if !self.misspelt.contains(&key) {
            let message = format!("{} has no {key:?}", self.heading);
            let remedy = format!("write {key} = {}", self.setting(key).example);
            findings.error(&self.span, message, Some(remedy));
        }
    }

    fn value<T>(
        &self,
        findings: &mut Findings<'_>,
        key: &str,
        read: impl FnOnce(&mut Findings<'_>, &str, &Spanned<DeValue<'_>>) -> Option<T>,
    ) -> Option<Placed<T>> {
        if let Some(value) = self.table.get(key) {
            let read = read(findings, &self.heading, value);
            return read.map(|read| Placed { value: read, span: value.span() });
        }
        let setting = self.setting(key);
        match setting.fallback {
            Fallback::Required => {
                self.missing(findings, key);
                None
            }
            Fallback::Value(default) => {
                let default = DeValue::parse(default).expect("a default is TOML, as the tests see");
                let read = read(findings, &self.heading, &default);
                read.map(|read| Placed { value: read, span: self.span.clone() })
            }
            Fallback::RequiredBut(_) | Fallback::Otherwise(_) => None,
        }
    }

    /// The text of a value. In the place of another type belongs one of the key's words, or what looks like its example.
    fn one_text<'v>(
        &self,
        findings: &mut Findings<'_>,
        key: &str,
        value: &'v Spanned<DeValue<'_>>,
    ) -> Option<&'v str> {
        let text = value.get_ref().as_str();
        if text.is_none() {
            let written = findings.text().get(value.span()).unwrap_or_default();
            let setting = self.setting(key);
            let remedy = match setting.kind {
                Kind::Duration { .. } if value.get_ref().is_integer() && written.len() <= 20 => {
                    format!("write \"{written}s\"")
                }
                Kind::Word { works, .. } => format!("there is {}", listed(works)),
                Kind::Duration { .. }
                | Kind::Text(_)
                | Kind::Texts(_)
                | Kind::Integer { .. }
                | Kind::Threshold
                | Kind::Truth
                | Kind::Table => format!("as {}", setting.example),
            };
            wrong_type(findings, &self.heading, key, value, "a string", Some(remedy));
        }
        text
    }

    fn setting(&self, key: &str) -> &'static Setting {
        self.section.setting(key).expect("the reader asks for what is in the table of settings")
    }
}

/// `did you mean "interface"?`
pub(super) fn did_you_mean<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<String> {
    nearest(word, candidates).map(|near| format!("did you mean {near:?}?"))
}

/// `"a", "b"`
fn listed(words: &[&str]) -> String {
    words.iter().map(|word| format!("{word:?}")).collect::<Vec<_>>().join(", ")
}

fn wrong_type(
    findings: &mut Findings<'_>,
    heading: &str,
    key: &str,
    value: &Spanned<DeValue<'_>>,
    wanted: &str,
    remedy: Option<String>,
) {
    let message = type_words(value.get_ref());
    findings.error(&value.span(), format!("{key:?} in {heading} is {wanted}, not {message}"), remedy);
}

/// What kind of value it is, in words.
pub(in crate::config) fn type_words(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::Integer(_) => "a whole number",
        DeValue::Array(_) => "a list",
        DeValue::String(_) => "a string",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "a truth value",
        DeValue::Datetime(_) => "a date",
        DeValue::Table(_) => "a table",
    }
}

fn note_wrong<T>(
    findings: &mut Findings<'_>,
    key: &str,
    value: &Spanned<DeValue<'_>>,
    text: &str,
    read: Result<T, Wrong>,
) -> Option<T> {
    let Wrong { message, remedy, within } = match read {
        Ok(value) => return Some(value),
        Err(wrong) => wrong,
    };
    let span = within.map_or_else(|| value.span(), |part| self::within(findings, &value.span(), text, part));
    findings.error(&span, format!("{key}: {message}"), remedy);
    None
}

/// The place of a part of a string. It has one of its own only if the file has the text as it is, without escapes.
pub(super) fn within(
    findings: &Findings<'_>,
    whole: &Range<usize>,
    text: &str,
    part: Range<usize>,
) -> Range<usize> {
    let is_verbatim = findings.text().get(whole.start + 1..whole.start + 1 + text.len()) == Some(text);
    if is_verbatim { whole.start + 1 + part.start..whole.start + 1 + part.end } else { whole.clone() }
}

/// An integer can have as many digits as the file has room.
fn shown_integer(digits: &str) -> &str {
    const SHOWN_MAX: usize = 20;
    match digits.len() {
        0..=SHOWN_MAX => digits,
        _ => "the number",
    }
}
