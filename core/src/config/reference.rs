//! The reference page and the sample file, made from the records of the options.

use super::option::{KNOWN, KnownOption};
use super::setting::{Fallback, Form, Section, Setting, Status};
use super::table::SECTIONS;
use std::fmt::Write as _;

/// The reference page, in Markdown: every section with every option.
pub fn reference() -> String {
    let mut page = REFERENCE_HEAD.to_owned();
    for section in SECTIONS {
        // Writing into a string cannot fail.
        let _ = write!(page, "\n## `{}`\n\n{}\n", section.heading(), section.doc);
        for setting in section.settings {
            page.push_str(&entry(setting));
        }
        if section.path == "options" {
            page.push_str(&known_options());
        }
    }
    page
}

/// A file to begin with: what has to be there, and everything else with its default, behind `#`.
pub fn sample() -> String {
    let mut file = SAMPLE_HEAD.to_owned();
    for section in SECTIONS {
        file.push_str(&sample_section(section));
    }
    file
}

const REFERENCE_HEAD: &str = "\
<!-- Generated from the records in core/src/config/table.rs: `make docs` writes it anew. -->
# Configuration

heorot reads one file, in [TOML](https://toml.io). `heorot check FILE` says everything that is wrong with it, with line and column,
and refuses it too if secrets would be served (`server.state` in `boot.directory`), or something else be written over (a file in the place of the control socket or of `names.file`), as far as who asks may look there;
`heorot serve` refuses what `check` refuses, and what `check` only warns of where this host lacks something (a directory, all interfaces; not a file that nodes load). A running server that is told
to read a refused file (SIGHUP) goes on with what it has.
An unknown key is a mistake. So is one that does not work yet.

[sample.toml](sample.toml) is a file to begin with: of each `[[network]]`, `interface`, `numbers`, `first` and `temporary` have to be
there, and nothing else.
";

const SAMPLE_HEAD: &str = "\
# A configuration of heorot to begin with. What has to be there is there; everything else stands behind a # with what holds without it
# or, where nothing does, with an example. docs/configuration.md says more.
";

/// The DHCP options that have names.
fn known_options() -> String {
    let mut table =
        "\nThese have a name and a type:\n\n| number | names | value |\n| --- | --- | --- |\n".to_owned();
    for KnownOption { code, names, form } in KNOWN {
        let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
        // Writing into a string cannot fail.
        let _ = writeln!(table, "| {code} | {} | {form} |", names.join(", "));
    }
    table
}

/// An option on the reference page.
fn entry(setting: &Setting) -> String {
    let Setting { key, kind, example, doc, .. } = setting;
    let without = match setting.fallback {
        Fallback::Required => "Has to be there.".to_owned(),
        Fallback::RequiredBut(what) => format!("Has to be there, {what}."),
        Fallback::Value(value) => format!("Default: `{value}`"),
        Fallback::Otherwise(what) => format!("Default: {what}"),
    };
    let status = match setting.status {
        Status::Works => "",
        Status::Planned => "- Not supported yet.\n",
    };
    format!(
        "\n### `{key}`\n\n{doc}\n\n{status}- Value: {kind}\n- {without}\n- Example: `{key} = {example}`\n"
    )
}

/// A section of the sample file, without what does not work yet; nothing, if nothing does.
fn sample_section(section: &Section) -> String {
    let is_for_default = |key| section.path != "profile" || !NOT_OF_DEFAULT.contains(&key);
    let works = |setting: &&Setting| setting.status == Status::Works && is_for_default(setting.key);
    if !section.settings.iter().any(|setting| works(&setting)) {
        return String::new();
    }
    // A check or a listed node is for those who want one: a comment as a whole. A network is everybody's need.
    let live = section.form != Form::List || section.path == "network";
    let heading = match section.form {
        Form::Named => format!("[{}.default]", section.path),
        Form::Table | Form::List | Form::Open => section.heading(),
    };
    let mut text = format!("\n{}{}{heading}\n", comment(section.doc), if live { "" } else { "#" });
    for setting in section.settings.iter().filter(works) {
        let value = match setting.fallback {
            Fallback::Value(default) => default,
            Fallback::Required | Fallback::RequiredBut(_) | Fallback::Otherwise(_) => setting.example,
        };
        let is_required = matches!(setting.fallback, Fallback::Required | Fallback::RequiredBut(_));
        let mark = if live && is_required { "" } else { "#" };
        // Writing into a string cannot fail.
        let _ = writeln!(text, "{}{mark}{} = {value}", comment(setting.doc), setting.key);
    }
    text
}

/// What the profile of the sample cannot say: all others inherit from it, and it is for all that no other is for.
const NOT_OF_DEFAULT: [&str; 3] = ["inherits", "nodes", "architecture"];

/// Text as comment lines of the file.
fn comment(text: &str) -> String {
    const WIDTH: usize = 110;
    let mut lines = String::new();
    let mut line = String::from("#");
    for word in text.split(' ') {
        if line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push_str(&line);
            lines.push('\n');
            line = String::from("#");
        }
        line.push(' ');
        line.push_str(word);
    }
    lines + &line + "\n"
}
