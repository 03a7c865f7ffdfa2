//! Sets of nodes on the command line. The files that they name are read here: the server reads none that a client names.

use super::client::{self, Client};
use super::{Exit, complain, exit_of, print};
use clap::Args;
use heorot_core::service::view::NodeSetView;
use heorot_names::with_files;
use std::io::Read;
use std::path::PathBuf;

/// Octets of a file of nodes: more than a node set may have.
const FILE_OCTETS_MAX: u64 = 1 << 20;

#[derive(Debug, Args)]
pub(super) struct NodeSetCommand {
    /// A node set: node[0-9,12], @rack1, @state:up, all, node1*, /[05]$/, hardware addresses, ^FILE, - (standard input), and between them , ! & ^
    #[arg(required_unless_present = "list")]
    nodeset: Option<String>,
    /// Without the nodes of this set
    #[arg(short = 'x', long, value_name = "NODESET")]
    exclude: Option<String>,
    /// Each name, instead of the shortest text
    #[arg(short, long)]
    expand: bool,
    /// How many there are
    #[arg(short, long, conflicts_with = "expand")]
    count: bool,
    /// The names of the groups of [groups], one in a line
    #[arg(short, long, conflicts_with_all = ["nodeset", "exclude", "expand", "count"])]
    list: bool,
    /// What stands between names
    #[arg(short = 'S', long, value_name = "TEXT", default_value = " ", requires = "expand")]
    separator: String,
    /// Path of the server's control socket
    #[arg(long, value_name = "PATH", env = "HEOROT_CONTROL", default_value = "/run/heorot/control.sock")]
    control: PathBuf,
}

pub(super) fn run(wanted: &NodeSetCommand) -> Exit {
    if wanted.list {
        return groups(&Client { socket: &wanted.control });
    }
    let set = [("set", wanted.nodeset.clone()), ("without", wanted.exclude.clone())];
    let path = match path("/v1/nodeset", &set) {
        Ok(path) => path,
        Err(problem) => return complain(&problem, Exit::Usage),
    };
    let answer = match (Client { socket: &wanted.control }).get(&path) {
        Ok(answer) => answer,
        Err(failure) => return complain(&failure, exit_of(&failure)),
    };
    let NodeSetView { folded, size, names, without_number } = match serde_json::from_str(&answer) {
        Ok(view) => view,
        Err(error) => {
            return complain(&format!("the server's answer is not understood: {error}"), Exit::Failed);
        }
    };
    let text = match (wanted.expand, wanted.count) {
        (true, _) => names.join(&wanted.separator.replace("\\n", "\n")),
        (_, true) => size.to_string(),
        (false, false) => folded,
    };
    print(&(text + "\n"));
    if without_number > 0 {
        let who =
            if without_number == 1 { "1 machine is" } else { &format!("{without_number} machines are") };
        let those = "heorot node list shows them, with the same set";
        complain(&format!("{who} left out, without a number and so without a name: {those}"), Exit::Ok);
    }
    Exit::Ok
}

fn groups(client: &Client<'_>) -> Exit {
    let names = client.get("/v1/groups").map(|answer| serde_json::from_str::<Vec<String>>(&answer));
    match names {
        Ok(Ok(names)) => {
            print(&names.iter().map(|name| format!("{name}\n")).collect::<String>());
            Exit::Ok
        }
        Ok(Err(error)) => complain(&format!("the server's answer is not understood: {error}"), Exit::Failed),
        Err(failure) => complain(&failure, exit_of(&failure)),
    }
}

/// A resource and its questions, with the nodes of files in the place of their names.
pub(super) fn path(resource: &str, sets: &[(&str, Option<String>)]) -> Result<String, String> {
    let mut path = resource.to_owned();
    for (key, set) in sets.iter().filter_map(|(key, set)| Some((key, set.as_ref()?))) {
        let set = with_files(set, read).map_err(|error| error.to_string())?;
        path += if path.contains('?') { "&" } else { "?" };
        path += &format!("{key}={}", client::encoded(&set));
    }
    Ok(path)
}

pub(super) fn read(path: &str) -> Result<String, String> {
    let mut text = String::new();
    let octets = match path {
        "-" => std::io::stdin().take(FILE_OCTETS_MAX).read_to_string(&mut text),
        path => {
            std::fs::File::open(path).and_then(|file| file.take(FILE_OCTETS_MAX).read_to_string(&mut text))
        }
    };
    match octets {
        Ok(octets) if octets as u64 == FILE_OCTETS_MAX => Err("it is too long for a list of nodes".into()),
        Ok(_) => Ok(text),
        Err(error) => Err(error.to_string()),
    }
}
