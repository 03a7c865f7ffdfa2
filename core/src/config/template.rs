//! The template of a kernel command line: `console=ttyS0 node={{node.name}}`.

mod file;
mod overlay;

pub use file::{FILE_VARIABLES, FileTemplate, FileValues, LoaderFile, Templates};
pub use overlay::{OVERLAY_VARIABLES, OverlayList, OverlayNetwork, OverlayValues, render_overlay};

use crate::limit::{COMMAND_LINE_OCTETS_MAX, TEMPLATE_STEPS_MAX};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::ValueKind;
use minijinja::{
    Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value, context, escape_formatter,
};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::Ipv4Addr;
use std::ops::Range;
use std::sync::Arc;

/// A template that can be rendered for every machine, numbered or not. The language is Jinja's.
#[derive(Clone)]
pub struct Template {
    text: Arc<str>,
    environment: Arc<Environment<'static>>,
    /// The attributes that it names.
    attributes: Arc<[String]>,
}

/// What a template may speak of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Values {
    /// `node.name`; empty for a machine that has none.
    pub node_name: Option<String>,
    /// `node.number`; empty for a machine that has none.
    pub node_number: Option<u32>,
    /// `node.mac`, as `52:54:00:00:00:17`.
    pub node_mac: String,
    /// `node.address`: the one it has now.
    pub node_address: Ipv4Addr,
    /// `node.attributes`: those of its profile, and its own before them. One that it has not is empty.
    pub node_attributes: BTreeMap<String, String>,
    /// `cluster.name`.
    pub cluster_name: String,
    /// `server.address`: ours on the node's network.
    pub server_address: Ipv4Addr,
}

/// Why a text is no [`Template`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    /// The octets of the text that are wrong.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What was probably meant.
    pub nearest: Option<&'static str>,
}

/// Everything that a template may name, beside `node.attributes.NAME`.
pub const VARIABLES: [&str; 6] =
    ["node.name", "node.number", "node.mac", "node.address", "cluster.name", "server.address"];

/// How a template names an attribute.
const ATTRIBUTES: &str = "node.attributes";

impl Template {
    /// Reads a template. What this accepts renders for a machine with a number and for one without.
    ///
    /// # Errors
    /// A control character, a mistake in the template's syntax, a variable that there is not, or a result longer than
    /// [`COMMAND_LINE_OCTETS_MAX`].
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        if text.len() > COMMAND_LINE_OCTETS_MAX {
            return Err(TemplateError::of(text, format!("longer than {COMMAND_LINE_OCTETS_MAX} octets")));
        }
        if let Some((at, wrong)) = text.char_indices().find(|(_, c)| c.is_control()) {
            let message = format!("{wrong:?} would break the generated file");
            return Err(TemplateError { span: at..at + wrong.len_utf8(), message, nearest: None });
        }
        let environment = compile(text, TEMPLATE_STEPS_MAX, SyntaxConfig::default())?;
        let attributes = named_attributes(&environment, text, &VARIABLES)?.into();
        let template = Self { text: text.into(), environment: Arc::new(environment), attributes };
        for values in [Values::of_numbered(), Values::of_trial()] {
            template.run(&values)?;
        }
        Ok(template)
    }

    /// The command line for a machine.
    ///
    /// # Errors
    /// What went wrong: the result is too long, or a value that is not usual made the template fail.
    pub fn render(&self, values: &Values) -> Result<String, String> {
        self.run(values).map_err(|error| error.message)
    }

    /// The text it was read from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The attributes that it names, each with its place in the text.
    pub fn attributes(&self) -> impl Iterator<Item = (&str, Range<usize>)> {
        let place = |name: &String| word_span(&self.text, &format!("{ATTRIBUTES}.{name}"));
        self.attributes.iter().map(move |name| (name.as_str(), place(name)))
    }

    /// What iPXE would put a value of its own for, as far as that shows without any node's attributes, and where it stands in the text.
    pub(super) fn setting_of_ipxe(&self) -> Option<(String, Range<usize>)> {
        let lines = [Values::of_numbered(), Values::of_trial()].map(|values| self.run(&values));
        let setting = lines.iter().flatten().find_map(|line| setting_of_ipxe(line))?;
        let at = self.text.find(setting);
        Some((setting.to_owned(), at.map_or(0..self.text.len(), |at| at..at + setting.len())))
    }

    fn run(&self, values: &Values) -> Result<String, TemplateError> {
        let (node, cluster, server) = values.context(&self.attributes);
        let rendered = self
            .environment
            .get_template(NAME)
            .and_then(|template| template.render(context! { node, cluster, server }))
            .map_err(|error| TemplateError::from_engine(&self.text, &error))?;
        if rendered.len() > COMMAND_LINE_OCTETS_MAX {
            let message = format!("the result is longer than {COMMAND_LINE_OCTETS_MAX} octets");
            return Err(TemplateError::of(&self.text, message));
        }
        if let Some(wrong) = rendered.chars().find(|c| c.is_control()) {
            let message = format!("the result has {wrong:?} in it, which would break the generated file");
            return Err(TemplateError::of(&self.text, message));
        }
        Ok(rendered)
    }
}

/// What iPXE takes for a setting of its own in a word of a command line, and goes on to until none is left (`iPXE src/core/settings.c`, `expand_settings`): there is no way to write that it is none.
pub fn setting_of_ipxe(cmdline: &str) -> Option<&str> {
    cmdline.split(' ').find_map(|word| {
        let from = &word[word.find("${")?..];
        Some(&from[..=from.find('}')?])
    })
}

/// The text in an environment of its own.
fn compile(text: &str, steps: u64, syntax: SyntaxConfig) -> Result<Environment<'static>, TemplateError> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(steps));
    environment.set_formatter(write_text);
    environment.set_debug(true); // so that errors have a place
    environment.set_syntax(syntax);
    environment
        .add_template_owned(NAME, text.to_owned())
        .map_err(|error| TemplateError::from_engine(text, &error))?;
    Ok(environment)
}

/// Writes what a template names, if that is a text or a number. Steps are counted when all of a value is written, and what lists are made of may be the same ones over and over: a few steps make one that is
/// written in terabytes.
fn write_text(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    if matches!(value.kind(), ValueKind::Seq | ValueKind::Map | ValueKind::Iterable) {
        let why = "a list is no text: write {{ LIST|join(' ') }}, or what is in it by {% for %}";
        return Err(Error::new(ErrorKind::InvalidOperation, why));
    }
    escape_formatter(out, state, value)
}

/// The attributes that a template names. It may name nothing else but these variables.
fn named_attributes(
    environment: &Environment<'_>,
    text: &str,
    variables: &'static [&'static str],
) -> Result<Vec<String>, TemplateError> {
    let template =
        environment.get_template(NAME).map_err(|error| TemplateError::from_engine(text, &error))?;
    // Ordered: the same text has the same mistake every time.
    let named: BTreeSet<String> = template.undeclared_variables(true).into_iter().collect();
    let functions: BTreeSet<&str> = environment.globals().map(|(name, _)| name).collect();
    let attribute = |name: &str| name.strip_prefix(ATTRIBUTES)?.strip_prefix('.').map(str::to_owned);
    let is_known = |name: &str| {
        variables.contains(&name)
            || functions.contains(name)
            || name == ATTRIBUTES
            || attribute(name).is_some_and(|attribute| !attribute.contains('.'))
    };
    let unknown = named
        .iter()
        .filter(|name| !is_known(name))
        .map(|name| (word_span(text, name), name))
        .min_by_key(|(span, _)| span.start);
    let Some((span, name)) = unknown else {
        return Ok(named.iter().filter_map(|name| attribute(name)).collect());
    };
    let nearest = super::setting::nearest(name, variables.iter().copied());
    let message = match nearest {
        Some(_) => format!("there is no {name} in a template"),
        None => {
            format!("there is no {name} in a template: there are {}, {ATTRIBUTES}.NAME", variables.join(", "))
        }
    };
    Err(TemplateError { span, message, nearest })
}

/// A template stands alone in its environment, under this name: without an extension, so that nothing is escaped.
const NAME: &str = "cmdline";

/// Where a variable stands in the text. Between its parts there may be blanks, which the engine does not tell: then its first part.
fn word_span(text: &str, name: &str) -> Range<usize> {
    let first = name.split('.').next().unwrap_or(name);
    let found = [name, first].into_iter().find_map(|word| {
        let inside = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '.');
        text.match_indices(word).map(|(at, _)| at..at + word.len()).find(|span| {
            let (before, after) = (&text[..span.start], &text[span.end..]);
            before.contains('{') && !inside(before.chars().next_back()) && !inside(after.chars().next())
        })
    });
    found.unwrap_or(0..text.len())
}

impl Values {
    /// As `node`, `cluster` and `server`. Of the attributes that are named, those that the node has not are empty.
    fn context(&self, named: &[String]) -> (Value, Value, Value) {
        let number = self.node_number.map_or_else(|| Value::from(""), Value::from);
        let name = self.node_name.as_deref().unwrap_or_default();
        let (mac, address) = (self.node_mac.as_str(), self.node_address.to_string());
        let unset = named.iter().filter(|name| !self.node_attributes.contains_key(*name));
        let unset = unset.map(|name| (name.clone(), String::new()));
        let attributes: BTreeMap<_, _> = self.node_attributes.clone().into_iter().chain(unset).collect();
        let node = context! { name, number, mac, address, attributes };
        let cluster = context! { name => self.cluster_name.as_str() };
        let server = context! { address => self.server_address.to_string() };
        (node, cluster, server)
    }

    fn of_numbered() -> Self {
        Self { node_name: Some("node0".into()), node_number: Some(0), ..Self::of_trial() }
    }

    fn of_trial() -> Self {
        Self {
            node_name: None,
            node_number: None,
            node_mac: "52:54:00:00:00:17".into(),
            node_address: Ipv4Addr::LOCALHOST,
            node_attributes: BTreeMap::new(),
            cluster_name: "cluster".into(),
            server_address: Ipv4Addr::LOCALHOST,
        }
    }
}

impl TemplateError {
    /// About the text as a whole.
    fn of(text: &str, message: String) -> Self {
        Self { span: 0..text.len(), message, nearest: None }
    }

    fn from_engine(text: &str, error: &Error) -> Self {
        let span = error.range().filter(|range| text.get(range.clone()).is_some()).unwrap_or(0..text.len());
        let message = match error.detail() {
            Some(detail) => format!("{}: {detail}", error.kind()),
            None => error.kind().to_string(),
        };
        Self { span, message, nearest: None }
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for TemplateError {}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Template").field(&self.text).finish()
    }
}

/// The text is all there is to a template: the rest is computed from it.
impl PartialEq for Template {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Template {}

#[cfg(test)]
mod tests;
