//! `heorot overlay`: the small files that a node would get if it booted now.

use super::client::{Client, encoded};
use super::{Asking, Exit, complain, exit_of, print, query, show};
use clap::Subcommand;
use heorot_core::service::view::NodeFileView;

#[derive(Debug, Subcommand)]
pub(super) enum OverlayVerb {
    /// What a node would get if it booted now; with a file, what would be in it
    Show {
        /// A number, name, hardware address or address
        node: String,
        /// A file, as the node sees it: /etc/hosts. A secret is shown to nobody
        file: Option<String>,
        #[command(flatten)]
        asking: Asking,
    },
}

pub(super) fn run(verb: &OverlayVerb) -> Exit {
    let OverlayVerb::Show { node, file, asking } = verb;
    let path = format!("/v1/nodes/{}/files", encoded(node));
    let Some(file) = file else {
        return query::<Vec<NodeFileView>>(asking, &path, |files| show::files(files));
    };
    match (Client { socket: &asking.control }).get(&format!("{path}?path={}", encoded(file))) {
        Ok(text) => {
            print(&text);
            Exit::Ok
        }
        Err(failure) => complain(&failure, exit_of(&failure)),
    }
}
