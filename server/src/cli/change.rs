//! What operators change about nodes: the difference is shown, asked for, and then made.

use super::client::{Client, Failure};
use super::{Exit, Form, complain, exit_of, print};
use clap::{Args, Subcommand};
use heorot_core::service::view::{ChangeRequest, ChangeView, FieldChangeView};
use heorot_names::with_files;
use std::collections::BTreeMap;
use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(super) enum ChangeVerb {
    /// Let nodes serve: who is denied, held or retired no longer is, and who waits for a number gets one
    Accept {
        #[command(flatten)]
        which: Which,
    },
    /// Give nodes no answer
    Deny {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        why: Why,
    },
    /// Keep nodes from booting on: they wait in their loader until they are accepted
    Hold {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        why: Why,
    },
    /// Take nodes out of service: they get no answer, and their numbers are not given again
    Retire {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        why: Why,
    },
    /// Give a machine a number, as that of a board it replaces; or free the numbers of retired nodes
    Number {
        /// A number, name, hardware address or address; with --free, a node set
        #[arg(value_name = "NODE")]
        nodeset: String,
        /// The number
        #[arg(required_unless_present = "free", conflicts_with = "free")]
        number: Option<u32>,
        /// Let the numbers of these retired nodes be given again
        #[arg(long)]
        free: bool,
        #[command(flatten)]
        how: How,
    },
    /// Forget machines that are gone: what has no number and is in no list
    Forget {
        #[command(flatten)]
        which: Which,
    },
    /// Set what nodes boot, and their attributes
    Set {
        /// A node set as node[0-9,12], @rack1, @state:failed or ^FILE, or a number, name, hardware address or address
        nodeset: String,
        /// profile=NAME or attributes.NAME=VALUE; an empty value leaves it to the configuration
        #[arg(value_name = "KEY=VALUE", required = true)]
        settings: Vec<String>,
        /// Without the nodes of this set
        #[arg(short = 'x', long, value_name = "NODESET")]
        exclude: Option<String>,
        #[command(flatten)]
        how: How,
    },
}

/// Which nodes, and how.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// A node set as node[0-9,12], @rack1, @state:failed or ^FILE, or a number, name, hardware address or address
    nodeset: String,
    /// Without the nodes of this set
    #[arg(short = 'x', long, value_name = "NODESET")]
    exclude: Option<String>,
    #[command(flatten)]
    how: How,
}

#[derive(Debug, Args)]
pub(super) struct Why {
    /// Why, in a line: it stands in `explain`
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct How {
    /// Only show what would change
    #[arg(long)]
    dry_run: bool,
    /// Do not ask before it is done
    #[arg(short, long)]
    yes: bool,
    /// Form of the answer
    #[arg(short, long, value_enum, default_value_t = Form::Table)]
    output: Form,
    /// Path of the server's control socket
    #[arg(long, value_name = "PATH", env = "HEOROT_CONTROL", default_value = "/run/heorot/control.sock")]
    control: PathBuf,
}

pub(super) fn run(verb: ChangeVerb) -> Exit {
    let (name, request, how) = match wanted(verb) {
        Ok(wanted) => wanted,
        Err(problem) => return complain(&problem, Exit::Usage),
    };
    let client = Client { socket: &how.control };
    let post = |dry_run| {
        let request = ChangeRequest { dry_run, ..request.clone() };
        let body = serde_json::to_string(&request).expect("a request is JSON");
        client.post(&format!("/v1/nodes/{name}"), &body)
    };
    if how.dry_run {
        return show(post(true), &how, true);
    }
    if !how.yes {
        if !std::io::stdin().is_terminal() {
            let problem =
                "nobody is there to be asked: -y does it without, --dry-run shows what would be done";
            return complain(&problem, Exit::Usage);
        }
        match post(true).and_then(|answer| read(&answer)) {
            Err(failure) => return complain(&failure, exit_of(&failure)),
            Ok(view) if view.changes.is_empty() => return told(&view, &how),
            Ok(view) => {
                print(&difference(&view));
                if !is_confirmed() {
                    return complain(&"nothing was changed", Exit::Failed);
                }
            }
        }
    }
    // Who was asked has seen the difference.
    show(post(false), &how, how.yes)
}

/// What is to be posted, and where.
fn wanted(verb: ChangeVerb) -> Result<(&'static str, ChangeRequest, How), String> {
    let of = |Which { nodeset, exclude, how }: Which, reason| {
        let request = ChangeRequest { set: nodeset, without: exclude, reason, ..ChangeRequest::default() };
        (request, how)
    };
    let (name, (mut request, how)) = match verb {
        ChangeVerb::Accept { which } => ("accept", of(which, None)),
        ChangeVerb::Deny { which, why } => ("deny", of(which, why.reason)),
        ChangeVerb::Hold { which, why } => ("hold", of(which, why.reason)),
        ChangeVerb::Retire { which, why } => ("retire", of(which, why.reason)),
        ChangeVerb::Forget { which } => ("forget", of(which, None)),
        ChangeVerb::Number { nodeset, number, free, how } => {
            let request = ChangeRequest { set: nodeset, number, ..ChangeRequest::default() };
            (if free { "free" } else { "number" }, (request, how))
        }
        ChangeVerb::Set { nodeset, settings, exclude, how } => {
            let (profile, attributes) = parse(&settings)?;
            let set = ChangeRequest {
                set: nodeset,
                without: exclude,
                profile,
                attributes,
                ..ChangeRequest::default()
            };
            ("set", (set, how))
        }
    };
    // The server reads no files that a client names.
    let with_nodes = |set: &str| with_files(set, super::nodeset::read).map_err(|error| error.to_string());
    request.set = with_nodes(&request.set)?;
    request.without = request.without.as_deref().map(with_nodes).transpose()?;
    Ok((name, request, how))
}

/// `profile=NAME` and `attributes.NAME=VALUE`.
fn parse(settings: &[String]) -> Result<(Option<String>, BTreeMap<String, String>), String> {
    let mut profile = None;
    let mut attributes = BTreeMap::new();
    for setting in settings {
        let (key, value) =
            setting.split_once('=').ok_or_else(|| format!("{setting}: it is written KEY=VALUE"))?;
        let twice = match (key, key.strip_prefix("attributes.")) {
            ("profile", _) => profile.replace(value.to_owned()).is_some(),
            (_, Some(name)) => attributes.insert(name.to_owned(), value.to_owned()).is_some(),
            (_, None) => {
                return Err(format!("{setting}: there is profile=NAME and attributes.NAME=VALUE to be set"));
            }
        };
        if twice {
            return Err(format!("{key} is set twice"));
        }
    }
    Ok((profile, attributes))
}

fn is_confirmed() -> bool {
    let mut said = String::new();
    print("Change this? [y/N] ");
    let _ = std::io::stdout().flush();
    let _ = std::io::stdin().lock().read_line(&mut said);
    matches!(said.trim(), "y" | "Y" | "yes")
}

fn read(answer: &str) -> Result<ChangeView, Failure> {
    serde_json::from_str(answer).map_err(|error| Failure::Answered {
        status: 500,
        error: format!("the server's answer is not understood: {error}"),
    })
}

fn show(answer: Result<String, Failure>, how: &How, with_difference: bool) -> Exit {
    let (answer, view) = match answer.and_then(|answer| Ok((read(&answer)?, answer))) {
        Ok((view, answer)) => (answer, view),
        Err(failure) => return complain(&failure, exit_of(&failure)),
    };
    if how.output == Form::Json {
        print(&(answer + "\n"));
        return if view.refused.is_empty() { Exit::Ok } else { Exit::Failed };
    }
    if with_difference {
        print(&difference(&view));
    }
    told(&view, how)
}

/// What was not changed, and why.
fn told(view: &ChangeView, how: &How) -> Exit {
    if !view.unchanged.is_empty() && how.output == Form::Table {
        print(&format!("{}: nothing changes\n", view.unchanged));
    }
    for refusal in &view.refused {
        complain(&format!("{}: {}", refusal.nodes, refusal.why), Exit::Failed);
    }
    if view.refused.is_empty() { Exit::Ok } else { Exit::Failed }
}

/// As `diff` shows it, under the nodes for which it is so.
fn difference(view: &ChangeView) -> String {
    let mut by_nodes: BTreeMap<&str, Vec<&FieldChangeView>> = BTreeMap::new();
    for change in &view.changes {
        by_nodes.entry(&change.nodes).or_default().push(change);
    }
    let mut text = String::new();
    for (nodes, changes) in by_nodes {
        text += &format!("{nodes}\n");
        for FieldChangeView { field, before, after, .. } in changes {
            let line = |sign, value: &Option<String>| {
                value.as_ref().map(|value| format!("{sign} {field}: {value}\n")).unwrap_or_default()
            };
            text += &line('-', before);
            text += &line('+', after);
        }
    }
    text
}

#[cfg(test)]
mod tests;
