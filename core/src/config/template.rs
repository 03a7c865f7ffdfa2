//! The template of a kernel command line: `console=ttyS0 node={{node.name}}`.

use crate::limit::{COMMAND_LINE_OCTETS_MAX, TEMPLATE_STEPS_MAX};
use minijinja::{Environment, UndefinedBehavior, Value, context};
use std::collections::BTreeSet;
use std::fmt;
use std::net::Ipv4Addr;
use std::ops::Range;
use std::sync::Arc;

/// A template that can be rendered for every machine, numbered or not. The language is Jinja's.
#[derive(Clone)]
pub struct Template {
    text: String,
    environment: Arc<Environment<'static>>,
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

/// Everything that a template may name.
pub const VARIABLES: [&str; 6] =
    ["node.name", "node.number", "node.mac", "node.address", "cluster.name", "server.address"];

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
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(TEMPLATE_STEPS_MAX));
        environment.set_debug(true); // so that errors have a place
        environment
            .add_template_owned(NAME, text.to_owned())
            .map_err(|error| TemplateError::from_engine(text, &error))?;
        let template = Self { text: text.to_owned(), environment: Arc::new(environment) };
        template.check_variables()?;
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

    fn run(&self, values: &Values) -> Result<String, TemplateError> {
        let number = values.node_number.map_or_else(|| Value::from(""), Value::from);
        let name = values.node_name.as_deref().unwrap_or_default();
        let (mac, address) = (values.node_mac.as_str(), values.node_address.to_string());
        let node = context! { name, number, mac, address };
        let cluster = context! { name => values.cluster_name.as_str() };
        let server = context! { address => values.server_address.to_string() };
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

    fn check_variables(&self) -> Result<(), TemplateError> {
        let template = self
            .environment
            .get_template(NAME)
            .map_err(|error| TemplateError::from_engine(&self.text, &error))?;
        // Ordered: the same text has the same mistake every time.
        let named: BTreeSet<String> = template.undeclared_variables(true).into_iter().collect();
        let functions: BTreeSet<&str> = self.environment.globals().map(|(name, _)| name).collect();
        let unknown = named
            .iter()
            .filter(|name| !VARIABLES.contains(&name.as_str()) && !functions.contains(name.as_str()))
            .map(|name| (word_span(&self.text, name), name))
            .min_by_key(|(span, _)| span.start);
        let Some((span, name)) = unknown else { return Ok(()) };
        let nearest = super::setting::nearest(name, VARIABLES);
        let message = match nearest {
            Some(_) => format!("there is no {name} in a template"),
            None => format!("there is no {name} in a template: there are {}", VARIABLES.join(", ")),
        };
        Err(TemplateError { span, message, nearest })
    }
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
    fn of_numbered() -> Self {
        Self { node_name: Some("node0".into()), node_number: Some(0), ..Self::of_trial() }
    }

    fn of_trial() -> Self {
        Self {
            node_name: None,
            node_number: None,
            node_mac: "52:54:00:00:00:17".into(),
            node_address: Ipv4Addr::LOCALHOST,
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

    fn from_engine(text: &str, error: &minijinja::Error) -> Self {
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
