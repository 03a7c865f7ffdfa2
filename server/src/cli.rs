//! The command line: what there is to say to `heorot`, and the exit codes.
//!
//! - [`change`]: what operators change, asked for before it is done;
//! - [`client`]: HTTP to the control socket;
//! - [`doctor`]: what this host lacks for a configuration;
//! - [`export`]: the table of nodes for other tools;
//! - [`initrd`]: initial RAM disks for nodes;
//! - [`nodeset`]: sets of nodes, with the files that they name;
//! - [`overlay`]: the small files of nodes;
//! - [`rehearse`]: the simulator on the operator's configuration;
//! - [`show`]: answers as tables and sentences;
//! - [`storm`]: simulated machines with real packets.

mod change;
mod client;
mod doctor;
mod export;
mod initrd;
mod nodeset;
mod overlay;
mod rehearse;
mod show;
mod storm;

use crate::configuration;
use crate::serve;
use clap::{Args, Parser, Subcommand, ValueEnum};
use client::{Client, Failure};
use heorot_core::config::{Config, LoaderFile};
use heorot_core::service::view::{ExplainView, NodeDetailView, NodeView, StatusView};
use serde::de::DeserializeOwned;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// Boots, addresses and names a diskless cluster.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// What is read where no file is named.
const USUAL_CONFIGURATION: &str = "/etc/heorot/heorot.toml";

const EXIT_CODES: &str = "Exit codes: 0 ok, 1 some node failed, `doctor` found a fault or a change was answered \"no\", 2 usage or configuration, 3 server unreachable, 4 no such node, 5 timeout";

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve, in the foreground; events go to stderr
    Serve {
        /// The configuration
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// Path of the control socket, instead of `server.control`
        #[arg(long, value_name = "PATH")]
        control: Option<PathBuf>,
    },
    /// Check a configuration: every mistake with its line and what to do
    Check {
        /// The configuration [default: /etc/heorot/heorot.toml]
        file: Option<PathBuf>,
        /// The same, as other commands take it
        #[arg(long, value_name = "FILE", conflicts_with = "file")]
        config: Option<PathBuf>,
    },
    /// Whether this host has what a configuration needs: interfaces, ports, loaders, kernels; with what to do
    Doctor(doctor::DoctorCommand),
    /// How the server and the cluster are
    Status(Asking),
    /// List, show and change nodes
    Node {
        #[command(subcommand)]
        verb: NodeVerb,
    },
    /// Why a node is where it is, what it last asked and was told, what it waits for, what to do
    Explain {
        /// A number, name, hardware address or address
        node: String,
        #[command(flatten)]
        asking: Asking,
    },
    /// The nodes of a set, folded, one by one or counted: for scripts, and for ClusterShell's groups
    Nodeset(nodeset::NodeSetCommand),
    /// The template that a generated file is made from, to be changed in `boot.templates`
    Template {
        /// Which file: pxelinux.cfg, grub.cfg or boot.ipxe
        file: Made,
    },
    /// The small files that nodes get when they boot
    Overlay {
        #[command(subcommand)]
        verb: overlay::OverlayVerb,
    },
    /// The table of nodes as another tool reads it
    Export(export::ExportCommand),
    /// An initial RAM disk for nodes: the agent, and a kernel's drivers of network cards and file systems
    Initrd(initrd::InitrdCommand),
    /// A power restore with this configuration, simulated: how long it takes, who is lost and why; needs no privilege
    Rehearse(Box<rehearse::Rehearse>),
    /// A thousand machines at once, with real packets, at this server or any other; in a network namespace
    Storm(Box<storm::Storm>),
}

#[derive(Debug, Subcommand)]
enum NodeVerb {
    /// All nodes, or those of a set
    List {
        /// A node set as node[0-9,12], @rack1, @state:failed or ^FILE, or a number, name, hardware address or address
        nodeset: Option<String>,
        /// Without the nodes of this set
        #[arg(short = 'x', long, value_name = "NODESET")]
        exclude: Option<String>,
        #[command(flatten)]
        asking: Asking,
    },
    /// All that is known of a node
    Show {
        /// A number, name, hardware address or address
        node: String,
        #[command(flatten)]
        asking: Asking,
    },
    #[command(flatten)]
    Change(change::ChangeVerb),
}

/// The files that are made for loaders.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Made {
    #[value(name = "pxelinux.cfg")]
    Pxelinux,
    #[value(name = "grub.cfg")]
    Grub,
    #[value(name = "boot.ipxe")]
    Ipxe,
}

/// How a query is asked and shown.
#[derive(Debug, Args)]
struct Asking {
    /// Form of the answer
    #[arg(short, long, value_enum, default_value_t = Form::Table)]
    output: Form,
    /// Path of the server's control socket
    #[arg(long, value_name = "PATH", env = "HEOROT_CONTROL", default_value = "/run/heorot/control.sock")]
    control: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// For people
    Table,
    /// For programs: fields are added, never renamed
    Json,
}

/// How the command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    Ok = 0,
    Failed = 1,
    Usage = 2,
    Unreachable = 3,
    NoSuchNode = 4,
    Timeout = 5,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Does what the command line says.
pub(crate) fn run(cli: Cli) -> ExitCode {
    match cli.command {
        Command::Serve { config, control } => match serve::serve(&config, control) {
            Ok(()) => Exit::Ok,
            Err(problem) => complain(&problem, Exit::Usage),
        },
        Command::Check { file, config } => {
            check(&file.or(config).unwrap_or_else(|| USUAL_CONFIGURATION.into()))
        }
        Command::Doctor(wanted) => doctor::run(&wanted),
        Command::Status(asking) => query::<StatusView>(&asking, "/v1/status", show::status),
        Command::Node { verb: NodeVerb::List { nodeset, exclude, asking } } => {
            match nodeset::path("/v1/nodes", &[("set", nodeset), ("without", exclude)]) {
                Ok(path) => query::<Vec<NodeView>>(&asking, &path, |nodes| show::nodes(nodes)),
                Err(problem) => complain(&problem, Exit::Usage),
            }
        }
        Command::Node { verb: NodeVerb::Change(verb) } => change::run(verb),
        Command::Template { file } => {
            let file = match file {
                Made::Pxelinux => LoaderFile::Pxelinux,
                Made::Grub => LoaderFile::Grub,
                Made::Ipxe => LoaderFile::Ipxe,
            };
            print(file.usual_text());
            Exit::Ok
        }
        Command::Nodeset(wanted) => nodeset::run(&wanted),
        Command::Overlay { verb } => overlay::run(&verb),
        Command::Export(wanted) => export::run(&wanted),
        Command::Initrd(wanted) => initrd::run(wanted),
        Command::Node { verb: NodeVerb::Show { node, asking } } => {
            query::<NodeDetailView>(&asking, &format!("/v1/nodes/{}", client::encoded(&node)), show::node)
        }
        Command::Explain { node, asking } => query::<ExplainView>(
            &asking,
            &format!("/v1/nodes/{}/explain", client::encoded(&node)),
            show::explanation,
        ),
        Command::Rehearse(wanted) => rehearse::run(*wanted),
        Command::Storm(wanted) => storm::run(*wanted),
    }
    .into()
}

fn check(file: &std::path::Path) -> Exit {
    match configuration::read(file) {
        Ok(read) => {
            let mistakes = configuration::mistakes_here(&read.config);
            // What this host lacks says nothing about the file: it may be meant for another one.
            let warnings = configuration::warnings_here(&read.config).into_iter().map(|(_, warning)| warning);
            let files = lacking_files(&read.config);
            let lacking = configuration::lacking_here(&read.config);
            let hosts = crate::dns::mistakes(&read.config.forward.hosts);
            for problem in lacking.into_iter().chain(warnings).chain(files).chain(hosts) {
                print_error(&format!("warning: {problem}"));
            }
            for warning in &read.warnings {
                print_error(warning.trim_end());
            }
            if !mistakes.is_empty() {
                print_error(&mistakes.join("\n"));
                return Exit::Usage;
            }
            print(&format!("{}: ok\n", file.display()));
            Exit::Ok
        }
        Err(mistakes) => {
            print_error(mistakes.trim_end());
            Exit::Usage
        }
    }
}

/// Files without which nodes do not boot.
fn lacking_files(config: &Config) -> impl Iterator<Item = String> {
    let lacking = crate::doctor::lacking_files(config);
    lacking.into_iter().map(|finding| format!("{}: {}", finding.subject, finding.said))
}

fn query<T: DeserializeOwned>(asking: &Asking, path: &str, show: impl Fn(&T) -> String) -> Exit {
    let answer = match (Client { socket: &asking.control }).get(path) {
        Ok(answer) => answer,
        Err(failure) => return complain(&failure, exit_of(&failure)),
    };
    if asking.output == Form::Json {
        print(&(answer + "\n"));
        return Exit::Ok;
    }
    match serde_json::from_str(&answer) {
        Ok(view) => {
            print(&show(&view));
            Exit::Ok
        }
        Err(error) => complain(
            &format!(
                "the server's answer is not understood: {error}\n  the server may be another version than this command: heorot status -o json"
            ),
            Exit::Failed,
        ),
    }
}

fn exit_of(failure: &Failure) -> Exit {
    match failure {
        Failure::Unreachable(_) | Failure::Lost(_) => Exit::Unreachable,
        Failure::Late(_) => Exit::Timeout,
        Failure::Answered { status: 404, .. } => Exit::NoSuchNode,
        Failure::Answered { status: 400..=499, .. } => Exit::Usage,
        Failure::Answered { status: 504, .. } => Exit::Timeout,
        Failure::Answered { status: 503, .. } => Exit::Unreachable,
        Failure::Answered { .. } => Exit::Failed,
    }
}

fn complain(what: &dyn std::fmt::Display, exit: Exit) -> Exit {
    print_error(&format!("heorot: {what}"));
    exit
}

/// Prints the result. Whoever closes the pipe early has seen enough.
fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn print_error(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_configuration_to_check_is_named_in_either_way_or_the_usual_one() {
        for (arguments, expected) in [
            (&["heorot", "check"][..], Some((None, None))),
            (&["heorot", "check", "a.toml"], Some((Some("a.toml"), None))),
            (&["heorot", "check", "--config", "a.toml"], Some((None, Some("a.toml")))),
            (&["heorot", "check", "b.toml", "--config", "a.toml"], None),
        ] {
            let said = Cli::try_parse_from(arguments).ok().map(|cli| {
                let Command::Check { file, config } = cli.command else { panic!("{:?}", cli.command) };
                (file, config)
            });
            let expected = expected.map(|(file, config): (Option<&str>, Option<&str>)| {
                (file.map(PathBuf::from), config.map(PathBuf::from))
            });
            assert_eq!(said, expected, "{arguments:?}");
        }
    }

    #[test]
    fn every_answer_has_its_exit_code() {
        let answered = |status| Failure::Answered { status, error: String::new() };
        for (failure, expected) in [
            (Failure::Unreachable(String::new()), 3),
            (Failure::Late(String::new()), 5),
            (answered(404), 4),
            (answered(400), 2),
            (answered(500), 1),
            (answered(503), 3),
            (answered(504), 5),
        ] {
            assert_eq!(exit_of(&failure) as u8, expected, "{failure:?}");
        }
    }
}
