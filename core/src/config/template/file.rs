//! The template of a file that is made for a loader: many lines, with everything that the loader has to know.

use super::{TemplateError, Values, compile, named_attributes, word_span};
use crate::config::Mistake;
use crate::limit::{FILE_TEMPLATE_OCTETS_MAX, FILE_TEMPLATE_STEPS_MAX, MADE_FILE_OCTETS_MAX};
use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, context};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// A file that is made for each node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LoaderFile {
    /// `pxelinux.cfg/*`
    Pxelinux,
    /// `grub.cfg`, `grub.cfg-*`
    Grub,
    /// `boot.ipxe`
    Ipxe,
}

impl LoaderFile {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Pxelinux, Self::Grub, Self::Ipxe];

    /// How it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pxelinux => "pxelinux.cfg",
            Self::Grub => "grub.cfg",
            Self::Ipxe => "boot.ipxe",
        }
    }

    /// How its template is called in `boot.templates`.
    pub fn template_name(self) -> String {
        format!("{}.j2", self.name())
    }

    /// What it is made from, unless the operator has another template.
    pub fn usual_text(self) -> &'static str {
        match self {
            Self::Pxelinux => include_str!("../../../templates/pxelinux.cfg.j2"),
            Self::Grub => include_str!("../../../templates/grub.cfg.j2"),
            Self::Ipxe => include_str!("../../../templates/boot.ipxe.j2"),
        }
    }
}

/// The directory of the operator's own templates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Templates {
    /// Where it is.
    pub directory: String,
    /// Where it is named: what is wrong with it is found when it is read.
    pub(in crate::config) span: Range<usize>,
}

impl Templates {
    /// A mistake at the setting, in the text of the configuration.
    pub fn wrong(&self, text: &str, message: String, remedy: String) -> Mistake {
        Mistake::at(text, self.span.clone(), message, remedy)
    }
}

/// A template of a file that can be made for every machine, numbered or not. The language is Jinja's; a line that holds nothing but `{% … %}` leaves nothing behind.
#[derive(Clone)]
pub struct FileTemplate {
    text: Arc<str>,
    environment: Arc<Environment<'static>>,
    attributes: Arc<[String]>,
}

/// What the template of a file may speak of. Names of files are written as the loader needs them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileValues {
    /// `node`, `cluster` and `server`.
    pub values: Values,
    /// `boot.profile`: the name of its profile.
    pub profile: String,
    /// `boot.architecture`: what its firmware is, in the words of `[boot]`; empty if it did not say.
    pub architecture: String,
    /// `boot.kernel`
    pub kernel: String,
    /// `boot.initrd`: a list.
    pub initrd: Vec<String>,
    /// `boot.cmdline`: the whole kernel command line.
    pub cmdline: String,
    /// `boot.http`: where boot files are to be had by HTTP, without a final slash.
    pub http: String,
}

/// Everything that the template of a file may name, beside `node.attributes.NAME`.
pub const FILE_VARIABLES: [&str; 12] = [
    "node.name",
    "node.number",
    "node.mac",
    "node.address",
    "cluster.name",
    "server.address",
    "boot.profile",
    "boot.architecture",
    "boot.kernel",
    "boot.initrd",
    "boot.cmdline",
    "boot.http",
];

impl FileTemplate {
    /// The template that is there without any of the operator's.
    pub fn usual(file: LoaderFile) -> Self {
        Self::parse(file.usual_text()).expect("the templates that come along are right, as the tests see")
    }

    /// Reads a template. What this accepts makes a file for a machine with a number and for one without.
    ///
    /// # Errors
    /// A control character, a mistake in the template's syntax, a variable that there is not, or a result longer than
    /// [`MADE_FILE_OCTETS_MAX`].
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        if text.len() > FILE_TEMPLATE_OCTETS_MAX {
            return Err(TemplateError::of(text, format!("longer than {FILE_TEMPLATE_OCTETS_MAX} octets")));
        }
        if let Some((at, wrong)) = text.char_indices().find(|(_, c)| breaks(*c)) {
            let message = format!("{wrong:?} would break the generated file");
            return Err(TemplateError { span: at..at + wrong.len_utf8(), message, nearest: None });
        }
        let syntax = SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .keep_trailing_newline(true)
            .build()
            .map_err(|error| TemplateError::from_engine(text, &error))?;
        let environment = compile(text, FILE_TEMPLATE_STEPS_MAX, syntax)?;
        let attributes = named_attributes(&environment, text, &FILE_VARIABLES)?.into();
        let template = Self { text: text.into(), environment: Arc::new(environment), attributes };
        for (values, disks) in [(Values::of_numbered(), 2), (Values::of_trial(), 1), (Values::of_trial(), 0)]
        {
            template.run(&FileValues::sample(values, disks))?;
        }
        Ok(template)
    }

    /// The file for a machine.
    ///
    /// # Errors
    /// What went wrong: the result is too long, or a value that is not usual made the template fail.
    pub fn render(&self, values: &FileValues) -> Result<String, String> {
        self.run(values).map_err(|error| error.message)
    }

    /// The attributes that it names, each with its place in the text.
    pub fn attributes(&self) -> impl Iterator<Item = (&str, Range<usize>)> {
        let place = |name: &String| word_span(&self.text, &format!("{}.{name}", super::ATTRIBUTES));
        self.attributes.iter().map(move |name| (name.as_str(), place(name)))
    }

    /// The text it was read from.
    pub fn text(&self) -> &str {
        &self.text
    }

    fn run(&self, given: &FileValues) -> Result<String, TemplateError> {
        let FileValues { values, profile, architecture, kernel, initrd, cmdline, http } = given;
        let (node, cluster, server) = values.context(&self.attributes);
        let boot = context! { profile, architecture, kernel, initrd, cmdline, http };
        let rendered = self
            .environment
            .get_template(super::NAME)
            .and_then(|template| template.render(context! { node, cluster, server, boot }))
            .map_err(|error| TemplateError::from_engine(&self.text, &error))?;
        if rendered.len() > MADE_FILE_OCTETS_MAX {
            let message = format!("the result is longer than {MADE_FILE_OCTETS_MAX} octets");
            return Err(TemplateError::of(&self.text, message));
        }
        if let Some(wrong) = rendered.chars().find(|c| breaks(*c)) {
            let message = format!("the result has {wrong:?} in it, which would break the generated file");
            return Err(TemplateError::of(&self.text, message));
        }
        Ok(rendered)
    }
}

/// Loaders read lines of text.
fn breaks(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\t')
}

impl FileValues {
    fn sample(values: Values, disks: usize) -> Self {
        let initrd = (0..disks).map(|number| format!("initrd{number}.img")).collect();
        let (profile, cmdline) = ("default".into(), "quiet heorot=http://127.0.0.1/node/0".into());
        let http = "http://127.0.0.1".into();
        Self { values, profile, architecture: String::new(), kernel: "vmlinuz".into(), initrd, cmdline, http }
    }
}

impl fmt::Debug for FileTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FileTemplate").field(&self.text).finish()
    }
}

/// The text is all there is to a template: the rest is computed from it.
impl PartialEq for FileTemplate {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for FileTemplate {}

#[cfg(test)]
mod tests;
